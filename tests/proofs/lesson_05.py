"""Answers to practice 05, ChromaDB."""

from datetime import date, timedelta

import numpy as np

from . import Proof

# 5.1 Right


def by_factor(distance, space):
    factors = {"cosine": 1, "l2": 0.5, "ip": 1}
    if space not in factors:
        raise ValueError(space)
    return 1 - factors[space] * distance


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


# 5.1 Wrong


def always_one_minus(distance, space):
    return 1 - distance


def always_half(distance, space):
    return 1 - distance / 2


def squares_again(distance, space):
    if space == "l2":
        return 1 - distance**2 / 2
    return 1 - distance


def takes_root(distance, space):
    if space == "l2":
        return 1 - np.sqrt(distance) / 2
    return 1 - distance


def unchanged(distance, space):
    return distance


def inverse(distance, space):
    return 1 / (1 + distance)


def ip_as_it_is(distance, space):
    if space == "l2":
        return 1 - distance / 2
    if space == "ip":
        return distance
    return 1 - distance


def never_negative(distance, space):
    return np.maximum(0, by_factor(distance, space))


def key_error(distance, space):
    return 1 - {"cosine": 1, "l2": 0.5, "ip": 1}[space] * distance


def guesses(distance, space):
    return 1 - distance / 2 if space == "l2" else 1 - distance


def returns_the_error(distance, space):
    if space not in ("cosine", "l2", "ip"):
        return ValueError("no such space")
    return by_factor(distance, space)


def numbers_only(distance, space):
    return float(by_factor(distance, space))


def lists(distance, space):
    found = by_factor(distance, space)
    return found.tolist() if isinstance(found, np.ndarray) else found


def as_text(distance, space):
    return f"{by_factor(distance, space)}"


# 5.2 Right


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
    where = None

    def join(condition):
        return condition if where is None else {"$and": [where, condition]}

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


def always_a_range(category=None, authors=None, since=None, until=None):
    if category is authors is since is until is None:
        return None
    parts = [
        {"date": {"$gte": _day(since) if since else 0}},
        {"date": {"$lte": float(_day(until)) if until else 99991231}},
    ]
    if category is not None:
        parts.append({"category": category})
    if authors is not None:
        parts.append({"author": {"$in": authors}})
    return {"$and": parts}


# 5.2 Wrong


def _build(category, authors, since, until, low="$gte", high="$lte", join="$and", day=_day):
    parts = []
    if category:
        parts.append({"category": category})
    if authors:
        parts.append({"author": {"$in": authors}})
    if since:
        parts.append({"date": {low: day(since)}})
    if until:
        parts.append({"date": {high: day(until)}})
    if len(parts) > 1:
        return {join: parts}
    return parts[0] if parts else None


def exclusive_start(category=None, authors=None, since=None, until=None):
    return _build(category, authors, since, until, low="$gt")


def exclusive_end(category=None, authors=None, since=None, until=None):
    return _build(category, authors, since, until, high="$lt")


def any_of_them(category=None, authors=None, since=None, until=None):
    return _build(category, authors, since, until, join="$or")


def one_dictionary(category=None, authors=None, since=None, until=None):
    where = {}
    if category:
        where["category"] = category
    if authors:
        where["author"] = {"$in": authors}
    if since:
        where["date"] = {"$gte": _day(since)}
    return where or None


def two_operators(category=None, authors=None, since=None, until=None):
    parts = []
    if category:
        parts.append({"category": category})
    if authors:
        parts.append({"author": {"$in": authors}})
    if since or until:
        parts.append({"date": {}})
    if since:
        parts[-1]["date"]["$gte"] = _day(since)
    if until:
        parts[-1]["date"]["$lte"] = _day(until)
    if len(parts) > 1:
        return {"$and": parts}
    return parts[0] if parts else None


def date_lost(category=None, authors=None, since=None, until=None):
    where = {}
    if category:
        where["category"] = category
    if authors:
        where["author"] = {"$in": authors}
    if since:
        where["date"] = {"$gte": _day(since)}
    if until:
        where["date"] = {"$lte": _day(until)}
    parts = [{key: value} for key, value in where.items()]
    if len(parts) > 1:
        return {"$and": parts}
    return parts[0] if parts else None


def always_and(category=None, authors=None, since=None, until=None):
    where = _build(category, authors, since, until)
    return where if where is None or "$and" in where else {"$and": [where]}


def as_dates(category=None, authors=None, since=None, until=None):
    return _build(category, authors, since, until, day=lambda day: day)


def as_iso(category=None, authors=None, since=None, until=None):
    return _build(category, authors, since, until, day=lambda day: day.isoformat())


def no_zeros(category=None, authors=None, since=None, until=None):
    return _build(
        category, authors, since, until, day=lambda d: int(str(d.year) + str(d.month) + str(d.day))
    )


def day_first(category=None, authors=None, since=None, until=None):
    return _build(category, authors, since, until, day=lambda day: int(f"{day:%d%m%Y}"))


def empty_dictionary(category=None, authors=None, since=None, until=None):
    return _build(category, authors, since, until) or {}


def key_misspelt(category=None, authors=None, since=None, until=None):
    where = _build(category, None, since, until)
    mine = {"authors": {"$in": authors}}
    return where if authors is None else mine if where is None else {"$and": [mine, where]}


def list_as_value(category=None, authors=None, since=None, until=None):
    where = _build(category, None, since, until)
    mine = {"author": authors}
    return where if authors is None else mine if where is None else {"$and": [mine, where]}


def nones_kept(category=None, authors=None, since=None, until=None):
    return {"$and": [{"category": category}, {"author": authors}]}


def first_author(category=None, authors=None, since=None, until=None):
    return _build(category, authors and authors[:1], since, until)


def forgets_until(category=None, authors=None, since=None, until=None):
    if category is authors is since is None and until is not None:
        return {"date": {"$gte": 0}}
    return _build(category, authors, since, None)


def early_return(category=None, authors=None, since=None, until=None):
    if category:
        return {"category": category}
    if authors:
        return {"author": {"$in": authors}}
    if since:
        return {"date": {"$gte": _day(since)}}
    if until:
        return {"date": {"$lte": _day(until)}}
    return None


def forgets_one_pair(category=None, authors=None, since=None, until=None):
    if since and until and not category:
        return {"date": {"$gte": _day(since)}}
    return _build(category, authors, since, until)


def a_day_more(category=None, authors=None, since=None, until=None):
    return _build(category, authors, since, until and until + timedelta(days=1))


def a_day_less(category=None, authors=None, since=None, until=None):
    return _build(category, authors, since and since - timedelta(days=1), until)


def either_date(category=None, authors=None, since=None, until=None):
    return _build(category, authors, since, None if since else until)


def category_first(category=None, authors=None, since=None, until=None):
    return {"category": category} if category else _build(None, authors, since, until)


def left_from_the_form(category=None, authors=None, since=None, until=None):
    return _build("food", authors, date(2024, 1, 15), until)


def from_the_first_of_the_month(category=None, authors=None, since=None, until=None):
    return _build(category, authors, since, until, day=lambda d: d.year * 10_000 + d.month * 100)


def authors_small(category=None, authors=None, since=None, until=None):
    return _build(category, [name.lower() for name in authors or []], since, until)


def and_without_dollar(category=None, authors=None, since=None, until=None):
    return _build(category, authors, since, until, join="AND")


def in_without_dollar(category=None, authors=None, since=None, until=None):
    where = _build(category, None, since, until)
    return {"author": {"in": authors}} if authors else where


def lists_in_a_list(category=None, authors=None, since=None, until=None):
    return _build(category, authors and [authors], since, until)


def equal_to_a_list(category=None, authors=None, since=None, until=None):
    where = _build(category, None, since, until)
    return {"author": {"$eq": authors}} if authors else where


def two_at_most(category=None, authors=None, since=None, until=None):
    where = _build(category, authors, since, until)
    return None if where and len(where.get("$and", [])) > 2 else where


# 5.3 Right


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


def by_trying(scores, allowed, k):
    rows = np.flatnonzero(allowed)
    before = rows[np.argsort(scores[rows])[::-1]][:k].tolist()
    order = np.argsort(scores)[::-1]
    after = [int(row) for row in order[:k] if allowed[row]]
    for fetch in range(len(scores) + 1):
        if [row for row in order[:fetch] if allowed[row]] == before:
            return before, after, fetch


# 5.3 Wrong


def in_the_subset(scores, allowed, k):
    _, after, fetch = by_lists(scores, allowed, k)
    return np.argsort(-scores[allowed])[:k], after, fetch


def mask_multiplied(scores, allowed, k):
    _, after, fetch = by_lists(scores, allowed, k)
    return np.argsort(-(scores * allowed))[:k], after, fetch


def padded(scores, allowed, k):
    _, after, fetch = by_lists(scores, allowed, k)
    return np.argsort(-np.where(allowed, scores, -np.inf))[:k], after, fetch


def swapped(scores, allowed, k):
    before, after, fetch = by_lists(scores, allowed, k)
    return after, before, fetch


def both_before(scores, allowed, k):
    before, _, fetch = by_lists(scores, allowed, k)
    return before, before, fetch


def both_after(scores, allowed, k):
    _, after, fetch = by_lists(scores, allowed, k)
    return after, after, fetch


def ascending(scores, allowed, k):
    ranking = np.argsort(scores)
    before = [row for row in ranking if allowed[row]][:k]
    after = [row for row in ranking[:k] if allowed[row]]
    return before, after, 0


def place_from_zero(scores, allowed, k):
    before, after, fetch = by_lists(scores, allowed, k)
    return before, after, fetch - 1


def place_from_zero_but_none(scores, allowed, k):
    before, after, fetch = by_lists(scores, allowed, k)
    return before, after, max(fetch - 1, 0)


def at_least_k(scores, allowed, k):
    before, after, fetch = by_lists(scores, allowed, k)
    return before, after, max(fetch, k)


def how_many_allowed(scores, allowed, k):
    before, after, _ = by_lists(scores, allowed, k)
    return before, after, allowed.sum()


def all_if_too_few(scores, allowed, k):
    before, after, fetch = by_lists(scores, allowed, k)
    return before, after, len(scores) if len(before) < k else fetch


def mask_misread(scores, allowed, k):
    before, _, fetch = by_lists(scores, allowed, k)
    best = np.argsort(-scores)[:k]
    return before, best[allowed[:k]], fetch


def uncut(scores, allowed, k):
    ranking = np.argsort(-scores)
    _, after, fetch = by_lists(scores, allowed, k)
    return [row for row in ranking if allowed[row]], after, fetch


def numbers(scores, allowed, k):
    before, after, fetch = by_lists(scores, allowed, k)
    return len(before), len(after), fetch


def no_row_no_answer(scores, allowed, k):
    ranking = np.argsort(-scores)
    passing = allowed[ranking]
    places = np.flatnonzero(passing)[:k]
    return ranking[passing][:k], ranking[:k][passing[:k]], places[-1] + 1


def two_results(scores, allowed, k):
    return by_lists(scores, allowed, k)[:2]


# 5.4 Right


def asks_for_all(collection, vector, threshold):
    found = collection.query(query_embeddings=vector, n_results=max(1, collection.count()))
    return [
        (i, 1 - d)
        for i, d in zip(found["ids"][0], found["distances"][0], strict=True)
        if 1 - d >= threshold
    ]


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


# 5.4 Wrong


def rounded_afterwards(collection, vector, threshold):
    return [(i, round(s, 4)) for i, s in asks_for_more(collection, vector, threshold)]


def ten_at_most(collection, vector, threshold):
    found = collection.query(query_embeddings=[vector])
    return [
        (i, 1 - d)
        for i, d in zip(found["ids"][0], found["distances"][0], strict=True)
        if 1 - d >= threshold
    ]


def a_thousand_at_most(collection, vector, threshold):
    found = collection.query(query_embeddings=[vector], n_results=1000)
    return [
        (i, 1 - d)
        for i, d in zip(found["ids"][0], found["distances"][0], strict=True)
        if 1 - d >= threshold
    ]


def _all(collection, vector):
    found = collection.query(query_embeddings=[vector], n_results=max(1, collection.count()))
    return list(zip(found["ids"][0], found["distances"][0], strict=True))


def strictly_above(collection, vector, threshold):
    return [(i, 1 - d) for i, d in _all(collection, vector) if 1 - d > threshold]


def to_the_first_below(collection, vector, threshold):
    pairs = [(i, 1 - d) for i, d in _all(collection, vector)]
    return pairs[: int(np.argmax([s < threshold for _, s in pairs]))] if pairs else []


def best_all_the_same(collection, vector, threshold):
    pairs = [(i, 1 - d) for i, d in _all(collection, vector)]
    return [pair for pair in pairs if pair[1] >= threshold] or pairs[:1]


def one_below(collection, vector, threshold):
    pairs = [(i, 1 - d) for i, d in _all(collection, vector)]
    return pairs[: sum(s >= threshold for _, s in pairs) + 1]


def zero_at_least(collection, vector, threshold):
    pairs = [(i, max(0.0, 1 - d)) for i, d in _all(collection, vector)]
    return [pair for pair in pairs if pair[1] >= threshold]


def list_kept(collection, vector, threshold, found=[]):  # noqa: B006
    found += [(i, 1 - d) for i, d in _all(collection, vector) if 1 - d >= threshold]
    return found


def large_distances(collection, vector, threshold):
    return [(i, d) for i, d in _all(collection, vector) if d >= threshold]


def small_distances(collection, vector, threshold):
    return [(i, d) for i, d in _all(collection, vector) if d <= threshold]


def distance_compared(collection, vector, threshold):
    return [(i, 1 - d) for i, d in _all(collection, vector) if d <= threshold]


def distances_returned(collection, vector, threshold):
    return [(i, d) for i, d in _all(collection, vector) if 1 - d >= threshold]


def worst_first(collection, vector, threshold):
    return asks_for_all(collection, vector, threshold)[::-1]


def nothing_rejected(collection, vector, threshold):
    return [(i, 1 - d) for i, d in _all(collection, vector)]


def fails_when_empty(collection, vector, threshold):
    found = collection.query(query_embeddings=[vector], n_results=collection.count())
    return [
        (i, 1 - d)
        for i, d in zip(found["ids"][0], found["distances"][0], strict=True)
        if 1 - d >= threshold
    ]


def ids_only(collection, vector, threshold):
    return [i for i, d in _all(collection, vector) if 1 - d >= threshold]


def score_first(collection, vector, threshold):
    return [(1 - d, i) for i, d in _all(collection, vector) if 1 - d >= threshold]


def dictionary(collection, vector, threshold):
    return dict(asks_for_all(collection, vector, threshold))


def halved(collection, vector, threshold):
    return [(i, 1 - d / 2) for i, d in _all(collection, vector) if 1 - d / 2 >= threshold]


def rounded_first(collection, vector, threshold):
    scored = [(i, round(1 - d, 2)) for i, d in _all(collection, vector)]
    return [(i, s) for i, s in scored if s >= threshold]


def lists_of_lists(collection, vector, threshold):
    found = collection.query(query_embeddings=[vector], n_results=max(1, collection.count()))
    pairs = zip(found["ids"], found["distances"], strict=True)
    return [(i, 1 - np.array(d)) for i, d in pairs]


def none_when_none(collection, vector, threshold):
    return asks_for_all(collection, vector, threshold) or None


def not_in_the_collection(collection, vector, threshold):
    return [(f"r{n}", 1.0) for n in range(3)]


# 5.5 Right


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


def only_what_differs(collection, ids, texts, metadatas, vectors, batch_size):
    old = collection.get(include=["documents", "metadatas", "embeddings"])
    there = {
        name: (old["documents"][n], old["metadatas"][n], old["embeddings"][n])
        for n, name in enumerate(old["ids"])
    }
    write, delete = [], [name for name in there if name not in ids]
    for row, name in enumerate(ids):
        if name in there:
            text, metadata, vector = there[name]
            if (text, metadata) == (texts[row], metadatas[row]) and np.allclose(
                vector, vectors[row]
            ):
                continue
            delete.append(name)
        write.append(row)
    for start in range(0, len(delete), batch_size):
        collection.delete(ids=delete[start : start + batch_size])
    for start in range(0, len(write), batch_size):
        rows = write[start : start + batch_size]
        collection.add(
            ids=[ids[row] for row in rows],
            documents=[texts[row] for row in rows],
            metadatas=[metadatas[row] for row in rows],
            embeddings=[vectors[row] for row in rows],
        )


def one_at_a_time(collection, ids, texts, metadatas, vectors, batch_size):
    for name in collection.get()["ids"]:
        collection.delete(name)
    for name, text, metadata, vector in zip(ids, texts, metadatas, vectors, strict=True):
        collection.upsert(ids=name, documents=text, metadatas=metadata, embeddings=vector)
    return collection


# 5.5 Wrong


def _batches(size, batch_size):
    return [slice(start, start + batch_size) for start in range(0, size, batch_size)]


def _write(method, ids, texts, metadatas, vectors, parts):
    for part in parts:
        method(
            ids=ids[part],
            documents=texts[part],
            metadatas=metadatas[part],
            embeddings=vectors[part],
        )


def _delete_others(collection, ids, batch_size):
    gone = [name for name in collection.get()["ids"] if name not in ids]
    for part in _batches(len(gone), batch_size):
        collection.delete(ids=gone[part])


def only_adds(collection, ids, texts, metadatas, vectors, batch_size):
    _delete_others(collection, ids, batch_size)
    _write(collection.add, ids, texts, metadatas, vectors, _batches(len(ids), batch_size))


def only_upserts(collection, ids, texts, metadatas, vectors, batch_size):
    _write(collection.upsert, ids, texts, metadatas, vectors, _batches(len(ids), batch_size))


def merges(collection, ids, texts, metadatas, vectors, batch_size):
    _delete_others(collection, ids, batch_size)
    only_upserts(collection, ids, texts, metadatas, vectors, batch_size)


def only_updates(collection, ids, texts, metadatas, vectors, batch_size):
    if not collection.count():
        _write(collection.add, ids, texts, metadatas, vectors, _batches(len(ids), batch_size))
    _delete_others(collection, ids, batch_size)
    _write(collection.update, ids, texts, metadatas, vectors, _batches(len(ids), batch_size))


def last_batch_forgotten(collection, ids, texts, metadatas, vectors, batch_size):
    for _ in _batches(collection.count(), batch_size):
        collection.delete(ids=collection.get()["ids"][:batch_size])
    full = [slice(n * batch_size, (n + 1) * batch_size) for n in range(len(ids) // batch_size)]
    _write(collection.add, ids, texts, metadatas, vectors, full)


def all_at_once(collection, ids, texts, metadatas, vectors, batch_size):
    one_at_a_time(collection, ids[:0], [], [], vectors[:0], batch_size)
    if ids:
        collection.add(ids=ids, documents=texts, metadatas=metadatas, embeddings=vectors)


def deletes_all_at_once(collection, ids, texts, metadatas, vectors, batch_size):
    if collection.count():
        collection.delete(ids=collection.get()["ids"])
    only_upserts(collection, ids, texts, metadatas, vectors, batch_size)


def deletes_nothing(collection, ids, texts, metadatas, vectors, batch_size):
    collection.delete(ids=[name for name in collection.get()["ids"] if name not in ids])
    only_upserts(collection, ids, texts, metadatas, vectors, batch_size)


def each_batch_deletes(collection, ids, texts, metadatas, vectors, batch_size):
    for part in _batches(len(ids), batch_size):
        _delete_others(collection, ids[part], batch_size)
        _write(collection.upsert, ids, texts, metadatas, vectors, [part])


def vector_only_when_new(collection, ids, texts, metadatas, vectors, batch_size):
    kept = collection.get(include=["embeddings"])
    there = dict(zip(kept["ids"], kept["embeddings"], strict=True))
    mixed = [there.get(name, vector) for name, vector in zip(ids, vectors, strict=True)]
    one_at_a_time(collection, [], [], [], [], batch_size)
    _write(collection.add, ids, texts, metadatas, mixed, _batches(len(ids), batch_size))


def text_only_when_new(collection, ids, texts, metadatas, vectors, batch_size):
    kept = collection.get()
    there = dict(zip(kept["ids"], kept["documents"], strict=True))
    mixed = [there.get(name, text) for name, text in zip(ids, texts, strict=True)]
    one_at_a_time(collection, [], [], [], [], batch_size)
    _write(collection.add, ids, mixed, metadatas, vectors, _batches(len(ids), batch_size))


def skips_known_texts(collection, ids, texts, metadatas, vectors, batch_size):
    kept = collection.get(include=["documents"])
    there = dict(zip(kept["ids"], kept["documents"], strict=True))
    gone = [name for name in there if name not in ids or texts[ids.index(name)] != there[name]]
    for part in _batches(len(gone), batch_size):
        collection.delete(ids=gone[part])
    _write(collection.add, ids, texts, metadatas, vectors, _batches(len(ids), batch_size))


def out_of_step(collection, ids, texts, metadatas, vectors, batch_size):
    one_at_a_time(collection, [], [], [], [], batch_size)
    _write(collection.add, sorted(ids)[::-1], texts, metadatas, vectors, _batches(len(ids), 2))


def forgets_the_metadata(collection, ids, texts, metadatas, vectors, batch_size):
    one_at_a_time(collection, [], [], [], [], batch_size)
    for part in _batches(len(ids), batch_size):
        collection.add(ids=ids[part], documents=texts[part], embeddings=vectors[part])


def does_nothing(collection, ids, texts, metadatas, vectors, batch_size):
    pass


def only_the_first_time(collection, ids, texts, metadatas, vectors, batch_size):
    if not collection.count():
        only_upserts(collection, ids, texts, metadatas, vectors, batch_size)


def rounded_to_two(distance, space):
    return np.round(by_factor(distance, space), 2)


def _products(collection, vector, threshold):
    got = collection.get(include=["embeddings"])
    if not got["ids"]:
        return []
    scores = np.asarray(got["embeddings"]) @ vector
    pairs = [(i, float(s)) for i, s in zip(got["ids"], scores, strict=True) if s >= threshold]
    return sorted(pairs, key=lambda pair: -pair[1])


def only_the_query_normed(collection, vector, threshold):
    return _products(collection, vector / np.linalg.norm(vector), threshold)


def sign_lost(collection, vector, threshold):
    return [(n, abs(1 - d)) for n, d in _all(collection, vector) if abs(1 - d) >= threshold]


def _written_anew(collection, ids, texts, metadatas, vectors, batch_size):
    clears_and_adds(collection, ids, texts, metadatas, vectors, batch_size)


def marks_the_metadata(collection, ids, texts, metadatas, vectors, batch_size):
    marked = [metadata | {"synced": True} for metadata in metadatas]
    _written_anew(collection, ids, texts, marked, vectors, batch_size)


def normalises(collection, ids, texts, metadatas, vectors, batch_size):
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    _written_anew(collection, ids, texts, metadatas, unit, batch_size)


def forgets_the_texts(collection, ids, texts, metadatas, vectors, batch_size):
    for old in collection.get()["ids"]:
        collection.delete(ids=[old])
    for name, metadata, vector in zip(ids, metadatas, vectors, strict=True):
        collection.add(ids=[name], metadatas=[metadata], embeddings=[vector])


def sign_turned(distance, space):
    return -checks_first(distance, space)


def rounded_to_four(distance, space):
    return np.round(checks_first(distance, space), 4)


def small_letters(category=None, authors=None, since=None, until=None):
    return nested(category and category.lower(), authors, since, until)


def sorts_the_authors(category=None, authors=None, since=None, until=None):
    if authors:
        authors.sort()
    return nested(category, authors, since, until)


def authors_in_one_text(category=None, authors=None, since=None, until=None):
    return nested(category, authors and [", ".join(authors)], since, until)


def mask_on_the_ranking(scores, allowed, k):
    _, after, fetch = by_lists(scores, allowed, k)
    return np.argsort(-scores)[allowed][:k], after, fetch


def one_too_many(scores, allowed, k):
    before, after, fetch = by_lists(scores, allowed, k)
    return before, after, fetch + 1


def in_half_precision(collection, ids, texts, metadatas, vectors, batch_size):
    few = vectors.astype(np.float16).astype(np.float32)
    clears_and_adds(collection, ids, texts, metadatas, few, batch_size)


def dates_as_text(collection, ids, texts, metadatas, vectors, batch_size):
    written = [{key: str(value) for key, value in metadata.items()} for metadata in metadatas]
    clears_and_adds(collection, ids, texts, written, vectors, batch_size)


def none_for_fetch(scores, allowed, k):
    before, after, fetch = by_lists(scores, allowed, k)
    return before, after, fetch or None


def fetches_everything(scores, allowed, k):
    return *by_lists(scores, allowed, k)[:2], len(scores)


def thrown_away(scores, allowed, k):
    before, after, fetch = by_lists(scores, allowed, k)
    return before, after, fetch - len(before)


def by_absolute_value(scores, allowed, k):
    return by_lists(np.abs(scores), allowed, k)


def guessed(scores, allowed, k):
    before, after, _ = by_lists(scores, allowed, k)
    return before, after, int(np.ceil(k / allowed.mean())) if allowed.any() else 0


def all_but_the_last(collection, vector, threshold):
    n = collection.count()
    if n == 0:
        return []
    found = collection.query(query_embeddings=[vector], n_results=max(1, n - 1))
    return [
        (i, 1 - d)
        for i, d in zip(found["ids"][0], found["distances"][0], strict=True)
        if 1 - d >= threshold
    ]


def leaves_the_query_behind(collection, vector, threshold):
    found = asks_for_all(collection, vector, threshold)
    collection.upsert(ids=["query"], embeddings=[vector])
    return found


def cut_off_at_zero(collection, vector, threshold):
    return [(i, max(0.0, s)) for i, s in asks_for_all(collection, vector, threshold)]


PROOFS = {
    "5.1": Proof(
        right=(by_factor, by_match, checks_first),
        wrong=(
            (always_one_minus, "1 - distance in every space"),
            (always_half, "you halve the distance in every space"),
            (squares_again, "you square the `l2` distance"),
            (takes_root, "root of the `l2` distance before halving"),
            (unchanged, "this is the distance, unchanged"),
            (inverse, "1 / (1 + d)"),
            (ip_as_it_is, "for `ip` you return the distance as it is"),
            (never_negative, "you cut off what is below 0"),
            (key_error, "you raise KeyError"),
            (guesses, "without a word"),
            (returns_the_error, "you *return* a ValueError"),
            (numbers_only, "it raises TypeError"),
            (lists, "is a list; the task asks for a NumPy array"),
            (as_text, "is the text"),
            (rounded_to_two, "what you return is rounded"),
            (sign_turned, "your sign is turned in every space"),
            (rounded_to_four, "your similarities are nearly right"),
        ),
    ),
    "5.2": Proof(
        right=(always_in, nested, always_a_range),
        wrong=(
            (exclusive_start, "leaves out the first day"),
            (exclusive_end, "leaves out the last day"),
            (any_of_them, "you join the conditions by `$or`"),
            (one_dictionary, "you return None, which filters nothing"),
            (two_operators, "'date' has 2 operators"),
            (date_lost, "the second `date` overwrites the first"),
            (always_and, "`$and` joins two conditions or more"),
            (as_dates, "Chroma has no dates, only numbers"),
            (as_iso, "is a text. Put int(...) around it"),
            (no_zeros, "it has no leading zeros"),
            (day_first, "it begins with the day"),
            (empty_dictionary, "you return {}"),
            (key_misspelt, "asks for the key 'authors'"),
            (list_as_value, "is compared with a list"),
            (nones_kept, "is asked to be None"),
            (first_author, "only the first of several authors"),
            (forgets_until, "you return `{'date': {'$gte': 0}}`"),
            (early_return, "only the first is used"),
            (forgets_one_pair, "Of 98 records it lets through"),
            (small_letters, "and 'Harbour' was given"),
            (authors_in_one_text, "one author by the name of"),
            (a_day_more, "the day after `until` is let through"),
            (a_day_less, "the day before `since` is let through"),
            (either_date, "the second is lost. Is there an `elif`?"),
            (category_first, "where a category is asked, nothing else"),
            (left_from_the_form, "Nobody has asked for 'date'"),
            (from_the_first_of_the_month, "the day of the month is lost"),
            (authors_small, "and 'Dov Lind' was given"),
            (and_without_dollar, "small letters: `$and`"),
            (in_without_dollar, "'in' is none of its operators"),
            (lists_in_a_list, "the list of `$in` holds another list"),
            (equal_to_a_list, "`$eq` compares with one value"),
            (two_at_most, "a way through your function for 4 conditions"),
            (sorts_the_authors, "changes one of its arguments in place"),
        ),
    ),
    "5.3": Proof(
        right=(by_lists, by_infinity, by_trying),
        wrong=(
            (in_the_subset, "count among the allowed rows only"),
            (mask_multiplied, "you multiply by `allowed`"),
            (padded, "you fill the list with rows that are not"),
            (swapped, "are swapped"),
            (both_before, "`after` is filtered before the cut"),
            (both_after, "`before` is filtered after the cut"),
            (ascending, "worst first"),
            (place_from_zero, "`fetch` is one too small"),
            (place_from_zero_but_none, "counts from 0"),
            (at_least_k, "where fewer than k would do you fetch k"),
            (how_many_allowed, "`fetch` is how many rows are allowed"),
            (all_if_too_few, "where fewer than k rows are allowed you fetch everything"),
            (mask_misread, "which belong to rows 0 to k - 1"),
            (uncut, "`before` is not cut"),
            (numbers, "`before` is a number of rows"),
            (no_row_no_answer, "it raises IndexError"),
            (two_results, "you return 2 things"),
            (none_for_fetch, "`fetch` is None in what you return"),
            (fetches_everything, "you fetch everything. The smallest number"),
            (mask_on_the_ranking, "`ranking[allowed]` takes the wrong ones"),
            (one_too_many, "`fetch` is one too large"),
            (thrown_away, "the rows that the filter throws away"),
            (by_absolute_value, "you rank by the absolute values"),
            (guessed, "`fetch` is an estimate"),
        ),
    ),
    "5.4": Proof(
        right=(asks_for_all, asks_for_more, without_the_index),
        wrong=(
            (ten_at_most, "you return 10 records at most"),
            (a_thousand_at_most, "you return 1,000 records, and more qualify"),
            (strictly_above, "`>=`, not `>`"),
            (large_distances, "you compare distances with a threshold for similarities"),
            (small_distances, "you keep what has a *distance*"),
            (distance_compared, "is another line than"),
            (distances_returned, "the second of each pair is Chroma's distance"),
            (worst_first, "worst first"),
            (nothing_rejected, "nothing is rejected"),
            (fails_when_empty, "Chroma refuses a query for 0 results"),
            (ids_only, "you return ids without their similarities"),
            (score_first, "the id comes first"),
            (dictionary, "a dictionary"),
            (halved, "you halve the distance"),
            (rounded_first, "you round before you compare"),
            (lists_of_lists, "its id should be a text"),
            (none_when_none, "returns None for 40 records"),
            (not_in_the_collection, "it should be"),
            (_products, "these are dot products"),
            (only_the_query_normed, "by the norm of the query only"),
            (sign_lost, "have lost their sign"),
            (rounded_afterwards, "similarities are rounded"),
            (all_but_the_last, "you never look at the last record"),
            (leaves_the_query_behind, "your function changes the collection"),
            (cut_off_at_zero, "you cut off similarities below 0"),
            (to_the_first_below, "come from `np.argmax`?"),
            (best_all_the_same, "the best record all the same"),
            (one_below, "the first one *below* the threshold"),
            (zero_at_least, "below 0 to 0 before you compare"),
            (list_kept, "gives another answer when it is called a second time"),
        ),
    ),
    "5.5": Proof(
        right=(clears_and_adds, upserts_with_none, only_what_differs, one_at_a_time),
        wrong=(
            (only_adds, "`add` keeps what is there"),
            (only_upserts, "must be deleted"),
            (merges, "merge old and new metadata"),
            (only_updates, "`update` changes what is there"),
            (last_batch_forgotten, "the last batch is not full"),
            (all_at_once, "you add 17 records in one call"),
            (deletes_all_at_once, "you delete 17 records in one call"),
            (deletes_nothing, "There may be nothing to delete"),
            (each_batch_deletes, "Only the last batch is left"),
            (vector_only_when_new, "still its old vector"),
            (text_only_when_new, "still its old text"),
            (skips_known_texts, "do you skip records whose text and metadata"),
            (out_of_step, "out of step"),
            (forgets_the_metadata, "has no metadata"),
            (does_nothing, "the collection is empty afterwards"),
            (only_the_first_time, "are missing"),
            (marks_the_metadata, "which it was not given"),
            (normalises, "a vector of another length"),
            (forgets_the_texts, "has no text. Give the texts"),
            (in_half_precision, "has nearly its vector"),
            (dates_as_text, "numbers as numbers"),
        ),
    ),
}
