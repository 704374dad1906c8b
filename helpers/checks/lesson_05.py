"""The checks of practice 05, ChromaDB."""

from __future__ import annotations

import functools
import re
import uuid
import weakref
from collections import Counter
from collections.abc import Mapping
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np

from helpers.checks import reading
from helpers.checks.frame import exercise
from helpers.checks.reading import Wrong, array, describe, integers, number, parts, same


class Hidden:
    """A cosine collection of ours, for an answer to work on. It is made in Chroma when it is first
    asked for anything but its `records` (id → text, metadata, list of numbers), so that references
    and mistakes, which work on `records` alone, cost nothing. `real` is an existing one to watch.
    """

    def __init__(self, records: Mapping[str, tuple], real: Any = None) -> None:
        self.records = dict(records)
        self.largest: Counter[str] = Counter()  # method → most records in one call
        self._real = real

    def __repr__(self) -> str:
        return f"a collection of {len(self.records)} records"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        self._real = self._real or self._made()
        found = getattr(self._real, name)
        changes = name in ("add", "update", "upsert", "delete")
        return functools.partial(self._counted, name, found) if changes else found

    def _made(self) -> Any:
        from helpers.store import connect

        client, name = connect(), f"check-{uuid.uuid4().hex}"
        space = {"hnsw": {"space": "cosine", "ef_search": 400}}
        real = client.create_collection(name, embedding_function=None, configuration=space)
        weakref.finalize(self, client.delete_collection, name).atexit = False
        if self.records:
            texts, facts, vectors = map(list, zip(*self.records.values(), strict=True))
            texts, facts = (column if any(column) else None for column in (texts, facts))
            real.add(list(self.records), embeddings=vectors, documents=texts, metadatas=facts)
        return real

    def _counted(self, name: str, act: Any, *arguments: Any, **named: Any) -> Any:
        before = self._real.count()
        result = act(*arguments, **named)
        ids = named.get("ids", arguments[0] if arguments else None)
        size = 1 if isinstance(ids, str) else len(ids) if ids is not None else 0
        self.largest[name] = max(self.largest[name], size, before - self._real.count())
        return result


def hidden_collection(vectors: Mapping, texts: Any = (), metadatas: Any = ()) -> Hidden:
    """Return a fresh collection of `vectors` by id, with texts and metadata in the same order."""
    empty = [None] * len(vectors)
    numbers = [np.asarray(vector, dtype=float).tolist() for vector in vectors.values()]
    rows = zip(texts or empty, metadatas or empty, numbers, strict=True)
    return Hidden(dict(zip(vectors, rows, strict=True)))


def records_of(collection: Any) -> dict[str, tuple]:
    """Return what a collection holds now, ours or any of Chroma's."""
    if isinstance(collection, Hidden) and collection._real is None:
        return collection.records
    got = collection.get(include=["documents", "metadatas", "embeddings"])
    columns = (got["documents"], got["metadatas"], got["embeddings"].tolist())
    return dict(zip(got["ids"], zip(*columns, strict=True), strict=True))


# 5.1

SPACES = ("cosine", "l2", "ip")


def exactly(found, expected):
    """Say whether two results agree as far as float32 can tell."""
    if same(found, expected) and not same(found, expected, 2e-6):
        raise Wrong("what you return is nearly right. Is it rounded? Round where you print.")
    return same(found, expected)


@exercise(
    "5.1",
    level=1,
    title="From distance to similarity",
    names=["similarity"],
    hints=[
        "Above, the same two vectors have three distances and one cosine, 0.6. How is each made 0.6?",
        "Chroma's `l2` is the *squared* distance, for unit vectors 2 - 2 cos: solve for the cosine.",
        '`1 - distance` for "cosine" and "ip", `1 - distance / 2` for "l2", else `raise ValueError`.',
    ],
)
class Similarity:
    """Three spaces, numbers and arrays, and an error for any other space."""

    praise = "right: three spaces, one cosine, and no guess for a fourth."

    def reference(distance, space):
        if space not in SPACES:
            raise ValueError(space)
        return 1 - distance / (2 if space == "l2" else 1)

    def cases():
        for distance in (0.3, 1.6, np.array([0.0217342, 0.37, 1.0, 1.9])):
            yield from ((distance, space) for space in SPACES)
        yield np.array([[0.1, 2.6, 3.5], [0.0, 0.5, 1.2373629]]), "l2"
        yield from ((0.5, "hamming"), (0.4, "L2"))

    def play(answer, distance, space):
        if space in SPACES:
            return answer(distance, space)
        try:
            found = getattr(answer, "function", answer)(distance, space)
        except ValueError:
            return "a ValueError"
        except Exception as error:
            said = f"you raise {type(error).__name__}. The task asks for a ValueError."
            raise Wrong(said) from None
        raise Wrong(f"you return {describe(found)} for no known space. *Raise* a ValueError.")

    def reads(value):
        if isinstance(value, str) and value == "a ValueError":
            return value
        return array(value) if np.ndim(value) else number(value)

    def agrees(found, expected, *case):
        return exactly(found, expected)

    mistakes = """
        1 - distance
            you take 1 - distance in every space. Chroma's `l2` is a squared distance, 2 - 2 cos.
        1 - distance / 2
            you halve the distance in every space. That is right for `l2` only.
        1 - distance**2 / 2 if space == "l2" else reference(distance, space)
        1 - np.sqrt(distance) / 2 if space == "l2" else reference(distance, space)
            Chroma's `l2` is the squared distance: no square, and no root, is needed.
        1 / (1 + distance)
            1 / (1 + d) falls as the distance grows. That is all it has in common with a cosine.
        distance
            this is the distance, unchanged: small for close vectors. A similarity is large for them.
        distance if space == "ip" else reference(distance, space)
            in the space `ip` Chroma returns 1 minus the inner product.
    """


# 5.2

ADA, BEN, CLEO, DOV = AUTHORS = ("Ada Moss", "Ben Frost", "Cleo Hart", "Dov Lind")
KEYS = ("category", "author", "date")
LET_THROUGH: dict[str, list] = {}  # a filter as text → ids: mistakes ask for the same ones


@functools.cache
def library():
    """Return a collection whose ids say what its records are."""
    rows = (
        "food, 0, 20240114; food, 0, 20240115; food, 2, 20240503; food, 1, 20240504; food, 3, 20240108; "
        "arts, 0, 20240115; arts, 1, 20240201; arts, 2, 20231130; arts, 3, 20240503; arts, 0, 20240110; "
        "Harbour, 3, 20240109; Harbour, 0, 20250101; Harbour, 2, 20240116; Harbour, 1, 20241202"
    )
    split = [row.split(", ") for row in rows.split("; ")]
    metadatas = [{"category": c, "author": AUTHORS[int(a)], "date": int(d)} for c, a, d in split]
    names = [", ".join(map(str, metadata.values())) for metadata in metadatas]
    return hidden_collection({name: [1.0, 0.0] for name in names}, metadatas=metadatas)


def as_number(day):
    return int(f"{day:%Y%m%d}")


def where(asked, low="$gte", high="$lte", day=as_number, by="$and", most=4):
    """Return a filter for what is asked: category, authors, since, until."""
    category, authors, since, until = asked
    found = [
        *([{"category": category}] if category is not None else []),
        *([{"author": {"$in": list(authors)}}] if authors is not None else []),
        *([{"date": {low: day(since)}}] if since is not None else []),
        *([{"date": {high: day(until)}}] if until is not None else []),
    ][:most]
    return {by: found} if len(found) > 1 else found[0] if found else None


@exercise(
    "5.2",
    level=2,
    title="A filter that means what it says",
    names=["build_where"],
    hints=[
        "With no condition, one, and two or more, the result has three different forms.",
        "Make a list of conditions, each a dictionary with one key, and join them at the end.",
        '`{"author": {"$in": authors}}`, `{"date": {"$gte": int(since.strftime("%Y%m%d"))}}` and so '
        'on. One: return it. More: `{"$and": conditions}`. None at all: None.',
    ],
    seconds=40,
)
class BuildWhere:
    """What the filter lets through in a hidden collection counts, not how it is written."""

    praise = "right: your filters let through what they say, in every combination."

    def reference(category=None, authors=None, since=None, until=None):
        return where((category, authors, since, until))

    def cases():
        early, middle, late = date(2024, 1, 9), date(2024, 1, 15), date(2024, 5, 3)
        yield "food", None, None, None
        yield "Harbour", None, None, None
        yield None, [CLEO], None, None
        yield None, [DOV, ADA], None, None
        yield None, None, middle, None
        yield None, None, date(2023, 11, 30), None
        yield None, None, None, late
        yield None, None, early, early
        yield None, None, middle, late
        yield "food", None, None, late
        yield "arts", [DOV, ADA], None, None
        yield None, [CLEO], middle, None
        yield "arts", None, middle, late
        yield "Harbour", None, middle, None
        yield "food", [ADA, BEN, CLEO], middle, late
        yield "arts", [CLEO, DOV, ADA], early, late
        yield None, None, None, None

    def play(answer, *asked):
        found = answer(*asked)
        if found is None:
            return None
        if not isinstance(found, dict):
            raise Wrong(f"you return {describe(found)}; a filter is a dictionary.")
        if not found:
            raise Wrong("you return {}. Chroma refuses an empty filter; for no filter return None.")
        strange = [key for key in re.findall(r"'(\w+)': ", repr(found)) if key not in KEYS]
        if strange:
            known = (
                "No record has it: the keys are category, author and date; operators have a `$`."
            )
            raise Wrong(f"your filter asks for the key {strange[0]!r}. {known}")
        try:
            if repr(found) not in LET_THROUGH:
                LET_THROUGH[repr(found)] = sorted(library().get(where=found, include=[])["ids"])
            return LET_THROUGH[repr(found)]
        except Exception as error:
            said = str(error).splitlines()[0]
            raise Wrong(f"Chroma refuses your filter `{found}`: {said}") from None

    mistakes = """
        where((category, authors, since, until), low="$gt")
        where((category, authors, since, until), high="$lt")
            your range leaves out a day that belongs to it: `$gte` and `$lte`, not `$gt` and `$lt`.
        where((category, authors, since, until), by="$or")
            you join the conditions by `$or`: one of them suffices. All must hold: `$and`.
        where((category, authors, since, until), most=1)
            of several conditions only the first is used. Do you return before the others?
        where((category, authors, since if until is None else None, until))
        where((category, authors, since, until if since is None else None))
            with both dates, one is lost. (An `elif`, or one key twice?) Make two conditions of them.
        where((category, authors, since, until and date.fromordinal(until.toordinal() + 1)))
        where((category, authors, since and date.fromordinal(since.toordinal() - 1), until))
            your range is a day too long. It ends with `until`, and begins with `since`.
        where((category, authors and authors[:1], since, until))
            only one of several authors is let through. `$in` takes the whole list.
        where((category, authors, since, until), day=lambda d: int(f"{d.year}{d.month}{d.day}"))
        where((category, authors, since, until), day=lambda d: int(f"{d:%d%m%Y}"))
        where((category, authors, since, until), day=lambda d: 100 * int(f"{d:%Y%m}"))
            a number for a day is its year, month and day, with zeros: `strftime("%Y%m%d")`.
    """


# 5.3


def filtered(scores, allowed, k, **instead):
    """Return before, after and fetch, but for what a function of (ranking, fetch) gives instead."""
    ranking = np.argsort(-scores)
    inside = ranking[allowed[ranking]]
    fetch = list(ranking).index(inside[:k][-1]) + 1 if len(inside) else 0
    after = [row for row in ranking[:k] if allowed[row]]
    found = {"before": inside[:k], "after": after, "fetch": fetch}
    return tuple((found | {key: make(ranking, fetch) for key, make in instead.items()}).values())


@exercise(
    "5.3",
    level=2,
    title="Before the cut, or after?",
    names=["before_and_after"],
    hints=[
        "`ranking = np.argsort(-scores)` has all rows, best first. What does `allowed[ranking]` say?",
        "`before` filters the ranking, then cuts; `after` cuts it, then filters: the same two steps.",
        "With `passing = allowed[ranking]`: `ranking[passing][:k]`, `ranking[:k][passing[:k]]`, and "
        "the place of the last row of `before` in the ranking, plus 1 (0 if there is none).",
    ],
)
class BeforeAndAfter:
    """Negative scores, few or no allowed rows, k beyond all."""

    reads = parts(integers, integers, number)
    praise = "right: you can say what a filter after the cut loses, and what it costs to mend it."

    def reference(scores, allowed, k):
        return filtered(scores, allowed, k)

    def cases():
        for scores, rows, k in (
            ([0.2, 0.9, 0.4, 0.6], [0, 2], 1),
            ([0.2, 0.9, 0.4, 0.6], [1, 2, 3], 2),
            ([-0.3, 0.5, -0.2, 0.1, -0.4], [0, 2, 4], 2),
            ([0.3, -0.2, 0.5, 0.1], [0, 1], 3),
            ([0.1, 0.7, 0.4], [], 2),
            ([0.2, 0.8, -0.5, 0.1, 0.6], [1, 4], 4),
            ([0.3, -0.2, 0.5, 0.1], [3, 0, 1], 10),
            ([0.7, -0.6, 0.2, -0.9, 0.5, 0.4, -0.1, 0.3], [7, 1, 2, 3, 6], 3),
            ([0.6, 0.1], [], 1),
        ):
            yield np.array(scores), np.isin(np.arange(len(scores)), rows), k

    mistakes = """
        filtered(scores, allowed, k, before=lambda *_: reference(scores, allowed, k)[1])
            `before` is filtered after the cut, like `after`.
        filtered(scores, allowed, k, before=lambda *_: np.argsort(-scores[allowed])[:k])
            your row numbers count among the allowed rows only: `scores[allowed]` is a shorter array.
        filtered(scores, allowed, k, before=lambda *_: np.argsort(-scores * allowed)[:k])
            you multiply by `allowed`: what is not allowed gets 0, better than a negative score.
        filtered(scores, allowed, k, before=lambda r, _: r[allowed][:k])
        filtered(scores, allowed, k, after=lambda r, _: r[:k][allowed[:k]])
            `allowed` goes by rows, the ranking by scores: `allowed[ranking]` brings them together.
        filtered(scores, allowed, k, before=lambda *_: np.argsort(np.where(allowed, -scores, 9))[:k])
            where fewer than k rows are allowed you fill `before` with others.
        filtered(scores, allowed, k, before=lambda r, _: r[allowed[r]])
            `before` is not cut: it holds every allowed row, not the best k.
        filtered(np.abs(scores), allowed, k)
            you rank by the absolute values. A similarity of -0.9 is very far away.
        tuple(reference(scores, allowed, k)[part] for part in (1, 0, 2))
            `before` and `after` are swapped.
        filtered(scores, allowed, k, after=lambda *_: reference(scores, allowed, k)[0])
            `after` is filtered before the cut, like `before`. Cut first.
        filtered(scores, allowed, k, fetch=lambda _, f: max(f - 1, 0))
            `fetch` is one too small: a place counts from 0, a number of results from 1.
        filtered(scores, allowed, k, fetch=lambda _, f: max(f, k))
        filtered(scores, allowed, k, fetch=lambda r, f: len(r))
            you fetch more than you need. The last row of `before` suffices.
        filtered(scores, allowed, k, fetch=lambda _, f: f - min(k, allowed.sum()))
        filtered(scores, allowed, k, fetch=lambda _, f: int(allowed.sum()))
            how far down is the last of `before`? All rows to there are fetched, allowed or not.
    """


# 5.4


def products(collection, vector, norms=False):
    """Return all (id, dot product) of a hidden collection, best first."""
    if not collection.records:
        return []
    rows = np.array([row[2] for row in collection.records.values()])
    values = rows @ vector / (np.linalg.norm(rows, axis=1) * np.linalg.norm(vector) if norms else 1)
    names = list(collection.records)
    return [(names[i], float(values[i])) for i in np.argsort(-values, kind="stable")]


def cosines(collection, vector):
    return products(collection, vector, norms=True)


def kept(found, threshold, similar=lambda s: s, shown=lambda s: s):
    """Return the pairs whose similarity reaches the threshold, as shown."""
    return [(name, float(shown(s))) for name, s in found if similar(s) >= threshold - 1e-7]


def pairs_of_text(value):
    """Return pairs (id, similarity)."""
    found = reading.pairs(value)
    for pair in found:
        if not isinstance(pair[0], str):
            raise Wrong(f"what you return holds {describe(pair)}: the id comes first, a text.")
    return found


@exercise(
    "5.4",
    level=2,
    title="Nothing above the line",
    names=["above"],
    hints=[
        "Chroma asks for a number of results. How many must you ask for, so that none is missed?",
        "`collection.count()` is the most that there can be. And what of an empty collection?",
        "Return [] when `count()` is 0. Else query with `n_results=collection.count()`, take entry "
        "[0] of ids and distances, and keep (id, 1 - distance) where that reaches the threshold.",
    ],
    seconds=40,
)
class Above:
    """More than ten and a thousand above, none, exactly at the line, a threshold of 0, empty."""

    praise = "right: all that is similar enough, and nothing else, be it a thousand or none."

    def reference(collection, vector, threshold):
        return kept(cosines(collection, vector), threshold)

    def cases():
        east = np.array([2.0, 0.0])
        few = {"a": [3.0, 4], "b": [2.0, 0], "c": [0.0, 1], "d": [-3.0, 4]}
        for threshold in (0.7, 0.6, 0.0, -0.8):
            yield few, east, threshold
        wide = {"a": [1.0, 1, 1, 1], "b": [3.0, 0, 0, 0], "c": [0.0, 2, 0, 0], "d": [-2.0, 2, 2, 2]}
        yield wide, np.array([2.0, 0, 0, 0]), 0.5
        yield wide, np.array([-1.0, 0, 0, 0]), 0.5
        yield {**few, "e": [6.0, 8], "f": [0.3, 0.4]}, east, 0.5
        yield {"a": [0.0, 3], "b": [-1.0, 1], "c": [0.0, -2.0]}, east, 0.0
        yield {"a": [0.0, 3], "b": [-1.0, 1], "c": [-2.0, 1]}, east, 0.1
        yield few, np.array([-3.0, -1.0]), 0.9
        yield few, np.array([0.6, 0.2]), -1.0
        yield {}, east, 0.5
        many = [(f"r{i}", np.exp(2j * np.pi * i / 1_039) * (1 + i % 3)) for i in range(1_040)]
        for step, x, threshold in ((37, 1.0, -0.415), (19, -1.0, -0.125), (1, 1.0, -0.995)):
            some = {name: [point.real, point.imag] for name, point in many[step > 19 :: step]}
            yield some, np.array([x, 0.3]), threshold

    def make(collection, vector, threshold):
        return hidden_collection(collection), vector, threshold

    def play(answer, collection, vector, threshold):
        found = answer(collection, vector, threshold)
        if records_of(collection).keys() != collection.records.keys():
            raise Wrong("your function changes the collection. A search only reads.")
        return found

    reads = pairs_of_text

    def agrees(found, expected, collection, *asked):
        in_order = all(one[1] >= other[1] - 1e-6 for one, other in pairwise(found))
        return in_order and len(found) == len(expected) and exactly(dict(found), dict(expected))

    mistakes = """
        reference(collection, vector, threshold)[:10]
            you return 10 records at most: `n_results` is 10 unless you say otherwise.
        reference(collection, vector, threshold + 1e-6)
            a record whose similarity *is* the threshold is missing: `>=`, not `>`.
        reference(collection, vector, threshold or 0.5)
            a threshold of 0 is taken for none. `or` and `if threshold` do that.
        kept(cosines(collection, vector), threshold, shown=lambda s: 1 - s)
            the records are right, but these are Chroma's distances. The similarity is 1 minus it.
        kept(cosines(collection, vector), threshold, lambda s: 1 - s, lambda s: 1 - s)
        kept(cosines(collection, vector), -threshold, lambda s: s - 1, lambda s: 1 - s)
        kept(cosines(collection, vector), -threshold, lambda s: s - 1)
            you compare *distances* with the threshold, which is one for similarities.
        cosines(collection, vector)
            nothing is rejected: you return every record, whatever its similarity.
        kept(cosines(collection, vector), threshold, lambda s: (1 + s) / 2, lambda s: (1 + s) / 2)
            you halve the distance. This collection measures cosine: 1 - distance.
        kept(products(collection, vector), threshold)
        kept(products(collection, vector / np.linalg.norm(vector)), threshold)
            your products are not divided by both norms. Do that, or let Chroma measure.
        kept(cosines(collection, vector), threshold, abs, abs)
        kept(cosines(collection, vector), threshold, lambda s: max(s, 0), lambda s: max(s, 0))
        kept(cosines(collection, vector), threshold, shown=lambda s: max(s, 0))
            similarities below 0 are cut off, or lose their sign. Cosines can be negative.
        reference(collection, vector, threshold) or cosines(collection, vector)[:1]
            where nothing reaches the threshold you return the best all the same.
        cosines(collection, vector)[: len(reference(collection, vector, threshold)) + 1]
            the first record *below* the threshold is in the list.
    """


# 5.5


def left(records):
    """Return an answer that leaves `records` of (before, given, batch_size) in a collection."""

    def synchronise(collection, ids, texts, metadatas, vectors, batch_size):
        rows = zip(texts, metadatas, np.asarray(vectors).tolist(), strict=True)
        given = dict(zip(ids, rows, strict=True))
        collection.records = dict(records(collection.records, given, batch_size))

    return synchronise


def merged(old, new):
    """Return new records with the metadata of both, as `update` and `upsert` leave them."""
    return {n: (r[0], (old[n][1] if n in old else {}) | r[1], r[2]) for n, r in new.items()}


def mixed(old, new, part):
    """Return new records; those that were there have one part as it was."""
    return {n: (*r[:part], old.get(n, r)[part], *r[part + 1 :]) for n, r in new.items()}


@exercise(
    "5.5",
    level=3,
    title="In step",
    names=["synchronise"],
    hints=[
        "Compare the ids first. What must be done with those that are in one list only?",
        "`update` and `upsert` merge metadata. Simplest: delete the old records and add the new ones, "
        "batch by batch. Chroma refuses empty lists of ids.",
        "`for start in range(0, len(old), batch_size): collection.delete(ids=old[start:start + "
        "batch_size])`, and a second loop like it that adds four slices of the new records.",
    ],
    seconds=40,
)
class Synchronise:
    """New, changed, gone and equal records, twice each, in batches; nothing is left of the old."""

    praise = "right: after each call the collection holds what you say, and only that."
    reference = left(lambda old, new, _: new)

    def cases():
        def records(letters, edition=1, keys=("category", "date")):
            texts = [f"text {letter}, edition {edition}" for letter in letters]
            n = range(len(letters))
            metadatas = [{key: f"{key} {edition}{i % 2}" for key in keys} for i in n]
            vectors = [[edition + i / 7, 7.123 - i] for i in n]
            return list(letters), texts, metadatas, np.array(vectors).reshape(-1, 2)

        none, first = records(""), records("ab")
        for old, new, batch_size in (
            (none, first, 2),
            (first, records("ab", 2, ["category"]), 2),
            (first, (*first[:3], first[3] * [2, 1]), 1),
            (first, (first[0], ["new text", "newer text"], *first[2:]), 2),
            (first, (*first[:2], [{"date": 20240115}, {"date": 20240116}], first[3]), 2),
            (records("abc"), first, 2),
            (first, records("abcde"), 2),
            (records("abcde"), records("edc", 2, ["category"]), 2),
            (none, (list("abcde"), ["one text"] * 5, *records("abcde")[2:]), 3),
            (records("abcdef"), records("xyz"), 4),
            (first, none, 1),
            (none, none, 1),
        ):
            rows = zip(*old[1:3], old[3].tolist(), strict=True)
            yield dict(zip(old[0], rows, strict=True)), *new, batch_size

    def make(collection, ids, texts, metadatas, vectors, batch_size):
        return Hidden(collection), ids, texts, metadatas, vectors, batch_size

    def play(answer, collection, *arguments):
        found = []
        for _ in range(2):
            answer(collection, *arguments)
            for method, size in collection.largest.items():
                if size > arguments[-1]:
                    raise Wrong(f"you {method} {size} records in one call: more than `batch_size`.")
            found.append(records_of(collection))
        if not same(*found):
            raise Wrong("the same call a second time changes the collection again.")
        return found[0]

    ADDED = "`add` keeps what is there under an id, and says nothing. Delete first, or `upsert`."
    GONE = "what is not in the list is still in the collection. Delete it."
    OLD = "of what was there, some is left as it was: text, vector, or all of it."
    OUT = "ids and texts are out of step."
    mistakes = (
        (left(lambda old, new, _: new | {n: old[n] for n in old if n in new}), ADDED),
        (left(lambda old, new, _: old | new), GONE),
        (left(lambda old, new, _: old | merged(old, new)), GONE),
        (left(lambda old, new, _: merged(old, new)), "old keys are still there: `upsert` merges."),
        (left(lambda old, new, b: [*new.items()][: len(new) // b * b]), "a last batch is missing."),
        (left(lambda old, new, _: mixed(old, new, 2)), OLD),
        (left(lambda old, new, _: mixed(old, new, 0)), OLD),
        (left(lambda old, new, _: old or new), OLD),
        (left(lambda old, new, _: dict(zip(new, [*new.values()][::-1], strict=True))), OUT),
    )
