"""The notebooks that were handed in: whose they are, which exercises are in them, and what became of these."""

from __future__ import annotations

import ast
import os
import re
import stat
import warnings
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from helpers.checks import EXERCISES
from helpers.course.environment import ROOT
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
class Limits:
    """What a notebook may use: seconds in all (a cell or check half of them), bytes of memory of all its processes together,
    and bytes that it prints."""

    seconds: float = 120.0
    memory: int = 4 * 2**30
    output: int = 10 * 2**20


@dataclass(frozen=True)
class Verdict:
    """What became of one exercise of one notebook; `failing` is the smallest input that failed, in words. `exercise` and
    `level` are None when the notebook cannot be told to belong to any."""

    notebook: str
    learner: str
    exercise: str | None
    level: int | None
    status: str
    message: str
    failing: str = ""


@dataclass(frozen=True)
class Cell:
    """A code cell: its place among all cells, its source and its exercises; or where the check of exercise `check` is called."""

    place: int
    source: str
    exercises: tuple[str, ...] = ()
    check: str = ""


@dataclass
class Submission:
    """A notebook that was handed in: its path as the report shows it, whose it is as far as folder and file name tell, the
    exercises that it should answer, the code to run, the places of all code cells, what its own checks were called with, and
    why it cannot be run, if it cannot."""

    path: Path
    name: str
    learner: str
    exercises: list[str] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)
    code: list[int] = field(default_factory=list)
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    problem: str = ""

    def verdict(self, number: str | None, status: str, message: str, failing: str = "") -> Verdict:
        """Return the verdict on exercise `number`."""
        level = EXERCISES[number].level if number else None
        return Verdict(self.name, self.learner, number, level, status, message, failing)

    def verdicts(self, status: str, message: str) -> list[Verdict]:
        """Return the same verdict on all its exercises."""
        return [self.verdict(number, status, message) for number in self.exercises or [None]]


def find_submissions(paths: Iterable[str | Path]) -> list[Submission]:
    """Return the notebooks at `paths` (files, or folders with all that lies below), read. Hidden files and folders are passed
    over, links to folders are not followed. Raises `SubmissionError` where there is none."""
    paths, found = list(map(Path, paths)), {}
    for given in paths:
        if given.is_dir():
            for path in _notebooks_below(given):
                first, *inside = path.relative_to(given).parts
                found.setdefault(path.absolute(), _read(path, first if inside else ""))
        elif given.exists() or given.is_symlink():
            found.setdefault(given.absolute(), _read(given, ""))
        else:
            raise SubmissionError(
                f"There is nothing at {given}. Give notebooks, or folders of them."
            )
    if not found:
        raise SubmissionError(f"There is no notebook (.ipynb) in {', '.join(map(str, paths))}.")
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
                waiting += [path for path in inside if not path.name.startswith(".")]
            except OSError:
                found += [path] if path not in found else []
    return found


def _read(path: Path, learner: str) -> Submission:
    submission = Submission(path, path.as_posix(), learner or _learner_in(path.stem))
    if belongs := PRACTICE.search(path.stem):
        kind, number = belongs[1].lower().split("_")
        submission.exercises = _lesson(f"P{number}" if kind == "project" else str(int(number)))
    try:
        notebook = _parse(path)
    except (OSError, ValueError) as error:
        submission.problem = f"not a notebook: {error}"
        return submission
    _take_cells(submission, notebook)
    submission.exercises = submission.exercises or _exercises_in(notebook)
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
    content = path.read_bytes()
    try:
        with warnings.catch_warnings():  # such as two cells with one id, which does no harm
            warnings.simplefilter("ignore")
            notebook = nbformat.reads(content.decode("utf-8-sig"), as_version=4)
        cells = [(cell.cell_type, cell.source) for cell in notebook.cells]
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8 text") from None
    except nbformat.reader.NotJSONError:
        raise ValueError("it is not JSON") from None
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
            called, names = _check_called(cell.source)
            if called in numbers:  # the course's own check judges, and not what this cell does
                submission.names[numbers[called]] = names
                taken = Cell(place, "", (numbers[called],), check=numbers[called])
            else:  # what it defines is read from the text, for it may not even parse
                pairs = re.findall(r"^(?:def|class)\s+(\w+)|^(\w+)\s*=", cell.source, re.M)
                defined = {asked[name] for pair in pairs for name in pair if name in asked}
                taken = Cell(place, cell.source, tuple(sorted(defined.union(section))))
            submission.cells.append(taken)


def _check_called(source: str) -> tuple[str, tuple[str, ...]]:
    """Return which check `source` calls and with which names, if it does nothing else."""
    try:
        (statement,) = ast.parse(source).body
        call = statement.value
        if isinstance(statement, ast.Expr) and call.func.value.id == "checks":
            names = tuple(getattr(argument, "id", "") for argument in call.args)
            return call.func.attr, names if all(names) else ()
    except (SyntaxError, ValueError, AttributeError, RecursionError, MemoryError):
        pass
    return "", ()


def _lesson(lesson: str) -> list[str]:
    return [number for number in EXERCISES if number.split(".")[0] == lesson]


def _exercises_in(notebook) -> list[str]:
    """Return all exercises of the lesson whose headings or checks occur most in `notebook`."""
    names = {entry.function_name: entry.number for entry in EXERCISES.values()}
    found = []
    for cell in notebook.cells:
        heading = cell.cell_type == "markdown"
        called = [] if heading else [names.get(name) for name in CALL.findall(cell.source)]
        found += exercise_numbers(cell.source) if heading else called
    lessons = Counter(number.split(".")[0] for number in found if number in EXERCISES)
    return _lesson(lessons.most_common(1)[0][0]) if lessons else []


def _learner_in(stem: str) -> str:
    """Return what is left of a file's name without the practice's and without what programs add:
    ``ada_practice_02 (1)`` is ada's. Where nothing is left, the whole name stands for the learner."""
    bare = stem
    while (shorter := ADDED.sub("", bare)) != bare:
        bare = shorter
    belongs = PRACTICE.search(bare)
    if belongs is None:
        return bare or stem
    before, after = bare[: belongs.start()].strip("_-. "), bare[belongs.end() :]
    practice = belongs[1].lower()
    for path in (ROOT / "exercises").glob(f"{practice}_*.ipynb"):
        title = path.stem.removeprefix(practice)
        after = after[len(title) :] if after.lower().startswith(title) else after
    return before or after.strip("_-. ") or stem
