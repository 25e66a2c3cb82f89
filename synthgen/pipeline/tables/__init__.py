"""What a run does with a table where it differs from images: see
:mod:`synthgen.pipeline.kinds`."""
