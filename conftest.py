"""What pytest is told before it collects anything, wherever it is started from."""

from pathlib import Path


def pytest_configure(config) -> None:
    """Name what nbval sanitises by its place; in pyproject.toml it would be relative to the folder
    that pytest is started in.
    """
    if hasattr(config.option, "nbval_sanitize_with") and not config.option.nbval_sanitize_with:
        config.option.nbval_sanitize_with = str(Path(__file__).parent / "tests" / "sanitize.cfg")
