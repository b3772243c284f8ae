"""Programs in C whose verdict hangs on more than one function: handlers of exceptions, stacks,
functions that run later; ebee's verdict and message against the running kernel's."""

import re

import pytest

from ebee.errors import VerifierError
from ebee.linux.backend import load
from ebee.verifier.core.check import check

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
PROGRAMS = (
    "caught", "two_arguments", "thrown_again", "called", "in_bounds", "any_result", "uncaught",
    "private_stacks", "one_stack", "runs_later",
)  # fmt: skip


@pytest.fixture(scope="module")
def spec(tmp_path_factory):
    from ebee.clang import build

    file = tmp_path_factory.mktemp("c") / "functions.bpf.c"
    file.write_text(SOURCE)
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
