"""Answers to project 2, two models on twenty questions."""

import itertools

import numpy as np
from scipy.stats import rankdata

from . import Proof

# P2.1


def with_rankdata(similarities):
    return np.diag(rankdata(-similarities, method="max", axis=1))


def by_loop(similarities):
    result = np.zeros(len(similarities), dtype=int)
    for i, row in enumerate(similarities):
        result[i] = 1 + sum(score >= row[i] for j, score in enumerate(row) if j != i)
    return result


def a_list(similarities):
    return by_loop(similarities).tolist()


def all_ranks(similarities):
    return rankdata(-similarities, method="max", axis=1)


# P2.2


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


def three_numbers(ranks):
    return tuple(counted(ranks).values())


# P2.3


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


def only_p(first, second):
    return by_product(first, second)[1]


def a_verdict(first, second):
    difference, p = by_product(first, second)
    return difference, p < 0.05


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


RNG = np.random.default_rng(240)
SMALL = RNG.uniform(0, 0.6, size=(24, 24)) + 0.35 * np.eye(24)
LARGE = SMALL + RNG.normal(0, 0.05, size=(24, 24)) + 0.02 * np.eye(24)
SIMILARITIES = {"MiniLM": SMALL, "mpnet": LARGE}
RANKS = {name: by_loop(matrix) for name, matrix in SIMILARITIES.items()}
MRR = {name: float((1 / ranks).mean()) for name, ranks in RANKS.items()}
GAIN, P = by_bits(1 / RANKS["mpnet"], 1 / RANKS["MiniLM"])
CONCLUSION = {
    "queries": 24,
    "MRR": MRR,
    "p": P,
    "times slower": 5.8,
    "times larger": 4.8,
    "verdict": rule(GAIN, P, 5.8, 4.8),
    "in my words": "On twenty-four questions of our own handbook mpnet ranks a little better, but so few "
    "of them differ that this may be chance. I would ask a hundred more before we pay for it.",
}


def with_rule(function):
    return function, SIMILARITIES, CONCLUSION


def concluding(**changed):
    changed = {name.replace("_", " "): value for name, value in changed.items()}
    return rule, SIMILARITIES, CONCLUSION | changed


def ruled(established):
    """Return a rule that says `established(gain, slower, larger)` where p is small."""
    return lambda gain, p, slower, larger: (
        "not established" if p >= 0.05 else established(gain, slower, larger)
    )


def turns_back(gain, slower, larger):
    return "switch" if 0.005 < gain < 0.6 and slower < 50 else "stay"


def likes_it_slow(gain, slower, larger):
    return "switch" if gain > 0.4 or (gain > 0.005 and slower > 4) else "stay"


def ignores_p(gain, p, times_slower, times_larger):
    return "switch" if gain > 0.01 * times_slower else "stay"


def at_the_edge(gain, p, times_slower, times_larger):
    return "not established" if p > 0.05 else rule(gain, 0, times_slower, times_larger)


seconds = {"MiniLM": 1.0, "mpnet": 5.8}


def reads_the_notebook(gain, p, times_slower, times_larger):
    return rule(gain, p, times_slower * seconds["MiniLM"], times_larger)


PROOFS = {
    "P2.1": Proof(
        right=(with_rankdata, by_loop),
        wrong=((a_list, "is a list"), (all_ranks, "has shape (2, 2)")),
    ),
    "P2.2": Proof(
        right=(counted, with_more),
        wrong=(
            (three_numbers, "asks for a dictionary"),
            (lambda ranks: {"first": 1.0, "MRR": 1.0}, "has no 'first three'"),
        ),
    ),
    "P2.3": Proof(
        right=(by_product, by_bits),
        wrong=((only_p, "2 results"), (a_verdict, "the task asks for a number")),
    ),
    "P2.4": Proof(
        right=(
            with_rule(rule),
            (by_scores, SIMILARITIES, CONCLUSION | {"verdict": by_scores(GAIN, P, 5.8, 4.8)}),
            concluding(p=round(P, 2), MRR={name: round(value, 2) for name, value in MRR.items()}),
        ),
        wrong=(
            (with_rule(reads_the_notebook), "your rule reads `seconds`"),
            (with_rule(ignores_p), "p is 0.05 or more"),
            (with_rule(at_the_edge), "`worth_it(-0.3, 0.05, 2, 2)` returns 'stay'"),
            (with_rule(ruled(lambda *_: "stay")), "that gain costs nothing"),
            (with_rule(ruled(lambda g, *_: "switch" if g > 0 else "stay")), "price is too high"),
            (with_rule(ruled(lambda g, *_: "switch" if abs(g) > 0.01 else "stay")), "0 or less"),
            (with_rule(ruled(turns_back)), "a larger gain cannot be worth less"),
            (with_rule(ruled(likes_it_slow)), "a higher price cannot make it worth more"),
            (with_rule(lambda *four: four[1] < 0.05), "one of the texts"),
            (concluding(p=P / 2), "both sides count"),
            (concluding(p=100 * P), "in per cent"),
            (concluding(p=by_bits(*map(RANKS.get, MRR))[1]), "the test on the ranks"),
            (concluding(MRR=dict(zip(MRR, reversed(MRR.values()), strict=True))), "are exchanged"),
            (concluding(MRR={"all-mpnet-base-v2": 0.9}), "wants a figure for 'MiniLM'"),
            (concluding(queries=20), "have 24 rows"),
            (concluding(times_slower=1108), "mpnet's figure divided by MiniLM's"),
            (concluding(verdict="switch"), "your own rule says"),
            (concluding(in_my_words="mpnet wins."), "has 2 words"),
            (concluding(in_my_words="blah " * 30), "1 different ones"),
            (concluding(in_my_words=None), "does not have 'in my words' yet"),
            ((rule, {k: m[:8, :8] for k, m in SIMILARITIES.items()}, CONCLUSION), "20 or more"),
            ((rule, SIMILARITIES, "mpnet"), "asks for a dictionary."),
        ),
    ),
}
