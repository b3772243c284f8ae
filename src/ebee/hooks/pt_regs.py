"""struct pt_regs of x86-64, the context of kprobes and uprobes (arch/x86/include/asm/ptrace.h); and
where functions have their arguments, on arm64, too."""

from ebee.hooks import CtxField

NAMES = (
    "r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx", "rdx", "rsi",
    "rdi", "orig_rax", "rip", "cs", "eflags", "rsp", "ss",
)  # fmt: skip

FIELDS = tuple(CtxField(name, 8 * i, 8) for i, name in enumerate(NAMES))

WHOLE = tuple(CtxField(name, 8 * i, 8, narrow=False) for i, name in enumerate(NAMES))
"""As perf events allow it: no parts."""


def _at(names: str) -> tuple[int, ...]:
    return tuple(8 * NAMES.index(name) for name in names.split())


ARGUMENTS = {"x86_64": _at("rdi rsi rdx rcx r8 r9"), "aarch64": tuple(range(0, 64, 8))}
"""By machine (os.uname): bytes at which a function's arguments lie at its entry."""

SYSCALL = {"x86_64": _at("rdi rsi rdx r10 r8 r9"), "aarch64": tuple(range(0, 48, 8))}
"""The same of system calls, in the registers of the process."""

RESULT = {"x86_64": _at("rax")[0], "aarch64": 0}
"""Bytes at which the result lies at the return."""
