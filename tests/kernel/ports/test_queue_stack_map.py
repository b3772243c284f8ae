"""Follows the selftest queue_stack_map: values that go through a queue or a stack into packets."""

import struct as bytes_
from random import Random

import pytest

from ebee import (  # isort: skip
    ETH_IP, TC, Ethernet, IPv4, Queue, SkbContext, Stack, tc, u32,
)  # fmt: skip
from ebee.errors import EbeeError

pytestmark = pytest.mark.kernel
SINCE = "4.20"
FOLLOWS = {
    "prog_tests/queue_stack_map.c": 86,
    "progs/test_queue_stack_map.h": 44,
    "progs/test_queue_map.c": 2,
    "progs/test_stack_map.c": 2,
}
SIZE = 32

queue = Queue[u32](max_entries=SIZE)
queue_out = Queue[u32](max_entries=SIZE)
stack = Stack[u32](max_entries=SIZE)
stack_out = Stack[u32](max_entries=SIZE)


@tc
def through_a_queue(ctx: SkbContext) -> TC:
    """The destination is what comes out, the source goes in elsewhere."""
    packet = ctx.packet()
    eth, ip = packet.parse(Ethernet), packet.parse(IPv4)
    if eth is None or ip is None or eth.type != ETH_IP:
        return TC.SHOT
    value = queue.pop()
    if value is None:
        return TC.SHOT
    ip.destination = value[0]
    return TC.OK if queue_out.push(ip.source) == 0 else TC.SHOT


@tc
def through_a_stack(ctx: SkbContext) -> TC:
    packet = ctx.packet()
    eth, ip = packet.parse(Ethernet), packet.parse(IPv4)
    if eth is None or ip is None or eth.type != ETH_IP:
        return TC.SHOT
    value = stack.pop()
    if value is None:
        return TC.SHOT
    ip.destination = value[0]
    return TC.OK if stack_out.push(ip.source) == 0 else TC.SHOT


def frame(source):
    ip = bytes_.pack("!BBHHHBBHII", 0x45, 0, 40, 0, 0, 64, 17, 0, source, 0)
    return bytes(12) + b"\x08\x00" + ip + bytes(20)


@pytest.mark.parametrize("kind", ["queue", "stack"])
def test_order(port, kind):
    loaded, random = port(), Random(1)
    values = [random.getrandbits(30) for _ in range(SIZE)]
    inside, out = loaded.maps[kind], loaded.maps[f"{kind}_out"]
    run = loaded.programs[f"through_a_{kind}"].test_run
    for value in values:
        inside.push(value)
    with pytest.raises(EbeeError, match="E2BIG"):
        inside.push(0)
    expected = values if kind == "queue" else values[::-1]
    for value in expected:
        result = run(frame(value * 3))
        assert (result.retval, int.from_bytes(result.data[30:34], "big")) == (TC.OK, value)
    assert run(frame(0)).retval == TC.SHOT
    outside = [value * 3 for value in expected]
    assert [out.take() for _ in values] == (outside if kind == "queue" else outside[::-1])
    assert out.take() is None
