"""The wide matrix of a batch, against torch's own one-hot and softmax per column."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare
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
def test_softmax_and_logsumexp_are_those_of_each_span(drawn: list[Span], scale: float) -> None:
    wide = Wide.of(drawn)
    random = torch.Generator().manual_seed(1)
    logits = scale * torch.randn(7, wide.codes, generator=random)
    pieces = logits.split([span.size for span in drawn], 1)
    torch.testing.assert_close(
        wide.softmax_(logits.T.contiguous()), torch.cat([p.softmax(1) for p in pieces], 1).T
    )
    torch.testing.assert_close(
        wide.logsumexp(logits), torch.stack([p.logsumexp(1) for p in pieces], 1)
    )


@settings(deadline=None, max_examples=50)
@given(spans, st.floats(0.1, 500.0))
def test_a_code_is_where_the_distribution_function_passes_the_number(
    drawn: list[Span], scale: float
) -> None:
    wide = Wide.of(drawn)
    logits = scale * torch.randn(50, wide.codes, generator=torch.Generator().manual_seed(1))
    codes = wide.draw_(logits.T.contiguous(), torch.Generator().manual_seed(2))
    numbers = 1 - torch.rand(len(drawn), 50, generator=torch.Generator().manual_seed(2)).double()
    for k, part in enumerate(logits.double().split(wide.sizes, 1)):
        sums = part.softmax(1).cumsum(1)
        close = (sums - numbers[k, :, None]).abs() < 1e-6  # where rounding decides
        expected = (sums < numbers[k, :, None]).sum(1).clamp_max(drawn[k].size - 1)
        assert ((codes[:, k] == expected) | close.any(1)).all()


def test_codes_are_drawn_with_their_probabilities() -> None:
    wide = Wide.of(SPANS)
    logits = torch.randn(wide.codes, 1, generator=torch.Generator().manual_seed(3))
    codes = wide.draw_(logits.repeat(1, 100_000), torch.Generator().manual_seed(4))
    for k, part in enumerate(logits[:, 0].double().split(wide.sizes)):
        hits = codes[:, k].bincount(minlength=len(part)).numpy()
        expected = 100_000 * part.softmax(0).numpy()
        assert len(part) == 1 or chisquare(hits, expected).pvalue > 1e-3


@pytest.mark.parametrize("number", [0.0, 0.5, 1 - 2.0**-24])
@pytest.mark.parametrize("possible", [0, 2, 4])
def test_what_is_impossible_is_never_drawn(
    number: float, possible: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the random number, the least and the largest among them."""
    wide = Wide.of(SPANS[3:4])
    logits = torch.full((5, 1), -torch.inf)
    logits[possible] = -3.0
    monkeypatch.setattr(torch, "rand", lambda *shape, **_: torch.full(shape, number))
    assert wide.draw_(logits, torch.Generator()).item() == possible


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
    logits = (1e4 * rows[:, wide.scalars :].T).contiguous()
    assert torch.equal(wide.draw_(logits, torch.Generator("cuda")).cpu(), codes.long())
