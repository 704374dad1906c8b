"""Tables for readers: text to the left, numbers to the right, ✓ for yes, – for nothing.

>>> table(pd.DataFrame({"title": ["The tide"], "score": [0.5123], "relevant": [True]}))
title     score  relevant
The tide   0.51  ✓
"""

from __future__ import annotations

import html
import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

YES, NO, NOTHING = "✓", "✗", "–"


@dataclass(frozen=True, repr=False)
class Table:
    """A table that a notebook shows as HTML and everything else as text. See `table`."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: tuple[bool, ...]
    wrap: int

    def _repr_html_(self) -> str:
        """Return HTML that JupyterLab and GitHub both align: one reads style, the other align."""
        left = (
            f'align="left" style="text-align: left; max-width: {self.wrap}ch; white-space: normal"'
        )
        looks = [
            'align="right" style="text-align: right"' if right else left for right in self.right
        ]

        def line(row: Sequence[str], tag: str) -> str:
            cells = zip(row, looks, strict=True)
            return "".join(f"<{tag} {look}>{html.escape(cell)}</{tag}>" for cell, look in cells)

        body = "\n".join(f"<tr>{line(row, 'td')}</tr>" for row in self.rows)
        head = f"<thead>\n<tr>{line(self.header, 'th')}</tr>\n</thead>"
        return f"<table>\n{head}\n<tbody>\n{body}\n</tbody>\n</table>"

    def __repr__(self) -> str:
        rows = (self.header, *self.rows)
        wrapped = [[textwrap.wrap(cell, self.wrap) or [""] for cell in row] for row in rows]
        columns = zip(*wrapped, strict=True)
        widths = [max(len(part) for cell in column for part in cell) for column in columns]

        def line(parts: Sequence[str]) -> str:
            cells = zip(parts, widths, self.right, strict=True)
            sides = (p.rjust(width) if right else p.ljust(width) for p, width, right in cells)
            return "  ".join(sides).rstrip()

        lines = (parts for row in wrapped for parts in zip_longest(*row, fillvalue=""))
        return "\n".join(map(line, lines))


def table(
    frame: pd.DataFrame | pd.Series | Sequence[Mapping[str, Any]],
    *,
    digits: int | Mapping[str, int] = 2,
    index: bool | None = None,
    wrap: int = 60,
) -> Table:
    """Return `frame` as a table for readers; the last line of a cell shows it.

    `frame` is a DataFrame, a Series (one column), or rows as dictionaries. Other values than numbers, yes and no are shown as
    ``str()``. `digits` are the decimals of numbers that are not whole by type; by column ``{"MB": 0}``, others have 2
    (ValueError for no such column). The index is a column if it says something, that is, if it is not 0, 1, 2 …, or as `index`
    says. After `wrap` characters text goes on in the next line.
    """
    import pandas as pd

    frame = frame.to_frame() if isinstance(frame, pd.Series) else pd.DataFrame(frame)
    numbered = isinstance(frame.index, pd.RangeIndex) and frame.index.name is None
    if index or (index is None and not numbered):
        names = [name or "" for name in frame.index.names]
        frame = frame.reset_index(names=names, allow_duplicates=True)
    names = (name if isinstance(name, tuple) else (name,) for name in frame.columns)
    header = tuple(" ".join(map(str, name)) for name in names)
    strange = [] if isinstance(digits, int) else [name for name in digits if name not in header]
    if not header or strange:
        raise ValueError(f"the table's columns are {list(header)}; digits names {strange}")
    columns, right = [], []
    for place, name in enumerate(header):
        decimals = digits if isinstance(digits, int) else digits.get(name, 2)
        values = frame.iloc[:, place].tolist()
        columns.append([_shown(value, decimals) for value in values])
        known = [value for value in values if not _is_nothing(value)]
        right.append(bool(known) and all(_is_number(value) for value in known))
    return Table(header, tuple(zip(*columns, strict=True)), tuple(right), wrap)


def _is_number(value: object) -> bool:
    from pandas.api.types import is_bool, is_number

    return is_number(value) and not is_bool(value)


def _is_nothing(value: object) -> bool:
    from pandas import isna
    from pandas.api.types import is_scalar

    return bool(is_scalar(value) and isna(value))


def _shown(value: object, decimals: int) -> str:
    from pandas.api.types import is_bool, is_integer

    if _is_nothing(value):
        return NOTHING
    if is_bool(value):
        return YES if value else NO
    if is_integer(value):
        return f"{value:,}"
    if _is_number(value):
        rounded = round(float(value), decimals) + 0.0  # no −0.00
        return f"{rounded:,.{decimals}f}" if math.isfinite(rounded) else str(value)
    return str(value)
