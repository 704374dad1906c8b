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
import re
import shutil
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, overload

import numpy as np

from helpers.encoding import check_texts, encode
from helpers.exact import top_k as exact_top_k
from helpers.exact import top_k_indices
from helpers.fusion import RRF_K, check_weights, convex_combination, reciprocal_rank_fusion
from helpers.words import is_unspaced, lower, words_in

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

#: Where a word written in camel case is parted.
_CAMEL = re.compile(r"(?<=[a-z\d])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_FORMAT = 1
_FILES = {"engine.json", "documents.json", "vectors.npy", "fingerprint.npy"}


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
        Texts encoded at once. None: as many as suit their lengths.
    show_progress
        A progress bar while documents are encoded. None: after a second, in a terminal or a
        notebook.

    Attributes
    ----------
    vectors : array, shape (documents, dimension), float32, each row of norm 1
    """

    def __init__(
        self,
        model: str | SentenceTransformer,
        *,
        batch_size: int | None = None,
        show_progress: bool | None = None,
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

    def encode(self, texts: list[str], kind: Literal["query", "document"]) -> np.ndarray:
        """Return the vectors of `texts`: shape (texts, dimension), float32, norm 1 whatever the
        model. Documents are encoded once and kept (see `helpers.encoding.encode`).
        """
        if not texts:
            return np.empty((0, self.vectors.shape[1]), dtype=np.float32)
        known = hasattr(self.model, "state_dict") or getattr(self.model, "cache_key", None)
        return encode(
            texts,
            self.model,
            kind=kind,
            cache=kind == "document" and bool(known),
            batch_size=self.batch_size,
            show_progress=self.show_progress if kind == "document" else False,
        )

    def _replace(self, documents: list[str]) -> None:
        self.vectors = self.encode(documents, "document")
        self.documents = documents

    def add(self, documents: Iterable[str]) -> None:
        """Encode `documents` and make them searchable beside the others; those already indexed
        are not encoded again.
        """
        documents = check_texts(documents, "documents")
        if not self.documents:
            self._replace(documents)
        elif documents:
            self.vectors = np.vstack([self.vectors, self.encode(documents, "document")])
            self.documents = self.documents + documents

    def _rank(self, queries: list[str], top_k: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        yield from zip(
            *exact_top_k(self.encode(queries, "query"), self.vectors, top_k), strict=True
        )

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
        sentence = "A lighthouse keeper counts the ships that pass at night."
        return self.encode([sentence], "query")[0]

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

    Words are those of `helpers.words.words_in` with two characters or more, and single digits. In
    scripts without spaces, pairs of neighbouring characters stand for words; a single character is
    found too. Names in camel case are found whole and by their parts. Case does not count, accents
    do ("cafe" does not find "café"); stems and stop words are those of English, in any language.
    Emoji are not found.

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
        """Return the stems by which `text` is looked for: ``"The ferries sail"`` gives ``["ferri",
        "sail"]``.
        """
        from bm25s.stopwords import STOPWORDS_EN

        words = []
        for word in words_in(text):
            parts = _CAMEL.split(word)
            words += [word, *parts] if len(parts) > 1 else [word]
        words = [lower(word).casefold() for word in words]
        return self._stemmer.stemWords(
            [
                word
                for word in words
                if word not in STOPWORDS_EN
                and (len(word) > 1 or word.isdigit() or is_unspaced(word))
            ]
        )

    def _replace(self, documents: list[str]) -> None:
        import bm25s

        words = [
            self.words(text) + [c for word in words_in(text) if is_unspaced(word) for c in word]
            for text in documents
        ]
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
    """Several engines on the same documents, their rankings fused.

    Parameters
    ----------
    engines
        Such as ``[KeywordSearch(), SemanticSearch(model)]``. If they are indexed already, with
        the same documents, they are used as they are.
    fusion
        ``"rrf"`` counts ranks (`reciprocal_rank_fusion`), ``"convex"`` scores
        (`convex_combination`).
    weights
        Of the engines, for ``"convex"``. None: the same for all.
    depth
        How many results of each engine take part; `top_k` where that is more.
    k
        The constant of ``"rrf"``.
    """

    def __init__(
        self,
        engines: Sequence[SearchEngine],
        *,
        fusion: Literal["rrf", "convex"] = "rrf",
        weights: Sequence[float] | None = None,
        depth: int = 100,
        k: int = RRF_K,
    ) -> None:
        super().__init__()
        if not engines:
            raise ValueError("engines is empty; give one engine or more")
        if any(engine.documents != engines[0].documents for engine in engines):
            raise ValueError(
                "the engines hold different documents; index them all with the same list"
            )
        if fusion not in ("rrf", "convex"):
            raise ValueError(f"fusion={fusion!r}: give 'rrf' or 'convex'")
        if weights is not None and fusion == "rrf":
            raise ValueError("weights are for fusion='convex'; leave them out, or choose it")
        if depth < 1:
            raise ValueError(f"depth={depth}: give a whole number from 1 up")
        self.engines, self.fusion, self.depth, self.k = list(engines), fusion, depth, k
        self.weights = check_weights(weights, len(engines))
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
            if self.fusion == "rrf":
                ids = [[result.index for result in ranking] for ranking in rankings]
                fused = reciprocal_rank_fusion(ids, k=self.k)[:top_k]
            else:
                pairs = [[(result.index, result.score) for result in r] for r in rankings]
                fused = convex_combination(pairs, self.weights)[:top_k]
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
