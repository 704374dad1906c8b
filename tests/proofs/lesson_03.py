"""Answers to practice 03, semantic search."""

import heapq
import itertools
from collections import defaultdict

import numpy as np
import pandas as pd

from . import Proof

# 3.1 Right


def everything_sorted(scores, k):
    return np.argsort(scores)[::-1][:k]


def by_heap(scores, k):
    return heapq.nlargest(k, range(len(scores)), key=lambda row: scores[row])


def partition_from_the_end(scores, k):
    if k >= len(scores):
        return list(np.argsort(-scores))
    rows = np.argpartition(scores, -k)[-k:]
    return tuple(rows[np.argsort(scores[rows])[::-1]])


def best_removed_again_and_again(scores, k):
    left, rows = scores.astype(float), []
    while len(rows) < min(k, len(scores)):
        rows.append(int(left.argmax()))
        left[rows[-1]] = -np.inf
    return rows


# 3.1 Wrong


def as_found(scores, k):
    candidates = np.argpartition(-scores, k)[:k]
    return np.argsort(-scores[candidates])


def lesson_version(scores, k):
    candidates = np.argpartition(-scores, k)[:k]
    return candidates[np.argsort(-scores[candidates])]


def unsorted(scores, k):
    return np.argpartition(-scores, min(k, len(scores)) - 1)[:k]


def ascending(scores, k):
    return np.argsort(scores)[-k:]


def smallest(scores, k):
    return np.argsort(scores)[:k]


def smallest_partition(scores, k):
    candidates = np.argpartition(scores, k)[:k]
    return candidates[np.argsort(scores[candidates])]


def the_scores(scores, k):
    return sorted(scores, reverse=True)[:k]


def with_scores(scores, k):
    return [(int(row), float(scores[row])) for row in np.argsort(-scores)[:k]]


def from_one(scores, k):
    return [row + 1 for row in np.argsort(-scores)[:k]]


def best_left_out(scores, k):
    return np.argsort(-scores)[1 : k + 1]


def one_too_few(scores, k):
    return np.argsort(-scores)[: k - 1]


def looked_up_by_score(scores, k):
    scores = list(scores)
    return [scores.index(score) for score in sorted(scores, reverse=True)[:k]]


def as_texts(scores, k):
    return [str(row) for row in np.argsort(-scores)[:k]]


def all_of_them(scores, k):
    return np.argsort(-scores)


def sorts_in_place(scores, k):
    rows = list(np.argsort(-scores)[:k])
    scores.sort()
    return rows


def first_k_only(scores, k):
    return np.argsort(-scores[:k])


def marked_with(mark):
    def answer(scores, k):
        left, rows = scores.copy(), []
        while len(rows) < min(k, len(scores)):
            rows.append(int(left.argmax()))
            left[rows[-1]] = mark
        return rows

    return answer


marked_with_zero, marked_with_minus_one = marked_with(0), marked_with(-1)


def positive_only(scores, k):
    return [row for row in everything_sorted(scores, k) if scores[row] > 0]


def all_ties(scores, k):
    lowest = np.sort(scores)[-min(k, len(scores))]
    return [row for row in np.argsort(-scores) if scores[row] >= lowest]


# 3.2 Right


def filter_then_cut(scores, threshold, k):
    rows = np.flatnonzero(scores >= threshold)
    return rows[np.argsort(-scores[rows])][:k]


def plain_python(scores, threshold, k):
    found = [(score, row) for row, score in enumerate(scores.tolist()) if score >= threshold]
    return [row for _, row in sorted(found, reverse=True)[:k]]


def stops_at_the_first_below(scores, threshold, k):
    rows = []
    for row in np.argsort(-scores):
        if scores[row] < threshold or len(rows) == k:
            break
        rows.append(row)
    return rows


def masked(scores, threshold, k):
    left = np.where(scores < threshold, -np.inf, scores)
    rows = np.argsort(left)[::-1][:k]
    return [int(row) for row in rows if np.isfinite(left[row])]


# 3.2 Wrong


def above_only(scores, threshold, k):
    rows = np.argsort(-scores)[:k]
    return rows[scores[rows] > threshold]


def places(scores, threshold, k):
    return np.argsort(-scores[scores >= threshold])[:k]


def only_the_best_is_asked(scores, threshold, k):
    rows = np.argsort(-scores)[:k]
    return rows if scores[rows[0]] >= threshold else []


def never_silent(scores, threshold, k):
    return list(filter_then_cut(scores, threshold, k)) or [int(scores.argmax())]


def no_limit(scores, threshold, k):
    rows = np.flatnonzero(scores >= threshold)
    return rows[np.argsort(-scores[rows])]


def no_threshold(scores, threshold, k):
    return np.argsort(-scores)[:k]


def first_ones(scores, threshold, k):
    return np.flatnonzero(scores >= threshold)[:k]


def cut_then_sorted(scores, threshold, k):
    rows = np.flatnonzero(scores >= threshold)[:k]
    return rows[np.argsort(-scores[rows])]


def worst_of_the_good(scores, threshold, k):
    rows = np.flatnonzero(scores >= threshold)
    return rows[np.argsort(scores[rows])][:k]


def as_distances(scores, threshold, k):
    rows = np.argsort(scores)[:k]
    return rows[scores[rows] <= threshold]


def in_row_order(scores, threshold, k):
    return sorted(filter_then_cut(scores, threshold, k))


def none_when_silent(scores, threshold, k):
    rows = filter_then_cut(scores, threshold, k)
    return rows if len(rows) else None


def words_when_silent(scores, threshold, k):
    rows = filter_then_cut(scores, threshold, k)
    return list(rows) if len(rows) else "nothing relevant here"


def padded_with_minus_one(scores, threshold, k):
    rows = list(filter_then_cut(scores, threshold, k))
    return rows + [-1] * (k - len(rows))


def their_scores(scores, threshold, k):
    return scores[filter_then_cut(scores, threshold, k)]


def a_mask(scores, threshold, k):
    return scores >= threshold


def rows_against_the_threshold(scores, threshold, k):
    rows = np.argsort(-scores)[:k]
    return rows[rows >= threshold]


def set_to_zero(scores, threshold, k):
    return np.argsort(-np.where(scores >= threshold, scores, 0))[:k]


def below(scores, threshold, k):
    return [row for row in np.argsort(-scores) if scores[row] <= threshold][:k]


def best_alone(scores, threshold, k):
    return [int(scores.argmax())] if scores.max() >= threshold else []


def all_good(scores, threshold):
    return [int(row) for row in np.argsort(-scores) if scores[row] >= threshold]


def cut_at_the_end(scores, threshold, k):
    return all_good(scores, threshold)[-k:]


def always_ten(scores, threshold, k):
    return all_good(scores, threshold)[:10]


def positive_answers(scores, threshold, k):
    return [row for row in all_good(scores, threshold)[:k] if scores[row] > 0]


def always_at(threshold):
    return lambda scores, given, k: [
        row for row in np.argsort(-scores)[:k] if scores[row] >= threshold
    ]


def best_below(scores, threshold, k):
    return [row for row in np.argsort(-scores)[:k] if scores[row] < threshold]


def above_and_in_row_order(scores, threshold, k):
    return [row for row, score in enumerate(scores) if score > threshold][:k]


def all_above(scores, threshold, k):
    return [row for row in np.argsort(-scores) if scores[row] > threshold]


def says_so_when_silent(scores, threshold, k):
    found = [row for row in np.argsort(-scores)[:k] if scores[row] >= threshold]
    if found:
        return found
    print("nothing found")


# 3.3 Right


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
    return frame.groupby("id")["gain"].sum().sort_values(ascending=False).index.tolist()


def as_an_array(rankings, constant):
    names = sorted({document for ranking in rankings for document in ranking})
    gains = np.zeros(len(names))
    for ranking in rankings:
        for rank, document in enumerate(ranking, start=1):
            gains[names.index(document)] += 1 / (constant + rank)
    return np.array(names)[np.argsort(-gains)]


# 3.3 Wrong


def fuse_as_found(rankings, constant):
    sums = {}
    for ranking in rankings:
        for rank, document in enumerate(ranking, start=1):
            sums[document] = sums.get(document, 0) + constant + rank
    return sorted(sums, key=sums.get)


def fused(worth, start=1, reverse=True):
    """Return an answer that adds up `worth(rank, constant)`."""

    def answer(rankings, constant):
        sums = {}
        for ranking in rankings:
            for rank, document in enumerate(ranking, start=start):
                sums[document] = sums.get(document, 0) + worth(rank, constant)
        return sorted(sums, key=sums.get, reverse=reverse)

    return answer


def replaced(rankings, constant):
    sums = {}
    for ranking in rankings:
        for rank, document in enumerate(ranking, start=1):
            sums[document] = 1 / (constant + rank)
    return sorted(sums, key=sums.get, reverse=True)


def common_only(rankings, constant):
    common = set(rankings[0]).intersection(*rankings[1:])
    return [document for document in by_index(rankings, constant) if document in common]


def two_lists_only(rankings, constant):
    return by_index(rankings[:2], constant)


def zipped(rankings, constant):
    sums = defaultdict(float)
    for rank, documents in enumerate(zip(*rankings, strict=False), start=1):
        for document in documents:
            sums[document] += 1 / (constant + rank)
    return sorted(sums, key=sums.get, reverse=True)


def the_best_vote(rankings, constant):
    best = defaultdict(float)
    for ranking in rankings:
        for rank, document in enumerate(ranking, start=1):
            best[document] = max(best[document], 1 / (constant + rank))
    return sorted(best, key=best.get, reverse=True)


def pairs(rankings, constant):
    sums = defaultdict(float)
    for ranking in rankings:
        for rank, document in enumerate(ranking, start=1):
            sums[document] += 1 / (constant + rank)
    return sorted(sums.items(), key=lambda item: item[1], reverse=True)


def a_set(rankings, constant):
    return set(by_index(rankings, constant))


def a_dictionary(rankings, constant):
    return dict(pairs(rankings, constant))


def concatenated(rankings, constant):
    return list(dict.fromkeys(itertools.chain(*rankings)))


def reads_the_first_of_nothing(rankings, constant):
    first = [ranking[0] for ranking in rankings]
    return [d for d in by_index(rankings, constant) if d in first or d not in first]


# 3.4 Right


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


def by_key(best_scores, answerable, choose):
    def share(t, half):
        return ((best_scores >= t) == answerable)[half].mean()

    t = max(best_scores[choose], key=lambda t: (share(t, choose), -t))
    return np.array([t, share(t, np.logical_not(choose))])


# 3.4 Wrong


def abstaining(choosing=None, reporting=None, compare=np.greater_equal, largest=False, every=False):
    """Return an answer that chooses and reports on other queries than it should."""

    def answer(best_scores, answerable, choose):
        chosen = choosing(choose) if choosing else choose
        rest = reporting(choose) if reporting else ~choose
        candidates = np.unique(best_scores if every else best_scores[chosen])
        if largest:
            candidates = candidates[::-1]
        right = [np.mean(compare(best_scores, t)[chosen] == answerable[chosen]) for t in candidates]
        t = candidates[np.argmax(right)]
        return t, np.mean(compare(best_scores, t)[rest] == answerable[rest])

    return answer


def everyone(choose):
    return np.ones_like(choose)


def leaked_comparison(best_scores, answerable, choose):
    candidates = np.unique(best_scores[choose])
    right = [np.mean((best_scores >= t) == answerable) for t in candidates]
    t = candidates[np.argmax(right)]
    return t, np.mean((best_scores[~choose] >= t) == answerable[~choose])


def precision(best_scores, answerable, choose):
    t = max(
        np.unique(best_scores[choose]),
        key=lambda t: answerable[choose][best_scores[choose] >= t].mean(),
    )
    return t, np.mean((best_scores[~choose] >= t) == answerable[~choose])  # fmt: skip


def lesson_choice(best_scores, answerable, choose):
    t = np.quantile(best_scores[choose & ~answerable], 0.75)
    return t, np.mean((best_scores[~choose] >= t) == answerable[~choose])


def share_first(best_scores, answerable, choose):
    return all_at_once(best_scores, answerable, choose)[::-1]


def threshold_only(best_scores, answerable, choose):
    return all_at_once(best_scores, answerable, choose)[0]


def per_cent(best_scores, answerable, choose):
    t, share = all_at_once(best_scores, answerable, choose)
    return t, 100 * share


def answered_only(best_scores, answerable, choose):
    t, _ = all_at_once(best_scores, answerable, choose)
    return t, answerable[~choose][best_scores[~choose] >= t].mean()


def answerable_only(best_scores, answerable, choose):
    t, _ = all_at_once(best_scores, answerable, choose)
    return t, (best_scores[~choose & answerable] >= t).mean()


def in_grid(best_scores, answerable, choose):
    candidates = np.linspace(0, 1, 101)
    right = [np.mean((best_scores[choose] >= t) == answerable[choose]) for t in candidates]
    t = candidates[np.argmax(right)]
    return t, np.mean((best_scores[~choose] >= t) == answerable[~choose])


def answerable_candidates(best_scores, answerable, choose):
    s, a = best_scores[choose], answerable[choose]
    t = max(sorted(s[a]), key=lambda t: ((s >= t) == a).mean())
    return t, ((best_scores >= t) == answerable)[~choose].mean()


def tie_broken_by_the_other(best_scores, answerable, choose):
    right = lambda t, half: ((best_scores >= t) == answerable)[half].mean()  # noqa: E731
    t = max(np.unique(best_scores[choose]), key=lambda t: (right(t, choose), right(t, ~choose)))
    return t, right(t, ~choose)


def by_the_choosing_number(best_scores, answerable, choose):
    t, share = all_at_once(best_scores, answerable, choose)
    return t, share * (~choose).sum() / choose.sum()


def with_candidates(candidates, scores_of=lambda scores: scores):
    def answer(best_scores, answerable, choose):
        tried = candidates(np.unique(best_scores[choose]))
        scores = scores_of(best_scores[choose])
        t = tried[np.argmax([np.mean((scores >= t) == answerable[choose]) for t in tried])]
        return t, np.mean((best_scores >= t)[~choose] == answerable[~choose])

    return answer


def sorts_the_scores(best_scores, answerable, choose):
    best_scores.sort()
    return in_a_loop(best_scores, answerable, choose)


# 3.5 Right


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
        if document_of[row] in seen:
            continue
        seen.add(document_of[row])
        found.append([document_of[row], scores[row], row])
        if len(found) == k:
            break
    return found


def by_frame(scores, document_of, k):
    frame = pd.DataFrame({"document": document_of, "score": scores}).sort_values(
        "score", ascending=False
    )
    best = frame.drop_duplicates("document").head(k)
    return [(row.document, row.score, row.Index) for row in best.itertuples()]


# 3.5 Wrong


def chunks_first(scores, document_of, k):
    return groups_at(np.argsort(-scores)[:k], scores, document_of)


def groups_at(rows, scores, document_of):
    found = {}
    for row in rows:
        found.setdefault(document_of[row], (document_of[row], float(scores[row]), int(row)))
    return list(found.values())


def three_times_k(scores, document_of, k):
    return groups_at(np.argsort(-scores)[: 3 * k], scores, document_of)[:k]


def not_grouped(scores, document_of, k):
    return [(document_of[row], scores[row], row) for row in np.argsort(-scores)[:k]]


def with_measure(measure):
    """Return an answer that scores a document by `measure` of its chunks."""

    def answer(scores, document_of, k):
        rows = defaultdict(list)
        for row, document in enumerate(document_of):
            rows[document].append(row)
        found = [
            (document, measure(scores[r]), max(r, key=lambda i: scores[i]))
            for document, r in rows.items()
        ]
        return sorted(found, key=lambda entry: entry[1], reverse=True)[:k]

    return answer


def worst_kept(scores, document_of, k):
    found = {}
    for row in np.argsort(-scores):
        found[document_of[row]] = (document_of[row], scores[row], row)
    return list(found.values())[:k]


def begins_at_zero(scores, document_of, k):
    best, rows = defaultdict(float), {}
    for row, document in enumerate(document_of):
        if scores[row] > best[document]:
            best[document], rows[document] = scores[row], row
    ranked = sorted(rows, key=lambda document: best[document], reverse=True)
    return [(document, best[document], rows[document]) for document in ranked[:k]]


def neighbouring(scores, document_of, k):
    found = []
    for document, group in itertools.groupby(range(len(scores)), key=lambda row: document_of[row]):
        row = max(group, key=lambda row: scores[row])
        found.append((document, scores[row], row))
    return sorted(found, key=lambda entry: -entry[1])[:k]


def ascending_documents(scores, document_of, k):
    return groups_of_rows(scores, document_of, k)[::-1]


def no_rows(scores, document_of, k):
    return [entry[:2] for entry in groups_of_rows(scores, document_of, k)]


def only_ids(scores, document_of, k):
    return [entry[0] for entry in groups_of_rows(scores, document_of, k)]


def row_before_score(scores, document_of, k):
    return [
        (document, row, score) for document, score, row in groups_of_rows(scores, document_of, k)
    ]


def score_before_id(scores, document_of, k):
    return [
        (score, document, row) for document, score, row in groups_of_rows(scores, document_of, k)
    ]


def place_in_document(scores, document_of, k):
    found = []
    for document, score, row in groups_of_rows(scores, document_of, k):
        found.append((document, score, document_of[:row].count(document)))
    return found


def first_row(scores, document_of, k):
    return [
        (d, score, document_of.index(d)) for d, score, _ in groups_of_rows(scores, document_of, k)
    ]


def a_mapping(scores, document_of, k):
    return {d: (score, row) for d, score, row in groups_of_rows(scores, document_of, k)}


def compared_with_the_last(scores, document_of, k):
    found = []
    for row in np.argsort(-scores):
        if not found or found[-1][0] != document_of[row]:
            found.append((document_of[row], scores[row], row))
    return found[:k]


def keyed_by_score(scores, document_of, k):
    by_score = {
        scores[row]: document
        for document, _, row in groups_of_rows(scores, document_of, len(scores))
    }
    rows = {scores[row]: row for _, _, row in groups_of_rows(scores, document_of, len(scores))}
    return [(by_score[s], s, rows[s]) for s in sorted(by_score, reverse=True)[:k]]  # fmt: skip


def fails_without_chunks(scores, document_of, k):
    top = scores.max()
    return [entry for entry in groups_of_rows(scores, document_of, k) if entry[1] <= top]


def best_chunks(scores, document_of, better=lambda one, other: one > other):
    found = {}
    for row, document in enumerate(document_of):
        if document not in found or better(scores[row], scores[found[document]]):
            found[document] = row
    return [(document, float(scores[row]), row) for document, row in found.items()]


def by_score(entries):
    return sorted(entries, key=lambda entry: -entry[1])


def begins_at_minus_one(scores, document_of, k):
    entries = by_score(best_chunks(scores, document_of))
    return [entry for entry in entries if entry[1] > -1][:k]


def strongest(scores, document_of, k):
    return by_score(best_chunks(scores, document_of, lambda a, b: abs(a) > abs(b)))[:k]


def cut_before_sorting(scores, document_of, k):
    return by_score(best_chunks(scores, document_of)[:k])


def first_documents(scores, document_of, k):
    return best_chunks(scores, document_of)[:k]


def always_three(scores, document_of, k):
    return by_score(best_chunks(scores, document_of))[:3]


def seen_as_one_text(scores, document_of, k):
    seen, found = "", []
    for row in np.argsort(-scores):
        if document_of[row] not in seen:  # "day-1" is in "day-10"
            seen += document_of[row] + " "
            found.append((document_of[row], scores[row], int(row)))
    return found[:k]


def worst_with_its_row(scores, document_of, k):
    worst: dict[str, int] = {}
    for row, document in enumerate(document_of):
        if document not in worst or scores[row] < scores[worst[document]]:
            worst[document] = row
    entries = [(document, scores[row], row) for document, row in worst.items()]
    return sorted(entries, key=lambda entry: -entry[1])[:k]


def by_id_backwards(scores, document_of, k):
    return sorted(seen_set(scores, document_of, len(scores)), reverse=True)[:k]


def alone_without_a_list(scores, document_of, k):
    entries = seen_set(scores, document_of, k)
    return entries[0] if k == 1 else entries


def partition_without_guard(scores, document_of, k):
    found = {}
    for row in np.argpartition(-scores, k):
        found.setdefault(document_of[row], (document_of[row], scores[row], int(row)))
    return sorted(found.values(), key=lambda entry: -entry[1])[:k]


def stops_at_the_second(scores, document_of, k):
    found = {}
    for row in np.argsort(-scores):
        if document_of[row] in found:
            break
        found[document_of[row]] = (document_of[row], scores[row], int(row))
    return list(found.values())[:k]


def without_signs(scores, document_of, k):
    found = {}
    for row in np.argsort(-np.abs(scores)):
        found.setdefault(document_of[row], (document_of[row], scores[row], int(row)))
    return list(found.values())[:k]


PROOFS = {
    "3.1": Proof(
        right=(everything_sorted, by_heap, partition_from_the_end, best_removed_again_and_again),
        wrong=(
            (as_found, "places among the candidates"),
            (lesson_version, "for small k all is right, but not for 5 scores and k = 5"),
            (unsorted, "but not in order"),
            (ascending, "the wrong way round"),
            (smallest, "the k *worst*. `np.argsort`"),
            (smallest_partition, "puts the smallest first"),
            (the_scores, "scores. Return the rows at which they stand"),
            (with_scores, "rows with their scores"),
            (from_one, "count the rows from 1"),
            (best_left_out, "leave out the best"),
            (one_too_few, "one too few"),
            (looked_up_by_score, "a row comes twice"),
            (as_texts, "holds the text"),
            (marked_with_zero, "with a score of 0"),
            (marked_with_minus_one, "with a score of -1"),
            (positive_only, "You leave out documents with negative scores"),
            (all_ties, "Of documents with equal scores you take all"),
            (all_of_them, "you return all documents"),
            (sorts_in_place, "changes its first argument in place"),
            (first_k_only, "the first k documents only"),
        ),
    ),
    "3.2": Proof(
        right=(filter_then_cut, plain_python, stops_at_the_first_below, masked),
        wrong=(
            (above_only, "`>=`, not `>`"),
            (places, "places among the documents that reach"),
            (only_the_best_is_asked, "whether the *best* reaches"),
            (never_silent, "still you show the best"),
            (no_limit, "at most k were asked for"),
            (no_threshold, "The threshold does not matter to you"),
            (first_ones, "the first k rows that reach the threshold. Sort by score"),
            (cut_then_sorted, "and sort those"),
            (worst_of_the_good, "the k *worst*"),
            (as_distances, "as if the scores were distances"),
            (in_row_order, "but not in order"),
            (none_when_silent, "nothing reaches the threshold, and you return None"),
            (words_when_silent, "asks for a list"),
            (padded_with_minus_one, "as FAISS does"),
            (their_scores, "Return the rows at which they stand"),
            (a_mask, "True or False for each document"),
            (below, "You keep what lies *below* the threshold"),
            (best_below, "it should be [3, 5, 1]. You keep what lies"),
            (above_and_in_row_order, "And these are the first k rows"),
            (all_above, "And at most k were asked for"),
            (says_so_when_silent, "Return an empty list, which whoever calls"),
            (always_at(0.43), "Your threshold is always the same"),
            (best_alone, "You return the best alone"),
            (cut_at_the_end, "cut the list in front, not at its end"),
            (always_ten, "You return up to 10, whatever k is"),
            (positive_answers, "The threshold can be negative, too"),
            (rows_against_the_threshold, "You compare *row numbers* with the threshold"),
            (set_to_zero, "it should be [3, 5, 1]"),
        ),
    ),
    "3.3": Proof(
        right=(defaultdict_and_negative, by_index, with_pandas, as_an_array),
        wrong=(
            (fuse_as_found, "still a sum of ranks"),
            (fused(lambda rank, c: rank, reverse=False), "You add up ranks, smallest first"),
            (fused(lambda rank, c: 1 / (c + rank), start=0), "count ranks from 0"),
            (fused(lambda rank, c: 1 / (c + rank), reverse=False), "worst first"),
            (fused(lambda rank, c: 1 / (60 + rank)), "always 60"),
            (fused(lambda rank, c: 1 / rank), "or a multiple of it"),
            (fused(lambda rank, c: 1 / c + rank), "divides first"),
            (fused(lambda rank, c: 1), "in how many lists"),
            (replaced, "keeps only what it got last"),
            (fused(lambda rank, c: round(1 / (c + rank), 4)), "You round what is added up"),
            (common_only, "what stands in *every* list"),
            (two_lists_only, "two rankings only"),
            (zipped, "where the shortest ranking ends"),
            (the_best_vote, "the best of what a document gets"),
            (pairs, "ids with their sums"),
            (a_set, "it has no order"),
            (a_dictionary, "a dictionary of sums"),
            (concatenated, "The lists stand one behind the other"),
            (fused(lambda rank, c: 1 // (c + rank)), "(`1 // (constant + rank)` is 0)"),
            (reads_the_first_of_nothing, "it raises IndexError"),
        ),
    ),
    "3.4": Proof(
        right=(in_a_loop, all_at_once, by_key),
        wrong=(
            (
                with_candidates(lambda values: np.append(values, np.inf)),
                "a threshold above all scores",
            ),
            (
                with_candidates(lambda values: values[1:]),
                "The lowest score of the choosing half is missing",
            ),
            (
                with_candidates(lambda values: np.unique(values.round(2))),
                "You round the candidates",
            ),
            (with_candidates(lambda values: values, np.sort), "You sort the scores alone"),
            (sorts_the_scores, "no longer stand beside their own queries"),
            (abstaining(choosing=everyone), "choose it on *all* queries"),
            (
                abstaining(choosing=np.logical_not, reporting=lambda choose: choose),
                "on the half that was to test it",
            ),
            (abstaining(reporting=lambda choose: choose), "the half that *chose* it"),
            (abstaining(reporting=everyone), "that of all queries"),
            (abstaining(compare=np.greater), "is answered: `>=`, not `>`"),
            (abstaining(largest=True), "take the largest; the smallest"),
            (abstaining(every=True), "Your candidates are the scores of *all* queries"),
            (leaked_comparison, "compare them on *all* queries"),
            (precision, "the answered queries only (precision)"),
            (lesson_choice, "the lesson's choice"),
            (share_first, "The threshold comes first"),
            (threshold_only, "the task asks for two numbers"),
            (per_cent, "in per cent"),
            (answered_only, "only at the queries that are answered"),
            (answerable_only, "only at the queries that have an answer"),
            (in_grid, "You try round numbers"),
            (answerable_candidates, "the queries with an answer only"),
            (tie_broken_by_the_other, "does best in the *other* half"),
            (by_the_choosing_number, "queries in the *choosing* half"),
        ),
    ),
    "3.5": Proof(
        right=(groups_of_rows, seen_set, by_frame),
        wrong=(
            (partition_without_guard, "There can be fewer chunks than k"),
            (stops_at_the_second, "Skip that chunk and go on"),
            (without_signs, "by the scores without their sign"),
            (seen_as_one_text, "documents [day-1, day-10, day-1, day-100]"),
            (chunks_first, "the best k *chunks* and then their documents"),
            (three_times_k, "the best 3 * k chunks"),
            (not_grouped, "These are the best k *chunks*"),
            (with_measure(np.mean), "the *mean* of its chunks"),
            (with_measure(np.sum), "rewards it for being long"),
            (with_measure(np.min), "its *worst* chunk"),
            (worst_kept, "every further chunk replaces"),
            (worst_with_its_row, "('c', 0.6, 5)]. You score a document by its *worst*"),
            (by_id_backwards, "You sort by document id"),
            (alone_without_a_list, "also when k is 1"),
            (begins_at_zero, "must not begin at 0"),
            (begins_at_minus_one, "must not begin at -1"),
            (strongest, "a strongly negative chunk is not a good one"),
            (cut_before_sorting, "and sort those. Sort before you cut"),
            (first_documents, "each with its best chunk. Sort by score"),
            (always_three, "up to 3 documents, whatever k is"),
            (neighbouring, "stand side by side"),
            (ascending_documents, "worst first"),
            (no_rows, "a tuple of three"),
            (only_ids, "each entry should be a tuple (document id, score, row)"),
            (row_before_score, "the score comes before the row"),
            (score_before_id, "the document id comes first"),
            (place_in_document, "*within its document*"),
            (first_row, "of the document's *first* chunk, not of its best"),
            (a_mapping, "you return a dictionary"),
            (keyed_by_score, "Documents with equal scores are different documents"),
            (compared_with_the_last, "only with the one before"),
            (fails_without_chunks, "until there are no chunks"),
        ),
    ),
}
