"""Follows the selftest bpf_tcp_ca: congestion controls of TCP that are programs: DCTCP with its
state in the socket, its fall-back, and the kernel's Cubic called step by step."""

import socket
from contextlib import ExitStack
from errno import EBUSY
from pathlib import Path
from threading import Thread

import pytest

from ebee import (  # isort: skip
    Const, Global, SkStorage, array, bpf, cast, char, func, i32, ptr, struct, struct_ops, u8, u32,
    u64,
)  # fmt: skip
from ebee.errors import EbeeError

from ebee.kfuncs import (  # isort: skip
    cubictcp_acked, cubictcp_cong_avoid, cubictcp_cwnd_event, cubictcp_init,
    cubictcp_recalc_ssthresh, cubictcp_state, tcp_reno_cong_avoid, tcp_reno_undo_cwnd,
)  # fmt: skip
from ebee.vmlinux import ack_sample, rate_sample, sock, tcp_ca_event, tcp_ca_state, tcp_sock

pytestmark = pytest.mark.kernel
SINCE = "6.10"  # arguments of cong_control
FOLLOWS = {
    "prog_tests/bpf_tcp_ca.c: settcpca, start_test, do_test, cc_cb, stg_post_socket_cb, test_dctcp,"
    " test_dctcp_fallback, test_write_sk_pacing, test_incompl_cong_ops, test_update_ca,"
    " test_update_wrong, test_mixed_links, test_multi_links, test_link_replace, test_cc_cubic": 336,
    "progs/bpf_dctcp.c": 192,
    "progs/bpf_cc_cubic.c": 131,
    "progs/tcp_ca_update.c": 61,
    "progs/tcp_ca_write_sk_pacing.c": 53,
    "progs/tcp_ca_incompl_cong_ops.c": 20,
}

SOL_TCP, TCP_CONGESTION = 6, 13
NEEDS_ECN = 2  # TCP_CONG_NEEDS_ECN
ECN_OK, DEMAND_CWR = 1, 4  # TCP_ECN_OK, TCP_ECN_DEMAND_CWR
ACK_TIMER, ACK_NOW = 2, 16  # ICSK_ACK_TIMER, ICSK_ACK_NOW
MOST_ALPHA = 1024
SHIFT = 4  # the weight of a new sample is 1/2**4

fall_back: Const[u32] = 0
refused: Global[u32] = 0
stored: Global[i32] = 0
went_to: Global[array[char, 16]] = b""


# --- DCTCP ----------------------------------------------------------------------------------------


@struct
class Dctcp:
    """What DCTCP knows of a connection: in the room that sockets have for it."""

    delivered: u32
    delivered_marked: u32
    received_before: u32
    alpha: u32
    next: u32
    marked: u32
    window_at_loss: u32

    def begin(self, tcp: tcp_sock) -> None:
        self.next = tcp.snd_nxt
        self.delivered = tcp.delivered
        self.delivered_marked = tcp.delivered_ce


values = SkStorage[i32]()


@func
def state_of(tcp: tcp_sock) -> ptr[Dctcp]:
    return cast(ptr[Dctcp], tcp.inet_conn.icsk_ca_priv.ptr)


@func
def lost(tcp: tcp_sock) -> None:
    state_of(tcp).window_at_loss = tcp.snd_cwnd
    tcp.snd_ssthresh = max(tcp.snd_cwnd >> 1, u32(2))


@func
def demand(tcp: tcp_sock, marked: bool) -> None:
    if marked:
        tcp.ecn_flags |= DEMAND_CWR
    else:
        tcp.ecn_flags &= ~DEMAND_CWR


@func
def acknowledge(tcp: tcp_sock, marked: u32) -> None:
    """When marks begin or end, the other side is told at once."""
    ca = state_of(tcp)
    if ca.marked != marked:
        if tcp.inet_conn.icsk_ack.pending & ACK_TIMER:
            demand(tcp, ca.marked == 1)
            bpf.tcp_send_ack(tcp, ca.received_before)
        tcp.inet_conn.icsk_ack.pending |= ACK_NOW
    ca.received_before = tcp.rcv_nxt
    ca.marked = marked
    demand(tcp, marked == 1)


@struct_ops("tcp_congestion_ops")
class DCTCP:
    name = "ebee_dctcp"
    flags = NEEDS_ECN

    def init(self, tcp: tcp_sock) -> None:
        global stored, refused
        if fall_back and not tcp.ecn_flags & ECN_OK:
            if bpf.setsockopt(tcp, SOL_TCP, TCP_CONGESTION, "cubic", 6) == -EBUSY:
                refused += 1
            if bpf.setsockopt(tcp, SOL_TCP, TCP_CONGESTION, "ebee_dctcp", 11) == -EBUSY:
                refused += 1
            if bpf.setsockopt(tcp, SOL_TCP, TCP_CONGESTION, "cubic", 6) == -EBUSY:
                refused += 1
            bpf.getsockopt(tcp, SOL_TCP, TCP_CONGESTION, went_to, 16)
            return
        ca = state_of(tcp)
        ca.received_before = tcp.rcv_nxt
        ca.alpha = MOST_ALPHA
        ca.window_at_loss = 0
        ca.marked = 0
        value = values.get(tcp, create=False)
        if value is not None:
            stored = value[0]
            values.delete(tcp)
        ca.begin(tcp)

    def ssthresh(self, tcp: tcp_sock) -> u32:
        ca = state_of(tcp)
        ca.window_at_loss = tcp.snd_cwnd
        return max(tcp.snd_cwnd - (tcp.snd_cwnd * ca.alpha >> 11), u32(2))

    def in_ack_event(self, tcp: tcp_sock, flags: u32) -> None:
        """Once in a round-trip time: alpha goes towards the share of marked packets."""
        ca = state_of(tcp)
        if i32(tcp.snd_una - ca.next) < 0:
            return
        marked = tcp.delivered_ce - ca.delivered_marked
        alpha = ca.alpha
        alpha -= alpha >> SHIFT or alpha
        if marked:
            delivered = max(tcp.delivered - ca.delivered, u32(1))
            alpha = min(alpha + (marked << 10 - SHIFT) // delivered, u32(MOST_ALPHA))
        ca.alpha = alpha
        ca.begin(tcp)

    def set_state(self, tcp: tcp_sock, state: u8) -> None:
        if state == tcp_ca_state.TCP_CA_Recovery and state != tcp.inet_conn.icsk_ca_state:
            lost(tcp)

    def cwnd_event(self, tcp: tcp_sock, event: u32) -> None:
        match event:
            case tcp_ca_event.CA_EVENT_ECN_IS_CE:
                acknowledge(tcp, 1)
            case tcp_ca_event.CA_EVENT_ECN_NO_CE:
                acknowledge(tcp, 0)
            case tcp_ca_event.CA_EVENT_LOSS:
                lost(tcp)
            case _:
                pass

    def undo_cwnd(self, tcp: tcp_sock) -> u32:
        return max(tcp.snd_cwnd, state_of(tcp).window_at_loss)

    def cong_avoid(self, tcp: tcp_sock, ack: u32, acked: u32) -> None:
        tcp_reno_cong_avoid(tcp, ack, acked)


# --- the kernel's Cubic, step by step -------------------------------------------------------------


@struct_ops("tcp_congestion_ops")
class Cubic:
    name = "ebee_cubic"

    def init(self, sk: sock) -> None:
        cubictcp_init(sk)

    def set_state(self, sk: sock, state: u8) -> None:
        cubictcp_state(sk, state)

    def cwnd_event(self, sk: sock, event: u32) -> None:
        cubictcp_cwnd_event(sk, event)

    def ssthresh(self, sk: sock) -> u32:
        return cubictcp_recalc_ssthresh(sk)

    def undo_cwnd(self, sk: sock) -> u32:
        return tcp_reno_undo_cwnd(sk)

    def pkts_acked(self, sk: sock, sample: ack_sample) -> None:
        cubictcp_acked(sk, sample)

    def cong_avoid(self, sk: sock, ack: u32, acked: u32) -> None:
        cubictcp_cong_avoid(sk, ack, acked)


# --- one takes the place of another ---------------------------------------------------------------

firsts: Global[u32] = 0
seconds: Global[u32] = 0


@struct_ops("tcp_congestion_ops")
class First:
    name = "ebee_update"

    def init(self, tcp: tcp_sock) -> None:
        global firsts
        firsts += 1

    def cong_control(self, tcp: tcp_sock, ack: u32, flag: i32, sample: rate_sample) -> None:
        pass

    def ssthresh(self, tcp: tcp_sock) -> u32:
        return tcp.snd_ssthresh

    def undo_cwnd(self, tcp: tcp_sock) -> u32:
        return tcp.snd_cwnd


@struct_ops("tcp_congestion_ops")
class Second:
    name = "ebee_update"

    def init(self, tcp: tcp_sock) -> None:
        global seconds
        seconds += 1

    def cong_control(self, tcp: tcp_sock, ack: u32, flag: i32, sample: rate_sample) -> None:
        pass

    def ssthresh(self, tcp: tcp_sock) -> u32:
        return tcp.snd_ssthresh

    def undo_cwnd(self, tcp: tcp_sock) -> u32:
        return tcp.snd_cwnd


@struct_ops("tcp_congestion_ops", link=False)
class Unlinked:
    name = "ebee_unlinked"

    def cong_control(self, tcp: tcp_sock, ack: u32, flag: i32, sample: rate_sample) -> None:
        """Paces what is sent by the round-trip time."""
        rate = u64(tcp.snd_cwnd * tcp.mss_cache) * 1_000_000 * 8 // (tcp.srtt_us or u32(8))
        sk = tcp.inet_conn.icsk_inet.sk
        sk.sk_pacing_rate = min(rate, sk.sk_max_pacing_rate)
        tcp.app_limited = (tcp.delivered + tcp.packets_out) or u32(1)

    def ssthresh(self, tcp: tcp_sock) -> u32:
        return tcp.snd_ssthresh

    def undo_cwnd(self, tcp: tcp_sock) -> u32:
        return tcp.snd_cwnd


@struct_ops("tcp_congestion_ops")
class Incomplete:
    name = "ebee_incomplete"

    def ssthresh(self, tcp: tcp_sock) -> u32:
        return tcp.snd_ssthresh

    def undo_cwnd(self, tcp: tcp_sock) -> u32:
        return tcp.snd_cwnd


# --- user space -----------------------------------------------------------------------------------

BYTES = 1 << 20
KNOWN = "/proc/sys/net/ipv4/tcp_available_congestion_control"


@pytest.fixture
def loaded(port, loopback):
    return port


def choose(s, name):
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, name.encode())


def chosen(s):
    return s.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).rstrip(b"\0").decode()


def transfer(name, before=lambda client: None, client_name=""):
    """Send over a connection whose ends use a congestion control; what the server's end has."""
    with ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        choose(server, name)
        client = stack.enter_context(socket.socket())
        choose(client, client_name or name)
        before(client)
        client.connect(server.getsockname())
        there = stack.enter_context(server.accept()[0])
        sending = Thread(target=client.sendall, args=(bytes(BYTES),))
        sending.start()
        there.settimeout(30)
        left = BYTES
        while left:
            left -= len(there.recv(min(left, 1 << 16)))
        sending.join()
        return chosen(there)


def test_dctcp(loaded):
    with (made := loaded()).maps["DCTCP"].attach():

        def keep(client):
            made.maps["values"][client.fileno()] = 0xEB9F

        assert transfer("ebee_dctcp", keep) == "ebee_dctcp"
    assert made.variables["stored"].value == 0xEB9F


def test_dctcp_falls_back(loaded):
    """Without ECN another one takes over; asking again from inside is refused."""
    made = loaded(fall_back=1)
    with made.maps["DCTCP"].attach():
        assert transfer("ebee_dctcp", client_name="cubic") == "cubic"
    assert made.variables["refused"].value == 3
    assert made.variables["went_to"].value == "cubic"


def test_cubic(loaded):
    with loaded().maps["Cubic"].attach():
        assert transfer("ebee_cubic") == "ebee_cubic"


def test_without_a_link(loaded):
    with loaded().maps["Unlinked"].attach():
        assert transfer("ebee_unlinked") == "ebee_unlinked"


def test_what_is_incomplete_is_refused(loaded):
    with pytest.raises(EbeeError):
        loaded().maps["Incomplete"].attach()


def test_one_takes_the_place_of_another(loaded):
    made = loaded()
    with made.maps["First"].attach() as link:
        transfer("ebee_update")
        before = made.variables["firsts"].value
        assert before > 0
        link.update(made.maps["Second"])
        transfer("ebee_update")
    assert made.variables["firsts"].value == before
    assert made.variables["seconds"].value > 0


@pytest.mark.parametrize("other", ["Cubic", "Unlinked"])
def test_another_name_or_kind_takes_no_place(loaded, other):
    made = loaded()
    with made.maps["First"].attach() as link:
        with pytest.raises(EbeeError):
            link.update(made.maps[other])
        transfer("ebee_update")
    assert made.variables["firsts"].value > 0
    assert "ebee_unlinked" not in Path(KNOWN).read_text().split()


def test_a_map_is_registered_again_and_replaced_by_name(loaded):
    made = loaded()
    made.maps["First"].attach().close()
    with made.maps["Second"].attach() as link:
        with pytest.raises(EbeeError):
            link.update(made.maps["First"], replace=made.maps["First"])
        link.update(made.maps["First"], replace=made.maps["Second"])
