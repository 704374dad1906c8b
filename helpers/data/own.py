"""A learner's own texts: paragraphs out of a folder of files.

>>> paragraphs = read_paragraphs("my_texts")
>>> paragraphs[0]
Paragraph(text='The first bread I baked was …', source='bread/2019.txt', line=1)
"""

from __future__ import annotations

import codecs
import importlib
import os
import re
import unicodedata
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

LEAST_WORDS = 8
#: Kinds of file that hold text and are not read as they are, and what to do about them.
_INSTEAD = {
    ".pdf": "%pip install pypdf",
    ".docx": "%pip install python-docx",
    ".csv": "pandas.read_csv(file)['name of the column with the texts'].tolist() makes a list of texts",
    **dict.fromkeys((".doc", ".odt", ".rtf", ".pages"), "save it as .docx or as plain text"),
    **dict.fromkeys((".htm", ".html"), "open it in a browser, copy the text into a .txt file"),
}
_NAME = "read_paragraphs(…, encoding='…')"
_PASTE = "Open it in its own program, select all, copy, and paste it into a new text file"
_PROGRAMS = {
    b"PK\x03\x04": "a Word file (or another zip)",
    b"\xd0\xcf\x11\xe0": "an old Word file",
    b"%PDF-": "a PDF",
    b"{\\rtf": "RTF",
}
_MARKS = {b"\xff\xfe\0\0": "utf-32", b"\0\0\xfe\xff": "utf-32"}
_MARKS |= {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
#: In which order, where a text would be good in several. Each is what an editor of these years may have written.
_ENCODINGS = ["cp1252", "cp1250", "mac_roman", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256"]
_ENCODINGS += ["gb18030", "big5", "cp949", "cp932", "euc_jp", "cp874"]
_MOST_DOUBT = 0.1  # charset-normalizer's "chaos": 0 is a text without an odd character
_SAMPLE = 10_000
# Scripts that put no spaces between words: Chinese and Japanese, with about two characters a word; Thai, Lao,
# Khmer and Burmese, with about four.
_DENSE = "\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_LOOSE = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
_WORD = re.compile(f"[{_DENSE}]{{1,2}}|[{_LOOSE}]{{1,4}}|[^\\s{_DENSE}{_LOOSE}]+")
_LINE_BREAK = re.compile(f"(?<=[{_DENSE}，。、！？；：])\\s*\n\\s*(?=[{_DENSE}])")


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph in one line, with single spaces, and where it stands.

    ``source`` is its file, relative to the folder that was read, with ``/`` on every system; in ``"recipes/bread.md"`` the
    sub-folder ``recipes`` may serve as a category. ``line`` is the line of the file in which it begins, from 1; in a PDF its
    page, in a Word file the number of its paragraph.
    """

    text: str
    source: str
    line: int


def read_paragraphs(
    folder: str | os.PathLike,
    *,
    least_words: int = LEAST_WORDS,
    at_least: int = 1,
    encoding: str | None = None,
) -> list[Paragraph]:
    """Return the paragraphs of all ``.txt`` and ``.md`` files in `folder` and its sub-folders; those of ``.pdf`` and ``.docx``
    files too, where the packages pypdf and python-docx are installed. No file is ever changed.

    A paragraph ends at a blank line, in a PDF also with its page. Line breaks inside it become spaces. Files come in the order of
    their paths; those whose name, or whose folder's name, begins with a dot are passed over. Of Markdown, headings, front matter,
    fenced code, rules, comments and pictures are left out, and marks are taken off. A paragraph that comes again, word for word,
    counts once, where it comes first. Letters with accents are single characters (Unicode's NFC), however the file has them.

    Paragraphs with fewer words than `least_words` are left out: titles, captions, page numbers. Words are counted by spaces;
    two characters of Chinese or Japanese count as a word, four of Thai. `encoding` is what files that are not UTF-8 are written
    in, such as ``"cp1252"``; None: it is detected, and a UserWarning says how each was read, with a piece of it to look at.
    Another one names files that hold text but were not read, and what to do.

    Raises FileNotFoundError and NotADirectoryError for what is no folder; ValueError when a file is no text, no encoding fits, or
    fewer than `at_least` paragraphs are found, with what was found instead and what to do.
    """
    _check_arguments(folder, least_words, at_least, encoding)
    root = Path(folder).expanduser()
    _check_folder(root, str(folder))
    files, others = _files(root)
    found: dict[str, Paragraph] = {}
    short, repeated, unbroken = 0, 0, []
    for path in files:
        source = path.relative_to(root).as_posix()
        lines, blocks = _read(path, source, encoding)
        if lines >= max(3, 3 * len(blocks)):
            unbroken.append((source, lines, len(blocks)))
        for line, block in blocks:
            text = " ".join(_LINE_BREAK.sub("", unicodedata.normalize("NFC", block)).split())
            if len(_WORD.findall(text)) < least_words:
                short += 1
            elif text in found:
                repeated += 1
            else:
                found[text] = Paragraph(text, source, line)
    kinds = [(suffix, number) for suffix, number in others.most_common() if suffix in _INSTEAD]
    advice = "; ".join(f"{number} {suffix} ({_INSTEAD[suffix]})" for suffix, number in kinds)
    if len(found) < at_least:
        shorter = f"{short} had fewer than {least_words} words and do not count" * bool(short)
        why = (len(found), at_least, len(files), others, advice, shorter, repeated, unbroken)
        raise ValueError(_too_few(root, *why))
    if advice:
        warnings.warn(f"Not read: {advice}", UserWarning, stacklevel=2)
    return list(found.values())


def _check_arguments(folder, least_words, at_least, encoding) -> None:
    for name, given in {"least_words": least_words, "at_least": at_least}.items():
        if isinstance(given, bool) or not isinstance(given, int) or given < 1:
            raise ValueError(f"{name}={given!r}: give a whole number from 1 up")
    try:
        codecs.lookup(encoding or "utf-8")
    except (LookupError, TypeError):
        such = "such are 'cp1252' (Windows), 'mac_roman', 'gb18030'"
        raise ValueError(f"encoding={encoding!r} is unknown; {such}") from None
    if isinstance(folder, str) and ("\n" in folder or len(folder) > 1000):
        what = f"a text of {len(folder)} characters was given, not the name of a folder"
        how = "Save the text in a file that ends in .txt, in a folder, and give the folder's name"
        raise ValueError(f"{what}. {how}")


def _check_folder(root: Path, given: str) -> None:
    if root.is_dir():
        return
    if root.exists():
        how = "Put it into a folder and give the folder's name"
        raise NotADirectoryError(f"{given!r} is a file. {how}")
    name, beside = root.name, root.absolute().parent
    if name and Path(name).is_dir():
        there = f"there is one named {name!r} beside this notebook: write {name!r} alone"
        raise FileNotFoundError(f"there is no folder {given!r}, but {there}")
    inside = beside.iterdir() if beside.is_dir() else ()
    near = sorted(path.name for path in inside if path.is_dir() and path.name[0] != ".")
    there = f" Folders there: {', '.join(near[:8])}." if near else ""
    how = "Make it, put files that end in .txt or .md into it, and run this again"
    raise FileNotFoundError(f"there is no folder {name!r} in {beside}.{there} {how}")


def _files(root: Path) -> tuple[list[Path], Counter]:
    """Return the files to read, in order, and how many others there are, by suffix."""
    suffixes = {".txt", ".md"} | {s for s in (".pdf", ".docx") if _library(s)}
    files, others = [], Counter()
    for place, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name[0] != "."]
        for path in (Path(place, name) for name in names if not name.startswith((".", "~$"))):
            if path.suffix.lower() in suffixes:
                files.append(path)
            else:
                others[path.suffix.lower() or "no ending"] += 1
    return sorted(files, key=lambda path: path.relative_to(root).parts), others


def _library(suffix: str):
    """Return the package that reads files with `suffix`, or None where it is not installed."""
    try:
        return importlib.import_module({".pdf": "pypdf", ".docx": "docx"}[suffix])
    except ImportError:
        return None


def _read(path: Path, source: str, encoding: str | None) -> tuple[int, list[tuple[int, str]]]:
    """Return how many lines a file has (0 where lines mean nothing), and its paragraphs, each with the line where it begins."""
    suffix = path.suffix.lower()
    if suffix in (".txt", ".md"):
        text = re.sub(r"\r\n?", "\n", _decoded(path, source, encoding))
        lines = sum(bool(line.strip()) for line in text.split("\n"))
        return lines, list(_running_text(text) if suffix == ".md" else _blocks(text))
    library = _library(suffix)
    try:
        if suffix == ".pdf":
            pages = [page.extract_text() for page in library.PdfReader(path).pages]
            return 0, [(n, text) for n, page in enumerate(pages, 1) for _, text in _blocks(page)]
        return 0, list(_word_blocks(library.Document(path)))
    except Exception as error:  # whatever a damaged or locked file does to the library
        what = f"{path} cannot be read ({type(error).__name__}: {error})"
        raise ValueError(f"{what}. {_PASTE}") from error


def _word_blocks(document) -> Iterator[tuple[int, str]]:
    """Yield paragraphs and rows of tables of a Word file, headings aside, with their numbers."""
    for number, item in enumerate(document.iter_inner_content(), 1):
        if hasattr(item, "rows"):
            for row in item.rows:  # a cell that spans columns stands in each
                yield number, " ".join(dict.fromkeys(cell.text for cell in row.cells))
        elif item.text.strip() and not item.style.name.startswith(("Heading", "Title")):
            yield number, item.text


def _decoded(path: Path, source: str, encoding: str | None) -> str:
    """Return the text of the file at `path`, which is left as it is; warn when it is not UTF-8."""
    content = path.read_bytes()
    for start, kind in _PROGRAMS.items():
        if content.startswith(start):
            raise ValueError(f"{path} is {kind}, whatever its name. {_PASTE}")
    for start, marked in _MARKS.items():
        if content.startswith(start):
            return content.decode(marked, "replace")
    try:
        if b"\0" not in content[:4096]:
            return content.decode("utf-8-sig")
        place = 0
    except UnicodeDecodeError as error:
        place = content.rfind(b"\n", 0, error.start) + 1
    chosen = encoding or _detected(content, place)
    if chosen is None:
        what = f"{path} is not UTF-8, and reads as a text in no usual encoding. If it is one, name its encoding"
        raise ValueError(f"{what}: {_NAME}, such as 'cp1252' (Windows) or 'mac_roman'")
    text = _mixed(content) if chosen == "utf-8" else content.decode(chosen, "replace")
    line = content.count(b"\n", 0, place)
    (sample,) = text.split("\n")[line : line + 1] or [text]
    odd = [word for word in sample.split() if not word.isascii()] or sample.split()
    words = "UTF-8 with characters from Windows in it" if chosen == "utf-8" else chosen
    what = f"{source} is not UTF-8; it was read as {words}, so that line {line + 1} has"
    seen = f"“{' '.join(odd[:4])[:60]}”. If that looks wrong: {_NAME}"
    warnings.warn(f"{what} {seen}", UserWarning, stacklevel=4)
    return text


def _detected(content: bytes, place: int) -> str | None:
    """Return the encoding that fits `content` best, which from the line at `place` on is not UTF-8."""
    from charset_normalizer import from_bytes

    candidates = ["utf_16_le", "utf_16_be"]
    if b"\0" not in content[:4096]:
        text, candidates = content.decode("utf-8", "replace"), _ENCODINGS
        strange = text.count("\ufffd")
        if sum(not character.isascii() for character in text) > 2 * strange:
            return "utf-8"  # most letters beyond ASCII are right in it, which is hardly chance
    end = content.find(b"\n", place + _SAMPLE)
    sample = content[place : end if end > 0 else None]
    whole = {"steps": 1, "chunk_size": len(sample)}  # pieces that begin within a word look odd
    limits = {"cp_isolation": candidates, "threshold": _MOST_DOUBT, "enable_fallback": False}
    matches = from_bytes(sample, **whole, **limits)
    # Old Macs' letters are signs to Windows and the other way round; where both read well, Windows is likelier.
    likely = sorted(matches, key=lambda m: candidates.index(m.encoding))
    likely.sort(
        key=lambda m: (round(m.chaos, 2), m.encoding == "mac_roman", -round(m.coherence * 20))
    )
    return likely[0].encoding if likely else None


def _mixed(content: bytes) -> str:
    """Return UTF-8 in which single bytes are Windows': pasted quotation marks, most often."""
    text = content.removeprefix(codecs.BOM_UTF8).decode("utf-8", "surrogateescape")
    odd = re.compile("[\udc80-\udcff]")
    return odd.sub(lambda o: bytes([ord(o[0]) - 0xDC00]).decode("cp1252", "replace"), text)


def _blocks(text: str) -> Iterator[tuple[int, str]]:
    """Yield what blank lines divide, with the line in which it begins."""
    start, block = 0, []
    for number, line in enumerate([*text.split("\n"), ""], start=1):
        if line.strip():
            start = start if block else number
            block.append(line)
        elif block:
            yield start, "\n".join(block)
            block = []


def _running_text(markdown: str) -> Iterator[tuple[int, str]]:
    """Yield the paragraphs of a Markdown text, with the line in which each begins. What stands line by line without a gap is
    one paragraph: the items of a list, the rows of a table."""
    from markdown_it import MarkdownIt

    # Indented lines count as text: more often they are somebody's paragraph than code.
    tokens = MarkdownIt("commonmark").enable("table").disable("code").parse(_past_matter(markdown))
    start = before = end = -1
    block: list[str] = []
    for place, token in enumerate(tokens):
        if token.type == "html_block":
            text = _html_text(token.content)
        elif token.type == "inline":
            text = "".join(map(_inline_text, token.children or []))
            if tokens[place - 2].type == "list_item_open":
                text = re.sub(r"^\[[ xX]\]\s", "", text)
            # A rule right below two lines or more is rather the end of a paragraph than a heading's underline.
            if tokens[place - 1].type == "heading_open" and "\n" not in token.content:
                continue
        else:
            continue
        first, last = token.map or (before, end)
        if first not in (before, end) and block:
            yield start + 1, "\n".join(block)
            block = []
        start, before, end = (start if block else first), first, last
        block += [text] if text.strip() else []
    if block:
        yield start + 1, "\n".join(block)


def _past_matter(markdown: str) -> str:
    """Return `markdown` with blank lines for its front matter: a mapping in YAML between two rules, from the first line on."""
    import yaml

    found = re.match(r"---[ \t]*\n(?=\S)(.*?\n)(?:---|\.\.\.)[ \t]*(?:\n|\Z)", markdown, re.S)
    try:
        if found and isinstance(yaml.safe_load(found[1]), dict):
            return "\n" * found[0].count("\n") + markdown[found.end() :]
    except yaml.YAMLError:
        pass
    return markdown


def _inline_text(token) -> str:
    if token.type in ("softbreak", "hardbreak") or token.content.startswith("<br"):
        return "\n"
    return token.content if token.type in ("text", "code_inline", "text_special") else ""


def _html_text(html: str) -> str:
    """Return what a reader sees of a block of HTML."""
    pieces: list[str] = []
    parser = HTMLParser()
    parser.handle_data = pieces.append
    parser.feed(re.sub(r"(?is)<(script|style)\b.*?</\1>", "", html))
    parser.close()
    return " ".join(pieces)


def _too_few(root, found, at_least, files, others, advice, short, repeated, unbroken) -> str:
    kinds = ", ".join(f"{number} {suffix}" for suffix, number in others.most_common(4))
    if not files and not others:
        return f"{root} holds no files. Put files that end in .txt or .md into it"
    if not files:
        what = f"{root} holds no file that ends in .txt or .md, only others ({kinds})"
        return f"{what}. {advice or 'Open them and save them as plain text, UTF-8'}"
    said = [
        f"{root} holds {_many(found, 'paragraph')} in {_many(files, 'file')}; {at_least} are needed."
    ]
    if unbroken:
        source, lines, blocks = unbroken[0]
        more = f" (and {len(unbroken) - 1} more files look alike)" * (len(unbroken) > 1)
        made = f"open({(root / source).as_posix()!r}, encoding='utf-8').read().splitlines()"
        said += [
            f"{source} has {lines} lines, but only {_many(blocks, 'paragraph')}{more}: put a blank line where a paragraph",
            f"ends. If every line is a paragraph, {made} makes a list of them.",
        ]
    if short:
        said.append(f"{short}: a smaller least_words in read_paragraphs(…) keeps them.")
    if repeated:
        said.append(f"{repeated} were repetitions.")
    if others:
        how = f": {advice}" if advice else ""
        said.append(f"Files of other kinds were not read ({kinds}){how}.")
    return " ".join([*said, "Add text."])


def _many(number: int, thing: str) -> str:
    return f"{number} {thing}{'s' * (number != 1)}"
