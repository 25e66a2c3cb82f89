"""DP-CTGAN: what it spends, what it says of itself, and what no row may change."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from pydantic import ValidationError

from synthgen.data.infer import infer
from synthgen.data.table import Table
from synthgen.errors import ConfigError, DataError, MachineError, TrainingError
from synthgen.generators.base import PrivateSampler
from synthgen.generators.ctgan import CTGAN
from synthgen.generators.dp_ctgan import DPCTGAN, DPCTGANSampler
from synthgen.privacy.accounting import epsilon_of
from synthgen.training.context import Context

pytest.importorskip("opacus")
SMALL: dict[str, Any] = {
    "epochs": 3,
    "batch_size": 100,
    "discriminator_steps": 2,
    "generator_dim": [16],
    "discriminator_dim": [16],
    "embedding_dim": 8,
}


def frame(rows: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    kind = rng.choice(["red", "green", "blue"], rows, p=[0.5, 0.3, 0.2])
    size = np.where(kind == "red", 20.0, 60.0) + 5 * rng.normal(size=rows)
    label = np.where((size > 40) ^ (rng.random(rows) < 0.05), "big", "small")
    return pd.DataFrame(
        {"kind": kind, "size": size.round(1), "count": rng.poisson(9, rows), "label": label}
    )


def table(rows: int = 2000, seed: int = 0) -> Table:
    whole = frame(rows, seed)
    return Table(whole, infer(whole, target="label"))


def fit(train: Table | None = None, seed: int = 1, **settings: Any) -> DPCTGANSampler:
    generator = DPCTGAN(**{**SMALL, **settings})
    return generator.fit(table() if train is None else train, Context(seed=seed))


# ---- the budget -------------------------------------------------------------------------------


@pytest.mark.parametrize("epsilon", [1.0, 5.0])
def test_the_model_spends_its_budget_and_says_how(epsilon: float) -> None:
    sampler = fit(epsilon=epsilon)
    known = sampler.privacy
    assert isinstance(sampler, PrivateSampler)
    assert 0.99 * epsilon < known.epsilon <= epsilon
    assert (known.delta, known.rows, known.sample_rate) == (1e-5, 2000, 0.05)
    assert known.steps == 60  # 3 passes of 20 samples
    # Put together again from what is published.
    multiplier = known.preprocessing_noise / np.sqrt(known.preprocessing_queries)
    history = [
        (multiplier, 1.0, 1),
        (known.noise_multiplier, known.sample_rate, known.steps),
    ]
    rest = known.delta - known.categories_delta
    assert epsilon_of(history, rest) == pytest.approx(known.epsilon)
    assert epsilon_of(history[:1], rest) == pytest.approx(known.preprocessing_epsilon)
    assert known.preprocessing_epsilon == pytest.approx(0.3 * epsilon, rel=0.01)


def test_every_histogram_is_paid_for(monkeypatch: pytest.MonkeyPatch) -> None:
    from synthgen.privacy import categories, numbers

    asked: list[float] = []
    original = numbers.noisy_counts

    def counting(counts: Any, std: float, noise: Any) -> Any:
        asked.append(std)
        return original(counts, std, noise)

    monkeypatch.setattr(numbers, "noisy_counts", counting)
    monkeypatch.setattr(categories, "noisy_counts", counting)
    known = fit(epsilon=3.0).privacy
    assert asked == [known.preprocessing_noise] * known.preprocessing_queries


def test_declared_categories_need_no_delta() -> None:
    declared = {"kind": ["red", "green", "blue", "mauve"], "label": ["big", "small"]}
    known = fit(categories=declared, bounds={"size": (0, 100)}).privacy
    assert known.categories_delta == 0
    assert fit().privacy.categories_delta == pytest.approx(1e-6)


def test_declared_facts_are_kept() -> None:
    sampler = fit(
        categories={"kind": ["mauve", "red", "green"], "label": ["big", "small"]},
        bounds={"size": (0, 100)},
    )
    schema = sampler.schema
    assert schema["kind"].values == ("mauve", "red", "green")  # type: ignore[union-attr]
    assert (schema["size"].low, schema["size"].high) == (0, 100)  # type: ignore[union-attr]
    rows = sampler.sample(30, seed=1, where={"label": "big"})
    assert set(rows.frame["label"]) <= {"big"}


@pytest.mark.parametrize(
    ("facts", "named"),
    [
        ({"bounds": {"sise": (0, 1)}}, "sise"),
        ({"bounds": {"kind": (0, 1)}}, "kind"),
        ({"categories": {"size": ["a"]}}, "size"),
    ],
)
def test_facts_of_no_such_column_are_refused(facts: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        fit(**facts)


@pytest.mark.parametrize(
    "wrong",
    [
        {"epsilon": 0},
        {"delta": 1.0},
        {"bounds": {"size": (3, 1)}},
        {"categories": {"kind": []}},
        {"categories": {"kind": ["a", "a"]}},
        {"preprocessing": 1.0},
    ],
)
def test_settings_without_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        DPCTGAN(**wrong)


def test_too_small_an_epsilon_says_what_to_change() -> None:
    with pytest.raises(DataError, match="cannot be told from noise") as raised:
        fit(table(150), epsilon=0.05)
    assert "generator.epsilon" in raised.value.remedy
    with pytest.raises(ConfigError, match="too small"):
        fit(epsilon=1e-5)


def test_without_opacus_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    original = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *rest: None if name == "opacus" else original(name, *rest),
    )
    with pytest.raises(MachineError, match="Opacus") as raised:
        fit()
    assert ".[dp]" in raised.value.remedy
    assert raised.value.exit_code == 4


def test_opacus_is_imported_by_a_fit_only() -> None:
    import subprocess

    code = "import sys, synthgen.generators; sys.exit('opacus' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


# ---- what may be published --------------------------------------------------------------------


def test_noise_differs_between_runs_of_one_seed() -> None:
    one, two = fit(seed=5), fit(seed=5)
    assert one.encoder.tallies != two.encoder.tallies
    weights = [s.rows.network.state_dict()["noise.0"] for s in (one, two)]
    assert not torch.equal(*weights)
    assert one.privacy.secret_noise


def test_seeded_noise_is_the_same_and_admits_it() -> None:
    one, two = (fit(seed=5, insecure_seeded_noise=True) for _ in range(2))
    assert one.encoder == two.encoder
    assert one.sample(20, seed=1).frame.equals(two.sample(20, seed=1).frame)
    assert not one.privacy.secret_noise


def test_nothing_of_the_training_schema_gets_into_the_model(tmp_path: Path) -> None:
    known = table()
    # Extremes that no edge of a grid equals: what a row has is free to be an edge as well.
    extremes = {"size": {"low": -311.7, "high": 4711.3}, "count": {"low": -313, "high": 4713}}
    columns = tuple(c.model_copy(update=extremes.get(c.name, {})) for c in known.schema.columns)
    train = Table(known.frame, known.schema.model_copy(update={"columns": columns}))
    sampler = fit(train)
    sampler.save(tmp_path)
    written = json.loads((tmp_path / "model.json").read_text())
    released = {column["name"]: column for column in written["schema"]["columns"]}
    for name, known_extremes in extremes.items():
        assert not {released[name]["low"], released[name]["high"]} & set(known_extremes.values())
    exact = [n for c in train.schema.discrete for n in np.bincount(train.codes(c.name)).tolist()]
    flat = [count for tally in written["encoder"]["counts"] for count in tally]
    # One may meet by chance, all of them do not.
    assert sum(count in flat for count in exact) < len(exact)
    assert DPCTGAN().load(tmp_path).privacy == sampler.privacy


def test_a_value_of_few_rows_is_not_in_the_model(tmp_path: Path) -> None:
    rows = frame(2000)
    rows.loc[:6, "kind"] = "qxzcanary"  # seven rows: the training table's schema has it
    rows.loc[7, "size"] = 98765.4
    train = Table(rows, infer(rows, target="label"))
    assert "qxzcanary" in train.schema["kind"].values  # type: ignore[union-attr]
    sampler = fit(train)
    sampler.save(tmp_path)
    assert "qxzcanary" not in (tmp_path / "model.json").read_text()
    assert sampler.schema["size"].high < 1000  # type: ignore[union-attr]
    with pytest.raises(ConfigError, match="qxzcanary"):
        sampler.sample(5, seed=1, where={"kind": "qxzcanary"})


def test_the_log_holds_nothing_of_real_rows() -> None:
    records: list[dict[str, float]] = []
    DPCTGAN(**SMALL).fit(table(), Context(seed=1, log=records.append))
    known = {"step", "steps", "epoch", "loss_generator", "loss_conditions"}
    assert records
    assert all(set(record) == known for record in records)


# ---- resuming ---------------------------------------------------------------------------------


class Killed(BaseException):
    pass


def killed_after(records: int) -> Any:
    count = 0

    def log(record: dict[str, float]) -> None:
        nonlocal count
        count += 1
        if count == records:
            raise Killed

    return log


def test_a_resumed_fit_asks_no_row_again_and_reports_the_same_epsilon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synthgen.training.loop.SNAPSHOT_STEPS", 1)
    monkeypatch.setattr("synthgen.training.loop.CHECKPOINT_SECONDS", 0.0)
    generator = DPCTGAN(**SMALL, epsilon=2.0)
    with pytest.raises(Killed):
        generator.fit(table(), Context(seed=1, log=killed_after(12), checkpoints=tmp_path))

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("the rows were asked again")

    monkeypatch.setattr("synthgen.generators.dp_ctgan.private_encoder", refuse)
    after: list[dict[str, float]] = []
    resumed = generator.fit(table(), Context(seed=1, log=after.append, checkpoints=tmp_path))
    assert after[0]["step"] == 12
    assert resumed.privacy.steps == 60
    assert 1.98 < resumed.privacy.epsilon <= 2.0


def test_other_rows_do_not_go_on_from_a_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synthgen.training.loop.SNAPSHOT_STEPS", 1)
    monkeypatch.setattr("synthgen.training.loop.CHECKPOINT_SECONDS", 0.0)
    with pytest.raises(Killed):
        DPCTGAN(**SMALL).fit(table(), Context(log=killed_after(5), checkpoints=tmp_path))
    after: list[dict[str, float]] = []
    DPCTGAN(**SMALL).fit(table(seed=3), Context(log=after.append, checkpoints=tmp_path))
    assert after[0]["step"] == 1


def test_a_training_that_met_nan_is_not_tried_again() -> None:
    with pytest.raises(TrainingError, match="cost privacy a second time"):
        fit(generator_lr=1e30, epochs=20)


def test_rows_in_parquet_train_as_rows_in_memory_do(tmp_path: Path) -> None:
    from synthgen.data.stored import ParquetColumns, StoredTable

    train = table()
    train.save(tmp_path / "rows.parquet")
    source = ParquetColumns.find(str(tmp_path / "rows.parquet"))
    assert source is not None
    settings = {**SMALL, "insecure_seeded_noise": True, "categories": {"kind": ["red", "blue"]}}
    drawn = []
    for rows in (train, StoredTable(source, train.schema)):
        sampler = DPCTGAN(**settings).fit(rows, Context(seed=1))
        drawn.append(sampler.sample(50, seed=1).frame)
    assert drawn[0].equals(drawn[1])


# ---- quality ----------------------------------------------------------------------------------


def distance(one: pd.Series[Any], other: pd.Series[Any]) -> float:
    shares = [part.value_counts(normalize=True) for part in (one, other)]
    return float(shares[0].sub(shares[1], fill_value=0).abs().sum() / 2)


def test_marginal_distributions_are_those_of_the_noisy_counts() -> None:
    train = table(4000)
    rows = fit(train, epsilon=20.0).sample(4000, seed=1).frame
    for name in ("kind", "label"):
        assert distance(rows[name], train.frame[name]) < 0.06
    at = train.frame["size"].quantile([0.1, 0.5, 0.9]).to_numpy()
    shares = (rows["size"].to_numpy()[:, None] < at).mean(0)
    np.testing.assert_allclose(shares, [0.1, 0.5, 0.9], atol=0.06)


@pytest.mark.slow
def test_a_larger_budget_gives_better_rows() -> None:
    """How well kind and label tell size, as in the training rows: about 40 from red to the rest."""
    train = table(3000)
    errors = {}
    for epsilon in (0.3, 100.0):
        found = []
        for seed in range(3):
            settings = {**SMALL, "epochs": 25, "generator_dim": [64], "discriminator_dim": [64]}
            sampler = DPCTGAN(**settings, epsilon=epsilon).fit(train, Context(seed=seed))
            rows = sampler.sample(4000, seed=seed).frame
            red = rows["kind"] == "red"
            # Much noise may leave one kind alone: then its size is told by nothing.
            alone = red.all() or not red.any()
            gap = 0 if alone else rows.loc[~red, "size"].mean() - rows.loc[red, "size"].mean()
            found.append(abs(gap - 40))
        errors[epsilon] = np.mean(found)
    # The noise follows from no seed: the ratio is 0.45 on average, give or take 0.07.
    assert errors[100.0] < 0.75 * errors[0.3]


def test_hyper_parameters_have_the_names_of_ctgan() -> None:
    shared = {"epochs", "batch_size", "embedding_dim", "generator_dim", "discriminator_dim"}
    assert shared <= set(CTGAN.model_fields) & set(DPCTGAN.model_fields)
