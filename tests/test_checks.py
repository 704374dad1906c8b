"""What all checks share: they never raise, hang or print a traceback, and say what they saw."""

import subprocess
import sys
import threading
import time
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from helpers import checks
from helpers.checks import frame
from helpers.checks.answers import Answer, NotAttempted
from helpers.checks.common import common_mistakes
from helpers.checks.frame import EXERCISES, Exercise, judge, mistakes_of
from helpers.checks.reading import (
    Wrong,
    array,
    describe,
    integers,
    mapping,
    number,
    pairs,
    parts,
    same,
    sequence,
    texts,
    truth,
    whole,
)


def double(values):
    """Return twice the values; the reference of an exercise made up for these tests."""
    return np.asarray(values) * 2


class Twice:
    """An exercise like any other."""

    reads = array
    praise = "right: twice as much."
    reference = double

    def cases():
        for n in (2, 3, 4):
            yield (np.arange(n, dtype=float) + 1,)

    mistakes = """
        values**2
            this is the square.
        np.full(len(values), 2.0)
        values * 0 + 2
            always two.
    """


def spec(reference, cases, mistakes=(), **more):
    """Return the class of an exercise made up for one test; each case is one argument."""
    given = {"reference": reference, "cases": lambda: ((case,) for case in cases)}
    return type("Spec", (), given | {"mistakes": list(mistakes), "praise": "right."} | more)


@pytest.fixture
def made_up():
    """An exercise that is not among the course's."""
    hints = ("Twice is plus itself.", "Multiply.", "`values * 2`")
    return Exercise("0.1", 1, "Twice", ("double",), hints, Twice, seconds=5.0)


def outcome(exercise, answer):
    found = exercise.judge(answer)
    return found.status, " ".join(found.message.split())


PRAISE = (
    "✓ Exercise 0.1: right: twice as much.\n  Our answer, with comments: solutions/practice_00\n"
)


def test_right_is_praised_and_shown_ours(made_up, capsys):
    """With a tick."""
    made_up(double)
    assert capsys.readouterr().out == PRAISE


def test_a_stub_is_not_attempted_and_is_told_of_hints(made_up, capsys):
    """Nor is nothing at all."""

    def stub(values):
        raise NotImplementedError

    made_up(stub)
    made_up(None)
    line = '· Exercise 0.1 not attempted yet. Stuck? hint("0.1")\n'
    assert capsys.readouterr().out == line * 2


def test_the_stubs_last_line_below_an_answer_is_named(made_up):
    """Whoever forgets it, and a `return`, has attempted the exercise all the same."""

    def stub(values):
        """Return twice the values."""
        raise NotImplementedError

    def left_over(values):
        for _ in values:
            pass
        raise NotImplementedError

    def uses_another(values):
        return stub(values)

    assert made_up.judge(stub).message == "not attempted yet."
    assert made_up.judge(uses_another).message == "not attempted yet."
    found = made_up.judge(left_over)
    assert found.status == "not_attempted"
    assert "Delete that line" in found.message


def test_code_is_printed_in_one_piece(monkeypatch, capsys):
    """So that it can be copied out of a hint or a diagnosis."""
    code = "`[word for word in text.split() if len(word) >= least_words and word.isalpha()]`"
    for before in range(0, 60, 7):
        entry = EXERCISES["2.1"]
        monkeypatch.setattr(entry, "hints", ("x" * before + " then " + code,))
        monkeypatch.setattr(entry, "hints_given", 0)
        checks.hint("2.1")
        assert code in capsys.readouterr().out


def test_what_is_still_missing_is_named(capsys):
    """Where an exercise has several answers."""
    hints = ("Both.", "Both of them.", "`first, second = 1, 2`")
    both = type("Both", (), {"check": lambda first, second: "right."})
    pair = Exercise("0.2", 1, "Two", ("first", "second"), hints, both)
    assert pair.judge(1, 2).status == "passed"
    assert pair.judge(None, 2).message == "not attempted yet: `first` is still None."
    assert pair.judge(None, ...).message == "not attempted yet."


def test_a_method_is_not_taken_for_a_variable_of_its_name(made_up):
    """`values.sum()` reads nothing of the notebook's, whatever is called sum there."""

    def answer(values):
        return values + values.notebook_data

    found = made_up.judge(answer)
    assert "no attribute 'notebook_data'" in found.message
    assert "a variable of the notebook" not in found.message


def test_wrong_shows_the_smallest_failing_input_and_spends_no_hint(made_up, capsys):
    """The mistake, what was given, what came, what was expected, and how to run it."""
    for _ in range(5):
        made_up(lambda values: values**2)
        assert capsys.readouterr().out.splitlines() == [
            "✗ Exercise 0.1: this is the square.",
            "  given:    values = [1.0, 2.0]",
            "  yours:    [1.0, 4.0]",
            "  expected: [2.0, 4.0]",
            "  The same input for you: `double(*checks.failing())`",
            '  Stuck? `hint("0.1")` (3 of 3 left)',
        ]
    assert made_up.hints_given == 0


def test_the_failing_input_is_handed_over(made_up):
    """Fresh each time; none when nothing has failed."""
    Exercise.latest = None
    with pytest.raises(LookupError, match="Run the cell with the check first"):
        checks.failing()
    made_up.judge(lambda values: values[:2] * 2)
    (given,) = checks.failing()
    assert given.tolist() == [1.0, 2.0, 3.0]
    given *= 0
    assert checks.failing()[0].tolist() == [1.0, 2.0, 3.0]
    assert made_up.last.failing == "values = [1.0, 2.0, 3.0]"
    EXERCISES["2.1"].judge(lambda queries, documents: queries)
    assert len(checks.failing("2.1")) == len(checks.failing(2.1)) == 2
    made_up.judge(double)
    assert made_up.last.failing == ""


def test_an_older_definition_is_said_to_be_judged(made_up, capsys):
    """A cell with a SyntaxError leaves the old function behind."""
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    shell.user_ns["check"] = made_up
    good = "def double(values):\n    return values * 2"
    shell.run_cell(good, store_history=True)
    shell.run_cell("check(double)", store_history=True)
    assert "failed" not in capsys.readouterr().out
    shell.run_cell("def double(values):\n    return values *", store_history=True)
    shell.run_cell("check(double)", store_history=True)
    assert "The last cell with `def double(…)` failed" in capsys.readouterr().out
    InteractiveShell.clear_instance()


def test_a_summary_tells_how_far_one_is(capsys):
    """Exercise by exercise, as last checked."""
    for entry in EXERCISES.values():
        entry.last = None
    checks.summary(2)
    before = capsys.readouterr().out
    EXERCISES["2.2"].judge({"a": True})
    checks.summary("2")
    after = capsys.readouterr().out
    assert before.count("·") == 4
    assert "0 of 4 right." in before
    assert "✗ Exercise 2.2" in after
    checks.summary(99)
    assert "no exercises" in capsys.readouterr().out


def test_hints_come_step_by_step(capsys):
    """By number or text; after the last one the last one again; no error for a wrong number."""
    EXERCISES["2.1"].hints_given = 0
    for given in ("2.1", 2.1, "2.1", "2.1"):
        checks.hint(given)
    said = capsys.readouterr().out
    assert [f"Hint {n} of 3" in said for n in (1, 2, 3)] == [True] * 3
    assert said.count("Hint 3 of 3") == 2
    checks.hint("99.9")
    assert "There is no exercise '99.9'" in capsys.readouterr().out


def raises_value_error(values):
    return np.zeros(2) + np.zeros(len(values) + 1)


def calls_exit(values):
    raise SystemExit(3)


def no_memory(values):
    raise MemoryError


def interrupts(values):
    raise KeyboardInterrupt


def endless_recursion(values):
    return endless_recursion(values)


def two_parameters(values, factor):
    return values * factor


def no_return(values):
    values * 2


def printed(values):
    print(values * 2)


def in_place(values):
    values *= 2
    return values


def remembers(values, seen=[]):  # noqa: B006  the mistake itself
    seen.extend(values)
    return np.array(seen) * 2


def draws(values):
    return values * 2 + np.random.default_rng().normal() * 0


def draws_lots(values):
    return values * np.random.default_rng().integers(2, 50)


class Spiteful:
    """Something no check can be prepared for."""

    def __array__(self, *arguments, **named):
        raise RuntimeError("no")

    def __eq__(self, other):
        raise RuntimeError("no")

    __hash__ = None

    def __repr__(self):
        raise RuntimeError("no")


NOTEBOOK = np.arange(3.0)


def reads_a_global(values):
    return np.array([value * 2 for value in notebook_data])


notebook_data = NOTEBOOK


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        (
            raises_value_error,
            "wrong",
            "in the line `return np.zeros(2) + np.zeros(len(values) + 1)`",
        ),
        (calls_exit, "crashed", "calls exit()"),
        (no_memory, "crashed", "more memory"),
        (interrupts, "wrong", "KeyboardInterrupt"),
        (endless_recursion, "wrong", "RecursionError"),
        (two_parameters, "wrong", "`two_parameters(values, factor)` cannot be called with 1"),
        (no_return, "wrong", "returns None"),
        (printed, "wrong", "prints its result"),
        (in_place, "wrong", "changes `values` in place"),
        (remembers, "wrong", "a second time"),
        (draws_lots, "wrong", "without a seed"),
        (
            lambda values: (values * 2).tolist(),
            "wrong",
            "is a list; the task asks for a NumPy array",
        ),
        (lambda values: (values * 2).astype(str), "wrong", "NumPy array of numbers"),
        (lambda values: values / 0 - values / 0, "wrong", "NaN"),
        (lambda values: Spiteful(), "wrong", "is a Spiteful; the task asks for"),
        (lambda values: "six", "wrong", "NumPy array of numbers"),
        (reads_a_global, "wrong", "It reads `notebook_data`, a variable of the notebook"),
        (np.array([2, 4, 6]), "wrong", "wants the function itself"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_whatever_an_answer_does_there_is_a_diagnosis(made_up, answer, status, words):
    """No exception comes through."""
    found = outcome(made_up, answer)
    assert found[0] == status, found
    assert words in found[1], found


@pytest.mark.parametrize(
    "answer",
    [
        lambda values: values + values,
        lambda values, factor=2: values * factor,
        lambda *values: values[0] * 2,
        lambda values: (values * 2).astype(np.float32),
        np.vectorize(lambda value: value * 2),
        draws,
        type("Twice", (), {"__call__": lambda self, values: values * 2})(),
    ],
)
def test_unusual_ways_of_being_right_pass(made_up, answer):
    """Lambdas, extra parameters, callables, other number types."""
    assert outcome(made_up, answer)[0] == "passed"


def sleeps(values):
    time.sleep(60)


def loops(values):
    while True:
        pass


def loops_and_catches(values):
    for _ in range(3):
        try:
            while True:
                pass
        except BaseException:
            pass


@pytest.mark.parametrize("answer", [sleeps, loops, loops_and_catches])
def test_no_check_hangs(made_up, answer):
    """Not even when the answer catches what is thrown at it. The notebook goes on."""
    made_up.seconds = 0.3
    status, message = outcome(made_up, answer)
    assert status == "timed_out"
    assert "still running after 0 seconds" in message
    assert made_up.judge(double).status == "passed"


def test_a_loop_is_stopped_and_not_only_left_behind(made_up):
    """So that it does not slow down what follows."""
    made_up.seconds = 0.3
    before = threading.active_count()
    made_up.judge(loops)
    deadline = time.monotonic() + 20
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert threading.active_count() == before


def test_what_an_answer_prints_while_checked_is_not_shown(made_up, capsys):
    """The notebook stays readable."""

    def chatty(values):
        print("here I am", values)
        return values * 2

    made_up(chatty)
    assert capsys.readouterr().out == PRAISE


def test_calls_with_the_wrong_number_of_things_are_explained(made_up, capsys):
    """Rather than a TypeError."""
    status, message = outcome(made_up, double)[0], made_up.judge(double, double).message
    assert status == "passed"
    assert "checks.exercise_0_1(double)" in message
    made_up()
    made_up(double=double)
    said = capsys.readouterr().out
    assert "called with 0 things" in said
    assert "✓ Exercise 0.1" in said


def test_a_check_that_is_itself_in_error_blames_nobody_with_a_traceback(made_up):
    """Ours, or something that cannot be compared: a sentence."""

    def broken(answer):
        raise ZeroDivisionError("ours")

    made_up.spec = type("Broken", (), {"check": broken})
    status, message = outcome(made_up, double)
    assert status == "wrong"
    assert "Traceback" not in message
    assert "ZeroDivisionError" in message


# Judging


def said_of(answer, made):
    with pytest.raises(Wrong) as found:
        judge(made, answer)
    return str(found.value).split("\n")


def test_the_mistake_that_explains_all_cases_is_named_before_one_that_explains_some():
    """Whichever stands first."""
    rows = [(lambda n: 0 if n else 1, "always nothing"), (lambda n: n // 2, "a half")]
    assert said_of(lambda n: n // 2, spec(lambda n: n, (1, 5, 8), rows))[0] == "a half"


def test_a_mistake_that_shows_in_some_cases_only_is_named_by_those():
    """An answer may go wrong at the edge alone; once is no evidence."""
    rows = [(lambda n: n - 1.5, "one and a half too few")]
    made = spec(lambda n: n, (3.0, 0.0, -2.0), rows)
    assert said_of(lambda n: n if n > 0 else n - 1.5, made)[0] == "one and a half too few"
    assert said_of(lambda n: n if n >= 0 else n - 1.5, made) == [
        "wrong in 1 of 3 cases.",
        "given:    n = -2.0",
        "yours:    -3.5",
        "expected: -2.0",
    ]
    fixed = spec(lambda n: n, (3.0, 0.0, -2.0), [(lambda n: -1.5, "always minus one and a half")])
    assert "wrong in 2 of 3" in said_of(lambda n: n if n > 0 else -1.5, fixed)[0]


def test_a_case_in_which_nothing_came_speaks_for_no_mistake_and_against_none():
    """It raises, or gives NaN: the others decide. Where the smallest raises, that is said."""
    rows = [(lambda n: n + 3, "three too many")]
    made = spec(lambda n: n, (1.0, 2.0, 0.0), rows, reads=number)
    assert said_of(lambda n: n + 3 if n else float("nan"), made)[0] == "three too many"
    assert "raises ZeroDivisionError" in said_of(lambda n: n / (n - 1), made)[0]


@pytest.mark.parametrize(
    "form", [float, np.float32, lambda n: [("a", n)], lambda n: {"a": n, "b": 1}]
)
def test_rounding_is_known_without_being_named(form):
    """Of numbers, and of numbers inside of lists and dictionaries."""
    made = spec(form, (1.23456, 7.0, 0.98765))
    assert "what you return is rounded" in said_of(lambda n: form(round(n, 2)), made)[0]
    assert "wrong in 3 of 3" in said_of(lambda n: form(round(n, 2) + 0.7), made)[0]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda values, least: [v for v in values if v > least], "`least` is left out: `>=`"),
        (lambda values, least: [v for v in values if v >= least][::-1], "order is reversed"),
        (lambda values, least: [v for v in values if v >= least][1:], "the first one is missing"),
        (lambda values, least: [v for v in values[1:] if v >= least], "first of `values` is left"),
        (lambda values, least: [1 - v for v in values if v >= least], "1 minus"),
        (lambda values, least: [v for v in values if v >= (least or 0.5)], "wrong in 1 of 4"),
    ],
)
def test_mistakes_that_fit_any_reference_are_named(answer, words):
    """Once, in the frame."""

    class AtLeast:
        reads = sequence

        def reference(values, least):
            return [value for value in values if value >= least]

        def cases():
            yield [0.5, 0.2, 0.7], 0.5
            yield [0.1, 0.9, 0.3], 0.1
            yield [0.25, 0.5, 0.75, 0.75], 0.75
            yield [0.25, 0.125], 0.0

    assert words in said_of(answer, AtLeast)[0]


def test_every_common_mistake_can_be_made():
    """On a reference whose arguments and results are of many kinds; none raises."""

    def reference(values, k, least, names=(), factor=3.0):
        return {"a": least + k}, [("b", k + 0.5)], values.sum() * len(names) - factor

    arguments = (np.array([1.0, -2.5]), 3, 0.5, ["x", "x", "y"])
    right = reference(*arguments)
    results = [(says, wrong(*arguments)) for wrong, says in common_mistakes(reference)]
    assert len({says for says, result in results if not same(result, right)}) > 25


def test_one_wrong_truth_value_is_no_evidence_for_a_mistake():
    """Of two possible answers, every mistake gives the wrong one."""
    made = spec(lambda n: n > 0, (-1, 0, 1), [(lambda n: True, "always yes")])
    assert said_of(lambda n: n >= 0, made)[0] == "wrong in 1 of 3 cases."
    made = spec(lambda n: n > 0, (-3, -2, -1, 1), [(lambda n: True, "always yes")])
    assert said_of(lambda n: True, made)[0] == "always yes"


def test_what_is_too_large_to_be_shown_is_told_by_its_first_difference():
    """With the place."""
    made = spec(lambda n: list(range(n)), (100,))
    given, yours = said_of(lambda n: [*range(50), 7, *range(51, n)], made)[1:]
    assert given == "given:    n = 100"
    assert yours == "yours:    1 of 100 values differ, first at [50]: 7 instead of 50"


def test_arguments_are_made_afresh_and_played():
    """For exercises with collections, encoders and the like."""

    class Fill:
        praise = "right."

        def reference(box, items):
            box.extend(items)

        def cases():
            yield (["a", "b"],)
            yield (["c"],)

        def make(items):
            return [], items

        def play(answer, box, items):
            Answer(lambda items: answer(box, items))(items)
            return box

        mistakes = [(lambda box, items: box.append(items), "the list itself is put in.")]  # noqa: RUF012

    class Box(list):
        """Not copied, since it is no plain data."""

    Fill.make = lambda items: (Box(), items)
    judge(Fill, lambda box, items: box.extend(items))
    assert said_of(lambda box, items: box.append(items), Fill)[0] == "the list itself is put in."


def test_rows_are_read_from_a_text():
    """Expressions at the margin, their sentence below; several share one."""
    assert [(code, says) for code, _, says in mistakes_of(Twice)] == [
        ("values**2", "this is the square."),
        ("np.full(len(values), 2.0)", "always two."),
        ("values * 0 + 2", "always two."),
    ]


def test_an_answer_gets_copies():
    """What it changes is not what the next case sees, nor the reference."""
    given = [1, [2, 3], {"a": np.zeros(2)}]

    def spoil(values):
        values[1].append(4)
        values[2]["a"] += 1

    Answer(spoil)(given)
    assert given[1] == [2, 3]
    assert given[2]["a"].tolist() == [0, 0]


def test_generators_are_taken_as_lists():
    """`yield` is as good as `append`."""
    assert Answer(lambda n: (i for i in range(n)))(3) == [0, 1, 2]
    assert Answer(lambda n: (map(str, range(n)), n))(2) == (["0", "1"], 2)


def test_stubs_are_told_from_errors():
    """NotImplementedError is the stub's."""

    def stub(n):
        raise NotImplementedError

    with pytest.raises(NotAttempted):
        Answer(stub)(1)


# Comparing and reading


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (1, 1.0, True),
        (1, 1.00001, True),
        (1, 1.01, False),
        (True, 1, False),
        (1, True, False),
        (np.bool_(True), True, True),
        ("a", "a", True),
        ("1", 1, False),
        (None, 0, False),
        (None, None, True),
        ([1, 2], np.array([1, 2]), True),
        ([1, 2], (1.0, 2.0), True),
        ([1, 2], [[1, 2]], False),
        ([1, 2], [2, 1], False),
        (["a", 1], ("a", 1), True),
        ({"a": [1]}, {"a": np.array([1])}, True),
        ({"a": 1}, {"b": 1}, False),
        ({1, 2}, {2, 1}, True),
        (float("nan"), float("nan"), True),
        ([[1], [1, 2]], [[1], [1, 2]], True),
        (Spiteful(), 1, False),
    ],
)
def test_results_are_compared_by_what_they_say(one, other, expected):
    """Not by their type, except for truth values and text."""
    assert same(one, other) is expected


@pytest.mark.parametrize(
    ("read", "good"),
    [
        (array, np.array([1, 2])),
        (array, np.array([True, False])),
        (number, np.float32(2)),
        (number, np.array(2)),
        (number, 2),
        (number, Fraction(1, 2)),
        (number, Decimal(1)),
        (truth, np.bool_(False)),
        (integers, (1, 2)),
        (integers, range(3)),
        (integers, np.array([1, 2])),
        (integers, []),
        (texts, ("a", np.str_("b"))),
        (sequence, iter([1, 2])),
        (mapping, {}),
        (whole, 3.0),
        (pairs, [("a", 0.5), ["b", np.float32(1)]]),
        (parts(integers, number), ([1], 2)),
    ],
)
def test_what_is_as_good_as_asked_is_read(read, good):
    """Whatever type it has."""
    read(good)


@pytest.mark.parametrize(
    ("read", "bad", "words"),
    [
        (array, [1, 2], "is a list"),
        (array, np.array(["a"]), "array of numbers"),
        (number, "0.5", "is '0.5'"),
        (number, True, "asks for a number"),
        (number, [1], "Take the only element"),
        (number, np.zeros(3), "asks for one number"),
        (number, float("nan"), "NaN"),
        (truth, 1, "asks for True or False"),
        (integers, ["1"], "holds '1'"),
        (whole, 1.5, "whole number"),
        (pairs, ["ab"], "asks for pairs"),
        (pairs, [("a", "b")], "asks for a number"),
        (parts(integers, number), ([1], 2, 3), "you return 3 things"),
        (parts(integers, number), 5, "2 results, in the order"),
        (parts(integers, number), ([1], "x"), "the second of your results"),
        (integers, [1.0], "asks for whole numbers"),
        (integers, [[1]], "whole numbers"),
        (integers, [True], "asks for whole numbers"),
        (integers, {1, 2}, "is a set"),
        (integers, 3, "asks for a list"),
        (integers, "123", "asks for a list"),
        (texts, [1], "asks for a list of texts"),
        (mapping, [1], "asks for a dictionary"),
    ],
)
def test_what_is_not_asked_is_explained(read, bad, words):
    """With what it is."""
    with pytest.raises(Wrong, match=words):
        read(bad)


def test_descriptions_are_short():
    """Large things by their shape, small ones as they are."""
    assert describe(np.zeros((50, 3))) == "an array of shape (50, 3)"
    assert describe(np.array([1.0, 0.25])) == "[1.0, 0.25]"
    assert describe(0.123456) == "0.1235"
    assert describe([1, "a"]) == "[1, 'a']"
    assert describe(list(range(1000))) == "a list of 1000"
    assert describe(double) == "the function double"
    assert describe(Spiteful()) == "a Spiteful"


def test_numbers_are_unique():
    """Two exercises of one number would hide one another."""
    with pytest.raises(ValueError, match=r"two exercises 2\.1"):
        frame.exercise("2.1", level=1, title="", names=(), hints=())(Twice)


def test_every_check_can_be_called_by_its_name():
    """``checks.exercise_2_1``, as the notebooks do."""
    for entry in EXERCISES.values():
        assert getattr(checks, entry.function_name) is entry


def test_the_checks_load_no_large_library():
    """Every practice notebook imports them: what one check needs is imported by that check."""
    code = (
        "import sys, helpers.checks\n"
        "large = {'torch', 'scipy', 'sklearn', 'faiss', 'chromadb', 'pandas', 'matplotlib'}\n"
        "print(sorted(large & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
