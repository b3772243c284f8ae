"""Follows the selftest test_lsm: security hooks of a test's own process: one that says no, one
that may sleep and reads the process's memory, and maps of all kinds there."""

import ctypes
import errno
import mmap
import os
import subprocess
from pathlib import Path

import pytest

from ebee import (  # isort: skip
    LSM, Array, ArrayOfMaps, Global, Hash, HashOfMaps, LruHash, LruPerCpuHash, PerCpuArray,
    PerCpuHash, array, bpf, char, current, lsm, struct, u32, u64,
)  # fmt: skip
from ebee.errors import EbeeError
from ebee.vmlinux import linux_binprm, vm_area_struct

pytestmark = pytest.mark.kernel
SINCE = "6.1"
FOLLOWS = {
    "prog_tests/test_lsm.c: exec_cmd, test_lsm, test_lsm_basic": 60,
    "progs/lsm.c: test_int_hook, test_void_hook, test_task_free": 62,
}


@struct
class Text:
    text: array[char, 64]


plain = Array[u64](max_entries=1)
hashed = Hash[u32, u64](max_entries=1)
recent = LruHash[u32, u64](max_entries=1)
per_cpu = PerCpuArray[u64](max_entries=1)
hashed_per_cpu = PerCpuHash[u32, u64](max_entries=1)
recent_per_cpu = LruPerCpuHash[u32, u64](max_entries=1)
inner = Array[u64](max_entries=1)
outer = ArrayOfMaps(max_entries=1, inner=inner)
hashed_outer = HashOfMaps[u32](max_entries=1, inner=inner)
monitored: Global[u32] = 0
refused: Global[u32] = 0
executed: Global[u32] = 0


@lsm("file_mprotect")
def no_changes_of_the_stack(vma: vm_area_struct, wanted, protection, before) -> LSM:
    global refused
    if before != 0:
        return before
    stack = vma.vm_mm.start_stack
    if current.tgid == monitored and vma.vm_start <= stack <= vma.vm_end:
        refused += 1
        return LSM.DENY
    return LSM.ALLOW


@lsm("bprm_committed_creds", sleepable=True)
def starts(program: linux_binprm) -> None:
    """Counts, and reads what the process is called with."""
    global executed
    if current.tgid != monitored:
        return
    executed += 1
    text = Text()
    bpf.copy_from_user(text, 64, program.p)
    for place in (
        plain.lookup(0), hashed.lookup(0), recent.lookup(0), per_cpu.lookup(0),
        hashed_per_cpu.lookup(0), recent_per_cpu.lookup(0),
    ):  # fmt: skip
        if place is not None:
            place[0] = 0
    table = outer.lookup(0)
    if table is not None:
        table[0] = 0
    other = hashed_outer.lookup(0)
    if other is not None:
        other[0] = 0


@lsm("task_free")
def ends(task) -> None:
    """A hook where programs cannot sleep."""


def protect_stack():
    """Ask to make a page of this process's stack read-only; the error, or 0."""
    libc = ctypes.CDLL(None, use_errno=True)
    lines = Path("/proc/self/maps").read_text().splitlines()
    (line,) = (line for line in lines if line.endswith("[stack]"))
    end = int(line.split("-")[1].split()[0], 16)
    failed = libc.mprotect(
        ctypes.c_void_p(end - mmap.PAGESIZE), mmap.PAGESIZE, mmap.PROT_READ | mmap.PROT_WRITE
    )
    return ctypes.get_errno() if failed else 0


def test_own_process_is_watched(port):
    loaded = port()
    loaded.maps["plain"][0] = loaded.maps["inner"][0] = 7
    loaded.maps["hashed"][0] = loaded.maps["recent"][0] = 7
    loaded.maps["outer"][0] = loaded.maps["hashed_outer"][0] = loaded.maps["inner"]
    for _ in range(2):  # attached, taken away, and attached again
        for name in ("refused", "executed"):
            loaded.variables[name].value = 0
        links = [program.attach() for program in loaded.programs.values()]
        with pytest.raises(EbeeError):
            loaded.programs["no_changes_of_the_stack"].attach()

        def note():
            loaded.variables["monitored"].value = os.getpid()

        subprocess.run(["true", "for", "ebee"], check=True, preexec_fn=note)
        assert loaded.variables["executed"].value == 1
        assert [loaded.maps[n][0] for n in ("plain", "inner", "hashed", "recent")] == [0] * 4
        loaded.variables["monitored"].value = os.getpid()
        assert protect_stack() == errno.EPERM
        assert loaded.variables["refused"].value == 1
        for link in links:
            link.close()
        assert protect_stack() == 0
