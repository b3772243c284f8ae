"""Finding a clang that compiles for BPF, and the headers of Linux that go with it.

In this order: the command in $EBEE_CLANG; the `ziglang` wheel (`pip install 'ebee[c]'`), whose
`zig cc` is clang; then clang, clang-30 ... clang-14 on the PATH, the first with a BPF target.
"""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import subprocess
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from ebee import cachedir
from ebee.errors import CompileError

VERSIONS = range(30, 13, -1)
"""Versions looked for on the PATH; older ones lack CO-RE enum relocations or v3 by default."""
INSTALL = "install one with: pip install 'ebee[c]' (or your system's clang package)"


@dataclass(frozen=True)
class Toolchain:
    """A compiler: how to start it, how to say BPF to it, where Linux's own headers are."""

    command: tuple[str, ...]
    target: Mapping[str, tuple[str, ...]]
    """Byte order ("little", "big") -> arguments."""
    system_headers: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return " ".join(self.command)


def find() -> Toolchain:
    """The compiler to use. CompileError when there is none, saying how to get one."""
    chosen = os.environ.get("EBEE_CLANG", "").strip()
    return _find(chosen, os.environ.get("PATH", ""))


@cache
def _find(chosen: str, path: str) -> Toolchain:
    if chosen:
        try:
            words = shlex.split(chosen, posix=os.name == "posix")
        except ValueError as error:
            raise CompileError(f"EBEE_CLANG is no command ({error}): {chosen}") from None
        program = shutil.which(words[0])
        if program is None:
            raise CompileError(f"EBEE_CLANG names {words[0]!r}, which is no program here")
        if Path(words[0]).stem == "zig" or "ziglang" in words:
            words += [] if words[-1] == "cc" else ["cc"]
            return _zig(words, _zig_path() or Path(program))
        return _clang(words)
    bundled = _zig_path()
    if bundled is not None:
        return _zig([str(bundled), "cc"], bundled)
    for name in ("clang", *(f"clang-{n}" for n in VERSIONS)):
        if shutil.which(name, path=path) and _has_bpf(name):
            return _clang([name])
    raise CompileError(f"no clang with a BPF target was found; {INSTALL}")


def _zig_path() -> Path | None:
    spec = find_spec("ziglang")
    for place in (spec.submodule_search_locations or []) if spec else []:
        for name in ("zig", "zig.exe"):
            if (Path(place) / name).is_file():
                return Path(place) / name
    return None


def _zig(command: list[str], program: Path) -> Toolchain:
    # Without a cache folder that it can use, zig waits for ever.
    place = cachedir.folder("zig")
    if place is None:
        raise CompileError(
            "zig needs a cache folder, and there is no safe place for one;"
            " set XDG_CACHE_HOME to a folder of your own"
        )
    return Toolchain(
        tuple(command),
        {
            # zig adds run-time checks to C that no BPF program can call.
            order: ("-target", f"bpf{end}-freestanding", "-fno-sanitize=all")
            for order, end in (("little", "el"), ("big", "eb"))
        },
        _zig_headers(program.parent),
        {"ZIG_LOCAL_CACHE_DIR": str(place), "ZIG_GLOBAL_CACHE_DIR": str(place)},
    )


def _zig_headers(place: Path) -> tuple[str, ...]:
    """Linux's user API as zig brings it along: for this machine's kind, then for all."""
    names = {"x86_64": "x86", "AMD64": "x86", "arm64": "aarch64"}
    kind = names.get(platform.machine(), platform.machine())
    base = place / "lib" / "libc" / "include"
    if not (base / f"{kind}-linux-any").is_dir():
        kind = "x86"
    return tuple(str(base / name) for name in (f"{kind}-linux-any", "any-linux-any"))


def _clang(command: list[str]) -> Toolchain:
    """A clang of the system. Debian keeps the machine's part of Linux's headers in a folder that
    clang does not look into when compiling for BPF."""
    machine = sysconfig.get_config_var("MULTIARCH") or f"{platform.machine()}-linux-gnu"
    found = [f"/usr/include/{machine}", "/usr/include"]
    bundled = _zig_path()
    if not Path("/usr/include/linux/bpf.h").is_file() and bundled is not None:
        found = [*_zig_headers(bundled.parent)]
    return Toolchain(
        tuple(command),
        {"little": ("-target", "bpfel"), "big": ("-target", "bpfeb")},
        tuple(path for path in found if Path(path).is_dir()),
    )


def _has_bpf(name: str) -> bool:
    try:
        done = subprocess.run(
            [name, "--print-targets"], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return any(line.split()[:1] == ["bpfel"] for line in done.stdout.splitlines())
