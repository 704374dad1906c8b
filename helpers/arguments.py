"""What rooms ask of their arguments: texts that are texts, numbers in their range."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np


def check_texts(texts: Iterable[str], what: str = "texts") -> list[str]:
    """Return `texts`, anything with an order that gives strings, as a list of strings that a
    tokenizer can read. Messages call it `what`, and name the first wrong text by its position.

    Raises TypeError for one string, a table, a dict or a set in the place of texts, and for None,
    NaN, bytes or anything else in it that is no string; ValueError for half an emoji (half of a
    surrogate pair).
    """
    return list(each_text(texts, what))


def each_text(texts: Iterable[str], what: str = "texts") -> Iterator[str]:
    """Check what holds the texts, now, and each text when it comes; see `check_texts`."""
    kind = type(texts).__name__
    if isinstance(texts, str | bytes | bytearray):
        raise TypeError(f"{what} is one {kind}; give a list of strings: [{texts[:20]!r}, …]")
    if hasattr(texts, "columns"):
        names = list(map(str, list(texts.columns)[:5]))
        raise TypeError(f"{what} is a {kind}; give one of its columns ({', '.join(names)})")
    if isinstance(texts, Mapping):
        remedy = f"give a list of strings, such as list({what}.values())"
        raise TypeError(f"{what} is a {kind}; {remedy}")
    if isinstance(texts, set | frozenset):
        raise TypeError(f"{what} is a {kind}, which has no order; give a list: sorted({what})")
    try:
        stream = iter(texts)
    except TypeError as error:
        raise TypeError(f"{what} is a {kind}; give a list of strings") from error
    return (_text(text, f"{what}[{position}]") for position, text in enumerate(stream))


def _text(text: Any, place: str) -> str:
    if isinstance(text, str):
        try:
            text.encode()
        except UnicodeEncodeError as error:
            near = text[max(0, error.start - 20) : error.start + 1]
            raise ValueError(
                f"{place} has half of a surrogate pair at character {error.start} ({near!r}): an "
                "emoji that was cut in two, or a file read with the wrong encoding. To put a mark "
                "in its place: text.encode('utf-16', 'surrogatepass').decode('utf-16', 'replace')"
            ) from None
        return text
    kind = type(text).__name__
    if text is None or kind in ("NAType", "NaTType") or (isinstance(text, float) and text != text):
        raise TypeError(
            f"{place} is {text!r}, a missing value. Leave such texts out (in a table: "
            "column.dropna()), or put an empty string in their place"
        )
    remedy = "For records, give one of their fields: [r.text for r in records]"
    if isinstance(text, bytes | bytearray):
        remedy = "Decode it: text.decode('utf-8')"
    raise TypeError(f"{place} is a {kind}, not a string. {remedy}")


def check_whole(
    name: str, value: Any, lowest: int = 1, highest: int | None = None, why: str = ""
) -> int:
    """Return `value` as an int; ValueError if it is no whole number from `lowest` to `highest`."""
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or value < lowest or (highest is not None and value > highest):
        limits = f"from {lowest} " + ("up" if highest is None else f"to {highest}")
        reason = f"; {why}" if why else ""
        raise ValueError(f"{name}={value!r}: give a whole number {limits}{reason}")
    return int(value)
