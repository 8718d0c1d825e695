"""``python -m monazite`` is the command line."""

from monazite.cli import main

if __name__ == "__main__":
    main()
