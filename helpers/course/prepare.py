"""Encodes the course's texts once, at set-up: ``python -m helpers prepare``.

mpnet takes a minute for the archive on two cores. Done once, it is read from disk in every lesson.
Nothing depends on it: what is not there is encoded when it is asked for.
"""

from helpers.data import load_articles, load_pairs, load_queries
from helpers.encoding import encode
from helpers.course.environment import COURSE_MODELS


def prepare() -> int:
    """Put the vectors of articles, queries and pairs into the cache, for both of the course's
    models, and return how many texts that are.
    """
    texts = [f"{article.title}\n{article.text}" for article in load_articles()]
    texts += [query.text for query in load_queries()]
    texts += [text for pair in load_pairs() for text in (pair.first, pair.second)]
    for name in COURSE_MODELS:
        encode(texts, name, show_progress=True)
    return len(texts)
