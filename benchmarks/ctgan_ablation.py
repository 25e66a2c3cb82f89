"""What each ingredient of the recipe ``ctgan`` gains: one changed at a time.

    python benchmarks/ctgan_ablation.py --seeds 3

Tables and judges are those of ``ctgan_quality.py`` (up to ``--rows`` training rows). The first
variants take an ingredient out of the recipe, the others add one that was proposed and not kept;
they are patched in here, for the program has no option for them. Prints, per variant, the mean over
tables and seeds of each score and its difference from the recipe on the same table and seed, with
the standard error of that difference. Runs that were measured are kept in ``--keep``.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parent))
import ctgan_quality as quality

RECIPE = "recipe"
SCORES = ["shape", "trend", "c2st_xgboost", "tstr"]


@contextmanager
def soft_rows() -> Iterator[None]:
    """Fake rows are Gumbel-softmax, as in the paper, not one code per column."""
    from synthgen.generators.ctgan_activation import Activation

    def soft(spans: Any, wide: Any, temperature: float, *, masked: bool) -> Activation:
        return Activation(wide, temperature)

    with mock.patch.object(Activation, "straight_through", soft):
        yield


@contextmanager
def unmasked() -> Iterator[None]:
    """Scalars of fake rows count whatever their column's code."""
    from synthgen.generators.ctgan_activation import Activation

    plain = Activation.straight_through

    def without(spans: Any, wide: Any, temperature: float, *, masked: bool) -> Activation:
        return plain(spans, wide, temperature, masked=False)

    with mock.patch.object(Activation, "straight_through", without):
        yield


@contextmanager
def all_conditions() -> Iterator[None]:
    """Training-by-sampling over all discrete columns by log-frequency, not the target alone."""
    from synthgen.encoding import Encoder
    from synthgen.generators.ctgan_conditions import TrainingBatches

    plain = TrainingBatches.of.__func__  # type: ignore[attr-defined]

    def logged(cls: Any, *args: Any, log: bool) -> Any:
        return plain(cls, *args, log=True)

    told = property(lambda encoder: encoder.discrete_spans)
    with (
        mock.patch.object(Encoder, "target_span", told),
        mock.patch.object(TrainingBatches, "of", classmethod(logged)),
    ):
        yield


@contextmanager
def betas(first: float, second: float) -> Iterator[None]:
    import torch

    from synthgen.generators import ctgan

    def adam(network: Any, lr: float) -> torch.optim.Adam:
        return torch.optim.Adam(network.parameters(), lr=lr, betas=(first, second), fused=True)

    with mock.patch.object(ctgan, "_adam", adam):
        yield


@contextmanager
def layer_norm() -> Iterator[None]:
    """Layer instead of batch normalisation in the generator."""
    import torch

    from synthgen.generators import ctgan_generator, ctgan_sampler

    def forward(norm: Any, x: Any, ranks: Any) -> tuple[Any, Any]:
        out, mean, inverse = torch.native_layer_norm(x, x.shape[1:], norm.weight, norm.bias, 1e-5)
        return out, (mean, inverse)

    def backward(norm: Any, x: Any, statistics: Any, gradient: Any, ranks: Any) -> Any:
        by_x, norm.weight.grad, norm.bias.grad = torch.ops.aten.native_layer_norm_backward(
            gradient, x, x.shape[1:], *statistics, norm.weight, norm.bias, [True, True, True]
        )
        return by_x

    def unfolded(network: Any, constants: Any) -> Any:
        return lambda z, condition: network(z, condition) + constants

    with (
        mock.patch.object(ctgan_generator, "normalise", forward),
        mock.patch.object(ctgan_generator, "normalise_backward", backward),
        mock.patch.object(ctgan_sampler.Folded, "of", unfolded),
    ):
        yield


@contextmanager
def spectral_norm() -> Iterator[None]:
    """The critic's weights are divided by their largest singular value where that is above 1
    (Miyato et al. 2018), instead of penalties on its gradient."""
    import torch

    from synthgen.generators import ctgan

    plain = ctgan.critic_step

    def step(critic: Any, *rows: Any) -> Any:
        with torch.no_grad():
            for weights in (critic.first, *critic.weights):
                weights /= torch.linalg.matrix_norm(weights, 2).clamp_min(1.0)
        return plain(critic, *rows[:-1], 0.0)

    with mock.patch.object(ctgan, "critic_step", step):
        yield


@contextmanager
def matching(weight: float) -> Iterator[None]:
    """The generator's loss has the squared distance of means and correlations of the fake rows
    from those of the real rows of the batch."""
    import torch

    from synthgen.generators import ctgan

    plain = ctgan.generator_step

    def moments(rows: Any, mean: Any, deviation: Any) -> tuple[Any, Any]:
        scaled = (rows - mean) / deviation
        return scaled.mean(0), scaled.T @ scaled / len(rows)

    def step(critic: Any, real: Any, fake: Any, *conditions: Any) -> Any:
        loss, by_rows = plain(critic, real, fake, *conditions)
        mean, deviation = real.mean(0), real.std(0).clamp_min(0.02)
        wanted = moments(real, mean, deviation)
        leaf = fake.clone().requires_grad_()
        had = moments(leaf, mean, deviation)
        apart = sum((a - b).square().mean() for a, b in zip(had, wanted, strict=True))
        (gradient,) = torch.autograd.grad(weight * apart, leaf)
        return loss, by_rows + gradient

    with mock.patch.object(ctgan, "generator_step", step):
        yield


@contextmanager
def downstream(weight: float) -> Iterator[None]:
    """A classifier of the target, trained on the real rows beside the critic, has to predict the
    fake rows' class (CTAB-GAN+, Zhao et al. 2022, arXiv 2204.00401)."""
    import torch
    from torch.nn import functional

    from synthgen.generators import ctgan
    from synthgen.generators.ctgan_activation import Activation

    known: dict[str, Any] = {}
    plain_step, plain_rows = ctgan.generator_step, Activation.straight_through

    def noted(spans: Any, wide: Any, temperature: float, *, masked: bool) -> Activation:
        known.clear()
        known["spans"], known["wide"] = spans, wide
        return plain_rows(spans, wide, temperature, masked=masked)

    def split(rows: Any) -> tuple[Any, Any]:
        places = known["places"]
        kept = torch.ones(rows.shape[1], dtype=torch.bool)
        kept[places] = False
        return rows[:, kept], rows[:, places]

    def step(critic: Any, real: Any, fake: Any, *conditions: Any) -> Any:
        if "net" not in known:
            wide = known["wide"]
            span = next(k for k, s in enumerate(known["spans"]) if s.column in TARGETS)
            first = wide.scalars + int(wide.offsets[span])
            known["places"] = torch.arange(first, first + wide.sizes[span])
            inputs = real.shape[1] - wide.sizes[span]
            known["net"] = torch.nn.Sequential(
                torch.nn.Linear(inputs, 128), torch.nn.ReLU(),
                torch.nn.Linear(128, wide.sizes[span]),
            )  # fmt: skip
            known["adam"] = torch.optim.Adam(known["net"].parameters(), lr=1e-3)
        features, classes = split(real)
        known["adam"].zero_grad()
        functional.cross_entropy(known["net"](features), classes).backward()
        known["adam"].step()
        loss, by_rows = plain_step(critic, real, fake, *conditions)
        leaf = fake.clone().requires_grad_()
        features, classes = split(leaf)
        misfit = functional.cross_entropy(known["net"](features), classes)
        (gradient,) = torch.autograd.grad(weight * misfit, leaf)
        return loss, by_rows + gradient

    with (
        mock.patch.object(ctgan, "generator_step", step),
        mock.patch.object(Activation, "straight_through", noted),
    ):
        yield


TARGETS = set(quality.TARGETS.values())


def rejected(sampler: Any, train: Any, n: int, seed: int) -> pd.DataFrame:
    """Density-ratio rejection: a classifier of generated against training rows accepts each row
    with a chance in proportion to its odds of being real (Azadi et al. 2019, arXiv 1810.06758)."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    encoder = sampler.encoder
    discrete = [span.discrete and span.size < 250 for span in encoder.spans]

    def matrix(encoded: Any) -> Any:
        return np.hstack([encoded.codes.numpy(), encoded.scalars.numpy()])

    real, fake = matrix(encoder.encode(train)), matrix(sampler.encoded(len(train), seed + 1))
    judge = HistGradientBoostingClassifier(
        max_iter=200,
        categorical_features=[*discrete, *[False] * (real.shape[1] - len(discrete))],
        early_stopping=False,
        random_state=seed,
    )
    judge.fit(np.vstack([real, fake]), np.repeat([1, 0], [len(real), len(fake)]))
    rng, parts, found, top = np.random.default_rng(seed), [], 0, None
    while found < n:
        encoded = sampler.encoded(4 * n, seed + 2 + len(parts))
        odds = judge.decision_function(matrix(encoded))
        top = np.quantile(odds, 0.98) if top is None else top
        kept = rng.random(len(odds)) < np.exp(np.minimum(odds - top, 0))
        rows = type(encoded)(encoded.codes[kept], encoded.scalars[kept])
        parts.append(encoder.decode(rows, seed=seed).frame)
        found += int(kept.sum())
    return pd.concat(parts, ignore_index=True).head(n)


Patch = Callable[[], Any]
VARIANTS: dict[str, tuple[dict[str, Any], Patch | None]] = {
    RECIPE: ({}, None),
    "Gaussian modes": ({"numeric": "modes"}, None),
    "no averaged weights": ({"ema": None}, None),
    "no calibration": ({"calibrate": False}, None),
    "the paper's game": ({"name": "ctgan-paper", "numeric": "quantiles", "ema": 0.999}, None),
    "soft fake rows": ({}, soft_rows),
    "scalars not masked": ({}, unmasked),
    "conditions on all columns": ({}, all_conditions),
    "Adam's betas 0.5, 0.9": ({}, lambda: betas(0.5, 0.9)),
    "critic four times as fast": ({"generator_lr": 2.5e-4, "discriminator_lr": 1e-3}, None),
    "batches of 1,000": ({"batch_size": 1000}, None),
    "layer normalisation": ({}, layer_norm),
    "spectral normalisation": ({}, spectral_norm),
    "means and correlations": ({}, lambda: matching(1.0)),
    "downstream classifier": ({}, lambda: downstream(0.1)),
    "density-ratio rejection": ({}, None),
}


def measured(variant: str, name: str, seed: int, given: argparse.Namespace) -> dict[str, float]:
    """One training and its scores."""
    import time

    from pydantic import TypeAdapter

    from synthgen.data.infer import infer
    from synthgen.data.overrides import ColumnOverride
    from synthgen.data.table import Table
    from synthgen.generators import AnyGenerator
    from synthgen.training.context import Context

    train, test = quality.parts(name)
    if len(train) > given.rows:
        train = train.sample(given.rows, random_state=seed).reset_index(drop=True)
    changes, patch = VARIANTS[variant]
    batch = changes.get("batch_size", 500)
    epochs = max(1, round(given.steps / max(1, len(train) // batch)))
    settings = {"name": "ctgan", "epochs": epochs, **changes}
    generator = TypeAdapter(AnyGenerator).validate_python(settings)
    numbers = quality.NUMBERS[name].split()
    kinds = {c: ColumnOverride(kind="numeric" if c in numbers else "categorical") for c in train}
    table = Table(train, infer(train, target=quality.TARGETS[name], overrides=kinds))
    started = time.process_time()
    with ExitStack() as patched:
        if patch:
            patched.enter_context(patch())
        sampler = generator.fit(table, Context(seed=seed))
        cpu = time.process_time() - started
        if variant == "density-ratio rejection":
            made = rejected(sampler, table, len(train), seed)
        else:
            made = sampler.sample(len(train), seed=seed).frame
    scores = quality.judged(name, train, test, made, logistic=False)
    return {"cpu": cpu, **scores}


def show(found: pd.DataFrame) -> None:
    base = found[found["variant"] == RECIPE].set_index(["table", "seed"])
    print("\n| | runs | shape % | trend % | C2ST XGBoost | TSTR | CPU s |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for variant in [v for v in VARIANTS if (found["variant"] == v).any()]:
        rows = found[found["variant"] == variant].set_index(["table", "seed"])
        cells = []
        for score in SCORES:
            form = "{:.2f}" if score in ("shape", "trend") else "{:.3f}"
            cell = form.format(rows[score].mean())
            if variant != RECIPE:
                apart = (rows[score] - base[score]).dropna()
                error = apart.std() / max(1, len(apart)) ** 0.5
                signed = form.replace(":", ":+")
                cell += f" ({signed} ± {form})".format(apart.mean(), error)
            cells.append(cell)
        print(f"| {variant} | {len(rows)} | {' | '.join(cells)} | {rows['cpu'].mean():.0f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tables", nargs="+", default=list(quality.TARGETS))
    parser.add_argument("--variants", nargs="+", default=list(VARIANTS), choices=list(VARIANTS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--rows", type=int, default=5_000)
    parser.add_argument("--keep", type=Path, default=Path("/tmp/ctgan_ablation.jsonl"))
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    import torch

    torch.set_num_threads(1)
    found: list[dict[str, Any]] = []
    for seed in range(given.seeds):
        for variant in given.variants:
            for name in given.tables:
                key = {"variant": variant, "table": name, "seed": seed}
                key |= {"steps": given.steps, "rows": given.rows}
                lines = given.keep.read_text().splitlines() if given.keep.exists() else []
                known = [json.loads(line) for line in lines]
                row = next((r for r in known if all(r[k] == v for k, v in key.items())), None)
                if row is None:
                    row = {**key, **measured(variant, name, seed, given)}
                    with given.keep.open("a") as file:
                        file.write(json.dumps(row) + "\n")
                    print(json.dumps(row), flush=True)
                found.append(row)
    show(pd.DataFrame(found))


if __name__ == "__main__":
    main()
