"""Answers to practice 07, model evaluation."""

import math
import random

import numpy as np
from scipy.stats import rankdata
from sklearn.metrics import roc_auc_score

from . import Proof

# 7.1


def with_next(rankings, relevant):
    values = []
    for query in relevant:
        found = enumerate(rankings.get(query) or (), 1)
        values.append(next((1 / rank for rank, d in found if d in relevant[query]), 0))
    return np.mean(values)


def by_index(rankings, relevant):
    total = 0.0
    for query, right in relevant.items():
        if query not in rankings:
            continue
        places = [rankings[query].index(d) for d in right if d in rankings[query]]
        if places:
            total += 1 / (min(places) + 1)
    return total / len(relevant)


def key_error(rankings, relevant):
    values = []
    for query, right in relevant.items():
        ranks = [rank for rank, d in enumerate(rankings[query], start=1) if d in right]
        values.append(1 / ranks[0] if ranks else 0)
    return np.mean(values)


def fills_the_gaps(rankings, relevant):
    for query in relevant:
        rankings.setdefault(query, [])
    return by_index(rankings, relevant)


# 7.2


def numpy_ndcg(ranking, grades, k):
    weights = 1 / np.log2(np.arange(2, k + 2))
    gains = np.array([grades.get(d, 0) for d in ranking[:k]], dtype=float)
    best = np.sort(np.array(list(grades.values()), dtype=float))[::-1][:k]
    ideal = (best * weights[: len(best)]).sum()
    return (gains * weights[: len(gains)]).sum() / ideal if ideal > 0 else 0


def natural_logarithms(ranking, grades, k):
    top = sorted(grades, key=grades.get, reverse=True)
    sums = []
    for order in (ranking, top):
        total = 0
        for place in range(min(k, len(order))):
            total += grades.get(order[place], 0) / math.log(place + 2)
        sums.append(total)
    return 0 if sums[1] == 0 else sums[0] / sums[1]


def k_indices(ranking, grades, k):
    best = sorted(grades.values(), reverse=True)
    found = sum(grades.get(ranking[i], 0) / math.log2(i + 2) for i in range(k))
    return found / sum(g / math.log2(i + 2) for i, g in enumerate(best[:k]))


def ndcg_as_found(ranking, grades, k):
    gains = [grades.get(document, 0) for document in ranking[:k]]
    best = sorted(gains, reverse=True)
    dcg = sum(gain / math.log2(1 + rank) for rank, gain in enumerate(gains, start=1))
    ideal = sum(gain / math.log2(1 + rank) for rank, gain in enumerate(best, start=1))
    return dcg / ideal


# 7.3


def by_loop(scores_by_model, same, choose):
    best, highest = None, -1
    for name, scores in scores_by_model.items():
        auc = roc_auc_score(same[choose], scores[choose])
        if auc > highest:
            best, highest = name, auc
    return best, roc_auc_score(same[~choose], scores_by_model[best][~choose])


def auc_by_ranks(scores, same):
    ranks = rankdata(scores)  # equal scores share the mean of their ranks
    n = same.sum()
    return (ranks[same].sum() - n * (n + 1) / 2) / (n * (len(same) - n))


def as_a_list(scores_by_model, same, choose):
    names = list(scores_by_model)
    aucs = [auc_by_ranks(scores_by_model[n][choose], same[choose]) for n in names]
    name = names[int(np.argmax(aucs))]
    rest = np.logical_not(choose)
    return [name, auc_by_ranks(scores_by_model[name][rest], same[rest])]


def row_by_row(scores_by_model, same, choose):
    def auc(scores, rows):
        alike = [scores[i] for i in rows if same[i]]
        others = [scores[i] for i in rows if not same[i]]
        return sum((a > b) + 0.5 * (a == b) for a in alike for b in others) / (
            len(alike) * len(others)
        )

    here = [i for i, c in enumerate(choose) if c]
    there = [i for i, c in enumerate(choose) if not c]
    ordered = sorted((auc(s, here), name) for name, s in scores_by_model.items())
    return np.str_(ordered[-1][1]), auc(scores_by_model[ordered[-1][1]], there)


def only_the_name(scores_by_model, same, choose):
    return by_loop(scores_by_model, same, choose)[0]


def name_and_auc_swapped(scores_by_model, same, choose):
    return by_loop(scores_by_model, same, choose)[::-1]


# 7.4

CLAIMS = dict(zip("abcdefgh", (False, False, True, True, True, False, True, False), strict=True))

# 7.5


def verdict_of(low, high):
    if low > 0:
        return "first"
    if high < 0:
        return "second"
    return "not established"


def with_choice(first, second, resamples, seed):
    rng = np.random.default_rng(seed)
    queries = sorted(first)
    a, b = (np.array([system[q] for q in queries]) for system in (first, second))
    means = []
    for _ in range(resamples):
        rows = rng.choice(len(queries), size=len(queries), replace=True)
        means.append(a[rows].mean() - b[rows].mean())
    low, high = np.quantile(means, [0.025, 0.975])
    return [a.mean() - b.mean(), low, high, verdict_of(low, high)]


def pure_python(first, second, resamples, seed):
    generator = random.Random(seed)
    differences = [first[q] - second[q] for q in second]
    n = len(differences)
    means = sorted(sum(generator.choices(differences, k=n)) / n for _ in range(resamples))
    low = means[int(0.025 * (resamples - 1))]
    high = means[math.ceil(0.975 * (resamples - 1))]
    return sum(differences) / n, low, high, verdict_of(low, high)


def old_generator(first, second, resamples, seed, confidence=0.95):
    rng = np.random.RandomState(seed)
    d = np.array([first[q] - second[q] for q in first], dtype=np.float32)
    counts = rng.multinomial(len(d), np.full(len(d), 1 / len(d)), size=resamples)
    means = counts @ d / len(d)
    low, high = np.percentile(means, [50 - 50 * confidence, 50 + 50 * confidence])
    return d.mean(), low, high, np.str_(verdict_of(low, high))


def _bootstrap(differences, resamples, seed, ends=(2.5, 97.5)):
    rng = np.random.default_rng(seed)
    n = len(differences)
    means = differences[rng.integers(n, size=(resamples, n))].mean(axis=1)
    low, high = np.percentile(means, ends)
    return differences.mean(), low, high, verdict_of(low, high)


def _matched(first, second):
    return np.array([first[q] - second[q] for q in first])


def no_seed(first, second, resamples, seed):
    return _bootstrap(_matched(first, second), resamples, None)


def seed_of_its_own(first, second, resamples, seed):
    return _bootstrap(_matched(first, second), resamples, 42)


def dictionaries_subtracted(first, second, resamples, seed):
    return _bootstrap(first - second, resamples, seed)


def three_things(first, second, resamples, seed):
    difference, low, high, verdict = _bootstrap(_matched(first, second), resamples, seed)
    return difference, (low, high), verdict


def other_words(first, second, resamples, seed):
    difference, low, high, verdict = _bootstrap(_matched(first, second), resamples, seed)
    return difference, low, high, verdict != "not established"


PROOFS = {
    "7.1": Proof(
        right=(with_next, by_index),
        wrong=(
            (key_error, "it raises KeyError: 'r'"),
            (fills_the_gaps, "changes `rankings` in place"),
        ),
    ),
    "7.2": Proof(
        right=(numpy_ndcg, natural_logarithms),
        wrong=(
            (k_indices, "it raises IndexError"),
            (ndcg_as_found, "this is still the ruler as found"),
        ),
    ),
    "7.3": Proof(
        right=(by_loop, as_a_list, row_by_row),
        wrong=((only_the_name, "asks for 2 results"), (name_and_auc_swapped, "in the wrong order")),
    ),
    "7.4": Proof(
        right=(CLAIMS, {k: np.bool_(v) for k, v in reversed(CLAIMS.items())}),
        wrong=(
            (CLAIMS | {"c": False}, "c is True. In a test A had"),
            (CLAIMS | {"c": None}, "not decided yet: c"),
            (CLAIMS | {"i": True}, "there is no claim i"),
        ),
    ),
    "7.5": Proof(
        right=(with_choice, pure_python, old_generator),
        wrong=(
            (no_seed, "draw random numbers without a seed"),
            (seed_of_its_own, "with five seeds"),
            (dictionaries_subtracted, "unsupported operand"),
            (three_things, "Return difference, low, high, verdict"),
            (other_words, "your verdict is True"),
        ),
    ),
}
