"""The checks of practice 03, semantic search."""

from __future__ import annotations

import numpy as np

from helpers.checks.frame import exercise
from helpers.checks.reading import Wrong, describe, integers, number, parts, sequence, texts, whole


def alike(found, expected, worth):
    """Say whether two lists of different items are worth the same, place by place."""
    values = [worth.get(item) for item in found]
    return len(set(found)) == len(found) and values == [worth[item] for item in expected]


def best(scores, k=None):
    """Return the rows of the `k` best scores, or of all, best first."""
    return [int(row) for row in np.argsort(-scores, kind="stable")[:k]]


@exercise(
    "3.1",
    level=1,
    title="Ten best without sorting all",
    names=["top_k"],
    hints=[
        "Whatever the query, the numbers found lie between 0 and 4. What do they number?",
        "`np.argsort(-scores[candidates])` is the order of the candidates. Rows are in `candidates`.",
        "`candidates[np.argsort(-scores[candidates])]`, after `k = min(k, len(scores))`.",
    ],
)
class TopK:
    """Rows of the scores, not of the candidates; in order; and k may be too large."""

    reads = integers
    praise = "right: rows of the archive, best first, and never more than there are."

    def reference(scores, k):
        return best(scores, k)

    def cases():
        yield np.array([0.2, 0.9, 0.5]), 1
        yield np.array([0.3, -0.2, 0.6, 0.8, 0.1]), 2
        yield np.array([-2.5, -0.5, -0.8, -3.1, -9.4]), 3
        yield np.array([-0.9, 0.2, -0.5, 0.4, -0.1, -0.3, 0.1]), 5
        yield np.array([0.1, 0.7, 0.4]), 3
        yield np.array([0.6, 0.7]), 4
        yield np.array([0.5, 0.5, 0.5]), 4
        yield np.array([-0.2, -0.2]), 3
        yield np.array([0.9, 0.9]), 1
        for n, k in ((12, 7), (600, 300), (700, 350)):  # fewer may be partitioned in order
            yield np.random.default_rng(n).permutation(np.linspace(-0.4, 0.99, n)), k

    def agrees(found, expected, scores, k):
        return alike(found, expected, dict(enumerate(scores)))

    mistakes = """
        np.argsort(-scores[np.argpartition(-scores, k)[:k]])
        np.argsort(-scores[np.argpartition(-scores, min(k, len(scores)) - 1)[:k]])
            these are places among the candidates, not rows. Look them up: `candidates[…]`.
        np.argpartition(-scores, min(k, len(scores)) - 1)[:k]
        np.argpartition(scores, -min(k, len(scores)))[-k:]
            these are the right rows, not in order: `np.argpartition` does not sort.
        np.argsort(scores)[:k]
            these are the k *worst*: `np.argsort` and `np.argpartition` put the smallest first.
        best(scores, k + 1)[1:]
            the best is left out: a slice one place too far.
        [row for row in best(scores, k) if scores[row] > 0]
            you leave out negative scores. There is no threshold here.
        best(scores)
        best(scores, 10)
            your list does not end after the best k.
        best(scores[:k])
            you look at the first k documents only.
        [list(scores).index(score) for score in np.sort(scores)[::-1][:k]]
        list({scores[row]: row for row in best(scores)}.values())[:k]
            looking up a score (`index`, a dictionary) finds one of the documents that have it.
    """


@exercise(
    "3.2",
    level=2,
    title="Nothing relevant here",
    names=["answers"],
    hints=[
        "Two conditions: among the best k, and at or above the threshold.",
        "Begin with the rows of the best k, best first. Which of them stay?",
        "`best = np.argsort(-scores)[:k]`, then `best[scores[best] >= threshold]`, empty or not.",
    ],
)
class Answers:
    """`>=`, rows and not places, at most k, sometimes nothing, and a threshold of 0 or less."""

    reads = integers
    praise = "right: what reaches the threshold, best first, and silence where nothing does."

    def reference(scores, threshold, k):
        return [row for row in best(scores, k) if scores[row] >= threshold]

    def cases():
        small = np.array([0.1, 0.5, 0.3, 0.75, 0.2, 0.6])
        yield np.array([0.2, 0.8, 0.5]), 0.5, 2
        yield small, 0.3, 5
        yield small, 0.25, 2
        yield np.array([0.1, 0.25, -0.2, 0.2, 0.7]), 0.0, 5
        yield np.array([-0.5, 0.0, 0.1, -0.1, 0.2]), 0.0, 5
        yield np.array([0.2, 0.4, 0.3]), 0.5, 2
        yield small, 0.8, 3
        yield np.array([0.4]), 0.6, 1
        yield np.array([0.6, 0.6]), 0.5, 3
        for n, threshold, k in ((15, -0.25, 11), (14, 0.9, 6), (12, -0.1, 20), (13, 0.5, 3)):
            yield np.random.default_rng(n).permutation(np.linspace(-0.4, 0.99, n)), threshold, k

    def agrees(found, expected, scores, threshold, k):
        return alike(found, expected, dict(enumerate(scores)))

    mistakes = """
        np.argsort(-scores[scores >= threshold])[:k]
        np.flatnonzero(scores[best(scores, k)] >= threshold)
            these are places among the documents that are left, not rows. Keep their rows, too.
        [row for row in best(scores, k) if row >= threshold]
            you compare *row numbers* with the threshold. Compare their scores: `scores[best]`.
        best(scores, k) if scores.max() >= threshold else []
            you ask only whether the *best* reaches the threshold. Each one must.
        reference(scores, threshold, k) or best(scores, 1)
        reference(scores, threshold, k) or None
        reference(scores, threshold, k) or [-1]
        (reference(scores, threshold, k) + [-1] * k)[:k]
            a shorter list, or an empty one, is an answer: no -1, no None, nothing below the threshold.
        reference(scores, threshold or 0.5, k)
        reference(scores, threshold or -np.inf, k)
        reference(scores, threshold or np.inf, k)
            a threshold of 0 is taken for missing: `or` and `if threshold` do so.
        reference(scores, threshold, len(scores))
        reference(scores, threshold, 10)
            your list does not end after the best k.
        best(scores, k)
        np.argsort(-np.where(scores < threshold, 0, scores))[:k]
            you return documents below the threshold, too.
        np.flatnonzero(scores >= threshold)[:k]
        sorted(np.flatnonzero(scores >= threshold)[:k], key=lambda row: -scores[row])
            you take the first k rows that reach the threshold. Sort by score before you cut.
        [row for row in best(-scores) if scores[row] >= threshold][:k]
        reference(scores, threshold, len(scores))[-k:]
            of those that reach the threshold you take the k *worst*.
        [row for row in best(scores) if scores[row] < threshold][:k]
        [row for row in best(scores) if scores[row] <= threshold][:k]
        [row for row in best(scores, k) if scores[row] < threshold]
        [row for row in best(-scores) if scores[row] <= threshold][:k]
            you keep what lies *below* the threshold. Here higher is better.
        reference(scores, 0.43, k)
        reference(scores, 0.5, k)
            your threshold is always the same; the function is given one.
    """


def by(rankings, worth, join=sum, start=1):
    """Return all ids by what their ranks are worth, the most first."""
    gains = {}
    for ranking in rankings:
        for rank, document in enumerate(ranking, start):
            gains.setdefault(document, []).append(worth(rank))
    return sorted(gains, key=lambda document: -join(gains[document]))


@exercise(
    "3.3",
    level=2,
    title="Two rankings, one list",
    names=["fuse"],
    hints=[
        "What does a document get, in the function as found, from a list in which it does not stand?",
        "Add 1 / (constant + rank) to what the document has so far: `sums.get(document, 0)`.",
        "`enumerate(ranking, start=1)` counts the ranks; `sorted(sums, key=sums.get, reverse=True)`.",
    ],
)
class Fuse:
    """Added up, from rank 1, over any number of lists of any length."""

    reads = texts
    praise = "right: every vote is a gain, and whoever is missing gains nothing."

    def reference(rankings, constant):
        return by(rankings, lambda r: 1 / (constant + r))

    def cases():
        yield [["a", "b"], ["b", "c"]], 1
        yield [["a", "b", "c", "x"], ["c", "a", "y", "b"]], 60
        yield [["x", "y"], []], 60
        yield [[], ["x"]], 1
        yield [[]], 60
        yield [["a", "b"], ["b", "a"]], 5
        rng = np.random.default_rng(0)  # without ties
        lengths = (6, 4), (9, 3, 6), (12, 14), (3, 8, 8, 5), (5,), (9, 7), (8, 5)
        for constant, each in zip((1, 2, 60, 5, 1, 1000, 1000), lengths, strict=True):
            yield [[f"d{i}" for i in rng.permutation(max(each))[:n]] for n in each], constant

    def agrees(found, expected, rankings, constant):
        sums = {
            d: sum(1 / (constant + r.index(d) + 1) for r in rankings if d in r) for d in expected
        }
        return alike(found, expected, sums)

    mistakes = """
        by(rankings, lambda r: -constant - r)
        by(rankings, lambda r: -r)
            this is still a sum of ranks: whoever is *missing* gets nothing added, and wins.
        by(rankings, lambda r: 1 / (constant + r), start=0)
            you count ranks from 0 (`enumerate` does). The first place has rank 1.
        by(rankings, lambda r: 1 / (constant + r), lambda gains: gains[-1])
            a document keeps what the last list gave it (`=` replaces). Add up what all give.
        by(rankings, lambda r: 1 / (constant + r), max)
        by(rankings, lambda r: 1 / (constant + r), np.mean)
            you take the best, or the mean, of what the lists give a document. Add it up.
        by(rankings, lambda r: 1 / (60 + r))
            your constant is always 60; the function is given one.
        by(rankings, lambda r: 1 / r)
            you add 1 / rank, or a multiple of it. The constant is added to the rank first.
        by(rankings, lambda r: 1 / constant + r)
            `1 / constant + rank` divides first. Put `constant + rank` in brackets.
        by(rankings, lambda r: round(1 / (constant + r), 4))
            you round what is added up. With a large constant all ranks are then worth the same.
        by(rankings, lambda r: 1)
            you count in how many lists a document stands. Its rank matters, too.
        [d for d in reference(rankings, constant) if all(d in ranking for ranking in rankings)]
            you keep only what stands in *every* list. All ids that occur belong in the result.
        reference(rankings[:2], constant)
            you look at two rankings only. There can be more.
        reference([ranking[: min(map(len, rankings))] for ranking in rankings], constant)
            you stop where the shortest ranking ends (`zip` does). The others go on.
        list(dict.fromkeys(d for ranking in rankings for d in ranking))
            the lists stand one behind the other: nothing is added up, or all sums are 0 (`//`).
    """


def right(scores, answerable, t):
    """Return the share of right decisions at threshold `t`."""
    return ((scores >= t) == answerable).mean()


def pick(scores, answerable, choose, among=None, half=None, rest=None, by=right, share=right):
    """Choose `among` thresholds with `half` of the queries, and measure with the `rest`."""
    half, rest = choose if half is None else half, ~choose if rest is None else rest
    among = np.unique(scores[choose]) if among is None else among
    t = among[np.argmax([by(scores[half], answerable[half], t) for t in among])]
    return float(t), float(share(scores[rest], answerable[rest], t))


@exercise(
    "3.4",
    level=2,
    title="A promise to say nothing",
    names=["abstention"],
    hints=[
        "Two steps that must not see the same queries: choose with `choose`, report with `~choose`.",
        "`(best_scores >= t) == answerable` says which decisions at t are right. Its mean is a share.",
        "`np.unique` sorts the candidates, and `np.argmax` takes the first of equally good ones.",
    ],
)
class Abstention:
    """The half that reports has no part in the choice."""

    reads = parts(number, number)
    praise = "right: chosen on one half, reported on the other, and the two never meet."

    def reference(best_scores, answerable, choose):
        return pick(best_scores, answerable, choose)

    def cases():
        for scores, answerable, choose in (
            ([0.2, 0.5, 0.8, 0.4, 0.6], [0, 1, 1, 0, 1], [1, 1, 1, 0, 0]),
            ([0.3, 0.0, 0.2, -0.1], [1, 1, 1, 0], [1, 1, 0, 0]),
            ([0.4, 0.6, 0.5, 0.3], [1, 1, 1, 0], [1, 1, 0, 0]),
            ([0.6, 0.3, 0.9, 0.95, 0.7, 0.8], [1, 1, 0, 1, 0, 0], [1, 0, 1, 0, 1, 1]),
            ([0.7, 0.9, 0.3, 0.95, 0.8, 0.2], [0, 0, 1, 1, 0, 1], [1, 1, 0, 0, 1, 1]),
        ):
            yield np.array(scores), np.array(answerable) == 1, np.array(choose) == 1
        for n, digits in ((26, 4), (28, 1), (31, 4), (40, 1), (45, 4), (60, 1), (70, 4), (80, 1)):
            rng = np.random.default_rng(n)
            answerable = rng.uniform(size=n) < 0.55
            scores = 0.3 + 0.25 * answerable + rng.normal(0, 0.3, n)
            yield scores.round(digits), answerable, rng.permutation(n) < 0.45 * n

    mistakes = """
        pick(best_scores, answerable, choose, half=choose | True)
        pick(best_scores, answerable, choose | True, rest=choose | True)
        pick(best_scores, answerable, choose, half=choose | True, among=np.unique(best_scores))
            the other half takes part in the choice: nothing is left on which it could be tested.
        reference(best_scores, answerable, ~choose)
            you choose with the half that was to test. `choose` is True where you may choose.
        pick(best_scores, answerable, choose, among=np.unique(best_scores))
            your candidates are the scores of *all* queries. Look at the choosing half only.
        pick(best_scores, answerable, choose, among=np.unique(best_scores[choose])[::-1])
        pick(best_scores, answerable, choose, among=best_scores[choose])
            of several equally good thresholds you do not take the smallest.
        pick(best_scores, answerable, choose, among=np.unique(best_scores[choose & answerable]))
            your candidates are the scores of the queries with an answer only.
        pick(best_scores - 1e-9, answerable, choose, among=np.unique(best_scores[choose]))
            a query whose score is exactly the threshold is answered: `>=`, not `>`.
        pick(best_scores, answerable, choose, among=np.linspace(0, 1, 101))
        pick(best_scores, answerable, choose, among=np.unique(best_scores[choose].round(2)))
            you try round numbers. The candidates are the scores of the choosing half.
        pick(best_scores, answerable, choose, among=[*np.unique(best_scores[choose]), np.inf])
        pick(best_scores, answerable, choose, among=np.unique(best_scores[choose])[1:])
            you try one threshold more, or one less, than there are scores in the choosing half.
        reference(np.sort(best_scores), answerable, choose)
            you sort the scores alone, and they no longer stand beside their own queries.
        pick(best_scores, answerable, choose, by=lambda s, a, t: a[s >= t].mean())
            you choose by the answered queries only. Being rightly silent counts, too.
        pick(best_scores, answerable, choose, rest=choose)
        pick(best_scores, answerable, choose, rest=choose | True)
            your share includes the half that *chose*, where it looks best. Report the other alone.
        pick(best_scores, answerable, choose, share=lambda s, a, t: a[s >= t].mean())
        pick(best_scores, answerable, choose, share=lambda s, a, t: (s[a] >= t).mean())
            your share looks only at the queries that are answered, or that have an answer.
    """


def entries(value):
    """Read a list of (document, score, row)."""
    found = []
    for item in sequence(value):
        listed = isinstance(item, (list, tuple, np.ndarray)) and len(item) == 3
        if not listed or not isinstance(item[0], str):
            form = "each entry should be a tuple (document id, score, row)"
            raise Wrong(f"your list holds {describe(item)}; {form}.")
        score = number(item[1], "the score in your entries")
        found.append((str(item[0]), score, whole(item[2], "the row in your entries")))
    return found


def measured(scores, document_of, k, measure, row_of=np.argmax, order=lambda entry: -entry[1]):
    """Score a document by `measure` of its chunks, and name the one at `row_of`."""
    found = []
    for document in dict.fromkeys(document_of):
        rows = np.array([row for row, owner in enumerate(document_of) if owner == document])
        found.append((document, float(measure(scores[rows])), int(rows[row_of(scores[rows])])))
    return sorted(found, key=order)[:k]


@exercise(
    "3.5",
    level=3,
    title="The passage leads to the page",
    names=["search_chunks"],
    hints=[
        "What should it return for the six chunks above and k = 3: three documents, or one?",
        "Go from the best score to the worst. A document's first chunk is its best; skip the others.",
        "Go through `np.argsort(-scores)`; append an entry if `document_of[row]` is new; then `[:k]`.",
    ],
)
class SearchChunks:
    """Group, then cut; the best chunk decides, and its row leads to the passage."""

    reads = entries
    praise = "right: each page once, by its best passage, and the passage comes along."

    def reference(scores, document_of, k):
        return measured(scores, document_of, k, np.max)

    def cases():
        yield np.array([0.2, 0.9, 0.8]), ["a", "b", "b"], 2
        yield np.array([0.3, 0.8, 0.7, 0.75, 0.1, 0.6, 0.55]), list("abbbaca"), 2
        yield np.array([-0.3, 0.2, -4.1, -0.4, 0.1]), list("pqrpq"), 3
        yield np.array([0.0, -0.5, -1.2]), list("aab"), 2
        yield np.array([-0.1, 0.0, -0.3, 0.5]), list("cdde"), 3
        yield np.array([0.6, 0.9, 0.7, 0.8]), ["day-1", "day-10", "day-1", "day-100"], 3
        yield np.array([0.4, 0.4]), ["a", "b"], 2
        yield np.array([-0.2, -0.2, -0.2]), ["p", "q", "r"], 5
        yield np.array([]), [], 3
        for n, documents, k in ((12, 4, 1), (30, 8, 4), (20, 5, 9), (60, 12, 3), (90, 20, 6)):
            rng = np.random.default_rng(n)
            scores, owners = rng.uniform(-0.4, 1, n), rng.integers(0, documents, n)
            owners[scores > 0.5] = 0 if n > 50 else owners[scores > 0.5]  # one long page
            yield scores.round(4), [f"page-{owner}" for owner in owners], k

    def agrees(found, expected, scores, document_of, k):
        top = {d: s for d, s, _ in measured(scores, document_of, 999, np.max)}
        owned = list(enumerate(document_of))
        worth = {(d, top[d], row): top[d] for row, d in owned if scores[row] == top[d]}
        return alike([(d, round(s, 4), row) for d, s, row in found], expected, worth)

    mistakes = """
        [entry for entry in reference(scores, document_of, k) if entry[2] in best(scores, k)]
        [entry for entry in reference(scores, document_of, k) if entry[2] in best(scores, 3 * k)]
            one document with many good chunks drives the others out. Group first, then cut.
        [(document_of[row], scores[row], row) for row in best(scores, k)]
            these are the best k *chunks*. Return each document once, with its best chunk.
        measured(scores, document_of, k, np.mean)
        measured(scores, document_of, k, np.sum)
            you score a document by the mean, or the sum, of its chunks. Its best chunk decides.
        measured(scores, document_of, k, np.min)
        measured(scores, document_of, k, np.min, np.argmin)
            you score a document by its *worst* chunk.
        list({document_of[r]: (document_of[r], scores[r], r) for r in best(scores)}.values())[:k]
        measured(scores, document_of, k, lambda s: s[-1], lambda s: -1)
            every further chunk of a document replaces the one before. Keep the best.
        [entry for entry in reference(scores, document_of, 999) if entry[1] > 0][:k]
        [entry for entry in reference(scores, document_of, 999) if entry[1] > -1][:k]
            documents with low scores are missing. The best so far must not begin at 0, or at -1.
        [entry for entry in reference(scores, document_of, 999) if entry[1]][:k]
            a best score of 0 is taken for none: `or`, `not` and `if score` do so.
        measured(scores, document_of, k, np.max, order=lambda entry: 0)
        sorted(measured(scores, document_of, k, np.max, order=lambda e: 0), key=lambda e: -e[1])
            you cut to the first k documents of the archive. Sort by score before you cut.
        sorted(reference(scores, document_of, 999))[:k]
        sorted(reference(scores, document_of, 999), reverse=True)[:k]
            you sort by document id (tuples are sorted by their first part). Sort by score.
        reference(scores, document_of, 999)
        reference(scores, document_of, 3)
            your list does not end after the best k documents.
        list({entry[1]: entry for entry in reference(scores, document_of, 999)}.values())[:k]
        [(d, s, list(scores).index(s)) for d, s, _ in reference(scores, document_of, k)]
            looking up a score (`index`, a dictionary) finds one of the chunks that have it.
        [(d, s, document_of[:row].count(d)) for d, s, row in reference(scores, document_of, k)]
            your third is a place *within its document*. Asked for is the row in `scores`.
        measured(scores, document_of, k, np.max, lambda s: 0)
            the row is that of a document's first chunk, not of its best.
    """
