"""The wide matrix of a batch, against torch's own one-hot, softmax and argmax per column."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import one_hot

from synthgen.encoding import Span, Wide

SPANS = (
    Span("a", 3, scalar=True, discrete=False),
    Span("b", 2, scalar=False, discrete=True),
    Span("c", 1, scalar=True, discrete=False),
    Span("d", 5, scalar=False, discrete=True),
    Span("e", 1, scalar=False, discrete=True),
)

spans = st.lists(
    st.builds(
        lambda size, scalar: Span("x", size, scalar=scalar, discrete=not scalar),
        st.integers(1, 12),
        st.booleans(),
    ),
    min_size=1,
    max_size=12,
)


def draw(spans: tuple[Span, ...], rows: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(seed)
    codes = [torch.randint(span.size, (rows,), generator=random) for span in spans]
    width = sum(span.scalar for span in spans)
    return torch.stack(codes, 1).to(torch.int16), torch.rand(rows, width, generator=random) * 2 - 1


def by_column(spans: tuple[Span, ...], codes: Tensor, scalars: Tensor) -> Tensor:
    """The layout restated: all scalars, then column after column."""
    parts = [one_hot(codes[:, i].long(), span.size).float() for i, span in enumerate(spans)]
    return torch.cat([scalars, *parts], 1)


@settings(deadline=None, max_examples=50)
@given(spans, st.integers(0, 9))
def test_expand_is_one_column_after_the_other(drawn: list[Span], rows: int) -> None:
    codes, scalars = draw(tuple(drawn), rows)
    wide = Wide.of(drawn)
    assert torch.equal(wide.expand(codes, scalars), by_column(tuple(drawn), codes, scalars))


@settings(deadline=None, max_examples=50)
@given(spans, st.floats(0.1, 500.0))
def test_softmax_argmax_and_logsumexp_are_those_of_each_span(
    drawn: list[Span], scale: float
) -> None:
    wide = Wide.of(drawn)
    random = torch.Generator().manual_seed(1)
    logits = scale * torch.randn(7, wide.codes, generator=random)
    pieces = logits.split([span.size for span in drawn], 1)
    torch.testing.assert_close(
        wide.softmax_(logits.T.contiguous()), torch.cat([p.softmax(1) for p in pieces], 1).T
    )
    assert torch.equal(wide.argmax(logits.T), torch.stack([p.argmax(1) for p in pieces], 1))
    torch.testing.assert_close(
        wide.logsumexp(logits), torch.stack([p.logsumexp(1) for p in pieces], 1)
    )


def test_of_equal_entries_the_first_is_taken() -> None:
    logits = torch.zeros(12, 3)
    logits[8, 1] = logits[10, 1] = 2.0  # codes 2 and 4 of the fourth span
    logits[6:11, 2] = torch.tensor([-torch.inf, 0.0, -1.0, 0.0, -torch.inf])
    codes = Wide.of(SPANS).argmax(logits)
    assert codes.tolist() == [[0, 0, 0, 0, 0], [0, 0, 0, 2, 0], [0, 0, 0, 1, 0]]


def test_positions() -> None:
    wide = Wide.of(SPANS)
    assert (wide.width, wide.scalars, wide.codes) == (14, 2, 12)
    assert wide.segments.tolist() == [0, 0, 0, 1, 1, 2, 3, 3, 3, 3, 3, 4]
    assert wide.offsets.tolist() == [0, 3, 5, 6, 11]


@pytest.mark.gpu
def test_the_device_changes_nothing() -> None:
    codes, scalars = draw(SPANS, 100)
    wide = Wide.of(SPANS, "cuda")
    rows = wide.expand(codes.cuda(), scalars.cuda())
    assert torch.equal(rows.cpu(), Wide.of(SPANS).expand(codes, scalars))
    assert torch.equal(wide.argmax(rows[:, wide.scalars :].T).cpu(), codes.long())
