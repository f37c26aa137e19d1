"""``python -m datalint``, and the command itself."""

import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line; it may be interrupted while it is still being imported, too."""
    try:
        from datalint.cli import main as run

        run()
    except KeyboardInterrupt:
        sys.stderr.write("datalint: interrupted; no report was written\n")
        sys.exit(2)


if __name__ == "__main__":
    main()
