"""Table <-> compact tensors, fitted on training rows only."""
