"""Answers to practice 03, semantic search."""

import heapq
import itertools
from collections import defaultdict

import numpy as np
import pandas as pd

from . import Proof

# 3.1


def everything_sorted(scores, k):
    return np.argsort(scores)[::-1][:k]


def by_heap(scores, k):
    return heapq.nlargest(k, range(len(scores)), key=lambda row: scores[row])


def partition_from_the_end(scores, k):
    if k >= len(scores):
        return list(np.argsort(-scores))
    rows = np.argpartition(scores, -k)[-k:]
    return tuple(rows[np.argsort(scores[rows])[::-1]])


def taken_again_and_again(scores, k):
    left = scores.copy()
    for _ in range(min(k, len(scores))):
        yield int(left.argmax())
        left[left.argmax()] = -np.inf


def lesson_version(scores, k):
    candidates = np.argpartition(-scores, k)[:k]
    return candidates[np.argsort(-scores[candidates])]


def as_texts(scores, k):
    return [str(row) for row in np.argsort(-scores)[:k]]


def sorts_in_place(scores, k):
    rows = list(np.argsort(-scores)[:k])
    scores.sort()
    return rows


# 3.2


def filter_then_cut(scores, threshold, k):
    rows = np.flatnonzero(scores >= threshold)
    return rows[np.argsort(-scores[rows])][:k]


def plain_python(scores, threshold, k):
    found = [(score, row) for row, score in enumerate(scores.tolist()) if score >= threshold]
    return (row for _, row in sorted(found, reverse=True)[:k])


def words_when_silent(scores, threshold, k):
    rows = filter_then_cut(scores, threshold, k)
    return list(rows) if len(rows) else "nothing relevant here"


def a_mask(scores, threshold, k):
    return scores >= threshold


# 3.3


def defaultdict_and_negative(rankings, constant):
    sums = defaultdict(float)
    for ranking in rankings:
        for place, document in enumerate(ranking):
            sums[document] -= 1.0 / (constant + place + 1)
    return sorted(sums, key=lambda document: sums[document])


def by_index(rankings, constant):
    everyone = list(dict.fromkeys(itertools.chain(*rankings)))

    def total(document):
        return sum(1 / (constant + r.index(document) + 1) for r in rankings if document in r)

    return sorted(everyone, key=total, reverse=True)


def with_pandas(rankings, constant):
    rows = [(d, 1 / (constant + r)) for ranking in rankings for r, d in enumerate(ranking, 1)]
    frame = pd.DataFrame(rows, columns=["id", "gain"])
    return frame.groupby("id")["gain"].sum().sort_values(ascending=False).index


def in_a_set(rankings, constant):
    return set(by_index(rankings, constant))


def keyed_by_sum(rankings, constant):
    sums = defaultdict(float)
    for ranking in rankings:
        for rank, document in enumerate(ranking, start=1):
            sums[document] += 1 / (constant + rank)
    return [d for _, d in sorted({s: d for d, s in sums.items()}.items(), reverse=True)]


def first_of_nothing(rankings, constant):
    winners = {ranking[0] for ranking in rankings}
    return sorted(by_index(rankings, constant), key=lambda document: document not in winners)


# 3.4


def in_a_loop(best_scores, answerable, choose):
    best, most = None, -1
    for t in sorted(set(best_scores[choose].tolist())):
        right = 0
        for score, has, mine in zip(best_scores, answerable, choose, strict=True):
            right += mine and (score >= t) == has
        if right > most:
            best, most = t, right
    other = [i for i in range(len(choose)) if not choose[i]]
    return best, sum((best_scores[i] >= best) == answerable[i] for i in other) / len(other)


def all_at_once(best_scores, answerable, choose):
    candidates = np.unique(best_scores[choose])
    right = (best_scores >= candidates[:, None]) == answerable
    at = right[:, choose].sum(axis=1).argmax()
    return [candidates[at], right[at][~choose].mean()]


def threshold_only(best_scores, answerable, choose):
    return all_at_once(best_scores, answerable, choose)[0]


def sorts_the_scores(best_scores, answerable, choose):
    found = all_at_once(best_scores, answerable, choose)
    best_scores.sort()
    return found


# 3.5


def groups_of_rows(scores, document_of, k):
    best = {}
    for row, document in enumerate(document_of):
        if document not in best or scores[row] > scores[best[document]]:
            best[document] = row
    ranked = sorted(best.items(), key=lambda item: scores[item[1]], reverse=True)
    return [(document, scores[row], row) for document, row in ranked[:k]]


def seen_set(scores, document_of, k):
    seen, found = set(), []
    for row in np.argsort(scores)[::-1]:
        if document_of[row] not in seen and len(found) < k:
            seen.add(document_of[row])
            found.append([document_of[row], scores[row], row])
    return found


def by_frame(scores, document_of, k):
    frame = pd.DataFrame({"document": document_of, "score": scores}).sort_values(
        "score", ascending=False
    )
    return frame.drop_duplicates("document").head(k).reset_index().to_numpy()[:, [1, 2, 0]]


def zero_is_none(scores, document_of, k):
    best, rows = {}, {}
    for row, document in enumerate(document_of):
        if not best.get(document) or scores[row] > best[document]:
            best[document], rows[document] = scores[row], row
    ranked = sorted(best, key=best.get, reverse=True)
    return [(document, best[document], rows[document]) for document in ranked[:k]]


def seen_as_one_text(scores, document_of, k):
    seen, found = "", []
    for row in np.argsort(-scores):
        if document_of[row] not in seen:  # "day-1" is in "day-10"
            seen += document_of[row] + " "
            found.append((document_of[row], scores[row], int(row)))
    return found[:k]


def alone_without_a_list(scores, document_of, k):
    entries = groups_of_rows(scores, document_of, k)
    return entries[0] if k == 1 else entries


def no_rows(scores, document_of, k):
    return [entry[:2] for entry in groups_of_rows(scores, document_of, k)]


def row_before_score(scores, document_of, k):
    return [(d, row, score) for d, score, row in groups_of_rows(scores, document_of, k)]


def fails_without_chunks(scores, document_of, k):
    top = scores.max()
    return [entry for entry in groups_of_rows(scores, document_of, k) if entry[1] <= top]


PROOFS = {
    "3.1": Proof(
        right=(everything_sorted, by_heap, partition_from_the_end, taken_again_and_again),
        wrong=(
            (lesson_version, "it raises ValueError: kth(=3) out of bounds (3)"),
            (as_texts, "holds '1'; the task asks for whole numbers"),
            (sorts_in_place, "changes `scores` in place"),
        ),
    ),
    "3.2": Proof(
        right=(filter_then_cut, plain_python),
        wrong=(
            (words_when_silent, "'nothing relevant here'; the task asks for a list"),
            (a_mask, "holds False; the task asks for whole numbers"),
        ),
    ),
    "3.3": Proof(
        right=(defaultdict_and_negative, by_index, with_pandas),
        wrong=(
            (in_a_set, "is a set: it has no order"),
            (keyed_by_sum, "given: rankings = [['a', 'b'], ['b', 'a']]"),
            (first_of_nothing, "it raises IndexError"),
        ),
    ),
    "3.4": Proof(
        right=(in_a_loop, all_at_once),
        wrong=(
            (threshold_only, "the task asks for 2 results"),
            (sorts_the_scores, "changes `best_scores` in place"),
        ),
    ),
    "3.5": Proof(
        right=(groups_of_rows, seen_set, by_frame),
        wrong=(
            (zero_is_none, "given: scores = [0.0, -0.5, -1.2]"),
            (seen_as_one_text, "given: scores = [0.6, 0.9, 0.7, 0.8]"),
            (alone_without_a_list, "your list holds 'page-0'; each entry should be a tuple"),
            (no_rows, "each entry should be a tuple (document id, score, row)"),
            (row_before_score, "the row in your entries is 0.9"),
            (fails_without_chunks, "it raises ValueError: zero-size array"),
        ),
    ),
}
