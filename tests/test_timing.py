"""Timing in turn, by a clock that only the contestants move."""

import subprocess
import sys

import pytest

from helpers import timing
from helpers.timing import Timing, claim, claim_order, median_seconds, threads, time_in_turn


class Clock:
    """Time stands still but for what runs and rests; everything that happens is written down."""

    def __init__(self, monkeypatch):
        self.now, self.events = 100.0, []
        monkeypatch.setattr(timing.time, "perf_counter", lambda: self.now)
        monkeypatch.setattr(timing.time, "sleep", self.sleep)

    def sleep(self, seconds):
        self.now += seconds
        self.events.append(f"rest {seconds}")

    def runner(self, name, *seconds):
        """Return a contestant whose calls take these seconds, one after the other."""
        left = iter(seconds)

        def run():
            self.now += next(left)
            self.events.append(name)

        return run


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


def test_contestants_run_in_turn_and_every_second_round_backwards(clock):
    """After a warm-up that does not count, with a rest before each run that does not count either."""
    found = time_in_turn(
        {"a": clock.runner("a", 9, 1, 2, 3), "b": clock.runner("b", 9, 4, 5, 6)}, rounds=3, rest=0.5
    )
    assert [event for event in clock.events if "rest" not in event] == list(
        "ab" + "ab" + "ba" + "ab"
    )
    assert clock.events[2:] == [event for name in "abbaab" for event in ("rest 0.5", name)]
    assert found == {"a": Timing("a", (1, 2, 3)), "b": Timing("b", (4, 5, 6))}


def test_without_a_warm_up_the_first_run_counts(clock):
    """As for a first call, which is the question sometimes."""
    found = time_in_turn({"a": clock.runner("a", 9, 1)}, rounds=2, warm_up=False)
    assert found["a"].rounds == (9, 1)


def test_what_a_contestant_raises_is_raised(clock):
    """No time for what did not happen."""
    with pytest.raises(ZeroDivisionError):
        time_in_turn({"a": lambda: 1 / 0})


@pytest.mark.parametrize(
    ("contestants", "rounds"), [({}, 3), ({"a": print}, 0), ({"a": print}, -1)]
)
def test_nothing_to_time_is_refused(contestants, rounds):
    """Rather than an empty table."""
    with pytest.raises(ValueError, match="at least one each"):
        time_in_turn(contestants, rounds)


@pytest.mark.parametrize(
    ("rounds", "seconds"),
    [
        ([3], 3),
        ([3, 2], 2),
        ([4, 3, 2, 9], 2),
        ([5, 1, 4, 3, 2], 2),
        ([9, 1, 1, 3, 4, 5, 6, 7, 8], 3),
    ],
)
def test_the_time_of_a_contestant_is_a_low_quantile(rounds, seconds):
    """The fastest of up to four, then the lower quartile: a disturbance only makes a run longer."""
    assert Timing("a", tuple(rounds)).seconds == seconds
    assert Timing("a", tuple(rounds)).ms == seconds * 1000


def test_one_slow_round_changes_nothing():
    """As where another program woke up."""
    quiet, disturbed = Timing("a", (2.0,) * 7), Timing("a", (2.0,) * 6 + (20.0,))
    assert quiet.seconds == disturbed.seconds


TIMINGS = {
    name: Timing(name, (seconds,)) for name, seconds in {"a": 1.0, "b": 2.0, "c": 1.9}.items()
}


def test_an_order_that_holds_is_said(monkeypatch):
    """Up to the slack: c is a little faster than b, and both orders hold."""
    monkeypatch.setenv(timing.STRICT_VARIABLE, "1")
    for names in ("abc", "acb"):
        assert claim_order(TIMINGS, names) == (
            f"Measured: from the fastest to the slowest: {', '.join(names)}."
        )


def test_an_order_that_does_not_hold_is_a_note_or_an_error(monkeypatch):
    """A note for who reads; an error where a page is stored."""
    monkeypatch.delenv(timing.STRICT_VARIABLE, raising=False)
    assert claim_order(TIMINGS, "ba").startswith("Not on this machine")
    assert claim_order(TIMINGS, "bc", slack=1.0).startswith("Not on this machine")
    monkeypatch.setenv(timing.STRICT_VARIABLE, "1")
    with pytest.raises(AssertionError, match="b, a"):
        claim_order(TIMINGS, "ba")


@pytest.mark.parametrize("names", [[], ["a"], ["a", "z"]])
def test_a_claim_of_nothing_is_refused(names):
    """It would hold always."""
    with pytest.raises(ValueError, match=r"two or more of those timed: a, b, c"):
        claim_order(TIMINGS, names)


def test_any_claim_in_words(monkeypatch):
    """Not only of order."""
    monkeypatch.setenv(timing.STRICT_VARIABLE, "1")
    assert claim(True, "twice as fast") == "Measured: twice as fast."
    with pytest.raises(AssertionError, match="twice as fast"):
        claim(False, "twice as fast")


def test_the_median_is_that_of_the_counted_runs(clock):
    """The warm-up is not among them, and nothing rests."""
    assert median_seconds(clock.runner("a", 50, 3, 1, 2), repeats=3) == 2
    assert "rest" not in "".join(clock.events).replace("rest 0.0", "")


def test_threads_are_named_by_their_library():
    """One line for each pool; FAISS brings one at least."""
    import faiss  # noqa: F401

    lines = threads()
    assert lines
    assert all(line.partition(": ")[2].isdigit() for line in lines)


def test_importing_the_module_loads_no_library():
    """It is read by every other room."""
    code = "import sys, helpers.timing; print([m for m in ('numpy', 'faiss', 'torch') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
