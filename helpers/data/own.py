"""A learner's own texts: paragraphs out of a folder of text and Markdown files.

>>> paragraphs = read_paragraphs("my_texts")
>>> paragraphs[0]
Paragraph(text='The first bread I baked was …', source='bread/2019.txt', line=1)
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

SUFFIXES = (".txt", ".md")
LEAST_WORDS = 8
LONGEST_NAME = 1000
_FENCE = re.compile(r"\s{0,3}(`{3,}|~{3,})")
_HEADING = re.compile(r"\s{0,3}#{1,6}(\s|$)")
_RULE = re.compile(r"\s{0,3}([-*_])(\s*\1){2,}\s*$")
_UNDERLINE = re.compile(r"\s{0,3}(=+|-+)\s*$")
_BEFORE = re.compile(r"^\s*(>\s?|[-*+]\s+(\[[ xX]\]\s+)?|\d{1,3}[.)]\s+)+")
_IMAGE = re.compile(r"!\[[^\]]*\]\([^)]*\)")
_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")
_PROGRAMS = {b"PK\x03\x04": "a Word file (or another zip)", b"%PDF-": "a PDF", b"{\\rtf": "RTF"}
_COMMENT = re.compile(r"<!--.*?-->", re.S)


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph and where it stands.

    Attributes
    ----------
    text : in one line, with single spaces
    source : its file, relative to the folder that was read, with ``/`` on every system; in
        ``"recipes/bread.md"`` the sub-folder ``recipes`` may serve as a category
    line : the line of the file in which it begins, from 1
    """

    text: str
    source: str
    line: int


def read_paragraphs(
    folder: str | os.PathLike, *, least_words: int = LEAST_WORDS, at_least: int = 1
) -> list[Paragraph]:
    """Return the paragraphs of all ``.txt`` and ``.md`` files in `folder` and its sub-folders.

    A paragraph ends at a blank line. Line breaks inside it become spaces. Files come in the order
    of their paths; those whose name, or whose folder's name, begins with a dot are passed over.
    Of Markdown, headings, front matter, code blocks, rules, comments and pictures are left out, and
    the marks of lists, quotations and links are taken off. A paragraph that comes again, word for
    word, counts once, where it comes first.

    Parameters
    ----------
    folder
        Files must be UTF-8; a byte order mark and Windows' line ends do no harm.
    least_words
        Paragraphs with fewer words (by spaces) are left out: titles, captions, page numbers.
    at_least
        How many paragraphs there must be.

    Raises
    ------
    FileNotFoundError
        When `folder` does not exist.
    NotADirectoryError
        When it is a file.
    ValueError
        When a file is not UTF-8, or fewer than `at_least` paragraphs are found; the message says
        what was found instead and what to do. Also for a text given as
        `folder`, and for limits that are no whole numbers from 1 up.
    """
    for name, given in {"least_words": least_words, "at_least": at_least}.items():
        if isinstance(given, bool) or not isinstance(given, int) or given < 1:
            raise ValueError(f"{name}={given!r}: give a whole number from 1 up")
    if isinstance(folder, str) and ("\n" in folder or len(folder) > LONGEST_NAME):
        raise ValueError(
            f"a text of {len(folder)} characters was given, not the name of a folder. Save the text in "
            "a file that ends in .txt, in a folder, and give the folder's name"
        )
    root = Path(folder).expanduser()
    _check_folder(root, folder)
    files, others = _files(root)
    found: dict[str, Paragraph] = {}
    short = repeated = 0
    unbroken = []
    for path in files:
        content, source = _read(path), path.relative_to(root).as_posix()
        blocks = list(_blocks(content, markdown=path.suffix.lower() == ".md"))
        lines = sum(bool(line.strip()) for line in content.splitlines())
        if lines >= max(3, 3 * len(blocks)):
            unbroken.append((path, source, lines, len(blocks)))
        for line, text in blocks:
            if len(text.split()) < least_words:
                short += 1
            elif text in found:
                repeated += 1
            else:
                found[text] = Paragraph(text, source, line)
    if len(found) < at_least:
        few = f"{short} had fewer than {least_words} words and do not count" * bool(short)
        raise ValueError(
            _too_few(root, len(found), at_least, files, others, few, repeated, unbroken)
        )
    return list(found.values())


def _check_folder(root: Path, given: str | os.PathLike) -> None:
    if root.is_dir():
        return
    if root.exists():
        raise NotADirectoryError(
            f"{str(given)!r} is a file. Put it into a folder and give the folder's name"
        )
    if root.name and Path(root.name).is_dir():
        raise FileNotFoundError(
            f"there is no folder {str(given)!r}, but there is one named {root.name!r} beside this "
            f"notebook: write {root.name!r} alone"
        )
    beside = root.absolute().parent
    neighbours = (
        sorted(p.name for p in beside.iterdir() if p.is_dir() and not p.name.startswith("."))
        if beside.is_dir()
        else []
    )
    there = f" Folders there: {', '.join(neighbours[:8])}." if neighbours else ""
    raise FileNotFoundError(
        f"there is no folder {root.name!r} in {beside}.{there} Make it, put files that end in "
        ".txt or .md into it, and run this again"
    )


def _files(root: Path) -> tuple[list[Path], Counter]:
    """Return the files to read, in order, and how many others there are, by suffix."""
    files, others = [], Counter()
    for place, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if name.startswith("."):
                continue
            path = Path(place, name)
            if path.suffix.lower() in SUFFIXES:
                files.append(path)
            else:
                others[path.suffix.lower() or "no ending"] += 1
    return sorted(files, key=lambda path: path.relative_to(root).parts), others


def _read(path: Path) -> str:
    content = path.read_bytes()
    for start, kind in _PROGRAMS.items():
        if content.startswith(start):
            raise ValueError(
                f"{path} is not UTF-8 but {kind}, whatever its name. Open it in its own program, "
                "select all, copy, and paste it into a new text file"
            )
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in content[:4096]:
        kind, encoding = "not UTF-8 but UTF-16, or no text at all", "utf-16"
    else:
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            kind = f"not UTF-8 (the first foreign byte, {content[error.start]:#04x}, is in line {line})"
            encoding = "cp1252"
    raise ValueError(
        f"{path} is {kind}. Save it again as UTF-8 in your editor (File, Save As, Encoding), or in "
        f"Python: import pathlib; p = pathlib.Path({PurePath(path).as_posix()!r}); "
        f'p.write_text(p.read_text(encoding="{encoding}"), encoding="utf-8")'
    )


def _blocks(content: str, *, markdown: bool) -> Iterator[tuple[int, str]]:
    """Yield each paragraph with the line in which it begins."""
    if markdown:
        content = _COMMENT.sub(lambda found: "\n" * found[0].count("\n"), content)
    lines = re.split(r"\r\n|\r|\n", content)
    if markdown:
        lines = _without_markup(lines)
    start, block = 0, []
    for number, line in enumerate([*lines, ""], start=1):
        if line.strip():
            start = start if block else number
            block.append(line)
        elif block:
            yield start, " ".join(" ".join(block).split())
            block = []


def _without_markup(lines: list[str]) -> list[str]:
    """Return as many lines, blank ones for what is no running text."""
    kept: list[str] = []
    fence, start = "", 0
    if lines and lines[0].strip() == "---":
        ends = [n for n, line in enumerate(lines[1:], 1) if line.strip() in {"---", "..."}]
        start = ends[0] + 1 if ends else 0
        kept = [""] * start
    for line in lines[start:]:
        mark = _FENCE.match(line)
        if fence:
            kept.append("")
            if mark and mark[1].startswith(fence) and not line.strip().strip(fence[0]):
                fence = ""
        elif mark:
            fence = mark[1]
            kept.append("")
        elif kept and kept[-1].strip() and _UNDERLINE.match(line):
            # the line above is a heading only if it stands alone: "---" may end a paragraph, too
            if len(kept) < 2 or not kept[-2].strip():
                kept[-1] = ""
            kept.append("")
        elif _HEADING.match(line) or _RULE.match(line):
            kept.append("")
        else:
            kept.append(_LINK.sub(r"\1", _IMAGE.sub("", _BEFORE.sub("", line, count=1))))
    return kept


def _too_few(root, found, at_least, files, others, short, repeated, unbroken) -> str:
    where = f"{root} holds"
    if not files:
        if not others:
            return f"{where} no files. Put files that end in .txt or .md into it"
        kinds = ", ".join(f"{number} {suffix}" for suffix, number in others.most_common(4))
        return (
            f"{where} no file that ends in .txt or .md, only others ({kinds}). Open them and save "
            "them as plain text, UTF-8"
        )
    kinds = "paragraph" if found == 1 else "paragraphs"
    said = [
        f"{where} {found} {kinds} in {len(files)} file{'s' * (len(files) != 1)}; "
        f"{at_least} are needed."
    ]
    if unbroken:
        path, source, lines, blocks = unbroken[0]
        said.append(
            f"{source} has {lines} lines, but only {blocks} paragraph{'s' * (blocks != 1)}"
            + (f" (and {len(unbroken) - 1} more files look alike)" if len(unbroken) > 1 else "")
            + ": put a blank line where a paragraph ends. If every line is a paragraph, "
            f"open({path.as_posix()!r}, encoding='utf-8').read().splitlines() makes a list of them."
        )
    if short:
        said.append(f"{short}: a smaller least_words in read_paragraphs(…) keeps them.")
    if repeated:
        said.append(f"{repeated} were repetitions.")
    if others:
        kinds = ", ".join(f"{number} {suffix}" for suffix, number in others.most_common(4))
        said.append(f"Files of other kinds were not read ({kinds}).")
    said.append("Add text.")
    return " ".join(said)
