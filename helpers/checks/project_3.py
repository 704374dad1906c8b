"""The checks of project 3, a search engine with a memory."""

from __future__ import annotations

import operator
import uuid
import weakref
from contextlib import suppress
from datetime import date
from itertools import groupby

import numpy as np

from helpers.checks.frame import exercise
from helpers.checks.lesson_05 import (
    Above,
    Hidden,
    as_number,
    cosines,
    hidden_collection,
    kept,
    pairs_of_text,
    products,
    records_of,
)
from helpers.checks.reading import Wrong, describe, mapping, number, texts

MODEL = "all-MiniLM-L6-v2"
ADA, BEN, CLEO = AUTHORS = ("Ada Moss", "Ben Frost", "Cleo Hart")
FACTS = ("category", "author", "date")
#: Words of an error of Chroma's, and what it means.
MEANINGS = {
    "already exists": "A notebook is run more than once: delete what is listed, then create.",
    "does not exist": "The first time there is nothing to delete. Is it in `list_collections()`?",
    "which is a date": "Chroma has no dates: 15 January 2024 is stored as 20240115.",
    "to be an int or a float": "Chroma compares numbers only: 15 January 2024 is 20240115.",
    "got None": "What is not asked must be left out of the filter.",
    "one operator": "A dictionary holds one condition; several stand in a list under `$and`.",
    "at least two where": "`$and` joins two conditions or more. One stands alone; none is None.",
}


def explained(answer, *arguments):
    """Return what `answer` returns, and say what an error of Chroma's means."""
    try:
        return answer(*arguments)
    except Wrong as wrong:
        meaning = next((says for words, says in MEANINGS.items() if words in str(wrong)), "")
        raise Wrong(f"{wrong}\n{meaning}".rstrip()) from None


# P3.1


class Client:
    """A client of ours with a database of its own, so that what an answer deletes is nobody's. It
    is made in Chroma when an answer first asks it for anything: references read `there` alone,
    which maps the name of each collection to its space and its records.
    """

    def __init__(self, there):
        self.there = there
        self.given = []  # the collections that an answer was given
        self._real = None

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        self._real = self._real or self._made()
        act = getattr(self._real, name)
        return self._watching(act) if "_collection" in name else act

    def _made(self):
        from chromadb import AdminClient

        from helpers.store import connect

        real, name = connect(), f"check-{uuid.uuid4().hex}"
        admin = AdminClient(real.get_settings())
        admin.create_database(name)
        weakref.finalize(self, admin.delete_database, name).atexit = False
        real.set_database(name)
        for title, (space, records) in self.there.items():
            settings = {"hnsw": {"space": space}}
            old = real.create_collection(title, configuration=settings, embedding_function=None)
            for key, (text, facts, vector) in records.items():
                old.add(key, vector, facts, text)
        return real

    def _watching(self, act):
        def watching(*arguments, **named):
            result = act(*arguments, **named)
            several = result if isinstance(result, list) else [result]
            found = [Hidden({}, real) for real in several if hasattr(real, "add")]
            self.given += found
            return found if isinstance(result, list) else found[0] if found else result

        return watching


def before(client, name):
    """Return the records that a collection held at first."""
    return client.there.get(name, ("", {}))[1]


def rows(records, vectors, day=as_number, **changed):
    """Return what a collection should hold of the records."""
    facts = [{key: r[key] for key in FACTS} | {"date": day(r["date"])} for r in records]
    columns = zip(records, facts, np.asarray(vectors).tolist(), strict=False)
    return {r["id"]: (changed.get("text", r["text"]), f, vector) for r, f, vector in columns}


def check_collection(client, name, collection, batch_size):
    """Raise `Wrong` where a collection, or what became of the others, is not as the task asks."""
    gone = client.there.keys() - {found.name for found in client.list_collections()} - {name}
    if gone:
        raise Wrong(f"you delete another collection, {gone.pop()!r}. Others may need it.")
    if collection.name != name:
        raise Wrong(f"you return the collection {collection.name!r}; {name!r} was asked for.")
    configuration = collection.configuration_json
    space, function = configuration["hnsw"]["space"], configuration.get("embedding_function") or {}
    if space != "cosine":
        kept_space = "`get_or_create_collection` keeps the old space, and says nothing."
        chosen = "Chroma chooses squared Euclidean distance unless you ask for another space."
        why = kept_space if name in client.there else chosen
        raise Wrong(f"your collection measures {space!r}, not cosine. {why}")
    if function.get("type") == "known":
        raise Wrong(
            f"your collection has the embedding function {function.get('name')!r}: a text without a "
            "vector would get one of another model. Create it with `embedding_function=None`."
        )
    most = max((h.largest[m] for h in client.given for m in ("add", "upsert", "update")), default=0)
    if most > batch_size:
        raise Wrong(f"you add {most} records in one call; `batch_size` is {batch_size}.")
    for title, (_, metadata, _) in records_of(collection).items():
        if set(metadata or {}) != set(FACTS):
            has = describe(sorted(metadata or {}))
            raise Wrong(f"the metadata of {title!r} has the keys {has}, not {list(FACTS)}.")


@exercise(
    "P3.1",
    level=3,
    title="Fill it, and fill it again",
    names=["build"],
    hints=[
        "Run the cell twice in your head. What is in the store when the second run begins?",
        "Three steps: if a collection of that name is listed, delete it; create it with the space "
        "cosine and without an embedding function; add the records, a slice at a time.",
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
        return Hidden(rows(records, vectors))

    def cases():
        def given(letters, text="new", x=1.0):
            cycle = [("food", ADA, date(2024, 1, 5)), ("travel", BEN, date(2023, 11, 20))] * 3
            records = [
                {"id": letter, "text": text, **dict(zip(FACTS, facts, strict=True))}
                for letter, facts in zip(letters, cycle, strict=False)
            ]
            return records, np.array([[x, 0.5 + n] for n in range(len(letters))])

        old, other = rows(*given("ab", "old", 0.0)), {"other": ("cosine", {})}
        yield {}, "engine", *given("a"), 2
        yield {"engine": ("cosine", old)}, "engine", *given("a"), 2
        yield other, "engine", *given("abc"), 2
        for letters, batch_size in (("ab", 2), ("cd", 1), ("bcdef", 3)):
            yield {"engine": ("cosine", old), **other}, "engine", *given(letters), batch_size
        yield {"engine": ("l2", old)}, "engine", *given("abcd"), 4

    def make(client, name, records, vectors, batch_size):
        return Client(client), name, records, vectors, batch_size

    def play(answer, client, name, records, vectors, batch_size):
        found = explained(answer, client, name, records, vectors, batch_size)
        if found is None:
            return None
        if not isinstance(found, Hidden):
            raise Wrong(f"you return {describe(found)}; return the collection that `client` makes.")
        if found._real is not None:
            check_collection(client, name, found, batch_size)
        return records_of(found)

    mistakes = """
        Hidden(rows(records, vectors) | before(client, name))
            `add` keeps what is there under an id, and says nothing. Delete the collection first.
        Hidden(before(client, name) | rows(records, vectors))
            what is gone from the list is still there. Delete the collection first.
        Hidden(before(client, name) or rows(records, vectors))
            an old collection is left as it was. Delete it first.
        Hidden(rows(records[: len(records) // batch_size * batch_size], vectors))
            a last batch that is not full is missing.
        Hidden(rows(records[:batch_size], vectors))
            only the first batch is there. Does `return` stand inside the loop?
        Hidden(rows(records, [vectors[i % batch_size] for i in range(len(vectors))]))
            every batch gets the vectors of the first. Cut them as you cut the records.
        Hidden(rows(records, vectors / np.linalg.norm(vectors, axis=1, keepdims=True)))
            you normalise the vectors. Store them as they are given.
        Hidden(rows(records, vectors, text=None))
            your records have no text: `add` takes it as `documents`.
        Hidden(rows([r | {"id": str(i)} for i, r in enumerate(records)], vectors))
            your ids are numbers that you count. Each record has its own.
        Hidden(dict([*rows(records, vectors).items()][-1:]))
            records with one text have become one. Is a text a key of a dictionary?
        Hidden(rows(records, vectors, str))
        Hidden(rows(records, vectors, lambda day: f"{day:%Y%m%d}"))
            you store the date as a text. Chroma compares numbers only: 20240115.
        Hidden(rows(records, vectors, lambda day: day.toordinal()))
        Hidden(rows(records, vectors, lambda day: int(f"{day:%d%m%Y}")))
        Hidden(rows(records, vectors, lambda day: int(f"{day.year}{day.month}{day.day}")))
            your number for a day is another one: year, month with two digits, day with two digits.
    """


# P3.2 and P3.3

SINCE, EAST = date(2023, 7, 14), np.array([3.0, -0.4])
DAYS = (20230714, 20230713, 20240229, 20211231)
#: How many records, and which category, author and since are asked.
ASKED = (
    (7, None, None, None),
    (7, "travel", None, None),
    (7, None, BEN, None),
    (7, None, None, SINCE),
    (7, "travel", BEN, SINCE),
    (7, "songs", None, None),
    (36, "food", None, SINCE),
    (36, None, CLEO, SINCE),
    (36, "arts", BEN, SINCE),
    (36, "travel", CLEO, None),
    (36, "food", None, None),
    (36, None, None, None),
    (17, "arts", BEN, date(2024, 1, 1)),
    (18, "arts", BEN, date(2024, 2, 29)),
)


def passing(collection, category=None, author=None, since=None, late=operator.ge, joined=all):
    """Return a collection of ours of the records that pass."""
    wanted = [("category", category), ("author", author), ("date", since and as_number(since))]

    def passes(facts):
        found = [
            late(facts[key], value) if key == "date" else facts[key] == value
            for key, value in wanted
            if value is not None
        ]
        return not found or joined(found)

    return Hidden({name: row for name, row in collection.records.items() if passes(row[1])})


def every(collection, vector, *asked):
    """Return (id, cosine) of all records that pass, best first."""
    return cosines(passing(collection, *asked), vector)


def dotted(collection, vector, *asked):
    """Return (id, dot product) of all records that pass, best first."""
    return products(passing(collection, *asked), vector)


def after(collection, vector, most, *asked):
    """Return those of the best of all records that pass."""
    best = cosines(collection, vector)[:most]
    return [pair for pair in best if pair[0] in passing(collection, *asked).records]


def circle(size, turns=1.0):
    """Return records by id: category, author, date and vector, of which no two have one direction
    where `turns` is 1."""
    return {
        f"r{i}": (
            ("food", "travel", "arts")[i % 3],
            AUTHORS[i // 2 % 3],
            DAYS[i // 3 % 4],
            [(1 + i % 3) * f(2 * np.pi * turns * i / size) for f in (np.cos, np.sin)],
        )
        for i in range(size)
    }


def opened(collection, *arguments):
    """Return a hidden collection of such records, and the other arguments."""
    facts = [dict(zip(FACTS, row, strict=False)) for row in collection.values()]
    return hidden_collection({n: row[3] for n, row in collection.items()}, (), facts), *arguments


def searched(answer, collection, *arguments):
    """Return what `answer` finds, equal similarities by id; it must not change the collection."""
    found = explained(answer, collection, *arguments)
    if records_of(collection).keys() != collection.records.keys():
        raise Wrong("your function changes the collection. A search only reads.")
    with suppress(Exception):  # what is no list of pairs stays as it is
        groups = groupby(found, lambda pair: round(float(pair[1]), 6))
        return [pair for _, group in groups for pair in sorted(group, key=lambda pair: pair[0])]
    return found


def without_filters(spec, answer, limit):
    """Raise `Wrong` where filters that are left out are not as None."""
    collection, *_ = opened(circle(7))
    for named in ({}, {"category": "food"}, {"author": BEN}, {"since": SINCE}):
        found = spec.reads(answer(collection, EAST, limit, **named))
        if not spec.agrees(found, spec.reference(collection, EAST, limit, **named), collection):
            asked = ", ".join(f"{name}={value!r}" for name, value in named.items()) or "no filter"
            raise Wrong(f"with {asked} you find something else than with None for the others.")


#: Mistakes with a filter, for the mistakes of a class, indented as they are there.
FILTERS = """
        reference(collection, vector, LIMIT)
            nothing is filtered: category, author and date have no effect.
        reference(collection, vector, LIMIT, None, author, since)
            `category` has no effect.
        reference(collection, vector, LIMIT, category, None, since)
            `author` has no effect.
        reference(collection, vector, LIMIT, category, author)
            `since` has no effect.
        reference(collection, vector, LIMIT, author, category, since)
            `category` and `author` are swapped.
        [] if category else reference(collection, vector, LIMIT, category, author, since)
            nothing comes where `category` is asked. Is it compared with the value itself?
        [] if author else reference(collection, vector, LIMIT, category, author, since)
            nothing comes where `author` is asked. Is it compared with the value itself?
        reference(passing(collection, None, None, since, operator.gt), vector, LIMIT, category, author)
            records of the day `since` itself are missing. It belongs to the range: `$gte`, not `$gt`.
        reference(passing(collection, None, None, since, operator.le), vector, LIMIT, category, author)
            you return what is older than `since`: `$gte` asks for that day and later ones.
        reference(passing(collection, category, author, since, joined=any), vector, LIMIT)
            you join the conditions by `$or`: one of them suffices. All must hold: `$and`.
        reference(passing(collection, category, author, since, joined=lambda f: f[0]), vector, LIMIT)
            of several conditions only the first is used. Do you return before the others?
        reference(passing(collection, category, author, since, joined=lambda f: f[-1]), vector, LIMIT)
            of several conditions only the last is used. Does each overwrite the one before it?
    """
MEASURES = "Divide by both norms, or let Chroma measure."


@exercise(
    "P3.2",
    level=3,
    title="In this category, since that day",
    names=["search"],
    hints=[
        "How many conditions are there, and what does Chroma want for none, one, and more? Practice "
        "05 has an exercise on it.",
        "Collect the conditions in a list; `where` is None, the one condition, or `$and` of all. It "
        "goes into `collection.query`, so that it acts before the cut.",
        "`found = collection.query(query_embeddings=[vector], n_results=k, where=where)`; take entry "
        '[0] of `found["ids"]` and `found["distances"]`, and return pairs (id, 1 - distance).',
    ],
    seconds=40,
)
class Search:
    """Every combination of the filters; fewer than k, none, and ties."""

    reads, agrees, play = pairs_of_text, Above.spec.agrees, searched

    def praise(answer):
        without_filters(Search.spec, answer, 3)
        return "right: filtered before the cut, similarities, and fewer than k where no more pass."

    def reference(collection, vector, k, category=None, author=None, since=None):
        return every(collection, vector, category, author, since)[:k]

    def cases():
        limits = (2, 1, 1, 3, 2, 9, 4, 5, 3, 3, 30, 12, 1, 1)
        for (size, *asked), k in zip(ASKED, limits, strict=True):
            yield circle(size), EAST, k, *asked
        yield circle(6, 0), EAST, 9, None, None, None
        yield circle(6, 0), EAST, 9, None, BEN, None

    def make(collection, vector, k, category, author, since):
        return opened(collection, vector, k, category, author, since)

    mistakes = f"""
        after(collection, vector, k, category, author, since)
            you filter after the search: of the best k only those that pass are left. Give the filter
            to Chroma, in `where`.
        after(collection, vector, 10 * k, category, author, since)[:k]
            you fetch some more and filter afterwards. That does not do for every filter: `where`.
        [(name, 1 - s) for name, s in reference(collection, vector, k, category, author, since)]
        [(name, s - 1) for name, s in reference(collection, vector, k, category, author, since)]
            the second of each pair is Chroma's distance, or minus it. The similarity is 1 minus it.
        [(name, (1 + s) / 2) for name, s in reference(collection, vector, k, category, author, since)]
        [(name, 1 / (2 - s)) for name, s in reference(collection, vector, k, category, author, since)]
            you make another similarity of the distance. This collection's is 1 - distance.
        dotted(collection, vector, category, author, since)[:k]
            these are dot products. {MEASURES}
        dotted(collection, vector / np.linalg.norm(vector), category, author, since)[:k]
            you divide by the norm of the query only. {MEASURES}
        reference(collection, vector, 10, category, author, since)
            you return 10 records whatever k is: that is Chroma's own `n_results`.
    """ + FILTERS.replace("LIMIT", "k")


@exercise(
    "P3.3",
    level=3,
    title="Above the line, or not at all",
    names=["above"],
    hints=[
        "It is `search` once more, but nobody says how many. How many results must you ask for, so "
        "that none is missed?",
        "`collection.count()` is the largest number that there can be. Of what comes, keep what is "
        "at or above the line.",
        "With `search` as you wrote it: `[pair for pair in search(collection, vector, "
        "collection.count(), category, author, since) if pair[1] >= threshold]`.",
    ],
    seconds=40,
)
class Line:
    """Many above, none above, exactly at the line, a threshold of 0, ties, with filters."""

    reads, agrees, play = pairs_of_text, Above.spec.agrees, searched

    def praise(answer):
        without_filters(Line.spec, answer, 0.3)
        found = len(answer(opened(circle(1_040))[0], EAST, -1.0))
        if found < 1_040:
            raise Wrong(f"of 1,040 records that reach the threshold you return {found:,}.")
        return "right: everything above the line, nothing below it, filters or not."

    def reference(collection, vector, threshold, category=None, author=None, since=None):
        return kept(every(collection, vector, category, author, since), threshold)

    def cases():
        cross = {
            f"r{i}": ("food", ADA, DAYS[i % 2], row) for i, row in enumerate(np.eye(4).tolist())
        }
        halves = {"near": ("food", ADA, DAYS[0], [0.5] * 4), **cross}
        for vector in ([2.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.5, 0.0]):
            yield halves, np.array(vector), 0.5, None, None, None
        yield cross, np.array([0.0, 3.0, 0.0, 0.0]), 0.0, None, None, SINCE
        lines = (0.0, 0.2, -0.3, -1.0, -0.9, 0.1, -0.4, -0.7, -0.9, 0.3, 0.0, -0.75, 0.9, -1.0)
        for (size, *asked), threshold in zip(ASKED, lines, strict=True):
            yield circle(size), EAST, threshold, *asked
        yield circle(50), EAST, -0.5, None, None, SINCE
        yield circle(6, 0), EAST, 0.5, None, None, None
        yield circle(6, 0), EAST, 0.5, None, BEN, None

    def make(collection, vector, threshold, category, author, since):
        return opened(collection, vector, threshold, category, author, since)

    mistakes = f"""
        reference(collection, vector, threshold, category, author, since)[:10]
            you return 10 records at most: `n_results` is 10 unless you say otherwise.
        kept(after(collection, vector, 10, category, author, since), threshold)
            of the best ten of all records you keep what passes. Give the filter to Chroma.
        reference(collection, vector, threshold + 1e-6, category, author, since)
            a record whose similarity *is* the threshold is missing: `>=`, not `>`.
        reference(collection, vector, threshold or 0.5, category, author, since)
        reference(collection, vector, threshold or -9, category, author, since)
            a threshold of 0 is taken for none. `or` and `if threshold` do that.
        reference(collection, vector, max(threshold, 0), category, author, since)
            similarities below 0 are left out, although the threshold allows them.
        every(collection, vector, category, author, since)
            nothing is rejected: you return every record that passes the filters.
        [(n, 1 - s) for n, s in reference(collection, vector, threshold, category, author, since)]
            the records are right, but these are Chroma's distances. The similarity is 1 minus it.
        [(n, 1 - s) for n, s in every(collection, vector, category, author, since) if 1 - s >= threshold]
        [(n, 1 - s) for n, s in every(collection, vector, category, author, since) if 1 - s <= threshold]
        reference(collection, vector, 1 - threshold, category, author, since)
            you compare *distances* with the threshold, which is one for similarities.
        [p for p in every(collection, vector, category, author, since) if p[1] < threshold - 1e-7]
            you return what is *below* the threshold, and reject the rest.
        (lambda all: kept(all, threshold) or all[:1])(every(collection, vector, category, author, since))
            where nothing reaches the threshold you return the best all the same. The list is empty then.
        (lambda all: all if kept(all, threshold) else [])(every(collection, vector, category, author, since))
            as soon as the best reaches the threshold you return all. Each record has to reach it.
        kept(dotted(collection, vector, category, author, since), threshold)
            these are dot products. {MEASURES}
        kept(dotted(collection, vector / np.linalg.norm(vector), category, author, since), threshold)
            you divide by the norm of the query only. {MEASURES}
        list(dict((s, (n, s)) for n, s in kept(every(collection, vector, category, author, since), threshold)).values())
            of equal similarities only one is left. Is a similarity a key of a dictionary?
    """ + FILTERS.replace("LIMIT", "threshold")


# P3.4


def given_line(judgement):
    """Return threshold, answered and rejected questions; raise `Wrong` where they cannot be meant."""
    given = mapping(judgement, "`judgement`")
    missing = [k for k in ("threshold", "answered", "rejected") if given.get(k) in (None, ...)]
    if missing:
        raise Wrong(f"`judgement` has no {missing[0]!r} yet. It has {describe(list(given))}.")
    threshold = number(given["threshold"], 'judgement["threshold"]')
    if not -1 <= threshold <= 1:
        raise Wrong(f"your threshold is {threshold:g}; cosines go from -1 to 1. Per cent, perhaps?")
    answered, rejected = ask = [texts(given[key], key) for key in ("answered", "rejected")]
    bare = [[" ".join(q.casefold().rstrip("?!. ").split()) for q in questions] for questions in ask]
    for key, questions in zip(("answered", "rejected"), bare, strict=True):
        if not all(questions) or len(set(questions)) < len(questions):
            raise Wrong(f"judgement[{key!r}] has a question twice, or an empty one.")
        if len(questions) < 3:
            raise Wrong(f"judgement[{key!r}] has {len(questions)} questions; the task asks for 3.")
    both = set(bare[0]) & set(bare[1])
    if both:
        raise Wrong(f"{both.pop()!r} stands in both lists. Is it answered, or not?")
    return threshold, answered, rejected


def looked_at(engine, encode):
    """Return ids and unit vectors of an engine; raise `Wrong` where it is not made as asked."""
    if not (hasattr(engine, "get") and hasattr(engine, "configuration_json")):
        raise Wrong(f"`engine` is {describe(engine)}; it is the collection that `build` returns.")
    if engine.count() < 200:
        raise Wrong(f"your engine holds {engine.count()} records; the task asks for 200 or more.")
    space = engine.configuration_json["hnsw"]["space"]
    if space != "cosine":
        raise Wrong(f"your engine measures {space!r}, not cosine.")
    got = engine.get(include=["embeddings", "documents", "metadatas"])
    ids, documents, vectors = got["ids"], got["documents"], np.asarray(got["embeddings"], float)
    for name, text, facts in zip(ids, documents, got["metadatas"], strict=True):
        missing = [key for key in FACTS if key not in (facts or {})] + ["text"] * (not text)
        if missing:
            raise Wrong(f"the record {name!r} of your engine has no {missing[0]}.")
        try:
            date.fromisoformat(f"{facts['date']:08d}")
        except (ValueError, TypeError):
            wanted = "`build` makes a number of it, such as 20240115."
            raise Wrong(f"the record {name!r} has the date {facts['date']!r}. {wanted}") from None
    sample = np.linspace(0, len(ids) - 1, 12).astype(int)
    right = encode([documents[row] for row in sample], MODEL)
    if vectors.shape[1] != right.shape[1]:
        size = f"{vectors.shape[1]} numbers, those of {MODEL} have {right.shape[1]}"
        raise Wrong(f"the vectors of your engine have {size}. Was another model used?")
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    for row, vector in zip(sample, right, strict=True):
        if vectors[row] @ vector < 0.98:
            raise Wrong(
                f"the record {ids[row]!r} does not have the vector that {MODEL} gives its text. "
                "Another model, or are texts and vectors out of step?"
            )
    return ids, vectors


@exercise(
    "P3.4",
    level=3,
    title="Your own line",
    names=["engine", "judgement"],
    hints=[
        "Begin with the questions, not with the number: three that your texts answer, three that they "
        "do not. Then look at the best similarity of each.",
        "Somewhere between the highest of the unanswered and the lowest of the answered lies your "
        "line. Is there no room between them? Then read the texts that come: which question is really "
        "answered, and which only sounds like it?",
        "`above(engine, encode([question], MODEL)[0], 0.0)[:1]` shows the best record of a question. "
        "A threshold in the middle of the gap leaves room on both sides.",
    ],
    seconds=90,
)
class OwnLine:
    """The learner's own collection, questions and threshold, measured."""

    def check(engine, judgement):
        from helpers.encoding import encode

        threshold, answered, rejected = given_line(judgement)
        ids, vectors = looked_at(engine, encode)
        questions = answered + rejected
        scores = encode(questions, MODEL) @ vectors.T
        chance, best = np.percentile(scores, 95), dict(zip(questions, scores.max(1), strict=True))
        record = {q: ids[row] for q, row in zip(questions, scores.argmax(1), strict=True)}
        if threshold <= chance:
            raise Wrong(
                f"your threshold, {threshold:g}, is not above the level of chance: one in twenty of "
                f"all pairs of question and record has {chance:.3f} or more, related or not."
            )
        low, high = min(answered, key=best.get), max(rejected, key=best.get)
        if max(best[q] for q in answered) < threshold <= min(best[q] for q in rejected):
            raise Wrong("only what should be rejected is answered. Are the two lists swapped?")
        if best[low] < threshold - 1e-6:
            turned = best[high] < 1 - threshold <= best[low]
            more = f" Is it a distance? The similarity is then {1 - threshold:g}." if turned else ""
            raise Wrong(
                f"“{low}” should be answered, and nothing reaches your threshold of {threshold:g}: "
                f"its best record is {record[low]!r} with {best[low]:.4f}.{more}"
            )
        if best[high] >= threshold - 1e-6:
            raise Wrong(
                f"“{high}” should be rejected, but {record[high]!r} has {best[high]:.4f}, and your "
                f"threshold is {threshold:g}. Read that record: is it an answer after all?"
            )
        return (
            f"right: your line at {threshold:.2f} parts them. The closest calls are “{low}” with "
            f"{best[low]:.2f} and “{high}” with {best[high]:.2f}; chance reaches {chance:.2f}. "
            f"{len(best)} questions chose this line, so try it on {len(best)} others."
        )
