"""The checks of project 1, a search engine of your own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

import numpy as np

from helpers.checks.exercise import (
    Answer,
    Case,
    Mistake,
    Wrong,
    describe,
    exercise,
    judge,
    number,
    sequence,
    texts,
)

# P1.1

#: The notebook's example.
NOTE = """Bread

Flour, water and salt,
and a night in a cool place.
   
Bake it hot.

It sings when it cools:
listen."""


def split_paragraphs(text: str, least_words: int) -> list[str]:
    """Return the paragraphs of `text` that have `least_words` words or more, each in one line."""
    blocks: list[list[str]] = [[]]
    for line in text.splitlines():
        if line.strip():
            blocks[-1] += line.split()
        else:
            blocks.append([])
    return [" ".join(words) for words in blocks if words and len(words) >= least_words]


_CHARACTERS = "the `len` of a text counts its characters; words are counted by `len(block.split())`"


def _blocks(text: str, pattern: str = r"\n\s*\n") -> list[str]:
    return [block for block in re.split(pattern, text.strip()) if block.strip()]


def _joined(block: str) -> str:
    return " ".join(block.split())


def _lines(form):
    def each_line(text, least_words):
        return [form(b) for b in text.splitlines() if b.strip() and len(b.split()) >= least_words]

    return each_line


def _two_breaks(text, least_words):
    """Only "\n\n" ends a paragraph."""
    found = [_joined(block) for block in text.split("\n\n")]
    return [block for block in found if block and len(block.split()) >= least_words]


def _unix_only(text, least_words):
    """Blank lines may hold spaces, but a carriage return is taken for text."""
    found = [_joined(block) for block in re.split(r"\n[ \t]*\n", text)]
    return [block for block in found if block and len(block.split()) >= least_words]


def _without_the_last(split):
    """A loop that takes a paragraph in only where it meets a blank line."""

    def loop(text, least_words):
        found, words = [], []
        for line in split(text):
            words += line.split()
            if not line.strip() and words:
                found, words = [*found, words], []
        return [" ".join(words) for words in found if len(words) >= least_words]

    return loop


def _short_ones_carried_on(text, least_words):
    """Words are forgotten only where a paragraph is taken in."""
    found, words = [], []
    for line in [*text.splitlines(), ""]:
        words += line.split()
        if not line.strip() and words and len(words) >= least_words:
            found, words = [*found, " ".join(words)], []
    return found


def _filtered(keep, form=_joined, pattern=r"\n\s*\n"):
    return lambda text, least: [form(b) for b in _blocks(text, pattern) if keep(_joined(b), least)]


def _two_spaces_to_one(block):
    return block.replace("\r", "").replace("\n", " ").replace("  ", " ").strip()


def _at_spaces_only(text, least_words):
    """`line.isspace()` for a blank line, which an empty one is not."""
    found, words = [], []
    for line in [*text.splitlines(), " "]:
        words += line.split()
        if line.isspace():
            found, words = [*found, words], []
    return [" ".join(words) for words in found if words and len(words) >= least_words]


def _enough(block, least):
    return len(block.split()) >= least


def _cut(pattern, form=_joined, keep=_enough):
    """Cut as written at first: nothing is stripped before, and nothing looked at after."""
    return lambda text, least: [form(b) for b in re.split(pattern, text) if keep(b, least)]


@exercise(
    "P1.1",
    level=1,
    title="What is a paragraph?",
    names=["split_paragraphs"],
    hints=[
        "`text.splitlines()` gives the lines, whatever line ends the file has. Which of them are "
        "blank? `line.strip()` is empty for those.",
        "Collect the words of line after line; at a blank line the paragraph is complete. Mind the "
        "last paragraph, which no blank line follows.",
        "`re.split(r'\\n\\s*\\n', text)` cuts at blank lines, too. Then `words = block.split()`, keep "
        "it if `len(words) >= least_words`, and `' '.join(words)` is the paragraph in one line.",
    ],
)
def project_1_1(answer: Answer) -> str:
    """Blank lines divide, line breaks do not, and the shortest allowed one stays."""
    cases = [
        Case((text, least), f"{text!r} and least_words={least}")
        for text, least in (
            ("The ferry\nleaves at ten.\n\nTickets\n\nBring a coat and\nsome money.", 4),
            ("Oh!\n\nIt is cold.\n\nBring a coat and a hat.", 4),
            ("Bread rises.\n\nIt needs a night.\n\nThen it is\nbaked.", 3),
            ("\n\nOne two three.\n\n\n\nFour  five six.\n\n", 2),
            ("Seen from here,\n  it is small.\n \t\nIt grows.\n   \nThen it stops.", 2),
            ("First line\r\nof two.\r\n\r\nSecond one.\r\n", 2),
            ("Same as ever.\n\nAnother thing.\n\nSame as ever.", 2),
            ("Only one, without an end", 1),
            ("On and on and on.\n\nStop it now.", 5),
            ("It's off.\n\nOpen 9 – 5 today.\n\n7 – 9", 3),
            ("Too short.\n\nAs well.", 3),
            ("The tide turns. The boats leave at ten.\n\nNobody swims here.", 3),
            ("", 1),
        )
    ]
    mistakes = [
        Mistake(
            _filtered(_enough, str.strip),
            "the paragraphs are right, but their line breaks (or double spaces) are still in: for "
            "{case} you return {got}. `' '.join(block.split())` makes it one line.",
        ),
        *(
            Mistake(
                _filtered(_enough, lambda block, breaks=breaks: re.sub(breaks, " ", block.strip())),
                "the line breaks are gone, but runs of spaces are not: for {case} you return {got}. Each "
                "should become a single space.",
            )
            for breaks in (r"[\r\n]", r"\s*\n\s*")
        ),
        Mistake(
            _filtered(_enough, _two_spaces_to_one),
            "runs of spaces are not gone: for {case} you return {got}. Replacing two spaces by one makes two of "
            "three. `' '.join(block.split())` takes care of any number.",
        ),
        Mistake(
            _at_spaces_only,
            "for {case} you return {got}: an empty line does not divide, for `''.isspace()` is False. Ask "
            "`not line.strip()`.",
        ),
        Mistake(
            _filtered(_enough, _joined, r"(?<=[.!?:])\s+"),
            "for {case} you return {got}. You cut at the ends of sentences. A paragraph ends at a blank line.",
        ),
        *(
            Mistake(
                _lines(form),
                "you take every line for a paragraph. A paragraph goes on until a blank line: for "
                "{case} you return {got}.",
            )
            for form in (_joined, str.strip, str)
        ),
        Mistake(
            _filtered(lambda block, least: len(block.split()) > least),
            "for {case} you return {got}. A paragraph of exactly `least_words` words stays: `>=`, "
            "not `>`.",
        ),
        Mistake(
            _filtered(lambda block, least: True),
            "for {case} you return {got}: the short ones are still in. What is `least_words` for?",
        ),
        Mistake(
            _cut(r"\n\s*\n", keep=lambda block, least: len(block.split(" ")) >= least),
            "for {case} you return {got}: an empty piece is no paragraph, whatever `least_words` is. "
            "(`''.split(' ')` has one word, `''.split()` has none.)",
        ),
        Mistake(
            lambda text, least: split_paragraphs(text, 4),
            "for {case} you return {got}. Is there a 4 in your function? `least_words` is another number "
            "here.",
        ),
        Mistake(
            _filtered(lambda block, least: len(set(block.split())) >= least),
            "for {case} you return {got}. You count how many *different* words a paragraph has; a word "
            "that comes again counts again.",
        ),
        *(
            Mistake(
                _filtered(lambda block, least, word=word: len(re.findall(word, block)) >= least),
                "for {case} you return {got}. You count words in another way than `len(block.split())`, "
                'for which "It\'s" is one word, and a dash between spaces is one, too.',
            )
            for word in (r"\w+", r"[a-zA-Z]+", r"[A-Za-z']+")
        ),
        *(
            Mistake(
                _filtered(lambda block, least, short=short: short(len(block.split()), least)),
                "you keep the short paragraphs and drop the long ones: for {case} you return {got}.",
            )
            for short in (int.__lt__, int.__le__)
        ),
        *(
            Mistake(
                _filtered(lambda block, least, long=long: long(len(block), least)),
                f"for {{case}} you return {{got}}. {_CHARACTERS[0].upper()}{_CHARACTERS[1:]}.",
            )
            for long in (int.__ge__, int.__gt__)
        ),
        Mistake(
            _short_ones_carried_on,
            "for {case} you return {got}: a paragraph that is too short is not left out, but put in front of "
            "the next one. Empty your collection at every blank line.",
        ),
        *(
            Mistake(
                lambda text, least, found=found: found(least),
                "you return the paragraphs of `note`, the example of the notebook. The function is given "
                "another text.",
            )
            for found in (
                lambda least: split_paragraphs(NOTE, least),
                lambda least: split_paragraphs(NOTE, 4),
            )
        ),
        Mistake(
            _two_breaks,
            "for {case} you return {got}. You look for two line breaks in a row; a blank line may "
            "also hold spaces, or end as Windows ends lines ('\\r\\n').",
        ),
        *(
            Mistake(
                _cut(pattern, keep=lambda block, least: True),
                "for {case} you return {got}: the short ones are still in, and empty ones, too. What is "
                "`least_words` for?",
            )
            for pattern in (r"\n\s*\n", r"\n\n")
        ),
        Mistake(
            _cut(r"\n *\n"),
            "for {case} you return {got}. A blank line may hold tabs as well as spaces, and in files from "
            "Windows a '\\r': `\\s*` stands for all of them, and so does `not line.strip()`.",
        ),
        *(
            Mistake(
                _cut(r"\n\n", keep=keep),
                "for {case} you return {got}. Two things remain. A blank line may also hold spaces, or end as Windows "
                f"ends lines ('\\r\\n'). And {what}.",
            )
            for keep, what in (
                (lambda block, least: len(block) > least, _CHARACTERS),
                (lambda block, least: len(block) >= least, _CHARACTERS),
                (
                    lambda block, least: len(block.split()) > least,
                    "a paragraph of exactly `least_words` words stays: `>=`, not `>`",
                ),
            )
        ),
        Mistake(
            _unix_only,
            "for {case} you return {got}. In files from Windows lines end with '\\r\\n', so the two "
            "'\\n' around a blank line have a '\\r' between them. `text.splitlines()` knows all kinds.",
        ),
        Mistake(
            _cut(r"\n\n", lambda block: block.strip().replace("\n", " ")),
            "for {case} you return {got}. You put a space for each line break; runs of spaces remain, and so "
            "may the '\\r' of Windows. `' '.join(block.split())` takes care of all. (And a blank line may hold "
            "spaces: '\\n\\n' does not find it.)",
        ),
        Mistake(
            _filtered(_enough, lambda block: "".join(x.strip() for x in block.splitlines())),
            "you join the lines of a paragraph with nothing between them, so that two words grow "
            "together: for {case} you return {got}.",
        ),
        Mistake(
            _cut(r"\n\s*\n", lambda block: "".join(block.split("\n"))),
            "you take the line breaks out and put nothing in their place, so that two words grow "
            "together: for {case} you return {got}.",
        ),
        *(
            Mistake(
                _without_the_last(split),
                "your last paragraph is missing: for {case} you return {got}. No blank line follows "
                "it, so it must be taken in after the loop.",
            )
            for split in (str.splitlines, lambda text: text.split("\n"))
        ),
        Mistake(
            _filtered(_enough, str.split),
            "you return each paragraph as a list of its words. Put them together: `' '.join(words)`.",
        ),
        Mistake(
            lambda text, least: split_paragraphs(text, least)[:1],
            "you return the first paragraph only. Does `return` stand inside the loop?",
        ),
        Mistake(
            lambda text, least: [
                _joined(block)
                for block in re.split(r"\n\s*\n", text)[:1]
                if len(block.split()) >= least
            ],
            "you look at the first paragraph only. Does `return` stand inside the loop?",
        ),
        Mistake(
            lambda text, least: split_paragraphs(text, least)[1:],
            "your first paragraph is missing: for {case} you return {got}.",
        ),
        Mistake(
            lambda text, least: sorted(split_paragraphs(text, least), key=len),
            "your paragraphs are sorted by length; they should stay in the order of the text.",
        ),
        Mistake(
            lambda text, least: list(dict.fromkeys(split_paragraphs(text, least))),
            "for {case} you return {got}: a paragraph that comes twice is in only once. That is a good "
            "idea, but it was not asked for here.",
        ),
        Mistake(
            lambda text, least: sorted(split_paragraphs(text, least)),
            "your paragraphs are sorted by alphabet; they should stay in the order of the text.",
        ),
        Mistake(
            lambda text, least: len(split_paragraphs(text, least)),
            "you return how many paragraphs there are ({got}). Return the paragraphs.",
        ),
        Mistake(
            lambda text, least: "\n\n".join(split_paragraphs(text, least)),
            "you return one text again. The task asks for a list with a text for each paragraph.",
        ),
    ]
    judge(answer, cases, split_paragraphs, mistakes, read=_paragraphs_read)
    return (
        "right: blank lines divide, line breaks do not, and it reads files from Windows as well. "
        "`read_paragraphs` does the same for your files, below."
    )


def _paragraphs_read(value) -> list[str]:
    found = texts(value)
    for text in found:
        if not text.strip():
            raise Wrong(
                "one of your paragraphs is empty. Before a blank line at the start, after one at the end, "
                "and in an empty text there are no words: leave such a piece out, whatever `least_words` is."
            )
        if "\n" in text or "\r" in text:
            raise Wrong(
                f"the paragraph {describe(text)} still holds a line break. `' '.join(paragraph.split())` "
                "makes it one line."
            )
        if text != text.strip():
            raise Wrong(f"the paragraph {describe(text)} begins or ends with a space.")
    return found


# P1.2


def search(query_vector: np.ndarray, vectors: np.ndarray, k: int) -> list[tuple[int, float]]:
    """Return (row, cosine) of the `k` vectors nearest to the query, best first."""
    return _best(_cosines(query_vector, vectors), k)


def _cosines(query_vector, vectors):
    return vectors @ query_vector / np.linalg.norm(vectors, axis=1) / np.linalg.norm(query_vector)


def _best(scores, k):
    return [(int(row), float(scores[row])) for row in np.argsort(-scores)[:k]]


def _pairs_read(value) -> list[tuple[int, float]]:
    items = sequence(value)
    pairs = []
    for item in items:
        if isinstance(item, (int, np.integer)):
            raise Wrong(f"you return row numbers alone, {describe(value)}. Each needs its score.")
        if isinstance(item, (float, np.floating)):
            raise Wrong(f"you return scores alone, {describe(value)}. Which rows are they from?")
        if isinstance(item, (Mapping, str)) or not hasattr(item, "__len__"):
            raise Wrong(f"your list holds {describe(item)}; the task asks for pairs (row, score).")
        if len(item) != 2:
            two = len(items) == 2
            raise Wrong(
                "you return two lists, one of rows and one of scores. `list(zip(rows, scores))` makes "
                "pairs of them."
                if two
                else f"your list holds {describe(item)}; the task asks for pairs (row, score)."
            )
        for part in item:
            if isinstance(part, str):
                raise Wrong(
                    f"your pairs hold the text {describe(part)}. The row is a number, the place of the "
                    "paragraph in `vectors`; the score is one, too."
                )
        row, score = (number(part, "a row or score") for part in item)
        if row != int(row):
            swapped = score == int(score)
            raise Wrong(
                f"your list holds {describe(item)}: the score stands first. A pair is (row, score)."
                if swapped
                else f"your list holds {describe(item)}; a row is a whole number."
            )
        pairs.append((int(row), score))
    return pairs


def _pairs_agree(found, expected) -> bool:
    return [row for row, _ in found] == [row for row, _ in expected] and np.allclose(
        [score for _, score in found], [score for _, score in expected], rtol=1e-4, atol=1e-4
    )


@exercise(
    "P1.2",
    level=1,
    title="The three best",
    names=["search"],
    hints=[
        "First all scores: one number for each row of `vectors`. Then the order.",
        "`vectors @ query_vector` gives one dot product for each row; divide it by the norm of the row "
        "and by the norm of the query. `np.argsort(-scores)` gives the rows, best first.",
        "`norms = np.linalg.norm(vectors, axis=1)`, `scores = vectors @ query_vector / norms / "
        "np.linalg.norm(query_vector)`, `order = np.argsort(-scores)[:k]`, and a list of "
        "`(int(row), float(scores[row]))` for the rows in `order`.",
    ],
)
def project_1_2(answer: Answer) -> str:
    """Cosine, largest first, row before score, and no more than there are."""
    rng = np.random.default_rng(112)
    cases = []
    for rows, dimension, k in (
        (7, 4, 3),
        (9, 5, 1),
        (4, 6, 4),
        (12, 3, 5),
        (700, 8, 400),
        (2, 3, 3),
    ):
        vectors = rng.normal(size=(rows, dimension)) * rng.uniform(0.3, 4, size=(rows, 1))
        words = f"{rows} paragraphs in {dimension} dimensions and k={k}"
        cases.append(Case((3 * rng.normal(size=dimension), vectors, k), words))

    def by(scores):
        return lambda q, v, k: _best(scores(q, v), k)

    def dot(q, v):
        return v @ q

    def distance(q, v):
        return np.linalg.norm(v - q, axis=1)

    def unsorted(q, v, k):
        return sorted(search(q, v, k))

    def partitioned(at):
        def best(q, v, k):
            scores = _cosines(q, v)
            rows = np.argpartition(-scores, min(k - at, len(scores) - 1))[:k]
            return [(int(row), float(scores[row])) for row in rows]

        return best

    def rank_for_row(q, v, k):
        return [(place, score) for place, (_, score) in enumerate(search(q, v, k))]

    mistakes = [
        Mistake(
            lambda q, v, k: search(q, v, len(v))[::-1][:k],
            "for {case} you return {got}: the *worst* first. `np.argsort` puts the smallest first; a "
            "large cosine is a good one.",
        ),
        Mistake(
            lambda q, v, k: search(q, v, k)[::-1],
            "these are the right paragraphs in the wrong order: the best should come first, yours "
            "comes last.",
        ),
        Mistake(
            by(dot),
            "for {case} you return {got}; it should be {expected}. These are dot products: here the "
            "vectors have different lengths, and long ones win. Divide by the norms.",
        ),
        Mistake(
            by(lambda q, v: dot(q, v) / np.linalg.norm(v, axis=1)),
            "the order is right, but the scores are no cosines: you divide by the norms of the "
            "paragraphs, not by that of the query.",
        ),
        Mistake(
            by(lambda q, v: dot(q, v) / np.linalg.norm(q)),
            "you divide by the norm of the query only. It changes no order; the norms of the "
            "paragraphs do.",
        ),
        Mistake(
            by(lambda q, v: dot(q, v) / np.linalg.norm(v) / np.linalg.norm(q)),
            "you divide by one norm of the whole matrix. Each row has its own: "
            "`np.linalg.norm(vectors, axis=1)`.",
        ),
        Mistake(
            lambda q, v, k: [(r, distance(q, v)[r]) for r in np.argsort(distance(q, v))[:k]],
            "for {case} you return {got}: Euclidean distances, smallest first. The task asks for "
            "cosines, largest first.",
        ),
        Mistake(
            by(lambda q, v: dot(q, v) / np.linalg.norm(v)),
            "you divide by one norm of the whole matrix, and not by that of the query. Each row has its "
            "own: `np.linalg.norm(vectors, axis=1)`.",
        ),
        Mistake(
            by(lambda q, v: dot(q, v) / (v**2).sum(axis=1) / (q**2).sum()),
            "you divide by the squares of the norms: a root is missing. `np.linalg.norm` draws it.",
        ),
        *(
            Mistake(
                by(near),
                "for {case} you return {got}: a similarity made of the Euclidean distance. The task asks "
                "for the cosine.",
            )
            for near in (
                lambda q, v: 1 / (1 + distance(q, v)),
                lambda q, v: -distance(q, v),
                lambda q, v: 1 - distance(q, v),
            )
        ),
        Mistake(
            lambda q, v, k: [(row, 100 * score) for row, score in search(q, v, k)],
            "your scores are per cent. A cosine lies between -1 and 1.",
        ),
        Mistake(
            lambda q, v, k: [(row, max(0.0, score)) for row, score in search(q, v, k)],
            "for {case} you return {got}: negative cosines have become 0. They should stay as they are.",
        ),
        Mistake(
            lambda q, v, k: search(q, v, 1),
            "you return the best result only. For {case} the list should have k pairs.",
        ),
        Mistake(
            by(lambda q, v: _cosines(q - q.mean(), v - v.mean(axis=1, keepdims=True))),
            "for {case} you return {got}: correlations, for the mean was taken off each vector. The "
            "cosine takes the vectors as they are.",
        ),
        *(
            Mistake(
                partitioned(at),
                "the right paragraphs, but in no order: `np.argpartition` finds the best k and does not "
                "sort them. Sort those k by their scores.",
            )
            for at in (0, 1)
        ),
        Mistake(
            lambda q, v, k: [
                (row, np.arccos(np.clip(score, -1, 1))) for row, score in search(q, v, k)
            ],
            "the paragraphs are right, but you return angles. The cosine of the angle was asked for.",
        ),
        Mistake(
            by(distance),
            "for {case} you return {got}: Euclidean distances, and the *farthest* first.",
        ),
        Mistake(
            lambda q, v, k: [(row, 1 - score) for row, score in search(q, v, k)],
            "the paragraphs are right, but you return cosine distances, 1 minus the cosine.",
        ),
        Mistake(
            lambda q, v, k: [(score, row) for row, score in search(q, v, k)],
            "the score stands first in your pairs. The task asks for (row, score).",
        ),
        Mistake(
            lambda q, v, k: search(q, v, k + 1),
            "for {case} you return one result too many. `order[:k]` has k of them.",
        ),
        Mistake(
            lambda q, v, k: search(q, v, k - 1),
            "for {case} you return one result too few. `order[:k]` has k of them, for the end does "
            "not count.",
        ),
        Mistake(
            lambda q, v, k: search(q, v, len(v)),
            "for {case} you return all paragraphs. Only the best k were asked for.",
        ),
        Mistake(
            lambda q, v, k: search(q, v, 3),
            "you always return three results; here, k is another number: {case}.",
        ),
        Mistake(
            lambda q, v, k: search(q, v, k + 1)[1:],
            "the best result is missing. Does your function take it for the query itself? The query is "
            "none of the paragraphs.",
        ),
        Mistake(
            unsorted,
            "these are the right results, but in the order of their rows. The best should come first.",
        ),
        Mistake(
            rank_for_row,
            "your rows are always 0, 1, 2, …: these are ranks. Keep the row from before sorting, for "
            "it says which paragraph it is.",
        ),
        Mistake(
            lambda q, v, k: [(row + 1, score) for row, score in search(q, v, k)],
            "your rows are one too large. Rows are counted from 0, as in `paragraphs[row]`.",
        ),
        Mistake(
            lambda q, v, k: [(row, abs(score)) for row, score in search(q, v, k)],
            "your scores have lost their sign. A cosine below 0 is a low one.",
        ),
        Mistake(
            by(lambda q, v: np.abs(_cosines(q, v))),
            "for {case} you return {got}. You sort by the size of the cosine without its sign, so an "
            "opposite vector counts as near.",
        ),
        Mistake(
            lambda q, v, k: [row for row, _ in search(q, v, k)],
            "your rows are right, but they are alone. Return pairs (row, score).",
        ),
        Mistake(
            lambda q, v, k: [score for _, score in search(q, v, k)],
            "your scores are right, but they are alone. Return pairs (row, score), or nobody knows "
            "which paragraphs they belong to.",
        ),
        Mistake(
            lambda q, v, k: dict(search(q, v, k)),
            "you return a dictionary from row to score. The task asks for a list of pairs.",
        ),
        Mistake(
            lambda q, v, k: search(q, v, k)[0],
            "you return the best pair only. Return a list of k pairs, also when k is 1.",
        ),
        *(
            Mistake(
                lambda q, v, k, digits=digits: [
                    (row, round(score, digits)) for row, score in search(q, v, k)
                ],
                f"the results are right, but the scores are rounded to {words}. Round when you print, not "
                "before: rounded scores make ties.",
            )
            for digits, words in ((3, "three decimals"), (2, "two decimals"), (1, "one decimal"))
        ),
        Mistake(
            lambda q, v, k: [
                (row, _cosines(q, v)[place]) for place, (row, _) in enumerate(search(q, v, k))
            ],
            "the rows are right, but the scores belong to other rows: `scores[place]` for `scores[row]`. Look "
            "the score up with the row.",
        ),
        Mistake(
            lambda q, v, k: [(row, score) for row, score in search(q, v, k) if score > 0],
            "for {case} you return {got}: results with a cosine below 0 are missing. The task asks for "
            "the best k, however low they score.",
        ),
        Mistake(
            lambda q, v, k: [
                (int(row), float(_cosines(q, v)[row])) for row in np.argsort(-dot(q, v))[:k]
            ],
            "your scores are cosines, but the order (and the choice) is that of the dot products: sort "
            "by what you return.",
        ),
        Mistake(
            by(lambda q, v: dot(q, v / np.linalg.norm(v, axis=0)) / np.linalg.norm(q)),
            "you divide by the norms of the columns (`axis=0`). A paragraph is a row: `axis=1`.",
        ),
    ]
    mistakes += [
        Mistake(
            lambda q, v, k, step=step: list(enumerate(_cosines(q, v)))[::step][:k],
            f"your pairs are sorted by their rows, {words}: for {{case}} you return {{got}}. `sort` looks at what "
            "comes first in a pair; give it `key=lambda pair: pair[1]`.",
        )
        for step, words in ((1, "smallest first"), (-1, "largest first"))
    ]
    mistakes += [
        Mistake(
            by(lambda q, v: dot(q, v) / np.linalg.norm(q) * np.linalg.norm(v, axis=1)),
            "for {case} you return {got}; it should be {expected}. You divide by one norm and multiply by the other: "
            "`a / b * c` is `(a / b) * c`. Put the product of the norms into brackets.",
        ),
        Mistake(
            lambda q, v, k: search(q, v[:k], k),
            "you search the first k paragraphs only. Score all of them, sort, then cut.",
        ),
    ]
    try:
        judge(answer, cases[:-1], search, mistakes, read=_pairs_read, agree=_pairs_agree)
    except Wrong as wrong:
        if "could not be broadcast" not in str(wrong) and "shapes" not in str(wrong):
            raise
        raise Wrong(
            f"{wrong}\nThese shapes do not go together. There is one score for each row of `vectors`, so one norm "
            "for each row: `np.linalg.norm(vectors, axis=1)`."
        ) from None
    few = cases[-1]
    try:
        answer(*few.arguments)
    except Wrong as wrong:
        raise Wrong(
            f"it goes well until there are fewer paragraphs than k ({few}): {wrong}"
        ) from None
    judge(answer, [few], search, mistakes, read=_pairs_read, agree=_pairs_agree)
    return "right: largest cosine first, and each score with the row that it belongs to."


# P1.3


def precision_at_3(judgements: list[list[bool]]) -> float:
    """Return the mean over the queries of the share of three places that hold a relevant result."""
    return sum(sum(query[:3]) / 3 for query in judgements) / len(judgements)


def _mean(measure):
    return lambda judgements: sum(measure(query) for query in judgements) / len(judgements)


def _share(value) -> float:
    return number(float(value) if isinstance(value, (Fraction, Decimal)) else value)


@exercise(
    "P1.3",
    level=1,
    title="How good is it?",
    names=["precision_at_3"],
    hints=[
        "Take one query: how many of its results are True? Of how many places?",
        "Always of three places, also when fewer results were found. `sum([True, False, True])` is 2.",
        "`sum(query) / 3` for each query, then the sum of those, divided by the number of queries.",
    ],
)
def project_1_3(answer: Answer) -> str:
    """Three places a query, filled or not, and every query counts alike."""
    yes, no = True, False
    cases = [
        Case((judged,), describe(judged) if len(judged) < 3 else f"judgements = {judged}")
        for judged in (
            [[yes, yes, no], [no, no, yes]],
            [[yes, no, no], [yes, yes, yes], [no, no, no], [no, yes, yes]],
            [[yes, yes], [no, yes, no], [], [yes]],
            [[no, yes]],
            [[yes, yes, yes]] * 2,
            [[], [no, no, no]],
            [[no, yes, no], [yes, yes], [yes, no, yes], [no, no, no], [yes], [no, no, yes]],
        )
    ]

    def flat(judgements):
        return [value for query in judgements for value in query]

    mistakes = [
        Mistake(
            _mean(lambda query: sum(query) / len(query) if query else 0),
            "for {case} you return {got}; it should be {expected}. You divide by the number of results "
            "found. A place that stays empty is a miss: divide by 3.",
        ),
        Mistake(
            lambda judged: sum(flat(judged)) / len(flat(judged)) if flat(judged) else 0.0,
            "for {case} you return {got}; it should be {expected}. You put all results in one heap and "
            "divide by how many were found; an empty place is a miss, and each query has three.",
        ),
        Mistake(
            lambda judged: np.mean([np.mean(query) for query in judged if query] or [0.0]),
            "for {case} you return {got}; it should be {expected}. You divide by the number of results found, "
            "and leave queries without any out. Each query has three places: divide by 3.",
        ),
        Mistake(
            lambda judged: np.mean([sum(query) / 3 for query in judged if query] or [0.0]),
            "for {case} you return {got}; it should be {expected}. A query without any result is left "
            "out; it should count as 0.",
        ),
        Mistake(
            lambda judged: sum(sum(query) / 3 for query in judged if len(query) == 3) / len(judged),
            "for {case} you return {got}; it should be {expected}. Queries with fewer than three results "
            "count as 0 with you. What they did find counts; only the missing places are misses.",
        ),
        Mistake(
            _mean(lambda query: float(any(query))),
            "you count the queries with at least one relevant result. That is the hit rate: {got} "
            "instead of {expected} for {case}.",
        ),
        *(
            Mistake(
                _mean(every),
                "you count only the queries all of whose results are relevant (for `all`, or because `//` "
                "makes 0 of 2 / 3). For {case} the share of relevant places is {expected}, not {got}.",
            )
            for every in (
                lambda query: float(len(query) == 3 and all(query)),
                lambda query: all(query),
            )
        ),
        Mistake(
            _mean(lambda query: (sum(query) + 3 - len(query)) / 3),
            "for {case} you return {got}; it should be {expected}. You count a missing result as a hit; it is "
            "a miss.",
        ),
        Mistake(
            _mean(lambda query: float(bool(query) and query[0])),
            "you look at the first result of each query only. That is precision@1.",
        ),
        Mistake(
            _mean(lambda query: 1 / (query.index(True) + 1) if True in query else 0.0),
            "you take 1 divided by the rank of the first relevant result. That is the reciprocal rank, "
            "another measure.",
        ),
        Mistake(
            lambda judged: round(100 * precision_at_3(judged)),
            "you return per cent: {got}. A precision lies between 0 and 1.",
        ),
        Mistake(
            lambda judged: 100 * precision_at_3(judged),
            "you return per cent: {got}. A precision lies between 0 and 1.",
        ),
        Mistake(
            lambda judged: 1 - precision_at_3(judged),
            "you count the misses: {got} for {case}. Precision counts what is relevant.",
        ),
        Mistake(
            lambda judged: sum(flat(judged)),
            "you return how many results are relevant, {got}. A share was asked for.",
        ),
        Mistake(
            lambda judged: sum(flat(judged)) / 3,
            "for {case} you return {got}, the sum over the queries. Divide by their number.",
        ),
        Mistake(
            lambda judged: sum(flat(judged)) / len(judged),
            "for {case} you return {got}, the number of relevant results of an average query. Divide by "
            "its three places, too.",
        ),
        Mistake(
            lambda judged: sum(flat(judged)) / 15,
            "you divide by 15, as if there were always five queries. Here: {case}.",
        ),
        Mistake(
            lambda judged: sum(flat(judged)) / 5 / 3,
            "you divide by 15, as if there were always five queries. Here: {case}.",
        ),
        Mistake(
            lambda judged: sum(flat(judged)) / 5 / len(judged),
            "for {case} you return {got}: you divide by 5 for each query. A query has three places.",
        ),
        Mistake(
            lambda judged: len(flat(judged)) / 3 / len(judged),
            "for {case} you return {got}: you count the results, relevant or not. Count those that are "
            "True.",
        ),
        Mistake(
            lambda judged: flat(judged).count(False) / 3 / len(judged),
            "for {case} you return {got}: you count the False. Precision counts the True.",
        ),
        Mistake(
            lambda judged: sum(flat(judged)) / 3 * len(judged),
            "for {case} you return {got}. `a / 3 * n` multiplies by n; brackets help: `a / (3 * n)`.",
        ),
        Mistake(
            lambda judged: sum(flat(judged)) // (3 * len(judged)),
            "`//` (or `int`) cuts off the decimals, so that every precision below 1 becomes 0. Use `/`.",
        ),
        Mistake(
            lambda judged: sum(judged[-1]) / 3 / len(judged),
            "for {case} you return {got}: the last query's share, divided by the number of queries. In a "
            "loop, `total += …` adds; `total = …` forgets what was.",
        ),
        Mistake(
            lambda judged: max(sum(query) / 3 for query in judged),
            "for {case} you return {got}, the share of the best query. Return the mean over all.",
        ),
        Mistake(
            lambda judged: sum(judged[0]) / 3,
            "you return the precision of the first query only. Does `return` stand inside the loop?",
        ),
        Mistake(
            lambda judged: sum(judged[-1]) / 3,
            "you return the precision of the last query only. Add up, then divide.",
        ),
        Mistake(
            lambda judged: [sum(query) / 3 for query in judged],
            "you return a number for each query. Return their mean.",
        ),
        Mistake(
            lambda judged: f"{precision_at_3(judged):.2f}",
            "you return a text, {got}. Return the number, and format it when you print it.",
        ),
        Mistake(
            lambda judged: float(
                np.median([sum(query) / 3 for query in judged] if judged else [0.0])
            ),
            "you take the median over the queries; the mean was asked for.",
        ),
    ]
    for case in cases[2:]:
        try:
            answer(*case.arguments)
        except Wrong as wrong:
            if "inhomogeneous" not in str(wrong):
                raise
            raise Wrong(
                f"for {case} it raises an error: lists of different lengths make no array. A missing "
                "result is a miss: count the True values of each list and divide by 3."
            ) from None
    judge(answer, cases, precision_at_3, mistakes, read=_share)
    return "right: three places for each query, filled or not, and every query counts alike."


# P1.4

MODEL = "all-MiniLM-L6-v2"
PARAGRAPHS, QUERIES, RESULTS = 30, 5, 3
#: How far a score may lie from the model's: rounded to two decimals, or from another device.
NEAR = 0.02
#: By how much another paragraph may score more than the third and still be left out.
TIED = 0.002
#: At most so many queries are searched again, and among all paragraphs if there are no more than that.
#: As a rule all their vectors are in the cache of `encode`, and no model is loaded.
AGAIN_QUERIES, AGAIN_PARAGRAPHS = 12, 200
#: Words that say little about what a text is about.
_SMALL = frozenset(
    re.findall(
        r"\w+",
        """about after again all also and any are because been before but can could did does don down each for from get has
        have her here him his how into its just like made make many may more most much must not now off one only other our
        out over said same she should some such than that the their them then there these they this those through too two
        under until use very was well were what when where which while who why will with would you your""",
    )
)


def _content_words(text: str) -> set[str]:
    """Return the beginnings of its words, so that "bird" and "birds" count as one."""
    return {w[:4] for w in re.findall(r"[^\W\d_]{3,}", text.lower()) if w not in _SMALL}


def _quoted(text: str, most: int = 50) -> str:
    text = " ".join(text.split())
    return f"“{text if len(text) <= most else text[: most - 1] + '…'}”"


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _own_paragraphs(value) -> list[str]:
    items = sequence(value, "`paragraphs`")
    found = texts([getattr(item, "text", item) for item in items], "`paragraphs`")
    for row, text in enumerate(found):
        if not text.strip():
            raise Wrong(f"paragraphs[{row}] is empty. Leave it out.")
    first: dict[str, int] = {}
    for row, text in enumerate(found):
        earlier = first.setdefault(" ".join(text.split()), row)
        if earlier != row:
            raise Wrong(
                f"paragraphs[{earlier}] and paragraphs[{row}] are the same text, {_quoted(text)}. It would "
                "take two of three places. `list(dict.fromkeys(paragraphs))` keeps each once."
            )
    if len(found) < PARAGRAPHS:
        raise Wrong(
            f"your engine has {len(found)} paragraphs; give it {PARAGRAPHS} or more. Among few texts "
            "anything is among the best three."
        )
    return found


def _own_queries(value) -> list[str]:
    if isinstance(value, str):
        raise Wrong('`queries` is one text. Write a list of five: ["…", "…", …].')
    found = texts(value, "`queries`")
    if len(found) < QUERIES:
        raise Wrong(f"you have {len(found)} queries; {QUERIES} were asked for (more are welcome).")
    first: dict[str, int] = {}
    for place, text in enumerate(found):
        if not text.strip(" .…"):
            raise Wrong(f"queries[{place}] is empty. What would you like to find?")
        earlier = first.setdefault(" ".join(text.lower().split()), place)
        if earlier != place:
            raise Wrong(f"queries[{earlier}] and queries[{place}] are the same: {_quoted(text)}.")
    return found


def _own_results(value, paragraphs: list[str], queries: list[str]) -> list[list[tuple[int, float]]]:
    given = sequence(value, "`results`")
    if len(given) == 3 * len(queries) or (
        given and len(given) != len(queries) and _is_pair(given[0])
    ):
        raise Wrong(
            "`results` is one flat list of pairs. It should hold a list of three pairs for each query."
        )
    if len(given) != len(queries):
        raise Wrong(
            f"there are {len(queries)} queries, but results for {len(given)}. Have you changed the queries "
            "since? Run the cell that searches again."
        )
    found = []
    for place, entry in enumerate(given):
        where = f"results[{place}], for {_quoted(queries[place])},"
        pairs = sequence(entry, where.rstrip(","))
        if len(pairs) != RESULTS:
            raise Wrong(
                f"{where} has {_counted(len(pairs), 'entry', 'entries')}; three were asked for."
            )
        found.append([_own_pair(pair, where, paragraphs) for pair in pairs])
        scores = [score for _, score in found[-1]]
        if scores[0] < scores[1] - 1e-6 or scores[1] < scores[2] - 1e-6:
            shown = ", ".join(f"{score:.2f}" for score in scores)
            rising = scores == sorted(scores)
            raise Wrong(
                f"{where} is sorted worst first ({shown}). Are these distances? Search with cosines, "
                "largest first."
                if rising
                else f"{where} is not sorted ({shown}). The best comes first."
            )
        rows = [row for row, _ in found[-1]]
        if len(set(rows)) < len(rows):
            raise Wrong(f"{where} holds the same paragraph twice: rows {rows}.")
    if all([row for row, _ in entry] in ([0, 1, 2], [1, 2, 3]) for entry in found):
        raise Wrong(
            "the rows in `results` are the same for every query, counted up: these are ranks. The row says "
            "where the paragraph stands in `paragraphs`."
        )
    if all(entry == found[0] for entry in found):
        raise Wrong(
            "all your queries have the same results with the same scores. Was the vector of one query "
            "used for all of them?"
        )
    return found


def _searched_again(paragraphs, queries, results) -> str:
    """Raise `Wrong` when the results are not MiniLM's; say so when that cannot be found out."""
    from helpers.encoding import encode

    asked, given = queries[:AGAIN_QUERIES], results[:AGAIN_QUERIES]
    shown = sorted({row for best in given for row, _ in best})
    rows = list(range(len(paragraphs))) if len(paragraphs) <= AGAIN_PARAGRAPHS else shown
    try:
        vectors = encode([*asked, *(paragraphs[row] for row in rows)], MODEL)
    except Exception as error:  # no model, no memory, a damaged cache: no fault of the learner's
        return f"(Your scores were not compared with MiniLM's here: {type(error).__name__}.)"
    scores = dict(zip(rows, vectors[len(asked) :] @ vectors[: len(asked)].T, strict=True))
    again = "Run all cells again from `TEXTS` on, and judge what is new."
    off = [
        (place, row, score)
        for place, best in enumerate(given)
        for row, score in best
        if abs(score - scores[row][place]) > NEAR
    ]
    if off:
        place, row, score = off[0]
        reason = (
            "It is so with every query: have you changed the texts or the queries (or their order) since "
            f"you searched, or `MODEL`? This check knows {MODEL} only."
            if len({entry[0] for entry in off}) == len(asked)
            else "Have you changed this query, the order of the queries, or the texts since you searched?"
        )
        raise Wrong(
            f"results[{place}], for {_quoted(queries[place])}, gives row {row} the score {score:.2f}; the "
            f"cosine of this query and paragraphs[{row}], {_quoted(paragraphs[row])}, is "
            f"{scores[row][place]:.2f}. {reason} {again}"
        )
    for place, best in enumerate(given):
        others = set(rows) - {row for row, _ in best}
        row = max(others, key=lambda row, place=place: scores[row][place], default=None)
        third = min(scores[row][place] for row, _ in best)
        if row is not None and scores[row][place] > third + TIED:
            raise Wrong(
                f"results[{place}], for {_quoted(queries[place])}, are not the best three: "
                f"paragraphs[{row}], {_quoted(paragraphs[row])}, scores {scores[row][place]:.2f} and is not "
                "among them. Have you added texts since you searched, or searched only some of them? "
                f"{again}"
            )
    return ""


def _is_pair(value) -> bool:
    return (
        isinstance(value, (list, tuple, np.ndarray))
        and len(value) == 2
        and not any(isinstance(part, (list, tuple, np.ndarray, str)) for part in value)
    )


def _own_pair(pair, where: str, paragraphs: list[str]) -> tuple[int, float]:
    if isinstance(pair, str) or not isinstance(pair, (list, tuple, np.ndarray)) or len(pair) != 2:
        raise Wrong(f"{where} holds {describe(pair)}; it should hold pairs (row, score).")
    row, score = pair
    if isinstance(row, str):
        raise Wrong(
            f"{where} holds a text where the number of its row should stand: {_quoted(row)}."
        )
    row, score = number(row, f"a row in {where}"), number(score, f"a score in {where}")
    if row != int(row):
        raise Wrong(f"{where} holds ({row:.2f}, {score:g}): the row stands first, then the score.")
    if not 0 <= row < len(paragraphs):
        raise Wrong(
            f"{where} names row {row:.0f}; your paragraphs have rows 0 to {len(paragraphs) - 1}. Have you "
            "changed the texts since? Run all cells again."
        )
    if not -1.001 <= score <= 1.001:
        raise Wrong(
            f"{where} holds the score {score:.4g}. A cosine lies between -1 and 1: are these dot products, "
            "distances or per cent?"
        )
    return int(row), score


def _own_judgements(value, queries: list[str]) -> list[list[bool]]:
    if hasattr(value, "to_numpy"):  # a table, row by row
        value = value.to_numpy()
    given = sequence(value, "`judgements`")
    if given and all(isinstance(v, (bool, np.bool_)) for v in given):
        raise Wrong(
            "`judgements` is one flat list. Make it a list of lists, three judgements for each query."
        )
    if len(given) != len(queries):
        raise Wrong(
            f"you have judged the results of {_counted(len(given), 'query', 'queries')}; there are "
            f"{len(queries)}. "
            "Each query has its own list."
        )
    for place, entry in enumerate(given):
        where = f"judgements[{place}], for {_quoted(queries[place])},"
        if entry is None or entry is ...:
            raise Wrong(f"you have not judged the results of {_quoted(queries[place])} yet.")
        items = sequence(entry, where)
        for rank, item in enumerate(items):
            if item is None or item is ...:
                raise Wrong(
                    f"you have not judged result {rank + 1} of {_quoted(queries[place])} yet."
                )
            if not isinstance(item, (bool, np.bool_)):
                raise Wrong(
                    f"{where} holds {describe(item)}. Write True or False, as they stand: no number, no quotation marks."
                )
        if len(items) != RESULTS:
            raise Wrong(
                f"{where} has {len(items)} judgements; there are three results, and each needs one."
            )
    return [[bool(item) for item in entry] for entry in given]


def _own_precision(value, judgements: list[list[bool]]) -> float:
    if isinstance(value, (float, np.floating)) and np.isnan(value):
        raise Wrong(
            "your judgements are complete, but `precision` has not been computed. Run the cell above with "
            "your `precision_at_3` (step 1.3), and read the last line of what is red."
        )
    given, right = number(value, "`precision`"), precision_at_3(judgements)
    trues = sum(map(sum, judgements))
    if abs(given - right) <= 0.0051:
        return right
    others = {
        100 * right: "That is per cent; a precision lies between 0 and 1.",
        trues: "That is how many results are relevant; divide by how many there are.",
        3
        * right: "That is the number of relevant results of an average query; divide by its three places.",
    }
    shares = {
        1 - right: "the share of the misses",
        np.mean([any(query) for query in judgements]): "the share of queries with any hit",
        np.mean([query[0] for query in judgements]): "precision@1",
        round(right, 1): "the right one, rounded to one decimal",
    }
    changed = (
        "ave you changed a judgement since? Run `precision = precision_at_3(judgements)` again."
    )
    others |= {value: f"That is {what}. Or h{changed}" for value, what in shares.items()}
    reason = next(
        (says for other, says in others.items() if abs(given - other) <= 0.0051), f"H{changed}"
    )
    raise Wrong(
        f"`precision` is {given:.4g}, but {trues} of your {3 * len(judgements)} judgements are True, which "
        f"makes {right:.2f}. {reason}"
    )


@exercise(
    "P1.4",
    level=1,
    title="Yours",
    names=["paragraphs", "queries", "results", "judgements", "precision"],
    hints=[
        "Has every `...` become True or False? Then run the cells from the top, one after the other: each "
        "uses what the one before has made.",
        "`judgements` has one list for each query, in the same order, and in it True or False for the "
        "first, second and third result: `[[True, False, True], …]`.",
        "`results = [search(vector, vectors, 3) for vector in encode(queries, MODEL)]`, then look, judge, "
        "and `precision = precision_at_3(judgements)`.",
    ],
    seconds=60,
)
def project_1_4(paragraphs, queries, results, judgements, precision) -> str:
    """The learner's own run holds together; what is remarkable about it is said."""
    own = _own_paragraphs(paragraphs)
    asked = _own_queries(queries)
    found = _own_results(results, own, asked)
    unsure = _searched_again(own, asked, found)
    judged = _own_judgements(judgements, asked)
    reached = _own_precision(precision, judged)
    return "\n".join(
        [
            f"right: precision@3 of {reached:.2f}, with {len(own)} paragraphs and {len(asked)} queries.",
            *_remarks(own, asked, found, judged),
            *([unsure] if unsure else []),
        ]
    )


def _remarks(paragraphs, queries, results, judgements) -> list[str]:
    """Say what is worth knowing about this run, the most telling things only."""
    said = []
    hits = [sum(query) for query in judgements]
    alone = [
        place
        for place, query in enumerate(queries)
        if judgements[place][0]
        and not _content_words(query) & _content_words(paragraphs[results[place][0][0]])
    ]
    if alone:
        others = f" (and {len(alone) - 1} more of your queries)" * (len(alone) > 1)
        said.append(
            f"{_quoted(queries[alone[0]])}{others} shares no word but small ones with the paragraph that answers "
            "it first: a search by keywords would hardly find that."
        )
    if all(hit == RESULTS for hit in hits):
        said.append(
            "Everything was relevant: then your queries are too easy to tell you anything. Ask for "
            "something that only one or two paragraphs have, in words that they do not use."
        )
        return said
    if not any(hits):
        said.append(
            "Nothing was relevant, and you said so: that is a result. Are your texts about what you "
            "asked? Ask what one of your paragraphs answers, in other words."
        )
        return said
    worst = min(range(len(queries)), key=lambda place: (hits[place], results[place][0][1]))
    others = hits.count(hits[worst]) - 1
    said.append(
        f"Worst, with {hits[worst]} of 3: {_quoted(queries[worst])} (best score {results[worst][0][1]:.2f})"
        f"{f', and {others} more' * (others > 0)}."
    )
    good = [
        s
        for r, j in zip(results, judgements, strict=True)
        for (_, s), ok in zip(r, j, strict=True)
        if ok
    ]
    bad = [
        s
        for r, j in zip(results, judgements, strict=True)
        for (_, s), ok in zip(r, j, strict=True)
        if not ok
    ]
    if min(good) > max(bad):
        said.append(
            f"Every relevant result scores {min(good):.2f} or more, every other one {max(bad):.2f} or less: "
            "for these queries a threshold between the two would be right each time."
        )
    else:
        said.append(
            f"The highest score of a miss is {max(bad):.2f}, the lowest of a hit {min(good):.2f}: no threshold "
            "would part them."
        )
    copied = [
        query
        for query in queries
        if len(query.split()) >= 5
        and any(query.strip(" .?!").lower() in p.lower() for p in paragraphs)
    ]
    if copied:
        said.append(
            f"{_quoted(copied[0])} stands word for word in a paragraph. Ask it in other words: that is "
            "what this engine is for."
        )
    return said
