"""Encoding once: the cache, whose vectors are whose, damage, two processes, and streams that are killed."""

import contextlib
import copy
import hashlib
import json
import os
import random
import sqlite3
import subprocess
import sys
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers import cache as cache_room
from helpers import encoding, fingerprints
from helpers.cache import DiskCache, cache_folder, file_sha256
from helpers.encoding import check_texts, encode, encode_to_file, model_fingerprint

#: How often a stream is killed. More, for doubters: ENCODING_KILLS=20 pytest tests/test_encoding.py
KILLS = int(os.environ.get("ENCODING_KILLS", "5"))
TEXTS = [f"text number {number}" for number in range(20)]

#: Before the vectors in a .npy file.
HEADER_BYTES = 128


class FakeModel:
    """Gives every text a vector of its own, not of norm 1 unless asked to, and remembers what it encoded."""

    def __init__(self, cache_key="fake, revision 1", dimension=8, kind=0):
        self.cache_key, self.dimension, self.kind = cache_key, dimension, kind
        self.encoded = []

    def get_embedding_dimension(self):
        return self.dimension

    def encode(
        self, texts, batch_size=32, normalize_embeddings=False, show_progress_bar=None, prompt=""
    ):
        self.encoded += texts
        vectors = np.array([self.vector(prompt + text) for text in texts])
        if normalize_embeddings:
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors

    def vector(self, text):
        seed = zlib.crc32(text.encode("utf-8", "surrogatepass"))
        return 5 * np.random.default_rng([self.kind, seed]).normal(size=self.dimension)

    def expected(self, texts, normalize=True, prompt=""):
        """What `encode` should give."""
        return (
            type(self)(dimension=self.dimension, kind=self.kind)
            .encode(list(texts), normalize_embeddings=normalize, prompt=prompt)
            .astype(np.float32)
        )


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def tiny_model(tiny_bert):
    """A model of 1,500 parameters, one's own."""
    return copy.deepcopy(tiny_bert)


def store_of(cache):
    return DiskCache(cache).path


def fresh(**settings):
    return FakeModel(**settings)


# The result


def test_shape_type_and_order(cache):
    """Row i belongs to text i, whatever the order in which the texts are encoded."""
    texts = ["a long text, with many words in it", "b", "a text of middling length", "cc"]
    vectors = encode(texts, fresh(), cache=cache)
    assert vectors.shape == (4, 8)
    assert vectors.dtype == np.float32
    assert vectors.flags.c_contiguous
    assert vectors.flags.writeable
    np.testing.assert_array_equal(vectors, fresh().expected(texts))
    np.testing.assert_array_equal(encode(texts[::-1], fresh(), cache=cache), vectors[::-1])


@pytest.mark.parametrize("use_cache", [True, False])
def test_a_text_twice_is_encoded_once(cache, use_cache):
    model = fresh()
    texts = ["b", "a", "b", "c", "a", "b"]
    vectors = encode(texts, model, cache=cache if use_cache else False)
    assert sorted(model.encoded) == ["a", "b", "c"]
    np.testing.assert_array_equal(vectors, model.expected(texts))


@pytest.mark.parametrize("empty", [[], (), iter([])])
def test_no_texts(cache, empty):
    model = fresh()
    vectors = encode(empty, model, cache=cache)
    assert vectors.shape == (0, 8)
    assert vectors.dtype == np.float32
    assert model.encoded == []


def test_any_iterable(cache):
    expected = fresh().expected(TEXTS)
    for given in (tuple(TEXTS), iter(TEXTS), (text for text in TEXTS)):
        np.testing.assert_array_equal(encode(given, fresh(), cache=cache), expected)


def test_strange_texts(cache):
    """Empty, blank, long, right-to-left, with a zero byte, an emoji, and one of NumPy's strings."""
    texts = ["", " ", "x" * 100_000, "مرحبا", "a\0b", "a", "🙂", np.str_("numpy")]
    for _ in range(2):
        np.testing.assert_array_equal(encode(texts, fresh(), cache=cache), fresh().expected(texts))


def test_without_a_cache_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.setenv("SEARCH_BY_MEANING_CACHE", str(tmp_path))
    model = fresh()
    encode(["a"], model, cache=False)
    encode(["a"], model, cache=False)
    assert model.encoded == ["a", "a"]
    assert list(tmp_path.iterdir()) == []


def test_the_courses_cache_is_the_default(tmp_path, monkeypatch):
    monkeypatch.setenv("SEARCH_BY_MEANING_CACHE", str(tmp_path))
    encode(["a"], fresh())
    assert store_of(tmp_path / "embeddings").is_file()


def test_a_progress_bar_over_what_is_encoded(cache, monkeypatch, capsys):
    """After a second, with the number of texts that are not in the cache; by itself only where somebody looks."""
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    bars = []

    class Bar:
        def __init__(self, **settings):
            self.settings, self.done = settings, 0
            bars.append(self)

        def __enter__(self):
            return self

        def __exit__(self, *error):
            pass

        def update(self, number):
            self.done += number

    monkeypatch.setattr("tqdm.auto.tqdm", Bar)
    encode(TEXTS, fresh(), cache=cache, show_progress=False)
    assert bars == []
    encode([*TEXTS, "new", "newer"], fresh(), cache=cache, show_progress=True)
    encode(TEXTS, fresh(), cache=cache, show_progress=True)
    assert [(bar.settings["total"], bar.done) for bar in bars] == [(2, 2)]
    assert bars[0].settings["delay"] == 1
    assert bars[0].settings["disable"] is False
    encode_to_file(TEXTS, cache / "a.npy", fresh(), chunk_size=7)
    assert (bars[-1].settings["total"], bars[-1].done) == (20, 20)
    assert bars[-1].settings["disable"] is None  # tqdm's own: not where stderr is no terminal
    monkeypatch.setenv("TQDM_DISABLE", "1")  # as in stored notebooks
    encode(["newest"], fresh(), cache=cache, show_progress=True)
    assert len(bars) == 2
    assert capsys.readouterr() == ("", "")


# The cache


def test_hits_do_not_call_the_model(cache):
    first = encode(TEXTS, fresh(), cache=cache)
    again = fresh()
    np.testing.assert_array_equal(encode(TEXTS, again, cache=cache), first)
    assert again.encoded == []


def test_only_what_is_new_is_encoded(cache):
    encode(TEXTS[:10], fresh(), cache=cache)
    model = fresh()
    texts = [TEXTS[12], TEXTS[3], TEXTS[11], TEXTS[3]]
    vectors = encode(texts, model, cache=cache)
    assert sorted(model.encoded) == [TEXTS[11], TEXTS[12]]
    np.testing.assert_array_equal(vectors, model.expected(texts))


def test_more_texts_than_one_query_or_one_write_holds(cache, monkeypatch):
    monkeypatch.setattr(encoding, "SAVE_SECONDS", 0)
    texts = [f"{number}" for number in range(1_100)]
    expected = fresh().expected(texts)
    np.testing.assert_array_equal(encode(texts, fresh(), cache=cache), expected)
    model = fresh()
    np.testing.assert_array_equal(encode(texts, model, cache=cache), expected)
    assert model.encoded == []


@pytest.mark.parametrize("error", [MemoryError, KeyboardInterrupt])
def test_stopped_half_way_everything_encoded_is_kept(cache, error):
    """However little it is: Ctrl+C after three texts costs none of them."""

    class Stopping(FakeModel):
        def encode(self, texts, **settings):
            if len(self.encoded) >= 8:
                raise error
            return super().encode(texts, **settings)

    with pytest.raises(error):
        encode(TEXTS, Stopping(), cache=cache, batch_size=2)
    model = fresh()
    np.testing.assert_array_equal(encode(TEXTS, model, cache=cache), model.expected(TEXTS))
    assert len(model.encoded) == 12


def test_a_kill_costs_what_came_since_the_last_save(cache):
    """SIGKILL: what was encoded for longer than `SAVE_SECONDS` is on the disk, nobody having had time to say goodbye."""
    code = """
import os, sys
sys.path.insert(0, sys.argv[1])
from test_encoding import FakeModel, TEXTS
from helpers import encoding
encoding.SAVE_SECONDS = 0
class Killed(FakeModel):
    def encode(self, texts, **settings):
        if len(self.encoded) >= 12:
            os.kill(os.getpid(), 9)
        return super().encode(texts, **settings)
encoding.encode(TEXTS, Killed(), cache=sys.argv[2], batch_size=2)
"""
    killed = child(code, Path(__file__).parent, cache)
    _, errors = killed.communicate(timeout=60)
    assert (killed.returncode != 0, errors) == (True, "")
    model = fresh()
    np.testing.assert_array_equal(encode(TEXTS, model, cache=cache), model.expected(TEXTS))
    assert len(model.encoded) == 8


OTHERS = {
    "model": ({"cache_key": "another, revision 1", "kind": 2}, {}),
    "revision": ({"cache_key": "fake, revision 2", "kind": 3}, {}),
    "dimension": ({"cache_key": "fake, 4 dimensions", "dimension": 4}, {}),
    "normalisation": ({}, {"normalize": False}),
    "prompt": ({}, {"prompt": "query: "}),
}


@pytest.mark.parametrize("other", OTHERS)
def test_what_changes_a_vector_separates_entries(cache, other):
    """Each the other way round too: nobody gets the other's vectors, and each finds its own again."""
    model_settings, call_settings = OTHERS[other]
    cases = [({}, {}), (model_settings, call_settings)]
    expected = [fresh(**m).expected(TEXTS, **c) for m, c in cases]
    assert expected[0].shape != expected[1].shape or not np.array_equal(*expected)
    for encodes in (True, False):
        for (m, c), right in zip(cases, expected, strict=True):
            model = fresh(**m)
            np.testing.assert_array_equal(encode(TEXTS, model, cache=cache, **c), right)
            assert bool(model.encoded) == encodes


def test_batch_size_and_progress_do_not_separate_entries(cache):
    encode(TEXTS, fresh(), cache=cache)
    model = fresh()
    encode(TEXTS, model, cache=cache, batch_size=3)
    assert model.encoded == []


def test_the_number_of_files_does_not_grow(cache):
    for number in range(30):
        encode([f"text {number}"], fresh(cache_key=f"model {number % 3}"), cache=cache)
    assert len(list(cache.iterdir())) <= 3


# Damage


def entries(cache):
    with contextlib.closing(sqlite3.connect(store_of(cache))) as connection:
        return connection.execute("SELECT count(*) FROM vectors").fetchone()[0]


def damaged_file(path, how):
    size = path.stat().st_size
    content = bytearray(path.read_bytes())
    if how == "empty":
        content = b""
    elif how == "garbage":
        content = random.Random(1).randbytes(size)
    elif how == "half":
        content = content[: size // 2]
    elif how == "torn page":
        content = content[: size - 1_000]
    elif how == "header":
        content[:100] = b"\0" * 100
    elif how == "middle":
        content[size // 4 : 3 * size // 4] = random.Random(1).randbytes(
            len(content[size // 4 : 3 * size // 4])
        )
    elif how == "another database":
        path.unlink()
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE vectors (something TEXT)")
            connection.commit()
        return
    path.write_bytes(content)


@pytest.mark.parametrize(
    "how", ["empty", "garbage", "half", "torn page", "header", "middle", "another database"]
)
def test_a_damaged_file_is_detected_and_redone(cache, how, recwarn):
    texts = [f"text {number}" for number in range(400)]
    expected = fresh().expected(texts)
    encode(texts, fresh(), cache=cache)
    damaged_file(store_of(cache), how)
    np.testing.assert_array_equal(encode(texts, fresh(), cache=cache), expected)
    np.testing.assert_array_equal(encode(texts, fresh(), cache=cache), expected)
    model = fresh()
    np.testing.assert_array_equal(encode(texts, model, cache=cache), expected)
    assert model.encoded == []
    assert not recwarn.list


@pytest.mark.parametrize("place", range(8))
def test_a_file_cut_off_anywhere_gives_right_vectors(cache, place):
    texts = [f"text {number}" for number in range(200)]
    encode(texts, fresh(), cache=cache)
    path = store_of(cache)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * place // 8 + 13])
    np.testing.assert_array_equal(encode(texts, fresh(), cache=cache), fresh().expected(texts))


@pytest.mark.parametrize("change", ["one bit", "shorter", "two exchanged"])
def test_a_damaged_entry_is_encoded_again_and_no_other(cache, change):
    """Damage that SQLite cannot see: the file is in order, what stands in it is not."""
    encode(TEXTS, fresh(), cache=cache)
    with contextlib.closing(sqlite3.connect(store_of(cache))) as connection:
        (one, vector), (two, other) = connection.execute(
            "SELECT rowid, vector FROM vectors LIMIT 2"
        ).fetchall()
        changed = {
            "one bit": [(bytes([vector[0] ^ 1]) + vector[1:], one)],
            "shorter": [(vector[:-4], one)],
            "two exchanged": [(other, one), (vector, two)],
        }[change]
        connection.executemany("UPDATE vectors SET vector = ? WHERE rowid = ?", changed)
        connection.commit()
    model = fresh()
    np.testing.assert_array_equal(encode(TEXTS, model, cache=cache), model.expected(TEXTS))
    assert len(model.encoded) == len(changed)
    again = fresh()
    np.testing.assert_array_equal(encode(TEXTS, again, cache=cache), model.expected(TEXTS))
    assert again.encoded == []


def test_deleting_the_cache_is_safe(cache):
    encode(TEXTS, fresh(), cache=cache)
    store_of(cache).unlink()
    np.testing.assert_array_equal(encode(TEXTS, fresh(), cache=cache), fresh().expected(TEXTS))
    assert entries(cache) == len(TEXTS)


def read_only(path, monkeypatch):
    """For the owner of everything a folder is never read-only: let SQLite and the lock say what they say to others."""

    def refuse(*arguments, **settings):
        raise PermissionError(13, "Permission denied", str(path))

    path.mkdir(parents=True)
    monkeypatch.setattr(cache_room.DiskCache, "_insert", refuse)


UNUSABLE = {
    "a folder where the file should be": lambda path, _: DiskCache(path).path.mkdir(parents=True),
    "a file where the folder should be": lambda path, _: path.write_text("no folder"),
    "read-only": read_only,
}


@pytest.mark.parametrize("how", UNUSABLE)
@pytest.mark.parametrize("default", [False, True])
def test_a_cache_that_cannot_be_used_costs_a_warning_and_not_the_vectors(
    tmp_path, monkeypatch, how, default
):
    """Whichever it is: a folder that was given, or the course's own."""
    monkeypatch.setenv("SEARCH_BY_MEANING_CACHE", str(tmp_path))
    UNUSABLE[how](tmp_path / "embeddings", monkeypatch)
    with pytest.warns(RuntimeWarning, match=r"embeddings.*cannot be (written|read)") as warned:
        vectors = encode(TEXTS, fresh(), cache=default or tmp_path / "embeddings")
    assert [warning.filename for warning in warned] == [__file__]
    np.testing.assert_array_equal(vectors, fresh().expected(TEXTS))


def test_a_cache_below_a_file_costs_a_warning(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("SEARCH_BY_MEANING_CACHE", str(tmp_path / "file" / "below"))
    with pytest.warns(RuntimeWarning, match="cannot be written"):
        vectors = encode(TEXTS, fresh())
    np.testing.assert_array_equal(vectors, fresh().expected(TEXTS))
    with pytest.raises(OSError, match=r"cannot make.*Set SEARCH_BY_MEANING_CACHE"):
        cache_folder("models")


def test_a_full_disk_costs_a_warning_and_not_the_vectors(cache, monkeypatch):
    encode(TEXTS[:5], fresh(), cache=cache)

    def full(self, rows):
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(cache_room.DiskCache, "_insert", full)
        with pytest.warns(RuntimeWarning, match="disk is full") as warned:
            vectors = encode(TEXTS, fresh(), cache=cache)
    assert warned[0].filename == __file__
    np.testing.assert_array_equal(vectors, fresh().expected(TEXTS))
    assert entries(cache) == 5  # what was there before is not thrown away


def test_a_relative_cache_is_the_same_from_everywhere_in_the_project(tmp_path, monkeypatch):
    """Notebooks run in folders of their own; commands run at the top."""
    root = Path(encoding.__file__).resolve().parent.parent
    monkeypatch.setenv("SEARCH_BY_MEANING_CACHE", "no-such-folder-here")
    for place in (root, root / "notebooks", root / "helpers" / "data"):
        monkeypatch.chdir(place)
        assert cache_folder("a", make=False) == root / "no-such-folder-here" / "a"
    (tmp_path / "work" / "notebooks" / "deep").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "work")
    made = cache_folder()
    assert made == tmp_path / "work" / "no-such-folder-here"
    monkeypatch.chdir(tmp_path / "work" / "notebooks" / "deep")
    assert cache_folder() == made


def test_a_files_hash_is_known_until_the_file_changes(tmp_path, monkeypatch):
    """Not read again by this process or the next; read again when it is another file, another size or another time."""
    monkeypatch.setenv("SEARCH_BY_MEANING_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "weights"
    reads = []
    digest = hashlib.file_digest

    def counted(file, name):
        reads.append(name)
        return digest(file, name)

    monkeypatch.setattr("helpers.cache.hashlib.file_digest", counted)

    def hashed(content, age):
        """Write, let `age` seconds pass, and hash twice: as two processes would."""
        monkeypatch.setattr(cache_room.time, "time", lambda: path.stat().st_ctime + age)
        reads.clear()
        for _ in range(2):
            cache_room._HASHES.clear()
            assert file_sha256(path) == hashlib.sha256(content).hexdigest()
        return len(reads)

    path.write_bytes(b"one")
    assert hashed(b"one", age=0.1) == 2  # so young that it may change within the clock's tick
    assert hashed(b"one", age=60) == 1
    assert hashed(b"one", age=60) == 0
    assert file_sha256(path, anew=True) == hashlib.sha256(b"one").hexdigest()
    assert len(reads) == 1
    path.write_bytes(b"two")
    assert hashed(b"two", age=60) == 1
    other = tmp_path / "other"
    other.write_bytes(b"six")
    times = path.stat()
    os.replace(other, path)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert hashed(b"six", age=60) == 1


# Two processes at once


WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_encoding import FakeModel
from helpers import encoding
encoding.SAVE_SECONDS = 0
first = int(sys.argv[1])
texts = [f"text {{number}}" for number in range(first, first + 140)]
print("ready", flush=True)
sys.stdin.readline()
model = FakeModel()
vectors = encoding.encode(texts, model, cache={cache!r}, batch_size=4)
assert (vectors == model.expected(texts)).all()
"""


def child(code, *arguments, **variables):
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {name: str(value) for name, value in variables.items()},
    )


def test_two_processes_at_once(cache):
    """Twenty writes each, half of them of the same texts. Both get the right vectors, and nothing is lost."""
    code = WRITER.format(tests=str(Path(__file__).parent), cache=str(cache))
    writers = [child(code, first) for first in (0, 70)]
    for writer in writers:
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        writer.stdin.write("\n")
        writer.stdin.flush()
    for writer in writers:
        _, errors = writer.communicate(timeout=60)
        assert writer.returncode == 0, errors
    assert entries(cache) == 210
    model = fresh()
    texts = [f"text {number}" for number in range(210)]
    np.testing.assert_array_equal(encode(texts, model, cache=cache), model.expected(texts))
    assert model.encoded == []


def test_damage_that_another_process_has_mended_is_left_alone(cache, monkeypatch):
    """Between finding the damage and getting the lock, the other process has thrown the file away and begun a new one."""
    encode(TEXTS, fresh(), cache=cache)
    damaged_file(store_of(cache), "garbage")
    locked = DiskCache._locked

    def after_the_other(self, action):
        store_of(cache).rename(cache / "damaged")  # kept, so that its inode is not given away again
        monkeypatch.setattr(DiskCache, "_locked", locked)
        encode(TEXTS, fresh(), cache=cache)
        locked(self, action)

    monkeypatch.setattr(DiskCache, "_locked", after_the_other)
    assert DiskCache(cache).get("key", [b"text"]) == {}
    assert entries(cache) == len(TEXTS)


# Whose vectors


def forbidden(*arguments, **settings):
    raise AssertionError("the model should not be loaded")


def test_a_fingerprint_depends_on_the_stated_key_alone():
    assert model_fingerprint(fresh()) == model_fingerprint(fresh(dimension=3))
    assert model_fingerprint(fresh()) != model_fingerprint(fresh(cache_key="other"))


def test_who_does_not_say_which_vectors_it_gives_is_not_cached(cache, tmp_path):
    model = fresh(cache_key=None)
    for action in (
        lambda: encode(TEXTS, model, cache=cache),
        lambda: encode_to_file(TEXTS, tmp_path / "a.npy", model),
        lambda: model_fingerprint(model),
    ):
        with pytest.raises(TypeError, match="cache_key"):
            action()
    np.testing.assert_array_equal(encode(TEXTS, model, cache=False), model.expected(TEXTS))


def test_the_fingerprint_of_a_real_model(minilm):
    """A copy has the same, before and after encoding; every change that changes vectors gives another."""
    import torch

    original = model_fingerprint(minilm)
    assert len(original) == 64
    twin = copy.deepcopy(minilm)
    assert model_fingerprint(twin) == original
    twin.encode(["some text", "and some more of it"])
    assert model_fingerprint(twin) == original

    seen = {original}

    def must_be_new():
        fingerprint = model_fingerprint(twin)
        assert fingerprint not in seen
        seen.add(fingerprint)

    twin.max_seq_length = 128
    must_be_new()
    twin.max_seq_length = minilm.max_seq_length
    assert model_fingerprint(twin) == original
    twin.prompts = {"query": "query: "}
    must_be_new()
    twin.default_prompt_name = "query"
    must_be_new()
    twin.truncate_dim = 100
    must_be_new()
    with torch.no_grad():
        next(twin.parameters())[3, 5] += 1e-6
    must_be_new()
    optimiser = torch.optim.SGD(twin.parameters(), lr=1e-3)
    twin[0].auto_model.embeddings.LayerNorm.bias.sum().backward()
    optimiser.step()  # a training step
    must_be_new()
    del twin[2]  # no Normalize any more
    must_be_new()
    twin.half()
    must_be_new()


BEHIND_TORCHS_BACK = {
    "all of a tensor": lambda weight: weight.data.mul_(1.001),
    "a row": lambda weight: weight.data[1].mul_(9),
    "a column": lambda weight: weight.data[:, 2].mul_(9),
    "a row, by NumPy": lambda weight: np.ndarray.__imul__(weight.detach().numpy()[-1], 9),
}


@pytest.mark.parametrize("how", BEHIND_TORCHS_BACK)
def test_a_model_changed_behind_torchs_back_is_another_to_encode(tiny_model, cache, how):
    """No version counter tells: the samples do."""
    before = encode(TEXTS, tiny_model, cache=cache)
    BEHIND_TORCHS_BACK[how](tiny_model[0].auto_model.encoder.layer[0].intermediate.dense.weight)
    after = encode(TEXTS, tiny_model, cache=cache)
    np.testing.assert_array_equal(after, encode(TEXTS, tiny_model, cache=False))
    assert np.abs(after - before).max() > 1e-6


def test_a_fingerprint_reads_every_weight_each_time(tiny_model):
    before = model_fingerprint(tiny_model)
    tiny_model[0].auto_model.embeddings.word_embeddings.weight.data[3, 5] += 1e-3
    assert model_fingerprint(tiny_model) != before


def other_words(model):
    """A tokenizer with as many words, two of which have changed places."""
    from tokenizers.models import WordPiece

    words = model.tokenizer.get_vocab()
    words["gull"], words["chips"] = words["chips"], words["gull"]
    model.tokenizer.backend_tokenizer.model = WordPiece(words, unk_token="[UNK]")


def upper_case(model):
    from tokenizers.normalizers import Replace

    model.tokenizer.backend_tokenizer.normalizer = Replace("a", "gull")


@pytest.mark.parametrize("change", [other_words, upper_case])
def test_another_tokenizer_of_the_same_size_is_another_model(tiny_model, cache, change):
    texts = ["a gull stole my chips .", "my chips"]
    before, key = encode(texts, tiny_model, cache=cache), model_fingerprint(tiny_model)
    change(tiny_model)
    after = encode(texts, tiny_model, cache=cache)
    np.testing.assert_array_equal(after, encode(texts, tiny_model, cache=False))
    assert np.abs(after - before).max() > 1e-6
    assert model_fingerprint(tiny_model) != key


def test_encode_reads_the_weights_once(tiny_model, cache, monkeypatch):
    encode(TEXTS, tiny_model, cache=cache)
    monkeypatch.setattr(fingerprints, "_of_weights", forbidden)
    encode(TEXTS, tiny_model, cache=cache)


def test_another_release_of_a_library_starts_afresh(tiny_model, monkeypatch):
    before = model_fingerprint(tiny_model)
    monkeypatch.setattr(fingerprints, "_versions", lambda: ["sentence-transformers 99"])
    assert model_fingerprint(tiny_model) != before
    assert fingerprints.known_fingerprint(tiny_model) != before


def test_a_name_and_the_loaded_model_share_entries(minilm, cache, monkeypatch):
    """A name is loaded the first time, and not again: the cache knows whose files they are."""
    from helpers import models

    texts = ["The ferry is late.", "Bread rises overnight."]
    loaded = encode(texts, minilm, cache=cache)
    with monkeypatch.context() as patch:
        patch.setattr(models, "load_model", lambda name: minilm)
        np.testing.assert_array_equal(encode(texts, "all-MiniLM-L6-v2", cache=cache), loaded)
    monkeypatch.setattr(models, "load_model", forbidden)
    np.testing.assert_array_equal(encode(texts, "all-MiniLM-L6-v2", cache=cache), loaded)


def test_other_files_are_another_model(minilm, cache, tmp_path, monkeypatch):
    from helpers import models

    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    monkeypatch.setattr(models, "load_model", lambda name: fresh())
    encode(TEXTS, str(folder), cache=cache)
    monkeypatch.setattr(models, "load_model", forbidden)
    encode(TEXTS, folder, cache=cache)
    (folder / "config.json").write_text('{"layers": 12}')
    with pytest.raises(AssertionError, match="should not be loaded"):
        encode(TEXTS, folder, cache=cache)


def test_the_vectors_are_those_of_the_model(minilm, cache):
    texts = ["The ferry is late.", "Bread.", "The ferry is late."]
    vectors = encode(texts, minilm, cache=cache)
    np.testing.assert_allclose(vectors, minilm.encode(texts), atol=1e-6)
    np.testing.assert_array_equal(vectors[0], vectors[2])


# Bad input


def sinks(tmp_path):
    return {
        "encode": lambda texts, model, **settings: encode(texts, model, cache=tmp_path, **settings),
        "encode_to_file": lambda texts, model, **settings: encode_to_file(
            texts, tmp_path / "a.npy", model, **settings
        ),
    }


FUNCTIONS = pytest.mark.parametrize("function", ["encode", "encode_to_file"])


@FUNCTIONS
@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ("one text", "one str; give a list"),
        (b"bytes", "one bytes; give a list"),
        (7, "a int; give a list"),
        (None, "a NoneType; give a list"),
        ({"q1": "ferry"}, r"texts is a dict; give .*values\(\)"),
        ({"ferry", "bread"}, r"texts is a set, which has no order"),
        (
            pd.DataFrame({"title": ["a"], "text": ["b"]}),
            r"a DataFrame; give one of its columns \(title, text\)",
        ),
        (["a", None], r"texts\[1\] is None, a missing value"),
        (["a", float("nan")], r"texts\[1\] is nan, a missing value"),
        (["a", pd.NA], r"texts\[1\] is <NA>, a missing value"),
        (["a", "b", b"c"], r"texts\[2\] is a bytes, not a string. Decode it"),
        ([{"text": "a"}], r"texts\[0\] is a dict, not a string. For records"),
        (map, r"texts\[1\] is a float, not a string"),
    ],
)
def test_texts_that_are_none(tmp_path, function, texts, message):
    given = iter(["a", 3.5]) if texts is map else texts
    with pytest.raises(TypeError, match=message):
        sinks(tmp_path)[function](given, fresh())


@FUNCTIONS
def test_half_an_emoji_is_named_and_the_remedy_helps(tmp_path, function):
    texts = ["The ferry is late.", "good bread \ud83d", "A gull."]
    with pytest.raises(
        ValueError, match=r"texts\[1\] has half of a surrogate pair at character 11"
    ):
        sinks(tmp_path)[function](texts, fresh())
    mended = [text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for text in texts]
    assert mended == ["The ferry is late.", "good bread \ufffd", "A gull."]
    assert len(sinks(tmp_path)[function](mended, fresh())) == 3


def test_checked_texts_are_a_list_in_order():
    for given in (
        ("b", "a"),
        iter(["b", "a"]),
        pd.Series(["b", "a"]),
        np.array(["b", "a"]),
        {"b": 1, "a": 2}.keys(),
    ):
        assert check_texts(given) == ["b", "a"]
    with pytest.raises(TypeError, match=r"^documents\[0\] is a int"):
        check_texts([1], "documents")


@FUNCTIONS
def test_a_kind_that_is_none(tmp_path, function):
    with pytest.raises(ValueError, match=r"kind='passage': give 'query', 'document'"):
        sinks(tmp_path)[function](["a"], fresh(), kind="passage")


@FUNCTIONS
@pytest.mark.parametrize("model", [None, 7, object(), ["all-MiniLM-L6-v2"]])
def test_a_model_that_is_none(tmp_path, function, model):
    with pytest.raises(TypeError, match="give a model's name or a loaded SentenceTransformer"):
        sinks(tmp_path)[function](["a"], model)


@pytest.mark.parametrize("size", [0, -1, 2.5, "32", True])
def test_batch_sizes_that_are_none(tmp_path, size):
    with pytest.raises(ValueError, match=r"batch_size=.*give a whole number from 1 up"):
        encode(["a"], fresh(), cache=tmp_path, batch_size=size)


def test_a_prompt_that_is_none(tmp_path):
    with pytest.raises(TypeError, match="prompt is a int"):
        encode(["a"], fresh(), cache=tmp_path, prompt=7)


class Giving(FakeModel):
    """Gives what it was told to."""

    def __init__(self, vectors):
        super().__init__()
        self.vectors = vectors

    def encode(self, texts, **settings):
        return self.vectors


@FUNCTIONS
@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        (np.ones(8), r"shape \(8,\)"),
        (np.ones((3, 8)), r"shape \(3, 8\).*for 2 texts"),
        (np.ones((2, 0)), r"shape \(2, 0\)"),
        (np.array([[1.0] * 8, [np.nan] * 8]), "NaN or infinity for 'bb'"),
        (np.array([[np.inf] * 8, [1.0] * 8]), "NaN or infinity for 'aa'"),
    ],
)
def test_what_is_no_vector_is_refused_and_not_kept(tmp_path, function, vectors, message):
    with pytest.raises(ValueError, match=message):
        sinks(tmp_path)[function](["aa", "bb"], Giving(vectors))
    np.testing.assert_array_equal(
        sinks(tmp_path)[function](["aa", "bb"], fresh()), fresh().expected(["aa", "bb"])
    )


@pytest.mark.parametrize("size", [0, 1.5, True])
def test_chunk_sizes_that_are_none(tmp_path, size):
    with pytest.raises(ValueError, match=r"chunk_size=.*whole number"):
        encode_to_file(["a"], tmp_path / "a.npy", fresh(), chunk_size=size)


def test_a_path_that_does_not_end_in_npy(tmp_path):
    with pytest.raises(ValueError, match=r"ends in \.npy"):
        encode_to_file(["a"], tmp_path / "vectors.bin", fresh())


# A stream into a file


def stream(texts, path, model=None, **settings):
    return encode_to_file(texts, path, model or fresh(), **{"chunk_size": 3, **settings})


def test_a_file_is_a_plain_npy_file(tmp_path):
    path = tmp_path / "folder" / "corpus.npy"
    vectors = stream(iter(TEXTS), path)
    assert isinstance(vectors, np.memmap)
    assert vectors.dtype == np.float32
    assert not vectors.flags.writeable
    np.testing.assert_array_equal(vectors, fresh().expected(TEXTS))
    np.testing.assert_array_equal(np.load(path), vectors)
    names = {name.name for name in path.parent.iterdir()}
    assert (
        {"corpus.npy", "corpus.npy.json"}
        <= names
        <= {"corpus.npy", "corpus.npy.json", ".corpus.npy.lock"}
    )


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 6, 20])
@pytest.mark.parametrize("chunk_size", [1, 3, 20, 1_000])
def test_every_number_of_texts_and_chunk_size(tmp_path, count, chunk_size):
    vectors = stream(TEXTS[:count], tmp_path / "a.npy", chunk_size=chunk_size)
    assert vectors.shape == (count, 8)
    np.testing.assert_array_equal(
        vectors, fresh().expected(TEXTS[:count]) if count else np.empty((0, 8))
    )
    assert stream(TEXTS[:count], tmp_path / "a.npy").shape == (count, 8)


def test_a_finished_file_is_recognised(tmp_path):
    stream(TEXTS, tmp_path / "a.npy")
    before = (tmp_path / "a.npy").stat()
    model = fresh()
    vectors = stream(iter(TEXTS), tmp_path / "a.npy", model)
    assert model.encoded == []
    assert (tmp_path / "a.npy").stat().st_mtime_ns == before.st_mtime_ns
    np.testing.assert_array_equal(vectors, model.expected(TEXTS))


def test_texts_that_come_twice_are_rows_twice(tmp_path):
    texts = ["a", "b", "a", "a"]
    np.testing.assert_array_equal(stream(texts, tmp_path / "a.npy"), fresh().expected(texts))


def stopped(path, after, model=None):
    """Stop a stream by an error after so many texts; return what the note says is safe."""

    def texts():
        yield from TEXTS[:after]
        raise ConnectionError("the source went away")

    with pytest.raises(ConnectionError):
        stream(texts(), path, model)
    note = path.with_name("a.npy.json")
    return json.loads(note.read_text())["rows"] if note.exists() else 0


@pytest.mark.parametrize("after", [0, 2, 3, 10, 20])
def test_a_stream_that_fails_goes_on(tmp_path, after):
    """What was noted is not encoded again, and nothing else is taken for done."""
    path = tmp_path / "a.npy"
    safe = stopped(path, after)
    assert safe == after // 3 * 3
    assert not path.exists()
    model = fresh()
    vectors = stream(TEXTS, path, model)
    assert model.encoded == TEXTS[safe:]
    np.testing.assert_array_equal(vectors, model.expected(TEXTS))


def test_what_was_written_and_not_noted_does_not_count(tmp_path):
    """Killed after writing a chunk: what stands behind the last note is dropped, even where nothing takes its place."""
    path = tmp_path / "a.npy"
    safe = stopped(path, 10)
    with path.with_name("a.npy.partial").open("ab") as file:
        file.write(b"vectors of other texts" * 100)
    vectors = stream(TEXTS[:safe], path)
    np.testing.assert_array_equal(vectors, fresh().expected(TEXTS[:safe]))
    assert path.stat().st_size == HEADER_BYTES + safe * 8 * 4


def test_resuming_with_other_sizes_is_fine(tmp_path):
    stopped(tmp_path / "a.npy", 10)
    vectors = stream(TEXTS, tmp_path / "a.npy", chunk_size=7)
    np.testing.assert_array_equal(vectors, fresh().expected(TEXTS))


REFUSED = {
    "another model": (TEXTS, {"cache_key": "other"}, {}, "another model"),
    "another dimension": (TEXTS, {"dimension": 4}, {}, r"another model.*dimension is 8, yours 4"),
    "another text": ([*TEXTS[:4], "other", *TEXTS[5:]], {}, {}, "other texts"),
    "another order": ([TEXTS[1], TEXTS[0], *TEXTS[2:]], {}, {}, "other texts"),
    "the same letters cut otherwise": (
        [TEXTS[0] + TEXTS[1][:1], TEXTS[1][1:], *TEXTS[2:]],
        {},
        {},
        "other texts",
    ),
    "fewer texts": (TEXTS[:5], {}, {}, "only 5 were given"),
    "no texts": ([], {}, {}, "only 0 were given"),
}


@pytest.mark.parametrize("finished", [False, True])
@pytest.mark.parametrize("case", REFUSED)
def test_resuming_with_something_else_is_refused_and_changes_nothing(tmp_path, case, finished):
    texts, model_settings, settings, message = REFUSED[case]
    path = tmp_path / "a.npy"
    if finished:
        stream(TEXTS, path)
    else:
        assert stopped(path, 10) == 9
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    model = fresh(**model_settings)
    with pytest.raises(ValueError, match=message):
        stream(texts, path, model, **settings)
    assert model.encoded == []
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before
    model = fresh()
    np.testing.assert_array_equal(stream(TEXTS, path, model), model.expected(TEXTS))


def test_more_texts_than_a_finished_file_holds_are_refused(tmp_path):
    stream(TEXTS[:6], tmp_path / "a.npy")
    with pytest.raises(ValueError, match=r"finished with 6 texts, and more were given"):
        stream(TEXTS, tmp_path / "a.npy")


@pytest.mark.parametrize("finished", [False, True])
@pytest.mark.parametrize(
    "how", ["shorter", "missing", "note", "note of another kind", "note without rows"]
)
def test_damage_is_reported_with_a_remedy(tmp_path, finished, how):
    path = tmp_path / "a.npy"
    if finished:
        stream(TEXTS, path)
    else:
        stopped(path, 10)
    data, note = path if finished else path.with_name("a.npy.partial"), path.with_name("a.npy.json")
    content = data.read_bytes()
    if how == "shorter":
        data.write_bytes(content[:200])
    elif how == "missing":
        data.unlink()
    else:
        note.write_text(
            {"note": '{"format": 1, "ro', "note of another kind": "[]"}.get(how, '{"format": 1}')
        )
    with pytest.raises(ValueError, match=r"is damaged|was not written by encode_to_file"):
        stream(TEXTS, path)
    for name in (path, path.with_name("a.npy.partial"), note):  # the remedy that the message names
        name.unlink(missing_ok=True)
    np.testing.assert_array_equal(stream(TEXTS, path), fresh().expected(TEXTS))


def test_a_finished_file_that_was_changed_is_reported(tmp_path):
    path = tmp_path / "a.npy"
    stream(TEXTS, path)
    path.write_bytes(path.read_bytes() + b"more")
    with pytest.raises(ValueError, match="is damaged"):
        stream(TEXTS, path)


def test_a_file_of_somebody_elses_is_not_touched(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.arange(3))
    with pytest.raises(FileExistsError, match="was not written by encode_to_file"):
        stream(TEXTS, path)
    np.testing.assert_array_equal(np.load(path), np.arange(3))


def test_two_writers_of_one_file(tmp_path):
    """The second is sent away while the first is at it, and may come back later."""
    path = tmp_path / "a.npy"
    refused = []

    def texts():
        for text in TEXTS:
            if text == TEXTS[10]:
                with pytest.raises(RuntimeError, match="another process is writing") as error:
                    stream(TEXTS, path)
                refused.append(error)
            yield text

    stream(texts(), path)
    assert len(refused) == 1
    np.testing.assert_array_equal(stream(TEXTS, path), fresh().expected(TEXTS))


def test_the_header_is_as_long_for_any_size():
    stream = object.__new__(encoding._Stream)
    for stream.rows, stream.dimension in ((0, 1), (7, 384), (10**12, 4096)):
        assert len(stream._header()) == HEADER_BYTES


def test_progress_is_noted_only_after_the_vectors_are_on_the_disk(tmp_path, monkeypatch):
    """A power cut is not a kill: what was written and not forced to the disk is lost. So the order counts."""
    path = tmp_path / "a.npy"
    partial = path.with_name("a.npy.partial")
    synced = {}
    fsync, replace = os.fsync, os.replace
    notes = []

    def watched_fsync(number):
        status = os.fstat(number)
        fsync(number)
        synced[status.st_ino] = status.st_size

    def watched_replace(source, target):
        if Path(target) == path.with_name("a.npy.json"):
            note = json.loads(Path(source).read_text())
            assert synced[os.stat(source).st_ino] == os.stat(source).st_size  # the note itself
            on_disk = synced[os.stat(partial).st_ino]
            assert on_disk >= HEADER_BYTES + note["rows"] * 8 * 4
            notes.append(note["rows"])
        replace(source, target)

    monkeypatch.setattr(encoding.os, "fsync", watched_fsync)
    monkeypatch.setattr(encoding.os, "replace", watched_replace)
    stream(TEXTS, path)
    assert notes == [3, 6, 9, 12, 15, 18, 20, 20]


# Kills


STREAMER = """
import os, sys
sys.path.insert(0, {tests!r})
from test_encoding import FakeModel
from helpers import encoding
last, left = [], [int(sys.argv[1])]
def step():
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), 9)
def killable(function):
    def wrapped(*arguments, **settings):
        step()
        result = function(*arguments, **settings)
        step()
        return result
    return wrapped
model = FakeModel()
model.encode = killable(model.encode)
os.fsync = killable(os.fsync)
os.replace = killable(os.replace)
encoding._Stream._count = killable(encoding._Stream._count)
texts = (f"text {{number}}" for number in range(100))
encoding.encode_to_file(texts, sys.argv[2], model, chunk_size=11)
print(-left[0], len(model.encoded))
"""
CHUNKS = 10
#: Before and after each call that a kill can hit. A chunk: encode, fsync, count, then fsync and replace of its note. The end:
#: fsync, fsync and replace of the note, replace of the file.
STEPS = 2 * (5 * CHUNKS + 4)


def run_streamer(path, kill_at):
    """Encode 100 texts in a process of its own that is killed at that step; return its exit status and what it printed."""
    process = child(STREAMER.format(tests=str(Path(__file__).parent)), kill_at, path)
    output, errors = process.communicate(timeout=60)
    assert errors == ""
    return process.returncode, output


def test_the_steps_of_a_stream_are_counted_right(tmp_path):
    """So that the kills below are spread over all of them."""
    status, output = run_streamer(tmp_path / "a.npy", -1)
    assert status == 0
    steps, encoded = map(int, output.split())
    assert (steps - 1, encoded) == (STEPS, 100)


def kill_points():
    """Spread over all steps; the last but one is between the last note and the file's new name."""
    some = random.Random(KILLS).sample(range(1, STEPS + 1), min(KILLS, STEPS))
    return sorted({*some, STEPS - 1})


@pytest.mark.parametrize("kill_at", kill_points())
def test_a_killed_stream_goes_on_and_equals_an_uninterrupted_one(tmp_path, kill_at):
    """SIGKILL anywhere: what was noted is there and is not encoded again, and the file is bit by bit the same."""
    texts = [f"text {number}" for number in range(100)]
    encode_to_file(texts, tmp_path / "whole.npy", fresh(), chunk_size=11)
    path = tmp_path / "killed.npy"
    status, _ = run_streamer(path, kill_at)
    assert status != 0
    note = path.with_name("killed.npy.json")
    safe = json.loads(note.read_text())["rows"] if note.exists() else 0
    assert safe >= (kill_at // 10 - 1) * 11  # it did get so far
    model = fresh()
    vectors = encode_to_file(iter(texts), path, model, chunk_size=11)
    assert model.encoded == texts[safe:]
    np.testing.assert_array_equal(vectors, model.expected(texts))
    assert path.read_bytes() == (tmp_path / "whole.npy").read_bytes()
    assert not path.with_name("killed.npy.partial").exists()


def test_killed_again_and_again(tmp_path):
    """Each process gets a little further; the file is finished in the end, and no text was encoded for nothing."""
    path = tmp_path / "a.npy"
    for _ in range(4):
        status, _ = run_streamer(path, 2 * 5 * 2 + 4)  # in the third chunk
        assert status != 0
    rows = json.loads(path.with_name("a.npy.json").read_text())["rows"]
    assert rows == 4 * 2 * 11
    model = fresh()
    texts = [f"text {number}" for number in range(100)]
    np.testing.assert_array_equal(
        encode_to_file(texts, path, model, chunk_size=11), model.expected(texts)
    )
    assert len(model.encoded) == 100 - rows


# Memory


class Quick:
    """Gives any texts vectors of 384 numbers, in next to no time."""

    cache_key = "quick"

    def get_embedding_dimension(self):
        return 384

    def encode(self, texts, **settings):
        return np.full((len(texts), 384), 0.05, dtype=np.float32)


def peak_megabytes(action):
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


def test_a_stream_of_ten_times_the_texts_needs_no_more_memory(tmp_path):
    """50,000 vectors are 77 MB; at no time may more than a few chunks be there."""

    def run(count):
        texts = (f"text number {number} " * 10 for number in range(count))
        return peak_megabytes(lambda: encode_to_file(texts, tmp_path / f"{count}.npy", Quick()))

    small, large = run(5_000), run(50_000)
    assert np.load(tmp_path / "50000.npy", mmap_mode="r").shape == (50_000, 384)
    assert large < small + 5
    again = peak_megabytes(
        lambda: encode_to_file(
            (f"text number {number} " * 10 for number in range(50_000)),
            tmp_path / "50000.npy",
            Quick(),
        )
    )
    assert again < small + 12  # to check a finished file: blocks of 4 MB
