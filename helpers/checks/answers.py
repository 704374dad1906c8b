"""How checks call a learner's function: with copies, in limited time, and noticing what it does."""

from __future__ import annotations

import contextlib
import ctypes
import dis
import inspect
import io
import linecache
import threading
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator, MappingView, Set
from types import CodeType
from typing import Any

import numpy as np

from helpers.checks.reading import Wrong, same, short


class NotAttempted(Exception):
    """The learner has not written anything yet."""


class TimeUp(BaseException):
    """Thrown into a check that has run out of time. No `except Exception` catches it."""


class Sink(io.TextIOBase):
    """Takes what an answer prints while it is checked, keeps the first 200 characters."""

    start = ""

    def write(self, text: str) -> int:
        if len(self.start) < 200:
            self.start += text[:200]
        return len(text)


class Answer:
    """The learner's function, called with copies. It notices what a plain call would not: other
    parameters, a printed result, inputs changed in place."""

    def __init__(self, function: Callable, sink: Sink | None = None) -> None:
        self.function = function
        self.name = getattr(function, "__name__", "your function")
        self.file = getattr(_code(function), "co_filename", None)
        self.printed = False  # a call printed something and returned nothing
        self.returned = False  # a call returned something
        self.changed = ""  # which argument a call has changed in place
        self._sink = sink or Sink()

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Return what the function returns for copies; raise `Wrong` when it raises or cannot be
        called so, and `NotAttempted` when it is still the stub."""
        self._check_signature(arguments, named)
        given, given_named = copied(arguments), copied(named)
        printed = len(self._sink.start)
        try:
            result = read_out(self.function(*given, **given_named))
        except NotImplementedError as error:
            raise NotAttempted(_left_over(self.function, error)) from None
        except (Wrong, NotAttempted):
            raise
        except SystemExit:
            raise SystemExit(f"`{self.name}` calls exit(). Return the result instead.") from None
        except MemoryError:
            raise MemoryError(f"`{self.name}` asks for more memory than there is.") from None
        except Exception as error:
            raise Wrong(raised(error, {self.file}) or f"it raises {type(error).__name__}") from None
        self.returned |= result is not None
        self.printed |= result is None and len(self._sink.start) > printed
        names = [*parameters(self.function)[: len(given)], *named]
        before, now = (*arguments, *named.values()), (*given, *given_named.values())
        for name, *both in zip(names, before, now, strict=False):
            if not same(*both, 0):
                self.changed = self.changed or f"`{name}`"
        return result

    def _check_signature(self, arguments: tuple, named: dict) -> None:
        with contextlib.suppress(ValueError):  # it does not tell its parameters
            signature = inspect.signature(self.function)
            try:
                signature.bind(*arguments, **named)
            except TypeError:
                raise Wrong(
                    f"`{self.name}{signature}` cannot be called with {len(arguments) + len(named)} "
                    "arguments, as the task asks. Keep the first line of the function as it was."
                ) from None


def parameters(function: Callable) -> list[str]:
    """Return the names of a function's parameters; none where they cannot be told."""
    with contextlib.suppress(TypeError, ValueError):
        return list(inspect.signature(function).parameters)
    return []


def _code(function: Callable) -> CodeType | None:
    return getattr(inspect.unwrap(function), "__code__", None)


def in_time(seconds: float, work: Callable[[Sink], Any]) -> Any:
    """Return what `work` returns, given what takes the place of its output; None where it did not
    end within `seconds`. It runs in a thread, because that can be left behind: nothing else gets
    control back from a loop that catches every exception, or from a call into C, on any system."""
    found: list = []
    sink = Sink()

    def run() -> None:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            found.append(work(sink))

    thread = threading.Thread(target=run, daemon=True)
    with contextlib.redirect_stdout(sink), contextlib.redirect_stderr(sink):
        thread.start()
        thread.join(seconds)
        if found:
            return found[0]
        for _ in range(10):  # an answer that catches the first one meets another
            ident, thrown = ctypes.c_ulong(thread.ident or 0), ctypes.py_object(TimeUp)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, thrown)
            thread.join(0.1)
            if not thread.is_alive():
                break
    return None


def copied(value: Any) -> Any:
    """Return a deep copy of plain data; functions, models and other objects are passed on."""
    return _inside(value, lambda leaf: leaf.copy() if isinstance(leaf, np.ndarray) else leaf)


def read_out(value: Any) -> Any:
    """Return `value` with iterators, which are empty once read, as lists."""
    many = (Iterator, MappingView)
    return _inside(value, lambda x: [read_out(i) for i in x] if isinstance(x, many) else x)


def _inside(value: Any, change: Callable) -> Any:
    """Return plain data anew with `change` of all that is no list, tuple, set or dictionary."""
    if type(value) in (list, tuple, set):
        return type(value)(_inside(item, change) for item in value)
    if type(value) is dict:
        return {key: _inside(item, change) for key, item in value.items()}
    return change(value)


def _left_over(function: Callable, error: NotImplementedError) -> str:
    """Say so when `function` has been written, and its stub's `raise` still stands in it."""
    code = _code(function)
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    if code is None or frames[-1].f_code is not code:
        return ""
    untouched = code.co_names == ("NotImplementedError",) and not code.co_cellvars
    if untouched and code.co_nlocals == code.co_argcount + code.co_kwonlyargcount:
        return ""
    return ": it comes to `raise NotImplementedError`. Delete that line when your answer is written"


def raised(error: BaseException, files: Set) -> str:
    """Say what `error` is and in which line of the learner's it arose; "" where it did not arise in
    the learner's code and is no TypeError."""
    walked = traceback.walk_tb(error.__traceback__)
    places = [(frame, line) for frame, line in walked if frame.f_code.co_filename in files]
    if not places and not isinstance(error, TypeError):
        return ""
    said = f"it raises {type(error).__name__}: {short(str(error), 160)}".rstrip(": .")
    for frame, line in places[-1:]:
        code = linecache.getline(frame.f_code.co_filename, line, frame.f_globals).strip()
        said += f"\nin the line `{short(code, 90)}`" if code else ""
    return said + "."


def reads_the_notebook(functions: Iterable[Answer]) -> str:
    """Name the notebook's data that a function reads although nobody has given it to it."""
    for answer in functions:
        names = getattr(inspect.unwrap(answer.function), "__globals__", {})
        for name in _names_in(_code(answer.function)):
            if not name.isupper() and isinstance(names.get(name), (np.ndarray, list, dict, str)):
                return f"\nIt reads `{name}`, a variable of the notebook. The check has other data."
    return ""


def _names_in(code: CodeType | None) -> Iterator[str]:
    """Yield the global names that `code` reads, in functions and comprehensions inside it."""
    for step in dis.get_instructions(code) if code else ():
        if step.opname in {"LOAD_GLOBAL", "LOAD_NAME"}:
            yield step.argval
        elif isinstance(step.argval, CodeType):
            yield from _names_in(step.argval)


def older_definition(answer: Callable) -> str:
    """Say so when the last cell that defines this function failed, as far as IPython tells it."""
    with contextlib.suppress(Exception):
        from IPython import get_ipython

        head = f"def {answer.__name__}("
        cells = [cell for cell in get_ipython().user_ns["In"][:-1] if head in cell]
        if cells and inspect.getsource(answer).strip() not in cells[-1]:
            return f"  The last cell with `{head}…)` failed: this judges an older definition.\n"
    return ""
