"""Answers to practice 05, ChromaDB."""

import numpy as np

from . import Proof

# 5.1


def by_match(distance, space):
    match space:
        case "l2":
            return (2 - distance) / 2
        case "cosine" | "ip":
            return 1 - distance
        case _:
            raise ValueError("cosine, l2 or ip")


def checks_first(distance, space):
    if space not in {"cosine", "l2", "ip"}:
        raise ValueError(f"{space}?")
    if space == "l2":
        return np.float32(1) - np.asarray(distance) / 2
    return np.subtract(1, distance)


def key_error(distance, space):
    return 1 - {"cosine": 1, "l2": 0.5, "ip": 1}[space] * distance


def returns_the_error(distance, space):
    if space not in ("cosine", "l2", "ip"):
        return ValueError("no such space")
    return by_match(distance, space)


def lists(distance, space):
    found = by_match(distance, space)
    return found.tolist() if isinstance(found, np.ndarray) else found


# 5.2


def _day(day):
    return int(f"{day:%Y%m%d}")


def always_in(category=None, authors=None, since=None, until=None):
    parts = []
    if category:
        parts.append({"category": {"$in": [category]}})
    if authors:
        parts.append({"author": {"$in": list(authors)}})
    if since:
        parts.append({"date": {"$gte": since.year * 10000 + since.month * 100 + since.day}})
    if until:
        parts.append({"date": {"$lte": until.year * 10000 + until.month * 100 + until.day}})
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else {"$and": parts}


def nested(category=None, authors=None, since=None, until=None):
    def join(condition):
        return condition if where is None else {"$and": [where, condition]}

    where = None
    if until is not None:
        where = join({"date": {"$lt": _day(until) + 1}})
    if since is not None:
        where = join({"date": {"$gt": _day(since) - 1}})
    for_authors = [{"author": name} for name in authors or []]
    if len(for_authors) == 1:
        where = join(for_authors[0])
    elif for_authors:
        where = join({"$or": for_authors})
    if category is not None:
        where = join({"category": {"$eq": category}})
    return where


def sorts_the_authors(category=None, authors=None, since=None, until=None):
    if authors:
        authors.sort()
    return nested(category, authors, since, until)


def misspelt(category=None, authors=None, since=None, until=None):
    return {"authors": {"$in": authors}} if authors else nested(category, None, since, until)


def two_operators(category=None, authors=None, since=None, until=None):
    if since and until:
        return {"date": {"$gte": _day(since), "$lte": _day(until)}}
    return nested(category, authors, since, until)


def empty(category=None, authors=None, since=None, until=None):
    return nested(category, authors, since, until) or {}


# 5.3


def by_lists(scores, allowed, k):
    ranking = sorted(range(len(scores)), key=lambda row: scores[row], reverse=True)
    before = [row for row in ranking if allowed[row]][:k]
    after = [row for row in ranking[:k] if allowed[row]]
    fetch = ranking.index(before[-1]) + 1 if before else 0
    return before, after, fetch


def by_infinity(scores, allowed, k):
    masked = np.where(allowed, scores, -np.inf)
    before = np.argsort(-masked)[: min(k, int(allowed.sum()))]
    best = np.argsort(scores)[::-1][:k]
    after = best[allowed[best]]
    fetch = int((scores >= scores[before].min()).sum()) if len(before) else 0
    return [before, after, fetch]


def none_for_fetch(scores, allowed, k):
    before, after, fetch = by_lists(scores, allowed, k)
    return before, after, fetch or None


# 5.4


def asks_for_more(collection, vector, threshold):
    wanted = 8
    while True:
        found = collection.query(query_embeddings=[vector.tolist()], n_results=wanted)
        scores = 1 - np.array(found["distances"][0])
        if len(scores) < wanted or scores[-1] < threshold:
            return [[i, s] for i, s in zip(found["ids"][0], scores, strict=True) if s >= threshold]
        wanted *= 4


def without_the_index(collection, vector, threshold):
    got = collection.get(include=["embeddings"])
    if not got["ids"]:
        return []
    rows = got["embeddings"] / np.linalg.norm(got["embeddings"], axis=1, keepdims=True)
    scores = rows @ (vector / np.linalg.norm(vector))
    order = np.argsort(-scores)
    return [(got["ids"][n], float(scores[n])) for n in order if scores[n] >= threshold]


def leaves_the_query_behind(collection, vector, threshold):
    found = asks_for_more(collection, vector, threshold)
    collection.upsert(ids=["query"], embeddings=[vector])
    return found


def list_kept(collection, vector, threshold, found=[]):  # noqa: B006
    found += asks_for_more(collection, vector, threshold)
    return found


def fails_when_empty(collection, vector, threshold):
    found = collection.query(query_embeddings=[vector], n_results=collection.count())
    both = zip(found["ids"][0], found["distances"][0], strict=True)
    return [(i, 1 - d) for i, d in both if 1 - d >= threshold]


# 5.5


def clears_and_adds(collection, ids, texts, metadatas, vectors, batch_size):
    while collection.count():
        collection.delete(ids=collection.get(limit=batch_size, include=[])["ids"])
    for start in range(0, len(ids), batch_size):
        end = start + batch_size
        collection.add(ids[start:end], vectors[start:end], metadatas[start:end], texts[start:end])


def upserts_with_none(collection, ids, texts, metadatas, vectors, batch_size):
    old = collection.get(include=["metadatas"])
    keys = dict(zip(old["ids"], old["metadatas"], strict=True))
    gone = [name for name in old["ids"] if name not in set(ids)]
    for start in range(0, len(gone), batch_size):
        collection.delete(ids=gone[start : start + batch_size])
    full = [
        dict.fromkeys(keys.get(name) or {}) | metadata
        for name, metadata in zip(ids, metadatas, strict=True)
    ]
    for start in range(0, len(ids), batch_size):
        part = slice(start, start + batch_size)
        collection.upsert(
            ids=ids[part],
            documents=texts[part],
            metadatas=full[part],
            embeddings=vectors[part].tolist(),
        )


def deletes_all_at_once(collection, ids, texts, metadatas, vectors, batch_size):
    if collection.count():
        collection.delete(ids=collection.get()["ids"])
    clears_and_adds(collection, ids, texts, metadatas, vectors, batch_size)


def counts_in_a_key(collection, ids, texts, metadatas, vectors, batch_size):
    turn = collection.count()
    marked = [metadata | {"turn": turn} for metadata in metadatas]
    clears_and_adds(collection, ids, texts, marked, vectors, batch_size)


PROOFS = {
    "5.1": Proof(
        right=(by_match, checks_first),
        wrong=(
            (key_error, "you raise KeyError"),
            (returns_the_error, "*Raise* a ValueError"),
            (lists, "is a list; the task asks for a NumPy array"),
        ),
    ),
    "5.2": Proof(
        right=(always_in, nested),
        wrong=(
            (misspelt, "asks for the key 'authors'"),
            (two_operators, "Chroma refuses your filter"),
            (empty, "Chroma refuses an empty filter"),
            (sorts_the_authors, "changes `authors` in place"),
        ),
    ),
    "5.3": Proof(
        right=(by_lists, by_infinity),
        wrong=((none_for_fetch, "the third of your results is None"),),
    ),
    "5.4": Proof(
        right=(asks_for_more, without_the_index),
        wrong=(
            (leaves_the_query_behind, "your function changes the collection"),
            (list_kept, "when it is called a second time"),
            (fails_when_empty, "Number of requested results 0"),
        ),
    ),
    "5.5": Proof(
        right=(clears_and_adds, upserts_with_none),
        wrong=(
            (deletes_all_at_once, "you delete 2 records in one call"),
            (counts_in_a_key, "a second time changes the collection again"),
        ),
    ),
}
