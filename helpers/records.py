"""What goes into a store and comes out of it: checked ids, vectors, metadata, filters; pages of records, and the nearest of them.

A date in one of a collection's date fields is stored as a number whose order is that of the days, for Chroma has no dates:
15 January 2024 is 20240115.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.clients import StoreError
from helpers.encoding import check_texts, encode

if TYPE_CHECKING:
    from chromadb.api.models.Collection import Collection

#: Records sent or fetched at once, where the client allows as many.
BATCH = 1_000
#: Results in one call: Chroma fails at about 32,700.
RESULTS = 30_000
PROBE = "The lighthouse keeper counts the ships that pass at night."
_COMPARE = ("$gt", "$gte", "$lt", "$lte")
_SEVERAL = ("$in", "$nin")
_OPERATORS = ("$eq", "$ne", *_COMPARE, *_SEVERAL, "$contains", "$not_contains")


@dataclass(frozen=True, slots=True)
class Record:
    """What is kept under an id; `metadata` has dates as dates, `vector` has shape (dimension,), float32 and norm 1."""

    id: str
    document: str
    metadata: dict[str, Any]
    vector: np.ndarray = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Hit:
    """A record found; `score` is its cosine similarity to the query, from -1 to 1, larger is better."""

    id: str
    document: str
    metadata: dict[str, Any]
    score: float

    def __repr__(self) -> str:
        return f"Hit(score={self.score:.2f}, id={self.id!r}, document={self.document!r})"


def check_ids(ids: Iterable[str]) -> list[str]:
    """Return `ids` as a list of strings, none of them empty, each there once."""
    ids = check_texts(ids, "ids")
    if "" in ids:
        raise StoreError(f"ids[{ids.index('')}] is empty; every record needs an id")
    if len(set(ids)) < len(ids):
        seen: set[str] = set()
        twice = [i for i in ids if i in seen or seen.add(i)]
        raise StoreError(f"ids given twice: {some(twice)}. Give each once")
    return ids


def check_vectors(vectors, dimension: int, what: str) -> np.ndarray:
    """Return `vectors`, called `what` in messages, as float32 of shape (n, dimension) and norm 1. TypeError for what is no array
    of numbers; StoreError for another shape, and for a vector that holds NaN or infinity, or is zero."""
    expected = f"give numbers of shape (n, {dimension})"
    try:
        array = np.asarray(vectors)
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(f"{what} is no array ({error}); {expected}") from error
    if array.size and array.dtype.kind not in "fiu":
        kind = type(vectors).__name__
        raise TypeError(f"{what} is a {kind} that is no array of numbers; {expected}")
    if array.ndim != 2 or array.shape[1] != dimension:
        raise StoreError(f"{what} has shape {array.shape}; {expected}")
    bad = np.flatnonzero(~np.isfinite(array).all(axis=1))
    if len(bad):
        raise StoreError(f"{what}[{bad[0]}] holds NaN or infinity; encode its text again")
    zero = np.flatnonzero(~array.any(axis=1))
    if len(zero):
        raise StoreError(f"{what}[{zero[0]}] is zero: it has no direction, and no cosine")
    return unit_vectors(array)


def checked_rows(ids, documents, vectors, metadatas, store) -> dict[str, Any]:
    """Return what was given for some records as the arguments of a call to Chroma, all checked for `store`."""
    rows: dict[str, Any] = {"ids": check_ids(ids)}
    if documents is not None:
        rows["documents"] = check_texts(documents, "documents")
    if vectors is not None:
        rows["embeddings"] = check_vectors(vectors, store.dimension, "vectors")
    if metadatas is not None:
        if isinstance(metadatas, str | Mapping) or hasattr(metadatas, "columns"):
            what = f"metadatas is a {type(metadatas).__name__}; give a list, a dict for each id"
            raise TypeError(f'{what} (of a table: metadatas.to_dict("records"))')
        rows["metadatas"] = [
            to_chroma(m, store.date_fields, f"metadatas[{i}]") for i, m in enumerate(metadatas)
        ]
    for what, column in rows.items():
        if len(column) != len(rows["ids"]):
            what = "vectors" if what == "embeddings" else what
            numbers = f"{len(rows['ids'])} ids and {len(column)} {what} were given"
            raise StoreError(f"{numbers}; give one for each")
    return rows


def unit_vectors(vectors) -> np.ndarray:
    """Return `vectors` as float32 with norm 1, however small or large; those that have it stay as they are, bit by bit."""
    array = np.asarray(vectors, dtype=np.float64)
    largest = np.abs(array).max(axis=1, keepdims=True)
    scaled = array / np.where(largest > 0, largest, 1)
    norms = np.linalg.norm(scaled, axis=1, keepdims=True)
    done = np.abs(norms * largest - 1) < 1e-6
    return np.where(done, array, scaled / np.where(norms > 0, norms, 1)).astype(np.float32)


# --- metadata and filters ------------------------------------------------------------------------------------------


def to_chroma(
    metadata: Mapping[str, Any] | None, dates: Sequence[str], where: str
) -> dict[str, Any]:
    """Return `metadata`, called `where` in messages, as Chroma takes it, all checked. Values are str, int, float, bool, a list of
    one of these, or, in the fields `dates`, `datetime.date`; None stays None, and removes a key where there is one. TypeError or
    ValueError for what Chroma cannot store, or would store as something else."""
    if metadata is None:
        return {}
    if not isinstance(metadata, Mapping):
        raise TypeError(f"{where} is a {type(metadata).__name__}; give a dict or None")
    result = {}
    for key, value in metadata.items():
        if not isinstance(key, str) or not key or key[0] in "$#" or key == "chroma:document":
            how = "give a name that does not begin with $ or #"
            raise ValueError(f"{where} has the key {key!r}; {how}")
        _check_text(key, f"{where}, the key {key!r},")
        place = f"{where}[{key!r}]"
        if isinstance(value, list | tuple | np.ndarray):
            result[key] = _values(value, key, dates, place)
        else:
            result[key] = None if value is None else _value(value, key, dates, place)
    return result


def from_chroma(metadata: Mapping[str, Any] | None, dates: Sequence[str]) -> dict[str, Any]:
    """Return stored `metadata` with dates as dates, keys in alphabetical order."""

    def day(value):
        if isinstance(value, list):
            return [day(each) for each in value]
        return date(value // 10_000, value // 100 % 100, value % 100)

    items = sorted((metadata or {}).items())
    return {key: day(value) if key in dates else value for key, value in items}


def where_filter(where: Mapping[str, Any], dates: Sequence[str]) -> dict | None:
    """Return the filter `where` as Chroma takes it: one condition a dict, joined by ``$and``; dates as numbers; None for none.
    TypeError or ValueError for a filter that Chroma refuses, or that can find nothing."""
    if not isinstance(where, Mapping):
        what = f"where is a {type(where).__name__}"
        raise TypeError(f"{what}; give a dict such as {{'category': 'food'}}")
    conditions: list[dict] = []
    for key, wanted in where.items():
        if key in ("$and", "$or"):
            if not isinstance(wanted, list | tuple) or not wanted:
                raise ValueError(f"{key} needs a list of filters, {wanted!r} was given")
            parts = [where_filter(each, dates) for each in wanted]
            if key == "$or" and None in parts:
                continue  # one of the alternatives always holds
            parts = [part for part in parts if part is not None]
            conditions += parts if key == "$and" or len(parts) == 1 else [{"$or": parts}]
        elif not isinstance(key, str) or key.startswith("$"):
            what = f"where has {key!r} in the place of a key"
            raise ValueError(f"{what}; here a name, $and or $or may stand")
        else:
            operators = wanted if isinstance(wanted, Mapping) else {"$eq": wanted}
            if not operators:
                how = "give a value or an operator such as {'$gte': 3}"
                raise ValueError(f"where[{key!r}] is empty; {how}")
            checked = ((o, _operand(o, value, key, dates)) for o, value in operators.items())
            conditions += [{key: {operator: value}} for operator, value in checked]
    if not conditions:
        return None
    return conditions[0] if len(conditions) == 1 else {"$and": conditions}


def _operand(operator: str, value, key: str, dates: Sequence[str]):
    place = f"where[{key!r}]"
    if operator not in _OPERATORS:
        there = ", ".join(_OPERATORS)
        raise ValueError(f"{place} has the operator {operator!r}; there are {there}")
    if operator in _SEVERAL:
        if isinstance(value, str) or not isinstance(value, Iterable):
            raise TypeError(f"{place}: {operator} needs a list of values, {value!r} was given")
        return _values(value, key, dates, place)
    value = _value(value, key, dates, place)
    if operator in _COMPARE and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise TypeError(f"{place}: {operator} compares numbers and dates, {value!r} was given")
    return value


def _values(values: Iterable, key: str, dates: Sequence[str], place: str) -> list:
    checked = [_value(each, key, dates, f"{place}, item {i},") for i, each in enumerate(values)]
    if not checked or len({type(each) for each in checked}) > 1:
        how = "a list needs one value or more, all of one type. For an empty one leave the key out"
        raise ValueError(f"{place} is {values!r}; {how}")
    return checked


def _value(value, key: str, dates: Sequence[str], place: str) -> str | int | float | bool:
    """Return one value as Chroma takes it: a plain str, int, float or bool."""
    if isinstance(value, np.generic):
        value = value.item()
    kind = type(value).__name__
    if isinstance(value, datetime):  # pandas' Timestamp and NaT are datetimes too
        if kind == "NaTType":
            raise TypeError(f"{place} is NaT, a missing date: leave the key out")
        how = "Give .date() in a date field, or .timestamp(), a number, in another field"
        raise TypeError(f"{place} is a datetime; its time of day would be lost. {how}")
    if isinstance(value, date):
        if key not in dates:
            what = f"{key!r} is not one of the collection's date fields {list(dates)}"
            how = "Name it in date_fields when you create the collection"
            raise TypeError(f"{place} is a date, but {what}. {how}")
        return value.year * 10_000 + value.month * 100 + value.day
    if key in dates:
        how = f"{key!r} is a date field: give a datetime.date"
        raise TypeError(f"{place} is {value!r}, a {kind}; {how}")
    if not isinstance(value, str | int | float):
        how = "give a str, int, float, bool, date, or a list of one of them"
        raise TypeError(f"{place} is a {kind}; {how}")
    if isinstance(value, float) and not math.isfinite(value):
        how = "Chroma would drop the key without a word. Leave it out"
        raise ValueError(f"{place} is {value}: {how}")
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError(f"{place} is {value}: Chroma's integers have 64 bits. Store it as a str")
    if isinstance(value, str):
        return _check_text(value, place)
    return value


def _check_text(text: str, place: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        what = f"{place} has half of a surrogate pair at character {error.start}: an emoji that was cut in two"
        how = "text.encode('utf-16', 'surrogatepass').decode('utf-16', 'replace')"
        raise ValueError(f"{what}. To put a mark in its place: {how}") from None
    return str(text)


def some(items: Sequence[str], most: int = 5) -> str:
    """Return the first of `items` for a message, and how many more there are."""
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return ", ".join(map(repr, items[:most])) + more


def one_of(name: str, value, *allowed: str) -> None:
    """Check that `value` is one of `allowed`."""
    if value not in allowed:
        raise ValueError(f"{name}={value!r}: give {', '.join(map(repr, allowed))}")


def whole(name: str, value) -> int:
    """Return `value` if it is a whole number from 1 up."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ValueError(f"{name}={value!r}: give a whole number from 1 up")
    return int(value)


# --- encoders ----------------------------------------------------------------------------------------------------


def probe_of(encoder, dimension: int) -> str:
    """Return the first numbers of the probe sentence's vector, as JSON."""
    if not hasattr(encoder, "encode"):
        raise TypeError(f"encoder is a {type(encoder).__name__}; give a loaded SentenceTransformer")
    vector = encoded([PROBE], encoder, "document")[0]
    if len(vector) != dimension:
        what = f"the encoder makes vectors of {len(vector)}, the collection is for {dimension}"
        raise StoreError(f"{what}. Load the right model")
    return json.dumps([round(float(x), 4) for x in vector[:32]])


def encoded(texts: list[str], encoder, kind, show: bool | None = False) -> np.ndarray:
    """Return the encoder's vectors; for documents from the course's cache, where one can tell which encoder this is."""
    known = hasattr(encoder, "state_dict") or bool(getattr(encoder, "cache_key", None))
    cache = known and kind == "document"
    return encode(texts, encoder, kind=kind, cache=cache, show_progress=show)


# --- out of a collection --------------------------------------------------------------------------------------------


def pages(collection: Collection, ids: Sequence[str], include: list[str]) -> Iterator[Mapping]:
    """Yield what `collection` has of the records `ids`, a thousand at a time, each page in Chroma's order."""
    for start in range(0, len(ids), BATCH):
        yield collection.get(ids=list(ids[start : start + BATCH]), include=include)


def records_of(page: Mapping, dates: Sequence[str]) -> Iterator[Record]:
    """Yield the records in a page; the fields `dates` hold dates."""
    columns = (page[name] for name in ("ids", "documents", "metadatas", "embeddings"))
    for i, text, metadata, vector in zip(*columns, strict=True):
        yield Record(
            i, text or "", from_chroma(metadata, dates), np.asarray(vector, dtype=np.float32)
        )


def all_vectors(collection: Collection) -> np.ndarray:
    """Return the vectors of all records with norm 1, shape (records, dimension)."""
    ids = collection.get(include=[])["ids"]
    found = pages(collection, ids, ["embeddings"])
    return np.vstack([unit_vectors(page["embeddings"]) for page in found])


def by_index(
    collection: Collection, vectors: np.ndarray, top_k: int, dates: Sequence[str], filters: Mapping
) -> list[list[Hit]]:
    """Return what the index gives for each vector, best first: fast, and not always the nearest."""
    found, step = [], RESULTS // top_k
    names = ["documents", "metadatas", "distances"]
    for start in range(0, len(vectors), step):
        part = vectors[start : start + step]
        answer = collection.query(query_embeddings=part, n_results=top_k, include=names, **filters)
        for rows in zip(*(answer[name] for name in ("ids", *names)), strict=True):
            hits = [
                Hit(i, text or "", from_chroma(metadata, dates), 1 - distance)
                for i, text, metadata, distance in zip(*rows, strict=True)
            ]
            found.append(sorted(hits, key=_rank))
    return found


def by_comparison(
    collection: Collection,
    ids: Sequence[str],
    vectors: np.ndarray,
    top_k: int | None,
    threshold: float | None,
    dates: Sequence[str],
) -> list[list[Hit]]:
    """Return the best of the records `ids` for each vector, best first, after comparing with each of them."""
    names: list[str] = []
    parts = [np.empty((len(vectors), 0), dtype=np.float32)]
    for page in pages(collection, ids, ["embeddings"]):
        names += page["ids"]
        parts.append(vectors @ unit_vectors(page["embeddings"]).T)
    scores, chosen = np.concatenate(parts, axis=1), []
    for row in scores:
        good = np.flatnonzero(row >= (-math.inf if threshold is None else threshold))
        if top_k is not None and top_k < len(good):
            good = good[np.argpartition(-row[good], top_k - 1)[:top_k]]
        chosen.append(good)
    content = {}
    wanted = [names[i] for i in np.unique(np.concatenate(chosen))]
    for page in pages(collection, wanted, ["documents", "metadatas"]):
        rows = zip(page["ids"], page["documents"], page["metadatas"], strict=True)
        content |= {i: (text or "", from_chroma(metadata, dates)) for i, text, metadata in rows}
    found = []
    for row, good in zip(scores, chosen, strict=True):
        there = [i for i in good if names[i] in content]
        hits = [Hit(names[i], *content[names[i]], float(row[i])) for i in there]
        found.append(sorted(hits, key=_rank))
    return found


def has_copies(collection: Collection, vectors: np.ndarray, many: int) -> bool:
    """Say whether the collection has `many` vectors equal to the one that is commonest in `vectors`."""
    distinct, counts = np.unique(vectors, axis=0, return_counts=True)
    commonest = distinct[counts.argmax()][None]
    answer = collection.query(query_embeddings=commonest, n_results=many, include=["distances"])
    distances = answer["distances"][0]
    return len(distances) == many and max(distances) < 1e-6


def _rank(hit: Hit) -> tuple[float, str]:
    return -hit.score, hit.id
