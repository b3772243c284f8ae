"""Which helpers a program may call, before anything is said of their arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebee.btf import Func
from ebee.helpers import Helper
from ebee.hooks.helper_sets import COMMON_SINCE_616, HAD_BEFORE_616
from ebee.hooks.numbers import PROG_TYPES
from ebee.verifier.core import locks, privileges
from ebee.verifier.core.errors import EINVAL, ENOTSUPP, DoesNotKnow, Rejected
from ebee.verifier.core.program import Program
from ebee.verifier.core.target import SLEEPABLE_HOOKS

if TYPE_CHECKING:
    from ebee.verifier.core.walk import Walk


def check(w: Walk, helper: Helper, label: str) -> None:
    """Rejected when this program may not call the helper here; `label` is its name in messages."""
    program = w.program
    if not _may_call(w, helper.name):
        text = f"program of this type cannot use helper {label}"
        raise Rejected("helper-not-allowed", text, "", EINVAL)
    if helper.gpl and not program.gpl and program.hook.name not in helper.gpl_except:
        text = "cannot call GPL-restricted function from non-GPL compatible program"
        raise Rejected("needs-gpl", text, "", EINVAL)
    if helper.name == "get_func_ip":
        _check_func_ip(program, label)
    if helper.name == "d_path":
        _check_d_path(w)
    if helper.name in ("sk_storage_get", "sk_storage_delete"):
        _check_storage(program)
    if helper.sleeps:
        _check_may_sleep(w, label)
    if w.state.locks and helper.name != "spin_unlock":
        text = "function calls are not allowed while holding a lock"
        raise Rejected("lock-held", text, "", EINVAL)


def _may_call(w: Walk, name: str) -> bool:
    """Whether its kind of program has the helper, in that version, with those capabilities."""
    program, target = w.program, w.program.target
    place = program.attach_to
    if target is not None and target.struct:
        place = target.struct
    retiring = target is not None and target.member == "release"
    if retiring and name in ("setsockopt", "getsockopt"):  # bpf_tcp_ca_get_func_proto
        return False
    if not w.profile.common_helpers and name in COMMON_SINCE_616:
        return name in HAD_BEFORE_616.get(program.hook.name, ())
    if name == "probe_write_user" and w.profile.lockdown:
        return False
    if name == "override_return":  # with CONFIG_BPF_KPROBE_OVERRIDE
        found = program.types().get("bpf_override_return", Func)
        if found is None and program.types().partial:
            raise DoesNotKnow("whether this kernel has bpf_override_return()")
        if found is None:
            return False
    if not privileges.may_call(name, w.profile.privileges):
        return False
    return program.hook.may_call(name, program.attach_type, place)


_TRAMPOLINES = frozenset(("fentry", "fexit", "fmod_ret", "fsession"))


def _check_func_ip(program: Program, label: str) -> None:
    """Only what is called from a function knows its address (check_get_func_ip)."""
    number, text = program.hook.prog_type, ""
    if number not in (PROG_TYPES["tracing"], PROG_TYPES["kprobe"]):
        text = f"func {label} not supported for program type {number}"
    elif number == PROG_TYPES["tracing"] and program.hook.name not in _TRAMPOLINES:
        text = f"func {label} supported only for fentry/fexit/fmod_ret programs"
    if text:
        raise Rejected("helper-not-allowed", text, "", ENOTSUPP)


def _check_storage(program: Program) -> None:
    """Programs at functions do not change the storage of sockets under the functions that do so
    (bpf_sk_storage_tracing_allowed)."""
    hook, inside = program.hook.name, program.attach_to.startswith("bpf_sk_storage")
    if hook == "fmod_ret" or (hook in ("fentry", "fexit") and inside):
        raise _in_probe()


def _in_probe() -> Rejected:
    return Rejected("helper-not-allowed", "helper call is not allowed in probe", "", EINVAL)


_D_PATH = frozenset((
    "security_file_permission", "security_inode_getattr", "security_file_open",
    "security_path_truncate", "vfs_truncate", "vfs_fallocate", "dentry_open", "vfs_getattr",
    "filp_close",
))  # fmt: skip


def _check_d_path(w: Walk) -> None:
    """Where the name of a path may be asked for (bpf_d_path_allowed)."""
    hook, target = w.program.hook.name, w.program.attach_to
    fine = hook == "iter" or target in (SLEEPABLE_HOOKS if hook == "lsm" else _D_PATH)
    if hook == "lsm" and not fine:
        raise DoesNotKnow(f"whether {target} may ask for names of paths")
    if not fine:
        raise _in_probe()


def _check_may_sleep(w: Walk, label: str) -> None:
    if not w.sleepable:
        text = "helper call might sleep in a non-sleepable prog"
        raise Rejected("may-sleep", text, "", EINVAL)
    locks.check_may_sleep(w, (
        f"sleepable helper {label} in rcu_read_lock region",
        f"sleepable helper {label} in non-preemptible region",
        f"sleepable helper {label} in IRQ-disabled region",
    ))  # fmt: skip
