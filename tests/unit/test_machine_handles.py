"""On the machine, as in the kernel, maps of maps and of programs take what they hold as such, or by
its id."""

import pytest

from ebee.errors import BtfError
from ebee.lang.bpf import build
from ebee.lang.source import define
from ebee.machine.machine import Machine

pytestmark = pytest.mark.unit

TEXT = """
from ebee import *

first = Array[u64](max_entries=2)
second = Array[u64](max_entries=2)
tables = ArrayOfMaps(max_entries=2, inner=Array[u64](max_entries=2))

@xdp
def prog(ctx: XdpContext) -> XDP:
    table = tables.lookup(1)
    if table is None:
        return XDP.ABORTED
    entry = table.lookup(0)
    if entry is not None:
        entry[0] += 1
    first[1] = 7
    second[1] = 7
    return XDP.PASS
"""


def test_a_map_of_maps_takes_maps_and_ids():
    with Machine() as machine:
        loaded = machine.load(build.compile(define(TEXT)["prog"]))
        run, tables = loaded.programs["prog"].test_run, loaded.maps["tables"]
        assert run(bytes(64)).retval == 0
        for name, given in (("first", loaded.maps["first"]), ("second", None)):
            tables[1] = given or loaded.maps[name].raw.id
            assert tables[1] == loaded.maps[name].raw.id
            assert run(bytes(64)).retval == 2
            assert loaded.maps[name][0] == 1
        with pytest.raises(BtfError):
            tables[0] = "first"
