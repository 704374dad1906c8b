"""The FAISS indexes: against brute force, arguments, recall, sweep, choice, files."""

import contextlib
import errno
import json
import subprocess
import sys
import warnings
from itertools import pairwise
from pathlib import Path

import faiss
import numpy as np
import pytest

from helpers import exact as exact_search
from helpers import indexes
from helpers.indexes import (
    SweepPoint,
    choose_nprobe,
    flat_index,
    hnsw_index,
    ivf_index,
    load_index,
    recall_at_k,
    save_index,
    sweep_nprobe,
)

N, DIMENSION, K = 1_200, 16, 10


def unit(rows, seed=0, spread=0.8):
    """Return unit vectors in clumps, as texts are: shape (rows, DIMENSION)."""
    generator = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(size=(12, DIMENSION))
    vectors = centres[generator.integers(12, size=rows)] + spread * generator.normal(
        size=(rows, DIMENSION)
    )
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


VECTORS, QUERIES = unit(N), unit(40, seed=1)
IDS = np.random.default_rng(2).permutation(10 * N)[:N]  # in no order, with gaps
LONG = VECTORS * np.random.default_rng(3).uniform(0.5, 3, size=(N, 1)).astype(np.float32)


def brute_force(vectors, queries, k, metric="cosine", ids=None):
    """Return ids and scores of the k best, best first, in float64."""
    vectors, queries = vectors.astype(float), queries.astype(float)
    if metric == "l2":
        scores = ((queries[:, None] - vectors[None]) ** 2).sum(axis=2)
        best = np.argsort(scores, axis=1)[:, :k]
    else:
        scores = queries @ vectors.T
        best = np.argsort(-scores, axis=1)[:, :k]
    ids = np.arange(len(vectors)) if ids is None else np.asarray(ids)
    return ids[best], np.take_along_axis(scores, best, axis=1)


def quietly(build, *arguments, **settings):
    """Build without the warning about few vectors to learn from."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return build(*arguments, **settings)


def ivf_all_cells(vectors, ids=None, **settings):
    return quietly(ivf_index, vectors, ids, nlist=20, nprobe=20, **settings)


EXACT = {"flat": flat_index, "ivf, all cells": ivf_all_cells}
#: Kinds that lose something, with a recall they reach by a wide margin, and by how much a score may be off.
LOSSY = {"hnsw": (hnsw_index, 0.9, 1e-5)}
ALL = EXACT | {name: build for name, (build, _, _) in LOSSY.items()}
every_kind = pytest.mark.parametrize("build", ALL.values(), ids=ALL)


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Matrices this small are slower with several threads, and a graph built by several differs from run to run."""
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    yield
    faiss.omp_set_num_threads(before)


@pytest.fixture(scope="module")
def ivf():
    """Twenty cells, and the exact neighbours of the queries."""
    return ivf_index(VECTORS, nlist=20, nprobe=3)


@pytest.fixture(scope="module")
def exact():
    return brute_force(VECTORS, QUERIES, K)[0]


# Against brute force


@pytest.mark.parametrize("metric", ["cosine", "inner product", "l2"])
@pytest.mark.parametrize("build", EXACT.values(), ids=EXACT)
def test_exact_kinds_find_what_brute_force_finds(build, metric):
    """Ids and scores, for every metric; where the metric allows it, with vectors of any length."""
    vectors = VECTORS if metric == "cosine" else LONG
    found = build(vectors, IDS, metric=metric).search(QUERIES, K)
    ids, scores = brute_force(vectors, QUERIES, K, metric, IDS)
    assert np.array_equal(found.ids, ids)
    assert np.allclose(found.scores, scores, atol=1e-5)


@pytest.mark.parametrize(("build", "enough", "off"), LOSSY.values(), ids=LOSSY)
@pytest.mark.parametrize("metric", ["cosine", "inner product", "l2"])
def test_lossy_kinds_find_most_of_it(build, enough, off, metric):
    """Recall with room; and the score belongs to the id."""
    found = build(VECTORS, IDS, metric=metric).search(QUERIES, K)
    ids, _ = brute_force(VECTORS, QUERIES, K, metric, IDS)
    assert recall_at_k(ids, found.ids) > enough
    places = {number: place for place, number in enumerate(IDS)}
    rows = VECTORS[[[places[number] for number in row] for row in found.ids]]
    true = (rows * QUERIES[:, None]).sum(axis=2)
    true = 2 - 2 * true if metric == "l2" else true
    assert np.abs(found.scores - true).max() < off
    steps = np.diff(found.scores, axis=1)
    assert (steps >= 0).all() if metric == "l2" else (steps <= 0).all()


def test_fewer_cells_find_less_but_nothing_wrong(ivf, exact):
    """What an IVF finds has its exact score, and comes from the cells opened only."""
    found = ivf.search(QUERIES, K, nprobe=1)
    assert 0.2 < recall_at_k(exact, found.ids) < 1
    there = found.ids != -1
    rows = VECTORS[found.ids[there]]
    assert np.allclose(
        found.scores[there], (rows * QUERIES[np.nonzero(there)[0]]).sum(axis=1), atol=1e-5
    )


def test_nprobe_of_one_call_does_not_stay(ivf):
    """The index keeps the nprobe it was built with."""
    before = ivf.search(QUERIES, K).ids
    everything = ivf.search(QUERIES, K, nprobe=20).ids
    assert not np.array_equal(before, everything)
    assert np.array_equal(ivf.search(QUERIES, K).ids, before)
    assert ivf.faiss.nprobe == ivf.settings["nprobe"] == 3


@every_kind
def test_without_ids_vectors_are_numbered(build):
    """From 0, in order: a vector that is looked for is found at its place, or next to it."""
    found = build(VECTORS).search(VECTORS[:100], 5).ids
    assert ((found == np.arange(100)[:, None]).any(axis=1)).mean() > 0.9


@every_kind
def test_what_is_missing_has_id_minus_1_and_the_worst_score(build):
    """More than there is: the row is filled up."""
    index = build(VECTORS[:70], IDS[:70])
    found = index.search(QUERIES, 100)
    assert found.ids.shape == found.scores.shape == (40, 100)
    assert set(found.ids[0, :70]) == set(IDS[:70])
    assert (found.ids[:, 70:] == -1).all()
    assert (found.scores[:, 70:] == -np.inf).all()
    with_l2 = build(VECTORS[:70], metric="l2").search(QUERIES, 71)
    assert (with_l2.scores[:, 70] == np.inf).all()


@every_kind
def test_an_index_does_not_change_when_the_matrix_does(build):
    """It holds a copy, and leaves what it was given as it was."""
    matrix, ids = VECTORS.copy(), IDS.copy()
    index = build(matrix, ids)
    before = index.search(QUERIES, K)
    assert np.array_equal(matrix, VECTORS)
    matrix[:] = 0
    ids[:] = 0
    after = index.search(QUERIES, K)
    assert np.array_equal(before.ids, after.ids)
    assert np.array_equal(before.scores, after.scores)


@every_kind
def test_any_layout_in_memory_is_fine(build):
    """Columns first, or every other row of something larger."""
    twice = np.repeat(VECTORS, 2, axis=0)[::2]
    expected = build(VECTORS).search(QUERIES, K).ids
    for layout in (np.asfortranarray(VECTORS), twice):
        assert np.array_equal(build(layout).search(np.asfortranarray(QUERIES), K).ids, expected)


def test_no_queries_find_nothing():
    """Zero rows in, zero rows out."""
    found = flat_index(VECTORS).search(QUERIES[:0], K)
    assert found.ids.shape == (0, K)


def test_an_index_knows_what_it_is(ivf):
    """Length and a readable form."""
    assert len(ivf) == N
    assert repr(ivf) == "VectorIndex(ivf, cosine, 1,200 vectors of 16, nlist=20, nprobe=3)"


def test_the_same_seed_gives_the_same_cells():
    """And another seed others."""
    first, again, other = (
        ivf_index(VECTORS, nlist=20, seed=seed).search(QUERIES, K, nprobe=1).ids
        for seed in (5, 5, 6)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_without_nlist_a_cell_has_39_vectors_or_more():
    """The square root, or fewer cells; and no warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ivf_index(VECTORS).settings == {"nlist": 30, "nprobe": 8}
        assert ivf_index(unit(2_500)).settings["nlist"] == 50
        assert ivf_index(VECTORS[:10]).settings == {"nlist": 1, "nprobe": 1}


def test_few_vectors_a_cell_are_warned_of_in_python(capfd):
    """FAISS's own warning goes to stderr, where nothing can catch it: it is silent, and ours is not."""
    with pytest.warns(
        UserWarning, match=r"nlist=40 leaves 30 vectors a cell; .* 39 or more, here nlist=30"
    ):
        ivf_index(VECTORS, nlist=40)
    said = capfd.readouterr()
    assert said.err == said.out == ""


# Copies


COPIES = np.concatenate([np.full(100, 7), np.arange(N)])  # vector 7, a hundred and one times


@pytest.mark.parametrize("metric", ["cosine", "inner product", "l2"])
def test_a_hundred_copies_hide_nobody_in_a_graph(metric):
    """Each of thirty vectors finds itself. In a graph with all copies, most of them do not."""
    chosen = COPIES[:130]
    found = hnsw_index(VECTORS[chosen], metric=metric).search(VECTORS[:30], 1)
    assert found.ids[:, 0].tolist() == [0 if n == 7 else n + 100 for n in range(30)]
    assert np.allclose(found.scores, 0 if metric == "l2" else 1, atol=1e-5)
    graph = faiss.IndexHNSWFlat(DIMENSION, 32, faiss.METRIC_INNER_PRODUCT)
    graph.add(VECTORS[chosen])
    assert (graph.search(VECTORS[:30], 1)[1][:, 0] == found.ids[:, 0]).sum() < 20


def test_a_search_gives_all_copies_and_then_the_rest():
    """With ids of one's own; the row is cut at k, wherever that is, and goes on where it can."""
    own = np.arange(len(COPIES)) * 3
    graph = hnsw_index(VECTORS[COPIES], own)
    assert len(graph) == len(COPIES)
    equal = own[COPIES == 7].tolist()
    for k in (1, 50, 101, 105):
        found = graph.search(VECTORS[7:8], k)
        assert found.ids[0, :101].tolist() == equal[:k]
        assert found.ids.shape == found.scores.shape == (1, k)
    assert (
        found.ids[0, 101:].tolist()
        == flat_index(VECTORS, own[100:]).search(VECTORS[7:8], 5).ids[0, 1:].tolist()
    )


def test_all_there_is_may_be_asked_for_and_more():
    """Three vectors, two of them equal, one with a zero of the other sign."""
    few = np.array([[1, 0, 0], [0, 1, 0], [1, 0, -0.0]], dtype=np.float32)
    found = hnsw_index(few).search(few[:1], 5)
    assert found.ids.tolist() == [[0, 2, 1, -1, -1]]
    assert found.scores.tolist() == [[1, 1, 0, -np.inf, -np.inf]]
    assert hnsw_index(few, metric="l2").search(few[:1], 4).scores.tolist() == [[0, 0, 2, np.inf]]


def test_copies_that_differ_by_rounding_are_copies():
    """The same text encoded in other company; what differs by more is another vector."""
    for noise, groups in ((1e-7, 1), (1e-3, 100)):
        near = VECTORS[:1] + np.random.default_rng(0).uniform(
            -noise, noise, size=(100, DIMENSION)
        ).astype(np.float32)
        near /= np.linalg.norm(near, axis=1, keepdims=True)
        assert hnsw_index(near).faiss.ntotal == groups


def test_copies_survive_saving(tmp_path):
    """They stand beside FAISS's own index."""
    graph = hnsw_index(VECTORS[COPIES])
    loaded = load_index(save_index(graph, tmp_path / "graph"))
    assert len(loaded) == len(graph)
    assert np.array_equal(loaded.search(QUERIES, 200).ids, graph.search(QUERIES, 200).ids)


# Exact search, as fast as the product


@pytest.mark.parametrize("k", [1, 10, 150, N])
@pytest.mark.parametrize("queries", [1, 2, 19, 20, 40])
def test_flat_finds_what_a_stable_sort_of_the_product_finds(queries, k):
    """By either way, a few queries and a batch; ties for the last place and for all places too."""
    coarse = np.round(VECTORS[COPIES] * 2) / 2  # many equal rows, many equal scores
    asked = np.round(QUERIES[:queries] * 2) / 2
    found = flat_index(coarse, metric="inner product").search(asked, k)
    scores = asked @ coarse.T
    expected = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    assert np.array_equal(found.ids, expected)
    assert np.array_equal(found.scores, np.take_along_axis(scores, expected, axis=1))


def test_faiss_is_left_as_it_was(monkeypatch):
    """Its threshold holds for the whole process: it is put back, after an error too."""
    names = [f"distance_compute_blas_{name}" for name in ("threshold", "query_bs", "database_bs")]
    before, during = [getattr(faiss.cvar, name) for name in names], []
    original = faiss.knn

    def watched(*arguments, **settings):
        during.append(faiss.cvar.distance_compute_blas_threshold)
        if len(during) == 2:
            raise MemoryError("the tide is out")
        return original(*arguments, **settings)

    monkeypatch.setattr(faiss, "knn", watched)
    flat_index(VECTORS).search(QUERIES, K)
    with pytest.raises(MemoryError, match="tide"):
        flat_index(VECTORS).search(QUERIES, K)
    assert during == [exact_search.BATCH] * 2
    assert [getattr(faiss.cvar, name) for name in names] == before


def test_threads_that_search_at_once_leave_faiss_as_it_was():
    """The second must not take the first one's setting for the original."""
    from concurrent.futures import ThreadPoolExecutor

    threshold, index = faiss.cvar.distance_compute_blas_threshold, flat_index(VECTORS)
    expected = index.search(QUERIES, K).ids
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: index.search(QUERIES, K).ids, range(40)):
            assert np.array_equal(found, expected)
    assert faiss.cvar.distance_compute_blas_threshold == threshold


def test_ten_thousand_queries_need_little_memory():
    """Blocks of scores, never all of them: 10,000 x 20,000 would be 800 MB."""
    code = (
        "import resource, sys, numpy as np; from helpers.indexes import flat_index; "
        "unit = lambda a: (a / np.linalg.norm(a, axis=1, keepdims=True)).astype(np.float32); "
        "g = np.random.default_rng(0); data = unit(g.normal(size=(20_000, 32))); "
        "data[:500] = data[0]; queries = unit(g.normal(size=(10_000, 32))); "
        "index = flat_index(data); index.search(queries[:50], 10); "
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss; before = peak(); "
        "index.search(queries, 10); index.search(np.repeat(data[:1], 2_000, axis=0), 10); "
        "print((peak() - before) * (1 if sys.platform == 'darwin' else 1024))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(found.stdout) < 256e6


# Arguments


def spoilt(row, value):
    matrix = VECTORS.copy()
    matrix[row, 3] = value
    return matrix


BAD_MATRICES = {
    "list": (VECTORS.tolist(), TypeError, r"is a list; give an array"),
    "one vector": (
        VECTORS[0],
        ValueError,
        r"has shape \(16,\).*For a single vector, give \w+\[None\]",
    ),
    "three axes": (VECTORS[None], ValueError, r"has shape \(1, 1200, 16\); one row for each"),
    "no columns": (VECTORS[:, :0], ValueError, r"has shape \(1200, 0\)"),
    "float64": (VECTORS.astype(float), TypeError, r"is float64; .*astype\(np.float32\)"),
    "float16": (VECTORS.astype(np.float16), TypeError, r"is float16"),
    "whole numbers": (VECTORS.astype(int), TypeError, r"is int64"),
    "too long": (spoilt(7, 1e20), ValueError, r"\[7\] is too long for float32's products"),
    "NaN": (spoilt(7, np.nan), ValueError, r"\[7\] holds a NaN"),
    "infinity": (spoilt(8, np.inf), ValueError, r"\[8\] holds a NaN or an infinity \(1 such"),
    "not normalised": (
        LONG,
        ValueError,
        r"\[0\] has norm [\d.]+ \(\d+ of 1200 .*normalize_embeddings=True",
    ),
    "a zero row": (
        np.where(np.arange(N)[:, None] == 5, np.float32(0), VECTORS),
        ValueError,
        r"\[5\] has norm 0 ",
    ),
}


@pytest.mark.parametrize(("matrix", "error", "message"), BAD_MATRICES.values(), ids=BAD_MATRICES)
@every_kind
def test_bad_vectors_are_refused(build, matrix, error, message):
    """What was given, what is expected, what to do."""
    with pytest.raises(error, match="vectors.*" + message):
        build(matrix)


@pytest.mark.parametrize(("matrix", "error", "message"), BAD_MATRICES.values(), ids=BAD_MATRICES)
def test_bad_queries_are_refused(matrix, error, message):
    """As bad vectors are; they are called queries."""
    index = flat_index(VECTORS)
    with pytest.raises(error, match="queries.*" + message):
        index.search(matrix, K)


def test_an_empty_matrix_is_refused():
    """There is nothing to index."""
    with pytest.raises(ValueError, match=r"vectors has shape \(0, 16\): no rows"):
        flat_index(VECTORS[:0])


@every_kind
def test_queries_of_another_width_are_refused(build):
    """FAISS's own message is empty. The width comes first: a norm says nothing about another model's vector."""
    for wrong in (np.zeros((2, 24), dtype=np.float32), QUERIES[:, :8]):
        with pytest.raises(
            ValueError,
            match=rf"queries has {wrong.shape[1]} columns, .* vectors of 16\. .*same model",
        ):
            build(VECTORS).search(wrong, K)


@pytest.mark.parametrize("metric", ["inner product", "l2"])
def test_other_metrics_take_vectors_of_any_length(metric):
    """Only the cosine needs norm 1."""
    assert len(flat_index(LONG, metric=metric)) == N


def test_norms_within_rounding_pass():
    """float16 storage and sums in another order are no reason to refuse."""
    assert len(flat_index(VECTORS.astype(np.float16).astype(np.float32))) == N
    with pytest.raises(ValueError, match=r"norm 1\.01"):
        flat_index(VECTORS * np.float32(1.01))


@pytest.mark.parametrize("metric", ["dot", "L2", None, 0])
def test_an_unknown_metric_is_refused(metric):
    """With the names of those that are known."""
    with pytest.raises(ValueError, match="'cosine', 'inner product', 'l2'"):
        flat_index(VECTORS, metric=metric)


BAD_IDS = {
    "too few": (IDS[:-1], ValueError, r"shape \(1199,\) for 1200 vectors"),
    "a matrix": (IDS[:, None], ValueError, r"shape \(1200, 1\)"),
    "fractions": (IDS + 0.5, TypeError, "float64; FAISS knows whole numbers"),
    "words": ([str(i) for i in IDS], TypeError, "Keep a table from numbers to names"),
    "truth values": (IDS > 0, TypeError, "bool"),
    "negative": (IDS - IDS[0] - 1, ValueError, "-1 means 'not found'"),
    "twice": (np.where(np.arange(N) == 3, IDS[4], IDS), ValueError, "stands 2 times in ids"),
    "too large": (IDS.astype(np.uint64) + np.uint64(2**63), ValueError, "int64"),
}


@pytest.mark.parametrize(("ids", "error", "message"), BAD_IDS.values(), ids=BAD_IDS)
@every_kind
def test_bad_ids_are_refused(build, ids, error, message):
    """FAISS would take duplicates and negative ones."""
    with pytest.raises(error, match=message):
        build(VECTORS, ids)


def test_ids_may_be_any_iterable_of_whole_numbers():
    """And as large as int64 allows."""
    largest = np.iinfo(np.int64).max
    for ids in (range(5, N + 5), iter(range(5, N + 5)), np.arange(5, N + 5, dtype=np.uint16)):
        assert flat_index(VECTORS, ids).search(VECTORS[:1], 1).ids[0, 0] == 5
    assert flat_index(VECTORS[:2], [largest, 0]).search(VECTORS[:1], 1).ids[0, 0] == largest


@pytest.mark.parametrize("k", [0, -1, 2.0, "3", None, True])
def test_a_bad_k_is_refused(k):
    """A whole number from 1 up."""
    with pytest.raises(ValueError, match=r"k=.*whole number from 1 up"):
        flat_index(VECTORS).search(QUERIES, k)


BAD_SETTINGS = [
    (ivf_index, {"nlist": 0}, "nlist=0: give a whole number from 1 to 1200"),
    (ivf_index, {"nlist": N + 1}, "nlist=1201.*there are not more vectors"),
    (ivf_index, {"nlist": 20, "nprobe": 21}, "nprobe=21.*from 1 to 20; there are not more cells"),
    (ivf_index, {"nlist": 20, "nprobe": 0}, "nprobe=0"),
    (ivf_index, {"nlist": 20.0}, "nlist=20.0"),
    (hnsw_index, {"links": 1}, "links=1"),
    (hnsw_index, {"ef_search": 0}, "ef_search=0"),
    (hnsw_index, {"ef_construction": "80"}, "ef_construction='80'"),
]


@pytest.mark.parametrize(("build", "settings", "message"), BAD_SETTINGS)
def test_bad_settings_are_refused(build, settings, message):
    """Named, with what would do."""
    with pytest.raises(ValueError, match=message):
        build(VECTORS, **settings)


@pytest.mark.parametrize("nprobe", [0, 21, 1.5, True])
def test_a_bad_nprobe_is_refused(ivf, nprobe):
    """For a single call, too."""
    with pytest.raises(ValueError, match=r"nprobe=.*from 1 to 20"):
        ivf.search(QUERIES, K, nprobe=nprobe)


def test_an_nprobe_without_cells_is_refused():
    """It would do nothing, and say nothing."""
    with pytest.raises(ValueError, match="a hnsw index has no cells"):
        hnsw_index(VECTORS).search(QUERIES, K, nprobe=2)


def test_importing_the_module_loads_no_faiss():
    """Nor anything else that is slow."""
    code = "import sys, helpers.indexes; print([m for m in ('faiss', 'torch', 'sklearn', 'matplotlib') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


# recall_at_k


def test_recall_counts_the_true_neighbours_found():
    """Three of four, by hand."""
    assert recall_at_k(np.array([[1, 2], [3, 4]]), np.array([[2, 1], [3, 9]])) == 0.75


def test_recall_does_not_depend_on_order_within_a_row():
    """But on the row: another query's neighbours are of no use."""
    generator = np.random.default_rng(4)
    exact = np.array([generator.permutation(100)[:K] for _ in range(20)])
    found = np.where(generator.random(exact.shape) < 0.6, exact, exact + 1_000)
    value = recall_at_k(exact, found)
    assert value == pytest.approx((exact == found).mean())
    assert (
        recall_at_k(generator.permuted(exact, axis=1), generator.permuted(found, axis=1)) == value
    )
    assert recall_at_k(exact, exact) == 1
    assert recall_at_k(exact, exact + 1_000) == 0
    assert recall_at_k(np.array([[1], [2]]), np.array([[2], [1]])) == 0


def test_recall_agrees_with_faiss():
    """Its own measure in `faiss.contrib`, for full rows."""
    from faiss.contrib.evaluation import knn_intersection_measure

    generator = np.random.default_rng(5)
    exact, found = (np.array([generator.permutation(30)[:K] for _ in range(20)]) for _ in range(2))
    assert recall_at_k(exact, found) == pytest.approx(knn_intersection_measure(exact, found))


def test_minus_1_is_not_found():
    """Neither as a match of -1 with -1, nor as one of the true neighbours."""
    assert recall_at_k(np.array([[1, 2, 3, 4]]), np.array([[1, -1, -1, -1]])) == 0.25
    assert recall_at_k(np.array([[1, 2, -1, -1]]), np.array([[1, -1, -1, -1]])) == 0.5
    assert recall_at_k(np.array([[1, -1], [-1, -1]]), np.array([[1, -1], [5, 6]])) == 1


def test_an_id_found_twice_counts_once():
    """Padding an answer with repetitions gains nothing."""
    assert recall_at_k(np.array([[1, 2]]), np.array([[1, 1]])) == 0.5


@pytest.mark.parametrize(
    ("exact", "found", "error", "message"),
    [
        ([[1, 2]], [[1, 2, 3]], ValueError, r"exact has shape \(1, 2\), approximate \(1, 3\)"),
        ([[1, 2]], [[1, 2], [3, 4]], ValueError, r"same queries and the same k"),
        ([1, 2], [1, 2], ValueError, r"exact has shape \(2,\); give ids of shape \(queries, k\)"),
        (
            [[1, 2]],
            [[0.9, 0.8]],
            TypeError,
            "approximate is float64; .* scores first, then the ids",
        ),
        ([[0.9, 0.8]], [[1, 2]], TypeError, "exact is float64"),
        ([[-1, -1]], [[1, 2]], ValueError, "no id but -1"),
        (
            np.empty((0, 5), dtype=int),
            np.empty((0, 5), dtype=int),
            ValueError,
            "nothing to be found",
        ),
        ([[]], [[]], ValueError, r"shape \(1, 0\)"),
    ],
)
def test_bad_ids_for_recall_are_refused(exact, found, error, message):
    """Scores instead of ids, other shapes, nothing there."""
    with pytest.raises(error, match=message):
        recall_at_k(exact, found)


# sweep_nprobe and choose_nprobe


@pytest.fixture(scope="module")
def points(ivf, exact):
    return sweep_nprobe(ivf, QUERIES, exact, range(1, 21), repeats=1)


def test_recall_and_share_grow_with_nprobe_up_to_1(points):
    """From 1 to nlist, each; more cells never find less."""
    assert [point.nprobe for point in points] == list(range(1, 21))
    assert all(a.recall <= b.recall for a, b in pairwise(points))
    assert all(a.fraction < b.fraction for a, b in pairwise(points))
    assert points[0].recall < 1
    assert points[-1].recall == 1
    assert points[-1].fraction == pytest.approx(1)
    assert all(point.seconds > 0 for point in points)


def test_recall_is_that_of_a_search(ivf, exact, points):
    """The sweep searches as `search` does."""
    for point in points[::6]:
        assert point.recall == recall_at_k(exact, ivf.search(QUERIES, K, nprobe=point.nprobe).ids)


def test_the_share_scanned_is_what_faiss_counts(ivf, points):
    """Against FAISS's own statistics of distances computed."""
    for point in points[::6]:
        faiss.cvar.indexIVF_stats.reset()
        ivf.search(QUERIES, K, nprobe=point.nprobe)
        assert point.fraction * N * len(QUERIES) == pytest.approx(faiss.cvar.indexIVF_stats.ndis)


class Clock:
    """A clock for `helpers.timing` that each search moves on by what it costs: its nprobe."""

    def __init__(self, monkeypatch, index):
        self.now, self.searched, self.search = 0.0, [], index.faiss.search
        monkeypatch.setattr("time.perf_counter", lambda: self.now)
        monkeypatch.setattr("time.sleep", lambda seconds: None)
        monkeypatch.setattr(index.faiss, "search", self)

    def __call__(self, part, k, params):
        self.searched.append((params.nprobe, len(part)))
        self.now += params.nprobe
        return self.search(part, k, params=params)


def test_nprobes_are_timed_in_turn_for_one_query(ivf, exact, monkeypatch):
    """By a clock that costs each search its nprobe: round by round, to and fro, divided by the queries."""
    clock = Clock(monkeypatch, ivf)
    points = sweep_nprobe(ivf, QUERIES, exact, [2, 4], repeats=2)
    assert clock.searched == [(n, 40) for n in (2, 4, 2, 4, 4, 2)]
    assert [point.seconds for point in points] == [2 / 40, 4 / 40]


def test_queries_are_handed_over_in_batches(ivf, exact, monkeypatch):
    """One at a time, as a user waits for it; the last batch is what is left."""
    clock = Clock(monkeypatch, ivf)
    for batch, sizes in ((1, [1] * 40), (15, [15, 15, 10])):
        clock.searched.clear()
        (point,) = sweep_nprobe(ivf, QUERIES, exact, [3], repeats=1, batch=batch)
        assert [size for _, size in clock.searched[1:]] == sizes
        assert point.seconds == 3 * len(sizes) / 40


def test_chosen_nprobes_come_in_order_and_once(ivf, exact):
    """Whatever order they were given in."""
    assert [p.nprobe for p in sweep_nprobe(ivf, QUERIES, exact, [9, 2, 9, 4], repeats=1)] == [
        2,
        4,
        9,
    ]
    assert ivf.faiss.nprobe == 3


def test_threads_are_pinned_and_given_back(ivf, exact, monkeypatch):
    """During the measurement only."""
    before = faiss.omp_get_max_threads()
    during, timed = [], indexes.time_in_turn

    def watched(*arguments, **settings):
        during.append(faiss.omp_get_max_threads())
        return timed(*arguments, **settings)

    monkeypatch.setattr(indexes, "time_in_turn", watched)
    for threads in (1, 2):
        sweep_nprobe(ivf, QUERIES, exact, [1], threads=threads)
    assert during == ([1, 1] if sys.platform == "darwin" else [1, 2])
    assert faiss.omp_get_max_threads() == before


def test_on_macos_there_is_one_thread(monkeypatch):
    """Whatever was asked for; and merely using the module pins FAISS."""
    before = faiss.omp_get_max_threads()
    monkeypatch.setattr(sys, "platform", "darwin")
    try:
        faiss.omp_set_num_threads(4)
        flat_index(VECTORS)
        assert faiss.omp_get_max_threads() == 1
    finally:
        faiss.omp_set_num_threads(before)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"index": flat_index(VECTORS)}, "the index is flat; only an inverted file"),
        ({"exact": np.zeros((39, K), dtype=int)}, "40 queries and 39 rows"),
        ({"queries": QUERIES[:, :8]}, "queries has 8 columns"),
        ({"nprobes": [0]}, "nprobe=0"),
        ({"nprobes": [21]}, "from 1 to 20"),
        ({"batch": 0}, "batch=0"),
    ],
)
def test_a_bad_sweep_is_refused(ivf, exact, change, message):
    """Before anything is measured."""
    given = {"index": ivf, "queries": QUERIES, "exact": exact, "nprobes": [1]} | change
    with pytest.raises(ValueError, match=message):
        sweep_nprobe(**given)


def point(nprobe, recall):
    return SweepPoint(nprobe, recall, 1e-3, 0.1)


def test_the_smallest_nprobe_that_reaches_the_target_is_chosen(points):
    """At the target is reached; below is not; the order does not matter."""
    made = [point(8, 0.97), point(1, 0.5), point(4, 0.95), point(2, 0.949)]
    assert choose_nprobe(made, 0.95) == 4
    assert choose_nprobe(made, 0.951) == 8
    assert choose_nprobe(made, 0) == 1
    assert choose_nprobe(iter(points), 1) == next(p.nprobe for p in points if p.recall == 1)


def test_none_where_the_target_is_out_of_reach():
    """Not the best there is: the target was not met."""
    assert choose_nprobe([point(1, 0.5), point(20, 0.98)], 0.99) is None
    assert choose_nprobe([], 0.5) is None


@pytest.mark.parametrize("target", [95, -0.1, 1.01, float("nan")])
def test_a_bad_target_is_refused(target):
    """95 is meant to be 0.95."""
    with pytest.raises(ValueError, match=r"target=.*from 0 to 1, such as 0\.95"):
        choose_nprobe([point(1, 0.5)], target)


# Files


@pytest.mark.parametrize("metric", ["cosine", "inner product", "l2"])
@every_kind
def test_everything_survives_saving(build, metric, tmp_path):
    """Ids, scores, metric, kind, settings; and it goes on checking."""
    index = build(VECTORS, IDS, metric=metric)
    path = save_index(index, tmp_path / "new folder" / "my.index")
    loaded = load_index(str(path))
    for attribute in ("kind", "metric", "settings"):
        assert getattr(loaded, attribute) == getattr(index, attribute)
    assert len(loaded) == N
    before, after = index.search(QUERIES, K), loaded.search(QUERIES, K)
    assert np.array_equal(before.ids, after.ids)
    assert np.array_equal(before.scores, after.scores)
    if metric == "cosine":
        with pytest.raises(ValueError, match="norm"):
            loaded.search(QUERIES * 2, K)
    assert [file.name for file in path.parent.iterdir()] == ["my.index"]


def test_settings_act_after_loading(tmp_path, ivf):
    """nprobe and ef_search are not only noted."""
    assert load_index(save_index(ivf, tmp_path / "ivf")).faiss.nprobe == 3
    graph = load_index(save_index(hnsw_index(VECTORS, ef_search=77), tmp_path / "hnsw"))
    assert faiss.downcast_index(graph.faiss.index).hnsw.efSearch == 77


def test_loading_in_another_process(tmp_path, ivf):
    """Nothing of it lives in this one."""
    path = save_index(ivf, tmp_path / "ivf")
    np.save(tmp_path / "queries.npy", QUERIES)
    code = (
        "import sys, json, numpy as np; from helpers.indexes import load_index; "
        "print(json.dumps(load_index(sys.argv[1]).search(np.load(sys.argv[2]), 3).ids.tolist()))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code, path, tmp_path / "queries.npy"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(found.stdout) == ivf.search(QUERIES, 3).ids.tolist()


def test_saving_again_replaces(tmp_path, ivf):
    """The new one, whole."""
    path = save_index(ivf, tmp_path / "index")
    save_index(flat_index(VECTORS[:5]), path)
    assert len(load_index(path)) == 5


def test_a_save_that_fails_leaves_the_old_file(tmp_path, ivf, monkeypatch):
    """A full disk in the middle of writing."""
    path = save_index(flat_index(VECTORS[:5]), tmp_path / "index")

    class Full:
        def __init__(self, file):
            self.file, self.writes = file, 0

        def __enter__(self):
            return self

        def __exit__(self, *args):
            self.file.close()

        def write(self, data):
            self.writes += 1
            if self.writes == 2:
                self.file.write(data[:100])
                raise OSError(errno.ENOSPC, "No space left on device")
            return self.file.write(data)

    original = Path.open
    monkeypatch.setattr(
        Path,
        "open",
        lambda self, *a, **k: (
            Full(original(self, *a, **k)) if "w" in (a or ("",))[0] else original(self, *a, **k)
        ),
    )
    with pytest.raises(OSError, match="No space left"):
        save_index(ivf, path)
    monkeypatch.undo()
    assert len(load_index(path)) == 5
    assert [file.name for file in tmp_path.iterdir()] == ["index"]


def test_what_is_not_ours_is_not_overwritten(tmp_path, ivf):
    """A file of another kind, or a folder."""
    (tmp_path / "thesis.txt").write_text("four years of work")
    (tmp_path / "folder").mkdir()
    for name in ("thesis.txt", "folder"):
        with pytest.raises(FileExistsError, match=f"{name} is something other than a saved index"):
            save_index(ivf, tmp_path / name)
    assert (tmp_path / "thesis.txt").read_text() == "four years of work"


def test_a_missing_file_is_named(tmp_path):
    """With what would make one."""
    with pytest.raises(FileNotFoundError, match=r"nothing\.index\. Make one with save_index"):
        load_index(tmp_path / "nothing.index")
    with pytest.raises(FileNotFoundError):
        load_index(tmp_path)


def test_foreign_files_are_refused(tmp_path, ivf):
    """FAISS's own among them; FAISS reads it, and we do not know what it is."""
    own = tmp_path / "own.faiss"
    faiss.write_index(ivf.faiss, str(own))
    with pytest.raises(ValueError, match=r"was not written by save_index.*faiss\.read_index"):
        load_index(own)
    for content in (b"", b"search", b"\x80\x04.", b"search-by-meaning index 3\n{}\n"):
        own.write_bytes(content)
        with pytest.raises(ValueError, match="was not written by save_index"):
            load_index(own)


@pytest.fixture
def saved(tmp_path, ivf):
    return save_index(ivf, tmp_path / "index")


def test_damaged_files_never_reach_faiss(saved, monkeypatch):
    """A single bit anywhere behind the first line, or a piece cut off: found by the checksum."""
    monkeypatch.setattr(
        faiss, "deserialize_index", lambda data: pytest.fail("FAISS was given damaged data")
    )
    whole = saved.read_bytes()
    start = whole.index(b"\n") + 1
    for place in (start, start + 40, start + 70, (start + len(whole)) // 2, len(whole) - 1):
        torn = bytearray(whole)
        torn[place] ^= 1
        saved.write_bytes(torn)
        with pytest.raises(ValueError, match=r"index is damaged.*checksum"):
            load_index(saved)
    for length in (len(whole) - 1, len(whole) // 2, start + 90, start + 30, start):
        saved.write_bytes(whole[:length])
        with pytest.raises(ValueError, match="index is damaged"):
            load_index(saved)
    saved.write_bytes(whole + b"\0")
    with pytest.raises(ValueError, match="damaged"):
        load_index(saved)


def test_a_failed_load_leaves_the_file(saved):
    """Evidence is not destroyed."""
    saved.write_bytes(saved.read_bytes()[:-1])
    size = saved.stat().st_size
    with contextlib.suppress(ValueError):
        load_index(saved)
    assert saved.stat().st_size == size
