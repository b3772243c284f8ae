"""Compare ebee with libbpf on the kernel's own BPF tests: what opens, what loads on this kernel.

    make corpus                                  (or: python scripts/corpus.py [options])

Unpacks tools/ of Debian's linux-source package into a scratch folder, builds its libbpf and
compiles its selftests with clang; then every object is opened, and every program loaded (never
attached) by both, each object in a process of its own with bounded time and memory. Results are
kept in the folder: a run goes on where the last one ended. Nothing of it belongs into the
repository. Prints both counts side by side, each difference with its cause, and of the programs
that both load those whose instructions differ (by the kernel's hash of them; numbers of poisoned
CO-RE relocations, which each loader counts its own way, are such a difference).
"""

from __future__ import annotations

import argparse
import ctypes
import fnmatch
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "linux-source-6.12"
WANTED = (
    "tools/lib", "tools/include", "tools/testing/selftests/bpf", "tools/arch/x86/include",
    "tools/build", "tools/scripts", "scripts/bpf_doc.py", "include/uapi",
)  # fmt: skip
SECONDS, MEMORY = 120, 4 << 30
"""What one process may take."""
LOADERS = ("ebee", "libbpf")
INFO_SIZE, TAG_AT = 64, 8
"""Of struct bpf_prog_info: enough of it, and where `tag` is."""
OK = "ok"
"""What is fine; of a program with the kernel's tag behind it, a hash of the instructions that were
loaded (bpf_prog_calc_tag)."""


# -- the corpus -----------------------------------------------------------------------------------


class Corpus:
    """The scratch folder and what is made in it, each part once."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.tree = folder / PACKAGE
        self.tools = self.tree / "tools"
        self.progs = self.tools / "testing/selftests/bpf/progs"
        self.objects, self.results = folder / "objects", folder / "results"
        self.generated = folder / "include"
        self.libbpf = folder / "libbpf.so"
        for place in (folder, self.objects, self.results, self.generated / "bpf"):
            place.mkdir(parents=True, exist_ok=True)

    def prepare(self) -> None:
        """Sources, headers, libbpf."""
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
        if not self.libbpf.exists():
            print("building libbpf ...", flush=True)
            sources = sorted(map(str, (self.tools / "lib/bpf").glob("*.c")))
            includes = [f"-I{self.tools / 'include'}", f"-I{self.tools / 'include/uapi'}"]
            includes.append(f"-I{self.generated / 'bpf'}")
            defines = ["-D_GNU_SOURCE", "-D_LARGEFILE64_SOURCE", "-D_FILE_OFFSET_BITS=64"]
            run(["cc", "-shared", "-fPIC", "-O1", "-w", *includes, *defines, "-o",
                 str(self.libbpf), *sources, "-lelf", "-lz"])  # fmt: skip

    def sources(self, pattern: str) -> list[Path]:
        """The C files to compile."""
        return [f for f in sorted(self.progs.glob("*.c")) if fnmatch.fnmatch(f.stem, pattern)]

    def compile(self, source: Path) -> str:
        """Compile one file if that was not done; what is wrong with it, or nothing."""
        made, failed = self.objects / f"{source.stem}.o", self.objects / f"{source.stem}.failed"
        if made.exists():
            return ""
        if failed.exists():
            return failed.read_text()
        selftests = self.progs.parent
        command = [
            "clang-19", "-target", "bpfel", "-mcpu=v3", "-O2", "-g", "-w", "-std=gnu11",
            "-fno-strict-aliasing", "-fms-extensions", "-D__TARGET_ARCH_x86",
            "-DENABLE_ATOMICS_TESTS", f"-I{self.generated}", f"-I{selftests}", f"-I{self.progs}",
            f"-I{self.tools / 'include/uapi'}", f"-I{self.tools / 'include'}",
            "-idirafter", "/usr/include/x86_64-linux-gnu", "-idirafter", "/usr/include",
            "-c", str(source), "-o", str(made),
        ]  # fmt: skip
        text = ""
        # The kernel's functions as this kernel has them, or (they change) as the test says.
        for more in ([], ["-DBPF_NO_KFUNC_PROTOTYPES"]):
            done = subprocess.run(
                [*command, *more], capture_output=True, text=True, timeout=SECONDS, check=False
            )
            if done.returncode == 0:
                return ""
            text = next((s for s in done.stderr.splitlines() if "error:" in s), "failed")
        failed.write_text(text)
        return text


def archive() -> Path:
    """The package's tar file."""
    listed = run(["dpkg", "-L", PACKAGE]).split()
    return next(Path(name) for name in listed if ".tar" in name)


def run(command: list[str]) -> str:
    """A command's output; its own words when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{command[0]} failed: {done.stderr[-2000:]}")
    return done.stdout


# -- one object, one loader, in a process of its own ----------------------------------------------


def with_ebee(path: Path, _: Path) -> Iterator[tuple[str, str]]:
    """(program, "ok" or what is wrong) of an object; the name "" is the object itself."""
    sys.path.insert(0, str(ROOT / "src"))
    from ebee import linux, obj
    from ebee.errors import EbeeError

    try:
        spec = obj.load(path)
    except EbeeError as error:
        yield "", str(error)
        return
    yield "", OK
    for name in spec.programs:
        try:
            with linux.load(spec, programs=[name]) as loaded:
                yield name, f"{OK} {loaded.programs[name].raw.tag}"
        except EbeeError as error:
            yield name, str(error)


def with_libbpf(path: Path, library: Path) -> Iterator[tuple[str, str]]:
    """The same by libbpf: the object is opened anew for each program."""
    lib = ctypes.CDLL(str(library))
    said: list[str] = []
    for function in ("open_file", "next_program"):
        getattr(lib, f"bpf_object__{function}").restype = ctypes.c_void_p
    lib.bpf_program__name.restype = ctypes.c_char_p
    printer = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)
    libc = ctypes.CDLL(None)

    def listen(_: int, form: bytes, arguments: int) -> int:
        text = ctypes.create_string_buffer(8192)
        libc.vsnprintf(text, len(text), form, ctypes.c_void_p(arguments))
        said.append(text.value.decode(errors="replace"))
        return 0

    keep = printer(listen)
    lib.libbpf_set_print(keep)

    def programs(opened: ctypes.c_void_p) -> Iterator[tuple[ctypes.c_void_p, str]]:
        at = lib.bpf_object__next_program(opened, None)
        while at:
            yield ctypes.c_void_p(at), lib.bpf_program__name(ctypes.c_void_p(at)).decode()
            at = lib.bpf_object__next_program(opened, ctypes.c_void_p(at))

    def tag(fd: int) -> str:
        info, size = ctypes.create_string_buffer(INFO_SIZE), ctypes.c_uint32(INFO_SIZE)
        lib.bpf_obj_get_info_by_fd(fd, info, ctypes.byref(size))
        return info.raw[TAG_AT : TAG_AT + 8].hex()

    def attempt(name: str | None) -> tuple[list[str], str]:
        said.clear()
        opened = ctypes.c_void_p(lib.bpf_object__open_file(str(path).encode(), None))
        if not opened.value:
            return [], why(said)
        names = []
        for program, label in programs(opened):
            names.append(label)
            lib.bpf_program__set_autoload(program, label == name)
        code = lib.bpf_object__load(opened) if name is not None else 0
        result = OK if code == 0 else why(said)
        for program, label in programs(opened) if name is not None and code == 0 else ():
            if label == name:
                result = f"{OK} {tag(lib.bpf_program__fd(program))}"
        lib.bpf_object__close(opened)
        return names, result

    names, opened = attempt(None)
    yield "", opened
    for name in names:
        yield name, attempt(name)[1]


def why(said: list[str]) -> str:
    """What libbpf complained about, without its debug messages."""
    lines = [s.strip() for s in "".join(said).splitlines()]
    skip = re.compile(
        r"libbpf: (loading|sec |elf:|looking|found |license|kernel ver|map '.*: (at|found|set)"
        r"|extern|collecting|CO-RE|object|skipping|prog '.*: relo)"
    )
    wanted = [s for s in lines if s.startswith("libbpf:") and not skip.match(s)]
    return "\n".join(wanted[:3] or lines[-3:]) or "failed"


WORKERS: dict[str, Callable[[Path, Path], Iterator[tuple[str, str]]]] = {
    "ebee": with_ebee,
    "libbpf": with_libbpf,
}


def work(loader: str, path: Path, library: Path) -> None:
    """The process of one object: a line of JSON for each result."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    for result in WORKERS[loader](path, library):
        print(json.dumps(result), flush=True)


def results(corpus: Corpus, loader: str, path: Path) -> dict[str, str]:
    """What a loader makes of an object, kept from an earlier run where there is one."""
    kept = corpus.results / f"{path.stem}.{loader}.json"
    if kept.exists() and kept.stat().st_mtime >= path.stat().st_mtime:
        return dict(json.loads(kept.read_text()))
    command = [sys.executable, __file__, "--work", loader, str(path), str(corpus.libbpf)]
    ended = ""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        output = done.stdout
        if done.returncode:
            last = (done.stderr.strip().splitlines() or [""])[-1]
            ended = f"the process ended with {done.returncode}: {last}"
    except subprocess.TimeoutExpired as error:
        output = (error.stdout or b"").decode()
        ended = f"not done within {SECONDS} s"
    found: dict[str, str] = dict(json.loads(line) for line in output.splitlines())
    if ended:
        found["" if not found else "(rest)"] = ended
    kept.write_text(json.dumps(found))
    return found


# -- the report -----------------------------------------------------------------------------------


def report(all_results: dict[str, dict[str, dict[str, str]]], uncompiled: dict[str, str]) -> bool:
    """Print the counts and the differences; whether ebee does all that libbpf does."""
    counts: dict[str, Counter[str]] = {loader: Counter() for loader in LOADERS}
    worse: list[str] = []
    better = Counter[str]()
    unequal: list[str] = []
    equal = 0
    for name, found in all_results.items():
        for loader in LOADERS:
            for program, result in found[loader].items():
                what = "programs" if program else "objects"
                counts[loader][what] += 1
                counts[loader][what + OK] += fine(result)
        for program, result in found["libbpf"].items():
            mine = found["ebee"].get(program, found["ebee"].get("(rest)", found["ebee"][""]))
            if fine(result) and not fine(mine):
                worse.append(f"{name}{'/' if program else ''}{program}: {short(mine)}")
            elif fine(mine) and not fine(result):
                better[short(result)] += 1
            elif fine(mine) and program:
                equal += mine == result
                if mine != result:
                    unequal.append(f"{name}/{program}")
    for line in worse:
        print(f"  libbpf does, ebee does not: {line}")
    for text, count in better.most_common(15):
        print(f"  ebee does, libbpf does not ({count}): {text}")
    for line in unequal:
        print(f"  not the same instructions: {line}")
    for name, text in uncompiled.items():
        print(f"  does not compile here: {name}: {text[-160:]}")
    print(f"{'':24}{'ebee':>10}{'libbpf':>10}")
    for label, key in (("objects opened", "objects"), ("programs loaded", "programs")):
        print(f"{label:24}{counts['ebee'][key + OK]:>10}{counts['libbpf'][key + OK]:>10}"
              f"   of {counts['libbpf'][key]}")  # fmt: skip
    print(f"instructions are equal in {equal} of {equal + len(unequal)} programs that both load")
    print(f"{len(worse)} differences to explain, {len(uncompiled)} sources do not compile")
    return not worse


def fine(result: str) -> bool:
    """Whether it worked."""
    return result.split(" ")[0] == OK


def short(text: str) -> str:
    """The useful part of a message."""
    lines = text.strip().splitlines() or [""]
    return re.sub(r"/\S*/", "", " | ".join(lines[:2]))[:300]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp/ebee-corpus"))
    parser.add_argument("--only", default="*", metavar="PATTERN", help="names of tests")
    parser.add_argument("--minutes", type=float, default=60, help="time until the rest is left")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--again", choices=(*LOADERS, "all"), help="forget its results first")
    parser.add_argument("--compile-only", action="store_true")
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT / "src"))
    corpus, end = Corpus(options.folder), time.monotonic() + options.minutes * 60
    corpus.prepare()
    sources = corpus.sources(options.only)
    again = LOADERS if options.again == "all" else (options.again,)
    for source in sources if options.again else ():
        for loader in again:
            (corpus.results / f"{source.stem}.{loader}.json").unlink(missing_ok=True)
    uncompiled: dict[str, str] = {}
    found: dict[str, dict[str, dict[str, str]]] = {}

    def one(source: Path) -> None:
        if time.monotonic() > end:
            return
        problem = corpus.compile(source)
        if problem:
            uncompiled[source.stem] = problem
        elif not options.compile_only:
            path = corpus.objects / f"{source.stem}.o"
            found[source.stem] = {loader: results(corpus, loader, path) for loader in LOADERS}

    with ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(one, sources))
    left = len(sources) - len(uncompiled) - len(found)
    fine = report(dict(sorted(found.items())), dict(sorted(uncompiled.items())))
    if left:
        print(f"{left} sources are left for the next run")
    return 0 if fine else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        work(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
    else:
        sys.exit(main())
