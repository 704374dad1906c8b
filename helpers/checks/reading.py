"""How checks read, compare and describe what an answer returns. A reader returns a value in one form,
or raises `Wrong` and names the form that is wanted."""

from __future__ import annotations

import contextlib
import numbers
from collections.abc import Callable, Iterable, Mapping, Set
from decimal import Decimal
from typing import Any

import numpy as np

TOLERANCE = 1e-4
RETURNED = "what you return"
_ORDINALS = ("first", "second", "third", "fourth")


class Wrong(Exception):
    """An answer is wrong, as the message says; `failed` is the class and the case that failed."""

    def __init__(self, message: object, failed: tuple[type, tuple] | None = None) -> None:
        super().__init__(message)
        self.failed = failed


def _not(form: str, value: Any, what: str) -> Wrong:
    return Wrong(f"{what} is {describe(value)}; the task asks for {form}.")


def _without_nan(found: np.ndarray, what: str) -> np.ndarray:
    if np.isnan(found).any():
        verb = "holds" if found.ndim else "is"
        raise Wrong(f"{what} {verb} NaN, not a number. Was something divided by zero?")
    return found


def array(value: Any, what: str = RETURNED) -> np.ndarray:
    """Return an array (or tensor) of numbers or truths as floats, without NaN."""
    if isinstance(value, (list, tuple)):
        raise Wrong(f"{what} is a {type(value).__name__}; the task asks for a NumPy array.")
    truths = isinstance(value, np.ndarray) and value.dtype == bool
    found = value.astype(float) if truths else plain_numbers(value, float)
    if found is None:
        raise _not("a NumPy array of numbers", value, what)
    return _without_nan(found, what)


def number(value: Any, what: str = RETURNED) -> float:
    """Return one number as a float."""
    if isinstance(value, (str, bool, np.bool_)):
        raise _not("a number", value, what)
    real = isinstance(value, (numbers.Real, Decimal))
    found = np.asarray(float(value)) if real else plain_numbers(value, float)
    if found is None or found.ndim:
        more = " Take the only element out of it." if getattr(found, "size", 0) == 1 else ""
        raise Wrong(f"{_not('one number', value, what)}{more}")
    return float(_without_nan(found, what))


def whole(value: Any, what: str = RETURNED) -> int:
    """Return one whole number as an int; 3.0 is one."""
    found = number(value, what)
    if found != round(found):
        raise _not("a whole number", value, what)
    return int(found)


def truth(value: Any, what: str = RETURNED) -> bool:
    """Return True or False; 1 and 0 are neither."""
    if not isinstance(plain(value), bool):
        raise _not("True or False", value, what)
    return plain(value)


def sequence(value: Any, what: str = RETURNED) -> list:
    """Return a list, tuple, array, range, `zip`, `map` or generator as a list."""
    if isinstance(value, Set):
        raise Wrong(f"{what} is a set: it has no order. The task asks for a list.")
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        raise _not("a list", value, what)
    return [plain(item) for item in value]


def _list_of(kind: type, form: str) -> Callable[..., list]:
    def read(value: Any, what: str = RETURNED) -> list:
        items = sequence(value, what)
        for item in items:
            if isinstance(item, bool) or not isinstance(item, kind):
                raise Wrong(f"{what} holds {describe(item)}; the task asks for {form}.")
        return items

    return read


integers = _list_of(int, "whole numbers")
texts = _list_of(str, "a list of texts")


def mapping(value: Any, what: str = RETURNED) -> dict:
    """Return a dictionary as a dict."""
    if not isinstance(value, Mapping):
        raise _not("a dictionary", value, what)
    return dict(value)


def parts(*readers: Callable) -> Callable[[Any], tuple]:
    """Return a reader of as many results as there are `readers`, one for each."""

    def read(value: Any) -> tuple:
        many = isinstance(value, Iterable) and not isinstance(value, (str, Mapping, Set))
        items = list(value) if many else []
        if len(items) != len(readers):
            given = f"{len(items)} things" if many else describe(value)
            words = f"{len(readers)} results, in the order that the task names"
            raise Wrong(f"you return {given}; the task asks for {words}.")
        return tuple(
            reader(item, f"the {nth} of your results")
            for nth, reader, item in zip(_ORDINALS, readers, items, strict=False)
        )

    return read


def pairs(value: Any, what: str = RETURNED) -> list[tuple[Any, float]]:
    """Return a list of pairs (id, number)."""
    read = []
    for item in sequence(value, what):
        pair = [] if isinstance(item, str) or not isinstance(item, Iterable) else list(item)
        if len(pair) != 2:
            raise Wrong(f"{what} holds {describe(item)}; the task asks for pairs.")
        read.append((plain(pair[0]), number(pair[1], f"the second of the pair {describe(item)}")))
    return read


def same(one: Any, other: Any, tolerance: float = TOLERANCE) -> bool:
    """Say whether two results agree: numbers within `tolerance` (relative to the larger values),
    the rest exactly. A list, a tuple and an array of the same content agree, and so do 1 and 1.0."""
    if one is other:
        return True
    exact = (str, bytes, bool, np.bool_)
    if isinstance(one, exact) or isinstance(other, exact):
        return type(plain(one)) is type(plain(other)) and bool(plain(one) == plain(other))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[k], other[k], tolerance) for k in one)
    first, second = plain_numbers(one, float), plain_numbers(other, float)
    if first is not None and second is not None:
        return first.shape == second.shape and np.allclose(
            first, second, tolerance, tolerance, True
        )
    if is_sequence(one) and is_sequence(other):
        return len(one) == len(other) and all(map(same, one, other, [tolerance] * len(one)))
    with contextlib.suppress(Exception):
        return bool(one == other)
    return False


def plain(value: Any) -> Any:
    """Return what a NumPy scalar, or an array or tensor without dimensions, holds."""
    with contextlib.suppress(Exception):
        if isinstance(value, np.generic) or getattr(value, "shape", None) == ():
            return value.item()
    return value


def is_sequence(value: Any) -> bool:
    """Say whether `value` is a list, tuple, range or an array with dimensions."""
    return isinstance(value, (list, tuple, range)) or getattr(value, "ndim", 0) > 0


def plain_numbers(value: Any, dtype: type | None = None) -> np.ndarray | None:
    """Return numbers as a new array that keeps their type, or None for anything else."""
    if isinstance(value, (bool, np.bool_, str, Mapping, Set)) or value is None or callable(value):
        return None
    with contextlib.suppress(Exception):  # ragged lists, tensors that need a gradient
        found = np.array(value)
        return found.astype(dtype or found.dtype) if found.dtype.kind in "iuf" else None
    return None


def describe(value: Any, most: int = 24) -> str:
    """Return `value` as it is where it holds at most `most` numbers or texts, else its shape."""
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
        where = f"{apart.sum()} of {first.size} values differ, first at"
        together = ((at.tolist(), first[tuple(at)], second[tuple(at)]) for at in np.argwhere(apart))
    else:
        where = "they differ first at"
        first, second = (dict(enumerate(x)) if is_sequence(x) else x for x in (found, expected))
        if not isinstance(first, Mapping) or not isinstance(second, Mapping):
            return ""
        together = ((key, first.get(key), item) for key, item in second.items())
    for at, one, other in together:
        if not same(one, other):
            return f"{where} {describe(at)}: {describe(one)} instead of {describe(other)}"
    return ""
