"""The preflight table: a row for everything, and a remedy in each row that is not ok."""

import importlib.metadata
import os
import shutil
import sqlite3
import sys
from types import SimpleNamespace

import psutil
import pytest

from helpers import models
from helpers.course import preflight
from helpers.course.environment import COURSE_MODELS
from helpers.course.preflight import Check, memory_gb, required_range

WHATS = [
    "Python",
    *preflight.PACKAGES,
    *COURSE_MODELS,
    "processor cores",
    "memory",
    "free disk (cache)",
    "SQLite",
]


def row(what):
    """The row about `what` of a new table."""
    (found,) = (check for check in preflight.preflight() if check.what == what)
    return found


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Do not read the models' weights for every table; the tests of the command line do."""
    monkeypatch.setattr(models, "model_status", lambda card: ("ok", f"/models/{card.name}"))


def test_there_is_a_row_for_everything():
    """Python, packages, models and the machine, in this order."""
    rows = preflight.preflight()
    assert [check.what for check in rows] == WHATS
    assert all(check.found and check.verdict for check in rows)


def test_the_environment_that_runs_the_tests_is_ready():
    """Python, every package, models and SQLite; memory and disk are the machine's business."""
    assert [
        check for check in preflight.preflight() if not check.ok and check.what not in WHATS[-4:-1]
    ] == []


def test_a_row_is_ok_only_when_it_says_so():
    """Any other verdict is something to do."""
    assert Check("x", "1", "ok").ok
    assert not Check("x", "1", "okay").ok


@pytest.mark.parametrize("package", preflight.PACKAGES)
def test_every_package_has_a_tested_range(package):
    """It is read from what the course itself requires; the version here lies in it."""
    assert required_range(package)[0] in "<>="


def test_a_package_that_the_course_does_not_name_has_no_range():
    """Nor does one whose name only begins alike."""
    assert required_range("torch-geometric") is None
    assert required_range("no-such-package") is None


def test_an_old_python_is_named(monkeypatch):
    """With the command that uses another."""
    monkeypatch.setattr(preflight, "sys", SimpleNamespace(version_info=(3, 10, 4)))
    monkeypatch.setattr(preflight.platform, "python_version", lambda: "3.10.4")
    assert row("Python").found == "3.10.4"
    assert "make lab PYTHON=" in row("Python").verdict


def test_a_missing_package_comes_with_its_command(monkeypatch):
    """With the range that the course was tried with."""
    usual = importlib.metadata.version

    def version(name):
        if name == "faiss-cpu":
            raise importlib.metadata.PackageNotFoundError(name)
        return usual(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    check = row("faiss-cpu")
    assert (check.found, check.verdict) == (
        "missing",
        f'pip install "faiss-cpu{required_range("faiss-cpu")}"',
    )
    assert row("numpy").ok


@pytest.mark.parametrize(
    ("version", "ok"),
    [("1.14.9", False), ("1.16", False), ("2.0", False), ("1.15.2", True), ("1.15.2+local", True)],
)
def test_a_package_outside_the_tested_range_is_named(monkeypatch, version, ok):
    """Too old and too new; a local build label does not count."""
    usual = importlib.metadata.version
    monkeypatch.setattr(
        preflight,
        "required_range",
        lambda package: ">=1.15,<1.16" if package == "faiss-cpu" else None,
    )
    monkeypatch.setattr(
        importlib.metadata, "version", lambda name: version if name == "faiss-cpu" else usual(name)
    )
    check = row("faiss-cpu")
    assert (check.found, check.ok) == (version, ok)
    assert ok or check.verdict.endswith('pip install "faiss-cpu>=1.15,<1.16"')


@pytest.mark.parametrize(
    ("status", "found", "ok"),
    [
        ("ok", "present, checksum verified", True),
        ("missing", "missing", False),
        ("damaged", "damaged", False),
    ],
)
def test_what_is_said_of_a_model(monkeypatch, status, found, ok):
    """Where it is not present, there is a command."""
    monkeypatch.setattr(models, "model_status", lambda card: (status, "a remark"))
    check = row("all-mpnet-base-v2")
    assert (check.found, check.ok) == (found, ok)
    assert ok or check.verdict == "python -m helpers models fetch all-mpnet-base-v2"


@pytest.mark.parametrize(
    ("cores", "found", "ok"),
    [(1, "1", False), (2, "2", True), (64, "64", True), (None, "1", False)],
)
def test_processor_cores(monkeypatch, cores, found, ok):
    """The stated times are for two; unknown counts as one."""
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert (row("processor cores").found, row("processor cores").ok) == (found, ok)


@pytest.mark.parametrize(("gigabytes", "ok"), [(2, False), (4, True), (16, True)])
def test_memory(monkeypatch, gigabytes, ok):
    """Counted in 10**9 bytes."""
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=gigabytes * 10**9))
    assert memory_gb() == gigabytes
    assert (row("memory").found, row("memory").ok) == (f"{gigabytes} GB", ok)


def test_memory_that_cannot_be_told_is_no_obstacle(monkeypatch):
    """Without psutil the row says that it does not know."""
    monkeypatch.setitem(sys.modules, "psutil", None)
    assert memory_gb() is None
    assert row("memory") == Check("memory", "not known", "ok")


@pytest.mark.parametrize(("gigabytes", "ok"), [(1, False), (3, True)])
def test_free_disk_is_that_of_the_cache(monkeypatch, tmp_path, gigabytes, ok):
    """The folder that SEARCH_BY_MEANING_CACHE names, which the remedy names as well."""
    asked = []
    monkeypatch.setenv("SEARCH_BY_MEANING_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(
        shutil,
        "disk_usage",
        lambda folder: asked.append(folder) or SimpleNamespace(free=gigabytes * 10**9),
    )
    check = row("free disk (cache)")
    assert asked == [tmp_path / "cache"]
    assert (check.found, check.ok) == (f"{gigabytes} GB", ok)
    assert ok or "SEARCH_BY_MEANING_CACHE" in check.verdict


@pytest.mark.parametrize(
    ("version", "ok"), [("3.9.0", False), ("3.34.1", False), ("3.35.0", True), ("3.100.0", True)]
)
def test_sqlite(monkeypatch, version, ok):
    """Compared as numbers: 3.9 is older than 3.35, and 3.100 newer."""
    monkeypatch.setattr(sqlite3, "sqlite_version", version)
    assert (row("SQLite").found, row("SQLite").ok) == (version, ok)
