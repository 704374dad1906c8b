"""The checks of all exercises: ``checks.exercise_2_1(cosine_matrix)``, ``checks.project_1_2(…)``.

Each prints one of three things: not attempted yet, right, or wrong with the smallest input that
fails and, where it is known, the mistake. `failing` hands that input over, `hint` gives hints step
by step, `summary` tells how far one has come. The checks of a lesson stand in the module of its
name; what they share is in `frame`, `answers`, `reading` and `common`.
"""

import importlib
import pkgutil

from helpers.checks.frame import EXERCISES, failing, hint, summary

__all__ = ["EXERCISES", "failing", "hint", "summary"]

for _name in sorted(found.name for found in pkgutil.iter_modules(__path__)):
    if _name.startswith(("lesson_", "project_")):
        importlib.import_module(f"{__name__}.{_name}")

globals().update({entry.function_name: entry for entry in EXERCISES.values()})
