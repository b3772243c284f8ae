"""What can be known of a program without running it: facts, and Linux's verdict.

from ebee import obj, verifier
verdict = verifier.check(obj.load("firewall.bpf.o"), "firewall")
print(verdict)          # firewall: accepted, 31,755 instructions processed
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ebee.verifier.core.check import Verdict, check
    from ebee.verifier.core.privileges import Privileges
    from ebee.verifier.core.profile import PROFILES, Profile

_MODULE_OF = {
    "Verdict": "core.check", "check": "core.check",
    "PROFILES": "core.profile", "Profile": "core.profile", "Privileges": "core.privileges",
}  # fmt: skip

__all__ = ["PROFILES", "Privileges", "Profile", "Verdict", "check"]


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value
