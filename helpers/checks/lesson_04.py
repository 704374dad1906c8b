"""The checks of practice 04, exact search against an inverted file."""

from __future__ import annotations

import numpy as np

from helpers.checks.frame import exercise
from helpers.checks.reading import Wrong, array, describe, mapping, number, parts, same


def ids(row):
    """Return the ids in a row as a set; -1 is none."""
    return {int(i) for i in row} - {-1}


def shares(exact_ids, found_ids, of=lambda exact, found: len(exact)):
    """Return for each query how many neighbours were found, divided by `of` both sets of ids."""
    pairs = [(ids(e), ids(f)) for e, f in zip(exact_ids, found_ids, strict=True)]
    return np.array([len(e & f) / max(of(e, f), 1) for e, f in pairs])


def recall(exact_ids, found_ids, kept=lambda exact, found: slice(None), **changed):
    """Return the mean of the shares of the queries that are `kept`."""
    return float(shares(exact_ids, found_ids, **changed)[kept(exact_ids, found_ids)].mean())


@exercise(
    "4.1",
    level=1,
    title="A recall that flatters",
    names=["recall_at_k"],
    hints=[
        "In the example, look at the second query alone: which of its three neighbours were found?",
        "Two things count that should not: an id found for another query, and a -1 that meets a -1.",
        "For each pair of rows: `true = set(exact) - {-1}`, the share is "
        "`len(true & set(approximate)) / len(true)`. Return the mean of the shares.",
    ],
)
class RecallAtK:
    """Each query by itself, in any order, -1 is nobody, and 0 is an id."""

    reads = number
    praise = "right: each query by itself, in any order, and -1 is nobody."

    def reference(exact_ids, approximate_ids):
        return recall(exact_ids, approximate_ids)

    def cases():
        for exact, found in (
            ([[0, 2]], [[9, 0]]),
            ([[4, 6], [6, 8]], [[-1, -1], [8, 4]]),
            ([[5, 2]], [[-1, -1]]),
            ([[3, 7, 9], [7, 2, 5]], [[9, 3, -1], [3, 2, 7]]),
            ([[4, 1, -1], [2, 6, 8]], [[1, -1, -1], [8, 2, 6]]),
            ([[0, 4, 3], [1, 0, -1], [5, 6, 7]], [[0, 3, 8], [9, 7, 0], [-1, -1, -1]]),
            (
                [[1, 2, 3, 4], [5, 6, -1, -1], [7] + [-1] * 3],
                [[2, 1, 9, -1], [9, 8, 6, 5], [7] * 4],
            ),
        ):
            yield np.array(exact), np.array(found)

    mistakes = """
        np.isin(exact_ids, approximate_ids).mean()
            this is the function as found: it looks among the ids of *all* queries, and counts -1.
        np.mean([np.isin(e[e != -1], approximate_ids).mean() for e in exact_ids])
            an id counts as found when *any* query has found it. Compare each row with its own.
        np.mean([len({*e} & {*f}) / len({*e}) for e, f in zip(exact_ids, approximate_ids)])
            -1 counts as a neighbour: where both rows hold a -1, nothing was found.
        recall(np.where(exact_ids > 0, exact_ids, -1), approximate_ids)
            the id 0 is taken for none. Only -1 is no id: `> -1`, not `> 0`.
        (exact_ids == approximate_ids).mean()
        ((exact_ids == approximate_ids) & (exact_ids != -1)).mean()
            you compare place by place. A neighbour that is found in another place is found.
        recall(exact_ids, approximate_ids, of=lambda e, f: exact_ids.shape[1])
            you divide by k. Divide by the exact neighbours that the query has.
        sum(len(ids(e) & ids(f)) for e, f in zip(exact_ids, approximate_ids)) / (exact_ids > -1).sum()
            you add up over all queries and divide once. Take each query's share, then the mean.
        recall(exact_ids, approximate_ids, of=lambda e, f: len(f))
            you divide by how many were found. That is precision: it does not see what is missing.
        recall(exact_ids, approximate_ids, kept=lambda e, f: (e != -1).all(1))
            you leave out the queries with fewer than k neighbours. Every query counts.
        recall(exact_ids, approximate_ids, kept=lambda e, f: shares(e, f) > 0)
        recall(exact_ids, approximate_ids, kept=lambda e, f: (f != -1).any(1))
            queries for which nothing was found are left out of the mean. They count as 0.
        (shares(exact_ids, approximate_ids) > 0).mean()
            you count the queries for which *something* was found. What share of the neighbours?
        shares(exact_ids, approximate_ids)[0]
            this is the share of the first query. Is there a `return` inside the loop?
    """


class Search:
    """An index as 4.2 sees it: ``search(nprobe)`` gives ids, others and -1 among them. Neighbour j
    of query q is found from ``found_from[q, j]`` cells on; beyond `nlist`, never."""

    def __init__(self, exact, found_from, nlist):
        self.exact, self.found_from, self.nlist, self.refused = exact, found_from, nlist, ""

    def __repr__(self):
        return f"search, for nprobe from 1 to {self.nlist}"

    def __call__(self, nprobe):
        if nprobe not in range(1, self.nlist + 1):
            self.refused = (
                f"you call search({describe(nprobe)}), but nprobe runs from 1 to `nlist`, here "
                f"{self.nlist}, and is whole. When you halve, `//` keeps it whole."
            )
        if self.refused:
            raise Wrong(self.refused)
        found, k = np.full(self.exact.shape, -1), self.exact.shape[1]
        for q, row in enumerate(self.exact):
            others = np.setdiff1d(self.exact[q - 1], row)[: k // 2 if nprobe > 1 else 0]
            true = row[self.found_from[q] <= nprobe][:: 1 if q % 2 else -1]
            filled = np.append(true, others)[:k]
            found[q, : len(filled)] = filled
        return found


def first(search, target, measure=recall, nprobes=None):
    """Return the first of `nprobes` (all of them, upwards) where `measure` reaches the target."""
    nprobes = range(1, search.nlist + 1) if nprobes is None else nprobes
    return next((p for p in nprobes if measure(search.exact, search(p)) >= target - 1e-12), None)


@exercise(
    "4.2",
    level=2,
    title="Just enough",
    names=["smallest_nprobe"],
    hints=[
        "Begin with the simplest thing that could be right: try nprobe 1, then 2, and so on.",
        "Your `recall_at_k` makes a recall of `search(nprobe)`. Try all, from 1 to `nlist` itself.",
        "`for nprobe in range(1, nlist + 1)`: return nprobe as soon as the recall is `>= target`; "
        "after the loop, return None. For fewer searches: if the middle of what is left reaches the "
        "target, the answer is there or below; if not, above.",
    ],
)
class SmallestNprobe:
    """Linear or by halves; both ends, exact hits, and a target out of reach."""

    praise = "right. Recall never falls, so halving finds it: 7 searches do for 83 cells."

    def reads(value):
        return None if value is None else number(value)

    def reference(exact_ids, search, target, nlist):
        return first(search, target)

    def cases():
        for found_from, target, nlist in (
            ([[1, 3], [2, 3]], 0.5, 4),
            ([[1, 3], [3, 4]], 0.75, 5),
            ([[1, 3], [2, 4]], 1.0, 4),
            ([[2, 1], [1, 1]], 0.75, 3),
            ([[1, 2], [3, 9]], 1.0, 4),
            ([[1, 1], [1, 1]], 0.9, 3),
            ([[9, 2], [9, 9]], 0.5, 3),
            ([[1, 9], [2, 2]], 0.9, 4),
            ([[1, 1], [5, 6]], 0.75, 6),
            ([[1, 3], [4, 4]], 1.0, 4),
            ([[2, 1, 3], [1, 4, 6]], 0.67, 6),
            ([[1, 4, 9], [5, 7, 9]], 0.17, 7),
            ([[1, 9, 3], [9, 7, 9], [2, 9, 6]], 0.5, 7),
        ):
            found_from = np.array(found_from)
            yield np.arange(found_from.size).reshape(found_from.shape), found_from, target, nlist

    def make(exact_ids, found_from, target, nlist):
        return exact_ids, Search(exact_ids, found_from, nlist), target, nlist

    def play(answer, exact_ids, search, target, nlist):
        found = answer(exact_ids, search, target, nlist)
        if search.refused:  # even if the answer has caught that
            raise Wrong(search.refused)
        return found

    mistakes = """
        first(search, target, nprobes=[p for p in (1, 2, 4, 8) if p <= nlist])
            you try powers of two only. The smallest may lie between them.
        ((first(search, target) or nlist + 1) - 1) or None
            this is the last nprobe that does *not* reach the target, the other end of the halves.
        first(search, target, lambda e, f: round(recall(e, f), 2))
            you round the recall before you compare it: it seems to reach what it misses.
        first(search, target, lambda e, f: (f != -1).mean())
            you count the places that are filled. An id found need not be a true neighbour.
        first(search, target, lambda e, f: np.isin(e, f).mean())
            you compare with the ids of *all* queries. A neighbour must be found for its own query.
        first(search, target, lambda e, f: recall(e, f, of=lambda e, f: len(f)))
            you divide by how many ids were found. Recall divides by how many there are to find.
        first(search, target, lambda e, f: (shares(e, f) > 0).mean())
            you count the queries for which *something* is found. Recall is the share of neighbours.
        int(np.argmax([recall(exact_ids, search(p)) >= target for p in range(1, nlist + 1)])) + 1
            where no nprobe is enough, `np.argmax` gives the first. Return None there.
        first(search, target, lambda e, f: 100 * recall(e, f))
        first(search, target, lambda e, f: e.size * recall(e, f))
            what you compare is larger than a recall. Is it in per cent, or a number of hits?
        first(search, 0, lambda e, f: -abs(recall(e, f) - target))
            you wait for a recall that *equals* the target. Most jump over it: `>=`.
        first(search, target, nprobes=range(1, nlist))
            the last cell is never tried: `range(1, nlist)` ends before nlist.
        first(search, target) or nlist
        first(search, target) or -1
        first(search, target) or 0
            where not even `nlist` reaches the target, the task asks for None.
        first(search, target) and recall(exact_ids, search(first(search, target)))
            this is the recall reached. Return the nprobe.
    """


def size_of(kind, n, dimension, nlist, links, pieces):
    """Return the bytes of an index."""
    return {
        "flat": 4 * n * dimension,
        "ivf": n * (4 * dimension + 8) + 4 * nlist * dimension,
        "hnsw": n * (4 * dimension + 8 * links),
        "sq8": n * dimension + 8 * dimension,
        "pq": n * pieces + 1024 * dimension,
    }[kind]


def on(kind, formula):
    """Return an answer with another formula, of n, d, nlist, links and pieces, for one kind."""
    return lambda asked, *sizes: formula(*sizes) if asked == kind else size_of(asked, *sizes)


@exercise(
    "4.3",
    level=1,
    title="What it weighs",
    names=["index_bytes"],
    hints=[
        "Write each line of the table as (what every vector costs) × n + (what is kept once).",
        "Kept once: the centroids of `ivf`, the ranges of `sq8`, the patterns of `pq`, all float32.",
        "`ivf`: n × (4 × dimension + 8) + nlist × 4 × dimension. `pq`: n × pieces + 256 × pieces × "
        "(dimension / pieces) × 4. The other three are shorter.",
    ],
)
class IndexBytes:
    """Kind by kind, and sizes that no int32 can hold."""

    reads = number
    praise = "right, all five, what every vector costs and what is kept once."
    reference = size_of

    def cases():
        for kind in ("flat", "ivf", "hnsw", "sq8", "pq"):
            yield kind, 10, 8, 3, 5, 2
            yield kind, 960, 384, 32, 16, 48
        yield "flat", 2_000_000, 768, 4096, 32, 96
        yield "hnsw", 3_000_000, 512, 4096, 32, 64

    def agrees(found, expected, *case):
        return abs(found - expected) < 0.5

    mistakes = (
        (on("flat", lambda n, d, *_: 8 * n * d), "float32 takes 4 bytes a number, not 8."),
        (on("flat", lambda n, d, *_: n * d), "these are numbers. Each takes 4 bytes."),
        (on("ivf", lambda n, d, *_: n * (4 * d + 8)), "the centroids are missing."),
        (on("ivf", lambda n, d, c, *_: 4 * (n + c) * d), "the ids are missing."),
        (on("ivf", lambda n, d, *_: 4 * n * d), "ids and centroids are missing: that is Flat."),
        (on("ivf", lambda n, d, c, *_: (n + c) * (4 * d + 8)), "only the vectors have ids."),
        (on("hnsw", lambda n, d, c, m, _: 4 * n * (d + m)), "a vector has 2 × links, not links."),
        (on("hnsw", lambda n, d, *_: 4 * n * d), "the links are missing: that is Flat."),
        (on("hnsw", lambda n, d, c, *_: size_of("ivf", n, d, c, 0, 0)), "that is what IVF takes."),
        (on("sq8", lambda n, d, *_: n * d), "the ranges are missing. Nobody can decode without."),
        (on("sq8", lambda n, d, *_: n * d + 8), "there is a range for *each dimension*."),
        (on("pq", lambda n, d, c, m, p: n * p), "the patterns are missing."),
        (on("pq", lambda n, d, c, m, p: n * p + 1024 * p * d), "a *piece* is shorter."),
        (on("pq", lambda n, d, *_: (n + 1024) * d), "one byte for each *piece*, not each number."),
        (on("pq", lambda n, d, c, m, p: n * (d // p) + 1024 * d), "`pieces` is no length."),
        (lambda kind, n, *rest: size_of(kind, n, *rest) / n, "this is for one vector."),
        (lambda *sizes: size_of(*sizes) / 1e6, "these are megabytes. The task asks for bytes."),
        (lambda kind, n, d, *rest: size_of(kind, n, 384, *rest), "your dimension is always 384."),
        (lambda *of: (size_of(*of) + 2**31) % 2**32 - 2**31, "an int32 is too small."),
    )


def verdicts(exact, approximate, target, best=min, middle=np.median, base=None, turned=1, turn=1):
    """Return the verdicts; `middle` (`base`) of runs stands for them, `turn` decides the word."""
    fastest = best([(base or middle)(runs) for runs in exact.values()])
    found = {}
    for name, (runs, recall_reached) in approximate.items():
        ratio = float(fastest / middle(runs))
        pair = ratio**turned, "faster" if ratio**turn > 1 else "slower"
        found[name] = pair if recall_reached >= target else (None, "not comparable")
    return found


def read_verdicts(value):
    """Return a dictionary of pairs (number or None, word)."""
    for name, pair in mapping(value).items():
        what = f"the verdict on {name!r} is {describe(pair)}"
        if isinstance(pair, str) or not hasattr(pair, "__len__") or len(pair) != 2:
            raise Wrong(f"{what}; the task asks for a pair (speed_up, word).")
        if pair[1] not in ("faster", "slower", "not comparable"):
            raise Wrong(f'{what}; its second is no word of "faster", "slower", "not comparable".')
        if pair[1] == "not comparable" and pair[0] is not None:
            raise Wrong(f"{what}: where nothing can be compared there is no speed-up, but None.")
        if pair[0] is not None:
            number(pair[0], f"the speed-up of {name!r}")
    return value


@exercise(
    "4.4",
    level=2,
    title="Faster than what?",
    names=["verdict"],
    hints=[
        "Before any ratio: what is the one number that stands for each list of five times?",
        "The denominator of an honest claim is the fastest of the exact searches, by its median. And "
        "whoever finds too little may be as fast as they like.",
        "`best = min(np.median(runs) for runs in exact.values())`; for each approximate search either "
        '`(None, "not comparable")` or `best / np.median(runs)` and the word for it.',
    ],
)
class Verdict:
    """Medians, the best exact search, and only at the same recall."""

    reads = read_verdicts
    praise = "right: medians, the best exact search, and only where the recall is reached."

    def reference(exact, approximate, target):
        return verdicts(exact, approximate, target)

    def cases():
        ivf, flat = ([4.0, 3.0, 1.0, 1.5, 8.0], 0.9), [9.0, 5.0, 4.0, 3.0, 6.0]
        loop, blas, torch = [8.0, 3, 4, 6, 7], [2.0, 9, 5, 4.1, 4.2], [7.0, 3.5, 3.9, 3.6, 3.7]
        long, found = [6.0, 4, 40, 4.4, 4.2], {"ivf": ([6.0, 3, 5, 7, 4], 0.95)}
        yield {"flat": flat}, {"ivf": ivf}, 0.8
        yield {"flat": flat}, {"ivf": ivf, "pq": ([0.1, 0.2, 0.1, 0.3, 0.1], 0.7)}, 0.9
        yield {"numpy": [7.0, 4, 2, 2.5, 3.5], "flat": [8, 1, 5, 9, 6]}, {"ivf": ivf}, 0.8
        yield {"loop": loop, "blas": torch, "numpy": blas}, found, 0.95
        yield {"c": [1.0, 9, 7, 8, 7.5], "b": long, "a": [5.0] * 5}, {"x": ivf}, 0.9
        exact = {"a": loop, "b": blas, "d": [3.0, 4.4, 4.6, 0.5, 4.5], "c": torch, "e": flat}
        found = {"hnsw": ([3.0, 1.25, 9, 1, 1.2], 0.9), "sq8": ([3.0, 6, 4, 7, 5], 0.97)}
        yield exact, found, 0.93

    def agrees(found, expected, *case):
        return same(found, expected, 1e-6)

    mistakes = """
        verdicts(exact, approximate, target, max)
            you compare with the *slowest* exact search. Nobody has to use that one.
        verdicts(exact, approximate, target, np.mean)
        verdicts(exact, approximate, target, np.median)
            you compare with the middle of the exact searches. A reader would use the best one.
        verdicts(exact, approximate, target, lambda medians: medians[0])
        verdicts(exact, approximate, target, lambda medians: medians[-1])
            you compare with the exact search that stands first, or last. The best one counts.
        verdicts({"": exact[min(exact)]}, approximate, target)
            you take the `min` of the dictionary, and that compares *names*. Compare medians.
        verdicts({"": min(exact.values())}, approximate, target)
            you take the `min` of the lists, and that compares their first runs. Compare medians.
        verdicts({"": min(exact.values(), key=min)}, approximate, target)
            you choose the exact search that has the fastest single run. Compare medians.
        verdicts(exact, approximate, target, base=min)
            for the exact searches you take the fastest run of all. A median stands for each.
        verdicts(exact, approximate, target, middle=np.mean)
        verdicts(exact, approximate, target, middle=np.mean, base=np.median)
        verdicts(exact, approximate, target, base=np.mean)
            you take the mean (or the sum) of runs. One disturbed run moves it; the median not.
        verdicts(exact, approximate, target, middle=min)
        verdicts(exact, approximate, target, middle=min, base=np.median)
            you take the fastest run. A lucky run is no promise: take the median.
        verdicts(exact, approximate, target, middle=max)
            you take the slowest run. One that was disturbed decides: take the median.
        verdicts(exact, approximate, target, middle=lambda runs: runs[0])
            you take the first run, in which everything warms up. Take the median.
        verdicts(exact, approximate, target, middle=lambda runs: runs[2])
            you take the run in the middle of the list, which is not sorted.
        verdicts(exact, approximate, target, turned=-1)
        verdicts(exact, approximate, target, turned=-1, turn=-1)
            your ratio is upside down. Divide the time of the exact search by the other.
        verdicts(exact, approximate, target, turn=-1)
            the words are the wrong way round: above 1 is "faster".
        reference(exact, approximate, 0)
            you ignore the recall. A search that finds too little is fast for want of work.
        {n: pair for n, pair in reference(exact, approximate, target).items() if pair[0]}
            a search that misses the target is left out. It gets `(None, "not comparable")`.
        {n: (r and round(r, 2), w) for n, (r, w) in reference(exact, approximate, target).items()}
        {n: (r and round(r, 3), w) for n, (r, w) in reference(exact, approximate, target).items()}
            what you return is rounded. Round where you print, not before.
    """


def nearest(query, centroids):
    """Return the cells by their inner product with the query, best first."""
    return np.argsort(-(centroids @ query), kind="stable")


def ivf(
    queries, vectors, centroids, cell_of, nprobe, k, cells=nearest, fill=(-1, -np.inf), down=-1
):
    """Return ids and scores of the best vectors in the first `nprobe` of `cells`."""
    found_ids, found_scores = (np.full((len(queries), k), value) for value in fill)
    for q, query in enumerate(queries):
        rows = np.flatnonzero(np.isin(cell_of, cells(query, centroids)[:nprobe]))
        scores = vectors[rows] @ query
        order = np.argsort(down * scores)[:k]
        found_ids[q, : len(order)], found_scores[q, : len(order)] = rows[order], scores[order]
    return found_ids, found_scores


def inside(queries, vectors, centroids, cell_of, nprobe, k):
    """Return what is found with ids that count within the opened cells; -1 stays."""
    found, scores = ivf(queries, vectors, centroids, cell_of, nprobe, k)
    for row, query in zip(found, queries, strict=True):
        opened = np.isin(cell_of, nearest(query, centroids)[:nprobe])
        row[row >= 0] = np.cumsum(opened)[row[row >= 0]] - 1
    return found, scores


def read_found(value):
    """Return two arrays, the ids as whole numbers."""
    found = parts(array, array)(value)
    if np.asarray(value[0]).dtype.kind == "f" and np.array_equal(found[0], np.round(found[0])):
        raise Wrong("your ids are floats; `vectors[ids]` refuses them. Use `np.full(shape, -1)`.")
    return found


@exercise(
    "4.5",
    level=3,
    title="An inverted file of your own",
    names=["ivf_search"],
    hints=[
        "For each query: which cells does it open, which vectors lie in them, which are the best?",
        "`np.flatnonzero(np.isin(cell_of, opened))` has the rows in opened cells. Begin with -1, -inf.",
        "For each query: `opened = np.argsort(-(centroids @ query))[:nprobe]`, `rows = "
        "np.flatnonzero(np.isin(cell_of, opened))`, `found = vectors[rows] @ query`, `best = "
        "np.argsort(-found)[:k]`; then `ids[q, :len(best)] = rows[best]`, and the scores likewise.",
    ],
)
class IvfSearch:
    """Cells by inner product, each query its own, and fewer than k where the cells are empty."""

    reads = read_found
    praise = "right: the cells first, then the best in them, and where they hold too few, -1."

    def reference(queries, vectors, centroids, cell_of, nprobe, k):
        return ivf(queries, vectors, centroids, cell_of, nprobe, k)

    def cases():
        vectors = np.array([[0.6, 0.8], [0.8, 0.6], [0, 1], [-0.6, 0.8], [-0.8, -0.6], [1, 0]])
        centroids = np.array([[1.6, 0.9], [-0.3, 0.9], [-1.0, -0.4]])
        east, north, west = np.array([[[1.0, 0]], [[0.28, 0.96]], [[-0.96, 0.28]]])
        yield east, vectors[:4], centroids[:2], np.array([0, 1, 1, 0]), 1, 1
        yield east, vectors[:4], centroids[:2], np.array([0, 1, 1, 0]), 1, 3
        yield north, vectors[:4], centroids, np.array([0, 1, 0, 2]), 1, 2
        yield west, vectors[:5], centroids, np.array([2, 2, 1, 0, 0]), 1, 3
        yield np.vstack([east, west]), vectors, centroids, np.array([0, 1, 1, 2, 2, 2]), 1, 2
        yield np.vstack([north, east]), vectors, centroids, np.array([0, 0, 1, 2, 2, 1]), 2, 3
        yield np.vstack([west, north]), vectors[:5], centroids, np.array([0, 1, 1, 0, 1]), 2, 7
        rng = np.random.default_rng(45)
        for dtype in (float, np.float32):
            rows, cells = (rng.normal(size=(n, 5)).astype(dtype) for n in (50, 8))
            rows /= np.linalg.norm(rows, axis=1, keepdims=True)
            cells *= np.linspace(0.2, 2, 8, dtype=dtype)[:, None]
            yield rows[:3], rows[3:], cells, rng.choice([0, 1, 3, 4, 6], 47), 3, 9

    def agrees(found, expected, *case):
        for name, mine, right in zip(("ids", "scores"), found, expected, strict=True):
            if mine.shape != right.shape:
                said = f"your {name} have the shape {mine.shape}; it should be {right.shape}."
                raise Wrong(f"{said} Where there are too few candidates, fill up with -1 and -inf.")
        return same(found, expected)

    mistakes = """
        reference(queries, vectors, centroids, cell_of, len(centroids), k)
            you search all vectors, which is the exact search. Look into `nprobe` cells only.
        reference(queries, vectors, -centroids, cell_of, nprobe, k)
            you open the cells that are *farthest*. A large inner product means near.
        ivf(queries, vectors, centroids, cell_of, nprobe, k, lambda q, c: np.argsort(((c - q) ** 2).sum(1)))
            you choose the cells by Euclidean distance, which is another order than by inner product.
        reference(queries, vectors, centroids, np.argmax(vectors @ centroids.T, axis=1), nprobe, k)
            you work out anew in which cell each vector lies. `cell_of` says it.
        ivf(queries, vectors, centroids, cell_of, nprobe, k, down=1)
            you keep the k *smallest* inner products. Best first means largest first.
        inside(queries, vectors, centroids, cell_of, nprobe, k)
            your ids count within the opened cells. Turn them into rows of `vectors`: `rows[best]`.
        ivf(queries, vectors, centroids, cell_of, None, k, lambda q, c: [j for x in queries for j in nearest(x, c)[:nprobe]])
            every query looks into the cells that *any* of them opens. Each opens its own.
        ivf(queries, vectors, centroids, cell_of, nprobe, k, fill=(-1, 0.0))
        ivf(queries, vectors, centroids, cell_of, nprobe, k, fill=(-1, float(np.finfo("f").min)))
            where nothing is found, the score is not -inf. The task asks for -inf there.
        ivf(queries, vectors, centroids, cell_of, nprobe, k, fill=(0, -np.inf))
        ivf(queries, vectors, centroids, cell_of, nprobe, k, fill=(0, 0.0))
            where nothing is found, the id is 0. That is the first vector: the task asks for -1.
    """
