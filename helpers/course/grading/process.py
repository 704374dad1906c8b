"""One process of a submission, its limits, and all that it starts.

A notebook can start processes that leave their parent, their session and their environment. They are found by the family tree (on
Linux orphans stay below the worker's guard), by what was seen of it while the notebook ran, and by a token in their environment.
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
from contextlib import suppress
from typing import TYPE_CHECKING

from helpers.cache import VARIABLE
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
    """One process of a submission, with all that it starts. It runs from the beginning; `stop` ends it."""

    def __init__(self, run: Run, exercises: list[str], seconds: float) -> None:
        self.run, self.limits = run, run.limits
        self.deadline = time.monotonic() + seconds
        self.secret = secrets.token_hex(
            16
        )  # what a notebook writes to every pipe it finds is no verdict
        self.printed, self.lines = 0, queue.Queue()
        self.seen: dict[int, object] = {}
        run.course.write(run.folder / "course")
        for name in FURNITURE:  # the first is gone if a notebook has removed it
            (run.folder / name).mkdir(parents=True, exist_ok=True)
        cells = [cell for cell in run.submission.cells if cell.place not in run.fatal]
        task = {
            "cells": [{"place": c.place, "source": c.source, "check": c.check} for c in cells],
            "exercises": exercises,
            "names": run.submission.names,
            "secret": self.secret,
        }
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "helpers.course.grading.worker"],
            cwd=run.folder / "work",
            env=self._environment(),
            **{"stdin": pipe, "stdout": pipe, "stderr": pipe, "start_new_session": True},
        )
        self.readers = []
        for stream, telling in ((self.process.stdout, True), (self.process.stderr, False)):
            reader = threading.Thread(target=self._read, args=(stream, telling), daemon=True)
            reader.start()
            self.readers.append((reader, stream))
        with suppress(OSError):  # it may be gone already
            self.process.stdin.write(json.dumps(task).encode("ascii") + b"\n")
            self.process.stdin.close()

    def is_furnished(self) -> bool:
        """Say whether the folders in which it ran and the course in them are there as they were."""
        folder = self.run.folder
        there = all((folder / name).is_dir() for name in FURNITURE)
        return there and not self.run.course.changed(folder / "course" / "helpers")

    def _environment(self) -> dict[str, str]:
        folder = self.run.folder
        return os.environ | {
            "PYTHONPATH": str(folder / "course"),
            "PYTHONDONTWRITEBYTECODE": "1",
            VARIABLE: str(private_cache(self.run.cache, folder / "cache")),
            "IPYTHONDIR": str(folder / "ipython"),
            **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder / "tmp")),
            "MPLBACKEND": "agg",
            "TQDM_DISABLE": "1",
            "HF_HUB_OFFLINE": "1",
            "ANONYMIZED_TELEMETRY": "False",
            TOKEN: self.run.token,
        }

    def _read(self, stream, telling: bool) -> None:
        """Count what comes, and keep the events in it; what is beyond the limit is thrown away."""
        rest = b""
        with suppress(OSError, ValueError):
            while piece := os.read(stream.fileno(), 65536):
                self.printed += len(piece)
                if telling and self.printed <= self.limits.output:
                    *lines, rest = (rest + piece).split(b"\n")
                    rest = rest[-MOST_LINE:]
                    for line in lines:
                        with suppress(ValueError, TypeError, RecursionError):
                            self.lines.put(dict(json.loads(line)))

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
            ended = self.process.poll() is not None
            if ended:  # what it wrote last; not for long, others may hold the pipe's end
                for reader, _ in self.readers:
                    reader.join(timeout=0.5)
                while not self.lines.empty():
                    yield self.lines.get()
            if why := self._why_it_ends(ended, step):
                yield why
                return

    def _why_it_ends(self, ended: bool, step_began: float) -> tuple[str, str] | None:
        if self.printed > self.limits.output:
            return "crashed", f"it prints more than {self.limits.output / 2**20:.0f} MB."
        if ended:
            code = self.process.returncode
            how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
            return "crashed", f"its process {how}."
        if self.run.halt.is_set():
            return "crashed", "the run was interrupted."
        memory, processes = self._usage()
        if memory > self.limits.memory:
            return "crashed", f"it uses more than {self.limits.memory / 2**30:.2g} GB of memory."
        if processes > MOST_PROCESSES:
            return "crashed", f"it starts more than {MOST_PROCESSES} processes."
        if time.monotonic() - step_began > self.limits.seconds / 2:
            return "timed_out", f"still running after {self.limits.seconds / 2:.0f} seconds."
        if time.monotonic() > self.deadline:
            return "timed_out", self.run.out_of_time
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
        if (
            memory > self.limits.memory
        ):  # what processes share counts once for each; is it still too much in parts?
            memory = _sum(alive, lambda p: getattr(f := p.memory_full_info(), "pss", f.uss))
        return memory, len(alive)

    def stop(self) -> None:
        """End the process and everything that it has started."""
        import psutil

        for _ in range(50):  # until none is left: one may start another while it is looked for
            self._usage()
            left = self._left()
            if not left:
                break
            for process in left:
                with suppress(psutil.Error):
                    process.kill()
            psutil.wait_procs(left, timeout=0.1)
        with suppress(OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait(timeout=10)
        for reader, stream in self.readers:
            reader.join(timeout=2)
            if not reader.is_alive():  # closed under a reader, its number could be another's next
                stream.close()

    def _left(self) -> list:
        """Return the living processes that were seen below this one or carry its token; not itself, for below it is found
        whatever has lost its parent."""
        import psutil

        left = []
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                ours = process.pid in self.seen and self.seen[process.pid] == process
                ours = ours or process.environ().get(TOKEN) == self.run.token
                living = process.status() != psutil.STATUS_ZOMBIE
                if ours and living and process.pid not in (os.getpid(), self.process.pid):
                    left.append(process)
        return left


def _sum(processes: list, measure: Callable) -> int:
    """Return the sum of `measure` over those of `processes` that are still there."""
    import psutil

    total = 0
    for process in processes:
        with suppress(psutil.Error):
            total += measure(process)
    return total
