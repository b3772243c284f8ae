"""Headers, tunnels, checksums and room in packets, on the machine and in the kernel."""

import os
import random
import struct
import sys
from pathlib import Path

import pytest

from ebee import linux
from ebee.lang.bpf import build, checksums
from ebee.lang.source import define
from ebee.machine.machine import Machine

sys.path.insert(0, str(Path(__file__).parent))

from threeway import ThreeWay, rows

pytestmark = pytest.mark.differential

HEAD = """
from ebee import *

@struct
class Result:
    a: u32
    b: u32
    name: DnsName

out = Array[Result](max_entries=1)

@func
def put(a: u32, b: u32) -> None:
    place = out.lookup(0)
    if place is not None:
        place.a = a
        place.b = b

"""
ETHERNET = bytes(range(12))
IP = bytes.fromhex("4500003c1c4640004006b1e6ac100a63ac100a0c")


@pytest.fixture(params=["machine", "kernel"])
def run(request):
    if request.param == "kernel" and os.geteuid():
        pytest.skip("needs root")
    opened = []

    def once(body, frame, hook="xdp"):
        if hook != "xdp" and request.param == "machine":
            pytest.skip("the machine runs XDP only")
        lines = "".join(f"    {line}\n" for line in body.strip("\n").split("\n"))
        context = "XdpContext" if hook == "xdp" else "SkbContext"
        spec = build.compile(
            define(f"{HEAD}@{hook}\ndef prog(ctx: {context}) -> u32:\n{lines}")["prog"]
        )
        if request.param == "kernel":
            opened.append(loaded := linux.load(spec))
        else:
            opened.append(machine := Machine())
            loaded = machine.load(spec)
        done = loaded.programs["prog"].test_run(frame)
        result = loaded.maps["out"][0] if "out" in loaded.maps else None
        return done.retval, bytes(done.data), result

    yield once
    for thing in opened:
        thing.close()


PARSE = """
packet = ctx.packet()
eth = packet.parse(Ethernet)
if eth is None:
    return 0
header = packet.parse({header})
if header is None:
    return 1
{more}
put({values})
return 100 + packet.remaining()
"""
CASES = {
    "ARP": (
        "ARP", "", "u32(header.operation), header.target_ip",
        struct.pack(">HHBBH6sI6sI", 1, 0x800, 6, 4, 2, b"abcdef", 7, b"ghijkl", 0x0A000001), 2,
        0x0A000001,
    ),
    "SCTP": ("SCTP", "", "u32(header.source), header.tag", struct.pack(">HHII", 5, 6, 7, 8), 5, 7),
    "plain GRE": ("GRE", "", "u32(header.flags), u32(header.protocol)",
                  struct.pack(">HH", 0, 0x800), 0, 0x800),
    "GRE with all": ("GRE", "", "u32(header.flags), u32(header.protocol)",
                     struct.pack(">HHIII", 0xB000, 0x6558, 1, 2, 3), 0xB000, 0x6558),
    "VXLAN": ("VXLAN", "", "header.vni, u32(header.flags >> 27 & 1)",
              struct.pack(">II", 0x08000000, 0x123456 << 8), 0x123456, 1),
    "Geneve": ("Geneve", "", "header.vni, u32(header.protocol)",
               struct.pack(">BBHI", 2, 0, 0x6558, 99 << 8) + bytes(8), 99, 0x6558),
    "IP in IP": ("IPv4", "inner = packet.parse(IPv4)\nif inner is None:\n    return 2",
                 "header.destination, inner.source", IP + IP, 0xAC100A0C, 0xAC100A63),
    "DNS": ("DNS", "", "u32(header.id), u32(header.is_response)",
            struct.pack(">6H", 9, 0x8180, 1, 0, 0, 0), 9, 1),
}  # fmt: skip


@pytest.mark.parametrize("title", CASES)
def test_headers(title, run):
    header, more, values, data, a, b = CASES[title]
    body = PARSE.format(header=header, more=more, values=values)
    frame = ETHERNET + b"\x08\x00" + data + bytes(9)
    retval, _, result = run(body, frame)
    assert (retval, result["a"], result["b"]) == (109, a, b)
    assert run(body, (ETHERNET + b"\x08\x00" + data)[:-1])[0] == 1 + (title == "IP in IP")


@pytest.mark.parametrize(
    ("wire", "text"),
    [
        (b"\3www\7example\3org\0", b"www.example.org"), (b"\0", b""), (b"\1a\0", b"a"),
        (b"\3www\7exam", None), (b"\3www\xc0\x0c", None), (b"\x3f" + b"a" * 63 + b"\0", None),
    ],
)  # fmt: skip
def test_names_of_dns(wire, text, run):
    body = """
packet = ctx.packet()
place = out.lookup(0)
if not packet.skip(14) or place is None:
    return 0
return 2 if read_dns_name(packet, place.name) else 1
"""
    retval, _, result = run(body, ETHERNET + b"\x08\x00" + wire)
    assert retval == (1 if text is None else 2)
    if text is not None:
        assert (result["name"]["length"], result["name"]["text"]) == (len(text), text.decode())


ROOM = """
{first}
packet = ctx.packet()
eth = packet.parse(Ethernet)
if eth is None:
    return 0
return u32(eth.type)
"""


@pytest.mark.parametrize("hook", ["xdp", "tc"])
@pytest.mark.parametrize("size", [4, 8, 20, 50])
def test_room_behind_the_ethernet_header(hook, size, run):
    frame = ETHERNET + b"\x08\x00" + IP + bytes(range(100, 180))
    push = ROOM.format(first=f"if not ctx.push({size}):\n    return 1")
    retval, data, _ = run(push, frame, hook)
    assert (retval, data[:14], data[14 + size :]) == (0x800, frame[:14], frame[14:])
    pop = ROOM.format(first=f"if not ctx.pop({size}):\n    return 1")
    frame = ETHERNET + b"\x08\x00" + bytes(size) + IP + bytes(range(100, 180))
    retval, data, _ = run(pop, frame, hook)
    if retval != 1:  # a socket buffer keeps what its IP header says is there
        assert (retval, data) == (0x800, frame[:14] + frame[14 + size :])
    else:
        assert hook == "tc"


def test_checksums_three_ways():
    text = """
@func
def f(a: u16, b: u32, c: u32, d: u64) -> u64:
    ip = IPv4(version_ihl=0x45, total_length=a, source=b, destination=c, ttl=64, protocol=6)
    whole = ipv4_checksum(ip)
    ip.checksum = whole
    less = replace_checksum32(whole, b, c)
    ip.source = c
    same = less == ipv4_checksum(ip)
    return fold_checksum(d) + u64(replace_checksum16(a, u16(b), u16(c))) * 65536 + same
"""
    with ThreeWay(text) as way:
        way.check(rows(way.types, random.Random(1), 60))


def test_checksums_are_those_of_the_protocol():
    words = struct.unpack(">10H", IP[:10] + bytes(2) + IP[12:])
    assert checksums.fold_checksum(sum(words)) == int.from_bytes(IP[10:12], "big")
    new = checksums.replace_checksum16(0xB1E6, 0x4006, 0x3F06)  # a hop less
    assert new == checksums.fold_checksum(sum(words) - 0x0100)
