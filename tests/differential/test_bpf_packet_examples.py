"""The examples at packets: on the machine and in the kernel, with frames made here."""

import os
import socket
import struct
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import pytest

from ebee import linux
from ebee.cli.events import EventReader
from ebee.errors import KernelError
from ebee.lang.bpf import build
from ebee.linux import LinuxMap
from ebee.linux.errors import older_than
from ebee.machine.machine import Machine

pytestmark = pytest.mark.differential

EXAMPLES = Path(__file__).parents[2] / "examples"
DROP, PASS, TX, REDIRECT = 1, 2, 3, 4
A, B, C = "192.0.2.1", "192.0.2.2", "198.51.100.1"
MACS = bytes.fromhex("020000000001 020000000002")


def number(address):
    return int.from_bytes(socket.inet_aton(address), "big")


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def ethernet(kind, payload):
    return MACS + struct.pack("!H", kind) + payload


def ip(protocol, payload, source=A, destination=B):
    ends = socket.inet_aton(source) + socket.inet_aton(destination)
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 1, 0, 64, protocol, 0)
    head = head[:10] + struct.pack("!H", checksum(head + ends)) + ends
    return head + payload


def ip4(*args, **ends):
    return ethernet(0x0800, ip(*args, **ends))


def tcp_segment(port=80, flags=2, options=b""):
    words = 5 + len(options) // 4
    return struct.pack("!HHIIHHHH", 40000, port, 1, 0, words << 12 | flags, 1024, 0, 0) + options


def udp_datagram(port, data=b"", source=40000):
    return struct.pack("!HHHH", source, port, 8 + len(data), 0) + data


@pytest.fixture(params=["machine", "kernel"])
def load(request):
    """Load an example on one of the backends."""
    if request.param == "kernel" and os.geteuid():
        pytest.skip("needs root")
    opened = []

    def run(name, **variables):
        spec = build.compile(EXAMPLES / f"{name}.py")
        for variable, value in variables.items():
            spec.variables[variable] = value
        if request.param == "kernel":
            opened.append(linux.load(spec))
            return opened[-1]
        opened.append(Machine())
        return opened[-1].load(spec)

    yield run
    for thing in opened:
        thing.close()


@contextmanager
def table_of(loaded, name, example="tenants"):
    """A map of the kind that a map of maps holds, on the same backend."""
    inner = build.compile(EXAMPLES / f"{example}.py").maps[name].inner
    raw = loaded.maps[name].raw
    if isinstance(raw, LinuxMap):
        made = LinuxMap.create(inner.type, inner.key_size, inner.value_size, inner.max_entries)
        close = made.close
    else:
        machine = loaded.programs[example].machine
        made = machine.create_map(inner)
        close = partial(machine.close_map, made)
    try:
        yield made
    finally:
        close()


def verdicts(loaded, program, *frames):
    return [loaded.programs[program].test_run(f).retval for f in frames]


def test_syn_limiter(load):
    loaded = load("syn_limiter", limit=3)
    frames = [ip4(6, tcp_segment())] * 5 + [ip4(6, tcp_segment(flags=0x12))]
    frames += [ip4(6, tcp_segment(), source=C), ip4(17, udp_datagram(1))]
    assert verdicts(loaded, "syn_limiter", *frames) == [PASS] * 3 + [DROP] * 2 + [PASS] * 3
    assert loaded.variables["dropped"].value == 2


def test_dns_amplification(load):
    def dns(flags, size=12, **ends):
        head = struct.pack("!6H", 7, flags, 1, 1, 0, 0)
        return ip4(17, udp_datagram(40000, head + bytes(size - 12), source=53), **ends)

    loaded = load("dns_amplification")
    loaded.maps["resolvers"][number(A)] = 1
    frames = [dns(0x8180), dns(0x8180, source=C), dns(0x8180, 2000), dns(0x0100, source=C)]
    assert verdicts(loaded, "dns_amplification", *frames) == [PASS, DROP, DROP, PASS]
    assert loaded.variables["stopped"].value == 2


def test_ping_responder(load):
    def echo(kind):
        data = struct.pack("!BBHHH", kind, 0, 0, 0x1234, 1) + b"payload."
        return data[:2] + struct.pack("!H", checksum(data)) + data[4:]

    loaded = load("ping_responder")
    done = loaded.programs["ping_responder"].test_run(ip4(1, echo(8)))
    assert done.retval == TX
    assert done.data == MACS[6:] + MACS[:6] + b"\x08\0" + ip(1, echo(0), source=B, destination=A)
    frames = [ip4(1, echo(0)), ip4(17, echo(8)), ip4(1, echo(8))[:40]]
    assert verdicts(loaded, "ping_responder", *frames) == [PASS] * 3
    assert loaded.variables["answered"].value == 1


def test_ipv6_extensions(load):
    def frame(*kinds):
        chain = [*kinds, 17]
        rest = b"".join(bytes([following]) + bytes(7) for following in chain[1:])
        rest += udp_datagram(53)
        head = struct.pack("!IHBB", 6 << 28, len(rest), chain[0], 64) + bytes(32)
        return ethernet(0x86DD, head + rest)

    loaded = load("ipv6_extensions")
    frames = [frame(), frame(0, 60), frame(44), frame(0, 60, 43, 60), frame(0)[:56]]
    assert verdicts(loaded, "ipv6_extensions", *frames) == [PASS, PASS, PASS, DROP, DROP]
    assert dict(loaded.maps["kinds"]) == {0: 2, 60: 3, 43: 1, 44: 1}


def vxlan(vni, inner):
    return ip4(17, udp_datagram(4789, struct.pack("!II", 0x08000000, vni << 8) + inner))


def test_vxlan_decapsulation(load):
    loaded = load("vxlan_decapsulation")
    loaded.maps["networks"][42] = 0
    inner = ip4(17, udp_datagram(53, bytes(20)), source=C)
    done = loaded.programs["vxlan_decapsulation"].test_run(vxlan(42, inner))
    assert (done.retval, done.data) == (PASS, inner)
    frames = [vxlan(43, inner), vxlan(42, b"short"), inner]
    assert verdicts(loaded, "vxlan_decapsulation", *frames) == [DROP, DROP, PASS]
    assert loaded.maps["networks"][42] == 1


def test_block_list(load):
    loaded = load("block_list")
    net = {"length": 24, "address": [192, 0, 2, 0]}
    host = {"length": 32, "address": [192, 0, 2, 1]}
    loaded.maps["blocked"][net] = 0
    frames = [ip4(17, udp_datagram(1), source=s) for s in (A, B, C)]
    assert verdicts(loaded, "block_list", *frames) == [DROP, DROP, PASS]
    loaded.maps["blocked"][host] = 0
    assert verdicts(loaded, "block_list", *frames) == [DROP, DROP, PASS]
    assert (loaded.maps["blocked"][net], loaded.maps["blocked"][host]) == (3, 1)


def test_first_seen(load):
    loaded = load("first_seen")
    frames = [ip4(17, udp_datagram(1), source=s) for s in (A, C, A)]
    assert verdicts(loaded, "first_seen", *frames) == [PASS] * 3
    events, _ = EventReader(loaded, "sources").read()
    assert [e["address"] for e in events] == [number(A), number(C)]


def test_tunnel_watch(load):
    inner = ip(17, udp_datagram(1))
    geneve = struct.pack("!BBHI", 1, 0, 0x6558, 7 << 8) + bytes(4)
    frames = [
        vxlan(42, inner), ip4(17, udp_datagram(6081, geneve)), ip4(17, udp_datagram(6081, b"abc")),
        ip4(47, struct.pack("!HHI", 0x2000, 0x0800, 99) + inner), ip4(4, inner), ip4(41, inner),
        ip4(6, tcp_segment()),
    ]  # fmt: skip
    loaded = load("tunnel_watch")
    assert verdicts(loaded, "tunnel_watch", *frames) == [PASS] * 7
    found = {(k["kind"], k["network"]): v for k, v in loaded.maps["tunnels"].items()}
    assert found == {(4, 42): 1, (5, 7): 1, (3, 0): 1, (1, 0): 1, (2, 0): 1}


def test_arp_guard(load):
    def arp(mac, address):
        head = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 2)
        message = head + mac + socket.inet_aton(address) + bytes(10)
        return ethernet(0x0806, message + bytes(18))

    loaded = load("arp_guard")
    loaded.maps["owners"][number(A)] = {"mac": list(MACS[:6])}
    frames = [arp(MACS[:6], A), arp(MACS[6:], A), arp(MACS[6:], C)]
    assert verdicts(loaded, "arp_guard", *frames) == [PASS, DROP, PASS]
    (claim,), _ = EventReader(loaded, "claims").read()
    assert (claim["address"], list(claim["mac"])) == (number(A), list(MACS[6:]))


def test_mss_watch(load):
    def syn(mss):
        return ip4(6, tcp_segment(options=struct.pack("!BBH", 2, 4, mss)))

    loaded = load("mss_watch")
    frames = [syn(1460), syn(1460), syn(100), ip4(6, tcp_segment()), ip4(6, tcp_segment(flags=16))]
    assert verdicts(loaded, "mss_watch", *frames) == [PASS, PASS, DROP, PASS, PASS]
    assert dict(loaded.maps["sizes"]) == {1460: 2, 100: 1}


def test_recent_packets(load):
    loaded = load("recent_packets")
    lengths = [60 + 10 * i for i in range(20)]
    assert verdicts(loaded, "recent_packets", *(bytes(n) for n in lengths)) == [PASS] * 20
    assert loaded.variables["made_room"].value == 4


def test_vlan_tagger(load):
    loaded = load("vlan_tagger")
    plain = ip4(17, udp_datagram(6000, b"control"))
    tagged = loaded.programs["vlan_tagger"].test_run(plain)
    assert tagged.retval == PASS
    assert tagged.data == plain[:12] + struct.pack("!HH", 0x8100, 100) + plain[12:]
    again = loaded.programs["vlan_tagger"].test_run(tagged.data)
    assert (again.retval, again.data) == (PASS, plain)
    other = ip4(17, udp_datagram(6001))
    assert loaded.programs["vlan_tagger"].test_run(other).data == other


def test_tenants(load):
    def frame(vlan, port):
        tag = struct.pack("!HHH", 0x8100, vlan, 0x0800)
        return MACS + tag + ip(6, tcp_segment(port))

    loaded = load("tenants")
    frames = [frame(1, 80), frame(1, 22), frame(2, 80), ip4(6, tcp_segment())]
    assert verdicts(loaded, "tenants", *frames) == [DROP, DROP, DROP, PASS]
    with table_of(loaded, "tables") as ports:
        ports.update(struct.pack("=H", 80), bytes(8))
        held = ports if isinstance(ports, LinuxMap) else ports.id
        loaded.maps["tables"][1] = held
        assert verdicts(loaded, "tenants", *frames) == [PASS, DROP, DROP, PASS]
        assert ports.lookup(struct.pack("=H", 80)) == struct.pack("=Q", 1)


def test_cpu_spread(load):
    loaded = load("cpu_spread")
    frames = [ip4(17, udp_datagram(1), source=f"192.0.2.{i}") for i in range(100)]
    assert set(verdicts(loaded, "cpu_spread", *frames)) == {PASS}  # no CPU is in the map
    chosen = [loaded.maps["chosen"][i] for i in range(3)]
    assert sum(chosen) == 100
    assert min(chosen[:2]) > 20


def test_bridge(load):
    loaded = load("bridge")
    frame = ip4(17, udp_datagram(1))
    assert verdicts(loaded, "bridge", frame) == [PASS]
    loaded.maps["ports"][{"bytes": list(MACS[:6])}] = 77
    assert verdicts(loaded, "bridge", frame) == [PASS]  # no device is there
    try:
        loaded.maps["devices"][77] = 1
    except KernelError:
        pytest.skip("no device 1 here")
    assert verdicts(loaded, "bridge", frame) == [REDIRECT]


def test_deep_look(load):
    loaded = load("deep_look")
    echo = struct.pack("!BBHHH", 128, 0, 0, 1, 1)
    routed = bytes([58, 0, 0, 0]) + bytes(4) + echo
    six = struct.pack("!IHBB", 6 << 28, len(routed), 43, 64) + bytes(32) + routed
    tagged = struct.pack("!HHHH", 7, 0x8100, 8, 0x86DD) + six
    source_route = bytes.fromhex("830704c0000201 00")
    head = struct.pack("!BBHHHBBHII", 0x47, 0, 28, 1, 0, 64, 17, 0, 1, 2)
    frames = [ethernet(0x88A8, tagged), ip4(17, udp_datagram(1))]
    frames += [ethernet(0x800, head + source_route), ethernet(0x88A8, tagged[:20])]
    assert verdicts(loaded, "deep_look", *frames) == [PASS, PASS, DROP, DROP]
    assert {k: sum(v) for k, v in loaded.maps["found"].items()} == {58: 1, 17: 2}
    assert {k: sum(v) for k, v in loaded.maps["tags"].items()} == {2: 2, 0: 2}
    assert loaded.variables["pings"].value == 1


def test_tunnel_keys(load):
    loaded = load("tunnel_keys")
    gre = struct.pack("!HHI", 0x2000, 0x800, 7)
    option = struct.pack("!HBBI", 0x0102, 0x80, 1, 9)
    geneve = struct.pack("!BBHI", 2, 0, 0x6558, 42 << 8) + option
    frames = [ip4(47, gre), ip4(47, gre[:-1]), ip4(17, udp_datagram(6081, geneve))]
    assert verdicts(loaded, "tunnel_keys", *frames) == [PASS, DROP, PASS]
    assert dict(loaded.maps["tenants"]) == {7: 1, 9: 1}


@pytest.mark.skipif(older_than("6.12"), reason="compressed names need Linux 6.12")
def test_dns_answers(load):
    loaded = load("dns_answers")
    name = b"\3www\7example\3org\0"

    def answer(tail, flags=0x8180):
        head = struct.pack("!6H", 7, flags, 1, 1, 0, 0)
        return ip4(17, udp_datagram(4000, head + name + bytes([0, 1, 0, 1]) + tail, source=53))

    frames = [answer(b"\xc0\x0c"), answer(b"\xc0\x0c", 0x0100), answer(b"\xc0")]
    assert verdicts(loaded, "dns_answers", *frames)[1] == PASS
    events, _ = EventReader(loaded, "answers").read()
    assert [e["name"]["text"] for e in events] == ["www.example.org"] * 2


def test_double_buffer(load):
    loaded = load("double_buffer")
    with ExitStack() as stack:
        tables = [stack.enter_context(table_of(loaded, "tables", "double_buffer")) for _ in "01"]
        for index, table in enumerate(tables):
            loaded.maps["tables"][index] = table
        frame = ip4(6, tcp_segment())
        assert verdicts(loaded, "double_buffer", frame, frame) == [PASS, PASS]
        loaded.variables["active"].value = 1
        assert verdicts(loaded, "double_buffer", frame) == [PASS]
        counts = [int.from_bytes(t.lookup(b"\6"), "little") for t in tables]
    assert counts == [2, 1]
