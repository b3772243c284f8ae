"""Classic BPF: our interpreter, its translations to eBPF, the kernel and tcpdump agree."""

import contextlib
import ctypes
import shutil
import socket
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ebee import isa
from ebee.isa import Insn, cbpf
from ebee.isa.cbpf import FORMS, SockFilter
from ebee.isa.semantics import ALU, JUMP
from ebee.linux.programs import LinuxProgram

pytestmark = pytest.mark.differential

SETTINGS = settings(max_examples=200, deadline=None)
WORDS = 4  # of scratch memory that random filters use
EDGES = [0, 1, 2, 7, 31, 32, 0x7F, 0xFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]
numbers = st.sampled_from(EDGES) | st.integers(0, 0xFFFFFFFF)
offsets = st.integers(0, 90) | st.sampled_from([0x7FFF, 0x8000, 0x7FFFFFFF, 0xFFFFFFFE])
packets = st.binary(min_size=60, max_size=80)


@st.composite
def filters(draw: st.DrawFn) -> list[SockFilter]:
    """A filter that Linux takes: A, X and M get values, anything follows, then `ret a`."""
    program = []
    for word in range(WORDS):
        program += [SockFilter(0x00, k=draw(numbers)), SockFilter(0x02, k=word)]
    program += [SockFilter(0x01, k=draw(numbers | offsets)), SockFilter(0x00, k=draw(numbers))]
    length = draw(st.integers(1, 12))
    for left in range(length, 0, -1):
        form = FORMS[draw(st.sampled_from(sorted(FORMS)))]
        k, jt, jf = draw(numbers), 0, 0
        if form.kind == "packet":
            ancillary = form.operation == "abs" and draw(st.integers(0, 9)) == 0
            k = 0xFFFFF028 if ancillary else draw(offsets)
        elif form.operand == "mem":
            k %= WORDS
        elif form.operation in ("lsh", "rsh"):
            k %= 32
        elif form.operation in ("div", "mod"):
            k = k or 1
        elif form.kind == "jump":
            k, jt, jf = k % left if form.operation == "ja" else k, k % left, (k >> 8) % left
        elif form.kind == "return" and draw(st.booleans()):
            form = FORMS[0x07]  # fewer early ends
        program.append(SockFilter(form.code, jt, jf, k))
    program.append(SockFilter(0x16))
    assume(cbpf.check(program) is None)
    return program


class Evaluator:
    """As much of eBPF as the translations use, by the tables of `isa`. Memory is a dict of bytes:
    the packet at PACKET, the stack below STACK, struct __sk_buff is its length alone."""

    PACKET, STACK, SKB = 1 << 32, 1 << 40, 1 << 48

    def __init__(self, packet: bytes):
        self.packet = packet
        self.memory = {self.PACKET + at: byte for at, byte in enumerate(packet)}
        self.memory |= {self.SKB + at: b for at, b in enumerate(struct.pack("<I", len(packet)))}

    def run(self, program: list[Insn], r1: int, r2: int = 0) -> int:
        reg, slot = [0xDEAD] * 11, 0
        reg[1], reg[2], reg[10] = r1, r2, self.STACK
        while True:
            insn, form = program[slot], isa.form_of(program[slot])
            assert form
            assert isa.check(insn) is None
            slot += 1
            other = reg[insn.src] if form.source == "reg" else insn.imm & isa.insn.U64
            if form.kind == "alu":
                reg[insn.dst] = ALU[form.width][form.operation](reg[insn.dst], other)
            elif form.kind == "jump":
                if form.operation == "ja" or JUMP[form.width][form.operation](reg[insn.dst], other):
                    slot += insn.off
            elif form.kind == "load":
                at = reg[insn.src] + insn.off
                data = bytes(self.memory[at + k] for k in range(form.size))
                reg[insn.dst] = int.from_bytes(data, "little")
            elif form.kind == "store":
                data = (other & (1 << 8 * form.size) - 1).to_bytes(form.size, "little")
                at = reg[insn.dst] + insn.off
                self.memory |= {at + k: byte for k, byte in enumerate(data)}
            elif form.kind == "packet":
                at = insn.imm + (reg[insn.src] if form.operation == "ind" else 0) & 0xFFFFFFFF
                if at + form.size > len(self.packet):
                    return 0
                reg[0] = int.from_bytes(self.packet[at : at + form.size], "big")
            else:
                assert form.kind == "exit"
                return reg[0]


@SETTINGS
@given(filters(), packets)
def test_translations_give_the_same_verdict(program: list[SockFilter], packet: bytes) -> None:
    verdict = cbpf.run(program, packet)
    skb, buffer = cbpf.to_ebpf(program), cbpf.to_ebpf(program, "buffer")
    assert isa.check_program(skb) == isa.check_program(buffer) == []
    assert Evaluator(packet).run(skb, Evaluator.SKB) == verdict
    assert Evaluator(packet).run(buffer, Evaluator.PACKET, len(packet)) == verdict


# ---- the kernel

SO_ATTACH_FILTER = 26


def attach(sock: socket.socket, program: list[SockFilter]) -> None:
    """Raises OSError when the kernel refuses the filter."""
    code = ctypes.create_string_buffer(cbpf.encode(program))
    header = struct.pack("@HP", len(program), ctypes.addressof(code))
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, header)


def kernel_verdict(program: list[SockFilter], packet: bytes) -> int:
    """How many bytes of the packet the kernel keeps: the verdict, at most the packet's length."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with ours, theirs:
        attach(theirs, program)
        ours.send(packet)
        theirs.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            return len(theirs.recv(1 << 16))
        return 0


@pytest.mark.kernel
@SETTINGS
@given(filters(), packets, st.integers(0, 6))
def test_the_kernel_gives_the_same_verdict(
    program: list[SockFilter], packet: bytes, part: int
) -> None:
    """The kernel shows no more than a length: so of A at the end, five bits at a time, plus 1."""
    show = cbpf.parse(f"rsh #{5 * part}\nand #0x1f\nadd #1\nret a")
    program = [*program[:-1], *show]
    verdict = min(cbpf.run(program, packet), len(packet))
    assert kernel_verdict(program, packet) == verdict


@pytest.mark.kernel
@SETTINGS
@given(filters(), packets)
def test_the_translation_loads_and_gives_the_same_verdict_in_the_kernel(
    program: list[SockFilter], packet: bytes
) -> None:
    ethernet = bytes(14)  # a test run takes it off before the filter sees the packet
    with LinuxProgram.load(cbpf.to_ebpf(program), "socket_filter") as loaded:
        result = loaded.test_run(ethernet + packet)
    assert result.retval == cbpf.run(program, packet)


near = st.builds(
    SockFilter,
    st.sampled_from(sorted(FORMS)) | st.integers(0, 0xFF) | st.just(0x106),
    st.integers(0, 3),
    st.integers(0, 3),
    st.integers(0, 17) | st.sampled_from([31, 32, *range(0xFFFFF000, 0xFFFFF048, 2), 0xFFFFFFFF]),
)


@pytest.mark.kernel
@settings(max_examples=800, deadline=None)
@given(st.lists(near, max_size=6), st.sampled_from([SockFilter(6), SockFilter(0x16), None]))
def test_the_kernel_refuses_what_the_check_refuses(
    program: list[SockFilter], last: SockFilter | None
) -> None:
    program += [last] if last else []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        try:
            attach(sock, program)
            refused = False
        except OSError:
            refused = True
    assert (cbpf.check(program) is not None) == refused, cbpf.check(program)


@pytest.mark.kernel
def test_what_the_kernel_knows_of_a_packet() -> None:
    """Protocol, type, device, mark and the like of a packet between unix sockets: there is none."""
    packet = bytes(range(64))
    for name in (
        "proto",
        "type",
        "ifidx",
        "mark",
        "queue",
        "hatype",
        "rxhash",
        "vlan_tci",
        "vlanp",
    ):
        program = cbpf.parse(f"ld #9\nld #{name}\nand #0x1f\nadd #1\nret a")
        skb = cbpf.Skb(ifindex=None, hatype=None)
        assert kernel_verdict(program, packet) == cbpf.run(program, packet, skb), name


# ---- netlink attributes: on a netlink-like packet, found by the kernel's own search

attributes = st.lists(
    st.tuples(st.integers(0, 5), st.binary(max_size=7), st.sampled_from([0, 1, -1, 40])), max_size=6
)


@pytest.mark.kernel
@SETTINGS
@given(attributes, st.integers(0, 5), st.integers(0, 40), st.sampled_from(["nla", "nlan"]))
def test_netlink_attributes_are_found_where_the_kernel_finds_them(
    parts: list[tuple[int, bytes, int]], kind: int, start: int, load: str
) -> None:
    packet = b""
    for number, data, lie in parts:
        packet += struct.pack("<HH", max(0, 4 + len(data) + lie), number) + data
        packet += bytes(-len(packet) % 4)
    packet = packet.ljust(60, b"\0")
    program = cbpf.parse(f"ld #{start}\nldx #{kind}\nld #{load}\nadd #1\nret a")
    assert kernel_verdict(program, packet) == min(cbpf.run(program, packet), len(packet))


# ---- tcpdump

EXPRESSIONS = [
    "tcp port 80",
    "ip and udp dst portrange 5-9 or arp",
    "vlan 5 and ip6",
    "ip[2:2] - ((ip[0] & 0xf) << 2) - ((tcp[12] & 0xf0) >> 2) != 0",
    "less 50 or (ether[0] - ether[4:4] / ether[5] = 0xffffffff and icmp6)",
    "ether[0] * 3 % 7 | 4 ^ 5 > len - 7",
    "net 10.0.0.0/8 and not host 10.1.2.3",
]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_texts_are_those_of_tcpdump(expression: str, tmp_path: Path) -> None:
    if not (tcpdump := shutil.which("tcpdump")):
        pytest.skip("needs tcpdump")
    capture = tmp_path / "empty.pcap"
    capture.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
    shown = {
        option: subprocess.run(
            [tcpdump, "-r", capture, option, expression], check=True, capture_output=True, text=True
        ).stdout
        for option in ("-d", "-dd", "-ddd")
    }
    program = cbpf.parse(shown["-ddd"])
    assert cbpf.check(program) is None
    assert cbpf.dump_decimal(program) == shown["-ddd"]
    assert cbpf.dump_c(program) == shown["-dd"]
    assert cbpf.dump(program) == shown["-d"]
    assert cbpf.parse(shown["-dd"]) == program
    silent = ("x", "none", "len")  # -d does not show the k that these leave unused
    program = [i._replace(k=0) if FORMS[i.code].operand in silent else i for i in program]
    assert cbpf.parse(shown["-d"]) == program
