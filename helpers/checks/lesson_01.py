"""The checks of practice 01, embeddings."""

from __future__ import annotations

import itertools
import re
import zlib
from collections import Counter

import numpy as np

from helpers.checks.common import unit  # noqa: F401  in a row
from helpers.checks.frame import exercise
from helpers.checks.reading import Wrong, array, number, parts, same, sequence, truth
from helpers.checks.reading import texts as read_texts


def pooled(vectors, mask, divisors=None):
    """Divide each text's sum over its mask by `divisors`, or by its number of tokens."""
    counts = np.maximum(mask.sum(axis=1), 1) if divisors is None else divisors
    return (vectors * mask[:, :, None]).sum(axis=1) / np.reshape(counts, (-1, 1))


@exercise(
    "1.1",
    level=1,
    title="The average that counts nothing",
    names=["mean_pool"],
    hints=[
        "The mask makes the padding zero. By how many positions does `mean` divide then?",
        "An average is a sum divided by a number. The mask knows the number of each text.",
        "`np.maximum(mask.sum(axis=1), 1)[:, np.newaxis]` is a column of divisors that are never 0.",
    ],
)
class MeanPool:
    """Divide by a text's own tokens, wherever the padding stands and however few there are."""

    reads = array
    praise = "right: every token counts once, and padding not at all, not even as a zero."

    def reference(token_vectors, attention_mask):
        return pooled(token_vectors, attention_mask)

    def cases():
        yield np.array([[[1.0, 2.0], [3.0, 5.0], [8.0, 2.0], [9.0, 9.0]]]), np.array([[1, 1, 1, 0]])
        yield np.array([[[4.0], [9.0], [6.0]]]), np.array([[1, 0, 1]])
        yield np.array([[[2.0, 0.0, 4.5], [9.0, 9.0, 9.0]]] * 2), np.array([[1, 0], [1, 1]])
        yield np.array([[[5.0], [3.0]], [[8.0], [6.0]]]), np.array([[0, 0], [1, 1]])
        rng = np.random.default_rng(11)
        for shape in ((3, 7, 4), (4, 5, 2), (5, 4, 3)):
            vectors, mask = rng.normal(size=shape), rng.integers(0, 2, shape[:2])
            vectors[:, 0, 0] = 0  # a token can hold zeros
            yield np.where(mask[:, :, None] == 1, vectors, 5 * vectors - 2), mask

    mistakes = """
        pooled(token_vectors, attention_mask, attention_mask.shape[1])
            this is still the average as found: the sum is divided by all positions, padding too.
        token_vectors.mean(axis=1)
            you average over all positions. The mask is not used.
        pooled(token_vectors, attention_mask | 1, np.maximum(attention_mask.sum(axis=1), 1))
            the number of tokens is right, but the sum still has the padding in it.
        pooled(token_vectors, attention_mask, 1)
            these are sums over each text's tokens. Divide by how many there are.
        unit(reference(token_vectors, attention_mask))
            these are the right averages, divided by their norms. Return them as they are.
        pooled(token_vectors, attention_mask, attention_mask.sum())
        pooled(token_vectors, attention_mask, attention_mask.sum(axis=1).max())
            you divide by a number that is the same for all texts. Each text has its own.
        pooled(token_vectors, attention_mask, attention_mask.sum(axis=1) + 1)
        pooled(token_vectors, attention_mask, attention_mask.sum(axis=1) + 0.01)
            you add something to the number of tokens. Only a text without any needs another divisor.
        reference(token_vectors, 1 - attention_mask)
            you average the padding. The mask has 1 for a token of the text.
        np.array([v[m].mean(axis=0) for v, m in zip(token_vectors, attention_mask)])
            a mask of *integers* does not select: it picks rows 1 and 0. Compare first: `mask == 1`.
        reference(token_vectors[:, 1:], attention_mask[:, 1:])
            you leave out the first position of every text. All tokens with a 1 count.
        token_vectors[:, 0]
            you take the vector at the first position, and no average.
        np.where(attention_mask[:, :, None] == 1, token_vectors, -1e9).max(axis=1)
        token_vectors.max(axis=1)
            you take the largest value in each dimension (max pooling), not the mean.
    """


def numbers(value, what):
    """Read a list of numbers."""
    return [number(item, f"a number in {what}") for item in sequence(value, what)]


def shared(lengths, lost, share=lambda n, lost: lost.sum() / n.sum()):
    """Return what is lost of each document, and a share of that; 0 where there are no tokens."""
    return lost, float(share(np.array(lengths), np.array(lost))) if sum(lengths) else 0.0


@exercise(
    "1.2",
    level=2,
    title="What was never read",
    names=["never_read"],
    hints=[
        "How many places does a limit of 256 leave for the text, when `[CLS]` and `[SEP]` are in it?",
        "What exceeds `limit - 2` is lost. For the share, add up first and divide once.",
        "`lost = [max(0, n - (limit - 2)) for n in lengths]`; then `sum(lost) / sum(lengths)`, or 0.",
    ],
)
class NeverRead:
    """Special tokens take room; the share is of all tokens, not of all documents."""

    reads = parts(numbers, number)
    praise = "right: two places of the limit are not the text's, and every token weighs alike."

    def reference(lengths, limit):
        return shared(lengths, [max(0, n - limit + 2) for n in lengths])

    def cases():
        yield [10, 5], 8
        yield [3, 20], 10
        yield [5, 2, 7], 64
        yield [100, 254, 255, 300], 256
        yield [12, 9, 10, 40, 3, 11, 40], 12
        yield [700, 30, 383], 384
        yield np.random.default_rng(12).integers(1, 900, 40).tolist(), 128
        yield [6, 0, 31], 8
        yield [0, 0], 8
        yield [], 8

    mistakes = """
        reference(lengths, limit + 2)
            you leave all of the limit to the text. `[CLS]` and `[SEP]` take two places of it.
        reference(lengths, limit + 4)
            you add the special tokens to the limit. They are included: they take two places away.
        reference(lengths, limit + 1)
            you leave room for one special token. There are two, one at each end.
        reference(lengths, limit - 2)
            you take the two special tokens away twice.
        shared(lengths, [n - limit + 2 if n > limit else 0 for n in lengths])
            a document is cut as soon as it exceeds `limit - 2`, not only when it exceeds `limit`.
        shared(lengths, [n if n > limit - 2 else 0 for n in lengths])
            a document that is too long is not lost as a whole. Its beginning is read.
        shared(lengths, [n - limit + 2 for n in lengths if n > limit - 2])
            your list has only the documents that lose something. Give a number for each, 0 too.
        shared(lengths, [max(0, n - limit + 2) for n in dict.fromkeys(lengths)])
            of documents that are equally long you keep one: a dictionary or a set by length does so.
        reference(lengths, 256)
            your limit is always 256; the function is given one.
        shared(lengths, reference(lengths, limit)[0], lambda n, lost: (lost / (n + (n == 0))).mean())
            your share is the mean of the documents' own shares. Divide all lost tokens by all tokens.
        shared(lengths, reference(lengths, limit)[0], lambda n, lost: (lost > 0).mean())
            your share is that of the *documents* which lose something. Count tokens.
        shared(lengths, reference(lengths, limit)[0], lambda n, lost: lost.sum() / (n + 2).sum())
            your share is of all tokens with the special ones. Divide by the documents' own tokens.
        shared(lengths, reference(lengths, limit)[0], lambda n, lost: lost.sum())
            the second is a number of tokens. Return the share of them that is not read.
    """


def shares(words):
    """Return the share of each word."""
    return {word: words.count(word) / len(words) for word in words}


def times(words, other):
    """Say whether `other` is `words` a whole number of times."""
    return Counter(words * (len(other) // len(words))) == Counter(other)


def numbered(first, second):
    """Compare averages when each word is one number."""
    words = sorted({*first, *second})
    return np.isclose(*(np.mean([words.index(word) for word in s]) for s in (first, second)))


@exercise(
    "1.3",
    level=2,
    title="Order lost",
    names=["same_word_average"],
    hints=[
        "Write the average of *a a b* as a sum: how much of a's vector is in it, how much of b's?",
        "An average holds each word's vector with a factor: its count, divided by all words.",
        "For each word of both, compare `first.count(word) / len(first)` with the same of `second`.",
    ],
)
class SameWordAverage:
    """Proportions count; order and number do not."""

    reads = truth
    praise = "right: to an average a sentence is a recipe, so much of this and so much of that."

    def reference(first, second):
        return all(
            first.count(w) * len(second) == second.count(w) * len(first) for w in first + second
        )

    def cases():
        pairs = (
            "ferry - ferry, ferry - train, gulls steal chips - chips steal gulls, no - on, boat - bell, "
            "tide out - tide out tide out, tide out tide out tide out - out tide, a b - a a a b, "
            "a b b - b a a, very cold - very cold today, very cold today - very cold, a a b - a a b c, "
            "on the sea - sea the on, red red boat boat - boat boat boat red red red, a a - a a a, "
            "a b b a b b - b a b, a b b c c c - a a b c c c, a a a b b b b b - a a b b b, "
            "milk butter jam - butter, low mid top - mid, low tide - warm rain, a a b c - a b b c, "
            "of the the sea - the sea of the of the the sea the sea of the, a c a c - c a c a c a"
        )
        for first, second in re.findall("([^,-]+) - ([^,-]+)", pairs):
            yield first.split(), second.split()
        yield ["a"] * 100 + ["b"] * 101, ["a", "b"]
        yield ["a"] * 49 + ["b"] * 98, ["b", "a", "b"]

    mistakes = """
        first == second
            you compare the sentences word by word, or with `==`. Sums in another order are rounded differently.
        sorted(first) == sorted(second)
            you ask for the same words equally often. What counts is each word's *share*.
        set(first) == set(second)
            you compare which words occur, not how often. A word that comes twice pulls more.
        set(first) == set(second) and len(first) == len(second)
            you ask for the same words and the same length. What counts is each word's *share*.
        set(first) <= set(second)
        set(first) >= set(second)
            you ask whether the words of one occur in the other. What else is there pulls, too.
        times(first, second) or times(second, first)
            you look for whole multiples. Twice and three times a sentence have one average, too.
        times(first, second)
            you ask whether the second is a multiple of the first. It can be the other way round.
        sorted(shares(first).values()) == sorted(shares(second).values())
        set(shares(first).values()) == set(shares(second).values())
            you compare the shares without asking whose they are.
        sorted("".join(first)) == sorted("".join(second))
            you compare letters. *no* and *on* are two words with a vector each.
        all(first.count(w) // len(first) == second.count(w) // len(second) for w in first + second)
            `//` rounds down, and every share below 1 becomes 0.
        bool(set(first) & set(second))
            you ask whether the two have a word in common.
        numbered(first, second)
            you give each word one *number*, and averages of numbers meet by accident.
    """


def count_tokens(text):
    """Count two special tokens and one for each word; two words have more."""
    if not isinstance(text, str):
        raise Wrong("`count_tokens` takes one text. You give it something else.")
    return sum({"tsk": 4, "yclept": 7}.get(word, 1) for word in text.split()) + 2


def vectors_of(texts, model):
    """Return a vector for each text, another one for each model."""
    seeds = [zlib.crc32(f"{model} {text}".encode()) for text in texts]
    return np.array([np.random.default_rng(seed).normal(size=5).round(3) for seed in seeds])


def encoder(batch_size):
    """Return an `encode_batch` that remembers its batches and refuses what it cannot take."""

    def encode_batch(batch):
        batch = read_texts(batch, "what you give `encode_batch`")
        if not 1 <= len(batch) <= batch_size:
            raise Wrong(f"you give `encode_batch` {len(batch)} texts; it takes 1 to {batch_size}.")
        encode_batch.batches.append(sorted(map(count_tokens, batch)))
        return vectors_of(batch, batch_size)

    encode_batch.batches = []
    return encode_batch


def sorted_twice(texts, model, sign=1):
    """Sort the texts, and then their vectors by the same order once more."""
    order = sorted(range(len(texts)), key=lambda i: sign * count_tokens(texts[i]))
    return vectors_of([texts[i] for i in order], model)[order]


@exercise(
    "1.4",
    level=3,
    title="Batches of equal length",
    names=["encode_in_batches"],
    hints=[
        "Sort the *places* of the texts, not the texts. A place tells where its vector belongs.",
        "`sorted(range(len(texts)), key=lambda i: count_tokens(texts[i]))`, in pieces of `batch_size`.",
        "For each piece, encode `[texts[i] for i in piece]`, and put row j at place `piece[j]`.",
    ],
)
class EncodeInBatches:
    """Right vectors in the right places first; then few calls and little padding."""

    praise = "right: little padding, few calls, and every vector is back with its own text."

    def reads(value):
        found = array(value)
        return found if found.size else found.ravel()

    def reference(texts, count_tokens, encode_batch, batch_size):
        order = sorted(range(len(texts)), key=lambda i: count_tokens(texts[i]))
        found = {}
        for start in range(0, len(texts), batch_size):
            places = order[start : start + batch_size]
            found |= zip(places, encode_batch([texts[i] for i in places]), strict=True)
        return np.array([found[i] for i in range(len(texts))])

    def cases():
        yield ["on the sea", "sea", "to sea"], 2
        yield ["on the sea", "sea", "to sea"], 3
        yield ["yclept", "a b c d", "lighthousekeeper", "i am"], 2
        yield ["a", "sea"], 2
        yield ["on ice", "to sea"], 1
        yield ["sea", "sea", "to the sea", "to be"], 3
        yield ["by", "by", "to be on the sea", "on", "to the sea"], 3
        yield ["sea"], 4
        for n, batch_size in ((11, 4), (14, 5), (9, 1)):
            numbers = np.random.default_rng(n).permutation(n) + 1
            yield [" ".join(["a" if k > 5 else "harbour"] * k) for k in numbers], batch_size
        yield [], 4

    def make(texts, batch_size):
        return texts, count_tokens, encoder(batch_size), batch_size

    def play(answer, texts, count_tokens, encode_batch, batch_size):
        found = answer(texts, count_tokens, encode_batch, batch_size)
        batches, most = sorted(encode_batch.batches), -(-len(texts) // batch_size)
        if not same(found, vectors_of(texts, batch_size)):
            return found
        if len(batches) > most:
            calls = f"{len(batches)} calls of `encode_batch`; {most} would be enough"
            raise Wrong(f"the vectors are right, with {calls}. Fill every batch.")
        for one, other in itertools.pairwise(batches):
            if other[0] < one[-1]:
                raise Wrong(
                    f"the vectors are right, but texts of {one[0]} to {one[-1]} tokens are a batch, and "
                    f"{other[0]} to {other[-1]} another. Sort all by `count_tokens`, and then cut."
                )
        return found

    mistakes = """
        vectors_of(sorted(texts, key=count_tokens), batch_size)
        vectors_of(sorted(texts, key=count_tokens, reverse=True), batch_size)
        vectors_of(sorted(texts, key=len), batch_size)
        vectors_of(sorted(texts), batch_size)
            the vectors are in sorted order: row i belongs to `texts[i]`. Remember the places.
        sorted_twice(texts, batch_size)
        sorted_twice(texts, batch_size, -1)
            `vectors[order]` sorts once more. What undoes a sort is `result[order] = vectors`.
        vectors_of([{count_tokens(t): t for t in texts}[count_tokens(t)] for t in texts], batch_size)
            texts of the same length get the same vector. Keep vectors by place, not by length.
        vectors_of(texts, batch_size) * [[texts.index(text) == i] for i, text in enumerate(texts)]
            a text that comes twice gets zeros: `texts.index(text)` always finds the first.
    """
