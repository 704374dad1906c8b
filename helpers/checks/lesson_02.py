"""The checks of practice 02, cosine similarity."""

from __future__ import annotations

import numpy as np

from helpers.checks.common import unit
from helpers.checks.frame import exercise
from helpers.checks.reading import TOLERANCE, array, number


def norms(rows):
    """Return the norm of each row, shape (rows, 1)."""
    return np.linalg.norm(rows, axis=1, keepdims=True)


def cosines(q, d):
    """Return all cosines, shape (queries, documents)."""
    return unit(q) @ unit(d).T


def divided(queries, documents, norm):
    """Divide each row by what `norm` makes of the row; where that is 0, by 1."""
    q, d = (rows / np.where(norm(rows) == 0, 1, norm(rows)) for rows in (queries, documents))
    return q @ d.T


def added(queries, documents, extra):
    """Add `extra` to each product of two norms."""
    q, d = (np.linalg.norm(rows, axis=1) for rows in (queries, documents))
    return queries @ documents.T / (np.outer(q, d) + extra)


@exercise(
    "2.1",
    level=1,
    title="A cosine that is not one",
    names=["cosine_matrix"],
    hints=[
        "What is the cosine of a text with itself, and what does the function as found say?",
        "`np.linalg.norm(rows)` is one number for the whole matrix. You need one for each row.",
        "`axis=1` goes along a row, and `keepdims=True` leaves a column that divides each row by its "
        "own norm. For rows of zeros, divide by 1 instead.",
    ],
)
class CosineMatrix:
    """Every row by its own norm; rows of zeros, of sum 0 and of norm below 1 included."""

    reads = array
    praise = "right: every row by its own norm, and a row of zeros is close to nothing."

    def reference(queries, documents):
        return cosines(queries, documents)

    def cases():
        rng = np.random.default_rng(21)
        yield np.array([[3.0, 4.0]]), np.array([[0.0, 2.0], [5.0, 0.0], [1.0, 1.0]])
        yield np.array([[3.0, -3.0], [0.0, 0.5]]), np.array([[2.0, 0.0], [-1.0, 1.0]])
        yield np.array([[3.0, 4.0]]), np.array([[0.0, 0.0], [5.0, 0.0]])
        yield np.array([[2.0, -2.0], [0.0, 0.0]]), np.array([[3.0, 1.0]])
        queries, documents = rng.normal(size=(3, 5)), rng.normal(size=(4, 5))
        yield queries, documents * [[1], [9], [0.1], [3]]
        yield documents[:, :4], documents[:, :4]
        yield rng.normal(size=(1, 1)), rng.normal(size=(1, 1))

    mistakes = """
        divided(queries, documents, lambda rows: np.linalg.norm(rows))
            this is the function as found: it divides by the norm of the whole matrix.
        unit(queries.T).T @ unit(documents.T)
            you divide by the norms of the columns (`axis=0`). A vector is a row: `axis=1`.
        queries @ documents.T
            these are dot products. Nothing is divided by the norms, so long vectors win.
        unit(queries) @ documents.T
            only the queries are normalised. The documents keep their lengths, and long ones win.
        np.linalg.norm(queries[:, None] - documents[None], axis=2)
            these are Euclidean distances: 0 for equal vectors, not 1.
        divided(queries, documents, lambda rows: (rows**2).sum(axis=1, keepdims=True))
            you divide by the squared norms. The norm is the square root of the sum of squares.
        divided(queries, documents, lambda rows: np.abs(rows).sum(axis=1, keepdims=True))
            you divide by the sum of the values without sign (the L1 norm).
        divided(queries, documents, lambda rows: np.maximum(norms(rows), 1))
            you divide by the norm or by 1, whichever is larger. Replace norms of 0 only.
        added(queries, documents, 1)
        added(queries, documents, 0.01)
            you add a number to what you divide by, and that changes every cosine.
        np.where(np.outer(queries.sum(1), documents.sum(1)) == 0, 0, reference(queries, documents))
            a row whose *sum* is 0 is taken for a row of zeros. Look at its norm.
    """


@exercise(
    "2.2",
    level=2,
    title="Seven claims",
    names=["claims"],
    hints=[
        "Take two vectors in the plane and draw them. Most claims fall or stand on one drawing.",
        "For a, e and f use d² = 2 - 2 cos. For c and d: which of the products grow?",
        "Test one: `rng.normal(size=(50, 8))` makes vectors, `np.argsort` makes rankings. For g, "
        "look at the smallest value of a cosine matrix.",
    ],
)
class Claims:
    """Each claim is tested on vectors, here and now."""

    praise = "right. Between unit vectors the measures agree; between others, length decides."

    def claims():
        rng = np.random.default_rng(22)
        query, documents = rng.normal(size=8), rng.normal(size=(50, 8)) * rng.uniform(1, 5, (50, 1))
        at_one = np.array([0.5, np.sqrt(0.75)])
        cosine = unit(documents) @ query
        dot = list(np.argsort(-(documents @ query)))
        distance = list(np.argsort(np.linalg.norm(documents - query, axis=1)))
        unit_distance = np.linalg.norm(unit(documents) - query / np.linalg.norm(query), axis=1)
        longer = documents.copy()
        longer[dot[1]] *= 2
        lowest = float(cosines(documents, documents).min())
        return {
            "a": (
                list(np.argsort(unit_distance)) == list(np.argsort(-cosine)),
                "On 50 unit vectors the two orders are the same, for d² = 2 - 2 cos.",
            ),
            "b": (
                distance == list(np.argsort(-cosine)),
                "On 50 vectors of different lengths the two orders differ.",
            ),
            "c": (
                list(np.argsort(-(documents @ (2 * query)))) != dot,
                "Twice the query makes all its dot products twice as large: the order stays.",
            ),
            "d": (
                list(np.argsort(-(longer @ query))) != dot,
                "The second of 50 documents, made twice as long, comes first: its dot product "
                "doubles, the others stay.",
            ),
            "e": (
                list(np.argsort(((documents - query) ** 2).sum(axis=1))) != distance,
                "The square of a larger distance is larger: on 50 vectors the order is the same.",
            ),
            "f": (
                bool(np.isclose(np.linalg.norm(at_one - [1, 0]), 1) and at_one[0] == 0.5),
                "Set d = 1 in d² = 2 - 2 cos: the cosine is 0.5.",
            ),
            "g": (
                lowest >= 0,
                f"Among 50 vectors there is a pair with cosine {lowest:.2f}. Lesson 01 measured "
                "negative ones between real texts, too.",
            ),
        }


def pairs_of(vectors, matrix=cosines, above=1):
    """Return what lies above the diagonal of a matrix: each pair of different rows once."""
    return matrix(vectors, vectors)[np.triu_indices(len(vectors), above)]


def dots(one, other):
    """Return all dot products."""
    return one @ other.T


def level(values, percentile):
    """Return the percentile of all values of an array."""
    return np.percentile(np.ravel(values), percentile)


def others_of_each(vectors):
    """Return for each row its cosines with the others, shape (n, n - 1)."""
    n = len(vectors)
    return cosines(vectors, vectors)[~np.eye(n, dtype=bool)].reshape(n, n - 1)


@exercise(
    "2.3",
    level=2,
    title="How high is high?",
    names=["level_of_chance"],
    hints=[
        "A cosine matrix holds each pair twice, and on its diagonal each text with itself.",
        "`np.triu_indices(n, 1)` gives rows and columns of what lies above the diagonal.",
        "`np.percentile(values, 99)` wants 99, not 0.99.",
    ],
)
class LevelOfChance:
    """Different texts only: no diagonal, no zeros from a triangle."""

    reads = number
    praise = "right: different texts only, each with its own norm."

    def reference(vectors, percentile):
        return float(level(pairs_of(vectors), percentile))

    def cases():
        yield np.array([[2.0, 0.0], [0.0, 1.0], [3.0, 4.0]]), 50
        yield np.array([[1.0, 0.0], [1.0, 0.0], [-3.0, 4.0], [0.0, 2.0]]), 80
        yield np.array([[1.0, 0.0], [2.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), 70
        yield 2.0 * np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 0, 1]]), 30
        rng = np.random.default_rng(23)
        for n, shift, p in ((12, 0.3, 50), (25, 0.1, 90), (20, 1.0, 5), (30, 0.2, 75)):
            yield (rng.normal(size=(n, 6)) + shift) * rng.uniform(0.5, 4, size=(n, 1)), p

    def agrees(found, expected, vectors, percentile):
        """Any way to go between two values, and pairs counted once or in both directions."""
        ways = ("linear", "lower", "higher", "weibull", "interpolated_inverted_cdf")
        levels = [
            np.percentile(np.repeat(pairs_of(vectors), times), percentile, method=way)
            for way in ways
            for times in (1, 2)
        ]
        return min(levels) - TOLERANCE <= found <= max(levels) + TOLERANCE

    mistakes = """
        level(cosines(vectors, vectors), percentile)
            you take the whole matrix, and on its diagonal every text with itself, cosine 1.
        level(pairs_of(vectors, above=0), percentile)
            your triangle includes the diagonal: `np.triu_indices(n, 1)` begins one further right.
        level(np.triu(cosines(vectors, vectors), 1), percentile)
            `np.triu` keeps the lower triangle as zeros, and you count them. Pick by index.
        reference(vectors, percentile / 100)
            `np.percentile` takes 99 for 99 %. It is `np.quantile` that wants 0.99.
        reference(vectors, 100 - percentile)
        np.sort(pairs_of(vectors))[::-1][int(len(pairs_of(vectors)) * percentile / 100)]
            this is the percentile from the other end: p per cent of the pairs lie *below* it.
        pairs_of(vectors).mean()
            this is the mean of the pairs, not their percentile.
        level(1 - pairs_of(vectors), percentile)
            these are cosine distances, 1 minus the cosine.
        reference(vectors, 99)
            your percentile is always the same; the function is given one.
        level(pairs_of(vectors, dots), percentile)
        level(np.repeat(pairs_of(vectors, dots), 2), percentile)
            these are dot products. The rows are not of norm 1: divide each by its norm.
        level(dots(vectors, vectors), percentile)
            these are dot products, with each text itself among them.
        level(pairs_of(vectors, lambda one, other: unit(one) @ other.T), percentile)
            you divide by the norm of one of the two vectors only. The cosine divides by both.
        level(pairs_of(vectors)[pairs_of(vectors) > 0], percentile)
            you keep the cosines above 0 only. Negative ones are pairs like any other.
        level(cosines(vectors, vectors) * (1 - np.eye(len(vectors))), percentile)
        level(cosines(vectors, vectors) - 2 * np.eye(len(vectors)), percentile)
            you give the diagonal another value and still count it. Leave it out.
        level(pairs_of(vectors)[pairs_of(vectors) < 0.9999], percentile)
            you leave out what is 1. Other pairs can hold that, too: leave out by place.
        level(pairs_of(vectors)[pairs_of(vectors) != 0], percentile)
            you leave out what is 0. Vectors at right angles are a pair like any other.
        reference(np.unique(vectors, axis=0), percentile)
        level(np.unique(pairs_of(vectors).round(6)), percentile)
            what is equal is kept once. Different rows are a pair, even if they hold the same.
        level(np.abs(pairs_of(vectors)), percentile)
        level(np.repeat(np.abs(pairs_of(vectors)), 2), percentile)
            your cosines have lost their sign.
        level(others_of_each(vectors).max(axis=1), percentile)
            you take each text's closest neighbour only. All pairs were asked for.
        np.percentile(others_of_each(vectors), percentile, axis=1).mean()
            you take a percentile for each text, and then their mean. Put all pairs together.
    """


def smallest(scores, same, precision, accepts=np.greater_equal, share=None, among=None, pick=min):
    """Return the smallest candidate whose share reaches `precision`, or None."""
    share = share or (lambda accepted, same: same[accepted].mean())
    candidates = np.unique(scores) if among is None else among
    tried = ((t, accepts(scores, t)) for t in candidates)
    good = [t for t, accepted in tried if accepted.any() and share(accepted, same) >= precision]
    return pick(good) if good else None


def until_it_fails(scores, same, precision):
    """Go down from the top, until the precision is missed for the first time."""
    found = None
    for t in np.unique(scores)[::-1]:
        if same[scores >= t].mean() < precision:
            break
        found = t
    return found


def row_by_row(scores, same, precision):
    """Take the scores as they stand, and cut behind any row."""
    shares = np.cumsum(same) / np.arange(1, len(scores) + 1)
    good = np.flatnonzero(shares >= precision)
    return scores[good[-1]] if len(good) else None


def halving(scores, same, precision):
    """Search by halving, as if precision rose steadily with the threshold."""
    each, found = np.unique(scores), None
    low, high = 0, len(each) - 1
    while low <= high:
        middle = (low + high) // 2
        if same[scores >= each[middle]].mean() >= precision:
            found, high = each[middle], middle - 1
        else:
            low = middle + 1
    return found


def of(threshold, measure):
    """Return `measure` of a threshold, or None where there is none."""
    return None if threshold is None else measure(threshold)


@exercise(
    "2.4",
    level=3,
    title="A threshold that keeps a promise",
    names=["smallest_threshold"],
    hints=[
        "Only the scores themselves need to be tried: between two of them nothing changes.",
        "`same[scores >= t].mean()` is the precision at t. It may fall below the target and rise "
        "again as t falls: try them all.",
        "Collect each t of `np.unique(scores)` whose precision reaches the target; return the "
        "smallest, or None when there is none.",
    ],
)
class SmallestThreshold:
    """Precision does not fall steadily, equal scores belong together, and there may be none."""

    def reads(value):
        return None if value is None else number(value)

    praise = "right. It tries every threshold, and it knows when to give up."

    def reference(scores, same, precision):
        found = smallest(scores, same, precision - 1e-12)
        return None if found is None else float(found)

    def cases():
        for scores, same, precision in (
            ([-0.1], [1], 1.0),
            ([0.4, 0.2], [0, 1], 0.9),
            ([8.0, 12.5, 3.5], [0, 1, 0], 1.0),
            ([0.0, -0.5, 0.4], [1, 0, 1], 0.9),
            ([0.0, -0.5, 0.0], [1, 0, 1], 0.7),
            ([2.0, 1.5, -3.0], [1, 0, 0], 0.5),
            ([0.9, 0.8, 0.7], [1, 1, 0], 0.67),
            ([0.9, 0.8, 0.7, 0.6], [1, 1, 1, 0], 0.755),
            ([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3], [1, 1, 0, 0, 1, 1, 0], 0.66),
            ([0.2, 0.4, 0.6, 0.8], [1, 1, 0, 0], 0.9),
            ([0.3, 0.9, 0.5, 0.5, 0.2], [0, 1, 1, 0, 0], 0.7),
            ([0.9, 0.8, 0.7, 0.6, 0.5, 0.4], [1, 0, 1, 1, 0, 0], 0.75),
        ):
            yield np.array(scores), np.array(same, dtype=bool), precision
        rng = np.random.default_rng(24)
        scores = np.round(rng.uniform(-0.2, 1, 40), 2) * 0.9731  # equal ones stay equal
        same = rng.uniform(size=40) < np.clip(scores, 0.05, 0.95)
        for precision in (0.5, 0.6, 0.8):
            yield scores, same, precision
        yield scores * 20 - 3, same, 0.55

    mistakes = """
        smallest(scores, same, precision, accepts=np.greater)
            a pair that scores exactly the threshold is accepted, too: `>=`, not `>`.
        until_it_fails(scores, same, precision)
            you stop at the first threshold that fails, but precision can recover below it.
        row_by_row(np.sort(scores)[::-1], same[np.argsort(-scores, kind="stable")], precision)
            you cut between equal scores. A threshold takes all of them or none.
        smallest(scores, same, precision, pick=max)
            this is the *largest* threshold that keeps the promise. A smaller one accepts more.
        max(np.unique(scores)[::-1], key=lambda t: same[scores >= t].mean())
        max(np.unique(scores), key=lambda t: same[scores >= t].mean())
            you look for the *highest* precision. It need only be reached.
        reference(scores, same, precision) or None
            a threshold of 0 is lost: `if t` and `or` take 0 for nothing. Ask `is None`.
        of(reference(scores, same, precision), lambda t: None if t >= 1 else t)
            scores can be 1 and more. Let the best so far begin at infinity, or at None.
        reference(np.sort(scores), same, precision)
        row_by_row(np.sort(scores)[::-1], same, precision)
            you sort `scores`, and leave `same` as it is: then they belong to different pairs.
        smallest(scores, same, precision, among=scores, pick=lambda good: good[0])
            you return the first that keeps the promise, in the order given. Look for the smallest.
        halving(scores, same, precision)
            you search by halving. That needs a precision that only rises with the threshold.
        scores.min()
            this is the lowest of all scores, at which every pair is accepted.
        reference(scores, same, 0.8)
            your precision is always 0.8; the function is given one.
        row_by_row(scores, same, precision)
            you go through the pairs in the order given, as if the best came first.
        scores[same].min()
            this is the lowest score of a pair that is the same story. The precision plays no part.
        smallest(scores, same, precision, among=scores[scores > 0])
            you leave out the scores that are 0 or less. A threshold can be negative.
        smallest(scores, same, precision, among=np.unique(scores)[1:])
            you never try the lowest score, at which every pair is accepted.
        smallest(scores, same, precision, among=scores[same])
            you try only the scores of the pairs that *are* the same story.
        smallest(scores, same, precision, among=np.linspace(0, 1, 101))
        smallest(scores, same, precision, among=np.arange(0, 1, 0.01))
        smallest(scores, same, precision, among=np.linspace(0, 1, 11))
            you try round numbers. The candidates are the scores themselves.
        of(reference(scores, same, precision), lambda t: np.flatnonzero(scores == t)[0])
            this is the place of the threshold. Return the score itself.
        of(reference(scores, same, precision), lambda t: (scores >= t).sum())
            this is how many pairs are accepted. Return the threshold.
        smallest(scores, same, precision, accepts=np.less_equal)
            you accept the pairs *below* the threshold (`<=`), as if the scores were distances.
        smallest(scores, same, precision, share=lambda kept, same: (kept & same).mean())
            you divide by the number of all pairs. Precision divides by the *accepted* ones.
        smallest(scores, same, precision, share=lambda kept, s: (kept & s).sum() / s.sum(), pick=max)
            you measure recall, the share of the same-story pairs that are accepted.
        smallest(scores, same, precision, share=lambda kept, same: (kept == same).mean())
            you measure accuracy, which also counts the pairs that are rightly rejected.
    """
