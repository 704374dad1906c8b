"""A store for vectors, texts and metadata over a ChromaDB client, embedded or server alike.

>>> with connect("my_store") as client:
...     store = open_store(client, "letters", "all-MiniLM-L6-v2", exists="recreate", date_fields=["date"])
...     store.add(["a"], ["The ferry is late."], vectors, [{"date": date(2024, 1, 15)}])
...     store.search(query_vector, where={"date": {"$gte": date(2024, 1, 1)}})
[Hit(score=0.58, id='a', document='The ferry is late.')]

ChromaDB is silent where one would like it to speak: it keeps the old text of an id that is added again, compares vectors of
different models if only their lengths agree, measures squared Euclidean distance unless told otherwise, and misses records behind
many equal vectors. A `Store` speaks. It holds cosine collections only, and knows the model of its vectors.
"""

from __future__ import annotations

import json
import math
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from helpers import records as room
from helpers.clients import StoreError, connect, find_collection, speaking
from helpers.encoding import check_texts
from helpers.models import find_card
from helpers.progress import progress
from helpers.records import Hit, Record, one_of, some, where_filter, whole

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection
    from sentence_transformers import SentenceTransformer

__all__ = ["Hit", "Record", "Store", "StoreError", "connect", "open_store"]

#: Up to so many records, a search is exact. In a larger collection the index answers, unless most are asked for.
EXACT = 5_000
#: From so many equal vectors on, others get lost in an index.
COPIES = 100
_ALL = ["documents", "embeddings", "metadatas"]

Where = Mapping[str, Any]


def open_store(
    client: ClientAPI,
    name: str,
    model: str,
    *,
    exists: Literal["open", "recreate", "refuse"],
    revision: str | None = None,
    dimension: int | None = None,
    date_fields: Iterable[str] = (),
    encoder: SentenceTransformer | None = None,
    ef_search: int = 100,
) -> Store:
    """Open the collection `name` for vectors of `model`, or create it with cosine space, in any client (see `connect`).

    `exists` says what becomes of a collection that is there: ``"open"`` it as it is, ``"recreate"`` it empty, or ``"refuse"``. It
    has no default: in a notebook that is run again it decides between old content and none. For the course's models the name is
    enough; others need their `revision` and `dimension`. `date_fields`, for a new collection, are the metadata keys that hold
    dates. With `encoder`, the loaded model, the store encodes texts itself, those added as documents, those asked as queries; it
    is known by what it makes of a probe sentence, or of stored texts in a collection filled without it. `ef_search`, for a new
    collection: how many candidates the index looks at, at least; more is slower and more exact.

    Raises StoreError when the collection is there and `exists` is ``"refuse"``; when it has another space, another or no model,
    revision or dimension; when `encoder` is not its model; when its index is damaged.
    """
    one_of("exists", exists, "open", "recreate", "refuse")
    if not isinstance(model, str) or not model.strip():
        raise TypeError(f"model={model!r}: give the model's name; a loaded model goes to encoder=")
    if (card := find_card(model)) is not None:
        model, revision = card.name, revision or card.revision
        dimension = dimension or card.dimension
    if not revision or not dimension:
        what = f"{model!r} is not one of the course's models"
        raise StoreError(f"{what}: give its revision= (a commit or version) and its dimension=")
    about = {"model": model, "revision": str(revision), "dimension": whole("dimension", dimension)}
    fields = check_texts(date_fields, "date_fields")
    about["date_fields"] = json.dumps(fields)  # a collection's own metadata holds no lists
    if encoder is not None:
        about["probe"] = room.probe_of(encoder, about["dimension"])
    index = {"hnsw": {"space": "cosine", "ef_search": whole("ef_search", ef_search)}}
    store = Store(client, name, about, encoder)
    with speaking(client, name):
        there = find_collection(client, name)
        if there is not None and exists == "refuse":
            what = f"the collection {name!r} exists already, with {there.count()} records"
            raise StoreError(f'{what}. Give exists="open" to go on, or "recreate" to begin empty')
        if there is not None and exists == "recreate":
            client.delete_collection(name)
        if there is None or exists == "recreate":
            # No embedding function: Chroma's own would download a model, and use it where a vector is missing.
            client.create_collection(
                name, embedding_function=None, metadata=about, configuration=index
            )
    with store._opened() as collection:
        store._check(collection, fields, about.get("probe"))
    return store


class Store:
    """Records in one collection: id, text, vector, metadata. Made by `open_store`. Every method looks the collection up again and
    checks its space and its model, for another program may have replaced it since."""

    def __init__(self, client: ClientAPI, name: str, about: Mapping, encoder) -> None:
        self.client, self.name, self.encoder = client, name, encoder
        self.model, self.revision, self.dimension = _identity(about)
        self.date_fields: list[str] = []
        self._kept: tuple | None = None  # vectors, and of which collection and count
        self._large = (0, 0.0)  # how many records, counted when: to count many takes a while

    def __len__(self) -> int:
        with self._opened() as collection:
            return collection.count()

    def __repr__(self) -> str:
        return f"Store({self.name!r}, model={self.model!r}, dimension={self.dimension})"

    @contextmanager
    def _opened(self) -> Iterator[Collection]:
        """Give the collection after checking that it is what was opened; errors within say what to do."""
        with speaking(self.client, self.name):
            collection = find_collection(self.client, self.name)
            the = f"the collection {self.name!r}"
            again = 'Open it with exists="recreate" and add the records again, or take another name'
            if collection is None:
                raise StoreError(f"{the} is not there any more; open it again with open_store")
            # Not `collection.configuration`: it would construct an embedding function saved there.
            index = collection.configuration_json
            space = (index.get("hnsw") or index.get("spann") or {}).get("space")
            about = collection.metadata or {}
            if space != "cosine":
                raise StoreError(f"{the} measures {space!r}, not cosine, for good. {again}")
            if "model" not in about:
                raise StoreError(f"{the} does not say which model made its vectors. {again}")
            theirs, ours = _identity(about), (self.model, self.revision, self.dimension)
            if theirs != ours:
                what = f"{the} holds vectors of {_describe(*theirs)}; you opened it for {_describe(*ours)}"
                how = "Use the collection's model, or another collection"
                raise StoreError(f"{what}. Vectors of different models cannot be compared. {how}")
            yield collection

    def _check(self, collection: Collection, fields: list[str], probe: str | None) -> None:
        """Check that the index can be read, and date fields and encoder against the collection's."""
        count, about = collection.count(), collection.metadata
        self.date_fields = json.loads(about["date_fields"])
        if fields and set(fields) != set(self.date_fields):
            what = f"the date fields of {self.name!r} are {self.date_fields}, for good"
            raise StoreError(f"{what}; date_fields={fields} was given")
        if probe is None:
            return
        wrong = f"the encoder is not the {self.model} that filled {self.name!r}"
        if "probe" in about:
            difference = np.abs(np.subtract(json.loads(about["probe"]), json.loads(probe))).max()
            if difference > 0.01:
                what = f"a probe sentence gets another vector (difference {difference:.2f})"
                raise StoreError(f"{wrong}: {what}. Load the right model")
            return
        sample = list(room.records_of(collection.get(limit=8, include=_ALL), self.date_fields))
        if count and not self.encodes(sample):
            what = f"{wrong}: none of {len(sample)} stored texts gets its stored vector. Load the right model"
            how = "if vectors were made of other texts than those stored, open without encoder and give vectors"
            raise StoreError(f"{what}; or, {how}")
        collection.modify(metadata=about | {"probe": probe})

    def encodes(self, sample: Sequence[Record]) -> bool:
        """Say whether the encoder makes of a text in `sample`, of one at least, the vector it has."""
        vectors = self.encode([record.document for record in sample], "document")
        alike = [record.vector @ vector for record, vector in zip(sample, vectors, strict=True)]
        return max(alike, default=0) > 0.99

    # --- writing ------------------------------------------------------------------------------------------------------

    def add(
        self,
        ids: Iterable[str],
        documents: Iterable[str],
        vectors: np.ndarray | None = None,
        metadatas: Iterable[Mapping[str, Any] | None] | None = None,
        *,
        existing: Literal["refuse", "replace", "keep"] = "refuse",
    ) -> int:
        """Add records, in batches, and return how many were written.

        Everything is checked before anything is written. When the call returns, all is on disk; after a crash, each batch is
        there whole or not at all, and the same call with ``existing="keep"`` finishes the job.

        There are as many `ids` as `documents`, all strings, and `vectors`, shape (records, dimension), are stored with norm 1;
        the store's encoder makes them where none are given. `metadatas` has a dict for each record, with values that are str,
        int, float, bool, a list of one of these, or, in `date_fields`, `datetime.date`; a key with the value None is left out.
        For ids that are there already, `existing` is ``"refuse"`` (the whole call), ``"replace"`` (text, vector and all
        metadata), or ``"keep"``. To replace most of a large collection, recreate it: its index would be slower and less exact.

        Raises StoreError, TypeError or ValueError, which name the place, for whatever cannot be stored, and for ids that come
        twice. Warns (RuntimeWarning) when so many vectors of a large collection are equal that searches miss others.
        """
        one_of("existing", existing, "refuse", "replace", "keep")
        with self._opened() as collection:
            rows = room.checked_rows(ids, documents, vectors, metadatas, self)
            old: dict[str, Mapping | None] = {}
            for page in room.pages(collection, rows["ids"], ["metadatas"]):
                old |= dict(zip(page["ids"], page["metadatas"], strict=True))
            if old and existing == "refuse":
                what = f"{len(old)} of {len(rows['ids'])} ids are in {self.name!r} already"
                how = 'existing="replace" to write them anew, or "keep" to add only the others'
                raise StoreError(f"{what}: {some(list(old))}. Nothing was written. Give {how}")
            if existing == "keep":
                new = [place for place, i in enumerate(rows["ids"]) if i not in old]
                rows = {what: [column[place] for place in new] for what, column in rows.items()}
            given = rows.get("metadatas", [{}] * len(rows["ids"]))
            # Chroma merges metadata; a key that shall go must be given as None.
            gone = (dict.fromkeys(old.get(i) or {}) for i in rows["ids"])
            kept = ({key: v for key, v in new.items() if v is not None} for new in given)
            rows["metadatas"] = [a | b or None for a, b in zip(gone, kept, strict=True)]
            if "embeddings" not in rows:  # only now: what is kept need not be encoded
                rows["embeddings"] = self.encode(rows["documents"], "document", show=None)
            self._write(collection.upsert if existing == "replace" else collection.add, rows)
            large = len(rows["ids"]) and collection.count() > EXACT
            if large and room.has_copies(collection, np.array(rows["embeddings"]), COPIES):
                what = f"{COPIES} vectors of {self.name!r} or more are equal (empty texts, footers?). In an index they"
                how = "hide others: keep one, or search by a threshold with top_k=None"
                warnings.warn(f"{what} {how}", RuntimeWarning, stacklevel=2)
        return len(rows["ids"])

    def update(
        self,
        ids: Iterable[str],
        *,
        documents: Iterable[str] | None = None,
        vectors: np.ndarray | None = None,
        metadatas: Iterable[Mapping[str, Any] | None] | None = None,
    ) -> None:
        """Change records that are there (KeyError for others): text and vector together, or metadata, or all three. A text needs
        its vector, or an encoder to make it, and a vector its text. Metadata keys that are not named stay; one with the value
        None is removed."""
        if documents is None and vectors is None and metadatas is None:
            raise ValueError("nothing to update: give documents and vectors, or metadatas")
        if documents is None and vectors is not None:
            raise StoreError("vectors without documents would find the old text. Give both")
        if documents is not None and vectors is None and self.encoder is None:
            what = "documents without vectors would be found by the old vector"
            raise StoreError(f"{what}. Give both, or open the store with an encoder")
        with self._opened() as collection:
            rows = room.checked_rows(ids, documents, vectors, metadatas, self)
            self._require(rows["ids"], room.pages(collection, rows["ids"], []))
            if documents is not None and vectors is None:
                rows["embeddings"] = self.encode(rows["documents"], "document", show=None)
            if metadatas is not None:
                rows["metadatas"] = [metadata or None for metadata in rows["metadatas"]]
            self._write(collection.update, rows)

    def delete(self, ids: Iterable[str] | None = None, *, where: Where | None = None) -> int:
        """Delete the records with these ids, or those that a filter with a condition selects, and return how many there were."""
        chosen = None if where is None else where_filter(where, self.date_fields)
        if (ids is None) == (chosen is None):
            what = f"give ids, or where with a condition (where={where!r} was given)"
            raise ValueError(f'{what}. To delete everything, open the store with exists="recreate"')
        with self._opened() as collection:
            if chosen is not None:
                pages = [collection.get(where=chosen, include=[])]
            else:
                pages = room.pages(collection, room.check_ids(ids), [])
            found = [i for page in pages for i in page["ids"]]
            self._write(collection.delete, {"ids": found})
        return len(found)

    def get(self, ids: Iterable[str]) -> list[Record]:
        """Return the records with these ids, in this order; KeyError when one is not there."""
        with self._opened() as collection:
            found = list(room.pages(collection, ids := room.check_ids(ids), _ALL))
            self._require(ids, found)
            records = (r for page in found for r in room.records_of(page, self.date_fields))
            by_id = {record.id: record for record in records}
            return [by_id[i] for i in ids]

    def records(self, where: Where | None = None) -> Iterator[Record]:
        """Yield all records, or those that a filter selects, in the order of adding; a thousand at a time are in memory."""
        with self._opened() as collection:
            chosen = None if where is None else where_filter(where, self.date_fields)
            ids = collection.get(where=chosen, include=[])["ids"]
            for page in room.pages(collection, ids, _ALL):
                yield from room.records_of(page, self.date_fields)

    def search(
        self,
        query,
        *,
        top_k: int | None = 5,
        where: Where | None = None,
        contains: str | None = None,
        threshold: float | None = None,
    ):
        """Return the records most similar to one query, or to each of several, among those that the filters let through.

        Filters act before the choice of the best, so that a list is shorter than `top_k` only when no more records fit. The
        answer is exact for up to 5,000 records, or as many that the filters let through, and wherever `top_k` is None or above
        a tenth of them: all vectors are read, which for 50,000 takes seconds. Else the index answers, which is fast and may miss
        one, or many where a hundred vectors and more are equal: `add` warns of them.

        `query` is a vector, shape (dimension,), or a text if the store has an encoder: one list of hits, best first, equal
        scores by id. Or an array, shape (queries, dimension), or a list of texts: a list of lists. `top_k` is the most hits for
        one query; None: all with a cosine similarity of `threshold` or more. `contains` must stand in the text, in the same
        case. `where` is a filter on metadata, as in Chroma, with three comforts: dates may be dates, several keys or operators
        in one dict must all hold, and an empty dict means no filter. Such as
        ``{"category": "food", "date": {"$gte": date(2024, 1, 1), "$lt": date(2025, 1, 1)}}``.
        """
        top_k = None if top_k is None else whole("top_k", top_k)
        if top_k is None and threshold is None:
            raise ValueError("top_k=None means all that reach the threshold: give a threshold")
        number = isinstance(threshold, int | float | np.number) and not isinstance(threshold, bool)
        if threshold is not None and (not number or math.isnan(threshold)):
            raise ValueError(f"threshold={threshold!r}: give a number, or None for no threshold")
        filters: dict[str, Any] = {}
        if contains is not None:
            if not isinstance(contains, str) or not contains:
                raise ValueError(f"contains={contains!r}: give a piece of text, or None")
            filters["where_document"] = {"$contains": check_texts([contains], "contains")[0]}
        if where is not None and (chosen := where_filter(where, self.date_fields)) is not None:
            filters["where"] = chosen
        with self._opened() as collection:
            vectors, single = self._queries(query)
            found = self._best(collection, vectors, top_k, threshold, filters)
        return found[0] if single else found

    def _best(self, collection, vectors, top_k, threshold, filters: dict) -> list[list[Hit]]:
        """Search by the index where that is fast and can be trusted, else by all vectors."""
        total, counted = self._large
        if time.monotonic() - counted > 1 or total <= EXACT:
            total = collection.count()
            self._large = total, time.monotonic()
        if not total or not len(vectors):
            return [[] for _ in vectors]
        ids = collection.get(include=[], limit=EXACT + 1, **filters)["ids"] if filters else None
        few = ids is not None and len(ids) <= EXACT
        exact = few or top_k is None or top_k > room.RESULTS or 10 * top_k > total
        if not exact:
            found = room.by_index(collection, vectors, top_k, self.date_fields, filters)
            exact = min(map(len, found)) < top_k
            exact = exact or (total <= EXACT and not self._confirmed(collection, vectors, found))
        if exact:
            if not few:
                ids = collection.get(include=[], **filters)["ids"]
            most = (top_k, threshold, self.date_fields)
            return room.by_comparison(collection, ids, vectors, *most)
        lowest = -math.inf if threshold is None else threshold
        return [[hit for hit in hits if hit.score >= lowest] for hits in found]

    def _confirmed(self, collection, vectors, found: list[list[Hit]]) -> bool:
        """Say whether no records have better scores, by vectors that are kept from search to search. Should others have changed
        the collection meanwhile, its index gives other scores, and no confirmation."""
        which, top_k = (collection.id, collection.count()), len(found[0])
        if self._kept is None or self._kept[0] != which:
            self._kept = which, room.all_vectors(collection)
        scores = np.partition(vectors @ self._kept[1].T, -top_k, axis=1)[:, -top_k:]
        given = [[hit.score for hit in reversed(hits)] for hits in found]
        if np.abs(np.sort(scores, axis=1) - given).max() > 1e-5:
            self._kept = None
        return self._kept is not None

    def _queries(self, query) -> tuple[np.ndarray, bool]:
        """Return the vectors of `query`, shape (queries, dimension), and whether it is a single one."""
        single = isinstance(query, str)
        several = isinstance(query, Iterable) and not isinstance(query, np.ndarray)
        if single or (several and any(isinstance(text, str) for text in query)):
            texts = check_texts([query] if single else query, "query")
            if any(not text.strip() for text in texts):
                raise ValueError("the query is empty. Give a word or a sentence to search for")
            return self.encode(texts, "query"), single
        if isinstance(query, list | tuple) and not query:
            return np.empty((0, self.dimension), dtype=np.float32), False
        single = np.ndim(query) == 1
        vectors = np.asarray(query)[None] if single else query
        return room.check_vectors(vectors, self.dimension, "query"), single

    def encode(self, texts: list[str], kind="document", show: bool | None = False) -> np.ndarray:
        if self.encoder is None:
            what = "texts without vectors: open the store with encoder="
            raise StoreError(f"{what}, or encode them yourself and give vectors")
        if not texts:
            return np.empty((0, self.dimension), dtype=np.float32)
        vectors = room.encoded(texts, self.encoder, kind, show)
        return room.check_vectors(vectors, self.dimension, "the encoder's vectors")

    def _require(self, ids: list[str], found: Iterable[Mapping]) -> None:
        there = {i for page in found for i in page["ids"]}
        if missing := [i for i in ids if i not in there]:
            raise KeyError(f"not in {self.name!r}: {some(missing)}. Records are made by add")

    def _write(self, method, rows: Mapping) -> None:
        """Call `method` with `rows`, a batch at a time."""
        self._kept, self._large = None, (0, 0.0)
        total, step = len(rows["ids"]), min(room.BATCH, self.client.get_max_batch_size())
        with progress(total, "storing", unit="records") as advance:
            for start in range(0, total, step):
                method(**{what: column[start : start + step] for what, column in rows.items()})
                advance(min(step, total - start))


def _identity(about: Mapping) -> tuple:
    return about["model"], about.get("revision"), about.get("dimension")


def _describe(model, revision, dimension) -> str:
    return f"{model} (revision {str(revision)[:12]}, dimension {dimension})"
