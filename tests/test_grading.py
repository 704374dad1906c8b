"""Checking submissions: whatever is handed in is reported, and touches nobody else's work."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from helpers.checks import EXERCISES
from helpers.course.command_line import main
from helpers.course.environment import ROOT
from helpers.course.grading import report
from helpers.course.grading.integrity import Snapshot
from helpers.course.grading.process import TOKEN
from helpers.course.grading.submissions import Limits, SubmissionError, Verdict, find_submissions
from helpers.course.grading.supervisor import check_all

NAME = "practice_02_cosine_similarity.ipynb"
NUMBERS = ("2.1", "2.2", "2.3", "2.4")
LIMITS = Limits(seconds=30, memory=1_500_000_000, output=2_000_000)

CLAIMS = "claims = dict(a=True, b=False, c=False, d=True, e=False, f=True, g=False)"
LEVEL = """
import numpy as np
def level_of_chance(vectors, percentile):
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.percentile((unit @ unit.T)[np.triu_indices(len(unit), 1)], percentile)
"""
WRONG_LEVEL = "def level_of_chance(vectors, percentile):\n    return 1.0"


def cells(setup="x = 1", level=LEVEL, claims=CLAIMS, last="y = 2"):
    """Return a submission that answers 2.2 and 2.3, and leaves 2.1 and 2.4 out."""
    return [
        new_code_cell(setup),
        new_markdown_cell("### Exercise 2.2 · Level 2 · 15 min"),
        new_code_cell(claims),
        new_code_cell("checks.exercise_2_2(claims)"),
        new_markdown_cell("### Exercise 2.3 · Level 2 · 15 min"),
        new_code_cell(level),
        new_code_cell("checks.exercise_2_3(level_of_chance)"),
        new_markdown_cell("### Exercise 2.4 · Level 3 · 25 min"),
        new_code_cell(last),
    ]


def hand_in(folder, learner, content, name=NAME):
    """Write `content` (cells, text or bytes) as the notebook of `learner`."""
    path = folder / learner / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, list):
        content = nbformat.writes(new_notebook(cells=content))
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


# Hostile submissions: all in one run, between two honest ones

BACKGROUND = """
import os, subprocess, sys
sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
subprocess.Popen(sleep)
subprocess.Popen(sleep, start_new_session=True)
"""
DAEMON = """
import os, subprocess, sys
code = "import os, time\\nif os.fork(): os._exit(0)\\nos.setsid()\\nif os.fork(): os._exit(0)\\ntime.sleep(600)"
subprocess.run([sys.executable, "-c", code], env={})
"""
HOG = """
hoard = []
while True:
    hoard.append(bytearray(b"x" * 50_000_000))
"""
PATCH_CHECKS = """
import helpers.checks as c, helpers.checks.frame as e
for entry in c.EXERCISES.values():
    entry.spec.reference = staticmethod(lambda vectors, percentile: 1.0)
    entry.spec = type("Easy", (), {"check": staticmethod(lambda *answers: "right")})
e.same = lambda *things, **named: True
e.judge = lambda *things, **named: None
e.Exercise.judge = lambda self, *answers: e.Outcome(self.number, "passed", "right")
"""
PATCH_LIBRARIES = """
import builtins, sys, types, numpy as np
np.allclose = np.array_equal = lambda *things, **named: True
builtins.isinstance = lambda *things: True
sys.modules["helpers"] = sys.modules["helpers.checks"] = types.ModuleType("helpers.checks")
"""
OVERWRITE = """
import helpers, pathlib
for path in pathlib.Path(helpers.__file__).parent.rglob("*.py"):
    path.write_text("raise SystemExit")
"""
FORGE = """
import json, os
line = json.dumps(dict(secret="", number="2.3", status="passed", message="right")) + "\\n"
for handle in range(1, 30):
    try:
        os.write(handle, line.encode())
    except OSError:
        pass
"""
#: What is told to whom judges goes through a pipe. A notebook can find it.
PIPES = """
import os, stat, time
def tell(text):
    for handle in range(3, 60):
        try:
            if stat.S_ISFIFO(os.fstat(handle).st_mode):
                os.write(handle, text.encode())
        except OSError:
            pass
"""
NONSENSE = (
    PIPES
    + """
tell('{"at": "cell", "place": []}\\n{"at": "exercise", "number": {}, "changed": 5}\\n{"secret": [], "number": []}\\n')
time.sleep(0.3)
os._exit(3)
"""
)
DEEP = """
import os
for _ in range(1200):
    os.mkdir("d")
    os.chdir("d")
"""
SHARED = """
import mmap, os, time
kept = []
for _ in range(2):
    kept.append(mmap.mmap(-1, 900_000_000))
    for _ in range(9):
        kept[-1].write(b"x" * 100_000_000)
    if os.fork() == 0:
        touched = kept[-1][::4096]
        time.sleep(600)
    time.sleep(1)
time.sleep(600)
"""
SILENT = """
class Silent(Exception):
    def __str__(self):
        raise RuntimeError
raise Silent
"""
LIKE_TORCH = """
import inspect
def level_of_chance(vectors, percentile):
    import numpy as np
    inspect.getfile = lambda thing: "as torch does when it is imported"
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.percentile((unit @ unit.T)[np.triu_indices(len(unit), 1)], percentile)
"""
PATCH_INSIDE = """
import numpy as np
def level_of_chance(vectors, percentile):
    import helpers.checks.frame as e
    e.describe = None
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.percentile((unit @ unit.T)[np.triu_indices(len(unit), 1)], percentile)
"""
#: learner → (cells, the status of 2.2, of 2.3, words of a message)
HOSTILE = {
    "endless_cell": (cells(setup="while True: pass"), "timed_out", "timed_out", "still running"),
    "endless_answer": (
        cells(
            level="def level_of_chance(v, p):\n    while True:\n        try:\n            while True: pass\n"
            "        except BaseException: pass"
        ),
        "passed",
        "timed_out",
        "still running",
    ),
    "children": (cells(setup=BACKGROUND), "passed", "passed", ""),
    "memory": (cells(setup=HOG), "crashed", "crashed", "memory"),
    "exit_cell": (cells(setup="import os; os._exit(0)"), "crashed", "crashed", "exit code 0"),
    "exit_section": (cells(level="import os; os._exit(3)"), "passed", "crashed", "exit code 3"),
    "exit_answer": (
        cells(level="def level_of_chance(v, p):\n    import os; os._exit(0)"),
        "passed",
        "crashed",
        "while the answer was checked",
    ),
    "sys_exit_cell": (cells(setup="import sys; sys.exit()"), "passed", "passed", ""),
    "sys_exit_answer": (
        cells(level="def level_of_chance(v, p):\n    raise SystemExit"),
        "passed",
        "crashed",
        "calls exit()",
    ),
    "output": (
        cells(setup="while True: print('x' * 100_000)"),
        "crashed",
        "crashed",
        "prints more than",
    ),
    "output_below": (
        cells(setup="import os\nwhile True: os.write(1, b'x' * 100_000)"),
        "crashed",
        "crashed",
        "prints more than",
    ),
    "not_json": ("{this is not JSON", "crashed", "crashed", "not a notebook: it is not JSON"),
    "empty": ("", "crashed", "crashed", "not a notebook"),
    "a_list": ("[1, 2]", "crashed", "crashed", "not a notebook"),
    "too_deep": ("[" * 100_000, "crashed", "crashed", "not a notebook"),
    "odd_cells": (
        '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": {"a": 1}}',
        "crashed",
        "crashed",
        "not a notebook",
    ),
    "latin_1": (b"\xff\xfe\xe9", "crashed", "crashed", "not UTF-8"),
    "deleted": (cells()[4:], "not_attempted", "passed", "`claims` is not there"),
    "edited_check": (
        [
            *cells(level=WRONG_LEVEL)[:6],
            new_code_cell("print('✓ Exercise 2.3: right')"),
        ],
        "passed",
        "wrong",
        "yours:    1.0",
    ),
    "patched_checks": (
        cells(level=WRONG_LEVEL, last=PATCH_CHECKS),
        "passed",
        "wrong",
        "changes the course",
    ),
    "patched_libraries": (
        cells(level=WRONG_LEVEL, last=PATCH_LIBRARIES),
        "passed",
        "wrong",
        "yours:    1.0",
    ),
    "patched_inside": (cells(level=PATCH_INSIDE), "passed", "crashed", "while it is checked"),
    "overwrites": (cells(level=WRONG_LEVEL, setup=OVERWRITE), "passed", "wrong", "yours:    1.0"),
    "forges": (cells(level=WRONG_LEVEL, last=FORGE), "passed", "wrong", "yours:    1.0"),
    "own_helpers": (cells(setup="import helpers; helpers.checks"), "passed", "passed", ""),
    "syntax": (cells(level="def level_of_chance(v, p)\n    return 1"), "passed", "crashed", "SyntaxError"),
    "renamed": (
        [
            *cells(level=LEVEL.replace("level_of_chance", "mine"))[:6],
            new_code_cell("checks.exercise_2_3(mine)"),
        ],
        "passed",
        "passed",
        "",
    ),
    "asks": (cells(setup="name = input('Your name? ')"), "passed", "passed", ""),
    "no_cell_type": (
        '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"source": "1", "metadata": {}}]}',
        "crashed",
        "crashed",
        "not a notebook",
    ),
    "patched_random": (
        cells(setup="import numpy as np\nnp.random.default_rng = None"),
        "passed",
        "passed",
        "",
    ),
    "silent_error": (cells(setup=SILENT), "passed", "passed", ""),
    "like_torch": (cells(level=LIKE_TORCH), "passed", "passed", ""),
    "magic": (cells(setup="%matplotlib inline\nawait __import__('asyncio').sleep(0)"), "passed", "passed", ""),
}  # fmt: skip
if sys.platform != "win32":
    HOSTILE |= {
        "daemon": (cells(setup=DAEMON), "passed", "passed", ""),
        "killed": (
            cells(setup="import os, signal; os.kill(os.getpid(), signal.SIGKILL)"),
            "crashed",
            "crashed",
            "signal 9",
        ),
        "kills_parent": (
            cells(setup="import os; os.kill(os.getppid(), 9)\nwhile True: pass"),
            "crashed",
            "crashed",
            "signal 9",
        ),
        "kills_group": (cells(setup="import os; os.kill(0, 9)"), "crashed", "crashed", "signal 9"),
        "forks": (
            cells(
                setup="import os, time\nfor i in range(100):\n    if os.fork() == 0:\n        time.sleep(600)\ntime.sleep(600)"
            ),
            "crashed",
            "crashed",
            "processes",
        ),
        "nonsense": (cells(level=NONSENSE), "passed", "crashed", "exit code 3"),
        "deep": (cells(setup=DEEP), "passed", "passed", ""),
        "locks": (
            cells(
                setup="import os\nos.makedirs('a/b')\nopen('a/b/c', 'w').close()\nos.chmod('a/b', 0)\nos.chmod('a', 0)"
            ),
            "passed",
            "passed",
            "",
        ),
    }
if sys.platform.startswith("linux"):
    HOSTILE["shared_memory"] = (cells(setup=SHARED), "crashed", "crashed", "memory")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Everything hostile, between two honest learners: verdicts by learner and exercise, and the
    folder where the course's temporary files were.
    """
    folder = tmp_path_factory.mktemp("submissions")
    hand_in(folder, "000_honest", cells())
    for learner, (content, *_) in HOSTILE.items():
        hand_in(folder, learner, content)
    (folder / "own_helpers" / "helpers.py").write_text("raise SystemExit('not the course')")
    hand_in(
        folder, "deletes", cells(setup=f"import shutil; shutil.rmtree({str(folder / 'zzz_honest')!r})")
    )  # fmt: skip
    hand_in(folder, "zzz_honest", cells())
    temporary = tmp_path_factory.mktemp("temporary")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tempfile.tempdir", str(temporary))
        verdicts = check_all(find_submissions([folder]), LIMITS, jobs=2)
    return {(v.learner, v.exercise): v for v in verdicts}, temporary


@pytest.mark.parametrize("learner", HOSTILE)
def test_every_hostile_submission_is_reported(run, learner):
    """With the status that fits, and a message that says why."""
    verdicts, _ = run
    _, claims, level, words = HOSTILE[learner]
    found = {number: verdicts[learner, number] for number in NUMBERS}
    assert (found["2.2"].status, found["2.3"].status) == (claims, level), found
    assert any(words in verdict.message for verdict in found.values())


@pytest.mark.parametrize("learner", ["000_honest", "zzz_honest"])
def test_honest_work_is_judged_as_if_alone(run, learner):
    """Though another one deleted it, patched the course, wrote over its files."""
    statuses = [run[0][learner, number].status for number in NUMBERS]
    assert statuses == ["not_attempted", "passed", "passed", "not_attempted"]


def test_nothing_is_left_behind(run):
    """No process that carries the mark of a submission or sleeps for it, no folder."""
    _, temporary = run
    assert list(temporary.iterdir()) == []
    for process in psutil.process_iter():
        try:
            command, marked = process.cmdline(), TOKEN in process.environ()
        except psutil.Error:
            continue
        assert not marked or process.status() == psutil.STATUS_ZOMBIE, command
        assert "time.sleep(600)" not in " ".join(command)


TELLING = {
    "much": "while True:\n    tell('{}\\n')\n    time.sleep(0.01)",
    "long": "tell('x' * 1_000_000)\ntime.sleep(600)",
}


@pytest.mark.skipif(sys.platform == "win32", reason="finds pipes as POSIX has them")
@pytest.mark.parametrize("how", TELLING)
def test_no_notebook_keeps_the_others_waiting_by_what_it_tells(how, tmp_path):
    """Its limits hold however much it says."""
    hand_in(tmp_path, "eve", cells(last=PIPES + TELLING[how]))
    found = {v.exercise: v for v in check_all(find_submissions([tmp_path]), Limits(seconds=6))}
    assert found["2.4"].status == "timed_out"
    assert found["2.2"].status == "passed"


WAIT = """
import os, time
def wait_until(happened):
    until = time.monotonic() + 3
    while not happened() and time.monotonic() < until:
        time.sleep(0.05)
"""
REMOVE = """
from glob import glob
import shutil
wait_until(lambda: glob({folder!r} + "/*/work/text.md"))
for name in glob({folder!r} + "/*"):
    shutil.rmtree(name, ignore_errors=True)
"""


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_notebook_that_removes_temporary_folders_harms_only_itself(jobs, tmp_path, monkeypatch):
    """Whoever runs after it or beside it has all that he needs, also what lies beside his notebook."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    hand_in(tmp_path / "in", "ada", cells(setup=WAIT, last=REMOVE.format(folder=str(temporary))))
    gone = "wait_until(lambda: not os.path.exists('text.md'))\n"
    reading = gone + "assert open('text.md').read() == 'text'\n" + LEVEL
    path = hand_in(tmp_path / "in", "eve", cells(setup=WAIT, level=reading))
    (path.parent / "text.md").write_text("text")
    count = []
    found = check_all(
        find_submissions([tmp_path / "in"]), LIMITS, jobs=jobs, advance=lambda: count.append(1)
    )
    statuses = [v.status for v in found if v.learner == "eve"]
    assert statuses == ["not_attempted", "passed", "passed", "not_attempted"]
    assert len(count) == 2
    assert list(temporary.iterdir()) == []


def runs(number):
    """Say whether a process of that number runs; one that has ended and is not yet buried does not."""
    try:
        return psutil.Process(number).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Linux to be certain")
def test_what_a_notebook_starts_ends_before_the_next_begins(tmp_path):
    """Even if it hides: no mark, no parent, a session of its own, nothing to be seen in between."""
    mark = tmp_path / "number"
    hidden = f"""
import os, time
os.fork() and os._exit(0)
os.setsid()
os.fork() and os._exit(0)
with open({str(mark)!r}, "w") as file:
    file.write(str(os.getpid()))
time.sleep(600)
"""
    start = f"""
import os, subprocess, sys, time
subprocess.run([sys.executable, "-c", {hidden!r}], env={{}})
while not os.path.exists({str(mark)!r}) or not open({str(mark)!r}).read():
    time.sleep(0.01)
"""
    hand_in(tmp_path, "eve", cells(last=start))
    alive = []
    check_all(
        find_submissions([tmp_path]),
        LIMITS,
        advance=lambda: alive.append(runs(int(mark.read_text()))),
    )
    assert alive == [False]


def test_the_courses_own_files_are_as_they_were(run):
    """Nothing of the package was written over."""
    assert "raise SystemExit" not in (ROOT / "helpers" / "checks" / "frame.py").read_text()
    subprocess.run([sys.executable, "-c", "import helpers.checks"], check=True, cwd=ROOT)


def test_files_of_the_course_that_change_are_named_and_left(tmp_path, monkeypatch):
    """A notebook that looks for them can reach them; but so can whoever edits the course meanwhile."""
    from helpers.course.grading import workspace

    home = tmp_path / "helpers"
    (home / "checks").mkdir(parents=True)
    for name in ("a.py", "checks/b.py", "c.py"):
        (home / name).write_text(name)
    monkeypatch.setattr(workspace, "__file__", str(home / "course" / "grading" / "workspace.py"))
    course = workspace.Course()
    (home / "a.py").write_text("edited")
    (home / "checks" / "b.py").unlink()
    assert course.changed() == ["helpers/a.py", "helpers/checks/b.py"]
    assert (home / "a.py").read_text() == "edited"
    course.write(tmp_path / "private")
    assert (tmp_path / "private" / "helpers" / "a.py").read_text() == "a.py"


def test_a_notebook_that_writes_over_the_course_is_noticed(tmp_path, monkeypatch, capsys):
    """The command says what changed, and judges with what it had."""
    from helpers.course.grading.workspace import Course

    monkeypatch.setattr(Course, "changed", lambda self: ["helpers/cache.py"])
    hand_in(tmp_path, "ada", cells())
    main(["check", str(tmp_path)])
    assert "helpers/cache.py. All verdicts come from" in capsys.readouterr().err


# Finding submissions


def test_a_learner_is_told_by_folder_or_by_file_name(tmp_path):
    """Whatever the instructor's collection looks like."""
    for learner, name in (
        ("ada", NAME),
        ("", "grace_" + NAME),
        ("", "practice_02_cosine_similarity_alan.ipynb"),
        ("barbara/week 2", NAME),
    ):
        hand_in(tmp_path, learner, cells(), name)
    found = {
        s.name.removeprefix(tmp_path.as_posix() + "/"): s for s in find_submissions([tmp_path])
    }
    assert {s.learner for s in found.values()} == {"ada", "grace", "alan", "barbara"}
    assert all(s.exercises == list(NUMBERS) for s in found.values())


def test_a_notebook_of_another_name_is_known_by_what_is_in_it(tmp_path):
    """By headings, or by checks where the headings are gone."""
    headed = hand_in(tmp_path, "a", cells(), "final (2).ipynb")
    bare = [cell for cell in cells() if cell.cell_type == "code"]
    unheaded = hand_in(tmp_path, "b", bare, "final.ipynb")
    strange = hand_in(tmp_path, "c", [new_code_cell("1 + 1")], "notes.ipynb")
    one, two, three = (find_submissions([path])[0] for path in (headed, unheaded, strange))
    assert one.exercises == two.exercises == list(NUMBERS)
    assert three.exercises == []


def test_a_notebook_without_exercises_is_run_all_the_same(tmp_path):
    """What it does is reported; that there is nothing to judge, too."""
    for learner, code in (("ada", "1 + 1"), ("eve", "import os; os._exit(1)")):
        hand_in(tmp_path, learner, [new_code_cell(code)], "notes.ipynb")
    ada, eve = check_all(find_submissions([tmp_path]), LIMITS)
    assert (ada.exercise, ada.level, ada.status) == (None, None, "not_attempted")
    assert "none of the course's exercises" in ada.message
    assert (eve.exercise, eve.status) == (None, "crashed")


def test_hidden_files_checkpoints_and_linked_folders_are_passed_over(tmp_path):
    """A link can lead in a circle."""
    hand_in(tmp_path, "ada", cells())
    hand_in(tmp_path, "ada/.ipynb_checkpoints", cells())
    (tmp_path / "ada" / "circle").symlink_to(tmp_path, target_is_directory=True)
    assert [s.learner for s in find_submissions([tmp_path])] == ["ada"]
    twice = find_submissions([tmp_path, tmp_path / "ada" / NAME])
    assert len(twice) == 1


def test_paths_without_notebooks_are_refused(tmp_path):
    """Nothing handed in is not everything right."""
    with pytest.raises(SubmissionError, match="nothing at"):
        find_submissions([tmp_path / "missing"])
    with pytest.raises(SubmissionError, match="no notebook"):
        find_submissions([tmp_path])


def nest(folder, monkeypatch):
    """Make `folder`, nested deeper than Python calls itself."""
    monkeypatch.chdir(folder.parent)
    for _ in range(1100):
        os.mkdir(folder.name)
        os.chdir(folder.name)
    os.chdir(folder.parent)


def test_folders_of_every_kind_are_looked_through(tmp_path, monkeypatch):
    """One named like a notebook, one that cannot be read, one nested deeper than Python calls itself."""
    from helpers.course.grading.workspace import remove

    hand_in(tmp_path, "ada", cells(), NAME.upper())
    (tmp_path / "eve" / NAME).mkdir(parents=True)
    locked, iterdir = tmp_path / "locked", Path.iterdir
    locked.mkdir()

    def closed(path):
        if path == locked:
            raise PermissionError(13, "Permission denied")
        return iterdir(path)

    monkeypatch.setattr(Path, "iterdir", closed)
    nest(tmp_path / "deep", monkeypatch)
    try:
        found = {s.learner: s.problem for s in find_submissions([tmp_path])}
    finally:
        remove(tmp_path / "deep")
    assert not (tmp_path / "deep").exists()
    assert set(found) == {"ada", "eve", "locked"}
    assert found["ada"] == ""
    assert "a folder" in found["eve"]
    assert "denied" in found["locked"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in folders")
def test_what_is_no_plain_file_is_not_opened(tmp_path):
    """A named pipe would block for ever."""
    os.mkfifo(tmp_path / NAME)
    assert "not a plain file" in find_submissions([tmp_path])[0].problem


def test_a_huge_notebook_is_not_opened(tmp_path, monkeypatch):
    """The limit stands in the message."""
    path = hand_in(tmp_path, "ada", cells())
    monkeypatch.setattr("helpers.course.grading.submissions.MOST_BYTES", 100)
    assert "the limit is 100" in find_submissions([path])[0].problem


NAME_02 = "practice_02_cosine_similarity"


@pytest.mark.parametrize(
    ("stem", "learner"),
    [
        (f"ada_{NAME_02}", "ada"),
        (f"{NAME_02}_ada", "ada"),
        ("Practice_02_Cosine_Similarity_Ada", "Ada"),
        (f"ada_{NAME_02} (1)", "ada"),
        (f"Copy of ada_{NAME_02} (2)", "ada"),
        (f"Kopie von {NAME_02}_ada.ö", "ada.ö"),
        (f"{NAME_02}_ada - Copy (3)", "ada"),
        (f"{NAME_02}_ada-Copy1", "ada"),
        (f"{NAME_02}_ada copy 2", "ada"),
        (f"lovelaceada_123456_7890123_{NAME_02}-1", "lovelaceada_123456_7890123"),
        (f"{NAME_02} (1)", f"{NAME_02} (1)"),
        (f"Copy of {NAME_02}", f"Copy of {NAME_02}"),
        (f"{NAME_02}-1", f"{NAME_02}-1"),
    ],
)
def test_what_programs_add_to_a_file_s_name_is_no_learner(stem, learner, tmp_path):
    """Browsers, Colab, Canvas, Jupyter, file managers; where no name is left, the whole one stands."""
    path = hand_in(tmp_path, "", cells(), f"{stem}.ipynb")
    (found,) = find_submissions([path])
    assert (found.learner, found.exercises) == (learner, list(NUMBERS))


# The command, and its reports


def test_the_command_writes_both_reports_and_its_status_tells(tmp_path, capsys):
    """0 only when all pass."""
    hand_in(tmp_path / "in", "ada", cells(level=WRONG_LEVEL))
    files = tmp_path / "out" / "report.json", tmp_path / "out" / "report.html"
    given = [str(tmp_path / "in"), "--json", str(files[0]), "--html", str(files[1])]
    assert main(["check", *given]) == 1
    rows = json.loads(files[0].read_text())
    assert [set(row) for row in rows] == [
        {"notebook", "learner", "exercise", "level", "status", "message", "failing"}
        for _ in NUMBERS
    ]
    assert [row["exercise"] for row in rows] == list(NUMBERS)
    assert [row["level"] for row in rows] == [EXERCISES[number].level for number in NUMBERS]
    assert [row["status"] for row in rows] == ["not_attempted", "passed", "wrong", "not_attempted"]
    given = "vectors = [[2.0, 0.0], [0.0, 1.0], [3.0, 4.0]], percentile = 50"
    assert [row["failing"] for row in rows] == ["", "", given, ""]
    assert f">{given}</td>" in files[1].read_text()
    said = capsys.readouterr().out
    assert "1 of 4 right." in said
    assert "yours:    1.0" in said
    assert "ada" in files[1].read_text()


def test_the_command_passes_the_solutions(tmp_path):
    """Checked as a learner's, a solution is right, and the status is 0."""
    assert main(["check", str(ROOT / "solutions" / NAME)]) == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["nowhere"], "nothing at"), ([], "PATH"), (["x", "--seconds", "0"], "not above 0")],
    ids=["missing", "none", "no time"],
)
def test_the_command_says_what_it_needs(arguments, words, capsys, tmp_path, monkeypatch):
    """Status 2, and a sentence."""
    monkeypatch.chdir(tmp_path)
    try:
        status = main(["check", *arguments])
    except SystemExit as error:
        status = error.code
    assert status == 2
    assert words in capsys.readouterr().err


def test_a_report_that_cannot_be_written_is_refused_before_the_work(tmp_path, capsys, monkeypatch):
    """Not after an hour of it."""
    monkeypatch.setattr("helpers.course.grading.command.check_all", None)
    path = hand_in(tmp_path, "ada", cells())
    assert main(["check", str(path), "--json", str(tmp_path)]) == 2
    assert "it is a folder" in capsys.readouterr().err
    assert main(["check", str(path), "--html", str(path / "report.html")]) == 2
    assert "cannot write a report" in capsys.readouterr().err


def test_help_says_that_it_is_no_sandbox(capsys):
    """Plainly, and what to do about it; the README says so, too."""
    with pytest.raises(SystemExit):
        main(["check", "--help"])
    for text in (capsys.readouterr().out, (ROOT / "README.md").read_text()):
        assert "no sandbox" in text
        assert "container" in text


BAD = "<script>alert('x')</script>\x1b[31m"


@pytest.fixture
def verdicts():
    """Two learners and a stranger, who writes what should steer browser and terminal."""
    return [
        Verdict("ada/a.ipynb", "ada", "2.1", 1, "passed", "right"),
        Verdict("ada/a.ipynb", "ada", "2.2", 2, "not_attempted", "not attempted yet."),
        Verdict("eve/a.ipynb", BAD, "2.1", 1, "wrong", f"you return {BAD}"),
        Verdict(f"{BAD}.ipynb", "mallory\ud800", None, None, "crashed", "not a notebook"),
    ]


def test_reports_are_harmless(verdicts, tmp_path):
    """What a learner has written steers neither a browser nor a terminal."""
    page, table = report.as_html(verdicts), report.as_table(verdicts)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "\x1b" not in page + table
    report.write(tmp_path / "r.html", page)
    assert [row["status"] for row in json.loads(report.as_json(verdicts))] == [
        v.status for v in verdicts
    ]


def test_the_page_tells_by_learner_and_by_exercise(verdicts):
    """And loads nothing."""
    page = report.as_html(verdicts)
    assert "1 of 4 answers right" in page
    assert ">ada</td>" in page
    assert ">2.1</th>" in page
    assert EXERCISES["2.1"].title in page
    assert "http" not in page


def test_the_table_tells_by_learner_and_by_exercise(verdicts):
    """And lists what is not right."""
    table = report.as_table(verdicts)
    assert "2.1      1 of 2 right" in table
    assert "ada/a.ipynb, 2.2: not attempted" in table
    assert "no exercise: crashed" in table


def test_the_table_fits_a_narrow_terminal():
    """What is the same of several exercises is said once, and what is cut off ends in dots."""
    found = [
        Verdict("a.ipynb", "ada " * 20, number, 1, "wrong", "word " * 200) for number in EXERCISES
    ]
    lines = report.as_table(found[:12], width=80).split("\n")
    assert max(map(len, lines)) <= 80 or "a.ipynb" in max(lines, key=len)
    said = [line for line in lines if "word" in line]
    assert len(said) == 6
    assert said[-1].endswith("…")


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_right_and_wrong_look_different_on_every_console(encoding, verdicts):
    """Where the signs cannot be shown, letters stand for them; not a question mark for both."""
    found = [v for v in verdicts if v.learner == "ada"]
    table = report.as_table(found, encoding=encoding)
    table.encode(encoding)
    assert "+ right  x wrong" in table
    assert "✓ right  ✗ wrong" in report.as_table(found)


def test_two_notebooks_of_one_learner_both_stand_in_the_report():
    """None hides the other."""
    twice = [
        Verdict(f"ada/{n}.ipynb", "ada", "2.1", 1, status, "")
        for n, status in ((1, "passed"), (2, "wrong"))
    ]
    assert "ada (ada/2.ipynb)" in report.as_html(twice)


# What is noticed


def test_changes_to_the_course_are_noticed_and_undone(monkeypatch):
    """Names, classes, code, a library's function."""
    import helpers.checks.frame as course

    before = course.same, course.Answer.__call__, course.judge.__code__
    snapshot = Snapshot()
    assert snapshot.restore() == []
    course.same = None
    course.Answer.__call__ = None
    course.judge.__code__ = (lambda *things, **named: None).__code__
    changed = snapshot.restore()
    assert (course.same, course.Answer.__call__, course.judge.__code__) == before
    assert len(changed) >= 3


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "ended"])
def test_an_interrupted_run_leaves_nothing_but_a_report(how, tmp_path):
    """What was started ends; what was checked until then is reported, and how much that is."""
    mark, file = tmp_path / "started", tmp_path / "report.json"
    hand_in(tmp_path / "in", "ada", cells())
    endless = f"import os\nopen({str(mark)!r}, 'w').write(str(os.getpid()))\nwhile True: pass"
    hand_in(tmp_path / "in", "eve", cells(setup=endless))
    hand_in(tmp_path / "in", "zoe", cells())
    given = ["check", str(tmp_path / "in"), "--jobs", "1", "--json", str(file)]
    command = subprocess.Popen(
        [sys.executable, "-m", "helpers", *given],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    deadline = time.monotonic() + 60
    while not (mark.exists() and mark.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    child = psutil.Process(int(mark.read_text()))
    command.send_signal(how)
    _, said = command.communicate(timeout=60)
    gone, _ = psutil.wait_procs([child], timeout=10)
    assert gone
    assert command.returncode == 130
    assert "Interrupted: 1 of 3 notebooks" in said
    assert {Path(row["notebook"]).parent.name for row in json.loads(file.read_text())} == {"ada"}


def test_what_lies_beside_a_notebook_goes_with_it(tmp_path, monkeypatch):
    """A project's own texts; other notebooks and links do not, nor what is nested too deep to copy."""
    from helpers.course.grading.workspace import remove

    path = hand_in(
        tmp_path,
        "ada",
        cells(setup="import os; assert sorted(os.listdir()) == ['my_texts']\nos._exit(7)"),
    )
    (path.parent / "my_texts").mkdir()
    (path.parent / "my_texts" / "one.md").write_text("text")
    (path.parent / "other.ipynb").write_text("{}")
    (path.parent / "link").symlink_to(Path(ROOT))
    nest(path.parent / "deep", monkeypatch)
    try:
        verdict = check_all(find_submissions([path]), LIMITS)[0]
    finally:
        remove(path.parent / "deep")
    assert "exit code 7" in verdict.message  # so the cell came past its assertion
