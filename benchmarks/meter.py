"""What one command costs: ``python benchmarks/meter.py OUT.json SECONDS COMMAND...`` (Linux).

CPU of the whole process tree (user and system), wall time, the peak of the tree's resident memory, and the exit status.
It stands by itself and imports next to nothing: what a child is charged for starts at the size of its parent. Processes
that lose their parent come to this one, so that workers nobody waits for are counted too.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time

PAGE, TICK = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_CLK_TCK")
PR_SET_CHILD_SUBREAPER = 36
EVERY = 0.05
"""Seconds between two looks at the tree."""


def descendants(root: int) -> list[int]:
    """All processes below one."""
    children: dict[int, list[int]] = {}
    for name in filter(str.isdigit, os.listdir("/proc")):  # noqa: PTH208
        with contextlib.suppress(OSError):
            children.setdefault(int(_stat(name)[1]), []).append(int(name))
    found, todo = [], [root]
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += below
    return found


def _stat(process: int | str) -> list[str]:
    """The fields of /proc/N/stat after the command's name, which may hold anything: state, parent, ..."""
    with open(f"/proc/{process}/stat") as file:  # noqa: PTH123
        text = file.read()
    return text[text.rindex(")") + 2 :].split()


def _load(processes: list[int]) -> tuple[int, float]:
    """Resident bytes and CPU seconds so far."""
    memory, cpu = 0, 0.0
    for process in processes:
        with contextlib.suppress(OSError, IndexError):
            fields = _stat(process)
            memory += int(fields[21]) * PAGE
            cpu += sum(map(int, fields[11:15])) / TICK
    return memory, cpu


def _end(processes: list[int]) -> None:
    for process in processes:
        with contextlib.suppress(OSError):
            os.kill(process, signal.SIGKILL)


def measure(command: list[str], seconds: float) -> dict[str, float | int | bool]:
    """Run a command; it is ended when it has used more CPU seconds than allowed, or three times as much wall time."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    peak, stopped, done = 0, False, threading.Event()
    start = time.monotonic()
    main = subprocess.Popen(command, stdin=subprocess.DEVNULL)

    def watch() -> None:
        nonlocal peak, stopped
        while not done.wait(EVERY):
            tree = descendants(os.getpid())
            memory, cpu = _load(tree)
            peak = max(peak, memory)
            if cpu > seconds or time.monotonic() - start > 3 * seconds:
                stopped = True
                _end(tree)

    watcher = threading.Thread(target=watch)
    watcher.start()
    status, wall = 0, 0.0
    with contextlib.suppress(ChildProcessError):
        while True:
            process, code = os.wait()
            if process == main.pid:
                status, wall = os.waitstatus_to_exitcode(code), time.monotonic() - start
                main.returncode = status
                _end(descendants(os.getpid()))  # whatever it left running
    done.set()
    watcher.join()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "cpu": round(used.ru_utime + used.ru_stime, 3),
        "wall": round(wall, 3),
        "memory": max(peak, used.ru_maxrss * 1024),
        "status": status,
        "stopped": stopped,
    }


if __name__ == "__main__":
    out, allowed, *rest = sys.argv[1:]
    figures = measure(rest, float(allowed))
    with open(out, "w") as target:  # noqa: PTH123
        json.dump(figures, target)
