"""The form of a job: what it refuses, and which jobs are the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from flows.job import STORE, AugmentJob
from synthgen import config as configuration
from synthgen.errors import ConfigError
from synthgen.pipeline.alone import train
from synthgen.pipeline.events import unheard
from synthgen.pipeline.identity import code, identity
from tests.pipeline.images.pictures import shapes, written
from tests.pipeline.images.pictures import small as small_images
from tests.pipeline.tables import people, small


@pytest.fixture
def table(tmp_path: Path) -> Path:
    people().to_csv(tmp_path / "people.csv", index=False)
    return tmp_path / "people.csv"


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"budget": "huge"}, "budget"),
        ({"generator": "ctgann"}, "generator"),
        ({"seed": -1}, "seed"),
        ({"device": "gpu"}, "device"),
        ({"source": ""}, "source"),
        ({"budgt": "quick"}, "budgt"),
        ({"settings": {"decide.resample": 3}}, "did you mean resamples"),
        ({"settings": {"generator": {"epochs": -1}}, "generator": "ctgan"}, "generator.epochs"),
    ],
)
def test_wrong_parameters_are_named(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(ValidationError) as caught:
        AugmentJob(**{"source": "people.csv", "target": "sick", **fields})
    assert named in str(caught.value)


def test_the_form_lists_what_there_is() -> None:
    schema = AugmentJob.model_json_schema()
    assert schema["additionalProperties"] is False
    assert schema["required"] == ["source"]
    fields = schema["properties"]
    assert fields["budget"]["enum"] == ["quick", "standard", "thorough"]
    assert {"ctgan", "cdcgan", "smote"} <= set(fields["generator"]["anyOf"][0]["enum"])
    assert all("title" in field for field in fields.values())


def test_fields_dots_and_nested_settings_are_one_configuration() -> None:
    job = AugmentJob(
        source="people.csv",
        target="sick",
        generator="ctgan",
        budget="quick",
        settings={"generator.epochs": 3, "decide": {"resamples": 4}, "budget": "thorough"},
    )
    assert job.config() == configuration.build(
        {
            "data": {"source": "people.csv", "target": "sick"},
            "generator": {"name": "ctgan", "epochs": 3},
            "decide": {"resamples": 4},
            "budget": "quick",
            "seed": 0,
            "device": "auto",
        }
    )


def test_a_configuration_file_becomes_the_same_job(table: Path) -> None:
    config = small(data={"source": str(table), "target": "sick"})
    job = AugmentJob.of(config.model_dump(mode="json", exclude_unset=True))
    assert identity(job.config()) == identity(config)
    assert AugmentJob.model_validate(job.model_dump(mode="json", exclude_none=True)) == job


def test_a_file_without_a_source_is_refused() -> None:
    with pytest.raises(ConfigError, match="no source"):
        AugmentJob.of({"data": {"target": "sick"}})


def test_a_submitted_job_names_its_files_for_any_folder(
    table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(table.parent)
    job = AugmentJob(source="people.csv", target="sick", out="here").absolute()
    assert job.source == str(table)
    assert job.out == str(table.with_name("here"))
    assert job.test is None
    for elsewhere in ("sklearn:iris", "s3://bucket/people.csv", "not-here.csv"):
        assert AugmentJob(source=elsewhere, target="sick").absolute().source == elsewhere


def test_equal_jobs_have_one_place(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STORE, str(table.parent / "store"))
    job = AugmentJob(source=str(table), target="sick", budget="quick")
    place = job.place()
    assert place.parent == table.parent / "store"
    assert place.name.startswith("people-")
    # Where the data lie, on which device and with how many processes makes no other run.
    moved = table.with_name("moved.csv")
    moved.write_bytes(table.read_bytes())
    same = {"source": str(moved), "device": "cpu", "settings": {"workers": 2}}
    assert job.model_copy(update=same).place().name.endswith(place.name.rpartition("-")[2])
    others: list[dict[str, Any]] = [
        {"seed": 1},
        {"budget": "standard"},
        {"generator": "smote"},
        {"settings": {"decide.resamples": 4}},
    ]
    places = {job.model_copy(update=other).place() for other in others}
    assert len({place, *places}) == 5
    with table.open("a") as file:
        file.write(table.read_text().splitlines()[-1] + "\n")
    assert job.place() != place
    assert job.model_copy(update={"out": "here"}).place() == Path("here")


def test_test_data_of_their_own_count(table: Path) -> None:
    test = table.with_name("test.csv")
    people(seed=1).to_csv(test, index=False)
    job = AugmentJob(source=str(table), target="sick", test=str(test))
    first = job.place()
    people(seed=2).to_csv(test, index=False)
    assert job.place() != first


def test_images_have_an_identity(tmp_path: Path) -> None:
    source = written(shapes(), tmp_path)
    job = AugmentJob(source=str(source))
    first = job.place()
    assert job.place() == first
    some = sorted(path for path in source.iterdir() if path.is_dir())[0]
    some.rename(some.with_name("a name"))
    assert job.place() != first
    some.with_name("a name").rename(some)
    assert job.place() == first
    next(source.rglob("*.png")).unlink()
    assert job.place() != first


def test_the_model_that_training_begins_with_counts(tmp_path: Path) -> None:
    source = written(shapes(), tmp_path)
    train(small_images(str(source)), tmp_path / "model", force=False, notify=unheard)
    job = AugmentJob(source=str(source), settings={"generator.begin": str(tmp_path / "model")})
    first = job.place()
    assert job.place() == first
    weights = tmp_path / "model" / "critic.safetensors"
    changed = bytearray(weights.read_bytes())
    changed[-1] ^= 1
    weights.write_bytes(changed)
    assert job.place() != first


def test_the_code_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    place = tmp_path / "synthgen" / "pipeline"
    place.mkdir(parents=True)
    monkeypatch.setattr("synthgen.pipeline.identity.__file__", str(place / "identity.py"))
    (place / "identity.py").write_text("a = 1")
    first = code.__wrapped__()
    (place / "identity.py").write_text("a = 2")
    assert code.__wrapped__() != first
    assert code() == code()
