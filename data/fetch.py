"""Fetch public data sets from OpenML into this folder, as Parquet.

    python data/fetch.py adult credit-g@1 31

A set is given by name, NAME@VERSION or number, as ``synthgen augment openml:NAME`` takes it. Each
becomes ``data/NAME.parquet``; its size and SHA-256 are printed, so that a report can say exactly
which bytes it is about. git ignores what is fetched.
"""

from __future__ import annotations

import hashlib
import re
import sys
from pathlib import Path

from synthgen.data.read import read
from synthgen.errors import SynthgenError

FOLDER = Path(__file__).parent


def fetch(name: str, folder: Path = FOLDER) -> Path:
    """Write one data set into the folder, replacing an older copy, and return its file."""
    loaded = read(f"openml:{name}")
    path = folder / f"{re.sub(r'[^A-Za-z0-9.-]+', '-', name)}.parquet"
    draft = path.with_suffix(".draft")
    loaded.origin.write(loaded.frame, draft)
    draft.replace(path)
    rows, columns = loaded.frame.shape
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    print(f"{path}  {rows} x {columns}  sha256 {digest}")
    return path


def main(names: list[str]) -> int:
    """Fetch all of them; the exit code of the first that fails, else 0."""
    if not names:
        print(__doc__, file=sys.stderr)
        return 2
    for name in names:
        try:
            fetch(name)
        except SynthgenError as error:
            print(error, file=sys.stderr)
            return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
