"""What holds for every run's first stage."""

from __future__ import annotations

from synthgen.config import Config
from synthgen.errors import ConfigError, DataError
from synthgen.pipeline.contents import settings, settle
from synthgen.pipeline.events import Notify
from synthgen.pipeline.kinds import kind_of
from synthgen.runs import Run


def split(run: Run, config: Config, loaded: object, notify: Notify) -> None:
    """Seal the test part and resolve the configuration; see the kind of the configuration."""
    settle(run, config)
    kind_of(config).split(run, config, loaded, notify)


def check_split(run: Run) -> None:
    """Raise DataError if the first stage's files were changed, naming one."""
    changed = run.changed("split")
    if changed:
        raise DataError(
            f"{run / changed[0]} is not what the run wrote",
            "restore the file, or start again: synthgen augment ... --force",
        )


def check_same(run: Run, config: Config) -> None:
    """Raise ConfigError if the run was begun with another configuration; where its jobs are done
    does not count."""
    known = settings(run)
    same = config.modality == known.modality
    if same:
        again = kind_of(config).resolved_again(run, config)
        same = again.model_dump(mode="json") == known.model_dump(mode="json")
    if not same:
        raise ConfigError(
            f"{run.path} was begun with another configuration",
            "choose another folder with --out, or replace the run with --force",
        )
