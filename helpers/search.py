"""Search by meaning, by keyword, and the rankings of both made one.

>>> engine = SemanticSearch("all-MiniLM-L6-v2")
>>> engine.index(["The ferry is late.", "Bread rises overnight."])
>>> engine.search("delayed boat", top_k=1)
[SearchResult(document='The ferry is late.', score=0.58, index=0)]
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from helpers.arguments import check_texts, check_whole
from helpers.encoding import encode
from helpers.exact import top_k as exact_top_k
from helpers.exact import top_k_indices
from helpers.words import is_unspaced, lower, words_in

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

#: The constant of reciprocal rank fusion in its first publication.
RRF_K = 60
#: Where a word written in camel case is parted.
_CAMEL = re.compile(r"(?<=[a-z\d])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")

Item = TypeVar("Item", int, str)


@dataclass(frozen=True, slots=True)
class SearchResult:
    """A document found: its text, its score (larger is better) and its place in the list that
    was indexed, from 0.
    """

    document: str
    score: float
    index: int

    def __repr__(self) -> str:
        return (
            f"SearchResult(document={self.document!r}, score={self.score:.2f}, index={self.index})"
        )


class _Engine:
    """What both engines share: documents, checked arguments, results."""

    documents: list[str]

    def __init__(self) -> None:
        self.documents = []

    def __len__(self) -> int:
        return len(self.documents)

    def index(self, documents: Iterable[str]) -> None:
        """Make `documents` searchable, in place of any indexed before."""
        documents = check_texts(documents, "documents")
        self._index(documents)
        self.documents = documents

    def search(
        self, query: str | Iterable[str], *, top_k: int = 5, threshold: float | None = None
    ) -> list[SearchResult] | list[list[SearchResult]]:
        """Return the best `top_k` documents for one query, or a list of such lists for several:
        in descending order of score, equal scores in the order of indexing.

        Results that score below `threshold` are left out; the list may then be short or empty:
        the honest answer "nothing relevant here".

        Raises TypeError for a query that is no text; ValueError for an empty one, a `top_k` below
        1, or a `threshold` that is not a number.
        """
        top_k = check_whole("top_k", top_k)
        number = isinstance(threshold, int | float | np.number) and not math.isnan(threshold)
        if threshold is not None and not number:
            raise ValueError(f"threshold={threshold!r}: give a number, or None for no threshold")
        queries = [query] if isinstance(query, str) else query
        queries = check_texts(queries, "queries")
        if not all(text.strip() for text in queries):
            raise ValueError("the query is empty. Give a word or a sentence to search for")
        lowest = -math.inf if threshold is None else threshold
        found: list[list[SearchResult]] = [[] for _ in queries]
        if self.documents and queries:
            ranked = self._rank(queries, min(top_k, len(self.documents)))
            for results, (indices, scores) in zip(found, ranked, strict=True):
                for i, score in zip(indices.tolist(), scores.tolist(), strict=True):
                    if score >= lowest:
                        results.append(SearchResult(self.documents[i], score, i))
        return found[0] if isinstance(query, str) else found


class SemanticSearch(_Engine):
    """Search by meaning: cosine similarity of the query's vector and each document's.

    `model` is a model's name (see `helpers.models.load_model`) or a loaded `SentenceTransformer`.
    Documents are encoded once and kept (see `helpers.encoding.encode`), with a progress bar after a
    second. Their `vectors`: array, shape (documents, dimension), float32, each row of norm 1.
    """

    def __init__(self, model: str | SentenceTransformer) -> None:
        super().__init__()
        if isinstance(model, str):
            from helpers.models import load_model

            model = load_model(model)
        if not hasattr(model, "encode"):
            what = f"model is a {type(model).__name__}"
            raise TypeError(f"{what}; give a model's name or a loaded SentenceTransformer")
        self.model = model
        self.vectors = np.empty((0, 0), dtype=np.float32)

    def _index(self, documents: list[str]) -> None:
        # A model that does not say who it is cannot be told from others in the cache.
        known = hasattr(self.model, "state_dict") or getattr(self.model, "cache_key", None)
        if documents:
            self.vectors = encode(documents, self.model, kind="document", cache=bool(known))
        else:
            self.vectors = self.vectors[:0]

    def _rank(self, queries: list[str], top_k: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        vectors = encode(queries, self.model, kind="query", cache=False, show_progress=False)
        return zip(*exact_top_k(vectors, self.vectors, top_k), strict=True)


class KeywordSearch(_Engine):
    """Search by words: BM25 (as in Lucene) over stemmed words without English stop words.

    A document that shares no word with the query is not a result, so that a list may be shorter
    than `top_k`, or empty. Scores are sums of word weights: they have no upper end and cannot be
    compared between queries.

    Words are those of `helpers.words.words_in` with two characters or more, and single digits. In
    scripts without spaces, pairs of neighbouring characters stand for words; a single character is
    found too. Names in camel case are found whole and by their parts. Case does not count, accents
    do ("cafe" does not find "café"); stems and stop words are those of English, in any language.
    Emoji are not found.

    `k1` says how soon repeated words stop counting, `b` how much long documents are held back.
    """

    def __init__(self, *, k1: float = 1.5, b: float = 0.75) -> None:
        super().__init__()
        import Stemmer

        self.k1, self.b = k1, b
        self._stemmer = Stemmer.Stemmer("english")
        self._bm25 = None

    def words(self, text: str) -> list[str]:
        """Return the stems by which `text` is looked for: ``"The ferries sail"`` gives ``["ferri",
        "sail"]``.
        """
        from bm25s.stopwords import STOPWORDS_EN

        words = []
        for word in words_in(text):
            parts = _CAMEL.split(word)
            words += [word, *parts] if len(parts) > 1 else [word]
        words = [lower(word).casefold() for word in words]
        long = [word for word in words if len(word) > 1 or word.isdigit() or is_unspaced(word)]
        return self._stemmer.stemWords([word for word in long if word not in STOPWORDS_EN])

    def _index(self, documents: list[str]) -> None:
        import bm25s

        words = [
            self.words(text) + [c for word in words_in(text) if is_unspaced(word) for c in word]
            for text in documents
        ]
        self._bm25 = None
        if any(words):
            self._bm25 = bm25s.BM25(k1=self.k1, b=self.b, method="lucene")
            self._bm25.index(words, show_progress=False)

    def _rank(self, queries: list[str], top_k: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        known = self._bm25.vocab_dict if self._bm25 is not None else {}
        for query in queries:
            words = [word for word in self.words(query) if word in known]
            scores = self._bm25.get_scores(words) if words else np.zeros(0, dtype=np.float32)
            found = np.flatnonzero(scores > 0)
            best = found[top_k_indices(scores[found], top_k)]
            yield best, scores[best]


# --- several rankings of the same things made one


def reciprocal_rank_fusion(
    rankings: Sequence[Sequence[Item]], *, k: float = RRF_K
) -> list[tuple[Item, float]]:
    """Fuse rankings of the same things: each gives the thing at rank r (from 1) 1 / (k + r).

    Only ranks count, so that engines whose scores have nothing in common can be fused. A larger
    `k` lets the first places count for less. How long the rankings are counts too: what stands at
    rank 101 of one gets nothing when rankings are cut at 100.

    Each ranking is a sequence of ids, best first, no id twice: all whole numbers, or all strings.
    Returned are pairs (id, score) in descending order of score; equal scores in ascending order of
    id, so that the order of the rankings does not matter. Raises TypeError for anything but ids,
    ValueError for an id twice in a ranking or a negative `k`.

    References
    ----------
    G. V. Cormack, C. L. A. Clarke and S. Büttcher, "Reciprocal rank fusion outperforms Condorcet
    and individual rank learning methods", SIGIR 2009.
    """
    if not 0 <= k < math.inf:
        raise ValueError(f"k={k}: give 0 or more")
    ids = _check_ids(rankings)
    return _sum_up((item, 1 / (k + rank)) for r in ids for rank, item in enumerate(r, start=1))


def convex_combination(
    rankings: Sequence[Sequence[tuple[Item, float]]], weights: Sequence[float] | None = None
) -> list[tuple[Item, float]]:
    """Fuse rankings of the same things, pairs (id, score), by their scores: the weighted mean.

    The scores of each ranking are brought to 0 to 1 first: its lowest becomes 0, its highest 1
    (both 1 where they are equal). What a ranking does not hold gets 0 from it. So the scale
    depends on the query, and on where a ranking is cut off.

    `weights`: one for each ranking, not negative, with the sum 1; None: the same for all. Returned
    are pairs as from `reciprocal_rank_fusion`, scores from 0 to 1. Raises TypeError for anything
    but pairs; ValueError for an id twice, a score that is not finite, or other weights.

    References
    ----------
    S. Bruch, S. Gai and A. Ingber, "An analysis of fusion functions for hybrid retrieval", ACM
    TOIS 42(1), 2023.
    """
    given = [1 / max(1, len(rankings))] * len(rankings) if weights is None else list(weights)
    right = all(weight >= 0 for weight in given) and abs(sum(given) - 1) < 1e-6
    if len(given) != len(rankings) or (given and not right):
        needed = "give one for each, none negative, sum 1"
        raise ValueError(f"weights={given} for {len(rankings)} rankings: {needed}")
    for pair in (pair for ranking in rankings for pair in ranking):
        if not isinstance(pair, tuple) or len(pair) != 2:
            pairs = "[(result.index, result.score) for result in results]"
            raise TypeError(f"a ranking holds {_short(pair)}; give pairs of id and score: {pairs}")
        if not isinstance(pair[1], int | float | np.number) or not math.isfinite(pair[1]):
            raise ValueError(f"the score of {pair[0]!r} is {pair[1]!r}; give a finite number")
    ids = _check_ids([[item for item, _ in ranking] for ranking in rankings])
    weighted: list[tuple[Item, float]] = []
    for items, ranking, weight in zip(ids, rankings, given, strict=True):
        scores = np.array([score for _, score in ranking], dtype=float)
        span = np.ptp(scores) if len(scores) else 0
        scaled = (scores - scores.min()) / span if span else np.ones(len(scores))
        weighted += zip(items, (weight * scaled).tolist(), strict=True)
    return _sum_up(weighted)


def _sum_up(parts: Iterable[tuple[Item, float]]) -> list[tuple[Item, float]]:
    scores: dict[Item, list[float]] = {}
    for item, score in parts:
        scores.setdefault(item, []).append(score)
    # fsum: the same sum in whatever order the rankings come.
    fused = [(item, math.fsum(of_item)) for item, of_item in scores.items()]
    return sorted(fused, key=lambda entry: (-entry[1], entry[0]))


def _check_ids(rankings: Sequence[Sequence[Item]]) -> list[list[Item]]:
    """Return rankings of ids as lists, numbers as Python's own."""
    checked = []
    for ranking in rankings:
        if isinstance(ranking, str | Mapping | set | frozenset) or hasattr(ranking, "columns"):
            raise TypeError(f"a ranking is a {type(ranking).__name__}; give a list of ids")
        ids = [item.item() if isinstance(item, np.generic) else item for item in ranking]
        for item in ids:
            if isinstance(item, bool) or not isinstance(item, int | str):
                needed = "give ids, whole numbers or strings, best first"
                example = "[result.index for result in results]"
                raise TypeError(f"a ranking holds {_short(item)}; {needed}: {example}")
        if len(set(ids)) < len(ids):
            raise ValueError("a ranking holds an id twice; give each id once, at its best rank")
        checked.append(ids)
    if len({type(item) for ids in checked for item in ids}) > 1:
        raise TypeError("some ids are numbers and some are strings; 7 and '7' are never the same")
    return checked


def _short(value: object) -> str:
    text = repr(value)
    return f"a {type(value).__name__} ({text if len(text) < 60 else text[:57] + '…'})"
