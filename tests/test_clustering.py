"""Clusters, their names, agreement, stability and near-duplicates."""

import subprocess
import sys
from itertools import combinations

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from helpers import clustering
from helpers.clustering import (
    agreement,
    kmeans,
    name_clusters,
    near_duplicates,
    precision_recall,
    stability,
)


def heaps(sizes=(30, 20, 10), dimension=16, spread=0.05, seed=0):
    """Return vectors in separate heaps, in mixed order and of any norm, and the heap of each."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    vectors = np.eye(dimension)[labels] + rng.normal(scale=spread, size=(len(labels), dimension))
    return vectors * rng.uniform(0.5, 3, size=(len(labels), 1)), labels


# --- k-means ------------------------------------------------------------------------------------------------------------


def test_separate_heaps_are_found_and_numbered_by_size():
    vectors, labels = heaps()
    clusters = kmeans(vectors, 3)
    assert adjusted_rand_score(labels, clusters.labels) == 1
    assert clusters.sizes.tolist() == [30, 20, 10]
    assert clusters.centres.shape == (3, 16)


def test_only_directions_count():
    vectors, _ = heaps(spread=0.4)
    lengths = np.random.default_rng(1).uniform(0.1, 10, size=(len(vectors), 1))
    np.testing.assert_array_equal(kmeans(vectors, 3).labels, kmeans(vectors * lengths, 3).labels)


def test_centres_labels_and_inertia_belong_together():
    vectors, _ = heaps(spread=0.4)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    clusters = kmeans(vectors, 4, seed=3)
    for cluster in range(4):
        np.testing.assert_allclose(
            clusters.centres[cluster], unit[clusters.labels == cluster].mean(axis=0), atol=1e-6
        )
    distances = ((unit[:, None] - clusters.centres) ** 2).sum(axis=-1)
    np.testing.assert_array_equal(distances.argmin(axis=1), clusters.labels)
    assert clusters.inertia == pytest.approx(distances.min(axis=1).sum(), rel=1e-5)


def test_clusters_of_one_size_are_numbered_by_their_first_member():
    vectors, labels = heaps(sizes=(10, 10, 10))
    found = kmeans(vectors, 3).labels
    firsts = [int(np.flatnonzero(found == cluster)[0]) for cluster in range(3)]
    assert firsts == sorted(firsts)
    assert adjusted_rand_score(labels, found) == 1


def test_the_same_seed_gives_the_same_clusters_and_more_starts_no_worse_ones():
    vectors = np.random.default_rng(5).normal(size=(200, 20))
    np.testing.assert_array_equal(
        kmeans(vectors, 9, seed=4).labels, kmeans(vectors, 9, seed=4).labels
    )
    single = [kmeans(vectors, 9, starts=1, seed=seed) for seed in range(6)]
    assert len({round(clusters.inertia, 4) for clusters in single}) > 1
    assert kmeans(vectors, 9, starts=20).inertia <= np.mean(
        [clusters.inertia for clusters in single]
    )


def test_from_one_cluster_to_one_for_each_vector():
    vectors, _ = heaps(sizes=(4, 3))
    assert kmeans(vectors, 1).sizes.tolist() == [7]
    assert kmeans(vectors, 7).sizes.tolist() == [1] * 7
    assert kmeans(vectors, 7).inertia == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("k", [0, 61, 2.5, "3", True, None])
def test_impossible_k_is_refused(k):
    with pytest.raises(ValueError, match=r"^k=.*from 1 to 60"):
        kmeans(heaps()[0], k)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda v: v[0], r"shape \(16,\)"),
        (lambda v: np.where(np.arange(60)[:, None] == 7, 0, v), r"vectors\[7\]"),
        (lambda v: np.where(np.arange(60)[:, None] == 9, np.nan, v), r"vectors\[9\]"),
        (lambda v: np.where(np.arange(60)[:, None] == 9, np.inf, v), r"vectors\[9\]"),
    ],
)
def test_vectors_without_a_direction_are_refused(change, words):
    vectors = change(heaps()[0])
    with pytest.raises(ValueError, match=words):
        kmeans(vectors, 2)
    with pytest.raises(ValueError, match=words):
        near_duplicates(vectors, 0.9)


# --- names --------------------------------------------------------------------------------------------------------------


def test_names_are_frequent_here_and_rare_elsewhere():
    texts = [
        "ferry ferry harbour common",
        "harbour ferry common",
        "bread oven common",
        "bread bread common",
    ]
    names = name_clusters(texts, ["sea", "sea", "food", "food"], words=2)
    assert names == {"sea": ["ferry", "harbour"], "food": ["bread", "oven"]}


def test_weights_are_those_of_class_based_tf_idf():
    # Cluster 0 has 6 words, cluster 1 has 10, so A = 8. In cluster 0, "apple" weighs 2/6 · log(1 + 8/6) = 0.282 and "berry"
    # 1/6 · log(1 + 8/1) = 0.366, though it is rarer there; "cherry" 3/6 · log(1 + 8/8) = 0.347.
    texts = ["apple apple berry cherry cherry cherry", "apple " * 4 + "cherry " * 5 + "date"]
    assert name_clusters(texts, [0, 1])[0] == ["berry", "cherry", "apple"]


def test_stop_words_numbers_and_short_words_do_not_count_and_case_does_not_matter():
    names = name_clusters(["The 42 of it is FERRY2 Ferry ferry's", "Übergrößen naïve it's"], [0, 1])
    assert names == {0: ["ferry"], 1: ["naïve", "übergrößen"]}


def test_equal_weights_stand_in_alphabetical_order():
    assert name_clusters(["pear fig lime apple", "quince"], [0, 1])[0] == [
        "apple",
        "fig",
        "lime",
        "pear",
    ]


def test_texts_without_a_cluster_are_left_out():
    with_none = name_clusters(["ferry", "bread", "ferry bread"], np.array([0, 1, None]))
    assert with_none == name_clusters(["ferry", "bread"], [0, 1]) == {0: ["ferry"], 1: ["bread"]}


def test_a_cluster_without_words_has_an_empty_name():
    assert name_clusters(["ferry", "the of 42"], [0, 1]) == {0: ["ferry"], 1: []}
    assert name_clusters(["the", ""], [0, 1]) == {0: [], 1: []}
    assert name_clusters([], []) == {}


def test_names_stand_under_plain_labels_in_order_of_appearance():
    names = name_clusters(["ferry", "bread", "seal"], np.array([2, 0, 2]))
    assert list(names) == [2, 0]
    assert all(type(label) is int for label in names)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ((["a"], [0, 1]), ValueError, "1 texts and 2 labels"),
        (("ferry", [0] * 5), TypeError, "give a list of strings"),
        ((["a", 3], [0, 1]), TypeError, r"texts\[1\] is a int"),
    ],
)
def test_texts_and_labels_must_match(arguments, error, words):
    with pytest.raises(error, match=words):
        name_clusters(*arguments)


def test_a_table_in_place_of_texts_is_refused():
    import pandas as pd

    with pytest.raises(TypeError, match="give one of its columns"):
        name_clusters(pd.DataFrame({"title": ["a"], "text": ["b"]}), [0, 1])


def test_names_are_whole_words_in_any_script():
    texts = ["cafe\u0301 society", "caf\u00e9 society", "बंदरगाह का बाज़ार", "İzmir izmir"]
    names = name_clusters(texts, [0, 0, 1, 2])
    assert names == {0: ["café", "society"], 1: ["बंदरगाह", "बाज़ार"], 2: ["izmir"]}
    assert name_clusters(["encode_to_file"], [0]) == {0: ["encode", "file"]}


def test_names_are_pairs_of_characters_where_no_space_parts_words():
    texts = ["北京是首都", "首都很大", "渡船来了"]
    assert name_clusters(texts, [0, 0, 1], words=1)[0] == ["首都"]


@pytest.mark.parametrize("words", [0, -1, 2.0])
def test_a_name_has_at_least_one_word(words):
    with pytest.raises(ValueError, match=f"^words={words}"):
        name_clusters(["a"], [0], words=words)


# --- agreement and stability ---------------------------------------------------------------------------------------------


def test_the_same_division_under_other_names_agrees_fully():
    result = agreement([0, 0, 1, 1, 2, 2] * 5, list("xxzzyy") * 5)
    assert result.ari == pytest.approx(1)
    assert result.nmi == pytest.approx(1)


def test_ari_is_that_of_counted_pairs():
    rng = np.random.default_rng(2)
    first, second = rng.integers(0, 4, 40), rng.integers(0, 3, 40)
    pairs = list(combinations(range(40), 2))
    a, b = (np.array([labels[i] == labels[j] for i, j in pairs]) for labels in (first, second))
    expected = a.mean() * b.mean()
    by_hand = ((a & b).mean() - expected) / ((a.mean() + b.mean()) / 2 - expected)
    assert agreement(first, second).ari == pytest.approx(by_hand)
    assert agreement(second, first).ari == pytest.approx(by_hand)


def test_chance_is_zero_for_ari_and_rises_with_the_number_of_groups_for_nmi():
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 10, 300)
    few, many = (agreement(truth, rng.integers(0, k, 300)) for k in (5, 60))
    assert abs(few.chance_ari) < 0.02
    assert abs(many.chance_ari) < 0.02
    assert many.chance_nmi > 2 * few.chance_nmi
    assert few.nmi == pytest.approx(few.chance_nmi, abs=0.05)


def test_agreement_is_reproducible_and_says_what_does_not_fit():
    assert agreement([0, 1, 1, 2], [1, 0, 0, 0]) == agreement([0, 1, 1, 2], [1, 0, 0, 0])
    with pytest.raises(ValueError, match="3 and 2 things"):
        agreement([0, 1, 1], [0, 1])
    with pytest.raises(ValueError, match="0 and 0"):
        agreement([], [])
    with pytest.raises(ValueError, match="shuffles=0"):
        agreement([0], [0], shuffles=0)


def test_heaps_are_stable_and_a_cloud_is_not():
    vectors, _ = heaps()
    cloud = np.random.default_rng(0).normal(size=(150, 30))
    assert stability(vectors, 3, runs=4).tolist() == [1.0] * 6
    assert stability(cloud, 8, runs=4, starts=1).mean() < 0.5


def test_stability_takes_two_runs_at_least():
    with pytest.raises(ValueError, match="runs=1"):
        stability(heaps()[0], 3, runs=1)


# --- near-duplicates -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("portion", [16_000_000, 300, 1])
def test_all_pairs_above_the_threshold_are_found_in_order(monkeypatch, portion):
    monkeypatch.setattr(clustering, "SCORES_IN_MEMORY", portion)
    vectors, _ = heaps(spread=0.3)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    expected = {
        (i, j): unit[i] @ unit[j] for i, j in combinations(range(60), 2) if unit[i] @ unit[j] >= 0.6
    }
    found = near_duplicates(vectors, 0.6)
    assert len(expected) > 20
    assert {(i, j) for i, j, _ in found} == set(expected)
    assert all(i < j for i, j, _ in found)
    assert [score for *_, score in found] == sorted((score for *_, score in found), reverse=True)
    np.testing.assert_allclose(
        [score for *_, score in found], [expected[i, j] for i, j, _ in found]
    )
    assert all(type(value) in (int, float) for pair in found for value in pair)


def test_the_threshold_itself_counts_and_nothing_similar_gives_nothing():
    right_angles = np.eye(3)
    assert near_duplicates(right_angles, 0.0) == [(0, 1, 0.0), (0, 2, 0.0), (1, 2, 0.0)]
    assert near_duplicates(right_angles, 0.1) == []
    assert near_duplicates(np.ones((1, 4)), 0.5) == []
    assert near_duplicates(np.empty((0, 4)), 0.5) == []


@pytest.mark.parametrize("threshold", [1.01, -2, float("nan")])
def test_a_threshold_that_is_no_cosine_is_refused(threshold):
    with pytest.raises(ValueError, match=r"^threshold="):
        near_duplicates(np.eye(3), threshold)


def test_the_planted_pairs_are_found(minilm, articles):
    from helpers.data import load_near_duplicates

    place = {article.id: i for i, article in enumerate(articles)}
    planted = [(place[a], place[b]) for a, b in load_near_duplicates()]
    some = sorted({i for pair in planted for i in pair})[:16]
    chosen = [pair for pair in planted if set(pair) <= set(some)]
    vectors = minilm.encode([articles[i].text for i in some])
    found = [(some[i], some[j]) for i, j, _ in near_duplicates(vectors, 0.7)]
    precision, recall = precision_recall(found, chosen)
    assert recall > 0.7
    assert precision > 0.7


def test_precision_and_recall_count_pairs_in_either_order():
    assert precision_recall([(1, 2, 0.9), (4, 3, 0.8), (5, 6, 0.7)], [(2, 1), (3, 4)]) == (
        2 / 3,
        1.0,
    )
    assert precision_recall([(1, 2)], [(1, 2), (3, 4), (5, 6), (7, 8)]) == (1.0, 0.25)
    assert precision_recall([("a", "b")], [("a", "c")]) == (0.0, 0.0)


def test_precision_of_nothing_is_not_a_number():
    precision, recall = precision_recall([], [(1, 2)])
    assert np.isnan(precision)
    assert recall == 0
    assert np.isnan(precision_recall([(1, 2)], [])[1])


def test_importing_the_module_loads_no_library():
    code = "import sys, helpers.clustering; print([m for m in ('sklearn', 'torch', 'threadpoolctl') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
