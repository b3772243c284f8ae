"""Functions of the kernel that programs may call: `from ebee.kfuncs import bpf_task_from_pid`.

By the kernel's names, typed by its BTF; `bpf_iter_task` and its like are iterators, for `for`.
What a function gives that must be given back is best held by `with`. See docs/language.md.
"""

from typing import Any


def __getattr__(name: str) -> Any:
    if not name.startswith("__"):
        from ebee.lang.bpf.kfuncs import find

        found = find(name)
        if found is not None:
            return found
        from ebee.lang.bpf.kernel_source import source

        raise ImportError(f"{source().name} has no function {name!r} that programs may call")
    raise AttributeError(name)
