"""The command ``python -m helpers check``."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from helpers.course.grading import report
from helpers.course.grading.submissions import Limits, SubmissionError, find_submissions
from helpers.course.grading.supervisor import check_all


def run(options) -> int:
    """Check the notebooks that `options` name, print and write the reports, and return 0 when every answer is right, 1 when one
    is not, 2 when there is nothing to check or no report can be written, 130 when it is interrupted."""
    from tqdm import tqdm

    try:
        submissions = find_submissions(options.paths)
        for file in filter(None, (options.json, options.html)):
            report.check_writable(Path(file))
    except (SubmissionError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    limits = Limits(options.seconds, options.memory * 2**30, options.output * 2**20)
    try:
        with (
            warnings.catch_warnings(record=True) as warned,
            tqdm(total=len(submissions), unit=" notebook", disable=None, leave=False) as bar,
            _ending_like_ctrl_c(),
        ):
            warnings.simplefilter("always", RuntimeWarning)
            jobs = options.jobs or max(1, (os.cpu_count() or 1) // 2)
            verdicts = check_all(submissions, limits, jobs=jobs, advance=bar.update)
    except KeyboardInterrupt:  # before the first notebook was begun, or a second time
        print("Interrupted: nothing is reported.", file=sys.stderr)
        return 130
    columns = shutil.get_terminal_size((100, 24)).columns
    print(report.as_table(verdicts, columns, sys.stdout.encoding or "utf-8"), flush=True)
    for warning in warned:
        print(warning.message, file=sys.stderr)
    for file, made in ((options.json, report.as_json), (options.html, report.as_html)):
        if file:
            report.write(Path(file), made(verdicts))
    if len({verdict.notebook for verdict in verdicts}) < len(submissions):
        return 130
    return 0 if all(verdict.status == "passed" for verdict in verdicts) else 1


@contextmanager
def _ending_like_ctrl_c() -> Iterator[None]:
    """Let the signal by which other programs end this one do what Ctrl-C does: nothing is left."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
