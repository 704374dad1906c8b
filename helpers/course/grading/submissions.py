"""Finds the notebooks that were handed in, and which exercises are in them."""

from __future__ import annotations

import ast
import os
import re
import stat
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from helpers.checks import EXERCISES
from helpers.course.practice import exercise_numbers

#: Larger notebooks are not opened. The course's own are under 1 MB.
MOST_BYTES = 20_000_000
PRACTICE = re.compile(r"(practice_\d\d|project_\d)", re.I)
#: What browsers, Colab, Canvas, Jupyter and file managers add to the name of a file that is there already.
ADDED = re.compile(
    r"^(copy of|kopie von|copie de|c[oó]pia de)[ _]+|( - |-|_| )(copy|kopie|copie|copia|cópia)( ?\d+| \(\d+\))?$|"
    r" ?\(\d+\)$|-\d+$",
    re.I,
)
CALL = re.compile(r"checks\.((?:exercise|project)_\d+_\d+)\s*\(")


class SubmissionError(ValueError):
    """The paths that were given hold nothing to check; the message says what to give instead."""


@dataclass(frozen=True)
class Cell:
    """A code cell: its place among all cells, its source, and the exercises it belongs to; or the
    place where the notebook calls the check of the exercise `check`.
    """

    place: int
    source: str
    exercises: tuple[str, ...] = ()
    check: str = ""


@dataclass
class Submission:
    """A notebook that was handed in.

    `name` is its path as the report shows it, `learner` whose it is as far as folder and file name
    tell, `exercises` the numbers of the exercises that it should answer (none when it cannot be told
    to belong to any), `cells` the code to run,
    `code` the places of all code cells, `names` what its own checks were called with, and `problem`
    why it cannot be run, if it cannot.
    """

    path: Path
    name: str
    learner: str
    exercises: list[str] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)
    code: list[int] = field(default_factory=list)
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    problem: str = ""


def find_submissions(paths: Iterable[str | Path]) -> list[Submission]:
    """Return the notebooks at `paths` (files, or folders with all that lies below), read.

    Hidden files and folders are passed over, and links to folders are not followed.

    Raises
    ------
    SubmissionError
        When a path does not exist, or there is no notebook at all.
    """
    found: dict[Path, Submission] = {}
    for given in map(Path, paths):
        if given.is_dir():
            for path in _notebooks_below(given):
                inside = path.relative_to(given)
                learner = inside.parts[0] if len(inside.parts) > 1 else ""
                found.setdefault(path.absolute(), _read(path, learner))
        elif given.exists() or given.is_symlink():
            found.setdefault(given.absolute(), _read(given, ""))
        else:
            raise SubmissionError(
                f"There is nothing at {given}. Give notebooks, or folders of them."
            )
    if not found:
        given = ", ".join(str(path) for path in paths)
        raise SubmissionError(f"There is no notebook (.ipynb) in {given}.")
    return list(found.values())


def _notebooks_below(folder: Path) -> list[Path]:
    """Return what is named like a notebook, whatever it is, and the folders that cannot be read."""
    found, waiting = [], [folder]
    while waiting:  # a stack of its own: folders can be nested deeper than Python calls itself
        path = waiting.pop()
        if path != folder and path.suffix.lower() == ".ipynb":
            found.append(path)
        if os.path.isdir(path) and not os.path.islink(path):
            try:
                inside = sorted(path.iterdir(), reverse=True)
            except OSError:
                found += [path] if path not in found else []
            else:
                waiting += [path for path in inside if not path.name.startswith(".")]
    return found


def _read(path: Path, learner: str) -> Submission:
    submission = Submission(path, path.as_posix(), learner or _learner_in(path.stem))
    belongs = PRACTICE.search(path.stem)
    if belongs:
        submission.exercises = _exercises_of(belongs[1].lower())
    try:
        notebook = _parse(path)
    except (OSError, ValueError) as error:
        submission.problem = f"not a notebook: {error}"
        return submission
    _take_cells(submission, notebook)
    if not submission.exercises:
        submission.exercises = _exercises_in(notebook)
    return submission


def _parse(path: Path):
    import nbformat

    if path.is_dir():
        next(path.iterdir(), None)  # says what is wrong, when it cannot be read
        raise ValueError("it is a folder")
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("it is not a plain file")
    if status.st_size > MOST_BYTES:
        raise ValueError(f"{status.st_size:,} bytes; the limit is {MOST_BYTES:,}")
    try:
        with warnings.catch_warnings():  # such as two cells with one id, which does no harm
            warnings.simplefilter("ignore")
            notebook = nbformat.reads(path.read_bytes().decode("utf-8-sig"), as_version=4)
        cells = [(cell.cell_type, cell.source) for cell in notebook.cells]
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8 text") from None
    except nbformat.reader.NotJSONError:
        raise ValueError("it is not JSON") from None
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    except OSError:
        raise
    except Exception as error:  # whatever a damaged notebook does to nbformat
        raise ValueError(f"{type(error).__name__}: {str(error)[:200]}") from None
    if not all(isinstance(kind, str) and isinstance(source, str) for kind, source in cells):
        raise ValueError("a cell has no type or no text")
    return notebook


def _take_cells(submission: Submission, notebook) -> None:
    section: list[str] = []
    asked = {name: e.number for e in EXERCISES.values() for name in e.names}
    numbers = {e.function_name: e.number for e in EXERCISES.values()}
    for place, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            section = exercise_numbers(cell.source) or section
        elif cell.cell_type == "code":
            submission.code.append(place)
            called = _check_called(cell.source)
            if called and called[0] in numbers:
                number = numbers[called[0]]
                submission.names[number] = called[1]
                submission.cells.append(Cell(place, "", (number,), check=number))
                continue  # the course's own check judges, and not what this cell does
            defined = {asked[name] for name in _defined(cell.source) if name in asked}
            submission.cells.append(Cell(place, cell.source, tuple(sorted(defined.union(section)))))


def _check_called(source: str) -> tuple[str, tuple[str, ...]] | None:
    """Return which check `source` calls and with which names, if it does nothing else."""
    try:
        statements = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if len(statements) != 1 or not isinstance(statements[0], ast.Expr):
        return None
    call = statements[0].value
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
        return None
    if not (isinstance(call.func.value, ast.Name) and call.func.value.id == "checks"):
        return None
    names = tuple(argument.id for argument in call.args if isinstance(argument, ast.Name))
    return call.func.attr, names if len(names) == len(call.args) else ()


def _defined(source: str) -> set[str]:
    """Return the names that a cell defines, read from the text, for it may not even parse."""
    pairs = re.findall(r"^(?:def|class)\s+(\w+)|^(\w+)\s*=", source, re.M)
    return {function or variable for function, variable in pairs}


def _exercises_of(belongs: str) -> list[str]:
    kind, number = belongs.split("_")
    prefix = f"P{number}." if kind == "project" else f"{int(number)}."
    return [number for number in EXERCISES if number.startswith(prefix)]


def _exercises_in(notebook) -> list[str]:
    """Return all exercises of the lesson whose headings or checks occur most in `notebook`."""
    counts: dict[str, int] = {}
    names = {entry.function_name: entry.number for entry in EXERCISES.values()}
    for cell in notebook.cells:
        found = (
            exercise_numbers(cell.source)
            if cell.cell_type == "markdown"
            else [names[called] for called in CALL.findall(cell.source) if called in names]
        )
        for number in found:
            lesson = number.split(".")[0]
            counts[lesson] = counts.get(lesson, 0) + (number in EXERCISES)
    if not counts or not max(counts.values()):
        return []
    lesson = max(counts, key=lambda one: counts[one])
    return [number for number in EXERCISES if number.split(".")[0] == lesson]


def _learner_in(stem: str) -> str:
    """Return what is left of a file's name without the practice's and without what programs add:
    ``ada_practice_02 (1)`` is ada's. Where nothing is left, the whole name stands for the learner.
    """
    bare = stem
    while (shorter := ADDED.sub("", bare)) != bare:
        bare = shorter
    belongs = PRACTICE.search(bare)
    if belongs is None:
        return bare or stem
    before, after = bare[: belongs.start()].strip("_-. "), bare[belongs.end() :]
    for title in _titles(belongs[1].lower()):
        if after.lower().startswith(title):
            after = after[len(title) :]
    return before or after.strip("_-. ") or stem


def _titles(belongs: str) -> list[str]:
    from helpers.course.environment import ROOT

    return [
        path.stem.removeprefix(belongs) for path in (ROOT / "exercises").glob(f"{belongs}_*.ipynb")
    ]
