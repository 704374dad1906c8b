"""Right and wrong answers for every exercise, as learners write them: what the checks are tried
on.

Each module has `PROOFS`, which maps an exercise's number to a `Proof`. An answer is what the
notebook passes to the check: a function, a value, or a tuple of them where it passes several.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Proof:
    """Ways of answering one exercise: right ones that differ from the reference, and wrong ones
    each with words that its diagnosis must hold.
    """

    right: tuple
    wrong: tuple  # of (answer, words)
