"""The checks of project 1, a search engine of your own."""

import re

import numpy as np

from helpers.checks import reading
from helpers.checks.frame import exercise
from helpers.checks.reading import Wrong, describe, pairs, sequence, whole

# P1.1


def joined(block):
    return " ".join(block.split())


def blocks(text, least, at=r"\n\s*\n", count=lambda block: len(block.split()), form=joined):
    """Cut a text at a pattern, and return what counts enough, in a form."""
    return [form(block) for block in re.split(at, text) if count(block) >= least]


@exercise(
    "P1.1",
    level=1,
    title="What is a paragraph?",
    names=["split_paragraphs"],
    hints=[
        "`text.splitlines()` gives the lines. `line.strip()` is empty for the blank ones.",
        "Collect words line by line; a blank line, or the end, completes a paragraph.",
        r"`re.split(r'\n\s*\n', text)` cuts at blank lines. Keep a block if `block.split()` has enough "
        "words; `' '.join(words)` is the paragraph in one line.",
    ],
)
class SplitParagraphs:
    """Blank lines divide, line breaks do not, and the shortest allowed one stays."""

    reads = reading.texts
    praise = "right, for files from Windows as well. `read_paragraphs` does the same, below."

    def reference(text, least_words):
        return blocks(text, max(1, least_words))

    def cases():
        yield "One line\nof four.\n\nNext.", 1
        yield "Oh!\n\nIt rains.\n\nBring a coat.", 2
        yield "High tide.\n \nLow  tide.", 2
        yield "Rain\r\nfalls.\r\n\r\nIt stops.\r\n", 2
        yield "\n\nOne  two.\n\n\n\nFour   five  six.\n\n", 1
        yield "", 1
        yield "Salt\nand flour.\n \t\n  Knead it. Well.\n", 4
        yield "On and on and on.\n\nAnd it goes\n  on and on.\n\nStop.", 5
        yield "It's off.\n\nOpen 9 – 5 today.\n\n7 – 9", 3
        yield "Same again.\n\nOther one.\n\nSame again.", 2
        yield "The tide turns. The boats leave at ten.\n\nOh!\n\nNobody swims\n\there. Ever.", 4
        yield "No no!\n\nTo be or not to be.\r\n\t\r\nNo – no!\n\nno no no\n\nno no no", 3

    mistakes = r"""
        blocks(text, least_words, at="\n", form=str.strip)
        blocks(text, least_words, at=r"(?<=[.!?:])\s+")
            you cut at the ends of lines or sentences. A paragraph goes on until a blank line.
        blocks(text, max(1, least_words), at="\n\n")
        blocks(text, max(1, least_words), at=r"\n *\n")
        blocks(text, max(1, least_words), at=r"\n[ \t]*\n")
        blocks(text, least_words, at="\n\n", form=str)
        blocks(text, least_words, at="\n\n", form=lambda block: block.strip().replace("\n", " "))
        blocks(text, least_words + 1, at="\n\n")
        blocks(text, least_words + 1, at="\n\n", count=len)
        blocks(text, least_words, at=r"\n[ \t]+\r?\n")
            a blank line is empty, or holds spaces, tabs, or the "\r" of Windows: `\s*`.
        reference(re.sub(r"(.*\S.*(\n|\Z))+\Z", "", text), least_words)
            the last paragraph is missing. No blank line follows it: take it in after the loop.
        blocks(text, least_words, form=str.strip)
        [re.sub(r"\s*\n\s*", " ", block) for block in blocks(text, least_words, form=str.strip)]
        [re.sub("\r?\n|  ", " ", block) for block in blocks(text, least_words, form=str.strip)]
        ["".join(map(str.strip, b.splitlines())) for b in blocks(text, least_words, form=str)]
        [block.replace("\n", "") for block in blocks(text, least_words, form=str)]
            each run of spaces or line breaks becomes one space: `' '.join(block.split())`.
        blocks(text, least_words, count=len)
        blocks(text, least_words, count=lambda block: len(set(block.split())))
        blocks(text, least_words, count=lambda block: len(re.findall(r"\w+", block)))
            count as `len(block.split())` does: words, not characters, and the same word again.
        blocks(text, least_words, count=lambda block: len(joined(block).split(" ")))
        blocks(text, 0)
            an empty piece is no paragraph. (`''.split(' ')` has one word, `''.split()` has none.)
        list(dict.fromkeys(reference(text, least_words)))
            a paragraph that comes twice is in only once. That was not asked for.
        [block.split() for block in reference(text, least_words)]
            each paragraph is a list of its words. Put them together: `' '.join(words)`.
        reference(re.split(r"\n\s*\n", text)[0], least_words)
            you look at the first paragraph only. Does `return` stand inside the loop?
    """


# P1.2


def norm(rows):
    return np.linalg.norm(rows, axis=1)


def cosines(q, v):
    return v @ q / norm(v) / np.linalg.norm(q)


def best(order, k, values=None):
    """Return the first `k` rows, largest of `order` first, with their values."""
    values = order if values is None else values
    return [(int(row), float(values[row])) for row in np.argsort(-order)[:k]]


def unsorted(scores, k):
    """Return the best `k` rows and scores as `np.argpartition` leaves them."""
    return [(row, scores[row]) for row in np.argpartition(-scores, min(k, len(scores) - 1))[:k]]


@exercise(
    "P1.2",
    level=1,
    title="The three best",
    names=["search"],
    hints=[
        "First all scores: one number for each row of `vectors`. Then the order.",
        "`vectors @ query_vector` gives one dot product for each row; divide it by both norms. "
        "`np.argsort(-scores)` gives the rows, best first.",
        "After that division, `(int(row), float(scores[row]))` for `row in np.argsort(-scores)[:k]`.",
    ],
)
class Search:
    """Cosine, largest first, row before score, and no more than there are."""

    praise = "right: largest cosine first, and each score with the row that it belongs to."

    def reads(value):
        return [(whole(row, "the row of a pair"), score) for row, score in pairs(value)]

    def reference(query_vector, vectors, k):
        return best(cosines(query_vector, vectors), k)

    def cases():
        plane = np.array([[0.0, 2.0], [3.0, 4.0], [1.0, 1.0]])
        yield np.array([2.0, 0.0]), plane, 2
        yield np.array([0.5, 0.0]), np.vstack([plane, [[-3.0, 1.0]]]), 4
        yield np.array([0.0, -3.0]), plane, 1
        yield np.array([3.0, 1.0]), np.array([[1.0, 1.0], [4.0, 0.0]]), 3
        rng = np.random.default_rng(112)
        for rows, dimension, k in ((1, 3, 2), (12, 3, 7), (520, 4, 280), (540, 4, 270)):
            lengths = rng.uniform(0.3, 4, size=(rows, 1))
            yield 3 * rng.normal(size=dimension), rng.normal(size=(rows, dimension)) * lengths, k

    mistakes = """
        best(-cosines(query_vector, vectors), k, cosines(query_vector, vectors))
            the *worst* stand first. `np.argsort` puts the smallest first; a large cosine is good.
        best(vectors @ query_vector, k)
            these are dot products: long vectors win. Divide by the norms.
        best(vectors @ query_vector / norm(vectors), k)
        best(vectors @ query_vector / np.linalg.norm(vectors) / np.linalg.norm(query_vector), k)
        best(vectors @ query_vector / np.linalg.norm(vectors), k)
        best(cosines(query_vector, vectors) * norm(vectors) ** 2, k)
            divide by (norm of the row * norm of the query): both, each row's own, in brackets.
        best(-norm(vectors - query_vector), k, norm(vectors - query_vector))
        best(1 / (1 + norm(vectors - query_vector)), k)
            these are Euclidean distances, or made of them. The cosine was asked for.
        list(enumerate(cosines(query_vector, vectors)))[:k]
        unsorted(cosines(query_vector, vectors), k)
            your pairs are not sorted by their scores: `np.argsort`, or `key=lambda pair: pair[1]`.
        [(i, score) for i, (_, score) in enumerate(reference(query_vector, vectors, k))]
            your rows are 0, 1, 2, …: these are ranks. The row says which paragraph it is.
        list(zip(next(zip(*reference(query_vector, vectors, k))), cosines(query_vector, vectors)))
            the rows are right, but the scores belong to others: `scores[row]`, not `scores[place]`.
        list(zip(*reference(query_vector, vectors, k)))
            these are two lists, rows and scores. `list(zip(rows, scores))` makes pairs of them.
        reference(query_vector, vectors, k + 1)[1:]
            the best result is missing. The query is none of the paragraphs: nothing to leave out.
        reference(query_vector, vectors[:k], k)
            you search the first k paragraphs only. Score all of them, sort, then cut.
    """


# P1.3


def mean_of(judgements, measure):
    return sum(measure(query) for query in judgements) / len(judgements)


@exercise(
    "P1.3",
    level=1,
    title="How good is it?",
    names=["precision_at_3"],
    hints=[
        "Take one query: how many of its results are True? Of how many places?",
        "Always of three places, also when fewer were found. `sum([True, False, True])` is 2.",
        "`sum(query) / 3` for each query, then the sum of those, divided by the number of queries.",
    ],
)
class PrecisionAt3:
    """Three places a query, filled or not, and every query counts alike."""

    reads = reading.number
    praise = "right: three places for each query, filled or not, and every query counts alike."

    def reference(judgements):
        return mean_of(judgements, sum) / 3

    def cases():
        yes, no = True, False
        yield ([[yes, yes, no], [no, no, yes]],)
        yield ([[no, yes]],)
        yield ([[yes], [no]],)
        yield ([[], [yes, no, no]],)
        yield ([[yes, yes, yes]] * 2,)
        yield ([[yes, no, no], [yes, yes, yes], [no, no, no], [no, yes, yes]],)
        yield ([[yes, yes], [no, yes, no], [], [yes]],)
        yield ([[no, yes, no], [yes, yes], [yes, no, yes], [no, no, no], [], [no, no, yes]],)

    mistakes = """
        mean_of(judgements, lambda query: sum(query) / max(1, len(query)))
        sum(map(sum, judgements)) / max(1, sum(map(len, judgements)))
            you divide by the number of results found. An empty place is a miss: divide by 3.
        mean_of([query for query in judgements if query], lambda query: sum(query) / 3)
        mean_of(judgements, lambda query: sum(query) / 3 if len(query) == 3 else 0)
            a query with no result, or with fewer than three, counts: its hits, divided by 3.
        mean_of(judgements, any)
            you count the queries with any relevant result. That is the hit rate.
        mean_of(judgements, all)
            you count only the queries all of whose results are relevant.
        mean_of(judgements, lambda query: query[:1] == [True])
            you look at the first result of each query only. That is precision@1.
        sum(map(sum, judgements))
        sum(map(sum, judgements)) / 3
        mean_of(judgements, sum)
        sum(map(sum, judgements)) / 15
        mean_of(judgements, sum) / 5
        sum(map(sum, judgements)) / 3 * len(judgements)
            divide the number of relevant results by (3 * the number of queries), in brackets.
        mean_of(judgements, len) / 3
        mean_of(judgements, lambda query: query.count(False)) / 3
            you count what is False as well, or instead. Precision counts the True.
        sum(map(sum, judgements)) // (3 * len(judgements))
            `//` (or `int`) cuts off the decimals, so that every precision below 1 becomes 0.
        sum(judgements[-1]) / 3 / len(judgements)
        sum(judgements[0]) / 3
            only one query counts, the first or the last. (`return` in the loop, or `=` for `+=`?)
        max(sum(query) / 3 for query in judgements)
        [sum(query) / 3 for query in judgements]
            this is the share of each query, or of the best. Return the mean over all.
    """


# P1.4

MODEL = "all-MiniLM-L6-v2"


@exercise(
    "P1.4",
    level=1,
    title="Yours",
    names=["paragraphs", "queries", "results", "judgements", "precision"],
    hints=[
        "Has every `...` become True or False? Then run all cells from the top.",
        "`judgements` has a list for each query, in the same order: `[[True, False, True], …]`.",
        "`results = [search(vector, vectors, 3) for vector in encode(queries, MODEL)]`, then look, "
        "judge, and `precision = precision_at_3(judgements)`.",
    ],
    seconds=60,
)
class Yours:
    """The learner's own run holds together."""

    def check(paragraphs, queries, results, judgements, precision):
        paragraphs = different(paragraphs, "paragraphs", 30)
        queries = different(queries, "queries", 5, str.lower)
        found = own_results(results, paragraphs, queries)
        unsure = searched_again(paragraphs, queries, found)
        judged = own_judgements(judgements, queries)
        reached = own_precision(precision, judged)
        worst = min(range(len(queries)), key=lambda i: (sum(judged[i]), found[i][0][1]))
        return (
            f"right: precision@3 of {reached:.2f}, with {len(paragraphs)} paragraphs and "
            f"{len(queries)} queries.{unsure}\nWorst, with {sum(judged[worst])} of 3: "
            f"{quoted(queries[worst])} (best score {found[worst][0][1]:.2f})."
        )


def quoted(text):
    return f"“{reading.short(joined(text), 50)}”"


def different(value, name, least, form=str):
    """Return texts; raise `Wrong` where one is empty or comes twice, or where there are too few."""
    found = reading.texts([getattr(item, "text", item) for item in sequence(value, name)], name)
    first = {}
    for place, text in enumerate(found):
        earlier = first.setdefault(form(joined(text)), place)
        if earlier != place:
            raise Wrong(f"{name}[{earlier}] and {name}[{place}] are the same: {quoted(text)}.")
        if not text.strip():
            raise Wrong(f"{name}[{place}] is empty.")
    if len(found) < least:
        raise Wrong(f"you have {len(found)} {name}; {least} or more were asked for.")
    return found


def for_each(value, name, queries):
    """Yield for each query how messages call its entry, and the three things in it."""
    given = sequence(value, name)
    if len(given) == 3 * len(queries):
        raise Wrong(f"`{name}` is one flat list. It holds a list of three for each query.")
    if len(given) != len(queries):
        raise Wrong(f"there are {len(queries)} queries, but {name} for {len(given)}. Run it again.")
    for place, entry in enumerate(given):
        where = f"{name}[{place}], for {quoted(queries[place])},"
        items = sequence(entry, where)
        if len(items) != 3:
            raise Wrong(f"{where} has {len(items)} entries; three were asked for.")
        yield where, items


def own_results(value, paragraphs, queries):
    """Return the learner's results as lists of pairs (row, score)."""
    found = []
    for where, items in for_each(value, "results", queries):
        best = [(whole(row, f"a row (it stands first) in {where}"), s) for row, s in pairs(items)]
        rows, scores = zip(*best, strict=True)
        for fault, says in (
            (min(rows) < 0, "a row cannot be below 0"),
            (max(rows) >= len(paragraphs), f"there are {len(paragraphs)} paragraphs, from row 0"),
            (max(map(abs, scores)) > 1.001, "a cosine lies between -1 and 1"),
            (any(np.diff(scores) > 1e-6), "the best comes first"),
            (len(set(rows)) < 3, "the same paragraph is there twice"),
        ):
            if fault:
                raise Wrong(f"{where} is {describe(best)}: {says}.")
        found.append(best)
    if all([row for row, _ in best] in ([0, 1, 2], [1, 2, 3]) for best in found):
        raise Wrong("the rows in `results` are counted up for every query: these are ranks.")
    if all(best == found[0] for best in found):
        raise Wrong("all queries have the same results: was one query's vector used for all?")
    return found


def searched_again(paragraphs, queries, results, near=0.02, tied=0.002, most=200):
    """Raise `Wrong` when the results are not MiniLM's; say so when that cannot be found out."""
    from helpers.encoding import encode

    every = range(len(paragraphs))
    rows = every if len(every) <= most else sorted({row for best in results for row, _ in best})
    try:
        vectors = encode([*queries, *(paragraphs[row] for row in rows)], MODEL)
    except Exception as error:  # no model, no memory, a damaged cache: no fault of the learner's
        return f" (Its scores were not compared with MiniLM's here: {type(error).__name__}.)"
    for place, best in enumerate(results):
        right = dict(zip(rows, vectors[len(queries) :] @ vectors[place], strict=True))
        given = dict(best)
        third = min(map(right.get, given))
        off = [row for row in given if abs(given[row] - right[row]) > near]
        off += [row for row in rows if row not in given and right[row] > third + tied]
        if off:
            raise Wrong(
                f"results[{place}], for {quoted(queries[place])}, are not MiniLM's best three: row "
                f"{off[0]}, {quoted(paragraphs[off[0]])}, scores {right[off[0]]:.2f}, "
                f"{f'not {given[off[0]]:.2f}' if off[0] in given else 'and is not among them'}. "
                "Have you changed texts or queries since you searched? Run all cells again."
            )
    return ""


def own_judgements(value, queries):
    """Return the learner's judgements as lists of True and False."""
    judged = []
    value = value.to_numpy() if hasattr(value, "to_numpy") else value  # a table
    for where, items in for_each(value, "judgements", queries):
        for item in items:
            if not isinstance(item, bool):
                raise Wrong(f"{where} holds {describe(item)}. Write True or False, as they stand.")
        judged.append(items)
    return judged


def own_precision(value, judged):
    """Return the precision; raise `Wrong` where it does not follow from the judgements."""
    given, right = reading.number(value, "`precision`"), PrecisionAt3.spec.reference(judged)
    if abs(given - right) <= 0.0051:
        return right
    known = (
        (100 * right, "that is per cent"),
        (sum(map(sum, judged)), "that is how many results are relevant"),
        (3 * right, "that is how many are relevant for an average query"),
        (mean_of(judged, any), "that is the share of queries with any hit"),
        (mean_of(judged, lambda query: query[0]), "that is precision@1"),
    )
    meant = [says for value, says in known if abs(given - value) <= 0.0051]
    raise Wrong(
        f"`precision` is {given:.4g}; from your judgements follows {right:.2f}: "
        f"{' or '.join(meant) or 'have you changed one since? Run the cell above again'}."
    )
