"""The checks of practice 06, batch encoding."""

from __future__ import annotations

import itertools
import math
import re

import numpy as np

from helpers.checks.answers import Answer, copied
from helpers.checks.frame import exercise
from helpers.checks.reading import Wrong, array, describe, number, parts

# 6.1


def padded(lengths, size, cost=lambda batch: len(batch) * max(batch)):
    """Return the sum of what consecutive batches cost."""
    return sum(cost(lengths[i : i + size]) for i in range(0, len(lengths), size))


@exercise(
    "6.1",
    level=1,
    title="The price of padding",
    names=["padded_positions"],
    hints=[
        "Take the first batch alone. How many rows has its rectangle, and how many columns?",
        "A batch costs (number of its texts) × (length of its longest). The last may be smaller.",
        "`for start in range(0, len(lengths), batch_size)`: the batch is "
        "`lengths[start : start + batch_size]`; add `len(batch) * max(batch)`.",
    ],
)
class PaddedPositions:
    """In the order given, the last batch as large as it is."""

    reads = number
    praise = "right: each batch as long as its longest, the last one as large as it is."

    def reference(lengths, batch_size):
        return padded(lengths, batch_size)

    def cases():
        yield [2, 6], 2
        yield [5, 2, 4], 2
        yield [2, 6, 3, 5, 4], 2
        yield [4, 4, 1, 6], 1
        yield [8, 3, 5], 10
        yield [7, 1, 4, 2, 2, 9, 5], 3
        yield [], 5
        rng = np.random.default_rng(61)
        for texts, size in ((23, 4), (40, 16)):
            yield rng.integers(3, 60, texts).tolist(), size

    mistakes = """
        sum(lengths)
            that is the sum of the lengths: nothing is padded.
        len(lengths) * max(lengths, default=0)
            you pad all to the longest text of all. A text is padded to the longest of its batch.
        padded(sorted(lengths), batch_size)
        padded(sorted(lengths)[::-1], batch_size)
            you sort the lengths first. That is the remedy; here the order is as given.
        padded(lengths[: len(lengths) // batch_size * batch_size], batch_size)
            the last batch is missing when it is not full.
        padded(lengths, batch_size, lambda batch: batch_size * max(batch))
            you count the last batch as if it were full. It has only the texts that are left.
        padded(lengths, batch_size) - sum(lengths)
            that is the padding alone. The positions with tokens are computed, too.
        padded(lengths, batch_size, max)
            you add up the longest of each batch, as if it were one text. All its rows are so long.
        padded(lengths[:batch_size], batch_size)
            that is the first batch alone. Is there a `return` inside the loop?
        [padded(lengths[i : i + batch_size], batch_size) for i in range(0, len(lengths), batch_size)]
            that is one number for each batch. Add them up.
        1 - sum(lengths) / padded(lengths, batch_size) if lengths else 0
        padded(lengths, batch_size) / max(sum(lengths), 1)
            that is a ratio. The task asks for a number of positions.
        sum(padded(lengths[i : i + batch_size], batch_size) for i in range(len(lengths)))
            a batch begins at every text, so that they overlap: `range(0, len(lengths), batch_size)`.
        padded(lengths, 2)
        padded(lengths, 32)
            your batches always have the same size, whatever `batch_size` says.
        sum(len(b) * max(b) for b in np.array_split(lengths, -(-len(lengths) // batch_size) or 1) if len(b))
            your batches are about equally large. All are to be full, and the last holds the rest.
        sum(len(b) * max(b) for b in np.array_split(lengths, batch_size) if len(b))
            you make `batch_size` batches. It says how many *texts* there are in a batch.
        padded(lengths, batch_size, lambda batch: len(batch) * batch[-1])
        padded(lengths, batch_size, lambda batch: len(batch) * batch[0])
            you take the first or last text of a batch for its longest. They are not sorted.
    """


# 6.2

LONG = "the storm of the year, " * 25
SEPARATORS = ["", *" _-:/|,;#\n\t\0\x1f", "::", "||", "__", " | ", ": ", "<<>>", "','"]
#: Texts, models, and pairs of model and text, that a careless key takes for one.
TEXTS = [("Storm", "storm"), ("ice ", "ice"), ("tides", "tide"), ("edit", "diet"), ("aca", "bab")]
TEXTS += [("caf\u00e9", "cafe\u0301"), ("na\u00efve", "nave"), ("plumless", "buckeroo")]
TEXTS += [("a|b", "ab"), ("Rain.\nOne ship.", "Rain.\nTwo."), (f"One. {LONG}", f"Two. {LONG}")]
TEXTS += [(f"{LONG}One.{LONG}", f"{LONG}Two.{LONG}")]
MODELS = [("v_2", "v-2", "v/2", "v 2", "v|2", "v2"), ("Mini", "mini"), ("one/e5", "other/e5")]
MODELS += [("intfloat/e5-small-v2", "intfloat/e5-small-v2-int8")]
ALIKE = [[("mini", text) for text in group] for group in TEXTS]
ALIKE += [[(model, "rain") for model in group] for group in MODELS]
JOINED = [(("ice", f"ice{s}ice"), (f"ice{s}ice", "ice")) for s in SEPARATORS]
JOINED += [(("mini", "ice"), ("ice", "mini")), (("2", "abcdefghijklm"), ("abcdefghijkl", "m"))]
FIRST_ALIKE, FIRST_JOINED = ({p: group[0] for group in g for p in group} for g in (ALIKE, JOINED))
PLACES = {}  # of pairs of model and text, in the order in which their vectors were asked for


class Cache(dict):
    """What is given as `cache`, filled by `earlier` calls with texts and model. Of a class of its
    own, since such are not copied; `left` is what the calls of the learner's function left."""

    def __init__(self, *earlier, origin=None):
        super().__init__(copied(origin.left) if origin else {})
        self.earlier, self.origin, self.left, self.kept = earlier, origin, {}, []

    def __repr__(self):
        calls = (f"encode_cached({describe(t)}, {m!r}, …)" for t, m in self.earlier)
        return f"left by {' and '.join(calls)}" if self.earlier else "{}"


class Encoder:
    """Stands for a model: a vector of its own for each text; remembers what it was asked."""

    def __init__(self, model):
        self.model, self.asked = model, []

    def __call__(self, texts):
        kind = "a set, which has no order" if isinstance(texts, (set, frozenset)) else ""
        if kind or isinstance(texts, str) or not all(isinstance(t, str) for t in texts):
            raise Wrong(
                f"you call encode with {kind or describe(texts)}. It wants a list of texts."
            )
        self.asked.append(sorted(map(str, texts)))
        places = [PLACES.setdefault((self.model, str(text)), len(PLACES)) for text in texts]
        return np.array([(1.17 * place, 1.17) for place in places]).reshape(-1, 2)

    def names(self, rows):
        """Say of each row whose vector it is."""
        pairs = list(PLACES)
        for first, second in rows:
            place = round(first / 1.17)
            if not np.allclose((first, second), (1.17 * place, 1.17), atol=1e-3):
                yield "no text's vector"
            else:
                model, text = pairs[place]
                yield text if model == self.model else f"{text} by {model}"


def cached(texts, model, cache, encode, key=lambda m, t: (m, t), new=list, empty=False):
    """Answer 6.2 with another key, or other texts that are `new`, perhaps an `empty` list."""
    missing = list(new(dict.fromkeys(t for t in texts if key(model, t) not in cache)))
    if missing or empty:
        cache.update(zip((key(model, t) for t in missing), encode(missing), strict=True))
    return np.array([cache[key(model, t)] for t in texts])


@exercise(
    "6.2",
    level=2,
    title="Encode once",
    names=["encode_cached"],
    hints=[
        "Whose vector is it? The key of the cache has to say that, and a tuple can be a key.",
        "Three steps: which texts are missing (each once)? Encode these in one call, if there are "
        "any. Then build the array from the cache alone, one row for each text of the list.",
        "`missing = [t for t in dict.fromkeys(texts) if (model_name, t) not in cache]`; if missing: "
        "put `zip(missing, encode(missing))` into the cache; return "
        "`np.array([cache[model_name, t] for t in texts])`.",
    ],
)
class EncodeCached:
    """Behaviour only: what is encoded when, and what comes back. The key is the learner's."""

    praise = "right: one call for what is missing, none when nothing is, and no pairs confused."

    def reference(texts, model_name, cache, encode):
        return cached(texts, model_name, cache, encode)

    def make(texts, model_name, cache):
        return texts, model_name, Cache(*cache.earlier, origin=cache), Encoder(model_name)

    def cases():
        storm, three = (["storm"], "mini"), (["storm", "ice", "rain"], "mini")
        yield *storm, Cache()
        yield *three, Cache()
        yield ["storm", "tide", "storm"], "mini", Cache()
        yield ["tide", "", "tide"], "mini", Cache()
        yield ["Storm", "tide "], "mini", Cache()
        yield *storm, Cache(storm)
        yield *storm, Cache((["storm"], "mpnet"))
        yield ["storm", "tide"], "mini", Cache(storm)
        yield ["tide", "rain", "sun", "ice", "tide"], "mini", Cache(three)
        yield ["tide", "storm", "rain"], "mini", Cache(storm)
        yield *storm, Cache(storm, (["storm"], "mpnet"))
        for group in ALIKE + JOINED:
            for (m, t), (model, text) in itertools.permutations(group, 2):
                yield [text], model, Cache(([t], m))
        for name in ("rows", "vectors", "model", "models", "texts", "keys", "index", "data"):
            yield ["tide"], name, Cache(storm)
        many = [f"Text {i}" for i in range(300)], "mini"
        yield *many, Cache()
        yield many[0][:2], "mini", Cache(many)
        yield many[0][5:7], "mini", Cache(many)

    def play(answer, texts, model_name, cache, encode):
        cache.clear()
        calls = [(t, m, Encoder(m)) for t, m in cache.earlier] + [(texts, model_name, encode)]
        for words, model, encoder in calls:
            if isinstance(answer, Answer):
                cache.origin.left = copied(dict(cache))
            cache.kept.append({text: "".join([*text]) for text in words})  # equal, other objects
            found = answer([cache.kept[-1][t] for t in words], model, cache, encoder)
        if found is None:
            return None
        rows = list(encode.names(array(found).reshape(-1, 2)))
        pair = (model_name, texts[0])
        hashes = {str(hash(part)) for part in (pair, *pair, *(s.join(pair) for s in SEPARATORS))}
        if hashes.intersection(re.findall(r"-?\d{9,}", repr([*cache]))):
            raise Wrong(
                "your keys are made with `hash()`. A text has another hash in every run of Python, and "
                "two texts may share one. Put model and text themselves into the key."
            )
        if len(texts) > 99:
            wrong = [
                f"{row} for {text}" for row, text in zip(rows, texts, strict=True) if row != text
            ]
            return {"wrong": wrong[:3], "encoded": list(map(len, encode.asked))}
        return {"rows": rows, "encoded": encode.asked}

    mistakes = """
        cached(texts, model_name, cache, encode, lambda m, t: FIRST_ALIKE.get((m, t), (m, t)))
            texts or names that differ a little share a key. Whatever differs, be it a capital or a
            space, is different: put both into the key as they are.
        cached(texts, model_name, cache, encode, lambda m, t: FIRST_JOINED.get((m, t), (m, t)))
            two different pairs of model and text share a key. Joined into one string they can look
            the same; a tuple, with the model first, keeps them apart.
        cached(texts, model_name, cache, encode, lambda m, t: t)
            you return another model's vectors. The key must say whose vector it is.
        np.array([cached([t], model_name, cache, encode)[0] for t in texts])
            you call encode for each text. Collect what is missing, and encode it in one call.
        cached(texts, model_name, cache, encode, new=lambda new: [t for t in texts if t in new])
            a text that stands twice in the list is encoded twice. Encode it once.
        cached(texts, model_name, cache, encode, empty=True)
            nothing is missing, and you call encode all the same, with an empty list.
        cached(texts, model_name, cache, encode, new=lambda new: dict.fromkeys(texts) if new else ())
            if one text is missing you encode all of them. Only what is missing goes to encode.
        cached(texts, model_name, {}, encode)
            what is known is encoded again. Is it looked up in `cache` itself (`cache = cache or {}`
            makes another one), under the key under which it was put in, and does it stay there?
        encode(texts)
            you encode all texts every time: `cache` is not used.
        cached(texts, model_name, cache, encode, lambda m, t: (m, *texts, t))
            the key holds the whole list. Each text needs a key of its own.
        cached(sorted(texts, key=lambda t: (model_name, t) not in cache), model_name, cache, encode)
            the order is wrong: known texts first, then new ones. Row i belongs to text i.
        cached([t.lower() for t in texts], model_name, cache, encode)
        cached([t.strip() for t in texts], model_name, cache, encode)
            you change the text before it is encoded. Encode it as it is.
    """
