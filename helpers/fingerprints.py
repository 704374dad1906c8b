"""Who a model is: a fingerprint that two models share only if they give the same vectors.

A name would not do: a model that was fine-tuned keeps its name, and a revision can be moved.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import json
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.cache import file_sha256

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

#: What turns a text into tokens and tokens into vectors. Another release may do it differently.
_ENCODERS = ("sentence-transformers", "transformers", "tokenizers")
#: In a model's configuration: where it lay, and who wrote it.
_NO_MATTER = ("_name_or_path", "transformers_version")
_MODEL_FILES = (".safetensors", ".bin", ".json", ".txt", ".model")
#: Loaded models, each with what a glance showed and the fingerprint. An entry goes with its model.
_KNOWN: weakref.WeakKeyDictionary[Any, tuple[tuple, str]] = weakref.WeakKeyDictionary()


def model_fingerprint(model: SentenceTransformer) -> str:
    """Return who `model` is, in 64 hexadecimal digits: the SHA-256 of the weights, read at every
    call, and of all settings that change a vector: modules and their configuration, tokenizer,
    ``max_seq_length``, prompts, ``truncate_dim``, and the libraries' versions.

    Any other object, such as a client of an embedding service, says who it is in an attribute
    ``cache_key``: a string with the service's address, the model's name, its revision and whatever
    else changes its vectors. Raises TypeError when the model is neither.
    """
    stated = getattr(model, "cache_key", None)
    if isinstance(stated, str) and stated:
        return hashlib.sha256(f"stated:{stated}".encode()).hexdigest()
    if not hasattr(model, "state_dict") or not hasattr(model, "modules"):
        raise TypeError(
            f"a {type(model).__name__} does not tell which vectors it gives. Set its attribute "
            "cache_key to a string that does (address, model, revision), or call encode with "
            "cache=False"
        )
    fingerprint = _of_weights(model)
    _KNOWN[model] = (_glance(model), fingerprint)
    return fingerprint


def known_fingerprint(model: SentenceTransformer) -> str:
    """Return `model_fingerprint`, from memory if `model` looks as it did: a thousandth of the time.

    Seen are other settings, another tokenizer, what torch knows of changed weights, and behind its
    back (``.data``, NumPy) every change of a row, a column or a whole tensor; not of one number.
    """
    known = _KNOWN.get(model) if hasattr(model, "state_dict") else None
    if known is not None and not getattr(model, "cache_key", None) and known[0] == _glance(model):
        return known[1]
    return model_fingerprint(model)


def folder_fingerprint(folder: Path) -> str:
    """Return the SHA-256 of a model's files and of the versions that read them, without loading
    it. Files that lie there unchanged are not read again (see `helpers.cache.file_sha256`).
    """
    from helpers.models import CUT_WORDS  # what loading adds to the files

    digest = hashlib.sha256(json.dumps([_versions(), CUT_WORDS]).encode())
    for path in sorted(folder.rglob("*")):
        if path.suffix in _MODEL_FILES and path.is_file():
            digest.update(f"{path.relative_to(folder).as_posix()} {file_sha256(path)}\n".encode())
    return digest.hexdigest()


def _glance(model) -> tuple:
    """Return what can be seen of `model` in a millisecond or two."""
    modules, settings, samples = [], [], []
    for name, module in model.named_modules():
        modules.append((name, type(module)))
        if hasattr(type(module), "get_config_dict"):
            settings.append(repr(module.get_config_dict()))
            settings.append(repr(getattr(getattr(module, "config", None), "__dict__", None)))
        for tensor in (*module._parameters.values(), *module._buffers.values()):
            if tensor is not None:
                samples.append(_sample(tensor))
    return modules, settings, _options(model), _rules(model), samples


def _options(model) -> dict[str, Any]:
    names = ("max_seq_length", "prompts", "default_prompt_name", "truncate_dim")
    options = {name: getattr(model, name, None) for name in names}
    tokenizer = getattr(model, "tokenizer", None)
    if tokenizer is not None and hasattr(tokenizer, "__len__"):
        names = ("model_max_length", "truncation_side", "padding_side")
        rest = [getattr(tokenizer, name, None) for name in names]
        options["tokenizer"] = [type(tokenizer).__name__, len(tokenizer), *rest]
    return json.loads(json.dumps({"versions": _versions()} | options, default=str))


def _rules(model) -> tuple:
    """Return the tokenizer's parts, and some five hundred of its words."""
    tokenizer = getattr(model, "tokenizer", None)
    rules = getattr(tokenizer, "backend_tokenizer", None)
    if rules is None:
        return (id(tokenizer),)
    steps = (rules.normalizer, rules.pre_tokenizer, rules.post_processor)
    states = [step.__getstate__() if step is not None else None for step in steps]
    size = rules.get_vocab_size()
    words = [rules.id_to_token(number) for number in range(0, size, max(1, size // 500))]
    return id(tokenizer), states, words


def _sample(tensor) -> tuple:
    """Return where `tensor` lies, how often torch knows it was changed, and a checksum of some of
    its numbers. The step is one less than a row is long: it meets every row and every column.
    """
    numbers = tensor.int_repr() if tensor.is_quantized else tensor.detach()
    step = max(1, tensor.shape[-1] - 1) if tensor.ndim > 1 else 1
    sample = numbers.reshape(-1)[::step].cpu().float().numpy().tobytes()
    changes = 0 if tensor.is_inference() else tensor._version
    return tensor.shape, tensor.dtype, tensor.data_ptr(), changes, hash(sample)


def _of_weights(model) -> str:
    import io

    import torch

    digest = hashlib.sha256(json.dumps(_settings(model), sort_keys=True, default=str).encode())
    tokenizer = getattr(model, "tokenizer", None)
    if hasattr(tokenizer, "backend_tokenizer"):
        rules = json.loads(tokenizer.backend_tokenizer.to_str())
        del rules["truncation"], rules["padding"]  # left over from the last call
        digest.update(json.dumps(rules, sort_keys=True).encode())
    elif hasattr(tokenizer, "get_vocab"):
        digest.update(json.dumps(tokenizer.get_vocab(), sort_keys=True).encode())
    for name, value in sorted(model.state_dict().items()):
        tensor = isinstance(value, torch.Tensor)
        kind = f"{value.dtype} {tuple(value.shape)}" if tensor else type(value).__name__
        digest.update(f"{name} {kind}\n".encode())
        if tensor and value.layout == torch.strided and not value.is_quantized:
            digest.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
        else:
            buffer = io.BytesIO()
            torch.save(value, buffer)
            digest.update(buffer.getvalue())
    return digest.hexdigest()


def _settings(model) -> dict[str, Any]:
    """Return all that is configured in `model`."""
    settings = _options(model)
    modules, configs = [], {}
    for name, module in model.named_modules():
        modules.append([name, type(module).__module__, type(module).__qualname__])
        if hasattr(module, "get_config_dict"):
            modules[-1].append(module.get_config_dict())
        if hasattr(getattr(module, "config", None), "to_diff_dict"):
            configs.setdefault(id(module.config), (name, module.config))  # its layers share it
    settings["modules"] = modules
    for name, config in configs.values():
        values = config.to_dict()
        settings[f"config {name}"] = {key: values[key] for key in values if key not in _NO_MATTER}
    return settings


@functools.cache
def _versions() -> list[str]:
    return [f"{name} {importlib.metadata.version(name)}" for name in _ENCODERS]
