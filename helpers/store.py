"""A store for vectors, texts and metadata over a ChromaDB client, embedded or server alike.

>>> with connect("my_store") as client:
...     store = open_store(client, "letters", "all-MiniLM-L6-v2", exists="recreate", date_fields=["date"])
...     store.add(["a"], ["The ferry is late."], vectors, [{"date": date(2024, 1, 15)}])
...     store.search(query_vector, where={"date": {"$gte": date(2024, 1, 1)}})
[Hit(score=0.58, id='a', document='The ferry is late.')]

ChromaDB says nothing where one would like it to speak: it keeps the old text of an id that is added again, compares
vectors of different models if only their lengths agree, and measures squared Euclidean distance unless told otherwise.
A `Store` speaks. It holds cosine collections only, knows the model of its vectors, and checks both at every use.
`Store.export` writes everything as JSON lines, so that nothing is locked in.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import numpy as np

from helpers.cache import replacing
from helpers.models import find_card

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection
    from sentence_transformers import SentenceTransformer

#: Records sent or fetched at once, where the client allows as many. Enough to be quick, few enough to show progress and
#: to stay below SQLite's limits.
BATCH = 1000
_FORMAT = 1
_KIND = "search-by-meaning store"
_PROBE = "The lighthouse keeper counts the ships that pass at night."
_PROBE_NUMBERS = 32
_COMPARISONS = ("$gt", "$gte", "$lt", "$lte")

Where = Mapping[str, Any]


class StoreError(ValueError):
    """What was asked does not fit the collection. The message says what is there, what was given and what to do."""


@dataclass(frozen=True, slots=True)
class Record:
    """What is kept under an id; `metadata` has dates as dates, `vector` has shape (dimension,), float32."""

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


def connect(where: str | Path | None = None) -> ClientAPI:
    """Return a ChromaDB client with telemetry off; use it in a ``with`` block, or call its ``close()``.

    Parameters
    ----------
    where
        A folder (made if need be), the address of a server such as ``"http://127.0.0.1:8000"``, or None for a store in
        memory. All in-memory clients of a process share one store, and a folder belongs to one process at a time.

    Raises
    ------
    ConnectionError
        When no server answers at the address.
    """
    import chromadb
    from chromadb.config import Settings

    settings = Settings(anonymized_telemetry=False)
    if where is None:
        return chromadb.EphemeralClient(settings=settings)
    if not str(where).startswith(("http://", "https://")):
        return chromadb.PersistentClient(path=str(Path(where).expanduser()), settings=settings)
    address = urlsplit(str(where))
    port = address.port or (443 if address.scheme == "https" else 8000)
    try:
        return chromadb.HttpClient(
            host=address.hostname, port=port, ssl=address.scheme == "https", settings=settings
        )
    except ValueError as error:  # Chroma's own "Could not connect to a Chroma server"
        raise ConnectionError(
            f"no Chroma server answers at {where}. Start one: chroma run --path FOLDER --host {address.hostname} --port {port}"
        ) from error


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
    """Open the collection `name` for vectors of `model`, or create it with cosine space.

    Parameters
    ----------
    client
        Any ChromaDB client; see `connect`.
    name
        3 to 512 letters, digits, dots, hyphens and underscores.
    model
        Name of the model that makes the vectors.
    exists
        If there is such a collection: ``"open"`` it with what is in it, ``"recreate"`` it empty, or ``"refuse"``. There
        is no default: in a notebook that is run again it decides between old content and none.
    revision, dimension
        Which version of the model, and how long its vectors are. None: as in `helpers.models.MODELS`, for the course's models.
    date_fields
        Metadata keys that hold dates, for a new collection; an existing one knows its own.
    encoder
        The loaded model, if the store shall encode texts itself. It is recognised by what it makes of a probe sentence.
    ef_search
        For a new collection: how many candidates the index looks at, at least. More: slower and more exact.

    Raises
    ------
    StoreError
        When the collection is there and `exists` is ``"refuse"``; when it has another space, another model, revision or
        dimension, or no model; when `encoder` is not the model of the collection.
    """
    if exists not in ("open", "recreate", "refuse"):
        raise ValueError(
            f'exists={exists!r}: give "open" (go on with what is there), "recreate" (begin empty) or "refuse"'
        )
    if not isinstance(model, str) or not model.strip():
        raise TypeError(
            f"model={model!r}: give the model's name; the loaded model goes to encoder="
        )
    card = find_card(model)
    if card is not None:
        model, revision, dimension = (
            card.name,
            revision or card.revision,
            dimension or card.dimension,
        )
    if not revision or not dimension:
        raise StoreError(
            f"{model!r} is not one of the course's models: give its revision= (a commit or version) and its dimension="
        )
    if isinstance(dimension, bool) or not isinstance(dimension, int | np.integer) or dimension < 1:
        raise ValueError(f"dimension={dimension!r}: give a whole number from 1 up")
    fields = _check_strings(date_fields, "date_fields")
    probe = _probe(encoder, dimension) if encoder is not None else None
    store = Store(client, name, model, revision, int(dimension), encoder, probe)
    there = _find(client, name)
    if there is not None and exists == "refuse":
        raise StoreError(
            f'the collection {name!r} exists already, with {there.count()} records. Give exists="open" to go on '
            'with it, or "recreate" to begin empty'
        )
    if there is not None and exists == "recreate":
        client.delete_collection(name)
        there = None
    if there is None:
        about = {
            "format": _FORMAT,
            "model": model,
            "revision": revision,
            "dimension": int(dimension),
            "date_fields": json.dumps(fields),
        }
        if probe is not None:
            about["probe"] = json.dumps([round(float(x), 4) for x in probe])
        # No embedding function: Chroma's default one would download a model of its own and use it whenever a vector is missing.
        client.create_collection(
            name,
            embedding_function=None,
            metadata=about,
            configuration={"hnsw": {"space": "cosine", "ef_search": int(ef_search)}},
        )
    collection = store._collection()
    if fields and set(fields) != set(_date_fields(collection)):
        raise StoreError(
            f"the date fields of {name!r} are {_date_fields(collection)}; date_fields={fields} was given. They "
            "are fixed when a collection is created"
        )
    return store


class Store:
    """Records in one collection: id, text, vector, metadata. Made by `open_store`.

    Every method looks the collection up again and checks its space and its model, for another program may have replaced it since.

    Attributes
    ----------
    name, model, revision, dimension : as opened
    """

    def __init__(
        self, client, name: str, model: str, revision: str, dimension: int, encoder=None, probe=None
    ) -> None:
        self.client, self.name, self.encoder = client, name, encoder
        self.model, self.revision, self.dimension = model, revision, dimension
        self._probe = probe

    def __len__(self) -> int:
        return self._collection().count()

    def __repr__(self) -> str:
        return f"Store({self.name!r}, model={self.model!r}, dimension={self.dimension})"

    @property
    def date_fields(self) -> list[str]:
        """The metadata keys that hold dates."""
        return _date_fields(self._collection())

    def _collection(self) -> Collection:
        """Return the collection after checking that it is what was opened."""
        collection = _find(self.client, self.name)
        if collection is None:
            raise StoreError(
                f"there is no collection {self.name!r} any more; open it again with open_store"
            )
        # The plain configuration: reading `collection.configuration` would construct an embedding function that
        # somebody saved in it.
        configuration = collection.configuration_json
        space = (configuration.get("hnsw") or configuration.get("spann") or {}).get("space")
        if space != "cosine":
            raise StoreError(
                f"the collection {self.name!r} measures {space!r}, not cosine, and this cannot be changed. "
                'Open it with exists="recreate" and add the records again, or choose another name'
            )
        about = collection.metadata or {}
        if "model" not in about:
            raise StoreError(
                f"the collection {self.name!r} does not say which model made its vectors. It was not made by "
                "open_store, or its metadata was replaced. "
                'Open it with exists="recreate" and add the records again'
            )
        theirs = (about["model"], about.get("revision"), about.get("dimension"))
        if theirs != (self.model, self.revision, self.dimension):
            raise StoreError(
                f"the collection {self.name!r} holds vectors of {_describe(*theirs)}; you opened it for "
                f"{_describe(self.model, self.revision, self.dimension)}. "
                "Vectors of different models cannot be compared. Use the collection's model, or another collection"
            )
        if self._probe is not None and "probe" in about:
            difference = float(np.abs(np.array(json.loads(about["probe"])) - self._probe).max())
            if difference > 0.01:
                raise StoreError(
                    f"the encoder is not the {self.model} that filled the collection {self.name!r}: a probe sentence gets "
                    f"another vector (difference {difference:.2f}). "
                    "Load the right model"
                )
        return collection

    def add(
        self,
        ids: Iterable[str],
        documents: Iterable[str],
        vectors: np.ndarray | None = None,
        metadatas: Iterable[Mapping[str, Any] | None] | None = None,
        *,
        existing: Literal["refuse", "replace", "keep"] = "refuse",
        batch_size: int | None = None,
        show_progress: bool = False,
    ) -> int:
        """Add records, in batches, and return how many were written.

        Everything is checked before anything is written. When the call returns, all is on disk; after a crash, each
        batch is there whole or not at all, and the same call with ``existing="keep"`` finishes the job.

        Parameters
        ----------
        ids, documents
            Strings, as many of each.
        vectors : array, shape (records, dimension)
            None: the store's encoder makes them, all in one call.
        metadatas
            A dict for each record, with values that are str, int, float, bool, or, in `date_fields`, `datetime.date`. A
            key with the value None is left out.
        existing
            For ids that are there already: ``"refuse"`` the whole call, ``"replace"`` them (text, vector and all
            metadata), or ``"keep"`` the old ones. To replace most of a large collection, recreate it: an index in which
            much was replaced is slower and less exact.
        batch_size
            None: 1,000, or less if the client says so.
        show_progress
            Show a progress bar.

        Raises
        ------
        StoreError
            When an id is given twice or is there already; when the numbers of ids, documents, vectors and metadatas
            differ; when vectors have another dimension.
        TypeError, ValueError
            For what cannot be stored; the message names the place.
        """
        if existing not in ("refuse", "replace", "keep"):
            raise ValueError(f'existing={existing!r}: give "refuse", "replace" or "keep"')
        collection = self._collection()
        dates = _date_fields(collection)
        ids, documents = self._check_ids(ids), _check_strings(documents, "documents")
        metadatas = [
            _to_chroma(m, dates, f"metadatas[{i}]")
            for i, m in enumerate([None] * len(ids) if metadatas is None else metadatas)
        ]
        for what, given in (("documents", documents), ("metadatas", metadatas)):
            if len(given) != len(ids):
                raise StoreError(
                    f"{len(ids)} ids and {len(given)} {what} were given; give one for each"
                )
        if not ids:
            return 0
        if vectors is not None:
            vectors = self._check_vectors(vectors, "vectors")
            if len(vectors) != len(ids):
                raise StoreError(
                    f"{len(ids)} ids and {len(vectors)} vectors were given; give one for each"
                )
        old = self._metadatas_of(collection, ids)
        if old and existing == "refuse":
            raise StoreError(
                f"{len(old)} of {len(ids)} ids are in {self.name!r} already: {_some(list(old))}. Nothing was written. "
                'Give existing="replace" to write them anew, or "keep" to add only the others'
            )
        if old and existing == "keep":
            new = [i not in old for i in ids]
            vectors = None if vectors is None else vectors[new]
            ids, documents, metadatas = _select(new, ids, documents, metadatas)
        if (
            existing == "replace"
        ):  # Chroma merges metadata; a key that shall go must be given as None
            metadatas = [
                dict.fromkeys(old.get(i) or {}) | m for i, m in zip(ids, metadatas, strict=True)
            ]
        if vectors is None:  # only now: what is kept need not be encoded
            vectors = self._check_vectors(self._encode(documents), "the encoder's vectors")
        write = collection.upsert if existing == "replace" else collection.add
        for part in _progress(self._parts(len(ids), batch_size), "store", show_progress):
            write(
                ids=ids[part],
                documents=documents[part],
                embeddings=vectors[part],
                metadatas=[m or None for m in metadatas[part]],
            )
        return len(ids)

    def update(
        self,
        ids: Iterable[str],
        *,
        documents: Iterable[str] | None = None,
        vectors: np.ndarray | None = None,
        metadatas: Iterable[Mapping[str, Any] | None] | None = None,
    ) -> None:
        """Change records that are there: text and vector together, or metadata, or all three.

        Metadata keys that are not named stay; a key with the value None is removed.

        Raises
        ------
        KeyError
            When an id is not there.
        StoreError
            For a text without its vector (and no encoder to make it) or a vector without its text.
        """
        collection = self._collection()
        ids = self._check_ids(ids)
        if documents is None and vectors is None and metadatas is None:
            raise ValueError("nothing to update: give documents and vectors, or metadatas")
        if vectors is not None and documents is None:
            raise StoreError(
                "vectors without documents: the old text would be found by the new vector. Give both"
            )
        changes: dict[str, Any] = {}
        if documents is not None:
            changes["documents"] = _check_strings(documents, "documents")
            if vectors is None and self.encoder is None:
                raise StoreError(
                    "documents without vectors: the new text would be found by the old vector. Give both, or open the "
                    "store with an encoder"
                )
            changes["embeddings"] = self._check_vectors(
                self._encode(changes["documents"]) if vectors is None else vectors, "vectors"
            )
        if metadatas is not None:
            dates = _date_fields(collection)
            changes["metadatas"] = [
                _to_chroma(m, dates, f"metadatas[{i}]", keep_none=True) or None
                for i, m in enumerate(metadatas)
            ]
        for what, given in changes.items():
            if len(given) != len(ids):
                raise StoreError(
                    f"{len(ids)} ids and {len(given)} {what} were given; give one for each"
                )
        self._require(collection, ids)
        for part in self._parts(len(ids), None):
            collection.update(
                ids=ids[part], **{what: given[part] for what, given in changes.items()}
            )

    def delete(self, ids: Iterable[str] | None = None, *, where: Where | None = None) -> int:
        """Delete the records with these ids, or those that a filter selects, and return how many there were.

        Raises
        ------
        ValueError
            When neither or both are given. To delete everything, recreate the collection.
        """
        if (ids is None) == (where is None):
            raise ValueError(
                "give ids or where; to delete everything, open the store with exists='recreate'"
            )
        collection = self._collection()
        if ids is None:
            found = collection.get(where=self._where(collection, where), include=[])["ids"]
        else:
            found = list(self._metadatas_of(collection, self._check_ids(ids)))
        for part in self._parts(len(found), None):
            collection.delete(ids=found[part])
        return len(found)

    def get(self, ids: Iterable[str]) -> list[Record]:
        """Return the records with these ids, in this order.

        Raises
        ------
        KeyError
            When an id is not there.
        """
        collection = self._collection()
        ids = self._check_ids(ids)
        dates = _date_fields(collection)
        records: dict[str, Record] = {}
        for part in self._parts(len(ids), None):
            records |= {
                record.id: record
                for record in _records(
                    collection.get(ids=ids[part], include=["documents", "embeddings", "metadatas"]),
                    dates,
                )
            }
        if missing := [i for i in ids if i not in records]:
            raise KeyError(f"not in {self.name!r}: {_some(missing)}")
        return [records[i] for i in ids]

    def records(self, where: Where | None = None) -> Iterator[Record]:
        """Yield all records, or those that a filter selects, in the order of adding; a thousand at a time are in memory."""
        collection = self._collection()
        dates, chosen = _date_fields(collection), self._where(collection, where)
        offset = 0
        while True:
            page = collection.get(
                where=chosen,
                limit=BATCH,
                offset=offset,
                include=["documents", "embeddings", "metadatas"],
            )
            yield from _records(page, dates)
            offset += len(page["ids"])
            if len(page["ids"]) < BATCH:
                return

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

        Parameters
        ----------
        query
            A vector, shape (dimension,), or a text if the store has an encoder: one list of hits. An array, shape
            (queries, dimension), or a list of texts: a list of lists.
        top_k
            The most hits for one query. None: all that reach `threshold`.
        where
            A filter on metadata, as in Chroma, with three comforts: dates may be dates, several keys or operators in
            one dict must all hold, and an empty dict means no filter. Such as ``{"category": "food", "date": {"$gte":
            date(2024, 1, 1), "$lt": date(2025, 1, 1)}}``.
        contains
            The text must contain this, in the same case.
        threshold
            Leave out hits with a cosine similarity below this.

        Returns
        -------
        list of Hit, or a list of such lists
            In descending order of score, equal scores by id. Filters act before the choice of the best, so that a list
            is shorter than `top_k` only when no more records fit.
        """
        if top_k is not None and (
            isinstance(top_k, bool) or not isinstance(top_k, int | np.integer) or top_k < 1
        ):
            raise ValueError(
                f"top_k={top_k!r}: give a whole number from 1 up, or None for all that reach the threshold"
            )
        if threshold is not None and (
            isinstance(threshold, bool)
            or not isinstance(threshold, int | float | np.number)
            or math.isnan(threshold)
        ):
            raise ValueError(f"threshold={threshold!r}: give a number, or None for no threshold")
        if top_k is None and threshold is None:
            raise ValueError("top_k=None means all that reach the threshold: give a threshold")
        if contains is not None and (not isinstance(contains, str) or not contains):
            raise ValueError(f"contains={contains!r}: give a piece of text, or None")
        collection = self._collection()
        vectors, single = self._query_vectors(query)
        filters = {
            "where": self._where(collection, where),
            "where_document": {"$contains": contains} if contains is not None else None,
        }
        if top_k is not None:
            found = self._ask(collection, vectors, int(top_k), filters)
        else:
            found = [self._ask_all(collection, vector, threshold, filters) for vector in vectors]
        if threshold is not None:
            found = [[hit for hit in hits if hit.score >= threshold] for hits in found]
        return found[0] if single else found

    def _ask(
        self, collection: Collection, vectors: np.ndarray, number: int, filters: dict
    ) -> list[list[Hit]]:
        """Return the nearest `number` records of each vector, best first."""
        if not len(vectors):
            return []
        dates = _date_fields(collection)
        answer = collection.query(
            query_embeddings=vectors,
            n_results=number,
            include=["documents", "metadatas", "distances"],
            **filters,
        )
        found = []
        for rows in zip(
            *(answer[what] for what in ("ids", "documents", "metadatas", "distances")), strict=True
        ):
            hits = [
                Hit(i, text or "", _from_chroma(m, dates), 1.0 - float(distance))
                for i, text, m, distance in zip(*rows, strict=True)
            ]
            found.append(sorted(hits, key=lambda hit: (-hit.score, hit.id)))
        return found

    def _ask_all(
        self, collection: Collection, vector: np.ndarray, threshold: float, filters: dict
    ) -> list[Hit]:
        """Return the nearest records of a vector, asking for more until one of them is below `threshold` or there are no more."""
        number = 32
        while True:
            hits = self._ask(collection, vector[None], number, filters)[0]
            if len(hits) < number or hits[-1].score < threshold:
                return hits
            number *= 4

    def export(self, path: str | Path) -> int:
        """Write everything to `path` as JSON lines and return how many records there are.

        The first line tells model, revision, dimension, space, date fields and the number of records. Each further line
        is one record: id, document, metadata (dates as ``"2024-01-15"``), vector. An older file at `path` is replaced
        only when the new one is complete.

        Vectors are what Chroma gives back: equal to those that went in to about seven digits, for it keeps unit vectors
        and lengths apart.
        """
        collection = self._collection()
        path, count, written = Path(path), collection.count(), 0
        dates = _date_fields(collection)
        configuration = collection.configuration_json
        header = {
            "kind": _KIND,
            "format": _FORMAT,
            "name": self.name,
            "model": self.model,
            "revision": self.revision,
            "dimension": self.dimension,
        }
        header |= {
            "space": "cosine",
            "date_fields": dates,
            "ef_search": (configuration.get("hnsw") or {}).get("ef_search", 100),
            "records": count,
        }
        with replacing(path) as temporary:
            with temporary.open("w", encoding="utf-8") as file:
                file.write(_json(header))
                for record in self.records():
                    metadata = {
                        key: value.isoformat() if isinstance(value, date) else value
                        for key, value in record.metadata.items()
                    }
                    vector = [
                        float(str(x)) for x in record.vector
                    ]  # the shortest digits that give the same float32
                    file.write(
                        _json(
                            {
                                "id": record.id,
                                "document": record.document,
                                "metadata": metadata,
                                "vector": vector,
                            }
                        )
                    )
                    written += 1
            if written != count:
                raise StoreError(
                    f"{self.name!r} changed during the export ({count} records, then {written}). Export again when nobody writes"
                )
        return written

    # --- arguments ----------------------------------------------------------------------------------------------------
    # --------------------

    def _check_ids(self, ids: Iterable[str]) -> list[str]:
        ids = _check_strings(ids, "ids")
        if "" in ids:
            raise StoreError(f"ids[{ids.index('')}] is empty; every record needs an id")
        if len(set(ids)) < len(ids):
            seen: set[str] = set()
            twice = [i for i in ids if i in seen or seen.add(i)]
            raise StoreError(f"ids given twice: {_some(twice)}. Give each once")
        return ids

    def _check_vectors(self, vectors, what: str) -> np.ndarray:
        """Return `vectors` as float32 of shape (n, dimension), finite and not zero."""
        try:
            array = np.asarray(vectors, dtype=np.float32)
        except (TypeError, ValueError) as error:
            raise TypeError(
                f"{what} is a {type(vectors).__name__} that is no array of numbers; give shape (n, {self.dimension})"
            ) from error
        if array.ndim != 2 or array.shape[1] != self.dimension:
            raise StoreError(
                f"{what} has shape {array.shape}; {self.model} makes vectors of {self.dimension}: give shape (n, "
                f"{self.dimension})"
            )
        bad = ~np.isfinite(array).all(axis=1)
        if bad.any():
            raise StoreError(
                f"{what}[{int(bad.argmax())}] holds NaN or infinity; encode its text again"
            )
        zero = ~array.any(axis=1)
        if zero.any():
            raise StoreError(
                f"{what}[{int(zero.argmax())}] is zero and has no direction; a cosine with it means nothing"
            )
        return array

    def _query_vectors(self, query) -> tuple[np.ndarray, bool]:
        if isinstance(query, str):
            return self._query_vectors([query])[0], True
        if (
            isinstance(query, list | tuple)
            and query
            and all(isinstance(text, str) for text in query)
        ):
            if any(not text.strip() for text in query):
                raise ValueError("the query is empty. Give a word or a sentence to search for")
            return self._check_vectors(self._encode(list(query)), "the encoder's vectors"), False
        array = np.asarray(query)
        single = array.ndim == 1 and array.size > 0
        if array.size == 0 and array.ndim == 1:
            return np.empty((0, self.dimension), dtype=np.float32), False
        return self._check_vectors(array[None] if single else array, "query"), single

    def _encode(self, texts: list[str]) -> np.ndarray:
        if self.encoder is None:
            raise StoreError(
                "texts without vectors: open the store with encoder=, or encode them yourself and give vectors"
            )
        if not texts:
            return np.empty((0, self.dimension), dtype=np.float32)
        return self.encoder.encode(texts, normalize_embeddings=True, show_progress_bar=False)

    def _where(self, collection: Collection, where: Where | None) -> dict | None:
        return _filter(where, _date_fields(collection)) if where is not None else None

    # --- the collection -----------------------------------------------------------------------------------------------
    # --------------------

    def _parts(self, number: int, batch_size: int | None) -> list[slice]:
        if batch_size is not None and (
            isinstance(batch_size, bool)
            or not isinstance(batch_size, int | np.integer)
            or batch_size < 1
        ):
            raise ValueError(f"batch_size={batch_size!r}: give a whole number from 1 up, or None")
        step = min(int(batch_size or BATCH), self.client.get_max_batch_size())
        return [slice(start, start + step) for start in range(0, number, step)]

    def _metadatas_of(self, collection: Collection, ids: list[str]) -> dict[str, dict | None]:
        """Return the stored metadata of those of `ids` that are there."""
        found: dict[str, dict | None] = {}
        for part in self._parts(len(ids), None):
            page = collection.get(ids=ids[part], include=["metadatas"])
            found |= dict(zip(page["ids"], page["metadatas"], strict=True))
        return {i: found[i] for i in ids if i in found}

    def _require(self, collection: Collection, ids: list[str]) -> None:
        there = self._metadatas_of(collection, ids)
        if missing := [i for i in ids if i not in there]:
            raise KeyError(f"not in {self.name!r}: {_some(missing)}. Use add for new records")


def import_store(
    client: ClientAPI,
    path: str | Path,
    *,
    exists: Literal["recreate", "refuse"],
    name: str | None = None,
    encoder: SentenceTransformer | None = None,
    show_progress: bool = False,
) -> Store:
    """Make a collection of what `Store.export` wrote, in any client, and return its store.

    Parameters
    ----------
    exists
        If there is such a collection: ``"recreate"`` it, or ``"refuse"``.
    name
        None: the name that it had.
    encoder
        As in `open_store`.

    Raises
    ------
    FileNotFoundError
        When there is no such file.
    StoreError
        When the file is no export, damaged or incomplete. The whole file is checked before anything is written.
    """
    if exists not in ("recreate", "refuse"):
        raise ValueError(f'exists={exists!r}: give "recreate" or "refuse"')
    path = Path(path)
    header = next(_read_export(path))
    ids = [record[0] for record in islice(_read_export(path), 1, None)]
    count = len(ids)
    if len(set(ids)) < count:
        raise StoreError(f"{path} is damaged: an id stands in it twice. Nothing was written")
    if count != header["records"]:
        raise StoreError(
            f"{path} is incomplete: {header['records']} records expected, {count} found. Nothing was written"
        )
    store = open_store(
        client,
        header["name"] if name is None else name,
        header["model"],
        exists=exists,
        revision=header["revision"],
        dimension=header["dimension"],
        date_fields=header["date_fields"],
        encoder=encoder,
        ef_search=header["ef_search"],
    )
    lines = _read_export(path)
    next(lines)
    batches = range(0, count, BATCH)
    for _ in _progress(batches, "import", show_progress):
        ids, documents, metadatas, vectors = zip(*islice(lines, BATCH), strict=True)
        store.add(ids, documents, np.array(vectors, dtype=np.float32), metadatas)
    return store


def _read_export(path: Path) -> Iterator:
    """Yield the header of an export, then (id, document, metadata, vector) of each record."""
    with path.open("rb") as file:
        header: dict = {}
        for number, line in enumerate(file, 1):
            try:
                entry = json.loads(line)
                if number == 1:
                    header = entry
                    if (
                        header["kind"] != _KIND
                        or header["format"] != _FORMAT
                        or header["space"] != "cosine"
                    ):
                        raise ValueError(
                            f"kind {header['kind']!r}, format {header['format']!r}, space {header['space']!r}"
                        )
                    dates = set(header["date_fields"])
                    yield {
                        key: header[key]
                        for key in (
                            "name",
                            "model",
                            "revision",
                            "dimension",
                            "date_fields",
                            "records",
                            "ef_search",
                        )
                    }
                    continue
                vector = np.array(entry["vector"], dtype=np.float32)
                if vector.shape != (header["dimension"],) or not np.isfinite(vector).all():
                    raise ValueError(
                        f"a vector of shape {vector.shape} where {header['dimension']} finite numbers were expected"
                    )
                metadata = {
                    key: date.fromisoformat(value) if key in dates else value
                    for key, value in entry["metadata"].items()
                }
                yield entry["id"], entry["document"], metadata, vector
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise StoreError(
                    f"{path}, line {number}: not what Store.export writes ({type(error).__name__}: {error}). Nothing was written"
                ) from error
        if not header:
            raise StoreError(f"{path} is empty")


def _find(client: ClientAPI, name: str) -> Collection | None:
    from chromadb.errors import NotFoundError

    try:
        return client.get_collection(name, embedding_function=None)
    except NotFoundError:
        return None


def _probe(encoder, dimension: int) -> np.ndarray:
    if not hasattr(encoder, "encode"):
        raise TypeError(f"encoder is a {type(encoder).__name__}; give a loaded SentenceTransformer")
    vector = np.asarray(
        encoder.encode([_PROBE], normalize_embeddings=True, show_progress_bar=False)[0],
        dtype=np.float64,
    )
    if vector.shape != (dimension,):
        raise StoreError(
            f"the encoder makes vectors of {len(vector)}, the collection is for {dimension}. Load the right model"
        )
    return vector[:_PROBE_NUMBERS]


def _describe(model, revision, dimension) -> str:
    return f"{model} (revision {str(revision)[:12]}, dimension {dimension})"


def _date_fields(collection: Collection) -> list[str]:
    return json.loads((collection.metadata or {}).get("date_fields", "[]"))


def _records(page: Mapping, dates: Sequence[str]) -> Iterator[Record]:
    for i, document, metadata, vector in zip(
        page["ids"], page["documents"], page["metadatas"], page["embeddings"], strict=True
    ):
        yield Record(
            i, document or "", _from_chroma(metadata, dates), np.asarray(vector, dtype=np.float32)
        )


def _number_of(day: date, where: str) -> int:
    if isinstance(day, datetime):
        raise TypeError(
            f"{where} is a datetime; its time of day would be lost. Give .date(), or store .timestamp() as a number"
        )
    return day.year * 10_000 + day.month * 100 + day.day


def _date_of(number: int) -> date:
    return date(number // 10_000, number // 100 % 100, number % 100)


def _scalar(value, key: str, dates: Sequence[str], where: str):
    """Return `value` as Chroma takes it: a plain str, int, float or bool; dates as integers such as 20240115."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, date):
        if key not in dates:
            raise TypeError(
                f"{where} is a date, but {key!r} is not one of the collection's date fields {list(dates)}. Name it in "
                "date_fields when you create the collection"
            )
        return _number_of(value, where)
    if key in dates:
        raise TypeError(
            f"{where} is {value!r}, a {type(value).__name__}; {key!r} is a date field: give a datetime.date"
        )
    if not isinstance(value, str | int | float):
        raise TypeError(
            f"{where} is a {type(value).__name__}; give a str, int, float, bool or date. For several values use several keys"
        )
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(
            f"{where} is {value}: Chroma would drop the key without a word. Leave it out"
        )
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError(f"{where} is {value}: Chroma's integers have 64 bits. Store it as a str")
    return value


def _to_chroma(
    metadata: Mapping[str, Any] | None, dates: Sequence[str], where: str, *, keep_none: bool = False
) -> dict[str, Any]:
    if metadata is None:
        return {}
    if not isinstance(metadata, Mapping):
        raise TypeError(f"{where} is a {type(metadata).__name__}; give a dict or None")
    result = {}
    for key, value in metadata.items():
        if (
            not isinstance(key, str)
            or not key
            or key.startswith(("$", "#"))
            or key == "chroma:document"
        ):
            raise ValueError(
                f"{where} has the key {key!r}; give a name that does not begin with $ or #"
            )
        if value is not None:
            result[key] = _scalar(value, key, dates, f"{where}[{key!r}]")
        elif keep_none:
            result[key] = None
    return result


def _from_chroma(metadata: Mapping[str, Any] | None, dates: Sequence[str]) -> dict[str, Any]:
    return {
        key: _date_of(value) if key in dates else value
        for key, value in sorted((metadata or {}).items())
    }


def _filter(where: Where, dates: Sequence[str]) -> dict | None:
    """Return `where` as Chroma takes it: one condition a dict, joined by ``$and``; dates as integers; None for none."""
    if not isinstance(where, Mapping):
        raise TypeError(
            f"where is a {type(where).__name__}; give a dict such as {{'category': 'food'}}"
        )
    conditions: list[dict] = []
    for key, wanted in where.items():
        if key in ("$and", "$or"):
            if not isinstance(wanted, list | tuple) or not wanted:
                raise ValueError(f"{key} needs a list of filters, {wanted!r} was given")
            parts = [_filter(each, dates) for each in wanted]
            if key == "$or" and None in parts:
                continue  # one of the alternatives always holds
            parts = [part for part in parts if part is not None]
            conditions += parts if key == "$and" or len(parts) == 1 else [{"$or": parts}]
        elif str(key).startswith("$"):
            raise ValueError(
                f"where has the operator {key!r} in the place of a key; here only $and and $or may stand"
            )
        elif isinstance(wanted, Mapping):
            if not wanted:
                raise ValueError(
                    f"where[{key!r}] is empty; give a value or an operator such as {{'$gte': 3}}"
                )
            conditions += [
                {key: {operator: _operand(operator, value, key, dates)}}
                for operator, value in wanted.items()
            ]
        else:
            conditions.append({key: {"$eq": _operand("$eq", wanted, key, dates)}})
    if not conditions:
        return None
    return conditions[0] if len(conditions) == 1 else {"$and": conditions}


def _operand(operator: str, value, key: str, dates: Sequence[str]):
    where = f"where[{key!r}]"
    if operator in ("$in", "$nin"):
        if isinstance(value, str) or not isinstance(value, Iterable):
            raise TypeError(f"{where}: {operator} needs a list of values, {value!r} was given")
        values = [_scalar(each, key, dates, where) for each in value]
        if not values or len({type(each) for each in values}) > 1:
            raise ValueError(
                f"{where}: {operator} needs one value or more, all of one type; {value!r} was given"
            )
        return values
    if operator not in ("$eq", "$ne", *_COMPARISONS):
        raise ValueError(
            f"{where} has the operator {operator!r}; there are $eq, $ne, $gt, $gte, $lt, $lte, $in, $nin"
        )
    value = _scalar(value, key, dates, where)
    if operator in _COMPARISONS and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise TypeError(f"{where}: {operator} compares numbers and dates, {value!r} was given")
    return value


def _check_strings(texts: Iterable[str], what: str) -> list[str]:
    if isinstance(texts, str | bytes) or not isinstance(texts, Iterable):
        raise TypeError(f"{what} is a {type(texts).__name__}; give a list of strings")
    texts = list(texts)
    for position, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(f"{what}[{position}] is a {type(text).__name__}, not a string")
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise ValueError(
                f"{what}[{position}] cannot be stored as UTF-8 ({error.reason}); decode it with errors='replace'"
            ) from error
    return texts


def _select(keep: Sequence[bool], *lists: list) -> Iterator[list]:
    return ([item for item, wanted in zip(each, keep, strict=True) if wanted] for each in lists)


def _progress(parts: Sequence, what: str, show: bool) -> Iterable:
    if not show:
        return parts
    from tqdm.auto import tqdm

    return tqdm(parts, desc=what, unit="batch")


def _json(entry: dict) -> str:
    return json.dumps(entry, ensure_ascii=False, allow_nan=False) + "\n"


def _some(items: Sequence[str], most: int = 5) -> str:
    return ", ".join(map(repr, items[:most])) + (
        f" and {len(items) - most} more" if len(items) > most else ""
    )
