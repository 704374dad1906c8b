"""Answers to practice 04, exact search against an inverted file."""

import bisect
import statistics

import numpy as np

from . import Proof

# 4.1 Right


def with_masks(exact_ids, approximate_ids):
    true = exact_ids != -1
    hit = (exact_ids[:, :, None] == approximate_ids[:, None, :]).any(axis=2) & true
    return (hit.sum(axis=1) / true.sum(axis=1)).mean()


def by_counting(exact_ids, approximate_ids):
    total = 0.0
    for q in range(len(exact_ids)):
        found = wanted = 0
        for i in exact_ids[q]:
            if i == -1:
                continue
            wanted += 1
            found += i in approximate_ids[q]
        total += found / wanted
    return total / len(exact_ids)


def with_intersect1d(exact_ids, approximate_ids):
    shares = []
    for e, a in zip(exact_ids.tolist(), approximate_ids.tolist(), strict=True):
        e = [i for i in e if i >= 0]
        shares.append(len(np.intersect1d(e, a)) / len(e))
    return sum(shares) / len(shares)


def minus_one_removed_by_setdiff(exact_ids, approximate_ids):
    return np.float32(
        np.mean(
            [
                np.isin(np.setdiff1d(e, [-1]), a).mean()
                for e, a in zip(exact_ids, approximate_ids, strict=True)
            ]
        )
    )


# 4.1 Wrong


def recall_as_found(exact_ids, approximate_ids):
    return np.isin(exact_ids, approximate_ids).mean()


def masked_but_flat(exact_ids, approximate_ids):
    shares = []
    for e in exact_ids:
        e = e[e != -1]
        shares.append(np.isin(e, approximate_ids).mean())
    return np.mean(shares)


def sets_with_minus_one(exact_ids, approximate_ids):
    return np.mean(
        [
            len(set(e) & set(a)) / len(set(e))
            for e, a in zip(exact_ids, approximate_ids, strict=True)
        ]
    )


def place_by_place(exact_ids, approximate_ids):
    return (exact_ids == approximate_ids).mean()


def divided_by_k(exact_ids, approximate_ids):
    k = exact_ids.shape[1]
    hits = [len((set(e) & set(a)) - {-1}) for e, a in zip(exact_ids, approximate_ids, strict=True)]
    return np.mean(hits) / k


def pooled(exact_ids, approximate_ids):
    hits = sum(
        len((set(e) & set(a)) - {-1}) for e, a in zip(exact_ids, approximate_ids, strict=True)
    )
    return hits / np.sum(exact_ids != -1)


def precision(exact_ids, approximate_ids):
    shares = []
    for e, a in zip(exact_ids, approximate_ids, strict=True):
        a = set(a) - {-1}
        shares.append(len(a & set(e)) / len(a) if a else 0)
    return np.mean(shares)


def in_per_cent(exact_ids, approximate_ids):
    return 100 * with_masks(exact_ids, approximate_ids)


def return_in_the_loop(exact_ids, approximate_ids):
    for e, a in zip(exact_ids, approximate_ids, strict=True):
        true = set(e) - {-1}
        return len(true & set(a)) / len(true)


def one_share_a_query(exact_ids, approximate_ids):
    true = exact_ids != -1
    hit = (exact_ids[:, :, None] == approximate_ids[:, None, :]).any(axis=2) & true
    return hit.sum(axis=1) / true.sum(axis=1)


def any_found(exact_ids, approximate_ids):
    return np.mean(
        [bool((set(e) - {-1}) & set(a)) for e, a in zip(exact_ids, approximate_ids, strict=True)]
    )


def missed(exact_ids, approximate_ids):
    return 1 - with_masks(exact_ids, approximate_ids)


def swapped_sides(exact_ids, approximate_ids):
    shares = []
    for e, a in zip(approximate_ids, exact_ids, strict=True):
        e = set(e) - {-1}
        shares.append(len(e & set(a)) / len(e))
    return np.mean(shares)


def written_over(exact_ids, approximate_ids):
    approximate_ids[approximate_ids == -1] = -2
    true = exact_ids != -1
    hit = (exact_ids[:, :, None] == approximate_ids[:, None, :]).any(axis=2)
    return (hit.sum(axis=1) / true.sum(axis=1)).mean()


# 4.2 Right


def linear(exact_ids, search, target, nlist=83):
    for nprobe in range(1, nlist + 1):
        if with_masks(exact_ids, search(nprobe)) >= target:
            return nprobe
    return None


def bisection(exact_ids, search, target, nlist=83):
    low, high = 0, nlist + 1
    while high - low > 1:
        middle = (low + high) // 2
        if by_counting(exact_ids, search(middle)) < target:
            low = middle
        else:
            high = middle
    return None if high > nlist else high


def with_bisect(exact_ids, search, target, nlist=83):
    place = bisect.bisect_left(
        range(1, nlist + 1), target, key=lambda p: with_masks(exact_ids, search(p))
    )
    return place + 1 if place < nlist else None


def all_then_argmax(exact_ids, search, target, nlist=83):
    recalls = np.array([with_masks(exact_ids, search(p)) for p in np.arange(1, nlist + 1)])
    return np.argmax(recalls >= target) + 1 if (recalls >= target).any() else None


def from_above(exact_ids, search, target, nlist=83):
    best = None
    for nprobe in range(nlist, 0, -1):
        if with_masks(exact_ids, search(nprobe=nprobe)) < target:
            break
        best = nprobe
    return best


def doubling_then_scanning(exact_ids, search, target, nlist=83):
    nprobe = 1
    while nprobe < nlist and with_masks(exact_ids, search(nprobe)) < target:
        nprobe *= 2
    for candidate in range(nprobe // 2 + 1, min(nprobe, nlist) + 1):
        if with_masks(exact_ids, search(candidate)) >= target:
            return candidate
    return None


# 4.2 Wrong


def _first_where(passes):
    """Return an answer that takes the first nprobe whose shares, one for a query, pass."""

    def smallest_nprobe(exact_ids, search, target, nlist=83):
        for nprobe in range(1, nlist + 1):
            found = search(nprobe)
            pairs = zip(exact_ids, found, strict=True)
            if passes(np.array([np.isin(e, f).mean() for e, f in pairs]), target):
                return nprobe
        return None

    return smallest_nprobe


def none_at_once(exact_ids, search, target, nlist=83):
    for nprobe in range(1, nlist + 1):
        if with_masks(exact_ids, search(nprobe)) >= target:
            return nprobe
        return None


def until_it_stands(exact_ids, search, target, nlist=83):
    before = -1
    for nprobe in range(1, nlist + 1):
        recall = with_masks(exact_ids, search(nprobe))
        if recall >= target:
            return nprobe
        if recall == before:
            return None
        before = recall
    return None


def first_place_or_0(exact_ids, search, target, nlist=83):
    recalls = [with_masks(exact_ids, search(nprobe)) for nprobe in range(1, nlist + 1)]
    return int(np.argmax(np.array(recalls) >= target))


def recalls_kept(exact_ids, search, target, nlist=83, kept={}):  # noqa: B006
    for nprobe in range(1, nlist + 1):
        if nprobe not in kept:
            kept[nprobe] = with_masks(exact_ids, search(nprobe))
        if kept[nprobe] >= target:
            return nprobe
    return None


def powers_of_two(exact_ids, search, target, nlist=83):
    nprobe = 1
    while nprobe <= nlist:
        if with_masks(exact_ids, search(nprobe)) >= target:
            return nprobe
        nprobe *= 2
    return None


def strictly_more(exact_ids, search, target, nlist=83):
    for nprobe in range(1, nlist + 1):
        if with_masks(exact_ids, search(nprobe)) > target:
            return nprobe
    return None


def from_zero(exact_ids, search, target, nlist=83):
    for nprobe in range(nlist):
        if with_masks(exact_ids, search(nprobe)) >= target:
            return nprobe
    return None


def always_83(exact_ids, search, target, nlist=83):
    for nprobe in range(1, 84):
        if with_masks(exact_ids, search(nprobe)) >= target:
            return nprobe
    return None


def last_cell_forgotten(exact_ids, search, target, nlist=83):
    for nprobe in range(1, nlist):
        if with_masks(exact_ids, search(nprobe)) >= target:
            return nprobe
    return None


def place_in_a_list(exact_ids, search, target, nlist=83):
    recalls = [with_masks(exact_ids, search(p)) for p in range(1, nlist + 1)]
    good = [i for i, recall in enumerate(recalls) if recall >= target]
    return good[0] if good else None


def gives_nlist(exact_ids, search, target, nlist=83):
    return linear(exact_ids, search, target, nlist) or nlist


def gives_minus_one(exact_ids, search, target, nlist=83):
    return linear(exact_ids, search, target, nlist) or -1


def filled_places(exact_ids, search, target, nlist=83):
    for nprobe in range(1, nlist + 1):
        if (search(nprobe) != -1).mean() >= target:
            return nprobe
    return None


def of_all_queries(exact_ids, search, target, nlist=83):
    for nprobe in range(1, nlist + 1):
        if np.isin(exact_ids, search(nprobe)).mean() >= target:
            return nprobe
    return None


def same_place(exact_ids, search, target, nlist=83):
    for nprobe in range(1, nlist + 1):
        if (exact_ids == search(nprobe)).mean() >= target:
            return nprobe
    return None


def halves_with_a_slash(exact_ids, search, target, nlist=83):
    low, high = 1, nlist
    while low < high:
        middle = (low + high) / 2
        if with_masks(exact_ids, search(middle)) >= target:
            high = middle
        else:
            low = middle + 1
    return low


def one_too_many(exact_ids, search, target, nlist=83):
    found = linear(exact_ids, search, target, nlist)
    return found if found is None else found + 1


def divided_by_those_found(exact_ids, search, target, nlist=83):
    for nprobe in range(1, nlist + 1):
        if precision(exact_ids, search(nprobe)) >= target:
            return nprobe
    return None


def every_query(exact_ids, search, target, nlist=83):
    for nprobe in range(1, nlist + 1):
        if one_share_a_query(exact_ids, search(nprobe)).min() >= target:
            return nprobe
    return None


def the_recall(exact_ids, search, target, nlist=83):
    for nprobe in range(1, nlist + 1):
        recall = with_masks(exact_ids, search(nprobe))
        if recall >= target:
            return recall
    return None


# 4.3 Right


def with_branches(kind, n, dimension, nlist, links, pieces):
    float32 = 4
    if kind == "flat":
        return n * dimension * float32
    if kind == "ivf":
        return n * dimension * float32 + n * 8 + nlist * dimension * float32
    if kind == "hnsw":
        return n * dimension * float32 + n * links * 2 * 4
    if kind == "sq8":
        return n * dimension + dimension * 2 * float32
    return n * pieces + pieces * 256 * (dimension // pieces) * float32


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


# 4.3 Wrong


def changed(**formulas):
    """Return an answer that is right but for some kinds."""

    def index_bytes(kind, n, dimension, nlist, links, pieces):
        if kind in formulas:
            return formulas[kind](n, dimension, nlist, links, pieces)
        return with_branches(kind, n, dimension, nlist, links, pieces)

    return index_bytes


def one_vector(kind, n, dimension, nlist, links, pieces):
    return with_branches(kind, n, dimension, nlist, links, pieces) / n


def megabytes(kind, n, dimension, nlist, links, pieces):
    return with_branches(kind, n, dimension, nlist, links, pieces) / 1e6


def as_text(kind, n, dimension, nlist, links, pieces):
    return f"{with_branches(kind, n, dimension, nlist, links, pieces):,} bytes"


def pq_forgotten(kind, n, dimension, nlist, links, pieces):
    if kind != "pq":
        return with_branches(kind, n, dimension, nlist, links, pieces)


# 4.4 Right


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


def with_an_array(exact, approximate, target):
    best = np.median(np.array(list(exact.values()), dtype=np.float32), axis=1).min()
    result = dict.fromkeys(approximate, (None, "not comparable"))
    for name, (runs, recall) in approximate.items():
        if not recall < target:
            ratio = best / np.median(runs)
            result[name] = (np.float64(ratio), np.where(ratio > 1, "faster", "slower").item())
    return result


# 4.4 Wrong


def verdicts(denominator, middle=np.median, reached=lambda recall, target: recall >= target):
    """Return an answer that takes another denominator, or another middle."""

    def verdict(exact, approximate, target):
        best = denominator([middle(times) for times in exact.values()])
        result = {}
        for name, (times, recall) in approximate.items():
            if reached(recall, target):
                ratio = best / middle(times)
                result[name] = (ratio, "faster" if ratio > 1 else "slower")
            else:
                result[name] = (None, "not comparable")
        return result

    return verdict


def upside_down(exact, approximate, target):
    return {
        name: (ratio and 1 / ratio, word)
        for name, (ratio, word) in step_by_step(exact, approximate, target).items()
    }


def left_out(exact, approximate, target):
    return {n: v for n, v in step_by_step(exact, approximate, target).items() if v[0]}


def word_first(exact, approximate, target):
    return {n: v[::-1] for n, v in step_by_step(exact, approximate, target).items()}


def only_words(exact, approximate, target):
    return {n: v[1] for n, v in step_by_step(exact, approximate, target).items()}


def other_words(exact, approximate, target):
    return {
        n: (ratio, word.replace("not comparable", "n/a"))
        for n, (ratio, word) in step_by_step(exact, approximate, target).items()
    }


def zero_for_none(exact, approximate, target):
    return {
        n: (ratio or 0, word)
        for n, (ratio, word) in step_by_step(exact, approximate, target).items()
    }


def a_list_of_pairs(exact, approximate, target):
    return list(step_by_step(exact, approximate, target).values())


def less_one(exact, approximate, target):
    best = min(np.median(times) for times in exact.values())
    result = {}
    for name, (times, recall) in approximate.items():
        gain = best / np.median(times) - 1
        word = "faster" if gain > 0 else "slower"
        result[name] = (gain, word) if recall >= target else (None, "not comparable")
    return result


def sorts_in_place(exact, approximate, target):
    for times in exact.values():
        times.sort()
    return step_by_step(exact, approximate, target)


# 4.5 Right


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


def in_float32(queries, vectors, centroids, cell_of, nprobe, k):
    queries, vectors = queries.astype("float32"), vectors.astype("float32")
    ids = np.full((len(queries), k), -1, dtype=np.int32)
    scores = np.full((len(queries), k), -np.inf, dtype=np.float32)
    to_cells = queries @ centroids.astype("float32").T
    for q in range(len(queries)):
        opened = np.argpartition(to_cells[q], -nprobe)[-nprobe:]
        (rows,) = np.nonzero(np.isin(cell_of, opened))
        found = vectors[rows] @ queries[q]
        order = found.argsort()[::-1][:k]
        ids[q, : order.size] = rows[order]
        scores[q, : order.size] = found[order]
    return [ids, scores]


# 4.5 Wrong


def scores_first(*arguments):
    ids, scores = all_pairs_masked(*arguments)
    return scores, ids


def exact_search(queries, vectors, centroids, cell_of, nprobe, k):
    return all_pairs_masked(queries, vectors, centroids, cell_of, len(centroids), k)


def loop(queries, vectors, centroids, cell_of, nprobe, k, *, cells=None, order=None, rows_of=None):
    ids = np.full((len(queries), k), -1)
    scores = np.full((len(queries), k), -np.inf)
    for q, query in enumerate(queries):
        opened = (cells or (lambda c, query: np.argsort(-(c @ query))))(centroids, query)[:nprobe]
        rows = np.flatnonzero(np.isin(cell_of, opened))
        found = vectors[rows] @ query
        best = (order or (lambda found: np.argsort(-found)))(found)[:k]
        ids[q, : len(best)] = rows_of(rows, best) if rows_of else rows[best]
        scores[q, : len(best)] = found[best]
    return ids, scores


def farthest_cells(*arguments):
    return loop(*arguments, cells=lambda c, query: np.argsort(c @ query))


def euclidean_cells(*arguments):
    return loop(*arguments, cells=lambda c, query: np.argsort(np.linalg.norm(c - query, axis=1)))


def cosine_cells(*arguments):
    return loop(
        *arguments, cells=lambda c, query: np.argsort(-(c @ query) / np.linalg.norm(c, axis=1))
    )


def smallest_products(*arguments):
    return loop(*arguments, order=np.argsort)


def numbers_inside(*arguments):
    return loop(*arguments, rows_of=lambda rows, best: best)


def padded_with_zeros(queries, vectors, centroids, cell_of, nprobe, k):
    ids, scores = loop(queries, vectors, centroids, cell_of, nprobe, k)
    return np.where(ids < 0, 0, ids), np.where(ids < 0, 0, scores)


def zero_scores(*arguments):
    ids, scores = loop(*arguments)
    return ids, np.where(ids < 0, 0, scores)


def as_faiss_pads(*arguments):
    ids, scores = loop(*arguments)
    return ids, np.where(ids < 0, np.finfo(np.float32).min, scores).astype(np.float32)


def union_of_cells(queries, vectors, centroids, cell_of, nprobe, k):
    opened = np.argsort(-(queries @ centroids.T), axis=1)[:, :nprobe]
    rows = np.flatnonzero(np.isin(cell_of, opened))
    found = queries @ vectors[rows].T
    found = np.hstack([found, np.full((len(queries), k), -np.inf)])
    rows = np.append(rows, [-1] * k)
    order = np.argsort(-found, axis=1)[:, :k]
    return rows[order], np.take_along_axis(found, order, axis=1)


def cut_then_filter(queries, vectors, centroids, cell_of, nprobe, k):
    ids, scores = np.full((len(queries), k), -1), np.full((len(queries), k), -np.inf)
    for q, query in enumerate(queries):
        opened = np.argsort(-(centroids @ query))[:nprobe]
        found = vectors @ query
        best = [row for row in np.argsort(-found)[:k] if cell_of[row] in opened]
        ids[q, : len(best)], scores[q, : len(best)] = best, found[best]
    return ids, scores


def ragged(queries, vectors, centroids, cell_of, nprobe, k):
    ids, scores = loop(queries, vectors, centroids, cell_of, nprobe, k)
    return [row[row >= 0] for row in ids], [row[row > -np.inf] for row in scores]


def ids_alone(*arguments):
    return loop(*arguments)[0]


def too_short(queries, vectors, centroids, cell_of, nprobe, k):
    ids = np.zeros((len(queries), k), dtype=int)
    scores = np.zeros((len(queries), k))
    for q, query in enumerate(queries):
        opened = np.argsort(-(centroids @ query))[:nprobe]
        rows = np.flatnonzero(np.isin(cell_of, opened))
        found = vectors[rows] @ query
        best = np.argsort(-found)[:k]
        ids[q] = rows[best]
        scores[q] = found[best]
    return ids, scores


def float_ids(*arguments):
    ids, scores = loop(*arguments)
    return ids.astype(float), scores


def only_one_cell(queries, vectors, centroids, cell_of, nprobe, k):
    return loop(queries, vectors, centroids, cell_of, 1, k)


# More wrong answers, for all exercises


def minus_one_above_the_line(exact_ids, approximate_ids):
    rows = zip(exact_ids, approximate_ids, strict=True)
    return np.mean([len(set(e) & set(a)) / len(set(e) - {-1}) for e, a in rows])


def positive_ids(exact_ids, approximate_ids):
    return by_counting(np.where(exact_ids > 0, exact_ids, -1), approximate_ids)


def rounded_recall(exact_ids, approximate_ids):
    return round(float(with_masks(exact_ids, approximate_ids)), 2)


def argmax_without_any(exact_ids, search, target, nlist=83):
    reached = [with_masks(exact_ids, search(n)) >= target for n in range(1, nlist + 1)]
    return int(np.argmax(reached)) + 1


def other_end(exact_ids, search, target, nlist=83):
    low, high = 1, nlist
    while low <= high:
        middle = (low + high) // 2
        if with_masks(exact_ids, search(middle)) >= target:
            high = middle - 1
        else:
            low = middle + 1
    return high if high >= 1 else None


def against(best_of):
    def verdict(exact, approximate, target):
        best, found = best_of(list(exact.values())), {}
        for name, (runs, recall) in approximate.items():
            ratio = best / statistics.median(runs)
            word = "faster" if ratio > 1 else "slower"
            found[name] = (ratio, word) if recall >= target else (None, "not comparable")
        return found

    return verdict


def cells_made_anew(queries, vectors, centroids, cell_of, nprobe, k):
    nearest = np.argmax(vectors @ centroids.T, axis=1)
    return loop(queries, vectors, centroids, nearest, nprobe, k)


def masked(fill):
    def ivf_search(queries, vectors, centroids, cell_of, nprobe, k):
        opened = np.argsort(-(queries @ centroids.T), axis=1)[:, :nprobe]
        inside = (cell_of[None, :, None] == opened[:, None, :]).any(axis=2)
        scores = np.where(inside, queries @ vectors.T, fill)
        ids = np.argsort(-scores, axis=1)[:, :k]
        return ids, np.take_along_axis(scores, ids, axis=1)

    return ivf_search


def never_more_than_vectors(*arguments):
    ids, scores = masked(-np.inf)(*arguments)
    return np.where(np.isneginf(scores), -1, ids), scores


def opens_until_k(queries, vectors, centroids, cell_of, nprobe, k):
    while True:
        ids, scores = loop(queries, vectors, centroids, cell_of, nprobe, k)
        if (ids != -1).all() or nprobe >= len(centroids):
            return ids, scores
        nprobe += 1


def complete_queries_only(exact_ids, approximate_ids):
    shares = []
    for exact, found in zip(exact_ids, approximate_ids, strict=True):
        if -1 not in exact:
            shares.append(np.isin(exact, found).mean())
    return np.mean(shares)


def smaller_of_both(exact_ids, approximate_ids):
    shares = []
    for exact, found in zip(exact_ids, approximate_ids, strict=True):
        one, other = set(exact) - {-1}, set(found) - {-1}
        shares.append(len(one & other) / max(1, min(len(one), len(other))))
    return np.mean(shares)


def found_cut_as_well(exact_ids, approximate_ids):
    shares = []
    for exact, found in zip(exact_ids, approximate_ids, strict=True):
        n = (exact >= 0).sum()
        shares.append(np.isin(exact[:n], found[:n]).mean())
    return np.mean(shares)


def _hit_rate(exact, found):
    return (exact[:, :, None] == found[:, None, :]).any(axis=2).mean()


def recall_rounded(exact_ids, search, target, nlist=83):
    for nprobe in range(1, nlist + 1):
        if round(_hit_rate(exact_ids, search(nprobe)), 2) >= target:
            return nprobe
    return None


def goes_on_and_catches(exact_ids, search, target, nlist=83):
    nprobe = 1
    try:
        while _hit_rate(exact_ids, search(nprobe)) < target:
            nprobe += 1
    except Exception:
        return None
    return nprobe


def always_95(exact_ids, search, target, nlist=83):
    return linear(exact_ids, search, 0.95, nlist)


def in_int32(kind, n, dimension, nlist, links, pieces):
    numbers = map(np.int32, (n, dimension, nlist, links, pieces))
    return with_branches(kind, *numbers)


def n_and_dimension_swapped(kind, n, dimension, nlist, links, pieces):
    return with_branches(kind, dimension, n, nlist, links, pieces)


def one_branch_too_wide(kind, n, dimension, nlist, links, pieces):
    if kind in ("ivf", "hnsw"):
        return n * (4 * dimension + 8) + nlist * 4 * dimension
    return with_branches(kind, n, dimension, nlist, links, pieces)


def speed_up_rounded(exact, approximate, target):
    found = step_by_step(exact, approximate, target)
    return {n: (None if s is None else round(s, 3), word) for n, (s, word) in found.items()}


def words_swapped(exact, approximate, target):
    other = {"faster": "slower", "slower": "faster"}
    found = step_by_step(exact, approximate, target)
    return {n: (s, other.get(word, word)) for n, (s, word) in found.items()}


def exact_by_mean(exact, approximate, target):
    means = {name: [np.mean(runs)] for name, runs in exact.items()}
    return verdicts(min)(means, approximate, target)


def fastest_of_approximate(exact, approximate, target):
    fastest = {name: ([min(runs)], recall) for name, (runs, recall) in approximate.items()}
    return verdicts(min)(exact, fastest, target)


def median_of_shares(exact_ids, approximate_ids):
    pairs = zip(exact_ids, approximate_ids, strict=True)
    return np.median([np.isin(e[e >= 0], a).mean() for e, a in pairs])


def false_where_none(exact_ids, search, target, nlist=83):
    return linear(exact_ids, search, target, nlist) or False


def best_of_each_cell(queries, vectors, centroids, cell_of, nprobe, k):
    ids, scores = np.full((len(queries), k), -1), np.full((len(queries), k), -np.inf)
    for q, query in enumerate(queries):
        pairs = []
        for cell in np.argsort(-(centroids @ query))[:nprobe]:
            rows = np.flatnonzero(cell_of == cell)
            if len(rows):
                best = rows[np.argmax(vectors[rows] @ query)]
                pairs.append((vectors[best] @ query, best))
        for place, (score, row) in enumerate(sorted(pairs, reverse=True)[:k]):
            ids[q, place], scores[q, place] = row, score
    return ids, scores


def not_sorted_where_few(queries, vectors, centroids, cell_of, nprobe, k):
    ids, scores = all_pairs_masked(queries, vectors, centroids, cell_of, nprobe, k)
    for q in range(len(ids)):
        n = (ids[q] >= 0).sum()
        if n < k:
            order = np.argsort(ids[q, :n])
            ids[q, :n], scores[q, :n] = ids[q, order], scores[q, order]
    return ids, scores


PROOFS = {
    "4.1": Proof(
        right=(with_masks, by_counting, with_intersect1d, minus_one_removed_by_setdiff),
        wrong=(
            (recall_as_found, "still the function as found"),
            (masked_but_flat, "when *any* query has found it"),
            (sets_with_minus_one, "counts -1 as a neighbour"),
            (place_by_place, "place by place"),
            (divided_by_k, "You divide by k"),
            (pooled, "divide once"),
            (precision, "That is precision"),
            (in_per_cent, "per cent"),
            (return_in_the_loop, "`return` inside the loop"),
            (one_share_a_query, "asks for one number"),
            (any_found, "*something* was found"),
            (missed, "which was missed"),
            (swapped_sides, "or the two arrays are swapped"),
            (written_over, "changes its second argument in place"),
            (minus_one_above_the_line, "Below the line the -1 is out"),
            (positive_ids, "The id 0 is missing"),
            (rounded_recall, "what you return is rounded"),
            (complete_queries_only, "You leave out the queries"),
            (smaller_of_both, "the smaller of two numbers"),
            (median_of_shares, "the median of the shares"),
            (found_cut_as_well, "you cut off what was found, too"),
        ),
    ),
    "4.2": Proof(
        right=(linear, bisection, with_bisect, all_then_argmax, from_above, doubling_then_scanning),
        wrong=(
            (powers_of_two, "powers of two only"),
            (strictly_more, "`>=`, not `>`"),
            (from_zero, "you call search(0)"),
            (always_83, "you call search(12). This index has 11 cells"),
            (last_cell_forgotten, "The last cell was never tried"),
            (place_in_a_list, "counted from 0"),
            (gives_nlist, "not even that reaches the target"),
            (gives_minus_one, "the task asks for None"),
            (filled_places, "the places that are filled"),
            (of_all_queries, "the ids of *all* queries"),
            (same_place, "place by place"),
            (halves_with_a_slash, "`//` keeps it whole"),
            (one_too_many, "One too many"),
            (divided_by_those_found, "how many ids were found"),
            (every_query, "until *every* query"),
            (the_recall, "that is the recall reached"),
            (argmax_without_any, "the first is the largest"),
            (other_end, "the other end of your search"),
            (recall_rounded, "You round the recall"),
            (goes_on_and_catches, "nprobe runs from 1 to 11"),
            (always_95, "You aim at 0.95"),
            (false_where_none, "you return False"),
            (none_at_once, "You give up after the first nprobe"),
            (until_it_stands, "stand still and grow again"),
            (first_place_or_0, "its first nprobe is 1"),
            (_first_where(lambda shares, t: abs(shares.mean() - t) < 1e-9), "*equals* the target"),
            (recalls_kept, "right for the index of an earlier call"),
            (
                _first_where(lambda shares, t: 100 * shares.mean() >= t),
                "Is it in per cent, or a number of hits",
            ),
            (_first_where(lambda shares, t: (shares > 0).mean() >= t), "*something* is found"),
            (_first_where(lambda shares, t: shares.mean() >= t - 0.01), "0.01 below the target"),
        ),
    ),
    "4.3": Proof(
        right=(with_branches, with_match, with_nbytes),
        wrong=(
            (changed(flat=lambda n, d, *_: n * d * 8), "4 bytes a number, not 8"),
            (changed(flat=lambda n, d, *_: n * d), "how many numbers there are"),
            (changed(ivf=lambda n, d, *_: n * (4 * d + 8)), "The centroids are missing"),
            (changed(ivf=lambda n, d, nlist, *_: (n + nlist) * 4 * d), "The ids are missing"),
            (
                changed(ivf=lambda n, d, nlist, *_: (n + nlist) * (4 * d + 8)),
                "You give the centroids ids, too",
            ),
            (
                changed(hnsw=lambda n, d, nlist, links, pieces: n * 4 * (d + links)),
                "2 × links for each vector",
            ),
            (changed(sq8=lambda n, d, *_: n * d), "The ranges are missing"),
            (changed(sq8=lambda n, d, *_: n * d + 8), "for *each dimension*"),
            (changed(pq=lambda n, d, nlist, links, pieces: n * pieces), "The patterns are missing"),
            (
                changed(pq=lambda n, d, nlist, links, pieces: n * pieces + 256 * pieces * d * 4),
                "as long as a *piece*",
            ),
            (
                changed(pq=lambda n, d, nlist, links, pieces: n * (d // pieces) + 1024 * d),
                "not how long they are",
            ),
            (one_vector, "That is for one vector"),
            (megabytes, "megabytes"),
            (as_text, "not a number"),
            (pq_forgotten, "Does every path end with `return`?"),
            (in_int32, "an int32 begins again from below"),
            (n_and_dimension_swapped, "`n` and `dimension` are swapped"),
            (one_branch_too_wide, 'That is what "ivf" takes'),
            (changed(flat=lambda n, d, *_: n * 384 * 4), "You take 384"),
        ),
    ),
    "4.4": Proof(
        right=(step_by_step, with_statistics, with_an_array),
        wrong=(
            (verdicts(max), "of the *slowest* exact search"),
            (verdicts(np.mean), "the mean of the exact searches"),
            (verdicts(lambda times: times[0]), "the first exact search"),
            (verdicts(min, np.mean), "the mean (or the sum) of the runs"),
            (verdicts(min, min), "the fastest run"),
            (verdicts(min, lambda times: times[0]), "the first run"),
            (verdicts(min, lambda times: times[2]), "which is not sorted"),
            (verdicts(min, reached=lambda recall, target: True), "you ignore the recall"),
            (verdicts(min, reached=lambda recall, target: recall > target), "`>=`, not `>`"),
            (upside_down, "the ratio is upside down"),
            (left_out, "is left out"),
            (word_first, "the speed-up comes first"),
            (only_words, "asks for a pair"),
            (other_words, "the task knows three"),
            (zero_for_none, "there is no speed-up"),
            (a_list_of_pairs, "asks for a dictionary"),
            (less_one, "by how much it is faster"),
            (sorts_in_place, "changes its first argument"),
            (against(lambda runs: np.median(min(runs, key=np.mean))), "by the mean of its runs"),
            (against(lambda runs: np.median(min(runs))), "compares their first runs"),
            (against(lambda runs: np.median(min(runs, key=min))), "the fastest single run"),
            (against(lambda runs: min(map(min, runs))), "the fastest run of all"),
            (against(np.median), "you throw the runs of all"),
            (verdicts(min, max), "the slowest run of each"),
            (verdicts(min, lambda times: sorted(times)[1]), "the one beside the middle"),
            (speed_up_rounded, "you round the speed-up"),
            (words_swapped, "the words are the wrong way round"),
            (exact_by_mean, "for the exact searches you take the mean"),
            (fastest_of_approximate, "for the approximate searches you take the fastest"),
        ),
    ),
    "4.5": Proof(
        right=(all_pairs_masked, with_lists_of_cells, in_float32),
        wrong=(
            (scores_first, "scores first, then ids"),
            (exact_search, "you search all vectors"),
            (farthest_cells, "that are *farthest*"),
            (euclidean_cells, "by Euclidean distance"),
            (cosine_cells, "you normalise the centroids"),
            (smallest_products, "the k *smallest*"),
            (numbers_inside, "count within the opened cells"),
            (padded_with_zeros, "you leave the zeros"),
            (zero_scores, "your score is 0"),
            (as_faiss_pads, "the smallest float32"),
            (union_of_cells, "*any* of the queries opens"),
            (cut_then_filter, "drop what lies in closed cells"),
            (ragged, "the array of ids is a list"),
            (ids_alone, "asks for two arrays"),
            (too_short, "could not broadcast"),
            (float_ids, "your ids are floats"),
            (only_one_cell, "only the nearest cell"),
            (cells_made_anew, "you work out anew"),
            (masked(-np.inf), "Their score is -inf"),
            (masked(0), "does not shut a vector out"),
            (never_more_than_vectors, "it should be (2, 8)"),
            (opens_until_k, "-1 fills up"),
            (best_of_each_cell, "only the best vector of each cell"),
            (not_sorted_where_few, "the right ids in another order"),
        ),
    ),
}
