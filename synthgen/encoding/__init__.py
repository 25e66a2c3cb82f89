"""Table <-> compact tensors, fitted on training rows only."""

from synthgen.encoding.encoder import MAX_CODES, Encoder, fit_encoder
from synthgen.encoding.layout import Encoded, Span

__all__ = ["MAX_CODES", "Encoded", "Encoder", "Span", "fit_encoder"]
