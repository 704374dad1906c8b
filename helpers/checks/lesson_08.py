"""The checks of practice 08, clustering."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import chain, pairwise

import numpy as np

from helpers.checks.exercise import (
    Answer,
    Case,
    Mistake,
    Wrong,
    array,
    describe,
    exercise,
    integers,
    judge,
    mapping,
    number,
    sequence,
)

# 8.1


def assign(vectors: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Return for each vector the row of the centre with the largest cosine."""
    return np.argmax(_unit(vectors) @ _unit(centres).T, axis=1)


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def _distances(vectors, centres):
    return np.linalg.norm(vectors[:, None] - centres[None], axis=2)


def _labels_read(value) -> np.ndarray:
    found = array(value)
    if found.ndim == 2:
        raise Wrong(
            f"you return an array of shape {found.shape}: a row for each text. One number was asked for, "
            "the row of its nearest centre: `np.argmax(…, axis=1)`."
        )
    return found


def _labels_agree(found: np.ndarray, expected: np.ndarray) -> bool:
    if found.shape != expected.shape:
        raise Wrong(
            f"you return {describe(found)} for {len(expected)} texts. One number for each was asked for, an "
            f"array of shape {expected.shape}."
        )
    others = np.flatnonzero(found != expected)
    if len(others):
        raise Wrong(
            f"{len(others)} of {len(expected)} texts are not where their cosine is largest: you send text "
            f"{others[0]} to centre {found[others[0]]:g}, its nearest is {expected[others[0]]}."
        )
    return True


@exercise(
    "8.1",
    level=1,
    title="Whose circle is this?",
    names=["assign"],
    hints=[
        "The texts are normalised in the function as found. What else goes into a cosine?",
        "Print `np.linalg.norm(clusters.centres, axis=1)`. A longer centre has larger dot products.",
        "Divide each centre by its norm, `centres / np.linalg.norm(centres, axis=1, keepdims=True)`, "
        "before you multiply.",
    ],
)
def exercise_8_1(answer: Answer) -> str:
    """Centres of different lengths, texts of different lengths, no square shapes."""
    rng = np.random.default_rng(81)
    cases = []
    for texts, clusters, dimension in ((40, 5, 3), (25, 7, 6), (3, 6, 4), (12, 1, 2), (30, 21, 5)):
        centres = rng.normal(size=(clusters, dimension)) * rng.uniform(0.2, 3, (clusters, 1))
        vectors = (rng.normal(size=(texts, dimension)) + 0.3) * rng.uniform(0.2, 5, (texts, 1))
        words = f"{texts} texts and {clusters} centres of different lengths"
        cases.append(Case((vectors, centres), words))
    mistakes = [
        Mistake(
            lambda v, c: np.argmax(v @ c.T, axis=1),
            "the lengths of the centres still count: among {case}, long centres win texts that are none "
            "of theirs. (Dividing the *texts* by their norms changes no winner.)",
        ),
        Mistake(
            lambda v, c: np.argmin(assign_scores(v, c), axis=1),
            "you return the centre with the *smallest* cosine, the farthest one.",
        ),
        Mistake(
            lambda v, c: np.argmax(_distances(v, c), axis=1),
            "you return the centre at the *largest* distance.",
        ),
        Mistake(
            lambda v, c: np.argmax(_distances(_unit(v), _unit(c)), axis=1),
            "you return the centre at the *largest* distance. A distance is small for what is near.",
        ),
        Mistake(
            lambda v, c: np.argmin(_distances(v, c), axis=1),
            "you take the Euclidean distance to centres as they are. Among vectors of different lengths "
            "its nearest is not that of the cosine.",
        ),
        Mistake(
            lambda v, c: np.argmin(_distances(_unit(v), c), axis=1),
            "you normalise the texts and take the Euclidean distance, but the centres keep their "
            "lengths: their distances are not ranked like cosines.",
        ),
        Mistake(
            lambda v, c: np.argmax(v @ (c / np.linalg.norm(c, axis=0)).T, axis=1),
            "you divide by the norms of the columns (`axis=0`), one for each dimension. A centre is a "
            "row: `axis=1`.",
        ),
        Mistake(
            lambda v, c: np.argmax(_by_column(v) @ _by_column(c).T, axis=1),
            "you divide by the norms of the columns (`axis=0`), one for each dimension. Texts and centres "
            "are rows: `axis=1`.",
        ),
        Mistake(
            lambda v, c: np.argmax(v @ (c / (c**2).sum(axis=1, keepdims=True)).T, axis=1),
            "you divide the centres by their squared norms; now short ones win. The norm is the root.",
        ),
        *(
            Mistake(
                lambda v, c, length=length: np.argmax(v @ (c / length(c)).T, axis=1),
                f"you divide each centre by {words}. The norm is the root of the sum of the squares, "
                "`np.linalg.norm(centres, axis=1, keepdims=True)`.",
            )
            for length, words in (
                (lambda c: np.abs(c).sum(axis=1, keepdims=True), "the sum of its absolute values"),
                (lambda c: np.abs(c).max(axis=1, keepdims=True), "its largest absolute value"),
                (lambda c: c.max(axis=1, keepdims=True), "its largest value"),
                (lambda c: c.sum(axis=1, keepdims=True), "the sum of its values"),
                (lambda c: c.mean(axis=1, keepdims=True), "the mean of its values"),
            )
        ),
        Mistake(
            lambda v, c: np.argmax(assign_scores(v, c), axis=0),
            "for each centre you return its nearest text. It should be the other way round: for each "
            "text its nearest centre (`axis=1`).",
        ),
        Mistake(
            lambda v, c: assign(v, c) + 1,
            "your clusters are counted from 1; the first centre is row 0.",
        ),
        Mistake(
            lambda v, c: assign_scores(v, c).max(axis=1),
            "you return the largest cosine of each text. Which centre is it from? `argmax`, not `max`.",
        ),
        Mistake(
            lambda v, c: np.argmax(np.abs(assign_scores(v, c)), axis=1),
            "you look for the largest cosine without its sign: an opposite centre is not near.",
        ),
        Mistake(
            lambda v, c: c[assign(v, c)],
            "you return the centres themselves. Return their row numbers.",
        ),
        Mistake(
            lambda v, c: np.eye(len(c))[assign(v, c)],
            "you return a row of zeros with a single 1 for each text. Return the place of the 1.",
        ),
        Mistake(
            assign_scores,
            "you return all cosines, an array of shape (texts, clusters). Which is the largest in each "
            "row? `np.argmax(…, axis=1)`.",
        ),
        Mistake(
            lambda v, c: np.bincount(assign(v, c), minlength=len(c)),
            "you return the sizes of the clusters. Return the cluster of each text.",
        ),
    ]
    judge(answer, cases, assign, mistakes, read=_labels_read, agree=_labels_agree)
    return "right: by direction alone. A tight cluster's long centre no longer draws what is not its own."


def assign_scores(vectors: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Return all cosines, shape (texts, clusters)."""
    return _unit(vectors) @ _unit(centres).T


def _by_column(rows):
    return rows / np.linalg.norm(rows, axis=0)


# 8.2


def name_words(words_by_cluster: dict, k: int) -> dict:
    """Return for each cluster its `k` words of largest class-based TF-IDF as (word, weight)."""
    return _named(words_by_cluster, k)


def _weight(n, in_cluster, average, everywhere, **_):
    return n / in_cluster * np.log(1 + average / everywhere)


def _named(
    words_by_cluster,
    k,
    *,
    weight=_weight,
    average=lambda counts: sum(c.total() for c in counts.values()) / len(counts),
    order=lambda pair: (-round(pair[1], 12), pair[0]),
):
    counts = {label: Counter(words) for label, words in words_by_cluster.items()}
    everywhere = sum(counts.values(), Counter())
    mean, names = average(counts), {}
    for label, count in counts.items():
        weights = {
            word: weight(
                n=n,
                in_cluster=count.total(),
                average=mean,
                everywhere=everywhere[word],
                clusters=len(counts),
                having=sum(word in other for other in counts.values()),
                different=len(count),
            )
            for word, n in count.items()
        }
        ranked = sorted(weights.items(), key=order) if order else list(weights.items())
        names[label] = [(word, float(w)) for word, w in ranked[:k]]
    return names


def _name_read(value) -> dict:
    found = mapping(value)
    result = {}
    for label, entry in found.items():
        if isinstance(entry, Mapping):
            raise Wrong(
                f"for cluster {label!r} you return a dictionary; the task asks for a list of pairs (word, "
                "weight)."
            )
        pairs = []
        for item in sequence(entry, f"the name of cluster {label!r}"):
            if isinstance(item, str):
                raise Wrong(
                    f"for cluster {label!r} you return words alone, {describe(entry)}. The task asks for "
                    "pairs (word, weight)."
                )
            if not isinstance(item, (list, tuple, np.ndarray)) or len(item) != 2:
                raise Wrong(
                    f"the name of cluster {label!r} holds {describe(item)}, not a pair (word, weight)."
                )
            if not isinstance(item[0], str) and isinstance(item[1], str):
                raise Wrong(
                    f"the name of cluster {label!r} holds {describe(item)}: the word stands first in a "
                    "pair, then the weight."
                )
            pairs.append((str(item[0]), number(item[1], f"a weight in cluster {label!r}")))
        result[label] = pairs
    return result


@exercise(
    "8.2",
    level=2,
    title="A name from its own words",
    names=["name_words"],
    hints=[
        "Three counts are needed: of a word in its cluster, of all words in the cluster, of the word in "
        "all clusters together. `Counter` counts.",
        "`sum(counts.values(), Counter())` adds Counters up, `counter.total()` is the number of all words "
        "in one. The average is a total divided by `len(words_by_cluster)`.",
        "Sort `weights.items()` by `key=lambda pair: (-pair[1], pair[0])`: large weights first, equal "
        "ones by alphabet. Then `[:k]`.",
    ],
)
def exercise_8_2(answer: Answer) -> str:
    """The formula, ties by alphabet, short clusters, an empty one."""
    rng = np.random.default_rng(82)
    vocabulary = np.array(list("abcdefghijklmn"))

    def drawn(size, shift):
        chances = np.roll(1 / np.arange(1, len(vocabulary) + 1) ** 1.2, shift)
        return rng.choice(vocabulary, size, p=chances / chances.sum()).tolist()

    small = {
        "a": ["sea", "sea", "sea", "fish", "sea", "salt"],
        "b": ["sea", "boat", "sea", "boat", "oar"],
    }
    ties = {7: ["wren", "moss", "fern", "moss"], 3: ["zinc", "clay", "iron"], 5: ["moss"] * 6}
    many = {
        label: drawn(size, shift) for label, size, shift in ((0, 40, 0), (1, 15, 4), (2, 90, 9))
    }
    with_empty = {"x": drawn(12, 2), "y": [], "z": drawn(30, 6)}
    cases = [
        Case((small, 2), f"{_shown(small)}, k=2"),
        Case((small, 9), f"{_shown(small)}, k=9"),
        Case((ties, 3), f"{_shown(ties)}, k=3"),
        Case((many, 4), "three clusters of 40, 15 and 90 words, k=4"),
        Case((many, 1), "three clusters of 40, 15 and 90 words, k=1"),
    ]

    def by(weight, **more):
        return lambda words, k: _named(words, k, weight=weight, **more)

    def only_other(n, in_cluster, average, everywhere, **_):
        return n / in_cluster * np.log(1 + average / max(everywhere - n, 1e-9))

    mistakes = [
        Mistake(
            by(lambda n, **_: n),
            "these are counts within the cluster. The second factor of the weight is missing, so words "
            "that are frequent everywhere win.",
        ),
        Mistake(
            by(lambda n, in_cluster, **_: n / in_cluster),
            "these are shares within the cluster. The second factor of the weight, the logarithm, is "
            "missing, so words that are frequent everywhere win.",
        ),
        *(
            Mistake(
                by(weight, order=lambda pair: -pair[1]),
                "these are the most frequent words of the cluster (`most_common`?). The second factor of the weight, "
                "the logarithm, is missing; and words of equal weight are not in alphabetical order.",
            )
            for weight in (lambda n, **_: n, lambda n, in_cluster, **_: n / in_cluster)
        ),
        Mistake(
            by(lambda n, average, everywhere, **_: n * np.log(1 + average / everywhere)),
            "you use the count of the word in its cluster. It should be its share: divide by the number of "
            "words in that cluster.",
        ),
        Mistake(
            by(
                lambda n, in_cluster, average, everywhere, **_: (
                    n / in_cluster * np.log(average / everywhere)
                )
            ),
            "the 1 in the logarithm is missing: frequent words get negative weights.",
        ),
        Mistake(
            by(lambda average, everywhere, **_: np.log(1 + average / everywhere)),
            "these are the logarithms alone. The first factor of the weight, the word's share in the "
            "cluster, is missing.",
        ),
        Mistake(
            by(
                lambda n, in_cluster, average, everywhere, **_: (
                    n / in_cluster * average / everywhere
                )
            ),
            "the logarithm is missing: rare words win by far too much.",
        ),
        Mistake(
            by(
                lambda n, in_cluster, average, everywhere, **_: (
                    n / in_cluster * (1 + average / everywhere)
                )
            ),
            "the logarithm is missing: rare words win by far too much.",
        ),
        Mistake(
            by(
                lambda n, in_cluster, average, everywhere, **_: (
                    n / in_cluster * (1 + np.log(average / everywhere))
                )
            ),
            "the 1 stands outside of the logarithm; it belongs inside: ln(1 + …).",
        ),
        Mistake(
            by(
                lambda n, in_cluster, average, everywhere, **_: (
                    n / in_cluster * np.log(1 + everywhere / average)
                )
            ),
            "the fraction in the logarithm is upside down: words that are frequent everywhere should "
            "get less weight, not more.",
        ),
        *(
            Mistake(
                by(
                    lambda n, in_cluster, average, everywhere, logarithm=logarithm, **_: (
                        n / in_cluster * logarithm(1 + average / everywhere)
                    )
                ),
                "your logarithm has another base. ln is the natural one, `math.log` or `np.log`; the order "
                "is right, the weights are not.",
            )
            for logarithm in (np.log10, np.log2)
        ),
        *(
            Mistake(
                by(
                    lambda n, in_cluster, clusters, having, inside=inside, **_: (
                        n / in_cluster * inside(clusters / having)
                    )
                ),
                "this is TF-IDF by the number of clusters that have the word. Here it is the number of "
                "times that the word occurs, in all clusters together.",
            )
            for inside in (np.log, np.log1p)
        ),
        Mistake(
            by(
                lambda n, in_cluster, average, having, **_: (
                    n / in_cluster * np.log(1 + average / having)
                )
            ),
            "you divide A by the number of clusters that have the word. It should be how often the word "
            "occurs in all clusters together.",
        ),
        Mistake(
            by(lambda n, in_cluster, average, **_: n / in_cluster * np.log(1 + average / n)),
            "you divide A by the word's count in its own cluster. It should be its count in all clusters.",
        ),
        Mistake(
            by(only_other),
            "you divide A by the word's count in the *other* clusters. All clusters together include its "
            "own.",
        ),
        Mistake(
            by(_weight, average=lambda counts: sum(c.total() for c in counts.values())),
            "your A is the number of all words; the average is that, divided by the number of clusters.",
        ),
        Mistake(
            by(_weight, average=lambda counts: np.mean([len(c) for c in counts.values()])),
            "your A counts each different word of a cluster once. It should be the number of its words, "
            "repetitions included.",
        ),
        Mistake(
            by(_weight, average=lambda counts: len(sum(counts.values(), Counter())) / len(counts)),
            "your A counts each different word once. It should be the number of all words, repetitions "
            "included, divided by the number of clusters.",
        ),
        Mistake(
            by(_weight, average=lambda counts: np.median([c.total() for c in counts.values()])),
            "your A is a median; it should be the mean.",
        ),
        Mistake(
            by(_weight, average=lambda counts: len(counts)),
            "your A is the number of clusters; it should be the average number of words in a cluster.",
        ),
        Mistake(
            by(
                lambda in_cluster, everywhere, n, **_: (
                    n / in_cluster * np.log(1 + in_cluster / everywhere)
                )
            ),
            "your A is the number of words in the cluster itself. It should be the average over all "
            "clusters, the same for each.",
        ),
        Mistake(
            by(
                lambda n, different, average, everywhere, **_: (
                    n / different * np.log(1 + average / everywhere)
                )
            ),
            "you divide by the number of *different* words in the cluster. It should be the number of "
            "its words, repetitions included.",
        ),
        Mistake(
            by(
                lambda n, in_cluster, average, everywhere, **_: (
                    n / in_cluster * np.log((1 + average) / everywhere)
                )
            ),
            "your brackets make (1 + A) / count of it; the 1 is added to the fraction: 1 + A / count.",
        ),
        Mistake(
            by(
                lambda n, average, everywhere, **_: (
                    n / everywhere * np.log(1 + average / everywhere)
                )
            ),
            "the first factor divides by the word's count in all clusters. It should be by the number of "
            "words in this cluster.",
        ),
        Mistake(
            by(
                _weight,
                average=lambda counts: sum(c.total() for c in counts.values()) // len(counts),
            ),
            "your A is a whole number: `//` drops what is behind the point. Divide with `/`.",
        ),
        Mistake(
            lambda words, k: {
                label: sorted(
                    _named(words, 10**6)[label],
                    key=lambda pair: (-words[label].count(pair[0]), pair[0]),
                )[:k]
                for label in words
            },
            "your words are sorted by their count. Sort by the weight.",
        ),
        Mistake(
            lambda words, k: {
                label: sorted(name)[:k] for label, name in _named(words, 10**6).items()
            },
            "your words are the first by alphabet: a list of pairs is sorted by the word. Sort by weight, "
            "and by the word where weights are equal.",
        ),
        Mistake(
            lambda words, k: {
                label: sorted(
                    (
                        pair
                        for pair in _named(words, 10**6)[label]
                        for _ in range(words[label].count(pair[0]))
                    ),
                    key=lambda pair: (-round(pair[1], 12), pair[0]),
                )[:k]
                for label in words
            },
            "a word stands in a list as often as it occurs. Each word should stand there once.",
        ),
        Mistake(
            by(lambda everywhere, n, **_: n / everywhere),
            "this is the share of the word's occurrences that fall into the cluster, another measure.",
        ),
        Mistake(
            by(_weight, order=lambda pair: (pair[1], pair[0])),
            "the words of *smallest* weight come first. `sorted` puts small values first; sort by the "
            "negative weight.",
        ),
        Mistake(
            by(_weight, order=lambda pair: -round(pair[1], 12)),
            "words of equal weight stand in the order in which they occur; they should be in alphabetical "
            "order: {case}.",
        ),
        Mistake(
            lambda words, k: {
                label: sorted(_named(words, 10**6)[label], key=lambda p: (p[1], p[0]))[::-1][:k]
                for label in words
            },
            "words of equal weight stand in reverse alphabetical order. `reverse=True` turns the alphabet "
            "round, too; sort by `(-weight, word)`.",
        ),
        Mistake(by(_weight, order=None), "your words are not sorted by weight."),
        Mistake(
            lambda words, k: {label: sorted(name) for label, name in _named(words, k).items()},
            "the right words, but all in alphabetical order; that is for equal weights only.",
        ),
        Mistake(
            lambda words, k: _named(words, k + 1),
            "you return one word too many. `[:k]` has k of them.",
        ),
        Mistake(
            lambda words, k: _named(words, 10**6),
            "you return all words of each cluster. Only the best k were asked for.",
        ),
        Mistake(
            lambda words, k: {
                label: [word for word, _ in name] for label, name in _named(words, k).items()
            },
            "the words are right, but the weights are missing. Return pairs (word, weight).",
        ),
        Mistake(
            lambda words, k: list(_named(words, k).values()),
            "you return a list, so nobody knows which name belongs to which cluster. Return a dictionary "
            "with the same labels.",
        ),
        *(
            Mistake(
                lambda words, k, digits=digits: {
                    label: [(word, round(w, digits)) for word, w in name]
                    for label, name in _named(words, k).items()
                },
                "the words are right, but the weights are rounded. Round when you print, not before.",
            )
            for digits in (1, 2, 3)
        ),
        Mistake(
            lambda words, k: _named({label: set(w) for label, w in words.items()}, k),
            "you count each word once in a cluster. How often it occurs there is the point.",
        ),
    ]
    judge(answer, cases, name_words, mistakes, read=_name_read, agree=_names_agree(cases))
    empty = Case((with_empty, 3), "three clusters, one of which holds no words")
    try:
        answer(*empty.arguments)
    except Wrong as wrong:
        raise Wrong(f"it goes well until a cluster holds no words at all: {wrong}") from None
    mistakes = [
        Mistake(
            lambda words, k: _named({label: w for label, w in words.items() if w}, k),
            "a cluster that holds no words is missing from what you return, and from the average. Its name "
            "is an empty list, and it counts as a cluster.",
        ),
        Mistake(
            lambda words, k: (
                _named({label: w for label, w in words.items() if w}, k)
                | {label: [] for label, w in words.items() if not w}
            ),
            "a cluster that holds no words should count as a cluster in the average A; you divide by the "
            "number of the others only.",
        ),
        Mistake(
            lambda words, k: {label: name for label, name in _named(words, k).items() if name},
            "a cluster that holds no words is missing from what you return. Its name is an empty list.",
        ),
    ]
    judge(answer, [empty], name_words, mistakes, read=_name_read, agree=_names_agree([empty]))
    return "right: frequent here, rare elsewhere, and ties by alphabet. That is all there is to a name."


def _shown(words_by_cluster: dict) -> str:
    return "; ".join(f"{label!r}: {' '.join(words)}" for label, words in words_by_cluster.items())


def _names_agree(cases: list[Case]):
    """Return a comparison that says where two names part, and in which case."""
    words = {repr(name_words(*case.arguments)): str(case) for case in cases}

    def agree(found: dict, expected: dict) -> bool:
        case = words[repr(expected)]
        if found.keys() != expected.keys():
            raise Wrong(
                f"for {case}: the labels of your dictionary are {list(found)}; they should be "
                f"{list(expected)}, as in `words_by_cluster`."
            )
        for label, name in expected.items():
            yours = found[label]
            for place, (word, weight) in enumerate(name[: len(yours)], start=1):
                has, with_weight = yours[place - 1]
                if not np.isclose(weight, with_weight, rtol=1e-4, atol=1e-6) or has != word:
                    raise Wrong(
                        f"for {case}: word {place} of cluster {label!r} should be {word!r} with weight "
                        f"{weight:.4g}; yours is {has!r} with {with_weight:.4g}."
                    )
            if len(yours) != len(name):
                raise Wrong(
                    f"for {case}: the name of cluster {label!r} should have {len(name)} words; yours has "
                    f"{len(yours)}."
                )
        return True

    return agree


# 8.3


def purity_above_chance(labels: np.ndarray, shuffled: list, categories: np.ndarray) -> float:
    """Return (purity - chance) / (1 - chance), or 0 when chance is 1."""
    return _corrected(_purity)(labels, shuffled, categories)


def _purity(labels, categories):
    return sum(_largest(labels, categories)) / len(labels)


def _largest(labels, categories):
    return [
        np.unique(categories[labels == cluster], return_counts=True)[1].max()
        for cluster in np.unique(labels)
    ]


def _above(purity, chance):
    return 0.0 if np.isclose(chance, 1) else (purity - chance) / (1 - chance)


def _corrected(measure, middle=np.mean):
    def value(labels, shuffled, categories):
        chance = middle([measure(other, categories) for other in shuffled])
        return _above(measure(labels, categories), chance)

    return value


def _mean_over_clusters(labels, categories):
    sizes = [(labels == cluster).sum() for cluster in np.unique(labels)]
    return np.mean(np.array(_largest(labels, categories)) / sizes)


def _over_clusters(labels, categories):
    return sum(_largest(labels, categories)) / len(np.unique(labels))


def _not_negative(labels, categories):
    kept = labels >= 0
    return _purity(labels[kept], categories[kept])


def _of_last(labels, categories):
    own = dict(zip(labels, categories, strict=True))
    return np.mean([own[c] == name for c, name in zip(labels, categories, strict=True)])


def _pairs_together(labels, categories):
    upper = np.triu_indices(len(labels), 1)
    together = np.equal.outer(labels, labels)[upper]
    return np.equal.outer(categories, categories)[upper][together].mean() if together.any() else 1.0


def _without_single(labels, categories):
    several = np.isin(labels, [c for c in labels if (labels == c).sum() > 1])
    kept = labels[several]
    return sum(_largest(kept, categories[several])) / len(labels) if len(kept) else 0.0


def _of_largest_category(labels, categories):
    return np.unique(categories, return_counts=True)[1].max() / len(labels)


@exercise(
    "8.3",
    level=2,
    title="Purity is patient",
    names=["purity_above_chance"],
    hints=[
        "Write `purity(labels)` first, for one array of labels. You will call it for `labels` and for "
        "each array in `shuffled`.",
        "`categories[labels == cluster]` are the categories in one cluster; `Counter(…).most_common(1)` "
        "counts the most frequent. Add these counts up over the clusters, then divide by all texts.",
        "`chance = np.mean([purity(other) for other in shuffled])`; 0 if chance is 1, otherwise "
        "`(purity(labels) - chance) / (1 - chance)`.",
    ],
)
def exercise_8_3(answer: Answer) -> str:
    """Unequal clusters, numbers with gaps, and one cluster for each text."""
    rng = np.random.default_rng(83)
    sections = np.array(["arts", "courts", "food", "sport"])
    cases = []
    for texts, clusters, names, shuffles in (
        (60, (2, 3, 7, 11, 12, 16), 4, 5),
        (31, (-1, 4, 5), 3, 3),
        (50, tuple(range(1, 40, 2)), 4, 4),
    ):
        categories = sections[:names][rng.integers(0, names, texts)]
        near = np.array(clusters)[np.unique(categories, return_inverse=True)[1] % len(clusters)]
        shares = np.arange(1, len(clusters) + 1)
        noise = rng.choice(clusters, texts, p=shares / shares.sum())
        labels = np.where(rng.random(texts) < 0.5, near, noise)
        shuffled = [rng.permutation(labels) for _ in range(shuffles)]
        numbers = ", ".join(map(str, clusters)) if len(clusters) < 9 else "1, 3, 5 …"
        words = f"{texts} texts in {len(clusters)} clusters numbered {numbers}"
        cases.append(Case((labels, shuffled, categories), words))
    categories = np.array(["arts", "food"] * 6)
    crossed, halves, perfect = (
        np.array(row * 3) for row in ([0, 1, 1, 0], [0, 0, 1, 1], [0, 1, 0, 1])
    )
    words = "12 texts and clusters that are worse than chance"
    cases.append(Case((crossed, [halves, perfect], categories), words))
    pure = Case((perfect, [crossed, halves], categories), "12 texts in perfect clusters")
    alone = Case(
        (np.arange(9), [rng.permutation(9) for _ in range(3)], sections[rng.integers(0, 4, 9)]),
        "9 texts, each of them a cluster of its own",
    )

    def only(labels, shuffled, categories):
        return _purity(labels, categories)

    def chance(shuffled, categories):
        return np.mean([_purity(other, categories) for other in shuffled])

    mistakes = [
        Mistake(
            lambda labels, shuffled, categories: (
                0.0
                if _purity(labels, categories) == 1
                else purity_above_chance(labels, shuffled, categories)
            ),
            "for {case} you return {got}; it should be {expected}. Return 0 where *chance* is 1, not where "
            "purity is.",
        ),
        Mistake(
            lambda labels, shuffled, categories: (
                (chance(shuffled, categories) - _purity(labels, categories))
                / (1 - _purity(labels, categories))
            ),
            "purity and chance have changed places in your formula.",
        ),
        Mistake(
            _corrected(_purity, np.sum),
            "your chance is the sum over the shuffled labels; it should be their mean.",
        ),
        Mistake(
            _corrected(
                lambda labels, categories: np.mean(
                    [
                        categories[np.argmax(labels == c)] == own
                        for c, own in zip(labels, categories, strict=True)
                    ]
                )
            ),
            "you count the texts that share the category of the *first* text of their cluster. The most "
            "frequent one counts.",
        ),
        Mistake(
            only,
            "for {case} you return {got}: this is the purity itself. What chance gives has not been "
            "taken off.",
        ),
        Mistake(
            lambda labels, shuffled, categories: (
                _purity(labels, categories) - chance(shuffled, categories)
            ),
            "you subtract what chance gives, but do not divide by 1 - chance: perfect clusters would not "
            "get 1.",
        ),
        Mistake(
            lambda labels, shuffled, categories: (
                _purity(labels, categories) / chance(shuffled, categories)
            ),
            "you return a ratio, purity divided by chance. The formula subtracts.",
        ),
        Mistake(
            lambda labels, shuffled, categories: (
                (_purity(labels, categories) - chance(shuffled, categories))
                / (1 - _purity(labels, categories))
            ),
            "you divide by 1 - purity; it should be 1 - chance.",
        ),
        Mistake(
            lambda labels, shuffled, categories: (
                (_purity(labels, categories) - chance(shuffled, categories))
                / chance(shuffled, categories)
            ),
            "you divide by chance; it should be 1 - chance.",
        ),
        Mistake(
            lambda labels, shuffled, categories: chance(shuffled, categories),
            "you return the level of chance alone, the mean purity of the shuffled labels.",
        ),
        Mistake(
            lambda labels, shuffled, categories: abs(
                purity_above_chance(labels, shuffled, categories)
            ),
            "your result is never negative. Clusters can be worse than chance: for {case} it should be "
            "{expected}, not {got}.",
        ),
        Mistake(
            lambda labels, shuffled, categories: (
                _purity(labels, categories)
                - chance(shuffled, categories) / (1 - chance(shuffled, categories))
            ),
            "brackets are missing: only chance is divided by 1 - chance. It should be the whole difference.",
        ),
        Mistake(
            lambda labels, shuffled, categories: -purity_above_chance(labels, shuffled, categories),
            "the sign is wrong: purity minus chance, not chance minus purity.",
        ),
        Mistake(
            _corrected(_mean_over_clusters),
            "you take the mean of the clusters' purities, so a cluster of two counts as much as one of "
            "thirty. Add up the texts of the most frequent categories, then divide by all texts.",
        ),
        Mistake(
            lambda labels, shuffled, categories: (
                _mean_over_clusters(labels, categories)
                - np.mean([_mean_over_clusters(other, categories) for other in shuffled])
            ),
            "two mistakes: you take the mean of the clusters' purities, in which a cluster of two counts as much as "
            "one of thirty; and you do not divide by 1 - chance.",
        ),
        Mistake(
            _corrected(lambda labels, categories: _purity(categories, labels)),
            "the roles are swapped: you ask in which cluster most texts of a *category* are. Purity goes "
            "cluster by cluster.",
        ),
        Mistake(
            lambda labels, shuffled, categories: _above(
                _purity(labels, categories), chance([labels, *shuffled], categories)
            ),
            "your chance takes in the labels themselves. Only the shuffled ones show what chance gives.",
        ),
        Mistake(
            _corrected(_over_clusters),
            "you divide by the number of clusters. Purity is a share of the texts: divide by how many there are.",
        ),
        Mistake(
            _corrected(lambda labels, categories: sum(_largest(labels, categories))),
            "you count texts, and never divide by how many there are: purity is a share.",
        ),
        Mistake(
            _corrected(_not_negative),
            "you leave out the texts whose cluster has a negative number. Here it is a cluster like any other.",
        ),
        Mistake(
            _corrected(_of_last),
            "you count the texts that share the category of the *last* text of their cluster. The most frequent "
            "one counts.",
        ),
        Mistake(
            lambda labels, shuffled, categories: np.mean(
                [purity_above_chance(labels, [other], categories) for other in shuffled]
            ),
            "you work out the whole formula for each of the shuffled labels, and take the mean of the results. "
            "First take the mean of their purities; then use the formula once.",
        ),
        Mistake(
            lambda labels, shuffled, categories: (
                _purity(labels, categories) - 2 * chance(shuffled, categories)
            ),
            "brackets are missing: `a - b / 1 - b` is a - b - b. Write `(purity - chance) / (1 - chance)`.",
        ),
        *(
            Mistake(
                _corrected(_purity, lambda values, always=always: np.sum(values) / always),
                f"for your chance you divide by {always}, however many shuffled labels there are. "
                "Divide by `len(shuffled)`.",
            )
            for always in (20, 10, 100)
        ),
        Mistake(
            _corrected(_pairs_together),
            "you count pairs of texts. Purity counts texts: those of the most frequent category of their "
            "cluster.",
        ),
        Mistake(
            _corrected(_purity, np.max),
            "your chance is the *best* of the shuffled labels; it should be their mean.",
        ),
        Mistake(
            _corrected(_purity, np.min),
            "your chance is the *lowest* purity of the shuffled labels; it should be their mean.",
        ),
        Mistake(
            _corrected(_purity, np.median),
            "your chance is the median of the shuffled labels; it should be their mean.",
        ),
        Mistake(
            _corrected(_purity, lambda values: values[0]),
            "your chance comes from the first of the shuffled labels only; it should be the mean over all.",
        ),
        Mistake(
            _corrected(_purity, lambda values: values[-1]),
            "your chance comes from the last of the shuffled labels only; it should be the mean over all.",
        ),
        Mistake(
            lambda labels, shuffled, categories: (
                (_purity(labels, categories) - _of_largest_category(labels, categories))
                / (1 - _of_largest_category(labels, categories))
            ),
            "your chance is the share of the largest category. With several clusters chance gives more "
            "than that; measure it on `shuffled`.",
        ),
        Mistake(
            lambda labels, shuffled, categories: (
                (_purity(labels, categories) - 1 / len(set(categories)))
                / (1 - 1 / len(set(categories)))
            ),
            "your chance is 1 divided by the number of categories. Measure it on `shuffled`.",
        ),
        Mistake(
            lambda labels, shuffled, categories: max(
                0.0, purity_above_chance(labels, shuffled, categories)
            ),
            "you cut off at 0. Clusters can be worse than chance: for {case} it should be {expected}.",
        ),
        Mistake(
            lambda labels, shuffled, categories: (
                100 * purity_above_chance(labels, shuffled, categories)
            ),
            "you return per cent. 1 stands for perfect clusters.",
        ),
        Mistake(
            lambda labels, shuffled, categories: _ari(labels, categories),
            "this is the adjusted Rand index, which counts pairs. Purity was asked for.",
        ),
        *(
            Mistake(
                _corrected(
                    lambda labels, categories, numbers=numbers: (
                        sum(
                            np.unique(categories[labels == c], return_counts=True)[1].max(initial=0)
                            for c in numbers(labels)
                        )
                        / len(labels)
                    )
                ),
                "you go through the numbers 0, 1, 2, … one by one. Here the clusters are numbered "
                "otherwise ({case}), and some are never looked at. `np.unique(labels)` has them all.",
            )
            for numbers in (
                lambda labels: range(len(set(labels))),
                lambda labels: range(labels.max()),
                lambda labels: range(labels.max() + 1),
            )
        ),
        Mistake(
            _corrected(_without_single),
            "you leave out the clusters of a single text. Such a text belongs to the most frequent category of "
            "its own cluster, too.",
        ),
        Mistake(
            lambda labels, shuffled, categories: _above(
                _purity(labels, categories),
                _purity(np.concatenate(shuffled), np.tile(categories, len(shuffled))),
            ),
            "you put all the shuffled labels into one heap and take its purity. Take that of each array in "
            "`shuffled`, then the mean.",
        ),
    ]
    try:
        judge(answer, cases, purity_above_chance, mistakes, read=number)
    except Wrong as wrong:
        said = str(wrong)
        if ("ValueError" in said and ("empty" in said or "zero-size" in said)) or (
            "IndexError" in said and "most_common" in said
        ):
            raise Wrong(
                f"{wrong}\nThe clusters are numbered with gaps, so that no text has some of the numbers in between. "
                "`np.unique(labels)` has those that occur."
            ) from None
        if "negative elements" in str(wrong):
            raise Wrong(
                f"{wrong}\n`np.bincount` counts the numbers 0, 1, 2, …; clusters can have negative ones, too."
            ) from None
        if "it should be" in str(wrong):
            _say_if_blind(answer, cases[0])
        raise
    judge(answer, [pure], purity_above_chance, mistakes, read=number)
    try:
        raw = answer(*alone.arguments)
    except Wrong as wrong:
        raise Wrong(f"it goes well until chance is 1 ({alone}): {wrong}") from None
    if raw is None or (isinstance(raw, (float, np.floating)) and not np.isfinite(raw)):
        raise Wrong(
            f"for {alone}, every shuffle is as pure as the clusters: chance is 1, and 0 divided by 0 is "
            f"no number. You return {describe(raw)}; return 0."
        )
    mistakes = [
        Mistake(
            lambda labels, shuffled, categories: 1.0,
            "for {case} you return 1. Every shuffle has purity 1 as well, so nothing is learnt: return 0.",
        )
    ]
    judge(answer, [alone], purity_above_chance, mistakes, read=number)
    return "right: above chance. Fine clusters no longer get their purity for nothing."


def _say_if_blind(answer: Answer, case: Case) -> None:
    """Raise `Wrong` when the answer stays the same with other shuffled labels."""
    labels, shuffled, categories = case.arguments
    once, again = (answer(labels, [other], categories) for other in (labels, shuffled[0]))
    if number(once) == number(again) != 0:
        raise Wrong(
            f"for {case} you return {describe(once)}, whatever the shuffled labels are. Chance is the mean of "
            "the purities of the arrays in `shuffled`."
        )


def _ari(first, second):
    from sklearn.metrics import adjusted_rand_score

    return adjusted_rand_score(first, second)


# 8.4


def stability(clusterings: list) -> float:
    """Return the mean adjusted Rand index over all pairs of different runs."""
    return float(np.mean(_of_pairs(clusterings, _ari)))


def _mean_read(value) -> float:
    if isinstance(value, (list, tuple)) and len(value) > 1:
        raise Wrong(
            f"you return several numbers, {describe(value)}. Return the mean over the pairs."
        )
    return number(value)


def _of_pairs(clusterings, measure):
    return [
        measure(clusterings[i], clusterings[j]) for i in range(len(clusterings)) for j in range(i)
    ]


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
def exercise_8_4(answer: Answer) -> str:
    """Permuted numbers, every pair once, no run with itself."""
    from sklearn import metrics

    rng = np.random.default_rng(84)
    known: dict[tuple, float] = {}

    def ari(first, second):
        key = (first.tobytes(), second.tobytes())
        if key not in known:
            known[key] = metrics.adjusted_rand_score(first, second)
        return known[key]

    def runs(texts, clusters, number_of, kept):
        true = rng.integers(0, clusters, texts)
        return [
            rng.permutation(clusters)[
                np.where(rng.random(texts) < share, true, rng.integers(0, clusters, texts))
            ]
            for share in rng.permutation(np.linspace(kept, 1, number_of))
        ]

    cases = [
        Case((runs(50, 4, 4, 0.4),), "4 runs over 50 texts"),
        Case((runs(30, 3, 5, 0.2),), "5 runs over 30 texts"),
        Case((runs(40, 6, 3, 0.6),), "3 runs over 40 texts"),
        Case((runs(45, 3, 2, 0.5),), "2 runs over 45 texts"),
    ]
    one, other = runs(36, 3, 2, 0.5)
    cases.append(
        Case(([one, other, one.copy()],), "3 runs over 36 texts, two of which came out alike")
    )

    halves, crossed = np.array([0, 0, 1, 1] * 2), np.array([0, 1] * 4)
    cases.append(Case(([halves, crossed, np.roll(halves, 1)],), "3 runs over 8 texts"))
    cases.append(Case(([halves, crossed],), "2 runs that agree less than by chance"))

    def mean(measure):
        return lambda runs: np.mean(_of_pairs(runs, measure))

    def matrix(runs):
        return np.array([[ari(a, b) for b in runs] for a in runs])

    def neighbours(runs):
        return [ari(a, b) for a, b in pairwise(runs)]

    def with_first(runs):
        return [ari(runs[0], other) for other in runs[1:]]

    mistakes = [
        Mistake(
            mean(lambda a, b: (a == b).mean()),
            "you compare the numbers of the clusters. Cluster 2 of one run has nothing to do with cluster 2 "
            "of the next; ARI asks which texts are *together*.",
        ),
        Mistake(
            lambda runs: np.mean(
                [
                    ari(a, b)
                    for i, a in enumerate(runs)
                    for b in runs[:i]
                    if not np.array_equal(a, b)
                ]
            ),
            "for {case} you return {got}; it should be {expected}. Runs that came out alike are a pair, too, "
            "and the best news there is. Tell runs apart by their place in the list.",
        ),
        Mistake(
            lambda runs: matrix(runs).mean(),
            "each run is compared with itself as well, which always gives 1: {got} instead of {expected}. "
            "Leave the diagonal out.",
        ),
        Mistake(
            mean(metrics.fowlkes_mallows_score),
            "this is the Fowlkes-Mallows index, which is not corrected for chance. The adjusted Rand index was "
            "asked for.",
        ),
        *(
            Mistake(
                lambda runs, measure=measure, chosen=chosen: np.mean(
                    [measure(a, b) for a, b in chosen(runs)]
                ),
                f"two mistakes: you compare {pairs} only; all pairs were asked for. And {says}.",
            )
            for chosen, pairs in (
                (pairwise, "each run with the next one"),
                (lambda runs: [(runs[0], other) for other in runs[1:]], "every run with the first"),
            )
            for measure, says in (
                (lambda a, b: (a == b).mean(), "you compare the numbers of the clusters"),
                (metrics.rand_score, "it is the Rand index without its correction"),
                (metrics.normalized_mutual_info_score, "it is the normalised mutual information"),
            )
        ),
        Mistake(
            lambda runs: matrix(runs)[np.triu_indices(len(runs))].mean(),
            "your pairs include each run with itself, which always gives 1. Let the second index begin one "
            "further on.",
        ),
        Mistake(
            lambda runs: np.mean(neighbours(runs)),
            "for {case} you compare each run with the next one only. The first and the third are a pair, "
            "too: {expected}, not {got}.",
        ),
        Mistake(
            lambda runs: np.mean(with_first(runs)),
            "for {case} you compare every run with the first one only. The others are pairs, too: "
            "{expected}, not {got}.",
        ),
        Mistake(
            lambda runs: np.mean([ari(other, runs[-1]) for other in runs[:-1]]),
            "for {case} you compare every run with the last one only. The others are pairs, too.",
        ),
        Mistake(
            lambda runs: np.mean([*neighbours(runs), ari(runs[-1], runs[0])]),
            "for {case} you go round in a circle, each run with the next. All pairs were asked for.",
        ),
        Mistake(
            mean(metrics.rand_score),
            "this is the Rand index without its correction: most pairs of texts are apart in any two runs, "
            "so even nonsense gets a high value. `adjusted_rand_score`.",
        ),
        Mistake(
            mean(metrics.normalized_mutual_info_score),
            "this is the normalised mutual information, whose level of chance is not 0. The adjusted Rand "
            "index was asked for.",
        ),
        Mistake(
            mean(metrics.adjusted_mutual_info_score),
            "this is the adjusted mutual information. The adjusted Rand index was asked for.",
        ),
        Mistake(
            lambda runs: np.triu(matrix(runs), 1).mean(),
            "your sum has each pair once, but you divide it by n² (so does the mean of `np.triu(…, 1)`, which keeps "
            "its zeros). There are n (n - 1) / 2 pairs.",
        ),
        Mistake(
            lambda runs: np.sum(_of_pairs(runs, ari)),
            "this is the sum over the pairs. Divide by how many there are.",
        ),
        Mistake(
            lambda runs: np.sum(_of_pairs(runs, ari)) / len(runs),
            "you divide the sum by the number of runs; there are other numbers of *pairs*: n (n - 1) / 2.",
        ),
        Mistake(
            lambda runs: 2 * np.sum(_of_pairs(runs, ari)) / len(runs) ** 2,
            "you divide by n², as if each run were paired with itself, too. There are n (n - 1) ordered "
            "pairs.",
        ),
        Mistake(
            lambda runs: np.sum(_of_pairs(runs, ari)) / (len(runs) * (len(runs) - 1)),
            "your sum has each pair once, but you divide as if each came twice.",
        ),
        Mistake(
            lambda runs: 2 * np.mean(_of_pairs(runs, ari)),
            "your sum has each pair twice, but you divide as if each came once.",
        ),
        Mistake(
            lambda runs: np.mean([ari(a, b) for a, b in zip(runs[::2], runs[1::2], strict=False)]),
            "you pair the first run with the second, the third with the fourth. Each run makes a pair with "
            "every other.",
        ),
        *(
            Mistake(
                changed,
                "you cut off at 0, or drop the sign. Two runs can agree less than by chance, and their ARI is "
                "negative: for {case} you return {got}; it should be {expected}.",
            )
            for changed in (
                lambda runs: max(0.0, np.mean(_of_pairs(runs, ari))),
                lambda runs: abs(np.mean(_of_pairs(runs, ari))),
                lambda runs: np.mean([max(0.0, value) for value in _of_pairs(runs, ari)]),
                lambda runs: np.mean(np.abs(_of_pairs(runs, ari))),
            )
        ),
        Mistake(
            lambda runs: np.mean(_of_pairs(runs[:-1], ari)),
            "for {case} you return {got}; it should be {expected}. The last run is missing from your pairs: "
            "`range(n)` ends at n - 1 by itself.",
        ),
        Mistake(
            lambda runs: np.mean(
                [ari(a, b) for i, a in enumerate(runs[:-2]) for b in runs[i + 1 :]]
            ),
            "for {case} you return {got}; it should be {expected}. The last pair is missing: `range(n)` ends "
            "at n - 1 by itself.",
        ),
        Mistake(
            lambda runs: np.mean(
                [np.mean([ari(a, b) for b in runs[i + 1 :]]) for i, a in enumerate(runs[:-1])]
            ),
            "for {case} you return {got}; it should be {expected}. You take a mean for each run over those after "
            "it, and then the mean of the means: the last pairs count more than the first. Put all pairs "
            "together.",
        ),
        Mistake(
            lambda runs: np.mean([np.sort(row)[-2] for row in matrix(runs)]),
            "for {case} you return {got}; it should be {expected}. You take for each run only the one that is "
            "most like it. All pairs were asked for.",
        ),
        Mistake(
            lambda runs: np.median(_of_pairs(runs, ari)),
            "this is the median over the pairs; the mean was asked for.",
        ),
        Mistake(
            lambda runs: np.min(_of_pairs(runs, ari)),
            "this is the worst of the pairs; the mean was asked for.",
        ),
        Mistake(
            lambda runs: np.max(_of_pairs(runs, ari)),
            "this is the best of the pairs; the mean was asked for.",
        ),
        Mistake(
            lambda runs: np.std(_of_pairs(runs, ari)),
            "this is the standard deviation over the pairs; the mean was asked for.",
        ),
        Mistake(
            lambda runs: ari(runs[0], runs[1]),
            "for {case} you compare the first two runs only. Does `return` stand inside the loop?",
        ),
        Mistake(
            lambda runs: ari(runs[-2], runs[-1]),
            "for {case} you return the agreement of the last two runs only. Collect all, then take the "
            "mean.",
        ),
        *(
            Mistake(
                lambda runs, form=form: form(_of_pairs(runs, ari)),
                "you return a number for each pair. Return their mean.",
            )
            for form in (list, np.sort)
        ),
        Mistake(
            lambda runs: ari(runs[0], runs[-1]),
            "for {case} you compare the first run with the last only. All pairs were asked for.",
        ),
        Mistake(matrix, "you return the matrix of all agreements. Return the mean over its pairs."),
        Mistake(
            lambda runs: 1 - np.mean(_of_pairs(runs, ari)),
            "this is 1 minus the mean: instability. High should mean stable.",
        ),
    ]
    for of_two in (False, True):
        some = [case for case in cases if (len(case.arguments[0]) == 2) is of_two]
        judge(answer, some, stability, mistakes, read=_mean_read)
    return "right: every pair once, none with itself, and the names of the clusters do not matter."


# 8.5


def duplicate_groups(vectors: np.ndarray, threshold: float) -> list[list[int]]:
    """Return the groups of two or more rows that links of cosine >= threshold join."""
    return _components(_cosines(vectors) >= threshold)


def _cosines(vectors):
    return _unit(vectors) @ _unit(vectors).T


def _components(linked) -> list[list[int]]:
    seen, groups = set(), []
    for first in range(len(linked)):
        if first in seen:
            continue
        group, waiting = {first}, [first]
        while waiting:
            new = set(np.flatnonzero(linked[waiting.pop()]).tolist()) - group
            group |= new
            waiting += new
        seen |= group
        if len(group) > 1:
            groups.append(sorted(group))
    return groups


def _pairs_only(linked):
    return [[i, j] for i in range(len(linked)) for j in range(i + 1, len(linked)) if linked[i, j]]


def _stars(linked):
    """For each row that is not taken yet: the row, and what is linked with it directly."""
    taken, groups = set(), []
    for i in range(len(linked)):
        if i in taken:
            continue
        group = [i] + [j for j in range(i + 1, len(linked)) if linked[i, j] and j not in taken]
        if len(group) > 1:
            groups.append(group)
            taken |= set(group)
    return groups


def _neighbourhoods(linked):
    found = [np.flatnonzero(row).tolist() for row in linked]
    return [group for group in found if len(group) > 1]


def _later_ones(linked):
    found = [[i, *(i + 1 + np.flatnonzero(row[i + 1 :])).tolist()] for i, row in enumerate(linked)]
    return [group for group in found if len(group) > 1]


def _never_merged(linked):
    """Each pair joins the first group that has one of the two; groups are never put together."""
    groups: list[set] = []
    for i, j in _pairs_only(linked):
        home = next((group for group in groups if i in group or j in group), None)
        if home is None:
            groups.append({i, j})
        else:
            home |= {i, j}
    return sorted(sorted(group) for group in groups)


def _each_joins_once(linked):
    """Row by row: join the first group that has a linked member."""
    groups: list[list[int]] = []
    for i in range(len(linked)):
        home = next((group for group in groups if any(linked[i, j] for j in group)), None)
        if home is None:
            groups.append([i])
        else:
            home.append(i)
    return [group for group in groups if len(group) > 1]


def _next_rows(linked):
    """Each row joins the row before it, or begins a group."""
    labels = np.cumsum([0, *(not linked[i, i + 1] for i in range(len(linked) - 1))])
    return _by_label(labels)


def _one_relabelled(linked):
    """For each pair, the second gets the label of the first; those who had its old one keep it."""
    labels = np.arange(len(linked))
    for i, j in _pairs_only(linked):
        labels[j] = labels[i]
    return _by_label(labels)


def _by_label(labels):
    groups = [np.flatnonzero(labels == label).tolist() for label in np.unique(labels)]
    return sorted(group for group in groups if len(group) > 1)


def _cliques(linked):
    groups: list[list[int]] = []
    for i in range(len(linked)):
        home = next((group for group in groups if all(linked[i, j] for j in group)), None)
        if home is None:
            groups.append([i])
        else:
            home.append(i)
    return [group for group in groups if len(group) > 1]


def _steps(most):
    """Return a function that goes from the first row over `most` links, and no further."""
    return lambda linked: _stars(np.linalg.matrix_power(linked.astype(float), most) > 0)


def _first_home(linked):
    """Each pair joins the group of its first member, else of its second; who has a group stays."""
    groups, home = [], {}
    for i, j in _pairs_only(linked):
        group = home.get(i, home.get(j))
        if group is None:
            groups.append(group := [])
        for row in (i, j):
            if row not in home:
                home[row] = group
                group.append(row)
    return [sorted(group) for group in groups]


def _linked_by(method, vectors, threshold):
    from scipy.cluster.hierarchy import fcluster, linkage  # only for who is wrong

    tree = linkage(vectors, method, metric="cosine")
    return _by_label(fcluster(tree, 1 - threshold, "distance"))


def _group_of_each(vectors, threshold):
    groups = _with_single(duplicate_groups(vectors, threshold), len(vectors))
    return [
        next(g for g, group in enumerate(groups) if row in group) for row in range(len(vectors))
    ]


def _with_single(groups, rows):
    alone = set(range(rows)).difference(*groups)
    return sorted([*groups, *([row] for row in alone)])


def _groups_read(value) -> list[list[int]]:
    if isinstance(value, Mapping):
        raise Wrong("you return a dictionary; the task asks for a list of groups.")
    groups = []
    for group in sequence(value):
        if isinstance(group, (int, np.integer)):
            raise Wrong(
                f"you return a flat list, {describe(value)}. The task asks for a list of groups, and each "
                "group is a list of row numbers, also if there is only one."
            )
        if any(isinstance(row, (float, np.floating)) for row in sequence(group, "a group")):
            raise Wrong(
                f"the rows in {group} are decimal numbers, with which no list can be indexed."
            )
        rows = integers(group, "a group")
        if len(rows) != len(set(rows)):
            raise Wrong(f"the group {describe(group)} holds a row twice.")
        if rows != sorted(rows):
            raise Wrong(f"the rows of the group {describe(group)} are not in ascending order.")
        if len(rows) < 2:
            raise Wrong(
                f"{describe(group)} is a group of {len(rows)}. Only groups of two texts or more were asked "
                "for."
            )
        groups.append(rows)
    twice = [row for row, number_of in Counter(chain(*groups)).items() if number_of > 1]
    if twice:
        both = [group for group in groups if twice[0] in group][:2]
        raise Wrong(
            f"row {twice[0]} stands in two of your groups, {describe(both[0])} and {describe(both[1])}. "
            "Then a chain of links leads from one to the other: they are one group."
        )
    if groups != sorted(groups):
        raise Wrong(
            f"your groups begin with the rows {[group[0] for group in groups]}. The group with the smallest "
            "row number comes first."
        )
    return groups


def _chain(rows: int, step: float, rng) -> np.ndarray:
    """Return rows in a plane, each `step` degrees from the next, in random order."""
    angles = np.deg2rad(step * rng.permutation(rows))
    return np.column_stack([np.cos(angles), np.sin(angles), np.zeros(rows)])


@exercise(
    "8.5",
    level=3,
    title="The same story twice",
    names=["duplicate_groups"],
    hints=[
        "First a matrix of True and False: which rows are linked? Then walk: from a row to its "
        "neighbours, and to theirs, until nothing new turns up.",
        "Keep a set of the rows seen and a list of the rows still to visit. When the list is empty, the "
        "group is complete; begin the next one at the first row not seen yet.",
        "Or merge: every row begins with a group of its own; for every linked pair i, j put the two groups "
        "together (`groups[i] |= groups[j]`, and let every member know). "
        "`scipy.sparse.csgraph.connected_components` does it, too.",
    ],
)
def exercise_8_5(answer: Answer) -> str:
    """Chains, merges, lengths, the threshold itself, no groups, and a long chain."""
    rng = np.random.default_rng(85)

    def near(base, angle):
        other = rng.normal(size=len(base))
        other -= other @ base / (base @ base) * base
        return np.cos(angle) * base / np.linalg.norm(base) + np.sin(angle) * other / np.linalg.norm(
            other
        )

    stories = [rng.normal(size=24) for _ in range(9)]
    rows = [near(stories[s], 0.2) for s in (0, 1, 2, 1, 3, 0, 4, 1, 5, 3, 6, 7, 8)]
    mixed = np.array(rows) * rng.uniform(0.2, 6, size=(len(rows), 1))
    degrees = np.deg2rad([0, 40, 10, 30, 20, 100, 111, 180, 194.6])
    merging = np.column_stack([np.cos(degrees), np.sin(degrees)]) * rng.uniform(0.5, 3, size=(9, 1))
    chain = np.vstack([_chain(70, 2.0, rng), [[0, 0, 2.0], [0.01, 0, 3.0]]])
    # a group that begins first and ends late; gaps for other thresholds, and for other measures
    degrees = np.deg2rad([0, 121, 181, 123, 35, 183, 4, 185, 74, 244.7])
    crossing = np.column_stack([np.cos(degrees), np.sin(degrees)])
    exact = np.array([[2.0, 0, 0], [0, 5, 0], [-1, -1, 0.5], [-1, -2, -3]])
    cases = [
        Case((mixed, 0.8), "13 texts, some of which come two or three times, threshold 0.8"),
        Case(
            (merging, 0.97),
            "9 vectors at 0, 40, 10, 30, 20, 100, 111, 180 and 194.6 degrees, threshold 0.97",
        ),
        Case((exact, 0.0), "[2, 0, 0], [0, 5, 0], [-1, -1, 0.5], [-1, -2, -3] and threshold 0"),
        Case((chain, 0.999), "72 vectors, 70 of them a chain, threshold 0.999"),
        Case(
            (crossing, 0.99),
            "10 vectors at 0, 121, 181, 123, 35, 183, 4, 185, 74 and 244.7 degrees, threshold 0.99",
        ),
        Case((rng.normal(size=(5, 40)), 0.9), "5 vectors without any link, threshold 0.9"),
        Case((np.array([[1.0, 2.0]]), 0.5), "a single vector"),
    ]

    def on(group, scores=_cosines):
        return lambda v, t: group(scores(v) >= t)

    def right(v, t):
        return duplicate_groups(v, t)

    mistakes = [
        Mistake(
            lambda v, t: _components(_cosines(v) > t),
            "for {case} you return {got}. A cosine that is exactly the threshold is a link, too: `>=`.",
        ),
        Mistake(
            on(_components, lambda v: _cosines(v).round(2)),
            "for {case} you return {got}. You round the cosines before you compare, so what lies a little "
            "below the threshold passes.",
        ),
        Mistake(
            on(_components, lambda v: v @ v.T),
            "for {case} you return {got}. These are groups by dot product: the rows have different lengths. "
            "Divide by the norms.",
        ),
        Mistake(
            lambda v, t: _components(v @ v.T > t),
            "for {case} you return {got}; it should be {expected}, by two mistakes. First, these are groups by dot product: "
            "the rows have different lengths. Second, `>` leaves out what is exactly at the threshold.",
        ),
        Mistake(
            on(_components, lambda v: v @ v.T / np.linalg.norm(v) ** 2),
            "you divide by one norm of the whole matrix; each row has its own (`axis=1`).",
        ),
        Mistake(
            on(_components, lambda v: _by_column(v) @ _by_column(v).T),
            "you divide by the norms of the columns (`axis=0`); a text is a row: `axis=1`.",
        ),
        Mistake(
            on(_components, lambda v: 1 - _cosines(v)),
            "you link what is *far* apart. Is there a `<=` for a `>=`? Or a cosine *distance*, which is small for near "
            "texts?",
        ),
        Mistake(
            lambda v, t: _components(1 - _cosines(v) <= t),
            "you compare the cosine *distance* with the threshold. It is one for the cosine itself.",
        ),
        Mistake(
            on(_next_rows),
            "for {case} you return {got}; it should be {expected}. You compare each row with the next one "
            "only. Texts are linked wherever they stand.",
        ),
        Mistake(
            on(_one_relabelled),
            "for {case} you return {got}; it should be {expected}. When a row gets another label, all who "
            "had its old label must get it, too.",
        ),
        Mistake(
            lambda v, t: _components(np.abs(_cosines(v)) >= t),
            "you link opposite texts as well: the sign of the cosine is lost.",
        ),
        Mistake(
            on(_pairs_only),
            "for {case} you return pairs. A story told three times is one group of three, not three pairs.",
        ),
        Mistake(
            on(_neighbourhoods),
            "for {case} you return a group for every row: its neighbours. The same texts stand in several "
            "groups; each should stand in one.",
        ),
        Mistake(
            on(_later_ones),
            "for {case} you return {got}. A text stands in more than one of your groups: having found a "
            "group, begin the next at a row that is in none.",
        ),
        Mistake(
            on(_stars),
            "for {case} you return {got}; it should be {expected}. You take what is linked with the first "
            "row of the group. What is linked with *those* belongs to it, too.",
        ),
        Mistake(
            on(_never_merged),
            "for {case} you return {got}; it should be {expected}. A link between two groups that you have "
            "begun must merge them; yours adds to the first and leaves the other one standing.",
        ),
        Mistake(
            on(_each_joins_once),
            "for {case} you return {got}; it should be {expected}. Each row joins the first group that it is "
            "linked with. If it is linked with two, they have become one: merge them.",
        ),
        Mistake(
            on(_cliques),
            "for {case} you return {got}; it should be {expected}. You ask that a text be linked with *every* "
            "member of the group. A chain of links is enough.",
        ),
        Mistake(
            lambda v, t: _with_single(right(v, t), len(v)),
            "you return texts without any link as groups of one. Only groups of two or more were asked for.",
        ),
        Mistake(
            lambda v, t: [g for g in right(v, t) if len(g) > 2],
            "groups of two are missing: for {case} you return {got}.",
        ),
        Mistake(
            lambda v, t: sorted(right(v, t), key=len, reverse=True),
            "the groups are right, but sorted by size. The one with the smallest row number comes first.",
        ),
        Mistake(
            lambda v, t: right(v, t)[::-1],
            "the groups are right, but in reverse order. The one with the smallest row number comes first.",
        ),
        Mistake(
            lambda v, t: [[row + 1 for row in group] for group in right(v, t)],
            "your rows are counted from 1. The first row is 0.",
        ),
        Mistake(
            lambda v, t: right(v, t)[:1],
            "you return the first group only. Does `return` stand inside the loop?",
        ),
        Mistake(lambda v, t: right(v, t)[0], "you return one group, not a list of groups."),
        Mistake(
            lambda v, t: _group_of_each(v, t),
            "you return the number of its group for each text. Return the groups: a list of row numbers "
            "for each.",
        ),
        Mistake(
            lambda v, t: len(right(v, t)),
            "you return how many groups there are. Return the groups.",
        ),
        Mistake(
            lambda v, t: [len(group) for group in right(v, t)],
            "you return the sizes of the groups. Return the row numbers in them.",
        ),
        Mistake(
            lambda v, t: [g[1:] for g in right(v, t)],
            "the first text of each group is missing. It belongs to its group as much as the others.",
        ),
        *(
            Mistake(
                on(_steps(steps)),
                "for {case} you return {got}; it should be {expected}. You follow links of links, but only so "
                "far. Go on until nothing new turns up.",
            )
            for steps in (2, 3, 4, 5, 10)
        ),
        Mistake(
            on(_first_home),
            "for {case} you return {got}; it should be {expected}. A link between two groups that you have begun "
            "must merge them; yours leaves each text where it was put first.",
        ),
        Mistake(
            lambda v, t: _components(_distances(_unit(v), _unit(v)) <= t),
            "for {case} you return {got}; it should be {expected}. You compare the Euclidean distance with the "
            "threshold. It is one for the cosine.",
        ),
        *(
            Mistake(
                lambda v, t, fixed=fixed: duplicate_groups(v, fixed),
                "for {case} you return {got}; it should be {expected}. "
                f"Your threshold is {fixed} whatever is asked for: is it written into the function?",
            )
            for fixed in (0.75, 0.6, 0.5, 0.8, 0.9)
        ),
        *(
            Mistake(
                lambda v, t, method=method: _linked_by(method, v, t),
                "for {case} you return {got}; it should be {expected}. You join two groups only if they are near "
                "as a whole (average or complete linkage). One link is enough (single linkage).",
            )
            for method in ("average", "complete")
        ),
    ]
    judge(answer, cases[:5], duplicate_groups, mistakes, read=_groups_read)
    for case in cases[5:]:
        if answer(*case.arguments) is None and not answer.printed_instead:
            raise Wrong(
                f"for {case} you return None. Where there is no group, return an empty list."
            )
    judge(answer, cases[5:], duplicate_groups, mistakes, read=_groups_read)
    return "right: joined by chains of links, merged where they meet, and nobody stands alone."
