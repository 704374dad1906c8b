"""The checks of practice 08, clustering."""

from collections import Counter
from itertools import combinations

import numpy as np

from helpers.checks.frame import exercise
from helpers.checks.reading import array, integers, mapping, number, sequence

# 8.1


def unit(rows, axis=1):
    return rows / np.linalg.norm(rows, axis=axis, keepdims=True)


def cosines(v, c):
    return unit(v) @ unit(c).T


def distances(v, c):
    return np.linalg.norm(v[:, None] - c[None], axis=2)


@exercise(
    "8.1",
    level=1,
    title="Whose circle is this?",
    names=["assign"],
    hints=[
        "The texts are normalised in the function as found. What else goes into a cosine?",
        "Print `np.linalg.norm(clusters.centres, axis=1)`. Longer centres have larger products.",
        "Divide each centre by its norm, `np.linalg.norm(centres, axis=1, keepdims=True)`.",
    ],
)
class Assign:
    """Centres of different lengths, texts of different lengths, one text, one centre."""

    reads = array
    praise = "right: by direction alone. A long centre no longer draws what is not its own."

    def reference(vectors, centres):
        return np.argmax(cosines(vectors, centres), axis=1)

    def cases():
        yield np.array([[3.0, 1.0], [0.0, 2.0]]), np.array([[1.0, 0.0], [3.0, 3.0]])
        centres = np.array([[0.5, 0.0], [-4.0, 1.0], [1.0, -3.0]])
        yield np.array([[2.0, -1.5], [-2.0, 3.0], [0.1, 0.0], [1.0, 1.0]]), centres
        yield np.array([[1.0, -1.0]]), centres
        rng = np.random.default_rng(81)
        for texts, clusters, dimension in ((9, 5, 3), (4, 1, 2), (25, 21, 6), (12, 17, 4)):
            lengths = rng.uniform(0.2, 3, (clusters, 1))
            vectors = (rng.normal(size=(texts, dimension)) + 0.3) * rng.uniform(0.2, 5, (texts, 1))
            yield vectors, rng.normal(size=(clusters, dimension)) * lengths

    mistakes = """
        np.argmax(vectors @ centres.T, axis=1)
            the lengths of the centres still count: long ones win texts that are none of theirs.
        np.argmin(cosines(vectors, centres), axis=1)
            you return the *farthest* centre: its cosine is the smallest.
        np.argmin(distances(vectors, centres), axis=1)
            this is the nearest by Euclidean distance, and the lengths of the centres count in it.
        np.argmax(vectors @ unit(centres, 0).T, axis=1)
        np.argmax(vectors @ (centres / np.abs(centres).max(axis=1, keepdims=True)).T, axis=1)
            you divide by something else than each centre's own norm: `axis=1`, all its squares.
        np.argmax(cosines(vectors, centres), axis=0)
            for each centre you return its nearest text. Return for each text its nearest centre.
        cosines(vectors, centres).max(axis=1)
            you return the largest cosine. Which centre is it from? `argmax`, not `max`.
        np.argmax(np.abs(cosines(vectors, centres)), axis=1)
            you look for the largest cosine without its sign: an opposite centre is not near.
    """


# 8.2


def share_and_log(n, size, mean, everywhere, having):
    """Return the weight of a word."""
    return n / size * np.log(1 + mean / everywhere)


def of_all(words):
    return sum(map(len, words.values())) / len(words)


def by_weight(pair):
    return -pair[1], pair[0]


def named(words, k, weight=share_and_log, mean=of_all, order=by_weight):
    """Return the `k` best words of each cluster with their weights."""
    counts = {label: Counter(found) for label, found in words.items()}
    everywhere = sum(counts.values(), Counter())
    having = Counter(word for count in counts.values() for word in count)
    names = {}
    for label, count in counts.items():
        of = {
            word: float(weight(n, count.total(), mean(words), everywhere[word], having[word]))
            for word, n in count.items()
        }
        names[label] = sorted(of.items(), key=order)[:k]
    return names


@exercise(
    "8.2",
    level=2,
    title="A name from its own words",
    names=["name_words"],
    hints=[
        "Count a word in its cluster, all words there, and the word in all clusters together.",
        "`sum(counts.values(), Counter())` adds Counters up; `counter.total()` counts all words.",
        "Sort `weights.items()` by `key=lambda pair: (-pair[1], pair[0])`. Then `[:k]`.",
    ],
)
class NameWords:
    """The formula, ties by alphabet, short clusters, empty ones."""

    reads = mapping
    praise = "right: frequent here, rare elsewhere, and ties by alphabet."

    def reference(words_by_cluster, k):
        return named(words_by_cluster, k)

    def cases():
        yield {"a": ["sea", "sea", "sea", "fish"], "b": ["sea", "oar", "boat"]}, 2
        yield {"a": ["fern", "ash"], "b": ["elm", "elm", "elm"]}, 1
        yield {7: ["wren", "moss", "fern", "moss"], 3: ["zinc", "clay", "iron"], 5: ["moss"] * 6}, 3
        yield {"a": ["tide", "tide", "oar"], "b": [], "c": ["oar", "oar"]}, 2
        rng = np.random.default_rng(82)
        for sizes, k in (((40, 15, 90), 4), ((12, 0, 30, 2), 3), ((35, 60), 1)):
            drawn = (rng.binomial(10, 0.2 + c / 5, size) for c, size in enumerate(sizes))
            yield {c: [*map("kjihgfedcba".__getitem__, x)] for c, x in enumerate(drawn)}, k

    mistakes = """
        named(words_by_cluster, k, lambda n, *_: n)
        {label: Counter(words).most_common(k) for label, words in words_by_cluster.items()}
            these are counts or shares in the cluster. The second factor, the logarithm, is missing.
        named(words_by_cluster, k, lambda n, size, *more: size * share_and_log(n, size, *more))
            you use the count of the word in its cluster. Divide by the number of words in it.
        named(words_by_cluster, k, lambda n, size, A, all, _: n / size * np.log(A / all))
        named(words_by_cluster, k, lambda n, size, A, all, _: n / size * np.log((1 + A) / all))
        named(words_by_cluster, k, lambda n, size, A, all, _: n / size * np.log(1 + all / A))
        named(words_by_cluster, k, lambda *counts: share_and_log(*counts) / np.log(10))
            your logarithm is not the task's: ln(1 + A / count), the natural one, `np.log`.
        named(words_by_cluster, k, lambda n, size, *a: n / size * np.log(len(words_by_cluster) / a[2]))
            you count the clusters that have the word. Count how often it occurs in all of them.
        named(words_by_cluster, k, mean=lambda words: sum(map(len, words.values())))
        named(words_by_cluster, k, mean=lambda words: of_all({c: set(x) for c, x in words.items()}))
        named(words_by_cluster, k, mean=lambda words: of_all(words) // 1)
            A is the number of all words, repetitions too, `/` the number of clusters. Yours is not.
        named(words_by_cluster, k, order=lambda pair: -pair[1])
        named(words_by_cluster, k, order=lambda pair: (-pair[1], [-ord(c) for c in pair[0]]))
            words of equal weight are not by alphabet. (`reverse=True` turns it round, too.)
        named(words_by_cluster, k, order=lambda pair: (pair[1], pair[0]))
        named(words_by_cluster, k, order=lambda pair: pair[0])
            you do not sort by weight, largest first: `key=lambda pair: (-pair[1], pair[0])`.
        named({label: words for label, words in words_by_cluster.items() if words}, k)
            a cluster without words is missing, and missing in A. Its list is empty, and it counts.
    """


# 8.3


def largest(labels, categories, clusters=None):
    """Return how many texts of each cluster have its most frequent category."""
    clusters = np.unique(labels) if clusters is None else clusters
    counts = (Counter(categories[labels == cluster]) for cluster in clusters)
    return np.array([max(count.values(), default=0) for count in counts])


def sizes(labels):
    return np.unique(labels, return_counts=True)[1]


def purity(labels, categories, clusters=None):
    """Return the share of texts that have the most frequent category of their cluster."""
    return largest(labels, categories, clusters).sum() / len(labels)


def formula(own, chance):
    """Return what is above chance."""
    return 0.0 if np.isclose(chance, 1) else (own - chance) / (1 - chance)


def above(labels, shuffled, categories, measure=purity, middle=np.mean, formula=formula):
    """Return a measure of labels, corrected for chance."""
    chance = middle([measure(other, categories) for other in shuffled])
    return float(formula(measure(labels, categories), chance))


def rand(first, second, adjusted=False):
    """Return the share of pairs of texts that are together, or apart, in both; or ARI."""
    others = ~np.eye(len(first), dtype=bool)
    a, b = (np.equal.outer(x, x)[others] for x in (first, second))
    chance = a.mean() * b.mean()
    corrected = ((a & b).mean() - chance) / ((a.mean() + b.mean()) / 2 - chance)
    return corrected if adjusted else (a == b).mean()


def ari(first, second):
    return rand(first, second, adjusted=True)


@exercise(
    "8.3",
    level=2,
    title="Purity is patient",
    names=["purity_above_chance"],
    hints=[
        "Write `purity(labels)` first. You will call it for `labels` and for each of `shuffled`.",
        "`Counter(categories[labels == c].tolist()).most_common(1)` counts the most frequent.",
        "`chance = np.mean([purity(other) for other in shuffled])`; where that is 1, return 0.",
    ],
)
class PurityAboveChance:
    """Unequal clusters, numbers with gaps, perfect ones, and one cluster for each text."""

    reads = number
    praise = "right: above chance. Fine clusters no longer get their purity for nothing."

    def reference(labels, shuffled, categories):
        return above(labels, shuffled, categories)

    def cases():
        rng = np.random.default_rng(83)
        of = np.array(["arts", "food", "food", "arts", "food"])
        yield np.array([9, 4, 4, 4, 4]), [np.array([4, 9, 4, 4, 4]), np.array([4, 4, 4, 9, 4])], of
        yield np.array([2, -7, -7, 2, -7]), [np.array([2, 2, -7, -7, -7])], of
        yield np.array([2, -7, -7, -7, -7]), [np.array([2, 2, -7, -7, -7])], of
        yield np.array([5, 9, 9, 5, 3]), [np.array([9, 5, 9, 5, 3]), np.array([5, 9, 5, 3, 9])], of
        crossed, halves, right = np.array([[0, 1, 1, 0], [0, 0, 1, 1], [1, 0, 1, 0]])
        yield crossed, [halves, right], right
        yield crossed, [halves, right, halves], right
        yield np.arange(4), [np.array([3, 1, 0, 2]), np.array([2, 0, 3, 1])], right
        yield np.arange(5), [np.array([1, 0, 2, 4, 3])], of
        names = np.array(["arts", "courts", "food", "sport"])
        for n, numbers in ((31, (-1, 4, 5)), (60, (2, 3, 7, 11, 12)), (50, range(1, 40, 2))):
            categories = names[rng.integers(0, 4, n)]
            near = np.array(numbers)[np.unique(categories, return_inverse=True)[1] % len(numbers)]
            labels = np.where(rng.random(n) < 0.5, near, rng.choice(numbers, n))
            yield labels, [rng.permutation(labels) for _ in range(4)], categories

    mistakes = """
        purity(labels, categories)
            this is the purity itself. What chance gives has not been taken off.
        above(labels, shuffled, categories, formula=lambda p, c: p - c)
        above(labels, shuffled, categories, formula=lambda p, c: p - 2 * c)
        above(labels, shuffled, categories, formula=lambda p, c: p / c)
        above(labels, shuffled, categories, formula=lambda p, c: (p - c) / (1 - p) if p < 1 else 0)
        above(labels, shuffled, categories, formula=lambda p, c: (c - p) / (1 - p))
            your formula is not the task's: `(purity - chance) / (1 - chance)`, with its brackets.
        above(labels, shuffled, categories, formula=lambda p, c: 1.0 if c == 1 else formula(p, c))
        above(labels, shuffled, categories, formula=lambda p, c: formula(p, c) if p < 1 else 0)
            return 0 where *chance* is 1: not 1, and not where purity is 1.
        above(labels, shuffled, categories, middle=max)
        above(labels, shuffled[:1], categories)
        above(labels, shuffled, categories, middle=lambda values: sum(values) / 20)
        above(labels, [labels, *shuffled], categories)
        np.mean([above(labels, [other], categories) for other in shuffled])
            take the mean of the purities of all of `shuffled`, of these alone; then the formula once.
        formula(purity(labels, categories), Counter(categories).most_common(1)[0][1] / len(labels))
            your chance is the share of the largest category. Measure it on `shuffled`.
        above(labels, shuffled, categories, lambda c, of: (largest(c, of) / sizes(c)).mean())
        above(labels, shuffled, categories, lambda c, of: largest(c, of).mean())
        above(labels, shuffled, categories, lambda c, of: largest(c, of).sum())
            purity is a share of all texts, not a mean over clusters: divide by how many texts there are.
        above(labels, shuffled, categories, lambda c, of: purity(of, c))
            you ask in which cluster most texts of a *category* are. Purity goes by cluster.
        above(labels, shuffled, categories, lambda c, of: purity(c, of, range(len(set(c)))))
        above(labels, shuffled, categories, lambda c, of: purity(c, of, range(max(c) + 1)))
        above(labels, shuffled, categories, lambda c, of: purity(c[c >= 0], of[c >= 0]))
        above(labels, shuffled, categories, lambda c, of: largest(c, of) @ (sizes(c) > 1) / len(c))
            you leave some clusters out: below 0, of one text, or not 0, 1, 2, …: `np.unique(labels)`.
        max(0.0, reference(labels, shuffled, categories))
            you cut off at 0. Clusters can be worse than chance.
        ari(labels, categories)
            this is the adjusted Rand index, which counts pairs. Purity was asked for.
    """


# 8.4


def of_pairs(runs, measure=ari, pairs=lambda runs: combinations(runs, 2)):
    """Return a measure of pairs of runs."""
    return np.array([measure(a, b) for a, b in pairs(runs)])


@exercise(
    "8.4",
    level=2,
    title="Real or not",
    names=["stability"],
    hints=[
        "How many pairs do four runs make? Six: each with each other, none with itself.",
        "`itertools.combinations(clusterings, 2)` gives all pairs of different runs.",
        "`np.mean([adjusted_rand_score(a, b) for a, b in combinations(clusterings, 2)])`",
    ],
)
class Stability:
    """Permuted numbers, every pair once, no run with itself, runs that are alike."""

    reads = number
    praise = "right: every pair once, none with itself, and the clusters' numbers do not matter."

    def reference(clusterings):
        return float(of_pairs(clusterings).mean())

    def cases():
        halves, crossed = np.array([0, 0, 0, 1, 1, 1]), np.array([0, 1, 0, 1, 0, 1])
        yield ([halves, crossed, 1 - crossed],)
        yield ([halves, np.array([2, 2, 1, 0, 0, 0]), np.array([0, 0, 1, 1, 1, 1])],)
        yield ([np.array([0, 0, 1, 1, 1]), np.array([1, 1, 0, 0, 1])],)
        yield ([halves, crossed],)
        yield ([halves[1:5], crossed[1:5]],)
        yield ([halves, np.array([0, 1, 1, 1, 0, 0]), halves],)
        rng = np.random.default_rng(84)
        for texts, clusters, runs in ((20, 4, 4), (30, 3, 5), (16, 5, 6)):
            true, found = rng.integers(0, clusters, texts), []
            for share in rng.permutation(np.linspace(0.3, 1, runs)):
                drawn = np.where(rng.random(texts) < share, true, rng.integers(0, clusters, texts))
                found.append(rng.permutation(clusters)[drawn])
            yield (found,)
        yield ([*found[:3], found[1], found[3]],)

    mistakes = """
        of_pairs(clusterings, lambda a, b: (a == b).mean()).mean()
            you compare the numbers of the clusters, which are names. Which texts are *together*?
        of_pairs(clusterings, ari, lambda runs: [(a, b) for a in runs for b in runs]).mean()
        np.mean([*of_pairs(clusterings), *np.ones(len(clusterings))])
            each run is compared with itself as well, which always gives 1. Leave that out.
        np.mean([x for x in of_pairs(clusterings) if x < 1 - 1e-9])
            runs that came out alike are a pair, too. Tell runs apart by their place in the list.
        of_pairs(clusterings, ari, lambda x: zip(x, x[1:])).mean()
        of_pairs(clusterings, ari, lambda x: [(x[0], other) for other in x[1:]]).mean()
        of_pairs(clusterings, ari, lambda runs: zip(runs[::2], runs[1::2])).mean()
        of_pairs(clusterings)[0]
        of_pairs(clusterings[:-1]).mean()
            you do not compare all pairs of runs: each with every other one, the last as well.
        of_pairs(clusterings, rand).mean()
            this is the Rand index without its correction for chance: `adjusted_rand_score`.
        of_pairs(clusterings).sum()
        of_pairs(clusterings).sum() / len(clusterings)
        of_pairs(clusterings).sum() / len(clusterings) ** 2
            divide the sum by the number of pairs, n (n - 1) / 2. (`np.triu` keeps its zeros.)
        of_pairs(clusterings).min()
            this is the worst of the pairs. The mean was asked for.
        max(0.0, reference(clusterings))
            you cut off at 0. Two runs can agree less than by chance.
    """


# 8.5


def by_label(labels, least=2):
    """Return the groups of `least` or more rows with the same label."""
    groups = [np.flatnonzero(labels == label).tolist() for label in dict.fromkeys(labels.tolist())]
    return [group for group in groups if len(group) >= least]


def chained(linked, least=2):
    """Return the groups that chains of links join."""
    labels = np.arange(len(linked))
    for i, j in np.argwhere(linked):
        labels[labels == labels[j]] = labels[i]
    return by_label(labels, least)


def near_first(linked):
    """For each row that is free yet: the row, and what is free and linked with it."""
    labels = -np.ones(len(linked))
    for i in range(len(linked)):
        if labels[i] < 0:
            labels[linked[i] & (labels < 0)] = i
    return by_label(labels)


def joining(linked):
    """Each row joins the first group that it is linked with."""
    groups = []
    for i in range(len(linked)):
        home = next((group for group in groups if linked[i, group].any()), None)
        if home is None:
            groups.append(home := [])
        home.append(i)
    return [group for group in groups if len(group) > 1]


def at(*degrees):
    """Return vectors in the plane at angles, of different lengths."""
    plane = np.exp(1j * np.deg2rad(degrees)) * np.resize([1, 2, 0.5], len(degrees))
    return np.column_stack([plane.real, plane.imag])


@exercise(
    "8.5",
    level=3,
    title="The same story twice",
    names=["duplicate_groups"],
    hints=[
        "Which rows are linked? Walk to the neighbours of a row, and to theirs, until nothing is new.",
        "Keep a set of the rows seen and a list of those to visit. When that is empty, the group is "
        "complete; begin the next one at the first row not seen yet.",
        "Or merge: every row begins with a group of its own, and a linked pair puts two together. "
        "`scipy.sparse.csgraph.connected_components` does it, too.",
    ],
)
class DuplicateGroups:
    """Chains, merges, lengths, the threshold itself, thresholds of 0, no groups, a long chain."""

    praise = "right: joined by chains of links, merged where they meet, and nobody stands alone."

    def reads(value):
        return [integers(group, "a group") for group in sequence(value)]

    def reference(vectors, threshold):
        return chained(cosines(vectors, vectors) >= threshold)

    def cases():
        yield np.array([[1.0, 0.0], [0.0, 2.0], [4.0, 1.0]]), 0.9
        yield np.array([[2.0, 0.0], [5.0, 0.0], [0.0, 1.0]]), 1.0
        yield np.array([[2.0, 0.0], [0.0, 5.0], [-1.0, -1.0], [-1.0, -2.0]]), 0.0
        yield np.array([[3.0, 0.0], [-3.0, 1.0], [1.0, 2.0]]), 0.0
        yield np.array([[1.0, 2.0]]), 0.5
        yield at(0, 90, 200), 0.8
        yield at(0, 14.6, 90), 0.97
        yield at(0, 40, 10, 30, 20, 100, 111, 180, 194.6), 0.97
        yield at(0, 121, 181, 123, 35, 183, 4, 185, 74, 244.7), 0.99
        yield at(150, 0, 50, 25, 152), 0.9
        yield at(5, 0, 22, 12, 32), 0.98
        rng = np.random.default_rng(85)
        yield at(*2.0 * rng.permutation(30), 140, 141), 0.999

    mistakes = """
        chained(vectors @ vectors.T >= threshold)
            these are groups by dot product: the rows have different lengths. Divide by the norms.
        chained(cosines(vectors, vectors).round(2) >= threshold)
            you round the cosines before you compare, so what lies a little below passes.
        chained(1 - cosines(vectors, vectors) <= threshold)
        chained(1 - cosines(vectors, vectors) >= threshold)
        chained(distances(unit(vectors), unit(vectors)) <= threshold)
            you compare a *distance* with the threshold. It is one for the cosine.
        reference(vectors, threshold or 0.8)
            a threshold of 0 is taken for none. `or` does that; ask `is None`.
        reference(vectors, 0.75)
            your threshold is always the same; the function is given one.
        by_label(np.cumsum([0, *~(np.diag(cosines(vectors, vectors), 1) >= threshold)]))
            you compare each row with the next one only. Texts are linked wherever they stand.
        np.argwhere(np.triu(cosines(vectors, vectors) >= threshold, 1)).tolist()
            you return pairs. A story told three times is one group of three.
        [x for x in map(list, map(np.flatnonzero, cosines(vectors, vectors) >= threshold)) if x[1:]]
            you return a group for every row, its neighbours. A text stands in one group only.
        near_first(cosines(vectors, vectors) >= threshold)
            you stop at the first row's links. Go on until nothing new turns up.
        joining(cosines(vectors, vectors) >= threshold)
            each row joins the first group that it is linked with. If there are two, merge them.
        chained(cosines(vectors, vectors) >= threshold, 1)
            texts without any link stand as groups of one. Groups of two or more were asked for.
        sorted(reference(vectors, threshold), key=len, reverse=True)
        sorted(reference(vectors, threshold), key=max)
        [group[::-1] for group in reference(vectors, threshold)]
            the groups are right, their order is not: in them, and among them, the smallest row first.
        reference(vectors, threshold) or None
            where there is no group, return an empty list, not None.
    """
