"""Executes notebooks from top to bottom and stores their outputs: what ``make run`` does."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from helpers.cache import replacing
from helpers.course import any_console
from helpers.course.environment import ROOT
from helpers.timing import STRICT_VARIABLE

FOLDERS = ("notebooks", "exercises", "solutions")
#: What ipykernel says of itself. With it, and with `language_info` as the kernel reports it (its version too, for
#: that is what JupyterLab writes), opening and saving a notebook on the Python that it was run with changes nothing.
KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
CELL_SECONDS = 240


def find_notebooks(root: Path = ROOT) -> list[Path]:
    """Return all notebooks of the course in `root`, in order."""
    return [path for folder in FOLDERS for path in sorted((root / folder).glob("*.ipynb"))]


def execute(path: Path) -> float:
    """Execute the notebook at `path` in a fresh kernel, store its outputs in it, and return the seconds it took. The file is
    replaced only when every cell has run, or nbclient's error leaves it as it was. Progress bars are off, so that what is stored
    is the same from run to run."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    # Strict: a claim of order that does not hold now stores no page.
    variables = {"TQDM_DISABLE": "1", STRICT_VARIABLE: "1"}
    settings = {"kernel_name": "python3", "timeout": CELL_SECONDS, "record_timing": False}
    place = {"metadata": {"path": path.parent}}
    started = time.perf_counter()
    client = NotebookClient(notebook, resources=place, **settings)
    client.execute(env=os.environ | variables)
    seconds = time.perf_counter() - started
    clean(notebook)
    nbformat.validate(notebook)
    with replacing(path) as temporary:
        nbformat.write(notebook, temporary)
    return seconds


def clean(notebook) -> None:
    """Remove from `notebook` what editors and runs leave behind: widget state, timings, collapsed cells. Tags, folded sources and
    descriptions of pictures stay."""
    about = notebook.metadata
    kept = {key: about[key] for key in ("language_info", "title") if key in about}
    notebook.metadata = {"kernelspec": dict(KERNELSPEC), **kept}
    for cell in notebook.cells:
        tags = {"tags": cell.metadata["tags"]} if cell.metadata.get("tags") else {}
        hidden = cell.metadata.get("jupyter", {}).get("source_hidden")
        cell.metadata = tags | ({"jupyter": {"source_hidden": True}} if hidden else {})
        if cell.cell_type == "code":
            cell.outputs = _joined(cell.outputs)
            for output in (output for output in cell.outputs if "metadata" in output):
                told = {m: v for m, v in output.metadata.items() if isinstance(v, dict)}
                output.metadata = {m: {"alt": v["alt"]} for m, v in told.items() if v.get("alt")}


def _joined(outputs: list) -> list:
    """Join neighbouring pieces of one stream: how printed text is cut up depends on timing."""
    joined: list = []
    for output in outputs:
        stream = output.get("name") if output.output_type == "stream" else None
        if joined and stream and stream == joined[-1].get("name"):
            joined[-1].text += output.text
        else:
            joined.append(output)
    return joined


def main(arguments: Iterable[str]) -> int:
    """Execute the notebooks named in `arguments`, or all; return the number that failed."""
    from nbclient.exceptions import CellControlSignal, DeadKernelError

    paths = [Path(argument) for argument in arguments] or find_notebooks()
    failed = 0
    for path in paths:
        if not path.is_file():
            sys.exit(f"There is no notebook {path}")
        print(f"{path.stem:36} ", end="", flush=True)
        try:
            print(f"{execute(path):6.1f} s")
        except (CellControlSignal, DeadKernelError) as error:  # a cell failed, or took too long
            failed += 1
            print("failed, left as it was\n", error, sep="")
    return failed


if __name__ == "__main__":
    any_console()
    sys.exit(main(sys.argv[1:]))
