"""``python -m datalint``, and the command itself."""

import contextlib
import os
import signal
import sys
from typing import Any, NoReturn, TextIO


def main() -> NoReturn:
    """Run the command line; it may be interrupted while it is still being imported, too."""
    try:
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, _interrupt)
        from datalint.cli import main as run

        run()
    except KeyboardInterrupt:
        sys.stderr.write("datalint: interrupted; no report was written\n")
        status = 130  # as a shell says of what was interrupted
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 0
    try:
        _flush(sys.stdout)
    except BrokenPipeError:
        pass  # whoever read the output has had enough
    except OSError as error:
        status = 2
        with contextlib.suppress(OSError):
            sys.stderr.write(f"datalint: cannot write the output: {error.strerror or error}\n")
    with contextlib.suppress(OSError):
        _flush(sys.stderr)
    # All is said and written: while the interpreter shuts down, an interrupt ends it without a traceback.
    if signal.getsignal(signal.SIGINT) is _interrupt:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    # Python ends by the signal itself if it was met in a string that was executed, as dataclasses do; another forgets it.
    exec("")  # noqa: S102
    sys.exit(status)


def _flush(stream: TextIO | None) -> None:
    """Write what is left, or let it go: the interpreter would fail at it once more. A stream that is closed is None."""
    if stream is None:
        return
    try:
        stream.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        raise


def _interrupt(*_: object) -> NoReturn:
    sys.unraisablehook = _once_more
    raise KeyboardInterrupt


def _once_more(lost: Any) -> None:
    """Repeat an interrupt that was met where nothing can be raised; what else it breaks on its way is not worth a word."""
    if isinstance(lost.exc_value, KeyboardInterrupt):
        from _thread import interrupt_main
        from threading import Timer

        Timer(0.01, interrupt_main).start()


if __name__ == "__main__":
    main()
