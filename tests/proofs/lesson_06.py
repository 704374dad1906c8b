"""Answers to practice 06, batch encoding."""

import contextlib
import hashlib
import json
import math
import zlib
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from . import Proof

# 6.1 Right


def with_while(lengths, batch_size):
    total, rest = 0, list(lengths)
    while rest:
        batch, rest = rest[:batch_size], rest[batch_size:]
        total += max(batch) * len(batch)
    return total


def with_padding_of_zeros(lengths, batch_size):
    if len(lengths) == 0:
        return 0
    rows = math.ceil(len(lengths) / batch_size)
    table = np.zeros(rows * batch_size, dtype=int)
    table[: len(lengths)] = lengths
    table = table.reshape(rows, batch_size)
    sizes = (table > 0).sum(axis=1)
    return (table.max(axis=1) * sizes).sum()


def one_position_at_a_time(lengths, batch_size):
    total = 0
    for i in range(len(lengths)):
        first = i - i % batch_size
        total += max(lengths[first : first + batch_size])
    return float(total)


# 6.1 Wrong


def no_padding(lengths, batch_size):
    return sum(lengths)


def longest_of_all(lengths, batch_size):
    return len(lengths) * max(lengths, default=0)


def sorted_first(lengths, batch_size):
    return with_while(sorted(lengths), batch_size)


def last_batch_missing(lengths, batch_size):
    total = 0
    for i in range(len(lengths) // batch_size):
        total += batch_size * max(lengths[i * batch_size : (i + 1) * batch_size])
    return total


def last_batch_full(lengths, batch_size):
    total = 0
    for start in range(0, len(lengths), batch_size):
        total += batch_size * max(lengths[start : start + batch_size])
    return total


def only_the_padding(lengths, batch_size):
    return with_while(lengths, batch_size) - sum(lengths)


def one_row_a_batch(lengths, batch_size):
    return sum(
        max(lengths[start : start + batch_size]) for start in range(0, len(lengths), batch_size)
    )


def as_a_list(lengths, batch_size):
    return [
        len(lengths[start : start + batch_size]) * max(lengths[start : start + batch_size])
        for start in range(0, len(lengths), batch_size)
    ]


def every_nth(lengths, batch_size):
    count = math.ceil(len(lengths) / batch_size)
    batches = [lengths[i::count] for i in range(count)]
    return sum(len(batch) * max(batch) for batch in batches)


def share(lengths, batch_size):
    whole = with_while(lengths, batch_size)
    return 1 - sum(lengths) / whole if whole else 0.0


def last_is_longest(lengths, batch_size):
    total = 0
    for start in range(0, len(lengths), batch_size):
        batch = lengths[start : start + batch_size]
        total += len(batch) * batch[-1]
    return total


def fails_on_nothing(lengths, batch_size):
    batches = np.array_split(lengths, range(batch_size, len(lengths), batch_size))
    return sum(len(batch) * max(batch) for batch in batches)


# 6.2 Right


def nested_dictionaries(texts, model_name, cache, encode):
    own = cache.setdefault(model_name, {})
    new = list(dict.fromkeys(text for text in texts if text not in own))
    if new:
        own.update(zip(new, encode(new), strict=True))
    return np.stack([own[text] for text in texts])


def hashed_keys(texts, model_name, cache, encode):
    def key(text):
        return hashlib.sha256(json.dumps([model_name, text]).encode()).hexdigest()

    missing = {}
    for text in texts:
        if key(text) not in cache:
            missing[text] = None
    if len(missing) > 0:
        found = encode(list(missing))
        for row, text in enumerate(missing):
            cache[key(text)] = found[row].tolist()
    return np.array([cache[key(text)] for text in texts])


def sorted_set(texts, model_name, cache, encode):
    known = {text for model, text in cache if model == model_name}
    new = sorted(set(texts) - known)
    if new:
        vectors = encode(tuple(new))
        for text, vector in zip(new, vectors, strict=True):
            cache[(model_name, text)] = vector.copy()
    return np.vstack([cache[(model_name, text)] for text in texts])


# 6.2 Wrong


def text_alone(texts, model_name, cache, encode):
    new = [text for text in dict.fromkeys(texts) if text not in cache]
    if new:
        cache.update(zip(new, encode(new), strict=True))
    return np.array([cache[text] for text in texts])


def joined(separator, change=str):
    """Return an answer whose key is one string."""

    def encode_cached(texts, model_name, cache, encode):
        def key(text):
            return f"{model_name}{separator}{change(text)}"

        new = [text for text in dict.fromkeys(texts) if key(text) not in cache]
        if new:
            cache.update(zip(map(key, new), encode(new), strict=True))
        return np.array([cache[key(text)] for text in texts])

    return encode_cached


def one_at_a_time(texts, model_name, cache, encode):
    for text in texts:
        if (model_name, text) not in cache:
            cache[model_name, text] = encode([text])[0]
    return np.array([cache[model_name, text] for text in texts])


def a_single_text(texts, model_name, cache, encode):
    for text in texts:
        if (model_name, text) not in cache:
            cache[model_name, text] = encode(text)
    return np.array([cache[model_name, text] for text in texts])


def duplicates_twice(texts, model_name, cache, encode):
    new = [text for text in texts if (model_name, text) not in cache]
    if new:
        for text, vector in zip(new, encode(new), strict=True):
            cache[model_name, text] = vector
    return np.array([cache[model_name, text] for text in texts])


def empty_call(texts, model_name, cache, encode):
    new = [text for text in dict.fromkeys(texts) if (model_name, text) not in cache]
    for text, vector in zip(new, encode(new), strict=True):
        cache[model_name, text] = vector
    return np.array([cache[model_name, text] for text in texts])


def all_when_any(texts, model_name, cache, encode):
    if any((model_name, text) not in cache for text in texts):
        distinct = list(dict.fromkeys(texts))
        for text, vector in zip(distinct, encode(distinct), strict=True):
            cache[model_name, text] = vector
    return np.array([cache[model_name, text] for text in texts])


def or_empty(texts, model_name, cache, encode):
    cache = cache or {}
    return one_call(texts, model_name, cache, encode)


def one_call(texts, model_name, cache, encode):
    new = [text for text in dict.fromkeys(texts) if (model_name, text) not in cache]
    if new:
        for text, vector in zip(new, encode(new), strict=True):
            cache[model_name, text] = vector
    return np.array([cache[model_name, text] for text in texts])


def no_cache(texts, model_name, cache, encode):
    return encode(texts)


def copied(texts, model_name, cache, encode):
    return one_call(texts, model_name, dict(cache), encode)


def new_ones_last(texts, model_name, cache, encode):
    known = [text for text in texts if (model_name, text) in cache]
    new = [text for text in texts if (model_name, text) not in cache]
    one_call(texts, model_name, cache, encode)
    return np.array([cache[model_name, text] for text in known + new])


def only_new(texts, model_name, cache, encode):
    new = [text for text in dict.fromkeys(texts) if (model_name, text) not in cache]
    if not new:
        return one_call(texts, model_name, cache, encode)
    vectors = encode(new)
    for text, vector in zip(new, vectors, strict=True):
        cache[model_name, text] = vector
    return vectors


def list_of_vectors(texts, model_name, cache, encode):
    return list(one_call(texts, model_name, cache, encode))


def a_set(texts, model_name, cache, encode):
    new = {text for text in texts if (model_name, text) not in cache}
    if new:
        for text, vector in zip(new, encode(new), strict=True):
            cache[model_name, text] = vector
    return np.array([cache[model_name, text] for text in texts])


def by_the_list(texts, model_name, cache, encode):
    key = (model_name, tuple(texts))
    if key not in cache:
        distinct = list(dict.fromkeys(texts))
        vectors = dict(zip(distinct, encode(distinct), strict=True))
        cache[key] = np.array([vectors[text] for text in texts])
    return cache[key]


def last_model_only(texts, model_name, cache, encode):
    if cache.get("model") != model_name:
        cache.clear()
        cache["model"] = model_name
    return one_call(texts, "", cache, encode)


MEMORY = {}


def memory_of_its_own(texts, model_name, cache, encode):
    found = one_call(texts, model_name, MEMORY, encode)
    cache.update(MEMORY)
    return found


def lower_case(texts, model_name, cache, encode):
    return one_call([text.lower() for text in texts], model_name, cache, encode)


def two_keys(texts, model_name, cache, encode):
    new = [text for text in dict.fromkeys(texts) if text not in cache]
    if new:
        for text, vector in zip(new, encode(new), strict=True):
            cache[model_name, text] = vector
    return np.array([cache[model_name, text] for text in texts])


def a_hundred_at_most(texts, model_name, cache, encode):
    found = one_call(texts, model_name, cache, encode)
    while len(cache) > 100:
        del cache[next(iter(cache))]
    return found


def inner_replaced(texts, model_name, cache, encode):
    new = [text for text in dict.fromkeys(texts) if text not in cache.get(model_name, {})]
    if new:
        cache[model_name] = dict(zip(new, encode(new), strict=True))
    return np.array([cache[model_name][text] for text in texts])


def known_model_known_texts(texts, model_name, cache, encode):
    if model_name not in cache:
        new = list(dict.fromkeys(texts))
        cache[model_name] = dict(zip(new, encode(new), strict=True))
    return np.array([cache[model_name][text] for text in texts])


def names_kept_outside(texts, model_name, cache, encode, names=set()):  # noqa: B006
    new = [text for text in dict.fromkeys(texts) if (model_name, text) not in names]
    names.update((model_name, text) for text in new)
    if new:
        for text, vector in zip(new, encode(new), strict=True):
            cache[model_name, text] = vector
    return np.array([cache[model_name, text] for text in texts])


def paired_with_all_texts(texts, model_name, cache, encode):
    new = [text for text in dict.fromkeys(texts) if (model_name, text) not in cache]
    if new:
        for text, vector in zip(texts, encode(new), strict=False):
            cache[model_name, text] = vector
    return np.array([cache[model_name, text] for text in texts])


def dictionary_returned(texts, model_name, cache, encode):
    one_call(texts, model_name, cache, encode)
    return cache


# 6.3 Right


def step_by_step(kinds, dimension, bytes_per_value, deadline_hours):
    hours = 0.0
    documents_in_all = 0
    for documents, measured, seconds in kinds:
        rate = measured / seconds
        hours += documents / rate / 3600
        documents_in_all += documents
    gigabytes = documents_in_all * dimension * bytes_per_value / 10**9
    machines = 1
    while hours / machines > deadline_hours:
        machines += 1
    return hours, gigabytes, machines


def with_arrays(kinds, dimension, bytes_per_value, deadline_hours):
    documents, measured, seconds = np.array(kinds, dtype=float).T
    hours = (documents / (measured / seconds)).sum() / 3600
    return np.array(
        [
            hours,
            documents.sum() * dimension * bytes_per_value * 1e-9,
            np.ceil(hours / deadline_hours),
        ]
    )


def with_fractions(kinds, dimension, bytes_per_value, deadline_hours):
    seconds = sum(Fraction(d) * Fraction(s) / Fraction(m) for d, m, s in kinds)
    hours = seconds / 3600
    size = sum(d for d, _, _ in kinds) * dimension * Fraction(bytes_per_value)
    return [float(hours), float(size / 10**9), -int(-hours // Fraction(deadline_hours))]


# 6.3 Wrong


def plans(hours=None, gigabytes=None, machines=None):
    """Return an answer that works out some of the three in a way of its own."""

    def plan(kinds, dimension, bytes_per_value, deadline_hours):
        right = step_by_step(kinds, dimension, bytes_per_value, deadline_hours)
        h = hours(kinds) if hours else right[0]
        g = gigabytes(kinds, dimension, bytes_per_value) if gigabytes else right[1]
        m = machines(h, deadline_hours) if machines else math.ceil(h / deadline_hours - 1e-9)
        return h, g, m

    return plan


def mean_rate(kinds):
    rates = [measured / seconds for _, measured, seconds in kinds]
    return sum(kind[0] for kind in kinds) / (sum(rates) / len(rates)) / 3600


def pooled_rate(kinds):
    measured, seconds = sum(kind[1] for kind in kinds), sum(kind[2] for kind in kinds)
    return sum(kind[0] for kind in kinds) * seconds / measured / 3600


def minutes(kinds, dimension, bytes_per_value, deadline_hours):
    h, g, m = step_by_step(kinds, dimension, bytes_per_value, deadline_hours)
    return h * 60, g, m


def other_order(kinds, dimension, bytes_per_value, deadline_hours):
    h, g, m = step_by_step(kinds, dimension, bytes_per_value, deadline_hours)
    return g, h, m


def without_machines(kinds, dimension, bytes_per_value, deadline_hours):
    return step_by_step(kinds, dimension, bytes_per_value, deadline_hours)[:2]


def as_a_dictionary(kinds, dimension, bytes_per_value, deadline_hours):
    h, g, m = step_by_step(kinds, dimension, bytes_per_value, deadline_hours)
    return {"hours": h, "gigabytes": g, "machines": m}


def shared_hours(kinds, dimension, bytes_per_value, deadline_hours):
    h, g, m = step_by_step(kinds, dimension, bytes_per_value, deadline_hours)
    return h / m, g, m


def rounded(kinds, dimension, bytes_per_value, deadline_hours):
    h, g, m = step_by_step(kinds, dimension, bytes_per_value, deadline_hours)
    return round(h, 1), g, m


# 6.4 Right


def with_sorted(query, vectors, candidates, k):
    def distance(row):
        return sum((a > 0) != (b > 0) for a, b in zip(vectors[row], query, strict=True))

    rows = sorted(range(len(vectors)), key=lambda row: (distance(row), row))[:candidates]
    return sorted(rows, key=lambda row: -float(np.dot(vectors[row], query)))[:k]


def with_packed_bits(query, vectors, candidates, k):
    document_bits = np.packbits(vectors > 0, axis=1)
    query_bits = np.packbits(query > 0)
    distance = np.unpackbits(document_bits ^ query_bits, axis=1).sum(axis=1)
    rows = np.lexsort((np.arange(len(vectors)), distance))[:candidates]
    scores = np.einsum("nd,d->n", vectors[rows], query)
    return tuple(rows[scores.argsort()[::-1][:k]].tolist())


def with_signs(query, vectors, candidates, k):
    signs = np.where(vectors > 0, 1, -1)
    similarity = signs @ np.where(query > 0, 1, -1)
    rows = np.argsort(-similarity, kind="mergesort")[:candidates]
    scores = np.full(len(vectors), -np.inf)
    scores[rows] = vectors[rows] @ query
    return np.argsort(scores)[::-1][:k].astype(np.int32)


# 6.4 Wrong


def distance_of(query, vectors):
    return ((vectors > 0) != (query > 0)).sum(axis=1)


def exact_search(query, vectors, candidates, k):
    return np.argsort(-(vectors @ query))[:k]


def bits_alone(query, vectors, candidates, k):
    return np.argsort(distance_of(query, vectors), kind="stable")[:k]


def only_k_candidates(query, vectors, candidates, k):
    rows = np.argsort(distance_of(query, vectors), kind="stable")[:k]
    return rows[np.argsort(-(vectors[rows] @ query))]


def zero_is_positive(query, vectors, candidates, k):
    distance = ((vectors >= 0) != (query >= 0)).sum(axis=1)
    rows = np.argsort(distance, kind="stable")[:candidates]
    return rows[np.argsort(-(vectors[rows] @ query))[:k]]


def with_np_sign(query, vectors, candidates, k):
    distance = (np.sign(vectors) != np.sign(query)).sum(axis=1)
    rows = np.argsort(distance, kind="stable")[:candidates]
    return rows[np.argsort(-(vectors[rows] @ query))[:k]]


def bits_that_agree(query, vectors, candidates, k):
    agree = ((vectors > 0) == (query > 0)).sum(axis=1)
    rows = np.argsort(agree, kind="stable")[:candidates]
    return rows[np.argsort(-(vectors[rows] @ query))[:k]]


def larger_row_first(query, vectors, candidates, k):
    similarity = -distance_of(query, vectors)
    rows = np.argsort(similarity, kind="stable")[::-1][:candidates]
    return rows[np.argsort(-(vectors[rows] @ query))[:k]]


def places(query, vectors, candidates, k):
    rows = np.argsort(distance_of(query, vectors), kind="stable")[:candidates]
    return np.argsort(-(vectors[rows] @ query))[:k]


def smallest_products(query, vectors, candidates, k):
    rows = np.argsort(distance_of(query, vectors), kind="stable")[:candidates]
    return rows[np.argsort(vectors[rows] @ query)[:k]]


def worst_first(query, vectors, candidates, k):
    return with_sorted(query, vectors, candidates, k)[::-1]


def by_cosine(query, vectors, candidates, k):
    rows = np.argsort(distance_of(query, vectors), kind="stable")[:candidates]
    scores = vectors[rows] @ query / np.linalg.norm(vectors[rows], axis=1)
    return rows[np.argsort(-scores)[:k]]


def document_bits(query, vectors, candidates, k):
    rows = np.argsort(distance_of(query, vectors), kind="stable")[:candidates]
    scores = (vectors[rows] > 0).astype(float) @ query
    return rows[np.argsort(-scores, kind="stable")[:k]]


def all_candidates(query, vectors, candidates, k):
    return with_sorted(query, vectors, candidates, candidates)


def scores_returned(query, vectors, candidates, k):
    return [float(vectors[row] @ query) for row in with_sorted(query, vectors, candidates, k)]


def one_too_many(query, vectors, candidates, k):
    return with_sorted(query, vectors, candidates + 1, k)


def all_as_near(query, vectors, candidates, k):
    distance = distance_of(query, vectors)
    rows = np.flatnonzero(distance <= np.sort(distance)[candidates - 1])
    return rows[np.argsort(-(vectors[rows] @ query))[:k]]


def a_set_of_rows(query, vectors, candidates, k):
    return set(with_sorted(query, vectors, candidates, k))


def _rescored_by(distance, score=np.matmul, last=lambda rows, k: rows[:k]):
    """Return an answer with another distance, another score or another end."""

    def rescore(query, vectors, candidates, k):
        rows = np.argsort(distance(query, vectors), kind="stable")[:candidates]
        order = np.argsort(-score(vectors[rows], query), kind="stable")
        return last(rows[order], k)

    return rescore


def one_ranking(query, vectors, candidates, k):
    return np.lexsort((-(vectors @ query), distance_of(query, vectors)))[:k]


def only_nearer(query, vectors, candidates, k):
    distance = distance_of(query, vectors)
    rows = np.flatnonzero(distance < np.sort(distance)[candidates - 1])
    return rows[np.argsort(-(vectors[rows] @ query))[:k]]


def twenty_and_ten(query, vectors, candidates, k):
    return with_sorted(query, vectors, 20, 10)


def _uint8(query, vectors):
    return np.abs((vectors > 0).astype("u1") - (query > 0).astype("u1")).sum(axis=1)


# 6.5 Right


def with_while_loop(texts, encode, store, chunk):
    store.cut(store.done())
    while store.done() < len(texts):
        done = store.done()
        vectors = encode(texts[done : done + chunk])
        store.append(vectors)
        store.note(done + len(vectors))


def counts_and_returns(texts, encode, store, chunk):
    encoded = 0
    position = store.done()
    if position == len(texts):
        return 0
    store.cut(position)
    remaining = texts[position:]
    while remaining:
        part, remaining = remaining[:chunk], remaining[chunk:]
        rows = encode(part)
        store.append(rows)
        position += len(part)
        encoded += len(part)
        store.note(position)
    return encoded


def cut_before_each_append(texts, encode, store, chunk):
    for start in range(store.done(), len(texts), chunk):
        end = min(start + chunk, len(texts))
        vectors = encode(texts[start:end])
        store.cut(start)
        store.append(vectors)
        store.note(end)


def reraises(texts, encode, store, chunk):
    try:
        with_while_loop(texts, encode, store, chunk)
    except Exception as error:
        raise RuntimeError("stopped; start me again") from error


def row_by_row(texts, encode, store, chunk):
    done = store.done()
    store.cut(done)
    for start in range(done, len(texts), chunk):
        for i, vector in enumerate(encode(texts[start : start + chunk]), start=1):
            store.append(vector[None])
            store.note(start + i)


# 6.5 Wrong


def note_first(texts, encode, store, chunk):
    done = store.done()
    store.cut(done)
    for start in range(done, len(texts), chunk):
        part = texts[start : start + chunk]
        vectors = encode(part)
        store.note(start + len(part))
        store.append(vectors)


def no_cut(texts, encode, store, chunk):
    for start in range(store.done(), len(texts), chunk):
        part = texts[start : start + chunk]
        store.append(encode(part))
        store.note(start + len(part))


def always_from_the_start(texts, encode, store, chunk):
    store.cut(0)
    for start in range(0, len(texts), chunk):
        part = texts[start : start + chunk]
        store.append(encode(part))
        store.note(start + len(part))


def note_of_chunks(texts, encode, store, chunk):
    done = store.done()
    store.cut(done * chunk)
    chunks = [texts[start : start + chunk] for start in range(0, len(texts), chunk)]
    for number, part in enumerate(chunks[done:], start=done + 1):
        store.append(encode(part))
        store.note(number)


def start_plus_chunk(texts, encode, store, chunk):
    done = store.done()
    store.cut(done)
    for start in range(done, len(texts), chunk):
        store.append(encode(texts[start : start + chunk]))
        store.note(start + chunk)


def note_at_the_end(texts, encode, store, chunk):
    done = store.done()
    store.cut(done)
    for start in range(done, len(texts), chunk):
        store.append(encode(texts[start : start + chunk]))
    store.note(len(texts))


def never_a_note(texts, encode, store, chunk):
    done = store.done()
    store.cut(done)
    for start in range(done, len(texts), chunk):
        store.append(encode(texts[start : start + chunk]))


def swallowed(texts, encode, store, chunk):
    with contextlib.suppress(Exception):
        with_while_loop(texts, encode, store, chunk)


def all_in_one_call(texts, encode, store, chunk):
    done = store.done()
    store.cut(done)
    if done < len(texts):
        vectors = encode(texts[done:])
        store.append(vectors)
        store.note(len(texts))


def one_text_at_a_time(texts, encode, store, chunk):
    done = store.done()
    store.cut(done)
    for i in range(done, len(texts)):
        store.append(encode([texts[i]]))
        store.note(i + 1)


def last_chunk_missing(texts, encode, store, chunk):
    done = store.done()
    store.cut(done)
    for start in range(done, len(texts) - chunk + 1, chunk):
        store.append(encode(texts[start : start + chunk]))
        store.note(start + chunk)


def lagging_note(texts, encode, store, chunk):
    done = store.done()
    store.cut(done)
    for start in range(done, len(texts), chunk):
        part = texts[start : start + chunk]
        store.append(encode(part))
        store.note(start)


def only_encodes(texts, encode, store, chunk):
    return [encode(texts[start : start + chunk]) for start in range(0, len(texts), chunk)]


def starts_at_zero(texts, encode, store, chunk):
    store.cut(store.done())
    for start in range(0, len(texts), chunk):
        part = texts[start : start + chunk]
        store.append(encode(part))
        store.note(start + len(part))


def a_chunk_behind(texts, encode, store, chunk):
    done = store.done()
    store.cut(done)
    waiting = None
    for start in range(done, len(texts), chunk):
        part = texts[start : start + chunk]
        vectors = encode(part)
        if waiting is not None:
            store.append(waiting[0])
            store.note(waiting[1])
        waiting = vectors, start + len(part)
    if waiting is not None:
        store.append(waiting[0])
        store.note(waiting[1])


def counts_from_its_own_start(texts, encode, store, chunk):
    store.cut(store.done())
    rest = texts[store.done() :]
    for start in range(0, len(rest), chunk):
        part = rest[start : start + chunk]
        store.append(encode(part))
        store.note(start + len(part))


def note_in_finally(texts, encode, store, chunk):
    done = store.done()
    store.cut(done)
    for start in range(done, len(texts), chunk):
        part = texts[start : start + chunk]
        try:
            store.append(encode(part))
        finally:
            store.note(start + len(part))


def cut_at_the_end(texts, encode, store, chunk):
    done = store.done()
    for start in range(done, len(texts), chunk):
        part = texts[start : start + chunk]
        store.append(encode(part))
        store.note(start + len(part))
    store.cut(len(texts))


# More wrong answers, for all exercises


def parts(count):
    def padded_positions(lengths, batch_size):
        if not lengths:
            return 0
        batches = np.array_split(lengths, count(len(lengths), batch_size))
        return int(sum(len(batch) * max(batch) for batch in batches if len(batch)))

    return padded_positions


def always_32(lengths, batch_size):
    return sum(
        len(lengths[i : i + 32]) * max(lengths[i : i + 32]) for i in range(0, len(lengths), 32)
    )


def keyed(key):
    def encode_cached(texts, model_name, cache, encode):
        missing = [t for t in dict.fromkeys(texts) if key(model_name, t) not in cache]
        if missing:
            for text, vector in zip(missing, encode(missing), strict=True):
                cache[key(model_name, text)] = vector
        return np.array([cache[key(model_name, text)] for text in texts])

    return encode_cached


@dataclass(frozen=True)
class Key:
    """A key as a careful learner may write it."""

    model: str
    text: str


def hours_rounded_up(kinds, dimension, bytes_per_value, deadline_hours):
    hours, gigabytes, _ = step_by_step(kinds, dimension, bytes_per_value, deadline_hours)
    return hours, gigabytes, math.ceil(math.ceil(hours) / deadline_hours)


def each_kind_rounded_up(kinds, dimension, bytes_per_value, deadline_hours):
    hours, gigabytes, _ = step_by_step(kinds, dimension, bytes_per_value, deadline_hours)
    each = [step_by_step([kind], 1, 1, deadline_hours)[2] for kind in kinds]
    return hours, gigabytes, sum(each)


def packed(count):
    def rescore(query, vectors, candidates, k):
        differ = np.packbits(vectors > 0, axis=1) ^ np.packbits(query > 0)
        chosen = np.argsort(count(differ), kind="stable")[:candidates]
        return chosen[np.argsort(-(vectors[chosen] @ query))[:k]]

    return rescore


def cut_before_turned(query, vectors, candidates, k):
    distance = ((vectors > 0) != (query > 0)).sum(axis=1)
    chosen = np.argsort(distance, kind="stable")[:candidates]
    return chosen[np.argsort(vectors[chosen] @ query)[:k][::-1]]


def sorted_by_length(texts, encode, store, chunk):
    texts = sorted(texts, key=len)
    done = store.done()
    store.cut(done)
    for start in range(done, len(texts), chunk):
        part = texts[start : start + chunk]
        store.append(encode(part))
        store.note(start + len(part))


def times_as_many(lengths, batch_size):
    return with_while(lengths, batch_size) / max(1, sum(lengths))


def at_every_text(lengths, batch_size):
    starts = range(len(lengths))
    parts = [lengths[start : start + batch_size] for start in starts]
    return sum(len(part) * max(part) for part in parts)


def _with_key(key):
    """A right answer but for its keys."""

    def encode_cached(texts, model_name, cache, encode):
        missing = [t for t in dict.fromkeys(texts) if key(model_name, t) not in cache]
        if missing:
            vectors = encode(missing)
            cache.update((key(model_name, t), v) for t, v in zip(missing, vectors, strict=True))
        return np.array([cache[key(model_name, t)] for t in texts])

    return encode_cached


def empty_text_left_out(texts, model_name, cache, encode):
    missing = [t for t in dict.fromkeys(texts) if t and (model_name, t) not in cache]
    if missing:
        for text, vector in zip(missing, encode(missing), strict=True):
            cache[model_name, text] = vector
    nothing = np.zeros_like(next(iter(cache.values())))
    return np.array([cache.get((model_name, t), nothing) for t in texts])


def of_norm_one(texts, model_name, cache, encode):
    found = one_call(texts, model_name, cache, encode)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def in_whole_tenths(texts, model_name, cache, encode):
    return one_call(texts, model_name, cache, lambda missing: np.round(encode(missing), 1))


def rows_beside_names(texts, model_name, cache, encode):
    numbers = cache.setdefault(model_name, {})
    rows = cache.setdefault("rows", [])
    missing = [t for t in dict.fromkeys(texts) if t not in numbers]
    if missing:
        for text, vector in zip(missing, encode(missing), strict=True):
            numbers[text] = len(rows)
            rows.append(vector)
    return np.array([rows[numbers[t]] for t in texts])


def as_bytes(texts, model_name, cache, encode):
    missing = [t for t in dict.fromkeys(texts) if (model_name, t) not in cache]
    if missing:
        for text, vector in zip(missing, encode(missing), strict=True):
            cache[model_name, text] = (vector.tobytes(), vector.dtype.str)
    return np.array([np.frombuffer(*cache[model_name, t]) for t in texts])


def rounded_plan(kinds, dimension, bytes_per_value, deadline_hours):
    hours, gigabytes, machines = step_by_step(kinds, dimension, bytes_per_value, deadline_hours)
    return round(hours, 2), gigabytes, machines


def return_in_the_loop(kinds, dimension, bytes_per_value, deadline_hours):
    return step_by_step(kinds[:1], dimension, bytes_per_value, deadline_hours)


def without_the_trial(kinds, dimension, bytes_per_value, deadline_hours):
    rest = [(n - measured, measured, seconds) for n, measured, seconds in kinds]
    return step_by_step(rest, dimension, bytes_per_value, deadline_hours)


def same_row_for_all(texts, model_name, cache, encode):
    def first_only(missing):
        return np.repeat(encode(missing)[:1], len(missing), axis=0)

    return one_call(texts, model_name, cache, first_only)


def no_more_than_three(texts, model_name, cache, encode):
    known = dict(cache)
    found = one_call(texts, model_name, known, encode)
    for key in list(known)[:4]:
        cache[key] = known[key]
    return found


def bits_rank(query, vectors, candidates, k):
    chosen = np.argsort(-(vectors @ query))[:candidates]
    distance = ((vectors[chosen] > 0) != (query > 0)).sum(axis=1)
    return chosen[np.argsort(distance, kind="stable")[:k]].tolist()


def cut_too_late(texts, encode, store, chunk):
    done = store.done()
    store.cut(done + 1)
    for start in range(done, len(texts), chunk):
        part = texts[start : start + chunk]
        store.append(encode(part))
        store.note(start + len(part))


def equals_by_product(query, vectors, candidates, k):
    distance = ((vectors > 0) != (query > 0)).sum(axis=1)
    products = vectors @ query
    chosen = np.lexsort((-products, distance))[:candidates]
    return chosen[np.argsort(-products[chosen])][:k].tolist()


def signs_cancel(query, vectors, candidates, k):
    distance = ((vectors > 0).astype(int) - (query > 0).astype(int)).sum(axis=1)
    chosen = np.argsort(distance, kind="stable")[:candidates]
    return chosen[np.argsort(-(vectors[chosen] @ query))][:k].tolist()


def goes_by_the_rows(texts, encode, store, chunk):
    for start in range(len(store.rows), len(texts), chunk):
        part = texts[start : start + chunk]
        store.append(encode(part))
        store.note(start + len(part))


def remembers_where(texts, encode, store, chunk, place=[0]):  # noqa: B006
    for start in range(place[0], len(texts), chunk):
        part = texts[start : start + chunk]
        store.append(encode(part))
        store.note(start + len(part))
        place[0] = start + len(part)


PROOFS = {
    "6.1": Proof(
        right=(with_while, with_padding_of_zeros, one_position_at_a_time),
        wrong=(
            (no_padding, "nothing is padded"),
            (longest_of_all, "the longest text of all"),
            (sorted_first, "You sort the lengths first"),
            (last_batch_missing, "The last batch is missing"),
            (last_batch_full, "as if it were full"),
            (only_the_padding, "the padding alone"),
            (one_row_a_batch, "as if a batch were one text"),
            (as_a_list, "one number for each batch"),
            (every_nth, "consecutive"),
            (share, "the share of the padding"),
            (last_is_longest, "the last text of each batch"),
            (fails_on_nothing, "it raises ValueError"),
            (parts(lambda texts, size: -(-texts // size)), "about equally large"),
            (parts(lambda texts, size: size), "You make `batch_size` batches"),
            (always_32, "Your batches have 32 texts"),
            (times_as_many, "how many times as many"),
            (at_every_text, "so that they overlap"),
        ),
    ),
    "6.2": Proof(
        right=(
            one_call,
            nested_dictionaries,
            hashed_keys,
            sorted_set,
            keyed(Key),
            as_bytes,
            _with_key(lambda m, t: f"{len(m)}:{m}{t}"),
            _with_key(lambda m, t: json.dumps([m, t])),
            _with_key(lambda m, t: m.encode() + b"\xff" + t.encode()),
            _with_key(lambda m, t: f"{m}:{hashlib.md5(t.encode()).hexdigest()}"),
            _with_key(lambda m, t: m.replace("%", "%%").replace("|", "%1") + "|" + t),
        ),
        wrong=(
            (text_alone, "the right texts, the wrong model"),
            (joined(""), "the text 'v2storm' by the model 'mini'"),
            (joined("|"), "the text 'v2|storm' by the model 'mini'"),
            (joined("\0", str.lower), "you return the vector of 'Storm'"),
            (joined("\0", str.strip), "you return the vector of 'storm '"),
            (one_at_a_time, "with one text each"),
            (a_single_text, "you call encode with the text 'storm'"),
            (duplicates_twice, "encode 'harbour' 2 times in one call"),
            (empty_call, "with an empty list"),
            (all_when_any, "you encode 'tide' again"),
            (or_empty, "is still empty"),
            (no_cache, "It stands in the list more than once"),
            (new_ones_last, "in another order"),
            (only_new, "A text that stands twice in the list gets two rows"),
            (list_of_vectors, "is a list"),
            (a_set, "you call encode with a set"),
            (by_the_list, "although its vector is in the cache"),
            (last_model_only, "whatever is encoded later"),
            (_with_key(lambda m, t: f"('{m}','{t}')"), "by the model \"mini','v2\""),
            (_with_key(lambda m, t: f"{m.replace('|', '')}|{t}"), "The '|' in it is lost"),
            (
                _with_key(lambda m, t: f"{len(m)}{m}{t}"),
                "the text 'abcdefghijklm' by the model '2'",
            ),
            (_with_key(lambda m, t: (m, t.encode("ascii", "ignore"))), "the vector of 'naïve'"),
            (_with_key(lambda m, t: (m, zlib.crc32(t.encode()))), "the vector of 'plumless'"),
            (_with_key(lambda m, t: (m, "".join(sorted(t)))), "the vector of 'tide'"),
            (
                _with_key(lambda m, t: (m, hashlib.sha256(t.encode()).hexdigest()[:3])),
                "Two texts share a key",
            ),
            (same_row_for_all, "It is that of text 0 of the list"),
            (
                no_more_than_three,
                "once more, everything has been encoded before; you encode 'rain'",
            ),
            (empty_text_left_out, "The empty text is a text"),
            (of_norm_one, "You make its norm 1"),
            (in_whole_tenths, "rounded, perhaps?"),
            (rows_beside_names, "Your cache holds something else under 'rows'"),
            (memory_of_its_own, "remembers outside of `cache`"),
            (dictionary_returned, "you return a dictionary"),
            (lower_case, "you return another text's vector"),
            (two_keys, "under the very key"),
            (
                _with_key(lambda m, t: (m, len(t), t[:20], t[-20:])),
                "for a long text, when another one is in the cache",
            ),
            (_with_key(lambda m, t: (m, t[:512])), "for a long text"),
            (_with_key(lambda m, t: (m, t.split("\n")[0])), "the vector of 'Storm.\\nOne ship"),
            (_with_key(lambda m, t: (m[:20], t)), "by the model 'intfloat/e5-small-v2'. Names"),
            (a_hundred_at_most, "for the first of 600 texts"),
            (inner_replaced, "An earlier call has encoded 'tide'"),
            (known_model_known_texts, "No call has encoded it yet"),
            (names_kept_outside, "Is there a memory outside of `cache`?"),
            (paired_with_all_texts, "put in under the text that it belongs to"),
            (keyed(lambda model, text: f"{model}\0{text}"), "'v2\\x00storm'"),
            (keyed(lambda model, text: f"{text}|{model}"), "'storm|v2'"),
            (keyed(lambda model, text: f"{model}<<>>{text}"), "'v2<<>>storm'"),
            (keyed(lambda model, text: hash((model, text))), "made with `hash()`"),
            (keyed(lambda model, text: (model, id(text))), "made with `id()`"),
            (keyed(lambda model, text: (model, text[:50])), "that differs in a few words"),
            (keyed(lambda model, text: frozenset((model, text))), "which of the two is the model"),
            (
                keyed(lambda model, text: (model.replace("/", "_"), text)),
                "Names of models that differ",
            ),
        ),
    ),
    "6.3": Proof(
        right=(step_by_step, with_arrays, with_fractions),
        wrong=(
            (plans(hours=mean_rate), "You take the mean of the rates"),
            (plans(hours=pooled_rate), "one rate of both measurements"),
            (minutes, "These are minutes"),
            (plans(hours=lambda kinds: step_by_step(kinds[:1], 1, 1, 1)[0]), "the first kind"),
            (
                plans(gigabytes=lambda k, d, b: step_by_step(k, d, b, 1)[1] * 1e9 / 2**30),
                "a gibibyte",
            ),
            (plans(gigabytes=lambda k, d, b: step_by_step(k, d, 4, 1)[1]), "You take 4 bytes"),
            (
                plans(gigabytes=lambda k, d, b: step_by_step(k, d, int(b), 1)[1]),
                "a whole number of",
            ),
            (plans(gigabytes=lambda k, d, b: step_by_step(k, d, b, 1)[1] * 1e3), "megabytes"),
            (plans(machines=lambda h, d: h // d), "You round the machines down"),
            (plans(machines=lambda h, d: round(h / d)), "to the nearest number"),
            (plans(machines=lambda h, d: h // d + 1), "one machine too many"),
            (plans(machines=lambda h, d: h / d), "a fraction of a machine"),
            (other_order, "The order is hours, gigabytes, machines"),
            (without_machines, "asks for three numbers"),
            (as_a_dictionary, "you return a dictionary"),
            (shared_hours, "all machines together"),
            (rounded, "You round the hours. The task"),
            (hours_rounded_up, "You round the hours up"),
            (each_kind_rounded_up, "You round up for each kind"),
            (rounded_plan, "you return (18.89, 0.132, 7)"),
            (return_in_the_loop, "Is there a `return` inside the loop?"),
            (without_the_trial, "You leave out the documents of the trial"),
        ),
    ),
    "6.4": Proof(
        right=(with_sorted, with_packed_bits, with_signs),
        wrong=(
            (exact_search, "You rank all vectors"),
            (bits_alone, "The second step is missing"),
            (only_k_candidates, "You rescore only k candidates"),
            (zero_is_positive, "You take 0 for a positive number"),
            (with_np_sign, "`np.sign` knows three values"),
            (bits_that_agree, "You take the farthest rows"),
            (larger_row_first, "You have the larger one"),
            (places, "places among the candidates"),
            (smallest_products, "the *smallest* dot products"),
            (worst_first, "the worst first"),
            (by_cosine, "You rescore by cosine"),
            (document_bits, "the bits of the documents"),
            (all_candidates, "You return all the candidates"),
            (scores_returned, "These are the scores"),
            (one_too_many, "one candidate too many"),
            (all_as_near, "as near as the last candidate"),
            (a_set_of_rows, "is a set"),
            (packed(lambda differ: differ.sum(axis=1)), "You add up the packed bytes"),
            (packed(lambda differ: (differ > 0).sum(axis=1)), "You count the *bytes*"),
            (cut_before_turned, "`[:k]` comes before `[::-1]`"),
            (equals_by_product, "you prefer the larger dot product"),
            (bits_rank, "and rank them by their bits"),
            (signs_cancel, "so that +1 and -1 cancel"),
            (_rescored_by(lambda q, v: (v * q <= 0).sum(axis=1)), "count what is not above 0"),
            (_rescored_by(lambda q, v: (v * q < 0).sum(axis=1)), "count what is below 0"),
            (_rescored_by(lambda q, v: (v != q).sum(axis=1)), "compare the numbers themselves"),
            (
                _rescored_by(lambda q, v: ((v > 0) & (q > 0)).sum(axis=1)),
                "the fewest bits that are 1 in both",
            ),
            (_rescored_by(_uint8), "0 - 1 becomes 255"),
            (
                _rescored_by(distance_of, lambda v, q: np.abs(v @ q)),
                "the size of the dot product without its sign",
            ),
            (
                _rescored_by(distance_of, lambda v, q: (v > 0).astype(int) @ (q > 0)),
                "with the bits of both",
            ),
            (_rescored_by(distance_of, lambda v, q: v @ (q > 0)), "with the bits of the query"),
            (
                _rescored_by(distance_of, last=lambda rows, k: rows[1 : k + 1]),
                "The best is missing",
            ),
            (one_ranking, "only decides between equals"),
            (only_nearer, "just as far as the last candidate"),
            (twenty_and_ten, "whatever `candidates` and `k` are"),
        ),
    ),
    "6.5": Proof(
        right=(with_while_loop, counts_and_returns, cut_before_each_append, reraises, row_by_row),
        wrong=(
            (note_first, "First the vectors, then the note"),
            (no_cut, "Nothing has cut it away"),
            (always_from_the_start, "10 texts, all done, and the function is called once more"),
            (note_of_chunks, "The note counts texts, not chunks"),
            (start_plus_chunk, "you note 12 texts as done; there are 10"),
            (note_at_the_end, "more than the chunk in hand"),
            (never_a_note, "no note is written"),
            (swallowed, "just before store.done, and your function caught the error"),
            (all_in_one_call, "you call encode with 10 texts at once"),
            (one_text_at_a_time, "with 1 texts at a time"),
            (last_chunk_missing, "Is the last chunk missing"),
            (lagging_note, "the last note says 9; 10 texts are done"),
            (only_encodes, "the store is empty afterwards"),
            (starts_at_zero, "it encodes 'text number 0' again. store.done() says"),
            (a_chunk_behind, "and the note says 0. A power cut"),
            (counts_from_its_own_start, "not from where this run began"),
            (note_in_finally, "encode raised an error (note: 3, rows: 0)"),
            (cut_at_the_end, "the vector of texts[9] is not there at all"),
            (sorted_by_length, "The rows stand in the order of the texts"),
            (cut_too_late, "You call store.cut(1) where the note says 0"),
            (goes_by_the_rows, "go by store.done() alone"),
            (remembers_where, "nothing that the function remembers"),
        ),
    ),
}
