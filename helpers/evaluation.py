"""How good is a model? Sentence pairs, retrieval metrics, and a table of models.

>>> scores = evaluate_retrieval({"q1": {"a": 0.9, "b": 0.7}}, {"q1": {"b": 1}}, ks=[1, 10])
>>> scores.mean["recip_rank"], scores.per_query["q1"]["recall_1"]
(0.5, 0.0)

The retrieval metrics do what trec_eval does, in every corner: see `evaluate_retrieval`. Lesson 07 writes each of them in a few
lines first. Whether one mean is better than another is a question for `helpers.statistics`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from helpers.timing import Timing, time_in_turn

if TYPE_CHECKING:
    import pandas as pd

    from helpers.data import Article, Pair, Query

Gain = Literal["linear", "exponential"]
#: What a grade is worth in nDCG: as trec_eval has it, and as many libraries do.
GAINS = {"linear": lambda grade: grade, "exponential": lambda grade: 2.0**grade - 1}


# --- sentence pairs -------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class PairScores:
    """What `evaluate_pairs` found of `n` pairs.

    ``spearman``: the correlation of the cosines' order with that of the readers' similarities, what benchmark tables call
    "cosine Spearman" (they print it times 100). ``roc_auc``: the chance that a pair of the same meaning scores higher than one
    that differs; guessing gives 0.5. ``average_precision``: the area under the precision-recall curve of "same meaning";
    guessing gives about the share of such pairs. ``threshold``: the cosine from which "same meaning" is said, chosen on one
    half of the pairs; ``accuracy``: the share of right answers at it on the other half; ``baseline_accuracy``: the same for
    somebody who always says what was more frequent in the first. ``halves``: how they were made. ``scores``: the cosines,
    shape (n,), in the order of the pairs.
    """

    n: int
    spearman: float
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

    `model` is a name (see `helpers.models.load_model`), or anything with an ``encode`` such as `SentenceTransformer`'s. `pairs`
    are four or more (text, text, similarity), on any scale, or the records of `helpers.data.load_pairs`. The threshold is
    chosen on those whose ``half`` is ``"choose"``; where not all have a ``half``, on half of them, drawn with `seed`. A
    similarity of `same_from` or more counts as "the same meaning"; where no pair or every pair has it, the figures about it are
    NaN. `cache` keeps the vectors on disk, unless the model is an object that the cache cannot know.

    Raises TypeError for a table, a dictionary, or what is no (text, text, similarity); ValueError for fewer than four pairs and
    for a similarity that is no finite number.
    """
    from scipy.stats import spearmanr

    pairs, firsts, seconds, similarities = _unpack_pairs(pairs)
    place = {text: row for row, text in enumerate(dict.fromkeys(firsts + seconds))}
    vectors = _unit_vectors(model, list(place), cache)  # every different text is encoded once
    a, b = ([place[text] for text in side] for side in (firsts, seconds))
    scores = (vectors[a] * vectors[b]).sum(axis=1)
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
        halves=how,
        scores=scores,
        **_as_classifier(scores, similarities >= same_from, choose),
    )


def _unpack_pairs(pairs: Iterable) -> tuple[list, list[str], list[str], np.ndarray]:
    if isinstance(pairs, Mapping) or hasattr(pairs, "columns"):
        raise TypeError(
            f"pairs is a {type(pairs).__name__}; give a list of (text, text, similarity): of a table, "
            "list(zip(table.first, table.second, table.similarity))"
        )
    pairs = list(pairs)
    if len(pairs) < 4:
        what = f"{len(pairs)} pairs were given; give four or more"
        raise ValueError(f"{what}, and hundreds to conclude something")
    unpacked = []
    for position, pair in enumerate(pairs):
        try:
            first, second, similarity = () if isinstance(pair, str) else pair
            number = float(similarity)
            "".join((first, second))
        except (TypeError, ValueError):
            what = f"pairs[{position}] is {pair!r}; give (text, text, similarity)"
            raise TypeError(f"{what}: two strings and a number") from None
        if not math.isfinite(number):
            raise ValueError(f"pairs[{position}] has the similarity {number}; give a finite number")
        unpacked.append((first, second, number))
    firsts, seconds, similarities = map(list, zip(*unpacked, strict=True))
    return pairs, firsts, seconds, np.array(similarities)


def _unit_vectors(
    model: Any, texts: list[str], cache: bool, kind: Literal["query", "document"] | None = None
) -> np.ndarray:
    """Return vectors, float64, norm 1, with the model's prompt for `kind`; from the cache, where it can know the model."""
    from helpers.encoding import encode

    known = isinstance(model, str | Path) or hasattr(model, "state_dict")
    known = known or bool(getattr(model, "cache_key", None))
    # Without the cache these are measurements, which a progress bar would disturb.
    settings = {"cache": cache and known, "show_progress": None if cache else False}
    vectors = encode(texts, model, kind=kind, **settings).astype(np.float64)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(norms > 0, norms, 1.0)


def _as_classifier(scores: np.ndarray, same: np.ndarray, choose: np.ndarray) -> dict[str, float]:
    names = ("roc_auc", "average_precision", "threshold", "accuracy", "baseline_accuracy")
    if same.all() or not same.any() or choose.all() or not choose.any():
        return dict.fromkeys(names, math.nan)
    from sklearn.metrics import average_precision_score, roc_auc_score

    threshold = _best_threshold(scores[choose], same[choose])
    majority = same[choose].mean() >= 0.5
    values = (
        roc_auc_score(same, scores),
        average_precision_score(same, scores),
        threshold,
        ((scores[~choose] >= threshold) == same[~choose]).mean(),
        (same[~choose] == majority).mean(),
    )
    return dict(zip(names, map(float, values), strict=True))


def _best_threshold(scores: np.ndarray, same: np.ndarray) -> float:
    """Return the threshold at which ``scores >= threshold`` agrees with `same` most often: half-way between neighbouring scores,
    or just beyond both ends ("always" and "never"). Of several best ones the middle one."""
    levels = np.unique(scores)
    between = (levels[:-1] + levels[1:]) / 2
    candidates = np.concatenate([[levels[0] - 1e-6], between, [levels[-1] + 1e-6]])
    right = ((scores >= candidates[:, None]) == same).sum(axis=1)
    best = candidates[right == right.max()]
    return float(best[len(best) // 2])


# --- retrieval ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RetrievalScores:
    """What `evaluate_retrieval` found, under trec_eval's names, as ``mean`` over the queries and ``per_query``.

    ``recall_k``: the share of the relevant documents that are among the first k. ``P_k``: how many of the first k are relevant,
    divided by k even if fewer were found. ``recip_rank``: 1 / the rank of the first relevant one; its mean is called MRR.
    ``map``: the mean, over all relevant documents, of the precision at the rank of each. ``ndcg_cut_k``: each document gives a
    gain by its grade, divided by log2(1 + rank), and the sum is divided by that of the best ranking of all judged documents.

    ``missing``: judged queries for which the run has nothing: no entry, or one without documents. ``unjudged``: queries of the
    run without judgements; they take no part.
    """

    mean: dict[str, float]
    per_query: dict[str, dict[str, float]]
    missing: tuple[str, ...]
    unjudged: tuple[str, ...]

    def values(self, measure: str) -> dict[str, float]:
        """Return {query: value} of one `measure`: what `statistics.compare_paired` takes."""
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
    run, qrels
        ``{query: {document: score}}``, a larger score being better, and ``{query: {document: grade}}``.
    ks
        Where precision, recall and nDCG are cut.
    relevant_from
        Documents of this grade and higher are relevant for everything but nDCG, which uses all grades (trec_eval's ``-l``).
    gain
        ``"linear"``: the grade itself (Järvelin and Kekäläinen 2002; trec_eval). ``"exponential"``: 2^grade − 1 (Burges and
        others 2005), which sets the highest grades further apart. A report says which, unless all grades are 0 and 1.
    complete
        Whether means are over all judged queries (trec_eval's ``-c``); see below.

    Raises ValueError when no query is in both, for a score or grade that is not a number, or a `k` below 1; TypeError for tables
    or lists where mappings belong, and for ids that are neither strings nor whole numbers, or numbers here and strings there.

    Notes
    -----
    * **Ties.** Documents are sorted by score, largest first; equal scores by document id, in *descending* order. Scores are
      compared in single precision, as by trec_eval 9: 1 and 1 + 1e-9 are a tie.
    * **A query without relevant documents** gets 0 in every measure, and counts in the mean.
    * **A judged query that is not in the run** is left out of the mean, and a system that answers only easy queries looks good.
      With `complete` it counts as 0.
    * **A judged query for which the run lists no document**, ``{query: {}}``, counts as 0, with or without `complete`.
    * **A query of the run without judgements** is left out.
    * **A document without a judgement, or with a negative grade,** keeps its rank and counts as not relevant.
    """
    ks = _checked_settings(ks, relevant_from, gain)
    _check("run", run, "score")
    _check("qrels", qrels, "grade")
    _check_ids(queries=[*run, *qrels])
    _check_ids(run=chain.from_iterable(run.values()), qrels=chain.from_iterable(qrels.values()))
    judged = {query: grades for query, grades in qrels.items() if grades}
    queries = [query for query in judged if complete or query in run]
    if not queries:
        ours, theirs = (f"{len(ids)} {list(ids)[:3]}" for ids in (run, judged))
        raise ValueError(f"no query is in both: the run has {ours}, the judgements have {theirs}")
    per_query = {
        query: _measures(_ranked(run.get(query, {})), judged[query], ks, relevant_from, gain)
        for query in queries
    }
    means = {
        measure: math.fsum(values[measure] for values in per_query.values()) / len(queries)
        for measure in per_query[queries[0]]
    }
    missing = tuple(query for query in judged if not run.get(query))
    unjudged = tuple(query for query in run if query not in judged)
    return RetrievalScores(means, per_query, missing, unjudged)


def _checked_settings(ks: Iterable[int], relevant_from: float, gain: Gain) -> list[int]:
    ks = list(ks)
    if any(k != int(k) or k < 1 for k in ks):
        raise ValueError(f"ks={ks}: give whole numbers from 1 up")
    if relevant_from < 1:
        raise ValueError(f"relevant_from={relevant_from}: give 1 or more; 0 means not relevant")
    if gain not in GAINS:
        raise ValueError(f"gain={gain!r} is unknown; choose one of {', '.join(map(repr, GAINS))}")
    return sorted(map(int, set(ks)))


def _check(name: str, given: Any, inner: str) -> None:
    """Refuse what is not ``{query: {document: number}}``."""
    if not isinstance(given, Mapping):
        what = f"{name} is a {type(given).__name__}; give {{query: {{document: {inner}}}}}"
        raise TypeError(f"{what} (a matrix of scores becomes a run by run_from_scores)")
    for query, documents in given.items():
        if not isinstance(documents, Mapping):
            what = f"{name}[{query!r}] is a {type(documents).__name__}"
            raise TypeError(f"{what}; give {{document: {inner}}}")
        for document, number in documents.items():
            # Infinite scores have a rank; an infinite grade has no meaning.
            wrong = isinstance(number, str) or not np.isscalar(number) or math.isnan(number)
            if wrong or (inner == "grade" and math.isinf(number)):
                what = f"query {query!r}: the {inner} of document {document!r} is {number!r}"
                raise ValueError(f"{what}; give a number, or leave the document out of {name}")


def _check_ids(**ids: Iterable[Hashable]) -> None:
    """Refuse ids that are neither strings nor whole numbers, or numbers here and strings there."""
    first: dict[type, str] = {}
    for name, some in ids.items():
        for one in some:
            kind = str if isinstance(one, str) else int
            if kind is int and not isinstance(one, int | np.integer):
                what = f"{name}: a {type(one).__name__} stands where an id belongs"
                how = "a string or a whole number. Of search results, take ids[result.index]"
                raise TypeError(f"{what}, {how}")
            first.setdefault(kind, f"{one!r} in {name}")
    if len(first) > 1:
        what = f"some ids are strings and some are numbers ({', '.join(first.values())})"
        raise TypeError(
            f"{what}: the same thing has two ids. Make all of one kind, such as str(id)"
        )


def _measures(
    ranking: list, grades: Mapping, ks: Iterable[int], relevant_from: float, gain: Gain
) -> dict[str, float]:
    """Return all measures of one ranking, documents best first."""
    relevant = {document for document, grade in grades.items() if grade >= relevant_from}
    hits = [document in relevant for document in ranking]
    ranks = [rank for rank, hit in enumerate(hits, start=1) if hit]
    many = max(1, len(relevant))
    gains = {document: GAINS[gain](grade) for document, grade in grades.items() if grade > 0}
    actual = [gains.get(document, 0.0) for document in ranking]
    ideal = sorted(gains.values(), reverse=True)
    values = {
        "map": sum(found / rank for found, rank in enumerate(ranks, start=1)) / many,
        "recip_rank": 1 / ranks[0] if ranks else 0.0,
    }
    for k in ks:
        values[f"P_{k}"] = sum(hits[:k]) / k
        values[f"recall_{k}"] = sum(hits[:k]) / many
        values[f"ndcg_cut_{k}"] = _discounted(actual[:k]) / _discounted(ideal[:k]) if ideal else 0.0
    return values


def _discounted(gains: Iterable[float]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, start=1))


def _ranked(scores: Mapping[str, float]) -> list[str]:
    """Return the documents by score, in single precision, then by id, both falling."""
    with np.errstate(over="ignore"):
        single = {document: float(np.float32(score)) for document, score in scores.items()}
    return sorted(single, key=lambda document: (single[document], document), reverse=True)


def run_from_scores(
    scores: np.ndarray, queries: Sequence[str], documents: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Return scores, shape (queries, documents), as a run: ``{query: {document: score}}``. A score of −inf means that the
    document was not found. Raises ValueError when the shape does not fit the ids, a score is NaN, or an id comes twice;
    TypeError for ids that are neither strings nor whole numbers."""
    scores = np.asarray(scores)
    if scores.shape != (len(queries), len(documents)):
        given = f"{len(queries)} queries and {len(documents)} documents were given"
        raise ValueError(f"scores has shape {scores.shape}; {given}")
    if np.isnan(scores).any():
        row, column = np.argwhere(np.isnan(scores))[0]
        raise ValueError(f"scores[{row}, {column}] is NaN; −inf says that nothing was found")
    for what, ids in (("queries", queries), ("documents", documents)):
        _check_ids(**{what: ids})
        if len(set(ids)) < len(ids):
            raise ValueError(f"an id stands twice in {what}; give each once")
    rows = (zip(documents, row, strict=True) for row in scores.tolist())
    found = ({document: score for document, score in row if score != -math.inf} for row in rows)
    return dict(zip(queries, found, strict=True))


# --- a table of models ----------------------------------------------------------------------------

_COLUMNS = {
    **dict.fromkeys(["nDCG@10", "Spearman", "documents/s", "ms/query", "dimension", "MB"], float),
    **{"million parameters": float, "note": str},
}
_SAMPLE = 8  # articles, from the shortest to the longest, on which speed is measured


def compare_models(
    names: Iterable[str] | Mapping[str, Any],
    *,
    articles: Sequence[Article] | None = None,
    queries: Sequence[Query] | None = None,
    pairs: Sequence[Pair] | None = None,
    cache: bool = True,
) -> pd.DataFrame:
    """Measure models on the course's data: one row each, quality and cost side by side.

    `names` are names of models (see `helpers.models.MODELS`), or ``{name: loaded model}`` for anything that has an ``encode``
    such as `SentenceTransformer`'s. A model of the course that is not on this machine is not fetched: its row says how to get
    it. Models are measured on the archive, its queries that have an answer, and the graded pairs, if nothing else is given.
    Articles are searched by title and text, whole: what a model does not read of them is lost. `cache` keeps the vectors on
    disk; speed is always measured without.

    Returns a DataFrame, indexed by name: ``nDCG@10`` (linear gain, mean over the queries), ``Spearman`` (over the pairs),
    ``documents/s`` and ``ms/query`` (a query is encoded alone and compared with every article; models are timed in turn),
    ``dimension``, ``MB`` (10⁶ bytes on disk), ``million parameters`` and ``note``. What could not be measured is NaN, and the
    note says why. ``table.attrs["measured"]`` is a line for below the table; ``table.attrs["query"]`` and ``["documents"]``
    hold each model's `Timing`, for `timing.claim_order`.
    """
    import pandas as pd

    from helpers.data import load_articles, load_pairs, load_queries
    from helpers.timing import threads

    if isinstance(names, str) or hasattr(names, "encode"):
        raise TypeError(f"names is {names!r}; give a list of names: [{names!r}]")
    articles = load_articles() if articles is None else articles
    queries = [query for query in load_queries() if query.answers] if queries is None else queries
    pairs = load_pairs() if pairs is None else pairs
    texts = [f"{article.title}\n{article.text}" for article in articles]
    models, rows = {}, {}
    for name, model in (names if isinstance(names, Mapping) else dict.fromkeys(names)).items():
        folder, note = None, ""
        if model is None:
            model, folder, note = _load_if_here(name)
        rows[name] = {"note": note}
        if model is not None:
            models[name] = model
            run, dimension = _run(model, texts, articles, queries, cache)
            scores = evaluate_retrieval(run, {query.id: query.relevance for query in queries}, [10])
            rows[name] |= _size(model, folder) | {
                "dimension": dimension,
                "nDCG@10": scores.mean["ndcg_cut_10"],
                "Spearman": evaluate_pairs(model, pairs, cache=cache).spearman,
            }
    timings = _times(models, texts, queries[0].text) if models else {"query": {}, "documents": {}}
    for name in models:
        rows[name]["ms/query"] = timings["query"][name].ms
        rows[name]["documents/s"] = min(_SAMPLE, len(texts)) / timings["documents"][name].seconds
    table = pd.DataFrame.from_dict(rows, orient="index", columns=list(_COLUMNS))
    table = table.astype(_COLUMNS).rename_axis("model")
    counts = f"{len(queries)} queries, {len(articles)} articles, {len(pairs)} pairs"
    pools = "; ".join(threads()) or "no pool found"
    table.attrs = timings | {"measured": f"{counts}; models timed in turn; threads: {pools}"}
    return table


def _load_if_here(name: str) -> tuple[Any, Any, str]:
    """Return the model and its folder, or None twice and how to get it."""
    from helpers.models import ModelError, find_card, load_model, model_path, model_status

    card = find_card(name)
    if card is not None:
        status, remedy = model_status(card)
        if status in ("missing", "damaged"):
            return None, None, f"{status}: {remedy}"
    try:
        folder = model_path(name)
        return load_model(folder), folder, ""
    except ModelError as error:
        return None, None, f"not loaded: {str(error).splitlines()[0]}"


def _run(
    model: Any, texts: list[str], articles: Sequence[Article], queries: Sequence[Query], cache: bool
) -> tuple[dict[str, dict[str, float]], int]:
    documents = _unit_vectors(model, texts, cache, "document")
    asked = _unit_vectors(model, [query.text for query in queries], cache, "query")
    ids = [query.id for query in queries], [article.id for article in articles]
    return run_from_scores((asked @ documents.T).astype(np.float32), *ids), documents.shape[1]


def _times(
    models: Mapping[str, Any], texts: list[str], question: str
) -> dict[str, dict[str, Timing]]:
    """Time one query, and a sample of the texts, with each model in turn."""
    by_length = sorted(texts, key=len)
    sample = min(_SAMPLE, len(texts))
    spread = [by_length[int((i + 0.5) * len(texts) / sample)] for i in range(sample)]

    def ask(model: Any) -> np.ndarray:
        vector = _unit_vectors(model, [question], cache=False, kind="query")[0]
        return np.zeros((len(texts), len(vector))) @ vector

    def read(model: Any) -> np.ndarray:
        return _unit_vectors(model, spread, cache=False, kind="document")

    def in_turn(task: Callable, rounds: int) -> dict[str, Timing]:
        return time_in_turn({name: partial(task, model) for name, model in models.items()}, rounds)

    return {"query": in_turn(ask, 9), "documents": in_turn(read, 4)}


def _size(model: Any, folder: Any) -> dict[str, float]:
    size = {}
    if folder is not None:
        size["MB"] = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6
    if hasattr(model, "parameters"):
        size["million parameters"] = sum(weights.numel() for weights in model.parameters()) / 1e6
    return size
