"""Answers to practice 06, batch encoding."""

import contextlib
import hashlib
import json
import math
from fractions import Fraction

import numpy as np

from . import Proof

# 6.1


def with_while(lengths, batch_size):
    total, rest = 0, list(lengths)
    while rest:
        batch, rest = rest[:batch_size], rest[batch_size:]
        total += max(batch) * len(batch)
    return total


def as_a_table(lengths, batch_size):
    if len(lengths) == 0:
        return 0
    rows = math.ceil(len(lengths) / batch_size)
    table = np.zeros(rows * batch_size, dtype=int)
    table[: len(lengths)] = lengths
    table = table.reshape(rows, batch_size)
    return (table.max(axis=1) * (table > 0).sum(axis=1)).sum()


def fails_on_nothing(lengths, batch_size):
    batches = np.array_split(lengths, range(batch_size, len(lengths), batch_size))
    return sum(len(batch) * max(batch) for batch in batches)


def sorts_in_place(lengths, batch_size):
    found = with_while(lengths, batch_size)
    lengths.sort()
    return found


# 6.2


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


def a_single_text(texts, model_name, cache, encode):
    for text in texts:
        if (model_name, text) not in cache:
            cache[model_name, text] = encode(text)
    return np.array([cache[model_name, text] for text in texts])


def a_set(texts, model_name, cache, encode):
    new = {text for text in texts if (model_name, text) not in cache}
    if new:
        for text, vector in zip(new, encode(new), strict=True):
            cache[model_name, text] = vector
    return np.array([cache[model_name, text] for text in texts])


def with_hash(texts, model_name, cache, encode):
    keys = {text: hash((model_name, text)) for text in texts}
    new = [text for text in keys if keys[text] not in cache]
    if new:
        cache.update(zip((keys[text] for text in new), encode(new), strict=True))
    return np.array([cache[keys[text]] for text in texts])


# 6.3


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


def with_fractions(kinds, dimension, bytes_per_value, deadline_hours):
    seconds = sum(Fraction(d) * Fraction(s) / Fraction(m) for d, m, s in kinds)
    hours = seconds / 3600
    size = sum(d for d, _, _ in kinds) * dimension * Fraction(bytes_per_value)
    return [float(hours), float(size / 10**9), -int(-hours // Fraction(deadline_hours))]


def without_machines(kinds, dimension, bytes_per_value, deadline_hours):
    return step_by_step(kinds, dimension, bytes_per_value, deadline_hours)[:2]


# 6.4


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


def a_set_of_rows(query, vectors, candidates, k):
    return set(with_sorted(query, vectors, candidates, k))


# 6.5


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


def swallowed(texts, encode, store, chunk):
    with contextlib.suppress(Exception):
        with_while_loop(texts, encode, store, chunk)


def remembers_where(texts, encode, store, chunk, place=[0]):  # noqa: B006
    for start in range(place[0], len(texts), chunk):
        part = texts[start : start + chunk]
        store.append(encode(part))
        store.note(start + len(part))
        place[0] = start + len(part)


def prints_and_forgets_the_note(texts, encode, store, chunk):
    for start in range(0, len(texts), chunk):
        print(start)
        store.append(encode(texts[start : start + chunk]))


PROOFS = {
    "6.1": Proof(
        right=(with_while, as_a_table),
        wrong=(
            (fails_on_nothing, "it raises ValueError"),
            (sorts_in_place, "changes `lengths` in place"),
        ),
    ),
    "6.2": Proof(
        right=(nested_dictionaries, hashed_keys, sorted_set),
        wrong=(
            (a_single_text, "you call encode with 'storm'"),
            (a_set, "you call encode with {'storm'}"),
            (with_hash, "made with `hash()`"),
        ),
    ),
    "6.3": Proof(
        right=(step_by_step, with_fractions), wrong=((without_machines, "asks for 3 results"),)
    ),
    "6.4": Proof(right=(with_sorted, with_packed_bits), wrong=((a_set_of_rows, "is a set"),)),
    "6.5": Proof(
        right=(with_while_loop, counts_and_returns, reraises, row_by_row),
        wrong=(
            (swallowed, "the error is caught"),
            (remembers_where, "when it is called a second time"),
            (prints_and_forgets_the_note, "'note': 0"),
        ),
    ),
}
