"""What an object leaves to the kernel: its configuration, its functions and variables, by type, by
address and weakly; functions of modules; what programs are loaded for."""

import gzip
import os
import socket
import subprocess

import pytest

from ebee import linux
from ebee.btf import Btf, Func
from ebee.btf.files import modules
from ebee.clang import build
from ebee.errors import KernelError, ObjectError, VerifierError
from ebee.linux import kconfig
from ebee.linux.errors import older_than
from ebee.linux.externs import addresses
from ebee.linux.flags import BPF_F_XDP_DEV_BOUND_ONLY
from ebee.linux.host import version_code
from ebee.linux.kernel_btf import KernelBtf

pytestmark = pytest.mark.kernel

FRAME = bytes(64)
HEAD = "#include <linux/bpf.h>\n#include <bpf/bpf_helpers.h>\n#include <bpf/bpf_tracing.h>\n"
TAIL = '\nchar LICENSE[] SEC("license") = "GPL";\n'


@pytest.fixture
def compiled(tmp_path):
    def make(text):
        path = tmp_path / "source.c"
        path.write_text(HEAD + text + TAIL)
        return build(path)

    return make


# -- configuration --------------------------------------------------------------------------------

OPTIONS = """
extern _Bool CONFIG_ON __kconfig;
extern char CONFIG_LETTER __kconfig;
extern enum libbpf_tristate CONFIG_THREE __kconfig;
extern unsigned char CONFIG_SMALL __kconfig;
extern short CONFIG_SHORT __kconfig;
extern int CONFIG_NEGATIVE __kconfig;
extern unsigned long long CONFIG_LARGE __kconfig;
extern char CONFIG_TEXT[8] __kconfig;
extern int CONFIG_NONE __kconfig __weak;
extern int LINUX_KERNEL_VERSION __kconfig;
extern int LINUX_UNKNOWN __kconfig __weak;
_Bool on; char letter; int three, small, negative, none, version, unknown; short number;
unsigned long long large; char text[8];
SEC("xdp") int look(struct xdp_md *ctx)
{
    on = CONFIG_ON; letter = CONFIG_LETTER; three = CONFIG_THREE; small = CONFIG_SMALL;
    number = CONFIG_SHORT; negative = CONFIG_NEGATIVE; large = CONFIG_LARGE; none = CONFIG_NONE;
    version = LINUX_KERNEL_VERSION; unknown = LINUX_UNKNOWN;
    for (int i = 0; i < 8; i++) text[i] = CONFIG_TEXT[i];
    return 0;
}
"""
CONFIG = """
# CONFIG_OFF is not set
CONFIG_ON=y
CONFIG_LETTER=m
CONFIG_THREE=m
CONFIG_SMALL=0xff
CONFIG_SHORT=010
CONFIG_NEGATIVE=-5
CONFIG_LARGE=18446744073709551615
CONFIG_TEXT="longer than it"
"""
VALUES = {
    "on": True, "letter": ord("m"), "three": 2, "small": 255, "number": 8, "negative": -5,
    "large": (1 << 64) - 1, "text": "longer ", "none": 0, "version": version_code(), "unknown": 0,
}  # fmt: skip


@pytest.mark.parametrize("packed", [False, True])
def test_configuration_from_a_file(compiled, tmp_path, packed):
    path = tmp_path / "config"
    path.write_bytes(gzip.compress(CONFIG.encode()) if packed else CONFIG.encode())
    with linux.load(compiled(OPTIONS), kconfig=path) as obj:
        obj.programs["look"].test_run(FRAME)
        assert {name: obj.variables[name].value for name in VALUES} == VALUES


def test_configuration_by_name(compiled):
    given = {
        "CONFIG_ON": False, "CONFIG_LETTER": "y", "CONFIG_THREE": "n", "CONFIG_SMALL": 7,
        "CONFIG_SHORT": -3, "CONFIG_NEGATIVE": -1, "CONFIG_LARGE": 1, "CONFIG_TEXT": "abc",
    }  # fmt: skip
    with linux.load(compiled(OPTIONS), kconfig=given) as obj:
        obj.programs["look"].test_run(FRAME)
        found = {name: variable.value for name, variable in obj.variables.items()}
    assert (found["on"], found["letter"], found["three"]) == (False, ord("y"), 0)
    assert (found["small"], found["number"], found["negative"]) == (7, -3, -1)
    assert (found["large"], found["text"]) == (1, "abc")


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("CONFIG_ON", "m", "declare it as enum libbpf_tristate or char"),
        ("CONFIG_ON", 1, "declare it as an integer"),
        ("CONFIG_SMALL", 256, "its type of 1 bytes cannot hold"),
        ("CONFIG_SMALL", -1, "its type of 1 bytes cannot hold"),
        ("CONFIG_SHORT", 1 << 15, "its type of 2 bytes cannot hold"),
        ("CONFIG_SHORT", True, "declare it as bool, enum libbpf_tristate or char"),
        ("CONFIG_LARGE", 1 << 64, "its type of 8 bytes cannot hold"),
        ("CONFIG_TEXT", 5, "declare it as an integer"),
        ("CONFIG_NEGATIVE", "five", "declare it as an array of char"),
        ("CONFIG_NEGATIVE", 1.5, "is no number"),
    ],
)
def test_options_that_do_not_fit_are_refused(compiled, name, value, text):
    spec = compiled(OPTIONS)
    given = kconfig.parse(CONFIG.encode())
    values = {n: int(v, 0) if v.startswith("0x") else v.strip('"') for n, v in given.items()}
    values |= {"CONFIG_SHORT": 8, "CONFIG_NEGATIVE": -5, "CONFIG_LARGE": 1, name: value}
    with pytest.raises(ObjectError, match=text):
        linux.load(spec, kconfig=values)


def test_a_configuration_that_is_missing_or_damaged(compiled, tmp_path):
    damaged = tmp_path / "config.gz"
    damaged.write_bytes(b"\x1f\x8bnothing")
    for path in (tmp_path / "none", damaged):
        with pytest.raises(ObjectError, match="cannot read the configuration"):
            linux.load(compiled(OPTIONS), kconfig=path)


def test_what_the_kernel_can_do_is_configuration_too(compiled):
    """The names of libbpf's own: cookies of attachments (Linux 5.15), wrapped system calls."""
    spec = compiled("""
        extern _Bool LINUX_HAS_BPF_COOKIE __kconfig;
        extern _Bool LINUX_HAS_SYSCALL_WRAPPER __kconfig;
        _Bool cookie, wrapper;
        SEC("xdp") int look(struct xdp_md *ctx)
        {
            cookie = LINUX_HAS_BPF_COOKIE; wrapper = LINUX_HAS_SYSCALL_WRAPPER;
            return 0;
        }
    """)
    with linux.load(spec) as obj:
        obj.programs["look"].test_run(FRAME)
        assert obj.variables["cookie"].value is not older_than("5.15")
        assert obj.variables["wrapper"].value is bool(addresses(["__x64_sys_bpf"]))


def test_values_stand_as_libbpf_places_them(compiled):
    """By falling alignment, rising size, then name (cmp_externs)."""
    spec = compiled(OPTIONS)
    externs = linux.externs.Externs(spec, KernelBtf())
    assert externs.order[0] == "CONFIG_LARGE"
    assert externs.order[-1] == "CONFIG_TEXT"
    made = kconfig.Kconfig(spec, externs.order, ".kconfig", {**dict.fromkeys(externs.order, 0)})
    assert externs.order.index("CONFIG_NEGATIVE") < externs.order.index("LINUX_KERNEL_VERSION")
    assert made.name == ".kconfig"


# -- functions and variables ----------------------------------------------------------------------


def test_symbols_by_address(compiled):
    spec = compiled("""
        extern const void bpf_prog_put __ksym;
        extern const void no_such_symbol __ksym __weak;
        __u64 there, absent = 1;
        SEC("raw_tp/sys_enter") int look(void *ctx)
        {
            there = (__u64)&bpf_prog_put;
            absent = (__u64)&no_such_symbol;
            return 0;
        }
    """)
    with linux.load(spec) as obj:
        obj.programs["look"].test_run(ctx=bytes(16))
        assert {obj.variables["there"].value} == addresses(["bpf_prog_put"])["bpf_prog_put"]
        assert obj.variables["absent"].value == 0
    spec.externs["no_such_symbol"].weak = False
    with pytest.raises(ObjectError, match="no symbol no_such_symbol in /proc/kallsyms"):
        linux.load(spec)


def test_addresses_that_are_not_unique_are_refused(compiled, monkeypatch):
    spec = compiled("""
        extern const void two_of_them __ksym;
        __u64 there;
        SEC("raw_tp/sys_enter") int look(void *ctx) { there = (__u64)&two_of_them; return 0; }
    """)
    found = {"two_of_them": {0x1000, 0x2000}}
    monkeypatch.setattr(linux.externs, "addresses", lambda names: found)
    with pytest.raises(ObjectError, match="two_of_them is ambiguous: this kernel has it at 0x1000"):
        linux.load(spec)


VARIABLE = """
extern const {type} {name} __ksym {weak};
__u64 value = 5;
SEC("raw_tp/sys_enter") int look(void *ctx)
{{
    const {type} *found = bpf_per_cpu_ptr(&{name}, 0);
    value = found ? (__u64)*found : 0;
    return 0;
}}
"""


def test_variables_by_type(compiled):
    spec = compiled(VARIABLE.format(type="int", name="bpf_prog_active", weak=""))
    if addresses(["bpf_prog_active"]):
        with linux.load(spec) as obj:
            obj.programs["look"].test_run(ctx=bytes(16))
            assert obj.variables["value"].value == 0
    else:  # it comes to the kernel, which has no address for the variable that its BTF tells
        with pytest.raises(VerifierError, match="address for kernel symbol 'bpf_prog_active'"):
            linux.load(spec)
    other = compiled(VARIABLE.format(type="void *", name="bpf_prog_active", weak=""))
    with pytest.raises(ObjectError, match="bpf_prog_active is declared with another type"):
        linux.load(other)
    absent = compiled(VARIABLE.format(type="int", name="no_such_variable", weak=""))
    with pytest.raises(ObjectError, match="have a BTF of a variable no_such_variable"):
        linux.load(absent)


FUNCTIONS = """
struct task_struct { int pid; };
extern struct task_struct *bpf_task_from_pid(int pid) __ksym __weak;
extern struct task_struct *bpf_task_from_pid___one(int pid) __ksym __weak;
extern struct task_struct *bpf_task_from_pid___other(void *pid, int more) __ksym __weak;
extern int bpf_no_such_function(void) __ksym __weak;
extern void bpf_task_release(struct task_struct *p) __ksym;
int exact, flavour, other, absent;
SEC("syscall") int look(void *ctx)
{
    exact = !!bpf_task_from_pid;
    flavour = !!bpf_task_from_pid___one;
    other = !!bpf_task_from_pid___other;
    absent = !!bpf_no_such_function;
    if (bpf_no_such_function)
        return bpf_no_such_function();
    struct task_struct *task = bpf_task_from_pid___one(1);
    if (task)
        bpf_task_release(task);
    return !task;
}
SEC("syscall") int wrong(void *ctx) { return bpf_no_such_function(); }
"""


@pytest.mark.skipif(older_than("6.2"), reason="its kernel functions came with Linux 6.2")
def test_functions_by_type_and_flavour(compiled):
    """What is behind ___ tells versions of a function apart; the one whose type fits is there."""
    spec = compiled(FUNCTIONS)
    with linux.load(spec, programs=["look"]) as obj:
        assert obj.programs["look"].test_run().retval in (0, 1)
        found = {name: v.value for name, v in obj.variables.items() if v.spec.map == ".bss"}
    assert found == {"exact": 1, "flavour": 1, "other": 0, "absent": 0}
    with pytest.raises(VerifierError, match=r"lacks what it needs: function bpf_no_such_function"):
        linux.load(spec, programs=["wrong"])


def modular_function():
    """A function of a loaded module that can be traced: (module, name), or the reason for none."""
    for name in modules():
        btf = Btf.module(name)
        known = addresses(btf.type(n).name for n in range(btf.start_id, len(btf)))
        for number in range(btf.start_id, len(btf)):
            if btf.kind(number) is Func and btf.type(number).name in known:
                return name, btf.type(number).name
    pytest.skip("no module with BTF is loaded here")


MODULAR = """
struct nf_conn { int unused; };
struct bpf_ct_opts { int netns_id, error; __u8 l4proto, dir, reserved[2]; };
extern struct nf_conn *bpf_xdp_ct_lookup(struct xdp_md *ctx, struct bpf_sock_tuple *tuple,
    __u32 size, struct bpf_ct_opts *opts, __u32 opts_size) __ksym;
extern void bpf_ct_release(struct nf_conn *nfct) __ksym;
extern struct nf_conn *bpf_skb_ct_lookup(struct __sk_buff *ctx, struct bpf_sock_tuple *tuple,
    __u32 size, struct bpf_ct_opts *opts, __u32 opts_size) __ksym;
int error; __u64 address;
SEC("xdp") int look(struct xdp_md *ctx)
{
    struct bpf_sock_tuple tuple = {};
    struct bpf_ct_opts opts = { .netns_id = -1, .l4proto = 6 };
    struct nf_conn *found = bpf_xdp_ct_lookup(ctx, &tuple, sizeof(tuple.ipv4), &opts, sizeof(opts));
    if (found)
        bpf_ct_release(found);
    error = opts.error;
    return found ? XDP_DROP : XDP_PASS;
}
"""


def test_functions_of_modules_are_called(compiled):
    """By the descriptor of their module's BTF (fd_array); here connection tracking looks for a
    connection that is not there."""
    if os.environ.get("EBEE_VM"):
        subprocess.run(["modprobe", "nf_conntrack"], check=False)
    spec = compiled(MODULAR)
    try:
        obj = linux.load(spec)
    except ObjectError as error:
        pytest.skip(f"connection tracking is not in this kernel: {error}")
    with obj:
        modular = "nf_conntrack" in modules()
        assert len(obj._patcher.externs.fd_array) == (2 if modular else 0)
        assert obj.programs["look"].test_run(FRAME).retval == 2
        assert obj.variables["error"].value < 0


def test_functions_of_modules_are_targets(compiled):
    module, name = modular_function()
    spec = compiled(f"""
        SEC("fentry/{module}:{name}") int BPF_PROG(one) {{ return 0; }}
        SEC("fentry/{name}") int BPF_PROG(two) {{ return 0; }}
        SEC("fentry/no_module:{name}") int BPF_PROG(wrong) {{ return 0; }}
    """)
    with linux.load(spec, programs=["one", "two"]) as obj:
        for program in obj.programs.values():
            assert program.info().attach_btf_obj_id != 0
    with pytest.raises(KernelError, match=f"module no_module has no function '{name}'"):
        linux.load(spec, programs=["wrong"])


def test_modules_are_those_of_sysfs():
    kernel = KernelBtf()
    assert sorted(m.name for m in kernel.modules) == modules()
    kernel.close()


# -- what programs are loaded for -----------------------------------------------------------------

EXTENDED = """
__attribute__((noinline)) int verdict(struct xdp_md *ctx) { return ctx->data_end ? 2 : 1; }
SEC("xdp") int entry(struct xdp_md *ctx) { return verdict(ctx); }
"""
EXTENSION = """
SEC("freplace/verdict") int other(struct xdp_md *ctx) { return 1; }
SEC("fexit/verdict") int BPF_PROG(seen, struct xdp_md *xdp, int ret) { return 0; }
SEC("freplace/no_such") int wrong(struct xdp_md *ctx) { return 1; }
"""


def test_targets_in_other_programs(compiled):
    with linux.load(compiled(EXTENDED)) as base:
        entry, spec = base.programs["entry"], compiled(EXTENSION)
        with pytest.raises(ObjectError, match="other replaces a function of another program"):
            linux.load(spec, programs=["other"])
        with pytest.raises(ObjectError, match="has no function 'no_such'; it has entry, verdict"):
            linux.load(spec, programs=["wrong"], targets={"wrong": entry})
        for name in ("other", "seen"):
            try:
                linux.load(spec, programs=[name], targets={name: entry}).close()
            except KernelError as error:
                if "the kernel forbids it" not in str(error):
                    raise
                pytest.skip(str(error))


def test_programs_that_belong_to_an_interface(compiled, net):
    """A flag that only says so, and hints of the driver that only such programs may read."""
    spec = compiled("""
        enum xdp_rss_hash_type { NONE };
        extern int bpf_xdp_metadata_rx_hash(const struct xdp_md *ctx, __u32 *hash,
                                            enum xdp_rss_hash_type *type) __ksym __weak;
        SEC("xdp") int hint(struct xdp_md *ctx)
        {
            __u32 hash = 0;
            enum xdp_rss_hash_type type = 0;
            return bpf_xdp_metadata_rx_hash(ctx, &hash, &type) ? XDP_PASS : XDP_DROP;
        }
    """)
    if older_than("6.3"):
        pytest.skip("came with Linux 6.3")
    with pytest.raises(VerifierError, match="metadata kfuncs"):
        linux.load(spec)
    spec.programs["hint"].flags |= BPF_F_XDP_DEV_BOUND_ONLY
    with net.inside("left"), linux.load(spec, ifindex=socket.if_nametoindex("veth0")) as obj:
        obj.programs["hint"].attach("veth0").close()
    with pytest.raises(KernelError, match="cannot load program 'hint'"):
        linux.load(spec)


@pytest.mark.parametrize("content", ["", "hello\n", "# CONFIG_HZ is not set\n"])
def test_a_file_without_options_is_no_configuration(tmp_path, content):
    path = tmp_path / "config"
    path.write_text(content)
    with pytest.raises(ObjectError, match=r"it has no line CONFIG_"):
        kconfig.given_options(path)
