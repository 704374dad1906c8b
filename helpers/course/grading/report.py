"""What a check of submissions found: as a table, as JSON, as a page."""

from __future__ import annotations

import html
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
    exercise, and what is to be said of everything that is not right.
    """
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
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem;
  color: #1b2733; background: #fff; }
h1 { font-weight: 600; } h2 { margin-top: 2.5rem; font-weight: 600; }
table { border-collapse: collapse; } th, td { padding: .3rem .7rem; text-align: left; }
thead th { border-bottom: 2px solid #1b2733; } tbody tr:nth-child(odd) { background: #f3f5f7; }
td.sign { text-align: center; font-weight: 700; } td.passed { color: #00654b; }
td.wrong { color: #a33d00; } td.crashed, td.timed_out { color: #8a1c50; } td.not_attempted { color: #68737d; }
th, td { white-space: nowrap; vertical-align: top; } .scroll { overflow-x: auto; }
td pre { margin: 0; white-space: pre-wrap; font: inherit; min-width: 24rem; }
@media (prefers-color-scheme: dark) { body { color: #e3e8ec; background: #14191e; }
  tbody tr:nth-child(odd) { background: #1e252b; } thead th { border-color: #e3e8ec; }
  td.passed { color: #4fd1a5; } td.wrong { color: #ff9d5c; } td.crashed, td.timed_out { color: #ff86bd; }
  td.not_attempted { color: #98a3ad; } }
"""


def as_html(verdicts: Sequence[Verdict]) -> str:
    """Return one page, with nothing to load: by learner, by exercise, and every message with the input that failed."""
    columns, cells = _exercises(verdicts), _by_learner(verdicts)
    head = "".join(f"<th title='{_safe(EXERCISES[n].title)}'>{n}</th>" for n in columns)
    rows = "".join(
        f"<tr><th scope='row'>{_safe(name)}</th>"
        + "".join(_sign(found.get(number)) for number in columns)
        + f"<td>{_passed(found.values())} of {len(found)}</td></tr>"
        for name, found in cells.items()
    )
    count = Counter((v.exercise, v.status) for v in verdicts)
    exercises = "".join(
        f"<tr><th scope='row'>{n}</th><td>{_safe(EXERCISES[n].title)}</td><td>{EXERCISES[n].level}</td>"
        + "".join(f"<td>{count[n, status] or ''}</td>" for status in SIGNS)
        + "</tr>"
        for n in columns
    )
    messages = "".join(
        f"<tr><td>{_safe(v.learner)}</td><td>{_safe(v.notebook)}</td><td>{v.exercise or ''}</td>"
        f"{_sign(v)}<td><pre>{_safe(v.message)}</pre></td><td><pre>{_safe(v.failing)}</pre></td></tr>"
        for v in verdicts
    )
    words = "".join(f"<th>{_word(status)}</th>" for status in SIGNS)
    legend = "&emsp;".join(f"{sign} {_word(status)}" for status, sign in SIGNS.items())
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Search by Meaning: checked notebooks</title>
<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>
<h1>Checked notebooks</h1><p>{_passed(verdicts)} of {len(verdicts)} answers right.</p><p>{legend}</p>
<h2>By learner</h2><div class="scroll"><table><thead><tr><th>learner</th>{head}<th>right</th></tr></thead>
<tbody>{rows}</tbody></table></div>
<h2>By exercise</h2><div class="scroll"><table><thead><tr><th></th><th>exercise</th><th>level</th>{words}</tr></thead>
<tbody>{exercises}</tbody></table></div>
<h2>Every answer</h2><div class="scroll"><table><thead><tr><th>learner</th><th>notebook</th><th></th><th></th>
<th>message</th><th>failing input</th></tr></thead><tbody>{messages}</tbody></table></div>
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


def _safe(text: str) -> str:
    return html.escape(plain(text))


def _sign(verdict: Verdict | None) -> str:
    if verdict is None:
        return "<td></td>"
    said = _safe(f"{_word(verdict.status)}: {verdict.message}")
    return f"<td class='sign {verdict.status}' title='{said}'>{SIGNS[verdict.status]}</td>"


def _exercises(verdicts: Iterable[Verdict]) -> list[str]:
    used = {verdict.exercise for verdict in verdicts}
    return [number for number in EXERCISES if number in used]


def _by_learner(verdicts: Iterable[Verdict]) -> dict[str, dict[str, Verdict]]:
    """Return learner → exercise → verdict. Of two notebooks of one learner with the same exercise, the second stands under its
    own name.
    """
    found: dict[str, dict[str, Verdict]] = {}
    for verdict in verdicts:
        twice = verdict.exercise in found.get(verdict.learner, {})
        name = f"{verdict.learner} ({verdict.notebook})" if twice else verdict.learner
        row = found.setdefault(name, {})
        if verdict.exercise is not None:
            row[verdict.exercise] = verdict
    return found
