"""The checks of practice 01, embeddings."""

from __future__ import annotations

import itertools
import math
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

import numpy as np

from helpers.checks.exercise import (
    Answer,
    Case,
    Mistake,
    Part,
    Wrong,
    array,
    describe,
    exercise,
    judge,
    number,
    sequence,
    truth,
)

# 1.1


def mean_pool(token_vectors: np.ndarray, attention_mask: np.ndarray) -> np.ndarray:
    """Return the mean of each text's own token vectors, shape (texts, dimension); zeros where a
    text has none.
    """
    return _pooled(token_vectors, attention_mask, np.maximum(attention_mask.sum(axis=1), 1))


def _pooled(token_vectors, attention_mask, divisors):
    sums = (token_vectors * attention_mask[:, :, None]).sum(axis=1)
    return sums / np.reshape(divisors, (-1, 1))


def _first_positions(token_vectors, attention_mask):
    counts = attention_mask.sum(axis=1)
    return np.array([rows[:n].mean(axis=0) for rows, n in zip(token_vectors, counts, strict=True)])


def _mask_as_places(token_vectors, attention_mask):
    """`rows[mask]` with a mask of integers takes rows number 1 and 0."""
    return np.array(
        [rows[mask].mean(axis=0) for rows, mask in zip(token_vectors, attention_mask, strict=True)]
    )


def _without_ends(token_vectors, attention_mask):
    mask = attention_mask.copy()
    for row in mask:
        own = np.flatnonzero(row)
        row[own[:1]] = row[own[-1:]] = 0
    return mean_pool(token_vectors, mask)


def _from_first_to_last(token_vectors, attention_mask):
    within = attention_mask.cumsum(axis=1) * attention_mask[:, ::-1].cumsum(axis=1)[:, ::-1]
    return mean_pool(token_vectors, within > 0)


def _first_own(token_vectors, attention_mask):
    return token_vectors[np.arange(len(token_vectors)), attention_mask.argmax(axis=1)]


def _last_own(token_vectors, attention_mask):
    last = attention_mask.shape[1] - 1 - attention_mask[:, ::-1].argmax(axis=1)
    return token_vectors[np.arange(len(token_vectors)), last]


def _largest(token_vectors, attention_mask):
    return np.where(attention_mask[:, :, None] == 1, token_vectors, -np.inf).max(axis=1)


def _values_counted(token_vectors, attention_mask):
    """Count the values that are not 0, in each dimension."""
    kept = token_vectors * attention_mask[:, :, None]
    return kept.sum(axis=1) / np.maximum((kept != 0).sum(axis=1), 1)


def _rows_counted(token_vectors, attention_mask):
    """Count the token vectors that are not all 0."""
    kept = token_vectors * attention_mask[:, :, None]
    return kept.sum(axis=1) / np.maximum(kept.any(axis=2).sum(axis=1), 1)[:, None]


def _unit(rows):
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(norms == 0, 1, norms)


_POOLING_MISTAKES = (
    Mistake(
        lambda v, m: _pooled(v, m, np.full(len(m), m.shape[1])),
        "this is still the average as found: the padding adds nothing to the sum, but the sum is "
        "divided by all positions, padding included. Divide by the number of the text's own tokens.",
    ),
    Mistake(
        lambda v, m: v.mean(axis=1),
        "you average over all positions; the mask is not used, and the padding goes into the average.",
    ),
    Mistake(
        lambda v, m: v.sum(axis=1) / np.maximum(m.sum(axis=1), 1)[:, None],
        "you divide by the number of the text's own tokens, but the sum still has the padding in it. "
        "Multiply by the mask before you add up.",
    ),
    Mistake(
        lambda v, m: _pooled(v, m, np.ones(len(m))),
        "these are sums over the text's own tokens. Divide by how many there are.",
    ),
    Mistake(
        lambda v, m: _unit(mean_pool(v, m)),
        "these are the right averages, divided by their norms. The task wants them as they are.",
    ),
    Mistake(
        lambda v, m: _pooled(v, m, np.full(len(m), m.sum())),
        "you divide by the number of tokens of all texts together (`mask.sum()` without an axis). "
        "Each text has a number of its own.",
    ),
    Mistake(
        lambda v, m: _pooled(v, m, np.full(len(m), m.sum(axis=1).max())),
        "you divide every sum by the number of tokens of the longest text. Each text has a number of "
        "its own.",
    ),
    Mistake(
        lambda v, m: _pooled(v, m, np.full(len(m), m.sum(axis=1).mean())),
        "you divide every sum by the mean number of tokens. Each text has a number of its own.",
    ),
    Mistake(
        lambda v, m: _pooled(v, m, np.full(len(m), v.shape[2])),
        "you divide by the dimension of the vectors, not by the number of tokens.",
    ),
    Mistake(
        lambda v, m: _pooled(v, m, np.full(len(m), len(m))),
        "you divide by the number of texts. Divide each sum by the number of that text's tokens.",
    ),
    Mistake(
        lambda v, m: mean_pool(v, m)[:, None],
        "the averages are right, but there is an axis too many: (texts, 1, dimension), for `keepdims` "
        "or `np.newaxis` has left one. It should be (texts, dimension).",
    ),
    Mistake(
        lambda v, m: mean_pool(v, m).T,
        "the averages are right, but rows and columns are swapped: row i belongs to text i.",
    ),
    Mistake(
        lambda v, m: np.array([x[y == 1].mean() for x, y in zip(v, m, strict=True)]),
        "you average over tokens and dimensions at once: one number for each text. Average over the "
        "tokens only (`axis=0` of a single text).",
    ),
    Mistake(
        lambda v, m: _pooled(v, m, m.sum(axis=1) + 1),
        "you divide by one more than the number of tokens. Only a text without any needs another "
        "divisor.",
    ),
    *(
        Mistake(
            lambda v, m, number=number: _pooled(v, m, m.sum(axis=1) + number),
            f"you add {number} to the number of tokens, and that changes every average. Only a text "
            "without any needs another divisor.",
        )
        for number in (0.1, 0.01, 0.001)
    ),
    *(
        Mistake(
            lambda v, m, whole=whole: whole(mean_pool(v, m)),
            "you return whole numbers: what follows the point is lost. Is your array one of integers "
            "(`dtype=int`, or made like the mask), or do you divide with `//`?",
        )
        for whole in (np.trunc, np.floor)
    ),
    Mistake(
        lambda v, m: _pooled(v, m, np.sqrt(np.maximum(m.sum(axis=1), 1))),
        "you divide by the square root of the number of tokens.",
    ),
    Mistake(
        lambda v, m: mean_pool(v, 1 - m),
        "you average the padding: the mask has 1 for a token of the text, and 0 for padding.",
    ),
    Mistake(
        _first_positions,
        "you average the first n positions of a text with n tokens. That is right only where the "
        "padding stands at the end; the task says that it may stand anywhere.",
    ),
    *(
        Mistake(
            counted,
            "you count what is not 0 after masking. The vector of a token can hold zeros as well, and the "
            "token counts all the same: count the ones of the mask.",
        )
        for counted in (_values_counted, _rows_counted)
    ),
    Mistake(
        lambda v, m: (v * m[:, :, None]).sum(axis=(0, 1)) / m.sum(),
        "you return one average over the tokens of all texts together. Each text has its own row.",
    ),
    Mistake(
        _mask_as_places,
        "your mask does not select, it counts: a mask of *integers* between brackets picks the rows "
        "number 1 and 0, again and again. Compare it first: `mask == 1`.",
    ),
    Mistake(
        _without_ends,
        "you leave out each text's first and last token. The special tokens count like all others.",
    ),
    *(
        Mistake(
            lambda v, m, part=part: mean_pool(v[:, part], m[:, part]),
            f"you leave out the {which} position of every text. All tokens with a 1 count.",
        )
        for which, part in (("first", slice(1, None)), ("last", slice(None, -1)))
    ),
    Mistake(
        _from_first_to_last,
        "you average from a text's first token to its last. Padding can stand between them, too.",
    ),
    Mistake(
        lambda v, m: mean_pool(v, m)[0],
        "you return the average of the first text only. Does `return` stand inside the loop?",
    ),
    Mistake(
        lambda v, m: np.zeros((v.shape[0], v.shape[2])),
        "you return zeros for every text. Does an `except` hide an error?",
    ),
    Mistake(lambda v, m: v[:, 0], "you take the vector at the first position, and no average."),
    Mistake(_first_own, "you take each text's first token, and no average."),
    Mistake(_last_own, "you take each text's last token, and no average."),
    Mistake(_largest, "you take the largest value in each dimension (max pooling), not the mean."),
    Mistake(
        lambda v, m: v.max(axis=1),
        "you take the largest value in each dimension, padding included. The mean was asked for.",
    ),
    Mistake(
        lambda v, m: np.where(
            m.any(axis=1, keepdims=True),
            np.nanmedian(np.where(m[:, :, None] == 1, v, np.nan), axis=1),
            0,
        ),
        "this is the median of the tokens in each dimension, not their mean.",
    ),
    Mistake(
        lambda v, m: v * m[:, :, None],
        "you have set the padding to zero and stopped: there is still a vector for each token.",
    ),
    Mistake(
        lambda v, m: (v * m[:, :, None]).mean(axis=2),
        "you average over the dimensions (the last axis): one number for each token. Average over the "
        "tokens, the middle axis.",
    ),
    Mistake(
        lambda v, m: v.mean(axis=2),
        "you average over the dimensions (the last axis): one number for each token. Average over the "
        "tokens, the middle axis.",
    ),
    Mistake(
        lambda v, m: (v * m[:, :, None]).mean(axis=0),
        "you average over the texts (the first axis). Average over the tokens, the middle axis.",
    ),
    Mistake(
        lambda v, m: v.mean(axis=0),
        "you average over the texts (the first axis). Average over the tokens, the middle axis.",
    ),
    Mistake(
        lambda v, m: (v * m[:, :, None]).sum(axis=0) / np.maximum(m.sum(axis=0), 1)[:, None],
        "you average over the texts (the first axis). Average over the tokens, the middle axis.",
    ),
)


@exercise(
    "1.1",
    level=1,
    title="The average that counts nothing",
    names=["mean_pool"],
    hints=[
        "The mask makes the padding zero. By how many positions does `mean` divide then?",
        "An average is a sum divided by a number. You have the sum; the mask knows the number, "
        "another one for each text.",
        "`mask.sum(axis=1)` counts each text's own tokens. Make a column of it (`keepdims=True`, or "
        "`[:, np.newaxis]`), and where it is 0, divide by 1: `np.maximum(counts, 1)`.",
    ],
)
def exercise_1_1(answer: Answer) -> str:
    """Divide by a text's own tokens, wherever the padding stands and however few there are."""
    rng = np.random.default_rng(11)

    def batch(dimension, *rows):
        mask = np.array(rows)
        vectors = rng.normal(size=(*mask.shape, dimension))
        return np.where(mask[:, :, None] == 1, vectors + 1, 5 * vectors - 2), mask

    right = ([1, 1, 1, 1, 1, 0, 0], [1, 1, 1, 0, 0, 0, 0], [1, 1, 1, 1, 1, 1, 0], [1] * 7)
    left = ([0, 0, 1, 1, 1, 1], [0, 0, 0, 1, 1, 1], [1] * 6)
    middle = ([1, 0, 1, 1, 0, 1], [0, 1, 1, 0, 1, 0])
    holed = batch(3, [1, 1, 1, 0, 0], [1, 1, 1, 1, 0])
    holed[0][0, 1], holed[0][1, 2, 0] = 0, 0
    empty = batch(3, [1, 1, 0, 0], [0, 0, 0, 0], [1, 1, 1, 1], [1, 0, 0, 0], [1, 1, 1, 0])
    cases = [
        Case(batch(3, *right[:2]), "2 texts with the padding at the end"),
        Case(batch(3, *right), "4 texts with the padding at the end"),
        Case(batch(4, *left), "3 texts with the padding in front"),
        Case(batch(2, *middle), "2 texts with padding in between"),
        Case(holed, "2 texts, some of whose tokens have zeros in their vectors"),
    ]
    judge(answer, cases, mean_pool, _POOLING_MISTAKES, read=array)
    found = answer(*empty)
    with_nan = np.asarray(found, dtype=float)
    if np.isnan(with_nan).any():
        raise Wrong(
            "a text without a single token gets NaN, for its sum is divided by 0. It should get a row "
            "of zeros: divide by 1 there."
        )
    if with_nan.shape != (5, 3):
        raise Wrong(
            f"for 5 texts, one of them without a token, you return shape {with_nan.shape}; it should "
            "be (5, 3): each text keeps its row."
        )
    if with_nan[1].any():
        raise Wrong(
            f"a text without a single token gets {describe(with_nan[1])}; it should get a row of zeros."
        )
    judge(answer, [Case(empty, "5 texts, one of them without a token")], mean_pool, read=array)
    return "right: every token counts once, and padding not at all, not even as a zero."


# 1.2


def never_read(lengths: Sequence[int], limit: int) -> tuple[list[int], float]:
    """Return how many of its own tokens each document loses, and the share of all that are lost."""
    lost = [max(0, length - (limit - 2)) for length in lengths]
    return lost, sum(lost) / sum(lengths) if sum(lengths) else 0.0


def _part(answer: Answer, part: int) -> Part:
    """Return the answer to 1.2, of which only the list (0) or the share (1) is looked at."""

    def take(value, lengths, limit):
        wanted = "the task asks for two things, a list and a share: `return lost, share`."
        if isinstance(value, (str, Mapping)) or not isinstance(value, Iterable):
            raise Wrong(f"you return {describe(value)}; {wanted}")
        parts = list(value)
        lists = [isinstance(part, Iterable) and np.ndim(part) > 0 for part in parts]
        if lists == [False, True]:
            raise Wrong("you return the share first. The list comes first, then the share.")
        if lists != [True, False]:
            if parts and not any(lists) and len(parts) == len(lengths):
                raise Wrong(f"you return one list only, {describe(value)}; {wanted}")
            if lists == [True, True]:
                raise Wrong(
                    f"you return two lists, {describe(value)}. The second should be one number, the share "
                    "of all tokens together."
                )
            if lists == [False, False]:
                raise Wrong(
                    f"you return {describe(value)}. The first should be a list, with a number for each "
                    "document, and not their sum."
                )
            raise Wrong(f"you return {describe(value)}; {wanted}")
        if parts[part] is None:
            raise Wrong(
                f"you return {describe(value)}. There is always a list and a share, be it 0."
            )
        return parts[part]

    return Part(answer, take)


def _own_room(room):
    """Lose what exceeds `room`, whatever the limit."""
    return lambda lengths, limit: [max(0, length - room) for length in lengths]


def _each(measure):
    return lambda lengths, limit: [measure(length, limit - 2) for length in lengths]


_LOST = (
    Mistake(
        _each(lambda length, room: max(0, length - room - 2)),
        "for {case} your list is {got}; it should be {expected}. You leave all of the limit to the "
        "text, but `[CLS]` and `[SEP]` take two places of it.",
    ),
    Mistake(
        lambda lengths, limit: [max(0, n - limit + 2) for n in dict.fromkeys(lengths)],
        "for {case} your list has no place for some documents: of those that are equally long you keep "
        "one (a dictionary or a set by length does). Give a number for every document.",
    ),
    Mistake(
        _each(lambda length, room: max(0, length - room - 4)),
        "for {case} your list is {got}; it should be {expected}. You add the two special tokens to the "
        "limit. They are *included* in it: they take two places away.",
    ),
    Mistake(
        _each(lambda length, room: max(0, length - room - 1)),
        "for {case} your list is {got}; it should be {expected}. You leave room for one special token; "
        "there are two, one at each end.",
    ),
    Mistake(
        _each(lambda length, room: max(0, length - room + 1)),
        "for {case} your list is {got}; it should be {expected}: one too many for each document that is "
        "cut. `limit - 2` own tokens are read, the last of them included.",
    ),
    Mistake(
        _each(lambda length, room: max(0, length - room + 2)),
        "for {case} your list is {got}; it should be {expected}. You take the two special tokens away "
        "twice.",
    ),
    *(
        Mistake(
            _each(measure),
            "for {case} your list is {got}; it should be {expected}. You take the right number away, but "
            "only from documents that exceed `limit`. A document is cut as soon as it exceeds `limit - "
            "2`.",
        )
        for measure in (
            lambda length, room: length - room if length > room + 2 else 0,
            lambda length, room: length - room if length >= room + 2 else 0,
        )
    ),
    Mistake(
        _each(lambda length, room: length - room),
        "for {case} your list is {got}: a negative number of tokens is unread. A document that is "
        "shorter than the limit loses 0.",
    ),
    Mistake(
        _each(lambda length, room: length - room - 2),
        "for {case} your list is {got}: a negative number of tokens is unread. A document that is "
        "shorter than the limit loses 0. (And two places of the limit are not the text's.)",
    ),
    Mistake(
        _each(lambda length, room: abs(length - room)),
        "for {case} your list is {got}; it should be {expected}. `abs` makes a loss of what a short "
        "document has to spare. It loses 0.",
    ),
    Mistake(
        _each(min),
        "for {case} your list is {got}: that is how many tokens *are* read. Asked for are those that "
        "are not.",
    ),
    Mistake(
        _each(lambda length, room: min(length, room + 2)),
        "for {case} your list is {got}: how many tokens are read if the special ones took no place. "
        "Asked for are those that are *not* read; and the two special tokens take two places.",
    ),
    Mistake(
        _each(lambda length, room: length if length > room else 0),
        "for {case} your list is {got}; it should be {expected}. A document that is too long is not "
        "lost as a whole: its beginning is read.",
    ),
    Mistake(
        _each(lambda length, room: int(length > room)),
        "for {case} your list is {got}: *whether* something is lost. Asked is how much.",
    ),
    Mistake(
        _each(lambda length, room: length > room),
        "for {case} your list is {got}: *whether* something is lost. Asked is how much.",
    ),
    Mistake(
        lambda lengths, limit: [n - limit + 2 for n in lengths if n > limit - 2],
        "for {case} your list is {got}: only the documents that lose something. Give a number for every "
        "document, 0 included.",
    ),
    *(
        Mistake(
            _own_room(room),
            "for {case} your list is {got}; it should be {expected}. You cut at 256 tokens, MiniLM's limit. "
            "The function is given a `limit`: use that.",
        )
        for room in (254, 255, 256)
    ),
    Mistake(
        lambda lengths, limit: sorted(never_read(lengths, limit)[0]),
        "for {case} your list is {got}; it should be {expected}. You have sorted it: the i-th number belongs "
        "to the i-th document.",
    ),
    Mistake(
        _each(lambda length, room: max(0, length - room) / length),
        "for {case} your list is {got}: shares. It should hold numbers of tokens.",
    ),
)


def _share(measure):
    """`measure` is given the lengths and what is lost of each."""
    return lambda lengths, limit: measure(lengths, never_read(lengths, limit)[0])


def _mean_of_shares(lengths, lost):
    return sum(gone / length for length, gone in zip(lengths, lost, strict=True)) / len(lengths)


def _of_the_cut(lengths, lost):
    cut = [length for length, gone in zip(lengths, lost, strict=True) if gone]
    return sum(lost) / sum(cut) if cut else 0


_SHARE = (
    Mistake(
        lambda lengths, limit: sum(max(0, n - limit) for n in lengths) / sum(lengths),
        "the list is right, but the share ({got} for {case}) is reckoned without the two special "
        "tokens. Add up your list.",
    ),
    Mistake(
        lambda lengths, limit: sum(n - limit + 2 for n in lengths) / sum(lengths),
        "the list is right. In the share ({got} for {case}), what short documents have to spare is "
        "taken off. Add up your list.",
    ),
    Mistake(
        _share(
            lambda lengths, lost: np.mean([g / n for n, g in zip(lengths, lost, strict=True) if g])
        ),
        "the list is right. Your share ({got} for {case}) is the mean of the shares of those documents "
        "that lose something. Divide all lost tokens by all tokens.",
    ),
    Mistake(
        _share(_mean_of_shares),
        "the list is right. Your share ({got} for {case}) is the mean of the documents' own shares, in "
        "which a note of ten tokens weighs as much as a book. Divide all lost tokens by all tokens.",
    ),
    Mistake(
        _share(lambda lengths, lost: sum(lost) / (sum(lengths) + 2 * len(lengths))),
        "the list is right. Your share ({got} for {case}) counts the special tokens among all tokens; "
        "it should be of the documents' *own* tokens.",
    ),
    Mistake(
        _share(lambda lengths, lost: 100 * sum(lost) / sum(lengths)),
        "the list is right. Your share is in per cent ({got} for {case}); it should be from 0 to 1.",
    ),
    Mistake(
        _share(lambda lengths, lost: 1 - sum(lost) / sum(lengths)),
        "the list is right. Your share ({got} for {case}) is that of the tokens that *are* read.",
    ),
    Mistake(
        _share(lambda lengths, lost: sum(gone > 0 for gone in lost) / len(lost)),
        "the list is right. Your share ({got} for {case}) is that of the *documents* which lose "
        "something; asked is the share of the tokens.",
    ),
    Mistake(
        _share(lambda lengths, lost: sum(lost) / (sum(lengths) - sum(lost))),
        "the list is right. For the share ({got} for {case}) you divide what is lost by what is *read*; "
        "divide by all tokens.",
    ),
    Mistake(
        _share(_of_the_cut),
        "the list is right. For the share ({got} for {case}) you divide by the tokens of the documents "
        "that lose something; divide by the tokens of all.",
    ),
    Mistake(
        _share(lambda lengths, lost: sum(lost) / len(lost)),
        "the list is right. The second ({got} for {case}) is the mean number of lost tokens, not their "
        "share.",
    ),
    Mistake(
        _share(lambda lengths, lost: sum(lost)),
        "the list is right. The second ({got} for {case}) is the number of all lost tokens, not their "
        "share.",
    ),
    Mistake(
        _share(lambda lengths, lost: sum(lost) // sum(lengths)),
        "the list is right. Your share is {got} for {case}: `//` rounds down to a whole number. Use "
        "`/`.",
    ),
    *(
        Mistake(
            _share(lambda lengths, lost, digits=digits: round(sum(lost) / sum(lengths), digits)),
            "the list is right, and so is the share, but it is rounded ({got} for {case}). Return it "
            "as it is; round where you print.",
        )
        for digits in (1, 2, 3)
    ),
)


def _numbers(value) -> list[float]:
    return [number(item, "a number in your list") for item in sequence(value, "your list")]


@exercise(
    "1.2",
    level=2,
    title="What was never read",
    names=["never_read"],
    hints=[
        "How many places does a limit of 256 leave for the text, when `[CLS]` and `[SEP]` are in it?",
        "What exceeds `limit - 2` is lost; a document that does not exceed it loses 0, not less. For "
        "the share, add up first and divide once.",
        "`lost = [max(0, n - (limit - 2)) for n in lengths]`; the share is `sum(lost) / "
        "sum(lengths)`, and 0 when there is nothing to divide by.",
    ],
)
def exercise_1_2(answer: Answer) -> str:
    """Special tokens take room; the share is of all tokens, not of all documents."""
    rng = np.random.default_rng(12)
    cases = [
        Case(([100, 254, 255, 300], 256), "lengths [100, 254, 255, 300] and limit 256"),
        Case(([12, 9, 10, 40, 3, 11], 12), "lengths [12, 9, 10, 40, 3, 11] and limit 12"),
        Case(([700, 30, 383], 384), "lengths [700, 30, 383] and limit 384"),
        Case(([int(n) for n in rng.integers(1, 900, 40)], 128), "40 documents and limit 128"),
        Case(([5, 20, 7], 64), "lengths [5, 20, 7] and limit 64, all of them read to the end"),
    ]
    parts = (
        (_part(answer, 0), lambda *given: never_read(*given)[0], _numbers),
        (
            _part(answer, 1),
            lambda *given: never_read(*given)[1],
            lambda value: number(
                float(value) if isinstance(value, Fraction) else value, "your share"
            ),
        ),
    )
    said = ("your list is", "the list is right, but your share is")
    for (part, reference, read), mistakes, words in zip(parts, (_LOST, _SHARE), said, strict=True):
        try:
            judge(part, cases, reference, mistakes, read=read)
        except Wrong as wrong:
            raise Wrong(str(wrong).replace(" you return ", f", {words} ", 1)) from None
    special = (
        ([6, 0, 31], "lengths [6, 0, 31], one document without a token, and limit 8"),
        ([0, 0], "two documents without a token"),
        ([], "no document at all"),
    )
    for lengths, words in special:
        try:
            for part, reference, read in parts:
                judge(part, [Case((lengths, 8), words)], reference, read=read)
        except Wrong as wrong:
            if "ZeroDivisionError" in str(wrong) or "NaN" in str(wrong):
                raise Wrong(
                    f"for {words} you divide by 0. "
                    + ("Divide by all tokens together." if sum(lengths) else "The share is 0 then.")
                ) from None
            raise
    return "right: two places of the limit are not the text's, and every token weighs alike."


# 1.3


def same_word_average(first: Sequence[str], second: Sequence[str]) -> bool:
    """Say whether the words have the same proportions in both."""
    one, other = Counter(first), Counter(second)
    return all(one[w] * len(second) == other[w] * len(first) for w in one | other)


def _whole_multiple(first, second):
    """The longer is a whole number of times the shorter."""
    short, long = sorted((list(first), list(second)), key=len)
    times, rest = divmod(len(long), len(short))
    return rest == 0 and Counter(short * times) == Counter(long)


def _second_is_multiple(first, second):
    times, rest = divmod(len(second), len(first))
    return rest == 0 and Counter(list(first) * times) == Counter(second)


def _rounded_proportions(digits):
    def compared(first, second):
        return all(
            round(first.count(w) / len(first), digits)
            == round(second.count(w) / len(second), digits)
            for w in {*first, *second}
        )

    return compared


def _proportions(words):
    return {word: words.count(word) / len(words) for word in words}


_AVERAGES = (
    Mistake(
        lambda a, b: list(a) == list(b),
        "for {case} you return {got}. Either you compare the sentences word by word (an average does not "
        "know the order), or averages with `==`: sums in another order are rounded differently, so allow "
        "a tolerance.",
    ),
    Mistake(
        lambda a, b: Counter(a) == Counter(b),
        "for {case} you return {got}. You ask for the same words equally often; but a sentence said "
        "twice has the same average as said once. What counts is each word's *share*.",
    ),
    Mistake(
        lambda a, b: set(a) == set(b),
        "for {case} you return {got}. You compare which words occur, not how often: a word that comes "
        "twice pulls the average towards itself.",
    ),
    Mistake(
        lambda a, b: set(a) == set(b) and len(a) == len(b),
        "for {case} you return {got}. You ask for the same words and the same length. The length does not "
        "matter, and the words can come in other proportions.",
    ),
    Mistake(
        lambda a, b: set(a) <= set(b),
        "for {case} you return {got}. You ask whether the first's words occur in the second; what "
        "else is there pulls the average, too.",
    ),
    Mistake(
        _whole_multiple,
        "for {case} you return {got}. You find whole multiples (twice, three times); but twice and "
        "three times the same sentence have the same average, too, and neither is a multiple of the "
        "other.",
    ),
    Mistake(
        _second_is_multiple,
        "for {case} you return {got}. You ask whether the second is a multiple of the first. The "
        "first can be the longer one, and 2 and 3 times the same sentence agree as well.",
    ),
    Mistake(
        lambda a, b: _second_is_multiple(b, a),
        "for {case} you return {got}. You ask whether the first is a multiple of the second. The "
        "second can be the longer one, and 2 and 3 times the same sentence agree as well.",
    ),
    Mistake(
        lambda a, b: set(_proportions(a).values()) == set(_proportions(b).values()),
        "for {case} you return {got}. You compare the proportions without asking whose they are.",
    ),
    Mistake(
        lambda a, b: sorted(_proportions(a).values()) == sorted(_proportions(b).values()),
        "for {case} you return {got}. You compare the proportions without asking whose they are.",
    ),
    Mistake(
        lambda a, b: sorted("".join(a)) == sorted("".join(b)),
        "for {case} you return {got}. You compare letters. *no* and *on* are two words with a vector "
        "each.",
    ),
    Mistake(
        lambda a, b: all(a.count(w) // len(a) == b.count(w) // len(b) for w in {*a, *b}),
        "for {case} you return {got}. `//` rounds down, and every share below 1 becomes 0.",
    ),
    Mistake(
        lambda a, b: bool({*a} & {*b}),
        "for {case} you return {got}. You ask whether the two have a word in common.",
    ),
    Mistake(
        lambda a, b: len(a) == len(b),
        "for {case} you return {got}. You compare the lengths; the words do not matter to you.",
    ),
    Mistake(
        lambda a, b: np.isclose(np.mean([len(w) for w in a]), np.mean([len(w) for w in b])),
        "for {case} you return {got}. You average the lengths of the words. That is *one* choice of "
        "vectors; it must hold for all.",
    ),
    *(
        Mistake(
            lambda a, b, words=words: np.isclose(*(np.mean([words(a, b).index(w) for w in s]) for s in (a, b))),
            "for {case} you return {got}. You give each word one *number*, and averages of numbers meet by "
            "accident. A vector needs a place of its own for each word.",
        )
        for words in (lambda a, b: sorted({*a, *b}), lambda a, b: list(dict.fromkeys([*a, *b])))
    ),
    Mistake(
        lambda a, b: not same_word_average(a, b),
        "for {case} you return {got}: True and False are the wrong way round.",
    ),
    Mistake(lambda a, b: True, "you return True for everything, for {case}, too."),
    Mistake(lambda a, b: False, "you return False for everything, for {case}, too."),
    *(
        Mistake(
            _rounded_proportions(digits),
            "for {case} you return {got}. You compare rounded shares, and the difference is lost in "
            "the rounding.",
        )
        for digits in (1, 2)
    ),
)  # fmt: skip


_ORDER = (
    "The same words as often, in another order: an average does not know the order. (Do you compare "
    "averages with `==`? Sums in another order are rounded differently: allow a tolerance.)"
)
_OTHER_WORD = "A word of one does not occur in the other, and its vector is in one average only."
_OTHER_SHARES = "The same words, but a word's share of all words is not the same in both."
_SAME_SHARES = "Each word's share of all words is the same in both, though one is longer."
_SENTENCES = (
    ("gulls steal chips", "chips steal gulls", _ORDER),
    ("gulls steal chips", "gulls steal bread", _OTHER_WORD),
    ("gulls gulls steal chips", "gulls steal chips", _OTHER_SHARES),
    ("tide out", "tide out tide out", _SAME_SHARES),
    ("tide out tide out tide out", "out tide", _SAME_SHARES),
    ("very very cold", "very cold cold", _OTHER_SHARES),
    ("very cold", "very cold today", _OTHER_WORD),
    ("very cold today", "very cold", _OTHER_WORD),
    ("no", "on", _OTHER_WORD),
    ("no dogs on sand", "on dogs no sand", _ORDER),
    ("red red boat boat", "boat boat boat red red red", _SAME_SHARES),
    ("a b b", "b a a", _OTHER_SHARES),
    ("a b b a b b", "b a b", _SAME_SHARES),
    ("a b b c c c", "a a b c c c", _OTHER_SHARES),
    ("a b", "a a a b", _OTHER_SHARES),
    ("a a a b b b b b", "a a b b b", _OTHER_SHARES),
    ("a a b", "a a b c", _OTHER_WORD),
    ("ferry", "ferry", "Each is the same as itself."),
    ("ferry", "ferry ferry ferry", _SAME_SHARES),
    ("ferry", "train", _OTHER_WORD),
    ("low tide", "warm rain", _OTHER_WORD),
    ("boat", "bell", _OTHER_WORD),
    ("milk butter jam", "butter", _OTHER_WORD),
    ("of the the sea", "the sea of the of the the sea the sea of the", _SAME_SHARES),
)
_LONG = (
    (["a"] * 100 + ["b"] * 101, ["a", "b"], _OTHER_SHARES),
    (["a"] * 49 + ["b"] * 98, ["b", "a", "b"], _SAME_SHARES),
    (["c", "a"] * 7 + ["b"] * 7, ["a", "b", "c"] * 11, _SAME_SHARES),
)


def _quoted(words: Sequence[str]) -> str:
    if len(words) <= 12:
        return f"*{' '.join(words)}*"
    return " with ".join(f"{n} times *{word}*" for word, n in Counter(words).items())


def _read_truth(answer: Answer, first: list[str], second: list[str]) -> bool:
    found = answer(first, second)
    if answer.printed_instead:
        raise Wrong(f"`{answer.name}` prints its result and returns None. End it with `return`.")
    if found is None:
        raise Wrong(
            f"`{answer.name}` returns None for {_quoted(first)} and {_quoted(second)}. Does every path "
            "end with `return`?"
        )
    return truth(found)


@exercise(
    "1.3",
    level=2,
    title="Order lost",
    names=["same_word_average"],
    hints=[
        "Write the average of *a a b* as a sum: how much of a's vector is in it, how much of b's?",
        "An average holds each word's vector with a factor: how often the word comes, divided by the "
        "number of words. The factors must agree for every word of either sentence.",
        "For each word of `{*first, *second}`, compare `first.count(word) / len(first)` with the "
        "same of `second`.",
    ],
)
def exercise_1_3(answer: Answer) -> str:
    """Proportions count; order and number do not."""
    seen = []
    pairs = [(one.split(), other.split(), why) for one, other, why in _SENTENCES]
    for first, second, why in [*pairs, *_LONG]:
        found = _read_truth(answer, first, second)
        seen.append((first, second, why, found, same_word_average(first, second)))
    wrong = [entry for entry in seen if entry[3] != entry[4]]
    if not wrong:
        return "right: to an average a sentence is a recipe, so much of this and so much of that."
    first, second, why, found, expected = wrong[0]
    case = f"{_quoted(first)} and {_quoted(second)}"
    for mistake in _AVERAGES:
        if all(bool(mistake.function(one, other)) == got for one, other, _, got, _ in seen):
            raise Wrong(mistake.says.format(got=found, expected=expected, case=case))
    raise Wrong(f"for {case} you return {found}; it should be {expected}. {why}")


# 1.4

_DIMENSION = 5


#: Words of more than one token; all others have one.
_PIECES = {"tsk": 4, "yclept": 7}


def _tokens(text: str) -> int:
    if not isinstance(text, str):
        raise Wrong(f"`count_tokens` takes one text; you give it {describe(text)}.")
    return sum(_PIECES.get(word, 1) for word in text.split()) + 2


def _vector(text: str) -> np.ndarray:
    return np.random.default_rng(zlib.crc32(text.encode())).normal(size=_DIMENSION)


def _vectors(texts: Iterable[str]) -> np.ndarray:
    return np.array([_vector(text) for text in texts])


class _Encoder:
    """Stands for a model: it knows its batches, and refuses what `encode_batch` cannot take."""

    __name__ = "encode_batch"

    def __init__(self, batch_size: int, sign: int = 1) -> None:
        self.batch_size, self.sign = batch_size, sign
        self.batches: list[list[str]] = []

    def __call__(self, batch: Iterable[str]) -> np.ndarray:
        """Return the vectors of the texts in `batch`, shape (texts, dimension)."""
        if isinstance(batch, str):
            raise Wrong(
                "`encode_batch` takes a list of texts; you give it a single one. Even a text that is "
                "alone goes into a list."
            )
        if isinstance(batch, Mapping) or not isinstance(batch, Iterable):
            raise Wrong(f"`encode_batch` takes a list of texts; you give it {describe(batch)}.")
        texts = list(batch)
        if not texts:
            raise Wrong("you give `encode_batch` no text; it takes 1 to `batch_size` texts.")
        for text in texts:
            if not isinstance(text, str):
                raise Wrong(
                    "`encode_batch` takes a list of texts; yours holds "
                    f"{describe(text)}. Give it the texts, not their places."
                    if isinstance(text, (int, np.integer))
                    else f"`encode_batch` takes a list of texts; yours holds {describe(text)}."
                )
        if len(texts) > self.batch_size:
            raise Wrong(
                f"you give `encode_batch` {len(texts)} texts at once; `batch_size` is {self.batch_size}."
            )
        self.batches.append(texts)
        return self.sign * _vectors(texts)


def encode_in_batches(texts, count_tokens, encode_batch, batch_size) -> np.ndarray:
    """Return the vectors of `texts` in their order; `encode_batch` sees them sorted by length."""
    order = np.argsort([count_tokens(text) for text in texts], kind="stable")
    vectors = np.zeros((len(texts), _DIMENSION))
    for start in range(0, len(texts), batch_size):
        places = order[start : start + batch_size]
        vectors[places] = encode_batch([texts[place] for place in places])
    return vectors


def _all_vectors(texts, encode_batch):
    return np.array([encode_batch([text])[0] for text in texts])


def _order(texts, count_tokens, backwards=False):
    return sorted(range(len(texts)), key=lambda i: count_tokens(texts[i]), reverse=backwards)


#: Ways to sort by length, shortest or longest first, and equal lengths one way or another.
_ORDERS = {
    "shortest": (np.argsort, lambda n: np.argsort(n, kind="stable")),
    "longest": (
        lambda n: np.argsort(n)[::-1],
        lambda n: np.argsort(-n),
        lambda n: np.argsort(n, kind="stable")[::-1],
        lambda n: np.argsort(-n, kind="stable"),
    ),
}


def _in(order, *, twice, count=None):
    """Vectors in the sorted order, or sorted once more."""

    def permuted(texts, count_tokens, encode_batch, batch_size):
        rows = order(np.array([(count or count_tokens)(text) for text in texts]))
        vectors = _all_vectors([texts[i] for i in rows], encode_batch)
        return vectors[rows] if twice else vectors

    return permuted


def _by_length(last):
    """One vector for each length: the last or the first that was seen."""

    def mixed(texts, count_tokens, encode_batch, batch_size):
        found: dict = {}
        for text in sorted(texts, key=count_tokens):
            if last or count_tokens(text) not in found:
                found[count_tokens(text)] = text
        return _all_vectors([found[count_tokens(text)] for text in texts], encode_batch)

    return mixed


def _first_only(texts, count_tokens, encode_batch, batch_size):
    """`texts.index(text)` for the place."""
    vectors = _all_vectors(texts, encode_batch)
    for place, text in enumerate(texts):
        if texts.index(text) != place:
            vectors[place] = 0
    return vectors


def _last_batch_missing(zeros, backwards=False, restored=True):
    def cut(texts, count_tokens, encode_batch, batch_size):
        order = _order(texts, count_tokens, backwards)
        whole = order[: len(order) // batch_size * batch_size]
        vectors = _all_vectors(texts, encode_batch)
        if not zeros:
            return vectors[sorted(whole)] if restored else vectors[whole]
        vectors[order[len(whole) :]] = 0
        return vectors

    return cut


def _sorted_inside(texts, count_tokens, encode_batch, batch_size):
    parts = [texts[i : i + batch_size] for i in range(0, len(texts), batch_size)]
    return _all_vectors([t for part in parts for t in sorted(part, key=count_tokens)], encode_batch)


def _last_batch_only(texts, count_tokens, encode_batch, batch_size):
    order = _order(texts, count_tokens)
    start = (len(order) - 1) // batch_size * batch_size
    return _all_vectors([texts[i] for i in order[start:]], encode_batch)


_LOST_ORDER = (
    "the vectors are those of the texts in sorted order: row i belongs to the i-th {which} text, not "
    "to `texts[i]`. Remember each text's place, and put its vector there."
)
_PERMUTED_TWICE = (
    "your vectors belong to other texts. `vectors[order]` sorts a second time; it does not undo the "
    "first. Put the rows back with `result[order] = vectors`, or take `vectors[np.argsort(order)]`."
)
_INCOMPLETE = (
    "for {case}, the texts of the last batch are missing: it is not full. n texts make "
    "n / batch_size batches, rounded *up*."
)

_BATCHING = (
    *(
        Mistake(_in(order, twice=False), _LOST_ORDER.format(which=which))
        for which, orders in _ORDERS.items()
        for order in orders
    ),
    *(
        Mistake(
            _in(order, twice=False, count=len),
            "the vectors are those of the texts sorted by characters: row i should belong to `texts[i]`, "
            "and length is counted in tokens.",
        )
        for order in _ORDERS["shortest"]
    ),
    Mistake(
        lambda t, c, e, b: _all_vectors(sorted(t), e),
        "the vectors are those of the texts in alphabetical order: row i should belong to `texts[i]`.",
    ),
    *(
        Mistake(_in(order, twice=True), _PERMUTED_TWICE)
        for orders in _ORDERS.values()
        for order in orders
    ),
    *(
        Mistake(_last_batch_missing(*settings), _INCOMPLETE)
        for settings in (
            (True, False),
            (True, True),
            (False, False, True),
            (False, True, True),
            (False, False, False),
            (False, True, False),
        )
    ),
    *(
        Mistake(
            _by_length(last),
            "texts of the same length get the same vector: you seem to keep vectors by length. Two "
            "texts can have equally many tokens; keep them by place.",
        )
        for last in (True, False)
    ),
    Mistake(
        _first_only,
        "a text that comes twice gets its vector once, and zeros after that: `texts.index(text)` "
        "always finds the first. Sort the places (`range(len(texts))`), not the texts.",
    ),
    *(
        Mistake(
            lambda t, c, e, b, by=by: _all_vectors(by(t, c), e),
            "for {case} a text that occurs twice has only one row. Every text keeps its row.",
        )
        for by in (
            lambda t, c: list(dict.fromkeys(t)),
            lambda t, c: list(dict.fromkeys(sorted(t, key=c))),
            lambda t, c: sorted(dict.fromkeys(t), key=c),
        )
    ),
    Mistake(
        _sorted_inside,
        "you sort within the batches, and return the vectors in that order. Sort all texts before "
        "they are cut into batches, and put the vectors back.",
    ),
    Mistake(
        lambda t, c, e, b: _unit(_all_vectors(t, e)),
        "every vector is in its place, but divided by its norm. Return them as `encode_batch` gives "
        "them.",
    ),
    Mistake(_last_batch_only, "you return the vectors of the last batch only. Collect them all."),
)  # fmt: skip


def _check_rows(answer: Answer, case: Case) -> None:
    """Raise `Wrong` with the first row that is not the vector of its text."""
    texts = case.arguments[0]
    vectors = _vectors(texts)
    for place, row in enumerate(np.asarray(answer(*case.arguments), dtype=float)):
        if np.allclose(row, vectors[place], atol=1e-4):
            continue
        whose = np.flatnonzero(np.isclose(vectors, row, atol=1e-4).all(axis=1))
        raise Wrong(
            f"for {case}, row {place} should be the vector of texts[{place}], but it is "
            + (
                f"that of texts[{whose[0]}]."
                if len(whose)
                else "not the vector of any of the texts."
                if row.any()
                else "all zeros. Was this text encoded at all? The last batch need not be full."
            )
        )


def _padded(batches: Sequence[Sequence[str]]) -> int:
    lengths = [[_tokens(text) for text in batch] for batch in batches]
    return sum(max(batch) * len(batch) - sum(batch) for batch in lengths)


def _slices(texts: Sequence[str], size: int) -> list[list[str]]:
    return [list(texts[i : i + size]) for i in range(0, len(texts), size)]


def _check_batches(texts: list[str], batch_size: int, batches: list[list[str]]) -> None:
    """Raise `Wrong` when the batches are too many, or mix lengths."""
    most = math.ceil(len(texts) / batch_size)
    lengths = [sorted(_tokens(text) for text in batch) for batch in batches]
    said = f"for {len(texts)} texts and batch size {batch_size}"
    strangers = [text for batch in batches for text in batch if text not in texts]
    if strangers:
        raise Wrong(f"`encode_batch` is given {strangers[0]!r}, which is none of the texts.")
    if len(batches) > most:
        calls = f"{said} you call `encode_batch` {len(batches)} times; {most} are enough"
        if all(len(batch) == 1 for batch in batches):
            raise Wrong(f"{calls}. You encode every text by itself: fill the batches.")
        if all(batch[0] == batch[-1] for batch in lengths):
            raise Wrong(
                f"{calls}. You open a new batch for each length. Fill each batch; neighbours in "
                "length may differ a little."
            )
        raise Wrong(f"{calls}. Is every batch but one full, and none encoded twice?")
    lengths.sort(key=lambda batch: (batch[0], batch[-1]))
    mixed = [(a, b) for a, b in itertools.pairwise(lengths) if b[0] < a[-1]]
    if not mixed:
        return
    best = _padded(_slices(sorted(texts, key=_tokens), batch_size))
    cost = f"That costs {_padded(batches)} positions of padding; sorted by tokens it is {best}."
    if batches == _slices(texts, batch_size):
        raise Wrong(
            f"{said} the vectors are right, but the batches are cut from the texts in the order given, "
            f"long and short together. {cost}"
        )
    given = sorted(map(sorted, batches))
    for by, words in (
        (len, "sorted by characters. A long word can be one token; `count_tokens` knows"),
        (
            lambda text: len(text.split()),
            "sorted by the number of words. One word can be several tokens; `count_tokens` knows",
        ),
        (str, "sorted alphabetically. Sort by `count_tokens`"),
        (lambda text: len(text.split()[0]), "sorted by the first word"),
    ):
        for backwards in (False, True):
            slices = _slices(sorted(texts, key=by, reverse=backwards), batch_size)
            if given == sorted(map(sorted, slices)):
                raise Wrong(
                    f"{said} the vectors are right, but the texts are {words}. {cost}"
                )  # fmt: skip
    one, other = mixed[0]
    raise Wrong(
        f"{said} the vectors are right, but one batch has texts of {one[0]} to {one[-1]} tokens and "
        f"another of {other[0]} to {other[-1]}: neighbours in length are not together. {cost}"
    )


def _texts(rng: np.random.Generator, n: int, repeats: int = 0) -> list[str]:
    """Return texts in which neither words nor characters are in the order of tokens."""
    short, long = ("a", "on", "sea", "to", "by"), ("lighthousekeeper", "harbourmaster", *_PIECES)
    found = []
    for _ in range(n - repeats):
        words = int(rng.integers(1, 12))
        found.append(" ".join(rng.choice(short if words > 5 else long, words)))
    found += [found[i] for i in rng.integers(0, len(found), repeats)]
    return [found[i] for i in rng.permutation(n)]


@exercise(
    "1.4",
    level=3,
    title="Batches of equal length",
    names=["encode_in_batches"],
    hints=[
        "Sort the *places* of the texts, not the texts. A place tells where its vector belongs.",
        "`order = sorted(range(len(texts)), key=lambda i: count_tokens(texts[i]))` says which text "
        "comes when. Cut `order` into pieces of `batch_size`; the last may be shorter.",
        "For each piece: encode `[texts[i] for i in piece]`, and put row number j of the result at "
        "place `piece[j]`. A list of n times None, filled row by row, becomes an array at the end.",
    ],
)
def exercise_1_4(answer: Answer) -> str:
    """Right vectors in the right places first; then few calls and little padding."""
    rng = np.random.default_rng(14)
    sizes = ((11, 4, 0), (9, 3, 2), (23, 5, 4), (1, 4, 0), (3, 8, 0), (16, 1, 1))
    data = [(_texts(rng, n, repeats), size) for n, size, repeats in sizes]

    def case(texts, batch_size):
        repeated = ", some of them repeated," if len(set(texts)) < len(texts) else ""
        words = f"{len(texts)} text{'s' * (len(texts) > 1)}{repeated} and batch size {batch_size}"
        return Case((texts, _tokens, _Encoder(batch_size), batch_size), words)

    cases = [case(texts, batch_size) for texts, batch_size in data]
    try:
        judge(answer, cases, encode_in_batches, _BATCHING, read=array)
    except Wrong as wrong:
        if "values are wrong" in str(wrong):
            for one in cases:
                _check_rows(answer, one)
        raise
    for texts, batch_size in data:
        encoder = _Encoder(batch_size)
        answer(texts, _tokens, encoder, batch_size)
        _check_batches(texts, batch_size, encoder.batches)
    texts, size = data[0]
    if not np.allclose(answer(texts, _tokens, _Encoder(size, sign=-1), size), -_vectors(texts)):
        raise Wrong(
            "called again with the same texts and another `encode_batch`, it returns the vectors of the "
            "first. Does it keep vectors between calls? Then a second model gets those of another."
        )
    try:
        nothing = answer([], _tokens, _Encoder(4), 4)
    except Wrong as wrong:
        raise Wrong(f"all is right until the list is empty; then {wrong}") from None
    if len(array(nothing, what="what you return for no texts")):
        raise Wrong(
            f"for an empty list you return {describe(nothing)}; it should be an array of length 0."
        )
    return "right: little padding, few calls, and every vector is back with its own text."
