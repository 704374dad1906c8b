"""Exact search: the best k of all, for hardly more than the matrix product costs.

`top_k` answers queries by inner product (the cosine, for vectors of norm 1). `SemanticSearch` and
`flat_index` are two doors to it. The product itself is the limit: no exact search that computes
every score can be faster.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

#: Scores held in memory at once: 16 million float32, 64 MB.
SCORES_IN_MEMORY = 16_000_000
#: From this many queries on, FAISS with BLAS is faster than NumPy's product and a selection.
BATCH = 20
#: The largest k that FAISS is asked for; beyond it, selecting costs more than the product.
LARGEST_K = 1_000
#: Scores a block, where the best of each block tell which scores can be among the best k.
_BLOCK = 64

_setting = threading.Lock()


def top_k(queries: np.ndarray, vectors: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the places and the inner products of the `k` best vectors for each query.

    A batch is searched by FAISS with BLAS, which never holds all scores; a few queries by NumPy's
    product. Both find the same.

    `queries`, shape (queries, dimension), and `vectors`, shape (n, dimension), are float32 with
    rows next to each other in memory; `k` is from 1 to n. Returned are places (int) and scores
    (float32), both of shape (queries, k), best first; equal scores in order of place.
    """
    if len(queries) < BATCH or k > LARGEST_K:
        return _by_numpy(queries, vectors, k)
    faiss = load_faiss()
    more = min(k + 1, len(vectors))  # one more, to see a tie for the last place
    with _blas_for_batches(faiss):
        scores, places = faiss.knn(queries, vectors, more, metric=faiss.METRIC_INNER_PRODUCT)
    order = np.lexsort((places, -scores))
    scores, places = (np.take_along_axis(found, order, axis=1) for found in (scores, places))
    tied = np.flatnonzero(scores[:, k - 1] == scores[:, k]) if more > k else []
    scores, places = scores[:, :k], places[:, :k]
    if len(tied):  # FAISS keeps any of those that tie
        places[tied], scores[tied] = _by_numpy(queries[tied], vectors, k)
    return places, scores


def _by_numpy(queries: np.ndarray, vectors: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    places = np.empty((len(queries), k), dtype=np.int64)
    scores = np.empty((len(queries), k), dtype=np.float32)
    step = max(1, SCORES_IN_MEMORY // len(vectors))
    for start in range(0, len(queries), step):
        part = queries[start : start + step]
        block = (vectors @ part[0])[None] if len(part) == 1 else part @ vectors.T
        for row, scores_of_one in enumerate(block, start):
            places[row] = top_k_indices(scores_of_one, k)
            scores[row] = scores_of_one[places[row]]
    return places, scores


def top_k_indices(scores: np.ndarray, k: int) -> np.ndarray:
    """Return the indices of the `k` largest of `scores`, shape (n,), largest first (all n, where k
    is larger); equal scores in ascending order of index. Only the `k` found are sorted.

    Raises ValueError for another shape, a `k` below 1, or NaN, which has no place in an order.
    """
    scores = np.asarray(scores)
    if scores.ndim != 1:
        raise ValueError(f"scores has shape {scores.shape}; give one row, of shape (n,)")
    if k < 1:
        raise ValueError(f"k={k}: give a whole number from 1 up")
    # k scores reach the k-th best of the blocks' maxima: no smaller one is among the best. Blocks
    # are columns, whose maxima a processor finds several at a time.
    whole = len(scores) // _BLOCK * _BLOCK if len(scores) > 4 * _BLOCK * k else 0
    maxima = scores[:whole].reshape(_BLOCK, -1).max(axis=0) if whole else scores
    if np.isnan(maxima).any() or np.isnan(scores[whole:]).any():
        place = int(np.flatnonzero(np.isnan(scores))[0])
        raise ValueError(f"scores[{place}] is NaN, which has no place in an order. Find its cause")
    smallest = np.partition(maxima, -k)[-k] if k < len(maxima) else -np.inf
    possible = np.flatnonzero(scores >= smallest)
    return possible[np.argsort(-scores[possible], kind="stable")][:k]


@contextmanager
def _blas_for_batches(faiss) -> Iterator[None]:
    """Let FAISS multiply by BLAS inside a ``with`` block, which it does otherwise from 128,000
    queries on, and in larger blocks, between which its threads wait for one another less often.
    The settings are the whole process's: put back at the end, and set by one thread at a time.
    """
    wanted = {"threshold": BATCH, "query_bs": 512, "database_bs": 16_384}  # 32 MB of scores
    names = {f"distance_compute_blas_{name}": value for name, value in wanted.items()}
    with _setting:
        before = {name: getattr(faiss.cvar, name) for name in names}
        try:
            for name, value in names.items():
                setattr(faiss.cvar, name, value)
            yield
        finally:
            for name, value in before.items():
                setattr(faiss.cvar, name, value)


def load_faiss():
    """Import FAISS. The one place that does, and the one that keeps it to one thread on macOS."""
    import faiss

    if sys.platform == "darwin":
        faiss.omp_set_num_threads(1)
    return faiss
