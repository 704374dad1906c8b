"""Checks notebooks that learners hand in: ``python -m helpers check PATH…``.

Each notebook runs in a process and a temporary folder of its own, with limits on time, memory and
output, and is judged by the course's checks, whatever became of the cells that call them.

This is no sandbox. A submission runs with the rights of whoever starts the command: it can read
that user's files and use the network. Run the command as a user who owns nothing, in a container
or a virtual machine without network, when you do not know who wrote the notebooks.

`submissions` finds and reads notebooks, `supervisor` has them run: in a `workspace`, by a `process`,
with a `verdict` for each exercise. `worker` is what runs inside, `integrity` notices what a notebook
changes in the course, `report` says what came out.
"""
