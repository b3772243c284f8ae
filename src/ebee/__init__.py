"""ebee: a complete eBPF system in Python.

The public names are imported on first use (PEP 562), so that `import ebee` costs next to nothing.
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_WHERE = {
    "errors": """
        BtfError CaptureError CompileError ConfigError EbeeError KernelError MachineError
        ObjectError UnknownNameError VerifierError
    """,
    "lang.bpf.build": "compile",
    "lang.bpf.chains": """
        IPv4Option IPv4Options IPv6Chain VlanTags read_ipv4_options read_ipv6_extensions
        read_vlan_tags
    """,
    "lang.bpf.checksums": """
        fold_checksum ipv4_checksum pseudo_sum4 pseudo_sum6 replace_checksum16 replace_checksum32
        sum_bytes
    """,
    "lang.bpf.contracts": "arena_ptr",
    "lang.bpf.core_calls": "container_of enum_value exists",
    "lang.bpf.dns": "DNS DNS_PORT DnsName read_dns_name read_dns_name_in",
    "lang.bpf.dynptrs": "Dynptr",
    "lang.bpf.exceptions": "Throw exception_callback",
    "lang.bpf.exits": "Exit",
    "lang.bpf.externs": "Kconfig Ksym",
    "lang.bpf.graphs": "ListHead ListNode RbNode RbRoot drop new",
    "lang.bpf.headers": """
        ARP ARP_REPLY ARP_REQUEST GRE_PROTOCOL IPIP_PROTOCOL IPV6_PROTOCOL SCTP SCTP_PROTOCOL
        SctpChunk SctpChunks SctpType read_sctp_chunks
    """,
    "lang.bpf.intrinsics": "atomic_add",
    "lang.bpf.kernel_types": "kernel_struct",
    "lang.bpf.kptrs": "Kptr",
    "lang.bpf.maps": """
        EXIST NOEXIST AnyMap Array Hash LpmTrie LruHash LruPerCpuHash PerCpuArray PerCpuHash
        ProgArray RingBuf
    """,
    "lang.bpf.maps_kernel": """
        Arena AttachedStorage CpuMapValue DevMapValue PerCpuAttachedStorage ReuseportArray
        UserRingBuf
    """,
    "lang.bpf.maps_more": """
        ArrayOfMaps Bloom CgroupArray CgroupStorage CpuMap DevMap DevMapHash HashOfMaps InodeStorage
        PerfEventArray Queue SkStorage SockHash SockMap Stack StackTrace TaskStorage XskMap
    """,
    "lang.bpf.packets": """
        AUTHENTICATION DESTINATION ETH_ARP ETH_IP ETH_IPV6 ETH_QINQ ETH_VLAN FRAGMENT_HEADER
        HOP_BY_HOP ICMP ICMPV6_PROTOCOL ICMP_PROTOCOL ROUTING TCP TCP_PROTOCOL UDP UDP_PROTOCOL
        Ethernet ICMPv6 IPv4 IPv6 IPv6Extension Packet Vlan parser
    """,
    "lang.bpf.contexts": """
        DeviceContext LircContext MsgContext NetfilterContext PerfEventContext RawContext
        RegistersContext ReuseportContext SkLookupContext SkbContext SockAddrContext SockContext
        SockOpsContext SockoptContext SysctlContext TraceContext XdpContext
    """,
    "lang.bpf.current": """
        current jiffies ktime_boot_ns ktime_coarse_ns ktime_ns ktime_tai_ns random_u32
    """,
    "lang.bpf.decorators": """
        cgroup_device cgroup_skb cgroup_sock cgroup_sock_addr cgroup_sockopt cgroup_sysctl fentry
        fexit flow_dissector fmod_ret freplace fsession iterator kprobe kprobe_multi kprobe_session
        kretprobe kretprobe_multi kretsyscall ksyscall lirc lsm lsm_cgroup lwt netfilter netkit
        perf_event raw_tracepoint sk_lookup sk_msg sk_reuseport sk_skb sock_ops socket_filter
        syscall tc tc_action tcx tp_btf tracepoint uprobe uprobe_multi uprobe_session uretprobe
        uretprobe_multi usdt xdp
    """,
    "lang.bpf.formats": "Record",
    "lang.bpf.programs": "func section",
    "lang.bpf.results": "LSM LWT NF SK TC TCX XDP Access Cgroup Flow Iter Session",
    "lang.bpf.sockets": """
        AF_INET AF_INET6 AF_UNIX FlowKeys Sock SockCommon SockTuple4 SockTuple6 TcpSock
    """,
    "lang.bpf.references": "no_preemption rcu",
    "lang.bpf.special": "CLOCK_BOOTTIME CLOCK_MONOTONIC CLOCK_REALTIME SpinLock Timer WorkQueue",
    "lang.bpf.struct_ops": "struct_ops",
    "lang.bpf.tcp_options": """
        OPTION_END OPTION_MSS OPTION_NOP OPTION_SACK OPTION_SACK_PERMITTED OPTION_TIMESTAMPS
        OPTION_WINDOW_SCALE TcpOptions read_tcp_options
    """,
    "lang.bpf.tunnels": """
        GENEVE_PORT GRE Geneve GeneveOption GreFields GreFlags VXLAN VXLAN_PORT find_geneve_option
        read_gre write_gre
    """,
    "lang.bpf.variables": "Const Global",
    "loading": "load read",
    "machine.capture": "Capture CaptureWriter",
    "machine.machine": "Machine",
    "native": "cast",
    "obj.events": "Events",
    "obj.handles": "Link Map Object PerCpu Program Variable",
    "obj.spec": "MapSpec ObjectSpec ProgramSpec VariableSpec",
    "obj.writer": "save",
    "types": """
        array atomic be16 be32 be64 bits char i8 i16 i32 i64 offsetof ptr sizeof struct u8 u16 u32
        u64 union zero
    """,
}
"""Module of this package -> public names in it; `ebee.api` says the same to type checkers."""

_PUBLIC = {name: f"ebee.{module}" for module, names in _WHERE.items() for name in names.split()}

if TYPE_CHECKING:
    from ebee.api import *  # noqa: F403
    from ebee.api import __all__ as __all__
else:
    __all__ = [*_PUBLIC, "bpf"]  # noqa: F405


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name == "bpf":  # a module of its own: its import puts it here
        return import_module("ebee.bpf")
    module = _PUBLIC.get(name)
    if module is None:
        raise AttributeError(f"module 'ebee' has no attribute {name!r}")
    value = getattr(import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
