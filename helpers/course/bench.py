"""How fast this machine is at what the course does: ``make bench``. Figures for the reader; no
test depends on them.
"""

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

    imported = median_seconds(
        lambda: subprocess.run(
            [sys.executable, "-c", "import helpers.search, helpers.models, helpers.plots"],
            check=True,
        )
    )
    subprocess_start = median_seconds(
        lambda: subprocess.run([sys.executable, "-c", ""], check=True)
    )
    print(f"import helpers                       {imported - subprocess_start:8.3f} s")
    started = time.perf_counter()
    model = load_model("all-MiniLM-L6-v2")
    print(f"load MiniLM, the first time          {time.perf_counter() - started:8.1f} s")
    started = time.perf_counter()
    docstrings = load_docstrings(refresh=True)
    print(
        f"read {len(docstrings):,} docstrings               {time.perf_counter() - started:8.1f} s"
    )
    texts = [docstring.text for docstring in docstrings[:1000]]
    print(
        f"encode short texts                   {len(texts) / median_seconds(lambda: model.encode(texts), 3):8.0f} /s"
    )
    articles = [article.text for article in load_articles()[:64]]
    print(
        f"encode articles                      {len(articles) / median_seconds(lambda: model.encode(articles), 3):8.0f} /s"
    )
    engine, keywords = SemanticSearch(model), KeywordSearch()
    documents = [docstring.text for docstring in docstrings]
    keywords.index(documents)
    engine.documents = documents
    engine.vectors = (
        np.random.default_rng(0).normal(size=(len(documents), 384)).astype(np.float32)
    )  # the time does not depend on the values
    query = "sort an array"
    by_meaning = median_seconds(lambda: engine.search(query, top_k=10))
    by_keyword = median_seconds(lambda: keywords.search(query, top_k=10))
    print(f"one query among {len(documents):,}, by meaning   {by_meaning * 1e3:8.1f} ms")
    print(f"one query among {len(documents):,}, by keyword   {by_keyword * 1e3:8.1f} ms")


if __name__ == "__main__":
    any_console()
    main()
