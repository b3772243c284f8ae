"""Which kernel's types programs are relocated against: a given one's, the running one's, or those
that come with ebee."""

from __future__ import annotations

from typing import NamedTuple

from ebee.btf.files import modules
from ebee.btf.reader import Btf
from ebee.errors import BtfError


class Target(NamedTuple):
    """What programs are relocated against. `notice`: what is to be said about it, if anything;
    `running`: whether it is the running kernel."""

    btf: Btf
    notice: str = ""
    running: bool = False

    def modules(self) -> list[Btf]:
        """The running kernel's modules, in which CO-RE seeks what the kernel itself lacks."""
        return [Btf.module(name, self.btf) for name in modules()] if self.running else []


def target(path: str = "") -> Target:
    """A kernel's BTF: that in a file, else the running kernel's, else the bundled one with a
    notice. BtfError when the file has none."""
    if path:
        return Target(Btf.load(path))
    try:
        return Target(Btf.vmlinux(), running=True)
    except BtfError as error:
        found = Btf.bundled()
        return Target(found, f"{error.summary.partition(':')[0]}; using {found.name}")
