"""Answers to practice 08, clustering."""

import math
from collections import Counter, defaultdict
from itertools import combinations

import numpy as np
from scipy.sparse.csgraph import connected_components
from sklearn.metrics import adjusted_rand_score
from sklearn.metrics.pairwise import cosine_similarity

from . import Proof

# 8.1


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


def in_place(vectors, centres):
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    return (vectors @ centres.T).argmax(axis=1)


# 8.2


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


# 8.3


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


def with_sets(labels, shuffled, categories):
    sections = set(categories)

    def hits(given):
        return sum(max(sum((given == c) & (categories == s)) for s in sections) for c in set(given))

    chance = np.mean([hits(other) for other in shuffled])
    n = len(labels)
    return (hits(labels) - chance) / (n - chance) if chance < n else 0.0


def pure(labels, categories):
    return sum(
        Counter(categories[labels == c]).most_common(1)[0][1] for c in np.unique(labels)
    ) / len(labels)


def zero_by_zero(labels, shuffled, categories):
    chance = np.mean([pure(s, categories) for s in shuffled])
    return (pure(labels, categories) - chance) / (1 - chance)


# 8.4


def with_combinations(clusterings):
    return np.mean([adjusted_rand_score(a, b) for a, b in combinations(clusterings, 2)])


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


def each_pair(clusterings):
    return [adjusted_rand_score(a, b) for a, b in combinations(clusterings, 2)]


# 8.5


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


def by_merging_sets(vectors, threshold):
    s = cosine_similarity(vectors)
    groups = []
    for i, j in combinations(range(len(vectors)), 2):
        if s[i, j] >= threshold:
            touched = [g for g in groups if i in g or j in g]
            groups = [g for g in groups if g not in touched] + [{i, j}.union(*touched)]
    return sorted(map(sorted, groups))


FOUND = []


def keeps_between_calls(vectors, threshold):
    FOUND.extend(by_graph(vectors, threshold))
    return FOUND


PROOFS = {
    "8.1": Proof(
        right=(by_scikit, one_by_one),
        wrong=(
            (lambda vectors, centres: by_scikit(vectors, centres).tolist(), "is a list"),
            (cosine_similarity, "has shape (2, 2); it should have (2,)"),
            (in_place, "changes `centres` in place"),
        ),
    ),
    "8.2": Proof(
        right=(with_plain_dicts, with_arrays),
        wrong=(
            (lambda words, k: list(with_arrays(words, k).values()), "asks for a dictionary"),
            (lambda words, k: print(with_arrays(words, k)), "prints its result"),
        ),
    ),
    "8.3": Proof(right=(with_counters, with_sets), wrong=((zero_by_zero, "is NaN, not a number"),)),
    "8.4": Proof(
        right=(with_combinations, ari_by_hand), wrong=((each_pair, "asks for one number"),)
    ),
    "8.5": Proof(
        right=(by_graph, by_union_find, by_recursion, by_merging_sets),
        wrong=(
            (keeps_between_calls, "another answer when it is called a second time"),
            (lambda v, t: [set(group) for group in by_graph(v, t)], "is a set"),
            (lambda v, t: [row for group in by_graph(v, t) for row in group], "a group is 0"),
        ),
    ),
}
