"""Makes the notebooks in ``exercises/`` from those in ``solutions/``: what ``make exercises`` does.

A solution notebook holds task, solution and commentary. The exercise notebook is the same without what lies between
``### BEGIN SOLUTION`` and ``### END SOLUTION`` (nbgrader's convention), and without the cells tagged ``solution``. Inside a
function a solution becomes ``raise NotImplementedError``; outside of one, the names that it sets become None. (nbgrader's own
ClearSolutions would bring 91 MB and an extension of JupyterLab, and knows no answers outside of functions.)
"""

from __future__ import annotations

import ast
import re
import sys
from itertools import count
from pathlib import Path

from helpers.cache import replacing
from helpers.course import any_console
from helpers.course.environment import ROOT

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
#: Stands behind a name that the learner is to set.
STUB = "# your answer here"
#: Cells with this tag stand in the solution only.
SOLUTION_TAG = "solution"


class PracticeError(ValueError):
    """A solution notebook breaks the rules above; the message names notebook and cell."""


def generate(solution: Path):
    """Return the exercise notebook (without outputs) that belongs to the notebook `solution`. PracticeError when markers do not
    pair up, or no name is set between them outside of a function."""
    import nbformat

    notebook = nbformat.read(solution, as_version=4)
    cells = []
    for number, cell in enumerate(notebook.cells):
        if SOLUTION_TAG in cell.metadata.get("tags", []):
            continue
        if cell.cell_type == "code":
            try:
                cell.source = clear_solution(cell.source)
            except (PracticeError, SyntaxError) as error:
                raise PracticeError(f"{solution.name}, cell {number}: {error}") from None
            cell.outputs, cell.execution_count = [], None
        else:
            cell.source = cell.source.replace("](../exercises/", "](../solutions/")
        cells.append(cell)
    notebook.cells = cells
    nbformat.validate(notebook)
    return notebook


def clear_solution(source: str) -> str:
    """Return the code `source` with every solution replaced by its stub."""
    kept: list[str] = []
    solution: list[str] | None = None
    for line in source.split("\n"):
        mark = line.strip()
        if mark == BEGIN:
            if solution is not None:
                raise PracticeError(f"a second {BEGIN} before {END}")
            solution, indent = [], line[: len(line) - len(line.lstrip())]
        elif mark == END:
            if solution is None:
                raise PracticeError(f"{END} without {BEGIN}")
            kept += _stub(solution, indent)
            solution = None
        elif solution is not None:
            solution.append(line)
        else:
            kept.append(line)
    if solution is not None:
        raise PracticeError(f"{BEGIN} without {END}")
    return "\n".join(kept)


def _stub(solution: list[str], indent: str) -> list[str]:
    if indent:
        return [f"{indent}# Your code here", f"{indent}raise NotImplementedError"]
    answers = [
        s for s in ast.parse("\n".join(solution)).body if isinstance(s, (ast.Assign, ast.AnnAssign))
    ]
    targets = [t for answer in answers for t in getattr(answer, "targets", None) or [answer.target]]
    nodes = (node for target in targets for node in ast.walk(target))
    names = [node.id for node in nodes if isinstance(node, ast.Name)]
    if not names:
        raise PracticeError("a solution outside of a function sets no name")
    return [f"{name} = None  {STUB}" for name in dict.fromkeys(names)]


def stale(root: Path = ROOT) -> list[str]:
    """Return the names of exercise notebooks that are missing, or not what `generate` makes of their solution (outputs aside)."""
    import nbformat

    def is_stale(name: str) -> bool:
        exercise = root / "exercises" / name
        if not exercise.exists():
            return True
        made = generate(root / "solutions" / name)
        return _content(made) != _content(nbformat.read(exercise, as_version=4))

    return [p.name for p in sorted((root / "solutions").glob("*.ipynb")) if is_stale(p.name)]


def orphans(root: Path = ROOT) -> list[str]:
    """Return the names of exercise notebooks of the course that have no solution. Notebooks of other names are the learner's."""
    named = re.compile(r"(practice_\d\d|project_\d)_[a-z0-9_]+\.ipynb")
    here, there = ({p.name for p in (root / f).glob("*.ipynb")} for f in ("exercises", "solutions"))
    return sorted(name for name in here - there if named.fullmatch(name))


def _content(notebook) -> list[tuple]:
    return [(cell.cell_type, cell.source, dict(cell.metadata), cell.id) for cell in notebook.cells]


def main(root: Path = ROOT) -> int:
    """Generate and execute every exercise notebook that is stale, and return the number that failed. A notebook that somebody has
    worked in is kept under another name."""
    import nbformat

    from helpers.course.notebooks import main as execute_all

    names = stale(root)
    for name in names:
        exercise = root / "exercises" / name
        notebook = generate(root / "solutions" / name)
        if exercise.exists() and _has_answers(nbformat.read(exercise, as_version=4), notebook):
            kept = _free_name(exercise)
            exercise.rename(kept)
            print(f"{name} holds answers of yours: kept as {kept.name}")
        exercise.parent.mkdir(exist_ok=True)
        with replacing(exercise) as temporary:
            nbformat.write(notebook, temporary)
    for name in orphans(root):
        print(f"{name} has no solution. Remove it, if it is not yours.")
    if not names:
        print("All exercises are what their solutions make of them.")
        return 0
    return execute_all([str(root / "exercises" / name) for name in names])


def _has_answers(found, made) -> bool:
    """Say whether a cell that is a stub in `made` is something else in `found`."""
    code = {cell.id: cell.source for cell in made.cells if cell.cell_type == "code"}
    stubs = {
        i: source for i, source in code.items() if "NotImplementedError" in source or STUB in source
    }
    return any(
        cell.source != stubs.get(cell.id, cell.source) and BEGIN not in cell.source
        for cell in found.cells
    )


def _free_name(path: Path) -> Path:
    names = (path.with_name(f"{path.stem} (yours {number}).ipynb") for number in count(1))
    return next(name for name in names if not name.exists())


def exercise_numbers(text: str) -> list[str]:
    """Return the numbers of the exercises whose headings stand in the Markdown `text`."""
    return [
        f"P{number}" if kind == "Project" else number
        for kind, number in re.findall(r"^##+ (Exercise|Project) (\d+\.\d+) ", text, re.M)
    ]


if __name__ == "__main__":
    any_console()
    sys.exit(main())
