"""The figures: drawn without a display, labelled, in one look, and without a trace in matplotlib's settings."""

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb

from helpers import plots
from helpers.plots import (
    course_map,
    course_style,
    embedding_map,
    new_axes,
    score_histogram,
    similarity_heatmap,
)

GENERATOR = np.random.default_rng(0)
SIMILARITIES = np.array([[1.0, 0.254, -0.3], [0.254, 1.0, 0.7]])
POINTS = GENERATOR.normal(size=(6, 2))
GROUPS = ["sea", "sea", "land", "air", "land", "sea"]
SCORES = {
    "random pairs": GENERATOR.normal(0.1, 0.1, 300),
    "paraphrases": GENERATOR.normal(0.7, 0.1, 200),
}


def heatmap(**settings):
    return similarity_heatmap(
        SIMILARITIES, ["row 1", "row 2"], ["a", "b", "c"], title="A title", **settings
    )


def scatter(**settings):
    return embedding_map(POINTS, GROUPS, title="A title", **settings)


def histogram(**settings):
    return score_histogram(SCORES, title="A title", **settings)


EACH = pytest.mark.parametrize("draw", [heatmap, scatter, histogram])


@pytest.fixture(autouse=True)
def no_display(monkeypatch):
    """Draw in memory, as on a server, with matplotlib's own settings, and close everything at the end."""
    monkeypatch.delenv("DISPLAY", raising=False)
    matplotlib.rcdefaults()
    plt.switch_backend("Agg")
    yield
    plt.close("all")


def picture(ax):
    ax.figure.canvas.draw()
    return np.asarray(ax.figure.canvas.buffer_rgba())


def luminance(colour):
    """Relative luminance as in the web's accessibility guidelines (WCAG 2)."""
    channels = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return float(np.dot(channels, [0.2126, 0.7152, 0.0722]))


def contrast(first, second):
    brighter, darker = sorted([luminance(first), luminance(second)], reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


# What holds for every figure


@EACH
def test_a_figure_is_drawn_and_its_axes_returned(draw):
    """One figure, with ink on it, and no warning from matplotlib."""
    ax = draw()
    assert isinstance(ax, Axes)
    assert len(plt.get_fignums()) == 1
    assert picture(ax).std() > 5


@EACH
def test_drawing_raises_no_warning(draw, recwarn):
    """Also when the layout is computed."""
    picture(draw())
    assert [str(warning.message) for warning in recwarn] == []


@EACH
def test_a_figure_has_its_title_in_the_courses_look(draw):
    """On the left and bold, wherever the settings of matplotlib would put it."""
    ax = draw()
    assert ax.get_title(loc="left") == "A title"
    assert ax.get_title(loc="center") == ""
    assert ax._left_title.get_fontweight() == "bold"
    assert not ax.spines["top"].get_visible()
    assert ax.figure.dpi <= 100


@EACH
def test_matplotlibs_own_settings_stay_as_they_were(draw):
    """Before, after, and after an error."""
    before = dict(matplotlib.rcParams)
    draw()
    assert dict(matplotlib.rcParams) == before
    with pytest.raises(ValueError, match="were given"):
        embedding_map(POINTS, ["too few"], title="A title")
    assert dict(matplotlib.rcParams) == before


@EACH
def test_a_figure_can_be_drawn_into_given_axes(draw):
    """No second figure is made."""
    ax = new_axes()
    assert draw(ax=ax) is ax
    assert len(plt.get_fignums()) == 1


@EACH
def test_one_figure_closes(draw):
    """Nothing else stays open."""
    plt.close(draw().figure)
    assert plt.get_fignums() == []


def test_new_axes_are_as_large_as_asked_for():
    """In inches."""
    assert new_axes(5, 3).figure.get_size_inches().tolist() == [5, 3]


def test_the_style_holds_inside_the_block_only():
    """Colours and look, then everything as it was."""
    before = dict(matplotlib.rcParams)
    with course_style():
        colours = plt.rcParams["axes.prop_cycle"].by_key()["color"]
        assert tuple(colour.upper() for colour in colours) == plots.COLOURS
        assert plt.rcParams["axes.titlelocation"] == "left"
    assert dict(matplotlib.rcParams) == before


def test_the_colours_are_distinct_and_dark_enough_for_white_paper():
    """Of Okabe and Ito's, without yellow."""
    okabe_ito = {
        colour.upper() if isinstance(colour, str) else to_hex(colour).upper()
        for colour in plt.color_sequences["okabe_ito"]
    }
    assert {colour.upper() for colour in plots.COLOURS} <= okabe_ito
    assert len(set(plots.COLOURS)) == len(plots.COLOURS)
    assert min(contrast(colour, "white") for colour in plots.COLOURS) > 2


# Heatmap


def test_the_heatmap_shows_every_number_in_its_place():
    """Two digits in each square."""
    texts = {
        (round(t.get_position()[1]), round(t.get_position()[0])): t.get_text()
        for t in heatmap().texts
    }
    assert texts == {
        (row, column): f"{SIMILARITIES[row, column]:.2f}" for row, column in np.ndindex(2, 3)
    }


def test_the_heatmaps_rows_and_columns_are_labelled_and_its_colours_explained():
    """Labels in order; the bar says what the colour means."""
    ax = heatmap()
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["row 1", "row 2"]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["a", "b", "c"]
    bars = [other for other in ax.figure.axes if other is not ax]
    assert [bar.get_ylabel() for bar in bars] == ["cosine similarity"]


def test_a_square_heatmap_needs_its_labels_once_and_has_a_title_of_its_own():
    """The columns are the rows."""
    ax = similarity_heatmap(np.eye(2), ["a", "b"])
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["a", "b"]
    assert ax.get_title(loc="left")


def test_the_heatmaps_numbers_can_be_read_on_their_colours():
    """Contrast of at least 3 to 1 for any similarity."""
    values = np.linspace(-1, 1, 41).reshape(1, -1)
    ax = similarity_heatmap(values, ["row"], [str(n) for n in range(41)])
    image = ax.images[0]
    for text, value in zip(ax.texts, values[0], strict=True):
        assert contrast(text.get_color(), image.cmap(image.norm(value))[:3]) >= 3, value


def test_negative_similarities_have_colours_of_their_own():
    """The scale reaches down to the lowest and always up to 1."""
    assert heatmap().images[0].get_clim() == (-0.3, 1.0)
    assert similarity_heatmap(np.full((2, 2), 0.5), ["a", "b"]).images[0].get_clim() == (0.0, 1.0)


@pytest.mark.parametrize(
    ("shape", "rows", "columns"),
    [((3,), 3, None), ((2, 3), 2, None), ((2, 3), 3, 2), ((2, 2, 2), 2, 2), ((2, 2), 2, 3)],
)
def test_a_heatmap_whose_labels_do_not_match_is_refused(shape, rows, columns):
    """The message gives shape and numbers of labels; no figure is left open."""
    with pytest.raises(
        ValueError,
        match=rf"shape \({shape[0]},.*{rows} row labels and {columns or rows} column labels",
    ):
        similarity_heatmap(
            np.zeros(shape), ["x"] * rows, None if columns is None else ["y"] * columns
        )
    assert plt.get_fignums() == []


# Map


def test_the_map_shows_every_point_in_its_group():
    """One marker and one colour for each group, in order of appearance, and a legend."""
    ax = scatter()
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["sea", "land", "air"]
    assert not ax.get_legend().get_frame_on()
    for collection, group in zip(ax.collections, ["sea", "land", "air"], strict=True):
        np.testing.assert_allclose(collection.get_offsets(), POINTS[[g == group for g in GROUPS]])
    assert len({to_hex(c.get_facecolor()[0]) for c in ax.collections}) == 3
    assert len({c.get_paths()[0].vertices.tobytes() for c in ax.collections}) == 3, (
        "told apart by colour only"
    )


def test_the_maps_axes_are_named():
    """By default and as asked."""
    assert (scatter().get_xlabel(), scatter().get_ylabel()) == (
        "first component",
        "second component",
    )
    ax = scatter(axis_names=("PC 1 (12 %)", "PC 2 (8 %)"))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("PC 1 (12 %)", "PC 2 (8 %)")


def test_the_map_writes_a_label_beside_each_point():
    """Only if labels are given."""
    assert list(scatter().texts) == []
    ax = scatter(labels=list("abcdef"))
    assert [(t.get_text(), tuple(t.xy)) for t in ax.texts] == [
        (c, tuple(p)) for c, p in zip("abcdef", POINTS, strict=True)
    ]


def test_seventy_groups_are_told_apart_by_colour_and_marker_together():
    """No combination comes twice."""
    assert len({(n % len(plots.COLOURS), n % len(plots.MARKERS)) for n in range(70)}) == 70


@pytest.mark.parametrize("shape", [(6,), (6, 3), (6, 384), (6, 2, 1), (6, 1)])
def test_points_that_are_not_of_the_plane_are_refused(shape):
    """The message says what to do with embeddings."""
    with pytest.raises(ValueError, match=r"points has shape.*PCA"):
        embedding_map(np.zeros(shape), GROUPS, title="A title")


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"groups": ["a"] * 5}, "5 groups"), ({"labels": ["a"] * 7}, "7 labels")],
)
def test_groups_or_labels_that_do_not_match_the_points_are_refused(settings, message):
    """The message gives both numbers."""
    with pytest.raises(ValueError, match=f"6 points and {message}"):
        embedding_map(POINTS, **{"groups": GROUPS, "title": "A title"} | settings)
    assert plt.get_fignums() == []


# Histogram


def test_the_histogram_names_its_axes_and_its_groups_with_their_size():
    """Labels that can be read without the text around."""
    ax = histogram()
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("cosine similarity", "density")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "random pairs (n = 300)",
        "paraphrases (n = 200)",
    ]
    assert not ax.get_legend().get_frame_on()
    assert histogram(xlabel="BM25 score").get_xlabel() == "BM25 score"


def test_the_histograms_groups_have_the_area_one_and_the_same_bins():
    """Heights times widths, for the outlines as drawn."""
    outlines = [patch for patch in histogram(bins=25).patches if not patch.get_fill()]
    assert len(outlines) == 2
    edges = []
    for outline in outlines:
        x, y = outline.get_xy().T
        assert abs(np.trapezoid(y, x)) == pytest.approx(1, abs=1e-6)
        edges.append(np.unique(np.round(x, 9)))
    np.testing.assert_allclose(edges[0], edges[1])
    assert len(edges[0]) == 26


def test_the_histograms_groups_differ_in_line_style_too():
    """For grey print."""
    outlines = [patch for patch in histogram().patches if not patch.get_fill()]
    assert len({outline.get_linestyle() for outline in outlines}) == 2


def test_the_histogram_marks_a_threshold():
    """With its value; none without one, and 0 is one."""
    assert list(histogram().lines) == []
    for threshold in (0.4, 0.0):
        ax = histogram(threshold=threshold)
        assert [list(line.get_xdata()) for line in ax.lines] == [[threshold, threshold]]
        assert f"{threshold:.2f}" in ax.texts[0].get_text()


def test_the_histogram_takes_matrices_lists_and_a_single_score():
    """Whatever its shape, all values count."""
    ax = score_histogram(
        {"matrix": np.full((2, 3), 0.5), "list": [0.1, 0.2], "one": [0.3]}, title="A title"
    )
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "matrix (n = 6)",
        "list (n = 2)",
        "one (n = 1)",
    ]


@pytest.mark.parametrize("scores", [{}, {"a": []}, {"a": [0.1], "b": np.empty(0)}])
def test_a_histogram_of_nothing_is_refused(scores):
    """Rather than an empty figure."""
    with pytest.raises(ValueError, match="without scores"):
        score_histogram(scores, title="A title")
    assert plt.get_fignums() == []


def test_a_histogram_of_nan_is_refused():
    """NaN cannot be placed; matplotlib says so."""
    with pytest.raises(ValueError, match="finite"):
        score_histogram({"a": [0.1, np.nan]}, title="A title")


# The course's map


def test_the_course_map_is_drawn_in_the_courses_look():
    """It names the lessons, has a title, and leaves the settings alone."""
    before = dict(matplotlib.rcParams)
    ax = new_axes()
    course_map(ax)
    assert dict(matplotlib.rcParams) == before
    assert ax.get_title(loc="left")
    text = " ".join(text.get_text() for text in ax.texts)
    for lesson in ("01", "02", "03", "04", "05", "06", "07", "08", "09"):
        assert lesson in text
    assert picture(ax).std() > 5
