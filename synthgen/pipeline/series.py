"""Runs of one job over time: which is the current one, and is a new one better?"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from synthgen.config import Config
from synthgen.errors import ConfigError
from synthgen.pipeline import alone, stages
from synthgen.remote import Place, below, name_of
from synthgen.remote.transfer import Store
from synthgen.results import Score
from synthgen.runs import Run, dump, write_atomic


@dataclass(frozen=True)
class Series:
    """The runs of one job in a store, a folder or its URL; the file NAME.current.json there names
    the current one and counts them."""

    store: Place
    name: str

    @property
    def current(self) -> Place | None:
        """Where the run is whose model is the best so far; None before the first."""
        found = self._record()
        return None if found is None else below(self.store, found["run"])

    @property
    def identity(self) -> str | None:
        """Of the job that was done last, whether or not its run became the current one."""
        found = self._record()
        return None if found is None else found["identity"]

    @property
    def count(self) -> int:
        """How many runs there were."""
        found = self._record()
        return 0 if found is None else int(found["count"])

    def done(self, identity: str, current: Place) -> None:
        """Note that the job ``identity`` is done, and which run of the store is current."""
        record = {
            "run": name_of(current),
            "identity": identity,
            "count": self.count + 1,
        }
        if isinstance(self.store, Path):
            write_atomic(self.store / self._file, dump(record))
        else:
            Store(self.store).write(self._file, dump(record).encode())

    @property
    def _file(self) -> str:
        return f"{self.name}.current.json"

    def _record(self) -> dict[str, str] | None:
        if isinstance(self.store, Path):
            try:
                text: bytes | None = (self.store / self._file).read_bytes()
            except FileNotFoundError:
                text = None
        else:
            text = Store(self.store).read(self._file)
        if text is None:
            return None
        found: dict[str, str] = json.loads(text)
        return found


@dataclass(frozen=True)
class Comparison:
    """What two runs' synthetic data score on the same test data."""

    metric: str
    title: str
    new: float
    old: float
    better: str
    """Which value is the better one, in words."""
    keep_new: bool

    def sentence(self) -> str:
        """For a log and for the scorecard."""
        which = "the new one is kept" if self.keep_new else "the old one is kept"
        return (
            f"{self.title}, {self.better} is better: "
            f"new {self.new:.4g}, old {self.old:.4g}; {which}"
        )


def score_of(config: Config) -> str:
    """The score that a refresh goes by if none is named: for tables how well a classifier tells the
    rows from real ones, for images what one is worth that saw nothing else."""
    return "classification_accuracy" if config.modality == "images" else "two_sample_auc"


def compare(new: Run, old: Run, metric: str) -> Comparison:
    """The synthetic data of both, scored by the same function against the new run's training and
    sealed test data; the new one is kept unless it is worse.

    Rows that the old run trained on may be among the new one's test rows, which flatters the old
    one; test data of their own (``data.test``) avoid that. Raises ConfigError if the data do not
    allow the score.
    """
    first, second = (_scored(new, run, metric) for run in (new, old))
    # Both are held against what real rows of the new run have.
    aim = first.reference or 0.0
    match first.goal:
        case "max":
            better, kept = "higher", first.value >= second.value
        case "min":
            better, kept = "lower", first.value <= second.value
        case "target":
            better = f"nearer to {aim:.4g}, which real rows have,"
            kept = abs(first.value - aim) <= abs(second.value - aim)
    return Comparison(metric, first.title, first.value, second.value, better, kept)


def _scored(new: Run, run: Run, metric: str) -> Score:
    config = stages.settings(new)
    scores, _ = alone.evaluate(
        str(_named(new / "split", "train")),
        str(_named(run.path, "synthetic")),
        holdout=str(_named(new / "split", "test")),
        target=config.data.target,
        seed=config.seed,
    )
    for score in scores:
        if score.metric == metric:
            return score
    known = ", ".join(dict.fromkeys(score.metric for score in scores))
    raise ConfigError(f"the data do not allow the score {metric}", f"choose one of: {known}")


def _named(folder: Path, name: str) -> Path:
    """Of a table a Parquet file; of images a folder or file as the source is."""
    return next(path for path in folder.iterdir() if path.name.partition(".")[0] == name)
