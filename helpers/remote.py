"""Embedding models behind an OpenAI-compatible address, with the same ``encode`` as the models on this machine.

>>> from helpers.remote import OpenAIModel
>>> model = OpenAIModel("text-embedding-3-small")  # the key is read from OPENAI_API_KEY
>>> print(model.estimate_cost(texts))
322 texts, about 71,000 tokens, about $0.0014 (price of 25 January 2024)
>>> engine = SemanticSearch(model)

Every text that is encoded leaves this machine and, with most services, costs money. Ask `estimate_cost` first. Works with
any server that speaks this protocol (``base_url`` or ``OPENAI_BASE_URL``), one of your own included. Needs the package
``openai``, which the course's extra ``api`` installs.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np

from helpers.models import ModelError
from helpers.search import check_texts

if TYPE_CHECKING:
    from openai import OpenAI

KEY_VARIABLE = "OPENAI_API_KEY"
#: US dollars for a million tokens, as announced on `PRICE_DATE` (`PRICE_SOURCE`). Prices change: look them up before you
#: spend much.
PRICES = {
    "text-embedding-3-small": 0.02,
    "text-embedding-3-large": 0.13,
    "text-embedding-ada-002": 0.10,
}
PRICE_DATE = "25 January 2024"
PRICE_SOURCE = "https://openai.com/index/new-embedding-models-and-api-updates/"
#: Dimensions of a vector when `OpenAIModel` is not asked for fewer.
DIMENSIONS = {
    "text-embedding-3-small": 1536,
    "text-embedding-3-large": 3072,
    "text-embedding-ada-002": 1536,
}
#: The service's limits on one request: texts, and tokens in all of them. The second is approached with care, for we only
#: estimate tokens.
MOST_TEXTS = 2048
MOST_TOKENS = 150_000  # the limit is 300,000

#: How the tokenizer of these models first cuts a text: a word with one sign or blank before it, up to three digits, a run
#: of signs.
_PIECES = re.compile(
    r"[^\r\n\w]?[^\W\d_]+|_[^\W\d_]+|\d{1,3}| ?(?:[^\s\w]|_)+[\r\n]*|\s*[\r\n]+|\s+"
)


class RemoteModelError(ModelError):
    """The service did not give what was asked for. The message says what happened and what to do.

    Attributes
    ----------
    vectors : float32 array, shape (done, dimension): the vectors of the first `done` texts as the service gave them; None if
        there are none
    done : how many texts at the beginning of the list are encoded

    The model remembers all finished vectors: ``encode`` of the same texts goes on where it stopped, and pays nothing twice.
    """

    def __init__(self, message: str, *, vectors: np.ndarray | None = None) -> None:
        super().__init__(message)
        self.vectors = vectors
        self.done = 0 if vectors is None else len(vectors)


@dataclass(frozen=True, slots=True)
class CostEstimate:
    """What encoding would cost: texts, tokens, and US dollars (None for a model whose price is not in `PRICES`)."""

    texts: int
    tokens: int
    dollars: float | None

    def __str__(self) -> str:
        tokens = f"{self.texts:,} texts, about {_round_to_two(self.tokens):,} tokens"
        if self.dollars is None:
            return f"{tokens}; the price of this model is not known here"
        return f"{tokens}, about ${_round_to_two(self.dollars):.2g} (price of {PRICE_DATE})"


def estimate_tokens(text: str) -> int:
    """Estimate how many tokens `text` has for an OpenAI model. Their tokenizer is not used, for it would have to be downloaded.

    The larger of two numbers. OpenAI's rule of thumb for English is one token for four characters; counted in UTF-8 bytes,
    it also allows for other scripts taking more. And their tokenizer begins by cutting a text into words, numbers of up to
    three digits and runs of signs, each of which is one token at least. Expect an error of a quarter, and more for code
    and tables.
    """
    return max(
        math.ceil(len(text.encode("utf-8", "surrogatepass")) / 4),
        sum(1 for _ in _PIECES.finditer(text)),
    )


def estimate_cost(
    texts: str | Iterable[str], model: str = "text-embedding-3-small"
) -> CostEstimate:
    """Estimate what it costs to encode `texts` with `model`. Nothing is sent, and no key is needed.

    Tokens as in `estimate_tokens`. Prices in US dollars for a million tokens (`PRICES`), announced on 25 January 2024 at
    https://openai.com/index/new-embedding-models-and-api-updates/ ; look up today's, and those of another service, before
    you spend much:

    ==========================  =====
    ``text-embedding-3-small``   0.02
    ``text-embedding-3-large``   0.13
    ``text-embedding-ada-002``   0.10
    ==========================  =====
    """
    texts = [texts] if isinstance(texts, str) else check_texts(texts, "texts")
    tokens = sum(map(estimate_tokens, texts))
    price = PRICES.get(model)
    return CostEstimate(len(texts), tokens, None if price is None else tokens * price / 1e6)


class OpenAIModel:
    """An embedding model behind an OpenAI-compatible address.

    Parameters
    ----------
    name
        As the service calls it.
    dimensions
        Ask for shorter vectors (the text-embedding-3 models and some others can); None for the model's own length.
    base_url
        Address of the service, usually ending in ``/v1``. None: ``OPENAI_BASE_URL``, or OpenAI itself.
    api_key
        None: ``OPENAI_API_KEY``. It is never shown, neither in an error nor in the model's representation.
    timeout
        Seconds to wait for one answer.
    max_retries
        How often a request is sent again after a time-out, a lost connection, "too many requests" or a failure of the
        server. The official client waits as long as the server asks (``Retry-After``, up to two minutes), otherwise for
        0.5 seconds, then twice as long each time, up to 8.

    Attributes
    ----------
    name, dimensions, address : as given or found
    tokens_used : tokens that the service has reported for this object's requests so far; what the bill will say
    cache_key : which vectors these are, for `helpers.encoding`

    Raises
    ------
    RemoteModelError
        When there is no key, or the package ``openai`` is not installed.
    ValueError
        When a setting is out of range.
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
        if not isinstance(name, str) or not name.strip():
            raise ValueError(
                f"name={name!r}: give the model's name, such as 'text-embedding-3-small'"
            )
        if dimensions is not None and (
            isinstance(dimensions, bool) or not isinstance(dimensions, int) or dimensions < 1
        ):
            raise ValueError(
                f"dimensions={dimensions!r}: give a whole number from 1 up, or None for the model's own"
            )
        if (
            isinstance(timeout, bool)
            or not isinstance(timeout, int | float)
            or not 0 < timeout < math.inf
        ):
            raise ValueError(f"timeout={timeout!r}: give seconds, more than 0")
        if isinstance(max_retries, bool) or not isinstance(max_retries, int) or max_retries < 0:
            raise ValueError(f"max_retries={max_retries!r}: give a whole number from 0 up")
        self.name, self.dimensions = name, dimensions
        self.timeout, self.max_retries = timeout, max_retries
        self.tokens_used = 0
        self._key = (api_key or os.environ.get(KEY_VARIABLE) or "").strip()
        self._kept: dict[str, np.ndarray] = {}  # finished vectors of a call that did not finish
        self._client = self._connect(base_url)
        self.address = _without_secrets(str(self._client.base_url))
        self.cache_key = f"{self.address} {name} {dimensions or 'all dimensions'}"

    def __repr__(self) -> str:
        shorter = "" if self.dimensions is None else f", dimensions={self.dimensions}"
        return f"OpenAIModel({self.name!r}{shorter}, base_url={self.address!r})"

    def _connect(self, base_url: str | None) -> OpenAI:
        try:
            from openai import OpenAI
        except ImportError as error:
            raise RemoteModelError(
                f"{self.name} needs the package openai, which is not installed. In the course's folder: python -m "
                "pip install -e '.[api]'"
            ) from error
        if not self._key:
            raise RemoteModelError(
                f"There is no key for {self.name}: set the environment variable {KEY_VARIABLE} or give api_key=… "
                "(any word will do for a server that asks for none)."
            )
        return OpenAI(
            api_key=self._key,
            base_url=base_url or None,
            timeout=self.timeout,
            max_retries=self.max_retries,
        )

    def get_embedding_dimension(self) -> int | None:
        """Return how many numbers a vector has; None when that is not known before the first answer."""
        return self.dimensions or DIMENSIONS.get(self.name)

    def estimate_cost(self, texts: str | Iterable[str]) -> CostEstimate:
        """Estimate what encoding `texts` would cost, before any is sent. See the function `estimate_cost`."""
        return estimate_cost(texts, self.name)

    def encode(
        self,
        inputs: str | Iterable[str],
        *,
        batch_size: int = 32,
        show_progress_bar: bool | None = None,
        normalize_embeddings: bool = False,
    ) -> np.ndarray:
        """Return the vectors of texts, in their order; row i belongs to text i in whatever order the service answers.

        Parameters
        ----------
        inputs
            A text, or several.
        batch_size
            Texts in one request, at most 2,048. Long texts make smaller batches, so that a request stays within the
            service's limit of tokens.
        show_progress_bar
            True shows one.
        normalize_embeddings
            Bring each vector to norm 1 (OpenAI's have it already; other services' may not).

        Returns
        -------
        float32 array, shape (texts, dimension); (dimension,) for a single text; (0,) for none, as sentence-transformers
        has it

        Raises
        ------
        RemoteModelError
            For whatever goes wrong with the service. Finished vectors are in the error and in the model: call again with
            the same texts, and it goes on where it stopped.
        ValueError
            For an empty text, which services refuse, or a `batch_size` out of range. Nothing has been sent then.
        TypeError
            For anything that is no text.
        """
        single = isinstance(inputs, str)
        texts = [inputs] if single else check_texts(inputs, "inputs")
        if (
            isinstance(batch_size, bool)
            or not isinstance(batch_size, int | np.integer)
            or not 1 <= batch_size <= MOST_TEXTS
        ):
            raise ValueError(
                f"batch_size={batch_size!r}: give a whole number from 1 to {MOST_TEXTS:,}"
            )
        empty = [place for place, text in enumerate(texts) if not text]
        if empty:
            raise ValueError(
                f"inputs[{empty[0]}] is empty ({len(empty)} of {len(texts)} are), and services refuse empty texts. "
                "Leave it out"
            )
        if not texts:
            return np.empty(0, dtype=np.float32)
        vectors = self._vectors(texts, int(batch_size), bool(show_progress_bar))
        if normalize_embeddings:
            norms = np.linalg.norm(vectors, axis=1, keepdims=True)
            vectors = vectors / np.where(norms > 0, norms, 1)
        return vectors[0] if single else vectors

    def _vectors(self, texts: list[str], batch_size: int, show_progress: bool) -> np.ndarray:
        """Return the vectors of `texts` as the service gives them. On any failure, what is finished stays in `_kept`."""
        from tqdm.auto import tqdm

        missing = [text for text in dict.fromkeys(texts) if text not in self._kept]
        # In a notebook tqdm itself does not look at TQDM_DISABLE.
        silent = not show_progress or os.environ.get("TQDM_DISABLE", "0") not in ("", "0")
        with tqdm(total=len(missing), desc=self.name, unit="text", disable=silent) as bar:
            for batch in _batches(missing, batch_size):
                try:
                    found = self._ask(batch)
                except RemoteModelError as error:
                    raise self._with_finished(error, texts) from error.__cause__
                self._kept.update(zip(batch, found, strict=True))
                bar.update(len(batch))
        vectors = np.array([self._kept[text] for text in texts], dtype=np.float32)
        for text in texts:
            self._kept.pop(text, None)
        return vectors

    def _with_finished(self, error: RemoteModelError, texts: list[str]) -> RemoteModelError:
        """Return `error` with the vectors of the texts before the first unfinished one, and with a way to go on."""
        finished = []
        for text in texts:
            if text not in self._kept:
                break
            finished.append(self._kept[text])
        kept = sum(text in self._kept for text in texts)
        advice = (
            f" {kept} of {len(texts)} vectors are finished and kept: encode the same texts again with this model, "
            "and it goes on there."
            if kept
            else ""
        )
        return RemoteModelError(
            f"{error}{advice}", vectors=np.array(finished, dtype=np.float32) if finished else None
        )

    def _ask(self, batch: list[str]) -> np.ndarray:
        """Send one request and return its vectors in the order of `batch`."""
        import openai

        # Floats, not base64 (the client's default): longer, but every compatible server can.
        options: dict[str, Any] = {"encoding_format": "float"}
        if self.dimensions is not None:
            options["dimensions"] = self.dimensions
        try:
            response = self._client.embeddings.create(model=self.name, input=batch, **options)
        except openai.OpenAIError as error:
            raise RemoteModelError(self._explain(error)) from error
        except (
            ValueError,
            TypeError,
            AttributeError,
        ) as error:  # a body that is no JSON, or JSON of quite another shape
            raise RemoteModelError(
                f"{self.address} gave an answer that cannot be read ({_short(error)}). Is it an OpenAI-compatible address?"
            ) from error
        vectors = self._read(response, len(batch))
        used = getattr(getattr(response, "usage", None), "total_tokens", None)
        self.tokens_used += used if isinstance(used, int) else 0
        return vectors

    def _read(self, response: Any, expected: int) -> np.ndarray:
        """Return the vectors in `response`, ordered by its index field, or say what is wrong with it."""
        items = getattr(response, "data", None)
        if not isinstance(items, list):
            raise RemoteModelError(
                f"{self.address} gave an answer without a list of vectors. Is it an OpenAI-compatible address for "
                "embeddings?"
            )
        if len(items) != expected:
            raise RemoteModelError(
                f"{self.address} gave {len(items)} vectors for {expected} texts; none of them was used. Try again, "
                "or with a smaller batch_size."
            )
        indices = [getattr(item, "index", None) for item in items]
        if any(not isinstance(index, int) for index in indices) or sorted(indices) != list(
            range(expected)
        ):
            raise RemoteModelError(
                f"{self.address} gave indices {indices[:5]}… for {expected} texts: it cannot be told which vector "
                "belongs to which text. With batch_size=1 it can."
            )
        try:
            vectors = np.array(
                [
                    item.embedding
                    for _, item in sorted(
                        zip(indices, items, strict=True), key=lambda pair: pair[0]
                    )
                ],
                dtype=np.float32,
            )
        except (TypeError, ValueError, AttributeError) as error:
            raise RemoteModelError(
                f"{self.address} gave vectors that are not lists of numbers of one length ({_short(error)})."
            ) from error
        if vectors.ndim != 2 or not vectors.shape[1] or not np.isfinite(vectors).all():
            raise RemoteModelError(
                f"{self.address} gave vectors of shape {vectors.shape}, or with entries that are not finite numbers; "
                "they were not used."
            )
        known = next((len(vector) for vector in self._kept.values()), None)
        for wanted, source in (
            (self.dimensions, "were asked for"),
            (known, "had the vectors before"),
        ):
            if wanted is not None and vectors.shape[1] != wanted:
                raise RemoteModelError(
                    f"{self.address} gave vectors with {vectors.shape[1]} dimensions; {wanted} {source}. They were not used."
                )
        return vectors

    def _explain(self, error: Exception) -> str:
        """Return in a sentence or two what `error` means and what to do. The key does not appear in it."""
        import openai

        where = f"{self.name} at {self.address}"
        tries = f"{self.max_retries + 1} time{'s' if self.max_retries else ''}"
        said = self._censored(_short(error))
        status = getattr(error, "status_code", None)
        if isinstance(error, openai.APITimeoutError):
            return (
                f"{where} did not answer within {self.timeout:g} seconds (asked {tries}). Try later, with a longer "
                "timeout, or with a smaller batch_size."
            )
        if isinstance(error, openai.APIConnectionError):
            cause = self._censored(_short(error.__cause__ or error))
            return (
                f"{where} cannot be reached, or broke off its answer ({cause}; asked {tries}). Check the network and "
                "base_url."
            )
        if isinstance(error, openai.RateLimitError):
            return (
                f"{where} says that there were too many requests, or that the quota is used up (429; asked {tries}): "
                f"{said}. Wait, or look at your account."
            )
        if status in (401, 403):
            return f"{where} refused the key ({status}): {said}. Check {KEY_VARIABLE} or api_key."
        if status == 404:
            return f"There is no {where} (404): {said}. Check the model's name, and base_url, which usually ends in /v1."
        if status is not None and status >= 500:
            return f"{where} failed ({status}; asked {tries}): {said}. Try later."
        if status is not None:
            return (
                f"{where} did not accept the request ({status}): {said}. Check dimensions, and whether a text is longer "
                "than the model reads."
            )
        return f"{where}: {said}."

    def _censored(self, message: str) -> str:
        return message.replace(self._key, "[key]")


def _batches(texts: list[str], batch_size: int) -> Iterator[list[str]]:
    """Yield `texts` in order, at most `batch_size` and about `MOST_TOKENS` at a time, but at least one."""
    batch: list[str] = []
    tokens = 0
    for text in texts:
        more = estimate_tokens(text)
        if batch and (len(batch) == batch_size or tokens + more > MOST_TOKENS):
            yield batch
            batch, tokens = [], 0
        batch.append(text)
        tokens += more
    if batch:
        yield batch


def _without_secrets(url: str) -> str:
    """Return `url` without user name, password, query and the slash at the end."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}{parts.path}".rstrip(
        "/"
    )


def _short(error: BaseException) -> str:
    """Return what `error` says, in one line of at most 200 characters."""
    body = getattr(error, "body", None)
    said = (
        body.get("message")
        if isinstance(body, dict) and isinstance(body.get("message"), str)
        else str(error)
    )
    line = " ".join(said.split()).rstrip(".") or type(error).__name__
    return line if len(line) <= 200 else line[:199] + "…"


def _round_to_two(number: float) -> float | int:
    """Return `number` rounded to two significant digits."""
    if not number:
        return 0
    rounded = round(number, 1 - math.floor(math.log10(abs(number))))
    return int(rounded) if isinstance(number, int) else rounded
