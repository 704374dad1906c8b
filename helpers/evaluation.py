"""How good is a model, and is it better than another? Pairs, retrieval metrics, the paired bootstrap, and a table of models.

>>> scores = evaluate_retrieval({"q1": {"a": 0.9, "b": 0.7}}, {"q1": {"b": 1}}, ks=[1, 10])
>>> scores.mean["recip_rank"], scores.per_query["q1"]["recall_1"]
(0.5, 0.0)

The retrieval metrics do what trec_eval does, in every corner: see `evaluate_retrieval`. Lesson 07 writes each of them in a few
lines first.
"""

from __future__ import annotations

import itertools
import math
import statistics
import time
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from helpers.data import Article, Pair, Query

Gain = Literal["linear", "exponential"]
#: What a grade is worth in nDCG. trec_eval uses the first, Burges and others (2005) and many libraries the second.
GAINS = {"linear": lambda grade: grade, "exponential": lambda grade: 2.0**grade - 1}
#: Judged relevance of one query: a grade for each document, or just the relevant documents (grade 1 each).
Relevance = Mapping[Hashable, float] | Collection[Hashable]


# --- sentence pairs -----------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class PairScores:
    """What `evaluate_pairs` found.

    Attributes
    ----------
    n : number of pairs
    spearman, pearson : correlation of the model's cosines with the readers' similarities
    roc_auc : chance that a pair of the same meaning scores higher than one that differs; 0.5 is guessing
    average_precision : area under the precision-recall curve of "same meaning"; guessing gives the share of such pairs
    threshold : cosine from which "same meaning" is said, chosen on one half of the pairs
    accuracy : share of right answers at that threshold on the other half
    baseline_accuracy : share of right answers there of somebody who always says what was more frequent in the first half
    halves : how the halves were made: ``"as the pairs say"`` or ``"at random, seed …"``
    scores : array, shape (n,): the cosines, in the order of the pairs
    """

    n: int
    spearman: float
    pearson: float
    roc_auc: float
    average_precision: float
    threshold: float
    accuracy: float
    baseline_accuracy: float
    halves: str
    scores: np.ndarray = field(repr=False)


def evaluate_pairs(
    model: Any,
    pairs: Iterable[Pair | tuple[str, str, float]],
    *,
    same_from: float = 4.0,
    seed: int = 0,
    cache: bool = True,
) -> PairScores:
    """Compare a model's cosine similarities with readers' judgements of the same sentence pairs.

    Parameters
    ----------
    model
        A model's name (see `helpers.models.load_model`), or anything whose ``encode(texts)`` gives an array of shape (texts,
        dimension). Its vectors need not have norm 1.
    pairs
        (text, text, similarity) each, such as (…, …, 3.5), or the records of `helpers.data.load_pairs`. Any scale will do.
    same_from
        A similarity from here up counts as "the same meaning" in everything but the two correlations. 4 suits a scale
        of 0 to 5.
    seed
        For the halves, where the pairs do not name them.
    cache
        Keep the vectors on disk (see `helpers.encoding.encode`), unless the model is an object that the cache cannot know.

    Returns
    -------
    PairScores
        The threshold is chosen on the pairs whose ``half`` is ``"choose"`` and tested on all others. Where not all pairs have a
        ``half``, a permutation drawn with `seed` is cut in the middle; the smaller part chooses. Of all thresholds half-way
        between two neighbouring scores the one with most right answers is taken; among several, the middle one. Where no
        pair, or every pair, has the same meaning, `roc_auc`, `average_precision`, `threshold` and both accuracies are NaN.

    Raises
    ------
    ValueError
        With fewer than four pairs, or with a similarity that is no finite number.
    TypeError
        When a pair is not (text, text, similarity).

    Notes
    -----
    With the pairs of the STS benchmark, `spearman` is what benchmark tables call "cosine Spearman" (they print it times 100).
    """
    from scipy.stats import pearsonr, spearmanr

    pairs = list(pairs)
    firsts, seconds, similarities = _unpack_pairs(pairs)
    scores = _cosines(model, firsts, seconds, cache)
    same = similarities >= same_from
    halves = [getattr(pair, "half", None) for pair in pairs]
    if all(half is not None for half in halves):
        choose, how = np.array([half == "choose" for half in halves]), "as the pairs say"
    else:
        choose, how = np.zeros(len(pairs), dtype=bool), f"at random, seed {seed}"
        choose[np.random.default_rng(seed).permutation(len(pairs))[: len(pairs) // 2]] = True
    varied = np.ptp(scores) > 0 and np.ptp(similarities) > 0
    return PairScores(
        n=len(pairs),
        spearman=float(spearmanr(scores, similarities).statistic) if varied else math.nan,
        pearson=float(pearsonr(scores, similarities).statistic) if varied else math.nan,
        halves=how,
        scores=scores,
        **_as_classifier(scores, same, choose),
    )


def _unpack_pairs(pairs: list) -> tuple[list[str], list[str], np.ndarray]:
    if len(pairs) < 4:
        raise ValueError(
            f"{len(pairs)} pairs were given; give four or more (and hundreds if you want to conclude something)"
        )
    firsts, seconds, similarities = [], [], []
    for position, pair in enumerate(pairs):
        try:
            first, second, similarity = pair
        except (TypeError, ValueError):
            raise TypeError(
                f"pairs[{position}] is {pair!r}; give (text, text, similarity)"
            ) from None
        if not (isinstance(first, str) and isinstance(second, str)):
            raise TypeError(
                f"pairs[{position}] is {pair!r}; give (text, text, similarity), the texts as strings"
            )
        try:
            similarity = float(similarity)
        except (TypeError, ValueError):
            raise TypeError(
                f"pairs[{position}] has the similarity {similarity!r}; give a number"
            ) from None
        if not math.isfinite(similarity):
            raise ValueError(
                f"pairs[{position}] has the similarity {similarity}; give a finite number"
            )
        firsts.append(first)
        seconds.append(second)
        similarities.append(similarity)
    return firsts, seconds, np.array(similarities)


def _cosines(model: Any, firsts: list[str], seconds: list[str], cache: bool) -> np.ndarray:
    """Return the cosine of each pair; every different text is encoded once."""
    place = {text: row for row, text in enumerate(dict.fromkeys(firsts + seconds))}
    vectors = _unit_vectors(model, list(place), cache)
    a, b = ([place[text] for text in side] for side in (firsts, seconds))
    return (vectors[a] * vectors[b]).sum(axis=1)


def _unit_vectors(model: Any, texts: list[str], cache: bool) -> np.ndarray:
    """Return the vectors of `texts`, shape (texts, dimension), float64, norm 1; through the cache if it can know the model."""
    if isinstance(model, str) or hasattr(model, "state_dict") or getattr(model, "cache_key", None):
        from helpers.encoding import encode

        vectors = encode(texts, model, cache=cache)
    elif hasattr(model, "encode"):
        vectors = model.encode(texts)
    else:
        raise TypeError(
            f"model is a {type(model).__name__}; give a model's name or something with encode(texts)"
        )
    vectors = np.array(vectors, dtype=np.float64)
    if vectors.ndim != 2 or len(vectors) != len(texts) or not np.isfinite(vectors).all():
        raise ValueError(
            f"the model gave shape {vectors.shape} for {len(texts)} texts; finite numbers, (texts, dimension), were expected"
        )
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(norms > 0, norms, 1.0)


def _as_classifier(scores: np.ndarray, same: np.ndarray, choose: np.ndarray) -> dict[str, float]:
    names = ("roc_auc", "average_precision", "threshold", "accuracy", "baseline_accuracy")
    if same.all() or not same.any() or choose.all() or not choose.any():
        return dict.fromkeys(names, math.nan)
    from sklearn.metrics import average_precision_score, roc_auc_score

    threshold = best_threshold(scores[choose], same[choose])
    majority = same[choose].mean() >= 0.5
    values = (
        roc_auc_score(same, scores),
        average_precision_score(same, scores),
        threshold,
        ((scores[~choose] >= threshold) == same[~choose]).mean(),
        (same[~choose] == majority).mean(),
    )
    return dict(zip(names, map(float, values), strict=True))


def best_threshold(scores: np.ndarray, same: np.ndarray) -> float:
    """Return the threshold at which ``scores >= threshold`` agrees with `same` most often.

    Candidates lie half-way between neighbouring scores, and just beyond both ends ("always" and "never"). Of several best
    ones the middle one is returned. What it is worth must be measured on scores that took no part in choosing it.

    Parameters
    ----------
    scores : array, shape (n,)
    same : boolean array, shape (n,)
    """
    scores, same = np.asarray(scores, dtype=float), np.asarray(same, dtype=bool)
    if scores.shape != same.shape or scores.ndim != 1 or not len(scores):
        raise ValueError(
            f"scores has shape {scores.shape} and same {same.shape}; give one of each for every pair, at least one"
        )
    levels = np.unique(scores)
    candidates = np.concatenate(
        [[levels[0] - 1e-6], (levels[:-1] + levels[1:]) / 2, [levels[-1] + 1e-6]]
    )
    right = ((scores >= candidates[:, None]) == same).sum(axis=1)
    best = candidates[right == right.max()]
    return float(best[len(best) // 2])


# --- retrieval: one ranking ---------------------------------------------------------------------


def recall_at_k(
    ranking: Sequence[Hashable], relevance: Relevance, k: int, *, relevant_from: float = 1
) -> float:
    """Return the share of the relevant documents that are among the first `k` of `ranking`; 0 where nothing is relevant.

    Parameters
    ----------
    ranking
        Documents, best first, none twice.
    relevance
        ``{document: grade}``, or a set of the relevant documents. What is not in it counts as not relevant.
    k
        At least 1.
    relevant_from
        Documents of this grade and higher are relevant (trec_eval's ``-l``). At least 1.

    Raises
    ------
    ValueError
        For a `k` below 1, or a ranking with a document twice.
    """
    relevant = _relevant(relevance, relevant_from)
    found = sum(document in relevant for document in _first(ranking, k))
    return found / len(relevant) if relevant else 0.0


def precision_at_k(
    ranking: Sequence[Hashable], relevance: Relevance, k: int, *, relevant_from: float = 1
) -> float:
    """Return how many of the first `k` documents of `ranking` are relevant, divided by `k`, even if fewer than `k` were found.

    Parameters and errors are those of `recall_at_k`.
    """
    relevant = _relevant(relevance, relevant_from)
    return sum(document in relevant for document in _first(ranking, k)) / k


def reciprocal_rank(
    ranking: Sequence[Hashable], relevance: Relevance, *, relevant_from: float = 1
) -> float:
    """Return 1 / the rank of the first relevant document of `ranking`; 0 where there is none.

    Parameters and errors are those of `recall_at_k`. Its mean over queries is called MRR.
    """
    relevant = _relevant(relevance, relevant_from)
    return next(
        (
            1 / rank
            for rank, document in enumerate(_first(ranking), start=1)
            if document in relevant
        ),
        0.0,
    )


def average_precision(
    ranking: Sequence[Hashable], relevance: Relevance, *, relevant_from: float = 1
) -> float:
    """Return the mean, over all relevant documents, of the precision at the rank of each.

    A relevant document that is not in `ranking` counts 0.

    Parameters and errors are those of `recall_at_k`. Its mean over queries is called MAP.
    """
    relevant = _relevant(relevance, relevant_from)
    total, found = 0.0, 0
    for rank, document in enumerate(_first(ranking), start=1):
        if document in relevant:
            found += 1
            total += found / rank
    return total / len(relevant) if relevant else 0.0


def ndcg_at_k(
    ranking: Sequence[Hashable], relevance: Relevance, k: int, *, gain: Gain = "linear"
) -> float:
    """Return the normalised discounted cumulative gain of the first `k` documents of `ranking`.

    Each document gives a gain by its grade, divided by log2(1 + rank). The sum is divided by that of the best possible
    ranking of all judged documents, cut at `k` too. 0 where no document has a positive grade. A negative grade gives no gain.

    Parameters
    ----------
    ranking, relevance, k
        As for `recall_at_k`.
    gain
        ``"linear"``: the grade itself (Järvelin and Kekäläinen 2002; trec_eval). ``"exponential"``: 2^grade − 1 (Burges and
        others 2005), which sets the highest grades further apart. For grades 0 and 1 the two are the same; for others, say
        which one you report. (The discount is that of both today, log2(1 + rank), not the one of the 2002 article.)

    Raises
    ------
    ValueError
        As `recall_at_k`, and for an unknown `gain`.
    """
    if gain not in GAINS:
        raise ValueError(f"gain={gain!r} is unknown; choose one of {', '.join(map(repr, GAINS))}")
    gains = {
        document: GAINS[gain](grade) for document, grade in _grades(relevance).items() if grade > 0
    }
    actual = [gains.get(document, 0.0) for document in _first(ranking, k)]
    ideal = sorted(gains.values(), reverse=True)[: int(k)]
    return _discounted(actual) / _discounted(ideal) if ideal else 0.0


def _discounted(gains: Iterable[float]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, start=1))


def _first(ranking: Sequence[Hashable], k: int | None = None) -> list[Hashable]:
    if k is not None and (k != int(k) or k < 1):
        raise ValueError(f"k={k}: give a whole number from 1 up")
    ranking = list(ranking)
    if len(set(ranking)) < len(ranking):
        raise ValueError("the ranking holds a document twice; give each once, at its best rank")
    return ranking if k is None else ranking[: int(k)]


def _grades(relevance: Relevance) -> Mapping[Hashable, float]:
    if isinstance(relevance, str):
        raise TypeError(
            f"relevance is the string {relevance!r}; give {{document: grade}} or a set of documents"
        )
    return relevance if isinstance(relevance, Mapping) else dict.fromkeys(relevance, 1)


def _relevant(relevance: Relevance, relevant_from: float) -> set[Hashable]:
    if relevant_from < 1:
        raise ValueError(
            f"relevant_from={relevant_from}: give 1 or more; grade 0 means judged and not relevant"
        )
    return {document for document, grade in _grades(relevance).items() if grade >= relevant_from}


# --- retrieval: many queries --------------------------------------------------------------------


@dataclass(frozen=True)
class RetrievalScores:
    """What `evaluate_retrieval` found, under trec_eval's names.

    They are ``map``, ``recip_rank``, and for each k ``P_k``, ``recall_k`` and ``ndcg_cut_k``.

    Attributes
    ----------
    mean : {measure: mean over the queries in `per_query`}
    per_query : {query: {measure: value}}
    gain : of ndcg_cut_k
    relevant_from : of all others
    missing : judged queries for which the run has nothing
    unjudged : queries of the run without judgements; they take no part
    """

    mean: dict[str, float]
    per_query: dict[str, dict[str, float]]
    gain: Gain
    relevant_from: float
    missing: tuple[str, ...]
    unjudged: tuple[str, ...]

    def values(self, measure: str) -> dict[str, float]:
        """Return {query: value} of one `measure`: what `paired_bootstrap` takes."""
        if measure not in self.mean:
            raise KeyError(f"no measure {measure!r}; there are {', '.join(self.mean)}")
        return {query: values[measure] for query, values in self.per_query.items()}


def evaluate_retrieval(
    run: Mapping[str, Mapping[str, float]],
    qrels: Mapping[str, Mapping[str, int]],
    ks: Iterable[int] = (1, 3, 10),
    *,
    relevant_from: float = 1,
    gain: Gain = "linear",
    complete: bool = False,
) -> RetrievalScores:
    """Evaluate a run against relevance judgements, as trec_eval does.

    Parameters
    ----------
    run
        ``{query: {document: score}}``, a larger score being better.
    qrels
        ``{query: {document: grade}}``.
    ks
        Where precision, recall and nDCG are cut.
    relevant_from
        Documents of this grade and higher are relevant for everything but nDCG, which uses all grades (trec_eval's ``-l``).
    gain
        See `ndcg_at_k`; trec_eval's is ``"linear"``.
    complete
        Which queries the means are taken over; see below.

    Returns
    -------
    RetrievalScores
        The mean, and the value of each query.

    Raises
    ------
    ValueError
        When no query is in both, for a score that is not a number, or a `k` below 1.

    Notes
    -----
    Where runs and judgements do not fit together, the rules are trec_eval's:

    * **Ties.** Documents are sorted by score, largest first; equal scores by document id, in *descending* order. The order in
      which a run lists them does not matter. Scores are compared in single precision (as by trec_eval 9): 1 and 1 + 1e-9 are
      a tie, and so are 10⁹ and 10⁹ + 1.
    * **A query without relevant documents** gets 0 in every measure, and counts in the mean.
    * **A judged query that is missing from the run** is left out of the mean, so that a system that answers only easy queries
      looks good. With ``complete=True`` (trec_eval's ``-c``) it counts as 0 in every measure. `RetrievalScores.missing` names
      them.
    * **A query of the run without judgements** is left out. `RetrievalScores.unjudged` names them.
    * **A document without a judgement** counts as not relevant, and keeps its rank.
    * **A negative grade** counts as not relevant and gives no gain.
    * **Fewer than k documents found**: precision is still divided by k.
    """
    ks = sorted({int(k) for k in ks if _first((), k) == []})
    judged = {query: grades for query, grades in qrels.items() if grades}
    missing = tuple(query for query in judged if query not in run)
    queries = [query for query in judged if complete or query in run]
    if not queries:
        raise ValueError(
            f"no query is in both: the run has {_some(run)}, the judgements have {_some(judged)}"
        )
    per_query = {}
    for query in queries:
        ranking, grades = rank_documents(run.get(query, {}), query), judged[query]
        values = {
            "map": average_precision(ranking, grades, relevant_from=relevant_from),
            "recip_rank": reciprocal_rank(ranking, grades, relevant_from=relevant_from),
        }
        for k in ks:
            values[f"P_{k}"] = precision_at_k(ranking, grades, k, relevant_from=relevant_from)
            values[f"recall_{k}"] = recall_at_k(ranking, grades, k, relevant_from=relevant_from)
            values[f"ndcg_cut_{k}"] = ndcg_at_k(ranking, grades, k, gain=gain)
        per_query[query] = values
    measures = per_query[queries[0]]
    mean = {
        m: math.fsum(values[m] for values in per_query.values()) / len(queries) for m in measures
    }
    return RetrievalScores(
        mean,
        per_query,
        gain,
        relevant_from,
        missing,
        tuple(query for query in run if query not in judged),
    )


def rank_documents(scores: Mapping[str, float], query: str = "") -> list[str]:
    """Return the documents of ``{document: score}`` in trec_eval's order: by score in single precision, then by id, both falling.

    Raises
    ------
    ValueError
        For a score that is not a number; the message names `query` and the document.
    """
    with np.errstate(over="ignore"):
        single = dict(
            zip(
                scores,
                np.array(list(scores.values()), dtype=np.float64).astype(np.float32).tolist(),
                strict=True,
            )
        )
    for document, score in single.items():
        if math.isnan(score):
            raise ValueError(
                f"query {query!r}: the score of document {document!r} is not a number; leave it out of the run"
            )
    return sorted(single, key=lambda document: (single[document], document), reverse=True)


def run_from_scores(
    scores: np.ndarray, queries: Sequence[str], documents: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Return a matrix of scores, shape (queries, documents), as a run: ``{query: {document: score}}``.

    A score of −inf means that the document was not found.
    """
    scores = np.asarray(scores)
    if scores.shape != (len(queries), len(documents)):
        raise ValueError(
            f"scores has shape {scores.shape}; {len(queries)} queries and {len(documents)} documents were given"
        )
    for what, ids in (("queries", queries), ("documents", documents)):
        if len(set(ids)) < len(ids):
            raise ValueError(f"an id stands twice in {what}; give each once")
    return {
        query: {
            document: score
            for document, score in zip(documents, row, strict=True)
            if score != -math.inf
        }
        for query, row in zip(queries, scores.tolist(), strict=True)
    }


def _some(names: Iterable[str]) -> str:
    names = list(names)
    return f"{len(names)} ({', '.join(map(repr, names[:3]))}{', …' if len(names) > 3 else ''})"


# --- is the difference real? --------------------------------------------------------------------


@dataclass(frozen=True)
class BootstrapResult:
    """What `paired_bootstrap` found.

    Attributes
    ----------
    difference : mean of a minus mean of b
    low, high : confidence interval of the difference
    confidence : such as 0.95
    n : number of queries
    resamples : how often they were drawn
    """

    difference: float
    low: float
    high: float
    confidence: float
    n: int
    resamples: int

    @property
    def established(self) -> bool:
        """Whether the interval excludes 0."""
        return bool(self.low > 0 or self.high < 0)

    def __str__(self) -> str:
        verdict = "established" if self.established else "not established"
        return f"{self.difference:+.3f} [{self.low:+.3f}, {self.high:+.3f}], {verdict}"


def paired_bootstrap(
    a: Mapping[str, float] | Sequence[float],
    b: Mapping[str, float] | Sequence[float],
    *,
    seed: int = 0,
    resamples: int = 10_000,
    confidence: float = 0.95,
) -> BootstrapResult:
    """Ask whether `a` is better than `b` on average, or whether other queries could have said the opposite.

    Queries are drawn with replacement, as many as there are, and each draw takes the values of *both* systems for the same
    queries: what makes a query hard for both cancels out. The interval is between the percentiles of the mean differences.

    Parameters
    ----------
    a, b
        One value for each query: ``{query: value}`` with the same queries, or two sequences in the same order.
    seed
        The same seed gives the same interval.
    resamples, confidence
        How often to draw, and how much of the draws the interval holds.

    Returns
    -------
    BootstrapResult
        ``str()`` of it is a line for a report.

    Raises
    ------
    ValueError
        When the queries differ, there are fewer than two, or a value is not a finite number.

    Notes
    -----
    What is estimated is the mean over *queries like these*. The interval knows nothing of queries of another kind, of errors
    in the judgements, or of how many other comparisons were made before this one. With few queries it is too narrow: it knows
    only the values that it has.
    """
    differences = _paired_values(a, b)
    if not 0 < confidence < 1:
        raise ValueError(f"confidence={confidence}: give a number between 0 and 1, such as 0.95")
    if resamples < 100:
        raise ValueError(f"resamples={resamples}: give 100 or more (10,000 for a report)")
    means = _resampled_means(differences, resamples, np.random.default_rng(seed))
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return BootstrapResult(
        float(differences.mean()), float(low), float(high), confidence, len(differences), resamples
    )


def _paired_values(a: Mapping | Sequence, b: Mapping | Sequence) -> np.ndarray:
    if isinstance(a, Mapping) != isinstance(b, Mapping):
        raise ValueError(
            "one of a and b names its queries and the other does not; give two mappings or two sequences"
        )
    if isinstance(a, Mapping):
        if a.keys() != b.keys():
            raise ValueError(
                f"a and b have different queries: only in a {_some(a.keys() - b.keys())}, only in b {_some(b.keys() - a.keys())}"
            )
        a, b = list(a.values()), [b[query] for query in a]
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if a.shape != b.shape or a.ndim != 1:
        raise ValueError(
            f"a has shape {a.shape} and b {b.shape}; give one value of each for every query"
        )
    if len(a) < 2:
        raise ValueError(
            f"{len(a)} queries were given; with fewer than two there is nothing to draw from"
        )
    if not np.isfinite(a - b).all():
        raise ValueError("a or b holds a value that is not a finite number")
    return a - b


def _resampled_means(values: np.ndarray, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """Return the means of `resamples` draws with replacement, in portions that fit in memory."""
    portion = max(1, 4_000_000 // len(values))
    sizes = [min(portion, resamples - start) for start in range(0, resamples, portion)]
    # Sums of values such as 1/3 and −1/3 leave rounding errors in place of zeros; twelve digits are enough.
    return np.concatenate(
        [values[rng.integers(len(values), size=(size, len(values)))].mean(axis=1) for size in sizes]
    ).round(12)


# --- a table of models --------------------------------------------------------------------------


def compare_models(
    names: Iterable[str] | Mapping[str, Any],
    *,
    articles: Sequence[Article] | None = None,
    queries: Sequence[Query] | None = None,
    pairs: Sequence[Pair] | None = None,
    sample: int = 8,
    cache: bool = True,
    device: str | None = None,
) -> pd.DataFrame:
    """Measure models on the course's data: one row each, quality and cost side by side.

    Parameters
    ----------
    names
        Names of models (see `helpers.models.MODELS`), or ``{name: loaded model}`` for anything that has an ``encode`` such as
        `SentenceTransformer`'s. One of the course's models that is not on this machine is not fetched: its row says how to
        get it.
    articles, queries, pairs
        What to measure on; None: the archive, its queries that have an answer, and the graded pairs. Articles are searched by
        title and text, whole: what a model does not read of them is lost.
    sample
        How many articles, from the shortest to the longest, the speed is measured on.
    cache
        Keep the vectors of the articles on disk (see `helpers.encoding.encode`). Speed is always measured without it.
    device
        See `helpers.models.load_model`.

    Returns
    -------
    DataFrame, indexed by name
        ``nDCG@10`` (linear gain, mean over the queries), ``Spearman`` (over the pairs), ``documents/s`` and ``ms/query``
        (for documents the fastest run; for queries the median after a warm-up, each alone, encoded and compared
        with every article), ``dimension``, ``MB`` (10⁶ bytes on disk; NaN for a loaded model), ``million
        parameters`` (NaN where the model does not say) and ``note``. What could
        not be measured is NaN, and the note says why.

    Notes
    -----
    Texts go to the model as they are. Models that want a prefix before queries or passages get their due only through a
    loaded model whose ``encode`` adds it.
    """
    import pandas as pd

    from helpers.data import load_articles, load_pairs, load_queries

    if isinstance(names, str):
        raise TypeError(f"names is the string {names!r}; give a list of names: [{names!r}]")
    articles = load_articles() if articles is None else articles
    queries = [query for query in load_queries() if query.answers] if queries is None else queries
    pairs = load_pairs() if pairs is None else pairs
    given = names if isinstance(names, Mapping) else dict.fromkeys(names)
    rows = {}
    for name, model in given.items():
        folder, note = None, ""
        if model is None:
            model, folder, note = _load_if_here(name, device)
        rows[name] = (
            {"note": note}
            if model is None
            else _measure(model, articles, queries, pairs, sample, cache) | _size(model, folder)
        )
    columns = [
        "nDCG@10",
        "Spearman",
        "documents/s",
        "ms/query",
        "dimension",
        "MB",
        "million parameters",
        "note",
    ]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("model")
    return table.astype(dict.fromkeys(columns[:-1], float)).fillna({"note": ""})


def _load_if_here(name: str, device: str | None) -> tuple[Any, Any, str]:
    """Return the model and its folder, or None twice and how to get it."""
    from helpers.models import ModelError, find_card, load_model, model_path, model_status

    card = find_card(name)
    if card is not None:
        status, remedy = model_status(card)
        if status in ("missing", "damaged"):
            return None, None, f"{status}: {remedy}"
    try:
        folder = model_path(name)
        return load_model(folder, device=device), folder, ""
    except ModelError as error:
        return None, None, f"not loaded: {str(error).splitlines()[0]}"


def _measure(
    model: Any,
    articles: Sequence[Article],
    queries: Sequence[Query],
    pairs: Sequence[Pair],
    sample: int,
    cache: bool,
) -> dict[str, float]:
    texts = [f"{article.title}\n{article.text}" for article in articles]
    documents = _unit_vectors(model, texts, cache).astype(np.float32)
    asked = _unit_vectors(model, [query.text for query in queries], cache).astype(np.float32)
    run = run_from_scores(
        asked @ documents.T, [query.id for query in queries], [article.id for article in articles]
    )
    retrieval = evaluate_retrieval(run, {query.id: query.relevance for query in queries}, ks=[10])
    per_query, per_second = _speed(
        model, texts, [query.text for query in queries], documents, sample
    )
    return {
        "nDCG@10": retrieval.mean["ndcg_cut_10"],
        "Spearman": evaluate_pairs(model, pairs, cache=cache).spearman,
        "documents/s": per_second,
        "ms/query": per_query * 1e3,
        "dimension": documents.shape[1],
    }


def _speed(
    model: Any, texts: list[str], questions: list[str], documents: np.ndarray, sample: int
) -> tuple[float, float]:
    """Return seconds for one query, and documents a second."""

    questions = itertools.cycle(questions)
    times = []
    for _ in range(9):
        question = next(questions)
        started = time.perf_counter()
        _ = documents @ np.asarray(model.encode([question]))[0]
        times.append(time.perf_counter() - started)
    by_length = sorted(texts, key=len)
    sample = min(sample, len(texts))
    spread = [by_length[int((i + 0.5) * len(texts) / sample)] for i in range(sample)]
    # Batches of two neighbours in length: next to no padding, as when a whole corpus is sorted by length.
    # The fastest of four, the first of which warms up: whatever else a machine does can only make a run slower.
    per_sample = min(_seconds(lambda: model.encode(spread, batch_size=2)) for _ in range(4))
    return statistics.median(times[2:]), sample / per_sample  # the first two queries warmed up


def _size(model: Any, folder: Any) -> dict[str, float]:
    size = {}
    if folder is not None:
        size["MB"] = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6
    if hasattr(model, "parameters"):
        size["million parameters"] = (
            sum(parameter.numel() for parameter in model.parameters()) / 1e6
        )
    return size


def quality_cost_plot(
    table: pd.DataFrame,
    *,
    quality: str = "nDCG@10",
    cost: str = "ms/query",
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the rows of a table such as `compare_models` gives: quality upwards, cost to the right, on a logarithmic scale.

    The best place is at the upper left. Rows without one of the two figures are left out.

    Raises
    ------
    ValueError
        When the table lacks a column, or no row has both figures.
    """
    from helpers import plots

    absent = [column for column in (quality, cost) if column not in table.columns]
    if absent:
        raise ValueError(
            f"the table has no column {', '.join(map(repr, absent))}; it has {', '.join(map(repr, table.columns))}"
        )
    known = table[[quality, cost]].dropna()
    if known.empty:
        raise ValueError(f"no row of the table has both {quality!r} and {cost!r}")
    with plots.course_style():
        ax = ax or plots.new_axes(7.5, 4)
        for number, (name, row) in enumerate(known.iterrows()):
            colour, marker = (
                plots.COLOURS[number % len(plots.COLOURS)],
                plots.MARKERS[number % len(plots.MARKERS)],
            )
            ax.scatter(
                row[cost],
                row[quality],
                s=110,
                color=colour,
                marker=marker,
                edgecolors="white",
                zorder=3,
            )
            place = {"xytext": (0, -18), "textcoords": "offset points", "ha": "center"}
            ax.annotate(str(name), (row[cost], row[quality]), color=colour, weight="bold", **place)
        ax.set_xscale("log")
        ax.set(
            xlabel=f"{cost} (logarithmic)",
            ylabel=quality,
            title=title or f"{quality} against {cost}",
        )
        ax.margins(x=0.2, y=0.3)
    return ax


def _seconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started
