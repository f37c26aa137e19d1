"""Runs hostile inputs, each in a process of its own that has everything imported already."""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import warnings
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, NoReturn

from tests.fuzz.case import Case, lay_out
from tests.fuzz.outcome import SECONDS, Fault, Outcome, faults, report_of, snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

IDLE = 10
"""Seconds without any processor time, after which a scan is taken to hang."""
ROOM = 2 << 30
"""Bytes of address space beyond what the imports took."""

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = {
    "os.mkdir",
    "os.remove",
    "os.rmdir",
    "os.rename",
    "os.chmod",
    "os.chown",
    "os.link",
    "os.symlink",
    "os.truncate",
    "os.utime",
}
_NEVER = {
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "socket.connect",
    "socket.bind",
    "pickle.find_class",
}
_MINE = ("out", "cache", "tmp")
"""Folders that a scan may write to."""


class Server:
    """Imports everything once; every run is then a fork."""

    main: Callable[[], object] | None = None
    """What is run instead of datalint's own, in tests of this class."""

    def __init__(self, work: Path) -> None:
        self._work = work
        self._count = 0
        _import_all(work / "warm")
        gc.collect()
        gc.freeze()  # so that forks share what is imported
        self._space = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()

    def faults(self, case: Case, number: int = 0) -> list[Fault]:
        """Scan it, and all that is wrong with what came of it."""
        root = self._work / f"{self._count:06}"
        self._count += 1
        root.mkdir()
        try:
            return self._judged(case, number, root)
        finally:
            _remove(root)

    def _judged(self, case: Case, number: int, root: Path) -> list[Fault]:
        lay_out(case, root)
        size = sum(path.lstat().st_size for folder in ("data", "p") for path in (root / folder).rglob("*"))
        before = snapshot(root)
        first = self._run(case, root)
        found = list(faults(case, first, size, root, before))
        if case.between is not None and not found:
            report = report_of(root)
            case.between(Random(number), root / "cache")
            shutil.rmtree(root / "out")
            second = self._run(case, root)
            found += faults(case, second, size, root, before)
            if not found and report_of(root) != report:
                found.append(Fault("another report", "from a damaged cache"))
        return found

    def _run(self, case: Case, root: Path) -> Outcome:
        arguments = [*case.command, *case.options]
        if case.command[0] == "scan":
            # The pages are written too, but not by all: they take as long as the scan.
            arguments += (
                ["--output-dir", "out"]
                if case.between or case.options == ()
                else ["--json", "out/report.json", "--no-report"]
            )
        child = os.fork()
        if child == 0:
            _child(arguments, root, self._space + ROOM, self.main)
        late = False
        pause = 0.002
        used, since = "", time.monotonic()
        while True:
            done, status, usage = os.wait4(child, os.WNOHANG)
            if done:
                break
            if not late and time.monotonic() - since > IDLE:
                now = " ".join(Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[11:13])
                if now == used:
                    late = True
                    os.kill(child, signal.SIGKILL)
                used, since = now, time.monotonic()
            time.sleep(pause)
            pause = min(0.05, pause * 1.2)
        left_over = False
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child, signal.SIGKILL)
            left_over = True
        out, err, audit = (
            (root / f"{name}.txt").read_bytes().decode("utf-8", "replace") for name in ("stdout", "stderr", "audit")
        )
        code = os.waitstatus_to_exitcode(status)
        return Outcome(code, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, out, err, audit, late, left_over)


def _import_all(folder: Path) -> None:
    """Import what a scan imports: a fork scans something of everything and says what it loaded; nothing is scanned here."""
    from tests.fuzz import pictures, stored, tables

    folder.mkdir(parents=True)
    r = Random(0)
    data: dict[str, Any] = {
        "a.csv": tables.csv(r),
        "b.npz": stored.npz(r),
        "c.jsonl": tables.json_lines(r),
        "d.parquet": stored.parquet(r),
    }
    for name in pictures.FORMATS:
        data[f"trees/oak/{name}{pictures.FORMATS[name]}"] = pictures.picture(r, name)
    lay_out(Case(data), folder)
    child = os.fork()
    if child == 0:
        _child(["scan", "data", "--output-dir", "out"], folder, None)
    os.waitpid(child, 0)
    for name in (folder / "modules.txt").read_text().split():
        with contextlib.suppress(Exception):
            importlib.import_module(name)


def _child(arguments: list[str], root: Path, space: int | None, main: Callable[[], object] | None = None) -> NoReturn:
    """Become the command, with little room and somebody watching what it opens."""
    status = 70
    try:
        os.setpgid(0, 0)  # not a new session, which some systems schedule by itself
        os.chdir(root)
        for number, name in ((0, os.devnull), (1, "stdout.txt"), (2, "stderr.txt")):
            os.dup2(os.open(name, os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
        audit = os.open("audit.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        kept = {name: value for name, value in os.environ.items() if name in {"PATH", "OMP_NUM_THREADS", "PYTHONPATH"}}
        os.environ.clear()
        os.environ.update(
            kept
            | {
                "HOME": str(root / "home"),
                "TMPDIR": str(root / "tmp"),
                "DATALINT_CACHE_DIR": str(root / "cache"),
                "LANG": "C.UTF-8",
                "CI": "1",
            }
        )
        tempfile.tempdir = None  # whatever was imported before may have asked
        if space is not None:
            resource.setrlimit(resource.RLIMIT_AS, (space, space))
            resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 2))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 30, 1 << 30))
            signal.signal(signal.SIGXCPU, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
        atexit._clear()  # those of the process that was forked
        sys.dont_write_bytecode = True
        sys.argv = ["datalint", *arguments]
        warnings.simplefilter("always")  # a user would see them
        if space is not None:
            sys.addaudithook(_watch(audit, root))
        from datalint import cli

        try:
            (main or cli.main)()
            status = 0
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        atexit._run_exitfuncs()  # as at the end of a command
        sys.stdout.flush()
        sys.stderr.flush()
        if space is None:
            Path("modules.txt").write_text("\n".join(sys.modules))
    except BaseException:
        import traceback

        with contextlib.suppress(BaseException):
            os.write(2, traceback.format_exc().encode("utf-8", "replace"))
        status = 1
    finally:
        os._exit(status)


def _watch(file: int, root: Path) -> Any:
    """Writes down what is opened to write, changed or started anywhere but in the folders of the output."""
    allowed = tuple(os.path.realpath(root / name) for name in _MINE)

    def note(event: str, path: object) -> None:
        if isinstance(path, int) or not isinstance(path, (str, bytes, os.PathLike)):
            return
        place = Path(os.fsdecode(path))
        try:  # the file itself may be a link
            whole = os.path.join(os.path.realpath(place.parent), place.name)  # noqa: PTH118
        except ValueError:
            return
        if whole != os.devnull and not any(whole == mine or whole.startswith(mine + os.sep) for mine in allowed):
            os.write(file, f"{event} {whole}\n".encode("utf-8", "backslashreplace"))

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = arguments
            if (isinstance(flags, int) and flags & _WRITES) or (isinstance(mode, str) and set(mode) & set("wax+")):
                note("opened to write", path)
        elif event in _CHANGES:
            for path in arguments[:2] if event in {"os.rename", "os.link"} else arguments[:1]:
                note(event, _whole(path, arguments[1]) if event in {"os.remove", "os.rmdir"} else path)
        elif event in _NEVER:
            os.write(file, f"{event} {arguments!r}\n".encode("utf-8", "backslashreplace"))

    return hook


def _whole(path: Any, folder: int) -> Any:
    """The path, which may be relative to a folder that is open."""
    return path if folder < 0 else Path(f"/proc/self/fd/{folder}").readlink() / os.fsdecode(path)


def _remove(root: Path) -> None:
    """Whatever the modes of what lies there are."""
    shutil.rmtree(root, onerror=lambda *_: None)
    if root.exists():
        for folder, _, _ in os.walk(root):
            with contextlib.suppress(OSError):
                Path(folder).chmod(0o700)
        shutil.rmtree(root, ignore_errors=True)
