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


def time_in_turn(
    contestants: Mapping[str, Callable[[], object]],
    rounds: int = 7,
    *,
    warm_up: bool = True,
    rest: float = 0.02,
) -> dict[str, Timing]:
    """Time `contestants`, called without arguments, in turn: `rounds` rounds, every second one
    backwards, so that nobody always follows the same neighbour. Return a `Timing` for each name.

    With `warm_up` each runs once before, uncounted: the first call loads and allocates. `rest` is
    how many seconds to sleep before each run: threads of a finished product spin for a while,
    waiting for more work, and would slow the next contestant.

    Raises ValueError for no contestants, or fewer than one round.
    """
    if not contestants or rounds < 1:
        given = f"{len(contestants)} contestants and {rounds} rounds"
        raise ValueError(f"given {given}; needed: at least one each")
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
    """Return a sentence that says whether `names` stand from the fastest to the slowest: whether
    each takes at most `slack` times as long as the next. See `claim`.

    Raises ValueError for fewer than two names, or one that was not timed.
    """
    names = list(names)
    if len(names) < 2 or any(name not in timings for name in names):
        raise ValueError(f"names={names}: give two or more of those timed: {', '.join(timings)}")
    holds = all(timings[a].seconds <= slack * timings[b].seconds for a, b in pairwise(names))
    return claim(holds, "from the fastest to the slowest: " + ", ".join(names))


def claim(holds: bool, words: str) -> str:
    """Return "Measured: `words`." where it `holds`, else that it is otherwise on this machine.

    Where the variable `STRICT_VARIABLE` is set (``make run``), what does not hold is an
    AssertionError, so that no stored page contradicts its own text.
    """
    if holds:
        return f"Measured: {words}."
    if os.environ.get(STRICT_VARIABLE):
        raise AssertionError(f"the text claims what was not measured just now: {words}")
    why = "Other programs may be busy; run the cell again."
    return f"Not on this machine, this time: {words}. {why}"


def median_seconds(action: Callable[[], object], repeats: int = 5) -> float:
    """Return the median time of `repeats` runs of `action`, after one that does not count."""
    return statistics.median(time_in_turn({"": action}, repeats, rest=0.0)[""].rounds)


def threads() -> list[str]:
    """Return a line for each thread pool that is loaded: the library and its number of threads."""
    from threadpoolctl import threadpool_info

    pools = threadpool_info()
    return [f"{pool['user_api']} ({pool['prefix']}): {pool['num_threads']}" for pool in pools]
