"""Mistakes that fit any reference: something changes on the way in, or on the way out. A row:
what it fits, the change, and what the answer does: not why, whatever the learner had in mind."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any

import numpy as np

from helpers.checks.reading import plain_numbers


def _kind(value: Any) -> str:
    """Return the kind of numbers that `value` holds: i, u or f; b for anything else."""
    return getattr(plain_numbers(value), "dtype", np.dtype(bool)).kind


def unit(rows: np.ndarray) -> np.ndarray:
    """Return rows divided by their norms; a row of zeros stays as it is."""
    norms = np.linalg.norm(rows, axis=-1, keepdims=True)
    return rows / np.where(norms == 0, 1, norms)


def _parts(value: Any) -> int:
    return len(value) if isinstance(value, tuple) else 0


FITS: dict[str, Callable[[Any], bool]] = {
    "numbers": lambda value: _kind(value) in "iuf",
    "decimals": lambda value: _kind(value) == "f",
    "truth": lambda value: isinstance(value, (bool, np.bool_)),
    "float": lambda value: isinstance(value, float),
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "array": lambda value: isinstance(value, np.ndarray) and value.dtype.kind in "if",
    "matrix": lambda value: isinstance(value, np.ndarray) and value.ndim == 2,
    "list": lambda value: isinstance(value, (list, np.ndarray)) and len(value) > 1,
    "names": lambda value: isinstance(value, list) and {type(i) for i in value} <= {str, int},
    "pairs": lambda value: isinstance(value, list) and {_parts(item) for item in value} == {2},
    "tuple": lambda value: 2 <= _parts(value) <= 4,
    "dict": lambda value: type(value) is dict,
    "empty": lambda value: not isinstance(value, np.ndarray) and value is not None and not value,
}
ROUNDED = "what you return is rounded. Round where you print, not before."
OUTPUTS = [
    *(("decimals", lambda x, n=n: np.round(x, n), ROUNDED) for n in (3, 2, 1)),
    ("matrix", np.transpose, "rows and columns are swapped."),
    ("tuple", lambda x: x[::-1], "these are the right results in the wrong order."),
    ("pairs", lambda x: [pair[::-1] for pair in x], "both halves of each pair are swapped."),
    ("pairs", lambda x: [first for first, _ in x], "the second half of each pair is missing."),
    ("list", lambda x: x[::-1], "the order is reversed: the last one stands first."),
    ("list", lambda x: x[:-1], "the last one is missing."),
    ("list", lambda x: x[1:], "the first one is missing."),
    ("list", sorted, "these are the right ones, sorted by size or alphabet."),
    ("truth", lambda x: not x, "True and False are the wrong way round."),
    ("numbers", lambda x: x + 1, "one too many. Is it counted from 0, or from 1?"),
    ("numbers", lambda x: x - 1, "one too few. Is it counted from 0, or from 1?"),
    ("numbers", lambda x: -x, "the sign is wrong: plus and minus are swapped."),
    ("numbers", np.abs, "the sign is lost: what is negative has become positive."),
    ("numbers", lambda x: 2 * x, "this is twice what was asked for."),
    ("decimals", lambda x: x / 2, "this is half of what was asked for."),
    ("decimals", lambda x: 1 - x, "this is 1 minus what was asked for."),
    ("decimals", lambda x: np.maximum(x, 0), "what is negative has become 0."),
    ("decimals", lambda x: np.clip(x, 0, 1), "what is below 0 or above 1 is cut off."),
    ("decimals", lambda x: 100 * x, "this is in per cent; the task asks for a share of 1."),
    ("decimals", lambda x: x / 100, "this is a hundred times too small."),
    ("decimals", lambda x: 1000 * x, "this is a thousand times too large."),
    ("decimals", lambda x: 1 / x, "this is 1 divided by what was asked for."),
    ("decimals", np.sqrt, "this is the square root of what was asked for."),
    ("decimals", np.square, "this is the square of what was asked for."),
]
INPUTS = [
    ("float", lambda x: x + 1e-9 * max(1, abs(x)), "what is exactly at {} is left out: `>=`."),
    ("float", lambda x: x - 1e-9 * max(1, abs(x)), "what is exactly at {} is let in: `>`."),
    ("float", lambda x: x / 100, "it is right for {} / 100."),
    ("float", lambda x: 100 * x, "it is right for 100 * {}."),
    ("int", lambda x: x - 1, "it is right for {} - 1: one too few."),
    ("int", lambda x: x + 1, "it is right for {} + 1: one too many."),
    ("int", lambda x: 1, "it is right for {} = 1. Is {} ignored?"),
    ("empty", lambda x: None, "where {} is 0 or empty it is taken for missing. Ask `is None`."),
    ("array", unit, "{} is normalised, which changes the result."),
    ("array", np.negative, "small and large are swapped in {}."),
    ("names", lambda x: list(dict.fromkeys(x)), "equal items of {} are counted once."),
    ("list", lambda x: x[:-1], "the last of {} is left out."),
    ("list", lambda x: x[1:], "the first of {} is left out."),
    ("list", lambda x: x[::-1], "{} is read from the end."),
]


PLACES: dict[str, Callable[[Callable], Callable]] = {
    "": lambda to: to,
    "in the first of your results, ": lambda to: _fitted("tuple", lambda x: _with(x, 0, to)),
    "in the second of your results, ": lambda to: _fitted("tuple", lambda x: _with(x, 1, to)),
    "in the third of your results, ": lambda to: _fitted("tuple", lambda x: _with(x, 2, to)),
    "in the values of your dictionary, ": lambda to: _fitted(
        "dict", lambda x: {key: to(item) for key, item in x.items()}
    ),
    "in the second half of each pair, ": lambda to: _fitted(
        "pairs", lambda x: [_with(pair, 1, to) for pair in x]
    ),
}


def common_mistakes(reference: Callable) -> Iterator[tuple[Callable, str]]:
    """Yield pairs (function, sentence): answers that do as `reference` does, but for one change."""
    for about, within in PLACES.items():
        for fits, change, says in OUTPUTS:
            to = within(_fitted(fits, change))
            yield lambda *given, to=to: to(reference(*given)), about + says
    parameters = list(inspect.signature(reference).parameters.values())
    for place, parameter in enumerate(parameters):
        for fits, change, says in INPUTS:
            change = _fitted(fits, change)
            yield _before(reference, place, change), says.replace("{}", f"`{parameter.name}`")
        if parameter.default not in (parameter.empty, None, 0):
            says = f"it is right for the default of `{parameter.name}`. Is what is given ignored?"
            yield _before(reference, place, lambda _, default=parameter.default: default), says
    for (i, one), (j, other) in combinations(enumerate(parameters), 2):
        says = f"`{one.name}` and `{other.name}` are taken for each other."
        yield _swapped(reference, i, j), says


def _fitted(fits: str, change: Callable) -> Callable:
    """Let `change` see what it fits, numbers in a list as an array; the rest stays as it is."""

    def changed(value: Any) -> Any:
        if not FITS[fits](value):
            return value
        if fits not in ("numbers", "decimals"):
            return change(value)
        result = change(plain_numbers(value))
        return result.tolist() if isinstance(value, list) else result

    return changed


def _with(items: tuple, i: int, change: Callable) -> tuple:
    """Return `items` with `change` in place `i`, if there are as many."""
    return (*items[:i], *map(change, items[i : i + 1]), *items[i + 1 :])


def _before(reference: Callable, i: int, change: Callable) -> Callable:
    return lambda *given: reference(*_with(given, i, change))


def _swapped(reference: Callable, i: int, j: int) -> Callable:
    def swapped(*given: Any) -> Any:
        new = list(given)
        if j < len(new) and type(new[i]) is type(new[j]):
            new[i], new[j] = new[j], new[i]
        return reference(*new)

    return swapped
