"""Answers to practice 02, cosine similarity."""

import statistics

import numpy as np
import pandas as pd
from sklearn.metrics.pairwise import cosine_similarity

from . import Proof

# 2.1 Right


def one_by_one(queries, documents):
    result = np.zeros((len(queries), len(documents)))
    for i, query in enumerate(queries):
        for j, document in enumerate(documents):
            norms = np.sqrt(query @ query) * np.sqrt(document @ document)
            if norms > 0:
                result[i, j] = query @ document / norms
    return result


def divided_afterwards(queries, documents):
    products = queries @ documents.T
    norms = np.outer(np.linalg.norm(queries, axis=1), np.linalg.norm(documents, axis=1))
    return np.divide(products, norms, out=np.zeros_like(products), where=norms > 0)


def nan_to_num(queries, documents):
    q = queries / np.linalg.norm(queries, axis=1)[:, None]
    d = documents / np.linalg.norm(documents, axis=1)[:, None]
    return np.nan_to_num(q @ d.T)


def tiny_number_added(queries, documents):
    q = queries / (np.linalg.norm(queries, axis=-1, keepdims=True) + 1e-12)
    d = documents / (np.linalg.norm(documents, axis=-1, keepdims=True) + 1e-12)
    return np.einsum("qd,nd->qn", q, d)


def in_float32(queries, documents):
    return cosine_similarity(queries.astype(np.float32), documents.astype(np.float32))


# 2.1 Wrong


def as_found(queries, documents):
    queries = queries / np.linalg.norm(queries)
    documents = documents / np.linalg.norm(documents)
    return queries @ documents.T


def columns(queries, documents):
    q = queries / np.linalg.norm(queries, axis=0)
    d = documents / np.linalg.norm(documents, axis=0)
    return q @ d.T


def dot_products(queries, documents):
    return queries @ documents.T


def only_queries(queries, documents):
    return queries / np.linalg.norm(queries, axis=1, keepdims=True) @ documents.T


def swapped(queries, documents):
    return one_by_one(documents, queries)


def cosine_distance(queries, documents):
    return 1 - one_by_one(queries, documents)


def zeros_forgotten(queries, documents):
    q = queries / np.linalg.norm(queries, axis=1, keepdims=True)
    d = documents / np.linalg.norm(documents, axis=1, keepdims=True)
    return q @ d.T


def in_place(queries, documents):
    for rows in (queries, documents):
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        norms[norms == 0] = 1
        rows /= norms
    return queries @ documents.T


def as_lists(queries, documents):
    return one_by_one(queries, documents).tolist()


def no_keepdims(queries, documents):
    q = queries / np.linalg.norm(queries, axis=1)
    d = documents / np.linalg.norm(documents, axis=1)
    return q @ d.T


def squares(queries, documents):
    q = queries / (queries**2).sum(axis=1, keepdims=True)
    d = documents / (documents**2).sum(axis=1, keepdims=True)
    return q @ d.T


def printed(queries, documents):
    print(one_by_one(queries, documents))


def nothing(queries, documents):
    one_by_one(queries, documents)


def other_parameters(a):
    return a @ a.T


def euclidean(queries, documents):
    return np.linalg.norm(queries[:, None] - documents, axis=2)


def l1_norms(queries, documents):
    q = queries / np.maximum(np.abs(queries).sum(axis=1, keepdims=True), 1e-12)
    d = documents / np.maximum(np.abs(documents).sum(axis=1, keepdims=True), 1e-12)
    return q @ d.T


def at_least_one(queries, documents):
    q = queries / np.maximum(np.linalg.norm(queries, axis=1, keepdims=True), 1)
    d = documents / np.maximum(np.linalg.norm(documents, axis=1, keepdims=True), 1)
    return q @ d.T


def one_added(queries, documents):
    norms = np.outer(np.linalg.norm(queries, axis=1), np.linalg.norm(documents, axis=1))
    return queries @ documents.T / (norms + 1)


def clipped(queries, documents):
    return np.clip(one_by_one(queries, documents), 0, 1)


def rounded(queries, documents):
    return one_by_one(queries, documents).round(3)


# 2.2

RIGHT_CLAIMS = {"a": True, "b": False, "c": False, "d": True, "e": False, "f": True, "g": False}


def claims(**changed):
    return RIGHT_CLAIMS | changed


# 2.3 Right


def by_loops(vectors, percentile):
    cosines = []
    for i in range(len(vectors)):
        for j in range(i):
            norms = np.linalg.norm(vectors[i]) * np.linalg.norm(vectors[j])
            cosines.append(vectors[i] @ vectors[j] / norms)
    return np.percentile(cosines, percentile)


def lower_triangle(vectors, percentile):
    similarities = cosine_similarity(vectors)
    return float(
        np.quantile(similarities[np.tril_indices_from(similarities, -1)], percentile / 100)
    )


def off_diagonal(vectors, percentile):
    similarities = cosine_similarity(vectors)
    return np.percentile(similarities[np.triu(np.ones_like(similarities), 1) == 1], percentile)


# 2.3 Wrong


def whole_matrix(vectors, percentile):
    return np.percentile(cosine_similarity(vectors), percentile)


def with_diagonal(vectors, percentile):
    similarities = cosine_similarity(vectors)
    return np.percentile(similarities[np.triu_indices(len(vectors))], percentile)


def triangle_of_zeros(vectors, percentile):
    return np.percentile(np.triu(cosine_similarity(vectors), k=1), percentile)


def not_normalised(vectors, percentile):
    return np.percentile((vectors @ vectors.T)[np.triu_indices(len(vectors), 1)], percentile)


def as_a_share(vectors, percentile):
    return by_loops(vectors, percentile / 100)


def from_above(vectors, percentile):
    return by_loops(vectors, 100 - percentile)


def average(vectors, percentile):
    return (
        by_loops(vectors, 50) * 0
        + cosine_similarity(vectors)[np.triu_indices(len(vectors), 1)].mean()
    )


def distances(vectors, percentile):
    return np.percentile(
        1 - cosine_similarity(vectors)[np.triu_indices(len(vectors), 1)], percentile
    )


def as_text(vectors, percentile):
    return f"{by_loops(vectors, percentile):.3f}"


def all_of_them(vectors, percentile):
    return cosine_similarity(vectors)[np.triu_indices(len(vectors), 1)]


def all_cosines(vectors):
    return cosine_similarity(vectors)


def upper(cosines):
    return cosines[np.triu_indices(len(cosines), 1)]


def both_directions(vectors, percentile):
    return np.percentile(all_cosines(vectors)[~np.eye(len(vectors), dtype=bool)], percentile)


def by_quantile_of_pandas(vectors, percentile):
    return pd.Series(upper(all_cosines(vectors))).quantile(percentile / 100)


def by(method):
    """Return an answer that goes between two values by another method."""
    return lambda vectors, percentile: np.percentile(
        upper(all_cosines(vectors)), percentile, method=method
    )


def below_one(vectors, percentile):
    cosines = all_cosines(vectors)
    return np.percentile(cosines[cosines < 0.9999], percentile)


def not_zero(vectors, percentile):
    cosines = np.triu(all_cosines(vectors), 1)
    return np.percentile(cosines[cosines != 0], percentile)


def each_once(vectors, percentile):
    return by_loops(np.unique(vectors, axis=0), percentile)


def always_99(vectors, percentile):
    return by_loops(vectors, 99)


def whole_norm(vectors, percentile):
    unit = vectors / np.linalg.norm(vectors)
    return np.percentile(upper(unit @ unit.T), percentile)


def zeros_on_the_diagonal(vectors, percentile):
    cosines = all_cosines(vectors)
    np.fill_diagonal(cosines, 0)
    return np.percentile(cosines, percentile)


def first_with_others(vectors, percentile):
    return np.percentile(all_cosines(vectors)[0, 1:], percentile)


def closest(vectors, percentile):
    cosines = all_cosines(vectors)
    np.fill_diagonal(cosines, -1)
    return np.percentile(cosines.max(axis=1), percentile)


def mean_of_percentiles(vectors, percentile):
    cosines = all_cosines(vectors)
    np.fill_diagonal(cosines, np.nan)
    return np.nanpercentile(cosines, percentile, axis=1).mean()


def without_sign(vectors, percentile):
    return np.percentile(np.abs(upper(all_cosines(vectors))), percentile)


def pairs_of(vectors, normalise=True):
    if normalise:
        vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors @ vectors.T)[np.triu_indices(len(vectors), 1)]


def by_statistics(vectors, percentile):
    return statistics.quantiles(pairs_of(vectors).tolist(), n=100)[percentile - 1]


def rank_of_doubled_pairs(vectors, percentile):
    cosines = sorted([*pairs_of(vectors), *pairs_of(vectors)])
    return cosines[int(percentile / 100 * len(cosines))]


def above_zero(vectors, percentile):
    cosines = pairs_of(vectors)
    return np.percentile(cosines[cosines > 0], percentile)


def last_row_lost(vectors, percentile):
    return np.percentile(pairs_of(vectors[:-1]), percentile)


def neighbours_lost(vectors, percentile):
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.percentile((unit @ unit.T)[np.triu_indices(len(unit), 2)], percentile)


def unequal_rows(vectors, percentile):
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.percentile([a @ b for a in unit for b in unit if (a != b).any()], percentile)


def correlations(vectors, percentile):
    matrix = np.corrcoef(vectors)
    return np.percentile(matrix[np.triu_indices(len(matrix), 1)], percentile)


def one_norm_only(vectors, percentile):
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.percentile((unit @ vectors.T)[np.triu_indices(len(unit), 1)], percentile)


def diagonal_of_nan(vectors, percentile):
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    matrix = unit @ unit.T
    np.fill_diagonal(matrix, np.nan)
    return np.percentile(matrix, percentile)


def raw_whole_matrix(vectors, percentile):
    return np.percentile(vectors @ vectors.T, percentile)


_LEVELS: dict[int, float] = {}


def kept_by_percentile(vectors, percentile):
    return _LEVELS.setdefault(percentile, np.percentile(pairs_of(vectors), percentile))


def pairs_by_lot(vectors, percentile):
    rng = np.random.default_rng(0)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    i, j = rng.integers(0, len(unit), (2, 5000))
    return np.percentile((unit[i] * unit[j]).sum(axis=1)[i != j], percentile)


def off_diagonal_of(normalised, change=lambda values: values):
    def level(vectors, percentile):
        rows = normalised(vectors)
        values = (rows @ rows.T)[~np.eye(len(rows), dtype=bool)]
        return np.percentile(change(values), percentile)

    return level


def unit_rows(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


# 2.4 Right


def from_the_bottom(scores, same, precision):
    for threshold in sorted(scores.tolist()):
        kept = [s for score, s in zip(scores, same, strict=True) if score >= threshold]
        if sum(kept) / len(kept) >= precision:
            return threshold
    return None


def cumulative(scores, same, precision):
    order = np.argsort(-scores)
    scores, same = scores[order], same[order]
    shares = np.cumsum(same) / np.arange(1, len(same) + 1)
    last_of_its_score = np.append(scores[1:] != scores[:-1], True)
    good = np.flatnonzero(last_of_its_score & (shares >= precision))
    if len(good) == 0:
        return None
    return scores[good[-1]]


def all_at_once(scores, same, precision):
    kept = scores[None, :] >= scores[:, None]
    reached = (kept & same).sum(axis=1) / kept.sum(axis=1) >= precision
    return scores[reached].min() if reached.any() else None


# 2.4 Wrong


def larger_only(scores, same, precision):
    good = [t for t in scores if (scores > t).any() and same[scores > t].mean() >= precision]
    return min(good) if good else None


def first_failure(scores, same, precision):
    best = None
    for t in sorted(set(scores), reverse=True):
        if same[scores >= t].mean() >= precision:
            best = t
        else:
            break
    return best


def strictest(scores, same, precision):
    good = [t for t in scores if same[scores >= t].mean() >= precision]
    return max(good) if good else None


def ties_cut(scores, same, precision):
    order = np.argsort(-scores, kind="stable")
    shares = np.cumsum(same[order]) / np.arange(1, len(scores) + 1)
    good = np.flatnonzero(shares >= precision)
    return scores[order][good[-1]] if len(good) else None


def recall(scores, same, precision):
    good = [t for t in scores if same[scores >= t].sum() / same.sum() >= precision]
    return min(good) if good else None


def accuracy(scores, same, precision):
    good = [t for t in scores if ((scores >= t) == same).mean() >= precision]
    return min(good) if good else None


def fixed(scores, same, precision):
    return 0.5


def never_gives_up(scores, same, precision):
    return min(
        (t for t in scores if same[scores >= t].mean() >= precision), default=scores.max() + 1
    )


def raises_when_none(scores, same, precision):
    return min(t for t in scores if same[scores >= t].mean() >= precision)


def its_place(scores, same, precision):
    found = all_at_once(scores, same, precision)
    return None if found is None else int(np.flatnonzero(scores == found)[0])


def sorts_the_input(scores, same, precision):
    found = all_at_once(scores, same, precision)
    scores.sort()
    return found


def smallest_of(candidates, share=None):
    """Return an answer that tries other candidates, or another share."""
    share = share or (lambda accepted, same: same[accepted].mean() if accepted.any() else 0)

    def answer(scores, same, precision):
        good = [t for t in candidates(scores, same) if share(scores >= t, same) >= precision]
        return min(good) if good else None

    return answer


def right_threshold(scores, same, precision):
    return smallest_of(lambda scores, same: scores)(scores, same, precision)


def zero_lost(scores, same, precision):
    return right_threshold(scores, same, precision) or None


def begins_at_one(scores, same, precision):
    best = 1.0
    for t in scores:
        if same[scores >= t].mean() >= precision and t < best:
            best = t
    return best if best < 1 else None


def first_found(scores, same, precision):
    for t in scores:
        if same[scores >= t].mean() >= precision:
            return t
    return None


def halving(scores, same, precision):
    each, best = sorted(set(scores)), None
    low, high = 0, len(each) - 1
    while low <= high:
        middle = (low + high) // 2
        if same[scores >= each[middle]].mean() >= precision:
            best, high = each[middle], middle - 1
        else:
            low = middle + 1
    return best


def highest_precision(scores, same, precision):
    return max(np.unique(scores), key=lambda t: same[scores >= t].mean())


def most_by_recall(scores, same, precision):
    for t in sorted(scores, reverse=True):
        if (same & (scores >= t)).sum() / max(same.sum(), 1) >= precision:
            return t
    return None


def always_eighty(scores, same, precision):
    return right_threshold(scores, same, 0.8)


only_the_same = smallest_of(lambda scores, same: scores[same])
between_two = smallest_of(lambda scores, same: (np.unique(scores)[1:] + np.unique(scores)[:-1]) / 2)
on_a_grid = smallest_of(lambda scores, same: np.arange(0, 1, 0.01))
of_all_pairs = smallest_of(
    lambda scores, same: scores, lambda accepted, same: (same & accepted).sum() / len(same)
)


def to_two_digits(scores, same, precision):
    found = right_threshold(scores, same, precision)
    return None if found is None else round(float(found), 2)


def how_many(scores, same, precision):
    found = right_threshold(scores, same, precision)
    return None if found is None else int((scores >= found).sum())


def from_below(scores, same, precision):
    good = [t for t in scores if same[scores <= t].mean() >= precision]
    return min(good) if good else None


def scores_sorted_alone(scores, same, precision):
    return right_threshold(np.sort(scores), same, precision)


def nothing_returned(scores, same, precision):
    right_threshold(scores, same, precision)


def as_they_come(scores, same, precision):
    found = None
    for i in range(len(scores)):
        if same[: i + 1].mean() >= precision:
            found = scores[i]
    return found


def lowest_never_tried(scores, same, precision):
    good = [t for t in np.unique(scores)[1:] if same[scores >= t].mean() >= precision]
    return min(good) if good else None


def positive_ones(scores, same, precision):
    good = [t for t in scores[scores > 0] if same[scores >= t].mean() >= precision]
    return min(good) if good else None


def lowest_of_the_same(scores, same, precision):
    return scores[same].min()


PROOFS = {
    "2.1": Proof(
        right=(one_by_one, divided_afterwards, nan_to_num, tiny_number_added, in_float32),
        wrong=(
            (as_found, "still the function as found"),
            (columns, "columns"),
            (dot_products, "dot products"),
            (only_queries, "only the queries are normalised"),
            (swapped, "swapped"),
            (cosine_distance, "cosine distance"),
            (zeros_forgotten, "document of zeros gets NaN"),
            (in_place, "in place"),
            (as_lists, "is a list"),
            (no_keepdims, "could not be broadcast"),
            (squares, "squared norms"),
            (printed, "prints its result"),
            (nothing, "returns None"),
            (other_parameters, "cannot be called with 2 arguments"),
            (euclidean, "Euclidean distances"),
            (l1_norms, "the L1 norm"),
            (at_least_one, "whichever is larger"),
            (one_added, "you add 1 to what you divide by"),
            (clipped, "have set the negative ones to 0"),
            (rounded, "what you return is rounded"),
        ),
    ),
    "2.2": Proof(
        right=(claims(), {letter: np.bool_(value) for letter, value in RIGHT_CLAIMS.items()}),
        wrong=(
            (claims(a=False), "a is True. On 50 unit vectors"),
            (claims(b=True), "b is False. On 50 vectors of different lengths"),
            (claims(c=True), "c is False. Twice the query"),
            (claims(d=False), "d is True. The second of 50"),
            (claims(e=True), "e is False. The square"),
            (claims(f=False), "f is True. Set d = 1"),
            (claims(g=True), "g is False. Among 50 vectors"),
            (claims(g=None), "not decided yet on g"),
            (claims(a="yes"), "asks for True or False"),
            ({letter: not value for letter, value in RIGHT_CLAIMS.items()}, "wrong way round"),
            (list(RIGHT_CLAIMS.values()), "asks for a dictionary"),
            (claims(b=True, c=True), "(1 more to think about.)"),
            (
                {letter.upper(): value for letter, value in RIGHT_CLAIMS.items()},
                "asks for the small letters",
            ),
        ),
    ),
    "2.3": Proof(
        right=(
            by_loops,
            lower_triangle,
            off_diagonal,
            both_directions,
            by_quantile_of_pandas,
            by("nearest"),
            by("inverted_cdf"),
            by("hazen"),
            by_statistics,
            rank_of_doubled_pairs,
        ),
        wrong=(
            (off_diagonal_of(lambda v: v), "These are percentiles of dot products"),
            (off_diagonal_of(lambda v: v / np.linalg.norm(v)), "Each row has its own: `axis=1`"),
            (off_diagonal_of(lambda v: v / np.linalg.norm(v, axis=0)), "the norms of the columns"),
            (off_diagonal_of(unit_rows, np.abs), "have lost their sign"),
            (off_diagonal_of(unit_rows, lambda values: 1 - values), "1 minus the cosine"),
            (
                off_diagonal_of(unit_rows, lambda values: np.unique(values.round(2))),
                "only once. Every pair counts",
            ),
            (whole_matrix, "you take the whole matrix"),
            (with_diagonal, "your triangle includes the diagonal"),
            (triangle_of_zeros, "`np.triu` sets the lower triangle to 0"),
            (not_normalised, "dot products"),
            (as_a_share, "99 for 99 %; it is `np.quantile`"),
            (from_above, "from the other end"),
            (average, "the mean of the pairs"),
            (distances, "cosine distances"),
            (as_text, "not a number"),
            (all_of_them, "asks for one number"),
            (below_one, "the diagonal out by what it holds"),
            (not_zero, "You leave out what is 0"),
            (each_once, "You keep equal vectors only once"),
            (always_99, "Your percentile is always 99"),
            (whole_norm, "the norm of the whole matrix"),
            (zeros_on_the_diagonal, "You set the diagonal to 0 and still count it"),
            (first_with_others, "You compare the first vector with the others"),
            (closest, "each text's closest neighbour only"),
            (mean_of_percentiles, "a percentile for each text"),
            (without_sign, "Your cosines have lost their sign"),
            (above_zero, "You keep the cosines above 0 only"),
            (last_row_lost, "One row takes part in no pair"),
            (neighbours_lost, "two places right of the diagonal"),
            (unequal_rows, "1 or twice the same vector"),
            (correlations, "These are correlations"),
            (one_norm_only, "the norm of one of the two vectors only"),
            (diagonal_of_nan, "`np.nanpercentile` leaves those out"),
            (raw_whole_matrix, "those of each text with itself included"),
            (kept_by_percentile, "for 17 vectors of different lengths and percentile 90"),
            (pairs_by_lot, "it should be 0."),
        ),
    ),
    "2.4": Proof(
        right=(from_the_bottom, cumulative, all_at_once),
        wrong=(
            (larger_only, "*above* the threshold"),
            (first_failure, "stop at the first threshold that fails"),
            (strictest, "the *largest* threshold"),
            (ties_cut, "cut between equal scores"),
            (recall, "*recall* is always high enough"),
            (most_by_recall, "You measure recall"),
            (accuracy, "You measure accuracy"),
            (fixed, "you return 0.5; it should be 0.6"),
            (zero_lost, "A threshold of 0 is lost"),
            (begins_at_one, "let the best so far begin at infinity"),
            (first_found, "in the order in which the scores are given"),
            (halving, "You search by halving"),
            (highest_precision, "You look for the *highest* precision"),
            (always_eighty, "Your precision is always 0.8"),
            (only_the_same, "*are* the same story. A smaller"),
            (between_two, "middles between two scores"),
            (on_a_grid, "You try round numbers"),
            (to_two_digits, "the right threshold rounded"),
            (how_many, "how many pairs are accepted"),
            (from_below, "as if the scores were distances"),
            (of_all_pairs, "the number of all pairs"),
            (scores_sorted_alone, "leave `same` as it is"),
            (nothing_returned, "Does every path end with `return`?"),
            (never_gives_up, "no threshold keeps the promise"),
            (raises_when_none, "until no threshold keeps the promise; then it raises ValueError"),
            (its_place, "the place of the threshold"),
            (as_they_come, "as if the best came first"),
            (lowest_never_tried, "You never try the lowest score"),
            (positive_ones, "You leave out the scores that are 0 or less"),
            (lowest_of_the_same, "the lowest score of a pair that is the same story"),
            (sorts_the_input, "changes its first argument in place"),
        ),
    ),
}
