"""The checks of practice 06, batch encoding."""

from __future__ import annotations

import itertools
import math

import numpy as np

from helpers.checks.answers import Answer, copied
from helpers.checks.frame import exercise
from helpers.checks.reading import Wrong, array, describe, integers, number, parts

# 6.1


def padded(lengths, size, cost=lambda batch: len(batch) * max(batch)):
    return sum(cost(lengths[i : i + size]) for i in range(0, len(lengths), size))


@exercise(
    "6.1",
    level=1,
    title="The price of padding",
    names=["padded_positions"],
    hints=[
        "Take the first batch alone. How many rows has its rectangle, and how many columns?",
        "A batch costs (number of its texts) × (length of its longest). The last may be smaller.",
        "Add `len(b) * max(b)`, `b = lengths[i : i + batch_size]`, for i in steps of batch_size.",
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
            you sort the lengths first. That is the remedy; here the order is as given.
        padded(lengths[: len(lengths) // batch_size * batch_size], batch_size)
            the last batch is missing when it is not full.
        padded(lengths, batch_size, lambda batch: batch_size * max(batch))
            you count the last batch as if it were full. It has only the texts that are left.
        padded(lengths, batch_size) - sum(lengths)
            that is the padding alone. The positions with tokens are computed, too.
        padded(lengths, batch_size, max)
            you add up the longest of each batch, as if it were one text. All its rows are so long.
        1 - sum(lengths) / padded(lengths, batch_size) if lengths else 0
        padded(lengths, batch_size) / max(sum(lengths), 1)
            that is a ratio. The task asks for a number of positions.
        sum(padded(lengths[i : i + batch_size], batch_size) for i in range(len(lengths)))
            a batch begins at every text, so that they overlap: `range(0, len(lengths), batch_size)`.
        sum(len(b) * max(b) for b in np.array_split(lengths, batch_size) if len(b))
            you make `batch_size` batches. It says how many *texts* there are in a batch.
        padded(lengths, batch_size, lambda batch: len(batch) * batch[-1])
            you take the last text of a batch for its longest. They are not sorted.
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
    """A `cache` that is not copied; `left` is what `earlier` calls of the answer left in it."""

    def __init__(self, *earlier):
        super().__init__()
        self.earlier, self.left, self.kept = earlier, {}, []

    def __repr__(self):
        calls = (f"encode_cached({describe(t)}, {m!r}, …)" for t, m in self.earlier)
        return f"left by {' and '.join(calls)}" if self.earlier else "{}"


class Encoder:
    """Stands for a model: a vector of its own for each text; remembers what it was asked."""

    def __init__(self, model):
        self.model, self.asked = model, []

    def __call__(self, texts):
        if isinstance(texts, (str, set, frozenset)):
            raise Wrong(f"you call encode with {describe(texts)}. It wants a list of texts.")
        self.asked.append(sorted(map(str, texts)))
        places = [PLACES.setdefault((self.model, text), len(PLACES)) for text in texts]
        return np.array([(1.17 * place, 1.17) for place in places]).reshape(-1, 2)

    def names(self, rows):
        known = {round(1.17 * place, 2): pair for place, pair in enumerate(PLACES)}
        for first, second in np.round(rows, 3).tolist():
            model, text = known.get(first, ("", "")) if second == 1.17 else ("", "")
            other = f"{text} by {model}" if model else "no text's vector"
            yield text if model == self.model else other


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
        "Which texts are missing (each once)? Encode them in one call. Then read all from the cache.",
        "`missing = [t for t in dict.fromkeys(texts) if (model_name, t) not in cache]`; if missing, put "
        "`zip(missing, encode(missing))` into it; return `np.array([cache[model_name, t] for t in texts])`.",
    ],
)
class EncodeCached:
    """Behaviour only: what is encoded when, and what comes back. The key is the learner's."""

    praise = "right: one call for what is missing, none when nothing is, and no pairs confused."

    def reference(texts, model_name, cache, encode):
        return cached(texts, model_name, cache, encode)

    def make(texts, model_name, cache):
        cache.clear()
        cache.update(copied(cache.left))
        return texts, model_name, cache, Encoder(model_name)

    def cases():
        storm, three = (["storm"], "mini"), (["storm", "ice", "rain"], "mini")
        for texts in (storm[0], three[0], ["storm", "tide", "storm"], ["tide", "", "tide"]):
            yield texts, "mini", Cache()
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
        for name in ("rows", "vectors", "model", "texts", "keys"):
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
                cache.left = copied(dict(cache))
            cache.kept.append(["".join([*text]) for text in words])  # equal, other objects
            found = answer(cache.kept[-1], model, cache, encoder)
        if found is None:
            return None
        rows, pair, keys = array(found).reshape(-1, 2), (model_name, texts[0]), repr([*cache])
        if any(str(hash(p)) in keys for p in (pair, *pair, *(s.join(pair) for s in SEPARATORS))):
            raise Wrong("your keys are made with `hash()`, which differs in every run of Python.")
        rows = list(encode.names(rows))
        if len(texts) > 99:  # show what is wrong alone
            rows = [row for row, text in zip(rows, texts, strict=True) if row != text][:3]
        return {"rows": rows, "encoded": encode.asked}

    mistakes = """
        cached(texts, model_name, cache, encode, lambda m, t: FIRST_ALIKE.get((m, t), (m, t)))
            texts or names that differ a little share a key. Put both into it as they are.
        cached(texts, model_name, cache, encode, lambda m, t: FIRST_JOINED.get((m, t), (m, t)))
            two pairs of model and text share a key. A tuple, with the model first, keeps them apart.
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
            what is known is encoded again. (`cache or {}` makes another one when it is empty.)
        encode(texts)
            you encode all texts every time: `cache` is not used.
        cached(sorted(texts, key=lambda t: (model_name, t) not in cache), model_name, cache, encode)
            the order is wrong: known texts first, then new ones. Row i belongs to text i.
        cached([t.lower() for t in texts], model_name, cache, encode)
            you change the text before it is encoded. Encode it as it is.
    """


# 6.3


def planned(kinds, dimension, width, deadline, seconds=lambda n, m, s: n / m * s, up=math.ceil):
    """Answer 6.3 with other seconds, or another way to round the machines up."""
    documents, measured, spent = np.array(kinds, float).T
    hours = float(np.sum(seconds(documents, measured, spent))) / 3600
    return hours, sum(documents) * dimension * width / 1e9, up(hours / deadline - 1e-9)


@exercise(
    "6.3",
    level=2,
    title="Before you promise a date",
    names=["plan"],
    hints=[
        "Work out the seconds for each kind of text by itself. What may you add: rates, or times?",
        "A kind takes documents × seconds / measured. Gigabytes: documents × dimension × bytes / 10⁹.",
        "`machines = math.ceil(hours / deadline_hours)`. Return `hours, gigabytes, machines`.",
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
        planned(kinds, dimension, bytes_per_value, deadline_hours, lambda n, m, s: sum(n) / np.mean(m / s))
            you take a mean of the rates. Rates do not add up, seconds do: the slow kind takes longer.
        planned(kinds, dimension, bytes_per_value, deadline_hours, lambda n, m, s: n / sum(m) * sum(s))
            you make one rate of all measurements. Work out each kind by its own, and add seconds.
        np.multiply((60, 1, 1), reference(kinds, dimension, bytes_per_value, deadline_hours))
            these are minutes, not hours. Divide the seconds by 3600.
        planned(kinds, dimension, bytes_per_value, deadline_hours, lambda n, m, s: n[0] / m[0] * s[0])
            only the first kind is in your hours. Add up all of them.
        reference(kinds[:1], dimension, bytes_per_value, deadline_hours)
            only the first kind is in it. Is there a `return` inside the loop?
        reference([(n - m, m, s) for n, m, s in kinds], dimension, bytes_per_value, deadline_hours)
            you leave out the documents of the trial. It was a trial: all are to be encoded.
        np.multiply((1, 1e9 / 2**30, 1), reference(kinds, dimension, bytes_per_value, deadline_hours))
            you divide by 2³⁰: that is a gibibyte. The task has gigabytes of 10⁹ bytes.
        reference(kinds, dimension, 4, deadline_hours)
        reference(kinds, dimension, int(bytes_per_value), deadline_hours)
            `bytes_per_value` says how many bytes a number takes; it may be 0.125.
        planned(kinds, dimension, bytes_per_value, deadline_hours, up=float)
        planned(kinds, dimension, bytes_per_value, deadline_hours, up=lambda m: int(m + 1e-9))
        planned(kinds, dimension, bytes_per_value, deadline_hours, up=round)
            round the machines up: nobody has a part of one, and with too few the deadline is missed.
        planned(kinds, dimension, bytes_per_value, deadline_hours, up=lambda m: int(m + 1e-9) + 1)
            where hours / deadline is whole you order one machine too many. `math.ceil` does not.
        (lambda h, g, m: (h / m, g, m))(*reference(kinds, dimension, bytes_per_value, deadline_hours))
            your hours are those of all machines together. The task asks for the hours on one.
        (lambda h, g, m: (g, h, m))(*reference(kinds, dimension, bytes_per_value, deadline_hours))
            the order is hours, gigabytes, machines.
    """


# 6.4


def hamming(query, vectors, differ=np.not_equal):
    return differ(vectors > 0, query > 0).sum(axis=1)


def rescored(query, vectors, candidates, k, distance=None, score=None, order=None):
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
        "Two searches, one after the other: a coarse one over all, a fine one over what it has found.",
        "`((vectors > 0) != (query > 0)).sum(axis=1)`: the distances. A stable argsort keeps rows in order.",
        "`chosen = np.argsort(distance, kind='stable')[:candidates]`; then `np.argsort` of minus the dot "
        "products of `vectors[chosen]`: `return chosen[…][:k]`, back from places to rows.",
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
        small = [(4, 3, 2, 1), (5, 4, 3, 2), (6, 4, 4, 2), (6, 4, 3, 3), (7, 3, 3, 3), (8, 3, 4, 4)]
        large = [(20, 8, 7, 5), (40, 12, 9, 4), (60, 16, 15, 6)]
        for rows, dimension, candidates, k in small + large:
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
        rescored(query, vectors, candidates, k, (vectors > 0).sum(axis=1) - (query > 0).sum())
            differences of bits are added with their signs, so that they cancel. Use `!=`.
        rescored(query, vectors, candidates, k, order=lambda d: np.lexsort((-np.arange(len(d)), d)))
            of two equal distances you take the larger row number first. The smaller one comes first.
        np.lexsort((-(vectors @ query), hamming(query, vectors)))[:k]
            you rank by Hamming distance. The dot product is to rank *all* candidates.
        rescored(query, vectors, candidates, k, -(vectors @ query), -hamming(query, vectors))
            you choose by dot product and rank by bits. It is the other way round.
        np.argsort(-(vectors @ query)[np.argsort(hamming(query, vectors), kind="stable")[:candidates]])[:k]
            you return places among the candidates. The task asks for rows of `vectors`: `chosen[…]`.
        rescored(query, vectors, candidates, k, score=-(vectors @ query))
        rescored(query, vectors, candidates, candidates)[-k:]
            you return the candidates with the *smallest* dot products.
        rescored(query, vectors, candidates, k, score=vectors @ query / np.linalg.norm(vectors, axis=1))
            you rescore by cosine. The task asks for the dot product, in which lengths count.
        rescored(query, vectors, candidates, k, score=(vectors > 0) @ query)
        rescored(query, vectors, candidates, k, score=hamming(query, vectors, np.logical_and))
        rescored(query, vectors, candidates, k, score=vectors @ (query > 0))
            you rescore with bits. They are too coarse to rank: take the full vectors of both.
        rescored(query, vectors, candidates, candidates)
            you return all the candidates. The first k of them were asked for.
    """


# 6.5

PLANNED = {"storm": (5.0, 1.0), "ice": (3.0, 2.0), "harbour": (7.0, 3.0), "tide": (4.0, 4.0)}
PLANNED["wave"] = (4.0, 5.0)  # the texts to be encoded, with their vectors
STATES = [(0, 0, 5), (0, 0, 2), (2, 2, 2), (4, 4, 2), (5, 5, 2), (2, 3, 2)]  # note, rows, chunk
STATES += [(0, 1, 2), (2, 4, 9), (3, 4, 1), (4, 5, 2)]
CALLS = {"encode": 3, "append": 3, "note": 3, "cut": 1, "done": 1}
STOPS = ("power cut before", "power cut in", "power cut after", "error in")


class Store:
    """Rows and a note that survive what `stop` names, such as "power cut in append 2"; a model."""

    def __init__(self, note, rows, stop):
        self.noted, self.stop, self.on, self.stopped = note, stop, True, False
        self.rows = [*PLANNED.values()][:rows] + [(0.0, 0.0)] * (rows > note)
        self.calls, self.encoded, self.broken = [], [], ""

    def __repr__(self):
        return f"a store with the rows of {self.words()} and the note {self.noted}"

    def words(self):
        texts = {row: text for text, row in PLANNED.items()}
        return [texts.get(row, "half a row") for row in self.rows]

    def step(self, call, effect, half=lambda: None):
        """Carry out `effect`, or half of it, unless it stops here; a `Wrong` ends the answer."""
        self.calls.append(call)
        now = self.stop.endswith(f" {call} {self.calls.count(call)}")
        when = self.stop if now else "after" if self.on else "before"
        self.on, self.stopped = self.on and (not now or "error" in when), self.stopped or now
        if " in " in when:
            half()
        found = effect() if " after" in f" {when}" else None
        if now or not self.on:
            raise Wrong(self.stop)
        return found

    def done(self):
        return self.step("done", lambda: self.noted)

    def cut(self, rows):
        self.step("cut", lambda: self.rows.__delitem__(slice(rows, None)))

    def append(self, vectors):
        new = [tuple(map(float, row)) for row in vectors]
        half = [*new[: len(new) // 2], (0.0, 0.0)]
        self.step("append", lambda: self.rows.extend(new), lambda: self.rows.extend(half))

    def note(self, done):
        self.step("note", lambda: setattr(self, "noted", done))

    def encode(self, texts):
        if [*PLANNED].index(texts[0]) != self.noted:
            self.broken = f"{texts[0]!r} is encoded, and the note says {self.noted}"
        self.encoded.append(list(texts))
        return self.step("encode", lambda: np.array([PLANNED[text] for text in texts]))


def chunked(texts, encode, store, chunk, begin=None, cut=int, order="an", note=None):
    """Answer 6.5 with another beginning, order of append and note, or note."""
    done = store.done()
    if cut:
        store.cut(cut(done))
    for start in range(begin(done) if begin else done, len(texts), chunk):
        part = texts[start : start + chunk]
        vectors = encode(part)
        for call in order:
            if call == "a":
                store.append(vectors)
            else:
                store.note(note(start, part) if note else start + len(part))


@exercise(
    "6.5",
    level=3,
    title="Stopped half-way",
    names=["encode_in_chunks"],
    hints=[
        "Where does a run begin that finds a note of 6? And what may stand behind row 6?",
        "Half a chunk, or one without its note: cut it away first. Then, by chunk: encode, append, note.",
        "`done = store.done()`, `store.cut(done)`, then for start in range(done, len(texts), chunk): "
        "`store.append(encode(part))`, `store.note(start + len(part))`.",
    ],
)
class EncodeInChunks:
    """Every state in which a crash can leave the store, and a stop at every moment of a run."""

    praise = "right. Stopped at every moment; nothing was lost, and nothing stands there twice."

    def reference(texts, encode, store, chunk):
        chunked(texts, encode, store, chunk)

    def make(note, rows, stop, chunk):
        store = Store(note, rows, stop)
        return list(PLANNED), store.encode, store, chunk

    def cases():
        yield from ((note, rows, "never", chunk) for note, rows, chunk in STATES)
        for stop, call in itertools.product(STOPS, CALLS):
            for nth in range(1, CALLS[call] + 1):
                yield 0, 0, f"{stop} {call} {nth}", 2
            yield 2, 3, f"{stop} {call} 1", 1

    def play(answer, texts, encode, store, chunk):
        steady = store.stop == "never"
        for size in (chunk,) if steady else (chunk, chunk + 1):
            store.on, store.stopped, store.encoded = True, False, []
            try:
                answer(texts, encode, store, size)
                if not store.on:
                    store.broken = "the error is caught: nobody sees that the job has stopped"
            except Exception:
                if not store.stopped:
                    raise
            if isinstance(answer, Answer):
                answer.printed = False  # it may print, and need not return anything
        found = {"rows": store.words(), "note": store.noted}
        found |= {"encoded": store.encoded} if steady else {}
        return found | ({"broken": store.broken} if store.broken else {})

    mistakes = """
        chunked(texts, encode, store, chunk, order="na")
            the note comes first. If the power goes then, it promises what is missing for ever.
        chunked(texts, encode, store, chunk, cut=None)
            what stands behind the note may be half a chunk. Cut it away before you append.
        chunked(texts, encode, store, chunk, cut=None) or store.cut(len(texts))
            you cut at the end. What stands behind the note must go before you append.
        chunked(texts, encode, store, chunk, order="a")
            no note is written, so that the next start begins at the beginning.
        chunked(texts, encode, store, chunk, order="a") or store.note(len(texts))
            the note comes at the end of all. Note each chunk before the next is encoded.
        chunked(texts, encode, store, chunk, note=lambda start, part: start + chunk)
            the last chunk may not be full. The note counts the texts in it, `start + len(part)`.
        chunked(texts, encode, store, chunk, note=lambda start, part: start)
            the note lags a chunk behind: `start + len(part)` texts are done.
        chunked(texts, encode, store, chunk, *[lambda n: n * chunk] * 2, note=lambda i, _: i // chunk + 1)
            the note counts texts, not chunks.
        chunked(texts[store.noted :], encode, store, chunk, lambda done: 0)
            the note counts from where this run began. It counts from the first text of all.
        chunked(texts, encode, store, chunk, lambda done: 0)
            you begin at the first text. `store.done()` says how many are done.
        chunked(texts, encode, store, chunk, lambda done: len(store.rows), None)
            you go by the rows. Those behind the note may be half written: go by `store.done()`.
        chunked(texts, encode, store, max(len(texts), 1))
            you encode all texts at once. Give `chunk` of them at a time.
        chunked(texts[: len(texts) - (len(texts) - store.noted) % chunk], encode, store, chunk)
            the last chunk is missing when it is not full.
        chunked(sorted(texts, key=len), encode, store, chunk)
            the rows stand in another order than the texts.
    """
