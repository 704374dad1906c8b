"""The rules of the course's data, on the files as shipped, and the loaders' records and errors."""

import datetime
import re
from collections import Counter, defaultdict
from dataclasses import FrozenInstanceError
from itertools import combinations

import pytest

from helpers.data import (
    Article,
    Pair,
    Query,
    load_articles,
    load_near_duplicates,
    load_pairs,
    load_queries,
)
from helpers.data.archive import HALVES, PAIR_TAGS, QUERY_KINDS
from helpers.search import KeywordSearch

FUNCTION_WORDS = frozenset(
    re.findall(
        r"\w+",
        """a an the and or but nor so yet for of to in on at by with from as into over under after before than that this these
        those it its is are was were be been being has have had do does did will would can could may might must shall should not
        no he she they we you i his her their our your my him them us me who which what when where why how if because while
        until there here all any each both more most some such only own same too very just about up down out off then once""",
    )
)


# How texts are compared


def words(text):
    return re.findall(r"[a-z0-9£]+(?:['’][a-z]+)?", text.lower())


def masked(text):
    """Return the words of `text` with `#` for those that hold a digit: 3 kg and 4 kg are one phrase."""
    return ["#" if re.search(r"\d", word) else word for word in words(text)]


def runs(sequence, length):
    """Return all runs of `length` neighbours in `sequence`."""
    return {tuple(sequence[start : start + length]) for start in range(len(sequence) - length + 1)}


def phrases(text):
    """Return the six-word phrases of `text`."""
    return runs(masked(text), 6)


def opening(text):
    """Return the first three words of `text`, as a set like the others."""
    return {tuple(masked(text)[:3])}


def patterns(text):
    """Return the shapes of the longer sentences: function words stay, all others become `_`."""
    found = set()
    for sentence in re.split(r"(?<=[.!?])\s+", text):
        shape = tuple(word if word in FUNCTION_WORDS else "_" for word in words(sentence))
        if len(shape) >= 9 and sum(word != "_" for word in shape) >= 3:
            found.add(shape)
    return found


def shared(texts, features, allowed=()):
    """Return what two of `texts` (by id) have in common, as (feature, id, id), without the `allowed` pairs of ids."""
    owners = defaultdict(list)
    for name, text in texts.items():
        for feature in features(text):
            owners[feature].append(name)
    allowed = {frozenset(pair) for pair in allowed}
    return [
        (" ".join(feature), *pair)
        for feature, names in owners.items()
        for pair in combinations(names, 2)
        if frozenset(pair) not in allowed
    ]


def is_long(article):
    return len(words(article.text)) >= 400


def test_the_comparisons_find_what_they_are_for():
    """Each on two texts that break its rule, and on two that do not."""
    first = "The old ferry left the harbour at 9 with 30 people and a dog on deck. More."
    texts = {
        "a": first,
        "b": "Then " + first.replace("9", "10"),
        "c": "Nothing of the kind ever stood in this paper, not once.",
    }
    assert ("old ferry left the harbour at", "a", "b") in shared(texts, phrases)
    assert ("# with # people and a", "a", "b") in shared(texts, phrases)
    assert shared(texts, phrases, allowed=[("b", "a")]) == []
    same_shape = {
        "a": "The baker on the corner sells seven loaves to every teacher.",
        "b": "The nurse in the ward gave two pills to a sailor.",
    }
    same_shape["c"] = same_shape["a"].replace("baker", "smith").replace("loaves", "horseshoes")
    assert {pair[1:] for pair in shared(same_shape, patterns)} == {("a", "c")}
    assert shared({"a": "A day at 5 sea.", "b": "A day at 6 land."}, opening) == [
        ("a day at", "a", "b")
    ]


# Articles


def test_articles_are_typed_records(articles):
    """Each field of its type, no stray white space, nothing empty."""
    for article in articles:
        assert isinstance(article, Article)
        assert type(article.date) is datetime.date
        for field in ("id", "title", "text", "category", "author"):
            value = getattr(article, field)
            assert isinstance(value, str)
            assert value
            assert value == value.strip()


def test_there_are_300_articles_or_more_with_unique_ids_in_order_of_date(articles):
    """Oldest first; ids ascend with the dates."""
    ids = [article.id for article in articles]
    dates = [article.date for article in articles]
    assert len(articles) >= 300
    assert len(set(ids)) == len(ids)
    assert ids == sorted(ids)
    assert dates == sorted(dates)


def test_the_archive_covers_2019_to_2025(articles):
    """Every year is there, with twenty articles or more, and no other."""
    years = Counter(article.date.year for article in articles)
    assert set(years) == set(range(2019, 2026))
    assert min(years.values()) >= 20


def test_categories_and_authors_are_many(articles):
    """Twelve or more of each; machine learning and travel are among them; none is a mere token."""
    categories = Counter(article.category for article in articles)
    authors = Counter(article.author for article in articles)
    assert len(categories) >= 12
    assert {"machine learning", "travel"} <= set(categories)
    assert min(categories.values()) >= 10
    assert len(authors) >= 12
    assert min(authors.values()) >= 3


def test_articles_have_40_to_160_words_and_the_long_ones_400_to_900(articles):
    """Twenty long ones or more."""
    lengths = {article.id: len(words(article.text)) for article in articles}
    assert {name: n for name, n in lengths.items() if not (40 <= n <= 160 or 400 <= n <= 900)} == {}
    assert sum(map(is_long, articles)) >= 20


def test_titles_are_unique(articles):
    """Whatever their case."""
    titles = Counter(article.title.casefold() for article in articles)
    assert [title for title, count in titles.items() if count > 1] == []


def test_no_two_articles_share_six_words_in_a_row(articles):
    """Digits masked; near-duplicates are meant to."""
    assert shared({a.id: a.text for a in articles}, phrases, allowed=load_near_duplicates()) == []


def test_no_two_articles_share_a_sentence_pattern(articles):
    """Sentences of nine words or more with at least three function words."""
    assert shared({a.id: a.text for a in articles}, patterns, allowed=load_near_duplicates()) == []


def test_no_two_articles_begin_with_the_same_three_words(articles):
    """Each opens in its own way."""
    assert shared({a.id: a.text for a in articles}, opening, allowed=load_near_duplicates()) == []


def test_no_article_repeats_itself(articles):
    """No sentence of six words or more stands twice in one article: that would be filler."""
    for article in articles:
        sentences = Counter(
            s for s in re.split(r"(?<=[.!?])\s+", article.text) if len(words(s)) >= 6
        )
        assert [sentence for sentence, count in sentences.items() if count > 1] == [], article.id


# Near-duplicates


def test_near_duplicates_are_pairs_of_articles(articles):
    """Fifteen pairs or more, both ids exist, nothing is its own duplicate, no pair comes twice."""
    pairs = load_near_duplicates()
    ids = {article.id for article in articles}
    assert len(pairs) >= 15
    for pair in pairs:
        assert isinstance(pair, tuple)
        assert len(set(pair)) == 2
        assert set(pair) <= ids
    assert len({frozenset(pair) for pair in pairs}) == len(pairs)


def test_near_duplicates_share_most_of_their_wording_but_not_all(articles):
    """0.45 to 0.97 of the three-word sequences of the one that has fewer."""
    texts = {article.id: article.text for article in articles}
    shares = {}
    for first, second in load_near_duplicates():
        one, other = runs(masked(texts[first]), 3), runs(masked(texts[second]), 3)
        shares[first, second] = len(one & other) / min(len(one), len(other))
    assert {
        pair: round(share, 2) for pair, share in shares.items() if not 0.45 <= share <= 0.97
    } == {}


def test_the_later_edition_comes_second(articles):
    """As `load_near_duplicates` promises."""
    dates = {article.id: article.date for article in articles}
    assert [pair for pair in load_near_duplicates() if dates[pair[0]] > dates[pair[1]]] == []


# Queries


@pytest.fixture(scope="module")
def queries():
    """The judged queries; there must be some, or the rules below would hold for none."""
    found = load_queries()
    assert found, "helpers/data/queries.jsonl is empty"
    return found


def test_queries_are_typed_records(queries):
    """Each field of its type, text as a person would type it."""
    for query in queries:
        assert isinstance(query, Query)
        assert all(
            isinstance(value, str) and value and value == value.strip()
            for value in (query.id, query.text, query.kind)
        )
        assert isinstance(query.relevance, dict)
        assert query.answers == {name for name, grade in query.relevance.items() if grade == 2}


def test_there_are_120_queries_or_more_with_unique_ids_and_texts(queries):
    """Whatever their case."""
    assert len(queries) >= 120
    assert len({query.id for query in queries}) == len(queries)
    assert [
        text
        for text, count in Counter(query.text.casefold() for query in queries).items()
        if count > 1
    ] == []


def test_every_kind_of_query_is_there(queries):
    """Known kinds only, ten or more of each."""
    kinds = Counter(query.kind for query in queries)
    assert set(kinds) == set(QUERY_KINDS)
    assert min(kinds.values()) >= 10


def test_queries_without_an_answer_have_none_and_all_others_have_one(queries):
    """Fifteen or more without; an article may still be related to them."""
    without = [query for query in queries if query.kind == "no answer"]
    assert len(without) >= 15
    assert [query.id for query in without if query.answers] == []
    assert [query.id for query in queries if query.kind != "no answer" and not query.answers] == []


def test_grades_are_1_or_2_and_refer_to_articles(queries, articles):
    """No other grade, no unknown id."""
    ids = {article.id for article in articles}
    for query in queries:
        assert set(query.relevance) <= ids, query.id
        assert {(type(grade), grade) for grade in query.relevance.values()} <= {
            (int, 1),
            (int, 2),
        }, query.id


def test_near_duplicates_of_an_answer_are_judged(queries):
    """An article and its later edition cannot be one an answer and the other never looked at."""
    twins = defaultdict(set)
    for first, second in load_near_duplicates():
        twins[first].add(second)
        twins[second].add(first)
    missing = [
        (q.id, name, twin)
        for q in queries
        for name in q.answers
        for twin in twins[name]
        if twin not in q.relevance
    ]
    assert missing == []


def test_most_paraphrases_defeat_the_keyword_engine(queries, articles):
    """For 8 of 10, BM25 has no answer among its first 5, though it searches titles as well as texts."""
    engine = KeywordSearch()
    engine.index([f"{article.title}\n{article.text}" for article in articles])
    paraphrases = [query for query in queries if query.kind == "paraphrase"]
    found = engine.search([query.text for query in paraphrases], top_k=5)
    defeated = [
        query.id
        for query, results in zip(paraphrases, found, strict=True)
        if not query.answers & {articles[result.index].id for result in results}
    ]
    assert len(defeated) >= 0.8 * len(paraphrases), (
        f"{len(defeated)} of {len(paraphrases)}: {defeated}"
    )


def test_the_keyword_engine_does_find_answers_to_keyword_queries(queries, articles):
    """It is no straw man: for more than half of them an answer is among its first 5."""
    engine = KeywordSearch()
    engine.index([f"{article.title}\n{article.text}" for article in articles])
    keywords = [query for query in queries if query.kind == "keyword"]
    found = engine.search([query.text for query in keywords], top_k=5)
    hits = [
        bool(q.answers & {articles[r.index].id for r in results})
        for q, results in zip(keywords, found, strict=True)
    ]
    assert sum(hits) > 0.5 * len(hits)


# Sentence pairs


@pytest.fixture(scope="module")
def pairs():
    """The graded sentence pairs."""
    return load_pairs()


def test_pairs_are_typed_records_that_unpack(pairs):
    """Each field of its type; unpacking gives what an evaluation needs."""
    for pair in pairs:
        assert isinstance(pair, Pair)
        assert type(pair.similarity) is float
        for text in (pair.first, pair.second):
            assert isinstance(text, str)
            assert text
            assert text == text.strip()
        first, second, similarity = pair
        assert (first, second, similarity) == (pair.first, pair.second, pair.similarity)


def test_there_are_240_pairs_or_more_graded_0_to_5_in_halves(pairs):
    """From one end of the scale to the other."""
    grades = {pair.similarity for pair in pairs}
    assert len(pairs) >= 240
    assert grades <= {step / 2 for step in range(11)}
    assert {0.0, 5.0} <= grades


def test_every_tag_is_there(pairs):
    """Known tags only, fifteen or more of each."""
    tags = Counter(pair.tag for pair in pairs)
    assert set(tags) == set(PAIR_TAGS)
    assert min(tags.values()) >= 15


def test_no_sentence_comes_twice(pairs):
    """Within a pair or between pairs, whatever the case."""
    sentences = Counter(
        sentence.casefold() for pair in pairs for sentence in (pair.first, pair.second)
    )
    assert [sentence for sentence, count in sentences.items() if count > 1] == []


def test_no_two_pairs_share_five_words_in_a_row(pairs):
    """Within a pair they may: a role swap keeps its words."""
    assert (
        shared(
            dict(enumerate(pairs)),
            lambda pair: runs(words(pair.first), 5) | runs(words(pair.second), 5),
        )
        == []
    )


def test_the_halves_are_alike(pairs):
    """Sizes within 5 %, each tag's numbers within 2, mean grades within half a step, by tag within one."""
    choose, test = load_pairs("choose"), load_pairs("test")
    assert abs(len(choose) - len(test)) <= 0.05 * len(pairs) / 2
    assert sorted(map(repr, choose + test)) == sorted(map(repr, pairs))

    def mean(half, tag=None):
        grades = [pair.similarity for pair in half if tag in (None, pair.tag)]
        return sum(grades) / len(grades)

    assert abs(mean(choose) - mean(test)) <= 0.25
    for tag in PAIR_TAGS:
        assert abs(sum(p.tag == tag for p in choose) - sum(p.tag == tag for p in test)) <= 2, tag
        assert abs(mean(choose, tag) - mean(test, tag)) <= 0.5, tag


def test_grades_follow_meaning_not_wording(pairs):
    """Paraphrases are graded high and unrelated pairs low, in every single case."""
    assert min(pair.similarity for pair in pairs if pair.tag == "paraphrase") > 3
    assert max(pair.similarity for pair in pairs if pair.tag == "unrelated") < 2


# Loaders


def test_loaders_choose_by_kind_and_half(queries, pairs):
    """The parts are disjoint, in order, and make up the whole."""
    for kind in QUERY_KINDS:
        assert load_queries(kind) == [query for query in queries if query.kind == kind]
    for half in HALVES:
        assert load_pairs(half) == [pair for pair in pairs if pair.half == half]


@pytest.mark.parametrize("kind", ["paraphrases", "", "Keyword", 5])
def test_an_unknown_kind_of_query_is_refused(kind):
    """The message repeats it and lists the kinds."""
    with pytest.raises(
        ValueError, match=rf"kind={kind!r} is unknown.*'paraphrase', 'keyword'.*None for all"
    ):
        load_queries(kind)


@pytest.mark.parametrize("half", ["train", "", "TEST", 1])
def test_an_unknown_half_is_refused(half):
    """The message repeats it and lists the halves."""
    with pytest.raises(
        ValueError,
        match=rf"half={half!r} is unknown; choose one of 'choose', 'test', or None for all",
    ):
        load_pairs(half)


@pytest.mark.parametrize(
    "record",
    [load_articles()[0], Query("q", "text", "keyword", {}), load_pairs()[0]],
    ids=["article", "query", "pair"],
)
def test_records_cannot_be_changed(record):
    """Neither fields nor new attributes can be set."""
    for field in record.__slots__:
        with pytest.raises(FrozenInstanceError):
            setattr(record, field, "other")
    with pytest.raises((FrozenInstanceError, TypeError)):
        record.colour = "blue"


def test_each_call_gives_a_list_of_its_own():
    """A caller may sort or cut it."""
    load_articles().clear()
    load_pairs().clear()
    assert load_articles()
    assert load_pairs()
