"""The code in the guides runs: the blocks of a guide one after another, in an empty folder."""

from __future__ import annotations

import importlib.util
import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from synthgen.cli import app
from tests.conftest import ROOT
from tests.test_compat import census

BLOCK = re.compile(r"^```(?P<how>python|bash)(?P<sdv> sdv)?\n(?P<code>.*?)^```$", re.M | re.S)


def churn(rows: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "customerID": [
                f"{number:04d}-{'ABCDE'[number % 5]}X" for number in rng.permutation(rows)
            ],
            "tenure": rng.integers(1, 73, rows),
            "Contract": rng.choice(["Month-to-month", "One year", "Two year"], rows),
            "MonthlyCharges": rng.normal(65, 20, rows).round(2),
            "Churn": rng.choice(["No", "Yes"], rows, p=[0.7, 0.3]),
        }
    )


@pytest.mark.parametrize(
    "guide", ["from-ctgan.md", pytest.param("from-sdv.md", marks=pytest.mark.slow)]
)
def test_every_snippet_of_the_guide_runs(
    guide: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (ROOT / "docs" / guide).read_text("utf-8")
    assert len(text.splitlines()) <= 120
    monkeypatch.chdir(tmp_path)
    census(600).to_csv("adult.csv", index=False)
    churn(500).to_csv("churn.csv", index=False)
    blocks = list(BLOCK.finditer(text))
    assert len(blocks) == text.count("```") / 2
    names: dict[str, Any] = {}
    for block in blocks:
        if block["sdv"] and importlib.util.find_spec("sdv") is None:
            continue
        if block["how"] == "python":
            exec(compile(block["code"], guide, "exec"), names)
            continue
        for line in block["code"].splitlines():
            program, *words = shlex.split(line)
            assert program == "synthgen"
            result = CliRunner().invoke(app, words, catch_exceptions=False)
            assert result.exit_code == 0, result.output


@pytest.mark.parametrize("guide", ["from-ctgan.md", "from-sdv.md"])
def test_the_readme_leads_to_the_guide(guide: str) -> None:
    assert f"(docs/{guide})" in (ROOT / "README.md").read_text("utf-8")
