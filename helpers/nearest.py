"""Records of a collection read in pages, and the nearest of them: by its index, or by comparing with every one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from helpers.records import Hit, Record, from_chroma, unit_vectors

if TYPE_CHECKING:
    from chromadb.api.models.Collection import Collection

#: Records sent or fetched at once, where the client allows as many.
BATCH = 1_000
#: Results in one call: Chroma fails at about 32,700.
RESULTS = 30_000


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
