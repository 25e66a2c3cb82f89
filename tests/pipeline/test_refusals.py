"""What a run refuses, so that its result can be believed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from synthgen import pipeline
from synthgen.errors import ConfigError, DataError, MachineError
from synthgen.pipeline import stages
from synthgen.pipeline.tables import contents
from synthgen.report import load
from synthgen.runs import Run
from tests.pipeline.tables import people, small


@pytest.fixture(scope="module")
def copula(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run of a generator that keeps SDV's own format."""
    config = small(generator={"name": "sdv-gaussian-copula"}, sample={"ratio": 0.25})
    return pipeline.augment(config, tmp_path_factory.mktemp("runs") / "copula", data=people())


def test_a_model_in_sdvs_format_is_loaded_by_another_process_only_on_demand(copula: Run) -> None:
    copula.undo("sample")
    with pytest.raises(ConfigError, match="pickle"):
        pipeline.resume(copula.path)
    pipeline.resume(copula.path, trust_pickle=True)
    assert copula.finished


def test_utility_is_that_of_the_delivered_rows(copula: Run) -> None:
    from synthgen.benchmark.utility import sealed_utility
    from synthgen.pipeline.recipes import chosen_recipe
    from synthgen.pipeline.seeds import derive

    config = stages.settings(copula)
    train, drawn = contents.training_rows(copula), contents.synthetic_rows(copula)
    assert len(contents.augmented(copula)) == 400
    delivered = drawn.take(pd.RangeIndex(80).to_numpy())
    expected = sealed_utility(
        train,
        delivered,
        contents.sealed_rows(copula),
        config.decide,
        recipe=chosen_recipe(config, stages.verdict(copula)),
        seed=derive(config.seed, "utility"),
    )
    scores = {score.metric: score.value for score in load(copula / "report.json").scores}
    assert scores["roc_auc"] == expected[0].value


@pytest.mark.parametrize("name", ["config.yaml", "split/test.parquet", "schema.json"])
def test_a_changed_file_of_the_first_stage_is_refused(name: str, tmp_path: Path) -> None:
    config = small()
    with pytest.raises(KeyboardInterrupt):
        pipeline.augment(config, tmp_path / "run", data=people(), notify=_stop_at_decide)
    path = tmp_path / "run" / name
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(DataError, match=name):
        pipeline.resume(tmp_path / "run")


def _stop_at_decide(event: pipeline.Event) -> None:
    if event.stage == "decide":
        raise KeyboardInterrupt


def _with_test(tmp_path: Path, test: pd.DataFrame) -> Any:
    people().to_csv(tmp_path / "train.csv", index=False)
    test.to_csv(tmp_path / "test.csv", index=False)
    paths = {"source": str(tmp_path / "train.csv"), "test": str(tmp_path / "test.csv")}
    return small(data={"target": "sick", **paths})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.assign(sick=t["sick"].replace({"yes": "maybe"})), "classes in"),
        (lambda t: t.assign(sick=t["sick"].where(t.index > 2)), "missing in 3 of 100"),
        (lambda t: t.assign(sick="yes"), "one class only"),
        (lambda t: t.drop(columns="sick"), "'sick' is missing"),
        (lambda t: t.assign(age="old"), "'age'"),
    ],
)
def test_a_test_file_that_does_not_fit_is_named(change: Any, words: str, tmp_path: Path) -> None:
    config = _with_test(tmp_path, change(people(100, seed=5)))
    with pytest.raises(DataError, match=words) as refused:
        pipeline.start(config, tmp_path / "run")
    assert "test.csv" in refused.value.cause
    assert not (tmp_path / "run").exists()


def test_test_rows_that_are_training_rows_are_noticed(tmp_path: Path) -> None:
    notices: list[str] = []
    config = _with_test(tmp_path, people())
    pipeline.start(
        config,
        tmp_path / "run",
        notify=lambda event: notices.append(event.notice) if event.notice else None,
    )
    assert any(notice.startswith("400 of 400 test rows") for notice in notices)


def test_a_class_of_the_test_rows_alone_is_in_no_training_dtype(tmp_path: Path) -> None:
    frame = people()
    run = pipeline.start(small(), tmp_path / "first", data=frame)
    held = contents.sealed_rows(run).frame["key"]
    frame["town"] = frame["town"].cat.add_categories(["Canary", "Nowhere"])
    frame.loc[frame["key"].isin(held), "town"] = "Canary"
    run = pipeline.start(small(), tmp_path / "second", data=frame)
    categories = list(contents.training_rows(run).frame["town"].dtype.categories)
    assert "Canary" not in categories
    assert "Nowhere" in categories  # Declared but unused: it came in so.


def test_declared_values_that_few_rows_hold_are_not_passed_on(tmp_path: Path) -> None:
    frame = people()
    frame["level"] = ["low", "high"] * 200
    frame.loc[[5, 6], "level"] = "secret"
    levels = {"kind": "ordered", "values": ["low", "secret", "high"]}
    config = small(data={"target": "sick", "columns": {"level": levels}})
    run = pipeline.start(config, tmp_path / "run", data=frame)
    assert contents.schema(run)["level"].values == ("low", "high")  # type: ignore[union-attr]
    for name in ("config.yaml", "schema.json", "sdv-metadata.json", "notices.json"):
        assert "secret" not in (run / name).read_text()


def test_a_missing_package_is_told_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MachineError, match="SDV"):
        pipeline.start(small(generator={"name": "sdv-tvae"}), tmp_path / "run", data=people())


def test_another_configuration_does_not_continue_a_run(tmp_path: Path) -> None:
    run = pipeline.start(small(), tmp_path / "run", data=people())
    stages.check_same(run, small())
    with pytest.raises(ConfigError, match="another configuration"):
        stages.check_same(run, small(seed=5))
