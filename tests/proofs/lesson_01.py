"""Answers to practice 01, embeddings."""

import math
from collections import Counter
from fractions import Fraction

import numpy as np

from . import Proof

# 1.1 Right


def text_by_text(token_vectors, attention_mask):
    result = np.zeros((token_vectors.shape[0], token_vectors.shape[2]))
    for i in range(len(token_vectors)):
        own = token_vectors[i][attention_mask[i] == 1]
        if len(own):
            result[i] = own.mean(axis=0)
    return result


def by_einsum(token_vectors, attention_mask):
    sums = np.einsum("nt,ntd->nd", attention_mask.astype(float), token_vectors)
    return sums / np.clip(attention_mask.sum(1, keepdims=True), 1e-9, None)


def masked_array(token_vectors, attention_mask):
    hidden = np.broadcast_to(attention_mask[..., None] == 0, token_vectors.shape)
    return np.ma.array(token_vectors, mask=hidden).mean(axis=1).filled(0)


def where_argument(token_vectors, attention_mask):
    mask = attention_mask.astype(bool)[:, :, None]
    with np.errstate(all="ignore"):
        means = np.mean(token_vectors, axis=1, where=mask)
    return np.nan_to_num(means).astype(np.float32)


def weights_by_matmul(token_vectors, attention_mask):
    counts = attention_mask.sum(axis=1, keepdims=True)
    weights = np.divide(
        attention_mask, counts, out=np.zeros(attention_mask.shape), where=counts > 0
    )
    return (weights[:, None, :] @ token_vectors)[:, 0]


# 1.1 Wrong


def pooling_as_found(token_vectors, attention_mask):
    kept = token_vectors * attention_mask[:, :, np.newaxis]
    return kept.mean(axis=1)


def no_mask(token_vectors, attention_mask):
    return token_vectors.mean(axis=1)


def padding_in_the_sum(token_vectors, attention_mask):
    return token_vectors.sum(axis=1) / np.maximum(attention_mask.sum(axis=1, keepdims=True), 1)


def sums(token_vectors, attention_mask):
    return np.einsum("nt,ntd->nd", attention_mask, token_vectors)


def normalised(token_vectors, attention_mask):
    means = text_by_text(token_vectors, attention_mask)
    return means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)


def whole_mask(token_vectors, attention_mask):
    return sums(token_vectors, attention_mask) / attention_mask.sum()


def empty_forgotten(token_vectors, attention_mask):
    return sums(token_vectors, attention_mask) / attention_mask.sum(axis=1)[:, None]


def first_n(token_vectors, attention_mask):
    counts = attention_mask.sum(axis=1)
    return np.array(
        [v[: max(n, 1)].mean(axis=0) for v, n in zip(token_vectors, counts, strict=True)]
    )


def integers_select(token_vectors, attention_mask):
    return np.array([v[m].mean(axis=0) for v, m in zip(token_vectors, attention_mask, strict=True)])


def cls_token(token_vectors, attention_mask):
    return token_vectors[:, 0, :]


def max_pooling(token_vectors, attention_mask):
    return np.where(attention_mask[:, :, None] == 0, -1e9, token_vectors).max(axis=1)


def specials_left_out(token_vectors, attention_mask):
    rows = []
    for vectors, mask in zip(token_vectors, attention_mask, strict=True):
        rows.append(vectors[mask == 1][1:-1].mean(axis=0))
    return np.array(rows)


def reversed_mask(token_vectors, attention_mask):
    return text_by_text(token_vectors, 1 - attention_mask)


def no_new_axis(token_vectors, attention_mask):
    return (token_vectors * attention_mask).sum(axis=1) / attention_mask.sum(axis=1)


def over_texts(token_vectors, attention_mask):
    return (token_vectors * attention_mask[:, :, None]).mean(axis=0)


def over_dimensions(token_vectors, attention_mask):
    return (token_vectors * attention_mask[:, :, None]).mean(axis=-1)


def one_more(token_vectors, attention_mask):
    return sums(token_vectors, attention_mask) / (1 + attention_mask.sum(axis=1, keepdims=True))


def pooled_as_list(token_vectors, attention_mask):
    return text_by_text(token_vectors, attention_mask).tolist()


def padding_overwritten(token_vectors, attention_mask):
    token_vectors[attention_mask == 0] = 0
    return token_vectors.sum(axis=1) / np.maximum(attention_mask.sum(axis=1, keepdims=True), 1)


def values_counted(token_vectors, attention_mask):
    kept = token_vectors * attention_mask[:, :, None]
    return kept.sum(axis=1) / np.maximum((kept != 0).sum(axis=1), 1)


def one_for_all(token_vectors, attention_mask):
    return (token_vectors * attention_mask[:, :, None]).sum(axis=(0, 1)) / attention_mask.sum()


def a_little_added(token_vectors, attention_mask):
    kept = token_vectors * attention_mask[:, :, None]
    return kept.sum(axis=1) / (attention_mask.sum(axis=1, keepdims=True) + 0.01)


def empty_dropped(token_vectors, attention_mask):
    kept = attention_mask.any(axis=1)
    return text_by_text(token_vectors[kept], attention_mask[kept])


def whole_numbers(token_vectors, attention_mask):
    means = np.zeros((len(token_vectors), token_vectors.shape[2]), dtype=int)
    for i, (vectors, mask) in enumerate(zip(token_vectors, attention_mask, strict=True)):
        if mask.any():
            means[i] = vectors[mask == 1].mean(axis=0)
    return means


def whole_span(token_vectors, attention_mask):
    means = np.zeros((len(token_vectors), token_vectors.shape[2]))
    for i, mask in enumerate(attention_mask):
        places = np.flatnonzero(mask)
        if len(places):
            means[i] = token_vectors[i, places[0] : places[-1] + 1].mean(axis=0)
    return means


def without_the_first(token_vectors, attention_mask):
    return text_by_text(token_vectors[:, 1:], attention_mask[:, 1:])


def returns_in_the_loop(token_vectors, attention_mask):
    for vectors, mask in zip(token_vectors, attention_mask, strict=True):
        return vectors[mask == 1].mean(axis=0)


# 1.2 Right


def with_numpy(lengths, limit):
    lengths = np.array(lengths, dtype=int)
    lost = np.clip(lengths - limit + 2, 0, None)
    return lost, lost.sum() / max(lengths.sum(), 1)


def in_a_loop(lengths, limit):
    lost, total = [], 0
    for length in lengths:
        total += length
        kept = length if length + 2 <= limit else limit - 2
        lost.append(length - kept)
    if total == 0:
        return [lost, 0]
    return [lost, sum(lost) / total]


def one_minus_the_read(lengths, limit):
    lost = tuple(n - min(n, limit - 2) for n in lengths)
    total = sum(lengths)
    return lost, float(1 - sum(min(n, limit - 2) for n in lengths) / total) if total else 0.0


# 1.2 Wrong


def unread(room=2, share=None, clip=True):
    """Return an answer with another room for special tokens, or another share."""

    def answer(lengths, limit):
        lost = [n - (limit - room) for n in lengths]
        lost = [max(0, n) for n in lost] if clip else lost
        return lost, (share(lengths, lost) if share else sum(lost) / max(1, sum(lengths)))

    return answer


def only_the_cut(lengths, limit):
    lost = [n - limit + 2 for n in lengths if n > limit - 2]
    return lost, sum(lost) / max(1, sum(lengths))


def those_read(lengths, limit):
    kept = [min(n, limit - 2) for n in lengths]
    return kept, 1 - sum(kept) / max(1, sum(lengths))


def whole_documents(lengths, limit):
    lost = [n if n > limit - 2 else 0 for n in lengths]
    return lost, sum(lost) / max(1, sum(lengths))


def only_the_list(lengths, limit):
    return [max(0, n - limit + 2) for n in lengths]


def share_first(lengths, limit):
    return with_numpy(lengths, limit)[::-1]


def sum_and_share(lengths, limit):
    lost, share = with_numpy(lengths, limit)
    return lost.sum(), share


def nothing_divided(lengths, limit):
    lost = [max(0, n - limit + 2) for n in lengths]
    return lost, sum(lost) / sum(lengths)


def mean_share(lengths, lost):
    return sum(gone / n for gone, n in zip(lost, lengths, strict=True) if n) / max(1, len(lengths))


def only_beyond_the_limit(lengths, limit):
    lost = [n - limit + 2 if n > limit else 0 for n in lengths]
    return lost, sum(lost) / max(1, sum(lengths))


def always_minilm(lengths, limit):
    lost = [max(0, n - 254) for n in lengths]
    return lost, sum(lost) / max(1, sum(lengths))


def from_the_shortest(lengths, limit):
    lost = [max(0, n + 2 - limit) for n in sorted(lengths)]
    return lost, sum(lost) / max(1, sum(lengths))


def two_lists(lengths, limit):
    lost = [max(0, n - limit + 2) for n in lengths]
    return lost, [gone / n if n else 0 for gone, n in zip(lost, lengths, strict=True)]


def kept_by_length(lengths, limit):
    lost = {n: max(0, n - limit + 2) for n in lengths}
    return list(lost.values()), sum(lost.values()) / max(1, sum(lengths))


# 1.3 Right


def fractions(first, second):
    def proportions(words):
        return {word: Fraction(n, len(words)) for word, n in Counter(words).items()}

    return proportions(first) == proportions(second)


def random_vectors(first, second):
    rng = np.random.default_rng(0)
    table = {word: rng.normal(size=50) for word in sorted({*first, *second})}
    means = [np.mean([table[word] for word in words], axis=0) for words in (first, second)]
    return np.allclose(*means)


def made_equally_long(first, second):
    return sorted(list(first) * len(second)) == sorted(list(second) * len(first))


def divided_by_the_gcd(first, second):
    def recipe(words):
        counts = Counter(words)
        common = math.gcd(*counts.values())
        return {word: n // common for word, n in counts.items()}

    return recipe(first) == recipe(second)


def shares_as_floats(first, second):
    words = sorted(set(first) | set(second))
    one = np.array([first.count(w) for w in words]) / len(first)
    other = np.array([second.count(w) for w in words]) / len(second)
    return np.abs(one - other).max() < 1e-9


# 1.3 Wrong


def in_order(first, second):
    return first == second


def averages_equal(first, second):
    rng = np.random.default_rng(0)
    vectors = {word: rng.normal(size=50) for word in sorted({*first, *second})}
    one, other = (np.mean([vectors[w] for w in words], axis=0) for words in (first, second))
    return bool((one == other).all())


def whole_ratios(first, second):
    one, other = Counter(first), Counter(second)
    if one.keys() != other.keys():
        return False
    return len({one[w] // other[w] for w in one}) == len({other[w] // one[w] for w in one}) == 1


def sorted_words(first, second):
    return sorted(first) == sorted(second)


def as_sets(first, second):
    return set(first) == set(second)


def sets_and_length(first, second):
    return len(first) == len(second) and not set(first) ^ set(second)


def multiples(first, second):
    short, long = (first, second) if len(first) <= len(second) else (second, first)
    if len(long) % len(short):
        return False
    return sorted(short * (len(long) // len(short))) == sorted(long)


def second_longer(first, second):
    times = len(second) // len(first)
    return sorted(first * times) == sorted(second)


def subset(first, second):
    return all(word in second for word in first)


def a_common_word(first, second):
    return bool(set(first) & set(second))


def letters(first, second):
    return sorted("".join(first)) == sorted("".join(second))


def shares_without_words(first, second):
    return sorted(Counter(first)[w] / len(first) for w in set(first)) == sorted(
        Counter(second)[w] / len(second) for w in set(second)
    )


def reversed_truth(first, second):
    return not fractions(first, second)


def always(first, second):
    return True


def as_number(first, second):
    return int(fractions(first, second))


def as_word(first, second):
    return "yes" if fractions(first, second) else "no"


def floor_division(first, second):
    return all(
        first.count(w) // len(first) == second.count(w) // len(second) for w in first + second
    )


def only_when_true(first, second):
    if fractions(first, second):
        return True


def numbers_for_vectors(first, second):
    vocabulary = sorted({*first, *second})
    one, other = (np.mean([vocabulary.index(word) for word in s]) for s in (first, second))
    return bool(np.isclose(one, other))


_NUMBERS: dict[str, int] = {}


def numbers_by_first_sight(first, second):
    for word in [*first, *second]:
        _NUMBERS.setdefault(word, len(_NUMBERS))
    one, other = (np.mean([_NUMBERS[word] for word in s]) for s in (first, second))
    return bool(np.isclose(one, other))


def letters_for_vectors(first, second):
    def mean(words):
        return np.mean([(ord(word[0]), len(word)) for word in words], axis=0)

    return bool(np.allclose(mean(first), mean(second)))


# 1.4 Right


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


def short_batch_first(texts, count_tokens, encode_batch, batch_size):
    pairs = sorted((count_tokens(text), i) for i, text in enumerate(texts))
    places = [i for _, i in pairs]
    cut = len(places) % batch_size
    groups = [places[:cut]] if cut else []
    groups += [places[i : i + batch_size] for i in range(cut, len(places), batch_size)]
    rows = {}
    for group in groups:
        for place, row in zip(group, encode_batch(np.array(texts)[group]), strict=True):
            rows[place] = row.astype(np.float32)
    return np.array([rows[i] for i in range(len(texts))])


def preallocated(texts, count_tokens, encode_batch, batch_size):
    order = sorted(range(len(texts)), key=lambda i: count_tokens(texts[i]))
    result = None
    for start in range(0, len(texts), batch_size):
        places = order[start : start + batch_size]
        vectors = encode_batch(tuple(texts[i] for i in places))
        if result is None:
            result = np.empty((len(texts), vectors.shape[1]))
        result[places] = vectors
    return np.empty((0, 0)) if result is None else result


# 1.4 Wrong


def asks_for_nothing_when_empty(texts, count_tokens, encode_batch, batch_size):
    if len(texts) == 0:
        return encode_batch([])
    return preallocated(texts, count_tokens, encode_batch, batch_size)


def in_batches(order_of, back=None, last=True):
    """Return an answer that encodes in the order of `order_of(texts, count_tokens)`."""

    def answer(texts, count_tokens, encode_batch, batch_size):
        order = list(order_of(texts, count_tokens))
        end = len(order) if last else len(order) // batch_size * batch_size
        parts = [
            encode_batch([texts[i] for i in order[start : min(end, start + batch_size)]])
            for start in range(0, end, batch_size)
        ]
        vectors = np.vstack(parts) if parts else np.zeros((0, 5))
        if back is None:
            result = np.zeros_like(vectors) if last else np.zeros((len(texts), 5))
            result[order[:end]] = vectors
            return result
        return vectors[back(order)] if len(order) else vectors

    return answer


def by_tokens(texts, count_tokens):
    return sorted(range(len(texts)), key=lambda i: count_tokens(texts[i]))


def by_characters(texts, count_tokens):
    return sorted(range(len(texts)), key=lambda i: len(texts[i]))


def by_words(texts, count_tokens):
    return sorted(range(len(texts)), key=lambda i: len(texts[i].split()))


def as_given(texts, count_tokens):
    return range(len(texts))


def alphabetically(texts, count_tokens):
    return sorted(range(len(texts)), key=lambda i: texts[i])


def far_apart(texts, count_tokens):
    order = by_tokens(texts, count_tokens)
    return order[::2] + order[1::2]


def longest_first_turned_round(texts, count_tokens, encode_batch, batch_size):
    order = sorted(range(len(texts)), key=lambda i: -count_tokens(texts[i]))
    forth = in_batches(lambda *given: order, back=lambda order: slice(None))
    return forth(texts, count_tokens, encode_batch, batch_size)[::-1]


def one_by_one(texts, count_tokens, encode_batch, batch_size):
    return np.array([encode_batch([text])[0] for text in texts])


def single_text(texts, count_tokens, encode_batch, batch_size):
    return np.array([encode_batch(text) for text in texts])


def all_at_once(texts, count_tokens, encode_batch, batch_size):
    return encode_batch(texts)


def one_batch_a_length(texts, count_tokens, encode_batch, batch_size):
    rows = [None] * len(texts)
    for length in sorted({count_tokens(text) for text in texts}):
        places = [i for i, text in enumerate(texts) if count_tokens(text) == length]
        for start in range(0, len(places), batch_size):
            group = places[start : start + batch_size]
            for place, row in zip(group, encode_batch([texts[i] for i in group]), strict=True):
                rows[place] = row
    return np.array(rows)


def places_for_texts(texts, count_tokens, encode_batch, batch_size):
    order = by_tokens(texts, count_tokens)
    return np.vstack(
        [encode_batch(order[i : i + batch_size]) for i in range(0, len(order), batch_size)]
    )


def counts_the_list(texts, count_tokens, encode_batch, batch_size):
    order = np.argsort(count_tokens(texts))
    return encode_batch([texts[i] for i in order])


def keyed_by_length(texts, count_tokens, encode_batch, batch_size):
    by_length = {}
    ordered = sorted(texts, key=count_tokens)
    for start in range(0, len(ordered), batch_size):
        batch = ordered[start : start + batch_size]
        for text, vector in zip(batch, encode_batch(batch), strict=True):
            by_length[count_tokens(text)] = vector
    return np.array([by_length[count_tokens(text)] for text in texts])


def index_of_text(texts, count_tokens, encode_batch, batch_size):
    result = np.zeros((len(texts), 5))
    ordered = sorted(texts, key=count_tokens)
    for start in range(0, len(ordered), batch_size):
        batch = ordered[start : start + batch_size]
        for text, vector in zip(batch, encode_batch(batch), strict=True):
            result[texts.index(text)] = vector
    return result


def sorts_the_given_list(texts, count_tokens, encode_batch, batch_size):
    before = list(texts)
    texts.sort(key=count_tokens)
    vectors = {}
    for start in range(0, len(texts), batch_size):
        batch = texts[start : start + batch_size]
        vectors.update(zip(batch, encode_batch(batch), strict=True))
    return np.array([vectors[text] for text in before])


def duplicates_gone(texts, count_tokens, encode_batch, batch_size):
    unique = list(dict.fromkeys(texts))
    return in_batches(by_tokens)(unique, count_tokens, encode_batch, batch_size)


def empty_fails(texts, count_tokens, encode_batch, batch_size):
    order = by_tokens(texts, count_tokens)
    vectors = np.vstack(
        [
            encode_batch([texts[i] for i in order[start : start + batch_size]])
            for start in range(0, len(order), batch_size)
        ]
    )
    return vectors[np.argsort(order)]


def list_of_vectors(texts, count_tokens, encode_batch, batch_size):
    return list(each_text_once(texts, count_tokens, encode_batch, batch_size))


def fixed_batch_size(texts, count_tokens, encode_batch, batch_size):
    return in_batches(by_tokens)(texts, count_tokens, encode_batch, 32)


def permuted_by_numpy(texts, count_tokens, encode_batch, batch_size):
    if not texts:
        return np.zeros((0, 0))
    order = np.argsort([count_tokens(text) for text in texts])
    batches = [order[i : i + batch_size] for i in range(0, len(order), batch_size)]
    vectors = np.vstack([encode_batch([texts[i] for i in batch]) for batch in batches])
    return vectors[order]


_KEPT: dict[str, np.ndarray] = {}


def kept_between_models(texts, count_tokens, encode_batch, batch_size):
    new = sorted({text for text in texts if text not in _KEPT}, key=count_tokens)
    for i in range(0, len(new), batch_size):
        batch = new[i : i + batch_size]
        _KEPT.update(zip(batch, encode_batch(batch), strict=True))
    return np.array([_KEPT[text] for text in texts])


def zeros_for_the_last(texts, count_tokens, encode_batch, batch_size):
    order = np.argsort([count_tokens(text) for text in texts], kind="stable")
    vectors = None
    for i in range(len(texts) // batch_size):
        places = order[i * batch_size : (i + 1) * batch_size]
        found = encode_batch([texts[place] for place in places])
        vectors = np.zeros((len(texts), found.shape[1])) if vectors is None else vectors
        vectors[places] = found
    return np.zeros((0, 0)) if vectors is None else vectors


PROOFS = {
    "1.1": Proof(
        right=(text_by_text, by_einsum, masked_array, where_argument, weights_by_matmul),
        wrong=(
            (pooling_as_found, "still the average as found"),
            (no_mask, "the mask is not used"),
            (padding_in_the_sum, "the sum still has the padding in it"),
            (sums, "these are sums"),
            (normalised, "divided by their norms"),
            (whole_mask, "all texts together"),
            (empty_forgotten, "without a single token gets NaN"),
            (first_n, "the first n positions"),
            (integers_select, "your mask does not select"),
            (cls_token, "the vector at the first position"),
            (max_pooling, "max pooling"),
            (specials_left_out, "leave out each text's first and last token"),
            (reversed_mask, "you average the padding"),
            (no_new_axis, "could not be broadcast"),
            (over_texts, "average over the texts"),
            (over_dimensions, "average over the dimensions"),
            (one_more, "one more than the number of tokens"),
            (pooled_as_list, "is a list"),
            (padding_overwritten, "changes its first argument in place"),
            (empty_dropped, "each text keeps its row"),
            (values_counted, "count what is not 0 after masking"),
            (one_for_all, "one average over the tokens of all texts"),
            (a_little_added, "you add 0.01 to the number of tokens"),
            (whole_numbers, "you return whole numbers"),
            (whole_span, "Padding can stand between them"),
            (without_the_first, "leave out the first position"),
            (returns_in_the_loop, "the average of the first text only"),
        ),
    ),
    "1.2": Proof(
        right=(with_numpy, in_a_loop, one_minus_the_read),
        wrong=(
            (unread(room=0), "leave all of the limit to the text"),
            (unread(room=-2), "add the two special tokens to the limit"),
            (unread(room=1), "room for one special token"),
            (unread(room=4), "away twice"),
            (unread(clip=False), "a negative number of tokens"),
            (only_the_cut, "only the documents that lose something"),
            (those_read, "how many tokens *are* read"),
            (whole_documents, "not lost as a whole"),
            (only_the_list, "one list only"),
            (only_beyond_the_limit, "only from documents that exceed `limit`"),
            (two_lists, "you return two lists"),
            (always_minilm, "You cut at 256 tokens, MiniLM's limit"),
            (from_the_shortest, "You have sorted it"),
            (share_first, "the share first"),
            (sum_and_share, "and not their sum"),
            (nothing_divided, "for two documents without a token you divide by 0"),
            (unread(share=mean_share), "the mean of the documents' own shares"),
            (unread(share=lambda n, lost: 100 * sum(lost) / max(1, sum(n))), "in per cent"),
            (
                unread(share=lambda n, lost: sum(lost) / max(1, sum(n) + 2 * len(n))),
                "counts the special tokens",
            ),
            (
                unread(share=lambda n, lost: np.count_nonzero(lost) / max(1, len(n))),
                "that of the *documents*",
            ),
            (unread(share=lambda n, lost: round(sum(lost) / max(1, sum(n)), 2)), "it is rounded"),
            (unread(share=lambda n, lost: sum(lost)), "the number of all lost tokens"),
            (kept_by_length, "no place for some documents"),
        ),
    ),
    "1.3": Proof(
        right=(fractions, random_vectors, made_equally_long, divided_by_the_gcd, shares_as_floats),
        wrong=(
            (in_order, "you compare the sentences word by word"),
            (averages_equal, "allow a tolerance"),
            (whole_ratios, "but a word's share of all words is not the same in both"),
            (sorted_words, "the same words equally often"),
            (as_sets, "which words occur, not how often"),
            (sets_and_length, "the same words and the same length"),
            (multiples, "You find whole multiples"),
            (second_longer, "whether the second is a multiple of the first"),
            (subset, "what else is there pulls"),
            (a_common_word, "have a word in common"),
            (letters, "You compare letters"),
            (shares_without_words, "without asking whose they are"),
            (reversed_truth, "the wrong way round"),
            (always, "True for everything"),
            (as_number, "you return is 1; the task asks for True or False"),
            (as_word, "asks for True or False."),
            (floor_division, "rounds down"),
            (only_when_true, "returns None"),
            (numbers_for_vectors, "You give each word one *number*"),
            (letters_for_vectors, "for *boat* and *bell*"),
            (numbers_by_first_sight, "for *milk butter jam* and *butter*"),
        ),
    ),
    "1.4": Proof(
        right=(descending_with_argsort, each_text_once, short_batch_first, preallocated),
        wrong=(
            (in_batches(by_tokens, back=lambda order: slice(None)), "i-th shortest text"),
            (in_batches(by_tokens, back=lambda order: order), "sorts a second time"),
            (in_batches(by_tokens, last=False), "the last batch are missing"),
            (in_batches(by_characters), "sorted by characters"),
            (in_batches(by_words), "sorted by the number of words"),
            (in_batches(as_given), "in the order given"),
            (in_batches(alphabetically), "sorted alphabetically"),
            (in_batches(far_apart), "neighbours in length are not together"),
            (one_by_one, "every text by itself"),
            (single_text, "you give it a single one"),
            (all_at_once, "texts at once; `batch_size` is 4"),
            (one_batch_a_length, "a new batch for each length"),
            (places_for_texts, "Give it the texts, not their places"),
            (counts_the_list, "`count_tokens` takes one text"),
            (keyed_by_length, "texts of the same length get the same vector"),
            (index_of_text, "always finds the first"),
            (sorts_the_given_list, "changes its first argument in place"),
            (duplicates_gone, "has only one row"),
            (empty_fails, "until the list is empty; then it raises"),
            (asks_for_nothing_when_empty, "you give `encode_batch` no text"),
            (
                longest_first_turned_round,
                "row 0 should be the vector of texts[0], but it is that of",
            ),
            (list_of_vectors, "is a list; the task asks for a NumPy array"),
            (fixed_batch_size, "11 texts at once"),
            (permuted_by_numpy, "it does not undo the first"),
            (kept_between_models, "the vectors of the first. Does it keep vectors"),
            (zeros_for_the_last, "but it is all zeros"),
        ),
    ),
}
