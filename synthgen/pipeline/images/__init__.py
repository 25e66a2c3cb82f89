"""What a run does with labelled images where it differs from a table: see
:mod:`synthgen.pipeline.kinds`."""
