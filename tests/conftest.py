"""What the tests share: loaded models, and no way out to a network."""

import os

import pytest

SENTENCE = "a gull stole my chips"
os.environ["TQDM_DISABLE"] = "1"
# A test that wants the hub's behaviour starts its own on loopback.
os.environ["HF_HUB_OFFLINE"] = "1"


@pytest.fixture(scope="session")
def minilm():
    """MiniLM on the CPU, loaded once a worker."""
    from helpers.models import load_model

    return load_model("all-MiniLM-L6-v2", device="cpu")


@pytest.fixture(scope="session")
def articles():
    """The archive."""
    from helpers.data import load_articles

    return load_articles()


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """A folder with a complete sentence-transformers model of 1,500 parameters and eleven words, made here."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizerFast

    base, folder = tmp_path_factory.mktemp("bert"), tmp_path_factory.mktemp("models") / "tiny"
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *SENTENCE.split(), "."]
    vocabulary = {word: number for number, word in enumerate(words)}
    BertTokenizerFast(vocab=vocabulary).save_pretrained(base)
    size = {
        "hidden_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 16,
    }
    torch.manual_seed(0)
    config = BertConfig(vocab_size=len(words), max_position_embeddings=32, **size)
    BertModel(config).save_pretrained(base)
    transformer = Transformer(str(base))
    pooling = Pooling(transformer.get_embedding_dimension(), "mean")
    model = SentenceTransformer(modules=[transformer, pooling], device="cpu")
    model.save_pretrained(str(folder), create_model_card=False)
    return folder


@pytest.fixture(scope="session")
def tiny_bert(tiny):
    """That model, loaded once a worker: copy it before you change it."""
    from helpers.models import load_model

    return load_model(tiny, device="cpu")
