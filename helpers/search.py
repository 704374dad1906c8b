"""Search by meaning and by keyword; `helpers.fusion` makes one ranking of both.

>>> engine = SemanticSearch("all-MiniLM-L6-v2")
>>> engine.index(["The ferry is late.", "Bread rises overnight."])
>>> engine.search("delayed boat", top_k=1)
[SearchResult(document='The ferry is late.', score=0.58, index=0)]
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from helpers.arguments import check_texts, check_whole
from helpers.encoding import encode
from helpers.exact import top_k as exact_top_k
from helpers.exact import top_k_indices
from helpers.fusion import reciprocal_rank_fusion as reciprocal_rank_fusion
from helpers.words import is_unspaced, lower, words_in

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

#: Where a word written in camel case is parted.
_CAMEL = re.compile(r"(?<=[a-z\d])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


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
