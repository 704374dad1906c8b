"""The checks of the exercises, on right and wrong answers as learners write them.

The answers stand in ``tests/proofs``; the reference solutions are in the solution notebooks, whose
outputs nbval compares.
"""

import importlib
import pkgutil

import proofs
import pytest

from helpers.checks import EXERCISES

PROOFS = {
    number: proof
    for module in sorted(found.name for found in pkgutil.iter_modules(proofs.__path__))
    for number, proof in importlib.import_module(f"proofs.{module}").PROOFS.items()
}
RIGHT = [(number, answer) for number, proof in PROOFS.items() for answer in proof.right]
WRONG = [(number, *entry) for number, proof in PROOFS.items() for entry in proof.wrong]


def name(value):
    """Return a name for a test's parameter."""
    first = value[0] if isinstance(value, tuple) and value else value
    return getattr(first, "__name__", None) or (value if isinstance(value, str) else None)


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """Give every check plenty of time: a right answer must not fail because the machine is busy."""
    for entry in EXERCISES.values():
        monkeypatch.setattr(entry, "seconds", 200.0)


def outcome_of(number, answer):
    entry = EXERCISES[number]
    return entry.judge(*(answer if len(entry.names) > 1 else (answer,)))


@pytest.mark.parametrize(("number", "answer"), RIGHT, ids=name)
def test_every_right_answer_passes(number, answer):
    """However it is written."""
    outcome = outcome_of(number, answer)
    assert outcome.status == "passed", outcome.message
    assert outcome.message.startswith("right")


@pytest.mark.parametrize(("number", "answer", "words"), WRONG, ids=name)
def test_every_mistake_gets_its_diagnosis(number, answer, words):
    """Not only "wrong"."""
    outcome = outcome_of(number, answer)
    assert outcome.status in {"wrong", "timed_out", "crashed"}, outcome.message
    assert words in " ".join(outcome.message.split())


@pytest.mark.parametrize("number", EXERCISES)
def test_every_check_is_proved(number):
    """Two other right ways at least, five mistakes at least, no two with the same diagnosis."""
    proof = PROOFS[number]
    assert len(proof.right) >= 2
    assert len(proof.wrong) >= 5
    words = [words for _, words in proof.wrong]
    assert len(set(words)) == len(words)


@pytest.mark.parametrize("number", EXERCISES)
def test_nothing_written_is_not_an_attempt(number):
    """None, or a stub that raises NotImplementedError."""

    def stub(*arguments, **named):
        raise NotImplementedError

    names = EXERCISES[number].names
    assert EXERCISES[number].judge(*[None] * len(names)).status == "not_attempted"
    stubs = EXERCISES[number].judge(*[stub] * len(names))
    assert stubs.status in {"not_attempted", "wrong"}  # wrong where a value is asked for


def test_there_is_no_proof_without_its_exercise():
    """A proof of an exercise that is gone would rot."""
    assert PROOFS.keys() == EXERCISES.keys()
