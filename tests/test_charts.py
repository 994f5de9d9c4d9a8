"""Charts: which input stands along x, what along y, and what a claim without a picture says instead."""

import pytest

from tests.specimens import FIRST, RIGHT, SECOND, examples, read_page, runs_of, write_record
from tools import charts
from tools.charts import Chart
from tools.pictures import COLOURS, MARKS, alone, draw, draw_all
from tools.view import view

GROWS = {
    "observed": [8, 16, 24, 32],
    "right": [8, 16, 24, 32],
    "first": [8, 32, 72, 128],
    "second": [4, 8, 12, 16],
    "heads": [1, 2, 3, 4],
    "group": [3, 5, 3, 5],
}


def charted(root, **columns):
    """The chart of a claim whose run has these samples, and these alone."""
    page = read_page(root)
    samples = examples(**{**GROWS, **columns})
    write_record(root, page, runs_of(page, right={"samples": samples}))
    ((claim,),) = (page.claims for page in view(root).pages)
    return charts.chart(claim)


def test_the_input_that_explains_the_error_stands_along_x(repository):
    """Here the first answer is off by as many times as there are heads."""
    chart = charted(repository)

    assert (chart.kind, chart.x.name, chart.y.scale) == ("ratio", "heads", "log")
    assert [(s.name, s.y) for s in chart.series] == [
        ("just_right", (1, 1, 1, 1)),
        ("too_many", (1, 2, 3, 4)),
        ("too_few", (0.5, 0.5, 0.5, 0.5)),
    ]


def test_another_input_stands_there_if_it_explains_more(repository):
    """Names of inputs do not matter, nor their order."""
    assert charted(repository, heads=[3, 5, 3, 4], group=[1, 2, 3, 4]).x.name == "group"


def test_wide_inputs_stand_along_a_logarithm(repository):
    """From a ratio of thirty on."""
    assert charted(repository, heads=[1, 4, 16, 29]).x.scale == "linear"
    assert charted(repository, heads=[1, 4, 16, 30]).x.scale == "log"


def test_with_a_zero_predictions_stand_over_observations(repository):
    """A ratio to nothing says nothing; the line is where both are equal."""
    chart = charted(
        repository,
        observed=[0, 1, 2, 3, 4],
        right=[0, 1, 2, 3, 4],
        first=[5] * 5,
        second=[-1] * 5,
        heads=[1, 2, 3, 4, 5],
        group=[1] * 5,
    )
    assert (chart.kind, chart.x.name) == ("equal", "observed kept_bytes")
    assert chart.y.name == "predicted kept bytes"
    assert chart.series[1].x == (0, 1, 2, 3, 4)


def test_where_one_value_was_observed_values_stand_over_an_input(repository):
    """What was observed is drawn as well."""
    chart = charted(repository, observed=[0] * 4, right=[0] * 4)

    assert (chart.kind, chart.x.name) == ("values", "heads")
    assert chart.observed == ((1, 2, 3, 4), (0, 0, 0, 0))


def test_names_stand_in_places(repository):
    """Inputs that are no numbers, in the order in which they were drawn."""
    chart = charted(repository, heads=["'k2'", "'k1'", "'k2'", "'k3'"], group=["'a'"] * 4)

    assert (chart.x.scale, chart.x.places) == ("places", ("k2", "k1", "k3"))
    assert chart.series[0].x == (0, 1, 0, 2)


def test_lists_stand_by_their_length(repository):
    """A list has no size but that."""
    chart = charted(repository, heads=[[1], [1, 1], [2, 2, 2], [3] * 4], group=["'a'"] * 4)

    assert (chart.x.name, chart.series[0].x) == ("length of heads", (1, 2, 3, 4))


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"observed": [[1, 2]] * 4}, "fewer than three examples are single numbers"),
        ({"observed": ["inf", "inf", "inf", 8]}, "fewer than three examples are single numbers"),
        ({"first": GROWS["right"], "second": GROWS["right"]}, "no wrong answer is off by enough"),
        ({"heads": [4] * 4, "group": [True] * 4}, "its inputs take too few values"),
    ],
)
def test_a_picture_that_shows_nothing_is_left_out(repository, columns, reason):
    """And the page says why."""
    told = charted(repository, **columns)
    assert isinstance(told, str)
    assert reason in told


def test_more_answers_than_marks_have_no_picture(repository, monkeypatch):
    """Two of them would look alike."""
    monkeypatch.setattr(charts, "RIVALS", 1)
    assert "2 wrong answers could not be told apart" in charted(repository)


def test_answers_that_act_have_no_picture(repository):
    """An implementation predicts no number."""
    page = read_page(repository)
    write_record(repository, page, runs_of(page, quantity=""))
    ((claim,),) = (page.claims for page in view(repository).pages)

    assert "implementations" in charts.chart(claim)


def test_examples_without_a_number_are_counted(repository):
    """They are not drawn, and the caption says how many they are."""
    chart = charted(repository, first=[8, 32, 72, "raised ZeroDivisionError"])

    assert (chart.left_out, len(chart.series[0].x)) == (1, 3)
    assert "1 more hold no finite number" in chart.caption


@pytest.mark.parametrize(
    ("right", "told"),
    [
        ([8, 16, 24, 33], "the right answer lies on the line at 1"),
        (
            [8, 16, 24, 64],
            "the claim takes its right answer as a bound or within a tolerance of the line at 1",
        ),
    ],
)
def test_a_bound_is_not_said_to_lie_on_the_line(repository, right, told):
    """A claim may accept its right answer as a bound, or within a tolerance that can be seen."""
    assert told in charted(repository, right=right).caption


def test_the_figures_stand_along_x(repository):
    """Each place once, in order, under the names of the answers."""
    chart = charted(repository, heads=[4, 1, 2, 1], observed=[8] * 4, right=[8] * 4, first=[16] * 4)

    assert charts.head(chart) == ("heads", "just right", "too many", "too few")
    assert [row[0] for row in charts.rows(chart)] == ["1", "1", "2", "4"]


def test_a_picture_is_told_in_words(repository):
    """Its description names every answer and how far it goes."""
    told = charted(repository).description

    assert "just right predicts 1 times of what was observed" in told
    assert "too many predicts 1 to 4 times of what was observed" in told


# The drawing


def test_a_picture_follows_the_scheme_and_is_told_in_words(repository):
    """No colour of its own: custom properties, and alone it brings them along, for light and for dark."""
    chart = charted(repository)
    svg = draw(chart)

    assert svg.startswith("<svg ")
    assert f'<title id="t{chart.digest}">The cache grows with groups.</title>' in svg
    assert f'<desc id="d{chart.digest}">' in svg
    assert "var(--right)" in svg
    assert "#fe" not in svg
    assert "prefers-color-scheme:dark" in alone(svg)
    assert all(f"{name}:" in alone(svg) for name in COLOURS)


def test_a_title_with_markup_is_text(repository):
    """In an attribute as in an element."""
    chart = charted(repository)
    svg = draw(Chart(**{**vars(chart), "title": 'a <b> & "c"'}))

    assert '>a &lt;b&gt; &amp; "c"</title>' in svg


@pytest.mark.parametrize("scale", ["ratio", "equal", "values", "places"])
def test_the_same_chart_gives_the_same_bytes(repository, scale):
    """Twice, whatever stands along its axes."""
    columns = {
        "ratio": {},
        "equal": {"observed": [0, 1, 2, 3, 400], "right": [0, 1, 2, 3, 400], "first": [5] * 5,
                  "second": [-1] * 5, "heads": [1, 2, 3, 4, 5], "group": [1] * 5},
        "values": {"observed": [0] * 4, "right": [0] * 4},
        "places": {"heads": ["'a'", "'b'", "'a'", "'b'"], "group": [1] * 4},
    }  # fmt: skip
    chart = charted(repository, **columns[scale])
    assert draw(chart) == draw(chart)


def test_marks_differ_in_shape(repository):
    """As many shapes as there are colours of answers."""
    answers = [name for name in COLOURS if name == "--right" or name.startswith("--wrong")]
    assert [*MARKS] == answers
    assert len(set(MARKS.values())) == len(answers) == charts.RIVALS + 1


def test_only_what_changed_is_drawn_anew(repository, tmp_path, monkeypatch):
    """A picture that is kept is taken as it is."""
    chart = charted(repository)
    first = draw_all([chart], tmp_path)
    (kept,) = tmp_path.glob("*.svg")
    kept.write_text("kept", encoding="utf-8")

    assert draw_all([chart], tmp_path) == {chart.digest: "kept"}
    other = charted(repository, first=[8, 32, 72, 130])
    assert draw_all([chart, other], tmp_path)[other.digest] not in ("kept", first[chart.digest])


def test_rivals_are_told_apart(repository):
    """What a series predicts is that of its own rival, in whatever order a record has them."""
    page = read_page(repository)
    samples = examples(**GROWS)
    turned = samples.model_copy(
        update={"predicted": {a: samples.predicted[a] for a in (SECOND, FIRST, RIGHT)}}
    )
    write_record(repository, page, runs_of(page, right={"samples": turned}))
    ((claim,),) = (page.claims for page in view(repository).pages)

    assert {s.name: s.y for s in charts.chart(claim).series} == {
        s.name: s.y for s in charted(repository).series
    }
