"""Answers to project 2, two models on twenty questions."""

import itertools
import math

import numpy as np
from scipy.stats import permutation_test, rankdata, ttest_rel

from . import Proof

# P2.1 Right


def with_rankdata(similarities):
    return np.diag(rankdata(-similarities, method="max", axis=1))


def by_loop(similarities):
    result = np.zeros(len(similarities), dtype=int)
    for i, row in enumerate(similarities):
        result[i] = 1 + sum(score >= row[i] for j, score in enumerate(row) if j != i)
    return result


def sorted_right_last(similarities):
    found = []
    for i, row in enumerate(similarities):
        order = sorted(range(len(row)), key=lambda j: (-row[j], j == i))
        found.append(order.index(i) + 1)
    return np.array(found)


def by_searching(similarities):
    rows = np.sort(similarities, axis=1)
    n = len(rows)
    return np.array(
        [n - np.searchsorted(r, s) for r, s in zip(rows, np.diag(similarities), strict=True)]
    )


# P2.1 Wrong


def ties_in_favour(similarities):
    return (similarities > np.diag(similarities)[:, None]).sum(axis=1) + 1


def by_argsort(similarities):
    order = np.argsort(-similarities, axis=1, kind="stable")
    return np.array([np.flatnonzero(row == i)[0] + 1 for i, row in enumerate(order)])


def mean_of_ties(similarities):
    return np.diag(rankdata(-similarities, axis=1))


def columns(similarities):
    return (similarities >= np.diag(similarities)).sum(axis=0)


def from_zero(similarities):
    return by_loop(similarities) - 1


def itself_twice(similarities):
    return (similarities >= np.diag(similarities)[:, None]).sum(axis=1) + 1


def ascending(similarities):
    return np.array([list(np.argsort(row)).index(i) + 1 for i, row in enumerate(similarities)])


def documents_found(similarities):
    return np.argmax(similarities, axis=1) + 1


def argsort_for_ranks(similarities):
    return np.diag(np.argsort(-similarities, axis=1)) + 1


def no_column(similarities):
    return (similarities >= np.diag(similarities)).sum(axis=1)


def reciprocal(similarities):
    return 1 / by_loop(similarities)


def a_list(similarities):
    return by_loop(similarities).tolist()


def all_ranks(similarities):
    return rankdata(-similarities, method="max", axis=1)


# P2.2 Right


def counted(ranks):
    n = len(ranks)
    return {
        "MRR": sum(1 / r for r in ranks) / n,
        "first": sum(1 for r in ranks if r == 1) / n,
        "first three": sum(1 for r in ranks if r in (1, 2, 3)) / n,
    }


def with_more(ranks):
    ranks = np.asarray(ranks, dtype=np.float32)
    return {f"first {k}": np.mean(ranks <= k) for k in (1, 3)} | {
        "first": np.count_nonzero(ranks < 2) / ranks.size,
        "first three": 1 - np.mean(ranks > 3),
        "MRR": np.reciprocal(ranks).mean(),
    }


# P2.2 Wrong


def _figures(ranks, **changed):
    return counted(ranks) | {name.replace("_", " "): value for name, value in changed.items()}


def counts(ranks):
    return _figures(ranks, first=(ranks == 1).sum(), first_three=(ranks <= 3).sum())


def twenty_always(ranks):
    return {name: value * len(ranks) / 20 for name, value in counted(ranks).items()}


def without_three(ranks):
    return _figures(ranks, first_three=(ranks < 3).mean())


def with_four(ranks):
    return _figures(ranks, first_three=(ranks < 5).mean())


def only_three(ranks):
    return _figures(ranks, first_three=(ranks == 3).mean())


def zero_based(ranks):
    return _figures(ranks, first=(ranks == 0).mean(), first_three=(ranks < 3).mean())


def inverse_mean(ranks):
    return _figures(ranks, MRR=1 / ranks.mean())


def mean_rank(ranks):
    return _figures(ranks, MRR=ranks.mean())


def whole_division(ranks):
    return _figures(ranks, MRR=(1 // ranks).mean())


def only_found(ranks):
    found = ranks[ranks <= 3]
    return _figures(ranks, MRR=(1 / found).mean() if len(found) else 0)


def cut_at_three(ranks):
    return _figures(ranks, MRR=np.where(ranks <= 3, 1 / ranks, 0).mean())


def per_cent(ranks):
    return {name: 100 * value for name, value in counted(ranks).items()}


def rounded(ranks):
    return {name: round(value, 2) for name, value in counted(ranks).items()}


def other_names(ranks):
    return {"first": 0.5, "first_three": 0.5, "mrr": 0.5}


def three_numbers(ranks):
    return tuple(counted(ranks).values())


# P2.3 Right


def by_product(first, second):
    d = [a - b for a, b in zip(first, second, strict=True) if a != b]
    observed = abs(sum(d)) - 1e-9
    ways = [
        abs(sum(s * x for s, x in zip(signs, d, strict=True)))
        for signs in itertools.product([1, -1], repeat=len(d))
    ]
    return np.mean(first) - np.mean(second), sum(way >= observed for way in ways) / len(ways)


def by_bits(first, second):
    d = np.asarray(first - second)
    n = len(d)
    hits = 0
    for start in range(0, 2**n, 2**14):
        numbers = np.arange(start, min(start + 2**14, 2**n))[:, None]
        signs = 1 - 2 * ((numbers >> np.arange(n)) & 1)
        hits += np.count_nonzero(np.abs((signs * d).mean(axis=1)) >= abs(d.mean()) - 1e-9)
    return [d.mean(), hits / 2**n]


def by_distribution(first, second):
    ways = {0.0: 1}
    for d in first - second:
        new = {}
        for total, number in ways.items():
            for value in (total + d, total - d):
                key = round(value, 9)
                new[key] = new.get(key, 0) + number
        ways = new
    difference = float((first - second).mean())
    observed = abs(difference) * len(first)
    extreme = sum(number for total, number in ways.items() if abs(total) >= observed - 1e-6)
    return difference, extreme / 2 ** len(first)


def one_half_doubled(first, second):
    d = (first - second)[first != second]
    if not len(d):
        return 0.0, 1.0
    half = np.array([np.dot((1, *s), d) for s in itertools.product([1, -1], repeat=len(d) - 1)])
    return np.mean(first - second), np.mean(np.abs(half) >= abs(d.sum()) - 1e-9)


# P2.3 Wrong


def _all_sums(d):
    return np.array([np.dot(signs, d) for signs in itertools.product([1, -1], repeat=len(d))])


def one_side(first, second):
    d = first - second
    return d.mean(), np.mean(_all_sums(d) >= d.sum() - 1e-9)


def strictly(first, second):
    d = first - second
    return d.mean(), np.mean(np.abs(_all_sums(d)) > abs(d.sum()) + 1e-9)


def complement(first, second):
    difference, p = by_product(first, second)
    return difference, 1 - p


def turned_round(first, second):
    return by_product(second, first)


def swapped(first, second):
    return by_product(first, second)[::-1]


def sign_test(first, second):
    d = first - second
    wins, losses = (d > 0).sum(), (d < 0).sum()
    n = int(wins + losses)
    p = 2 * sum(math.comb(n, i) for i in range(min(wins, losses) + 1)) / 2**n
    return d.mean(), min(1.0, p)


def unpaired(first, second):
    found = permutation_test(
        (first, second),
        lambda a, b: np.mean(a) - np.mean(b),
        permutation_type="independent",
        n_resamples=5000,
        rng=1,
    )
    return first.mean() - second.mean(), found.pvalue


def at_random(first, second):
    d = first - second
    signs = np.random.default_rng(0).choice([1, -1], size=(3000, len(d)))
    return d.mean(), np.mean(np.abs(signs @ d) >= abs(d.sum()) - 1e-9)


def number_of_ways(first, second):
    difference, p = by_product(first, second)
    return difference, p * 2 ** np.count_nonzero(first != second)


def only_p(first, second):
    return by_product(first, second)[1]


def equal_left_out(first, second):
    d = (first - second)[first != second]
    return (d.mean() if len(d) else 0.0), by_product(first, second)[1]


def wrong_denominator(first, second):
    d = (first - second)[first != second]
    ways = np.abs(_all_sums(d)) >= abs(d.sum()) - 1e-9
    return np.mean(first - second), ways.sum() / 2 ** len(first)


def a_verdict(first, second):
    difference, p = by_product(first, second)
    return difference, p < 0.05


def without_itself(first, second):
    difference, p = by_product(first, second)
    n = 2 ** np.count_nonzero(first != second)
    return difference, (p * n - 1) / n


# P2.4


def rule(gain, p, times_slower, times_larger):
    if p >= 0.05:
        return "not established"
    if gain <= 0:
        return "stay"
    return "switch" if gain >= 0.01 * times_slower else "stay"


def by_scores(gain, p, times_slower, times_larger, weight=0.3):
    if not p < 0.05:
        return "not established"
    points = gain * 100 - max(1, times_slower) ** weight * max(1, times_larger) ** weight
    return np.str_("switch" if points > 0 and gain > 0 else "stay")


def fixed_thresholds(gain, p, slower, larger):
    established = p < 0.05
    cheap = slower <= 20 and larger <= 20
    return ("switch" if gain > 0.05 and cheap else "stay") if established else "not established"


def _matrices(n=24):
    rng = np.random.default_rng(240)
    small = rng.uniform(0, 0.6, size=(n, n)) + 0.35 * np.eye(n)
    large = small + rng.normal(0, 0.05, size=(n, n)) + 0.02 * np.eye(n)
    return {"MiniLM": small, "mpnet": large}


SIMILARITIES = _matrices()
WORDS = (
    "On twenty-four questions of our own handbook mpnet ranks a little better, but so few of them differ that this "
    "may be chance. I would ask a hundred more before we pay for it."
)


def conclusion_of(similarities, verdict_by=rule, **changed):
    values = {name: 1 / by_loop(matrix) for name, matrix in similarities.items()}
    difference, p = by_distribution(values["mpnet"], values["MiniLM"])
    found = {
        "queries": len(values["mpnet"]),
        "MRR": {name: float(v.mean()) for name, v in values.items()},
        "p": p,
        "times slower": 5.8,
        "times larger": 4.8,
        "verdict": str(verdict_by(difference, p, 5.8, 4.8)),
        "in my words": WORDS,
    }
    return found | {name.replace("_", " "): value for name, value in changed.items()}


CONCLUSION = conclusion_of(SIMILARITIES)
EXCHANGED = {"MiniLM": CONCLUSION["MRR"]["mpnet"], "mpnet": CONCLUSION["MRR"]["MiniLM"]}


def with_rule(function):
    return function, SIMILARITIES, CONCLUSION


def with_conclusion(**changed):
    return rule, SIMILARITIES, conclusion_of(SIMILARITIES, **changed)


def ignores_p(gain, p, times_slower, times_larger):
    return "switch" if gain > 0.01 * times_slower else "stay"


def one_in_a_hundred(gain, p, times_slower, times_larger):
    return "not established" if p >= 0.01 else rule(gain, p, times_slower, times_larger)


def at_the_edge(gain, p, times_slower, times_larger):
    return "not established" if p > 0.05 else rule(gain, 0, times_slower, times_larger)


def absolute(gain, p, times_slower, times_larger):
    return rule(abs(gain), p, times_slower, times_larger)


def never(gain, p, times_slower, times_larger):
    return "not established" if p >= 0.05 else "stay"


def always(gain, p, times_slower, times_larger):
    return "not established" if p >= 0.05 else "switch" if gain > 0 else "stay"


def gain_upside_down(gain, p, times_slower, times_larger):
    if p >= 0.05:
        return "not established"
    return "switch" if 0.005 < gain < 0.6 and times_slower < 50 else "stay"


def price_upside_down(gain, p, times_slower, times_larger):
    if p >= 0.05:
        return "not established"
    return "switch" if gain > 0.4 or (gain > 0.005 and times_slower > 4) else "stay"


def yes_or_no(gain, p, times_slower, times_larger):
    return p < 0.05 and gain > 0.05


def no_return(gain, p, times_slower, times_larger):
    if p >= 0.05:
        return "not established"
    if gain > 0.1:
        return "switch"


def one_side_of_abs(first, second):
    d = first - second
    return d.mean(), np.mean(_all_sums(d) >= abs(d.sum()))


def nearer(first, second):
    d = first - second
    return d.mean(), np.mean(np.abs(_all_sums(d)) <= abs(d.sum()))


def unsigned(first, second):
    return by_product(np.abs(first - second), np.zeros(len(first)))


def summed(ranks):
    return _figures(ranks, MRR=(1 / ranks).sum())


def different_scores(similarities):
    return np.array([len(set(row[row > row[i]])) + 1 for i, row in enumerate(similarities)])


def scores_rounded(similarities):
    similarities = similarities.round(2)
    return (similarities >= np.diag(similarities)[:, None]).sum(axis=1)


def is_first(similarities):
    return np.argmax(similarities, axis=1) == np.arange(len(similarities))


def shares_in_per_cent(ranks):
    return {
        "first": 100 * np.mean(ranks == 1),
        "first three": 100 * np.mean(ranks <= 3),
        "MRR": np.mean(1 / ranks),
    }


def only_ten(ranks):
    return _figures(ranks, MRR=np.where(ranks <= 10, 1 / ranks, 0).mean())


def mrr_rounded(ranks):
    return _figures(ranks, MRR=round((1 / ranks).mean(), 3))


def without_tolerance(first, second):
    d = first - second
    return d.mean(), np.mean([abs(np.dot(s, d)) >= abs(d.sum()) for s in _signs(len(d))])


def _signs(n):
    return itertools.product([1, -1], repeat=n)


def by_t_test(first, second):
    return (first - second).mean(), ttest_rel(first, second).pvalue


def one_side_doubled(first, second):
    d = first - second
    return d.mean(), 2 * np.mean(_all_sums(d) >= d.sum() - 1e-9)


def doubled_again(first, second):
    difference, p = by_product(first, second)
    return difference, min(1, 2 * p)


def nothing_remains(first, second):
    d = first - second
    kept = d[d != 0]
    extreme = sum(abs(np.dot(s, kept)) >= abs(d.sum()) - 1e-9 for s in _signs(len(kept)))
    return d.mean(), extreme / 2 ** len(kept) if len(kept) else 0.0


def root_of_the_price(gain, p, times_slower, times_larger):
    if p >= 0.05:
        return "not established"
    price = 0.02 * math.sqrt(times_slower - 1) + 0.01 * math.sqrt(times_larger - 1)
    return "switch" if gain > price else "stay"


def last_document_forgotten(similarities):
    n = len(similarities)
    return np.array(
        [
            1 + sum(row[j] >= row[i] for j in range(n - 1) if j != i)
            for i, row in enumerate(similarities)
        ]
    )


def a_column(similarities):
    return by_searching(similarities)[:, None]


def first_is_a_count(ranks):
    return _figures(ranks, first=(ranks == 1).sum())


def one_query_fewer(ranks):
    return _figures(ranks, MRR=(1 / ranks).sum() / (len(ranks) - 1))


def full_mean_of_the_rest(first, second):
    d = first - second
    kept = d[d != 0]
    means = _all_sums(kept) / max(1, len(kept))
    return d.mean(), np.mean(np.abs(means) >= abs(d.mean()) - 1e-9)


def as_if_at_random(first, second):
    difference, p = by_product(first, second)
    return difference, (p * 2 ** len(first) + 1) / (2 ** len(first) + 1)


def from_the_second_way_on(first, second):
    d = first - second
    signs = itertools.islice(itertools.product([1, -1], repeat=len(d)), 1, None)
    hits = [abs(np.dot(s, d)) >= abs(d.sum()) - 1e-9 for s in signs]
    return d.mean(), sum(hits) / len(hits)


def share_in_per_cent(first, second):
    difference, p = by_product(first, second)
    return difference, 100 * p


def zero_for_zero(first, second):
    difference, p = by_product(first, second)
    return difference, p if difference else 0.0


def too_tolerant(first, second):
    d = first - second
    return d.mean(), np.mean(np.abs(_all_sums(d)) / len(d) >= abs(d.mean()) - 0.01)


def halved(first, second):
    difference, p = by_product(first, second)
    return difference, p / 2


def switches_for_nothing(gain, p, times_slower, times_larger):
    if p >= 0.05:
        return "not established"
    return "switch" if gain >= 0.01 * (times_slower * times_larger - 1) else "stay"


def with_a_band(gain, p, times_slower, times_larger):
    verdict = rule(gain, p, times_slower, times_larger)
    return "stay" if verdict == "switch" and 0.3 < gain < 0.35 else verdict


def larger_is_dearer_to_leave(gain, p, times_slower, times_larger):
    if p >= 0.05:
        return "not established"
    return "switch" if gain > max(0.05, 0.02 * times_slower / times_larger**0.1) else "stay"


seconds = {"MiniLM": 0.03, "mpnet": 0.4}


def reads_the_notebook(gain, p, times_slower, times_larger):
    return rule(gain, p, max(seconds["mpnet"] / seconds["MiniLM"], times_slower), times_larger)


PROOFS = {
    "P2.1": Proof(
        right=(with_rankdata, by_loop, sorted_right_last, by_searching),
        wrong=(
            (ties_in_favour, "ties count against the model"),
            (by_argsort, "your sorting decides by the place"),
            (mean_of_ties, "share the mean of their ranks"),
            (columns, "you rank the queries for each document"),
            (from_zero, "You count from 0"),
            (itself_twice, "Your ranks are one too large"),
            (ascending, "small similarities first"),
            (documents_found, "the documents found first"),
            (argsort_for_ranks, "which document stands at each place"),
            (no_column, "lies in a row in your comparison"),
            (reciprocal, "you return 1 / rank"),
            (a_list, "is a list"),
            (all_ranks, "for each query and each document"),
            (different_scores, "You count scores, not documents"),
            (scores_rounded, "you round the scores"),
            (is_first, "whether the right document stands first"),
            (last_document_forgotten, "The last document is never looked at"),
            (a_column, "every rank in a row of its own"),
        ),
    ),
    "P2.2": Proof(
        right=(counted, with_more),
        wrong=(
            (counts, "You count queries"),
            (twenty_always, "You divide by 20"),
            (without_three, "Rank 3 belongs to the first three"),
            (with_four, "You count rank 4"),
            (only_three, "means rank 1, 2 or 3"),
            (zero_based, "as counted from 0"),
            (inverse_mean, "1 / the mean rank"),
            (mean_rank, "That is the mean rank"),
            (whole_division, "divides whole numbers"),
            (only_found, "over the queries found in the first three only"),
            (cut_at_three, "drops what stands below rank 3"),
            (per_cent, "You return per cent"),
            (rounded, "what you return is rounded"),
            (other_names, "has no 'first three'"),
            (three_numbers, "asks for a dictionary"),
            (summed, "Your MRR is the sum"),
            (shares_in_per_cent, "asks for shares between 0 and 1"),
            (only_ten, "below rank 10"),
            (mrr_rounded, "your MRR is rounded"),
            (first_is_a_count, '"first" counts queries'),
            (one_query_fewer, "by n - 1; there are n queries"),
        ),
    ),
    "P2.3": Proof(
        right=(by_product, by_bits, by_distribution, one_half_doubled),
        wrong=(
            (one_side, "on one side only"),
            (strictly, "A mean *as far* from 0"),
            (complement, "That is 1 - p"),
            (turned_round, "The difference is `first` minus `second`"),
            (swapped, "First the difference, then p"),
            (sign_test, "the sign test"),
            (unpaired, "shuffle the values of all queries"),
            (at_random, "draw signs at random"),
            (number_of_ways, "divide by their number"),
            (only_p, "Return two"),
            (equal_left_out, "but not for the difference"),
            (wrong_denominator, "divide by 2 to the power of *all*"),
            (a_verdict, "not a verdict"),
            (one_side_of_abs, "not only of the observed one"),
            (nearer, "You count the means that are *nearer*"),
            (unsigned, "have lost their signs"),
            (without_itself, "You leave out the signs as observed"),
            (without_tolerance, "differ in the last digit"),
            (by_t_test, "p of a t-test"),
            (one_side_doubled, "p comes out above 1"),
            (doubled_again, "Do not double it"),
            (nothing_remains, "one way is left: no sign at all"),
            (full_mean_of_the_rest, "Compare sums, or divide both"),
            (as_if_at_random, "You add 1 above and below"),
            (from_the_second_way_on, "You leave out one of the ways"),
            (share_in_per_cent, "Your p is in per cent"),
            (zero_for_zero, "no reason for a p of 0"),
            (too_tolerant, "nearer to 0 than the one observed. For rounding"),
            (halved, "You halve p"),
        ),
    ),
    "P2.4": Proof(
        right=(
            with_rule(rule),
            with_rule(root_of_the_price),
            (by_scores, SIMILARITIES, conclusion_of(SIMILARITIES, by_scores)),
            (fixed_thresholds, _matrices(31), conclusion_of(_matrices(31), fixed_thresholds)),
            with_conclusion(
                p=round(CONCLUSION["p"], 2),
                MRR={name: round(value, 2) for name, value in CONCLUSION["MRR"].items()},
                note="more than was asked for",
            ),
        ),
        wrong=(
            (with_rule(reads_the_notebook), "your rule reads `seconds`"),
            (with_conclusion(p=CONCLUSION["p"] / 2), "both sides count"),
            (with_conclusion(p=100 * CONCLUSION["p"]), "p is a share, from 0 to 1"),
            (
                with_conclusion(
                    MRR={
                        "mpnet": 100 * CONCLUSION["MRR"]["mpnet"],
                        "MiniLM": 100 * CONCLUSION["MRR"]["MiniLM"],
                    }
                ),
                "That is in per cent",
            ),
            (
                with_conclusion(MRR={"all-MiniLM-L6-v2": 0.9, "all-mpnet-base-v2": 0.9}),
                "It has 'all-MiniLM-L6-v2'",
            ),
            (
                (
                    rule,
                    SIMILARITIES,
                    {key.replace(" ", "_"): value for key, value in CONCLUSION.items()},
                ),
                "letter by letter",
            ),
            (with_rule(ignores_p), "Not established comes first"),
            (with_rule(at_the_edge), "0.05 itself is not below"),
            (with_rule(one_in_a_hundred), "the difference is established"),
            (with_rule(absolute), "established to be worse"),
            (with_rule(never), "When would it ever say"),
            (with_rule(always), "What would be too expensive"),
            (with_rule(gain_upside_down), "A larger gain cannot be worth less"),
            (with_rule(price_upside_down), "A higher price cannot make it worth more"),
            (with_rule(yes_or_no), "one of the texts"),
            (with_rule(no_return), "returns None for"),
            (with_rule(switches_for_nothing), "A gain of 0 or less is none"),
            (with_rule(with_a_band), "'stay' for 0.31"),
            (with_rule(larger_is_dearer_to_leave), "at 6 times the time, your rule says"),
            (with_conclusion(times_slower=1108), "Are these mpnet's milliseconds"),
            (with_conclusion(times_larger=439), "Are these mpnet's megabytes"),
            (with_conclusion(queries=20), "have 24 rows"),
            (with_conclusion(MRR=EXCHANGED), "The two are exchanged"),
            (with_conclusion(MRR=0.9), "'MRR' is 0.9; the task asks for a dictionary"),
            (with_conclusion(p=0.001), "you give p = 0.001"),
            (with_conclusion(verdict="switch"), "but your own rule says"),
            (with_conclusion(verdict="better"), "your verdict is 'better'"),
            (with_conclusion(in_my_words="mpnet wins."), "has 2 words"),
            (with_conclusion(in_my_words="blah " * 30), "again and again"),
            (with_conclusion(in_my_words=None), "does not have 'in my words' yet"),
            (with_conclusion(times_slower=1 / 5.8), "faster than MiniLM"),
            (with_conclusion(times_larger=1 / 4.8), "smaller than MiniLM"),
            ((rule, _matrices(8), CONCLUSION), "asks for 20 or more"),
            ((rule, SIMILARITIES, WORDS), "asks for a dictionary."),
        ),
    ),
}
