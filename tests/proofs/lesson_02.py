"""Answers to practice 02, cosine similarity."""

import numpy as np
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
        ),
    ),
    "2.3": Proof(
        right=(by_loops, lower_triangle, off_diagonal),
        wrong=(
            (whole_matrix, "you take the whole matrix"),
            (with_diagonal, "your triangle includes the diagonal"),
            (triangle_of_zeros, "`np.triu` sets the lower triangle to 0"),
            (not_normalised, "dot products"),
            (as_a_share, "wants 99 for 99 %"),
            (from_above, "from the other end"),
            (average, "the mean of the pairs"),
            (distances, "cosine distances"),
            (as_text, "not a number"),
            (all_of_them, "asks for one number"),
        ),
    ),
    "2.4": Proof(
        right=(from_the_bottom, cumulative, all_at_once),
        wrong=(
            (larger_only, "*above* the threshold"),
            (first_failure, "stop at the first threshold that fails"),
            (strictest, "the *largest* threshold"),
            (ties_cut, "cut between equal scores"),
            (recall, "You measure recall"),
            (accuracy, "You measure accuracy"),
            (fixed, "you return 0.5; it should be 0.6"),
            (never_gives_up, "no threshold keeps the promise"),
            (raises_when_none, "it raises ValueError"),
            (its_place, "you return 3; it should be 0.6"),
            (sorts_the_input, "changes its first argument in place"),
        ),
    ),
}
