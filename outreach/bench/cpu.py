"""CPU seconds of this process and of others, and the memory they hold."""

from __future__ import annotations

import contextlib
import resource

import psutil


def mine() -> float:
    """CPU seconds of this process with all its threads, user and system."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def tree(pid: int) -> float:
    """CPU seconds of a process, its living descendants, and those of their children that have ended.

    The kernel tells it in ticks of 10 ms: measure some thousand messages at once.
    """
    total = 0.0
    with contextlib.suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        for process in (root, *root.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                total += sum(process.cpu_times()[:4])  # of itself and of children it has waited for
    return total


def memory(pid: int) -> int:
    """Bytes: the process's own share of memory (PSS), or its resident set where the kernel does not tell the share."""
    process = psutil.Process(pid)
    with contextlib.suppress(AttributeError, psutil.AccessDenied, OSError):
        if share := int(process.memory_full_info().pss):
            return share
    return int(process.memory_info().rss)
