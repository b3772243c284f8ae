"""The types that come with ebee: a part of one kernel's, for where there is no kernel with BTF.

They are made by scripts/gen_btf.py, which tells what is in them.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

from ebee.btf.files import modules
from ebee.btf.reader import Btf
from ebee.errors import BtfError

FOLDER = Path(__file__).parent / "data"
SUFFIX = ".btf.xz"


@cache
def bundled() -> Btf:
    """See `Btf.bundled`. Read once; takes some 20 ms."""
    import lzma

    path = next(FOLDER.glob(f"*{SUFFIX}"), None)
    if path is None:
        raise BtfError(f"this installation of ebee lacks its types: there are none in {FOLDER}")
    try:
        data = lzma.decompress(path.read_bytes())
    except (OSError, lzma.LZMAError) as error:
        raise BtfError(f"cannot read the bundled types from {path}: {error}") from None
    _, version, machine = path.name.removesuffix(SUFFIX).split("-", 2)
    btf = Btf(data, name=f"the bundled BTF (Linux {version}, {machine})")
    btf.partial = True
    return btf


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
        found = bundled()
        return Target(found, f"{error.summary.partition(':')[0]}; using {found.name}")
