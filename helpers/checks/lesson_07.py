"""The checks of practice 07, model evaluation."""

from __future__ import annotations

import functools
import math

import numpy as np

from helpers.checks.frame import exercise
from helpers.checks.reading import Wrong, describe, number, parts, sequence

# 7.1


def ranks(found, right):
    return [rank for rank, document in enumerate(found, start=1) if document in right]


def first(found, right):
    """Return 1 / rank of the first relevant document, or 0."""
    return 1 / ranks(found, right)[0] if ranks(found, right) else 0.0


def mean_of(rankings, relevant, value=first, over=None):
    """Return the mean of a value over queries, by default over all that were judged."""
    queries = relevant if over is None else over
    return float(np.mean([value(rankings.get(q, []), relevant.get(q, ())) for q in queries]))


@exercise(
    "7.1",
    level=1,
    title="The first right answer",
    names=["mean_reciprocal_rank"],
    hints=[
        "Over which of the two dictionaries must the loop run, so that no query gets lost?",
        "Go through `enumerate(rankings.get(query, []), start=1)`, up to the first document in the set.",
        "Add `1 / rank` and `break`; at the end divide the sum by `len(relevant)`, in any case.",
    ],
)
class MeanReciprocalRank:
    """The mean over all judged queries, of the first relevant rank each."""

    reads = number
    praise = "right: every judged query counts, whether the engine answered it or not."

    def reference(rankings, relevant):
        return mean_of(rankings, relevant)

    def cases():
        yield {"q": ["x", "y"]}, {"q": {"y"}}
        yield {"q": ["x", "y", "z"], "r": ["z"]}, {"q": {"y", "z"}, "r": {"x"}}
        yield {"q": ["x"]}, {"q": {"x"}, "r": {"x"}}
        yield {"r": ["x", "y"], "s": ["z"]}, {"r": {"y"}}
        yield {"r": [], "q": ["x", "y", "z"]}, {"q": {"z"}, "r": {"y"}}
        yield {"q": ["z", "x", "y"], "r": ["w", "z", "v"]}, {"r": {"x", "z", "v"}, "q": {"y", "x"}}
        yield {"q": ["x", "y"], "s": []}, {"r": {"x"}, "s": {"z"}, "q": {"y", "x"}}
        long = [f"d{i}" for i in range(1, 131)]
        for last in ("d120", "d54", "d72"):
            yield dict.fromkeys("xyz", long), {"y": {"d110"}, "x": {"d30"}, "z": {last}}

    mistakes = """
        mean_of(rankings, relevant, over=[q for q in relevant if q in rankings])
            a query that `rankings` does not have counts 0; otherwise silence is rewarded.
        mean_of(rankings, relevant, over=rankings)
            your mean is over the queries of `rankings`. Take it over those of `relevant`.
        mean_of(rankings, relevant, over=[q for q in relevant if ranks(rankings.get(q, []), relevant[q])] or relevant)
        mean_of(rankings, relevant, over=[q for q in relevant if rankings.get(q)])
        mean_of(rankings, relevant, over=[q for q in relevant if rankings.get(q) != []])
            you leave out queries without results, or without a right one. They count 0.
        mean_of(rankings, relevant, lambda found, right: sum(1 / r for r in ranks(found, right)))
        mean_of(rankings, relevant, lambda found, right: sum(1 / r for r in ranks(found, right)) / len(right))
            you add up 1 / rank of *every* relevant document. Only the first counts: stop there.
        mean_of(rankings, relevant, lambda found, right: 1 / (ranks(found, right) or [math.inf])[-1])
            you take the *last* relevant document. Is there no `break` after the first?
        mean_of(rankings, relevant, lambda found, right: 1 / ((ranks(found, right) or [math.inf])[0] + 1))
            your ranks are one too large: the first place gets 1/2 from you.
        np.mean([ranks(rankings[q], relevant[q])[0] for q in relevant if first(rankings.get(q, []), relevant[q])])
            this is the mean rank. Take 1 / rank first, then the mean.
        mean_of(rankings, relevant) * len(relevant)
            this is the sum over the queries; divide it by their number.
        mean_of(rankings, relevant, lambda found, right: first(found[:1], right))
            only first place counts for you: that is precision@1. The first *relevant* one counts.
        mean_of(rankings, relevant, lambda found, right: sum(i / r for i, r in enumerate(ranks(found, right), 1)) / len(right))
            this is the mean average precision. Only the first relevant document counts here.
        mean_of(rankings, relevant, lambda found, right: first(found[:10], right))
        mean_of(rankings, relevant, lambda found, right: first(found[:100], right))
            you stop after so many ranks. The task knows no such limit.
        mean_of(rankings, relevant, over=list(relevant)[:1])
        mean_of(rankings, relevant, over=list(relevant)[:1]) / len(relevant)
        next((v for q in relevant if (v := first(rankings.get(q, []), relevant[q]))), None)
            you return in the first turn of the loop. `return` belongs below it.
    """


# 7.2


def dcg(gains, power=1):
    return sum(gain / math.log2(1 + rank) ** power for rank, gain in enumerate(gains, start=1))


def ndcg(ranking, grades, k, best=None, gain=float, power=1):
    gains = gains_of(ranking, grades)[:k]
    ideal = sorted(grades.values(), reverse=True)[:k] if best is None else best
    found, possible = (dcg(map(gain, each), power) for each in (gains, ideal))
    return found / possible if possible else 0.0


def gains_of(ranking, grades):
    return [grades.get(document, 0) for document in ranking]


@exercise(
    "7.2",
    level=1,
    title="A ruler that stretches",
    names=["ndcg_at_k"],
    hints=[
        "From which list does the function as found make its best ranking, and what is missing there?",
        "The best ranking possible is made of `grades.values()`, sorted, largest first, and cut at k.",
        "Cut both lists at k. And look before you divide: the sum for the best ranking may be 0.",
    ],
)
class NdcgAtK:
    """The ideal is made of all that was judged, cut at k."""

    reads = number
    praise = "right: the same ruler for every engine, made of all there was to find."

    def reference(ranking, grades, k):
        return ndcg(ranking, grades, k)

    def cases():
        yield ["c", "x"], {"a": 3, "b": 2, "c": 1}, 2
        yield ["c", "b"], {"b": 1, "c": 2, "a": 3}, 1
        yield ["x", "b", "a", "c"], {"b": 1, "a": 3, "c": 2}, 3
        yield ["a"], {"b": 1, "a": 2, "c": 2}, 3
        yield ["x", "a"], {"b": 1, "a": 2, "c": 3}, 3
        yield ["y", "a", "x"], {"a": 1, "b": 1, "c": 0}, 2
        yield ["y", "x", "a"], {"a": 2}, 3
        yield ["a", "b"], {"a": 0, "c": 0}, 2
        yield ["a", "b"], {}, 3
        yield [], {"a": 1}, 2
        yield ["a", "b", "c"], {"c": 1, "b": 2, "a": 3}, 2
        rng = np.random.default_rng(72)
        for judged, k in ((9, 5), (6, 2), (8, 10)):
            grades = {f"d{i}": 1 + i % 3 for i in range(judged)}
            yield ["d1", *rng.permutation([f"d{i}" for i in range(2, 25)]).tolist()], grades, k

    mistakes = """
        ndcg(ranking, grades, k, best=sorted(gains_of(ranking[:k], grades), reverse=True))
            this is still the ruler as found: what the engine missed is forgiven.
        ndcg(ranking, grades, k, best=sorted(gains_of(ranking, grades), reverse=True)[:k])
            your best ranking is made of the engine's whole list. What is not in it is forgiven.
        ndcg(ranking, grades, k, best=sorted(grades.values(), reverse=True))
            your best ranking is longer than k. Cut it at k, too.
        ndcg(ranking, grades, k, best=sorted(grades.values(), reverse=True)[: len(ranking[:k])])
            your best ranking is only as long as the engine's list. It could have returned k.
        ndcg(ranking, grades, k, best=list(grades.values())[:k])
        ndcg(ranking, grades, k, best=sorted(grades.values())[:k])
            your best ranking is not sorted, or the wrong way: largest grade first.
        ndcg(ranking, grades, k, best=sorted(set(grades.values()), reverse=True)[:k])
            your best ranking has each grade once. Two documents of grade 2 are two.
        ndcg(ranking, grades, 1000)
            you never cut at k: only the first k ranks count, above the line and below.
        ndcg([d for d in ranking if d in grades], grades, k)
            documents without a judgement vanish, and others move up. They keep their rank.
        ndcg(ranking, grades, k, gain=lambda g: 2**g - 1)
            that is the exponential gain, 2^g - 1; the linear one is the grade itself.
        ndcg(ranking, grades, k, gain=lambda g: float(g > 0))
        ndcg(ranking, grades, k, gain=lambda g: float(g >= 2))
            you count grades as 0 or 1. The gain is the grade itself.
        ndcg(ranking, grades, k, power=0)
            nothing is divided by log₂(1 + rank), so that rank k counts as much as rank 1.
        ndcg(ranking, grades, k) if len(ranking) >= k else 0
            a list with fewer than k documents still has its gains.
        dcg(gains_of(ranking, grades)[:k])
            this is the DCG: divide it by that of the best ranking possible.
        ndcg(ranking, grades, 10)
            you cut at the same rank whatever k is.
        ndcg(ranking, grades, k) if any(grades.values()) else 1.0
            where there is nothing to be found the task asks for 0.
    """


# 7.3


def roc_auc(scores, same):
    alike, different = scores[same][:, None], scores[~same][None, :]
    return float((alike > different).mean() + (alike == different).mean() / 2)


def chosen(models, same, choose, test=None, measure=roc_auc, best=max):
    """Return the best of the models on the pairs `choose`, and its AUC on the pairs `test`."""
    test = ~choose if test is None else test
    name = best(models, key=lambda name: measure(models[name][choose], same[choose]))
    return name, measure(models[name][test], same[test])


def accuracy(scores, same):
    return float(((scores >= 0.5) == same).mean())


def a_name(value, what):
    if not isinstance(value, str):
        raise Wrong(f"{what} is {describe(value)}, not a model's name.")
    return str(value)


@exercise(
    "7.3",
    level=2,
    title="The best of two hundred",
    names=["choose_model"],
    hints=[
        "Which pairs may the choice see? Which pairs may the reported figure see?",
        "`scores[choose]` and `same[choose]` are the half that chooses; `~choose` is the other half.",
        "`max(…, key=…)` with the AUC on `choose` as key; then `roc_auc` of the winner on `~choose`.",
    ],
)
class ChooseModel:
    """Chosen on one half, reported on the other."""

    reads = parts(a_name, number)
    praise = "right: one half chooses, the other has the last word, and says it once."

    def reference(scores_by_model, same, choose):
        return chosen(scores_by_model, same, choose)

    def cases():
        rng = np.random.default_rng(73)
        for models, pairs in ((2, 8), (2, 9), (3, 10), (3, 12), (3, 14), (5, 57), (8, 70)):
            same, choose = (np.arange(pairs) % 2 == 0), (np.arange(pairs) % 4 < 2)
            same[: pairs // 3] = ~same[: pairs // 3]
            scores = rng.integers(0, 10, (models, pairs)) / 10 + 0.1 * same
            names = rng.permutation(list("abcdefgh"))[:models].tolist()
            models = dict(zip(names, scores.round(1), strict=True))
            yield models, same, choose
            if pairs > 12:  # one score far outside spoils all but the order
                best = chosen(models, same, choose)[0]
                low = np.flatnonzero(same & choose)[models[best][same & choose].argmin()]
                spoilt = np.where(np.arange(pairs) == low, models[best].min() - 8, models[best])
                yield models | {best: spoilt}, same, choose

    mistakes = """
        chosen(scores_by_model, same, choose | True, choose | True)
            you choose and report on all pairs: that is what the colleague did.
        chosen(scores_by_model, same, choose, choose)
            the right model, but its AUC is that on the pairs that chose it, where luck chose, too.
        chosen(scores_by_model, same, ~choose, ~choose)
            you choose the best on the *test* pairs: the other half is never used.
        chosen(scores_by_model, same, choose | True, ~choose)
            you choose on *all* pairs. The test pairs have had their say: they have leaked.
        chosen(scores_by_model, same, choose, choose | True)
            the AUC that you report is over all pairs. Only those that did not choose count.
        chosen(scores_by_model, same, ~choose, choose)
            the halves have changed places: True in `choose` marks the pairs that choose.
        (reference(scores_by_model, same, choose)[0], chosen(scores_by_model, same, ~choose, ~choose)[1])
            the AUC is the best of *all* models on the test pairs. Report the chosen one's.
        chosen(scores_by_model, same, choose, best=min)
            you take the model with the *lowest* AUC. The highest is best.
        chosen(scores_by_model, same, choose, best=lambda m, key: max(m, key=lambda n: abs(key(n) - 0.5)))
            you take the AUC farthest from 0.5. Below 0.5 a model is worse than dice.
        chosen(scores_by_model, same, choose, 1 - choose)
            `1 - choose` holds whole numbers, 0 and 1, not truths. The other pairs are `~choose`.
        chosen(scores_by_model, same, np.arange(len(same)) < len(same) // 2)
            you cut the list at a place. `choose` says which pairs choose: `scores[choose]`.
        chosen(scores_by_model, same, choose, measure=accuracy)
        chosen(scores_by_model, same, choose | True, choose | True, measure=accuracy)
            this is the accuracy at a threshold of 0.5. `roc_auc` needs no threshold.
        chosen({max(scores_by_model): scores_by_model[max(scores_by_model)]}, same, choose)
            `max` without a key takes the last *name* in the alphabet. Give it `key=`, the AUC.
    """


# 7.4


def interval(d, rng, resamples=2000, ends=(2.5, 97.5), of=lambda samples: samples.mean(axis=1)):
    """Return percentiles of the means of samples of `d`, drawn with replacement."""
    samples = d[rng.integers(len(d), size=(resamples, len(d)))]
    return tuple(map(float, np.percentile(of(samples), ends)))


def shown(ends):
    return f"{ends[0]:+.2f} to {ends[1]:+.2f}"


@exercise(
    "7.4",
    level=2,
    title="What an interval says",
    names=["claims"],
    hints=[
        "For each claim ask: is it about the mean, or about single queries? What is new in it?",
        "For d, e and f: which brings the bootstrap *more values to draw from*? For g, `1 - 0.95**20`.",
        "Test d, e and f: bootstrap the mean of `rng.normal(0.05, 0.3, size=100)`.",
    ],
)
class IntervalClaims:
    """Each claim is tested on values drawn here and now."""

    def praise(answer):
        tested = IntervalClaims.spec.claims().items()
        evidence = [f"{letter} · {seen}" for letter, (_, seen) in tested]
        return "\n".join(["right, all eight. The evidence:", *evidence])

    def claims():
        rng = np.random.default_rng(74)
        hardness = rng.normal(0.5, 0.3, size=100)
        b = np.clip(hardness + rng.normal(0, 0.1, size=100), 0, 1)
        a = np.clip(b + rng.normal(0.07, 0.18, size=100), 0, 1)
        d = a - b
        plain, own_a, own_b = (interval(x, rng) for x in (d, a, b))
        width = plain[1] - plain[0]
        more = np.clip(rng.normal(d.mean(), d.std(), size=400), -1, 1)
        others = (interval(np.tile(d, 2), rng), interval(more, rng), interval(d, rng, 8000))
        twice, queries, resamples = ((high - low) / width for low, high in others)
        leads = (interval(rng.normal(0.05, 0.3, size=100), rng, 500) for _ in range(100))
        missed = next(found for found in leads if -0.03 < found[0] < 0)
        better, by_luck = float((d > 0).mean()), 1 - 0.95**20
        holds = {
            "a": missed[0] > 0,
            "b": better >= 0.95,
            "c": own_b[1] > own_a[0] and plain[0] > 0,
            "d": twice < 0.8,
            "e": 0.4 < queries < 0.6,
            "f": resamples < 0.7,
            "g": by_luck > 0.5,
            "h": (100 * plain[0] > 0) != (plain[0] > 0),
        }
        seen = f"""
            In a test with a true lead of 0.05, the interval was {shown(missed)}: it holds 0 and the lead.
            In a test the interval was {shown(plain)}, and A better for {better:.0%} of the queries: it is on the mean.
            In a test A had {shown(own_a)}, B {shown(own_b)}, the difference {shown(plain)}: hardness cancels.
            In a test the copies made it {twice:.2f} times as wide: they are taken for new queries.
            In a test it was {queries:.2f} times as wide: it shrinks with the root of the number of queries.
            In a test it was {resamples:.2f} times as wide. Resamples are arithmetic; queries are knowledge.
            Each comes out so in 1 of 20 cases by luck; one at least of twenty: 1 - 0.95²⁰ = {by_luck:.2f}.
            Differences and ends are multiplied by 100. An end below 0 stays below 0."""
        lines = map(str.strip, seen.strip().splitlines())
        return {letter: (holds[letter], line) for letter, line in zip(holds, lines, strict=True)}


# 7.5

VERDICTS = ["first", "second", "not established"]


def paired(first, second):
    return np.array([first[query] - second[query] for query in first])


def verdict(low, high):
    return "first" if low > 0 else "second" if high < 0 else "not established"


def told(difference, ends):
    low, high = map(float, ends)
    return float(difference), low, high, verdict(low, high)


def booted(d, resamples, seed, *how):
    return told(d.mean(), interval(d, np.random.default_rng(seed), resamples, *how))


def separate(first, second, resamples, seed):
    """Draw the queries of both systems separately."""
    a, b = (np.array([*system.values()]) for system in (first, second))
    rng, size = np.random.default_rng(seed), (resamples, len(a))
    means = (system[rng.integers(len(a), size=size)].mean(axis=1) for system in (a, b))
    return told(a.mean() - b.mean(), np.percentile(np.subtract(*means), [2.5, 97.5]))


def around(d, deviation):
    return told(d.mean(), d.mean() + 1.96 * deviation * np.array([-1, 1]))


@functools.cache
def many_samples(d):
    return interval(np.frombuffer(d), np.random.default_rng(75), 20_000)


def reads_comparison(value):
    items = value if isinstance(value, str) else sequence(value)
    if isinstance(items, str) or len(items) != 4:
        raise Wrong(f"you return {describe(value)}. Return difference, low, high, verdict.")
    if any(isinstance(item, float) and math.isnan(item) for item in items):
        raise Wrong("there is NaN in it. (SciPy's BCa gives that where all samples are equal.)")
    if items[3] not in VERDICTS:
        raise Wrong(f"your verdict is {describe(items[3])}; it is one of {describe(VERDICTS)}.")
    return (*(number(x, "one of your numbers") for x in items[:3]), str(items[3]))


@exercise(
    "7.5",
    level=3,
    title="Am I sure?",
    names=["compare"],
    hints=[
        "One array of differences, `first[query] - second[query]` of each query, is all you need.",
        "`rng = np.random.default_rng(seed)`; `differences[rng.integers(n, size=(resamples, n))].mean(axis=1)`.",
        "`np.percentile(means, [2.5, 97.5])`: low and high. Then: low > 0, or high < 0, or neither.",
    ],
    seconds=40,
)
class Compare:
    """The right interval, within what chance does, and the verdict that goes with it."""

    reads = reads_comparison
    praise = "right: paired by query, and sure only when the interval says so."

    def reference(first, second, resamples, seed):
        return booted(paired(first, second), resamples, seed)

    def cases():
        a = {"p": 0.9, "q": 0.5, "r": 0.13, "s": 0.28, "t": 0.61}
        b = {"t": 0.42, "s": 0.31, "r": 0.05, "q": 0.17, "p": 0.49}
        for seed in (1, 2, 3):
            yield a, b, 1, seed
        c = {"s": 0.25, "r": 0.5, "q": 1.0, "p": 0.0, "t": 0.75}
        for query in "ptr":
            yield c | {query: c[query] + 1}, dict(sorted(c.items())), 1000, 4
            yield dict(sorted(c.items())), c | {query: c[query] + 1}, 1000, 4
        yield c, dict(sorted(c.items())), 200, 1
        yield {q: v + 0.5 for q, v in c.items()}, dict(sorted(c.items())), 200, 1
        yield {"p": 0.25}, {"p": 0.75}, 200, 1
        few = ((1, 40, 0.0513, 0.6), (2, 18, -0.1617, 0.9), (3, 60, 0.0287, 0.05))
        for seed, n, lead, tail in (*few, (4, 50, -0.0287, 0.05)):
            rng = np.random.default_rng(750 + seed)
            hard, noise = rng.normal(0.5, 0.25, n), rng.normal(0, 0.05, n)
            noise[rng.choice(n, size=n // 12, replace=False)] += tail
            better = dict(enumerate(hard + lead + noise - noise.mean()))
            yield better, {i: hard[i] for i in rng.permutation(n).tolist()}, 4000, seed

    def play(answer, first, second, resamples, seed):
        found = answer(first, second, resamples, seed)
        if resamples > 1 or found is None:
            return found
        difference, low, high, _ = reads_comparison(found)
        drawn_once = low == high and abs(low - difference) > 1e-9
        if drawn_once and len({answer(first, second, 1, other)[1] for other in range(5)}) == 1:
            raise Wrong("with five seeds you draw the same sample. Make the generator from `seed`.")
        return found

    def agrees(found, expected, first, second, resamples, seed):
        """The mean is exact, the ends are near those of many samples, and the verdict is theirs."""
        difference, low, high, said = found
        if abs(difference - expected[0]) > 1e-4 or said != verdict(low, high):
            return False
        if resamples == 1:
            return low == high
        d = paired(first, second)
        if len(d) > 9 and low == round(low, 3) and high == round(high, 3):
            return False  # rounded
        near = 0.2 * d.std() / len(d) ** 0.5 + 1e-6
        return np.abs(np.subtract((low, high), many_samples(d.tobytes()))).max() < near

    mistakes = """
        booted(np.subtract([*first.values()], [*second.values()]), resamples, seed)
            you match the values by their place. Match them by key: `second[query] for query in first`.
        separate(first, second, resamples, seed)
            you draw the queries of the two systems separately. Draw once, for both.
        booted(paired(first, second), resamples, seed, (5, 95))
        booted(paired(first, second), resamples, seed, (1, 99))
        booted(paired(first, second), resamples, seed, (2.5, 95))
        booted(paired(first, second), resamples, seed, (0, 100))
            your ends are other percentiles: 2.5 % are to be left out on either side.
        booted(paired(first, second), resamples, seed, (0.025, 0.975))
            `np.percentile` counts in per cent: 2.5 and 97.5. `np.quantile` takes 0.025.
        told(paired(first, second).mean(), np.percentile(paired(first, second), [2.5, 97.5]))
            these are percentiles of single differences. Take the mean of each sample first.
        around(paired(first, second), paired(first, second).std())
            your interval is made with the deviation of single differences. Percentiles are asked for.
        around(paired(first, second), paired(first, second).std(ddof=1) / len(first) ** 0.5)
        around(paired(first, second), paired(first, second).std() / len(first) ** 0.5)
            your interval is 1.96 standard errors on either side. Percentiles are asked for.
        told(paired(first, second).mean(), [paired(first, second).mean()] * 2)
            your interval has no width. Are the samples drawn *without* replacement?
        booted(-paired(first, second), resamples, seed)
            you subtract `first` from `second`.
        (*reference(first, second, resamples, seed)[:3], VERDICTS[int(paired(first, second).mean() <= 0)])
            your verdict goes by the mean. Where the interval holds 0, nothing is established.
        (lambda d, low, high, v: (d, low, high, verdict(low + 1e-9, high - 1e-9)))(*reference(first, second, resamples, seed))
            an end that is exactly 0 is "not established": `>` and `<`, not `>=` and `<=`.
        (lambda d, low, high, v: (d, low, high, verdict(-high, -low)))(*reference(first, second, resamples, seed))
            your verdicts are swapped: a difference above 0 says that "first" is better.
        booted(paired(first, second), 10_000, seed)
            the number of samples is written into the function. Take `resamples`.
        reference(first, second, 1, seed)
            all samples are the same one. Is the generator made anew inside the loop? Make it once.
        booted(paired(first, second), resamples, seed, (2.5, 97.5), lambda x: x.mean(axis=0))
            you take means along the other axis: one for each query, not for each sample.
        booted(paired(first, second), resamples, seed, (2.5, 97.5), lambda x: x.sum(axis=1))
            these are percentiles of the samples' sums. Take the mean of each sample.
        (lambda d, *rest: (abs(d), *rest))(*reference(first, second, resamples, seed))
            your difference has lost its sign, which says who is better.
        (lambda d, low, high, v: (d, high, low, v))(*reference(first, second, resamples, seed))
            the smaller end comes first: low, then high.
        (lambda *x: (*np.round(x[:3], 3), x[3]))(*reference(first, second, resamples, seed))
        (lambda d, low, high, v: (d, round(low, 2), round(high, 2), v))(*reference(first, second, resamples, seed))
            your numbers are rounded. Round when you print.
    """
