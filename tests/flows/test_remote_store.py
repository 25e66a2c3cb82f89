"""Flows whose store is at s3://, on a real Prefect server and a real S3 server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from flows.artifacts import REPORTS, address
from flows.job import STORE, AugmentJob
from synthgen import pipeline, remote
from synthgen.runs import Run
from tests.flows.conftest import Server
from tests.flows.stack import asked
from tests.flows.test_refresh import PUBLISH, REFRESH
from tests.pipeline.tables import people, small
from tests.pipeline.test_augment import files
from tests.s3 import S3, s3, s3_line, s3_server

__all__ = ["s3", "s3_line", "s3_server"]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_flow_works_at_a_url_and_another_finds_it_done(
    server: Server, s3: S3, tmp_path: Path
) -> None:
    people().to_csv(tmp_path / "people.csv", index=False)
    config = small(data={"target": "sick", "source": str(tmp_path / "people.csv")}, workers=2)
    (tmp_path / "job.yaml").write_text(
        yaml.safe_dump(config.model_dump(mode="json", exclude_unset=True))
    )
    plain = pipeline.augment(config, tmp_path / "plain")

    def flow(machine: str) -> tuple[str, str]:
        words = ("-m", "flows.augment", "--config", "job.yaml")
        more = {STORE: f"{s3.url}/runs", "SYNTHGEN_CACHE": str(tmp_path / machine)}
        with server.python(*words, cwd=tmp_path, **more) as process:
            out, error = process.communicate(timeout=500)
        assert process.returncode == 0, error
        return out.splitlines()[-1], error

    report, said = flow("one")
    assert report.startswith(f"{s3.url}/runs/people-")
    assert "decide r000-rows" in said
    url = report.removesuffix("/report.html")
    assert files(Run(remote.reading(url))) == files(plain)
    again, said = flow("another")
    assert again == report
    assert "decide r000-rows" not in said
    name = url.rpartition("/")[2]
    made = asked(server.url, "artifacts/filter", artifacts={"key": {"any_": [f"report-{name}"]}})
    # The same job in another store has an artifact of the same name.
    assert sum(report in one["data"] for one in made) == 1
    more = {STORE: f"{s3.url}/runs", "SYNTHGEN_CACHE": str(tmp_path / "one")}
    with server.python("-c", PUBLISH, url, f"{s3.url}/shown", cwd=tmp_path, **more) as process:
        out, error = process.communicate(timeout=400)
    assert process.returncode == 0, error
    assert out.splitlines()[-1] == f"{s3.url}/shown/report.html"
    assert s3.read("shown/manifest.json") == s3.objects(f"runs/{name}")["manifest.json"]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_series_at_a_url(server: Server, s3: S3, tmp_path: Path) -> None:
    source = tmp_path / "people.csv"
    people().to_csv(source, index=False)
    settings = small(data={"target": "sick"}, generator={"name": "resample"})
    job = AugmentJob(
        source=str(source),
        target="sick",
        generator="resample",
        budget=settings.budget,
        settings=settings.model_dump(mode="json", exclude_unset=True) | {"workers": 2},
    )
    given = json.dumps({"job": job.model_dump(mode="json", exclude_none=True)})

    def refreshed(machine: str) -> tuple[str, str]:
        more = {STORE: f"{s3.url}/runs", "SYNTHGEN_CACHE": str(tmp_path / machine)}
        with server.python("-c", REFRESH, given, cwd=tmp_path, **more) as process:
            out, error = process.communicate(timeout=400)
        assert process.returncode == 0, error
        return out.splitlines()[-1], error

    first, _ = refreshed("one")
    assert first.startswith(f"{s3.url}/runs/people-")
    again, said = refreshed("another")
    assert again == first
    assert "nothing changed" in said
    people(500, seed=1).to_csv(source, index=False)
    _, said = refreshed("another")
    assert "is kept" in said
    assert json.loads(s3.read("runs/people.current.json"))["count"] == 2
    assert len({name.partition("/")[0] for name in s3.objects("runs") if "people-" in name}) == 2


def test_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STORE, "s3://bucket/runs")
    monkeypatch.delenv(REPORTS, raising=False)
    assert address("s3://bucket/runs/a/report.html") == "s3://bucket/runs/a/report.html"
    monkeypatch.setenv(REPORTS, "https://reports.example/")
    assert address("s3://bucket/runs/a/report.html") == "https://reports.example/a/report.html"
    assert address("s3://bucket/else/report.html") == "s3://bucket/else/report.html"
    assert address(Path("/runs/a/report.html")) == "file:///runs/a/report.html"
