"""Texts to vectors in batches of alike lengths, through the model's own modules.

`helpers.encoding.encode` keeps what comes out of here; use that.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Kind = Literal["query", "document"] | None

#: Padded tokens that a model reads at once. On a processor for each thread: what it works on then
#: stays near it, and half or twice as many make little difference. A graphics card wants more.
TOKENS_PER_THREAD = 512
TOKENS_ON_GPU = 32_768
#: Texts that are turned into tokens at once, and sorted.
TEXTS_AT_ONCE = 1_024
#: Under which names models keep the prompt for each kind of text; the first that is there counts.
PROMPT_NAMES = {"query": ("query",), "document": ("document", "passage", "corpus")}


def encode_batches(
    model: SentenceTransformer,
    texts: Sequence[str],
    *,
    kind: Kind = None,
    prompt: str | None = None,
    normalize: bool = True,
    batch_size: int | None = None,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Encode `texts` with a loaded model, and yield the vectors as they come: batch by batch the
    places in `texts`, shape (batch,), and the vectors, shape (batch, dimension), float32.

    Texts are turned into tokens once and sorted by how many they have. A batch takes as many as
    make up a certain number of tokens with their padding: many short texts or a few long ones.
    The model's own modules do the work, so that the vectors are those of ``model.encode``, up to
    rounding. A model that is not as it seems (it has no tokenizer, an ``encode`` of its own, or
    gives other vectors this way, which is tried first) is asked by its ``encode``.

    The rest as for `helpers.encoding.encode`. Raises ValueError when vectors have the wrong shape
    or are not finite.
    """
    settings = {"kind": kind, "prompt": prompt, "normalize": normalize}
    if batch_size is None and _gives_the_same(model, kind, prompt):
        batches = _by_tokens(model, texts, **settings)
    else:
        batches = _by_library(model, texts, batch_size=batch_size or 32, **settings)
    for rows, vectors in batches:
        vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        if vectors.ndim != 2 or len(vectors) != len(rows) or vectors.shape[1] == 0:
            expected = f"(texts, dimension) was expected for {len(rows)} texts"
            raise ValueError(f"the model gave an array of shape {vectors.shape}; {expected}")
        wrong = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
        if len(wrong):
            what = f"the model gave NaN or infinity for {texts[rows[wrong[0]]][:40]!r}"
            raise ValueError(f"{what}: it is not finite, and cannot be compared")
        yield rows, vectors


def _by_library(model, texts, *, kind, prompt, normalize, batch_size):
    """Encode with the model's own ``encode``, a few batches at a time, the longest texts first."""
    step = 2 * batch_size
    order = np.arange(len(texts))
    if len(texts) > step:
        order = np.argsort([-len(text) for text in texts], kind="stable")
    function = getattr(model, f"encode_{kind}", None) or model.encode
    settings = {} if prompt is None else {"prompt": prompt}
    settings |= {"batch_size": batch_size, "show_progress_bar": False}
    for start in range(0, len(texts), step):
        rows = order[start : start + step]
        part = [texts[row] for row in rows]
        yield rows, function(part, normalize_embeddings=normalize, **settings)


def _by_tokens(model, texts, *, kind, prompt, normalize, budget=None):
    """Encode batch by batch, each of at most `budget` tokens, or of one text."""
    import torch

    task = {} if kind is None else {"task": kind}
    if prompt is None:
        prompt = prompts(model)[kind or "default"]
    if budget is None:
        on_cpu = model.device.type == "cpu"
        budget = TOKENS_PER_THREAD * torch.get_num_threads() if on_cpu else TOKENS_ON_GPU
    model.eval()
    for first in range(0, len(texts), TEXTS_AT_ONCE):
        part = list(texts[first : first + TEXTS_AT_ONCE])
        features = dict(model.preprocess(part, prompt=prompt, **task))
        counts = features["attention_mask"].sum(dim=1).numpy()
        order = np.argsort(-counts, kind="stable")
        batches, start = [], 0
        while start < len(order):
            size = max(1, budget // max(1, int(counts[order[start]])))
            batches.append(order[start : start + size])
            start += size
        # Long and short ones by turns: what is done says when the rest will be.
        for rows in (batches[i] for i in np.random.default_rng(0).permutation(len(batches))):
            batch = _rows(features, torch.from_numpy(rows))
            yield first + rows, _forward(model, batch, task, normalize)


def _rows(features: dict, rows) -> dict:
    """Return the features of some texts, without the columns that are padding for all of them."""
    mask = features["attention_mask"]
    used = mask[rows].any(dim=0).nonzero()
    columns = slice(int(used[0]), int(used[-1]) + 1) if len(used) else slice(0, 1)
    return {
        name: value[rows][:, columns] if hasattr(value, "shape") else value
        for name, value in features.items()
    }


def _forward(model, features: dict, task: dict, normalize: bool) -> np.ndarray:
    import torch

    for name, value in features.items():
        if isinstance(value, torch.Tensor):
            features[name] = value.to(model.device)
    with torch.inference_mode():
        vectors = model(features, **task)["sentence_embedding"]
        if model.truncate_dim is not None:
            vectors = vectors[:, : model.truncate_dim]
        if normalize:
            vectors = torch.nn.functional.normalize(vectors, p=2, dim=1)
    return vectors.float().cpu().numpy()


#: What `_gives_the_same` found, while the model has the same modules.
_TRIED: weakref.WeakKeyDictionary[Any, dict[tuple, bool]] = weakref.WeakKeyDictionary()
_TRIAL = ["A gull.", "The ferry to the island is LATE, because of the storm (12° C)."]


def _gives_the_same(model, kind, prompt) -> bool:
    """Tell whether `_by_tokens` gives the vectors of the model's own ``encode``."""
    library = getattr(sys.modules.get("sentence_transformers"), "SentenceTransformer", None)
    if library is None or not isinstance(model, library):
        return False
    if type(model).encode is not library.encode or "encode" in vars(model):
        return False
    tried = _TRIED.setdefault(model, {})
    key = (kind, bool(prompt), *map(id, model.children()))
    if key not in tried:
        settings = {"kind": kind, "prompt": prompt, "normalize": False}
        ((_, theirs),) = _by_library(model, _TRIAL, batch_size=32, **settings)
        scale = np.abs(theirs).max()
        # The library pads the short text, we do not: a model that looks at padding is found out.
        tolerance = 1e-4 if str(model.dtype) == "torch.float32" else 0.05
        try:
            for rows, ours in _by_tokens(model, _TRIAL, budget=1, **settings):
                theirs[rows] -= ours
            tried[key] = bool(np.abs(theirs).max() <= tolerance * scale)
        except Exception:  # whatever it is, the model's own encode can do without it
            tried[key] = False
    return tried[key]


# --- queries and documents


def prompts(model) -> dict[str, str | None]:
    """Return what `model` puts before a text by ``"default"``, before a ``"query"`` and before a
    ``"document"``; None: it does not say.
    """
    own = getattr(model, "prompts", None)
    if not isinstance(own, Mapping):
        return dict.fromkeys(("default", *PROMPT_NAMES))
    default = own.get(getattr(model, "default_prompt_name", None)) or ""
    found = {"default": default}
    for kind, names in PROMPT_NAMES.items():
        found[kind] = next((own[name] or "" for name in names if name in own), default)
    return found


def has_sides(model) -> bool:
    """Tell whether `model` treats queries and documents differently beyond the prompt."""
    if not hasattr(model, "encode_query") and not hasattr(model, "encode_document"):
        return False
    if not hasattr(model, "modules"):
        return True  # it may, so its vectors are kept apart
    lengths = ("query_length", "document_length", "query_expansion")
    told = (getattr(model, "module_kwargs", None) or {}).values()
    return (
        "message" in getattr(model, "modalities", ())  # a chat template may speak of the task
        or any("task" in names for names in told)
        or any("task" in getattr(module, "forward_kwargs", ()) for module in model.modules())
        or any(getattr(module, name, None) for module in model.children() for name in lengths)
    )
