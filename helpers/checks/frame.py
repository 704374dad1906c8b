"""What every check is made of: an exercise's reference, cases, mistakes, hints and praise, and the
judgement that follows. `CONTRIBUTING.md` shows how to write one."""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from helpers.checks import answers as calls
from helpers.checks.answers import Answer, NotAttempted, copied
from helpers.checks.common import common_mistakes
from helpers.checks.reading import Wrong, describe, difference, mapping, plain_numbers, same, truth

#: What may become of an exercise. The first four are a check's own; a submission can also crash.
STATUSES = ("passed", "wrong", "not_attempted", "timed_out", "crashed")
MARKS = {"passed": "✓", "not_attempted": "·"}

#: All exercises of the course by number, in the order of the lessons.
EXERCISES: dict[str, Exercise] = {}


@dataclass(frozen=True)
class Outcome:
    """What a check found: number, one of `STATUSES`, words, and the smallest input that failed."""

    exercise: str
    status: str
    message: str
    failing: str = ""


@dataclass
class Exercise:
    """One exercise. Calling it judges the answers and prints the outcome."""

    number: str
    level: int
    title: str
    names: Sequence[str]
    hints: Sequence[str]
    spec: type
    seconds: float = 10.0
    hints_given: int = field(default=0, init=False)
    last: Outcome | None = field(default=None, init=False)
    failed: tuple[type, tuple] | None = field(default=None, init=False)
    latest: ClassVar[Exercise | None] = None  # whose check met a failing input last

    def __post_init__(self) -> None:
        """Name by its number: ``Exercise 2.1``, ``exercise_2_1``, its call, its solution."""
        lesson = self.number.split(".")[0]
        self.heading = f"Exercise {self.number}".replace("Exercise P", "Project ")
        self.function_name = re.sub("[ .]", "_", self.heading.lower())
        self.call = f"checks.{self.function_name}({', '.join(self.names)})"
        self.solution = f"solutions/practice_{lesson:0>2}".replace("practice_P", "project_")

    def __call__(self, *answers: object, **named: object) -> None:
        """Judge `answers` and print what was found."""
        answers = (*answers, *named.values())
        print(self.render(self.judge(*answers)))
        for answer in filter(callable, answers):
            print(calls.older_definition(answer), end="")

    def judge(self, *answers: object) -> Outcome:
        """Return the `Outcome` of the check for `answers`. Never raises, whatever they do."""
        self.failed = None
        found = calls.in_time(self.seconds, lambda sink: _run(self, answers, sink)) or (
            "timed_out",
            f"still running after {self.seconds:.0f} seconds. Is there a loop that never ends? "
            "The check's data is small. If the kernel stays busy, restart it.",
        )
        if self.failed:
            Exercise.latest = self
        in_words = _given(*self.failed)[:2000] if self.failed else ""
        self.last = Outcome(self.number, *found, failing=in_words)
        return self.last

    def render(self, outcome: Outcome) -> str:
        """Return `outcome` as text for a notebook, with the way to hints, or to our answer."""
        mark, left = MARKS.get(outcome.status, "✗"), len(self.hints) - self.hints_given
        if outcome.status == "not_attempted":
            stuck = f'Stuck? hint("{self.number}")'
            return _wrapped(f"{mark} {self.heading} {outcome.message} {stuck}")
        text = f"{mark} {self.heading}: {outcome.message}"
        if outcome.status == "passed":
            return _wrapped(f"{text}\nOur answer, with comments: {self.solution}")
        if self.failed:
            text += f"\nThe same input for you: `{self.names[0]}(*checks.failing())`"
        more = f"{left} of {len(self.hints)} left" if left else "the last one again"
        return _wrapped(f'{text}\nStuck? `hint("{self.number}")` ({more})')

    def next_hint(self) -> str:
        """Return the next hint, or, when all are given, the last one and where the solution is."""
        last, of = self.hints_given >= len(self.hints), len(self.hints)
        self.hints_given = min(self.hints_given + 1, of)
        text = (
            f"{self.heading} · Hint {self.hints_given} of {of}: {self.hints[self.hints_given - 1]}"
        )
        return f"{text}\nThat was the last one. Our answer: {self.solution}." if last else text


def exercise(number: str, **more: Any) -> Callable[[type], Exercise]:
    """Make the decorated class an `Exercise` and enter it in `EXERCISES`.

    `number` is such as "2.1" ("P1.2" is the second step of project 1); `level` 1 apply, 2 compare
    and explain, 3 build; `title` as in the notebook; `names` what it passes to the check; `hints`
    from a nudge to nearly the answer; `seconds` what a check may take in all."""

    def enter(spec: type) -> Exercise:
        if number in EXERCISES:
            raise ValueError(f"there are two exercises {number}")
        EXERCISES[number] = Exercise(number, spec=spec, **more)
        return EXERCISES[number]

    return enter


def _run(exercise: Exercise, answers: tuple, sink: calls.Sink) -> tuple[str, str]:
    """Return status and message; whatever an answer does, no traceback of ours."""
    wrapped = tuple(Answer(answer, sink) if callable(answer) else answer for answer in answers)
    functions = [answer for answer in wrapped if isinstance(answer, Answer)]
    try:
        return "passed", _praised(exercise, wrapped)
    except NotAttempted as reason:
        return "not_attempted", f"not attempted yet{reason}."
    except Wrong as wrong:
        exercise.failed = wrong.failed
        return "wrong", str(wrong) + calls.reads_the_notebook(functions)
    except (MemoryError, SystemExit) as crash:
        return "crashed", str(crash) or f"your code ends with {type(crash).__name__}."
    except BaseException as error:
        return "wrong", calls.raised(error, {answer.file for answer in functions}) or (
            f"what you return cannot be compared ({type(error).__name__}: "
            f"{str(error)[:120]}). Compare its type with the one that the task asks for."
        )


def _praised(exercise: Exercise, answers: tuple) -> str:
    """Return the praise of right answers; raise `Wrong` or `NotAttempted` for others."""
    spec, names = exercise.spec, exercise.names
    if len(answers) != len(names):
        wanted = f"it wants {len(names)}: {exercise.call}"
        raise Wrong(f"the check is called with {len(answers)} things; {wanted}")
    given = zip(names, answers, strict=True)
    missing = [f"`{name}`" for name, answer in given if answer is None or answer is ...]
    if missing:
        some = f": {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} still None"
        raise NotAttempted(some if len(missing) < len(names) else "")
    if hasattr(spec, "check"):
        return spec.check(*answers)
    if hasattr(spec, "claims"):
        judge_claims(answers[0], spec.claims())
    elif isinstance(answers[0], Answer):
        judge(spec, answers[0])
    else:
        raise Wrong(f"the check wants the function itself, not what it returns: {exercise.call}")
    return spec.praise(answers[0]) if callable(spec.praise) else spec.praise


@dataclass
class Trial:
    """One case, and what came of it."""

    case: tuple
    expected: Any
    result: Any = None  # as it came
    right: bool = False
    came: bool = False  # the answer returned, and no number of its result is NaN
    problem: str = ""  # why the result could not be had or read


def judge(spec: type, answer: Answer | Callable) -> None:
    """Raise `Wrong` unless `answer` agrees with `spec.reference` on every case.

    A mistake is named when it gives what the learner's function gives in every case, or else in
    every case that failed, and in two at least: a wrong name misleads more than none."""
    answer = answer if isinstance(answer, Answer) else Answer(answer)
    trials = [_tried(spec, answer, case) for case in spec.cases()]
    for old in (trials[0], trials[-1]):
        new = _tried(spec, answer, old.case)
        if new.problem != old.problem or not (old.problem or same(new.result, old.result)):
            raise Wrong(
                f"`{answer.name}` has another answer when it is called a second time. Does it keep "
                "something (in a default, a variable), or draw random numbers without a seed?",
                (spec, old.case),
            )
    failed = [trial for trial in trials if not trial.right]
    if failed:
        said = _said(spec, answer, trials, failed)
        raise Wrong("\n".join([said, *_evidence(spec, failed[0])]), (spec, failed[0].case))
    if answer.changed:
        raise Wrong(
            f"the result is right, but `{answer.name}` changes {answer.changed} in place. "
            "Work on a copy: `a = a / n` makes one, `a /= n` does not; nor does `b = a`."
        )


def _tried(spec: type, answer: Answer, case: tuple) -> Trial:
    trial = Trial(case, played(spec, spec.reference, case))
    try:
        trial.result = played(spec, answer, case)
        numbers = plain_numbers(trial.result)
        trial.came = numbers is None or not np.isnan(numbers).any()
        trial.right = _right(spec, trial.result, trial)
    except Wrong as wrong:
        trial.problem = str(wrong)
    return trial


def _right(spec: type, result: Any, trial: Trial) -> bool:
    """Say whether a result agrees with what was expected; raise `Wrong` where it cannot be read."""
    found = spec.reads(result) if hasattr(spec, "reads") else result
    shape, wanted = getattr(found, "shape", None), getattr(trial.expected, "shape", None)
    if shape and wanted and shape != wanted:
        swapped = " Rows and columns are swapped." if shape == wanted[::-1] else ""
        raise Wrong(f"what you return has shape {shape}; it should have {wanted}.{swapped}")
    if hasattr(spec, "agrees"):
        return bool(spec.agrees(found, trial.expected, *trial.case))
    return same(found, trial.expected)


def played(spec: type, answer: Callable, case: tuple) -> Any:
    """Return what comes of `answer` in `case`, as `spec` makes and plays it."""
    arguments = made(spec, case)
    return spec.play(answer, *arguments) if hasattr(spec, "play") else answer(*arguments)


def made(spec: type, case: tuple) -> tuple:
    """Return fresh arguments for a call in `case`."""
    return tuple(spec.make(*copied(case))) if hasattr(spec, "make") else copied(case)


def _said(spec: type, answer: Answer, trials: list[Trial], failed: list[Trial]) -> str:
    """Say why what came is wrong, as far as it can be told."""
    if answer.printed and not answer.returned:
        return f"`{answer.name}` prints its result and returns None. End it with `return`."
    right = any(trial.right and trial.expected is not None for trial in trials)
    if not right and all(trial.came and trial.result is None for trial in failed):
        return f"`{answer.name}` returns None. Does every path end with `return`?"
    said = (failed[0].came and _named(spec, trials)) or failed[0].problem
    return said or f"wrong in {len(failed)} of {len(trials)} cases."


def _named(spec: type, trials: list[Trial]) -> str:
    """Return the sentence of the first mistake that explains what came, or "". A case in which
    nothing came speaks neither for a mistake nor against it."""
    came = sorted((trial for trial in trials if trial.came), key=lambda trial: trial.right)
    failed = [trial for trial in came if not trial.right]
    two_answers = all(isinstance(trial.expected, (bool, type(None))) for trial in failed)
    if len(failed) < 2 + two_answers:  # of two answers, every mistake gives the same wrong one
        return ""
    rows = [(wrong_answer, says) for _, wrong_answer, says in mistakes_of(spec)]
    telling = len({describe(trial.result) for trial in failed}) > 1
    common = common_mistakes(spec.reference) if telling else ()
    for among, known in ((came, rows), (came, common), (failed, rows if telling else ())):
        for wrong_answer, says in known:
            if all(_explains(spec, wrong_answer, trial) for trial in among):
                return says
    return ""


def _explains(spec: type, wrong_answer: Callable, trial: Trial) -> bool:
    """Say whether a mistake gives what the learner's function gave, and that rightly or wrongly."""
    try:
        result = played(spec, wrong_answer, trial.case)
        if trial.right:
            return _right(spec, result, trial)
        return same(trial.result, result) and not same(result, trial.expected, 1e-6)
    except Exception:
        return False


def mistakes_of(spec: type) -> list[tuple[str, Callable, str]]:
    """Return the mistakes of an exercise: code, a function that makes it, and its sentence.

    In a text, a line at the margin is an expression of the reference's parameters, the module's
    names and ``reference``; the indented lines below are its sentence; expressions in a row share
    one. In a list, each pair is a function with the reference's parameters, and a sentence."""
    given = getattr(spec, "mistakes", "")
    if not isinstance(given, str):
        return [(function.__name__, function, says) for function, says in given]
    if "_rows" not in vars(spec):
        names = vars(sys.modules[spec.__module__]) | {"reference": spec.reference}
        head = ", ".join(calls.parameters(spec.reference))
        blocks = r"((?:^\S.*\n)+)((?:^[ \t]+\S.*\n)+)"
        spec._rows = [
            (code, eval(f"lambda {head}: ({code})", names), " ".join(says.split()))
            for codes, says in re.findall(blocks, textwrap.dedent(given) + "\n", re.MULTILINE)
            for code in codes.splitlines()
        ]
    return spec._rows


def _given(spec: type, case: tuple) -> str:
    """Return a failing input in words, an argument a piece."""
    names = calls.parameters(getattr(spec, "make", spec.reference))
    pieces = [describe(value) for value in case]
    if len(names) == len(pieces):
        pieces = [f"{name} = {piece}" for name, piece in zip(names, pieces, strict=True)]
    return ", ".join(pieces)


def _evidence(spec: type, trial: Trial) -> Iterator[str]:
    yield f"given:    {_given(spec, trial.case)}"
    yours, right = describe(trial.result), describe(trial.expected)
    where = difference(trial.result, trial.expected) if yours == right else ""
    if trial.result is not None or not trial.problem:
        yield f"yours:    {where or yours}"
    if not where:
        yield f"expected: {right}"


def judge_claims(claims: Any, tested: Mapping[str, tuple[bool, str]]) -> None:
    """Raise `Wrong` unless the learner's dictionary, letter → True or False, agrees with what was
    `tested`, letter → (whether the claim holds, what was seen). Answered letters come first."""
    claims = mapping(claims, "`claims`")
    unknown = ", ".join(str(letter) for letter in claims if letter not in tested)
    if unknown:
        raise Wrong(f"there is no claim {unknown[:40]}. The letters are {', '.join(tested)}.")
    decided = [letter for letter in tested if claims.get(letter) not in (None, ...)]
    said = {letter: truth(claims[letter], f'claims["{letter}"]') for letter in decided}
    wrong = [letter for letter in decided if said[letter] != tested[letter][0]]
    if len(wrong) == len(tested):
        raise Wrong("all are the wrong way round. Did you mark what is false as True?")
    if wrong:
        verdict, seen = tested[wrong[0]]
        others = f"\n{len(wrong) - 1} more of your answers are wrong." if len(wrong) > 1 else ""
        raise Wrong(f"{wrong[0]} is {verdict}. {seen}{others}")
    if len(decided) < len(tested):
        missing = ", ".join(letter for letter in tested if letter not in decided)
        right = f" What you have decided ({', '.join(decided)}) is right." if decided else ""
        raise Wrong(f"not decided yet: {missing}.{right}")


def _wrapped(text: str) -> str:
    """Return `text` in lines of 92, its code between backticks in one piece, to be copied."""
    text = re.sub(r"`[^`\n]*`", lambda code: code[0].replace(" ", "\0"), text)
    wrap = textwrap.TextWrapper(92, break_long_words=False, break_on_hyphens=False)
    lines: list[str] = []
    for line in text.split("\n"):
        wrap.initial_indent = "  " if lines else ""
        wrap.subsequent_indent = " " * 12 if re.match("(given|yours|expected): ", line) else "  "
        lines += wrap.wrap(line)
    return "\n".join(lines).replace("\0", " ")


def failing(number: str | float | None = None) -> tuple:
    """Return the smallest input that failed last (in exercise `number`), as arguments for the
    answer: ``answer(*checks.failing())``. Raises LookupError where there is none."""
    entry = Exercise.latest if number is None else _find(number)
    if entry is None or entry.failed is None:
        raise LookupError("No check has met a failing input. Run the cell with the check first.")
    return made(*entry.failed)


def _find(number: str | float) -> Exercise | None:
    return EXERCISES.get(str(number)) or EXERCISES.get(f"P{number}")


def hint(number: str | float) -> None:
    """Print the next hint for exercise `number`, such as ``hint("4.2")``, or the last one again."""
    found = _find(number)
    said = f"There is no exercise {number!r}. There are {', '.join(EXERCISES)}."
    print(_wrapped(found.next_hint() if found else said))


def summary(lesson: int | str) -> None:
    """Print how each exercise of `lesson` (a number, or "P1" for project 1) was found last."""
    found = [e for e in EXERCISES.values() if e.number.split(".")[0] == str(lesson)]
    if not found:
        print(f"There are no exercises for {lesson!r}.")
        return
    marks = [MARKS.get(entry.last.status, "✗") if entry.last else "·" for entry in found]
    for mark, entry in zip(marks, found, strict=True):
        print(f"{mark} {entry.heading:14} {entry.title}")
    print(f"{marks.count('✓')} of {len(found)} right.")
