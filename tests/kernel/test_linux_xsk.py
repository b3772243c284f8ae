"""AF_XDP sockets over a veth pair: frames past the stack, both ways, and what cannot be."""

import itertools
import struct
import subprocess
import threading

import pytest

from ebee.errors import KernelError
from ebee.isa.asm import assemble
from ebee.linux import LinuxMap, LinuxProgram, attach
from ebee.linux.errors import older_than
from ebee.linux.flags import BPF_F_XDP_HAS_FRAGS
from ebee.linux.xsk import Umem, XdpSocket

pytestmark = pytest.mark.kernel

TO_SOCKET = """
    r2 = *(u32 *)(r1 +16)
    r1 = map[xsks]
    r3 = 2
    call 51
    exit
"""


@pytest.fixture
def xsks():
    with LinuxMap.create("xskmap", 4, 4, 4, name="xsks") as made:
        yield made


@pytest.fixture(params=["native", "generic"])
def redirected(request, net, xsks):
    """Packets that veth1 receives go to the socket in the map."""
    code = assemble(TO_SOCKET, {"xsks": xsks.fd.fileno()})
    with LinuxProgram.load(code, "xdp", name="to_socket") as program:
        with net.inside("right"):
            link = attach.xdp(program, "veth1", request.param)
        with link:
            yield net


def opened(net, umem=None, side="right", **options):
    with net.inside(side):
        return XdpSocket({"left": "veth0", "right": "veth1"}[side], 0, umem, **options)


def put(xsks, xsk, index=0):
    xsks.update(struct.pack("=I", index), struct.pack("=I", xsk.fileno()))


def numbered(net, number, size=60):
    return net.frame(struct.pack("=Q", number).ljust(size - 14, b"\0"))


def number(packet):
    return struct.unpack_from("=Q", packet, 14)[0]


def test_packets_are_received_in_place(redirected, xsks):
    net = redirected
    with Umem(64) as umem, opened(net, umem, rx=32, tx=32, fill=32, completion=32) as xsk:
        put(xsks, xsk)
        with net.socket("left") as sender:
            for n in range(200):  # far more than there are frames
                sender.send(numbered(net, n))
                assert xsk.wait(20)
                (frame,) = xsk.receive_frames()
                assert number(frame.data) == n
                assert frame.data.obj is umem.data.obj
                assert len(frame.data) == 60
                xsk.release([frame])
            sizes = (60, 100, 1000, 1514)
            for size in sizes:
                sender.send(numbered(net, size, size))
            seen = [(number(p), len(p)) for p in xsk.receive(0.2)]
            assert seen == [(size, size) for size in sizes]
        assert xsk.statistics.rx_dropped == 0


def test_a_packet_is_valid_until_the_next_one(redirected, xsks):
    with opened(redirected) as xsk, redirected.socket("left") as sender:
        put(xsks, xsk)
        for n in range(3):
            sender.send(numbered(redirected, n))
        packets = xsk.receive(1)
        first = next(packets)
        assert number(first) == 0
        assert number(next(packets)) == 1
        with pytest.raises(ValueError, match="released"):
            bytes(first)
        packets.close()


def test_packets_are_sent_from_bytes_and_from_frames(net):
    with (
        opened(net, side="left", rx=0, tx=64, completion=64) as xsk,
        net.socket("right") as receiver,
    ):
        packets = [numbered(net, n, 60 + n) for n in range(40)]
        assert xsk.send(*packets) == 40
        for n in range(40):
            got = receiver.recv(2000)
            assert (number(got), len(got)) == (n, 60 + n)
        free = len(xsk.umem.free)
        frames = xsk.umem.take(10)
        assert len(xsk.umem.free) == free - 10
        made = []
        for n, frame in enumerate(frames):
            raw = numbered(net, 1000 + n)
            frame.data[: len(raw)] = raw
            made.append(frame._replace(data=frame.data[: len(raw)]))
        assert xsk.send_frames(made) == 10
        assert [number(receiver.recv(2000)) for _ in range(10)] == list(range(1000, 1010))
        for _ in range(100):
            xsk.complete()
            if len(xsk.umem.free) == xsk.umem.frames:
                break
            threading.Event().wait(0.01)
        assert len(xsk.umem.free) == xsk.umem.frames


def test_frames_are_sent_back_without_a_copy(redirected, xsks):
    """An echo: what was received is changed in place, and goes out of the same memory."""
    net = redirected
    with opened(net) as xsk, net.socket("left") as client:
        put(xsks, xsk)
        client.settimeout(20)
        for n in range(500):
            client.send(numbered(net, n))
            assert xsk.wait(20)
            frames = xsk.receive_frames()
            for frame in frames:
                mac = bytes(frame.data[:6])
                frame.data[:6], frame.data[6:12] = frame.data[6:12], mac
            assert xsk.send_frames(frames) == len(frames)
            while True:
                got = client.recv(2000)
                if got[:6] == net.frame(b"")[6:12]:
                    break
            assert number(got) == n
            xsk.refill()


@pytest.mark.parametrize(
    "options",
    [
        {"mode": "copy"},
        {"need_wakeup": False},
        {"busy_poll": 20, "busy_budget": 16},
        {"rx": 64, "fill": 64, "tx": 0},
    ],
    ids=str,
)
def test_options(redirected, xsks, options):
    if "busy_poll" in options and older_than("5.11"):
        pytest.skip("busy polling came with Linux 5.11")
    net = redirected
    with opened(net, **options) as xsk, net.socket("left") as sender:
        put(xsks, xsk)
        for n in range(50):
            sender.send(numbered(net, n))
        received = itertools.islice(xsk.receive(2), 50)
        assert [number(p) for p in received] == list(range(50))
        assert not xsk.zero_copy
        if options.get("tx") != 0:
            with net.socket("left") as receiver:
                xsk.send(numbered(net, 7))
                assert number(receiver.recv(2000)) == 7


def test_what_finds_no_frame_is_counted(redirected, xsks):
    net = redirected
    with Umem(16) as umem, opened(net, umem, rx=8, tx=0, fill=8) as xsk:
        put(xsks, xsk)
        with net.socket("left") as sender:
            for n in range(30):
                sender.send(numbered(net, n))
        seen = [number(p) for p in xsk.receive(0.2)]
        statistics = xsk.statistics
        lost = statistics.rx_dropped + statistics.rx_ring_full + statistics.rx_fill_ring_empty_descs
        assert 8 <= len(seen) < 30
        assert lost >= 1


def test_two_sockets_share_a_umem_on_one_queue(net, xsks):
    """Which of them gets a packet is the program's choice: here by the packet's first byte."""
    code = assemble(
        """
        r6 = *(u32 *)(r1 +0)
        r7 = *(u32 *)(r1 +4)
        r2 = r6
        r2 += 15
        if r2 > r7 goto pass
        r2 = *(u8 *)(r6 +14)
        r2 &= 1
        r1 = map[xsks]
        r3 = 2
        call 51
        exit
    pass:
        r0 = 2
        exit
        """,
        {"xsks": xsks.fd.fileno()},
    )
    with (
        LinuxProgram.load(code, "xdp") as program,
        Umem() as umem,
        opened(net, umem) as first,
        opened(net, umem) as second,
        net.socket("left") as sender,
    ):
        put(xsks, first, 0)
        put(xsks, second, 1)
        with net.inside("right"):
            link = attach.xdp(program, "veth1", "native")
        with link:
            for n in range(20):
                sender.send(numbered(net, n))
            assert [number(p) for p in first.receive(0.2)] == list(range(0, 20, 2))
            assert [number(p) for p in second.receive(0.2)] == list(range(1, 20, 2))
            first.close()
            sender.send(numbered(net, 3))
            assert [number(p) for p in second.receive(0.2)] == [3]


def test_two_sockets_share_a_umem_on_two_interfaces(net):
    if older_than("5.10"):
        pytest.skip("sharing between interfaces came with Linux 5.10")
    with net.inside("right"):
        subprocess.run(
            ["ip", "link", "add", "more0", "type", "veth", "peer", "name", "more1"], check=True
        )
        for dev in ("more0", "more1"):
            subprocess.run(["ip", "link", "set", dev, "up"], check=True)
        with (
            Umem() as umem,
            XdpSocket("veth1", 0, umem) as first,
            XdpSocket("more0", 0, umem) as second,
            net.socket("right", "more1") as beyond,
            net.socket("left") as receiver,
        ):
            first.send(numbered(net, 1))
            second.send(numbered(net, 2))
            assert number(receiver.recv(2000)) == 1
            assert number(beyond.recv(2000)) == 2
            first.close()
            second.send(numbered(net, 3))
            assert number(beyond.recv(2000)) == 3
            with XdpSocket("veth1", 0, umem) as third:
                third.send(numbered(net, 4))
                assert number(receiver.recv(2000)) == 4


@pytest.mark.skipif(older_than("6.6"), reason="packets of several frames came with Linux 6.6")
def test_packets_larger_than_a_frame_take_several(net, xsks):
    for name, dev in ((net.left, "veth0"), (net.right, "veth1")):
        subprocess.run(["ip", "-n", name, "link", "set", dev, "mtu", "9000"], check=True)
    code = assemble(TO_SOCKET, {"xsks": xsks.fd.fileno()})
    with LinuxProgram.load(code, "xdp", flags=BPF_F_XDP_HAS_FRAGS) as program:
        with net.inside("right"):
            link = attach.xdp(program, "veth1", "native")
        with (
            link,
            Umem(256) as umem,
            opened(net, umem, rx=64, tx=64, fill=64, completion=64, multi_buffer=True) as xsk,
            net.socket("left") as other,
        ):
            put(xsks, xsk)
            for size in (60, 2000, 5000, 9000):
                packet = net.frame(bytes(n & 0xFF for n in range(size - 14)))
                other.send(packet)
                assert xsk.wait(20)
                frames = xsk.receive_frames()
                assert b"".join(f.data for f in frames) == packet
                assert [f.more for f in frames] == [True] * (len(frames) - 1) + [False]
                assert (len(frames) > 1) == (size > 2048 - 256)  # what the kernel keeps
                xsk.release(frames)
                other.send(packet)
                assert [bytes(p) for p in xsk.receive(0.2)] == [packet]
                back = net.frame(packet[14:], source="right")
                assert xsk.send(back, back) == 2
                got = [other.recv(10_000) for _ in range(2)]
                assert got == [back, back]
            with pytest.raises(KernelError, match="is no frame of 14 to 36864"):
                xsk.send(bytes(40_000))


def test_sending_waits_no_longer_than_it_may(net):
    with Umem(4) as umem, opened(net, umem, side="left", rx=0, tx=2, completion=4) as xsk:
        held = umem.take(4)
        assert xsk.send(numbered(net, 1), timeout=0.05) == 0
        umem.release(held)
        assert xsk.send(numbered(net, 1), timeout=1) == 1


def test_closing_gives_everything_back(net, open_fds):
    before = open_fds()
    for _ in range(20):
        with opened(net, side="left") as xsk:
            assert not xsk.closed
        assert xsk.closed
        xsk.close()
    assert open_fds() == before


def test_sockets_that_cannot_be_are_refused(net, open_fds):
    before = open_fds()
    with net.inside("right"):
        for arguments, options, text in (
            (("nosuch",), {}, "no network interface 'nosuch'"),
            (("veth1", 99), {}, "has no queue 99"),
            (("veth1",), {"mode": "zero-copy"}, "has no zero-copy mode; mode 'copy' works"),
            (("veth1",), {"mode": "warp"}, "no mode of AF_XDP"),
            (("veth1",), {"rx": 100}, "a power of two of entries, not 100"),
            (("veth1",), {"rx": 0, "tx": 0}, "receives"),
        ):
            with pytest.raises(KernelError, match=text):
                XdpSocket(*arguments, **options)
        with XdpSocket("veth1") as xsk:
            with pytest.raises(KernelError, match="another socket, or a umem of another"):
                XdpSocket("veth1")
            with pytest.raises(KernelError, match="is no frame of 14 to 2048"):
                xsk.send(b"tiny")
        with XdpSocket("veth1", tx=0) as xsk, pytest.raises(KernelError, match="without a tra"):
            xsk.send(bytes(60))
        with XdpSocket("veth1", rx=0) as xsk, pytest.raises(KernelError, match="without a rec"):
            xsk.receive_frames()
    with pytest.raises(KernelError, match="2048 or 4096 bytes, not 1000"):
        Umem(frame_size=1000)
    with pytest.raises(KernelError, match="cannot be"):
        Umem(frames=0)
    assert open_fds() == before
