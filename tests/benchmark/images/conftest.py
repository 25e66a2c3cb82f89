from __future__ import annotations

from tests.vision.pictures import one_thread

__all__ = ["one_thread"]
