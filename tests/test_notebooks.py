"""Executing notebooks, and the rules of the house for every notebook of the course."""

import copy
import os
import re
from pathlib import Path

import nbformat
import pytest
from ipykernel.ipkernel import IPythonKernel
from jupyter_client.kernelspec import get_kernel_spec
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from helpers.course import notebooks, practice
from helpers.course.environment import ROOT
from helpers.course.notebooks import KERNELSPEC, clean, execute, find_notebooks
from helpers.timing import STRICT_VARIABLE

LESSONS = (
    "00_start_here",
    "01_embeddings",
    "02_cosine_similarity",
    "03_semantic_search",
    "04_faiss_exact_vs_ivf",
    "05_chromadb",
    "06_batch_encoding",
    "07_model_evaluation",
    "08_clustering",
)
METADATA = {"kernelspec": KERNELSPEC, "language_info": IPythonKernel.language_info}
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def write(path, *cells, **metadata):
    """Write a notebook of `cells` (a string is code) as an editor would leave it, and return its path."""
    cells = [new_code_cell(cell) if isinstance(cell, str) else cell for cell in cells]
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(new_notebook(cells=cells, metadata=metadata), path)
    return path


def read(path):
    return nbformat.read(path, as_version=4)


# Executing


EDITORS_METADATA = {
    "kernelspec": {"display_name": "My own environment", "language": "python", "name": "my-env"},
    "language_info": {"name": "python", "version": "3.8.0", "file_extension": ".py"},
    "widgets": {
        "application/vnd.jupyter.widget-state+json": {
            "state": {},
            "version_major": 2,
            "version_minor": 0,
        }
    },
    "colab": {"provenance": []},
}


DESCRIBED = (
    f"from base64 import b64decode\nimage = {{'image/png': b64decode('{PNG}'), 'text/plain': 'A dot.'}}\n"
    "about = {'image/png': {'alt': 'A dot.', 'width': 1}, 'isolated': True}\n"
    "display(image, metadata=about, raw=True)"
)


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """A tiny notebook after `execute`, and the seconds it took."""
    stale = new_output("stream", name="stdout", text="from last year")
    path = write(
        tmp_path_factory.mktemp("lesson") / "tiny.ipynb",
        new_markdown_cell("# Tiny", metadata={"editable": True}),
        new_code_cell("import os, sys, time\nx = 6 * 7", execution_count=99, outputs=[stale]),
        new_code_cell(
            "x",
            metadata={"tags": ["keep-me"], "collapsed": True, "ExecuteTime": {"duration": "3 ms"}},
        ),
        "for word in ('one', 'two', 'three'):\n    print(word, flush=True)\n    time.sleep(0.3)",
        "print('out'); print('err', file=sys.stderr); print('out again')",
        "print(os.environ['TQDM_DISABLE'], os.path.basename(os.getcwd()))",
        "from IPython.display import display, Markdown\ndisplay(Markdown('**bold**'))",
        new_code_cell(
            DESCRIBED, metadata={"jupyter": {"source_hidden": True, "outputs_hidden": True}}
        ),
        **EDITORS_METADATA,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("TQDM_DISABLE", raising=False)
        seconds = execute(path)
    return read(path), seconds, path


def test_outputs_are_stored(executed):
    """Values, prints and displays of this run; nothing of an earlier one."""
    notebook, _, path = executed
    assert notebook.cells[1].outputs == []
    assert notebook.cells[2].outputs[0].data["text/plain"] == "42"
    assert notebook.cells[5].outputs[0].text == f"1 {path.parent.name}\n"
    assert notebook.cells[6].outputs[0].data["text/markdown"] == "**bold**"


def test_execution_counts_run_from_1(executed):
    """Whatever they were before; outputs carry the same number."""
    code = [cell for cell in executed[0].cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == [1, 2, 3, 4, 5, 6, 7]
    assert code[1].outputs[0].execution_count == 2


def test_editors_metadata_is_stripped_and_tags_are_kept(executed):
    """Kernel, widgets, timings, collapsed cells."""
    notebook = executed[0]
    assert notebook.metadata == METADATA
    assert [cell.metadata for cell in notebook.cells] == [
        {},
        {},
        {"tags": ["keep-me"]},
        {},
        {},
        {},
        {},
        {"jupyter": {"source_hidden": True}},
    ]


def test_a_pictures_description_is_kept(executed):
    """In the output's metadata, where a website and a test find it; the rest of the metadata is dropped."""
    (output,) = executed[0].cells[-1].outputs
    assert output.metadata == {"image/png": {"alt": "A dot."}}
    assert output.data["image/png"].strip() == PNG


def test_opening_and_saving_in_jupyterlab_changes_nothing(executed, tmp_path):
    """It writes what the kernel says of itself, through the server's contents manager."""
    from jupyter_server.services.contents.filemanager import FileContentsManager

    spec = get_kernel_spec("python3")
    assert executed[0].metadata.kernelspec == {
        "display_name": spec.display_name,
        "language": spec.language,
        "name": "python3",
    }
    assert executed[0].metadata.language_info == IPythonKernel.language_info
    before = executed[2].read_bytes()
    path = tmp_path / "opened.ipynb"
    path.write_bytes(before)
    manager = FileContentsManager(root_dir=str(tmp_path))
    model = manager.get(path.name, type="notebook")
    manager.save({"type": "notebook", "content": model["content"]}, path.name)
    assert path.read_bytes() == before


def test_running_tells_the_kernel_to_be_strict_and_nobody_else(executed, tmp_path):
    """A claim of order that does not hold stores no page; tests and learners get a sentence instead."""
    source = f"import os\nprint(os.environ[{STRICT_VARIABLE!r}])"
    path = write(tmp_path / "strict.ipynb", source)
    execute(path)
    assert read(path).cells[0].outputs[0].text == "1\n"
    assert STRICT_VARIABLE not in os.environ


def test_split_streams_are_joined(executed):
    """What is printed with pauses is one output; stdout and stderr stay apart."""
    notebook = executed[0]
    assert [output.text for output in notebook.cells[3].outputs] == ["one\ntwo\nthree\n"]
    assert {output.name for output in notebook.cells[4].outputs} == {"stdout", "stderr"}


def test_a_notebook_is_valid_and_alone_in_its_folder_after_a_run(executed):
    """No temporary file is left behind."""
    notebook, seconds, path = executed
    nbformat.validate(notebook)
    assert [file.name for file in path.parent.iterdir()] == ["tiny.ipynb"]
    assert seconds > 0


def test_a_second_run_stores_the_same_bytes(tmp_path):
    """No timings, no counters, no identities that change."""
    path = write(tmp_path / "twice.ipynb", "print(1)\nprint(2)", "{'a': 1}", **EDITORS_METADATA)
    execute(path)
    before = path.read_bytes()
    execute(path)
    assert path.read_bytes() == before


def test_a_notebook_whose_cell_raises_is_left_untouched(tmp_path):
    """The old outputs stay; the error says which cell."""
    path = write(
        tmp_path / "bad.ipynb",
        "print('fine')",
        "raise ValueError('the tide is out')",
        "print('never')",
        **EDITORS_METADATA,
    )
    before = path.read_bytes()
    with pytest.raises(CellExecutionError, match="the tide is out"):
        execute(path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["bad.ipynb"]


def stream(text, name="stdout"):
    return new_output("stream", name=name, text=text)


def test_only_neighbours_of_one_stream_are_joined():
    """The order of what was printed, shown and warned is kept."""
    value = new_output("execute_result", data={"text/plain": "1"}, execution_count=1)
    outputs = [
        stream("a"),
        stream("b"),
        stream("c", "stderr"),
        stream("d"),
        value,
        stream("e"),
        stream("f"),
        stream("g"),
    ]
    notebook = new_notebook(cells=[new_code_cell("1", outputs=outputs)])
    clean(notebook)
    found = [(o.get("name"), o.get("text")) for o in notebook.cells[0].outputs]
    assert found == [
        ("stdout", "ab"),
        ("stderr", "c"),
        ("stdout", "d"),
        (None, None),
        ("stdout", "efg"),
    ]


def test_cleaning_twice_changes_nothing_and_the_constant_is_not_touched():
    """`KERNELSPEC` is shared by all notebooks."""
    constant = copy.deepcopy(KERNELSPEC)
    notebook = new_notebook(
        cells=[new_code_cell("1", outputs=[stream("a"), stream("b")])], metadata=EDITORS_METADATA
    )
    clean(notebook)
    once = copy.deepcopy(notebook)
    clean(notebook)
    assert notebook == once
    notebook.metadata["kernelspec"]["name"] = "other"
    fresh = new_notebook()
    clean(fresh)
    assert constant == KERNELSPEC
    assert fresh.metadata == {"kernelspec": constant}


def test_notebooks_are_found_in_order(tmp_path):
    """Lessons, exercises, solutions; each by name; nothing else, nothing deeper."""
    for name in (
        "solutions/b",
        "notebooks/02_x",
        "notebooks/01_y",
        "exercises/a",
        "notebooks/.ipynb_checkpoints/01_y",
        "other/c",
    ):
        write(tmp_path / f"{name}.ipynb")
    (tmp_path / "notebooks" / "notes.txt").touch()
    found = [path.relative_to(tmp_path).as_posix() for path in find_notebooks(tmp_path)]
    assert found == [
        "notebooks/01_y.ipynb",
        "notebooks/02_x.ipynb",
        "exercises/a.ipynb",
        "solutions/b.ipynb",
    ]
    assert find_notebooks(tmp_path / "nowhere") == []


def test_the_command_goes_on_after_a_failure_and_counts_it(tmp_path, capsys):
    """`make run`: the good ones are stored, and the status is the number of the bad ones."""
    bad = write(tmp_path / "a_bad.ipynb", "raise ValueError('the tide is out')")
    good = write(tmp_path / "b_good.ipynb", "1 + 1")
    assert notebooks.main([str(bad), str(good)]) == 1
    said = capsys.readouterr().out
    assert "failed, left as it was" in said
    assert "the tide is out" in said
    assert read(good).cells[0].outputs[0].data["text/plain"] == "2"


def test_the_command_without_arguments_takes_all_notebooks(monkeypatch, capsys, tmp_path):
    """In the course's order."""
    paths = [write(tmp_path / f"{name}.ipynb") for name in ("one", "two")]
    taken = []
    monkeypatch.setattr(notebooks, "find_notebooks", lambda: paths)
    monkeypatch.setattr(notebooks, "execute", lambda path: taken.append(path) or 1.5)
    assert notebooks.main([]) == 0
    assert taken == paths
    assert "1.5 s" in capsys.readouterr().out


def test_the_command_refuses_a_notebook_that_is_not_there(tmp_path):
    """With its name, and a status that is not 0."""
    with pytest.raises(SystemExit, match=r"There is no notebook .*missing\.ipynb"):
        notebooks.main([str(tmp_path / "missing.ipynb")])


@pytest.mark.parametrize(
    "source",
    ["import os\nos._exit(1)", "import time\ntime.sleep(60)"],
    ids=["kernel dies", "too slow"],
)
def test_the_command_goes_on_after_a_dead_kernel_or_a_timeout(
    tmp_path, monkeypatch, capsys, source
):
    """These fail in their own way, and are failures like others."""
    monkeypatch.setattr(notebooks, "CELL_SECONDS", 5)
    bad = write(tmp_path / "a_bad.ipynb", source)
    good = write(tmp_path / "b_good.ipynb", "1 + 1")
    assert notebooks.main([str(bad), str(good)]) == 1
    assert "failed, left as it was" in capsys.readouterr().out
    assert read(good).cells[0].outputs[0].data["text/plain"] == "2"


# The rules of the house


CODE_LINES = 14
ANSWER_LINES = 32  # an answer to an exercise is one function, and cannot be cut into cells
MACHINE_PATHS = re.compile(
    r"(?<![\w.])/(home|Users|root|tmp|work|private|opt|mnt)/\w|site-packages|(?<!\w)[A-Z]:\\+\w|"
    + re.escape(str(Path.home()))
    + r"\b/\w"
)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def outputs(notebook):
    return [output for cell in code_cells(notebook) for output in cell.outputs]


def texts_of(notebook):
    """Yield all that a reader sees as text: sources, prints and values; no pictures."""
    for cell in notebook.cells:
        yield cell.source
    for output in outputs(notebook):
        yield output.get("text", "")
        yield from (
            str(value)
            for mime, value in output.get("data", {}).items()
            if not mime.startswith("image/")
        )


def without_version(metadata):
    """Return `metadata` without the title and the version of Python, which is that of the last run."""
    language = {
        key: value for key, value in metadata.get("language_info", {}).items() if key != "version"
    }
    return {
        **{key: value for key, value in metadata.items() if key != "title"},
        "language_info": language,
    }


def technical_problems(path):
    """Return what is wrong with the file of any notebook."""
    notebook = read(path)
    problems = []
    counts = [cell.execution_count for cell in code_cells(notebook)]
    if counts != list(range(1, len(counts) + 1)):
        problems.append(f"execution counts are {counts}; run it with make run")
    for output in outputs(notebook):
        if output.output_type == "error":
            problems.append(f"an error is stored: {output.ename}: {output.evalue}")
        if output.get("name") == "stderr":
            problems.append(f"stderr is stored: {output.text[:80]!r}")
        problems += [
            f"a picture is {mime}, not PNG"
            for mime in output.get("data", {})
            if mime.startswith("image/") and mime != "image/png"
        ]
    for cell in notebook.cells:
        attached = [mime for bundle in cell.get("attachments", {}).values() for mime in bundle]
        problems += [
            f"an attachment is {mime}, not PNG" for mime in attached if mime != "image/png"
        ]
        if cell.cell_type == "markdown":
            links = re.findall(r"\]\((?!https?:|#|attachment:|mailto:)([^)#\s]+)", cell.source)
            problems += [
                f"a dead link: {link}" for link in links if not (path.parent / link).exists()
            ]
        if set(cell.metadata) - {"tags", "jupyter"} or set(cell.metadata.get("jupyter", ())) - {
            "source_hidden"
        }:
            problems.append(f"a cell has the metadata {dict(cell.metadata)}")
    if notebook.metadata.get("kernelspec", {}).get("name") != "python3":
        problems.append("the kernel is not python3")
    if without_version(notebook.metadata) != without_version(METADATA):
        problems.append(f"the notebook's metadata are {dict(notebook.metadata)}")
    if path.stat().st_size >= 1_000_000:
        problems.append(f"{path.stat().st_size:,} bytes; a notebook stays under 1 MB")
    for cell in code_cells(notebook):
        # A recap with numbers from variables is prose, and imports are a list.
        read_as_code = not cell.source.startswith(("Markdown(", "import ", "from "))
        most = ANSWER_LINES if practice.BEGIN in cell.source else CODE_LINES
        if len(cell.source.splitlines()) > most and read_as_code:
            problems.append(
                f"{len(cell.source.splitlines())} lines of code in one cell: {cell.source[:60]!r}"
            )
        if not cell.source.strip():
            problems.append("an empty code cell")
    problems += [
        f"a path of somebody's machine: {found[0]!r}"
        for text in texts_of(notebook)
        if (found := MACHINE_PATHS.search(text))
    ]
    return problems


def lesson_problems(path):
    """Return what a lesson lacks: its heading, its promises, its ending."""
    cells = read(path).cells
    number = path.name[:2]
    problems = []
    if (
        not cells
        or cells[0].cell_type != "markdown"
        or not re.match(rf"# {number} · \S", cells[0].source)
    ):
        problems.append(f"the first cell is no heading '# {number} · Title'")
    if not any(
        "You will be able to" in cell.source for cell in cells[:2] if cell.cell_type == "markdown"
    ):
        problems.append("the words 'You will be able to' are missing at the beginning")
    ending = cells[-1].source if cells and cells[-1].cell_type == "markdown" else ""
    if not re.search(r"^#+ References\n+\S", ending, flags=re.MULTILINE):
        problems.append("the last cell does not end with references")
    following = sorted(path.parent.glob(f"{int(number) + 1:02}_*.ipynb"))
    if following and f"]({following[0].name})" not in ending:
        problems.append(f"the last cell has no link to the next lesson, {following[0].name}")
    if "Next" not in ending:
        problems.append("the last cell does not say what comes next")
    return problems


HERE = find_notebooks()


def test_the_first_lessons_are_there():
    """Without this, the rules below would hold for a course without notebooks."""
    present = {path.stem for path in HERE if path.parent == ROOT / "notebooks"}
    assert [lesson for lesson in LESSONS if lesson not in present] == []


@pytest.mark.parametrize("path", HERE, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_file_of_every_notebook_is_clean(path):
    """Counts, outputs, metadata, size, cells, paths, pictures, links."""
    assert technical_problems(path) == []


@pytest.mark.parametrize(
    "path", [path for path in HERE if path.parent.name == "notebooks"], ids=lambda path: path.stem
)
def test_every_lesson_has_its_parts(path):
    """Heading, promises, references, the way on."""
    assert lesson_problems(path) == []


# The rules' own tests


def sound_lesson():
    """Return a lesson that breaks no rule."""
    code = new_code_cell(
        "1 + 1",
        execution_count=1,
        outputs=[new_output("execute_result", {"text/plain": "2"}, execution_count=1)],
    )
    plot = new_code_cell(
        "plot()",
        execution_count=2,
        outputs=[new_output("display_data", {"image/png": PNG, "text/plain": "<Figure>"})],
    )
    return new_notebook(
        cells=[
            new_markdown_cell("# 01 · Waves\n\n**Why?**"),
            new_markdown_cell("You will be able to\n\n* swim"),
            code,
            plot,
            new_markdown_cell(
                "**Next:** [02 · Tides](02_tides.ipynb).\n\n## References\n\n* Newton, *Principia*, 1687."
            ),
        ],
        metadata=copy.deepcopy(METADATA),
    )


def check(notebook, tmp_path):
    path = tmp_path / "01_waves.ipynb"
    nbformat.write(notebook, path)
    (tmp_path / "02_tides.ipynb").touch()
    return technical_problems(path) + lesson_problems(path)


def test_a_sound_lesson_has_no_problems(tmp_path):
    """The rules can be kept."""
    assert check(sound_lesson(), tmp_path) == []


def set_count(notebook):
    notebook.cells[3].execution_count = 3


def forget_to_run(notebook):
    notebook.cells[3].execution_count = None


def store_an_error(notebook):
    notebook.cells[2].outputs = [new_output("error", ename="ValueError", evalue="no", traceback=[])]


def warn(notebook):
    notebook.cells[2].outputs.append(stream("a warning", "stderr"))


def draw_svg(notebook):
    notebook.cells[3].outputs[0].data["image/svg+xml"] = "<svg/>"


def attach_jpeg(notebook):
    notebook.cells[0]["attachments"] = {"a.jpg": {"image/jpeg": PNG}}


def collapse(notebook):
    notebook.cells[2].metadata["collapsed"] = True


def other_kernel(notebook):
    notebook.metadata["kernelspec"]["name"] = "my-env"


def colab(notebook):
    notebook.metadata["colab"] = {"provenance": []}


def grow(notebook):
    notebook.cells[3].outputs[0].data["image/png"] = "A" * 1_000_000


def write_a_long_cell(notebook):
    notebook.cells[2].source = "\n".join(["x = 1"] * (CODE_LINES + 1))


def leave_an_empty_cell(notebook):
    notebook.cells[3].source = " \n"


def print_a_path(notebook):
    notebook.cells[2].outputs.append(stream("/home/ada/course/.venv/lib/x.py"))


def show_a_windows_path(notebook):
    notebook.cells[2].outputs[0].data["text/plain"] = r"WindowsPath('C:\\Users\\ada')"


def write_a_path(notebook):
    notebook.cells[1].source += "\nSee /tmp/results.csv"


def drop_the_heading(notebook):
    notebook.cells[0].source = "# Waves"


def number_it_otherwise(notebook):
    notebook.cells[0].source = "# 02 · Waves"


def promise_nothing(notebook):
    notebook.cells[1].source = "Let us begin."


def cite_nobody(notebook):
    notebook.cells[-1].source = "**Next:** [02 · Tides](02_tides.ipynb).\n\n## References\n"


def end_with_code(notebook):
    notebook.cells.append(new_code_cell("1", execution_count=3))


def lead_nowhere(notebook):
    notebook.cells[-1].source = "**Next:** something.\n\n## References\n\n* Newton."


def link_to_nothing(notebook):
    notebook.cells[1].source += "\n[map](../map.md)"


BREAKS = {
    set_count: "execution counts",
    forget_to_run: "execution counts",
    store_an_error: "an error is stored",
    warn: "stderr is stored",
    draw_svg: "not PNG",
    attach_jpeg: "attachment",
    collapse: "a cell has the metadata",
    other_kernel: "kernel is not python3",
    colab: "the notebook's metadata",
    grow: "under 1 MB",
    write_a_long_cell: "15 lines of code",
    leave_an_empty_cell: "empty code cell",
    print_a_path: "somebody's machine",
    show_a_windows_path: "somebody's machine",
    write_a_path: "somebody's machine",
    drop_the_heading: "no heading",
    number_it_otherwise: "no heading",
    promise_nothing: "You will be able to",
    cite_nobody: "references",
    end_with_code: "references",
    lead_nowhere: "no link to the next lesson",
    link_to_nothing: "a dead link",
}


@pytest.mark.parametrize("spoil", BREAKS, ids=lambda spoil: spoil.__name__)
def test_each_rule_notices_when_it_is_broken(spoil, tmp_path):
    """One lesson for every way to go wrong."""
    notebook = sound_lesson()
    spoil(notebook)
    problems = check(notebook, tmp_path)
    assert any(BREAKS[spoil] in problem for problem in problems), problems
