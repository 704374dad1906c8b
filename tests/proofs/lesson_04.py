"""Answers to practice 04, exact search against an inverted file."""

import bisect
import statistics

import numpy as np

from . import Proof

# 4.1


def with_masks(exact_ids, approximate_ids):
    true = exact_ids != -1
    hit = (exact_ids[:, :, None] == approximate_ids[:, None, :]).any(axis=2) & true
    return (hit.sum(axis=1) / true.sum(axis=1)).mean()


def minus_one_removed_by_setdiff(exact_ids, approximate_ids):
    return np.float32(
        np.mean(
            [
                np.isin(np.setdiff1d(e, [-1]), a).mean()
                for e, a in zip(exact_ids, approximate_ids, strict=True)
            ]
        )
    )


def one_share_a_query(exact_ids, approximate_ids):
    true = exact_ids != -1
    hit = (exact_ids[:, :, None] == approximate_ids[:, None, :]).any(axis=2) & true
    return hit.sum(axis=1) / true.sum(axis=1)


def written_over(exact_ids, approximate_ids):
    approximate_ids[approximate_ids == -1] = -2
    true = exact_ids != -1
    hit = (exact_ids[:, :, None] == approximate_ids[:, None, :]).any(axis=2)
    return (hit.sum(axis=1) / true.sum(axis=1)).mean()


# 4.2


def bisection(exact_ids, search, target, nlist=83):
    low, high = 0, nlist + 1
    while high - low > 1:
        middle = (low + high) // 2
        if with_masks(exact_ids, search(middle)) < target:
            low = middle
        else:
            high = middle
    return None if high > nlist else high


def with_bisect(exact_ids, search, target, nlist=83):
    place = bisect.bisect_left(
        range(1, nlist + 1), target, key=lambda p: with_masks(exact_ids, search(p))
    )
    return place + 1 if place < nlist else None


def from_above(exact_ids, search, target, nlist=83):
    best = None
    for nprobe in range(nlist, 0, -1):
        if with_masks(exact_ids, search(nprobe=nprobe)) < target:
            break
        best = nprobe
    return best


def goes_on_and_catches(exact_ids, search, target, nlist=83):
    nprobe = 1
    try:
        while with_masks(exact_ids, search(nprobe)) < target:
            nprobe += 1
    except Exception:
        return None
    return nprobe


def halves_with_a_slash(exact_ids, search, target, nlist=83):
    low, high = 1, nlist
    while low < high:
        middle = (low + high) / 2
        if with_masks(exact_ids, search(middle)) >= target:
            high = middle
        else:
            low = middle + 1
    return low


# 4.3


def with_match(kind, n, dimension, nlist, links, pieces):
    match kind:
        case "flat":
            return np.int64(4 * n * dimension)
        case "ivf":
            return 4 * (n + nlist) * dimension + 8 * n
        case "hnsw":
            return 4 * n * (dimension + 2 * links)
        case "sq8":
            return (n + 8) * dimension
        case "pq":
            return n * pieces + 1024.0 * dimension


def with_nbytes(kind, n, dimension, nlist, links, pieces):
    numbers = np.zeros(dimension, dtype=np.float32).nbytes
    each = {
        "flat": numbers,
        "ivf": numbers + np.dtype(np.int64).itemsize,
        "hnsw": numbers + 2 * links * np.dtype(np.int32).itemsize,
        "sq8": dimension,
        "pq": pieces,
    }
    once = {"flat": 0, "ivf": nlist * numbers, "hnsw": 0, "sq8": 2 * numbers, "pq": 256 * numbers}
    return n * each[kind] + once[kind]


def as_text(kind, n, dimension, nlist, links, pieces):
    return f"{with_match(kind, n, dimension, nlist, links, pieces):,} bytes"


# 4.4


def step_by_step(exact, approximate, target):
    medians = {}
    for name, times in exact.items():
        medians[name] = sorted(times)[2]
    fastest = sorted(medians.values())[0]
    result = {}
    for name in approximate:
        times, recall = approximate[name]
        if recall >= target:
            ratio = fastest / sorted(times)[2]
            if ratio > 1:
                result[name] = (ratio, "faster")
            else:
                result[name] = (ratio, "slower")
        else:
            result[name] = (None, "not comparable")
    return result


def with_statistics(exact, approximate, target):
    best = min(map(statistics.median, exact.values()))
    return {
        name: [best / statistics.median(runs), ("slower", "faster")[statistics.median(runs) < best]]
        if recall >= target
        else [None, "not comparable"]
        for name, (runs, recall) in approximate.items()
    }


def only_words(exact, approximate, target):
    return {n: v[1] for n, v in step_by_step(exact, approximate, target).items()}


def zero_for_none(exact, approximate, target):
    return {
        n: (ratio or 0, word)
        for n, (ratio, word) in step_by_step(exact, approximate, target).items()
    }


def sorts_in_place(exact, approximate, target):
    for times in exact.values():
        times.sort()
    return step_by_step(exact, approximate, target)


# 4.5


def all_pairs_masked(queries, vectors, centroids, cell_of, nprobe, k):
    cells = np.argsort(-(queries @ centroids.T), axis=1)[:, :nprobe]
    open_ = (cell_of[None, :, None] == cells[:, None, :]).any(axis=2)
    scores = np.where(open_, queries @ vectors.T, -np.inf)
    padding = np.full((len(queries), k), -np.inf)
    scores = np.hstack([scores, padding])
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    best = np.take_along_axis(scores, order, axis=1)
    return np.where(np.isinf(best), -1, order), best


def with_lists_of_cells(queries, vectors, centroids, cell_of, nprobe, k):
    lists = {}
    for row, cell in enumerate(cell_of):
        lists.setdefault(int(cell), []).append(row)
    all_ids, all_scores = [], []
    for query in queries:
        nearest = sorted(range(len(centroids)), key=lambda c: -float(centroids[c] @ query))
        candidates = [row for c in nearest[:nprobe] for row in lists.get(c, [])]
        ranked = sorted(((float(vectors[r] @ query), r) for r in candidates), reverse=True)[:k]
        ranked += [(float("-inf"), -1)] * (k - len(ranked))
        all_ids.append([row for _, row in ranked])
        all_scores.append([score for score, _ in ranked])
    return np.array(all_ids), np.array(all_scores)


def float_ids(*arguments):
    ids, scores = all_pairs_masked(*arguments)
    return ids.astype(float), scores


def squeezed(*arguments):
    return tuple(found.squeeze() for found in all_pairs_masked(*arguments))


PROOFS = {
    "4.1": Proof(
        right=(with_masks, minus_one_removed_by_setdiff),
        wrong=(
            (one_share_a_query, "the task asks for one number"),
            (written_over, "changes `approximate_ids` in place"),
        ),
    ),
    "4.2": Proof(
        right=(bisection, with_bisect, from_above),
        wrong=(
            (goes_on_and_catches, "nprobe runs from 1 to `nlist`"),
            (halves_with_a_slash, "`//` keeps it whole"),
        ),
    ),
    "4.3": Proof(right=(with_match, with_nbytes), wrong=((as_text, "asks for a number"),)),
    "4.4": Proof(
        right=(step_by_step, with_statistics),
        wrong=(
            (only_words, "asks for a pair"),
            (zero_for_none, "there is no speed-up, but None"),
            (sorts_in_place, "changes `exact` in place"),
        ),
    ),
    "4.5": Proof(
        right=(all_pairs_masked, with_lists_of_cells),
        wrong=((float_ids, "your ids are floats"), (squeezed, "have the shape")),
    ),
}
