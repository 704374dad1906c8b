"""The API model, against a server on loopback that answers with MiniLM's own vectors or goes wrong in a chosen way."""

import base64
import json
import random
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from helpers.encoding import encode
from helpers.models import ModelError
from helpers.remote import OpenAIModel, RemoteModelError, estimate_cost
from helpers.search import SemanticSearch

KEY = "sk-test-0123456789-not-a-real-key"
TEXTS = [f"Text number {number} about ferry {number * 7 % 13}." for number in range(10)]


def vector(text, dimension=8):
    """Return a vector that belongs to `text` alone, of any norm but 1."""
    return np.random.default_rng(list(text.encode())).normal(size=dimension) * 3


class Server(ThreadingHTTPServer):
    """Answers as an embedding service. `script` holds what to do with the next requests; when it is empty, all goes well."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.script, self.requests, self.release = [], [], threading.Event()
        self.encode = lambda texts: [vector(text) for text in texts]
        self.url = f"http://127.0.0.1:{self.server_port}/v1"

    @property
    def batches(self):
        return [request["input"] for request in self.requests]


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body |= {
            "path": self.path,
            "authorization": self.headers["Authorization"],
            "time": time.monotonic(),
        }
        self.server.requests.append(body)
        (self.server.script.pop(0) if self.server.script else well)(self, body)

    def send(self, payload, status=200, **headers):
        payload = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self.send_response(status)
        for name, value in (
            {"Content-Type": "application/json", "Content-Length": len(payload)} | headers
        ).items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *_):
        pass


def answer(vectors, indices=None, tokens=5):
    indices = range(len(vectors)) if indices is None else indices
    data = [
        {"object": "embedding", "index": index, "embedding": np.asarray(v).tolist()}
        for index, v in zip(indices, vectors, strict=True)
    ]
    random.Random(3).shuffle(data)
    return {
        "object": "list",
        "data": data,
        "model": "m",
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def well(handler, body):
    handler.send(answer(handler.server.encode(body["input"])))


def fails(status, message="no", **headers):
    return lambda handler, body: handler.send({"error": {"message": message}}, status, **headers)


def says(make):
    return lambda handler, body: handler.send(make(handler.server.encode(body["input"])))


def hangs(handler, body):
    handler.server.release.wait(30)
    handler.close_connection = True


def breaks_off(handler, body):
    handler.send(b'{"object": "list", "data": [', Content_Length=5000)
    handler.close_connection = True


@pytest.fixture
def server(monkeypatch):
    for name in (
        "OPENAI_API_KEY",
        "OPENAI_BASE_URL",
        "HTTP_PROXY",
        "http_proxy",
        "ALL_PROXY",
        "all_proxy",
    ):
        monkeypatch.delenv(name, raising=False)
    running = Server()
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield running
    running.release.set()
    running.shutdown()
    running.server_close()
    thread.join()


@pytest.fixture
def model(server):
    return OpenAIModel("small", base_url=server.url, api_key=KEY, max_retries=0)


def patient(server, **settings):
    return OpenAIModel("small", base_url=server.url, api_key=KEY, **settings)


# --- encode -------------------------------------------------------------------------------------------------------------


def test_one_text_and_many_have_the_shapes_of_sentence_transformers(model):
    assert model.encode(TEXTS[0]).shape == (8,)
    assert model.encode(TEXTS).shape == (10, 8)
    assert model.encode([TEXTS[0]]).shape == (1, 8)
    assert model.encode([]).shape == (0,)
    assert model.encode(TEXTS).dtype == model.encode([]).dtype == np.float32


@pytest.mark.parametrize("batch_size", [1, 3, 10, 32])
def test_order_is_kept_whatever_order_the_service_answers_in(server, model, batch_size):
    found = model.encode(TEXTS, batch_size=batch_size)
    np.testing.assert_allclose(found, [vector(text) for text in TEXTS], rtol=1e-6)
    assert [text for batch in server.batches for text in batch] == TEXTS
    assert all(len(batch) == batch_size for batch in server.batches[:-1])
    assert len(server.batches) == -(-len(TEXTS) // batch_size)


def test_normalisation_is_done_when_asked_for_and_a_zero_vector_stays_zero(server, model):
    raw = model.encode(TEXTS)
    assert np.abs(np.linalg.norm(raw, axis=1) - 1).min() > 0.1
    unit = model.encode(TEXTS, normalize_embeddings=True)
    np.testing.assert_allclose(unit, raw / np.linalg.norm(raw, axis=1, keepdims=True), rtol=1e-5)
    assert unit.dtype == np.float32
    server.encode = lambda texts: [np.zeros(8) for _ in texts]
    assert not model.encode(["nothing"], normalize_embeddings=True).any()


def test_any_iterable_of_texts_will_do(model):
    np.testing.assert_array_equal(model.encode(text for text in TEXTS), model.encode(tuple(TEXTS)))


def test_dimensions_are_asked_for_only_when_given(server, model):
    model.encode("a")
    assert "dimensions" not in server.requests[-1]
    assert server.requests[-1]["model"] == "small"
    assert server.requests[-1]["path"] == "/v1/embeddings"
    assert server.requests[-1]["authorization"] == f"Bearer {KEY}"
    assert patient(server, dimensions=8).encode("a").shape == (8,)
    assert server.requests[-1]["dimensions"] == 8


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"inputs": ["a", ""]}, ValueError, "inputs[1] is empty"),
        ({"inputs": ""}, ValueError, "inputs[0] is empty"),
        ({"inputs": ["a", 3]}, TypeError, "inputs[1] is a int"),
        ({"inputs": None}, TypeError, "NoneType"),
        ({"inputs": {"a": 1}}, TypeError, "inputs is a dict"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_sent(
    server, model, arguments, error, words
):
    with pytest.raises(error, match=r".") as caught:
        model.encode(**arguments)
    assert words in str(caught.value)
    assert not server.requests


# --- the real thing -------------------------------------------------------------------------------------------------------


def test_search_results_equal_those_of_minilm_itself(server, minilm, articles):
    texts = [article.text[:200] for article in articles[:24]]
    questions = ["When does the ferry sail?", "who makes bread here", "a seal on the quay"]
    table = dict(zip(texts + questions, minilm.encode(texts + questions), strict=True))
    server.encode = lambda asked: [table[text] for text in asked]
    far, near = SemanticSearch(patient(server)), SemanticSearch(minilm)
    for engine in (far, near):
        engine.index(texts)
    assert far.vectors.shape == (24, 384)
    for ours, theirs in zip(
        far.search(questions, top_k=10), near.search(questions, top_k=10), strict=True
    ):
        assert [result.index for result in ours] == [result.index for result in theirs]
        np.testing.assert_allclose([r.score for r in ours], [r.score for r in theirs], atol=1e-5)


def test_an_evaluation_accepts_the_model(server, minilm):
    from helpers.data import load_pairs
    from helpers.evaluation import evaluate_pairs

    pairs = load_pairs()[::10]
    sides = [text for pair in pairs for text in (pair.first, pair.second)]
    table = dict(zip(sides, minilm.encode(sides), strict=True))
    server.encode = lambda asked: [table[text] for text in asked]
    ours, theirs = evaluate_pairs(patient(server), pairs), evaluate_pairs(minilm, pairs)
    assert ours.spearman == pytest.approx(theirs.spearman, abs=1e-6)


# --- the service's failures -------------------------------------------------------------------------------------------------


def test_a_refused_key_is_said_so_and_never_shown(server, model):
    server.script = [fails(401, f"Incorrect API key provided: {KEY}")]
    with pytest.raises(RemoteModelError, match="Check OPENAI_API_KEY or api_key") as caught:
        model.encode(TEXTS)
    assert "Incorrect API key provided: [key]" in str(caught.value)
    assert len(server.requests) == 1
    assert KEY not in str(caught.value)
    assert KEY not in repr(model) + model.cache_key
    import traceback

    assert KEY not in "".join(traceback.format_exception(caught.value))


def test_retry_after_is_honoured(server):
    server.script = [fails(429, Retry_After=0.3), fails(429, retry_after_ms=200)]
    assert patient(server).encode(TEXTS).shape == (10, 8)
    first, second, third = (request["time"] for request in server.requests)
    # Without the header the client waits 0.375 seconds or more the first time, 0.75 or more the second.
    assert second - first >= 0.29
    assert third - second >= 0.19


def test_retry_after_and_not_the_clients_own_delay_decides(server, monkeypatch):
    waits = []
    monkeypatch.setattr("openai._base_client.time.sleep", waits.append)
    server.script = [fails(429, Retry_After=17), fails(429, Retry_After=90)]
    patient(server).encode(TEXTS)
    assert waits == [17, 90]


def test_too_many_requests_for_too_long_is_a_clear_error(server, monkeypatch):
    monkeypatch.setattr("openai._base_client.time.sleep", lambda seconds: None)
    server.script = [fails(429, "quota exceeded")] * 3
    with pytest.raises(
        RemoteModelError, match=r"429, after 2 retries at most\): quota exceeded. Too many"
    ):
        patient(server, max_retries=2).encode(TEXTS)
    assert len(server.requests) == 3


def test_a_server_error_and_then_success_is_success(server, monkeypatch):
    monkeypatch.setattr("openai._base_client.time.sleep", lambda seconds: None)
    server.script = [fails(500), fails(503)]
    np.testing.assert_allclose(
        patient(server).encode(TEXTS), [vector(text) for text in TEXTS], rtol=1e-6
    )
    assert len(server.requests) == 3


def test_a_time_out_is_a_clear_error(server):
    server.script = [hangs]
    with pytest.raises(RemoteModelError, match=r"no answer, after 0 retries.*a longer timeout"):
        patient(server, timeout=0.2, max_retries=0).encode(TEXTS)


def test_the_client_waits_no_longer_than_it_was_told(server):
    assert patient(server, timeout=2.5)._client.timeout == 2.5


def test_a_time_out_and_then_success_is_success(server, monkeypatch):
    monkeypatch.setattr("openai._base_client.time.sleep", lambda seconds: None)
    server.script = [hangs]
    assert patient(server, timeout=1, max_retries=5).encode("a").shape == (8,)


def test_nobody_there_is_a_clear_error(server):
    model = patient(server, max_retries=0)
    server.shutdown()
    server.server_close()
    with pytest.raises(RemoteModelError, match=r"no answer.*base_url"):
        model.encode("a")


READ, SHAPE = "cannot be read", "was expected"
BROKEN = {
    "half an object": (lambda h, b: h.send(b'{"object": "list", "data": ['), READ),
    "not JSON": (lambda h, b: h.send(b"<html>The hotel's wireless network</html>"), READ),
    "a page": (lambda h, b: h.send(b"<html>Welcome</html>", Content_Type="text/html"), READ),
    "nothing": (lambda h, b: h.send(b""), READ),
    "null": (lambda h, b: h.send(b"null"), READ),
    "a list": (lambda h, b: h.send([1, 2]), READ),
    "no data": (lambda h, b: h.send({"object": "list"}), f"{READ}|No embedding data"),
    "data of strings": (lambda h, b: h.send({"data": ["x"] * 10}), READ),
    "broken off": (breaks_off, "no answer"),
    "too few": (says(lambda v: answer(v[:-1])), SHAPE),
    "too many": (says(lambda v: answer(v + v[:1])), SHAPE),
    "none": (says(lambda v: answer([])), f"{SHAPE}|No embedding data"),
    "one index": (says(lambda v: answer(v, indices=[0] * 10)), SHAPE),
    "indices from 1": (says(lambda v: answer(v, indices=range(1, 11))), SHAPE),
    "no index": (says(lambda v: answer(v, indices=[None] * 10)), READ),
    "ragged": (says(lambda v: answer([*v[:-1], v[-1][:5]])), READ),
    "words": (says(lambda v: answer([["a", "b"]] * 10)), READ),
    "base64": (says(lambda v: answer_base64(v)), READ),
    "empty vectors": (says(lambda v: answer([[]] * 10)), SHAPE),
    "not finite": (says(lambda v: answer([*v[:-1], [float("nan")] * 8])), SHAPE),
}


def answer_base64(vectors):
    body = answer(vectors)
    for item in body["data"]:
        item["embedding"] = base64.b64encode(
            np.array(item["embedding"], dtype=np.float32).tobytes()
        ).decode()
    return body


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_answer_is_a_clear_error_and_is_not_used(server, model, case):
    bad, words = BROKEN[case]
    server.script = [bad]
    with pytest.raises(RemoteModelError, match=words):
        model.encode(TEXTS)
    np.testing.assert_allclose(model.encode(TEXTS), [vector(text) for text in TEXTS], rtol=1e-6)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "a text is longer than the model reads"),
        (403, "Check OPENAI_API_KEY"),
        (404, "base_url, which usually ends in /v1"),
        (500, "failed: try later"),
    ],
)
def test_other_refusals_are_clear(server, model, status, words):
    server.script = [fails(status, "because of the weather")]
    with pytest.raises(RemoteModelError, match=f"(?s){words}") as caught:
        model.encode(TEXTS)
    assert str(status) in str(caught.value)
    assert "because of the weather" in str(caught.value)
    assert isinstance(caught.value, ModelError)


def test_a_service_that_ignores_dimensions_is_found_out(server):
    with pytest.raises(RemoteModelError, match=r"shape \(10, 8\).*\(10, 4\)"):
        patient(server, dimensions=4, max_retries=0).encode(TEXTS)


def test_a_service_that_changes_its_dimension_is_found_out(server, model):
    server.script = [well, says(lambda v: answer([x[:5] for x in v]))]
    with pytest.raises(RemoteModelError, match=r"shape \(5, 5\).*\(5, 8\)"):
        model.encode(TEXTS, batch_size=5)


# --- work is kept -----------------------------------------------------------------------------------------------------------


def test_nothing_is_paid_twice(server, model, tmp_path):
    """A repeated text is sent once, and none that was encoded before."""
    found = encode(["a", "b", "a"], model, cache=tmp_path, normalize=False)
    np.testing.assert_allclose(found, [vector(text) for text in "aba"], rtol=1e-6)
    encode(["b", "c"], OpenAIModel("small", base_url=server.url, api_key="else"), cache=tmp_path)
    assert sorted(text for batch in server.batches for text in batch) == ["a", "b", "b", "c"], (
        "b in norm 1 is another vector"
    )
    server.requests.clear()
    encode(["a", "b"], model, cache=tmp_path, normalize=False)
    assert not server.requests


def test_a_failure_keeps_what_is_done_and_the_next_call_goes_on(server, model, tmp_path):
    texts = [f"Text number {number}." for number in range(200)]
    server.script = [well, well, fails(500)]
    with pytest.raises(RemoteModelError, match="failed"):
        encode(texts, model, cache=tmp_path)
    paid = {text for batch in server.batches[:2] for text in batch}
    server.requests.clear()
    found = encode(texts, model, cache=tmp_path)
    sent = {text for batch in server.batches for text in batch}
    assert len(paid) >= 32
    assert not paid & sent
    expected = np.array([vector(text) for text in texts])
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


# --- settings ---------------------------------------------------------------------------------------------------------------


def test_key_and_address_come_from_the_environment(server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "from-the-environment")
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    model = OpenAIModel()
    assert (model.name, model.address) == ("text-embedding-3-small", server.url)
    model.encode("a")
    assert server.requests[-1]["authorization"] == "Bearer from-the-environment"
    assert server.requests[-1]["model"] == "text-embedding-3-small"
    OpenAIModel(api_key=KEY).encode("a")
    assert server.requests[-1]["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("key", [None, "", "  "])
def test_no_key_is_one_clear_sentence(server, monkeypatch, key):
    if key is not None:
        monkeypatch.setenv("OPENAI_API_KEY", key)
    with pytest.raises(
        RemoteModelError,
        match=r"^There is no key for small: set .* OPENAI_API_KEY or give api_key=",
    ) as caught:
        OpenAIModel("small", base_url=server.url)
    assert "\n" not in str(caught.value)
    assert str(caught.value).count(". ") == 0


def test_without_the_package_it_says_how_to_get_it(server, monkeypatch):
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(
        RemoteModelError, match=r"package openai, which is not installed.*\.\[api\]"
    ):
        patient(server)
    assert estimate_cost(["a"]).texts == 1


def test_importing_the_module_loads_no_client():
    code = "import sys, helpers.remote; print([m for m in ('openai', 'torch', 'httpx2', 'tqdm') if m in sys.modules])"
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.strip()
        == "[]"
    )


def test_a_secret_in_the_address_is_not_shown(server):
    model = OpenAIModel(
        "small", base_url=server.url.replace("//", "//user:secret@") + "?token=secret", api_key=KEY
    )
    assert model.address == server.url
    assert "secret" not in repr(model) + model.cache_key


def test_models_that_give_other_vectors_have_other_cache_keys(server):
    keys = {patient(server, dimensions=d).cache_key for d in (None, 4, 8)}
    keys.add(OpenAIModel("large", base_url=server.url, api_key=KEY).cache_key)
    keys.add(OpenAIModel("small", base_url="http://127.0.0.1:9/v1", api_key=KEY).cache_key)
    assert len(keys) == 5
    assert patient(server).cache_key == patient(server, timeout=3, max_retries=1).cache_key


# --- cost -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "tokens"),
    # What the tokenizer cl100k_base gives, as published in OpenAI's cookbook.
    [
        ("antidisestablishmentarianism", 6),
        ("2 + 2 = 4", 7),
        ("お誕生日おめでとう", 9),
        ("tiktoken is great!", 6),
    ],
)
def test_tokens_are_estimated_within_a_quarter(text, tokens):
    assert abs(estimate_cost([text]).tokens - tokens) <= tokens / 4


def test_the_estimate_is_zero_for_nothing_and_grows_with_the_text():
    assert estimate_cost([""]).tokens == estimate_cost([]).tokens == 0
    for character in ("a", "ß", "字", "🦭", "1", " ", "\n", "_"):
        counts = [estimate_cost([character * n]).tokens for n in (1, 10, 100)]
        assert 1 <= counts[0] <= counts[1] < counts[2]


def test_cost_is_tokens_times_price(server):
    texts = ["word " * 1000] * 50
    estimate = estimate_cost(texts, "text-embedding-3-large")
    assert (estimate.texts, estimate.tokens) == (50, 50 * estimate_cost(texts[:1]).tokens)
    assert estimate.dollars == pytest.approx(estimate.tokens * 0.13 / 1e6)
    assert (
        str(estimate) == "50 texts, about 62,000 tokens, about $0.0081 (price of 25 January 2024)"
    )
    assert not server.requests, "estimating sends nothing"
    with pytest.raises(TypeError, match="give a list of strings"):
        estimate_cost("one text")


def test_an_unknown_price_is_admitted():
    assert estimate_cost(["a"], "somebody-elses-model").dollars is None
    assert "not known" in str(estimate_cost(["a"], "somebody-elses-model"))
