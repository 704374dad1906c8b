"""Progress bars for what takes longer than a second.

>>> with progress(len(texts), "encoding") as advance:
...     for part in parts:
...         work(part)
...         advance(len(part))
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: Seconds of work before a bar appears: what is done sooner needs none.
DELAY = 1.0


@contextmanager
def progress(
    total: int | None, label: str, *, show: bool | None = None, unit: str = "texts"
) -> Iterator[Callable[[int], object]]:
    """Give a function that moves a progress bar on, of `total` in all (None: not known).

    The bar appears after a second and estimates the time that is left; `unit` ``"B"`` counts bytes.
    `show` None: in a terminal and in a notebook, not in a file or a pipe; True or False: always or
    never. The variable ``TQDM_DISABLE`` switches every bar off.
    """
    # In a notebook tqdm itself does not look at the variable.
    off = os.environ.get("TQDM_DISABLE", "0") not in ("", "0")
    if off or show is False or total == 0:
        yield lambda done: None
        return
    from tqdm.auto import tqdm

    bytes_ = {"unit": "B", "unit_scale": True} if unit == "B" else {"unit": f" {unit}"}
    disable = None if show is None else False
    with tqdm(total=total, desc=label, delay=DELAY, disable=disable, **bytes_) as bar:
        yield bar.update
