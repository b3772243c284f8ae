"""Programs that no verifier would take: each is refused or stopped, on the interpreter and in
checked compiled code, and neither reads or writes what is not the program's.

The named ones are attacks that found a hole once, or that their authors would try first.
"""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from engines import attack
from engines.compare import Engines, name_of
from engines.guard import GuardedMemory
from engines.hostile import hostile_maps

from ebee import helpers, hooks
from ebee.isa import parse
from ebee.machine.code import prepare
from ebee.obj.linker import link
from ebee.obj.spec import FunctionSpec, ObjectSpec, ProgramSpec, Ref

pytestmark = pytest.mark.differential

NUMBERS = {h.name: h.id for h in helpers.all_helpers()}
PACKET = bytes(range(64))
VALUE = "r2 = r10; r2 += -64; *(u64 *)(r10 -64) = 0; r1 = map[numbers]; call map_lookup_elem\n"
CTX = "r6 = r1\n"

ATTACKS = {
    "a spilled pointer overwritten through a number": CTX + """
        *(u64 *)(r10 -8) = r6; r2 = r10; r2 ^= 0; r3 = 0x41414140; *(u64 *)(r2 -8) = r3
        r4 = *(u64 *)(r10 -8); r0 = *(u32 *)(r4 +0); exit""",
    "a spilled value pointer overwritten through a value pointer": VALUE + """
        if r0 == 0 goto out; *(u64 *)(r10 -8) = r0; r3 = r10; r3 -= r0; r3 += r0; r3 += -8
        r5 = r10; r5 -= r0; r4 = r0; r4 += r5; r1 = 0x1234; *(u64 *)(r4 -8) = r1
        r4 = *(u64 *)(r10 -8); r0 = *(u64 *)(r4 +0); out: exit""",
    "null plus something is not null": """
        r7 = *(u32 *)(r1 +12); r0 = 0; if r7 == 1 goto join
        r2 = r10; r2 += -8; *(u64 *)(r10 -8) = 9; r1 = map[numbers]; call map_lookup_elem
        join: r0 += 8; if r0 == 0 goto out; r0 = *(u64 *)(r0 +0); out: exit""",
    "perhaps a frame, perhaps null": """
        r3 = *(u32 *)(r1 +12); r2 = 0; if r3 == 1 goto join; r2 = r10
        join: *(u64 *)(r2 -8) = 1; r0 = 0; exit""",
    "perhaps the packet, perhaps null": """
        r3 = *(u32 *)(r1 +12); r2 = 0; if r3 == 1 goto join; r2 = *(u32 *)(r1 +0)
        join: r0 = *(u64 *)(r2 +0); exit""",
    "a packet pointer from before the start moved": CTX + """
        r7 = *(u32 *)(r6 +0); r1 = r6; r2 = 40; call xdp_adjust_head; r0 = *(u64 *)(r7 +0); exit""",
    "the same, moved by a callback": CTX + """
        r7 = *(u32 *)(r6 +0); *(u64 *)(r10 -8) = r6; r1 = 1; r2 = func[cut]; r3 = r10; r3 += -8
        r4 = 0; call loop; r0 = *(u64 *)(r7 +0); exit
        cut: r1 = *(u64 *)(r2 +0); r2 = 40; call xdp_adjust_head; r0 = 1; exit""",
    "a packet pointer that a callback replaced": CTX + """
        r7 = *(u32 *)(r6 +0); r7 += 4; *(u64 *)(r10 -8) = r7; r1 = 1; r2 = func[put]; r3 = r10
        r3 += -8; r4 = 0; call loop; r7 = *(u64 *)(r10 -8); r0 = *(u64 *)(r7 +0); exit
        put: r1 = 0x10000; *(u64 *)(r2 +0) = r1; r0 = 1; exit""",
    "a frame of the same function, another call of it": CTX + """
        r1 = 0; r2 = r6; call again; exit
        again: if r1 != 0 goto inner; *(u64 *)(r10 -8) = 0x4141; r1 = r10; r1 += -8; call again
        r0 = 0; exit
        inner: *(u64 *)(r10 -8) = 0x4242; r3 = map[globals][0]+0; *(u64 *)(r1 +0) = r3
        r4 = *(u64 *)(r10 -8); r0 = *(u64 *)(r4 +0); exit""",
    "a caller's slot written through a number in memory": CTX + """
        r3 = map[globals][0]+0; *(u64 *)(r10 -8) = r3; r4 = r10; r4 += -8; *(u64 *)(r3 +8) = r4
        call change; r4 = *(u64 *)(r10 -8); r0 = *(u64 *)(r4 +0); exit
        change: r3 = map[globals][0]+0; r4 = *(u64 *)(r3 +8); r5 = 0x5000; *(u64 *)(r4 +0) = r5
        r0 = 0; exit""",
    "a dynptr over the spilled context": CTX + """
        *(u64 *)(r10 -8) = r6; r1 = map[events]; r2 = 8; r3 = 0; r4 = r10; r4 += -16
        call ringbuf_reserve_dynptr; r6 = *(u64 *)(r10 -8); r7 = *(u32 *)(r6 +0)
        r0 = *(u16 *)(r7 +4); exit""",
    "a helper's result over a spilled pointer": """
        r3 = map[globals][0]+0; *(u64 *)(r10 -8) = r3; *(u64 *)(r10 -16) = 0x393939
        r1 = r10; r1 += -16; r2 = 3; r3 = 0; r4 = r10; r4 += -8; call strtol
        r4 = *(u64 *)(r10 -8); r0 = *(u64 *)(r4 +0); exit""",
    "a value pointer moved into the next element's key": VALUE + """
        if r0 == 0 goto out; r0 += 60; r0 = *(u64 *)(r0 +0); out: exit""",
    "a value pointer that wraps around": VALUE + """
        if r0 == 0 goto out; r1 = -1; r1 <<= 63; r0 += r1; r0 = *(u64 *)(r0 +0); out: exit""",
    "an update of a program array": """
        r1 = map[programs]; r2 = r10; r2 += -8; *(u64 *)(r10 -8) = 0xffff; r3 = r10; r3 += -8
        r4 = 0; call map_update_elem; r0 = 0; exit""",
    "a walk through a queue": """
        r1 = map[line]; r2 = func[f]; r3 = r10; r4 = 0; call for_each_map_elem; r0 = 0; exit
        f: r0 = 0; exit""",
    "a tail call into an array": CTX + """
        r1 = r6; r2 = map[numbers]; r3 = 1; call tail_call; r0 = 0; exit""",
    "a loop that is closed where nothing jumps": """
        r7 = 0; goto +1; r7 += 1; r6 = r7; r6 ^= 5; if r6 != 0x7fffffff goto -4; r0 = 0; exit""",
    "the header of a map": "r1 = map[numbers]; r0 = *(u64 *)(r1 +0); exit",
    "the header of an inner map": """
        r2 = r10; r2 += -8; *(u64 *)(r10 -8) = 0; r1 = map[maps]; call map_lookup_elem
        if r0 == 0 goto out; *(u32 *)(r0 +0) = 7; out: exit""",
    "a value of a device map": """
        r2 = r10; r2 += -8; *(u64 *)(r10 -8) = 0; *(u64 *)(r10 -16) = 5; r1 = map[devices]
        r3 = r10; r3 += -16; r4 = 0; call map_update_elem; r2 = r10; r2 += -8; r1 = map[devices]
        call map_lookup_elem; if r0 == 0 goto bad; *(u32 *)(r0 +0) = 7; bad: r1 = 0
        r0 = *(u64 *)(r1 +0); exit""",
    "a read-only value": """
        r2 = r10; r2 += -8; *(u64 *)(r10 -8) = 0; r1 = map[fixed]; call map_lookup_elem
        if r0 == 0 goto out; *(u64 *)(r0 +0) = 1; out: exit""",
    "a value that is not to be read": """
        r2 = r10; r2 += -8; *(u64 *)(r10 -8) = 0; r1 = map[dark]; call map_lookup_elem
        if r0 == 0 goto out; r0 = *(u64 *)(r0 +0); out: exit""",
    "a key longer than what is left of the frame": """
        r1 = map[table]; r2 = r10; r2 += -4; call map_lookup_elem; exit""",
    "a buffer beyond the frame": CTX + """
        r1 = r6; r2 = 0; r3 = r10; r3 += -8; r4 = 16; call xdp_load_bytes; exit""",
    "a length of four thousand million": CTX + """
        r1 = r6; r2 = 0; r3 = r10; r3 += -512; r4 = -1; call xdp_load_bytes; exit""",
    "a length whose upper half says otherwise": """
        r1 = map[events]; r2 = r10; r2 += -8; r3 = 1; r3 <<= 32; r3 += 8; r4 = 0
        call ringbuf_output; r1 = 0; r0 = *(u64 *)(r1 +0); exit""",
    "a record that is none": VALUE + """
        if r0 == 0 goto out; w1 = -2147483640; *(u32 *)(r0 +0) = r1; *(u32 *)(r0 +4) = 0
        r1 = r0; r1 += 8; r2 = 0; call ringbuf_submit; out: exit""",
    "a record submitted twice": """
        r1 = map[events]; r2 = 8; r3 = 0; call ringbuf_reserve; if r0 == 0 goto out; r6 = r0
        r1 = r6; r2 = 0; call ringbuf_submit; r1 = r6; r2 = 0; call ringbuf_submit; out: exit""",
    "a record after it was given away": """
        r1 = map[events]; r2 = 8; r3 = 0; call ringbuf_reserve; if r0 == 0 goto out; r6 = r0
        r1 = r6; r2 = 0; call ringbuf_submit; *(u64 *)(r6 +0) = 1; out: exit""",
    "the header of a record": """
        r1 = map[events]; r2 = 8; r3 = 0; call ringbuf_reserve; if r0 == 0 goto out
        *(u32 *)(r0 -8) = 0; out: exit""",
    "behind a record": """
        r1 = map[events]; r2 = 8; r3 = 0; call ringbuf_reserve; if r0 == 0 goto out
        *(u64 *)(r0 +8) = 0; out: exit""",
    "a dynptr of one's own making": VALUE + """
        *(u64 *)(r10 -16) = 0x10000; *(u64 *)(r10 -8) = 64; r1 = r10; r1 += -16; r2 = 0; r3 = r10
        r3 += -32; r4 = 8; r5 = 0; call dynptr_write; exit""",
    "a context moved": CTX + "r6 += 4; r0 = *(u32 *)(r6 -4); r6 += 2; r0 = *(u32 *)(r6 +0); exit",
    "a context written": CTX + "*(u32 *)(r6 +0) = 0; exit",
    "a context half read": CTX + "r0 = *(u16 *)(r6 +0); exit",
    "a helper with a wrong context": CTX + "r1 = r6; r1 += 8; r2 = 0; call xdp_adjust_head; exit",
    "a callback that is none": "r1 = 4; r2 = 0x1000; r3 = 0; r4 = 0; call loop; exit",
    "a callback beside a function": """
        r1 = 4; r2 = func[f]; r2 += 8; r3 = 0; r4 = 0; call loop; exit
        f: r0 = 0; exit""",
    "a map beside a map": """
        r1 = map[numbers]; r1 += 8; r2 = r10; r2 += -8; call map_lookup_elem; exit""",
    "recursion without end": "call f; exit; f: call f; exit",
    "a loop without end": "again: r0 += 1; goto again; exit",
    "loops within loops": """
        r1 = 0x800000; r2 = func[f]; r3 = 0; r4 = 0; call loop; exit
        f: r1 = 0x800000; r2 = func[g]; r3 = 0; r4 = 0; call loop; r0 = 0; exit
        g: r0 = 0; exit""",
    "an atomic that is not aligned": "r0 = 1; lock *(u64 *)(r10 -12) += r0; exit",
    "an atomic in the packet's end": CTX + """
        r7 = *(u32 *)(r6 +0); r0 = 1; lock *(u64 *)(r7 +60) += r0; exit""",
    "beyond the packet": CTX + "r7 = *(u32 *)(r6 +0); r0 = *(u64 *)(r7 +57); exit",
    "far beyond the packet and back a little": CTX + """
        r7 = *(u32 *)(r6 +0); r7 += 100; r0 = *(u64 *)(r7 -8); exit""",
    "before the packet": CTX + "r7 = *(u32 *)(r6 +0); r0 = *(u8 *)(r7 -1); exit",
    "a packet pointer that wraps around": CTX + """
        r7 = *(u32 *)(r6 +0); r8 = 0x7fffffff; r7 += r8; r8 <<= 32; r7 += r8
        r0 = *(u8 *)(r7 +0); exit""",
    "the end of the packet": CTX + "r7 = *(u32 *)(r6 +4); r0 = *(u8 *)(r7 +0); exit",
    "null and a length": "r1 = 0; r2 = 8; r3 = 0; r4 = 0; r5 = 0; call csum_diff; exit",
    "a tail call with a context of one's own making": """
        r1 = r10; r1 += -64; r2 = map[programs]; r3 = 1; call tail_call; r1 = 0
        r0 = *(u64 *)(r1 +0); exit""",
    "null": "r1 = 0; r0 = *(u64 *)(r1 +0); exit",
    "the last bytes of memory": "r1 = -1; r0 = *(u64 *)(r1 +0); exit",
    "the code of a function": "r1 = func[f]; r0 = *(u64 *)(r1 +0); exit; f: exit",
    "below the frame": "*(u64 *)(r10 -520) = 1; exit",
    "above the frame": "r0 = *(u64 *)(r10 +0); exit",
    "a lock that is none": VALUE + "if r0 == 0 goto out; r1 = r0; call spin_lock; out: r1 = 0\n"
    "r0 = *(u64 *)(r1 +0); exit",
}  # fmt: skip


def spec_of(text):
    """An object with the program and, behind labels that are called, its functions."""
    spec = hostile_maps()
    names = [n for n in ("cut", "put", "again", "change", "f", "g") if f"func[{n}]" in text
             or f"call {n};" in text or f"call {n}\n" in text]  # fmt: skip
    parts, name = {"p": ""}, "p"
    for statement in text.replace("\n", ";").split(";"):
        label, colon, rest = statement.strip().partition(":")
        if colon and label in names and label not in parts:
            name, statement = label, rest
            parts[name] = ""
        parts[name] += statement + "\n"
    functions = {}
    for name, body in parts.items():
        made = parse(body.replace("func[", "subprog["), helper_id=NUMBERS.get)
        refs = [Ref(r.slot, r.kind, r.symbol, r.addend) for r in made.references]
        functions[name] = FunctionSpec(name, ".text", made.insns, refs, linkage="static")
    main = functions.pop("p")
    program = ProgramSpec("p", "xdp", main.insns, main.refs, hook="xdp", attach_type=37)
    return ObjectSpec("attack", spec.maps, {"p": program}, functions, license="GPL")


@pytest.fixture(scope="module")
def engines():
    made = Engines(hostile_maps(), GuardedMemory)
    yield made
    made.close()


def run(engines, text, name="p0"):
    """The results of all engines, by name; nothing beside what is the program's was touched."""
    linked = link(spec_of(text), "p")
    code = prepare(linked, hooks.by_name("xdp"), engines.addresses, engines.text.base)
    code.name = name
    found = {"interpreter": engines.interpret(code, [PACKET], 100_000)}
    lowered = engines.lower([code], True)
    for way in (("quick", True), ("optimised", True)):
        if lowered.errors[0]:
            found[name_of(way)] = found["interpreter"]._replace(error=lowered.errors[0])
        else:
            loaded = engines.load(lowered, way[0])
            found[name_of(way)] = engines.execute(loaded, way, code, [PACKET], 100_000)
    assert engines.machine.memory.overrun() == ""
    return found


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_stopped(engines, name):
    for engine, result in run(engines, ATTACKS[name]).items():
        assert result.error, f"{engine}: {result.frames}"
        assert result.error.startswith("unsupported") or "instruction" in result.error


def test_hostile_programs_under_guard():
    found = attack.Findings()
    for part in attack.attack([f"everyday{n}" for n in range(350)], inputs=6):
        found.add(part)
    assert not found.bad, "\n".join(f"{seed}: {what}" for seed, what in found.bad)
    assert found.counts["both fault"] > 50
    assert found.counts["same"] > 100
