"""The figures: drawn without a display, labelled, in one look, and without a trace in matplotlib's settings."""

import io

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb

from helpers import plots
from helpers.plots import (
    course_map,
    course_style,
    embedding_map,
    graded_strips,
    new_axes,
    quality_cost,
    score_histogram,
    show,
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
    # A socket that another test left open may be collected, and warn, while this one runs.
    ours = [w for w in recwarn if not issubclass(w.category, ResourceWarning)]
    assert [str(warning.message) for warning in ours] == []


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


def test_narrower_limits_show_the_blocks_and_say_that_colours_end():
    """Numbers stay true and readable; the bar is pointed where values may lie beyond."""
    values = [[1.0, 0.62], [0.05, 1.0]]
    ax = similarity_heatmap(values, ["a", "b"], limits=(0.4, 0.7))
    image = ax.images[0]
    assert image.get_clim() == (0.4, 0.7)
    assert image.colorbar.extend == "both"
    assert heatmap().images[0].colorbar.extend == "neither"
    assert [text.get_text() for text in ax.texts] == ["1.00", "0.62", "0.05", "1.00"]
    for text, value in zip(ax.texts, np.ravel(values), strict=True):
        assert contrast(text.get_color(), image.cmap(image.norm(value))[:3]) >= 3
    with pytest.raises(ValueError, match="the first lower than the second"):
        similarity_heatmap(values, ["a", "b"], limits=(0.7, 0.4))


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


MANY = [f"group {n}" for n in range(14) for _ in range(n % 5 + 1)]
PLACES = np.random.default_rng(1).normal(size=(len(MANY), 2))


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_of_many_groups_the_three_largest_have_colours_and_the_others_are_grey():
    """And every point is drawn once."""
    ax = embedding_map(PLACES, MANY, title="A title")
    assert legend(ax) == ["group 3", "group 4", "group 9", "11 others"]
    drawn = np.concatenate([collection.get_offsets() for collection in ax.collections])
    np.testing.assert_array_equal(np.sort(drawn, axis=0), np.sort(PLACES, axis=0))
    colours = [to_hex(collection.get_facecolor()[0]).upper() for collection in ax.collections]
    assert colours == [*plots.COLOURS[:3], plots.GREY]
    assert ax.collections[-1].zorder < ax.collections[0].zorder, "grey lies below"


def test_a_map_of_at_most_seven_groups_shows_them_all():
    """Each in a colour of its own."""
    seven = [f"group {n % 7}" for n in range(len(MANY))]
    ax = embedding_map(PLACES, seven, title="A title")
    assert len(legend(ax)) == 7
    assert len({to_hex(c.get_facecolor()[0]) for c in ax.collections}) == 7


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


# Strips


def test_strips_stand_in_the_order_of_the_table():
    """The first group on top, each dot in its group's row, its colour its grade."""
    ax = graded_strips(
        np.array([0.9, 0.1, 0.8]),
        ["high", "low", "high"],
        np.array([5, 0, 4]),
        xlabel="cosine",
        grade_label="grade",
        title="A title",
    )
    labels = [tick.get_text() for tick in ax.get_yticklabels()]
    assert labels == ["high (n = 2)", "low (n = 1)"]
    x, y = ax.collections[0].get_offsets().T
    assert list(x) == [0.9, 0.1, 0.8]
    assert list(np.round(y)) == [0, 1, 0]
    above, below = ax.transData.transform([(0, 0), (0, 1)])[:, 1]
    assert above > below
    assert list(ax.collections[0].get_array()) == [5, 0, 4]


# Quality and cost


def test_quality_and_cost_of_each_model():
    """Told apart by marker, named, cost on a logarithmic scale; rows with a gap are left out."""
    table = pd.DataFrame(
        {"nDCG@10": [0.6, 0.7, None], "ms/query": [5, 50, 3]}, index=["small", "large", "absent"]
    )
    ax = quality_cost(table)
    assert ax.get_xscale() == "log"
    assert [tuple(c.get_offsets()[0]) for c in ax.collections] == [(5, 0.6), (50, 0.7)]
    assert [text.get_text() for text in ax.texts] == ["small", "large"]
    assert len({c.get_paths()[0].vertices.tobytes() for c in ax.collections}) == 2
    assert ax.get_ylabel() == "nDCG@10"
    assert ax.get_title(loc="left") == "nDCG@10 and ms/query"
    with pytest.raises(ValueError, match="no row"):
        quality_cost(table[2:])


# Showing


@pytest.fixture
def shown(monkeypatch):
    """What was displayed: pairs of data and metadata."""
    from IPython import display

    outputs = []

    def keep(data, *, metadata, raw):
        assert raw
        outputs.append((data, metadata))

    monkeypatch.setattr(display, "display", keep)
    return outputs


def test_a_figure_is_shown_with_its_description_and_closed(shown):
    """As a picture, in its metadata, and as text; the same figure gives the same bytes."""
    for _ in range(2):
        assert show(heatmap(), alt="Three squares:\n   the first is bright.") is None
    assert plt.get_fignums() == []
    (data, metadata), (again, _) = shown
    assert metadata == {"image/png": {"alt": "Three squares: the first is bright."}}
    assert data["text/plain"] == "Figure: Three squares: the first is bright."
    assert data["image/png"].startswith(b"\x89PNG")
    assert data == again
    assert b"Software" not in data["image/png"]


def test_figures_axes_and_arrays_of_axes_can_be_shown(shown):
    """Whatever is at hand."""
    figure, axes = plt.subplots(2, 2)
    for what in (figure, axes, axes[0, 0], list(axes[0])):
        show(what, alt="Four empty axes.")
    assert len({data["image/png"] for data, _ in shown}) == 1


def test_the_ground_is_white_whatever_the_theme(shown):
    """A panel that dark mode does not darken, and on which every text is as dark as on paper."""
    plt.rcParams.update({"figure.facecolor": "black", "savefig.facecolor": "none"})
    show(scatter(), alt="Three groups of points.")
    picture = plt.imread(io.BytesIO(shown[0][0]["image/png"]))
    assert picture[0, 0].tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize("alt", ["", "  \n", None])
def test_a_figure_without_a_description_is_not_shown(shown, alt):
    """Nor closed: the cell can be mended."""
    ax = scatter()
    with pytest.raises(ValueError, match="say in a sentence or two what the figure shows"):
        show(ax, alt=alt)
    with pytest.raises(TypeError, match="alt"):
        show(ax)
    assert not shown
    assert plt.get_fignums()


def test_the_description_is_stored_in_the_notebook_once(tmp_path):
    """Executed as ``make run`` does: no second output by the kernel, metadata and all kept."""
    import nbformat

    from helpers.course.notebooks import execute

    cell = "from helpers import plots\nplots.show(plots.new_axes(2, 1), alt='Empty axes.')"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
    nbformat.write(notebook, tmp_path / "one.ipynb")
    execute(tmp_path / "one.ipynb")
    (output,) = nbformat.read(tmp_path / "one.ipynb", 4).cells[0].outputs
    assert output.output_type == "display_data"
    assert output.metadata == {"image/png": {"alt": "Empty axes."}}
    assert output.data["text/plain"] == "Figure: Empty axes."
    assert output.data["image/png"].startswith("iVBOR")
