"""Answers to project 3, a search engine with a memory."""

from contextlib import suppress
from functools import cache

import numpy as np

from helpers.data import load_articles
from helpers.encoding import encode

from . import Proof


def day_number(day):
    return day.year * 10_000 + day.month * 100 + day.day


# P3.1


def facts_of(record):
    facts = {key: record[key] for key in ("category", "author")}
    return facts | {"date": day_number(record["date"])}


def creates(client, name, **settings):
    settings = settings or {"configuration": {"hnsw": {"space": "cosine", "ef_search": 300}}}
    return client.create_collection(name, **{"embedding_function": None, **settings})


def new(client, name, **settings):
    with suppress(Exception):
        client.delete_collection(name)
    return creates(client, name, **settings)


def filling(collection_of, facts=facts_of, size=None):
    """Return a `build` that fills the collection that `collection_of` makes or finds."""

    def build(client, name, records, vectors, batch_size):
        collection, step = collection_of(client, name), size or batch_size
        for start in range(0, len(records), step):
            part = records[start : start + step]
            collection.upsert(
                ids=[record["id"] for record in part],
                documents=[record["text"] for record in part],
                embeddings=vectors[start : start + step].tolist(),
                metadatas=[facts(record) for record in part],
            )
        return collection

    return build


def one_by_one(client, name, records, vectors, batch_size):
    if name in {collection.name for collection in client.list_collections()}:
        client.delete_collection(name)
    collection = client.create_collection(
        name, embedding_function=None, metadata={"hnsw:space": "cosine"}
    )
    for record, vector in zip(records, vectors, strict=True):
        collection.add(record["id"], vector, facts_of(record), record["text"])
    return client.get_collection(name, embedding_function=None)


def the_old_space(client, name):
    collection = client.get_or_create_collection(
        name, embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
    )
    for old in collection.get()["ids"]:
        collection.delete(ids=[old])
    return collection


def clears_the_store(client, name):
    for collection in client.list_collections():
        client.delete_collection(collection.name)
    return new(client, name)


def default_function(client, name):
    new(client, name)
    client.delete_collection(name)
    return client.create_collection(name, configuration={"hnsw": {"space": "cosine"}})


# P3.2 and P3.3


def where(category, author, since):
    parts = [{"category": category}] if category else []
    parts += [{"author": author}] if author else []
    parts += [{"date": {"$gte": day_number(since)}}] if since else []
    return {"$and": parts} if len(parts) > 1 else parts[0] if parts else None


def asks(collection, vector, k, category=None, author=None, since=None, where=where):
    asked = where(category, author, since)
    found = collection.query(query_embeddings=vector, n_results=k, where=asked)
    return zip(found["ids"][0], (1 - d for d in found["distances"][0]), strict=True)


def by_hand(collection, vector, k, category=None, author=None, since=None):
    got = collection.get(where=where(category, author, since), include=["embeddings"])
    if not got["ids"]:
        return []
    found = got["embeddings"]
    scores = found @ vector / (np.linalg.norm(found, axis=1) * np.linalg.norm(vector))
    return [(got["ids"][row], scores[row]) for row in np.argsort(scores)[::-1][:k]]


def other_default(collection, vector, k, category="food", author=None, since=None):
    return asks(collection, vector, k, category, author, since)


def leaves_the_query_behind(collection, vector, k, category=None, author=None, since=None):
    found = by_hand(collection, vector, k, category, author, since)
    collection.upsert(ids=["query"], embeddings=[vector], metadatas=[{"date": 0}])
    return found


def by_search(collection, vector, threshold, *asked, **named):
    found = asks(collection, vector, collection.count(), *asked, **named)
    return (pair for pair in found if pair[1] >= threshold)


def by_steps(collection, vector, threshold, category=None, author=None, since=None):
    wanted = 5
    while True:
        found = [*asks(collection, vector, wanted, category, author, since)]
        if len(found) < wanted or found[-1][1] < threshold:
            return tuple((name, np.float32(score)) for name, score in found if score >= threshold)
        wanted *= 3


# P3.4


@cache
def archive():
    texts = [f"{article.title}\n{article.text}" for article in load_articles()]
    return texts, encode(texts, "all-MiniLM-L6-v2")


class Engine:
    """What the check needs of a collection; nothing is encoded before it is asked."""

    def __init__(self, space="cosine", change=lambda *both: both, without="", day=20240115):
        self.configuration_json = {"hnsw": {"space": space}}
        self.change, self.without, self.day = change, without, day

    def count(self):
        return len(self.change(*archive())[0])

    def get(self, include):
        texts, vectors = self.change(*archive())
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


def judged(*arguments, **named):
    return (Engine(), judgement(*arguments, **named))


def made(**how):
    return (Engine(**how), judgement())


PROOFS = {
    "P3.1": Proof(
        right=(filling(new), one_by_one),
        wrong=(
            (filling(creates), "already exists"),
            (filling(the_old_space), "measures 'l2'"),
            (filling(lambda *both: new(*both, metadata={"no": 1})), "measures 'l2'"),
            (filling(default_function), "the embedding function 'default'"),
            (filling(new, size=9), "you add 3 records in one call"),
            (filling(new, lambda r: {"date": 20240115}), "wrong in 6 of 6 cases"),
            (filling(clears_the_store), "these are left: {'engine'}"),
            (filling(lambda c, name: new(c, "my_engine")), "your collection is 'my_engine'"),
            (lambda *five: one_by_one(*five).name, "return the collection that `client` makes"),
        ),
    ),
    "P3.2": Proof(
        right=(asks, by_hand),
        wrong=(
            (lambda c, v, k, *asked: asks(c, v, k, *asked, where=lambda *_: {}), "got {}"),
            (
                lambda c, v, k, category, author, since: asks(c, v, k, category, author, since),
                "with 3 arguments",
            ),
            (other_default, "you find something else than with None"),
            (leaves_the_query_behind, "your function changes the collection"),
        ),
    ),
    "P3.3": Proof(
        right=(by_search, by_steps),
        wrong=(
            (lambda *all, **named: [*by_search(*all, **named)][:200], "wrong in 1 of 15 cases"),
            (lambda *all, **named: [*by_search(*all, **named)] or None, "what you return is None"),
        ),
    ),
    "P3.4": Proof(
        right=(
            judged(),
            judged(np.float32(0.4), tuple(ANSWERED), REJECTED[::-1]),
            made(change=lambda texts, vectors: (texts, 3 * vectors)),
        ),
        wrong=(
            (({}, judgement()), "it is the collection that `build` returns"),
            (made(space="l2"), "measures 'l2'"),
            (made(without="author"), "the facts {'category': 'food', 'date': 20240115}"),
            (made(day=738900), "`build` makes a date 20240115"),
            (made(change=lambda texts, vectors: (texts[:30], vectors[:30])), "holds 30 records"),
            (made(change=lambda texts, vectors: (texts, vectors[::-1])), "gives its texts"),
            (made(change=lambda texts, vectors: (texts, vectors[:, :96])), "gives its texts"),
            (made(change=lambda texts, vectors: ([""] * len(texts), vectors)), "the text ''"),
            ((Engine(), {"threshold": 0.4, "answered": ANSWERED}), "has no 'rejected'"),
            ((Engine(), 0.45), "asks for a dictionary"),
            (judged(0.1), "by chance: go higher"),
            (judged(0.6), "should be answered, but"),
            (judged(0.3), "should be rejected, but"),
            (judged(answered=[*ANSWERED[:2], f"{ANSWERED[0].upper()}?"]), "three or more"),
            (judged(answered=ANSWERED[0]), "asks for a list"),
        ),
    ),
}
