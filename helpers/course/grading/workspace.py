"""The temporary folders of submissions: the course as it was, a cache, and what lies beside the notebook; and how all that
goes away again, whatever has become of it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from helpers.cache import cache_folder
from helpers.course.grading.submissions import Submission

#: What lies beside a notebook is copied for it, up to this size: a project's own texts.
MOST_BESIDE = 50_000_000
MOST_CACHE = 300_000_000


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
        """Return the names of the package's files, or of those of a copy in `home`, that are not what they were. They stay as
        they are: somebody may have edited them on purpose meanwhile."""

        def is_other(name: Path, content: bytes) -> bool:
            try:
                return ((home or self.home) / name).read_bytes() != content
            except OSError:
                return True

        return [f"helpers/{n.as_posix()}" for n, c in self.files.items() if is_other(n, c)]


def cache_to_share() -> dict[Path, bytes]:
    """Return the files of the course's cache, without the models (they are verified when loaded), to write for each submission:
    what one puts into its own is not what the next one finds."""
    original, files = cache_folder(), {}
    for folder in sorted(path for path in original.iterdir() if path.is_dir()):
        if folder.name != "models" and _size(folder) <= MOST_CACHE:
            for path in folder.rglob("*"):
                with suppress(OSError):
                    if path.is_file():
                        files[path.relative_to(original)] = path.read_bytes()
    return files


def private_cache(shared: dict[Path, bytes], private: Path) -> Path:
    """Return a submission's own cache, made of `shared` and of a link to the models."""
    if not private.exists():
        _write(shared, private)
        try:
            models = cache_folder("models").absolute()
            (private / "models").symlink_to(models, target_is_directory=True)
        except (
            OSError
        ):  # Windows, without the right to make links: the models cannot be shared alone
            shutil.rmtree(private)
            return cache_folder()
    return private


def _write(files: dict[Path, bytes], folder: Path) -> None:
    for path, content in ((folder / name, content) for name, content in files.items()):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def copy_beside(submission: Submission, folder: Path) -> None:
    """Copy what lies beside a notebook, other notebooks and links aside; a folder that cannot be read, as a whole, aside too."""
    folder.mkdir(parents=True)
    left = MOST_BESIDE
    with suppress(OSError):
        for path in sorted(submission.path.parent.iterdir()):
            copy = folder / path.name
            try:
                if path.name.startswith(".") or _is_left_out(path) or (size := _size(path)) > left:
                    continue
                if path.is_dir():
                    shutil.copytree(path, copy, ignore=_left_out)
                else:
                    shutil.copy2(path, copy)
                left -= size
            except (OSError, RecursionError):  # not to be read, or nested too deep
                remove(copy)


def put_beside(submission: Submission, copy: Path, work: Path) -> None:
    """Make the folder in which a notebook runs, with the copy of what lies beside it, or with what lies there now if another
    notebook has taken the copy away."""
    try:
        copy.rename(work)
    except OSError:
        copy_beside(submission, work)


def _left_out(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if _is_left_out(Path(folder, name))]


def _is_left_out(path: Path) -> bool:
    plain = path.is_dir() or (path.is_file() and path.suffix.lower() != ".ipynb")
    return path.is_symlink() or not plain


def _size(path: Path) -> int:
    total = 0
    for found in (path, *path.rglob("*")):
        with suppress(OSError):  # it may be gone meanwhile
            total += found.lstat().st_size
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
    """Remove `folder`, also when a submission has locked parts of it, or nested it deeper than `shutil.rmtree` can follow."""
    if os.name == "posix" and folder.exists():
        for command in (["chmod", "-R", "u+rwx"], ["rm", "-rf"]):
            subprocess.run([*command, "--", str(folder)], capture_output=True, check=False)
    with suppress(RecursionError):
        shutil.rmtree(folder, ignore_errors=True)
