"""The checks of practice 07, model evaluation."""

from __future__ import annotations

import math

import numpy as np

from helpers.checks.exercise import (
    Answer,
    Case,
    Mistake,
    Wrong,
    describe,
    exercise,
    judge,
    judge_claims,
    number,
    sequence,
)

# 7.1


def mean_reciprocal_rank(rankings: dict, relevant: dict) -> float:
    """Return the mean over all queries of `relevant` of 1 / rank of the first relevant document; 0
    where none was found.
    """
    return sum(_reciprocal_rank(rankings.get(q, []), right) for q, right in relevant.items()) / len(
        relevant
    )


def _ranks(ranking: list, right: set) -> list[int]:
    return [rank for rank, document in enumerate(ranking, start=1) if document in right]


def _reciprocal_rank(ranking: list, right: set) -> float:
    return next((1 / rank for rank in _ranks(ranking, right)), 0.0)


def _mean_of(value, over=lambda rankings, relevant: relevant):
    """Return a mean over queries (all of `relevant`) of value(ranking, relevant ids)."""

    def mean(rankings, relevant):
        queries = over(rankings, relevant)
        return np.mean([value(list(rankings.get(q, [])), relevant.get(q, ())) for q in queries])

    return mean


def _answered(rankings, relevant):
    return [q for q in relevant if q in rankings]


def _ranked(rankings, relevant):
    return rankings


def _with_hits(rankings, relevant):
    return [q for q in relevant if _ranks(rankings.get(q, []), relevant[q])]


def _sum_of_all(ranking, right):
    return sum(1 / rank for rank in _ranks(ranking, right))


def _rank_too_large(ranking, right):
    return next((1 / (rank + 1) for rank in _ranks(ranking, right)), 0)


def _last_of_all(ranking, right):
    return next((1 / rank for rank in _ranks(ranking, right)[::-1]), 0)


def _rounded_mean(over):
    return lambda found, right: round(float(_mean_of(_reciprocal_rank, over)(found, right)), 2)


def _over_both(rankings, relevant):
    return mean_reciprocal_rank(rankings, relevant) * len(relevant) / len({*rankings, *relevant})


def _over_not_empty(rankings, relevant):
    shared = [q for q in relevant if rankings.get(q)]
    return np.mean([_reciprocal_rank(rankings[q], relevant[q]) for q in shared])


def _first_ranks(rankings, relevant):
    ranks = [_ranks(rankings.get(q, []), right) for q, right in relevant.items()]
    return [found[0] for found in ranks if found]


def _returned_inside(rankings, relevant):
    values = (_reciprocal_rank(rankings.get(q, []), right) for q, right in relevant.items())
    return next((value for value in values if value), 0.0) / len(relevant)


def _returned_bare(rankings, relevant):
    return _returned_inside(rankings, relevant) * len(relevant)


def _carried_on(rankings, relevant):
    total = value = 0.0
    for q, right in relevant.items():
        value = _reciprocal_rank(rankings.get(q, []), right) or value
        total += value
    return total / len(relevant)


def _side_by_side(rankings, relevant):
    pairs = zip(rankings.values(), relevant.values(), strict=False)
    return sum(_reciprocal_rank(found, right) for found, right in pairs) / len(relevant)


def _of_any_query(rankings, relevant):
    right = set().union(*relevant.values())
    return np.mean([_reciprocal_rank(rankings.get(q, []), right) for q in relevant])


def _average_precision(ranking, right):
    ranks = _ranks(ranking, right)
    return sum(n / rank for n, rank in enumerate(ranks, start=1)) / len(right)


@exercise(
    "7.1",
    level=1,
    title="The first right answer",
    names=["mean_reciprocal_rank"],
    hints=[
        "Over which of the two dictionaries must the loop run, so that no query gets lost?",
        "`rankings.get(query, [])` is an empty list where the engine kept silent. Go through it with "
        "`enumerate(…, start=1)` and stop at the first document that is in the set.",
        "Add `1 / rank` and `break`; at the end divide the sum by `len(relevant)`, whatever happened.",
    ],
)
def exercise_7_1(answer: Answer) -> str:
    """The mean over all judged queries, of the first relevant rank each."""
    rng = np.random.default_rng(71)
    small = Case(
        (
            {
                "q1": ["d", "a", "c", "b"],
                "q2": ["e", "f"],
                "q3": ["g", "i", "j"],
                "q8": ["c"],
                "q9": ["a", "b"],
            },
            {"q1": {"a", "b"}, "q2": {"e"}, "q3": {"h"}, "q4": {"a"}},
        ),
        "4 judged queries with the first relevant document at rank 2, at rank 1, nowhere, and not "
        "answered at all",
    )
    plain = Case(
        (
            {"u": ["x", "y", "z", "w"], "v": ["z", "x", "y", "w"]},
            {"v": {"x", "w"}, "u": {"z", "w"}},
        ),
        "2 queries with relevant documents at ranks 3, 4 and 2, 4",
    )
    cases = [small, plain]
    for queries, documents in ((9, 14), (12, 30)):
        ids = [f"d{i}" for i in range(documents)]
        relevant = {
            f"q{i}": {str(d) for d in rng.choice(ids, size=rng.integers(1, 4), replace=False)}
            for i in range(queries)
        }
        names = [f"q{i}" for i in rng.permutation(queries + 3)][:-5]
        rankings = {
            q: [str(d) for d in rng.permutation(ids)[: rng.integers(2, documents)]] for q in names
        }
        judged = [q for q in names if q in relevant]
        rankings[judged[0]] = []
        rankings[judged[1]] = rankings[judged[1]][:3]
        # one whose only answer stands far behind
        far = judged[2]
        order = [d for d in ids if d not in relevant[far]]
        rankings[far] = [*order[:12], *sorted(relevant[far])]
        words = f"{queries} judged queries, {len(rankings)} rankings of {documents} documents"
        cases.append(Case((rankings, relevant), words))
    deep = [f"d{i}" for i in range(1, 122)]
    words = "3 queries with their answers at ranks 30, 70 and 120"
    at = {"y": {"d120"}, "x": {"d30"}, "z": {"d70"}}
    cases.append(Case(({q: list(deep) for q in "xyz"}, at), words))

    def cut(most):
        return _mean_of(lambda found, right: _reciprocal_rank(found[:most], right))

    mistakes = [
        Mistake(
            _mean_of(_reciprocal_rank, _answered),
            "your mean is over the queries that `rankings` answers: {got} instead of {expected}. A "
            "query on which the engine keeps silent counts 0; otherwise silence is rewarded.",
        ),
        Mistake(
            _mean_of(_reciprocal_rank, _ranked),
            "your mean is over the queries of `rankings`, {got} instead of {expected}: queries that it does "
            "not have are lost, and some that nobody judged count. Go through those of `relevant`, and "
            "divide by `len(relevant)`.",
        ),
        Mistake(
            _over_both,
            "queries that only `rankings` has are in your mean. Nobody judged them; leave them out.",
        ),
        Mistake(
            _mean_of(_reciprocal_rank, _with_hits),
            "your mean is over the queries for which something relevant was found. Where nothing was, "
            "the query counts 0, and is one of those you divide by ({got} instead of {expected}).",
        ),
        Mistake(
            _mean_of(
                _reciprocal_rank, lambda found, right: [q for q in right if found.get(q) != []]
            ),
            "you leave out a query whose list is empty: for {case} you return {got}; it should be {expected}. It "
            "counts 0.",
        ),
        Mistake(
            _over_not_empty,
            "you leave out the queries without results, {got} instead of {expected}. They count 0.",
        ),
        Mistake(
            _mean_of(_sum_of_all),
            "you add up 1 / rank of *every* relevant document of a query. Only the first counts: stop "
            "there.",
        ),
        Mistake(
            _mean_of(
                lambda found, right: (
                    np.mean([1 / rank for rank in _ranks(found, right)])
                    if _ranks(found, right)
                    else 0
                )
            ),
            "within a query you take the mean over all its relevant documents. Only the first counts.",
        ),
        Mistake(
            _mean_of(_last_of_all),
            "you take the *last* relevant document of each ranking. Is there no `break` after the first?",
        ),
        Mistake(
            _mean_of(_rank_too_large),
            "your ranks are one too large: a relevant document in first place gets 1/2 from you.",
        ),
        Mistake(
            _mean_of(
                lambda found, right: next((1 / max(r - 1, 1) for r in _ranks(found, right)), 0)
            ),
            "your ranks are one too small: a relevant document in second place gets 1 from you.",
        ),
        Mistake(
            _mean_of(lambda found, right: next((r - 1 for r in _ranks(found, right)), 0)),
            "this is the mean *place* of the first relevant document, counted from 0, and not that of "
            "1 / rank.",
        ),
        Mistake(
            _mean_of(lambda found, right: next(iter(_ranks(found, right)), 0)),
            "this is the mean rank of the first relevant document. Take 1 / rank first, then the mean.",
        ),
        Mistake(
            lambda found, right: np.mean(_first_ranks(found, right)),
            "this is the mean rank of the first relevant documents. Take 1 / rank first, then the mean.",
        ),
        Mistake(
            lambda found, right: 1 / np.mean(_first_ranks(found, right)),
            "this is 1 / the mean rank. The mean of 1 / rank is something else: one query with "
            "its answer at rank 100 would ruin your figure.",
        ),
        Mistake(
            lambda found, right: mean_reciprocal_rank(found, right) * len(right),
            "this is the sum over the queries; divide it by their number.",
        ),
        Mistake(
            lambda found, right: np.median(
                [_reciprocal_rank(found.get(q, []), ids) for q, ids in right.items()]
            ),
            "this is the median over the queries, not their mean.",
        ),
        Mistake(
            _mean_of(lambda found, right: float(bool(found) and found[0] in right)),
            "only a relevant document in first place counts for you: that is precision@1. The first "
            "*relevant* one may stand further down, and is worth 1 / rank there (`/`, not `//`).",
        ),
        Mistake(
            _mean_of(lambda found, right: sum(1 / r for r in _ranks(found, right)) / len(right)),
            "you add up 1 / rank of every relevant document and divide by their number. Only the first "
            "counts: stop there.",
        ),
        Mistake(
            _mean_of(
                lambda found, right: next((1 / math.log2(1 + r) for r in _ranks(found, right)), 0)
            ),
            "that is the discount of nDCG, 1 / log₂(1 + rank). The task has 1 / rank.",
        ),
        Mistake(
            _mean_of(
                lambda found, right: next(
                    (1 / r for r in _ranks(found, right)), 1 / (1 + len(found))
                )
            ),
            "a query for which nothing was found counts 0. You give it the rank behind the last one.",
        ),
        Mistake(
            _of_any_query,
            "you look for the relevant documents of *all* queries in every ranking. A document that "
            "answers another query is no answer here: `relevant[query]`.",
        ),
        Mistake(
            _side_by_side,
            "you go through both dictionaries side by side. They do not hold the same queries in the "
            "same order: take `rankings.get(query, [])` for each query of `relevant`.",
        ),
        Mistake(
            _mean_of(lambda found, right: float(bool(_ranks(found, right)))),
            "you count the queries for which anything relevant was found. At which rank it stands "
            "matters, too.",
        ),
        Mistake(
            _mean_of(_average_precision),
            "this is the mean average precision, over all relevant documents of a query. Only the "
            "first counts here.",
        ),
        *(
            Mistake(
                function,
                f"{{got}} instead of {{expected}}, by two mistakes. First, {queries}. Second, {says}.",
            )
            for over, queries in (
                (
                    _ranked,
                    "your mean is over the queries of `rankings`, not over those of `relevant`",
                ),
                (_answered, "queries that `rankings` does not have are left out of your mean"),
                (_with_hits, "queries for which nothing was found are left out of your mean"),
            )
            for function, says in (
                (_mean_of(_sum_of_all, over), "every relevant document counts, not the first only"),
                (_mean_of(_rank_too_large, over), "your ranks are one too large"),
                (_mean_of(_last_of_all, over), "the last relevant document counts, not the first"),
                (_rounded_mean(over), "you round"),
            )
        ),
        *(
            Mistake(
                cut(most),
                f"you stop after rank {most}. The task knows no such limit: an answer at rank {most + 3} is "
                f"worth 1/{most + 3}.",
            )
            for most in (10, 5, 20, 50, 100)
        ),
        Mistake(
            lambda found, right: {
                q: _reciprocal_rank(found.get(q, []), r) for q, r in right.items()
            },
            "you return the value of each query. Return their mean, one number.",
        ),
        Mistake(
            lambda found, right: [_reciprocal_rank(found.get(q, []), r) for q, r in right.items()],
            "you return the value of each query. Return their mean, one number.",
        ),
        Mistake(
            lambda found, right: _reciprocal_rank(
                found.get(next(iter(right)), []), right[next(iter(right))]
            ),
            "you return the value of the first query. Is the `return` inside the loop?",
        ),
        Mistake(
            lambda found, right: (
                next(
                    _reciprocal_rank(found.get(q, []), right[q])
                    for q in list(right)[::-1]
                    if _reciprocal_rank(found.get(q, []), right[q])
                )
                / len(right)
            ),
            "your sum holds the last answered query only. Does each query overwrite it (`=` for `+=`)?",
        ),
        Mistake(
            _mean_of(
                lambda found, right: next(
                    iter(1 / (found.index(d) + 1) for d in [min(right)] if d in found), 0.0
                )
            ),
            "you look for one of the relevant documents only. Whichever of them comes first counts.",
        ),
        Mistake(
            lambda found, right: (
                _reciprocal_rank(found.get(next(iter(right)), []), right[next(iter(right))])
                / len(right)
            ),
            "your result holds the first query only, divided by the number of queries. Is the `return` inside "
            "the loop?",
        ),
        Mistake(
            _returned_inside,
            "your result holds the first answered query only. Is the `return` inside the loop? It belongs "
            "below it, at the loop's own indentation.",
        ),
        Mistake(
            _returned_bare,
            "you return 1 / rank of the first query that has one, and never see the others. Add the values "
            "up in the loop; `return` belongs below it.",
        ),
        Mistake(
            _carried_on,
            "a query for which nothing was found counts as much as the query before it: a variable keeps its "
            "old value. Set it to 0 at the start of each query.",
        ),
        Mistake(
            lambda found, right: 100 * mean_reciprocal_rank(found, right),
            "this is in per cent; the mean of 1 / rank lies between 0 and 1.",
        ),
    ]
    try:
        judge(answer, cases, mean_reciprocal_rank, mistakes, read=number)
    except Wrong as wrong:
        if "KeyError" in str(wrong):
            raise Wrong(
                f"{wrong}\nOne dictionary does not have all queries of the other. A query that `rankings` does not "
                "have counts 0; one that `relevant` does not have is left out."
            ) from None
        raise
    return "right: every judged query counts, whether the engine answered it or not."


# 7.2


def ndcg_at_k(ranking: list, grades: dict, k: int) -> float:
    """Return the nDCG with linear gain of the first k, against the best k of all judged documents;
    0 where no document has a grade above 0.
    """
    ideal = _dcg(sorted(grades.values(), reverse=True)[:k])
    return _dcg(_gains(ranking, grades)[:k]) / ideal if ideal else 0.0


def _gains(ranking, grades):
    return [grades.get(document, 0) for document in ranking]


def _linear(grade):
    return grade


def _log_discount(rank):
    return math.log2(1 + rank)


def _dcg(gains, gain=_linear, discount=_log_discount):
    return sum(gain(g) / discount(rank) for rank, g in enumerate(gains, start=1))


def _ndcg(found=None, ideal=None, gain=_linear, discount=_log_discount):
    """Return an nDCG that differs from the reference in the list of gains found, the list of the
    ideal ones, the gain or the discount.
    """

    def ndcg(ranking, grades, k):
        gains = (found or (lambda r, g, k: _gains(r, g)[:k]))(ranking, grades, k)
        best = (ideal or (lambda r, g, k: sorted(g.values(), reverse=True)[:k]))(ranking, grades, k)
        whole = _dcg(best, gain, discount)
        return _dcg(gains, gain, discount) / whole if whole else 0.0

    return ndcg


def _old_discount(rank):
    """Ranks 1 and 2 undiscounted, as in the first papers."""
    return max(1.0, math.log2(rank))


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
def exercise_7_2(answer: Answer) -> str:
    """The ideal is made of all that was judged, cut at k."""
    rng = np.random.default_rng(72)
    cases = [
        Case(
            (["c", "x", "y"], {"a": 3, "b": 2, "c": 1}, 3),
            "a ranking with only the document of grade 1, judged grades 3, 2, 1, and k = 3",
        ),
        Case(
            (["x", "b", "d", "a", "c"], {"b": 1, "a": 3, "c": 2, "d": 0, "e": 2}, 4),
            "grades found 0, 1, 0, 3, judged grades 1, 3, 2, 0, 2, and k = 4",
        ),
        Case(
            (["a", "x"], {"b": 1, "a": 2, "c": 2, "f": 3}, 5),
            "a ranking of 2 documents, 4 judged ones, and k = 5",
        ),
    ]
    for documents, judged, k in ((30, 9, 5), (12, 6, 1), (25, 8, 10), (15, 10, 3)):
        ids = [f"d{i}" for i in range(documents)]
        grades = {str(d): int(rng.integers(0, 4)) for d in rng.permutation(ids)[:judged]}
        grades[next(iter(grades))] = 1  # not in the order of their grades
        ranking = [str(d) for d in rng.permutation(ids)][: documents - 3]
        first = [d for d in grades if grades[d] == 2] or [list(grades)[-1]]
        ranking = [*first[:1], *(d for d in ranking if d != first[0])]
        cases.append(
            Case(
                (ranking, grades, k),
                f"{documents - 3} ranked and {judged} judged documents, k = {k}",
            )
        )

    def exponential(grade):
        return 2**grade - 1

    mistakes = [
        Mistake(
            _ndcg(ideal=lambda r, g, k: sorted(_gains(r, g)[:k], reverse=True)),
            "for {case} you return {got}; it should be {expected}. This is still the ruler as found: its best "
            "ranking is made of what the engine has found, so that what it missed is forgiven.",
        ),
        Mistake(
            _ndcg(ideal=lambda r, g, k: sorted(_gains(r, g), reverse=True)[:k]),
            "for {case} you return {got}; it should be {expected}. Your best ranking is made of the whole "
            "list of the engine. What is not in that list at all is still forgiven: use `grades`.",
        ),
        Mistake(
            _ndcg(ideal=lambda r, g, k: sorted(g.values(), reverse=True)),
            "for {case} you return {got}; it should be {expected}. Your best ranking is longer than k: the "
            "first k ranks cannot hold all judged documents. Cut it at k, too.",
        ),
        Mistake(
            _ndcg(ideal=lambda r, g, k: sorted(g.values(), reverse=True)[: len(r[:k])]),
            "for {case} you return {got}; it should be {expected}. Your best ranking is only as long as the "
            "engine's list. An engine that returns few documents could have returned k.",
        ),
        Mistake(
            _ndcg(ideal=lambda r, g, k: list(g.values())[:k]),
            "for {case} you return {got}; it should be {expected}. Your best ranking is not sorted: the "
            "dictionary is in the order in which somebody judged. Largest grade first.",
        ),
        Mistake(
            _ndcg(ideal=lambda r, g, k: sorted(g.values())[:k]),
            "for {case} you return {got}; it should be {expected}. Your best ranking is sorted the wrong "
            "way: largest grade first (`reverse=True`).",
        ),
        Mistake(
            _ndcg(ideal=lambda r, g, k: [3] * k),
            "for {case} you return {got}; it should be {expected}. Your best ranking has grade 3 at every "
            "rank. The best *possible* one has only the judged documents.",
        ),
        Mistake(
            _ndcg(
                found=lambda r, g, k: _gains(r, g),
                ideal=lambda r, g, k: sorted(g.values(), reverse=True),
            ),
            "for {case} you return {got}; it should be {expected}. You never cut at k: only the first k "
            "ranks count, above the line and below.",
        ),
        Mistake(
            _ndcg(found=lambda r, g, k: _gains(r, g)),
            "for {case} you return {got}; it should be {expected}. You add up the whole ranking, not its "
            "first k.",
        ),
        Mistake(
            _ndcg(found=lambda r, g, k: [g[d] for d in r if d in g][:k]),
            "for {case} you return {got}; it should be {expected}. Documents without a judgement vanish "
            "from your ranking, and what stands below them moves up. They have grade 0 and keep their rank.",
        ),
        Mistake(
            _ndcg(found=lambda r, g, k: [g[d] for d in r[:k] if d in g]),
            "for {case} you return {got}; it should be {expected}. Documents without a judgement vanish "
            "from your ranking, and what stands below them moves up. They have grade 0 and keep their rank.",
        ),
        Mistake(
            _ndcg(found=lambda r, g, k: sorted(_gains(r, g)[:k], reverse=True)),
            "for {case} you return {got}; it should be {expected}. You sort what was found before you add "
            "it up, so that its order does not matter any more.",
        ),
        Mistake(
            _ndcg(
                found=lambda r, g, k: _gains(r, g),
                ideal=lambda r, g, k: sorted(_gains(r, g), reverse=True),
            ),
            "for {case} you return {got}; it should be {expected}. Your best ranking is still made of what the "
            "engine has found: what it missed is forgiven. And nothing is cut at k.",
        ),
        *(
            Mistake(
                _ndcg(gain=exponential, ideal=ideal),
                "for {case} you return {got}; it should be {expected}, by two mistakes. First, that is the exponential "
                f"gain, 2^g - 1; the linear one is the grade itself. Second, {says}.",
            )
            for ideal, says in (
                (
                    lambda r, g, k: sorted(_gains(r, g)[:k], reverse=True),
                    "your best ranking is made of what the engine has found",
                ),
                (
                    lambda r, g, k: sorted(g.values(), reverse=True),
                    "your best ranking is not cut at k",
                ),
                (lambda r, g, k: list(g.values())[:k], "your best ranking is not sorted"),
            )
        ),
        Mistake(
            _ndcg(gain=exponential),
            "for {case} you return {got}; it should be {expected}. That is the exponential gain, 2^g - 1; "
            "the task asks for the linear one, the grade itself.",
        ),
        Mistake(
            _ndcg(gain=lambda g: float(g > 0)),
            "for {case} you return {got}; it should be {expected}. You count every grade above 0 as 1. "
            "Grade 3 is worth three times grade 1.",
        ),
        Mistake(
            _ndcg(gain=lambda g: float(g >= 2)),
            "for {case} you return {got}; it should be {expected}. You count the grades 2 and 3 as 1 and grade 1 "
            "as 0. The gain is the grade itself.",
        ),
        Mistake(
            _ndcg(discount=lambda rank: 1.0),
            "for {case} you return {got}; it should be {expected}. Nothing is divided by log₂(1 + rank), "
            "so that rank k counts as much as rank 1.",
        ),
        Mistake(
            _ndcg(discount=float),
            "for {case} you return {got}; it should be {expected}. You divide by the rank; divide by "
            "log₂(1 + rank), which grows more slowly.",
        ),
        Mistake(
            _ndcg(discount=lambda rank: math.log2(2 + rank)),
            "for {case} you return {got}; it should be {expected}. Your ranks are one too large: the first "
            "is divided by log₂(2) = 1, so count ranks from 1 (or add 2 to places counted from 0).",
        ),
        Mistake(
            _ndcg(discount=lambda rank: 1 + math.log2(rank)),
            "for {case} you return {got}; it should be {expected}. You divide by 1 + log₂(rank); the task "
            "has log₂(1 + rank).",
        ),
        Mistake(
            _ndcg(discount=_old_discount),
            "for {case} you return {got}; it should be {expected}. You divide by log₂(rank) and leave rank "
            "1 alone. The task has log₂(1 + rank).",
        ),
        Mistake(
            lambda r, g, k: 0.0 if len(r) < k else ndcg_at_k(r, g, k),
            "for {case} you return {got}; it should be {expected}. A list with fewer than k documents still has "
            "its gains: ranks that hold nothing add nothing.",
        ),
        Mistake(
            lambda r, g, k: ndcg_at_k(r, g, k - 1),
            "for {case} you return {got}; it should be {expected}. You stop at rank k - 1, above the line and "
            "below. `range(1, k)` ends before k.",
        ),
        Mistake(
            _ndcg(found=lambda r, g, k: [g.get(d, 1) for d in r[:k]]),
            "for {case} you return {got}; it should be {expected}. A document that was not judged counts as "
            "grade 1. It has grade 0.",
        ),
        Mistake(
            _ndcg(found=lambda r, g, k: _gains(r, g)[: k - 1]),
            "for {case} you return {got}; it should be {expected}. Rank k is missing from your sum.",
        ),
        Mistake(
            _ndcg(found=lambda r, g, k: _gains(r, g)[:1]),
            "for {case} you return {got}; it should be {expected}. Only rank 1 is in your sum. Is the `return` inside "
            "the loop?",
        ),
        Mistake(
            lambda r, g, k: ndcg_at_k(r, g, min(k, len(g))),
            "for {case} you return {got}; it should be {expected}. You make k smaller where fewer documents were "
            "judged. The list found is k long all the same.",
        ),
        Mistake(
            lambda r, g, k: 100 * ndcg_at_k(r, g, k),
            "for {case} you return {got}, which is in per cent; it should be {expected}.",
        ),
        Mistake(
            _ndcg(found=lambda r, g, k: _gains(r, g)[: k + 1]),
            "for {case} you return {got}; it should be {expected}. Your sum goes one rank too far, to k + 1.",
        ),
        Mistake(
            lambda r, g, k: _dcg(_gains(r, g)[:k]),
            "for {case} you return {got}; it should be {expected}. This is the DCG: divide it by that of the "
            "best ranking possible.",
        ),
        Mistake(
            lambda r, g, k: _dcg(_gains(r, g)[:k]) / sum(sorted(g.values(), reverse=True)[:k]),
            "for {case} you return {got}; it should be {expected}. You divide by the sum of the grades; the "
            "grades of the best ranking are divided by log₂(1 + rank), too.",
        ),
        Mistake(
            lambda r, g, k: 1 / ndcg_at_k(r, g, k),
            "for {case} you return {got}: upside down. What was found stands above the line.",
        ),
        Mistake(
            lambda r, g, k: ndcg_at_k(r, g, k) / math.log(2),
            "for {case} you return {got}; it should be {expected}. Above the line you take the natural "
            "logarithm (`math.log`), below it that to base 2. Either will do, but the same in both places.",
        ),
        Mistake(
            _ndcg(ideal=lambda r, g, k: sorted(set(g.values()), reverse=True)[:k]),
            "for {case} you return {got}; it should be {expected}. Your best ranking has each grade once. Two "
            "documents of grade 2 are two.",
        ),
        *(
            Mistake(
                lambda r, g, k, fixed=fixed: ndcg_at_k(r, g, fixed),
                "for {case} you return {got}; it should be {expected}. "
                f"You cut at {fixed} whatever k is: is it written into the function?",
            )
            for fixed in (10, 3, 5)
        ),
    ]
    try:
        judge(answer, cases, ndcg_at_k, mistakes, read=number)
    except Wrong as wrong:
        if "KeyError" in str(wrong):
            raise Wrong(
                f"{wrong}\nA document that was not judged is not in `grades`: it has grade 0, "
                "`grades.get(document, 0)`."
            ) from None
        if "ZeroDivisionError" in str(wrong) and "log" in str(wrong):
            raise Wrong(
                f"{wrong}\nlog₂(1) is 0. Does your count of the ranks begin at 0? The first rank is 1, and it "
                "is divided by log₂(1 + 1)."
            ) from None
        if "IndexError" in str(wrong):
            raise Wrong(
                f"{wrong}\nThere can be fewer than k documents in the ranking, and fewer than k judged ones. "
                "A slice, `[:k]`, takes as many as there are."
            ) from None
        raise
    nothing = [
        Case((["a", "b"], {"a": 0, "c": 0}, 2), "judged documents that all have grade 0"),
        Case((["a", "b"], {}, 3), "a query for which nothing was judged"),
    ]
    for case in nothing:
        try:
            found = answer(*case.arguments)
        except Wrong as wrong:
            if "ZeroDivision" in str(wrong):
                raise Wrong(
                    f"right so far, but for {case} it divides by zero: there is nothing to be found. The "
                    "task asks for 0 there."
                ) from None
            raise
        if found is None or (isinstance(found, (float, np.floating)) and math.isnan(found)):
            raise Wrong(
                f"right so far, but for {case} you return {describe(found)}. The task asks for 0."
            )
        if number(found) != 0:
            raise Wrong(
                f"right so far, but for {case} you return {describe(found)}. There is nothing to be "
                "found, and the task asks for 0."
            )
    judge(
        answer,
        [
            Case(([], {"a": 1}, 2), "an empty ranking"),
            Case((["x", "y"], {"a": 1, "b": 3}, 2), "a ranking without any judged document"),
            Case((["a", "b", "c"], {"c": 1, "b": 2, "a": 3}, 2), "a perfect ranking"),
            Case((["x", "b", "a"], {"a": 1, "b": 1}, 3), "judged documents that all have grade 1"),
        ],
        ndcg_at_k,
        read=number,
    )
    return "right: the same ruler for every engine, made of all there was to find."


# 7.3


def roc_auc(scores: np.ndarray, same: np.ndarray) -> float:
    """Return the chance that a pair with the same meaning scores higher than one without."""
    alike, different = scores[same][:, None], scores[~same][None, :]
    return float((alike > different).mean() + (alike == different).mean() / 2)


def choose_model(scores_by_model: dict, same: np.ndarray, choose: np.ndarray) -> tuple[str, float]:
    """Return the model with the highest AUC where `choose`, and its AUC where not."""
    return _chosen(scores_by_model, same, choose, ~choose)


def _chosen(models, same, chooses, tests, measure=roc_auc, best=max, report=None):
    """Return the best model on the pairs `chooses` and its measure on the pairs `tests`."""
    winner = best(models, key=lambda name: measure(models[name][chooses], same[chooses]))
    return winner, (report or measure)(models[winner][tests], same[tests])


def _all(choose):
    return np.ones_like(choose)


def _first_rows(choose):
    return np.arange(len(choose)) < choose.sum()


def _middle(choose):
    return np.arange(len(choose)) < len(choose) // 2


def _ties_lost(scores, same):
    return float((scores[same][:, None] > scores[~same][None, :]).mean())


def _ties_won(scores, same):
    return float((scores[same][:, None] >= scores[~same][None, :]).mean())


def _accuracy(scores, same):
    return float(((scores >= 0.5) == same).mean())


def _average_precision_of(scores, same):
    return float(np.mean([same[scores >= score].mean() for score in scores[same]]))


def _correlation(scores, same):
    return float(np.corrcoef(scores, same)[0, 1])


def _gap(scores, same):
    return float(scores[same].mean() - scores[~same].mean())


def _best_on_test(models, same, choose):
    winner, _ = choose_model(models, same, choose)
    return winner, max(roc_auc(scores[~choose], same[~choose]) for scores in models.values())


def _reads_choice(value) -> tuple[str, float]:
    if isinstance(value, str):
        raise Wrong(f"you return the text {value!r} alone. Return two things: `return name, auc`.")
    if isinstance(value, (float, np.floating)):
        raise Wrong(
            f"you return the number {describe(value)} alone. Return two things: `return name, auc`."
        )
    if isinstance(value, dict):
        raise Wrong("you return a dictionary; the task asks for two things: `return name, auc`.")
    items = sequence(value)
    if len(items) != 2:
        raise Wrong(f"you return {describe(value)}; the task asks for two things, name and AUC.")
    name, auc = items
    if isinstance(auc, str) and not isinstance(name, str):
        raise Wrong(f"you return {describe(value)}: first the name, then the AUC.")
    if not isinstance(name, str):
        raise Wrong(f"the first thing that you return is {describe(name)}, not a model's name.")
    return name, number(auc, "the AUC that you return")


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
def exercise_7_3(answer: Answer) -> str:
    """Chosen on one half, reported on the other."""
    cases = [
        _models_case(*args)
        for args in ((1, 5, 60), (2, 8, 51), (3, 3, 44), (4, 12, 80), (5, 6, 57), (6, 9, 70))
    ]
    cases += [_turned_case(7, 4, 64), _tied_case(22, 4, 62), _outlier_case(4, 5, 58)]

    def lowest(models, key):
        return min(models, key=key)

    def farthest_from_chance(models, key):
        return max(models, key=lambda name: abs(key(name) - 0.5))

    mistakes = [
        Mistake(
            lambda m, s, c: _chosen(m, s, _all(c), _all(c)),
            "for {case} you return {got}. You choose on all pairs and report on all pairs: that is "
            "what the colleague did. The figure has seen the choice.",
        ),
        Mistake(
            lambda m, s, c: _chosen(m, s, c, c),
            "for {case} you return {got}. The right model, but its AUC is that on the pairs that chose it, where "
            "luck chose with you. On the other pairs it is {expected}.",
        ),
        Mistake(
            lambda m, s, c: _chosen(m, s, ~c, ~c),
            "for {case} you return {got}. You take the model that is best on the *test* pairs, and report it "
            "there: the other half is never used, and the figure is too good.",
        ),
        Mistake(
            lambda m, s, c: _chosen(m, s, _all(c), ~c),
            "for {case} you return {got}; it should be {expected}. You choose on *all* pairs. The test pairs have "
            "had their say in the choice: they have leaked.",
        ),
        Mistake(
            lambda m, s, c: _chosen(m, s, c, _all(c)),
            "for {case} you return {got}; it should be {expected}. The AUC that you report is over all pairs, the "
            "ones that chose the model included. Only the others count.",
        ),
        Mistake(
            lambda m, s, c: _chosen(m, s, ~c, c),
            "for {case} you return {got}; it should be {expected}. The halves have changed places: True in "
            "`choose` marks the pairs that choose.",
        ),
        Mistake(
            _best_on_test,
            "for {case} you return {got}; it should be {expected}. The name is that of the chosen model, the AUC "
            "is the best of *all* models on the test pairs. Report the chosen one's.",
        ),
        Mistake(
            lambda m, s, c: _chosen(m, s, c, ~c, best=lowest),
            "for {case} you return {got}: the model with the *lowest* AUC on the pairs that choose. The highest "
            "is best.",
        ),
        Mistake(
            lambda m, s, c: _chosen(m, s, c, ~c, best=farthest_from_chance),
            "for {case} you return {got}; it should be {expected}. You choose the AUC that is farthest from 0.5. Below "
            "0.5 a model is worse than dice: the highest is best.",
        ),
        Mistake(
            lambda m, s, c: _chosen(m, s, c, ~c, measure=_ties_lost),
            "for {case} you return {got}; it should be {expected}. In your AUC a tie counts nothing; it counts half.",
        ),
        Mistake(
            lambda m, s, c: _chosen(m, s, c, ~c, measure=_ties_won),
            "for {case} you return {got}; it should be {expected}. In your AUC a tie counts fully; it counts half.",
        ),
        Mistake(
            lambda m, s, c: _chosen(m, s, c, 1 - c),
            "for {case} you return {got}; it should be {expected}. `1 - choose` holds the whole numbers 0 and 1, which "
            "pick the first two pairs again and again. The other pairs are `~choose`.",
        ),
        Mistake(
            lambda m, s, c: _chosen(m, s, _first_rows(c), ~_first_rows(c)),
            "for {case} you return {got}; it should be {expected}. You cut the pairs at a place in the list. The "
            "halves are mixed: `scores[choose]` picks the right rows.",
        ),
        Mistake(
            lambda m, s, c: _chosen(m, s, _middle(c), ~_middle(c)),
            "for {case} you return {got}; it should be {expected}. You cut the list in the middle. The array "
            "`choose` says which pairs choose: `scores[choose]`.",
        ),
        Mistake(
            lambda m, s, c: (choose_model(m, s, c)[0], 1 - choose_model(m, s, c)[1]),
            "for {case} you return {got}; it should be {expected}. Your AUC is upside down: pairs with the same "
            "meaning should score higher.",
        ),
        Mistake(
            lambda m, s, c: _chosen(m, s, c, ~c, measure=_accuracy),
            "for {case} you return {got}; it should be {expected}. This is the accuracy at a threshold of 0.5. "
            "`roc_auc` is given, and needs no threshold.",
        ),
        Mistake(
            lambda m, s, c: _chosen(m, s, c, ~c, measure=_accuracy, report=roc_auc),
            "for {case} you return {got}; it should be {expected}. You choose by accuracy at 0.5; choose by AUC.",
        ),
        Mistake(
            lambda m, s, c: _chosen(m, s, c, ~c, report=_accuracy),
            "for {case} you return {got}; it should be {expected}. The model is right; what you report is its "
            "accuracy at 0.5, not its AUC.",
        ),
        *(
            Mistake(
                lambda m, s, c, pairs=pairs: _chosen(m, s, *pairs(c), measure=_accuracy),
                "for {case} you return {got}; it should be {expected}, by two mistakes. First, this is the accuracy at a "
                f"threshold of 0.5, not the AUC. Second, {says}.",
            )
            for pairs, says in (
                (lambda c: (_all(c), _all(c)), "all pairs choose, and all pairs report"),
                (lambda c: (c, c), "you report on the pairs that chose"),
                (lambda c: (_all(c), ~c), "all pairs choose"),
            )
        ),
        Mistake(
            lambda m, s, c: _chosen(m, s, c, ~c, measure=_average_precision_of),
            "for {case} you return {got}; it should be {expected}. This is the average precision; the task asks "
            "for the AUC, in the choice and in the report.",
        ),
        Mistake(
            lambda m, s, c: _chosen(m, s, c, ~c, measure=_correlation, report=roc_auc),
            "for {case} you return {got}; it should be {expected}. You choose by correlation; choose by AUC.",
        ),
        Mistake(
            lambda m, s, c: _chosen(m, s, c, ~c, measure=_gap, report=roc_auc),
            "for {case} you return {got}; it should be {expected}. You choose by the distance of the two means. "
            "A model that only spreads its scores more widely wins that; choose by AUC.",
        ),
        Mistake(
            lambda m, s, c: _chosen(
                m, s, c, ~c, measure=lambda scores, same: float(scores.mean()), report=roc_auc
            ),
            "for {case} you return {got}; it should be {expected}. You choose the model with the highest "
            "*scores*. High scores are no merit; choose by AUC.",
        ),
        Mistake(
            lambda m, s, c: _chosen(
                m,
                s,
                c,
                ~c,
                best=lambda names, key: max(
                    names, key=lambda n: (roc_auc(m[n][c], s[c]) + roc_auc(m[n][~c], s[~c])) / 2
                ),
            ),
            "for {case} you return {got}; it should be {expected}. You choose by the mean of both halves. The "
            "test pairs have had their say in the choice: they have leaked.",
        ),
        Mistake(
            lambda m, s, c: (max(m), roc_auc(m[max(m)][~c], s[~c])),
            "for {case} you return {got}: `max` of the dictionary without a key is the last *name* in the "
            "alphabet. Give it `key=`, the AUC on the pairs that choose.",
        ),
        Mistake(
            lambda m, s, c: (next(iter(m)), roc_auc(m[next(iter(m))][~c], s[~c])),
            "for {case} you return {got}, the first model of the dictionary. Is `return` inside the loop, or the "
            "best AUC never compared?",
        ),
        Mistake(
            lambda m, s, c: (list(m)[-1], roc_auc(list(m.values())[-1][~c], s[~c])),
            "for {case} you return {got}, the last model of the dictionary. Does your loop keep the winner, or "
            "what came last?",
        ),
        Mistake(
            lambda m, s, c: (choose_model(m, s, c)[0], roc_auc(list(m.values())[-1][~c], s[~c])),
            "for {case} you return {got}; it should be {expected}. The name is right, the AUC is that of the last "
            "model in the dictionary: a variable left over from the loop?",
        ),
        Mistake(
            lambda m, s, c: (list(m).index(choose_model(m, s, c)[0]), choose_model(m, s, c)[1]),
            "you return the place of the model in the dictionary, {got}. Return its name.",
        ),
        Mistake(
            lambda m, s, c: {choose_model(m, s, c)[0]: choose_model(m, s, c)[1]},
            "you return a dictionary; the task asks for two things: `return name, auc`.",
        ),
    ]
    judge(answer, cases, choose_model, mistakes, read=_reads_choice)
    return "right: one half chooses, the other has the last word, and says it once."


def _models_case(seed: int, models: int, pairs: int) -> Case:
    """Return models of which those that look good where they are chosen are not those that are."""
    rng = np.random.default_rng(730 + seed)
    same = rng.uniform(size=pairs) < 0.4
    choose = rng.uniform(size=pairs) < 0.45
    names = [f"model {letter}" for letter in rng.permutation(list("abcdefghijklmnop"))[:models]]
    by_name = {}
    for name in names:
        signal = np.where(choose, rng.uniform(0.0, 1.5), rng.uniform(0.0, 1.5)) * same
        scores = rng.normal(size=pairs) + signal
        by_name[str(name)] = rng.uniform(0.2, 0.7) + scores * rng.uniform(0.03, 0.2)
    return Case(
        (by_name, same, choose), f"{models} models on {pairs} pairs, {choose.sum()} of which choose"
    )


def _turned_case(seed: int, models: int, pairs: int) -> Case:
    """Return models that are all worse than chance, in both halves."""
    (by_name, same, choose), words = _models_case(seed, models, pairs).arguments, "all below 0.5"
    lowered = {name: scores - 0.5 * same for name, scores in by_name.items()}
    return Case((lowered, same, choose), f"{models} models on {pairs} pairs, {words}")


def _tied_case(seed: int, models: int, pairs: int) -> Case:
    """Return models of which one scores in whole steps, so that many of its scores are equal."""
    by_name, same, choose = _models_case(seed, models, pairs).arguments
    winner, _ = choose_model(by_name, same, choose)
    low, high = by_name[winner].min(), by_name[winner].max()
    stepped = np.round(3 * (by_name[winner] - low) / (high - low)) / 4
    tied = by_name | {winner: stepped}
    return Case((tied, same, choose), f"{models} models on {pairs} pairs, one with equal scores")


def _outlier_case(seed: int, models: int, pairs: int) -> Case:
    """Return models of which the best has one pair far outside, which spoils all but its order."""
    by_name, same, choose = _models_case(seed, models, pairs).arguments
    winner, _ = choose_model(by_name, same, choose)
    scores = by_name[winner].copy()
    place = np.flatnonzero(same & choose)[np.argmin(scores[same & choose])]
    scores[place] = scores.min() - 8
    spoilt = by_name | {winner: scores}
    return Case((spoilt, same, choose), f"{models} models on {pairs} pairs, one score far outside")


# 7.4


def _interval(differences: np.ndarray, rng, resamples: int = 2000) -> tuple[float, float]:
    drawn = rng.integers(len(differences), size=(resamples, len(differences)))
    low, high = np.percentile(differences[drawn].mean(axis=1), [2.5, 97.5])
    return float(low), float(high)


def _width(interval: tuple[float, float]) -> float:
    return interval[1] - interval[0]


def _claims_tested() -> dict[str, tuple[bool, str]]:
    """Put each claim to a test on values drawn at random, and return its verdict with what was
    seen.
    """
    rng = np.random.default_rng(74)
    n = 100
    hardness = rng.normal(0.5, 0.3, size=n)
    b = np.clip(hardness + rng.normal(0, 0.1, size=n), 0, 1)
    a = np.clip(b + rng.normal(0.07, 0.18, size=n), 0, 1)
    d = a - b
    plain, own_a, own_b = (_interval(x, rng) for x in (d, a, b))
    twice = _interval(np.tile(d, 2), rng)
    more_queries = _interval(np.clip(rng.normal(d.mean(), d.std(), size=4 * n), -1, 1), rng)
    more_resamples = _interval(d, rng, 8000)
    better = float((d > 0).mean())
    by_luck = 1 - 0.95**20
    # a true lead of 0.05, and a sample whose interval holds 0 all the same
    leads = (rng.normal(0.05, 0.3, size=n) for _ in range(100))
    missed = next(i for i in (_interval(x, rng, 500) for x in leads) if -0.03 < i[0] < 0)
    in_per_cent = tuple(100 * end for end in plain)
    return {
        "a": (
            bool(missed[0] > 0),
            f"In a test with a true lead of 0.05, a sample gave {missed[0]:+.2f} to {missed[1]:+.2f}. "
            "The interval holds 0, and it holds the lead as well: it shows neither.",
        ),
        "b": (
            bool(better >= 0.95),
            f"In a test the interval was {plain[0]:+.2f} to {plain[1]:+.2f}, and A was better for "
            f"{100 * better:.0f} % of the queries. The interval is about the mean.",
        ),
        "c": (
            bool(own_b[1] > own_a[0] and plain[0] > 0),
            f"In a test A had {own_a[0]:.2f} to {own_a[1]:.2f} and B {own_b[0]:.2f} to {own_b[1]:.2f}; "
            f"the paired difference had {plain[0]:+.2f} to {plain[1]:+.2f}. Hard queries are hard for "
            "both, and that cancels.",
        ),
        "d": (
            bool(_width(twice) < 0.8 * _width(plain)),
            f"In a test the copies made it {_width(twice) / _width(plain):.2f} times as wide: the "
            "bootstrap takes them for new queries.",
        ),
        "e": (
            bool(0.4 < _width(more_queries) / _width(plain) < 0.6),
            f"In a test it was {_width(more_queries) / _width(plain):.2f} times as wide: the width "
            "shrinks with the square root of the number of queries.",
        ),
        "f": (
            bool(_width(more_resamples) < 0.7 * _width(plain)),
            f"In a test it was {_width(more_resamples) / _width(plain):.2f} times as wide. Resamples are "
            "arithmetic; only queries are knowledge.",
        ),
        "g": (
            by_luck > 0.5,
            f"Each comes out so in about 1 of 20 cases by luck; at least one of twenty: 1 - 0.95²⁰ = "
            f"{by_luck:.2f}.",
        ),
        "h": (
            bool((in_per_cent[0] > 0) != (plain[0] > 0)),
            "All differences and both ends are multiplied by 100. An end that was below 0 stays below 0.",
        ),
    }


@exercise(
    "7.4",
    level=2,
    title="What an interval says",
    names=["claims"],
    hints=[
        "For each claim ask: is it about the mean or about single queries? Is there new knowledge in it?",
        "a and b read something into the interval that is not in it. For d, e and f: which of them "
        "brings the bootstrap *more values to draw from*?",
        "Test d, e and f: draw differences with `rng.normal(0.05, 0.3, size=100)` and bootstrap their mean. "
        "For g, `1 - 0.95**20`.",
    ],
)
def exercise_7_4(claims: dict) -> str:
    """Each claim is tested on values drawn here and now."""
    tested = _claims_tested()
    judge_claims(claims, tested)
    evidence = "\n".join(f"{letter} · {seen}" for letter, (_, seen) in tested.items())
    return f"right, all eight. The evidence:\n{evidence}"


# 7.5

#: Ends of an interval may differ by this part of the resampled means' standard deviation: about four
#: times what chance does with `RESAMPLES`, and two thirds of what a 90 % interval differs by.
ENDS = 0.2
RESAMPLES = 4000
VERDICTS = ("first", "second", "not established")


def compare(
    first: dict, second: dict, resamples: int, seed: int
) -> tuple[float, float, float, str]:
    """Return the mean difference, the ends of its 95 % interval by the paired bootstrap, and who is
    better.
    """
    differences = _paired(first, second)
    low, high = _interval(differences, np.random.default_rng(seed), resamples)
    return float(differences.mean()), low, high, _verdict(low, high)


def _paired(first: dict, second: dict) -> np.ndarray:
    return np.array([first[query] - second[query] for query in first])


def _verdict(low: float, high: float) -> str:
    return "first" if low > 0 else "second" if high < 0 else "not established"


def _means(differences: np.ndarray, size: int | None = None, draws: int = 20_000) -> np.ndarray:
    """Return the means of many samples drawn with replacement; the check's own, so always alike."""
    rng = np.random.default_rng(75)
    drawn = rng.integers(len(differences), size=(draws, size or len(differences)))
    return differences[drawn].mean(axis=1)


def _ends(values: np.ndarray, low: float = 2.5, high: float = 97.5) -> tuple[float, float]:
    return tuple(float(end) for end in np.percentile(values, [low, high]))


def _around(middle: float, half: float) -> tuple[float, float]:
    return middle - half, middle + half


def _other_intervals(first: dict, second: dict):
    """Yield intervals that a mistake would give, each with its diagnosis; the nearest one is meant."""
    d = _paired(first, second)
    a, b = np.array(list(first.values())), np.array(list(second.values()))
    in_order = np.array([second[query] for query in first])
    means = _means(d)
    se, n = float(means.std()), len(d)
    unpaired = _means(a, draws=5000) - _means(b[::-1], draws=5000)[::-1]
    own_a, own_b = _ends(_means(a, draws=5000)), _ends(_means(b, draws=5000))
    by_value = np.sort(a) - np.sort(b)
    z = 1.96
    yield (
        _ends(_means(a - b, draws=5000)),
        "you match the values by their place. The dictionaries hold the same queries in another order, so "
        "that you subtract values of *different* queries (the mean does not notice). Match by key: "
        "`second[query] for query in first`.",
    )
    yield (
        _ends(unpaired),
        "you draw the queries of the two systems separately. Paired means: one draw of queries, and both "
        "systems' values for those. What makes a query hard for both then cancels out.",
    )
    yield (
        (own_a[0] - own_b[1], own_a[1] - own_b[0]),
        "you subtract the ends of two intervals, one for each system. Draw queries, take the mean difference of "
        "each sample, and then one interval of those.",
    )
    yield (
        tuple(np.subtract(own_a, _ends(_means(in_order, draws=5000)))),
        "you subtract the two low ends, and the two high ends, of one interval for each system. Draw queries, take "
        "the mean difference of each sample, and then one interval of those.",
    )
    yield (
        _ends(_means(by_value, draws=5000)),
        "you sort the values before you pair them. A pair is the two values of the same query.",
    )
    yield (
        _ends(means, 5, 95),
        "that is about the 90 % interval: 5 % left out on either side. For 95 % leave out 2.5 % on either.",
    )
    yield (
        _ends(means, 0.5, 99.5),
        "that is about the 99 % interval. The task asks for the 2.5th and 97.5th percentile.",
    )
    yield (
        _ends(means, 1, 99),
        "that is about the 98 % interval. The task asks for the 2.5th and 97.5th percentile.",
    )
    yield (
        _ends(n * means),
        "these are percentiles of the samples' *sums*. Take the mean of each sample.",
    )
    yield (
        _ends(means, 2.5, 95),
        "the upper end is the 95th percentile. 2.5 % are to be left out on either side: 2.5 and 97.5.",
    )
    yield (
        _ends(means, 5, 97.5),
        "the lower end is the 5th percentile. 2.5 % are to be left out on either side: 2.5 and 97.5.",
    )
    yield (
        _ends(means, 25, 75),
        "that is about the middle half of the resampled means (25th to 75th percentile). 95 % go from "
        "2.5 to 97.5.",
    )
    yield (
        _ends(means, 0.025, 0.975),
        "the ends lie far out on one side. `np.percentile` counts in per cent: 2.5 and 97.5, not 0.025 and "
        "0.975 (those are for `np.quantile`).",
    )
    yield (
        _ends(d),
        "these are percentiles of the differences of single queries. They show how queries vary; the "
        "interval of the *mean* is much narrower: take the mean of each sample first.",
    )
    yield (
        _around(d.mean(), z * d.std()),
        "your interval is made with the standard deviation of the single differences. That of their *mean* "
        "is smaller by the root of the number of queries. (And the task asks for percentiles.)",
    )
    yield (
        _around(d.mean(), z * se),
        "your interval has the observed difference exactly in its middle: 1.96 standard errors on either "
        "side, it seems. The task asks for percentiles of the resampled means; where the differences are "
        "lopsided, so are they.",
    )
    yield (
        _around(d.mean(), se),
        "your interval is one standard error on either side; that holds 68 %, not 95 %. Take the "
        "percentiles 2.5 and 97.5.",
    )
    yield (
        tuple(2 * d.mean() - end for end in _ends(means)[::-1]),
        "your interval is mirrored at the difference: 2 · difference minus the percentiles. That is another kind "
        "of bootstrap; the task asks for the percentiles themselves.",
    )
    yield (
        tuple(end - d.mean() for end in _ends(means)),
        "your interval lies round 0, not round the difference: what was resampled is centred. Resample "
        "the differences as they are.",
    )
    yield (
        tuple(-end for end in _ends(means)[::-1]),
        "your interval is that of `second` minus `first`; the difference is `first` minus `second`.",
    )
    yield (
        _ends(_means(in_order, draws=5000)),
        "this is an interval for `second` alone, not for the difference.",
    )
    yield (
        _ends(_means(a, draws=5000)),
        "this is an interval for `first` alone, not for the difference.",
    )
    yield (
        _ends(_means(d, 10 * n, 2000)),
        "your interval is too narrow. Do your samples hold more queries than there are? As many, no more.",
    )
    for shortened in (d[:-1], np.array([first[q] - second[q] for q in list(second)[:-1]])):
        yield (
            _ends(_means(shortened, n, 5000)),
            "one query is never drawn. `rng.integers(n)` ends at n - 1 by itself; do not subtract another 1.",
        )
    flips = np.random.default_rng(6).choice([-1, 1], size=(5000, n))
    yield (
        _ends((flips * d).mean(axis=1)),
        "your interval lies round 0. You flip signs at random; that is a test of its own. The bootstrap "
        "draws queries and leaves their differences as they are.",
    )
    for part in (n // 2, 10):
        if 0 < part < n:
            yield (
                _ends(_means(d, part, 5000)),
                "your interval is too wide. Do your samples hold fewer queries than there are? As many, no fewer.",
            )
    yield (
        _ends(np.median(d[np.random.default_rng(5).integers(n, size=(4000, n))], axis=1)),
        "these are percentiles of the samples' *medians*. The task asks for their means.",
    )


def _reads_comparison(value, case: str) -> tuple[float, float, float, str]:
    what = "difference, low, high, verdict"
    if isinstance(value, dict):
        raise Wrong(f"you return a dictionary. Return four things: {what}.")
    if isinstance(value, (str, float, np.floating)):
        raise Wrong(f"you return {describe(value)} alone. Return four things: {what}.")
    items = sequence(value)
    if len(items) == 3 and np.shape(items[1]) == (2,):
        raise Wrong(
            f"low and high come as a pair inside of what you return. Return four things: {what}."
        )
    if len(items) != 4:
        raise Wrong(f"you return {len(items)} things; the task asks for four: {what}.")
    if isinstance(value, np.ndarray) and value.dtype.kind in "US":
        raise Wrong(f"an array has turned your numbers into text. Return a tuple: {what}.")
    *numbers, verdict = items
    if isinstance(items[0], str):
        raise Wrong(f"the text comes last: return {what}.")
    difference, low, high = (
        number(item, f"your `{name}`")
        for item, name in zip(numbers, ("difference", "low", "high"), strict=True)
    )
    if not isinstance(verdict, str):
        raise Wrong(
            f'your verdict is {describe(verdict)}. It is one of the texts "first", "second", "not established".'
        )
    if verdict not in VERDICTS:
        raise Wrong(
            f'your verdict is {verdict!r}; it is one of the texts "first", "second", "not established".'
        )
    if low > high:
        raise Wrong(
            f"for {case} `low` is {low:.3f} and `high` {high:.3f}: the smaller end comes first."
        )
    return difference, low, high, verdict


def _systems_case(seed: int, n: int, lead: float, tail: float, shift: int = 0) -> Case:
    """Return two systems on the same n queries: hard ones hard for both, a few lopsided
    differences, and in orders that make a match by place worse than one by chance; or, with
    a `shift`, the second in the order of the first, moved on by so many places.
    """
    rng = np.random.default_rng(750 + seed)
    hardness = rng.normal(0.5, 0.25, size=n)
    noise = rng.normal(0, 0.05, size=n)
    noise[rng.choice(n, size=max(1, n // 12), replace=False)] += tail
    noise -= noise.mean()
    names = [f"q{i}" for i in rng.permutation(n)]
    first = dict(zip(names, (hardness + noise + lead).tolist(), strict=True))
    second = dict(zip(names, hardness.tolist(), strict=True))
    up, down = sorted(names, key=first.get), sorted(names, key=second.get, reverse=True)
    if shift:
        down = up[shift:] + up[:shift]
    return Case(
        ({q: first[q] for q in up}, {q: second[q] for q in down}, RESAMPLES, seed),
        f"two systems on {n} queries",
    )


@exercise(
    "7.5",
    level=3,
    title="Am I sure?",
    names=["compare"],
    hints=[
        "First make one array: the difference of the two values for each query, matched by key. Everything else "
        "is about this array.",
        "`rng = np.random.default_rng(seed)`, and `rng.integers(n, size=(resamples, n))` draws the rows of all "
        "samples at once: `differences[drawn].mean(axis=1)` are the resampled means.",
        "`np.percentile(means, [2.5, 97.5])` gives low and high. Then: low > 0, or high < 0, or neither.",
    ],
    seconds=40,
)
def exercise_7_5(answer: Answer) -> str:
    """The right interval, within what chance does; the right verdict; `seed` and `resamples`
    used.
    """
    cases = [
        _systems_case(1, 40, 0.0513, 0.6),
        _systems_case(2, 18, -0.1617, 0.9),
        _systems_case(3, 60, 0.0314, 0.8),
        _systems_case(4, 50, 0.0287, 0.05, shift=4),
    ]
    seen = []
    for case in cases:
        raw = answer(*case.arguments)
        if raw is None:
            told = (
                "prints its result and"
                if answer.printed_instead
                else "has a path without `return`, or"
            )
            raise Wrong(f"`{answer.name}` {told} returns None. End it with `return`.")
        seen.append((case, _reads_comparison(raw, str(case))))
    _judge_differences([(case, found[0]) for case, found in seen])
    for digits in (2, 3):
        if all(found[i] == round(found[i], digits) for _, found in seen for i in (1, 2)):
            raise Wrong(f"low and high are rounded to {digits} digits. Round when you print.")
    _judge_intervals(answer, seen)
    for case, found in seen:
        _judge_verdict(case, found)
    _judge_corners(answer)
    _judge_size(answer)
    _judge_seed_and_resamples(answer, cases[0])
    return "right: paired by query, and sure only when the interval says so."


def _judge_differences(seen: list[tuple[Case, float]]) -> None:
    """Compare every difference with the right one; name the mistake that explains them all."""
    pairs = [(case, found, _paired(*case.arguments[:2])) for case, found in seen]
    wrong = [(case, found, d) for case, found, d in pairs if abs(found - d.mean()) > 1e-4]
    if not wrong:
        return
    case, found, d = wrong[0]
    shown = f"for {case} the difference is {found:.4f}; it should be {d.mean():.4f}."
    for value, says in (
        (lambda d: -d.mean(), "You subtract `first` from `second`."),
        (lambda d: abs(d.mean()), "It has lost its sign, which says who is better."),
        (np.median, "That is the median of the differences, not their mean."),
        (np.sum, "That is the sum of the differences; divide it by the number of queries."),
        (lambda d: np.abs(d).mean(), "That is the mean of the differences without their signs."),
        (lambda d: round(float(d.mean()), 2), "Round when you print."),
        (lambda d: round(float(d.mean()), 3), "Round when you print."),
    ):
        if all(abs(found - value(d)) < 1e-6 for _, found, d in pairs):
            raise Wrong(f"{shown} {says}")
    if all(abs(found - d.mean()) < _means(d).std() for _, found, d in wrong):
        raise Wrong(
            f"{shown} Is it the mean of the resampled means, or of one sample? The difference is the one "
            "observed, without any drawing."
        )
    raise Wrong(f"{shown} It is the mean of `first` minus the mean of `second`.")


def _judge_intervals(answer: Answer, seen: list) -> None:
    """Compare every interval with the right one; name the mistake that comes nearest in all."""
    wrong = []
    for case, (_, low, high, _) in seen:
        means = _means(_paired(*case.arguments[:2]))
        if _far((low, high), _ends(means), means.std()) > ENDS:
            wrong.append((case, low, high, means))
    if not wrong:
        return
    case, low, high, means = wrong[0]
    right = _ends(means)
    shown = f"for {case} your interval is {low:+.3f} to {high:+.3f}; it should be about {right[0]:+.3f} to {right[1]:+.3f}."
    if high - low < 1e-9:
        d = _paired(*case.arguments[:2])
        if abs(low - d.mean()) < 1e-6:
            raise Wrong(
                f"{shown} It has no width: all samples have the mean that was observed. Are they drawn *without* "
                "replacement? Then each holds every query once, in another order."
            )
        raise Wrong(
            f"{shown} It has no width: all samples are the same one. Is the generator made anew inside the loop, with "
            "the same seed each time? Make it once, above the loop."
        )
    tallies: list[tuple[float, str]] = []
    for others in zip(*(list(_other_intervals(*c.arguments[:2])) for c, *_ in wrong), strict=False):
        distances = [
            _far((lo, hi), interval, max(m.std(), (interval[1] - interval[0]) / 3.92))
            for (_, lo, hi, m), (interval, _) in zip(wrong, others, strict=True)
        ]
        tallies.append((max(distances), others[0][1]))
    nearest, says = min(tallies, key=lambda tally: tally[0])
    if nearest <= 0.25:
        raise Wrong(
            f"{shown} It looks as if {says}"
            if says.startswith("you ")
            else f"{shown} {says[0].upper()}{says[1:]}"
        )
    if all(_extreme(lo, hi, m) for _, lo, hi, m in wrong):
        raise Wrong(
            f"{shown} These look like the smallest and the largest of all resampled means. Take the 2.5th and "
            "97.5th percentile: the extremes move outwards the more samples are drawn."
        )
    if high - low < 0.4 * (right[1] - right[0]):
        raise Wrong(
            f"{shown} It is far too narrow. Is each mean taken over the queries of one sample (not over the samples, "
            "the other axis)? Is something divided by the root of the number of queries twice?"
        )
    _judge_resamples(answer, case)
    if high - low > 1.1 * (right[1] - right[0]):
        raise Wrong(
            f"{shown} It is too wide. Pair by query, draw as many as there are, take the mean of each sample, and of "
            "these the 2.5th and the 97.5th percentile."
        )
    if high - low < 0.9 * (right[1] - right[0]):
        raise Wrong(
            f"{shown} It is too narrow. Draw with replacement, as many queries as there are (one drawn twice counts "
            "twice), and use all `resamples`."
        )
    raise Wrong(f"{shown} Its width is right, its place is not.")


def _extreme(low: float, high: float, means: np.ndarray) -> bool:
    """Say whether the ends are where the smallest and largest of thousands of `means` lie."""
    inner, slack = _ends(means, 0.2, 99.8), means.std()
    return bool(means.min() - slack <= low <= inner[0] and inner[1] <= high <= means.max() + slack)


def _far(one: tuple, other: tuple, unit: float) -> float:
    return max(abs(a - b) for a, b in zip(one, other, strict=True)) / unit


def _judge_verdict(case: Case, found: tuple) -> None:
    difference, low, high, verdict = found
    right = _verdict(low, high)
    if verdict == right:
        return
    shown = f"for {case} your interval is {low:+.3f} to {high:+.3f} and your verdict {verdict!r}."
    if {verdict, right} == {"first", "second"}:
        better = "first" if difference > 0 else "second"
        raise Wrong(
            f"{shown} A difference of {difference:+.3f}, `first` minus `second`, says that {better!r} is better."
        )
    if right == "not established":
        raise Wrong(
            f"{shown} The interval holds 0, so that the sign of the difference is not established, whatever the mean says."
        )
    raise Wrong(f"{shown} The whole interval lies on one side of 0: {right!r} is better.")


def _judge_corners(answer: Answer) -> None:
    """Identical systems, a constant lead, one query."""
    values = {"q1": 0.25, "q2": 0.5, "q3": 1.0}
    again = dict(reversed(list(values.items())))
    found = _reads_comparison(answer(values, again, 200, 1), "two equal systems")
    if not np.allclose(found[:3], 0, atol=1e-4):
        raise Wrong(
            f"for two systems with the same values you return {describe(found)}; difference, low and high should be 0."
        )
    if found[3] != "not established":
        raise Wrong(
            f"for two systems with the same values, low and high 0, your verdict is {found[3]!r}. An end that is "
            'exactly 0 is "not established": `>` and `<`, not `>=` and `<=`.'
        )
    behind = {query: value + 0.5 for query, value in again.items()}
    for arguments, words, mean, verdict in (
        ((values, behind), "a `second` that is better by 0.5 everywhere", -0.5, "second"),
        ((behind, values), "a `first` that is better by 0.5 everywhere", 0.5, "first"),
        (
            ({"only": 0.75}, {"only": 0.25}),
            "a single query with the values 0.75 and 0.25",
            0.5,
            "first",
        ),
    ):
        found = _reads_comparison(answer(*arguments, 200, 1), words)
        if not np.allclose(found[:3], mean, atol=1e-4) or found[3] != verdict:
            raise Wrong(
                f"for {words} you return {describe(found)}; it should be {describe((mean, mean, mean, verdict))}."
            )


def _judge_size(answer: Answer) -> None:
    """Five queries of which one differs, by 1: every mean is a multiple of 1/5 if five are drawn, and
    one end of the interval is exactly 0; each of the five is the one in turn.
    """
    level = {"a": 0.5, "b": 1.0, "c": 0.25, "d": 0.75, "e": 0.0}
    for one in level:
        ahead = {query: value + (query == one) for query, value in level.items()}
        behind = dict(reversed(list(level.items())))
        for arguments, right, words in (
            ((ahead, behind), (0.0, 0.6), "low end"),
            ((behind, ahead), (-0.6, 0.0), "high end"),
        ):
            _, low, high, verdict = _reads_comparison(answer(*arguments, 1000, 4), "five queries")
            if abs(low) + abs(high) < 1e-9:
                raise Wrong(
                    "for five queries, of which one differs by 1, your interval is 0 to 0: that one is never drawn. It "
                    f"stands at place {list(arguments[0]).index(one)}, counted from 0. `rng.integers(n)` goes from 0 to n - 1."
                )
            if not np.allclose((low, high), right, atol=1e-4):
                raise Wrong(
                    f"for five queries, of which one differs by 1, your interval is {low:.3f} to {high:.3f}; it should be "
                    f"{right[0]:.1f} to {right[1]:.1f}. Do your samples hold another number of queries than there are? The mean "
                    "of five is a multiple of 0.2."
                )
            if verdict != "not established":
                raise Wrong(
                    f"for an interval of {low:+.3f} to {high:+.3f}, whose {words} is exactly 0, your verdict is "
                    f'{verdict!r}. It is "not established": 0 is not excluded.'
                )


def _judge_seed_and_resamples(answer: Answer, case: Case) -> None:
    first, second, *_ = case.arguments
    _judge_resamples(answer, case)
    ends = {
        _reads_comparison(answer(first, second, 50, seed), "50 resamples")[1:3]
        for seed in (0, 10_000, 20_000, 30_000)
    }
    if len(ends) == 1:
        raise Wrong(
            "with four different seeds you draw the very same samples. Is a seed written into the function? Make the "
            "generator from `seed`."
        )


def _judge_resamples(answer: Answer, case: Case) -> None:
    """Raise `Wrong` where a number of samples other than `resamples` shows."""
    first, second, *_ = case.arguments
    _, low, high, _ = _reads_comparison(answer(first, second, 1, 5), "one resample")
    if high - low > 1e-9:
        raise Wrong(
            f"with `resamples` = 1 there is one mean, and low and high are equal; you return {low:.4f} and {high:.4f}. "
            "Is the number of samples written into the function, or one more among them?"
        )
