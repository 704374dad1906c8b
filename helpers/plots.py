"""The course's figures: similarity heatmap, map of embeddings, histogram of scores. One look for
all of them.

The colours are those of Okabe and Ito, which people with any kind of colour blindness can tell
apart; where colour tells groups apart, a marker or a line style does so too, for grey print.
Every function draws into the axes it is given, or makes a figure, and returns the axes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Okabe and Ito's colours, the darker ones first; yellow is left out, for it is too light on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "<", ">")
LINES = ("-", "--", "-.", ":")
HATCHES = ("", "///", "...", "xxx")
SEQUENTIAL = "viridis"
DPI = 96

STYLE = {
    "figure.figsize": (7.5, 4.2),
    "figure.dpi": DPI,
    "figure.constrained_layout.use": True,
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "image.cmap": SEQUENTIAL,
}


def _settings() -> dict:
    from cycler import cycler

    return STYLE | {"axes.prop_cycle": cycler(color=COLOURS)}


def use_course_style() -> None:
    """Draw everything that follows in the course's look. For notebooks; the functions below need
    no such call.
    """
    import matplotlib.pyplot as plt

    plt.rcParams.update(_settings())


@contextmanager
def course_style() -> Iterator[None]:
    """Draw in the course's look inside a ``with`` block, or in a function decorated so;
    matplotlib's own settings are untouched.
    """
    import matplotlib.pyplot as plt

    with plt.rc_context(_settings()):
        yield


@course_style()
def new_axes(width: float = 7.5, height: float = 4.2) -> Axes:
    """Return the axes of a new figure in the course's look, `width` by `height` inches."""
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=(width, height))[1]


@course_style()
def similarity_heatmap(
    similarities: np.ndarray,
    labels: Sequence[str],
    column_labels: Sequence[str] | None = None,
    *,
    title: str = "Cosine similarity",
    ax: Axes | None = None,
) -> Axes:
    """Draw a matrix of similarities as coloured squares with the numbers in them.

    Parameters
    ----------
    similarities : array, shape (rows, columns)
    labels
        One for each row.
    column_labels
        One for each column; None: the columns are the rows.

    Raises
    ------
    ValueError
        When the labels do not match the matrix.
    """
    similarities = np.asarray(similarities)
    columns = labels if column_labels is None else column_labels
    if similarities.shape != (len(labels), len(columns)):
        raise ValueError(
            f"similarities has shape {similarities.shape}; {len(labels)} row labels and {len(columns)} column labels were given"
        )
    rows, wide = similarities.shape
    if similarities.size == 0:
        raise ValueError("similarities is empty; give at least one row and one column")
    ax = ax or new_axes(2.6 + 0.62 * wide + 0.055 * max(map(len, labels)), 1.7 + 0.46 * rows)
    image = ax.imshow(similarities, vmin=min(0.0, similarities.min()), vmax=1.0, aspect="auto")
    ax.set_xticks(range(wide), columns, rotation=35, ha="right", rotation_mode="anchor")
    ax.set_yticks(range(rows), labels)
    ax.grid(False)
    ax.spines[:].set_visible(False)
    for row, column in np.ndindex(rows, wide):
        value = similarities[row, column]
        shade = "black" if image.norm(value) > 0.55 else "white"
        ax.text(column, row, f"{value:.2f}", ha="center", va="center", color=shade, fontsize=9)
    ax.figure.colorbar(image, ax=ax, label="cosine similarity", shrink=0.9)
    ax.set_title(title)
    return ax


@course_style()
def embedding_map(
    points: np.ndarray,
    groups: Sequence[str],
    labels: Sequence[str] | None = None,
    *,
    title: str,
    axis_names: tuple[str, str] = ("first component", "second component"),
    ax: Axes | None = None,
) -> Axes:
    """Draw points of the plane, one colour and marker for each group.

    Parameters
    ----------
    points : array, shape (n, 2)
        Such as embeddings after a PCA.
    groups
        The group of each point.
    labels
        A short text beside each point; None for none.

    Raises
    ------
    ValueError
        When the points are not n pairs, or groups or labels do not match them.
    """
    points = np.asarray(points)
    if len(points) == 0:
        raise ValueError("points is empty; give at least one")
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(
            f"points has shape {points.shape}; give one pair for each text, shape (n, 2): reduce embeddings with PCA first"
        )
    for name, given in (("groups", groups), ("labels", labels)):
        if given is not None and len(given) != len(points):
            raise ValueError(
                f"{len(points)} points and {len(given)} {name} were given; give one for each point"
            )
    ax = ax or new_axes(8, 5)
    groups = np.asarray(groups)
    for number, group in enumerate(dict.fromkeys(groups)):
        inside = groups == group
        ax.scatter(
            *points[inside].T,
            color=COLOURS[number % len(COLOURS)],
            marker=MARKERS[number % len(MARKERS)],
            s=46,
            alpha=0.85,
            edgecolors="white",
            linewidths=0.6,
            label=str(group),
        )
    for point, label in zip(
        points, labels if labels is not None else (), strict=labels is not None
    ):
        ax.annotate(
            label, point, xytext=(5, 4), textcoords="offset points", fontsize=8, color="#444444"
        )
    ax.set(xlabel=axis_names[0], ylabel=axis_names[1], title=title)
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return ax


@course_style()
def score_histogram(
    scores: Mapping[str, np.ndarray],
    *,
    title: str,
    threshold: float | None = None,
    bins: int = 40,
    xlabel: str = "cosine similarity",
    ax: Axes | None = None,
) -> Axes:
    """Draw how the scores of one or more groups are distributed, each group's area being 1.

    Parameters
    ----------
    scores
        The scores of each group, by its name.
    threshold
        Marked by a vertical line; None for none.

    Raises
    ------
    ValueError
        When there are no scores.
    """
    if not scores or any(np.size(values) == 0 for values in scores.values()):
        raise ValueError("a group without scores was given; give at least one score for each")
    ax = ax or new_axes()
    edges = np.histogram_bin_edges(
        np.concatenate([np.ravel(values) for values in scores.values()]), bins=bins
    )
    for number, (name, values) in enumerate(scores.items()):
        colour = COLOURS[number % len(COLOURS)]
        label = f"{name} (n = {np.size(values):,})"
        ax.hist(
            np.ravel(values),
            bins=edges,
            density=True,
            histtype="stepfilled",
            color=colour,
            alpha=0.18,
        )
        ax.hist(
            np.ravel(values),
            bins=edges,
            density=True,
            histtype="step",
            color=colour,
            linewidth=1.8,
            linestyle=LINES[number % len(LINES)],
            label=label,
        )
    if threshold is not None:
        ax.axvline(threshold, color="black", linewidth=1.2, linestyle=":")
        ax.text(threshold, 0.98, f" {threshold:.2f}", transform=ax.get_xaxis_transform(), va="top")
    ax.set(xlabel=xlabel, ylabel="density", title=title)
    ax.legend()
    return ax


@course_style()
def course_map(ax: Axes | None = None) -> Axes:
    """Draw the way from text to a defended answer, with the lesson in which each step is taken."""
    ax = ax or new_axes(9.5, 3.3)
    steps = (
        (0, 1, "text", "your corpus"),
        (2, 1, "vectors", "encode (01)"),
        (4, 1, "similarity", "compare (02)"),
        (6, 1, "ranking", "search (03)"),
        (8, 1, "answer", "measure, defend (07)"),
        (2, 0, "large corpus", "encode it once (06)"),
        (4, 0, "clusters", "discover topics (08)"),
        (6, 0, "index and store", "faster (04), kept (05)"),
        (8, 0, "many machines", "outgrow one (09)"),
    )
    for x, y, name, verb in steps:
        colour = COLOURS[0] if y else COLOURS[2]
        ax.text(
            x,
            y,
            name,
            ha="center",
            va="center",
            weight="bold",
            color="white",
            bbox={"boxstyle": "round,pad=0.55", "fc": colour, "ec": "none"},
        )
        ax.text(x, y - 0.3, verb, ha="center", va="center", fontsize=9, color="#333333")
    arrow = {
        "arrowstyle": "-|>",
        "color": "#777777",
        "shrinkA": 34,
        "shrinkB": 40,
        "linewidth": 1.4,
    }
    for left in range(0, 8, 2):
        ax.annotate("", xy=(left + 2, 1), xytext=(left, 1), arrowprops=arrow)
    for x in (2, 4, 6, 8):
        ax.annotate(
            "",
            xy=(x, 0.2),
            xytext=(x, 0.62),
            arrowprops=arrow | {"shrinkA": 2, "shrinkB": 2, "linestyle": ":"},
        )
    ax.set(
        xlim=(-1, 9),
        ylim=(-0.5, 1.4),
        title="From text to an answer that you can defend, and the lessons on the way",
    )
    ax.set_axis_off()
    return ax


@course_style()
def plane(vectors: Mapping[str, np.ndarray], *, title: str, ax: Axes | None = None) -> Axes:
    """Draw vectors of the plane, each with its name, as arrows from the origin.

    Parameters
    ----------
    vectors
        By name, each of shape (2,), with no negative component.
    """
    ax = ax or new_axes(5.2, 3.4)
    for number, (name, vector) in enumerate(vectors.items()):
        colour = COLOURS[number % len(COLOURS)]
        arrow = {"arrowstyle": "-|>", "color": colour, "lw": 2.2}
        ax.annotate("", xy=vector, xytext=(0, 0), arrowprops=arrow)
        ax.text(vector[0] + 0.08, vector[1] + 0.08, name, color=colour, weight="bold")
    right, top = np.max(list(vectors.values()), axis=0) * 1.2
    ax.set(xlim=(0, right), ylim=(0, top), aspect="equal", xlabel="x", ylabel="y", title=title)
    return ax


@course_style()
def bars(
    heights: Mapping[str, Sequence[float]],
    labels: Sequence[str],
    *,
    ylabel: str,
    title: str,
    ax: Axes | None = None,
) -> Axes:
    """Draw groups of bars side by side, one colour and hatch for each series.

    Parameters
    ----------
    heights
        By the name of the series: one height for each label (a DataFrame's columns will do).
    labels
        One for each group of bars.
    """
    ax = ax or new_axes(8, 3.8)
    width = 0.8 / len(heights)
    for number, name in enumerate(heights):
        places = np.arange(len(labels)) + (number - (len(heights) - 1) / 2) * width
        look = {"color": COLOURS[number % len(COLOURS)], "hatch": HATCHES[number % len(HATCHES)]}
        ax.bar(places, heights[name], width, label=name, edgecolor="white", **look)
    ax.set_xticks(range(len(labels)), labels)
    ax.set(ylabel=ylabel, title=title)
    ax.legend(loc="upper left", ncols=len(heights), bbox_to_anchor=(0, -0.2))
    return ax


@course_style()
def graded_strips(
    values: np.ndarray,
    groups: Sequence[str],
    grades: np.ndarray,
    *,
    xlabel: str,
    grade_label: str,
    title: str,
    ax: Axes | None = None,
) -> Axes:
    """Draw one row of dots for each group: a dot's place is its value, its colour its grade.

    Parameters
    ----------
    values, grades : arrays, shape (n,)
    groups
        The group of each dot; rows stand in the order of first appearance, from below.
    """
    ax = ax or new_axes(8, 4)
    values, groups, grades = np.asarray(values), np.asarray(groups), np.asarray(grades)
    names = list(dict.fromkeys(groups))
    row = np.array([names.index(group) for group in groups])
    # Spread within the row by a fixed sequence: dots do not hide each other, and the picture is
    # always the same.
    spread = (np.arange(len(values)) * 0.618034 % 1 - 0.5) * 0.56
    look = {"cmap": "cividis", "s": 26, "edgecolors": "grey", "linewidths": 0.4}
    dots = ax.scatter(values, row + spread, c=grades, vmin=0, vmax=max(grades), **look)
    ax.set_yticks(range(len(names)), [f"{name} (n = {(groups == name).sum()})" for name in names])
    ax.set(xlabel=xlabel, title=title)
    ax.figure.colorbar(dots, ax=ax, label=grade_label)
    return ax
