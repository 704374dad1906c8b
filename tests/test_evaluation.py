"""Evaluation: sentence pairs, retrieval metrics against trec_eval itself, and the table of models."""

import dataclasses
import itertools
import math
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
import pytrec_eval
import scipy.stats

from helpers import evaluation
from helpers.data import Pair, load_articles, load_pairs, load_queries
from helpers.evaluation import compare_models, evaluate_pairs, evaluate_retrieval, run_from_scores
from helpers.search import SearchResult

KS = (1, 2, 3, 5, 10, 20)
CUT = ",".join(map(str, KS))
MEASURES = {"map", "recip_rank", f"ndcg_cut.{CUT}", f"recall.{CUT}", f"P.{CUT}"}


# --- retrieval, against trec_eval ----------------------------------------------------------------


def random_case(seed):
    """Return a run and judgements with ties, gaps, unjudged documents, negative grades and queries on one side only."""
    rng = np.random.default_rng(seed)
    documents = [f"{'dDé字'[i % 4]}{i}" for i in range(int(rng.integers(1, 30)))]
    scores = np.array([0, 1, 1 + 1e-9, 2, -1, 0.5, 1e9, 1e9 + 1, 3e-46])[: int(rng.integers(1, 10))]
    run, qrels = {}, {}
    for query in [f"q{i}" for i in range(int(rng.integers(1, 6)))]:
        found = rng.permutation(documents)[: rng.integers(0, len(documents) + 1)]
        judged = rng.permutation(documents)[: rng.integers(1, len(documents) + 1)]
        low = int(rng.choice([-2, 0, 1]))
        if rng.random() < 0.85:
            run[query] = {
                str(d): float(s) for d, s in zip(found, rng.choice(scores, len(found)), strict=True)
            }
        if rng.random() < 0.85:
            qrels[query] = {
                str(d): int(g)
                for d, g in zip(judged, rng.integers(low, 4, len(judged)), strict=True)
            }
            # trec_eval itself fails when a query has negative grades only: one 0 keeps it on its feet.
            qrels[query][str(judged[0])] = max(0, qrels[query][str(judged[0])])
    return run, qrels


def trec_eval(run, qrels, relevance_level=1):
    return pytrec_eval.RelevanceEvaluator(
        qrels, MEASURES, relevance_level=relevance_level
    ).evaluate(run)


def assert_same(ours, theirs):
    assert ours.per_query.keys() == theirs.keys()
    for query, values in theirs.items():
        assert ours.per_query[query].keys() == values.keys()
        for measure, value in values.items():
            assert ours.per_query[query][measure] == pytest.approx(value, abs=1e-9), (
                query,
                measure,
            )
    for measure, mean in ours.mean.items():
        assert mean == pytest.approx(
            np.mean([values[measure] for values in theirs.values()]), abs=1e-9
        )


@pytest.fixture(scope="module")
def cases():
    """3,000 cases, with all that they should contain."""
    cases = [random_case(seed) for seed in range(3_000)]
    both = [(r, q) for r, q in cases if r.keys() & q.keys()]
    pairs = [(r[i], q[i]) for r, q in both for i in r.keys() & q.keys()]
    assert len(both) > 2_000
    assert sum(bool(q.keys() - r.keys()) for r, q in both) > 300, "queries missing from the run"
    assert sum(bool(r.keys() - q.keys()) for r, q in both) > 300, "queries without judgements"
    assert sum(max(q.values()) < 1 for _, q in pairs) > 100, "nothing relevant"
    assert sum(not r for r, _ in pairs) > 100, "nothing found"
    assert sum(len(set(r.values())) < len(r) for r, _ in pairs) > 1_000, "ties"
    assert sum(bool(r.keys() - q.keys()) for r, q in pairs) > 1_000, "unjudged documents"
    assert sum(min(q.values()) < 0 for _, q in pairs) > 500, "negative grades"
    return both


@pytest.mark.parametrize("level", [1, 2, 3])
def test_every_measure_is_trec_evals(cases, level):
    for run, qrels in cases if level == 1 else cases[:500]:
        assert_same(
            evaluate_retrieval(run, qrels, KS, relevant_from=level), trec_eval(run, qrels, level)
        )


def test_exponential_gain_is_linear_gain_of_other_grades(cases):
    for run, qrels in cases[:500]:
        powers = {
            q: {d: 2**g - 1 if g > 0 else g for d, g in grades.items()}
            for q, grades in qrels.items()
        }
        theirs = trec_eval(run, powers)
        ours = evaluate_retrieval(run, qrels, KS, gain="exponential")
        for query, k in itertools.product(theirs, KS):
            measure = f"ndcg_cut_{k}"
            assert ours.per_query[query][measure] == pytest.approx(theirs[query][measure], abs=1e-9)


def test_complete_means_count_missing_queries_as_zero(cases):
    for run, qrels in cases[:500]:
        theirs = trec_eval(run, qrels)
        ours = evaluate_retrieval(run, qrels, KS, complete=True)
        assert ours.per_query.keys() == qrels.keys()
        assert ours.missing == tuple(q for q in qrels if not run.get(q))
        assert ours.unjudged == tuple(q for q in run if q not in qrels)
        for measure, mean in ours.mean.items():
            assert mean == pytest.approx(
                sum(v[measure] for v in theirs.values()) / len(qrels), abs=1e-9
            )


def ranking(scores):
    """Return the documents of `scores` in the order in which they are counted."""
    ranks = {
        document: 1 / evaluate_retrieval({"q": scores}, {"q": {document: 1}}).mean["recip_rank"]
        for document in scores
    }
    assert sorted(ranks.values()) == list(range(1, len(scores) + 1))
    return sorted(ranks, key=ranks.get)


def test_the_order_of_listing_does_not_matter():
    run, qrels = {"q": {"a": 1.0, "b": 1.0, "c": 2.0}}, {"q": {"a": 1}}
    turned = {"q": dict(reversed(run["q"].items()))}
    assert evaluate_retrieval(run, qrels) == evaluate_retrieval(turned, qrels)
    assert ranking(run["q"]) == ["c", "b", "a"]


def test_scores_beyond_single_precision_tie():
    assert ranking({"a": 1 + 1e-9, "b": 1}) == ["b", "a"]
    assert ranking({"a": 1 + 1e-6, "b": 1}) == ["a", "b"]
    assert ranking({"a": 1e300, "b": math.inf}) == ["b", "a"], "both are infinite there"


def test_integer_scores_and_numpy_scores():
    assert ranking({"a": 3, "b": np.float32(4), "c": np.int64(5)}) == ["c", "b", "a"]


def test_whole_numbers_are_ids_too():
    run, qrels = {1: {7: 0.9, np.int64(8): 0.8}}, {1: {8: 2, 7: 0}}
    named = evaluate_retrieval({"1": {"7": 0.9, "8": 0.8}}, {"1": {"8": 2, "7": 0}})
    assert evaluate_retrieval(run, qrels).mean == named.mean


GOOD = {"q": {"a": 1.0}}, {"q": {"a": 1}}
RESULTS = [SearchResult("A text.", 0.9, 0)]


@pytest.mark.parametrize(
    ("run", "qrels", "settings", "error", "message"),
    [
        ({"x": {"a": 1.0}}, {"y": {"a": 1}}, {}, ValueError, r"no query is in both: .*1 \['x'\]"),
        (
            {"q": {"a": math.nan}},
            None,
            {},
            ValueError,
            "query 'q': the score of document 'a' is nan",
        ),
        ({"q": {"a": np.float32("nan")}}, None, {}, ValueError, "the score of document 'a'"),
        ({"q": {"a": "0.5"}}, None, {}, ValueError, "the score of document 'a' is '0.5'"),
        ({"q": {"a": None}}, None, {}, ValueError, "the score of document 'a' is None"),
        (None, {"q": {"a": math.nan}}, {}, ValueError, "the grade of document 'a' is nan"),
        (None, {"q": {"a": math.inf}}, {}, ValueError, "the grade of document 'a' is inf"),
        (None, {"q": {"a": "relevant"}}, {}, ValueError, "the grade of document 'a'"),
        (None, None, {"ks": [0]}, ValueError, r"ks=\[0\]"),
        (None, None, {"ks": [1, 1.5]}, ValueError, "whole numbers from 1 up"),
        (None, None, {"gain": "log"}, ValueError, "choose one of 'linear', 'exponential'"),
        (None, None, {"relevant_from": 0}, ValueError, "relevant_from=0"),
        # A number where a mistake was made is worse than an error.
        ({"q": ["a", "b"]}, None, {}, TypeError, r"run\['q'\] is a list; give \{document: score"),
        ({"q": RESULTS}, None, {}, TypeError, r"run\['q'\] is a list"),
        (
            {"q": {RESULTS[0]: 0.9}},
            None,
            {},
            TypeError,
            r"run: a SearchResult .* ids\[result.index",
        ),
        ([{"a": 1.0}], None, {}, TypeError, "run is a list; .* run_from_scores"),
        (np.ones((1, 1)), None, {}, TypeError, "run is a ndarray"),
        (pd.DataFrame({"q": {"a": 1.0}}), None, {}, TypeError, "run is a DataFrame"),
        ({"q": pd.Series({"a": 1.0})}, None, {}, TypeError, r"run\['q'\] is a Series"),
        (None, {"q": {"a"}}, {}, TypeError, r"qrels\['q'\] is a set; give \{document: grade\}"),
        (None, pd.DataFrame({"q": {"a": 1}}), {}, TypeError, "qrels is a DataFrame"),
        ({"q": {0: 1.0}}, None, {}, TypeError, "0 in run, 'a' in qrels.*str"),
        ({"q": {"a": 1.0, 1: 0.5}}, None, {}, TypeError, "the same thing has two ids"),
        ({1: {"a": 1.0}}, {"1": {"a": 1}}, {}, TypeError, "1 in queries, '1' in queries"),
        ({"q": {("a", 0): 1.0}}, None, {}, TypeError, "run: a tuple stands where an id belongs"),
    ],
)
def test_retrieval_refuses_what_has_no_value(run, qrels, settings, error, message):
    run, qrels = (
        good if given is None else given for given, good in zip((run, qrels), GOOD, strict=True)
    )
    with pytest.raises(error, match=message):
        evaluate_retrieval(run, qrels, **settings)


@pytest.mark.parametrize("complete", [False, True])
def test_an_empty_result_counts_zero_and_is_named(complete):
    run = {"found": {"a": 1.0}, "empty": {}, "unasked": {"a": 1.0}}
    qrels = {"found": {"a": 1}, "empty": {"a": 1}, "absent": {"a": 1}}
    scores = evaluate_retrieval(run, qrels, [1], complete=complete)
    assert scores.missing == ("empty", "absent")
    assert scores.unjudged == ("unasked",)
    assert set(scores.per_query["empty"].values()) == {0.0}
    assert scores.mean["P_1"] == pytest.approx(1 / 3 if complete else 1 / 2)
    if not complete:
        assert_same(scores, trec_eval_at_1(run, qrels))


def trec_eval_at_1(run, qrels):
    measures = {"map", "recip_rank", "ndcg_cut.1", "recall.1", "P.1"}
    return pytrec_eval.RelevanceEvaluator(qrels, measures).evaluate(run)


@pytest.mark.parametrize("complete", [False, True])
def test_a_query_with_an_empty_list_of_judgements_is_not_judged(complete):
    run, qrels = {"q": {"a": 1.0}, "r": {"a": 1.0}}, {"q": {}, "r": {"a": 1}}
    scores = evaluate_retrieval(run, qrels, [1], complete=complete)
    assert scores.per_query.keys() == trec_eval(run, qrels).keys() == {"r"}
    assert scores.unjudged == ("q",)


def test_values_of_one_measure():
    scores = evaluate_retrieval(
        {"q": {"a": 1.0}, "r": {"b": 1.0}}, {"q": {"a": 1}, "r": {"a": 1}}, [1]
    )
    assert scores.values("P_1") == {"q": 1.0, "r": 0.0}
    with pytest.raises(KeyError, match="no measure 'mrr'; there are map, recip_rank"):
        scores.values("mrr")


# --- retrieval, one ranking, by hand -------------------------------------------------------------


def test_measures_by_hand():
    run = {"q": {"a": 0.4, "b": 0.3, "c": 0.2, "d": 0.1}}
    qrels = {"q": {"b": 2, "d": 1, "x": 3, "a": 0, "c": -1}}
    linear = evaluate_retrieval(run, qrels, [3, 10]).mean
    exponential = evaluate_retrieval(run, qrels, [10], gain="exponential").mean
    log = math.log2
    ideal = 3 / log(2) + 2 / log(3) + 1 / log(4)
    assert linear == pytest.approx(
        {
            "recall_3": 1 / 3,
            "recall_10": 2 / 3,
            "P_3": 1 / 3,
            "P_10": 2 / 10,
            "recip_rank": 1 / 2,
            "map": (1 / 2 + 2 / 4) / 3,
            "ndcg_cut_3": 2 / log(3) / ideal,
            "ndcg_cut_10": (2 / log(3) + 1 / log(5)) / ideal,
        }
    )
    assert exponential["ndcg_cut_10"] == pytest.approx(
        (3 / log(3) + 1 / log(5)) / (7 / log(2) + 3 / log(3) + 1 / log(4))
    )
    assert evaluate_retrieval(run, qrels, relevant_from=3).mean["recip_rank"] == 0


def test_run_from_scores():
    run = run_from_scores(np.array([[0.5, -np.inf], [1, 2]]), ["p", "q"], ["a", "b"])
    assert run == {"p": {"a": 0.5}, "q": {"a": 1, "b": 2}}
    with pytest.raises(ValueError, match=r"shape \(2,\); 1 queries and 2 documents"):
        run_from_scores(np.ones(2), ["p"], ["a", "b"])
    with pytest.raises(ValueError, match="twice in documents"):
        run_from_scores(np.ones((1, 2)), ["p"], ["a", "a"])
    with pytest.raises(ValueError, match=r"scores\[0, 1\] is NaN"):
        run_from_scores([[1.0, math.nan]], ["p"], ["a", "b"])
    with pytest.raises(TypeError, match="documents: a SearchResult stands where an id belongs"):
        run_from_scores([[1.0]], ["p"], RESULTS)


# --- pairs ---------------------------------------------------------------------------------------


class Table:
    """Gives each text a vector of its own, of any length but 1, and counts what it encodes."""

    def __init__(self, seed=0, dimension=6):
        self.rng, self.dimension, self.vectors, self.encoded = (
            np.random.default_rng(seed),
            dimension,
            {},
            [],
        )

    def vector(self, text):
        if text not in self.vectors:
            self.vectors[text] = self.rng.normal(size=self.dimension) * self.rng.uniform(0.1, 9)
        return self.vectors[text]

    def encode(self, texts, batch_size=32, normalize_embeddings=False, show_progress_bar=None):
        self.encoded += texts
        vectors = np.array([self.vector(text) for text in texts])
        return (
            vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
            if normalize_embeddings
            else vectors
        )

    def cosine(self, first, second):
        a, b = self.vector(first), self.vector(second)
        return a @ b / math.sqrt((a @ a) * (b @ b))


def made_pairs(n=200, seed=3):
    rng = np.random.default_rng(seed)
    return [
        (f"first {i % 90}", f"second {i}", float(s))
        for i, s in enumerate(rng.integers(0, 11, n) / 2)
    ]


def test_pairs_against_definitions():
    model, pairs = Table(), made_pairs()
    result = evaluate_pairs(model, iter(pairs))
    scores = np.array([model.cosine(a, b) for a, b, _ in pairs])
    truth = np.array([s for *_, s in pairs])
    same = truth >= 4
    assert np.allclose(result.scores, scores)
    assert result.n == 200
    assert result.spearman == pytest.approx(
        np.corrcoef(scipy.stats.rankdata(scores), scipy.stats.rankdata(truth))[0, 1]
    )
    assert result.roc_auc == pytest.approx(np.mean(scores[same][:, None] > scores[~same]))
    hits = same[np.argsort(-scores)]
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    assert result.average_precision == pytest.approx(precision[hits].mean(), abs=1e-12)
    assert len(model.encoded) == 290, "every different text once"


def test_ties_count_half_in_the_area():
    class Constant(Table):
        def encode(self, texts, **_):
            return np.ones((len(texts), 3))

    result = evaluate_pairs(Constant(), made_pairs())
    assert result.roc_auc == 0.5
    assert math.isnan(result.spearman)


def test_the_threshold_comes_from_one_half_only():
    pairs = [
        Pair(f"a{i}", f"b{i}", s, "paraphrase", h)
        for i, (s, h) in enumerate(itertools.product([5, 0, 5, 0, 0], ["choose", "test"]))
    ]
    result = evaluate_pairs(Table(1), pairs)
    choose = np.array([p.half == "choose" for p in pairs])
    same = np.array([p.similarity >= 4 for p in pairs])
    assert result.halves == "as the pairs say"
    assert result.threshold == evaluation._best_threshold(result.scores[choose], same[choose])
    assert result.accuracy == np.mean((result.scores[~choose] >= result.threshold) == same[~choose])
    assert result.baseline_accuracy == pytest.approx(3 / 5)
    swapped = [
        dataclasses.replace(p, similarity=5 - p.similarity) if p.half == "test" else p
        for p in pairs
    ]
    other = evaluate_pairs(Table(1), swapped)
    assert other.threshold == result.threshold, "what the test half says must not matter"
    assert other.accuracy == pytest.approx(1 - result.accuracy)


def test_halves_at_random_are_seeded():
    first, again, other = (evaluate_pairs(Table(), made_pairs(), seed=seed) for seed in (1, 1, 2))
    assert first.halves == "at random, seed 1"
    assert (first.threshold, first.accuracy) == (again.threshold, again.accuracy)
    assert (first.threshold, first.accuracy) != (other.threshold, other.accuracy)
    assert first.spearman == other.spearman


def test_what_counts_as_the_same_is_a_parameter():
    pairs = [(a, b, s / 5) for a, b, s in made_pairs()]
    nothing = evaluate_pairs(Table(), pairs)
    some = evaluate_pairs(Table(), pairs, same_from=0.8)
    full = evaluate_pairs(Table(), made_pairs())
    assert all(
        map(
            math.isnan,
            (nothing.roc_auc, nothing.average_precision, nothing.threshold, nothing.accuracy),
        )
    )
    assert nothing.spearman == some.spearman == full.spearman
    assert (some.roc_auc, some.accuracy) == (full.roc_auc, full.accuracy)


def test_the_threshold_is_the_best_of_all():
    rng = np.random.default_rng(0)
    for n in (1, 2, 7, 40):
        scores, same = rng.integers(0, 8, n) / 8, rng.random(n) < 0.5
        found = np.mean((scores >= evaluation._best_threshold(scores, same)) == same)
        assert found == max(np.mean((scores >= t) == same) for t in np.linspace(-1, 2, 400))


def test_the_threshold_can_say_never_and_always():
    scores = np.array([0.2, 0.9])
    assert evaluation._best_threshold(scores, np.array([False, False])) > 0.9
    assert evaluation._best_threshold(scores, np.array([True, True])) < 0.2


@pytest.mark.parametrize(
    ("pairs", "error", "message"),
    [
        ([("a", "b", 1)] * 3, ValueError, "3 pairs were given"),
        ([("a", "b", 1)] * 4 + [("a", "b")], TypeError, r"pairs\[4\] is \('a', 'b'\)"),
        ([("a", 2, 1)] * 4, TypeError, "two strings and a number"),
        ([("a", "b", "high")] * 4, TypeError, r"pairs\[0\] is \('a', 'b', 'high'\)"),
        (["ab1"] * 4, TypeError, r"pairs\[0\] is 'ab1'"),
        ([("a", "b", math.nan)] * 4, ValueError, "give a finite number"),
        (pd.DataFrame([("a", "b", 1)] * 4), TypeError, r"pairs is a DataFrame; .* list\(zip"),
        ({"ab1": 1, "ab2": 2, "ab3": 3, "ab4": 4}, TypeError, "pairs is a dict"),
    ],
)
def test_pairs_refuse(pairs, error, message):
    with pytest.raises(error, match=message):
        evaluate_pairs(Table(), pairs)


def test_pairs_refuse_models_that_are_none():
    with pytest.raises(TypeError, match="model is a int"):
        evaluate_pairs(3, made_pairs())

    class Broken:
        def encode(self, texts, **_):
            return np.full((len(texts), 2), np.nan)

    with pytest.raises(ValueError, match="finite"):
        evaluate_pairs(Broken(), made_pairs())


def test_the_courses_own_pairs(minilm):
    pairs = load_pairs()
    texts = list(dict.fromkeys([p.first for p in pairs] + [p.second for p in pairs]))
    model = Table()
    model.vectors = dict(
        zip(texts, minilm.encode(texts), strict=True)
    )  # encoded once for four calls
    records, triples = (
        evaluate_pairs(model, pairs),
        evaluate_pairs(model, [tuple(p) for p in pairs]),
    )
    assert records.spearman == triples.spearman
    assert 0.28 < records.spearman < 0.38, "the figure of lesson 07"
    assert 0.45 < records.roc_auc < 0.6, "hardly better than guessing"
    easy = [p for p in pairs if p.tag in ("paraphrase", "same topic", "unrelated")]
    assert evaluate_pairs(model, easy).spearman > 0.7
    assert records.halves != triples.halves


# --- the table of models -------------------------------------------------------------------------

COLUMNS = [
    "nDCG@10",
    "Spearman",
    "documents/s",
    "ms/query",
    "dimension",
    "MB",
    "million parameters",
    "note",
]


def few():
    queries = [query for query in load_queries() if query.answers][:3]
    wanted = set().union(*(query.relevance for query in queries))
    articles = [article for article in load_articles() if article.id in wanted]
    return {"articles": articles, "queries": queries, "pairs": load_pairs()[:12]}


def test_table_of_loaded_models():
    table = compare_models({"one": Table(0), "two": Table(1, 9)}, **few())
    assert list(table.columns) == COLUMNS
    assert list(table.index) == ["one", "two"]
    assert list(table["dimension"]) == [6, 9]
    assert table[["MB", "million parameters"]].isna().all(axis=None)
    assert (table[["documents/s", "ms/query"]] > 0).all(axis=None)
    assert list(table["note"]) == ["", ""]
    assert "3 queries" in table.attrs["measured"]
    assert "12 pairs" in table.attrs["measured"]
    assert "thread" in table.attrs["measured"]


def test_models_are_timed_in_turn(monkeypatch):
    """The slow while of a busy machine hits all alike: the order of the calls goes to and fro."""
    calls = []

    class Watched(Table):
        def encode(self, texts, **settings):
            calls.append((self.dimension, len(texts)))
            return super().encode(texts, **settings)

    table = compare_models({"six": Watched(0, 6), "nine": Watched(1, 9)}, **few())
    asked = [dimension for dimension, texts in calls if texts == 1]
    assert asked[:2] == [6, 9], "the warm-up"
    assert asked[2:] == ([6, 9, 9, 6] * 5)[:18]
    timings = table.attrs["query"]
    assert {name: len(timing.rounds) for name, timing in timings.items()} == {"six": 9, "nine": 9}
    assert list(table["ms/query"]) == [timings[name].ms for name in ("six", "nine")]
    assert len(table.attrs["documents"]["nine"].rounds) == 4


def test_queries_and_articles_get_their_own_prompts():
    data = few()
    questions = {query.text for query in data["queries"]}

    class Sided(Table):
        sides: ClassVar = {"query": set(), "document": set()}

        def encode_query(self, texts, **settings):
            self.sides["query"] |= set(texts)
            return self.encode(texts, **settings)

        def encode_document(self, texts, **settings):
            self.sides["document"] |= set(texts)
            return self.encode(texts, **settings)

    compare_models({"sided": Sided()}, **data)
    assert Sided.sides["query"] == questions
    assert Sided.sides["document"] == {f"{a.title}\n{a.text}" for a in data["articles"]}


def test_prompts_of_a_sentence_transformer_go_through_the_cache(minilm, monkeypatch):
    from helpers import encoding

    kinds = {}

    def spy(texts, model, *, kind=None, **_):
        kinds.setdefault(kind, set()).update(texts)
        return Table().encode(texts)

    monkeypatch.setattr(encoding, "encode", spy)
    data = few()
    compare_models({"MiniLM": minilm}, **data)
    assert kinds["query"] == {query.text for query in data["queries"]}
    assert kinds["document"] == {f"{a.title}\n{a.text}" for a in data["articles"]}
    assert {pair.first for pair in data["pairs"]} <= kinds[None]


def test_table_gives_quality_and_size(minilm, monkeypatch):
    from helpers import models

    monkeypatch.setattr(models, "load_model", lambda name: minilm)
    data = few()
    row = compare_models(["all-MiniLM-L6-v2"], cache=False, **data).loc["all-MiniLM-L6-v2"]
    texts = [f"{article.title}\n{article.text}" for article in data["articles"]]
    scores = minilm.encode([q.text for q in data["queries"]]) @ minilm.encode(texts).T
    theirs = trec_eval(
        {
            q.id: {a.id: float(s) for a, s in zip(data["articles"], line, strict=True)}
            for q, line in zip(data["queries"], scores, strict=True)
        },
        {q.id: q.relevance for q in data["queries"]},
    )
    assert row["nDCG@10"] == pytest.approx(
        np.mean([v["ndcg_cut_10"] for v in theirs.values()]), abs=1e-6
    )
    assert row["Spearman"] == pytest.approx(evaluate_pairs(minilm, data["pairs"]).spearman)
    assert row["dimension"] == 384
    assert row["million parameters"] == pytest.approx(22.71, abs=0.01)  # as its model card has it
    assert 90 < row["MB"] < 100


def test_table_goes_on_without_a_missing_model(monkeypatch):
    from helpers import models

    def no_loading(*_, **__):
        raise AssertionError("a missing model must not be fetched")

    monkeypatch.setattr(models, "load_model", no_loading)
    monkeypatch.setattr(models, "model_status", lambda card: ("missing", f"fetch {card.name}"))
    table = compare_models(["msmarco-distilbert-base-v4"], **few())
    assert table["note"].tolist() == ["missing: fetch msmarco-distilbert-base-v4"]
    assert table.drop(columns="note").isna().all(axis=None)


def test_table_says_why_a_model_cannot_be_loaded():
    table = compare_models(["./no-such-folder"], **few())
    assert table["note"].item().startswith("not loaded: There is no folder ./no-such-folder")


def test_table_refuses_one_name():
    with pytest.raises(TypeError, match="give a list of names"):
        compare_models("all-MiniLM-L6-v2")
    with pytest.raises(TypeError, match="give a list of names"):
        compare_models(Table())


def test_nothing_heavy_is_imported():
    import subprocess
    import sys

    heavy = "{'torch', 'sklearn', 'matplotlib', 'pandas', 'scipy', 'sentence_transformers'}"
    code = f"import sys, {evaluation.__name__}; print({heavy} & set(sys.modules))"
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout
        == "set()\n"
    )
