"""The checks of practice 04, exact search against an inverted file."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from helpers.checks.exercise import (
    Answer,
    Case,
    Mistake,
    Wrong,
    array,
    describe,
    exercise,
    judge,
    mapping,
    number,
    same,
    sequence,
)

# 4.1


def recall_at_k(exact_ids: np.ndarray, approximate_ids: np.ndarray) -> float:
    """Return the mean over the queries of the share of their exact neighbours that were found; -1
    is no neighbour.
    """
    return float(np.mean(_shares(exact_ids, approximate_ids)))


def _neighbours(ids: np.ndarray) -> set[int]:
    return {int(i) for i in ids if i != -1}


def _shares(exact_ids, approximate_ids):
    shares = []
    for exact, approximate in zip(exact_ids, approximate_ids, strict=True):
        wanted = _neighbours(exact)
        shares.append(len(wanted & _neighbours(approximate)) / len(wanted))
    return np.array(shares)


def _over_queries(measure):
    """Return the mean over the queries of `measure`, which is given two rows of ids."""
    return lambda exact, approximate: float(
        np.mean([measure(e, a) for e, a in zip(exact, approximate, strict=True)])
    )


def _hits(exact, approximate):
    return len(_neighbours(exact) & _neighbours(approximate))


def _as_found(exact_ids, approximate_ids):
    return np.isin(exact_ids, approximate_ids).mean()


def _any_query(exact_ids, approximate_ids):
    """The -1 are out, but an id found for one query counts for all."""
    return np.mean(
        [
            np.isin(row[row != -1], approximate_ids[approximate_ids != -1]).mean()
            for row in exact_ids
        ]
    )


def _pooled(exact_ids, approximate_ids):
    hits = sum(_hits(e, a) for e, a in zip(exact_ids, approximate_ids, strict=True))
    return hits / (exact_ids != -1).sum()


def _same_place(exact_ids, approximate_ids):
    hits = (exact_ids == approximate_ids) & (exact_ids != -1)
    return np.mean(hits.sum(axis=1) / (exact_ids != -1).sum(axis=1))


def _complete_only(exact_ids, approximate_ids):
    complete = (exact_ids != -1).all(axis=1)
    return _shares(exact_ids[complete], approximate_ids[complete]).mean()


def _searched(rng, queries, k, fewer=()):
    """Return exact ids and what a forgetful search finds: in another order, with ids that belong
    to other queries, and with -1 at the end. `fewer` are the queries with fewer than k neighbours.
    """
    exact = np.array([rng.choice(4 * k, k, replace=False) for _ in range(queries)])
    found = np.full((queries, k), -1)
    for q, row in enumerate(exact):
        if q in fewer:
            row[int(rng.integers(1, k)) :] = -1
        true = row[row != -1]
        kept = rng.permutation(true)[: int(rng.integers(0, len(true) + 1))]
        others = np.setdiff1d(exact[(q + 1) % queries], np.append(row, -1))
        row_found = rng.permutation(np.append(kept, others[: int(rng.integers(1, 3))]))[:k]
        found[q, : len(row_found)] = row_found
    return exact, found


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
def exercise_4_1(answer: Answer) -> str:
    """Each query by itself, in any order, and -1 is nobody."""
    rng = np.random.default_rng(411)
    small = Case(
        (np.array([[3, 7, 9], [7, 2, 5]]), np.array([[9, 3, -1], [3, 2, 7]])),
        "exact ids [[3, 7, 9], [7, 2, 5]] and found ids [[9, 3, -1], [3, 2, 7]]",
    )
    few = Case(
        (np.array([[4, 1, -1], [2, 6, 8]]), np.array([[1, -1, -1], [8, 2, 6]])),
        "exact ids [[4, 1, -1], [2, 6, 8]] and found ids [[1, -1, -1], [8, 2, 6]]",
    )
    none = Case(
        (np.array([[5, 2]]), np.array([[-1, -1]])), "exact ids [[5, 2]] and found ids [[-1, -1]]"
    )
    cases = [
        small,
        few,
        Case(_searched(rng, 7, 5), "7 queries and k = 5"),
        Case(_searched(rng, 12, 10, {2, 3, 8}), "12 queries and k = 10, three with fewer than ten"),
    ]
    seen = "for {case} you return {got}; it should be {expected}. "
    mistakes = [
        Mistake(
            _as_found,
            seen + "This is still the function as found: `np.isin` looks for an id among those of "
            "*all* queries, and takes -1 for an id.",
        ),
        Mistake(
            _any_query,
            seen
            + "The -1 are out, but an id counts as found when *any* query has found it. Compare "
            "each row with its own.",
        ),
        Mistake(
            _over_queries(lambda e, a: len(set(e) & set(a)) / len(e)),
            seen
            + "Your recall counts -1 as a neighbour: where both rows hold a -1, nothing was found.",
        ),
        Mistake(
            _over_queries(lambda e, a: len(set(e) & set(a)) / len(set(e))),
            seen
            + "Your recall counts -1 as a neighbour: where both rows hold a -1, nothing was found.",
        ),
        Mistake(
            _over_queries(lambda e, a: np.isin(e, a).mean()),
            seen
            + "Your recall counts -1 as a neighbour: where both rows hold a -1, nothing was found.",
        ),
        Mistake(
            _over_queries(lambda e, a: np.isin(a, e).mean()),
            seen
            + "Your recall counts -1 as a neighbour: where both rows hold a -1, nothing was found.",
        ),
        Mistake(
            _over_queries(lambda e, a: len(set(e) & set(a)) / len(_neighbours(e))),
            seen
            + "Below the line the -1 is out, above it a -1 that meets a -1 still counts as found.",
        ),
        Mistake(
            _over_queries(lambda e, a: _hits(e[e > 0], a) / len(e[e > 0])),
            seen + "The id 0 is missing. Only -1 is no id: `> -1`, not `> 0`.",
        ),
        Mistake(
            lambda e, a: (e == a).mean(),
            seen + "You compare place by place. A neighbour found in another place is found.",
        ),
        Mistake(
            _same_place,
            seen + "You compare place by place. A neighbour found in another place is found.",
        ),
        Mistake(
            lambda e, a: ((e == a) & (e != -1)).sum() / (e != -1).sum(),
            seen + "You compare place by place. A neighbour found in another place is found.",
        ),
        Mistake(
            lambda e, a: ((e == a) & (e != -1)).mean(),
            seen + "You compare place by place. A neighbour found in another place is found.",
        ),
        Mistake(
            _over_queries(lambda e, a: _hits(e, a) / len(e)),
            seen
            + "You divide by k, although some queries have fewer than k exact neighbours: divide "
            "by those that exist.",
        ),
        Mistake(
            _pooled,
            seen + "You add up over all queries and divide once, so a query with many neighbours "
            "weighs more. Take each query's share, then the mean.",
        ),
        Mistake(
            _over_queries(lambda e, a: _hits(e, a) / max(len(_neighbours(a)), 1)),
            seen
            + "You divide by how many were found (or the two arrays are swapped). That is precision: it does not notice what is "
            "missing.",
        ),
        Mistake(
            _over_queries(lambda e, a: _hits(e, a) / max(len(_neighbours(e) | _neighbours(a)), 1)),
            seen
            + "You divide by the union of both rows. Recall divides by the exact neighbours alone.",
        ),
        Mistake(
            _over_queries(
                lambda e, a: _hits(e, a) / max(min(map(len, (_neighbours(e), _neighbours(a)))), 1)
            ),
            seen
            + "You divide by the smaller of two numbers, of how many there are to find and of how many "
            "were found. Recall divides by how many there are to find.",
        ),
        Mistake(
            _over_queries(lambda e, a: _hits(e, a) / 3),
            seen
            + "You divide by 3 everywhere; only the example has three neighbours for each query.",
        ),
        Mistake(
            _over_queries(lambda e, a: _hits(e, a[: (e != -1).sum()]) / len(_neighbours(e))),
            seen
            + "Where a query has fewer than k neighbours you cut off what was found, too. The ids "
            "stand in any order: a neighbour may come late in the row.",
        ),
        Mistake(
            _complete_only,
            seen + "You leave out the queries with fewer than k neighbours. Every query counts.",
        ),
        Mistake(
            _over_queries(lambda e, a: (a != -1).mean()),
            seen + "You count the places that are filled, with whatever ids.",
        ),
        Mistake(
            _over_queries(lambda e, a: float(_hits(e, a) > 0)),
            seen + "You count the queries for which *something* was found. What share of its "
            "neighbours?",
        ),
        Mistake(
            _over_queries(lambda e, a: float(_neighbours(e) <= _neighbours(a))),
            seen
            + "You count the queries for which *all* were found. What share of the neighbours?",
        ),
        Mistake(lambda e, a: 1 - recall_at_k(e, a), seen + "That is the share which was missed."),
        Mistake(
            lambda e, a: 100 * recall_at_k(e, a),
            seen + "You return per cent. Recall is a share, from 0 to 1.",
        ),
        Mistake(
            _over_queries(_hits),
            seen + "That is a number of neighbours. Which share of them is it?",
        ),
        Mistake(
            lambda e, a: _shares(e, a)[0],
            seen + "That is the share of the first query. Is there a `return` inside the loop?",
        ),
        *(
            Mistake(
                lambda e, a, which=which: which(_shares(e, a)),
                seen + f"That is the {name} of the shares. The task asks for their mean.",
            )
            for name, which in (("median", np.median), ("smallest", min), ("largest", max))
        ),
        Mistake(
            lambda e, a: _shares(e, a).sum(),
            seen + "That is the sum of the shares. Divide it by the number of queries.",
        ),
    ]
    judge(answer, cases, recall_at_k, mistakes, read=number)
    judge(answer, [none], recall_at_k, mistakes, read=number)
    return "right: each query by itself, in any order, and -1 is nobody."


# 4.2


class Search:
    """An index as exercise 4.2 sees it: `search(nprobe)` returns ids, and counts its calls.

    Parameters
    ----------
    exact : array, shape (queries, k)
        The ids of the true neighbours.
    ranks : array, shape (queries, k)
        At which nprobe each of them is found; beyond `nlist`, never.
    nlist : int
        The largest nprobe.
    """

    __name__ = "search"

    def __init__(self, exact: np.ndarray, ranks: np.ndarray, nlist: int) -> None:
        self.exact, self.ranks, self.nlist = exact, ranks, nlist
        self.calls = 0
        self.refused = None

    def __call__(self, nprobe: int) -> np.ndarray:
        """Return the ids that a search of `nprobe` cells finds.

        Raises
        ------
        Wrong
            When there is no such nprobe.
        """
        if isinstance(nprobe, (bool, np.bool_)) or not isinstance(nprobe, (int, np.integer)):
            shown = float(nprobe) if isinstance(nprobe, (float, np.floating)) else describe(nprobe)
            raise Wrong(
                f"you call search({shown}): nprobe is a number of cells, a whole one. "
                "When you halve, `//` keeps it whole."
            )
        if not 1 <= nprobe <= self.nlist:
            self.refused = Wrong(
                f"you call search({nprobe}). This index has {self.nlist} cells: nprobe runs from 1 to "
                f"{self.nlist}, both included. (The number of cells is the parameter `nlist`.)"
            )
            raise self.refused
        self.calls += 1
        return self.found(int(nprobe))

    def found(self, nprobe: int) -> np.ndarray:
        """Return what a search finds, without counting it."""
        queries, k = self.exact.shape
        ids = np.full((queries, k), -1)
        for q in range(queries):
            true = self.exact[q, self.ranks[q] <= nprobe]
            others = np.setdiff1d(self.exact[(q + 1) % queries], self.exact[q])
            room = max(0, min(k, round(k * (0.4 + nprobe / self.nlist))) - len(true))
            row = np.append(true[::-1] if q % 2 else true, others[:room])[:k]
            ids[q, : len(row)] = row
        return ids


def smallest_nprobe(
    exact_ids: np.ndarray, search: Search, target: float, nlist: int = 83
) -> int | None:
    """Return the smallest nprobe whose recall reaches `target`, or None when none does."""
    return _first(recall_at_k, exact_ids, search, target, range(1, nlist + 1))


def _first(measure, exact_ids, search, target, nprobes):
    """Return the first of `nprobes` at which `measure` reaches the target, or None."""
    for nprobe in nprobes:
        if measure(exact_ids, search.found(nprobe)) >= target - 1e-9:
            return nprobe
    return None


def _by_measure(measure):
    return lambda exact, search, target, nlist=83: _first(
        measure, exact, search, target, range(1, nlist + 1)
    )


def _powers(exact, search, target, nlist=83):
    powers = [2**i for i in range(12) if 2**i <= nlist]
    return _first(recall_at_k, exact, search, target, powers)


def _strictly(exact, search, target, nlist=83):
    for nprobe in range(1, nlist + 1):
        if recall_at_k(exact, search.found(nprobe)) > target + 1e-9:
            return nprobe
    return None


def _shifted(by):
    def shifted(exact, search, target, nlist=83):
        found = smallest_nprobe(exact, search, target, nlist)
        return None if found is None else found + by

    return shifted


def _instead_of_none(value):
    def found(exact, search, target, nlist=83):
        nprobe = smallest_nprobe(exact, search, target, nlist)
        return (nlist if value == "nlist" else value) if nprobe is None else nprobe

    return found


def _last_below(exact, search, target, nlist=83):
    """The largest nprobe that does not reach the target: a bisection that returns the wrong end."""
    found = smallest_nprobe(exact, search, target, nlist)
    return nlist if found is None else (found - 1 or None)


def _too_early(last, first=1):
    return lambda exact, search, target, nlist=83: _first(
        recall_at_k, exact, search, target, range(first, nlist + last)
    )


def _closest(exact, search, target, nlist=83):
    return min(range(1, nlist + 1), key=lambda p: abs(recall_at_k(exact, search.found(p)) - target))


def _place_in_a_list(exact, search, target, nlist=83):
    """What `np.argmax` gives for a list of True and False that begins with nprobe 1."""
    return (smallest_nprobe(exact, search, target, nlist) or 1) - 1


def _until_it_stands(exact, search, target, nlist=83):
    last = None
    for nprobe in range(1, nlist + 1):
        recall = recall_at_k(exact, search.found(nprobe))
        if recall >= target - 1e-9:
            return nprobe
        if recall == last:
            break
        last = recall
    return None


def _recall_reached(exact, search, target, nlist=83):
    nprobe = smallest_nprobe(exact, search, target, nlist)
    return None if nprobe is None else recall_at_k(exact, search.found(nprobe))


def _indexes() -> list[Case]:
    """Return the cases of exercise 4.2: recall grows, and reaches its target early, late, exactly,
    or never.
    """
    rng = np.random.default_rng(42)

    def index(queries, k, nlist, spread):
        exact = np.array([rng.choice(5 * k, k, replace=False) for _ in range(queries)])
        ranks = 1 + np.minimum(rng.exponential(spread, (queries, k)).astype(int), nlist - 1)
        return exact, ranks

    def exactly(nprobes, nlist):
        """Four queries with four neighbours each, found at the 16 values of nprobe."""
        exact = np.array([rng.choice(20, 4, replace=False) for _ in range(4)])
        return exact, rng.permutation(nprobes).reshape(4, 4), nlist

    exact, ranks = index(12, 10, 83, 11.0)
    wide = Search(exact, ranks, 83)
    cases = [Case((exact, wide, 0.904), "an index of 83 cells and a target of 0.904")]
    sets = {
        "a target of 0.75": (0.75, [1, 2, 2, 3, 3, 3, 4, 5, 5, 5, 6, 7, 9, 11, 13, 15], 20),
        "a target of 0.5": (0.5, [1] * 9 + [2, 3, 4, 5, 6, 7, 8], 12),
        "a target of 1.0": (1.0, [1, 1, 1, 2, 2, 3, 3, 3, 4, 5, 5, 6, 6, 7, 9, 14], 14),
        "a target of 0.875": (0.875, [1, 1, 2, 2, 3, 3, 5, 6, 7, 7, 8, 8, 9, 99, 99, 99], 11),
        "a target of 0.938": (0.938, [1] * 7 + [2, 3, 4, 5, 6, 7, 8, 9, 10], 15),
        "the target of 0.75": (0.75, [1, 1, 2, 2, 2, 3, 3, 4, 4, 5, 6, 6, 18, 18, 18, 18], 18),
    }
    for words, (target, nprobes, nlist) in sets.items():
        exact, ranks, nlist = exactly(nprobes, nlist)
        cases.append(
            Case(
                (exact, Search(exact, ranks, nlist), target, nlist),
                f"an index of {nlist} cells and {words}",
            )
        )
    return cases


@exercise(
    "4.2",
    level=2,
    title="Just enough",
    names=["smallest_nprobe"],
    hints=[
        "Begin with the simplest thing that could be right: try nprobe 1, then 2, and so on.",
        "`search(nprobe)` gives ids; your `recall_at_k` of exercise 4.1 makes a recall of them. Mind "
        "the ends: 1 may be enough, and `nlist` itself must still be tried.",
        "`for nprobe in range(1, nlist + 1)`: return nprobe as soon as the recall is `>= target`; "
        "after the loop, return None. For fewer searches: if the middle of what is left reaches the "
        "target, the answer is there or below; if not, above.",
    ],
)
def exercise_4_2(answer: Answer) -> str:
    """Linear or by halves; both ends, exact hits, and a target out of reach."""
    cases = _indexes()
    seen = "for {case} you return {got}; it should be {expected}. "
    mistakes = [
        Mistake(
            _powers,
            "for {case} you return {got}; nprobe={expected} already reaches it. It looks as if you try "
            "powers of two only. The smallest may lie between them.",
        ),
        Mistake(
            _strictly, seen + "A recall that is exactly the target has reached it: `>=`, not `>`."
        ),
        Mistake(
            _shifted(-1),
            seen
            + "One too few: with {got} the target is not reached yet. Did you return the place "
            "in a list, counted from 0, or the other end of a search by halves?",
        ),
        Mistake(
            _last_below,
            seen
            + "One too few: that is the last nprobe that does *not* reach the target, the other end "
            "of your search by halves.",
        ),
        Mistake(_shifted(1), seen + "One too many: {expected} is already enough."),
        *(
            Mistake(
                _by_measure(lambda e, f, digits=digits: round(recall_at_k(e, f), digits)),
                seen
                + "You round the recall before you compare it: rounded up, it seems to reach a "
                "target that it misses.",
            )
            for digits in (1, 2, 3)
        ),
        *(
            Mistake(
                lambda exact, search, target, nlist=83, fixed=fixed: smallest_nprobe(
                    exact, search, fixed, nlist
                ),
                seen + f"You aim at {fixed} whatever the target is. It is a parameter.",
            )
            for fixed in (0.9, 0.95)
        ),
        Mistake(
            _by_measure(lambda e, f: (f != -1).mean()),
            seen
            + "You count the places that are filled. An id found need not be a true neighbour.",
        ),
        Mistake(
            _by_measure(lambda e, f: np.isin(e, f).mean()),
            seen + "You compare with the ids of *all* queries; a neighbour has to be found for its "
            "own query.",
        ),
        Mistake(
            _by_measure(lambda e, f: np.isin(f, e).mean()),
            seen + "You compare with the ids of *all* queries; a neighbour has to be found for its "
            "own query.",
        ),
        Mistake(
            lambda exact, search, target, nlist=83: _first(recall_at_k, exact, search, target, [1]),
            seen
            + "You give up after the first nprobe. `return None` comes after the loop, when every "
            "nprobe has been tried.",
        ),
        Mistake(
            _until_it_stands,
            seen
            + "You give up where one more cell finds nothing more. The next cell may: recall can stand "
            "still and grow again.",
        ),
        Mistake(
            lambda exact, search, target, nlist=83: _first(
                recall_at_k, *cases[0].arguments[:2], target, range(1, nlist + 1)
            ),
            seen
            + "That would be right for the index of an earlier call. Do you keep recalls from one call "
            "to the next?",
        ),
        Mistake(
            _place_in_a_list,
            seen
            + "That is the place in a list, counted from 0; its first nprobe is 1. (And among nothing "
            "but False `np.argmax` gives 0, where the task asks for None.)",
        ),
        *(
            Mistake(
                _by_measure(lambda e, f, times=times: times(e) * recall_at_k(e, f)),
                seen
                + "What you compare with the target is larger than a recall, which goes from 0 to 1. Is "
                "it in per cent, or a number of hits that is not divided by all that there are?",
            )
            for times in (lambda e: 100, lambda e: e.size, len, lambda e: e.shape[1])
        ),
        Mistake(
            lambda exact, search, target, nlist=83: next(
                (
                    nprobe
                    for nprobe in range(1, nlist + 1)
                    if abs(recall_at_k(exact, search.found(nprobe)) - target) < 1e-9
                ),
                None,
            ),
            seen + "You wait for a recall that *equals* the target. Most jump over it: `>=`.",
        ),
        Mistake(
            _by_measure(lambda e, f: (_shares(e, f) > 0).mean()),
            seen
            + "You count the queries for which *something* is found. Recall is the share of the "
            "neighbours.",
        ),
        Mistake(
            _by_measure(lambda e, f: recall_at_k(e, f) + 0.01),
            seen + "You let a recall pass that is 0.01 below the target. It must be reached.",
        ),
        Mistake(
            _by_measure(lambda e, f: (e == f).mean()),
            seen + "You compare place by place; a neighbour found in another place is found.",
        ),
        Mistake(
            _by_measure(_over_queries(lambda e, f: _hits(e, f) / max(len(_neighbours(f)), 1))),
            seen + "You divide by how many ids were found. Recall divides by how many there are to "
            "find: leave the -1 out of the hits, not out of the k.",
        ),
        Mistake(
            _by_measure(_over_queries(lambda e, f: (_hits(e, f) + (f == -1).sum()) / len(e))),
            seen + "Your recall counts -1 as a neighbour.",
        ),
        Mistake(
            _by_measure(lambda e, f: _shares(e, f).min()),
            seen + "You wait until *every* query reaches the target; recall is the mean over them.",
        ),
        Mistake(
            _by_measure(lambda e, f: _shares(e, f).max()),
            seen + "You stop when *one* query reaches the target; recall is the mean over all.",
        ),
        Mistake(
            _by_measure(lambda e, f: _shares(e, f)[0]),
            seen + "You look at the first query only; recall is the mean over all.",
        ),
        Mistake(
            _too_early(0),
            "for {case} you return {got}; it should be {expected}. The last cell was never tried: "
            "`range(1, nlist)` ends before nlist.",
        ),
        Mistake(_too_early(1, 2), seen + "nprobe=1 was never tried, and here one cell is enough."),
        Mistake(
            _instead_of_none("nlist"),
            "for {case} you return {got}, but not even that reaches the target. Return None.",
        ),
        Mistake(
            _instead_of_none(-1),
            "for {case} you return {got}. No nprobe reaches the target: the task asks for None.",
        ),
        Mistake(
            _instead_of_none(0),
            "for {case} you return {got}. No nprobe reaches the target: the task asks for None.",
        ),
        Mistake(
            _instead_of_none(math.inf),
            "for {case} you return {got}. No nprobe reaches the target: the task asks for None.",
        ),
        Mistake(
            lambda exact, search, target, nlist=83: _instead_of_none(nlist + 1)(
                exact, search, target, nlist
            ),
            "for {case} you return {got}. No nprobe reaches the target: the task asks for None.",
        ),
        Mistake(
            _instead_of_none(1),
            "for {case} you return {got}. No nprobe reaches the target: the task asks for None. (If it "
            "comes from `np.argmax`: among nothing but False the first is the largest.)",
        ),
        Mistake(
            lambda exact, search, target, nlist=83: nlist,
            seen + "With all cells open the recall is highest, but so is the price.",
        ),
        Mistake(
            _closest,
            seen + "You take the recall that is *closest* to the target; it must be reached.",
        ),
        Mistake(
            _recall_reached,
            "for {case} you return {got}: that is the recall reached. Return the nprobe, {expected}.",
        ),
    ]

    def read(value: Any) -> float | None:
        if value is None:
            return None
        try:
            return number(value)
        except Wrong:
            raise Wrong(
                f"you return {describe(value)}; the task asks for one number, the nprobe, or for None "
                "where not even `nlist` is enough."
            ) from None

    judge(answer, cases, smallest_nprobe, mistakes, read=read)
    for case in cases:
        if case.arguments[1].refused:  # the answer caught it
            raise case.arguments[1].refused
    wide = cases[0].arguments[1]
    if wide.calls <= 10:
        return (
            f"right, and with {wide.calls} searches instead of up to 83: recall only grows with "
            "nprobe, so you bisected. Nice."
        )
    return (
        f"right, with {wide.calls} searches among 83 cells. Recall only grows with nprobe: each "
        "search in the middle could halve what is left, and 7 would do."
    )


# 4.3

KINDS = ("flat", "ivf", "hnsw", "sq8", "pq")


def index_bytes(kind: str, n: int, dimension: int, nlist: int, links: int, pieces: int) -> int:
    """Return the bytes of an index by arithmetic, its fixed cost included."""
    return {
        "flat": n * dimension * 4,
        "ivf": n * (dimension * 4 + 8) + nlist * dimension * 4,
        "hnsw": n * (dimension * 4 + 2 * links * 4),
        "sq8": n * dimension + 2 * dimension * 4,
        "pq": n * pieces + 256 * dimension * 4,
    }[kind]


def _weighs(kind: str) -> list[Mistake]:
    """Return the known mistakes for one kind of index."""
    seen = "for {case} you return {got}; it should be {expected}. "

    def wrong(formula, says):
        return Mistake(
            lambda _, n, d, nlist, links, pieces: formula(n, d, nlist, links, pieces), says
        )

    anywhere = [
        wrong(
            lambda *rest: index_bytes(kind, *rest) / rest[0],
            seen + "That is for one vector; the task asks for the whole index.",
        ),
        wrong(
            lambda *rest: index_bytes(kind, *rest) / 1e6,
            seen + "You return megabytes. The task asks for bytes.",
        ),
        wrong(
            lambda *rest: index_bytes(kind, *rest) / 2**20,
            seen + "You return mebibytes. The task asks for bytes.",
        ),
        wrong(lambda *rest: index_bytes(kind, *rest) * 8, seen + "You count bits: 8 are one byte."),
        wrong(
            lambda n, d, *rest: index_bytes(kind, n, 384, *rest),
            seen + "You take 384 for every dimension. It is a parameter.",
        ),
        wrong(
            lambda n, d, *rest: index_bytes(kind, d, n, *rest),
            seen + "`n` and `dimension` are swapped: the number of vectors comes first.",
        ),
        *(
            wrong(
                lambda *rest, other=other: index_bytes(other, *rest),
                seen
                + f'That is what "{other}" takes. Do the kinds each have a branch of their own?',
            )
            for other in KINDS
            if other != kind
        ),
    ]
    own = {
        "flat": [
            wrong(lambda n, d, *_: n * d * 8, seen + "float32 takes 4 bytes a number, not 8."),
            wrong(
                lambda n, d, *_: n * d,
                seen + "That is how many numbers there are. Each takes 4 bytes.",
            ),
            wrong(
                lambda n, d, *_: n * (d * 4 + 8),
                seen + "A flat index needs no ids: the place of a vector is its number.",
            ),
        ],
        "ivf": [
            wrong(
                lambda n, d, nlist, *_: n * (d * 4 + 8),
                seen + "The centroids are missing: nlist vectors of their own.",
            ),
            wrong(
                lambda n, d, nlist, *_: n * d * 4 + nlist * d * 4,
                seen + "The ids are missing: 8 bytes for each vector.",
            ),
            wrong(
                lambda n, d, nlist, *_: n * d * 4,
                seen + "That is Flat. An inverted file also keeps an id for each vector, and the "
                "centroids.",
            ),
            wrong(
                lambda n, d, nlist, *_: n * (d * 4 + 4) + nlist * d * 4,
                seen + "An id takes 8 bytes, not 4.",
            ),
            wrong(
                lambda n, d, nlist, *_: n * d * 4 + nlist * (d * 4 + 8),
                seen + "It is each *vector* that has an id, not each cell.",
            ),
            wrong(
                lambda n, d, nlist, *_: (n + nlist) * (d * 4 + 8),
                seen + "You give the centroids ids, too. Only the vectors have them.",
            ),
            wrong(
                lambda n, d, nlist, *_: n * (d * 4 + 8) + nlist * 4,
                seen + "A centroid is a vector: dimension numbers, not one.",
            ),
            wrong(
                lambda n, d, nlist, *_: n * (d * 4 + 8) * nlist,
                seen + "Each vector lies in one cell, not in all of them.",
            ),
            wrong(
                lambda n, d, nlist, *_: n * (d * 4 + 8) + nlist * d,
                seen + "The centroids are float32, 4 bytes a number.",
            ),
            wrong(
                lambda n, d, nlist, *_: n * (d * 8 + 8) + nlist * d * 8,
                seen + "float32 takes 4 bytes a number, not 8.",
            ),
        ],
        "hnsw": [
            wrong(
                lambda n, d, nlist, links, _: n * (d * 4 + links * 4),
                seen + "On the lowest level there are 2 × links for each vector, not links.",
            ),
            wrong(
                lambda n, d, nlist, links, _: n * (d * 4 + 2 * links * 8),
                seen + "A link takes 4 bytes, not 8.",
            ),
            wrong(
                lambda n, d, nlist, links, _: n * (d * 4 + 2 * links),
                seen + "A link takes 4 bytes, not 1.",
            ),
            wrong(
                lambda n, d, nlist, links, _: n * 2 * links * 4,
                seen + "The links alone: HNSW keeps the vectors, too.",
            ),
            wrong(lambda n, d, *_: n * d * 4, seen + "That is Flat: the links are missing."),
            wrong(
                lambda n, d, nlist, links, _: n * d * 4 + 2 * links * 4,
                seen + "You count the links of one vector. Every vector has its own.",
            ),
        ],
        "sq8": [
            wrong(
                lambda n, d, *_: n * d,
                seen
                + "The ranges are missing: without their beginning and width nobody can decode.",
            ),
            wrong(
                lambda n, d, *_: n * d + d * 4,
                seen + "A range has two numbers, its beginning and its width.",
            ),
            wrong(
                lambda n, d, *_: n * d + 2 * d,
                seen + "Beginning and width are float32, 4 bytes each.",
            ),
            wrong(
                lambda n, d, *_: n * d + 8,
                seen + "There is a range for *each dimension*, not one for all.",
            ),
            wrong(
                lambda n, d, *_: n * (d + 8),
                seen + "The ranges belong to the dimensions, not to each vector.",
            ),
            wrong(
                lambda n, d, *_: n * (d + 8 * d),
                seen + "The ranges are kept once for the whole index, not for each vector.",
            ),
            wrong(
                lambda n, d, *_: n * d * 8 + 8 * d,
                seen + "The 8 in SQ8 is bits. A number takes one byte.",
            ),
            wrong(
                lambda n, d, *_: n * d * 4 + 8 * d,
                seen + "float32 is what SQ8 saves: it keeps one byte a number.",
            ),
        ],
        "pq": [
            wrong(
                lambda n, d, nlist, links, pieces: n * pieces,
                seen + "The patterns are missing. With few vectors they take more than the codes.",
            ),
            wrong(
                lambda n, d, nlist, links, pieces: n * pieces + 256 * pieces * d * 4,
                seen + "A pattern is as long as a *piece*, dimension / pieces numbers, not as the "
                "whole vector.",
            ),
            wrong(
                lambda n, d, nlist, links, pieces: n * pieces + 256 * (d // pieces) * 4,
                seen + "Each piece has 256 patterns of its own. You count those of one piece.",
            ),
            wrong(
                lambda n, d, nlist, links, pieces: n * pieces + 256 * pieces * 4,
                seen + "A pattern holds dimension / pieces numbers, not one.",
            ),
            wrong(
                lambda n, d, nlist, links, pieces: n * pieces + 255 * d * 4,
                seen + "There are 256 patterns for each piece, not 255.",
            ),
            wrong(
                lambda n, d, nlist, links, pieces: n * pieces + 256 * d,
                seen + "The patterns are float32, 4 bytes a number.",
            ),
            wrong(
                lambda n, d, nlist, links, pieces: n * pieces * 4 + 256 * d * 4,
                seen + "Of each piece only the number of its pattern is kept, and 256 of them fit "
                "into one byte.",
            ),
            wrong(
                lambda n, d, nlist, links, pieces: n * d + 256 * d * 4,
                seen + "One byte for each *piece*, not for each number.",
            ),
            wrong(
                lambda n, d, nlist, links, pieces: n * (pieces + 256 * d * 4),
                seen + "The patterns are kept once for the whole index, not for each vector.",
            ),
            wrong(
                lambda n, d, nlist, links, pieces: n * (d // pieces) + 256 * d * 4,
                seen + "`pieces` is how many pieces there are, not how long they are.",
            ),
        ],
    }[kind]
    return own + anywhere


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
def exercise_4_3(answer: Answer) -> str:
    """Kind by kind, so that each mistake is told by itself."""
    sizes = ((1_000, 384, 32, 16, 48), (50_000, 96, 200, 32, 12), (7, 60, 3, 5, 4))
    for kind in KINDS:
        cases = [
            Case(
                (kind, *size),
                '"{}" with n={:,}, dimension={}, nlist={}, links={}, pieces={}'.format(kind, *size),
            )
            for size in sizes
        ]
        judge(answer, cases, index_bytes, _weighs(kind), read=number, agree=_same_bytes)
    large = Case(("flat", 12_000_000, 768, 4096, 32, 96), '"flat" with n=12,000,000, dimension=768')
    overflow = Mistake(
        lambda _, n, d, *rest: (n * d * 4 + 2**31) % 2**32 - 2**31,
        "for {case} you return {got}; it should be {expected}. That is more than 32 bits can count: "
        "an int32 begins again from below, and says nothing. Python's own int does not.",
    )
    judge(answer, [large], index_bytes, [overflow], read=number, agree=_same_bytes)
    return "right, all five, what every vector costs and what is kept once."


def _same_bytes(found: float, expected: int) -> bool:
    return abs(found - expected) < 0.5


# 4.4

WORDS = ("faster", "slower", "not comparable")


def verdict(exact: dict, approximate: dict, target: float) -> dict:
    """Return speed-up and word for each approximate search, against the best exact one."""
    best = min(np.median(runs) for runs in exact.values())
    return _verdict(lambda runs, _: best / np.median(runs), approximate, target)


def _verdict(speedup, approximate, target, reached=lambda recall, target: recall >= target):
    found = {}
    for name, (runs, recall) in approximate.items():
        if reached(recall, target):
            ratio = float(speedup(runs, recall))
            found[name] = (ratio, "faster" if ratio > 1 else "slower")
        else:
            found[name] = (None, "not comparable")
    return found


def _against(choose, middle=np.median):
    """`choose` picks the denominator from the exact searches' times."""

    def found(exact, approximate, target):
        of_exact = choose([middle(runs) for runs in exact.values()])
        return _verdict(lambda runs, _: of_exact / middle(runs), approximate, target)

    return found


def _with_times_of_exact(choose):
    """`choose` makes the denominator of all the times of all exact searches."""

    def found(exact, approximate, target):
        of_exact = choose(list(exact.values()))
        return _verdict(lambda runs, _: of_exact / np.median(runs), approximate, target)

    return found


def _against_best_by(key):
    return _with_times_of_exact(lambda times: np.median(min(times, key=key)))


def _upside_down(exact, approximate, target):
    best = min(np.median(runs) for runs in exact.values())
    return _verdict(lambda runs, _: np.median(runs) / best, approximate, target)


def _upside_down_but_words(exact, approximate, target):
    right = verdict(exact, approximate, target)
    return {name: (s and 1 / s, word) for name, (s, word) in right.items()}


def _with_ratio(function):
    def found(exact, approximate, target):
        best = min(np.median(runs) for runs in exact.values())
        return _verdict(
            lambda runs, recall: function(best, np.median(runs), recall), approximate, target
        )

    return found


def _median_of_exact_alone(middle):
    def found(exact, approximate, target):
        best = min(np.median(runs) for runs in exact.values())
        return _verdict(lambda runs, _: best / middle(runs), approximate, target)

    return found


def _every_recall(exact, approximate, target):
    best = min(np.median(runs) for runs in exact.values())
    return _verdict(
        lambda runs, _: best / np.median(runs), approximate, target, reached=lambda *_: True
    )


def _above_target(exact, approximate, target):
    best = min(np.median(runs) for runs in exact.values())
    return _verdict(
        lambda runs, _: best / np.median(runs),
        approximate,
        target,
        reached=lambda recall, target: recall > target,
    )


def _left_out(exact, approximate, target):
    return {n: v for n, v in verdict(exact, approximate, target).items() if v[0] is not None}


def _none_with_number(exact, approximate, target):
    every = _every_recall(exact, approximate, target)
    right = verdict(exact, approximate, target)
    return {name: (every[name][0], right[name][1]) for name in right}


def _less_one(exact, approximate, target):
    right = verdict(exact, approximate, target)
    return {name: (ratio and ratio - 1, word) for name, (ratio, word) in right.items()}


def _difference_words(exact, approximate, target):
    right = verdict(exact, approximate, target)
    best = min(np.median(runs) for runs in exact.values())
    return {
        name: (None if word == WORDS[2] else best - np.median(approximate[name][0]), word)
        for name, (_, word) in right.items()
    }


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
def exercise_4_4(answer: Answer) -> str:
    """Medians, the best exact search, and only at the same recall."""
    cases = [
        Case(
            (
                {
                    "loop": [9.0, 3.7, 3.9, 3.6, 3.8],
                    "blas": [0.9, 3.0, 3.1, 3.2, 3.4],
                    "numpy": [6.9, 2.0, 2.1, 1.9, 2.2],
                    "flat": [9.0, 4.0, 4.4, 4.2, 4.1],
                    "torch": [3.5, 2.6, 2.7, 2.9, 0.8],
                    "threads": [4.5, 3.5, 3.2, 3.3, 3.7],
                },
                {
                    "ivf": ([5.0, 1.0, 1.1, 1.2, 0.9], 0.96),
                    "ivf, wide": ([7.1, 2.5, 2.8, 2.4, 3.0], 0.99),
                    "pq": ([0.2, 0.1, 0.1, 0.3, 0.1], 0.79),
                },
                0.95,
            ),
            "six exact searches, of which numpy is the best, and a target of 0.95",
        ),
        Case(
            (
                {
                    "one thread": [8.0, 7.0, 6.0, 9.0, 10.0],
                    "in a batch": [3.0, 1.0, 2.0, 40.0, 2.5],
                },
                {
                    "hnsw": ([1.5, 1.25, 9.0, 1.0, 1.2], 0.9),
                    "sq8": ([2.0, 6.0, 5.0, 5.5, 4.0], 0.97),
                },
                0.9,
            ),
            "two exact searches, hnsw with a recall of exactly the target, 0.9",
        ),
        Case(
            ({"flat": [3.0, 2.0, 1.0, 5.0, 4.0]}, {"ivf": ([1.0, 2.0, 1.5, 9.0, 2.5], 0.5)}, 0.8),
            "one exact search, and ivf with a recall of 0.5 for a target of 0.8",
        ),
    ]
    names = [set(case.arguments[1]) for case in cases]

    def read(value: Any) -> dict:
        found = mapping(value)
        for name in found:
            if not any(name in known for known in names):
                raise Wrong(
                    f"your dictionary has the key {describe(name)}. Its keys are the names of the "
                    "approximate searches."
                )
        return {name: _entry(name, entry) for name, entry in found.items()}

    seen = "for {case}: "
    mistakes = [
        Mistake(
            _against(max),
            seen
            + "you divide the time of the *slowest* exact search. Nobody has to use that one: the best is the measure.",
        ),
        Mistake(
            _against(np.mean),
            seen
            + "you compare with the mean of the exact searches. A reader would use the best one.",
        ),
        Mistake(
            _against(np.median),
            seen
            + "you compare with the median *of the exact searches*. The median is for the runs of "
            "one search; among the searches, the best counts.",
        ),
        Mistake(
            _against(lambda times: times[0]),
            seen + "you compare with the first exact search in the dictionary. The best counts, "
            "wherever it stands.",
        ),
        Mistake(
            _against(lambda times: times[-1]),
            seen + "you compare with the last exact search in the dictionary. The best counts, "
            "wherever it stands.",
        ),
        Mistake(
            _against_best_by(np.mean),
            seen
            + "you choose the best exact search by the mean of its runs. The median decides there, "
            "too.",
        ),
        Mistake(
            _against_best_by(list),
            seen
            + "you take the `min` of the lists, and that compares their first runs. Compare medians.",
        ),
        Mistake(
            _against_best_by(min),
            seen
            + "you choose the exact search that has the fastest single run. Compare medians there, too.",
        ),
        Mistake(
            _with_times_of_exact(lambda times: min(map(min, times))),
            seen
            + "for the exact searches you take the fastest run of all. A median stands for each.",
        ),
        Mistake(
            _with_times_of_exact(np.median),
            seen
            + "you throw the runs of all exact searches together. Each has a median of its own, and "
            "the smallest of these counts.",
        ),
        Mistake(
            _against(min, np.mean),
            seen
            + "you take the mean (or the sum) of the runs: one run that was disturbed moves it. The median "
            "does not mind.",
        ),
        Mistake(
            _against(min, min),
            seen + "you take the fastest run of each. A lucky run is no promise; take the median.",
        ),
        Mistake(
            _against(min, max),
            seen
            + "you take the slowest run of each. One that was disturbed decides; take the median.",
        ),
        *(
            Mistake(
                _against(min, lambda runs, place=place: sorted(runs)[place]),
                seen
                + "you sort the runs, but take the one beside the middle: of five, counted from 0, "
                "the median is number 2.",
            )
            for place in (1, 3)
        ),
        Mistake(
            _against(min, lambda runs: runs[0]),
            seen + "you take the first run, the one in which everything warms up. Take the median.",
        ),
        Mistake(
            _against(min, lambda runs: runs[len(runs) // 2]),
            seen + "you take the run in the middle of the list, which is not sorted. The median is "
            "the middle one by size.",
        ),
        Mistake(
            _upside_down,
            seen
            + "your ratio is upside down: times as fast is the time of the exact search divided by "
            "that of the approximate one.",
        ),
        Mistake(
            _upside_down_but_words,
            seen
            + "the words are right, the ratio is upside down: times as fast is the exact search's "
            "time divided by the approximate one's.",
        ),
        Mistake(
            _every_recall,
            seen
            + "you ignore the recall. A search that finds too little is fast because it does not "
            "do the work.",
        ),
        Mistake(
            _above_target,
            seen + "a recall that is exactly the target has reached it: `>=`, not `>`.",
        ),
        Mistake(
            _left_out,
            seen + 'a search that misses the target is left out. It gets (None, "not comparable").',
        ),
        Mistake(
            _none_with_number,
            seen + "where nothing can be compared, there is no speed-up: None instead of a number.",
        ),
        Mistake(
            _with_ratio(lambda best, own, recall: best / own * recall),
            seen
            + "you multiply by the recall. It decides whether there is a comparison; it does not "
            "change the time.",
        ),
        *(
            Mistake(
                _with_ratio(lambda best, own, recall, digits=digits: round(best / own, digits)),
                seen + "you round the speed-up. The task asks for it as it is.",
            )
            for digits in (1, 2, 3)
        ),
        Mistake(
            lambda exact, approximate, target: verdict(exact, approximate, 0.95),
            seen + "you take 0.95 for every target. It is a parameter.",
        ),
        Mistake(
            _with_ratio(lambda best, own, recall: best - own),
            seen + "you return the seconds saved. A speed-up is a ratio.",
        ),
        *(
            Mistake(
                _with_times_of_exact(lambda times, of=of: min(map(of, times))),
                seen
                + f"for the exact searches you take {words} of the runs. The median stands for each.",
            )
            for words, of in (("the mean", np.mean), ("the slowest", max))
        ),
        *(
            Mistake(
                _median_of_exact_alone(of),
                seen
                + f"for the approximate searches you take {words} of the runs. The median stands for each.",
            )
            for words, of in (("the mean", np.mean), ("the fastest", min), ("the slowest", max))
        ),
        Mistake(
            lambda *given: {n: (s and 100 * s, word) for n, (s, word) in verdict(*given).items()},
            seen + "you return per cent. Twice as fast is 2.0.",
        ),
        Mistake(
            lambda *given: {n: (s and int(s), word) for n, (s, word) in verdict(*given).items()},
            seen + "you cut the speed-up down to a whole number. The task asks for it as it is.",
        ),
        Mistake(
            lambda *given: {
                n: (s, {"faster": "slower", "slower": "faster"}.get(word, word))
                for n, (s, word) in verdict(*given).items()
            },
            seen + 'the words are the wrong way round: above 1 is "faster".',
        ),
        Mistake(_difference_words, seen + "you return the seconds saved. A speed-up is a ratio."),
        Mistake(
            _less_one,
            seen + "you return by how much it is faster. Times *as fast* is the ratio itself.",
        ),
    ]
    judge(answer, cases, verdict, mistakes, read=read, agree=_same_verdicts)
    return "right: medians, the best exact search, and only where the recall is reached."


def _same_verdicts(found: dict, expected: dict) -> bool:
    """Say whether all verdicts agree; name the first that does not."""
    for name, (ratio, word) in expected.items():
        if name not in found:
            raise Wrong(f"there is no verdict on {describe(name)} in what you return.")
        if not same(found[name][0], ratio, 2e-6) or found[name][1] != word:
            raise Wrong(
                f"your verdict on {describe(name)} is {describe(found[name])}; it should be "
                f"{describe((ratio, word))}."
            )
    return True


def _entry(name: str, entry: Any) -> tuple[float | None, str]:
    """Return one verdict as a pair of speed-up and word."""
    what = f"the verdict on {describe(name)}"
    if isinstance(entry, (str, float, int)) or entry is None:
        raise Wrong(f"{what} is {describe(entry)}; the task asks for a pair, (speed-up, word).")
    pair = sequence(entry, what)
    if len(pair) != 2:
        raise Wrong(f"{what} is {describe(entry)}; the task asks for a pair, (speed-up, word).")
    ratio, word = pair
    if isinstance(ratio, str) and not isinstance(word, str):
        raise Wrong(f"{what} is {describe(entry)}: the speed-up comes first, then the word.")
    if word not in WORDS:
        raise Wrong(
            f"{what} has the word {describe(word)}; the task knows three: "
            '"faster", "slower" and "not comparable".'
        )
    if word == "not comparable" and ratio is not None:
        raise Wrong(
            f"{what} is {describe(entry)}. Where nothing can be compared, there is no speed-up: None."
        )
    return (None if ratio is None else number(ratio, f"the speed-up of {describe(name)}")), word


# 4.5


def ivf_search(
    queries: np.ndarray,
    vectors: np.ndarray,
    centroids: np.ndarray,
    cell_of: np.ndarray,
    nprobe: int,
    k: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Return ids and scores of the k best vectors in the nprobe nearest cells of each query, -1 and
    -inf where there are fewer.
    """
    return _ivf(queries, vectors, centroids, cell_of, nprobe, k)


def _nearest_cells(query, centroids, nprobe):
    return np.argsort(-(centroids @ query), kind="stable")[:nprobe]


def _ivf(
    queries,
    vectors,
    centroids,
    cell_of,
    nprobe,
    k,
    *,
    cells=_nearest_cells,
    score=lambda rows, query: rows @ query,
    order=lambda scores: np.argsort(-scores, kind="stable"),
    fill=(-1, -np.inf),
):
    ids = np.full((len(queries), k), fill[0])
    scores = np.full((len(queries), k), fill[1])
    for q, query in enumerate(queries):
        rows = np.flatnonzero(np.isin(cell_of, cells(query, centroids, nprobe)))
        all_scores = score(vectors[rows], query)
        best = order(all_scores)[:k]
        ids[q, : len(best)], scores[q, : len(best)] = rows[best], all_scores[best]
    return ids, scores


def _ivf_with(**changed):
    return lambda *arguments: _ivf(*arguments, **changed)


def _by_distance_to_centroids(query, centroids, nprobe):
    return np.argsort(((centroids - query) ** 2).sum(axis=1), kind="stable")[:nprobe]


def _farthest_cells(query, centroids, nprobe):
    return np.argsort(centroids @ query, kind="stable")[:nprobe]


def _exact(queries, vectors, centroids, cell_of, nprobe, k):
    return _ivf(queries, vectors, centroids, cell_of, len(centroids), k)


def _numbers_among_candidates(queries, vectors, centroids, cell_of, nprobe, k):
    ids, scores = _ivf(queries, vectors, centroids, cell_of, nprobe, k)
    for q, query in enumerate(queries):
        rows = np.flatnonzero(np.isin(cell_of, _nearest_cells(query, centroids, nprobe)))
        ids[q] = [-1 if i == -1 else np.flatnonzero(rows == i)[0] for i in ids[q]]
    return ids, scores


def _cells_for_ids(queries, vectors, centroids, cell_of, nprobe, k):
    ids, scores = _ivf(queries, vectors, centroids, cell_of, nprobe, k)
    return np.where(ids == -1, -1, cell_of[ids]), scores


def _opened_for_all(queries, vectors, centroids, cell_of, nprobe, k, opened):
    """Open the same cells for every query."""
    return _ivf(queries, vectors, centroids, cell_of, nprobe, k, cells=lambda *_: opened)


def _cells_of_all(queries, vectors, centroids, cell_of, nprobe, k):
    opened = np.unique([_nearest_cells(query, centroids, nprobe) for query in queries])
    return _opened_for_all(queries, vectors, centroids, cell_of, nprobe, k, opened)


def _cells_of_first(queries, vectors, centroids, cell_of, nprobe, k):
    opened = _nearest_cells(queries[0], centroids, nprobe)
    return _opened_for_all(queries, vectors, centroids, cell_of, nprobe, k, opened)


def _filter_after_cut(queries, vectors, centroids, cell_of, nprobe, k):
    """The k best of all vectors; of these, those that lie in an opened cell."""
    ids, scores = _exact(queries, vectors, centroids, cell_of, nprobe, k)
    kept_ids, kept_scores = np.full_like(ids, -1), np.full_like(scores, -np.inf)
    for q, query in enumerate(queries):
        inside = np.isin(cell_of[ids[q]], _nearest_cells(query, centroids, nprobe)) & (ids[q] != -1)
        kept_ids[q, : inside.sum()], kept_scores[q, : inside.sum()] = (
            ids[q][inside],
            scores[q][inside],
        )
    return kept_ids, kept_scores


def _cells_made_anew(nearest):
    return lambda q, v, c, cell_of, nprobe, k: _ivf(q, v, c, nearest(v, c), nprobe, k)


def _cell_by_cell(queries, vectors, centroids, cell_of, nprobe, k):
    """The nearest cell's vectors first, then the next one's."""
    ids, scores = np.full((len(queries), k), -1), np.full((len(queries), k), -np.inf)
    for q, query in enumerate(queries):
        rows = []
        for cell in _nearest_cells(query, centroids, nprobe):
            inside = np.flatnonzero(cell_of == cell)
            rows += list(inside[np.argsort(-(vectors[inside] @ query), kind="stable")])
        rows = rows[:k]
        ids[q, : len(rows)], scores[q, : len(rows)] = rows, vectors[rows] @ query if rows else []
    return ids, scores


def _best_of_each_cell(queries, vectors, centroids, cell_of, nprobe, k):
    ids, scores = np.full((len(queries), k), -1), np.full((len(queries), k), -np.inf)
    for q, query in enumerate(queries):
        inside = [np.flatnonzero(cell_of == c) for c in _nearest_cells(query, centroids, nprobe)]
        rows = np.array([i[np.argmax(vectors[i] @ query)] for i in inside if len(i)], dtype=int)
        rows = rows[np.argsort(-(vectors[rows] @ query))][:k]
        ids[q, : len(rows)], scores[q, : len(rows)] = rows, vectors[rows] @ query
    return ids, scores


def _swapped_results(*arguments):
    return _ivf(*arguments)[::-1]


def _at_the_end(*arguments):
    ids, scores = _ivf(*arguments)
    order = np.argsort(ids != -1, axis=1, kind="stable")
    return np.take_along_axis(ids, order, axis=1), np.take_along_axis(scores, order, axis=1)


def _another_nprobe(by):
    return lambda q, v, c, cell_of, nprobe, k: _ivf(q, v, c, cell_of, nprobe + by, k)


def _sorted_ids(*arguments):
    ids, scores = _ivf(*arguments)
    order = np.argsort(np.where(ids == -1, 10**9, ids), axis=1)
    return np.take_along_axis(ids, order, axis=1), np.take_along_axis(scores, order, axis=1)


def _both_arrays(queries: int, k: int):
    """Return a reader of what exercise 4.5 returns: two arrays of shape (queries, k)."""

    def read(value: Any) -> tuple[np.ndarray, np.ndarray]:
        if not isinstance(value, (tuple, list)) or len(value) != 2:
            raise Wrong(
                f"you return {describe(value)}; the task asks for two arrays, `return ids, scores`."
            )
        for found in value:
            if isinstance(found, np.ndarray) and found.ndim == 2 and found.shape[1] < k:
                raise Wrong(
                    f"you return an array of shape {found.shape}; it should be {(queries, k)}. Where "
                    "there are fewer than k candidates, fill up with id -1 and score -inf."
                )
        ids = array(value[0], (queries, k), "the array of ids")
        scores = array(value[1], (queries, k), "the array of scores")
        floats = np.asarray(value[0]).dtype.kind == "f"
        if floats and np.isfinite(ids).all() and np.array_equal(ids, ids.round()):
            raise Wrong(
                f"your ids are floats, {describe(np.asarray(value[0])[0, :4])}, and `vectors[ids]` would refuse them. "
                "Make an array of integers: `np.full(shape, -1)`, without a point."
            )
        return ids, scores

    return read


def _shapes(queries, documents, dimension, nlist, empty, seed, dtype=float):
    """Return queries, vectors, centroids of different lengths and the cell of each vector; the
    cells in `empty` hold nothing.
    """
    rng = np.random.default_rng(seed)

    def unit(rows):
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    centroids = unit(rng.normal(size=(nlist, dimension))) * rng.uniform(0.5, 1.0, (nlist, 1))
    full = [cell for cell in range(nlist) if cell not in empty]
    cell_of = rng.choice(full, documents)
    vectors = unit(centroids[cell_of] + rng.normal(size=(documents, dimension)) * 0.35)
    asked = unit(rng.normal(size=(queries, dimension)))
    return asked.astype(dtype), vectors.astype(dtype), centroids.astype(dtype), cell_of


@exercise(
    "4.5",
    level=3,
    title="An inverted file of your own",
    names=["ivf_search"],
    hints=[
        "One query at a time: which cells does it open, which vectors lie in them, which of those are "
        "the best?",
        "`np.isin(cell_of, opened)` marks the vectors in the opened cells, `np.flatnonzero` makes row "
        "numbers of the marks. Fill two arrays with -1 and -inf first.",
        "For each query: `opened = np.argsort(-(centroids @ query))[:nprobe]`, `rows = "
        "np.flatnonzero(np.isin(cell_of, opened))`, `found = vectors[rows] @ query`, `best = "
        "np.argsort(-found)[:k]`; then `ids[q, :len(best)] = rows[best]`, and the scores likewise.",
    ],
)
def exercise_4_5(answer: Answer) -> str:
    """Cells by inner product, each query its own, and fewer than k where the cells are empty."""
    cases = []
    for nprobe, k, words, made in (
        (3, 10, "3 queries, 60 vectors, 8 cells", _shapes(3, 60, 5, 8, (), 557)),
        (1, 6, "4 queries, 40 vectors, 9 cells", _shapes(4, 40, 3, 9, (), 852)),
        (6, 5, "2 queries, 50 vectors, 6 cells", _shapes(2, 50, 4, 6, (), 633)),
        (
            2,
            7,
            "5 queries, 30 vectors (float32), 10 cells of which 4 are empty",
            _shapes(5, 30, 6, 10, (1, 3, 4, 8), 474, np.float32),
        ),
        (4, 8, "2 queries, 5 vectors, 4 cells", _shapes(2, 5, 3, 4, (), 155)),
    ):
        cases.append(
            (Case((*made, nprobe, k), f"{words}, nprobe={nprobe}, k={k}"), len(made[0]), k)
        )
    seen = "for {case}: "
    mistakes = [
        Mistake(
            _swapped_results,
            "you return scores first, then ids, as FAISS does. Here the task asks for `ids, scores`.",
        ),
        Mistake(
            _cells_made_anew(lambda v, c: np.argmax(v @ c.T, axis=1)),
            seen
            + "you work out anew in which cell each vector lies. `cell_of` says it; trust that.",
        ),
        Mistake(
            _cells_made_anew(lambda v, c: ((v[:, None] - c) ** 2).sum(axis=2).argmin(axis=1)),
            seen
            + "you work out anew in which cell each vector lies. `cell_of` says it; trust that.",
        ),
        Mistake(
            _exact,
            seen
            + "you search all vectors. That is the exact search; an inverted file looks only into "
            "nprobe cells.",
        ),
        Mistake(
            _ivf_with(cells=_farthest_cells),
            seen
            + "you open the cells that are *farthest*: `np.argsort` sorts upwards, and a large "
            "inner product means near.",
        ),
        Mistake(
            _ivf_with(cells=_by_distance_to_centroids),
            seen
            + "you choose the cells by Euclidean distance. The centroids are not of norm 1, so that "
            "is another order than by inner product.",
        ),
        Mistake(
            _ivf_with(
                cells=lambda query, centroids, nprobe: _nearest_cells(
                    query, centroids / np.linalg.norm(centroids, axis=1, keepdims=True), nprobe
                )
            ),
            seen
            + "you normalise the centroids. The task compares them as they are, by inner product.",
        ),
        Mistake(
            _ivf_with(order=lambda scores: np.argsort(scores, kind="stable")),
            seen + "you keep the k *smallest* inner products. Best first means largest first.",
        ),
        Mistake(
            lambda q, v, c, cell_of, nprobe, k: _ivf(
                q, v, c, cell_of, nprobe, k, order=lambda s: np.argsort(-s, kind="stable")[:k][::-1]
            ),
            seen + "the right vectors, but the worst of them stands first. Best first, please.",
        ),
        Mistake(
            _numbers_among_candidates,
            seen
            + "the scores are right, but your ids count within the opened cells. Turn them into "
            "rows of `vectors`: `rows[best]`.",
        ),
        Mistake(
            _cells_for_ids,
            seen
            + "the scores are right, but you return the numbers of the cells. The ids are rows of "
            "`vectors`.",
        ),
        Mistake(
            _cells_of_all,
            seen
            + "every query looks into the cells that *any* of the queries opens. It finds more "
            "than it should, and pays for all.",
        ),
        Mistake(
            _cells_of_first,
            seen + "all queries look into the cells of the first. Each opens its own.",
        ),
        Mistake(
            _filter_after_cut,
            seen
            + "you take the k best of all vectors, and then drop what lies in closed cells. Choose "
            "the cells first, then the k best inside; and looking at all vectors saves nothing.",
        ),
        Mistake(
            _cell_by_cell,
            seen
            + "you list the nearest cell's vectors first, then those of the next. A better one may "
            "lie in the second cell: put all candidates together, then sort.",
        ),
        Mistake(
            _best_of_each_cell,
            seen
            + "you take only the best vector of each cell. All the vectors in the opened cells are "
            "candidates.",
        ),
        Mistake(_another_nprobe(1), seen + "you open one cell too many."),
        Mistake(_another_nprobe(-1), seen + "you open one cell too few."),
        Mistake(
            lambda q, v, c, cell_of, nprobe, k: _ivf(q, v, c, cell_of, 1, k),
            seen + "you open only the nearest cell. nprobe says how many.",
        ),
        Mistake(
            _ivf_with(fill=(-1, 0.0)),
            seen
            + "where nothing is found your score is 0. A bad vector can score less, and would then "
            "look worse than nothing: use -inf.",
        ),
        Mistake(
            _ivf_with(fill=(-1, -1.0)),
            seen + "where nothing is found your score is -1. The task asks for -inf.",
        ),
        Mistake(
            _ivf_with(fill=(0, -np.inf)),
            seen
            + "where nothing is found your id is 0, which is the first vector. The task asks for -1.",
        ),
        Mistake(
            _ivf_with(fill=(0, 0.0)),
            seen
            + "where nothing is found you leave the zeros: id 0 is the first vector. Fill with -1 "
            "and -inf.",
        ),
        Mistake(
            _ivf_with(fill=(-1, float(np.finfo(np.float32).min))),
            seen
            + "where nothing is found your score is the smallest float32, as in FAISS. Here the "
            "task asks for -inf.",
        ),
        Mistake(
            _ivf_with(fill=(-1, np.inf)),
            seen + "where nothing is found your score is +inf, better than everything. It is -inf.",
        ),
        Mistake(
            _ivf_with(
                score=lambda rows, query: ((rows - query) ** 2).sum(axis=1),
                order=lambda scores: np.argsort(scores, kind="stable"),
            ),
            seen + "your scores are squared distances. The task asks for inner products.",
        ),
        Mistake(
            _ivf_with(score=lambda rows, query: -np.linalg.norm(rows - query, axis=1)),
            seen + "your scores are negated distances. The task asks for inner products.",
        ),
        Mistake(
            _at_the_end,
            seen
            + "the -1 and -inf stand first. The best vectors come first, what is missing last.",
        ),
        Mistake(
            _ivf_with(score=lambda rows, query: 1 - rows @ query, order=np.argsort),
            seen + "your scores are cosine distances, 1 minus the inner product.",
        ),
        Mistake(
            _sorted_ids, seen + "your results are in the order of their ids. Best first, please."
        ),
    ]
    for case, queries, k in cases:
        read = _both_arrays(queries, k)
        judge(answer, [case], ivf_search, mistakes, read=read, agree=_same_found)
    return "right: the cells first, then the best in them, and where they hold too few, -1."


def _same_found(found: tuple, expected: tuple) -> bool:
    """Say whether ids agree exactly and scores nearly. Says what is wrong where only one does."""
    for q, (ids, scores) in enumerate(zip(*found, strict=True)):
        right_ids, right_scores = expected[0][q], expected[1][q]
        if not np.array_equal(ids, right_ids):
            if np.array_equal(np.sort(ids), np.sort(right_ids)):
                raise Wrong(
                    f"query {q} gets the right ids in another order, {_row(ids)}; best first they are "
                    f"{_row(right_ids)}."
                )
            too_many = scores[(right_ids == -1) & (ids != -1)]
            raise Wrong(
                f"query {q} gets the ids {_row(ids)}; they should be {_row(right_ids)}."
                + (_why_too_many(too_many) if len(too_many) else "")
            )
        if not np.allclose(scores, right_scores, atol=1e-4):
            raise Wrong(
                f"the ids are right, the scores are not: query {q} gets {_row(scores)}; they should "
                f"be {_row(right_scores)}."
            )
    return True


def _why_too_many(scores: np.ndarray) -> str:
    """Say where ids may come from that stand where -1 should."""
    if np.isneginf(scores).all():
        return " Their score is -inf: those vectors lie in closed cells. Their ids must be -1."
    if (scores == 0).any():
        return (
            " A score of 0 does not shut a vector out: it beats every negative one. Give -inf to what "
            "lies in closed cells, and -1 for its id."
        )
    return (
        " The nprobe cells hold fewer than k vectors, empty cells count as opened, and no others are "
        "opened in their place: -1 fills up."
    )


def _row(values: np.ndarray) -> str:
    shown = ", ".join(f"{value:.3g}" for value in values[:8])
    return f"[{shown}{', …' if len(values) > 8 else ''}]"
