"""The options of `Program.attach`, for editors and type checkers: those of all hooks together.

Which of them a hook takes, and what each means, says the function that attaches it (MECHANISMS);
any other is an ObjectError that names those it takes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from ebee.linux.perf import Event


class Options(TypedDict, total=False):
    """See the module."""

    # Where: each also the first argument of `attach` for its hooks.
    dev: str | int
    path: str | os.PathLike[str]
    name: str
    function: str | int | Sequence[str] | Sequence[int]
    event: str | Event | None
    map: Any
    sock: Any
    namespace: str
    family: str | int
    destination: str

    # Probes and tracing.
    offset: int
    offsets: Sequence[int]
    on_return: bool
    session: bool
    pid: int
    pidfd: int
    tid: int
    cpu: int
    frequency: int
    period: int
    cgroup: str | os.PathLike[str]
    order: str
    cookie: int
    cookies: Mapping[str, int] | Sequence[int] | None
    semaphore: int
    semaphores: Sequence[int] | None
    provider: str
    mode: str

    # Networking and cgroups.
    direction: str
    end: str | None
    by: str
    attach_type: str | None
    before: Any
    after: Any
    replace: Any
    expected_revision: int
    preorder: bool
    priority: int
    handle: int
    direct: bool
    hook: str | int
    defrag: bool
    headroom: int
    metric: int
    table: int
    via: str
