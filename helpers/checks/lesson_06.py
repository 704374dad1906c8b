"""The checks of practice 06, batch encoding."""

from __future__ import annotations

import itertools
import math
import re

import numpy as np

from helpers.checks.answers import Answer, copied
from helpers.checks.frame import exercise
from helpers.checks.reading import Wrong, array, describe, integers, number, parts

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
                yield f"no text's vector, ({first:.3f}, {second:.3f})"
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


# 6.3


def seconds_of(kinds):
    return sum(documents * seconds / measured for documents, measured, seconds in kinds)


def mean_rate(kinds):
    return sum(n for n, _, _ in kinds) / np.mean([m / s for _, m, s in kinds])


def weighted_rate(kinds):
    return sum(n for n, _, _ in kinds) ** 2 / sum(n * m / s for n, m, s in kinds)


def pooled_rate(kinds):
    documents, measured, seconds = np.sum(kinds, axis=0)
    return documents / measured * seconds


def planned(kinds, dimension, width, deadline, seconds=seconds_of, then=None):
    """Answer 6.3 with other seconds, or change what is returned."""
    hours = seconds(kinds) / 3600
    gigabytes = sum(n for n, _, _ in kinds) * dimension * width / 1e9
    found = hours, gigabytes, math.ceil(hours / deadline - 1e-9)
    return then(*found) if then else found


@exercise(
    "6.3",
    level=2,
    title="Before you promise a date",
    names=["plan"],
    hints=[
        "Work out the seconds for each kind of text by itself. What may you add: rates, or times?",
        "A kind takes documents × seconds / measured. Add the seconds, divide by 3600. The vectors: "
        "all documents × dimension × bytes_per_value / 10⁹.",
        "`machines = math.ceil(hours / deadline_hours)`: 2.1 machines are three. Return `hours, "
        "gigabytes, machines`.",
    ],
)
class Plan:
    """Numbers that are exact in binary, so that no order of calculation crosses a whole number."""

    reads = parts(number, number, number)
    praise = "right: seconds add up, rates do not, and 2.1 machines are three."

    def reference(kinds, dimension, bytes_per_value, deadline_hours):
        return planned(kinds, dimension, bytes_per_value, deadline_hours)

    def cases():
        yield [(1_843_200, 256, 1)], 512, 4, 1
        yield [(115_200, 64, 2)], 1024, 2, 0.25
        yield [(460_800, 128, 1)], 64, 0.125, 0.7
        yield [(921_600, 64, 1), (921_600, 16, 1)], 256, 0.125, 3
        yield [(3_686_400, 256, 1), (921_600, 64, 2)], 768, 2, 5.0
        yield [(50_000, 100, 4.0), (2_000_000, 500, 2.5), (700_000, 40, 3.2)], 384, 0.125, 3.0
        yield [(60_000, 200, 5.0), (10_000, 100, 9.0)], 1024, 1, 48
        yield [(1_000_000, 128, 1.0), (1_000_000, 32, 1.0)], 384, 4, 3.65

    mistakes = """
        planned(kinds, dimension, bytes_per_value, deadline_hours, seconds=mean_rate)
        planned(kinds, dimension, bytes_per_value, deadline_hours, seconds=weighted_rate)
            you take a mean of the rates. Rates do not add up, seconds do: the slow kind takes longer,
            and counts for more.
        planned(kinds, dimension, bytes_per_value, deadline_hours, seconds=pooled_rate)
            you make one rate of all measurements. Work out each kind by its own rate, and add seconds.
        planned(kinds, dimension, bytes_per_value, deadline_hours, then=lambda h, g, m: (60 * h, g, m))
        planned(kinds, dimension, bytes_per_value, deadline_hours, then=lambda h, g, m: (3600 * h, g, m))
            these are minutes or seconds, not hours. Divide the seconds by 3600.
        planned(kinds, dimension, bytes_per_value, deadline_hours, seconds=lambda kinds: seconds_of(kinds[:1]))
        planned(kinds, dimension, bytes_per_value, deadline_hours, seconds=lambda kinds: seconds_of(kinds[-1:]))
            only one kind is in your hours. Add up all of them.
        reference(kinds[:1], dimension, bytes_per_value, deadline_hours)
            only the first kind is in it. Is there a `return` inside the loop?
        reference([(n - m, m, s) for n, m, s in kinds], dimension, bytes_per_value, deadline_hours)
            you leave out the documents of the trial. It was a trial: all are to be encoded.
        planned(kinds, dimension, bytes_per_value, deadline_hours, then=lambda h, g, m: (h, g * 1e9 / 2**30, m))
            you divide by 2³⁰: that is a gibibyte. The task has gigabytes of 10⁹ bytes.
        planned(kinds, dimension, bytes_per_value, deadline_hours, then=lambda h, g, m: (h, g * 1e9, m))
            these are bytes. A gigabyte is 10⁹ of them.
        reference(kinds, dimension, 4, deadline_hours)
        reference(kinds, dimension, int(bytes_per_value), deadline_hours)
        reference(kinds, dimension, bytes_per_value / 8, deadline_hours)
        reference(kinds, dimension, 1, deadline_hours)
            `bytes_per_value` says how many bytes a number takes; it may be 0.125.
        planned(kinds, dimension, bytes_per_value, deadline_hours, then=lambda h, g, m: (h, g, h / deadline_hours))
        planned(kinds, dimension, bytes_per_value, deadline_hours, then=lambda h, g, m: (h, g, h // deadline_hours))
        planned(kinds, dimension, bytes_per_value, deadline_hours, then=lambda h, g, m: (h, g, round(h / deadline_hours)))
            round the machines up: nobody has a part of one, and with too few the deadline is missed.
        planned(kinds, dimension, bytes_per_value, deadline_hours, then=lambda h, g, m: (h, g, h // deadline_hours + 1))
            where hours / deadline is whole you order one machine too many. `math.ceil` does not.
        planned(kinds, dimension, bytes_per_value, deadline_hours, then=lambda h, g, m: (h / m, g, m))
            your hours are those of all machines together. The task asks for the hours on one.
        planned(kinds, dimension, bytes_per_value, deadline_hours, then=lambda h, g, m: (g, h, m))
            the order is hours, gigabytes, machines.
    """


# 6.4


def hamming(query, vectors, differ=np.not_equal):
    return differ(vectors > 0, query > 0).sum(axis=1)


def rescored(query, vectors, candidates, k, distance=None, score=None, order=None):
    """Answer 6.4 with other distances, other scores, or another order of the distances."""
    distance = hamming(query, vectors) if distance is None else distance
    score = vectors @ query if score is None else score
    rows = (order or (lambda d: np.argsort(d, kind="stable")))(distance)[:candidates]
    return rows[np.argsort(-score[rows], kind="stable")[:k]].tolist()


@exercise(
    "6.4",
    level=2,
    title="Bits find, numbers rank",
    names=["rescore"],
    hints=[
        "Two searches, one after the other: a coarse one over all vectors, a fine one over what it "
        "has found.",
        "`(vectors > 0) != (query > 0)` marks the bits that differ; their number in each row is the "
        'Hamming distance. `np.argsort(…, kind="stable")` leaves equal ones in the order of rows.',
        "`chosen = np.argsort(distance, kind='stable')[:candidates]`, `scores = vectors[chosen] @ "
        "query`, `return chosen[np.argsort(-scores)[:k]]`: back from places to rows.",
    ],
)
class Rescore:
    """Zeros are no positive numbers, equal distances go by row, and lengths count."""

    reads = integers
    praise = "right: the bits have found them, the numbers have ranked them."

    def reference(query, vectors, candidates, k):
        return rescored(query, vectors, candidates, k)

    def cases():
        rng = np.random.default_rng(64)
        sizes = [(4, 3, 2, 1), (5, 4, 3, 2), (6, 4, 4, 2), (6, 4, 3, 3), (7, 3, 3, 3), (8, 3, 4, 4)]
        for rows, dimension, candidates, k in [
            *sizes,
            (20, 8, 7, 5),
            (40, 12, 9, 4),
            (60, 16, 15, 6),
        ]:
            query, vectors = np.zeros(dimension), np.zeros((rows, dimension))
            while len({*(vectors @ query)}) < rows:  # none are equal
                query = rng.integers(-3, 4, dimension) + rng.integers(0, 2, dimension) / 8
                vectors = rng.integers(-4, 5, (rows, dimension)) + 0.5 * query.round()
                vectors[rng.uniform(size=vectors.shape) < 0.15] = 0
            yield query, vectors, candidates, k
        yield query, -vectors, 25, 5

    mistakes = """
        rescored(query, vectors, len(vectors), k)
            you rank all vectors by dot product. The bits are to choose the candidates.
        rescored(query, vectors, candidates, k, score=-hamming(query, vectors))
            that is the order of the Hamming distance. The second step is missing.
        rescored(query, vectors, k, k)
            you rescore only k candidates, so that nobody new comes in. Take `candidates` of them.
        rescored(query, vectors, candidates, k, ((vectors >= 0) != (query >= 0)).sum(axis=1))
        rescored(query, vectors, candidates, k, (np.sign(vectors) != np.sign(query)).sum(axis=1))
        rescored(query, vectors, candidates, k, (vectors * query <= 0).sum(axis=1))
        rescored(query, vectors, candidates, k, (vectors * query < 0).sum(axis=1))
            the number 0 goes wrong. It has the bit 0, like a negative one: `(vectors > 0)`.
        rescored(query, vectors, candidates, k, (vectors != query).sum(axis=1))
            you compare the numbers, which nearly always differ. Make bits of both first: `> 0`.
        rescored(query, vectors, candidates, k, hamming(query, vectors, np.equal))
        rescored(query, vectors, candidates, k, hamming(query, vectors, np.logical_and))
            you take the farthest rows. Near ones *agree* in many bits, and differ in few.
        rescored(query, vectors, candidates, k, -hamming(query, vectors, np.logical_and))
            you count the bits that are 1 in both. The Hamming distance counts all that differ.
        rescored(query, vectors, candidates, k, np.abs((vectors > 0).astype("u1") - (query > 0)).sum(axis=1))
            you subtract bits as `uint8`, which makes 255 of 0 - 1. Count where they differ (`!=`).
        rescored(query, vectors, candidates, k, (vectors > 0).sum(axis=1) - (query > 0).sum())
            differences of bits are added with their signs, so that they cancel. Use `!=`.
        rescored(query, vectors, candidates, k, packed(query, vectors).sum(axis=1))
        rescored(query, vectors, candidates, k, (packed(query, vectors) > 0).sum(axis=1))
            you add up or count packed *bytes*. Count the bits in them, with `np.bitwise_count`.
        rescored(query, vectors, candidates, k, order=lambda d: np.lexsort((-np.arange(len(d)), d)))
            of two equal distances you take the larger row number first. The smaller one comes first.
        rescored(query, vectors, candidates, k, order=lambda d: np.lexsort((-(vectors @ query), d)))
            among equal distances you prefer the larger dot product. The smaller row comes first.
        np.lexsort((-(vectors @ query), hamming(query, vectors)))[:k]
            you rank by Hamming distance. The dot product is to rank *all* candidates.
        rescored(query, vectors, (d := np.sort(hamming(query, vectors))).searchsorted(d[candidates - 1], "right"), k)
        rescored(query, vectors, (d := np.sort(hamming(query, vectors))).searchsorted(d[candidates - 1]), k)
            all that are as far as the last candidate come in, or none. Take exactly `candidates`.
        rescored(query, vectors, candidates, k, -(vectors @ query), -hamming(query, vectors))
            you choose by dot product and rank by bits. It is the other way round.
        np.argsort(-(vectors @ query)[np.argsort(hamming(query, vectors), kind="stable")[:candidates]])[:k]
            you return places among the candidates. The task asks for rows of `vectors`: `chosen[…]`.
        rescored(query, vectors, candidates, k, score=-(vectors @ query))
        rescored(query, vectors, candidates, candidates)[-k:]
            you return the candidates with the *smallest* dot products.
        rescored(query, vectors, candidates, k, score=np.abs(vectors @ query))
            you rank the products without their signs. A product far below 0 is the worst.
        rescored(query, vectors, candidates, k, score=vectors @ query / np.linalg.norm(vectors, axis=1))
            you rescore by cosine. The task asks for the dot product, in which lengths count.
        rescored(query, vectors, candidates, k, score=-np.linalg.norm(vectors - query, axis=1))
            you rescore by Euclidean distance. The task asks for the dot product.
        rescored(query, vectors, candidates, k, score=(vectors > 0) @ query)
        rescored(query, vectors, candidates, k, score=vectors @ (query > 0))
        rescored(query, vectors, candidates, k, score=hamming(query, vectors, np.logical_and))
            you rescore with bits. They are too coarse to rank: take the full vectors of both.
        rescored(query, vectors, candidates, candidates)
            you return all the candidates. The first k of them were asked for.
        (vectors @ query)[rescored(query, vectors, candidates, k)]
            these are the scores. The row numbers were asked for.
        rescored(query, vectors, candidates, k + 1)[1:]
            the best is missing. The query is none of the vectors: begin at place 0.
    """


def packed(query, vectors):
    return np.packbits(vectors > 0, axis=1) ^ np.packbits(query > 0)


# 6.5

TEXTS_TO_ENCODE = ["storm", "ice", "harbour", "tide", "wave"]
WHENS = ("before {}", "in the middle of {}", "just after {}", "{} fails, the power stays on")


class PowerCut(Wrong):
    """The simulated power cut; a `Wrong`, so that the frame lets it through."""


class Off(BaseException):
    """Ends an answer that goes on and on after the power has gone."""


class Store:
    """Rows and a note that survive a power cut, which comes at the moment that `cut_at` names, such
    as "in the middle of append 2"; a model on the same line; and what went against the contract.
    """

    def __init__(self, note, rows, cut_at):
        self.noted, self.cut_at, self.on, self.left = note, cut_at, True, 200
        self.rows = [list(map(float, row)) for row in (self.vectors(rows))]
        self.counts, self.encoded, self.broken = (
            dict.fromkeys(("done", "cut", "append", "note", "encode"), 0),
            [],
            [],
        )

    def __repr__(self):
        return f"a store with the rows of {self.words()} and the note {self.noted}"

    def vectors(self, texts):
        return np.array([(len(t), ord(t[0]), 1) for t in texts], np.float32).reshape(-1, 3)

    def words(self):
        """Return for each row the text that it belongs to."""
        known = {tuple(self.vectors([t])[0]): t for t in TEXTS_TO_ENCODE}
        return [known.get(tuple(row), "half a row") for row in self.rows]

    def during(self, call, effect, half=lambda: None):
        """Carry out `effect`, or half of it, unless the power goes."""
        self.counts[call] += 1
        moment = f"{call} {self.counts[call]}"
        hit = [w.format(moment) == self.cut_at for w in WHENS]
        self.left -= not self.on
        if self.left < 0:
            raise Off
        if not self.on:
            raise PowerCut("the power is off")
        if hit[1] or hit[3]:
            half()
        if not any(hit[:2]) and not hit[3]:
            found = effect()
        if any(hit):
            self.on, self.cut_at = hit[3], "over"
            raise PowerCut(f"{self.cut_at}")
        return found

    def done(self):
        """Return the note."""
        return self.during("done", lambda: self.noted)

    def cut(self, rows):
        """Keep the first `rows` rows."""
        if isinstance(rows, bool) or rows != int(rows) or rows < 0:
            raise Wrong(
                f"you call store.cut({describe(rows)}). It wants a whole number, 0 or more."
            )
        self.during("cut", lambda: self.rows.__delitem__(slice(int(rows), None)))

    def append(self, vectors):
        """Write rows behind the last one; interrupted, half of them, the last one half."""
        new = array(np.asarray(vectors), "what you give to store.append").tolist()
        if np.ndim(new) != 2:
            raise Wrong(
                "store.append wants an array of shape (texts, dimension), as encode returns it."
            )
        half = [*new[: len(new) // 2], [0.0, 0.0, 0.0]]
        self.during("append", lambda: self.rows.extend(new), lambda: self.rows.extend(half))

    def note(self, done):
        """Write the note."""
        self.during("note", lambda: setattr(self, "noted", done))
        if done > len(self.rows):
            self.broken.append(f"the note says {done}, and there are {len(self.rows)} rows")

    def encode(self, texts):
        """Stand for the model."""
        if isinstance(texts, str) or len(texts) == 0:
            raise Wrong(f"you call encode with {describe(texts)}. It wants a list of texts.")
        if self.encoded and self.noted < self.begun + sum(map(len, self.encoded)):
            self.broken.append(f"{texts[0]!r} is encoded before the texts in front of it are noted")
        self.encoded.append(list(texts))
        return self.during("encode", lambda: self.vectors(texts))


def chunked(texts, encode, store, chunk, *, begin=None, cut=True, order="an", note=None, end=None):
    """Answer 6.5 with another beginning, order of append and note, or note."""
    done = store.done()
    if cut:
        store.cut(done)
    for start in range(done if begin is None else begin(done), len(texts), chunk):
        part = texts[start : start + chunk]
        vectors = encode(part)
        for call in order:
            if call == "a":
                store.append(vectors)
            elif call == "n":
                store.note(note(start, part) if note else start + len(part))
    if end:
        end()


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
class EncodeInChunks:
    """Every state in which a crash can leave the store, and a power cut at every moment of a run."""

    praise = (
        "right. It was stopped at every moment; nothing was lost, and nothing stands there twice."
    )

    def reference(texts, encode, store, chunk):
        chunked(texts, encode, store, chunk)

    def make(note, rows, cut_at, chunk):
        store = Store(note, rows, cut_at)
        return list(TEXTS_TO_ENCODE), store.encode, store, chunk

    def cases():
        t = TEXTS_TO_ENCODE
        for note, rows, chunk in (
            (0, [], 5),
            (0, [], 2),
            (2, t[:2], 2),
            (4, t[:4], 2),
            (5, t, 2),
            (2, t[:3], 2),
        ):
            yield note, rows, "never", chunk
        for note, rows, chunk in (
            (0, t[:1], 2),
            (2, [*t[:3], "?"], 2),
            (2, t[:4], 9),
            (3, t[:4], 1),
            (4, t, 2),
        ):
            yield note, rows, "never", chunk
        for when in WHENS:
            for call, times in (("encode", 3), ("append", 3), ("note", 3), ("cut", 1), ("done", 1)):
                for nth in range(1, times + 1):
                    yield 0, [], when.format(f"{call} {nth}"), 2
                yield 2, t[:3], when.format(f"{call} 1"), 1

    def play(answer, texts, encode, store, chunk):
        planned = store.cut_at != "never"
        for size in (chunk, chunk + planned):
            store.on, store.encoded, store.begun = True, [], store.noted
            try:
                answer(texts, encode, store, size)
                if not store.on:
                    store.broken.append("the error is caught: nobody sees that the job has stopped")
            except (Exception, Off):
                if store.cut_at != "over":
                    raise
            if isinstance(answer, Answer):
                answer.printed = False  # it may print, and need not return anything
            again = [
                text for call in store.encoded for text in call if text in texts[: store.begun]
            ]
            if again:
                store.broken.append(f"{again[0]!r} is encoded, and the note counts it as done")
            if not planned:
                break
        found = {"rows": store.words(), "note": store.noted}
        if not planned:
            found["encoded"] = store.encoded
        return found | ({"broken": store.broken[0]} if store.broken else {})

    mistakes = """
        chunked(texts, encode, store, chunk, order="na")
            the note comes before the vectors. If the power goes between them, the note promises
            what is missing for ever. First the vectors, then the note.
        chunked(texts, encode, store, chunk, cut=False)
            what stands behind the note may be half a chunk. Cut it away before you append.
        chunked(texts, encode, store, chunk, cut=False, end=lambda: store.cut(len(texts)))
            you cut at the end. What stands behind the note must go before you append.
        chunked(texts, encode, store, chunk, order="a")
            no note is written, so that the next start begins at the beginning.
        chunked(texts, encode, store, chunk, order="a", end=lambda: store.note(len(texts)))
            the note comes at the end of all. Note each chunk before the next is encoded.
        chunked(texts, encode, store, chunk, note=lambda start, part: start + chunk)
            the last chunk may not be full. The note counts the texts in it, `start + len(part)`.
        chunked(texts, encode, store, chunk, note=lambda start, part: start)
            the note lags a chunk behind: `start + len(part)` texts are done.
        chunked(texts, encode, store, chunk, note=lambda start, part: start // chunk + 1)
            the note counts texts, not chunks.
        chunked(texts, encode, store, chunk, note=lambda start, part: start + len(part) - store.begun)
            the note counts from where this run began. It counts from the first text of all.
        chunked(texts, encode, store, chunk, begin=lambda done: 0)
            you begin at the first text. `store.done()` says how many are done.
        chunked(texts, encode, store, chunk, begin=lambda done: len(store.rows), cut=False)
            you go by the rows. Those behind the note may be half written: go by `store.done()`.
        chunked(texts, encode, store, max(len(texts), 1))
            you encode all texts at once. Give `chunk` of them at a time.
        chunked(texts[: len(texts) - (len(texts) - store.noted) % chunk], encode, store, chunk)
            the last chunk is missing when it is not full.
        chunked(sorted(texts, key=len), encode, store, chunk)
            the rows stand in another order than the texts.
        chunked(texts, encode, store, chunk, order="")
            nothing is stored: `store.append` writes the vectors.
    """
