"""Where the course keeps what is costly to make again: unpacked models, docstrings, embeddings."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VARIABLE = "SEARCH_BY_MEANING_CACHE"


def cache_folder(*parts: str) -> Path:
    """Return the folder `parts` in the course's cache, made if need be.

    The cache is the user's cache folder of the system, or the folder that the environment
    variable ``SEARCH_BY_MEANING_CACHE`` names.

    Raises
    ------
    OSError
        When the folder cannot be made; the message names the variable that moves it elsewhere.
    """
    from platformdirs import user_cache_path

    chosen = os.environ.get(VARIABLE)
    folder = (
        Path(chosen).expanduser()
        if chosen
        else user_cache_path("search-by-meaning", appauthor=False)
    ).joinpath(*parts)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"cannot make the cache folder {folder} ({error.strerror}). Set {VARIABLE} to a folder that you may write to"
        raise OSError(error.errno, message) from error
    return folder


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`, and put it in `path`'s place when the block ends
    without an error.

    A reader finds either the old file or the complete new one, never half of one; after an error
    the temporary file is gone.
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
