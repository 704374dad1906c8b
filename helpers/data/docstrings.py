"""The documentation of the Python packages on this machine, as a corpus to search. The sources are read and parsed, never
imported: importing thousands of modules would run their code, and some print, warn, open windows or fail.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import json
import re
import sys
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from helpers.cache import cache_folder, replacing

#: Read first, where they are installed: what people who learn this subject look things up in, small packages before large
#: ones, so that none is left out by the limit. All others follow in alphabetical order.
FIRST_PACKAGES = (
    "faiss-cpu", "chromadb", "sentence-transformers", "scikit-learn", "numpy", "matplotlib", "pandas",
    "scipy",
)  # fmt: skip
LIMIT = 10_000
FORMAT = "4"  # raised when what is collected changes, so that old caches are not read

_SKIPPED_FOLDERS = {
    "test", "tests", "testing", "benchmarks", "examples", "vendor", "_vendor", "_vendored",
    "third_party", "extern", "externals", "f2py",
}  # fmt: skip
_GENERATED = re.compile(r"generated (by|from)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Docstring:
    """The first paragraph of one docstring, on one line; the distribution that brings it, such as ``scikit-learn``; the module
    that defines it; its kind: ``module``, ``class``, ``function`` or ``method``; and its name within the module, such as
    ``KMeans.fit`` (a module's own name for a module)."""

    text: str
    package: str
    module: str
    kind: str
    name: str


def load_docstrings(
    packages: Iterable[str] | None = None, *, limit: int | None = LIMIT, refresh: bool = False
) -> list[Docstring]:
    """Return the first paragraphs of the docstrings of installed packages, each text once.

    Tests, vendored copies, generated sources and private names are left out; so is whatever is shorter than four words. Files
    that cannot be read or parsed are passed over. The result is kept in the course's cache until a package's version changes,
    or `refresh` is True.

    `packages` are names of installed distributions (else ValueError), in the order in which they are to be read; None:
    `FIRST_PACKAGES`, then all others by name. Reading stops at `limit` docstrings; None: some environments hold 50,000.
    """
    if isinstance(packages, str):
        raise ValueError(f"packages={packages!r} is a string; give a list of names: [{packages!r}]")
    if limit is not None and limit < 1:
        raise ValueError(f"limit={limit}: give a positive number, or None for no limit")
    distributions = _choose(packages)
    cached = cache_folder("docstrings") / f"{_fingerprint(distributions, limit)}.jsonl"
    if cached.is_file() and not refresh:
        try:
            lines = cached.read_text(encoding="utf-8").splitlines()
            return [Docstring(**json.loads(line)) for line in lines]
        except (ValueError, TypeError):
            cached.unlink(missing_ok=True)  # torn by hand or by a full disk: read the sources again
    docstrings = list(_collect(distributions, limit))
    lines = (json.dumps(asdict(d), ensure_ascii=False) + "\n" for d in docstrings)
    with replacing(cached) as temporary:
        temporary.write_text("".join(lines), encoding="utf-8")
    return docstrings


def _choose(packages: Iterable[str] | None) -> list[importlib.metadata.Distribution]:
    installed = {}
    for distribution in importlib.metadata.distributions():
        name = _metadata(distribution, "Name")
        if name and name != "search-by-meaning":
            installed.setdefault(_normal(name), distribution)
    if packages is None:
        names = [name for name in FIRST_PACKAGES if name in installed]
        names += sorted(set(installed) - set(names))
    else:
        names = [_normal(name) for name in packages]
        missing = [name for name in names if name not in installed]
        if missing:
            raise ValueError(f"not installed here: {', '.join(missing)}. `pip list` shows what is")
    return [installed[name] for name in names]


def _metadata(distribution: importlib.metadata.Distribution, field: str) -> str | None:
    """Return a field of `distribution`; None in a folder left over from a removal, for which Pythons have different answers."""
    try:
        return (distribution.metadata or {}).get(field)
    except importlib.metadata.PackageNotFoundError:  # its subclass MetadataNotFound
        return None


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _fingerprint(distributions: list[importlib.metadata.Distribution], limit: int | None) -> str:
    versions = [(_metadata(d, "Name"), _metadata(d, "Version")) for d in distributions]
    inputs = (FORMAT, sys.version_info[:2], limit, versions)
    return hashlib.sha256(repr(inputs).encode()).hexdigest()[:24]


def _collect(distributions: list, limit: int | None) -> Iterator[Docstring]:
    seen = set()
    for distribution in distributions:
        package = _metadata(distribution, "Name")
        for path, module in _sources(distribution):
            for docstring in _parse(path, module, package):
                key = docstring.text.casefold()
                if key not in seen:
                    seen.add(key)
                    yield docstring
                    if limit is not None and len(seen) >= limit:
                        return


def _sources(distribution: importlib.metadata.Distribution) -> Iterator[tuple[Path, str]]:
    """Yield each source file of `distribution` that users may import from, with its module's name."""
    for file in sorted(distribution.files or (), key=str):
        if file.suffix != ".py" or file.is_absolute() or len(file.parts) < 2 or ".." in file.parts:
            continue
        tests = file.name in ("conftest.py", "setup.py") or file.name.startswith("test_")
        if tests or _SKIPPED_FOLDERS.intersection(file.parts):
            continue
        parts = [*file.parts[:-1], *([] if file.name == "__init__.py" else [file.stem])]
        if all(part.isidentifier() for part in parts):
            yield Path(distribution.locate_file(file)), ".".join(parts)


def _parse(path: Path, module: str, package: str) -> Iterator[Docstring]:
    try:
        source = path.read_text(encoding="utf-8-sig")
        if ('"""' not in source and "'''" not in source) or _GENERATED.search(source[:1500]):
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes in other people's sources
            tree = ast.parse(source)
    except (OSError, ValueError, SyntaxError, RecursionError, MemoryError):
        return
    if text := _first_paragraph(tree):
        yield Docstring(text, package, module, "module", module)
    yield from _definitions(tree, module, package, outer="")


def _definitions(node: ast.AST, module: str, package: str, outer: str) -> Iterator[Docstring]:
    for child in ast.iter_child_nodes(node):
        is_class = isinstance(child, ast.ClassDef)
        function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
        if not (is_class or function) or child.name.startswith("_"):
            continue
        kind = "class" if is_class else "method" if outer else "function"
        if text := _first_paragraph(child):
            yield Docstring(text, package, module, kind, outer + child.name)
        if is_class:
            yield from _definitions(child, module, package, f"{outer}{child.name}.")


def _first_paragraph(node: ast.AST) -> str:
    """Return the docstring's first paragraph on one line, or an empty string where it says too little."""
    docstring = ast.get_docstring(node) or ""
    docstring = docstring.encode(errors="replace").decode()  # a lone surrogate cannot be stored
    words = re.split(r"\n\s*\n", docstring.strip(), maxsplit=1)[0].split()
    return " ".join(words) if len(words) >= 4 else ""
