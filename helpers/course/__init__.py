"""What runs the course: set-up, notebooks, practice, grading, bench. No lesson teaches it."""

import sys


def any_console() -> None:
    """Let what a console or pipe cannot show, such as a name in another script, be printed as its
    escape: ``\\u674e``. Windows writes into pipes as cp1252, and a character more would be an error."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a notebook's own streams take everything
            stream.reconfigure(errors="backslashreplace")
