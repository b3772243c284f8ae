"""Types of the kernel by name, for programs: `from ebee.vmlinux import task_struct, tcp_sock`.

Structs, unions, enumerations and typedefs, from the file that EBEE_BTF names, else the running
kernel, else those that come with ebee. Programs fit other kernels, too: see docs/language.md.
"""

from typing import Any


def __getattr__(name: str) -> Any:
    if not name.startswith("__"):
        from ebee.lang.bpf.kernel_types import find

        found = find(name)
        if found is not None:
            return found
        from ebee.btf.names import suggest
        from ebee.lang.bpf.kernel_source import source

        near = suggest(name, (n for n, _ in source().names()))
        raise ImportError(f"{source().name} has no type {name!r}{near}")
    raise AttributeError(name)
