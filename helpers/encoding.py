"""Encode once: vectors kept on disk, and corpora that do not fit in memory.

>>> from helpers.encoding import encode, encode_to_file
>>> vectors = encode(["The ferry is late.", "Bread rises overnight."], model)  # a second time: read from disk, not encoded
>>> vectors = encode_to_file(open("corpus.txt"), "corpus.npy", model)  # stopped half-way: call it again, it goes on

Both take a model's name or a loaded model, and both know models by what is in them (`model_fingerprint`), not by their names.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import sqlite3
import warnings
import weakref
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.cache import cache_folder, replacing
from helpers.search import check_texts

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

#: Texts encoded between two writes to the cache: what a kill can cost at most.
SLICE = 2_048
#: What turns a text into tokens and tokens into vectors. Another release may do it differently, so it finds nothing in the cache.
_ENCODERS = ("sentence-transformers", "transformers", "tokenizers")
#: In a model's configuration: where it lay, and who wrote it.
_NO_MATTER = ("_name_or_path", "transformers_version")
_STORE = "embeddings-1.sqlite"  # the number is the format's
_TABLES = (
    "vectors (model TEXT, text BLOB, vector BLOB, checksum INTEGER, PRIMARY KEY (model, text))",
    "aliases (kind TEXT, alias TEXT PRIMARY KEY, fingerprint TEXT, checksum INTEGER)",
)
_FORMAT = 1
_HEADER_BYTES = 128  # before the vectors in a .npy file; a multiple of 64, as the format asks
_BLOCK = 1 << 22
_NOTE = {"complete", "rows", "dimension", "normalize", "prompt", "model", "texts", "crc32"}

# --- encode, with a cache ---------------------------------------------------------------------------------------------


def encode(
    texts: Iterable[str],
    model: str | SentenceTransformer,
    *,
    batch_size: int = 32,
    cache: bool | str | Path = True,
    show_progress: bool = False,
    normalize: bool = True,
    prompt: str | None = None,
) -> np.ndarray:
    """Return the vectors of `texts`. What any process encoded before is read from disk; a text that comes twice is encoded once.

    What comes from the cache is, bit by bit, what was put in. A text that is encoded in other company, or on another device, may
    differ in the seventh decimal.

    Parameters
    ----------
    texts
        Strings, in any order; row i of the result belongs to text i.
    model
        A model's name (see `helpers.models.load_model`) or a loaded `SentenceTransformer`. A name is loaded only if a text is not
        in the cache; who encodes often loads the model once and gives that. Any other object that has ``encode`` must say which
        vectors it gives, in an attribute ``cache_key``: see `model_fingerprint`.
    batch_size
        Texts that the model reads at once.
    cache
        True: the course's cache folder. A path: another folder. False: no cache. The cache is one file, and deleting it is safe.
    show_progress
        Show a progress bar over the texts that are encoded.
    normalize
        Divide each vector by its norm.
    prompt
        Put before each text, for models that want it, such as ``"query: "``. None: the model's own default.

    Returns
    -------
    array, shape (texts, dimension), float32
        For no texts: shape (0, dimension).

    Raises
    ------
    TypeError
        For one string instead of several, for anything in `texts` that is no string, or for a model that is none.
    ValueError
        For a `batch_size` below 1, or a model whose vectors have the wrong shape or are not finite.

    Warns
    -----
    RuntimeWarning
        When the cache cannot be read or written (a full disk, say). The result is right all the same.
    """
    texts = check_texts(texts, "texts")
    _check_whole("batch_size", batch_size)
    folder = cache_folder("embeddings") if cache is True else cache
    store = _Store(Path(folder)) if folder is not False else None
    source = _Source(model, store, normalize=normalize, prompt=prompt, batch_size=batch_size)
    if not texts:
        return np.empty((0, source.dimension), dtype=np.float32)
    hashes = [_hash(text) for text in texts]
    unique = dict(zip(hashes, texts, strict=True))
    found = store.get(source.key, list(unique)) if store else {}
    missing = [key for key in unique if key not in found]
    missing.sort(key=lambda key: -len(unique[key]))  # alike in length: little padding
    with _progress(len(missing), show_progress) as advance:
        for start in range(0, len(missing), SLICE):
            part = missing[start : start + SLICE]
            vectors = dict(
                zip(part, source.encode([unique[key] for key in part], advance), strict=True)
            )
            found |= vectors
            if store:
                store.put(source.key, vectors)
    places = {key: place for place, key in enumerate(unique)}
    return np.stack([found[h] for h in places])[[places[h] for h in hashes]]


def model_fingerprint(model: SentenceTransformer) -> str:
    """Return who `model` is: 64 hexadecimal digits that two models share only if they give the same vectors.

    It is the SHA-256 of the weights and of all settings that change a vector: modules and their configuration, tokenizer,
    ``max_seq_length``, prompts, ``truncate_dim``, and the versions of the libraries that encode. A name would not do: a model
    that was fine-tuned keeps its name, and a revision can be moved.

    Any other object, such as a client of an embedding service, says who it is in an attribute ``cache_key``: a string with the
    service's address, the model's name, its revision and whatever else changes its vectors.

    Raises
    ------
    TypeError
        When the model is neither.
    """
    stated = getattr(model, "cache_key", None)
    if isinstance(stated, str) and stated:
        return hashlib.sha256(f"stated:{stated}".encode()).hexdigest()
    if not hasattr(model, "state_dict") or not hasattr(model, "modules"):
        raise TypeError(
            f"a {type(model).__name__} does not tell which vectors it gives. Set its attribute cache_key to a string that does "
            "(address, model, revision), or call encode with cache=False"
        )
    glance = _glance(model)
    known = _KNOWN.get(model)
    if known is None or known[0] != glance:
        known = _KNOWN[model] = (glance, _full_fingerprint(model, glance))
    return known[1]


#: Fingerprints of loaded models, so that the weights are not hashed at every call. An entry goes when its model goes, and counts
#: only while `_glance` stays the same.
_KNOWN: weakref.WeakKeyDictionary[Any, tuple[tuple, str]] = weakref.WeakKeyDictionary()


def _glance(model) -> tuple:
    """Return what can be seen of `model` in a few milliseconds; a training step, other weights or another setting change it."""
    settings: dict[str, Any] = {"versions": _versions()}
    for name in ("max_seq_length", "prompts", "default_prompt_name", "truncate_dim"):
        settings[name] = getattr(model, name, None)
    tokenizer = getattr(model, "tokenizer", None)
    if tokenizer is not None and hasattr(tokenizer, "__len__"):
        names = ("model_max_length", "truncation_side", "padding_side")
        options = [getattr(tokenizer, name, None) for name in names]
        settings["tokenizer"] = [type(tokenizer).__name__, len(tokenizer), *options]
    modules, configs = [], {}
    for name, module in model.named_modules():
        modules.append([name, type(module).__module__, type(module).__qualname__])
        if hasattr(module, "get_config_dict"):
            modules[-1].append(module.get_config_dict())
        if hasattr(getattr(module, "config", None), "to_diff_dict"):
            configs.setdefault(
                id(module.config), (name, module.config)
            )  # a network and its layers share one
    settings["modules"] = modules
    for name, config in configs.values():
        values = config.to_dict()
        settings[f"config {name}"] = {key: values[key] for key in values if key not in _NO_MATTER}
    samples = []
    for name, value in model.state_dict().items():
        if hasattr(value, "data_ptr"):
            flat = value.detach().reshape(-1)
            sample = () if value.is_quantized else tuple(flat[:: max(1, len(flat) // 8)].tolist())
            # Torch counts the changes of a tensor in place.
            changes = 0 if value.is_inference() else value._version
            samples.append((name, tuple(value.shape), value.data_ptr(), changes, sample))
    return json.dumps(settings, sort_keys=True, default=str), tuple(samples)


def _full_fingerprint(model, glance: tuple) -> str:
    import io

    import torch

    digest = hashlib.sha256(glance[0].encode())
    tokenizer = getattr(model, "tokenizer", None)
    if hasattr(tokenizer, "backend_tokenizer"):
        rules = json.loads(tokenizer.backend_tokenizer.to_str())
        del rules["truncation"], rules["padding"]  # left over from the last call
        digest.update(json.dumps(rules, sort_keys=True).encode())
    elif hasattr(tokenizer, "get_vocab"):
        digest.update(json.dumps(tokenizer.get_vocab(), sort_keys=True).encode())
    for name, value in sorted(model.state_dict().items()):
        tensor = isinstance(value, torch.Tensor)
        kind = f"{value.dtype} {tuple(value.shape)}" if tensor else type(value).__name__
        digest.update(f"{name} {kind}\n".encode())
        if tensor and value.layout == torch.strided and not value.is_quantized:
            digest.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
        else:
            buffer = io.BytesIO()
            torch.save(value, buffer)
            digest.update(buffer.getvalue())
    return digest.hexdigest()


def _versions() -> list[str]:
    versions = []
    for name in _ENCODERS:
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            versions.append(f"{name} none")
    return versions


class _Source:
    """A model with the settings it is called with; a name is loaded only when vectors or the unknown fingerprint are wanted."""

    def __init__(
        self, model, store: _Store | None, *, normalize: bool, prompt: str | None, batch_size: int
    ) -> None:
        if not isinstance(model, str | Path) and not hasattr(model, "encode"):
            what = f"model is a {type(model).__name__}"
            raise TypeError(f"{what}; give a model's name or a loaded SentenceTransformer")
        if prompt is not None and not isinstance(prompt, str):
            raise TypeError(f"prompt is a {type(prompt).__name__}; give a string, or None")
        self.name = str(model) if isinstance(model, str | Path) else None
        self._model = None if self.name is not None else model
        self._store = store
        self._alias: str | None = None
        self.normalize, self.prompt, self.batch_size = bool(normalize), prompt, int(batch_size)

    @property
    def model(self):
        if self._model is None:
            from helpers.models import load_model

            self._model = load_model(self.name)
            if self._store is not None:
                self._store.set_alias(self._files(), model_fingerprint(self._model))
        return self._model

    @property
    def fingerprint(self) -> str:
        """The model's fingerprint. Of a name that was loaded before, by any process, it is known without loading."""
        known = (
            self._store.alias(self._files())
            if self._model is None and self._store is not None
            else None
        )
        return known or model_fingerprint(self.model)

    def _files(self) -> str:
        if self._alias is None:
            self._alias = _folder_fingerprint(self.name)
        return self._alias

    @property
    def key(self) -> str:
        """Whose vectors these are: the model's fingerprint and the settings."""
        settings = json.dumps([self.fingerprint, self.normalize, self.prompt])
        return hashlib.sha256(settings.encode()).hexdigest()

    @property
    def dimension(self) -> int:
        if self._model is None:
            from helpers.models import find_card

            card = find_card(self.name)
            if card is not None:
                return card.dimension
        for attribute in ("get_embedding_dimension", "get_sentence_embedding_dimension"):
            if hasattr(self.model, attribute):
                dimension = getattr(self.model, attribute)()
                if dimension:
                    return int(dimension)
        return self.encode(["dimension"]).shape[1]

    def encode(self, texts: list[str], advance=None) -> np.ndarray:
        """Return the vectors of `texts`, checked; shape (texts, dimension), float32."""
        settings = {} if self.prompt is None else {"prompt": self.prompt}
        step = len(texts) if advance is None else max(self.batch_size, 256)
        parts = []
        for start in range(0, len(texts), step):
            part = texts[start : start + step]
            vectors = self.model.encode(
                part,
                batch_size=self.batch_size,
                normalize_embeddings=self.normalize,
                show_progress_bar=False,
                **settings,
            )
            vectors = np.ascontiguousarray(vectors, dtype=np.float32)
            if vectors.ndim != 2 or len(vectors) != len(part) or vectors.shape[1] == 0:
                expected = f"(texts, dimension) was expected for {len(part)} texts"
                raise ValueError(f"the model gave an array of shape {vectors.shape}; {expected}")
            wrong = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
            if len(wrong):
                what = f"the model gave NaN or infinity for {part[wrong[0]][:40]!r}"
                raise ValueError(f"{what}: it is not finite, and cannot be compared")
            parts.append(vectors)
            if advance is not None:
                advance(len(part))
        return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _folder_fingerprint(name: str) -> str:
    """Return the SHA-256 of the files of the model `name` and of the versions that read them, without loading it."""
    from helpers.models import model_path

    folder = model_path(name)
    digest = hashlib.sha256(json.dumps(_versions()).encode())
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix in (".safetensors", ".bin", ".json", ".txt", ".model"):
            with path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
            digest.update(f"{path.relative_to(folder).as_posix()} {content}\n".encode())
    return digest.hexdigest()


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _check_whole(name: str, value: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ValueError(f"{name}={value!r}: give a whole number from 1 up")


@contextmanager
def _progress(total: int | None, show: bool) -> Iterator[Callable[[int], object] | None]:
    """Give the function that moves a progress bar over `total` texts (None: not known), or None where there is no bar."""
    # In a notebook tqdm itself does not look at TQDM_DISABLE.
    if not show or total == 0 or os.environ.get("TQDM_DISABLE", "0") not in ("", "0"):
        yield None
        return
    from tqdm.auto import tqdm

    with tqdm(total=total, desc="encoding", unit="texts") as bar:
        yield bar.update


class _Store:
    """Vectors in one SQLite file, each with a checksum. A damaged file is thrown away: all that is in it can be made again.

    SQLite's own locks keep readers and writers of several processes apart; the lock file is for the one thing that they do not
    cover, throwing the file away.
    """

    def __init__(self, folder: Path) -> None:
        folder = folder.expanduser()
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / _STORE

    def get(self, key: str, hashes: Sequence[bytes]) -> dict[bytes, np.ndarray]:
        """Return the sound vectors among those asked for."""
        query = "SELECT text, vector, checksum FROM vectors WHERE model = ? AND text IN "
        found = {}
        for text, vector, checksum in self._read(query, key, hashes):
            if _checksum(text, vector) == checksum:
                found[text] = np.frombuffer(vector, dtype="<f4")
        return found

    def put(self, key: str, vectors: Mapping[bytes, np.ndarray]) -> None:
        rows = []
        for text, vector in vectors.items():
            raw = np.ascontiguousarray(vector, dtype="<f4").tobytes()
            rows.append((key, text, raw, _checksum(text, raw)))
        self._write("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?, ?)", rows)

    def alias(self, alias: str) -> str | None:
        """Return the fingerprint of the model whose files have the fingerprint `alias`, if it is known."""
        query = "SELECT alias, fingerprint, checksum FROM aliases WHERE kind = ? AND alias IN "
        for _, fingerprint, checksum in self._read(query, "files", [alias]):
            if _checksum(alias.encode(), fingerprint.encode()) == checksum:
                return fingerprint
        return None

    def set_alias(self, alias: str, fingerprint: str) -> None:
        checksum = _checksum(alias.encode(), fingerprint.encode())
        self._write(
            "INSERT OR REPLACE INTO aliases VALUES ('files', ?, ?, ?)",
            [(alias, fingerprint, checksum)],
        )

    def _read(self, query: str, first: str, values: Sequence) -> list[tuple]:
        if not self.path.is_file():
            return []
        rows = []
        before = _identity(self.path)
        try:
            with closing(sqlite3.connect(self.path, timeout=60)) as connection:
                for start in range(0, len(values), 500):
                    part = values[start : start + 500]
                    marks = ",".join("?" * len(part))
                    rows += connection.execute(f"{query}({marks})", (first, *part)).fetchall()
            return rows
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                message = f"the cache of embeddings {self.path} cannot be read ({error}); encoding without it"
                warnings.warn(message, RuntimeWarning, stacklevel=4)
                return []

        def throw_away() -> None:
            # Another process may have done it, and begun a new one.
            if _identity(self.path) == before:
                self._throw_away()

        self._locked(throw_away, "mended")
        return []

    def _write(self, statement: str, rows: list[tuple]) -> None:
        def insert() -> None:
            try:
                self._insert(statement, rows)
            except sqlite3.DatabaseError as error:
                if not _is_damage(error):
                    raise
                self._throw_away()
                self._insert(statement, rows)

        self._locked(insert, "written")

    def _locked(self, action: Callable[[], None], what: str) -> None:
        """Do it with the lock held. A disk that is full or may not be written costs the cache, and not the vectors."""
        from filelock import FileLock

        try:
            with FileLock(f"{self.path}.lock"):
                action()
        except (sqlite3.DatabaseError, OSError) as error:
            message = f"the cache of embeddings {self.path} cannot be {what} ({error}); the vectors are right, but not kept"
            warnings.warn(message, RuntimeWarning, stacklevel=5)

    def _throw_away(self) -> None:
        # The journal first: it must not outlive the file that it belongs to.
        self.path.with_name(f"{self.path.name}-journal").unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)

    def _insert(self, statement: str, rows: list[tuple]) -> None:
        with closing(sqlite3.connect(self.path, timeout=60, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            for table in _TABLES:
                connection.execute(f"CREATE TABLE IF NOT EXISTS {table}")
            connection.executemany(statement, rows)
            connection.execute("COMMIT")


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    """Tell whether `error` speaks of a file that is torn, no database, or not one of ours; not of a full disk or a lock."""
    code = getattr(error, "sqlite_errorcode", None)
    damage = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)
    return code is None or code & 0xFF in damage


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _checksum(text: bytes, vector: bytes) -> int:
    return zlib.crc32(vector, zlib.crc32(text))


# --- encode_to_file, in bounded memory --------------------------------------------------------------------------------


def encode_to_file(
    texts: Iterable[str],
    path: str | Path,
    model: str | SentenceTransformer,
    *,
    batch_size: int = 32,
    chunk_size: int = 1_024,
    show_progress: bool = False,
    normalize: bool = True,
    prompt: str | None = None,
) -> np.memmap:
    """Encode a stream of texts into a ``.npy`` file and return it, mapped into memory. Stopped half-way, the same call goes on.

    At no time are more than `chunk_size` texts and vectors in memory. After each chunk the vectors are forced to the disk, and
    only then is the progress noted, in ``path`` + ``.json``; until the end the vectors stand in ``path`` + ``.partial``. Whatever
    kills the process costs one chunk at most. For a file that is finished, the call checks it and encodes nothing.

    To go on, `texts` must begin with the same texts as before: they are read again and compared by their hash, but not encoded
    again. With the same `batch_size` and `chunk_size`, the result is bit by bit that of an uninterrupted run.

    Parameters
    ----------
    texts
        Any iterable: a list, a generator, an open file. It is read once.
    path
        The file to make, such as ``corpus.npy``.
    model, batch_size, show_progress, normalize, prompt
        As for `encode`.
    chunk_size
        Texts between two notes of progress.

    Returns
    -------
    memmap, shape (texts, dimension), float32, read-only
        ``np.load(path, mmap_mode="r")`` gives the same, in any program.

    Raises
    ------
    ValueError
        When the file was begun with other texts, another model or other settings, or is damaged. Nothing is changed then.
    FileExistsError
        When `path` holds something that this function did not write.
    RuntimeError
        When another process is writing this file.
    TypeError
        As for `encode`; the texts before the wrong one are kept.
    """
    from filelock import FileLock, Timeout

    _check_whole("batch_size", batch_size)
    _check_whole("chunk_size", chunk_size)
    stream = _checked(texts)
    path = Path(path).expanduser()
    if path.suffix != ".npy":
        raise ValueError(f"path is {path.name!r}; give a name that ends in .npy")
    path.parent.mkdir(parents=True, exist_ok=True)
    source = _Source(model, None, normalize=normalize, prompt=prompt, batch_size=batch_size)
    total = len(texts) if isinstance(texts, Sized) else None
    lock = FileLock(path.with_name(f".{path.name}.lock"), timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        what = f"another process is writing {path}"
        raise RuntimeError(f"{what}. Wait for it, or choose another path") from error
    try:
        with _progress(total, show_progress) as advance:
            _Stream(path, source).run(stream, int(chunk_size), advance)
    finally:
        lock.release()
    return np.load(path, mmap_mode="r")


def _checked(texts: Iterable[str]) -> Iterator[str]:
    """Yield the texts; the errors are those of `encode`, with the position in the whole stream."""
    if isinstance(texts, str | bytes) or not isinstance(texts, Iterable):
        check_texts(texts, "texts")  # raises

    def each():
        for position, text in enumerate(texts):
            if not isinstance(text, str):
                what = f"texts[{position}] is a {type(text).__name__}, not a string"
                remedy = "For records, give one of their fields: (r.text for r in records)"
                raise TypeError(f"{what}. {remedy}")
            yield text

    return each()


class _Stream:
    """The files of one streamed encoding: the vectors, and a note of how many of them are safe."""

    def __init__(self, path: Path, source: _Source) -> None:
        self.path, self.source = path, source
        self.partial = path.with_name(f"{path.name}.partial")
        self.note = path.with_name(f"{path.name}.json")
        self.texts = hashlib.sha256()
        self.rows = self.crc = 0
        self.dimension, self.key = source.dimension, source.key

    def run(self, stream: Iterator[str], chunk_size: int, advance) -> None:
        note = self._read_note()
        if note is not None:
            self._skip(stream, note, advance)
            if note["complete"]:
                self._check_end(stream, note)
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
                self._count(chunk, data)
                _to_disk(file)
                self._write_note(complete=False)
                if advance:
                    advance(len(chunk))
            file.seek(0)
            file.write(_npy_header(self.rows, self.dimension))
            _to_disk(file)
        self._write_note(complete=True)
        os.replace(self.partial, self.path)

    def _bytes(self) -> int:
        return _HEADER_BYTES + self.rows * self.dimension * 4

    def _count(self, chunk: list[str], data: np.ndarray | None = None) -> None:
        for text in chunk:
            self.texts.update(_hash(text))
        if data is not None:
            self.rows += len(chunk)
            self.crc = zlib.crc32(data, self.crc)

    def _read_note(self) -> dict | None:
        try:
            note = json.loads(self.note.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise ValueError(f"{self.note} is damaged ({error}). {self._remedy()}") from error
        known = isinstance(note, dict) and note.get("format") == _FORMAT and note.keys() >= _NOTE
        if not known:
            what = f"{self.note} was not written by encode_to_file, format {_FORMAT}"
            raise ValueError(f"{what}. Choose another path")
        if note["model"] != self.key or note["dimension"] != self.dimension:
            its = f"dimension {note['dimension']}, normalize={note['normalize']}, prompt={note['prompt']!r}"
            raise ValueError(
                f"{self.path} was begun with another model or other settings (its own: {its}). "
                f"Use those, choose another path, or begin again. {self._remedy()}"
            )
        return note

    def _skip(self, stream: Iterator[str], note: dict, advance) -> None:
        """Pass over the texts that are done, and make sure that they and their vectors are what they were."""
        done = 0
        while chunk := list(islice(stream, min(4_096, note["rows"] - done))):
            self._count(chunk)
            done += len(chunk)
            if advance:
                advance(len(chunk))
        remedy = "Give the same texts in the same order, or choose another path"
        if done < note["rows"]:
            what = f"{self.path} holds {note['rows']:,} texts, and only {done:,} were given"
            raise ValueError(f"{what}. {remedy}")
        if self.texts.hexdigest() != note["texts"]:
            what = f"{self.path} was begun with other texts: the first {done:,} are not the same"
            raise ValueError(f"{what}. {remedy}")
        self.rows = done
        self._check_vectors(note)

    def _check_vectors(self, note: dict) -> None:
        finished = note["complete"]
        data = self.path if finished and self.path.exists() else self.partial
        size = data.stat().st_size if data.exists() else -1
        if size < self._bytes() or (finished and size > self._bytes()):
            found = f"{size:,} bytes" if size >= 0 else "no file"
            what = f"{data} is damaged: {self._bytes():,} bytes expected, {found} found"
            raise ValueError(f"{what}. {self._remedy()}")
        with data.open("rb") as file:
            header = file.read(_HEADER_BYTES)
            left = self._bytes() - _HEADER_BYTES
            while left and (block := file.read(min(_BLOCK, left))):
                self.crc = zlib.crc32(block, self.crc)
                left -= len(block)
        header_wrong = finished and header != _npy_header(self.rows, self.dimension)
        if self.crc != note["crc32"] or header_wrong:
            what = f"{data} is damaged: it does not hold what was written"
            raise ValueError(f"{what}. {self._remedy()}")

    def _check_end(self, stream: Iterator[str], note: dict) -> None:
        for _ in stream:
            finished = f"{self.path} is finished with {note['rows']:,} texts, and more were given"
            raise ValueError(f"{finished}. Encode the new ones into a file of their own")

    def _write_note(self, *, complete: bool) -> None:
        note = {
            "format": _FORMAT,
            "complete": complete,
            "rows": self.rows,
            "dimension": self.dimension,
            "normalize": self.source.normalize,
            "prompt": self.source.prompt,
            "model": self.key,
            "texts": self.texts.hexdigest(),
            "crc32": self.crc,
        }
        with replacing(self.note) as temporary, temporary.open("w", encoding="utf-8") as file:
            json.dump(note, file, indent=2)
            _to_disk(file)

    def _remedy(self) -> str:
        return f"Delete {self.path.name}, {self.partial.name} and {self.note.name} to begin again"


def _npy_header(rows: int, dimension: int) -> bytes:
    """Return the header of a ``.npy`` file (format 1.0) of float32, padded to `_HEADER_BYTES`."""
    shape = f"({rows}, {dimension})"
    entries = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".encode("ascii")
    start = b"\x93NUMPY\x01\x00" + (_HEADER_BYTES - 10).to_bytes(2, "little")
    return start + entries.ljust(_HEADER_BYTES - 10 - 1) + b"\n"


def _to_disk(file) -> None:
    file.flush()
    os.fsync(file.fileno())
