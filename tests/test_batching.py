"""Batches of alike lengths: the model's own vectors whatever its modules, little padding, and a way back to its own encode."""

import copy

import numpy as np
import pytest

from conftest import SENTENCE
from helpers import batching
from helpers.batching import encode_batches, prompts
from helpers.encoding import encode

WORDS = SENTENCE.split()
RNG = np.random.default_rng(5)
#: Of 1 to 40 words, more than the model reads, and one empty; in no order.
TEXTS = ["", *(" ".join(RNG.choice(WORDS, size)) for size in RNG.integers(1, 40, 30))]


def pooled(model, mode, **settings):
    from sentence_transformers.sentence_transformer.modules import Pooling

    model[1] = Pooling(8, mode, **settings)


def dense_and_normalize(model):
    import torch
    from sentence_transformers.base.modules import Dense, Normalize

    torch.manual_seed(1)
    model.append(Dense(8, 4))
    model.append(Normalize())


def prompted(model):
    model.prompts = {"query": "a gull : ", "passage": "my chips . "}


def prompt_left_out(model):
    prompted(model)
    model[1].include_prompt = False


def by_default(model):
    prompted(model)
    model.default_prompt_name = "query"


def padded_left(model):
    model.tokenizer.padding_side = "left"


def truncated(model):
    model.truncate_dim = 3


def routed(model):
    from sentence_transformers.base.modules import Router

    second = copy.deepcopy(model[0])
    second.auto_model.embeddings.word_embeddings.weight.data.mul_(-1)
    model[0] = Router.for_query_document([model[0]], [second])


def static(model):
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    words = StaticEmbedding(model.tokenizer.backend_tokenizer, embedding_dim=8)
    del model[1]
    model[0] = words


def without_mask(model):
    """A first module of one's own, which tells nothing of padding."""
    import torch

    class Lengths(torch.nn.Module):
        tokenizer, max_seq_length = None, None

        def tokenize(self, texts):
            return {"lengths": torch.tensor([[float(len(text))] * 8 for text in texts])}

        def forward(self, features):
            return features | {"sentence_embedding": features["lengths"]}

    del model[1]
    model[0] = Lengths()


def looks_at_company(model):
    """A module whose vectors depend on a text's company."""
    import torch

    class Company(torch.nn.Module):
        def forward(self, features):
            rows = features["input_ids"].shape[0]
            return features | {"sentence_embedding": torch.full((rows, 8), float(rows))}

    model[1] = Company()


#: What is done to the tiny model, and whether its batches are ours.
MODELS = {
    "as it is": (lambda model: None, True),
    **{mode: (lambda model, mode=mode: pooled(model, mode), True) for mode in ("cls", "max")},
    "weightedmean": (lambda model: pooled(model, "weightedmean"), True),
    "last token": (lambda model: pooled(model, "lasttoken"), True),
    "two poolings": (lambda model: pooled(model, ("mean", "cls")), True),
    "dense, normalize": (dense_and_normalize, True),
    "prompts": (prompted, True),
    "prompt left out": (prompt_left_out, True),
    "default prompt": (by_default, True),
    "padding on the left": (padded_left, False),  # BERT counts places from the left
    "truncated": (truncated, True),
    "router": (routed, True),
    "static": (static, False),
    "without a mask": (without_mask, False),
}


@pytest.fixture
def model(tiny_bert, monkeypatch):
    """The tiny model, one's own, that is given little at once: several slices, many batches."""
    monkeypatch.setattr(batching, "TOKENS_PER_THREAD", 32)
    monkeypatch.setattr(batching, "TEXTS_AT_ONCE", 12)
    return copy.deepcopy(tiny_bert)


def watched(model, monkeypatch):
    """Remember what `model` was given: the texts of each call of preprocess, the shapes of each forward."""
    texts, shapes = [], []
    preprocess, forward = model.preprocess, model.forward

    def watched_preprocess(inputs, **settings):
        texts.append(inputs)
        return preprocess(inputs, **settings)

    def watched_forward(features, **settings):
        if "input_ids" in features:
            shapes.append(tuple(features["input_ids"].shape))
        return forward(features, **settings)

    monkeypatch.setattr(model, "preprocess", watched_preprocess)
    monkeypatch.setattr(model, "forward", watched_forward)
    return texts, shapes


SIDED = ("as it is", "prompts", "prompt left out", "default prompt", "router", "static")


@pytest.mark.parametrize(
    ("name", "kind"),
    [(name, None) for name in MODELS]
    + [(name, kind) for name in SIDED for kind in ("query", "document")],
)
def test_the_vectors_are_the_models_own(model, name, kind):
    """Pooling, dense layer, prompt, side, padding: as the library's encode, encode_query and encode_document give them."""
    change, ours = MODELS[name]
    change(model)
    function = model.encode if kind is None else getattr(model, f"encode_{kind}")
    expected = function(TEXTS, normalize_embeddings=True)
    assert np.ptp(expected, axis=0).max() > 1e-3 or name == "without a mask"
    np.testing.assert_allclose(encode(TEXTS, model, kind=kind, cache=False), expected, atol=1e-6)
    assert batching._gives_the_same(model, kind, None) is ours


def test_a_prompt_that_is_given_wins(model):
    prompted(model)
    for kind in (None, "query"):
        vectors = encode(TEXTS, model, kind=kind, prompt="gull ", cache=False)
        expected = model.encode(TEXTS, prompt="gull ", normalize_embeddings=True)
        np.testing.assert_allclose(vectors, expected, atol=1e-6)


def test_not_normalised_unless_asked(model):
    np.testing.assert_allclose(
        encode(TEXTS, model, normalize=False, cache=False), model.encode(TEXTS), atol=1e-5
    )


def test_texts_become_tokens_once_and_batches_hold_the_budget(model, monkeypatch):
    import torch

    encode(TEXTS[:1], model, cache=False)  # the trial
    texts, shapes = watched(model, monkeypatch)
    encode(TEXTS, model, cache=False)
    assert sorted(text for part in texts for text in part) == sorted(set(TEXTS))
    assert max(map(len, texts)) <= 12
    budget = 32 * torch.get_num_threads()
    assert all(rows == 1 or rows * columns <= budget for rows, columns in shapes)
    counts = [
        len(model.tokenizer(t, truncation=True, max_length=32)["input_ids"]) for t in set(TEXTS)
    ]
    assert sum(counts) <= sum(rows * columns for rows, columns in shapes) <= 1.3 * sum(counts)


def test_each_place_comes_once(model):
    """Also where a text comes twice."""
    texts = TEXTS + TEXTS[:7]
    rows = np.concatenate([rows for rows, _ in encode_batches(model, texts)])
    assert sorted(rows) == list(range(len(texts)))
    assert list(encode_batches(model, [])) == []


def test_a_batch_size_is_the_librarys(model, monkeypatch):
    """Who gives one gets it."""
    _, shapes = watched(model, monkeypatch)
    vectors = encode(TEXTS, model, batch_size=3, cache=False)
    assert {rows for rows, _ in shapes} <= {1, 2, 3}
    np.testing.assert_allclose(vectors, model.encode(TEXTS, normalize_embeddings=True), atol=1e-6)


@pytest.mark.parametrize("where", ["class", "object"])
def test_an_encode_of_its_own_is_used(model, where):
    """Somebody who changes encode means it."""
    from sentence_transformers import SentenceTransformer

    def ones(self, inputs, **settings):
        return np.ones((len(inputs), 8))

    if where == "class":
        model.__class__ = type("Own", (SentenceTransformer,), {"encode": ones})
    else:
        model.encode = lambda inputs, **settings: ones(model, inputs)
    assert (encode(["a", "gull"], model, normalize=False, cache=False) == 1).all()


def test_a_model_that_gives_other_vectors_this_way_is_asked_by_its_encode(model):
    looks_at_company(model)
    vectors = encode(TEXTS[:20], model, normalize=False, cache=False)
    np.testing.assert_array_equal(vectors, model.encode(TEXTS[:20]))


def test_modules_that_are_exchanged_are_tried_anew(model):
    assert batching._gives_the_same(model, None, None)
    static(model)
    expected = model.encode(TEXTS, normalize_embeddings=True)
    np.testing.assert_allclose(encode(TEXTS, model, cache=False), expected, atol=1e-6)


# Queries and documents


def test_prompts_are_those_the_library_would_take(model):
    assert prompts(model) == {"default": "", "query": "", "document": ""}
    prompted(model)
    assert prompts(model) == {"default": "", "query": "a gull : ", "document": "my chips . "}
    by_default(model)
    model.prompts = {"query": "q"}
    assert prompts(model) == {"default": "q", "query": "q", "document": "q"}
    assert prompts(object()) == {"default": None, "query": None, "document": None}


def counted(model, monkeypatch):
    """Texts that are encoded, in the order in which they are."""
    texts, _ = watched(model, monkeypatch)
    return texts


def test_models_without_prompts_share_one_entry(model, tmp_path, monkeypatch):
    """Whatever the kind; and an empty prompt is none."""
    first = encode(TEXTS, model, cache=tmp_path)
    texts = counted(model, monkeypatch)
    for settings in ({"kind": "query"}, {"kind": "document"}, {"prompt": ""}):
        np.testing.assert_array_equal(encode(TEXTS, model, cache=tmp_path, **settings), first)
    assert texts == []


def test_each_side_has_its_entry(model, tmp_path, monkeypatch):
    """With prompts: a query is not a document, and each is found again; by its kind, or by the prompt itself."""
    prompted(model)
    vectors = {
        kind: encode(TEXTS, model, kind=kind, cache=tmp_path)
        for kind in ("query", "document", None)
    }
    assert len({vector.tobytes() for vector in vectors.values()}) == 3
    texts = counted(model, monkeypatch)
    for kind, vector in vectors.items():
        np.testing.assert_array_equal(encode(TEXTS, model, kind=kind, cache=tmp_path), vector)
    asked = encode(TEXTS, model, prompt="a gull : ", cache=tmp_path)
    np.testing.assert_array_equal(asked, vectors["query"])
    assert texts == []


def test_sides_without_prompts_have_their_entries(model, tmp_path):
    """A router has other modules for queries: the prompt, which is empty, does not tell them apart."""
    routed(model)
    query, document = (
        encode(TEXTS, model, kind=kind, cache=tmp_path) for kind in ("query", "document")
    )
    assert np.abs(query - document).max() > 1e-3
    np.testing.assert_array_equal(encode(TEXTS, model, kind="query", cache=tmp_path), query)


def test_a_name_knows_its_prompts_without_being_loaded(tiny, tmp_path, monkeypatch):
    """The second time nothing is loaded, and each side is found."""
    import json
    import shutil

    folder = shutil.copytree(tiny, tmp_path / "model")
    settings = json.loads((folder / "config_sentence_transformers.json").read_text())
    settings["prompts"] = {"query": "a gull : ", "document": ""}
    (folder / "config_sentence_transformers.json").write_text(json.dumps(settings))
    kinds = ("query", "document", None)
    first = [encode(TEXTS, folder, kind=kind, cache=tmp_path / "cache") for kind in kinds]
    assert np.abs(first[0] - first[1]).max() > 1e-3
    np.testing.assert_array_equal(first[1], first[2])
    monkeypatch.setattr("helpers.models.load_model", lambda name: pytest.fail("it was loaded"))
    for kind, vectors in zip(kinds, first, strict=True):
        again = encode(TEXTS, folder, kind=kind, cache=tmp_path / "cache")
        np.testing.assert_array_equal(again, vectors)


class TwoSided:
    """A client that knows queries and documents, and says who it is."""

    cache_key = "two-sided, revision 1"

    def encode(self, texts, **settings):
        return self.give(texts, 0)

    def encode_query(self, texts, **settings):
        return self.give(texts, 1)

    def encode_document(self, texts, **settings):
        return self.give(texts, 2)

    def give(self, texts, side):
        return np.array([[len(text) + 1, side, 1.0] for text in texts])


def test_any_object_with_sides_is_asked_for_the_right_one(tmp_path):
    for _ in range(2):
        for side, kind in enumerate((None, "query", "document")):
            vectors = encode(["a", "bb"], TwoSided(), kind=kind, normalize=False, cache=tmp_path)
            assert vectors.tolist() == [[2, side, 1], [3, side, 1]]
