"""Where the tables of kernel functions (ebee.helpers.kfuncs) differ from the running kernel.

    python scripts/kfuncs.py

BTF says which kernel functions are for programs, but not for which, nor under which flags. For
each, and for each kind of program that can be loaded here, a program of one call is loaded: the
kernel's complaint tells whether the call is allowed, and whether it may sleep. Prints what the
tables lack or say otherwise; ends with a status that is not zero where they allow more than the
kernel. Needs root; nothing is run.
"""

from __future__ import annotations

import sys

from ebee.btf import Btf, DeclTag, Func
from ebee.errors import KernelError, VerifierError
from ebee.helpers.kfuncs import Kfunc, all_kfuncs, may_call
from ebee.isa import Insn, make
from ebee.isa.insn import CALL, JMP, PSEUDO_KFUNC_CALL
from ebee.linux.programs import LinuxProgram

# Hooks whose programs load without a target: type and attach type of BPF_PROG_LOAD.
HOOKS = {
    "xdp": ("xdp", 0), "tc": ("sched_cls", 0), "tc_action": ("sched_act", 0),
    "socket_filter": ("socket_filter", 0), "sk_skb": ("sk_skb", 0),
    "cgroup_skb": ("cgroup_skb", 0), "lwt_in": ("lwt_in", 0), "kprobe": ("kprobe", 0),
    "tracepoint": ("tracepoint", 0), "perf_event": ("perf_event", 0),
    "sock_ops": ("sock_ops", 3), "netfilter": ("netfilter", 45),
}  # fmt: skip
SYSCALL = ("syscall", 0, 1 << 4)
NOT_ALLOWED, MUST_SLEEP = "is not allowed", "program must be sleepable"


def complaint(id: int, type: str, attach_type: int, flags: int = 0) -> str:
    """What the kernel says of a program that calls the function without arguments."""
    code = [Insn(JMP | CALL, 0, PSEUDO_KFUNC_CALL, 0, id), make("mov64_imm"), make("exit")]
    try:
        LinuxProgram.load(code, type, attach_type=attach_type, flags=flags).close()
    except VerifierError as error:
        return error.log
    except KernelError as error:
        return f"not loaded: {error.summary}"
    return ""


def differences(name: str, id: int, known: Kfunc | None) -> list[tuple[bool, str]]:
    """What differs of one function; whether the tables allow too much."""
    if known is None:
        return [(False, f"{name}: is not in the tables")]
    found = []
    hooks = {**{hook: (*way, 0) for hook, way in HOOKS.items()}, "syscall": SYSCALL}
    sleeps = False
    for hook, way in hooks.items():
        said = complaint(id, *way)
        if said.startswith("not loaded"):
            continue
        allowed = NOT_ALLOWED not in said
        sleeps |= MUST_SLEEP in said
        if allowed != may_call(known, hook):
            word = "allows" if allowed else "refuses"
            found.append((not allowed, f"{name}: the kernel {word} it in {hook} programs"))
    if sleeps and "sleepable" not in known.flags:
        found.append((True, f"{name}: may sleep, which the tables do not say"))
    return found


def main() -> int:
    """The command."""
    btf = Btf.vmlinux()
    tagged = {t.type for t in btf if isinstance(t, DeclTag) and t.name == "bpf_kfunc"}
    there = {btf.type(id).name: id for id in sorted(tagged) if isinstance(btf.type(id), Func)}
    tables = all_kfuncs()
    worse = count = 0
    for name, id in sorted(there.items()):
        for bad, text in differences(name, id, tables.get(name)):
            print(("! " if bad else "  ") + text)
            worse += bad
            count += 1
    missing = sorted(tables.keys() - there.keys())
    print(f"  not in this kernel: {' '.join(missing)}")
    print(f"{len(there)} kernel functions here, {len(tables)} in the tables, {count} differences")
    return bool(worse)


if __name__ == "__main__":
    sys.exit(main())
