"""The checks of the exercises: every row of mistakes proves itself, right answers pass, and what is
wrong in structure is said.

Right answers and faults of structure stand in ``tests/proofs``; the reference solutions are in the
solution notebooks, whose outputs nbval compares.
"""

import importlib
import inspect
import pkgutil

import proofs
import pytest

from helpers.checks import EXERCISES
from helpers.checks.answers import parameters
from helpers.checks.frame import judge, mistakes_of, played
from helpers.checks.reading import Wrong, same

PROOFS = {
    number: proof
    for module in sorted(found.name for found in pkgutil.iter_modules(proofs.__path__))
    for number, proof in importlib.import_module(f"proofs.{module}").PROOFS.items()
}
RIGHT = [(number, answer) for number, proof in PROOFS.items() for answer in proof.right]
WRONG = [(number, *entry) for number, proof in PROOFS.items() for entry in proof.wrong]


def specs():
    """Yield (number, class) of each reference with its cases, those of parts included."""
    for number, entry in EXERCISES.items():
        inside = [value for value in vars(entry.spec).values() if inspect.isclass(value)]
        for spec in (entry.spec, *inside):
            if hasattr(spec, "reference"):
                yield number, spec


SPECS = list(specs())


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


@pytest.mark.parametrize(("number", "spec"), SPECS, ids=name)
def test_every_row_is_wrong_and_is_named_by_its_own_sentence(number, spec):
    """A row is its own proof: given as an answer, it gets its own sentence and nobody else's."""
    for code, wrong_answer, says in mistakes_of(spec):
        with pytest.raises(Wrong) as found:
            judge(spec, wrong_answer)
        assert str(found.value).startswith(says), f"{code}\ngets: {found.value}"


@pytest.mark.parametrize(("number", "spec"), SPECS, ids=name)
def test_no_two_rows_give_the_same_results(number, spec):
    """Else one of two different mistakes would get the other's name."""
    seen = []
    for code, wrong_answer, says in mistakes_of(spec):
        results = [played_or_none(spec, wrong_answer, case) for case in spec.cases()]
        for other, other_says, others in seen:
            assert says == other_says or not same(results, others), f"{code} is {other}"
        seen.append((code, says, results))


def played_or_none(spec, answer, case):
    """Return what comes of `answer`, or what it raises, as text."""
    try:
        return played(spec, answer, case)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


@pytest.mark.parametrize(("number", "spec"), SPECS, ids=name)
def test_the_reference_passes_and_reproduces_its_cases(number, spec):
    """On every case, with the parameters that the learner's function has."""
    judge(spec, spec.reference)
    assert all(len(case) for case in spec.cases())


@pytest.mark.parametrize(("number", "answer"), RIGHT, ids=name)
def test_every_right_answer_passes(number, answer):
    """However it is written."""
    outcome = outcome_of(number, answer)
    assert outcome.status == "passed", outcome.message
    assert outcome.message.startswith("right")


@pytest.mark.parametrize(("number", "answer", "words"), WRONG, ids=name)
def test_every_fault_of_structure_is_said(number, answer, words):
    """Not only "wrong"."""
    outcome = outcome_of(number, answer)
    assert outcome.status in {"wrong", "timed_out", "crashed"}, outcome.message
    assert words in " ".join(outcome.message.split())


@pytest.mark.parametrize("number", EXERCISES)
def test_every_exercise_has_two_other_right_answers_and_three_hints(number):
    """And the names of its function's parameters are those of its reference."""
    assert len(PROOFS[number].right) >= 2
    assert len(EXERCISES[number].hints) == 3


@pytest.mark.parametrize("number", EXERCISES)
def test_nothing_written_is_not_an_attempt(number):
    """None, or a stub that raises NotImplementedError."""

    def stub(*arguments, **named):
        raise NotImplementedError

    names = EXERCISES[number].names
    assert EXERCISES[number].judge(*[None] * len(names)).status == "not_attempted"
    stubs = EXERCISES[number].judge(*[stub] * len(names))
    assert stubs.status in {"not_attempted", "wrong"}  # wrong where a value is asked for


@pytest.mark.parametrize(("number", "spec"), SPECS, ids=name)
def test_the_failing_input_reproduces_the_failure(number, spec):
    """`answer(*checks.failing())` is what the learner is told to run."""
    rows = mistakes_of(spec)
    assert rows, "an exercise without a row of mistakes"
    with pytest.raises(Wrong) as found:
        judge(spec, rows[0][1])
    failed_spec, case = found.value.failed
    assert failed_spec is spec
    names = parameters(spec.make) if hasattr(spec, "make") else parameters(spec.reference)
    assert len(case) <= len(names)


def test_there_is_no_proof_without_its_exercise():
    """A proof of an exercise that is gone would rot."""
    assert PROOFS.keys() == EXERCISES.keys()
