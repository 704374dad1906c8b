"""Builds the course's environment, `.venv`, with nothing but Python's standard library: ``python -m helpers setup``.

The steps, each skipped when its result is there: a fresh ``.venv``; torch, as a CPU build, for the default build for Linux brings
gigabytes of GPU libraries that this course does not use; the project with everything it needs; both models, unpacked and
verified; the course's own texts, encoded with both.

A stamp in ``.venv`` remembers what it was built from. When what ``pyproject.toml`` requires or the Python changes, the
environment is built again from nothing; a build that was interrupted leaves no stamp, and the next one starts over.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
STAMP = VENV / "built-from"
NEWEST_TESTED_PYTHON = (3, 13)
CACHE_VARIABLE = "SEARCH_BY_MEANING_CACHE"  # as in helpers.cache, which this file cannot import
COURSE_MODELS = ("all-MiniLM-L6-v2", "all-mpnet-base-v2")


class SetupError(Exception):
    """The environment cannot be built. The message says what was found, what is needed and what to do."""


def venv_python(venv: Path = VENV) -> Path:
    """Return the interpreter inside the virtual environment `venv`."""
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def ensure(root: Path = ROOT) -> Path:
    """Build `.venv` and fetch the models where missing or stale; return the environment's interpreter. SetupError when a step
    fails; what pip or the model download printed stands above the message."""
    python = venv_python(root / ".venv")
    if not is_current(root):
        build(root)
    for name in COURSE_MODELS:
        fetch = [python, "-m", "helpers", "models", "fetch", name, "--quiet"]
        _run(fetch, root, f"fetching the model {name}")
    prepare(python, root)
    return python


def prepare(python: Path, root: Path = ROOT) -> None:
    """Encode the course's texts, unless a note in `.venv` says that it was done for these texts, these packages and this cache. A
    failure is no obstacle: lessons encode what they miss."""
    note = root / ".venv" / "prepared"
    texts = sorted((root / "helpers" / "data").glob("*.jsonl"))
    inputs = (fingerprint(root), os.environ.get(CACHE_VARIABLE), [t.read_bytes() for t in texts])
    wanted = hashlib.sha256(repr(inputs).encode()).hexdigest()
    if note.is_file() and note.read_text(encoding="utf-8") == wanted:
        return
    _say("Encoding the course's texts with both models (one to three minutes, once) ...")
    command = [str(python), "-m", "helpers", "prepare"]
    if subprocess.run(command, cwd=root, check=False).returncode == 0:
        note.write_text(wanted, encoding="utf-8")
    else:
        _say("That failed; the lessons encode what they need themselves.")


def is_current(root: Path = ROOT) -> bool:
    """Tell whether `root`'s `.venv` was built from the present inputs, by this Python, at this place, and starts."""
    stamp = root / ".venv" / STAMP.name
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != fingerprint(root):
        return False
    try:
        python = str(venv_python(root / ".venv"))
        return subprocess.run([python, "-c", ""], check=False).returncode == 0
    except OSError:  # the Python that it was made of is gone
        return False


def fingerprint(root: Path = ROOT) -> str:
    """Return a hash of all that a build depends on: what `pyproject.toml` wants installed, the Python, and the folder, for
    scripts in a virtual environment hold absolute paths."""
    declared = [_pyproject(root)[table] for table in ("project", "build-system")]
    inputs = (*declared, sys.version_info[:3], sys.platform, str(root))
    return hashlib.sha256(repr(inputs).encode()).hexdigest()


def _pyproject(root: Path) -> dict:
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


def build(root: Path = ROOT) -> None:
    """Make a fresh `.venv` in `root` and install torch (CPU) and the project, with its development tools, into it."""
    found = sys.version_info[:2]
    if found > NEWEST_TESTED_PYTHON:
        _say("Note: Python {}.{} is newer than any the course was tried on.".format(*found))
    venv = root / ".venv"
    python = venv_python(venv)
    _say("Building the environment in .venv (a few minutes, about 3 GB, once) ...")
    _run([sys.executable, "-m", "venv", "--clear", venv], root, "making the virtual environment")
    install_torch(python, torch_requirement(root), root)
    install = [*_pip(python), "install", "--editable", ".[dev]"]
    _run(install, root, "installing the course's packages")
    configure_jupyter(venv)
    (venv / STAMP.name).write_text(fingerprint(root), encoding="utf-8")


def configure_jupyter(venv: Path) -> None:
    """Switch off JupyterLab's question about news and its look for updates: the course asks the network for nothing."""
    settings = venv / "etc" / "jupyter" / "labconfig" / "page_config.json"
    settings.parent.mkdir(parents=True, exist_ok=True)
    off = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
    settings.write_text(json.dumps(off), encoding="utf-8")


def torch_requirement(root: Path = ROOT) -> str:
    """Return the requirement on torch as `pyproject.toml` words it, such as ``torch==2.13.0``."""
    return next(r for r in _pyproject(root)["project"]["dependencies"] if r.startswith("torch="))


def install_torch(python: Path, requirement: str, root: Path = ROOT) -> None:
    """Install `requirement` as a CPU build: by pip, where it would take one anyway (macOS, Windows, or a machine that is set up
    so); else by uv, which knows where torch's CPU builds are published. If that fails too, the default build: big, but right."""
    if not brings_gpu_libraries(pip_report(python, requirement, root)):
        _run([*_pip(python), "install", requirement], root, "installing torch")
        return
    _say("pip would install torch for NVIDIA GPUs (several GB). Asking uv for the CPU build ...")
    get_uv = [*_pip(python), "install", "uv"]
    uv = [python, "-m", "uv", "pip", "install", "--python", python]
    uv += ["--torch-backend", "cpu", requirement]
    runs = ([str(part) for part in command] for command in (get_uv, uv))
    if any(subprocess.run(command, cwd=root, check=False).returncode != 0 for command in runs):
        _say("The CPU build could not be had; taking the default build.")
        _run([*_pip(python), "install", requirement], root, "installing torch")


def pip_report(python: Path, requirement: str, root: Path = ROOT) -> dict:
    """Return pip's report on what it would install for `requirement` alone, without installing it."""
    options = ["--dry-run", "--ignore-installed", "--no-deps", "--quiet", "--report", "-"]
    command = [str(part) for part in (*_pip(python), "install", *options, requirement)]
    # Not in the console's encoding, which may lack a letter of a folder's name.
    reading = {"capture_output": True, "encoding": "utf-8", "errors": "replace", "check": False}
    done = subprocess.run(
        command, cwd=root, env=os.environ | {"PYTHONIOENCODING": "utf-8"}, **reading
    )
    if done.returncode != 0:
        raise SetupError(f"pip finds no {requirement} for this machine:\n{done.stderr.strip()}")
    return json.loads(done.stdout)


def brings_gpu_libraries(report: dict) -> bool:
    """Tell from pip's `report` whether an installation of torch would need NVIDIA's packages."""
    lists = (item["metadata"].get("requires_dist", []) for item in report["install"])
    return any(n.lower().startswith(("nvidia", "cuda")) for needs in lists for n in needs)


def _pip(python: Path) -> list:
    return [python, "-m", "pip", "--disable-pip-version-check"]


def _run(command: list, root: Path, what: str) -> None:
    """Run `command` in `root`; raise `SetupError` naming `what` when it fails."""
    try:
        code = subprocess.run([str(part) for part in command], cwd=root, check=False).returncode
    except OSError as error:
        raise SetupError(f"The set-up failed while {what}: {error}") from error
    if code != 0:
        how = "the lines above say why. Mend that and run the same command again."
        raise SetupError(f"The set-up failed while {what}; {how}")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
