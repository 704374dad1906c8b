"""Runs one notebook inside its own process: ``python -m helpers.course.grading.worker``, started by
`helpers.course.grading.supervisor`.

It reads what to do as one line of JSON from standard input, and tells as lines of JSON, on what
was standard output, which step it is at and what came of it. All that the notebook prints goes to
standard error. A verdict carries a word that the supervisor gives when it is asked, good for one
time: what a notebook writes to every pipe it finds is no verdict.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from contextlib import suppress

#: Bytes that a notebook may write into one file.
MOST_FILE = 2**30


def main() -> None:
    """Run the cells and the checks, behind a guard where the system can fork: what a notebook takes for
    its parent, and may kill, is then not the process that checks the others.
    """
    if not hasattr(os, "fork"):
        _work()
        return
    adopt_orphans()
    worker = os.fork()
    if worker == 0:
        _work()
        return
    ended, status = 0, 0
    while ended != worker:  # what a notebook has left without a parent may end before it
        ended, status = os.wait()
    end_children()
    if os.WIFSIGNALED(status):
        os.kill(os.getpid(), os.WTERMSIG(status))
    os._exit(os.waitstatus_to_exitcode(status))


def adopt_orphans(yes: bool = True) -> None:
    """On Linux, let whatever is started below this process stay below it when its parent ends: so it
    is seen, counted and ended.
    """
    if sys.platform.startswith("linux"):
        import ctypes

        child_subreaper = 36  # PR_SET_CHILD_SUBREAPER of prctl(2)
        ctypes.CDLL(None).prctl(child_subreaper, int(yes), 0, 0, 0)


def end_children(besides: Iterable[int] = ()) -> None:
    """End all processes below this one, but those with a number in `besides`."""
    import psutil

    for _ in range(50):  # until none is left: one may start another while it is looked for
        found = psutil.Process().children(recursive=True)
        left = [child for child in found if child.pid not in besides]
        if not left:
            break
        for child in left:
            with suppress(psutil.Error):
                child.kill()
        psutil.wait_procs(left, timeout=5)


def _work() -> None:
    events = os.fdopen(os.dup(1), "w", encoding="ascii")
    orders = os.fdopen(os.dup(0), encoding="ascii")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    task = json.loads(orders.readline())
    _limit_files()

    def tell(**event) -> None:
        events.write(json.dumps(event) + "\n")
        events.flush()

    import numpy.random  # noqa: F401  so that the snapshot has it

    import helpers.checks
    from helpers.course.grading.integrity import Snapshot

    shell = _shell()
    exercises = dict(helpers.checks.EXERCISES)
    snapshot = Snapshot()
    sys.path.insert(0, os.getcwd())  # only now: a file helpers.py beside the notebook is not ours
    left = list(task["exercises"])

    def check(number: str, last: bool) -> None:
        """Judge exercise `number`, and report it if it is right or this is its last chance."""
        changed = snapshot.restore()
        tell(at="exercise", number=number, changed=changed[:20])
        outcome = _judge(exercises[number], shell.user_ns, task["names"].get(number, []))
        status, message = outcome.status, outcome.message
        meddled = snapshot.restore()
        if meddled and status == "passed":
            status, message = "crashed", f"it changes the course while it is checked: {meddled[0]}"
        if last or status in ("passed", "timed_out", "crashed"):
            tell(want="word")
            word = orders.readline().strip()
            tell(word=word, number=number, status=status, message=message[:4000])
            left.remove(number)
        if status == "timed_out":  # its thread may still be running
            os._exit(0)

    for cell in task["cells"]:
        if cell["check"]:
            if cell["check"] in left:
                check(cell["check"], last=False)
            continue
        tell(at="cell", place=cell["place"])
        error = _run(shell, cell["source"])
        tell(done="cell", place=cell["place"], error=error)
    sys.settrace(None)
    sys.setprofile(None)
    for number in list(left):  # an answer may stand below its check, or its check be gone
        check(number, last=True)
    tell(want="word")
    tell(word=orders.readline().strip(), done="all")
    os._exit(0)  # without waiting for threads of the notebook


def _limit_files() -> None:
    """Let no file grow beyond `MOST_FILE`, where the system can see to that."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_FILE, MOST_FILE))


def _shell():
    """Return an IPython that keeps no history and starts no threads."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    config.InteractiveShell.xmode = "Minimal"
    return InteractiveShell.instance(config=config)


def _run(shell, source: str) -> str:
    """Run a cell, and return what it raised, in a line, or ""."""
    try:
        result = shell.run_cell(source, store_history=False)
        error = result.error_before_exec or result.error_in_exec
    except BaseException as raised:  # the notebook may have broken the shell itself
        error = raised
    if error is None:
        return ""
    line = ""
    try:
        said = str(error)
        if isinstance(error, SyntaxError):
            said, line = error.msg, f", line {error.lineno}" if error.lineno else ""
    except BaseException:  # an exception can fail to say what it is, too
        said = ""
    return f"{type(error).__name__}: {said}".split("\n")[0].strip(": ")[:300] + line


def _judge(exercise, names: dict, called_with: list):
    """Return the outcome for what the course's names stand for, or else for the names that the
    notebook's own check was called with.
    """
    from helpers.checks.exercise import Outcome

    missing = [name for name in exercise.names if name not in names]
    if not missing:
        outcome = exercise.judge(*(names[name] for name in exercise.names))
        if outcome.status != "not_attempted":
            return outcome
    others = tuple(called_with)
    if others and others != exercise.names and all(name in names for name in others):
        return exercise.judge(*(names[name] for name in others))
    if missing:
        words = "not attempted: " + ", ".join(f"`{name}`" for name in missing) + " is not there."
        return Outcome(exercise.number, "not_attempted", words)
    return outcome


if __name__ == "__main__":
    main()
