"""Runs one notebook inside its own process: ``python -m helpers.course.grading.worker``, started by `process`.

It reads what to do as a line of JSON from standard input, and tells as lines of JSON, on what was standard output, which step
it is at and what came of it. All that the notebook prints goes to standard error. Verdicts carry the secret of the task.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress

#: Bytes that a notebook may write into one file.
MOST_FILE = 2**30


def main() -> None:
    """Run the cells and the checks, behind a guard where the system can fork: what a notebook takes for its parent, and may
    kill, is then not the process that checks the others; and on Linux what loses its parent stays below the guard."""
    if not hasattr(os, "fork"):
        _work()
        return
    if sys.platform.startswith("linux"):
        import ctypes

        child_subreaper = 36  # PR_SET_CHILD_SUBREAPER of prctl(2)
        ctypes.CDLL(None).prctl(child_subreaper, 1, 0, 0, 0)
    worker = os.fork()
    if worker == 0:
        _work()
        return
    ended, status = 0, 0
    while ended != worker:  # what a notebook has left without a parent may end before it
        ended, status = os.wait()
    _end_children()
    if os.WIFSIGNALED(status):
        os.kill(os.getpid(), os.WTERMSIG(status))
    os._exit(os.waitstatus_to_exitcode(status))


def _end_children() -> None:
    import psutil

    for _ in range(50):  # until none is left: one may start another while it is looked for
        left = psutil.Process().children(recursive=True)
        if not left:
            break
        for child in left:
            with suppress(psutil.Error):
                child.kill()
        psutil.wait_procs(left, timeout=5)


def _work() -> None:
    events = os.fdopen(os.dup(1), "w", encoding="ascii")
    task = json.loads(sys.stdin.readline())
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_FILE, MOST_FILE))

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
        status, message, failing = outcome.status, outcome.message[:4000], outcome.failing[:4000]
        meddled = snapshot.restore()
        if meddled and status == "passed":
            status, message = "crashed", f"it changes the course while it is checked: {meddled[0]}"
        if last or status in ("passed", "timed_out", "crashed"):
            found = {"status": status, "message": message, "failing": failing}
            tell(secret=task["secret"], number=number, **found)
            left.remove(number)
        if status == "timed_out":  # its thread may still be running
            os._exit(0)

    for cell in task["cells"]:
        if cell["check"] in left:
            check(cell["check"], last=False)
        elif not cell["check"]:
            tell(at="cell", place=cell["place"])
            error = _run(shell, cell["source"])
            tell(done="cell", place=cell["place"], error=error)
    sys.settrace(None)
    sys.setprofile(None)
    for number in list(left):  # an answer may stand below its check, or its check be gone
        check(number, last=True)
    tell(secret=task["secret"], done="all")
    os._exit(0)  # without waiting for threads of the notebook


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
    said = line = ""
    with suppress(BaseException):  # an exception can fail to say what it is, too
        said = str(error)
        if isinstance(error, SyntaxError):
            said, line = error.msg, f", line {error.lineno}" if error.lineno else ""
    return f"{type(error).__name__}: {said}".split("\n")[0].strip(": ")[:300] + line


def _judge(exercise, names: dict, called_with: list):
    """Return the outcome for what the course's names stand for, or else for the names that the notebook's own check had."""
    from helpers.checks.frame import Outcome

    missing = [name for name in exercise.names if name not in names]
    words = f"not attempted: {', '.join(f'`{name}`' for name in missing)} is not there."
    outcome = Outcome(exercise.number, "not_attempted", words)
    for wanted in (exercise.names, tuple(called_with)):
        if wanted and outcome.status == "not_attempted" and all(name in names for name in wanted):
            outcome = exercise.judge(*(names[name] for name in wanted))
    return outcome


if __name__ == "__main__":
    main()
