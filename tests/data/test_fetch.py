"""The script that fetches public sets into ``data/``."""

from __future__ import annotations

import hashlib
import runpy
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pandas as pd
import pytest
from sklearn.utils import Bunch

SCRIPT = runpy.run_path(str(Path(__file__).parents[2] / "data" / "fetch.py"))
FRAME = pd.DataFrame({"x": pd.array([1, None], dtype="Int64"), "y": pd.Categorical(["a", "b"])})


def test_a_set_becomes_parquet_with_its_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sklearn.datasets.fetch_openml", lambda **_: Bunch(frame=FRAME))
    path = SCRIPT["fetch"]("credit-g@1", tmp_path)
    assert path == tmp_path / "credit-g-1.parquet"
    assert list(tmp_path.iterdir()) == [path]
    pd.testing.assert_frame_equal(pd.read_parquet(path), FRAME)
    printed = capsys.readouterr().out
    assert hashlib.sha256(path.read_bytes()).hexdigest() in printed
    assert "2 x 2" in printed


def test_failures_leave_with_their_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unreachable(**_: Any) -> None:
        raise URLError("no network")

    monkeypatch.setattr("sklearn.datasets.fetch_openml", unreachable)
    assert SCRIPT["main"](["adult"]) == 4
    assert "OpenML cannot be reached" in capsys.readouterr().err
    assert SCRIPT["main"]([]) == 2
