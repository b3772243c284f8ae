"""Which helpers a program may call: sets that hooks share, as in the *_func_proto functions of
Linux 6.18. Before 6.16 fewer helpers were common to all types (each type had its own list of the
task's and the perf helpers). Some helpers exist only where the kernel was built for them."""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# bpf_base_func_proto: for every type but lirc_mode2.
BASE = _names("""
    map_lookup_elem map_update_elem map_delete_elem map_push_elem map_pop_elem map_peek_elem
    map_lookup_percpu_elem for_each_map_elem get_prandom_u32 get_smp_processor_id get_numa_node_id
    tail_call ktime_get_ns ktime_get_boot_ns ktime_get_tai_ns jiffies64 ringbuf_output
    ringbuf_reserve ringbuf_submit ringbuf_discard ringbuf_query ringbuf_reserve_dynptr
    ringbuf_submit_dynptr ringbuf_discard_dynptr user_ringbuf_drain dynptr_from_mem dynptr_read
    dynptr_write dynptr_data strncmp strtol strtoul loop spin_lock spin_unlock per_cpu_ptr
    this_cpu_ptr timer_init timer_set_callback timer_start timer_cancel kptr_xchg
    cgrp_storage_get cgrp_storage_delete task_storage_get task_storage_delete
    get_current_pid_tgid get_ns_current_pid_tgid get_current_uid_gid get_current_comm
    get_current_cgroup_id get_current_ancestor_cgroup_id current_task_under_cgroup
    get_cgroup_classid get_current_task get_current_task_btf task_pt_regs get_task_stack find_vma
    send_signal send_signal_thread perf_event_read perf_event_read_value get_branch_snapshot
    probe_read_user probe_read_kernel probe_read_user_str probe_read_kernel_str copy_from_user
    copy_from_user_task trace_printk trace_vprintk snprintf snprintf_btf
""")

# What became common in 6.16, and the hooks that had some of it before.
COMMON_SINCE_616 = _names("""
    task_storage_get task_storage_delete get_current_uid_gid get_current_comm
    current_task_under_cgroup get_cgroup_classid get_task_stack find_vma send_signal
    send_signal_thread perf_event_read perf_event_read_value get_branch_snapshot copy_from_user
    copy_from_user_task
""")
_TRACED = COMMON_SINCE_616 - _names("get_cgroup_classid")
_CURRENT = _names(
    "get_current_uid_gid get_current_comm current_task_under_cgroup get_cgroup_classid"
)
_CLASS = _names("get_cgroup_classid")
HAD_BEFORE_616: dict[str, frozenset[str]] = {
    **dict.fromkeys(_names("""
        kprobe ksyscall kprobe.multi kprobe.session uprobe uprobe.multi uprobe.session usdt
        tracepoint raw_tracepoint raw_tracepoint_writable perf_event tp_btf fentry fexit fmod_ret
        lsm lsm_cgroup iter syscall
    """), _TRACED),
    **dict.fromkeys(_names("""
        cgroup_sock cgroup_sock_addr cgroup_dev cgroup_sysctl cgroup_sockopt
    """), _CURRENT),
    **dict.fromkeys(_names("""
        tc tcx netkit tc_action lwt_in lwt_out lwt_xmit lwt_seg6local
    """), _CLASS),
    "sk_msg": _names("get_current_uid_gid get_cgroup_classid"),
}  # fmt: skip

SKC_TO = _names("""
    skc_to_tcp6_sock skc_to_tcp_sock skc_to_tcp_timewait_sock skc_to_tcp_request_sock
    skc_to_udp6_sock skc_to_unix_sock skc_to_mptcp_sock
""")

# bpf_sk_base_func_proto: networking.
SOCKETS = BASE | SKC_TO | _names("ktime_get_coarse_ns")

EVENTS = _names("perf_event_output")
COOKIES = _names("get_socket_cookie get_netns_cookie")
LOOKUP = _names("sk_lookup_tcp sk_lookup_udp skc_lookup_tcp sk_release")
SK_STORAGE = _names("sk_storage_get sk_storage_delete")
SOCKOPT = _names("getsockopt setsockopt")
CGROUP = EVENTS | _names("get_local_storage")
RETVAL = _names("get_retval set_retval")

# sk_filter_func_proto and what builds upon it.
SOCKET_FILTER = (
    SOCKETS
    | EVENTS
    | COOKIES
    | _names("""
    skb_load_bytes skb_load_bytes_relative get_socket_uid
""")
)
CGROUP_SKB = (
    SOCKET_FILTER
    | LOOKUP
    | SK_STORAGE
    | CGROUP
    | _names("""
    sk_fullsock sk_cgroup_id sk_ancestor_cgroup_id skb_cgroup_id skb_ancestor_cgroup_id tcp_sock
    get_listener_sock skb_ecn_set_ce
""")
)

SYNCOOKIES = _names("""
    tcp_check_syncookie tcp_gen_syncookie tcp_raw_gen_syncookie_ipv4 tcp_raw_gen_syncookie_ipv6
    tcp_raw_check_syncookie_ipv4 tcp_raw_check_syncookie_ipv6
""")
TUNNEL = _names("""
    skb_get_tunnel_key skb_set_tunnel_key skb_get_tunnel_opt skb_set_tunnel_opt
""")
SKB_WRITE = _names("""
    skb_store_bytes l3_csum_replace l4_csum_replace csum_update csum_level clone_redirect redirect
    skb_change_tail skb_change_head set_hash_invalid
""")
TC = (
    SOCKET_FILTER
    | LOOKUP
    | SK_STORAGE
    | SYNCOOKIES
    | TUNNEL
    | SKB_WRITE
    | _names("""
    skb_pull_data csum_diff skb_vlan_push skb_vlan_pop skb_change_proto skb_change_type
    skb_adjust_room get_route_realm get_hash_recalc set_hash redirect_neigh redirect_peer
    skb_under_cgroup skb_cgroup_id skb_ancestor_cgroup_id skb_cgroup_classid skb_get_xfrm_state
    skb_set_tstamp skb_ecn_set_ce fib_lookup check_mtu sk_fullsock tcp_sock get_listener_sock
    sk_assign
""")
)
XDP = (
    SOCKETS
    | EVENTS
    | LOOKUP
    | SYNCOOKIES
    | _names("""
    csum_diff xdp_adjust_head xdp_adjust_meta xdp_adjust_tail xdp_get_buff_len xdp_load_bytes
    xdp_store_bytes redirect redirect_map fib_lookup check_mtu
""")
)

LWT_OUT = (
    SOCKETS
    | EVENTS
    | _names("""
    skb_load_bytes skb_pull_data csum_diff get_route_realm get_hash_recalc skb_under_cgroup
""")
)
LWT_IN = LWT_OUT | _names("lwt_push_encap")
LWT_XMIT = LWT_IN | TUNNEL | SKB_WRITE
LWT_SEG6LOCAL = LWT_OUT | _names("lwt_seg6_store_bytes lwt_seg6_action lwt_seg6_adjust_srh")

SK_SKB = (
    SOCKETS
    | EVENTS
    | LOOKUP
    | _names("""
    skb_load_bytes skb_store_bytes skb_pull_data skb_change_tail skb_change_head skb_adjust_room
    get_socket_cookie get_socket_uid sk_redirect_map sk_redirect_hash
""")
)
SK_MSG = (
    SOCKETS
    | EVENTS
    | SK_STORAGE
    | _names("""
    msg_redirect_map msg_redirect_hash msg_apply_bytes msg_cork_bytes msg_pull_data msg_push_data
    msg_pop_data get_netns_cookie
""")
)
SOCK_OPS = (
    SOCKETS
    | EVENTS
    | SK_STORAGE
    | SOCKOPT
    | COOKIES
    | _names("""
    sock_ops_cb_flags_set sock_map_update sock_hash_update get_local_storage load_hdr_opt
    store_hdr_opt reserve_hdr_opt tcp_sock
""")
)
SK_REUSEPORT = BASE | _names("""
    sk_select_reuseport skb_load_bytes skb_load_bytes_relative get_socket_cookie
    ktime_get_coarse_ns
""")
SK_LOOKUP = SOCKETS | EVENTS | _names("sk_assign sk_release")
FLOW_DISSECTOR = SOCKETS | _names("skb_load_bytes")

CGROUP_DEVICE = BASE | CGROUP
CGROUP_SYSCTL = (
    BASE
    | CGROUP
    | RETVAL
    | _names("""
    sysctl_get_name sysctl_get_current_value sysctl_get_new_value sysctl_set_new_value
    ktime_get_coarse_ns
""")
)
CGROUP_SOCK = BASE | CGROUP | RETVAL | COOKIES | _names("sk_storage_get ktime_get_coarse_ns")
CGROUP_SOCK_ADDR = SOCKETS | CGROUP | COOKIES | LOOKUP | SK_STORAGE | SOCKOPT
CGROUP_SOCKOPT = BASE | CGROUP | RETVAL | SK_STORAGE | _names("tcp_sock get_netns_cookie")

# bpf_tracing_func_proto and what builds upon it. Lockdown hides probe_write_user.
TRACING = (
    BASE
    | EVENTS
    | _names("""
    probe_read probe_read_str get_stackid get_stack get_func_ip probe_write_user
""")
)
TRACEPOINT = TRACING | _names("get_attach_cookie")
KPROBE = TRACEPOINT | _names("override_return")  # with CONFIG_BPF_KPROBE_OVERRIDE
PERF_EVENT = TRACEPOINT | _names("perf_prog_read_value read_branch_records")
BTF_TRACING = (
    TRACING
    | SKC_TO
    | SK_STORAGE
    | _names("""
    skb_output xdp_output xdp_get_buff_len sock_from_file get_socket_cookie d_path
""")
)
TP_BTF = BTF_TRACING | _names("get_attach_cookie")
TRAMPOLINE = TP_BTF | _names("get_func_arg get_func_ret get_func_arg_cnt")
ITER = BTF_TRACING | _names("seq_printf seq_printf_btf seq_write")
LSM = TRAMPOLINE | _names("""
    inode_storage_get inode_storage_delete bprm_opts_set ima_inode_hash ima_file_hash
""")
LSM_CGROUP = LSM | CGROUP | RETVAL
SYSCALL = BTF_TRACING | _names("sys_bpf sys_close btf_find_by_name_kind kallsyms_lookup_name")
STRUCT_OPS = BASE
TCP_CONGESTION = SK_STORAGE | SOCKOPT | _names("tcp_send_ack ktime_get_coarse_ns")

LIRC = _names("""
    rc_repeat rc_keydown rc_pointer_rel map_lookup_elem map_update_elem map_delete_elem
    map_push_elem map_pop_elem map_peek_elem ktime_get_ns ktime_get_boot_ns tail_call
    get_prandom_u32 trace_printk
""")
