"""The command ``python -m helpers check``."""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path

from helpers.grading import report
from helpers.grading.submissions import SubmissionError, find_submissions
from helpers.grading.supervisor import Limits, check_all


def run(options) -> int:
    """Check the notebooks that `options` name, print and write the reports, and return 0 when
    every answer is right, 1 when one is not, 2 when there is nothing to check.
    """
    from tqdm import tqdm

    try:
        submissions = find_submissions(options.paths)
    except SubmissionError as error:
        print(error, file=sys.stderr)
        return 2
    limits = Limits(options.seconds, int(options.memory * 2**30), int(options.output * 2**20))
    with (
        warnings.catch_warnings(record=True) as warned,
        tqdm(total=len(submissions), unit=" notebook", disable=None, leave=False) as bar,
    ):
        warnings.simplefilter("always", RuntimeWarning)
        verdicts = check_all(submissions, limits, jobs=options.jobs, advance=bar.update)
    for warning in warned:
        print(warning.message, file=sys.stderr)
    if options.json:
        report.write(Path(options.json), report.as_json(verdicts))
    if options.html:
        report.write(Path(options.html), report.as_html(verdicts))
    table = report.as_table(verdicts) + "\n"
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(table.encode(encoding, "replace").decode(encoding))
    return 0 if all(verdict.status == "passed" for verdict in verdicts) else 1


def default_jobs() -> int:
    """Return how many notebooks to run at a time: one for every two cores."""
    return max(1, (os.cpu_count() or 1) // 2)
