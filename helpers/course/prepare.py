"""Encodes the course's texts once, at set-up: ``python -m helpers prepare``.

mpnet takes a minute for the archive on two cores. Done once, it is read from disk in every lesson, and whoever grades exercises
does not wait for it either. Nothing depends on it: what is not there is encoded when it is asked for.
"""

from helpers.course.environment import COURSE_MODELS
from helpers.data import load_articles, load_pairs, load_queries
from helpers.encoding import encode


def prepare() -> int:
    """Put the vectors of articles, queries and pairs into the cache, for both of the course's models, and those of the titles
    alone, which exercises search, for the first. Return how many texts both have."""
    articles = load_articles()
    texts = [f"{article.title}\n{article.text}" for article in articles]
    texts += [query.text for query in load_queries()]
    texts += [text for pair in load_pairs() for text in (pair.first, pair.second)]
    titles = [article.title for article in articles]
    for name in COURSE_MODELS:
        encode(texts + titles if name == COURSE_MODELS[0] else texts, name)
    return len(texts)
