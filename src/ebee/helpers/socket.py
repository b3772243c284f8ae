"""Helpers on sockets (net/core/filter.c, net/ipv4/bpf_tcp_ca.c)."""

from ebee.helpers import BTF_HOOKS, Helper

_NO_SOCKETS = {"machine": "needs the sockets of a network stack: the machine has none"}
_LOOKUP = (
    "ctx: ctx, tuple: mem[tuple_size] as bpf_sock_tuple, tuple_size: size0, netns: u64, flags: u64"
)
_SOCKOPT = "level: int, optname: int, optval: {}[optlen], optlen: size[int] -> long"
_BY_CTX = ("cgroup_sock_addr", "sock_ops")


def _option(of: str, memory: str) -> str:
    return f"bpf_socket: {of}, {_SOCKOPT.format(memory)}"


def _converted(number: int, name: str, since: str, doc: str) -> Helper:
    """A helper that turns a socket into a kernel pointer of a type, or null."""
    sock = "sock_common as void" if name == "mptcp_sock" else "btf_sock"
    return Helper(
        number, f"skc_to_{name}", f"sk: {sock} -> btf[{name}]?", since, doc, missing=_NO_SOCKETS
    )


HELPERS = (
    Helper(
        46, "get_socket_cookie", "ctx: ctx -> u64", "4.12",
        "A number that names the socket and that no other socket ever gets; 0 without a socket.",
        variants=dict.fromkeys(
            (*BTF_HOOKS, "lsm", "lsm_cgroup", "sk_reuseport"), "ctx: btf_sock? -> u64"
        ),
        missing=_NO_SOCKETS,
    ),
    Helper(
        47, "get_socket_uid", "skb: ctx[__sk_buff] -> u32", "4.12",
        "The user who owns the socket of the packet; overflowuid when it has no full socket.",
        missing=_NO_SOCKETS,
    ),
    Helper(
        49, "setsockopt", _option("btf_sock", "mem"), "4.13",
        "As setsockopt(2), for the options that the kernel allows to programs.",
        variants=dict.fromkeys(_BY_CTX, _option("ctx", "mem")), missing=_NO_SOCKETS,
    ),
    Helper(
        57, "getsockopt", _option("btf_sock", "mem_out"), "4.15",
        "As getsockopt(2), for the options that the kernel allows to programs.",
        variants=dict.fromkeys(_BY_CTX, _option("ctx", "mem_out")), missing=_NO_SOCKETS,
    ),
    Helper(
        59, "sock_ops_cb_flags_set", "bpf_sock: ctx[bpf_sock_ops], argval: int -> long", "4.16",
        "Choose the events for which this connection calls the program again; the result has the "
        "bits that are not known.", missing=_NO_SOCKETS,
    ),
    Helper(
        64, "bind",
        "ctx: ctx[bpf_sock_addr], addr: mem[addr_len] as sockaddr, addr_len: size[int] -> long",
        "4.17", "Bind the connecting socket to a local address.", missing=_NO_SOCKETS,
    ),
    Helper(
        82, "sk_select_reuseport",
        "reuse: ctx[sk_reuseport_md], map: map[reuseport_sockarray|sockmap|sockhash], "
        "key: map_key, flags: u64 -> long", "4.19",
        "Choose the socket of a SO_REUSEPORT group that gets the packet.", missing=_NO_SOCKETS,
    ),
    Helper(
        84, "sk_lookup_tcp", f"{_LOOKUP} -> own socket?", "4.20",
        "The TCP socket of an address tuple in a network namespace (-1: this one).",
        takes_packet=True, missing=_NO_SOCKETS,
    ),
    Helper(
        85, "sk_lookup_udp", f"{_LOOKUP} -> own socket?", "4.20",
        "The UDP socket of an address tuple in a network namespace (-1: this one).",
        takes_packet=True, missing=_NO_SOCKETS,
    ),
    Helper(
        86, "sk_release", "sock: own btf_sock -> long", "4.20",
        "Give back a socket that a lookup returned.", missing=_NO_SOCKETS,
    ),
    Helper(
        95, "sk_fullsock", "sk: sock_common -> socket?", "5.1",
        "The full socket behind a common one, null for request and timewait sockets.",
        missing=_NO_SOCKETS,
    ),
    Helper(
        96, "tcp_sock", "sk: sock_common -> tcp_sock?", "5.1",
        "The TCP state of a socket, null if it is no TCP socket.", missing=_NO_SOCKETS,
    ),
    Helper(
        98, "get_listener_sock", "sk: sock_common -> socket?", "5.1",
        "The listening socket to which a request socket belongs.", missing=_NO_SOCKETS,
    ),
    Helper(
        99, "skc_lookup_tcp", f"{_LOOKUP} -> own sock_common?", "5.2",
        "As sk_lookup_tcp, and finds request and timewait sockets too.",
        takes_packet=True, missing=_NO_SOCKETS,
    ),
    Helper(
        116, "tcp_send_ack", "tp: btf[tcp_sock] as void, rcv_nxt: u32 -> long", "5.6",
        "Send an acknowledgement, from a congestion control algorithm.", missing=_NO_SOCKETS,
    ),
    Helper(
        122, "get_netns_cookie", "ctx: ctx? -> u64", "5.7",
        "A number that names the network namespace; null asks for the initial one.",
        missing=_NO_SOCKETS,
    ),
    Helper(
        124, "sk_assign", "ctx: ctx, sk: btf_sock, flags: u64 -> long", "5.7",
        "Give the packet (tc) or the new connection (sk_lookup) to a socket.",
        variants={"sk_lookup": "ctx: ctx[bpf_sk_lookup], sk: socket?, flags: u64 -> long"},
        missing=_NO_SOCKETS,
    ),
    _converted(136, "tcp6_sock", "5.9", "The socket as struct tcp6_sock, if it is one."),
    _converted(137, "tcp_sock", "5.9", "The socket as struct tcp_sock, if it is one."),
    _converted(138, "tcp_timewait_sock", "5.9", "The socket as tcp_timewait_sock, if it is one."),
    _converted(139, "tcp_request_sock", "5.9", "The socket as tcp_request_sock, if it is one."),
    _converted(140, "udp6_sock", "5.9", "The socket as struct udp6_sock, if it is one."),
    _converted(178, "unix_sock", "5.16", "The socket as struct unix_sock, if it is one."),
    _converted(196, "mptcp_sock", "5.19", "The MPTCP connection of a subflow socket, or null."),
    Helper(
        142, "load_hdr_opt",
        "skops: ctx[bpf_sock_ops], searchby_res: mem_rw[len], len: size, flags: u64 -> long",
        "5.10", "Find a TCP header option of the packet (or of the saved SYN).",
        missing=_NO_SOCKETS,
    ),
    Helper(
        143, "store_hdr_opt",
        "skops: ctx[bpf_sock_ops], from: mem[len], len: size, flags: u64 -> long", "5.10",
        "Write a TCP header option into the room that reserve_hdr_opt made.",
        moves_packet=True, missing=_NO_SOCKETS,
    ),
    Helper(
        144, "reserve_hdr_opt", "skops: ctx[bpf_sock_ops], len: u32, flags: u64 -> long", "5.10",
        "Make room for a TCP header option.", missing=_NO_SOCKETS,
    ),
    Helper(
        162, "sock_from_file", "file: btf[file] -> btf[socket]?", "5.11",
        "The socket behind an open file, if it is one.", missing=_NO_SOCKETS,
    ),
)  # fmt: skip
