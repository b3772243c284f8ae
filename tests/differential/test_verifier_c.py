"""Programs in C whose verdict hangs on more than one function: handlers of exceptions, stacks,
functions that run later; ebee's verdict and message against the running kernel's."""

import re

import pytest

from ebee.errors import VerifierError
from ebee.linux.backend import load
from ebee.linux.kconfig import values
from ebee.verifier.core.check import check
from ebee.verifier.core.profile import PROFILES

pytestmark = [pytest.mark.differential, pytest.mark.kernel]

SOURCE = """
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define __catches(name) __attribute__((btf_decl_tag("exception_callback:" #name)))
#define __noinline __attribute__((noinline))

extern void bpf_throw(__u64 cookie) __ksym;

__noinline int handle(__u64 cookie) { return cookie & 1; }
__noinline int handle_two(__u64 cookie, int more) { return cookie + more; }
__noinline __u64 handle_wide(__u64 cookie) { return cookie; }
__noinline int throw_again(__u64 cookie) { bpf_throw(cookie); return 0; }

SEC("tc") __catches(handle) int caught(struct __sk_buff *skb)
{
    if (skb->len > 100)
        bpf_throw(skb->len);
    return 0;
}
SEC("tc") __catches(handle_two) int two_arguments(struct __sk_buff *skb) { bpf_throw(1); return 0; }
SEC("tc") __catches(throw_again) int thrown_again(struct __sk_buff *skb) { bpf_throw(1); return 0; }
SEC("tc") __catches(handle) int called(struct __sk_buff *skb) { return handle(skb->len); }
SEC("cgroup_skb/egress") __catches(handle) int in_bounds(struct __sk_buff *s)
{
    bpf_throw(9);
    return 0;
}
SEC("cgroup_skb/egress") __catches(handle_wide) int any_result(struct __sk_buff *s)
{
    bpf_throw(9);
    return 0;
}
SEC("cgroup_skb/egress") int uncaught(struct __sk_buff *skb) { bpf_throw(9); return 0; }

#define __arg_ctx __attribute__((btf_decl_tag("arg:ctx")))
struct pt_regs;
struct xdp_md;
struct other { int x; };
__noinline int takes_void(void *ctx __arg_ctx) { return ctx != 0; }
__noinline int takes_other(struct other *ctx __arg_ctx) { return ctx != 0; }
__noinline int takes_skb(struct __sk_buff *ctx __arg_ctx) { return ctx->len; }
__noinline int takes_kernel_s(struct sk_buff *ctx __arg_ctx) { return ctx != 0; }
__noinline int takes_number(__u64 *ctx __arg_ctx) { return ctx != 0; }
__noinline int takes_registers(struct pt_regs *ctx __arg_ctx) { return ctx != 0; }
__noinline int takes_arguments(struct bpf_raw_tracepoint_args *ctx __arg_ctx) { return ctx != 0; }

SEC("tc") int ctx_void(void *ctx) { return takes_void(ctx); }
SEC("tc") int ctx_other(void *ctx) { return takes_other(ctx); }
SEC("tc") int ctx_skb(void *ctx) { return takes_skb(ctx); }
SEC("tc") int ctx_kernel_s(void *ctx) { return takes_kernel_s(ctx); }
SEC("tc") int ctx_number(void *ctx) { return takes_number(ctx); }
SEC("kprobe") int ctx_kprobe(void *ctx) { return takes_registers(ctx); }
SEC("kprobe") int ctx_kprobe_other(void *ctx) { return takes_other(ctx); }
SEC("kprobe") int ctx_kprobe_number(void *ctx) { return takes_number(ctx); }
SEC("perf_event") int ctx_perf(void *ctx) { return takes_registers(ctx); }
SEC("raw_tp/sys_enter") int ctx_raw(void *ctx) { return takes_arguments(ctx); }
SEC("raw_tp/sys_enter") int ctx_raw_number(void *ctx) { return takes_number(ctx); }
SEC("raw_tp/sys_enter") int ctx_raw_other(void *ctx) { return takes_other(ctx); }
SEC("raw_tp.w/sys_enter") int ctx_writable(void *ctx) { return takes_number(ctx); }
SEC("tp_btf/sys_enter") int ctx_typed(void *ctx) { return takes_arguments(ctx); }
SEC("tp_btf/sys_enter") int ctx_typed_number(void *ctx) { return takes_number(ctx); }
SEC("tp_btf/sys_enter") int ctx_typed_other(void *ctx) { return takes_other(ctx); }
SEC("tp/syscalls/sys_enter_open") int ctx_tracepoint(void *ctx) { return takes_other(ctx); }
SEC("syscall") int ctx_syscall(void *ctx) { return takes_other(ctx); }

static __noinline int large(int x)
{
    char room[280];
    for (int i = 0; i < 280; i += 8)
        *(volatile __u64 *)(room + i) = x + i;
    return *(volatile int *)(room + 8 * (x & 15));
}
static __noinline int larger(int x)
{
    char room[280];
    for (int i = 0; i < 280; i += 8)
        *(volatile __u64 *)(room + i) = x + i;
    return large(x) + *(volatile int *)(room + 8 * (x & 15));
}
SEC("kprobe") int private_stacks(void *ctx) { return larger(1); }
SEC("tc") int one_stack(struct __sk_buff *skb) { return larger(skb->len); }

struct timed { struct bpf_timer timer; };
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, int);
    __type(value, struct timed);
} timers SEC(".maps");
static int later(void *map, int *key, struct timed *value)
{
    char room[280];
    for (int i = 0; i < 280; i += 8)
        *(volatile __u64 *)(room + i) = *key;
    return 0;
}
SEC("tc") int runs_later(struct __sk_buff *skb)
{
    char room[280];
    int key = 0;
    struct timed *value = bpf_map_lookup_elem(&timers, &key);

    for (int i = 0; i < 280; i += 8)
        *(volatile __u64 *)(room + i) = skb->len;
    if (value) {
        bpf_timer_init(&value->timer, &timers, 1);
        bpf_timer_set_callback(&value->timer, later);
    }
    return 0;
}
char LICENSE[] SEC("license") = "GPL";
"""
ELSEWHERE = """
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#define __noinline __attribute__((noinline))

struct sock;
struct file;
extern void bpf_preempt_disable(void) __ksym;
extern void bpf_preempt_enable(void) __ksym;

struct {
    __uint(type, BPF_MAP_TYPE_SK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, int);
    __type(value, int);
} storage SEC(".maps");

__noinline int global(int x) { return x + 1; }

SEC("tc") int in_region(struct __sk_buff *skb)
{
    bpf_preempt_disable();
    int found = global(skb->len);
    bpf_preempt_enable();
    return found & 1;
}
SEC("fentry/bpf_sk_storage_free") int BPF_PROG(under_storage, struct sock *sk)
{
    bpf_sk_storage_delete(&storage, sk);
    return 0;
}
SEC("fentry/tcp_close") int BPF_PROG(beside_storage, struct sock *sk)
{
    bpf_sk_storage_delete(&storage, sk);
    return 0;
}
SEC("lsm/file_open") int BPF_PROG(result_before, struct file *file, int ret)
{
    return ret;
}
SEC("lsm/file_open") int BPF_PROG(result_turned, struct file *file, int ret)
{
    return -ret;
}
SEC("lsm.s/inode_create") int BPF_PROG(sleeps, void *dir) { return 0; }
SEC("lsm.s/inode_link") int BPF_PROG(may_not_sleep, void *dir) { return 0; }
char LICENSE[] SEC("license") = "GPL";
"""
TOLD = {
    # program: what Linux 6.12 and 6.18 say, as asked where such programs load
    "in_region": ("not allowed with preemption disabled", ""),
    "under_storage": ("helper call is not allowed in probe",) * 2,
    "beside_storage": ("", ""),
    "result_before": ("", ""),
    "result_turned": ("R0 has unknown scalar value", "R0 has smin=0 smax=4095"),
    "sleeps": ("", ""),
    "may_not_sleep": ("whether programs may sleep in inode_link",) * 2,
}
"""What the host refuses before it looks (EPERM), or what another version says."""

PROGRAMS = (
    "caught", "two_arguments", "thrown_again", "called", "in_bounds", "any_result", "uncaught",
    "private_stacks", "one_stack", "runs_later", "ctx_void", "ctx_other", "ctx_skb",
    "ctx_kernel_s", "ctx_number", "ctx_kprobe", "ctx_kprobe_other", "ctx_kprobe_number",
    "ctx_perf", "ctx_raw", "ctx_raw_number", "ctx_raw_other", "ctx_writable", "ctx_typed",
    "ctx_typed_number", "ctx_typed_other", "ctx_tracepoint", "ctx_syscall",
)  # fmt: skip


@pytest.fixture(scope="module")
def spec(tmp_path_factory):
    return built(tmp_path_factory, SOURCE)


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    return built(tmp_path_factory, ELSEWHERE)


def built(tmp_path_factory, text):
    from ebee.clang import build

    file = tmp_path_factory.mktemp("c") / "functions.bpf.c"
    file.write_text(text)
    return build(file)


def kernel_says(spec, name):
    try:
        with load(spec.copy(), programs=[name], log_level=4):
            return True, ""
    except VerifierError as error:
        return False, error.log


def normal(text):
    return re.sub(r"0x[0-9a-f]+", "0x", " ".join(text.split()))


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_verdict_is_the_kernel_s(spec, name):
    verdict = check(spec, name)
    accepted, log = kernel_says(spec, name)
    assert (verdict.outcome, accepted) in (("accepted", True), ("rejected", False)), (verdict, log)
    assert normal(verdict.message.split("\n")[-1]) in normal(log)


@pytest.mark.parametrize("name", TOLD)
def test_the_verdict_is_that_of_kernels_elsewhere(elsewhere, name):
    for version, words in zip(("6.12", "6.18"), TOLD[name], strict=True):
        verdict = check(elsewhere, name, PROFILES[version])
        assert verdict.accepted == (not words), verdict
        assert words in " ".join(verdict.message.split())


CONFIGURED = """
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

extern int LINUX_KERNEL_VERSION __kconfig;
extern char CONFIG_BPF_SYSCALL __kconfig __weak;
extern int CONFIG_EBEE_IS_NO_OPTION __kconfig __weak;

SEC("xdp") int old_or_new(struct xdp_md *ctx)
{
    void *p = 0;
    if (LINUX_KERNEL_VERSION < 0x040000 || CONFIG_BPF_SYSCALL != 'y' || CONFIG_EBEE_IS_NO_OPTION)
        return *(volatile int *)p;
    return XDP_PASS;
}
"""


def test_what_a_configuration_rules_out_is_not_walked(tmp_path_factory, tmp_path):
    made = built(tmp_path_factory, CONFIGURED)
    config = tmp_path / "config"
    config.write_text("CONFIG_BPF_SYSCALL=y\n")
    verdict = check(made, "old_or_new", config=values(made))
    with load(made.copy(), programs=["old_or_new"], log_level=4) as there:
        assert f"processed {verdict.processed} insns" in there.programs["old_or_new"].log
    assert verdict.accepted
    elsewhere = values(made, config)
    assert set(elsewhere) == {"CONFIG_BPF_SYSCALL", "CONFIG_EBEE_IS_NO_OPTION"}
    for known in (None, elsewhere):  # any version, perhaps an old one
        assert check(made, "old_or_new", config=known).outcome == "rejected"
