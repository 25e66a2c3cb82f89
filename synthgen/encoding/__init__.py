"""Table <-> compact tensors, fitted on training rows only."""

from synthgen.encoding.encoder import Encoder, fit_encoder
from synthgen.encoding.layout import Encoded, Span

__all__ = ["Encoded", "Encoder", "Span", "fit_encoder"]
