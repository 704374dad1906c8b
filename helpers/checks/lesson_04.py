"""The checks of practice 04, exact search against an inverted file."""

from __future__ import annotations

import numpy as np

from helpers.checks.frame import exercise
from helpers.checks.reading import Wrong, describe, number, number_or_none

# 4.1


def ids(row):
    """Return the ids in a row as a set; -1 is none."""
    return {int(i) for i in row} - {-1}


def mean_of(measure, exact_ids, found_ids):
    """Return the mean of `measure` over the pairs of rows."""
    return float(np.mean([measure(*rows) for rows in zip(exact_ids, found_ids, strict=True)]))


def shares(exact_ids, found_ids, of=lambda exact, found: len(exact)):
    """Return for each query how many neighbours were found, divided by `of` both sets of ids."""
    pairs = [(ids(e), ids(f)) for e, f in zip(exact_ids, found_ids, strict=True)]
    return np.array([len(e & f) / max(of(e, f), 1) for e, f in pairs])


def recall(exact_ids, found_ids, **changed):
    """Return the mean of the shares."""
    return float(np.mean(shares(exact_ids, found_ids, **changed)))


def recall_where(kept, exact_ids, found_ids):
    """Return the recall of some queries only."""
    return recall(exact_ids[kept], found_ids[kept])


@exercise(
    "4.1",
    level=1,
    title="A recall that flatters",
    names=["recall_at_k"],
    hints=[
        "In the example, look at the second query alone: which of its three neighbours were found?",
        "Two things count that should not: an id that was found for another query, and a -1 that "
        "meets a -1. Go query by query.",
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
            ([[5, 2]], [[2, 9]]),
            ([[4, 6], [6, 8]], [[-1, -1], [8, 4]]),
            ([[5, 2]], [[-1, -1]]),
            ([[3, 7, 9], [7, 2, 5]], [[9, 3, -1], [3, 2, 7]]),
            ([[4, 1, -1], [2, 6, 8]], [[1, -1, -1], [8, 2, 6]]),
            ([[0, 4, 3], [1, 0, -1], [5, 6, 7]], [[0, 3, 8], [9, 7, 0], [-1, -1, -1]]),
            (
                [[1, 2, 3, 4], [5, 6, -1, -1], [7, -1, -1, -1]],
                [[2, 1, 9, -1], [9, 8, 6, 5], [7] * 4],
            ),
        ):
            yield np.array(exact), np.array(found)
        rng = np.random.default_rng(41)
        exact = np.array([rng.choice(40, 10, replace=False) for _ in range(12)])
        found = np.array([rng.permutation([*row[3:], 41, 42, 43]) for row in exact])
        exact[3:6, 6:], found[2:5, 4:] = -1, -1
        yield exact, found

    mistakes = """
        np.isin(exact_ids, approximate_ids).mean()
            this is still the function as found: it looks for an id among those of *all* queries, and
            takes -1 for an id.
        np.mean([np.isin(e[e != -1], approximate_ids).mean() for e in exact_ids])
            an id counts as found when *any* query has found it. Compare each row with its own.
        mean_of(lambda e, f: len(set(e) & set(f)) / len(e), exact_ids, approximate_ids)
        mean_of(lambda e, f: len(set(e) & set(f)) / len(set(e)), exact_ids, approximate_ids)
        mean_of(lambda e, f: np.isin(e, f).mean(), exact_ids, approximate_ids)
            -1 counts as a neighbour: where both rows hold a -1, nothing was found.
        mean_of(lambda e, f: len(set(e) & set(f)) / len(ids(e)), exact_ids, approximate_ids)
            below the line the -1 is out; above it, a -1 that meets a -1 counts as found.
        recall(np.where(exact_ids > 0, exact_ids, -1), approximate_ids)
            the id 0 is taken for none. Only -1 is no id: `> -1`, not `> 0`.
        (exact_ids == approximate_ids).mean()
        ((exact_ids == approximate_ids) & (exact_ids != -1)).mean()
            you compare place by place. A neighbour that is found in another place is found.
        recall(exact_ids, approximate_ids, of=lambda e, f: exact_ids.shape[1])
            you divide by k. Divide by the exact neighbours that the query has.
        sum(len(ids(e) & ids(f)) for e, f in zip(exact_ids, approximate_ids)) / (exact_ids != -1).sum()
            you add up over all queries and divide once. Take each query's share, then the mean.
        recall(exact_ids, approximate_ids, of=lambda e, f: len(f))
            you divide by how many were found. That is precision: it does not see what is missing.
        recall(exact_ids, approximate_ids, of=lambda e, f: min(len(e), len(f)))
            you divide by the smaller of two numbers. Divide by how many there are to find.
        mean_of(lambda e, f: len(ids(e) & ids(f[: len(ids(e))])) / len(ids(e)), exact_ids, approximate_ids)
            where there are few neighbours you cut off what was found, too. It may come late in the row.
        recall_where((exact_ids != -1).all(1), exact_ids, approximate_ids)
            you leave out the queries with fewer than k neighbours. Every query counts.
        recall_where((approximate_ids != -1).any(1), exact_ids, approximate_ids)
        recall_where(shares(exact_ids, approximate_ids) > 0, exact_ids, approximate_ids)
            queries for which nothing was found are left out of the mean. They count as 0.
        (shares(exact_ids, approximate_ids) > 0).mean()
            you count the queries for which *something* was found. What share of the neighbours?
        shares(exact_ids, approximate_ids)[0]
            this is the share of the first query. Is there a `return` inside the loop?
        np.median(shares(exact_ids, approximate_ids))
            this is the median of the shares. The task asks for their mean.
    """


# 4.2


class Search:
    """An index as 4.2 sees it: `search(nprobe)` gives ids, others and -1 among them. Neighbour j of
    query q is found from ``found_from[q, j]`` cells on; beyond `nlist`, never.
    """

    def __init__(self, exact, found_from, nlist):
        self.exact, self.found_from, self.nlist = exact, found_from, nlist
        self.calls, self.refused = 0, ""

    def __repr__(self):
        return f"search, for nprobe from 1 to {self.nlist}"

    def __call__(self, nprobe):
        if not isinstance(nprobe, (int, np.integer)):
            self.refused = "a number of cells is a whole one. When you halve, `//` keeps it whole."
        elif not 1 <= nprobe <= self.nlist:
            self.refused = f"nprobe runs from 1 to `nlist`, here {self.nlist}."
        if self.refused:
            raise Wrong(f"you call search({describe(nprobe)}): {self.refused}")
        self.calls += 1
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
    return next((p for p in nprobes if measure(search.exact, search(p)) >= target - 1e-9), None)


def recalls(search):
    """Return the recall of each nprobe, from 1 on."""
    return np.array([recall(search.exact, search(p)) for p in range(1, search.nlist + 1)])


def stands(search):
    """Return the first place, from 0, after which one more cell finds nothing more."""
    return int(np.argmin(np.append(np.diff(recalls(search)), 0) != 0))


@exercise(
    "4.2",
    level=2,
    title="Just enough",
    names=["smallest_nprobe"],
    hints=[
        "Begin with the simplest thing that could be right: try nprobe 1, then 2, and so on.",
        "`search(nprobe)` gives ids; your `recall_at_k` makes a recall of them. Mind the ends: 1 may "
        "be enough, and `nlist` itself must still be tried.",
        "`for nprobe in range(1, nlist + 1)`: return nprobe as soon as the recall is `>= target`; "
        "after the loop, return None. For fewer searches: if the middle of what is left reaches the "
        "target, the answer is there or below; if not, above.",
    ],
)
class SmallestNprobe:
    """Linear or by halves; both ends, exact hits, and a target out of reach."""

    reads = number_or_none

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
            ([[2, 1, 3], [1, 3, 6]], 0.67, 6),
            ([[1, 4, 9], [5, 7, 9]], 0.17, 7),
            ([[1, 9, 3], [9, 7, 9], [2, 9, 6]], 0.5, 7),
        ):
            found_from = np.array(found_from)
            yield np.arange(found_from.size).reshape(found_from.shape), found_from, target, nlist
        rng = np.random.default_rng(42)
        exact = np.array([rng.choice(50, 10, replace=False) for _ in range(12)])
        found_from = 1 + np.minimum(rng.exponential(11.0, (12, 10)).astype(int), 82)
        for target in (0.305, 0.71, 0.909):
            yield exact, found_from, target, 83

    def make(exact_ids, found_from, target, nlist):
        return exact_ids, Search(exact_ids, found_from, nlist), target, nlist

    def play(answer, exact_ids, search, target, nlist):
        found = answer(exact_ids, search, target, nlist)
        if search.refused:
            raise Wrong(f"you call search with a wrong number of cells: {search.refused}")
        return found

    def praise(answer):
        spec = SmallestNprobe.spec
        *_, case = spec.cases()
        arguments = spec.make(*case)
        answer(*arguments)
        calls = arguments[1].calls
        fewer = (
            ""
            if calls <= 10
            else " Each search in the middle could halve what is left: 7 would do."
        )
        return f"right, with {calls} searches among 83 cells. Recall never falls.{fewer}"

    mistakes = """
        first(search, target, nprobes=[p for p in (1, 2, 4, 8, 16, 32, 64) if p <= nlist])
            you try powers of two only. The smallest may lie between them.
        first(search, target + 1e-6)
            a recall that is exactly the target has reached it: `>=`, not `>`.
        ((first(search, target) or nlist + 1) - 1) or None
            this is the last nprobe that does *not* reach the target, the other end of a search by
            halves.
        first(search, target, lambda e, f: round(recall(e, f), 2))
            you round the recall before you compare it. Rounded up, it seems to reach what it misses.
        first(search, target - 0.01)
            you let a recall pass that is 0.01 below the target. It must be reached.
        first(search, 0.95)
            you aim at 0.95, whatever `target` is.
        first(search, target, lambda e, f: (f != -1).mean())
            you count the places that are filled. An id found need not be a true neighbour.
        first(search, target, lambda e, f: np.isin(e, f).mean())
            you compare with the ids of *all* queries. A neighbour must be found for its own query.
        first(search, target, lambda e, f: (e == f).mean())
            you compare place by place. A neighbour that is found in another place is found.
        first(search, target, lambda e, f: recall(e, f, of=lambda e, f: len(f)))
            you divide by how many ids were found. Recall divides by how many there are to find.
        first(search, target, lambda e, f: shares(e, f).min())
            you wait until *every* query reaches the target. Recall is the mean over them.
        first(search, target, lambda e, f: (shares(e, f) > 0).mean())
            you count the queries for which *something* is found. Recall is the share of neighbours.
        first(search, target, nprobes=[1])
            you give up after the first nprobe. `return None` comes after the loop.
        first(search, target, nprobes=range(1, 2 + stands(search)))
            you give up where one more cell finds nothing more. The next cell may.
        int(np.argmax(recalls(search) >= target))
            this is the place in a list, counted from 0; its first nprobe is 1.
        int(np.argmax(recalls(search) >= target)) + 1
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


# 4.3


def size_of(kind, n, dimension, nlist, links, pieces):
    """Return the bytes of an index."""
    return {
        "flat": 4 * n * dimension,
        "ivf": n * (4 * dimension + 8) + 4 * nlist * dimension,
        "hnsw": n * (4 * dimension + 8 * links),
        "sq8": n * dimension + 8 * dimension,
        "pq": n * pieces + 1024 * dimension,
    }[kind]


def but(kind, formula):
    """Return an answer with another formula, of five sizes, for one kind."""
    return lambda asked, *sizes: formula(*sizes) if asked == kind else size_of(asked, *sizes)


@exercise(
    "4.3",
    level=1,
    title="What it weighs",
    names=["index_bytes"],
    hints=[
        "Write each line of the table as (what every vector costs) × n + (what is kept once).",
        "Kept once are: the centroids of `ivf`, the ranges of `sq8`, the patterns of `pq`. Mind what "
        "is float32 (4 bytes) and what is one byte.",
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

    mistakes = [
        (but("flat", lambda n, d, *_: 8 * n * d), "float32 takes 4 bytes a number, not 8."),
        (but("flat", lambda n, d, *_: n * d), "these are numbers. Each takes 4 bytes."),
        (but("ivf", lambda n, d, *_: n * (4 * d + 8)), "the centroids are missing."),
        (but("ivf", lambda n, d, c, *_: 4 * (n + c) * d), "the ids are missing."),
        (but("ivf", lambda n, d, *_: 4 * n * d), "ids and centroids are missing: that is Flat."),
        (but("ivf", lambda n, d, c, *_: 4 * (n + c) * d + 4 * n), "an id takes 8 bytes, not 4."),
        (but("ivf", lambda n, d, c, *_: (n + c) * (4 * d + 8)), "only the vectors have ids."),
        (but("hnsw", lambda n, d, c, m, _: 4 * n * (d + m)), "a vector has 2 × links, not links."),
        (but("hnsw", lambda n, d, *_: 4 * n * d), "the links are missing: that is Flat."),
        (but("hnsw", lambda n, d, c, *_: size_of("ivf", n, d, c, 0, 0)), "that is what IVF takes."),
        (but("sq8", lambda n, d, *_: n * d), "the ranges are missing. Nobody can decode without."),
        (but("sq8", lambda n, d, *_: n * d + 8), "there is a range for *each dimension*."),
        (but("sq8", lambda n, d, *_: n * d + 4 * d), "a range has a beginning *and* a width."),
        (but("sq8", lambda n, d, *_: 4 * n * d + 8 * d), "SQ8 keeps one byte a number, not four."),
        (but("pq", lambda n, d, c, m, p: n * p), "the patterns are missing."),
        (
            but("pq", lambda n, d, c, m, p: n * p + 1024 * p * d),
            "a pattern is as long as a *piece*.",
        ),
        (
            but("pq", lambda n, d, c, m, p: n * p + 1024 * (d // p)),
            "each *piece* has 256 patterns.",
        ),
        (but("pq", lambda n, d, *_: (n + 1024) * d), "one byte for each *piece*, not each number."),
        (
            but("pq", lambda n, d, c, m, p: n * (d // p) + 1024 * d),
            "`pieces` is how many pieces there are, not how long they are.",
        ),
        (lambda kind, n, *rest: size_of(kind, n, *rest) / n, "this is for one vector."),
        (lambda *sizes: size_of(*sizes) / 1e6, "these are megabytes. The task asks for bytes."),
        (lambda *sizes: 8 * size_of(*sizes), "these are bits. 8 are one byte."),
        (lambda kind, n, d, *rest: size_of(kind, n, 384, *rest), "your dimension is always 384."),
        (
            lambda *sizes: (size_of(*sizes) + 2**31) % 2**32 - 2**31,
            "large sizes are more than an int32 can count: it begins again from below.",
        ),
    ]


# 4.4
