"""Programs in Python at the hooks of control groups, sockets, packets and TCP: attached, and seen
to decide."""

import errno
import os
import shutil
import socket
import struct
import subprocess
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from ebee import linux
from ebee.errors import EbeeError, KernelError
from ebee.lang.bpf import build
from ebee.lang.source import define
from ebee.linux.errors import older_than
from ebee.obj import save

pytestmark = pytest.mark.kernel
COVERS = (
    "hook:cgroup_skb", "hook:cgroup_sock", "hook:cgroup_sock_addr", "hook:cgroup_sockopt",
    "hook:cgroup_sysctl", "hook:cgroup_dev", "hook:sock_ops", "hook:sk_msg", "hook:sk_skb",
    "hook:sk_lookup", "hook:sk_reuseport", "hook:flow_dissector", "hook:netfilter",
    "hook:lwt_xmit", "hook:struct_ops", "hook:syscall",
)  # fmt: skip


def compiled(text, name="program"):
    return build.compile(define("from ebee import *\n" + text)[name])


def loaded(text, name="program"):
    return linux.load(compiled(text, name))


def in_cgroup(cgroup, action):
    """What an action gives in a process of the group: a number from 0 to 200, or the number of
    the error that it ends with."""
    child = os.fork()
    if not child:
        code = 255
        with suppress(BaseException):
            (cgroup / "cgroup.procs").write_text(str(os.getpid()))
            try:
                code = action() or 0
            except OSError as error:
                code = error.errno
        os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


# --- control groups ------------------------------------------------------------------------------


def test_sockets_are_denied(cgroup):
    with loaded("""
@cgroup_sock("create")
def program(ctx: SockContext) -> Access:
    return Access.DENY if ctx.family == AF_INET6 and ctx.type == 2 else Access.ALLOW
""") as made, made.programs["program"].attach(str(cgroup)):  # fmt: skip
        for family, kind, code in (
            (socket.AF_INET6, socket.SOCK_DGRAM, errno.EPERM),
            (socket.AF_INET6, socket.SOCK_STREAM, 0), (socket.AF_INET, socket.SOCK_DGRAM, 0),
        ):  # fmt: skip
            assert in_cgroup(cgroup, lambda f=family, k=kind: socket.socket(f, k).close()) == code


POST_BIND = """
@cgroup_sock("post_bind4")
def program(ctx: SockContext) -> Access:
    return Access.DENY if ctx.src_port == 8099 and ctx.src_ip4 == 0x7f000002 else Access.ALLOW
"""


def test_what_was_bound_is_seen(cgroup):
    def bind(host, port):
        with socket.socket() as s:
            s.bind((host, port))

    with loaded(POST_BIND) as made, made.programs["program"].attach(str(cgroup)):
        assert in_cgroup(cgroup, lambda: bind("127.0.0.2", 8099)) == errno.EPERM
        assert in_cgroup(cgroup, lambda: bind("127.0.0.3", 8099)) == 0


CONNECT = """
ports = Hash[u16, u16](max_entries=16)

@cgroup_sock_addr("connect4")
def program(ctx: SockAddrContext) -> Access:
    if ctx.user_ip4 != 0x0a0b0c0d:
        return Access.ALLOW
    port = ports.lookup(ctx.user_port)
    if port is None:
        return Access.DENY
    ctx.user_ip4 = 0x7f000001
    ctx.user_port = port[0]
    return Access.ALLOW
"""


def test_connections_go_elsewhere(cgroup):
    with (
        loaded(CONNECT) as made,
        made.programs["program"].attach(str(cgroup)),
        socket.create_server(("127.0.0.1", 0)) as server,
    ):
        made.maps["ports"][80] = server.getsockname()[1]

        def call(port):
            socket.create_connection(("10.11.12.13", port), 5).close()

        assert in_cgroup(cgroup, lambda: call(80)) == 0
        assert server.accept()[1][0] == "127.0.0.1"
        assert in_cgroup(cgroup, lambda: call(81)) == errno.EPERM


CONNECT6 = """
@cgroup_sock_addr("connect6")
def program(ctx: SockAddrContext) -> Access:
    if ctx.user_ip6[0] == 0x20010db8 and ctx.user_ip6[3] == 7:
        for i in range(4):
            ctx.user_ip6[i] = 0
        ctx.user_ip6[3] = 1
        ctx.user_port -= 1
    return Access.ALLOW
"""


def test_connections_of_ipv6_go_elsewhere(cgroup):
    with (
        loaded(CONNECT6) as made,
        made.programs["program"].attach(str(cgroup)),
        socket.create_server(("::1", 0), family=socket.AF_INET6) as server,
    ):
        port = server.getsockname()[1] + 1

        def call():
            socket.create_connection(("2001:db8::7", port), 5).close()

        assert in_cgroup(cgroup, call) == 0


RECEIVED = """
@cgroup_sock_addr("recvmsg4")
def program(ctx: SockAddrContext) -> Access:
    ctx.user_port = 7
    ctx.user_ip4 = 0x01020304
    return Access.ALLOW
"""


def test_senders_are_renamed(cgroup):
    def talk():
        with socket.socket(type=socket.SOCK_DGRAM) as s:
            s.bind(("127.0.0.1", 0))
            s.sendto(b"x", s.getsockname())
            return 0 if s.recvfrom(10)[1] == ("1.2.3.4", 7) else 1

    with loaded(RECEIVED) as made, made.programs["program"].attach(str(cgroup)):
        assert in_cgroup(cgroup, talk) == 0


OPTIONS = """
@struct
class Number:
    value: u32

asked: Global[u32] = 0

@cgroup_sockopt("get")
def program(ctx: SockoptContext) -> Access:
    global asked
    if ctx.level != 1 or ctx.optname != 8:
        return Access.ALLOW
    asked += 1
    value = ctx.packet().take(Number)
    if value is None or ctx.sk.protocol != 17:
        return Access.ALLOW
    value.value = 4711
    ctx.retval = 0
    return Access.ALLOW
"""


def test_socket_options_are_invented(cgroup):
    def ask():
        with socket.socket(type=socket.SOCK_DGRAM) as s:
            return 0 if s.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == 4711 else 1

    with loaded(OPTIONS) as made, made.programs["program"].attach(str(cgroup)):
        assert in_cgroup(cgroup, ask) == 0
        assert made.variables["asked"].value == 1


SYSCTL = """
from typing import Literal

@struct
class Name:
    text: array[char, Literal[32]]

@cgroup_sysctl
def program(ctx: SysctlContext) -> Access:
    name = Name()
    bpf.sysctl_get_name(ctx, name, sizeof(Name), 1)
    return Access.DENY if name.text == "ostype" and not ctx.write else Access.ALLOW
"""


def test_settings_are_hidden(cgroup):
    def read(name):
        Path(f"/proc/sys/kernel/{name}").read_text()

    with loaded(SYSCTL) as made, made.programs["program"].attach(str(cgroup)):
        assert in_cgroup(cgroup, lambda: read("ostype")) == errno.EPERM
        assert in_cgroup(cgroup, lambda: read("osrelease")) == 0


DEVICES = """
@cgroup_device
def program(ctx: DeviceContext) -> Access:
    return Access.ALLOW if ctx.major == 1 and ctx.minor in (3, 5) else Access.DENY
"""


def test_devices_are_denied(cgroup):
    def open_(path):
        os.close(os.open(path, os.O_RDONLY))

    with loaded(DEVICES) as made, made.programs["program"].attach(str(cgroup)):
        assert in_cgroup(cgroup, lambda: open_("/dev/zero")) == 0
        assert in_cgroup(cgroup, lambda: open_("/dev/urandom")) == errno.EPERM


EGRESS = """
dropped: Global[u32] = 0

@cgroup_skb("egress")
def program(ctx: SkbContext) -> Cgroup:
    global dropped
    packet = ctx.packet()
    ip = packet.parse(IPv4)
    if ctx.protocol != ETH_IP or ip is None or ip.protocol != UDP_PROTOCOL:
        return Cgroup.PASS
    udp = packet.parse(UDP)
    if udp is None or udp.destination != 9999:
        return Cgroup.PASS
    sk = ctx.sk
    if sk is not None and sk.family == AF_INET and sk.dst_port == 0:
        whole = bpf.sk_fullsock(sk)
        if whole is not None and whole.protocol == UDP_PROTOCOL:
            dropped += 1
    return Cgroup.DROP
"""


def test_packets_are_dropped(cgroup):
    def send(port):
        with socket.socket(type=socket.SOCK_DGRAM) as s:
            s.sendto(b"x", ("127.0.0.1", port))

    with loaded(EGRESS) as made, made.programs["program"].attach(str(cgroup)):
        assert in_cgroup(cgroup, lambda: send(9999)) == errno.EPERM
        assert in_cgroup(cgroup, lambda: send(9998)) == 0
        assert made.variables["dropped"].value == 1


SOCK_OPS = """
from enum import IntEnum

class Op(IntEnum):
    ACTIVE = 4
    PASSIVE = 5
    STATE = 10

@struct
class Seen:
    local: u32
    remote: u32
    remote_ip: u32
    window: u32

seen = Hash[u32, Seen](max_entries=16)

@sock_ops
def program(ctx: SockOpsContext) -> Access:
    if ctx.op not in (Op.ACTIVE, Op.PASSIVE):
        return Access.ALLOW
    window = u32(0)
    sk = ctx.sk
    if sk is not None:
        tcp = bpf.tcp_sock(sk)
        if tcp is not None:
            window = tcp.snd_cwnd
    seen[ctx.op] = Seen(
        local=ctx.local_port, remote=ctx.remote_port, remote_ip=ctx.remote_ip4, window=window
    )
    return Access.ALLOW
"""


def test_connections_are_watched(cgroup):
    def talk():
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            with socket.create_connection(("127.0.0.1", port)) as client:
                client.sendall(struct.pack("<H", client.getsockname()[1]))
                with server.accept()[0] as there:
                    there.recv(2)

    with loaded(SOCK_OPS) as made, made.programs["program"].attach(str(cgroup)):
        assert in_cgroup(cgroup, talk) == 0
        found = dict(made.maps["seen"].items())
    assert found.keys() == {4, 5}
    active, passive = found[4], found[5]
    assert (active["local"], active["remote"]) == (passive["remote"], passive["local"])
    assert active["remote_ip"] == passive["remote_ip"] == 0x7F000001
    assert active["window"] >= 2


# --- socket maps ---------------------------------------------------------------------------------

PEERS = """
peers = SockMap(max_entries=2)

@sk_skb("stream_parser")
def parser(ctx: SkbContext) -> int:
    return ctx.len

@sk_skb("stream_verdict")
def verdict(ctx: SkbContext) -> SK:
    bpf.skb_pull_data(ctx, 1)
    first = ctx.packet().take(Letter)
    if first is not None and first.letter == 33:
        return SK.DROP
    return peers.redirect(ctx, 1)

@sk_msg
def message(ctx: MsgContext) -> SK:
    first = ctx.packet().take(Letter)
    return SK.DROP if first is not None and first.letter == 63 and ctx.size > 1 else SK.PASS

@struct
class Letter:
    letter: u8
"""


def pair(stack):
    """Two ends of a TCP connection."""
    server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    one = stack.enter_context(socket.create_connection(server.getsockname()))
    other = stack.enter_context(server.accept()[0])
    one.settimeout(5)
    other.settimeout(5)
    return one, other


def test_data_goes_from_socket_to_socket():
    text = define("from ebee import *\n" + PEERS)
    import types

    module = types.ModuleType("peers")
    vars(module).update(text)
    with ExitStack() as stack, linux.load(build.compile(module)) as made:
        a, inner_a = pair(stack)
        b, inner_b = pair(stack)
        peers = made.maps["peers"]
        for name in ("parser", "verdict", "message"):
            stack.enter_context(made.programs[name].attach(peers))
        peers[0], peers[1] = inner_a.fileno(), inner_b.fileno()
        a.sendall(b"hello")  # arrives at inner_a, and goes out of inner_b
        assert b.recv(10) == b"hello"
        a.sendall(b"!lost")
        a.sendall(b"more")
        assert b.recv(10) == b"more"
        with pytest.raises(PermissionError):
            inner_b.sendall(b"?denied")


LOOKUP = """
servers = SockMap(max_entries=1)

@sk_lookup
def program(ctx: SkLookupContext) -> SK:
    if ctx.local_port != 7007 or ctx.remote_ip4 != 0x0a630001 or ctx.remote_port < 1024:
        return SK.PASS
    server = servers.lookup(0)
    if server is None:
        return SK.DROP
    failed = bpf.sk_assign(ctx, server, 0)
    bpf.sk_release(server)
    return SK.PASS if failed == 0 else SK.DROP
"""


def test_sockets_are_chosen_for_packets(net):
    with ExitStack() as stack, loaded(LOOKUP) as made:
        with net.inside("right"):
            server = stack.enter_context(socket.create_server(("10.99.0.2", 5555)))
            made.maps["servers"][0] = server.fileno()
            stack.enter_context(made.programs["program"].attach(f"/run/netns/{net.right}"))
        with net.inside("left"):
            client = stack.enter_context(socket.create_connection(("10.99.0.2", 7007), 5))
            assert client.getpeername()[1] == 7007
        server.settimeout(5)
        server.accept()[0].close()


REUSEPORT = """
servers = ReuseportArray(max_entries=2)

@struct
class Choice:
    number: u8

@sk_reuseport
def program(ctx: ReuseportContext) -> SK:
    packet = ctx.packet()
    if not packet.skip(8):
        return SK.DROP
    choice = packet.take(Choice)
    if choice is None or ctx.eth_protocol != ETH_IP:
        return SK.DROP
    servers.select(ctx, u32(choice.number & 1))
    return SK.PASS
"""


def test_sockets_of_a_group_are_chosen_by_content():
    with ExitStack() as stack, loaded(REUSEPORT) as made:
        group = []
        for i in range(2):
            s = stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            s.bind(group[0].getsockname() if group else ("127.0.0.1", 0))
            s.settimeout(5)
            group.append(s)
            made.maps["servers"][i] = s.fileno()
        stack.enter_context(made.programs["program"].attach(group[0]))
        sender = stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
        for number in (1, 0, 0, 1, 1):
            sender.sendto(bytes([number, 9]), group[0].getsockname())
            assert group[number].recv(10) == bytes([number, 9])


# --- packets -------------------------------------------------------------------------------------

DISSECTOR = """
@flow_dissector
def program(ctx: SkbContext) -> Flow:
    packet = ctx.packet()
    keys = ctx.flow_keys
    eth = packet.parse(Ethernet)
    if eth is None or eth.type != ETH_IP:
        return Flow.CONTINUE
    ip = packet.parse(IPv4)
    udp = packet.parse(UDP)
    if ip is None or udp is None:
        return Flow.DROP
    keys.nhoff = 14
    keys.thoff = 34
    keys.addr_proto = ETH_IP
    keys.n_proto = ETH_IP
    keys.ip_proto = ip.protocol
    keys.addresses.ipv4.source = ip.source
    keys.addresses.ipv4.destination = ip.destination
    keys.sport = udp.source
    keys.dport = udp.destination
    return Flow.OK
"""


def test_flows_are_dissected():
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 28, 0, 0, 64, 17, 0, b"\x01\x02\x03\x04", b"\x05678")
    frame = bytes(12) + b"\x08\x00" + ip + struct.pack(">HHHH", 1000, 53, 8, 0)
    with loaded(DISSECTOR) as made:
        done = made.programs["program"].test_run(frame)
        assert done.retval == 0
        keys = done.data
        assert struct.unpack_from("<HHHBBBB", keys) == (14, 34, 0x800, 0, 0, 0, 17)
        assert struct.unpack_from(">HHH4s4s", keys, 10) == (
            0x800, 1000, 53, b"\x01\x02\x03\x04", b"\x05678"
        )  # fmt: skip


NETFILTER = """
seen: Global[u32] = 0

@netfilter
def program(ctx: NetfilterContext) -> NF:
    global seen
    seen = ctx.skb.len
    return NF.DROP if ctx.state.hook == 1 else NF.ACCEPT
"""


def test_netfilter_drops(net):
    with loaded(NETFILTER) as made, net.inside("right"):
        try:
            link = made.programs["program"].attach(family="ipv4", hook="local_in", priority=10)
        except KernelError as error:
            pytest.skip(str(error))
        with link, socket.socket(type=socket.SOCK_DGRAM) as s:
            s.bind(("127.0.0.1", 0))
            s.settimeout(0.2)
            s.sendto(b"x", s.getsockname())
            with pytest.raises(TimeoutError):
                s.recv(1)
            assert made.variables["seen"].value == 29


SYSCALL = """
@struct
class Sum:
    a: u32
    b: u32
    total: u64

@syscall
def program(ctx: Sum) -> None:
    ctx.total = u64(ctx.a) + ctx.b
"""


def test_syscall_programs_change_what_they_are_given():
    with loaded(SYSCALL) as made:
        done = made.programs["program"].test_run(ctx=struct.pack("<IIQ", 3, 4, 0))
        assert struct.unpack("<IIQ", done.ctx) == (3, 4, 7)


# --- TCP -----------------------------------------------------------------------------------------

CALM = """
from typing import Literal

calls: Global[u64] = 0

@struct_ops("tcp_congestion_ops", link=LINK)
class Calm:
    name: array[char, Literal[16]] = "NAME"

    def ssthresh(self, sk: ptr[u8]) -> u32:
        return 2

    def undo_cwnd(self, sk: ptr[u8]) -> u32:
        return 5

    def cong_avoid(self, sk: ptr[u8], ack: u32, acked: u32) -> None:
        global calls
        calls += acked
"""


@pytest.mark.parametrize("link", [True, False])
def test_tcp_with_a_congestion_control_of_our_own(link):
    if link and older_than("6.4"):
        pytest.skip("links of struct_ops require Linux >= 6.4")
    name = f"ebee_{os.getpid() % 100000}"
    text = CALM.replace("LINK", str(link)).replace("NAME", name)
    spec = build.compile(define("from ebee import *\n" + text)["Calm"])
    assert set(spec.programs) == {"Calm_ssthresh", "Calm_undo_cwnd", "Calm_cong_avoid"}
    with linux.load(spec) as made, ExitStack() as stack:
        stack.enter_context(made.maps["Calm"].attach())
        one, other = pair(stack)
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, name.encode())
        one.sendall(b"x" * 100)
        assert len(other.recv(100)) == 100
        assert (
            one.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16)[: len(name)].decode()
            == name
        )
        assert made.variables["calls"].value > 0
        for s in (one, other):
            s.close()


def test_bpftool_registers_it(tmp_path):
    if not shutil.which("bpftool"):
        pytest.skip("needs bpftool")
    name = f"Calm{os.getpid()}"
    text = CALM.replace("LINK", "False").replace("NAME", name.lower()).replace("Calm", name)
    path = tmp_path / "calm.bpf.o"
    save(build.compile(define("from ebee import *\n" + text)[name]), path)
    try:
        done = subprocess.run(["bpftool", "struct_ops", "register", path], capture_output=True)
        assert f"Registered tcp_congestion_ops {name}".encode() in done.stdout + done.stderr
    finally:
        subprocess.run(["bpftool", "struct_ops", "unregister", "name", name], capture_output=True)


@pytest.mark.parametrize(
    ("change", "to", "said"),
    [
        ("ssthresh", "sthresh", r"no operation `sthresh`(?s:.*)it has .*ssthresh"),
        ("acked: u32", "acked: u32, more: u32", r"has 3 arguments: ptr\[sock\], u32, u32"),
        ("sk: ptr[u8]) -> u32:\n        return 2", "sk: u32) -> u32:\n        return 2",
         "leave the type away"),
        ("-> u32:\n        return 2", "-> None:\n        return", "gives a `u32`"),
        ("name: array[char, Literal[16]]", "nome: array[char, Literal[16]]", "no member 'nome'"),
        ('"NAME"', '"a name that is too long for it"', "does not fit"),
        ('= "NAME"', "= 3.5", "is no value for it"),
    ],
)  # fmt: skip
def test_what_the_kernel_s_struct_does_not_have_is_refused(change, to, said):
    text = CALM.replace("LINK", "True")
    assert change in text
    with pytest.raises(EbeeError, match=said):
        linux.load(build.compile(define("from ebee import *\n" + text.replace(change, to))["Calm"]))
