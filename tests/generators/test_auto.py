"""Choosing among generators: what is chosen where the truth is known, and what is never done."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from synthgen.data.infer import infer
from synthgen.data.table import Table
from synthgen.errors import DataError, TrainingError
from synthgen.generators import auto
from synthgen.generators.arn import ARN
from synthgen.generators.auto import LEAST, Auto, ChosenSampler, Trial, choose
from synthgen.generators.base import Sampler
from synthgen.generators.mixture import Mixture
from synthgen.generators.resample import Resample
from synthgen.report.choice import sentence
from synthgen.training.context import Context
from tests.generators.tables import table

INDEPENDENT = {"name": "mixture", "components": 1}
"""A single component is a product of its columns' distributions: they are independent in it."""
DEPENDENT = {"name": "mixture", "rows_per_component": 20, "smoothing": 0.05}
QUICK: dict[str, Any] = {"candidates": [INDEPENDENT, DEPENDENT], "draws": 2}


def kinds(rows: int, seed: int = 0) -> Table:
    """Four kinds of rows, which show in every column: told apart at once from shuffled columns."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(4, size=rows)
    frame = pd.DataFrame(
        {
            "town": np.array(["s", "t", "u", "v"])[kind],
            "height": rng.normal(10.0 * kind, 1.0).round(3),
            "weight": rng.normal(-5.0 * kind, 1.0).round(3),
            "y": np.where(rng.random(rows) < np.array([0.9, 0.1, 0.8, 0.2])[kind], "a", "b"),
        }
    )
    return Table(frame, infer(frame, target="y"))


def noise(rows: int) -> Table:
    """Columns that are independent: one component is all it takes."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "x": rng.normal(size=rows).round(3),
            "kind": rng.choice(["u", "v", "w"], rows),
            "y": rng.choice(["a", "b"], rows),
        }
    )
    return Table(frame, infer(frame, target="y"))


def trial(auc: float, spread: float = 0.0, draws: float = 0.0) -> Trial:
    """Two draws and a hundred held-out rows: their placements lie ``spread`` to either side of the
    AUC in turn, and the draws ``draws``."""
    sides = np.tile([-1.0, 1.0], 50)
    return Trial(auc + spread * sides, auc + draws * np.array([-1.0, 1.0]))


class Broken(Mixture):
    """Fails on tables of at least ``fails`` rows."""

    fails: int = 0
    tried: ClassVar[list[int]] = []

    def fit(self, train: Table, context: Context) -> Any:
        self.tried.append(len(train))
        if len(train) >= self.fails:
            raise TrainingError("the losses were not finite", "lower the learning rates")
        return super().fit(train, context)


# ---- what is chosen ---------------------------------------------------------------------------


def test_dependent_columns_need_a_model_that_knows_them() -> None:
    chosen = Auto.model_validate(QUICK).fit(kinds(600), Context(seed=1)).choice
    assert chosen.chosen == "mixture 2"
    assert chosen.held_out == 120
    worse, better = chosen.candidates
    assert (worse.name, better.name) == ("mixture", "mixture 2")
    assert worse.auc is not None
    assert better.auc is not None
    assert worse.auc > 0.9 > 0.75 > better.auc


@pytest.mark.parametrize("first", [INDEPENDENT, DEPENDENT])
def test_of_equals_the_first_is_taken(first: dict[str, Any]) -> None:
    second = DEPENDENT if first is INDEPENDENT else INDEPENDENT
    generator = Auto.model_validate({"candidates": [first, second]})
    assert generator.fit(noise(600), Context(seed=2)).choice.chosen == "mixture"


def test_what_is_told_apart_within_the_noise_is_a_tie() -> None:
    assert choose([trial(0.60), trial(0.55)]) == 1
    # The error of the difference counts, not those of the two: these differ in every row alike.
    assert choose([trial(0.60, spread=0.4), trial(0.55, spread=0.4)]) == 1
    # Here rows differ by 0.55 to either side: the error is 0.055 and a little.
    assert choose([trial(0.60, spread=0.3), trial(0.55, spread=-0.25)]) == 0
    assert choose([trial(0.61, spread=0.3), trial(0.55, spread=-0.25)]) == 1
    # Draws differ by 0.06 to either side: the error is 0.06 as well.
    assert choose([trial(0.60, draws=0.03), trial(0.55, draws=-0.03)]) == 0
    assert choose([trial(0.62, draws=0.03), trial(0.55, draws=-0.03)]) == 1
    # Nobody is better than chance.
    assert choose([trial(0.50), trial(0.42)]) == 0
    assert choose([trial(0.7), trial(0.5), trial(0.6)]) == 1


def test_the_noise_is_that_of_choices_made_again() -> None:
    """Of one fitted model the AUC on other held-out rows and draws varies by its standard error."""
    sampler = Mixture(components=2).fit(kinds(800), Context())
    rng, generator, found = np.random.default_rng(0), Auto(draws=2), []
    fitted, fresh = kinds(400, seed=1), kinds(3000, seed=2)
    for number, rows in enumerate(rng.permutation(3000).reshape(30, 100)):
        found.append(generator._judge(sampler, fitted, fresh.take(rows), seed=number))
    spread = np.std([one.auc for one in found], ddof=1)
    assert np.mean([one.standard_error for one in found]) == pytest.approx(spread, rel=0.4)


def test_what_failed_or_was_not_compared_is_not_chosen_before_what_was() -> None:
    failed, unjudged = Trial(failure="no"), Trial()
    assert choose([failed, unjudged]) == 1
    assert choose([unjudged, trial(0.9)]) == 1
    assert choose([unjudged, unjudged]) == 0
    assert choose([failed, failed]) is None
    assert choose([replace(trial(0.5), failure="on all rows"), trial(0.9)]) == 1


def test_the_model_is_the_chosen_generators_own() -> None:
    train = kinds(400)
    sampler = Auto.model_validate(QUICK).fit(train, Context(seed=3))
    assert sampler.choice.chosen == "mixture 2"
    alone = Mixture.model_validate(DEPENDENT).fit(train, Context(seed=3))
    assert sampler.sample(50, seed=1).frame.equals(alone.sample(50, seed=1).frame)


def test_one_seed_makes_one_choice() -> None:
    generator = Auto.model_validate({"candidates": ["mixture", {"name": "arn", "epochs": 3}]})
    first, again, other = (generator.fit(table("mixed"), Context(seed=s)) for s in (4, 4, 5))
    assert first.choice == again.choice
    assert first.choice.candidates != other.choice.candidates


def test_candidates_meet_the_same_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[pd.DataFrame, pd.DataFrame]] = []
    fits: list[pd.DataFrame] = []
    fit = Mixture.fit

    def judged(real: Table, made: Table, held_out: Table, fresh: Table) -> NDArray[np.float64]:
        assert (len(made), len(fresh)) == (len(real), len(held_out))
        assert not fresh.frame.equals(made.frame.head(len(fresh)))
        seen.append((real.frame, held_out.frame))
        return np.full(len(held_out), 0.5)

    def fitted(self: Mixture, train: Table, context: Context) -> Any:
        fits.append(train.frame)
        return fit(self, train, context)

    monkeypatch.setattr(auto, "placements", judged)
    monkeypatch.setattr(Mixture, "fit", fitted)
    whole = kinds(500)
    Auto.model_validate(QUICK).fit(whole, Context(seed=6))
    assert len(seen) == 4
    assert all(real.equals(fits[0]) and held.equals(seen[0][1]) for real, held in seen)
    assert [len(rows) for rows in fits] == [400, 400, 500]
    # Nothing that a candidate is judged by was fitted, and nothing is lost.
    apart = pd.concat([fits[0], seen[0][1]]).sort_values(list(whole.frame))
    assert apart.reset_index(drop=True).equals(
        whole.frame.sort_values(list(whole.frame)).reset_index(drop=True)
    )


def test_few_rows_are_not_divided_into_fewer() -> None:
    sampler = Auto.model_validate(QUICK).fit(kinds(2 * LEAST - 1), Context())
    assert (sampler.choice.chosen, sampler.choice.held_out) == ("mixture", 0)
    assert sampler.choice.candidates[1].auc is None
    assert "too few" in sentence(sampler.choice)
    assert Auto().judging(2 * LEAST) == LEAST
    assert Auto().judging(1000) == 200
    assert Auto().judging(10**6) == auto.MOST


def test_rows_that_are_all_alike_are_a_tie() -> None:
    frame = pd.DataFrame({"x": ["u"] * 200, "y": ["a"] * 200})
    train = Table(frame, infer(frame, target="y"))
    choice = Auto.model_validate(QUICK).fit(train, Context()).choice
    assert choice.chosen == "mixture"
    assert [one.auc for one in choice.candidates] == [0.5, 0.5]


# ---- failures ---------------------------------------------------------------------------------


def broken(*generators: Any) -> Auto:
    return Auto(draws=2).model_copy(update={"candidates": generators})


def test_a_candidate_that_fails_is_left_out_and_named() -> None:
    sampler = broken(Broken(), Mixture()).fit(kinds(300), Context())
    assert sampler.choice.chosen == "mixture 2"
    assert sampler.choice.candidates[0].failure == "the losses were not finite"
    assert "mixture could not be trained: the losses were not finite" in sentence(sampler.choice)


def test_one_that_fails_on_all_rows_gives_way_to_the_next() -> None:
    sampler = broken(Broken(fails=300), Mixture(components=1)).fit(kinds(300), Context())
    assert sampler.choice.chosen == "mixture 2"
    assert sampler.choice.candidates[0].auc is not None
    assert sampler.choice.candidates[0].failure


@pytest.mark.parametrize("rows", [60, 300])
def test_if_all_fail_the_fit_fails(rows: int) -> None:
    with pytest.raises(TrainingError, match="mixture 2: the losses were not finite"):
        broken(Broken(), Broken()).fit(kinds(rows), Context())


# ---- settings ---------------------------------------------------------------------------------


@pytest.mark.parametrize("copying", ["smote", "resample", {"name": "smote"}, Resample()])
def test_generators_that_copy_training_rows_are_refused(copying: Any) -> None:
    with pytest.raises(ValidationError, match="would win by repeating them"):
        Auto.model_validate({"candidates": ["mixture", copying]})


@pytest.mark.parametrize("wrong", [["auto", "arn"], ["sdv-ctgan", "arn"], ["arn"], [], ["arn", 3]])
def test_other_candidates_are_refused(wrong: list[Any]) -> None:
    with pytest.raises(ValidationError):
        Auto.model_validate({"candidates": wrong})


def test_names_and_settings_are_candidates() -> None:
    generator = Auto.model_validate({"candidates": ["arn", {"name": "mixture", "epochs": 7}]})
    assert generator.candidates == (ARN(), Mixture(epochs=7))
    schema = json.dumps(Auto.model_json_schema())
    assert '"enum": ["mixture", "arn", "tvae", "ctgan"]' in schema


# ---- saving and resuming ----------------------------------------------------------------------


def test_another_process_loads_the_chosen_model(tmp_path: Path) -> None:
    sampler = Auto.model_validate(QUICK).fit(kinds(300), Context(seed=7))
    sampler.save(tmp_path)
    assert json.loads((tmp_path / "model.json").read_text())["generator"]["name"] == "mixture"
    code = """
import sys
from dataclasses import replace
from pathlib import Path
from synthgen.generators.auto import Auto
loaded = Auto().load(Path(sys.argv[1]))
print(loaded.choice.chosen)
print(loaded.sample(30, seed=2).frame.to_csv(), end="")
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        env=dict(os.environ),
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    chosen, _, rows = done.stdout.partition("\n")
    assert chosen == sampler.choice.chosen
    assert rows == sampler.sample(30, seed=2).frame.to_csv()


def test_a_model_without_its_choice_is_damaged(tmp_path: Path) -> None:
    Mixture(epochs=2).fit(kinds(60), Context()).save(tmp_path)
    with pytest.raises(DataError, match="'auto'"):
        Auto().load(tmp_path)


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it."""


@pytest.mark.parametrize("when", ["trial arn loss", "trial arn two_sample_auc", "loss"])
def test_finished_candidates_are_not_fitted_again(
    when: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed while the second candidate trains, when it has been judged, in the last training."""
    monkeypatch.setattr("synthgen.training.loop.SNAPSHOT_STEPS", 1)
    monkeypatch.setattr("synthgen.training.loop.CHECKPOINT_SECONDS", 0.0)
    settings = {"candidates": [INDEPENDENT, {"name": "arn", "epochs": 12}], "draws": 2}
    generator, train = Auto.model_validate(settings), kinds(400)
    undisturbed = generator.fit(train, Context(seed=8))
    assert undisturbed.choice.chosen == "arn"
    before: list[dict[str, float]] = []

    def kill(record: dict[str, float]) -> None:
        before.append(record)
        if sum(when in one for one in before) == (1 if "auc" in when else 5):
            raise Killed

    with contextlib.suppress(Killed):
        generator.fit(train, Context(seed=8, log=kill, checkpoints=tmp_path))
    after: list[dict[str, float]] = []
    resumed = generator.fit(train, Context(seed=8, log=after.append, checkpoints=tmp_path))
    assert resumed.choice == undisturbed.choice
    assert _same(resumed, undisturbed)
    assert not any(key.startswith("trial mixture") for record in after for key in record)
    steps = [record["step"] for record in after if when in record]
    if "auc" not in when:
        assert 1 < steps[0] <= before[-1]["step"]
    assert any("trial arn two_sample_auc" in one for one in after) == when.startswith("trial")


def test_trials_of_other_rows_are_not_taken_for_these(tmp_path: Path) -> None:
    generator = Auto.model_validate(QUICK)
    generator.fit(kinds(300, seed=1), Context(checkpoints=tmp_path))
    fresh = generator.fit(kinds(300, seed=2), Context())
    found = generator.fit(kinds(300, seed=2), Context(checkpoints=tmp_path))
    assert found.choice == fresh.choice
    assert _same(found, fresh)


def _same(one: Sampler, other: Sampler) -> bool:
    return one.sample(60, seed=1).frame.equals(other.sample(60, seed=1).frame)


def test_the_log_names_the_candidate() -> None:
    records: list[dict[str, float]] = []
    sampler: ChosenSampler = Auto.model_validate(QUICK).fit(
        kinds(300), Context(seed=9, log=records.append)
    )
    scores = {
        key: value for record in records for key, value in record.items() if "two_sample" in key
    }
    assert scores == {
        f"trial {one.name} two_sample_auc": one.auc for one in sampler.choice.candidates
    }
    assert any("trial mixture loss_held_out" in record for record in records)
    assert "loss" in records[-2] | records[-1]
