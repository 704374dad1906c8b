"""Several rankings of the same things made one: by their ranks, or by their scores."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import numpy as np

#: The constant of reciprocal rank fusion in its first publication.
RRF_K = 60

Item = TypeVar("Item", int, str)


def reciprocal_rank_fusion(
    rankings: Sequence[Sequence[Item]], *, k: float = RRF_K
) -> list[tuple[Item, float]]:
    """Fuse rankings of the same things: each gives the thing at rank r (from 1) 1 / (k + r).

    Only ranks count, so that engines whose scores have nothing in common can be fused. A larger
    `k` lets the first places count for less. How long the rankings are counts too: what stands at
    rank 101 of one gets nothing when rankings are cut at 100.

    Each ranking is a sequence of ids, best first, no id twice: all whole numbers, or all strings.
    Returned are pairs (id, score) in descending order of score; equal scores in ascending order of
    id, so that the order of the rankings does not matter. Raises TypeError for anything but ids,
    ValueError for an id twice in a ranking or a negative `k`.

    Reference: G. V. Cormack, C. L. A. Clarke and S. Büttcher, "Reciprocal rank fusion outperforms
    Condorcet and individual rank learning methods", SIGIR 2009.
    """
    if not 0 <= k < math.inf:
        raise ValueError(f"k={k}: give 0 or more")
    ids = _check_ids(rankings)
    return _sum_up((item, 1 / (k + rank)) for r in ids for rank, item in enumerate(r, start=1))


def convex_combination(
    rankings: Sequence[Sequence[tuple[Item, float]]], weights: Sequence[float] | None = None
) -> list[tuple[Item, float]]:
    """Fuse rankings of the same things, pairs (id, score), by their scores: the weighted mean.

    The scores of each ranking are brought to 0 to 1 first: its lowest becomes 0, its highest 1
    (both 1 where they are equal). What a ranking does not hold gets 0 from it. So the scale
    depends on the query, and on where a ranking is cut off.

    `weights`: one for each ranking, not negative, with the sum 1; None: the same for all. Returned
    are pairs as from `reciprocal_rank_fusion`, scores from 0 to 1. Raises TypeError for anything
    but pairs; ValueError for an id twice, a score that is not finite, or other weights.

    Reference: S. Bruch, S. Gai and A. Ingber, "An analysis of fusion functions for hybrid
    retrieval", ACM TOIS 42(1), 2023.
    """
    given = [1 / max(1, len(rankings))] * len(rankings) if weights is None else list(weights)
    right = all(weight >= 0 for weight in given) and abs(sum(given) - 1) < 1e-6
    if len(given) != len(rankings) or (given and not right):
        needed = "give one for each, none negative, sum 1"
        raise ValueError(f"weights={given} for {len(rankings)} rankings: {needed}")
    for pair in (pair for ranking in rankings for pair in ranking):
        if not isinstance(pair, tuple) or len(pair) != 2:
            pairs = "[(result.index, result.score) for result in results]"
            raise TypeError(f"a ranking holds {_short(pair)}; give pairs of id and score: {pairs}")
        if not isinstance(pair[1], int | float | np.number) or not math.isfinite(pair[1]):
            raise ValueError(f"the score of {pair[0]!r} is {pair[1]!r}; give a finite number")
    ids = _check_ids([[item for item, _ in ranking] for ranking in rankings])
    weighted: list[tuple[Item, float]] = []
    for items, ranking, weight in zip(ids, rankings, given, strict=True):
        scores = np.array([score for _, score in ranking], dtype=float)
        span = np.ptp(scores) if len(scores) else 0
        scaled = (scores - scores.min()) / span if span else np.ones(len(scores))
        weighted += zip(items, (weight * scaled).tolist(), strict=True)
    return _sum_up(weighted)


def _sum_up(parts: Iterable[tuple[Item, float]]) -> list[tuple[Item, float]]:
    scores: dict[Item, list[float]] = {}
    for item, score in parts:
        scores.setdefault(item, []).append(score)
    # fsum: the same sum in whatever order the rankings come.
    fused = [(item, math.fsum(of_item)) for item, of_item in scores.items()]
    return sorted(fused, key=lambda entry: (-entry[1], entry[0]))


def _check_ids(rankings: Sequence[Sequence[Item]]) -> list[list[Item]]:
    """Return rankings of ids as lists, numbers as Python's own."""
    checked = []
    for ranking in rankings:
        if isinstance(ranking, str | Mapping | set | frozenset) or hasattr(ranking, "columns"):
            raise TypeError(f"a ranking is a {type(ranking).__name__}; give a list of ids")
        ids = [item.item() if isinstance(item, np.generic) else item for item in ranking]
        for item in ids:
            if isinstance(item, bool) or not isinstance(item, int | str):
                needed = "give ids, whole numbers or strings, best first"
                example = "[result.index for result in results]"
                raise TypeError(f"a ranking holds {_short(item)}; {needed}: {example}")
        if len(set(ids)) < len(ids):
            raise ValueError("a ranking holds an id twice; give each id once, at its best rank")
        checked.append(ids)
    if len({type(item) for ids in checked for item in ids}) > 1:
        raise TypeError("some ids are numbers and some are strings; 7 and '7' are never the same")
    return checked


def _short(value: object) -> str:
    text = repr(value)
    return f"a {type(value).__name__} ({text if len(text) < 60 else text[:57] + '…'})"
