"""The operations of a map compiled for the host, for user space: what `MachineMap.ops` can be
instead of the module under CPython. One call then takes about a microsecond instead of hundreds.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ebee.types import PtrType, ptr

if TYPE_CHECKING:
    from ebee.machine.map_state import MapState

OPERATIONS = (
    "lookup", "lookup_user", "lookup_percpu", "lookup_percpu_user", "update", "update_percpu",
    "delete", "take", "next_key", "read_bucket", "length", "push", "pop", "peek",
    "get", "held", "may_set", "owns",
)  # fmt: skip
"""What user space calls."""


class NativeOps:
    """A map's operations with the names and arguments of its module, compiled for this one map.

    Everything else of the module is here too. CompileError where there is no compiler for the
    host; needs llvmlite unless the code is in the cache.
    """

    def __init__(self, m: MapState):
        from ebee.lang.build import c_function, native
        from ebee.lang.unit import Spec, compile_native
        from ebee.machine.jit.known import known_map

        self._module, self._memory = m.ops, m.memory
        known, addresses = known_map("map", m)
        there = [name for name in OPERATIONS if hasattr(m.ops, name)]
        module = compile_native([Spec(getattr(m.ops, n), n, {"m": known}) for n in there])
        self._code = native(module, addresses)
        for name in there:
            call = c_function(self._code, name, module.exports[name])
            result = module.exports[name].result
            setattr(self, name, self._adapted(getattr(m.ops, name), call, result))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)

    def _adapted(self, body: Any, call: Any, result: Any) -> Callable[..., Any]:
        """The compiled function behind the signature of its source: the map's argument is part of
        the code, pointers are addresses."""
        at = list(inspect.signature(body).parameters).index("m")
        to = result.to if isinstance(result, PtrType) else None

        def operation(*args: Any) -> Any:
            given = [int(a) for i, a in enumerate(args) if i != at]
            found = call(*given)
            return found if to is None else ptr(self._memory, found or 0, to)

        return operation
