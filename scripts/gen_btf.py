"""Write src/ebee/btf/data/: the types that programs mostly use, of one kernel, compressed.

    python scripts/gen_btf.py [BTF-FILE --name linux-6.12-x86_64.btf.xz]    (the running kernel's)

What is in it: the structs of WHOLE with all their members; what these contain by value, and one
pointer away, too; farther structs are only declared. Functions, tracepoints, kernel functions for
programs and constants by patterns. A table of facts about one kernel, for where there is none.
"""

import argparse
import lzma
import os
import platform
import re
import sys
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from pathlib import Path

from ebee.btf import (
    Array,
    Btf,
    BtfBuilder,
    Composite,
    Const,
    DeclTag,
    Enumeration,
    Func,
    Ptr,
    Type,
    Typedef,
    TypeTag,
    Volatile,
    references,
)
from ebee.btf.validate import validate

FOLDER = Path(__file__).parents[1] / "src/ebee/btf/data"
LIMIT = 150_000
"""Bytes that the file may have."""


def words(text: str) -> list[str]:
    return text.split()


# Structs whose pointers' targets are there too.
WIDE = words(
    """
    task_struct mm_struct sk_buff sock file inode dentry path net_device cgroup css_set socket
    linux_binprm request bio vm_area_struct kernfs_node cred net nsproxy signal_struct files_struct
    super_block mount rq tcp_sock unix_sock netlink_sock inet_sock fib6_info rtable request_queue
    gendisk block_device perf_event folio page address_space kiocb iov_iter irq_desc bpf_map
    bpf_prog bpf_prog_aux xdp_buff sk_psock nf_hook_state nf_conn kmem_cache workqueue_struct
    """
)
# Structs with all their members.
WHOLE = words(
    """
    cred user_namespace pid_namespace net nsproxy uts_namespace mnt_namespace mount vfsmount pid
    signal_struct sighand_struct fs_struct files_struct fdtable super_block file_system_type page
    folio address_space pt_regs thread_info kernel_siginfo rq cfs_rq sched_entity mutex
    rw_semaphore spinlock qstr kernel_clone_args oom_control kmem_cache iov_iter kiocb iovec

    tcp_sock udp_sock inet_sock inet_connection_sock unix_sock netlink_sock packet_sock raw_sock
    request_sock inet_request_sock tcp_request_sock tcp_timewait_sock inet_timewait_sock tcp6_sock
    udp6_sock ipv6_pinfo mptcp_sock unix_address socket_alloc skb_shared_info nf_conn nf_hook_state
    nf_conntrack_tuple nlmsghdr msghdr neighbour dst_entry rtable fib6_info net_device_ops Qdisc
    sockaddr sockaddr_in sockaddr_in6 sockaddr_un sockaddr_ll sockaddr_storage in6_addr xfrm_state
    ethhdr iphdr ipv6hdr tcphdr udphdr icmphdr icmp6hdr vlan_hdr vlan_ethhdr arphdr ip_esp_hdr
    ipv6_opt_hdr frag_hdr tcp_word_hdr geneve_opt vxlan_metadata erspan_metadata napi_struct

    seq_file xdp_md xdp_buff xdp_rxq_info xdp_txq_info xdp_frame __sk_buff sk_msg sk_msg_md
    sk_reuseport_md
    sk_psock bpf_* lpm_trie xsk_map reuseport_array tcp_congestion_ops rate_sample ack_sample
    sched_ext_ops hid_bpf_ops Qdisc_ops kallsym_iter perf_event perf_event_attr perf_sample_data
    perf_branch_entry pt_regs_offset ctl_table gendisk request_queue block_device hd_struct
    blk_mq_hw_ctx bvec_iter bio_vec irqaction irq_desc softirq_action timer_list work_struct
    hrtimer rcu_head callback_head list_head hlist_head hlist_node rb_root rb_node btf_enum
    __kernel_timespec timespec64 siphash_key_t

    trace_entry syscall_trace_enter syscall_trace_exit trace_event_raw_sys_enter
    trace_event_raw_sys_exit trace_event_raw_sched_* trace_event_raw_task_* trace_event_raw_tcp_*
    trace_event_raw_inet_* trace_event_raw_sock_* trace_event_raw_net_* trace_event_raw_kfree_skb
    trace_event_raw_consume_skb trace_event_raw_block_* trace_event_raw_irq_*
    trace_event_raw_softirq trace_event_raw_signal_* trace_event_raw_kmalloc trace_event_raw_kfree
    trace_event_raw_kmem_cache_* trace_event_raw_mm_page_* trace_event_raw_percpu_*
    trace_event_raw_module_* trace_event_raw_workqueue_* trace_event_raw_timer_*
    trace_event_raw_hrtimer_* trace_event_raw_cpu* trace_event_raw_xdp_* trace_event_raw_napi_*
    trace_event_raw_bpf_* trace_event_raw_page_fault_user trace_event_raw_exceptions
    trace_event_raw_oom_* trace_event_raw_cgroup* trace_event_raw_exit_mmap
    trace_event_raw_writeback_* trace_event_raw_mm_* trace_event_raw_ext4_sync*
    trace_event_raw_rcu_*
    """
)
# Left out although a pattern fits: only code of the kernel itself has to do with them.
NOT = words(
    """
    bpf_verifier_* bpf_*_ops bpf_loop_* bpf_func_state bpf_reg_* bpf_jit_* bpf_insn_aux_data
    bpf_crypto_type bpf_offload_* bpf_test_* bpf_bprintf_* bpf_kfunc_desc* bpf_prog_pack
    """
)
# Functions (of those with a type tag `bpf_kfunc` all), typedefs and enums by name.
FUNCTIONS = words(
    """
    bpf_lsm_* bpf_iter_* bpf_fentry_test* bpf_modify_return_test tcp_v?_connect tcp_connect
    tcp_close tcp_sendmsg tcp_recvmsg tcp_cleanup_rbuf tcp_set_state tcp_rcv_established
    tcp_rcv_state_process tcp_v?_syn_recv_sock tcp_v?_rcv tcp_retransmit_skb inet_csk_accept
    inet_listen inet_bind inet6_bind udp_sendmsg udp_recvmsg udpv6_sendmsg udpv6_recvmsg ip_rcv
    ip_output ip_finish_output2 __dev_queue_xmit netif_receive_skb __netif_receive_skb_core
    dev_hard_start_xmit napi_gro_receive kfree_skb_reason consume_skb vfs_read vfs_write vfs_open
    vfs_create vfs_unlink vfs_mkdir vfs_rmdir vfs_fsync vfs_fsync_range vfs_rename vfs_statx
    vfs_getattr do_sys_openat2 do_filp_open do_unlinkat do_mkdirat filp_close do_exit kernel_clone
    wake_up_new_task begin_new_exec bprm_execve do_execveat_common schedule finish_task_switch
    try_to_wake_up do_nanosleep hrtimer_nanosleep oom_kill_process cap_capable handle_mm_fault
    do_page_cache_ra __kmalloc_noprof kmem_cache_alloc_noprof kmem_cache_free mutex_lock
    mutex_unlock mutex_trylock mutex_lock_interruptible down_read down_write up_read up_write
    blk_mq_start_request blk_account_io_* __blk_account_io_* submit_bio submit_bio_noacct
    security_file_open security_inode_create security_bprm_check security_socket_connect
    security_file_permission security_mmap_file ksys_read ksys_write __x64_sys_*
    """
)
TYPEDEFS = words(
    """
    btf_trace_sched_* btf_trace_sys_* btf_trace_tcp_* btf_trace_inet_* btf_trace_sock_*
    btf_trace_net_* btf_trace_kfree* btf_trace_consume_skb btf_trace_block_* btf_trace_irq_*
    btf_trace_softirq_* btf_trace_signal_* btf_trace_task_* btf_trace_xdp_* btf_trace_mm_page_*
    btf_trace_kmalloc btf_trace_kmem_cache_* btf_trace_module_* btf_trace_napi_* btf_trace_bpf_*
    btf_trace_mm_vmscan_direct_* btf_trace_workqueue_* btf_trace_oom_* btf_trace_exit_mmap
    btf_trace_netif_* btf_trace_cgroup_* btf_trace_timer_* btf_trace_writeback_dirty_* [su]8 [su]16
    [su]32 [su]64 __[su]8 __[su]16 __[su]32 __[su]64 __be16 __be32 __be64 __le16 __le32 __le64
    __sum16 __wsum *size_t *id_t bool uint*_t int*_t ktime_t sector_t
    """
)
ENUMS = words(
    """
    bpf_* xdp_* sk_action tc_action skb_drop_reason pid_type tcp_* cgroup_subsys_id sock_type
    sk_pacing socket_state zone_type page_flags pageflags migratetype node_stat_item perf_*
    nf_inet_hooks req_op req_opf task_work_* scx_* pcpu_fc lsm_event *tcp_ca_* hrtimer_mode
    """
)
# Of anonymous enums those with one of these constants, which programs use by their names.
CONSTANTS = words(
    """
    BPF_ANY TCP_ESTABLISHED TCPF_ESTABLISHED IPPROTO_IP BPF_F_INDEX_MASK BPF_F_NO_PREALLOC
    BPF_F_INGRESS BPF_SOCK_OPS_VOID BPF_SK_STORAGE_GET_F_CREATE BPF_F_CURRENT_CPU
    BPF_TCP_ESTABLISHED BPF_CSUM_LEVEL_QUERY BPF_ADJ_ROOM_ENCAP_L2_MASK
    BPF_LOCAL_STORAGE_GET_F_CREATE BPF_RB_NO_WAKEUP BPF_RB_AVAIL_DATA BPF_RINGBUF_BUSY_BIT
    BPF_FIB_LOOKUP_DIRECT BPF_FIB_LKUP_RET_SUCCESS BPF_F_ADJ_ROOM_FIXED_GSO BPF_F_RECOMPUTE_CSUM
    BPF_F_TIMER_ABS BPF_LOAD_HDR_OPT_TCP_SYN BPF_SK_LOOKUP_F_REPLACE BPF_SOCK_OPS_RTO_CB_FLAG
    BPF_F_BPRM_SECUREEXEC TCP_BPF_IW BPF_F_BROADCAST BPF_DEVCG_ACC_MKNOD PERF_COUNT_SW_CPU_CLOCK
    NF_DROP
    """
)


def fits(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


class Choice:
    """Which structs are there with their members."""

    def __init__(self, btf: Btf):
        self.btf = btf
        self.whole: set[int] = set()

    def add(self, id: int, pointers: bool = False) -> None:
        """A struct, what it contains by value, and with `pointers` what it points to."""
        waiting, behind = [id], set[int]()
        while waiting:
            found = self.btf.type(waiting.pop())
            match found:
                case Composite() if found.id not in self.whole or pointers:
                    if found.id in self.whole and found.id != id and found.name:
                        continue
                    self.whole.add(found.id)
                    waiting += [m.type for m in found.members]
                case Typedef() | Const() | Volatile() | TypeTag() | Array():
                    waiting.append(found.type)
                case Ptr() if pointers:
                    target = self.btf.resolve(found.type)
                    if isinstance(target, Composite) and target.name:
                        behind.add(target.id)
        for target_id in behind:
            if not re.search(r"_(ops|operations)$", self.btf.type(target_id).name):
                self.add(target_id)

    def cut(self, found: Type) -> Type | None:
        """What stands for a struct that is not chosen: its name and size alone."""
        if isinstance(found, Composite) and found.name and found.id not in self.whole:
            return found._replace(members=())
        return None


def choose(btf: Btf) -> Btf:
    """The part of a kernel's types that is worth taking along."""
    choice = Choice(btf)
    ids: list[int] = []
    tagged = {t.type: t for t in btf if isinstance(t, DeclTag) and t.name == "bpf_kfunc"}
    tests: tuple[tuple[type, Callable[[str], bool]], ...] = (
        (Typedef, lambda name: fits(name, TYPEDEFS)),
        (Func, lambda name: fits(name, FUNCTIONS)),
        (Enumeration, lambda name: fits(name, ENUMS)),
    )
    for name, id in btf.names():
        kind = btf.kind(id)
        if issubclass(kind, Composite):
            if name in WIDE:
                choice.add(id, pointers=True)
            elif fits(name, WHOLE) and not fits(name, NOT):
                choice.add(id)
        elif any(issubclass(kind, wanted) and test(name) for wanted, test in tests):
            ids.append(id)
    for found in btf:
        if isinstance(found, Enumeration) and not found.name:
            ids += [found.id] if any(value.name in CONSTANTS for value in found.values) else []
    ids += [tag.id for tag in btf if isinstance(tag, DeclTag) and tag.type in tagged]
    builder = BtfBuilder(byteorder=btf.byteorder)
    for id in sorted({*choice.whole, *ids}):
        builder.copy(btf, id, choice.cut)
    return builder.build()


def known_as() -> str:
    """A file name that tells the running kernel: version and machine."""
    version = re.match(r"\d+\.\d+", platform.release())
    assert version, platform.release()
    return f"linux-{version[0]}-{platform.machine()}.btf.xz"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", nargs="?", help="a kernel's BTF")
    parser.add_argument("--name", help="of the file to write: linux-VERSION-MACHINE.btf.xz")
    args = parser.parse_args()
    if args.file and not args.name:
        parser.error("say with --name which kernel the file is of")
    btf = Btf.load(args.file) if args.file else Btf.vmlinux()
    part = choose(btf)
    validate(part)
    # A name, a size and no members say that it was cut (Btf.is_opaque), so nothing else may.
    assert not [t for t in btf if isinstance(t, Composite) and t.name and t.size and not t.members]
    data = lzma.compress(bytes(part.data), preset=9 | lzma.PRESET_EXTREME)
    structs = sum(isinstance(t, Composite) and bool(t.members) for t in part)
    print(f"{len(part) - 1:,} types, {structs:,} structs and unions with members, "
          f"{len(part.data):,} bytes, {len(data):,} compressed")  # fmt: skip
    if len(data) > LIMIT:
        print(f"that is more than the {LIMIT:,} bytes allowed", file=sys.stderr)
        return 1
    FOLDER.mkdir(exist_ok=True)
    target = FOLDER / (args.name or known_as())
    for old in FOLDER.glob("linux-*.btf.xz"):
        old.unlink()
    target.write_bytes(data)
    print(os.path.relpath(target))
    assert all(0 <= r < len(part) for t in part for r in references(t))
    return 0


if __name__ == "__main__":
    sys.exit(main())
