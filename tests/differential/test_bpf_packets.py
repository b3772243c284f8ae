"""Parsers and builders of packets, held to an independent implementation (scapy) and to random and
broken packets: the same functions on XDP on the machine, on XDP and on TC in the kernel."""

import os
import random
import struct

import pytest

pytest.importorskip("scapy.all", reason="scapy is not installed")

from scapy import all as net
from scapy.contrib.geneve import GENEVE, GeneveOptions
from scapy.layers import sctp
from scapy.layers.vxlan import VXLAN

from ebee import linux
from ebee.lang.bpf import build
from ebee.lang.source import define
from ebee.linux.errors import older_than
from ebee.machine.machine import Machine

pytestmark = pytest.mark.differential

NEW = pytest.mark.skipif(older_than("6.12"), reason="the verifier before Linux 6.12 loses track")

HEAD = """
from ebee import *

@struct
class Out:
    n: array[u32, Literal[8]]
    name: DnsName

out = Array[Out](max_entries=1)
"""
TAIL = """

@{hook}
def program(ctx: {context}) -> u32:
    place = out.lookup(0)
    if place is None:
        return 99
    return look(ctx, place)
"""
CONTEXTS = {"xdp": "XdpContext", "tc": "SkbContext"}
WAYS = [("machine", "xdp"), ("kernel", "xdp"), ("kernel", "tc")]
GOOD, BAD = 7, 8
LEAST = {b"\x08\0": 34, b"\x86\xdd": 54}
"""Bytes of a frame that the kernel runs TC programs on, by EtherType."""
MACS = bytes.fromhex("020000000001020000000002")


class Ways:
    """A function `look(ctx, out)` everywhere."""

    def __init__(self, text, hooks=("xdp", "tc")):
        self.opened, self.loaded = [], []
        for backend, hook in WAYS:
            if hook not in hooks or (backend == "kernel" and os.geteuid()):
                continue
            source = HEAD + text.replace("CTX", CONTEXTS[hook])
            source += TAIL.format(hook=hook, context=CONTEXTS[hook])
            spec = build.compile(define("from typing import Literal\n" + source)["program"])
            if backend == "machine":
                self.opened.append(machine := Machine())
                self.loaded.append((backend, hook, machine.load(spec)))
            else:
                made = linux.load(spec)
                self.opened.append(made)
                self.loaded.append((backend, hook, made))

    def __call__(self, frame):
        """What all give: (retval, numbers, name, packet)."""
        seen = []
        for backend, hook, made in self.loaded:
            if hook == "tc" and len(frame) < LEAST.get(frame[12:14], 15):
                continue  # the kernel runs TC programs only on frames with something in them
            made.maps["out"][0] = {}
            done = made.programs["program"].test_run(frame)
            out = made.maps["out"][0]
            seen.append((done.retval, list(out["n"]), out["name"]["text"], bytes(done.data)))
            assert seen[-1] == seen[0], (backend, hook, frame.hex())
        return seen[0]

    def close(self):
        for thing in self.opened:
            thing.close()


@pytest.fixture
def ways():
    made = []

    def make(text, hooks=("xdp", "tc")):
        made.append(Ways(text, hooks))
        return made[-1]

    yield make
    for one in made:
        one.close()


def ethernet(kind, payload=b""):
    return MACS + struct.pack("!H", kind) + bytes(payload)


def below(text):
    """A function that looks at what is behind the Ethernet header."""
    return f"""
@func
def look(ctx: CTX, out: ptr[Out]) -> u32:
    packet = ctx.packet()
    eth = packet.parse(Ethernet)
    if eth is None:
        return 98
{text.strip(chr(10))}
"""


# --- parsers -------------------------------------------------------------------------------------

VLANS = """
    tags = VlanTags()
    if not read_vlan_tags(packet, eth.type, tags):
        return 8
    for i in range(4):
        out.n[i] = u32(tags.tci[i])
    out.n[4] = u32(tags.count)
    out.n[5] = u32(tags.type)
    out.n[6] = packet.remaining()
    return 7
"""


def test_stacks_of_vlan_tags(ways):
    look = ways(below(VLANS))
    r = random.Random(1)
    for count in range(6):
        frame = net.Ether(dst="02:00:00:00:00:01", src="02:00:00:00:00:02")
        tcis = []
        for _ in range(count):
            tag = {"prio": r.randrange(8), "vlan": r.randrange(4096)}
            frame /= r.choice([net.Dot1Q, net.Dot1AD])(**tag)
            tcis.append(tag["prio"] << 13 | tag["vlan"])
        frame = bytes(frame / net.IP() / net.UDP())
        verdict, found, _, _ = look(frame)
        assert verdict == (GOOD if count <= 4 else BAD)
        if count <= 4:
            assert found[:7] == [*tcis, *[0] * (4 - count), count, 0x800, 28]
            for cut in range(14, 14 + 4 * count):
                assert look(frame[:cut])[0] == BAD


EXTENSIONS = """
    ip = packet.parse(IPv6)
    if ip is None:
        return 97
    chain = IPv6Chain()
    if not read_ipv6_extensions(packet, ip.next_header, chain):
        return 8
    out.n[0] = u32(chain.protocol)
    out.n[1] = u32(chain.count)
    out.n[2] = u32(chain.fragment)
    out.n[3] = chain.offset
    out.n[4] = u32(chain.more)
    out.n[5] = chain.id
    out.n[6] = packet.remaining()
    return 7
"""


def chain(r, count):
    """Extension headers by scapy: (layers, protocol number of each, of a fragment what is in it)"""
    layers, kinds, part = [], [], None
    for _ in range(count):
        kind = r.choice([0, 43, 44, 51, 60])
        if kind == 44 and part is not None:
            kind = 60
        if kind == 0:
            layers.append(net.IPv6ExtHdrHopByHop(options=[net.PadN(optdata=r.randbytes(12))]))
        elif kind == 43:
            addresses = ["2001:db8::1"] * r.randrange(4)
            layers.append(net.IPv6ExtHdrRouting(type=0, addresses=addresses))
        elif kind == 44:
            part = (0, r.randrange(2), r.getrandbits(32))
            layers.append(net.IPv6ExtHdrFragment(offset=part[0], m=part[1], id=part[2]))
        elif kind == 51:
            icv = r.randbytes(4 * r.randrange(1, 5))
            layers.append(net.AH(spi=1, seq=2, payloadlen=1 + len(icv) // 4, icv=icv))
        else:
            layers.append(net.IPv6ExtHdrDestOpt(options=[net.PadN(optdata=bytes(4))]))
        kinds.append(kind)
    for layer, following in zip(layers, [*kinds[1:], 17], strict=False):
        layer.nh = following
    return layers, kinds, part


def test_chains_of_ipv6_extensions(ways):
    look = ways(below(EXTENSIONS))
    r = random.Random(2)
    for count in [*range(10), *[r.randrange(1, 9) for _ in range(40)]]:
        layers, kinds, part = chain(r, count)
        packet = net.IPv6(src="2001:db8::1", dst="2001:db8::2", nh=[*kinds, 17][0])
        for layer in layers:
            packet /= layer
        frame = ethernet(0x86DD, bytes(packet / net.UDP(sport=1, dport=2)))
        verdict, found, _, _ = look(frame)
        if count > 8:
            assert verdict == BAD
            continue
        assert (verdict, found[0], found[1]) == (GOOD, 17, count), kinds
        assert found[2:6] == ([1, *part] if part else [0] * 4)
        assert found[6] == 8
        for cut in r.sample(range(54, len(frame) - 8), min(5, len(frame) - 62)):
            assert look(frame[:cut])[0] == BAD


def test_later_fragments_and_ends_of_chains(ways):
    look = ways(below(EXTENSIONS))
    packet = net.IPv6() / net.IPv6ExtHdrFragment(offset=185, m=1, id=77, nh=60) / bytes(40)
    verdict, found, _, _ = look(ethernet(0x86DD, bytes(packet)))
    assert (verdict, found[:6]) == (GOOD, [60, 1, 1, 1480, 1, 77])
    for last in (59, 50, 58, 132):  # nothing, ESP, ICMPv6, SCTP: no chain goes on there
        verdict, found, _, _ = look(ethernet(0x86DD, bytes(net.IPv6(nh=last)) + bytes(9)))
        assert (verdict, found[0], found[1], found[6]) == (GOOD, last, 0, 9)


IPV4_OPTIONS = """
    ip = packet.parse(IPv4)
    if ip is None:
        return 97
    options = IPv4Options()
    if not read_ipv4_options(packet, ip, options):
        return 8
    out.n[0] = options.kinds
    out.n[1] = options.count
    out.n[2] = packet.remaining()
    return 7
"""


def expected_ipv4_options(data):
    """(kinds, count) by the book; None where an option leaves the header."""
    kinds = count = at = 0
    while at < len(data):
        if data[at] == 0:
            break
        if data[at] == 1:
            at += 1
            continue
        if at + 1 >= len(data) or data[at + 1] < 2 or at + data[at + 1] > len(data):
            return None
        kinds |= 1 << (data[at] & 31)
        count += 1
        at += data[at + 1]
    return kinds, count


def test_options_of_ipv4(ways):
    look = ways(below(IPV4_OPTIONS))
    r = random.Random(3)
    known = [
        net.IPOption_NOP(), net.IPOption_RR(routers=["192.0.2.1"] * 3), net.IPOption_Router_Alert(),
        net.IPOption_LSRR(routers=["192.0.2.9"]), net.IPOption_SSRR(routers=["192.0.2.9"]),
        net.IPOption_Timestamp(), net.IPOption_EOL(),
    ]  # fmt: skip
    rows = [b""]
    for _ in range(60):
        whole = b"".join(bytes(r.choice(known)) for _ in range(r.randrange(1, 5)))[:40]
        if r.random() < 0.5:
            whole = bytes(b if r.random() < 0.9 else r.randrange(256) for b in whole)
        rows.append(whole.ljust(-(-len(whole) // 4) * 4, b"\0"))
    for options in rows:
        head = bytes(net.IP(ihl=5 + len(options) // 4, len=20 + len(options) + 6))[:20]
        verdict, found, _, _ = look(ethernet(0x800, head + options + bytes(6)))
        want = expected_ipv4_options(options)
        assert verdict == (BAD if want is None else GOOD), options.hex()
        if want is not None:
            assert (tuple(found[:2]), found[2]) == (want, 6)
    for ihl, rest in ((4, 40), (0, 40), (15, 39), (6, 3)):
        head = bytes([0x40 | ihl, *bytes(net.IP(len=200))[1:20]])
        assert look(ethernet(0x800, head + bytes(rest)))[0] == 97


GRE_READ = """
    fields = GreFields()
    if not read_gre(packet, fields):
        return 8
    out.n[0] = u32(fields.protocol)
    out.n[1] = u32(fields.checksum)
    out.n[2] = fields.key
    out.n[3] = fields.sequence
    out.n[4] = fields.size
    out.n[5] = packet.remaining()
    again = ctx.packet()
    if not again.skip(14):
        return 96
    out.n[6] = u32(0) if again.parse(GRE) is None else 1 + again.remaining()
    return 7
"""


def test_all_flags_of_gre(ways):
    look = ways(below(GRE_READ))
    for flags in range(8):
        checksum, key, sequence = (flags >> i & 1 for i in range(3))
        numbers = {}
        if key:
            numbers |= {"key_present": 1, "key": 0x1A2B3C4D}
        if sequence:
            numbers |= {"seqnum_present": 1, "sequence_number": 77}
        if checksum:
            numbers |= {"chksum_present": 1}
        wire = bytes(net.GRE(proto=0x800, **numbers) / b"payload")
        size = 4 + 4 * (checksum + key + sequence)
        verdict, found, _, _ = look(ethernet(0x800, wire))
        assert verdict == GOOD
        want = net.GRE(wire)
        assert found == [
            0x800, (want.chksum or 0) if checksum else 0, 0x1A2B3C4D * key, 77 * sequence, size, 7,
            8, 0,
        ]  # fmt: skip
        for cut in range(size):
            assert look(ethernet(0x800, wire[:cut]))[0] == BAD
    for bits, ok in ((0x4000, False), (1, False), (7, False), (0x0800, True), (0x00F8, True)):
        assert look(ethernet(0x800, struct.pack("!HH", bits, 0x800)))[0] == (GOOD if ok else BAD)


GENEVE_FIND = """
    geneve = packet.take(Geneve)
    if geneve is None:
        return 97
    option = find_geneve_option(packet, geneve, 0x0102, 0x80)
    if option is None:
        return 8
    out.n[0] = u32(option.length & 31) * 4
    data = packet.take(Word)
    if data is not None:
        out.n[1] = data.value
    out.n[2] = geneve.vni
    again = ctx.packet()
    if not again.skip(14):
        return 96
    out.n[3] = u32(0) if again.parse(Geneve) is None else 1 + again.remaining()
    return 7
"""
WORD = """
@struct
class Word:
    value: be32
"""


def test_options_of_geneve(ways):
    look = ways(WORD + below(GENEVE_FIND))
    r = random.Random(4)

    def option(known, size):
        kind = (0x0102, 0x80) if known else (r.choice([0x0102, 0x103]), r.choice([1, 0x81]))
        return GeneveOptions(classid=kind[0], type=kind[1], data=r.randbytes(4 * size))

    for _ in range(60):
        options = [option(False, r.randrange(8)) for _ in range(r.randrange(5))]
        place = r.randrange(len(options) + 1) if r.random() < 0.7 else None
        if place is not None:
            options.insert(place, option(True, r.randrange(1, 4)))
        wire = bytes(GENEVE(vni=0x123456, proto=0x6558, options=options) / bytes(9))
        verdict, found, _, _ = look(ethernet(0x800, wire))
        assert verdict == (BAD if place is None else GOOD)
        if place is not None:
            data = bytes(options[place])[4:]
            assert found[:4] == [len(data), int.from_bytes(data[:4], "big"), 0x123456, 10]
            before = 8 + sum(len(bytes(o)) for o in options[:place])
            for cut in range(8, before + 4, 3):
                assert look(ethernet(0x800, wire[:cut]))[0] == BAD
    many = [GeneveOptions(classid=1, type=1, data=b"")] * 62
    last = bytes(GENEVE(options=[*many, GeneveOptions(classid=0x0102, type=0x80, data=b"")]))
    assert look(ethernet(0x800, last + bytes(4)))[0] == GOOD
    longer = struct.pack("!BBHI", 1, 0, 0x6558, 0) + struct.pack("!HBB", 0x0102, 0x80, 1) + bytes(8)
    assert look(ethernet(0x800, longer))[0] == BAD  # the option is longer than all options


SCTP_READ = """
    head = packet.parse(SCTP)
    if head is None:
        return 97
    chunks = SctpChunks()
    if not read_sctp_chunks(packet, chunks):
        return 8
    out.n[0] = u32(chunks.count)
    out.n[1] = u32(chunks.first)
    out.n[2] = chunks.kinds
    out.n[3] = chunks.data
    out.n[4] = head.tag
    out.n[5] = u32(chunks.kinds >> SctpType.ABORT & 1)
    return 7
"""


def test_chunks_of_sctp(ways):
    look = ways(below(SCTP_READ))
    r = random.Random(5)
    makers = [
        lambda: sctp.SCTPChunkData(data=r.randbytes(r.randrange(1, 60))), sctp.SCTPChunkInit,
        sctp.SCTPChunkSACK, sctp.SCTPChunkAbort,
        lambda: sctp.SCTPChunkCookieEcho(cookie=r.randbytes(r.randrange(1, 9))),
    ]  # fmt: skip
    for _ in range(60):
        chunks = [r.choice(makers)() for _ in range(r.randrange(1, 8))]
        wire = bytes(sctp.SCTP(sport=1, dport=2, tag=0xABCDEF01))
        wire += b"".join(bytes(c) for c in chunks)
        verdict, found, _, _ = look(ethernet(0x800, wire))
        kinds = [bytes(c)[0] for c in chunks]
        data = sum(len(c.data) for c in chunks if isinstance(c, sctp.SCTPChunkData))
        mask = sum(1 << k for k in set(kinds))
        want = [len(chunks), kinds[0], mask, data, 0xABCDEF01, int(6 in kinds)]
        assert (verdict, found[:6]) == (GOOD, want)
        start = 12
        for chunk in chunks:
            length = int.from_bytes(bytes(chunk)[2:4], "big")
            cut = start + r.randrange(1, length)
            assert look(ethernet(0x800, wire[:cut]))[0] == BAD
            start += len(bytes(chunk))
        last = len(bytes(chunks[-1])) - int.from_bytes(bytes(chunks[-1])[2:4], "big")
        assert look(ethernet(0x800, wire[: len(wire) - last]))[0] == GOOD  # its padding is missing
    head = bytes(12)
    assert look(ethernet(0x800, head))[0] == BAD
    for length in (0, 3, 5, 0xFFFF):
        assert look(ethernet(0x800, head + struct.pack("!BBH", 3, 0, length)))[0] == BAD
    for count in (64, 65):
        many = head + struct.pack("!BBH", 3, 0, 4) * count
        assert look(ethernet(0x800, many))[0] == (GOOD if count == 64 else BAD)


DNS_READ = """
    message = ctx.packet()
    if not message.skip(14):
        return 97
    dns = packet.parse(DNS)
    if dns is None or not packet.skip(SKIP):
        return 97
    if not read_dns_name_in(message, packet, out.name):
        return 8
    out.n[0] = u32(out.name.length)
    out.n[1] = packet.remaining()
    return 7
"""


def expected_name(message, at):
    """The name at a place of a message, and where it ends; None where it is none."""
    labels, behind, row = [], None, 0
    while True:
        if at >= len(message) or at > 0x3FFF:
            return None
        size = message[at]
        if size >= 0xC0:
            if at + 1 >= len(message) or (row := row + 1) > 4:
                return None
            behind = behind or at + 2
            at = (size & 63) << 8 | message[at + 1]
            continue
        row = 0
        if size > 63 or at + size >= len(message):
            return None
        if size == 0:
            text = b".".join(labels)
            return (text, behind or at + 1) if len(text) <= 62 else None
        labels.append(message[at + 1 : at + 1 + size])
        at += 1 + size
        if sum(map(len, labels)) > 64:
            return None


def raw(text):
    """Text of a record: str, or bytes where it is not UTF-8."""
    return text.encode() if isinstance(text, str) else text


@NEW
def test_compressed_names_of_dns(ways):
    """Messages of scapy with names in answers that point into the question, and broken ones."""
    name, other = b"www.example.org", b"mail.example.org"
    question = net.DNS(id=1, qr=1, qd=net.DNSQR(qname=name))
    tails = [
        b"\xc0\x0c", b"\4mail\xc0\x10", b"\0", b"\1a\xc0\x19", b"\xc0\xff", b"\xc0", b"",
        b"\x40a", b"\x80", b"\4mai", b"\xc0\x21", b"\x3f" + b"x" * 62, b"\x3d" + b"x" * 61 + b"\0",
        b"\x3e" + b"y" * 62 + b"\0", b"\x3f" + b"z" * 63 + b"\0",
    ]  # fmt: skip
    start = bytes(question)
    skip = len(start) - 12
    look = ways(below(DNS_READ.replace("SKIP", str(skip))))
    r = random.Random(6)
    letters = bytes([0, 0, 1, 1, 2, 3, 97, 98, 0xC0, 0xC0, 12, 16, 20, 24, 0xFF])
    tails += [bytes(r.choice(letters) for _ in range(r.randrange(1, 40))) for _ in range(300)]
    found = 0
    for tail in tails:
        message = start + tail
        verdict, numbers, text, _ = look(ethernet(0x800, message))
        want = expected_name(message, len(start))
        assert verdict == (BAD if want is None else GOOD), tail.hex()
        if want is not None:
            found += 1
            assert raw(text).split(b"\0")[0] == want[0].split(b"\0")[0], (
                tail.hex()
            )  # text ends at a zero byte
            assert numbers[0] == len(want[0])
            assert numbers[1] == len(message) - want[1]
    assert found > 40
    answer = net.DNS(bytes(net.dns_compress(net.DNS(
        id=1, qr=1, qd=net.DNSQR(qname=name), an=net.DNSRR(rrname=other, rdata="192.0.2.1"),
    ))))  # fmt: skip
    assert look(ethernet(0x800, bytes(answer)))[2] == other.decode()


@NEW
def test_pointers_to_pointers_are_followed_four_times(ways):
    look = ways(below(DNS_READ.replace("SKIP", "13")))
    names = b"\1a\0" + struct.pack("!5H", *(0xC000 | at for at in (12, 15, 17, 19, 21)))
    for place, count in ((19, 4), (21, 5)):
        frame = bytes(12) + names + struct.pack("!H", 0xC000 | place)
        want = expected_name(frame, 25)
        assert (want is None) == (count > 4)
        assert look(ethernet(0x800, frame))[0] == (GOOD if count == 4 else BAD)


PARSED = {
    "ARP": (
        0x806, lambda r: net.ARP(op=r.choice([1, 2]), psrc="192.0.2.1", pdst="192.0.2.9"),
        "u32(h.operation), h.sender_ip, h.target_ip",
        lambda p: [p.op, 0xC0000201, 0xC0000209], 28,
    ),
    "IPv4": (
        0x800, lambda r: net.IP(id=r.randrange(65536), tos=5, ttl=9, flags="DF", src="192.0.2.1"),
        "u32(h.id), u32(h.ttl), u32(h.flags_offset), h.source",
        lambda p: [p.id, 9, 0x4000, 0xC0000201], 20,
    ),
    "IPv6": (
        0x86DD, lambda r: net.IPv6(tc=1, fl=r.randrange(1 << 20), nh=6, hlim=3, plen=0),
        "h.version_class & 0xfffff, u32(h.next_header), u32(h.hop_limit)",
        lambda p: [p.fl, 6, 3], 40,
    ),
    "TCP": (
        0x800, lambda r: net.TCP(sport=1, dport=r.randrange(65536), seq=3, ack=4, flags="SA"),
        "u32(h.destination), h.sequence, h.acknowledgement, u32(h.offset_flags)",
        lambda p: [p.dport, 3, 4, 0x5012], 20,
    ),
    "UDP": (
        0x800, lambda r: net.UDP(sport=r.randrange(65536), dport=2, len=8, chksum=5),
        "u32(h.source), u32(h.destination), u32(h.length), u32(h.checksum)",
        lambda p: [p.sport, 2, 8, 5], 8,
    ),
    "ICMP": (
        0x800, lambda r: net.ICMP(type=8, id=r.randrange(65536), seq=7, chksum=9),
        "u32(h.type), u32(h.checksum), h.rest", lambda p: [8, 9, p.id << 16 | 7], 8,
    ),
    "ICMPv6": (
        0x86DD, lambda r: net.ICMPv6EchoRequest(id=r.randrange(65536), seq=7, cksum=9),
        "u32(h.type), u32(h.checksum), h.rest", lambda p: [128, 9, p.id << 16 | 7], 8,
    ),
    "SCTP": (
        0x800, lambda r: sctp.SCTP(sport=1, dport=2, tag=r.getrandbits(32), chksum=1),
        "u32(h.source), u32(h.destination), h.tag", lambda p: [1, 2, p.tag], 12,
    ),
    "VXLAN": (
        0x800, lambda r: VXLAN(vni=r.getrandbits(24), flags=8),
        "h.vni, h.flags", lambda p: [p.vni, 8 << 24], 8,
    ),
    "Geneve": (
        0x800, lambda r: GENEVE(vni=r.getrandbits(24), proto=0x6558),
        "h.vni, u32(h.protocol)", lambda p: [p.vni, 0x6558], 8,
    ),
    "DNS": (
        0x800, lambda r: net.DNS(id=r.randrange(65536), qr=1, qd=[]),
        "u32(h.id), u32(h.is_response), u32(h.questions)", lambda p: [p.id, 1, 0], 12,
    ),
}  # fmt: skip


@pytest.mark.parametrize("header", PARSED)
def test_headers_are_those_of_scapy(header, ways):
    kind, make, values, want, size = PARSED[header]
    stores = "".join(f"    out.n[{i}] = {v}\n" for i, v in enumerate(values.split(", ")))
    look = ways(
        below(f"""
    h = packet.parse({header})
    if h is None:
        return 8
{stores}
    return 7
""")
    )
    r = random.Random(header)
    for _ in range(10):
        made = make(r)
        wire = bytes(made)
        verdict, found, _, _ = look(ethernet(kind, wire))
        expected = want(made)
        assert (verdict, found[: len(expected)]) == (GOOD, expected)
    for cut in range(size):
        assert look(ethernet(kind, wire[:cut]))[0] == BAD


@pytest.mark.parametrize(
    ("at", "value"), [(1, 6), (2, 8), (4, 5), (5, 6), (3, 1)], ids=lambda v: str(v)
)
def test_arp_of_other_networks_is_refused(at, value, ways):
    look = ways(below("    return 8 if packet.parse(ARP) is None else 7"))
    wire = bytearray(bytes(net.ARP()))
    assert look(ethernet(0x806, bytes(wire)))[0] == GOOD
    wire[at] = value
    assert look(ethernet(0x806, bytes(wire)))[0] == (BAD if wire != bytes(net.ARP()) else GOOD)


# --- builders ------------------------------------------------------------------------------------

SUMS = """
@func
def look(ctx: CTX, out: ptr[Out]) -> u32:
    packet = ctx.packet()
    eth = packet.parse(Ethernet)
    if eth is None:
        return 98
    pseudo = u64(0)
    if eth.type == ETH_IP:
        ip = packet.parse(IPv4)
        if ip is None:
            return 97
        length = u32(ip.total_length) - u32(ip.version_ihl & 15) * 4
        pseudo = pseudo_sum4(ip, length)
        protocol = ip.protocol
        head = ctx.packet()
        if not head.skip(14):
            return 97
        out.n[1] = u32(fold_checksum(sum_bytes(head, u32(ip.version_ihl & 15) * 4)))
    else:
        ip6 = packet.parse(IPv6)
        if ip6 is None:
            return 97
        length = u32(ip6.payload_length)
        pseudo = pseudo_sum6(ip6, ip6.next_header, length)
        protocol = ip6.next_header
    if protocol == ICMP_PROTOCOL:
        pseudo = u64(0)
    out.n[0] = u32(fold_checksum(pseudo + sum_bytes(packet, length)))
    out.n[2] = packet.remaining()
    return 7
"""


@NEW  # three sums in one program: older verifiers need more steps than they take
def test_checksums_of_whole_packets(ways):
    """Over a packet with a right checksum it is 0; scapy fills them in. Padding does not count."""
    look = ways(SUMS)
    r = random.Random(7)
    for size in [0, 1, 2, 3, 63, 64, 65, 127, 1301, *[r.randrange(1400) for _ in range(20)]]:
        data = net.Raw(r.randbytes(size))
        option = [net.IPOption_Router_Alert()] * r.randrange(3)
        four = net.IP(src="192.0.2.1", dst="198.51.100.255", options=option)
        six = net.IPv6(src="2001:db8::ffff", dst="2001:db8:ffff::1")
        wrong = r.randrange(1, 0xFFFF)
        for whole in (
            four / net.TCP(dport=80) / data, four / net.UDP() / data, six / net.TCP() / data,
            four / net.ICMP() / data, six / net.UDP() / data,
            six / net.ICMPv6EchoRequest(data=data.load),
        ):  # fmt: skip
            kind = 0x800 if whole.version == 4 else 0x86DD
            wire = bytes(whole)
            verdict, found, _, _ = look(ethernet(kind, wire + bytes([1, 2, 3])))
            assert (verdict, found[0], found[2]) == (GOOD, 0, 3), wire.hex()
            assert kind != 0x800 or found[1] == 0
            if size == 1301:
                at = len(wire) - 100
                word = int.from_bytes(wire[at : at + 2], "big") ^ wrong
                broken = wire[:at] + struct.pack("!H", word) + wire[at + 2 :]
                assert look(ethernet(kind, broken))[1][0] != 0


def test_a_sum_of_a_packet_of_all_sizes_is_that_of_the_book(ways):
    look = ways(below("    out.n[0] = u32(fold_checksum(sum_bytes(packet, 9999)))\n    return 7"))
    r = random.Random(8)
    for size in (1, 2, 3, 5, 64, 1000, 3000):
        data = r.randbytes(size)
        found = look(ethernet(0x88B5, data))[1]
        assert found[0] == net.checksum(data)


GRE_WRITE = """
@struct
class Given:
    flags: be16
    protocol: be16
    key: be32
    sequence: be32


@func
def look(ctx: CTX, out: ptr[Out]) -> u32:
    packet = ctx.packet()
    if not packet.skip(34):
        return 98
    given = packet.take(Given)
    if given is None:
        return 98
    fields = GreFields(flags=given.flags, protocol=given.protocol, key=given.key)
    fields.sequence = given.sequence
    size = 20 + fields.size
    pushed = False
    for one in (24, 28, 32, 36):
        if size == one:
            pushed = ctx.push(one)
    if not pushed:
        return 97
    packet = ctx.packet()
    eth = packet.take(Ethernet)
    outer = packet.take(IPv4)
    if eth is None or outer is None:
        return 96
    outer[0] = IPv4(version_ihl=0x45, ttl=64, protocol=GRE_PROTOCOL, source=0xC0000201)
    if not write_gre(packet, fields):
        return 95
    out.n[0] = fields.size
    if not fields.flags & GreFlags.CHECKSUM:
        return 7
    whole = ctx.packet()
    if not whole.skip(34):
        return 94
    fields.checksum = fold_checksum(sum_bytes(whole, 9999))
    whole = ctx.packet()
    if not whole.skip(34) or not write_gre(whole, fields):
        return 93
    return 7
"""


def test_gre_of_all_flags_is_built_in_front_of_a_packet(ways):
    build_ = ways(GRE_WRITE)
    inner = bytes(net.IP(src="192.0.2.1", dst="192.0.2.2", proto=99))
    for flags in range(8):
        checksum, key, sequence = (flags >> i & 1 for i in range(3))
        bits = checksum << 15 | key << 13 | sequence << 12
        given = struct.pack("!HHII", bits, 0x800, 0xAABBCCDD, 77)
        verdict, found, _, data = build_(ethernet(0x800, inner + given + b"xyz"))
        size = 4 + 4 * (checksum + key + sequence)
        assert (verdict, found[0]) == (GOOD, size)
        made = net.GRE(data[34:])
        assert (made.chksum_present, made.key_present, made.seqnum_present) == (
            checksum, key, sequence,
        )  # fmt: skip
        assert made.proto == 0x800
        assert not key or made.key == 0xAABBCCDD
        assert not sequence or made.sequence_number == 77
        assert not checksum or net.checksum(data[34:]) == 0
        assert net.IP(data[14:34]).proto == 47


BUILT = {
    "a stack of VLAN tags": (
        8, """
    eth.type = u16(ETH_QINQ)
    outer = packet.take(Vlan)
    inner = packet.take(Vlan)
    if outer is None or inner is None:
        return 96
    outer[0] = Vlan(tci=100, type=ETH_VLAN)
    inner[0] = Vlan(tci=3 << 13 | 7, type=ETH_IP)
""", net.Dot1AD(vlan=100) / net.Dot1Q(vlan=7, prio=3), 0x88A8),
    "IP in IP": (
        20, """
    ip = packet.take(IPv4)
    if ip is None:
        return 96
    made = IPv4(version_ihl=0x45, id=9, ttl=64, protocol=IPIP_PROTOCOL, source=0xC0000201)
    made.total_length = 20 + packet.remaining()
    made.destination = 0xC6336401
    made.checksum = ipv4_checksum(made)
    ip[0] = made
""", net.IP(id=9, src="192.0.2.1", dst="198.51.100.1", proto=4), 0x800),
    "VXLAN": (
        50, """
    ip = packet.take(IPv4)
    udp = packet.take(UDP)
    vxlan = packet.take(VXLAN)
    inner = packet.take(Ethernet)
    if ip is None or udp is None or vxlan is None or inner is None:
        return 96
    inner[0] = Ethernet(type=ETH_IP)
    length = packet.remaining()
    ip[0] = IPv4(version_ihl=0x45, ttl=64, protocol=UDP_PROTOCOL, total_length=50 + length, id=1)
    ip.source, ip.destination = u32(0xC0000201), u32(0xC0000202)
    ip.checksum = ipv4_checksum(ip)
    udp[0] = UDP(source=5, destination=VXLAN_PORT, length=30 + length)
    vxlan[0] = VXLAN(flags=8 << 24, network=42 << 8)
""", net.IP(src="192.0.2.1", dst="192.0.2.2") / net.UDP(sport=5, dport=4789, chksum=0)
        / VXLAN(vni=42, flags=8) / net.Ether(dst="00:00:00:00:00:00", src="00:00:00:00:00:00"),
        0x800),
    "Geneve with an option": (
        44, """
    ip = packet.take(IPv4)
    udp = packet.take(UDP)
    geneve = packet.take(Geneve)
    option = packet.take(GeneveOption)
    data = packet.take(Word)
    if ip is None or udp is None or geneve is None or option is None or data is None:
        return 96
    length = packet.remaining()
    ip[0] = IPv4(version_ihl=0x45, ttl=64, protocol=UDP_PROTOCOL, total_length=44 + length, id=1)
    ip.source, ip.destination = u32(0xC0000201), u32(0xC0000202)
    ip.checksum = ipv4_checksum(ip)
    udp[0] = UDP(source=5, destination=GENEVE_PORT, length=24 + length)
    geneve[0] = Geneve(version_length=2, protocol=ETH_IP, network=42 << 8)
    option[0] = GeneveOption(option_class=0x0102, type=0x80, length=1)
    data.value = 0xDEADBEEF
""", net.IP(src="192.0.2.1", dst="192.0.2.2") / net.UDP(sport=5, dport=6081, chksum=0)
        / GENEVE(vni=42, proto=0x800,
                 options=[GeneveOptions(classid=0x0102, type=0x80, data=b"\xde\xad\xbe\xef")]),
        0x800),
}  # fmt: skip


@pytest.mark.parametrize("what", BUILT)
def test_headers_are_built_as_scapy_does(what, ways):
    """Pushed in front of an IPv4 packet; then popped again."""
    size, text, layers, kind = BUILT[what]
    body = f"""
    if not ctx.push({size}):
        return 97
    packet = ctx.packet()
    eth = packet.take(Ethernet)
    if eth is None:
        return 98
{text}
    return 7
"""
    inner = net.IP(src="203.0.113.1", dst="203.0.113.2", id=1) / net.UDP(sport=1, dport=2) / b"data"
    frame = ethernet(0x800, bytes(inner))
    verdict, _, _, data = ways(WORD + below(body))(frame)
    assert verdict == GOOD
    assert data == ethernet(kind, bytes(layers / inner))
    pop = f"    if not ctx.pop({size}):\n        return 97\n    return 7"
    if kind == 0x800:  # the kernel takes room from IP packets only
        assert ways(below(pop))(data)[3] == frame


LATE = {
    "one test": """
    a, b, c = packet.take(Word), packet.take(Word), packet.take(IPv6)
    d, e = packet.take(UDP), packet.take(Word)
    if a is None or b is None or c is None or d is None or e is None:
        return 8
    out.n[0], out.n[1], out.n[2] = a.value, b.value, u32(c.next_header)
    out.n[3], e.value = u32(d.length), d.checksum
    return 7
""",
    "in another order": """
    a, b, c, d = packet.take(Word), packet.take(IPv4), packet.take(Word), packet.take(Word)
    if not d or not a or not c or not b:
        return 8
    b[0] = IPv4(ttl=u8(a.value), source=c.value, destination=d.value)
    return 7
""",
    "one by one": """
    a, b, c = packet.take(Word), last(packet), last(packet)
    if b is None:
        return 1
    if a is None:
        return 2
    if c is None:
        return 3
    out.n[0], c.value = a.value, b.value
    return 7
""",
    "parsed and skipped": """
    a, b, c = packet.parse(IPv6), packet.take(Word), packet.parse(IPv6)
    enough = packet.skip(3)
    d = last(packet)
    if b is None or a is None or not enough or d is None:
        return 8
    out.n[0], out.n[1], out.n[2] = a.version_class, b.value, d.value
    if c is None:
        return 9
    out.n[3] = c.version_class
    return 7
""",
    "only when asked for": """
    a, b, c = packet.take(Word), packet.take(IPv6), packet.take(Word)
    out.n[0] = u32(1 if a is None else 2) + (u32(10) if b else u32(20))
    if c is not None:
        out.n[1] = c.value
        if a is not None and b is not None:
            out.n[2], b.next_header = a.value, 4
    return 7
""",
}
LAST = """
@func
def last(p: Packet) -> Word | None:
    return p.take(Word)
"""


@pytest.mark.parametrize("what", LATE)
def test_headers_may_be_tested_after_all_are_taken(what, ways):
    """The verifier follows each test, however far behind what it is of."""
    look = ways(WORD + LAST + below(LATE[what]))
    r = random.Random(what)
    for size in range(120):
        whole = bytearray(r.randbytes(size))
        for at in (0, 44):
            whole[at : at + 1] = b"\x60"[: size - at] if r.random() < 0.7 and size > at else b""
        look(ethernet(0x88B5, whole))


IN_PLACE = {
    "an ARP reply": (0x806, "ARP", """
    here.operation = u16(ARP_REPLY)
    here.sender_ip, here.target_ip = here.target_ip, here.sender_ip
    here.target = here.sender
    for i in range(6):
        here.sender[i] = u8(i + 1)
""", net.ARP(op=1, hwsrc="0a:0b:0c:0d:0e:0f", psrc="192.0.2.1", pdst="192.0.2.9"),
        net.ARP(op=2, hwsrc="01:02:03:04:05:06", psrc="192.0.2.9", hwdst="0a:0b:0c:0d:0e:0f",
                pdst="192.0.2.1")),
    "TCP": (0x88B5, "TCP", """
    here[0] = TCP(source=1, destination=2, sequence=3, acknowledgement=4, offset_flags=0x5012)
    here.window = 5
    here.checksum = 6
""", net.Raw(bytes(20)), net.TCP(sport=1, dport=2, seq=3, ack=4, flags="SA", window=5, chksum=6)),
    "SCTP": (0x88B5, "SCTP", """
    here[0] = SCTP(source=1, destination=2, tag=3, checksum=0x01020304)
    chunk = packet.take(SctpChunk)
    if chunk is None:
        return 96
    chunk[0] = SctpChunk(type=SctpType.COOKIE_ACK, length=4)
""", net.Raw(bytes(16)), sctp.SCTP(sport=1, dport=2, tag=3, chksum=0x04030201)
            / sctp.SCTPChunkCookieAck()),
    "ICMPv6": (0x88B5, "ICMPv6", """
    here[0] = ICMPv6(type=129, checksum=5, rest=7 << 16 | 9)
""", net.Raw(bytes(8)), net.ICMPv6EchoReply(cksum=5, id=7, seq=9)),
    "an IPv6 fragment": (0x88B5, "IPv6", """
    here[0] = IPv6(version_class=6 << 28, payload_length=8, next_header=FRAGMENT_HEADER)
    here.hop_limit = 64
    here.source[15], here.destination[15] = u8(1), u8(1)
    part = packet.take(IPv6Extension)
    if part is None:
        return 96
    part[0] = IPv6Extension(next_header=UDP_PROTOCOL, offset=185 << 3 | 1, data=77)
""", net.Raw(bytes(48)), net.IPv6(src="::1", dst="::1", plen=8)
            / net.IPv6ExtHdrFragment(nh=17, offset=185, m=1, id=77)),
    "DNS": (0x88B5, "DNS", """
    here[0] = DNS(id=7, flags=0x8180, answers=3)
""", net.Raw(bytes(12)), net.Raw(struct.pack("!6H", 7, 0x8180, 0, 3, 0, 0))),
}  # fmt: skip


@pytest.mark.parametrize("what", IN_PLACE)
def test_headers_are_written_as_scapy_does(what, ways):
    kind, header, text, before, after = IN_PLACE[what]
    body = f"""
    here = packet.take({header})
    if here is None:
        return 97
{text}
    return 7
"""
    verdict, _, _, data = ways(below(body))(ethernet(kind, bytes(before)))
    assert (verdict, data) == (GOOD, ethernet(kind, bytes(after)))
