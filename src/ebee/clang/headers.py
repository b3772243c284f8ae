"""The headers that ebee gives to C programs: written ones, and ones made from declarations.

`bpf/bpf_helpers.h`, `bpf_endian.h`, `bpf_core_read.h` and `bpf_tracing.h` are files of this
package; `bpf/bpf_helper_defs.h` comes from `ebee.helpers`, `vmlinux.h` from a kernel's BTF.
"""

from __future__ import annotations

import hashlib
import os
import re
from functools import cache
from pathlib import Path

from ebee import cachedir
from ebee.btf import Btf
from ebee.errors import CompileError

WRITTEN = Path(__file__).parent / "headers"
"""The folder to include for the written headers."""


@cache
def helper_definitions() -> str:
    """The text of bpf_helper_defs.h: a prototype for each declared helper."""
    from ebee.helpers import all_helpers

    # C has no word for "const as an argument only": results can be written through.
    prototypes = [(h, re.sub("^static const ", "static ", h.prototype())) for h in all_helpers()]
    structs = sorted({s for _, text in prototypes for s in re.findall(r"struct (\w+)", text)})
    lines = [
        "/* SPDX-License-Identifier: Apache-2.0 */",
        "/* Made from ebee's declarations of the helpers: changes here are lost. */",
        "#ifndef EBEE_BPF_HELPER_DEFS_H",
        "#define EBEE_BPF_HELPER_DEFS_H",
        "",
        *(f"struct {name};" for name in structs),
        "",
    ]
    for helper, text in prototypes:
        lines += [f"/* {helper.doc} Since Linux {helper.since}. */", text, ""]
    return "\n".join([*lines, "#endif", ""])


def generate(place: Path, vmlinux: str | os.PathLike[str] | Btf | None, *, types: bool) -> None:
    """Write the made headers into a folder: the helpers, and with `types` vmlinux.h too."""
    (place / "bpf").mkdir(exist_ok=True)
    (place / "bpf" / "bpf_helper_defs.h").write_text(helper_definitions())
    if types:
        (place / "vmlinux.h").write_text(kernel_types(vmlinux))


def kernel_types(vmlinux: str | os.PathLike[str] | Btf | None) -> str:
    """The text of vmlinux.h: all types of a kernel (this one's by default), kept in the cache."""
    if vmlinux is None:
        btf = Btf.vmlinux()
    elif isinstance(vmlinux, Btf):
        btf = vmlinux
    else:
        path = Path(vmlinux)
        if path.suffix == ".h":
            return _read(path)
        btf = Btf.load(path)
    from ebee.btf import printer

    maker = Path(printer.__file__).read_bytes()
    key = hashlib.sha256(bytes(btf.data) + maker).hexdigest()[:32]
    kept = cachedir.load("vmlinux", key)
    if kept is not None:
        return kept.decode()
    text = printer.c(btf)
    cachedir.store("vmlinux", key, text.encode())
    return text


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        raise CompileError(f"cannot read {path}: {error.strerror}") from None
