"""Mistakes that fit any reference: something changes on the way in, or on the way out.

Each sentence says what the answer does, not why: "this is 1 minus what was asked for" is true
whatever the learner had in mind. A row is: what it fits, the change, the sentence.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import combinations
from typing import Any

import numpy as np

from helpers.checks.reading import plain_numbers


def _decimals(value: Any) -> bool:
    found = plain_numbers(value)
    return found is not None and found.dtype.kind == "f"


def _pairs(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(_pair(item) for item in value)


def _pair(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 2


def _unit(rows: np.ndarray) -> np.ndarray:
    norms = np.linalg.norm(rows, axis=-1, keepdims=True)
    return rows / np.where(norms == 0, 1, norms)


FITS: dict[str, Callable[[Any], bool]] = {
    "numbers": lambda value: plain_numbers(value) is not None,
    "decimals": _decimals,
    "truth": lambda value: isinstance(value, (bool, np.bool_)),
    "float": lambda value: isinstance(value, float),
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "array": lambda value: isinstance(value, np.ndarray) and value.dtype.kind in "if",
    "matrix": lambda value: isinstance(value, np.ndarray) and value.ndim == 2,
    "list": lambda value: isinstance(value, (list, np.ndarray)) and len(value) > 1,
    "names": lambda value: isinstance(value, list) and all(map(FITS["name"], value)),
    "name": lambda value: isinstance(value, (str, int)),
    "pairs": _pairs,
    "tuple": lambda value: isinstance(value, tuple) and 2 <= len(value) <= 4,
    "empty": lambda value: not isinstance(value, np.ndarray) and value is not None and not value,
}
ROUNDED = "what you return is rounded. Round where you print, not before."
OUTPUTS = [
    ("decimals", lambda x: np.round(x, 3), ROUNDED),
    ("decimals", lambda x: np.round(x, 2), ROUNDED),
    ("decimals", lambda x: np.round(x, 1), ROUNDED),
    ("decimals", np.trunc, "the decimals are lost."),
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
    ("decimals", lambda x: 1 + x, "this is 1 plus what was asked for."),
    ("decimals", lambda x: np.maximum(x, 0), "what is negative has become 0."),
    ("decimals", lambda x: np.clip(x, 0, 1), "what is below 0 or above 1 is cut off."),
    ("decimals", lambda x: 100 * x, "this is in per cent; the task asks for a share of 1."),
    ("decimals", lambda x: x / 100, "this is a hundred times too small."),
    ("decimals", lambda x: 1000 * x, "this is a thousand times too large."),
    ("decimals", lambda x: x / 1000, "this is a thousand times too small."),
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
    (
        "empty",
        lambda x: None,
        "where {} is 0 or empty it is taken for missing: ask `is None`; `not` and `or` do not.",
    ),
    ("array", _unit, "{} is normalised, which changes the result."),
    ("array", np.negative, "small and large are swapped in {}."),
    ("names", lambda x: list(dict.fromkeys(x)), "equal items of {} are counted once."),
    ("list", lambda x: x[:-1], "the last of {} is left out."),
    ("list", lambda x: x[1:], "the first of {} is left out."),
    ("list", lambda x: x[::-1], "{} is read from the end."),
]


def common_mistakes(reference: Callable) -> Iterator[tuple[Callable, str]]:
    """Yield pairs (function, sentence): answers that do as `reference` does, but for one change."""
    for about, at in PLACES.items():
        for fits, change, says in OUTPUTS:
            change = _fitted(fits, change)
            yield lambda *given, at=at, to=change: at(to, reference(*given)), about + says
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
    """Let `change` see only what it fits, numbers in a list as an array; the rest stays as it is."""

    def changed(value: Any) -> Any:
        if not FITS[fits](value):
            return value
        if fits not in ("numbers", "decimals"):
            return change(value)
        result = change(plain_numbers(value))
        return result.tolist() if isinstance(value, list) else result

    return changed


PLACES = {
    "": lambda change, result: change(result),
    "in the first of your results, ": lambda change, result: _part(change, result, 0),
    "in the second of your results, ": lambda change, result: _part(change, result, 1),
    "in the third of your results, ": lambda change, result: _part(change, result, 2),
    "in the values of your dictionary, ": lambda change, result: (
        {key: change(value) for key, value in result.items()} if type(result) is dict else result
    ),
    "in the second half of each pair, ": lambda change, result: (
        [(first, change(second)) for first, second in result] if _pairs(result) else result
    ),
}


def _part(change: Callable, result: Any, place: int) -> Any:
    if not FITS["tuple"](result):
        return result
    return tuple(change(part) if i == place else part for i, part in enumerate(result))


def _edited(reference: Callable, edit: Callable[[list], None]) -> Callable:
    """Return `reference` of arguments that `edit` has changed; too few of them stay as they are."""

    def wrong_answer(*arguments: Any) -> Any:
        given = list(arguments)
        with suppress(IndexError):
            edit(given)
        return reference(*given)

    return wrong_answer


def _before(reference: Callable, place: int, change: Callable) -> Callable:
    def edit(given: list) -> None:
        given[place] = change(given[place])

    return _edited(reference, edit)


def _swapped(reference: Callable, i: int, j: int) -> Callable:
    def edit(given: list) -> None:
        if type(given[i]) is type(given[j]):
            given[i], given[j] = given[j], given[i]

    return _edited(reference, edit)
