"""Attaching to cgroups."""

from __future__ import annotations

import errno
import os

from ebee.errors import KernelError
from ebee.linux import uapi
from ebee.linux.attach.common import opened
from ebee.linux.links import Link, create
from ebee.linux.programs import LinuxProgram


def cgroup(program: LinuxProgram, path: str, attach_type: str) -> Link:
    """Attach to a cgroup (version 2) for one of the cgroup_* attach types. Since Linux 5.7."""
    if attach_type not in uapi.ATTACH_TYPES or "cgroup" not in attach_type:
        raise KernelError(f"{attach_type!r} is no cgroup attach type")
    why = {
        errno.EINVAL: f"the program was not loaded for {attach_type}",
        errno.EPERM: "a program further up forbids others here",
        errno.EBADF: f"{path} is no cgroup of version 2",
    }
    with opened(path, os.O_DIRECTORY) as folder:
        fields = {"target_fd": folder, "attach_type": uapi.ATTACH_TYPES[attach_type]}
        return create(program, f"cgroup {path} ({attach_type})", fields, why, "5.7")
