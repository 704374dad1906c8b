"""Groups in a set of vectors: k-means, their names, agreement, stability, near-duplicates.

>>> clusters = kmeans(vectors, 14, seed=7)
>>> name_clusters(texts, clusters.labels)[0]
['hollinsea', 'carrowby', 'went', 'came', 'twice']

Everything works on cosine similarity: vectors, arrays of shape (n, dimension), are brought to norm
1 first, whatever they come as. What is out of range, zero, not finite or of another shape raises
ValueError. Lesson 08 builds each of these before it uses them.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from helpers.arguments import check_texts, check_whole
from helpers.exact import SCORES_IN_MEMORY
from helpers.words import is_unspaced, lower, words_in


@dataclass(frozen=True, slots=True, eq=False)
class Clusters:
    """What `kmeans` found. Clusters are numbered by size: 0 is the largest."""

    labels: np.ndarray  # shape (n,), the cluster of each vector
    centres: np.ndarray  # shape (k, dimension), the mean of each cluster; not of norm 1
    inertia: float  # sum of squared distances of the vectors to their centres, each at most 4

    @property
    def sizes(self) -> np.ndarray:
        """Vectors in each cluster, shape (k,)."""
        return np.bincount(self.labels, minlength=len(self.centres))


def kmeans(vectors: np.ndarray, k: int, *, starts: int = 10, seed: int = 0) -> Clusters:
    """Divide vectors into `k` groups around their means: of several random `starts`, the one with
    the smallest inertia. The same `seed` gives the same clusters.

    scikit-learn's k-means (k-means++ starts, Lloyd's iterations), in one thread: for a few thousand
    vectors more cost more than they bring, and one gives the same sums from run to run.
    """
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    vectors = _unit_rows(vectors)
    k = check_whole("k", k, 1, len(vectors))
    starts = check_whole("starts", starts)
    with threadpool_limits(limits=1):
        found = KMeans(n_clusters=k, n_init=starts, random_state=seed).fit(vectors)
    # Largest first; of equal ones, the one whose first member comes first.
    first = np.full(k, len(vectors))
    np.minimum.at(first, found.labels_, np.arange(len(vectors)))
    order = np.lexsort((first, -np.bincount(found.labels_, minlength=k)))
    labels = np.argsort(order)[found.labels_]
    return Clusters(labels, found.cluster_centers_[order], float(found.inertia_))


def name_clusters(
    texts: Iterable[str], labels: Sequence[Hashable], *, words: int = 5
) -> dict[Hashable, list[str]]:
    """Return, for each cluster, the words that set it apart from the others, best first.

    Class-based TF-IDF: all texts of a cluster are taken as one. The weight of word t in cluster c
    is ``tf(t, c) · log(1 + A / f(t))``, where tf is the share of t among the words of c, f how
    often t occurs in all clusters, and A the average number of words in a cluster. Words are those
    of `helpers.words.words_in` that have three characters or more and no digit, in lower
    case, without English stop words; in scripts without spaces, pairs of characters, which are
    words or parts of words. Equal weights stand in alphabetical order.

    `labels` of any kind, one for each text; a text with the label None belongs to no cluster.
    Returned is a dict from label to at most `words` words, in the order in which labels appear.

    Reference: M. Grootendorst, "BERTopic: Neural topic modeling with a class-based TF-IDF
    procedure", arXiv:2203.05794, 2022.
    """
    from sklearn.feature_extraction.text import CountVectorizer

    texts, labels = check_texts(texts, "texts"), [_plain(label) for label in labels]
    if len(texts) != len(labels):
        given = f"{len(texts)} texts and {len(labels)} labels were given"
        raise ValueError(f"{given}; give one label for each text")
    check_whole("words", words)
    kept = [(text, label) for text, label in zip(texts, labels, strict=True) if label is not None]
    row_of = {label: row for row, label in enumerate(dict.fromkeys(label for _, label in kept))}
    if not any(_naming_words(text) for text, _ in kept):
        return {cluster: [] for cluster in row_of}
    vectorizer = CountVectorizer(analyzer=_naming_words)
    counts = vectorizer.fit_transform(text for text, _ in kept)  # (texts, words)
    vocabulary = vectorizer.get_feature_names_out()
    member = np.zeros((len(row_of), len(kept)), dtype=np.int64)
    member[[row_of[label] for _, label in kept], range(len(kept))] = 1
    of_cluster = member @ counts  # (clusters, words), dense
    lengths = of_cluster.sum(axis=1, keepdims=True)
    rarity = np.log1p(lengths.mean() / of_cluster.sum(axis=0))
    weights = (of_cluster / np.maximum(lengths, 1) * rarity).round(12)
    names = {}
    for cluster, row in row_of.items():
        possible = np.flatnonzero(of_cluster[row])
        best = possible[np.lexsort((vocabulary[possible], -weights[row, possible]))]
        names[cluster] = vocabulary[best[:words]].tolist()
    return names


def _naming_words(text: str) -> list[str]:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    found = [word for word in map(lower, words_in(text)) if word not in ENGLISH_STOP_WORDS]
    found = [word for word in found if not any(map(str.isdigit, word))]
    return [word for word in found if len(word) > 2 or (len(word) == 2 and is_unspaced(word))]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two divisions of the same things agree."""

    ari: float  # adjusted Rand index: 1 for the same division, 0 on average for unrelated ones
    nmi: float  # normalised mutual information: 1 for the same division; not corrected for chance
    chance_ari: float  # means of both after shuffling one of the divisions
    chance_nmi: float


def agreement(first: Sequence, second: Sequence, *, shuffles: int = 20, seed: int = 0) -> Agreement:
    """Return how far two divisions of n things agree, such as clusters and categories, and how far
    they would by chance: the second shuffled, `shuffles` times.

    Neither the names of the groups nor the order of the two arguments matters.
    """
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    first, second = _codes(first), _codes(second)
    if len(first) != len(second) or not len(first):
        given = f"divisions of {len(first)} and {len(second)} things were given"
        raise ValueError(f"{given}; give two labels for each of the same things")
    check_whole("shuffles", shuffles)
    rng = np.random.default_rng(seed)
    shuffled = [rng.permutation(second) for _ in range(shuffles)]
    measures = adjusted_rand_score, normalized_mutual_info_score
    found = [float(measure(first, second)) for measure in measures]
    chance = [np.mean([measure(first, other) for other in shuffled]) for measure in measures]
    return Agreement(*found, *map(float, chance))


def stability(
    vectors: np.ndarray, k: int, *, runs: int = 10, starts: int = 10, seed: int = 0
) -> np.ndarray:
    """Return the adjusted Rand index between every two of several k-means runs that differ only in
    their seeds: shape (runs · (runs - 1) / 2,).

    Near 1, the clusters do not depend on the seed. That does not make them real: one wrong division
    can be found every time.
    """
    from sklearn.metrics import adjusted_rand_score

    check_whole("runs", runs, 2)
    labels = [kmeans(vectors, k, starts=starts, seed=seed + run).labels for run in range(runs)]
    return np.array([adjusted_rand_score(a, b) for a, b in combinations(labels, 2)])


def near_duplicates(vectors: np.ndarray, threshold: float) -> list[tuple[int, int, float]]:
    """Return the pairs whose cosine is at least `threshold`: (i, j, similarity) with i < j, the
    most similar first.

    Every pair is looked at, a portion of rows at a time: exact, in time proportional to n². For
    millions of vectors, ask an index (lesson 04).
    """
    if not -1 <= threshold <= 1:
        raise ValueError(f"threshold={threshold}: a cosine lies between -1 and 1")
    vectors = _unit_rows(vectors)
    step = max(1, SCORES_IN_MEMORY // max(1, len(vectors)))
    pairs: list[tuple[int, int, float]] = []
    for start in range(0, len(vectors), step):
        scores = vectors[start : start + step] @ vectors[start:].T
        rows, columns = np.nonzero(np.triu(scores >= threshold, k=1))
        found = (rows + start, columns + start, scores[rows, columns])
        pairs += zip(*(part.tolist() for part in found), strict=True)
    return sorted(pairs, key=lambda pair: (-pair[2], pair[0], pair[1]))


def precision_recall(found: Iterable[Sequence], right: Iterable[Sequence]) -> tuple[float, float]:
    """Return the precision and the recall of the pairs `found`, by the pairs that are `right`.

    Only the first two entries of a pair count, in either order. Precision is nan when nothing was
    found, recall when nothing is right.
    """
    found, right = ({frozenset(pair[:2]) for pair in pairs} for pairs in (found, right))
    hits = len(found & right)
    return tuple(hits / len(pairs) if pairs else float("nan") for pairs in (found, right))


def _unit_rows(vectors: np.ndarray) -> np.ndarray:
    """Return `vectors` with rows of norm 1."""
    vectors = np.asarray(vectors)
    if vectors.ndim != 2:
        needed = "give one row for each text, shape (n, dimension)"
        raise ValueError(f"vectors has shape {vectors.shape}; {needed}")
    vectors = vectors.astype(np.float64 if vectors.dtype == np.float64 else np.float32)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    wrong = np.flatnonzero(~np.isfinite(norms) | (norms == 0))
    if len(wrong):
        what = f"vectors[{wrong[0]}] is zero or not finite ({len(wrong)} such rows)"
        raise ValueError(f"{what}; it has no direction. Leave it out")
    # What has norm 1 already is used as it is, to the last bit.
    return vectors if np.allclose(norms, 1, rtol=0, atol=1e-6) else vectors / norms


def _plain(label: Hashable) -> Hashable:
    return label.item() if isinstance(label, np.generic) else label


def _codes(labels: Sequence) -> np.ndarray:
    """Return labels of any kind as numbers from 0, in the order in which they first appear."""
    numbers: dict = {}
    return np.array([numbers.setdefault(_plain(label), len(numbers)) for label in labels], int)
