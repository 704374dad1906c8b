"""Paragraphs out of a folder of one's own: what is read, what is left out, and what the errors say."""

import pytest

from helpers.data import Paragraph, read_paragraphs

EIGHT = "one two three four five six seven eight"
NINE = f"{EIGHT} nine"


@pytest.fixture
def folder(tmp_path):
    """Return a function that fills a folder with files by path, and returns the folder."""

    def fill(files):
        root = tmp_path / "my_texts"
        root.mkdir()
        for path, content in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content if isinstance(content, bytes) else content.encode())
        return root

    return fill


def texts(root, **settings):
    return [paragraph.text for paragraph in read_paragraphs(root, **settings)]


def test_files_in_order_with_source_and_line(folder):
    """Sub-folders included; the source is relative and reads alike on every system."""
    root = folder({"b.txt": f"{EIGHT} b", "a/z.md": f"\n\n{EIGHT} z", "a/y.TXT": f"{EIGHT} y"})
    assert read_paragraphs(root) == [
        Paragraph(f"{EIGHT} y", "a/y.TXT", 1),
        Paragraph(f"{EIGHT} z", "a/z.md", 3),
        Paragraph(f"{EIGHT} b", "b.txt", 1),
    ]
    assert read_paragraphs(str(root)) == read_paragraphs(root)


def test_blank_lines_divide_and_line_breaks_do_not(folder):
    """Also where the blank line holds spaces, and where several follow each other."""
    root = folder({"a.txt": f"{EIGHT}\n  nine\n \t\n\n\n{EIGHT}  ten\n"})
    assert texts(root) == [NINE, f"{EIGHT} ten"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_and_byte_order_mark(folder, end):
    """Files from Windows and old ones from a Mac."""
    content = f"{EIGHT}{end}nine{end}{end}{EIGHT}"
    root = folder({"a.txt": b"\xef\xbb\xbf" + content.encode()})
    assert read_paragraphs(root) == [Paragraph(NINE, "a.txt", 1), Paragraph(EIGHT, "a.txt", 4)]


def test_short_ones_are_left_out(folder):
    """Fewer than least_words; exactly as many stay."""
    root = folder({"a.txt": f"Title\n\n{EIGHT}\n\n7\n\n{NINE}"})
    assert texts(root) == [EIGHT, NINE]
    assert texts(root, least_words=9) == [NINE]
    assert texts(root, least_words=1) == ["Title", EIGHT, "7", NINE]


def test_a_repetition_counts_once(folder):
    """Where it comes first."""
    root = folder({"a.txt": f"{EIGHT}\n\n{NINE}", "b.txt": EIGHT.replace(" ", "\n")})
    assert [(p.text, p.source) for p in read_paragraphs(root)] == [
        (EIGHT, "a.txt"),
        (NINE, "a.txt"),
    ]


def test_hidden_files_and_other_kinds_are_passed_over(folder):
    """Checkpoints, settings of an editor, pictures."""
    root = folder(
        {
            "a.txt": EIGHT,
            ".b.txt": NINE,
            ".ipynb_checkpoints/a.txt": NINE,
            "c.docx": b"PK\x03\x04\0",
            "d.csv": NINE,
        }
    )
    assert texts(root) == [EIGHT]


def test_a_hidden_folder_given_by_name_is_read(tmp_path):
    """The dot matters inside the folder only."""
    root = tmp_path / ".notes"
    root.mkdir()
    (root / "a.txt").write_text(EIGHT)
    assert texts(root) == [EIGHT]


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        (f"# {NINE}\n{EIGHT}", [EIGHT]),
        (f"{NINE}\n=====\n{EIGHT}", [EIGHT]),
        (f"{NINE}\n---\n\n{EIGHT}", [EIGHT]),
        (f"{NINE}\nten eleven\n---\n{EIGHT}", [f"{NINE} ten eleven", EIGHT]),
        (f"---\ntitle: {NINE}\ntags: a\n---\n{EIGHT}", [EIGHT]),
        (f"{EIGHT}\n\n```python\n{NINE}\n\n# {NINE}\n```\n\n~~~\n{NINE}\n~~~", [EIGHT]),
        (f"{EIGHT}\n\n***\n\n<!-- {NINE}\n\n{NINE} -->", [EIGHT]),
        ("- one two three\n- four five\n- six seven eight", [EIGHT]),
        ("- [x] one two three\n1. four five\n> six seven eight", [EIGHT]),
        ("one [two three](http://x.org/a) ![p](q.png) four five six seven eight", [EIGHT]),
        ("#one two three four five six seven eight", [f"#{EIGHT}"]),
        (f"{EIGHT} -5 * 3", [f"{EIGHT} -5 * 3"]),
    ],
)
def test_markdown(folder, markdown, expected):
    """What is no running text goes; marks are taken off."""
    assert texts(folder({"a.md": markdown})) == expected


def test_in_text_files_nothing_is_markup(folder):
    """A number sign is a number sign."""
    assert texts(folder({"a.txt": f"# {EIGHT}\n---"})) == [f"# {EIGHT} ---"]


def test_lines_are_counted_in_the_file_as_it_is(folder):
    """Front matter, comments and code leave their lines."""
    root = folder({"a.md": f"---\na: b\n---\n<!-- x\ny -->\n```\nz\n```\n{EIGHT}"})
    assert read_paragraphs(root) == [Paragraph(EIGHT, "a.md", 9)]


def test_no_such_folder(tmp_path):
    """It says where it looked and what is there."""
    (tmp_path / "my_text").mkdir()
    with pytest.raises(
        FileNotFoundError, match=r"no folder 'my_texts' in .*Folders there: my_text\."
    ):
        read_paragraphs(tmp_path / "my_texts")
    with pytest.raises(FileNotFoundError, match="no folder 'b'"):
        read_paragraphs(tmp_path / "a" / "b")


def test_a_path_from_elsewhere(folder, monkeypatch):
    """The folder is there, beside the notebook."""
    monkeypatch.chdir(folder({"a.txt": EIGHT}).parent)
    with pytest.raises(FileNotFoundError, match="one named 'my_texts' beside this notebook"):
        read_paragraphs("exercises/my_texts")


def test_a_file_for_a_folder(folder):
    """One file is put into a folder."""
    with pytest.raises(NotADirectoryError, match="is a file"):
        read_paragraphs(folder({"a.txt": EIGHT}) / "a.txt")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (
            f"{EIGHT}\nCafé".encode("cp1252"),
            r"not UTF-8 \(the first foreign byte, 0xe9, is in line 2",
        ),
        (EIGHT.encode("utf-16"), 'UTF-16.*encoding="utf-16"'),
        (b"\x89PNG\0\0\0", "no text at all"),
        (b"PK\x03\x04\0\0", "a Word file .* paste it into a new text file"),
        (b"%PDF-1.7 no zero byte", "a PDF, whatever its name"),
    ],
)
def test_not_utf_8(folder, content, says):
    """It names the file and says how to save it again."""
    with pytest.raises(ValueError, match=rf"bad\.txt is .*{says}"):
        read_paragraphs(folder({"a.txt": EIGHT, "sub/bad.txt": content}))


def test_the_advice_for_other_encodings_works(folder):
    """The line of Python that the message gives."""
    root = folder({"bad.txt": f"{EIGHT}\nCafé".encode("cp1252")})
    with pytest.raises(ValueError, match="in Python: ") as error:
        read_paragraphs(root)
    exec(str(error.value).split("in Python: ")[1], {})
    assert texts(root) == [f"{EIGHT} Café"]


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "no files. Put files that end in .txt or .md"),
        ({"a.pdf": b"%", "b.docx": b"", "c.docx": b""}, r"only others \(2 .docx, 1 .pdf\)"),
        ({"README": NINE}, r"only others \(1 no ending\)"),
        ({"a.txt": "\n\n"}, "0 paragraphs in 1 file; 1 are needed"),
        ({"a.txt": "too short\n\nas well"}, "2 had fewer than 8 words and do not count: a smaller"),
        (
            {"a.txt": "a line\nanother\na third"},
            "a.txt has 3 lines, but only 1 paragraph: put a blank",
        ),
    ],
)
def test_nothing_found(folder, files, says):
    """It says what was found instead."""
    with pytest.raises(ValueError, match=says):
        read_paragraphs(folder(files))


def test_too_few(folder):
    """With the number that is wanted, and the likely reasons."""
    files = {f"{n}.txt": f"{NINE} {n}\n{EIGHT}\n{EIGHT}" for n in range(3)}
    root = folder(files | {"x.txt": f"{NINE} 0 {EIGHT} {EIGHT}", "y.pdf": b""})
    assert len(read_paragraphs(root, at_least=3)) == 3
    with pytest.raises(ValueError, match="3 paragraphs in 4 files; 30 are needed") as error:
        read_paragraphs(root, at_least=30)
    said = str(error.value)
    assert "0.txt has 3 lines, but only 1 paragraph (and 2 more files look alike): put" in said
    assert "1 were repetitions" in said
    assert "not read (1 .pdf)" in said


def test_the_advice_for_a_paragraph_on_each_line_works(folder):
    """As Word saves it, under a heading; the expression that the message gives."""
    lines = [f"{EIGHT} {n}" for n in range(5)]
    root = folder({"a.txt": "Title\n\n" + "\n".join(lines)})
    with pytest.raises(ValueError, match="6 lines, but only 2 paragraphs") as error:
        read_paragraphs(root, at_least=5)
    found = eval(str(error.value).split("is a paragraph, ")[1].split(" makes a list")[0])
    assert found == ["Title", "", *lines]


@pytest.mark.parametrize("wrong", [0, -1, 2.5, True, "8"])
def test_limits_are_whole_numbers(folder, wrong):
    """From 1 up."""
    root = folder({"a.txt": EIGHT})
    with pytest.raises(ValueError, match="least_words="):
        read_paragraphs(root, least_words=wrong)
    with pytest.raises(ValueError, match="at_least="):
        read_paragraphs(root, at_least=wrong)


@pytest.mark.parametrize("text", ["one\n\ntwo", "long " * 300])
def test_a_text_for_a_folder(text):
    """It goes into a file first."""
    with pytest.raises(ValueError, match="characters was given, not the name of a folder"):
        read_paragraphs(text)


def test_the_check_of_one_s_own_engine_does_without_the_model(monkeypatch):
    """It judges what it can, and says what it could not compare."""
    from proofs.project_1 import run

    from helpers import encoding
    from helpers.checks import EXERCISES

    def broken(texts, model):
        raise MemoryError

    monkeypatch.setattr(encoding, "encode", broken)
    outcome = EXERCISES["P1.4"].judge(*run())
    assert outcome.status == "passed"
    assert "not compared with MiniLM's here: MemoryError" in outcome.message
