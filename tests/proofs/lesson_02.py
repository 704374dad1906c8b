"""Answers to practice 02, cosine similarity."""

import numpy as np
from sklearn.metrics.pairwise import cosine_similarity

from . import Proof

# 2.1


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


def in_float32(queries, documents):
    return cosine_similarity(queries.astype(np.float32), documents.astype(np.float32))


def in_place(queries, documents):
    for rows in (queries, documents):
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        norms[norms == 0] = 1
        rows /= norms
    return queries @ documents.T


def squeezed(queries, documents):
    return one_by_one(queries, documents).squeeze()


def as_lists(queries, documents):
    return one_by_one(queries, documents).tolist()


def printed(queries, documents):
    print(one_by_one(queries, documents))


def other_parameters(a):
    return a @ a.T


# 2.2

CLAIMS = {"a": True, "b": False, "c": False, "d": True, "e": False, "f": True, "g": False}

# 2.3


def by_loops(vectors, percentile):
    cosines = []
    for i in range(len(vectors)):
        for j in range(i):
            norms = np.linalg.norm(vectors[i]) * np.linalg.norm(vectors[j])
            cosines.append(vectors[i] @ vectors[j] / norms)
    return np.percentile(cosines, percentile)


def off_diagonal(vectors, percentile):
    similarities = cosine_similarity(vectors)
    return np.percentile(similarities[~np.eye(len(vectors), dtype=bool)], percentile)


def by_lot(vectors, percentile):
    rng = np.random.default_rng()
    return np.percentile(rng.choice(cosine_similarity(vectors).ravel(), 20), percentile)


# 2.4


def from_below(scores, same, precision):
    for t in sorted(scores):
        if same[scores >= t].mean() >= precision:
            return t
    return None


def cumulated(scores, same, precision):
    order = np.argsort(-scores, kind="stable")
    shares = np.cumsum(same[order]) / np.arange(1, len(scores) + 1)
    last_of_equals = np.append(np.diff(scores[order]) != 0, True)
    good = np.flatnonzero((shares >= precision - 1e-12) & last_of_equals)
    return scores[order][good[-1]] if len(good) else None


def raises_when_none(scores, same, precision):
    return min(t for t in scores if same[scores >= t].mean() >= precision)


def sorts_the_input(scores, same, precision):
    found = from_below(scores, same, precision)
    scores.sort()
    return found


PROOFS = {
    "2.1": Proof(
        right=(one_by_one, divided_afterwards, nan_to_num, in_float32),
        wrong=(
            (in_place, "changes `queries` in place"),
            (squeezed, "has shape"),
            (as_lists, "is a list; the task asks for a NumPy array"),
            (printed, "prints its result"),
            (other_parameters, "Keep the first line of the function"),
        ),
    ),
    "2.2": Proof(
        right=(CLAIMS, {letter: np.bool_(claim) for letter, claim in CLAIMS.items()}),
        wrong=(
            (CLAIMS | {"d": False}, "d is True."),
            ({letter: not claim for letter, claim in CLAIMS.items()}, "the wrong way round"),
            ({"a": True, "b": False}, "not decided yet: c, d, e, f, g. What you have decided"),
            ({"a": True, "b": True}, "b is False."),
            (CLAIMS | {"c": 0}, "the task asks for True or False"),
            (CLAIMS | {"h": True}, "there is no claim h"),
        ),
    ),
    "2.3": Proof(
        right=(by_loops, off_diagonal), wrong=((by_lot, "when it is called a second time"),)
    ),
    "2.4": Proof(
        right=(from_below, cumulated),
        wrong=(
            (raises_when_none, "it raises ValueError"),
            (sorts_the_input, "changes `scores` in place"),
        ),
    ),
}
