"""Encode once, and quickly: vectors kept on disk, and corpora that do not fit in memory.

>>> from helpers.encoding import encode, encode_to_file
>>> vectors = encode(["The ferry is late.", "Bread rises overnight."], model)
>>> vectors = encode_to_file(open("corpus.txt"), "corpus.npy", model)

A second time, the first reads from disk what it encoded before. The second, stopped half-way, goes
on when it is called again. Both take a model's name or a loaded model, and know models by what is
in them (`model_fingerprint`), not by their names.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import time
import warnings
from collections.abc import Iterable, Iterator, Sized
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from helpers.arguments import check_texts, check_whole, each_text
from helpers.batching import PROMPT_NAMES, Kind, encode_batches, has_sides, prompts
from helpers.cache import DiskCache, cache_folder, replacing
from helpers.fingerprints import folder_fingerprint, known_fingerprint, model_fingerprint
from helpers.progress import progress

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

__all__ = ["check_texts", "encode", "encode_to_file", "model_fingerprint"]

#: What a kill can cost at most: encoded vectors are written to the cache this often.
SAVE_SECONDS = 3.0
_FORMAT = 1
_NOTE = {"complete", "rows", "dimension", "model", "texts"}


def encode(
    texts: Iterable[str],
    model: str | SentenceTransformer,
    *,
    kind: Kind = None,
    cache: bool | str | Path = True,
    batch_size: int | None = None,
    show_progress: bool | None = None,
    normalize: bool = True,
    prompt: str | None = None,
) -> np.ndarray:
    """Return the vectors of `texts`: shape (texts, dimension), float32, row i for text i.

    What any process encoded before is read from disk, bit by bit as it was; a text that comes
    twice is encoded once. In other company, or on another device, a text's vector may differ in
    the seventh decimal. Stopped half-way, the call keeps what is done, but for the last seconds
    where it was killed.

    Parameters
    ----------
    texts : strings, in any order (see `helpers.arguments.check_texts`)
    model : a name (see `helpers.models.load_model`), loaded only if a text is not in the cache, or
        a loaded `SentenceTransformer`. Anything else that has ``encode`` must say which vectors it
        gives, in an attribute ``cache_key`` (see `model_fingerprint`).
    kind : ``"query"`` or ``"document"``: the model's own prompt and modules for these are used, as
        by its ``encode_query`` and ``encode_document``
    cache : True: the course's cache folder; a path: another folder; False: none
    batch_size : texts that the model reads at once; None, as many as suit their lengths, is faster
    show_progress : a bar; None: after a second, in a terminal or a notebook
    normalize : divide each vector by its norm
    prompt : put before each text, such as ``"query: "``; None: the model's own

    Raises TypeError for texts that are none, or a model that is none; ValueError for half an emoji
    in a text, a `batch_size` below 1, another `kind`, or a model whose vectors have the wrong shape
    or are not finite. Warns with RuntimeWarning when the cache cannot be read or written (a full
    disk, say); the result is right.
    """
    texts = check_texts(texts)
    store = None
    if cache is not False:
        store = DiskCache(cache_folder("embeddings", make=False) if cache is True else cache)
    source = _Source(model, store, kind, prompt, normalize, batch_size)
    if not texts:
        return np.empty((0, source.dimension), dtype=np.float32)
    names = [text.encode() for text in texts]
    unique = dict(zip(names, texts, strict=True))
    found = store.get(source.key, list(unique)) if store else {}
    missing = {name: text for name, text in unique.items() if name not in found}
    if missing:
        found |= _encode_and_keep(missing, source, store, show_progress)
    if store and store.trouble:
        message = f"the cache of embeddings {store.trouble}; the vectors are right, but not kept"
        warnings.warn(message, RuntimeWarning, stacklevel=2)
    raw = bytearray().join([found[name] for name in names])
    return np.frombuffer(raw, dtype="<f4").astype(np.float32, copy=False).reshape(len(texts), -1)


def _encode_and_keep(texts: dict[bytes, str], source: _Source, store, show) -> dict[bytes, bytes]:
    """Return the vectors of `texts`, which go into `store` every few seconds."""
    keys, done, unsaved = list(texts), {}, {}
    saved = time.monotonic()
    try:
        with progress(len(keys), "encoding", show=show) as advance:
            for rows, vectors in source.batches(list(texts.values())):
                for row, vector in zip(rows, vectors, strict=True):
                    unsaved[keys[row]] = vector.astype("<f4").tobytes()
                advance(len(rows))
                if store and time.monotonic() - saved > SAVE_SECONDS:
                    store.put(source.key, unsaved)
                    done |= unsaved
                    unsaved, saved = {}, time.monotonic()
    finally:  # also after Ctrl+C
        if store:
            store.put(source.key, unsaved)
    return done | unsaved


class _Source:
    """A model with the settings it is called with; a name is loaded only when vectors are wanted,
    or who it is is not known.
    """

    def __init__(self, model, store, kind, prompt=None, normalize=True, batch_size=None) -> None:
        if not isinstance(model, str | Path) and not hasattr(model, "encode"):
            what = f"model is a {type(model).__name__}"
            raise TypeError(f"{what}; give a model's name or a loaded SentenceTransformer")
        if kind is not None and kind not in PROMPT_NAMES:
            raise ValueError(f"kind={kind!r}: give 'query', 'document', or None for neither")
        if prompt is not None and not isinstance(prompt, str):
            raise TypeError(f"prompt is a {type(prompt).__name__}; give a string, or None")
        if batch_size is not None:
            batch_size = check_whole("batch_size", batch_size)
        self.name = str(model) if isinstance(model, str | Path) else None
        self._given, self._store = model, store
        self.settings = {"kind": kind, "prompt": prompt, "normalize": bool(normalize)}
        self.batch_size = batch_size

    @cached_property
    def model(self):
        if self.name is None:
            return self._given
        from helpers.models import load_model

        return load_model(self.name)

    def _identity(self) -> dict:
        """Return who the model is and what prompts it has. Of a name that any process loaded
        before, it is known without loading.
        """
        if self.name is None or self._store is None:
            return _identity(self.model, self.settings["kind"])
        from helpers.models import model_path

        alias = folder_fingerprint(model_path(self.name)).encode()
        known = self._store.get("models", [alias])
        if known:
            return json.loads(known[alias])
        identity = _identity(self.model, "any")
        self._store.put("models", {alias: json.dumps(identity).encode()})
        return identity

    @cached_property
    def key(self) -> str:
        """Whose vectors these are: the model's fingerprint and the settings."""
        known = self._identity()
        kind, prompt, normalize = self.settings.values()
        prompt = known["prompts"][kind or "default"] if prompt is None else prompt
        if prompt == known["prompts"]["default"]:
            prompt = None  # what the model does by itself
        settings = [known["fingerprint"], normalize, prompt]
        if kind is not None and known["sides"]:
            settings.append(kind)
        return hashlib.sha256(json.dumps(settings).encode()).hexdigest()

    @property
    def dimension(self) -> int:
        for name in ("get_embedding_dimension", "get_sentence_embedding_dimension"):
            if (ask := getattr(self.model, name, None)) and (dimension := ask()):
                return int(dimension)
        return self.encode(["dimension"]).shape[1]

    def batches(self, texts: list[str]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        return encode_batches(self.model, texts, **self.settings, batch_size=self.batch_size)

    def encode(self, texts: list[str]) -> np.ndarray:
        """Return the vectors of `texts`; shape (texts, dimension), float32."""
        rows, vectors = (np.concatenate(parts) for parts in zip(*self.batches(texts), strict=True))
        return vectors[np.argsort(rows)]


def _identity(model, kind: str | None) -> dict:
    return {
        "fingerprint": known_fingerprint(model),
        "prompts": prompts(model),
        "sides": kind is not None and has_sides(model),
    }


# --- encode_to_file, in bounded memory


def encode_to_file(
    texts: Iterable[str],
    path: str | Path,
    model: str | SentenceTransformer,
    *,
    kind: Kind = None,
    chunk_size: int = 1_024,
    show_progress: bool | None = None,
) -> np.memmap:
    """Encode a stream of texts (a list, a generator, an open file) into the ``.npy`` file `path`,
    and return it mapped into memory: shape (texts, dimension), float32, read-only.

    At no time are more than `chunk_size` texts and vectors in memory. After each chunk the vectors
    are forced to the disk, and only then is the progress noted, in ``path`` + ``.json``; until the
    end the vectors stand in ``path`` + ``.partial``. Whatever kills the process costs one chunk at
    most: the same call goes on. To go on, `texts` must begin with the same texts as before: they
    are read again and compared by their hash, but not encoded again. With the same `chunk_size`,
    the result is bit by bit that of an uninterrupted run. For a file that is finished, the call
    checks it and encodes nothing. `model`, `kind` and `show_progress` as for `encode`.

    Raises ValueError when the file was begun with other texts, another model or another kind, or is
    damaged (nothing is changed then); FileExistsError when `path` holds something that this
    function did not write; RuntimeError when another process is writing it; TypeError as `encode`
    does, the texts before the wrong one being kept.
    """
    from filelock import FileLock, Timeout

    check_whole("chunk_size", chunk_size)
    stream = each_text(texts)
    path = Path(path).expanduser()
    if path.suffix != ".npy":
        raise ValueError(f"path is {path.name!r}; give a name that ends in .npy")
    path.parent.mkdir(parents=True, exist_ok=True)
    source = _Source(model, None, kind)
    total = len(texts) if isinstance(texts, Sized) else None
    try:
        with (
            FileLock(path.with_name(f".{path.name}.lock"), timeout=0),
            progress(total, "encoding", show=show_progress) as advance,
        ):
            _Stream(path, source).run(stream, int(chunk_size), advance)
    except Timeout as error:
        what = f"another process is writing {path}"
        raise RuntimeError(f"{what}. Wait for it, or choose another path") from error
    return np.load(path, mmap_mode="r")


class _Stream:
    """The files of one streamed encoding: the vectors, and a note of how many of them are safe."""

    def __init__(self, path: Path, source: _Source) -> None:
        self.path, self.source = path, source
        self.partial = path.with_name(f"{path.name}.partial")
        self.note = path.with_name(f"{path.name}.json")
        self.texts, self.rows = hashlib.sha256(), 0
        self.dimension, self.key = source.dimension, source.key

    def run(self, stream: Iterator[str], chunk_size: int, advance) -> None:
        note = self._read_note()
        if note is not None:
            self._skip(stream, note, advance)
            if note["complete"]:
                if not self.path.exists():  # killed between the last note and the new name
                    os.replace(self.partial, self.path)
                return
        elif self.path.exists():
            missing = f"{self.path} is there, without {self.note.name} beside it"
            why = "it was not written by encode_to_file"
            raise FileExistsError(f"{missing}: {why}. Choose another path")
        with self.partial.open("r+b" if note is not None else "wb") as file:
            file.truncate(self._bytes())  # what was written but not noted, or room for the header
            file.seek(self._bytes())
            while chunk := list(islice(stream, chunk_size)):
                data = self.source.encode(chunk).astype("<f4", copy=False)
                if data.shape[1] != self.dimension:
                    what = f"the model gave vectors of {data.shape[1]} numbers"
                    raise ValueError(f"{what}; {self.dimension} were expected")
                file.write(data)
                self._count(chunk)
                _to_disk(file)
                self._write_note(complete=False)
                advance(len(chunk))
            file.seek(0)
            file.write(self._header())
            _to_disk(file)
        self._write_note(complete=True)
        os.replace(self.partial, self.path)

    def _header(self) -> bytes:
        """Return what stands before the vectors: as long for any number of rows."""
        buffer, shape = io.BytesIO(), (self.rows, self.dimension)
        entries = {"descr": "<f4", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(buffer, entries)
        return buffer.getvalue()

    def _bytes(self) -> int:
        return len(self._header()) + self.rows * self.dimension * 4

    def _count(self, chunk: list[str]) -> None:
        for text in chunk:
            self.texts.update(hashlib.sha256(text.encode()).digest())
        self.rows += len(chunk)

    def _read_note(self) -> dict | None:
        if not self.note.exists():
            return None
        try:
            note = json.loads(self.note.read_text(encoding="utf-8"))
            known = note["format"] == _FORMAT and note.keys() >= _NOTE
        except (ValueError, LookupError, TypeError) as error:
            raise self._error(f"{self.note} is damaged ({error})") from error
        if not known:
            what = f"{self.note} was not written by encode_to_file, format {_FORMAT}"
            raise ValueError(f"{what}. Choose another path")
        if note["model"] != self.key or note["dimension"] != self.dimension:
            what = f"{self.path} was begun with another model or another kind of text"
            its = f"its dimension is {note['dimension']}, yours {self.dimension}"
            raise self._error(f"{what} ({its}). Use those, choose another path, or begin again")
        return note

    def _skip(self, stream: Iterator[str], note: dict, advance) -> None:
        """Pass over the texts that are done; they and the file must be what they were."""
        while chunk := list(islice(stream, min(4_096, note["rows"] - self.rows))):
            self._count(chunk)
            advance(len(chunk))
        remedy = "Give the same texts in the same order, or choose another path"
        if self.rows < note["rows"]:
            what = f"{self.path} holds {note['rows']:,} texts, and only {self.rows:,} were given"
            raise ValueError(f"{what}. {remedy}")
        if self.texts.hexdigest() != note["texts"]:
            what = f"the first {self.rows:,} are not the same"
            raise ValueError(f"{self.path} was begun with other texts: {what}. {remedy}")
        finished = note["complete"]
        if finished and any(True for _ in stream):
            what = f"{self.path} is finished with {self.rows:,} texts, and more were given"
            raise ValueError(f"{what}. Encode the new ones into a file of their own")
        data = self.path if finished and self.path.exists() else self.partial
        size = data.stat().st_size if data.exists() else 0
        if size < self._bytes() or (finished and size > self._bytes()):
            what = f"{self._bytes():,} bytes expected, {size:,} found"
            raise self._error(f"{data} is damaged: {what}")

    def _write_note(self, *, complete: bool) -> None:
        note = {"format": _FORMAT, "complete": complete, "rows": self.rows, "model": self.key}
        note |= {"dimension": self.dimension, "texts": self.texts.hexdigest()}
        with replacing(self.note) as temporary, temporary.open("w", encoding="utf-8") as file:
            json.dump(note, file, indent=2)
            _to_disk(file)

    def _error(self, what: str) -> ValueError:
        files = f"{self.path.name}, {self.partial.name} and {self.note.name}"
        return ValueError(f"{what}. Delete {files} to begin again")


def _to_disk(file) -> None:
    file.flush()
    os.fsync(file.fileno())
