"""Long texts in overlapping pieces that a model reads to the end.

A model cuts off in silence what exceeds its token limit. `chunk_text` splits a text into chunks
that fit, on sentence boundaries where possible; neighbours overlap, so that what stands at a seam
stands whole in one of them.
"""

from __future__ import annotations

import warnings
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from helpers.arguments import check_texts

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

#: The fewest tokens a chunk may be given: less than that, and one long word might not fit.
SMALLEST_CHUNK = 8


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document."""

    text: str  # source[start:end]
    start: int  # where it stands in its document, in characters
    end: int
    tokens: int  # tokens the model reads, its special ones included
    document: int = 0  # index of the document it is from, where several were chunked


def count_tokens(model: SentenceTransformer, text: str) -> int:
    """Return how many tokens `text` has for `model`, special ones included and nothing cut off."""
    (text,) = check_texts([text], "text")
    return len(model.tokenizer(text, truncation=False, verbose=False)["input_ids"])


def tokens_lost(model: SentenceTransformer, text: str) -> int:
    """Return how many tokens at the end of `text` the model never reads."""
    return max(0, count_tokens(model, text) - model.max_seq_length)


def unknown_words(model: SentenceTransformer, text: str) -> list[str]:
    """Return the parts of `text` that `model` reads as its one unknown token: words with a
    character that it never met (emoji, rare scripts), and those of more than 100 characters, unless
    `helpers.models.load_model` loaded it. Texts that differ only in these have the same vector.
    """
    (text,) = check_texts([text], "text")
    return [text[start:end] for start, end, known in _tokenize(text, model) if not known]


def chunk_documents(
    texts: Iterable[str],
    model: SentenceTransformer,
    *,
    max_tokens: int | None = None,
    overlap: int = 32,
    language: str = "en",
) -> list[Chunk]:
    """Return the chunks of all `texts`, in order; each knows the index of its document. Parameters,
    errors and the warning are those of `chunk_text`.
    """
    return _chunks(check_texts(texts, "texts"), "texts[{}]", model, max_tokens, overlap, language)


def chunk_text(
    text: str,
    model: SentenceTransformer,
    *,
    max_tokens: int | None = None,
    overlap: int = 32,
    language: str = "en",
) -> list[Chunk]:
    """Split `text` into overlapping chunks of whole sentences, which together cover every word that
    the model can read.

    A chunk takes as many sentences as fit. The next begins with the last whole sentences of the
    one before that make up at most `overlap` tokens. A sentence that does not fit by itself is
    split between words, or, where there are none, between tokens, with the full overlap.

    `model` is the one that will read the chunks: its tokenizer counts. A chunk has at most
    `max_tokens` tokens, special ones included (None: as many as the model reads), and shares at
    most `overlap` with its neighbour. `language`, such as ``"de"``, is for the ends of sentences.

    Raises TypeError when `text` is no string; ValueError when `max_tokens` leaves no room for text,
    exceeds what the model reads, or is not larger than `overlap`. Warns with UserWarning when a
    chunk would hold unknown words only and is left out: its vector would be that of any other such
    chunk. See `unknown_words`.
    """
    return _chunks(check_texts([text], "text"), "text", model, max_tokens, overlap, language)


def _chunks(texts: list[str], place: str, *settings) -> list[Chunk]:
    chunks: list[Chunk] = []
    unread: list[Chunk] = []
    for document, text in enumerate(texts):
        for kept, new in zip((chunks, unread), _chunk(text, *settings), strict=True):
            kept += [replace(chunk, document=document) for chunk in new]
    if unread:
        warnings.warn(
            f"the model knows no word of {sum(len(chunk.text) for chunk in unread):,} characters, "
            f"such as {unread[0].text[:20]!r} in {place.format(unread[0].document)}: they are in "
            "no chunk. unknown_words(model, text) lists them; another model may know them",
            stacklevel=3,
        )
    return chunks


def _chunk(text, model, max_tokens, overlap, language) -> tuple[list[Chunk], list[Chunk]]:
    """Return the chunks of `text`, and those of which the model knows no word."""
    limit = model.max_seq_length
    max_tokens = limit if max_tokens is None else max_tokens
    special = count_tokens(model, "")
    room = max_tokens - special
    if max_tokens < SMALLEST_CHUNK:
        raise ValueError(f"max_tokens={max_tokens}; give {SMALLEST_CHUNK} or more")
    if max_tokens > limit:
        what = f"max_tokens={max_tokens}, but the model reads only {limit}"
        raise ValueError(f"{what}; the rest would be lost")
    if not 0 <= overlap < room:
        what = f"overlap={overlap} and max_tokens={max_tokens}: {special} tokens are special"
        raise ValueError(f"{what}; overlap must be less than {room}, and not negative")
    source = _Source(text, model, language)
    chunks: list[Chunk] = []
    unread: list[Chunk] = []
    starts, end = [0], 0
    while end < len(source.tokens):
        # The first start that brings something new; the last one, where the chunk before ended,
        # always does.
        for first in starts:
            chunk, reached = source.longest_chunk(first, room, max_tokens)
            if reached > end:
                break
        known = any(known for _, _, known in source.tokens[first:reached])
        (chunks if known else unread).append(chunk)
        starts, end = source.starts_after(first, reached, overlap), reached
    return chunks, unread


class _Source:
    """A text cut into tokens (see `_tokenize`), and the positions of those that follow the end of a
    sentence, in ascending order: where a chunk may begin and end.
    """

    def __init__(self, text: str, model: SentenceTransformer, language: str) -> None:
        self.text, self.model = text, model
        self.tokens = _tokenize(text, model)
        self.sentences = self._sentences(language)

    def longest_chunk(self, first: int, room: int, max_tokens: int) -> tuple[Chunk, int]:
        """Return the longest chunk that starts at token `first`, and the token at which it ends."""
        furthest = min(first + room, len(self.tokens))
        last = bisect_right(self.sentences, furthest) - 1
        if last >= 0 and self.sentences[last] > first:
            end = self.sentences[last]
        else:  # after the last word that fits
            cuts = range(furthest, first, -1)
            end = next((cut for cut in cuts if self._may_cut(cut)), furthest)
        # Inside one very long word, the tokens of a part can number more than those of the part
        # in the whole.
        while True:
            start, stop = self.tokens[first][0], self.tokens[end - 1][1]
            tokens = count_tokens(self.model, self.text[start:stop])
            if tokens <= max_tokens or end == first + 1:
                return Chunk(self.text[start:stop], start, stop, tokens), end
            end -= 1

    def starts_after(self, first: int, end: int, overlap: int) -> list[int]:
        """Return the tokens at which the next chunk may start, that with the most overlap first."""
        lowest = max(first + 1, end - overlap)
        place = bisect_left(self.sentences, end)
        if self.sentences[place : place + 1] == [end]:
            return [*self.sentences[bisect_left(self.sentences, lowest) : place], end]
        # Inside a long sentence: at a word, or, without spaces, at a token.
        possible = range(lowest, end)
        words = [start for start in possible if self._may_cut(start)] or list(possible)
        return [*words[:1], end]

    def _may_cut(self, token: int) -> bool:
        """Return whether a word starts at `token`, or the text ends there."""
        at_end = token == len(self.tokens)
        return at_end or self.tokens[token - 1][1] < self.tokens[token][0]

    def _sentences(self, language: str) -> list[int]:
        import sentencex

        ends, position, token = [], 0, 0
        for sentence in sentencex.segment(language, self.text):
            stripped = sentence.strip()
            if not stripped:
                continue
            position = self.text.index(stripped, position) + len(stripped)
            while token < len(self.tokens) and self.tokens[token][1] <= position:
                token += 1
            if token and (not ends or token > ends[-1]):
                ends.append(token)
        if self.tokens and (not ends or ends[-1] < len(self.tokens)):
            ends.append(len(self.tokens))
        return ends


def _tokenize(text: str, model: SentenceTransformer) -> list[tuple[int, int, bool]]:
    """Return for each token where it starts and ends, and whether the model knows it."""
    encoded = model.tokenizer(
        text, add_special_tokens=False, truncation=False, return_offsets_mapping=True, verbose=False
    )
    unknown = model.tokenizer.unk_token_id
    return [
        (start, end, token != unknown)
        for (start, end), token in zip(encoded["offset_mapping"], encoded["input_ids"], strict=True)
    ]
