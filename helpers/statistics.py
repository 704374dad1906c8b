"""Is the difference real? Two systems on the same queries, several questions at once, shares.

>>> result = compare_paired(values["mpnet"], values["MiniLM"])
>>> print(result)
+0.093 [+0.030, +0.155], p = 0.004, n = 119, established
>>> share_interval(5, 11)  # 5 of 11 may be one in five, or three in four
(0.213, 0.720)

What all of this says is about *queries like these*. It knows nothing of queries of another kind, of errors in the judgements,
or of what was tried before.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

Method = Literal["t", "permutation", "bca", "percentile"]
METHODS: tuple[Method, ...] = ("t", "permutation", "bca", "percentile")
#: Differences of this size are rounding errors: 0.3 and 0.1 + 0.2 are the same value.
ROUNDING = 1e-12


@dataclass(frozen=True)
class Comparison:
    """What `compare_paired` found: the mean of a minus the mean of b, its confidence interval, the chance of a mean difference as
    far from 0 where there is none (NaN for the bootstraps), and the number of queries."""

    difference: float
    low: float
    high: float
    p: float
    n: int

    @property
    def established(self) -> bool:
        """Whether the interval excludes 0."""
        return bool(self.low > 0 or self.high < 0)

    def __str__(self) -> str:
        p = f", p = {self.p:.3f}" if self.p >= 0.001 else ", p < 0.001"
        interval = f"{self.difference:+.3f} [{self.low:+.3f}, {self.high:+.3f}]"
        verdict = "established" if self.established else "not established"
        return f"{interval}{'' if math.isnan(self.p) else p}, n = {self.n}, {verdict}"

    __repr__ = __str__


def compare_paired(
    a: Mapping[str, float] | Sequence[float],
    b: Mapping[str, float] | Sequence[float],
    *,
    method: Method = "t",
    confidence: float = 0.95,
    resamples: int = 10_000,
    seed: int = 0,
) -> Comparison:
    """Ask whether `a` is better than `b` on average, or whether other queries could say otherwise.

    Only the difference on each query counts: what makes a query hard for both cancels out.

    Parameters
    ----------
    a, b
        One value for each query: ``{query: value}`` with the same queries, or two sequences in the same order.
    method
        ``"t"``: Student's t interval of the mean difference, and its p.
        ``"permutation"``: where there is no difference, each query's could as well have the other sign. p is the share of sign
        flips whose mean is as far from 0; the interval holds every difference that the same test does not reject. All flips
        for few queries, else `resamples`. With fewer than six queries it can establish nothing at 95 %.
        ``"bca"``, ``"percentile"``: bootstrap. Queries are drawn with replacement; the interval holds the middle of the draws'
        means, with a correction for bias and skewness or without. On few queries both say "established" too often
        (`false_positive_rates`): they know only the values that they have, whose spread is too small.
        Where all differences are the same number, the permutation test answers in place of every method.
    confidence, resamples, seed
        How often such an interval should hold the truth; how often to flip or draw, and from where (not used by ``"t"``).

    Raises ValueError when the queries differ, there are fewer than two, a value is not a finite number, or a setting is out of
    range.
    """
    if method not in METHODS:
        raise ValueError(f"method={method!r} is unknown; choose one of {', '.join(METHODS)}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence={confidence}: give a number between 0 and 1, such as 0.95")
    if resamples < 100:
        raise ValueError(f"resamples={resamples}: give 100 or more (10,000 for a report)")
    differences = _differences(a, b)
    mean = math.fsum(differences) / len(differences)
    # Without any spread t divides by 0 and every draw is the same; the signs still say something.
    if method == "permutation" or np.ptp(differences) <= ROUNDING:
        low, high, p = _permutation(differences, confidence, resamples, seed)
    elif method == "t":
        low, high, p = _student(differences, confidence)
    else:
        low, high, p = _bootstrap(differences, method, confidence, resamples, seed)
    return Comparison(mean, float(low), float(high), float(p), len(differences))


def _differences(a: Mapping | Sequence, b: Mapping | Sequence) -> np.ndarray:
    if isinstance(a, Mapping) != isinstance(b, Mapping):
        what = "one of a and b names its queries and the other does not"
        raise ValueError(f"{what}; give two mappings or two sequences")
    if isinstance(a, Mapping):
        if a.keys() != b.keys():
            only = [sorted(map(str, x.keys() - y.keys())) for x, y in ((a, b), (b, a))]
            ours, theirs = (f"{len(queries)} {queries[:3]}" for queries in only)
            raise ValueError(
                f"a and b have different queries: only in a {ours}, only in b {theirs}"
            )
        a, b = list(a.values()), [b[query] for query in a]
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if a.shape != b.shape or a.ndim != 1:
        what = f"a has shape {a.shape} and b {b.shape}"
        raise ValueError(f"{what}; give one value of each for every query")
    if len(a) < 2:
        raise ValueError(f"{len(a)} queries were given; fewer than two say nothing about others")
    if not np.isfinite([a, b]).all():
        raise ValueError("a or b holds a value that is not a finite number")
    return np.where(np.abs(a - b) <= ROUNDING, 0.0, a - b)


def _student(differences: np.ndarray, confidence: float) -> tuple[float, float, float]:
    from scipy.stats import ttest_1samp

    result = ttest_1samp(differences, 0)
    return *result.confidence_interval(confidence), result.pvalue


def _bootstrap(
    differences: np.ndarray, method: Method, confidence: float, resamples: int, seed: int
) -> tuple[float, float, float]:
    from scipy.stats import bootstrap

    interval = bootstrap(
        (differences,),
        np.mean,
        method="BCa" if method == "bca" else method,
        confidence_level=confidence,
        n_resamples=resamples,
        batch=max(1, 4_000_000 // len(differences)),
        rng=seed,
    ).confidence_interval
    # Means of values such as 1/3 and −1/3 leave rounding errors in place of zeros.
    return *np.round(interval, 12), math.nan


def _permutation(
    differences: np.ndarray, confidence: float, resamples: int, seed: int
) -> tuple[float, float, float]:
    """Return the interval that the sign-flip test does not reject, and p for a difference of 0."""
    n = len(differences)
    if 2**n <= resamples:
        signs = 1.0 - 2.0 * (np.arange(2**n)[:, None] >> np.arange(n) & 1)
    else:  # the differences as they are count as one of the flips, so that p is never 0
        signs = np.random.default_rng(seed).choice([-1.0, 1.0], size=(resamples, n))
        signs[0] = 1.0
    means, shifts, mean = signs @ differences / n, signs.mean(axis=1), differences.mean()
    # With `shift` taken from every difference, a flip's mean is `means - shift * shifts`. It is as
    # far from 0 as the unflipped `mean - shift` exactly where shift lies beyond these two.
    with np.errstate(divide="ignore", invalid="ignore"):
        bounds = (mean - means) / (1 - shifts), (mean + means) / (1 + shifts)
    same = np.abs(shifts) == 1  # no sign flipped, or all: as far from 0 whatever the shift
    lows = np.where(same, -np.inf, np.minimum(*bounds))
    highs = np.where(same, np.inf, np.maximum(*bounds))
    rejected = math.floor((1 - confidence) * len(signs) + ROUNDING)
    low, high = np.sort(lows)[rejected].round(12), -np.sort(-highs)[rejected].round(12)
    p = np.mean(np.abs(means) >= abs(mean) - ROUNDING)
    return low + 0.0, high + 0.0, p


def false_positive_rates(
    differences: Sequence[float],
    n: int,
    methods: Iterable[Method] = METHODS,
    *,
    trials: int = 500,
    resamples: int = 1_000,
    seed: int = 0,
) -> dict[str, float]:
    """Return how often each method "establishes" a difference where there is none.

    The given differences, shape (queries,), minus their mean, serve as the world: its mean difference is 0. From it `trials`
    samples of `n` queries are drawn, and each is put to each method at 95 %. One that keeps its word is wrong in about 5 %.
    """
    world = np.asarray(differences, dtype=np.float64) - np.mean(differences)
    samples = np.random.default_rng(seed).choice(world, size=(trials, n))

    def wrong(method: Method) -> list[bool]:
        settings = {"method": method, "resamples": resamples}
        found = (compare_paired(s, 0 * s, **settings, seed=i) for i, s in enumerate(samples))
        return [result.established for result in found]

    return {method: float(np.mean(wrong(method))) for method in methods}


def holm(p_values: Mapping[str, float] | Sequence[float]) -> dict[str, float] | list[float]:
    """Return Holm's adjusted p for each of several questions asked at once, by name or in a sequence, as they are given.

    What is below 0.05 afterwards is established, and the chance that *any* of the answers is a false "yes" is at most 5 %. The
    smallest p is multiplied by the number of questions, the next by one less, and so on; none falls below the one before it.
    Raises ValueError for a p that is no number between 0 and 1, such as a bootstrap's NaN.
    """
    named = dict(p_values) if isinstance(p_values, Mapping) else dict(enumerate(p_values))
    wrong = {name: p for name, p in named.items() if not 0 <= p <= 1}
    if wrong:
        raise ValueError(f"p-values lie between 0 and 1; given: {wrong}")
    adjusted, largest = {}, 0.0
    for place, name in enumerate(sorted(named, key=named.__getitem__)):
        largest = max(largest, min(1.0, float(named[name]) * (len(named) - place)))
        adjusted[name] = largest
    in_order = {name: adjusted[name] for name in named}
    return in_order if isinstance(p_values, Mapping) else list(in_order.values())


def share_interval(successes: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return Wilson's interval of a share: `successes` of `n`, such as 5 of 11. Raises ValueError when these are no whole
    numbers, `n` is below 1, or there are more successes than trials."""
    from scipy.stats import binomtest

    if successes != int(successes) or n != int(n) or not 0 <= successes <= n or n < 1:
        raise ValueError(f"{successes} of {n}: give whole numbers, 0 ≤ successes ≤ n and n ≥ 1")
    interval = binomtest(int(successes), int(n)).proportion_ci(confidence, method="wilson")
    return float(interval.low), float(interval.high)
