"""The checks of practice 05, ChromaDB."""

from __future__ import annotations

import uuid
import weakref
from collections import Counter
from collections.abc import Mapping
from typing import Any

from helpers.checks.reading import plain_numbers

CHANGES = ("add", "update", "upsert", "delete")
#: What a collection holds: id → (text, metadata, vector as a list of numbers).
Records = dict[str, tuple[str | None, dict | None, list[float]]]


class Hidden:
    """A cosine collection of ours, for an answer to work on. It does all that a Chroma collection
    does, and is made in Chroma when it is first asked for anything but its `records`, so that
    references and mistakes, which work on `records` alone, cost nothing. It is deleted when nobody
    has it any more.

    Parameters
    ----------
    records : mapping
        What it holds at first.
    real : Chroma collection, optional
        An existing one, to look over its shoulder.
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
        return self._counting(name, found) if name in CHANGES else found

    def _made(self) -> Any:
        from helpers.store import connect

        client = connect()
        real = client.create_collection(
            f"check-{uuid.uuid4().hex}",
            embedding_function=None,
            configuration={"hnsw": {"space": "cosine", "ef_search": 400}},
        )
        weakref.finalize(self, client.delete_collection, real.name).atexit = False
        if self.records:
            texts, metadatas, vectors = zip(*self.records.values(), strict=True)
            real.add(
                ids=list(self.records),
                embeddings=list(vectors),
                documents=list(texts) if any(texts) else None,
                metadatas=list(metadatas) if any(metadatas) else None,
            )
        return real

    def _counting(self, name: str, act: Any) -> Any:
        def counted(*arguments: Any, **named: Any) -> Any:
            before = self._real.count()
            result = act(*arguments, **named)
            ids = named.get("ids", arguments[0] if arguments else None)
            size = 1 if isinstance(ids, str) else len(ids) if ids is not None else 0
            size = max(size, before - self._real.count())
            self.largest[name] = max(self.largest[name], size)
            return result

        return counted


def hidden_collection(vectors: Mapping, texts: Any = (), metadatas: Any = ()) -> Hidden:
    """Return a fresh collection of `vectors` by id, with texts and metadata in the same order,
    where there are any."""
    empty = [None] * len(vectors)
    columns = zip(texts or empty, metadatas or empty, vectors.values(), strict=True)
    return Hidden(
        {
            name: (text, metadata, plain_numbers(vector).tolist())
            for name, (text, metadata, vector) in zip(vectors, columns, strict=True)
        }
    )


def records_of(collection: Any) -> Records:
    """Return what a collection holds now, ours or any of Chroma's."""
    if isinstance(collection, Hidden) and collection._real is None:
        return collection.records
    got = collection.get(include=["documents", "metadatas", "embeddings"])
    columns = (got["documents"], got["metadatas"], got["embeddings"].tolist())
    return dict(zip(got["ids"], zip(*columns, strict=True), strict=True))
