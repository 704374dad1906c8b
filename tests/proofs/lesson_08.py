"""Answers to practice 08, clustering."""

import math
from collections import Counter, defaultdict
from itertools import chain, combinations, pairwise

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import cdist
from sklearn.metrics import (
    adjusted_rand_score,
    confusion_matrix,
    normalized_mutual_info_score,
    rand_score,
)
from sklearn.metrics.pairwise import cosine_similarity

from . import Proof

# 8.1 Right


def by_scikit(vectors, centres):
    return cosine_similarity(vectors, centres).argmax(axis=1)


def one_by_one(vectors, centres):
    result = np.zeros(len(vectors), dtype=int)
    for i, vector in enumerate(vectors):
        best = -2
        for c, centre in enumerate(centres):
            cosine = vector @ centre / (np.linalg.norm(vector) * np.linalg.norm(centre))
            if cosine > best:
                best, result[i] = cosine, c
    return result


def by_distance_of_directions(vectors, centres):
    v = vectors / np.linalg.norm(vectors, axis=1)[:, None]
    c = centres / np.linalg.norm(centres, axis=1)[:, None]
    return np.array([((c - x) ** 2).sum(axis=1).argmin() for x in v])


def by_scipy(vectors, centres):
    return cdist(vectors.astype(np.float32), centres, "cosine").argmin(axis=1).astype(np.int32)


# 8.1 Wrong


def as_found(vectors, centres):
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.argmax(vectors @ centres.T, axis=1)


def farthest(vectors, centres):
    return cosine_similarity(vectors, centres).argmin(axis=1)


def nearest_as_they_are(vectors, centres):
    return cdist(vectors, centres).argmin(axis=1)


def largest_distance(vectors, centres):
    return cdist(vectors, centres).argmax(axis=1)


def largest_cosine_distance(vectors, centres):
    unit = centres / np.linalg.norm(centres, axis=1, keepdims=True)
    v = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.linalg.norm(v[:, None] - unit, axis=2).argmax(axis=1) * 0 + cdist(v, unit).argmax(
        axis=1
    )


def columns_normalised(vectors, centres):
    return np.argmax(vectors @ (centres / np.linalg.norm(centres, axis=0)).T, axis=1)


def nearest_text(vectors, centres):
    return cosine_similarity(vectors, centres).argmax(axis=0)


def from_one(vectors, centres):
    return by_scikit(vectors, centres) + 1


def highest_cosine(vectors, centres):
    return cosine_similarity(vectors, centres).max(axis=1)


def all_cosines(vectors, centres):
    return cosine_similarity(vectors, centres)


def as_a_list(vectors, centres):
    return by_scikit(vectors, centres).tolist()


def without_sign(vectors, centres):
    return abs(cosine_similarity(vectors, centres)).argmax(axis=1)


def centred(vectors, centres):
    return cosine_similarity(vectors - vectors.mean(axis=0), centres).argmax(axis=1)


def half_way(vectors, centres):
    v = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return cdist(v, centres).argmin(axis=1)


def ranking(vectors, centres):
    return np.argsort(-cosine_similarity(vectors, centres), axis=1)


def in_place(vectors, centres):
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    return (vectors @ centres.T).argmax(axis=1)


# 8.2 Right


def with_plain_dicts(words_by_cluster, k):
    total, everywhere = 0, defaultdict(int)
    for words in words_by_cluster.values():
        total += len(words)
        for word in words:
            everywhere[word] += 1
    average = total / len(words_by_cluster)
    result = {}
    for label, words in words_by_cluster.items():
        name = []
        for word in sorted(set(words)):
            share = words.count(word) / len(words)
            name.append((word, share * math.log(1 + average / everywhere[word])))
        name.sort(key=lambda pair: pair[1], reverse=True)  # stable, so the alphabet stays
        result[label] = name[:k]
    return result


def with_arrays(words_by_cluster, k):
    vocabulary = sorted({word for words in words_by_cluster.values() for word in words})
    counts = np.array([[words.count(w) for w in vocabulary] for words in words_by_cluster.values()])
    lengths = counts.sum(axis=1, keepdims=True)
    weights = counts / np.maximum(lengths, 1) * np.log1p(lengths.mean() / counts.sum(axis=0))
    return {
        label: [[vocabulary[i], row[i]] for i in np.argsort(-row, kind="stable")[:k] if row[i] > 0]
        for label, row in zip(words_by_cluster, weights, strict=True)
    }


def smallest_of_negatives(words_by_cluster, k):
    everything = Counter(w for words in words_by_cluster.values() for w in words)
    mean = sum(everything.values()) / len(words_by_cluster)
    out = {}
    for label in reversed(list(words_by_cluster)):
        words = words_by_cluster[label]
        pairs = [
            (-n / len(words) * np.log(1 + mean / everything[w]), w)
            for w, n in Counter(words).items()
        ]
        out[label] = tuple((w, -minus) for minus, w in sorted(pairs)[:k])
    return out


# 8.2 Wrong


def formula(words_by_cluster, k, *, share=None, idf=None, key=None, average=None):
    everywhere = Counter(w for words in words_by_cluster.values() for w in words)
    mean = (
        everywhere.total() / len(words_by_cluster) if average is None else average(words_by_cluster)
    )
    share = share or (lambda n, words: n / len(words))
    idf = idf or (lambda word, n: np.log(1 + mean / everywhere[word]))
    key = key or (lambda pair: (-pair[1], pair[0]))
    return {
        label: sorted(
            ((w, share(n, words) * idf(w, n)) for w, n in Counter(words).items()), key=key
        )[:k]
        for label, words in words_by_cluster.items()
    }


def frequent_words(words_by_cluster, k):
    return {
        label: sorted(Counter(words).items(), key=lambda p: (-p[1], p[0]))[:k]
        for label, words in words_by_cluster.items()
    }


def counts_for_shares(words_by_cluster, k):
    return formula(words_by_cluster, k, share=lambda n, words: n)


def one_forgotten(words_by_cluster, k):
    everywhere = Counter(w for words in words_by_cluster.values() for w in words)
    mean = everywhere.total() / len(words_by_cluster)
    return formula(words_by_cluster, k, idf=lambda w, n: math.log(mean / everywhere[w]))


def other_base(words_by_cluster, k):
    everywhere = Counter(w for words in words_by_cluster.values() for w in words)
    mean = everywhere.total() / len(words_by_cluster)
    return formula(words_by_cluster, k, idf=lambda w, n: math.log10(1 + mean / everywhere[w]))


def upside_down(words_by_cluster, k):
    everywhere = Counter(w for words in words_by_cluster.values() for w in words)
    mean = everywhere.total() / len(words_by_cluster)
    return formula(words_by_cluster, k, idf=lambda w, n: math.log(1 + everywhere[w] / mean))


def textbook_tf_idf(words_by_cluster, k):
    def idf(word, n):
        having = sum(word in words for words in words_by_cluster.values())
        return math.log(len(words_by_cluster) / having)

    return formula(words_by_cluster, k, idf=idf)


def average_is_total(words_by_cluster, k):
    return formula(words_by_cluster, k, average=lambda w: sum(map(len, w.values())))


def average_of_different(words_by_cluster, k):
    return formula(
        words_by_cluster, k, average=lambda w: np.mean([len(set(words)) for words in w.values()])
    )


def ties_as_they_come(words_by_cluster, k):
    return formula(words_by_cluster, k, key=lambda pair: -pair[1])


def ties_reversed(words_by_cluster, k):
    names = formula(words_by_cluster, 999)
    return {
        label: sorted(name, key=lambda p: (p[1], p[0]), reverse=True)[:k]
        for label, name in names.items()
    }


def lightest_first(words_by_cluster, k):
    return formula(words_by_cluster, k, key=lambda pair: (pair[1], pair[0]))


def words_alone(words_by_cluster, k):
    return {label: [w for w, _ in name] for label, name in formula(words_by_cluster, k).items()}


def weight_first(words_by_cluster, k):
    return {
        label: [(x, w) for w, x in name] for label, name in formula(words_by_cluster, k).items()
    }


def list_of_names(words_by_cluster, k):
    return list(formula(words_by_cluster, k).values())


def rounded_weights(words_by_cluster, k):
    names = formula(words_by_cluster, k)
    return {label: [(w, round(x, 3)) for w, x in name] for label, name in names.items()}


def division_by_zero(words_by_cluster, k):
    for words in words_by_cluster.values():
        1 / len(words)
    return formula(words_by_cluster, k)


def empty_dropped(words_by_cluster, k):
    return formula({label: words for label, words in words_by_cluster.items() if words}, k)


# 8.3 Right


def with_counters(labels, shuffled, categories):
    def purity(given):
        of = defaultdict(Counter)
        for cluster, category in zip(given, categories, strict=True):
            of[cluster][category] += 1
        return sum(max(counter.values()) for counter in of.values()) / len(given)

    chance = sum(purity(other) for other in shuffled) / len(shuffled)
    if chance == 1:
        return 0
    return (purity(labels) - chance) / (1 - chance)


def with_a_table(labels, shuffled, categories):
    codes = np.unique(categories, return_inverse=True)[1]

    def purity(given):
        given = np.unique(given, return_inverse=True)[1]
        return confusion_matrix(given, codes).max(axis=1).sum() / len(codes)

    values = np.array([purity(other) for other in [labels, *shuffled]])
    chance = values[1:].mean()
    return np.float64(0) if chance > 1 - 1e-9 else 1 - (1 - values[0]) / (1 - chance)


def with_sets(labels, shuffled, categories):
    sections = set(categories)

    def hits(given):
        return sum(max(sum((given == c) & (categories == s)) for s in sections) for c in set(given))

    chance = np.mean([hits(other) for other in shuffled])
    n = len(labels)
    return (hits(labels) - chance) / (n - chance) if chance < n else 0.0


# 8.3 Wrong


def pure(labels, categories):
    return sum(
        Counter(categories[labels == c]).most_common(1)[0][1] for c in np.unique(labels)
    ) / len(labels)


def purity_alone(labels, shuffled, categories):
    return pure(labels, categories)


def difference(labels, shuffled, categories):
    return pure(labels, categories) - np.mean([pure(s, categories) for s in shuffled])


def ratio(labels, shuffled, categories):
    return pure(labels, categories) / np.mean([pure(s, categories) for s in shuffled])


def best_shuffle(labels, shuffled, categories):
    chance = max(pure(s, categories) for s in shuffled)
    return 0.0 if chance == 1 else (pure(labels, categories) - chance) / (1 - chance)


def first_shuffle(labels, shuffled, categories):
    chance = pure(shuffled[0], categories)
    return (pure(labels, categories) - chance) / (1 - chance)


def clusters_alike(labels, shuffled, categories):
    def purity(given):
        return np.mean(
            [
                Counter(categories[given == c]).most_common(1)[0][1] / sum(given == c)
                for c in np.unique(given)
            ]
        )

    chance = np.mean([purity(s) for s in shuffled])
    return (purity(labels) - chance) / (1 - chance)


def roles_swapped(labels, shuffled, categories):
    chance = np.mean([pure(categories, s) for s in shuffled])
    return (pure(categories, labels) - chance) / (1 - chance)


def no_negatives(labels, shuffled, categories):
    return max(0, with_sets(labels, shuffled, categories))


def zero_by_zero(labels, shuffled, categories):
    chance = np.mean([pure(s, categories) for s in shuffled])
    return (pure(labels, categories) - chance) / (1 - chance)


def one_when_alone(labels, shuffled, categories):
    chance = np.mean([pure(s, categories) for s in shuffled])
    return 1.0 if chance == 1 else (pure(labels, categories) - chance) / (1 - chance)


def numbered_from_zero(labels, shuffled, categories):
    def purity(given):
        found = 0
        for c in range(len(set(given))):
            counts = Counter(categories[given == c])
            found += max(counts.values(), default=0)
        return found / len(given)

    chance = np.mean([purity(s) for s in shuffled])
    return (purity(labels) - chance) / (1 - chance)


def ari_instead(labels, shuffled, categories):
    return adjusted_rand_score(labels, categories)


def no_sign(labels, shuffled, categories):
    return abs(with_sets(labels, shuffled, categories))


def other_denominator(labels, shuffled, categories):
    p, chance = pure(labels, categories), np.mean([pure(s, categories) for s in shuffled])
    return (p - chance) / (1 - p) if p < 1 else 0.0


def largest_section(labels, shuffled, categories):
    chance = Counter(categories).most_common(1)[0][1] / len(categories)
    return (pure(labels, categories) - chance) / (1 - chance)


def above_chance(
    purity=lambda labels, categories: shares_of(labels, categories).sum() / len(labels),
    chance=np.mean,
    formula=lambda purity, chance: (purity - chance) / (1 - chance),
):
    def answer(labels, shuffled, categories):
        level = chance([purity(other, categories) for other in shuffled])
        return 0 if level == 1 else formula(purity(labels, categories), level)

    return answer


def shares_of(labels, categories):
    """Return the count of the most frequent category in each cluster."""
    return np.array(
        [max(Counter(categories[labels == cluster]).values()) for cluster in np.unique(labels)]
    )


def of_clusters_from_zero(labels, categories):
    return shares_of(labels[labels >= 0], categories[labels >= 0]).sum() / (labels >= 0).sum()


def like_the_last(labels, categories):
    last = dict(zip(labels, categories, strict=True))
    return np.mean([last[c] == own for c, own in zip(labels, categories, strict=True)])


def formula_for_each(labels, shuffled, categories):
    return np.mean([above_chance()(labels, [other], categories) for other in shuffled])


def own_shuffles(labels, shuffled, categories):
    rng = np.random.default_rng(0)
    return above_chance()(labels, [rng.permutation(labels) for _ in range(20)], categories)


def with_the_labels(labels, shuffled, categories):
    purities = [shares_of(other, categories).sum() / len(labels) for other in (labels, *shuffled)]
    return (purities[0] - np.mean(purities)) / (1 - np.mean(purities))


# 8.4 Right


def with_combinations(clusterings):
    return np.mean([adjusted_rand_score(a, b) for a, b in combinations(clusterings, 2)])


def whole_matrix_without_diagonal(clusterings):
    n = len(clusterings)
    matrix = np.array([[adjusted_rand_score(a, b) for b in clusterings] for a in clusterings])
    return (matrix.sum() - n) / (n * n - n)


def ari_by_hand(clusterings):
    total = number = 0
    for i, first in enumerate(clusterings):
        for second in clusterings[i + 1 :]:
            upper = np.triu_indices(len(first), k=1)
            a = np.equal.outer(first, first)[upper]
            b = np.equal.outer(second, second)[upper]
            expected = a.mean() * b.mean()
            total += ((a & b).mean() - expected) / ((a.mean() + b.mean()) / 2 - expected)
            number += 1
    return float(total / number)


# 8.4 Wrong


def same_numbers(clusterings):
    return np.mean([(a == b).mean() for a, b in combinations(clusterings, 2)])


def with_itself(clusterings):
    return np.mean([adjusted_rand_score(a, b) for a in clusterings for b in clusterings])


def triangle_with_diagonal(clusterings):
    n = len(clusterings)
    return np.mean(
        [adjusted_rand_score(clusterings[i], clusterings[j]) for i in range(n) for j in range(i, n)]
    )


def next_ones(clusterings):
    return np.mean([adjusted_rand_score(a, b) for a, b in pairwise(clusterings)])


def first_and_others(clusterings):
    return np.mean([adjusted_rand_score(clusterings[0], other) for other in clusterings[1:]])


def not_adjusted(clusterings):
    return np.mean([rand_score(a, b) for a, b in combinations(clusterings, 2)])


def information(clusterings):
    return np.mean([normalized_mutual_info_score(a, b) for a, b in combinations(clusterings, 2)])


def triangle_of_zeros(clusterings):
    return np.triu(
        [[adjusted_rand_score(a, b) for b in clusterings] for a in clusterings], 1
    ).mean()


def total(clusterings):
    return sum(adjusted_rand_score(a, b) for a, b in combinations(clusterings, 2))


def by_runs(clusterings):
    return total(clusterings) / len(clusterings)


def worst(clusterings):
    return min(adjusted_rand_score(a, b) for a, b in combinations(clusterings, 2))


def each_pair(clusterings):
    return [adjusted_rand_score(a, b) for a, b in combinations(clusterings, 2)]


def first_pair(clusterings):
    for a, b in combinations(clusterings, 2):
        return adjusted_rand_score(a, b)


def mean_of_means(clusterings):
    return np.mean(
        [
            np.mean([adjusted_rand_score(one, other) for other in clusterings[i + 1 :]])
            for i, one in enumerate(clusterings[:-1])
        ]
    )


def best_partners(clusterings):
    return np.mean(
        [
            max(adjusted_rand_score(one, other) for other in clusterings if other is not one)
            for one in clusterings
        ]
    )


# 8.5 Right


def by_graph(vectors, threshold):
    _, label = connected_components(cosine_similarity(vectors) >= threshold, directed=False)
    groups = [np.flatnonzero(label == c).tolist() for c in np.unique(label)]
    return sorted(group for group in groups if len(group) > 1)


def by_union_find(vectors, threshold):
    parent = list(range(len(vectors)))

    def root(i):
        while parent[i] != i:
            i = parent[i]
        return i

    norms = [math.sqrt(v @ v) for v in vectors]
    for i in range(len(vectors)):
        for j in range(i):
            if vectors[i] @ vectors[j] / (norms[i] * norms[j]) >= threshold:
                parent[max(root(i), root(j))] = min(root(i), root(j))
    groups = {}
    for i in range(len(vectors)):
        groups.setdefault(root(i), []).append(i)
    return [tuple(group) for group in groups.values() if len(group) >= 2]


def by_recursion(vectors, threshold):
    near = cosine_similarity(vectors) >= threshold
    seen = set()

    def visit(i, group):
        seen.add(i)
        group.append(i)
        for j in np.where(near[i])[0]:
            if j not in seen:
                visit(j, group)
        return group

    found = [visit(i, []) for i in range(len(vectors)) if i not in seen]
    return [np.sort(group) for group in found if len(group) > 1]


def by_spreading_labels(vectors, threshold):
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    near = unit @ unit.T >= threshold
    np.fill_diagonal(near, True)
    labels = np.arange(len(vectors))
    while True:
        new = np.array([labels[row].min() for row in near])
        if (new == labels).all():
            break
        labels = new
    values, counts = np.unique(labels, return_counts=True)
    return [[int(i) for i in np.flatnonzero(labels == v)] for v in values[counts > 1]]


def by_merging_sets(vectors, threshold):
    s = cosine_similarity(vectors)
    groups = []
    for i, j in combinations(range(len(vectors)), 2):
        if s[i, j] >= threshold:
            touched = [g for g in groups if i in g or j in g]
            groups = [g for g in groups if g not in touched] + [{i, j}.union(*touched)]
    return sorted(map(sorted, groups))


# 8.5 Wrong


def above_only(vectors, threshold):
    return by_graph(vectors, np.nextafter(threshold, 2))


def not_normalised(vectors, threshold):
    _, label = connected_components(vectors @ vectors.T >= threshold)
    groups = [np.flatnonzero(label == c).tolist() for c in np.unique(label)]
    return sorted(group for group in groups if len(group) > 1)


def pairs(vectors, threshold):
    s = cosine_similarity(vectors)
    return [[i, j] for i, j in combinations(range(len(s)), 2) if s[i, j] >= threshold]


def direct_ones(vectors, threshold):
    s = cosine_similarity(vectors)
    used, groups = set(), []
    for i in range(len(s)):
        if i not in used:
            group = [j for j in range(i, len(s)) if s[i, j] >= threshold and j not in used]
            if i in group and len(group) > 1:
                used.update(group)
                groups.append(group)
    return groups


def first_group_that_fits(vectors, threshold):
    s = cosine_similarity(vectors)
    groups = []
    for i in range(len(s)):
        for group in groups:
            if any(s[i, j] >= threshold for j in group):
                group.append(i)
                break
        else:
            groups.append([i])
    return [group for group in groups if len(group) > 1]


def never_merges(vectors, threshold):
    groups = []
    for i, j in pairs(vectors, threshold):
        for group in groups:
            if i in group or j in group:
                group.update((i, j))
                break
        else:
            groups.append({i, j})
    return sorted(sorted(group) for group in groups)


def with_singles(vectors, threshold):
    _, label = connected_components(cosine_similarity(vectors) >= threshold)
    return sorted(np.flatnonzero(label == c).tolist() for c in np.unique(label))


def a_row_each(vectors, threshold):
    s = cosine_similarity(vectors) >= threshold
    return [np.flatnonzero(row).tolist() for row in s if row.sum() > 1]


def largest_first(vectors, threshold):
    return sorted(by_graph(vectors, threshold), key=len, reverse=True)


def sets(vectors, threshold):
    return [set(group) for group in by_graph(vectors, threshold)]


def not_ascending(vectors, threshold):
    return [group[::-1] for group in by_graph(vectors, threshold)]


def flat(vectors, threshold):
    return sum(by_graph(vectors, threshold), [])  # noqa: RUF017


def none_for_nothing(vectors, threshold):
    return by_graph(vectors, threshold) or None


def all_with_all(vectors, threshold):
    s = cosine_similarity(vectors) >= threshold
    groups = []
    for i in range(len(s)):
        for group in groups:
            if s[i, group].all():
                group.append(i)
                break
        else:
            groups.append([i])
    return [group for group in groups if len(group) > 1]


def far_apart(vectors, threshold):
    distance = 1 - cosine_similarity(vectors)
    np.fill_diagonal(distance, 0)
    _, label = connected_components(distance >= threshold)
    groups = [np.flatnonzero(label == c).tolist() for c in np.unique(label)]
    return sorted(group for group in groups if len(group) > 1)


def rounds_first(vectors, threshold):
    _, label = connected_components(cosine_similarity(vectors).round(2) >= threshold)
    groups = [np.flatnonzero(label == c).tolist() for c in np.unique(label)]
    return sorted(group for group in groups if len(group) > 1)


def singles_last(vectors, threshold):
    groups = by_graph(vectors, threshold)
    return groups + [[i] for i in range(len(vectors)) if not any(i in g for g in groups)]


def overlapping(vectors, threshold):
    s = cosine_similarity(vectors)
    groups = []
    for i in range(len(s)):
        if not any(i in group for group in groups):
            group = [j for j in range(len(s)) if s[i, j] >= threshold]
            if len(group) > 1:
                groups.append(group)
    return groups


def labels(vectors, threshold):
    return connected_components(cosine_similarity(vectors) >= threshold)[1]


# More wrong answers, for all exercises


def named(*, average=None, weight=None, order=lambda pair: (-pair[1], pair[0]), repeated=False):
    def name_words(words_by_cluster, k):
        everywhere = Counter(chain(*words_by_cluster.values()))
        mean = (average or (lambda words, clusters: words / clusters))(
            everywhere.total(), len(words_by_cluster)
        )
        names = {}
        for label, words in words_by_cluster.items():
            pairs = [
                (word, words.count(word) / len(words) * (weight or _ln)(mean, everywhere[word]))
                for word in (words if repeated else set(words))
            ]
            names[label] = sorted(pairs, key=order)[:k]
        return names

    return name_words


def _ln(mean, everywhere):
    return math.log(1 + mean / everywhere)


def pure_share(labels, categories):
    groups = (categories[labels == label].tolist() for label in set(labels.tolist()))
    return sum(max(map(group.count, group)) for group in groups) / len(labels)


def from_purities(value):
    def purity_above_chance(labels, shuffled, categories):
        levels = [pure_share(other, categories) for other in shuffled]
        return value(pure_share(labels, categories), np.array(levels))

    return purity_above_chance


def category_of_the_first_text(labels, shuffled, categories):
    def purity(labels):
        firsts = {label: categories[np.argmax(labels == label)] for label in labels.tolist()}
        return np.mean(np.array([firsts[label] for label in labels.tolist()]) == categories)

    chance = np.mean([purity(other) for other in shuffled])
    return 0 if chance == 1 else (purity(labels) - chance) / (1 - chance)


def only_unequal_runs(clusterings):
    pairs = [(a, b) for a in clusterings for b in clusterings if not np.array_equal(a, b)]
    return np.mean([adjusted_rand_score(a, b) for a, b in pairs])


def sum_of_both_triangles(clusterings):
    runs = range(len(clusterings))
    total = sum(
        adjusted_rand_score(clusterings[i], clusterings[j]) for i in runs for j in runs if i != j
    )
    return total / (len(runs) * (len(runs) - 1) / 2)


def two_and_two(clusterings):
    pairs = zip(clusterings[::2], clusterings[1::2], strict=False)
    return np.mean([adjusted_rand_score(a, b) for a, b in pairs])


def grouped(labels):
    groups = [np.flatnonzero(labels == label).tolist() for label in np.unique(labels)]
    return sorted(group for group in groups if len(group) > 1)


def cosines_of(vectors):
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit @ unit.T


def distance_for_cosine(vectors, threshold):
    return grouped(connected_components(1 - cosines_of(vectors) <= threshold)[1])


def next_rows_only(vectors, threshold):
    linked = np.diag(cosines_of(vectors), 1) >= threshold
    return grouped(np.cumsum([0, *~linked]))


def one_row_relabelled(vectors, threshold):
    cosines, labels = cosines_of(vectors), np.arange(len(vectors))
    for i in range(len(vectors)):
        for j in range(i + 1, len(vectors)):
            if cosines[i, j] >= threshold:
                labels[j] = labels[i]
    return grouped(labels)


def by_largest_value(vectors, centres):
    return np.argmax(vectors @ (centres / np.abs(centres).max(axis=1, keepdims=True)).T, axis=1)


def fourteen_centres(vectors, centres):
    return by_scikit(vectors, centres[:14])


def most_common_words(words_by_cluster, k):
    return {label: Counter(words).most_common(k) for label, words in words_by_cluster.items()}


def from_zero_to_the_largest(labels, shuffled, categories):
    def purity(numbers):
        counts = (Counter(categories[numbers == c].tolist()) for c in range(max(numbers) + 1))
        return sum(max(count.values(), default=0) for count in counts) / len(numbers)

    level = np.mean([purity(other) for other in shuffled])
    return 0 if level == 1 else (purity(labels) - level) / (1 - level)


def gaps_are_empty(labels, shuffled, categories):
    def purity(numbers):
        counts = (Counter(categories[numbers == c].tolist()) for c in range(max(numbers) + 1))
        return sum(max(count.values()) for count in counts) / len(numbers)

    level = np.mean([purity(other) for other in shuffled])
    return 0 if level == 1 else (purity(labels) - level) / (1 - level)


def no_single_ones(labels, shuffled, categories):
    def purity(numbers):
        counts = (Counter(categories[numbers == c].tolist()) for c in np.unique(numbers))
        return sum(max(n.values()) for n in counts if n.total() > 1) / len(numbers)

    level = np.mean([purity(other) for other in shuffled])
    return 0 if level == 1 else (purity(labels) - level) / (1 - level)


def one_heap(labels, shuffled, categories):
    level = pure(np.concatenate(shuffled), np.tile(categories, len(shuffled)))
    return 0 if level == 1 else (pure(labels, categories) - level) / (1 - level)


def from_zero_upwards(clusterings):
    return max(0, with_combinations(clusterings))


def without_the_last_run(clusterings):
    n = len(clusterings)
    values = [
        adjusted_rand_score(clusterings[i], clusterings[j])
        for i in range(n - 1)
        for j in range(i + 1, n - 1)
    ]
    return sum(values) / len(values)


def numbers_of_neighbours(clusterings):
    return np.mean([(one == other).mean() for one, other in pairwise(clusterings)])


def merged_and_left_behind(vectors, threshold):
    groups = []
    for row in cosines_of(vectors) >= threshold:
        near = set(np.flatnonzero(row).tolist())
        met = [group for group in groups if group & near]
        groups = [group for group in groups if not group & near]
        groups.append(near.union(*met))
    return [sorted(group) for group in groups if len(group) > 1]


def a_threshold_of_its_own(vectors, threshold):
    return by_graph(vectors, 0.75)


def by_euclidean_distance(vectors, threshold):
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return grouped(connected_components(cdist(unit, unit) <= threshold)[1])


def complete_linkage(vectors, threshold):
    if len(vectors) < 2:
        return []
    tree = linkage(vectors, "complete", metric="cosine")
    return grouped(fcluster(tree, 1 - threshold, "distance"))


def three_links_far(vectors, threshold):
    linked = (cosines_of(vectors) >= threshold).astype(int)
    reached, taken, groups = linked @ linked @ linked > 0, set(), []
    for row in range(len(vectors)):
        group = [j for j in np.flatnonzero(reached[row]).tolist() if j not in taken]
        if row not in taken and len(group) > 1:
            groups.append(group)
            taken |= set(group)
    return groups


PROOFS = {
    "8.1": Proof(
        right=(by_scikit, one_by_one, by_distance_of_directions, by_scipy),
        wrong=(
            (as_found, "the lengths of the centres still count"),
            (farthest, "*smallest* cosine"),
            (nearest_as_they_are, "Euclidean distance to centres as they are"),
            (largest_distance, "centre at the *largest* distance."),
            (largest_cosine_distance, "*smallest* cosine, the farthest one"),
            (columns_normalised, "norms of the columns"),
            (nearest_text, "for each centre you return its nearest text"),
            (from_one, "counted from 1"),
            (highest_cosine, "`argmax`, not `max`"),
            (all_cosines, "you return all cosines"),
            (as_a_list, "is a list"),
            (without_sign, "without its sign"),
            (half_way, "the centres keep their lengths"),
            (centred, "not where their cosine is largest"),
            (ranking, "a row for each text"),
            (in_place, "changes its second argument in place"),
            (by_largest_value, "its largest absolute value"),
            (fourteen_centres, "of 30 texts"),
        ),
    ),
    "8.2": Proof(
        right=(with_plain_dicts, with_arrays, smallest_of_negatives),
        wrong=(
            (frequent_words, "these are counts within the cluster"),
            (counts_for_shares, "It should be its share"),
            (one_forgotten, "the 1 in the logarithm is missing"),
            (other_base, "another base"),
            (upside_down, "upside down"),
            (textbook_tf_idf, "the number of clusters that have the word"),
            (average_is_total, "your A is the number of all words"),
            (average_of_different, "your A counts each different word"),
            (ties_as_they_come, "in the order in which they occur"),
            (ties_reversed, "reverse alphabetical order"),
            (lightest_first, "words of *smallest* weight come first"),
            (words_alone, "the weights are missing"),
            (weight_first, "the word stands first"),
            (list_of_names, "you return a list"),
            (rounded_weights, "the weights are rounded"),
            (division_by_zero, "until a cluster holds no words at all"),
            (empty_dropped, "missing from what you return, and from the average"),
            (named(weight=lambda mean, count: math.log((1 + mean) / count)), "your brackets"),
            (named(average=lambda words, clusters: words // clusters), "`//` drops"),
            (named(order=None), "the first by alphabet"),
            (named(repeated=True), "as often as it occurs"),
            (most_common_words, "(`most_common`?)"),
        ),
    ),
    "8.3": Proof(
        right=(with_counters, with_a_table, with_sets),
        wrong=(
            (
                above_chance(lambda c, names: shares_of(c, names).mean()),
                "you divide by the number of clusters",
            ),
            (above_chance(lambda c, names: shares_of(c, names).sum()), "purity is a share"),
            (above_chance(of_clusters_from_zero), "whose cluster has a negative number"),
            (above_chance(like_the_last), "the *last* text of their cluster"),
            (above_chance(formula=lambda p, c: p - c / 1 - c), "is a - b - b"),
            (above_chance(chance=lambda values: sum(values) / 20), "you divide by 20"),
            (formula_for_each, "the whole formula for each of the shuffled"),
            (own_shuffles, "whatever the shuffled labels are"),
            (with_the_labels, "takes in the labels themselves"),
            (purity_alone, "this is the purity itself"),
            (difference, "do not divide by 1 - chance"),
            (ratio, "a ratio"),
            (best_shuffle, "the *best* of the shuffled labels"),
            (first_shuffle, "the first of the shuffled labels only"),
            (clusters_alike, "a cluster of two counts as much"),
            (roles_swapped, "roles are swapped"),
            (no_negatives, "you cut off at 0"),
            (zero_by_zero, "0 divided by 0 is no number"),
            (one_when_alone, "you return 1. Every shuffle"),
            (numbered_from_zero, "some are never looked at"),
            (ari_instead, "the adjusted Rand index"),
            (no_sign, "never negative"),
            (other_denominator, "you divide by 1 - purity"),
            (largest_section, "the share of the largest category"),
            (
                from_purities(
                    lambda own, levels: (
                        0
                        if own == 1 or levels.mean() == 1
                        else (own - levels.mean()) / (1 - levels.mean())
                    )
                ),
                "not where purity is",
            ),
            (
                from_purities(lambda own, levels: (levels.mean() - own) / (1 - own)),
                "have changed places",
            ),
            (
                from_purities(lambda own, levels: (own - levels.sum()) / (1 - levels.sum())),
                "the sum over the shuffled labels",
            ),
            (category_of_the_first_text, "of the *first* text"),
            (from_zero_to_the_largest, "numbered -1, 4, 5"),
            (gaps_are_empty, "The clusters are numbered with gaps"),
            (no_single_ones, "the clusters of a single text"),
            (one_heap, "into one heap"),
        ),
    ),
    "8.4": Proof(
        right=(with_combinations, whole_matrix_without_diagonal, ari_by_hand),
        wrong=(
            (mean_of_means, "then the mean of the means"),
            (best_partners, "the one that is most like it"),
            (same_numbers, "you compare the numbers of the clusters"),
            (with_itself, "compared with itself as well"),
            (triangle_with_diagonal, "Let the second index begin one further on"),
            (next_ones, "with the next one only"),
            (first_and_others, "with the first one only"),
            (not_adjusted, "without its correction"),
            (information, "the normalised mutual information"),
            (triangle_of_zeros, "which keeps its zeros"),
            (total, "the sum over the pairs"),
            (by_runs, "by the number of runs"),
            (worst, "the worst of the pairs"),
            (each_pair, "you return several numbers"),
            (first_pair, "the first two runs only"),
            (only_unequal_runs, "came out alike are a pair"),
            (sum_of_both_triangles, "has each pair twice"),
            (two_and_two, "the third with the fourth"),
            (from_zero_upwards, "you cut off at 0"),
            (without_the_last_run, "The last run is missing"),
            (numbers_of_neighbours, "two mistakes: you compare each run with the next one"),
        ),
    ),
    "8.5": Proof(
        right=(by_graph, by_union_find, by_recursion, by_spreading_labels, by_merging_sets),
        wrong=(
            (above_only, "exactly the threshold is a link"),
            (not_normalised, "groups by dot product"),
            (pairs, "you return pairs"),
            (direct_ones, "What is linked with *those*"),
            (first_group_that_fits, "If it is linked with two"),
            (never_merges, "leaves the other one standing"),
            (with_singles, "groups of one"),
            (a_row_each, "a group for every row"),
            (largest_first, "sorted by size"),
            (sets, "is a set"),
            (not_ascending, "not in ascending order"),
            (flat, "a flat list"),
            (none_for_nothing, "no group, return an empty list"),
            (all_with_all, "with *every* member"),
            (far_apart, "what is *far* apart"),
            (rounds_first, "You round the cosines"),
            (singles_last, "is a group of 1"),
            (overlapping, "stands in two of your groups"),
            (labels, "the number of its group for each text"),
            (distance_for_cosine, "cosine *distance* with the threshold"),
            (next_rows_only, "with the next one only"),
            (one_row_relabelled, "who had its old label"),
            (merged_and_left_behind, "your groups begin with the rows [1, 0, 2]"),
            (a_threshold_of_its_own, "Your threshold is 0.75"),
            (by_euclidean_distance, "You compare the Euclidean distance"),
            (complete_linkage, "(average or complete linkage)"),
            (three_links_far, "but only so far"),
        ),
    ),
}
