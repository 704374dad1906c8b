"""Chunks: they cover the text, fit the model, and keep sentences whole."""

import math
import re
import warnings
from itertools import pairwise

import numpy as np
import pytest

from helpers import chunking
from helpers.chunking import (
    Chunk,
    chunk_documents,
    chunk_text,
    count_tokens,
    tokens_lost,
    unknown_words,
)

NOUNS = [
    "ferry",
    "harbour",
    "lighthouse",
    "museum",
    "baker",
    "council",
    "seal",
    "teacher",
    "bicycle",
    "storm",
    "recipe",
]
VERBS = [
    "visited",
    "painted",
    "measured",
    "repaired",
    "forgot",
    "described",
    "followed",
    "welcomed",
]


def sentences(number, seed=0):
    """Return different sentences of 4 to 16 words, none with an abbreviation."""
    generator = np.random.default_rng(seed)
    result = []
    for n in range(number):
        words = generator.choice(NOUNS, size=generator.integers(2, 14)).tolist()
        result.append(f"Sentence {n} {generator.choice(VERBS)} {' '.join(words)}.")
    return result


def assert_sound(text, chunks, model, max_tokens, unread=()):
    """What holds for all chunks of any text: they cover it, but for words that are in `unread`."""
    for chunk in chunks:
        assert chunk.text == text[chunk.start : chunk.end]
        assert chunk.tokens == count_tokens(model, chunk.text)
        assert chunk.tokens <= max_tokens
    for first, second in pairwise(chunks):
        assert first.start < second.start
        assert first.end < second.end
    covered = {position for chunk in chunks for position in range(chunk.start, chunk.end)}
    for match in re.finditer(r"\w+", text):
        missed = "".join(text[place] for place in range(*match.span()) if place not in covered)
        assert not missed or any(missed in unknown for unknown in unread)


@pytest.mark.parametrize(
    ("max_tokens", "overlap"), [(None, 32), (256, 0), (64, 32), (64, 0), (40, 37), (24, 8)]
)
def test_chunks_are_sound_and_keep_sentences_whole(minilm, max_tokens, overlap):
    """Every chunk begins and ends with a sentence, is as full as it can be, and overlaps by at most so many tokens."""
    parts = sentences(120)
    text = " ".join(parts)
    starts = [match.start() for match in re.finditer(r"Sentence \d+", text)]
    ends = [start - 1 for start in starts[1:]] + [len(text)]
    limit = max_tokens or 256
    assert max(count_tokens(minilm, part) for part in parts) <= 24, (
        "the test needs sentences that fit"
    )
    chunks = chunk_text(text, minilm, max_tokens=max_tokens, overlap=overlap)
    assert_sound(text, chunks, minilm, limit)
    assert len(chunks) > 5
    for chunk in chunks:
        assert chunk.start in starts
        assert chunk.end in ends
    for first, second in pairwise(chunks):
        next_end = ends[ends.index(first.end) + 1]
        assert count_tokens(minilm, text[first.start : next_end]) > limit, (
            "one more sentence would have fitted"
        )
        shared = text[second.start : first.end]
        assert count_tokens(minilm, shared) - 2 <= overlap
        if overlap == 0:
            assert not shared.strip()


def test_neighbours_do_overlap_by_whole_sentences(minilm):
    """As many last sentences as make up the overlap, where one more would be too many."""
    text = " ".join(sentences(120))
    chunks = chunk_text(text, minilm, max_tokens=128, overlap=40)
    starts = [match.start() for match in re.finditer(r"Sentence \d+", text)]
    for first, second in pairwise(chunks):
        assert second.start < first.end
        one_more = starts[starts.index(second.start) - 1]
        assert count_tokens(minilm, text[one_more : first.end]) - 2 > 40


def test_a_short_text_is_one_chunk(minilm):
    """Nothing is split that fits; the surrounding white space is left out."""
    text = "  The ferry is late. It sails at noon.\n"
    assert chunk_text(text, minilm) == [
        Chunk("The ferry is late. It sails at noon.", 2, 38, count_tokens(minilm, text))
    ]


def test_a_text_that_fits_to_the_token_is_one_chunk(minilm):
    """And with one token less of room it is two."""
    text = " ".join(sentences(5))
    tokens = count_tokens(minilm, text)
    assert len(chunk_text(text, minilm, max_tokens=tokens, overlap=0)) == 1
    assert len(chunk_text(text, minilm, max_tokens=tokens - 1, overlap=0)) == 2


def test_a_sentence_that_does_not_fit_is_split_between_words_with_the_full_overlap(minilm):
    """A hundred words without a full stop; every chunk starts and ends with a whole word."""
    words = [f"{noun}s" for noun in np.random.default_rng(1).choice(NOUNS, size=200)]
    text = " ".join(words)
    chunks = chunk_text(text, minilm, max_tokens=40, overlap=10)
    assert_sound(text, chunks, minilm, 40)
    assert len(chunks) >= 6
    for chunk in chunks:
        assert set(chunk.text.split()) <= set(words)
    for first, second in pairwise(chunks):
        assert 8 <= count_tokens(minilm, text[second.start : first.end]) - 2 <= 10
    assert min(chunk.tokens for chunk in chunks[:-1]) >= 38


def test_short_sentences_around_a_long_one_stay_whole(minilm):
    """Only the one that does not fit is cut."""
    text = (
        "The storm came at night. "
        + "The baker forgot the recipe and " * 20
        + "slept. The harbour was quiet."
    )
    chunks = chunk_text(text, minilm, max_tokens=48, overlap=8)
    assert_sound(text, chunks, minilm, 48)
    assert chunks[0].text.startswith("The storm came at night.")
    assert chunks[-1].text.endswith("The harbour was quiet.")


def test_abbreviations_and_quotes_do_not_end_a_sentence(minilm):
    """`Dr.` and `3.5` stand within their sentences."""
    text = (
        "Dr. Almond walked 3.5 miles to the museum at night. " * 3
        + "He told Mrs. Rao about the diary."
    )
    for chunk in chunk_text(text, minilm, max_tokens=24, overlap=0):
        assert chunk.text.startswith(("Dr. Almond", "He told"))
        assert chunk.text.endswith(("night.", "diary."))


@pytest.mark.parametrize("text", ["", " ", "\n\t \r\n", "\u3000", "\x00", "\u200b"])
def test_a_text_without_words_gives_no_chunk(minilm, text):
    """Nothing to read, nothing to search."""
    assert chunk_text(text, minilm) == []


@pytest.mark.parametrize(
    "text",
    [
        "x" * 5000,
        "abcdefghij" * 9,
        "ab1-" * 1000,
        "a" * 100 + " " + "b" * 101 + " c",
        "." * 3000,
        "disestablishment" * 6,
    ],
    ids=[
        "5000 letters",
        "90 letters",
        "hyphens",
        "around the tokenizer's limit",
        "dots",
        "long word",
    ],
)
def test_huge_words_are_covered_and_fit(minilm, text):
    """No white space to cut at, and a piece of a word can have more tokens than it had in the word."""
    for max_tokens, overlap in ((32, 8), (16, 4), (10, 0)):
        chunks = chunk_text(text, minilm, max_tokens=max_tokens, overlap=overlap)
        assert chunks
        assert_sound(text, chunks, minilm, max_tokens)


@pytest.mark.parametrize(
    "text",
    [
        "渡船今天早上因为大雾没有开出。岛上的居民只能等到下午。" * 20,
        "מעבורת הבוקר לא יצאה בגלל הערפל. התושבים חיכו עד הצהריים. " * 20,
        "لم تبحر العبّارة هذا الصباح بسبب الضباب. انتظر السكان حتى الظهر. " * 20,
        "नौका आज सुबह कोहरे के कारण नहीं चली। लोग दोपहर तक रुके। " * 20,
        "Паром сегодня утром не вышел из-за тумана. Жители ждали до полудня. " * 20,
        "🚢🌊 The ferry 👩‍👩‍👧 naïve Ölfaß e\u0301! " * 60,
    ],
    ids=["Chinese", "Hebrew", "Arabic", "Hindi", "Russian", "emoji and accents"],
)
def test_other_scripts_are_covered_and_fit(minilm, text):
    """Offsets are characters of the original, whatever the tokenizer makes of it."""
    for language in ("en", "zh"):
        chunks = chunk_text(text, minilm, max_tokens=48, overlap=12, language=language)
        assert len(chunks) > 3
        assert_sound(text, chunks, minilm, 48)


def test_random_texts_are_covered_and_fit(minilm):
    """300 texts thrown together from what makes tokenizers and sentence splitters stumble; a fixed seed."""
    pieces = [
        "ferry",
        "St.",
        "Dr.",
        "e.g.",
        "3.5",
        "harbour!",
        "“Yes,”",
        "said.",
        "Mrs. Rao",
        "--",
        "...",
        "?!",
        "don't",
        "end. ",
    ]
    pieces += [
        "naïve",
        "x\u0301",
        "🚢",
        "מעבורת",
        "日本語",
        "½",
        "ﬁ",
        "\u00ad",
        "\u200b",
        "\u2028",
        "\n\n",
        "\t",
        "\x0c",
        "a" * 150,
    ]
    generator = np.random.default_rng(3)
    for _ in range(300):
        chosen = generator.choice(pieces, size=generator.integers(1, 80))
        text = "".join(piece + generator.choice([" ", " ", "", "\n"]) for piece in chosen)
        max_tokens = int(generator.integers(16, 64))
        overlap = int(generator.integers(0, max_tokens - 2))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a chunk of unknown words only
            chunks = chunk_text(text, minilm, max_tokens=max_tokens, overlap=overlap)
        assert_sound(text, chunks, minilm, max_tokens, unread=unknown_words(minilm, text))


def test_a_long_sentence_without_spaces_has_overlap_too(minilm):
    """Chinese is written without spaces: between its tokens, with the full overlap, as the docstring says."""
    text = "港口的渡船今天早上因为大雾没有开出所以岛上的居民只能等到下午才能回家" * 12
    chunks = chunk_text(text, minilm, max_tokens=40, overlap=10)
    assert_sound(text, chunks, minilm, 40)
    for first, second in pairwise(chunks):
        assert 5 <= first.end - second.start <= 10


LONG_WORDS = {
    "camel case": "TheFerryIsLateTonight" * 6,
    "letters and digits": "ACGT7" * 50,
    "base64": "QnJlYWQgcmlzZXMgb3Zlcm5pZ2h0" * 8,
    "no spaces": "theharbourwasquietatnight" * 20,
    "Hangul": "한국어도서관에서" * 7,
}


@pytest.mark.parametrize("word", LONG_WORDS.values(), ids=LONG_WORDS)
def test_a_long_word_is_read_to_its_end(minilm, word):
    """No part of it is the unknown token, which would be the same for any other."""
    text = f"Before it. {word} And after it, the ferry sails."
    assert unknown_words(minilm, text) == []
    for whole in (text, word):
        chunks = chunk_text(whole, minilm, max_tokens=64, overlap=8)
        assert_sound(whole, chunks, minilm, 64)


def test_unknown_words_are_listed_as_they_stand(minilm):
    """Emoji, letters that the model never met; known words are not among them, nor an empty text's."""
    assert unknown_words(minilm, "The ferry 🚢 to ⛴⛴ is late.") == ["🚢", "⛴⛴"]
    assert unknown_words(minilm, "The ferry is late, naïve and £3.50.") == []
    assert unknown_words(minilm, "") == []


def test_what_the_model_cannot_read_at_all_is_in_no_chunk_and_said(minilm):
    """Chunks of unknown words only would all have one vector, and be each other's neighbours."""
    with pytest.warns(UserWarning, match=r"knows no word of 200 characters, such as '🚢.* in text"):
        assert chunk_text("🚢" * 200, minilm) == []
    with pytest.warns(UserWarning, match=r"knows no word of 8 characters.*texts\[1\]"):
        chunks = chunk_documents(["The ferry.", "⛴" * 8, "🚢 A 🚢 gull."], minilm)
    assert [(chunk.text, chunk.document) for chunk in chunks] == [
        ("The ferry.", 0),
        ("🚢 A 🚢 gull.", 2),
    ]


def test_a_row_of_emoji_among_words_splits_nothing(minilm):
    """No piece of it would say more than the whole."""
    text = "The ferry " + "🚢" * 150 + " is late."
    assert [chunk.text for chunk in chunk_text(text, minilm)] == [text]


def test_work_grows_with_the_text_and_no_faster(minilm, monkeypatch):
    """Counted, not timed: twice the text, twice the steps through its sentences."""
    steps = []

    class Counted(list):
        def __getitem__(self, place):
            steps.append(len(range(*place.indices(len(self)))) if isinstance(place, slice) else 1)
            return super().__getitem__(place)

        def __iter__(self):
            steps.append(len(self))
            return super().__iter__()

    plain = chunking._Source._sentences
    monkeypatch.setattr(
        chunking._Source, "_sentences", lambda self, language: Counted(plain(self, language))
    )
    work = []
    for times in (300, 600):
        steps.clear()
        assert len(chunk_text("A ferry left the harbour late. " * times, minilm)) > 5
        work.append(sum(steps))
    assert work[1] < 2.2 * work[0]


def test_a_hundred_thousand_characters_are_chunked(minilm):
    """Many sentences and one endless one; the end is reached."""
    for text in ("A ferry left the harbour late. " * 3200 + "The end.", "ferry " * 16_700 + "end."):
        chunks = chunk_text(text, minilm)
        assert_sound(text, chunks, minilm, 256)
        assert chunks[-1].end == len(text)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_tokens": 257}, "max_tokens=257, but the model reads only 256"),
        (
            {"max_tokens": 40, "overlap": 38},
            "overlap=38 and max_tokens=40.*2 tokens are special.*less than 38",
        ),
        ({"overlap": -1}, "overlap=-1.*not negative"),
        ({"max_tokens": 2, "overlap": 0}, "max_tokens=2"),
        ({"max_tokens": 0, "overlap": 0}, "max_tokens=0"),
        ({"max_tokens": -5, "overlap": 0}, "max_tokens=-5"),
        ({"max_tokens": 20}, "overlap=32 and max_tokens=20"),
    ],
)
def test_settings_that_cannot_work_are_refused(minilm, settings, message):
    """The message says what was given and what would do, also for an empty text."""
    for text in ("The ferry is late.", ""):
        with pytest.raises(ValueError, match=message):
            chunk_text(text, minilm, **settings)


@pytest.mark.parametrize("text", [None, 5, math.nan, b"bytes", ["a list"], ["a", "b"], {"a": 1}])
def test_a_text_that_is_no_string_is_refused(minilm, text):
    """Never in silence: a list of two texts does not have two tokens."""
    for function in (chunk_text, lambda text, model: chunk_documents([text], model)):
        with pytest.raises(TypeError, match="text"):
            function(text, minilm)
    for function in (count_tokens, tokens_lost, unknown_words):
        with pytest.raises(TypeError, match="text"):
            function(minilm, text)


def test_chunks_of_several_documents_know_where_they_are_from(minilm):
    """In order, with the index of the document; a document without words has none."""
    texts = [
        " ".join(sentences(30, seed=1)),
        "",
        "Short and whole.",
        " ".join(sentences(20, seed=2)),
    ]
    chunks = chunk_documents((text for text in texts), minilm, max_tokens=64, overlap=16)
    assert {chunk.document for chunk in chunks} == {0, 2, 3}
    assert [chunk.document for chunk in chunks] == sorted(chunk.document for chunk in chunks)
    for number, text in enumerate(texts):
        alone = chunk_text(text, minilm, max_tokens=64, overlap=16)
        mine = [chunk for chunk in chunks if chunk.document == number]
        assert [(c.text, c.start, c.end, c.tokens) for c in mine] == [
            (c.text, c.start, c.end, c.tokens) for c in alone
        ]
    assert chunk_documents([], minilm) == []


def test_one_string_in_place_of_several_documents_is_refused(minilm):
    """Otherwise each of its letters becomes a document."""
    with pytest.raises(TypeError, match="list of strings"):
        chunk_documents("The ferry is late.", minilm)


@pytest.mark.parametrize(
    ("texts", "error"),
    [
        (["The ferry.", None], TypeError),
        (["The ferry.", math.nan], TypeError),
        (["The ferry.", "half an emoji \ud83d"], ValueError),
    ],
)
def test_the_text_that_is_none_is_named_by_its_index(minilm, texts, error):
    """In a corpus of thousands, which one?"""
    with pytest.raises(error, match=r"texts\[1\]"):
        chunk_documents(texts, minilm)


def test_a_table_in_place_of_texts_is_refused(minilm):
    """Otherwise the names of its columns are chunked."""
    import pandas as pd

    for texts in (pd.DataFrame({"title": ["A"], "text": ["B"]}), {"a": "The ferry."}):
        with pytest.raises(TypeError, match="texts is a"):
            chunk_documents(texts, minilm)


def test_help_shows_what_each_function_does():
    """A docstring is the first statement of a function, or it is none."""
    for function in (chunk_documents, chunk_text, count_tokens, tokens_lost, unknown_words):
        assert function.__doc__


def test_a_chunk_cannot_be_changed(minilm):
    """Records are immutable."""
    with pytest.raises(AttributeError):
        chunk_text("The ferry is late.", minilm)[0].text = "other"


def test_tokens_lost_is_the_count_minus_what_the_model_reads(minilm):
    """Zero up to the limit, then one for one."""
    assert tokens_lost(minilm, "") == 0
    for words in (1, 253, 254, 255, 256, 1000):
        text = " ".join(["ferry"] * words)
        assert count_tokens(minilm, text) == words + 2
        assert tokens_lost(minilm, text) == max(0, words + 2 - 256)


def test_what_is_lost_does_not_count_and_what_is_not_lost_does(minilm):
    """The model's own view: the vector moves only with words it reads."""
    base = " ".join(["ferry"] * 254)
    needle = base + " The treasure is buried under the lighthouse."
    assert tokens_lost(minilm, base) == 0
    assert tokens_lost(minilm, needle) > 0
    np.testing.assert_allclose(minilm.encode(base), minilm.encode(needle), atol=1e-6)
    shorter = " ".join(["ferry"] * 200)
    assert not np.allclose(minilm.encode(shorter), minilm.encode(shorter + " treasure"), atol=1e-6)


def test_the_long_articles_end_is_in_their_last_chunk(minilm, articles):
    """Their key fact stands late: the model alone would never read it."""
    long = [article for article in articles if len(article.text.split()) >= 390]
    assert len(long) >= 20
    for article in long:
        assert tokens_lost(minilm, article.text) > 0
        chunks = chunk_text(article.text, minilm)
        assert_sound(article.text, chunks, minilm, 256)
        last = re.split(r"(?<=[.!?])\s+", article.text.strip())[-1]
        assert chunks[-1].text.endswith(last)
        assert not chunks[0].text.endswith(last)
