"""How faithful the generators are, on the protocol of TabSyn and TabDiff, by independent judges.

    python benchmarks/ctgan_quality.py --generators arn ctgan tvae reference --seeds 3

Adult with its official split, Default, Shoppers and Magic with 90 % for training; as many synthetic
as training rows (Zhang et al., ICLR 2024, arXiv 2310.09656; Shi et al., ICLR 2025, arXiv
2410.20626). Judges, none of them ours:

- *shape* and *trend*: 1 minus SDMetrics' column shapes and column pair trends, against the training
  rows, in percent;
- *C2ST*: 1 - 2 max(0, AUC - 0.5) of a classifier that tells synthetic from training rows, five-fold
  cross-validated: logistic regression (what those papers report) and XGBoost (harder to please);
- *TSTR*: AUC on the test rows of XGBoost trained on the synthetic rows, beside real ones.

``reference`` is the ``ctgan`` package with its defaults at the epochs of ``--epochs``, which also
sets ours; without it our generators have their own defaults. Rows that were measured are kept in
``--keep`` and not measured again. CPU seconds are of the fit in one thread.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
DATA = Path(os.environ.get("SYNTHGEN_SHARED_DATA", ROOT.parent / "shared" / "data")) / "tabular"
NUMBERS = {
    "adult": "age fnlwgt education-num capital-gain capital-loss hours-per-week",
    "default": "LIMIT_BAL AGE BILL_AMT1 BILL_AMT2 BILL_AMT3 BILL_AMT4 BILL_AMT5 BILL_AMT6 "
    "PAY_AMT1 PAY_AMT2 PAY_AMT3 PAY_AMT4 PAY_AMT5 PAY_AMT6",
    "shoppers": "Administrative Administrative_Duration Informational Informational_Duration "
    "ProductRelated ProductRelated_Duration BounceRates ExitRates PageValues SpecialDay",
    "magic": "fLength fWidth fSize fConc fConc1 fAsym fM3Long fM3Trans fAlpha fDist",
}
"""The numeric columns of each table, as in those papers; all others are categories."""
TARGETS = {
    "adult": "income",
    "default": "default.payment.next.month",
    "shoppers": "Revenue",
    "magic": "class",
}
FOLDS = 5


def parts(name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Training and test rows; categories as text."""
    if name == "adult":
        train, test = (pd.read_csv(DATA / f"adult-{part}.csv") for part in ("train", "test"))
    else:
        frame = pd.read_csv(DATA / f"{name}.csv").drop(columns="ID", errors="ignore")
        order = np.random.default_rng(0).permutation(len(frame))
        cut = round(0.9 * len(frame))
        train, test = (frame.iloc[np.sort(rows)] for rows in (order[:cut], order[cut:]))
    numbers = NUMBERS[name].split()
    texts = [column for column in train if column not in numbers]
    return tuple(  # type: ignore[return-value]
        part.reset_index(drop=True).assign(
            **{column: part[column].fillna("missing").astype(str).to_numpy() for column in texts}
        )
        for part in (train, test)
    )


def drawn(
    generator: str, name: str, train: pd.DataFrame, seed: int, epochs: int | None
) -> tuple[pd.DataFrame, float]:
    """As many synthetic rows, and the CPU seconds of the fit."""
    numbers = NUMBERS[name].split()
    discrete = [column for column in train if column not in numbers]
    if generator == "reference":
        import ctgan

        model = ctgan.CTGAN(enable_gpu=False, **({"epochs": epochs} if epochs else {}))
        model.set_random_state(seed)
        started = time.process_time()
        model.fit(train, discrete)
        return model.sample(len(train)), time.process_time() - started
    from pydantic import TypeAdapter

    from synthgen.data.infer import infer
    from synthgen.data.overrides import ColumnOverride
    from synthgen.data.table import Table
    from synthgen.generators import AnyGenerator
    from synthgen.training.context import Context

    kinds = {c: ColumnOverride(kind="numeric" if c in numbers else "categorical") for c in train}
    settings = {"name": generator, **({"epochs": epochs} if epochs else {})}
    algorithm = TypeAdapter(AnyGenerator).validate_python(settings)
    table = Table(train, infer(train, target=TARGETS[name], overrides=kinds))
    started = time.process_time()
    sampler = algorithm.fit(table, Context(seed=seed))
    spent = time.process_time() - started
    return sampler.sample(len(train), seed=seed).frame, spent


def judged(
    name: str,
    train: pd.DataFrame,
    test: pd.DataFrame,
    made: pd.DataFrame,
    *,
    logistic: bool = True,
) -> dict[str, float]:
    """All scores of these synthetic rows; ``logistic``: also that of logistic regression."""
    from sdmetrics.reports.single_table import QualityReport

    numbers = NUMBERS[name].split()
    kinds = {c: {"sdtype": "numerical" if c in numbers else "categorical"} for c in train}
    report = QualityReport()
    report.generate(train, made, {"columns": kinds}, verbose=False)
    shape, trend = report.get_properties()["Score"]
    judges = {"c2st_logistic": told_apart(name, train, made, boosted=False)} if logistic else {}
    return {
        "shape": 100 * (1 - shape),
        "trend": 100 * (1 - trend),
        **judges,
        "c2st_xgboost": told_apart(name, train, made, boosted=True),
        "tstr": useful(name, made, test),
    }


def _boosting() -> Any:
    import xgboost

    return xgboost.XGBClassifier(
        n_estimators=150, max_depth=6, learning_rate=0.15, enable_categorical=True, n_jobs=1
    )


def told_apart(name: str, train: pd.DataFrame, made: pd.DataFrame, *, boosted: bool) -> float:
    """1: not at all; 0: without an error."""
    from sklearn.compose import make_column_transformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = NUMBERS[name].split()
    texts = [column for column in train if column not in numbers]
    both = pd.concat([train, made], ignore_index=True)
    origin = np.repeat([0, 1], [len(train), len(made)])
    model: Any
    if boosted:
        both, model = both.astype(dict.fromkeys(texts, "category")), _boosting()
    else:
        columns = make_column_transformer(
            (StandardScaler(), numbers), (OneHotEncoder(handle_unknown="ignore"), texts)
        )
        model = make_pipeline(columns, LogisticRegression(max_iter=300))
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    values = cross_val_predict(model, both, origin, cv=folds, method="predict_proba")[:, 1]
    return float(1 - 2 * max(0.0, roc_auc_score(origin, values) - 0.5))


def useful(name: str, rows: pd.DataFrame, test: pd.DataFrame) -> float:
    """AUC on the test rows of a model of these."""
    from sklearn.metrics import roc_auc_score

    target = TARGETS[name]
    texts = [column for column in test if column not in NUMBERS[name].split()]
    levels = {c: sorted({*rows[c].dropna(), *test[c]}) for c in texts}
    sides = []
    for frame in (rows, test):
        cells = {c: pd.Categorical(frame[c], levels[c]) for c in texts if c != target}
        sides.append(
            (frame.drop(columns=target).assign(**cells), frame[target] == levels[target][1])
        )
    (features, labels), (others, truth) = sides
    model = _boosting().fit(features, labels)
    return float(roc_auc_score(truth, model.predict_proba(others)[:, 1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--generators", nargs="+", default=["arn", "ctgan", "tvae", "reference"])
    parser.add_argument("--tables", nargs="+", default=list(TARGETS), choices=list(TARGETS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--keep", type=Path, default=Path("/tmp/ctgan_quality.jsonl"))
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    import torch

    torch.set_num_threads(1)
    known = []
    if given.keep.exists():
        known = [json.loads(line) for line in given.keep.read_text().splitlines()]
    found: list[dict[str, Any]] = []
    for name in given.tables:
        train, test = parts(name)
        for seed in range(given.seeds):
            for generator in given.generators:
                key = {"table": name, "generator": generator, "seed": seed, "epochs": given.epochs}
                row = next((r for r in known if all(r[k] == v for k, v in key.items())), None)
                if row is None:
                    made, cpu = drawn(generator, name, train, seed, given.epochs)
                    row = {**key, "cpu": cpu, **judged(name, train, test, made)}
                    row["real"] = useful(name, train, test)
                    with given.keep.open("a") as file:
                        file.write(json.dumps(row) + "\n")
                    print(json.dumps(row), flush=True)
                found.append(row)
    show(pd.DataFrame(found))


def show(found: pd.DataFrame) -> None:
    """Means over seeds, and over tables; the range over seeds of shape and trend in brackets."""
    scores = ["shape", "trend", "c2st_logistic", "c2st_xgboost", "tstr", "real", "cpu"]
    print(
        "\n| table | generator | shape % | trend % | C2ST logistic | C2ST XGBoost | TSTR | real |"
    )
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    means = found.groupby(["table", "generator"], sort=False)[scores].mean()
    low, high = (found.groupby(["table", "generator"])[scores].agg(f) for f in ("min", "max"))
    for (name, generator), row in means.iterrows():
        spans = [
            f"{row[k]:.2f} [{low.loc[(name, generator), k]:.2f}, "
            f"{high.loc[(name, generator), k]:.2f}]"
            for k in ("shape", "trend")
        ]
        rest = [f"{row[k]:.3f}" for k in ("c2st_logistic", "c2st_xgboost", "tstr", "real")]
        print(f"| {name} | {generator} ({row['cpu']:.0f} s) | {' | '.join([*spans, *rest])} |")
    for generator, row in means.groupby("generator", sort=False).mean().iterrows():
        rest = [f"{row[k]:.3f}" for k in ("c2st_logistic", "c2st_xgboost", "tstr", "real")]
        print(
            f"| *mean* | {generator} | {row['shape']:.2f} | {row['trend']:.2f} "
            f"| {' | '.join(rest)} |"
        )


if __name__ == "__main__":
    main()
