"""FAISS indexes with checked arguments: build, search, measure, choose, save.

>>> index = ivf_index(vectors, nlist=81, nprobe=8)
>>> index.search(queries, k=10).ids.shape
(200, 10)

FAISS asserts where it should explain: a matrix of the wrong width ends in an empty
``AssertionError``, vectors that are not normalised are searched without a word. Here every argument
is checked first. The indexes themselves are FAISS's own (`VectorIndex.faiss`).
"""

from __future__ import annotations

import hashlib
import json
import math
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any, Literal

import numpy as np

from helpers.cache import replacing
from helpers.exact import load_faiss, threads_pinned, top_k
from helpers.timing import time_in_turn

Metric = Literal["cosine", "inner product", "l2"]
METRICS = ("cosine", "inner product", "l2")
#: What FAISS's k-means wants for each centroid; with fewer points it trains all the same, and warns.
POINTS_PER_CELL = 39
SEED = 1234

_MAGIC = b"search-by-meaning index 2\n"
_NORM_TOLERANCE = 1e-3
#: Of a vector's norm: by how much each number may differ in vectors that count as equal.
_EQUAL = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """What a search found, one row for each query, best first.

    Attributes
    ----------
    ids : array, shape (queries, k), int64; -1 where fewer than k were found
    scores : array, shape (queries, k), float32
        Inner products (larger is better; the cosine for unit vectors) or squared Euclidean distances (smaller is better).
        Where the id is -1: minus or plus infinity.
    """

    ids: np.ndarray
    scores: np.ndarray


class VectorIndex:
    """A FAISS index that knows what it is.

    Made by `flat_index`, `ivf_index`, `hnsw_index` or `load_index`.

    Attributes
    ----------
    kind : ``"flat"``, ``"ivf"`` or ``"hnsw"``
    metric : ``"cosine"``, ``"inner product"`` or ``"l2"``
    settings : what it was built with, such as ``{"nlist": 81, "nprobe": 8}``
    faiss : the FAISS index itself
    copies : lists of ids whose vectors are equal, where the FAISS index holds only the first
    """

    def __init__(
        self,
        kind: str,
        metric: Metric,
        settings: dict[str, int],
        index: Any,
        copies: list[list[int]] | None = None,
    ) -> None:
        self.kind, self.metric, self.settings, self.faiss = kind, metric, settings, index
        self.copies = copies or []

    def __len__(self) -> int:
        return self.faiss.ntotal + sum(len(group) - 1 for group in self.copies)

    def __repr__(self) -> str:
        settings = "".join(f", {name}={value}" for name, value in self.settings.items())
        return f"VectorIndex({self.kind}, {self.metric}, {len(self):,} vectors of {self.dimension}{settings})"

    @property
    def dimension(self) -> int:
        """Numbers in one vector."""
        return self.faiss.d

    @property
    def nbytes(self) -> int:
        """Bytes of the index when written down: vectors, ids, and what it needs to find its way."""
        copies = 8 * sum(map(len, self.copies))
        return load_faiss().serialize_index(self.faiss).nbytes + copies

    def search(self, queries: np.ndarray, k: int, *, nprobe: int | None = None) -> Neighbours:
        """Return the `k` nearest vectors to each query.

        Parameters
        ----------
        queries : array, shape (queries, dimension), float32; of norm 1 where the metric is ``"cosine"``
        k
            At least 1. More than the index holds, or than an IVF's cells hold: the rows end with id -1.
        nprobe
            For an IVF: how many cells to look into, for this call only. None: as it was built.

        Raises
        ------
        TypeError, ValueError
            For queries of another shape, type or norm, a `k` below 1, an `nprobe` out of range or
            for an index without cells.
        """
        queries = self._check_queries(queries)
        k = _check_whole("k", k, 1)
        parameters = None if nprobe is None else self._parameters(nprobe)
        if self.kind == "flat" and self.metric != "l2":
            return self._padded(*self._exact(queries, min(k, len(self))), k)
        scores, ids = self.faiss.search(queries, min(k, self.faiss.ntotal), params=parameters)
        return self._padded(
            *(self._with_copies(ids, scores, k) if self.copies else (ids, scores)), k
        )

    def _exact(self, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Search FAISS's own copy of the vectors, where it stands in memory."""
        faiss = load_faiss()
        start = faiss.downcast_index(self.faiss.index).get_xb()
        vectors = faiss.rev_swig_ptr(start, len(self) * self.dimension)
        places, scores = top_k(queries, vectors.reshape(len(self), self.dimension), k)
        own = faiss.rev_swig_ptr(self.faiss.id_map.data(), len(self))
        return own[places], scores

    def _with_copies(self, ids, scores, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Put in, behind each vector found, those that equal it, and keep the first `k`."""
        equal = {group[0]: group for group in self.copies}
        shape = len(ids), min(k, len(self))
        all_ids, all_scores = np.full(shape, -1), np.zeros(shape, dtype=np.float32)
        for row, (found, its_scores) in enumerate(zip(ids.tolist(), scores.tolist(), strict=True)):
            groups = (
                [(own, score) for own in islice(equal.get(id_, [id_]), k)]
                for id_, score in zip(found, its_scores, strict=True)
            )
            for place, (own, score) in enumerate(islice(chain.from_iterable(groups), shape[1])):
                all_ids[row, place], all_scores[row, place] = own, score
        return all_ids, all_scores

    def _padded(self, ids: np.ndarray, scores: np.ndarray, k: int) -> Neighbours:
        """Fill rows up to `k` with id -1, and give these the worst score."""
        missing = ((0, 0), (0, k - ids.shape[1]))
        ids, scores = np.pad(ids, missing, constant_values=-1), np.pad(scores, missing)
        scores[ids == -1] = np.inf if self.metric == "l2" else -np.inf
        return Neighbours(ids, scores)

    def _check_queries(self, queries: np.ndarray) -> np.ndarray:
        return _check_matrix(queries, "queries", self.metric, self.dimension)

    def _parameters(self, nprobe: int):
        if self.kind != "ivf":
            raise ValueError(
                f"nprobe={nprobe} was given, but a {self.kind} index has no cells. "
                "Leave nprobe out, or build the index with ivf_index"
            )
        return load_faiss().SearchParametersIVF(
            nprobe=_check_whole("nprobe", nprobe, 1, self.settings["nlist"])
        )


def flat_index(
    vectors: np.ndarray, ids: Iterable[int] | None = None, *, metric: Metric = "cosine"
) -> VectorIndex:
    """Return an exact index: every query is compared with every vector.

    For the cosine and the inner product, a search takes hardly longer than the matrix product of
    queries and vectors; equal scores come in the order of `vectors`. For L2, FAISS searches.

    Parameters
    ----------
    vectors : array, shape (n, dimension), float32
        Copied. Of norm 1 where `metric` is ``"cosine"``.
    ids
        Your own ids: n different whole numbers from 0 up. None: 0 to n - 1.
    metric
        ``"cosine"`` refuses vectors that are not normalised; ``"inner product"`` takes any; ``"l2"`` is the squared
        Euclidean distance.

    Raises
    ------
    TypeError, ValueError
        With what was given, what is expected, and what to do.
    """
    vectors, ids, measure = _check(vectors, ids, metric)
    index = load_faiss().IndexIDMap2(load_faiss().IndexFlat(vectors.shape[1], measure))
    index.add_with_ids(vectors, ids)
    return VectorIndex("flat", metric, {}, index)


def ivf_index(
    vectors: np.ndarray,
    ids: Iterable[int] | None = None,
    *,
    metric: Metric = "cosine",
    nlist: int | None = None,
    nprobe: int = 8,
    seed: int = SEED,
) -> VectorIndex:
    """Return an inverted file: k-means cuts the space into `nlist` cells, and a search looks into the `nprobe` nearest of them.

    Parameters
    ----------
    vectors, ids, metric
        As in `flat_index`. The cells are learned from these vectors.
    nlist
        Number of cells, at most n. None: the square root of n, or fewer where that would leave less than 39 vectors a cell.
    nprobe
        Cells to look into unless `search` is told otherwise; at most `nlist`. With all of them the search is exact.
    seed
        Of the k-means.

    Warns
    -----
    UserWarning
        When a cell has fewer than 39 vectors on average: too few for FAISS's taste. Measure with
        `sweep_nprobe` whether it matters.

    References
    ----------
    J. Sivic and A. Zisserman, "Video Google: a text retrieval approach to object matching in videos", ICCV 2003.
    """
    vectors, ids, measure = _check(vectors, ids, metric)
    n, dimension = vectors.shape
    if nlist is None:
        nlist = max(1, min(round(math.sqrt(n)), n // POINTS_PER_CELL))
        nprobe = min(nprobe, nlist) if isinstance(nprobe, int) else nprobe
    nlist = _check_whole("nlist", nlist, 1, n, "there are not more vectors")
    nprobe = _check_whole("nprobe", nprobe, 1, nlist, "there are not more cells")
    if nlist > 1 and n < POINTS_PER_CELL * nlist:
        warnings.warn(
            f"nlist={nlist} leaves {n / nlist:.0f} vectors a cell; FAISS asks for {POINTS_PER_CELL} "
            f"or more, here nlist={max(1, n // POINTS_PER_CELL)} or less. "
            "Measure both with sweep_nprobe",
            stacklevel=2,
        )
    faiss = load_faiss()
    index = faiss.IndexIVFFlat(faiss.IndexFlat(dimension, measure), dimension, nlist, measure)
    index.cp.seed = seed
    index.cp.min_points_per_centroid = 1  # our warning above says it, in Python
    index.nprobe = nprobe
    index.train(vectors)
    index.add_with_ids(vectors, ids)
    return VectorIndex("ivf", metric, {"nlist": nlist, "nprobe": nprobe}, index)


def hnsw_index(
    vectors: np.ndarray,
    ids: Iterable[int] | None = None,
    *,
    metric: Metric = "cosine",
    links: int = 32,
    ef_construction: int = 80,
    ef_search: int = 64,
) -> VectorIndex:
    """Return a graph index (hierarchical navigable small world): a search walks from vector to
    nearer vector.

    Equal vectors stand in the graph once, and a search gives the ids of all of them: in a graph, a
    hundred copies are one another's nearest neighbours, and no way leads out to the rest. Equal
    means up to a millionth of the norm in each number. Copies that differ by more (a thousandth of
    the norm in all) did not hide others among 100, and hid one in five among 1,000 copies and 10
    others: leave near-duplicates out, or search exactly where there are many.

    With more than one thread the graph differs a little from run to run. Vectors cannot be removed
    from it.

    Parameters
    ----------
    vectors, ids, metric
        As in `flat_index`.
    links
        Neighbours that each vector is linked with; twice as many on the lowest level.
    ef_construction, ef_search
        Candidates kept while building and while searching: more find more, and take longer.

    References
    ----------
    Y. Malkov and D. Yashunin, "Efficient and robust approximate nearest neighbor search using Hierarchical
    Navigable Small World graphs", IEEE TPAMI 42(4), 2020.
    """
    vectors, ids, measure = _check(vectors, ids, metric)
    settings = {
        "links": _check_whole("links", links, 2),
        "ef_construction": _check_whole("ef_construction", ef_construction, 1),
        "ef_search": _check_whole("ef_search", ef_search, 1),
    }
    groups = _equal(vectors)
    first = [group[0] for group in groups]
    graph = load_faiss().IndexHNSWFlat(vectors.shape[1], links, measure)
    graph.hnsw.efConstruction, graph.hnsw.efSearch = ef_construction, ef_search
    index = load_faiss().IndexIDMap2(graph)
    index.add_with_ids(vectors[first], ids[first])
    copies = [ids[group].tolist() for group in groups if len(group) > 1]
    return VectorIndex("hnsw", metric, settings, index, copies)


def recall_at_k(exact: np.ndarray, approximate: np.ndarray) -> float:
    """Return which share of the true nearest neighbours was found, from 0 to 1.

    Parameters
    ----------
    exact : array of ids, shape (queries, k)
        What an exact search finds; -1 where there are fewer than k (these do not count).
    approximate : array of ids, shape (queries, k)
        What the other search finds, in any order; -1 counts as not found.

    Raises
    ------
    TypeError, ValueError
        When the shapes differ, the ids are no whole numbers, or `exact` holds no id at all or one twice for a query.
    """
    exact, approximate = (
        _check_ids_found(exact, "exact"),
        _check_ids_found(approximate, "approximate"),
    )
    if exact.shape != approximate.shape:
        raise ValueError(
            f"exact has shape {exact.shape}, approximate {approximate.shape}; give the ids of the same queries and the same k"
        )
    true = exact != -1
    if not true.any():
        raise ValueError(
            f"exact has shape {exact.shape} and holds no id but -1: there is nothing to be found. "
            "Search with an index that holds vectors"
        )
    ordered = np.sort(exact, axis=1)
    if ((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] != -1)).any():
        raise ValueError(
            "exact holds an id twice for one query; give each neighbour once. Are the index's ids unique?"
        )
    found = sum(
        int(np.isin(right[right != -1], given).sum())
        for right, given in zip(exact, approximate, strict=True)
    )
    return found / int(true.sum())


@dataclass(frozen=True, slots=True)
class SweepPoint:
    """What one setting of an inverted file costs, and what it finds.

    Attributes
    ----------
    nprobe : cells looked into
    recall : share of the true neighbours found
    seconds : time for one query, a low quantile of the rounds
    fraction : mean share of the vectors that a query was compared with
    threads : with how many threads this was measured
    batch : how many queries were handed over at a time
    """

    nprobe: int
    recall: float
    seconds: float
    fraction: float
    threads: int
    batch: int


def sweep_nprobe(
    index: VectorIndex,
    queries: np.ndarray,
    exact: np.ndarray,
    nprobes: Iterable[int] | None = None,
    *,
    repeats: int = 5,
    threads: int = 1,
    batch: int | None = None,
) -> list[SweepPoint]:
    """Measure recall, time and share of vectors scanned of an inverted file, for each `nprobe`.

    All nprobes are timed in turn, round by round (`helpers.timing.time_in_turn`), so that a busy
    while slows all of them and no single one. The index's own nprobe is not changed.

    Parameters
    ----------
    index
        Made by `ivf_index`.
    queries : array, shape (queries, dimension), float32
    exact : array of ids, shape (queries, k)
        What an exact search finds for these queries, with the same ids. Its width is the k searched for.
    nprobes
        None: 1 to nlist, each.
    repeats
        Rounds, after one that warms up.
    threads
        For FAISS and the linear algebra below it while this runs. On macOS always 1.
    batch
        Queries handed over at a time. 1 is what a single user waits for; None, all at once, is what a job over many queries pays.

    Returns
    -------
    list of SweepPoint
        In ascending order of nprobe.
    """
    if index.kind != "ivf":
        raise ValueError(
            f"the index is {index.kind}; only an inverted file has an nprobe to sweep. Build it with ivf_index"
        )
    queries = index._check_queries(queries)
    exact = _check_ids_found(exact, "exact")
    if len(exact) != len(queries):
        raise ValueError(
            f"{len(queries)} queries and {len(exact)} rows of exact ids were given; "
            "search the same queries with a flat index of the same ids"
        )
    nlist, k = index.settings["nlist"], exact.shape[1]
    chosen = (
        range(1, nlist + 1)
        if nprobes is None
        else sorted({_check_whole("nprobe", nprobe, 1, nlist) for nprobe in nprobes})
    )
    repeats, threads = _check_whole("repeats", repeats, 1), _check_whole("threads", threads, 1)
    batch = len(queries) if batch is None else _check_whole("batch", batch, 1)
    scanned = _scanned(index, queries)

    def run(nprobe):
        parameters = index._parameters(nprobe)
        for start in range(0, len(queries), batch):
            index.faiss.search(queries[start : start + batch], k, params=parameters)

    with threads_pinned(threads) as pinned:
        recalls = [recall_at_k(exact, index.search(queries, k, nprobe=n).ids) for n in chosen]
        # The searches above have warmed up. Threads that spin after a search would slow the next.
        rest = 0.0 if pinned == 1 else 0.02
        contestants = {str(nprobe): partial(run, nprobe) for nprobe in chosen}
        timings = time_in_turn(contestants, repeats, warm_up=False, rest=rest)
    return [
        SweepPoint(
            nprobe,
            recall,
            timings[str(nprobe)].seconds / len(queries),
            float(scanned[nprobe - 1]),
            pinned,
            min(batch, len(queries)),
        )
        for nprobe, recall in zip(chosen, recalls, strict=True)
    ]


def choose_nprobe(points: Iterable[SweepPoint], target: float) -> int | None:
    """Return the smallest nprobe of `points` whose recall reaches `target`; None when none does.

    Chosen on some queries, it holds for others only as far as they are alike: test it on queries that had no part in the choice.
    """
    if (
        isinstance(target, bool)
        or not isinstance(target, int | float | np.number)
        or not 0 <= target <= 1
    ):
        raise ValueError(
            f"target={target!r}: give the recall to be reached, from 0 to 1, such as 0.95"
        )
    return min((point.nprobe for point in points if point.recall >= target), default=None)


def save_index(index: VectorIndex, path: str | Path) -> Path:
    """Write `index` with its metric, ids and settings to the file `path`, and return the path.

    The file is written beside it first and put in place at the end: a save that fails leaves an older one untouched.

    Raises
    ------
    FileExistsError
        When `path` is a folder, or a file that is no saved index.
    """
    path = Path(path)
    if path.is_dir() or (path.is_file() and not _is_ours(path)):
        raise FileExistsError(f"{path} is something other than a saved index; choose another name")
    names = ("kind", "metric", "settings", "copies")
    header = json.dumps({name: getattr(index, name) for name in names}).encode()
    content = header + b"\n" + load_faiss().serialize_index(index.faiss).tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary, temporary.open("wb") as file:
        file.write(_MAGIC + hashlib.sha256(content).hexdigest().encode() + b"\n")
        file.write(content)
    return path


def load_index(path: str | Path) -> VectorIndex:
    """Return the index that `save_index` wrote to `path`.

    The checksum finds accidents, not ill will: load only files that you would run.

    Raises
    ------
    FileNotFoundError
        When there is no such file.
    ValueError
        When it is something else, or damaged. FAISS itself never reads such a file.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"there is no saved index {path}. Make one with save_index(index, path)"
        )
    content = path.read_bytes()
    if not content.startswith(_MAGIC):
        raise ValueError(
            f"{path} was not written by save_index. A file of FAISS's own is read by faiss.read_index(str(path))"
        )
    checksum, _, content = content[len(_MAGIC) :].partition(b"\n")
    if hashlib.sha256(content).hexdigest().encode() != checksum:
        raise ValueError(
            f"{path} is damaged: {len(content):,} bytes whose checksum is not the one saved. "
            "Build the index again and save it"
        )
    header, _, body = content.partition(b"\n")
    return VectorIndex(
        index=load_faiss().deserialize_index(np.frombuffer(body, dtype=np.uint8)),
        **json.loads(header),
    )


def _check(
    vectors: np.ndarray, ids: Iterable[int] | None, metric: Metric
) -> tuple[np.ndarray, np.ndarray, int]:
    if metric not in METRICS:
        raise ValueError(f"metric={metric!r}: give one of {', '.join(map(repr, METRICS))}")
    vectors = _check_matrix(vectors, "vectors", metric)
    if not len(vectors):
        raise ValueError(f"vectors has shape {vectors.shape}: no rows. Give at least one vector")
    faiss = load_faiss()
    return (
        vectors,
        _check_ids(ids, len(vectors)),
        faiss.METRIC_L2 if metric == "l2" else faiss.METRIC_INNER_PRODUCT,
    )


def _check_matrix(
    vectors: np.ndarray, what: str, metric: Metric, dimension: int | None = None
) -> np.ndarray:
    """Return `vectors` as FAISS wants them: rows of float32, next to each other in memory."""
    if not isinstance(vectors, np.ndarray):
        raise TypeError(
            f"{what} is a {type(vectors).__name__}; give a NumPy array of shape (n, dimension): "
            f"np.asarray({what}, dtype=np.float32)"
        )
    if vectors.ndim != 2 or vectors.shape[1] == 0:
        hint = f". For a single vector, give {what}[None]" if vectors.ndim == 1 else ""
        raise ValueError(
            f"{what} has shape {vectors.shape}; one row for each vector is expected, shape (n, dimension){hint}"
        )
    if dimension is not None and vectors.shape[1] != dimension:
        raise ValueError(
            f"{what} has {vectors.shape[1]} columns, the index holds vectors of {dimension}. "
            "Encode queries and documents with the same model"
        )
    if vectors.dtype != np.float32:
        raise TypeError(
            f"{what} is {vectors.dtype}; FAISS calculates in float32. Give {what}.astype(np.float32)"
        )
    vectors = np.ascontiguousarray(vectors)
    squares = np.einsum("ij,ij->i", vectors, vectors)
    bad = np.flatnonzero(~np.isfinite(squares))
    if len(bad):
        long = np.isfinite(vectors[bad[0]]).all()
        wrong = "is too long for float32's products" if long else "holds a NaN or an infinity"
        raise ValueError(
            f"{what}[{bad[0]}] {wrong} ({len(bad)} such rows); "
            "leave such rows out, or find out where they come from"
        )
    if metric == "cosine":
        norms = np.sqrt(squares)
        bad = np.flatnonzero(np.abs(norms - 1) > _NORM_TOLERANCE)
        if len(bad):
            raise ValueError(
                f"{what}[{bad[0]}] has norm {norms[bad[0]]:.4g} ({len(bad)} of {len(vectors)} rows are not of norm 1); "
                "the cosine needs norm 1. "
                f"Encode with normalize_embeddings=True, divide by the norm, or choose metric='inner product' or 'l2'"
            )
    return vectors


def _check_ids(ids: Iterable[int] | None, n: int) -> np.ndarray:
    if ids is None:
        return np.arange(n)
    ids = np.asarray(ids if isinstance(ids, np.ndarray) else list(ids))
    if ids.shape != (n,):
        raise ValueError(f"ids has shape {ids.shape} for {n} vectors; give one id for each")
    if ids.dtype.kind not in "iu":
        raise TypeError(
            f"ids is {ids.dtype}; FAISS knows whole numbers only. Keep a table from numbers to names beside the index"
        )
    if ids.dtype.kind == "u" and ids.max() > np.iinfo(np.int64).max:
        raise ValueError(
            f"ids goes up to {ids.max()}; FAISS stores ids as int64, {np.iinfo(np.int64).max} at most"
        )
    if ids.min() < 0:
        raise ValueError(f"ids holds {ids.min()}; give numbers from 0 up: -1 means 'not found'")
    values, counts = np.unique(ids, return_counts=True)
    if len(values) < n:
        raise ValueError(
            f"the id {values[counts.argmax()]} stands {counts.max():,} times in ids; give each vector an id of its own. "
            "FAISS itself would not notice"
        )
    return ids.astype(np.int64)


def _check_ids_found(ids: np.ndarray, what: str) -> np.ndarray:
    ids = np.asarray(ids)
    if ids.ndim != 2 or ids.shape[1] == 0:
        raise ValueError(f"{what} has shape {ids.shape}; give ids of shape (queries, k)")
    if ids.dtype.kind not in "iu":
        raise TypeError(
            f"{what} is {ids.dtype}; give ids, which are whole numbers. FAISS's search returns the scores first, then the ids"
        )
    return ids.astype(np.int64)


def _check_whole(
    name: str, value: int, lowest: int, highest: int | None = None, why: str = ""
) -> int:
    if (
        isinstance(value, bool)
        or not isinstance(value, int | np.integer)
        or value < lowest
        or (highest is not None and value > highest)
    ):
        limits = f"from {lowest} up" if highest is None else f"from {lowest} to {highest}"
        raise ValueError(
            f"{name}={value!r}: give a whole number {limits}" + (f"; {why}" if why else "")
        )
    return int(value)


def _equal(vectors: np.ndarray) -> list[np.ndarray]:
    """Return the places of equal vectors together, in groups (most of one), in order of place.

    Sorted along a direction of chance, equal vectors are neighbours. Equal means up to `_EQUAL`: the
    same text encoded in other company differs in the seventh decimal.
    """
    direction = np.random.default_rng(SEED).normal(size=vectors.shape[1]).astype(np.float32)
    order = np.argsort(vectors @ direction, kind="stable")
    sorted_ = vectors[order]
    largest = np.abs(np.diff(sorted_, axis=0)).max(axis=1)
    new = largest > _EQUAL * np.linalg.norm(sorted_[1:], axis=1)
    groups = [np.sort(group) for group in np.split(order, np.flatnonzero(new) + 1)]
    return sorted(groups, key=lambda group: group[0])


def _scanned(index: VectorIndex, queries: np.ndarray) -> np.ndarray:
    """Return the mean share of vectors in a query's nearest 1, 2, … cells; shape (nlist,)."""
    nlist = index.settings["nlist"]
    sizes = np.array([index.faiss.invlists.list_size(cell) for cell in range(nlist)])
    _, cells = index.faiss.quantizer.search(queries, nlist)
    return sizes[cells].cumsum(axis=1).mean(axis=0) / len(index)


def _is_ours(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC
