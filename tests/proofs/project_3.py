"""Answers to project 3, a search engine with a memory."""

from functools import cache

import numpy as np

from helpers.data import load_articles
from helpers.encoding import encode

from . import Proof


def _cosine():
    return {"hnsw": {"space": "cosine"}}  # a new one each time, for Chroma writes into it


def _day(day):
    return int(f"{day:%Y%m%d}")


def _facts(record):
    return {k: record[k] for k in ("category", "author")} | {"date": _day(record["date"])}


def _fill(collection, records, vectors, batch_size, method="add", facts=_facts):
    for start in range(0, len(records), batch_size):
        part = records[start : start + batch_size]
        getattr(collection, method)(
            ids=[record["id"] for record in part],
            documents=[record["text"] for record in part],
            embeddings=vectors[start : start + batch_size],
            metadatas=[facts(record) for record in part],
        )
    return collection


def _new(client, name, **settings):
    if name in {collection.name for collection in client.list_collections()}:
        client.delete_collection(name)
    settings = settings or {"configuration": _cosine()}
    return client.create_collection(name, embedding_function=None, **settings)


# P3.1 Right


def tries_to_delete(client, name, records, vectors, batch_size):
    try:
        client.delete_collection(name)
    except Exception:
        print("nothing to delete")
    collection = client.create_collection(
        name=name,
        embedding_function=None,
        metadata={"model": "all-MiniLM-L6-v2"},
        configuration={"hnsw": {"space": "cosine", "ef_search": 300}},
    )
    return _fill(collection, records, vectors.tolist(), batch_size, "upsert")


def one_by_one(client, name, records, vectors, batch_size):
    collection = _new(client, name)
    for record, vector in zip(records, vectors, strict=True):
        collection.add(record["id"], vector, _facts(record), record["text"])
    return client.get_collection(name, embedding_function=None)


def by_old_setting(client, name, records, vectors, batch_size):
    if any(collection.name == name for collection in client.list_collections()):
        client.delete_collection(name)
    collection = client.get_or_create_collection(
        name, embedding_function=None, metadata={"hnsw:space": "cosine"}
    )
    return _fill(collection, records, vectors, 1 + batch_size // 2)


# P3.1 Wrong


def fails_the_second_time(client, name, records, vectors, batch_size):
    collection = client.create_collection(name, embedding_function=None, configuration=_cosine())
    return _fill(collection, records, vectors, batch_size)


def fails_the_first_time(client, name, records, vectors, batch_size):
    client.delete_collection(name)
    return _fill(_new(client, name), records, vectors, batch_size)


def keeps_the_old(client, name, records, vectors, batch_size):
    collection = client.get_or_create_collection(
        name, embedding_function=None, configuration=_cosine()
    )
    return _fill(collection, records, vectors, batch_size)


def keeps_what_is_gone(client, name, records, vectors, batch_size):
    collection = client.get_or_create_collection(
        name, embedding_function=None, configuration=_cosine()
    )
    return _fill(collection, records, vectors, batch_size, "upsert")


def keeps_the_old_space(client, name, records, vectors, batch_size):
    collection = client.get_or_create_collection(
        name, embedding_function=None, configuration=_cosine()
    )
    for old in collection.get()["ids"]:
        collection.delete(ids=[old])
    return _fill(collection, records, vectors, batch_size)


def default_space(client, name, records, vectors, batch_size):
    return _fill(_new(client, name, metadata={"space": "cosine"}), records, vectors, batch_size)


def default_function(client, name, records, vectors, batch_size):
    if name in {collection.name for collection in client.list_collections()}:
        client.delete_collection(name)
    collection = client.create_collection(name, configuration=_cosine())
    return _fill(collection, records, vectors, batch_size)


def all_in_one_call(client, name, records, vectors, batch_size):
    return _fill(_new(client, name), records, vectors, len(records))


def last_batch_missing(client, name, records, vectors, batch_size):
    full = len(records) // batch_size * batch_size
    return _fill(_new(client, name), records[:full], vectors[:full], batch_size)


def dates_as_text(client, name, records, vectors, batch_size):
    return _fill(
        _new(client, name),
        records,
        vectors,
        batch_size,
        facts=lambda r: _facts(r) | {"date": str(r["date"])},
    )


def dates_as_dates(client, name, records, vectors, batch_size):
    return _fill(
        _new(client, name),
        records,
        vectors,
        batch_size,
        facts=lambda r: _facts(r) | {"date": r["date"]},
    )


def dates_as_days(client, name, records, vectors, batch_size):
    return _fill(
        _new(client, name),
        records,
        vectors,
        batch_size,
        facts=lambda r: _facts(r) | {"date": r["date"].toordinal()},
    )


def author_forgotten(client, name, records, vectors, batch_size):
    return _fill(
        _new(client, name),
        records,
        vectors,
        batch_size,
        facts=lambda r: {"category": r["category"], "date": _day(r["date"])},
    )


def returns_nothing(client, name, records, vectors, batch_size):
    _fill(_new(client, name), records, vectors, batch_size)


def another_name(client, name, records, vectors, batch_size):
    return _fill(_new(client, "my_engine"), records, vectors, batch_size)


def clears_the_store(client, name, records, vectors, batch_size):
    for collection in client.list_collections():
        client.delete_collection(collection.name)
    return _fill(_new(client, name), records, vectors, batch_size)


def numbers_as_ids(client, name, records, vectors, batch_size):
    numbered = [record | {"id": str(n)} for n, record in enumerate(records)]
    return _fill(_new(client, name), numbered, vectors, batch_size)


def same_vectors_each_batch(client, name, records, vectors, batch_size):
    collection = _new(client, name)
    for start in range(0, len(records), batch_size):
        part = records[start : start + batch_size]
        _fill(collection, part, vectors[: len(part)], batch_size)
    return collection


# P3.2 Right


def _where(category, author, since):
    parts = [{"category": category}] if category else []
    parts += [{"author": author}] if author else []
    parts += [{"date": {"$gte": _day(since)}}] if since else []
    return {"$and": parts} if len(parts) > 1 else parts[0] if parts else None


def _pairs(found):
    return list(zip(found["ids"][0], found["distances"][0], strict=True))


def asks_with_where(collection, vector, k, category=None, author=None, since=None):
    where = _where(category, author, since)
    found = collection.query(query_embeddings=vector, n_results=k, where=where)
    return [(name, 1 - distance) for name, distance in _pairs(found)]


def filters_everything(collection, vector, k, category=None, author=None, since=None):
    found = collection.query(query_embeddings=[vector], n_results=collection.count())
    results = []
    for name, distance, facts in zip(
        found["ids"][0], found["distances"][0], found["metadatas"][0], strict=True
    ):
        if category is not None and facts["category"] != category:
            continue
        if author is not None and facts["author"] != author:
            continue
        if since is not None and facts["date"] < _day(since):
            continue
        results.append([name, 1 - distance])
    return results[:k]


def by_hand(collection, vector, k, category=None, author=None, since=None):
    got = collection.get(where=_where(category, author, since), include=["embeddings"])
    if not got["ids"]:
        return []
    rows = got["embeddings"]
    scores = rows @ vector / (np.linalg.norm(rows, axis=1) * np.linalg.norm(vector))
    return [(got["ids"][row], scores[row]) for row in np.argsort(scores)[::-1][:k]]


# P3.2 Wrong


def filters_afterwards(collection, vector, k, category=None, author=None, since=None):
    found = collection.query(query_embeddings=[vector], n_results=k)
    allowed = collection.get(where=_where(category, author, since))["ids"]
    return [(name, 1 - distance) for name, distance in _pairs(found) if name in allowed]


def fetches_ten_times(collection, vector, k, category=None, author=None, since=None):
    found = collection.query(query_embeddings=[vector], n_results=10 * k)
    allowed = collection.get(where=_where(category, author, since))["ids"]
    return [(name, 1 - distance) for name, distance in _pairs(found) if name in allowed][:k]


def distances(collection, vector, k, category=None, author=None, since=None):
    return [(n, 1 - s) for n, s in asks_with_where(collection, vector, k, category, author, since)]


def halved(collection, vector, k, category=None, author=None, since=None):
    pairs = asks_with_where(collection, vector, k, category, author, since)
    return [(name, (1 + score) / 2) for name, score in pairs]


def worst_first(collection, vector, k, category=None, author=None, since=None):
    return asks_with_where(collection, vector, k, category, author, since)[::-1]


def one_dictionary(collection, vector, k, category=None, author=None, since=None):
    where = {}
    if category:
        where["category"] = category
    if author:
        where["author"] = author
    if since:
        where["date"] = {"$gte": _day(since)}
    found = collection.query(query_embeddings=[vector], n_results=k, where=where or None)
    return [(name, 1 - distance) for name, distance in _pairs(found)]


def no_author(collection, vector, k, category=None, author=None, since=None):
    return asks_with_where(collection, vector, k, category, None, since)


def no_filter(collection, vector, k, category=None, author=None, since=None):
    return asks_with_where(collection, vector, k)


def the_day_after(collection, vector, k, category=None, author=None, since=None):
    parts = [{"category": category}] if category else []
    parts += [{"author": author}] if author else []
    parts += [{"date": {"$gt": _day(since)}}] if since else []
    where = {"$and": parts} if len(parts) > 1 else parts[0] if parts else None
    found = collection.query(query_embeddings=[vector], n_results=k, where=where)
    return [(name, 1 - distance) for name, distance in _pairs(found)]


def any_of_them(collection, vector, k, category=None, author=None, since=None):
    where = _where(category, author, since)
    if where and "$and" in where:
        where = {"$or": where["$and"]}
    found = collection.query(query_embeddings=[vector], n_results=k, where=where)
    return [(name, 1 - distance) for name, distance in _pairs(found)]


def always_ten(collection, vector, k, category=None, author=None, since=None):
    return asks_with_where(collection, vector, 10, category, author, since)


def ids_only(collection, vector, k, category=None, author=None, since=None):
    return [name for name, _ in asks_with_where(collection, vector, k, category, author, since)]


def whole_answer(collection, vector, k, category=None, author=None, since=None):
    where = _where(category, author, since)
    return collection.query(query_embeddings=[vector], n_results=k, where=where)


def one_filter(collection, vector, k, category=None, author=None, since=None):
    if category:
        return asks_with_where(collection, vector, k, category)
    if author:
        return asks_with_where(collection, vector, k, None, author)
    return asks_with_where(collection, vector, k, None, None, since)


def no_defaults(collection, vector, k, category, author, since):
    return asks_with_where(collection, vector, k, category, author, since)


# P3.3 Right


def by_search(collection, vector, threshold, category=None, author=None, since=None):
    found = asks_with_where(collection, vector, collection.count(), category, author, since)
    return [pair for pair in found if pair[1] >= threshold]


def by_steps(collection, vector, threshold, category=None, author=None, since=None):
    wanted = 5
    while True:
        found = asks_with_where(collection, vector, wanted, category, author, since)
        if len(found) < wanted or found[-1][1] < threshold:
            return [(name, score) for name, score in found if score >= threshold]
        wanted *= 3


def above_by_hand(collection, vector, threshold, category=None, author=None, since=None):
    return tuple(
        (str(name), np.float32(score))
        for name, score in by_hand(collection, vector, 10**9, category, author, since)
        if score >= threshold
    )


# P3.3 Wrong


def ten_at_most(collection, vector, threshold, category=None, author=None, since=None):
    found = asks_with_where(collection, vector, 10, category, author, since)
    return [pair for pair in found if pair[1] >= threshold]


def hundred_at_most(collection, vector, threshold, category=None, author=None, since=None):
    found = asks_with_where(collection, vector, 100, category, author, since)
    return [pair for pair in found if pair[1] >= threshold]


def strictly(collection, vector, threshold, category=None, author=None, since=None):
    return [
        p for p in by_search(collection, vector, -1, category, author, since) if p[1] > threshold
    ]


def large_distances(collection, vector, threshold, category=None, author=None, since=None):
    found = by_search(collection, vector, -1, category, author, since)
    return [(name, 1 - score) for name, score in found if 1 - score >= threshold]


def small_distances(collection, vector, threshold, category=None, author=None, since=None):
    found = by_search(collection, vector, -1, category, author, since)
    return [(name, 1 - score) for name, score in found if 1 - score <= threshold]


def compares_distances(collection, vector, threshold, category=None, author=None, since=None):
    found = by_search(collection, vector, -1, category, author, since)
    return [(name, score) for name, score in found if 1 - score <= threshold]


def below(collection, vector, threshold, category=None, author=None, since=None):
    found = by_search(collection, vector, -1, category, author, since)
    return [(name, score) for name, score in found if score < threshold]


def everything(collection, vector, threshold, category=None, author=None, since=None):
    return by_search(collection, vector, -1.5, category, author, since)


def filters_ignored(collection, vector, threshold, category=None, author=None, since=None):
    return by_search(collection, vector, threshold)


def since_ignored(collection, vector, threshold, category=None, author=None, since=None):
    return by_search(collection, vector, threshold, category, author)


def reversed_order(collection, vector, threshold, category=None, author=None, since=None):
    return by_search(collection, vector, threshold, category, author, since)[::-1]


def none_when_none(collection, vector, threshold, category=None, author=None, since=None):
    return by_search(collection, vector, threshold, category, author, since) or None


def fixed_line(collection, vector, threshold, category=None, author=None, since=None):
    return by_search(collection, vector, 0.5, category, author, since)


# P3.4


@cache
def _archive():
    texts = [f"{article.title}\n{article.text}" for article in load_articles()]
    return texts, encode(texts, "all-MiniLM-L6-v2")


class Engine:
    """What the check needs of a collection; nothing is encoded before it is asked."""

    def __init__(
        self,
        space="cosine",
        change=lambda texts, vectors: (texts, vectors),
        without="",
        day=20240115,
    ):
        self.configuration_json = {"hnsw": {"space": space}}
        self.change, self.without, self.day = change, without, day

    def count(self):
        return len(self.change(*_archive())[0])

    def get(self, include):
        texts, vectors = self.change(*_archive())
        facts = {"category": "food", "author": "me", "date": self.day}
        facts.pop(self.without, None)
        return {
            "ids": [f"a{n}" for n in range(len(texts))],
            "documents": texts,
            "embeddings": vectors,
            "metadatas": [facts] * len(texts),
        }


ANSWERED = [
    "what time is the last train home from Carrowby on a Saturday",
    "how many seal pups were counted on Fennick in 2024",
    "which fishing spots are closed to anglers now",
]
REJECTED = [
    "how does a computer learn to play chess",
    "where can I buy a second-hand microscope",
    "left luggage lockers at the station",
]


def judgement(threshold=0.45, answered=ANSWERED, rejected=REJECTED):
    return {"threshold": threshold, "answered": answered, "rejected": rejected}


def vectors_normalised(client, name, records, vectors, batch_size):
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return _fill(_new(client, name), records, unit, batch_size)


def clears_in_one_call(client, name, records, vectors, batch_size):
    names = [collection.name for collection in client.list_collections()]
    if name in names:
        old = client.get_collection(name, embedding_function=None)
        if old.count():
            old.delete(ids=old.get()["ids"])  # only adding has a limit
        client.delete_collection(name)
    return _fill(_new(client, name), records, vectors, batch_size)


def _products(collection, vector, category, author, since):
    got = collection.get(include=["embeddings", "metadatas"])
    pairs = [
        (name, float(row @ vector))
        for name, row, facts in zip(got["ids"], got["embeddings"], got["metadatas"], strict=True)
        if category in (None, facts["category"])
        and author in (None, facts["author"])
        and (since is None or facts["date"] >= _day(since))
    ]
    return sorted(pairs, key=lambda pair: -pair[1])


def by_products(collection, vector, k, category=None, author=None, since=None):
    return _products(collection, vector, category, author, since)[:k]


def with_one_norm(collection, vector, k, category=None, author=None, since=None):
    return by_products(collection, vector / np.linalg.norm(vector), k, category, author, since)


def filled_up(collection, vector, k, category=None, author=None, since=None):
    found = by_hand(collection, vector, k, category, author, since)
    others = [pair for pair in by_hand(collection, vector, k + 100) if pair not in found]
    return (found + others)[:k]


def rounded(collection, vector, k, category=None, author=None, since=None):
    found = by_hand(collection, vector, k, category, author, since)
    return [(name, round(score, 2)) for name, score in found]


def best_all_the_same(collection, vector, threshold, category=None, author=None, since=None):
    found = by_hand(collection, vector, 10**6, category, author, since)
    return [pair for pair in found if pair[1] >= threshold] or found[:1]


def above_rounded(collection, vector, threshold, category=None, author=None, since=None):
    found = rounded(collection, vector, 10**6, category, author, since)
    return [pair for pair in found if pair[1] >= threshold]


def products_above(collection, vector, threshold, category=None, author=None, since=None):
    found = _products(collection, vector, category, author, since)
    return [pair for pair in found if pair[1] >= threshold]


def always_five(collection, vector, k, category=None, author=None, since=None):
    return by_hand(collection, vector, 5, category, author, since)


def letters_of_the_author(collection, vector, k, category=None, author=None, since=None):
    found = by_hand(collection, vector, k, category, author, since)
    return [] if author else found  # as {"$in": list(author)} finds


def leaves_the_query_behind(collection, vector, k, category=None, author=None, since=None):
    found = by_hand(collection, vector, k, category, author, since)
    collection.upsert(ids=["query"], embeddings=[vector], metadatas=[{"date": 0}])
    return found


def two_hundred_at_most(collection, vector, threshold, category=None, author=None, since=None):
    found = asks_with_where(collection, vector, 200, category, author, since)
    return [pair for pair in found if pair[1] >= threshold]


def filters_swapped(collection, vector, threshold, category=None, author=None, since=None):
    return by_search(collection, vector, threshold, author, category, since)


def all_if_the_best(collection, vector, threshold, category=None, author=None, since=None):
    found = by_search(collection, vector, -2, category, author, since)
    return found if found and found[0][1] >= threshold else []


def above_zero_only(collection, vector, threshold, category=None, author=None, since=None):
    return by_search(collection, vector, max(threshold, 0), category, author, since)


def rounded_to_four(collection, vector, threshold, category=None, author=None, since=None):
    found = by_search(collection, vector, threshold, category, author, since)
    return [(name, round(score, 4)) for name, score in found]


PROOFS = {
    "P3.1": Proof(
        right=(tries_to_delete, one_by_one, by_old_setting, clears_in_one_call),
        wrong=(
            (fails_the_second_time, "A notebook is run more than once"),
            (fails_the_first_time, "There is nothing to delete the first time"),
            (keeps_the_old, "`add` keeps what is there"),
            (keeps_what_is_gone, "What is gone from the list must be deleted"),
            (keeps_the_old_space, "keeps the old space and says nothing"),
            (default_space, "Chroma's own choice is squared Euclidean distance"),
            (default_function, "an embedding function of its own"),
            (all_in_one_call, "you add 23 records in one call"),
            (last_batch_missing, "the last batch is not full"),
            (dates_as_text, "you store the date as the text"),
            (dates_as_dates, "Chroma has no dates"),
            (dates_as_days, "it should be 20"),
            (author_forgotten, "has the keys category, date"),
            (returns_nothing, "Return the collection"),
            (clears_the_store, "you delete a collection of another name"),
            (numbers_as_ids, "none of the given ids is in the collection"),
            (another_name, "There is 'my_engine' instead"),
            (same_vectors_each_batch, "has another vector than it was given"),
            (vectors_normalised, "a vector of another length"),
        ),
    ),
    "P3.2": Proof(
        right=(asks_with_where, filters_everything, by_hand),
        wrong=(
            (filters_afterwards, "you filter after the search"),
            (fetches_ten_times, "you fetch some more and filter afterwards"),
            (distances, "Chroma's distance"),
            (halved, "you halve the distance"),
            (worst_first, "worst first"),
            (one_dictionary, "A dictionary holds one condition"),
            (no_author, "`author` has no effect"),
            (no_filter, "nothing is filtered"),
            (the_day_after, "records of the day `since` itself are missing"),
            (any_of_them, "you join the conditions by `$or`"),
            (always_ten, "you return 10 records whatever k is"),
            (ids_only, "ids without their similarities"),
            (whole_answer, "a dictionary"),
            (one_filter, "only the first has an effect"),
            (no_defaults, "cannot be called with 3 arguments"),
            (by_products, "these are dot products"),
            (with_one_norm, "by the norm of the query only"),
            (filled_up, "you fill the list with records that do not"),
            (rounded, "their similarities are rounded"),
            (always_five, "you return 5 records whatever k is"),
            (letters_of_the_author, "wherever `author` is asked, nothing comes"),
            (leaves_the_query_behind, "your function changes the collection"),
        ),
    ),
    "P3.3": Proof(
        right=(by_search, by_steps, above_by_hand),
        wrong=(
            (ten_at_most, "you return 10 records at most"),
            (hundred_at_most, "you return the best 100 of"),
            (strictly, "`>=`, not `>`"),
            (large_distances, "so keep the worst records"),
            (small_distances, "a *distance* of at most the threshold"),
            (compares_distances, "is another line than"),
            (below, "what is *below* the threshold"),
            (everything, "nothing is rejected"),
            (filters_ignored, "nothing is filtered"),
            (since_ignored, "`since` has no effect"),
            (reversed_order, "worst first"),
            (none_when_none, "returns None"),
            (fixed_line, "you return the best 49 of"),
            (best_all_the_same, "you return the best record all the same"),
            (above_rounded, "you round before you compare"),
            (products_above, "these are dot products"),
            (two_hundred_at_most, "for 1,150 records and threshold=-1.0"),
            (filters_swapped, "`category` and `author` are swapped"),
            (all_if_the_best, "Each record has to reach it"),
            (above_zero_only, "you leave out similarities below 0"),
            (rounded_to_four, "their similarities are rounded"),
        ),
    ),
    "P3.4": Proof(
        right=(
            (Engine(), judgement()),
            (Engine(), judgement(np.float32(0.4), tuple(ANSWERED), REJECTED[::-1])),
            (
                Engine(change=lambda texts, vectors: (texts, 3 * vectors)),
                judgement() | {"why": "the gap is wide", "threshold": 0.5},
            ),
        ),
        wrong=(
            (({}, judgement()), "it should be the collection that `build` returns"),
            ((Engine(space="l2"), judgement()), "measures 'l2'"),
            (
                (Engine(change=lambda texts, vectors: (texts[:30], vectors[:30])), judgement()),
                "holds 30 records",
            ),
            ((Engine(without="author"), judgement()), "has no author"),
            (
                (Engine(change=lambda texts, vectors: (texts, vectors[::-1])), judgement()),
                "texts and vectors out of step",
            ),
            (
                (Engine(change=lambda texts, vectors: (texts, vectors[:, :96])), judgement()),
                "have 96 numbers",
            ),
            ((Engine(), {"threshold": 0.4, "answered": ANSWERED}), "has no 'rejected' yet"),
            ((Engine(), judgement("0.45")), "is the text '0.45'"),
            ((Engine(), judgement(45)), "Per cent, perhaps?"),
            ((Engine(), judgement(0.1)), "not above the level of chance"),
            ((Engine(), judgement(0.6)), "should be answered, and nothing reaches"),
            ((Engine(), judgement(0.3)), "should be rejected, but"),
            ((Engine(), judgement(0.45, REJECTED, ANSWERED)), "Are the two lists swapped?"),
            ((Engine(), judgement(answered=ANSWERED[:2])), "has 2 questions"),
            ((Engine(), judgement(answered=[ANSWERED[0]] * 3)), "has a question twice"),
            ((Engine(), judgement(answered=ANSWERED[0])), "asks for a list"),
            ((Engine(), judgement(rejected=[*REJECTED, ANSWERED[0]])), "stands in both lists"),
            ((Engine(), 0.45), "asks for a dictionary"),
            ((Engine(day="2024-01-15"), judgement()), "is a text, '2024-01-15'"),
            ((Engine(day=738900), judgement()), "`build` writes a day as year, month, day"),
            ((Engine(), judgement(0.6)), "As a similarity it would be 0.4"),
            (
                (Engine(change=lambda texts, vectors: ([None] * len(texts), vectors)), judgement()),
                "of your engine has no text",
            ),
            (
                (Engine(), {"treshold": 0.4, "answered": ANSWERED, "rejected": REJECTED}),
                "has no 'threshold' yet. It has 'treshold'",
            ),
            (
                (Engine(), judgement(answered=[*ANSWERED[:2], f"{ANSWERED[0].upper()}?"])),
                'judgement["answered"] has a question twice',
            ),
        ),
    ),
}
