"""``python -m synthgen`` is the ``synthgen`` program."""

from synthgen.cli import main

if __name__ == "__main__":
    main()
