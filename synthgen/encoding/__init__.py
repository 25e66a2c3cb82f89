"""Table <-> compact tensors, fitted on training rows only."""

from synthgen.encoding.encoder import MAX_CODES, Encoder, fit_encoder
from synthgen.encoding.layout import Encoded, Span
from synthgen.encoding.wide import Wide

__all__ = ["MAX_CODES", "Encoded", "Encoder", "Span", "Wide", "fit_encoder"]
