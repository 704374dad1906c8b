"""Answers to practice 01, embeddings."""

from fractions import Fraction

import numpy as np

from . import Proof

# 1.1


def text_by_text(token_vectors, attention_mask):
    result = np.zeros((token_vectors.shape[0], token_vectors.shape[2]))
    for i in range(len(token_vectors)):
        own = token_vectors[i][attention_mask[i] == 1]
        if len(own):
            result[i] = own.mean(axis=0)
    return result


def weights_by_matmul(token_vectors, attention_mask):
    counts = attention_mask.sum(axis=1, keepdims=True)
    weights = np.divide(
        attention_mask, counts, out=np.zeros(attention_mask.shape), where=counts > 0
    )
    return (weights[:, None, :] @ token_vectors)[:, 0].astype(np.float32)


def squeezed(token_vectors, attention_mask):
    return text_by_text(token_vectors, attention_mask).squeeze()


def empty_forgotten(token_vectors, attention_mask):
    sums = np.einsum("nt,ntd->nd", attention_mask, token_vectors)
    return sums / attention_mask.sum(axis=1)[:, None]


def no_new_axis(token_vectors, attention_mask):
    return (token_vectors * attention_mask).sum(axis=1) / attention_mask.sum(axis=1)


def padding_overwritten(token_vectors, attention_mask):
    token_vectors[attention_mask == 0] = 0
    return token_vectors.sum(axis=1) / np.maximum(attention_mask.sum(axis=1, keepdims=True), 1)


# 1.2


def with_numpy(lengths, limit):
    lengths = np.array(lengths, dtype=int)
    lost = np.clip(lengths - limit + 2, 0, None)
    return lost, lost.sum() / max(lengths.sum(), 1)


def one_minus_the_read(lengths, limit):
    lost = (n - min(n, limit - 2) for n in lengths)
    total = sum(lengths)
    share = Fraction(sum(min(n, limit - 2) for n in lengths), total) if total else 1
    return [lost, 1 - share]


def nothing_divided(lengths, limit):
    lost = [max(0, n - limit + 2) for n in lengths]
    return lost, sum(lost) / sum(lengths)


def two_lists(lengths, limit):
    lost, _ = with_numpy(lengths, limit)
    return lost, [gone / n for gone, n in zip(lost, lengths, strict=True)]


# 1.3


def random_vectors(first, second):
    rng = np.random.default_rng(0)
    table = {word: rng.normal(size=50) for word in sorted({*first, *second})}
    means = [np.mean([table[word] for word in words], axis=0) for words in (first, second)]
    return np.allclose(*means)


def made_equally_long(first, second):
    return sorted(list(first) * len(second)) == sorted(list(second) * len(first))


def first_letters(first, second):
    def mean(words):
        return np.mean([(ord(word[0]), len(word)) for word in words], axis=0)

    return bool(np.allclose(mean(first), mean(second)))


def as_number(first, second):
    return int(made_equally_long(first, second))


def only_when_true(first, second):
    if made_equally_long(first, second):
        return True


# 1.4


def descending_with_argsort(texts, count_tokens, encode_batch, batch_size):
    if not texts:
        return np.zeros((0, 384))
    order = np.argsort([-count_tokens(text) for text in texts])
    parts = [
        encode_batch([texts[i] for i in order[start : start + batch_size]])
        for start in range(0, len(texts), batch_size)
    ]
    return np.concatenate(parts)[np.argsort(order)]


def each_text_once(texts, count_tokens, encode_batch, batch_size):
    vectors = {}
    unique = sorted(set(texts), key=lambda text: (count_tokens(text), text))
    while unique:
        batch, unique = unique[:batch_size], unique[batch_size:]
        vectors.update(zip(batch, encode_batch(batch), strict=True))
    return np.array([vectors[text] for text in texts])


def as_given(texts, count_tokens, encode_batch, batch_size):
    starts = range(0, len(texts), batch_size)
    return np.array([v for i in starts for v in encode_batch(texts[i : i + batch_size])])


def one_by_one(texts, count_tokens, encode_batch, batch_size):
    return np.array([encode_batch([text])[0] for text in texts])


def single_texts(texts, count_tokens, encode_batch, batch_size):
    return np.array([encode_batch(text) for text in texts])


def all_at_once(texts, count_tokens, encode_batch, batch_size):
    return encode_batch(texts)


def counts_the_list(texts, count_tokens, encode_batch, batch_size):
    return encode_batch([texts[i] for i in np.argsort(count_tokens(texts))])


def asks_for_nothing_when_empty(texts, count_tokens, encode_batch, batch_size):
    found = each_text_once if texts else all_at_once
    return found(texts, count_tokens, encode_batch, batch_size)


KEPT: dict[str, np.ndarray] = {}


def kept_between_models(texts, count_tokens, encode_batch, batch_size):
    new = sorted({text for text in texts if text not in KEPT}, key=count_tokens)
    for start in range(0, len(new), batch_size):
        batch = new[start : start + batch_size]
        KEPT.update(zip(batch, encode_batch(batch), strict=True))
    return np.array([KEPT[text] for text in texts])


PROOFS = {
    "1.1": Proof(
        right=(text_by_text, weights_by_matmul),
        wrong=(
            (squeezed, "has shape (2,); it should have (1, 2)"),
            (empty_forgotten, "holds NaN, not a number. Was something divided by zero?"),
            (no_new_axis, "it raises ValueError"),
            (padding_overwritten, "changes `token_vectors` in place"),
        ),
    ),
    "1.2": Proof(
        right=(with_numpy, one_minus_the_read),
        wrong=(
            (nothing_divided, "it raises ZeroDivisionError"),
            (two_lists, "the second of your results is [0.4, 0.0]; the task asks for one number"),
        ),
    ),
    "1.3": Proof(
        right=(random_vectors, made_equally_long),
        wrong=(
            (first_letters, "given: first = ['boat'], second = ['bell']"),
            (as_number, "is 1; the task asks for True or False"),
            (only_when_true, "is None; the task asks for True or False"),
        ),
    ),
    "1.4": Proof(
        right=(descending_with_argsort, each_text_once),
        wrong=(
            (as_given, "texts of 3 to 5 tokens are a batch, and 4 to 4 another"),
            (one_by_one, "3 calls of `encode_batch`; 2 would be enough"),
            (single_texts, "what you give `encode_batch` is 'on the sea'"),
            (all_at_once, "you give `encode_batch` 3 texts; it takes 1 to 2"),
            (counts_the_list, "`count_tokens` takes one text"),
            (asks_for_nothing_when_empty, "you give `encode_batch` 0 texts"),
            (kept_between_models, "given: texts = ['on the sea', 'sea', 'to sea'], batch_size = 3"),
        ),
    ),
}
