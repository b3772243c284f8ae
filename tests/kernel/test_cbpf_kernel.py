"""Classic BPF on a UDP socket in a network of its own: what the kernel knows of a real packet."""

import ctypes
import fcntl
import os
import socket
import struct
import threading
from collections.abc import Callable

import pytest

from ebee.isa import cbpf
from ebee.isa.cbpf import Skb, SockFilter

pytestmark = pytest.mark.kernel

CLONE_NEWNET = 0x40000000
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
SO_MARK, SO_ATTACH_FILTER = 36, 26
UDP_HEADER, PAYLOAD = 8, bytes(range(100, 164))

IP = struct.pack(
    ">BBHHHBBH4s4s", 0x45, 0, 20 + UDP_HEADER + len(PAYLOAD), 0, 0x4000, 64, 17, 0,
    bytes((127, 0, 0, 1)), bytes((127, 0, 0, 2)),
)  # fmt: skip
LOOPBACK = Skb(
    link=-34, network=-20, headroom=bytes(12) + b"\x08\x00" + IP, protocol=0x800, pkttype=0,
    ifindex=1, hatype=772, mark=0x1234567,
)  # fmt: skip

LOADS = [
    *("ld #len", "ld #proto", "ld #type", "ld #ifidx", "ld #hatype", "ld #mark"),
    *("ld #vlan_tci", "ld #vlan_avail", "ldh [2]", "ld [8]", "ldb [71]"),
    *("ldb [-1048576]", "ldh [-1048574]", "ldh [-1048568]", "ld [-1048564]", "ld [-1048560]"),
    *("ldh [-2097140]", "ld [-2097152]", "ldb [-2097129]"),
    *("ldx #0xfff00000\nldb [x + 9]", "ldx #0xffe00000\nldh [x + 12]", "ldx #-1\nldb [x + 9]"),
    *("ldxb 4*([-1048576]&0xf)\ntxa", "ldx #24\nld [x + -16]"),
]


def in_own_network(work: Callable[[], None]) -> None:
    """Run `work` in a thread with a network namespace, whose loopback device is up."""
    failures: list[BaseException] = []

    def thread() -> None:
        try:
            if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                request = bytearray(struct.pack("16sH14x", b"lo", 0))
                fcntl.ioctl(sock, SIOCGIFFLAGS, request)
                struct.pack_into("H", request, 16, struct.unpack_from("H", request, 16)[0] | IFF_UP)
                fcntl.ioctl(sock, SIOCSIFFLAGS, request)
            work()
        except BaseException as error:
            failures.append(error)

    runner = threading.Thread(target=thread)
    runner.start()
    runner.join()
    if failures:
        raise failures[0]


def kept(program: list[SockFilter], wait: float = 5) -> int:
    """How many bytes of a packet's payload the kernel keeps; TimeoutError when it is dropped."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        receiver.bind(("127.0.0.2", 7777))
        receiver.settimeout(wait)
        code = ctypes.create_string_buffer(cbpf.encode(program))
        header = struct.pack("@HP", len(program), ctypes.addressof(code))
        receiver.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, header)
        sender.setsockopt(socket.SOL_SOCKET, SO_MARK, LOOPBACK.mark)
        sender.bind(("127.0.0.1", 0))
        sender.sendto(PAYLOAD, ("127.0.0.2", 7777))
        return len(receiver.recv(1 << 16))


def test_loads_of_headers_and_of_what_comes_with_a_packet() -> None:
    """The kernel shows only how much it keeps: so five bits of A at a time."""

    def work() -> None:
        for load in LOADS:
            for part in range(7):
                show = f"rsh #{5 * part}\nand #0x1f\nadd #{UDP_HEADER + 1}\nret a"
                program = cbpf.parse(f"{load}\n{show}")
                udp = struct.pack(">HHHH", 0, 7777, UDP_HEADER + len(PAYLOAD), 0)
                verdict = cbpf.run(program, udp + PAYLOAD, LOOPBACK)
                assert verdict, load
                assert kept(program) == verdict - UDP_HEADER, (load, part)

    in_own_network(work)


@pytest.mark.parametrize("load", ["ldb [72]", "ld [69]", "ldb [-1047000]", "ldx #-5\nldb [x + 0]"])
def test_a_load_outside_the_packet_drops_it(load: str) -> None:
    program = cbpf.parse(f"{load}\nret #-1")
    assert cbpf.run(program, bytes(UDP_HEADER) + PAYLOAD, LOOPBACK) == 0

    def work() -> None:
        with pytest.raises(TimeoutError):
            kept(program, wait=0.2)

    in_own_network(work)
