"""Which tests can run here: those without their means are skipped, saying why, unless
EBEE_REQUIRE (a comma-separated list of markers) says that the means must be there."""

import os
import shutil
import signal

import pytest

REQUIRED = frozenset(filter(None, os.environ.get("EBEE_REQUIRE", "").split(",")))


def pytest_configure():
    """What a shell runs in the background ignores Ctrl-C, and so would all that tests start."""
    for number in (signal.SIGINT, signal.SIGQUIT):
        if signal.getsignal(number) == signal.SIG_IGN:
            usual = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
            signal.signal(number, usual)


def _kernel() -> str | None:
    if os.name != "posix" or os.geteuid() != 0:
        return "needs root"
    if not os.path.exists("/sys/kernel/btf/vmlinux"):
        return "needs a kernel with BTF"
    return None


def _vm() -> str | None:
    if os.name != "posix" or os.geteuid() != 0:
        return "needs root"
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    if shutil.which("qemu-system-x86_64") or os.path.isdir(f"{cache}/ebee-vm/tools"):
        return None
    return "needs qemu-system-x86_64 (`make test-vm` fetches it)"


MEANS = {"kernel": _kernel, "vm": _vm}


def pytest_collection_modifyitems(items):
    for name, means in MEANS.items():
        reason = means()
        if reason is None:
            continue
        if name in REQUIRED:
            pytest.exit(f"EBEE_REQUIRE={name}, but this machine {reason}", returncode=3)
        for item in items:
            if name in item.keywords:
                item.add_marker(pytest.mark.skip(reason=reason))
