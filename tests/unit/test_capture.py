"""Captures: what is written is read back to the nanosecond, and damage is named, not passed on."""

import gzip
import io
import os
import shutil
import struct
import subprocess
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebee.errors import CaptureError
from ebee.machine.capture import LINKTYPES, Capture, CaptureWriter, Packet, linktype_name

pytestmark = pytest.mark.unit

FRAME = bytes(range(60))
NOW = 1_700_000_000_123_456_789


def read(data):
    """The packets of a capture held in memory."""
    with Capture.open(io.BytesIO(data)) as capture:
        return list(capture)


def written(packets, **options):
    out = io.BytesIO()
    with CaptureWriter(out, **options) as writer:
        for packet in packets:
            writer.write_packet(packet)
    return out.getvalue()


# pcap and pcapng by hand, in either byte order.


def pcap(records, order="<", magic=0xA1B2C3D4, version=(2, 4), snaplen=65535, link=1):
    parts = [struct.pack(order + "IHHIIII", magic, *version, 0, 0, snaplen, link)]
    for seconds, fraction, body, orig in records:
        parts += struct.pack(order + "IIII", seconds, fraction, len(body), orig), body
    return b"".join(parts)


def block(kind, body, order="<"):
    body += bytes(-len(body) % 4)
    length = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + length + body + length


def options(order, *pairs):
    data = b""
    for code, value in pairs:
        data += struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)
    return data + bytes(4)


def section(order="<", version=(1, 0)):
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, *version, -1), order)


def interface(order="<", link=1, snaplen=0, *pairs):
    return block(1, struct.pack(order + "HHI", link, 0, snaplen) + options(order, *pairs), order)


def enhanced(ticks, body, order="<", iface=0, orig=None, *pairs):
    head = struct.pack(
        order + "IIIII",
        iface,
        ticks >> 32,
        ticks & 0xFFFFFFFF,
        len(body),
        len(body) if orig is None else orig,
    )
    tail = options(order, *pairs) if pairs else b""
    return block(6, head + body + bytes(-len(body) % 4) + tail, order)


# Round trips.

packets = st.lists(
    st.builds(
        lambda ts, data, more, comment: Packet(ts, data, len(data) + more, 0, comment),
        st.integers(0, 2**32 * 10**9 - 1),
        st.binary(max_size=80),
        st.integers(0, 2000),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    ),
    max_size=8,
)


@given(packets)
def test_pcapng_gives_back_times_bytes_lengths_and_comments(wanted):
    assert read(written(wanted, format="pcapng")) == wanted


@given(packets)
def test_pcap_gives_back_all_but_the_comments(wanted):
    assert read(written(wanted, format="pcap")) == [p._replace(comment="") for p in wanted]


@pytest.mark.parametrize("name", ["a.pcap", "a.pcapng", "a.pcap.gz", "a.pcapng.gz", "a.cap"])
def test_the_name_of_a_file_decides_its_format(tmp_path, name):
    path = tmp_path / name
    with CaptureWriter(path) as writer:
        for at in range(5):
            writer.write(FRAME, NOW + at)
    with Capture.open(path) as capture:
        assert capture.format == ("pcap" if ".pcap" in name and "ng" not in name else "pcapng")
        assert [p.ts_ns - NOW for p in capture] == [0, 1, 2, 3, 4]
        assert [p.ts_ns - NOW for p in capture] == [0, 1, 2, 3, 4], "and again"
    assert (path.read_bytes()[:2] == b"\x1f\x8b") == name.endswith(".gz")


def test_packets_are_cut_to_the_snapshot_length():
    (packet,) = read(written([Packet(NOW, FRAME, 60)], snaplen=20))
    assert (packet.data, packet.orig_len) == (FRAME[:20], 60)


def test_the_same_packets_give_the_same_compressed_file(tmp_path):
    for name in ("one.pcap.gz", "two.pcap.gz"):
        with CaptureWriter(tmp_path / name) as writer:
            writer.write(FRAME, NOW)
    assert (tmp_path / "one.pcap.gz").read_bytes() == (tmp_path / "two.pcap.gz").read_bytes()


def test_several_interfaces_keep_their_packets_apart():
    out = io.BytesIO()
    writer = CaptureWriter(out, name="eth0")
    assert writer.add_interface(113, "any") == 1
    writer.write(FRAME, NOW, interface=1)
    writer.close()
    with Capture.open(io.BytesIO(out.getvalue())) as capture:
        assert [p.interface for p in capture] == [1]
        assert [i.name for i in capture.interfaces] == ["eth0", "any"]
        assert [i.linktype_name for i in capture.interfaces] == ["ETHERNET", "LINUX_SLL"]
        with pytest.raises(CaptureError, match=r"mixes link types \(ETHERNET, LINUX_SLL\)"):
            _ = capture.linktype


# pcap.


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(("magic", "unit"), [(0xA1B2C3D4, 1000), (0xA1B23C4D, 1)])
def test_pcap_in_both_byte_orders_and_both_units(order, magic, unit):
    data = pcap([(7, 999, FRAME, 1500), (8, 0, b"", 0)], order, magic)
    assert read(data) == [Packet(7 * 10**9 + 999 * unit, FRAME, 1500), Packet(8 * 10**9, b"", 0)]


def test_pcap_link_type_and_frame_check_sequence_share_a_field():
    with Capture.open(io.BytesIO(pcap([], link=0x24000001))) as capture:
        assert (capture.linktype, capture.interfaces[0].fcs_len) == (1, 4)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "there is nothing in it"),
        (b"\xd4", "begins with d4, which is neither pcap nor pcapng"),
        (b"hello, world", "begins with 68 65 6c 6c, which is neither pcap nor pcapng"),
        (pcap([], magic=0xA1B2CD34), "modified pcap .Kuznetzov"),
        (pcap([], ">", magic=0xA1B234CD), "modified pcap .Mesquita"),
        (b"\x28\xb5\x2f\xfd" + bytes(20), "zstd-compressed"),
        (b"snoop\0\0\0" + bytes(20), "a snoop capture"),
        (b"\x7fELF" + bytes(20), "an ELF object"),
        (pcap([])[:20], "offset 0: truncated: the file header takes 24 bytes, the file ends after"),
        (pcap([], version=(2, 3)), "offset 4: pcap version 2.3, ebee reads 2.4"),
        (pcap([(0, 0, FRAME, 60)])[:-1], "offset 24: truncated: a record of 60 bytes.*after 59"),
        (pcap([(0, 0, FRAME, 60)])[:33], "offset 24: truncated: a record header takes 16 bytes"),
        (pcap([]) + struct.pack("<IIII", 0, 0, 1 << 31, 9), "a record of 2147483648 bytes"),
    ],
)
def test_a_damaged_pcap_is_refused_by_name(data, message, tmp_path):
    with pytest.raises(CaptureError, match=message):
        read(data)
    path = tmp_path / "bad.pcap"
    path.write_bytes(data)
    with pytest.raises(CaptureError, match=r"bad\.pcap"), Capture.open(path) as capture:
        len(capture)


# pcapng.


@pytest.mark.parametrize("order", "<>")
def test_pcapng_blocks_of_all_kinds_in_both_byte_orders(order):
    old = struct.pack(order + "HHIIII", 0, 3, 0, 5, 6, 6) + b"oldest" + bytes(2)
    data = (
        section(order)
        + block(0x0BAD, b"a custom block", order)
        + block(0x80000001, b"", order)
        + interface(order, 1, 4, (2, b"eth0"), (1, b"a comment"), (0x7FFF, b"?"))
        + block(4, b"names", order)
        + enhanced(
            1, b"five!", order, 0, 99, (1, b"first"), (2, bytes(4)), (1, "zw\u00f6".encode())
        )
        + block(3, struct.pack(order + "I", 9) + b"simp", order)
        + block(2, old, order)
        + block(5, bytes(20), order)
    )
    assert read(data) == [
        Packet(1000, b"five!", 99, 0, "first\nzwö"),
        Packet(0, b"simp", 9),
        Packet(5000, b"oldest", 6),
    ]


@pytest.mark.parametrize(
    ("option", "ticks", "ts_ns"),
    [
        (b"\x00", 3, 3_000_000_000),
        (b"\x03", 3, 3_000_000),
        (b"\x06", 3, 3_000),
        (b"\x09", NOW, NOW),
        (b"\x0c", 2**64 - 1, (2**64 - 1) // 1000),
        (b"\x80", 3, 3_000_000_000),
        (b"\x81", 3, 1_500_000_000),
        (b"\x9e", (5 << 30) + 1, 5_000_000_000),
        (b"\xa0", (5 << 32) + (1 << 31), 5_500_000_000),
    ],
)
def test_times_of_every_resolution_become_nanoseconds(option, ticks, ts_ns):
    data = section() + interface("<", 1, 0, (9, option)) + enhanced(ticks, FRAME)
    assert read(data) == [Packet(ts_ns, FRAME, 60)]


def test_a_time_offset_is_added():
    option = (14, struct.pack("<q", -2))
    data = section() + interface("<", 1, 0, option) + enhanced(3_000_000, b"")
    assert [p.ts_ns for p in read(data)] == [10**9]


def test_sections_have_their_own_byte_order_and_interfaces():
    data = (
        section("<")
        + interface("<", 1, 0, (2, b"a"))
        + interface("<", 1, 0, (2, b"b"))
        + enhanced(1, b"one", "<", 1)
        + section(">")
        + interface(">", 101, 0, (2, b"c"), (9, b"\x09"))
        + enhanced(2, b"two", ">", 0)
    )
    with Capture.open(io.BytesIO(data)) as capture:
        seen = [(p.ts_ns, p.data, capture.interfaces[p.interface].name) for p in capture]
    assert seen == [(1000, b"one", "b"), (2, b"two", "c")]


def bad_block(kind, length, body, trailer=None):
    return struct.pack("<II", kind, length) + body + struct.pack("<I", trailer or length)


@pytest.mark.parametrize(
    ("tail", "message"),
    [
        (b"\0" * 11, "truncated: a block takes at least 12 bytes, the file ends after 11"),
        (enhanced(0, FRAME)[:-1], "truncated: an enhanced packet block of 92 bytes.*after 91"),
        (bad_block(6, 33, bytes(21)), "cannot have a length of 33"),
        (bad_block(6, 8, b""), "cannot have a length of 8"),
        (bad_block(6, 1 << 31, b""), "cannot have a length of 2147483648"),
        (bad_block(6, 16, bytes(4)), "an enhanced packet block cannot have a length of 16"),
        (bad_block(99, 16, bytes(4), 20), "block of type 0x63 of 16 bytes says 20 at its end"),
        (enhanced(0, FRAME, "<", 1), "a packet of interface 1, the section has 1 so far"),
        (section() + enhanced(0, FRAME), "a packet of interface 0, the section has 0 so far"),
        (block(6, struct.pack("<IIIII", 0, 0, 0, 9, 9) + bytes(8)), "claims 9 bytes.*it has 8"),
        (block(3, struct.pack("<I", 9) + bytes(8)), "claims 9 bytes of packet, it has 8"),
        (block(6, bytes(20) + b"\1\0\x05\0abcd"), "option 1 of 5 bytes reaches past its block"),
        (interface("<", 1, 0, (9, b"\6\6")), "an interface option 9 of 2 bytes"),
        (section(version=(2, 0)), "pcapng version 2.0, ebee reads 1.x"),
        (block(0x0A0D0D0A, bytes(16)), "byte-order magic is not 0x1a2b3c4d"),
        (
            interface("<", 1, 0, (9, b"\0")) + enhanced(2**63, b"", "<", 1),
            "a time of 9223372036854775808000000000 ns, not between 1970 and 2554",
        ),
        (
            interface("<", 1, 0, (14, b"\xff" * 8)) + enhanced(1, b"", "<", 1),
            "a time of -999999000 ns",
        ),
    ],
)
def test_a_damaged_pcapng_is_refused_where_it_is_damaged(tail, message, tmp_path):
    good = section() + interface() + enhanced(1, FRAME)
    path = tmp_path / "bad.pcapng"
    path.write_bytes(good + tail)
    with Capture.open(path) as capture:
        packets = iter(capture)
        assert next(packets).data == FRAME, "what is before the damage is delivered"
        with pytest.raises(CaptureError, match=message) as caught:
            list(packets)
    offset = int(str(caught.value).split("at offset ")[1].split(":")[0])
    assert len(good) <= offset < len(good + tail)


# Files, streams, batches.


def test_a_file_has_a_length_and_an_index(tmp_path):
    path = tmp_path / "a.pcapng"
    path.write_bytes(written([Packet(at, bytes([at]) * at, at) for at in range(10)]))
    with Capture.open(path) as capture:
        assert len(capture) == 10
        assert capture[7] == Packet(7, b"\7" * 7, 7)
        assert capture[-1].ts_ns == 9
        with pytest.raises(IndexError):
            capture[10]
        index = capture.index
        assert [index.buffer[o : o + n] for o, n in zip(index.offsets, index.lengths, strict=True)][
            3
        ] == b"\3" * 3


@pytest.mark.parametrize("limit", [1, 3, 10, 100])
def test_batches_hold_at_most_what_was_asked_for(tmp_path, limit):
    path = tmp_path / "a.pcap"
    path.write_bytes(written([Packet(at, FRAME, 60) for at in range(10)], format="pcap"))
    with Capture.open(path) as capture:
        sizes = [len(batch) for batch in capture.batches(limit)]
        assert sizes == [limit] * (10 // limit) + [10 % limit] * (10 % limit > 0)


def test_a_capture_without_packets_is_empty(tmp_path):
    path = tmp_path / "a.pcap"
    path.write_bytes(pcap([]))
    with Capture.open(path) as capture:
        assert (len(capture), list(capture), capture.linktype) == (0, [], 1)
    with Capture.open(io.BytesIO(section())) as capture:
        assert list(capture) == []
        with pytest.raises(CaptureError, match="is empty: it has no one link type"):
            _ = capture.linktype


class Dribble(io.RawIOBase):
    """A stream that gives a few bytes at a time."""

    def __init__(self, data, step):
        self.rest, self.step = data, step

    def read(self, size=-1):
        data, self.rest = self.rest[: self.step], self.rest[self.step :]
        return data


@pytest.mark.parametrize("step", [1, 7, 64, 100_000])
@pytest.mark.parametrize("format", ["pcap", "pcapng"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_stream_may_arrive_in_pieces(step, format, pack):
    wanted = [Packet(at, bytes([at]) * (at * 7 % 50), 90) for at in range(30)]
    with Capture.open(Dribble(pack(written(wanted, format=format)), step)) as capture:
        assert list(capture) == wanted
        with pytest.raises(CaptureError, match="can be read only once"):
            list(capture)
        with pytest.raises(CaptureError, match="has no index"):
            capture[0]
        with pytest.raises(TypeError, match="is read as a stream"):
            len(capture)


def test_a_large_packet_in_a_slow_stream_does_not_take_quadratic_time():
    wanted = [Packet(1, bytes(8 << 20), 8 << 20)]
    data = written(wanted, snaplen=16 << 20)
    assert read(data) == wanted
    with Capture.open(Dribble(data, 8192)) as capture:
        assert list(capture) == wanted


def test_a_pipe_delivers_packets_while_it_is_open():
    reading, writing = os.pipe()
    done = threading.Event()

    def feed():
        with os.fdopen(writing, "wb") as file, CaptureWriter(file, "pcap") as writer:
            writer.write(FRAME, NOW)
            writer.flush()
            done.wait(10)
            writer.write(FRAME, NOW + 1)

    feeder = threading.Thread(target=feed)
    feeder.start()
    with os.fdopen(reading, "rb") as file, Capture.open(file) as capture:
        packets = iter(capture)
        assert next(packets).ts_ns == NOW
        done.set()
        assert next(packets).ts_ns == NOW + 1
    feeder.join()


def test_a_named_pipe_is_read_as_a_stream(tmp_path):
    path = tmp_path / "fifo"
    os.mkfifo(path)
    data = written([Packet(NOW, FRAME, 60)])
    feeder = threading.Thread(target=path.write_bytes, args=(data,))
    feeder.start()
    with Capture.open(path) as capture:
        assert [p.ts_ns for p in capture] == [NOW]
    feeder.join()


def test_files_are_written_in_large_pieces_but_whoever_reads_a_pipe_need_not_wait(tmp_path):
    path = tmp_path / "a.pcap"
    with CaptureWriter(path) as writer:
        for at in range(1000):
            writer.write(FRAME, at)
        assert path.stat().st_size == 0
        writer.flush()
        assert path.stat().st_size == 24 + 1000 * (16 + len(FRAME))
    pipe = tmp_path / "fifo"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(reading, "rb") as file, CaptureWriter(pipe, "pcap") as writer:
        for at in range(500):
            writer.write(FRAME, at)
        assert len(file.raw.read(1 << 16)) > 500 * len(FRAME) // 2


def test_passes_over_a_compressed_file_do_not_disturb_each_other(tmp_path):
    path = tmp_path / "a.pcap.gz"
    path.write_bytes(gzip.compress(pcap([(at, 0, FRAME, 60) for at in range(20_000)])))
    with Capture.open(path) as capture:
        for at, packet in enumerate(capture):
            assert packet.ts_ns == at * 10**9
            if at == 5:
                assert sum(map(len, capture.batches())) == 20_000


@pytest.mark.parametrize("cut", [3, 12, 40, -9, -1])
def test_damaged_compression_is_refused(tmp_path, cut):
    packed = gzip.compress(pcap([(at, at * 7919, os.urandom(60), 60) for at in range(9)]))
    path = tmp_path / "a.pcap.gz"
    path.write_bytes(packed[:cut])
    with pytest.raises(CaptureError, match=r"a\.pcap\.gz"), Capture.open(path) as capture:
        list(capture)
    if cut == -9:  # all but the checksum
        path.write_bytes(packed[:-8])
        with Capture.open(path) as capture:
            packets = iter(capture)
            assert [next(packets).ts_ns // 10**9 for _ in range(9)] == list(range(9))
            with pytest.raises(CaptureError, match="end-of-stream"):
                next(packets)
    middle = len(packed) // 2
    path.write_bytes(packed[:middle] + bytes(8) + packed[middle + 8 :])
    with pytest.raises(CaptureError, match=r"a\.pcap\.gz"), Capture.open(path) as capture:
        list(capture)


@pytest.mark.parametrize("path", ["/nonexistent/a.pcap", "/"])
def test_a_file_that_cannot_be_opened_is_named(path):
    with pytest.raises(CaptureError, match=f"cannot open capture {path}: "):
        Capture.open(path)
    with pytest.raises(CaptureError, match=f"cannot create capture {path}: "):
        CaptureWriter(path)


@pytest.mark.parametrize(
    ("format", "given", "message"),
    [
        ("pcap", {"comment": "x"}, "pcap has no comments, use pcapng"),
        ("pcap", {"ts_ns": 2**32 * 10**9}, "pcap cannot hold a time of 4294967296000000000 ns"),
        ("pcapng", {"ts_ns": 2**64}, "pcapng cannot hold a time"),
        ("pcapng", {"ts_ns": -1}, "pcapng cannot hold a time of -1 ns"),
        ("pcapng", {"interface": 1}, "it has no interface 1"),
        ("pcapng", {"orig_len": 59}, "a packet of 60 bytes, originally 59"),
        ("pcapng", {"comment": "x" * 65536}, "a comment of 65536 bytes"),
    ],
)
def test_what_a_format_cannot_hold_is_refused(format, given, message):
    with (
        CaptureWriter(io.BytesIO(), format) as writer,
        pytest.raises(CaptureError, match=message),
    ):
        writer.write(FRAME, **given)


def test_a_writer_refuses_options_that_make_no_sense():
    for options in ({"format": "erf"}, {"snaplen": 0}, {"linktype": 65536}):
        with pytest.raises(CaptureError):
            CaptureWriter(io.BytesIO(), **options)
    with pytest.raises(CaptureError, match="pcap has one interface"):
        CaptureWriter(io.BytesIO(), "pcap").add_interface()


def test_a_full_disk_is_reported():
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    with (
        pytest.raises(CaptureError, match="cannot write to /dev/full: No space left on device"),
        CaptureWriter("/dev/full") as writer,
    ):
        writer.write(FRAME)


def test_link_types_have_names():
    assert linktype_name(1) == "ETHERNET"
    assert linktype_name(54321) == "link type 54321"
    assert len(LINKTYPES) > 150


EXAMPLES = Path(__file__).parents[2] / "examples" / "data"


@pytest.mark.parametrize(("name", "count"), [("web.pcapng", 389), ("flood.pcap.gz", 5444)])
def test_the_example_captures_hold_what_their_readme_says(name, count):
    with Capture.open(EXAMPLES / name) as capture:
        stamps = [packet.ts_ns for packet in capture]
        assert capture.linktype == 1
    assert len(stamps) == count
    assert stamps == sorted(stamps)
    assert any(stamp % 1000 for stamp in stamps), "nanoseconds"
    assert f"{name} ({count:,} packets)" in (EXAMPLES / "README.md").read_text()


def test_progress_goes_up_to_the_end(tmp_path):
    for name, pack in (("a.pcap", bytes), ("a.pcap.gz", gzip.compress)):
        path = tmp_path / name
        data = pcap([(at, 0, os.urandom(1000), 1000) for at in range(9000)])
        path.write_bytes(pack(data))
        with Capture.open(path) as capture:
            seen = [capture.progress for _ in capture.batches(500)]
        assert seen == sorted(seen)
        assert seen[0] < 0.2
        assert seen[-1] == 1
    with Capture.open(io.BytesIO(data)) as capture:
        assert [capture.progress for _ in capture.batches()] == [None] * 9


def test_closing_may_be_done_twice_and_leaves_the_files_of_others_open(tmp_path):
    path = tmp_path / "a.pcap"
    writer = CaptureWriter(path)
    writer.close()
    writer.close()
    capture = Capture.open(path)
    capture.close()
    capture.close()
    with pytest.raises(CaptureError, match=r"a\.pcap has been closed"):
        list(capture)
    file = io.BytesIO(path.read_bytes())
    Capture.open(file).close()
    CaptureWriter(file).close()
    assert not file.closed


# The tools of others.

needs_tcpdump = pytest.mark.skipif(not shutil.which("tcpdump"), reason="tcpdump is not installed")


@needs_tcpdump
@pytest.mark.parametrize("format", ["pcap", "pcapng"])
def test_tcpdump_reads_what_we_write(tmp_path, format):
    path = tmp_path / "a.cap"
    udp = bytes.fromhex(
        "020000000002020000000001080045000020000100004011b6b7c0000201c000020a04d2003500"
    ) + bytes.fromhex("0c000061626364")
    with CaptureWriter(path, format) as writer:
        writer.write(udp, NOW, comment="XDP_PASS" if format == "pcapng" else "")
        writer.write(udp[:40], NOW + 1, orig_len=len(udp))
    done = subprocess.run(
        ["tcpdump", "-nn", "-tt", "--nano", "-r", path], capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert lines[0].startswith("1700000000.123456789 IP 192.0.2.1.1234 > 192.0.2.10.53")
    assert lines[1].startswith("1700000000.123456790 IP ")


@needs_tcpdump
@pytest.mark.parametrize("nano", [True, False])
def test_we_read_what_tcpdump_writes(tmp_path, nano):
    ours, theirs = tmp_path / "ours.pcapng", tmp_path / "theirs.pcap"
    wanted = [Packet(NOW + at, FRAME[:at], 60) for at in range(14, 60)]
    ours.write_bytes(written(wanted))
    precision = ["--time-stamp-precision=nano"] if nano else []
    subprocess.run(
        ["tcpdump", *precision, "-r", ours, "-w", theirs], check=True, capture_output=True
    )
    unit = 1 if nano else 1000
    with Capture.open(theirs) as capture:
        assert list(capture) == [p._replace(ts_ns=p.ts_ns // unit * unit) for p in wanted]


@pytest.mark.skipif(not shutil.which("capinfos"), reason="capinfos is not installed")
def test_capinfos_counts_what_we_write(tmp_path):
    path = tmp_path / "a.pcapng"
    path.write_bytes(written([Packet(NOW + at, FRAME, 60) for at in range(9)]))
    done = subprocess.run(["capinfos", "-Tcm", path], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1].split(",")[-1] == "9"
