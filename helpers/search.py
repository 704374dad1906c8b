"""Search engines with one interface: by meaning, by keyword, and both fused.

>>> engine = SemanticSearch("all-MiniLM-L6-v2")
>>> engine.index(["The ferry is late.", "Bread rises overnight."])
>>> engine.search("delayed boat", top_k=1)
[SearchResult(document='The ferry is late.', score=0.58, index=0)]

`SemanticSearch`, `KeywordSearch` and `HybridSearch` share ``index``, ``add``, ``search``,
``save`` and ``load``. A query is a string and gives a list of results in descending order of
score; several queries are a list of strings and give a list of such lists.
"""

from __future__ import annotations

import json
import math
import shutil
import uuid
from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, overload

import numpy as np

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

#: Scores held in memory at once, however many queries and documents there are: 16 million
#: float32, 64 MB.
SCORES_IN_MEMORY = 16_000_000
#: The constant of reciprocal rank fusion in its first publication (Cormack, Clarke and Büttcher,
#: 2009).
RRF_K = 60
#: What counts as a word for BM25: two letters or more, or a single digit ("bus 7", "3-1").
WORD_PATTERN = r"(?u)\b\w\w+\b|\b\d\b"
_FORMAT = 1
_FILES = {"engine.json", "documents.json", "vectors.npy", "fingerprint.npy"}

Item = TypeVar("Item", bound=Hashable)


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


class SearchEngine(ABC):
    """What all engines share: documents, checked arguments, and the choice of the best."""

    def __init__(self) -> None:
        self.documents: list[str] = []

    def __len__(self) -> int:
        return len(self.documents)

    def index(self, documents: Iterable[str]) -> None:
        """Make `documents` searchable, in place of any indexed before."""
        self._replace(check_texts(documents, "documents"))

    @abstractmethod
    def add(self, documents: Iterable[str]) -> None:
        """Make `documents` searchable beside those that are; their indices go on from
        ``len(engine)``.
        """

    @abstractmethod
    def _replace(self, documents: list[str]) -> None:
        """Index checked documents."""

    @abstractmethod
    def _rank(self, queries: list[str], top_k: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield, for each query, the indices and scores of the best `top_k` documents, best
        first.
        """

    @overload
    def search(
        self, query: str, *, top_k: int = 5, threshold: float | None = None
    ) -> list[SearchResult]: ...
    @overload
    def search(
        self, query: Iterable[str], *, top_k: int = 5, threshold: float | None = None
    ) -> list[list[SearchResult]]: ...
    def search(self, query, *, top_k=5, threshold=None):
        """Return the best documents for one query, or for each of several.

        Parameters
        ----------
        query
            A string, or a list of strings.
        top_k
            The most results for one query.
        threshold
            Leave out results that score below this; the list may then be short or empty: the
            honest answer "nothing relevant here".

        Returns
        -------
        list of SearchResult, or a list of such lists
            In descending order of score; equal scores in the order of indexing.

        Raises
        ------
        ValueError
            For an empty query, a `top_k` below 1, or a `threshold` that is not a number.
        TypeError
            For a query that is no text.
        """
        if isinstance(top_k, bool) or not isinstance(top_k, int | np.integer) or top_k < 1:
            raise ValueError(f"top_k={top_k!r}: give a whole number from 1 up")
        if threshold is not None and (
            not isinstance(threshold, int | float | np.number) or math.isnan(threshold)
        ):
            raise ValueError(f"threshold={threshold!r}: give a number, or None for no threshold")
        single = isinstance(query, str)
        queries = [query] if single else check_texts(query, "queries")
        for text in queries:
            if not text.strip():
                raise ValueError("the query is empty. Give a word or a sentence to search for")
        found = self._search(queries, int(top_k), threshold)
        return found[0] if single else found

    def _search(
        self, queries: list[str], top_k: int, threshold: float | None
    ) -> list[list[SearchResult]]:
        if not self.documents or not queries:
            return [[] for _ in queries]
        lowest = -math.inf if threshold is None else threshold
        return [
            [
                SearchResult(self.documents[i], float(score), int(i))
                for i, score in zip(indices, scores, strict=True)
                if score >= lowest
            ]
            for indices, scores in self._rank(queries, min(top_k, len(self.documents)))
        ]

    def save(self, folder: str | Path) -> Path:
        """Write the engine to `folder`, in place of one saved there before, and return the folder.

        Everything is written beside it first and put in place at the end: a save that fails
        leaves an older one untouched.

        Raises
        ------
        FileExistsError
            When `folder` is there and holds something other than a saved engine.
        """
        folder = Path(folder)
        if folder.exists() and not _holds_engine_or_nothing(folder):
            raise FileExistsError(
                f"{folder} holds something other than a saved search engine; choose another folder"
            )
        folder.parent.mkdir(parents=True, exist_ok=True)
        workshop = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}")
        workshop.mkdir()
        try:
            self._write(workshop)
            _put_in_place(workshop, folder)
        finally:
            shutil.rmtree(workshop, ignore_errors=True)
        return folder

    def _write(self, folder: Path) -> None:
        settings = {
            "format": _FORMAT,
            "engine": type(self).__name__,
            "documents": len(self.documents),
        } | self._settings()
        (folder / "documents.json").write_text(
            json.dumps(self.documents, ensure_ascii=False), encoding="utf-8"
        )
        (folder / "engine.json").write_text(json.dumps(settings, indent=2), encoding="utf-8")

    def _settings(self) -> dict:
        return {}

    @classmethod
    def _read(cls, folder: str | Path) -> tuple[dict, list[str]]:
        """Return the settings and documents of an engine of this class saved in `folder`."""
        folder = Path(folder)
        try:
            settings = json.loads((folder / "engine.json").read_text(encoding="utf-8"))
            documents = json.loads((folder / "documents.json").read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            missing = Path(error.filename).name
            raise FileNotFoundError(
                f"{folder} holds no saved search engine (no {missing}). Make one with engine.save(folder)"
            ) from error
        except ValueError as error:
            raise _damaged(folder, str(error)) from error
        if not isinstance(settings, dict) or not isinstance(documents, list):
            raise _damaged(folder, "its files do not describe an engine")
        if settings.get("format") != _FORMAT or settings.get("engine") != cls.__name__:
            found = f"a {settings.get('engine')} of format {settings.get('format')}"
            raise ValueError(f"{folder} holds {found}; this is {cls.__name__}, format {_FORMAT}")
        if settings.get("documents") != len(documents):
            raise _damaged(
                folder, f"{settings.get('documents')} documents expected, {len(documents)} found"
            )
        return settings, documents


class SemanticSearch(SearchEngine):
    """Search by meaning: cosine similarity between the vector of the query and the vector of each
    document.

    Parameters
    ----------
    model
        A model's name (see `helpers.models.load_model`) or a loaded `SentenceTransformer`.
    batch_size
        Texts encoded at once.
    show_progress
        Show a progress bar while documents are encoded.

    Attributes
    ----------
    vectors : array, shape (documents, dimension), float32, each row of norm 1
    """

    def __init__(
        self, model: str | SentenceTransformer, *, batch_size: int = 32, show_progress: bool = False
    ) -> None:
        super().__init__()
        if isinstance(model, str):
            from helpers.models import load_model

            self.model_name: str | None = model
            self.model = load_model(model)
        elif hasattr(model, "encode"):
            self.model_name = None
            self.model = model
        else:
            raise TypeError(
                f"model is a {type(model).__name__}; give a model's name or a loaded SentenceTransformer"
            )
        self.batch_size = batch_size
        self.show_progress = show_progress
        self.vectors = np.empty((0, 0), dtype=np.float32)

    def encode(self, texts: list[str]) -> np.ndarray:
        """Return the vectors of `texts`: shape (texts, dimension), float32, norm 1 whatever the
        model.
        """
        if not texts:
            return np.empty((0, self.vectors.shape[1]), dtype=np.float32)
        vectors = self.model.encode(
            texts,
            batch_size=self.batch_size,
            normalize_embeddings=True,
            show_progress_bar=self.show_progress,
        )
        vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        if not np.isfinite(vectors).all():
            broken = int(np.flatnonzero(~np.isfinite(vectors).all(axis=1))[0])
            raise ValueError(
                f"the model gave NaN or infinity for {texts[broken][:40]!r}: it is not finite, and cannot be compared"
            )
        return vectors

    def _replace(self, documents: list[str]) -> None:
        self.vectors = self.encode(documents)
        self.documents = documents

    def add(self, documents: Iterable[str]) -> None:
        """Encode `documents` and make them searchable beside the others; those already indexed
        are not encoded again.
        """
        documents = check_texts(documents, "documents")
        if not self.documents:
            self._replace(documents)
        elif documents:
            self.vectors = np.vstack([self.vectors, self.encode(documents)])
            self.documents = self.documents + documents

    def _rank(self, queries: list[str], top_k: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        query_vectors = self.encode(queries)
        step = max(1, SCORES_IN_MEMORY // len(self.documents))
        for start in range(0, len(queries), step):
            for scores in query_vectors[start : start + step] @ self.vectors.T:
                best = top_k_indices(scores, top_k)
                yield best, scores[best]

    def _write(self, folder: Path) -> None:
        super()._write(folder)
        np.save(folder / "vectors.npy", self.vectors)
        np.save(folder / "fingerprint.npy", self._fingerprint())

    def _settings(self) -> dict:
        return {"model": self.model_name}

    def _fingerprint(self) -> np.ndarray:
        """Return the vector of one fixed sentence. It tells models apart better than their names
        do.
        """
        return self.encode(["A lighthouse keeper counts the ships that pass at night."])[0]

    @classmethod
    def load(
        cls, folder: str | Path, model: str | SentenceTransformer | None = None
    ) -> SemanticSearch:
        """Return the engine saved in `folder`. Nothing is encoded again.

        Parameters
        ----------
        folder
            Where `save` put it.
        model
            The model it was indexed with: a name or a loaded model. None: the name that was saved
            with it.

        Raises
        ------
        FileNotFoundError
            When there is no saved engine.
        ValueError
            When it is damaged, or was indexed with another model: vectors of different models
            cannot be compared.
        """
        settings, documents = cls._read(folder)
        if model is None and settings["model"] is None:
            raise ValueError(
                f"{folder} was saved from a loaded model, whose name is not known. "
                "Give the model: SemanticSearch.load(folder, model)"
            )
        engine = cls(model if model is not None else settings["model"])
        vectors, fingerprint = (
            _load_array(Path(folder), name) for name in ("vectors.npy", "fingerprint.npy")
        )
        if (
            vectors.ndim != 2
            or fingerprint.ndim != 1
            or (documents and vectors.shape[1] != len(fingerprint))
        ):
            raise _damaged(
                folder,
                f"vectors of shape {vectors.shape} do not belong to a fingerprint of shape {fingerprint.shape}",
            )
        if len(vectors) != len(documents):
            raise _damaged(folder, f"{len(documents)} documents, {len(vectors)} vectors")
        mine = engine._fingerprint()
        if mine.shape != fingerprint.shape or float(mine @ fingerprint) < 0.999:
            raise ValueError(
                f"{folder} was indexed with another model ({settings['model'] or 'name unknown'}, dimension {len(fingerprint)}). "
                "Load it with that one, or index the documents again"
            )
        engine.documents, engine.vectors = documents, vectors
        return engine


class KeywordSearch(SearchEngine):
    """Search by words: BM25 (as in Lucene) over stemmed words without English stop words.

    A document that shares no word with the query is not a result, so that a list may be shorter
    than `top_k`, or empty. Scores are sums of word weights: they have no upper end and cannot be
    compared between queries.

    Parameters
    ----------
    k1, b
        How soon repeated words stop counting, and how much long documents are held back.
    """

    def __init__(self, *, k1: float = 1.5, b: float = 0.75) -> None:
        super().__init__()
        import Stemmer

        self.k1, self.b = k1, b
        self._stemmer = Stemmer.Stemmer("english")
        self._bm25 = None

    def words(self, text: str) -> list[str]:
        """Return the stems by which `text` is found: ``"The ferries sail"`` gives ``["ferri",
        "sail"]``.
        """
        import bm25s

        return bm25s.tokenize(
            [text],
            token_pattern=WORD_PATTERN,
            stopwords="en",
            stemmer=self._stemmer,
            return_ids=False,
            show_progress=False,
        )[0]

    def _replace(self, documents: list[str]) -> None:
        import bm25s

        words = [self.words(document) for document in documents]
        self._bm25 = None
        if any(words):
            self._bm25 = bm25s.BM25(k1=self.k1, b=self.b, method="lucene")
            self._bm25.index(words, show_progress=False)
        self.documents = documents

    def add(self, documents: Iterable[str]) -> None:
        """Make `documents` searchable beside the others. All are counted again: each word's
        weight depends on how many documents have it.
        """
        self._replace(self.documents + check_texts(documents, "documents"))

    def _rank(self, queries: list[str], top_k: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for query in queries:
            words = [
                word
                for word in self.words(query)
                if self._bm25 is not None and word in self._bm25.vocab_dict
            ]
            scores = (
                self._bm25.get_scores(words)
                if words
                else np.zeros(len(self.documents), dtype=np.float32)
            )
            best = top_k_indices(scores, top_k)
            best = best[scores[best] > 0]
            yield best, scores[best]

    def _settings(self) -> dict:
        return {"k1": self.k1, "b": self.b}

    @classmethod
    def load(cls, folder: str | Path) -> KeywordSearch:
        """Return the engine saved in `folder`; its documents are counted again, which is quick."""
        settings, documents = cls._read(folder)
        engine = cls(k1=settings["k1"], b=settings["b"])
        engine.index(documents)
        return engine


class HybridSearch(SearchEngine):
    """Several engines on the same documents, their rankings fused by reciprocal rank fusion.

    Parameters
    ----------
    engines
        Such as ``[KeywordSearch(), SemanticSearch(model)]``. If they are indexed already, with
        the same documents, they are used as they are.
    depth
        How many results of each engine take part.
    k
        The constant of the fusion; see `reciprocal_rank_fusion`.
    """

    def __init__(
        self, engines: Sequence[SearchEngine], *, depth: int = 100, k: int = RRF_K
    ) -> None:
        super().__init__()
        if not engines:
            raise ValueError("engines is empty; give one engine or more")
        if any(engine.documents != engines[0].documents for engine in engines):
            raise ValueError(
                "the engines hold different documents; index them all with the same list"
            )
        self.engines, self.depth, self.k = list(engines), depth, k
        self.documents = list(engines[0].documents)

    def _replace(self, documents: list[str]) -> None:
        for engine in self.engines:
            engine.index(documents)
        self.documents = documents

    def add(self, documents: Iterable[str]) -> None:
        """Make `documents` searchable in every engine."""
        documents = check_texts(documents, "documents")
        for engine in self.engines:
            engine.add(documents)
        self.documents = self.documents + documents

    def _rank(self, queries: list[str], top_k: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        if any(engine.documents != self.documents for engine in self.engines):
            raise ValueError(
                "the engines hold different documents now; index or add through the HybridSearch, not through one of its engines"
            )
        depth = max(self.depth, top_k)
        for rankings in zip(
            *(engine.search(queries, top_k=depth) for engine in self.engines), strict=True
        ):
            fused = reciprocal_rank_fusion(
                [[result.index for result in ranking] for ranking in rankings], k=self.k
            )[:top_k]
            yield (
                np.array([index for index, _ in fused], dtype=int),
                np.array([score for _, score in fused]),
            )

    def save(self, folder: str | Path) -> Path:
        """Not for hybrids: save the engines, each in its own folder, and fuse them again after
        loading.
        """
        raise NotImplementedError(
            "save each engine of a HybridSearch in a folder of its own, load them, and build the HybridSearch again"
        )


def top_k_indices(scores: np.ndarray, k: int) -> np.ndarray:
    """Return the indices of the `k` largest of `scores`, largest first; equal scores in ascending
    order of index.

    Only the `k` found are sorted: finding them takes time in proportion to ``len(scores)``.

    Parameters
    ----------
    scores : array, shape (n,)
    k : at least 1; a larger k than n gives all n
    """
    scores = np.asarray(scores)
    if scores.ndim != 1:
        raise ValueError(f"scores has shape {scores.shape}; give one row, of shape (n,)")
    if k < 1:
        raise ValueError(f"k={k}: give a whole number from 1 up")
    if k < len(scores):
        smallest = np.partition(scores, len(scores) - k)[len(scores) - k]
        above = np.flatnonzero(scores > smallest)
        level = np.flatnonzero(scores == smallest)[
            : k - len(above)
        ]  # of those that tie for the last places, the first ones
        candidates = np.concatenate([above, level])
    else:
        candidates = np.arange(len(scores))
    return candidates[np.lexsort((candidates, -scores[candidates]))]


def reciprocal_rank_fusion(
    rankings: Sequence[Sequence[Item]], *, k: int = RRF_K
) -> list[tuple[Item, float]]:
    """Fuse several rankings of the same things into one: each gives the thing at rank r (from 1)
    the score 1 / (k + r).

    Only ranks count, so that engines whose scores have nothing in common can be fused. A larger
    `k` lets the first places count for less.

    Parameters
    ----------
    rankings
        Each a sequence of ids, best first, no id twice.

    Returns
    -------
    list of (id, score)
        In descending order of score; equal scores in the order in which the ids first appear.

    Raises
    ------
    ValueError
        When a ranking holds an id twice, or `k` is negative.

    References
    ----------
    G. V. Cormack, C. L. A. Clarke and S. Büttcher, "Reciprocal rank fusion outperforms Condorcet
    and individual rank learning methods", SIGIR 2009.
    """
    if k < 0:
        raise ValueError(f"k={k}: give 0 or more")
    scores: dict[Item, float] = {}
    for ranking in rankings:
        if len(set(ranking)) < len(ranking):
            raise ValueError("a ranking holds an id twice; give each id once, at its best rank")
        for rank, item in enumerate(ranking, start=1):
            scores[item] = scores.get(item, 0.0) + 1 / (k + rank)
    return sorted(scores.items(), key=lambda entry: -entry[1])


def _holds_engine_or_nothing(folder: Path) -> bool:
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else {"a file"}
    return not names or ("engine.json" in names and names <= _FILES)


def _put_in_place(workshop: Path, folder: Path) -> None:
    """Give `workshop` the name `folder`; what had it is removed, or put back if that fails."""
    if not folder.exists():
        workshop.rename(folder)
        return
    old = workshop.with_name(workshop.name + ".old")
    folder.rename(old)
    try:
        workshop.rename(folder)
    except OSError:
        old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _load_array(folder: Path, name: str) -> np.ndarray:
    try:
        return np.load(folder / name, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise _damaged(folder, f"{name}: {error}") from error


def _damaged(folder: str | Path, why: str) -> ValueError:
    return ValueError(f"{folder} is damaged: {why}. Index the documents again and save the engine")


def check_texts(texts: Iterable[str], what: str) -> list[str]:
    """Return `texts` as a list of strings.

    Raises
    ------
    TypeError
        For one string instead of several, or for anything in it that is no string; the message
        names the first.
    """
    if isinstance(texts, str | bytes):
        raise TypeError(
            f"{what} is one {type(texts).__name__}; give a list of strings: [{texts[:20]!r}, …]"
        )
    if hasattr(texts, "columns") or isinstance(texts, dict | set):
        raise TypeError(f"{what} is a {type(texts).__name__}; give a list of strings")
    try:
        texts = list(texts)
    except TypeError as error:
        raise TypeError(f"{what} is a {type(texts).__name__}; give a list of strings") from error
    for position, text in enumerate(texts):
        if isinstance(text, str) and any("\ud800" <= c <= "\udfff" for c in text):
            raise ValueError(f"{what}[{position}] holds half of a surrogate pair (half an emoji)")
        if not isinstance(text, str):
            raise TypeError(
                f"{what}[{position}] is a {type(text).__name__}, not a string. "
                "For records, give one of their fields: [r.text for r in records]"
            )
    return texts
