"""A bench: every cell once, nothing dropped silently, and the numbers of its cells in its table."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synthgen import config as configuration
from synthgen import pipeline
from synthgen.config.budget import TABLES
from synthgen.errors import ConfigError, DataError
from synthgen.pipeline import bench_file
from synthgen.pipeline.bench import COLUMNS, bench
from synthgen.pipeline.bench_file import build, cells
from synthgen.pipeline.events import Event
from synthgen.pipeline.tables import splitting
from synthgen.report.bench import Bench
from synthgen.runs import Run
from tests.pipeline.bench_cells import BASELINES, CHEAP, GAINS, Cells, failing
from tests.pipeline.tables import people

WINE = {"source": "sklearn:wine", "target": "target"}
IRIS = {"source": "sklearn:iris", "target": "target"}
SMALL: dict[str, Any] = {
    "datasets": {"wine": WINE, "iris": IRIS},
    "generators": ["ctgan", {"name": "tvae", "epochs": 3}],
    "seeds": [0],
    "settings": {"budget": "quick", "decide": {"arms": ["nothing", "class_weights", "smote"]}},
}


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Cells:
    found = Cells()
    monkeypatch.setattr(pipeline, "augment", found.augment)
    monkeypatch.setattr(pipeline, "resume", found.resume)
    # Not what is tested here, and most of the time of a first stage.
    monkeypatch.setattr(splitting, "giveaways", lambda *_: [])
    return found


LARGER: dict[str, Any] = {
    "datasets": {"wine": WINE, "iris": IRIS, "again": IRIS},
    "seeds": [0, 1],
}


def small(**changes: Any) -> bench_file.BenchFile:
    return build(SMALL | changes)


# ---- the bench file ---------------------------------------------------------------------------


def test_every_cell_is_a_whole_configuration(tmp_path: Path) -> None:
    special = {**WINE, "settings": {"decide": {"max_rows": 100}, "budget": "standard"}}
    found = cells(small(datasets={"wine": special, "iris": IRIS}, seeds=[0, 1]), tmp_path)
    assert [cell.name for cell in found] == [
        f"{dataset}/{generator}/seed-{seed}"
        for seed in (0, 1)
        for dataset in ("wine", "iris")
        for generator in ("ctgan", "tvae")
    ]
    last = found[-1]
    assert last.folder == tmp_path / "iris" / "tvae" / "seed-1"
    assert (last.config.seed, last.config.data.source) == (1, "sklearn:iris")
    assert (
        last.config.generator
        == configuration.build({"data": WINE, "generator": {"name": "tvae", "epochs": 3}}).generator
    )
    first = found[0].config
    assert (first.budget, first.decide.max_rows) == ("standard", 100)
    assert first.decide.arms == ("nothing", "class_weights", "smote")


def test_what_is_unset_is_left_to_the_budget(tmp_path: Path) -> None:
    (first, *_) = cells(small(), tmp_path)
    resolved = configuration.resolve(first.config, 100)
    assert resolved.decide.resamples == TABLES["quick"].resamples


@pytest.mark.parametrize(
    ("changes", "cause", "remedy"),
    [
        ({"dataset": {}}, "unknown setting dataset", "did you mean datasets?"),
        ({"epochs": 3}, "unknown setting epochs", "known here: datasets, generators, seeds"),
        ({"datasets": {}}, "datasets: ", ""),
        ({"datasets": {"wine": {"source": "x"}}}, "datasets.wine.target is missing", ""),
        (
            {"datasets": {"wine": {**WINE, "tset": "x"}}},
            "unknown setting datasets.wine.tset",
            "did you mean test?",
        ),
        (
            {"datasets": {"wine": {**WINE, "read": {"seperator": ";"}}}},
            "unknown setting datasets.wine.read.seperator",
            "did you mean separator?",
        ),
        ({"datasets": {"../wine": WINE}}, "letters, digits", ""),
        ({"datasets": {"wine": {"target": "y"}}}, "datasets.wine: no source", ""),
        (
            {"datasets": {"wine": {**WINE, "settings": {"budgt": "quick"}}}},
            "datasets.wine.settings: unknown setting budgt",
            "did you mean budget?",
        ),
        ({"settings": {"decid": {}}}, "settings: unknown setting decid", "did you mean decide?"),
        ({"settings": {"seed": 3}}, "settings.seed", "'seeds'"),
        ({"settings": {"decide": {"resamples": 1}}}, "settings: decide.resamples", ""),
        ({"generators": []}, "generators: ", ""),
        ({"generators": ["ctgn"]}, "generators, entry 1: generator: there is no 'ctgn'", "ctgan"),
        (
            {"generators": ["ctgan", {"name": "tvae", "epoch": 3}]},
            "generators, entry 2: unknown setting generator.epoch",
            "did you mean epochs?",
        ),
        ({"generators": [{"epochs": 3}]}, "a generator needs a name", ""),
        ({"generators": ["ctgan", {"name": "ctgan", "epochs": 3}]}, "give one of them a label", ""),
        ({"generators": [{"name": "tvae", "label": "smote"}]}, "an arm without a generator", ""),
        ({"generators": ["tvae", {"name": "ctgan", "label": "tvae-mixed"}]}, "an arm of tvae", ""),
        ({"generators": [{"name": "ctgan", "label": "a/b"}]}, "letters, digits", ""),
        ({"seeds": []}, "seeds: ", ""),
        ({"seeds": [1, 1]}, "a seed stands twice", ""),
        ({"seeds": [-1]}, "seeds.0: ", ""),
    ],
)
def test_a_wrong_file_is_refused_by_name(
    changes: dict[str, Any], cause: str, remedy: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as refused:
        cells(small(**changes), tmp_path)
    assert cause in refused.value.cause
    assert remedy in refused.value.remedy


def test_a_generator_with_the_name_of_a_cheap_arm_is_told_apart(tmp_path: Path) -> None:
    found = cells(small(generators=["smote", {"name": "smote", "label": "mine"}]), tmp_path)
    assert {cell.generator for cell in found} == {"smote-generator", "mine"}


def test_a_missing_file_and_no_yaml(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        bench_file.read(tmp_path / "none.yaml")
    (tmp_path / "bad.yaml").write_text("datasets: [")
    with pytest.raises(ConfigError, match="line"):
        bench_file.read(tmp_path / "bad.yaml")


def test_the_example_is_right() -> None:
    root = Path(__file__).parents[2]
    found = cells(bench_file.read(root / "configs" / "bench.yaml"), Path("out"))
    assert len(found) >= 4


# ---- running ----------------------------------------------------------------------------------


def test_the_table_holds_the_numbers_of_the_cells(fake: Cells, tmp_path: Path) -> None:
    result = bench(small(**LARGER), tmp_path / "out")
    assert len(fake.made) == 12
    arms = ["class_weights", "smote", "ctgan", "ctgan-weighted", "tvae", "tvae-weighted"]
    assert result.methods == ["nothing", *arms]
    for dataset in result.datasets:
        nothing = BASELINES[dataset.source] + 0.005  # The mean of seeds 0 and 1.
        gains = {**CHEAP, "ctgan": GAINS["ctgan"] + 0.0005, "tvae": GAINS["tvae"] + 0.0005}
        # Measured on other resamples than the rest, but differences are pairs.
        gains |= {f"{own}-weighted": gains[own] + 0.002 for own in ("ctgan", "tvae")}
        expected = {"nothing": nothing, **{arm: nothing + gain for arm, gain in gains.items()}}
        assert dataset.scores == pytest.approx(expected)
    assert result.ranking is not None
    assert result.ranking.methods[:3] == ["class_weights", "nothing", "smote"]
    assert result.ranking.mean_ranks == [1, 2, 3, 4, 5, 6, 7]
    assert result.ranking.datasets == ["wine", "iris", "again"]
    record = {(p.first, p.second): (p.wins, p.ties, p.losses) for p in result.pairs}
    assert record["nothing", "class_weights"] == (0, 0, 3)
    assert record["ctgan", "ctgan-weighted"] == (0, 3, 0)  # 0.002 is less than half a point.


def test_the_files_say_the_same(fake: Cells, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = bench(small(seeds=[1]), out, title="mine")
    assert Bench.model_validate_json((out / "bench.json").read_text()) == result
    with (out / "bench.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 4 * 5
    row = next(
        r for r in rows if (r["dataset"], r["seed"], r["method"]) == ("iris", "1", "tvae-weighted")
    )
    assert row["generator"] == "tvae"
    assert float(row["difference"]) == pytest.approx(GAINS["tvae"] + 0.003)
    assert float(row["score"]) == pytest.approx(0.91 + GAINS["tvae"] + 0.003)
    assert float(row["high"]) == pytest.approx(GAINS["tvae"] + 0.013)
    assert (row["metric"], row["decision"]) == ("roc_auc", "do-not-augment")
    assert float(row["seconds"]) >= 0
    nothing = next(r for r in rows if r["method"] == "nothing")
    assert (nothing["difference"], nothing["low"]) == ("0.0", "")
    assert "# mine" in (out / "bench.md").read_text()
    assert "<title>mine</title>" in (out / "bench.html").read_text()


def test_a_second_start_repeats_nothing_and_gives_the_same(fake: Cells, tmp_path: Path) -> None:
    out = tmp_path / "out"
    bench(small(), out)
    before = {p.name: p.read_bytes() for p in out.glob("bench.*")}
    assert len(before) == 4
    bench(small(), out)
    assert (len(fake.made), fake.resumed) == (4, [])
    assert {p.name: p.read_bytes() for p in out.glob("bench.*")} == before
    bench(small(seeds=[0, 2]), out)
    assert fake.made[4:] == [f"{d}/{g}/seed-2" for d in ("wine", "iris") for g in ("ctgan", "tvae")]


def test_an_interrupted_bench_goes_on(fake: Cells, tmp_path: Path) -> None:
    def stop(path: Path) -> None:
        if "iris/tvae/seed-0" in str(path):
            raise KeyboardInterrupt

    fake.between = stop
    with pytest.raises(KeyboardInterrupt):
        bench(small(), tmp_path)
    assert not (tmp_path / "bench.json").exists()
    fake.between = lambda path: None
    bench(small(), tmp_path)
    assert fake.resumed == ["iris/tvae/seed-0"]
    assert len(fake.made) == 4


def test_a_damaged_result_is_made_again(fake: Cells, tmp_path: Path) -> None:
    file = small(datasets={"wine": WINE}, generators=["ctgan"], seeds=[0])
    bench(file, tmp_path)
    run = Run(tmp_path / "wine/ctgan/seed-0")
    (run / ".stages/evaluate.json").write_text(
        json.dumps({"files": {"report.json": "0" * 64}, "key": "", "seconds": 1.0})
    )
    bench(file, tmp_path)
    assert fake.resumed == ["wine/ctgan/seed-0"]


def test_a_failed_cell_is_recorded_and_tried_again(fake: Cells, tmp_path: Path) -> None:
    notices: list[str] = []

    def hear(event: Event) -> None:
        if event.notice is not None:
            notices.append(event.notice)

    fake.before = failing("wine/tvae")
    result = bench(small(), tmp_path, notify=hear)
    failed = [cell for cell in result.cells if cell.failure is not None]
    assert [cell.run for cell in failed] == ["wine/tvae/seed-0"]
    assert failed[0].failure is not None
    assert failed[0].failure.cause == "the losses stayed NaN"
    assert failed[0].failure.exit_code == 5
    assert "wine/tvae/seed-0 failed: the losses stayed NaN" in notices
    assert result.left_out == {"wine": ["tvae", "tvae-weighted"]}
    assert result.ranking is not None
    assert result.ranking.datasets == ["iris"]
    for name in ("bench.md", "bench.html"):
        assert "the losses stayed NaN" in (tmp_path / name).read_text()
    lines = (tmp_path / "bench.csv").read_text().splitlines()
    assert "wine,tvae,0,,,,,,,failed," in lines

    fake.before = lambda path: None
    result = bench(small(), tmp_path)
    assert all(cell.failure is None for cell in result.cells)
    assert fake.made[3:] == ["wine/tvae/seed-0"]


def test_a_method_that_lacks_a_seed_is_averaged_over_the_others(
    fake: Cells, tmp_path: Path
) -> None:
    fake.before = failing("wine/tvae/seed-0")
    result = bench(small(datasets={"wine": WINE}, seeds=[0, 1]), tmp_path)
    assert result.left_out == {}
    wine = result.datasets[0].scores
    # Its difference of seed 1 on the baseline of both seeds.
    assert wine["tvae"] - wine["nothing"] == pytest.approx(GAINS["tvae"] + 0.001)


def test_nothing_but_failures(fake: Cells, tmp_path: Path) -> None:
    fake.before = failing("")
    result = bench(small(), tmp_path)
    assert (result.methods, result.ranking, result.pairs) == ([], None, [])
    assert all(dataset.metric is None for dataset in result.datasets)
    assert (tmp_path / "bench.html").is_file()
    assert (tmp_path / "bench.md").is_file()


def test_a_failed_gate_is_a_result(fake: Cells, tmp_path: Path) -> None:
    gated = {"wine": {**WINE, "settings": {"gates": {"column_shapes": {"min": 0.5}}}}}
    file = small(datasets=gated, generators=["ctgan"], seeds=[0])
    bench(file, tmp_path)
    # The made-up report has no scores, so the gate cannot hold.
    (cell,) = bench(file, tmp_path).cells
    assert cell.failure is None
    assert cell.gate is not None
    assert "column_shapes" in cell.gate
    assert cell.decision == "do-not-augment"


def test_another_configuration_is_refused_before_any_work(fake: Cells, tmp_path: Path) -> None:
    bench(small(datasets={"iris": IRIS}), tmp_path)
    changed = small(settings={"budget": "standard"})
    with pytest.raises(ConfigError, match="another configuration"):
        bench(changed, tmp_path)
    assert len(fake.made) == 2
    for _ in range(2):
        bench(changed, tmp_path, force=True)
        assert len(fake.made) == 2 + 4  # What fits is kept even so.


def test_a_changed_source_is_another_configuration(fake: Cells, tmp_path: Path) -> None:
    source = tmp_path / "people.csv"
    people(120).to_csv(source, index=False)
    data = {"people": {"source": str(source), "target": "sick"}}
    file = small(datasets=data, generators=["ctgan"], seeds=[0])
    bench(file, tmp_path / "out")
    bench(file, tmp_path / "out")
    people(130).to_csv(source, index=False)
    with pytest.raises(ConfigError, match=r"people\.csv has changed"):
        bench(file, tmp_path / "out")


def test_a_changed_split_is_refused(fake: Cells, tmp_path: Path) -> None:
    file = small(datasets={"wine": WINE}, generators=["ctgan"], seeds=[0])
    bench(file, tmp_path)
    path = tmp_path / "wine/ctgan/seed-0/split/test.parquet"
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(DataError, match=r"test\.parquet"):
        bench(file, tmp_path)


def test_a_foreign_folder_is_not_touched(fake: Cells, tmp_path: Path) -> None:
    folder = tmp_path / "iris/tvae/seed-0"
    folder.mkdir(parents=True)
    (folder / "thesis.txt").write_text("mine")
    for force in (False, True):
        with pytest.raises(ConfigError, match="not a synthgen run"):
            bench(small(), tmp_path, force=force)
    assert fake.made == []
    assert (folder / "thesis.txt").read_text() == "mine"


def test_wrong_names_come_before_any_work(fake: Cells, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="forst"):
        bench(small(settings={"decide": {"learners": ["forst"]}}), tmp_path)
    with pytest.raises(ConfigError, match="gates"):
        bench(small(settings={"gates": {"column_shape": {"min": 0.5}}}), tmp_path)
    with pytest.raises(ConfigError, match="device"):
        bench(small(settings={"device": "tpu"}), tmp_path)
    assert fake.made == []


def test_a_source_that_cannot_be_read_is_one_failed_data_set(tmp_path: Path, fake: Cells) -> None:
    data = {"gone": {"source": str(tmp_path / "gone.csv"), "target": "y"}, "iris": IRIS}
    result = bench(small(datasets=data), tmp_path / "out")
    causes = {cell.dataset for cell in result.cells if cell.failure is not None}
    assert causes == {"gone"}
    assert not (tmp_path / "out/gone").exists()


def test_progress_counts_cells(fake: Cells, tmp_path: Path) -> None:
    heard: list[Event] = []
    bench(small(), tmp_path, notify=heard.append)
    assert [e.done for e in heard if e.stage == "cells"] == list(range(5))
    assert {e.total for e in heard if e.stage == "cells"} == {4}
    assert "decide" in {e.stage for e in heard}


# ---- the ranks --------------------------------------------------------------------------------


def test_methods_that_no_data_set_shares_are_left_out_of_the_ranks() -> None:
    from synthgen.benchmark.ranking import ScoreTable
    from synthgen.pipeline.bench import _rankable

    nan = np.nan
    scores = np.array([[0.5, 0.6, nan, 0.4], [0.5, nan, 0.7, 0.3], [nan, nan, nan, nan]])
    table = ScoreTable(("a", "b", "gone"), ("nothing", "classes", "numbers", "ctgan"), scores)
    kept, left = _rankable(table)
    assert (kept.methods, left) == (("nothing", "ctgan"), ["classes", "numbers"])
    assert kept.scores[:2].tolist() == [[0.5, 0.4], [0.5, 0.3]]
    whole = ScoreTable(("a",), ("x", "y"), np.array([[0.1, 0.2]]))
    assert _rankable(whole) == (whole, [])
