"""Where the course keeps what is costly to make again: unpacked models, docstrings, embeddings."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import tempfile
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

VARIABLE = "SEARCH_BY_MEANING_CACHE"
_PROJECT = Path(__file__).resolve().parent.parent
_TABLE = "vectors (id INTEGER PRIMARY KEY, digest BLOB, vector BLOB, checksum INTEGER)"
#: A file may change twice within one tick of its clock. Its stamp is trusted once it is this old.
_TICK_SECONDS = 2.0


def cache_folder(*parts: str, make: bool = True) -> Path:
    """Return the folder `parts` in the course's cache, made if need be.

    The cache is the user's cache folder of the system, or the folder that the environment
    variable ``SEARCH_BY_MEANING_CACHE`` names. A relative name counts from the project's folder,
    wherever in the project one is; elsewhere from the folder one is in, or the nearest above that
    has such a folder. Raises OSError when the folder cannot be made.
    """
    from platformdirs import user_cache_path

    chosen = os.environ.get(VARIABLE)
    root = _absolute(chosen) if chosen else user_cache_path("search-by-meaning", appauthor=False)
    folder = root.joinpath(*parts)
    try:
        if make:
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        remedy = f"Set {VARIABLE} to a folder that you may write to"
        message = f"cannot make the cache folder {folder} ({error.strerror}). {remedy}"
        raise OSError(error.errno, message) from error
    return folder


def _absolute(chosen: str) -> Path:
    here = Path.cwd()
    places = [_PROJECT] if here.is_relative_to(_PROJECT) else [here, *here.parents]
    folders = [place / Path(chosen).expanduser() for place in places]
    return next(filter(Path.is_dir, folders), folders[0])


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`, and put it in `path`'s place when the block ends
    without an error: a reader finds the old file or the new one, never half of one.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


#: Sound entries that this process read lately, from the file as it then was, and how many at most.
_READ: dict[Path, tuple[tuple, dict[bytes, bytes]]] = {}
_MOST_READ = 20_000


class DiskCache:
    """Bytes under keys on named shelves, in one SQLite file (`path`), each entry with a checksum.

    Nothing in it is needed: what is damaged is thrown away, and a disk that is full or may not be
    written costs the cache and nothing else; `trouble` then says what is the matter. SQLite's own
    locks keep readers and writers of several processes apart; the lock file is for the one thing
    that they do not cover, throwing the file away.
    """

    def __init__(self, folder: str | Path) -> None:
        self.path = Path(folder).expanduser() / "embeddings-2.sqlite"  # the number is the format's
        self.trouble: str | None = None

    def get(self, shelf: str, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return the sound entries among those asked for."""
        rows, digests = [], dict(zip(_digests(shelf, keys), keys, strict=True))
        stamp = _stamp(self.path)
        if stamp is None:
            return {}
        before, known = _READ.get(self.path, (None, {}))
        if before == stamp and known.keys() >= digests.keys():
            return {key: known[digest] for digest, key in digests.items()}
        query = "SELECT digest, vector, checksum FROM vectors WHERE id IN "
        ids = [_id(digest) for digest in digests]
        try:
            with closing(sqlite3.connect(self.path, timeout=60)) as connection:
                for start in range(0, len(ids), 500):
                    part = ids[start : start + 500]
                    marks = ",".join("?" * len(part))
                    rows += connection.execute(f"{query}({marks})", part).fetchall()
            sound = {
                digest: value
                for digest, value, checksum in rows
                if digest in digests and _checksum(digest, value) == checksum
            }
            rest = known if before == stamp and len(known) + len(sound) <= _MOST_READ else {}
            if len(sound) <= _MOST_READ:
                _READ[self.path] = (stamp, rest | sound)
            return {digests[digest]: value for digest, value in sound.items()}
        except sqlite3.DatabaseError as error:
            if _is_damage(error):
                self._locked(lambda: self._throw_away(stamp))
            else:
                self.trouble = f"{self.path} cannot be read ({error})"
        return {}

    def put(self, shelf: str, entries: Mapping[bytes, bytes]) -> None:
        """Write the entries, in place of any with the same keys."""
        rows = [
            (_id(digest), digest, value, _checksum(digest, value))
            for digest, value in zip(_digests(shelf, entries), entries.values(), strict=True)
        ]

        def insert() -> None:
            try:
                self._insert(rows)
            except sqlite3.DatabaseError as error:
                if not _is_damage(error):
                    raise
                self._throw_away()
                self._insert(rows)

        if rows:
            self._locked(insert)

    def _locked(self, action) -> None:
        from filelock import FileLock

        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{self.path}.lock"):
                action()
        except (sqlite3.DatabaseError, OSError) as error:
            self.trouble = f"{self.path} cannot be written ({error})"

    def _throw_away(self, seen: tuple | None = None) -> None:
        """Remove the file; not one that another process has begun since this one was `seen`."""
        now = _stamp(self.path)
        if seen is not None and (now is None or now[:2] != seen[:2]):
            return
        # The journal first: it must not outlive the file that it belongs to.
        self.path.with_name(f"{self.path.name}-journal").unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)

    def _insert(self, rows: list[tuple]) -> None:
        with closing(sqlite3.connect(self.path, timeout=60, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(f"CREATE TABLE IF NOT EXISTS {_TABLE}")
            connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?, ?)", rows)
            connection.execute("COMMIT")


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    """Tell whether `error` speaks of a file that is torn or none of ours; not of a full disk."""
    code = getattr(error, "sqlite_errorcode", None)
    damage = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)
    return code is None or code & 0xFF in damage


def _stamp(path: Path) -> tuple[int, ...] | None:
    """Return which file lies at `path`, and as of when; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _digests(shelf: str, keys: Iterable[bytes]) -> list[bytes]:
    return [hashlib.sha256(b"%s\0%s" % (shelf.encode(), key)).digest() for key in keys]


def _id(digest: bytes) -> int:
    """Return a number to find a row by, which SQLite does quickest; the digest then decides."""
    return int.from_bytes(digest[:8], "big", signed=True)


def _checksum(digest: bytes, value: bytes) -> int:
    return zlib.crc32(value, zlib.crc32(digest))


# --- hashes of files


_HASHES: dict[bytes, bytes] = {}


def file_sha256(path: Path, *, anew: bool = False) -> str:
    """Return the SHA-256 of the file, in hexadecimal digits. It is read once: while its size, its
    times and its inode stay the same, this process and later ones know it from the course's cache.
    ``anew=True`` reads it in any case.
    """
    path = path.resolve()
    status = path.stat()
    stamp = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
    key = f"{path} {stamp}".encode("utf-8", "surrogateescape")
    store = DiskCache(cache_folder("embeddings", make=False))
    known = None if anew else _HASHES.get(key) or store.get("files", [key]).get(key)
    if known is None:
        with path.open("rb") as file:
            known = hashlib.file_digest(file, "sha256").hexdigest().encode()
        if time.time() - max(status.st_mtime, status.st_ctime) < _TICK_SECONDS:
            return known.decode()
        store.put("files", {key: known})
    _HASHES[key] = known
    return known.decode()
