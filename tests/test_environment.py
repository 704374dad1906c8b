"""The set-up: when it builds, what it installs, what it says; and files that must agree with each other."""

import ast
import json
import os
import pkgutil
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

import helpers
from helpers.course import environment
from helpers.course.environment import (
    SetupError,
    brings_gpu_libraries,
    build,
    ensure,
    fingerprint,
    install_torch,
    is_current,
    torch_requirement,
    venv_python,
)

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT, ENVIRONMENT = (
    (ROOT / name).read_text(encoding="utf-8") for name in ("pyproject.toml", "environment.yml")
)
HEAVY = {"torch", "faiss", "chromadb", "matplotlib", "sentence_transformers"}
CPU_REPORT = {
    "install": [
        {
            "metadata": {
                "name": "torch",
                "requires_dist": ["filelock", "sympy>=1.13.3", "optree; extra == 'optree'"],
            }
        }
    ]
}
GPU_REPORT = {
    "install": [
        {"metadata": {"name": "filelock"}},
        {
            "metadata": {
                "name": "torch",
                "requires_dist": ["filelock", 'nvidia-cublas==13.1.0; platform_system == "Linux"'],
            }
        },
    ]
}


class Commands:
    """Stands for ``subprocess.run``: notes every command, answers with what `answer` gives for it, else with success."""

    def __init__(self, monkeypatch, answer=lambda command: 0):
        self.answer, self.run, self.said = answer, [], []
        monkeypatch.setattr(subprocess, "run", self)

    def __call__(self, command, **options):
        command = [str(part) for part in command]
        self.run.append(" ".join(command[1:]))
        given = self.answer(self.run[-1])
        code, output = given if isinstance(given, tuple) else (given, "")
        return subprocess.CompletedProcess(command, code, output, "what pip said")


@pytest.fixture
def project(tmp_path):
    """A folder with a copy of pyproject.toml and no environment."""
    (tmp_path / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    return tmp_path


@pytest.fixture
def built(project, monkeypatch):
    """A project with a real, empty environment and its stamp: only pip's steps are left out."""
    with monkeypatch.context() as patch:
        patch.setattr(subprocess, "run", only_venv(subprocess.run))
        build(project)
    return project


def only_venv(run, others=0):
    """Like `run`, but only the command that makes an environment is carried out; the others return or raise `others`."""

    def run_some(command, **options):
        if "venv" in command:
            return run([*command, "--without-pip"], **options)
        if isinstance(others, type):
            raise others
        return subprocess.CompletedProcess(command, others, json.dumps(CPU_REPORT), "")

    return run_some


# The Python that runs it


@pytest.mark.parametrize("module", ["__init__", "__main__"])
def test_an_old_python_can_read_what_tells_it_that_it_is_too_old(module):
    """Anything newer in these two would end in a SyntaxError instead of the message."""
    tree = ast.parse((ROOT / "helpers" / f"{module}.py").read_text(encoding="utf-8"))
    new = (
        ast.JoinedStr,
        ast.NamedExpr,
        ast.AnnAssign,
        ast.Match,
        ast.AsyncFunctionDef,
        ast.Starred,
    )
    assert [node.lineno for node in ast.walk(tree) if isinstance(node, new)] == []
    imported = [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
    assert "__future__" not in {node.module for node in imported}


def old_pythons():
    """Interpreters on this machine that are too old for the course."""
    beside = Path(sys.base_prefix).parent.glob("*/bin/python")
    found = [*beside, *map(shutil.which, ("python2", "python2.7", "python3.6", "python3.8"))]
    for python in sorted({str(path) for path in found if path}):
        asked = [python, "-c", "import sys; print(sys.version_info[:2] < (3, 11))"]
        done = subprocess.run(asked, capture_output=True, text=True)
        if done.stdout.strip() == "True":
            yield python


def test_an_old_python_says_in_one_line_what_it_needs():
    """What was found, what is needed, and the command to type; no traceback."""
    pythons = list(old_pythons())
    if not pythons:
        pytest.skip("no older Python is on this machine")
    for python in pythons:
        command = [python, "-B", "-m", "helpers", "lab"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
        (line,) = done.stderr.splitlines()
        assert done.returncode == 1
        assert re.match(r"This is Python \d\.\d+; the course needs 3\.11 or newer\.", line)
        assert "make lab PYTHON=python3." in line


def test_the_tested_pythons_are_those_of_pyproject():
    """One oldest version, wherever it is written; CI runs the oldest and the newest that were tried."""
    oldest, newest = helpers.OLDEST_PYTHON, environment.NEWEST_TESTED_PYTHON
    assert tomllib.loads(PYPROJECT)["project"]["requires-python"] == ">={}.{}".format(*oldest)
    workflow = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text(encoding="utf-8"))
    assert workflow["jobs"]["test"]["strategy"]["matrix"]["python"] == [
        f"3.{minor}" for minor in range(oldest[1], newest[1] + 1)
    ]


# When it builds


def test_the_fingerprint_is_the_same_for_the_same_inputs(project):
    """Else the environment would be built at every start."""
    assert fingerprint(project) == fingerprint(project)


@pytest.mark.parametrize("requirement", ["numpy", "ruff", "hatchling", "requires-python"])
def test_the_fingerprint_changes_with_what_is_required(project, requirement):
    """One changed bound is enough, of a dependency, a development tool, what builds the package, or Python."""
    before = fingerprint(project)
    require_other(project, requirement)
    assert fingerprint(project) != before


def require_other(project, requirement):
    """Change the bounds of `requirement` in the project's pyproject.toml."""
    changed = re.sub(rf'("?{requirement}(?: = ")?)[=><][^"]*"', r'\1>=0.1"', PYPROJECT)
    assert changed != PYPROJECT
    (project / "pyproject.toml").write_text(changed, encoding="utf-8")


def test_the_fingerprint_does_not_change_with_the_settings_of_tools(project):
    """What ruff and pytest are told changes nothing that is installed; nor does a comment."""
    before = fingerprint(project)
    changed = PYPROJECT.replace("line-length", "indent-width").replace("# ", "# new: ")
    (project / "pyproject.toml").write_text(changed, encoding="utf-8")
    assert changed != PYPROJECT
    assert fingerprint(project) == before


@pytest.mark.parametrize("version", [(3, 99, 0), (*sys.version_info[:2], 99)])
def test_the_fingerprint_changes_with_the_python(project, monkeypatch, version):
    """Another minor or patch release is another Python."""
    before = fingerprint(project)
    monkeypatch.setattr(
        environment, "sys", SimpleNamespace(version_info=version, platform=sys.platform)
    )
    assert fingerprint(project) != before


def test_the_fingerprint_changes_with_the_folder(project):
    """An environment that was moved or copied holds wrong paths."""
    (project / "copy").mkdir()
    shutil.copy(project / "pyproject.toml", project / "copy")
    assert fingerprint(project / "copy") != fingerprint(project)


def test_a_finished_build_is_current_and_used_again(built, monkeypatch):
    """The second start builds nothing; it only asks for the models."""
    assert is_current(built)
    commands = Commands(monkeypatch)
    assert ensure(built) == venv_python(built / ".venv")
    assert commands.run == [
        "-c ",
        *(f"-m helpers models fetch {name} --quiet" for name in environment.COURSE_MODELS),
        "-m helpers prepare",
    ]


def test_the_texts_are_encoded_once(built, monkeypatch):
    """Again when the texts, the packages or the cache are others; a failure stops nothing."""
    data = built / "helpers" / "data"
    data.mkdir(parents=True)
    (data / "articles.jsonl").write_text("one", encoding="utf-8")

    def prepares(status=0):
        commands = Commands(monkeypatch, lambda command: status if "prepare" in command else 0)
        ensure(built)
        return commands.run.count("-m helpers prepare")

    assert [prepares(status=1), prepares(), prepares()] == [1, 1, 0]
    (data / "articles.jsonl").write_text("two", encoding="utf-8")
    assert [prepares(), prepares()] == [1, 0]
    monkeypatch.setenv(environment.CACHE_VARIABLE, "elsewhere")
    assert [prepares(), prepares()] == [1, 0]


def test_the_caches_variable_has_one_name():
    """`environment` must not import what is not there yet."""
    from helpers.cache import VARIABLE

    assert environment.CACHE_VARIABLE == VARIABLE


def test_without_a_stamp_nothing_is_current(built):
    """An environment somebody else made, or one half-built."""
    (built / ".venv" / "built-from").unlink()
    assert not is_current(built)


def test_no_environment_is_not_current(project):
    """A fresh clone."""
    assert not is_current(project)


def test_with_another_stamp_it_is_not_current(built):
    """Built from other inputs."""
    require_other(built, "numpy")
    assert not is_current(built)


@pytest.mark.parametrize(
    "harm",
    [pytest.param("gone"), pytest.param("not a program"), *([] if os.name == "nt" else ["fails"])],
)
def test_a_broken_interpreter_is_not_current(built, harm):
    """The Python that the environment was made of may be removed or replaced; the stamp cannot know."""
    python = venv_python(built / ".venv")
    python.unlink()
    if harm == "not a program":
        python.write_bytes(b"\0")
        python.chmod(0o755)
    elif harm == "fails":
        python.symlink_to(shutil.which("false"))
    assert not is_current(built)


def test_a_missing_or_stale_environment_is_built(project, monkeypatch):
    """`ensure` builds first and fetches the models afterwards, with the new interpreter."""
    steps = []
    (project / ".venv").mkdir()
    monkeypatch.setattr(environment, "build", lambda root: steps.append("build"))
    monkeypatch.setattr(
        subprocess,
        "run",
        lambda command, **options: (
            steps.append(command[0]) or subprocess.CompletedProcess(command, 0)
        ),
    )
    ensure(project)
    assert steps == ["build", *[str(venv_python(project / ".venv"))] * 3]


def test_a_model_that_cannot_be_fetched_is_named(built, monkeypatch):
    """The message says which step failed."""
    Commands(monkeypatch, lambda command: 1 if "mpnet" in command else 0)
    with pytest.raises(SetupError, match="failed while fetching the model all-mpnet-base-v2"):
        ensure(built)


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, 1])
def test_an_interrupted_build_leaves_no_stamp(built, monkeypatch, interruption):
    """Neither the old one nor a new one: the next start begins again from nothing."""
    (built / ".venv" / "left-over").touch()
    monkeypatch.setattr(subprocess, "run", only_venv(subprocess.run, others=interruption))
    with pytest.raises((KeyboardInterrupt, SetupError)):
        build(built)
    assert not (built / ".venv" / "built-from").exists()
    assert not (built / ".venv" / "left-over").exists()
    monkeypatch.undo()
    assert not is_current(built)


def test_a_build_installs_torch_before_everything_else(project, monkeypatch):
    """Whatever asks for torch afterwards finds the CPU build there; the stamp is set last."""
    commands = Commands(monkeypatch, lambda command: (0, json.dumps(CPU_REPORT)))
    (project / ".venv").mkdir()
    build(project)
    steps = [
        next(
            word
            for word in ("--dry-run", "venv", "torch==", "--editable .[dev]")
            if word in command
        )
        for command in commands.run
    ]
    assert steps == ["venv", "--dry-run", "torch==", "--editable .[dev]"]
    assert (project / ".venv" / "built-from").read_text(encoding="utf-8") == fingerprint(project)


def test_jupyterlab_asks_the_network_for_nothing(built):
    """No question about news and no look for updates, as a setting of this environment only."""
    settings = built / ".venv" / "etc" / "jupyter" / "labconfig" / "page_config.json"
    disabled = json.loads(settings.read_text(encoding="utf-8"))["disabledExtensions"]
    assert disabled == {"@jupyterlab/apputils-extension:announcements": True}


def test_a_step_that_cannot_start_is_named(project, monkeypatch):
    """A Python without venv, or none at all, is a message too."""

    def fail(command, **options):
        raise FileNotFoundError(2, "No such file or directory", command[0])

    monkeypatch.setattr(subprocess, "run", fail)
    with pytest.raises(
        SetupError, match=r"failed while making the virtual environment.*No such file"
    ):
        build(project)


# Which torch


def test_the_requirement_on_torch_is_read_from_pyproject(project):
    """As it stands there, and with no other package whose name begins alike."""
    assert torch_requirement(project) in tomllib.loads(PYPROJECT)["project"]["dependencies"]
    (project / "pyproject.toml").write_text(
        '[project]\ndependencies = ["torchmetrics>=1", "torch==9.8.7"]', encoding="utf-8"
    )
    assert torch_requirement(project) == "torch==9.8.7"


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        (CPU_REPORT, False),
        (GPU_REPORT, True),
        ({"install": [{"metadata": {"name": "torch"}}]}, False),
    ],
)
def test_gpu_libraries_are_seen_in_pips_report(report, expected):
    """The default build for Linux needs packages of NVIDIA's; a CPU build does not."""
    assert brings_gpu_libraries(report) is expected


def installing_torch(monkeypatch, report, fails=()):
    """Return the commands that install torch, when pip reports `report` and the commands with a word in `fails` fail."""

    def answer(command):
        if "--report" in command:
            return 0, json.dumps(report)
        return int(any(word in command for word in fails))

    commands = Commands(monkeypatch, answer)
    install_torch(Path("python"), "torch==2.13.0")
    assert "--dry-run" in commands.run[0]
    return [
        command.replace("-m pip --disable-pip-version-check", "pip") for command in commands.run[1:]
    ]


def test_a_cpu_wheel_is_installed_by_pip(monkeypatch):
    """macOS, Windows, or a Linux whose index has the CPU build: uv is not needed."""
    assert installing_torch(monkeypatch, CPU_REPORT) == ["pip install torch==2.13.0"]


def test_instead_of_a_gpu_wheel_uv_installs_the_cpu_build(monkeypatch):
    """uv knows where torch's CPU builds are published; pip does not bring the default build."""
    uv = "-m uv pip install --python python --torch-backend cpu torch==2.13.0"
    assert installing_torch(monkeypatch, GPU_REPORT) == ["pip install uv", uv]


@pytest.mark.parametrize("fails", ["-m uv", pytest.param("install uv")])
def test_without_uv_the_default_build_is_taken(monkeypatch, fails, capsys):
    """Big, but right; and said."""
    assert (
        installing_torch(monkeypatch, GPU_REPORT, fails=[fails])[-1] == "pip install torch==2.13.0"
    )
    assert "taking the default build" in capsys.readouterr().err


def test_a_torch_that_is_not_to_be_had_is_named(monkeypatch):
    """With what pip said about it."""
    Commands(monkeypatch, lambda command: 1)
    with pytest.raises(SetupError, match=r"pip finds no torch==2\.13\.0(.|\n)*what pip said"):
        install_torch(Path("python"), "torch==2.13.0")


# Files that must agree


def versions(requirements):
    """The bounds of `requirements`, by name, several where they disagree; conda's pytorch-cpu is torch."""
    bounds = {}
    for requirement in map(Requirement, requirements):
        bounds.setdefault(requirement.name.lower().replace("pytorch-cpu", "torch"), set()).add(
            requirement.specifier
        )
    return bounds


def differences(pyproject, environment_yml):
    """What one of the two files says and the other does not, as text."""
    project = tomllib.loads(pyproject)["project"]
    conda = yaml.safe_load(environment_yml)["dependencies"]
    (pip,) = (entry["pip"] for entry in conda if isinstance(entry, dict))
    ours = versions(sum(project["optional-dependencies"].values(), project["dependencies"]))
    newest = f"<3.{environment.NEWEST_TESTED_PYTHON[1] + 1}"
    ours |= {
        "python": {SpecifierSet(project["requires-python"]) & SpecifierSet(newest)},
        "pip": {SpecifierSet()},
    }
    theirs = versions(
        [entry for entry in conda if isinstance(entry, str)]
        + [line for line in pip if line != "--editable ."]
    )
    names = sorted(ours.keys() | theirs)
    return [
        f"{name}: {ours.get(name)} / {theirs.get(name)}"
        for name in names
        if ours.get(name) != theirs.get(name)
    ]


def test_environment_yml_says_the_same_as_pyproject():
    """Names and bounds of everything, the development tools included, and the range of Python."""
    assert differences(PYPROJECT, ENVIRONMENT) == []
    conda = yaml.safe_load(ENVIRONMENT)
    assert conda["name"] == tomllib.loads(PYPROJECT)["project"]["name"]
    assert conda["dependencies"][-1]["pip"][-1] == "--editable ."


#: A line that holds a requirement, in either file; hatchling builds the package and is no dependency of the course.
REQUIREMENT = re.compile(r'( +- | +"|requires-python = )(?!hatchling).*[=><]=?\d')


def compared(changed, text):
    """The differences when the file `changed` reads `text`."""
    return differences(*((text, ENVIRONMENT) if changed == "pyproject.toml" else (PYPROJECT, text)))


@pytest.mark.parametrize(
    ("changed", "text"), [("pyproject.toml", PYPROJECT), ("environment.yml", ENVIRONMENT)]
)
def test_any_bound_that_differs_is_found(changed, text):
    """Each bound in turn is changed in one of the files; the comparison above must see it every time."""
    lines, count = text.splitlines(), 0
    for number, line in enumerate(lines):
        for bound in (
            re.finditer(r"[=><]=?[\d.]+", line.split("#")[0]) if REQUIREMENT.match(line) else ()
        ):
            other = line[: bound.end()] + "9" + line[bound.end() :]
            assert compared(changed, "\n".join([*lines[:number], other, *lines[number + 1 :]])), (
                other
            )
            count += 1
    assert count > 40


@pytest.mark.parametrize(
    ("changed", "text"), [("pyproject.toml", PYPROJECT), ("environment.yml", ENVIRONMENT)]
)
def test_any_package_that_is_in_one_file_only_is_found(changed, text):
    """Each package in turn is taken out of one of the files."""
    names = {
        re.search(r"[\w-]*\w", line.lstrip(' -"')).group()
        for line in text.splitlines()
        if REQUIREMENT.match(line)
    }
    names -= {"requires-python"}
    assert len(names) > 20
    for name in names:
        shorter = [
            line
            for line in text.splitlines()
            if not (REQUIREMENT.match(line) and re.match(rf'[ "-]+{name}[=><]', line))
        ]
        assert len(shorter) < len(text.splitlines())
        assert compared(changed, "\n".join(shorter)), name


# Importing, and what no file may say


def test_importing_helpers_loads_nothing_heavy():
    """Each public module can be imported without torch, FAISS, Chroma, matplotlib or sentence-transformers."""
    names = [
        "helpers",
        *(module.name for module in pkgutil.walk_packages(helpers.__path__, "helpers.")),
    ]
    assert {"helpers.models", "helpers.search", "helpers.plots", "helpers.data.archive"} <= set(
        names
    )
    code = (
        "import importlib, sys\n"
        f"for name in {names!r}:\n"
        "    importlib.import_module(name)\n"
        f"    print(name, sorted({HEAVY!r} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split("\n")[:-1] == [f"{name} []" for name in names]


def test_the_map_of_the_rooms_names_every_room():
    """In `helpers/README.md`, in the table of its kind."""
    text = (ROOT / "helpers" / "README.md").read_text(encoding="utf-8")
    lessons, course = text.split("## What runs the course")
    for table, folder in ((lessons, ROOT / "helpers"), (course, ROOT / "helpers" / "course")):
        rooms = [path.name for path in folder.glob("*.py") if not path.name.startswith("__")]
        rooms += [f"{path.parent.name}/" for path in folder.glob("*/__init__.py")]
        missing = [room for room in rooms if room != "course/" and f"`{room}`" not in table]
        assert missing == []


def test_no_file_names_a_package_registry():
    """The set-up uses pip's own configuration: no address of a registry stands in any file that git holds or would take."""
    if (
        not shutil.which("git")
        or subprocess.run(["git", "rev-parse"], cwd=ROOT, capture_output=True).returncode != 0
    ):
        pytest.skip("no git checkout: which files belong to the project cannot be told")
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout
    address = re.compile(
        rb"https?://[^\s/\"'<>)]*(?:py" + rb"pi|pythonhosted|npm" + rb"js|debian)", re.IGNORECASE
    )
    assert address.search(b"https:" + b"//files.py" + b"pi.example/simple")
    files = [ROOT / os.fsdecode(name) for name in listed.split(b"\0") if name]
    assert len(files) > 20
    found = {
        str(file.relative_to(ROOT)): address.findall(file.read_bytes())
        for file in files
        if file.is_file()
    }
    assert {name: hits for name, hits in found.items() if hits} == {}
