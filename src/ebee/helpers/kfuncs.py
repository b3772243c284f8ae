"""Kernel functions that programs may call: flags and kinds of programs, which BTF does not carry.

From the BTF_ID_FLAGS and register_btf_kfunc_id_set of Linux 6.12 to 6.18: kernel/bpf/helpers.c,
cpumask.c, crypto.c, arena.c, map_iter.c, kernel/trace/bpf_trace.c, fs/bpf_fs_kfuncs.c,
net/core/filter.c, net/core/xdp.c, net/bpf/test_run.c, net/netfilter/nf_conntrack_bpf.c,
net/xfrm/xfrm_state_bpf.c, net/ipv4/bpf_tcp_ca.c. scripts/kfuncs.py says where the running kernel
differs.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

FLAGS = {
    "a": "acquire", "r": "release", "n": "ret_null", "t": "trusted_args", "s": "sleepable",
    "d": "destructive", "u": "rcu", "N": "iter_new", "X": "iter_next", "D": "iter_destroy",
    "p": "rcu_protected",
}  # fmt: skip
"""Letters of the tables and the flags (KF_*) that they stand for."""

# The lists in which programs find kernel functions, by the hook's name; all find "common".
LISTS = {
    "xdp": "xdp", "tc": "tc", "tcx": "tc", "netkit": "tc", "tc_action": "act",
    "struct_ops": "struct_ops", "syscall": "syscall", "sk_skb": "sk_skb",
    "socket_filter": "socket", "netfilter": "netfilter",
    **dict.fromkeys(("fentry", "fexit", "fmod_ret", "tp_btf", "iter", "tracepoint", "perf_event",
                     "lsm", "lsm_cgroup"), "tracing"),
    **dict.fromkeys(("cgroup_skb", "cgroup_sock", "cgroup_dev", "cgroup_sock_addr",
                     "cgroup_sockopt", "cgroup_sysctl", "sock_ops"), "cgroup"),
    **dict.fromkeys(("lwt_in", "lwt_out", "lwt_xmit", "lwt_seg6local"), "lwt"),
    **dict.fromkeys(("kprobe", "kprobe.multi", "kprobe.session", "uprobe", "uprobe.multi",
                     "uprobe.session", "usdt"), "kprobe"),
}  # fmt: skip


class Kfunc(NamedTuple):
    """One kernel function: its flags and the lists that it is in; `only`: hooks that a filter
    further leaves of these."""

    name: str
    flags: frozenset[str]
    lists: frozenset[str]
    only: frozenset[str] = frozenset()


_GENERIC = "tracing tc xdp struct_ops syscall cgroup"
_SKB = "tc act sk_skb socket cgroup lwt netfilter tracing"

_TABLES: tuple[tuple[str, str, str], ...] = (
    (_GENERIC, "", """
        crash_kexec:d bpf_obj_new_impl:an bpf_percpu_obj_new_impl:an bpf_obj_drop_impl:r
        bpf_percpu_obj_drop_impl:r bpf_refcount_acquire_impl:anu bpf_list_push_front_impl
        bpf_list_push_back_impl bpf_list_pop_front:an bpf_list_pop_back:an bpf_list_front:n
        bpf_list_back:n bpf_task_acquire:aun bpf_task_release:r bpf_rbtree_remove:an
        bpf_rbtree_add_impl bpf_rbtree_first:n bpf_rbtree_root:n bpf_rbtree_left:n
        bpf_rbtree_right:n bpf_cgroup_acquire:aun bpf_cgroup_release:r bpf_cgroup_ancestor:aun
        bpf_cgroup_from_id:an bpf_task_under_cgroup:u bpf_task_get_cgroup1:aun bpf_task_from_pid:an
        bpf_task_from_vpid:an bpf_throw bpf_send_signal_task:t bpf_lookup_user_key:ans
        bpf_lookup_system_key:an bpf_key_put:r bpf_verify_pkcs7_signature:s"""),
    ("common", "", """
        bpf_cast_to_kern_ctx bpf_rdonly_cast bpf_rcu_read_lock bpf_rcu_read_unlock
        bpf_dynptr_slice:n bpf_dynptr_slice_rdwr:n bpf_iter_num_new:N bpf_iter_num_next:Xn
        bpf_iter_num_destroy:D bpf_iter_task_vma_new:Nu bpf_iter_task_vma_next:Xn
        bpf_iter_task_vma_destroy:D bpf_iter_css_task_new:Nt bpf_iter_css_task_next:Xn
        bpf_iter_css_task_destroy:D bpf_iter_css_new:Ntp bpf_iter_css_next:Xn bpf_iter_css_destroy:D
        bpf_iter_task_new:Ntp bpf_iter_task_next:Xn bpf_iter_task_destroy:D bpf_dynptr_adjust
        bpf_dynptr_is_null bpf_dynptr_is_rdonly bpf_dynptr_size bpf_dynptr_clone bpf_dynptr_copy
        bpf_dynptr_memset bpf_modify_return_test_tp bpf_wq_init bpf_wq_set_callback_impl
        bpf_wq_start bpf_preempt_disable bpf_preempt_enable bpf_iter_bits_new:N
        bpf_iter_bits_next:Xn bpf_iter_bits_destroy:D bpf_copy_from_user_str:s
        bpf_copy_from_user_task_str:s bpf_get_kmem_cache bpf_iter_kmem_cache_new:Ns
        bpf_iter_kmem_cache_next:Xns bpf_iter_kmem_cache_destroy:Ds bpf_iter_dmabuf_new:Ns
        bpf_iter_dmabuf_next:Xns bpf_iter_dmabuf_destroy:Ds bpf_local_irq_save
        bpf_local_irq_restore bpf_probe_read_user_dynptr bpf_probe_read_kernel_dynptr
        bpf_probe_read_user_str_dynptr bpf_probe_read_kernel_str_dynptr bpf_copy_from_user_dynptr:s
        bpf_copy_from_user_str_dynptr:s bpf_copy_from_user_task_dynptr:st
        bpf_copy_from_user_task_str_dynptr:st bpf_strcmp bpf_strcasecmp bpf_strchr bpf_strchrnul
        bpf_strnchr bpf_strrchr bpf_strlen bpf_strnlen bpf_strspn bpf_strcspn bpf_strstr
        bpf_strnstr bpf_stream_vprintk_impl:t bpf_task_work_schedule_signal_impl:t
        bpf_task_work_schedule_resume_impl:t __bpf_trap bpf_arena_alloc_pages:ts
        bpf_arena_free_pages:ts bpf_arena_reserve_pages:ts bpf_map_sum_elem_count:t
        bpf_res_spin_lock:n bpf_res_spin_unlock bpf_res_spin_lock_irqsave:n
        bpf_res_spin_unlock_irqrestore bpf_cgroup_read_xattr:u"""),
    ("tracing struct_ops syscall", "", """
        bpf_cpumask_create:an bpf_cpumask_release:r bpf_cpumask_acquire:at bpf_cpumask_first:u
        bpf_cpumask_first_zero:u bpf_cpumask_first_and:u bpf_cpumask_set_cpu:u
        bpf_cpumask_clear_cpu:u bpf_cpumask_test_cpu:u bpf_cpumask_test_and_set_cpu:u
        bpf_cpumask_test_and_clear_cpu:u bpf_cpumask_setall:u bpf_cpumask_clear:u bpf_cpumask_and:u
        bpf_cpumask_or:u bpf_cpumask_xor:u bpf_cpumask_equal:u bpf_cpumask_intersects:u
        bpf_cpumask_subset:u bpf_cpumask_empty:u bpf_cpumask_full:u bpf_cpumask_copy:u
        bpf_cpumask_any_distribute:u bpf_cpumask_any_and_distribute:u bpf_cpumask_weight:u
        bpf_cpumask_populate:u"""),
    ("syscall", "", """
        bpf_crypto_ctx_create:ans bpf_crypto_ctx_release:r bpf_crypto_ctx_acquire:aun"""),
    ("tc act xdp", "", "bpf_crypto_decrypt:u bpf_crypto_encrypt:u"),
    (_SKB, "", "bpf_dynptr_from_skb:t"),
    ("tc act", "", "bpf_dynptr_from_skb_meta:t"),
    ("xdp", "", "bpf_dynptr_from_xdp bpf_xdp_pull_data"),
    ("cgroup", "", "bpf_sock_addr_set_sun_path"),
    ("cgroup", "", "bpf_sock_ops_enable_tx_tstamp:t"),
    ("tc", "", "bpf_sk_assign_tcp_reqsk:t"),
    ("tc xdp", "", """
        bpf_xdp_ct_alloc:an bpf_xdp_ct_lookup:an bpf_skb_ct_alloc:an bpf_skb_ct_lookup:an
        bpf_ct_insert_entry:anr bpf_ct_release:r bpf_ct_set_timeout:t bpf_ct_change_timeout:t
        bpf_ct_set_status:t bpf_ct_change_status:t bpf_ct_set_nat_info:t"""),
    ("xdp", "", "bpf_xdp_get_xfrm_state:na bpf_xdp_xfrm_state_release:r"),
    ("tracing", "iter", "bpf_sock_destroy:t"),
    ("tracing", "", """
        css_rstat_updated css_rstat_flush:s cgroup_rstat_updated cgroup_rstat_flush:s"""),
    ("tracing", "lsm", """
        bpf_get_task_exe_file:atn bpf_put_file:r bpf_path_d_path:t bpf_get_dentry_xattr:st
        bpf_get_file_xattr:st bpf_set_dentry_xattr:st bpf_remove_dentry_xattr:st
        bpf_get_fsverity_digest:t"""),
    ("kprobe", "kprobe.session uprobe.session", "bpf_session_is_return bpf_session_cookie"),
    ("tc tracing syscall", "", "bpf_kfunc_call_test_release:r bpf_kfunc_call_memb_release:r"),
    ("struct_ops", "", """
        tcp_reno_ssthresh tcp_reno_cong_avoid tcp_reno_undo_cwnd tcp_slow_start tcp_cong_avoid_ai
        cubictcp_init cubictcp_recalc_ssthresh cubictcp_cong_avoid cubictcp_state
        cubictcp_cwnd_event cubictcp_acked bbr_init bbr_main bbr_sndbuf_expand bbr_undo_cwnd
        bbr_cwnd_event bbr_ssthresh bbr_min_tso_segs bbr_set_state"""),
)  # fmt: skip


@cache
def all_kfuncs() -> dict[str, Kfunc]:
    """Every kernel function of the tables by name."""
    found = {}
    for lists, only, text in _TABLES:
        for word in text.split():
            name, _, letters = word.partition(":")
            flags = frozenset(FLAGS[letter] for letter in letters)
            hooks = frozenset(lists.split())
            found[name] = Kfunc(name, flags, hooks, frozenset(only.split()))
    return found


IN_612 = {
    "bpf_lookup_user_key": "tracing", "bpf_lookup_system_key": "tracing",
    "bpf_key_put": "tracing", "bpf_verify_pkcs7_signature": "tracing",
}  # fmt: skip
"""Lists of Linux 6.12 where later ones have more."""

NOT_IN_612 = frozenset(("sock_ops",))
"""Hooks that found only the common functions in Linux 6.12."""


def may_call(kfunc: Kfunc, hook: str, version: str = "") -> bool:
    """Whether programs of a hook find the function."""
    if version == "6.12" and kfunc.name in IN_612:
        return LISTS.get(hook) == IN_612[kfunc.name]
    if version == "6.12" and hook in NOT_IN_612:
        return "common" in kfunc.lists
    if "common" in kfunc.lists:
        return True
    return LISTS.get(hook) in kfunc.lists and (not kfunc.only or hook in kfunc.only)


__all__ = ["Kfunc", "all_kfuncs", "may_call"]
