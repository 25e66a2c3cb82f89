"""SDV's synthesizers: what they are given, and how they are contained."""

from __future__ import annotations

import builtins
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from synthgen.data.infer import infer
from synthgen.data.table import Table
from synthgen.errors import MachineError, TrainingError
from synthgen.generators.sdv import (
    SDVCTGAN,
    SDVTVAE,
    SDVCopulaGAN,
    SDVGaussianCopula,
    SDVSampler,
)
from synthgen.training.context import Context


def table(rows: int = 300) -> Table:
    rng = np.random.default_rng(0)
    x = rng.normal(size=rows)
    frame = pd.DataFrame(
        {
            "x": x,
            "twice": np.where(rng.random(rows) < 0.2, np.nan, 2 * x),
            "<b>kind</b>": rng.choice(["u", "v"], rows),
            "size": pd.Categorical(
                np.array(["s", "m", "l"])[np.clip(np.rint(x + 1), 0, 2).astype(int)],
                ["s", "m", "l"],
                ordered=True,
            ),
            "y": np.where(x > 0.3, "p", "q"),
        }
    )
    return Table(frame, infer(frame, target="y"))


def test_sdv_sees_codes_and_numbers_under_plain_names(monkeypatch: pytest.MonkeyPatch) -> None:
    from sdv.single_table import GaussianCopulaSynthesizer

    seen: dict[str, Any] = {}
    fit = GaussianCopulaSynthesizer.fit

    def spy(self: Any, data: dict[str, pd.DataFrame]) -> None:
        seen["data"], seen["metadata"] = data["table"].copy(), self.metadata.to_dict()
        fit(self, data)

    monkeypatch.setattr(GaussianCopulaSynthesizer, "fit", spy)
    train = table()
    SDVGaussianCopula().fit(train, Context())
    data = seen["data"]
    assert list(data) == ["c0", "c1", "c2", "c3", "c4"]
    assert data["c1"].isna().equals(train.frame["twice"].isna())
    assert set(data["c2"]) == {"0", "1"}
    columns = seen["metadata"]["tables"]["table"]["columns"]
    assert [c["sdtype"] for c in columns.values()] == [
        "numerical",
        "numerical",
        "categorical",
        "ordinal",
        "categorical",
    ]
    assert columns["c3"]["range_values"] == ["0", "1", "2"]


def test_the_copula_learns_what_a_copula_can() -> None:
    train = table(1000)
    new = SDVGaussianCopula().fit(train, Context()).sample(3000, seed=1)
    # SDV puts the mean into the fifth that is missing: sqrt(0.8) of a perfect correlation is left.
    assert new.frame["x"].corr(new.frame["twice"]) == pytest.approx(0.8**0.5, abs=0.03)
    assert new.frame["twice"].isna().mean() == pytest.approx(0.2, abs=0.04)
    shares = new.frame["y"].value_counts(normalize=True)
    assert shares["p"] == pytest.approx((train.frame["y"] == "p").mean(), abs=0.05)
    means = new.frame.groupby("size", observed=True)["x"].mean()
    assert means["s"] < means["m"] < means["l"]


def test_gaps_are_placed_anew_by_each_seed() -> None:
    sampler = SDVGaussianCopula(default_distribution="norm").fit(table(), Context())
    gaps = [sampler.sample(300, seed=s).frame["twice"].isna().to_numpy() for s in (1, 2)]
    assert (gaps[0] != gaps[1]).any()


@pytest.mark.parametrize(
    ("generator", "logged"),
    [
        (SDVCTGAN(epochs=3, batch_size=50, pac=5), {"generator_loss", "discriminator_loss"}),
        (SDVCopulaGAN(epochs=2, batch_size=50, pac=5), {"generator_loss", "discriminator_loss"}),
        (SDVTVAE(epochs=3, batch_size=50), {"loss"}),
    ],
)
def test_losses_are_logged_once_per_epoch(generator: SDVCTGAN | SDVTVAE, logged: set[str]) -> None:
    records: list[dict[str, float]] = []
    generator.fit(table(), Context(log=records.append))
    assert [r["step"] for r in records] == list(range(1, generator.epochs + 1))
    assert {r["steps"] for r in records} == {generator.epochs}
    assert all(set(r) == {"step", "steps", *logged} for r in records)


@pytest.mark.parametrize(
    "generator",
    [
        SDVCTGAN(epochs=1, embedding_dim=7, generator_dim=(9,), discriminator_dim=(8,), pac=2),
        SDVTVAE(epochs=1, embedding_dim=7, compress_dims=(9,), decompress_dims=(8,)),
        SDVGaussianCopula(default_distribution="uniform"),
        SDVCopulaGAN(epochs=1, log_frequency=False, default_distribution="truncnorm"),
    ],
)
def test_every_setting_reaches_sdv(generator: SDVCTGAN | SDVGaussianCopula) -> None:
    synthesizer = generator.fit(table(80), Context()).synthesizer
    for name, value in generator.model_dump(exclude={"name", "trust_pickle"}).items():
        assert getattr(synthesizer, name) == value, name


def test_sdv_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sampler = SDVCTGAN(epochs=1, batch_size=50, pac=5).fit(table(), Context())
        sampler.sample(10, seed=1, where={"y": "p"})
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err == ""


def test_without_sdv_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.split(".")[0] == "sdv":
            raise ModuleNotFoundError("No module named 'sdv'", name="sdv")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    monkeypatch.delitem(sys.modules, "sdv", raising=False)
    with pytest.raises(MachineError) as raised:
        SDVGaussianCopula().fit(table(50), Context())
    assert raised.value.remedy.startswith("pip install 'synthgen[sdv]'")


def test_a_failure_inside_sdv_quotes_no_data(monkeypatch: pytest.MonkeyPatch) -> None:
    from sdv.single_table import TVAESynthesizer

    def fail(self: Any, data: Any) -> None:
        raise ValueError("the value 'secret' is bad")

    monkeypatch.setattr(TVAESynthesizer, "fit", fail)
    with pytest.raises(TrainingError, match="ValueError") as raised:
        SDVTVAE().fit(table(50), Context())
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("generator", [SDVCTGAN, SDVCopulaGAN])
@pytest.mark.parametrize("settings", [{"batch_size": 55, "pac": 5}, {"batch_size": 502}])
def test_batches_that_sdv_would_stumble_over_are_refused(
    generator: type[SDVCTGAN], settings: dict[str, int]
) -> None:
    with pytest.raises(ValidationError, match="multiple of pac"):
        generator(**settings)


def test_the_folder_says_what_it_is(tmp_path: Path) -> None:
    sampler: SDVSampler = SDVGaussianCopula(default_distribution="norm").fit(table(60), Context())
    sampler.save(tmp_path)
    text = (tmp_path / "sdv" / "README.txt").read_text(encoding="utf-8")
    assert "SDV's own format" in text
    assert "runs code" in text
    assert "2." in text
