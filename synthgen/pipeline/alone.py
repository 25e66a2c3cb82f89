"""Parts of the main job on their own: train, sample, evaluate."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from filelock import FileLock, Timeout

from synthgen import devices
from synthgen.benchmark.threads import single_thread
from synthgen.config import Config
from synthgen.data.images.folders import LISTINGS
from synthgen.data.images.layout import ImageLayout
from synthgen.data.images.read import looks_like_images
from synthgen.data.quoting import shown
from synthgen.errors import ConfigError, MachineError
from synthgen.generators.base import Chosen, PrivateSampler
from synthgen.pipeline import models, stages
from synthgen.pipeline.events import Event, Notify, spoken
from synthgen.pipeline.images import alone as images
from synthgen.pipeline.kinds import kind_of
from synthgen.pipeline.seeds import derive
from synthgen.pipeline.tables import alone as tables
from synthgen.pipeline.trainlog import TrainLog
from synthgen.pipeline.whole import Whole
from synthgen.report.choice import sentence
from synthgen.report.sections.privacy import guarantee
from synthgen.results import Score
from synthgen.runs import Run
from synthgen.training import parallel
from synthgen.training.context import Context

log = logging.getLogger(__name__)
_LOCK = ".lock"


def train(config: Config, out: Path, *, force: bool, notify: Notify) -> None:
    """Train on all rows of the source; ``out`` appears when the model is complete.

    A killed training of the same configuration on the same rows goes on from its last checkpoint.
    Processes that ``torchrun`` started train together; the first of them does all the writing.
    Raises MachineError if another process trains ``out``, ConfigError for a generator that trains
    in one process only, and the errors of the generator.
    """
    device = stages.device(config)
    with (
        devices.held(parallel.devices_here(device), out, "train", spoken("fit", notify)),
        parallel.joined(device) as ranks,
    ):
        if ranks.first:
            _refuse_existing(out, force)
        whole = kind_of(config).whole(config)
        resolved = whole.config
        if ranks.size > 1 and not resolved.generator.parallel:
            raise ConfigError(
                f"{resolved.generator.name} trains in one process", "start it without torchrun"
            )
        fingerprint = whole.fingerprint()
        context = Context(
            seed=derive(config.seed, "fit"),
            device=parallel.device_of(device),
            checkpoints=unfinished(out) / fingerprint / "checkpoints",
            ranks=ranks,
        )
        if ranks.first:
            _train(whole, out, fingerprint, context, force=force, notify=notify)
        else:
            with single_thread():
                resolved.generator.fit(whole.data, context)


def _train(
    whole: Whole,
    out: Path,
    fingerprint: str,
    context: Context,
    *,
    force: bool,
    notify: Notify,
) -> None:
    with _working(out, fingerprint) as work:
        _recover(out)
        _refuse_existing(out, force)
        steps = TrainLog(work / "train.draft.jsonl", notify)
        context = replace(context, log=steps)
        log.info("%s; training on %s", whole.size, context.device)
        with single_thread():
            sampler = whole.config.generator.fit(whole.data, context)
        if isinstance(sampler, PrivateSampler):
            notify(Event("fit", notice=guarantee(sampler.privacy)))
        draft = work / "model"
        shutil.rmtree(draft, ignore_errors=True)
        models.save(models.Model(whole.config.generator, sampler, whole.form), draft)
        steps.commit(draft / "train.jsonl")
        _put(draft, out)
        shutil.rmtree(work)
    if isinstance(sampler, Chosen):
        notify(Event("fit", notice=sentence(sampler.choice)))


def unfinished(out: Path) -> Path:
    """Where the checkpoints of a training of ``out`` are, until it is complete."""
    return out.with_name(f".{out.name}.training")


def _refuse_existing(out: Path, force: bool) -> None:
    if out.exists() and not (force and (out / models.FILE).is_file()):
        raise ConfigError(
            f"{out} exists", "choose another folder with --out, or replace a model with --force"
        )


@contextmanager
def _working(out: Path, fingerprint: str) -> Iterator[Path]:
    """The work folder of one training, held against others of the same ``out``.

    What trainings with another fingerprint left is removed; what this one leaves stays only if
    there is a checkpoint to go on from.
    """
    folder = unfinished(out)
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / _LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise MachineError(
            f"another process is training {out}",
            "wait for it to end, or choose another folder with --out",
        ) from None
    try:
        for child in folder.iterdir():
            if child.name not in (_LOCK, fingerprint):
                shutil.rmtree(child) if child.is_dir() else child.unlink()
        work = folder / fingerprint
        work.mkdir(exist_ok=True)
        yield work
    finally:
        if not any(folder.glob("*/checkpoints/*")):
            # Together with the lock: one that was deleted meanwhile is never taken by filelock.
            shutil.rmtree(folder)
        lock.release()


def _put(draft: Path, out: Path) -> None:
    """Move a model to its place. The one that it replaces goes only when the new one is there."""
    try:
        if out.exists():
            out.rename(_aside(out))
        draft.rename(out)
    finally:
        _recover(out)


def _recover(out: Path) -> None:
    """Finish a replacement, or take it back if it was cut short."""
    aside = _aside(out)
    if aside.exists() and not out.exists():
        aside.rename(out)
    shutil.rmtree(aside, ignore_errors=True)


def _aside(out: Path) -> Path:
    return out.with_name(f".{out.name}.former")


def sample(
    path: Path,
    rows: int,
    out: Path | None,
    *,
    seed: int,
    where: dict[str, str],
    allow_copies: bool,
    trust_pickle: bool,
    force: bool,
) -> list[str]:
    """Draw so much from a model or the model of a run into ``out``, in its training data's format
    (rows of a table also as CSV on standard output); returns what the user should know.

    ``force`` replaces a file, or a folder that holds nothing but images as they are drawn.
    """
    if out is not None:
        _check_place(out, force)
    model = models.load(path, **({"trust_pickle": True} if trust_pickle else {}))
    if isinstance(model.origin, ImageLayout):

        def drawing(place: Path | None) -> list[str]:
            return images.sample(
                path, model, rows, place, seed=seed, where=where, allow_copies=allow_copies
            )

        if out is not None and out.is_dir() and _taken(out):
            return _drawn_anew(out, drawing)
        return drawing(out)
    if out is not None and out.is_dir():
        raise ConfigError(f"{out} is a folder", "rows go to a file: choose another name for --out")
    source = tables.RowSource.of(path, model, where, allow_copies=allow_copies)
    return tables.sample(source, rows, out, seed=seed)


def _check_place(out: Path, force: bool) -> None:
    """Raise ConfigError where what is there must not be replaced."""
    if not _taken(out):
        return
    if any(Run(folder).begun for folder in out.absolute().parents):
        raise ConfigError(f"{out} is a part of a run", "choose another name for --out")
    if not force:
        what = "is a folder with something in it" if out.is_dir() else "exists"
        raise ConfigError(f"{out} {what}", "choose another name, or replace it with --force")


def _taken(out: Path) -> bool:
    """Whether something is there; an empty folder is nothing."""
    return any(out.iterdir()) if out.is_dir() else out.exists()


def _drawn_anew(out: Path, drawing: Callable[[Path], list[str]]) -> list[str]:
    """Replace a folder of images, and no other: what else is there was not drawn."""
    other = next((p for p in out.rglob("*") if p.is_symlink() or not _drawn(p)), None)
    if other is not None:
        raise ConfigError(
            f"{out} holds more than drawn images: {shown(str(other.relative_to(out)))}",
            "choose another name for --out, or empty the folder",
        )
    _recover(out)
    draft = out.with_name(f".{out.name}.draft{out.suffix}")
    shutil.rmtree(draft, ignore_errors=True)
    try:
        notices = drawing(draft)
        _put(draft, out)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return notices


def _drawn(path: Path) -> bool:
    return path.is_dir() or path.suffix == ".png" or path.name in LISTINGS


def evaluate(
    real: str, synthetic: str, *, holdout: str | None, target: str | None, seed: int
) -> tuple[list[Score], list[str]]:
    """Scores of synthetic rows or images from any tool, and what the reader should know of them."""
    given = [one for one in (real, synthetic, holdout) if one is not None]
    if all(map(looks_like_images, given)):
        return images.evaluate(real, synthetic, holdout=holdout, target=target, seed=seed)
    return tables.evaluate(real, synthetic, holdout=holdout, target=target, seed=seed)
