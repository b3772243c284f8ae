"""What a program is for, where that is a function, tracepoint or struct of the kernel: its
arguments are the program's context (bpf_check_attach_target)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ebee.btf import Btf, Func, FuncProto, Ptr, Struct, Typedef
from ebee.btf.match import essential
from ebee.verifier.core import btftype
from ebee.verifier.core import reg as R
from ebee.verifier.core.errors import EINVAL, DoesNotKnow, Rejected

if TYPE_CHECKING:
    from ebee.obj.spec import ObjectSpec, ProgramSpec
    from ebee.verifier.core.program import Program

MAYBE_NULL, MAYBE_ERROR = 1, 2

# Tracepoints with arguments that may be null or an error number, as one digit for each argument,
# the last first (kernel/bpf/btf.c: raw_tp_null_args).
TRACEPOINTS = {
    "sched_pi_setprio": 0x10, "sched_process_wait": 0x1, "sched_stick_numa": 0x100,
    "sched_swap_numa": 0x100, "afs_make_fs_call": 0x10, "afs_make_fs_calli": 0x10,
    "afs_make_fs_call1": 0x10, "afs_make_fs_call2": 0x10, "afs_protocol_error": 0x1,
    "afs_flock_ev": 0x10, "cachefiles_lookup": 0x1 | 0x200, "cachefiles_unlink": 0x1,
    "cachefiles_rename": 0x1, "cachefiles_prep_read": 0x1, "cachefiles_mark_active": 0x1,
    "cachefiles_mark_failed": 0x1, "cachefiles_mark_inactive": 0x1, "cachefiles_vfs_error": 0x1,
    "cachefiles_io_error": 0x1, "cachefiles_ondemand_open": 0x1, "cachefiles_ondemand_copen": 0x1,
    "cachefiles_ondemand_close": 0x1, "cachefiles_ondemand_read": 0x1,
    "cachefiles_ondemand_cread": 0x1, "cachefiles_ondemand_fd_write": 0x1,
    "cachefiles_ondemand_fd_release": 0x1, "ext4_mballoc_discard": 0x10,
    "ext4_mballoc_free": 0x10, "fib_table_lookup": 0x100, "posix_lock_inode": 0x10,
    "fcntl_setlk": 0x10, "locks_remove_posix": 0x10, "flock_lock_inode": 0x10,
    "break_lease_noblock": 0x10, "break_lease_block": 0x10, "break_lease_unblock": 0x10,
    "generic_delete_lease": 0x10, "time_out_leases": 0x10, "host1x_cdma_push_gather": 0x10000,
    "mm_khugepaged_scan_pmd": 0x10, "mm_collapse_huge_page_isolate": 0x1,
    "mm_khugepaged_scan_file": 0x10, "mm_khugepaged_collapse_file": 0x10, "mm_page_alloc": 0x1,
    "mm_page_pcpu_drain": 0x1, "mm_page_alloc_zone_locked": 0x1, "netfs_failure": 0x10,
    "device_pm_callback_start": 0x10, "qdisc_dequeue": 0x1000, "rxrpc_recvdata": 0x1,
    "rxrpc_resend": 0x10, "signal_generate": 0x20, "signal_deliver": 0x20,
    "xs_stream_read_data": 0x1, "xprt_reserve_cong": 0x10, "xprt_release_cong": 0x10,
    "xprt_get_cong": 0x10, "xprt_put_cong": 0x10, "tcp_send_reset": 0x11,
    "tegra_dma_tx_status": 0x100, "tmigr_update_events": 0x1, "writeback_dirty_folio": 0x10,
    "folio_wait_writeback": 0x10, "mr_integ_alloc": 0x2000,
}  # fmt: skip

_OR_NULL = R.BTF | R.NULLABLE
_SAFE_OR_NULL = _OR_NULL | R.TRUSTED
_KEY, _VALUE = R.BUF | R.NULLABLE | R.RDONLY, R.BUF | R.NULLABLE

# Arguments of iterators by their place (struct bpf_iter_reg of each: ctx_arg_info).
ITERATORS: dict[str, dict[int, int]] = {
    "task": {1: _SAFE_OR_NULL}, "task_file": {1: _OR_NULL, 3: _OR_NULL},
    "task_vma": {1: _OR_NULL, 2: _OR_NULL}, "bpf_map": {1: _SAFE_OR_NULL},
    "bpf_map_elem": {2: _KEY, 3: _VALUE}, "bpf_prog": {1: _OR_NULL},
    "bpf_link": {1: _OR_NULL}, "bpf_sk_storage_map": {2: _OR_NULL, 3: _VALUE},
    "sockmap": {2: _KEY, 3: _OR_NULL}, "tcp": {1: _SAFE_OR_NULL}, "udp": {1: _SAFE_OR_NULL},
    "unix": {1: _OR_NULL}, "netlink": {1: _OR_NULL}, "cgroup": {1: _SAFE_OR_NULL},
    "ksym": {1: _OR_NULL}, "kmem_cache": {1: _SAFE_OR_NULL}, "ipv6_route": {1: _OR_NULL},
    "dmabuf": {1: _OR_NULL},
}  # fmt: skip

# Security hooks whose arguments may be half torn down (kernel/bpf/bpf_lsm.c: untrusted_lsm_hooks).
UNTRUSTED_HOOKS = frozenset((
    "bpf_map_free", "bpf_prog_free", "file_alloc_security", "file_free_security",
    "sk_alloc_security", "sk_free_security", "task_free",
))  # fmt: skip


@dataclass(eq=False, slots=True)
class Target:
    """What a program is for: a function's prototype, or none where any arguments are taken.

    `skip`: parameters before the first that programs see; `trusted`: pointers among them are good;
    `null`: what may be wrong with arguments (a digit each); `types`: types of arguments that are
    known otherwise; `struct` and `member`: of struct_ops.
    """

    name: str
    btf: Btf
    proto: FuncProto | None
    skip: int = 0
    trusted: bool = False
    null: int = 0
    types: dict[int, int] = field(default_factory=dict)
    struct: str = ""
    member: str = ""


def target_of(spec: ObjectSpec, program: ProgramSpec, made: Program) -> Target | None:
    """What a program of an object is for; None where its hook says it all."""
    if made.hook.name == "struct_ops":
        return _member_of(spec, program, made)
    return named(made)


def named(made: Program) -> Target | None:
    """The target that a program names."""
    hook, name = made.hook, made.attach_to
    if hook.target not in ("function", "tracepoint", "hook", "iterator"):
        return None
    if hook.name == "freplace" or not name:
        raise DoesNotKnow(f"programs of {hook.name}" + ("" if name else " without a target"))
    btf = made.types()
    if hook.target == "tracepoint":
        typedef = btf.get(f"btf_trace_{name}", Typedef)
        pointer = btf.resolve(typedef.type) if typedef is not None else None
        if not isinstance(pointer, Ptr):
            raise DoesNotKnow(f"a tracepoint {name}")
        # The types are those of the function that all tracepoints of a class share; names, which
        # say what may be null, are only in its own.
        proto = btftype.prototype(btf, btftype.skip(btf, pointer.type))
        own = btf.get(f"__bpf_trace_{name}", Func)
        proto = (btftype.prototype(btf, own.id) if own is not None else None) or proto
        return Target(name, btf, proto, 1, True, TRACEPOINTS.get(name, 0))
    _check_attach(made, name)
    prefix = {"hook": "bpf_lsm_", "iterator": "bpf_iter_"}.get(hook.target, "")
    function = btf.get(prefix + name, Func)
    if function is None:
        raise DoesNotKnow(f"a kernel function {prefix}{name}")
    if hook.target == "hook" and name in DISABLED_HOOKS:
        text = f"attach_btf_id {function.id} points to disabled hook {prefix}{name}"
        raise Rejected("attach", text, "", EINVAL)
    proto = btftype.prototype(btf, function.id)
    trusted = hook.target == "iterator" or (hook.target == "hook" and name not in UNTRUSTED_HOOKS)
    types = ITERATORS.get(name, {}) if hook.target == "iterator" else {}
    if hook.target == "iterator" and name not in ITERATORS:
        raise DoesNotKnow(f"iterators over {name}")
    return Target(prefix + name, btf, proto, 0, trusted, 0, types)


# Security hooks that no program may take (bpf_lsm_disabled_hooks), and those in which programs may
# sleep in 6.12 (sleepable_lsm_hooks); of the others it is not known, for later versions have more.
DISABLED_HOOKS = frozenset((
    "vm_enough_memory", "inode_need_killpriv", "inode_getsecurity", "inode_listsecurity",
    "inode_copy_up_xattr", "getselfattr", "getprocattr", "setprocattr", "key_getsecurity",
    "audit_rule_match", "ismaclabel",
))  # fmt: skip
SLEEPABLE_HOOKS = frozenset((
    "bpf", "bpf_map", "bpf_map_create", "bpf_map_free", "bpf_prog", "bpf_prog_load",
    "bpf_token_capable", "bpf_token_cmd", "bpf_token_create", "bpf_token_free",
    "bprm_check_security", "bprm_committed_creds", "bprm_committing_creds", "bprm_creds_for_exec",
    "bprm_creds_from_file", "capget", "capset", "cred_prepare", "current_getsecid_subj",
    "file_ioctl", "file_lock", "file_open", "file_post_open", "file_receive", "inode_create",
    "inode_free_security", "inode_getattr", "inode_getxattr", "inode_mknod", "inode_need_killpriv",
    "inode_post_setxattr", "inode_readlink", "inode_rename", "inode_rmdir", "inode_setattr",
    "inode_setxattr", "inode_symlink", "inode_unlink", "kernel_module_request", "kernel_read_file",
    "kernfs_init_security", "mmap_file", "netlink_send", "path_chmod", "path_chown", "path_link",
    "path_mkdir", "path_notify", "path_rename", "path_rmdir", "path_symlink", "path_truncate",
    "path_unlink", "release_secctx", "sb_alloc_security", "sb_eat_lsm_opts", "sb_kern_mount",
    "sb_mount", "sb_remount", "sb_set_mnt_opts", "sb_show_options", "sb_statfs", "sb_umount",
    "settime", "socket_accept", "socket_bind", "socket_connect", "socket_create",
    "socket_getpeername", "socket_getpeersec_dgram", "socket_getsockname", "socket_getsockopt",
    "socket_listen", "socket_post_create", "socket_recvmsg", "socket_sendmsg", "socket_shutdown",
    "socket_socketpair", "syslog", "task_alloc", "task_getsecid_obj", "task_prctl",
    "task_setscheduler", "userns_create",
))  # fmt: skip
MODIFIABLE = frozenset((
    "bpf_modify_return_test", "bpf_modify_return_test2", "bpf_modify_return_test_tp",
    "bpf_fentry_test1", "update_socket_protocol",
))  # fmt: skip
"""Functions whose result programs may change, besides security_*() and those that a kernel was
built to fail in on request; in the last one programs may sleep as well."""


def _check_attach(made: Program, name: str) -> None:
    """Whether programs may be there, and sleep there (bpf_check_attach_target)."""
    hook = made.hook.name
    if hook in ("lsm", "lsm_cgroup"):
        if not made.gpl:
            text = "LSM programs must have a GPL compatible license"
            raise Rejected("needs-gpl", text, "", EINVAL)
        if made.sleepable and name not in SLEEPABLE_HOOKS:
            raise DoesNotKnow(f"whether programs may sleep in {name}")
    elif hook in ("fentry", "fexit", "fmod_ret") and made.sleepable:
        if name != "bpf_fentry_test1" and not _may_fail(made, name):
            if _may_fail(made, name) is None:
                raise DoesNotKnow(f"whether programs may sleep in {name}()")
            raise Rejected("attach", f"{name} is not sleepable", "", EINVAL)
    elif hook == "fmod_ret" and not (
        name.startswith("security_") or name in MODIFIABLE or _may_fail(made, name)
    ):
        if name.startswith("__x64_sys_") and _may_fail(made, name) is False:
            raise Rejected("attach", f"{name}() is not modifiable", "", EINVAL)
        raise DoesNotKnow(f"whether {name}() may be modified")


def _may_fail(made: Program, name: str) -> bool | None:
    """Whether a function was built to fail on request, as system calls are in kernels that can do
    so (CONFIG_FUNCTION_ERROR_INJECTION): programs may change its result, and sleep in it. None:
    that is not known."""
    btf = made.types()
    if btf.get("within_error_injection_list", Func) is None:
        return None if btf.partial else False
    return name.startswith("__x64_sys_") or None


def _member_of(spec: ObjectSpec, program: ProgramSpec, made: Program) -> Target:
    """The function of a kernel's struct that a struct_ops program implements."""
    for each in spec.maps.values():
        if each.type != "struct_ops" or spec.btf is None or not each.value_btf_id:
            continue
        struct = spec.btf.resolve(each.value_btf_id)
        for index, name in each.contents.items():
            if name == program.name and isinstance(struct, Struct):
                member = struct.members[index].name
                _check_member(made, essential(struct.name), member)
                return _function_of(made.types(), essential(struct.name), member)
    raise DoesNotKnow("struct_ops programs that no map names")


# What programs of a struct may not implement, and what may sleep (check_member of each).
UNSUPPORTED: dict[str, frozenset[str]] = {
    "tcp_congestion_ops": frozenset(("get_info",)), "bpf_dummy_ops": frozenset(),
}  # fmt: skip
MAY_SLEEP = {"bpf_dummy_ops": frozenset(("test_sleepable",))}


def _check_member(made: Program, struct: str, member: str) -> None:
    if struct not in UNSUPPORTED:
        raise DoesNotKnow(f"the rules of struct {struct}")
    if not made.gpl:
        text = "struct ops programs must have a GPL compatible license"
        raise Rejected("needs-gpl", text, "", EINVAL)
    sleeps = made.sleepable and member not in MAY_SLEEP.get(struct, ())
    if member in UNSUPPORTED[struct] or sleeps:
        text = f"attach to unsupported member {member} of struct {struct}"
        raise Rejected("attach", text, "", EINVAL)


def _function_of(btf: Btf, struct: str, member: str) -> Target:
    found = btf.get(struct, Struct)
    inside = found and next((m for m in found.members if m.name == member), None)
    pointer = btf.resolve(inside.type) if inside else None
    proto = None
    if isinstance(pointer, Ptr):
        proto = btftype.prototype(btf, btftype.skip(btf, pointer.type))
    if proto is None:
        raise DoesNotKnow(f"a function {member} of struct {struct}")
    null, types = 0, dict[int, int]()
    stub = btf.get(f"{struct}__{member}", Func)
    names = btftype.prototype(btf, stub.id) if stub is not None else None
    for index, param in enumerate(names.params if names else ()):
        if param.name.endswith("__nullable"):
            null |= MAYBE_NULL << 4 * index
        if param.name.endswith("__ref"):
            raise DoesNotKnow("references as arguments of struct_ops programs")
    return Target(f"{struct}::{member}", btf, proto, 0, True, null, types, struct, member)
