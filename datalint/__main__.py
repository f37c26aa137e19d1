"""``python -m datalint``, and the command itself."""

import signal
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
    finally:
        # All is said and written: while the interpreter shuts down, an interrupt ends it without a traceback.
        signal.signal(signal.SIGINT, signal.SIG_DFL)


if __name__ == "__main__":
    main()
