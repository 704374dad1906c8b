"""The checks of practice 05, ChromaDB."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np

from helpers.checks.exercise import (
    Answer,
    Case,
    Mistake,
    NotAttempted,
    Part,
    Wrong,
    array,
    describe,
    exercise,
    integers,
    judge,
    number,
    same,
)

# Collections of our own: never the learner's, and gone when the check ends


@contextmanager
def hidden_collection(vectors: np.ndarray | None = None, **columns: Any) -> Iterator[Any]:
    """Give a fresh cosine collection in memory with records r0, r1, … of `vectors`; `columns` are
    further arguments of its `add`. It is deleted afterwards.
    """
    from helpers.store import connect

    client = connect()
    name = f"check-{uuid.uuid4().hex}"
    collection = client.create_collection(
        name, embedding_function=None, configuration={"hnsw": {"space": "cosine", "ef_search": 400}}
    )
    try:
        if vectors is not None and len(vectors):
            ids = columns.pop("ids", [f"r{row}" for row in range(len(vectors))])
            collection.add(ids=ids, embeddings=vectors, **columns)
        yield collection
    finally:
        client.delete_collection(name)


# 5.1


def similarity(distance: Any, space: str) -> Any:
    """Return the cosine of two unit vectors whose distance in Chroma's `space` is `distance`."""
    if space not in ("cosine", "l2", "ip"):
        raise ValueError(f"there is no space {space!r}; there are cosine, l2 and ip")
    return 1 - distance / (2 if space == "l2" else 1)


def _for_l2(formula: Callable) -> Callable:
    return lambda d, space: formula(d) if space == "l2" else similarity(d, space)


@exercise(
    "5.1",
    level=1,
    title="From distance to similarity",
    names=["similarity"],
    hints=[
        "In the cell above the same two vectors have three distances, and one cosine: 0.6. What must "
        "be done with each distance to make it 0.6?",
        "Chroma's `l2` is the *squared* Euclidean distance. For unit vectors it is 2 - 2 cos: solve "
        "that for the cosine.",
        '`1 - distance` for "cosine" and "ip", `1 - distance / 2` for "l2", and else '
        "`raise ValueError(...)`.",
    ],
)
def exercise_5_1(answer: Answer) -> str:
    """Three spaces, numbers and arrays, and an error for any other space."""
    some = np.array([0.0217342, 0.37, 1.0, 1.4439281, 1.9])
    far = np.array([[0.1, 2.6, 3.5], [0.0, 0.5, 1.2373629]])
    single = [
        Case((d, space), f"distance {d} in the space {space!r}")
        for d, space in ((0.3, "cosine"), (0.8, "l2"), (2.9, "l2"), (0.7, "ip"), (1.6, "cosine"))
    ]
    many = [
        Case((distances, space), f"an array of distances in the space {space!r}")
        for distances, space in ((some, "cosine"), (far, "l2"), (some, "ip"))
    ]
    mistakes = [
        Mistake(
            lambda d, space: 1 - d,
            "you take 1 - distance in every space. Chroma's `l2` is a squared distance, 2 - 2 cos: "
            "for {case} the cosine is {expected}, not {got}.",
        ),
        Mistake(
            lambda d, space: 1 - d / 2,
            "you halve the distance in every space. That is right for `l2` only: a cosine distance "
            "is 1 - cos, without a 2. For {case} the cosine is {expected}, not {got}.",
        ),
        Mistake(
            _for_l2(lambda d: 1 - d**2 / 2),
            "you square the `l2` distance. Chroma has squared it already: it never took the root.",
        ),
        Mistake(
            _for_l2(lambda d: 1 - np.sqrt(d)),
            "you take the root of the `l2` distance. Then it is the Euclidean distance, but 1 minus "
            "that is no cosine: solve d² = 2 - 2 cos.",
        ),
        Mistake(
            _for_l2(lambda d: 1 - np.sqrt(d) / 2),
            "you take the root of the `l2` distance before halving. The formula d² = 2 - 2 cos wants "
            "the squared distance, and that is what Chroma gives.",
        ),
        Mistake(
            _for_l2(lambda d: 1 / (1 + d)),
            "1 / (1 + d) falls as the distance grows, and that is all it has in common with a cosine: "
            "for {case} the cosine is {expected}, not {got}.",
        ),
        Mistake(
            lambda d, space: 1 / (1 + d),
            "1 / (1 + d) falls as the distance grows, and that is all it has in common with a cosine: "
            "for {case} the cosine is {expected}, not {got}.",
        ),
        Mistake(
            _for_l2(lambda d: 1 - d / 4),
            "for `l2` you divide by 4; d = 2 - 2 cos, solved for the cosine, has a 2.",
        ),
        Mistake(
            _for_l2(lambda d: 2 - d), "for `l2` you return 2 - d. That is 2 cos: divide it by 2."
        ),
        Mistake(
            _for_l2(lambda d: 1 - 2 * d),
            "for `l2` you double the distance; d = 2 - 2 cos, solved for the cosine, halves it.",
        ),
        Mistake(
            lambda d, space: d,
            "this is the distance, unchanged: small for close vectors. A similarity is large for them.",
        ),
        Mistake(
            lambda d, space: -d,
            "this is the distance with its sign turned. It ranks rightly, but it is no cosine.",
        ),
        Mistake(
            lambda d, space: -d if space == "ip" else similarity(d, space),
            "for `ip` you turn the sign of the distance. Chroma's `ip` distance is 1 minus the inner "
            "product.",
        ),
        Mistake(
            lambda d, space: d if space == "ip" else similarity(d, space),
            "for `ip` you return the distance as it is. The name promises an inner product; what "
            "Chroma returns is 1 minus it.",
        ),
        Mistake(
            lambda d, space: similarity(d, {"l2": "cosine"}.get(space, "l2")),
            "the spaces are mixed up: the 2 belongs to `l2`, and to no other.",
        ),
        Mistake(
            lambda d, space: 1 - d / 2 if space == "cosine" else similarity(d, space),
            "you halve the cosine distance. That would be a number from 0 to 1; a cosine goes from -1 "
            "to 1, and the distance is 1 - cos.",
        ),
        Mistake(
            lambda d, space: 1 - d / 2 if space == "ip" else similarity(d, space),
            "you halve the `ip` distance. It is 1 minus the inner product, without a 2.",
        ),
        Mistake(
            lambda d, space: np.maximum(similarity(d, space), 0),
            "you cut off what is below 0. Cosines can be negative: for {case} it is {expected}.",
        ),
        Mistake(
            lambda d, space: np.abs(similarity(d, space)),
            "your similarities have lost their sign: for {case} the cosine is {expected}, not {got}.",
        ),
        Mistake(
            lambda d, space: (1 + similarity(d, space)) / 2,
            "you squeeze the cosines into 0 to 1. That is another scale: for {case} the cosine is "
            "{expected}, not {got}.",
        ),
        Mistake(
            lambda d, space: -similarity(d, space),
            "your sign is turned in every space: for {case} the cosine is {expected}, not {got}.",
        ),
        Mistake(
            lambda d, space: -similarity(d, space) if space == "l2" else similarity(d, space),
            "for `l2` your sign is turned: d = 2 - 2 cos, solved for the cosine, is 1 - d / 2.",
        ),
    ]
    judge(answer, single, similarity, mistakes, read=number, agree=_same_to_float32)
    judge(answer, many, similarity, mistakes, read=array, agree=_same_to_float32)
    for space in ("hamming", "squared"):
        _must_refuse(answer, space)
    return "right: three spaces, one cosine, and no guess for a fourth."


def _same_to_float32(one: Any, other: Any) -> bool:
    """Say whether two results agree, as far as float32 can tell."""
    right = same(one, other, 2e-6)
    if not right and same(one, other):
        raise Wrong("your similarities are nearly right. Are they rounded? Round when you print.")
    return right


def _must_refuse(answer: Answer, space: str) -> None:
    asked = f"the space {space!r} is none of the three"
    try:
        found = answer.function(0.5, space)
    except ValueError:
        return
    except (NotImplementedError, NotAttempted):
        raise Wrong(
            f"{asked}: raise a ValueError. NotImplementedError stands for an exercise that nobody "
            "has begun."
        ) from None
    except Exception as error:
        raise Wrong(
            f"{asked}, and you raise {type(error).__name__}. The task asks for a ValueError: whoever "
            "calls the function must know which error to expect."
        ) from None
    if isinstance(found, ValueError) or found is ValueError:
        raise Wrong(f"{asked}: you *return* a ValueError; `raise` it.")
    raise Wrong(
        f"{asked}, and you return {describe(found)} without a word. Raise a ValueError: a wrong "
        "score looks like a right one."
    )


# 5.2

_CATEGORIES = ("food", "arts", "Harbour")
_AUTHORS = ("Ada Moss", "Ben Frost", "Cleo Hart", "Dov Lind")
_DAYS = (
    date(2023, 3, 5),
    date(2023, 11, 30),
    date(2024, 1, 9),
    date(2024, 1, 15),
    date(2024, 2, 1),
    date(2024, 5, 3),
    date(2024, 12, 2),
    date(2025, 1, 1),
    date(2025, 6, 28),
)


def _day(day: date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day


def build_where(
    category: str | None = None,
    authors: Sequence[str] | None = None,
    since: date | None = None,
    until: date | None = None,
) -> dict | None:
    """Return Chroma's filter for all conditions that are not None, or None when there are none."""
    return _where(category, authors, since, until)


def _where(
    category=None,
    authors=None,
    since=None,
    until=None,
    *,
    low: str = "$gte",
    high: str = "$lte",
    join: str = "$and",
    day: Callable[[date], Any] = _day,
    pick: Callable[[list], list] = lambda conditions: conditions,
):
    conditions = []
    if category is not None:
        conditions.append({"category": category})
    if authors is not None:
        conditions.append({"author": {"$in": list(authors)}})
    if since is not None:
        conditions.append({"date": {low: day(since)}})
    if until is not None:
        conditions.append({"date": {high: day(until)}})
    conditions = pick(conditions)
    if len(conditions) > 1:
        return {join: conditions}
    return conditions[0] if conditions else None


def _variant(**settings: Any) -> Callable[..., dict | None]:
    return lambda **asked: _where(**asked, **settings)


def _changed(**changes: Callable[[Any], Any]) -> Callable[..., dict | None]:
    return lambda **asked: _where(
        **{key: changes[key](value) if key in changes else value for key, value in asked.items()}
    )


def _one_date(**asked):
    if asked.get("since") and asked.get("until"):
        asked["since"] = None
    return _where(**asked)


def _first_date(**asked):
    if asked.get("since") and asked.get("until"):
        asked["until"] = None
    return _where(**asked)


def _category_alone(**asked):
    return _where(asked["category"]) if asked.get("category") else _where(**asked)


_WHERE_MISTAKES: list[tuple[Callable[..., dict | None], str]] = [
    (
        _variant(low="$gt"),
        "your range leaves out the first day. `since` belongs to it: `$gte`, not `$gt`.",
    ),
    (
        _variant(high="$lt"),
        "your range leaves out the last day. `until` belongs to it: `$lte`, not `$lt`.",
    ),
    (
        _variant(low="$gt", high="$lt"),
        "your range leaves out both its ends. They belong to it: `$gte` and `$lte`.",
    ),
    (
        _variant(low="$lte", high="$gte"),
        "your comparisons look the wrong way: `since` asks for dates that are larger or equal, "
        "`until` for smaller or equal ones.",
    ),
    (
        _variant(low="$lte"),
        "`since` asks for that day and the days *after* it; your filter takes the ones before.",
    ),
    (
        _variant(high="$gte"),
        "`until` asks for that day and the days *before* it; your filter takes the ones after.",
    ),
    (
        _variant(join="$or"),
        "you join the conditions by `$or`: one of them suffices, so that a filter with more "
        "conditions lets more through. All must hold: `$and`.",
    ),
    (
        _variant(pick=lambda conditions: conditions[-1:]),
        "of several conditions only the last is left. Does each one overwrite the one before it? "
        "Collect them in a list.",
    ),
    (
        _variant(pick=lambda conditions: conditions[:1]),
        "of several conditions only the first is used. Do you return before you have looked at the "
        "others?",
    ),
    (
        _one_date,
        "with both `since` and `until`, the first is lost. A dictionary has each key once: the "
        "second `date` overwrites the first. Make two conditions of them, joined by `$and`.",
    ),
    (
        _first_date,
        "with both `since` and `until`, the second is lost. Is there an `elif`? Both have to be looked "
        "at: an `if` for each.",
    ),
    (
        _category_alone,
        "where a category is asked, nothing else is looked at. Do you return too early, or is there an "
        "`elif`?",
    ),
    (
        _changed(until=lambda given: given and given + timedelta(days=1)),
        "your range ends a day too late: the day after `until` is let through.",
    ),
    (
        _changed(since=lambda given: given and given - timedelta(days=1)),
        "your range begins a day too early: the day before `since` is let through.",
    ),
    (_changed(category=lambda given: None), "`category` has no effect on your filter."),
    (_changed(authors=lambda given: None), "`authors` has no effect on your filter."),
    (_changed(since=lambda given: None), "`since` has no effect on your filter."),
    (_changed(until=lambda given: None), "`until` has no effect on your filter."),
    (
        _changed(since=lambda given: None, until=lambda given: None),
        "the dates have no effect on your filter.",
    ),
    (
        _changed(authors=lambda given: given and given[:1]),
        "only the first of several authors is let through. `$in` takes the whole list.",
    ),
    (
        _changed(authors=lambda given: given and given[-1:]),
        "only the last of several authors is let through. `$in` takes the whole list.",
    ),
    (
        lambda **asked: (
            {"$and": [_where(**asked) or {"date": 0}, *({"author": a} for a in asked["authors"])]}
            if len(asked.get("authors") or ()) > 1
            else _where(**asked)
        ),
        "with several authors nothing comes: no record has all of them. Any will do: `$in`.",
    ),
]


@exercise(
    "5.2",
    level=2,
    title="A filter that means what it says",
    names=["build_where"],
    hints=[
        "How many conditions are there? With none, one, and two or more, the result has three "
        "different forms.",
        "Make a list of conditions, each a dictionary with one key; `since` and `until` are two of "
        "them. Decide at the end how to join them.",
        'The conditions are `{"category": category}`, `{"author": {"$in": authors}}`, `{"date": '
        '{"$gte": …}}` and `{"date": {"$lte": …}}`, with `int(since.strftime("%Y%m%d"))`. One: '
        'return it. More: `{"$and": conditions}`. None at all: None.',
    ],
    seconds=40,
)
def exercise_5_2(answer: Answer) -> str:
    """What the filter lets through in a hidden collection counts, not how it is written."""
    rng = np.random.default_rng(52)
    metadatas = [
        {
            "category": _CATEGORIES[rng.integers(3)],
            "author": _AUTHORS[rng.integers(4)],
            "date": _day(_DAYS[rng.integers(len(_DAYS))]),
        }
        for _ in range(90)
    ]
    # The days before and after the ranges that are asked for
    metadatas += [
        {"category": category, "author": author, "date": day}
        for day in (20240114, 20240504, 20240108, 20240110)
        for category, author in (("arts", "Ada Moss"), ("food", "Cleo Hart"))
    ]
    food, arts, harbour = ({"category": category} for category in _CATEGORIES)
    two, one = {"authors": ["Dov Lind", "Ada Moss"]}, {"authors": ["Cleo Hart"]}
    since, until = {"since": date(2024, 1, 15)}, {"until": date(2024, 5, 3)}
    early, late = {"since": date(2024, 1, 9)}, {"until": date(2025, 1, 1)}
    asked = [
        food,
        two,
        one,
        since,
        until,
        early,
        late,
        since | until,
        early | {"until": date(2024, 1, 9)},
        food | early,
        arts | until,
        arts | two,
        one | since,
        food | two | early | late,
        arts | one | early | until,
        harbour,
    ]
    with hidden_collection(rng.normal(size=(len(metadatas), 3)), metadatas=metadatas) as collection:
        _check_filters(answer, collection, metadatas, asked)
    nothing = answer()
    if nothing == {} and isinstance(nothing, Mapping):
        raise Wrong(
            "when nothing is asked you return {}. Chroma refuses an empty filter; None is its word "
            "for “no filter”."
        )
    if nothing is not None:
        raise Wrong(f"when nothing is asked you return {describe(nothing)}; it should be None.")
    return "right: your filters let through what they say, in every combination."


def _let_through(collection: Any, where: dict | None) -> frozenset[str]:
    return frozenset(collection.get(where=where, include=[])["ids"])


def _check_filters(answer: Answer, collection: Any, metadatas: list, cases: list[dict]) -> None:
    seen = []
    for asked in cases:
        where = answer(**asked)
        words = ", ".join(
            f"{key}={value}" if isinstance(value, date) else f"{key}={value!r}"
            for key, value in asked.items()
        )
        expected = _let_through(collection, build_where(**asked))
        if where is None:
            if answer.printed_instead:
                raise Wrong(
                    f"`{answer.name}` prints its result and returns None. End it with `return`."
                )
            why = (
                f"Is `{next(iter(asked))}` looked at when nothing else is asked"
                if len(asked) == 1
                else f"Is there a way through your function for {len(asked)} conditions"
            )
            raise Wrong(
                f"for {words} you return None, which filters nothing. {why}, and does every path end with "
                "`return`?"
            )
        if not isinstance(where, dict):
            raise Wrong(f"for {words} you return {describe(where)}; a filter is a dictionary.")
        _check_keys(where, words)
        try:
            got = _let_through(collection, where)
        except Exception as error:
            raise Wrong(_refused(where, words, error)) from None
        seen.append((asked, words, where, got, expected))
    failed = [entry for entry in seen if entry[3] != entry[4]]
    if not failed:
        return
    for asked, _, where, _, _ in failed:
        _check_days(where, asked)
        _check_names(where, asked)
    asked, words, where, got, expected = failed[0]
    for mistake, says in _WHERE_MISTAKES:
        if all(_let_through(collection, mistake(**e[0])) == e[3] for e in seen):
            raise Wrong(f"{says} For {words} you return {_shown(where)}.")
    much, missed = sorted(got - expected), sorted(expected - got)
    example = f"lets through {_row(metadatas, much[0])}" if much else ""
    if missed:
        example += " and " if much else ""
        example += f"keeps out {_row(metadatas, missed[0])}"
    extra = {key for key, _ in _conditions(where)} - {_KEYS[name] for name in asked}
    if extra:
        example += (
            f". Nobody has asked for {_listed(extra)}: is something of an example left in it?"
        )
    else:
        example += "."
    raise Wrong(
        f"for {words} you return {_shown(where)}. Of {len(metadatas)} records it lets through "
        f"{len(got)}; {len(expected)} were asked for. It {example}"
    )


#: The key of the metadata that each parameter asks for.
_KEYS = {"category": "category", "authors": "author", "since": "date", "until": "date"}


def _listed(keys: Iterable[str]) -> str:
    return " or ".join(f"{key!r}" for key in sorted(keys))


def _row(metadatas: list[dict], name: str) -> str:
    return str(metadatas[int(name[1:])])


def _shown(where: object) -> str:
    text = repr(where)
    return f"`{text if len(text) <= 150 else text[:149] + '…'}`"


def _conditions(where: object) -> Iterator[tuple[str, object]]:
    """Yield each key that is no operator, with what is asked of it."""
    if isinstance(where, Mapping):
        for key, value in where.items():
            if str(key).startswith("$"):
                for inner in value if isinstance(value, (list, tuple)) else [value]:
                    yield from _conditions(inner)
            else:
                yield str(key), value


#: Wrong numbers for a day, and what is wrong with them.
_DAY_MISTAKES: list[tuple[Callable[[date], int], str]] = [
    (
        lambda day: day.year * 10_000 + day.day * 100 + day.month,
        "day and month are swapped: year, month, day.",
    ),
    (
        lambda day: int(day.strftime("%d%m%Y")),
        "it begins with the day. Only with the year first do the numbers have the order of the days.",
    ),
    (
        lambda day: int(day.strftime("%m%d%Y")),
        "it begins with the month. Only with the year first do the numbers have the order of the days.",
    ),
    (
        lambda day: int(f"{day.year}{day.month}{day.day}"),
        'it has no leading zeros. `strftime("%Y%m%d")` writes them.',
    ),
    (lambda day: int(day.strftime("%y%m%d")), "its year has two digits only."),
    (lambda day: day.toordinal(), "`toordinal` counts the days since the year 1."),
    (lambda day: day.year, "it is the year alone."),
    (lambda day: day.year * 100 + day.month, "the day of the month is lost."),
    (lambda day: day.year * 10_000 + day.month * 100, "the day of the month is lost."),
    (
        lambda day: int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()),
        "it counts seconds since 1970.",
    ),
    (
        lambda day: int(datetime(day.year, day.month, day.day).timestamp()),
        "it counts seconds since 1970.",
    ),
]


def _check_days(where: dict, asked: dict) -> None:
    numbers = [
        value
        for key, found in _conditions(where)
        if key == "date" and isinstance(found, Mapping)
        for value in found.values()
        if isinstance(value, (int, float))
    ]
    for day in (value for value in asked.values() if isinstance(value, date)):
        for mistake, says in _DAY_MISTAKES:
            if mistake(day) in numbers and mistake(day) != _day(day):
                raise Wrong(
                    f"for {day} your filter has the number {mistake(day)}; the records have "
                    f"{_day(day)}. Look at yours: {says}"
                )


def _check_names(where: dict, asked: dict) -> None:
    """Raise `Wrong` where the filter asks for a text that is none of those given, but made of them."""
    given = {"category": [asked.get("category")], "author": list(asked.get("authors") or ())}
    for key, found in _conditions(where):
        texts = [text for text in given.get(key, ()) if text]
        for inner in found.values() if isinstance(found, Mapping) else [found]:
            for value in inner if isinstance(inner, (list, tuple)) else [inner]:
                if not isinstance(value, str) or value in texts:
                    continue
                if len(texts) > 1 and all(text in value for text in texts):
                    raise Wrong(
                        f"your filter asks for one author by the name of {value!r}. That is one text of "
                        "several names, and nobody is called so. `$in` takes the list."
                    )
                for text in texts:
                    if value.strip().casefold() == text.strip().casefold():
                        raise Wrong(
                            f"your filter asks for {value!r}, and {text!r} was given. Chroma compares texts "
                            "as they are, capitals and spaces included."
                        )


def _check_keys(where: dict, words: str) -> None:
    for key, _ in _conditions(where):
        if key.lower() in ("and", "or"):
            raise Wrong(
                f"for {words} your filter asks for a key {key!r} of the records. Chroma's operators begin "
                f"with a dollar sign and have small letters: `${key.lower()}`."
            )
        if key not in ("category", "author", "date"):
            raise Wrong(
                f"for {words} your filter asks for the key {key!r}. No record has it: their keys are "
                "category, author and date. Chroma says nothing about that, and finds nothing."
            )


def _operators(where: object) -> Iterator[tuple[str, object]]:
    if isinstance(where, Mapping):
        for key, value in where.items():
            if str(key).startswith("$"):
                yield str(key), value
        for value in where.values():
            for inner in value if isinstance(value, (list, tuple)) else [value]:
                yield from _operators(inner)


def _refused(where: dict, words: str, error: Exception) -> str:
    """Say why Chroma refuses `where`, as far as one can see."""
    why = _why_refused(where) or f"it says: {str(error).splitlines()[0]}"
    return f"for {words} you return {_shown(where)}, and Chroma refuses it: {why}"


def _why_refused(where: dict) -> str:
    operators = list(_operators(where))
    conditions = list(_conditions(where))
    for name, value in operators:
        if name in ("$and", "$or"):
            if not isinstance(value, list):
                return f"`{name}` takes a list, and this is a {type(value).__name__}."
            if len(value) < 2:
                return (
                    f"`{name}` joins two conditions or more, and here are {len(value)}. One condition "
                    "stands alone, without it."
                )
            if any(not item for item in value):
                return (
                    "there is an empty condition among yours. What is not asked must be left out."
                )
        if name == "$in" and not isinstance(value, list):
            return f"`$in` takes a list, and this is a {type(value).__name__}."
        if name == "$in" and any(isinstance(item, (list, tuple)) for item in value):
            return "the list of `$in` holds another list. It wants the names themselves."
        if name in ("$eq", "$ne") and isinstance(value, (list, tuple)):
            return f"`{name}` compares with one value, and this is a list. `$in` takes a list."
        if name in ("$gt", "$gte", "$lt", "$lte"):
            if isinstance(value, date):
                return "Chroma has no dates, only numbers: 15 January 2024 is 20240115."
            if isinstance(value, str):
                return (
                    f"`{name}` compares numbers, and {value!r} is a text. Put int(...) around it."
                )
            if isinstance(value, np.generic):
                return f"{value!r} is a NumPy number; Chroma wants Python's own int."
            if not isinstance(value, (int, float)) or isinstance(value, bool):
                return f"`{name}` compares numbers, and {value!r} is none."
    for key, value in conditions:
        if value is None:
            return f"{key!r} is asked to be None. What is not asked must be left out of the filter."
        if isinstance(value, (list, tuple, set)):
            return f'{key!r} is compared with a list; for “one of these” say `{{"$in": [...]}}`.'
        if isinstance(value, Mapping) and not all(str(name).startswith("$") for name in value):
            return (
                f"{next(iter(value))!r} is none of its operators. They begin with a dollar sign, such as "
                "`$in` and `$gte`."
            )
        if isinstance(value, Mapping) and len(value) != 1:
            return (
                f"{key!r} has {len(value)} operators. It may have one: make two conditions of them, "
                "joined by `$and`."
            )
    if len(where) != 1:
        return (
            f"a dictionary holds one condition, and this one has {len(where)} keys. Several "
            "conditions stand in a list under `$and`."
        )
    return ""


# 5.3


def before_and_after(scores: np.ndarray, allowed: np.ndarray, k: int) -> tuple:
    """Return the best k of the allowed rows, the allowed ones of the best k rows, and how many
    results must be fetched for the second to be the first.
    """
    ranking = np.argsort(-scores)
    passing = allowed[ranking]
    before = ranking[passing][:k]
    after = ranking[:k][passing[:k]]
    places = np.flatnonzero(passing)[:k]
    fetch = int(places[-1]) + 1 if len(places) else 0
    return before.tolist(), after.tolist(), fetch


def _by_scores(scores, k=None):
    return np.argsort(-scores)[:k]


_BEFORE_MISTAKES = [
    Mistake(
        lambda s, a, k: before_and_after(s, a, k)[1],
        "`before` is filtered after the cut, like `after`: for {case} it is {got}, and {expected} "
        "were to be had.",
    ),
    Mistake(
        lambda s, a, k: _by_scores(s[a], k),
        "your row numbers count among the allowed rows only: `scores[allowed]` is a shorter array, and "
        "its row 0 is another row. For {case} you return {got}; the rows of `scores` are {expected}.",
    ),
    Mistake(
        lambda s, a, k: _by_scores(s * a, k),
        "you multiply by `allowed`: a row that is not allowed gets the score 0, and that is better than "
        "a negative one. Leave such rows out.",
    ),
    Mistake(
        lambda s, a, k: _by_scores(s)[a][:k],
        "you use `allowed`, which goes by rows, on the ranking, which goes by scores: `ranking[allowed]` "
        "takes the wrong ones. Put both into the same order: `ranking[allowed[ranking]]`.",
    ),
    Mistake(
        lambda s, a, k: [row for row in _by_scores(s * a, k) if a[row]],
        "you multiply by `allowed`: a row that is not allowed gets the score 0, and is before those with "
        "a negative one. For {case} you return {got}; it should be {expected}.",
    ),
    Mistake(
        lambda s, a, k: before_and_after(np.abs(s), a, k)[0],
        "you rank by the absolute values. A similarity of -0.9 is very far away.",
    ),
    Mistake(
        lambda s, a, k: [row for row in _by_scores(s * a) if a[row]][:k],
        "the order is not that of the scores.",
    ),
    Mistake(
        lambda s, a, k: np.argsort(np.where(a, s, np.inf))[: min(k, a.sum())],
        "your order is worst first: `argsort` sorts ascending. Best first was asked for.",
    ),
    Mistake(
        lambda s, a, k: before_and_after(s, a, k)[0][::-1],
        "these are the right rows, worst first. Best first was asked for.",
    ),
    Mistake(
        lambda s, a, k: sorted(before_and_after(s, a, k)[0]),
        "these are the right rows, in the order of their numbers. Best first was asked for.",
    ),
    Mistake(
        lambda s, a, k: np.flatnonzero(a)[:k],
        "these are the first allowed rows, whatever their scores.",
    ),
    Mistake(
        lambda s, a, k: before_and_after(s, a, len(s))[0],
        "`before` is not cut: it holds every allowed row, not the best k.",
    ),
    Mistake(
        lambda s, a, k: _by_scores(np.where(a, s, -np.inf), k),
        "where fewer than k rows are allowed you fill the list with rows that are not. For {case} "
        "you return {got}.",
    ),
    Mistake(
        lambda s, a, k: before_and_after(s, a, k + 1)[0],
        "`before` is one too long: for {case} it is {got}.",
    ),
    Mistake(lambda s, a, k: before_and_after(s, ~a, k)[0], "these rows are *not* allowed."),
    Mistake(
        lambda s, a, k: s[before_and_after(s, a, k)[0]], "these are scores, not rows of `scores`."
    ),
    Mistake(lambda s, a, k: _by_scores(s, k), "nothing is filtered: these are the best k of all."),
    Mistake(
        lambda s, a, k: len(before_and_after(s, a, k)[0]),
        "`before` is a number of rows; the rows themselves were asked for, in a list.",
    ),
]
_AFTER_MISTAKES = [
    Mistake(
        lambda s, a, k: before_and_after(s, a, k)[0],
        "`after` is filtered before the cut, like `before`. Cut first: of the best k, those that are "
        "allowed.",
    ),
    Mistake(
        lambda s, a, k: before_and_after(s, a, len(s))[0],
        "`after` is not cut at all: it holds every allowed row. Only the best k have been fetched.",
    ),
    Mistake(
        lambda s, a, k: _by_scores(s, k), "`after` is not filtered: these are the best k of all."
    ),
    Mistake(
        lambda s, a, k: np.argsort(s)[:k][a[np.argsort(s)[:k]]],
        "`after` begins with the worst: `argsort` sorts ascending.",
    ),
    Mistake(
        lambda s, a, k: _by_scores(s, k)[a[:k]],
        "you take the first k places of `allowed`, which belong to rows 0 to k - 1. You want those of "
        "the rows that were fetched: `allowed[best]`.",
    ),
    Mistake(
        lambda s, a, k: np.flatnonzero(a[_by_scores(s, k)]),
        "`after` holds places in the list of the best k. The rows of `scores` were asked for.",
    ),
    Mistake(
        lambda s, a, k: before_and_after(s, a, k)[1][::-1],
        "`after` holds the right rows, worst first.",
    ),
    Mistake(
        lambda s, a, k: sorted(before_and_after(s, a, k)[1]),
        "`after` holds the right rows, in the order of their numbers. Best first was asked for.",
    ),
    Mistake(
        lambda s, a, k: before_and_after(s, ~a, k)[1],
        "`after` holds the rows that are *not* allowed: those that the filter throws away.",
    ),
    Mistake(
        lambda s, a, k: len(before_and_after(s, a, k)[1]),
        "`after` is a number of rows; the rows themselves were asked for, in a list.",
    ),
    Mistake(
        lambda s, a, k: before_and_after(s, a, k + 1)[1],
        "for `after` you cut one too late: k results are fetched, not k + 1.",
    ),
]
_FETCH_MISTAKES = [
    Mistake(
        lambda s, a, k: before_and_after(s, a, k)[2] - 1,
        "`fetch` is one too small: the place of the last row counts from 0, a number of results from 1. "
        "For {case} it is {expected}.",
    ),
    Mistake(
        lambda s, a, k: max(before_and_after(s, a, k)[2], k),
        "where fewer than k would do you fetch k. The smallest number was asked for: for {case} it is "
        "{expected}.",
    ),
    *(
        Mistake(
            lambda s, a, k, instead=instead: before_and_after(s, a, k)[2] or instead(s, k),
            "when no row is allowed nothing needs to be fetched: `fetch` is 0, not {got}.",
        )
        for instead in (lambda s, k: -1, lambda s, k: k, lambda s, k: len(s))
    ),
    Mistake(
        lambda s, a, k: (found := before_and_after(s, a, k)[2]) and found + 1,
        "`fetch` is one too large: it is {expected} for {case}.",
    ),
    Mistake(
        lambda s, a, k: before_and_after(s, a, k)[2] + 1,
        "`fetch` is one too large: it is {expected} for {case}.",
    ),
    Mistake(
        lambda s, a, k: len(s),
        "you fetch everything. The smallest number was asked for: for {case} it is {expected}.",
    ),
    Mistake(
        lambda s, a, k: (lambda b, _, f: f - len(b))(*before_and_after(s, a, k)),
        "`fetch` counts the rows that the filter throws away. All that are fetched count, those of "
        "`before` as well.",
    ),
    Mistake(
        lambda s, a, k: max(before_and_after(s, a, k)[2], 1),
        "when no row is allowed nothing needs to be fetched: `fetch` is 0, not {got}.",
    ),
    Mistake(
        lambda s, a, k: before_and_after(s, a, k)[2] if a.sum() >= k else len(s),
        "where fewer than k rows are allowed you fetch everything. It suffices to fetch up to the last "
        "allowed one: for {case} that is {expected}.",
    ),
    Mistake(
        lambda s, a, k: before_and_after(s, a, len(s))[2],
        "you fetch up to the last of *all* allowed rows. `before` has k: the k-th of them suffices.",
    ),
    Mistake(
        lambda s, a, k: before_and_after(s, a, 1)[2],
        "you fetch up to the first allowed row; all rows of `before` are wanted.",
    ),
    Mistake(
        lambda s, a, k: k, "`fetch` is k: that is how many were fetched, not how many must be."
    ),
    Mistake(
        lambda s, a, k: int(a.sum()),
        "`fetch` is how many rows are allowed. They stand anywhere in the ranking: how far down is the "
        "last one of `before`?",
    ),
    Mistake(
        lambda s, a, k: len(before_and_after(s, a, k)[0]),
        "`fetch` is the length of `before`. How far down in the ranking of all rows is its last one?",
    ),
    Mistake(
        lambda s, a, k: before_and_after(s, a, k)[2] - k,
        "`fetch` counts the results beyond the first k; all that are fetched count.",
    ),
    *(
        Mistake(
            lambda s, a, k, whole=whole: int(whole(k * len(s) / a.sum())) if a.any() else 0,
            "`fetch` is an estimate: k divided by the share of allowed rows. Good as a first guess for "
            "a filter that has nothing to do with the query; here it can be counted.",
        )
        for whole in (np.round, np.ceil, np.floor)
    ),
    Mistake(
        lambda s, a, k: round(k * len(s) / max(a.sum(), 1)),
        "`fetch` is an estimate: k divided by the share of allowed rows. Good as a first guess for a "
        "filter that has nothing to do with the query; here it can be counted.",
    ),
]


@exercise(
    "5.3",
    level=2,
    title="Before the cut, or after?",
    names=["before_and_after"],
    hints=[
        "`ranking = np.argsort(-scores)` is the list of all rows, best first. What does "
        "`allowed[ranking]` say?",
        "`before` filters the ranking and cuts the rest; `after` cuts the ranking and filters the "
        "rest. Two lines with the same two steps.",
        "`passing = allowed[ranking]`: `before` is `ranking[passing][:k]`, `after` is "
        "`ranking[:k][passing[:k]]`, and `fetch` is the place of the last row of `before` in the "
        "ranking, plus 1 (0 if there is none).",
    ],
)
def exercise_5_3(answer: Answer) -> str:
    """Three results, judged one by one; negative scores, few or no allowed rows, k beyond all."""
    rng = np.random.default_rng(53)

    def case(words, scores, rows, k):
        allowed = np.zeros(len(scores), dtype=bool)
        allowed[rows] = True
        return Case((np.array(scores), allowed, k), words)

    scores = rng.permutation(np.linspace(-0.45, 0.8, 23))
    low = np.argsort(scores)[:9]
    cases = [
        case("23 rows, 9 allowed, k=4", scores, rng.permutation(23)[:9], 4),
        case("17 rows, 8 allowed, k=5", scores[:17], [1, 3, 4, 7, 8, 11, 13, 16], 5),
        case("23 rows, the 9 worst allowed, k=3", scores, low, 3),
        case("12 rows, 2 allowed, k=5", scores[:12], [9, 4], 5),
        case("6 rows, all allowed, k=4", [0.1, -0.3, 0.7, 0.4, -0.1, 0.2], range(6), 4),
        case("7 rows, none allowed, k=3", scores[:7], [], 3),
        case("5 rows, the best 2 allowed, k=4", [0.2, 0.9, -0.5, 0.1, 0.6], [1, 4], 4),
        case("4 rows, 3 allowed, k=10", [0.3, -0.2, 0.5, 0.1], [0, 1, 3], 10),
    ]

    def parts(result):
        if result is None:
            return None
        if not isinstance(result, (tuple, list, np.ndarray)):
            raise Wrong(f"you return {describe(result)}; the task asks for `before, after, fetch`.")
        if len(result) != 3:
            raise Wrong(
                f"you return {len(result)} things; the task asks for three, `before, after, fetch`."
            )
        return result

    def part(place):
        def take(result, *_):
            found = parts(result)
            if found is not None and found[place] is None:
                raise Wrong(
                    f"{('`before`', '`after`', '`fetch`')[place]} is None in what you return. Where no row "
                    "passes, the lists are empty and `fetch` is 0."
                )
            return None if found is None else found[place]

        return Part(answer, take)

    swapped = all(
        parts(result := answer(*c.arguments)) is not None
        and same(result[0], (right := before_and_after(*c.arguments))[1])
        and same(result[1], right[0])
        for c in cases
    )
    if swapped:
        raise Wrong(
            "`before` and `after` are swapped: the filter *before* the cut leaves k rows wherever "
            "there are k."
        )
    parts_asked = (
        ("`before`", _BEFORE_MISTAKES, integers),
        ("`after`", _AFTER_MISTAKES, integers),
        ("`fetch`", _FETCH_MISTAKES, number),
    )
    for place, (what, mistakes, reader) in enumerate(parts_asked):
        try:
            judge(
                part(place),
                cases,
                lambda *arguments, place=place: before_and_after(*arguments)[place],
                mistakes,
                read=lambda value, what=what, reader=reader: reader(value, what),
            )
        except Wrong as wrong:
            said = str(wrong)
            raise Wrong(f"{what}: {said}" if said.startswith("for ") else said) from None
    return (
        "right: you can say what a filter after the cut loses, and what it would cost to mend it."
    )


# 5.4


#: By how much a similarity may be off: more than float32 errs, less than rounding changes.
CLOSE = 1e-5


def above(collection: Any, vector: np.ndarray, threshold: float) -> list[tuple[str, float]]:
    """Return (id, similarity) of all records of a cosine collection from `threshold` on."""
    everything = collection.get(include=["embeddings"])
    return _exactly(everything["ids"], everything["embeddings"], vector, threshold)


def _exactly(ids: list, vectors: np.ndarray, vector: np.ndarray, threshold: float) -> list:
    rows = np.asarray(vectors, dtype=float)
    if not len(rows):
        return []
    query = np.asarray(vector, dtype=float)
    cosines = rows @ query / np.linalg.norm(rows, axis=1) / np.linalg.norm(query)
    order = [row for row in np.argsort(-cosines) if cosines[row] >= threshold - 1e-7]
    return [(ids[row], float(cosines[row])) for row in order]


def read_pairs(value: Any) -> list[tuple[str, float]]:
    """Return `value` as a list of (id, similarity); raise `Wrong` when it is anything else."""
    if isinstance(value, Mapping):
        raise Wrong(
            f"you return {describe(value)}, a dictionary; the task asks for a list of "
            "(id, similarity)."
        )
    if hasattr(value, "__next__"):
        raise Wrong(
            f"you return a {type(value).__name__}, which can be read once and is empty afterwards. "
            "Put list(...) around it."
        )
    if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__"):
        raise Wrong(f"you return {describe(value)}; the task asks for a list of (id, similarity).")
    pairs = []
    for item in value:
        if isinstance(item, str):
            raise Wrong(
                f"your list holds ids ({item!r}), without similarities. The task asks for pairs "
                "(id, similarity)."
            )
        if not isinstance(item, (tuple, list, np.ndarray)) or len(item) != 2:
            raise Wrong(
                f"your list holds {describe(item)}; the task asks for pairs (id, similarity)."
            )
        name, score = item
        if isinstance(score, str) and not isinstance(name, str):
            raise Wrong(
                f"your pairs are {describe(item)}: the id comes first, then its similarity."
            )
        if not isinstance(name, str):
            raise Wrong(
                f"the first of your pairs is {describe(item)}; its id should be a text, such as 'r3'."
            )
        pairs.append((str(name), number(score, f"the similarity of {str(name)!r}")))
    return pairs


def same_pairs(got: list[tuple[str, float]], expected: list[tuple[str, float]]) -> bool:
    """Say whether two lists of (id, similarity) agree; where two similarities differ by less than
    float32 can tell, either order is right.
    """
    if len(got) != len(expected) or dict(got).keys() != dict(expected).keys():
        return False
    right = dict(expected)
    exact = [right[name] for name, _ in got]
    in_order = all(a >= b - 1e-6 for a, b in pairwise(exact))
    return in_order and all(abs(score - right[name]) <= CLOSE for name, score in got)


def _all_pairs(collection: Any, vector: np.ndarray) -> list[tuple[str, float]]:
    return above(collection, vector, -2)


def _kept(keep: Callable[[float, float], bool]) -> Callable:
    return lambda c, v, t: [pair for pair in _all_pairs(c, v) if keep(pair[1], t)]


def _scored(score: Callable[[float], float]) -> Callable:
    """Compare as one should, and return another score."""
    return lambda c, v, t: [(name, score(s)) for name, s in above(c, v, t)]


def _by_products(collection: Any, vector: np.ndarray, threshold: float) -> list:
    got = collection.get(include=["embeddings"])
    products = got["embeddings"] @ vector
    order = np.argsort(-products)
    return [(got["ids"][row], products[row]) for row in order if products[row] >= threshold]


def _to_the_first_below(collection: Any, vector: np.ndarray, threshold: float) -> list:
    pairs = _all_pairs(collection, vector)
    return pairs[: int(np.argmax([s < threshold - 1e-7 for _, s in pairs]))]


ABOVE_MISTAKES = [
    Mistake(
        _to_the_first_below,
        "where no record is below the threshold you return none. Does the place of the first one below "
        "come from `np.argmax`? Among nothing but False that is 0.",
    ),
    Mistake(
        lambda c, v, t: above(c, v, t) or _all_pairs(c, v)[:1],
        "where nothing reaches the threshold you return the best record all the same. The list should "
        "be empty then.",
    ),
    Mistake(
        lambda c, v, t: _all_pairs(c, v)[: len(above(c, v, t)) + 1],
        "you return one record too many: the first one *below* the threshold is in the list.",
    ),
    Mistake(
        lambda c, v, t: [(n, max(s, 0.0)) for n, s in _all_pairs(c, v) if max(s, 0.0) >= t],
        "you make similarities below 0 to 0 before you compare. Cosines can be negative, and thresholds, "
        "too.",
    ),
    Mistake(
        lambda c, v, t: above(c, v, t)[:10],
        "you return 10 records at most: `n_results` is 10 unless you say otherwise, and more than "
        "that are above the threshold.",
    ),
    Mistake(
        _kept(lambda s, t: s > t + 1e-7),
        "a record whose similarity *is* the threshold is missing: `>=`, not `>`.",
    ),
    Mistake(
        lambda c, v, t: [(name, 1 - s) for name, s in above(c, v, t)],
        "the records are right, the second of each pair is Chroma's distance. The similarity is 1 "
        "minus it.",
    ),
    Mistake(
        lambda c, v, t: [(name, 1 - s) for name, s in _all_pairs(c, v) if 1 - s >= t],
        "you compare distances with a threshold for similarities: what is far away has a *large* "
        "distance, so that you return the worst records. Turn distances into similarities first.",
    ),
    Mistake(
        lambda c, v, t: [(name, 1 - s) for name, s in _all_pairs(c, v) if 1 - s <= t],
        "you keep what has a *distance* of at most the threshold. It is one for similarities: "
        "turn distances into similarities first.",
    ),
    Mistake(
        lambda c, v, t: [(name, s) for name, s in _all_pairs(c, v) if 1 - s <= t],
        "you return similarities, but compare the *distance* with the threshold: `distance <= "
        "threshold` is another line than `similarity >= threshold`.",
    ),
    Mistake(
        lambda c, v, t: [(name, s) for name, s in _all_pairs(c, v) if 1 - s >= t],
        "you compare the *distance* with the threshold, and so return the records that should be "
        "rejected.",
    ),
    Mistake(
        _kept(lambda s, t: s <= t), "you return what is *below* the threshold, and reject the rest."
    ),
    Mistake(
        lambda c, v, t: above(c, v, t)[::-1],
        "these are the right records, worst first. Best first was asked for.",
    ),
    Mistake(
        lambda c, v, t: sorted(above(c, v, t)),
        "these are the right records, in the order of their ids. Best first was asked for.",
    ),
    Mistake(
        lambda c, v, t: _all_pairs(c, v),
        "nothing is rejected: you return every record, whatever its similarity.",
    ),
    Mistake(
        lambda c, v, t: _all_pairs(c, v)[:10],
        "nothing is rejected: you return the ten best records, whatever their similarity.",
    ),
    Mistake(
        lambda c, v, t: [(n, 1 - (1 - s) / 2) for n, s in _all_pairs(c, v) if 1 - (1 - s) / 2 >= t],
        "you halve the distance. That is right for squared Euclidean distances; this collection "
        "measures cosine: 1 - distance.",
    ),
    Mistake(
        lambda c, v, t: [(n, 1 / (2 - s)) for n, s in _all_pairs(c, v) if 1 / (2 - s) >= t],
        "1 / (1 + distance) is no cosine. The collection measures cosine: 1 - distance.",
    ),
    Mistake(
        _kept(lambda s, t: s < t - 1e-7),
        "you return what is *below* the threshold, and reject the rest.",
    ),
    Mistake(
        _scored(lambda s: 1 - (1 - s) / 2),
        "the records are right; to return them you halve the distance. In a cosine collection the "
        "similarity is 1 - distance.",
    ),
    Mistake(
        lambda c, v, t: _by_products(c, v, t),
        "these are dot products. The vectors have different lengths: divide by both norms, or let "
        "Chroma measure, whose distance is 1 minus the cosine.",
    ),
    Mistake(
        lambda c, v, t: _by_products(c, v / np.linalg.norm(v), t),
        "you divide by the norm of the query only. The vectors of the records have different lengths, "
        "too: divide by theirs as well, or let Chroma measure.",
    ),
    Mistake(
        lambda c, v, t: [(n, abs(s)) for n, s in _all_pairs(c, v) if abs(s) >= t],
        "your similarities have lost their sign. A cosine of -0.9 is very far away, and you "
        "return it as close.",
    ),
    Mistake(
        _kept(lambda s, t: abs(s) >= t),
        "you compare similarities without their sign. A cosine of -0.9 is very far away.",
    ),
    Mistake(lambda c, v, t: above(c, v, t)[:-1], "the last record that qualifies is missing."),
    Mistake(
        lambda c, v, t: [(n, 100 * s) for n, s in above(c, v, t)],
        "your similarities are in per cent. Cosines go from -1 to 1.",
    ),
    Mistake(
        lambda c, v, t: [(n, round(s, 2)) for n, s in _all_pairs(c, v) if round(s, 2) >= t],
        "you round before you compare, so that what is just below the threshold passes.",
    ),
    *(
        Mistake(
            _scored(lambda s, digits=digits: round(s, digits)),
            "the records are right, but their similarities are rounded. Leave rounding to whoever "
            "prints them.",
        )
        for digits in (1, 2, 3, 4)
    ),
    Mistake(
        _scored(lambda s: max(s, 0.0)),
        "the records are right, but you cut off similarities below 0. Cosines can be negative.",
    ),
    Mistake(
        lambda c, v, t: [pair for pair in _all_pairs(c, v)[:-1] if pair[1] >= t - 1e-7],
        "you never look at the last record: `n_results` is one less than `count()`.",
    ),
    Mistake(
        lambda c, v, t: [name for name, _ in above(c, v, t)],
        "you return ids without their similarities; the task asks for pairs (id, similarity).",
    ),
    Mistake(
        lambda c, v, t: (above(c, v, t) or [None])[0],
        "you return the best pair only; the task asks for a list of all that qualify.",
    ),
]


@exercise(
    "5.4",
    level=2,
    title="Nothing above the line",
    names=["above"],
    hints=[
        "Chroma asks for a number of results, the task for a limit of quality. How many results must "
        "you ask for, so that none is missed?",
        "`collection.count()` is the largest number of results that there can be. Or ask for more and "
        "more until the last one is below the threshold. And what is asked of an empty collection?",
        "Return [] when `count()` is 0. Else query with `query_embeddings=[vector]` and "
        "`n_results=collection.count()`, take entry [0] of ids and of distances, and keep (id, 1 - "
        "distance) where that is at least the threshold.",
    ],
    seconds=40,
)
def exercise_5_4(answer: Answer) -> str:
    """More than ten and more than a thousand above, none, exactly at the line, an empty one."""
    rng = np.random.default_rng(54)
    small, large = rng.normal(size=(40, 8)) * 3, rng.normal(size=(1_150, 4))
    mixed = np.array(
        [[0.5, 0.5, 0.5, 0.5], [3, 0, 0, 0], [0, 2, 0, 0], [-1, 0, 0, 0], [2, 1, 1, 0]]
    )
    queries = rng.normal(size=(3, 8))
    with (
        hidden_collection(small) as some,
        hidden_collection(large) as many,
        hidden_collection(mixed) as few,
        hidden_collection() as empty,
    ):
        cases = [
            Case((some, queries[0], 0.3), "40 records and the threshold 0.3"),
            Case((some, queries[1], -0.1), "40 records and the threshold -0.1"),
            Case((some, queries[2], 0.97), "40 records of which none reaches the threshold 0.97"),
            Case((few, np.array([2.0, 0, 0, 0]), 0.5), "5 records and the threshold 0.5"),
            Case((few, np.array([2.0, 0, 0, 0]), 0.82), "5 records and the threshold 0.82"),
            Case((few, np.array([1.0, 0, 0, 0]), -1.0), "5 records and the threshold -1"),
        ]
        many_above = Case((many, rng.normal(size=4), -0.95), "1,150 records, most of them above")
        judged = answer.fresh()
        settings = {"read": read_pairs, "agree": same_pairs}
        with untouched(some, many, few, empty):
            counted(judged, cases, above, ABOVE_MISTAKES)
            judge(judged, [many_above], above, [cut_mistake(judged, many_above)], **settings)
            _check_empty(judged, empty)
        judged.check_memory()
        judged.check_inputs()
    return "right: all that is similar enough, and nothing else, be it a thousand records or none."


def counted(answer: Any, cases: list[Case], reference: Callable, mistakes: list[Mistake]) -> None:
    """Judge lists of (id, similarity); where no mistake fits, say how many records there are and
    should be, and name one that is too much or missing.
    """
    try:
        judge(answer, cases, reference, mistakes, read=read_pairs, agree=same_pairs)
    except Wrong as wrong:
        answer.check_memory()  # often the cause
        if not str(wrong).startswith("for "):
            raise
        for case in cases:
            got = read_pairs(answer(*case.arguments))
            expected = reference(*case.arguments)
            if not same_pairs(got, expected):
                raise Wrong(_difference(case, got, expected)) from None
        raise


def _difference(case: Case, got: list, expected: list) -> str:
    right, found = dict(expected), dict(got)
    much = [pair for pair in got if pair[0] not in right]
    missing = [pair for pair in expected if pair[0] not in found]
    start = f"for {case} you return {len(got)} records; it should be {len(expected)}."
    if 0 < len(got) < len(expected) and list(found) == list(right)[: len(got)]:
        return (
            f"for {case} you return the best {len(got)} of {len(expected)}. Do you ask Chroma for too few, "
            "or cut off some that qualify?"
        )
    if much:
        return f"{start} {much[0][0]!r}, with the similarity {much[0][1]:.4f}, is too much."
    if missing:
        return f"{start} {missing[0][0]!r}, with the similarity {missing[0][1]:.4f}, is missing."
    if len(found) < len(got):
        return f"{start} Some come more than once."
    for name, score in got:
        if abs(score - right[name]) > CLOSE:
            return (
                f"for {case} these are the right records, but the similarity of {name!r} is "
                f"{right[name]:.6f}, not {score:.6f}."
            )
    return f"for {case} these are the right records in another order. Best first was asked for."


@contextmanager
def untouched(*collections: Any) -> Iterator[None]:
    """Raise `Wrong` when the answer has added to `collections` or deleted from them: what else is
    wrong with it may come of that.
    """
    before = [collection.count() for collection in collections]
    try:
        yield
    finally:
        for collection, count in zip(collections, before, strict=True):
            if collection.count() != count:
                raise Wrong(
                    f"your function changes the collection: it holds {collection.count():,} records "
                    f"afterwards, {count:,} before. A search only reads."
                )


def cut_mistake(answer: Answer, case: Case, reference: Callable = above) -> Mistake:
    """Return the mistake of a fixed number of results, whatever that number is."""
    found = answer(*case.arguments)
    size = len(found) if isinstance(found, (list, tuple)) else 0
    return Mistake(
        lambda *arguments: reference(*arguments)[:size],
        f"for {{case}} you return {size:,} records, and more qualify. A fixed `n_results`, however "
        "large, is too small for some collection: `count()` says how many there are.",
    )


def _check_empty(answer: Answer, empty: Any) -> None:
    case = Case((empty, np.array([1.0, 0.5]), 0.3), "an empty collection")
    try:
        judge(answer, [case], above, read=read_pairs, agree=same_pairs)
    except Wrong as wrong:
        if "requested results" in str(wrong):
            raise Wrong(
                "the collection may be empty: then `count()` is 0, and Chroma refuses a query for 0 "
                "results. Return [] before you ask."
            ) from None
        if "IndexError" in str(wrong):
            said = str(wrong).split("\nIt was called with")[0]
            raise Wrong(f"the collection may be empty, or no record found. Then {said}") from None
        raise


# 5.5


class Watch:
    """Looks over a collection's shoulder: no call may write (or, unless `deletes` are free, delete)
    more than `most` records.

    What it sees stays in `problem`, for an answer may catch the error.
    """

    def __init__(self, collection: Any, most: int, deletes: bool = True) -> None:
        self.collection, self.most, self.problem = collection, most, ""
        self.calls = 0
        for method in ("add", "update", "upsert", *(["delete"] if deletes else [])):
            setattr(collection, method, self._watched(method, getattr(collection, method)))

    def _watched(self, method: str, act: Callable) -> Callable:
        def watched(*arguments: Any, **named: Any) -> Any:
            ids = named.get("ids", arguments[0] if arguments else None)
            size = 1 if isinstance(ids, str) else len(ids) if ids is not None else 0
            before = self.collection.count() if method == "delete" else 0
            result = act(*arguments, **named)
            if method == "delete":
                size = max(size, before - self.collection.count())
            self.calls += 1
            if size > self.most and not self.problem:
                self.problem = (
                    f"you {method} {size} records in one call; `batch_size` allows {self.most}. "
                    f"Give `{method}` one slice of the records after the other."
                )
            return result

        return watched


def record_state(collection: Any) -> dict[str, tuple[str, dict, np.ndarray]]:
    """Return what `collection` holds: text, metadata and vector by id."""
    got = collection.get(include=["documents", "metadatas", "embeddings"])
    return {
        name: (text, metadata, vector)
        for name, text, metadata, vector in zip(
            got["ids"], got["documents"], got["metadatas"], got["embeddings"], strict=True
        )
    }


def check_records(
    collection: Any,
    ids: Sequence[str],
    texts: Sequence[str],
    metadatas: Sequence[Mapping],
    vectors: np.ndarray,
    before: Mapping[str, tuple],
    words: str,
    batch_size: int,
) -> None:
    """Compare the records of `collection` with those that should be in it.

    Parameters
    ----------
    collection
        As the learner's function leaves it.
    ids, texts, metadatas, vectors
        What should be there.
    before : mapping of id to (text, metadata, vector)
        What was there when the function was called.
    words : str
        What the case was, after "for".
    batch_size : int
        As the function was given it.

    Raises
    ------
    Wrong
        With the most likely cause, when anything is missing, left over, old or mixed up.
    """
    now = record_state(collection)
    missing = [name for name in ids if name not in now]
    extra = [name for name in now if name not in ids]
    if missing:
        raise Wrong(_why_missing(missing, list(ids), now, before, words, batch_size))
    different = []
    for place, name in enumerate(ids):
        text, metadata, vector = now[name]
        old = before.get(name)
        wanted = (texts[place], dict(metadatas[place]), np.asarray(vectors[place], dtype=float))
        right = (text == wanted[0], metadata == wanted[1], _close(vector, wanted[2]))
        if all(right):
            continue
        if old is not None and text == old[0] and metadata == old[1] and _close(vector, old[2]):
            raise Wrong(_why_stale(name, wanted, old, words))
        different.append((name, now[name], wanted, right, old))
    if extra:
        if set(before) <= set(now):
            raise Wrong(
                f"for {words} there is still {extra[0]!r} in the collection, which is not among the "
                f"given ids ({len(extra)} such). What is gone from the list must be deleted."
            )
        raise Wrong(
            f"for {words} there are {len(extra)} records too many in the collection, such as "
            f"{extra[0]!r}; others were deleted."
        )
    if different:
        raise Wrong(_why_different(*different[0], words))


def _close(one: Any, other: Any) -> bool:
    one, other = np.asarray(one, dtype=float), np.asarray(other, dtype=float)
    return one.shape == other.shape and np.allclose(one, other, atol=1e-5)


def _why_missing(missing, ids, now, before, words, batch_size) -> str:
    new = [name for name in ids if name not in before]
    lost = f"for {words} {len(missing)} of {len(ids)} records are missing, such as {missing[0]!r}."
    if not now:
        return f"for {words} the collection is empty afterwards; it should hold {len(ids)} records."
    if len(missing) == len(ids) and not now.keys() & before.keys():
        other = next(iter(now))
        return (
            f"for {words} none of the given ids is in the collection; it holds {other!r} and others. Give "
            "each record its own id."
        )
    if before and set(missing) == set(new) and all(name in before for name in now):
        return (
            f"{lost} They are the new ones: `update` changes what is there and says nothing about "
            "other ids. `upsert` adds them, too."
        )
    tail = ids[len(ids) - len(missing) :]
    rest = len(ids) % batch_size
    if len(missing) < len(ids) and set(missing) == set(tail) and len(missing) == rest:
        return (
            f"{lost} They are the last {len(missing)}: the last batch is not full, and it is "
            "forgotten. `range(0, len(ids), batch_size)` begins one there, too."
        )
    if len(ids) - len(missing) <= batch_size and set(missing) == set(ids[: len(missing)]):
        return (
            f"{lost} Only the last batch is left. Does each batch delete what is not in it? Compare "
            "with *all* ids."
        )
    if set(missing) <= set(before):
        return f"{lost} They were there before: you delete what should stay."
    if set(missing) == set(ids[batch_size:]):
        return f"{lost} Only the first batch of {batch_size} was written."
    return lost


def _why_stale(name, wanted, old, words) -> str:
    parts = {
        "text": old[0] != wanted[0],
        "metadata": old[1] != wanted[1],
        "vector": not _close(old[2], wanted[2]),
    }
    changed = [part for part, differs in parts.items() if differs]
    if len(changed) == 1:
        return (
            f"for {words} the record {name!r} still has its old {changed[0]}. Nothing else is new in "
            f"this case: do you skip records whose {' and '.join(part for part in parts if part not in changed)} are as "
            "they were?"
        )
    return (
        f"for {words} the record {name!r} is the old one still. `add` keeps what is there under an id, "
        "and says nothing; `update` and `upsert` replace."
    )


def _why_different(name, found, wanted, right, old, words) -> str:
    where = f"for {words} the record {name!r}"
    text, metadata, vector = found
    if not right[1]:
        if metadata is None:
            return f"{where} has no metadata; it should be {wanted[1]}."
        left = sorted(metadata.keys() - wanted[1].keys())
        kept = all(metadata.get(key) == value for key, value in wanted[1].items())
        if left and kept and left[0] not in ((old and old[1]) or {}):
            return (
                f"{where} has the key {left[0]!r} in its metadata, which it was not given. Store the "
                "metadata as they are."
            )
        if left and kept:
            return (
                f"{where} still has the key {left[0]!r}, which its new metadata has not. `update` and "
                "`upsert` merge old and new metadata: delete the record before you add it, or set such keys to "
                "None."
            )
        if old is not None and metadata == old[1]:
            return f"{where} still has its old metadata, {metadata}; it should be {wanted[1]}."
        types = {key: str(value) for key, value in metadata.items()} == {
            key: str(value) for key, value in wanted[1].items()
        }
        return f"{where} has the metadata {metadata}; it should be {wanted[1]}. " + (
            "Store the values as they are, numbers as numbers."
            if types
            else "Are ids and metadata out of step?"
        )
    if not right[2]:
        if old is not None and _close(vector, old[2]):
            return (
                f"{where} has its new text and metadata, but still its old vector: a search would find "
                "it by what it no longer says."
                if right[0]
                else f"{where} still has its old text and vector."
            )
        length = float(np.linalg.norm(vector) / np.linalg.norm(wanted[2]))
        if _close(vector, length * wanted[2]):
            return (
                f"{where} has a vector of another length ({length:.2f} times as long). Is it normalised? "
                "Store the vectors as they are given."
            )
        if np.allclose(vector, wanted[2], rtol=0.02, atol=0.02):
            return f"{where} has nearly its vector. Is it rounded? Store the vectors as they are given."
        return f"{where} has another vector than it was given. Are ids and vectors out of step?"
    if text is None:
        return f"{where} has no text. Give the texts to Chroma as `documents`."
    if old is not None and text == old[0]:
        return (
            f"{where} has its new vector, but still its old text ({text!r}): a search would find it "
            "and show something else."
        )
    changed = text.casefold().split() == wanted[0].casefold().split()
    why = "Store the texts as they are." if changed else "Are ids and texts out of step?"
    return f"{where} has the text {text!r}; it should be {wanted[0]!r}. {why}"


@exercise(
    "5.5",
    level=3,
    title="In step",
    names=["synchronise"],
    hints=[
        'Compare two lists of ids first: `collection.get(include=[])["ids"]` is what is there. What '
        "must be done with the ids that are in one list only?",
        "Metadata is merged by `update` and `upsert`. The simplest way to forget old keys is to delete "
        "the old records and add the new ones, batch by batch. Chroma refuses empty lists of ids.",
        "`for start in range(0, len(old), batch_size): collection.delete(ids=old[start:start + "
        "batch_size])`, and then a second loop of the same form over the new ids, with `add` and the "
        "four slices of ids, documents, metadatas and embeddings.",
    ],
    seconds=40,
)
def exercise_5_5(answer: Answer) -> str:
    """New, changed, gone and equal records, twice each, in batches; nothing is left of the old."""
    rng = np.random.default_rng(55)

    def records(numbers, keys=("category", "date"), edition=1):
        numbers = list(numbers)
        metadatas = [
            {key: _value(key, n, edition) for key in keys if edition == 1 or key != "date" or n % 2}
            for n in numbers
        ]
        vectors = rng.normal(size=(len(numbers), 5)).astype(np.float32)
        texts = [f"edition {edition} of text {n}" for n in numbers]
        return [f"t{n:02}" for n in numbers], texts, metadatas, vectors

    nothing = ([], [], [], np.empty((0, 5), dtype=np.float32))
    base = records(range(17), keys=("category", "date", "author"))
    only_vectors = (*base[:3], rng.normal(size=(17, 5)).astype(np.float32))
    only_texts = (base[0], [text + ", corrected" for text in base[1]], *base[2:])
    shuffled = _picked(base, rng.permutation(17))
    half_new = tuple(
        np.concatenate([a, b]) if isinstance(a, np.ndarray) else a + b
        for a, b in zip(_picked(base, range(4)), records(range(4, 11), edition=2), strict=True)
    )
    turns = [
        ("an empty collection and 17 records", nothing, base, 5),
        ("17 records of which nothing has changed", base, base, 4),
        ("7 records more than before", _picked(base, range(10)), base, 3),
        ("a list that is 7 records shorter", base, _picked(base, range(3, 13)), 4),
        ("9 records of which all are new versions", base, records(range(4, 13), edition=2), 4),
        ("17 records with the same texts and new vectors", base, only_vectors, 6),
        ("17 records with new texts only", base, only_texts, 8),
        ("4 old and 7 new versions", shuffled, half_new, 3),
        ("6 records, none of which was there", _picked(base, range(8)), records(range(30, 36)), 50),
        ("an empty list of records", _picked(base, range(7)), nothing, 3),
    ]
    for words, old, new, batch_size in turns:
        _check_turn(answer.fresh(), f"{words}, batch_size={batch_size},", old, new, batch_size)
    return "right: after each call the collection holds what you say, and only that."


def _value(key: str, n: int, edition: int) -> str | int:
    day = 20240100 + n + edition
    return day if key == "date" else f"{key} {n % 3 + (edition - 1) * 3}"


def _picked(records: tuple, rows: Sequence[int]) -> tuple:
    return tuple(
        part[list(rows)] if isinstance(part, np.ndarray) else [part[row] for row in rows]
        for part in records
    )


def _check_turn(answer: Answer, words: str, old: tuple, new: tuple, batch_size: int) -> None:
    columns = dict(zip(("ids", "documents", "metadatas"), old, strict=False))
    with hidden_collection(old[3], **columns) as collection:
        before = record_state(collection)
        watch = Watch(collection, batch_size)
        for turn in range(2):
            told = words if turn == 0 else f"the same call a second time ({words.rstrip(',')})"
            try:
                answer(collection, *new, batch_size)
            except Wrong as wrong:
                raise Wrong(_chroma_refused(str(wrong), told)) from None
            if watch.problem:
                raise Wrong(watch.problem)
            check_records(collection, *new, before, told, batch_size)
            before = record_state(collection)
        answer.check_inputs()


def _chroma_refused(said: str, words: str) -> str:
    """Explain the errors that Chroma raises for what is empty or given twice."""
    said = said.split("\nIt was called with")[0]
    if "non-empty" in said:
        return (
            f"for {words.rstrip(',')}, {said}\nThere may be nothing to delete, or nothing to write, and "
            "Chroma refuses empty lists."
        )
    if "duplicates" in said:
        return f"for {words.rstrip(',')}, {said}\nAn id comes twice in one call."
    return f"for {words.rstrip(',')}, {said}"
