"""The checks of project 3, a search engine with a memory."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date
from typing import Any

import numpy as np

from helpers.checks.exercise import (
    Answer,
    Case,
    Mistake,
    Wrong,
    describe,
    exercise,
    mapping,
    number,
    texts,
)
from helpers.checks.lesson_05 import (
    Watch,
    check_records,
    counted,
    cut_mistake,
    hidden_collection,
    record_state,
    untouched,
)

MODEL = "all-MiniLM-L6-v2"
_CATEGORIES = ("letters", "recipes", "minutes", "travel")
_AUTHORS = ("Ada Moss", "Ben Frost", "Cleo Hart")


def _number(day: date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day


def _is_day(value: Any) -> bool:
    """Say whether `value` is a day as year, month, day in one number."""
    try:
        year, rest = divmod(int(value), 10_000)
        date(year, *divmod(rest, 100))
    except (TypeError, ValueError, OverflowError):
        return False
    return value == int(value)


def _some_day(rng: np.random.Generator) -> date:
    return date(int(rng.integers(2021, 2026)), int(rng.integers(1, 13)), int(rng.integers(1, 28)))


# P3.1


class _Client:
    """A client whose collections are watched."""

    def __init__(self, folder: str, batch_size: int) -> None:
        from helpers.store import connect

        self.client = connect(folder)
        self.watches: list[Watch] = []
        for method in ("create_collection", "get_collection", "get_or_create_collection"):
            setattr(self.client, method, self._watched(getattr(self.client, method), batch_size))

    def _watched(self, act: Callable, batch_size: int) -> Callable:
        def watched(*arguments: Any, **named: Any) -> Any:
            collection = act(*arguments, **named)
            self.watches.append(Watch(collection, batch_size, deletes=False))
            return collection

        return watched

    @property
    def problem(self) -> str:
        """What a watch has seen, or ""."""
        return next((watch.problem for watch in self.watches if watch.problem), "")


@contextmanager
def _watched_client(batch_size: int) -> Iterator[tuple[_Client, str]]:
    """Give a client with a store of its own, on disk, so that whatever is deleted there is not the
    learner's; and a name that is free. One collection of another name is there.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        client = _Client(folder, batch_size)
        try:
            client.client.create_collection("somebody-else", embedding_function=None)
            yield client, f"check-{uuid.uuid4().hex}"
        finally:
            with suppress(Exception):
                client.client.close()


def _records(rng: np.random.Generator, numbers: range, edition: str) -> list[dict]:
    return [
        {
            "id": f"t{n:03}",
            "text": f"{edition} of text {n}",
            "category": _CATEGORIES[rng.integers(4)],
            "author": _AUTHORS[rng.integers(3)],
            "date": _some_day(rng),
        }
        for n in numbers
    ]


def _columns(records: list[dict]) -> tuple[list, list, list]:
    metadatas = [
        {"category": r["category"], "author": r["author"], "date": _number(r["date"])}
        for r in records
    ]
    return [r["id"] for r in records], [r["text"] for r in records], metadatas


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
def project_3_1(answer: Answer) -> str:
    """New, run again, changed, and over an old collection of another space; in batches."""
    rng = np.random.default_rng(31)
    turns = [
        ("23 records, batch_size=5,", range(23), "first edition"),
        ("the same call a second time (23 records, batch_size=5),", None, ""),
        ("14 records in a new edition under old ids, batch_size=5,", range(4, 18), "new edition"),
        ("3 records, batch_size=5,", range(40, 43), "last edition"),
    ]
    with _watched_client(5) as (client, name):
        for words, numbers, edition in turns:
            if numbers is not None:
                records = _records(rng, numbers, edition)
                vectors = rng.normal(size=(len(records), 6)).astype(np.float32)
            _check_build(answer, client, name, records, vectors, words)
    with _watched_client(5) as (client, name):
        old = client.client.create_collection(name, embedding_function=None)
        old.add(ids=["t000", "old"], embeddings=np.eye(2, 6), documents=["old text", "older text"])
        words = "a collection of that name with the space l2, and 12 records,"
        records = _records(rng, range(12), "edition after l2")
        vectors = rng.normal(size=(12, 6)).astype(np.float32)
        _check_build(answer, client, name, records, vectors, words)
    return (
        "right: cosine, in batches, and however often you run it, it holds what you gave it last."
    )


def _check_build(
    answer: Answer, client: _Client, name: str, records: list, vectors: np.ndarray, words: str
) -> None:
    before: dict = {}
    with suppress(Exception):
        before = record_state(client.client.get_collection(name, embedding_function=None))
    others = {c.name for c in client.client.list_collections()} - {name}
    asked = answer.fresh()
    try:
        collection = asked(client.client, name, records, vectors, 5)
    except Wrong as wrong:
        raise Wrong(_why_not_built(str(wrong), words)) from None
    if collection is None:
        raise Wrong(f"for {words} `{asked.name}` returns None. Return the collection.")
    if isinstance(collection, str) or not hasattr(collection, "get"):
        raise Wrong(
            f"for {words} you return {describe(collection)}; the task asks for the collection."
        )
    now = {c.name for c in client.client.list_collections()}
    if name not in now:
        made = sorted(now - others)
        instead = f" There is {made[0]!r} instead." if made else ""
        raise Wrong(f"for {words} there is no collection of the given name.{instead}")
    if others - now:
        raise Wrong(
            f"you delete a collection of another name ({sorted(others - now)[0]!r}). A store is shared: "
            "delete only what you are about to make."
        )
    if getattr(collection, "name", name) != name:
        raise Wrong(
            f"for {words} you return the collection {collection.name!r}, not the one asked for."
        )
    configuration = collection.configuration_json
    space = (configuration.get("hnsw") or {}).get("space")
    if space != "cosine":
        kept = (
            " `get_or_create_collection` keeps the old space and says nothing."
            if before
            else " Chroma's own choice is squared Euclidean distance; ask for cosine."
        )
        raise Wrong(f"for {words} your collection measures {space!r}, not cosine.{kept}")
    function = configuration.get("embedding_function") or {}
    if function.get("type") == "known" or function.get("name"):
        raise Wrong(
            "your collection has an embedding function of its own "
            f"({function.get('name', 'unknown')}): a text without a vector would get one from another "
            "model. Create it with `embedding_function=None`. (If you do: Chroma writes its own into a "
            "dictionary given as `configuration`. Make a new one for each call.)"
        )
    if client.problem:
        raise Wrong(client.problem)
    ids, documents, metadatas = _columns(records)
    now = record_state(collection)
    if (
        {i: before[i][0] for i in before}
        == {i: now[i][0] for i in now}
        != dict(zip(ids, documents, strict=True))
    ):
        raise Wrong(
            f"for {words} the collection is what it was before: nothing old is gone, nothing new has come. "
            "`add` keeps what is there under an id, and says nothing. Delete the collection first, and "
            "create it anew."
        )
    if records[0]["id"] not in before:
        _check_metadata(collection, records, metadatas)
    check_records(collection, ids, documents, metadatas, vectors, before, words, 5)
    asked.check_inputs()


def _why_not_built(said: str, words: str) -> str:
    said = said.split("\nIt was called with")[0]
    if "already exists" in said:
        return (
            f"for {words} {said}\nA notebook is run more than once. Delete the collection first if it "
            "is listed."
        )
    if "does not exist" in said or "NotFoundError" in said:
        return (
            f"for {words} {said}\nThere is nothing to delete the first time. Look whether the name is "
            "among those of `client.list_collections()`."
        )
    if "date" in said and ("TypeError" in said or "ValueError" in said):
        return f"for {words} {said}\nChroma has no dates: 15 January 2024 is stored as 20240115."
    return f"for {words} {said}"


def _check_metadata(collection: Any, records: list[dict], wanted: list[dict]) -> None:
    """Say what is wrong with the metadata as a whole, before records are compared one by one."""
    got = collection.get(ids=[records[0]["id"]], include=["metadatas"])["metadatas"]
    if not got or got[0] is None:
        return
    found, right = got[0], wanted[0]
    missing, more = sorted(right.keys() - found.keys()), sorted(found.keys() - right.keys())
    if missing or more:
        raise Wrong(
            f"the metadata of your records has the keys {', '.join(sorted(found))}; the task asks for "
            "author, category and date, and no others."
        )
    day = found["date"]
    if isinstance(day, str):
        raise Wrong(
            f"you store the date as the text {day!r}. Chroma compares numbers only: {right['date']}."
        )
    if day != right["date"] and found["category"] == right["category"]:
        raise Wrong(f"you store {records[0]['date']} as {day}; it should be {right['date']}.")


# P3.2 and P3.3


def _matches(metadata: dict, category: Any, author: Any, since: Any) -> bool:
    return (
        (category is None or metadata["category"] == category)
        and (author is None or metadata["author"] == author)
        and (since is None or metadata["date"] >= _number(since))
    )


def _ranked(collection: Any, vector: np.ndarray) -> list[tuple[str, float, dict]]:
    """Return (id, cosine, metadata) of all records, best first. It is asked for the same many times,
    so that a hidden collection keeps what was found.
    """
    kept = vars(collection).setdefault("_rankings", {})
    if vector.tobytes() not in kept:
        kept[vector.tobytes()] = _measured(collection, vector)
    return kept[vector.tobytes()]


def _measured(collection: Any, vector: np.ndarray) -> list[tuple[str, float, dict]]:
    got = collection.get(include=["embeddings", "metadatas"])
    rows = np.asarray(got["embeddings"], dtype=float)
    cosines = rows @ vector / np.linalg.norm(rows, axis=1) / np.linalg.norm(vector)
    return [
        (got["ids"][row], float(cosines[row]), got["metadatas"][row])
        for row in np.argsort(-cosines)
    ]


def search(
    collection: Any,
    vector: np.ndarray,
    k: int,
    category: str | None = None,
    author: str | None = None,
    since: date | None = None,
) -> list[tuple[str, float]]:
    """Return (id, similarity) of the k best records that pass the filters."""
    return [
        (name, score)
        for name, score, metadata in _ranked(collection, vector)
        if _matches(metadata, category, author, since)
    ][:k]


def above(
    collection: Any,
    vector: np.ndarray,
    threshold: float,
    category: str | None = None,
    author: str | None = None,
    since: date | None = None,
) -> list[tuple[str, float]]:
    """Return (id, similarity) of all records from `threshold` on that pass the filters."""
    everything = search(collection, vector, 10**6, category, author, since)
    return [(name, score) for name, score in everything if score >= threshold - 1e-7]


#: What Chroma says of a filter that it refuses, and what that means.
_REFUSALS = {
    "to be an int or a float": "Chroma compares numbers only: 15 January 2024 is 20240115.",
    "got None": "What is not asked must be left out of the filter.",
    "exactly one operator": "A dictionary holds one condition; several stand in a list under `$and`. "
    "And where nothing is asked, `where` is None, not {}.",
    "at least two where": "`$and` joins two conditions or more. One stands alone, and where nothing is "
    "asked, `where` is None.",
}


@contextmanager
def _chroma_explained() -> Iterator[None]:
    try:
        yield
    except Wrong as wrong:
        said = str(wrong)
        for words, meaning in _REFUSALS.items():
            if said.startswith("it raises") and words in said:
                shown = said.split("\nIt was called with")[0]
                raise Wrong(f"{shown}\n{meaning}") from None
        raise


def _filter_mistakes(found: Callable) -> list[Mistake]:
    """Return the mistakes with a filter of a function with the parameters of `search` or `above`."""

    def strictly_after(collection, vector, limit, category, author, since):
        later = since and date.fromordinal(since.toordinal() + 1)
        return found(collection, vector, limit, category, author, later)

    def any_of_them(collection, vector, limit, category, author, since):
        single = ((category, None, None), (None, author, None), (None, None, since))
        asked = [c for c in single if any(part is not None for part in c)] or [(None,) * 3]
        everything = [pair for c in asked for pair in found(collection, vector, limit, *c)]
        unique = sorted(dict(everything).items(), key=lambda pair: -pair[1])
        return unique[:limit] if isinstance(limit, int) else unique

    def one_only(collection, vector, limit, category, author, since):
        if category is not None:
            return found(collection, vector, limit, category, None, None)
        return found(collection, vector, limit, None, author, since if author is None else None)

    def last_only(collection, vector, limit, category, author, since):
        if since is not None:
            return found(collection, vector, limit, None, None, since)
        return found(collection, vector, limit, category if author is None else None, author, None)

    def on_days(keep):
        def some(collection, vector, limit, category, author, since):
            several = isinstance(limit, int)  # a number of records, not a threshold
            pairs = found(collection, vector, 10**6 if several else limit, category, author, None)
            if since is not None:
                days = {name: facts["date"] for name, _, facts in _ranked(collection, vector)}
                pairs = [pair for pair in pairs if keep(days[pair[0]], _number(since))]
            return pairs[:limit] if several else pairs

        return some

    return [
        Mistake(
            lambda c, v, n, category, author, since: found(c, v, n, None, None, None),
            "nothing is filtered: category, author and date have no effect.",
        ),
        *(
            Mistake(
                lambda c, v, n, *asked, place=place: found(
                    c, v, n, *asked[:place], None, *asked[place + 1 :]
                ),
                f"`{name}` has no effect.",
            )
            for place, name in enumerate(("category", "author", "since"))
        ),
        Mistake(
            lambda c, v, n, category, author, since: found(c, v, n, author, category, since),
            "`category` and `author` are swapped.",
        ),
        *(
            Mistake(
                lambda c, v, n, *asked, place=place: [] if asked[place] else found(c, v, n, *asked),
                f"wherever `{name}` is asked, nothing comes. Is it compared under the key {key!r}, "
                "and with the value itself?",
            )
            for place, (name, key) in enumerate(
                (("category", "category"), ("author", "author"), ("since", "date"))
            )
        ),
        Mistake(
            strictly_after,
            "records of the day `since` itself are missing. It belongs to the range: `$gte`, not `$gt`.",
        ),
        Mistake(
            any_of_them,
            "you join the conditions by `$or`: one of them suffices. All must hold: `$and`.",
        ),
        Mistake(
            one_only,
            "of several conditions only the first has an effect. Do you return before you have looked at "
            "the others?",
        ),
        Mistake(
            last_only,
            "of several conditions only the last has an effect. Does each overwrite the one before it?",
        ),
        Mistake(
            on_days(lambda day, since: day < since),
            "`since` asks for that day and the days after it; you return what is older.",
        ),
        Mistake(
            on_days(lambda day, since: day <= since),
            "`since` asks for that day and the days after it; you return what is older: `$gte`, not `$lte`.",
        ),
        Mistake(
            on_days(lambda day, since: day == since),
            "`since` asks for that day and the days after it; you return that day only.",
        ),
        Mistake(
            lambda c, v, n, category, author, since: found(c, v, n, category, None, None),
            "`author` and `since` have no effect.",
        ),
    ]


def _hidden_library(rng: np.random.Generator, size: int) -> tuple[np.ndarray, list[dict], date]:
    since = date(2023, 7, 14)
    metadatas = [
        {
            "category": _CATEGORIES[rng.integers(4)],
            "author": _AUTHORS[rng.integers(3)],
            "date": _number(since if n % 6 == 0 else _some_day(rng)),
        }
        for n in range(size)
    ]
    return rng.normal(size=(size, 6)) * 2, metadatas, since


def _by_products(c: Any, v: np.ndarray, asked: tuple) -> list[tuple[str, float]]:
    """Return (id, dot product) of all records that pass, the largest first."""
    got = c.get(include=["embeddings", "metadatas"])
    products = np.asarray(got["embeddings"], dtype=float) @ v
    return [
        (got["ids"][row], float(products[row]))
        for row in np.argsort(-products)
        if _matches(got["metadatas"][row], *asked)
    ]


def _unit(v: np.ndarray) -> np.ndarray:
    return v / np.linalg.norm(v)


_PRODUCTS = (
    "these are dot products. The vectors have different lengths: divide by both norms, or let Chroma "
    "measure, whose distance is 1 minus the cosine."
)
_ONE_NORM = (
    "you divide by the norm of the query only. The vectors of the records have different lengths, too: "
    "divide by theirs as well, or let Chroma measure."
)


def _filled_up(c: Any, v: np.ndarray, k: int, *asked: Any) -> list[tuple[str, float]]:
    """Return `search`, and up to k others when too few pass."""
    found = search(c, v, k, *asked)
    others = [pair for pair in search(c, v, 10**6) if pair not in found]
    return [*found, *others][:k]


_SEARCH_MISTAKES = [
    Mistake(
        lambda c, v, k, *asked: [
            (name, score)
            for name, score, metadata in _ranked(c, v)[:k]
            if _matches(metadata, *asked)
        ],
        "you filter after the search: of the best k only those are left that pass. For {case} there "
        "are enough that pass. Give the filter to Chroma, in `where`.",
    ),
    Mistake(
        lambda c, v, k, *asked: [
            (name, score)
            for name, score, metadata in _ranked(c, v)[: 10 * k]
            if _matches(metadata, *asked)
        ][:k],
        "you fetch some more and filter afterwards. That is not enough for every filter: give it to "
        "Chroma, in `where`.",
    ),
    Mistake(
        lambda c, v, *asked: [(name, 1 - score) for name, score in search(c, v, *asked)],
        "the records are right, the second of each pair is Chroma's distance. The similarity is 1 "
        "minus it.",
    ),
    Mistake(
        lambda c, v, *asked: [(name, 1 - (1 - score) / 2) for name, score in search(c, v, *asked)],
        "the records are right, but you halve the distance. The collection measures cosine: "
        "1 - distance.",
    ),
    Mistake(
        lambda c, v, *asked: [(name, -(1 - score)) for name, score in search(c, v, *asked)],
        "the records are right, the second of each pair is the distance with its sign turned. The "
        "similarity is 1 - distance.",
    ),
    Mistake(
        lambda c, v, *asked: search(c, v, *asked)[::-1],
        "these are the right records, worst first. Best first was asked for.",
    ),
    Mistake(
        lambda c, v, k, *asked: search(c, -v, k, *asked), "these are the *least* similar records."
    ),
    Mistake(
        lambda c, v, k, *asked: search(c, v, 10, *asked),
        "you return 10 records whatever k is: that is Chroma's own choice of `n_results`.",
    ),
    *(
        Mistake(
            lambda c, v, k, *asked, fixed=fixed: search(c, v, fixed, *asked),
            f"you return {fixed} records whatever k is.",
        )
        for fixed in (3, 5)
    ),
    Mistake(
        lambda c, v, k, *asked: search(c, v, k + 1, *asked),
        "you return one record too many: for {case} you return {got}.",
    ),
    Mistake(
        lambda c, v, k, *asked: search(c, v, k - 1, *asked),
        "you return one record too few: for {case} you return {got}.",
    ),
    Mistake(
        lambda c, v, *asked: [name for name, _ in search(c, v, *asked)],
        "you return ids without their similarities; the task asks for pairs (id, similarity).",
    ),
    *(
        Mistake(
            lambda c, v, k, *asked, digits=digits: [
                (name, round(s, digits)) for name, s in search(c, v, k, *asked)
            ],
            "the records are right, but their similarities are rounded. Leave rounding to whoever prints "
            "them.",
        )
        for digits in (1, 2, 3, 4)
    ),
    Mistake(
        lambda c, v, k, *asked: [(name, 1 / (2 - s)) for name, s in search(c, v, k, *asked)],
        "1 / (1 + distance) is no cosine. The collection measures cosine: 1 - distance.",
    ),
    Mistake(lambda c, v, k, *asked: _by_products(c, v, asked)[:k], _PRODUCTS),
    Mistake(lambda c, v, k, *asked: _by_products(c, _unit(v), asked)[:k], _ONE_NORM),
    Mistake(
        _filled_up,
        "where fewer than k pass you fill the list with records that do not. Fewer, then, is the answer.",
    ),
    *_filter_mistakes(search),
]


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
def project_3_2(answer: Answer) -> str:
    """Every combination of the three filters; fewer than k, and none at all."""
    rng = np.random.default_rng(32)
    vectors, metadatas, since = _hidden_library(rng, 150)
    queries = rng.normal(size=(12, 6)) * 3
    ben, cleo = "Ben Frost", "Cleo Hart"
    asked = [
        (4, None, None, None),
        (3, "recipes", None, None),
        (5, None, ben, None),
        (6, None, None, since),
        (4, "letters", None, since),
        (3, "travel", cleo, None),
        (4, None, cleo, since),
        (2, "minutes", ben, since),
        (100, "recipes", None, None),
        (7, "songs", None, None),
        (12, None, None, None),
    ]
    passing = [row for row, facts in enumerate(metadatas) if _matches(facts, "travel", cleo, since)]
    far = -(vectors[passing] / np.linalg.norm(vectors[passing], axis=1, keepdims=True)).sum(axis=0)
    with hidden_collection(vectors, metadatas=metadatas) as library:
        cases = [
            Case((library, query, *what), _words("k", *what))
            for query, what in zip(queries, asked, strict=False)
        ]
        what = (1, "travel", cleo, since)
        cases.append(Case((library, far, *what), _words("k", *what)))
        judged = answer.fresh()
        with untouched(library), _chroma_explained():
            counted(judged, cases, search, _SEARCH_MISTAKES)
            _check_short(judged, library, queries[-1])
        judged.check_memory()
        judged.check_inputs()
    return "right: filtered before the cut, similarities, and fewer than k when there are no more."


def _check_short(answer: Answer, library: Any, query: np.ndarray) -> None:
    """Call with the filters left out, and by name."""
    for named in (
        {},
        {"category": "letters"},
        {"since": date(2024, 2, 29)},
        {"author": "Ada Moss"},
    ):
        found = answer(library, query, 3, **named)
        words = ", ".join(f"{key}={value}" for key, value in named.items()) or "no filter at all"
        counted(_Given(found, answer.name), [Case((library, query, 3), words)], _by_name(named), [])


def _by_name(named: dict) -> Callable:
    return lambda c, v, k: search(c, v, k, **named)


class _Given:
    """A result that is there already, as an answer for `counted`."""

    printed_instead = False

    def __init__(self, found: Any, name: str) -> None:
        self.found, self.name = found, name

    def __call__(self, *arguments: Any) -> Any:
        """Return the result."""
        return self.found


def _words(
    limit_name: str, limit: float, category: str | None, author: str | None, since: date | None
) -> str:
    asked = {limit_name: limit, "category": category, "author": author, "since": since}
    return ", ".join(f"{key}={value}" for key, value in asked.items() if value is not None)


def _all_passing(c: Any, v: np.ndarray, asked: tuple) -> list[tuple[str, float]]:
    return above(c, v, -2, *asked)


def _passing(keep: Callable[[float, float], bool], returned: Callable[[float], float]) -> Callable:
    return lambda c, v, t, *asked: [
        (name, returned(score)) for name, score in _all_passing(c, v, asked) if keep(score, t)
    ]


_ABOVE_MISTAKES = [
    Mistake(
        lambda c, v, t, *asked: above(c, v, t, *asked)[:10],
        "you return 10 records at most: `n_results` is 10 unless you say otherwise, and more than "
        "that are above the threshold.",
    ),
    Mistake(
        lambda c, v, t, *asked: [
            pair
            for pair in above(c, v, t, *asked)
            if pair[0] in [name for name, *_ in _ranked(c, v)[:10]]
        ],
        "you filter after the search: only the best ten of all records are looked at. Give the filter "
        "to Chroma, in `where`, and ask for as many records as there are.",
    ),
    Mistake(
        _passing(lambda s, t: s > t + 1e-7, lambda s: s),
        "a record whose similarity *is* the threshold is missing: `>=`, not `>`.",
    ),
    Mistake(
        _passing(lambda s, t: s >= t - 1e-7, lambda s: 1 - s),
        "the records are right, the second of each pair is Chroma's distance. The similarity is 1 "
        "minus it.",
    ),
    Mistake(
        _passing(lambda s, t: 1 - s >= t, lambda s: 1 - s),
        "you compare *distances* with a threshold for similarities, and so keep the worst records. "
        "Turn distances into similarities first.",
    ),
    Mistake(
        _passing(lambda s, t: 1 - s <= t, lambda s: 1 - s),
        "you keep what has a *distance* of at most the threshold. It is one for similarities: turn "
        "distances into similarities first.",
    ),
    Mistake(
        _passing(lambda s, t: 1 - s <= t, lambda s: s),
        "you return similarities, but compare the *distance* with the threshold: `distance <= "
        "threshold` is another line than `similarity >= threshold`.",
    ),
    Mistake(
        _passing(lambda s, t: s < t - 1e-7, lambda s: s),
        "you return what is *below* the threshold, and reject the rest.",
    ),
    Mistake(
        _passing(lambda s, t: s <= t + 1e-7, lambda s: s),
        "you return what is *below* the threshold, and reject the rest.",
    ),
    Mistake(
        lambda c, v, t, *asked: _all_passing(c, v, asked) if above(c, v, t, *asked) else [],
        "as soon as the best record reaches the threshold you return all that pass the filters. Each record "
        "has to reach it.",
    ),
    Mistake(
        _passing(lambda s, t: s >= max(t, 0), lambda s: s),
        "you leave out similarities below 0, although the threshold allows them.",
    ),
    Mistake(
        _passing(lambda s, t: True, lambda s: s),
        "nothing is rejected: you return every record that passes the filters.",
    ),
    Mistake(
        lambda c, v, t, *asked: above(c, v, t, *asked)[::-1],
        "these are the right records, worst first. Best first was asked for.",
    ),
    Mistake(
        lambda c, v, t, *asked: [name for name, _ in above(c, v, t, *asked)],
        "you return ids without their similarities; the task asks for pairs (id, similarity).",
    ),
    Mistake(
        lambda c, v, t, *asked: above(c, v, t, *asked) or _all_passing(c, v, asked)[:1],
        "where nothing reaches the threshold you return the best record all the same. Then the list is "
        "empty.",
    ),
    Mistake(
        _passing(lambda s, t: (1 + s) / 2 >= t, lambda s: (1 + s) / 2),
        "you halve the distance. The collection measures cosine: 1 - distance.",
    ),
    Mistake(
        _passing(lambda s, t: round(s, 2) >= t, lambda s: round(s, 2)),
        "you round before you compare, so that what is just below the threshold passes.",
    ),
    *(
        Mistake(
            _passing(lambda s, t: s >= t - 1e-7, lambda s, digits=digits: round(s, digits)),
            "the records are right, but their similarities are rounded. Leave rounding to whoever prints "
            "them.",
        )
        for digits in (1, 2, 3, 4)
    ),
    Mistake(
        lambda c, v, t, *asked: sorted(above(c, v, t, *asked)),
        "these are the right records, in the order of their ids. Best first was asked for.",
    ),
    Mistake(
        lambda c, v, t, *asked: [pair for pair in _by_products(c, v, asked) if pair[1] >= t],
        _PRODUCTS,
    ),
    Mistake(
        lambda c, v, t, *asked: [pair for pair in _by_products(c, _unit(v), asked) if pair[1] >= t],
        _ONE_NORM,
    ),
    *_filter_mistakes(above),
]


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
def project_3_3(answer: Answer) -> str:
    """Many above, none above, exactly at the line, with filters and without."""
    rng = np.random.default_rng(33)
    vectors, metadatas, since = _hidden_library(rng, 260)
    queries = rng.normal(size=(8, 6)) * 2
    ada = "Ada Moss"
    asked = [
        (-0.3, None, None, None),
        (0.35, "recipes", None, None),
        (-0.4, None, ada, None),
        (0.3, None, None, since),
        (-0.25, "letters", None, since),
        (0.1, "travel", ada, since),
        (0.995, None, None, None),
        (0.1, "songs", None, None),
    ]
    exact = np.array([[0.5, 0.5, 0.5, 0.5], [0, 3, 0, 0], [2, 0, 0, 0]])
    facts = [{"category": "letters", "author": ada, "date": 20240101}] * 3
    large, large_facts, _ = _hidden_library(rng, 1_150)
    with (
        hidden_collection(vectors, metadatas=metadatas) as library,
        hidden_collection(exact, metadatas=facts) as few,
        hidden_collection(large, metadatas=large_facts) as many,
    ):
        cases = [
            Case((library, query, *what), _words("threshold", *what))
            for query, what in zip(queries, asked, strict=True)
        ]
        on_the_line = (np.array([2.0, 0, 0, 0]), 0.5, "letters", None, None)
        cases.append(Case((few, *on_the_line), "3 records, one exactly at the threshold 0.5"))
        every = Case((many, queries[0], -1.0, None, None, None), "1,150 records and threshold=-1.0")
        judged = answer.fresh()
        with untouched(library, few, many), _chroma_explained():
            counted(judged, cases, above, _ABOVE_MISTAKES)
            counted(judged, [every], above, [cut_mistake(judged, every, above)])
            _check_short_above(judged, library, queries[0])
        judged.check_memory()
        judged.check_inputs()
    return "right: everything above the line, nothing below it, filters or not."


def _check_short_above(answer: Answer, library: Any, query: np.ndarray) -> None:
    for named in ({}, {"category": "minutes"}, {"since": date(2024, 2, 29)}):
        found = answer(library, query, 0.3, **named)
        words = ", ".join(f"{key}={value}" for key, value in named.items()) or "no filter at all"
        case = Case((library, query, 0.3), words)
        counted(
            _Given(found, answer.name), [case], lambda c, v, t, n=named: above(c, v, t, **n), []
        )


# P3.4

_LEAST = 200
_QUESTIONS = 3
_NEARLY = 1e-6  # by so much may a similarity that Chroma gives differ from ours


@exercise(
    "P3.4",
    level=3,
    title="Your own line",
    names=["engine", "judgement"],
    seconds=90,
    hints=[
        "Begin with the questions, not with the number: three that your texts answer, three that they "
        "do not. Then look at the best similarity of each.",
        "Somewhere between the highest of the unanswered and the lowest of the answered lies your line. "
        "Is there no room between them? Then look at the texts that come: which question is really "
        "answered, and which only sounds like it?",
        "`above(engine, encode([question], MODEL)[0], 0.0)[:1]` shows the best record of a question. "
        "A threshold in the middle of the gap leaves room on both sides.",
    ],
)
def project_3_4(engine: Any, judgement: dict) -> str:
    """The learner's own collection, questions and threshold, measured."""
    from helpers.encoding import encode

    given = mapping(judgement, "`judgement`")
    wanted = ("threshold", "answered", "rejected")
    missing = [key for key in wanted if given.get(key) is None or given.get(key) is ...]
    if missing:
        others = [describe(key) for key in given if key not in wanted]
        raise Wrong(
            f"`judgement` has no {' and no '.join(repr(key) for key in missing)} yet."
            + (f" It has {' and '.join(others)}." if others else "")
        )
    threshold = number(given["threshold"], 'judgement["threshold"]')
    if not -1 <= threshold <= 1:
        raise Wrong(
            f'judgement["threshold"] is {threshold:g}; cosines go from -1 to 1. Per cent, perhaps?'
        )
    answered, rejected = (_questions(given[key], key) for key in wanted[1:])
    alike = {_bare(question) for question in rejected}
    both = [question for question in answered if _bare(question) in alike]
    if both:
        raise Wrong(f"{both[0]!r} stands in both lists. Is it answered, or not?")
    ids, vectors = _engine(engine, encode)
    asked = encode([*answered, *rejected], MODEL)
    scores = asked @ vectors.T
    level = float(np.percentile(scores, 95))
    best = dict(
        zip([*answered, *rejected], zip(scores.max(1), scores.argmax(1), strict=True), strict=True)
    )
    if threshold <= level:
        raise Wrong(
            f"your threshold, {threshold:g}, is not above the level of chance: one in twenty of all "
            f"pairs of question and record has {level:.3f} or more, related or not."
        )
    if max(best[q][0] for q in answered) < threshold <= min(best[q][0] for q in rejected):
        raise Wrong(
            "it is the other way round: all questions of `rejected` have a record at your threshold or above, "
            "and none of `answered` has. Are the two lists swapped?"
        )
    distance = ""
    if _parted(best, answered, rejected, 1 - threshold):
        distance = (
            f" (Is your threshold a distance? As a similarity it would be {1 - threshold:g}, and that parts "
            "them.)"
        )
    for question in answered:
        score, row = best[question]
        if score < threshold - _NEARLY:
            raise Wrong(
                f"“{question}” should be answered, and nothing reaches your threshold of "
                f"{threshold:g}: its best record is {ids[row]!r} with {score:.4f}.{distance}"
            )
    for question in rejected:
        score, row = best[question]
        if score >= threshold - _NEARLY:
            raise Wrong(
                f"“{question}” should be rejected, but {ids[row]!r} has {score:.4f}, and your "
                f"threshold is {threshold:g}. Read that record: is it an answer after all?"
            )
    low = min(answered, key=lambda question: best[question][0])
    high = max(rejected, key=lambda question: best[question][0])
    count = len(best)
    words = {6: "six", 7: "seven", 8: "eight", 9: "nine", 10: "ten"}.get(count, str(count))
    return (
        f"right: your line at {threshold:.2f} parts them. The closest calls are “{low}” with "
        f"{best[low][0]:.2f} and “{high}” with {best[high][0]:.2f}; chance reaches {level:.2f}. "
        f"{words.capitalize()} questions chose this line, so try it on {words} others."
    )


def _parted(best: dict, answered: list, rejected: list, threshold: float) -> bool:
    """Say whether `threshold` lies between the questions of the two lists."""
    low, high = min(best[q][0] for q in answered), max(best[q][0] for q in rejected)
    return high < threshold - _NEARLY <= low


def _questions(value: Any, key: str) -> list[str]:
    what = f'judgement["{key}"]'
    found = [question.strip() for question in texts(value, what)]
    if any(not question for question in found):
        raise Wrong(f"{what} holds an empty text.")
    empty = [question for question in found if not _bare(question)]
    if empty:
        raise Wrong(f"{what} holds {empty[0]!r}, which asks nothing.")
    if len({_bare(question) for question in found}) < len(found):
        raise Wrong(f"{what} has a question twice.")
    if len(found) < _QUESTIONS:
        raise Wrong(f"{what} has {len(found)} questions; the task asks for {_QUESTIONS} or more.")
    return found


def _bare(question: str) -> str:
    """Return a question without what does not make it another one."""
    return " ".join(question.casefold().rstrip("?!.… ").split())


def _engine(engine: Any, encode: Callable) -> tuple[list[str], np.ndarray]:
    """Return ids and unit vectors of the learner's collection, after looking at it."""
    if not (hasattr(engine, "get") and hasattr(engine, "configuration_json")):
        raise Wrong(
            f"`engine` is {describe(engine)}; it should be the collection that `build` returns."
        )
    size = engine.count()
    if size < _LEAST:
        raise Wrong(
            f"your engine holds {size} records; the task asks for {_LEAST} or more. Let the archive "
            "join your own texts."
        )
    space = (engine.configuration_json.get("hnsw") or {}).get("space")
    if space != "cosine":
        raise Wrong(f"your engine measures {space!r}, not cosine.")
    got = engine.get(include=["embeddings", "documents", "metadatas"])
    for name, metadata in zip(got["ids"], got["metadatas"], strict=True):
        lacking = [key for key in ("category", "author", "date") if key not in (metadata or {})]
        if lacking:
            raise Wrong(f"the record {name!r} of your engine has no {lacking[0]}.")
        if isinstance(metadata["date"], str):
            raise Wrong(
                f"the date of the record {name!r} is a text, {metadata['date']!r}. `build` makes a number of "
                "it, such as 20240115."
            )
        if not _is_day(metadata["date"]):
            raise Wrong(
                f"the date of the record {name!r} is {describe(metadata['date'])}. `build` writes a day as "
                "year, month, day in one number: 20240115 is 15 January 2024."
            )
    silent = [name for name, text in zip(got["ids"], got["documents"], strict=True) if not text]
    if silent:
        raise Wrong(f"the record {silent[0]!r} of your engine has no text.")
    vectors = np.asarray(got["embeddings"], dtype=float)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors = vectors / np.where(norms == 0, 1, norms)
    sample = [int(row) for row in np.linspace(0, size - 1, 12)]
    right = encode([got["documents"][row] for row in sample], MODEL)
    if vectors.shape[1] != right.shape[1]:
        raise Wrong(
            f"the vectors of your engine have {vectors.shape[1]} numbers, those of {MODEL} have "
            f"{right.shape[1]}. Texts and questions must be encoded by the same model."
        )
    for row, vector in zip(sample, right, strict=True):
        if vectors[row] @ vector < 0.98:
            raise Wrong(
                f"the record {got['ids'][row]!r} does not have the vector that {MODEL} gives its text "
                f"(cosine {vectors[row] @ vector:.2f}). Another model, or texts and vectors out of step?"
            )
    return got["ids"], vectors
