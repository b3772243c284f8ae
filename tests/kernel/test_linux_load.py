"""Whole objects in the kernel: maps, data, tail calls, CO-RE, externs, handles, clean-up; and that
what ebee makes of an object is what libbpf makes of it."""

import contextlib
import json
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from ebee import linux
from ebee.btf import BtfBuilder, Int, Member, Struct
from ebee.clang import build
from ebee.errors import BtfError, KernelError, ObjectError, VerifierError
from ebee.linux import LinuxMap
from ebee.linux.errors import older_than
from ebee.linux.info import ids
from ebee.obj import read

pytestmark = pytest.mark.kernel

SOURCES = Path(__file__).parents[1] / "fixtures" / "c"
FRAME = bytes(64)

PINNED = """
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, %d);
    __uint(pinning, LIBBPF_PIN_BY_NAME);
    __type(key, __u32);
    __type(value, __u64);
} kept SEC(".maps");
SEC("xdp") int count(struct xdp_md *ctx)
{
    __u32 key = 1;
    __u64 *value = bpf_map_lookup_elem(&kept, &key);
    if (value)
        __sync_fetch_and_add(value, 1);
    return XDP_PASS;
}
char LICENSE[] SEC("license") = "GPL";
"""

BROKEN = """
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
SEC("xdp") int look(struct xdp_md *ctx)
{
    unsigned char *data = (void *)(long)ctx->data;
    return data[3] == 7;
}
char LICENSE[] SEC("license") = "GPL";
"""


@pytest.fixture(scope="module")
def objects():
    made = {}

    def get(name):
        if name not in made:
            made[name] = build(SOURCES / f"{name}.c")
        return made[name].copy()

    return get


@pytest.fixture
def compiled(tmp_path):
    def make(text):
        path = tmp_path / "source.c"
        path.write_text(text)
        return build(path)

    return make


def test_tail_calls_go_through_what_the_object_filled_in(objects):
    with linux.load(objects("tailcalls")) as obj:
        first, second = obj.programs["first"], obj.programs["second"]
        assert first.test_run(FRAME).retval == 1
        obj.maps["chain"][0] = obj.programs["third"]
        assert first.test_run(FRAME).retval == 2
        assert obj.maps["chain"][1] == second.id
        with pytest.raises(BtfError, match="holds loaded programs, not '7'"):
            obj.maps["chain"][1] = "7"
        del obj.maps["chain"][1]
        assert first.test_run(FRAME).retval == 0
        with pytest.raises(KeyError):
            obj.maps["chain"][1]


def test_variables_are_shared_with_the_program(objects):
    spec = objects("globals")
    spec.variables["threshold"] = 0x10
    with linux.load(spec) as obj:
        variables = obj.variables
        assert variables["packets"].value == 0
        for _ in range(3):
            assert obj.programs["touch"].test_run(FRAME).retval == 2
        assert variables["packets"].value == 3
        assert variables["custom"].value == 0x1122334455667788 ^ 0x10
        variables["packets"].value = 100
        variables["initialised"].value = -5
        obj.programs["touch"].test_run(FRAME)
        assert variables["packets"].value == 101
        assert variables["threshold"].value == 0x10
        with pytest.raises(ObjectError, match="constant once loaded"):
            variables["threshold"].value = 3
    assert spec.variables["packets"].value == 0


def test_core_finds_the_kernels_fields(objects):
    with linux.load(objects("core")) as obj:
        assert obj.programs["look"].test_run(FRAME).retval in (0, 1, 2)


def test_a_field_that_the_kernel_lacks_is_named(compiled):
    spec = compiled("""
        #include <linux/bpf.h>
        #include <bpf/bpf_helpers.h>
        #include <bpf/bpf_core_read.h>
        struct task_struct { int pid; int no_such_field; } __attribute__((preserve_access_index));
        SEC("xdp") int look(struct xdp_md *ctx)
        {
            struct task_struct *task = (void *)bpf_get_current_task();
            if (bpf_core_field_exists(task->no_such_field))
                return 0;
            return BPF_CORE_READ(task, no_such_field);
        }
        char LICENSE[] SEC("license") = "GPL";
    """)
    with pytest.raises(VerifierError, match=r"this kernel lacks what it needs: .*no_such_field"):
        linux.load(spec)


def test_core_against_types_from_elsewhere(compiled):
    """Another kernel's BTF decides where fields are, here one with a field in another place."""
    spec = compiled("""
        #include <linux/bpf.h>
        #include <bpf/bpf_helpers.h>
        #include <bpf/bpf_core_read.h>
        struct thing { int first, second; } __attribute__((preserve_access_index));
        SEC("xdp") int look(void *ctx)
        {
            return bpf_core_field_offset(((struct thing *)0)->second);
        }
        char LICENSE[] SEC("license") = "GPL";
    """)
    elsewhere = BtfBuilder()
    number = elsewhere.add(Int("int", 4, 1))
    elsewhere.add(Struct("thing", 80, (Member("second", number, 72 * 8),)))
    with linux.load(spec, core_btf=elsewhere.build()) as obj:
        assert obj.programs["look"].test_run(FRAME).retval == 72
    with pytest.raises(VerifierError, match=r"lacks what it needs: .* has no struct 'thing'"):
        linux.load(spec)


def test_objects_of_gcc_run(tmp_path):
    if not shutil.which("bpf-gcc"):
        pytest.skip("needs gcc for BPF")
    (tmp_path / "prog.c").write_text("""
        #define SEC(name) __attribute__((section(name), used))
        #define __uint(name, val) int (*name)[val]
        #define __type(name, val) val *name
        #include <linux/bpf.h>
        static void *(*bpf_map_lookup_elem)(void *, const void *) = (void *)1;
        struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 7);
                 __type(key, int); __type(value, long); } other SEC(".maps"), counts SEC(".maps");
        int limit = 5, table[4] = { 1, 2, 3, 4 };
        static __attribute__((noinline)) int one(int x) { return x * 3 + table[2]; }
        __attribute__((noinline)) int two(int x) { return one(x) + limit; }
        SEC("xdp") int f(struct xdp_md *ctx)
        {
            int k = 1;
            long *v = bpf_map_lookup_elem(&counts, &k);
            return two(3) + (v ? *v : 0);
        }
        char LICENSE[] SEC("license") = "GPL";
    """)
    command = ["bpf-gcc", "-O2", "-g", "-gbtf", "-c", "-o", tmp_path / "prog.o"]
    command += ["-idirafter", "/usr/include/x86_64-linux-gnu", "-idirafter", "/usr/include"]
    subprocess.run([*command, tmp_path / "prog.c"], check=True)
    with linux.load(read((tmp_path / "prog.o").read_bytes())) as obj:
        obj.maps["counts"][1] = 100
        obj.variables["limit"].value = 7
        assert obj.programs["f"].test_run(FRAME).retval == 3 * 3 + 3 + 7 + 100


@pytest.mark.skipif(older_than("6.2"), reason="its kernel functions came with Linux 6.2")
def test_externs_are_the_kernels(objects):
    with linux.load(objects("externs")) as obj:
        assert obj.programs["look"].test_run(FRAME).retval in (0, 1)
    spec = objects("externs")
    spec.externs["absent_function"].weak = False
    with pytest.raises(ObjectError, match=r"have a (function|BTF of a variable) absent_function"):
        linux.load(spec)


def test_configuration_is_read_as_libbpf_does(compiled):
    spec = compiled("""
        #include <linux/bpf.h>
        #include <bpf/bpf_helpers.h>
        extern int LINUX_KERNEL_VERSION __kconfig;
        extern unsigned int CONFIG_HZ __kconfig __weak;
        extern _Bool CONFIG_BPF_SYSCALL __kconfig __weak;
        extern char CONFIG_BPF_JIT __kconfig __weak;
        extern enum libbpf_tristate CONFIG_BPF __kconfig __weak;
        extern char CONFIG_DEFAULT_HOSTNAME[8] __kconfig __weak;
        extern int CONFIG_NO_SUCH_THING __kconfig __weak;
        int version, hz, on, jit, tristate, absent;
        char host;
        SEC("xdp") int look(struct xdp_md *ctx)
        {
            version = LINUX_KERNEL_VERSION;
            hz = CONFIG_HZ;
            on = CONFIG_BPF_SYSCALL;
            jit = CONFIG_BPF_JIT;
            tristate = CONFIG_BPF;
            host = CONFIG_DEFAULT_HOSTNAME[1];
            absent = CONFIG_NO_SUCH_THING;
            return 0;
        }
        char LICENSE[] SEC("license") = "GPL";
    """)
    from ebee.linux.host import version_code
    from ebee.linux.kconfig import options

    known = options() or {}
    with linux.load(spec) as obj:
        obj.programs["look"].test_run(FRAME)
        found = {name: variable.value for name, variable in obj.variables.items()}
    assert found["version"] == version_code()
    assert found["hz"] == int(known.get("CONFIG_HZ", 0))
    assert found["on"] == (known.get("CONFIG_BPF_SYSCALL") == "y")
    assert found["jit"] == ord(known.get("CONFIG_BPF_JIT", "\0"))
    assert found["tristate"] == {"n": 0, "y": 1, "m": 2}[known.get("CONFIG_BPF", "n")]
    assert found["absent"] == 0
    spec.externs["CONFIG_NO_SUCH_THING"].weak = False
    with pytest.raises(ObjectError, match="CONFIG_NO_SUCH_THING is not set"):
        linux.load(spec)


def test_maps_pinned_by_name_are_used_again(compiled, bpffs):
    spec = compiled(PINNED % 10)
    with linux.load(spec, pin_path=str(bpffs)) as obj:
        obj.maps["kept"][1] = 5
        number = obj.maps["kept"].raw.id
        with linux.load(spec, pin_path=str(bpffs)) as again:
            assert again.maps["kept"].raw.id == number
            again.programs["count"].test_run(FRAME)
        assert obj.maps["kept"][1] == 6
    with linux.load(spec, pin_path=str(bpffs)) as third:
        assert third.maps["kept"][1] == 6
    with pytest.raises(KernelError, match="has max_entries 10, but kept wants 11"):
        linux.load(compiled(PINNED % 11), pin_path=str(bpffs))


def test_a_map_of_the_callers_own_can_be_given(compiled, bpffs):
    spec = compiled(PINNED % 10)
    with LinuxMap.create("hash", 4, 8, 10, name="mine") as mine:
        with linux.load(spec, maps={"kept": mine}) as obj:
            assert obj.maps["kept"].raw is mine
            obj.maps["kept"][1] = 1
        assert mine.lookup((1).to_bytes(4, "little")) == (1).to_bytes(8, "little")
    with pytest.raises(ObjectError, match="no map 'other'"):
        linux.load(spec, maps={"other": mine})


def test_a_rejected_program_shows_the_source_line(compiled):
    with pytest.raises(VerifierError) as failed:
        linux.load(compiled(BROKEN))
    first, second, third = str(failed.value).splitlines()
    assert "cannot load program 'look' (xdp): invalid access to packet" in first
    assert second.startswith("  at instruction ")
    assert third.startswith("  from ") and "data[3] == 7" in third  # noqa: PT018


def test_nothing_is_left_when_loading_fails_or_ends(objects, compiled, open_fds):
    good, bad = objects("maps"), compiled(BROKEN)

    def cycle():
        with linux.load(good) as obj:
            obj.programs["count"].test_run(FRAME)
        with pytest.raises(VerifierError):
            linux.load(bad)

    cycle()
    before, maps, programs = open_fds(), set(ids("map")), set(ids("prog"))
    for _ in range(20):
        cycle()
    assert open_fds() == before
    # The kernel frees programs, and the maps they use, a moment after they were closed.
    names = {*good.maps, "count", "look"}
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and names & left_over(maps, programs):
        time.sleep(0.01)
    assert not names & left_over(maps, programs)


def left_over(maps, programs):
    """The names of maps and programs that were not there before."""
    names = set()
    for kind, known, open_id in (
        ("map", maps, LinuxMap.from_id),
        ("prog", programs, linux.LinuxProgram.from_id),
    ):
        for number in set(ids(kind)) - known:
            with contextlib.suppress(KernelError), open_id(number) as found:
                names.add(found.name)
    return names


def test_programs_attach_as_their_hook_says(objects, net):
    with linux.load(objects("subprogs"), programs=["plain"]) as obj:
        assert list(obj.programs) == ["plain"]
        program = obj.programs["plain"]
        with net.inside("right"):
            with pytest.raises(ObjectError, match="attaching xdp needs dev="):
                program.attach()
            with pytest.raises(ObjectError, match="no option 'speed'; it takes dev, mode"):
                program.attach("veth1", speed=3)
            with program.attach(dev="veth1", mode="generic") as link:
                assert link.info().prog_id == program.id
            kept = program.attach("veth1")
            number = kept.info().id
    assert number not in list(ids("link"))


HOOKS = """
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
int runs;
SEC("tc/egress") int out(struct __sk_buff *skb) { runs++; return 0; }
SEC("cgroup_skb/egress") int group(struct __sk_buff *skb) { return 1; }
SEC("raw_tp/sys_enter") int raw(void *ctx) { return 0; }
SEC("tp_btf/sys_enter") int typed(void *ctx) { return 0; }
SEC("sk_lookup") int lookup(struct bpf_sk_lookup *ctx) { return 1; }
char LICENSE[] SEC("license") = "GPL";
"""


@pytest.mark.skipif(older_than("6.6"), reason="tcx came with Linux 6.6")
def test_sections_say_where_and_how(compiled, net, cgroup):
    spec = compiled(HOOKS)
    with linux.load(spec) as obj:
        programs = obj.programs
        with net.inside("right"), programs["out"].attach("veth1") as link:
            assert link.info().attach_type == linux.uapi.ATTACH_TYPES["tcx_egress"]
            with net.socket("right") as sender:
                sender.send(net.frame(b"x" * 50, "right"))
            assert obj.variables["runs"].value == 1
        with programs["group"].attach(str(cgroup)) as link:
            assert link.info().attach_type == linux.uapi.ATTACH_TYPES["cgroup_inet_egress"]
        assert programs["raw"].attach().info().tp_name == "sys_enter"
        assert programs["typed"].attach().info().prog_id == programs["typed"].id
        with net.inside("right"):
            assert programs["lookup"].attach("/proc/thread-self/ns/net").info().type == "netns"
    spec.programs["typed"].attach_to = "no_such_tracepoint"
    with pytest.raises(KernelError, match="no tracepoint 'no_such_tracepoint' for tp_btf"):
        linux.load(spec)
    spec.programs["typed"].attach_to = ""
    with pytest.raises(ObjectError, match=r'name it in the section, as in SEC\("tp_btf/NAME"\)'):
        linux.load(spec)


def test_wrong_names_are_refused(objects):
    with pytest.raises(
        ObjectError, match=r"map chain\[1\] is to hold 'second', which is not loaded"
    ):
        linux.load(objects("tailcalls"), programs=["first"])
    with pytest.raises(ObjectError, match="no program 'nosuch'"):
        linux.load(objects("subprogs"), programs=["nosuch"])
    with (
        linux.load(objects("subprogs"), programs=["plain"]) as obj,
        pytest.raises(ObjectError, match="no map 'events'"),
    ):
        obj.ring_buffer("events")


@pytest.mark.skipif(not shutil.which("bpftool"), reason="needs bpftool")
@pytest.mark.parametrize("name", ["loops", "subprogs", "globals", "tailcalls", "core", "maps"])
def test_libbpf_makes_the_same_code_of_it(objects, name, bpffs, tmp_path):
    """A program's tag is a hash of its code with map descriptors left out."""
    from ebee.clang import compile

    path = tmp_path / f"{name}.o"
    compiled = compile(SOURCES / f"{name}.c")
    path.write_bytes(compiled.content)
    command = ["bpftool", "prog", "loadall", str(path), str(bpffs / "all"), "type", "xdp"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"this bpftool cannot load it: {done.stderr.splitlines()[-1]}")
    with linux.load(read(compiled.content)) as obj:
        for pin in (bpffs / "all").iterdir():
            shown = subprocess.run(
                ["bpftool", "-j", "prog", "show", "pinned", str(pin)], capture_output=True
            )
            theirs = json.loads(shown.stdout)
            assert obj.programs[pin.name].raw.tag == theirs["tag"], pin.name
