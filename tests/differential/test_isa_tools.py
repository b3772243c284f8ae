"""Programs that clang compiled: our text against that of llvm-objdump and bpftool."""

import re
import shutil
import subprocess
from pathlib import Path
from random import Random

import pytest

from ebee import isa
from ebee.isa import FORMS, Form, Insn

pytestmark = pytest.mark.differential

CLANG = shutil.which("clang-19")
OBJDUMP = shutil.which("llvm-objdump-19")
BPFTOOL = shutil.which("bpftool")

SOURCE = r"""
typedef unsigned long long u64; typedef unsigned int u32; typedef unsigned short u16;
typedef unsigned char u8; typedef long long s64; typedef int s32; typedef short s16;
typedef signed char s8;
#define SEC(x) __attribute__((section(x), used))
struct { int (*type)[2]; u32 *key; u64 *value; int (*max_entries)[4]; } counters SEC(".maps");
static void *(*lookup)(void *, const void *) = (void *)1;
static u64 (*now)(void) = (void *)5;
static long (*loop)(u32, void *, void *, u64) = (void *)181;
struct ctx { u32 data, data_end; };
u64 total; const volatile u32 limit = 7;
__attribute__((noinline)) u64 mix(u64 a, u64 b) { return (a ^ (b >> 7)) * 31; }
static long step(u64 i, u64 *sum) { *sum += i; return 0; }
SEC("xdp") int everything(struct ctx *c) {
  u8 *p = (void *)(long)c->data, *end = (void *)(long)c->data_end;
  if (p + 64 > end) return 1;
  u32 key = p[0] & 3; u64 *v = lookup(&counters, &key);
  if (!v) return 1;
  u64 a = *(u64 *)p, b = *(u64 *)(p + 8), sum = 0; s64 d = *(s64 *)(p + 16);
  sum += *(s8 *)(p + 24); sum += *(s16 *)(p + 26); sum += *(s32 *)(p + 28);
  sum += (s8)a; sum += (s16)b; sum += (s32)(a + b);
  sum += __builtin_bswap16(a) + __builtin_bswap32(b) + __builtin_bswap64(a ^ b);
  sum += a / (b | 1) + a % (b | 3) + (u32)a / ((u32)b | 1) + ((u32)a % ((u32)b | 9));
#if __BPF_CPU_VERSION__ >= 4
  sum += d / (s64)(b | 1) + d % (s64)(b | 5) + (s32)d / (s32)(b | 1);
#endif
  sum += d >> (b & 63); sum += (s32)d >> (b & 31);
  sum += a << (d & 63); sum += (u32)a << (d & 31); sum += a >> (d & 63);
  sum ^= -a; sum |= ~b; sum &= a - 12345; sum -= 0x123456789aULL;
  if (d < -5) sum++;
  if ((s32)a > (s32)b) sum += 3;
  if ((u32)a <= 77) sum += 4;
  if (a & 0x80) sum += 9;
  if (a < b) sum = mix(sum, a);
  __sync_fetch_and_add(v, 1); __sync_fetch_and_add((u32 *)v, 1);
#if __BPF_CPU_VERSION__ >= 3
  sum += __sync_fetch_and_or(v, a); sum += __sync_fetch_and_xor(v, b);
  sum += __sync_fetch_and_and((u32 *)v, 5); sum += __sync_fetch_and_add((u32 *)v, 3);
  sum += __sync_lock_test_and_set(v, a); sum += __sync_lock_test_and_set((u32 *)v, a);
  sum += __sync_val_compare_and_swap(v, a, b); sum += __sync_val_compare_and_swap((u32 *)v, 3, 4);
#endif
  *(u8 *)v = a; *(u16 *)v = b; *(u32 *)v = 5; *v = sum; total += sum + now() + limit;
  loop(key, step, &sum, 0);
  return sum & 0x7fffffffffULL ? 2 : 1;
}
char _license[] SEC("license") = "GPL";
"""


@pytest.fixture(params=["v1", "v2", "v3", "v4"])
def compiled(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path]:
    """The processor version and the object that clang made for it."""
    if not CLANG or not OBJDUMP:
        pytest.skip("needs clang-19 and llvm-objdump-19")
    source, out = tmp_path / "p.c", tmp_path / "p.o"
    source.write_text(SOURCE)
    flags = ["-O2", "-g", "-target", "bpf", f"-mcpu={request.param}"]
    subprocess.run([CLANG, *flags, "-c", source, "-o", out], check=True, timeout=60)
    return request.param, out


# How LLVM's spelling differs from the kernel's. Values are the same; so is everything else.
LLVM = [
    (r"0x[0-9a-f]+", lambda m: str(int(m[0], 16))),  # decimal and hexadecimal
    (r"-(\d+) ll", lambda m: f"{(1 << 64) - int(m[1])} ll"),  # and signs
    (r" <[^<>]+>$", ""),  # LLVM annotates targets
    (r"pc([+-])", r"\1"),
    (r"\(([rw]\d+) ([+-]) ?(\d+)", r"(\1 \2\3"),  # (r1 + 8), (r1 +8)
    (r"^w(\d+) = \*", r"r\1 = *"),  # LLVM names 32-bit registers in loads, stores, atomics
    (r"^(\*|lock)(.*) w(\d+)$", r"\1\2 r\3"),
    (r"^w(\d+) = (\w+\(.*), w(\d+)\)", r"r\1 = \2, r\3)"),
    (r"\(u(\d+) \*\)(\(?r\d+ [+-]\d+)\)?, w0", r"(u\1 *)\2, r0"),
    (r"xchg_64\((r\d+ [+-]\d+)", r"atomic64_xchg((u64 *)(\1)"),
    (r"xchg32_32\((r\d+ [+-]\d+)", r"atomic_xchg((u32 *)(\1)"),
    (r"cmpatomic(64)?_x", r"atomic\1_cmpx"),
    (r"atomic_(fetch\w+)\(\(u64", r"atomic64_\1((u64"),
    (r", w0,", ", r0,"),
    (r"call (unknown#|kfunc#)?(\+?)", "call "),
    # The kernel prints the constants of jumps unsigned
    (r"(\d{10}) goto", lambda m: f"{isa.insn.signed(int(m[1]), 32)} goto"),
]


def like_the_kernel(text: str) -> str:
    for pattern, replacement in LLVM:
        text = re.sub(pattern, replacement, text)
    return text


def test_text_is_what_llvm_objdump_prints(compiled: tuple[str, Path]) -> None:
    _, path = compiled
    command = [OBJDUMP, "-d", "--mcpu=v4", "--mattr=+alu32", path]
    dump = subprocess.run(command, check=True, text=True, capture_output=True, timeout=60).stdout
    lines = re.findall(r"^ +(\d+):\t([0-9a-f ]+)\t(.*)$", dump, re.MULTILINE)
    assert len(lines) > 100
    for index, raw, theirs in lines:
        slots = isa.decode(bytes.fromhex(raw))
        ours = isa.text_of(*slots)
        assert like_the_kernel(ours) == like_the_kernel(theirs)
        assert isa.assemble(f"{index}: {raw}\t{theirs}") == slots


# What LLVM 19 cannot show: it is older than two of them and leaves out the displacement of others.
NOT_SHOWN = re.compile(r"load_acquire|store_release|packet_ind|gotox|mov_percpu|nospec")
# Pseudo loads LLVM shows in a syntax of its own, and without their upper half.
PSEUDO = re.compile(r"map\[|btf\[|subprog\[")


def test_every_instruction_reads_as_llvm_writes_it() -> None:
    if not (llvm_mc := shutil.which("llvm-mc-19")):
        pytest.skip("needs llvm-mc-19")
    random = Random(7)
    values = {
        **dict.fromkeys(("mem", "jump"), range(-(1 << 15), 1 << 15)),
        **dict.fromkeys(("imm", "id"), range(-(1 << 31), 1 << 31)),
        **{"r": range(11), "w": range(10), "rw": range(10), "btf": range(1), "any": range(1)},
        **{"space": range(1, 2), "offset": range(1)},
    }

    def draw(role: int | str) -> int:
        return role if isinstance(role, int) else random.choice(values[role])

    def instruction(form: Form) -> list[Insn]:
        first = Insn(form.op, *map(draw, (form.dst, form.src, form.off, form.imm)))
        return [first, Insn(0, imm=draw(form.high))] if form.wide else [first]

    forms = [form for form in FORMS if not NOT_SHOWN.search(form.name)]
    programs = [instruction(form) for form in forms for _ in range(5)]
    data = [isa.encode(slots) for slots in programs]
    command = [llvm_mc, "-triple=bpfel", "--disassemble", "--mcpu=v4", "--mattr=+alu32"]
    done = subprocess.run(
        command,
        input="\n".join(" ".join(f"{byte:#x}" for byte in each) for each in data),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    texts = [line.strip() for line in done.stdout.splitlines() if line.strip() not in ("", ".text")]
    for slots, raw, theirs in zip(programs, data, texts, strict=True):
        assert isa.assemble(f"0: {raw.hex(' ')}\t{theirs}") == slots
        ours = isa.text_of(*slots)
        if not PSEUDO.search(ours):
            assert like_the_kernel(ours) == like_the_kernel(theirs)


# How bpftool's dump differs: helpers and functions by symbol, no ` ll`.
BPFTOOL_NAMES = [(r"call pc([+-]\d+)#\w+", r"call pc\1"), (r"call \w+#", "call unknown#")]


@pytest.mark.kernel
def test_text_is_what_bpftool_prints_of_the_loaded_program(compiled: tuple[str, Path]) -> None:
    cpu, path = compiled
    if not BPFTOOL:
        pytest.skip("needs bpftool")
    if cpu == "v4" and b"BUG_" in (dump := xlated(path)[0].encode()):
        pytest.skip(f"this bpftool does not know v4 instructions ({dump.count(b'BUG_')} BUG_)")
    text, program = xlated(path)
    names = isa.Names(map=lambda number: f"id:{number}")
    ours = [f"{line.slot}: ({line.op:02x}) {line.text}" for line in isa.disassemble(program, names)]
    theirs = [line.strip() for line in text.splitlines() if re.match(r" *\d+: ", line)]
    for pattern, replacement in BPFTOOL_NAMES:
        theirs = [re.sub(pattern, replacement, line) for line in theirs]
    assert len(theirs) > 100
    assert [line.removesuffix(" ll") for line in ours] == theirs
    assert isa.assemble("\n".join(theirs)) == program


def xlated(path: Path) -> tuple[str, list[Insn]]:
    """bpftool's dump of the program the kernel made of an object, and its bytes. The bpffs it is
    pinned to is mounted in a namespace of its own, and so is gone with the shell."""
    folder, code = path.parent / "pins", path.parent / "code"
    folder.mkdir(exist_ok=True)
    script = (
        'set -e; mount -t bpf bpf "$1"; bpftool prog load "$2" "$1/p" >&2; '
        'bpftool prog dump xlated pinned "$1/p" file "$3" >&2; '
        'bpftool prog dump xlated pinned "$1/p"'
    )
    command = ["unshare", "-m", "--propagation", "private", "sh", "-c", script, "sh"]
    command += [str(folder), str(path), str(code)]
    done = subprocess.run(command, text=True, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout, isa.from_dump(isa.decode(code.read_bytes()))
