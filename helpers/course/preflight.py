"""Is this machine ready for the course? A table in which every row says ok, or what to do."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sqlite3
import sys
from dataclasses import dataclass

from helpers import OLDEST_PYTHON
from helpers.cache import cache_folder
from helpers.course.environment import COURSE_MODELS

PACKAGES = ("torch", "sentence-transformers", "faiss-cpu", "chromadb", "numpy", "scikit-learn")
PACKAGES += ("matplotlib", "pandas", "bm25s", "jupyterlab")
OLDEST_SQLITE = (3, 35)  # Chroma refuses older ones
MEMORY_GB, DISK_GB = 4, 2


@dataclass(frozen=True, slots=True)
class Check:
    """One row: what was looked at, what was found, and ``"ok"`` or what to do."""

    what: str
    found: str
    verdict: str

    @property
    def ok(self) -> bool:
        """Whether nothing needs doing."""
        return self.verdict == "ok"


def preflight() -> list[Check]:
    """Look at Python, packages, models, cores, memory, disk and SQLite; return a row for each."""
    rows = [_python(), *map(_package, PACKAGES), *map(_model, COURSE_MODELS)]
    return [*rows, _cores(), _memory(), _disk(), _sqlite()]


def _row(what: str, found: str, fine: bool, otherwise: str) -> Check:
    return Check(what, found, "ok" if fine else otherwise)


def _python() -> Check:
    how = "the course needs Python 3.11 or newer: make lab PYTHON=python3.12"
    return _row("Python", platform.python_version(), sys.version_info >= OLDEST_PYTHON, how)


def required_range(package: str) -> str | None:
    """Return the versions of `package` that the course was tried with, such as ``>=1.9,<1.10``; None if it names none."""
    from packaging.requirements import Requirement

    for line in importlib.metadata.requires("search-by-meaning") or ():
        requirement = Requirement(line)
        if requirement.name == package:
            return str(requirement.specifier)
    return None


def _package(name: str) -> Check:
    from packaging.specifiers import SpecifierSet

    try:
        found = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return Check(name, "missing", f'pip install "{name}{required_range(name) or ""}"')
    tested = required_range(name)
    fits = not tested or SpecifierSet(tested).contains(found.split("+")[0], prereleases=True)
    how = f'the course was tried with {tested}: pip install "{name}{tested}"'
    return _row(name, found, fits, how)


def _model(name: str) -> Check:
    from helpers.models import MODELS, model_status

    status, _ = model_status(MODELS[name])
    there = status == "ok"
    found = "present, checksum verified" if there else status
    return _row(name, found, there, f"python -m helpers models fetch {name}")


def _cores() -> Check:
    cores = os.cpu_count() or 1
    slow = "works, but expect about twice the times that are stated"
    return _row("processor cores", str(cores), cores >= 2, slow)


def _memory() -> Check:
    total = memory_gb()
    if total is None:
        return Check("memory", "not known", "ok")
    how = f"less than {MEMORY_GB} GB: close other programs, one notebook at a time"
    return _row("memory", f"{total:.0f} GB", total >= MEMORY_GB, how)


def memory_gb() -> float | None:
    """Return this machine's memory in GB (10**9 bytes); None where it cannot be told."""
    try:
        import psutil
    except ImportError:
        return None
    return psutil.virtual_memory().total / 1e9


def _disk() -> Check:
    free = shutil.disk_usage(cache_folder()).free / 1e9
    how = f"less than {DISK_GB} GB: make room or set SEARCH_BY_MEANING_CACHE"
    return _row("free disk (cache)", f"{free:.0f} GB", free >= DISK_GB, how)


def _sqlite() -> Check:
    found = sqlite3.sqlite_version
    new = tuple(map(int, found.split("."))) >= OLDEST_SQLITE
    return _row("SQLite", found, new, "too old for Chroma (lesson 05): use a newer Python")
