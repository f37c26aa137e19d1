"""``python -m datalint``."""

from datalint.cli import main

if __name__ == "__main__":
    main()
