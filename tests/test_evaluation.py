"""Evaluation: sentence pairs, retrieval metrics against trec_eval itself, the bootstrap, and the table of models."""

import dataclasses
import itertools
import math

import numpy as np
import pytest
import pytrec_eval
import scipy.stats

from helpers import evaluation
from helpers.data import Pair, load_articles, load_pairs, load_queries
from helpers.evaluation import (
    average_precision,
    best_threshold,
    compare_models,
    evaluate_pairs,
    evaluate_retrieval,
    ndcg_at_k,
    paired_bootstrap,
    precision_at_k,
    quality_cost_plot,
    rank_documents,
    recall_at_k,
    reciprocal_rank,
    run_from_scores,
)

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
        assert ours.gain == "exponential"
        for query, k in itertools.product(theirs, KS):
            measure = f"ndcg_cut_{k}"
            assert ours.per_query[query][measure] == pytest.approx(theirs[query][measure], abs=1e-9)


def test_complete_means_count_missing_queries_as_zero(cases):
    for run, qrels in cases[:500]:
        theirs = trec_eval(run, qrels)
        ours = evaluate_retrieval(run, qrels, KS, complete=True)
        assert ours.per_query.keys() == qrels.keys()
        assert ours.missing == tuple(q for q in qrels if q not in run)
        assert ours.unjudged == tuple(q for q in run if q not in qrels)
        for measure, mean in ours.mean.items():
            assert mean == pytest.approx(
                sum(v[measure] for v in theirs.values()) / len(qrels), abs=1e-9
            )


def test_the_order_of_listing_does_not_matter():
    run, qrels = {"q": {"a": 1.0, "b": 1.0, "c": 2.0}}, {"q": {"a": 1}}
    turned = {"q": dict(reversed(run["q"].items()))}
    assert evaluate_retrieval(run, qrels) == evaluate_retrieval(turned, qrels)
    assert rank_documents(run["q"]) == ["c", "b", "a"]


def test_scores_beyond_single_precision_tie():
    assert rank_documents({"a": 1 + 1e-9, "b": 1}) == ["b", "a"]
    assert rank_documents({"a": 1 + 1e-6, "b": 1}) == ["a", "b"]
    assert rank_documents({"a": 1e300, "b": math.inf}) == ["b", "a"], (
        "too large for single precision: both are infinite"
    )


def test_integer_scores_and_numpy_scores():
    assert rank_documents({"a": 3, "b": np.float32(4), "c": np.int64(5)}) == ["c", "b", "a"]
    assert rank_documents({}) == []


def test_retrieval_refuses_what_has_no_value():
    with pytest.raises(ValueError, match=r"no query is in both: the run has 1 \('x'\)"):
        evaluate_retrieval({"x": {"a": 1.0}}, {"y": {"a": 1}})
    with pytest.raises(ValueError, match="query 'q': the score of document 'a' is not a number"):
        evaluate_retrieval({"q": {"a": math.nan}}, {"q": {"a": 1}})
    with pytest.raises(ValueError, match="k=0"):
        evaluate_retrieval({"q": {"a": 1.0}}, {"q": {"a": 1}}, [0])
    with pytest.raises(ValueError, match="'log' is unknown; choose one of 'linear', 'exponential'"):
        evaluate_retrieval({"q": {"a": 1.0}}, {"q": {"a": 1}}, gain="log")
    with pytest.raises(ValueError, match="relevant_from=0"):
        evaluate_retrieval({"q": {"a": 1.0}}, {"q": {"a": 1}}, relevant_from=0)


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

RANKING = ["a", "b", "c", "d"]
GRADES = {"b": 2, "d": 1, "x": 3, "a": 0, "c": -1}


def test_metrics_by_hand():
    assert recall_at_k(RANKING, GRADES, 3) == pytest.approx(1 / 3)
    assert precision_at_k(RANKING, GRADES, 10) == pytest.approx(2 / 10)
    assert reciprocal_rank(RANKING, GRADES) == pytest.approx(1 / 2)
    assert reciprocal_rank(RANKING, GRADES, relevant_from=3) == 0
    assert average_precision(RANKING, GRADES) == pytest.approx((1 / 2 + 2 / 4) / 3)
    log = math.log2
    linear = (2 / log(3) + 1 / log(5)) / (3 / log(2) + 2 / log(3) + 1 / log(4))
    exponential = (3 / log(3) + 1 / log(5)) / (7 / log(2) + 3 / log(3) + 1 / log(4))
    assert ndcg_at_k(RANKING, GRADES, 10) == pytest.approx(linear)
    assert ndcg_at_k(RANKING, GRADES, 10, gain="exponential") == pytest.approx(exponential)


@pytest.mark.parametrize("metric", [recall_at_k, precision_at_k, ndcg_at_k])
def test_a_set_of_relevant_documents_is_grade_one(metric):
    assert metric(RANKING, {"b", "x"}, 3) == metric(RANKING, {"b": 1, "x": 1}, 3) > 0


@pytest.mark.parametrize("metric", [recall_at_k, precision_at_k, ndcg_at_k])
@pytest.mark.parametrize("k", [0, -1, 1.5])
def test_metrics_refuse_k(metric, k):
    with pytest.raises(ValueError, match="give a whole number from 1 up"):
        metric(RANKING, GRADES, k)


@pytest.mark.parametrize("metric", [reciprocal_rank, average_precision])
def test_metrics_refuse_wrong_arguments(metric):
    with pytest.raises(ValueError, match="a document twice"):
        metric(["a", "b", "a"], GRADES)
    with pytest.raises(TypeError, match=r"give \{document: grade\}"):
        metric(["a"], "a")


def test_run_from_scores():
    run = run_from_scores(np.array([[0.5, -np.inf], [1, 2]]), ["p", "q"], ["a", "b"])
    assert run == {"p": {"a": 0.5}, "q": {"a": 1, "b": 2}}
    with pytest.raises(ValueError, match=r"shape \(2,\); 1 queries and 2 documents"):
        run_from_scores(np.ones(2), ["p"], ["a", "b"])
    with pytest.raises(ValueError, match="twice in documents"):
        run_from_scores(np.ones((1, 2)), ["p"], ["a", "a"])


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
    assert result.pearson == pytest.approx(np.corrcoef(scores, truth)[0, 1])
    assert result.roc_auc == pytest.approx(np.mean(scores[same][:, None] > scores[~same]))
    order = np.argsort(-scores)
    assert result.average_precision == pytest.approx(
        average_precision(list(order), set(np.flatnonzero(same))), abs=1e-12
    )
    assert len(model.encoded) == 290, "every different text once"


def test_ties_count_half_in_the_area():
    class Constant(Table):
        def encode(self, texts, batch_size=32):
            return np.ones((len(texts), 3))

    result = evaluate_pairs(Constant(), made_pairs())
    assert result.roc_auc == 0.5
    assert math.isnan(result.spearman)
    assert math.isnan(result.pearson)


def test_the_threshold_comes_from_one_half_only():
    pairs = [
        Pair(f"a{i}", f"b{i}", s, "paraphrase", h)
        for i, (s, h) in enumerate(itertools.product([5, 0, 5, 0, 0], ["choose", "test"]))
    ]
    result = evaluate_pairs(Table(1), pairs)
    choose = np.array([p.half == "choose" for p in pairs])
    same = np.array([p.similarity >= 4 for p in pairs])
    assert result.halves == "as the pairs say"
    assert result.threshold == best_threshold(result.scores[choose], same[choose])
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


def test_best_threshold_is_best():
    rng = np.random.default_rng(0)
    for n in (1, 2, 7, 40):
        scores, same = rng.integers(0, 8, n) / 8, rng.random(n) < 0.5
        found = np.mean((scores >= best_threshold(scores, same)) == same)
        assert found == max(np.mean((scores >= t) == same) for t in np.linspace(-1, 2, 400))


def test_best_threshold_can_say_never_and_always():
    assert best_threshold([0.2, 0.9], [False, False]) > 0.9
    assert best_threshold([0.2, 0.9], [True, True]) < 0.2


@pytest.mark.parametrize(
    ("pairs", "error", "message"),
    [
        ([("a", "b", 1)] * 3, ValueError, "3 pairs were given"),
        ([("a", "b", 1)] * 4 + [("a", "b")], TypeError, r"pairs\[4\] is \('a', 'b'\)"),
        ([("a", 2, 1)] * 4, TypeError, "the texts as strings"),
        ([("a", "b", "high")] * 4, TypeError, "the similarity 'high'"),
        ([("a", "b", math.nan)] * 4, ValueError, "give a finite number"),
    ],
)
def test_pairs_refuse(pairs, error, message):
    with pytest.raises(error, match=message):
        evaluate_pairs(Table(), pairs)


def test_pairs_refuse_models_that_are_none():
    with pytest.raises(TypeError, match="model is a int"):
        evaluate_pairs(3, made_pairs())

    class Broken:
        def encode(self, texts, batch_size=32):
            return np.full((len(texts), 2), np.nan)

    with pytest.raises(ValueError, match="finite numbers"):
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


# --- bootstrap -----------------------------------------------------------------------------------


def test_bootstrap_agrees_with_scipy():
    rng = np.random.default_rng(0)
    a, b = rng.random(60), rng.random(60) - 0.1
    ours = paired_bootstrap(a, b, seed=1, resamples=40_000, confidence=0.9)
    theirs = scipy.stats.bootstrap(
        (a - b,), np.mean, n_resamples=40_000, confidence_level=0.9, method="percentile", rng=5
    ).confidence_interval
    assert ours.difference == pytest.approx(np.mean(a) - np.mean(b))
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.003)
    assert (ours.n, ours.resamples, ours.confidence) == (60, 40_000, 0.9)


def test_bootstrap_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(1)
    holds = 0
    for trial in range(400):
        result = paired_bootstrap(rng.normal(0.2, 1, 60), np.zeros(60), seed=trial, resamples=400)
        holds += result.low <= 0.2 <= result.high
    assert 0.91 < holds / 400 < 0.98


def test_bootstrap_is_paired():
    hard = np.random.default_rng(0).random(40) * 100
    small = np.random.default_rng(1).normal(0.05, 0.02, 40)
    assert paired_bootstrap(hard + small, hard).established
    assert not paired_bootstrap(hard + small, np.roll(hard, 1)).established


def test_bootstrap_is_seeded_and_antisymmetric():
    rng = np.random.default_rng(2)
    a, b = rng.random(30), rng.random(30)
    first, again, other = (paired_bootstrap(a, b, seed=seed) for seed in (0, 0, 1))
    assert first == again == paired_bootstrap(a, b)
    assert first.low != other.low
    turned = paired_bootstrap(b, a)
    assert (turned.low, turned.high) == pytest.approx((-first.high, -first.low))


def test_bootstrap_says_established_only_beyond_zero():
    same = paired_bootstrap([1, 0, 1 / 3], [1, 0, 1 / 3])
    assert (same.difference, same.low, same.high, same.established) == (0, 0, 0, False)
    assert not paired_bootstrap([1 / 3, 0, 1 / 3, 0] * 10, [0, 1 / 3, 0, 1 / 3] * 10).established
    worse = paired_bootstrap([0.0] * 20 + [0.5], [1.0] * 20 + [0.4])
    assert worse.established
    assert worse.high < 0
    edge = paired_bootstrap([1.0] + [0.0] * 19, [0.0] * 20)
    assert edge.low == 0
    assert not edge.established
    assert (
        str(worse) == f"{worse.difference:+.3f} [{worse.low:+.3f}, {worse.high:+.3f}], established"
    )
    assert str(same).endswith("not established")


def test_rounding_errors_establish_nothing():
    result = paired_bootstrap([0.3] * 10, [0.1 + 0.2] * 10)
    assert 0.3 - (0.1 + 0.2) != 0
    assert not result.established


def test_bootstrap_pairs_by_name():
    a, b = {"x": 1.0, "y": 0.0, "z": 0.5}, {"z": 0.5, "y": 0.0, "x": 0.0}
    assert paired_bootstrap(a, b).difference == pytest.approx(1 / 3)
    with pytest.raises(ValueError, match=r"only in a 1 \('z'\), only in b 0"):
        paired_bootstrap(a, {"x": 1.0, "y": 1.0})


@pytest.mark.parametrize(
    ("a", "b", "settings", "message"),
    [
        ([1], [2], {}, "1 queries were given"),
        ([1, 2], [1, 2, 3], {}, r"a has shape \(2,\) and b \(3,\)"),
        ([1, math.nan], [1, 2], {}, "not a finite number"),
        ({"x": 1, "y": 2}, [1, 2], {}, "names its queries"),
        ([1, 2], [1, 2], {"confidence": 95}, "confidence=95"),
        ([1, 2], [1, 2], {"resamples": 0}, "resamples=0"),
    ],
)
def test_bootstrap_refuses(a, b, settings, message):
    with pytest.raises(ValueError, match=message):
        paired_bootstrap(a, b, **settings)


def test_bootstrap_of_many_queries_stays_small():
    import tracemalloc

    tracemalloc.start()
    result = paired_bootstrap(np.ones(200_000), np.zeros(200_000), resamples=100)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert result.low == 1
    assert peak < 150e6


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
    return {"articles": articles, "queries": queries, "pairs": load_pairs()[:12], "sample": 2}


def test_table_of_loaded_models():
    table = compare_models({"one": Table(0), "two": Table(1, 9)}, **few())
    assert list(table.columns) == COLUMNS
    assert list(table.index) == ["one", "two"]
    assert list(table["dimension"]) == [6, 9]
    assert table[["MB", "million parameters"]].isna().all(axis=None)
    assert (table[["documents/s", "ms/query"]] > 0).all(axis=None)
    assert list(table["note"]) == ["", ""]


def test_table_gives_quality_and_size(minilm, monkeypatch):
    from helpers import models

    monkeypatch.setattr(models, "load_model", lambda name, device=None: minilm)
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
    assert row["million parameters"] == pytest.approx(
        models.MODELS["all-MiniLM-L6-v2"].parameters / 1e6
    )
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


def test_picture():
    import matplotlib.pyplot as plt
    import pandas as pd

    table = pd.DataFrame(
        {"nDCG@10": [0.6, 0.7, None], "ms/query": [5, 50, 3]}, index=["small", "large", "absent"]
    )
    ax = quality_cost_plot(table)
    try:
        assert ax.get_xscale() == "log"
        points = [tuple(collection.get_offsets()[0]) for collection in ax.collections]
        assert points == [(5, 0.6), (50, 0.7)]
        assert [text.get_text() for text in ax.texts] == ["small", "large"]
        assert len({tuple(map(tuple, c.get_paths()[0].vertices)) for c in ax.collections}) == 2, (
            "markers differ"
        )
        assert ax.get_ylabel() == "nDCG@10"
        with pytest.raises(ValueError, match="no column 'MB'"):
            quality_cost_plot(table, cost="MB")
        with pytest.raises(ValueError, match="no row"):
            quality_cost_plot(table[2:])
    finally:
        plt.close(ax.figure)


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
