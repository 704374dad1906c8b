"""Starts the course's command line, ``python -m helpers COMMAND``: see `helpers.course.command_line`.

Every Python can read this file and ``helpers/__init__.py``, so that an old one can say that it is too old.
"""

import sys

from helpers import OLDEST_PYTHON

if sys.version_info[:2] < OLDEST_PYTHON:
    sys.exit(
        "This is Python %d.%d; the course needs %d.%d or newer. Install one and name it: make lab PYTHON=python3.12"
        % (sys.version_info[:2] + OLDEST_PYTHON)
    )

from helpers.course.command_line import main

if __name__ == "__main__":
    sys.exit(main())
