"""Runs submissions, each in its own process and temporary folder, and lets none do harm to the
others.

A process that dies or does not come to an end is blamed on the cell or the exercise it was at; a
fresh one does the rest without it. Whatever a submission has started ends with it.
"""

from __future__ import annotations

import ctypes
import json
import os
import queue
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from helpers.cache import VARIABLE, cache_folder
from helpers.checks import EXERCISES
from helpers.checks.exercise import STATUSES
from helpers.course.grading.submissions import Submission

TOKEN = "SEARCH_BY_MEANING_SUBMISSION"
POLL_SECONDS = 0.05
MOST_PROCESSES = 64
#: What lies beside a notebook is copied for it, up to this size: a project's own texts.
MOST_BESIDE = 50_000_000
MOST_CACHE = 300_000_000
MOST_LINE = 100_000
MOST_SECONDS_TO_REMOVE = 60.0
#: Folders beside the copy of the course: where a notebook runs, and for what it writes elsewhere.
FURNITURE = ("work", "tmp", "ipython")


@dataclass(frozen=True)
class Limits:
    """What one notebook may use: seconds in all (a single cell or check half of them), memory of
    all its processes together in bytes, and bytes that it prints.
    """

    seconds: float = 120.0
    memory: int = 4 * 2**30
    output: int = 10 * 2**20


@dataclass(frozen=True)
class Verdict:
    """What became of one exercise of one notebook. `exercise` and `level` are None when the
    notebook cannot be told to belong to any.
    """

    notebook: str
    learner: str
    exercise: str | None
    level: int | None
    status: str
    message: str


def check_all(
    submissions: Iterable[Submission],
    limits: Limits | None = None,
    *,
    jobs: int = 1,
    advance: Callable[[], object] = lambda: None,
) -> list[Verdict]:
    """Run and judge every one of `submissions`, and return the verdicts in their order.

    Parameters
    ----------
    submissions : iterable of Submission
        As `find_submissions` returns them.
    limits : Limits
        For each of them.
    jobs : int
        How many run at a time. A notebook whose temporary files have been taken away or changed
        while others ran is run once more, alone: its verdict is its own.
    advance : callable
        Called after each, for a progress bar.

    Warns
    -----
    RuntimeWarning
        When it is interrupted (Ctrl-C): the verdicts are those of the notebooks checked until then.
        And when files of the course are others at the end than at the start.
    """
    submissions, limits = list(submissions), limits or Limits()
    course, halt = _Course(), threading.Event()
    done: dict[int, list[Verdict]] = {}
    disturbed: set[int] = set()
    with _temporary() as store, _adopting_orphans():
        cache = _cache_to_share()
        copies = [store / str(number) for number in range(len(submissions))]
        for submission, copy in zip(submissions, copies, strict=True):  # before any can touch it
            _copy_beside(submission, copy)

        def check(number: int) -> None:
            submission = submissions[number]
            if halt.is_set():
                return
            try:
                with _temporary() as folder:
                    _put_beside(submission, copies[number], folder / "work")
                    run = _Run(submission, folder, course, cache, limits, halt)
                    found = run.verdicts()
                    if run.disturbed:
                        disturbed.add(number)
            except Exception as error:  # ours, and never a reason to leave the others unchecked
                found = _all(submission, "crashed", f"it could not be run: {error}")
                disturbed.add(number)
            if not halt.is_set():
                done[number] = found

        def check_and_advance(number: int) -> None:
            check(number)
            if number in done:
                advance()

        numbers = range(len(submissions))
        with ThreadPoolExecutor(max_workers=max(1, jobs)) as pool:
            try:
                for waiting in [pool.submit(check_and_advance, number) for number in numbers]:
                    waiting.result()
                for number in sorted(disturbed) if jobs > 1 else ():
                    pool.submit(check, number).result()  # alone: who did it, and who suffered it?
            except KeyboardInterrupt:  # what is running ends, what waits is not begun
                halt.set()
                pool.shutdown()
    if halt.is_set():
        warnings.warn(
            f"Interrupted: {len(done)} of {len(submissions)} notebooks were checked, "
            "and only these are reported.",
            RuntimeWarning,
            stacklevel=2,
        )
    if changed := course.changed():
        more = f" and {len(changed) - 5} more" if len(changed) > 5 else ""
        warnings.warn(
            f"While notebooks were checked, these files of the course changed: "
            f"{', '.join(changed[:5])}{more}. "
            "All verdicts come from the course as it was at the start. If it was not you who changed "
            "them, a notebook did: put them back before you use the course again (git checkout helpers).",
            RuntimeWarning,
            stacklevel=2,
        )
    return [verdict for number in sorted(done) for verdict in done[number]]


def _all(submission: Submission, status: str, message: str) -> list[Verdict]:
    return [
        _verdict(submission, number, status, message) for number in submission.exercises or [None]
    ]


def _verdict(submission: Submission, number: str | None, status: str, message: str) -> Verdict:
    level = EXERCISES[number].level if number else None
    return Verdict(submission.name, submission.learner, number, level, status, message)


class _Run:
    """One submission from start to end."""

    def __init__(
        self,
        submission: Submission,
        folder: Path,
        course: _Course,
        cache: dict[Path, bytes],
        limits: Limits,
        halt: threading.Event,
    ) -> None:
        self.submission, self.folder, self.course, self.cache = submission, folder, course, cache
        self.limits, self.halt = limits, halt
        self.token = secrets.token_hex(16)
        self.found: dict[str, tuple[str, str]] = {}
        self.errors: dict[int, str] = {}  # by place of the cell
        self.fatal: dict[int, tuple[str, str]] = {}
        self.changed: list[str] = []
        self.disturbed = False  # have its files been taken away, by itself or by another?

    def verdicts(self) -> list[Verdict]:
        submission = self.submission
        if submission.problem:
            return _all(submission, "crashed", submission.problem)
        deadline = time.monotonic() + self.limits.seconds
        again = True
        while again and not self.halt.is_set():
            left = [n for n in submission.exercises if n not in self.found and not self._fate(n)]
            seconds = deadline - time.monotonic()
            if seconds <= 0:
                self._blame(("start", None), ("timed_out", self._out_of_time()), left)
                break
            again = self._attempt(left, seconds) and bool(left)
        return [self._final(number) for number in submission.exercises or [None]]

    def _fate(self, number: str | None) -> tuple[str, str] | None:
        """Return status and message of a cell that belongs to exercise `number`, or to none, and
        lets nobody past.
        """
        cells = [c for c in self.submission.cells if number in c.exercises or not c.exercises]
        return next((self.fatal[c.place] for c in cells if c.place in self.fatal), None)

    def _final(self, number: str | None) -> Verdict:
        status, message = self.found.get(number, ("crashed", "it ended without a verdict."))
        if number is None and number not in self.found:
            status, message = "not_attempted", "none of the course's exercises is in this notebook."
        errors = [
            self.errors[cell.place]
            for cell in self.submission.cells
            if number in cell.exercises and cell.place in self.errors
        ]
        fate = self._fate(number)
        if fate:
            status, message = fate
        elif status == "not_attempted" and errors:
            status, message = "crashed", f"its cell does not run: {errors[0]}"
        if self.changed and status != "passed":
            message += f" (The notebook changes the course: {', '.join(self.changed[:3])}.)"
        return _verdict(self.submission, number, status, message)

    def _out_of_time(self) -> str:
        return f"the notebook was stopped after {self.limits.seconds:.0f} seconds."

    def _attempt(self, exercises: list[str], seconds: float) -> bool:
        """Run the notebook once, without the cells that were fatal before. Return whether another
        attempt is worth it.
        """
        process = _Process(self, seconds)
        at: tuple[str, object] = ("start", None)
        end = ("crashed", "its process ended.")
        try:
            process.start(exercises)
            for event in process.events():
                if isinstance(event, tuple):
                    end = event
                    break
                at = self._take(event, at, process)
                if at[0] == "end":
                    return False
        finally:
            process.stop()
            self.disturbed |= not process.is_furnished()
        return self._blame(at, end, exercises)

    def _take(self, event: dict, at: tuple, process: _Process) -> tuple:
        if event.get("want") == "word":
            process.give_word()
            return at
        number, place = event.get("number"), event.get("place")  # anything, if a notebook forged it
        if process.is_word(event.get("word")):
            if event.get("done") == "all":
                return ("end", None)
            if number in self.submission.exercises and event.get("status") in STATUSES:
                self.found[number] = (event["status"], str(event.get("message")))
                return ("judged", number)
        if event.get("at") == "cell" and place in self.submission.code:
            return ("cell", place)
        if event.get("at") == "exercise" and number in self.submission.exercises:
            changed = event.get("changed")
            self.changed += map(str, changed) if isinstance(changed, list) else []
            return ("exercise", number)
        if event.get("done") == "cell" and place in self.submission.code and event.get("error"):
            self.errors[place] = str(event["error"])
        return at

    def _blame(self, at: tuple, end: tuple[str, str], exercises: list[str]) -> bool:
        kind, what = at
        status, why = end
        if kind == "judged":  # a check ran out of time, and the process ended itself
            return True
        if kind == "exercise" and what in exercises:
            self.found[what] = (status, f"{why} It happened while the answer was checked.")
            return True
        if kind == "cell" and what not in self.fatal:
            self.fatal[what] = (status, f"{why} It happened in code cell {self._count(what)}.")
            return True
        for number in exercises or ([] if self.submission.exercises else [None]):
            self.found[number] = (status, why)
        return False

    def _count(self, place: object) -> int:
        """Return the number of the code cell at `place`, counted from 1."""
        return 1 + sum(place > other for other in self.submission.code)


class _Process:
    """One process of a submission, with all that it starts."""

    def __init__(self, run: _Run, seconds: float) -> None:
        self.run, self.limits = run, run.limits
        self.deadline = time.monotonic() + seconds
        self.word = ""
        self.printed = 0
        self.lines: queue.Queue = queue.Queue()
        self.process: subprocess.Popen | None = None
        self.seen: dict[int, object] = {}
        self.readers: list[tuple] = []

    def start(self, exercises: list[str]) -> None:
        run = self.run
        course = run.folder / "course"
        run.course.write(course)
        for name in FURNITURE:  # the first is gone if a notebook has removed it
            (run.folder / name).mkdir(parents=True, exist_ok=True)
        cells = [cell for cell in run.submission.cells if cell.place not in run.fatal]
        task = {
            "cells": [
                {"place": cell.place, "source": cell.source, "check": cell.check} for cell in cells
            ],
            "exercises": exercises,
            "names": run.submission.names,
        }
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "helpers.course.grading.worker"],
            cwd=run.folder / "work",
            env=self._environment(course),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        for stream, take in ((self.process.stdout, self._take_events), (self.process.stderr, None)):
            reader = threading.Thread(target=self._read, args=(stream, take), daemon=True)
            reader.start()
            self.readers.append((reader, stream))
        self._send(json.dumps(task))

    def is_furnished(self) -> bool:
        """Say whether the folders in which it ran and the course in them are there as they were."""
        folder = self.run.folder
        return all((folder / name).is_dir() for name in FURNITURE) and not (
            self.run.course.changed(folder / "course" / "helpers")
        )

    def _environment(self, course: Path) -> dict[str, str]:
        folder = self.run.folder
        temporary = str(folder / "tmp")
        return os.environ | {
            "PYTHONPATH": str(course),
            "PYTHONDONTWRITEBYTECODE": "1",
            VARIABLE: str(_private_cache(self.run.cache, folder / "cache")),
            "IPYTHONDIR": str(folder / "ipython"),
            "TMPDIR": temporary,
            "TEMP": temporary,
            "TMP": temporary,
            "MPLBACKEND": "agg",
            "TQDM_DISABLE": "1",
            "HF_HUB_OFFLINE": "1",
            "ANONYMIZED_TELEMETRY": "False",
            TOKEN: self.run.token,
        }

    def _send(self, line: str) -> None:
        with suppress(OSError, ValueError):  # it may be gone already
            self.process.stdin.write(line.encode("ascii") + b"\n")
            self.process.stdin.flush()

    def give_word(self) -> None:
        """Tell the word that the next verdict must carry, if the last one has been used: who asks
        and does not read would block us in the end.
        """
        if not self.word:
            self.word = secrets.token_hex(16)
            self._send(self.word)

    def is_word(self, word: object) -> bool:
        """Say whether `word` is the one that was given last; it is good for one time."""
        if not self.word or word != self.word:
            return False
        self.word = ""
        return True

    def _read(self, stream, take) -> None:
        """Count what comes, and pass it on to `take`; what is beyond the limit is thrown away."""
        with suppress(OSError, ValueError):
            while piece := os.read(stream.fileno(), 65536):
                self.printed += len(piece)
                if take and self.printed <= self.limits.output:
                    take(piece)

    _rest = b""

    def _take_events(self, piece: bytes) -> None:
        *lines, self._rest = (self._rest + piece).split(b"\n")
        self._rest = self._rest[-MOST_LINE:]
        for line in lines:
            with suppress(ValueError, RecursionError):
                event = json.loads(line)
                if isinstance(event, dict):
                    self.lines.put(event)

    def events(self) -> Iterator[dict | tuple[str, str]]:
        """Yield what the process tells; at last, why it ended, as status and message."""
        step = float("inf")  # until it has started; that takes as long as it takes
        looked = time.monotonic()
        while True:
            with suppress(queue.Empty):
                event = self.lines.get(timeout=POLL_SECONDS)
                step = time.monotonic()
                yield event
                if step - looked < POLL_SECONDS:
                    continue  # no matter how much it tells, its limits hold
            looked = time.monotonic()
            if self.process.poll() is not None:
                self._drain()
                while not self.lines.empty():
                    yield self.lines.get()
                yield self._why_it_ended()
                return
            over = self._over_a_limit(step)
            if over:
                yield over
                return

    def _drain(self) -> None:
        """Wait for what the process wrote last; not for long, others may hold the pipe's end."""
        for reader, _ in self.readers:
            reader.join(timeout=0.5)

    def _why_it_ended(self) -> tuple[str, str]:
        code = self.process.returncode
        if self.printed > self.limits.output:
            return self._too_much_output()
        if code < 0:
            return "crashed", f"its process was killed by signal {-code}."
        return "crashed", f"its process ended with exit code {code}."

    def _too_much_output(self) -> tuple[str, str]:
        return "crashed", f"it prints more than {self.limits.output / 2**20:.0f} MB."

    def _over_a_limit(self, step_began: float) -> tuple[str, str] | None:
        if self.run.halt.is_set():
            return "crashed", "the run was interrupted."
        if self.printed > self.limits.output:
            return self._too_much_output()
        memory, processes = self._usage()
        if memory > self.limits.memory:
            return "crashed", f"it uses more than {self.limits.memory / 2**30:.2g} GB of memory."
        if processes > MOST_PROCESSES:
            return "crashed", f"it starts more than {MOST_PROCESSES} processes."
        allowed = self.limits.seconds / 2
        if time.monotonic() - step_began > allowed:
            return "timed_out", f"still running after {allowed:.0f} seconds."
        if time.monotonic() > self.deadline:
            return "timed_out", self.run._out_of_time()
        return None

    def _usage(self) -> tuple[int, int]:
        """Return the memory in bytes and the number of all its processes, and remember them."""
        import psutil

        alive = []
        with suppress(psutil.Error):
            own = psutil.Process(self.process.pid)
            alive = [own, *own.children(recursive=True)]
        self.seen |= {process.pid: process for process in alive}
        memory = _sum(alive, lambda process: process.memory_info().rss)
        if memory > self.limits.memory:  # which counts what processes share once for each
            memory = _sum(alive, lambda process: _own_share(process.memory_full_info()))
        return memory, len(alive)

    def stop(self) -> None:
        """End the process and everything that it has started."""
        if self.process is None:
            return
        for _ in range(50):  # until none is left: one may start another while it is looked for
            self._usage()
            left = self._left()
            for process in left:
                with suppress(Exception):
                    process.kill()
            if not left:
                break
            time.sleep(0.02)
        with suppress(OSError, AttributeError):
            os.killpg(self.process.pid, 9)
        with suppress(Exception):
            self.process.kill()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=10)
        with suppress(OSError):
            self.process.stdin.close()
        for reader, stream in self.readers:
            reader.join(timeout=2)
            if not reader.is_alive():  # closed under a reader, its number could be another's next
                stream.close()

    def _left(self) -> list:
        """Return the living processes that were seen below this one or carry its token; but not itself,
        below which whatever has lost its parent can be found.
        """
        import psutil

        left = []
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                if process.pid in (os.getpid(), self.process.pid):
                    continue
                if process.status() == psutil.STATUS_ZOMBIE:
                    continue
                ours = process.pid in self.seen and self.seen[process.pid] == process
                if ours or process.environ().get(TOKEN) == self.run.token:
                    left.append(process)
        return left


def _own_share(memory) -> int:
    """Return what a process uses, its share of what several use included where that is known."""
    return getattr(memory, "pss", memory.uss)


def _sum(processes: list, measure: Callable) -> int:
    """Return the sum of `measure` over those of `processes` that are still there."""
    import psutil

    total = 0
    for process in processes:
        with suppress(psutil.Error):
            total += measure(process)
    return total


class _Course:
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
        _remove(folder)
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


def _cache_to_share() -> dict[Path, bytes]:
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


def _private_cache(shared: dict[Path, bytes], private: Path) -> Path:
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


def _copy_beside(submission: Submission, folder: Path) -> None:
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
                _remove(folder / path.name)


def _put_beside(submission: Submission, copy: Path, work: Path) -> None:
    """Make the folder in which a notebook runs, with the copy of what lies beside it, or with what
    lies there now if another notebook has taken the copy away.
    """
    try:
        copy.rename(work)
    except OSError:
        _copy_beside(submission, work)


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
def _temporary() -> Iterator[Path]:
    """Give a new temporary folder, and remove it in the end, whatever has become of it."""
    folder = Path(tempfile.mkdtemp(prefix="check-"))
    try:
        yield folder
    finally:
        _remove(folder)


def _remove(folder: Path) -> None:
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


@contextmanager
def _adopting_orphans() -> Iterator[None]:
    """On Linux, let processes whose parent has died become children of this one instead of the
    system's, and end those that are left at the end.
    """
    if not sys.platform.startswith("linux"):
        yield
        return
    import psutil

    subreaper = 36  # PR_SET_CHILD_SUBREAPER of prctl(2)
    before = {child.pid for child in psutil.Process().children()}
    libc = ctypes.CDLL(None)
    libc.prctl(subreaper, 1, 0, 0, 0)
    try:
        yield
    finally:
        for _ in range(50):  # until none is left: one may start another while it is looked for
            found = psutil.Process().children(recursive=True)
            left = [child for child in found if child.pid not in before]
            for child in left:
                with suppress(psutil.Error):
                    child.kill()
                with suppress(psutil.Error):
                    child.wait(timeout=5)
            if not left:
                break
        libc.prctl(subreaper, 0, 0, 0, 0)
