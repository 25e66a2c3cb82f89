"""Training-by-sampling: which conditions are drawn, and which rows for them."""

from __future__ import annotations

import pytest
import torch
from scipy.stats import chisquare
from torch import Tensor

from synthgen.encoding import Wide
from synthgen.encoding.layout import Encoded, Span
from synthgen.generators.ctgan_conditions import (
    Conditions,
    ConditionSampler,
    RowsByCondition,
    TrainingBatches,
)
from synthgen.training.randomness import stream

COUNTS = (torch.tensor([900, 90, 0, 9, 1]), torch.tensor([1000]), torch.tensor([400, 600]))
SPANS = [
    Span("town", 5, False, True),
    Span("age", 3, True, False),
    Span("unit", 1, False, True),
    Span("sex", 2, False, True),
]
TOLD = (0, 2, 3)


def encoded() -> Encoded:
    """1000 rows with the counts above, each column shuffled."""
    random = stream(0, 0)
    columns = []
    for count in COUNTS:
        codes = torch.repeat_interleave(torch.arange(len(count)), count)
        columns.append(codes[torch.randperm(1000, generator=random)])
    age = torch.randint(3, (1000,), generator=random)
    codes = torch.stack([columns[0], age, columns[1], columns[2]], 1).to(torch.int16)
    return Encoded(codes, torch.rand(1000, 1, generator=random))


def frequencies(*, log: bool) -> Tensor:
    weights = [(c.double() + 1).log() if log else c.double() for c in COUNTS]
    return torch.cat([w / w.sum() / 3 for w in weights])


@pytest.mark.parametrize("log", [True, False])
def test_columns_are_drawn_evenly_and_categories_by_weight(log: bool) -> None:
    sampler = ConditionSampler.of(COUNTS, log=log)
    drawn = sampler.draw(300_000, stream(1, 1)).bincount(minlength=8)
    expected = 300_000 * frequencies(log=log)
    assert drawn[2] == 0  # a category without rows is never asked for
    held = expected > 0
    assert chisquare(drawn[held].numpy(), expected[held].numpy()).pvalue > 1e-4
    # And the test would see the other weighting.
    other = 300_000 * frequencies(log=not log)
    assert chisquare(drawn[held].numpy(), other[held].numpy()).pvalue < 1e-9


def test_real_rows_meet_their_conditions_with_equal_chances() -> None:
    data = encoded()
    wide = Wide.of(SPANS)
    conditions = Conditions.of(SPANS, wide, TOLD)
    assert conditions is not None
    codes = data.codes[:, conditions.span].long()
    rows = RowsByCondition.of(codes, COUNTS)
    asked = torch.tensor([0, 1, 3, 4, 5, 6, 7]).repeat(20_000)
    drawn = rows.draw(asked, stream(2, 2))
    column = conditions.column[asked]
    assert torch.equal(codes[drawn, column], conditions.code[asked])
    for condition in (1, 6):
        hits = drawn[asked == condition].bincount(minlength=1000)
        meeting = codes[:, conditions.column[condition]] == conditions.code[condition]
        assert (hits[~meeting] == 0).all()
        assert chisquare(hits[meeting].numpy()).pvalue > 1e-4


def test_conditions_count_the_categories_of_discrete_columns() -> None:
    wide = Wide.of(SPANS)
    conditions = Conditions.of(SPANS, wide, TOLD)
    assert conditions is not None
    assert len(conditions) == 8
    assert conditions.column.tolist() == [0, 0, 0, 0, 0, 1, 2, 2]
    assert conditions.code.tolist() == [0, 1, 2, 3, 4, 0, 0, 1]
    assert conditions.span.tolist() == [0, 2, 3]
    assert conditions.place.tolist() == [0, 1, 2, 3, 4, 8, 9, 10]
    logits = torch.arange(11.0)[None].repeat(8, 1)  # town 0-4, age 5-7, unit 8, sex 9-10
    own = conditions.logits(logits, torch.arange(8))
    columns = [range(5)] * 5 + [range(8, 9)] + [range(9, 11)] * 2
    for row, column in zip(own.tolist(), columns, strict=True):
        assert row == [place if place in column else -torch.inf for place in range(11)]
    later = Conditions.of(SPANS, wide, TOLD[1:])
    assert later is not None
    assert later.codes == slice(8, 11)
    own = later.logits(logits[:3], torch.arange(3))
    assert own.tolist() == [[8, -torch.inf, -torch.inf]] + 2 * [[-torch.inf, 9, 10]]


def test_a_table_without_discrete_columns_has_no_conditions() -> None:
    wide = Wide.of(SPANS[1:2])
    assert Conditions.of(SPANS[1:2], wide, ()) is None
    data = encoded()
    batches = TrainingBatches.of(Encoded(data.codes[:, 1:2], data.scalars), wide, None, log=True)
    assert batches.conditions(10, stream(0, 0)) is None
    rows, conditions = batches.real(10, None, stream(0, 0), slice(None))
    assert rows.shape == (10, 4)
    assert conditions is None


def test_real_batches_hold_the_fake_rows_conditions_in_another_order() -> None:
    wide = Wide.of(SPANS)
    conditions = Conditions.of(SPANS, wide, TOLD)
    assert conditions is not None
    batches = TrainingBatches.of(encoded(), wide, conditions, log=True)
    random = stream(3, 0)
    asked = batches.conditions(200, random)
    assert asked is not None
    rows, given = batches.real(200, asked, random, slice(None))
    assert given is not None
    assert torch.equal(asked.sort().values, given.sort().values)
    assert not torch.equal(asked, given)
    own = conditions.logits(rows[:, wide.scalars :], given)
    place = conditions.place[given, None] - conditions.codes.start
    assert (own.gather(1, place) == 1).all()


def test_conditions_are_imposed_on_their_own_columns_alone() -> None:
    conditions = Conditions.of(SPANS, Wide.of(SPANS), TOLD)
    assert conditions is not None
    codes = torch.tensor([[4, 0, 0, 0], [4, 1, 0, 0], [4, 2, 0, 0]])
    conditions.impose(codes, torch.tensor([1, 5, 7]))
    assert codes.tolist() == [[1, 0, 0, 0], [4, 1, 0, 0], [4, 2, 0, 1]]
