"""The checks of all exercises: ``checks.exercise_2_1(cosine_matrix)``, ``checks.project_1_2(…)``.

Each prints one of three things: not attempted yet, right, or wrong with the most likely mistake
and the next hint. `hint` gives hints step by step, `summary` tells how far one has come. The checks
of a lesson stand in the module of its name; what they share is in `exercise`.
"""

import importlib
import pkgutil

from helpers.checks.exercise import EXERCISES, hint, summary

__all__ = ["EXERCISES", "hint", "summary"]

for _name in sorted(found.name for found in pkgutil.iter_modules(__path__)):
    if _name.startswith(("lesson_", "project_")):
        importlib.import_module(f"{__name__}.{_name}")

globals().update({entry.function_name: entry for entry in EXERCISES.values()})
