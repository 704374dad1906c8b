"""Long texts in overlapping pieces that a model reads to the end.

A model cuts off in silence what exceeds its token limit. `chunk_text` splits a text into chunks
that fit, on sentence boundaries where possible; neighbours overlap, so that what stands at a seam
stands whole in one of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

#: The fewest tokens a chunk may be given: less than that, and one long word might not fit.
SMALLEST_CHUNK = 8


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document.

    Attributes
    ----------
    text : the piece, ``source[start:end]``
    start, end : where it stands in its document, in characters
    tokens : tokens the model reads, its special ones included
    document : index of the document it is from, where several were chunked
    """

    text: str
    start: int
    end: int
    tokens: int
    document: int = 0


def count_tokens(model: SentenceTransformer, text: str) -> int:
    """Return how many tokens `text` has for `model`, special ones included and nothing cut off."""
    return len(model.tokenizer(text, truncation=False, verbose=False)["input_ids"])


def tokens_lost(model: SentenceTransformer, text: str) -> int:
    """Return how many tokens at the end of `text` the model never reads."""
    return max(0, count_tokens(model, text) - model.max_seq_length)


def chunk_documents(
    texts: Iterable[str],
    model: SentenceTransformer,
    *,
    max_tokens: int | None = None,
    overlap: int = 32,
) -> list[Chunk]:
    if isinstance(texts, str):
        raise TypeError("texts is one string; give a list of strings, or use chunk_text")
    """Return the chunks of all `texts`, in order; each knows the index of its document. See
    `chunk_text`.
    """
    return [
        Chunk(chunk.text, chunk.start, chunk.end, chunk.tokens, document)
        for document, text in enumerate(texts)
        for chunk in chunk_text(text, model, max_tokens=max_tokens, overlap=overlap)
    ]


def chunk_text(
    text: str,
    model: SentenceTransformer,
    *,
    max_tokens: int | None = None,
    overlap: int = 32,
    language: str = "en",
) -> list[Chunk]:
    """Split `text` into overlapping chunks of whole sentences.

    A chunk takes as many sentences as fit. The next begins with the last whole sentences of the
    one before that make up at most `overlap` tokens. A sentence that does not fit by itself is
    split between tokens, with the full overlap.

    Parameters
    ----------
    text
        Any text; one without words gives no chunk.
    model
        The model that will read the chunks: its tokenizer counts.
    max_tokens
        The most tokens in a chunk, special ones included. None: as many as the model reads.
    overlap
        The most tokens that two neighbours share.
    language
        For finding the ends of sentences, such as ``"en"`` or ``"de"``.

    Returns
    -------
    list of Chunk
        Together they cover every word of the text.

    Raises
    ------
    ValueError
        When `max_tokens` leaves no room for text, exceeds what the model reads, or is not larger
        than `overlap`.
    """
    limit = model.max_seq_length
    max_tokens = limit if max_tokens is None else max_tokens
    special = count_tokens(model, "")
    room = max_tokens - special
    if max_tokens < SMALLEST_CHUNK:
        raise ValueError(f"max_tokens={max_tokens}; give {SMALLEST_CHUNK} or more")
    if max_tokens > limit:
        raise ValueError(
            f"max_tokens={max_tokens}, but the model reads only {limit}; the rest would be lost"
        )
    if not 0 <= overlap < room:
        raise ValueError(
            f"overlap={overlap} and max_tokens={max_tokens}: of {max_tokens} tokens {special} are "
            f"special; overlap must be less than {room}, and not negative"
        )
    encoded = model.tokenizer(
        text, add_special_tokens=False, truncation=False, return_offsets_mapping=True, verbose=False
    )
    offsets = encoded["offset_mapping"]
    sentences = _sentence_ends(text, offsets, language)
    chunks: list[Chunk] = []
    starts, end = [0], 0
    while end < len(offsets):
        # The first start that brings something new; the last one, where the chunk before ended,
        # always does.
        for first in starts:
            chunk, reached = _chunk_from(first, text, model, max_tokens, room, sentences, offsets)
            if reached > end:
                break
        starts, end = _overlapping_starts(first, reached, overlap, sentences, offsets), reached
        chunks.append(chunk)
    return chunks


def _chunk_from(first, text, model, max_tokens, room, sentences, offsets) -> tuple[Chunk, int]:
    """Return the longest chunk that starts at token `first`, and the token at which it ends."""
    end = _chunk_end(first, room, sentences, offsets)
    # Inside one very long word, the tokens of a part can number more than those of the part in
    # the whole.
    while (
        tokens := count_tokens(model, _between(text, offsets, first, end))
    ) > max_tokens and end > first + 1:
        end -= 1
    return Chunk(
        _between(text, offsets, first, end), offsets[first][0], offsets[end - 1][1], tokens
    ), end


def _between(text: str, offsets: list[tuple[int, int]], first: int, end: int) -> str:
    return text[offsets[first][0] : offsets[end - 1][1]]


def _sentence_ends(text: str, offsets: list[tuple[int, int]], language: str) -> list[int]:
    """Return, in ascending order, the token positions at which a sentence ends (the position of
    the first token after it).
    """
    import sentencex

    ends, position, token = [], 0, 0
    for sentence in sentencex.segment(language, text):
        stripped = sentence.strip()
        if not stripped:
            continue
        position = text.index(stripped, position) + len(stripped)
        while token < len(offsets) and offsets[token][1] <= position:
            token += 1
        if token and (not ends or token > ends[-1]):
            ends.append(token)
    if offsets and (not ends or ends[-1] < len(offsets)):
        ends.append(len(offsets))
    return ends


def _chunk_end(first: int, room: int, sentences: list[int], offsets: list[tuple[int, int]]) -> int:
    """Return where the chunk that starts at token `first` ends: after the last sentence that
    fits, else after the last word that does.
    """
    furthest = min(first + room, len(offsets))
    whole = [end for end in sentences if first < end <= furthest]
    if whole:
        return whole[-1]
    return next((cut for cut in range(furthest, first, -1) if _starts_word(cut, offsets)), furthest)


def _overlapping_starts(
    first: int, end: int, overlap: int, sentences: list[int], offsets: list[tuple[int, int]]
) -> list[int]:
    """Return the tokens at which the chunk after ``[first, end)`` may start, the one with the
    most overlap first.
    """
    possible = range(max(first + 1, end - overlap), end)
    if end in sentences:
        return [*(start for start in possible if start in sentences), end]
    # Inside a long sentence: at a word, or, where there are no spaces, as in Chinese, at a token.
    words = [start for start in possible if _starts_word(start, offsets)] or list(possible)
    return [*words[:1], end]


def _starts_word(token: int, offsets: list[tuple[int, int]]) -> bool:
    return token == len(offsets) or offsets[token - 1][1] < offsets[token][0]
