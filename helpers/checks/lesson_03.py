"""The checks of practice 03, semantic search."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, KeysView, Mapping, Sequence
from typing import Any

import numpy as np

from helpers.checks.exercise import (
    Answer,
    Case,
    Mistake,
    Part,
    Wrong,
    describe,
    exercise,
    integers,
    judge,
    number,
    sequence,
    texts,
)


def _judge_list(
    answer: Answer,
    cases: Sequence[Case],
    reference: Callable,
    mistakes: Iterable[Mistake],
    read: Callable[[Any], list],
    things: str,
) -> None:
    """Judge as `judge` does; where it knows no mistake, look for a wrong order."""
    try:
        judge(answer, cases, reference, mistakes, read=read)
    except Wrong as wrong:
        unknown = [f"it should be {describe(reference(*case.arguments))}." for case in cases]
        later = ("the first difference is at place", "values are wrong. The first is at")
        if str(wrong).endswith(tuple(unknown)) or any(words in str(wrong) for words in later):
            _check_length(answer, cases, reference, read, things)
            if reference is fuse:
                _check_sums(answer, cases)
            _check_order(answer, cases, reference, read, things)
        raise


def _check_length(
    answer: Answer, cases: Iterable[Case], reference: Callable, read: Callable, things: str
) -> None:
    """Raise `Wrong` when something comes twice, or when a long list has the wrong length."""
    for case in cases:
        found, expected = read(answer(*case.arguments)), reference(*case.arguments)
        twice = [item for place, item in enumerate(found) if item in found[:place]]
        if twice and reference is fuse:
            raise Wrong(
                f"for {case} you return {describe(twice[0])} more than once. Each id comes once."
            )
        if len(found) != len(expected) and len(expected) > 8:
            raise Wrong(
                f"for {case} you return {len(found)} {things}; it should be {len(expected)}."
            )


def _check_sums(answer: Answer, cases: Iterable[Case]) -> None:
    """Raise `Wrong` with the first two ids that stand the wrong way round."""
    for case in cases:
        rankings, constant = case.arguments
        sums = _sums(rankings, lambda rank, constant=constant: 1 / (constant + rank))
        found = _ids(answer(*case.arguments))
        if sorted(found) != sorted(sums) or all(
            sums[one] < sums[other] for one, other in itertools.pairwise(found)
        ):
            return
        for one, other in itertools.pairwise(found):
            if sums[one] < sums[other]:
                raise Wrong(
                    f"all ids are there, but not in the order of their sums. For {case} you put {one} in "
                    f"front of {other}; {one} gets {sums[one]:.5g} in all, and {other} gets "
                    f"{sums[other]:.5g}."
                )


def _check_order(
    answer: Answer,
    cases: Iterable[Case],
    reference: Callable,
    read: Callable[[Any], list],
    things: str,
) -> None:
    """Raise `Wrong` when in every case all that belongs in the list is there, but out of order."""
    wrong = []
    for case in cases:
        try:
            found = read(answer(*case.arguments))
        except Wrong:
            return
        expected = list(reference(*case.arguments))
        if sorted(found) != sorted(expected):
            return
        if found != expected:
            wrong.append((case, found, expected))
    if not wrong:
        return
    case, found, expected = wrong[0]
    if all(found == expected[::-1] for _, found, expected in wrong):
        raise Wrong(
            f"the right {things}, the wrong way round: worst first. For {case} you return "
            f"{describe(found)}; it should be {describe(expected)}. "
            "(`np.argsort` and `sorted` put the smallest first.)"
        )
    raise Wrong(
        f"the right {things}, but not in order: best first. For {case} you return {describe(found)}; "
        f"it should be {describe(expected)}."
    )


def _rows(value: object, what: str = "what you return") -> list[int]:
    """Read row numbers: a list, an array, or what can be made a list (a tensor, an index)."""
    if isinstance(value, KeysView):
        value = list(value)
    if not isinstance(value, np.ndarray) and hasattr(value, "tolist"):
        value = value.tolist()
    for item in sequence(value, what):
        if isinstance(item, float):
            raise Wrong(
                f"{what} holds {item!r}, a float. Row numbers are whole numbers: `int(row)`, or "
                "`.astype(int)` for an array."
            )
    return integers(value, what)


def _ids(value: object) -> list[str]:
    """Read document ids: a list, or what can be made one."""
    return texts(list(value) if isinstance(value, KeysView) else value)


def _scores(rng: np.random.Generator, n: int) -> np.ndarray:
    """Return `n` different scores between -0.4 and 1, some of them negative."""
    return rng.permutation(np.linspace(-0.4, 0.99, n)).round(4)


# 3.1


def top_k(scores: np.ndarray, k: int) -> list[int]:
    """Return the rows of the `k` best, best first; all of them if there are fewer."""
    return [int(row) for row in np.argsort(-scores, kind="stable")[:k]]


def _marked(mark):
    """Look for the largest k times; what was found gets the score `mark`."""

    def found(scores, k):
        scores, rows = scores.copy(), []
        for _ in range(min(k, len(scores))):
            rows.append(int(scores.argmax()))
            scores[rows[-1]] = mark
        return rows

    return found


_TOP_K = (
    Mistake(
        lambda s, k: np.argsort(-s[np.argpartition(-s, k)[:k]]),
        "for {case} you return {got}; it should be {expected}. These are still places among the "
        "candidates, from 0 to k - 1, and no rows of `scores`. Look them up: `candidates[…]`.",
    ),
    Mistake(
        lambda s, k: np.argsort(-s[np.argpartition(-s, k - 1)[:k]]),
        "for {case} you return {got}; it should be {expected}. These are places among the candidates, "
        "from 0 to k - 1, and no rows of `scores`. Look them up: `candidates[…]`.",
    ),
    Mistake(
        lambda s, k: np.argsort(np.argsort(-s))[:k],
        "for {case} you return {got}; it should be {expected}. These are the *ranks* of the first k "
        "documents; asked for are the rows of the best.",
    ),
    Mistake(
        lambda s, k: np.argsort(s)[:k],
        "for {case} you return {got}: the k *worst*. `np.argsort` puts the smallest first.",
    ),
    Mistake(
        lambda s, k: np.argpartition(s, k)[:k],
        "for {case} you return {got}: the k *smallest* scores, for `np.argpartition` puts the smallest "
        "in front.",
    ),
    Mistake(
        lambda s, k: np.argsort(s)[:k][::-1],
        "for {case} you return {got}: the k *worst*, the best of them first.",
    ),
    Mistake(
        lambda s, k: np.sort(s)[::-1][:k],
        "for {case} you return {got}: scores. Return the rows at which they stand.",
    ),
    Mistake(
        lambda s, k: np.sort(s)[:k],
        "for {case} you return {got}: scores, and the smallest. Return the rows of the largest.",
    ),
    Mistake(
        lambda s, k: [(row, s[row]) for row in top_k(s, k)],
        "for {case} you return rows with their scores. Return the rows alone.",
    ),
    Mistake(
        lambda s, k: [(s[row], row) for row in top_k(s, k)],
        "for {case} you return scores with their rows. Return the rows alone.",
    ),
    Mistake(
        lambda s, k: [row + 1 for row in top_k(s, k)],
        "for {case} you return {got}; it should be {expected}. You count the rows from 1; Python counts "
        "from 0.",
    ),
    Mistake(lambda s, k: top_k(s, k + 1), "for {case} you return {got}, one too many."),
    Mistake(lambda s, k: top_k(s, k - 1), "for {case} you return {got}, one too few."),
    Mistake(
        lambda s, k: top_k(s, k + 1)[1:],
        "for {case} you return {got}; it should be {expected}. You leave out the best: a slice one place "
        "too far.",
    ),
    Mistake(
        lambda s, k: np.argsort(s)[-2 : -k - 2 : -1],
        "for {case} you return {got}; it should be {expected}. You leave out the best: a slice one place "
        "too far.",
    ),
    *(
        Mistake(
            _marked(mark),
            "for {case} you return {got}; it should be {expected}. You take the largest again and again, and "
            f"mark what is taken with a score of {mark}. Scores can lie below that: mark with `-np.inf`, on a "
            "copy.",
        )
        for mark in (0, -1)
    ),
    Mistake(
        lambda s, k: [row for row in top_k(s, k) if s[row] > 0],
        "for {case} you return {got}; it should be {expected}. You leave out documents with negative "
        "scores. There is no threshold here.",
    ),
    Mistake(lambda s, k: np.argsort(-s)[:10], "for {case} you return ten rows, whatever k is."),
    Mistake(
        lambda s, k: np.argsort(-s),
        "for {case} you return all documents. The list ends after the best k.",
    ),
    Mistake(
        lambda s, k: np.argsort(-np.abs(s))[:k],
        "for {case} you return {got}; it should be {expected}. You compare the scores without their "
        "sign: a strongly negative one is not a good one.",
    ),
    Mistake(
        lambda s, k: np.argsort(-s[:k]),
        "for {case} you return {got}; it should be {expected}. You look at the first k documents only.",
    ),
    Mistake(
        lambda s, k: np.argmax(s),
        "for {case} you return the best row alone, as a number. Return a list of k.",
    ),
)


@exercise(
    "3.1",
    level=1,
    title="Ten best without sorting all",
    names=["top_k"],
    hints=[
        "Whatever the query, the numbers found lie between 0 and 4. What do they number?",
        "`np.argsort(-scores[candidates])` says in which order to take the candidates. The rows are "
        "in `candidates`.",
        "`candidates[np.argsort(-scores[candidates])]`. And `np.argpartition` does not accept a k as "
        "large as the number of documents: begin with `k = min(k, len(scores))`, and partition at "
        "k - 1.",
    ],
)
def exercise_3_1(answer: Answer) -> str:
    """Rows of the scores, not of the candidates; in order; and k may be too large."""
    rng = np.random.default_rng(31)
    cases = [
        Case((_scores(rng, n), k), f"{n} scores and k = {k}")
        for n, k in ((30, 4), (60, 10), (200, 40), (2000, 300))
    ]
    cases.insert(1, Case((np.array([-2.5, -0.5, -0.8, -3.1, -9.4]), 3),
                         "scores [-2.5, -0.5, -0.8, -3.1, -9.4] and k = 3"))  # fmt: skip
    cases.insert(1, Case((np.array([-0.9, 0.2, -0.5, 0.4, -0.1, 0.3, 0.1]), 2),
                         "scores [-0.9, 0.2, -0.5, 0.4, -0.1, 0.3, 0.1] and k = 2"))  # fmt: skip
    _judge_list(answer, cases, top_k, _TOP_K, _rows, "rows")
    one = Case((_scores(rng, 20), 1), "20 scores and k = 1")
    judge(answer, [one], top_k, _TOP_K, read=_rows)
    for k, words in ((5, "5 scores and k = 5"), (9, "5 scores and k = 9")):
        try:
            judge(answer, [Case((_scores(rng, 5), k), words)], top_k, read=_rows)
        except Wrong as wrong:
            raise Wrong(
                f"for small k all is right, but not for {words}: {_from_colon(wrong)}"
            ) from None
    _check_rows(answer(np.array([0.5, 0.9, 0.5, 0.9, 0.5, 0.1]), 4), [0.9, 0.9, 0.5, 0.5])
    return "right: rows of the archive, best first, and never more than there are."


def _from_colon(wrong: Wrong) -> str:
    text = str(wrong)
    return (
        text.split("you return", 1)[-1].join(("you return", "")) if "you return" in text else text
    )


def _check_rows(value: object, best: Sequence[float]) -> None:
    """Raise `Wrong` when rows of [0.5, 0.9, 0.5, 0.9, 0.5, 0.1] are not those of `best`."""
    scores = (0.5, 0.9, 0.5, 0.9, 0.5, 0.1)
    rows = _rows(value)
    seen = f"for scores [0.5, 0.9, 0.5, 0.9, 0.5, 0.1] you return {rows}"
    if len(set(rows)) < len(rows):
        raise Wrong(
            f"{seen}: a row comes twice. Documents with equal scores are different documents; looking "
            "a score up (`list.index`, or a dictionary by score) finds only one of them."
        )
    if len(rows) < len(best):
        raise Wrong(
            f"{seen}; there should be {len(best)} rows. Documents with equal scores are different "
            "documents: does a dictionary by score keep only one of them?"
        )
    if len(rows) > len(best):
        raise Wrong(
            f"{seen}; there should be {len(best)} rows. Of documents with equal scores you take all; at "
            "most k were asked for."
        )
    if any(row not in range(6) for row in rows) or [scores[row] for row in rows] != list(best):
        raise Wrong(f"{seen}; the scores of the rows should be {list(best)}.")


# 3.2


def answers(scores: np.ndarray, threshold: float, k: int) -> list[int]:
    """Return the rows of at most `k` scores that reach `threshold`, best first."""
    return [row for row in top_k(scores, k) if scores[row] >= threshold]


def _all_or_nothing(scores, threshold, k):
    return top_k(scores, k) if scores.max() >= threshold else []


_ANSWERS = (
    Mistake(
        lambda s, t, k: [row for row in top_k(s, k) if s[row] > t],
        "for {case} you return {got}; it should be {expected}. A score that is exactly the threshold "
        "reaches it: `>=`, not `>`.",
    ),
    Mistake(
        lambda s, t, k: np.argsort(-s[s >= t])[:k],
        "for {case} you return {got}; it should be {expected}. These are places among the documents "
        "that reach the threshold, and no rows of `scores`: keep their rows, too (`np.flatnonzero`).",
    ),
    Mistake(
        lambda s, t, k: np.argsort(-s[s > t])[:k],
        "for {case} you return {got}; it should be {expected}. These are places among the documents "
        "above the threshold, and no rows of `scores`: keep their rows, too (`np.flatnonzero`).",
    ),
    Mistake(
        lambda s, t, k: np.argsort(-s[s >= t]),
        "for {case} you return {got}; it should be {expected}. These are places among the documents that "
        "reach the threshold, and no rows of `scores` (and there are at most k to return).",
    ),
    Mistake(
        lambda s, t, k: [place for place, row in enumerate(top_k(s, k)) if s[row] >= t],
        "for {case} you return {got}; it should be {expected}. These are places among the best k, and no "
        "rows of `scores`: look them up, `best[…]`.",
    ),
    Mistake(
        lambda s, t, k: [row for row in top_k(s, k) if row >= t],
        "for {case} you return {got}; it should be {expected}. You compare *row numbers* with the "
        "threshold. Compare their scores: `scores[best]`.",
    ),
    Mistake(
        lambda s, t, k: np.flatnonzero(s >= t)[::-1][:k],
        "for {case} you return {got}; it should be {expected}. You sort by row number. Sort by score, and "
        "keep the rows.",
    ),
    Mistake(
        lambda s, t, k: answers(s, t, k) if len(answers(s, t, k)) == k else [],
        "for {case} you return {got}; it should be {expected}. You return nothing unless there are k; "
        "fewer than k are an answer, too.",
    ),
    Mistake(
        lambda s, t, k: top_k(np.where(s < t, 0, s), k),
        "for {case} you return {got}; it should be {expected}. You set to 0 what lies below the threshold, "
        "and return it all the same.",
    ),
    Mistake(
        lambda s, t, k: answers(np.abs(s), t, k),
        "for {case} you return {got}; it should be {expected}. You compare the scores without their sign: "
        "a strongly negative one is not a good one.",
    ),
    Mistake(
        _all_or_nothing,
        "for {case} you return {got}; it should be {expected}. You ask only whether the *best* reaches "
        "the threshold, and then show k documents. Each one must reach it.",
    ),
    Mistake(
        lambda s, t, k: answers(s, t, k) or top_k(s, 1),
        "for {case} you return {got}. Nothing reaches the threshold, and still you show the best: the "
        "list should be empty.",
    ),
    Mistake(
        lambda s, t, k: answers(s, t, k) or top_k(s, k),
        "for {case} you return {got}. Nothing reaches the threshold, and still you show documents: the "
        "list should be empty.",
    ),
    Mistake(
        lambda s, t, k: answers(s, t, k) or [-1],
        "for {case} you return {got}. -1 is no document (and as a row it is the last one): the list "
        "should be empty.",
    ),
    Mistake(
        lambda s, t, k: (answers(s, t, k) + [-1] * k)[:k],
        "for {case} you return {got}; it should be {expected}. You fill up with -1, as FAISS does. A "
        "shorter list was asked for.",
    ),
    Mistake(
        lambda s, t, k: answers(s, t, len(s)),
        "for {case} you return {got}; it should be {expected}. All that reach the threshold, however "
        "many; at most k were asked for.",
    ),
    Mistake(
        lambda s, t, k: top_k(s, k),
        "for {case} you return {got}; it should be {expected}. The threshold does not matter to you: "
        "what scores below it is not shown.",
    ),
    Mistake(
        lambda s, t, k: np.flatnonzero(s >= t)[:k],
        "for {case} you return {got}; it should be {expected}. These are the first k rows that reach the "
        "threshold. Sort by score before you cut.",
    ),
    Mistake(
        lambda s, t, k: sorted(np.flatnonzero(s >= t)[:k], key=lambda row: -s[row]),
        "for {case} you return {got}; it should be {expected}. You take the first k rows that reach the "
        "threshold, and sort those. Sort before you cut.",
    ),
    Mistake(
        lambda s, t, k: sorted(np.flatnonzero(s >= t), key=lambda row: s[row])[:k],
        "for {case} you return {got}; it should be {expected}. Of those that reach the threshold you "
        "take the k *worst*.",
    ),
    Mistake(
        lambda s, t, k: [row for row in np.argsort(s)[:k] if s[row] <= t],
        "for {case} you return {got}; it should be {expected}. You take what lies *below* the threshold, "
        "as if the scores were distances. Here higher is better.",
    ),
    Mistake(
        lambda s, t, k: [row for row in top_k(s, len(s)) if s[row] < t][:k],
        "for {case} you return {got}; it should be {expected}. You keep what lies *below* the threshold.",
    ),
    Mistake(
        lambda s, t, k: [row for row in top_k(s, len(s)) if s[row] <= t][:k],
        "for {case} you return {got}; it should be {expected}. You keep what lies *below* the threshold.",
    ),
    *(
        Mistake(
            lambda s, t, k, below=below: [row for row in top_k(s, k) if below(s[row], t)],
            "for {case} you return {got}; it should be {expected}. You keep what lies *below* the threshold.",
        )
        for below in (np.less, np.less_equal)
    ),
    Mistake(
        lambda s, t, k: [row for row in top_k(s, len(s)) if s[row] > t],
        "for {case} you return {got}; it should be {expected}. A score that is exactly the threshold reaches "
        "it: `>=`, not `>`. And at most k were asked for.",
    ),
    Mistake(
        lambda s, t, k: np.flatnonzero(s > t)[:k],
        "for {case} you return {got}; it should be {expected}. A score that is exactly the threshold reaches "
        "it: `>=`, not `>`. And these are the first k rows: sort by score before you cut.",
    ),
    *(
        Mistake(
            lambda s, t, k, always=always: answers(s, always, k),
            "for {case} you return {got}; it should be {expected}. Your threshold is always the same, "
            f"about {always}; the function is given one.",
        )
        for always in (0.34, 0.35, 0.4, 0.43, 0.5)
    ),
    Mistake(
        lambda s, t, k: sorted(np.flatnonzero(s <= t), key=lambda row: s[row])[:k],
        "for {case} you return {got}; it should be {expected}. You take what lies *below* the threshold, "
        "as if the scores were distances. Here higher is better.",
    ),
    Mistake(
        lambda s, t, k: answers(s, t, 1),
        "for {case} you return {got}; it should be {expected}. You return the best alone. Up to k reach "
        "the threshold.",
    ),
    Mistake(
        lambda s, t, k: answers(s, t, len(s))[-k:],
        "for {case} you return {got}; it should be {expected}. Of those that reach the threshold you take "
        "the k *worst*: cut the list in front, not at its end.",
    ),
    *(
        Mistake(
            lambda s, t, k, most=most: answers(s, t, most),
            "for {case} you return {got}; it should be {expected}. "
            f"You return up to {most}, whatever k is.",
        )
        for most in (3, 5, 10)
    ),
    Mistake(
        lambda s, t, k: [row for row in answers(s, t, k) if s[row] > 0],
        "for {case} you return {got}; it should be {expected}. You leave out documents with negative "
        "scores. The threshold can be negative, too.",
    ),
    Mistake(
        lambda s, t, k: [s[row] for row in answers(s, t, k)],
        "for {case} you return {got}: scores. Return the rows at which they stand.",
    ),
    Mistake(
        lambda s, t, k: [(row, s[row]) for row in answers(s, t, k)],
        "for {case} you return rows with their scores. Return the rows alone.",
    ),
    Mistake(
        lambda s, t, k: [(s[row], row) for row in answers(s, t, k)],
        "for {case} you return scores with their rows. Return the rows alone.",
    ),
    Mistake(
        lambda s, t, k: [row + 1 for row in answers(s, t, k)],
        "for {case} you return {got}; it should be {expected}. You count the rows from 1; Python counts "
        "from 0.",
    ),
    Mistake(
        lambda s, t, k: answers(s, t, k + 1),
        "for {case} you return {got}; it should be {expected}. At most k, not k + 1.",
    ),
    Mistake(
        lambda s, t, k: answers(s, t, k - 1),
        "for {case} you return {got}; it should be {expected}. k documents are allowed, not k - 1.",
    ),
    Mistake(
        lambda s, t, k: s >= t,
        "for {case} you return True or False for each document. Return the rows of those that reach "
        "the threshold, best first.",
    ),
    Mistake(
        lambda s, t, k: len(answers(s, t, k)),
        "for {case} you return {got}, how many there are. Return which.",
    ),
)


@exercise(
    "3.2",
    level=2,
    title="Nothing relevant here",
    names=["answers"],
    hints=[
        "Two conditions: among the best k, and at or above the threshold.",
        "Begin with the rows of the best k, best first. Which of them stay?",
        "`best = np.argsort(-scores)[:k]`, then `best[scores[best] >= threshold]`. It may be empty, "
        "and that is right.",
    ],
)
def exercise_3_2(answer: Answer) -> str:
    """`>=`, rows and not places, at most k, and sometimes nothing."""
    rng = np.random.default_rng(32)
    small = np.array([0.1, 0.5, 0.3, 0.75, 0.2, 0.6])
    shown = "scores [0.1, 0.5, 0.3, 0.75, 0.2, 0.6]"
    cases = [
        Case((small, 0.5, 4), f"{shown}, threshold 0.5 and k = 4"),
        Case((small, 0.25, 2), f"{shown}, threshold 0.25 and k = 2"),
        Case((_scores(rng, 40), 0.55, 5), "40 scores, threshold 0.55 and k = 5"),
        Case((_scores(rng, 25), 0.9, 6), "25 scores, threshold 0.9 and k = 6"),
        Case((_scores(rng, 8), -0.1, 20), "8 scores, threshold -0.1 and k = 20"),
        Case((small, 0.8, 3), f"{shown}, threshold 0.8 and k = 3"),
    ]
    try:
        _judge_list(answer, cases, answers, _ANSWERS, _rows, "rows")
    except Wrong as wrong:
        silent = cases[-1]
        found = answer(*cases[0].arguments) if "returns None" in str(wrong) else None
        if found is not None:
            raise Wrong(
                f"for {silent} nothing reaches the threshold, and you return None. Return an empty list, "
                "which whoever calls the function can go through all the same."
            ) from None
        raise
    _check_rows(answer(np.array([0.5, 0.9, 0.5, 0.9, 0.5, 0.1]), 0.5, 4), [0.9, 0.9, 0.5, 0.5])
    return "right: what reaches the threshold, best first, and silence where nothing does."


# 3.3


def fuse(rankings: Sequence[Sequence[str]], constant: float) -> list[str]:
    """Return all ids, best first, by the sum of 1 / (constant + rank)."""
    sums = _sums(rankings, lambda rank: 1 / (constant + rank))
    return sorted(sums, key=sums.__getitem__, reverse=True)


def _sums(rankings, worth, first=1) -> dict[str, float]:
    sums: dict[str, float] = {}
    for ranking in rankings:
        for rank, document in enumerate(ranking, start=first):
            sums[document] = sums.get(document, 0) + worth(rank)
    return sums


def _by_rounded_sums(digits):
    def fused(rankings, constant):
        sums = _sums(rankings, lambda rank: 1 / (constant + rank))
        return sorted(sums, key=lambda document: -round(sums[document], digits))

    return fused


def _by_sums(worth, best_last=True, first=1):
    def fused(rankings, constant):
        sums = _sums(rankings, lambda rank: worth(rank, constant), first)
        return sorted(sums, key=sums.__getitem__, reverse=best_last)

    return fused


def _not_added(rankings, constant):
    """The last list in which a document stands decides."""
    sums = {d: 1 / (constant + r) for ranking in rankings for r, d in enumerate(ranking, 1)}
    return sorted(sums, key=sums.__getitem__, reverse=True)


def _by_best(rankings, constant):
    best: dict[str, float] = {}
    for ranking in rankings:
        for rank, document in enumerate(ranking, 1):
            best[document] = max(best.get(document, 0), 1 / (constant + rank))
    return sorted(best, key=best.__getitem__, reverse=True)


def _first_list_decides(rankings, constant):
    sums: dict[str, float] = {}
    for ranking in rankings:
        for rank, document in enumerate(ranking, 1):
            sums.setdefault(document, 1 / (constant + rank))
    return sorted(sums, key=sums.__getitem__, reverse=True)


def _by_mean(rankings, constant):
    sums = _sums(rankings, lambda rank: 1 / (constant + rank))
    times = _sums(rankings, lambda rank: 1)
    return sorted(sums, key=lambda d: sums[d] / times[d], reverse=True)


def _only_common(rankings, constant):
    return [d for d in fuse(rankings, constant) if all(d in ranking for ranking in rankings)]


def _only_first(rankings, constant):
    return [d for d in fuse(rankings, constant) if d in rankings[0]]


def _two_lists(rankings, constant):
    return fuse(rankings[:2], constant)


def _cut_to_shortest(rankings, constant):
    shortest = min(map(len, rankings))
    return fuse([ranking[:shortest] for ranking in rankings], constant)


def _zipped(rankings, constant):
    sums: dict[str, float] = {}
    for rank, documents in enumerate(zip(*rankings, strict=False), 1):
        for document in documents:
            sums[document] = sums.get(document, 0) + 1 / (constant + rank)
    return sorted(sums, key=sums.__getitem__, reverse=True)


def _by_list_number(rankings, constant):
    sums: dict[str, float] = {}
    for place, ranking in enumerate(rankings, 1):
        for document in ranking:
            sums[document] = sums.get(document, 0) + 1 / (constant + place)
    return sorted(sums, key=sums.__getitem__, reverse=True)


def _from_the_end(rankings, constant):
    sums: dict[str, float] = {}
    for ranking in rankings:
        for rank, document in enumerate(ranking):
            sums[document] = sums.get(document, 0) + 1 / (constant + len(ranking) - rank)
    return sorted(sums, key=sums.__getitem__, reverse=True)


def _points(rankings, constant):
    sums: dict[str, float] = {}
    for ranking in rankings:
        for rank, document in enumerate(ranking):
            sums[document] = sums.get(document, 0) + len(ranking) - rank
    return sorted(sums, key=sums.__getitem__, reverse=True)


def _with_penalty(rankings, constant):
    """A missing document counts as if it stood behind the last."""
    everyone = {d for ranking in rankings for d in ranking}
    sums = dict.fromkeys(everyone, 0.0)
    for ranking in rankings:
        ranks = {d: r for r, d in enumerate(ranking, 1)}
        for d in everyone:
            sums[d] += 1 / (constant + ranks.get(d, len(ranking) + 1))
    return sorted(sums, key=sums.__getitem__, reverse=True)


def _interleaved(rankings, constant):
    longest = max(map(len, rankings), default=0)
    return list(dict.fromkeys(r[i] for i in range(longest) for r in rankings if i < len(r)))


def _with_sums(rankings, constant):
    sums = _sums(rankings, lambda rank: 1 / (constant + rank))
    return [(document, sums[document]) for document in fuse(rankings, constant)]


_FUSION = (
    Mistake(
        _by_sums(lambda rank, constant: constant + rank, best_last=False),
        "for {case} you return {got}; it should be {expected}. This is still a sum of ranks, smallest "
        "first: whoever is *missing* from a list gets nothing added, and wins. Add 1 / (constant + "
        "rank), largest first.",
    ),
    Mistake(
        _by_sums(lambda rank, constant: rank, best_last=False),
        "for {case} you return {got}; it should be {expected}. You add up ranks, smallest first: whoever "
        "is *missing* from a list gets nothing added, and wins.",
    ),
    Mistake(
        _by_sums(lambda rank, constant: 1 / (constant + rank), first=0),
        "for {case} you return {got}; it should be {expected}. You count ranks from 0 (`enumerate` "
        "does); the first place has rank 1.",
    ),
    Mistake(
        _not_added,
        "for {case} you return {got}; it should be {expected}. A document keeps only what it got last: "
        "`=` replaces where the list before should be added to.",
    ),
    Mistake(
        _first_list_decides,
        "for {case} you return {got}; it should be {expected}. A document keeps only what it got first; "
        "what the other lists give is to be added.",
    ),
    Mistake(
        _by_best,
        "for {case} you return {got}; it should be {expected}. You take the best of what a document gets "
        "from the lists. It is to be added up.",
    ),
    Mistake(
        _by_mean,
        "for {case} you return {got}; it should be {expected}. You divide by the number of lists in which "
        "a document stands, so that two votes are worth no more than one. Add, and do not divide.",
    ),
    Mistake(
        _by_sums(lambda rank, constant: 1 / (60 + rank)),
        "for {case} you return {got}; it should be {expected}. Your constant is always 60; the function "
        "is given one.",
    ),
    Mistake(
        _by_sums(lambda rank, constant: 1 / rank),
        "for {case} you return {got}; it should be {expected}. You add 1 / rank (or a multiple of it). The constant is "
        "added to the rank before you divide: 1 / (constant + rank).",
    ),
    Mistake(
        _by_sums(lambda rank, constant: 1 / constant + rank),
        "for {case} you return {got}; it should be {expected}. `1 / constant + rank` divides first. Put "
        "constant + rank in brackets.",
    ),
    Mistake(
        _by_sums(lambda rank, constant: 1 / constant + rank, best_last=False),
        "for {case} you return {got}; it should be {expected}. `1 / constant + rank` divides first. Put "
        "constant + rank in brackets.",
    ),
    *(
        Mistake(
            rounded,
            "for {case} you return {got}; it should be {expected}. You round what is added up: with a large "
            "constant, different ranks are then worth the same.",
        )
        for digits in (2, 3, 4, 5)
        for rounded in (
            _by_sums(lambda rank, constant, digits=digits: round(1 / (constant + rank), digits)),
            _by_rounded_sums(digits),
        )
    ),
    Mistake(
        _by_sums(lambda rank, constant: 1),
        "for {case} you return {got}; it should be {expected}. You count in how many lists a document "
        "stands; its rank matters, too.",
    ),
    Mistake(
        _by_sums(lambda rank, constant: 1 / (constant + rank) ** 2),
        "for {case} you return {got}; it should be {expected}. You square 1 / (constant + rank).",
    ),
    Mistake(
        _by_list_number,
        "for {case} you return {got}; it should be {expected}. You number the *lists*, and give all ids of "
        "a list the same. Number the ids within each list.",
    ),
    Mistake(
        _from_the_end,
        "for {case} you return {got}; it should be {expected}. You count ranks from the end of each list; "
        "the first has rank 1.",
    ),
    Mistake(
        _points,
        "for {case} you return {got}; it should be {expected}. You give points by the place from the end, "
        "or add up ranks, a missing document ranking behind the last (a Borda count: the same). The gain is "
        "1 / (constant + rank).",
    ),
    Mistake(
        _with_penalty,
        "for {case} you return {got}; it should be {expected}. You give a missing document the rank "
        "behind the last. From a list in which it does not stand it gets nothing.",
    ),
    Mistake(
        _only_common,
        "for {case} you return {got}: only what stands in *every* list. All ids that occur belong in "
        "the result.",
    ),
    Mistake(
        _only_first,
        "for {case} you return {got}: only what stands in the *first* list. All ids that occur belong in "
        "the result.",
    ),
    Mistake(
        _two_lists,
        "for {case} you return {got}; it should be {expected}. You look at two rankings only. There can "
        "be more.",
    ),
    *(
        Mistake(
            cut,
            "for {case} you return {got}; it should be {expected}. You stop where the shortest ranking "
            "ends (`zip` does). The others go on.",
        )
        for cut in (_cut_to_shortest, _zipped)
    ),
    Mistake(
        _interleaved,
        "for {case} you return {got}; it should be {expected}. You deal the lists out in turn, without "
        "adding anything up.",
    ),
    Mistake(
        lambda rankings, constant: list(dict.fromkeys(d for r in rankings for d in r)),
        "for {case} you return {got}; it should be {expected}. The lists stand one behind the other: either "
        "nothing is added up, or all sums are equal (`1 // (constant + rank)` is 0).",
    ),
    Mistake(_with_sums, "for {case} you return ids with their sums. Return the ids alone."),
    Mistake(
        lambda rankings, constant: dict(_with_sums(rankings, constant)),
        "for {case} you return a dictionary of sums. Return the list of the ids, best first.",
    ),
    Mistake(
        lambda rankings, constant: _sums(rankings, lambda rank: 1 / (constant + rank)),
        "for {case} you return a dictionary of sums. Return the list of the ids, best first.",
    ),
    Mistake(
        lambda rankings, constant: [value for _, value in _with_sums(rankings, constant)],
        "for {case} you return {got}: the sums. Return the ids to which they belong.",
    ),
)


@exercise(
    "3.3",
    level=2,
    title="Two rankings, one list",
    names=["fuse"],
    hints=[
        "What does a document get, in the function as found, from a list in which it does not stand?",
        "Go through every list, and add 1 / (constant + rank) to what the document has so far. "
        "`sums.get(document, 0)` is 0 for one that is new.",
        "`for rank, document in enumerate(ranking, start=1)`, then `sums[document] = "
        "sums.get(document, 0) + 1 / (constant + rank)`; in the end `sorted(sums, key=sums.get, "
        "reverse=True)`.",
    ],
)
def exercise_3_3(answer: Answer) -> str:
    """Added up, from 1, over any number of lists of any length."""
    rng = np.random.default_rng(33)
    cases = [
        _fusion_case(rng, constant, lengths)
        for constant, lengths in (
            (60, (4, 5)),
            (1, (6, 4)),
            (2, (9, 3, 6)),
            (60, (12, 14)),
            (5, (3, 8, 8, 5)),
            (1, (5,)),
            (1000, (6, 5)),
        )
    ]
    _judge_list(answer, cases, fuse, _FUSION, _ids, "ids")
    for rankings, words in (
        ([["x", "y"], []], 'rankings [["x", "y"], []]'),
        ([[], ["x"]], 'rankings [[], ["x"]]'),
        ([[]], "one ranking, which is empty"),
    ):
        judge(answer, [Case((rankings, 60), words)], fuse, read=_ids)
    tied = _ids(answer([["a", "b", "c"], ["b", "a", "d"]], 60))
    if sorted(tied) != ["a", "b", "c", "d"] or sorted(tied[:2]) != ["a", "b"]:
        raise Wrong(
            'for rankings [["a", "b", "c"], ["b", "a", "d"]] you return '
            f"{describe(tied)}. a and b have equal sums, and so have c and d: all four belong in the "
            "list, a and b in front."
        )
    return "right: every vote is a gain, and whoever is missing gains nothing."


def _fusion_case(rng: np.random.Generator, constant: int, lengths: Sequence[int]) -> Case:
    """Draw rankings in which no two documents have nearly the same sum."""
    while True:
        names = [f"a{i}" for i in rng.choice(range(10, 99), max(lengths) + 3, replace=False)]
        rankings = [[str(d) for d in rng.choice(names, n, replace=False)] for n in lengths]
        sums = sorted(_sums(rankings, lambda rank: 1 / (constant + rank)).values())
        if len(sums) == 1 or min(np.diff(sums)) > 1e-7:
            break
    words = (
        f"rankings {rankings}" if sum(lengths) < 12 else f"rankings of {list(lengths)} documents"
    )
    return Case((rankings, constant), f"{words} and constant {constant}".replace("'", '"'))


# 3.4


def abstention(
    best_scores: np.ndarray, answerable: np.ndarray, choose: np.ndarray
) -> tuple[float, float]:
    """Return the threshold with most right decisions in the half `choose` (the smallest of equally
    good ones), and the share of right decisions in the other half.
    """
    threshold = _chosen(best_scores[choose], answerable[choose], np.unique(best_scores[choose]))
    return threshold, _right(best_scores[~choose], answerable[~choose], threshold)


def _right(scores, answerable, threshold) -> float:
    return float(((scores >= threshold) == answerable).mean())


def _chosen(scores, answerable, candidates, measure=_right) -> float:
    """Return the first of `candidates` with the largest `measure`."""
    return float(candidates[np.argmax([measure(scores, answerable, t) for t in candidates])])


def _threshold_by(measure):
    return lambda s, a, c: _chosen(s[c], a[c], np.unique(s[c]), measure)


def _precision(scores, answerable, threshold):
    return answerable[scores >= threshold].mean()


def _f1(scores, answerable, threshold):
    answered = scores >= threshold
    return 2 * (answered & answerable).sum() / (answered.sum() + answerable.sum())


def _balanced(scores, answerable, threshold):
    answered = scores >= threshold
    return answered[answerable].mean() - answered[~answerable].mean()


def _strictly(scores, answerable, threshold):
    return ((scores > threshold) == answerable).mean()


def _midpoints(s, a, c):
    values = np.unique(s[c])
    return _chosen(s[c], a[c], (values[1:] + values[:-1]) / 2)


_THRESHOLD = (
    Mistake(
        lambda s, a, c: _chosen(s, a, np.unique(s)),
        "for {case} your threshold is {got}; it should be {expected}. You choose it on *all* queries, the "
        "other half included: then nothing is left on which it could be tested.",
    ),
    Mistake(
        lambda s, a, c: _chosen(s[~c], a[~c], np.unique(s[~c])),
        "for {case} your threshold is {got}; it should be {expected}. You choose it on the half that was "
        "to test it. `choose` is True where you may choose.",
    ),
    Mistake(
        lambda s, a, c: _chosen(s[~c], a[~c], np.unique(s[c])),
        "for {case} your threshold is {got}; it should be {expected}. The candidates are right, but you "
        "compare them on the *other* half: that is the test half, and it has leaked into the choice.",
    ),
    Mistake(
        lambda s, a, c: _chosen(s, a, np.unique(s[c])),
        "for {case} your threshold is {got}; it should be {expected}. The candidates are right, but you "
        "compare them on *all* queries: the test half has leaked into the choice.",
    ),
    Mistake(
        lambda s, a, c: _chosen(s[c], a[c], np.unique(s)),
        "for {case} your threshold is {got}; it should be {expected}. Your candidates are the scores of "
        "*all* queries; only those of the choosing half may be looked at.",
    ),
    Mistake(
        lambda s, a, c: max(
            np.unique(s[c]), key=lambda t: (_right(s[c], a[c], t), _right(s[~c], a[~c], t))
        ),
        "for {case} your threshold is {got}; it should be {expected}. Of several equally good ones you take "
        "the one that does best in the *other* half: the test half has leaked into the choice.",
    ),
    Mistake(
        lambda s, a, c: _chosen(s[c], a[c], np.unique(s[c])[::-1]),
        "for {case} your threshold is {got}; it should be {expected}. Of several equally good ones you "
        "take the largest; the smallest was asked for.",
    ),
    Mistake(
        lambda s, a, c: _chosen(s[c], a[c], np.unique(s[c & a])),
        "for {case} your threshold is {got}; it should be {expected}. Your candidates are the scores of the "
        "queries with an answer only. All scores of the choosing half are candidates.",
    ),
    Mistake(
        lambda s, a, c: _chosen(s[c], a[c], s[c]),
        "for {case} your threshold is {got}; it should be {expected}. Of several equally good ones you "
        "take the one that comes first among the queries; the smallest was asked for.",
    ),
    Mistake(
        _threshold_by(_strictly),
        "for {case} your threshold is {got}; it should be {expected}. A query whose score is exactly the "
        "threshold is answered: `>=`, not `>`.",
    ),
    Mistake(
        lambda s, a, c: _chosen(s[c], a[c], np.unique(s[c])[::-1], _strictly),
        "for {case} your threshold is {got}; it should be {expected}. A query whose score is exactly the "
        "threshold is answered (`>=`, not `>`); and of equally good ones take the smallest.",
    ),
    Mistake(
        _midpoints,
        "for {case} your threshold is {got}; it should be {expected}. You take middles between two "
        "scores. The candidates are the scores themselves.",
    ),
    *(
        Mistake(
            lambda s, a, c, steps=steps: _chosen(s[c], a[c], steps),
            "for {case} your threshold is {got}; it should be {expected}. You try round numbers. The "
            "candidates are the scores of the choosing half.",
        )
        for steps in (
            np.linspace(0, 1, 11),
            np.linspace(0, 1, 101),
            np.linspace(0, 1, 100),
            np.arange(0, 1, 0.05),
        )
    ),
    Mistake(
        lambda s, a, c: _chosen(s[c], a[c], np.append(np.unique(s[c]), np.inf)),
        "for {case} your threshold is {got}; it should be {expected}. You also try a threshold above all "
        "scores. The candidates are the scores of the choosing half, and no others.",
    ),
    *(
        Mistake(
            lambda s, a, c, kept=kept: _chosen(s[c], a[c], np.unique(s[c])[kept]),
            f"for {{case}} your threshold is {{got}}; it should be {{expected}}. The {which} score of the "
            "choosing half is missing from your candidates.",
        )
        for kept, which in ((slice(1, None), "lowest"), (slice(-1), "highest"))
    ),
    *(
        Mistake(
            lambda s, a, c, digits=digits: _chosen(s[c], a[c], np.unique(s[c].round(digits))),
            "for {case} your threshold is {got}; it should be {expected}. You round the candidates. They are "
            "the scores as they stand.",
        )
        for digits in (1, 2)
    ),
    *(
        Mistake(
            mixed,
            "for {case} your threshold is {got}; it should be {expected}. You sort the scores alone: then they "
            "no longer stand beside their own queries. Sort the candidates only (a copy of them).",
        )
        for mixed in (
            lambda s, a, c: abstention(np.sort(s), a, c)[0],
            lambda s, a, c: _chosen(np.sort(s[c]), a[c], np.unique(s[c])),
        )
    ),
    Mistake(
        _threshold_by(_precision),
        "for {case} your threshold is {got}; it should be {expected}. You look at the answered queries "
        "only (precision). Being rightly silent is a right decision, too.",
    ),
    Mistake(
        _threshold_by(_f1),
        "for {case} your threshold is {got}; it should be {expected}. You choose by F1. The task asks for "
        "the share of right decisions.",
    ),
    Mistake(
        _threshold_by(_balanced),
        "for {case} your threshold is {got}; it should be {expected}. You weigh queries with and without "
        "an answer alike. Every decision counts the same.",
    ),
    Mistake(
        _threshold_by(lambda s, a, t: -_right(s, a, t)),
        "for {case} your threshold is {got}; it should be {expected}. You take the candidate with the "
        "*fewest* right decisions.",
    ),
    Mistake(
        _threshold_by(lambda s, a, t: _right(-s, a, -t)),
        "for {case} your threshold is {got}; it should be {expected}. You answer queries whose score is "
        "*below* the threshold.",
    ),
    Mistake(
        _threshold_by(lambda s, a, t: (s[a] >= t).mean()),
        "for {case} your threshold is {got}; it should be {expected}. You look only at the queries that "
        "have an answer. Being silent on the others is right, too.",
    ),
    Mistake(
        lambda s, a, c: np.quantile(s[c & ~a], 0.75),
        "for {case} your threshold is {got}; it should be {expected}. That is the lesson's choice, silence "
        "on three of four queries without answer. Here the share of right decisions decides.",
    ),
    Mistake(
        lambda s, a, c: _chosen(s[c], a[c], s[c][::-1]),
        "for {case} your threshold is {got}; it should be {expected}. Of several equally good ones you "
        "take the one that comes last among the queries; the smallest was asked for.",
    ),
    *(
        Mistake(
            lambda s, a, c, digits=digits: round(abstention(s, a, c)[0], digits),
            "for {case} your threshold is {got}; it should be {expected}. You round it: queries between the "
            "two are then decided otherwise.",
        )
        for digits in (1, 2)
    ),
    Mistake(
        lambda s, a, c: 0.5,
        "for {case} your threshold is 0.5, whatever the scores. Choose it.",
    ),
    Mistake(
        lambda s, a, c: s[c & ~a].max(),
        "for {case} your threshold is {got}, the highest score of a query without an answer. Try the "
        "candidates, and take the one with most right decisions.",
    ),
    Mistake(
        lambda s, a, c: s[c & a].min(),
        "for {case} your threshold is {got}, the lowest score of a query with an answer. Try the "
        "candidates, and take the one with most right decisions.",
    ),
    Mistake(
        lambda s, a, c: abstention(s, a, np.arange(len(s)) < len(s) // 2)[0],
        "for {case} your threshold is {got}; it should be {expected}. You cut the queries into halves "
        "yourself. `choose` says which belong to the choosing half.",
    ),
    Mistake(
        lambda s, a, c: abstention(s, a, np.arange(len(s)) % 2 == 0)[0],
        "for {case} your threshold is {got}; it should be {expected}. You cut the queries into halves "
        "yourself. `choose` says which belong to the choosing half.",
    ),
    Mistake(
        lambda s, a, c: s[c].mean(),
        "for {case} your threshold is {got}, the mean of the scores. Try the candidates, and take the one "
        "with most right decisions.",
    ),
    Mistake(
        lambda s, a, c: abstention(s, a, c)[1],
        "you return the share first. The threshold comes first, then the share.",
    ),
    Mistake(
        lambda s, a, c: int(
            np.argmax([_right(s[c], a[c], t) for t in np.unique(s[c])])
        ),
        "for {case} your threshold is {got}: that is the candidate's place. Return the candidate.",
    ),
)  # fmt: skip


def _share_of(measure):
    """`measure` is given best scores, answerable, the choosing half and the right threshold."""
    return lambda s, a, c: measure(s, a, c, abstention(s, a, c)[0])


_DECISIONS = (
    Mistake(
        _share_of(lambda s, a, c, t: _right(s[c], a[c], t)),
        "the threshold is right, but the share ({got} for {case}) is that of the half that *chose* it, "
        "where it looks best by choice. Report the other half: `~choose`.",
    ),
    Mistake(
        _share_of(lambda s, a, c, t: _right(s, a, t)),
        "the threshold is right, but the share ({got} for {case}) is that of all queries, those that "
        "chose it included. Report the other half alone: `~choose`.",
    ),
    Mistake(
        lambda s, a, c: max(_right(s[~c], a[~c], t) for t in np.unique(s[c])),
        "the threshold is right, but the share ({got} for {case}) is the best that any candidate reaches "
        "in the other half. Report the one of your threshold.",
    ),
    Mistake(
        lambda s, a, c: max(_right(s[~c], a[~c], t) for t in np.unique(s[~c])),
        "the threshold is right, but the share ({got} for {case}) is that of another threshold, chosen on "
        "the other half itself.",
    ),
    Mistake(
        _share_of(lambda s, a, c, t: _strictly(s[~c], a[~c], t)),
        "the threshold is right, but in the other half ({got} for {case}) you count with `>`: a score "
        "that is exactly the threshold is answered, `>=`.",
    ),
    Mistake(
        _share_of(lambda s, a, c, t: 100 * _right(s[~c], a[~c], t)),
        "the threshold is right. The share is in per cent ({got} for {case}); it should be from 0 to 1.",
    ),
    Mistake(
        _share_of(lambda s, a, c, t: 1 - _right(s[~c], a[~c], t)),
        "the threshold is right. The share ({got} for {case}) is that of the *wrong* decisions.",
    ),
    Mistake(
        _share_of(lambda s, a, c, t: ((s[~c] >= t) == a[~c]).sum()),
        "the threshold is right. The second ({got} for {case}) is how many decisions are right; the share "
        "of them was asked for.",
    ),
    Mistake(
        _share_of(lambda s, a, c, t: _precision(s[~c], a[~c], t)),
        "the threshold is right. The share ({got} for {case}) looks only at the queries that are "
        "answered. Being rightly silent is a right decision, too.",
    ),
    Mistake(
        _share_of(lambda s, a, c, t: (s[~c] >= t)[a[~c]].mean()),
        "the threshold is right. The share ({got} for {case}) looks only at the queries that have an "
        "answer. Being silent on the others is right, too.",
    ),
    Mistake(
        _share_of(lambda s, a, c, t: (s[~c] < t)[~a[~c]].mean()),
        "the threshold is right. The share ({got} for {case}) looks only at the queries without an "
        "answer.",
    ),
    Mistake(
        _share_of(lambda s, a, c, t: (s[~c] >= t).mean()),
        "the threshold is right. The share ({got} for {case}) is how many queries are answered, rightly "
        "or not.",
    ),
    Mistake(
        _share_of(lambda s, a, c, t: ((s[~c] >= t) & a[~c]).mean()),
        "the threshold is right. The share ({got} for {case}) counts the rightly answered queries, but "
        "not those on which it is rightly silent.",
    ),
    Mistake(
        _share_of(lambda s, a, c, t: ((s[~c] >= t) == a[~c]).sum() / len(s)),
        "the threshold is right. For the share ({got} for {case}) you divide by the number of *all* "
        "queries; divide by those of the other half.",
    ),
    Mistake(
        _share_of(lambda s, a, c, t: ((s[~c] >= t) == a[~c]).sum() / c.sum()),
        "the threshold is right. For the share ({got} for {case}) you divide by the number of queries in "
        "the *choosing* half; divide by those of the other half.",
    ),
    *(
        Mistake(
            _share_of(lambda s, a, c, t, digits=digits: round(_right(s[~c], a[~c], t), digits)),
            "all is right, but the share is rounded ({got} for {case}). Return it as it is; round where "
            "you print.",
        )
        for digits in (1, 2, 3)
    ),
)  # fmt: skip


def _part(answer: Answer, part: int) -> Part:
    """Return the answer to 3.4, of which only the threshold (0) or the share (1) is looked at."""

    def take(value, *_):
        wanted = f"you return {describe(value)}; the task asks for two numbers: `return threshold, share`."
        if isinstance(value, (str, Mapping)) or not isinstance(value, Iterable):
            raise Wrong(wanted)
        parts = list(value)
        if len(parts) != 2 or parts[part] is None:
            raise Wrong(wanted)
        return parts[part]

    return Part(answer, take)


#: Queries, the share with an answer, the scores' noise, and their digits: few, and many are equal.
_QUERY_SETS = (
    (16, 0.6, 0.15, 4),
    (40, 0.5, 0.3, 1),
    (31, 0.7, 0.25, 4),
    (60, 0.4, 0.35, 4),
    (24, 0.5, 0.4, 1),
    (50, 0.6, 0.3, 4),
    (37, 0.3, 0.3, 4),
    (80, 0.5, 0.25, 1),
    (45, 0.55, 0.4, 4),
    (70, 0.45, 0.3, 4),
    (29, 0.5, 0.35, 4),
    (54, 0.6, 0.3, 1),
)


@exercise(
    "3.4",
    level=2,
    title="A promise to say nothing",
    names=["abstention"],
    hints=[
        "Two steps that must not see the same queries: choose with `choose`, report with `~choose`.",
        "`((best_scores >= t) == answerable)` says for each query whether the decision at t is right. "
        "Its mean over one half is the share.",
        "`candidates = np.unique(best_scores[choose])` is in ascending order, and `np.argmax` takes the "
        "first of equally good ones, the smallest. Then one line for the other half, with "
        "`best_scores[~choose]` and `answerable[~choose]`.",
    ],
)
def exercise_3_4(answer: Answer) -> str:
    """The half that reports has no part in the choice."""
    rng = np.random.default_rng(34)
    cases = []
    for n, share, noise, digits in _QUERY_SETS:
        answerable = rng.uniform(size=n) < share
        scores = np.clip(0.3 + 0.25 * answerable + rng.normal(0, noise, n), -0.2, 1).round(digits)
        choose = rng.permutation(n) < round(0.45 * n)
        words = f"{n} queries, {choose.sum()} of them to choose with"
        cases.append(Case((scores, answerable, choose), words))
    hardly = np.array(
        [0.7, 0.9, 0.3, 0.5, 0.8, 0.95, 0.6, 0.2]
    )  # the best is a query without answer
    cases.append(
        Case(
            (hardly, np.isin(hardly, (0.2, 0.3, 0.95)), np.isin(hardly, (0.2, 0.6, 0.7, 0.8, 0.9))),
            "8 queries, 5 of them to choose with (one has an answer)",
        )
    )
    parts = ((_THRESHOLD, "your threshold"), (_DECISIONS, "the threshold is right, but your share"))
    for place, (mistakes, what) in enumerate(parts):
        try:
            judge(
                _part(answer, place),
                cases,
                lambda *given, place=place: abstention(*given)[place],
                mistakes,
                read=lambda value, what=what: number(value, what),
            )
        except Wrong as wrong:
            raise Wrong(str(wrong).replace(" you return ", f", {what} is ", 1)) from None
    return "right: chosen on one half, reported on the other, and the two never meet."


# 3.5


def search_chunks(
    scores: np.ndarray, document_of: Sequence[str], k: int
) -> list[tuple[str, float, int]]:
    """Return (document, score, row of its best chunk) for the best `k` documents."""
    return _grouped(np.argsort(-scores, kind="stable"), scores, document_of)[:k]


def _grouped(rows, scores, document_of) -> list[tuple[str, float, int]]:
    """Return an entry for each document, where it first occurs among `rows`."""
    found: dict[str, tuple[str, float, int]] = {}
    for row in rows:
        document = document_of[row]
        found.setdefault(document, (document, float(scores[row]), int(row)))
    return list(found.values())


def _cut_first(times):
    def cut(scores, document_of, k):
        return _grouped(np.argsort(-scores, kind="stable")[: times * k], scores, document_of)[:k]

    return cut


def _rows_by_document(document_of) -> dict[str, list[int]]:
    rows: dict[str, list[int]] = {}
    for row, document in enumerate(document_of):
        rows.setdefault(document, []).append(row)
    return rows


def _scored(measure, row_of=None):
    """Documents by `measure` of their chunks' scores, with their best chunk's row."""

    def searched(scores, document_of, k):
        entries = []
        for document, rows in _rows_by_document(document_of).items():
            best = rows[int(np.argmax(scores[rows]))]
            entries.append(
                (document, float(measure(scores[rows])), row_of(rows) if row_of else best)
            )
        return sorted(entries, key=lambda entry: -entry[1])[:k]

    return searched


def _sum_with_best_score(scores, document_of, k):
    order = [entry[0] for entry in _scored(np.sum)(scores, document_of, k)]
    best = {entry[0]: entry for entry in search_chunks(scores, document_of, len(scores))}
    return [best[document] for document in order]


def _mean_with_best_score(scores, document_of, k):
    order = [entry[0] for entry in _scored(np.mean)(scores, document_of, k)]
    best = {entry[0]: entry for entry in search_chunks(scores, document_of, len(scores))}
    return [best[document] for document in order]


def _worst_chunk(scores, document_of, k):
    worst = search_chunks(-scores, document_of, len(scores))
    return sorted(((d, -score, row) for d, score, row in worst), key=lambda entry: -entry[1])[:k]


def _overwritten(scores, document_of, k):
    """Best first into a dictionary that keeps the last, the worst."""
    order = np.argsort(-scores, kind="stable")
    found = {document_of[row]: (document_of[row], float(scores[row]), int(row)) for row in order}
    return list(found.values())[:k]


def _last_chunk(scores, document_of, k):
    rows = {document: row for row, document in enumerate(document_of)}
    entries = [(document, float(scores[row]), row) for document, row in rows.items()]
    return sorted(entries, key=lambda entry: -entry[1])[:k]


def _first_chunk(scores, document_of, k):
    entries = _grouped(range(len(scores)), scores, document_of)
    return sorted(entries, key=lambda entry: -entry[1])[:k]


def _from(start):
    """Documents without a score above `start` are lost."""
    return lambda scores, document_of, k: [
        entry for entry in search_chunks(scores, document_of, len(scores)) if entry[1] > start
    ][:k]


def _without_sign(scores, document_of, k):
    entries = search_chunks(np.abs(scores), document_of, len(scores))
    found = [(document, float(scores[row]), row) for document, _, row in entries]
    return sorted(found, key=lambda entry: -entry[1])[:k]


def _first_met(in_order):
    """The documents that come first in the archive, sorted among themselves or not."""

    def searched(scores, document_of, k):
        best = {entry[0]: entry for entry in search_chunks(scores, document_of, len(scores))}
        entries = [best[document] for document in dict.fromkeys(document_of)][:k]
        return sorted(entries, key=lambda entry: -entry[1]) if in_order else entries

    return searched


def _neighbours_only(scores, document_of, k):
    """As `itertools.groupby` does: a document that stands apart comes twice."""
    entries, start = [], 0
    for row in range(1, len(document_of) + 1):
        if row == len(document_of) or document_of[row] != document_of[start]:
            best = start + int(np.argmax(scores[start:row]))
            entries.append((document_of[start], float(scores[best]), best))
            start = row
    return sorted(entries, key=lambda entry: -entry[1])[:k]


def _unlike_the_last(scores, document_of, k):
    entries: list[tuple[str, float, int]] = []
    for row in np.argsort(-scores, kind="stable"):
        if not entries or entries[-1][0] != document_of[row]:
            entries.append((document_of[row], float(scores[row]), int(row)))
    return entries[:k]


def _until_seen_again(scores, document_of, k):
    order = np.argsort(-scores, kind="stable")
    owners = [document_of[row] for row in order]
    new = next((i for i, owner in enumerate(owners) if owner in owners[:i]), len(owners))
    return _grouped(order[:new], scores, document_of)[:k]


def _partitioned(scores, document_of, k):
    order = np.argpartition(-scores, min(k, len(scores) - 1))
    return _grouped(order, scores, document_of)[:k]


def _sorted_afterwards(scores, document_of, k):
    entries = _grouped(np.argpartition(-scores, min(k, len(scores) - 1)), scores, document_of)
    return sorted(entries, key=lambda entry: -entry[1])[:k]


def _with_row(row_of):
    def searched(scores, document_of, k):
        rows = _rows_by_document(document_of)
        return [
            (document, score, row_of(row, place, rows[document]))
            for place, (document, score, row) in enumerate(search_chunks(scores, document_of, k))
        ]

    return searched


def _places_in_order(scores, document_of, k):
    order = list(np.argsort(-scores, kind="stable"))
    return [(d, s, order.index(row)) for d, s, row in search_chunks(scores, document_of, k)]


_CHUNKS = (
    Mistake(
        _cut_first(1),
        "for {case} you return {got}; it should be {expected}. You take the best k *chunks* and then their "
        "documents, so that a document with many good chunks drives the others out. Group first, then "
        "cut.",
    ),
    *(
        Mistake(
            _cut_first(times),
            f"for {{case}} you return {{got}}; it should be {{expected}}. You take the best {times} * k chunks "
            "and then their documents. One document may have more good chunks than that: group all.",
        )
        for times in (2, 3, 4, 5, 10)
    ),
    Mistake(
        lambda s, d, k: [(d[row], float(s[row]), int(row)) for row in np.argsort(-s)[:k]],
        "for {case} you return {got}; it should be {expected}. These are the best k *chunks*: a document "
        "comes more than once. Each document once, with its best chunk.",
    ),
    Mistake(
        _scored(np.mean),
        "for {case} you return {got}; it should be {expected}. You score a document by the *mean* of its "
        "chunks; its best chunk decides.",
    ),
    Mistake(
        _mean_with_best_score,
        "for {case} you return {got}; it should be {expected}. The documents are in the order of the "
        "*mean* of their chunks; their best chunk decides.",
    ),
    Mistake(
        _scored(np.sum),
        "for {case} you return {got}; it should be {expected}. You *add up* the scores of a document's "
        "chunks, which rewards it for being long; its best chunk decides.",
    ),
    Mistake(
        _sum_with_best_score,
        "for {case} you return {got}; it should be {expected}. The documents are in the order of the *sum* "
        "of their chunks, which rewards long ones; their best chunk decides.",
    ),
    Mistake(
        _scored(np.min),
        "for {case} you return {got}; it should be {expected}. You score a document by its *worst* chunk.",
    ),
    Mistake(
        _scored(np.min, lambda rows: rows[0]),
        "for {case} you return {got}; it should be {expected}. You score a document by its *worst* chunk.",
    ),
    Mistake(
        _worst_chunk,
        "for {case} you return {got}; it should be {expected}. You score a document by its *worst* chunk.",
    ),
    Mistake(
        _overwritten,
        "for {case} you return {got}; it should be {expected}. The documents are right, but score and row "
        "are those of their *worst* chunk: every further chunk replaces the one before. Keep the first "
        "(`setdefault`, or `if document not in found`).",
    ),
    Mistake(
        _last_chunk,
        "for {case} you return {got}; it should be {expected}. A document keeps its *last* chunk, for each "
        "one replaces the one before. Keep the best.",
    ),
    Mistake(
        _first_chunk,
        "for {case} you return {got}; it should be {expected}. A document keeps its *first* chunk. Keep the "
        "best.",
    ),
    Mistake(
        _from(0),
        "for {case} you return {got}; it should be {expected}. Documents with negative scores only are "
        "missing: the best so far must not begin at 0.",
    ),
    Mistake(
        _from(-1),
        "for {case} you return {got}; it should be {expected}. A document whose scores all lie below -1 is "
        "missing (dot products can): the best so far must not begin at -1.",
    ),
    Mistake(
        _without_sign,
        "for {case} you return {got}; it should be {expected}. You compare the scores without their sign: a "
        "strongly negative chunk is not a good one.",
    ),
    Mistake(
        _first_met(in_order=True),
        "for {case} you return {got}; it should be {expected}. You cut to the first k documents that come up "
        "in the archive, and sort those. Sort before you cut.",
    ),
    Mistake(
        _first_met(in_order=False),
        "for {case} you return {got}; it should be {expected}. These are the first k documents that come up "
        "in the archive, each with its best chunk. Sort by score before you cut.",
    ),
    Mistake(
        lambda s, d, k: [(name, 1 - score, row) for name, score, row in search_chunks(s, d, k)],
        "for {case} you return {got}; it should be {expected}. Your scores are distances, 1 minus the "
        "score. Return the scores as given.",
    ),
    *(
        Mistake(
            lambda s, d, k, digits=digits: [
                (name, round(score, digits), row) for name, score, row in search_chunks(s, d, k)
            ],
            "all is right, but the scores are rounded. Return them as they are; round where you print.",
        )
        for digits in (1, 2, 3)
    ),
    Mistake(
        _until_seen_again,
        "for {case} you return {got}; it should be {expected}. You stop at the first chunk of a document that "
        "you have already (`break`). Skip that chunk and go on (`continue`).",
    ),
    *(
        Mistake(
            partitioned,
            "for {case} not every document comes with its best chunk, or in its place. `np.argpartition` does not "
            "sort: the first chunk of a document that you meet need not be its best. `np.argsort` sorts.",
        )
        for partitioned in (_partitioned, _sorted_afterwards)
    ),
    Mistake(
        _unlike_the_last,
        "for {case} you return {got}; it should be {expected}. A document comes more than once: you compare "
        "it only with the one before. Remember all that you have seen.",
    ),
    *(
        Mistake(
            lambda s, d, k, backwards=backwards: sorted(
                search_chunks(s, d, len(s)), reverse=backwards
            )[:k],
            "for {case} you return {got}; it should be {expected}. You sort by document id (tuples are "
            "sorted by their first part). Sort by score.",
        )
        for backwards in (False, True)
    ),
    Mistake(
        _scored(np.median),
        "for {case} you return {got}; it should be {expected}. You score a document by the *median* of its "
        "chunks; its best chunk decides.",
    ),
    Mistake(
        _neighbours_only,
        "for {case} you return {got}; it should be {expected}. A document comes twice: you group chunks "
        "that stand side by side (`itertools.groupby` does), but a document's chunks can stand apart.",
    ),
    Mistake(
        lambda s, d, k: search_chunks(s, d, len(s))[::-1][:k],
        "for {case} you return {got}; it should be {expected}: these are the worst documents.",
    ),
    Mistake(
        lambda s, d, k: search_chunks(-s, d, k),
        "for {case} you return {got}; it should be {expected}. You look for the smallest scores.",
    ),
    Mistake(
        lambda s, d, k: search_chunks(np.abs(s), d, k),
        "for {case} you return {got}; it should be {expected}. You return the scores without their sign.",
    ),
    Mistake(
        lambda s, d, k: _grouped(np.argsort(-np.abs(s), kind="stable"), s, d)[:k],
        "for {case} you return {got}; it should be {expected}. You sort by the scores without their sign: a "
        "strongly negative chunk is not a good one.",
    ),
    Mistake(
        lambda s, d, k: search_chunks(s, d, len(s)),
        "for {case} you return {got}: all documents. The list ends after the best k.",
    ),
    *(
        Mistake(
            lambda s, d, k, most=most: search_chunks(s, d, most),
            f"for {{case}} you return up to {most} documents, whatever k is.",
        )
        for most in (3, 5, 10)
    ),
    Mistake(
        lambda s, d, k: search_chunks(s, d, k + 1), "for {case} you return one document too many."
    ),
    Mistake(
        lambda s, d, k: search_chunks(s, d, max(k - 1, 0)),
        "for {case} you return one document too few.",
    ),
    Mistake(
        _with_row(lambda row, place, rows: rows.index(row)),
        "for {case} you return {got}; it should be {expected}. Your third is the chunk's place *within its "
        "document*; asked for is its row in `scores`.",
    ),
    Mistake(
        _with_row(lambda row, place, rows: rows[0]),
        "for {case} you return {got}; it should be {expected}. Documents and scores are right, but the row "
        "is that of the document's *first* chunk, not of its best.",
    ),
    Mistake(
        _with_row(lambda row, place, rows: rows[-1]),
        "for {case} you return {got}; it should be {expected}. Documents and scores are right, but the row "
        "is that of the document's *last* chunk, not of its best.",
    ),
    Mistake(
        _with_row(lambda row, place, rows: place),
        "for {case} you return {got}; it should be {expected}. Your third is the place in the result; asked "
        "for is the row of the best chunk in `scores`.",
    ),
    Mistake(
        _with_row(lambda row, place, rows: place + 1),
        "for {case} you return {got}; it should be {expected}. Your third is the rank in the result; asked "
        "for is the row of the best chunk in `scores`.",
    ),
    Mistake(
        _with_row(lambda row, place, rows: row + 1),
        "for {case} you return {got}; it should be {expected}. You count the rows from 1; Python counts "
        "from 0.",
    ),
    Mistake(
        _places_in_order,
        "for {case} you return {got}; it should be {expected}. Your third is the chunk's place in the "
        "*sorted* order; asked for is its row in `scores`.",
    ),
)


def _entries(value: object) -> list[tuple[str, float, int]]:
    """Read a list of (document, score, row)."""
    if isinstance(value, Mapping):
        raise Wrong("you return a dictionary; the task asks for a list of tuples, best first.")
    if isinstance(value, np.ndarray) and value.size and value.dtype.kind in "US":
        raise Wrong(
            "you return a NumPy array, in which the scores and the rows have become texts. Return a list of "
            "tuples."
        )
    entries, items = [], sequence(value)
    if len(items) == 3 and isinstance(items[0], str) and not isinstance(items[1], str):
        raise Wrong(f"you return one entry, {describe(value)}. Return a list, also when k is 1.")
    for item in items:
        shape = "(document id, score, row)"
        if isinstance(item, (str, Mapping)) or not isinstance(item, Iterable):
            raise Wrong(f"your list holds {describe(item)}; each entry should be a tuple {shape}.")
        parts = list(item)
        if len(parts) != 3:
            raise Wrong(
                f"your list holds {describe(item)}; each entry should be a tuple of three, {shape}."
            )
        document, score, row = parts
        if not isinstance(document, str):
            raise Wrong(
                f"your list holds {describe(item)}; the document id comes first: {shape}."
                if any(isinstance(part, str) for part in parts)
                else f"your list holds {describe(item)}; the first should be the document's id, a text."
            )
        if isinstance(row, (float, np.floating)) and isinstance(score, (int, np.integer)):
            raise Wrong(
                f"your list holds {describe(item)}; the score comes before the row: {shape}."
            )
        (row,) = _rows([row], "the row in your entries")
        entries.append((str(document), number(score, "the score in your entries"), row))
    return entries


@exercise(
    "3.5",
    level=3,
    title="The passage leads to the page",
    names=["search_chunks"],
    hints=[
        "Write down what the function should return for the six chunks above and k = 3. Three documents, "
        "or one?",
        "Go through the rows from the best score to the worst. The first chunk of a document that you "
        "meet is its best one; skip its others.",
        "`for row in np.argsort(-scores)`: if `document_of[row]` is new, append `(document_of[row], "
        "float(scores[row]), int(row))`. Cut to k at the very end.",
    ],
)
def exercise_3_5(answer: Answer) -> str:
    """Group, then cut; the best chunk decides, and its row leads to the passage."""
    rng = np.random.default_rng(35)
    small = np.array([0.3, 0.8, 0.7, 0.75, 0.1, 0.6, 0.55])
    cases = [
        Case(
            (small, ["a", "b", "b", "b", "a", "c", "a"], 2),
            "scores [0.3, 0.8, 0.7, 0.75, 0.1, 0.6, 0.55], documents [a, b, b, b, a, c, a] and k = 2",
        ),
        Case(
            (np.array([-0.3, 0.2, -4.1, -0.4, 0.1]), ["p", "q", "r", "p", "q"], 3),
            "scores [-0.3, 0.2, -4.1, -0.4, 0.1], documents [p, q, r, p, q] and k = 3",
        ),
        Case(
            (np.array([0.6, 0.9, 0.7, 0.8]), ["day-1", "day-10", "day-1", "day-100"], 3),
            "scores [0.6, 0.9, 0.7, 0.8], documents [day-1, day-10, day-1, day-100] and k = 3",
        ),
    ]
    for n, documents, k in (
        (30, 8, 4),
        (90, 12, 3),
        (20, 5, 9),
        (15, 4, 1),
        (5, 3, 7),
        (700, 90, 6),
    ):
        owners = [f"page-{i}" for i in rng.integers(0, documents, n)]
        scores = _scores(rng, n)
        if n >= 90:  # one page has the best chunks, half of all
            for row in np.argsort(-scores)[: n // 2]:
                owners[row] = "page-long"
        cases.append(
            Case((scores, owners, k), f"{n} chunks of {len(set(owners))} documents and k = {k}")
        )
    try:
        _judge_list(answer, cases, search_chunks, _CHUNKS, _entries, "documents")
    except Wrong as wrong:
        if "kth(=" in str(wrong):
            raise Wrong(
                f"{wrong}\nThere can be fewer chunks than k; `np.argpartition` then stops with an error. (And "
                "it does not sort: the first chunk of a document that you meet need not be its best.)"
            ) from None
        raise
    try:
        nothing = answer(np.array([]), [], 3)
    except Wrong as wrong:
        raise Wrong(f"all is right until there are no chunks; then {wrong}") from None
    if nothing is None:
        raise Wrong("without chunks you return None; it should be an empty list.")
    if _entries(nothing):
        raise Wrong(f"without chunks you return {describe(nothing)}; it should be an empty list.")
    _check_ties(answer)
    return "right: each page once, by its best passage, and the passage comes along."


def _check_ties(answer: Answer) -> None:
    """Documents, and chunks of one document, with equal scores."""
    scores, owners = np.array([0.5, 0.9, 0.5, 0.9, 0.2, 0.9]), ["a", "b", "c", "d", "d", "b"]
    found = _entries(answer(scores, owners, 4))
    seen = (
        f"for scores {scores.tolist()}, documents {owners} and k = 4 you return {describe(found)}"
    )
    documents = [document for document, _, _ in found]
    if sorted(documents) != ["a", "b", "c", "d"]:
        raise Wrong(
            f"{seen}. Documents with equal scores are different documents: all four should be there, each "
            "once."
        )
    if not np.allclose([score for _, score, _ in found], [0.9, 0.9, 0.5, 0.5]):
        raise Wrong(f"{seen}; the scores should be 0.9, 0.9, 0.5, 0.5.")
    for document, score, row in found:
        if row not in range(6) or owners[row] != document or not np.isclose(scores[row], score):
            raise Wrong(f"{seen}; row {row} is not a chunk of {document} with score {score:.4g}.")
