"""Exercise notebooks come from solution notebooks, and both keep the rules for practice."""

import ast
import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from helpers.checks import EXERCISES
from helpers.course import practice
from helpers.course.environment import ROOT
from helpers.course.grading.submissions import Cell, find_submissions
from helpers.course.practice import PracticeError, clear_solution, exercise_numbers, generate, stale

SOLUTIONS = sorted((ROOT / "solutions").glob("*.ipynb"))
LESSONS = range(1, 9)
HEADING = re.compile(
    r"^##+ (Exercise|Project) (\d+\.\d+) · Level (\d) · (\d+) min\n\n\*\*(.+?)[.?!]?\*\*", re.M
)

FUNCTION = """def f(x):
    ### BEGIN SOLUTION
    y = x + 1

    return y
    ### END SOLUTION"""
STUB = """def f(x):
    # Your code here
    raise NotImplementedError"""


def write(path, *cells):
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(new_notebook(cells=list(cells)), path)
    return path


# Generating


def test_a_function_becomes_a_stub():
    """With the indentation of its markers, and whatever stands around them."""
    assert clear_solution(FUNCTION) == STUB
    assert clear_solution(f"x = 1\n{FUNCTION}\nz = 3") == f"x = 1\n{STUB}\nz = 3"
    assert clear_solution("x = 1") == "x = 1"


def test_names_outside_of_functions_become_none():
    """So that the check can tell that nothing was written."""
    source = "### BEGIN SOLUTION\na = {\n    'x': 1,\n}\nb: int = a['x']\n### END SOLUTION"
    assert clear_solution(source) == "a = None  # your answer here\nb = None  # your answer here"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def f():\n    ### BEGIN SOLUTION\n    return 1", "without ### END"),
        ("def f():\n    return 1\n    ### END SOLUTION", "without ### BEGIN"),
        ("    ### BEGIN SOLUTION\n    ### BEGIN SOLUTION\n    ### END SOLUTION", "a second"),
        ("### BEGIN SOLUTION\nprint(1)\n### END SOLUTION", "sets no name"),
    ],
)
def test_markers_that_do_not_pair_up_are_refused(source, words, tmp_path):
    """With the notebook and the cell, lest a solution is given away."""
    with pytest.raises(PracticeError, match=words):
        clear_solution(source)
    path = write(tmp_path / "p.ipynb", new_markdown_cell("x"), new_code_cell(source))
    with pytest.raises(PracticeError, match=r"p\.ipynb, cell 1"):
        generate(path)


def test_commentary_and_outputs_stay_in_the_solution(tmp_path):
    """Cells tagged `solution` are left out."""
    ran = new_code_cell(FUNCTION, execution_count=1)
    ran.outputs = [nbformat.v4.new_output("stream", text="2")]
    path = write(
        tmp_path / "p.ipynb",
        new_markdown_cell("task"),
        ran,
        new_markdown_cell("why", metadata={"tags": ["solution"]}),
        new_code_cell("f(1)", metadata={"tags": ["solution"]}),
    )
    made = generate(path)
    assert [cell.source for cell in made.cells] == ["task", STUB]
    assert made.cells[1].outputs == []
    assert made.cells[1].execution_count is None


def test_what_has_parted_is_noticed_and_mended(tmp_path, capsys):
    """Missing, or edited by hand; outputs do not count."""
    for name in ("same", "edited", "missing"):
        write(tmp_path / f"solutions/{name}.ipynb", new_code_cell("x = 1", id="a"))
    write(tmp_path / "exercises/same.ipynb", new_code_cell("x = 1", id="a", execution_count=1))
    write(tmp_path / "exercises/edited.ipynb", new_code_cell("x = 2", id="a"))
    assert stale(tmp_path) == ["edited.ipynb", "missing.ipynb"]
    assert practice.main(tmp_path) == 0
    assert stale(tmp_path) == []
    mended = nbformat.read(tmp_path / "exercises/edited.ipynb", as_version=4)
    assert mended.cells[0].source == "x = 1"
    assert mended.cells[0].execution_count == 1
    assert practice.main(tmp_path) == 0
    assert "All exercises are" in capsys.readouterr().out


def test_a_learners_work_is_never_overwritten(tmp_path, capsys):
    """Answers are kept under another name, twice if need be; their other notebooks stay."""
    write(tmp_path / "solutions/practice_01_x.ipynb", new_code_cell(FUNCTION, id="a"))
    exercise = tmp_path / "exercises/practice_01_x.ipynb"
    for answer in ("def f(x):\n    return 1", "def f(x):\n    return 2"):
        write(exercise, new_code_cell(answer, id="a"))
        practice.main(tmp_path)
    write(tmp_path / "exercises/Untitled.ipynb", new_code_cell("mine"))
    write(tmp_path / "exercises/practice_99_gone.ipynb", new_code_cell("old"))
    practice.main(tmp_path)
    kept = [exercise.with_name(f"practice_01_x (yours {n}).ipynb") for n in (1, 2)]
    answers = [nbformat.read(path, as_version=4).cells[0].source for path in kept]
    assert answers == ["def f(x):\n    return 1", "def f(x):\n    return 2"]
    assert nbformat.read(exercise, as_version=4).cells[0].source == STUB
    assert (tmp_path / "exercises/Untitled.ipynb").exists()
    assert (tmp_path / "exercises/practice_99_gone.ipynb").exists()
    said = capsys.readouterr().out
    assert "kept as practice_01_x (yours 2).ipynb" in said
    assert "practice_99_gone.ipynb has no solution" in said


def test_headings_name_exercises():
    """Of lessons and of projects."""
    text = "## x\n### Exercise 3.2 · Level 1\n\n### Project 1.4 · Level 1\nExercise 9.9"
    assert exercise_numbers(text) == ["3.2", "P1.4"]


# The course's own


def test_the_exercises_are_what_their_solutions_make_of_them():
    """Otherwise: make exercises. (It keeps the answers of whoever has worked in one.)"""
    assert stale() == []
    assert practice.orphans() == []


def test_there_is_a_practice_for_every_lesson_and_three_projects():
    """With all three levels in each practice, and 24 exercises or more."""
    names = [path.stem for path in SOLUTIONS]
    for lesson in LESSONS:
        assert sum(name.startswith(f"practice_{lesson:02}_") for name in names) == 1
        levels = {e.level for n, e in EXERCISES.items() if n.startswith(f"{lesson}.")}
        assert levels == {1, 2, 3}
    for project in (1, 2, 3):
        assert sum(name.startswith(f"project_{project}_") for name in names) == 1
        levels = {e.level for n, e in EXERCISES.items() if n.startswith(f"P{project}.")}
        assert levels == {project}
    assert sum(not number.startswith("P") for number in EXERCISES) >= 24


def sections(notebook):
    """Yield the number of each exercise, its match of `HEADING`, and its cells."""
    cells, current = {}, None
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and exercise_numbers(cell.source):
            current = exercise_numbers(cell.source)[0]
            cells[current] = []
        elif cell.cell_type == "markdown" and cell.source.startswith("## "):
            current = None
        if current:
            cells[current].append(cell)
    for number, found in cells.items():
        yield number, HEADING.search(found[0].source), found


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_every_exercise_has_heading_answer_check_and_commentary(path):
    """Level and title as its check has them; the check in a cell of its own, with its names."""
    notebook = nbformat.read(path, as_version=4)
    found = {}
    for number, heading, cells in sections(notebook):
        assert heading, f"the heading of {number} is not as the others"
        entry = EXERCISES[number]
        assert int(heading[3]) == entry.level
        assert heading[5] == entry.title.rstrip(".?!")
        assert int(heading[4]) in range(5, 46)
        assert len(entry.hints) >= 3
        call = f"checks.{entry.function_name}({', '.join(entry.names)})"
        place = [cell.source for cell in cells].index(call)
        before = "\n".join(cell.source for cell in cells[:place])
        assert practice.BEGIN in before
        assert any("solution" in cell.metadata.get("tags", []) for cell in cells[place:])
        found[number] = cells[place].outputs[0].text
    assert found
    assert all(text.startswith("✓ ") for text in found.values()), found
    last = [cell for cell in notebook.cells if cell.cell_type == "code"][-1]
    assert last.source.startswith("checks.summary(")


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_an_untouched_exercise_notebook_says_so(path):
    """Run All goes through: every check was called, and none found an attempt."""
    notebook = nbformat.read(ROOT / "exercises" / path.name, as_version=4)
    said = [
        cell.outputs[0].text
        for cell in notebook.cells
        if cell.cell_type == "code" and re.match(r"checks\.(exercise|project)_", cell.source)
    ]
    assert len(said) == len(list(sections(notebook)))
    assert all("not attempted yet" in text for text in said)
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    assert practice.BEGIN not in code
    assert "raise NotImplementedError" in code


def test_every_exercise_stands_in_exactly_one_notebook():
    """None without a task, none twice."""
    numbers = [
        number for path in SOLUTIONS for number, _, _ in sections(nbformat.read(path, as_version=4))
    ]
    assert sorted(numbers) == sorted(EXERCISES)


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_graders_find_the_exercises_of_every_notebook(path):
    """The same ones, each with the cell that answers it."""
    submission = find_submissions([path])[0]
    numbers = [number for number, _, _ in sections(nbformat.read(path, as_version=4))]
    assert submission.exercises == numbers
    for number in numbers:
        answering: list[Cell] = [cell for cell in submission.cells if number in cell.exercises]
        assert any(practice.BEGIN in cell.source for cell in answering)


def test_answers_do_not_leak_into_exercises():
    """No line of a solution that is longer than a few words stands in its exercise."""
    for path in SOLUTIONS:
        exercise = nbformat.read(ROOT / "exercises" / path.name, as_version=4)
        code = "\n".join(cell.source for cell in exercise.cells if cell.cell_type == "code")
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "code" and practice.BEGIN in cell.source:
                ast.parse(cell.source)
                after = cell.source.split(practice.BEGIN)[1].split(practice.END)[0]
                for line in after.strip().split("\n"):
                    if line.strip().startswith("return") and len(line.strip()) > 30:
                        assert line.strip() not in code, path.name


@pytest.mark.parametrize("lesson", LESSONS)
def test_every_lesson_leads_to_its_exercises(lesson):
    """With the titles, levels and minutes that the practice notebook has."""
    path = next((ROOT / "notebooks").glob(f"{lesson:02}_*.ipynb"))
    source = next(
        cell.source
        for cell in nbformat.read(path, as_version=4).cells
        if re.search(r"^## Practice", cell.source, re.M)
    )
    practices = next(path for path in SOLUTIONS if path.stem.startswith(f"practice_{lesson:02}"))
    assert f"(../exercises/{practices.name})" in source
    rows = re.findall(r"^\| \*\*(.+?)\*\* (.+?) \| (\d) \| (\d+) min \|$", source, re.M)
    assert rows == [
        (number, EXERCISES[number].title, heading[3], heading[4])
        for number, heading, _ in sections(nbformat.read(practices, as_version=4))
    ]


def test_the_readme_leads_to_every_project():
    """And to the folders of exercises and solutions."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for path in SOLUTIONS:
        if path.stem.startswith("project"):
            assert f"(exercises/{path.name})" in readme
    assert "(exercises)" in readme
    assert "(solutions)" in readme
