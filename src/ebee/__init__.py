"""ebee: a complete eBPF system in Python.

The public names are imported on first use (PEP 562), so that `import ebee` costs next to nothing.
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_API = """
AUTHENTICATION Array Cgroup Const DESTINATION ETH_ARP ETH_IP ETH_IPV6 ETH_QINQ ETH_VLAN EXIST
EbeeError Ethernet FRAGMENT_HEADER Global HOP_BY_HOP Hash ICMP ICMPV6_PROTOCOL ICMP_PROTOCOL
ICMPv6 IPv4 IPv6 IPv6Extension LpmTrie LruHash LruPerCpuHash NOEXIST Packet PerCpuArray PerCpuHash
ProgArray ROUTING RawContext RingBuf SkbContext TC TCP TCP_PROTOCOL TCX UDP UDP_PROTOCOL Vlan XDP
XdpContext array atomic_add be16 be32 be64 bpf cgroup_skb char compile func i16 i32 i64 i8 parser
ptr raw_tracepoint section sizeof socket_filter struct tc tcx tracepoint u16 u32 u64 u8 union xdp
zero
"""
_PUBLIC = dict.fromkeys(_API.split(), "ebee.api")

if TYPE_CHECKING:
    from ebee.api import *  # noqa: F403

__all__ = [*_PUBLIC, "__version__"]


def __getattr__(name: str) -> Any:
    module = _PUBLIC.get(name)
    if module is None:
        raise AttributeError(f"module 'ebee' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC})
