"""Helpers of the course *Search by Meaning*: models, data, search, chunks, plots and the command
line.

Importing this package, or any module of it, is quick: torch, FAISS, Chroma and matplotlib are
loaded by the function that needs them.
"""

import os
import sys

__version__ = "0.1.0"
OLDEST_PYTHON = (3, 11)

# The one place for settings that libraries read from the environment when they are first
# imported. `setdefault`: the learner's own setting wins.
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("ANONYMIZED_TELEMETRY", "False")  # Chroma
os.environ.setdefault(
    "TOKENIZERS_PARALLELISM", "false"
)  # silences a warning when a notebook starts a second process
if sys.platform == "darwin":
    # On macOS torch, FAISS and scikit-learn each bring an OpenMP library, and the second one to
    # start aborts the process ("OMP: Error #15").
    os.environ.setdefault("KMP_DUPLICATE_LIB_OK", "TRUE")
