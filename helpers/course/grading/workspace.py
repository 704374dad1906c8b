"""The temporary folders of submissions: the course as it was, a cache, and what lies beside the
notebook; and how all that goes away again, whatever has become of it.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from helpers.cache import cache_folder
from helpers.course.grading.submissions import Submission

#: What lies beside a notebook is copied for it, up to this size: a project's own texts.
MOST_BESIDE = 50_000_000
MOST_CACHE = 300_000_000
MOST_SECONDS_TO_REMOVE = 60.0


class Course:
    """The course's package as it was at the start, in memory: no submission can change that."""

    def __init__(self) -> None:
        self.home = Path(__file__).resolve().parents[2]  # the whole package
        self.files = {
            path.relative_to(self.home): path.read_bytes()
            for path in sorted(self.home.rglob("*"))
            if path.is_file() and "__pycache__" not in path.parts
        }

    def write(self, folder: Path) -> None:
        """Put a fresh copy of the package into `folder`."""
        remove(folder)
        _write(self.files, folder / "helpers")

    def changed(self, home: Path | None = None) -> list[str]:
        """Return the names of the package's files, or of those of a copy in `home`, that are not what
        they were. They are left as they are: somebody may have edited them on purpose meanwhile.
        """
        names = []
        for name, content in self.files.items():
            try:
                intact = ((home or self.home) / name).read_bytes() == content
            except OSError:
                intact = False
            if not intact:
                names.append(f"helpers/{name.as_posix()}")
        return names


def cache_to_share() -> dict[Path, bytes]:
    """Return the files of the course's cache, without the models (they are verified when loaded), to
    write for each submission: what one puts into its own is not what the next one finds.
    """
    original, files = cache_folder(), {}
    for folder in sorted(original.iterdir()):
        if folder.name == "models" or not folder.is_dir() or _size(folder) > MOST_CACHE:
            continue
        for path in folder.rglob("*"):
            with suppress(OSError):
                if path.is_file():
                    files[path.relative_to(original)] = path.read_bytes()
    return files


def private_cache(shared: dict[Path, bytes], private: Path) -> Path:
    if private.exists():
        return private
    _write(shared, private)
    try:
        (private / "models").symlink_to(cache_folder("models").absolute(), target_is_directory=True)
    except OSError:  # Windows, without the right to make links: the models cannot be shared alone
        shutil.rmtree(private)
        return cache_folder()
    return private


def _write(files: dict[Path, bytes], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def copy_beside(submission: Submission, folder: Path) -> None:
    """Copy what lies beside a notebook, other notebooks and links aside."""
    folder.mkdir(parents=True)
    beside = submission.path.parent
    left = MOST_BESIDE
    with suppress(OSError):
        for path in sorted(beside.iterdir()):
            try:
                if (
                    path.suffix.lower() == ".ipynb"
                    or path.name.startswith(".")
                    or path.is_symlink()
                ):
                    continue
                size = _size(path)
                if size > left:
                    continue
                left -= size
                if path.is_dir():
                    shutil.copytree(path, folder / path.name, ignore=_links)
                elif path.is_file():
                    shutil.copy2(path, folder / path.name)
            except (
                OSError,
                RecursionError,
            ):  # not to be read, or nested too deep: all of it or nothing
                remove(folder / path.name)


def put_beside(submission: Submission, copy: Path, work: Path) -> None:
    """Make the folder in which a notebook runs, with the copy of what lies beside it, or with what
    lies there now if another notebook has taken the copy away.
    """
    try:
        copy.rename(work)
    except OSError:
        copy_beside(submission, work)


def _links(folder: str, names: list[str]) -> list[str]:
    """Name what a copy leaves out: links, and whatever is neither file nor folder."""
    paths = [(name, Path(folder, name)) for name in names]
    return [
        name
        for name, path in paths
        if path.is_symlink()
        or not (path.is_file() or path.is_dir())
        or path.suffix.lower() == ".ipynb"
    ]


def _size(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    total = 0
    for found in path.rglob("*"):
        with suppress(OSError):
            total += found.lstat().st_size
        if total > MOST_CACHE:
            break
    return total


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Give a new temporary folder, and remove it in the end, whatever has become of it."""
    folder = Path(tempfile.mkdtemp(prefix="check-"))
    try:
        yield folder
    finally:
        remove(folder)


def remove(folder: Path) -> None:
    """Remove `folder`, also when a submission has locked parts of it, or nested it deeper than
    `shutil.rmtree` can follow: what lies in a folder is moved up before that is removed.
    """
    until = time.monotonic() + MOST_SECONDS_TO_REMOVE
    before: set[str] = set()
    with suppress(OSError):
        folder.chmod(0o700)
        while time.monotonic() < until:
            inside = list(os.scandir(folder))
            names = {entry.name for entry in inside}
            if names == before:  # none, or none that can be removed
                break
            before = names
            for entry in inside:
                with suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        _move_up(entry.path, folder)
                        os.rmdir(entry.path)
                    else:
                        os.unlink(entry.path)
    with suppress(RecursionError):
        shutil.rmtree(folder, ignore_errors=True)


def _move_up(inside: str, folder: Path) -> None:
    """Move what lies in `inside` to `folder`, under other names."""
    os.chmod(inside, 0o700)
    for entry in list(os.scandir(inside)):
        with suppress(OSError):
            if entry.is_dir(follow_symlinks=False):
                os.chmod(entry.path, 0o700)  # or it could not be moved
            os.rename(entry.path, folder / secrets.token_hex(8))
