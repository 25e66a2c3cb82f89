"""What keeps a critic from being too steep. ``PenaltyName`` names them; the training step knows
which is which, for they need different things."""

from __future__ import annotations

from typing import Literal, TypeAlias

PenaltyName: TypeAlias = Literal["none", "clip", "gradient-penalty", "r1", "r1-r2"]
