"""Helper bodies of the machine and the kernel's own helpers give the same result and the same
memory for the same arguments, random ones included."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebee import helpers
from ebee.abi.cpu import Cpu
from ebee.abi.errno import EINVAL, ENOSPC
from ebee.abi.packet import FRAME_SIZE, HEADROOM, Packet
from ebee.errors import VerifierError
from ebee.helpers import checksum_ops, dynptr_ops, packet_ops, string_ops, trace_ops
from ebee.isa import assemble
from ebee.machine.memory import Memory
from ebee.types import i64, ptr, sizeof, u8, u64, view

pytestmark = [pytest.mark.differential, pytest.mark.kernel]

COVERS = (
    "helper:csum_diff", "helper:xdp_adjust_head", "helper:xdp_adjust_tail",
    "helper:xdp_adjust_meta", "helper:xdp_load_bytes", "helper:xdp_store_bytes",
    "helper:xdp_get_buff_len", "helper:strtol", "helper:strtoul", "helper:strncmp",
    "helper:snprintf", "helper:dynptr_from_mem", "helper:dynptr_read", "helper:dynptr_write",
    "helper:dynptr_data",
)  # fmt: skip

AREA = 2048
"""Bytes of memory that a call may use; the result stands in the first 8."""

few = settings(max_examples=60, deadline=None)
fewer = settings(max_examples=25, deadline=None)


class Area:
    """The same bytes on the machine and in a kernel map, and calls that use them."""

    def __init__(self):
        from ebee.linux import LinuxMap
        from ebee.linux.uapi import BPF_F_RDONLY_PROG

        self.map = LinuxMap.create("array", 4, AREA, 1, name="area")
        self.text_flags = BPF_F_RDONLY_PROG
        self.memory = Memory()
        self.region = self.memory.allocate("area", AREA)
        self.packet_frame = self.memory.allocate("frame", FRAME_SIZE)
        self.cpu = view(Cpu, self.memory, self.memory.allocate("cpu", sizeof(Cpu)).base).ptr
        packet = self.memory.allocate("packet", sizeof(Packet)).base
        self.packet = view(Packet, self.memory, packet)

    def close(self):
        self.map.close()

    def set(self, content):
        content = bytes(8) + content
        self.region.data[:] = content + bytes(AREA - len(content))
        self.map.update(bytes(4), bytes(self.region.data))

    def at(self, offset, t=u8):
        """A pointer of the machine to a byte of the area, counted behind the result."""
        return ptr(self.memory, self.region.base + 8 + offset, t)

    def set_packet(self, data):
        """As test_run does: 256 bytes of headroom in a page."""
        base, p = self.packet_frame.base, self.packet
        self.packet_frame.data[:] = bytes(FRAME_SIZE)
        self.memory.write(base + HEADROOM, data)
        p.frame, p.frame_end = ptr(self.memory, base, u8), ptr(self.memory, base + FRAME_SIZE, u8)
        p.data = p.data_meta = ptr(self.memory, base + HEADROOM, u8)
        p.data_end = ptr(self.memory, base + HEADROOM + len(data), u8)

    def packet_bytes(self):
        """With the metadata before it, as test_run gives it back."""
        start = int(self.packet.data_meta)
        return self.memory.read(start, int(self.packet.data_end) - start)

    def kernel(self, call, data=bytes(64), **symbols):
        """Run one call: its result, the area behind the result, the packet."""
        from ebee.linux import LinuxProgram

        text = f"r6 = r1\n{call}\nr1 = map[area][0]+0\n*(u64 *)(r1 +0) = r0\nr0 = 2\nexit"
        number = {h.name: h.id for h in helpers.all_helpers()}
        code = assemble(
            text, {"area": self.map.fd.fileno(), **symbols},
            lambda name: number.get(name.removeprefix("bpf_")),
        )  # fmt: skip
        with LinuxProgram.load(code, "xdp") as program:
            run = program.test_run(data)
        value = self.map.lookup(bytes(4))
        return struct.unpack_from("<q", value)[0], value[8:], run.data

    def same(self, result, call, **symbols):
        """The machine's result and area are the kernel's."""
        theirs, memory, _ = self.kernel(call, **symbols)
        assert int(i64(result)) == theirs
        assert bytes(self.region.data[8:]).hex() == memory.hex()
        return theirs


@pytest.fixture(scope="module")
def area():
    made = Area()
    yield made
    made.close()


def registers(*values):
    """Assembly that sets r1, r2, ...: numbers, offsets into the area (`@8`), or text as it is."""
    lines = []
    for i, v in enumerate(values, 1):
        if isinstance(v, int):
            lines.append(f"r{i} = {v & (1 << 64) - 1:#x} ll")
        elif v.startswith("@"):
            lines.append(f"r{i} = map[area][0]+{8 + int(v[1:])}")
        else:
            lines.append(f"r{i} = {v}")
    return "\n".join(lines)


# --- checksums -----------------------------------------------------------------------------------

words = st.binary(max_size=256)
corners = st.sampled_from([b"", bytes(4), b"\xff" * 4, b"\xff" * 8, bytes(20), b"\xff\xff\0\0" * 2])


@few
@given(words | corners, words | corners, st.integers(0, (1 << 32) - 1) | st.sampled_from([0, -1]))
def test_csum_diff(area, old, new, seed):
    area.set(old + new)
    r1, r3 = "@0" if old else 0, f"@{len(old)}" if new else 0
    null = ptr(area.memory, 0, u8)
    result = checksum_ops.csum_diff(
        area.cpu, area.at(0) if old else null, len(old),
        area.at(len(old)) if new else null, len(new), seed,
    )  # fmt: skip
    area.same(result, registers(r1, len(old), r3, len(new), seed) + "\ncall bpf_csum_diff")


@pytest.mark.parametrize("seed", [0, 7, 0x1234_5678, 0xFFFF_FFFF])
def test_csum_diff_of_memory_of_no_length_and_of_odd_length(area, seed):
    for old, new in ((0, 0), (0, 8), (8, 0), (3, 4), (4, 6), (1, 1), (512, 512), (511, 509)):
        area.set(bytes(range(256)) * 4)
        result = checksum_ops.csum_diff(area.cpu, area.at(0), old, area.at(512), new, seed)
        area.same(result, registers("@0", old, "@512", new, seed) + "\ncall bpf_csum_diff")


# --- packets -------------------------------------------------------------------------------------

packets = st.binary(min_size=14, max_size=200) | st.integers(200, 3400).map(lambda n: bytes(n))
deltas = st.integers(-300, 300) | st.integers(-4096, 4096) | st.sampled_from(
    [-216, -217, -256, 0, 1, -1, -(1 << 31), (1 << 31) - 1]
)  # fmt: skip


def adjust(area, steps, data):
    """The results of some adjustments and the packet after them, on the machine and in Linux."""
    area.set(b"")
    area.set_packet(data)
    ours, text = [], []
    for i, (what, delta) in enumerate(steps):
        body = getattr(packet_ops, f"xdp_adjust_{what}")
        ours.append(int(body(area.cpu, area.packet.ptr, delta)))
        text += ["r1 = r6", f"r2 = {delta}", f"call bpf_xdp_adjust_{what}"]
        text += [f"r1 = map[area][0]+{8 + 8 * i}", "*(u64 *)(r1 +0) = r0"]
    _, memory, packet = area.kernel("\n".join(text), data)
    theirs = list(struct.unpack_from(f"<{len(steps)}q", memory))
    return (ours, area.packet_bytes()), (theirs, packet)


@few
@given(packets, st.lists(st.tuples(st.sampled_from(["head", "tail", "meta"]), deltas), min_size=1,
                         max_size=6))  # fmt: skip
def test_adjustments_of_a_packet(area, data, steps):
    if sum(what != "meta" for what, _ in steps) and len(data) < 14:
        return
    ours, theirs = adjust(area, steps, data)
    assert ours == theirs


@pytest.mark.parametrize("meta", range(-260, 8))
def test_lengths_of_metadata(area, meta):
    ours, theirs = adjust(area, [("meta", meta), ("head", 2), ("meta", -4)], bytes(range(64)))
    assert ours == theirs


@pytest.mark.parametrize("tail", [3180, 3456, 3457, 3519 - 63, 3520 - 63, -50, -51, 0])
def test_ends_of_the_frame(area, tail):
    ours, theirs = adjust(area, [("tail", tail)], bytes(64))
    assert ours == theirs


ranges = st.tuples(
    st.integers(0, 250) | st.sampled_from([0xFFFF, 0x10000, 0xFFFF_FFFF]), st.integers(1, 220)
)


@few
@given(st.binary(min_size=14, max_size=200), ranges)
def test_load_bytes(area, data, where):
    offset, length = where
    area.set(b"\xaa" * 256)
    area.set_packet(data)
    result = packet_ops.xdp_load_bytes(area.cpu, area.packet.ptr, offset, area.at(0), length)
    text = registers("r6", offset, "@0", length) + "\ncall bpf_xdp_load_bytes"
    theirs, memory, _ = area.kernel(text, data)
    assert (int(result), bytes(area.region.data[8:])) == (theirs, memory)


@few
@given(st.binary(min_size=14, max_size=200), ranges)
def test_store_bytes(area, data, where):
    offset, length = where
    area.set(bytes(range(1, 221)))
    area.set_packet(data)
    result = packet_ops.xdp_store_bytes(area.cpu, area.packet.ptr, offset, area.at(0), length)
    text = registers("r6", offset, "@0", length) + "\ncall bpf_xdp_store_bytes"
    theirs, _, packet = area.kernel(text, data)
    assert (int(result), area.packet_bytes()) == (theirs, packet)


def test_buff_len_and_reach_of_bytes(area):
    area.set_packet(bytes(77))
    theirs, _, _ = area.kernel("call bpf_xdp_get_buff_len", bytes(77))
    assert int(packet_ops.xdp_get_buff_len(area.cpu, area.packet.ptr)) == theirs == 77


# --- strings -------------------------------------------------------------------------------------

numerals = st.text("0123456789abcdefABCDEFxX-+ \t\n\0", max_size=24).map(str.encode)
extremes = st.sampled_from([
    b"9223372036854775807", b"9223372036854775808", b"-9223372036854775808",
    b"-9223372036854775809", b"18446744073709551615", b"18446744073709551616", b"-0", b"0x", b"0x ",
    b"0xg", b"08", b"-", b" -1", b"- 1", b"--1", b"\xa05", b"0x-1", b"0" * 28 + b"17",
    b"1" * 70, b"0" * 70, b" " * 70 + b"5", b"-" + b"0" * 62 + b"12", b"0x" + b"f" * 16,
    b"0x1" + b"0" * 16, b"0x" + b"0" * 80, b"777777777777777777777", b"2000000000000000000000",
])  # fmt: skip
bases = st.sampled_from([0, 8, 10, 16, 2, 31, 32, 10 | 1 << 40, 0x20])


@fewer
@given(numerals | extremes, bases, st.booleans())
def test_numbers_in_text(area, text, base, signed):
    name = "strtol" if signed else "strtoul"
    text = text or b"\0"
    where = (len(text) + 7) & ~7
    area.set(text + bytes(where - len(text)) + b"\x55" * 8)
    t = i64 if signed else u64
    result = getattr(string_ops, name)(area.cpu, area.at(0), len(text), base, area.at(where, t))
    area.same(result, registers("@0", len(text), base, f"@{where}") + f"\ncall bpf_{name}")


class Text:
    """A constant string in a frozen read-only map of the kernel and in the machine's memory."""

    def __init__(self, area, data):
        from ebee.linux import LinuxMap

        data += b"\0"
        self.map = LinuxMap.create("array", 4, len(data), 1, name="text", flags=area.text_flags)
        self.map.update(bytes(4), data)
        self.map.freeze()
        region = area.memory.allocate("text", len(data))
        region.data[:] = data
        self.ptr = ptr(area.memory, region.base, u8)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.map.close()


@few
@given(st.binary(min_size=1, max_size=12), st.binary(max_size=12), st.integers(0, 12))
def test_strncmp(area, left, right, shared):
    right = (left[:shared] + right).replace(b"\0", b"\1")
    area.set(left)
    with Text(area, right) as text:
        result = string_ops.strncmp(area.cpu, area.at(0), len(left), text.ptr)
        call = registers("@0", len(left), "map[text][0]+0") + "\ncall bpf_strncmp"
        area.same(result, call, text=text.map.fd.fileno())


# --- text ----------------------------------------------------------------------------------------


def snprintf(area, fmt, values, room, content=b""):
    """The result of snprintf with some values, numbers or places in the area (`@8`); the machine's
    result and text are compared with Linux, which refuses to load a format that is not valid."""
    area.set(b"\x77" * 1024 + content)
    data = area.memory.allocate("values", 96)
    call = []
    for i, v in enumerate(values):
        value = int(area.at(int(v[1:]))) if isinstance(v, str) else v & (1 << 64) - 1
        area.memory.store(data.base + 8 * i, 8, value)
        call += [registers(v), f"*(u64 *)(r10 {8 * i - 96}) = r1"]
    null = ptr(area.memory, 0, u8)
    with Text(area, fmt) as text:
        result = trace_ops.snprintf(
            area.cpu, area.at(0) if room else null, room, text.ptr,
            ptr(area.memory, data.base, u8) if values else null, 8 * len(values),
        )  # fmt: skip
        call += [registers("@0" if room else 0, room, "map[text][0]+0")]
        call += ["r4 = r10", "r4 += -96"] if values else ["r4 = 0"]
        call += [f"r5 = {8 * len(values)}", "call bpf_snprintf"]
        if result == -EINVAL:
            with pytest.raises(VerifierError, match="Invalid format string"):
                area.kernel("\n".join(call), text=text.map.fd.fileno())
        else:
            area.same(result, "\n".join(call), text=text.map.fd.fileno())
    return int(result)


flags = st.text("0+- ", max_size=3)
widths = st.sampled_from(["", "1", "5", "12", "30", "200"])
plain = st.text(st.sampled_from("abc %% \n\t.:;é\x01\x7f"), max_size=6).map(
    lambda s: s.replace("%", "%%")
)
letters = st.sampled_from([f"{long}{c}" for long in ("", "l", "ll") for c in "diuxX"] + ["c", "px"])
wrong = st.sampled_from(["%", "%l", "%lll", "%f", "%n", "%5", "%.3d", "%#x", "%hd", "%o", "%pI5",
                         "%pi", "%pQ", "%sx", "%lc", "%5%", "%*d", "%é", "%p9"])  # fmt: skip
conversion = st.builds("%{}{}{}".format, flags, widths, letters)
formats = st.lists(plain | conversion | conversion | wrong, max_size=6).map("".join)
numbers = st.integers(0, (1 << 64) - 1) | st.sampled_from([0, 1, 9, 10, 1 << 31, 1 << 63, 65])


@fewer
@given(formats, st.lists(numbers, max_size=12), st.sampled_from([0, 1, 2, 8, 40, 600]))
def test_formatted_text(area, fmt, values, room):
    snprintf(area, fmt.encode(), values, room)


@pytest.mark.parametrize("conversion", ["d", "i", "u", "x", "X", "ld", "llX", "c", "px", "lli"])
@pytest.mark.parametrize("flags", ["", "0", "-", "+", " ", "-0", "+0", "0-+ ", "+ "])
def test_every_flag_with_every_conversion(area, conversion, flags):
    fmt = "".join(f"|%{flags}{width}{conversion}" for width in ("", "1", "9", "22"))
    for value in (0, 48, -1, -(1 << 31), 1 << 31, 1 << 63):
        assert snprintf(area, fmt.encode(), [value] * 4, 1024) != 0


def test_wide_fields_are_cut_and_counted(area):
    for fmt in (b"%4000d", b"%-4000d|", b"%99999999d", b"%4294967297d", b"%3000000000d"):
        snprintf(area, fmt, [5], 100)


def test_control_and_latin_characters(area):
    for byte in range(1, 256):
        for fmt in (b"a%c", b"%%s%c", b"%%d%c"):
            snprintf(area, fmt % byte, [0], 64)


def test_too_few_values_and_too_many(area):
    assert snprintf(area, b"%d %d", [1], 64) == -EINVAL
    assert snprintf(area, b"%d", [], 64) == -EINVAL
    assert snprintf(area, b"plain", [1, 2], 64) == 6
    assert snprintf(area, b"", [], 0) == 1


strings = st.sampled_from(["%s", "%20s", "%-20s", "%5s|", "%pks", "%pus", "%9pks"])
addresses = st.sampled_from(["%pI4", "%pi4", "%pI6", "%pi6", "%-30pI4"])
pieces = st.lists(
    st.tuples(strings | addresses, st.integers(0, 60).map(lambda n: f"@{1024 + n}")), max_size=8
)


@fewer
@given(pieces, st.binary(min_size=100, max_size=100), st.sampled_from([1, 20, 900]))
def test_strings_and_addresses_behind_pointers(area, pieces, content, room):
    """%pus reads user memory, which the area is not in the kernel: it prints nothing there."""
    pieces = [(f, v) for f, v in pieces if "pus" not in f]
    fmt = " ".join(f for f, _ in pieces)
    snprintf(area, fmt.encode(), [v for _, v in pieces], room, content)


def test_pointers_that_lead_nowhere(area):
    for conversion in ("%s", "%pks", "%pI4", "%pi4", "%pI6", "%pi6"):
        for value in (0, 8, 1 << 63):
            snprintf(area, f"<{conversion}>".encode(), [value], 64)


@pytest.mark.parametrize("length", [400, 480, 500, 507, 508, 509, 510, 511, 512, 600])
def test_strings_that_leave_no_room_for_other_values(area, length):
    content = b"y" * length + b"\0"
    for fmt, values in (("%s", 1), ("%s%s", 2), ("%s%c", 2), ("%s%d", 2), ("%s%lld", 2)):
        numbers = ["@1024", "@1024"] if fmt == "%s%s" else ["@1024", 65]
        snprintf(area, fmt.encode(), numbers[:values], 1000, content)
    if length >= 511:
        assert snprintf(area, b"%s%d", ["@1024", 1], 1000, content) == -ENOSPC


# --- dynptrs -------------------------------------------------------------------------------------

reaches = st.integers(0, 80) | st.sampled_from([0xFFFF_FFFF, 1 << 31, 64])


@few
@given(st.integers(0, 64), reaches, st.integers(1, 40), st.booleans(), st.sampled_from([0, 1]))
def test_dynptr_of_memory(area, size, offset, length, write, flags):
    """Make one of bytes 0.., then copy to or from bytes 128.. of the area."""
    area.set(bytes(range(200)))
    p = view(dynptr_ops.Dynptr, area.memory, area.memory.allocate("dynptr", 16).base).ptr
    assert dynptr_ops.dynptr_from_mem(area.cpu, area.at(0), size, 0, p) == 0
    call = [registers("@0", size, 0, "r10"), "r4 += -16", "call bpf_dynptr_from_mem"]
    if write:
        result = dynptr_ops.dynptr_write(area.cpu, p, offset, area.at(128), length, flags)
        call += [registers("r10", offset, "@128", length, flags), "r1 += -16"]
        call += ["call bpf_dynptr_write"]
    else:
        result = dynptr_ops.dynptr_read(area.cpu, area.at(128), length, p, offset, flags)
        call += [registers("@128", length, "r10", offset, flags), "r3 += -16"]
        call += ["call bpf_dynptr_read"]
    area.same(result, "\n".join(call))


@few
@given(st.integers(0, 64), reaches, st.integers(1, 40))
def test_slice_of_a_dynptr(area, size, offset, length):
    area.set(bytes(64))
    p = view(dynptr_ops.Dynptr, area.memory, area.memory.allocate("dynptr", 16).base).ptr
    dynptr_ops.dynptr_from_mem(area.cpu, area.at(0), size, 0, p)
    data = dynptr_ops.dynptr_data(area.cpu, p, offset, length)
    if data:
        data[0] = 9
    call = [registers("@0", size, 0, "r10"), "r4 += -16", "call bpf_dynptr_from_mem"]
    call += [registers("r10", offset, length), "r1 += -16", "call bpf_dynptr_data"]
    call += ["if r0 == 0 goto +4", "r1 = 9", "*(u8 *)(r0 +0) = r1", "r0 = 1", "goto +0"]
    area.same(1 if data else 0, "\n".join(call))


@pytest.mark.parametrize(("size", "flags"), [(1 << 24, 0), ((1 << 24) - 1, 0), (8, 1)])
def test_dynptrs_that_cannot_be(area, size, flags):
    """Only sizes within the area can be shown to the kernel's verifier; the rest is by its text."""
    p = view(dynptr_ops.Dynptr, area.memory, area.memory.allocate("dynptr", 16).base).ptr
    result = dynptr_ops.dynptr_from_mem(area.cpu, area.at(0), size, flags, p)
    if size > AREA:
        assert int(result) == (-7 if size >> 24 else 0)
        assert bool(p.data) == (result == 0)
        return
    area.set(b"")
    call = [registers("@0", size, flags, "r10"), "r4 += -16", "call bpf_dynptr_from_mem"]
    area.same(result, "\n".join(call))
