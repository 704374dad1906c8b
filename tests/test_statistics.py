"""Statistics: paired comparisons against SciPy and against the truth, Holm, and shares."""

import itertools
import math
import subprocess
import sys

import numpy as np
import pytest
import scipy.stats

from helpers.statistics import METHODS, compare_paired, false_positive_rates, holm, share_interval

RNG = np.random.default_rng(0)
A = RNG.random(60)
B = RNG.random(60) - 0.1
EACH = pytest.mark.parametrize("method", METHODS)


def against_nothing(differences, **settings):
    return compare_paired(differences, np.zeros(len(differences)), **settings)


# --- each method against SciPy's ------------------------------------------------------------------


def test_t_is_scipys_paired_t_test():
    theirs = scipy.stats.ttest_rel(A, B)
    ours = compare_paired(A, B, confidence=0.9)
    assert ours.difference == pytest.approx(np.mean(A) - np.mean(B))
    assert ours.p == pytest.approx(theirs.pvalue)
    assert (ours.low, ours.high) == pytest.approx(tuple(theirs.confidence_interval(0.9)))
    assert ours.n == 60


@pytest.mark.parametrize(("method", "name"), [("percentile", "percentile"), ("bca", "BCa")])
def test_the_bootstraps_are_scipys(method, name):
    ours = compare_paired(A, B, method=method, resamples=20_000, seed=1)
    theirs = scipy.stats.bootstrap((A - B,), np.mean, n_resamples=20_000, method=name, rng=1)
    assert (ours.low, ours.high) == pytest.approx(tuple(theirs.confidence_interval), abs=1e-9)
    assert math.isnan(ours.p)


@pytest.mark.parametrize("n", [8, 40])
def test_sign_flips_are_scipys_permutation_test(n):
    """Exact for few queries; for many, as exact as the number of flips allows."""
    differences = (A - B)[:n]
    theirs = scipy.stats.permutation_test(
        (differences,), np.mean, permutation_type="samples", n_resamples=10_000, rng=3
    )
    ours = against_nothing(differences, method="permutation")
    assert ours.p == pytest.approx(theirs.pvalue, abs=1e-12 if n == 8 else 0.02)


@pytest.mark.parametrize("n", [7, 11, 25])
def test_the_interval_holds_what_the_sign_flips_do_not_reject(n):
    """Tested differences just inside have p above 0.05, just outside 0.05 or less."""
    differences = np.random.default_rng(n).choice([0, 0, 0.3, 1, -0.2, -0.5, 0.37], n)
    result = against_nothing(differences, method="permutation")
    for end, inwards in ((result.low, 1e-6), (result.high, -1e-6)):
        assert against_nothing(differences - end - inwards, method="permutation").p > 0.05
        assert against_nothing(differences - end + inwards, method="permutation").p <= 0.05


# --- what a comparison is -------------------------------------------------------------------------


@EACH
def test_a_comparison_is_paired_and_antisymmetric(method):
    hard = RNG.random(40) * 100
    small = np.random.default_rng(1).normal(0.05, 0.02, 40)
    better = compare_paired(hard + small, hard, method=method)
    assert better.established
    assert not compare_paired(hard + small, np.roll(hard, 1), method=method).established
    worse = compare_paired(hard, hard + small, method=method)
    assert worse.established
    assert worse.high < 0
    assert (worse.low, worse.high) == pytest.approx((-better.high, -better.low), abs=0.002)


@EACH
def test_established_says_that_the_interval_excludes_zero(method):
    """And, where there is a p, that it is at most 0.05."""
    seen = set()
    for seed in range(40):
        differences = np.random.default_rng(seed).choice([0, 0, 0.5, 0.5, 1, -0.5], 12)
        result = against_nothing(differences, method=method, resamples=500)
        assert result.established == (result.low > 0 or result.high < 0)
        if method in ("t", "permutation"):
            assert result.established == (result.p <= 0.05)
        seen.add(result.established)
    assert seen == {True, False}


@EACH
def test_a_seed_gives_the_same_interval_again(method):
    first, again, other = (
        compare_paired(A, B, method=method, seed=seed, resamples=300) for seed in (0, 0, 1)
    )
    assert (first.low, first.high) == (again.low, again.high)
    assert ((first.low, first.high) != (other.low, other.high)) == (method != "t")


@EACH
@pytest.mark.parametrize("value", [0.0, 0.25])
def test_equal_differences_get_an_answer_without_nan_or_warning(method, value, recwarn):
    """SciPy's t and BCa give NaN here; two queries with the same gain establish nothing."""
    few = against_nothing([value] * 3, method=method)
    many = against_nothing([value] * 12, method=method)
    assert (few.low, few.high, few.established) == (-math.inf, math.inf, False)
    assert few.p == (1.0 if value == 0 else 0.25)
    assert (many.low, many.high) == (value, value)
    assert many.p == (1.0 if value == 0 else pytest.approx(2 / 2**12))
    assert many.established == (value != 0)
    assert not recwarn.list


@EACH
def test_rounding_errors_establish_nothing(method):
    assert 0.3 - (0.1 + 0.2) != 0
    assert not compare_paired([0.3] * 12, [0.1 + 0.2] * 12, method=method).established
    thirds = compare_paired([1 / 3, 0] * 20, [0, 1 / 3] * 20, method=method)
    assert thirds.low < 0 < thirds.high
    one = compare_paired([1.0] + [0.0] * 19, [0.0] * 20, method=method)
    assert not one.established


def test_it_prints_what_a_report_needs():
    line = str(compare_paired(A, B))
    result = compare_paired(A, B)
    assert line == repr(result)
    assert line == (
        f"{result.difference:+.3f} [{result.low:+.3f}, {result.high:+.3f}], p = {result.p:.3f}, "
        f"n = 60, {'established' if result.established else 'not established'}"
    )
    assert "p < 0.001, n = 60, established" in str(compare_paired(A + 1, B))
    assert ", p " not in str(compare_paired(A, B, method="percentile"))


def test_queries_are_matched_by_name():
    a, b = {"x": 1.0, "y": 0.0, "z": 0.5}, {"z": 0.5, "y": 0.0, "x": 0.0}
    assert compare_paired(a, b).difference == pytest.approx(1 / 3)
    with pytest.raises(ValueError, match=r"only in a 1 \['z'\], only in b 0 \[\]"):
        compare_paired(a, {"x": 1.0, "y": 1.0})


@pytest.mark.parametrize(
    ("a", "b", "settings", "message"),
    [
        ([1], [2], {}, "1 queries were given"),
        ([1, 2], [1, 2, 3], {}, r"a has shape \(2,\) and b \(3,\)"),
        ([[1, 2]], [[1, 2]], {}, r"a has shape \(1, 2\)"),
        ([1, math.nan], [1, 2], {}, "not a finite number"),
        ([1, math.inf], [1, math.inf], {}, "not a finite number"),
        ({"x": 1, "y": 2}, [1, 2], {}, "names its queries"),
        ([1, 2], [1, 2], {"confidence": 95}, "confidence=95"),
        ([1, 2], [1, 2], {"resamples": 0}, "resamples=0"),
        ([1, 2], [1, 2], {"method": "z"}, "method='z' is unknown; choose one of t, permutation"),
    ],
)
def test_a_comparison_refuses(a, b, settings, message):
    with pytest.raises(ValueError, match=message):
        compare_paired(a, b, **settings)


def test_many_queries_stay_small():
    import tracemalloc

    tracemalloc.start()
    result = against_nothing(RNG.random(200_000), method="percentile", resamples=100)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert result.established
    assert peak < 150e6


# --- do the methods keep their word? --------------------------------------------------------------


def test_on_few_queries_t_keeps_its_five_percent_and_the_bootstrap_does_not():
    world = scipy.stats.norm.ppf(np.linspace(0.01, 0.99, 99))
    rates = false_positive_rates(world, 8, ("t", "percentile"), trials=500, resamples=200)
    assert 0.03 <= rates["t"] <= 0.07
    assert rates["percentile"] >= 0.08


def test_false_positives_are_counted_where_there_is_no_difference():
    """What mean the given differences have does not matter: it is taken away."""
    differences = np.random.default_rng(4).normal(0.0, 1.0, 50)
    settings = {"methods": ("t",), "trials": 300}
    here = false_positive_rates(differences, 20, **settings)
    there = false_positive_rates(differences + 3.0, 20, **settings)
    assert here == there == false_positive_rates(differences, 20, **settings)
    assert 0.01 < here["t"] < 0.1


# --- several questions, and shares ----------------------------------------------------------------


def test_holm_by_hand():
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03}) == pytest.approx(
        {"a": 0.03, "b": 0.06, "c": 0.06}
    )
    assert list(holm({"b": 0.5, "a": 0.1})) == ["b", "a"], "the order stays"
    assert holm([0.6, 0.9, 0.001]) == pytest.approx([1.0, 1.0, 0.003])
    assert holm([0.2]) == [0.2]
    assert holm([]) == []


def test_holm_rejects_what_its_definition_rejects():
    """Step down: the smallest p against 0.05 / m, the next against 0.05 / (m − 1), until one fails."""
    for p in np.random.default_rng(0).random((200, 5)) ** 3:
        order = np.argsort(p)
        passed = [p[i] <= 0.05 / (5 - step) for step, i in enumerate(order)]
        rejected = set(order[: len(list(itertools.takewhile(bool, passed)))])
        assert {i for i, adjusted in enumerate(holm(list(p))) if adjusted <= 0.05} == rejected


@pytest.mark.parametrize("wrong", [math.nan, -0.1, 1.1])
def test_holm_refuses_what_is_no_p(wrong):
    with pytest.raises(ValueError, match="between 0 and 1"):
        holm({"a": 0.1, "b": wrong})


def test_shares_have_wilsons_interval():
    low, high = share_interval(5, 11)
    z, n, share = scipy.stats.norm.ppf(0.975), 11, 5 / 11
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    margin = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    assert (low, high) == pytest.approx((centre - margin, centre + margin))
    assert share_interval(0, 11)[0] == 0
    assert 0.2 < share_interval(0, 11)[1] < 0.3, "none of eleven is not 'never'"
    assert share_interval(np.int64(5), np.int64(11), 0.99)[0] < low


@pytest.mark.parametrize(("successes", "n"), [(3, 2), (-1, 2), (0, 0), (0.5, 2), (1, 2.5)])
def test_shares_refuse(successes, n):
    with pytest.raises(ValueError, match="give whole numbers"):
        share_interval(successes, n)


def test_nothing_heavy_is_imported():
    code = "import sys, helpers.statistics; print({'scipy', 'pandas', 'torch'} & set(sys.modules))"
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "set()\n"
