"""Linux security modules: programs that allow or deny what the kernel asks about."""

from ebee.hooks import Hook, Section
from ebee.hooks import helper_sets as sets
from ebee.hooks.numbers import ATTACH_TYPES as AT
from ebee.hooks.numbers import PROG_TYPES

_NO_LSM = {"machine": "the machine has no security hooks"}

HOOKS = (
    Hook(
        "lsm", PROG_TYPES["lsm"], "5.7",
        "A security hook, for all processes: 0 allows, a negative error denies.",
        sections=(
            Section("lsm+", AT["lsm_mac"], extra="hook"),
            Section("lsm.s+", AT["lsm_mac"], sleepable=True, extra="hook"),
        ),
        attach="tracing", helpers=sets.LSM, target="hook", missing=_NO_LSM,
    ),
    Hook(
        "lsm_cgroup", PROG_TYPES["lsm"], "6.0",
        "A security hook, for the processes of a cgroup: 1 allows, 0 denies.",
        sections=(Section("lsm_cgroup+", AT["lsm_cgroup"], extra="hook"),),
        returns={"reject": 0, "allow": 1},
        attach="cgroup", helpers=sets.LSM_CGROUP,
        # Where the hook holds the socket (bpf_lsm_locked_sockopt_hooks, ..._unlocked_...).
        more=dict.fromkeys(
            (
                "socket_post_create", "socket_socketpair", "socket_bind", "socket_connect",
                "socket_listen", "socket_accept", "socket_getsockname", "socket_getpeername",
                "socket_setsockopt", "socket_getsockopt", "inet_csk_clone", "inet_conn_established",
                "sock_graft",
            ),
            sets.SOCKOPT,
        ),
        target="hook", missing=_NO_LSM,
    ),
)  # fmt: skip
