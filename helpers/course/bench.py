"""How fast this machine is at what the course does: ``make bench``. Figures for the reader; no test depends on them."""

from __future__ import annotations

import subprocess
import sys
import time

from helpers.course import any_console
from helpers.timing import median_seconds


def main() -> None:
    """Print the figures."""
    import numpy as np

    from helpers.data import load_articles, load_docstrings
    from helpers.models import load_model
    from helpers.search import KeywordSearch, SemanticSearch

    def show(what: str, figure: float, unit: str, digits: int = 1) -> None:
        print(f"{what:40}{figure:10,.{digits}f} {unit}")

    def started(code: str) -> float:
        return median_seconds(lambda: subprocess.run([sys.executable, "-c", code], check=True))

    rooms = "import helpers.search, helpers.models, helpers.plots"
    show("import helpers", started(rooms) - started(""), "s", 3)
    begun = time.perf_counter()
    model = load_model("all-MiniLM-L6-v2")
    show("load MiniLM, the first time", time.perf_counter() - begun, "s")
    begun = time.perf_counter()
    documents = [docstring.text for docstring in load_docstrings(refresh=True)]
    show(f"read {len(documents):,} docstrings", time.perf_counter() - begun, "s")
    articles = [article.text for article in load_articles()[:64]]
    for what, texts in (("short texts", documents[:1000]), ("articles", articles)):
        seconds = median_seconds(lambda texts=texts: model.encode(texts), 3)
        show(f"encode {what}", len(texts) / seconds, "/s", 0)
    engine, keywords = SemanticSearch(model), KeywordSearch()
    keywords.index(documents)
    made = np.random.default_rng(0).normal(size=(len(documents), 384))  # the time is the same
    engine.documents, engine.vectors = documents, made.astype(np.float32)
    for how, searching in (("meaning", engine), ("keyword", keywords)):
        seconds = median_seconds(lambda e=searching: e.search("sort an array", top_k=10))
        show(f"one query among {len(documents):,}, by {how}", seconds * 1e3, "ms")


if __name__ == "__main__":
    any_console()
    main()
