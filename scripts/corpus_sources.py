"""What `make corpus` works on: sources and objects of others, made ready in a scratch folder."""

from __future__ import annotations

import fnmatch
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

PACKAGE = "linux-source-6.12"
WANTED = (
    "tools/lib", "tools/include", "tools/testing/selftests/bpf", "tools/arch/x86/include",
    "tools/build", "tools/scripts", "scripts/bpf_doc.py", "include/uapi",
)  # fmt: skip
SECONDS = 120
SELFTESTS, GCC = "selftests", "gcc"
CLANG = ("clang-19", "-target", "bpfel", "-g")
BPF_GCC = ("bpf-gcc", "-gbtf", "-mco-re")
OBJECTS = (".o", ".elf")
RECORDER = Path(__file__).with_name("corpus_record.c")


@dataclass(frozen=True)
class Item:
    """One thing to open and load: an object, or a C file and where its headers are."""

    group: str
    name: str
    path: Path
    includes: tuple[Path, ...] = ()
    options: tuple[str, ...] = ()
    compiler: tuple[str, ...] = CLANG

    @property
    def key(self) -> str:
        """Its name in reports, and of its files."""
        return f"{self.group}/{self.name}"


class Corpus:
    """The scratch folder and what is made in it, each part once."""

    def __init__(self, folder: Path, types: Path | None = None):
        self.folder, self.types = folder, types
        """`types`: the BTF of the kernel that the tests were written for, for those that do not
        compile with this one's."""
        self.tree = folder / PACKAGE
        self.tools = self.tree / "tools"
        self.progs = self.tools / "testing/selftests/bpf/progs"
        self.generated, self.original = folder / "include", folder / "include-original"
        self.libbpf, self.recorder = folder / "libbpf.so", folder / "record.so"
        (self.generated / "bpf").mkdir(parents=True, exist_ok=True)

    def prepare(self) -> None:
        """Sources, headers, libbpf, the recorder of system calls."""
        if not (self.folder / "unpacked").exists():
            print("unpacking ...", flush=True)
            names = [f"{PACKAGE}/{name}" for name in WANTED]
            run(["tar", "-xf", str(archive()), "-C", str(self.folder), *names])
            (self.folder / "unpacked").touch()
        defs = self.generated / "bpf" / "bpf_helper_defs.h"
        if not defs.exists():
            script, api = self.tree / "scripts/bpf_doc.py", self.tools / "include/uapi/linux/bpf.h"
            made = run([sys.executable, str(script), "--header", "--file", str(api)])
            for header in (self.tools / "lib/bpf").glob("*.h"):
                shutil.copy(header, self.generated / "bpf")
            defs.write_text(made)
        if not (self.generated / "vmlinux.h").exists():
            from ebee.clang.headers import kernel_types

            (self.generated / "vmlinux.h").write_text(kernel_types(None))
        if self.types and not (self.original / "vmlinux.h").exists():
            from ebee.clang.headers import kernel_types

            self.original.mkdir(exist_ok=True)
            (self.original / "vmlinux.h").write_text(kernel_types(self.types))
        if not self.libbpf.exists():
            print("building libbpf ...", flush=True)
            sources = sorted(map(str, (self.tools / "lib/bpf").glob("*.c")))
            includes = [f"-I{self.tools / 'include'}", f"-I{self.tools / 'include/uapi'}"]
            includes.append(f"-I{self.generated / 'bpf'}")
            defines = ["-D_GNU_SOURCE", "-D_LARGEFILE64_SOURCE", "-D_FILE_OFFSET_BITS=64"]
            run(["cc", "-shared", "-fPIC", "-O1", "-w", *includes, *defines, "-o",
                 str(self.libbpf), *sources, "-lelf", "-lz"])  # fmt: skip
        run(["cc", "-shared", "-fPIC", "-O1", "-o", str(self.recorder), str(RECORDER), "-ldl"])

    # -- what there is -----------------------------------------------------------------------

    def selftests(self) -> Iterator[Item]:
        """The kernel's own tests."""
        tests = self.progs.parent
        includes = (tests, self.progs, self.tools / "include/uapi", self.tools / "include")
        for source in sorted(self.progs.glob("*.c")):
            options = ("-mcpu=v3", "-DENABLE_ATOMICS_TESTS", "-std=gnu11", "-fms-extensions")
            yield Item(SELFTESTS, source.stem, source, includes, options)

    def of_gcc(self) -> Iterator[Item]:
        """The same once more, as objects of Debian's gcc-bpf where that is there."""
        if shutil.which(BPF_GCC[0]):
            for item in self.selftests():
                yield replace(item, group=GCC, compiler=BPF_GCC)

    def items(self, more: list[Path], pattern: str) -> list[Item]:
        """All whose name (or group/name) fits a pattern."""
        found = [*self.selftests(), *self.of_gcc()]
        found += (item for folder in more for item in inside(folder))
        fits = fnmatch.fnmatch
        return [i for i in found if fits(i.name, pattern) or fits(i.key, pattern)]

    def object_of(self, item: Item) -> tuple[Path, str]:
        """The object of an item, compiled if that was not done; what is wrong with it, or ""."""
        if item.path.suffix in OBJECTS:
            return item.path, ""
        made = self.folder / "objects" / item.group / f"{item.name}.o"
        failed = made.with_suffix(".failed")
        if made.exists():
            return made, ""
        if failed.exists() and (not self.types or item.compiler is BPF_GCC):
            return made, failed.read_text()
        made.parent.mkdir(parents=True, exist_ok=True)
        text = self._compile(item, made)
        if text:
            failed.write_text(text)
        return made, text

    def _compile(self, item: Item, made: Path) -> str:
        includes = [f"-I{folder}" for folder in (*item.includes, self.generated)]
        if item.group in (SELFTESTS, GCC):  # libbpf's headers and the kernel's types come first
            includes.insert(0, includes.pop())
        command = [
            *item.compiler, "-O2", "-w", "-fno-strict-aliasing", "-D__TARGET_ARCH_x86",
            *item.options, *includes,
            "-idirafter", "/usr/include/x86_64-linux-gnu", "-idirafter", "/usr/include",
            "-c", str(item.path), "-o", str(made),
        ]  # fmt: skip
        text = ""
        # The kernel's functions as this kernel has them, or (they change) as the test says.
        attempts = [[], ["-DBPF_NO_KFUNC_PROTOTYPES"], ["-mcpu=v4"]]
        if item.compiler is BPF_GCC:
            attempts = attempts[:2]
        elif self.types:
            old = f"-I{self.original}"
            attempts += [[old], [old, "-DBPF_NO_KFUNC_PROTOTYPES"]]
        for more in attempts:
            done = subprocess.run(
                [command[0], *more, *command[1:]],
                capture_output=True,
                text=True,
                timeout=SECONDS,
                check=False,
            )
            if done.returncode == 0:
                return ""
            text = text or next((s for s in done.stderr.splitlines() if "error:" in s), "failed")
        return text


def inside(folder: Path) -> Iterator[Item]:
    """What a folder of others holds: objects, and C files for BPF with the headers beside them."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.is_symlink():
            continue
        name = str(path.relative_to(folder).with_suffix("")).replace("/", "-")
        if path.suffix in OBJECTS and path.read_bytes()[:4] == b"\x7fELF":
            yield Item(folder.name, name, path)
        elif path.name.endswith(".bpf.c"):
            home = path.parent
            yield Item(folder.name, name.removesuffix(".bpf"), path, (home, home / "x86"))


def archive() -> Path:
    """The package's tar file; ends with what to install where something is missing."""
    missing = [tool for tool in ("cc", "clang-19", "dpkg", "tar", "xz") if not shutil.which(tool)]
    listed = [] if missing else run(["dpkg-query", "-L", PACKAGE], check=False).split()
    found = next((Path(name) for name in listed if ".tar" in name), None)
    if found is None:
        packages = f"{PACKAGE} clang-19 gcc libelf-dev zlib1g-dev xz-utils"
        raise SystemExit(f"make corpus takes Debian packages: apt-get install {packages}")
    return found


def run(command: list[str], check: bool = True) -> str:
    """A command's output; its own words when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode and check:
        raise SystemExit(f"{command[0]} failed: {done.stderr[-2000:]}")
    return done.stdout
