from __future__ import annotations

import torch
from torch import nn

from synthgen.training.ema import Ema


def test_average_of_weights_and_buffers_has_its_closed_form() -> None:
    network = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    decay, steps = 0.9, 40
    ema = Ema(network, decay)
    history = [{k: v.clone() for k, v in network.state_dict().items()}]
    generator = torch.Generator().manual_seed(0)
    for step in range(1, steps + 1):
        with torch.no_grad():
            for value in network.state_dict().values():
                if value.is_floating_point():
                    value.normal_(generator=generator)
                else:
                    value += 1
        ema.update(step)
        history.append({k: v.clone() for k, v in network.state_dict().items()})

    decays = [min(decay, (1 + step) / (10 + step)) for step in range(1, steps + 1)]
    for name, average in ema.module.state_dict().items():
        if not average.is_floating_point():
            assert average.item() == steps
            continue
        # Unrolled: every value weighs its own step times all later decays.
        remaining, expected = 1.0, torch.zeros_like(average, dtype=torch.float64)
        for d, values in zip(reversed(decays), reversed(history[1:]), strict=True):
            expected += remaining * (1 - d) * values[name].double()
            remaining *= d
        expected += remaining * history[0][name].double()
        torch.testing.assert_close(average.double(), expected, rtol=1e-5, atol=1e-6)


def test_initial_weights_are_soon_forgotten() -> None:
    network = nn.Linear(1, 1, bias=False)
    nn.init.constant_(network.weight, 1000.0)
    ema = Ema(network, 0.9999)
    nn.init.constant_(network.weight, 1.0)
    for step in range(1, 101):
        ema.update(step)
    assert 1 <= ema.module.weight.item() < 1.001


def test_the_average_is_apart_from_the_network() -> None:
    network = nn.BatchNorm1d(2)
    ema = Ema(network, 0.5)
    assert not ema.module.training
    assert network.training
    assert not any(p.requires_grad for p in ema.module.parameters())
    assert all(p.requires_grad for p in network.parameters())


def test_state_comes_back() -> None:
    network = nn.Linear(2, 2)
    ema, other = Ema(network, 0.9), Ema(nn.Linear(2, 2), 0.9)
    other.load_state_dict(ema.state_dict())
    assert torch.equal(ema.module.weight, other.module.weight)
