"""One process of a submission, its limits, and all that it starts.

A notebook can start processes that leave their parent, their session and their environment. They
are found by three marks: the family tree (on Linux orphans stay below the worker's guard, or below
this process), what was seen of it while it ran, and a token in their environment.
"""

from __future__ import annotations

import json
import os
import queue
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.cache import VARIABLE
from helpers.course.grading.worker import adopt_orphans, end_children
from helpers.course.grading.workspace import private_cache

if TYPE_CHECKING:
    from helpers.course.grading.supervisor import Run

TOKEN = "SEARCH_BY_MEANING_SUBMISSION"
POLL_SECONDS = 0.05
MOST_PROCESSES = 64
MOST_LINE = 100_000
#: Folders beside the copy of the course: where a notebook runs, and for what it writes elsewhere.
FURNITURE = ("work", "tmp", "ipython")


class Process:
    """One process of a submission, with all that it starts."""

    def __init__(self, run: Run, seconds: float) -> None:
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
            VARIABLE: str(private_cache(self.run.cache, folder / "cache")),
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
            return "timed_out", self.run.out_of_time()
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


@contextmanager
def adopting_orphans() -> Iterator[None]:
    """On Linux, let processes whose parent has died become children of this one instead of the
    system's, and end those that are left at the end.
    """
    import psutil

    before = {child.pid for child in psutil.Process().children()}
    adopt_orphans()
    try:
        yield
    finally:
        if sys.platform.startswith("linux"):
            end_children(besides=before)
        adopt_orphans(False)
