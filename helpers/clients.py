"""How to reach a Chroma database: in memory, in a folder, on a server; and errors that say what to do.

>>> with connect("my_store") as client:
...     client.list_collections()
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import urlopen

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection

DATABASE = "chroma.sqlite3"
LOCK, _NOTE = "in-use.lock", "in-use.txt"
#: One lock for each folder that this process has open: Chroma has one database for it, however many clients.
_LOCKS: dict[Path, Any] = {}


class StoreError(ValueError):
    """What was asked does not fit what is there. The message says what is there, what was given and what to do."""


def connect(where: str | Path | ClientAPI | None = None) -> ClientAPI:
    """Return a ChromaDB client with telemetry off; use it in a ``with`` block, or call its ``close()``.

    `where` is a folder (made if need be), the address of a server such as ``"http://127.0.0.1:8000"``, or None for a store in
    memory, which all such clients of a process share. A client is given back as it is. A folder belongs to one process at a time,
    readers included, until all its clients there are closed or the process ends. For more processes start a server, ``chroma run
    --path FOLDER``, on a folder that nobody has open, for it knows nothing of the lock, and connect to its address.

    Raises StoreError when another process has the folder open, or the folder or the database in it cannot be used;
    ConnectionError when no Chroma server answers at the address.
    """
    import chromadb
    from chromadb.config import Settings

    if hasattr(where, "get_collection"):
        return where
    settings = Settings(anonymized_telemetry=False)
    if where is None:
        return chromadb.EphemeralClient(settings=settings)
    if "://" in str(where):
        return _server(str(where), settings)
    folder = Path(where).expanduser().resolve()
    hold(folder)
    try:
        if (folder / DATABASE).exists():  # a look of our own: Chroma never forgets one that failed
            with closing(sqlite3.connect(folder / DATABASE)) as database:
                database.execute("SELECT count(*) FROM sqlite_master")
        client = chromadb.PersistentClient(path=str(folder), settings=settings)
    except Exception as error:
        release(folder)
        what = f"Chroma cannot open {folder / DATABASE} ({error})"
        raise StoreError(f"{what}. Put a copy in its place, or take another folder") from error
    close, held = client.close, [folder]

    def close_and_release() -> None:
        close()
        if held:  # a second close gives nothing back
            release(held.pop())

    client.close = close_and_release
    return client


def _server(where: str, settings) -> ClientAPI:
    import chromadb

    try:
        address = urlsplit(where)
        secure = {"http": False, "https": True}[address.scheme]
        host, port = address.hostname, address.port or (443 if secure else 8000)
        if not host:
            raise ValueError("no host")
    except (ValueError, KeyError) as error:
        example = "http://127.0.0.1:8000"
        raise ValueError(f"{where!r} is no address ({error}); give one like {example!r}") from None
    name = f"[{host}]" if ":" in host else host
    try:  # a question of our own: Chroma's client waits for ever where nothing answers
        with urlopen(f"{address.scheme}://{name}:{port}/api/v2/heartbeat", timeout=10) as answer:
            json.load(answer)["nanosecond heartbeat"]
        return chromadb.HttpClient(host=host, port=port, ssl=secure, settings=settings)
    except (OSError, ValueError, KeyError, TypeError) as error:
        what = f"no Chroma server answers at {where} ({type(error).__name__}: {str(error)[:80]})"
        how = f"chroma run --path FOLDER --host {host} --port {port}"
        raise ConnectionError(f"{what}. Start one: {how}") from error


def hold(folder: Path) -> None:
    """Lock `folder` for this process; as often as this is called, `release` must be. StoreError when another process has it, when
    it was removed while this one had it, or cannot be used."""
    from filelock import FileLock, Timeout

    lock, note = _LOCKS.get(folder), folder / _NOTE
    if lock is not None and not (folder / DATABASE).exists():
        what = f"{folder} was removed while this process had it open"
        raise StoreError(f"{what}. close() its clients or restart the kernel, then connect again")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = lock or FileLock(folder / LOCK, thread_local=False)
        lock.acquire(blocking=False)
        note.write_text(str(os.getpid()))
    except Timeout:
        holder = f"process {note.read_text()}" if note.exists() else "another process"
        what = f"{holder} has this folder open: {folder}. With two at once records get lost"
        how = "Close it there (client.close(), or end that program), or let both use a server"
        server = f"chroma run --path {folder}, then connect('http://127.0.0.1:8000')"
        raise StoreError(f"{what}. {how}: {server}") from None
    except OSError as error:
        what = f"{folder} cannot be used ({error.strerror})"
        remedy = "Give a folder that you may write to, or a path where nothing is"
        raise StoreError(f"{what}. {remedy}") from error
    _LOCKS[folder] = lock


def release(folder: Path) -> None:
    """Give back what `hold` took."""
    lock = _LOCKS[folder]
    if lock.lock_counter == 1:
        (folder / _NOTE).unlink(missing_ok=True)
        del _LOCKS[folder]
    lock.release()


@contextmanager
def speaking(client: ClientAPI, name: str) -> Iterator[None]:
    """Turn Chroma's errors about the collection `name` into what happened and what to do."""
    import httpx
    from chromadb.errors import ChromaError, InternalError

    settings = client.get_settings()
    folder = Path(settings.persist_directory) if settings.is_persistent else None
    if folder is not None and not (folder / DATABASE).exists():
        what = f"{folder} was removed while this process had it open"
        raise StoreError(f"{what}. client.close(), then connect again and fill it again")
    try:
        yield
    except httpx.TransportError as error:
        what = f"the Chroma server does not answer any more ({error})"
        raise ConnectionError(f"{what}. Start it, connect, and open {name!r} again") from error
    except ChromaError as error:
        what = f"Chroma failed on the collection {name!r}: {error}"
        if isinstance(error, InternalError):
            what += ". If its index is damaged, as by a process that was killed while saving it: ids, texts and metadata are"
            what += f" still there. Close it, then: python -m helpers recover {folder or 'FOLDER'} NEW_FOLDER"
        raise StoreError(what) from error


def find_collection(client: ClientAPI, name: str) -> Collection | None:
    """Return the collection `name`, or None where there is none."""
    from chromadb.errors import NotFoundError

    try:
        return client.get_collection(name, embedding_function=None)
    except NotFoundError:
        return None
