"""What a check of submissions found: as a table, as JSON, as a page."""

from __future__ import annotations

import json
import tempfile
import textwrap
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path

from helpers.cache import replacing
from helpers.checks import EXERCISES
from helpers.course.grading.submissions import Verdict
from helpers.tables import Table

SIGNS = {"passed": "✓", "wrong": "✗", "not_attempted": "·", "crashed": "!", "timed_out": "∞"}
#: For consoles and pipes that have not all of these.
PLAIN_SIGNS = dict(zip(SIGNS, "+x.!~", strict=True))


def plain(text: str) -> str:
    """Return `text` without control characters: a learner's words must not steer a terminal."""
    return "".join(c if c == "\n" or unicodedata.category(c)[0] != "C" else "�" for c in str(text))


def as_json(verdicts: Iterable[Verdict]) -> str:
    """Return a list of objects: notebook, learner, exercise, level, status, message, and the failing input in words."""
    return json.dumps([asdict(verdict) for verdict in verdicts], indent=1) + "\n"


def as_table(verdicts: Sequence[Verdict], width: int = 100, encoding: str = "utf-8") -> str:
    """Return, for a terminal of `width` characters that shows those of `encoding`: a line for each learner, a line for each
    exercise, and what is to be said of everything that is not right."""
    try:
        signs = SIGNS if "".join(SIGNS.values()).encode(encoding) else {}
    except UnicodeEncodeError:
        signs = PLAIN_SIGNS
    columns, lines, cells = _exercises(verdicts), [], _by_learner(verdicts)
    names = [_line(name, 30) for name in cells]
    wide = max(map(len, ["learner", *names]))
    most = max(1, (width - wide) // 6)
    for start in range(0, len(columns), most):
        part = columns[start : start + most]
        lines.append("learner".ljust(wide) + "".join(f"{number:>6}" for number in part))
        for name, found in zip(names, cells.values(), strict=True):
            row = [signs[found[number].status] if number in found else " " for number in part]
            if any(sign != " " for sign in row):
                lines.append((name.ljust(wide) + "".join(f"{sign:>6}" for sign in row)).rstrip())
        lines.append("")
    lines.append("  ".join(f"{sign} {_word(status)}" for status, sign in signs.items()) + "\n")
    for number in columns:
        found = [v for v in verdicts if v.exercise == number]
        right = f"{number:6}{_passed(found):4} of {len(found)} right"
        lines.append(f"{right}   {EXERCISES[number].title}")
    for (notebook, status, message), alike in groupby(
        verdicts, key=lambda v: (v.notebook, v.status, v.message)
    ):
        if status != "passed":
            numbers = ", ".join(verdict.exercise or "no exercise" for verdict in alike)
            lines += ["", f"{signs[status]} {_line(notebook)}, {numbers}: {_word(status)}"]
            if status != "not_attempted":
                lines += [f"  {line}" for line in _paragraph(message, width - 2)]
    return "\n".join([*lines, "", f"{_passed(verdicts)} of {len(verdicts)} right."])


STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; color-scheme: light dark; }
h1, h2 { font-weight: 600; } h2 { margin-top: 2.5rem; } .scroll { overflow-x: auto; }
table { border-collapse: collapse; } th, td { padding: .3rem .7rem; vertical-align: top; white-space: pre-wrap !important; }
thead th { border-bottom: 2px solid; } tbody tr:nth-child(odd) { background: #8882; }
"""


def as_html(verdicts: Sequence[Verdict]) -> str:
    """Return one page, with nothing to load: by learner, by exercise, and every message with the input that failed."""
    columns, count = _exercises(verdicts), Counter((v.exercise, v.status) for v in verdicts)
    learners = []
    for name, found in _by_learner(verdicts).items():
        signs = (SIGNS[found[number].status] if number in found else "" for number in columns)
        learners.append((name, *signs, f"{_passed(found.values())} of {len(found)}"))
    exercises = [
        (n, EXERCISES[n].title, EXERCISES[n].level, *(count[n, s] or "" for s in SIGNS))
        for n in columns
    ]
    answers = [
        (v.learner, v.notebook, v.exercise or "", SIGNS[v.status], v.message, v.failing)
        for v in verdicts
    ]
    tables = (
        ("By learner", ("learner", *columns, "right"), learners),
        ("By exercise", ("", "exercise", "level", *map(_word, SIGNS)), exercises),
        ("Every answer", ("learner", "notebook", "", "", "message", "failing input"), answers),
    )
    parts = []
    for title, head, rows in tables:
        cells = tuple(tuple(map(plain, row)) for row in rows)
        shown = Table(head, cells, (False,) * len(head), 60)._repr_html_()
        parts.append(f'<h2>{title}</h2><div class="scroll">{shown}</div>')
    legend = "&emsp;".join(f"{sign} {_word(status)}" for status, sign in SIGNS.items())
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Search by Meaning: checked notebooks</title>
<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>
<h1>Checked notebooks</h1><p>{_passed(verdicts)} of {len(verdicts)} answers right.</p><p>{legend}</p>
{"".join(parts)}
</body></html>
"""


def write(path: Path, text: str) -> None:
    """Write a report, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


def check_writable(path: Path) -> None:
    """Raise an OSError that says why, if no report can be written to `path`."""
    if path.is_dir():
        raise IsADirectoryError(f"cannot write a report to {path}: it is a folder")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        raise OSError(f"cannot write a report to {path}: {error.strerror}") from None


def _paragraph(text: str, width: int, most: int = 6) -> list[str]:
    """Return `text` as at most `most` lines of at most `width` characters."""
    lines = [part for line in plain(text).split("\n") for part in textwrap.wrap(line, width)]
    if len(lines) > most:
        lines[most - 1 :] = [_line(lines[most - 1], width - 2) + " …"]
    return lines


def _line(text: str, width: int = 1000) -> str:
    """Return `text` on one line of at most `width` characters."""
    line = plain(text).replace("\n", " ")
    return line if len(line) <= width else line[: width - 1] + "…"


def _word(status: str) -> str:
    return "right" if status == "passed" else status.replace("_", " ")


def _passed(verdicts: Iterable[Verdict]) -> int:
    return sum(verdict.status == "passed" for verdict in verdicts)


def _exercises(verdicts: Iterable[Verdict]) -> list[str]:
    used = {verdict.exercise for verdict in verdicts}
    return [number for number in EXERCISES if number in used]


def _by_learner(verdicts: Iterable[Verdict]) -> dict[str, dict[str, Verdict]]:
    """Return learner → exercise → verdict. Of two notebooks of one learner with the same exercise, the second stands under its
    own name."""
    found: dict[str, dict[str, Verdict]] = {}
    for verdict in verdicts:
        twice = verdict.exercise in found.get(verdict.learner, {})
        name = f"{verdict.learner} ({verdict.notebook})" if twice else verdict.learner
        row = found.setdefault(name, {})
        if verdict.exercise is not None:
            row[verdict.exercise] = verdict
    return found
