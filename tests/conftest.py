"""What the tests share: loaded models, and no way out to a network."""

import os

import pytest

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
