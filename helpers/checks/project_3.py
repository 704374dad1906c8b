"""The checks of project 3, a search engine with a memory."""

from __future__ import annotations

import operator
import uuid
import weakref
from datetime import date
from unittest.mock import patch

import numpy as np

from helpers.checks.frame import exercise
from helpers.checks.lesson_05 import Above, Hidden, as_number, cosines, records_of
from helpers.checks.reading import Wrong, describe, mapping, number, texts

MODEL = "all-MiniLM-L6-v2"
AUTHORS = ADA, BEN, CLEO = ("Ada Moss", "Ben Frost", "Cleo Hart")


# P3.1


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


def watched(name, sizes):
    """Return a context in which each call of a collection's method enters its size in `sizes`."""
    from chromadb import Collection

    act = getattr(Collection, name)

    def watching(collection, ids, *arguments, **named):
        sizes.append(1 if isinstance(ids, str) else len(ids))
        return act(collection, ids, *arguments, **named)

    return patch.object(Collection, name, watching)


@exercise(
    "P3.1",
    level=3,
    title="Fill it, and fill it again",
    names=["build"],
    hints=[
        "Run the cell twice in your head. What is in the store when the second run begins?",
        "If a collection of that name is listed, delete it; create it; add a slice at a time.",
        '`client.create_collection(name, embedding_function=None, configuration={"hnsw": {"space": '
        '"cosine"}})`, then `for start in range(0, len(records), batch_size)` with `add` of '
        'ids, documents, embeddings and metadatas; the date is `int(r["date"].strftime("%Y%m%d"))`.',
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
        yield {"engine": "cosine"}, "engine", *some("a"), 2
        yield {"other": "cosine"}, "engine", *some("abc"), 2
        for letters, batch_size in (("ab", 2), ("cd", 1), ("bcdef", 3)):
            yield {"engine": "cosine", "other": "l2"}, "engine", *some(letters), batch_size
        yield {"engine": "l2"}, "engine", *some("abcd"), 4

    def make(client, name, records, vectors, batch_size):
        return opened(client), name, records, vectors, batch_size

    def play(answer, client, name, records, vectors, batch_size):
        sizes = [0]
        with watched("add", sizes), watched("upsert", sizes):
            found = answer(client, name, records, vectors, batch_size)
        if found is None or isinstance(found, dict):  # a dictionary is a reference's
            return found
        if not hasattr(found, "configuration_json"):
            raise Wrong(f"you return {describe(found)}; return the collection that `client` makes.")
        settings, left = found.configuration_json, {c.name for c in client.list_collections()}
        space, function = settings["hnsw"]["space"], settings.get("embedding_function") or {}
        for fault, says in (
            (found.name != name, f"you return {found.name!r}; {name!r} was asked for."),
            (client.there.keys() - left, "you delete a collection of another name."),
            (space != "cosine", f"your collection measures {space!r}. Is it new, with cosine?"),
            (function.get("type") == "known", "`embedding_function=None` is missing."),
            (max(sizes) > batch_size, f"you add {max(sizes)} records in one call."),
        ):
            if fault:
                raise Wrong(says)
        return records_of(found)

    mistakes = """
        held(records, vectors) | (OLD if name in client.there else {})
            `add` keeps what is there under an id, and says nothing. Delete the collection first.
        (OLD if name in client.there else {}) | held(records, vectors)
            what is gone from the list is still there. Delete the collection first.
        held(records[: len(records) // batch_size * batch_size], vectors)
            a last batch that is not full is missing.
        held(records, [vectors[i % batch_size] for i in range(len(vectors))])
            every batch gets the vectors of the first. Cut them as you cut the records.
        held(records, vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
            you normalise the vectors. Store them as they are given.
        held(records, vectors, str)
        held(records, vectors, lambda day: day.toordinal())
            the date is to be a number of year, month and day, such as 20240115.
    """


# P3.2 and P3.3

SINCE, EAST = date(2023, 7, 14), np.array([3.0, -0.4])
DAYS = (20230714, 20230713, 20240229, 20211231)
#: Of how many records which category, author and since are asked, how many, and which threshold.
ASKED = (
    (7, None, None, None, 2, 0.0),
    (7, "travel", None, None, 1, 0.2),
    (7, None, BEN, None, 1, -0.3),
    (7, None, None, SINCE, 3, -1.0),
    (7, "travel", BEN, SINCE, 2, -0.9),
    (7, "songs", None, None, 9, 0.1),
    (36, "food", None, SINCE, 4, -0.4),
    (36, None, CLEO, SINCE, 5, -0.7),
    (36, "arts", BEN, SINCE, 3, -0.9),
    (36, "travel", CLEO, None, 3, 0.3),
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


def after(collection, vector, most, *asked):
    """Return those of the best of all records that pass."""
    best = cosines(collection, vector)[:most]
    return [pair for pair in best if pair[0] in passing(collection, *asked).records]


def searched(answer, collection, *arguments):
    """Return what `answer` finds; it must not change the collection."""
    found = answer(collection, *arguments)
    if records_of(collection).keys() != collection.records.keys():
        raise Wrong("your function changes the collection. A search only reads.")
    return found


def praised(spec, answer, limit):
    """Return praise; raise `Wrong` where filters that are left out are not as None."""
    collection = Hidden(circle(7))
    for named in ({}, {"category": "food"}, {"author": BEN}, {"since": SINCE}):
        found = spec.reads(answer(collection, EAST, limit, **named))
        if not spec.agrees(found, spec.reference(collection, EAST, limit, **named), collection):
            raise Wrong(f"with the filters {named} alone you find something else than with None.")
    return "right: similarities, the best first, filtered before the cut, and nothing else."


#: Mistakes with a filter, for the mistakes of a class, indented as they are there.
FILTERS = """
        reference(collection, vector, LIMIT)
            nothing is filtered: category, author and date have no effect.
        reference(collection, vector, LIMIT, None, author, since)
        reference(collection, vector, LIMIT, category, None, since)
        reference(collection, vector, LIMIT, category, author)
            one of `category`, `author` and `since` has no effect.
        reference(passing(collection, None, None, since, operator.gt), vector, LIMIT, category, author)
            records of the day `since` itself are missing. It belongs to the range: `$gte`, not `$gt`.
        reference(passing(collection, category, author, since, joined=any), vector, LIMIT)
            you join the conditions by `$or`: one of them suffices. All must hold: `$and`.
        reference(passing(collection, category, author, since, joined=lambda f: f[0]), vector, LIMIT)
        reference(passing(collection, category, author, since, joined=lambda f: f[-1]), vector, LIMIT)
            of several conditions only one is used. Do you return too early, or overwrite it?
    """


@exercise(
    "P3.2",
    level=3,
    title="In this category, since that day",
    names=["search"],
    hints=[
        "What does Chroma want for no condition, for one, and for more? See exercise 5.2.",
        "Collect the conditions in a list; `where` is None, the one condition, or `$and` of all.",
        "`found = collection.query(query_embeddings=[vector], n_results=k, where=where)`; take entry "
        '[0] of `found["ids"]` and `found["distances"]`, and return pairs (id, 1 - distance).',
    ],
    seconds=40,
)
class Search:
    """Every combination of the filters; fewer than k, none, and ties."""

    reads, agrees, play = Above.spec.reads, Above.spec.agrees, searched

    def praise(answer):
        return praised(Search.spec, answer, 3)

    def reference(collection, vector, k, category=None, author=None, since=None):
        return cosines(passing(collection, category, author, since), vector)[:k]

    def cases():
        for size, *asked, k, _ in ASKED:
            yield circle(size), EAST, k, *asked
        yield circle(6, 0), EAST, 9, None, BEN, None

    def make(collection, vector, k, category, author, since):
        return Hidden(collection), vector, k, category, author, since

    mistakes = """
        after(collection, vector, k, category, author, since)
        after(collection, vector, 10 * k, category, author, since)[:k]
            you filter after the search: of the best, only those that pass are left. Use `where`.
        [(name, (1 + s) / 2) for name, s in reference(collection, vector, k, category, author, since)]
            you make another similarity of the distance. This collection's is 1 - distance.
        reference(collection, vector, 10, category, author, since)
            you return 10 records whatever k is: that is Chroma's own `n_results`.
    """ + FILTERS.replace("LIMIT", "k")


@exercise(
    "P3.3",
    level=3,
    title="Above the line, or not at all",
    names=["above"],
    hints=[
        "It is `search` once more. How many results must you ask for, so that none is missed?",
        "Ask for `collection.count()`. Of what comes, keep what is at or above the line.",
        "With `search` as you wrote it: `[pair for pair in search(collection, vector, "
        "collection.count(), category, author, since) if pair[1] >= threshold]`.",
    ],
    seconds=40,
)
class Line:
    """Many above, none above, exactly at the line, a threshold of 0, ties, with filters."""

    reads, agrees, play = Above.spec.reads, Above.spec.agrees, searched

    def praise(answer):
        found = len(answer(Hidden(circle(1_040)), EAST, -1.0))
        if found < 1_040:
            raise Wrong(f"of 1,040 records that reach the threshold you return {found:,}.")
        return praised(Line.spec, answer, 0.3)

    def reference(collection, vector, threshold, category=None, author=None, since=None):
        every = cosines(passing(collection, category, author, since), vector)
        return [pair for pair in every if pair[1] >= threshold - 1e-7]

    def cases():
        rows = [[0.5] * 4, *np.eye(4).tolist()]
        halves = {f"r{i}": ("a text", {"category": "food"}, row) for i, row in enumerate(rows)}
        for vector in ([2.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.5, 0.0]):
            yield halves, np.array(vector), 0.5, None, None, None
        for size, *asked, _, threshold in ASKED:
            yield circle(size), EAST, threshold, *asked
        yield circle(50), EAST, -0.5, None, None, SINCE
        yield circle(6, 0), EAST, 0.5, None, BEN, None

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
    """ + FILTERS.replace("LIMIT", "threshold")


# P3.4


def looked_at(engine, encode):
    """Return ids and unit vectors of an engine; raise `Wrong` where it is not made as asked."""
    if not hasattr(engine, "configuration_json"):
        raise Wrong(f"`engine` is {describe(engine)}; it is the collection that `build` returns.")
    space, size = engine.configuration_json["hnsw"]["space"], engine.count()
    if space != "cosine" or size < 200:
        raise Wrong(
            f"your engine measures {space!r} and holds {size} records: cosine, 200 or more."
        )
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
        "Between the highest of the unanswered and the lowest of the answered lies your line. No "
        "room between them? Read the texts that come: which question only sounds answered?",
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
        if {*answered} & {*rejected}:
            raise Wrong("one question stands in both lists. Is it answered, or not?")
        ids, vectors = looked_at(engine, encode)
        questions = answered + rejected
        scores = encode(questions, MODEL) @ vectors.T
        chance, best = np.percentile(scores, 95), dict(zip(questions, scores.max(1), strict=True))
        record = {q: ids[row] for q, row in zip(questions, scores.argmax(1), strict=True)}
        low, high = min(answered, key=best.get), max(rejected, key=best.get)
        line = f"your threshold is {threshold:g}"
        if threshold <= chance:
            raise Wrong(f"{line}, and one in twenty of all pairs reaches {chance:.3f} by chance.")
        if max(best[q] for q in answered) < threshold <= min(best[q] for q in rejected):
            raise Wrong("only what should be rejected is answered. Are the two lists swapped?")
        if best[low] < threshold - 1e-6:
            seen = f"its best record is {record[low]!r} with {best[low]:.4f}"
            raise Wrong(f"“{low}” should be answered: {seen}, and {line}.")
        if best[high] >= threshold - 1e-6:
            seen = f"{record[high]!r} has {best[high]:.4f}, and {line}"
            raise Wrong(f"“{high}” should be rejected, but {seen}. Is that record an answer?")
        return (
            f"right: your line at {threshold:.2f} parts them. The closest calls are “{low}” with "
            f"{best[low]:.2f} and “{high}” with {best[high]:.2f}; chance reaches {chance:.2f}. "
            f"{len(best)} questions chose this line, so try it on {len(best)} others."
        )
