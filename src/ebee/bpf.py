"""The kernel's helpers by name, for programs: `from ebee import bpf`, `bpf.ktime_get_ns()`.

Each takes the parameters that the kernel's documentation names, in that order; `help(bpf.NAME)`
says what it does. What needs more than a call has words of its own: maps, ring buffers, print.
"""

from typing import Any


def __getattr__(name: str) -> Any:
    if not name.startswith("__"):
        from ebee.lang.bpf.intrinsics import helper_name

        found = helper_name(name)
        if found is not None:
            globals()[name] = found
            return found
    raise AttributeError(f"the kernel has no helper {name!r}")


def __dir__() -> list[str]:
    from ebee.helpers import all_helpers

    return [h.name for h in all_helpers()]
