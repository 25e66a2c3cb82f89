"""What the metrics of tables mean: unit, axis and one plain line each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Unit: TypeAlias = Literal["share", "points", "count", "number"]


@dataclass(frozen=True)
class Explained:
    """``axis``: ends of the drawing; None from zero to the larger of value and reference."""

    unit: Unit
    axis: tuple[float, float] | None
    line: str
    details: tuple[tuple[str, str], ...] | None = None
    """Parts of the score's detail that stand below the line, and what they are called there;
    None: all single numbers by their keys."""


TABLE_METRICS = {
    "column_shapes": Explained(
        "share",
        (0.0, 1.0),
        "How well each column's distribution is matched, mean over the columns; 100 % is perfect.",
        (),
    ),
    "pair_trends": Explained(
        "share",
        (0.0, 1.0),
        "How well the association of two columns is matched, mean over the pairs that are "
        "associated in the training rows; 100 % is perfect.",
        (("associated_pairs", "associated pairs"), ("pairs", "of all pairs")),
    ),
    "class_balance": Explained(
        "share",
        None,
        "Rows that would have to change class for the shares of the classes to be right; "
        "0 % is perfect.",
        (),
    ),
    "violations": Explained(
        "share",
        None,
        "Synthetic rows that break a rule which all training rows keep: a value never seen, a "
        "range, an order, a dependency.",
        (("checked_constraints", "rules checked"), ("broken_constraints", "broken")),
    ),
    "two_sample_auc": Explained(
        "number",
        (0.5, 1.0),
        "ROC-AUC of a boosted tree that tells synthetic rows from real ones: at 0.5 it cannot, "
        "at 1 it always can.",
        (("standard_error", "standard error"), ("rows_per_side", "rows per side")),
    ),
    "exact_copies": Explained(
        "count",
        None,
        "Synthetic rows that equal a training row in every column. In coarse tables some do so by "
        "chance; the reference says how many.",
        (("of_unique_rows", "of rows that occur only once"),),
    ),
    "closest_record": Explained(
        "share",
        (0.0, 1.0),
        "Synthetic rows that lie nearer to a training row than to any held-out row: about 50 % if "
        "nothing was memorised, towards 100 % if the training rows are repeated. The ratios "
        "compare distances to the closest training row with those of held-out rows; 1 is ideal.",
        (
            ("5th_percentile_ratio", "ratio of the 5th percentiles"),
            ("median_ratio", "of the medians"),
        ),
    ),
}
