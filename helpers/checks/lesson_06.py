"""The checks of practice 06, batch encoding."""

from __future__ import annotations

import functools
import hashlib
import itertools
import math
import re
from collections.abc import Iterable
from typing import Any

import numpy as np

from helpers.checks.exercise import (
    Answer,
    Case,
    Mistake,
    Wrong,
    array,
    describe,
    exercise,
    integers,
    judge,
    number,
    same,
    sequence,
)

# 6.1


def padded_positions(lengths: list[int], batch_size: int) -> int:
    """Return how many positions the model computes when each batch is as long as its longest."""
    return sum(len(batch) * max(batch) for batch in _batches(lengths, batch_size))


def _batches(lengths, size):
    return [lengths[start : start + size] for start in range(0, len(lengths), size)]


def _only_full(lengths, size):
    return padded_positions(lengths[: len(lengths) // size * size], size)


def _last_counted_full(lengths, size):
    return sum(size * max(batch) for batch in _batches(lengths, size))


def _interleaved(lengths, size):
    count = math.ceil(len(lengths) / size)
    return sum(
        len(lengths[i::count]) * max(lengths[i::count]) for i in range(count) if lengths[i::count]
    )


def _in_parts(parts):
    """Return a mistake that divides the lengths evenly, into `parts(texts, size)` batches."""

    def positions(lengths, size):
        even = np.array_split(lengths, parts(len(lengths), size))
        return sum(len(batch) * max(batch, default=0) for batch in even)

    return positions


@exercise(
    "6.1",
    level=1,
    title="The price of padding",
    names=["padded_positions"],
    hints=[
        "Take the first batch alone. How many rows has its rectangle, and how many columns?",
        "A batch costs (number of its texts) × (length of its longest). The last batch may have fewer "
        "texts than the others.",
        "`for start in range(0, len(lengths), batch_size)`: the batch is "
        "`lengths[start : start + batch_size]`; add `len(batch) * max(batch)`.",
    ],
)
def exercise_6_1(answer: Answer) -> str:
    """In the order given, the last batch as large as it is."""
    rng = np.random.default_rng(61)
    many = [int(length) for length in rng.integers(3, 60, 23)]
    cases = [
        Case(([2, 6, 3, 5, 4], 2), "lengths [2, 6, 3, 5, 4] in batches of 2"),
        Case(([7, 1, 4, 2, 2, 9, 5], 3), "lengths [7, 1, 4, 2, 2, 9, 5] in batches of 3"),
        Case((many, 4), "23 lengths in batches of 4"),
        Case((many + many[5:22], 16), "40 lengths in batches of 16"),
        Case(([8, 3, 5], 10), "lengths [8, 3, 5] in batches of 10"),
        Case(([4, 4, 1, 6], 1), "lengths [4, 4, 1, 6] in batches of 1"),
        Case(([], 5), "an empty list"),
    ]
    seen = "for {case} you return {got}; it should be {expected}. "
    mistakes = [
        Mistake(
            lambda lengths, size: sum(lengths),
            seen + "That is the sum of the lengths: nothing is padded.",
        ),
        Mistake(
            lambda lengths, size: len(lengths) * max(lengths, default=0),
            seen
            + "You pad everything to the longest text of all. A text is padded to the longest of "
            "its own batch.",
        ),
        Mistake(
            lambda lengths, size: padded_positions(sorted(lengths), size),
            seen + "You sort the lengths first. That is the remedy; here the order is as given.",
        ),
        Mistake(
            lambda lengths, size: padded_positions(sorted(lengths)[::-1], size),
            seen + "You sort the lengths first. That is the remedy; here the order is as given.",
        ),
        Mistake(_only_full, seen + "The last batch is missing when it is not full."),
        Mistake(
            _last_counted_full,
            seen
            + "You count the last batch as if it were full. It has only the texts that are left.",
        ),
        Mistake(
            lambda lengths, size: padded_positions(lengths, size) - sum(lengths),
            seen + "That is the padding alone. The positions with tokens are computed, too.",
        ),
        Mistake(
            lambda lengths, size: sum(max(batch) for batch in _batches(lengths, size)),
            seen
            + "You add up the longest of each batch, as if a batch were one text. All its rows are "
            "that long.",
        ),
        Mistake(
            lambda lengths, size: sum(len(b) * min(b) for b in _batches(lengths, size)),
            seen + "You cut each batch to its *shortest* text.",
        ),
        Mistake(
            lambda lengths, size: padded_positions(lengths[:size], size),
            seen + "That is the first batch alone. Is there a `return` inside the loop?",
        ),
        Mistake(
            lambda lengths, size: [len(b) * max(b) for b in _batches(lengths, size)],
            seen + "That is one number for each batch. Add them up.",
        ),
        Mistake(
            lambda lengths, size: 1 - sum(lengths) / max(padded_positions(lengths, size), 1),
            seen + "That is the share of the padding. The task asks for a number of positions.",
        ),
        Mistake(
            lambda lengths, size: padded_positions(lengths, size) / max(len(lengths), 1),
            seen + "That is a mean for one text. Leave the sum as it is.",
        ),
        Mistake(
            lambda lengths, size: padded_positions(lengths, size) / max(sum(lengths), 1),
            seen
            + "That is how many times as many there are. The task asks for a number of positions.",
        ),
        Mistake(
            lambda lengths, size: sum(len(b) * max(b) ** 2 for b in _batches(lengths, size)),
            seen
            + "You square the longest. A row has as many positions as the longest text has tokens.",
        ),
        Mistake(
            lambda lengths, size: sum(
                len(lengths[i : i + size]) * max(lengths[i : i + size]) for i in range(len(lengths))
            ),
            seen + "You begin a batch at every text, so that they overlap: `range(0, len(lengths), "
            "batch_size)` goes from batch to batch.",
        ),
        Mistake(
            lambda lengths, size: padded_positions(lengths, size + 1),
            seen + "There is one text too many in your batches.",
        ),
        Mistake(
            lambda lengths, size: padded_positions(lengths, 2),
            seen + "Your batches have 2 texts, whatever `batch_size` says.",
        ),
        Mistake(
            lambda lengths, size: padded_positions(lengths, 32),
            seen + "Your batches have 32 texts, whatever `batch_size` says.",
        ),
        Mistake(
            _in_parts(lambda texts, size: math.ceil(texts / size)),
            seen
            + "Your batches are about equally large. All are to be full, and the last one holds what is "
            "left.",
        ),
        Mistake(
            _in_parts(lambda texts, size: size),
            seen + "You make `batch_size` batches. It says how many *texts* there are in a batch.",
        ),
        Mistake(
            _interleaved,
            seen
            + "Your batches take texts at equal distances, such as every third. A batch is a stretch of *consecutive* "
            "texts: the first batch_size, then the next.",
        ),
        Mistake(
            lambda lengths, size: sum(b[-1] * len(b) for b in _batches(lengths, size)),
            seen + "You take the last text of each batch for its longest. They are not sorted.",
        ),
        Mistake(
            lambda lengths, size: sum(b[0] * len(b) for b in _batches(lengths, size)),
            seen + "You take the first text of each batch for its longest. They are not sorted.",
        ),
    ]
    judge(answer, cases[:-1], padded_positions, mistakes, read=number)
    judge(answer, cases[-1:], padded_positions, read=number)
    return "right: each batch as long as its longest, the last one as large as it is."


# 6.2


class Cache(dict):
    """The dictionary of exercise 6.2. A class of its own, so that it is passed on as it is and
    not copied: filling it is what is asked for. It knows the texts that were encoded for it.
    """

    def __init__(self, *entries: Any) -> None:
        super().__init__(*entries)
        self.encoded: set[str] = set()


class Encoder:
    """Stands for a model: gives each text a vector of its own, and remembers what it was asked."""

    __name__ = "encode"

    def __init__(self, model: str, dimension: int = 6) -> None:
        self.model, self.dimension = model, dimension
        self.asked: list[list[str]] = []

    def __call__(self, texts: list[str]) -> np.ndarray:
        """Return the vectors of a list of texts, shape (texts, dimension).

        Raises
        ------
        Wrong
            When it is given anything else.
        """
        if isinstance(texts, str):
            raise Wrong(
                f"you call encode with the text {describe(texts)}. It wants a list of texts, all "
                "that are missing."
            )
        if isinstance(texts, (set, frozenset)):
            raise Wrong(
                "you call encode with a set. A set has no order: nobody knows which vector belongs to "
                "which text. Give a list (`list(dict.fromkeys(texts))` has no duplicates either)."
            )
        if not isinstance(texts, (list, tuple, np.ndarray, dict, type({}.keys()))):
            raise Wrong(f"you call encode with {describe(texts)}. It wants a list of texts.")
        given = list(texts)
        for text in given:
            if not isinstance(text, str):
                raise Wrong(
                    f"you call encode with a list that holds {describe(text)}. It wants a list of "
                    "texts."
                )
        self.asked.append([str(text) for text in given])
        return self.vectors(given)

    def vectors(self, texts: list[str]) -> np.ndarray:
        """Return the vectors without remembering it."""
        rows = [_vector(self.model, text, self.dimension) for text in texts]
        return np.array(rows, dtype=np.float32).reshape(-1, self.dimension)


def _vector(model: str, text: str, dimension: int) -> np.ndarray:
    """Return a vector, not of norm 1, that depends on the model's name and the text alone."""
    digest = hashlib.sha256(repr((model, str(text))).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big")).normal(size=dimension)


def _cached_call(answer: Answer, texts: list[str], model: str, cache: Cache, when: str):
    """Call the answer, check what it returns, and return what it asked the model."""
    encoder = Encoder(model)
    try:
        returned = answer(list(texts), model, cache, encoder)
    except Wrong as wrong:
        raise _not_under_its_key(wrong, encoder, cache, when) from None
    cache.encoded.update(text for call in encoder.asked for text in call)
    if answer.printed_instead:
        raise Wrong(f"`{answer.name}` prints its result and returns None. End it with `return`.")
    if returned is None:
        raise Wrong(f"{when}, you return None. Does every path end with `return`?")
    if isinstance(returned, (dict, Cache)):
        raise Wrong(
            f"{when}, you return a dictionary. The task asks for an array, a row for a text."
        )
    right = encoder.vectors(list(texts))
    found = array(returned, what=f"{when}, what you return")
    if found.shape != right.shape:
        distinct = len(set(texts))
        why = ""
        if found.shape == (distinct, right.shape[1]) and distinct < len(texts):
            why = " A text that stands twice in the list gets two rows."
        elif len(encoder.asked) == 1 and len(found) == len(encoder.asked[0]) < len(texts):
            why = " You return only the vectors that are new."
        elif found.ndim == 3:
            why = (
                " For a list of one text encode returns an array of shape (1, dimension): its vector is "
                "row 0 of that."
            )
        raise Wrong(
            f"{when}, you return an array of shape {found.shape}; it should be {right.shape}.{why}"
        )
    return encoder, found, right


def _asked_rightly(encoder: Encoder, missing: list[str], known: list[str], when: str) -> None:
    """Raise `Wrong` unless the model was asked once for exactly the missing texts."""
    asked = [text for call in encoder.asked for text in call]
    if len(encoder.asked) > 1:
        raise Wrong(
            f"{when}, you call encode {len(encoder.asked)} times. Collect what is missing and call it "
            "once: one call of many texts is what makes encoding fast."
        )
    if not missing and encoder.asked:
        if not asked:
            raise Wrong(
                f"{when}, nothing is missing, and you call encode all the same, with an empty list."
            )
        raise Wrong(
            f"{when}, everything has been encoded before; you encode {describe(asked[0])} again. Is a "
            "vector looked up under the very key under which it was put in, and does it stay in the cache, "
            "whatever is encoded later, by whatever model?"
        )
    again = [text for text in asked if text in known]
    if again:
        raise Wrong(
            f"{when}, you encode {describe(again[0])} again, although its vector is in the cache. Only "
            "what is missing goes to encode."
        )
    if len(asked) > len(set(asked)):
        twice = next(text for text in asked if asked.count(text) > 1)
        raise Wrong(
            f"{when}, you encode {describe(twice)} {asked.count(twice)} times in one call. It stands in "
            "the list more than once; encode it once."
        )


@exercise(
    "6.2",
    level=2,
    title="Encode once",
    names=["encode_cached"],
    hints=[
        "Whose vector is it? The key of the cache has to say that, and a tuple can be a key.",
        "Three steps: which texts are missing (each once)? Encode these in one call, if there are any. "
        "Then build the array from the cache alone, one row for each text of the list.",
        "`missing = [t for t in dict.fromkeys(texts) if (model_name, t) not in cache]`; if missing: put "
        "`zip(missing, encode(missing))` into the cache; return `np.array([cache[model_name, t] for t "
        "in texts])`.",
    ],
)
def exercise_6_2(answer: Answer) -> str:
    """Behaviour only: what is encoded when, and what comes back. The key is the learner's."""
    try:
        _once_and_in_order(answer)
        _nothing_confused(answer)
    finally:
        answer.forget_calls()  # the cache is filled now: a second call may take another path
    return (
        "right: one call for what is missing, none when nothing is, and no two models share a key."
    )


def _once_and_in_order(answer: Answer) -> None:
    cache = Cache()
    first = ["storm", "harbour", "bread", "harbour", "tide"]
    when = f"for {describe(first)} and an empty cache"
    encoder, found, right = _cached_call(answer, first, "mini", cache, when)
    if not encoder.asked:
        known = same(found, right)
        raise Wrong(
            f"{when}, you never call encode"
            + (
                ". Is there a cache from another call, outside of `cache`?"
                if known
                else ", and what you return are not the vectors of the texts."
            )
        )
    if len(encoder.asked) > 1 and all(len(call) == 1 for call in encoder.asked):
        raise Wrong(
            f"{when}, you call encode {len(encoder.asked)} times, with one text each. Collect what is "
            "missing and call it once: one call of many texts is what makes encoding fast."
        )
    _asked_rightly(encoder, first, [], when)
    if not same(found, right):
        raise Wrong(
            f"{when}, row {_first_row(found, right)} is not the vector of its text.{_moved(found, right)}"
        )
    if not cache:
        raise Wrong(
            "after the call, the dictionary that was given as `cache` is still empty. Is nothing put into "
            "it, or is another one used in its place: a copy, one that lives outside of the function, or a "
            "new one (`cache = cache or {}` makes it: an empty dictionary counts as False)?"
        )
    when = f"for {describe(first)} once more, with the same cache"
    encoder, found, right = _cached_call(answer, first, "mini", cache, when)
    _asked_rightly(encoder, [], first, when)
    if not same(found, right):
        raise Wrong(
            f"{when}, row {_first_row(found, right)} is not the vector of its text.{_moved(found, right)}"
        )
    second = ["tide", "rain", "storm", "ice", "bread"]
    when = f"for {describe(second)}, of which three are in the cache"
    encoder, found, right = _cached_call(answer, second, "mini", cache, when)
    _asked_rightly(encoder, ["rain", "ice"], first, when)
    if not same(found, right):
        raise Wrong(
            f"{when}, row {_first_row(found, right)} is not the vector of its text."
            f"{_moved(found, right) or ' The order is that of the list, whether a vector is new or old.'}"
        )
    encoder, found, right = _cached_call(answer, second, "mini", cache, f"{when}, once more")
    _asked_rightly(encoder, [], second, f"{when}, once more")
    _no_hashes(cache, [*first, *second], "mini")
    when = "when the cache comes back after a restart of the program"
    read_again = ["".join(list(text)) for text in second]  # equal texts, but other objects
    encoder, found, right = _cached_call(
        answer, read_again, "".join(list("mini")), Cache(cache), when
    )
    if encoder.asked:
        raise Wrong(
            f"{when}, you encode {describe(encoder.asked[0][:1])} again. Is a key made with `id()`? It is "
            "the place of an object in memory, another one in every run."
        )
    when = "with a new, empty cache"
    encoder, found, right = _cached_call(answer, second, "mini", Cache(), when)
    if not encoder.asked or set(encoder.asked[0]) != set(second):
        raise Wrong(
            f"{when}, you do not encode everything. What a function remembers outside of `cache` "
            "nobody can see, save or clear."
        )


def _not_under_its_key(wrong: Wrong, encoder: Encoder, cache: Cache, when: str) -> Wrong:
    """Return `wrong`, with what may be the cause where a text is not found under its key."""
    said = str(wrong).split("\nIt was called with")[0]
    key = re.search(r"KeyError: (.*)", said)
    asked = [text for call in encoder.asked for text in call]
    if not key:
        return wrong
    if lost := [text for text in asked if repr(text) in key[1]]:
        why = (
            f"{lost[0]!r} is among the texts that were encoded. Is each vector put in under the text that "
            "it belongs to, and under the very key under which it is looked up?"
        )
    elif lost := [text for text in cache.encoded if repr(text) in key[1]]:
        why = (
            f"An earlier call has encoded {lost[0]!r}. Does what was put into `cache` stay there, and is it "
            "looked up under the same key?"
        )
    elif cache.encoded:
        why = "No call has encoded it yet. Is a new text encoded where others are in the cache already?"
    else:
        why = "`cache` was empty, and nothing was encoded. Is there a memory outside of `cache`?"
    return Wrong(f"{when}, {said}\n{why}")


def _nothing_confused(answer: Answer) -> None:
    """Two models, and texts and names that look alike when they are written side by side."""
    cache = Cache()
    texts = ["storm", "harbour"]
    _cached_call(answer, texts, "mini", cache, "for two texts")
    when = 'for two texts known from the model "mini", and now the model "mpnet"'
    encoder, found, right = _cached_call(answer, texts, "mpnet", cache, when)
    if not encoder.asked:
        raise Wrong(
            f'{when}, you return the vectors of "mini": the right texts, the wrong model, no error. '
            "The key must say whose vector it is."
        )
    _asked_rightly(encoder, texts, [], when)
    if not same(found, right):
        raise Wrong(
            f"{when}, row {_first_row(found, right)} is not the vector of its text by this model."
        )
    when = 'for the model "mini" again, after "mpnet" has encoded the same texts'
    encoder, found, right = _cached_call(answer, texts, "mini", cache, when)
    if not same(found, right) and not encoder.asked:
        raise Wrong(
            f'{when}, you return the vectors of "mpnet": they have taken the place of the old ones.'
        )
    _asked_rightly(encoder, [], texts, when)
    when = "for ['storm', ''] and an empty cache"
    encoder, found, right = _cached_call(answer, ["storm", ""], "mini", Cache(), when)
    if not same(found, right):
        raise Wrong(
            f"{when}, row {_first_row(found, right)} is not the vector of its text. The empty text is a text "
            "like any other."
        )
    long = "The storm of the year came in the night. " * 12
    pairs = [
        ("Storm", "storm"),
        ("storm ", "storm"),
        ("storm", "storms"),
        (f"{long}Nobody was hurt.", f"{long}Two were hurt."),
        (f"Monday. {long}", f"Friday. {long}"),
        (f"{long}{long}One ship sank. {long}", f"{long}{long}Two cars sank. {long}"),
        ("Storm.\nOne ship sank.", "Storm.\nTwo cars sank."),
        ("caf\u00e9", "cafe\u0301"),
        ("na\u00efve", "nave"),
        ("\u65e5", "\u6708"),
        ("tide", "edit"),
        ("aca", "bab"),  # the same sum of characters, and the same Adler-32
        ("plumless", "buckeroo"),  # the same CRC-32
    ]
    for one, other in pairs:
        cache = Cache()
        _, found, right = _cached_call(answer, [one], "mini", cache, f"for {one!r}")
        if not same(found, right):
            raise Wrong(
                f"for {describe(one)} and an empty cache, you return another text's vector. Encode the "
                "text as it is: texts that differ in anything, be it a capital or a space, are different "
                "texts."
            )
        when, part = f"for {describe(other)}, when {describe(one)} is in the cache", ""
        if len(one) > 100:
            when = "for a long text, when another one is in the cache that differs in a few words"
            part = " Is it only a part of it, its beginning or its length?"
        encoder, found, right = _cached_call(answer, [other], "mini", cache, when)
        if not same(found, right):
            raise Wrong(
                f"{when}, you return {_whose(found, one, 'mini')}. Texts that differ in anything, be it "
                f"a capital or a space, are different texts. The key must hold the text as it is.{part}"
            )
    _many_kept_apart(answer)
    names = ("mini/v2", "mini_v2", "mini-v2", "mini v2", "Mini/v2", "mini/v2 ", "v2", "mini")
    names += ("intfloat/e5-small-v2", "intfloat/e5-small-v2-quantised", "other/e5-small-v2")
    for one, other in itertools.combinations(names, 2):
        _pair_kept_apart(
            answer,
            (one, "storm"),
            (other, "storm"),
            "Names of models that differ in anything are different names.",
        )
    _pair_kept_apart(
        answer,
        ("mini", "storm"),
        ("storm", "mini"),
        "The key must say which of the two is the model.",
    )
    joined = "Joined into one string, the two are the same key. A tuple keeps them apart."
    _pair_kept_apart(answer, ("2", "abcdefghijklm"), ("abcdefghijkl", "m"), joined)  # by length
    for middle in _separators(answer):
        for one, other in (
            (("mini", f"v2{middle}storm"), (f"mini{middle}v2", "storm")),
            (("mini", f"storm{middle}v2"), (f"v2{middle}mini", "storm")),
        ):
            _pair_kept_apart(answer, one, other, joined)
        if middle:
            _pair_kept_apart(
                answer,
                ("miniv2", "storm"),
                (f"mini{middle}v2", "storm"),
                f"The {middle!r} in it is lost. Names that differ in anything are different names.",
            )
            _pair_kept_apart(
                answer,
                ("mini", "storms"),
                ("mini", f"storm{middle}s"),
                f"The {middle!r} in it is lost. Texts that differ in anything are different texts.",
            )
    _name_of_a_key(answer)


def _whose(found: np.ndarray, text: str, model: str) -> str:
    """Say whether `found` is the vector of `text`."""
    if same(found, Encoder(model).vectors([text])):
        return f"the vector of {describe(text)}"
    return "something else than its vector"


def _many_kept_apart(answer: Answer) -> None:
    """Many texts at once: short checksums and numbers made of a text meet sooner or later."""
    many = [f"Text {number} of many." for number in range(600)]
    when = f"for {len(many)} texts and an empty cache"
    cache = Cache()
    _, found, right = _cached_call(answer, many, "mini", cache, when)
    if not same(found, right):
        row = _first_row(found, right)
        others = np.flatnonzero(np.isclose(right, found[row], atol=1e-4).all(axis=1))
        whose = f"the vector of {many[others[0]]!r}" if len(others) else "something else"
        raise Wrong(
            f"{when}, {many[row]!r} gets {whose}. Two texts share a key: a short checksum or a part of the "
            "text is not enough. The key must hold the text as it is."
        )
    when = f"for the first of {len(many)} texts, after all of them have been encoded"
    encoder, _, _ = _cached_call(answer, many[:1], "mini", cache, when)
    _asked_rightly(encoder, [], many, when)


def _name_of_a_key(answer: Answer) -> None:
    """A model may be called like anything that the answer keeps in the cache by a name."""
    filled = Cache()
    _cached_call(answer, ["storm"], "mini", filled, "for one text")
    for key in [key for key in filled if isinstance(key, str) and key != "mini"]:
        cache = Cache()
        _cached_call(answer, ["storm"], "mini", cache, "for one text")
        when = f"for the model {key!r}, after the model 'mini'"
        why = f"Your cache holds something else under {key!r}, and that may be a model's name, too."
        try:
            _, found, right = _cached_call(answer, ["storm"], key, cache, when)
        except Wrong as wrong:
            said = str(wrong).split("\nIt was called with")[0].removeprefix(f"{when}, ")
            raise Wrong(f"{when}, {said}\n{why}") from None
        if not same(found, right):
            raise Wrong(f"{when}, you return another vector than that of the text. {why}")


def _pair_kept_apart(answer: Answer, one: tuple, other: tuple, why: str) -> None:
    """Raise `Wrong` where two pairs of model and text share a vector."""
    cache = Cache()
    _cached_call(answer, [one[1]], one[0], cache, "for one text")
    when = f"for the text {other[1]!r} by the model {other[0]!r}"
    _, found, right = _cached_call(answer, [other[1]], other[0], cache, when)
    if not same(found, right):
        if not same(found, Encoder(one[0]).vectors([one[1]])):
            raise Wrong(f"{when}, you return something else than its vector.")
        raise Wrong(
            f"{when}, you return the vector of the text {one[1]!r} by the model {one[0]!r}. {why}"
        )


def _separators(answer: Answer) -> list[str]:
    """Return what may stand between model and text in a key: usual signs, and what the keys of this
    answer show.
    """
    usual = ["", *" -_:/|,;#\n\t.+@=~&\0\x1f", "::", "||", "__", "--", " | ", ": ", "->", "###"]
    cache = Cache()
    _cached_call(answer, ["storm"], "mini", cache, "for one text")
    for key in cache:
        parts = key.split("mini") if isinstance(key, str) else []
        shown = [part.removeprefix("storm").removesuffix("storm") for part in parts]
        shown += [part.split("storm")[0] for part in parts[1:]]
        shown += [part.split("storm")[-1] for part in parts[:-1]]
        usual += [part for part in dict.fromkeys(shown) if part and part not in usual]
    return usual


def _no_hashes(cache: dict, texts: list[str], model: str) -> None:
    """Raise `Wrong` where a key is made with `hash()`."""
    hashes = {hash(model)}
    for text in texts:
        for made in (text, (model, text), (text, model), model + text, text + model):
            hashes.add(hash(made))
        hashes |= {hash(f"{model}{middle}{text}") for middle in (" ", "_", ":", "|", "/", "-")}
    written = {str(abs(made)) for made in hashes}
    written |= {str(made % 10**digits) for made in hashes for digits in (6, 8, 9, 10, 12)}
    written |= {str(made % 2**bits) for made in hashes for bits in (32, 64)}
    for key in cache:
        if written.intersection(re.findall(r"\d{6,}", repr(key))):
            raise Wrong(
                "your keys are made with `hash()`. Python gives a text another hash in every run, so a "
                "cache that was saved would be lost, and two texts may have the same one. Put the model "
                "and the text themselves into the key."
            )


def _first_row(found: np.ndarray, right: np.ndarray) -> int:
    return int(np.flatnonzero(~np.isclose(found, right, atol=1e-4).all(axis=1))[0])


def _moved(found: np.ndarray, right: np.ndarray) -> str:
    """Say so when the rows are right and only their order, length or precision is not."""
    if same(found, right / np.linalg.norm(right, axis=1, keepdims=True)):
        return " You make its norm 1. Return the vectors as the model gives them."
    row = _first_row(found, right)
    others = np.flatnonzero(np.isclose(right, found[row], atol=1e-4).all(axis=1))
    if len(others) and not same(np.sort(found, axis=0), np.sort(right, axis=0)):
        return (
            f" It is that of text {others[0]} of the list. Are texts and vectors in the same order, and of "
            "the same number, where you put them together?"
        )
    if np.allclose(found, right, atol=0.06):
        return " It is nearly that: rounded, perhaps? Keep the vectors as the model gives them."
    if same(found[np.lexsort(found.T)], right[np.lexsort(right.T)]):
        return " All the vectors are there, in another order: row i belongs to text i of the list."
    return ""


# 6.3


def plan(
    kinds: list[tuple], dimension: int, bytes_per_value: float, deadline_hours: float
) -> tuple[float, float, int]:
    """Return the hours on one machine, gigabytes of vectors, and machines for a deadline."""
    hours = _hours(kinds)
    return (
        hours,
        _gigabytes(kinds, dimension, bytes_per_value),
        math.ceil(hours / deadline_hours - 1e-9),
    )


def _hours(kinds):
    return sum(documents * seconds / measured for documents, measured, seconds in kinds) / 3600


def _gigabytes(kinds, dimension, bytes_per_value):
    return sum(kind[0] for kind in kinds) * dimension * bytes_per_value / 1e9


def _planned(hours=_hours, gigabytes=_gigabytes, machines=None):
    """Return a plan in which one of the three is worked out in another way."""
    machines = machines or (lambda hours, deadline: math.ceil(hours / deadline - 1e-9))

    def planned(kinds, dimension, bytes_per_value, deadline_hours):
        found = hours(kinds)
        return (
            found,
            gigabytes(kinds, dimension, bytes_per_value),
            machines(found, deadline_hours),
        )

    return planned


def _mean_rate(kinds):
    rate = np.mean([measured / seconds for _, measured, seconds in kinds])
    return sum(kind[0] for kind in kinds) / rate / 3600


def _weighted_rate(kinds):
    documents = sum(kind[0] for kind in kinds)
    rate = sum(kind[0] * kind[1] / kind[2] for kind in kinds) / documents
    return documents / rate / 3600


def _pooled_rate(kinds):
    rate = sum(kind[1] for kind in kinds) / sum(kind[2] for kind in kinds)
    return sum(kind[0] for kind in kinds) / rate / 3600


def _mean_seconds(kinds):
    each = np.mean([seconds / measured for _, measured, seconds in kinds])
    return sum(kind[0] for kind in kinds) * each / 3600


@exercise(
    "6.3",
    level=2,
    title="Before you promise a date",
    names=["plan"],
    hints=[
        "Work out the seconds for each kind of text by itself. What may you add: rates, or times?",
        "A kind takes documents × seconds / measured. Add the seconds, divide by 3600. The vectors: all "
        "documents × dimension × bytes_per_value / 10⁹.",
        "`machines = math.ceil(hours / deadline_hours)`: 2.1 machines are three. Return `hours, "
        "gigabytes, machines`.",
    ],
)
def exercise_6_3(answer: Answer) -> str:
    """Numbers that are exact in binary, so that no order of calculation crosses a whole number."""
    cases = [
        Case(
            ([(9_216_000, 1024, 8)], 384, 4, 10),
            "9,216,000 documents of one kind (1,024 in 8 s), float32, a deadline of 10 h",
        ),
        Case(
            ([(3_686_400, 256, 1), (921_600, 64, 2)], 768, 2, 5.0),
            "3,686,400 documents (256 in 1 s) and 921,600 (64 in 2 s), float16, a deadline of 5 h",
        ),
        Case(
            ([(50_000, 100, 4.0), (2_000_000, 500, 2.5), (700_000, 40, 3.2)], 384, 0.125, 3.0),
            "three kinds of texts, one bit a number, a deadline of 3 h",
        ),
        Case(
            ([(60_000, 200, 5.0), (10_000, 100, 9.0)], 1024, 1, 48),
            "two kinds of texts, one byte a number, a deadline of 48 h",
        ),
        Case(
            ([(1_000_000, 128, 1.0), (1_000_000, 32, 1.0)], 384, 4, 3.65),
            "two kinds of a million documents each, a deadline of 3.65 h",
        ),
    ]
    ceil = math.ceil
    seen = "for {case} you return {got}; it should be {expected}. "
    mistakes = [
        Mistake(
            _planned(_mean_rate),
            seen
            + "You take the mean of the rates. The slow kind takes longer, so it has a larger part "
            "in the time: add up seconds, not rates.",
        ),
        Mistake(
            _planned(_weighted_rate),
            seen + "You take the mean of the rates, weighted by documents. Rates do not add up; "
            "seconds do.",
        ),
        Mistake(
            _planned(_pooled_rate),
            seen
            + "You make one rate of both measurements, as if the corpus were mixed as they are. Work "
            "out each kind by its own rate, then add the seconds.",
        ),
        Mistake(
            _planned(_mean_seconds),
            seen
            + "You take the mean of the seconds for a document, each kind counting alike. A kind "
            "counts as often as it has documents.",
        ),
        Mistake(
            _planned(lambda kinds: _hours(kinds) * 60),
            seen + "These are minutes. Divide the seconds by 3600.",
        ),
        Mistake(
            _planned(lambda kinds: _hours(kinds) * 3600),
            seen + "These are seconds. Divide by 3600 for hours.",
        ),
        Mistake(
            _planned(lambda kinds: _hours(kinds) * 3600, machines=lambda h, d: ceil(h / 3600 / d)),
            seen + "These are seconds. Divide by 3600 for hours.",
        ),
        Mistake(
            _planned(lambda kinds: _hours(kinds) * 60, machines=lambda h, d: ceil(h / 60 / d)),
            seen + "These are minutes. Divide the seconds by 3600.",
        ),
        Mistake(
            _planned(lambda kinds: sum(n * m / s for n, m, s in kinds) / 3600),
            seen + "You multiply by the rate. Hours are documents *divided* by documents a second.",
        ),
        Mistake(_planned(lambda kinds: _hours(kinds[:1])), seen + "Only the first kind is in it."),
        Mistake(
            _planned(lambda kinds: _hours(kinds[:1]), lambda k, d, b: _gigabytes(k[:1], d, b)),
            seen + "Only the first kind is in it. Is there a `return` inside the loop?",
        ),
        Mistake(
            lambda kinds, *rest: plan([(n - m, m, s) for n, m, s in kinds], *rest),
            seen
            + "You leave out the documents of the trial. It was a trial: all are to be encoded.",
        ),
        *(
            Mistake(
                _planned(
                    lambda kinds, digits=digits: round(_hours(kinds), digits),
                    lambda *a, digits=digits: round(_gigabytes(*a), digits),
                ),
                seen + "You round hours and gigabytes. The task asks for them as they are.",
            )
            for digits in (0, 1, 2, 3)
        ),
        *(
            Mistake(
                _planned(lambda kinds, digits=digits: round(_hours(kinds), digits)),
                seen + "You round the hours. The task asks for them as they are.",
            )
            for digits in (0, 1, 2, 3)
        ),
        *(
            Mistake(
                _planned(gigabytes=lambda *a, digits=digits: round(_gigabytes(*a), digits)),
                seen + "You round the gigabytes. The task asks for them as they are.",
            )
            for digits in (0, 1, 2, 3)
        ),
        Mistake(
            _planned(lambda kinds: _hours(kinds[-1:])),
            seen + "Only the last kind is in it. Is the sum set anew in the loop?",
        ),
        Mistake(
            _planned(lambda kinds: max(_hours([kind]) for kind in kinds)),
            seen + "You take the kind that takes longest. One machine does them one after another.",
        ),
        Mistake(
            _planned(gigabytes=lambda *a: _gigabytes(*a) * 1e9 / 2**30),
            seen + "You divide by 2³⁰: that is a gibibyte. The task has gigabytes of 10⁹ bytes.",
        ),
        Mistake(
            _planned(gigabytes=lambda *a: _gigabytes(*a) * 1e3),
            seen + "These are megabytes. A gigabyte is 10⁹ bytes.",
        ),
        Mistake(
            _planned(gigabytes=lambda *a: _gigabytes(*a) * 1e9),
            seen + "These are bytes. A gigabyte is 10⁹ of them.",
        ),
        Mistake(
            _planned(gigabytes=lambda k, d, b: _gigabytes(k, d, 4)),
            seen + "You take 4 bytes for each number. `bytes_per_value` says how many there are.",
        ),
        Mistake(
            _planned(gigabytes=lambda k, d, b: _gigabytes(k, d, int(b))),
            seen + "You make a whole number of bytes_per_value. One bit is 0.125 bytes.",
        ),
        Mistake(
            _planned(gigabytes=lambda k, d, b: _gigabytes(k, d, b) / 8),
            seen + "You divide by 8, but bytes_per_value is in bytes, not in bits.",
        ),
        Mistake(
            _planned(gigabytes=lambda k, d, b: _gigabytes(k, d, 1)),
            seen + "bytes_per_value is missing: you count the numbers.",
        ),
        Mistake(
            _planned(gigabytes=lambda k, d, b: _gigabytes(k, 1, b)),
            seen + "The dimension is missing: a vector has so many numbers.",
        ),
        Mistake(
            _planned(gigabytes=lambda k, d, b: sum(kind[1] for kind in k) * d * b / 1e9),
            seen + "These are the gigabytes of the documents that were measured, not of all.",
        ),
        Mistake(
            _planned(gigabytes=lambda k, d, b: _gigabytes(k[:1], d, b)),
            seen + "In the gigabytes, only the first kind is counted.",
        ),
        Mistake(
            _planned(gigabytes=lambda k, d, b: _gigabytes(k[-1:], d, b)),
            seen + "In the gigabytes, only the last kind is counted.",
        ),
        Mistake(
            _planned(machines=lambda h, d: h / d),
            seen + "Nobody has a fraction of a machine: round up.",
        ),
        Mistake(
            _planned(machines=lambda h, d: int(h / d)),
            seen + "You round the machines down: with these the deadline is missed. Round up.",
        ),
        Mistake(
            _planned(machines=lambda h, d: max(1, int(h / d))),
            seen + "You round the machines down: with these the deadline is missed. Round up.",
        ),
        Mistake(
            _planned(machines=lambda h, d: round(h / d)),
            seen + "You round the machines to the nearest number. Just below is too few: round up.",
        ),
        Mistake(
            _planned(machines=lambda h, d: max(1, round(h / d))),
            seen + "You round the machines to the nearest number. Just below is too few: round up.",
        ),
        Mistake(
            _planned(machines=lambda h, d: int(h / d) + 1),
            seen + "Where hours / deadline is a whole number, you order one machine too many. "
            "`math.ceil` rounds up only where there is something to round.",
        ),
        Mistake(
            _planned(machines=lambda h, d: ceil(d / h)),
            seen + "Your ratio is upside down: more hours need more machines.",
        ),
        Mistake(
            _planned(machines=lambda h, d: 1),
            seen + "One machine does not make it. How often does the deadline fit into the hours?",
        ),
        Mistake(
            lambda k, d, b, t: (_hours(k) / plan(k, d, b, t)[2], *plan(k, d, b, t)[1:]),
            seen
            + "Your hours are those of all machines together. The task asks for the hours on one.",
        ),
        Mistake(
            lambda k, d, b, t: (plan(k, d, b, t)[1], plan(k, d, b, t)[0], plan(k, d, b, t)[2]),
            seen + "The order is hours, gigabytes, machines.",
        ),
        Mistake(
            lambda k, d, b, t: (plan(k, d, b, t)[0], plan(k, d, b, t)[2], plan(k, d, b, t)[1]),
            seen + "The order is hours, gigabytes, machines.",
        ),
        Mistake(
            _planned(machines=lambda h, d: ceil(ceil(h) / d)),
            seen + "You round the hours up before you divide. Round once, at the end.",
        ),
        Mistake(
            lambda k, d, b, t: (
                *plan(k, d, b, t)[:2],
                sum(ceil(_hours([kind]) / t - 1e-9) for kind in k),
            ),
            seen + "You round up for each kind. The machines take any kind: round the sum, once.",
        ),
    ]
    judge(answer, cases, plan, mistakes, read=_three_numbers, agree=_same_plan)
    return "right: seconds add up, rates do not, and 2.1 machines are three."


def _three_numbers(value: Any) -> list[float]:
    if isinstance(value, dict):
        raise Wrong(
            "you return a dictionary; the task asks for `return hours, gigabytes, machines`."
        )
    found = sequence(value) if isinstance(value, Iterable) else []
    if isinstance(value, str) or len(found) != 3:
        raise Wrong(
            f"you return {describe(value)}; the task asks for three numbers: hours, gigabytes, machines."
        )
    names = ("the number of hours", "the number of gigabytes", "the number of machines")
    return [number(item, name) for item, name in zip(found, names, strict=True)]


def _same_plan(found: list[float], expected: tuple) -> bool:
    """Say whether all three agree; say which does not when only one is wrong."""
    agree = [
        bool(np.isclose(one, other, rtol=2e-6, atol=1e-12))
        for one, other in zip(found, expected, strict=True)
    ]
    if agree.count(False) == 1:
        place = agree.index(False)
        what = ("hours", "gigabytes", "machines")[place]
        raise Wrong(
            f"two of the three are right, the {what} are not: you return {describe(found[place])}; it "
            f"should be {describe(expected[place])}."
        )
    return all(agree)


# 6.4


def rescore(query: np.ndarray, vectors: np.ndarray, candidates: int, k: int) -> list[int]:
    """Return the k best by dot product among the candidates that are nearest by Hamming distance."""
    return _rescored(query, vectors, candidates, k)


def _hamming(query, vectors):
    return ((vectors > 0) != (query > 0)).sum(axis=1)


def _packed_xor(query, vectors):
    return np.packbits(vectors > 0, axis=1) ^ np.packbits(query > 0)


def _rescored(
    query,
    vectors,
    candidates,
    k,
    *,
    distance=_hamming,
    rows=lambda distances: np.argsort(distances, kind="stable"),
    score=lambda query, vectors: vectors @ query,
):
    chosen = rows(distance(query, vectors))[:candidates]
    scores = score(query, vectors[chosen])
    return [int(row) for row in chosen[np.argsort(-scores, kind="stable")[:k]]]


def _rescored_with(**changed):
    return lambda *arguments: _rescored(*arguments, **changed)


def _last_of_equals(distances):
    return np.lexsort((-np.arange(len(distances)), distances))


def _places_among_candidates(query, vectors, candidates, k):
    chosen = np.argsort(_hamming(query, vectors), kind="stable")[:candidates]
    return [int(place) for place in np.argsort(-(vectors[chosen] @ query))[:k]]


def _equals_by_product(query, vectors, candidates, k):
    chosen = np.lexsort((-(vectors @ query), _hamming(query, vectors)))[:candidates]
    return [int(row) for row in chosen[np.argsort(-(vectors[chosen] @ query))[:k]]]


def _ranked_by_bits(query, vectors, candidates, k):
    chosen = np.argsort(-(vectors @ query))[:candidates]
    return [
        int(row) for row in chosen[np.argsort(_hamming(query, vectors[chosen]), kind="stable")[:k]]
    ]


def _all_as_near(query, vectors, candidates, k):
    distance = _hamming(query, vectors)
    rows = np.flatnonzero(distance <= np.sort(distance)[candidates - 1])
    return [int(row) for row in rows[np.argsort(-(vectors[rows] @ query))[:k]]]


def _only_nearer(query, vectors, candidates, k):
    distance = _hamming(query, vectors)
    rows = np.flatnonzero(distance < np.sort(distance)[candidates - 1])
    return [int(row) for row in rows[np.argsort(-(vectors[rows] @ query))[:k]]]


def _one_ranking(query, vectors, candidates, k):
    return [int(row) for row in np.lexsort((-(vectors @ query), _hamming(query, vectors)))[:k]]


def _unsigned(query, vectors):
    return np.abs((vectors > 0).astype(np.uint8) - (query > 0).astype(np.uint8)).sum(axis=1)


def _unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@exercise(
    "6.4",
    level=2,
    title="Bits find, numbers rank",
    names=["rescore"],
    hints=[
        "Two searches, one after the other: a coarse one over all vectors, a fine one over what it has "
        "found.",
        "`(vectors > 0) != (query > 0)` marks the bits that differ; their number in each row is the "
        'Hamming distance. `np.argsort(…, kind="stable")` leaves equal distances in the order of the '
        "rows.",
        "`chosen = np.argsort(distance, kind='stable')[:candidates]`, `scores = vectors[chosen] @ query`, "
        "`return chosen[np.argsort(-scores)[:k]]`: back from places to rows.",
    ],
)
def exercise_6_4(answer: Answer) -> str:
    """Zeros are no positive numbers, equal distances go by row, and lengths count."""
    cases = [
        _coarse(*sizes)
        for sizes in (
            (40, 12, 9, 4, 641),
            (25, 8, 5, 5, 642),
            (60, 16, 15, 6, 643),
            (30, 10, 6, 5, 647),
        )
    ]
    query, vectors, *_ = _coarse(35, 11, 33, 5, 649).arguments
    cases.append(  # most products are negative
        Case((query, -vectors, 33, 5), "35 vectors, candidates=33, k=5")
    )
    seen = "for {case} you return {got}; it should be {expected}. "
    mistakes = [
        Mistake(
            lambda q, v, c, k: _rescored(q, v, len(v), k),
            seen
            + "You rank all vectors by dot product. That is right and slow: the bits are to choose "
            "the candidates.",
        ),
        Mistake(
            lambda q, v, c, k: [int(i) for i in np.argsort(_hamming(q, v), kind="stable")[:k]],
            seen + "That is the order of the Hamming distance. The second step is missing.",
        ),
        Mistake(
            lambda q, v, c, k: _rescored(q, v, k, k),
            seen
            + "You rescore only k candidates: their order can change, but nobody new comes in. "
            "Take `candidates` of them.",
        ),
        Mistake(
            _rescored_with(distance=lambda q, v: ((v >= 0) != (q >= 0)).sum(axis=1)),
            seen + "You take 0 for a positive number (`>=`). A bit is 1 where the number is `> 0`.",
        ),
        Mistake(
            _rescored_with(distance=lambda q, v: (v * q <= 0).sum(axis=1)),
            seen
            + "You multiply, and count what is not above 0. Where a number is 0 the product is 0, "
            "even if both bits are 0 and do not differ.",
        ),
        Mistake(
            _rescored_with(distance=lambda q, v: (v * q < 0).sum(axis=1)),
            seen
            + "You multiply, and count what is below 0. Where a number is 0 the product is 0, even "
            "if the bits differ: 0 has the bit 0, a number above it the bit 1.",
        ),
        Mistake(
            _rescored_with(distance=lambda q, v: (v != q).sum(axis=1)),
            seen
            + "You compare the numbers themselves, which nearly always differ. Make bits of both "
            "first: `> 0`.",
        ),
        Mistake(
            _rescored_with(distance=lambda q, v: ((v > 0) & (q > 0)).sum(axis=1)),
            seen
            + "You take for candidates the rows with the fewest bits that are 1 in both: such rows are "
            "far. The Hamming distance counts the bits that differ.",
        ),
        Mistake(
            _rescored_with(distance=_unsigned),
            seen
            + "You subtract bits as `uint8`, which knows no -1: 0 - 1 becomes 255. Count where "
            "they differ (`!=`).",
        ),
        Mistake(
            _one_ranking,
            seen
            + "You rank by Hamming distance, and the dot product only decides between equals. It is to "
            "rank *all* candidates.",
        ),
        Mistake(
            _only_nearer,
            seen
            + "You leave out the rows that are just as far as the last candidate. There are to be "
            "`candidates` of them.",
        ),
        Mistake(
            lambda q, v, c, k: _rescored(q, v, 20, 10),
            seen + "You take 20 candidates and return 10, whatever `candidates` and `k` are.",
        ),
        Mistake(
            lambda q, v, c, k: rescore(q, v, c, k + 1)[1:],
            seen + "The best is missing. The query is none of the vectors: begin at place 0.",
        ),
        Mistake(
            _rescored_with(score=lambda q, v: np.abs(v @ q)),
            seen
            + "You rank by the size of the dot product without its sign. A product far below 0 is "
            "the worst, not the best.",
        ),
        Mistake(
            _rescored_with(score=lambda q, v: (v > 0).astype(int) @ (q > 0).astype(int)),
            seen
            + "You rescore with the bits of both. They are too coarse to rank; take the full vectors.",
        ),
        Mistake(
            _rescored_with(score=lambda q, v: v @ (q > 0)),
            seen + "You rescore with the bits of the query. Take its full vector.",
        ),
        Mistake(
            _rescored_with(distance=lambda q, v: (np.sign(v) != np.sign(q)).sum(axis=1)),
            seen + "`np.sign` knows three values, and a bit two: 0 and -1 have the same bit.",
        ),
        Mistake(
            _rescored_with(distance=lambda q, v: ((v > 0) & (q > 0)).sum(axis=1) * -1),
            seen
            + "You count the bits that are 1 in both. The Hamming distance counts all that differ.",
        ),
        Mistake(
            _rescored_with(distance=lambda q, v: ((v > 0) == (q > 0)).sum(axis=1)),
            seen
            + "You take the farthest rows for candidates. The bits that *agree* are many where two "
            "vectors are near, those that differ are few.",
        ),
        Mistake(
            _rescored_with(distance=lambda q, v: _packed_xor(q, v).sum(axis=1)),
            seen
            + "You add up the packed bytes as numbers. Count the bits in them, with `np.bitwise_count`.",
        ),
        Mistake(
            _rescored_with(distance=lambda q, v: (_packed_xor(q, v) > 0).sum(axis=1)),
            seen + "You count the *bytes* that differ, eight bits at a time. Count the bits.",
        ),
        Mistake(
            _rescored_with(rows=_last_of_equals),
            seen
            + "Where two rows have the same Hamming distance, the smaller row number comes first. "
            "You have the larger one.",
        ),
        Mistake(
            _rescored_with(rows=lambda d: np.argsort(d)),
            seen
            + 'Equal Hamming distances go by row number. `np.argsort` without kind="stable" does '
            "not promise that.",
        ),
        Mistake(
            _ranked_by_bits,
            seen
            + "You choose the candidates by dot product, and rank them by their bits. It is the other way "
            "round: bits find, numbers rank.",
        ),
        Mistake(
            _equals_by_product,
            seen
            + "Among rows that are equally far you prefer the larger dot product. The smaller row number "
            "comes first.",
        ),
        Mistake(
            _all_as_near,
            seen
            + "You take every row that is as near as the last candidate. Where rows are equally "
            "far, the smaller row numbers come first, up to `candidates` of them.",
        ),
        Mistake(
            _places_among_candidates,
            seen + "You return places among the candidates. The task asks for rows of `vectors`: "
            "`chosen[…]`.",
        ),
        Mistake(
            _rescored_with(score=lambda q, v: -(v @ q)),
            seen + "You return the candidates with the *smallest* dot products.",
        ),
        Mistake(
            lambda q, v, c, k: _rescored(q, v, c, k, score=lambda q, v: -(v @ q))[::-1],
            seen
            + "You return the candidates with the *smallest* dot products: `[:k]` comes before `[::-1]`.",
        ),
        Mistake(
            lambda q, v, c, k: rescore(q, v, c, k)[::-1],
            seen + "The right rows, the worst first. Best first, please.",
        ),
        Mistake(
            lambda q, v, c, k: sorted(rescore(q, v, c, k)),
            seen + "The right rows, in the order of their numbers. Best first, please.",
        ),
        Mistake(
            _rescored_with(score=lambda q, v: _unit(v) @ q),
            seen
            + "You rescore by cosine. The task asks for the dot product, in which lengths count.",
        ),
        Mistake(
            _rescored_with(score=lambda q, v: -np.linalg.norm(v - q, axis=1)),
            seen + "You rescore by Euclidean distance. The task asks for the dot product.",
        ),
        Mistake(
            _rescored_with(score=lambda q, v: (v > 0) @ q),
            seen
            + "You rescore with the bits of the documents. They are too coarse to rank; take their "
            "full vectors.",
        ),
        Mistake(
            _rescored_with(score=lambda q, v: v @ np.where(q > 0, 1, -1)),
            seen + "You rescore with the bits of the query. Take its full vector.",
        ),
        Mistake(
            lambda q, v, c, k: rescore(q, v, c, c),
            seen + "You return all the candidates. The first k of them were asked for.",
        ),
        Mistake(
            lambda q, v, c, k: [float(v[i] @ q) for i in rescore(q, v, c, k)],
            seen + "These are the scores. The row numbers were asked for.",
        ),
        Mistake(
            lambda q, v, c, k: _rescored(q, v, c + 1, k),
            seen + "You let in one candidate too many.",
        ),
        Mistake(
            lambda q, v, c, k: _rescored(q, v, c - 1, k), seen + "You let in one candidate too few."
        ),
        Mistake(
            _rescored_with(distance=lambda q, v: np.subtract(v > 0, q > 0, dtype=int).sum(axis=1)),
            seen
            + "You add up the differences of the bits with their signs, so that +1 and -1 cancel. "
            "Count where they differ.",
        ),
    ]
    judge(answer, cases, rescore, mistakes, read=integers)
    return "right: the bits have found them, the numbers have ranked them."


def _coarse(documents: int, dimension: int, candidates: int, k: int, seed: int) -> Case:
    """Return a case with zeros, vectors of different lengths and equal Hamming distances."""
    rng = np.random.default_rng(seed)
    query = rng.normal(size=dimension)
    vectors = query * 0.5 + rng.normal(size=(documents, dimension))
    vectors *= rng.uniform(0.4, 2.5, (documents, 1))
    vectors[rng.uniform(size=vectors.shape) < 0.12] = 0
    query[int(rng.integers(dimension))] = 0
    words = f"{documents} vectors, candidates={candidates}, k={k}"
    return Case((query, vectors, candidates, k), words)


# 6.5


class PowerCut(Wrong):
    """The simulated power cut. It is a `Wrong` only so that the frame lets it through."""


class _Off(BaseException):
    """Ends an answer that goes on and on after the power has gone."""


class Line:
    """The power line: counts what happens, and fails at a moment chosen beforehand.

    Parameters
    ----------
    cut : tuple of int and str, optional
        The number of the operation that is hit, and whether "before" it, in its "middle" or "after" it; or it
        fails "alone", and everything else goes on working.
    """

    def __init__(self, cut: tuple[int, str] | None = None) -> None:
        self.cut, self.count, self.off, self.after_off = cut, 0, False, 0
        self.log: list[str] = []
        self.hit = ""

    def during(self, operation: str, effect, half=None):
        """Carry out `effect`, unless the power goes."""
        if self.off:
            self.after_off += 1
            if self.after_off > 200:
                raise _Off
            raise PowerCut("the power is off")
        number, self.count = self.count, self.count + 1
        when = self.cut[1] if self.cut and self.cut[0] == number else ""
        if when:
            self.off, self.hit = when != "alone", f"{when} {operation}"
        if when in ("middle", "alone") and half is not None:
            half()
        if when == "alone":
            raise PowerCut(f"{operation} failed")
        if when in ("before", "middle"):
            raise PowerCut(f"the power went off {when} {operation}")
        result = effect()
        self.log.append(operation)
        if when == "after":
            raise PowerCut(f"the power went off after {operation}")
        return result


class Store:
    """What survives a power cut: rows of vectors, and a note of how many of them are safe."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.rows: list[np.ndarray] = []
        self.noted = 0
        self.line = Line()
        self.early = ""
        self.odd_cut = ""

    def done(self) -> int:
        """Return the note: how many texts have their vectors safely stored; 0 in a new store."""
        return self.line.during("done", lambda: self.noted)

    def cut(self, rows: int) -> None:
        """Keep the first `rows` rows, and drop those behind them."""
        rows = _whole(rows, "store.cut")

        if rows != self.noted:
            self.odd_cut = f" You call store.cut({rows}) where the note says {self.noted}."

        def effect():
            del self.rows[rows:]

        self.line.during("cut", effect)

    def append(self, vectors: np.ndarray) -> None:
        """Write rows behind the last one. When the power goes, some of them may be there."""
        if isinstance(vectors, (list, tuple)) and vectors:
            vectors = np.asarray(vectors)
        if not isinstance(vectors, np.ndarray) or vectors.ndim != 2:
            raise Wrong(
                f"you call store.append with {describe(vectors)}. It wants an array of shape (texts, "
                "dimension), as encode returns it."
            )
        half = max(1, len(vectors) // 2)
        self.line.during(
            "append",
            lambda: self.rows.extend(np.array(vectors)),
            lambda: self.rows.extend(np.array(vectors[:half])),
        )

    def note(self, done: int) -> None:
        """Write the note: the vectors of the first `done` texts are safe."""
        done = _whole(done, "store.note")

        def effect():
            if done > self.total and not self.early:
                self.early = (
                    f"you note {done} texts as done; there are {self.total}. The last chunk may not be "
                    "full: count the texts that are in it, `start + len(part)`."
                )
            if done > len(self.rows) and not self.early:
                self.early = (
                    f"you note {done} texts as done when the store holds {len(self.rows)} rows. If the "
                    "power goes at this moment, the next run believes the note, and what is missing "
                    "is missing for ever. First the vectors, then the note."
                )
            self.noted = done

        self.line.during("note", effect)


def _whole(value: Any, what: str) -> int:
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise Wrong(f"you call {what}({describe(value)}). It wants a whole number.")
    if value < 0:
        raise Wrong(f"you call {what}({value}). It wants a number of rows, 0 or more.")
    return int(value)


class ChunkEncoder:
    """Encodes texts for exercise 6.5, on the same power line as the store."""

    __name__ = "encode"

    def __init__(self, store: Store) -> None:
        self.store = store
        self.calls: list[list[str]] = []
        self.unnoted = ""

    def __call__(self, texts: list[str]) -> np.ndarray:
        """Return the vectors of `texts`, shape (texts, 5)."""
        if isinstance(texts, str) or not isinstance(texts, (list, tuple, np.ndarray)):
            raise Wrong(f"you call encode with {describe(texts)}. It wants a list of texts.")
        if not len(texts):
            raise Wrong("you call encode with an empty list. When nothing is left, do not call it.")

        def effect():
            before = sum(map(len, self.calls))
            last = len(self.calls[-1]) if self.calls else 0
            if before - last < self.store.noted < before and not self.unnoted:
                self.unnoted = (
                    f"when you encode chunk {len(self.calls) + 1}, {before} texts are encoded, and the "
                    f"note says {self.store.noted}. It counts all texts of a chunk: `start + len(part)`."
                )
            if self.store.noted < before and not self.unnoted:
                self.unnoted = (
                    f"when you encode chunk {len(self.calls) + 1}, {before} texts are encoded, and the "
                    f"note says {self.store.noted}. A power cut would cost more than the chunk in hand: "
                    "append and note each chunk before the next is encoded."
                )
            self.calls.append(list(texts))
            return _truth(list(texts))

        return self.store.line.during("encode", effect)


@functools.cache
def _one_vector(text: str) -> np.ndarray:
    return _vector("stopped half-way", text, 5).astype(np.float32)


def _truth(texts: list[str]) -> np.ndarray:
    return np.array([_one_vector(text) for text in texts], dtype=np.float32).reshape(-1, 5)


WHERE = {
    "append": "while store.append was writing",
    "note": "while store.note was writing",
    "encode": "during encode",
    "cut": "during store.cut",
    "done": "during store.done",
}


def _one_run(answer: Answer, texts: list[str], store: Store, chunk: int, cut=None) -> ChunkEncoder:
    """Run the answer once on a line that may be cut; says whether it let the cut through."""
    store.line = Line(cut)
    encoder = ChunkEncoder(store)
    try:
        answer(list(texts), encoder, store, chunk)
    except _Off:
        pass
    except PowerCut:
        return encoder
    except Wrong:
        if not store.line.hit:
            raise
        return encoder  # an error of its own, raised because of the cut, stops the job as well
    if store.line.hit:
        raise Wrong(
            f"{_event(store.line.hit)}, and your function caught the error and went on or returned as "
            "if all were well. Let it pass through: whoever runs the job must see that it has stopped."
        )
    return encoder


def _uninterrupted(answer: Answer, texts: list[str], chunk: int) -> Store:
    """Check a run in which nothing happens, and return its store."""
    store = Store(len(texts))
    when = f"{len(texts)} texts in chunks of {chunk}, with no power cut"
    encoder = _one_run(answer, texts, store, chunk)
    sizes = [len(call) for call in encoder.calls]
    if not sizes:
        raise Wrong(
            f"{when}: encode is never called. The store is a new one: where to begin is for store.done() "
            "to say, and for nothing that the function remembers."
        )
    if max(sizes) > chunk:
        raise Wrong(
            f"{when}: you call encode with {max(sizes)} texts at once. A power cut would cost all of "
            f"them; give it {chunk} at a time."
        )
    if sum(sizes) > len(texts):
        raise Wrong(f"{when}: you encode {sum(sizes)} texts. Each is to be encoded once.")
    if not store.rows:
        raise Wrong(f"{when}: the store is empty afterwards. store.append(vectors) writes them.")
    if len(store.rows) < len(texts):
        raise Wrong(
            f"{when}: the store holds {len(store.rows)} rows afterwards, for {len(texts)} texts."
            + (
                " Is the last chunk missing, which is not full?"
                if len(store.rows) == len(texts) // chunk * chunk
                else ""
            )
        )
    _complete(store, texts, when)
    if any(size < chunk for size in sizes[:-1]):
        raise Wrong(
            f"{when}: you call encode with {min(sizes[:-1])} texts at a time. Batches are faster: give "
            f"it {chunk}, and what is left at the end."
        )
    if store.early:
        raise Wrong(store.early)
    if store.noted == 0:
        raise Wrong(
            f"{when}: no note is written. A second run would begin at the beginning: store.note(…) says "
            "how many texts are done."
        )
    if store.noted != len(texts):
        raise Wrong(
            f"{when}: the last note says {store.noted}; {len(texts)} texts are done."
            + (
                " The note counts texts, not chunks."
                if store.noted == math.ceil(len(texts) / chunk)
                else ""
            )
        )
    if encoder.unnoted:
        raise Wrong(encoder.unnoted)
    return store


def _complete(store: Store, texts: list[str], when: str) -> None:
    """Raise `Wrong` unless the store holds the vector of each text once, in order."""
    right = _truth(texts)
    rows = np.array(store.rows).reshape(len(store.rows), -1) if store.rows else np.zeros((0, 5))
    if rows.shape[1] != right.shape[1]:
        raise Wrong(f"{when}: the rows in the store are not those that encode returned.")
    places = [int(np.argmin(np.abs(right - row).sum(axis=1))) for row in rows]
    known = [
        bool(np.allclose(row, right[p], atol=1e-4)) for row, p in zip(rows, places, strict=True)
    ]
    if not all(known):
        raise Wrong(
            f"{when}: row {known.index(False)} in the store is the vector of none of the texts."
        )
    twice = sorted({p for p in places if places.count(p) > 1})
    missing = sorted(set(range(len(texts))) - set(places))
    if twice:
        extra = f"; the vector of texts[{missing[0]}] is not there at all" if missing else ""
        raise Wrong(
            f"{when}: the store holds {len(rows)} rows for {len(texts)} texts, and the vector of "
            f"texts[{twice[0]}] stands there twice{extra}."
        )
    if missing:
        raise Wrong(
            f"{when}: the vector of texts[{missing[0]}] is lost; the store holds {len(rows)} rows for "
            f"{len(texts)} texts."
        )
    if places != list(range(len(texts))):
        wrong = next(i for i, place in enumerate(places) if i != place)
        raise Wrong(
            f"{when}: row {wrong} of the store is the vector of texts[{places[wrong]}]. The rows stand in "
            "the order of the texts."
        )


@exercise(
    "6.5",
    level=3,
    title="Stopped half-way",
    names=["encode_in_chunks"],
    hints=[
        "Where does a run begin that finds a note of 6? And what may stand in the store behind row 6?",
        "Half a chunk, or a whole one without its note. Nobody can trust it, so cut it away before you "
        "write anything. Then, chunk by chunk: encode, append, note.",
        "`done = store.done()`, `store.cut(done)`, then `for start in range(done, len(texts), chunk)`: "
        "`part = texts[start : start + chunk]`, `store.append(encode(part))`, `store.note(start + "
        "len(part))`.",
    ],
)
def exercise_6_5(answer: Answer) -> str:
    """A power cut at every moment of a run, then a second run, with the same chunk or another."""
    try:
        return _cut_everywhere(answer)
    finally:
        # What it returns is its own affair (a count, say), and differs when all is done already.
        answer.forget_calls()


def _cut_everywhere(answer: Answer) -> str:
    texts = [f"{'long ' * (7 * i % 4)}text number {i}" for i in range(10)]  # in no order
    for count, chunk in ((10, 3), (8, 4), (5, 9)):
        whole = _uninterrupted(answer, texts[:count], chunk)
        when = f"{count} texts, all done, and the function is called once more"
        again = _one_run(answer, texts[:count], whole, chunk)
        if again.calls:
            raise Wrong(
                f"{when}: it encodes {describe(again.calls[0][0])} again. store.done() says what is done "
                "already."
            )
        _complete(whole, texts[:count], when)
    moments = 0
    for chunk, second_chunk in ((3, 3), (4, 3)):
        plain = Store(len(texts))
        _one_run(answer, texts, plain, chunk)
        for moment in range(plain.line.count):
            for when in ("before", "middle", "after", "alone"):
                _cut_and_resume(answer, texts, (chunk, second_chunk), [(moment, when)])
                moments += 1
    for first in range(2, plain.line.count, 3):
        for second in range(6):
            _cut_and_resume(answer, texts, (4, 4), [(first, "middle"), (second, "middle")])
            moments += 1
    return f"right. It was stopped at {moments} different moments; nothing was lost, and nothing stands there twice."


def _cut_and_resume(answer: Answer, texts: list[str], chunks: tuple, cuts: list[tuple]) -> None:
    """Cut the power at the moments given, one after another, then let a last run finish the job."""
    store, story = Store(len(texts)), ""
    for cut in cuts:
        safe = store.noted
        encoder = _one_run(answer, texts, store, chunks[0], cut)
        if not store.line.hit:
            return  # the run was over before the power went
        _none_again(encoder, texts, safe, story)
        story = f"{_event(store.line.hit)} (note: {store.noted}, rows: {len(store.rows)})"
        if store.noted > len(store.rows):
            raise Wrong(
                f"{story}: the note promises more than there is. First the vectors, then the note."
            )
    safe = store.noted
    encoder = _one_run(answer, texts, store, chunks[-1])
    try:
        _complete(store, texts, f"{story}; after the next run")
    except Wrong as wrong:
        if "cut" in store.line.log:
            raise Wrong(f"{wrong}{store.odd_cut}") from None
        raise Wrong(
            f"{wrong} What stands behind the note may be half a chunk. Nothing has cut it away, and "
            "what was appended stands behind it."
        ) from None
    _none_again(encoder, texts, safe, story)
    if len(cuts) == 1 and safe < len(store.rows) and not encoder.calls and safe < len(texts):
        raise Wrong(
            f"{story}; the next run encodes nothing. Rows behind the note may be half written: go by "
            "store.done() alone."
        )
    if store.noted != len(texts):
        raise Wrong(
            f"{story}; after the next run the note says {store.noted}, not {len(texts)}. It counts from "
            "the first text of all, not from where this run began."
        )


def _event(hit: str) -> str:
    """Return what happened in words."""
    moment, operation = hit.split()
    if moment == "alone":
        return f"{_called(operation)} raised an error"
    place = WHERE[operation] if moment == "middle" else f"just {moment} {_called(operation)}"
    return f"the power went off {place}"


def _called(operation: str) -> str:
    return "encode" if operation == "encode" else f"store.{operation}"


def _none_again(encoder: ChunkEncoder, texts: list[str], safe: int, story: str) -> None:
    encoded = [text for call in encoder.calls for text in call]
    again = [text for text in encoded if text in texts[:safe]]
    if again:
        raise Wrong(
            f"{story}; the next run encodes texts[{texts.index(again[0])}] again, although the note says "
            f"that {safe} texts are done."
        )
