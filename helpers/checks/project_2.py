"""The checks of project 2, two models on twenty questions."""

from __future__ import annotations

import inspect
import itertools
import math
from collections.abc import Mapping

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
    sequence,
)

MODELS = ("MiniLM", "mpnet")

# P2.1


def ranks(similarities: np.ndarray) -> np.ndarray:
    """Return the rank of document i for query i, 1 is best; an equal score counts as better."""
    right = np.diag(similarities)[:, None]
    return (similarities >= right).sum(axis=1)


def _in_favour(similarities):
    return (similarities > np.diag(similarities)[:, None]).sum(axis=1) + 1


def _in_the_middle(similarities):
    return (ranks(similarities) + _in_favour(similarities)) / 2


def _reads_ranks(value) -> np.ndarray:
    found = array(value)
    if found.ndim == 2 and found.shape[1] == 1:
        raise Wrong(
            f"you return an array of shape {found.shape}, every rank in a row of its own. Take them out: shape ({len(found)},)."
        )
    if found.ndim == 2:
        raise Wrong(
            f"you return an array of shape {found.shape}: a rank for each query and each document? One for each "
            "query was asked for, that of its own document."
        )
    if (found != np.round(found)).any():
        raise Wrong(f"you return {describe(value)}; ranks are whole numbers: 1, 2, 3 …")
    return found


@exercise(
    "P2.1",
    level=2,
    title="Who is before the right one?",
    names=["ranks"],
    hints=[
        "You need no sorting. How many documents of row i score at least as much as the right one?",
        "`np.diag(similarities)` holds the scores of the right documents; `[:, None]` makes a column of "
        "it, which is compared with each row.",
        "`(similarities >= np.diag(similarities)[:, None])` is True for every document that is not worse, "
        "the right one included. Sum along the rows: `axis=1`.",
    ],
)
def project_2_1(answer: Answer) -> str:
    """A rank for each row, ties against the model."""
    rng = np.random.default_rng(201)
    plain = [rng.normal(size=(n, n)) + 0.6 * np.eye(n) for n in (4, 7, 20)]
    equal = [np.round(rng.uniform(0, 1, size=(n, n)), 1) for n in (6, 20)]
    cases = [
        Case((plain[0],), "4 queries, no equal scores"),
        Case((plain[1] - 1,), "7 queries, mostly negative scores"),
        Case((plain[2],), "20 queries, no equal scores"),
        Case((equal[0],), "6 queries, some scores equal"),
        Case((equal[1],), "20 queries, some scores equal"),
        Case((np.full((3, 3), 0.5),), "3 queries, all scores equal"),
        Case((np.array([[0.25]]),), "a single query"),
    ]
    shown = "for {case} you return {got}; it should be {expected}. "
    mistakes = [
        Mistake(
            _in_favour,
            shown
            + "A document that scores exactly as much as the right one stands before it: ties count "
            "against the model (`>=`).",
        ),
        Mistake(
            _in_the_middle,
            shown
            + "Equal scores share the mean of their ranks. The task counts them against the model.",
        ),
        Mistake(
            lambda s: ranks(s.T),
            shown
            + "Rows and columns are mixed up: you rank the queries for each document. A row is a query.",
        ),
        Mistake(
            lambda s: _in_favour(s.T),
            shown
            + "Rows and columns are mixed up: you rank the queries for each document. A row is a query.",
        ),
        Mistake(lambda s: ranks(s) - 1, shown + "You count from 0. The best rank is 1."),
        Mistake(
            lambda s: ranks(s) + 1,
            shown
            + "Your ranks are one too large. The right document itself is in your count already (it "
            "scores as much as itself).",
        ),
        Mistake(
            lambda s: ranks(-s),
            shown
            + "You count from the other end: small similarities first. They are no distances.",
        ),
        Mistake(
            lambda s: np.diag(np.argsort(-s, axis=1)) + 1,
            shown
            + "`argsort` says which document stands at each place; you need the place of a document. (Look "
            "for i in row i of it, or apply it twice.)",
        ),
        Mistake(
            lambda s: np.diag(np.argsort(-s, axis=1)),
            shown
            + "`argsort` says which document stands at each place; you need the place of a document.",
        ),
        Mistake(
            lambda s: s.argmax(axis=1),
            shown + "These are the documents found first. The rank of the right one was asked for.",
        ),
        Mistake(
            lambda s: s.argmax(axis=1) + 1,
            shown + "These are the documents found first. The rank of the right one was asked for.",
        ),
        Mistake(
            lambda s: (s >= np.diag(s)[None, :]).sum(axis=1),
            shown
            + "`np.diag(…)` lies in a row in your comparison, so that column j is compared with *its* "
            "right score. Make it a column: `[:, None]`.",
        ),
        Mistake(
            lambda s: (s > np.diag(s)).sum(axis=1) + 1,
            shown
            + "`np.diag(…)` lies in a row in your comparison, so that column j is compared with *its* "
            "right score. Make it a column: `[:, None]`.",
        ),
        Mistake(
            lambda s: 1 / ranks(s),
            "you return 1 / rank. That comes later; the ranks were asked for.",
        ),
        Mistake(
            lambda s: np.array([len(set(row[row > row[i]])) + 1 for i, row in enumerate(s)]),
            shown
            + "You count scores, not documents: equal scores count once. Every document counts.",
        ),
        Mistake(
            lambda s: np.array([len(set(row[row >= row[i]])) for i, row in enumerate(s)]),
            shown
            + "You count scores, not documents: equal scores count once. Every document counts.",
        ),
        Mistake(
            lambda s: s.argmax(axis=1) == np.arange(len(s)),
            "you say whether the right document stands first. At which rank it stands was asked for.",
        ),
        Mistake(
            lambda s: (np.round(s, 2) >= np.round(np.diag(s), 2)[:, None]).sum(axis=1),
            "you round the scores before you compare them. Only exactly equal ones are ties.",
        ),
        Mistake(
            lambda s: (s >= s[0, 0]).sum(axis=1),
            shown + "You compare every row with one and the same score.",
        ),
        Mistake(
            lambda s: ranks(s) - (s[:, -1] >= np.diag(s)) * (np.arange(len(s)) < len(s) - 1),
            shown + "The last document is never looked at: `range(n)` ends at n - 1 by itself.",
        ),
        Mistake(
            lambda s: np.array([(row >= row.max()).sum() for row in s]),
            shown
            + "You compare with the largest score of the row, not with that of the right document.",
        ),
    ]
    judge(answer, cases[:3], ranks, mistakes, read=_reads_ranks)
    try:
        judge(answer, cases[3:], ranks, mistakes, read=_reads_ranks)
    except Wrong as wrong:
        _say_if_by_place(answer, cases[3:], str(wrong))
        raise
    return "right: the rank of each query's own document, and no tie is a present."


def _say_if_by_place(answer: Answer, cases: list[Case], said: str) -> None:
    """Raise `Wrong` when every rank lies between the two ways of counting ties: a sorting decides."""
    if "Ties" in said or "ties" in said or "mean of their ranks" in said:
        return
    for case in cases:
        (similarities,) = case.arguments
        found = array(answer(similarities))
        if (
            found.shape != (len(similarities),)
            or not ((found >= _in_favour(similarities)) & (found <= ranks(similarities))).all()
        ):
            return
    raise Wrong(
        "without equal scores your ranks are right. Among equal scores your sorting decides by the place in the list; "
        "the task counts every tie against the model."
    )


# P2.2


def measures(found: np.ndarray) -> dict:
    """Return the share at rank 1, the share in the first three, and the mean reciprocal rank."""
    found = np.asarray(found)
    return {
        "first": float((found == 1).mean()),
        "first three": float((found <= 3).mean()),
        "MRR": float((1 / found).mean()),
    }


def _with(**changed):
    """Return measures of which some are another function of the ranks."""
    names = {"first": "first", "three": "first three", "mrr": "MRR"}
    return lambda r: measures(r) | {names[k]: float(f(r)) for k, f in changed.items()}


def _tidied(function):
    """Return `function` with plain numbers of five digits in its dictionary, as messages show it."""

    def tidy(*arguments):
        found = function(*arguments)
        if not isinstance(found, Mapping):
            return found
        first = [name for name in ("first", "first three", "MRR") if name in found]
        return {
            name: round(float(found[name]), 5)
            if isinstance(found[name], (float, np.floating))
            else found[name]
            for name in [*first, *(name for name in found if name not in first)]
        }

    return tidy


class _Tidy:
    """An `Answer` whose dictionaries are `_tidied`."""

    def __init__(self, answer: Answer) -> None:
        self._answer, self.name = answer, answer.name

    def __call__(self, *arguments):
        return _tidied(self._answer)(*arguments)

    @property
    def printed_instead(self) -> bool:
        """Say whether a call printed something and returned nothing."""
        return self._answer.printed_instead


def _reads_measures(value) -> dict:
    found = mapping(value)
    wanted = ("first", "first three", "MRR")
    missing = [name for name in wanted if name not in found]
    if missing:
        raise Wrong(
            f"your dictionary has no {missing[0]!r}; its keys are {', '.join(map(repr, found)) or 'none'}. The "
            "task wants 'first', 'first three' and 'MRR'."
        )
    return {name: number(found[name], f"{name!r}") for name in wanted}


@exercise(
    "P2.2",
    level=2,
    title="Three figures",
    names=["measures"],
    hints=[
        "Compare the whole array at once: `ranks == 1` is an array of True and False.",
        "The mean of True and False is the share of True.",
        '`{"first": (ranks == 1).mean(), "first three": (ranks <= 3).mean(), "MRR": (1 / ranks).mean()}`, if '
        "you have tried it yourself and want to compare.",
    ],
)
def project_2_2(answer: Answer) -> str:
    """Two shares and a mean of reciprocals."""
    rng = np.random.default_rng(202)
    cases = [
        Case((np.array([1, 3, 2, 1, 8, 4]),), "the ranks [1, 3, 2, 1, 8, 4]"),
        Case((np.array([5, 4, 9]),), "the ranks [5, 4, 9]"),
        Case((rng.integers(1, 21, size=21),), "21 ranks"),
        Case((rng.integers(1, 5, size=31),), "31 ranks from 1 to 4"),
    ]
    shown = "for {case} you return {got}; it should be {expected}. "

    def counts(r):
        return {"first": int((r == 1).sum()), "first three": int((r <= 3).sum())}

    mistakes = [
        Mistake(
            lambda r: measures(r) | counts(r),
            shown + "You count queries. The task asks for shares: divide by their number.",
        ),
        *(
            Mistake(
                lambda r, name=name: measures(r) | {name: counts(r)[name]},
                shown
                + f'"{name}" counts queries. The task asks for a share: divide by their number.',
            )
            for name in ("first", "first three")
        ),
        Mistake(
            lambda r: {name: value * len(r) for name, value in measures(r).items()},
            shown + "These are sums; divide them by the number of queries.",
        ),
        Mistake(
            lambda r: {name: value * len(r) / 20 for name, value in measures(r).items()},
            shown + "You divide by 20. Divide by the number of ranks that the function is given.",
        ),
        Mistake(
            _with(three=lambda r: (r < 3).mean()),
            shown + "Rank 3 belongs to the first three (`<=`).",
        ),
        Mistake(
            _with(three=lambda r: (r <= 4).mean()),
            shown + "You count rank 4 among the first three. Ranks begin with 1.",
        ),
        Mistake(
            _with(three=lambda r: (r == 3).mean()), shown + '"First three" means rank 1, 2 or 3.'
        ),
        Mistake(
            _with(three=lambda r: ((r > 1) & (r <= 3)).mean()),
            shown + "Who is first is among the first three as well.",
        ),
        Mistake(
            _with(first=lambda r: (r == 0).mean(), three=lambda r: (r < 3).mean()),
            shown + "You take the ranks as counted from 0. They begin with 1.",
        ),
        Mistake(
            _with(first=lambda r: (r <= 1).mean(), three=lambda r: (r <= 3).mean() / 3),
            shown
            + "You divide the first three by 3: that is precision@3. Here every query has one right "
            "document; it is found among them or not.",
        ),
        Mistake(
            _with(mrr=lambda r: 1 / r.mean()),
            shown + "MRR is the mean of 1 / rank; you take 1 / the mean rank.",
        ),
        Mistake(
            _with(mrr=lambda r: r.mean()),
            shown + "That is the mean rank, not the mean of 1 / rank.",
        ),
        Mistake(
            _with(mrr=lambda r: (1 / r).sum()),
            shown + "Your MRR is the sum of 1 / rank; divide it by the number of queries.",
        ),
        Mistake(
            lambda r: {
                "first": float((r <= 3).mean()),
                "first three": float((r == 1).mean()),
                "MRR": float((1 / r).mean()),
            },
            shown + 'The shares for "first" and "first three" are exchanged.',
        ),
        Mistake(
            _with(mrr=lambda r: (1 / (r + 1)).mean()),
            shown + "Your ranks are one too large in MRR: rank 1 is worth 1, not 1/2.",
        ),
        Mistake(
            _with(mrr=lambda r: (1 / r[r <= 3]).mean() if (r <= 3).any() else 0),
            shown + "Your MRR is over the queries found in the first three only. All count.",
        ),
        Mistake(
            _with(mrr=lambda r: np.where(r <= 3, 1 / r, 0).mean()),
            shown + "Your MRR drops what stands below rank 3. 1 / 8 is little, but not nothing.",
        ),
        Mistake(
            _with(mrr=lambda r: 1 / np.mean(1 / r)),
            shown + "That is 1 / MRR (the harmonic mean of the ranks), not MRR.",
        ),
        Mistake(
            _with(mrr=lambda r: np.mean(1 / np.unique(r))),
            shown + "Your MRR has each rank once, however many queries share it.",
        ),
        Mistake(
            _with(mrr=lambda r: np.sum(1 / r) / (len(r) - 1)),
            shown + "You divide the sum of 1 / rank by n - 1; there are n queries.",
        ),
        Mistake(
            _with(first=lambda r: float(r[0] == 1), three=lambda r: (r[:3] == 1).mean()),
            shown
            + "You look at the first queries of the array. Rank 1 is a value in it, not a place.",
        ),
        Mistake(
            _with(mrr=lambda r: np.median(1 / r)),
            shown + "That is the median of 1 / rank, not its mean.",
        ),
        Mistake(
            _with(mrr=lambda r: (1 // r).mean()),
            shown + "`//` divides whole numbers: 1 // 2 is 0. Use `/`.",
        ),
        Mistake(
            _with(mrr=lambda r: (1 / np.log2(1 + r)).mean()),
            shown + "That is the discount of nDCG. MRR has 1 / rank.",
        ),
        Mistake(
            _with(mrr=lambda r: np.where(r <= 10, 1 / r, 0).mean()),
            shown + "Your MRR drops what stands below rank 10. The task knows no such limit.",
        ),
        Mistake(
            _with(
                first=lambda r: (r == 0).mean(),
                three=lambda r: (r < 3).mean(),
                mrr=lambda r: (1 / (r + 1)).mean(),
            ),
            shown + "You take the ranks as counted from 0. They begin with 1.",
        ),
        Mistake(
            _with(first=lambda r: 100 * (r == 1).mean(), three=lambda r: 100 * (r <= 3).mean()),
            shown + "You return per cent; the task asks for shares between 0 and 1.",
        ),
        Mistake(
            lambda r: {name: 100 * value for name, value in measures(r).items()},
            shown + "You return per cent; the task asks for shares between 0 and 1.",
        ),
        Mistake(
            _with(mrr=lambda r: np.mean(1 / r[:3])),
            shown + "Your MRR is over the first three queries of the array. It is over all.",
        ),
        Mistake(
            _with(mrr=lambda r: float((r == 1).any())),
            shown + "Your MRR is over the queries found at rank 1 only. All count.",
        ),
        Mistake(
            _with(three=lambda r: ((r == 1) | (r == 3)).mean()),
            shown + "Rank 2 is missing from the first three.",
        ),
        Mistake(
            _with(mrr=lambda r: round((1 / r).mean(), 3)),
            "your MRR is rounded, {got} instead of {expected}. Round when you print.",
        ),
    ]
    single = Case((np.array([2]),), "the ranks [2]")
    judge(_Tidy(answer), cases, _tidied(measures), mistakes, read=_reads_measures)
    judge(_Tidy(answer), [single], _tidied(measures), mistakes, read=_reads_measures)
    return "right: two shares that anyone understands, and one figure that looks at every rank."


# P2.3


def sign_flip_test(first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    """Return the difference of the means, and the share of all 2ⁿ ways of giving signs to the
    differences whose mean is at least as far from 0.
    """
    differences = np.asarray(first, dtype=float) - np.asarray(second, dtype=float)
    return float(differences.mean()), _share(differences)


def _sums(differences: np.ndarray) -> np.ndarray:
    """Return the sums for all ways of giving signs; differences of 0 change no share."""
    sums = np.zeros(1)
    for d in differences[differences != 0]:
        sums = np.concatenate([sums + d, sums - d])
    return sums


def _share(differences: np.ndarray) -> float:
    return float((np.abs(_sums(differences)) >= abs(differences.sum()) - 1e-9).mean())


def _p(share):
    """Return a test of which the p-value is another function of the differences."""
    return lambda a, b: (float((a - b).mean()), float(share(a - b)))


def _full_mean_of_the_rest(differences):
    kept = (differences != 0).sum() or 1
    return (np.abs(_sums(differences)) / kept >= abs(differences.mean()) - 1e-9).mean()


def _binomial(differences):
    n = int((differences != 0).sum())
    extreme = min(int((differences > 0).sum()), int((differences < 0).sum()))
    return min(1.0, 2 * sum(math.comb(n, i) for i in range(extreme + 1)) / 2**n)


def _exchanged(a, b):
    """Shuffle all values between the systems, without regard to pairs (exact for few values)."""
    pooled, n = np.concatenate([a, b]), len(a)
    observed = abs(a.mean() - b.mean()) - 1e-9
    rows = itertools.combinations(range(2 * n), n)
    means = np.array([pooled[list(r)].mean() for r in itertools.islice(rows, 13_000)])
    return np.mean(np.abs(2 * means - 2 * pooled.mean()) >= observed)


def _reads_test(value) -> tuple[float, float]:
    if isinstance(value, (float, np.floating)):
        raise Wrong(
            f"you return the number {describe(value)} alone. Return two: the difference, and the share p."
        )
    if isinstance(value, Mapping):
        raise Wrong(
            "you return a dictionary; the task asks for two numbers: `return difference, p`."
        )
    items = sequence(value)
    if len(items) != 2:
        raise Wrong(
            f"you return {describe(value)}; the task asks for two numbers: difference and p."
        )
    difference, p = number(items[0], "the difference"), number(items[1], "p")
    return difference, p


@exercise(
    "P2.3",
    level=2,
    title="Could it be chance?",
    names=["sign_flip_test"],
    hints=[
        "If the models were equally good, each query's difference could as well have the other sign. How many ways "
        "of giving signs are there for n queries?",
        "`itertools.product([1, -1], repeat=n)` goes through all of them. For each, multiply the differences by the "
        "signs and take the mean.",
        "Count those whose `abs(mean)` is at least `abs` of the observed mean (minus 1e-9, for rounding), and divide by "
        "2ⁿ. Too slow for 20? Leave out the differences that are 0: they change no share.",
    ],
    seconds=40,
)
def project_2_3(answer: Answer) -> str:
    """All signs, both sides, the observed one included."""
    cases = [
        _test_case("4 queries", [4, 2, 4, 4], [2, 3, 1, 4]),
        _test_case("3 queries, the second model better", [1, 2, 2], [3, 4, 3]),
        _test_case(
            "6 queries, all better with the first model", [4, 4, 2, 4, 3, 3], [2, 3, 1, 2, 1, 2]
        ),
        _test_case(
            "8 queries, of which 5 are equal", [4, 1, 2, 4, 4, 2, 4, 4], [4, 4, 2, 4, 2, 2, 3, 4]
        ),
        _test_case(
            "11 queries", [4, 1, 2, 3, 4, 1, 1, 2, 4, 3, 2], [2, 2, 2, 1, 4, 2, 4, 1, 1, 2, 4]
        ),
        _test_case("5 queries without any difference", [4, 2, 1, 4, 4], [4, 2, 1, 4, 4]),
        _test_case(
            "9 queries, of which 4 are equal",
            [2, 1, 3, 3, 4, 2, 2, 1, 2],
            [3, 1, 3, 4, 4, 4, 1, 1, 4],
        ),
    ]
    shown = "for {case} you return {got}; it should be {expected}. "

    def unsigned(d):
        return (np.abs(_sums(d)) > abs(d.sum()) + 1e-9).mean()

    def one_sided(d):
        return (_sums(d) >= d.sum() - 1e-9).mean()

    def one_sided_away(d):
        return (_sums(d) * np.sign(d.sum()) >= abs(d.sum()) - 1e-9).mean()

    def other_side(d):
        return (_sums(d) <= d.sum() + 1e-9).mean()

    def without_observed(d):
        n = 2.0 ** (d != 0).sum()
        return (_share(d) * n - 1) / n

    def without_one_of_all(d):
        return _share(d) - 2.0 ** -len(d)

    def t_test(d):
        from scipy.stats import ttest_1samp  # only for who is wrong: it takes a second

        return ttest_1samp(d, 0).pvalue if len(set(d)) > 1 else math.nan

    def ranked(d):
        from scipy.stats import wilcoxon

        return wilcoxon(d, zero_method="zsplit").pvalue

    def nothing_left(d):
        return _share(d) if d.any() else 0.0

    def equal_left_out(empty):
        def left_out(a, b):
            d = a - b
            kept = d[d != 0]
            return (float(kept.mean()), _share(d)) if len(kept) else empty

        return left_out

    def z_test(d):
        spread = d.std() / len(d) ** 0.5
        return math.erfc(abs(d.mean()) / spread / 2**0.5) if spread else 1.0

    mistakes = [
        Mistake(
            _p(nothing_left),
            shown
            + "Where you leave out the differences of 0 and none remains, one way is left: no sign at all. Its mean, 0, is as "
            "far from 0 as the one observed, so that p is 1.",
        ),
        Mistake(
            _p(unsigned),
            shown
            + "A mean *as far* from 0 as the one observed counts, too (`>=`). Otherwise not even the observed "
            "signs count, and p can be 0.",
        ),
        Mistake(
            _p(one_sided),
            shown
            + "You count means on one side only. As far from 0 means on either side: compare `abs`.",
        ),
        Mistake(
            _p(one_sided_away),
            shown
            + "You count means on one side only. As far from 0 means on either side: compare `abs`.",
        ),
        Mistake(
            _p(other_side),
            shown + "You count the means on the wrong side: as far from 0 *or farther*.",
        ),
        Mistake(
            _p(without_observed),
            shown + "You leave out the signs as observed. They are one of the 2ⁿ ways, and count.",
        ),
        Mistake(
            _p(without_one_of_all),
            shown + "You leave out the signs as observed. They are one of the 2ⁿ ways, and count.",
        ),
        Mistake(
            _p(lambda d: 2 * (_sums(d) >= d.sum() - 1e-9).mean()),
            shown
            + "You double one side. With a difference below 0 that is the wrong side, and p comes out above 1; compare "
            "`abs` with `abs` instead.",
        ),
        Mistake(
            _p(lambda d: min(1.0, 2 * _share(d))),
            shown + "Both sides are in your count already. Do not double it.",
        ),
        Mistake(
            _p(lambda d: 2 * _share(d)),
            shown + "Both sides are in your count already. Do not double it.",
        ),
        Mistake(
            _p(t_test),
            shown
            + "That is the p of a t-test, which takes the differences for normal. Count the signs.",
        ),
        Mistake(
            _p(ranked),
            shown
            + "That is the p of Wilcoxon's test, which looks at the ranks of the differences. Take the differences.",
        ),
        Mistake(
            _p(lambda d: (_sums(d) >= abs(d.sum()) - 1e-9).mean()),
            shown
            + "You count means on one side only. As far from 0 means on either side: take `abs` of every mean, not "
            "only of the observed one.",
        ),
        Mistake(
            _p(lambda d: 2 * (_sums(d) >= abs(d.sum()) - 1e-9).mean()),
            shown
            + "You double one side. Where the difference is 0 that counts the middle twice; compare `abs` "
            "with `abs` instead.",
        ),
        Mistake(
            _p(lambda d: (np.abs(_sums(d)) <= abs(d.sum()) + 1e-9).mean()),
            shown
            + "You count the means that are *nearer* to 0 than the one observed. As far or farther: `>=`.",
        ),
        Mistake(
            lambda a, b: (float(np.abs(a - b).mean()), _share(np.abs(a - b))),
            shown + "Your differences have lost their signs before the test begins.",
        ),
        Mistake(
            lambda a, b: (float(np.median(a - b)), _share(a - b)),
            shown + "Your difference is a median; the means were asked for.",
        ),
        Mistake(
            _p(lambda d: round(_share(d), 2)),
            "your p is rounded, {got} instead of {expected}. Round when you print.",
        ),
        Mistake(
            _p(lambda d: _share(d) if abs(d.sum()) > 1e-9 else 0.0),
            shown
            + "A difference of 0 is no reason for a p of 0: every mean is as far from 0, or farther, so that p is 1.",
        ),
        Mistake(
            _p(_full_mean_of_the_rest),
            shown
            + "You leave out the differences of 0, and take the mean of the others; the observed mean that you compare with is "
            "over all queries. Compare sums, or divide both by the same number.",
        ),
        *(
            Mistake(
                _p(lambda d, ways=ways: (_share(d) * ways(d) - 1) / (ways(d) - 1)),
                shown
                + "You leave out one of the ways, that of the observed signs or the first. All 2ⁿ count.",
            )
            for ways in (lambda d: 2.0 ** len(d), lambda d: 2.0 ** (d != 0).sum())
        ),
        *(
            Mistake(
                _p(lambda d, ways=ways: (_share(d) * ways(d) + 1) / (ways(d) + 1)),
                shown
                + "You add 1 above and below, as one does for signs drawn at random. Here all ways are counted, and the "
                "observed signs are among them.",
            )
            for ways in (lambda d: 2.0 ** len(d), lambda d: 2.0 ** (d != 0).sum())
        ),
        Mistake(
            _p(lambda d: 100 * _share(d)),
            shown + "Your p is in per cent; the task asks for a share, 0 to 1.",
        ),
        Mistake(
            _p(lambda d: 1 - _share(d)),
            shown + "That is 1 - p, the share of means that are *nearer* to 0.",
        ),
        Mistake(
            lambda a, b: (float((b - a).mean()), _share(a - b)),
            shown + "The difference is `first` minus `second`.",
        ),
        Mistake(
            lambda a, b: (abs(float((a - b).mean())), _share(a - b)),
            shown + "Your difference has lost its sign, which says who is better.",
        ),
        Mistake(
            lambda a, b: (float((a - b).sum()), _share(a - b)),
            shown + "Your difference is a sum; it should be the difference of the means.",
        ),
        *(
            Mistake(
                equal_left_out(empty),
                shown
                + "You may leave out equal queries for p, but not for the difference: its mean is over all.",
            )
            for empty in ((math.nan, 1.0), (math.nan, 0.0), (math.nan, math.nan), (0.0, 1.0))
        ),
        Mistake(
            _p(lambda d: _share(d) / 2),
            shown + "You halve p. Both sides count, in the ways as in p.",
        ),
        Mistake(
            _p(lambda d: (_sums(d) > d.sum() + 1e-9).mean()),
            shown
            + "You count on one side only, and not what is *as far* from 0 as the observed mean: compare `abs`, with `>=`.",
        ),
        Mistake(
            _p(lambda d: (np.abs(_sums(d)) >= d.sum() - 1e-9).mean()),
            shown
            + "Where the observed mean is below 0 you count every way: compare the `abs` of every mean with *its* `abs`.",
        ),
        Mistake(_p(z_test), shown + "That is the p of a normal distribution. Count the signs."),
        Mistake(lambda a, b: sign_flip_test(a, b)[::-1], shown + "First the difference, then p."),
        Mistake(
            _p(_binomial),
            shown
            + "You count wins and losses only (the sign test). Here a large difference weighs more than a small one: "
            "compare means.",
        ),
        Mistake(
            _p(lambda d: (np.abs(_sums(d)) >= abs(d.sum()) - 1e-9).sum()),
            shown + "You count the ways; divide by their number.",
        ),
        Mistake(
            _p(lambda d: _share(d) * 2 ** len(d)),
            shown + "You count the ways; divide by their number.",
        ),
        Mistake(
            _p(lambda d: _share(d) * 2.0 ** (d != 0).sum() / 2 ** len(d)),
            shown
            + "You leave out the queries without a difference, but divide by 2 to the power of *all* queries.",
        ),
        Mistake(
            _p(lambda d: (np.abs(_sums(np.ones(len(d)))) >= abs(np.sign(d).sum()) - 1e-9).mean()),
            shown + "You test the signs alone. Multiply the differences by the signs.",
        ),
        Mistake(
            _p(lambda d: (np.abs(_sums(d)) / len(d) >= abs(d.sum()) - 1e-9).mean()),
            shown + "You compare means with a sum.",
        ),
        Mistake(
            _p(lambda d: (np.abs(_sums(d)) >= abs(d.mean()) - 1e-9).mean()),
            shown + "You compare sums with a mean.",
        ),
        Mistake(
            lambda a, b: (float((a - b).mean()), _share(a - b) < 0.05),
            shown + "The second is a share (a number), not a verdict.",
        ),
    ]

    def agree(found, expected):
        return bool(np.allclose(found, expected, rtol=1e-4, atol=1e-4))

    try:
        judge(answer, cases, sign_flip_test, mistakes, read=_reads_test, agree=agree)
    except Wrong as wrong:
        _say_more(answer, cases, str(wrong))
        raise
    longer = _test_case(
        "13 queries, of which 6 are equal", [4] * 9 + [1, 2, 3, 2], [4] * 6 + [2, 1, 3, 4, 4, 1, 1]
    )
    single = _test_case("a single query", [4], [2])
    judge(answer, [longer, single], sign_flip_test, read=_reads_test, agree=agree)
    _judge_rounding(answer)
    return "right: every way of giving signs, and p is the share that does as well as yours."


def _judge_rounding(answer: Answer) -> None:
    """Reciprocal ranks: many sums are equal but for rounding, and a strict comparison parts them."""
    for first, second in (
        ([1, 2, 3, 5, 6, 7, 10], [3, 6, 2, 1, 3, 1, 5]),
        ([3, 1, 6, 2, 7, 9, 1, 3, 5], [1, 2, 3, 6, 14, 3, 5, 9, 1]),
        ([6, 3, 1, 1, 9, 2, 3], [2, 1, 7, 3, 3, 6, 9]),
    ):
        values = 1 / np.array(first), 1 / np.array(second)
        expected = sign_flip_test(*values)
        found = _reads_test(answer(*values))
        if not np.allclose(found, expected, rtol=1e-4, atol=1e-4):
            shown = f"for the values 1 / rank of {len(first)} queries your p is {found[1]:.4f}; it should be {expected[1]:.4f}. "
            if found[1] > expected[1]:
                raise Wrong(
                    f"{shown}You let through means that are nearer to 0 than the one observed. For rounding 1e-9 is enough."
                )
            raise Wrong(
                f"{shown}Sums of such fractions that are equal differ in the last digit. Allow for it: `>= abs(mean) - 1e-9`."
            )


def _test_case(words: str, first: list, second: list) -> Case:
    """Return values in quarters: their sums are exact, so that no rounding decides a tie."""
    return Case((np.array(first) / 4, np.array(second) / 4), words)


def _say_more(answer: Answer, cases: list[Case], said: str) -> None:
    """Raise a better diagnosis than "you return …; it should be …", where p is a matter of
    chance: signs or pairs drawn at random.
    """
    if not said.endswith(")."):
        return
    try:
        found = [_reads_test(answer(*case.arguments)) for case in cases[:5]]
    except Wrong:
        return
    right = [sign_flip_test(*case.arguments) for case in cases[:5]]
    if not np.allclose([d for d, _ in found], [d for d, _ in right], atol=1e-6):
        return
    p, exact = (np.array([share for _, share in pairs]) for pairs in (found, right))
    if (abs(p - exact) < 0.03).all():
        raise Wrong(
            f"for {cases[4]} your p is {p[4]:.4f}; it should be {exact[4]:.4f}. Do you draw signs at random? With few "
            "queries all 2ⁿ ways can be counted, and p is exact. (Or is rounding in the way? `>= abs(mean) - 1e-9`.)"
        )
    unpaired = np.array([_exchanged(*case.arguments) for case in cases[:3]])
    if (abs(p[:3] - unpaired) < 0.03).all():
        raise Wrong(
            f"for {cases[0]} your p is {p[0]:.3f}; it should be {exact[0]:.3f}. Do you shuffle the values of all queries? The "
            "test is paired: the two values of a query may only change places with each other, which turns the sign "
            "of its difference."
        )


# P2.4


def worth_it(gain: float, p: float, times_slower: float, times_larger: float) -> str:
    """Return a verdict by one of many sensible rules."""
    if p >= 0.05:
        return "not established"
    return "switch" if gain > 0.02 * (times_slower + times_larger) / 2 else "stay"


VERDICTS = ("switch", "stay", "not established")
LEAST_WORDS = 20


def _verdict(answer: Answer, gain: float, p: float, slower: float, larger: float) -> str:
    found = answer(gain, p, slower, larger)
    words = f"a gain of {gain:+.3f}, p = {p:.3f}, {slower:g} times slower, {larger:g} times larger"
    if found is None:
        told = "prints and returns nothing" if answer.printed_instead else "returns None"
        raise Wrong(f"`{answer.name}` {told} for {words}. Does every path end with `return`?")
    if not isinstance(found, str) or found not in VERDICTS:
        raise Wrong(
            f'for {words} your rule returns {describe(found)}; it should be one of the texts "switch", "stay", "not '
            'established".'
        )
    return str(found)


def _judge_rule(answer: Answer) -> None:
    """Raise `Wrong` where a rule is none that anyone could stand by."""
    for gain in (-0.3, -0.01, 0.0, 0.01, 0.3, 0.9):
        for p in (0.05, 0.051, 0.3, 1.0):
            found = _verdict(answer, gain, p, 2.0, 2.0)
            if found != "not established":
                edge = " (0.05 itself is not below 0.05)" if p == 0.05 else ""
                raise Wrong(
                    f"with p = {p}{edge} a gain of {gain:+.2f} may well be chance, and your rule says {found!r}. Not established "
                    "comes first, whatever the gain."
                )
    for p in (0.0001, 0.01, 0.049):
        for gain, cost in itertools.product((-0.5, -0.02, 0.0, 0.02, 0.5), (1.0, 2.0)):
            found = _verdict(answer, gain, p, cost, cost)
            if found == "not established":
                raise Wrong(
                    f"with p = {p} the difference is established (below 0.05), and your rule says {found!r} for a gain of "
                    f"{gain:+.2f}."
                )
            if gain <= 0 and found != "stay":
                raise Wrong(
                    f"with a gain of {gain:+.2f}, at {cost:g} times the time and size, the larger model is no better, and your "
                    f"rule says {found!r}. A gain of 0 or less is none: established may also mean established to be worse."
                )
    if _verdict(answer, 0.5, 0.001, 1.0, 1.0) != "switch":
        raise Wrong(
            "a gain of 0.5, established, with a model that is as fast and as small as the old one: your rule says 'stay'. "
            "When would it ever say 'switch'?"
        )
    if _verdict(answer, 0.001, 0.001, 100.0, 100.0) != "stay":
        raise Wrong(
            "a gain of 0.001 for 100 times the time and 100 times the size: your rule says 'switch'. What would be too "
            "expensive for it?"
        )
    _judge_monotone(answer)


def _judge_monotone(answer: Answer) -> None:
    gains = (0.001, 0.003, *(hundredths / 100 for hundredths in range(1, 101, 3)))
    factors = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0, 15.0, 30.0, 60.0, 100.0)
    for factor in factors:
        said = [_verdict(answer, gain, 0.01, factor, factor) for gain in gains]
        if "switch" in said and "stay" in said[said.index("switch") :]:
            more = gains[said.index("stay", said.index("switch"))]
            raise Wrong(
                f"at {factor:g} times the time and size your rule says 'switch' for a gain of {gains[said.index('switch')]}, and "
                f"'stay' for {more}. A larger gain cannot be worth less."
            )
    for gain, other in itertools.product(gains, (1.0, 2.0, 6.0)):
        for name, fixed, step in (("time", "size", 1), ("size", "time", -1)):
            said = [_verdict(answer, gain, 0.01, *(factor, other)[::step]) for factor in factors]
            if "stay" in said and "switch" in said[said.index("stay") :]:
                cheap = factors[said.index("stay")]
                dear = factors[said.index("switch", said.index("stay"))]
                raise Wrong(
                    f"for a gain of {gain}, at {other:g} times the {fixed}, your rule says 'stay' at {cheap:g} times the {name}, "
                    f"and 'switch' at {dear:g} times. A higher price cannot make it worth more."
                )


def _own_figures(similarities) -> tuple[int, dict, float, float]:
    """Return what follows from the learner's similarities: queries, MRR of each model, gain, p."""
    if not isinstance(similarities, Mapping) or not set(MODELS) <= similarities.keys():
        raise Wrong(
            "`similarities` is the dictionary of a cell above, with a matrix for 'MiniLM' and one for 'mpnet'. Run that "
            "cell again."
        )
    matrices = [array(similarities[name], what=f"`similarities[{name!r}]`") for name in MODELS]
    n = len(matrices[0])
    if any(m.shape != (n, n) for m in matrices):
        raise Wrong(
            "`similarities` should hold two square matrices of the same size, a row for each query."
        )
    if n < 20:
        raise Wrong(f"there are {n} pairs; the project asks for 20 or more.")
    values = [1 / ranks(m) for m in matrices]
    gain = float(values[1].mean() - values[0].mean())
    differences = values[1] - values[0]
    return (
        n,
        dict(zip(MODELS, map(np.mean, values), strict=True)),
        gain,
        _share_of_many(differences),
    )


def _share_of_many(differences: np.ndarray) -> float:
    """Return p; where the differences are too many to go through all signs, by 200,000 of them."""
    kept = differences[differences != 0]
    if len(kept) <= 20:
        return _share(differences)
    signs = np.random.default_rng(0).choice([-1.0, 1.0], size=(200_000, len(kept)))
    return float((np.abs(signs @ kept) >= abs(kept.sum()) - 1e-9).mean())


KEYS = ("queries", "MRR", "p", "times slower", "times larger", "verdict", "in my words")


@exercise(
    "P2.4",
    level=2,
    title="Is it worth it?",
    names=["worth_it", "similarities", "conclusion"],
    hints=[
        "Three questions in this order: is it established? Is it a gain at all? Is the gain worth the price? Only the "
        "third has an answer that is yours alone.",
        "For the third, say what a gain of 0.1 may cost: twice the time? Ten times? Compare the gain with a number that "
        "grows with `times_slower` and `times_larger`.",
        'Take the figures of the dictionary from your functions: `measures(ranks(similarities["mpnet"]))["MRR"]`, '
        'the p of `sign_flip_test`, `seconds["mpnet"] / seconds["MiniLM"]`; and the verdict from `worth_it`.',
    ],
)
def project_2_4(answer: Answer, similarities: dict, conclusion: dict) -> str:
    """A rule that nobody can laugh at, and a conclusion that follows from one's own figures."""
    if not isinstance(answer, Answer):
        raise Wrong("`worth_it` is not a function any more. Run its cell again.")
    _judge_rule(answer)
    code = getattr(inspect.unwrap(answer.function), "__code__", None)
    given_elsewhere = {"seconds", "megabytes", "conclusion", "similarities"}
    for name in sorted(given_elsewhere.intersection(getattr(code, "co_names", ()))):
        raise Wrong(
            f"your rule reads `{name}`, a variable of the notebook: then it can judge these two models only. Use the "
            "four numbers that it is given."
        )
    n, mrr, gain, p = _own_figures(similarities)
    given = mapping(conclusion, "`conclusion`")
    missing = [key for key in KEYS if given.get(key) is None or given.get(key) is ...]
    if missing:
        plain = {str(key).lower().replace("_", " ").replace("-", " "): key for key in given}
        if missing[0] not in given and missing[0].lower() in plain:
            raise Wrong(
                f"your conclusion has {plain[missing[0].lower()]!r}; the key is called {missing[0]!r}, letter by letter."
            )
        raise Wrong(f"your conclusion does not have {', '.join(map(repr, missing))} yet.")
    _judge_figures(given, n, mrr, p)
    slower, larger = (
        number(given[f"times {what}"], f"'times {what}'") for what in ("slower", "larger")
    )
    for what, value in (("slower", slower), ("larger", larger)):
        if value <= 0:
            raise Wrong(f"'times {what}' is {value:g}; a ratio of two measurements is above 0.")
        if value > 80:
            unit = {"slower": "milliseconds", "larger": "megabytes"}[what]
            raise Wrong(
                f"'times {what}' is {value:g}. Are these mpnet's {unit}? It is mpnet's figure divided by MiniLM's."
            )
    if larger < 0.5:
        raise Wrong(
            f"'times larger' is {larger:.2f}: mpnet would be smaller than MiniLM. Is the ratio upside down? It is mpnet's "
            "divided by MiniLM's."
        )
    if slower < 0.5:
        raise Wrong(
            f"'times slower' is {slower:.2f}: mpnet would be faster than MiniLM. Is the ratio upside down? It is mpnet's "
            "seconds divided by MiniLM's."
        )
    _judge_own_verdict(answer, given, (gain, p, slower, larger))
    _judge_words(given["in my words"])
    return "right: a rule that you can defend, figures that agree with it, and a sentence for your boss."


def _judge_figures(given: dict, n: int, mrr: dict, p: float) -> None:
    queries = number(given["queries"], "'queries'")
    if queries != n:
        raise Wrong(f"'queries' is {queries:g}; your similarities have {n} rows.")
    own = mapping(given["MRR"], "'MRR'")
    for name in MODELS:
        if name not in own:
            has = f" It has {', '.join(map(repr, list(own)[:4]))}." if own else ""
            raise Wrong(
                f"'MRR' has no {name!r}; it wants one figure for each of the two models.{has}"
            )
        value = number(own[name], f"the MRR of {name}")
        if abs(value - mrr[name]) > 0.0051:
            other = next(model for model in MODELS if model != name)
            swapped = all(
                abs(number(own.get(a, -1)) - mrr[b]) < 0.0051 for a, b in (MODELS, MODELS[::-1])
            )
            hint = " The two are exchanged." if swapped else ""
            if not swapped and abs(value - round(mrr[name], 1)) < 1e-9:
                hint = " Two digits at least were asked for."
            elif not swapped and abs(value - mrr[other]) < 0.0051:
                hint = f" That is {other}'s."
            elif not swapped and abs(value - 100 * mrr[name]) < 0.51:
                hint = " That is in per cent."
            raise Wrong(
                f"you give an MRR of {value:.3f} for {name}; from your similarities follows {mrr[name]:.3f}.{hint}"
            )
    value = number(given["p"], "'p'")
    if abs(value - p) > 0.0051:
        hint = "(Is it the test of 1 / rank, query by query?)"
        if abs(value - p / 2) <= 0.0051:
            hint = "That is half of it: both sides count, as far from 0 as the observed mean *on either side*."
        elif abs(value - 100 * p) <= 0.51:
            hint = "That is in per cent; p is a share, from 0 to 1."
        elif abs(value - (1 - p)) <= 0.0051:
            hint = "That is 1 - p."
        raise Wrong(
            f"you give p = {value:.3f}; from the reciprocal ranks of your similarities follows {p:.3f}. {hint}"
        )


def _judge_own_verdict(answer: Answer, given: dict, exact: tuple) -> None:
    verdict = given["verdict"]
    if not isinstance(verdict, str) or verdict not in VERDICTS:
        raise Wrong(
            f'your verdict is {describe(verdict)}; it is one of the texts "switch", "stay", "not established".'
        )
    own = float(given["MRR"]["mpnet"]) - float(given["MRR"]["MiniLM"])
    by_rule = {_verdict(answer, *exact), _verdict(answer, own, float(given["p"]), *exact[2:])}
    if verdict not in by_rule:
        raise Wrong(
            f"your verdict is {verdict!r}, but your own rule says {by_rule.pop()!r} for a gain of "
            f"{exact[0]:+.3f} with p = {exact[1]:.3f}, at {exact[2]:.1f} times the time and {exact[3]:.1f} times the "
            "size. Take the verdict from `worth_it`."
        )


def _judge_words(words: object) -> None:
    if not isinstance(words, str):
        raise Wrong(f"'in my words' is {describe(words)}; write a text.")
    written = len(words.split())
    if written < LEAST_WORDS:
        raise Wrong(
            f"'in my words' has {written} words. Write {LEAST_WORDS} or more: what was compared on what, "
            "what came out, how sure it is, and what you would do."
        )
    if len(set(words.lower().split())) < LEAST_WORDS // 2:
        raise Wrong(
            "'in my words' says the same words again and again. Write what you would tell a colleague."
        )
