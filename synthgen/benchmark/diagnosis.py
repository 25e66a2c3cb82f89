"""What is wrong with the rows of a generator that does not help, told from inner rows alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synthgen.benchmark.comparison import Comparison
from synthgen.benchmark.scoring import SCORERS

COPIED = 0.2
"""Share of copies, beyond that of real rows, from which a generator is said to repeat rows."""
LOST = 0.5
"""Share of what real rows teach that is lost, from which rows are said not to carry the target."""
TOLD = 0.9
"""ROC-AUC from which rows are said to be told from real ones."""


def repeats(board: Comparison, generator: str) -> bool:
    """Whether the generator's rows are copies of training rows far more often than real rows are.
    Such rows bring nothing new, and they are not delivered: copies are replaced or dropped."""
    seen = board.diagnoses(generator)
    return bool(seen) and float(np.mean([d.copied - d.coincident for d in seen])) > COPIED


def diagnosed(board: Comparison, generators: Sequence[str]) -> list[str]:
    """Sentences on each generator whose rows are copies, do not carry the target, or are easily
    told from real ones. None for what is in order."""
    found: list[str] = []
    rows, copying = f"{board.settings.unit}s", board.settings.copying
    for name in generators:
        seen = board.diagnoses(name)
        if not seen:
            continue
        copied = float(np.mean([d.copied for d in seen]))
        coincident = float(np.mean([d.coincident for d in seen]))
        if repeats(board, name):
            found.append(
                f"{name} repeats what is there: {copied:.0%} of its {rows} {copying} training "
                f"{rows} ({coincident:.0%} of real {rows} do)."
            )
        pairs = [(d.alone, d.real) for d in seen if d.alone is not None and d.real is not None]
        if pairs:
            alone, real = (float(np.mean(side)) for side in zip(*pairs, strict=True))
            chance = _CHANCE.get(board.settings.metric, 0.0)
            if real > chance and (real - alone) > LOST * (real - chance):
                metric = SCORERS[board.settings.metric].title
                found.append(
                    f"{name} loses the target: trained on its {rows} alone a classifier reaches "
                    f"{metric} {alone * 100:.1f} on real {rows}, and {real * 100:.1f} with as many "
                    "real ones."
                )
        told = [d.detected for d in seen if d.detected is not None]
        if told and float(np.mean(told)) > TOLD:
            found.append(
                f"{name} is told from real {rows} with ROC-AUC {float(np.mean(told)):.2f} "
                "(0.5: not at all)."
            )
    return found


_CHANCE = {"roc_auc": 0.5}
