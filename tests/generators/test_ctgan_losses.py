"""Single steps of CTGAN against a plain re-statement, and against the ``ctgan`` package."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from synthgen.encoding import Wide
from synthgen.encoding.layout import Span
from synthgen.generators.ctgan_activation import Activation
from synthgen.generators.ctgan_conditions import Conditions
from synthgen.generators.ctgan_critic import Critic
from synthgen.generators.ctgan_folded import Folded
from synthgen.generators.ctgan_generator import ConditionalGenerator
from synthgen.generators.tabular_batches import gumbel_noise
from synthgen.generators.wasserstein import critic_step, generator_step
from synthgen.training.randomness import initialisation

EMBEDDING, HIDDEN, CRITIC_HIDDEN, PAC, BATCH = 7, (11, 9), (13, 8), 3, 12
PACKS = BATCH // PAC


@dataclass
class Case:
    """A table as the reference encodes it, and both implementations with the same weights."""

    spans: list[Span]
    columns: list[list[Any]]
    matrix: Tensor
    wide: Wide
    activation: Activation
    conditions: Conditions
    generator: ConditionalGenerator
    critic: Critic
    to_reference: Tensor
    """Where each entry of the reference's wide row lies in ours."""

    def theirs(self, rows: Tensor) -> Tensor:
        return rows[:, self.to_reference]

    def random(self, seed: int = 0) -> torch.Generator:
        return torch.Generator().manual_seed(seed)

    def fake(self, seed: int) -> Tensor:
        random = self.random(seed)
        raw = torch.randn(BATCH, self.wide.width, generator=random)
        return self.activation.of(raw, gumbel_noise(self.wide.codes, BATCH, random)).rows

    def onehot(self, condition: Tensor) -> Tensor:
        return functional.one_hot(condition, len(self.conditions)).float()


def places_of(spans: list[Span], wide: Wide) -> list[int]:
    """The order scalar, codes, scalar, codes, ... in terms of ours."""
    places, scalar, code = [], 0, wide.scalars
    for span in spans:
        if span.scalar:
            places.append(scalar)
            scalar += 1
        places += range(code, code + span.size)
        code += span.size
    return places


@pytest.fixture(scope="module")
def case() -> Case:
    from ctgan.data_transformer import DataTransformer

    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "job": rng.choice(["a", "b", "c", "d"], 200, p=[0.6, 0.3, 0.07, 0.03]),
            "age": np.concatenate([rng.normal(30, 3, 120), rng.normal(60, 5, 80)]),
            "sex": rng.choice(["f", "m"], 200),
            "wage": rng.lognormal(3, 1, 200),
            "town": rng.choice(list("uvwxyz"), 200),
        }
    )
    transformer = DataTransformer()
    transformer.fit(frame, ["job", "sex", "town"])
    matrix = torch.from_numpy(transformer.transform(frame)).float()
    spans = []
    for name, column in zip(frame, transformer.output_info_list, strict=True):
        spans.append(Span(name, column[-1].dim, len(column) == 2, len(column) == 1))
    wide = Wide.of(spans)
    told = [k for k, span in enumerate(spans) if span.discrete]
    conditions = Conditions.of(spans, wide, told)
    assert conditions is not None
    with initialisation(1):
        generator = ConditionalGenerator(EMBEDDING, len(conditions), HIDDEN, wide.width)
        critic = Critic(wide.width, len(conditions), CRITIC_HIDDEN, PAC)
    places = torch.tensor(places_of(spans, wide))
    columns = transformer.output_info_list
    activation = Activation(wide, 0.2)
    return Case(spans, columns, matrix, wide, activation, conditions, generator, critic, places)


def reference_generator(case: Case) -> nn.Module:
    from ctgan.synthesizers.ctgan import Generator

    theirs: nn.Module = Generator(EMBEDDING + len(case.conditions), HIDDEN, case.wide.width)
    own = case.generator
    with torch.no_grad():
        for linear, weight, bias in zip(
            linears(theirs), joined(case, lambda p: p), biases(case, lambda p: p), strict=True
        ):
            linear.weight.copy_(weight.T)
            linear.bias.copy_(bias)
        for layer, norm in zip(theirs.seq, own.norms, strict=False):  # type: ignore[arg-type]
            layer.bn.load_state_dict(norm.state_dict())
    return theirs


def linears(theirs: Any) -> list[Any]:
    return [theirs.seq[0].fc, theirs.seq[1].fc, theirs.seq[2]]


def joined(case: Case, of: Callable[[Any], Tensor]) -> list[Tensor]:
    """Our blocks (or their gradients) as the reference's dense weights, (inputs, outputs) each."""
    own = case.generator
    noise, condition = [of(p) for p in own.noise], [of(p) for p in own.condition]
    inner = [of(p) for p in own.inner]
    newest, older = inner[1][HIDDEN[0] :], inner[1][: HIDDEN[0]]
    return [
        torch.cat([noise[0], condition[0]]),
        torch.cat([inner[0], noise[1], condition[1]]),
        torch.cat([newest, older, noise[2], condition[2]])[:, case.to_reference],
    ]


def biases(case: Case, of: Callable[[Any], Tensor]) -> list[Tensor]:
    first, second, last = (of(p) for p in case.generator.bias)
    return [first, second, last[case.to_reference]]


class Masked(nn.Module):
    """Dropout with given masks, one after the other."""

    def __init__(self, masks: Iterator[Tensor]) -> None:
        super().__init__()
        self.masks = masks

    def forward(self, x: Tensor) -> Tensor:
        return x * next(self.masks)


def first_layer(case: Case, first: Tensor) -> Tensor:
    """Ours, in the reference's order: for each row of a pack its entries, then its condition."""
    rows, condition = first.split([PAC * case.wide.width, PAC * len(case.conditions)])
    rows = rows.view(PAC, case.wide.width, -1)[:, case.to_reference]
    condition = condition.view(PAC, len(case.conditions), -1)
    return torch.cat([rows, condition], dim=1).flatten(0, 1).T


def reference_critic(case: Case, masks: list[list[Tensor]]) -> Any:
    """``masks``: for each call in turn, one mask per layer."""
    from ctgan.synthesizers.ctgan import Discriminator

    own = case.critic
    width = case.wide.width + len(case.conditions)
    theirs = Discriminator(width, CRITIC_HIDDEN, pac=PAC)
    with torch.no_grad():
        theirs.seq[0].weight.copy_(first_layer(case, own.first))
        theirs.seq[0].bias.copy_(own.bias)
        for layer, inner in zip((theirs.seq[3], theirs.seq[6]), own.inner, strict=True):
            layer.load_state_dict(inner.state_dict())
    for k, place in enumerate((2, 5)):
        theirs.seq[place] = Masked(iter([call[k] for call in masks]))
    return theirs


@pytest.fixture
def reference(case: Case) -> Any:
    from ctgan import CTGAN

    model = CTGAN(pac=PAC, enable_gpu=False)
    model._transformer = SimpleNamespace(output_info_list=case.columns)
    return model


def test_wide_rows_are_the_references_rows(case: Case) -> None:
    codes, scalars, place = [], [], 0
    for span in case.spans:
        if span.scalar:
            scalars.append(case.matrix[:, place])
            place += 1
        codes.append(case.matrix[:, place : place + span.size].argmax(1))
        place += span.size
    rows = case.wide.expand(torch.stack(codes, 1).to(torch.int16), torch.stack(scalars, 1))
    assert torch.equal(case.theirs(rows), case.matrix)


def test_generator_computes_what_the_references_does(case: Case) -> None:
    theirs = reference_generator(case)
    random = case.random()
    for _ in range(3):  # running statistics follow too
        z = torch.randn(BATCH, EMBEDDING, generator=random)
        condition = torch.randint(len(case.conditions), (BATCH,), generator=random)
        own_raw = case.generator(z, condition)
        their_raw = theirs(torch.cat([z, case.onehot(condition)], 1))
        torch.testing.assert_close(case.theirs(own_raw), their_raw, rtol=1e-4, atol=1e-5)
    case.generator.eval(), theirs.eval()
    own_raw = case.generator(z, condition)
    their_raw = theirs(torch.cat([z, case.onehot(condition)], 1))
    case.generator.train()
    torch.testing.assert_close(case.theirs(own_raw), their_raw, rtol=1e-4, atol=1e-5)


def test_generator_gradients_are_the_references(case: Case) -> None:
    theirs = reference_generator(case)
    random = case.random(2)
    z = torch.randn(BATCH, EMBEDDING, generator=random)
    condition = torch.randint(len(case.conditions), (BATCH,), generator=random)
    by_raw = torch.randn(BATCH, case.wide.width, generator=random)
    theirs(torch.cat([z, case.onehot(condition)], 1)).backward(case.theirs(by_raw))
    case.generator.set_gradients(case.generator.traced(z, condition), by_raw)

    def close(own: Tensor, their: Tensor | None) -> None:
        assert their is not None
        torch.testing.assert_close(own, their, rtol=1e-4, atol=1e-5)

    for linear, weight, bias in zip(
        linears(theirs), joined(case, lambda p: p.grad), biases(case, lambda p: p.grad), strict=True
    ):
        close(weight.T, linear.weight.grad)
        close(bias, linear.bias.grad)
    for layer, norm in zip(theirs.seq, case.generator.norms, strict=False):  # type: ignore[arg-type]
        close(norm.weight.grad, layer.bn.weight.grad)  # type: ignore[arg-type]
        close(norm.bias.grad, layer.bn.bias.grad)  # type: ignore[arg-type]


@pytest.mark.parametrize("hidden", [(), (5,), (5, 4, 6)])
def test_generator_of_any_depth_without_conditions_is_the_plain_network(
    hidden: tuple[int, ...],
) -> None:
    generator = ConditionalGenerator(4, 0, hidden, 3)
    z, by_raw = torch.randn(6, 4), torch.randn(6, 3)
    layers: list[Tensor] = []
    for k in range(len(hidden) + 1):
        out = z @ generator.noise[k] + generator.bias[k]
        if k:
            out = out + torch.cat(layers, 1) @ generator.inner[k - 1]
        if k < len(hidden):
            deviation = (out - out.mean(0)) / (out.var(0, unbiased=False) + 1e-5).sqrt()
            norm: Any = generator.norms[k]
            layers.append((deviation * norm.weight + norm.bias).relu())
    traced = generator.traced(z, None)
    torch.testing.assert_close(traced.raw, out)
    parameters = [p for name, p in generator.named_parameters() if "condition" not in name]
    expected = torch.autograd.grad(out, parameters, by_raw)
    generator.set_gradients(traced, by_raw)
    for parameter, gradient in zip(parameters, expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("hidden", [HIDDEN, (7, 5, 6), ()])
def test_the_folded_generator_is_the_one_in_evaluation_mode(
    case: Case, told: bool, hidden: Sequence[int]
) -> None:
    random = case.random(4)
    wide, conditions = case.wide, len(case.conditions) if told else 0
    generator = ConditionalGenerator(EMBEDDING, conditions, hidden, wide.width)
    for norm in generator.norms:
        for tensor in (*norm.parameters(), *norm.buffers()):
            if tensor.is_floating_point():
                tensor.data.uniform_(0.5, 2, generator=random)
    constants = torch.randn(wide.width, generator=random)
    constants[-1] = -torch.inf
    z = torch.randn(BATCH, EMBEDDING, generator=random)
    condition = torch.randint(conditions, (BATCH,), generator=random) if told else None
    expected = generator.eval()(z, condition) + constants
    torch.testing.assert_close(
        Folded.of(generator, constants)(z, condition), expected, rtol=1e-4, atol=1e-5
    )


def test_activation_is_the_references_with_the_same_noise(case: Case, reference: Any) -> None:
    raw = 3 * torch.randn(BATCH, case.wide.width, generator=case.random())
    with torch.random.fork_rng():
        torch.manual_seed(5)
        noise = [-torch.empty(BATCH, span.size).exponential_().log() for span in case.spans]
        torch.manual_seed(5)
        theirs = reference._apply_activate(case.theirs(raw))
    own = case.activation.of(raw, torch.cat(noise, 1).T).rows
    torch.testing.assert_close(case.theirs(own), theirs, rtol=1e-4, atol=1e-6)


def test_conditional_loss_is_the_references(case: Case, reference: Any) -> None:
    random = case.random(3)
    raw = (2 * torch.randn(BATCH, case.wide.width, generator=random)).requires_grad_()
    condition = torch.randint(len(case.conditions), (BATCH,), generator=random)
    logits = raw.detach()[:, case.wide.scalars :]
    before = torch.randn(logits.shape, generator=random)
    gradient = before.clone()
    own = case.conditions.cross_entropy(logits, condition, gradient)
    mask = functional.one_hot(case.conditions.column[condition]).float()
    theirs = reference._cond_loss(case.theirs(raw), case.onehot(condition), mask)
    torch.testing.assert_close(own, theirs)
    (expected,) = torch.autograd.grad(theirs, raw)
    torch.testing.assert_close(
        gradient - before, expected[:, case.wide.scalars :], atol=1e-6, rtol=0
    )
    assert not expected[:, : case.wide.scalars].any()


def critic_inputs(case: Case, seed: int) -> dict[str, Any]:
    random = case.random(seed)
    rows = torch.randint(len(case.matrix), (BATCH,), generator=random)
    real = torch.empty(BATCH, case.wide.width)
    real[:, case.to_reference] = case.matrix[rows]
    conditions = len(case.conditions)
    return {
        "real": real,
        "fake": case.fake(seed + 100),
        "real_condition": torch.randint(conditions, (BATCH,), generator=random),
        "fake_condition": torch.randint(conditions, (BATCH,), generator=random),
        "mix": torch.rand(PACKS, 1, generator=random),
        "masks": case.critic.masks(3 * PACKS, random),
    }


def parts(masks: list[Tensor]) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """Masks of real, fake and interpolated packs."""
    split = [mask.split(PACKS) for mask in masks]
    return tuple([mask[k] for mask in split] for k in range(3))  # type: ignore[return-value]


def test_critic_losses_and_gradients_are_the_references(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = critic_inputs(case, 1)
    on_real, on_fake, between = parts(given["masks"])
    theirs = reference_critic(case, [on_fake, on_real, between])
    fake = torch.cat([case.theirs(given["fake"]), case.onehot(given["fake_condition"])], 1)
    real = torch.cat([case.theirs(given["real"]), case.onehot(given["real_condition"])], 1)
    fake.requires_grad_()  # the reference needs a graph through its rows
    their_distance = theirs(fake).mean() - theirs(real).mean()
    monkeypatch.setattr(torch, "rand", lambda *_, **__: given["mix"][:, :, None])
    their_penalty = theirs.calc_gradient_penalty(real, fake, "cpu", PAC)
    monkeypatch.undo()

    distance, penalty = critic_step(case.critic, **given, weight=10.0)
    torch.testing.assert_close(distance, their_distance)
    torch.testing.assert_close(10 * penalty, their_penalty)

    (their_distance + their_penalty).backward()
    assert case.critic.first.grad is not None
    own = first_layer(case, case.critic.first.grad)
    torch.testing.assert_close(own, theirs.seq[0].weight.grad, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(case.critic.bias.grad, theirs.seq[0].bias.grad)
    for inner, layer in zip(case.critic.inner, (theirs.seq[3], theirs.seq[6]), strict=True):
        torch.testing.assert_close(inner.weight.grad, layer.weight.grad, rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(inner.bias.grad, layer.bias.grad, rtol=1e-4, atol=1e-6)


def test_generator_loss_and_gradients_are_the_references(case: Case) -> None:
    masks = case.critic.masks(PACKS, case.random(8))
    condition = torch.randint(len(case.conditions), (BATCH,), generator=case.random(9))
    fake = case.fake(4).requires_grad_()
    theirs = reference_critic(case, [masks])
    their_loss = -theirs(torch.cat([case.theirs(fake), case.onehot(condition)], 1)).mean()
    loss, gradient = generator_step(case.critic, fake.detach(), condition, masks)
    torch.testing.assert_close(loss, their_loss)
    torch.testing.assert_close(gradient, torch.autograd.grad(their_loss, fake)[0])


# A plain re-statement of the paper, column by column and pack by pack.


def plain_critic(case: Case, rows: Tensor, condition: Tensor, masks: list[Tensor]) -> Tensor:
    critic, scores = case.critic, []
    for pack in range(len(rows) // PAC):
        hidden = critic.bias
        for place in range(PAC):
            row = pack * PAC + place
            of_rows, of_conditions = critic.first.split(
                [PAC * case.wide.width, PAC * len(case.conditions)]
            )
            weights = of_rows[place * case.wide.width : (place + 1) * case.wide.width]
            hidden = hidden + rows[row] @ weights
            own = of_conditions[place * len(case.conditions) : (place + 1) * len(case.conditions)]
            hidden = hidden + condition[row] @ own
        for mask, inner in zip(masks, critic.inner, strict=True):
            kept = torch.maximum(hidden, 0.2 * hidden) * mask[pack]
            hidden = inner.weight @ kept + inner.bias
        scores.append(hidden[0])
    return torch.stack(scores)


def plain_penalty(case: Case, given: dict[str, Any], masks: list[Tensor]) -> Tensor:
    penalty = torch.zeros(())
    for pack in range(PACKS):
        rows = slice(pack * PAC, (pack + 1) * PAC)
        share = given["mix"][pack, 0]
        real = given["real"][rows], case.onehot(given["real_condition"][rows])
        fake = given["fake"][rows], case.onehot(given["fake_condition"][rows])
        between = [
            (share * r + (1 - share) * f).requires_grad_() for r, f in zip(real, fake, strict=True)
        ]
        own_masks = [mask[pack : pack + 1] for mask in masks]
        score = plain_critic(case, between[0], between[1], own_masks)
        gradients = torch.autograd.grad(score.sum(), between, create_graph=True)
        length = sum(g.square().sum() for g in gradients) ** 0.5
        penalty = penalty + (length - 1) ** 2 / PACKS
    return penalty


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_critic_losses_are_the_plain_ones(case: Case, seed: int) -> None:
    given = critic_inputs(case, seed)
    on_real, on_fake, between = parts(given["masks"])
    fake_score = plain_critic(case, given["fake"], case.onehot(given["fake_condition"]), on_fake)
    real_score = plain_critic(case, given["real"], case.onehot(given["real_condition"]), on_real)
    weight = [0.0, 1.0, 10.0][seed]
    distance, penalty = critic_step(case.critic, **given, weight=weight)
    plain_distance = fake_score.mean() - real_score.mean()
    torch.testing.assert_close(distance, plain_distance)
    plain = plain_penalty(case, given, between)
    torch.testing.assert_close(penalty, plain)

    parameters = [*case.critic.parameters()]
    own = [parameter.grad for parameter in parameters]
    expected = torch.autograd.grad(plain_distance + weight * plain, parameters)
    for one, other in zip(own, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def test_a_pack_whose_units_all_dropped_out_has_no_gradient(case: Case) -> None:
    given = critic_inputs(case, 4)
    given["masks"] = [torch.zeros_like(mask) for mask in given["masks"]]
    distance, penalty = critic_step(case.critic, **given, weight=10.0)
    assert distance == 0
    assert penalty == 1
    assert all(p.grad is not None and not p.grad.any() for p in case.critic.parameters())


def each_column(case: Case) -> Iterator[tuple[Span, slice]]:
    place = case.wide.scalars
    for span in case.spans:
        yield span, slice(place, place + span.size)
        place += span.size


def test_activation_is_the_plain_one(case: Case) -> None:
    random = case.random(6)
    raw = 4 * torch.randn(BATCH, case.wide.width, generator=random)
    noise = gumbel_noise(case.wide.codes, BATCH, random).T
    own = case.activation.of(raw, noise.T).rows
    for scalar in range(case.wide.scalars):
        torch.testing.assert_close(own[:, scalar], raw[:, scalar].tanh())
    for _, place in each_column(case):
        shifted = slice(place.start - case.wide.scalars, place.stop - case.wide.scalars)
        expected = ((raw[:, place] + noise[:, shifted]) / 0.2).softmax(1)
        torch.testing.assert_close(own[:, place], expected)


def test_activation_passes_gradients_back_as_autograd_would(case: Case) -> None:
    random = case.random(7)
    raw = torch.randn(BATCH, case.wide.width, generator=random).requires_grad_()
    noise = gumbel_noise(case.wide.codes, BATCH, random)
    by_soft = torch.randn(BATCH, case.wide.width, generator=random)
    plain = [raw[:, : case.wide.scalars].tanh()]
    logits = (raw[:, case.wide.scalars :] + noise.T) / 0.2
    plain += [part.softmax(1) for part in logits.split([span.size for span in case.spans], 1)]
    (expected,) = torch.autograd.grad(torch.cat(plain, 1), raw, by_soft)
    own = case.activation.by_raw(case.activation.of(raw.detach(), noise), by_soft)
    torch.testing.assert_close(own, expected, rtol=1e-4, atol=1e-5)


def test_conditional_loss_is_the_plain_one(case: Case) -> None:
    raw = 30 * torch.randn(BATCH, case.wide.width, generator=case.random(6))
    condition = torch.arange(BATCH)
    logits = raw[:, case.wide.scalars :]
    unused = torch.zeros(BATCH, case.wide.codes)
    one_by_one = [
        case.conditions.cross_entropy(logits[k : k + 1], condition[k : k + 1], unused[:1])
        for k in range(BATCH)
    ]
    own = torch.stack(one_by_one)
    whole = case.conditions.cross_entropy(logits, condition, unused)
    torch.testing.assert_close(whole, own.mean())
    number = 0
    for span, place in each_column(case):
        if span.discrete:
            for code in range(span.size):
                expected = functional.cross_entropy(raw[number, place], torch.tensor(code))
                torch.testing.assert_close(own[number], expected)
                number += 1
    assert number == len(case.conditions) == BATCH


def test_activation_survives_extreme_logits(case: Case) -> None:
    raw = torch.zeros(BATCH, case.wide.width)
    raw[:, case.wide.scalars] = 1e4
    raw[:, case.wide.scalars + 1] = -1e4
    raw[:, -1] = -1e4
    soft = case.activation.of(raw, torch.zeros(case.wide.codes, BATCH)).rows
    assert soft.isfinite().all()
    for _, place in each_column(case):
        torch.testing.assert_close(soft[:, place].sum(1), torch.ones(BATCH))


def test_gumbel_noise_has_its_distribution() -> None:
    noise = gumbel_noise(1000, 100, torch.Generator().manual_seed(0))
    assert noise.isfinite().all()
    for share in (0.1, 0.5, 0.9):  # P(G < g) = exp(-exp(-g))
        quantile = -np.log(-np.log(share))
        assert abs((noise < quantile).double().mean().item() - share) < 5 * 0.5 / 1e5**0.5


@pytest.mark.parametrize("packs", [1, 7])
def test_dropout_masks_keep_half_of_the_units(case: Case, packs: int) -> None:
    random, kept = case.random(), []
    for _ in range(400):
        masks = case.critic.masks(packs, random)
        assert [mask.shape for mask in masks] == [(packs, size) for size in CRITIC_HIDDEN]
        assert all(((mask == 0) | (mask == 2)).all() for mask in masks)
        kept.append(torch.cat(masks, 1).bool())
    drawn = torch.stack(kept).double()
    assert abs(drawn.mean() - 0.5) < 5 * 0.5 / drawn.numel() ** 0.5
    # Each unit by itself, and no two of them alike.
    assert (drawn.mean((0, 1)) - 0.5).abs().max() < 6 * 0.5 / (400 * packs) ** 0.5
    units = drawn.flatten(0, 1)
    assert (units.T.corrcoef() - torch.eye(units.shape[1])).abs().max() < 6 / (400 * packs) ** 0.5


@pytest.mark.parametrize("kind", ["generator", "critic"])
def test_initial_weights_are_those_of_dense_layers(kind: str) -> None:
    """The variance of U(-b, b) with b = 1 / sqrt(inputs) is 1 / (3 inputs)."""
    with initialisation(0):
        generator = ConditionalGenerator(100, 50, (200, 150), 120)
        critic = Critic(40, 20, (100, 80), 5)
    blocks: list[tuple[Callable[[], Tensor] | Tensor, int]] = [
        (generator.noise[0], 150),
        (generator.condition[1], 350),
        (generator.inner[1], 500),
        (generator.noise[2], 500),
    ]
    if kind == "critic":
        blocks = [(critic.first, 300), (critic.inner[0].weight, 100)]
    for block, inputs in blocks:
        assert isinstance(block, Tensor)
        assert block.abs().max() <= 1 / inputs**0.5
        assert block.var().item() == pytest.approx(1 / (3 * inputs), rel=0.05)
