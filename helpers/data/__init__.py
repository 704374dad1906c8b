"""The course's data: a newspaper's archive, judged queries, graded sentence pairs, and the documentation on the learner's own
machine; and a reader for texts of one's own. How the archive was written and judged, and what it is not good for, stands in
``helpers/data/DATASHEET.md``. It is dedicated to the public domain (CC0 1.0).
"""

from helpers.data.archive import (
    Article,
    Pair,
    Query,
    load_articles,
    load_near_duplicates,
    load_pairs,
    load_queries,
)
from helpers.data.docstrings import Docstring, load_docstrings
from helpers.data.own import Paragraph, read_paragraphs

__all__ = ["Article", "Docstring", "Pair", "Paragraph", "Query", "load_articles", "load_docstrings"]
__all__ += ["load_near_duplicates", "load_pairs", "load_queries", "read_paragraphs"]
