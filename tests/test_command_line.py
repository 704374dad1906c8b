"""The command line and what calls it: its commands, what it passes on, and that the Makefile and .ci/run ask for what exists."""

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.cache import cache_folder
from helpers.course import command_line, environment
from helpers.course.environment import SetupError
from helpers.models import MODELS

ROOT = Path(__file__).resolve().parent.parent
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
COMMANDS = ["setup", "lab", "test", "run", "lint", "exercises", "check", "bench"]
COMMANDS += ["preflight", "prepare", "recover", "models"]
#: Of an outer make, such as the one that runs these tests.
MAKE_VARIABLES = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "ARGS", "LAB", "PYTHON")
needs_make = pytest.mark.skipif(
    not shutil.which("make"), reason="there is no make here; Windows runs the commands themselves"
)


def helpers_says(*arguments, python=(sys.executable,), **variables):
    """Run ``python -m helpers`` with `arguments` and return its exit status, its output and its errors."""
    command = [*python, "-m", "helpers", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | variables, capture_output=True, text=True, timeout=120
    )
    return done.returncode, done.stdout, done.stderr


def make_says(*arguments):
    variables = {name: value for name, value in os.environ.items() if name not in MAKE_VARIABLES}
    done = subprocess.run(
        ["make", *arguments], cwd=ROOT, env=variables, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


@pytest.fixture
def started(monkeypatch):
    """The processes that a command starts in the environment, as pairs of arguments and what is new in their variables."""
    processes = []

    def run(command, *, cwd, env, check):
        assert command[0] == "the-python"
        assert (cwd, check) == (ROOT, False)
        processes.append((command[1:], dict(env.items() - os.environ.items())))
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(environment, "ensure", lambda: Path("the-python"))
    monkeypatch.setattr(subprocess, "run", run)
    return processes


# Commands that tell


def test_help_names_every_command():
    """Each with one line."""
    code, output, errors = helpers_says("--help")
    assert (code, errors) == (0, "")
    assert re.findall(r"^ {4}(\w+)\b", output, re.MULTILINE) == COMMANDS


def test_no_command_is_a_mistake_with_usage(capsys):
    """Exit status 2, as everywhere."""
    with pytest.raises(SystemExit, match="2"):
        command_line.main([])
    assert "usage: python -m helpers" in capsys.readouterr().err


def test_an_unknown_command_is_refused():
    """Exit status 2, the commands that exist, no traceback."""
    code, output, errors = helpers_says("fly")
    assert (code, output) == (2, "")
    assert "invalid choice: 'fly'" in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    "arguments",
    [
        ["setup", "now"],
        ["lint", "--hard"],
        ["preflight", "-v"],
        ["models", "steal", "it"],
        ["models", "fetch"],
    ],
)
def test_arguments_that_mean_nothing_are_refused(arguments, started, capsys):
    """A command that passes nothing on takes nothing more; nothing is started."""
    with pytest.raises(SystemExit, match="2"):
        command_line.main(arguments)
    assert "usage" in capsys.readouterr().err
    assert started == []


def test_models_lists_every_model_with_its_status():
    """One line a model; MiniLM, which these tests need, is there."""
    code, output, errors = helpers_says("models")
    assert (code, errors) == (0, "")
    heading, *rows = output.splitlines()
    assert heading.split() == ["model", "dimension", "tokens", "MB", "status"]
    assert [row.split()[0] for row in rows] == list(MODELS)
    assert re.match(r"all-MiniLM-L6-v2 +384 +256 +91 +ok +\S", rows[0])
    assert all(re.search(r" (ok|packed|missing|damaged)  ", row) for row in rows)


def test_fetching_a_model_that_is_here_says_where():
    """Exit status 0 and its folder; with --quiet not a word."""
    code, output, errors = helpers_says("models", "fetch", "all-MiniLM-L6-v2")
    assert (code, errors) == (0, "")
    assert output.startswith("all-MiniLM-L6-v2 is here and verified: ")
    assert (Path(output.split("verified: ")[1].strip()) / "model.safetensors").is_file()
    assert helpers_says("models", "fetch", "sentence-transformers/all-MiniLM-L6-v2", "--quiet") == (
        0,
        "",
        "",
    )


def test_an_unknown_model_is_one_clear_line(tmp_path):
    """Exit status 1; what was asked for, and what there is."""
    code, output, errors = helpers_says(
        "models", "fetch", "no-such-model", HF_HUB_OFFLINE="1", HF_HOME=str(tmp_path)
    )
    assert (code, output) == (1, "")
    assert len(errors.splitlines()) == 1
    assert "no-such-model" in errors
    assert "all-MiniLM-L6-v2" in errors


@pytest.mark.parametrize(
    "arguments", [["models"], ["models", "fetch", "all-mpnet-base-v2"], ["preflight"]]
)
def test_a_cache_that_cannot_be_made_is_said(tmp_path, arguments):
    """Exit status 1 and a message that names the variable; no traceback."""
    (tmp_path / "file").touch()
    code, output, errors = helpers_says(
        *arguments, SEARCH_BY_MEANING_CACHE=str(tmp_path / "file" / "cache")
    )
    assert code == 1
    assert "SEARCH_BY_MEANING_CACHE" in output + errors
    assert "Traceback" not in errors


@pytest.mark.parametrize("command", ["models", "preflight"])
def test_a_bare_python_can_ask_too(command):
    """``make models`` runs with the system's Python, which has no packages (here: -S hides them)."""
    _, output, errors = helpers_says(command, python=(sys.executable, "-S"))
    assert "Traceback" not in errors
    assert output or "make env" in errors


def test_preflight_prints_a_line_for_each_check():
    """The exit status says whether all are ok."""
    code, output, errors = helpers_says("preflight")
    assert errors == ""
    rows = output.splitlines()
    assert [row.split("  ")[0] for row in rows[:2]] == ["Python", "torch"]
    assert len(rows) > 15
    assert (code == 0) == all(row.endswith("  ok") for row in rows)


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "cp932"])
def test_no_console_or_pipe_is_too_poor_for_a_name(encoding, tmp_path):
    """What it cannot show is printed as its escape; a folder named 李明 stops nothing."""
    cache = tmp_path / "李明 Ωmega"
    cache.mkdir()
    (cache / "models").symlink_to(cache_folder("models"), target_is_directory=True)
    for arguments in (["models"], ["check", str(cache / "nothing.ipynb")]):
        command = [sys.executable, "-m", "helpers", *arguments]
        variables = {"PYTHONIOENCODING": encoding, "SEARCH_BY_MEANING_CACHE": str(cache)}
        done = subprocess.run(command, cwd=ROOT, env=os.environ | variables, capture_output=True)
        said = (done.stdout + done.stderr).decode(encoding)
        assert done.returncode == (0 if arguments == ["models"] else 2)
        assert "Traceback" not in said
        assert ("李明" if encoding == "cp932" else r"\u674e\u660e") in said


# Commands that run something in the environment


@pytest.mark.parametrize(("user", "allowed"), [(0, True), (1000, False)])
def test_lab_starts_for_the_user_of_a_container(user, allowed, started, monkeypatch):
    """Jupyter refuses to run as root unless it is told to; nobody else is."""
    monkeypatch.setattr("os.geteuid", lambda: user, raising=False)
    assert command_line.main(["lab"]) == 0
    assert ("--allow-root" in started[0][0]) == allowed


def test_lab_passes_its_options_on(started, monkeypatch):
    """Port, browser and whatever else JupyterLab knows; the first lesson is opened, and it exists."""
    monkeypatch.setattr("os.geteuid", lambda: 1000, raising=False)
    given = ["--no-browser", "--port", "8889", "--ServerApp.token="]
    assert command_line.main(["lab", *given]) == 0
    ((arguments, variables),) = started
    assert arguments[:3] == ["-m", "jupyter", "lab"]
    lesson = f"--LabApp.default_url=/lab/tree/{command_line.FIRST_LESSON}"
    assert arguments[3:] == [f"--ServerApp.root_dir={ROOT}", lesson, *given]
    assert variables == {}
    assert (ROOT / command_line.FIRST_LESSON).is_file()


def test_a_double_dash_is_not_passed_on(started):
    """``python -m helpers lab -- --port 1`` is what a careful shell user writes."""
    command_line.main(["lab", "--", "--port", "1"])
    assert started[0][0][-2:] == ["--port", "1"]
    assert "--" not in started[0][0]


def test_test_runs_all_tests_and_notebooks(started, monkeypatch):
    """Without bars and without a hub; what is tested is named only once."""
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    command_line.main(["test", "-k", "search and not slow", "-x"])
    ((arguments, variables),) = started
    assert arguments[:3] == ["-m", "pytest", "--nbval"]
    assert arguments[-7:-3] == ["tests", "notebooks", "exercises", "solutions"]
    assert arguments[-3:] == ["-k", "search and not slow", "-x"]
    assert variables == {"TQDM_DISABLE": "1", "HF_HUB_OFFLINE": "1", "OMP_WAIT_POLICY": "PASSIVE"}


def test_test_runs_only_what_is_named(started):
    """A path, also with the name of a test, stands for all."""
    command_line.main(["test", "tests/test_models.py::test_x", "-q"])
    assert started[0][0][-2:] == ["tests/test_models.py::test_x", "-q"]
    assert not {"tests", "notebooks"} & set(started[0][0])


def test_run_passes_notebooks_on(started):
    """One notebook, or all."""
    command_line.main(["run", "notebooks/00_start_here.ipynb"])
    command_line.main(["run"])
    assert [arguments for arguments, _ in started] == [
        ["-m", "helpers.course.notebooks", "notebooks/00_start_here.ipynb"],
        ["-m", "helpers.course.notebooks"],
    ]


def test_lint_looks_and_mends_only_when_told(started):
    """Rules and formatting both; without --fix no file is touched."""
    command_line.main(["lint"])
    assert [arguments[2:] for arguments, _ in started] == [
        ["check", "."],
        ["format", "--check", "."],
    ]
    started.clear()
    command_line.main(["lint", "--fix"])
    assert [arguments[2:] for arguments, _ in started] == [["check", "--fix", "."], ["format", "."]]


@pytest.mark.parametrize("command", ["lab", "test", "run", "exercises", "lint", "bench"])
def test_the_exit_status_is_passed_on(command, monkeypatch):
    """A failed test run must fail make."""
    monkeypatch.setattr(environment, "ensure", lambda: Path("the-python"))
    monkeypatch.setattr(
        subprocess, "run", lambda command, **options: subprocess.CompletedProcess(command, 5)
    )
    assert command_line.main([command]) == 5


@pytest.mark.parametrize("command", ["setup", "lab", "test", "run", "exercises", "lint", "bench"])
def test_a_set_up_that_fails_is_one_message(command, monkeypatch, capsys):
    """Exit status 1, the message on stderr, nothing started."""

    def fail():
        raise SetupError("pip could not")

    monkeypatch.setattr(environment, "ensure", fail)
    monkeypatch.setattr(
        subprocess, "run", lambda *arguments, **options: pytest.fail("something was started")
    )
    assert command_line.main([command]) == 1
    assert capsys.readouterr() == ("", "pip could not\n")


def test_an_interruption_is_no_traceback(monkeypatch):
    """Ctrl-C while pip works: the shell's usual exit status."""

    def interrupt():
        raise KeyboardInterrupt

    monkeypatch.setattr(environment, "ensure", interrupt)
    assert command_line.main(["setup"]) == 130


# What calls it


def targets():
    """The Makefile's targets, each with its explanation and its commands."""
    found = re.findall(
        r"^(\w[\w-]*):[^\n#]*(?:## *([^\n]*))?\n((?:\t[^\n]*\n?)*)", MAKEFILE, re.MULTILINE
    )
    return {name: (explanation, recipe) for name, explanation, recipe in found}


@needs_make
@pytest.mark.parametrize("arguments", [[], ["help"]])
def test_make_help_shows_every_target(arguments):
    """Every target has its line; ``make`` alone shows them too."""
    lines = make_says(*arguments)
    assert {line.split()[1]: line.split(maxsplit=2)[2] for line in lines} == {
        name: words for name, (words, _) in targets().items()
    }
    assert len(lines) == len(targets())


def test_every_target_is_explained_and_no_file():
    """A file called ``test`` in the folder must not keep make from testing."""
    assert {"help", "lab", "test", "run", "lint"} <= set(targets())
    assert all(words for words, _ in targets().values())
    assert set(re.search(r"^\.PHONY:(.*)", MAKEFILE, re.MULTILINE).group(1).split()) == set(
        targets()
    )


@pytest.mark.parametrize("target", sorted(set(targets()) - {"help", "clean"}))
def test_every_target_calls_a_command_that_exists(target):
    """The options too are ones that the parser knows."""
    recipe = targets()[target][1].replace("$(LAB)", "").replace("$(ARGS)", "")
    ((python, arguments),) = re.findall(r"@(\S+) -m helpers (.*)", recipe)
    assert python == "$(PYTHON)"
    arguments += " folder" if target == "check" else ""  # its ARGS are not optional
    options, extra = command_line._parser().parse_known_args(arguments.split())
    assert extra == []
    assert options.command in COMMANDS


def test_the_commands_tested_here_are_all_there_are():
    """A new command belongs into these tests, and `lab`, `test` and `run` are the ones that pass options on."""
    (commands,) = (
        action
        for action in command_line._parser()._actions
        if isinstance(action, argparse._SubParsersAction)
    )
    assert list(commands.choices) == COMMANDS
    assert [name for name in COMMANDS if commands.choices[name].get_default("takes_more")] == [
        "lab",
        "test",
        "run",
    ]


@needs_make
def test_make_passes_variables_on():
    """LAB and ARGS reach the command as they are written, and PYTHON chooses the interpreter (-n only prints)."""
    assert make_says("-n", "lab", "LAB=--no-browser --port 8889", "PYTHON=py") == [
        "py -m helpers lab --no-browser --port 8889"
    ]
    assert make_says("-n", "test", 'ARGS=-k "search or data"') == [
        'python3 -m helpers test -k "search or data"'
    ]


@pytest.mark.skipif(os.name == "nt", reason="the script is for the shell of CI")
@pytest.mark.parametrize("status", [0, 3])
def test_ci_runs_make_test(tmp_path, status):
    """Nothing else, from wherever it is called, and its exit status is make's."""
    make = tmp_path / "make"
    make.write_text(f'#!/bin/sh\necho "$PWD: make $*"\nexit {status}\n')
    make.chmod(0o755)
    variables = os.environ | {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", str(ROOT / ".ci" / "run")],
        cwd=tmp_path,
        env=variables,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (status, f"{ROOT}: make test\n", "")


def test_notebooks_can_be_tested_from_any_folder(pytestconfig):
    """``cd notebooks; pytest --nbval 02…``: what is sanitised is named by its place, not from where one stands."""
    file = Path(pytestconfig.option.nbval_sanitize_with)
    assert file.is_absolute()
    assert file.is_file()
    assert not re.search(
        r"addopts = .*=\S*/", (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    )
