"""The checks of practice 02, cosine similarity."""

from __future__ import annotations

import numpy as np

from helpers.checks.exercise import (
    TOLERANCE,
    Answer,
    Case,
    Mistake,
    Wrong,
    array,
    describe,
    exercise,
    judge,
    judge_claims,
    number,
)

# 2.1


def cosine_matrix(queries: np.ndarray, documents: np.ndarray) -> np.ndarray:
    """Return all cosines, shape (queries, documents); a row of zeros has cosine 0 to everything."""
    return _unit(queries) @ _unit(documents).T


def _unit(rows: np.ndarray) -> np.ndarray:
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(norms == 0, 1, norms)


def _over(axis: int | None):
    def normalised(rows):
        norms = np.linalg.norm(rows, axis=axis, keepdims=True)
        return rows / np.where(norms == 0, 1, norms)

    return lambda queries, documents: normalised(queries) @ normalised(documents).T


def _squared_norms(queries, documents):
    q, d = ((rows**2).sum(axis=1, keepdims=True) for rows in (queries, documents))
    return (queries / np.where(q == 0, 1, q)) @ (documents / np.where(d == 0, 1, d)).T


def _sums(queries, documents):
    q, d = (rows.sum(axis=1, keepdims=True) for rows in (queries, documents))
    return (queries / np.where(q == 0, 1, q)) @ (documents / np.where(d == 0, 1, d)).T


def _sums_without_sign(queries, documents):
    q, d = (np.abs(rows).sum(axis=1, keepdims=True) for rows in (queries, documents))
    return (queries / np.where(q == 0, 1, q)) @ (documents / np.where(d == 0, 1, d)).T


def _at_least_one(queries, documents):
    q, d = (np.linalg.norm(rows, axis=1, keepdims=True) for rows in (queries, documents))
    return (queries / np.maximum(q, 1)) @ (documents / np.maximum(d, 1)).T


def _added(number, product):
    """Add `number` to the product of the norms, or to each norm."""

    def divided(queries, documents):
        q, d = (np.linalg.norm(rows, axis=1) for rows in (queries, documents))
        norms = np.outer(q, d) + number if product else np.outer(q + number, d + number)
        return queries @ documents.T / norms

    return divided


def _distances(queries, documents):
    return np.linalg.norm(queries[:, None] - documents[None], axis=2)


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
def exercise_2_1(answer: Answer) -> str:
    """Every row by its own norm; a row of zeros included."""
    rng = np.random.default_rng(21)
    queries, documents = rng.normal(size=(3, 5)), rng.normal(size=(4, 5)) * [[1], [9], [0.1], [3]]
    with_zeros = documents.copy()
    with_zeros[2] = 0
    square = rng.normal(size=(4, 4)) * [[1], [2], [3], [4]]
    cases = [
        Case((queries, documents), "3 queries and 4 documents of different lengths"),
        Case((square, square), "4 vectors in 4 dimensions, against themselves"),
    ]

    def read(value):
        return array(value)

    mistakes = [
        Mistake(
            _over(None),
            "this is still the function as found: it divides by the norm of the whole matrix, so that "
            "the cosine of a vector with itself is not 1.",
        ),
        Mistake(
            _over(0),
            "you divide by the norms of the columns (`axis=0`), one for each dimension. A vector is a "
            "row: `axis=1`.",
        ),
        Mistake(
            lambda q, d: q @ d.T,
            "these are dot products. Nothing is divided by the norms, so long vectors win.",
        ),
        Mistake(
            lambda q, d: _unit(q) @ d.T,
            "only the queries are normalised. The documents keep their lengths, and long ones win.",
        ),
        Mistake(
            lambda q, d: q @ _unit(d).T,
            "only the documents are normalised. The ranking is right, the scores are no cosines.",
        ),
        Mistake(
            lambda q, d: cosine_matrix(q, d).T,
            "rows and columns are swapped: row i belongs to query i, column j to document j.",
        ),
        Mistake(
            lambda q, d: 1 - cosine_matrix(q, d),
            "this is the cosine distance, 1 minus the cosine: small for close vectors.",
        ),
        Mistake(_distances, "these are Euclidean distances: 0 for equal vectors, not 1."),
        Mistake(
            _squared_norms,
            "you divide by the squared norms. The norm is the square root of the sum of squares.",
        ),
        Mistake(_sums, "you divide by the sum of each row. That is not its norm."),
        Mistake(
            _sums_without_sign,
            "you divide by the sum of each row's values without their sign (the L1 norm). The cosine "
            "takes the root of the sum of squares.",
        ),
        Mistake(
            _at_least_one,
            "you divide by the norm or by 1, whichever is larger: vectors shorter than 1 stay as they "
            "are. Replace norms of 0 only.",
        ),
        *(
            Mistake(
                _added(number, product),
                f"you add {number} to what you divide by, and that changes every cosine. Replace norms "
                "of 0 only, or add something far smaller.",
            )
            for number in (1, 0.1, 0.01, 0.001)
            for product in (True, False)
        ),
        Mistake(
            lambda q, d: np.clip(cosine_matrix(q, d), 0, 1),
            "these are cosines, but you have set the negative ones to 0. Opposite vectors have -1.",
        ),
        Mistake(
            lambda q, d: np.abs(cosine_matrix(q, d)),
            "your cosines have lost their sign: opposite vectors have -1, not 1.",
        ),
        Mistake(
            lambda q, d: np.arccos(np.clip(cosine_matrix(q, d), -1, 1)),
            "these are angles. The cosine of the angle was asked for.",
        ),
        Mistake(
            lambda q, d: cosine_matrix(d, d),
            "this compares the documents with each other; the queries do not occur in it.",
        ),
    ]
    judge(answer, cases, cosine_matrix, mistakes, read=read)
    found = answer(queries, with_zeros)
    if np.isnan(np.asarray(found, dtype=float)).any():
        raise Wrong(
            "a document of zeros gets NaN, for you divide by its norm, 0. It should get 0: give rows "
            "of zeros another divisor."
        )
    judge(
        answer,
        [
            Case((queries, with_zeros), "documents of which one is all zeros"),
            Case((with_zeros, queries), "queries of which one is all zeros"),
        ],
        cosine_matrix,
        read=read,
    )
    return "right: every row by its own norm, and a row of zeros is close to nothing."


# 2.2


def _claims_tested() -> dict[str, tuple[bool, str]]:
    """Put each claim to a test on vectors, and return its verdict with what was seen."""
    rng = np.random.default_rng(22)
    query, documents = rng.normal(size=8), rng.normal(size=(50, 8)) * rng.uniform(1, 5, (50, 1))
    unit_query, unit = query / np.linalg.norm(query), _unit(documents)

    def by_distance(q, d):
        return list(np.argsort(np.linalg.norm(d - q, axis=1)))

    def by_dot(q, d):
        return list(np.argsort(-(d @ q)))

    longer = documents.copy()
    last = by_dot(query, documents)[1]
    longer[last] *= 2
    at_one = np.array([0.5, np.sqrt(0.75)])
    negative = float((unit @ unit.T).min())
    squared = list(np.argsort(((documents - query) ** 2).sum(axis=1)))
    return {
        "a": (
            by_distance(unit_query, unit) == by_dot(unit_query, unit),
            "On 50 unit vectors the two orders are the same, for d² = 2 - 2 cos.",
        ),
        "b": (
            by_distance(query, documents) == list(np.argsort(-(unit @ unit_query))),
            "On 50 vectors of different lengths the two orders differ.",
        ),
        "c": (
            by_dot(2 * query, documents) != by_dot(query, documents),
            "Twice the query makes all its dot products twice as large: the order stays.",
        ),
        "d": (
            by_dot(query, longer) != by_dot(query, documents),
            "The second of 50 documents, made twice as long, is the first: its dot product doubles, "
            "the others stay.",
        ),
        "e": (
            squared != by_distance(query, documents),
            "The square of a larger distance is larger: on 50 vectors the order is the same.",
        ),
        "f": (
            bool(np.isclose(np.linalg.norm(at_one - [1, 0]), 1) and np.isclose(at_one[0], 0.5)),
            "Set d = 1 in d² = 2 - 2 cos: the cosine is 0.5.",
        ),
        "g": (
            negative >= 0,
            f"Among 50 vectors there is a pair with cosine {negative:.2f}; lesson 01 measured "
            "negative ones between real texts, too.",
        ),
    }


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
def exercise_2_2(claims: dict) -> str:
    """Each claim is tested on vectors, here and now."""
    judge_claims(claims, _claims_tested())
    return (
        "right, all seven. Between unit vectors the measures agree; between others, length decides."
    )


# 2.3


def level_of_chance(vectors: np.ndarray, percentile: float) -> float:
    """Return the percentile of the cosines of all pairs of different rows, each pair once."""
    cosines = cosine_matrix(vectors, vectors)
    return float(np.percentile(cosines[np.triu_indices(len(vectors), 1)], percentile))


class _Level(float):
    """A percentile, with the lowest and the highest value that may pass for it: the task says
    neither how to go between two values, nor whether a pair counts once or in both directions.
    """

    lowest: float
    highest: float

    def reached(self, found: float) -> bool:
        """Say whether `found` lies between the two, within the usual tolerance."""
        return self.lowest - TOLERANCE <= found <= self.highest + TOLERANCE


def _level(vectors: np.ndarray, percentile: float) -> _Level:
    level = _Level(level_of_chance(vectors, percentile))
    ways = [
        np.percentile(np.repeat(_pairs(vectors), times), percentile, method=method)
        for method in ("lower", "higher", "weibull", "interpolated_inverted_cdf")
        for times in (1, 2)
    ]
    level.lowest, level.highest = min(ways), max(ways)
    return level


def _of_dot_products(normalised, twice=False):
    def level(vectors, percentile):
        rows = normalised(vectors)
        pairs = (rows @ rows.T)[np.triu_indices(len(rows), 1)]
        return np.percentile(np.repeat(pairs, 2 if twice else 1), percentile)

    return level


def _instead_of_diagonal(value):
    def level(vectors, percentile):
        cosines = cosine_matrix(vectors, vectors)
        np.fill_diagonal(cosines, value)
        return np.percentile(cosines, percentile)

    return level


def _values(kept, matrix=cosine_matrix):
    """The percentile of those cosines that are `kept`, by their value."""

    def level(vectors, percentile):
        cosines = matrix(vectors, vectors)
        return np.percentile(cosines[kept(cosines)], percentile)

    return level


def _above_diagonal(vectors, _):
    return _pairs(vectors)


def _per_text(measure):
    """`measure` is given the matrix without its diagonal, a row for each text, and p."""

    def level(vectors, percentile):
        n, cosines = len(vectors), cosine_matrix(vectors, vectors)
        return measure(cosines[~np.eye(n, dtype=bool)].reshape(n, n - 1), percentile)

    return level


def _with_zeros(vectors, percentile):
    return np.percentile(np.triu(cosine_matrix(vectors, vectors), 1), percentile)


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
def exercise_2_3(answer: Answer) -> str:
    """Different texts only: no diagonal, no zeros from a triangle."""
    rng = np.random.default_rng(23)
    cases = [
        Case(
            ((rng.normal(size=(n, 6)) + shift) * rng.uniform(0.5, 4, size=(n, 1)), p),
            f"{n} vectors of different lengths and percentile {p}",
        )
        for n, shift, p in (
            (12, 0.3, 50),
            (25, 0.1, 90),
            (20, 1.0, 5),
            (30, 0.2, 75),
            (17, 0.5, 90),
        )
    ]
    equal = rng.normal(size=(5, 6))[[0, 1, 0, 2, 0]]
    corners = 2.0 * np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 0, 1]])
    cases += [
        Case((equal, 80), "5 vectors, three of them equal, and percentile 80"),
        Case((corners, 30), "5 vectors, some at right angles, and percentile 30"),
    ]

    def whole(vectors, percentile):
        return np.percentile(cosine_matrix(vectors, vectors), percentile)

    mistakes = [
        Mistake(
            whole,
            "you take the whole matrix. Its diagonal is every text with itself, cosine 1: these are "
            "no random pairs, and they raise the level ({got} instead of {expected}).",
        ),
        Mistake(
            lambda v, p: np.percentile(cosine_matrix(v, v)[np.triu_indices(len(v))], p),
            "your triangle includes the diagonal, every text with itself. Begin one further right: "
            "`np.triu_indices(n, 1)`.",
        ),
        Mistake(
            _with_zeros,
            "`np.triu` sets the lower triangle to 0 and keeps it: half of what you count are zeros "
            "that nobody measured. Pick values by index instead.",
        ),
        Mistake(
            lambda v, p: level_of_chance(v, p / 100),
            "for {case} you return {got}; it should be {expected}. `np.percentile` takes the percentile "
            "as it is, 99 for 99 %; it is `np.quantile` that wants 0.99.",
        ),
        *(
            Mistake(
                other_end,
                "this is the percentile from the other end: p per cent of the pairs lie *below* the level.",
            )
            for other_end in (
                lambda v, p: level_of_chance(v, 100 - p),
                lambda v, p: np.sort(_pairs(v))[int(len(_pairs(v)) * (100 - p) / 100)],
                lambda v, p: np.sort(_pairs(v))[::-1][int(len(_pairs(v)) * p / 100)],
            )
        ),
        Mistake(
            lambda v, p: _pairs(v).mean(), "this is the mean of the pairs, not their percentile."
        ),
        Mistake(
            lambda v, p: _pairs(v).max(), "this is the highest of all pairs, not a percentile."
        ),
        *(
            Mistake(
                lambda v, p, times=times: np.percentile(np.repeat(1 - _pairs(v), times), p),
                "these are cosine distances, 1 minus the cosine.",
            )
            for times in (1, 2)
        ),
        Mistake(
            lambda v, p: level_of_chance(v.T, p),
            "you compare dimensions, not texts: each text is a row.",
        ),
        *(
            Mistake(
                lambda v, p, always=always: level_of_chance(v, always),
                "for {case} you return {got}; it should be {expected}. Your percentile is always "
                f"{always}; the function is given one.",
            )
            for always in (99, 95, 50)
        ),
        *(
            Mistake(
                _of_dot_products(divided, twice),
                f"for {{case}} you return {{got}}; it should be {{expected}}. {says}",
            )
            for twice in (False, True)
            for divided, says in (
                (
                    lambda v: v,
                    "These are percentiles of dot products: the vectors have different lengths. Divide each by "
                    "its norm first.",
                ),
                (
                    lambda v: v / np.linalg.norm(v),
                    "You divide by the norm of the whole matrix. Each row has its own: `axis=1`.",
                ),
                (
                    lambda v: v / np.linalg.norm(v, axis=0),
                    "You divide by the norms of the columns (`axis=0`). A vector is a row: `axis=1`.",
                ),
                (
                    lambda v: _unit(v - v.mean(axis=1, keepdims=True)),
                    "These are correlations (`np.corrcoef`), for which the mean is taken off each vector. The "
                    "cosine takes the vectors as they are.",
                ),
                (
                    lambda v: _unit(v - v.mean(axis=0)),
                    "You take the mean vector off first. The cosine takes the vectors as they are.",
                ),
                (
                    lambda v: v / (v**2).sum(axis=1, keepdims=True),
                    "You divide by the squares of the norms: a root is missing.",
                ),
                (
                    lambda v: v / np.abs(v).sum(axis=1, keepdims=True),
                    "You divide by the sum of the values without their sign (the L1 norm). The cosine takes "
                    "the root of the sum of squares.",
                ),
            )
        ),
        Mistake(
            lambda v, p: np.percentile(v @ v.T, p),
            "these are percentiles of dot products, those of each text with itself included. Divide each "
            "row by its norm, and leave the diagonal out.",
        ),
        Mistake(
            lambda v, p: np.percentile((_unit(v) @ v.T)[np.triu_indices(len(v), 1)], p),
            "for {case} you return {got}; it should be {expected}. You divide by the norm of one of the two "
            "vectors only. The cosine divides by both.",
        ),
        *(
            Mistake(
                lambda v, p, unit=unit: np.percentile(np.sqrt(np.maximum(_squares(unit(v)), 0)), p),
                "for {case} you return {got}; it should be {expected}. These are Euclidean distances, small "
                "for close vectors.",
            )
            for unit in (_unit, lambda v: v)
        ),
        Mistake(
            lambda v, p: np.percentile(cosine_matrix(v, v)[np.triu_indices(len(v), 2)], p),
            "for {case} you return {got}; it should be {expected}. You begin two places right of the "
            "diagonal, and lose the pairs of neighbours: `np.triu_indices(n, 1)`.",
        ),
        *(
            Mistake(
                lambda v, p, rows=rows: level_of_chance(rows(v), p),
                "for {case} you return {got}; it should be {expected}. One row takes part in no pair, the "
                "first or the last. `range(n)` ends at n - 1 already.",
            )
            for rows in (lambda v: v[:-1], lambda v: v[1:])
        ),
        *(
            Mistake(
                _values(lambda c: c > 0, matrix),
                "for {case} you return {got}; it should be {expected}. You keep the cosines above 0 only. "
                "Negative ones are pairs like any other: choose by place.",
            )
            for matrix in (
                lambda v, w: np.triu(cosine_matrix(v, w), 1),
                lambda v, w: cosine_matrix(v, w) - 2 * np.eye(len(v)),
                cosine_matrix,
            )
        ),
        *(
            Mistake(
                _instead_of_diagonal(value),
                f"for {{case}} you return {{got}}; it should be {{expected}}. You set the diagonal to {value} "
                "and still count it. Leave it out.",
            )
            for value in (0, -1)
        ),
        *(
            Mistake(
                by_value,
                "for {case} you return {got}; it should be {expected}. You leave the diagonal out by what "
                "it holds, 1 or twice the same vector. Two rows can hold the same, too, and rounding makes "
                "0.9999999 of some 1: leave it out by place.",
            )
            for kept in (
                lambda c: c < 1,
                lambda c: c != 1,
                lambda c: c < 0.99,
                lambda c: c < 0.999,
                lambda c: c < 0.9999,
                lambda c: c < 1 - 1e-6,
                lambda c: ~np.isclose(c, 1),
            )
            for by_value in (_values(kept), _values(kept, _above_diagonal))
        ),
        Mistake(
            _values(lambda c: c != 0, lambda v, w: np.triu(cosine_matrix(v, w), 1)),
            "for {case} you return {got}; it should be {expected}. You leave out what is 0. Vectors at right "
            "angles have cosine 0, and are a pair like any other: choose by place.",
        ),
        *(
            Mistake(
                lambda v, p, rows=rows: level_of_chance(np.unique(rows(v), axis=0), p),
                "for {case} you return {got}; it should be {expected}. You keep equal vectors only once. "
                "Different rows are a pair, even if they hold the same.",
            )
            for rows in (lambda v: v, lambda v: _unit(v).round(6))
        ),
        *(
            Mistake(
                lambda v, p, digits=digits: np.percentile(np.unique(_pairs(v).round(digits)), p),
                "for {case} you return {got}; it should be {expected}. You keep equal cosines only once. "
                "Every pair counts.",
            )
            for digits in (6, 4, 3, 2)
        ),
        *(
            Mistake(
                lambda v, p, times=times: np.percentile(np.repeat(np.abs(_pairs(v)), times), p),
                "for {case} you return {got}; it should be {expected}. Your cosines have lost their sign.",
            )
            for times in (1, 2)
        ),
        Mistake(
            lambda v, p: np.percentile(_pairs(v)[: len(v) - 1], p),
            "for {case} you return {got}; it should be {expected}. You compare the first vector with the "
            "others, and no others with each other.",
        ),
        Mistake(
            lambda v, p: np.percentile((_unit(v)[:-1] * _unit(v)[1:]).sum(axis=1), p),
            "for {case} you return {got}; it should be {expected}. You compare each vector with the next one "
            "only. All pairs were asked for.",
        ),
        Mistake(
            _per_text(lambda rows, p: np.percentile(rows.max(axis=1), p)),
            "for {case} you return {got}; it should be {expected}. You take each text's closest neighbour "
            "only. All pairs were asked for.",
        ),
        Mistake(
            _per_text(lambda rows, p: np.percentile(rows, p, axis=1).mean()),
            "for {case} you return {got}; it should be {expected}. You take a percentile for each text, and "
            "then their mean. Put all pairs together.",
        ),
        Mistake(
            lambda v, p: 100 * level_of_chance(v, p),
            "for {case} you return {got}, a hundred times the cosine. It should be {expected}.",
        ),
    ]
    judge(
        answer,
        cases,
        _level,
        mistakes,
        read=_level_read,
        agree=lambda found, level: level.reached(found),
    )
    return "right: no text with itself, and each pair counted alike."


def _level_read(value) -> float:
    if isinstance(value, (float, np.floating)) and np.isnan(value):
        raise Wrong(
            "what you return is NaN, not a number. `np.percentile` gives NaN as soon as one of the values is "
            "NaN (`np.nanpercentile` leaves those out). Or was something divided by zero?"
        )
    return number(value)


def _squares(rows):
    """Return the squared Euclidean distances of all pairs of different rows."""
    return ((rows[:, None] - rows[None]) ** 2).sum(axis=2)[np.triu_indices(len(rows), 1)]


def _pairs(vectors):
    return cosine_matrix(vectors, vectors)[np.triu_indices(len(vectors), 1)]


# 2.4


def smallest_threshold(scores: np.ndarray, same: np.ndarray, precision: float) -> float | None:
    """Return the smallest of `scores` from which on at least `precision` of the pairs are the
    same story, or None.
    """
    good = [t for t in np.unique(scores) if same[scores >= t].mean() >= precision - 1e-12]
    return float(min(good)) if good else None


def _largest(scores, same, precision):
    return max(t for t in np.unique(scores) if same[scores >= t].mean() >= precision - 1e-12)


def _above_only(scores, same, precision):
    """`>` for `>=`."""
    good = [
        t
        for t in np.unique(scores)
        if (scores > t).any() and same[scores > t].mean() >= precision - 1e-12
    ]
    return min(good) if good else None


def _stops_early(scores, same, precision):
    """Down from the top, until the precision is missed for the first time."""
    found = None
    for t in np.unique(scores)[::-1]:
        if same[scores >= t].mean() < precision - 1e-12:
            break
        found = t
    return found


def _row_by_row(scores, same, precision):
    """Equal scores are cut apart."""
    order = np.argsort(-scores, kind="stable")
    return _row_by_row_of(scores[order], same[order], precision)


def _row_by_row_of(scores, same, precision):
    shares = np.cumsum(same) / np.arange(1, len(scores) + 1)
    good = np.flatnonzero(shares >= precision - 1e-12)
    return scores[good[-1]] if len(good) else None


def _by(measure):
    def chosen(scores, same, precision):
        good = [t for t in np.unique(scores) if measure(scores >= t, same) >= precision - 1e-12]
        return min(good) if good else None

    return chosen


def _by_lower(measure):
    def chosen(scores, same, precision):
        good = [t for t in np.unique(scores) if measure(scores <= t, same) >= precision - 1e-12]
        return min(good) if good else None

    return chosen


def _among(candidates):
    """The smallest of other candidates than the scores."""

    def chosen(scores, same, precision):
        good = [
            t
            for t in candidates(scores, same)
            if (scores >= t).any() and same[scores >= t].mean() >= precision - 1e-12
        ]
        return min(good) if good else None

    return chosen


def _middles(scores, same):
    each = np.unique(scores)
    return (each[:-1] + each[1:]) / 2


def _zero_is_nothing(scores, same, precision):
    """`if not best` for `if best is None`."""
    best = None
    for t in scores:
        if same[scores >= t].mean() >= precision - 1e-12 and (not best or t < best):
            best = t
    return best


def _below_one(scores, same, precision):
    """The best so far begins at 1."""
    found = smallest_threshold(scores, same, precision)
    return None if found is None or found >= 1 else found


def _scores_alone(backwards):
    """The scores are sorted, and `same` is not."""

    def sorted_apart(scores, same, precision):
        if not backwards:
            return smallest_threshold(np.sort(scores), same, precision)
        return _row_by_row_of(np.sort(scores)[::-1], same, precision)

    return sorted_apart


def _in_given_order(scores, same, precision):
    return _row_by_row_of(scores, same, precision)


def _largest_by_recall(scores, same, precision):
    good = [t for t in scores if (same & (scores >= t)).sum() / max(same.sum(), 1) >= precision]
    return max(good) if good else None


def _first_given(scores, same, precision):
    good = (t for t in scores if same[scores >= t].mean() >= precision - 1e-12)
    return next(good, None)


def _halved(scores, same, precision):
    """Search by halving, as if precision rose steadily with the threshold."""
    each, found = np.unique(scores), None
    low, high = 0, len(each) - 1
    while low <= high:
        middle = (low + high) // 2
        if same[scores >= each[middle]].mean() >= precision - 1e-12:
            found, high = each[middle], middle - 1
        else:
            low = middle + 1
    return found


def _most_precise(last):
    def chosen(scores, same, precision):
        each = np.unique(scores)[:: -1 if last else 1]
        return each[np.argmax([same[scores >= t].mean() for t in each])]

    return chosen


def _of_threshold(measure):
    """Another number than the threshold that was found."""

    def found(scores, same, precision):
        threshold = smallest_threshold(scores, same, precision)
        return None if threshold is None else measure(scores, threshold)

    return found


def _strictly_better(scores, same, precision):
    good = [t for t in np.unique(scores) if same[scores >= t].mean() > precision + 1e-12]
    return min(good) if good else None


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
def exercise_2_4(answer: Answer) -> str:
    """Precision does not fall steadily, equal scores belong together, and there may be none."""
    rng = np.random.default_rng(24)

    def case(words, scores, same, precision):
        return Case((np.array(scores), np.array(same, dtype=bool), precision), words)

    cases = [
        case(
            "scores [0.9, 0.8, 0.7, 0.6, 0.5, 0.4], same [yes, no, yes, yes, no, no], precision 0.75",
            [0.9, 0.8, 0.7, 0.6, 0.5, 0.4],
            [1, 0, 1, 1, 0, 0],
            0.75,
        ),
        case(
            "scores [0.3, 0.9, 0.5, 0.5, 0.2], same [no, yes, yes, no, no], precision 0.7",
            [0.3, 0.9, 0.5, 0.5, 0.2],
            [0, 1, 1, 0, 0],
            0.7,
        ),
        case(
            "scores [0.2, 0.4, 0.6, 0.8], same [yes, yes, no, no], precision 0.9",
            [0.2, 0.4, 0.6, 0.8],
            [1, 1, 0, 0],
            0.9,
        ),
        case("one pair of score -0.1, same, precision 1.0", [-0.1], [1], 1.0),
        case(
            "scores [0.0, -0.5, 0.4], same [yes, no, yes], precision 0.9",
            [0.0, -0.5, 0.4],
            [1, 0, 1],
            0.9,
        ),
        case(
            "scores [8.0, 12.5, 3.5], same [no, yes, no], precision 1.0",
            [8.0, 12.5, 3.5],
            [0, 1, 0],
            1.0,
        ),
    ]
    scores = np.round(rng.uniform(-0.2, 1, 40), 2) * 0.9731  # equal ones stay equal
    same = rng.uniform(size=40) < np.clip(scores, 0.05, 0.95)
    cases += [
        case(f"40 pairs, some scores equal, precision {p}", scores, same, p)
        for p in (0.5, 0.6, 0.8)
    ]

    def read(value):
        return None if value is None else number(value)

    mistakes = [
        Mistake(
            _above_only,
            "for {case} you return {got}; it should be {expected}. You count the pairs *above* the "
            "threshold (`>`); a pair that scores exactly the threshold is accepted, too (`>=`).",
        ),
        Mistake(
            _strictly_better,
            "for {case} you return {got}; it should be {expected}. A precision that is exactly the "
            "target has reached it: `>=`, not `>`.",
        ),
        Mistake(
            _stops_early,
            "for {case} you return {got}; {expected} keeps the promise, too, and accepts more. You "
            "stop at the first threshold that fails, but precision can recover below it.",
        ),
        Mistake(
            _row_by_row,
            "for {case} you return {got}; it should be {expected}. You cut between equal scores: a "
            "threshold takes all of them or none.",
        ),
        Mistake(
            _largest,
            "for {case} you return {got}, the *largest* threshold that keeps the promise. {expected} "
            "keeps it as well and accepts more pairs.",
        ),
        *(
            Mistake(
                _most_precise(last),
                "for {case} you return {got}; it should be {expected}. You look for the *highest* precision. "
                "It need only be reached, and the smallest threshold accepts most pairs.",
            )
            for last in (True, False)
        ),
        *(
            Mistake(
                wrong,
                "for {case} you return {got}; it should be {expected}. A threshold of 0 is lost: `if t` and "
                "`or` take 0 for nothing. Ask `is None`.",
            )
            for wrong in (lambda *given: smallest_threshold(*given) or None, _zero_is_nothing)
        ),
        Mistake(
            _below_one,
            "for {case} you return {got}; it should be {expected}. Scores can be 1 and more (dot products "
            "are): let the best so far begin at infinity, or at None.",
        ),
        *(
            Mistake(
                _scores_alone(backwards),
                "for {case} you return {got}; it should be {expected}. You sort `scores`, and leave `same` as "
                "it is: then they belong to different pairs.",
            )
            for backwards in (False, True)
        ),
        Mistake(
            _first_given,
            "for {case} you return {got}; it should be {expected}. You return the first that keeps the "
            "promise, in the order in which the scores are given. Look for the smallest.",
        ),
        Mistake(
            _halved,
            "for {case} you return {got}; it should be {expected}. You search by halving: that needs a "
            "precision that only rises with the threshold. Try all scores.",
        ),
        Mistake(
            lambda scores, same, precision: scores.min(),
            "for {case} you return {got}, the lowest of all scores; it should be {expected}. There every pair "
            "is accepted, and so *recall* is always high enough; precision is the share of the accepted "
            "pairs that are the same story.",
        ),
        Mistake(
            lambda scores, same, precision: smallest_threshold(scores, same, 0.8),
            "for {case} you return {got}; it should be {expected}. Your precision is always 0.8; the "
            "function is given one.",
        ),
        Mistake(
            _in_given_order,
            "for {case} you return {got}; it should be {expected}. You go through the pairs in the order "
            "given, as if the best came first. They are in no order.",
        ),
        Mistake(
            lambda scores, same, precision: scores[same].min(),
            "for {case} you return {got}, the lowest score of a pair that is the same story; it should be "
            "{expected}. The precision does not matter to you.",
        ),
        Mistake(
            lambda scores, same, precision: scores[~same].max(),
            "for {case} you return {got}, the highest score of a pair that is not the same story; it should "
            "be {expected}. The precision does not matter to you.",
        ),
        Mistake(
            _among(lambda scores, same: scores[scores > 0]),
            "for {case} you return {got}; it should be {expected}. You leave out the scores that are 0 or less. "
            "A threshold can be negative.",
        ),
        Mistake(
            _among(lambda scores, same: np.unique(scores)[1:]),
            "for {case} you return {got}; it should be {expected}. You never try the lowest score, at which "
            "every pair is accepted.",
        ),
        Mistake(
            _among(lambda scores, same: scores[same]),
            "for {case} you return {got}; it should be {expected}. You try only the scores of the pairs that "
            "*are* the same story. A smaller score of another pair can still keep the promise.",
        ),
        Mistake(
            _among(_middles),
            "for {case} you return {got}; it should be {expected}. You take middles between two scores. The "
            "candidates are the scores themselves.",
        ),
        *(
            Mistake(
                _among(lambda scores, same, grid=grid: grid),
                "for {case} you return {got}; it should be {expected}. You try round numbers. The candidates "
                "are the scores themselves.",
            )
            for grid in (
                np.linspace(0, 1, 101),
                np.arange(0, 1, 0.01),
                np.arange(0, 1.01, 0.01),
                np.linspace(0, 1, 100),
                np.linspace(0, 1, 11),
                np.arange(0, 1, 0.1),
                np.arange(0, 1, 0.05),
                np.linspace(0, 1, 1001),
                np.arange(0, 1, 0.001),
                np.linspace(-1, 1, 201),
                np.arange(-1, 1, 0.01),
            )
        ),
        *(
            Mistake(
                _of_threshold(lambda scores, t, digits=digits: round(t, digits)),
                "for {case} you return {got}, the right threshold rounded; it should be {expected}. Rounded up, "
                "it loses a pair; rounded down, it may accept one too many.",
            )
            for digits in (1, 2, 3)
        ),
        Mistake(
            _of_threshold(lambda scores, t: np.flatnonzero(scores == t)[0]),
            "for {case} you return {got}: the place of the threshold. Return the score itself, {expected}.",
        ),
        Mistake(
            _of_threshold(lambda scores, t: (scores >= t).sum()),
            "for {case} you return {got}: how many pairs are accepted. Return the threshold, {expected}.",
        ),
        Mistake(
            _by_lower(lambda kept, same: same[kept].mean()),
            "for {case} you return {got}; it should be {expected}. You accept the pairs *below* the "
            "threshold (`<=`), as if the scores were distances.",
        ),
        Mistake(
            _by(lambda kept, same: (kept & same).sum() / len(same)),
            "for {case} you return {got}; it should be {expected}. You divide by the number of all pairs. "
            "Precision divides by the number of the *accepted* ones.",
        ),
        Mistake(
            _largest_by_recall,
            "for {case} you return {got}. You measure recall, the share of the same-story pairs that are "
            "accepted; precision is the share of the accepted pairs that are the same story.",
        ),
        Mistake(
            _by(lambda kept, same: (kept == same).mean()),
            "for {case} you return {got}. You measure accuracy, which also counts the pairs that are "
            "rightly rejected; precision looks at the accepted ones only.",
        ),
        Mistake(
            lambda scores, same, precision: np.quantile(scores, precision),
            "for {case} you return {got}, a quantile of the scores. It does not look at `same` at all.",
        ),
        Mistake(
            lambda scores, same, precision: _precision_reached(scores, same, precision),
            "for {case} you return {got}: that is the precision reached. Return the threshold.",
        ),
    ]
    impossible, possible = cases[2], cases[:2] + cases[3:]
    without = [answer(*case.arguments) is None for case in possible]
    if all(without) and not answer.printed_instead:
        raise Wrong(
            f"`{answer.name}` returns None, for {possible[0]}, too. Does every path end with `return`?"
        )
    judge(
        answer,
        cases if any(without) else possible,  # with a case for which None is right, if need be
        smallest_threshold,
        mistakes,
        read=read,
    )
    try:
        found = answer(*impossible.arguments)
    except Wrong as wrong:
        raise Wrong(f"all is right until no threshold keeps the promise; then {wrong}") from None
    if found is not None:
        raise Wrong(
            f"for {impossible} no threshold keeps the promise; you return {describe(found)}. Return None."
        )
    return "right. It tries every threshold, for precision does not fall steadily, and it knows when to give up."


def _precision_reached(scores, same, precision):
    threshold = smallest_threshold(scores, same, precision)
    return None if threshold is None else same[scores >= threshold].mean()
