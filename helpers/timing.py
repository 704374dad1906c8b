"""How long things take, measured so that a comparison means something.

A busy machine is slow for a while and then fast again. Whoever is timed in the slow while looks
slow. So contestants run in turn, round by round, and each keeps a low quantile of its rounds: what
disturbs a run can only make it longer.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

#: Set by ``make run``: a claim of order that does not hold is an error there, and a note elsewhere.
STRICT_VARIABLE = "SEARCH_BY_MEANING_STRICT_TIMES"


@dataclass(frozen=True)
class Timing:
    """The seconds that one contestant took, a number for each round."""

    name: str
    rounds: tuple[float, ...]

    @property
    def seconds(self) -> float:
        """Return the fastest of four rounds or fewer, else the lower quartile: a low quantile."""
        return sorted(self.rounds)[(len(self.rounds) - 1) // 4]

    @property
    def ms(self) -> float:
        """Return `seconds` in milliseconds."""
        return self.seconds * 1e3

    @property
    def spread(self) -> float:
        """Return the slowest round divided by the fastest: 1.0 on a quiet machine."""
        return max(self.rounds) / max(min(self.rounds), 1e-9)


def time_in_turn(
    contestants: Mapping[str, Callable[[], object]],
    rounds: int = 7,
    *,
    warm_up: bool = True,
    rest: float = 0.02,
) -> dict[str, Timing]:
    """Time `contestants` in turn, round by round, and return a `Timing` for each name.

    Parameters
    ----------
    contestants : mapping of str to callable
        What to time. Each is called without arguments.
    rounds : int
        How often each is timed. Every second round goes through them backwards, so that nobody
        always follows the same neighbour.
    warm_up : bool
        Whether each runs once before, uncounted: the first call loads and allocates.
    rest : float
        Seconds of sleep before each run. Threads of a finished product spin for a while, waiting
        for more work, and would slow the next contestant.

    Raises
    ------
    ValueError
        For no contestants, or fewer than one round.
    """
    if not contestants or rounds < 1:
        raise ValueError(
            f"given {len(contestants)} contestants and {rounds} rounds; needed: at least one each"
        )
    if warm_up:
        for run in contestants.values():
            run()
    taken: dict[str, list[float]] = {name: [] for name in contestants}
    order = list(contestants)
    for _ in range(rounds):
        for name in order:
            time.sleep(rest)
            started = time.perf_counter()
            contestants[name]()
            taken[name].append(time.perf_counter() - started)
        order.reverse()
    return {name: Timing(name, tuple(seconds)) for name, seconds in taken.items()}


def claim_order(timings: Mapping[str, Timing], names: Iterable[str], slack: float = 1.1) -> str:
    """Return a sentence that says whether `names` stand from the fastest to the slowest.

    Each must take at most `slack` times as long as the next. Where a page is stored (``make run``),
    an order that does not hold is an error, so that no stored page contradicts its own text;
    elsewhere the sentence says what is otherwise on this machine.

    Raises
    ------
    ValueError
        For fewer than two names, or one that was not timed: nothing would be claimed.
    AssertionError
        Where the environment variable `STRICT_VARIABLE` is set and the order does not hold.
    """
    names = list(names)
    unknown = [name for name in names if name not in timings]
    if len(names) < 2 or unknown:
        raise ValueError(f"names={names}: give two or more of those timed: {', '.join(timings)}")
    return claim(
        all(timings[a].seconds <= slack * timings[b].seconds for a, b in pairwise(names)),
        "from the fastest to the slowest: " + ", ".join(names),
    )


def claim(holds: bool, words: str) -> str:
    """Return "Measured: `words`." where it `holds`, else that it is otherwise on this machine; an
    error where `STRICT_VARIABLE` is set.
    """
    if holds:
        return f"Measured: {words}."
    if os.environ.get(STRICT_VARIABLE):
        raise AssertionError(f"the text claims what was not measured just now: {words}")
    return (
        f"Not on this machine, this time: {words}. Other programs may be busy; run the cell again."
    )


def median_seconds(action: Callable[[], object], repeats: int = 5) -> float:
    """Return the median time of `repeats` runs of `action`, after one that warms up and does not
    count.
    """
    timing = time_in_turn({"": action}, repeats, rest=0.0)[""]
    return statistics.median(timing.rounds)


def threads() -> list[str]:
    """Return a line for each thread pool that is loaded: the library and its number of threads."""
    from threadpoolctl import threadpool_info

    return [
        f"{pool['user_api']} ({pool['prefix']}): {pool['num_threads']}"
        for pool in threadpool_info()
    ]
