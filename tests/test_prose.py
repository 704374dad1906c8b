"""Numbers in the prose of lessons come from the cells above them, and pictures are described.

What counts as a number in prose: digits, and number words that measure ("twice", "five times", "two of
three", "ten seconds"). What does not: headings, quotations (">"), summaries of questions, the plan of
the lesson (time, practice), the references, code in backticks, links' targets; numbers that name a
section, lesson, exercise, year or version, or that are part of a name (BM25, UTF-8, nDCG@10).

A number is printed where a cell above has it in its source or in its outputs, to the digit; 88 % also as
0.88. The source of the next code cell counts too: what it sets is announced ("Predict: with 16 cells"), and
is no result. Rounded and approximate ones are exceptions, in ``prose.toml``, each with its reason.
"""

import html
import re
import tomllib
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from helpers.course.environment import ROOT

LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
RULES = tomllib.loads(Path(__file__).with_name("prose.toml").read_text(encoding="utf-8"))

WORDS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40,
    "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
    "twice": 2, "double": 2, "doubles": 2, "doubled": 2, "tenfold": 10,
}  # fmt: skip
ALONE = "twice|doubled?|doubles|tenfold"
UNITS = (
    "times|per cent|percent|milliseconds?|seconds?|minutes?|hours?|megabytes?|gigabytes?|kilobytes?|"
    r"bytes?|points?|in (?:a )?(?:ten|hundred|thousand|twenty)|(?:out )?of (?:the )?(?:\w+ )?(?:"
    + "|".join(WORDS)
    + r"|\d+)"
)
NUMBER_WORD = re.compile(rf"\b(?:({ALONE})|({'|'.join(WORDS)})(?=[ -](?:{UNITS})\b))\b", re.I)
SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
DIGITS = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
NUMBER = re.compile(
    rf"(?<![\w@#/.,–-])[-–−]?({DIGITS})([⁰¹²³⁴⁵⁶⁷⁸⁹]*)(?![\w@]|-\w)(\s?%|\s+per cent)?"
)
#: Names of things that are counted from one: what follows is no measurement.
NAMED = (
    r"(?:sections?|lessons?|exercises?|projects?|practices?|levels?|grades?|ranks?|steps?|chapters?|parts?|"
    r"questions?|cells?|rows?|columns?|figures?|tables?|articles?|pages?|Python|version|seeds?)"
)
REFERENCE = re.compile(
    rf"\b{NAMED}\s+\**(?:{DIGITS})\**(?:(?:, | and | or | to |–)\**(?:{DIGITS})\**)*(?![\w%.]*\d)",
    re.I,
)
YEAR = re.compile(r"\b(?:19|20)\d\d\b")


def _prose(source: str) -> str:
    """Return what in a Markdown cell makes claims, everything else blanked out."""
    source = re.split(r"^#+ References\b", source, maxsplit=1, flags=re.M)[0]
    for left_out in (
        r"(?s)```.*?```",
        r"(?s)<summary>.*?</summary>",
        r"(?s)<!--.*?-->",
        r"`[^`\n]*`",
        r"(?m)^\s*(?:#|>).*$",
        r"(?m)^\**Time\b.*$",
        r"(?m)^\|\s*\**P?\d+\.\d+\**.*\bmin\b.*$",
        r"\**Level \d(?:, | · )\d+ min\w*\**",
        r"\]\([^)]*\)",
        r"<[^>]*>",
        r"(?m)^\s*\d+\.\s",
    ):
        source = re.sub(left_out, " ", source)
    return YEAR.sub(" ", REFERENCE.sub(" ", source))


def _values(text: str) -> set[float]:
    """Return all numbers in `text`, without their signs; those in names too."""
    return {float(digits.replace(",", "")) for digits in re.findall(DIGITS, text)}


def _shown(cell) -> str:
    """Return what a reader sees of a code cell: its source and its outputs, no pictures."""
    parts = [cell.source]
    for output in cell.outputs:
        parts.append(output.get("text", ""))
        for mime, value in output.get("data", {}).items():
            if mime.startswith("text/"):
                parts.append(
                    html.unescape(re.sub(r"<style.*?</style>|<[^>]*>", " ", value, flags=re.S))
                )
    return "\n".join(parts)


def unprinted(notebook, exceptions=()) -> list[str]:
    """Return each number in the prose of `notebook` that no cell above it prints, with its place."""
    headings = {
        found
        for cell in notebook.cells
        if cell.cell_type == "markdown"
        for found in re.findall(r"^#+ (\d+\.\d+)\b", cell.source, re.M)
    }
    known: set[float] = set()
    problems = []
    for place, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            known |= _values(_shown(cell))
            continue
        following = (c.source for c in notebook.cells[place:] if c.cell_type == "code")
        announced = _values(next(following, ""))
        source = cell.source
        for phrase in exceptions:
            source = source.replace(phrase, " ")
        prose = _prose(source)
        found = []
        for match in NUMBER.finditer(prose):
            digits, power, percent = match.groups()
            value = float(digits.replace(",", ""))
            if power:
                value **= int(power.translate(SUPERSCRIPTS))
            # a section of this lesson: "the subject of 7.4", but not "7.4 times" or "7.4 ms"
            after = prose[match.end() :].lstrip()
            if digits in headings and not re.match(rf"(?:{UNITS}|ms|s|MB|GB)\b|×|%", after):
                continue
            found.append((match, {value, value / 100} if percent else {value}))
        for match in NUMBER_WORD.finditer(prose):
            found.append((match, {float(WORDS[match[0].lower()])}))
        for match, values in sorted(found, key=lambda item: item[0].start()):
            if not any(abs(value - one) < 1e-9 for value in values for one in known | announced):
                around = prose[max(0, match.start() - 50) : match.end() + 40]
                problems.append(
                    f"cell {place}: {match[0].strip()}   in “{' '.join(around.split())}”"
                )
    return problems


def undescribed(notebook) -> list[str]:
    """Return the places of pictures without a description of at least five words."""
    return [
        f"cell {place}: a picture without alternative text; show it with plots.show(figure, alt='…')"
        for place, cell in enumerate(notebook.cells)
        if cell.cell_type == "code"
        for output in cell.outputs
        for mime in output.get("data", {})
        if mime.startswith("image/")
        and len(str(output.metadata.get(mime, {}).get("alt", "")).split()) < 5
    ]


def _cases(rule):
    cases = []
    for path in LESSONS:
        checked = rule in RULES.get(path.stem, {}).get("checked", [])
        marks = (
            ()
            if checked
            else pytest.mark.xfail(strict=True, reason=f"not yet in prose.toml: {rule}")
        )
        cases.append(pytest.param(path, marks=marks, id=path.stem))
    return cases


@pytest.mark.parametrize("path", _cases("numbers"))
def test_every_number_in_prose_is_printed_above(path):
    """Or excepted, with a reason."""
    exceptions = RULES.get(path.stem, {}).get("exceptions", {})
    assert unprinted(nbformat.read(path, as_version=4), exceptions) == []


@pytest.mark.parametrize("path", _cases("pictures"))
def test_every_picture_is_described(path):
    """For who does not see it."""
    assert undescribed(nbformat.read(path, as_version=4)) == []


def test_every_exception_is_needed_and_has_a_reason():
    """Its phrase stands in the lesson, and without it the test would fail."""
    assert set(RULES) <= {path.stem for path in LESSONS}
    for path in LESSONS:
        notebook = nbformat.read(path, as_version=4)
        exceptions = RULES.get(path.stem, {}).get("exceptions", {})
        for phrase, reason in exceptions.items():
            others = set(exceptions) - {phrase}
            assert len(unprinted(notebook, others)) > len(unprinted(notebook, exceptions)), phrase
            assert len(reason.split()) > 2, f"{phrase}: say why"


# The rules' own tests


def lesson(prose, shown="", source="x = 1"):
    outputs = [new_output("stream", name="stdout", text=shown)] if shown else []
    below = [new_code_cell("k = 77"), new_code_cell("0.999")]
    cells = [new_code_cell(source, outputs=outputs), new_markdown_cell(prose), *below]
    return new_notebook(cells=cells)


@pytest.mark.parametrize(
    ("prose", "shown"),
    [
        ("It found 0.71 of them.", "nDCG 0.71"),
        ("That is 88 % of all.", "share 0.88"),
        ("That is 88 % of all.", "88.0 per cent"),
        ("Of 10,000 texts, −0.3 on average.", "10000 texts, -0.3"),
        ("It is five times as fast.", "ratio 5"),
        ("There are 10⁹ scores.", "1000000000"),
        ("Two of three.", "2 of 3"),
        ("**Predict.** What if k is 77?", ""),
        ("See section 3.4, lessons 01 and 02, **exercise 2.1**.", ""),
        ("BM25, UTF-8, nDCG@10, all-MiniLM-L6-v2, top-10, P1.4, `k = 60`", ""),
        ("# 0.71\n\n> **Folklore:** 88 % of all.\n\n1. one step\n2. another", ""),
        ("**Time** 45 minutes · **needs** lesson 02", ""),
        ("| **3.1** Ten best | 1 | 10 min |", ""),
        ("Since 2009 it is known.\n\n## References\n\nJournal 12, 345", ""),
        ("<details><summary>Is 0.7 good?</summary>Perhaps.</details>", ""),
        ("### 3.4 Nothing\n\nThat is the subject of 3.4.", ""),
        ("One of them says nothing, two engines do.", ""),
    ],
)
def test_what_is_printed_or_no_claim_passes(prose, shown):
    """Digits as they are printed; names, plans and quotations are left alone."""
    assert unprinted(lesson(prose, shown)) == []


@pytest.mark.parametrize(
    ("prose", "shown", "number"),
    [
        ("It found 0.71 of them.", "nDCG 0.713", "0.71"),
        ("That is 88 % of all.", "share 0.87", "88 %"),
        ("It is five times as fast.", "ratio 4.2", "five"),
        ("It is twice as slow.", "ratio 1.9", "twice"),
        ("Ten seconds for all.", "11 s", "Ten"),
        ("Later we print 0.999.", "", "0.999"),
        ("### 3.4 Nothing\n\nIt is 3.4 times as slow.", "", "3.4"),
        ("There are 10⁹ scores.", "10", "10⁹"),
        ("<details><summary>Why?</summary>It is 0.7.</details>", "", "0.7"),
        ("At 16 cells, recall is lower.", "15", "16"),
    ],
)
def test_what_is_not_printed_is_found(prose, shown, number):
    """Rounded, larger, only below the prose, or in words."""
    problems = unprinted(lesson(prose, shown))
    if (
        number is None
    ):  # a share in words needs its first number only: "of seven" may be a plain count
        assert problems == []
    else:
        assert [problem.split("   in ")[0] for problem in problems] == [f"cell 1: {number}"]


def test_an_exception_covers_its_phrase_only():
    """The same number elsewhere is still found."""
    notebook = lesson("About 0.7 here. And 0.7 there.")
    assert len(unprinted(notebook)) == 2
    assert len(unprinted(notebook, ["About 0.7 here."])) == 1


def test_pictures_without_a_description_are_found():
    """An empty one, a short one and none at all; a sentence passes."""
    alts = [None, "", "a plot", "Three groups, the harbour's apart from the others."]
    cells = []
    for alt in alts:
        metadata = {} if alt is None else {"image/png": {"alt": alt}}
        output = new_output("display_data", data={"image/png": "AAAA"}, metadata=metadata)
        cells.append(new_code_cell("plot()", outputs=[output]))
    assert [problem.split(":")[0] for problem in undescribed(new_notebook(cells=cells))] == [
        "cell 0",
        "cell 1",
        "cell 2",
    ]
