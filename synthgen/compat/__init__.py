"""The two classes of the ``ctgan`` package, for programs that change one import.

>>> from synthgen.compat import CTGAN
>>> model = CTGAN(epochs=10)
>>> model.fit(frame, ["workclass", "income"])  # doctest: +SKIP
>>> model.sample(1000)  # doctest: +SKIP

Same arguments, same defaults, the same kind of object back; ``docs/from-ctgan.md`` says what
differs. New programs are better served by :func:`synthgen.augment` and :class:`synthgen.CTGAN`.
"""

from synthgen.compat.ctgan import CTGAN
from synthgen.compat.tvae import TVAE

__all__ = ["CTGAN", "TVAE"]
