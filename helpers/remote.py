"""Embedding models behind an OpenAI-compatible address, for the same ``encode`` as local models.

>>> print(estimate_cost(texts))
322 texts, about 71,000 tokens, about $0.0014 (price of 25 January 2024)
>>> model = OpenAIModel()  # the key is read from OPENAI_API_KEY
>>> vectors = encode(texts, model)  # helpers.encoding.encode keeps them: nothing is paid twice

Every text leaves this machine and, with most services, costs money. Any server that speaks this
protocol will do, one of your own included. Needs the package ``openai`` (the extra ``api``).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from helpers.encoding import check_texts
from helpers.models import ModelError

#: US dollars for a million tokens, as announced on `PRICE_DATE` at
#: https://openai.com/index/new-embedding-models-and-api-updates/ : look up today's.
PRICES = {"text-embedding-3-small": 0.02, "text-embedding-3-large": 0.13}
PRICE_DATE = "25 January 2024"
#: How these models' tokenizer first cuts a text: words, up to three digits, runs of signs.
_PIECES = re.compile(
    r"[^\r\n\w]?[^\W\d_]+|_[^\W\d_]+|\d{1,3}| ?(?:[^\s\w]|_)+[\r\n]*|\s*[\r\n]+|\s+"
)


class RemoteModelError(ModelError):
    """The service did not give what was asked for; the message says why, and what to do."""


@dataclass(frozen=True)
class CostEstimate:
    """What encoding would cost: texts, tokens, and US dollars (None: the price is not known)."""

    texts: int
    tokens: int
    dollars: float | None

    def __str__(self) -> str:
        tokens = int(float(f"{self.tokens:.2g}"))
        said = f"{self.texts:,} texts, about {tokens:,} tokens"
        if self.dollars is None:
            return f"{said}; the price of this model is not known here"
        return f"{said}, about ${self.dollars:.2g} (price of {PRICE_DATE})"


def estimate_cost(texts: Iterable[str], model: str = "text-embedding-3-small") -> CostEstimate:
    """Estimate what it costs to encode `texts` with `model`; nothing is sent. Tokens are a guess: a quarter of the UTF-8 bytes,
    or the number of words, numbers and signs, whichever is more. Expect an error of a quarter, and more for code and tables."""
    texts = check_texts(texts)
    tokens = sum(max(-(-len(t.encode()) // 4), len(_PIECES.findall(t))) for t in texts)
    price = PRICES.get(model)
    return CostEstimate(len(texts), tokens, None if price is None else tokens * price / 1e6)


class OpenAIModel:
    """An embedding model behind an OpenAI-compatible address. Give it to `helpers.encoding.encode`.

    `name` is as the service calls it, `dimensions` for shorter vectors than its own, where it can. Without `base_url` and
    `api_key`: ``OPENAI_BASE_URL``, or OpenAI, and ``OPENAI_API_KEY``; the key is never shown. `timeout` is in seconds; the client
    asks again, `max_retries` times, after a time-out, "too many requests" or a failure of the server, and waits as long as
    the server says. ``cache_key`` says which vectors these are: address, name and dimensions.
    """

    def __init__(
        self,
        name: str = "text-embedding-3-small",
        *,
        dimensions: int | None = None,
        base_url: str | None = None,
        api_key: str | None = None,
        timeout: float = 60.0,
        max_retries: int = 5,
    ) -> None:
        try:
            from openai import OpenAI
        except ImportError as error:
            needs = f"{name} needs the package openai, which is not installed"
            remedy = "In the course's folder: python -m pip install -e '.[api]'"
            raise RemoteModelError(f"{needs}. {remedy}") from error
        key = (api_key or os.environ.get("OPENAI_API_KEY") or "").strip()
        if not key:
            how = "set the environment variable OPENAI_API_KEY or give api_key=…"
            some = "any word will do for a server that asks for none"
            raise RemoteModelError(f"There is no key for {name}: {how} ({some}).")
        self.name, self.dimensions, self._length = name, dimensions, dimensions
        self._client = OpenAI(
            api_key=key, base_url=base_url or None, timeout=timeout, max_retries=max_retries
        )
        url = urlsplit(str(self._client.base_url))  # shown without user, password and query
        self.address = f"{url.scheme}://{url.netloc.rpartition('@')[2]}{url.path}".rstrip("/")
        self.cache_key = f"{self.address} {name} {dimensions or 'all dimensions'}"

    def __repr__(self) -> str:
        shorter = "" if self.dimensions is None else f", dimensions={self.dimensions}"
        return f"OpenAIModel({self.name!r}{shorter}, base_url={self.address!r})"

    def encode(
        self,
        inputs: str | Iterable[str],
        *,
        batch_size: int = 32,
        normalize_embeddings: bool = False,
        show_progress_bar: bool | None = None,
    ) -> np.ndarray:
        """Return vectors in the order of the texts: float32, shape (texts, dimension); (dimension,) for a single text.

        `helpers.encoding.encode` calls this, shows progress, and keeps what is done even if a later request fails. Called
        directly, the same texts are paid for each time. Raises RemoteModelError for whatever goes wrong with the service;
        ValueError, before anything is sent, for an empty text, which services refuse.
        """
        texts = check_texts([inputs] if isinstance(inputs, str) else inputs, "inputs")
        if "" in texts:
            raise ValueError(f"inputs[{texts.index('')}] is empty, which services refuse")
        if not texts:
            return np.empty(0, dtype=np.float32)
        starts = range(0, len(texts), batch_size)
        vectors = np.concatenate([self._ask(texts[i : i + batch_size]) for i in starts])
        if normalize_embeddings:
            norms = np.linalg.norm(vectors, axis=1, keepdims=True)
            vectors = vectors / np.where(norms > 0, norms, 1)
        return vectors[0] if isinstance(inputs, str) else vectors

    def _ask(self, batch: list[str]) -> np.ndarray:
        """Send one request and return its vectors, float32, in the order of `batch`."""
        from openai import OpenAIError

        # Floats, not base64 (the client's default): longer, but every compatible server can.
        options: dict[str, Any] = {"dimensions": self.dimensions} if self.dimensions else {}
        try:
            answer = self._client.embeddings.create(
                model=self.name, input=batch, encoding_format="float", **options
            )
            items = sorted(answer.data, key=lambda item: item.index)
            vectors = np.array([item.embedding for item in items], dtype=np.float32)
            rows = [item.index for item in items]
        except OpenAIError as error:
            raise RemoteModelError(self._explain(error)) from None
        except (ValueError, TypeError, AttributeError) as error:  # no JSON, or of another shape
            said = f"gave an answer that cannot be read ({self._said(error)})"
            raise RemoteModelError(f"{self.address} {said}. Is it OpenAI-compatible?") from None
        wanted = (len(batch), self._length or vectors.shape[-1])
        in_order = rows == list(range(len(batch))) and vectors.shape == wanted
        if not in_order or not vectors.size or not np.isfinite(vectors).all():
            what = f"{self.address} gave vectors of shape {vectors.shape}, numbered {rows[:3]} …"
            how = f"for {len(batch)} texts {wanted}, numbered from 0 and finite, was expected"
            raise RemoteModelError(f"{what}; {how}")
        self._length = vectors.shape[1]  # a service that changes it later is found out
        return vectors

    def _explain(self, error: Exception) -> str:
        """Return in a sentence or two what `error` means and what to do, without the key."""
        from openai import APIConnectionError

        status = getattr(error, "status_code", None)
        remedy = {
            **dict.fromkeys((401, 403), "Check OPENAI_API_KEY or api_key"),
            404: "Check the model's name, and base_url, which usually ends in /v1",
            429: "Too many requests, or the quota is used up: wait, or look at your account",
        }.get(status, "Check dimensions, and whether a text is longer than the model reads")
        if isinstance(error, APIConnectionError):  # a time-out is one
            remedy = "Check the network and base_url, or give a longer timeout"
        elif status and status >= 500:
            remedy = "The service failed: try later"
        tries = f"{status or 'no answer'}, after {self._client.max_retries} retries at most"
        return f"{self.name} at {self.address} ({tries}): {self._said(error)}. {remedy}."

    def _said(self, error: Exception) -> str:
        """Return what `error` says, in one line of at most 200 characters, without the key."""
        body = getattr(error, "body", None)
        said = body.get("message") if isinstance(body, dict) else None
        line = " ".join(str(said or error).replace(self._client.api_key, "[key]").split())
        return line[:200].rstrip(".")
