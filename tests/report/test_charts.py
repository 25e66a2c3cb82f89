"""Geometry against closed forms."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthgen.report.charts.bars import OTHERS, bars, histogram
from synthgen.report.charts.bullet import bullet
from synthgen.report.charts.curve import POINTS, curve, thin
from synthgen.report.charts.forest import forest
from synthgen.report.charts.growth import SPACE, growth
from synthgen.report.charts.heatmap import STEPS, heatmap, worst
from synthgen.report.charts.scale import Linear, Log, decades, ticks

finite = st.floats(-1e9, 1e9, allow_nan=False)


@given(low=finite, width=st.floats(1e-3, 1e9), share=st.floats(0, 1))
def test_a_linear_scale_maps_domain_to_range(low: float, width: float, share: float) -> None:
    scale = Linear(low, low + width, start=20, stop=-60)
    assert scale(scale.low) == 20
    assert scale(scale.high) == pytest.approx(-60)
    value = scale.low + share * (scale.high - scale.low)
    # Where the domain is narrow beside its offset, the value itself is rounded.
    rounding = 80 * 1e-15 * (abs(low) + width) / width
    assert scale(value) == pytest.approx(20 - 80 * share, abs=1e-9 + rounding)


def test_a_log_scale_maps_decades_to_equal_steps() -> None:
    scale = Log(0.01, 100, start=0, stop=80)
    assert [scale(10.0**power) for power in range(-2, 3)] == pytest.approx([0, 20, 40, 60, 80])


def test_a_domain_of_one_point_lies_in_the_middle() -> None:
    assert Linear(3, 3)(3) == 50


@given(low=finite, share=st.floats(1e-5, 1e5), most=st.integers(2, 12))
def test_ticks_are_round_even_and_within(low: float, share: float, most: int) -> None:
    high = low + max(abs(low), 1e-3) * share
    marks = ticks(low, high, most)
    assert 1 <= len(marks) <= most
    slack = (high - low) * 1e-6
    assert all(low - slack <= mark <= high + slack for mark in marks)
    for step in (b - a for a, b in pairwise(marks)):
        leading = step / 10 ** math.floor(math.log10(step * (1 + 1e-6)))
        assert leading == pytest.approx(min((1, 2, 5), key=lambda k: abs(k - leading)), rel=1e-3)


def test_ticks_of_known_domains() -> None:
    assert ticks(-1.2, 2.8, 7) == [-1, 0, 1, 2]
    assert ticks(-1.2, 2.8, 8) == [-1, -0.5, 0, 0.5, 1, 1.5, 2, 2.5]
    assert ticks(0, 1, 6) == [0, 0.2, 0.4, 0.6, 0.8, 1]
    assert ticks(0, 0.3, 4) == [0, 0.1, 0.2, 0.3]
    assert ticks(5, 5) == [5]
    assert decades(0.05, 2000) == [0.1, 1, 10, 100, 1000]
    assert decades(1e-12, 1e12, most=4) == [1e-12, 1e-5, 1e2, 1e9]


def test_a_forest_places_means_ends_zero_and_band_on_one_axis() -> None:
    drawn = forest([(-1.0, 0.5, 2.0), (0.5, 1.0, 3.0)], minimum_effect=1.0)

    # The axis runs from -1 to 3, with a twentieth of that as margin on both sides.
    def place(value: float) -> float:
        return 100 * (value + 1.2) / 4.4

    first, second = drawn.whiskers
    assert first is not None
    assert second is not None
    assert (first.low, first.middle, first.high) == pytest.approx((place(-1), place(0.5), place(2)))
    assert (second.low, second.middle, second.high) == pytest.approx(
        (place(0.5), place(1), place(3))
    )
    assert drawn.zero == pytest.approx(place(0))
    assert drawn.band == pytest.approx((place(-1), place(1)))
    assert all(position == pytest.approx(place(value)) for position, value in drawn.ticks)


def test_a_forest_leaves_out_what_is_not_finite() -> None:
    drawn = forest([(math.nan, 0.1, 1.0), (0.0, 0.1, 0.2), (-math.inf, 0.0, 1.0)], 0.1)
    assert [whisker is None for whisker in drawn.whiskers] == [True, False, True]
    assert forest([], 0.0).zero == 50


def test_a_forest_cuts_off_what_does_not_frame_it() -> None:
    rows = [(-1.0, 0.0, 1.0), (-9.0, -7.0, -5.0), (-3.0, -0.5, 0.5), (0.5, 3.0, 4.0)]
    drawn = forest(rows, 0.1, [True, False, False, False])
    # The axis runs from -1.1 to 1.1.
    whole, beyond, lower, upper = drawn.whiskers
    assert whole is not None
    assert beyond is not None
    assert lower is not None
    assert upper is not None
    assert (whole.cut, whole.outside) == ((False, False), False)
    assert (beyond.low, beyond.middle, beyond.high) == (0, None, 0)
    assert (beyond.cut, beyond.outside) == ((True, False), True)
    assert (lower.cut, lower.outside) == ((True, False), False)
    assert lower.middle == pytest.approx(100 * 0.6 / 2.2)
    assert (upper.cut, upper.middle, upper.outside) == ((False, True), None, False)
    assert upper.low == pytest.approx(100 * 1.6 / 2.2)
    # Without a row that frames it, the axis holds all.
    assert forest(rows, 0.1, [False] * 4) == forest(rows, 0.1)


def test_a_learning_curve_is_logarithmic_in_rows_and_meets_its_goal() -> None:
    drawn = growth([(1000, 0.70), (2000, 0.75), (4000, 0.80)], 0.03, 4000, (1000, 6000))
    assert drawn is not None
    (x0, y0), (x1, y1), (x2, y2) = drawn.measured
    # Doubling the rows goes as far each time, and a point of score as high.
    assert x1 - x0 == pytest.approx(x2 - x1)
    assert drawn.meeting == pytest.approx(x2 + (x1 - x0))
    assert y0 - y1 == pytest.approx(y1 - y2)
    assert y2 - drawn.goal == pytest.approx((y1 - y2) * 3 / 5)
    assert drawn.ahead == ((x2, y2), (drawn.meeting, drawn.goal))
    assert drawn.reach is not None
    assert x2 < drawn.reach[0] < drawn.meeting < drawn.reach[1] <= 100
    assert [rows for _, rows in drawn.rows] == [1000, 2000, 4000]
    assert all(0 <= x <= 100 for x, _ in drawn.measured)


def test_a_loss_meets_the_curve_among_its_points() -> None:
    drawn = growth([(1000, 0.70), (2000, 0.75), (4000, 0.80)], -0.05, -2000, (-9000, 10**9))
    assert drawn is not None
    assert (drawn.meeting, drawn.goal) == pytest.approx(drawn.measured[1])
    assert drawn.ahead == ()
    assert drawn.reach == (0, 100)


def test_a_curve_that_is_not_met_has_no_meeting() -> None:
    drawn = growth([(1000, 0.7), (2000, 0.7)], 0.01, None, None)
    assert drawn is not None
    assert (drawn.meeting, drawn.ahead, drawn.reach) == (None, (), None)


@pytest.mark.parametrize(
    ("points", "gain"),
    [
        ([(1000, 0.7)], 0.1),
        ([], 0.1),
        ([(1000, math.nan), (2000, 0.7)], 0.1),
        ([(1000, 0.6), (2000, 0.7)], math.inf),
        ([(0, 0.6), (2000, 0.7)], 0.1),
        ([(2000, 0.6), (2000, 0.7)], 0.1),
    ],
)
def test_curves_that_cannot_be_drawn(points: list[tuple[int, float]], gain: float) -> None:
    assert growth(points, gain, 100, None) is None


def test_labels_of_a_learning_curve_keep_apart() -> None:
    points = [(100 * i, 0.5 + i / 100) for i in range(1, 21)]
    drawn = growth(points, 0.01, 50, None)
    assert drawn is not None
    assert drawn.rows[-1][1] == 2000
    assert all(b - a >= SPACE for (a, _), (b, _) in pairwise(drawn.rows))


def test_bars_are_as_high_as_their_shares() -> None:
    drawn = histogram([0.1, 0.4, 0.5], [0.8, 0.2, 0.0])
    assert drawn.top == 0.8
    assert drawn.real == pytest.approx((12.5, 50, 62.5))
    assert drawn.synthetic == pytest.approx((100, 25, 0))
    assert drawn.width == pytest.approx(100 / 3)


def test_category_bars_are_as_long_as_their_shares() -> None:
    drawn = bars(["a", "b"], [0.3, 0.7], [0.6, 0.4])
    assert [(b.label, b.real, b.synthetic) for b in drawn] == [("a", 0.3, 0.6), ("b", 0.7, 0.4)]
    assert [b.real_length for b in drawn] == pytest.approx([300 / 7, 100])
    assert [b.synthetic_length for b in drawn] == pytest.approx([600 / 7, 400 / 7])


def test_empty_and_broken_shares_draw_nothing() -> None:
    assert histogram([0.0, 0.0], [0.0, 0.0]).real == (0, 0)
    assert histogram([math.nan, 1.0], [0.5, 0.5]).real == (0, 100)
    assert bars([], [], []) == ()


def test_forty_categories_are_summed_up_without_losing_a_share() -> None:
    real = [(40 - i) / 820 for i in range(40)]
    # The last category is the largest of the synthetic rows: it must be drawn by name.
    synthetic = [0.5 / 39] * 39 + [0.5]
    drawn = bars([f"c{i}" for i in range(40)], real, synthetic)
    assert len(drawn) == OTHERS + 1
    assert drawn[-1].label == f"{40 - OTHERS} others"
    assert sum(b.real for b in drawn) == pytest.approx(1)
    assert sum(b.synthetic for b in drawn) == pytest.approx(1)
    names = [b.label for b in drawn[:-1]]
    assert "c39" in names
    assert names == sorted(names, key=lambda label: int(label[1:]))


def test_a_heat_map_shows_every_pair_once() -> None:
    score = [[1.0, 0.4, 0.97], [0.4, 1.0, None], [0.97, None, 1.0]]
    drawn = heatmap(score, most=10)
    assert drawn.order == (0, 1, 2)
    assert [(cell.x, cell.y, cell.score, cell.shade) for cell in drawn.cells] == [
        (0, 1, 0.4, 0),
        (0, 2, 0.97, len(STEPS)),
        (1, 2, None, None),
    ]
    assert [(pair.row, pair.column, pair.score) for pair in worst(score, 10)] == [
        (1, 0, 0.4),
        (2, 0, 0.97),
    ]


def test_shades_end_where_the_legend_says() -> None:
    for step, edge in enumerate(STEPS):
        (below,) = heatmap([[1, edge - 1e-9], [edge - 1e-9, 1]], 2).cells
        (at,) = heatmap([[1, edge], [edge, 1]], 2).cells
        assert (below.shade, at.shade) == (step, step + 1)


def test_a_wide_heat_map_keeps_the_worst_pairs() -> None:
    score: list[list[float | None]] = [[0.9] * 50 for _ in range(50)]
    score[47][3] = score[3][47] = 0.1
    for other in range(50):
        score[20][other] = score[other][20] = 0.5
    drawn = heatmap(score, most=12)
    assert len(drawn.order) == 12
    assert {3, 20, 47} <= set(drawn.order)
    assert list(drawn.order) == sorted(drawn.order)
    assert len(drawn.cells) == 12 * 11 // 2


def test_a_curve_spans_its_steps_and_is_upside_down() -> None:
    drawn = curve([10, 20, 30], [0.0, 1.0, 0.5])
    assert drawn is not None
    assert not drawn.logarithmic
    # Values 0 to 1 with a tenth as margin: the drawing's 0 is at the top.
    assert [x for x, _ in drawn.points] == [0, 50, 100]
    assert [y for _, y in drawn.points] == pytest.approx([1100 / 12, 100 / 12, 50])
    assert (drawn.first_step, drawn.last_step, drawn.last) == (10, 30, 0.5)


@pytest.mark.parametrize(
    ("values", "logarithmic"),
    [([1.0, 99.0], False), ([1.0, 100.0], True), ([0.0, 1e6], False), ([-5.0, 5.0], False)],
)
def test_the_axis_is_logarithmic_over_orders_of_magnitude(
    values: list[float], logarithmic: bool
) -> None:
    drawn = curve([1, 2], values)
    assert drawn is not None
    assert drawn.logarithmic is logarithmic


def test_a_curve_needs_two_finite_values() -> None:
    assert curve([], []) is None
    assert curve([1, 2], [math.nan, 1.0]) is None
    drawn = curve([1, 2, 3], [1.0, math.inf, 1.0])
    assert drawn is not None
    assert [y for _, y in drawn.points] == pytest.approx([50, 50])


@given(count=st.integers(POINTS + 1, 5 * POINTS), seed=st.integers(0, 99))
def test_thinning_keeps_order_ends_and_peaks(count: int, seed: int) -> None:
    draw = random.Random(seed)
    values = [draw.gauss(0, 1) for _ in range(count)]
    points = list(enumerate(values))
    kept = thin(points, POINTS)
    assert len(kept) <= POINTS
    assert kept == sorted(set(kept))
    assert set(kept) <= set(points)
    assert (kept[0], kept[-1]) == (points[0], points[-1])
    assert {min(values), max(values)} <= {value for _, value in kept}


def test_a_bullet_places_value_and_reference_on_one_axis() -> None:
    drawn = bullet(0.75, 0.5, (0.5, 1.0))
    assert (drawn.value, drawn.reference) == (50, 0)
    counts = bullet(3, 12, None)
    assert (counts.value, counts.reference, counts.low, counts.high) == (25, 100, 0, 12)
    assert bullet(0, 0, None).value == 0
    assert bullet(0.4, None, (0.5, 1.0)).value == 0
    assert bullet(0.4, None, (0.5, 1.0)).reference is None
    assert bullet(math.nan, 1.0, None).value is None
