"""All that a source holds, to train one model on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from synthgen.config import Config
from synthgen.pipeline.models import Form
from synthgen.runs import dump


@dataclass(frozen=True)
class Whole:
    """``data``: a table or images; ``form``: how the source was written; ``config``: resolved for
    them; ``digest``: of what they hold; ``size``: in words."""

    data: Any
    form: Form
    config: Config
    digest: str
    size: str

    def fingerprint(self) -> str:
        """What tells one training from another: every setting, and the data."""
        settings = self.config.model_dump(mode="json")
        return hashlib.sha256(dump([settings, self.digest]).encode()).hexdigest()[:16]
