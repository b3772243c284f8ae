"""Targets: what differs between the machines that the front end lowers for."""

from __future__ import annotations

import platform
from dataclasses import dataclass

from ebee.errors import CompileError


@dataclass(frozen=True, slots=True)
class Target:
    """`triple`: of LLVM; `elf`: the machine number in object files; `relax`: the instruction of
    a spin loop. `aligned`: loads and stores are of the alignment that types promise (else of any);
    `sdiv`: it divides signed numbers; `nulls`: pointers that may be null must be tested first;
    `one_exit`: functions leave by one block, which LLVM then places behind the others;
    `strict`: divisions of constants that the other operand's type does not hold are refused;
    `stack`: bytes that the variables of a function may take (0: enough)."""

    name: str
    triple: str
    elf: int
    relax: str
    aligned: bool = False
    sdiv: bool = True
    nulls: bool = False
    one_exit: bool = False
    strict: bool = False
    stack: int = 0


X86_64 = Target(
    "x86-64", "x86_64-unknown-linux-gnu", 62, "call void @llvm.x86.sse2.pause()"
)  # fmt: skip
ARM64 = Target("arm64", "aarch64-unknown-linux-gnu", 183, "call void @llvm.aarch64.hint(i32 1)")

BPF = Target(
    "bpf", "bpfel", 247, "", aligned=True, sdiv=False, nulls=True, one_exit=True, strict=True,
    stack=512,
)  # fmt: skip
"""eBPF of version 3, which Linux has had since 5.1: no signed division."""

_HOSTS = {"x86_64": X86_64, "AMD64": X86_64, "aarch64": ARM64, "arm64": ARM64}


def host() -> Target:
    """The target of this machine; CompileError when there is none."""
    target = _HOSTS.get(platform.machine())
    if target is None:
        raise CompileError(
            f"there is no compiler for {platform.machine()} hosts, only for x86-64 and arm64\n"
            "way out: use the interpreter"
        )
    return target
