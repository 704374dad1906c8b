"""Right answers to every exercise that differ from the reference, and faults of structure: what the
rows of mistakes, which prove themselves, cannot show.

Each module has `PROOFS`, which maps an exercise's number to a `Proof`. An answer is what the
notebook passes to the check: a function, a value, or a tuple of them where it passes several.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Proof:
    """Ways of answering one exercise: right ones, and wrong ones that no row of mistakes can make
    (it raises, prints, changes its input, keeps something between calls, reads the notebook, …),
    each with words that its message must hold.
    """

    right: tuple
    wrong: tuple = ()  # of (answer, words)
