"""How checks read and compare what an answer returns, and how they put it into words."""

from __future__ import annotations

import contextlib
import numbers
from collections.abc import Callable, Iterable, Iterator, Mapping, MappingView, Set
from decimal import Decimal
from typing import Any

import numpy as np

TOLERANCE = 1e-4
MOST_SHOWN = 24  # numbers or texts of an input that a message shows


class Wrong(Exception):
    """An answer is wrong. The message says what was seen, and the most likely mistake."""


# Reading: each returns the value in one form, or raises `Wrong` and names the form that is wanted


def array(value: Any, what: str = "what you return") -> np.ndarray:
    """Return an array (or tensor) of numbers or truths as floats, without NaN."""
    if isinstance(value, (list, tuple)):
        raise Wrong(f"{what} is a {type(value).__name__}; the task asks for a NumPy array.")
    found = numeric(value)
    if found is None and isinstance(value, np.ndarray) and value.dtype == bool:
        found = value.astype(float)
    if found is None:
        raise Wrong(f"{what} is {describe(value)}; the task asks for a NumPy array of numbers.")
    if np.isnan(found).any():
        raise Wrong(f"{what} holds NaN, not a number. Was something divided by zero?")
    return found


def number(value: Any, what: str = "what you return") -> float:
    """Return one number as a float."""
    if isinstance(value, (str, bool, np.bool_)):
        raise Wrong(f"{what} is {value!r}; the task asks for a number.")
    plain = isinstance(value, (numbers.Real, Decimal))
    found = np.asarray(float(value)) if plain else numeric(value)
    if found is None or found.ndim:
        inside = found is not None and found.size == 1
        more = " Take the only element out of it." if inside else ""
        raise Wrong(f"{what} is {describe(value)}; the task asks for one number.{more}")
    if np.isnan(found):
        raise Wrong(f"{what} is NaN, not a number. Was something divided by zero?")
    return float(found)


def number_or_none(value: Any, what: str = "what you return") -> float | None:
    """Return one number as a float, or None."""
    return None if value is None else number(value, what)


def whole(value: Any, what: str = "what you return") -> int:
    """Return one whole number as an int; 3.0 is one."""
    found = number(value, what)
    if found != round(found):
        raise Wrong(f"{what} is {describe(value)}; the task asks for a whole number.")
    return int(found)


def truth(value: Any, what: str = "what you return") -> bool:
    """Return True or False; 1 and 0 are neither."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if not isinstance(value, (bool, np.bool_)):
        raise Wrong(f"{what} is {describe(value)}; the task asks for True or False.")
    return bool(value)


def sequence(value: Any, what: str = "what you return") -> list:
    """Return a list, tuple, array, range, `zip`, `map` or generator as a list."""
    if isinstance(value, Set):
        raise Wrong(f"{what} is a set: it has no order. The task asks for a list.")
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        raise Wrong(f"{what} is {describe(value)}; the task asks for a list.")
    return [plain(item) for item in value]


def integers(value: Any, what: str = "what you return") -> list[int]:
    """Return a flat list of whole numbers as ints."""
    return _all(value, what, (int, np.integer), "whole numbers", int)


def texts(value: Any, what: str = "what you return") -> list[str]:
    """Return a list of texts as strings."""
    return _all(value, what, str, "a list of texts", str)


def _all(value: Any, what: str, kind: Any, words: str, read: Callable) -> list:
    items = sequence(value, what)
    for item in items:
        if isinstance(item, (bool, np.bool_)) or not isinstance(item, kind):
            raise Wrong(f"{what} holds {describe(item)}; the task asks for {words}.")
    return [read(item) for item in items]


def mapping(value: Any, what: str = "what you return") -> dict:
    """Return a dictionary as a dict."""
    if not isinstance(value, Mapping):
        raise Wrong(f"{what} is {describe(value)}; the task asks for a dictionary.")
    return dict(value)


def parts(*readers: Any) -> Any:
    """Return a reader of as many results as there are `readers`, one for each."""

    def read(value: Any) -> tuple:
        many = isinstance(value, Iterable) and not isinstance(value, (str, Mapping, Set))
        items = list(value) if many else []
        if len(items) != len(readers):
            given = f"{len(items)} things" if many else describe(value)
            words = f"{len(readers)} results, in the order that the task names"
            raise Wrong(f"you return {given}; the task asks for {words}.")
        ordinals = ("first", "second", "third", "fourth")
        return tuple(
            reader(item, f"the {ordinal} of your results")
            for reader, item, ordinal in zip(readers, items, ordinals, strict=False)
        )

    return read


def pairs(value: Any, what: str = "what you return") -> list[tuple[Any, float]]:
    """Return a list of pairs (id, number)."""
    read = []
    for item in sequence(value, what):
        pair = [] if isinstance(item, str) or not isinstance(item, Iterable) else list(item)
        if len(pair) != 2:
            raise Wrong(f"{what} holds {describe(item)}; the task asks for pairs.")
        read.append((plain(pair[0]), number(pair[1], f"the second of the pair {describe(item)}")))
    return read


def read_out(value: Any) -> Any:
    """Return `value` with iterators, which are empty once read, as lists: `map`, `zip` and
    generators count as lists in every exercise."""
    if isinstance(value, (Iterator, MappingView)):
        return [read_out(item) for item in value]
    if type(value) in (list, tuple):
        return type(value)(read_out(item) for item in value)
    if type(value) is dict:
        return {key: read_out(item) for key, item in value.items()}
    return value


# Comparing


def same(one: Any, other: Any, tolerance: float = TOLERANCE) -> bool:
    """Say whether two results agree: numbers and arrays within `tolerance` (relative to the
    larger values), everything else exactly; a list, a tuple and an array with the same content are
    the same, and so are 1 and 1.0.
    """
    if one is other:
        return True
    if one is None or other is None:
        return False
    exact = (str, bytes, bool, np.bool_)
    if isinstance(one, exact) or isinstance(other, exact):
        return type(plain(one)) is type(plain(other)) and bool(plain(one) == plain(other))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[k], other[k], tolerance) for k in one)
    if isinstance(one, Set) and isinstance(other, Set):
        return one == other
    first, second = numeric(one), numeric(other)
    if first is not None and second is not None:
        return first.shape == second.shape and np.allclose(
            first, second, rtol=tolerance, atol=tolerance, equal_nan=True
        )
    if is_sequence(one) and is_sequence(other):
        return len(one) == len(other) and all(
            same(a, b, tolerance) for a, b in zip(one, other, strict=True)
        )
    with contextlib.suppress(Exception):
        return bool(one == other)
    return False


def plain(value: Any) -> Any:
    """Return what a NumPy scalar, or an array or tensor without dimensions, holds."""
    if isinstance(value, np.generic) or getattr(value, "shape", None) == ():
        with contextlib.suppress(Exception):
            return value.item()
    return value


def is_sequence(value: Any) -> bool:
    """Say whether `value` is a list, tuple, range or an array with dimensions."""
    return isinstance(value, (list, tuple, range)) or getattr(value, "ndim", 0) > 0


def numeric(value: Any) -> np.ndarray | None:
    """Return `value` as an array of floats, or None where it holds anything but numbers."""
    found = plain_numbers(value)
    return None if found is None else found.astype(float)


def plain_numbers(value: Any) -> np.ndarray | None:
    """Return numbers as a new array that keeps their type, or None for anything else."""
    if isinstance(value, (bool, np.bool_, str, Mapping, Set)) or value is None or callable(value):
        return None
    try:
        found = np.array(value)
    except Exception:  # ragged lists, tensors that need a gradient
        return None
    return found if found.dtype.kind in "iuf" else None


# Words


def describe(value: Any, most: int = 12) -> str:
    """Return `value` in words: as it is where it holds at most `most` numbers or texts, else its
    type and shape."""
    if isinstance(value, np.ndarray) and value.ndim:
        shown = 0 < value.size <= most
        return describe(value.tolist(), most) if shown else f"an array of shape {value.shape}"
    value = plain(value)
    if isinstance(value, float):
        return f"{value:.1f}" if value.is_integer() and abs(value) < 1e6 else f"{value:.4g}"
    if type(value) in (list, tuple, dict) and _size(value) > most * (1 + isinstance(value, dict)):
        kind = "dictionary" if isinstance(value, dict) else type(value).__name__
        return f"a {kind} of {len(value)}"
    if type(value) is dict:
        items = (f"{describe(k, most)}: {describe(item, most)}" for k, item in value.items())
        return f"{{{', '.join(items)}}}"
    if type(value) in (list, tuple):
        items = ", ".join(describe(item, most) for item in value)
        return f"[{items}]" if type(value) is list else f"({items}{',' * (len(value) == 1)})"
    if callable(value) and hasattr(value, "__name__"):
        return f"the function {value.__name__}"
    with contextlib.suppress(Exception):
        words = short(repr(value), 160)
        if " object at 0x" not in words:
            return words
    return f"a {type(value).__name__}"


def _size(value: Any) -> int:
    """Count the numbers and texts in nested lists and dictionaries; a long text counts more."""
    if isinstance(value, Mapping):
        return sum(_size(key) + _size(item) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return sum(map(_size, value))
    return getattr(value, "size", 1 + len(value) // 40 if isinstance(value, str) else 1)


def short(text: str, most: int) -> str:
    """Return `text`, cut to `most` characters."""
    return text if len(text) <= most else text[: most - 1] + "…"


def difference(found: Any, expected: Any) -> str:
    """Say where two results differ that are too large to be shown; "" where that cannot be said."""
    first, second = plain_numbers(found), plain_numbers(expected)
    if first is not None and second is not None and first.ndim and first.shape == second.shape:
        apart = ~np.isclose(first, second, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)
        places = [tuple(int(i) for i in place) for place in np.argwhere(apart)]
        where = f"{len(places)} of {first.size} values differ, first at" if places else ""
        pairs_there = [(list(place), first[place], second[place]) for place in places[:1]]
    elif is_sequence(found) and is_sequence(expected):
        where = "they differ first at place, counted from 0,"
        pairs_there = [(i, *both) for i, both in enumerate(zip(found, expected, strict=False))]
    elif isinstance(found, Mapping) and isinstance(expected, Mapping):
        where = "they differ first at"
        pairs_there = [(key, found.get(key), item) for key, item in expected.items()]
    else:
        return ""
    for place, one, other in pairs_there:
        if not same(one, other):
            return f"{where} {describe(place)}: {describe(one)} instead of {describe(other)}"
    return ""
