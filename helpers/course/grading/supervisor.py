"""Runs submissions, each in its own process and temporary folder, and lets none do harm to the
others.

A process that dies or does not come to an end is blamed on the cell or the exercise it was at; a
fresh one does the rest without it. Whatever a submission has started ends with it.
"""

from __future__ import annotations

import secrets
import threading
import time
import warnings
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from helpers.checks.exercise import STATUSES
from helpers.course.grading.process import Process, adopting_orphans
from helpers.course.grading.submissions import Submission
from helpers.course.grading.verdict import Limits, Verdict, all_of, verdict_of
from helpers.course.grading.workspace import (
    Course,
    cache_to_share,
    copy_beside,
    put_beside,
    temporary_folder,
)


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
    course, halt = Course(), threading.Event()
    done: dict[int, list[Verdict]] = {}
    disturbed: set[int] = set()
    with temporary_folder() as store, adopting_orphans():
        cache = cache_to_share()
        copies = [store / str(number) for number in range(len(submissions))]
        for submission, copy in zip(submissions, copies, strict=True):  # before any can touch it
            copy_beside(submission, copy)

        def check(number: int) -> None:
            submission = submissions[number]
            if halt.is_set():
                return
            try:
                with temporary_folder() as folder:
                    put_beside(submission, copies[number], folder / "work")
                    run = Run(submission, folder, course, cache, limits, halt)
                    found = run.verdicts()
                    if run.disturbed:
                        disturbed.add(number)
            except Exception as error:  # ours, and never a reason to leave the others unchecked
                found = all_of(submission, "crashed", f"it could not be run: {error}")
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
        _warn(
            f"Interrupted: {len(done)} of {len(submissions)} notebooks were checked, and only these are "
            "reported."
        )
    _name_changed(course)
    return [verdict for number in sorted(done) for verdict in done[number]]


def _name_changed(course: Course) -> None:
    if changed := course.changed():
        more = f" and {len(changed) - 5} more" if len(changed) > 5 else ""
        _warn(
            f"While notebooks were checked, these files of the course changed: {', '.join(changed[:5])}"
            f"{more}. All verdicts come from the course as it was at the start. If it was not you who "
            "changed them, a notebook did: put them back before you use the course again (git checkout "
            "helpers)."
        )


def _warn(words: str) -> None:
    warnings.warn(words, RuntimeWarning, stacklevel=3)


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
            return all_of(submission, "crashed", submission.problem)
        deadline = time.monotonic() + self.limits.seconds
        again = True
        while again and not self.halt.is_set():
            left = [n for n in submission.exercises if n not in self.found and not self._fate(n)]
            seconds = deadline - time.monotonic()
            if seconds <= 0:
                self._blame(("start", None), ("timed_out", self.out_of_time()), left)
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
        return verdict_of(self.submission, number, status, message)

    def out_of_time(self) -> str:
        """Say that the whole notebook took too long."""
        return f"the notebook was stopped after {self.limits.seconds:.0f} seconds."

    def _attempt(self, exercises: list[str], seconds: float) -> bool:
        """Run the notebook once, without the cells that were fatal before. Return whether another
        attempt is worth it.
        """
        process = Process(self, seconds)
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

    def _take(self, event: dict, at: tuple, process: Process) -> tuple:
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
