"""The wide matrix of a batch, against torch's own one-hot, softmax and argmax per column."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import one_hot

from synthgen.encoding import Span
from synthgen.encoding.onehot import Layout

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
    """The layout restated as the paper writes it: alpha, beta, alpha, beta, ..., d, d."""
    parts = []
    k = 0
    for i, span in enumerate(spans):
        if span.scalar:
            parts.append(scalars[:, k : k + 1])
            k += 1
        parts.append(one_hot(codes[:, i].long(), span.size).float())
    return torch.cat(parts, 1)


@settings(deadline=None, max_examples=50)
@given(spans, st.integers(0, 9))
def test_expand_is_one_column_after_the_other_and_collapse_inverts_it(
    drawn: list[Span], rows: int
) -> None:
    codes, scalars = draw(tuple(drawn), rows)
    layout = Layout.of(drawn)
    wide = layout.expand(codes, scalars)
    assert torch.equal(wide, by_column(tuple(drawn), codes, scalars))
    back, alphas = layout.collapse(wide)
    assert torch.equal(back, codes.long())
    assert torch.equal(alphas, scalars)


@settings(deadline=None, max_examples=50)
@given(spans, st.floats(0.1, 500.0))
def test_softmax_and_argmax_are_those_of_each_span(drawn: list[Span], scale: float) -> None:
    layout = Layout.of(drawn)
    random = torch.Generator().manual_seed(1)
    logits = scale * torch.randn(7, len(layout.onehots), generator=random)
    pieces = logits.split([span.size for span in drawn], 1)
    torch.testing.assert_close(
        layout.softmax(logits), torch.cat([piece.softmax(1) for piece in pieces], 1)
    )
    assert torch.equal(layout.argmax(logits), torch.stack([p.argmax(1) for p in pieces], 1))


def test_softmax_has_the_gradient_of_each_spans_softmax() -> None:
    layout = Layout.of(SPANS)
    logits = torch.randn(4, 12, dtype=torch.float64, requires_grad=True)
    weights = torch.randn(4, 12, dtype=torch.float64)
    (ours,) = torch.autograd.grad((layout.softmax(logits) * weights).sum(), logits)
    pieces = torch.cat([p.softmax(1) for p in logits.split([s.size for s in SPANS], 1)], 1)
    (theirs,) = torch.autograd.grad((pieces * weights).sum(), logits)
    torch.testing.assert_close(ours, theirs)


def test_of_equal_entries_the_first_is_taken() -> None:
    codes, _ = Layout.of(SPANS).collapse(torch.zeros(2, 14))
    assert codes.eq(0).all()


def test_positions() -> None:
    layout = Layout.of(SPANS)
    assert layout.width == 14
    assert layout.scalars.tolist() == [0, 6]
    assert layout.onehots.tolist() == [1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13]
    assert layout.segments.tolist() == [0, 0, 0, 1, 1, 2, 3, 3, 3, 3, 3, 4]
    assert layout.offsets.tolist() == [0, 3, 5, 6, 11]


@pytest.mark.gpu
def test_the_device_changes_nothing() -> None:
    codes, scalars = draw(SPANS, 100)
    layout = Layout.of(SPANS, "cuda")
    wide = layout.expand(codes.cuda(), scalars.cuda())
    assert torch.equal(wide.cpu(), Layout.of(SPANS).expand(codes, scalars))
    assert torch.equal(layout.collapse(wide)[0].cpu(), codes.long())
