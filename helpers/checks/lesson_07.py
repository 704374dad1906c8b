"""The checks of practice 07, model evaluation."""

from __future__ import annotations

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
        "`rankings.get(query, [])` is an empty list where the engine kept silent. Go through it with "
        "`enumerate(…, start=1)` and stop at the first document that is in the set.",
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
        rng = np.random.default_rng(71)
        for queries in (9, 12):
            relevant = {f"q{i}": set(rng.choice(long[:20], 3).tolist()) for i in range(queries)}
            names = [f"q{i}" for i in rng.permutation(queries + 3)][:-5]
            rankings = {
                name: rng.permutation(long[:30])[: i + 2].tolist() for i, name in enumerate(names)
            }
            yield rankings, relevant
            yield (
                {q: list(long) for q in "xyz"},
                {"y": {"d120"}, "x": {"d30"}, "z": {f"d{queries * 6}"}},
            )

    mistakes = """
        mean_of(rankings, relevant, over=[q for q in relevant if q in rankings])
            your mean is over the queries that `rankings` has. A query on which the engine keeps
            silent counts 0; otherwise silence is rewarded.
        mean_of(rankings, relevant, over=rankings)
            your mean is over the queries of `rankings`. Go through those of `relevant`, and divide
            by `len(relevant)`.
        mean_of(rankings, relevant, over={**rankings, **relevant})
            queries that only `rankings` has are in your mean. Nobody judged them.
        mean_of(rankings, relevant, over=[q for q in relevant if ranks(rankings.get(q, []), relevant[q])] or relevant)
        mean_of(rankings, relevant, over=[q for q in relevant if rankings.get(q)])
        mean_of(rankings, relevant, over=[q for q in relevant if rankings.get(q) != []])
            you leave out queries without results, or without a right one. They count 0.
        mean_of(rankings, relevant, lambda found, right: sum(1 / r for r in ranks(found, right)))
        mean_of(rankings, relevant, lambda found, right: sum(1 / r for r in ranks(found, right)) / len(right))
            you add up 1 / rank of *every* relevant document. Only the first counts: stop there.
        mean_of(rankings, relevant, lambda found, right: sum(1 / r for r in ranks(found, right)), rankings)
            two mistakes: every relevant document counts, and the mean is over the queries of
            `rankings`.
        mean_of(rankings, relevant, lambda found, right: 1 / (ranks(found, right) or [math.inf])[-1])
            you take the *last* relevant document. Is there no `break` after the first?
        mean_of(rankings, relevant, lambda found, right: 1 / ((ranks(found, right) or [math.inf])[0] + 1))
            your ranks are one too large: the first place gets 1/2 from you.
        mean_of(rankings, relevant, lambda found, right: (ranks(found, right) or [0])[0])
        np.mean([ranks(rankings[q], relevant[q])[0] for q in relevant if first(rankings.get(q, []), relevant[q])])
            this is the mean rank. Take 1 / rank first, then the mean.
        1 / np.mean([ranks(rankings[q], relevant[q])[0] for q in relevant if first(rankings.get(q, []), relevant[q])])
            this is 1 / the mean rank. Take 1 / rank first, then the mean.
        mean_of(rankings, relevant) * len(relevant)
            this is the sum over the queries; divide it by their number.
        mean_of(rankings, relevant, lambda found, right: first(found[:1], right))
            only first place counts for you: that is precision@1. The first *relevant* one counts.
        mean_of(rankings, relevant, lambda found, right: float(bool(ranks(found, right))))
            you count the queries with anything relevant. At which rank it stands matters, too.
        mean_of(rankings, relevant, lambda found, right: sum(i / r for i, r in enumerate(ranks(found, right), 1)) / len(right))
            this is the mean average precision. Only the first relevant document counts here.
        mean_of(rankings, relevant, lambda found, right: first(found, set().union(*relevant.values())))
            you look for what answers *any* query. Take `relevant[query]`.
        sum(map(first, rankings.values(), relevant.values())) / len(relevant)
            you go through both dictionaries side by side. They are in different orders: take
            `rankings.get(query, [])` for each query of `relevant`.
        mean_of(rankings, relevant, lambda found, right: first(found[:10], right))
        mean_of(rankings, relevant, lambda found, right: first(found[:100], right))
            you stop after so many ranks. The task knows no such limit.
        {q: first(rankings.get(q, []), right) for q, right in relevant.items()}
        [first(rankings.get(q, []), right) for q, right in relevant.items()]
            you return the value of each query. Return their mean, one number.
        mean_of(rankings, relevant, over=list(relevant)[:1])
        mean_of(rankings, relevant, over=list(relevant)[:1]) / len(relevant)
        next((v for v in values_of(rankings, relevant) if v), None)
        next((v / len(relevant) for v in values_of(rankings, relevant) if v), None)
            you return in the first turn of the loop. `return` belongs below it.
        next((v / len(relevant) for v in values_of(rankings, relevant)[::-1] if v), 0)
            your sum holds the last answered query only: `+=`, not `=`.
        carried(values_of(rankings, relevant))
            a query without a right answer counts like the one before it: set the value to 0 first.
        mean_of(rankings, relevant, lambda found, right: first(found, {min(right, default="")}))
            you look for one of the relevant documents only. Whichever comes first counts.
    """


def values_of(rankings, relevant):
    return [first(rankings.get(q, []), right) for q, right in relevant.items()]


def carried(values):
    """Return the mean where 0 is replaced by the value before it."""
    kept = [next((v for v in values[i::-1] if v), 0) for i in range(len(values))]
    return float(np.mean(kept))


# 7.2


def dcg(gains, discount=lambda rank: math.log2(1 + rank)):
    return sum(gain / discount(rank) for rank, gain in enumerate(gains, start=1))


def ndcg(ranking, grades, k, *, found=None, best=None, gain=None, discount=None):
    """Return the nDCG, with other gains found or best, or another gain or discount of each."""
    gains = [grades.get(d, 0) for d in ranking][:k] if found is None else found
    ideal = sorted(grades.values(), reverse=True)[:k] if best is None else best
    values = [dcg(map(gain or float, g), *([discount] if discount else [])) for g in (gains, ideal)]
    return values[0] / values[1] if values[1] else 0.0


def gains_of(ranking, grades, missing=0):
    return [grades.get(document, missing) for document in ranking]


@exercise(
    "7.2",
    level=1,
    title="A ruler that stretches",
    names=["ndcg_at_k"],
    hints=[
        "From which list does the function as found make its best ranking, and what is missing there?",
        "The best ranking possible is made of `grades.values()`, sorted, largest first.",
        "Of those, too, only the first k fit on the page: cut both lists at k. And look before you "
        "divide: the sum for the best ranking may be 0.",
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
        yield ["y", "x", "b", "a"], {"a": 2, "b": 1}, 4
        yield ["a", "b"], {"a": 0, "c": 0}, 2
        yield ["a", "b"], {}, 3
        yield [], {"a": 1}, 2
        yield ["a", "b", "c"], {"c": 1, "b": 2, "a": 3}, 2
        rng = np.random.default_rng(72)
        for documents, judged, k in ((30, 9, 5), (12, 6, 2), (25, 8, 10), (15, 10, 3)):
            ids = [f"d{i}" for i in range(documents)]
            grades = dict(zip(rng.permutation(ids[:judged]).tolist(), [1, 2, 3] * 4, strict=False))
            yield ["d1", *rng.permutation(ids[2:]).tolist()], grades, k

    mistakes = """
        ndcg(ranking, grades, k, best=sorted(gains_of(ranking[:k], grades), reverse=True))
            this is still the ruler as found: its best ranking is made of what the engine has found,
            so that what it missed is forgiven.
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
        ndcg(ranking, grades, k, found=gains_of(ranking, grades))
            you add up the whole ranking, not its first k.
        ndcg(ranking, grades, 1000, best=sorted(gains_of(ranking, grades), reverse=True))
            what the engine missed is still forgiven, and nothing is cut at k.
        ndcg([d for d in ranking if d in grades], grades, k)
        ndcg([d for d in ranking[:k] if d in grades], grades, k)
            documents without a judgement vanish, and others move up. They keep their rank.
        ndcg(ranking, grades, k, gain=lambda g: 2**g - 1)
            that is the exponential gain, 2^g - 1; the linear one is the grade itself.
        ndcg(ranking, grades, k, gain=lambda g: float(g > 0))
        ndcg(ranking, grades, k, gain=lambda g: float(g >= 2))
            you count grades as 0 or 1. The gain is the grade itself.
        ndcg(ranking, grades, k, discount=lambda rank: 1)
            nothing is divided by log₂(1 + rank), so that rank k counts as much as rank 1.
        ndcg(ranking, grades, k, discount=lambda rank: rank)
        ndcg(ranking, grades, k, discount=lambda rank: 1 + math.log2(rank))
        ndcg(ranking, grades, k, discount=lambda rank: max(1, math.log2(rank)))
        ndcg(ranking, grades, k, discount=lambda rank: math.log2(2 + rank))
            you divide by something else than log₂(1 + rank), ranks counted from 1.
        ndcg(ranking, grades, k) if len(ranking) >= k else 0
            a list with fewer than k documents still has its gains.
        ndcg(ranking, grades, k, found=gains_of(ranking, grades, 1)[:k])
            a document that was not judged counts as grade 1. It has grade 0.
        ndcg(ranking, grades, k, found=gains_of(ranking, grades)[:1])
            only rank 1 is in your sum. Is the `return` inside the loop?
        ndcg(ranking, grades, min(k, len(grades)))
            you make k smaller where fewer documents were judged. The list found is k long.
        dcg(gains_of(ranking, grades)[:k])
            this is the DCG: divide it by that of the best ranking possible.
        ndcg(ranking, grades, k) / math.log(2)
            above the line you take the natural logarithm, below it that to base 2.
        ndcg(ranking, grades, 10)
        ndcg(ranking, grades, 3)
            you cut at the same rank whatever k is.
        ndcg(ranking, grades, k) if any(grades.values()) else 1.0
        ndcg(ranking, grades, k) if any(grades.values()) else None
            where there is nothing to be found the task asks for 0.
    """


# 7.3


def roc_auc(scores, same):
    alike, different = scores[same][:, None], scores[~same][None, :]
    return float((alike > different).mean() + (alike == different).mean() / 2)


def chosen(models, same, choose, test=None, measure=roc_auc, report=None, best=max):
    """Return the best of the models on the pairs `choose`, and its AUC on the pairs `test`."""
    test = ~choose if test is None else test
    name = best(models, key=lambda name: measure(models[name][choose], same[choose]))
    return name, (report or measure)(models[name][test], same[test])


def accuracy(scores, same):
    return float(((scores >= 0.5) == same).mean())


def precision(scores, same):
    return float(np.mean([same[scores >= score].mean() for score in scores[same]]))


def correlation(scores, same):
    return float(np.corrcoef(scores, same)[0, 1])


def named(name, models, same, test):
    """Return a name, and the AUC of the model of that name."""
    return name, roc_auc(models[name][test], same[test])


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
        "`max(scores_by_model, key=…)` with the AUC on the half that chooses as key; then one single "
        "call of `roc_auc`, for the winner, on `~choose`.",
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
        chosen(scores_by_model, same, choose, measure=lambda s, y: abs(roc_auc(s, y) - 0.5), report=roc_auc)
            you take the AUC farthest from 0.5. Below 0.5 a model is worse than dice.
        chosen(scores_by_model, same, choose, measure=lambda s, y: (s[y][:, None] > s[~y]).mean())
        chosen(scores_by_model, same, choose, measure=lambda s, y: (s[y][:, None] >= s[~y]).mean())
            a tie counts half in the AUC. `roc_auc` is given.
        chosen(scores_by_model, same, choose, 1 - choose)
            `1 - choose` holds whole numbers, which pick the first two pairs again and again. The
            other pairs are `~choose`.
        chosen(scores_by_model, same, np.arange(len(same)) < len(same) // 2)
        chosen(scores_by_model, same, np.arange(len(same)) < choose.sum())
            you cut the list at a place. `choose` says which pairs choose: `scores[choose]`.
        chosen(scores_by_model, same, choose, measure=accuracy)
        chosen(scores_by_model, same, choose | True, choose | True, measure=accuracy)
            this is the accuracy at a threshold of 0.5. `roc_auc` needs no threshold.
        chosen(scores_by_model, same, choose, measure=accuracy, report=roc_auc)
        chosen(scores_by_model, same, choose, measure=correlation, report=roc_auc)
        chosen(scores_by_model, same, choose, measure=lambda s, y: s.mean(), report=roc_auc)
        chosen(scores_by_model, same, choose, measure=lambda s, y: s[y].mean() - s[~y].mean(), report=roc_auc)
            you choose by another measure than the AUC.
        chosen(scores_by_model, same, choose, report=accuracy)
            the model is right; what you report is its accuracy at 0.5, not its AUC.
        chosen(scores_by_model, same, choose, measure=precision)
            this is the average precision; the task asks for the AUC.
        named(max(scores_by_model), scores_by_model, same, ~choose)
            `max` without a key takes the last *name* in the alphabet. Give it `key=`, the AUC.
        named(next(iter(scores_by_model)), scores_by_model, same, ~choose)
            this is the first model of the dictionary. Is `return` inside the loop?
        named(list(scores_by_model)[-1], scores_by_model, same, ~choose)
            this is the last model of the dictionary. Does your loop keep the winner?
        (reference(scores_by_model, same, choose)[0], named(list(scores_by_model)[-1], scores_by_model, same, ~choose)[1])
            the AUC is that of the last model in the dictionary: a variable left from the loop?
    """


# 7.4


def interval(d, rng, resamples=2000, ends=(2.5, 97.5)):
    """Return percentiles of the means of samples of `d`, drawn with replacement."""
    means = d[rng.integers(len(d), size=(resamples, len(d)))].mean(axis=1)
    return tuple(map(float, np.percentile(means, ends)))


def shown(ends):
    return f"{ends[0]:+.2f} to {ends[1]:+.2f}"


@exercise(
    "7.4",
    level=2,
    title="What an interval says",
    names=["claims"],
    hints=[
        "For each claim ask: is it about the mean or about single queries? Is there new knowledge in "
        "it?",
        "a and b read something into the interval that is not in it. For d, e and f: which of them "
        "brings the bootstrap *more values to draw from*?",
        "Test d, e and f: draw differences with `rng.normal(0.05, 0.3, size=100)` and bootstrap their "
        "mean. For g, `1 - 0.95**20`.",
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
        return {
            "a": (
                missed[0] > 0,
                f"In a test with a true lead of 0.05, a sample gave {shown(missed)}. The interval "
                "holds 0, and it holds the lead as well: it shows neither.",
            ),
            "b": (
                better >= 0.95,
                f"In a test the interval was {shown(plain)}, and A was better for "
                f"{100 * better:.0f} % of the queries. The interval is about the mean.",
            ),
            "c": (
                own_b[1] > own_a[0] and plain[0] > 0,
                f"In a test A had {shown(own_a)} and B {shown(own_b)}; the paired difference had "
                f"{shown(plain)}. Hard queries are hard for both, and that cancels.",
            ),
            "d": (
                twice < 0.8,
                f"In a test the copies made it {twice:.2f} times as wide: the bootstrap takes them "
                "for new queries.",
            ),
            "e": (
                0.4 < queries < 0.6,
                f"In a test it was {queries:.2f} times as wide: the width shrinks with the square "
                "root of the number of queries.",
            ),
            "f": (
                resamples < 0.7,
                f"In a test it was {resamples:.2f} times as wide. Resamples are arithmetic; only "
                "queries are knowledge.",
            ),
            "g": (
                by_luck > 0.5,
                "Each comes out so in about 1 of 20 cases by luck; at least one of twenty: "
                f"1 - 0.95²⁰ = {by_luck:.2f}.",
            ),
            "h": (
                (100 * plain[0] > 0) != (plain[0] > 0),
                "Differences and ends are multiplied by 100. An end below 0 stays below 0.",
            ),
        }


# 7.5


def paired(first, second):
    return np.array([first[query] - second[query] for query in first])


def by_place(first, second):
    return np.array([*first.values()]) - np.array([*second.values()])


def verdict(low, high):
    return "first" if low > 0 else "second" if high < 0 else "not established"


def told(difference, ends):
    low, high = map(float, ends)
    return float(difference), low, high, verdict(low, high)


def booted(d, resamples, seed, ends=(2.5, 97.5)):
    return told(d.mean(), interval(d, np.random.default_rng(seed), resamples, ends))


def drawn(first, second, resamples, seed, of, rows=None):
    """Return what 7.5 asks for, with something else `of` the samples than their means."""
    d, rng = paired(first, second), np.random.default_rng(seed)
    samples = d[rng.integers(rows or len(d), size=(resamples, len(d)))]
    return told(d.mean(), np.percentile(of(samples), [2.5, 97.5]))


def flipped(first, second, resamples, seed):
    """Flip the signs of the differences."""
    d = paired(first, second)
    signs = np.random.default_rng(seed).choice([-1, 1], size=(resamples, len(d)))
    return told(d.mean(), np.percentile((signs * d).mean(axis=1), [2.5, 97.5]))


def changed(found, then):
    """Return other numbers, and a verdict on the right ones, or another one."""
    return then(*found)


def separate(first, second, resamples, seed):
    """Draw the queries of both systems separately."""
    a, b = (np.array([*system.values()]) for system in (first, second))
    rng, size = np.random.default_rng(seed), (resamples, len(a))
    means = a[rng.integers(len(a), size=size)].mean(axis=1) - b[
        rng.integers(len(b), size=size)
    ].mean(axis=1)
    return told(a.mean() - b.mean(), np.percentile(means, [2.5, 97.5]))


def reads_comparison(value):
    items = value if isinstance(value, str) else sequence(value)
    if len(items) == 3 and np.shape(items[1]) == (2,):
        raise Wrong(
            "low and high come as a pair. Return four things: difference, low, high, verdict."
        )
    if isinstance(items, str) or len(items) != 4:
        raise Wrong(f"you return {describe(value)}. Return difference, low, high, verdict.")
    if any(isinstance(item, float) and math.isnan(item) for item in items):
        raise Wrong("there is NaN in it. (SciPy's BCa gives that where all samples are equal.)")
    if items[3] not in ("first", "second", "not established"):
        raise Wrong(
            f'your verdict is {describe(items[3])}; it is "first", "second" or "not established".'
        )
    names = ("difference", "low", "high")
    return (*(number(x, f"your `{n}`") for x, n in zip(items, names, strict=False)), str(items[3]))


@exercise(
    "7.5",
    level=3,
    title="Am I sure?",
    names=["compare"],
    hints=[
        "One array of differences, one for each query: `first[query] - second[query]`. From here on "
        "nothing else is needed.",
        "`rng = np.random.default_rng(seed)`, and `rng.integers(n, size=(resamples, n))` draws the rows "
        "of all samples at once: `differences[drawn].mean(axis=1)` are the resampled means.",
        "`np.percentile(means, [2.5, 97.5])` gives low and high. Then: low > 0, or high < 0, or "
        "neither.",
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
        for seed, n, lead, tail in (
            (1, 40, 0.0513, 0.6),
            (2, 18, -0.1617, 0.9),
            (3, 60, 0.0287, 0.05),
            (4, 50, -0.0287, 0.05),
        ):
            rng = np.random.default_rng(750 + seed)
            hard, noise = rng.normal(0.5, 0.25, n), rng.normal(0, 0.05, n)
            noise[rng.choice(n, size=n // 12, replace=False)] += tail
            better, names = hard + lead + noise - noise.mean(), [f"q{i}" for i in range(n)]
            order = rng.permutation(n)
            yield (
                dict(zip(names, better, strict=True)),
                {names[i]: hard[i] for i in order},
                4000,
                seed,
            )

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
        right = interval(d, np.random.default_rng(75), 20_000)
        near = 0.2 * d.std() / len(d) ** 0.5 + 1e-6
        return max(abs(low - right[0]), abs(high - right[1])) < near

    mistakes = """
        booted(by_place(first, second), resamples, seed)
            you match the values by their place, but the queries stand in another order. The mean
            does not notice. Match by key: `second[query] for query in first`.
        separate(first, second, resamples, seed)
            you draw the queries of the two systems separately. Draw once, and take both systems'
            values: what makes a query hard for both then cancels out.
        booted(paired(first, second), resamples, seed, (5, 95))
        booted(paired(first, second), resamples, seed, (0.5, 99.5))
        booted(paired(first, second), resamples, seed, (1, 99))
        booted(paired(first, second), resamples, seed, (2.5, 95))
        booted(paired(first, second), resamples, seed, (0, 100))
            your ends are other percentiles: 2.5 % are to be left out on either side.
        booted(paired(first, second), resamples, seed, (0.025, 0.975))
            `np.percentile` counts in per cent: 2.5 and 97.5. `np.quantile` takes 0.025.
        told(paired(first, second).mean(), np.percentile(paired(first, second), [2.5, 97.5]))
            these are percentiles of the differences of single queries. The interval of the *mean*
            is much narrower: take the mean of each sample first.
        around(paired(first, second), 1.96 * paired(first, second).std())
            your interval is made with the standard deviation of single differences. The task asks
            for percentiles of the resampled means.
        around(paired(first, second), 1.96 * paired(first, second).std(ddof=1) / len(first) ** 0.5)
        around(paired(first, second), 1.96 * paired(first, second).std() / len(first) ** 0.5)
            the difference lies exactly in the middle of your interval: 1.96 standard errors on
            either side. The task asks for percentiles.
        told(paired(first, second).mean(), [paired(first, second).mean()] * 2)
            your interval has no width. Are the samples drawn *without* replacement?
        booted(-paired(first, second), resamples, seed)
            you subtract `first` from `second`.
        (*reference(first, second, resamples, seed)[:3], "first" if paired(first, second).mean() > 0 else "second")
            your verdict goes by the mean. Where the interval holds 0, nothing is established.
        at_zero(*reference(first, second, resamples, seed))
            an end that is exactly 0 is "not established": `>` and `<`, not `>=` and `<=`.
        changed(reference(first, second, resamples, seed), lambda d, low, high, v: (d, low, high, verdict(-high, -low)))
            your verdicts are swapped: a difference above 0 says that "first" is better.
        booted(paired(first, second), 10_000, seed)
        booted(paired(first, second), 1000, seed)
            the number of samples is written into the function. Take `resamples`.
        reference(first, second, 1, seed)
            all samples are the same one. Is the generator made anew inside the loop? Make it once.
        drawn(first, second, resamples, seed, lambda x: x.mean(axis=1), len(first) - 1 or 1)
            the last query is never drawn: `rng.integers(n)` ends at n - 1 by itself.
        flipped(first, second, resamples, seed)
            you flip signs at random. That is a test of its own; the bootstrap draws queries.
        drawn(first, second, resamples, seed, lambda x: x.mean(axis=0))
            you take means along the other axis: one for each query, not for each sample.
        drawn(first, second, resamples, seed, lambda x: x.sum(axis=1))
        drawn(first, second, resamples, seed, lambda x: np.median(x, axis=1))
            these are percentiles of the samples' sums or medians. Take the mean of each sample.
        changed(reference(first, second, resamples, seed), lambda d, low, high, v: (abs(d), low, high, v))
            your difference has lost its sign, which says who is better.
        changed(reference(first, second, resamples, seed), lambda d, low, high, v: (d, high, low, v))
            the smaller end comes first: low, then high.
        (*np.round(reference(first, second, resamples, seed)[:3], 3).tolist(), reference(first, second, resamples, seed)[3])
        changed(reference(first, second, resamples, seed), lambda d, low, high, v: (d, round(low, 2), round(high, 2), v))
            your numbers are rounded. Round when you print.
    """


def around(d, half):
    return told(d.mean(), (d.mean() - half, d.mean() + half))


def at_zero(difference, low, high, says):
    """Let an end of 0 establish a difference."""
    return difference, low, high, "first" if low >= 0 else "second" if high <= 0 else says
