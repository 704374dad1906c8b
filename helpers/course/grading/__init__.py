"""Checks notebooks that learners hand in: ``python -m helpers check PATH…``.

Each notebook runs in a process and a temporary folder of its own, with limits on time, memory and output, and is judged by the
course's checks, whatever became of the cells that call them. This is no sandbox: see the command's help.

`submissions` finds and reads notebooks, `supervisor` has them run: in a `workspace`, by a `process`. `worker` is what runs
inside, `integrity` notices what a notebook changes in the course, `report` says what came out.
"""
