"""The store helper, and every silence of ChromaDB that lesson 05 relies on."""

import json
import math
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
import zlib
from datetime import date, datetime
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import chromadb
import numpy as np
import pytest
from chromadb.config import Settings
from chromadb.errors import ChromaError, DuplicateIDError, InvalidArgumentError

from helpers import store as store_room
from helpers.models import MODELS
from helpers.recovery import export_store, import_store, recover
from helpers.store import Hit, StoreError, connect, open_store

DIM = 8
KILLS = int(os.environ.get("STORE_KILLS", "2"))
MODEL = {"model": "test/model", "revision": "r1", "dimension": DIM}
COSINE = {"hnsw": {"space": "cosine", "ef_search": 400}}
N = 40
IDS = [f"d{i:02}" for i in range(N)]
TEXTS = [f"Text {i} on {'gulls' if i % 4 == 0 else 'bread'}" for i in range(N)]
VECTORS = np.random.default_rng(0).normal(size=(N, DIM)).astype(np.float32)
UNIT = VECTORS / np.linalg.norm(VECTORS, axis=1, keepdims=True)
DATES = [date(2019 + i % 7, 1 + i % 12, 1 + i % 28) for i in range(N)]
METADATA = [
    {
        "kind": ["food", "sport", "arts"][i % 3],
        "number": i,
        "share": i / 7,
        "even": i % 2 == 0,
        "date": DATES[i],
    }
    for i in range(N)
]


class FakeEncoder:
    """Gives each text a vector of its own, and remembers what it encoded."""

    def __init__(self, seed=0, dimension=DIM):
        self.seed, self.dimension, self.encoded = seed, dimension, []

    def encode(self, texts, **settings):
        assert isinstance(texts, list)
        self.encoded.append(list(texts))
        rows = [np.random.default_rng([self.seed, zlib.crc32(text.encode())]) for text in texts]
        vectors = np.array([row.normal(size=self.dimension) for row in rows])
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def embedded(tmp_path_factory):
    """A client on a folder."""
    with connect(tmp_path_factory.mktemp("chroma")) as client:
        yield client


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The address of a Chroma server of our own, which ends with the tests whatever happens."""
    folder = tmp_path_factory.mktemp("server")
    command = [str(Path(sys.executable).with_name("chroma")), "run", "--host", "127.0.0.1"]
    for _ in range(3):  # somebody else may take the free port before the server does
        port = free_port()
        with (folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [*command, "--path", str(folder / "db"), "--port", str(port)],
                stdout=log,
                stderr=log,
            )
        try:
            deadline = time.monotonic() + 120
            while process.poll() is None and time.monotonic() < deadline:
                try:
                    connect(f"http://127.0.0.1:{port}").close()
                except ConnectionError:
                    time.sleep(0.1)  # between two questions, not instead of them
                    continue
                yield f"http://127.0.0.1:{port}"
                return
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    pytest.fail("the Chroma server did not start: " + (folder / "log").read_text()[-500:])


@pytest.fixture(params=["folder", "memory", "server"])
def client(request):
    """Each kind of client in turn."""
    if request.param == "folder":
        yield request.getfixturevalue("embedded")
        return
    where = request.getfixturevalue("server") if request.param == "server" else None
    with connect(where) as opened:
        yield opened


@pytest.fixture
def name(request):
    """A collection's name that no other test uses."""
    return "c-" + uuid.uuid4().hex[:12]


def make(client, name, **options):
    settings = {"exists": "recreate", "date_fields": ["date"], "ef_search": 400} | MODEL | options
    return open_store(client, name, **settings)


def filled(client, name, **options):
    store = make(client, name, **options)
    store.add(IDS, TEXTS, VECTORS, METADATA)
    return store


@pytest.fixture
def store(embedded, name):
    """A store on disk with all records."""
    return filled(embedded, name)


@pytest.fixture
def raw(embedded, name):
    """A plain Chroma collection with cosine space and three records."""
    collection = embedded.create_collection(name, embedding_function=None, configuration=COSINE)
    metadatas = [{"n": 1, "d": 20240115}, {"n": 2}, {"word": "Gull"}]
    collection.add(
        ids=list("abc"), documents=["one", "Two", "three"], embeddings=UNIT[:3], metadatas=metadatas
    )
    return collection


def kept(store):
    return {r.id: (r.document, r.metadata, r.vector.round(5).tolist()) for r in store.records()}


def ids_of(hits):
    return [hit.id for hit in hits]


def expected(query, keep=None, k=None):
    """The ids that brute force finds."""
    scores = UNIT @ (query / np.linalg.norm(query))
    order = [i for i in np.argsort(-scores, kind="stable") if keep is None or keep[i]]
    return [IDS[i] for i in order[:k]]


# What ChromaDB does, without and with saying so. If a release changes one of these, lesson 05 must change with it.


def test_chroma_measures_squared_l2_unless_told_otherwise(embedded, name):
    """The distance is the square, so that 1 - distance is 2 cos - 1 for unit vectors."""
    collection = embedded.create_collection(name, embedding_function=None)
    assert collection.configuration_json["hnsw"]["space"] == "l2"
    collection.add(ids=["a"], embeddings=UNIT[:1])
    distance = collection.query(query_embeddings=UNIT[1:2], n_results=1)["distances"][0][0]
    assert distance == pytest.approx(2 - 2 * UNIT[0] @ UNIT[1], abs=1e-5)


def test_chroma_keeps_the_space_of_a_collection_for_good(embedded, name):
    """`get_or_create` ignores the space asked for, and the metadata; `modify` refuses the space."""
    collection = embedded.create_collection(name, embedding_function=None, metadata={"model": "x"})
    again = embedded.get_or_create_collection(
        name, embedding_function=None, configuration=COSINE, metadata={"model": "y"}
    )
    assert again.configuration_json["hnsw"]["space"] == "l2"
    assert again.metadata == {"model": "x"}
    with pytest.raises(InvalidArgumentError, match="space"):
        collection.modify(configuration={"hnsw": {"space": "cosine"}})


def test_chroma_gives_a_collection_a_model_unless_told_otherwise(embedded, name):
    """Without ``embedding_function=None`` a missing vector is computed by a model that is downloaded."""
    assert (
        embedded.create_collection(name).configuration_json["embedding_function"]["name"]
        == "default"
    )


def test_chroma_replaces_a_collection_s_metadata_as_a_whole(embedded, name):
    """`modify` drops the keys that are not named: a model's name is easily lost."""
    embedded.create_collection(name, embedding_function=None, metadata={"model": "x"}).modify(
        metadata={"a": 1}
    )
    assert embedded.get_collection(name, embedding_function=None).metadata == {"a": 1}


def test_chroma_adds_nothing_under_an_id_that_is_there(raw):
    """It keeps the old record, adds the new ones of the same call, and says nothing."""
    raw.add(ids=["a", "z"], documents=["changed", "new"], embeddings=UNIT[5:7])
    assert raw.get(ids=["a"])["documents"] == ["one"]
    assert raw.count() == 4


def test_chroma_keeps_the_old_content_when_a_notebook_is_run_again(embedded, raw):
    """`create_collection` fails; `get_or_create` and `add` change nothing."""
    with pytest.raises(ChromaError, match="already exists"):
        embedded.create_collection(raw.name, embedding_function=None)
    again = embedded.get_or_create_collection(raw.name, embedding_function=None)
    again.add(ids=list("abc"), documents=["1", "2", "3"], embeddings=UNIT[:3])
    assert again.get()["documents"] == ["one", "Two", "three"]


def test_chroma_refuses_an_id_twice_in_one_call(raw):
    """This one is an error."""
    with pytest.raises(DuplicateIDError):
        raw.add(ids=["q", "q"], embeddings=UNIT[:2])


def test_chroma_refuses_another_dimension(raw):
    """In adding and in searching."""
    with pytest.raises(InvalidArgumentError, match="dimension"):
        raw.add(ids=["q"], embeddings=[[1.0] * 5])
    with pytest.raises(InvalidArgumentError, match="dimension"):
        raw.query(query_embeddings=[[1.0] * 5], n_results=1)


def test_chroma_takes_any_vectors_of_the_right_dimension(raw):
    """Another model's, zeros, and NaN in a query: nothing is said."""
    raw.add(ids=["other", "zero"], embeddings=[UNIT[9][::-1], np.zeros(DIM)])
    assert raw.count() == 5
    assert len(raw.query(query_embeddings=[[math.nan] * DIM], n_results=2)["ids"][0]) == 2
    with pytest.raises(InvalidArgumentError, match="NaN"):
        raw.add(ids=["nan"], embeddings=[[math.nan] * DIM])


def test_chroma_updates_a_missing_id_without_a_word_and_counts_what_it_was_asked_to_delete(raw):
    """The count is of the ids given, not of the records deleted."""
    raw.update(ids=["nobody"], documents=["?"], embeddings=UNIT[:1])
    assert raw.count() == 3
    assert raw.delete(ids=["nobody", "a"]) == {"deleted": 2}
    assert raw.count() == 2


def test_chroma_lets_text_and_vector_part(raw):
    """A vector without its text is taken; a text without its vector only where there is no embedding function to ask."""
    for change in (raw.update, raw.upsert):
        change(ids=["a"], embeddings=UNIT[7:8])
        assert raw.get(ids=["a"])["documents"] == ["one"]
        with pytest.raises(ValueError, match="embedding function"):
            change(ids=["a"], documents=["other"])
    assert raw.query(query_embeddings=UNIT[7:8], n_results=1)["documents"] == [["one"]]


def test_chroma_merges_metadata(raw):
    """Old keys stay until they are None, or NaN, which drops them in silence."""
    raw.upsert(ids=["a"], embeddings=UNIT[:1], metadatas=[{"new": 1}])
    assert raw.get(ids=["a"])["metadatas"] == [{"n": 1, "d": 20240115, "new": 1}]
    raw.update(ids=["a"], metadatas=[{"n": None, "d": math.nan}])
    assert raw.get(ids=["a"])["metadatas"] == [{"new": 1}]


def test_chroma_returns_ids_in_its_own_order(raw):
    """`get` does not keep the order asked for."""
    assert raw.get(ids=["c", "a", "b"])["ids"] == ["a", "b", "c"]


@pytest.mark.parametrize(
    "where",
    [
        {},
        {"n": 1, "d": 20240115},
        {"d": {"$gte": 1, "$lte": 2}},
        {"$and": [{"n": 1}]},
        {"n": np.int64(1)},
        {"n": {"$in": []}},
        {"d": date(2024, 1, 15)},
        {"d": {"$gte": date(2024, 1, 15)}},
        {"d": {"$gte": "2024-01-15"}},
    ],
)
def test_chroma_refuses_these_filters(raw, where):
    """One condition a dict, two or more under $and, plain numbers and no dates."""
    with pytest.raises(ValueError, match="Expected"):
        raw.get(where=where)


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ({"m": 1}, []),  # no such key: a spelling mistake finds nothing
        ({"n": "1"}, []),  # a text is no number
        ({"n": {"$ne": 1}}, ["b", "c"]),  # "c" has no such key
        ({"n": {"$nin": [1]}}, ["b", "c"]),
        ({"d": {"$gte": 20240101}}, ["a"]),
    ],
)
def test_chroma_answers_these_filters_without_a_word(raw, where, found):
    """No error for a key that does not exist; a missing key is not equal to anything."""
    assert raw.get(where=where)["ids"] == found


def test_chroma_matches_words_with_their_capitals(raw):
    """``$contains`` is a search for letters; ``$regex`` can ignore their case."""
    assert raw.get(where_document={"$contains": "two"})["ids"] == []
    assert raw.get(where_document={"$contains": "Two"})["ids"] == ["b"]
    assert raw.get(where_document={"$regex": "(?i)two"})["ids"] == ["b"]


def test_chroma_answers_nothing_found_with_a_list_in_a_list(raw):
    """One empty list for each query."""
    assert raw.query(query_embeddings=UNIT[:2], n_results=3, where={"n": 99})["ids"] == [[], []]


def test_chroma_refuses_a_batch_beyond_its_limit_and_keeps_none_of_it(embedded, raw):
    """Nothing of a refused batch stays."""
    too_many = embedded.get_max_batch_size() + 1
    with pytest.raises(ChromaError, match="atch size"):
        raw.add(ids=[f"m{i}" for i in range(too_many)], embeddings=np.ones((too_many, DIM)))
    assert raw.count() == 3


def test_clients_of_one_process_share_one_store(name):
    """In memory, where nothing persists, the usual proof of persistence succeeds."""
    with connect() as first, connect() as second:
        first.create_collection(name, embedding_function=None).add(ids=["a"], embeddings=UNIT[:1])
        assert second.get_collection(name, embedding_function=None).count() == 1
        first.delete_collection(name)


WATCHER = """
import sys, chromadb
collection = chromadb.PersistentClient(path=sys.argv[1]).get_collection(sys.argv[2], embedding_function=None)
memory = len(chromadb.EphemeralClient().list_collections())
vector = collection.get(ids=["a"], include=["embeddings"])["embeddings"]
for _ in range(2):
    found = collection.query(query_embeddings=vector, n_results=2, include=[])["ids"][0]
    print(memory, collection.count(), len(collection.get(ids=["new"])["ids"]), "new" in found, flush=True)
    sys.stdin.readline()
"""


def test_a_second_process_finds_what_is_on_disk_but_not_what_comes_later(tmp_path):
    """Persistence, and why one folder belongs to one process: `get` and `count` see a new record, `query` does not."""
    with connect(tmp_path) as here:
        collection = here.create_collection("kept", embedding_function=None, configuration=COSINE)
        collection.add(ids=list("abc"), embeddings=UNIT[:3])
        command = [sys.executable, "-c", WATCHER, str(tmp_path), "kept"]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as other:
            assert other.stdout.readline().split() == ["0", "3", "0", "False"]
            collection.add(ids=["new"], embeddings=UNIT[:1])
            rest, _ = other.communicate("\n\n")
        assert rest.split() == ["0", "4", "1", "False"]
        assert "new" in collection.query(query_embeddings=UNIT[:1], n_results=2)["ids"][0]


# The store: the same code on a folder, in memory and on a server


def test_search_agrees_with_brute_force(client, name):
    """Ids, scores, order and content, for every kind of client."""
    store = filled(client, name)
    assert len(store) == N
    for query, hits in zip(UNIT, store.search(VECTORS, top_k=7), strict=True):
        assert ids_of(hits) == expected(query, k=7)
        for hit in hits:
            i = IDS.index(hit.id)
            assert hit.score == pytest.approx(UNIT[i] @ query, abs=1e-5)
            assert (hit.document, hit.metadata) == (TEXTS[i], METADATA[i])
    client.delete_collection(name)


def test_filters_and_dates_agree_with_python(client, name):
    """Every operator, several keys in one dict, dates as dates, and words."""
    store = filled(client, name)
    cases = {
        "equal": ({"kind": "food"}, [m["kind"] == "food" for m in METADATA]),
        "bool": ({"even": True}, [m["even"] for m in METADATA]),
        "in": ({"kind": {"$in": ["food", "arts"]}}, [m["kind"] != "sport" for m in METADATA]),
        "nin": ({"kind": {"$nin": ["food", "arts"]}}, [m["kind"] == "sport" for m in METADATA]),
        "range": (
            {"number": {"$gt": 3, "$lte": np.int64(9)}},
            [3 < m["number"] <= 9 for m in METADATA],
        ),
        "day": ({"date": DATES[3]}, [d == DATES[3] for d in DATES]),
        "days": ({"date": {"$in": DATES[:2]}}, [d in DATES[:2] for d in DATES]),
        "year": (
            {"date": {"$gte": date(2020, 1, 1), "$lt": date(2021, 1, 1)}},
            [d.year == 2020 for d in DATES],
        ),
        "two keys": (
            {"kind": "food", "even": False},
            [m["kind"] == "food" and not m["even"] for m in METADATA],
        ),
        "or": (
            {"$or": [{"kind": "food"}, {"number": 4, "even": True}]},
            [m["kind"] == "food" or m["number"] == 4 for m in METADATA],
        ),
        "and": ({"$and": [{"kind": "food"}]}, [m["kind"] == "food" for m in METADATA]),
        "none": ({}, [True] * N),
    }
    for label, (where, keep) in cases.items():
        assert sum(keep) > 0, label
        hits = store.search(UNIT[5], top_k=N, where=where)
        assert ids_of(hits) == expected(UNIT[5], keep), label
        assert [r.id for r in store.records(where)] == [
            i for i, k in zip(IDS, keep, strict=True) if k
        ], label
    gulls = store.search(UNIT[5], top_k=N, where={"even": True}, contains="gulls")
    assert ids_of(gulls) == expected(UNIT[5], [i % 4 == 0 for i in range(N)])
    client.delete_collection(name)


def test_a_filter_acts_before_the_ranking(store):
    """The wanted number is returned even where no record that fits is near."""
    far = expected(UNIT[0])[-3:]
    store.update(far, metadatas=[{"rare": True}] * 3)
    assert ids_of(store.search(UNIT[0], top_k=3, where={"rare": True})) == far


def test_a_threshold_returns_all_that_is_above_and_nothing_below(client, name):
    """With and without a number of results; more than the first request fetches."""
    store = filled(client, name)
    for threshold in (-1.1, -0.2, 0.0, 0.3, 0.99, 1.1):
        scores = UNIT @ UNIT[4]
        above = expected(UNIT[4], scores >= threshold)
        assert ids_of(store.search(UNIT[4], top_k=None, threshold=threshold)) == above
        assert ids_of(store.search(UNIT[4], top_k=3, threshold=threshold)) == above[:3]
    client.delete_collection(name)


def test_export_and_import_give_the_same_store(client, name, tmp_path):
    """Out of any client and into any: ids, documents, metadata, vectors, model, order and results."""
    store = filled(client, name)
    store.add(["bare"], ["Füße, “quoted”\nand a line"], VECTORS[:1] * -9)
    file = tmp_path / "out.jsonl"
    assert export_store(store, file) == N + 1
    copy = import_store(client, file, name=name + "-copy", exists="refuse")
    old, new = list(store.records()), list(copy.records())
    assert old == new
    assert np.allclose([r.vector for r in old], [r.vector for r in new], atol=1e-6)
    assert (copy.model, copy.revision, copy.dimension) == ("test/model", "r1", DIM)
    assert copy.date_fields == ["date"]
    assert [ids_of(h) for h in copy.search(VECTORS)] == [ids_of(h) for h in store.search(VECTORS)]
    with pytest.raises(StoreError, match="exists already"):
        import_store(client, file, name=name + "-copy", exists="refuse")
    assert len(import_store(client, file, name=name + "-copy", exists="recreate")) == N + 1
    for collection in (name, name + "-copy"):
        client.delete_collection(collection)


def test_an_export_is_plain_json(store, tmp_path):
    """One object a line; readable without us: the model stands in the first, dates as ISO text."""
    file = tmp_path / "out.jsonl"
    export_store(store, file)
    header, *rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert {
        k: header[k] for k in ("model", "revision", "dimension", "space", "records")
    } == MODEL | {"space": "cosine", "records": N}
    assert [row["id"] for row in rows] == IDS
    assert rows[3]["metadata"]["date"] == DATES[3].isoformat()
    assert np.allclose([row["vector"] for row in rows], UNIT, atol=1e-6)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda lines: lines[:-1], "incomplete: 40 records expected, 39 found"),
        (lambda lines: [*lines[:-1], lines[-1][:30]], "line 41"),
        (lambda lines: [*lines[:-1], lines[-2]], "twice"),
        (lambda lines: lines[1:], "line 1"),
        (lambda lines: [], "empty"),
        (lambda lines: [lines[0].replace(b"cosine", b"l2"), *lines[1:]], "l2"),
        (lambda lines: [lines[0], b"\xff\n", *lines[2:]], "line 2"),
        (
            lambda lines: [lines[0].replace(b'"dimension": 8', b'"dimension": 9'), *lines[1:]],
            "shape",
        ),
    ],
)
def test_a_damaged_export_is_refused_before_anything_is_written(store, tmp_path, damage, message):
    """The old collection is still there afterwards."""
    file = tmp_path / "out.jsonl"
    export_store(store, file)
    file.write_bytes(b"".join(damage(file.read_bytes().splitlines(keepends=True))))
    with pytest.raises(StoreError, match=message):
        import_store(store.client, file, exists="recreate")
    assert len(store) == N


# Models, spaces and what is there already


@pytest.mark.parametrize("other", [{"model": "test/other"}, {"revision": "r2"}, {"dimension": 9}])
def test_another_model_is_refused(store, other):
    """Name, revision, dimension: each of them; the message names both."""
    with pytest.raises(StoreError, match=r"test/model \(revision r1, dimension 8\)"):
        open_store(store.client, store.name, exists="open", **(MODEL | other))


def test_another_model_of_the_same_dimension_is_refused_by_its_name(embedded, name):
    """The course's own two models with 384 numbers."""
    open_store(embedded, name, "all-MiniLM-L6-v2", exists="refuse")
    assert (
        MODELS["paraphrase-multilingual-MiniLM-L12-v2"].dimension
        == MODELS["all-MiniLM-L6-v2"].dimension
    )
    with pytest.raises(
        StoreError, match=r"paraphrase-multilingual-MiniLM-L12-v2.*cannot be compared"
    ):
        open_store(embedded, name, "paraphrase-multilingual-MiniLM-L12-v2", exists="open")
    again = open_store(embedded, name, "sentence-transformers/all-MiniLM-L6-v2", exists="open")
    assert again.revision == MODELS["all-MiniLM-L6-v2"].revision


def test_another_encoder_of_the_same_name_and_dimension_is_refused(embedded, name):
    """It is recognised by what it makes of a probe."""
    make(embedded, name, encoder=FakeEncoder())
    make(embedded, name, encoder=FakeEncoder(), exists="open")
    with pytest.raises(StoreError, match="probe"):
        make(embedded, name, encoder=FakeEncoder(seed=1), exists="open")
    with pytest.raises(StoreError, match="vectors of 9"):
        make(embedded, name, encoder=FakeEncoder(dimension=9), exists="open")


@pytest.mark.parametrize(
    "use",
    [
        len,
        lambda s: s.search(UNIT[0]),
        lambda s: s.add(["x"], ["x"], UNIT[:1]),
        lambda s: s.update(["d00"], metadatas=[{"a": 1}]),
        lambda s: s.delete(["d00"]),
        lambda s: s.get(["d00"]),
        lambda s: list(s.records()),
        lambda s: export_store(s, "/nowhere"),
    ],
)
def test_the_model_is_checked_at_every_use(store, use):
    """Somebody else replaces the collection behind an open store's back."""
    make(store.client, store.name, revision="r2")
    with pytest.raises(StoreError, match="revision r2"):
        use(store)
    store.client.delete_collection(store.name)
    with pytest.raises(StoreError, match="any more"):
        use(store)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"configuration": None}, "'l2'"),
        ({"configuration": {"hnsw": {"space": "ip"}}}, "'ip'"),
        ({"configuration": COSINE}, "which model"),
    ],
)
def test_a_foreign_collection_is_refused(embedded, name, options, message):
    """Another space, or no model: and the message tells what to do."""
    embedded.create_collection(name, embedding_function=None, **options)
    with pytest.raises(StoreError, match=message) as caught:
        make(embedded, name, exists="open")
    assert "recreate" in str(caught.value)
    assert len(make(embedded, name, exists="recreate")) == 0


def test_what_happens_to_an_existing_collection_is_chosen(store):
    """Open keeps, recreate empties, refuse refuses, and nothing is assumed."""
    with pytest.raises(StoreError, match="exists already, with 40 records"):
        make(store.client, store.name, exists="refuse")
    assert len(make(store.client, store.name, exists="open")) == N
    with pytest.raises(StoreError, match="date fields"):
        make(store.client, store.name, exists="open", date_fields=["day"])
    assert len(make(store.client, store.name, exists="recreate")) == 0
    with pytest.raises(ValueError, match="exists='yes'"):
        make(store.client, store.name, exists="yes")
    with pytest.raises(TypeError, match="exists"):
        open_store(store.client, store.name, **MODEL)


def test_an_unknown_model_needs_revision_and_dimension(embedded, name):
    """And a loaded model is not a name."""
    with pytest.raises(StoreError, match="revision="):
        open_store(embedded, name, "my/model", exists="open", dimension=8)
    with pytest.raises(TypeError, match="encoder="):
        open_store(embedded, name, FakeEncoder(), exists="open")


# Writing


def test_records_are_added_in_batches_within_the_client_s_limit(embedded, name, monkeypatch):
    """However large the call."""
    sizes = []
    original = chromadb.Collection.add

    def add(self, ids, **rest):
        sizes.append(len(ids))
        return original(self, ids=ids, **rest)

    monkeypatch.setattr(chromadb.Collection, "add", add)
    monkeypatch.setattr(embedded, "get_max_batch_size", lambda: 15)
    assert make(embedded, name).add(IDS, TEXTS, VECTORS, METADATA) == N
    assert sizes == [15, 15, 10]
    assert len(make(embedded, name, exists="open")) == N


def test_an_existing_id_is_refused_kept_or_replaced(store):
    """Refused: nothing of the call is written. Replaced: text, vector and all metadata."""
    before = kept(store)
    new = (["d00", "new"], ["changed", "added"], UNIT[7:9], [{"only": 1}, None])
    with pytest.raises(StoreError, match=r"1 of 2 ids are .* 'd00'.*Nothing was written"):
        store.add(*new)
    assert kept(store) == before
    assert store.add(*new, existing="keep") == 1
    assert {i: v for i, v in kept(store).items() if i != "new"} == before
    assert store.add(*new, existing="replace") == 2
    assert store.get(["d00"])[0].metadata == {"only": 1}
    assert store.get(["d00"])[0].document == "changed"
    assert np.allclose(store.get(["d00"])[0].vector, UNIT[7], atol=1e-6)
    assert len(store) == N + 1


def test_adding_twice_with_replace_changes_nothing(store):
    """A notebook that is run again gives the same store."""
    before = kept(store)
    assert store.add(IDS, TEXTS, VECTORS, METADATA, existing="replace") == N
    assert kept(store) == before


def test_the_encoder_makes_all_missing_vectors_in_one_call(embedded, name):
    """Never one call a document, and none for what is kept."""
    encoder = FakeEncoder()
    store = make(embedded, name, encoder=encoder)
    encoder.encoded.clear()
    store.add(IDS[:6], TEXTS[:6])
    store.add(IDS[:9], TEXTS[:9], existing="keep")
    assert encoder.encoded == [TEXTS[:6], TEXTS[6:9]]
    assert ids_of(store.search(TEXTS[4], top_k=1)) == ["d04"]
    assert [ids_of(h) for h in store.search([TEXTS[1], TEXTS[2]], top_k=1)] == [["d01"], ["d02"]]
    store.update(["d00"], documents=["other words"])
    assert ids_of(store.search("other words", top_k=1)) == ["d00"]


def test_text_and_vector_are_updated_together(store):
    """One without the other is refused; metadata may go alone, merged."""
    with pytest.raises(StoreError, match="without vectors"):
        store.update(["d00"], documents=["new"])
    with pytest.raises(StoreError, match="without documents"):
        store.update(["d00"], vectors=UNIT[:1])
    with pytest.raises(KeyError, match="nobody"):
        store.update(["d00", "nobody"], metadatas=[{"a": 1}, {"a": 1}])
    store.update(
        ["d00"],
        documents=["new"],
        vectors=UNIT[3:4],
        metadatas=[{"number": None, "date": date(2030, 2, 3)}],
    )
    record = store.get(["d00"])[0]
    assert record.document == "new"
    assert record.metadata == {k: v for k, v in METADATA[0].items() if k != "number"} | {
        "date": date(2030, 2, 3)
    }


def test_delete_counts_what_was_there(store):
    """By id or by filter."""
    assert store.delete(["d00", "nobody"]) == 1
    assert store.delete(where={"date": {"$lt": date(2020, 1, 1)}}) == sum(
        d.year < 2020 for d in DATES[1:]
    )
    with pytest.raises(ValueError, match="recreate"):
        store.delete()


def test_get_keeps_the_order_asked_for(store):
    """And names what is missing."""
    assert [r.id for r in store.get(["d09", "d01", "d05"])] == ["d09", "d01", "d05"]
    with pytest.raises(KeyError, match="nobody"):
        store.get(["d01", "nobody"])


def test_dates_at_the_ends_of_the_calendar_come_back(embedded, name):
    """Every day between year 1 and year 9999 fits."""
    days = [date.min, date(999, 12, 31), date(2024, 2, 29), date.max]
    store = make(embedded, name)
    store.add(IDS[:4], TEXTS[:4], UNIT[:4], [{"date": day} for day in days])
    assert [r.metadata["date"] for r in store.records()] == days
    assert len(list(store.records({"date": {"$gt": date(999, 12, 31)}}))) == 2
    raw = embedded.get_collection(name, embedding_function=None).get(ids=["d02"])
    assert raw["metadatas"] == [{"date": 20240229}]


def test_a_hit_prints_its_score_with_two_digits():
    """As in the lessons."""
    assert (
        repr(Hit("a", "The ferry.", {}, 0.5812)) == "Hit(score=0.58, id='a', document='The ferry.')"
    )


# Bad input


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda s: s.add("ab", ["x", "y"], UNIT[:2]), TypeError, "ids is one str"),
        (lambda s: s.add(["x"], "x", UNIT[:1]), TypeError, "documents is one str"),
        (lambda s: s.add([1], ["x"], UNIT[:1]), TypeError, r"ids\[0\] is a int"),
        (lambda s: s.add(["x"], [None], UNIT[:1]), TypeError, r"documents\[0\] is None"),
        (lambda s: s.add([""], ["x"], UNIT[:1]), StoreError, r"ids\[0\] is empty"),
        (lambda s: s.add(["x", "x"], ["x", "y"], UNIT[:2]), StoreError, "given twice: 'x'"),
        (lambda s: s.add(["x"], ["\ud800"], UNIT[:1]), ValueError, "surrogate"),
        (lambda s: s.add(["x", "y"], ["x"], UNIT[:2]), StoreError, "2 ids and 1 documents"),
        (lambda s: s.add(["x"], ["x"], UNIT[:2]), StoreError, "1 ids and 2 vectors"),
        (lambda s: s.add(["x"], ["x"], UNIT[:1], [{}, {}]), StoreError, "1 ids and 2 metadatas"),
        (lambda s: s.add(["x"], ["x"], UNIT[0]), StoreError, r"shape \(8,\)"),
        (lambda s: s.add(["x"], ["x"], UNIT[:1, :5]), StoreError, r"shape \(1, 5\)"),
        (lambda s: s.add(["x"], ["x"], [["a"] * DIM]), TypeError, "no array of numbers"),
        (lambda s: s.add(["x"], ["x"], [[math.nan] * DIM]), StoreError, r"vectors\[0\] holds NaN"),
        (lambda s: s.add(["x"], ["x"], [[0] * DIM]), StoreError, r"vectors\[0\] is zero"),
        (lambda s: s.add(["x"], ["x"]), StoreError, "encoder"),
        (lambda s: s.add(["x"], ["x"], UNIT[:1], ["no"]), TypeError, r"metadatas\[0\] is a str"),
        (lambda s: s.add(["x"], ["x"], UNIT[:1], [{"a": [1, "x"]}]), ValueError, "all of one type"),
        (lambda s: s.add(["x"], ["x"], UNIT[:1], [{"a": math.nan}]), ValueError, "drop the key"),
        (lambda s: s.add(["x"], ["x"], UNIT[:1], [{"a": 2**63}]), ValueError, "64 bits"),
        (lambda s: s.add(["x"], ["x"], UNIT[:1], [{"$a": 1}]), ValueError, "does not begin"),
        (
            lambda s: s.add(["x"], ["x"], UNIT[:1], [{"day": date(2024, 1, 1)}]),
            TypeError,
            "date_fields",
        ),
        (
            lambda s: s.add(["x"], ["x"], UNIT[:1], [{"date": "2024-01-01"}]),
            TypeError,
            "datetime.date",
        ),
        (lambda s: s.add(["x"], ["x"], UNIT[:1], [{"date": 20240101}]), TypeError, "datetime.date"),
        (
            lambda s: s.add(["x"], ["x"], UNIT[:1], [{"date": datetime(2024, 1, 1)}]),
            TypeError,
            "time of day",
        ),
        (lambda s: s.add(["x"], ["x"], UNIT[:1], existing="yes"), ValueError, "existing='yes'"),
        (lambda s: s.update(["d00"]), ValueError, "nothing to update"),
        (lambda s: s.search(UNIT[0], top_k=0), ValueError, "top_k=0"),
        (lambda s: s.search(UNIT[0], top_k=True), ValueError, "top_k=True"),
        (lambda s: s.search(UNIT[0], top_k=None), ValueError, "threshold"),
        (lambda s: s.search(UNIT[0], threshold=math.nan), ValueError, "threshold=nan"),
        (lambda s: s.search(UNIT[0], threshold="high"), ValueError, "threshold='high'"),
        (lambda s: s.search(UNIT[0][:5]), StoreError, r"query has shape \(1, 5\)"),
        (lambda s: s.search(np.zeros(DIM)), StoreError, "is zero"),
        (lambda s: s.search("text"), StoreError, "encoder"),
        (lambda s: s.search(" "), ValueError, "query is empty"),
        (lambda s: s.search(UNIT[0], contains=""), ValueError, "contains=''"),
        (lambda s: s.search(UNIT[0], where="food"), TypeError, "where is a str"),
        (lambda s: s.search(UNIT[0], where={"n": {}}), ValueError, "is empty"),
        (lambda s: s.search(UNIT[0], where={"n": {"$near": 1}}), ValueError, r"\$near"),
        (lambda s: s.search(UNIT[0], where={"$not": {"n": 1}}), ValueError, r"\$not"),
        (lambda s: s.search(UNIT[0], where={"$or": []}), ValueError, "list of filters"),
        (lambda s: s.search(UNIT[0], where={"n": {"$in": "ab"}}), TypeError, "list of values"),
        (lambda s: s.search(UNIT[0], where={"n": {"$in": [1, "a"]}}), ValueError, "one type"),
        (lambda s: s.search(UNIT[0], where={"kind": {"$gt": "a"}}), TypeError, "compares numbers"),
        (
            lambda s: s.search(UNIT[0], where={"date": {"$gte": "2024-01-01"}}),
            TypeError,
            "date field",
        ),
        (lambda s: s.search(UNIT[0], where={"kind": None}), TypeError, "NoneType"),
    ],
)
def test_bad_input_is_refused_with_a_message(store, call, error, message):
    """What was given, and what to give; nothing is written."""
    with pytest.raises(error, match=message):
        call(store)
    assert len(store) == N


def test_empty_things_are_no_errors(embedded, name, tmp_path):
    """No records, no queries, nothing found."""
    store = make(embedded, name)
    assert store.search(UNIT[0]) == []
    assert store.add([], [], np.empty((0, DIM))) == 0
    assert store.search(np.empty((0, DIM))) == []
    assert export_store(store, tmp_path / "x.jsonl") == 0
    assert len(import_store(embedded, tmp_path / "x.jsonl", exists="recreate")) == 0


def test_no_server_is_a_connection_error():
    """It tells how to start one."""
    with pytest.raises(ConnectionError, match="chroma run"):
        connect(f"http://127.0.0.1:{free_port()}")


def test_telemetry_is_off(embedded):
    """Whatever the version does with it."""
    assert embedded.get_settings().anonymized_telemetry is False
    assert Settings().anonymized_telemetry is False


# What it promises


def test_equal_vectors_hide_nothing(client, name):
    """A hundred copies fill an index; the others are found all the same, also after changes."""
    rng = np.random.default_rng(5)
    others = rng.normal(size=(10, DIM))
    vectors = np.vstack([np.ones((120, DIM)), others])
    ids = [f"copy{i}" for i in range(120)] + [f"other{i}" for i in range(10)]
    store = make(client, name)
    store.add(ids, ids, vectors)
    for _ in range(2):
        assert [hits[0].id for hits in store.search(others, top_k=1)] == ids[120:]
        assert len(store.search(others[0], top_k=130)) == 130
        assert len(store.search(others[0], top_k=None, threshold=-1.1)) == 130
    store.delete(["other0"])
    store.update(["other1"], documents=["moved"], vectors=others[:1])
    assert store.search(others[0], top_k=1)[0].document == "moved"
    # Behind the store's back, with the same number of records
    client.get_collection(name, embedding_function=None).update(["other2"], embeddings=-others[:1])
    assert store.search(-others[0], top_k=1)[0].id == "other2"
    client.delete_collection(name)


def test_a_search_in_a_large_collection_is_exact_where_it_says_so(store, monkeypatch):
    """Above EXACT: few records fit a filter, most are wanted, or all above a threshold."""
    monkeypatch.setattr(store_room, "EXACT", 20)
    ask = chromadb.Collection.query

    def shorten(self, **rest):
        answer = ask(self, **rest)
        names = ("ids", "documents", "metadatas", "distances")
        return answer | {name: [row[:1] for row in answer[name]] for name in names}

    monkeypatch.setattr(chromadb.Collection, "query", shorten)  # an index that misses all but one
    assert ids_of(store.search(UNIT[3], top_k=1)) == expected(UNIT[3], k=1)
    assert ids_of(store.search(UNIT[3], top_k=3)) == expected(UNIT[3], k=3)
    assert ids_of(store.search(UNIT[3], top_k=10)) == expected(UNIT[3], k=10)
    food = [m["kind"] == "food" for m in METADATA]
    assert ids_of(store.search(UNIT[3], top_k=1, where={"kind": "food"})) == expected(
        UNIT[3], food, 1
    )
    above = expected(UNIT[3], UNIT @ UNIT[3] >= 0.1)
    assert ids_of(store.search(UNIT[3], top_k=None, threshold=0.1)) == above


def test_many_equal_vectors_of_a_large_collection_are_told(embedded, name, monkeypatch):
    """When they come in several calls, too; and not where searches are exact anyway."""
    monkeypatch.setattr(store_room, "COPIES", 20)
    store = make(embedded, name)
    store.add(IDS[:15], TEXTS[:15], np.ones((15, DIM)))
    monkeypatch.setattr(store_room, "EXACT", 20)
    with pytest.warns(RuntimeWarning, match="equal"):
        store.add(IDS[15:30], TEXTS[15:30], np.ones((15, DIM)))


def test_more_results_than_chroma_gives_in_one_call(client, name):
    """140 queries for 322 each are more than 32,700 results."""
    vectors = np.random.default_rng(0).normal(size=(322, DIM))
    ids = [f"r{i}" for i in range(322)]
    store = make(client, name)
    store.add(ids, ids, vectors)
    assert {len(hits) for hits in store.search(vectors[:140], top_k=322)} == {322}
    assert {len(hits) for hits in store.search(np.repeat(vectors, 5, axis=0), top_k=30)} == {30}
    client.delete_collection(name)


@pytest.mark.parametrize("scale", [1e-30, 1e-3, 1e20, 1e200])
def test_vectors_of_any_norm_are_stored_with_norm_1(embedded, name, scale):
    """Squares that float32 cannot hold make no difference."""
    store = make(embedded, name)
    store.add(IDS, TEXTS, VECTORS.astype(float) * scale)
    assert np.allclose([record.vector for record in store.records()], UNIT, atol=1e-6)
    assert ids_of(store.search(UNIT[1].astype(float) * scale, top_k=4)) == expected(UNIT[1], k=4)


def test_lists_and_lists_of_dates_are_metadata(client, name):
    """They come back, and ``$contains`` finds in them."""
    store = make(client, name)
    tags = [{"tags": ["a", f"t{i}"], "date": [DATES[i], date(2030, 1, 1)]} for i in range(4)]
    store.add(IDS[:4], TEXTS[:4], UNIT[:4], tags)
    assert [record.metadata for record in store.records()] == tags
    assert [r.id for r in store.records({"tags": {"$contains": "t2"}})] == ["d02"]
    assert len(list(store.records({"date": {"$contains": date(2030, 1, 1)}}))) == 4
    store.add(IDS[:1], TEXTS[:1], UNIT[:1], [{"n": 1}], existing="replace")
    assert store.get(["d00"])[0].metadata == {"n": 1}
    client.delete_collection(name)


def test_nothing_is_deleted_before_everything_is_checked(store):
    """`recreate` with an argument that is wrong leaves the old content."""
    for wrong in (
        {"ef_search": 0},
        {"ef_search": "high"},
        {"dimension": 1.5},
        {"date_fields": "date"},
        {"date_fields": [1]},
        {"encoder": "all-MiniLM-L6-v2"},
        {"encoder": FakeEncoder(dimension=9)},
    ):
        with pytest.raises((ValueError, TypeError)):
            make(store.client, store.name, **wrong)
        assert len(store) == N
    for where in ({}, {"$and": [{}]}, {"$or": [{}, {"even": True}]}):
        with pytest.raises(ValueError, match="recreate"):
            store.delete(where=where)
    assert len(store) == N


def test_an_encoder_is_checked_where_none_was_before(embedded, name):
    """By the stored texts; then by a probe. An empty collection takes any."""
    make(embedded, name)
    make(embedded, name, exists="open", encoder=FakeEncoder())
    with pytest.raises(StoreError, match="probe"):
        make(embedded, name, exists="open", encoder=FakeEncoder(seed=1))
    store = make(embedded, name)
    store.add(IDS, TEXTS, FakeEncoder().encode(TEXTS))
    with pytest.raises(StoreError, match="none of 8 stored texts"):
        make(embedded, name, exists="open", encoder=FakeEncoder(seed=1))
    opened = make(embedded, name, exists="open", encoder=FakeEncoder())
    assert ids_of(opened.search(TEXTS[3], top_k=1)) == ["d03"]
    with pytest.raises(StoreError, match="probe"):
        make(embedded, name, exists="open", encoder=FakeEncoder(seed=1))


def test_documents_and_queries_are_encoded_each_in_its_own_way(embedded, name):
    """For models with two sides."""

    class TwoSides(FakeEncoder):
        def encode_document(self, texts, **settings):
            return self.encode(["document: " + text for text in texts])

        def encode_query(self, texts, **settings):
            return self.encode(["query: " + text for text in texts])

    encoder = TwoSides()
    store = make(embedded, name, encoder=encoder)
    encoder.encoded.clear()
    store.add(["x"], ["ferry"])
    store.search("boat")
    store.update(["x"], documents=["ship"])
    assert encoder.encoded == [["document: ferry"], ["query: boat"], ["document: ship"]]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda s, t: s.add(t["id"], t, UNIT[:2]), TypeError, "documents is a DataFrame"),
        (lambda s, t: s.add(t, t["id"], UNIT[:2]), TypeError, "ids is a DataFrame"),
        (lambda s, t: s.add({"x": 1}, ["x"], UNIT[:1]), TypeError, "ids is a dict"),
        (lambda s, t: s.add({"x"}, ["x"], UNIT[:1]), TypeError, "ids is a set"),
        (
            lambda s, t: s.add(t["id"], {"x": "a", "y": "b"}, UNIT[:2]),
            TypeError,
            "documents is a dict",
        ),
        (lambda s, t: s.add(t["id"], t["id"], UNIT[:2], t), TypeError, "to_dict"),
        (lambda s, t: s.add(["x"], ["x"], UNIT[:1], {"a": 1}), TypeError, "metadatas is a dict"),
        (lambda s, t: s.add(["x"], ["x"], [["1"] * DIM]), TypeError, "no array of numbers"),
        (lambda s, t: s.add(["x"], ["x"], UNIT[:1] > 0), TypeError, "no array of numbers"),
        (lambda s, t: s.add(["x"], ["x"], [[math.inf] * DIM]), StoreError, "infinity"),
        (lambda s, t: s.add(["x"], ["x"], [[1, 2], [3]]), TypeError, "no array"),
        (lambda s, t: s.get(s.search(UNIT[0])), TypeError, r"ids\[0\] is a Hit"),
        (lambda s, t: s.delete([7]), TypeError, r"ids\[0\] is a int"),
        (lambda s, t: s.get([np.int64(7)]), TypeError, r"ids\[0\] is a int64"),
        (lambda s, t: s.search(t), TypeError, "DataFrame"),
        (lambda s, t: s.search({"q": "ferry"}), TypeError, "dict"),
        (lambda s, t: s.search([["a"] * DIM]), TypeError, "no array of numbers"),
        (lambda s, t: s.search([math.nan] * DIM), StoreError, "NaN"),
        (lambda s, t: s.search(None), (TypeError, StoreError), "query"),
        (lambda s, t: s.update(["d00"], metadatas=[{"a": "\ud83d"}]), ValueError, r"\[0\]\['a'\]"),
        (
            lambda s, t: s.add(["x"], ["x"], UNIT[:1], [{"\ud83d": 1}]),
            ValueError,
            r"metadatas\[0\]",
        ),
        (lambda s, t: s.add(["x"], ["x"], UNIT[:1], [{"a": t["day"][0]}]), TypeError, "NaT"),
        (lambda s, t: s.add(["x"], ["x"], UNIT[:1], [{"a": t["day"][1]}]), TypeError, "datetime"),
    ],
)
def test_tables_dicts_and_results_in_the_wrong_place_are_refused(store, call, error, message):
    """Never keys in the place of values."""
    import pandas as pd

    table = pd.DataFrame({"id": ["x", "y"], "day": pd.to_datetime([None, "2024-02-29"])})
    with pytest.raises(error, match=message):
        call(store, table)
    assert len(store) == N


# Folders and servers that are not as they should be

HOLDER = """
import sys
from helpers.store import connect
client = connect(sys.argv[1])
print("open", flush=True)
sys.stdin.readline()
"""


def test_a_folder_belongs_to_one_process(tmp_path):
    """The second is told which process has it; the lock goes with close, or with its process."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        try:
            assert other.stdout.readline() == "open\n"
            with pytest.raises(StoreError, match=rf"process {other.pid} .*chroma run"):
                connect(tmp_path)
            with pytest.raises(StoreError, match="open"):
                recover(tmp_path, tmp_path / "new")
        finally:
            other.kill()
    first, second = connect(tmp_path), connect(str(tmp_path))
    make(first, "shared").add(["a"], ["b"], UNIT[:1])
    assert len(make(second, "shared", exists="open")) == 1
    first.close()
    first.close()
    assert len(make(second, "shared", exists="open")) == 1
    second.close()
    done = subprocess.run(
        [sys.executable, "-c", HOLDER, str(tmp_path)], input="\n", capture_output=True, text=True
    )
    assert done.stdout == "open\n"


def test_folders_that_cannot_be_used_are_named(tmp_path):
    """A file in its place, a damaged database, a folder removed; mended, it works in the same process."""
    (tmp_path / "file").write_text("x")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(StoreError, match=f"{place} cannot be used.*Give a folder"):
            connect(place)
    torn = tmp_path / "torn"
    torn.mkdir()
    (torn / "chroma.sqlite3").write_bytes(b"no database " * 100)
    with pytest.raises(StoreError, match=f"{torn}.*not a database"):
        connect(torn)
    (torn / "chroma.sqlite3").unlink()
    connect(torn).close()
    client = connect(tmp_path / "gone")
    store = make(client, "letters")
    shutil.rmtree(tmp_path / "gone")
    for use in (len, lambda s: s.add(["x"], ["x"], UNIT[:1]), lambda s: s.search(UNIT[0])):
        with pytest.raises(StoreError, match="was removed"):
            use(store)
    with pytest.raises(StoreError, match=r"was removed.*close\(\)"):
        connect(tmp_path / "gone")
    client.close()
    with connect(tmp_path / "gone") as client:
        assert len(make(client, "letters")) == 0


def test_addresses_and_clients(embedded):
    """A client comes back; what is no address, or no Chroma server, is told."""
    assert connect(embedded) is embedded
    for wrong in ("ftp://127.0.0.1", "http://", "http://127.0.0.1:99999"):
        with pytest.raises(ValueError, match="no address"):
            connect(wrong)
    site = ThreadingHTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler)
    thread = threading.Thread(target=site.serve_forever)
    thread.start()
    try:
        with pytest.raises(ConnectionError, match="no Chroma server answers"):
            connect(f"http://127.0.0.1:{site.server_port}")
    finally:
        site.shutdown()
        site.server_close()
        thread.join()


# An index that is damaged


def damage_index(folder):
    """Leave the index as a process does that is killed while writing the last of its files."""
    (index,) = folder.glob("*/index_metadata.pickle")
    index.write_bytes(index.read_bytes()[:500])


def test_a_damaged_index_is_told_and_recovered(tmp_path):
    """Ids, texts, metadata and vectors, in the order of adding; the old folder stays as it was."""
    old, new, count = tmp_path / "old", tmp_path / "new", 1_100
    texts = [f"text {i}" for i in range(count)]
    ids, vectors = [f"r{i}" for i in range(count)], FakeEncoder().encode(texts)
    metadatas = [
        {"n": i, "f": i / 7, "even": i % 2 == 0, "tags": ["a", str(i)], "date": DATES[i % N]}
        for i in range(count)
    ]
    with connect(old) as client:
        store = make(client, "letters")
        for start in range(0, count, 100):
            part = slice(start, start + 100)
            store.add(ids[part], texts[part], vectors[part], metadatas[part])
        store.delete(["r5", "r1050"])
        store.update(["r1090"], documents=["new"], vectors=FakeEncoder().encode(["new"]))
        store.update(["r6"], metadatas=[{"n": None}])
        right = list(store.records())
    damage_index(old)
    with connect(old) as client, pytest.raises(StoreError, match=rf"helpers recover {old}"):
        make(client, "letters", exists="open")
    files = {path: path.read_bytes() for path in old.rglob("*") if path.is_file()}
    with pytest.raises(StoreError, match=r"vectors of 'letters' were in the index only.*encoder="):
        recover(old, new)
    with pytest.raises(StoreError, match="encoder is not"):
        recover(old, new, encoder=FakeEncoder(seed=1))
    assert not new.exists()
    assert recover(old, new, encoder=FakeEncoder()) == {"letters": count - 2}
    assert files == {path: path.read_bytes() for path in old.rglob("*") if path.is_file()}
    with connect(new) as client:
        mended = list(make(client, "letters", exists="open").records())
    assert mended == right
    assert np.allclose([r.vector for r in mended], [r.vector for r in right], atol=1e-6)
    with pytest.raises(StoreError, match="not empty"):
        recover(old, new, encoder=FakeEncoder())
    with pytest.raises(StoreError, match=r"no chroma\.sqlite3"):
        recover(tmp_path / "nowhere", tmp_path / "newer")


# A killed process

KILLED_RECORDS = 4000


def ingest(folder, acknowledge):
    """Add records in batches of 100, keep what is there, and say of each batch when it is done."""
    with connect(folder) as client:
        store = open_store(
            client, "ingest", "test/model", revision="r1", dimension=32, exists="open"
        )
        for start in range(0, KILLED_RECORDS, 100):
            ids = [f"r{i}" for i in range(start, start + 100)]
            vectors = np.random.default_rng(start).normal(size=(100, 32))
            metadatas = [{"batch": start}] * 100
            store.add(ids, [f"text of {i}" for i in ids], vectors, metadatas, existing="keep")
            acknowledge(start)


INGEST = """
import sys
sys.path.insert(0, sys.argv[1])
from test_store import ingest
ingest(sys.argv[2], lambda start: print(start, flush=True))
"""


def ingested(folder):
    """All records of a finished or broken ingestion, their number, and what some searches find."""
    with connect(folder) as client:
        store = open_store(
            client, "ingest", "test/model", revision="r1", dimension=32, exists="open"
        )
        records = {r.id: (r.document, r.metadata, r.vector) for r in store.records()}
        probes = [records[i][2] for i in ("r0", "r77") if i in records]
        return records, len(store), [ids_of(store.search(p, top_k=1)) for p in probes]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """What the ingestion gives when nobody kills it."""
    folder = tmp_path_factory.mktemp("whole")
    ingest(folder, lambda start: None)
    return ingested(folder)[0]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
@pytest.mark.parametrize("turn", range(KILLS))
def test_a_killed_ingestion_loses_nothing_acknowledged(tmp_path, uninterrupted, turn):
    """All acknowledged batches are there, nothing twice; run again, it ends as if nothing had happened."""
    command = [sys.executable, "-c", INGEST, str(Path(__file__).parent), str(tmp_path)]
    wanted = 1 + turn * 7 % 37  # batches acknowledged before the kill; a different place each time
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            acknowledged = [int(process.stdout.readline()) for _ in range(wanted)]
        finally:
            process.kill()
        acknowledged += [int(line) for line in process.stdout if line.endswith("\n")]
    assert process.returncode == -signal.SIGKILL, "the process ended before it could be killed"
    records, count, found = ingested(tmp_path)
    assert {f"r{i}" for start in acknowledged for i in range(start, start + 100)} <= set(records)
    assert count == len(records) < KILLED_RECORDS
    assert found == [["r0"], ["r77"]]
    ingest(tmp_path, lambda start: None)
    finished, count, found = ingested(tmp_path)
    assert count == len(finished) == KILLED_RECORDS
    assert finished.keys() == uninterrupted.keys()
    for key, (document, metadata, vector) in uninterrupted.items():
        assert finished[key][:2] == (document, metadata)
        assert np.array_equal(finished[key][2], vector)
    assert found == [["r0"], ["r77"]]
