"""Runs submissions, each in its own process and temporary folder, and lets none do harm to the others.

A process that dies or does not come to an end is blamed on the cell or the exercise it was at; a fresh one does the rest
without it. Whatever a submission has started ends with it.
"""

from __future__ import annotations

import secrets
import threading
import time
import warnings
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from helpers.checks.frame import STATUSES
from helpers.course.grading import workspace
from helpers.course.grading.process import Process
from helpers.course.grading.submissions import Limits, Submission, Verdict
from helpers.course.grading.workspace import Course, temporary_folder


def check_all(
    submissions: Iterable[Submission],
    limits: Limits | None = None,
    *,
    jobs: int = 1,
    advance: Callable[[], object] = lambda: None,
) -> list[Verdict]:
    """Run and judge every one of `submissions`, `jobs` at a time, and return the verdicts in their order; `advance` is called
    after each. A notebook whose files were taken away or changed while others ran runs once more, alone: its verdict is its own.
    A RuntimeWarning says that files of the course have changed meanwhile, or how far it was when it was interrupted (Ctrl-C)."""
    submissions, limits = list(submissions), limits or Limits()
    course, halt = Course(), threading.Event()
    done: dict[int, list[Verdict]] = {}
    disturbed: set[int] = set()
    with temporary_folder() as store:
        cache = workspace.cache_to_share()
        copies = [store / str(number) for number in range(len(submissions))]
        for submission, copy in zip(submissions, copies, strict=True):  # before any can touch it
            workspace.copy_beside(submission, copy)

        def check(number: int) -> None:
            if halt.is_set():
                return
            submission = submissions[number]
            try:
                with temporary_folder() as folder:
                    workspace.put_beside(submission, copies[number], folder / "work")
                    run = Run(submission, folder, course, cache, limits, halt)
                    found, whole = run.verdicts(), not run.disturbed
            except Exception as error:  # ours, and never a reason to leave the others unchecked
                found, whole = (
                    submission.verdicts("crashed", f"it could not be run: {error}"),
                    False,
                )
            if halt.is_set():
                return
            if not whole:
                disturbed.add(number)
            first, done[number] = number not in done, found
            if first:
                advance()

        with ThreadPoolExecutor(max_workers=max(1, jobs)) as pool:
            try:
                list(pool.map(check, range(len(submissions))))
                for number in sorted(disturbed) if jobs > 1 else ():
                    pool.submit(check, number).result()  # alone: who did it, and who suffered it?
            except KeyboardInterrupt:  # what is running ends, what waits is not begun
                halt.set()
    if halt.is_set():
        what = f"Interrupted: {len(done)} of {len(submissions)} notebooks were checked"
        warnings.warn(f"{what}, and only these are reported.", RuntimeWarning, stacklevel=2)
    if changed := course.changed():
        more = f" and {len(changed) - 5} more" * (len(changed) > 5)
        warnings.warn(
            f"While notebooks were checked, these files of the course changed: {', '.join(changed[:5])}{more}. All verdicts come "
            "from the course as it was at the start. If it was not you who changed them, a notebook did: put them back before "
            "you use the course again (git checkout helpers).",
            RuntimeWarning,
            stacklevel=2,
        )
    return [verdict for number in sorted(done) for verdict in done[number]]


class Run:
    """One submission from start to end."""

    def __init__(
        self,
        submission: Submission,
        folder: Path,
        course: Course,
        cache: dict[Path, bytes],
        limits: Limits,
        halt: threading.Event,
    ) -> None:
        self.submission, self.folder, self.course, self.cache = submission, folder, course, cache
        self.limits, self.halt, self.token = limits, halt, secrets.token_hex(16)
        self.found: dict[str | None, tuple[str, ...]] = {}  # status, message, failing input
        self.errors: dict[int, str] = {}  # by place of the cell
        self.fatal: dict[int, tuple[str, str]] = {}
        self.changed: list[str] = []
        self.disturbed = False  # have its files been taken away, by itself or by another?
        self.out_of_time = f"the notebook was stopped after {limits.seconds:.0f} seconds."

    def verdicts(self) -> list[Verdict]:
        """Run the notebook as often as it needs, and return its verdicts."""
        submission = self.submission
        if submission.problem:
            return submission.verdicts("crashed", submission.problem)
        deadline, again = time.monotonic() + self.limits.seconds, True
        while again and not self.halt.is_set():
            left = [n for n in submission.exercises if n not in self.found and not self._fate(n)]
            seconds = deadline - time.monotonic()
            if seconds <= 0:
                self._blame(("start", None), ("timed_out", self.out_of_time), left)
                break
            again = self._attempt(left, seconds) and bool(left)
        return [self._final(number) for number in submission.exercises or [None]]

    def _fate(self, number: str | None) -> tuple[str, str] | None:
        """Return status and message of a cell that lets nobody past and belongs to exercise `number`, or to none."""
        cells = [c for c in self.submission.cells if number in c.exercises or not c.exercises]
        return next((self.fatal[c.place] for c in cells if c.place in self.fatal), None)

    def _final(self, number: str | None) -> Verdict:
        ended = ("crashed", "it ended without a verdict.")
        if number is None:
            ended = ("not_attempted", "none of the course's exercises is in this notebook.")
        found = self._fate(number) or self.found.get(number, ended)
        cells = [cell.place for cell in self.submission.cells if number in cell.exercises]
        errors = [self.errors[place] for place in cells if place in self.errors]
        if found[0] == "not_attempted" and errors:
            found = ("crashed", f"its cell does not run: {errors[0]}")
        status, message, *failing = found
        if self.changed and status != "passed":
            message += f" (The notebook changes the course: {', '.join(self.changed[:3])}.)"
        return self.submission.verdict(number, status, message, *failing)

    def _attempt(self, exercises: list[str], seconds: float) -> bool:
        """Run the notebook once, without the cells that were fatal before. Return whether another attempt is worth it."""
        process = Process(self, exercises, seconds)
        at: tuple[str, object] = ("start", None)
        end = ("crashed", "its process ended.")
        try:
            for event in process.events():
                if isinstance(event, tuple):
                    end = event
                    break
                at = self._take(event, at, event.get("secret") == process.secret)
                if at[0] == "end":
                    return False
        finally:
            process.stop()
            self.disturbed |= not process.is_furnished()
        return self._blame(at, end, exercises)

    def _take(self, event: dict, at: tuple, trusted: bool) -> tuple:
        number, place = event.get("number"), event.get("place")  # anything, if a notebook forged it
        cell, exercise = place in self.submission.code, number in self.submission.exercises
        if trusted and event.get("done") == "all":
            return ("end", None)
        if trusted and exercise and event.get("status") in STATUSES:
            self.found[number] = tuple(event[name] for name in ("status", "message", "failing"))
            return ("judged", number)
        if event.get("at") == "cell" and cell:
            return ("cell", place)
        if event.get("at") == "exercise" and exercise:
            changed = event.get("changed")
            self.changed += map(str, changed) if isinstance(changed, list) else []
            return ("exercise", number)
        if event.get("done") == "cell" and cell and event.get("error"):
            self.errors[place] = str(event["error"])
        return at

    def _blame(self, at: tuple, end: tuple[str, str], exercises: list[str]) -> bool:
        (kind, what), (status, why) = at, end
        if kind == "judged":  # a check ran out of time, and the process ended itself
            return True
        if kind == "exercise" and what in exercises:
            self.found[what] = (status, f"{why} It happened while the answer was checked.")
            return True
        if kind == "cell" and what not in self.fatal:
            count = 1 + sum(what > other for other in self.submission.code)
            self.fatal[what] = (status, f"{why} It happened in code cell {count}.")
            return True
        for number in exercises or ([] if self.submission.exercises else [None]):
            self.found[number] = (status, why)
        return False
