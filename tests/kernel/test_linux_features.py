"""Old kernels: what they lack is replaced in what is loaded (the probes are faked here; where the
kernel is old the same tests see the real thing)."""

import pytest

from ebee import linux
from ebee.clang import build
from ebee.errors import KernelError
from ebee.linux import features, flags, uapi

pytestmark = pytest.mark.kernel

FRAME = bytes(64)

SOURCE = """
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
extern int LINUX_KERNEL_VERSION __kconfig;
const volatile int unused = 3;
int seen;
SEC("tracepoint/syscalls/sys_enter_bpf") int read_some(void *ctx)
{
    char text[8];
    seen = LINUX_KERNEL_VERSION;
    bpf_probe_read_kernel(text, sizeof(text), ctx);
    bpf_probe_read_kernel_str(text, sizeof(text), ctx);
    bpf_probe_read_user(text, sizeof(text), ctx);
    bpf_probe_read_user_str(text, sizeof(text), ctx);
    return text[0];
}
char LICENSE[] SEC("license") = "GPL";
"""

TAGGED = """
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#define tagged __attribute__((btf_decl_tag("arg:ctx")))
__attribute__((noinline)) int length(void *ctx tagged)
{
    struct xdp_md *xdp = ctx;
    return xdp->data_end - xdp->data;
}
__attribute__((noinline)) int mark(void *ctx tagged)
{
    struct __sk_buff *skb = ctx;
    return skb->len;
}
SEC("xdp") int one(struct xdp_md *ctx) { return length(ctx) == 64 ? XDP_PASS : XDP_DROP; }
SEC("xdp") int two(struct xdp_md *ctx) { return length(ctx) == 65 ? XDP_PASS : XDP_DROP; }
SEC("tc") int other(struct __sk_buff *skb) { return mark(skb); }
char LICENSE[] SEC("license") = "GPL";
"""


@pytest.fixture
def lacking(monkeypatch):
    """A kernel that lacks the features of the given names."""
    has = features.has

    def make(*names):
        assert set(names) <= set(features.PROBES)
        monkeypatch.setattr(features, "has", lambda name: name not in names and has(name))

    return make


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    def make(text):
        path = tmp_path_factory.mktemp("source") / "source.c"
        path.write_text(text)
        return build(path)

    made = {text: make(text) for text in (SOURCE, TAGGED)}
    return lambda text: made[text].copy()


@pytest.mark.parametrize("name", features.PROBES)
def test_this_kernel_has_what_its_release_brought(name):
    """A declared release whose kernel does not pass the probe is a wrong declaration."""
    since, probe = features.PROBES[name]
    if since and not features.older_than(since):
        probe()
    assert features.has(name) in (True, False)


def test_reads_of_old(compiled, lacking, monkeypatch):
    loaded = []
    load = linux.LinuxProgram.load
    monkeypatch.setattr(
        linux.LinuxProgram, "load", lambda code, *a, **b: loaded.append(code) or load(code, *a, **b)
    )
    for missing in ((), ("probe_read_kernel",)):
        lacking(*missing)
        linux.load(compiled(SOURCE)).close()
    new, old = ([i.imm for i in code if i.op == 0x85] for code in loaded)
    assert new == [113, 115, 112, 114]
    assert old == [4, 45, 4, 45]


def test_arrays_that_cannot_be_mapped(compiled, lacking):
    lacking("arrays in memory")
    with linux.load(compiled(SOURCE)) as obj:
        assert not obj.maps[".bss"].raw.flags & uapi.BPF_F_MMAPABLE
        obj.variables["seen"].value = 7
        assert obj.variables["seen"].value == 7


def test_names_are_left_out(compiled, lacking):
    lacking("names")
    with linux.load(compiled(SOURCE)) as obj:
        assert obj.maps[".bss"].raw.name == ""
        assert obj.programs["read_some"].info().name == ""


def test_constants_are_held_where_that_can_be(compiled, lacking):
    with linux.load(compiled(SOURCE)) as obj:
        used = obj.programs["read_some"].raw.map_ids()
        assert (obj.maps[".rodata"].raw.id in used) == features.has("maps bound to programs")
    lacking("maps bound to programs")
    with linux.load(compiled(SOURCE)) as obj:
        assert obj.maps[".rodata"].raw.id not in obj.programs["read_some"].raw.map_ids()


def test_without_global_data_it_says_so(compiled, lacking):
    lacking("global data")
    with pytest.raises(KernelError, match=r"global data \(.*\) requires Linux >= 5.2"):
        linux.load(compiled(SOURCE))


@pytest.mark.parametrize("missing", [(), ("context tags",)])
def test_tagged_arguments_are_the_context(compiled, lacking, missing):
    """Without the tag each type of program gets functions with signatures of its own."""
    lacking(*missing)
    with linux.load(compiled(TAGGED)) as obj:
        assert obj.programs["one"].test_run(FRAME).retval == 2
        assert obj.programs["two"].test_run(FRAME).retval == 1
        assert obj.programs["other"].test_run(FRAME).retval == len(FRAME)
        signatures = len(obj.btf.btf.find_ids("length"))
        assert signatures == (1 if features.has("context tags") else 2)


def test_markers_use_one_link_where_the_kernel_can(lacking, tmp_path):
    path = tmp_path / "marker.c"
    path.write_text("""
        #include <linux/bpf.h>
        #include <bpf/bpf_helpers.h>
        SEC("usdt/libc.so.6:libc:setjmp") int hit(void *ctx) { return 0; }
        char LICENSE[] SEC("license") = "GPL";
    """)
    spec = build(path)
    number = uapi.ATTACH_TYPES["trace_uprobe_multi"]
    with linux.load(spec) as obj:
        wanted = number if features.has("uprobe.multi") else 0
        assert obj.programs["hit"].raw.attach_type == wanted
    lacking("uprobe.multi")
    with linux.load(spec) as obj:
        assert obj.programs["hit"].raw.attach_type == 0


@pytest.mark.parametrize(
    ("flag", "since"),
    [
        (flags.BPF_F_STRICT_ALIGNMENT, "4.11"),
        (flags.BPF_F_ANY_ALIGNMENT, "5.0"),
        (flags.BPF_F_TEST_RND_HI32, "5.3"),
        (flags.BPF_F_TEST_STATE_FREQ, "5.4"),
        (flags.BPF_F_XDP_HAS_FRAGS, "5.18"),
        (flags.BPF_F_TEST_REG_INVARIANTS, "6.8"),
        (1 << 30, "99"),
    ],
)
def test_flags_go_to_the_verifier(compiled, flag, since):
    spec = compiled(TAGGED)
    spec.programs["one"].flags |= flag
    if features.older_than(since):
        with pytest.raises(KernelError, match=f"{flag:#x}|requires Linux"):
            linux.load(spec, programs=["one"])
        return
    with linux.load(spec, programs=["one"]) as obj:
        assert obj.programs["one"].test_run(FRAME).retval == 2
