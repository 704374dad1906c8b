"""What every check of an exercise shares: call the learner's function safely, compare, and say
what is wrong.

A check is a function that is given the learner's answers and either returns a sentence of praise
or raises `Wrong` with a diagnosis. The decorator `exercise` turns it into an `Exercise`, which
can be called in a notebook: it prints one of "not attempted", "right", "wrong", and never raises,
never hangs longer than its limit, and never prints a traceback.
"""

from __future__ import annotations

import contextlib
import copy
import ctypes
import dis
import inspect
import io
import linecache
import numbers
import re
import sys
import textwrap
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, MappingView, Sequence, Set
from dataclasses import dataclass, field
from decimal import Decimal
from types import CodeType
from typing import Any

import numpy as np

#: What may become of an exercise. The first four are a check's own; a submission can also crash.
STATUSES = ("passed", "wrong", "not_attempted", "timed_out", "crashed")
SECONDS = 10.0
TOLERANCE = 1e-4
WIDTH = 92
_DECIMAL = (np.float16, np.float32, np.float64)
_KEPT = "\0"  # stands for a space at which no line ends
MARKS = {"passed": "✓", "not_attempted": "·"}

#: All exercises of the course by number, in the order of the lessons.
EXERCISES: dict[str, Exercise] = {}


class Wrong(Exception):
    """An answer is wrong. The message says what was seen, and the most likely mistake."""


class NotAttempted(Exception):
    """The learner has not written anything yet."""


class Crashed(Exception):
    """The learner's code ended the program or ran out of memory."""


class _TimeUp(BaseException):
    """Thrown into a check that has run out of time. No `except Exception` catches it."""


@dataclass(frozen=True)
class Outcome:
    """What a check found: the exercise's number, one of `STATUSES`, and a message to the
    learner."""

    exercise: str
    status: str
    message: str


@dataclass
class Exercise:
    """One exercise: its number, level (1 to 3), title, the names that its check is given, hints
    in order, and the check itself. Calling it judges the answers and prints the outcome.
    """

    number: str
    level: int
    title: str
    names: tuple[str, ...]
    hints: tuple[str, ...]
    check: Callable[..., str]
    seconds: float = SECONDS
    hints_given: int = field(default=0, init=False)
    last: Outcome | None = field(default=None, init=False)

    @property
    def function_name(self) -> str:
        """Return the name under which `helpers.checks` has it, such as ``exercise_2_1``."""
        kind = "project" if self.number.startswith("P") else "exercise"
        return f"{kind}_{self.number.removeprefix('P').replace('.', '_')}"

    @property
    def heading(self) -> str:
        """Return what messages call it, such as ``Exercise 2.1`` or ``Project 1.2``."""
        kind = "Project" if self.number.startswith("P") else "Exercise"
        return f"{kind} {self.number.removeprefix('P')}"

    def __call__(self, *answers: object, **named: object) -> None:
        """Judge `answers` and print what was found; a wrong answer gets the next hint, too."""
        outcome = self.judge(*answers, *named.values())
        print(self.render(outcome))

    def judge(self, *answers: object) -> Outcome:
        """Return the `Outcome` of the check for `answers`. Never raises, whatever they do."""
        self.last = Outcome(self.number, *_judged(self, answers))
        return self.last

    def render(self, outcome: Outcome) -> str:
        """Return `outcome` as text for a notebook, with the next hint when it is wrong."""
        mark = MARKS.get(outcome.status, "✗")
        if outcome.status == "not_attempted":
            stuck = f' Stuck? hint("{self.number}")' if self.hints else ""
            return f"{mark} {self.heading} {outcome.message}{stuck}"
        text = _wrapped(f"{mark} {self.heading}: {outcome.message}")
        if outcome.status == "passed" or not self.hints:
            return text
        if self.hints_given < len(self.hints):
            return f"{text}\n\n{_wrapped(self.next_hint())}"
        again = f'`hint("{self.number}")` shows the last hint again'
        return f"{text}\n\n{_wrapped(f'{again}; our answer is in the folder solutions.')}"

    def next_hint(self) -> str:
        """Return the next hint, or, when all are given, the last one and where the solution is."""
        last = self.hints_given >= len(self.hints)
        self.hints_given = min(self.hints_given + 1, len(self.hints))
        text = f"Hint {self.hints_given} of {len(self.hints)}: {self.hints[self.hints_given - 1]}"
        return (
            f"{text}\nThat was the last one. Our answer is in the folder solutions."
            if last
            else text
        )


def exercise(
    number: str,
    *,
    level: int,
    title: str,
    names: Sequence[str],
    hints: Sequence[str],
    seconds: float = SECONDS,
) -> Callable[[Callable[..., str]], Exercise]:
    """Make the decorated check an `Exercise` and enter it in `EXERCISES`.

    Parameters
    ----------
    number : str
        Such as "2.1"; "P1.2" is the second step of project 1.
    level : int
        1 apply, 2 compare and explain, 3 build.
    title : str
        As in the notebook's heading.
    names : sequence of str
        The names that the notebook passes to the check, in order.
    hints : sequence of str
        From a nudge to nearly the answer.
    seconds : float
        The time that a check may take in all.
    """

    def enter(check: Callable[..., str]) -> Exercise:
        if number in EXERCISES:
            raise ValueError(f"there are two exercises {number}")
        entered = Exercise(number, level, title, tuple(names), tuple(hints), check, seconds)
        EXERCISES[number] = entered
        return entered

    return enter


# Running a check


def _judged(exercise: Exercise, answers: tuple) -> tuple[str, str]:
    """Run the check in a thread of its own, and return status and message.

    A thread, because it can be left behind: nothing else gets control back from a loop that
    catches every exception, or from a call into C, on every system.
    """
    found: list[tuple[str, str]] = []
    sink = _Sink()
    thread = threading.Thread(
        target=lambda: found.append(_run(exercise, answers, sink)), daemon=True
    )
    with contextlib.redirect_stdout(sink), contextlib.redirect_stderr(sink):
        thread.start()
        thread.join(exercise.seconds)
        if found:
            return found[0]
        for _ in range(10):  # an answer that catches the first one meets another
            _throw(thread, _TimeUp)
            thread.join(0.1)
            if not thread.is_alive():
                return "timed_out", _too_slow(exercise)
    return "timed_out", f"{_too_slow(exercise)} It could not be stopped: restart the kernel."


def _run(exercise: Exercise, answers: tuple, sink: _Sink) -> tuple[str, str]:
    wrapped = tuple(Answer(a, sink) if callable(a) else a for a in answers)
    functions = [answer for answer in wrapped if isinstance(answer, Answer)]
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            _check_given(exercise, answers)
            missing = [
                f"`{name}`"
                for name, answer in zip(exercise.names, answers, strict=True)
                if answer is None or answer is ...
            ]
            if missing:
                be = "is" if len(missing) == 1 else "are"
                which = f": {', '.join(missing)} {be} still None"
                raise NotAttempted(which if len(missing) < len(answers) else "")
            try:
                praise = exercise.check(*wrapped)
            except Wrong:
                for answer in functions:  # often the cause of what was found
                    answer.check_memory()
                raise
            for answer in functions:
                answer.check_memory()
                answer.check_inputs()
            return "passed", praise
    except NotAttempted as reason:
        return "not_attempted", f"not attempted yet{reason}."
    except NotImplementedError:
        return "not_attempted", "not attempted yet."
    except Wrong as wrong:
        return "wrong", str(wrong) + _reads_the_notebook(functions)
    except (Crashed, MemoryError, SystemExit) as crash:
        return "crashed", str(crash) or f"your code ends with {type(crash).__name__}."
    except _TimeUp:
        return "timed_out", _too_slow(exercise)
    except BaseException as error:  # whatever an answer may be, a learner never sees our traceback
        if isinstance(error, TypeError) and "not callable" in str(error) and not functions:
            return "wrong", (
                "the check wants the function itself, not what it returns: "
                f"checks.{exercise.function_name}({', '.join(exercise.names)})"
            )
        files = {answer.file for answer in functions}
        return "wrong", _raised(error, files) or (
            f"what you return cannot be compared ({type(error).__name__}: {_short(str(error), 120)}). "
            "Compare its type with the one that the task asks for."
        )


def _too_slow(exercise: Exercise) -> str:
    return (
        f"still running after {exercise.seconds:.0f} seconds. Is there a loop that never ends? "
        "The check's data is small."
    )


def _check_given(exercise: Exercise, answers: tuple) -> None:
    if len(answers) != len(exercise.names):
        raise Wrong(
            f"the check is called with {len(answers)} things; it wants {len(exercise.names)}: "
            f"checks.{exercise.function_name}({', '.join(exercise.names)})"
        )


def _throw(thread: threading.Thread, kind: type[BaseException]) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread.ident or 0), ctypes.py_object(kind)
    )


class _Sink(io.TextIOBase):
    """Takes what an answer prints while it is checked, keeps the first 200 characters."""

    def __init__(self) -> None:
        self.start = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if len(self.start) < 200:
            self.start += text[:200]
        return len(text)


# The learner's function


class Answer:
    """The learner's function, called with copies of what the check gives it.

    It notices what a plain call would not: other parameters than the task names, a printed
    instead of a returned result, inputs changed in place, another answer the second time.
    """

    def __init__(self, function: Callable, sink: _Sink | None = None) -> None:
        self.function = function
        self.name = getattr(function, "__name__", "your function")
        code = getattr(inspect.unwrap(function), "__code__", None)
        self.file = code.co_filename if code else None
        self._sink = sink or _Sink()
        self._first: tuple | None = None
        self._changed = ""

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Return what the function returns for copies of the arguments.

        Raises
        ------
        Wrong
            When it cannot be called so, raises, or prints instead of returning.
        NotAttempted
            When it is still the stub.
        """
        self._check_signature(arguments, named)
        given, given_named = _copied(arguments), _copied(named)
        printed = len(self._sink.start)
        result = self._called(given, given_named)
        if result is None and len(self._sink.start) > printed:
            self._printed = True
        if not _same_inputs((given, given_named), (arguments, named)):
            self._changed = self._changed or _which_changed(given, arguments)
        if self._first is None:
            self._first = (_copied(arguments), _copied(named), _copied(result))
        return result

    _printed = False

    @property
    def printed_instead(self) -> bool:
        """Say whether a call printed something and returned nothing."""
        return self._printed

    def _called(self, arguments: tuple, named: dict) -> Any:
        try:
            result = self.function(*arguments, **named)
            return _read_out(result)
        except NotAttempted:
            raise
        except NotImplementedError as error:
            raise NotAttempted(_left_over(self.function, error)) from None
        except (Wrong, Crashed):
            raise
        except SystemExit:
            raise Crashed(f"`{self.name}` calls exit(). Return the result instead.") from None
        except MemoryError:
            raise Crashed(f"`{self.name}` asks for more memory than there is.") from None
        except Exception as error:
            shown = ", ".join(describe(value) for value in (*arguments, *named.values()))
            raise Wrong(
                f"{_raised(error, {self.file}) or type(error).__name__}\n"
                f"It was called with {_short(shown, 160)}."
            ) from None

    def _check_signature(self, arguments: tuple, named: dict) -> None:
        try:
            signature = inspect.signature(self.function)
        except (TypeError, ValueError):
            return
        try:
            signature.bind(*arguments, **named)
        except TypeError:
            wanted = len(arguments) + len(named)
            raise Wrong(
                f"`{self.name}{signature}` cannot be called with {wanted} arguments, as the task "
                "asks. Keep the first line of the function as it was."
            ) from None

    def check_memory(self) -> None:
        """Call the function again as at first.

        Raises
        ------
        Wrong
            When it answers something else now.
        """
        if self._first is None:
            return
        arguments, named, before = self._first
        after = self._called(_copied(arguments), _copied(named))
        if not same(after, before) and same(before, before):
            raise Wrong(
                f"`{self.name}` gives another answer when it is called a second time with the same "
                "input. Does it keep something between calls (a list as a default argument, a "
                "variable of the notebook), or draw random numbers without a seed?"
            )

    def fresh(self) -> Answer:
        """Return an `Answer` of its own for the same function, whose first call is its own."""
        return Answer(self.function, self._sink)

    def forget_calls(self) -> None:
        """Let the first call not be repeated: the function is meant to act on something."""
        self._first = None

    def check_inputs(self) -> None:
        """Raise `Wrong` when a call has changed what it was given."""
        if self._changed:
            raise Wrong(
                f"the result is right, but `{self.name}` changes {self._changed} in place. Whoever "
                "calls it still needs that: work on a copy. `a = a / n` makes one, `a /= n` does not; "
                "`b = list(a)` makes one, `b = a` does not."
            )


class Part:
    """One of several results that an answer returns, as an answer of its own for `judge`.

    `take` is called with the answer's result and its arguments; it returns the part, or raises
    `Wrong` when the result has not the parts that the task asks for.
    """

    def __init__(self, answer: Answer, take: Callable[..., Any]) -> None:
        self.answer, self.take, self.name = answer, take, answer.name

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Return the part; None where the answer returns nothing at all."""
        result = self.answer(*arguments, **named)
        return None if result is None else self.take(result, *arguments)

    @property
    def printed_instead(self) -> bool:
        """Say whether the answer prints instead of returning."""
        return self.answer.printed_instead


def _read_out(result: Any) -> Any:
    """Return `result` with iterators, which are empty once read, as lists."""
    if isinstance(result, (Iterator, MappingView)):
        return list(result)
    if type(result) in (list, tuple) and any(isinstance(item, Iterator) for item in result):
        return type(result)(_read_out(item) for item in result)
    return result


def _copied(value: Any) -> Any:
    """Return a deep copy of plain data; functions, models and other objects are passed on."""
    if isinstance(value, np.ndarray):
        return value.copy()
    if type(value) in (list, tuple, set):
        return type(value)(_copied(item) for item in value)
    if type(value) is dict:
        return {key: _copied(item) for key, item in value.items()}
    with contextlib.suppress(Exception):
        if type(value).__module__ == "builtins" and not callable(value):
            return copy.deepcopy(value)
    return value


def _same_inputs(now: Any, before: Any) -> bool:
    if type(now) is not type(before):
        return False
    if isinstance(now, np.ndarray):
        return now.shape == before.shape and np.array_equal(
            now, before, equal_nan=now.dtype.kind in "fc"
        )
    if isinstance(now, dict):
        return list(now) == list(before) and all(_same_inputs(now[k], before[k]) for k in now)
    if isinstance(now, (list, tuple)):
        return len(now) == len(before) and all(map(_same_inputs, now, before))
    return callable(now) or type(now).__module__ != "builtins" or now is before or now == before


def _which_changed(now: tuple, before: tuple) -> str:
    ordinals = ("its first argument", "its second argument", "its third argument")
    for place, (new, old) in enumerate(zip(now, before, strict=True)):
        if not _same_inputs(new, old) and place < len(ordinals):
            return ordinals[place]
    return "one of its arguments"


def _left_over(function: Callable, error: NotImplementedError) -> str:
    """Say so when `function` has been written, and its stub's `raise` still stands in it."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if code is None or trace is None or trace.tb_frame.f_code is not code:
        return ""
    untouched = code.co_names == ("NotImplementedError",) and not code.co_cellvars
    if untouched and code.co_nlocals == code.co_argcount + code.co_kwonlyargcount:
        return ""
    return ": it comes to `raise NotImplementedError`. Delete that line when your answer is written"


def _raised(error: BaseException, files: Set) -> str:
    """Say what `error` is and in which line of the learner's it arose; "" if not in the
    learner's code."""
    place = None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename in files:
            place = trace
        trace = trace.tb_next
    if place is None and not isinstance(error, TypeError):
        return ""
    said = f"it raises {type(error).__name__}: {_short(str(error), 160)}".rstrip(": .")
    if place is None:
        return said + "."
    frame = place.tb_frame
    line = linecache.getline(frame.f_code.co_filename, place.tb_lineno, frame.f_globals).strip()
    return f"{said}\nin the line `{_short(line, 90)}`." if line else said + "."


def _reads_the_notebook(functions: Iterable[Answer]) -> str:
    """Name the notebook's data that a function reads although nobody has given it to it."""
    for answer in functions:
        function = inspect.unwrap(answer.function)
        code, names = getattr(function, "__code__", None), getattr(function, "__globals__", {})
        if code is None:
            continue
        for name in _names_in(code):
            if not name.isupper() and isinstance(names.get(name), (np.ndarray, list, dict, str)):
                return (
                    f"\nIt reads `{name}`, a variable of the notebook. Use only what the function is "
                    "given: the check has other data."
                )
    return ""


def _names_in(code: CodeType) -> Iterator[str]:
    """Yield the global names that `code` reads, in functions and comprehensions inside it as well."""
    for step in dis.get_instructions(code):
        if step.opname in {"LOAD_GLOBAL", "LOAD_NAME"}:
            yield step.argval
    for inside in code.co_consts:
        if isinstance(inside, CodeType):
            yield from _names_in(inside)


# Comparing


def same(one: Any, other: Any, tolerance: float = TOLERANCE) -> bool:
    """Say whether two results agree: numbers and arrays within `tolerance` (relative to the
    larger values), everything else exactly; a list, a tuple and an array with the same content are
    the same, and so are 1 and 1.0.
    """
    if one is None or other is None:
        return one is other
    if isinstance(one, (str, bytes, bool, np.bool_)) or isinstance(
        other, (str, bytes, bool, np.bool_)
    ):
        return type(_plain(one)) is type(_plain(other)) and bool(_plain(one) == _plain(other))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[k], other[k], tolerance) for k in one)
    if isinstance(one, Set) and isinstance(other, Set):
        return one == other
    first, second = _numeric(one), _numeric(other)
    if first is not None and second is not None:
        return first.shape == second.shape and np.allclose(
            first, second, rtol=tolerance, atol=tolerance, equal_nan=True
        )
    if _is_sequence(one) and _is_sequence(other):
        return len(one) == len(other) and all(
            same(a, b, tolerance) for a, b in zip(one, other, strict=True)
        )
    with contextlib.suppress(Exception):
        return bool(one == other)
    return False


def _plain(value: Any) -> Any:
    """Return what a NumPy scalar, or an array or tensor without dimensions, holds."""
    if isinstance(value, np.generic) or getattr(value, "shape", None) == ():
        with contextlib.suppress(Exception):
            return value.item()
    return value


def _is_sequence(value: Any) -> bool:
    return isinstance(value, (list, tuple, range)) or (
        isinstance(value, np.ndarray) and value.ndim > 0
    )


def _numeric(value: Any) -> np.ndarray | None:
    """Return `value` as an array of numbers, or None where it is none."""
    if isinstance(value, (str, Mapping, Set)) or callable(value):
        return None
    try:
        found = np.asarray(value)
    except Exception:  # ragged lists, tensors that need a gradient
        return None
    return found.astype(float) if found.dtype.kind in "iuf" else None


@dataclass(frozen=True)
class Mistake:
    """A plausible mistake: `function` does it, with the parameters of the reference; `says` is
    the diagnosis, in which ``{got}``, ``{expected}`` and ``{case}`` stand for the first case that
    went wrong.
    """

    function: Callable
    says: str


@dataclass(frozen=True)
class Case:
    """Arguments for the learner's function, and words for them that stand after "for"."""

    arguments: tuple
    words: str = ""

    def __str__(self) -> str:
        return self.words or _short(", ".join(describe(value) for value in self.arguments), 120)


def judge(
    answer: Answer,
    cases: Iterable[Case],
    reference: Callable,
    mistakes: Iterable[Mistake] = (),
    *,
    read: Callable[[Any], Any] = lambda result: result,
    agree: Callable[[Any, Any], bool] = same,
) -> None:
    """Compare `answer` with `reference` on every case.

    Where they differ, the diagnosis is that of the first of `mistakes` that gives what the
    learner's function gives, in every case. Else it is that of the first that does so in every
    case that went wrong, and says so: the learner's function makes it sometimes only. Where none
    does, it shows the first case: what was given, what came, what was expected. Rounding what is
    right is known as a mistake without being named.

    Parameters
    ----------
    answer : Answer
        The learner's function.
    cases : iterable of Case
        Hidden data.
    reference : callable
        The right answer.
    mistakes : iterable of Mistake
        The most telling ones first.
    read : callable
        Brings a result into the form that `reference` returns, such as `array`, or raises
        `Wrong` when its type or shape is not what the task asks for.
    agree : callable
        Says whether a result that was read agrees with the reference's.

    Raises
    ------
    Wrong
        When the answer is wrong in any case.
    """
    seen = []
    for case in cases:
        raw, expected = answer(*case.arguments), reference(*_copied(case.arguments))
        problem = None
        try:
            right = agree(read(raw), expected)
        except Wrong as wrong:
            right, problem = False, wrong
        seen.append((case, raw, expected, right, problem))
    failed = [entry for entry in seen if not entry[3]]
    if not failed:
        return
    case, raw, expected, _, problem = failed[0]
    if answer.printed_instead:
        raise Wrong(f"`{answer.name}` prints its result and returns None. End it with `return`.")
    may_be_none = any(entry[2] is None for entry in seen)
    if raw is None and not may_be_none:
        raise Wrong(f"`{answer.name}` returns None for {case}. Does every path end with `return`?")
    words = {"got": describe(raw), "expected": describe(expected), "case": str(case)}
    mistakes = list(mistakes)
    for entries, known in ((seen, [*mistakes, *_rounded(reference)]), (failed, mistakes)):
        preface = ""
        if entries is failed:
            if len(failed) < max(map(_enough, failed)):
                continue
            if len(failed) < len(seen):
                others = "other looks" if len(failed) == 1 else "others look"
                preface = (
                    f"right in {len(seen) - len(failed)} of {len(seen)} cases; the {others} like this "
                    "mistake:\n"
                )
        for mistake in known:
            if all(_does(mistake, entry) for entry in entries):
                raise Wrong(preface + mistake.says.format(**words))
    if problem is not None:
        raise problem
    if words["got"] != words["expected"]:
        raise Wrong("for {case} you return {got}; it should be {expected}.".format(**words))
    raise Wrong(f"for {case} {_difference(raw, expected)}")


def _rounded(function: Callable) -> Iterator[Mistake]:
    """Yield the mistakes of who does as `function` does, and rounds."""
    for digits in (1, 2, 3):
        yield Mistake(
            lambda *given, digits=digits: _round(function(*given), digits),
            "what you return is rounded: {got} instead of {expected} for {case}. Round where you print, not "
            "before.",
        )


def _round(value: Any, digits: int) -> Any:
    """Return `value` with every number in it rounded that has decimals."""
    if isinstance(value, dict):
        return {key: _round(one, digits) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_round(one, digits) for one in value]
    if isinstance(value, (float, np.floating)) or getattr(value, "dtype", None) in _DECIMAL:
        return np.round(value, digits)
    return value


def _enough(entry: tuple) -> int:
    """Return in how many cases like `entry` a mistake must give the learner's answer to be named
    for it, when it does not in the others: of two possible answers every mistake gives the wrong
    one.
    """
    _, raw, expected, _, _ = entry
    if raw is None or expected is None or isinstance(expected, (bool, np.bool_)):
        return 3
    return 2 if isinstance(expected, (int, np.integer, str)) else 1


def _difference(raw: Any, expected: Any) -> str:
    """Say where two results differ that look alike in a few words."""
    first, second = _numeric(raw), _numeric(expected)
    if first is not None and second is not None and first.shape == second.shape and first.ndim:
        apart = ~np.isclose(first, second, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)
        if apart.any():
            place = tuple(int(i) for i in np.argwhere(apart)[0])
            where = f"[{', '.join(map(str, place))}]"
            return (
                f"{int(apart.sum())} of {first.size} values are wrong. The first is at {where}: "
                f"{describe(first[place])}; it should be {describe(second[place])}."
            )
    if _is_sequence(raw) and _is_sequence(expected):
        for place, (one, other) in enumerate(zip(raw, expected, strict=False)):
            if not same(one, other):
                return (
                    f"the first difference is at place {place}, counted from 0: {describe(one)}; "
                    f"it should be {describe(other)}."
                )
        if len(raw) != len(expected):
            return f"you return {len(raw)} items; there should be {len(expected)}."
    return (
        f"you return {describe(raw)} of type {type(raw).__name__}, which is not quite "
        f"{describe(expected)}."
    )


def _does(mistake: Mistake, entry: tuple) -> bool:
    """Say whether `mistake` gives what the learner's function gave (and not what is right)."""
    case, raw, expected, right, _ = entry
    try:
        result = mistake.function(*_copied(case.arguments))
        return same(raw, result) and (right or not same(result, expected, TOLERANCE / 100))
    except Exception:
        return False


def judge_claims(claims: Any, tested: Mapping[str, tuple[bool, str]]) -> None:
    """Compare the learner's dictionary of True and False with what tests have shown.

    Parameters
    ----------
    claims : dict
        Letter → True or False.
    tested : dict
        Letter → whether the claim holds, and a sentence on what was seen.

    Raises
    ------
    Wrong
        For the first claim that is judged otherwise, for one that is missing, or for one too many.
    """
    given = mapping(claims, "`claims`")
    first, last = min(tested), max(tested)
    if given and not given.keys() & tested.keys():
        raise Wrong(
            f"the keys of your dictionary are {', '.join(map(repr, list(given)[:8]))}. The task asks "
            f'for the small letters "{first}" to "{last}", each with True or False.'
        )
    unknown = sorted(str(letter) for letter in given.keys() - tested.keys())
    if unknown:
        raise Wrong(f"there is no claim {', '.join(unknown)}; they are called {first} to {last}.")
    missing = [letter for letter in tested if given.get(letter) in (None, ...)]
    if missing:
        raise Wrong(f"you have not decided yet on {', '.join(missing)}.")
    wrong = [
        f"{letter} is {verdict}. {seen}"
        for letter, (verdict, seen) in tested.items()
        if truth(given[letter], f'claims["{letter}"]') != verdict
    ]
    if len(wrong) == len(tested):
        raise Wrong("all are the wrong way round. Did you mark what is false as True?")
    if wrong:
        others = f" ({len(wrong) - 1} more to think about.)" if len(wrong) > 1 else ""
        raise Wrong(wrong[0] + others)


# Reading results


def array(value: Any, shape: tuple | None = None, what: str = "what you return") -> np.ndarray:
    """Return `value` as an array of floats.

    Raises
    ------
    Wrong
        When it is a list, holds text, has another shape, or holds NaN.
    """
    if isinstance(value, (list, tuple)):
        raise Wrong(f"{what} is a {type(value).__name__}; the task asks for a NumPy array.")
    if isinstance(value, np.ndarray) and value.dtype.kind in "OUS":
        raise Wrong(f"{what} is an array of {value.dtype}, not of numbers: {describe(value)}.")
    found = _numeric(value)
    if found is None and isinstance(value, np.ndarray) and value.dtype == bool:
        found = value.astype(float)
    if found is None:
        raise Wrong(f"{what} is {describe(value)}; the task asks for a NumPy array of numbers.")
    if shape is not None and found.shape != shape:
        swapped = " Rows and columns are swapped." if found.shape == shape[::-1] else ""
        raise Wrong(f"{what} has shape {found.shape}; it should have {shape}.{swapped}")
    if np.isnan(found).any():
        raise Wrong(f"{what} holds NaN, not a number. Was something divided by zero?")
    return found


def number(value: Any, what: str = "what you return") -> float:
    """Return `value` as a float; raise `Wrong` when it is not one number."""
    if isinstance(value, str):
        raise Wrong(f"{what} is the text {value!r}, not a number.")
    if isinstance(value, (bool, np.bool_)):
        raise Wrong(f"{what} is {value}; the task asks for a number.")
    found = (
        np.asarray(float(value)) if isinstance(value, (numbers.Real, Decimal)) else _numeric(value)
    )
    if found is None:
        raise Wrong(f"{what} is {describe(value)}; the task asks for one number.")
    if found.ndim:
        inside = " Take the only element out of it." if found.size == 1 else ""
        raise Wrong(f"{what} is {describe(value)}; the task asks for one number.{inside}")
    if np.isnan(found):
        raise Wrong(f"{what} is NaN, not a number. Was something divided by zero?")
    return float(found)


def truth(value: Any, what: str = "what you return") -> bool:
    """Return `value` as a bool; raise `Wrong` when it is neither True nor False."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if not isinstance(value, (bool, np.bool_)):
        raise Wrong(f"{what} is {describe(value)}; the task asks for True or False.")
    return bool(value)


def sequence(value: Any, what: str = "what you return") -> list:
    """Return `value` (a list, tuple, array, range or other iterable but text) as a list; raise
    `Wrong` when it is none.
    """
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        raise Wrong(f"{what} is {describe(value)}; the task asks for a list.")
    if isinstance(value, Set):
        raise Wrong(f"{what} is a set: it has no order. The task asks for a list.")
    return [_plain(item) for item in value]


def integers(value: Any, what: str = "what you return") -> list[int]:
    """Return `value` as a list of ints; raise `Wrong` when it holds anything else."""
    items = sequence(value, what)
    for item in items:
        if isinstance(item, str):
            raise Wrong(f"{what} holds the text {item!r}; the task asks for whole numbers.")
        if isinstance(item, np.ndarray) or _is_sequence(item):
            raise Wrong(f"{what} holds {describe(item)}; the task asks for a flat list of numbers.")
        if isinstance(item, bool) or not isinstance(item, (int, np.integer)):
            raise Wrong(f"{what} holds {describe(item)}; the task asks for whole numbers.")
    return [int(item) for item in items]


def texts(value: Any, what: str = "what you return") -> list[str]:
    """Return `value` as a list of strings; raise `Wrong` when it holds anything else."""
    items = sequence(value, what)
    for item in items:
        if not isinstance(item, str):
            raise Wrong(f"{what} holds {describe(item)}; the task asks for a list of texts.")
    return [str(item) for item in items]


def mapping(value: Any, what: str = "what you return") -> dict:
    """Return `value` as a dict; raise `Wrong` when it is none."""
    if not isinstance(value, Mapping):
        raise Wrong(f"{what} is {describe(value)}; the task asks for a dictionary.")
    return dict(value)


# Words


def describe(value: Any) -> str:
    """Return a few words for `value`: small ones as they are, large ones by type and shape."""
    if isinstance(value, np.ndarray) and value.ndim:
        if value.size <= 8 and value.dtype.kind in "iufb":
            return np.array2string(value, precision=3, separator=", ", suppress_small=True).replace(
                "\n", ""
            )
        return f"an array of shape {value.shape}"
    plain = _plain(value)
    if isinstance(plain, float):
        return f"{plain:.1f}" if plain.is_integer() and abs(plain) < 1e6 else f"{plain:.4g}"
    if isinstance(plain, (list, tuple)):
        inside = [describe(item) for item in plain[:9]]
        text = ", ".join(inside[:8]) + (", …" if len(inside) > 8 else "")
        open_, close = "[]" if isinstance(plain, list) else "()"
        shown = f"{open_}{text}{close}"
        return shown if len(shown) <= 100 else f"a {type(plain).__name__} of {len(plain)} items"
    if type(plain) is dict and len(plain) <= 6:
        shown = ", ".join(f"{describe(key)}: {describe(item)}" for key, item in plain.items())
        return f"{{{shown}}}" if len(shown) <= 100 else f"a dictionary of {len(plain)} items"
    if callable(plain):
        name = plain.name if isinstance(plain, Answer) else getattr(plain, "__name__", "")
        return f"the function {name or type(plain).__name__}"
    try:
        return _short(repr(plain), 100)
    except Exception:
        return f"a {type(plain).__name__}"


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _wrapped(text: str) -> str:
    """Return `text` in lines of `WIDTH`, its code between backticks in one piece, to be copied."""
    first, *rest = re.sub(r"`[^`\n]*`", lambda code: code[0].replace(" ", _KEPT), text).split("\n")
    wrap = textwrap.TextWrapper(
        WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )
    lines = wrap.wrap(first)
    wrap.initial_indent = "  "
    for line in rest:
        lines += wrap.wrap(line)
    return "\n".join(lines).replace(_KEPT, " ")


def hint(number: str | float) -> None:
    """Print the next hint for exercise `number`, such as ``hint("4.2")``; after the last one, the
    last one again.
    """
    found = EXERCISES.get(str(number)) or EXERCISES.get(f"P{number}")
    if found is None:
        numbers = ", ".join(EXERCISES)
        print(_wrapped(f"There is no exercise {number!r}. There are {numbers}."))
    else:
        print(_wrapped(f"{found.heading} · {found.next_hint()}"))


def summary(lesson: int | str) -> None:
    """Print a line for each exercise of `lesson` (a number, or "P1" for project 1), as its check
    last found it in this session.
    """
    found = [e for e in EXERCISES.values() if e.number.split(".")[0] == str(lesson)]
    if not found:
        print(f"There are no exercises for {lesson!r}.")
        return
    for entry in found:
        mark = "·" if entry.last is None else MARKS.get(entry.last.status, "✗")
        print(f"{mark} {entry.heading:14} {entry.title}")
    passed = sum(entry.last is not None and entry.last.status == "passed" for entry in found)
    sys.stdout.write(f"{passed} of {len(found)} right.\n")
