"""Records the captures of this folder: real traffic between network namespaces of its own.

    sudo python examples/data/record.py [FOLDER]

It makes three namespaces (clients, a switch, a server), joins them with veth pairs, runs a web
server and a DNS responder in one and their clients in another, and records what crosses the
switch's trunk, where each network has its VLAN tags:

    client  c0, c1, c2 ══ switch ─── trunk (recorded here) ─── switch ══ s0, s1, s2  server

Nothing leaves the namespaces, and they are removed at the end, whatever happens.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import fcntl
import functools
import http.client
import http.server
import itertools
import os
import random
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NamedTuple

from ebee.machine.capture import CaptureWriter

# Addresses are from the blocks for documentation (RFC 5737, 3849), benchmarks (RFC 2544) and
# private use (RFC 1918, 4193); MAC addresses are locally administered.
SERVER4, SERVER6 = "192.0.2.10", "2001:db8:2::10"
CLIENT4, CLIENT6 = "198.51.100.7", "2001:db8:1::7"
OTHER4 = "198.51.100.9"
BLOCKED4, BLOCKED6 = "203.0.113.66", "2001:db8:bad::66"
FLOOD_FRAMES = 5000


class Net(NamedTuple):
    """A network: its VLAN tags on the trunk (type, id), and who has which address in it."""

    tags: tuple[tuple[int, int], ...]
    clients: tuple[str, ...]
    servers: tuple[str, ...]
    routes_to_clients: tuple[str, ...] = ()
    routes_to_servers: tuple[str, ...] = ()


NETS = (
    Net(
        (),
        (f"{CLIENT4}/32", f"{OTHER4}/32", f"{BLOCKED4}/32", f"{CLIENT6}/128", f"{BLOCKED6}/128"),
        (f"{SERVER4}/32", f"{SERVER6}/128"),
        ("198.51.100.0/24", "203.0.113.0/24", "2001:db8:1::/48", "2001:db8:bad::/48"),
        (SERVER4, SERVER6),
    ),
    Net(
        ((0x8100, 100),), ("10.100.0.7/24", "fd00:100::7/64"), ("10.100.0.10/24", "fd00:100::10/64")
    ),
    Net(((0x88A8, 200), (0x8100, 7)), ("10.200.0.7/24",), ("10.200.0.10/24",)),
)
CLIENT_MAC, SERVER_MAC = "02:00:00:00:01:%02x", "02:00:00:00:02:%02x"

# Linux's numbers, where Python's socket module has none.
ETH_P_ALL = 3
PACKET_OUTGOING = 4
SOL_PACKET, PACKET_AUXDATA = 263, 8
SO_RCVBUFFORCE, SO_TIMESTAMPNS = 33, 35
TP_STATUS_VLAN_VALID = 1 << 4
SIOCETHTOOL = 0x8946
OFFLOADS = (0x17, 0x1F, 0x24)  # ETHTOOL_STXCSUM, ETHTOOL_STSO, ETHTOOL_SGSO


# ------------------------------------------------------------------------------------ raw frames


def packet_socket(interface: str) -> socket.socket:
    """A socket that gets every frame of an interface, tagged ones with their tags."""
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
    sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    sock.bind((interface, ETH_P_ALL))
    return sock


def receive(sock: socket.socket) -> tuple[bytes, int, bool]:
    """A frame, its time in nanoseconds, and whether it was sent from here rather than received."""
    frame, ancillary, _, address = sock.recvmsg(65536, 256)
    stamp = 0
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
            seconds, nanoseconds = struct.unpack("qq", data)
            stamp = seconds * 1_000_000_000 + nanoseconds
        elif (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
            # The kernel has taken the outer VLAN tag out of the frame: put it back.
            status, _, _, _, _, tci, tpid = struct.unpack("IIIHHHH", data)
            if status & TP_STATUS_VLAN_VALID:
                frame = frame[:12] + struct.pack("!HH", tpid or 0x8100, tci) + frame[12:]
    return frame, stamp, address[2] == PACKET_OUTGOING


def tag(frame: bytes, tags: tuple[tuple[int, int], ...]) -> bytes:
    return frame[:12] + b"".join(struct.pack("!HH", *one) for one in tags) + frame[12:]


def no_offloads(*interfaces: str) -> None:
    """Have the kernel compute checksums and cut segments itself, so that frames are complete."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for interface, command in itertools.product(interfaces, OFFLOADS):
            value = ctypes.create_string_buffer(struct.pack("II", command, 0))
            request = struct.pack("16sP", interface.encode(), ctypes.addressof(value))
            fcntl.ioctl(sock, SIOCETHTOOL, request)


def checksum(data: bytes) -> int:
    data += bytes(len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def ethernet(kind: int, body: bytes) -> bytes:
    macs = (SERVER_MAC % 0, CLIENT_MAC % 0)
    return (
        b"".join(bytes.fromhex(mac.replace(":", "")) for mac in macs)
        + struct.pack("!H", kind)
        + body
    )


def ipv4(source: str, destination: str, protocol: int, body: bytes, ihl: int = 5) -> bytes:
    addresses = ip_address(source).packed + ip_address(destination).packed
    head = struct.pack("!BBHHHBBH", 0x40 | ihl, 0, 20 + len(body), 0, 0x4000, 64, protocol, 0)
    total = checksum(head + addresses)
    return head[:10] + struct.pack("!H", total) + addresses + body


def syn(source: str, destination: str, sport: int, dport: int, sequence: int) -> bytes:
    """An Ethernet frame with the first segment of a TCP connection."""
    segment = struct.pack("!HHIIBBHHH", sport, dport, sequence, 0, 0x50, 0x02, 64240, 0, 0)
    pseudo = ip_address(source).packed + ip_address(destination).packed + struct.pack("!HH", 6, 20)
    total = checksum(pseudo + segment)
    segment = segment[:16] + struct.pack("!H", total) + segment[18:]
    return ethernet(0x0800, ipv4(source, destination, 6, segment))


# ------------------------------------------------------ what runs inside the namespaces, by name


def ready() -> None:
    print("ready", flush=True)


def run_switch() -> None:
    """Forward between the networks' ports and the trunk, tagging one way and untagging back."""
    halves = []
    for prefix, name in (("pc", "t0"), ("ps", "t1")):
        ports = [packet_socket(f"{prefix}{number}") for number in range(len(NETS))]
        halves.append((packet_socket(name), ports))
    sockets = {sock: (trunk, ports) for trunk, ports in halves for sock in (trunk, *ports)}
    ready()
    while True:
        for sock in select.select(list(sockets), [], [])[0]:
            frame, _, ours = receive(sock)
            if ours:
                continue
            trunk, ports = sockets[sock]
            if sock is not trunk:
                trunk.send(tag(frame, NETS[ports.index(sock)].tags))
                continue
            for port, net in sorted(zip(ports, NETS, strict=True), key=lambda p: -len(p[1].tags)):
                size = 4 * len(net.tags)
                if frame[12 : 12 + size] == tag(bytes(12), net.tags)[12:]:
                    port.send(frame[:12] + frame[12 + size :])
                    break


def run_recorder(path: str) -> None:
    """Record the trunk until SIGTERM."""
    sock = packet_socket("t1")
    frames = []
    stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stop.append(number))
    ready()
    while True:
        if select.select([sock], [], [], 0.2)[0]:
            frame, stamp, _ = receive(sock)
            frames.append((stamp, frame))
        elif stop:
            break
    with CaptureWriter(path, name="trunk") as writer:
        for stamp, frame in sorted(frames):
            writer.write(frame, stamp)


PAGE = "<!doctype html>\n<title>ebee</title>\n" + "<p>A page of a small web server.</p>\n" * 40


def run_server() -> None:
    """A web server on ports 80 and 8000, and a responder on UDP port 53."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "index.html").write_text(PAGE)
        Path(folder, "image.png").write_bytes(random.Random(1).randbytes(20_000))
        handler = functools.partial(Quiet, directory=folder)
        for port in (80, 8000):
            server = DualStack(("::", port), handler)
            threading.Thread(target=server.serve_forever, daemon=True).start()
        sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        sock.bind(("::", 53))
        ready()
        while True:
            query, address = sock.recvfrom(65536)
            sock.sendto(dns_answer(query), address)


class Quiet(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        pass


class DualStack(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6


def dns_query(number: int, name: str) -> bytes:
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return struct.pack("!6H", number, 0x0100, 1, 0, 0, 0) + labels + struct.pack("!BHH", 0, 1, 1)


def dns_answer(query: bytes) -> bytes:
    """The answer to a query for an address; queries past 512 bytes are not understood."""
    if len(query) > 512:
        return query[:2] + struct.pack("!5H", 0x8181, 0, 0, 0, 0)
    record = struct.pack("!HHHIH", 0xC00C, 1, 1, 300, 4) + ip_address(SERVER4).packed
    return query[:2] + struct.pack("!5H", 0x8180, 1, 1, 0, 0) + query[12:] + record


def run_web_clients() -> None:
    """Everything of web.pcapng, one after the other."""
    for source, server in ((CLIENT4, SERVER4), (CLIENT6, SERVER6)):
        fetch(source, server, 80, "/", "/image.png", "/nothing")
        fetch(source, server, 8000, "/")
        ask(source, server, dns_query(1, "www.example.org"))
        ask(source, server, dns_query(2, "x" * 60 + ".example") + bytes(2900))  # in fragments
        ping(source, server)
        scan(source, server)
    for source, server in (
        ("10.100.0.7", "10.100.0.10"),
        ("fd00:100::7", "fd00:100::10"),
        ("10.200.0.7", "10.200.0.10"),
    ):
        ping(source, server)
        fetch(source, server, 80, "/")
    ping(CLIENT4, SERVER4, bytes.fromhex("94040000"))  # router alert: an IPv4 option
    ping(CLIENT4, SERVER4, kind=13)  # time stamp request
    ask(CLIENT6, SERVER6, dns_query(3, "www.example.org"), extensions=True)
    for source, server in ((OTHER4, SERVER4), (BLOCKED4, SERVER4), (BLOCKED6, SERVER6)):
        scan(source, server)
        fetch(source, server, 80, "/")
    odd_frames()


def run_flood_clients() -> None:
    """The flood, while somebody goes on reading the web."""
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            fetch(CLIENT4, SERVER4, 80, "/")
            time.sleep(0.02)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        flood()
    finally:
        done.set()
        reader.join()


def fetch(source: str, server: str, port: int, *paths: str) -> None:
    connection = http.client.HTTPConnection(server, port, 5, (source, 0))
    for path in paths:
        connection.request("GET", path)
        connection.getresponse().read()
    connection.close()


def family_of(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def ask(source: str, server: str, query: bytes, extensions: bool = False) -> None:
    with socket.socket(family_of(source), socket.SOCK_DGRAM) as sock:
        if extensions:  # six bytes of padding each, as the smallest extension headers there are
            for option in (socket.IPV6_HOPOPTS, socket.IPV6_DSTOPTS):
                sock.setsockopt(socket.IPPROTO_IPV6, option, bytes([0, 0, 1, 4, 0, 0, 0, 0]))
        sock.settimeout(5)
        sock.bind((source, 0))
        sock.sendto(query, (server, 53))
        sock.recv(4096)


def ping(source: str, server: str, options: bytes = b"", kind: int | None = None) -> None:
    family = family_of(source)
    if family == socket.AF_INET6:
        protocol, kind = socket.IPPROTO_ICMPV6, 128
    else:
        protocol, kind = socket.IPPROTO_ICMP, 8 if kind is None else kind
    with socket.socket(family, socket.SOCK_RAW, protocol) as sock:
        if options:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, options)
        sock.settimeout(5)
        sock.bind((source, 0))
        body = bytes(12) if kind == 13 else bytes(range(56))
        for number in range(2):
            message = struct.pack("!BBHHH", kind, 0, 0, 7, number) + body
            if family == socket.AF_INET:  # for IPv6 the kernel does this
                message = message[:2] + struct.pack("!H", checksum(message)) + message[4:]
            sock.sendto(message, (server, 0))
            sock.recv(4096)


def scan(source: str, server: str) -> None:
    for port in (21, 22, 23, 25, 110, 143, 445, 3306, 3389, 5432, 6379, 8080):
        with socket.socket(family_of(source), socket.SOCK_STREAM) as sock:
            sock.settimeout(5)
            sock.bind((source, 0))
            with contextlib.suppress(ConnectionRefusedError):
                sock.connect((server, port))


def odd_frames() -> None:
    """Frames that are cut off or contradict themselves, and some that are merely strange."""
    whole = syn(CLIENT4, SERVER4, 40000, 80, 1)
    padding = bytes([60, 0, 1, 4, 0, 0, 0, 0])  # a destination options header, then another
    six = ip_address(CLIENT6).packed + ip_address(SERVER6).packed
    chain = padding * 9
    frames = [
        whole[:40],  # ends inside the TCP header
        whole[:30],  # ends inside the IP header
        ethernet(0x0800, ipv4(CLIENT4, SERVER4, 6, bytes(20), ihl=4)),
        ethernet(0x0800, ipv4(CLIENT4, SERVER4, 6, bytes(4), ihl=15)),  # options that are not there
        ethernet(0x0800, b"\x65" + whole[15:]),  # IP version 6, says Ethernet version 4
        ethernet(0x86DD, struct.pack("!IHBB", 6 << 28, len(chain), 60, 64) + six + chain),
        ethernet(0x86DD, struct.pack("!IHBB", 6 << 28, 8, 60, 64) + six + b"\x06\xff" + bytes(6)),
        tag(whole, ((0x8100, 1), (0x8100, 2), (0x8100, 3))),
        ethernet(0x88CC, bytes(46)),  # LLDP: not IP at all
        ethernet(0x0800, ipv4(CLIENT4, SERVER4, 47, bytes(4))),  # GRE
    ]
    with packet_socket("c0") as sock:
        for frame in frames:
            sock.send(frame)


def flood() -> None:
    """A SYN flood: a few sources that send a lot, and many that send one segment each."""
    dice = random.Random(2026)
    heavy = [f"198.18.{n}.{n + 100}" for n in range(8)]
    with packet_socket("c0") as sock:
        for number in range(FLOOD_FRAMES):
            rare = f"198.19.{dice.randrange(256)}.{dice.randrange(1, 255)}"
            source = dice.choices(heavy, range(8, 0, -1))[0] if dice.random() < 0.4 else rare
            port = dice.choice((80, 80, 80, 443, 22))
            sock.send(syn(source, SERVER4, dice.randrange(1024, 65536), port, dice.getrandbits(32)))
            if number % 50 == 49:
                time.sleep(0.005)


ROLES: dict[str, Callable[..., None]] = {
    "switch": run_switch,
    "recorder": run_recorder,
    "server": run_server,
    "web": run_web_clients,
    "flood": run_flood_clients,
    "offloads": no_offloads,
}


# ----------------------------------------------------------------------------------- around them


def ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"record: ip {' '.join(words)}: {done.stderr.strip()}")


def inside(name: str, *words: str) -> list[str]:
    return [
        "ip",
        "netns",
        "exec",
        name,
        sys.executable,
        os.fspath(Path(__file__)),
        "--role",
        *words,
    ]


@contextlib.contextmanager
def background(name: str, *words: str) -> Iterator[None]:
    """A role that runs in a namespace until the block ends."""
    child = subprocess.Popen(inside(name, *words), stdout=subprocess.PIPE)
    assert child.stdout is not None
    try:
        if child.stdout.readline() != b"ready\n":
            sys.exit(f"record: the {words[0]} did not start")
        yield
    finally:
        child.terminate()
        child.wait(10)


@contextlib.contextmanager
def namespaces() -> Iterator[tuple[str, str, str]]:
    """The three namespaces with all their links; removed with everything in them at the end."""
    names = tuple(f"ebee-record-{os.getpid()}-{role}" for role in ("client", "switch", "server"))
    client, switch, server = names
    try:
        for name in names:
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
        quiet = "echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6"
        ip("netns", "exec", switch, "sh", "-c", quiet)
        connect(switch, "t0", switch, "t1", mtu=1600)
        for number, net in enumerate(NETS):
            for side, mac, addresses, routes in (
                ("c", CLIENT_MAC, net.clients, net.routes_to_servers),
                ("s", SERVER_MAC, net.servers, net.routes_to_clients),
            ):
                home, device = client if side == "c" else server, f"{side}{number}"
                connect(home, device, switch, f"p{device}", mac=mac % number)
                for address in addresses:
                    ip("-n", home, "address", "add", address, "dev", device, *nodad(address))
                for route in routes:
                    ip("-n", home, "route", "add", route, "dev", device)
        for name, side in ((client, "c"), (server, "s")):
            devices = [f"{side}{number}" for number in range(len(NETS))]
            subprocess.run(inside(name, "offloads", *devices), check=True)
        yield client, switch, server
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "delete", name], stderr=subprocess.DEVNULL)


def nodad(address: str) -> list[str]:
    return ["nodad"] if ":" in address else []


def connect(
    home: str, device: str, other_home: str, other: str, mac: str = "", mtu: int = 1500
) -> None:
    """A veth pair between two namespaces, or inside one."""
    peer = ["peer", "name", other, "netns", other_home, "mtu", str(mtu)]
    address = ["address", mac] if mac else []
    ip("link", "add", device, "netns", home, "mtu", str(mtu), *address, "type", "veth", *peer)
    ip("-n", home, "link", "set", device, "up")
    ip("-n", other_home, "link", "set", other, "up")


def record(folder: Path, name: str, role: str) -> None:
    path = folder / name
    with (
        namespaces() as (client, switch, server),
        background(switch, "switch"),
        background(server, "server"),
    ):
        time.sleep(1)  # the links' own IPv6 chatter is over by then
        with background(switch, "recorder", os.fspath(path)):
            subprocess.run(inside(client, role), check=True, timeout=120)
    print(f"{path}: {path.stat().st_size} bytes")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).parent)
    parser.add_argument("--role", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.role:
        with contextlib.suppress(KeyboardInterrupt):
            ROLES[arguments.role[0]](*arguments.role[1:])
        return
    if os.geteuid():
        sys.exit("record: network namespaces need root: run it with sudo")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("record: stopped"))  # cleans up
    record(arguments.folder, "web.pcapng", "web")
    record(arguments.folder, "flood.pcap.gz", "flood")


if __name__ == "__main__":
    main()
