"""Answers to project 1, a search engine of your own."""

import heapq
import re

import numpy as np
from sklearn.metrics.pairwise import cosine_similarity

from . import Proof

# P1.1


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


FOUND = []


def keeps_between_calls(text, least_words):
    FOUND.extend(line_by_line(text, least_words))
    return FOUND


# P1.2


def with_a_loop(query_vector, vectors, k):
    scored = []
    for row, vector in enumerate(vectors):
        cosine = sum(vector * query_vector) / (sum(vector**2) * sum(query_vector**2)) ** 0.5
        scored.append((row, cosine))
    return sorted(scored, key=lambda pair: pair[1], reverse=True)[:k]


def by_heap(query_vector, vectors, k):
    q = query_vector / np.linalg.norm(query_vector)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    best = heapq.nlargest(k, ((float(s), i) for i, s in enumerate(unit @ q)))
    return tuple([i, s] for s, i in best)


def partitioned(query_vector, vectors, k):
    scores = cosine_similarity([query_vector], vectors)[0]
    k = min(k, len(scores))
    top = np.argpartition(-scores, k - 1)[:k]
    return [(int(i), scores[i]) for i in top[np.argsort(-scores[top])]]


def text_for_row(query_vector, vectors, k):
    return [(f"text {row}", score) for row, score in with_a_loop(query_vector, vectors, k)]


def too_few_raises(query_vector, vectors, k):
    scores = cosine_similarity([query_vector], vectors)[0]
    order = np.argsort(-scores)
    return [(int(order[i]), scores[order[i]]) for i in range(k)]


def normalises_in_place(query_vector, vectors, k):
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return with_a_loop(query_vector, vectors, k)


# P1.3


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


# P1.4

WORDS = "bread boats gulls winter music letters stones trains rain soup"
TOPICS = WORDS.split()
TEXTS = [
    f"On day {n} we spoke of {TOPICS[n % 10]} and of {TOPICS[n // 10]}, for hours."
    for n in range(32)
]
QUERIES = ["baking at home", "a ship comes in", "hungry birds", "the cold months"]
QUERIES = [*QUERIES, "playing the piano"]
RESULTS = [  # what MiniLM finds
    [(0, 0.29), (30, 0.28), (9, 0.24)],
    [(11, 0.35), (15, 0.33), (17, 0.32)],
    [(2, 0.37), (22, 0.34), (29, 0.34)],
    [(13, 0.43), (3, 0.42), (23, 0.41)],
    [(4, 0.24), (14, 0.2), (24, 0.15)],
]
JUDGED = [[mark == "+" for mark in marks] for marks in ("+-+", "++-", "---", "+--", "-+-")]


def run(**changed):
    names = ("paragraphs", "queries", "results", "judgements", "precision")
    right = dict(zip(names, (TEXTS, QUERIES, RESULTS, JUDGED, 0.4), strict=True))
    return tuple((right | changed).values())


class Piece:
    def __init__(self, text):
        self.text = text


def exchanged(values, place, value):
    return [value if at == place else entry for at, entry in enumerate(values)]


PROOFS = {
    "P1.1": Proof(
        right=(line_by_line, a_generator),
        wrong=(
            (keeps_between_calls, "another answer when it is called a second time"),
            (lambda text, least_words: set(line_by_line(text, least_words)), "is a set"),
            (lambda text, least_words: len(line_by_line(text, least_words)), "asks for a list"),
        ),
    ),
    "P1.2": Proof(
        right=(with_a_loop, by_heap, partitioned),
        wrong=(
            (text_for_row, "the row of a pair is 'text 2'"),
            (too_few_raises, "it raises IndexError"),
            (normalises_in_place, "changes `vectors` in place"),
        ),
    ),
    "P1.3": Proof(
        right=(padded, counted),
        wrong=(
            (lambda judgements: f"{counted(judgements):.2f}", "asks for a number"),
            (lambda judgements: print(counted(judgements)), "prints its result"),
        ),
    ),
    "P1.4": Proof(
        right=(
            run(),
            run(precision=np.float32(6 / 15)),
            run(paragraphs=np.array(TEXTS), results=np.array(RESULTS), judgements=np.array(JUDGED)),
            run(paragraphs=map(Piece, TEXTS), queries=tuple(QUERIES), results=iter(RESULTS)),
            run(judgements=[[False] * 3] * 5, precision=0),
        ),
        wrong=(
            (run(paragraphs=TEXTS[:29]), "you have 29 paragraphs; 30 or more"),
            (run(paragraphs=[*TEXTS, TEXTS[3]]), "paragraphs[3] and paragraphs[32] are the same"),
            (run(paragraphs=[*TEXTS, " "]), "paragraphs[32] is empty"),
            (run(queries=[*QUERIES[:4], " Baking at  home"]), "are the same: “Baking"),
            (run(queries="baking"), "asks for a list"),
            (run(results=RESULTS[:3]), "but results for 3"),
            (run(results=[pair for entry in RESULTS for pair in entry]), "one flat list"),
            (run(results=exchanged(RESULTS, 1, RESULTS[1][:2])), "has 2 entries"),
            (run(results=exchanged(RESULTS, 2, RESULTS[2][::-1])), "the best comes first"),
            (run(results=exchanged(RESULTS, 4, [(32, 0.5), (1, 0.2), (2, 0.1)])), "32 paragraphs"),
            (run(results=exchanged(RESULTS, 4, [(3, 50.0), (1, 20), (2, 10)])), "a cosine lies"),
            (run(results=exchanged(RESULTS, 3, [(3, 0.5), (3, 0.2), (2, 0.1)])), "there twice"),
            (run(results=[[p[::-1] for p in entry] for entry in RESULTS]), "it stands first"),
            (run(results=[RESULTS[0]] * 5), "all queries have the same results"),
            (
                run(results=[[(i, s) for i, (_, s) in enumerate(entry)] for entry in RESULTS]),
                "these are ranks",
            ),
            (run(queries=exchanged(QUERIES, 2, "a thirst for tea")), "scores 0.13, not 0.37"),
            (
                run(paragraphs=[*TEXTS, "We fed the hungry birds in the garden all winter."]),
                "and is not among them",
            ),
            (run(judgements=JUDGED[:4]), "but judgements for 4"),
            (run(judgements=[value for entry in JUDGED for value in entry]), "one flat list"),
            (run(judgements=exchanged(JUDGED, 2, [True, None, False])), "holds None. Write True"),
            (run(judgements=exchanged(JUDGED, 2, [1, 0, 0])), "holds 1. Write True"),
            (run(precision=40.0), "that is per cent"),
            (run(precision=6), "how many results are relevant"),
            (run(precision=0.6), "that is precision@1"),
            (run(precision=0.47), "have you changed one since"),
        ),
    ),
}
