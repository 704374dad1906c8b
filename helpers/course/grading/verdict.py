"""What a notebook may use, and what became of its exercises."""

from __future__ import annotations

from dataclasses import dataclass

from helpers.checks import EXERCISES
from helpers.course.grading.submissions import Submission


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


def all_of(submission: Submission, status: str, message: str) -> list[Verdict]:
    return [
        verdict_of(submission, number, status, message) for number in submission.exercises or [None]
    ]


def verdict_of(submission: Submission, number: str | None, status: str, message: str) -> Verdict:
    level = EXERCISES[number].level if number else None
    return Verdict(submission.name, submission.learner, number, level, status, message)
