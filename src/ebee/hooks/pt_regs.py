"""struct pt_regs of x86-64, the context of kprobes and uprobes (arch/x86/include/asm/ptrace.h)."""

from ebee.hooks import CtxField

NAMES = (
    "r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx", "rdx", "rsi",
    "rdi", "orig_rax", "rip", "cs", "eflags", "rsp", "ss",
)  # fmt: skip

FIELDS = tuple(CtxField(name, 8 * i, 8) for i, name in enumerate(NAMES))

WHOLE = tuple(CtxField(name, 8 * i, 8, narrow=False) for i, name in enumerate(NAMES))
"""As perf events allow it: no parts."""
