"""Loaders for the archive of *The Hollinsea Lantern*, its judged queries, and the graded sentence pairs."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files

#: Kinds of query: what makes it easy or hard.
QUERY_KINDS = ("paraphrase", "keyword", "entity", "number", "negation", "question", "no answer")
#: Tags of sentence pairs: how the second sentence was made from the first.
PAIR_TAGS = ("paraphrase", "same topic", "negation", "role swap", "number", "antonym", "unrelated")
HALVES = ("choose", "test")


@dataclass(frozen=True, slots=True)
class Article:
    """One article of the archive."""

    id: str
    title: str
    text: str
    category: str
    author: str
    date: datetime.date


@dataclass(frozen=True, slots=True)
class Query:
    """One query, and what the archive has for it.

    `relevance` maps the id of an article to its grade: 2 answers the query, 1 is related. Every other article counts as 0: it
    was judged so, or none of three engines had it among its first 20. Of kind ``"no answer"``, it has no article of grade 2.
    """

    id: str
    text: str
    kind: str
    relevance: dict[str, int]

    @property
    def answers(self) -> set[str]:
        """Ids of the articles that answer the query (grade 2)."""
        return {article for article, grade in self.relevance.items() if grade == 2}


@dataclass(frozen=True, slots=True)
class Pair:
    """Two sentences, how alike they are in meaning (0 to 5), how the second relates to the first, and the half it belongs to."""

    first: str
    second: str
    similarity: float
    tag: str
    half: str

    def __iter__(self) -> Iterator:
        """Yield first, second, similarity: what an evaluation unpacks."""
        return iter((self.first, self.second, self.similarity))


def load_articles() -> list[Article]:
    """Return the archive's articles, oldest first."""
    day = datetime.date.fromisoformat
    return [Article(**row | {"date": day(row["date"])}) for row in _rows("articles")]


def load_queries(kind: str | None = None) -> list[Query]:
    """Return the judged queries, all of them or those of one `kind` (see `QUERY_KINDS`)."""
    _check_choice("kind", kind, QUERY_KINDS)
    return [Query(**row) for row in _rows("queries") if kind in (None, row["kind"])]


def load_pairs(half: str | None = None) -> list[Pair]:
    """Return the graded sentence pairs: all, or the `half` for ``"choose"``-ing a setting or for ``"test"``-ing it."""
    _check_choice("half", half, HALVES)
    return [Pair(**row) for row in _rows("pairs") if half in (None, row["half"])]


def load_near_duplicates() -> list[tuple[str, str]]:
    """Return the planted near-duplicates as pairs of article ids: an article and its later edition."""
    return [(row["first"], row["second"]) for row in _rows("near_duplicates")]


def _rows(name: str) -> list[dict]:
    text = files("helpers.data").joinpath(f"{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def _check_choice(parameter: str, given: str | None, choices: tuple[str, ...]) -> None:
    if given is not None and given not in choices:
        known = ", ".join(map(repr, choices))
        raise ValueError(
            f"{parameter}={given!r} is unknown; choose one of {known}, or None for all"
        )
