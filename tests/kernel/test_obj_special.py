"""What values and programs may hold beside numbers: locks, timers, pointers into the kernel, lists
of objects, what runs when a program throws. Only their types and tags tell, so these must come
through; here in programs that use them, as compiled and after a way through our own writer."""

import time
from pathlib import Path

import pytest

from ebee import clang, linux
from ebee.linux.errors import older_than
from ebee.obj import ObjectSpec, link_objects, read, write

pytestmark = pytest.mark.kernel

HEAD = """
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#define __kptr __attribute__((btf_type_tag("kptr")))
#define __contains(type, member) __attribute__((btf_decl_tag("contains:" #type ":" #member)))
#define __exception_cb(name) __attribute__((btf_decl_tag("exception_callback:" #name)))
struct task_struct { int pid; } __attribute__((preserve_access_index));
extern struct task_struct *bpf_task_acquire(struct task_struct *task) __ksym;
extern void bpf_task_release(struct task_struct *task) __ksym;
char LICENSE[] SEC("license") = "GPL";
"""


def compiled(folder: Path, text: str) -> ObjectSpec:
    path = folder / "special.c"
    path.write_text(HEAD + text)
    return clang.build(path, programs=False)


@pytest.fixture(params=["compiled", "written"])
def made(request, tmp_path):
    """Compiles a text; the second time around, what is compiled is written and read again."""

    def make(text: str) -> ObjectSpec:
        spec = compiled(tmp_path, text)
        return spec if request.param == "compiled" else read(write(spec), "special.o")

    return make


FIELDS = """
struct value { struct bpf_spin_lock lock; int count; struct task_struct __kptr *task;
               struct bpf_timer timer; };
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, int);
         __type(value, struct value); } values SEC(".maps");
int zero, fired, own, known;
static int tick(void *map, int *key, struct value *value)
{
    __sync_fetch_and_add(&fired, 1);
    return 0;
}
SEC("syscall") int keep(void *ctx)
{
    struct value *value = bpf_map_lookup_elem(&values, &zero);
    struct task_struct *task = bpf_task_acquire(bpf_get_current_task_btf());
    own = bpf_get_current_pid_tgid();
    if (task && value)
        task = bpf_kptr_xchg(&value->task, task);
    if (task)
        bpf_task_release(task);
    if (!value)
        return 1;
    bpf_spin_lock(&value->lock);
    value->count++;
    bpf_spin_unlock(&value->lock);
    return 0;
}
SEC("syscall") int take(void *ctx)
{
    struct value *value = bpf_map_lookup_elem(&values, &zero);
    struct task_struct *task = value ? bpf_kptr_xchg(&value->task, 0) : 0;
    if (!task)
        return 1;
    known = BPF_CORE_READ(task, pid);
    bpf_task_release(task);
    return 0;
}
SEC("tc") int start(struct __sk_buff *ctx)
{
    struct value *value = bpf_map_lookup_elem(&values, &zero);
    if (!value || bpf_timer_init(&value->timer, &values, 1 /* CLOCK_MONOTONIC */))
        return 1;
    return bpf_timer_set_callback(&value->timer, tick) || bpf_timer_start(&value->timer, 0, 0);
}
"""


@pytest.mark.skipif(older_than("6.5"), reason="kernel functions on tasks in syscall programs: 6.5")
def test_locks_timers_and_pointers_into_the_kernel(made):
    with linux.load(made(FIELDS)) as obj:
        assert [obj.programs["keep"].test_run().retval for _ in range(3)] == [0, 0, 0]
        assert obj.maps["values"][0].count == 3
        assert [obj.programs["take"].test_run().retval for _ in range(2)] == [0, 1]
        assert obj.variables["known"].value == obj.variables["own"].value > 0
        assert obj.programs["start"].test_run(bytes(64)).retval == 0
        end = time.monotonic() + 5
        while not obj.variables["fired"].value and time.monotonic() < end:
            time.sleep(0.01)
        assert obj.variables["fired"].value == 1


LISTS = """
struct bpf_list_node___x;
struct node { int number; struct bpf_list_node link; };
__attribute__((section(".data.own"), visibility("hidden"), aligned(8)))
struct bpf_list_head head __contains(node, link);
__attribute__((section(".data.own"), visibility("hidden"), aligned(8))) struct bpf_spin_lock guard;
extern void *bpf_obj_new_impl(__u64 type, void *meta) __ksym;
extern void bpf_obj_drop_impl(void *object, void *meta) __ksym;
extern int bpf_list_push_back_impl(struct bpf_list_head *head, struct bpf_list_node *node,
                                   void *meta, __u64 offset) __ksym;
extern struct bpf_list_node *bpf_list_pop_front(struct bpf_list_head *head) __ksym;
SEC("tc") int push(struct __sk_buff *ctx)
{
    struct node *node = bpf_obj_new_impl(bpf_core_type_id_local(struct node), 0);
    if (!node)
        return -1;
    node->number = ctx->len;
    bpf_spin_lock(&guard);
    bpf_list_push_back_impl(&head, &node->link, 0, 0);
    bpf_spin_unlock(&guard);
    return 0;
}
SEC("tc") int pop(struct __sk_buff *ctx)
{
    struct bpf_list_node *found;
    bpf_spin_lock(&guard);
    found = bpf_list_pop_front(&head);
    bpf_spin_unlock(&guard);
    if (!found)
        return -1;
    struct node *node = (void *)found - __builtin_offsetof(struct node, link);
    int number = node->number;
    bpf_obj_drop_impl(node, 0);
    return number;
}
"""


@pytest.mark.skipif(older_than("6.6"), reason="lists whose nodes may be released need Linux 6.6")
def test_lists_of_objects_that_declaration_tags_describe(made):
    with linux.load(made(LISTS)) as obj:
        push, pop = obj.programs["push"], obj.programs["pop"]
        assert [push.test_run(bytes(size)).retval for size in (60, 61, 62)] == [0, 0, 0]
        assert [pop.test_run(bytes(64)).retval for _ in range(3)] == [60, 61, 62]
        assert pop.test_run(bytes(64)).retval == 0xFFFFFFFF


THROWING = """
extern void bpf_throw(__u64 cookie) __ksym;
int caught;
__attribute__((noinline)) int on_throw(__u64 cookie) { caught++; return cookie + 1; }
__attribute__((noinline)) static int check(struct __sk_buff *ctx)
{
    if (ctx->len > 100)
        bpf_throw(ctx->len);
    return 7;
}
SEC("tc") __exception_cb(on_throw) int guarded(struct __sk_buff *ctx) { return check(ctx); }
SEC("tc") int plain(struct __sk_buff *ctx) { return check(ctx); }
"""


@pytest.mark.skipif(older_than("6.7"), reason="programs throw since Linux 6.7")
def test_what_runs_when_a_program_throws(made):
    spec = made(THROWING)
    assert spec.programs["guarded"].exception_callback == "on_throw"
    assert spec.programs["plain"].exception_callback == ""
    with linux.load(spec) as obj:
        guarded, plain = obj.programs["guarded"], obj.programs["plain"]
        results = [p.test_run(bytes(n)).retval for p in (guarded, plain) for n in (64, 200)]
        assert results == [7, 201, 7, 200]
        assert obj.variables["caught"].value == 1


WEAK = """
__attribute__((weak, noinline)) int limit(int size) { return size > 100 ? 1 : 0; }
SEC("tc") int verdict(struct __sk_buff *ctx) { return limit(ctx->len) + 10; }
"""
STRONG = """
int limit(int size) { return size > 10 ? 2 : 0; }
"""


def test_weak_functions_run_until_another_object_replaces_them(made, tmp_path):
    spec = made(WEAK)
    assert spec.functions["limit"].weak
    with linux.load(spec) as obj:
        assert [obj.programs["verdict"].test_run(bytes(n)).retval for n in (64, 200)] == [10, 11]
    with linux.load(link_objects([spec, compiled(tmp_path, STRONG)])) as obj:
        assert [obj.programs["verdict"].test_run(bytes(n)).retval for n in (64, 200)] == [12, 12]
