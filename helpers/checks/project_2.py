"""The checks of project 2, two models on twenty questions."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from itertools import product

import numpy as np

from helpers.checks.answers import Answer
from helpers.checks.frame import exercise
from helpers.checks.reading import Wrong, array, describe, mapping, number, parts

MODELS = ("MiniLM", "mpnet")


# P2.1


def right_of(similarities):
    return np.diag(similarities)[:, None]


def place_in(order):
    return np.array([list(row).index(i) + 1 for i, row in enumerate(order)])


@exercise(
    "P2.1",
    level=2,
    title="Who is before the right one?",
    names=["ranks"],
    hints=[
        "A rank is a count: how many documents are at least as good as the right one?",
        "`np.diag(similarities)[:, None]` is a column of the right documents' scores. Compare rows.",
        "`(similarities >= right).sum(axis=1)`: the right one counts itself, so the best has rank 1.",
    ],
)
class Ranks:
    """Ties, rows against columns, and one query alone."""

    reads = array
    praise = "right: the rank of each query's own document, and no tie is a present."

    def reference(similarities):
        return (similarities >= right_of(similarities)).sum(axis=1)

    def cases():
        yield (np.array([[0.5, 0.9], [0.2, 0.4]]),)
        yield (np.array([[0.5, 0.5, 0.1], [0.7, 0.6, 0.6], [0.3, 0.3, 0.3]]),)
        yield (np.array([[0.7]]),)
        yield (np.array([[0.5, 0.504, 0.9], [0.8, 0.2, 0.1], [0.9, 0.4, 0.3]]),)
        yield (np.array([[0.51, 0.506], [0.204, 0.202]]),)
        rng = np.random.default_rng(81)
        yield (rng.normal(size=(9, 9)).round(1),)
        yield (rng.normal(size=(14, 14)).round(2) * 0.1,)

    mistakes = """
        1 + (similarities > right_of(similarities)).sum(axis=1)
        place_in(np.argsort(-similarities, axis=1, kind="stable"))
        ((similarities > right_of(similarities)).sum(1) + reference(similarities) + 1) / 2
            ties count against the model: all documents with the same score stand before the right one.
        (similarities >= np.diag(similarities)).sum(axis=0)
        (similarities >= np.diag(similarities)).sum(axis=1)
            a query is a row: compare it with its own document's score, in a column (`[:, None]`).
        1 + reference(similarities)
            your ranks are one too large: the right document is at least as good as itself.
        place_in(np.argsort(similarities, axis=1))
            you sort small similarities first. The largest is the best.
        np.argmax(similarities, axis=1) + 1
            these are the documents found first, not the ranks of the right ones.
        np.diag(np.argsort(-similarities, axis=1)) + 1
            `argsort` says which document stands at each place. Where is the right one?
        1 / reference(similarities)
            this is 1 / rank. The rank itself was asked for.
        np.array([len({x for x in row if x >= row[i]}) for i, row in enumerate(similarities)])
            you count scores, not documents: equal scores count once.
        reference(similarities.round(2))
            you round the scores, and that makes ties.
    """


# P2.2


FIGURES = ("first", "first three", "MRR")


def figures(ranks, **changed):
    """Return the three figures, some of them changed."""
    values = ((ranks == 1).mean(), (ranks <= 3).mean(), (1 / ranks).mean())
    changed = {name.replace("_", " "): value for name, value in changed.items()}
    return dict(zip(FIGURES, values, strict=True)) | changed


@exercise(
    "P2.2",
    level=2,
    title="Three figures",
    names=["measures"],
    hints=[
        "A share is a mean of True and False: `(ranks == 1).mean()`.",
        "MRR is the mean of 1 / rank, not 1 / the mean rank.",
        '`{"first": …, "first three": (ranks <= 3).mean(), "MRR": (1 / ranks).mean()}`',
    ],
)
class Measures:
    """Ranks at and beyond each limit, and another number of queries than twenty."""

    praise = "right: two shares that anyone understands, and one figure that looks at every rank."

    def reads(value):
        given = mapping(value)
        missing = [name for name in FIGURES if name not in given]
        if missing:
            raise Wrong(f"your dictionary has no {missing[0]!r}; it has {describe(list(given))}.")
        return {name: number(given[name], repr(name)) for name in FIGURES}

    def reference(ranks):
        return figures(ranks)

    def cases():
        for ranks in ([1, 2], [3, 4, 1], [1, 1, 12, 3, 4, 2, 7], [5, 30, 8]):
            yield (np.array(ranks),)
        yield (np.random.default_rng(82).integers(1, 20, size=25),)

    mistakes = """
        figures(ranks, first=(ranks == 1).sum(), first_three=(ranks <= 3).sum())
        figures(ranks, first=(ranks == 1).sum())
            you count queries. A share is their number divided by the number of all.
        {name: value * len(ranks) / 20 for name, value in figures(ranks).items()}
            you divide by 20. Divide by the number of ranks that are given.
        figures(ranks, first_three=(ranks < 3).mean())
        figures(ranks, first_three=(ranks < 5).mean())
        figures(ranks, first_three=(ranks == 3).mean())
            "first three" means rank 1, 2 or 3: `<= 3`.
        figures(ranks, first=(ranks == 0).mean(), first_three=(ranks < 3).mean())
            you take the ranks as counted from 0. The best is 1.
        figures(ranks, MRR=1 / ranks.mean())
        figures(ranks, MRR=ranks.mean())
            MRR is the mean of 1 / rank: not the mean rank, nor 1 divided by that.
        figures(ranks, MRR=(1 // ranks).mean())
            `//` divides whole numbers: only rank 1 counts then.
        figures(ranks, MRR=(1 / ranks[ranks <= 3]).mean() if (ranks <= 3).any() else 0)
        figures(ranks, MRR=np.where(ranks <= 3, 1 / ranks, 0).mean())
        figures(ranks, MRR=np.where(ranks <= 10, 1 / ranks, 0).mean())
            your MRR drops what stands far down, or the queries. It is over all ranks: 1 / 12, too.
        figures(ranks, first=100 * (ranks == 1).mean(), first_three=100 * (ranks <= 3).mean())
            these are per cent; the task asks for shares between 0 and 1.
        figures(ranks, MRR=(1 / ranks).sum())
            your MRR is the sum. Divide by the number of queries.
        figures(ranks, MRR=round((1 / ranks).mean(), 3))
            your MRR is rounded. Round where you print.
    """


# P2.3


def share(differences, extreme=lambda sums, own: np.abs(sums) >= abs(own) - 1e-9):
    """Return the share of all ways of giving signs whose sum is extreme."""
    kept = differences[differences != 0]
    sums = np.zeros(1)
    for difference in kept:
        sums = np.concatenate([sums + difference, sums - difference])
    return float(extreme(sums, kept.sum()).mean())


def sign_test(differences):
    """Return p of the sign test, which forgets how large the differences are."""
    from scipy.stats import binomtest

    wins, losses = int((differences > 0).sum()), int((differences < 0).sum())
    return binomtest(wins, wins + losses).pvalue if wins + losses else 1.0


def drawn(differences):
    """Return p from signs drawn at random."""
    signs = np.random.default_rng(0).choice([1, -1], size=(3000, len(differences)))
    return (np.abs(signs @ differences) >= abs(differences.sum()) - 1e-9).mean()


@exercise(
    "P2.3",
    level=2,
    title="Could it be chance?",
    names=["sign_flip_test"],
    hints=[
        "Take the differences, query by query. Which sums can they have with other signs?",
        "`itertools.product([1, -1], repeat=n)` goes through all ways. Leave out differences of 0.",
        "From `sums = np.zeros(1)`, for each difference `sums = np.concatenate([sums + d, sums - d])`. "
        "p is the share of `np.abs(sums) >= abs(observed) - 1e-9`; observed is the sum of all.",
    ],
    seconds=20,
)
class SignFlipTest:
    """Ties, all equal, one query alone, sums that differ in the last bit, and twenty queries."""

    reads = parts(number, number)
    praise = "right: every way of giving signs, and p is the share that does as well as yours."

    def reference(first, second):
        return float(first.mean() - second.mean()), share(first - second)

    def cases():
        for first, second in (
            ([0.5, 1.0], [0.25, 0.5]),
            ([1.0], [0.5]),
            ([1.0, 0.25, 0.5], [0.5, 1.0, 0.5]),
            ([0.5, 0.5], [0.5, 0.5]),
            ([0.25], [0.25]),
            ([0.1, 0.2, 0.0, 0.4], [0.0, 0.0, 0.3, 0.0]),
            ([0.2, 0.4, 0.0, 0.8], [0.0, 0.0, 0.6, 0.0]),
            ([0.7, 0.5, 0.1, 0.3], [0.1, 0.2, 0.2, 0.28]),
            ([1.0, 0.5, 0.5, 1.0, 0.2], [0.5, 0.25, 0.375, 1.0, 0.2]),
        ):
            yield np.array(first), np.array(second)
        rng = np.random.default_rng(83)
        for n, steps in ((7, [0, 0.25, 0.5]), (10, [-0.3, 0, 0.2, 0.4])):
            second = 1 / rng.integers(1, 5, size=n)
            yield second + rng.choice(steps, n), second

    mistakes = """
        reference(first, second)[0], share(first - second, lambda sums, own: sums >= own - 1e-9)
            you count on one side only. As far from 0 on the other side counts as well.
        reference(first, second)[0], share(first - second, lambda s, own: np.abs(s) > abs(own) + 1e-9)
            a mean *as far* from 0 as the observed one counts, too: `>=`.
        reference(first, second)[0], share(first - second, lambda s, own: np.abs(s) >= abs(own))
            means that are equal differ in the last digit. Allow for rounding: `- 1e-9`.
        reference(first, second)[0], share(first - second, lambda s, own: np.abs(s) <= abs(own) + 1e-9)
            you count the means that are *nearer* to 0.
        reference(first, second)[0], share(first - second) / 2
        reference(first, second)[0], min(1.0, 2 * share(first - second))
            do not halve or double p: both sides are counted already.
        reference(first, second)[0], sign_test(first - second)
            this is the sign test: it counts wins, and forgets how large the differences are.
        reference(first, second)[0], drawn(first - second)
            you draw signs at random. Go through all of them: the count is exact.
        reference(first, second)[0], share(first - second) * 2 ** np.sum(first != second)
        reference(first, second)[0], share(first - second) * 2 ** np.sum(first != second) / 2 ** len(first)
            divide by the number of all ways: 2 to the power of the differences that are not 0.
        reference(first, second)[0], share(first - second) - 1 / 2 ** np.sum(first != second)
            you leave out one of the ways. The signs as observed are one of them.
        (first - second)[first != second].mean() if (first != second).any() else 0.0, share(first - second)
            leave out differences of 0 for p only. The mean difference is over all queries.
        reference(first, second)[0], share(first - second) if (first != second).any() else 0.0
            where all differences are 0, p is 1: the one way left is as extreme as the observed.
    """


# P2.4

VERDICTS = ("switch", "stay", "not established")
KEYS = ("queries", "MRR", "p", "times slower", "times larger", "verdict", "in my words")
LEAST_WORDS = 20


@exercise(
    "P2.4",
    level=2,
    title="Is it worth it?",
    names=["worth_it", "similarities", "conclusion"],
    hints=[
        "Ask in this order: is it established? Is it a gain? Is it worth the price (your own rule)?",
        "Compare the gain with a number that grows with `times_slower` and `times_larger`.",
        'Take the figures from your functions: `measures(ranks(similarities["mpnet"]))["MRR"]`, the p '
        'of `sign_flip_test`, `seconds["mpnet"] / seconds["MiniLM"]`; the verdict from `worth_it`.',
    ],
)
class WorthIt:
    """A rule that nobody can laugh at, and a conclusion that follows from one's own figures."""

    def check(answer, similarities, conclusion):
        if not isinstance(answer, Answer):
            raise Wrong("`worth_it` is not a function any more. Run its cell again.")
        judge_rule(answer)
        names = getattr(inspect.unwrap(answer.function), "__code__", judge_rule.__code__).co_names
        for name in {"seconds", "megabytes", "conclusion", "similarities"}.intersection(names):
            raise Wrong(f"your rule reads `{name}`: it judges these two models only, then.")
        own = own_figures(similarities)
        given = mapping(conclusion, "`conclusion`")
        missing = [key for key in KEYS if given.get(key) in (None, ...)]
        if missing:
            names = ", ".join(map(repr, missing))
            raise Wrong(
                f"your conclusion does not have {names} yet, letter by letter as in the task."
            )
        judge_figures(given, *own)
        judge_verdict(answer, given, *own[2:4])
        judge_words(given["in my words"])
        return "right: a rule that you can defend, figures that agree with it, and your own words."


def call_of(*four):
    return f"`worth_it({', '.join(f'{value:g}' for value in four)})`"


def verdict_of(answer, *four):
    """Return what the rule says; raise `Wrong` when it is none of the three texts."""
    found = answer(*four)
    if not isinstance(found, str) or found not in VERDICTS:
        texts = f"one of the texts {', '.join(map(repr, VERDICTS))}"
        raise Wrong(f"{call_of(*four)} returns {describe(found)}; it should be {texts}.")
    return found


def judge_rule(answer):
    """Raise `Wrong` where a rule is none that anyone could stand by."""
    small, large = (0.0001, 0.01, 0.049), (0.05, 0.051, 0.3, 1.0)
    switch, stay, unsure = VERDICTS
    for gains, ps, costs, allowed, says in (
        ((-0.3, 0, 0.01, 0.9), large, [2.0], [unsure], "p is 0.05 or more: that may be chance."),
        ((-0.5, -0.02, 0), small, (1.0, 2.0), [stay], "established, but a gain of 0 or less."),
        ((0.02, 0.5), small, (1.0, 2.0), [switch, stay], "p is below 0.05: it is established."),
        ([0.5], [0.001], [1.0], [switch], "that gain costs nothing."),
        ([0.001], [0.001], [100.0], [stay], "that price is too high for 0.001."),
    ):
        for gain, p, cost in product(gains, ps, costs):
            found = verdict_of(answer, gain, p, cost, cost)
            if found not in allowed:
                raise Wrong(f"{call_of(gain, p, cost, cost)} returns {found!r}: {says}")
    gains = (0.001, 0.003, *(hundredths / 100 for hundredths in range(1, 101, 3)))
    factors = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0, 15.0, 30.0, 60.0, 100.0)
    for factor, other in product(factors, (1.0, 2.0, 6.0, 30.0)):
        rising = [(gain, 0.01, factor, other) for gain in gains]
        judge_one_turn(answer, rising, "stay", "a larger gain cannot be worth less.")
    for gain, other in product(gains, (1.0, 2.0, 6.0)):
        for dearer in ([(f, other) for f in factors], [(other, f) for f in factors]):
            rising = [(gain, 0.01, *price) for price in dearer]
            judge_one_turn(answer, rising, "switch", "a higher price cannot make it worth more.")


def judge_one_turn(answer, rising, first, says):
    """Raise `Wrong` when the rule says `first` again after it has said the other."""
    said = [verdict_of(answer, *four) for four in rising]
    turned = next((i for i, found in enumerate(said) if found != first), len(said))
    if first in said[turned:]:
        places = (turned, said.index(first, turned))
        both = [f"{call_of(*rising[i])} returns {said[i]!r}" for i in places]
        raise Wrong(f"{', and '.join(both)}: {says}")


def own_figures(similarities):
    """Return what follows from the learner's similarities: queries, MRR of each model, gain, p, and
    p of the test on the ranks themselves."""
    if not isinstance(similarities, Mapping) or not set(MODELS) <= similarities.keys():
        raise Wrong("`similarities` has no matrix for 'MiniLM' and 'mpnet'. Run its cell again.")
    matrices = [array(similarities[name], f"`similarities[{name!r}]`") for name in MODELS]
    n = len(matrices[0])
    if any(matrix.shape != (n, n) for matrix in matrices):
        raise Wrong("`similarities` should hold two square matrices, a row for each query.")
    if n < 20:
        raise Wrong(f"there are {n} pairs; the project asks for 20 or more.")
    minilm, mpnet = (Ranks.spec.reference(matrix) for matrix in matrices)
    p, of_ranks = (
        drawn(d) if np.count_nonzero(d) > 20 else share(d)  # too many to go through all signs
        for d in (1 / mpnet - 1 / minilm, mpnet - minilm)
    )
    mrr = {"MiniLM": (1 / minilm).mean(), "mpnet": (1 / mpnet).mean()}
    return n, mrr, mrr["mpnet"] - mrr["MiniLM"], p, of_ranks


def judge_figures(given, n, mrr, gain, p, of_ranks):
    """Raise `Wrong` where a figure of the conclusion does not follow from the similarities."""
    if number(given["queries"], "'queries'") != n:
        raise Wrong(f"'queries' is {describe(given['queries'])}; your similarities have {n} rows.")
    own = mapping(given["MRR"], "'MRR'")
    if not set(MODELS) <= own.keys():
        raise Wrong(f"'MRR' wants a figure for 'MiniLM' and 'mpnet'; it has {describe([*own])}.")
    found = {name: number(own[name], f"the MRR of {name}") for name in MODELS}
    swapped = np.allclose([found[name] for name in MODELS[::-1]], [*mrr.values()], atol=0.0051)
    if swapped and abs(gain) > 0.0102:
        raise Wrong("the MRR of MiniLM and of mpnet are exchanged.")
    for what, value, right in (
        *((f"an MRR for {name} of", found[name], mrr[name]) for name in MODELS),
        ("p =", number(given["p"], "'p'"), p),
    ):
        if abs(value - right) > 0.0051:
            meant = {
                100 * right: " That is in per cent.",
                1 - right: " That is 1 minus it.",
                right / 2: " That is half of it: both sides count.",
                of_ranks: " That is the test on the ranks; test 1 / rank, query by query.",
            }
            hint = next((says for v, says in meant.items() if abs(value - v) <= 0.0051), "")
            where = "the reciprocal ranks of your similarities"
            raise Wrong(f"you give {what} {value:.3f}; from {where} follows {right:.3f}.{hint}")


def judge_verdict(answer, given, gain, p):
    """Raise `Wrong` where the price is no ratio, or the verdict is not what the rule says."""
    price = [number(given[key], f"{key!r}") for key in ("times slower", "times larger")]
    for key, value in zip(("times slower", "times larger"), price, strict=True):
        if not 0.5 <= value <= 80:
            raise Wrong(f"{key!r} is {value:.3g}. It is mpnet's figure divided by MiniLM's.")
    own = number(given["MRR"]["mpnet"]) - number(given["MRR"]["MiniLM"])
    by_rule = {verdict_of(answer, g, q, *price) for g, q in ((gain, p), (own, number(given["p"])))}
    if given["verdict"] not in by_rule:
        says = f"{by_rule.pop()!r} for a gain of {gain:+.3f} with p = {p:.3f}"
        raise Wrong(f"your verdict is {describe(given['verdict'])}, but your own rule says {says}.")


def judge_words(words):
    """Raise `Wrong` unless there are enough of them."""
    written = words.lower().split() if isinstance(words, str) else []
    if len(written) < LEAST_WORDS or len(set(written)) < LEAST_WORDS // 2:
        counted = f"has {len(written)} words, {len(set(written))} different ones"
        raise Wrong(
            f"'in my words' {counted}. Write {LEAST_WORDS} or more: what came out, how sure?"
        )
