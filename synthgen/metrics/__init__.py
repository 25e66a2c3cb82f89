"""One metric a file: pure functions of real and synthetic rows."""
