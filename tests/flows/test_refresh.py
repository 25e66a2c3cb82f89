"""Refreshing and publishing, on a real server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from flows.job import STORE
from synthgen.runs import MANIFEST
from tests.flows.conftest import Server
from tests.pipeline.tables import people, small

REFRESH = """
import json, sys
from flows.refresh import refresh
given = json.loads(sys.argv[1])
print(refresh(given.pop("job"), **given))
"""
PUBLISH = """
import sys
from flows.publish import publish
print(publish(sys.argv[1], sys.argv[2]))
"""


def _run(server: Server, folder: Path, program: str, *arguments: str) -> tuple[int, str, str]:
    store = {STORE: str(folder / "store")}
    with server.python("-c", program, *arguments, cwd=folder, **store) as process:
        out, error = process.communicate(timeout=400)
    return process.returncode, out.strip().rpartition("\n")[2], error


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_model_follows_its_data(server: Server, tmp_path: Path) -> None:
    source = tmp_path / "people.csv"
    people().to_csv(source, index=False)
    settings = small(data={"target": "sick"}, generator={"name": "resample"})
    given: dict[str, Any] = {
        "job": {
            "source": str(source),
            "target": "sick",
            "generator": "resample",
            "budget": settings.budget,
            "settings": settings.model_dump(mode="json", exclude_unset=True) | {"workers": 2},
        }
    }

    def refreshed(**more: Any) -> tuple[Path, str]:
        code, last, error = _run(server, tmp_path, REFRESH, json.dumps(given | more))
        assert code == 0, error
        return Path(last), error

    first, _ = refreshed()
    again, said = refreshed()
    assert again == first
    assert "nothing changed" in said
    # More people: another run, and one of the two is kept.
    people(500, seed=1).to_csv(source, index=False)
    second, said = refreshed()
    assert "is kept" in said
    runs = [path for path in (tmp_path / "store").iterdir() if path.is_dir()]
    assert len(runs) == 2
    assert second in runs
    # Without a change, a further seed.
    refreshed(retrain="always")
    assert len([path for path in (tmp_path / "store").iterdir() if path.is_dir()]) == 3
    named = json.loads((tmp_path / "store" / "people.current.json").read_text())
    assert named["count"] == 3

    there = tmp_path / "there"
    code, last, error = _run(server, tmp_path, PUBLISH, second.name, str(there))
    assert code == 0, error
    assert last == f"{there}/report.html"
    assert (there / MANIFEST).read_bytes() == (second / MANIFEST).read_bytes()
    code, _, error = _run(server, tmp_path, PUBLISH, str(tmp_path / "store"), str(there))
    assert code != 0
    assert "is not a run directory" in error
