"""The search engines: arguments, results, scores; rankings made one."""

import math
import zlib
from itertools import pairwise

import numpy as np
import pytest

from helpers import exact
from helpers.exact import top_k_indices
from helpers.fusion import convex_combination, reciprocal_rank_fusion
from helpers.search import KeywordSearch, SearchResult, SemanticSearch
from helpers.words import words_in

TEXTS = [
    "The ferry sails at noon.",
    "Bread rises overnight.",
    "A seal sleeps on the quay.",
    "The ferry is late.",
    "Nobody won the match.",
]


class FakeModel:
    """Gives every text a vector of its own, not of norm 1 unless asked to normalise, and remembers what it encoded."""

    def __init__(self, seed=0, dimension=8):
        self.seed, self.dimension = seed, dimension
        self.encoded = []

    def encode(self, texts, batch_size=32, normalize_embeddings=False, show_progress_bar=None):
        self.encoded += texts
        vectors = np.array([self.vector(text) for text in texts])
        return (
            vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
            if normalize_embeddings
            else vectors
        )

    def vector(self, text):
        generator = np.random.default_rng([self.seed, zlib.crc32(text.encode())])
        return generator.normal(size=self.dimension) * (1 + len(text))


class TableModel(FakeModel):
    """Looks its vectors up; a text that is not in the table gets `other`."""

    def __init__(self, table, other=(1.0, 0.0)):
        super().__init__(dimension=len(other))
        self.table, self.other = table, other

    def encode(self, texts, batch_size=32, normalize_embeddings=False, show_progress_bar=None):
        vectors = np.array([self.table.get(text, self.other) for text in texts], dtype=np.float64)
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        with np.errstate(invalid="ignore"):
            return vectors / np.where(norms > 0, norms, 1) if normalize_embeddings else vectors


def semantic(documents=TEXTS, model=None):
    engine = SemanticSearch(model or FakeModel())
    engine.index(documents)
    return engine


def keyword(documents=TEXTS, **settings):
    engine = KeywordSearch(**settings)
    engine.index(documents)
    return engine


ENGINES = pytest.mark.parametrize("make", [semantic, keyword])


def indices(results):
    return [result.index for result in results]


def assert_same(found, expected):
    """The same documents in the same order, with scores equal to 1e-6."""
    assert indices(found) == indices(expected)
    assert [r.document for r in found] == [r.document for r in expected]
    assert [r.score for r in found] == pytest.approx([r.score for r in expected], abs=1e-6)


# What every engine does


@ENGINES
def test_a_result_has_document_score_and_index(make):
    """Fields, their plain types, and that they belong together."""
    results = make().search("the late ferry", top_k=2)
    assert results
    for result in results:
        assert isinstance(result, SearchResult)
        assert type(result.score) is float
        assert type(result.index) is int
        assert result.document == TEXTS[result.index]


@ENGINES
def test_results_are_in_descending_order_of_score(make):
    """Best first, no document twice."""
    results = make().search("ferry quay bread match", top_k=5)
    assert len(results) >= 3
    assert all(first.score >= second.score for first, second in pairwise(results))
    assert len(set(indices(results))) == len(results)


def test_a_result_prints_its_score_with_two_digits_and_cannot_be_changed():
    """A result reads well in a notebook."""
    result = SearchResult("The ferry is late.", 0.57634, 3)
    assert repr(result) == "SearchResult(document='The ferry is late.', score=0.58, index=3)"
    with pytest.raises(AttributeError):
        result.score = 1.0


@ENGINES
def test_several_queries_give_a_list_of_lists_as_each_alone_would(make):
    """One query gives a list of results, several give one such list each, in order."""
    engine = make()
    queries = ["late ferry", "bread", "zebra"]
    found = engine.search(queries, top_k=3)
    assert isinstance(found, list)
    assert len(found) == 3
    for query, results in zip(queries, found, strict=True):
        assert_same(results, engine.search(query, top_k=3))
    assert [indices(r) for r in engine.search(["bread"], top_k=1)] == [
        indices(engine.search("bread", top_k=1))
    ]


@ENGINES
def test_no_queries_give_no_lists(make):
    """An empty list of queries is answered by an empty list."""
    assert make().search([]) == []


@ENGINES
def test_an_empty_index_finds_nothing(make):
    """Neither an engine never indexed nor one indexed with nothing has results."""
    engine = make([])
    assert len(engine) == 0
    assert engine.search("ferry") == []
    assert engine.search(["ferry", "bread"]) == [[], []]
    assert KeywordSearch().search("ferry") == []
    assert SemanticSearch(FakeModel()).search("ferry") == []


@ENGINES
def test_five_results_are_the_default(make):
    """`top_k` is 5 unless given."""
    assert len(make([f"ferry number {n}0" for n in range(9)]).search("ferry")) == 5


def test_top_k_beyond_the_number_of_documents_gives_all():
    """No padding, no error."""
    assert sorted(indices(semantic().search("ferry", top_k=1000))) == [0, 1, 2, 3, 4]


@ENGINES
def test_top_k_takes_the_best_of_the_full_ranking(make):
    """Each shorter list is the beginning of the longer one."""
    engine = make()
    full = engine.search("ferry bread seal", top_k=5)
    for top_k in (1, 2, 3, np.int64(4)):
        assert_same(engine.search("ferry bread seal", top_k=top_k), full[:top_k])


@ENGINES
@pytest.mark.parametrize("top_k", [0, -1, True, False, 2.5, 3.0, "3", None, math.nan])
def test_a_top_k_that_is_no_positive_whole_number_is_refused(make, top_k):
    """The message repeats what was given."""
    with pytest.raises(ValueError, match=r"top_k=.*whole number"):
        make().search("ferry", top_k=top_k)


@ENGINES
@pytest.mark.parametrize("threshold", [math.nan, np.float32("nan"), "0.5", [0.5]])
def test_a_threshold_that_is_no_number_is_refused(make, threshold):
    """NaN would let nothing, or everything, pass in silence."""
    with pytest.raises(ValueError, match="threshold="):
        make().search("ferry", threshold=threshold)


@ENGINES
def test_the_threshold_keeps_what_scores_exactly_that(make):
    """Inclusive at each score, exclusive right above it, empty above the best."""
    engine = make()
    full = engine.search("ferry bread seal", top_k=5)
    assert len(full) >= 3
    for result in full:
        kept = [other for other in full if other.score >= result.score]
        assert_same(engine.search("ferry bread seal", top_k=5, threshold=result.score), kept)
    just_above = math.nextafter(full[0].score, math.inf) + 1e-6
    assert engine.search("ferry bread seal", threshold=just_above) == []
    assert engine.search(["ferry bread seal"], threshold=just_above) == [[]]
    assert_same(engine.search("ferry bread seal", threshold=-math.inf), full)


@ENGINES
@pytest.mark.parametrize("query", ["", " ", "\n\t ", "\u3000"])
def test_an_empty_query_is_refused(make, query):
    """Alone and among others, and also while nothing is indexed."""
    for engine in (make(), make([])):
        with pytest.raises(ValueError, match="query is empty"):
            engine.search(query)
        with pytest.raises(ValueError, match="query is empty"):
            engine.search(["ferry", query])


@ENGINES
@pytest.mark.parametrize(
    "query", [None, 5, 2.5, b"ferry", ["ferry", None], [b"ferry"], [["ferry"]], [1, 2]]
)
def test_a_query_that_is_no_text_is_refused(make, query):
    """The message says which type was given."""
    with pytest.raises(TypeError, match="queries"):
        make().search(query)


class Table:
    """As pandas's: iterating over it gives the names of its columns."""

    columns = ("title", "text")

    def __iter__(self):
        return iter(self.columns)


NOT_TEXTS = [
    Table(),
    {"title": "text"},
    {"a set"},
    "one string",
    b"bytes",
    None,
    7,
    ["fine", 7],
    ["fine", None],
    ["fine", b"bytes"],
    [["nested"]],
    ["x", math.nan],
]


@ENGINES
@pytest.mark.parametrize("documents", NOT_TEXTS)
def test_documents_that_are_no_list_of_strings_are_refused_and_nothing_changes(make, documents):
    """The engine stays as it was."""
    engine = make()
    before = engine.search("ferry")
    with pytest.raises(TypeError, match="documents"):
        engine.index(documents)
    assert engine.documents == TEXTS
    assert_same(engine.search("ferry"), before)


@ENGINES
def test_half_an_emoji_is_named_by_its_place(make):
    """Before a tokenizer or an encoder of bytes stumbles, and does not say where."""
    with pytest.raises(ValueError, match=r"documents\[1\]"):
        make().index(["fine", "half \ud83d"])
    with pytest.raises(ValueError, match=r"queries\[0\]"):
        make().search(["half \ud83d"])


def test_records_in_place_of_texts_are_refused_with_the_way_out():
    """Somebody who passes articles is told to pass their texts."""
    with pytest.raises(
        TypeError, match=r"documents\[0\] is a SearchResult.*\[r\.text for r in records\]"
    ):
        KeywordSearch().index([SearchResult("text", 1.0, 0)])


@ENGINES
def test_any_iterable_of_strings_will_do(make):
    """Generators, tuples and NumPy's string arrays, for documents and for queries."""
    expected = make().search(["ferry", "bread"], top_k=2)
    for documents in (tuple(TEXTS), (text for text in TEXTS), np.array(TEXTS)):
        engine = make(documents)
        assert len(engine) == 5
        for queries in (
            ("ferry", "bread"),
            (q for q in ("ferry", "bread")),
            np.array(["ferry", "bread"]),
        ):
            for found, wanted in zip(engine.search(queries, top_k=2), expected, strict=True):
                assert_same(found, wanted)


@ENGINES
def test_index_replaces_what_was_indexed_before(make):
    """Nothing of the earlier documents is left."""
    engine = make()
    engine.index(["A crab walks.", "A ferry waits."])
    assert len(engine) == 2
    assert {r.document for r in engine.search("ferry crab bread", top_k=9)} == {
        "A crab walks.",
        "A ferry waits.",
    }
    engine.index([])
    assert engine.search("ferry") == []


@ENGINES
def test_the_callers_list_is_not_the_engines(make):
    """What happens to the list after indexing does not change results."""
    documents = list(TEXTS)
    engine = make(documents)
    documents.clear()
    assert engine.search("ferry")[0].document in TEXTS


@ENGINES
def test_documents_indexed_twice_are_found_twice_in_order(make):
    """Equal scores come in the order of indexing."""
    engine = make(["zzz yyy", "ferry", "zzz yyy", "ferry", "ferry"])
    assert indices(engine.search("ferry", top_k=3)) == [1, 3, 4]


# Search by meaning


def test_scores_are_cosines_whatever_the_lengths_of_the_models_vectors():
    """Against a computation from the model's raw vectors, for many queries; identical order."""
    documents = [f"document {n}" for n in range(300)]
    queries = [f"query {n}" for n in range(40)]
    model = FakeModel(dimension=16)
    engine = semantic(documents, model)
    raw_documents, raw_queries = (
        np.array([model.vector(text) for text in texts]) for texts in (documents, queries)
    )
    assert np.ptp(np.linalg.norm(raw_documents, axis=1)) > 1
    cosines = (
        raw_queries
        @ raw_documents.T
        / np.outer(np.linalg.norm(raw_queries, axis=1), np.linalg.norm(raw_documents, axis=1))
    )
    for results, row in zip(engine.search(queries, top_k=20), cosines, strict=True):
        assert indices(results) == np.argsort(-row, kind="stable")[:20].tolist()
        assert [r.score for r in results] == pytest.approx(
            np.sort(row)[::-1][:20].tolist(), abs=1e-6
        )


def test_vectors_are_float32_rows_of_norm_one():
    """The attribute's promise: shape, type and norm."""
    engine = semantic()
    assert engine.vectors.shape == (5, 8)
    assert engine.vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(engine.vectors, axis=1), 1, atol=1e-6)


def test_equal_scores_come_in_order_of_index():
    """Documents on three axes: exact ties, many of them, cut in their midst."""
    axes = {"x": (1, 0, 0), "y": (0, 1, 0), "z": (0.6, 0.8, 0)}
    documents = list("yxzyxzxyzx")
    engine = semantic(documents, TableModel(axes, other=(1, 0, 0)))
    expected = [1, 4, 6, 9, 2, 5, 8, 0, 3, 7]
    for top_k in range(1, 11):
        assert indices(engine.search("query", top_k=top_k)) == expected[:top_k]


@pytest.mark.parametrize("budget", [1, 5, 12, 10_000])
def test_many_queries_stay_within_the_memory_set_aside_for_scores(monkeypatch, budget):
    """The same results in small blocks; no block of scores is larger than allowed (one row at the least)."""
    engine, queries = semantic(), [f"query {n}" for n in range(17)]
    expected = engine.search(queries, top_k=3)
    sizes = []

    def watched(scores, k):
        sizes.append(scores.size if scores.base is None else scores.base.size)
        return top_k_indices(scores, k)

    monkeypatch.setattr(exact, "SCORES_IN_MEMORY", budget)
    monkeypatch.setattr(exact, "top_k_indices", watched)
    for found, wanted in zip(engine.search(queries, top_k=3), expected, strict=True):
        assert_same(found, wanted)
    assert max(sizes) <= max(budget, len(TEXTS))


def test_many_queries_find_what_each_alone_finds():
    """A batch goes another way than a single query: the same documents, equal scores in order."""
    axes = {"x": (1, 0, 0), "y": (0, 1, 0), "z": (0.6, 0.8, 0)}
    engine = semantic(list("yxzyxzxyzx"), TableModel(axes, other=(0.8, 0.6, 0)))
    queries = [*"xyz", "w"] * 10
    for top_k in (1, 4, 10):
        for query, found in zip(queries, engine.search(queries, top_k=top_k), strict=True):
            assert_same(found, engine.search(query, top_k=top_k))


def test_queries_and_documents_are_encoded_each_their_way():
    """A model that makes a difference is asked for the right side."""

    class TwoSides(FakeModel):
        def encode_query(self, texts, **settings):
            return self.encode([f"query: {text}" for text in texts], **settings)

        def encode_document(self, texts, **settings):
            return self.encode([f"passage: {text}" for text in texts], **settings)

    model = TwoSides()
    engine = semantic(["ferry", "bread"], model)
    assert model.encoded == ["passage: ferry", "passage: bread"]
    model.encoded.clear()
    engine.search(["gull", "ferry"])
    assert model.encoded == ["query: gull", "query: ferry"]


def test_documents_indexed_again_are_read_from_the_cache_and_queries_are_not_kept(
    tmp_path, monkeypatch
):
    """A model that says who it is: the next engine, or the next session, encodes nothing again."""
    monkeypatch.setenv("SEARCH_BY_MEANING_CACHE", str(tmp_path))
    model = FakeModel()
    model.cache_key = "a model of this test"
    first = semantic(TEXTS, model)
    first.search("late ferry")
    model.encoded.clear()
    second = semantic([*TEXTS, "A crab."], model)
    assert model.encoded == ["A crab."]
    assert_same(second.search("late ferry", top_k=6)[:1], first.search("late ferry", top_k=1))
    assert model.encoded == ["A crab.", "late ferry", "late ferry"]


def test_negative_scores_are_results_too():
    """By meaning every document has a score; only a threshold leaves some out."""
    engine = semantic(["near", "far"], TableModel({"near": (1, 1), "far": (-1, 0)}))
    assert [r.score for r in engine.search("query")] == pytest.approx([math.sqrt(0.5), -1.0])
    assert indices(engine.search("query", threshold=0)) == [0]


def test_a_zero_vector_scores_zero():
    """A model that has nothing to say about a text does not break the others."""
    engine = semantic(
        ["nothing", "same", "opposite"], TableModel({"nothing": (0, 0), "opposite": (-1, 0)})
    )
    assert [(r.index, r.score) for r in engine.search("query")] == [(1, 1.0), (0, 0.0), (2, -1.0)]


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_vectors_with_nan_or_infinity_are_refused(value):
    """They would vanish from results, or push others out, without a word."""
    engine = SemanticSearch(TableModel({"broken": (value, 1.0)}))
    with pytest.raises(ValueError, match=r"NaN|finite"):
        engine.index(["fine", "broken"])
    engine.index(["fine"])
    with pytest.raises(ValueError, match=r"NaN|finite"):
        engine.search("broken")


@pytest.mark.parametrize("model", [None, 5, object(), ["all-MiniLM-L6-v2"]])
def test_something_that_is_no_model_is_refused(model):
    """At once, not at the first search."""
    with pytest.raises(TypeError, match="model is a"):
        SemanticSearch(model)


def test_a_model_is_loaded_by_its_name(monkeypatch):
    """A string goes to `load_model`."""
    model = FakeModel()
    monkeypatch.setattr("helpers.models.load_model", {"all-MiniLM-L6-v2": model}.__getitem__)
    assert SemanticSearch("all-MiniLM-L6-v2").model is model


def test_the_real_model_on_real_titles_equals_plain_numpy(minilm, articles):
    """Same ids in the same order as a full stable sort of the cosines, except where two scores are closer than rounding."""
    titles = [article.title for article in articles]
    queries = [
        "boats",
        "something to eat",
        "how do computers learn",
        "a day at the beach",
        "who broke the law?",
    ]
    engine = semantic(titles, minilm)
    documents = minilm.encode(titles)
    cosines = minilm.encode(queries) @ documents.T
    for results, row in zip(engine.search(queries, top_k=10), cosines, strict=True):
        order = np.argsort(-row, kind="stable")[:10]
        assert np.diff(row[order]).max() < -1e-6, (
            "choose other queries: two scores are too close to tell apart"
        )
        assert indices(results) == order.tolist()


def test_odd_texts_are_searched_like_any_other(minilm):
    """Emoji, right-to-left script, 100,000 characters and an empty document; each text finds itself first."""
    documents = [
        "A ferry sails.",
        "🚢🌊",
        "מעבורת מאחרת",
        "",
        "العبّارة متأخرة",
        "ferry " * 16_667,
        "日本の船",
    ]
    engine = semantic(documents, minilm)
    assert np.isfinite(engine.vectors).all()
    for position, document in enumerate(documents):
        if document:
            best = engine.search(document, top_k=1)[0]
            assert best.index == position
            assert best.score == pytest.approx(1, abs=1e-5)


# The best k without sorting everything


def test_top_k_indices_equals_a_stable_full_sort():
    """On hundreds of random arrays with many ties, negative values, and every kind of k."""
    generator = np.random.default_rng(42)
    for trial in range(600):
        n = int(generator.integers(1, 60))
        scores = (
            generator.integers(-3, 4, size=n).astype(np.float64)
            if trial % 2
            else generator.normal(size=n)
        )
        scores = scores.astype([np.float64, np.float32, np.float16][trial % 3])
        full = np.argsort(-scores, kind="stable")
        for k in {1, int(generator.integers(1, n + 1)), n, n + 5}:
            assert top_k_indices(scores, k).tolist() == full[:k].tolist(), (scores, k)


def test_top_k_indices_of_equal_and_of_infinite_scores():
    """All equal: the first ones. Infinities sort as numbers do."""
    assert top_k_indices(np.zeros(100), 7).tolist() == list(range(7))
    assert top_k_indices(np.array([0.0, -np.inf, np.inf, np.inf, -1.0]), 4).tolist() == [2, 3, 0, 4]


def test_top_k_indices_leaves_the_scores_alone():
    """Selecting does not reorder the caller's array; a list will do."""
    scores = np.array([3.0, 1.0, 2.0, 5.0])
    assert top_k_indices(scores, 2).tolist() == [3, 0]
    assert scores.tolist() == [3.0, 1.0, 2.0, 5.0]
    assert top_k_indices([3, 1, 2], 2).tolist() == [0, 2]
    assert top_k_indices(np.array([]), 3).tolist() == []


@pytest.mark.parametrize("k", [0, -1])
def test_top_k_indices_refuses_a_k_below_one(k):
    """The message repeats the k."""
    with pytest.raises(ValueError, match=f"k={k}"):
        top_k_indices(np.arange(3.0), k)


def test_top_k_indices_of_many_scores_equals_a_stable_full_sort():
    """So many that most are ruled out by blocks: ties, sparse ones, the best at either end."""
    generator = np.random.default_rng(3)
    for n in (1_000, 10_001, 20_063):
        sparse = np.zeros(n)
        sparse[generator.integers(n, size=5)] = 1.0
        for scores in (
            generator.normal(size=n),
            generator.integers(0, 9, size=n).astype(np.float32),
            sparse,
            np.arange(n, dtype=float),
            -np.arange(n, dtype=float),
            np.where(np.arange(n) % 3 == 0, -np.inf, 0.0),
        ):
            full = np.argsort(-scores, kind="stable")
            for k in (1, 3, 10, 70, n):
                assert top_k_indices(scores, k).tolist() == full[:k].tolist()


@pytest.mark.parametrize("n", [5, 5_000])
def test_top_k_indices_refuses_nan(n):
    """It is neither larger nor smaller than a number: any place would be a lie."""
    for place in (0, n // 2, n - 1):
        scores = np.linspace(0, 1, n)
        scores[place] = np.nan
        with pytest.raises(ValueError, match=rf"scores\[{place}\] is NaN"):
            top_k_indices(scores, 3)


@pytest.mark.parametrize("shape", [(2, 3), (1, 3), ()])
def test_top_k_indices_refuses_anything_but_one_row(shape):
    """The message repeats the shape."""
    with pytest.raises(ValueError, match="shape"):
        top_k_indices(np.zeros(shape), 1)


# Search by keyword


def test_words_are_stems_without_stop_words():
    """The docstring's example, case and punctuation."""
    engine = KeywordSearch()
    assert engine.words("The ferries sail") == ["ferri", "sail"]
    assert engine.words("FERRY, ferry; (Ferries)!") == ["ferri"] * 3
    assert engine.words("of the and to") == []
    assert engine.words("") == []


def test_a_word_is_found_in_its_other_forms():
    """Plural, past and capitals."""
    engine = keyword(["Two ferries collided.", "Bread rises."])
    assert indices(engine.search("ferry collision collide")) == [0]
    assert indices(engine.search("BREAD")) == [1]


def test_a_document_without_a_shared_word_is_no_result():
    """The list may be shorter than `top_k`, or empty."""
    engine = keyword()
    assert sorted(indices(engine.search("ferry", top_k=5))) == [0, 3]
    assert engine.search("submarine") == []
    assert engine.search(["submarine", "bread"], top_k=5)[0] == []


def test_stop_words_alone_find_nothing():
    """Neither as a query nor as a document, and an engine of such documents works."""
    engine = keyword(["of the", "ferry", "and to it", ""])
    assert engine.search("of the") == []
    assert indices(engine.search("the ferry")) == [1]
    empty = keyword(["of the", "to", "", "!?"])
    assert empty.search("of") == []
    assert empty.search("ferry") == []
    empty.index(["of the", "to", "", "!?", "A ferry."])
    assert indices(empty.search("ferry")) == [4]
    empty.index(["of the"])
    assert empty.search("ferry") == []


FOUND = {
    "composed, stored apart": ("caf\u00e9", "The cafe\u0301 by the sea"),
    "apart, stored composed": ("cafe\u0301", "The caf\u00e9 by the sea"),
    "two marks": ("ti\u1ebfng", "tie\u0302\u0301ng Vi\u1ec7t"),
    "Turkish capital": ("istanbul", "A letter from İstanbul"),
    "Turkish without a dot": ("iğdır", "A train to IĞDIR"),
    "German": ("STRASSE", "Die Straße am Meer"),
    "Greek": ("ΘΑΛΑΣΣΑΣ", "η όχθη της θαλασσας"),
    "a ligature": ("office", "the o\ufb03ce"),
    "a soft hyphen": ("harbour", "the har\u00adbour"),
    "full width": ("ferry", "ｆｅｒｒｙ"),
    "Hindi": ("बाज़ार", "बंदरगाह का बाज़ार हर सुबह"),
    "Tamil": ("கடல்", "நீல கடல் அலை"),
    "Hebrew points": ("שלום", "שָׁלוֹם לכם"),
    "Arabic vowels": ("السلام", "السَّلامُ عليكم"),
    "Persian joiner": ("می\u200cروم", "من می\u200cروم خانه"),
    "Chinese": ("首都", "北京是中国的首都。"),
    "one Chinese character": ("船", "渡船今天早上没有开出。"),
    "Japanese": ("図書館", "新しい図書館は九時に開きます"),
    "Thai": ("ห้องสมุด", "วันนี้ห้องสมุดเปิดเวลาเก้าโมง"),
    "Khmer": ("បណ្ណាល័យ", "ថ្ងៃនេះបណ្ណាល័យបើក"),
    "Korean with a particle": ("도서관", "오늘 도서관에서 책을 읽었다"),
    "snake case": ("encode file", "call encode_to_file for it"),
    "camel case": ("user name", "then getUserName(id)"),
    "camel case, whole": ("getusername", "then getUserName(id)"),
    "an acronym in it": ("server", "start the HTTPServer now"),
}


@pytest.mark.parametrize(("query", "document"), FOUND.values(), ids=FOUND)
def test_a_word_is_found_however_it_is_written(query, document):
    """Two ways to store an accent, letters of any script, scripts without spaces, names in code."""
    engine = keyword(["Something else altogether.", document, "आज कोहरा है", "上海是一座大城市。"])
    assert indices(engine.search(query))[0] == 1


@pytest.mark.parametrize(
    ("query", "document"),
    [("cafe", "the café"), ("दरग", "बंदरगाह"), ("首尔", "北京是中国的首都。"), ("🚢", "a 🚢 sails")],
)
def test_another_word_is_not_found(query, document):
    """Accents count, a part of a word is none, emoji are no words: as the docstring says."""
    assert keyword([document, "bread"]).search(query) == []


def test_words_in_a_text():
    """As they are written, pairs where nothing parts them, signs between them left out."""
    assert words_in("Don’t_stop, 3-1 İzmir!") == ["Don", "t", "stop", "3", "1", "İzmir"]
    assert words_in("首都で、A港") == ["首都", "都で", "A", "港"]
    assert words_in("कोहरा १२") == ["कोहरा", "१२"]
    assert words_in("") == words_in("🚢 … \u0301") == []


def test_other_scripts_and_emoji_are_searched_by_word():
    """No error, and words found where they stand."""
    engine = keyword(["קפה ליד הים", "日本語 船", "🚢🌊", "café über"])
    assert indices(engine.search("קפה")) == [0]
    assert indices(engine.search("CAFÉ")) == [3]
    assert engine.search("🚢") == []


CORPUS = ["ferry harbour ferry", "harbour bread", "bread bread bread oven", "seal"]


def bm25(query, document, k1, b):
    """BM25 as Lucene computes it: what the engine should give, from the formula."""
    words = [text.split() for text in CORPUS]
    mean_length = sum(map(len, words)) / len(words)
    score = 0.0
    for word in query.split():
        containing = sum(word in other for other in words)
        weight = math.log(1 + (len(words) - containing + 0.5) / (containing + 0.5))
        count = words[document].count(word)
        score += weight * count / (count + k1 * (1 - b + b * len(words[document]) / mean_length))
    return score


@pytest.mark.parametrize(("k1", "b"), [(1.5, 0.75), (1.2, 0.75), (0.5, 0.0), (2.0, 1.0)])
@pytest.mark.parametrize(
    "query", ["ferry", "bread", "harbour bread", "seal ferry oven", "bread bread", "bread unknown"]
)
def test_scores_are_bm25_as_in_lucene(query, k1, b):
    """The engine against the formula, on four documents of known words."""
    expected = {n: bm25(query, n, k1, b) for n in range(4)}
    results = keyword(CORPUS, k1=k1, b=b).search(query, top_k=4)
    assert {r.index: r.score for r in results} == pytest.approx(
        {n: s for n, s in expected.items() if s > 0}, rel=1e-5
    )


def test_one_bm25_score_by_hand():
    """`ferry` is in 1 of 4 documents, twice in this one of 3 words, where the mean length is 2.5."""
    weight = math.log(1 + 3.5 / 1.5)
    assert keyword(CORPUS).search("ferry")[0].score == pytest.approx(
        weight * 2 / (2 + 1.5 * (0.25 + 0.75 * 3 / 2.5))
    )
    assert keyword(CORPUS).search("ferry")[0].score == pytest.approx(0.6464, abs=1e-4)


# Fusion


def test_reciprocal_rank_fusion_by_hand():
    """`b` is second and first, `a` first only, `c` second only, `d` third only."""
    fused = reciprocal_rank_fusion([["a", "b", "d"], ["b", "c"]], k=60)
    assert fused == [
        ("b", pytest.approx(1 / 62 + 1 / 61)),
        ("a", pytest.approx(1 / 61)),
        ("c", pytest.approx(1 / 62)),
        ("d", pytest.approx(1 / 63)),
    ]
    assert reciprocal_rank_fusion([["a", "b", "d"], ["b", "c"]]) == fused


def test_equal_scores_are_fused_in_ascending_order_of_id():
    """Whichever ranking comes first: nobody is preferred."""
    for rankings in ([[3, 1], [1, 3]], [[1, 3], [3, 1]]):
        assert [item for item, _ in reciprocal_rank_fusion(rankings)] == [1, 3]
        pairs = [[(item, -place) for place, item in enumerate(r)] for r in rankings]
        assert convex_combination(pairs) == [(1, 0.5), (3, 0.5)]
    assert [item for item, _ in reciprocal_rank_fusion([["z"], ["a"], ["m"]])] == ["a", "m", "z"]


def test_the_order_of_the_rankings_does_not_matter():
    """To the last bit: sums of three or more depend on their order, unless one takes care."""
    generator = np.random.default_rng(11)
    for _ in range(100):
        rankings = [generator.permutation(12)[:8].tolist() for _ in range(4)]
        pairs = [list(zip(r, generator.normal(size=8).tolist(), strict=True)) for r in rankings]
        order = generator.permutation(4)
        assert reciprocal_rank_fusion(rankings) == reciprocal_rank_fusion(
            [rankings[i] for i in order]
        )
        weights = [0.1, 0.2, 0.3, 0.4]
        assert convex_combination(pairs, weights) == convex_combination(
            [pairs[i] for i in order], [weights[i] for i in order]
        )


NOT_IDS = {
    "results": ([[SearchResult("a", 0.9, 0)], [SearchResult("a", 7.1, 0)]], r"result\.index"),
    "pairs": ([[("a", 0.9), ("b", 0.2)]], r"a ranking holds a tuple"),
    "numbers and strings": ([[1, 2], ["1", "2"]], "never the same"),
    "mixed in one": ([[1, "2"]], "never the same"),
    "fractions": ([[1.0, 2.0]], "holds a float"),
    "None": ([["a", None]], "holds a NoneType"),
    "truth values": ([[True]], "holds a bool"),
    "lists": ([[["a"], ["b"]]], "holds a list"),
    "one string": (["abc"], "a ranking is a str"),
    "a dict": ([{"a": 0.9}], "a ranking is a dict"),
    "a set": ([{"a", "b"}], "a ranking is a set"),
    "a table": ([Table()], "a ranking is a Table"),
}


@pytest.mark.parametrize(("rankings", "message"), NOT_IDS.values(), ids=NOT_IDS)
def test_only_ids_are_fused(rankings, message):
    """Anything else would never meet its like in the other ranking, and nobody would be told."""
    with pytest.raises(TypeError, match=message):
        reciprocal_rank_fusion(rankings)


def test_ids_of_numpy_are_numbers_like_any_other():
    """They come back as Python's own."""
    fused = reciprocal_rank_fusion([np.array([4, 2]), [2, 4], (np.int64(2), 7)])
    assert [item for item, _ in fused] == [2, 4, 7]
    assert all(type(item) is int for item, _ in fused)


def test_a_convex_combination_by_hand():
    """Scaled: a 1, b 0.5, c 0, and b 1, d 0.25, c 0."""
    words = [("a", 12.0), ("b", 7.0), ("c", 2.0)]
    meaning = [("b", 0.9), ("d", 0.3), ("c", 0.1)]
    assert convex_combination([words, meaning], [0.2, 0.8]) == [
        ("b", pytest.approx(0.2 * 0.5 + 0.8)),
        ("a", pytest.approx(0.2)),
        ("d", pytest.approx(0.8 * 0.25)),
        ("c", 0.0),
    ]
    assert convex_combination([words, meaning])[0] == ("b", pytest.approx(0.75))


def test_a_convex_combination_does_not_depend_on_an_engines_units():
    """Ten times the scores, or three more for each, are the same ranking."""
    ranking, other = [("a", 3.0), ("b", 1.5), ("c", 1.0)], [("c", 2.0), ("a", 0.0)]
    moved = [(item, 10 * score + 3) for item, score in ranking]
    first, second = convex_combination([ranking, other]), convex_combination([moved, other])
    assert [item for item, _ in first] == [item for item, _ in second]
    assert [score for _, score in first] == pytest.approx([score for _, score in second])


def test_a_convex_combination_of_little():
    """One result, equal scores, an empty ranking, none at all."""
    assert convex_combination([[("a", -3.0)], []]) == [("a", 0.5)]
    assert convex_combination([[("b", 2.0), ("a", 2.0)]]) == [("a", 1.0), ("b", 1.0)]
    assert convex_combination([]) == convex_combination([[], []]) == []


@pytest.mark.parametrize("weights", [[1.0], [0.5, 0.6], [1.5, -0.5], [math.nan, 1], [0.2] * 5])
def test_weights_that_make_no_mean_are_refused(weights):
    """One for each, none negative, with the sum 1."""
    with pytest.raises(ValueError, match="weights="):
        convex_combination([[("a", 1.0)], [("b", 1.0)]], weights)


@pytest.mark.parametrize(
    ("ranking", "error", "message"),
    [
        (["a", "b"], TypeError, "pairs of id and score"),
        ([SearchResult("a", 1.0, 0)], TypeError, "pairs of id and score"),
        ([("a", math.nan)], ValueError, "score of 'a' is nan"),
        ([("a", math.inf)], ValueError, "score of 'a' is inf"),
        ([("a", "0.5")], ValueError, "score of 'a' is '0.5'"),
        ([("a", 1.0), ("a", 0.5)], ValueError, "twice"),
        ([(SearchResult("a", 1.0, 0), 1.0)], TypeError, "holds a SearchResult"),
    ],
)
def test_what_is_no_ranking_with_scores_is_refused(ranking, error, message):
    """NaN above all: it would stand anywhere."""
    with pytest.raises(error, match=message):
        convex_combination([ranking, [("b", 1.0)]])


def test_reciprocal_rank_fusion_of_one_or_no_ranking_keeps_it():
    """The order of one ranking is kept; none gives nothing; empty rankings do no harm."""
    assert [item for item, _ in reciprocal_rank_fusion([[5, 2, 9]])] == [5, 2, 9]
    assert reciprocal_rank_fusion([]) == []
    assert reciprocal_rank_fusion([[], []]) == []
    assert reciprocal_rank_fusion([[], ["a"]], k=0) == [("a", 1.0)]


def test_a_small_k_lets_first_places_count_for_more():
    """Once first against twice third: the constant decides."""
    rankings = [["first", "x", "third"], ["y", "z", "third"]]
    assert reciprocal_rank_fusion(rankings, k=0)[0][0] == "first"
    assert reciprocal_rank_fusion(rankings, k=60)[0][0] == "third"


def test_reciprocal_rank_fusion_equals_a_plain_sum_on_random_rankings():
    """200 fusions of shuffled, cut rankings."""
    generator = np.random.default_rng(7)
    for _ in range(200):
        rankings = [
            generator.permutation(20)[: generator.integers(0, 21)].tolist()
            for _ in range(int(generator.integers(1, 5)))
        ]
        k = int(generator.integers(0, 100))
        fused = reciprocal_rank_fusion(rankings, k=k)
        expected = {
            item: sum(1 / (k + r.index(item) + 1) for r in rankings if item in r)
            for item in set().union(*rankings)
        }
        assert dict(fused) == pytest.approx(expected)
        assert all(first[1] >= second[1] for first, second in pairwise(fused))


def test_reciprocal_rank_fusion_refuses_an_id_given_twice():
    """It would count twice."""
    with pytest.raises(ValueError, match="twice"):
        reciprocal_rank_fusion([["a", "b"], ["c", "a", "c"]])


def test_reciprocal_rank_fusion_refuses_a_negative_k():
    """It would divide by zero or turn the order round."""
    with pytest.raises(ValueError, match="k=-1"):
        reciprocal_rank_fusion([["a"]], k=-1)
