"""Answers to project 1, a search engine of your own."""

import heapq
import re
from decimal import Decimal

import numpy as np
from sklearn.metrics.pairwise import cosine_similarity

from . import Proof

# P1.1 Right


def by_regex(text, least_words):
    found = []
    for block in re.split(r"\n\s*\n", text):
        words = block.split()
        if words and len(words) >= least_words:
            found.append(" ".join(words))
    return found


def line_by_line(text, least_words):
    found, current = [], ""
    for line in [*text.replace("\r\n", "\n").split("\n"), ""]:
        if line.strip() == "":
            if current:
                found.append(current)
            current = ""
        else:
            current = (current + " " + re.sub(r"[ \t]+", " ", line.strip())).strip()
    return [p for p in found if len(p.split(" ")) >= least_words]


def a_generator(text, least_words):
    words = []
    for line in [*text.splitlines(), ""]:
        if line.split():
            words.extend(line.split())
        elif words:
            if len(words) >= least_words:
                yield " ".join(words)
            words = []


def as_a_tuple(text, least_words=5):
    return tuple(by_regex(text, least_words))


# P1.1 Wrong


def every_line(text, least_words):
    return [line.strip() for line in text.splitlines() if len(line.split()) >= least_words]


def more_than(text, least_words):
    return [p for p in by_regex(text, 1) if len(p.split()) > least_words]


def all_of_them(text, least_words):
    return by_regex(text, 1)


def characters(text, least_words):
    return [p for p in by_regex(text, 1) if len(p) >= least_words]


def two_newlines(text, least_words):
    blocks = [" ".join(block.split()) for block in text.split("\n\n")]
    return [block for block in blocks if block and len(block.split()) >= least_words]


def naive(text, least_words):
    return [p for p in text.split("\n\n") if len(p.split()) >= least_words]


def breaks_kept(text, least_words):
    blocks = [b.strip() for b in re.split(r"\n\s*\n", text)]
    return [b for b in blocks if b and len(b.split()) >= least_words]


def grown_together(text, least_words):
    blocks = [b for b in re.split(r"\n\s*\n", text) if b.strip()]
    return [
        "".join(line.strip() for line in b.splitlines())
        for b in blocks
        if len(b.split()) >= least_words
    ]


def last_forgotten(text, least_words):
    found, words = [], []
    for line in text.splitlines():
        if line.strip():
            words += line.split()
        else:
            if words and len(words) >= least_words:
                found.append(" ".join(words))
            words = []
    return found


def lists_of_words(text, least_words):
    return [p.split() for p in by_regex(text, least_words)]


def each_once(text, least_words):
    return list(dict.fromkeys(by_regex(text, least_words)))


def as_a_set(text, least_words):
    return set(by_regex(text, least_words))


def how_many(text, least_words):
    return len(by_regex(text, least_words))


def first_only(text, least_words):
    for p in by_regex(text, least_words):
        return p


def short_ones(text, least_words):
    return [p for p in by_regex(text, 1) if len(p.split()) < least_words]


def only_this_system(text, least_words):
    blocks = [" ".join(b.split()) for b in re.split(r"\n[ \t]*\n", text)]
    return [b for b in blocks if b and len(b.split()) >= least_words]


FOUND = []


def keeps_between_calls(text, least_words):
    FOUND.extend(by_regex(text, least_words))
    return FOUND


def spaces_stay(text, least_words):
    blocks = [block.strip().replace("\n", " ") for block in text.split("\n\n")]
    return [block for block in blocks if len(block.split()) >= least_words]


def runs_stay(text, least_words):
    blocks = [re.sub(r"\s*\n\s*", " ", block.strip()) for block in re.split(r"\n\s*\n", text)]
    return [block for block in blocks if len(block.split()) >= least_words]


def always_four(text, least_words):
    return by_regex(text, 4)


def different_words(text, least_words):
    return [p for p in by_regex(text, 1) if len(set(p.split())) >= least_words]


def words_by_letters(text, least_words):
    return [p for p in by_regex(text, 1) if len(re.findall(r"\w+", p)) >= least_words]


def no_tabs(text, least_words):
    blocks = [block.split() for block in re.split(r"\n *\n", text)]
    return [" ".join(words) for words in blocks if len(words) >= least_words]


def empty_ones_too(text, least_words):
    return [" ".join(block.split()) for block in re.split(r"\n\s*\n", text)]


def one_empty_piece(text, least_words):
    blocks = [" ".join(block.split()) for block in re.split(r"\n\s*\n", text)]
    return [block for block in blocks if len(block.split(" ")) >= least_words]


def breaks_taken_out(text, least_words):
    blocks = [block.replace("\n", "") for block in re.split(r"\n\s*\n", text)]
    return [block for block in blocks if len(block.split()) >= least_words]


def returns_in_the_loop(text, least_words):
    found = []
    for block in re.split(r"\n\s*\n", text):
        if len(block.split()) >= least_words:
            found.append(" ".join(block.split()))
        return found


def short_ones_carried_on(text, least_words):
    found, words = [], []
    for line in [*text.splitlines(), ""]:
        words += line.split()
        if not line.strip() and words and len(words) >= least_words:
            found.append(" ".join(words))
            words = []
    return found


def of_the_example(text, least_words):
    return [
        "Flour, water and salt, and a night in a cool place.",
        "It sings when it cools: listen.",
    ]


def two_spaces_to_one(text, least_words):
    blocks = [block for block in re.split(r"\n\s*\n", text) if len(block.split()) >= least_words]
    return [b.replace("\r", "").replace("\n", " ").replace("  ", " ").strip() for b in blocks]


def sentences(text, least_words):
    found = [" ".join(piece.split()) for piece in re.split(r"(?<=[.!?:])\s+", text)]
    return [piece for piece in found if piece and len(piece.split()) >= least_words]


def lines_of_spaces(text, least_words):
    found, words = [], []
    for line in [*text.splitlines(), " "]:
        words += line.split()
        if line.isspace():
            if words and len(words) >= least_words:
                found.append(" ".join(words))
            words = []
    return found


# P1.2 Right


def with_a_loop(query_vector, vectors, k):
    scored = []
    for row, vector in enumerate(vectors):
        cosine = sum(vector * query_vector) / (sum(vector**2) * sum(query_vector**2)) ** 0.5
        scored.append((row, cosine))
    return sorted(scored, key=lambda pair: pair[1], reverse=True)[:k]


def by_scikit(query_vector, vectors, k):
    scores = cosine_similarity(query_vector.reshape(1, -1), vectors)[0]
    order = scores.argsort()[::-1][:k]
    return list(zip(order, scores[order], strict=True))


def by_heap(query_vector, vectors, k):
    q = query_vector / np.linalg.norm(query_vector)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    best = heapq.nlargest(k, ((float(s), i) for i, s in enumerate(unit @ q)))
    return tuple([i, s] for s, i in best)


def in_float32(query_vector, vectors, k=3):
    return by_scikit(query_vector.astype(np.float32), vectors.astype(np.float32), k)


def a_table(query_vector, vectors, k):
    return np.array(with_a_loop(query_vector, vectors, k))


def partitioned(query_vector, vectors, k):
    scores = cosine_similarity([query_vector], vectors)[0]
    k = min(k, len(scores))
    top = np.argpartition(-scores, k - 1)[:k]
    return [(int(i), scores[i]) for i in top[np.argsort(-scores[top])]]


# P1.2 Wrong


def smallest_first(query_vector, vectors, k):
    scores = cosine_similarity([query_vector], vectors)[0]
    return [(int(i), scores[i]) for i in np.argsort(scores)[:k]]


def reversed_top(query_vector, vectors, k):
    return by_scikit(query_vector, vectors, k)[::-1]


def dot_products(query_vector, vectors, k):
    scores = vectors @ query_vector
    return [(int(i), scores[i]) for i in np.argsort(-scores)[:k]]


def half_normalised(query_vector, vectors, k):
    scores = vectors @ query_vector / np.linalg.norm(vectors, axis=1)
    return [(int(i), scores[i]) for i in np.argsort(-scores)[:k]]


def one_norm(query_vector, vectors, k):
    scores = vectors @ query_vector / (np.linalg.norm(vectors) * np.linalg.norm(query_vector))
    return [(int(i), scores[i]) for i in np.argsort(-scores)[:k]]


def euclidean(query_vector, vectors, k):
    distances = np.linalg.norm(vectors - query_vector, axis=1)
    return [(int(i), distances[i]) for i in np.argsort(distances)[:k]]


def score_first(query_vector, vectors, k):
    return [(score, row) for row, score in with_a_loop(query_vector, vectors, k)]


def one_more(query_vector, vectors, k):
    return with_a_loop(query_vector, vectors, k + 1)


def always_three(query_vector, vectors, k):
    return with_a_loop(query_vector, vectors, 3)


def best_dropped(query_vector, vectors, k):
    return with_a_loop(query_vector, vectors, k + 1)[1:]


def ranks(query_vector, vectors, k):
    scores = np.sort(cosine_similarity([query_vector], vectors)[0])[::-1]
    return list(enumerate(scores[:k]))


def rows_alone(query_vector, vectors, k):
    return [row for row, _ in with_a_loop(query_vector, vectors, k)]


def two_lists(query_vector, vectors, k):
    found = with_a_loop(query_vector, vectors, k)
    return [row for row, _ in found], [score for _, score in found]


def not_sorted(query_vector, vectors, k):
    scores = cosine_similarity([query_vector], vectors)[0]
    keep = set(np.argsort(-scores)[:k].tolist())
    return [(i, scores[i]) for i in range(len(scores)) if i in keep]


def cut_before_sorting(query_vector, vectors, k):
    return with_a_loop(query_vector, vectors[:k], k)


def too_few_raises(query_vector, vectors, k):
    scores = cosine_similarity([query_vector], vectors)[0]
    order = np.argsort(-scores)
    return [(int(order[i]), scores[order[i]]) for i in range(k)]


def cosine_distance(query_vector, vectors, k):
    return [(row, 1 - score) for row, score in with_a_loop(query_vector, vectors, k)]


def normalises_in_place(query_vector, vectors, k):
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return with_a_loop(query_vector, vectors, k)


def matrix_norm(query_vector, vectors, k):
    scores = vectors @ query_vector / np.linalg.norm(vectors)
    return [(int(i), scores[i]) for i in np.argsort(-scores)[:k]]


def no_root(query_vector, vectors, k):
    scores = vectors @ query_vector / (vectors**2).sum(axis=1) / (query_vector**2).sum()
    return [(int(i), scores[i]) for i in np.argsort(-scores)[:k]]


def near_one(query_vector, vectors, k):
    scores = 1 / (1 + np.linalg.norm(vectors - query_vector, axis=1))
    return [(int(i), scores[i]) for i in np.argsort(-scores)[:k]]


def in_per_cent(query_vector, vectors, k):
    return [(row, 100 * score) for row, score in with_a_loop(query_vector, vectors, k)]


def clipped(query_vector, vectors, k):
    return [(row, max(score, 0)) for row, score in with_a_loop(query_vector, vectors, k)]


def best_alone(query_vector, vectors, k):
    return with_a_loop(query_vector, vectors, 1)


def correlations(query_vector, vectors, k):
    scores = np.corrcoef(np.vstack([query_vector, vectors]))[0, 1:]
    return [(int(i), scores[i]) for i in np.argsort(-scores)[:k]]


def partitioned_only(query_vector, vectors, k):
    scores = cosine_similarity([query_vector], vectors)[0]
    best = np.argpartition(-scores, min(k, len(scores) - 1))[:k]
    return [(int(i), scores[i]) for i in best]


def text_for_row(query_vector, vectors, k):
    return [(f"text {row}", score) for row, score in with_a_loop(query_vector, vectors, k)]


def scores_by_place(query_vector, vectors, k):
    pairs = with_a_loop(query_vector, vectors, len(vectors))
    scores = dict(pairs)
    return [(row, scores[place]) for place, (row, _) in enumerate(pairs)][:k]


def to_one_decimal(query_vector, vectors, k):
    return [(row, round(float(s), 1)) for row, s in with_a_loop(query_vector, vectors, k)]


def angles(query_vector, vectors, k):
    return [(row, np.arccos(score)) for row, score in with_a_loop(query_vector, vectors, k)]


# P1.3 Right


def padded(judgements):
    rows = [(list(query) + [False] * 3)[:3] for query in judgements]
    return np.array(rows).mean()


def counted(judgements):
    hits = 0
    for query in judgements:
        for relevant in query:
            if relevant:
                hits += 1
    return hits / (3 * len(judgements))


def mean_of_shares(judgements):
    return float(np.mean([query.count(True) / 3 for query in judgements]))


def as_decimal(judgements):
    return Decimal(sum(map(sum, judgements))) / (3 * len(judgements))


# P1.3 Wrong


def of_those_found(judgements):
    return np.mean([sum(query) / len(query) if query else 0 for query in judgements])


def divides_by_nothing(judgements):
    return np.mean([sum(query) / len(query) for query in judgements])


def one_heap(judgements):
    everything = [value for query in judgements for value in query]
    return sum(everything) / len(everything)


def empty_skipped(judgements):
    kept = [query for query in judgements if query]
    return sum(sum(query) / 3 for query in kept) / len(kept) if kept else 0.0


def any_hit(judgements):
    return sum(any(query) for query in judgements) / len(judgements)


def at_one(judgements):
    return sum(bool(query[:1] == [True]) for query in judgements) / len(judgements)


def per_cent(judgements):
    return counted(judgements) * 100


def number_of_hits(judgements):
    return sum(map(sum, judgements))


def summed(judgements):
    return sum(sum(query) / 3 for query in judgements)


def not_by_three(judgements):
    return sum(map(sum, judgements)) / len(judgements)


def always_five(judgements):
    return sum(sum(query) / 3 for query in judgements) / 5


def returns_too_early(judgements):
    for query in judgements:
        return sum(query) / 3


def of_each(judgements):
    return [sum(query) / 3 for query in judgements]


def rounded(judgements):
    return round(counted(judgements), 2)


def incomplete_ones_fail(judgements):
    return sum(sum(query) / 3 for query in judgements if len(query) == 3) / len(judgements)


def numpy_mean(judgements):
    return np.mean(judgements)


def by_five(judgements):
    return sum(sum(query) / 5 for query in judgements) / len(judgements)


def all_results(judgements):
    return sum(len(query) for query in judgements) / (3 * len(judgements))


def falses(judgements):
    return sum(query.count(False) for query in judgements) / (3 * len(judgements))


def no_brackets(judgements):
    return sum(map(sum, judgements)) / 3 * len(judgements)


def floored(judgements):
    return sum(map(sum, judgements)) // (3 * len(judgements))


def overwritten(judgements):
    for query in judgements:
        total = sum(query) / 3
    return total / len(judgements)


def best_query(judgements):
    return max(sum(query) / 3 for query in judgements)


# P1.4

TOPICS = (
    "bread",
    "boats",
    "gulls",
    "winter",
    "music",
    "letters",
    "stones",
    "trains",
    "rain",
    "soup",
)
TEXTS = [
    f"On day {n} we spoke of {TOPICS[n % 10]} and of {TOPICS[n // 10]}, for hours."
    for n in range(32)
]
QUERIES = [
    "baking at home",
    "a ship comes in",
    "hungry birds",
    "the cold months",
    "playing the piano",
]
RESULTS = [  # what MiniLM finds
    [(0, 0.29), (30, 0.28), (9, 0.24)],
    [(11, 0.35), (15, 0.33), (17, 0.32)],
    [(2, 0.37), (22, 0.34), (29, 0.34)],
    [(13, 0.43), (3, 0.42), (23, 0.41)],
    [(4, 0.24), (14, 0.2), (24, 0.15)],
]
JUDGED = [
    [True, False, True],
    [True, True, False],
    [False, False, False],
    [True, False, False],
    [False, True, False],
]
PRECISION = 6 / 15


def run(**changed):
    names = {
        "paragraphs": TEXTS,
        "queries": QUERIES,
        "results": RESULTS,
        "judgements": JUDGED,
        "precision": PRECISION,
    }
    return tuple((names | changed).values())


class Piece:
    def __init__(self, text):
        self.text = text


def exchanged(values, place, value):
    return [value if at == place else entry for at, entry in enumerate(values)]


def repaired_by_half(text, least_words):
    return [" ".join(block.split()) for block in text.split("\n\n") if len(block) > least_words]


def repaired_but_for_the_ends(text, least_words):
    return [" ".join(b.split()) for b in text.split("\n\n") if len(b.split()) > least_words]


def _pairs(query_vector, vectors):
    norm = np.linalg.norm
    return [(row, v @ query_vector / norm(v) / norm(query_vector)) for row, v in enumerate(vectors)]


def sorted_by_row(query_vector, vectors, k):
    return sorted(_pairs(query_vector, vectors))[:k]


def sorted_by_row_backwards(query_vector, vectors, k):
    return sorted(_pairs(query_vector, vectors), reverse=True)[:k]


def without_brackets(query_vector, vectors, k):
    norms = np.linalg.norm(vectors, axis=1)
    scores = vectors @ query_vector / np.linalg.norm(query_vector) * norms
    return [(row, scores[row]) for row in np.argsort(-scores)[:k]]


def norms_of_columns(query_vector, vectors, k):
    scores = vectors @ query_vector / np.linalg.norm(vectors, axis=0)
    return [(row, scores[row]) for row in np.argsort(-scores)[:k]]


PROOFS = {
    "P1.1": Proof(
        right=(by_regex, line_by_line, a_generator, as_a_tuple),
        wrong=(
            (every_line, "every line for a paragraph"),
            (
                repaired_by_half,
                "Two things remain. A blank line may also hold spaces, or end as Windows ends lines ('\\r\\n'). And the `len`",
            ),
            (repaired_but_for_the_ends, "ends lines ('\\r\\n'). And a paragraph of exactly"),
            (more_than, "`>=`, not `>`"),
            (all_of_them, "the short ones are still in"),
            (characters, "counts its characters"),
            (two_newlines, "two line breaks in a row"),
            (naive, "still holds a line break"),
            (breaks_kept, "line breaks (or double spaces) are still in"),
            (grown_together, "two words grow together"),
            (last_forgotten, "your last paragraph is missing"),
            (lists_of_words, "as a list of its words"),
            (each_once, "in only once"),
            (as_a_set, "is a set"),
            (how_many, "how many paragraphs there are"),
            (first_only, "asks for a list"),
            (short_ones, "you keep the short paragraphs"),
            (only_this_system, "In files from Windows"),
            (spaces_stay, "'\\n\\n' does not find it"),
            (runs_stay, "runs of spaces are not"),
            (always_four, "Is there a 4 in your function"),
            (different_words, "how many *different* words"),
            (words_by_letters, "a dash between spaces"),
            (no_tabs, "may hold tabs as well"),
            (empty_ones_too, "and empty ones, too"),
            (one_empty_piece, "an empty piece is no paragraph"),
            (breaks_taken_out, "put nothing in their place"),
            (returns_in_the_loop, "you look at the first paragraph only"),
            (keeps_between_calls, "another answer when it is called a second time"),
            (two_spaces_to_one, "makes two of three"),
            (sentences, "You cut at the ends of sentences"),
            (lines_of_spaces, "`''.isspace()` is False"),
            (short_ones_carried_on, "put in front of the next one"),
            (of_the_example, "you return the paragraphs of `note`"),
        ),
    ),
    "P1.2": Proof(
        right=(with_a_loop, by_scikit, by_heap, in_float32, a_table, partitioned),
        wrong=(
            (smallest_first, "the *worst* first"),
            (sorted_by_row, "sorted by their rows, smallest first"),
            (sorted_by_row_backwards, "sorted by their rows, largest first"),
            (without_brackets, "Put the product of the norms into brackets"),
            (norms_of_columns, "These shapes do not go together"),
            (reversed_top, "yours comes last"),
            (dot_products, "These are dot products"),
            (half_normalised, "not by that of the query"),
            (one_norm, "one norm of the whole matrix"),
            (euclidean, "Euclidean distances, smallest first"),
            (score_first, "The task asks for (row, score)"),
            (one_more, "one result too many"),
            (always_three, "always return three results"),
            (best_dropped, "the best result is missing"),
            (ranks, "these are ranks"),
            (rows_alone, "they are alone. Return pairs"),
            (two_lists, "two lists, one of rows"),
            (not_sorted, "in the order of their rows"),
            (cut_before_sorting, "you search the first k paragraphs only"),
            (too_few_raises, "fewer paragraphs than k"),
            (cosine_distance, "cosine distances"),
            (matrix_norm, "and not by that of the query. Each row"),
            (no_root, "a root is missing"),
            (near_one, "made of the Euclidean distance"),
            (in_per_cent, "your scores are per cent"),
            (clipped, "negative cosines have become 0"),
            (best_alone, "you return the best result only"),
            (correlations, "the mean was taken off"),
            (partitioned_only, "does not sort them"),
            (text_for_row, "your pairs hold the text 'text 2'"),
            (normalises_in_place, "changes its second argument in place"),
            (scores_by_place, "the scores belong to other rows"),
            (angles, "you return angles"),
            (to_one_decimal, "rounded to one decimal"),
        ),
    ),
    "P1.3": Proof(
        right=(padded, counted, mean_of_shares, as_decimal),
        wrong=(
            (of_those_found, "divide by the number of results found"),
            (divides_by_nothing, "it raises ZeroDivisionError"),
            (one_heap, "all results in one heap"),
            (empty_skipped, "should count as 0"),
            (any_hit, "the hit rate"),
            (at_one, "precision@1"),
            (per_cent, "per cent"),
            (number_of_hits, "how many results are relevant"),
            (summed, "the sum over the queries"),
            (not_by_three, "its three places"),
            (always_five, "as if there were always five"),
            (returns_too_early, "of the first query only"),
            (of_each, "a number for each query"),
            (rounded, "what you return is rounded"),
            (incomplete_ones_fail, "What they did find counts"),
            (by_five, "you divide by 5 for each query"),
            (all_results, "you count the results, relevant or not"),
            (falses, "you count the False"),
            (no_brackets, "brackets help"),
            (floored, "every precision below 1 becomes 0"),
            (overwritten, "`total = …` forgets"),
            (best_query, "the share of the best query"),
            (numpy_mean, "lists of different lengths"),
            (
                lambda judged: np.mean([np.mean(query) for query in judged if query]),
                "and leave queries without any out",
            ),
            (
                lambda judged: sum(all(j) for j in judged) / len(judged),
                "queries all of whose results",
            ),
            (
                lambda judged: sum((sum(j) + 3 - len(j)) / 3 for j in judged) / len(judged),
                "a missing result as a hit",
            ),
        ),
    ),
    "P1.4": Proof(
        right=(
            run(),
            run(precision=0.4),
            run(paragraphs=np.array(TEXTS), results=np.array(RESULTS), judgements=np.array(JUDGED)),
            run(paragraphs=[Piece(text) for text in TEXTS], queries=tuple(QUERIES)),
            run(judgements=[[True] * 3] * 5, precision=1.0),
            run(judgements=[[False] * 3] * 5, precision=0),
            run(
                queries=[*QUERIES, "old post"],
                results=[*RESULTS, [(19, 0.11), (31, 0.1), (1, 0.09)]],
                judgements=[*JUDGED, [True, False, False]],
                precision=np.float32(7 / 18),
            ),
        ),
        wrong=(
            (run(judgements=exchanged(JUDGED, 3, None)), "you have not judged the results of"),
            (run(paragraphs=TEXTS[:29]), "has 29 paragraphs"),
            (run(paragraphs=[*TEXTS, TEXTS[3]]), "paragraphs[3] and paragraphs[32] are the same"),
            (run(paragraphs=[*TEXTS, " "]), "paragraphs[32] is empty"),
            (run(paragraphs="\n\n".join(TEXTS)), "`paragraphs` is"),
            (run(queries=QUERIES[:4], results=RESULTS[:4]), "you have 4 queries"),
            (run(queries=[*QUERIES[:4], " Baking at  home"]), "are the same: “Baking"),
            (run(queries="baking"), "`queries` is one text"),
            (run(queries=[*QUERIES[:4], ""]), "queries[4] is empty"),
            (run(results=RESULTS[:3]), "but results for 3"),
            (run(results=[pair for entry in RESULTS for pair in entry]), "one flat list of pairs"),
            (run(results=exchanged(RESULTS, 1, RESULTS[1][:2])), "has 2 entries"),
            (run(results=exchanged(RESULTS, 2, RESULTS[2][::-1])), "sorted worst first"),
            (
                run(results=exchanged(RESULTS, 0, [(0, 0.5), (1, 0.2), (2, 0.3)])),
                "is not sorted (0.50, 0.20, 0.30)",
            ),
            (run(results=exchanged(RESULTS, 4, [(32, 0.5), (1, 0.2), (2, 0.1)])), "names row 32"),
            (
                run(results=exchanged(RESULTS, 4, [(3, 50.0), (1, 20), (2, 10)])),
                "holds the score 50",
            ),
            (
                run(results=[[(score, row) for row, score in entry] for entry in RESULTS]),
                "the row stands first",
            ),
            (run(results=[RESULTS[0]] * 5), "the same results with the same scores"),
            (
                run(results=exchanged(RESULTS, 3, [(3, 0.5), (3, 0.2), (2, 0.1)])),
                "the same paragraph twice",
            ),
            (
                run(results=exchanged(RESULTS, 3, [(TEXTS[3], 0.5), (TEXTS[4], 0.2), ("", 0.1)])),
                "holds a text where",
            ),
            (run(judgements=JUDGED[:4]), "the results of 4 queries"),
            (
                run(judgements=[value for entry in JUDGED for value in entry]),
                "`judgements` is one flat list",
            ),
            (run(judgements=exchanged(JUDGED, 2, [True, False])), "has 2 judgements"),
            (
                run(judgements=exchanged(JUDGED, 2, [True, None, False])),
                "result 2 of “hungry birds”",
            ),
            (
                run(judgements=exchanged(JUDGED, 2, [1, 0, 0])),
                "holds 1. Write True or False, as they stand",
            ),
            (run(judgements=exchanged(JUDGED, 2, ["yes", "no", "no"])), "holds 'yes'"),
            (run(queries=exchanged(QUERIES, 2, "a thirst for tea")), "Have you changed this query"),
            (run(paragraphs=TEXTS[::-1]), "It is so with every query"),
            (
                run(paragraphs=[*TEXTS, "We fed the hungry birds in the garden all winter."]),
                "Have you added texts since you searched",
            ),
            (run(precision=float("nan")), "`precision` has not been computed"),
            (run(precision=40.0), "That is per cent"),
            (run(precision=0.6), "share of the misses"),
            (
                run(judgements=exchanged(JUDGED, 3, [False, False, True]), precision=0.8),
                "share of queries with any hit",
            ),
            (
                run(
                    judgements=[[True, False, False]] * 3 + [[False, True, True]] * 2, precision=0.6
                ),
                "precision@1",
            ),
            (run(precision=6), "how many results are relevant"),
            (run(precision=0.47), "changed a judgement since"),
            (run(precision=1.2), "relevant results of an average query"),
            (
                run(results=[[(i, s) for i, (_, s) in enumerate(entry)] for entry in RESULTS]),
                "these are ranks",
            ),
            (run(precision="0.4"), "`precision` is the text"),
        ),
    ),
}
