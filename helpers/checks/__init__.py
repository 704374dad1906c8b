"""The checks of all exercises: ``checks.exercise_2_1(cosine_matrix)``, ``checks.project_1_2(…)``.

Each prints: not attempted, right, or wrong, with the smallest input that fails and, where it is
known, the mistake. `failing` hands that input over, `hint` gives hints, `summary` tells how far one
is. A lesson's checks stand in the module of its name; the other modules are what they share.
"""

import importlib
import pkgutil

from helpers.checks.frame import EXERCISES, failing, hint, summary

__all__ = ["EXERCISES", "failing", "hint", "summary"]

for _name in sorted(found.name for found in pkgutil.iter_modules(__path__)):
    if _name.startswith(("lesson_", "project_")):
        importlib.import_module(f"{__name__}.{_name}")

globals().update({entry.function_name: entry for entry in EXERCISES.values()})
