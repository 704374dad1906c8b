"""Answers to practice 07, model evaluation."""

import math
import random

import numpy as np
from scipy.stats import rankdata
from sklearn.metrics import average_precision_score, ndcg_score, roc_auc_score

from . import Proof

# 7.1 Right


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


def with_arrays(rankings, relevant):
    values = np.zeros(len(relevant), dtype=np.float32)
    for i, (query, right) in enumerate(relevant.items()):
        hits = np.flatnonzero([d in right for d in rankings.get(query, [])])
        if hits.size:
            values[i] = 1 / (1 + hits[0])
    return values.mean()


def with_a_default(rankings, relevant, missing=0.0):
    def one(query):
        for place, document in enumerate(rankings[query]):
            if document in relevant[query]:
                return 1 / (place + 1)
        return missing

    return sum(one(q) if q in rankings else missing for q in relevant) / len(relevant)


# 7.1 Wrong


def rewards_silence(rankings, relevant):
    values = []
    for query, right in relevant.items():
        if query in rankings:
            values.append(
                next((1 / r for r, d in enumerate(rankings[query], 1) if d in right), 0.0)
            )
    return sum(values) / len(values)


def loops_over_rankings(rankings, relevant):
    total = 0
    for query, found in rankings.items():
        for rank, document in enumerate(found, start=1):
            if document in relevant.get(query, set()):
                total += 1 / rank
                break
    return total / len(rankings)


def only_found(rankings, relevant):
    values = []
    for query, right in relevant.items():
        for rank, document in enumerate(rankings.get(query, []), start=1):
            if document in right:
                values.append(1 / rank)
                break
    return np.mean(values)


def no_break(rankings, relevant):
    total = 0
    for query, right in relevant.items():
        for rank, document in enumerate(rankings.get(query, []), start=1):
            if document in right:
                total += 1 / rank
    return total / len(relevant)


def overwritten(rankings, relevant):
    total = 0
    for query, right in relevant.items():
        value = 0
        for rank, document in enumerate(rankings.get(query, []), start=1):
            if document in right:
                value = 1 / rank
        total += value
    return total / len(relevant)


def from_zero(rankings, relevant):
    total = 0
    for query, right in relevant.items():
        for rank, document in enumerate(rankings.get(query, [])):
            if document in right:
                total += 1 / rank
                break
    return total / len(relevant)


def one_too_many(rankings, relevant):
    total = 0
    for query, right in relevant.items():
        for rank, document in enumerate(rankings.get(query, []), start=1):
            if document in right:
                total += 1 / (rank + 1)
                break
    return total / len(relevant)


def key_error(rankings, relevant):
    values = []
    for query, right in relevant.items():
        ranks = [rank for rank, d in enumerate(rankings[query], start=1) if d in right]
        values.append(1 / ranks[0] if ranks else 0)
    return np.mean(values)


def mean_rank(rankings, relevant):
    ranks = []
    for query, right in relevant.items():
        for rank, document in enumerate(rankings.get(query, []), start=1):
            if document in right:
                ranks.append(rank)
                break
    return np.mean(ranks)


def inverse_mean_rank(rankings, relevant):
    return 1 / mean_rank(rankings, relevant)


def one_of_them(rankings, relevant):
    values = []
    for query, right in relevant.items():
        wanted = sorted(right)[0]
        found = list(rankings.get(query, []))
        values.append(1 / (found.index(wanted) + 1) if wanted in found else 0)
    return sum(values) / len(values)


def assigned(rankings, relevant):
    total = 0
    for query, right in relevant.items():
        for rank, document in enumerate(rankings.get(query, []), start=1):
            if document in right:
                total = 1 / rank
                break
    return total / len(relevant)


def fills_the_gaps(rankings, relevant):
    for query in relevant:
        rankings.setdefault(query, [])
    return by_index(rankings, relevant)


def the_sum(rankings, relevant):
    return by_index(rankings, relevant) * len(relevant)


def first_place(rankings, relevant):
    hits = [bool(rankings.get(q)) and rankings[q][0] in r for q, r in relevant.items()]
    return sum(hits) / len(hits)


def each_query(rankings, relevant):
    return [by_index({q: rankings.get(q, [])}, {q: r}) for q, r in relevant.items()]


def returns_inside(rankings, relevant):
    total = 0
    for query, right in relevant.items():
        for rank, document in enumerate(rankings.get(query, []), start=1):
            if document in right:
                total += 1 / rank
                return total / len(relevant)


def ten_only(rankings, relevant):
    return by_index({q: found[:10] for q, found in rankings.items()}, relevant)


def by_average_precision(rankings, relevant):
    values = []
    for query, right in relevant.items():
        hits, value = 0, 0
        for rank, document in enumerate(rankings.get(query, []), start=1):
            if document in right:
                hits += 1
                value += hits / rank
        values.append(value / len(right))
    return np.mean(values)


def whole_quotient(rankings, relevant):
    values = []
    for query, right in relevant.items():
        found = enumerate(rankings.get(query, []), start=1)
        values.append(next((1 // rank for rank, d in found if d in right), 0))
    return sum(values) / len(values)


def side_by_side(rankings, relevant):
    total = 0
    for found, right in zip(rankings.values(), relevant.values(), strict=False):
        for rank, document in enumerate(found, start=1):
            if document in right:
                total += 1 / rank
                break
    return total / len(relevant)


def answers_of_all(rankings, relevant):
    right = {document for documents in relevant.values() for document in documents}
    return by_index(rankings, dict.fromkeys(relevant, right))


def shared_out(rankings, relevant):
    return sum(
        1 / rank / len(right)
        for query, right in relevant.items()
        for rank, document in enumerate(rankings.get(query, []), start=1)
        if document in right
    ) / len(relevant)


def first_query(rankings, relevant):
    total = 0
    for query, right in relevant.items():
        for rank, document in enumerate(rankings.get(query, []), start=1):
            if document in right:
                total += 1 / rank
                break
        return total / len(relevant)


# 7.2 Right


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


def by_scikit_learn(ranking, grades, k):
    if not any(grades.values()):
        return 0.0
    documents = [*ranking, *(d for d in grades if d not in ranking)]
    truth = [grades.get(d, 0) for d in documents]
    scores = [len(ranking) - i if d in ranking else -i for i, d in enumerate(documents)]
    if len(ranking) < k:  # what is not in the list must not count
        return natural_logarithms(ranking, grades, k)
    if len(documents) < 2:
        return float(truth[0] > 0)
    return ndcg_score([truth], [scores], k=k)


# 7.2 Wrong


def ndcg_as_found(ranking, grades, k):
    gains = [grades.get(document, 0) for document in ranking[:k]]
    best = sorted(gains, reverse=True)
    dcg = sum(gain / math.log2(1 + rank) for rank, gain in enumerate(gains, start=1))
    ideal = sum(gain / math.log2(1 + rank) for rank, gain in enumerate(best, start=1))
    return dcg / ideal


def found_and_guarded(ranking, grades, k):
    gains = [grades.get(document, 0) for document in ranking[:k]]
    best = sorted(gains, reverse=True)
    dcg = sum(gain / math.log2(1 + rank) for rank, gain in enumerate(gains, start=1))
    ideal = sum(gain / math.log2(1 + rank) for rank, gain in enumerate(best, start=1))
    return dcg / ideal if ideal else 0


def whole_list(ranking, grades, k):
    gains = [grades.get(document, 0) for document in ranking]
    ideal = _sum(sorted(gains, reverse=True)[:k])
    return _sum(gains[:k]) / ideal if ideal else 0


def _sum(gains):
    return sum(g / math.log2(1 + rank) for rank, g in enumerate(gains, start=1))


def ideal_uncut(ranking, grades, k):
    ideal = _sum(sorted(grades.values(), reverse=True))
    return _sum([grades.get(d, 0) for d in ranking[:k]]) / ideal if ideal else 0


def ideal_as_long_as_found(ranking, grades, k):
    gains = [grades.get(d, 0) for d in ranking[:k]]
    ideal = _sum(sorted(grades.values(), reverse=True)[: len(gains)])
    return _sum(gains) / ideal if ideal else 0


def unsorted(ranking, grades, k):
    ideal = _sum(list(grades.values())[:k])
    return _sum([grades.get(d, 0) for d in ranking[:k]]) / ideal if ideal else 0


def smallest_first(ranking, grades, k):
    ideal = _sum(sorted(grades.values())[:k])
    return _sum([grades.get(d, 0) for d in ranking[:k]]) / ideal if ideal else 0


def exponential(ranking, grades, k):
    return numpy_ndcg(ranking, {d: 2**g - 1 for d, g in grades.items()}, k)


def binary(ranking, grades, k):
    return numpy_ndcg(ranking, {d: int(g > 0) for d, g in grades.items()}, k)


def unjudged_vanish(ranking, grades, k):
    return numpy_ndcg([d for d in ranking if d in grades], grades, k)


def unjudged_raise(ranking, grades, k):
    return _sum([grades[d] for d in ranking[:k]]) / _sum(sorted(grades.values())[::-1][:k])


def no_discount(ranking, grades, k):
    ideal = sum(sorted(grades.values(), reverse=True)[:k])
    return sum(grades.get(d, 0) for d in ranking[:k]) / ideal if ideal else 0


def never_cut(ranking, grades, k):
    return numpy_ndcg(ranking, grades, 10_000)


def only_dcg(ranking, grades, k):
    return _sum([grades.get(d, 0) for d in ranking[:k]])


def log_of_zero(ranking, grades, k):
    gains = [grades.get(d, 0) for d in ranking[:k]]
    return sum(g / math.log2(rank) for rank, g in enumerate(gains, start=1))


def nothing_forgotten(ranking, grades, k):
    return _sum([grades.get(d, 0) for d in ranking[:k]]) / _sum(sorted(grades.values())[::-1][:k])


def nothing_is_perfect(ranking, grades, k):
    return numpy_ndcg(ranking, grades, k) if any(grades.values()) else 1.0


def nothing_is_none(ranking, grades, k):
    if any(grades.values()):
        return numpy_ndcg(ranking, grades, k)


def two_and_three(ranking, grades, k):
    return numpy_ndcg(ranking, {d: int(g > 1) for d, g in grades.items()}, k)


def fewer_where_fewer_judged(ranking, grades, k):
    return numpy_ndcg(ranking, grades, min(k, len(grades)))


def in_per_cent(ranking, grades, k):
    return 100 * numpy_ndcg(ranking, grades, k)


def left_in_the_loop(ranking, grades, k):
    ideal = _sum(sorted(grades.values(), reverse=True)[:k])
    total = 0
    for rank, document in enumerate(ranking[:k], start=1):
        total += grades.get(document, 0) / math.log2(1 + rank)
        return total / ideal if ideal else 0
    return 0


def nothing_for_short_lists(ranking, grades, k):
    return numpy_ndcg(ranking, grades, k) if len(ranking) >= k else 0


def one_rank_short(ranking, grades, k):
    return numpy_ndcg(ranking, grades, k - 1) if k > 1 else 0.0


def unjudged_are_ones(ranking, grades, k):
    best = sum(g / math.log2(r) for r, g in enumerate(sorted(grades.values())[::-1][:k], start=2))
    found = sum(grades.get(d, 1) / math.log2(r) for r, d in enumerate(ranking[:k], start=2))
    return found / best if best else 0


def k_indices(ranking, grades, k):
    best = sorted(grades.values(), reverse=True)
    found = sum(grades.get(ranking[i], 0) / math.log2(i + 2) for i in range(k))
    return found / sum(g / math.log2(i + 2) for i, g in enumerate(best[:k]))


# 7.3 Right


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


# 7.3 Wrong


def _choice(scores_by_model, same, chooses, tests, measure=auc_by_ranks):
    name = max(scores_by_model, key=lambda n: measure(scores_by_model[n][chooses], same[chooses]))
    return name, measure(scores_by_model[name][tests], same[tests])


def everywhere(scores_by_model, same, choose):
    return _choice(scores_by_model, same, choose | ~choose, choose | ~choose)


def reports_the_choice(scores_by_model, same, choose):
    return _choice(scores_by_model, same, choose, choose)


def chooses_on_test(scores_by_model, same, choose):
    return _choice(scores_by_model, same, ~choose, ~choose)


def chooses_on_all(scores_by_model, same, choose):
    return _choice(scores_by_model, same, choose | ~choose, ~choose)


def reports_on_all(scores_by_model, same, choose):
    return _choice(scores_by_model, same, choose, choose | ~choose)


def halves_swapped(scores_by_model, same, choose):
    return _choice(scores_by_model, same, ~choose, choose)


def best_of_test(scores_by_model, same, choose):
    name, _ = by_loop(scores_by_model, same, choose)
    return name, max(auc_by_ranks(s[~choose], same[~choose]) for s in scores_by_model.values())


def lowest(scores_by_model, same, choose):
    name = min(
        scores_by_model, key=lambda n: auc_by_ranks(scores_by_model[n][choose], same[choose])
    )
    return name, auc_by_ranks(scores_by_model[name][~choose], same[~choose])


def cut_in_the_middle(scores_by_model, same, choose):
    first = np.arange(len(same)) < len(same) // 2
    return _choice(scores_by_model, same, first, ~first)


def name_and_auc_swapped(scores_by_model, same, choose):
    return by_loop(scores_by_model, same, choose)[::-1]


def only_the_name(scores_by_model, same, choose):
    return by_loop(scores_by_model, same, choose)[0]


def only_the_auc(scores_by_model, same, choose):
    return by_loop(scores_by_model, same, choose)[1]


def upside_down(scores_by_model, same, choose):
    name, auc = by_loop(scores_by_model, same, choose)
    return name, 1 - auc


def by_average_precision_73(scores_by_model, same, choose):
    return _choice(
        scores_by_model, same, choose, ~choose, lambda s, y: average_precision_score(y, s)
    )


def by_accuracy(scores_by_model, same, choose):
    return _choice(scores_by_model, same, choose, ~choose, lambda s, y: ((s >= 0.5) == y).mean())


def last_scores(scores_by_model, same, choose):
    best, highest = None, -1
    for name, scores in scores_by_model.items():
        auc = auc_by_ranks(scores[choose], same[choose])
        if auc > highest:
            best, highest = name, auc
    return best, auc_by_ranks(scores[~choose], same[~choose])


def max_without_key(scores_by_model, same, choose):
    name = max(scores_by_model)
    return name, auc_by_ranks(scores_by_model[name][~choose], same[~choose])


def minus_for_not(scores_by_model, same, choose):
    return _choice(scores_by_model, same, choose, -choose)


def one_minus(scores_by_model, same, choose):
    name, _ = by_loop(scores_by_model, same, choose)
    rest = 1 - choose
    return name, roc_auc_73(scores_by_model[name][rest], same[rest])


def roc_auc_73(scores, same):
    alike, different = scores[same][:, None], scores[~same][None, :]
    return (alike > different).mean() + (alike == different).mean() / 2


def ties_lost(scores_by_model, same, choose):
    def auc(scores, same):
        return (scores[same][:, None] > scores[~same]).mean()

    return _choice(scores_by_model, same, choose, ~choose, auc)


def farthest_from_a_half(scores_by_model, same, choose):
    name = max(
        scores_by_model,
        key=lambda n: abs(roc_auc_score(same[choose], scores_by_model[n][choose]) - 0.5),
    )
    return name, roc_auc_score(same[~choose], scores_by_model[name][~choose])


# 7.4

RIGHT_CLAIMS = dict(
    zip("abcdefgh", (False, False, True, True, True, False, True, False), strict=True)
)


def claims(**changed):
    return RIGHT_CLAIMS | changed


# 7.5 Right


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


def a_generator_each(first, second, resamples, seed):
    d = np.array([first[q] - second[q] for q in first])
    n = len(d)
    means = [
        d[np.random.default_rng(seed + i).integers(n, size=n)].mean() for i in range(resamples)
    ]
    low, high = np.percentile(means, [2.5, 97.5])
    return d.mean(), low, high, verdict_of(low, high)


# 7.5 Wrong


def _bootstrap(differences, resamples, seed, ends=(2.5, 97.5)):
    rng = np.random.default_rng(seed)
    n = len(differences)
    means = differences[rng.integers(n, size=(resamples, n))].mean(axis=1)
    low, high = np.percentile(means, ends)
    return differences.mean(), low, high, verdict_of(low, high)


def _matched(first, second):
    return np.array([first[q] - second[q] for q in first])


def by_place(first, second, resamples, seed):
    differences = np.array(list(first.values())) - np.array(list(second.values()))
    return _bootstrap(differences, resamples, seed)


def separately(first, second, resamples, seed):
    rng = np.random.default_rng(seed)
    a, b = np.array(list(first.values())), np.array(list(second.values()))
    n = len(a)
    means = a[rng.integers(n, size=(resamples, n))].mean(axis=1) - b[
        rng.integers(n, size=(resamples, n))
    ].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return a.mean() - b.mean(), low, high, verdict_of(low, high)


def ninety(first, second, resamples, seed):
    return _bootstrap(_matched(first, second), resamples, seed, (5, 95))


def not_per_cent(first, second, resamples, seed):
    return _bootstrap(_matched(first, second), resamples, seed, (0.025, 0.975))


def of_single_queries(first, second, resamples, seed):
    d = _matched(first, second)
    low, high = np.percentile(d, [2.5, 97.5])
    return d.mean(), low, high, verdict_of(low, high)


def without_replacement(first, second, resamples, seed):
    rng = np.random.default_rng(seed)
    d = _matched(first, second)
    means = [rng.permutation(d).mean() for _ in range(resamples)]
    low, high = np.percentile(means, [2.5, 97.5])
    return d.mean(), low, high, verdict_of(low, high)


def by_standard_error(first, second, resamples, seed):
    d = _matched(first, second)
    half = 1.96 * d.std(ddof=1) / len(d) ** 0.5
    return d.mean(), d.mean() - half, d.mean() + half, verdict_of(d.mean() - half, d.mean() + half)


def by_standard_deviation(first, second, resamples, seed):
    d = _matched(first, second)
    low, high = d.mean() - 1.96 * d.std(), d.mean() + 1.96 * d.std()
    return d.mean(), low, high, verdict_of(low, high)


def extremes(first, second, resamples, seed):
    return _bootstrap(_matched(first, second), resamples, seed, (0, 100))


def turned_round(first, second, resamples, seed):
    return _bootstrap(-_matched(first, second), resamples, seed)


def by_the_mean(first, second, resamples, seed):
    difference, low, high, _ = _bootstrap(_matched(first, second), resamples, seed)
    return difference, low, high, "first" if difference > 0 else "second"


def verdicts_swapped(first, second, resamples, seed):
    difference, low, high, verdict = _bootstrap(_matched(first, second), resamples, seed)
    swapped = {"first": "second", "second": "first"}
    return difference, low, high, swapped.get(verdict, verdict)


def zero_included(first, second, resamples, seed):
    difference, low, high, _ = _bootstrap(_matched(first, second), resamples, seed)
    verdict = "first" if low >= 0 else "second" if high <= 0 else "not established"
    return difference, low, high, verdict


def no_seed(first, second, resamples, seed):
    return _bootstrap(_matched(first, second), resamples, None)


def seed_of_its_own(first, second, resamples, seed):
    return _bootstrap(_matched(first, second), resamples, 42)


def resamples_of_its_own(first, second, resamples, seed):
    return _bootstrap(_matched(first, second), 10_000, seed)


def other_words(first, second, resamples, seed):
    difference, low, high, verdict = _bootstrap(_matched(first, second), resamples, seed)
    return difference, low, high, verdict != "not established"


def mean_of_samples(first, second, resamples, seed):
    d = _matched(first, second)
    drawn = np.random.default_rng(seed).integers(len(d), size=(resamples, len(d)))
    means = d[drawn[:20]].mean(axis=1)
    _, low, high, verdict = _bootstrap(d, resamples, seed)
    return means.mean(), low, high, verdict


def dictionaries_subtracted(first, second, resamples, seed):
    return _bootstrap(first - second, resamples, seed)


def three_things(first, second, resamples, seed):
    difference, low, high, verdict = _bootstrap(_matched(first, second), resamples, seed)
    return difference, (low, high), verdict


def samples_too_large(first, second, resamples, seed):
    rng = np.random.default_rng(seed)
    d = _matched(first, second)
    means = [d[rng.integers(len(d), size=resamples)].mean() for _ in range(resamples // 4)]
    low, high = np.percentile(means, [2.5, 97.5])
    return d.mean(), low, high, verdict_of(low, high)


def _from_means(differences, means, ends=(2.5, 97.5)):
    low, high = np.percentile(means, ends)
    return differences.mean(), low, high, verdict_of(low, high)


def all_but_one(first, second, resamples, seed):
    d = _matched(first, second)
    rows = np.random.default_rng(seed).integers(len(d) - 1, size=(resamples, len(d)))
    return _from_means(d, d[rows].mean(axis=1))


def signs_flipped(first, second, resamples, seed):
    d = _matched(first, second)
    signs = np.random.default_rng(seed).choice([-1, 1], size=(resamples, len(d)))
    return _from_means(d, (signs * d).mean(axis=1))


def seeded_in_the_loop(first, second, resamples, seed):
    d = _matched(first, second)
    means = []
    for _ in range(resamples):
        rng = np.random.default_rng(seed)
        means.append(rng.choice(d, size=len(d)).mean())
    return _from_means(d, means)


def other_axis(first, second, resamples, seed):
    d = _matched(first, second)
    rows = np.random.default_rng(seed).integers(len(d), size=(resamples, len(d)))
    return _from_means(d, d[rows].mean(axis=0))


def lopsided(first, second, resamples, seed):
    return _bootstrap(_matched(first, second), resamples, seed, (2.5, 95))


def rounded(first, second, resamples, seed):
    difference, low, high, verdict = _bootstrap(_matched(first, second), resamples, seed)
    return difference, round(low, 2), round(high, 2), verdict


def by_size(first, second, resamples, seed):
    difference, low, high, verdict = _bootstrap(_matched(first, second), resamples, seed)
    return difference, low, high, verdict if abs(difference) > 0.04 else "not established"


def high_first(first, second, resamples, seed):
    difference, low, high, verdict = _bootstrap(_matched(first, second), resamples, seed)
    return difference, high, low, verdict


def two_intervals(first, second, resamples, seed):
    a = np.array(list(first.values()))
    b = np.array([second[q] for q in first])
    rows = np.random.default_rng(seed).integers(len(a), size=(resamples, len(a)))
    (low_a, high_a), (low_b, high_b) = (
        np.percentile(x[rows].mean(axis=1), [2.5, 97.5]) for x in (a, b)
    )
    low, high = low_a - high_b, high_a - low_b
    return a.mean() - b.mean(), low, high, verdict_of(low, high)


def one_fewer(first, second, resamples, seed):
    d = _matched(first, second)
    size = (resamples, max(len(d) - 1, 1))
    return _from_means(d, np.random.default_rng(seed).choice(d, size=size).mean(axis=1))


# More wrong answers


def _mrr(rankings, relevant, queries, value):
    return float(np.mean([value(list(rankings.get(q, [])), relevant.get(q, ())) for q in queries]))


def _all_shares(found, right):
    return sum(1 / rank for rank, d in enumerate(found, 1) if d in right)


def _first_share(found, right):
    return next((1 / rank for rank, d in enumerate(found, 1) if d in right), 0)


def two_at_once(rankings, relevant):
    return _mrr(rankings, relevant, rankings, _all_shares)


def a_hundred_only(rankings, relevant):
    return _mrr(rankings, relevant, relevant, lambda found, right: _first_share(found[:100], right))


def keeps_the_last_value(rankings, relevant):
    total = value = 0
    for query in relevant:
        for rank, document in enumerate(rankings.get(query, []), 1):
            if document in relevant[query]:
                value = 1 / rank
                break
        total += value
    return total / len(relevant)


def first_value_only(rankings, relevant):
    for query in relevant:
        for rank, document in enumerate(rankings.get(query, []), 1):
            if document in relevant[query]:
                return 1 / rank
    return 0


def empty_lists_left_out(rankings, relevant):
    queries = [query for query in relevant if query not in rankings or rankings[query]]
    return _mrr(rankings, relevant, queries, _first_share)


def three_digits(rankings, relevant):
    return round(_mrr(rankings, relevant, relevant, _first_share), 3)


def two_logarithms(ranking, grades, k):
    gains = [grades.get(document, 0) for document in ranking[:k]]
    best = _sum(sorted(grades.values(), reverse=True)[:k])
    return sum(g / math.log(1 + r) for r, g in enumerate(gains, 1)) / best if best else 0


def each_grade_once(ranking, grades, k):
    best = _sum(sorted(set(grades.values()), reverse=True)[:k])
    return _sum([grades.get(document, 0) for document in ranking[:k]]) / best if best else 0


def always_ten(ranking, grades, k):
    return numpy_ndcg(ranking, grades, 10)


def found_and_uncut(ranking, grades, k):
    gains = [grades.get(document, 0) for document in ranking]
    best = _sum(sorted(gains, reverse=True))
    return _sum(gains) / best if best else 0


def by_correlation(scores_by_model, same, choose):
    winner = max(
        scores_by_model, key=lambda n: np.corrcoef(scores_by_model[n][choose], same[choose])[0, 1]
    )
    return winner, auc_by_ranks(scores_by_model[winner][~choose], same[~choose])


def accuracy_everywhere(scores_by_model, same, choose):
    def accuracy(name):
        return np.mean((scores_by_model[name] >= 0.5) == same)

    winner = max(scores_by_model, key=accuracy)
    return winner, accuracy(winner)


def nearest_ranks(first, second, resamples, seed):
    d = _matched(first, second)
    rng = np.random.default_rng(seed)
    means = np.sort([rng.choice(d, len(d)).mean() for _ in range(resamples)])
    low, high = means[int(0.025 * resamples)], means[int(0.975 * resamples) - 1]
    return d.mean(), low, high, verdict_of(low, high)


def without_the_first(first, second, resamples, seed):
    d = _matched(first, second)
    start = min(1, len(d) - 1)
    rows = np.random.default_rng(seed).integers(start, len(d), size=(resamples, len(d)))
    return _from_means(d, d[rows].mean(axis=1))


def percentiles_of_sums(first, second, resamples, seed):
    d = _matched(first, second)
    rows = np.random.default_rng(seed).integers(len(d), size=(resamples, len(d)))
    return _from_means(d, d[rows].sum(axis=1))


def ends_subtracted(first, second, resamples, seed):
    a, b = np.array([(first[q], second[q]) for q in first]).T
    rows = np.random.default_rng(seed).integers(len(a), size=(resamples, len(a)))
    low, high = np.subtract(
        *(np.percentile(values[rows].mean(axis=1), [2.5, 97.5]) for values in (a, b))
    )
    return a.mean() - b.mean(), low, high, verdict_of(low, high)


def without_a_sign(first, second, resamples, seed):
    difference, low, high, verdict = _bootstrap(_matched(first, second), resamples, seed)
    return abs(difference), low, high, verdict


def all_rounded(first, second, resamples, seed):
    *numbers, verdict = _bootstrap(_matched(first, second), resamples, seed)
    return *(round(float(value), 3) for value in numbers), verdict


def ninety_eight(first, second, resamples, seed):
    return _bootstrap(_matched(first, second), resamples, seed, (1, 99))


def each_query_once(first, second, resamples, seed):
    d = _matched(first, second)
    rng = np.random.default_rng(seed)
    drawn = (list(set(rng.integers(len(d), size=len(d)).tolist())) for _ in range(resamples))
    return _from_means(d, [d[rows].mean() for rows in drawn])


PROOFS = {
    "7.1": Proof(
        right=(with_next, by_index, with_arrays, with_a_default),
        wrong=(
            (rewards_silence, "otherwise silence is rewarded"),
            (loops_over_rankings, "your mean is over the queries of `rankings`"),
            (only_found, "for which something relevant was found"),
            (no_break, "of *every* relevant document"),
            (overwritten, "the *last* relevant document"),
            (from_zero, "ZeroDivisionError"),
            (one_too_many, "one too large"),
            (key_error, "A query that `rankings` does not have counts 0"),
            (mean_rank, "Take 1 / rank first"),
            (inverse_mean_rank, "this is 1 / the mean rank"),
            (one_of_them, "one of the relevant documents only"),
            (assigned, "the last answered query only"),
            (fills_the_gaps, "changes its first argument in place"),
            (the_sum, "sum over the queries"),
            (first_place, "precision@1"),
            (each_query, "the value of each query"),
            (returns_inside, "the first answered query only"),
            (ten_only, "you stop after rank 10"),
            (by_average_precision, "mean average precision"),
            (whole_quotient, "only a relevant document in first place counts"),
            (side_by_side, "both dictionaries side by side"),
            (answers_of_all, "relevant documents of *all* queries"),
            (shared_out, "divide by their number"),
            (first_query, "the first query only, divided by"),
            (two_at_once, "by two mistakes. First, your mean"),
            (a_hundred_only, "you stop after rank 100"),
            (keeps_the_last_value, "a variable keeps its old value"),
            (first_value_only, "and never see the others"),
            (empty_lists_left_out, "whose list is empty"),
            (three_digits, "what you return is rounded"),
        ),
    ),
    "7.2": Proof(
        right=(numpy_ndcg, natural_logarithms, by_scikit_learn),
        wrong=(
            (nothing_for_short_lists, "ranks that hold nothing add nothing"),
            (one_rank_short, "You stop at rank k - 1"),
            (unjudged_are_ones, "counts as grade 1"),
            (k_indices, "A slice, `[:k]`, takes as many as there are"),
            (ndcg_as_found, "still the ruler as found"),
            (found_and_guarded, "what it missed is forgiven"),
            (whole_list, "made of the whole list of the engine"),
            (ideal_uncut, "longer than k"),
            (ideal_as_long_as_found, "only as long as the engine's list"),
            (unsorted, "is not sorted"),
            (smallest_first, "sorted the wrong way"),
            (exponential, "exponential gain"),
            (binary, "every grade above 0 as 1"),
            (unjudged_vanish, "vanish from your ranking"),
            (unjudged_raise, "was not judged is not in `grades`"),
            (no_discount, "Nothing is divided by log"),
            (never_cut, "You never cut at k"),
            (only_dcg, "This is the DCG"),
            (log_of_zero, "ZeroDivisionError"),
            (nothing_forgotten, "it divides by zero"),
            (nothing_is_perfect, "There is nothing to be found"),
            (nothing_is_none, "you return None. The task asks for 0"),
            (two_and_three, "You count the grades 2 and 3 as 1"),
            (fewer_where_fewer_judged, "You make k smaller"),
            (in_per_cent, "which is in per cent"),
            (left_in_the_loop, "Only rank 1 is in your sum"),
            (two_logarithms, "the natural logarithm"),
            (each_grade_once, "has each grade once"),
            (always_ten, "You cut at 10 whatever k is"),
            (found_and_uncut, "And nothing is cut at k"),
        ),
    ),
    "7.3": Proof(
        right=(by_loop, as_a_list, row_by_row),
        wrong=(
            (everywhere, "what the colleague did"),
            (reports_the_choice, "on the pairs that chose it"),
            (chooses_on_test, "the other half is never used"),
            (chooses_on_all, "You choose on *all* pairs"),
            (reports_on_all, "AUC that you report is over all pairs"),
            (halves_swapped, "changed places"),
            (best_of_test, "best of *all* models on the test pairs"),
            (lowest, "*lowest* AUC"),
            (cut_in_the_middle, "cut the list in the middle"),
            (name_and_auc_swapped, "first the name, then the AUC"),
            (only_the_name, "Return two things"),
            (only_the_auc, "you return the number"),
            (upside_down, "upside down"),
            (by_average_precision_73, "average precision"),
            (by_accuracy, "accuracy at a threshold of 0.5"),
            (last_scores, "a variable left over"),
            (max_without_key, "without a key"),
            (minus_for_not, "it raises TypeError"),
            (one_minus, "The other pairs are `~choose`"),
            (ties_lost, "a tie counts nothing"),
            (farthest_from_a_half, "worse than dice"),
            (by_correlation, "You choose by correlation"),
            (accuracy_everywhere, "and all pairs report"),
        ),
    ),
    "7.4": Proof(
        right=(claims(), {k: np.bool_(v) for k, v in reversed(RIGHT_CLAIMS.items())}),
        wrong=(
            (claims(a=True), "a is False. In a test with a true lead"),
            (claims(b=True), "b is False. In a test the interval was"),
            (claims(c=False), "c is True. In a test A had"),
            (claims(d=False), "d is True. In a test the copies"),
            (claims(e=False), "e is True. In a test it was"),
            (claims(f=True), "f is False. In a test it was"),
            (claims(g=False), "g is True. Each comes out so"),
            (claims(h=True), "h is False. All differences"),
            (claims(c=None), "not decided yet on c"),
            (claims(a="no"), "asks for True or False"),
            ({k: not v for k, v in RIGHT_CLAIMS.items()}, "wrong way round"),
            (tuple(RIGHT_CLAIMS.values()), "asks for a dictionary"),
            (claims(i=True), "there is no claim i"),
            ({k.upper(): v for k, v in RIGHT_CLAIMS.items()}, "asks for the small letters"),
        ),
    ),
    "7.5": Proof(
        right=(with_choice, pure_python, old_generator, a_generator_each, nearest_ranks),
        wrong=(
            (by_place, "you match the values by their place"),
            (separately, "you draw the queries of the two systems separately"),
            (ninety, "90 % interval"),
            (not_per_cent, "counts in per cent"),
            (of_single_queries, "differences of single queries"),
            (without_replacement, "drawn *without* replacement"),
            (by_standard_error, "exactly in its middle"),
            (by_standard_deviation, "standard deviation of the single differences"),
            (extremes, "smallest and the largest"),
            (turned_round, "You subtract `first` from `second`"),
            (by_the_mean, "The interval holds 0"),
            (verdicts_swapped, "says that 'first' is better"),
            (zero_included, "`>` and `<`, not `>=`"),
            (no_seed, "draw random numbers without a seed"),
            (seed_of_its_own, "the very same samples"),
            (resamples_of_its_own, "with `resamples` = 1"),
            (other_words, "your verdict is"),
            (mean_of_samples, "without any drawing"),
            (dictionaries_subtracted, "unsupported operand"),
            (three_things, "come as a pair"),
            (all_but_one, "One query is never drawn"),
            (signs_flipped, "You flip signs"),
            (seeded_in_the_loop, "all samples are the same one"),
            (other_axis, "the other axis"),
            (lopsided, "the 95th percentile"),
            (rounded, "rounded to 2 digits"),
            (by_size, "lies on one side of 0"),
            (high_first, "the smaller end comes first"),
            (samples_too_large, "too narrow"),
            (two_intervals, "the ends of two intervals"),
            (one_fewer, "another number of queries than there are"),
            (without_the_first, "that one is never drawn"),
            (percentiles_of_sums, "percentiles of the samples' *sums*"),
            (ends_subtracted, "the two low ends, and the two high ends"),
            (without_a_sign, "It has lost its sign"),
            (all_rounded, "it should be 0.0513. Round when you print"),
            (ninety_eight, "98 % interval"),
            (each_query_once, "one drawn twice counts twice"),
        ),
    ),
}
