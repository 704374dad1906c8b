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

PACKAGES = (
    "torch",
    "sentence-transformers",
    "faiss-cpu",
    "chromadb",
    "numpy",
    "scikit-learn",
    "matplotlib",
    "pandas",
    "bm25s",
    "jupyterlab",
)
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
    return [
        _python(),
        *map(_package, PACKAGES),
        *_models(),
        _cores(),
        _memory(),
        _disk(),
        _sqlite(),
    ]


def _python() -> Check:
    verdict = (
        "ok"
        if sys.version_info >= OLDEST_PYTHON
        else "the course needs Python 3.11 or newer: make lab PYTHON=python3.12"
    )
    return Check("Python", platform.python_version(), verdict)


def required_range(package: str) -> str | None:
    """Return the versions of `package` that the course was tried with, such as ``>=1.9,<1.10``;
    None if it names none.
    """
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
    if tested and not SpecifierSet(tested).contains(found.split("+")[0], prereleases=True):
        return Check(
            name, found, f'the course was tried with {tested}: pip install "{name}{tested}"'
        )
    return Check(name, found, "ok")


def _models() -> list[Check]:
    from helpers.models import MODELS, model_status

    rows = []
    for name in COURSE_MODELS:
        status, _ = model_status(MODELS[name])
        if status == "ok":
            rows.append(Check(name, "present, checksum verified", "ok"))
        else:
            rows.append(Check(name, status, f"python -m helpers models fetch {name}"))
    return rows


def _cores() -> Check:
    cores = os.cpu_count() or 1
    return Check(
        "processor cores",
        str(cores),
        "ok" if cores >= 2 else "works, but expect about twice the times that are stated",
    )


def _memory() -> Check:
    total = memory_gb()
    if total is None:
        return Check("memory", "not known", "ok")
    return Check(
        "memory",
        f"{total:.0f} GB",
        "ok"
        if total >= MEMORY_GB
        else f"less than {MEMORY_GB} GB: close other programs, one notebook at a time",
    )


def memory_gb() -> float | None:
    """Return this machine's memory in GB (10**9 bytes); None where it cannot be told."""
    try:
        import psutil
    except ImportError:
        return None
    return psutil.virtual_memory().total / 1e9


def _disk() -> Check:
    free = shutil.disk_usage(cache_folder()).free / 1e9
    return Check(
        "free disk (cache)",
        f"{free:.0f} GB",
        "ok"
        if free >= DISK_GB
        else f"less than {DISK_GB} GB: make room or set SEARCH_BY_MEANING_CACHE",
    )


def _sqlite() -> Check:
    found = sqlite3.sqlite_version
    new_enough = tuple(map(int, found.split("."))) >= OLDEST_SQLITE
    return Check(
        "SQLite",
        found,
        "ok" if new_enough else "too old for Chroma (lesson 05): use a newer Python",
    )
