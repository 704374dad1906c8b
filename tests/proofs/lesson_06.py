"""Answers to practice 06, batch encoding."""

import math

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


def one_position_at_a_time(lengths, batch_size):
    firsts = (i - i % batch_size for i in range(len(lengths)))
    return float(sum(max(lengths[first : first + batch_size]) for first in firsts))


def fails_on_nothing(lengths, batch_size):
    batches = np.array_split(lengths, range(batch_size, len(lengths), batch_size))
    return sum(len(batch) * max(batch) for batch in batches)


def sorts_in_place(lengths, batch_size):
    found = with_while(lengths, batch_size)
    lengths.sort()
    return found


PROOFS = {
    "6.1": Proof(
        right=(with_while, as_a_table, one_position_at_a_time),
        wrong=(
            (fails_on_nothing, "it raises ValueError"),
            (sorts_in_place, "changes `lengths` in place"),
        ),
    ),
}
