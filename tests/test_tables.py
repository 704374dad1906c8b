"""Tables for readers: what stands where, and that a table is the same from run to run."""

import math
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from helpers.tables import table

FRAME = pd.DataFrame(
    {
        "title": ["The tide & <b>", "A seal"],
        "score": [0.5123, math.nan],
        "n": [1, 20_000],
        "relevant": [True, None],
        "read": [True, False],
    }
)


class Cells(HTMLParser):
    """The cells of a table: tag, attributes and text."""

    def __init__(self, text):
        super().__init__()
        self.cells = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if tag in ("td", "th"):
            self.cells.append([tag, dict(attributes), ""])

    def handle_data(self, data):
        if data.strip():
            self.cells[-1][2] += data


def test_it_prints_as_text():
    """Words to the left, numbers to the right, no index of 0, 1, 2 …"""
    assert repr(table(FRAME)).splitlines() == [
        "title           score       n  relevant  read",
        "The tide & <b>   0.51       1  ✓         ✓",
        "A seal              –  20,000  –         ✗",
    ]


def test_html_has_the_same_cells_each_on_its_side():
    """By style for JupyterLab, by align for GitHub; nothing in a cell is taken for a tag."""
    cells = Cells(table(FRAME)._repr_html_()).cells
    assert [text for _, _, text in cells] == [
        *("title", "score", "n", "relevant", "read"),
        *("The tide & <b>", "0.51", "1", "✓", "✓"),
        *("A seal", "–", "20,000", "–", "✗"),
    ]
    assert [tag for tag, _, _ in cells] == ["th"] * 5 + ["td"] * 10
    sides = [attributes["align"] for _, attributes, _ in cells]
    assert sides == ["left", "right", "right", "left", "left"] * 3
    for _, attributes, _ in cells:
        assert f"text-align: {attributes['align']}" in attributes["style"]


def test_the_same_table_is_the_same_text():
    """No random ids, no addresses."""
    assert table(FRAME)._repr_html_() == table(FRAME.copy())._repr_html_()
    assert "id=" not in table(FRAME)._repr_html_()


def test_an_index_that_says_something_is_shown():
    """A name, and numbers that do not count from 0; on demand any, or none."""
    means = pd.Series({"MiniLM": 0.6, "mpnet": np.float32(0.693)}, name="nDCG@10")
    assert repr(table(means)).splitlines() == [
        "        nDCG@10",
        "MiniLM     0.60",
        "mpnet      0.69",
    ]
    assert "MiniLM" not in repr(table(means, index=False))
    numbered = pd.DataFrame({"a": [1]})
    assert repr(table(numbered)).split() == ["a", "1"]
    assert repr(table(numbered, index=True)).split() == ["a", "0", "1"]
    assert repr(table(numbered.rename_axis("query"))).split() == ["query", "a", "0", "1"]
    assert repr(table(numbered.set_axis([7]))).split() == ["a", "7", "1"]


def test_grouped_and_pivoted_frames_are_flat():
    """Each level of an index is a column; headers of two levels are one."""
    frame = pd.DataFrame({"kind": ["x", "x", "y"], "side": ["p", "q", "p"], "v": [1.0, 2.0, 3.0]})
    grouped = frame.groupby(["kind", "side"]).agg({"v": ["mean", "max"]})
    assert repr(table(grouped, digits=0)).splitlines()[1].split() == ["x", "p", "1", "1"]
    assert "v mean" in repr(table(grouped))
    pivoted = frame.pivot_table(index="kind", columns="side", values="v")
    assert repr(table(pivoted)).splitlines()[2].split() == ["y", "3.00", "–"]


def test_digits_by_column_or_for_all():
    """A rounded value has no minus where it is 0; infinity is itself."""
    frame = pd.DataFrame({"a": [-0.001, math.inf], "b": [1234.567, 2.0]})
    assert repr(table(frame, digits={"b": 0})).split() == ["a", "b", "0.00", "1,235", "inf", "2"]
    assert repr(table(frame, digits=3)).split()[2] == "-0.001"
    with pytest.raises(ValueError, match=r"columns are \['a', 'b'\]; digits names \['c'\]"):
        table(frame, digits={"c": 1})


def test_long_text_is_wrapped_in_its_column():
    """Other columns stay in their place."""
    lines = repr(table([{"text": "one two three four", "n": 1}], wrap=9)).splitlines()
    assert lines == ["text     n", "one two  1", "three", "four"]
    html = table([{"text": "one two three four", "n": 1}], wrap=9)._repr_html_()
    assert "max-width: 9ch" in html


def test_nothing_has_one_sign_whatever_its_type():
    """NaN, None, NaT and NA."""
    frame = pd.DataFrame(
        {"a": [None, math.nan, pd.NaT, pd.NA, np.float32("nan"), "x"]}, dtype=object
    )
    assert repr(table(frame)).split()[1:] == ["–"] * 5 + ["x"]
    assert table(pd.DataFrame({"a": [math.nan, 1.0]})).right == (True,)


def test_the_given_frame_stays_as_it_was():
    """Rows as dictionaries will do as well; a table without columns is refused."""
    before = FRAME.copy()
    table(FRAME, index=True)
    pd.testing.assert_frame_equal(FRAME, before)
    assert repr(table([{"a": "x", "b": 1}])).split() == ["a", "b", "x", "1"]
    with pytest.raises(ValueError, match="columns are \\[\\]"):
        table([])
