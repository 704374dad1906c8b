"""The checks of project 3, a search engine with a memory."""

from __future__ import annotations

import operator
import uuid
import weakref
from datetime import date
from functools import partial
from unittest.mock import patch

import numpy as np

from helpers.checks.frame import exercise
from helpers.checks.lesson_05 import Above, Hidden, as_number, cosines, kept, records_of
from helpers.checks.reading import Wrong, describe, mapping, number, same, texts

MODEL = "all-MiniLM-L6-v2"
AUTHORS = ADA, BEN, CLEO = ("Ada Moss", "Ben Frost", "Cleo Hart")


def some(letters, text="new"):
    """Return records with these ids, and their vectors."""
    records = [
        {"id": letter, "text": text, "category": "food", "author": ADA, "date": date(2024, 1, i)}
        for i, letter in enumerate(letters, 5)
    ]
    return records, np.array([[float(text == "new"), 0.5 + i] for i in range(len(letters))])


def held(records, vectors, day=as_number):
    """Return what a collection should hold of the records."""
    rows = {}
    for r, vector in zip(records, vectors, strict=False):
        facts = {"category": r["category"], "author": r["author"], "date": day(r["date"])}
        rows[r["id"]] = (r["text"], facts, vector.tolist())
    return rows


OLD = held(*some("ab", "old"))


def opened(there):
    """Return a client with a database of its own, in which the collections `there`, a dictionary
    name → space, hold `OLD`."""
    from chromadb import AdminClient

    from helpers.store import connect

    client, database = connect(), uuid.uuid4().hex
    admin = AdminClient(client.get_settings())
    admin.create_database(database)
    client.set_database(database)
    weakref.finalize(client, admin.delete_database, database).atexit = False
    client.there = there
    for name, space in there.items():
        settings = {"hnsw": {"space": space}}
        old = client.create_collection(name, configuration=settings, embedding_function=None)
        for key, (text, facts, vector) in OLD.items():
            old.add(key, vector, facts, text)
    return client


@exercise(
    "P3.1",
    level=3,
    title="Fill it, and fill it again",
    names=["build"],
    hints=[
        "Run the cell twice in your head. What is in the store when the second run begins?",
        "If a collection of that name is listed, delete it; create it; add a slice at a time.",
        '`client.create_collection(name, embedding_function=None, configuration={"hnsw": {"space": '
        '"cosine"}})`; `add` slices of all four; the date is `int(r["date"].strftime("%Y%m%d"))`.',
    ],
    seconds=40,
)
class Build:
    """New, changed, gone and equal records, an old collection of another space, in batches."""

    praise = "right: cosine, in batches, and however often you run it, it holds what came last."

    def reference(client, name, records, vectors, batch_size):
        return held(records, vectors)

    def cases():
        yield {}, "engine", *some("a"), 2
        yield {"other": "cosine"}, "engine", *some("abc"), 2
        for letters, batch_size in (("ab", 2), ("cd", 1), ("bcdef", 3)):
            yield {"engine": "cosine", "other": "l2"}, "engine", *some(letters), batch_size
        yield {"engine": "l2"}, "engine", *some("abcd"), 4

    def make(client, name, records, vectors, batch_size):
        return opened(client), name, records, vectors, batch_size

    def play(answer, client, name, records, vectors, batch_size):
        from chromadb import Collection

        add, upsert = Collection.add, Collection.upsert
        with (
            patch.object(Collection, "add", autospec=True, side_effect=add) as adds,
            patch.object(Collection, "upsert", autospec=True, side_effect=upsert) as upserts,
        ):
            found = answer(client, name, records, vectors, batch_size)
        if found is None or isinstance(found, dict):  # a dictionary is a reference's
            return found
        if not hasattr(found, "configuration_json"):
            raise Wrong(f"you return {describe(found)}; return the collection that `client` makes.")
        settings, left = found.configuration_json, {c.name for c in client.list_collections()}
        space, function = settings["hnsw"]["space"], settings.get("embedding_function") or {}
        all_ids = [c.kwargs.get("ids") or c.args[1] for c in adds.mock_calls + upserts.mock_calls]
        most = max(map(len, all_ids), default=0)  # an id by itself is one letter long
        if found.name != name or client.there.keys() - left:
            raise Wrong(f"your collection is {found.name!r}, and these are left: {left}.")
        if space != "cosine" or function.get("type") == "known":
            seen = f"measures {space!r}, with the embedding function {function.get('name')!r}"
            raise Wrong(f"your collection {seen}. Is it new, with cosine and None?")
        if most > batch_size:
            raise Wrong(f"you add {most} records in one call; `batch_size` is {batch_size}.")
        return records_of(found)

    mistakes = """
        held(records, vectors) | (OLD if name in client.there else {})
            `add` keeps what is there under an id, and says nothing. Delete the collection first.
        (OLD if name in client.there else {}) | held(records, vectors)
            what is gone from the list is still there. Delete the collection first.
        held(records[: len(records) // batch_size * batch_size], vectors)
            a last batch that is not full is missing.
        held(records, vectors, str)
        held(records, vectors, lambda day: day.toordinal())
            the date is to be a number of year, month and day, such as 20240115.
    """


SINCE, EAST = date(2023, 7, 14), np.array([3.0, -0.4])
DAYS = (20230714, 20230713, 20240229, 20211231)
ASKED = (  # of how many records which category, author, since; k; threshold
    (7, None, None, None, 2, 0.0),
    (7, "travel", None, None, 1, 0.2),
    (7, None, BEN, None, 1, -0.3),
    (7, None, None, SINCE, 3, -1.0),
    (7, "songs", None, None, 9, 0.1),
    (36, "food", None, SINCE, 4, -0.4),
    (36, None, CLEO, SINCE, 5, 0.0),
    (36, "food", None, None, 30, 0.0),
    (36, None, None, None, 12, -0.75),
    (17, "arts", BEN, date(2024, 1, 1), 1, 0.9),
    (18, "arts", BEN, date(2024, 2, 29), 1, -1.0),
)


def circle(size, turns=1.0):
    """Return records: of two directions none is the same where `turns` is 1, all where it is 0."""
    records = {}
    for i, angle in enumerate(2 * np.pi * turns * np.arange(size) / size):
        facts = {"category": ("food", "travel", "arts")[i % 3], "author": AUTHORS[i // 2 % 3]}
        vector = (1 + i % 3) * np.array([np.cos(angle), np.sin(angle)])
        records[f"r{i}"] = ("a text", facts | {"date": DAYS[i // 3 % 4]}, vector.tolist())
    return records


def passing(collection, category=None, author=None, since=None, late=operator.ge, joined=all):
    """Return a collection of ours of the records that pass."""

    def passes(facts):
        found = [facts["category"] == category] if category else []
        found += [facts["author"] == author] if author else []
        found += [late(facts["date"], as_number(since))] if since else []
        return not found or joined(found)

    return Hidden({name: row for name, row in collection.records.items() if passes(row[1])})


def nearest(collection, vector, k):
    """Return a collection of ours of the k best records."""
    return Hidden({name: collection.records[name] for name, _ in cosines(collection, vector)[:k]})


def searched(answer, collection, vector, limit, *asked):
    """Return what `answer` finds; it must not change the collection."""
    return Above.spec.play(lambda *given: answer(*given, *asked), collection, vector, limit)


def praised(reference, limit, answer):
    """Return praise; raise `Wrong` where filters that are left out are not as None."""
    collection = Hidden(circle(7))
    for named in ({}, {"category": "food"}, {"author": BEN}, {"since": SINCE}):
        found = dict(answer(collection, EAST, limit, **named))
        if not same(found, dict(reference(collection, EAST, limit, **named)), 1e-5):
            raise Wrong(f"with the filters {named} alone you find something else than with None.")
    return "right: similarities, the best first, filtered before the cut, and nothing else."


@exercise(
    "P3.2",
    level=3,
    title="In this category, since that day",
    names=["search"],
    hints=[
        "What does Chroma want for no condition, for one, and for more? See exercise 5.2.",
        "Collect the conditions in a list; `where` is None, the one condition, or `$and` of all.",
        "`collection.query(query_embeddings=[vector], n_results=k, where=where)`; then 1 - distance.",
    ],
    seconds=40,
)
class Search:
    """Every combination of the filters; fewer than k, none, and ties."""

    reads, agrees, play = Above.spec.reads, Above.spec.agrees, searched

    def reference(collection, vector, k, category=None, author=None, since=None):
        return cosines(passing(collection, category, author, since), vector)[:k]

    praise = partial(praised, reference, 3)

    def cases():
        for size, *asked, k, _ in ASKED:
            yield circle(size), EAST, k, *asked
        yield circle(6, 0), EAST, 9, None, None, None

    def make(collection, vector, k, category, author, since):
        return Hidden(collection), vector, k, category, author, since

    mistakes = """
        reference(nearest(collection, vector, k), vector, k, category, author, since)
        reference(nearest(collection, vector, 10 * k), vector, k, category, author, since)
            you filter after the search: of the best, only those that pass are left. Use `where`.
        reference(collection, vector, 10, category, author, since)
            you return 10 records whatever k is: that is Chroma's own `n_results`.
        reference(collection, vector, k)
        reference(collection, vector, k, None, author, since)
        reference(collection, vector, k, category, None, since)
        reference(collection, vector, k, category, author)
            `category`, `author` or `since` has no effect, or none of them has one.
        reference(passing(collection, None, None, since, operator.gt), vector, k, category, author)
            records of the day `since` itself are missing. It belongs to the range: `$gte`, not `$gt`.
        reference(passing(collection, category, author, since, joined=any), vector, k)
            you join the conditions by `$or`: one of them suffices. All must hold: `$and`.
        reference(passing(collection, category, author, since, joined=lambda f: f[0]), vector, k)
        reference(passing(collection, category, author, since, joined=lambda f: f[-1]), vector, k)
            of several conditions only one is used. Do you return too early, or overwrite it?
    """


@exercise(
    "P3.3",
    level=3,
    title="Above the line, or not at all",
    names=["above"],
    hints=[
        "It is `search` once more. How many results must you ask for, so that none is missed?",
        "Ask for `collection.count()`. Of what comes, keep what is at or above the line.",
        "`[p for p in search(collection, vector, collection.count(), …) if p[1] >= threshold]`",
    ],
    seconds=40,
)
class Line:
    """Many above, none above, exactly at the line, a threshold of 0, ties, with filters."""

    reads, agrees, play = Above.spec.reads, Above.spec.agrees, searched

    def reference(collection, vector, threshold, category=None, author=None, since=None):
        return kept(cosines(passing(collection, category, author, since), vector), threshold)

    praise = partial(praised, reference, 0.3)

    def cases():
        rows = [[0.5] * 4, *np.eye(4).tolist()]
        halves = {f"r{i}": ("a text", {"category": "food"}, row) for i, row in enumerate(rows)}
        for threshold in (0.5, 0.0):
            yield halves, np.array([2.0, 0.0, 0.0, 0.0]), threshold, None, None, None
        for size, *asked, _, threshold in ASKED:
            yield circle(size), EAST, threshold, *asked
        yield circle(1_040), EAST, -1.0, None, None, None
        yield circle(6, 0), EAST, 0.5, None, None, None

    def make(collection, vector, threshold, category, author, since):
        return Hidden(collection), vector, threshold, category, author, since

    mistakes = """
        reference(collection, vector, threshold, category, author, since)[:10]
            you return 10 records at most: `n_results` is 10 unless you say otherwise.
        reference(collection, vector, threshold + 1e-6, category, author, since)
            a record whose similarity *is* the threshold is missing: `>=`, not `>`.
        reference(collection, vector, threshold or 0.5, category, author, since)
            a threshold of 0 is taken for none. `or` and `if threshold` do that.
        reference(collection, vector, -9, category, author, since)
            nothing is rejected: you return every record that passes the filters.
        reference(collection, vector, 1 - threshold, category, author, since)
            you compare *distances* with the threshold, which is one for similarities.
        reference(collection, vector, threshold)
        reference(collection, vector, threshold, category, author)
            `category`, `author` or `since` has no effect, or none of them has one.
    """


def looked_at(engine, encode):
    """Return ids and unit vectors of an engine; raise `Wrong` where it is not made as asked."""
    if not hasattr(engine, "configuration_json"):
        raise Wrong(f"`engine` is {describe(engine)}; it is the collection that `build` returns.")
    space, size = engine.configuration_json["hnsw"]["space"], engine.count()
    if space != "cosine" or size < 200:
        raise Wrong(f"your engine holds {size} records and measures {space!r}, not 200 and cosine.")
    got = engine.get(include=["embeddings", "documents", "metadatas"])
    ids, documents, vectors = got["ids"], got["documents"], np.asarray(got["embeddings"], float)
    for name, text, facts in zip(ids, documents, got["metadatas"], strict=True):
        day, others = (facts or {}).get("date"), {"category", "author"} - {*(facts or {})}
        if not text or others or not isinstance(day, int) or not 10**7 < day < 10**8:
            seen = f"{name!r} with the text {describe(text)} and the facts {describe(facts)}"
            raise Wrong(f"your engine holds {seen}. `build` makes a date 20240115.")
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    sample = np.linspace(0, size - 1, 12).astype(int)
    right = encode([documents[row] for row in sample], MODEL)
    if vectors.shape[1] != right.shape[1] or (vectors[sample] * right).sum(axis=1).min() < 0.98:
        raise Wrong(f"the vectors of your engine are not those that {MODEL} gives its texts.")
    return ids, vectors


@exercise(
    "P3.4",
    level=3,
    title="Your own line",
    names=["engine", "judgement"],
    hints=[
        "Begin with the questions, not with the number. Look at the best similarity of each.",
        "Your line lies between the highest of the rejected and the lowest of the answered.",
        "`above(engine, encode([question], MODEL)[0], 0.0)[:1]` shows the best record of a question.",
    ],
    seconds=90,
)
class OwnLine:
    """The learner's own collection, questions and threshold, measured."""

    def check(engine, judgement):
        from helpers.encoding import encode

        given = mapping(judgement, "`judgement`")
        missing = {"threshold", "answered", "rejected"} - given.keys()
        if missing:
            raise Wrong(f"`judgement` has no {min(missing)!r}. It has {describe(list(given))}.")
        threshold = number(given["threshold"], 'judgement["threshold"]')
        answered, rejected = (texts(given[key], key) for key in ("answered", "rejected"))
        for asked in (answered, rejected):
            if len({q.casefold().strip("?!. ") for q in asked}) < max(3, len(asked)):
                raise Wrong(f"three or more *different* questions are wanted, not {asked}.")
        ids, vectors = looked_at(engine, encode)
        questions = answered + rejected
        scores = encode(questions, MODEL) @ vectors.T
        chance = np.percentile(scores, 95)
        if threshold <= chance:
            raise Wrong(f"one in twenty of all pairs reaches {chance:.3f} by chance: go higher.")
        found = zip(scores.max(axis=1), (ids[row] for row in scores.argmax(axis=1)), strict=True)
        best = dict(zip(questions, found, strict=True))
        low, high = min(answered, key=best.get), max(rejected, key=best.get)
        for question, wanted in ((low, "answered"), (high, "rejected")):
            score, record = best[question]
            if (score >= threshold - 1e-6) != (wanted == "answered"):
                seen = f"{record!r} has {score:.4f}, and your threshold is {threshold:g}"
                raise Wrong(f"“{question}” should be {wanted}, but its best record, {seen}.")
        closest = f"“{low}” with {best[low][0]:.2f} and “{high}” with {best[high][0]:.2f}"
        return f"right: your line at {threshold:.2f} parts {closest}. Try it on other questions."
