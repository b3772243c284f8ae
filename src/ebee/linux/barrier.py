"""A memory barrier for memory that is shared with the kernel.

CPython does loads and stores of memoryviews in program order, as single instructions; x86 keeps
that order but for a store followed by a load, other processors need a barrier.
"""

from __future__ import annotations

import os
import threading

ORDERED = os.uname().machine == "x86_64"
_LOCK = threading.Lock()


def fence() -> None:
    """What came before is seen before what follows, where the processor does not see to that."""
    if not ORDERED:
        full_fence()


def full_fence() -> None:
    """The same, also for a store followed by a load: a lock's release and acquire are a barrier."""
    with _LOCK:
        pass
