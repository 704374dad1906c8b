"""Stores out of Chroma and into it again: as JSON lines, and out of a folder whose index is damaged.

>>> export_store(store, "letters.jsonl")
>>> store = import_store(client, "letters.jsonl", exists="refuse")
>>> recover("my_store", "my_store_mended")
{'letters': 3200}

Chroma saves an index every 1,000 records, file after file, in place. A process that is killed meanwhile leaves files that do not
fit together, and then the collection cannot be opened. Its database has the ids, texts and metadata all the same, and the vectors
since the last save that succeeded; the others are made again from their texts.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from helpers.cache import replacing
from helpers.clients import DATABASE, LOCK, StoreError, connect
from helpers.models import find_card, load_model
from helpers.records import BATCH, Record, from_chroma, one_of
from helpers.store import Store, open_store

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from sentence_transformers import SentenceTransformer

_FORMAT = {"kind": "search-by-meaning store", "format": 1, "space": "cosine"}
_HEADER = {*_FORMAT, "name", "model", "revision", "dimension", "date_fields", "records"}


def export_store(store: Store, path: str | Path) -> int:
    """Write everything in `store` to `path` as JSON lines and return how many records there are; StoreError when their number
    changed meanwhile.

    The first line tells model, revision, dimension, space, date fields and the number of records. Each further line is one
    record: id, document, metadata (dates as ``"2024-01-15"``), vector. An older file is replaced when the new one is complete.
    """
    count, written = len(store), 0
    about = ("name", "model", "revision", "dimension", "date_fields")
    header = _FORMAT | {key: getattr(store, key) for key in about} | {"records": count}
    with replacing(Path(path)) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write(json.dumps(header, ensure_ascii=False) + "\n")
        for written, record in enumerate(store.records(), 1):  # noqa: B007
            line = {"id": record.id, "document": record.document, "metadata": record.metadata}
            # The shortest digits that give the same float32.
            line["vector"] = [float(str(x)) for x in record.vector]
            file.write(json.dumps(line, ensure_ascii=False, default=date.isoformat) + "\n")
        if written != count:
            what = f"{store.name!r} changed during the export ({count} records, then {written})"
            raise StoreError(f"{what}. Export again when nobody writes")
    return written


def import_store(
    client: ClientAPI,
    path: str | Path,
    *,
    exists: Literal["recreate", "refuse"],
    name: str | None = None,
    encoder: SentenceTransformer | None = None,
) -> Store:
    """Make a collection of what `export_store` wrote, in any client, and return its store. If there is such a collection,
    ``"recreate"`` it, or ``"refuse"``; `name` None stands for the name that it had; `encoder` as in `open_store`.

    Raises FileNotFoundError when there is no such file; StoreError when it is no export, damaged or incomplete. The whole file is
    checked before anything is written.
    """
    one_of("exists", exists, "recreate", "refuse")
    path = Path(path)
    header, *ids = (line if number == 0 else line[0] for number, line in enumerate(_read(path)))
    if len(set(ids)) < len(ids):
        raise StoreError(f"{path} is damaged: an id stands in it twice. Nothing was written")
    if len(ids) != header["records"]:
        what = f"{path} is incomplete: {header['records']} records expected, {len(ids)} found"
        raise StoreError(f"{what}. Nothing was written")
    about = {key: header[key] for key in ("revision", "dimension", "date_fields")}
    store = open_store(
        client, name or header["name"], header["model"], exists=exists, encoder=encoder, **about
    )
    lines = islice(_read(path), 1, None)
    while part := list(islice(lines, BATCH)):
        ids, documents, metadatas, vectors = zip(*part, strict=True)
        store.add(ids, documents, np.array(vectors), metadatas)
    return store


def _read(path: Path) -> Iterator:
    """Yield the header of an export, then (id, document, metadata, vector) of each record."""
    header: dict = {}
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                entry = json.loads(line)
                if number == 1:
                    if _HEADER - set(entry) or {key: entry[key] for key in _FORMAT} != _FORMAT:
                        raise ValueError(f"{line[:100]!r} is no header such as {_FORMAT}")
                    header = entry
                    yield header
                    continue
                vector = np.array(entry["vector"], dtype=np.float32)
                if vector.shape != (header["dimension"],) or not np.isfinite(vector).all():
                    what = f"a vector of shape {vector.shape}"
                    raise ValueError(f"{what}, not {header['dimension']} finite numbers")
                metadata = {
                    key: _dates(value) if key in header["date_fields"] else value
                    for key, value in entry["metadata"].items()
                }
                yield entry["id"], entry["document"], metadata, vector
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                what = f"{path}, line {number}: not what export_store writes"
                why = f"({type(error).__name__}: {error})"
                raise StoreError(f"{what} {why}. Nothing was written") from error
    if not header:
        raise StoreError(f"{path} is empty")


def _dates(value):
    if isinstance(value, list):
        return [date.fromisoformat(each) for each in value]
    return date.fromisoformat(value)


# --- recovery ---------------------------------------------------------------------------------------------------------


@dataclass
class _Remains:
    """What a database has of a collection; `vectors` of some of the ids."""

    name: str
    about: dict[str, Any]
    ids: list[str]
    documents: list[str]
    metadatas: list[dict]
    vectors: dict[str, np.ndarray]


def recover(
    folder: str | Path, into: str | Path, *, encoder: SentenceTransformer | None = None
) -> dict[str, int]:
    """Make the stores in `folder` again in the folder `into`, without their indexes, and return how many records each has.

    `folder`, which no process may have open, stays as it is; `into` is new, or empty. Ids, texts and metadata come from Chroma's
    database. So do the vectors since the index was last saved; the others are encoded again from the texts, by `encoder` for a
    model that is not one of the course's. What `helpers.encoding.encode` encoded before comes from its cache. A batch that was
    being written when its process was killed may be missing. A collection that `open_store` did not make is left out with a
    RuntimeWarning, for nobody knows its model.

    Raises StoreError when `folder` has no readable database or is open, when `into` is not empty, or when vectors are missing and
    `encoder` is not the model that made the others. Nothing is left in `into` then.
    """
    folder, into = (Path(path).expanduser().resolve() for path in (folder, into))
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise StoreError(f"{into} is not empty; give a new folder, and {folder} stays as it is")
    remains = _read_database(folder)
    try:
        with connect(into) as client:
            return {each.name: _rebuild(client, each, encoder) for each in remains}
    except BaseException:
        shutil.rmtree(into, ignore_errors=True)
        raise


def _rebuild(client: ClientAPI, remains: _Remains, encoder) -> int:
    about, known = remains.about, remains.vectors
    texts = dict(zip(remains.ids, remains.documents, strict=True))
    missing = [i for i in remains.ids if i not in known]
    if missing and encoder is None:
        card = find_card(about["model"])
        if card is None or card.revision != about["revision"]:
            what = f"{len(missing)} of {len(texts)} vectors of {remains.name!r}"
            how = f"Give encoder=, the loaded {about['model']} (revision {about['revision']})"
            raise StoreError(f"{what} were in the index only. {how}, to make them again")
        encoder = load_model(card.name)
    same = {key: about[key] for key in ("model", "revision", "dimension")}
    same["date_fields"] = json.loads(about["date_fields"])
    encoder = encoder if missing else None
    store = open_store(client, remains.name, exists="refuse", encoder=encoder, **same)
    if missing:
        sample = [Record(i, texts[i], {}, known[i]) for i in list(known)[:8]]
        probe = client.get_collection(remains.name, embedding_function=None).metadata["probe"]
        same = np.allclose(json.loads(probe), json.loads(about.get("probe", probe)), atol=0.01)
        if not same or (sample and not store.encodes(sample)):
            what = f"the encoder is not the {about['model']} that filled {remains.name!r}"
            raise StoreError(f"{what}, or its vectors were not made of its texts")
        known = known | dict(zip(missing, store.encode([texts[i] for i in missing]), strict=True))
    vectors = np.array([known[i] for i in remains.ids]).reshape(-1, store.dimension)
    dates = store.date_fields
    metadatas = [from_chroma(metadata, dates) for metadata in remains.metadatas]
    return store.add(remains.ids, remains.documents, vectors, metadatas)


def _read_database(folder: Path) -> list[_Remains]:
    """Read what Chroma's database in `folder` has of each store, from a copy."""
    from filelock import FileLock, Timeout

    if not (folder / DATABASE).is_file():
        raise StoreError(f"there is no {DATABASE} in {folder}; give the folder of a store")
    if (folder / LOCK).exists():
        try:
            FileLock(folder / LOCK).acquire(blocking=False).lock.release()
        except Timeout:
            raise StoreError(f"a process has {folder} open; close it first") from None
    with TemporaryDirectory() as temporary:
        for path in folder.glob(f"{DATABASE}*"):  # with its journal: a write that was cut off
            shutil.copy(path, temporary)
        try:
            with closing(sqlite3.connect(Path(temporary, DATABASE))) as database:
                return list(_collections(database))
        except sqlite3.DatabaseError as error:
            raise StoreError(f"{folder / DATABASE} cannot be read ({error})") from error


def _collections(database: sqlite3.Connection) -> Iterator[_Remains]:
    for key, name in database.execute("SELECT id, name FROM collections ORDER BY name"):
        columns = "key, str_value, int_value, float_value, bool_value"
        query = f"SELECT 0, {columns} FROM collection_metadata WHERE collection_id = ?"
        about = _values(database.execute(query, (key,))).get(0, {})
        if not {"model", "revision", "dimension", "date_fields"} <= set(about):
            what = f"{name!r} is left out: open_store did not make it, and its model is not known"
            warnings.warn(what, RuntimeWarning, stacklevel=4)
            continue
        here = "FROM embeddings e JOIN segments s ON s.id = e.segment_id WHERE s.collection = ?"
        columns = "key, string_value, int_value, float_value, bool_value"
        rows = dict(database.execute(f"SELECT e.id, embedding_id {here} ORDER BY e.id", (key,)))
        values = {row: {} for row in rows}
        for table, several in (("embedding_metadata", False), ("embedding_metadata_array", True)):
            query = f"SELECT id, {columns} FROM {table} WHERE id IN (SELECT e.id {here})"
            query += " ORDER BY rowid"
            for row, found in _values(database.execute(query, (key,)), several).items():
                values[row] |= found
        documents = [values[row].pop("chroma:document", None) or "" for row in rows]
        # What the database has taken in; later entries of the log belong to no finished call.
        query = """SELECT q.id, q.vector FROM embeddings_queue q WHERE q.topic LIKE '%/' || ?1 AND q.vector IS NOT NULL
            AND q.seq_id <= (SELECT max(m.seq_id) FROM max_seq_id m JOIN segments s ON s.id = m.segment_id
            WHERE s.collection = ?1 AND s.scope = 'METADATA') ORDER BY q.seq_id"""
        log = {i: np.frombuffer(v, dtype="<f4") for i, v in database.execute(query, (key,))}
        ids = list(rows.values())
        vectors = {i: log[i] for i in ids if i in log}
        yield _Remains(name, about, ids, documents, list(values.values()), vectors)


def _values(rows, several: bool = False) -> dict[int, dict[str, Any]]:
    """Return {row: {key: value}}, or lists of values, from columns that hold one type each."""
    result: dict[int, dict[str, Any]] = {}
    for row, key, *columns, boolean in rows:
        value = next((v for v in columns if v is not None), None)
        value = bool(boolean) if boolean is not None else value
        here = result.setdefault(row, {})
        if several:
            here.setdefault(key, []).append(value)
        else:
            here[key] = value
    return result
