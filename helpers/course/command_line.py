"""The course's command line: ``python -m helpers COMMAND``.

``setup``, ``lab``, ``test``, ``run``, ``exercises``, ``lint`` and ``bench`` need nothing but Python and build the environment
``.venv`` when it is missing or stale; make only calls them. The others tell about the environment they run in, or use it.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys

from helpers.course import any_console, environment
from helpers.course.environment import ROOT, SetupError

FIRST_LESSON = "notebooks/00_start_here.ipynb"
TEST_PATHS = ("tests", "notebooks", "exercises", "solutions")
NO_SANDBOX = """
Each notebook runs in a process and a temporary folder of its own, with limits on time, memory and
output, and is judged by the course's own checks.

This is no sandbox: a notebook runs with your rights, can read your files and use the network. When
you do not know who wrote it, run this command as a user who owns nothing, in a container or virtual
machine without network, which you throw away afterwards. With an image IMAGE that holds the project
with its environment (make env) in /course and the models in /cache, from a folder that holds the
submissions:

    docker run --rm --network none --read-only --tmpfs /tmp --user nobody --memory 8g \\
      --pids-limit 256 -e HOME=/tmp -e SEARCH_BY_MEANING_CACHE=/cache -w /course \\
      -v "$PWD:/submissions:ro" IMAGE .venv/bin/python -m helpers check /submissions

The exit status is 0 when every answer is right, 1 when one is not, 2 when there is nothing to check
or no report can be written, 130 when it was interrupted (Ctrl-C): what was checked is reported.
"""


def main(arguments: list | None = None) -> int:
    """Run the command line with `arguments` (default: the program's own) and return its exit status."""
    any_console()
    options, extra = _parser().parse_known_args(arguments)
    if extra and not options.takes_more:
        _parser().error("unknown arguments: " + " ".join(extra))
    try:
        if options.run in _IN_PLACE and not importlib.util.find_spec("huggingface_hub"):
            return _elsewhere(sys.argv[1:] if arguments is None else arguments)
        return options.run(options, [argument for argument in extra if argument != "--"])
    except (
        Exception
    ) as error:  # the course's own say what to do; so does a cache folder that cannot be made
        if not isinstance(error, OSError) and not type(error).__module__.startswith("helpers."):
            raise
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    about = "Search by Meaning: the course's command line."
    parser = argparse.ArgumentParser(prog="python -m helpers", description=about)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    added = {}
    for run, words in (
        (_setup, "build .venv and fetch the models, where missing or stale"),
        (_lab, "set-up, then JupyterLab on the first lesson; further options go to JupyterLab"),
        (_test, "set-up, then all tests and notebooks; further options go to pytest"),
        (_run, "set-up, then execute the notebooks named (default: all) and store their outputs"),
        (_lint, "set-up, then ruff's rules and formatting"),
        (_exercises, "set-up, then make exercises/ from solutions/ where it is stale"),
        (_check, "judge notebooks that learners hand in (this is no sandbox)"),
        (_bench, "set-up, then how fast this machine loads, encodes and searches"),
        (_preflight, "is this machine ready? Every line says ok or what to do"),
        (_prepare, "encode the course's texts with both models, once (set-up does it)"),
        (_recover, "make the stores of a Chroma folder again whose index is damaged"),
        (_models, "which models are present and verified"),
    ):
        name = run.__name__.strip("_")
        added[name] = commands.add_parser(name, help=words, description=words)
        added[name].set_defaults(run=run, takes_more=run in (_lab, _test, _run))
    added["lint"].add_argument("--fix", action="store_true", help="mend what can be mended")
    _describe_check(added["check"])
    recover = added["recover"]
    recover.add_argument("folder", metavar="FOLDER", help="the damaged folder; it stays as it is")
    recover.add_argument("into", metavar="NEW_FOLDER", help="a folder that does not exist yet")
    added["models"].set_defaults(name=None)
    words = "get a model onto this machine and verify it"
    fetch = added["models"].add_subparsers(metavar="fetch").add_parser("fetch", help=words)
    words = "one of the course's models, or any name on the hub"
    fetch.add_argument("name", metavar="NAME", help=words)
    fetch.add_argument("--quiet", action="store_true", help="say nothing when it is there already")
    return parser


def _describe_check(check: argparse.ArgumentParser) -> None:
    check.epilog = NO_SANDBOX
    check.formatter_class = argparse.RawDescriptionHelpFormatter
    check.add_argument("paths", nargs="+", metavar="PATH", help="notebooks, or folders of them")
    check.add_argument("--json", metavar="FILE", help="write the verdicts as JSON")
    check.add_argument("--html", metavar="FILE", help="write a page: by learner, by exercise")
    for name, default, what in (
        ("seconds", 120.0, "time for a notebook in all; half of it for a single cell"),
        ("memory", 4.0, "gigabytes for all processes of a notebook"),
        ("output", 10.0, "megabytes that a notebook may print"),
    ):
        words = f"{what} (default: {default:g})"
        check.add_argument(f"--{name}", type=_above_zero, default=default, help=words)
    words = "notebooks at a time (default: one for every two cores)"
    check.add_argument("--jobs", type=int, help=words)


def _above_zero(text: str) -> float:
    number = float(text)
    if not number > 0:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return number


# Commands that make the environment ready


def _in_environment(*arguments: str, **variables: str) -> int:
    """Make the environment ready and run its Python with `arguments` in the project's folder."""
    command = [str(environment.ensure()), *arguments]
    return subprocess.run(command, cwd=ROOT, env=os.environ | variables, check=False).returncode


def _setup(options, extra) -> int:
    environment.ensure()
    print("The environment is ready. Next: make lab, or python -m helpers lab")
    return 0


def _lab(options, extra) -> int:
    # Named by its address and not as a file to open: so the address that a server prints leads to the lesson
    # too, and JupyterLab does not take the lesson's folder for its root, from where other links lead nowhere.
    place = [f"--ServerApp.root_dir={ROOT}", f"--LabApp.default_url=/lab/tree/{FIRST_LESSON}"]
    root = getattr(os, "geteuid", lambda: None)() == 0  # as in most containers: Jupyter refuses it
    return _in_environment("-m", "jupyter", "lab", *place, *["--allow-root"] * root, *extra)


def _test(options, extra) -> int:
    files = [word for word in extra if not word.startswith("-")]
    named = any((ROOT / word.split("::")[0]).exists() for word in files)
    # Two notebooks at once: a thread that waits must not keep a core busy.
    quiet = {"TQDM_DISABLE": "1", "HF_HUB_OFFLINE": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    pytest = ("-m", "pytest", "--nbval", "-n", "2", "--dist", "loadscope")
    return _in_environment(*pytest, *(() if named else TEST_PATHS), *extra, **quiet)


def _run(options, extra) -> int:
    return _in_environment("-m", "helpers.course.notebooks", *extra)


def _lint(options, extra) -> int:
    rules, layout = (["--fix"], []) if options.fix else ([], ["--check"])
    status = _in_environment("-m", "ruff", "check", *rules, ".")
    return status or _in_environment("-m", "ruff", "format", *layout, ".")


def _exercises(options, extra) -> int:
    return _in_environment("-m", "helpers.course.practice")


def _bench(options, extra) -> int:
    return _in_environment("-m", "helpers.course.bench")


# Commands that use the environment they run in


def _elsewhere(arguments: list) -> int:
    """Run the command in `.venv`, for this Python has not the course's packages."""
    if not environment.is_current():
        what = "This Python has not the course's packages, and .venv is missing or stale"
        raise SetupError(f"{what}. First: make env")
    command = [str(environment.venv_python()), "-m", "helpers", *map(str, arguments)]
    return subprocess.run(command, check=False).returncode


def _check(options, extra) -> int:
    from helpers.course.grading import command

    return command.run(options)


def _preflight(options, extra) -> int:
    from helpers.course.preflight import preflight

    rows = preflight()
    _table([(row.what, row.found, row.verdict) for row in rows])
    return 0 if all(row.ok for row in rows) else 1


def _prepare(options, extra) -> int:
    from helpers.course.prepare import prepare

    print(f"{prepare():,} texts are encoded with each model, for all lessons.")
    return 0


def _recover(options, extra) -> int:
    from helpers.recovery import recover

    for name, count in recover(options.folder, options.into).items():
        print(f"{name}: {count:,} records are in {options.into}")
    return 0


def _models(options, extra) -> int:
    from helpers.cache import cache_folder
    from helpers.models import MODELS, fetch_model, model_status

    if options.name is None:
        cache_folder("models")  # where it cannot be made, the reason is more telling than "missing"
        rows = [("model", "dimension", "tokens", "MB", "status", "")]
        for c in MODELS.values():
            numbers = map(str, (c.dimension, c.max_tokens, c.download_mb))
            rows.append((c.name, *numbers, *model_status(c)))
        _table(rows)
        return 0
    folder = fetch_model(options.name)
    if not options.quiet:
        print(f"{options.name} is here and verified: {folder}")
    return 0


def _table(rows: list) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())


#: Commands that make no environment ready, but need the course's packages.
_IN_PLACE = (_check, _preflight, _prepare, _recover, _models)
