"""Paragraphs out of a folder of one's own: what is read, what is left out, and what the errors say."""

import unicodedata
import warnings

import pytest

from helpers.data import Paragraph, own, read_paragraphs

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
            "c.png": b"PK\x03\x04\0",
            "d.json": NINE,
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
        (f"- {EIGHT}\n\n- {NINE}", [EIGHT, NINE]),
        (f"---\n\n{EIGHT}\n\n---\n\n{NINE}", [EIGHT, NINE]),
        (f"Write `<!--` first {EIGHT}\n\n{NINE}\n\n`-->`", [f"Write <!-- first {EIGHT}", NINE]),
        (f"```\n<!-- {EIGHT}\n```\n\n{NINE}", [NINE]),
        (f"    {EIGHT} indented", [f"{EIGHT} indented"]),
        (
            f"| one | two |\n|---|---|\n| {EIGHT} | *nine* |\n| ten | <b>&amp;</b> |",
            [f"{NINE} ten &"],
        ),
        (f"<details>\n<p>{EIGHT}<!-- x --></p><script>y</script>\n</details>", [EIGHT]),
        (
            "one *two* **three** four<br>five \\* six `seven` ~ eight",
            ["one two three four five * six seven ~ eight"],
        ),
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
        (b"\x89PNG\0\0\0\x01\x02\xff\xfe", "reads as a text in no usual encoding"),
        ("Паром отходит в девять часов".encode("koi8_r"), "name its encoding"),
        (b"PK\x03\x04\0\0", "a Word file .* paste it into a new text file"),
        (b"%PDF-1.7 no zero byte", "a PDF, whatever its name"),
    ],
)
def test_what_is_no_text_or_fits_no_encoding(folder, content, says):
    """It names the file and says what to do."""
    root = folder({"a.txt": EIGHT, "sub/bad.txt": content})
    with pytest.raises(ValueError, match=rf"bad\.txt is .*{says}"):
        read_paragraphs(root)
    assert (root / "sub/bad.txt").read_bytes() == content


FERRY = {
    "cp1252": "Die Fähre fährt über die große Bucht, jeden Morgen um neun.",
    "mac_roman": "L’été dernier, le bateau partait à neuf heures précises, où qu’on aille.",
    "cp1250": "Prom na wyspę odpływa każdego ranka dokładnie o dziewiątej, a piekarz już śpi.",
    "cp1251": "Паром на остров отходит каждое утро ровно в девять часов.",
    "cp1253": "Το πλοίο για το νησί φεύγει κάθε πρωί στις εννέα ακριβώς.",
    "cp1255": "המעבורת לאי יוצאת בכל בוקר בשעה תשע בדיוק",
    "cp1256": "تغادر العبارة إلى الجزيرة كل صباح في الساعة التاسعة تماما",
    "gb18030": "渡轮每天早上九点开往岛上，面包师在凌晨四点开始工作。",
    "big5": "渡輪每天早上九點開往島上，麵包師在凌晨四點開始工作。",
    "cp932": "フェリーは毎朝九時に島へ出発し、パン屋は朝四時に働き始めます。",
    "cp949": "페리는 매일 아침 아홉 시에 섬으로 출발합니다, 항상 그렇습니다.",
    "utf-16-le": "The ferry leaves at nine, every single morning.",
}


@pytest.mark.parametrize("encoding", FERRY)
def test_other_encodings_are_detected_and_the_file_is_left_alone(folder, encoding):
    """It is said, with words of the line to look at: a guess can be wrong."""
    content = f"{EIGHT}\n\n{FERRY[encoding]}".encode(encoding)
    root = folder({"a.txt": content})
    with pytest.warns(UserWarning, match=r"a\.txt is not UTF-8; it was read as .* has “") as warned:
        assert texts(root) == [EIGHT, FERRY[encoding]]
    assert len(warned) == 1
    assert (root / "a.txt").read_bytes() == content


@pytest.mark.parametrize("encoding", ["cp1252", "mac_roman", "cp1251", "gb18030"])
@pytest.mark.parametrize("repeated", [20, 3000])
def test_long_files_are_detected_as_short_ones_are(folder, encoding, repeated):
    """A sample is looked at, which may begin and end anywhere."""
    content = f"{FERRY[encoding]}\n\n" * repeated
    with pytest.warns(UserWarning, match="it was read as"):
        assert texts(folder({"a.txt": content.encode(encoding)})) == [FERRY[encoding]]


def test_utf_8_with_bytes_of_windows_in_it(folder):
    """A quotation mark pasted from elsewhere does not make the whole file Windows'."""
    content = (
        "The café is open and the baker".encode() + b"\x92" + "s bread is good, übrigens".encode()
    )
    with pytest.warns(UserWarning, match="UTF-8 with characters from Windows"):
        assert texts(folder({"a.txt": content})) == [
            "The café is open and the baker’s bread is good, übrigens"
        ]


def test_the_encoding_can_be_named(folder):
    """It holds for files that are not UTF-8; one that does not exist is refused."""
    text = "Паром на остров отходит каждое утро в девять."
    root = folder({"a.txt": text.encode("koi8_r"), "b.txt": f"{EIGHT} é"})
    with pytest.warns(UserWarning, match="read as koi8_r"):
        assert texts(root, encoding="koi8_r") == [text, f"{EIGHT} é"]
    with pytest.raises(ValueError, match="encoding='ansi-1' is unknown"):
        read_paragraphs(root, encoding="ansi-1")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig"])
def test_byte_order_marks_are_believed(folder, encoding):
    """No guess, no warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert texts(folder({"a.txt": f"{EIGHT} é".encode(encoding)})) == [f"{EIGHT} é"]


def test_words_of_scripts_without_spaces_are_counted(folder):
    """By characters: a sentence of Chinese or Thai is no title. No space is put where a line of Chinese goes on."""
    chinese, thai = (
        "渡轮每天早上九点开往岛上，下午五点返回",
        "เรือข้ามฟากออกจากท่าทุกเช้าเวลาเก้าโมงตรงทุกวัน",
    )
    root = folder({"a.txt": f"{chinese}，\n{chinese}\n\n{thai}\n\n面包\n\n{EIGHT}"})
    assert texts(root) == [f"{chinese}，{chinese}", thai, EIGHT]


def test_accents_are_one_character_however_they_were_written(folder):
    """macOS takes them apart: the same paragraph twice is one."""
    composed = unicodedata.normalize("NFC", f"Café crème à la carte {EIGHT}")
    root = folder({"a.txt": unicodedata.normalize("NFD", composed), "b.txt": composed})
    assert [(p.text, p.source) for p in read_paragraphs(root)] == [(composed, "a.txt")]


def pdf(*pages):
    """The bytes of a PDF with a line of text on each page."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"",
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    for page in pages:
        stream = f"BT /F 12 Tf 72 700 Td ({page}) Tj ET".encode()
        objects.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Resources<</Font<</F 3 0 R>>>>"
            + f"/Contents {len(objects) + 2} 0 R>>".encode()
        )
        objects.append(b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream))
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(len(pages)))
    objects[1] = f"<</Type/Pages/Kids[{kids}]/Count {len(pages)}>>".encode()
    out, places = b"%PDF-1.4\n", []
    for number, item in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj%s endobj\n" % (number, item)
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    end = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer<</Root 1 0 R/Size {len(objects) + 1}>>\n"
    return out + f"{end}startxref\n{len(out)}\n%%EOF".encode()


def test_pdf(folder):
    """A paragraph for each page, which is its line; a damaged file is named."""
    pytest.importorskip("pypdf", reason="an extra: pip install pypdf")
    root = folder({"a.pdf": pdf(EIGHT, "short", NINE)})
    assert read_paragraphs(root) == [Paragraph(EIGHT, "a.pdf", 1), Paragraph(NINE, "a.pdf", 3)]
    (root / "b.pdf").write_bytes(b"%PDF-1.4 and nothing else")
    with pytest.raises(ValueError, match=r"b\.pdf cannot be read"):
        read_paragraphs(root)


def test_word(folder):
    """Paragraphs and rows of tables; no headings, no lock files."""
    docx = pytest.importorskip("docx", reason="an extra: pip install python-docx")
    document = docx.Document()
    document.add_heading(NINE)
    document.add_paragraph(f"{EIGHT}\nnine")
    row = document.add_table(rows=1, cols=2).rows[0]
    row.cells[0].text, row.cells[1].text = EIGHT, "ten"
    root = folder({"~$a.docx": b"x"})
    document.save(root / "a.docx")
    assert read_paragraphs(root) == [
        Paragraph(NINE, "a.docx", 2),
        Paragraph(f"{EIGHT} ten", "a.docx", 3),
    ]


def test_files_that_hold_text_and_are_not_read_are_named(folder, monkeypatch):
    """With what to do; pictures are nobody's concern."""
    monkeypatch.setattr(own, "_library", lambda suffix: None)
    root = folder({"a.txt": EIGHT, "b.pdf": b"%PDF-", "c.docx": b"PK", "d.csv": NINE, "e.png": b""})
    with pytest.warns(UserWarning, match=r"^Not read: ") as warned:
        assert texts(root) == [EIGHT]
    said = str(warned[0].message)
    assert "1 .csv (pandas.read_csv" in said
    assert "1 .docx (%pip install python-docx); 1 .pdf (%pip install pypdf)" in said
    assert "png" not in said


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "no files. Put files that end in .txt or .md"),
        (
            {"a.doc": b"%", "b.csv": b"", "c.csv": b""},
            r"only others \(2 .csv, 1 .doc\)\. 2 .csv \(pandas",
        ),
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
    root = folder(files | {"x.txt": f"{NINE} 0 {EIGHT} {EIGHT}", "y.png": b""})
    assert len(read_paragraphs(root, at_least=3)) == 3
    with pytest.raises(ValueError, match="3 paragraphs in 4 files; 30 are needed") as error:
        read_paragraphs(root, at_least=30)
    said = str(error.value)
    assert "0.txt has 3 lines, but only 1 paragraph (and 2 more files look alike): put" in said
    assert "1 were repetitions" in said
    assert "not read (1 .png)" in said


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
