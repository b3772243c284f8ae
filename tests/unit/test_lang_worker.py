"""The worker process, the cache of images, code in memory: also when things go wrong."""

import ctypes
import mmap
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from ebee import cachedir
from ebee.errors import CompileError
from ebee.lang import build as building
from ebee.lang import compiler
from ebee.lang.build import build
from ebee.lang.compiler import Options, Worker, compile_ir
from ebee.lang.image import Image, layout
from ebee.lang.loader import Loaded
from ebee.lang.target import ARM64, X86_64, host

pytestmark = pytest.mark.unit

ADD = "define i64 @add(i64 %a, i64 %b) { %r = add i64 %a, %b\n ret i64 %r }"
ABORTS = 'define void @f() { call void asm sideeffect "bogus", ""()\n ret void }'
CALLS = """
@there = external global [0 x i8]
declare i64 @outside(i64)
define i64 @call(i64 %a) { %r = call i64 @outside(i64 %a)\n ret i64 %r }
define i64 @get() { %r = load i64, ptr @there\n ret i64 %r }
define ptr @where() { ret ptr @there }
"""
SLOW = "define void @f() { ret void }\n" + "\n".join(
    f"define i64 @g{i}(i64 %x, ptr %p) {{\n"
    + "\n".join(
        f"  %a{k} = mul i64 {'%x' if not k else f'%a{k - 1}'}, %x\n  store i64 %a{k}, ptr %p"
        for k in range(500)
    )
    + "\n  ret i64 %a499\n}"
    for i in range(60)
)


@pytest.fixture
def cache_home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "ebee" / building.ROOM


def add(code):
    return code.function("add", ctypes.c_uint64, ctypes.c_uint64, ctypes.c_uint64)


# --- the worker ----------------------------------------------------------------------------------


def test_texts_are_linked_and_functions_that_are_not_kept_vanish():
    caller = "declare i64 @add(i64, i64)\ndefine i64 @twice(i64 %a) {\n"
    caller += "  %r = call i64 @add(i64 %a, i64 %a)\n  ret i64 %r\n}"
    text = compile_ir([ADD, caller], Options(keep=("twice",)), emit="ir").decode()
    assert "@twice" in text
    assert "@add" not in text


def test_assembly_and_other_targets_can_be_asked_for():
    assert b"lea" in compile_ir([ADD], Options(target=X86_64, cpu="x86-64"), emit="assembly")
    assert b"add\tx0" in compile_ir([ADD], Options(target=ARM64), emit="assembly")


@pytest.mark.parametrize("text", ["define i32 @f() { ret i64 0 }", "define void @f() {", "what"])
def test_what_llvm_refuses_is_a_compile_error_and_the_worker_lives(text):
    compile_ir([ADD])
    before = compiler._worker.pid
    with pytest.raises(CompileError, match="LLVM refuses the module"):
        compile_ir([text])
    assert compiler._worker.pid == before


def test_death_of_llvm_is_a_compile_error_and_the_next_request_has_a_new_worker():
    compile_ir([ADD])
    before = compiler._worker.pid
    with pytest.raises(CompileError, match="died: LLVM stopped with SIGABRT: Inline asm"):
        compile_ir([ABORTS])
    assert compile_ir([ADD])
    assert compiler._worker.pid != before


def test_a_killed_worker_is_said_to_lack_memory():
    worker = Worker()
    os.kill(worker.pid, signal.SIGKILL)
    with pytest.raises(CompileError, match="probably for lack of memory"):
        worker.ask(Options().request("object") | {"texts": [len(ADD)]}, ADD.encode(), 30)
    worker.close()


def test_a_worker_that_died_idle_is_replaced():
    compile_ir([ADD])
    os.kill(compiler._worker.pid, signal.SIGKILL)
    os.waitid(os.P_PID, compiler._worker.pid, os.WEXITED | os.WNOWAIT)
    assert compile_ir([ADD])


def test_what_takes_too_long_is_ended():
    compile_ir([ADD])
    with pytest.raises(CompileError, match=r"did not finish within 0\.05 seconds"):
        compile_ir([SLOW], timeout=0.05)
    assert compile_ir([ADD])


def test_a_worn_worker_is_replaced(monkeypatch):
    compile_ir([ADD])
    before = compiler._worker.pid
    monkeypatch.setattr(compiler, "RECYCLE_AFTER", 1)
    compile_ir([ADD])
    assert compiler._worker.pid != before


def test_threads_take_turns():
    failures = []

    def work():
        try:
            assert compile_ir([ADD], emit="ir").count(b"define") == 1
        except Exception as e:
            failures.append(e)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_a_forked_child_has_a_worker_of_its_own():
    compile_ir([ADD])
    parent = compiler._worker.pid
    child = os.fork()
    if not child:
        ok = False
        try:
            ok = compiler._worker is None and bool(compile_ir([ADD]))
            ok = ok and compiler._worker.pid != parent
            compiler.shut_down()
        finally:
            os._exit(0 if ok else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert compile_ir([ADD])
    assert compiler._worker.pid == parent


def test_the_worker_goes_with_its_parent_even_while_llvm_works(tmp_path):
    (tmp_path / "slow.ll").write_text(SLOW)
    script = (
        "import pathlib, sys, threading\nfrom ebee.lang import compiler\n"
        "text = pathlib.Path(sys.argv[1]).read_text()\n"
        "compiler.warm()\n"
        "threading.Thread(target=compiler.compile_ir, args=([text],)).start()\n"
        "print(compiler._worker.pid, flush=True)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script, tmp_path / "slow.ll"], stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 10
    while _alive(worker) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _alive(worker)


def _alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_without_llvmlite_the_error_says_what_to_install(monkeypatch):
    compiler.llvmlite_place.cache_clear()
    monkeypatch.setattr("ebee.lang.identity._find", lambda name: None)
    try:
        with pytest.raises(CompileError, match="pip install llvmlite"):
            Worker()
    finally:
        monkeypatch.undo()
        compiler.llvmlite_place.cache_clear()


def test_an_unknown_level_is_refused():
    with pytest.raises(CompileError, match="no level 'fast', only quick"):
        compile_ir([ADD], Options("fast"))


def test_compiling_does_not_load_llvm_into_this_process():
    script = (
        "import sys\nfrom ebee.lang.build import native\nfrom ebee.lang.ir import Module\n"
        f"m = Module(functions={{'add': {ADD!r}}})\nnative(m, cached=False)\n"
        "assert 'llvmlite' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


# --- the cache -----------------------------------------------------------------------------------


def test_the_second_time_comes_from_the_cache(cache_home, monkeypatch):
    first = build([ADD])
    assert len(list(cache_home.iterdir())) == 1
    assert cache_home.stat().st_mode & 0o777 == 0o700

    def no(*_):
        raise AssertionError("compiled again")

    monkeypatch.setattr(building, "compile_ir", no)
    assert build([ADD]) == first


def test_what_differs_is_cached_apart(cache_home):
    build([ADD])
    build([ADD], Options("quick"))
    build([ADD], Options(cpu="x86-64"))
    build([ADD, "declare void @g()"])
    build([ADD + " "])
    assert len(list(cache_home.iterdir())) == 5


@pytest.mark.parametrize("damage", [b"", b"short", None])
def test_a_damaged_entry_is_compiled_again(cache_home, damage):
    first = build([ADD])
    (entry,) = cache_home.iterdir()
    good = entry.read_bytes()
    entry.write_bytes(good[:-1] + bytes([good[-1] ^ 1]) if damage is None else damage)
    assert build([ADD]) == first
    assert entry.read_bytes() == good


def test_an_entry_that_others_may_write_is_not_executed(cache_home, monkeypatch):
    build([ADD])
    (entry,) = cache_home.iterdir()
    entry.chmod(0o666)
    assert building.kept(entry.name) is None
    entry.chmod(0o600)
    assert building.kept(entry.name) is not None
    cache_home.chmod(0o770)
    monkeypatch.setattr(cachedir, "_bases", lambda: iter([cache_home.parents[1]]))
    assert building.kept(entry.name) is None


def test_images_survive_packing():
    image = Image(b"\x90" * 20, 16, {"f": 0}, {"g": 8}, [16], [(3, "g")])
    again = Image.unpack(image.pack())
    assert (again.data, again.code, again.symbols) == (image.data, image.code, image.symbols)
    assert [tuple(n) for n in again.near] == image.near


# --- code in memory ------------------------------------------------------------------------------


RIGHTS = """
import sys
from pathlib import Path
from ebee.lang.build import build
from ebee.lang.loader import Loaded

def pages():
    for line in Path("/proc/self/maps").read_text().splitlines():
        place, rights = line.split()[:2]
        yield *(int(n, 16) for n in place.split("-")), rights

def rights(address):
    return next((r for start, end, r in pages() if start <= address < end), None)

with Loaded(build([sys.argv[1]], cached=False), {"outside": 1, "there": 2}) as code:
    assert rights(code.base).startswith("r-x")
    assert rights(code.base + code.size - 1).startswith("r--")
    assert not [r for _, _, r in pages() if "w" in r and "x" in r]
    base = code.base
assert rights(base) is None
"""


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs /proc")
def test_no_page_is_writable_and_executable():
    subprocess.run([sys.executable, "-c", RIGHTS, CALLS], check=True)


@pytest.mark.parametrize("far", [False, True])
def test_outside_functions_and_memory_are_reached_wherever_they_are(far):
    room = mmap.mmap(-1, mmap.PAGESIZE)
    room[:8] = (4711).to_bytes(8, "little")
    there = ctypes.addressof(ctypes.c_char.from_buffer(room))
    outside = ctypes.CFUNCTYPE(ctypes.c_uint64, ctypes.c_uint64)(lambda a: a * 3)
    symbols = {"outside": ctypes.cast(outside, ctypes.c_void_p).value, "there": there}
    image = build([CALLS], cached=False)
    if far:  # as if everything were beyond the reach of an offset
        image.near.clear()
    with Loaded(image, symbols) as code:
        assert code.function("call", ctypes.c_uint64, ctypes.c_uint64)(5) == 15
        assert code.function("get", ctypes.c_uint64)() == 4711
        assert code.function("where", ctypes.c_void_p)() == there


def test_functions_of_the_c_library_need_no_address():
    text = "define i64 @f(ptr %p, i64 %n) {\n"
    text += "  call void @llvm.memset.p0.i64(ptr %p, i8 7, i64 %n, i1 false)\n  ret i64 %n\n}"
    with Loaded(build([text], cached=False)) as code:
        buffer = ctypes.create_string_buffer(10)
        code.function("f", ctypes.c_uint64, ctypes.c_void_p, ctypes.c_uint64)(buffer, 4)
        assert buffer.raw == b"\7" * 4 + bytes(6)


def test_a_missing_address_is_named():
    with pytest.raises(CompileError, match="refers to 'there', whose address was not given"):
        Loaded(build([CALLS], cached=False), {"outside": 1})


def test_a_function_that_is_not_there_is_named():
    with Loaded(build([ADD], cached=False)) as code:
        assert add(code)(2, 3) == 5
        with pytest.raises(CompileError, match="no function 'sub'"):
            code.function("sub", None)
    with pytest.raises(CompileError, match="not in memory any more"):
        add(code)


def test_code_with_variables_is_refused():
    text = "@v = internal global i64 0\ndefine void @f() { store i64 1, ptr @v\n ret void }"
    text += "\ndefine i64 @g() { %r = load i64, ptr @v\n ret i64 %r }"
    with pytest.raises(CompileError, match="variables of its own"):
        build([text], cached=False)


def test_constants_and_tables_of_jumps_are_loaded():
    cases = "\n".join(f"  i64 {i}, label %b{i}" for i in range(40))
    blocks = "\n".join(
        f"b{i}:\n  %r{i} = mul i64 %y, {i * i + 7}\n  ret i64 %r{i}" for i in range(40)
    )
    text = f"define i64 @f(i64 %x, i64 %y) {{\n  switch i64 %x, label %d [\n{cases}\n  ]\n"
    text += f"{blocks}\nd:\n  %r = udiv i64 %y, 3\n  ret i64 %r\n}}"
    for level in ("quick", "middle", "optimised", "most"):
        with Loaded(build([text], Options(level), cached=False)) as code:
            f = code.function("f", ctypes.c_uint64, ctypes.c_uint64, ctypes.c_uint64)
            assert [f(x, 9) for x in range(41)] == [(x * x + 7) * 9 for x in range(40)] + [3]


def test_an_object_of_another_machine_is_refused():
    other = ARM64 if host() is X86_64 else X86_64
    with pytest.raises(CompileError, match=f"not for {other.name}"):
        layout(compile_ir([ADD]), other)
