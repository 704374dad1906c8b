"""The course's figures: one look for all of them, and a description in words for each.

>>> ax = embedding_map(points, groups, title="Two topics")
>>> show(ax, alt="Map of 40 articles: health lies to the left of harbour, with no overlap.")

The colours are those of Okabe and Ito, which people with any kind of colour blindness can tell apart; where colour tells groups
apart, a marker or a line style does so too, for grey print. Every function draws into the axes it is given, or makes a figure,
and returns the axes. The ground is white in dark mode too: a panel on which every colour is as visible as on paper.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Okabe and Ito's colours, the darker ones first; yellow is left out, for it is too light on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
GREY = "#999999"
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "<", ">")
LINES = ("-", "--", "-.", ":")
HATCHES = ("", "///", "...", "xxx")

STYLE = {
    "figure.figsize": (7.5, 4.2),
    "figure.dpi": 96,
    "figure.facecolor": "white",
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
    "image.cmap": "viridis",
}


def _settings() -> dict:
    from cycler import cycler

    return STYLE | {"axes.prop_cycle": cycler(color=COLOURS)}


def use_course_style() -> None:
    """Draw everything that follows in the course's look. The functions below need no such call."""
    import matplotlib.pyplot as plt

    plt.rcParams.update(_settings())


@contextmanager
def course_style() -> Iterator[None]:
    """Draw in the course's look inside a ``with`` block or a decorated function, and only there."""
    import matplotlib.pyplot as plt

    with plt.rc_context(_settings()):
        yield


@course_style()
def new_axes(width: float = 7.5, height: float = 4.2) -> Axes:
    """Return the axes of a new figure in the course's look, `width` by `height` inches."""
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=(width, height))[1]


def show(figure: Figure | Axes | Sequence[Axes], *, alt: str) -> None:
    """Display a figure (or the one of axes) as a PNG with its description in words, and close it.

    `alt` is for readers who do not see it: what is drawn, and what it shows, in a sentence or two (ValueError when it says
    nothing). Kept as ``alt`` of the picture in the output's metadata, and as the output's text.
    """
    import matplotlib.pyplot as plt
    from IPython.display import display

    if not isinstance(alt, str) or not alt.strip():
        raise ValueError(f"alt={alt!r}: say in a sentence or two what the figure shows")
    alt = " ".join(alt.split())
    figure = figure if hasattr(figure, "savefig") else np.ravel(figure)[0].figure
    picture = io.BytesIO()
    # Without a date and a version inside, the same figure gives the same bytes.
    look = {"bbox_inches": "tight", "facecolor": "white", "metadata": {"Software": None}}
    figure.savefig(picture, format="png", dpi=figure.dpi, **look)
    plt.close(figure)
    output = {"image/png": picture.getvalue(), "text/plain": f"Figure: {alt}"}
    display(output, metadata={"image/png": {"alt": alt}}, raw=True)


@course_style()
def similarity_heatmap(
    similarities: np.ndarray,
    labels: Sequence[str],
    column_labels: Sequence[str] | None = None,
    *,
    limits: tuple[float, float] | None = None,
    title: str = "Cosine similarity",
    ax: Axes | None = None,
) -> Axes:
    """Draw similarities, shape (rows, columns), as coloured squares with the numbers in them; without `column_labels` the columns
    are the rows. The colours go from 0, or the lowest, to 1, or between `limits`: where all are high, narrower ones show the
    blocks. ValueError when the labels do not match the matrix, or the limits have no room between them."""
    similarities = np.asarray(similarities)
    columns = labels if column_labels is None else column_labels
    rows, wide = len(labels), len(columns)
    if similarities.shape != (rows, wide) or not similarities.size:
        given = f"{rows} row labels and {wide} column labels were given"
        raise ValueError(f"similarities has shape {similarities.shape}; {given}")
    low, high = limits or (min(0.0, similarities.min()), 1.0)
    if not low < high:
        raise ValueError(f"limits={limits}: give (low, high), the first lower than the second")
    ax = ax or new_axes(2.6 + 0.62 * wide + 0.055 * max(map(len, labels)), 1.7 + 0.46 * rows)
    image = ax.imshow(similarities, vmin=low, vmax=high, aspect="auto")
    ax.set_xticks(range(wide), columns, rotation=35, ha="right", rotation_mode="anchor")
    ax.set_yticks(range(rows), labels)
    ax.grid(False)
    ax.spines[:].set_visible(False)
    for row, column in np.ndindex(rows, wide):
        value = similarities[row, column]
        shade = "black" if image.norm(value) > 0.55 else "white"
        ax.text(column, row, f"{value:.2f}", ha="center", va="center", color=shade, fontsize=9)
    ends = "both" if limits else "neither"  # pointed: beyond them the colour stays the same
    ax.figure.colorbar(image, ax=ax, label="cosine similarity", shrink=0.9, extend=ends)
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
    """Draw `points` of the plane, shape (n, 2), such as embeddings after a PCA: one colour and marker for each of `groups`.

    More colours than seven nobody tells apart: of more groups, the three largest have a colour each, and the others are grey.
    `labels` are short texts beside the points. Raises ValueError when the points are not n pairs, or groups or labels do not
    match them.
    """
    points = np.asarray(points)
    if points.shape[1:] != (2,) or not len(points):
        how = "give one pair for each text, shape (n, 2): reduce embeddings with PCA first"
        raise ValueError(f"points has shape {points.shape}; {how}")
    for name, given in (("groups", groups), ("labels", labels)):
        if given is not None and len(given) != len(points):
            given = f"{len(points)} points and {len(given)} {name} were given"
            raise ValueError(f"{given}; give one for each point")
    groups = np.asarray(groups)
    names = list(dict.fromkeys(groups.tolist()))
    largest = [name for name, _ in Counter(groups.tolist()).most_common(3)]
    highlight = names if len(names) <= len(COLOURS) else [n for n in names if n in largest]
    ax = ax or new_axes(8, 5)
    look = {"edgecolors": "white", "linewidths": 0.6}
    for colour, marker, group in zip(COLOURS, MARKERS, highlight, strict=False):
        inside, label = points[groups == group].T, str(group)
        ax.scatter(*inside, color=colour, marker=marker, s=46, alpha=0.85, label=label, **look)
    rest = points[~np.isin(groups, highlight)].T
    if rest.size:
        label = f"{len(names) - len(highlight)} others"
        ax.scatter(*rest, color=GREY, marker=".", s=46, alpha=0.6, zorder=0.5, label=label, **look)
    place = {"xytext": (5, 4), "textcoords": "offset points", "fontsize": 8, "color": "#444444"}
    for point, label in zip(points, [] if labels is None else labels, strict=False):
        ax.annotate(label, point, **place)
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
    """Draw how the scores of one or more groups, by name, are distributed, each group's area being 1; a `threshold` is marked by
    a vertical line."""
    if not scores or any(np.size(values) == 0 for values in scores.values()):
        raise ValueError("a group without scores was given; give at least one score for each")
    ax = ax or new_axes()
    together = np.concatenate([np.ravel(values) for values in scores.values()])
    edges = np.histogram_bin_edges(together, bins=bins)
    for number, (name, values) in enumerate(scores.items()):
        colour = COLOURS[number % len(COLOURS)]
        label = f"{name} (n = {np.size(values):,})"
        common = {"bins": edges, "density": True, "color": colour}
        line = {"linewidth": 1.8, "linestyle": LINES[number % len(LINES)], "label": label}
        ax.hist(np.ravel(values), histtype="stepfilled", alpha=0.18, **common)
        ax.hist(np.ravel(values), histtype="step", **common, **line)
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
    box = {"boxstyle": "round,pad=0.55", "ec": "none"}
    middle = {"ha": "center", "va": "center"}
    for x, y, name, verb in steps:
        colour = {"fc": COLOURS[0] if y else COLOURS[2]}
        ax.text(x, y, name, weight="bold", color="white", bbox=box | colour, **middle)
        ax.text(x, y - 0.3, verb, fontsize=9, color="#333333", **middle)
    arrow = {"arrowstyle": "-|>", "color": "#777777", "linewidth": 1.4}
    right = arrow | {"shrinkA": 34, "shrinkB": 40}
    down = arrow | {"shrinkA": 2, "shrinkB": 2, "linestyle": ":"}
    for x in (0, 2, 4, 6):
        ax.annotate("", xy=(x + 2, 1), xytext=(x, 1), arrowprops=right)
        ax.annotate("", xy=(x + 2, 0.2), xytext=(x + 2, 0.62), arrowprops=down)
    title = "From text to an answer that you can defend, and the lessons on the way"
    ax.set(xlim=(-1, 9), ylim=(-0.5, 1.4), title=title)
    ax.set_axis_off()
    return ax


@course_style()
def plane(vectors: Mapping[str, np.ndarray], *, title: str, ax: Axes | None = None) -> Axes:
    """Draw vectors of the plane, shape (2,), no component negative, each with its name, as arrows from the origin."""
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
    """Draw a group of bars for each of `labels`, one colour and hatch for each series in `heights`, which holds, by the name of
    the series, one height for each label (a DataFrame will do)."""
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
    """Draw one row of dots for each group: a dot's place is its value, its colour its grade. All three have shape (n,). Rows
    stand in the order of first appearance from above, as in a table."""
    ax = ax or new_axes(8, 4)
    values, groups, grades = np.asarray(values), np.asarray(groups), np.asarray(grades)
    names = list(dict.fromkeys(groups))
    row = np.array([names.index(group) for group in groups])
    # Spread within the row by a fixed sequence: dots do not hide each other, and the picture is always the same.
    spread = (np.arange(len(values)) * 0.618034 % 1 - 0.5) * 0.56
    look = {"cmap": "cividis", "s": 26, "edgecolors": "grey", "linewidths": 0.4}
    dots = ax.scatter(values, row + spread, c=grades, vmin=0, vmax=max(grades), **look)
    ax.set_yticks(range(len(names)), [f"{name} (n = {(groups == name).sum()})" for name in names])
    ax.invert_yaxis()
    ax.set(xlabel=xlabel, title=title)
    ax.figure.colorbar(dots, ax=ax, label=grade_label)
    return ax


@course_style()
def quality_cost(
    table: pd.DataFrame,
    *,
    quality: str = "nDCG@10",
    cost: str = "ms/query",
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the rows of a table such as `evaluation.compare_models` gives: quality upwards, cost to the right, on a logarithmic
    scale. The best place is at the upper left. Rows without one of the two figures are left out."""
    known = table[[quality, cost]].dropna()
    if known.empty:
        raise ValueError(f"no row of the table has both {quality!r} and {cost!r}")
    ax = ax or new_axes(7.5, 4)
    place = {"xytext": (0, -18), "textcoords": "offset points", "ha": "center", "weight": "bold"}
    for number, (name, row) in enumerate(known.iterrows()):
        colour, marker = COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)]
        look = {"s": 110, "edgecolors": "white", "zorder": 3}
        ax.scatter(row[cost], row[quality], color=colour, marker=marker, **look)
        ax.annotate(str(name), (row[cost], row[quality]), color=colour, **place)
    ax.set_xscale("log")
    ax.set(xlabel=f"{cost} (logarithmic)", ylabel=quality, title=title or f"{quality} and {cost}")
    ax.margins(x=0.2, y=0.3)
    return ax
