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

from helpers import remote
from helpers.models import ModelError
from helpers.remote import OpenAIModel, RemoteModelError, estimate_cost, estimate_tokens
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


def test_a_repeated_text_is_sent_once_and_stands_in_all_its_places(server, model):
    found = model.encode(["a", "b", "a", "a"])
    assert server.batches == [["a", "b"]]
    np.testing.assert_array_equal(found[0], found[2])
    np.testing.assert_array_equal(found[0], found[3])
    assert not np.array_equal(found[0], found[1])


def test_any_iterable_of_texts_will_do(model):
    np.testing.assert_array_equal(model.encode(text for text in TEXTS), model.encode(tuple(TEXTS)))


def test_long_texts_make_smaller_batches(server, model, monkeypatch):
    monkeypatch.setattr(remote, "MOST_TOKENS", 100)
    texts = ["word " * 60, "other " * 60, "short", "word " * 300, "end"]
    assert len(model.encode(texts)) == 5
    assert server.batches == [texts[:1], texts[1:3], texts[3:4], texts[4:]]


def test_dimensions_are_asked_for_only_when_given(server, model):
    model.encode("a")
    assert "dimensions" not in server.requests[-1]
    assert server.requests[-1]["model"] == "small"
    assert server.requests[-1]["path"] == "/v1/embeddings"
    assert server.requests[-1]["authorization"] == f"Bearer {KEY}"
    assert patient(server, dimensions=8).encode("a").shape == (8,)
    assert server.requests[-1]["dimensions"] == 8


def test_progress_is_shown_only_when_asked_for(model, capsys, monkeypatch):
    monkeypatch.setenv("TQDM_DISABLE", "0")
    for choice in (None, False):
        model.encode(TEXTS, show_progress_bar=choice)
    assert capsys.readouterr() == ("", "")
    seen = []
    import tqdm.auto

    class Bar(tqdm.auto.tqdm):
        def update(self, n=1):
            seen.append((n, self.disable))

    monkeypatch.setattr(tqdm.auto, "tqdm", Bar)
    model.encode(TEXTS, batch_size=4, show_progress_bar=True)
    assert [n for n, _ in seen] == [4, 4, 2]


def test_tokens_used_are_those_that_the_service_reports(model):
    model.encode(TEXTS, batch_size=5)
    assert model.tokens_used == 10


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"inputs": ["a", ""]}, ValueError, "inputs[1] is empty"),
        ({"inputs": ""}, ValueError, "inputs[0] is empty"),
        ({"inputs": ["a", 3]}, TypeError, "inputs[1] is a int"),
        ({"inputs": None}, TypeError, "NoneType"),
        ({"inputs": ["a"], "batch_size": 0}, ValueError, "batch_size=0"),
        ({"inputs": ["a"], "batch_size": 2049}, ValueError, "from 1 to 2,048"),
        ({"inputs": ["a"], "batch_size": 2.5}, ValueError, "batch_size=2.5"),
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
    far, near = SemanticSearch(patient(server), batch_size=16), SemanticSearch(minilm)
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
    with pytest.raises(RemoteModelError, match=r"refused the key \(401\)") as caught:
        model.encode(TEXTS)
    assert "OPENAI_API_KEY" in str(caught.value)
    assert len(server.requests) == 1
    assert KEY not in str(caught.value)
    assert KEY not in repr(model) + model.cache_key
    assert (caught.value.done, caught.value.vectors) == (0, None)


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
    with pytest.raises(RemoteModelError, match=r"429; asked 3 times\): quota exceeded"):
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
    with pytest.raises(
        RemoteModelError, match=r"did not answer within 0.2 seconds \(asked 1 time\)"
    ):
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
    with pytest.raises(RemoteModelError, match=r"cannot be reached.*base_url"):
        model.encode("a")


BROKEN = {
    "half an object": (lambda h, b: h.send(b'{"object": "list", "data": ['), "cannot be read"),
    "not JSON": (
        lambda h, b: h.send(b"<html>Welcome to the hotel's wireless network</html>"),
        "cannot be read",
    ),
    "a page": (
        lambda h, b: h.send(b"<html>Welcome</html>", Content_Type="text/html"),
        "without a list of vectors",
    ),
    "nothing": (lambda h, b: h.send(b""), "cannot be read|without a list"),
    "null": (lambda h, b: h.send(b"null"), "cannot be read|without a list"),
    "a list": (lambda h, b: h.send([1, 2]), "cannot be read|without a list"),
    "no data": (lambda h, b: h.send({"object": "list"}), "without a list of vectors"),
    "data of strings": (lambda h, b: h.send({"data": ["x"] * 10}), "indices"),
    "broken off": (breaks_off, "cannot be reached, or broke off"),
    "too few": (says(lambda v: answer(v[:-1])), "9 vectors for 10 texts"),
    "too many": (says(lambda v: answer(v + v[:1])), "11 vectors for 10 texts"),
    "none": (says(lambda v: answer([])), "0 vectors for 10 texts"),
    "one index": (says(lambda v: answer(v, indices=[0] * 10)), "cannot be told which vector"),
    "indices from 1": (
        says(lambda v: answer(v, indices=range(1, 11))),
        "cannot be told which vector",
    ),
    "no index": (says(lambda v: answer(v, indices=[None] * 10)), "cannot be told which vector"),
    "ragged": (says(lambda v: answer([*v[:-1], v[-1][:5]])), "not lists of numbers of one length"),
    "words": (says(lambda v: answer([["a", "b"]] * 10)), "not lists of numbers"),
    "base64": (says(lambda v: answer_base64(v)), "not lists of numbers"),
    "empty vectors": (says(lambda v: answer([[]] * 10)), r"shape \(10, 0\)"),
    "not finite": (says(lambda v: answer([*v[:-1], [float("nan")] * 8])), "not finite"),
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
    with pytest.raises(RemoteModelError, match=words) as caught:
        model.encode(TEXTS)
    assert caught.value.done == 0
    np.testing.assert_allclose(model.encode(TEXTS), [vector(text) for text in TEXTS], rtol=1e-6)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "did not accept the request"),
        (403, "refused the key"),
        (404, "base_url, which usually ends in /v1"),
        (500, "failed"),
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
    with pytest.raises(RemoteModelError, match="8 dimensions; 4 were asked for"):
        patient(server, dimensions=4, max_retries=0).encode(TEXTS)


def test_a_service_that_changes_its_dimension_is_found_out(server, model):
    server.script = [well, says(lambda v: answer([x[:5] for x in v]))]
    with pytest.raises(RemoteModelError, match="5 dimensions; 8 had the vectors before"):
        model.encode(TEXTS, batch_size=5)


# --- work is kept -----------------------------------------------------------------------------------------------------------


def test_a_failure_keeps_what_is_done_and_the_next_call_goes_on(server, model):
    server.script = [well, well, fails(500)]
    with pytest.raises(RemoteModelError, match="6 of 10 vectors are finished and kept") as caught:
        model.encode(TEXTS, batch_size=3)
    assert caught.value.done == 6
    np.testing.assert_allclose(
        caught.value.vectors, [vector(text) for text in TEXTS[:6]], rtol=1e-6
    )
    server.requests.clear()
    np.testing.assert_allclose(
        model.encode(TEXTS, batch_size=3), [vector(text) for text in TEXTS], rtol=1e-6
    )
    assert server.batches == [TEXTS[6:9], TEXTS[9:]]


def test_an_interruption_keeps_what_is_done(server, model, monkeypatch):
    asked = model._ask

    def interrupted(batch):
        if TEXTS[6] in batch:
            raise KeyboardInterrupt
        return asked(batch)

    monkeypatch.setattr(model, "_ask", interrupted)
    with pytest.raises(KeyboardInterrupt):
        model.encode(TEXTS, batch_size=3)
    monkeypatch.setattr(model, "_ask", asked)
    server.requests.clear()
    assert model.encode(TEXTS, batch_size=10).shape == (10, 8)
    assert server.batches == [TEXTS[6:]]


def test_vectors_are_kept_for_going_on_and_not_for_ever(server, model):
    model.encode(TEXTS)
    assert not model._kept
    model.encode(TEXTS)
    assert len(server.requests) == 2


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


@pytest.mark.parametrize(
    "settings",
    [
        {"name": " "},
        {"name": None},
        {"dimensions": 0},
        {"dimensions": 2.0},
        {"dimensions": True},
        {"timeout": 0},
        {"timeout": float("inf")},
        {"timeout": "60"},
        {"max_retries": -1},
        {"max_retries": 1.5},
    ],
)
def test_settings_out_of_range_are_named(settings):
    (name,) = settings
    with pytest.raises(ValueError, match=f"^{name}="):
        OpenAIModel(**{"api_key": KEY} | settings)


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


def test_the_dimension_is_known_where_it_can_be():
    known = [OpenAIModel(name, api_key=KEY) for name in remote.PRICES]
    assert [model.get_embedding_dimension() for model in known] == [1536, 3072, 1536]
    assert OpenAIModel("other", api_key=KEY).get_embedding_dimension() is None
    assert OpenAIModel(dimensions=256, api_key=KEY).get_embedding_dimension() == 256


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
    assert abs(estimate_tokens(text) - tokens) <= tokens / 4


def test_the_estimate_is_zero_for_nothing_and_grows_with_the_text():
    assert estimate_tokens("") == 0
    for character in ("a", "ß", "字", "🦭", "1", " ", "\n", "_", "\ud800"):
        counts = [estimate_tokens(character * n) for n in (1, 10, 100)]
        assert 1 <= counts[0] <= counts[1] < counts[2]


def test_cost_is_tokens_times_price():
    texts = ["word " * 1000] * 50
    estimate = estimate_cost(texts, "text-embedding-3-large")
    assert (estimate.texts, estimate.tokens) == (50, 50 * estimate_tokens(texts[0]))
    assert estimate.dollars == pytest.approx(estimate.tokens * 0.13 / 1e6)
    assert estimate_cost("one text").texts == 1
    assert "price" in str(estimate)
    assert "2024" in str(estimate)


def test_an_unknown_price_is_admitted():
    assert estimate_cost(["a"], "somebody-elses-model").dollars is None
    assert "not known" in str(estimate_cost(["a"], "somebody-elses-model"))


def test_estimating_sends_nothing(server, model):
    assert model.estimate_cost(TEXTS).texts == 10
    assert not server.requests
