"""FAISS indexes with checked arguments: build, search, measure, choose, save.

>>> index = ivf_index(vectors, nlist=81, nprobe=8)
>>> index.search(queries, k=10).ids.shape
(200, 10)

FAISS asserts where it should explain, and searches vectors that are not normalised without a word.
Here every argument is checked first: TypeError or ValueError say what was given, what is expected,
and what to do. The indexes themselves are FAISS's own (`VectorIndex.faiss`).
"""

from __future__ import annotations

import hashlib
import json
import math
import sys
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any, Literal

import numpy as np

from helpers.arguments import check_whole
from helpers.cache import replacing
from helpers.exact import load_faiss, top_k
from helpers.timing import time_in_turn

Metric = Literal["cosine", "inner product", "l2"]
METRICS = ("cosine", "inner product", "l2")
#: What FAISS's k-means wants for each centroid; with fewer points it trains, and warns.
POINTS_PER_CELL = 39
SEED = 1234

_MAGIC = b"search-by-meaning index 2\n"
_NORM_TOLERANCE = 1e-3
#: Of a vector's norm: by how much each number may differ in vectors that count as equal.
_EQUAL = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """What a search found, one row for each query, best first; both of shape (queries, k).

    Scores are inner products (larger is better; the cosine for unit vectors) or squared Euclidean
    distances (smaller is better). Where fewer than k were found, the id is -1, and the score minus
    or plus infinity.
    """

    ids: np.ndarray  # int64
    scores: np.ndarray  # float32


@dataclass(repr=False, eq=False)
class VectorIndex:
    """A FAISS index that knows what it is."""

    kind: str  # "flat", "ivf" or "hnsw"
    metric: Metric
    settings: dict[str, int]  # what it was built with, such as {"nlist": 81, "nprobe": 8}
    faiss: Any  # the FAISS index itself
    copies: list[list[int]] | tuple = ()  # ids of equal vectors; FAISS holds the first of each list

    def __len__(self) -> int:
        return self.faiss.ntotal + sum(len(group) - 1 for group in self.copies)

    def __repr__(self) -> str:
        settings = "".join(f", {name}={value}" for name, value in self.settings.items())
        size = f"{len(self):,} vectors of {self.faiss.d}"
        return f"VectorIndex({self.kind}, {self.metric}, {size}{settings})"

    def search(self, queries: np.ndarray, k: int, *, nprobe: int | None = None) -> Neighbours:
        """Return the `k` nearest vectors to each query.

        `queries`: shape (queries, dimension), float32; of norm 1 where the metric is the cosine.
        Where `k` is more than the index, or an IVF's cells, hold, the rows end with id -1.
        `nprobe`: for an IVF, how many cells to look into, for this call only.
        """
        queries = self._check_queries(queries)
        check_whole("k", k)
        parameters = None if nprobe is None else self._parameters(nprobe)
        if self.kind == "flat" and self.metric != "l2":
            ids, scores = self._exact(queries, min(k, len(self)))
        else:
            scores, ids = self.faiss.search(queries, min(k, self.faiss.ntotal), params=parameters)
        if self.copies:
            ids, scores = self._with_copies(ids, scores, min(k, len(self)))
        missing = ((0, 0), (0, k - ids.shape[1]))
        ids, scores = np.pad(ids, missing, constant_values=-1), np.pad(scores, missing)
        scores[ids == -1] = np.inf if self.metric == "l2" else -np.inf
        return Neighbours(ids, scores)

    def _exact(self, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Search FAISS's own copy of the vectors, where it stands in memory."""
        faiss, dimension = load_faiss(), self.faiss.d
        start = faiss.downcast_index(self.faiss.index).get_xb()
        vectors = faiss.rev_swig_ptr(start, len(self) * dimension)
        places, scores = top_k(queries, vectors.reshape(len(self), dimension), k)
        return faiss.rev_swig_ptr(self.faiss.id_map.data(), len(self))[places], scores

    def _with_copies(self, ids, scores, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Put in, behind each vector found, those that equal it, and keep the first `k`."""
        equal = {group[0]: group for group in self.copies}
        all_ids, all_scores = np.full((len(ids), k), -1), np.zeros((len(ids), k), np.float32)
        for row, (found, its_scores) in enumerate(zip(ids.tolist(), scores.tolist(), strict=True)):
            groups = (
                [(own, score) for own in islice(equal.get(id_, [id_]), k)]
                for id_, score in zip(found, its_scores, strict=True)
            )
            for place, (own, score) in enumerate(islice(chain.from_iterable(groups), k)):
                all_ids[row, place], all_scores[row, place] = own, score
        return all_ids, all_scores

    def _check_queries(self, queries: np.ndarray) -> np.ndarray:
        return _check_matrix(queries, "queries", self.metric, self.faiss.d)

    def _parameters(self, nprobe: int):
        if self.kind != "ivf":
            what = f"nprobe={nprobe} was given, but a {self.kind} index has no cells"
            raise ValueError(f"{what}. Leave nprobe out, or build the index with ivf_index")
        nprobe = check_whole("nprobe", nprobe, 1, self.settings["nlist"])
        return load_faiss().SearchParametersIVF(nprobe=nprobe)


def flat_index(
    vectors: np.ndarray, ids: Iterable[int] | None = None, *, metric: Metric = "cosine"
) -> VectorIndex:
    """Return an exact index of copies of `vectors`, shape (n, dimension), float32: every query is
    compared with every vector.

    For the cosine and the inner product, a search takes hardly longer than the matrix product of
    queries and vectors; equal scores come in the order of `vectors`. For L2, FAISS searches.

    `ids`: n different whole numbers from 0 up; None: 0 to n - 1. `metric`: ``"cosine"`` refuses
    vectors that are not of norm 1; ``"inner product"`` takes any; ``"l2"`` is the squared Euclidean
    distance.
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
    """Return an inverted file: k-means, with this `seed`, cuts the space into `nlist` cells, and a
    search looks into the `nprobe` nearest of them; into all, it is exact.

    `vectors`, `ids` and `metric` as in `flat_index`. `nlist` None: the square root of n, or fewer
    where that would leave less than 39 vectors a cell: too few for FAISS's taste (UserWarning).

    Reference: J. Sivic and A. Zisserman, "Video Google: a text retrieval approach to object
    matching in videos", ICCV 2003.
    """
    vectors, ids, measure = _check(vectors, ids, metric)
    n, dimension = vectors.shape
    if nlist is None:
        nlist = max(1, min(round(math.sqrt(n)), n // POINTS_PER_CELL))
        nprobe = min(nprobe, nlist) if isinstance(nprobe, int) else nprobe
    nlist = check_whole("nlist", nlist, 1, n, "there are not more vectors")
    nprobe = check_whole("nprobe", nprobe, 1, nlist, "there are not more cells")
    if nlist > 1 and n < POINTS_PER_CELL * nlist:
        most = max(1, n // POINTS_PER_CELL)
        warnings.warn(
            f"nlist={nlist} leaves {n / nlist:.0f} vectors a cell; FAISS asks for "
            f"{POINTS_PER_CELL} or more, here nlist={most} or less. Measure both with sweep_nprobe",
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
    means up to a millionth of the norm in each number. Near-duplicates can still hide others: at
    1e-5 of the norm, 100 copies hid 5 of 10 others; at a thousandth, 100 hid none, and 1,000 hid
    one in five of 10. Leave near-duplicates out, or search exactly where there are many.

    `vectors`, `ids` and `metric` as in `flat_index`. Each vector is linked with `links` neighbours,
    twice as many on the lowest level; `ef_construction` and `ef_search` candidates are kept while
    building and searching: more find more, and take longer. With more than one thread the graph
    differs a little from run to run. Vectors cannot be removed from it.

    Reference: Y. Malkov and D. Yashunin, "Efficient and robust approximate nearest neighbor search
    using Hierarchical Navigable Small World graphs", IEEE TPAMI 42(4), 2020.
    """
    vectors, ids, measure = _check(vectors, ids, metric)
    settings = {"links": links, "ef_construction": ef_construction, "ef_search": ef_search}
    lowest = {"links": 2}  # with 1, FAISS crashes
    settings = {name: check_whole(name, n, lowest.get(name, 1)) for name, n in settings.items()}
    groups = _equal(vectors)
    first = [group[0] for group in groups]
    graph = load_faiss().IndexHNSWFlat(vectors.shape[1], links, measure)
    graph.hnsw.efConstruction, graph.hnsw.efSearch = ef_construction, ef_search
    index = load_faiss().IndexIDMap2(graph)
    index.add_with_ids(vectors[first], ids[first])
    copies = [ids[group].tolist() for group in groups if len(group) > 1]
    return VectorIndex("hnsw", metric, settings, index, copies)


# --- measure and choose


def recall_at_k(exact: np.ndarray, approximate: np.ndarray) -> float:
    """Return which share of the true nearest neighbours was found, from 0 to 1.

    Both are ids of shape (queries, k): what an exact search finds (-1 does not count), and what the
    other search finds, in any order (-1: not found).
    """
    exact = _check_ids_found(exact, "exact")
    approximate = _check_ids_found(approximate, "approximate")
    if exact.shape != approximate.shape:
        shapes = f"exact has shape {exact.shape}, approximate {approximate.shape}"
        raise ValueError(f"{shapes}; give the ids of the same queries and the same k")
    true = exact != -1
    if not true.any():
        what = f"exact has shape {exact.shape} and holds no id but -1: there is nothing to be found"
        raise ValueError(f"{what}. Search with an index that holds vectors")
    pairs = zip(exact, approximate, strict=True)
    found = sum(int(np.isin(right[right != -1], given).sum()) for right, given in pairs)
    return found / int(true.sum())


@dataclass(frozen=True, slots=True)
class SweepPoint:
    """What one setting of an inverted file costs, and what it finds."""

    nprobe: int  # cells looked into
    recall: float  # share of the true neighbours found
    seconds: float  # for one query, a low quantile of the rounds
    fraction: float  # mean share of the vectors that a query was compared with


def sweep_nprobe(
    index: VectorIndex,
    queries: np.ndarray,
    exact: np.ndarray,
    nprobes: Iterable[int],
    *,
    repeats: int = 5,
    threads: int = 1,
    batch: int | None = None,
) -> list[SweepPoint]:
    """Measure recall, time and share of vectors scanned of an inverted file, for each of `nprobes`,
    in ascending order.

    All are timed in turn, in `repeats` rounds (`helpers.timing.time_in_turn`), so that a busy while
    slows all of them and no single one. The index's own nprobe is not changed.

    `exact`: ids, shape (queries, k), of an exact search with the same ids. `threads`: for FAISS and
    the linear algebra below it while this runs (on macOS always 1). `batch`: queries handed over
    at a time: 1 is what a single user waits for; None, all at once, is what a job pays.
    """
    from threadpoolctl import threadpool_limits

    if index.kind != "ivf":
        what = f"the index is {index.kind}; only an inverted file has an nprobe to sweep"
        raise ValueError(f"{what}. Build it with ivf_index")
    queries = index._check_queries(queries)
    exact = _check_ids_found(exact, "exact")
    if len(exact) != len(queries):
        what = f"{len(queries)} queries and {len(exact)} rows of exact ids were given"
        raise ValueError(f"{what}; search the same queries with a flat index of the same ids")
    nlist, k = index.settings["nlist"], exact.shape[1]
    chosen = sorted({check_whole("nprobe", nprobe, 1, nlist) for nprobe in nprobes})
    batch = len(queries) if batch is None else check_whole("batch", batch)
    scanned = _scanned(index, queries)

    def run(nprobe):
        parameters = index._parameters(nprobe)
        for start in range(0, len(queries), batch):
            index.faiss.search(queries[start : start + batch], k, params=parameters)

    threads = 1 if sys.platform == "darwin" else threads  # more crash beside torch's OpenMP
    with threadpool_limits(limits=threads):
        recalls = [recall_at_k(exact, index.search(queries, k, nprobe=n).ids) for n in chosen]
        # The searches above have warmed up. Threads that spin after a search would slow the next.
        rest = 0.0 if threads == 1 else 0.02
        contestants = {str(nprobe): partial(run, nprobe) for nprobe in chosen}
        timings = time_in_turn(contestants, repeats, warm_up=False, rest=rest)
    seconds = [timings[str(nprobe)].seconds / len(queries) for nprobe in chosen]
    fractions = [float(scanned[nprobe - 1]) for nprobe in chosen]
    return [SweepPoint(*row) for row in zip(chosen, recalls, seconds, fractions, strict=True)]


def choose_nprobe(points: Iterable[SweepPoint], target: float) -> int | None:
    """Return the smallest nprobe of `points` whose recall reaches `target`; None when none does.

    Chosen on some queries, it holds for others only as far as they are alike: test it on queries
    that had no part in the choice.
    """
    if not 0 <= target <= 1:
        what = "give the recall to be reached, from 0 to 1, such as 0.95"
        raise ValueError(f"target={target!r}: {what}")
    return min((point.nprobe for point in points if point.recall >= target), default=None)


def _scanned(index: VectorIndex, queries: np.ndarray) -> np.ndarray:
    """Return the mean share of vectors in a query's nearest 1, 2, … cells; shape (nlist,)."""
    nlist = index.settings["nlist"]
    sizes = np.array([index.faiss.invlists.list_size(cell) for cell in range(nlist)])
    _, cells = index.faiss.quantizer.search(queries, nlist)
    return sizes[cells].cumsum(axis=1).mean(axis=0) / len(index)


# --- files


def save_index(index: VectorIndex, path: str | Path) -> Path:
    """Write `index` with its metric, ids and settings to the file `path`, and return the path. A
    save that fails leaves an older one untouched.

    Raises FileExistsError when `path` is a folder, or a file that is no saved index.
    """
    path = Path(path)
    if path.exists() and not (path.is_file() and _is_ours(path)):
        raise FileExistsError(f"{path} is something other than a saved index; choose another name")
    names = ("kind", "metric", "settings", "copies")
    header = json.dumps({name: getattr(index, name) for name in names}).encode()
    content = header + b"\n" + load_faiss().serialize_index(index.faiss).tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary, temporary.open("wb") as file:
        file.write(_MAGIC + hashlib.sha256(content).hexdigest().encode() + b"\n" + content)
    return path


def load_index(path: str | Path) -> VectorIndex:
    """Return the index that `save_index` wrote to `path`. The checksum finds accidents, not ill
    will: load only files that you would run.

    Raises FileNotFoundError when there is no such file; ValueError when it is something else, or
    damaged. FAISS itself never reads such a file.
    """
    path = Path(path)
    if not path.is_file():
        remedy = "Make one with save_index(index, path)"
        raise FileNotFoundError(f"there is no saved index {path}. {remedy}")
    if not _is_ours(path):
        remedy = "A file of FAISS's own is read by faiss.read_index(str(path))"
        raise ValueError(f"{path} was not written by save_index. {remedy}")
    checksum, _, content = path.read_bytes()[len(_MAGIC) :].partition(b"\n")
    if hashlib.sha256(content).hexdigest().encode() != checksum:
        what = f"{len(content):,} bytes whose checksum is not the one saved"
        raise ValueError(f"{path} is damaged: {what}. Build the index again and save it")
    header, _, body = content.partition(b"\n")
    index = load_faiss().deserialize_index(np.frombuffer(body, dtype=np.uint8))
    return VectorIndex(faiss=index, **json.loads(header))


def _is_ours(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


# --- arguments


def _check(vectors: np.ndarray, ids: Iterable[int] | None, metric: Metric) -> tuple:
    """Return checked vectors, their ids, and what FAISS calls the metric."""
    if metric not in METRICS:
        raise ValueError(f"metric={metric!r}: give one of {', '.join(map(repr, METRICS))}")
    vectors = _check_matrix(vectors, "vectors", metric)
    if not len(vectors):
        raise ValueError(f"vectors has shape {vectors.shape}: no rows. Give at least one vector")
    faiss = load_faiss()
    measure = faiss.METRIC_L2 if metric == "l2" else faiss.METRIC_INNER_PRODUCT
    return vectors, _check_ids(ids, len(vectors)), measure


def _check_matrix(
    vectors: np.ndarray, what: str, metric: Metric, dimension: int | None = None
) -> np.ndarray:
    """Return `vectors` as FAISS wants them: rows of float32, next to each other in memory."""
    if not isinstance(vectors, np.ndarray):
        remedy = f"np.asarray({what}, dtype=np.float32)"
        kind = type(vectors).__name__
        raise TypeError(f"{what} is a {kind}; give an array of shape (n, dimension): {remedy}")
    if vectors.ndim != 2 or vectors.shape[1] == 0:
        hint = f". For a single vector, give {what}[None]" if vectors.ndim == 1 else ""
        needed = "one row for each vector is expected, shape (n, dimension)"
        raise ValueError(f"{what} has shape {vectors.shape}; {needed}{hint}")
    if dimension is not None and vectors.shape[1] != dimension:
        raise ValueError(
            f"{what} has {vectors.shape[1]} columns, the index holds vectors of {dimension}. "
            "Encode queries and documents with the same model"
        )
    if vectors.dtype != np.float32:
        remedy = f"FAISS calculates in float32. Give {what}.astype(np.float32)"
        raise TypeError(f"{what} is {vectors.dtype}; {remedy}")
    vectors = np.ascontiguousarray(vectors)
    squares = np.einsum("ij,ij->i", vectors, vectors)
    bad = np.flatnonzero(~np.isfinite(squares))
    if len(bad):
        long = np.isfinite(vectors[bad[0]]).all()
        wrong = "is too long for float32's products" if long else "holds a NaN or an infinity"
        remedy = "leave such rows out, or find out where they come from"
        raise ValueError(f"{what}[{bad[0]}] {wrong} ({len(bad)} such rows); {remedy}")
    norms = np.sqrt(squares)
    bad = np.flatnonzero(np.abs(norms - 1) > _NORM_TOLERANCE)
    if metric == "cosine" and len(bad):
        raise ValueError(
            f"{what}[{bad[0]}] has norm {norms[bad[0]]:.4g} ({len(bad)} of {len(vectors)} rows "
            "are not of norm 1); the cosine needs norm 1. Encode with normalize_embeddings=True, "
            "divide by the norm, or choose metric='inner product' or 'l2'"
        )
    return vectors


def _check_ids(ids: Iterable[int] | None, n: int) -> np.ndarray:
    if ids is None:
        return np.arange(n)
    ids = np.asarray(ids if isinstance(ids, np.ndarray) else list(ids))
    if ids.shape != (n,):
        raise ValueError(f"ids has shape {ids.shape} for {n} vectors; give one id for each")
    if ids.dtype.kind not in "iu":
        remedy = "Keep a table from numbers to names beside the index"
        raise TypeError(f"ids is {ids.dtype}; FAISS knows whole numbers only. {remedy}")
    highest = np.iinfo(np.int64).max
    if ids.min() < 0 or ids.max() > highest:
        wrong = ids.min() if ids.min() < 0 else ids.max()
        needed = f"give numbers from 0 to {highest} (int64): -1 means 'not found'"
        raise ValueError(f"ids holds {wrong}; {needed}")
    values, counts = np.unique(ids, return_counts=True)
    if len(values) < n:
        twice = f"the id {values[counts.argmax()]} stands {counts.max():,} times in ids"
        remedy = "give each vector an id of its own. FAISS itself would not notice"
        raise ValueError(f"{twice}; {remedy}")
    return ids.astype(np.int64)


def _check_ids_found(ids: np.ndarray, what: str) -> np.ndarray:
    ids = np.asarray(ids)
    if ids.ndim != 2 or ids.shape[1] == 0:
        raise ValueError(f"{what} has shape {ids.shape}; give ids of shape (queries, k)")
    if ids.dtype.kind not in "iu":
        remedy = "FAISS's search returns the scores first, then the ids"
        raise TypeError(f"{what} is {ids.dtype}; give ids, which are whole numbers. {remedy}")
    return ids.astype(np.int64)


def _equal(vectors: np.ndarray) -> list[np.ndarray]:
    """Return the places of equal vectors together, in groups (most of one), in order of place.

    Sorted along a direction of chance, equal vectors are neighbours. Equal means up to `_EQUAL`:
    the same text encoded in other company differs in the seventh decimal.
    """
    direction = np.random.default_rng(SEED).normal(size=vectors.shape[1]).astype(np.float32)
    order = np.argsort(vectors @ direction, kind="stable")
    sorted_ = vectors[order]
    largest = np.abs(np.diff(sorted_, axis=0)).max(axis=1)
    new = largest > _EQUAL * np.linalg.norm(sorted_[1:], axis=1)
    groups = [np.sort(group) for group in np.split(order, np.flatnonzero(new) + 1)]
    return sorted(groups, key=lambda group: group[0])
