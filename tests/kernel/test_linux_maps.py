"""Kernel maps through the raw protocol: every type of the first slice, errors, batches, pins."""

import struct

import pytest

from ebee.errors import KernelError
from ebee.isa.asm import assemble
from ebee.linux import LinuxMap, LinuxProgram, uapi
from ebee.linux.errors import older_than
from ebee.linux.host import possible_cpus
from ebee.linux.info import ids

pytestmark = pytest.mark.kernel

KEYED = ("hash", "percpu_hash", "lru_hash", "lru_percpu_hash", "array", "percpu_array", "lpm_trie")


def make(type, key_size=4, value_size=8, max_entries=16, **more):
    if type == "lpm_trie":
        more.setdefault("flags", uapi.BPF_F_NO_PREALLOC)
        key_size += 4
    return LinuxMap.create(type, key_size, value_size, max_entries, name="t", **more)


def key(made, number):
    raw = struct.pack("=I", number)
    return struct.pack("=I", 32) + raw if made.type == "lpm_trie" else raw


def value(made, number):
    slots = made.value_bytes // 8
    return b"".join(struct.pack("=Q", number * 1000 + slot) for slot in range(slots))


@pytest.mark.parametrize("type", KEYED)
def test_what_is_set_is_found_walked_and_removed(type):
    with make(type) as made:
        for number in range(10):
            made.update(key(made, number), value(made, number))
        for number in range(10):
            assert made.lookup(key(made, number)) == value(made, number)
        elements = dict(made.items())
        assert {k: elements[k] for k in (key(made, n) for n in range(10))} == {
            key(made, n): value(made, n) for n in range(10)
        }
        assert sorted(made.keys()) == sorted(elements)
        if "array" in type:
            assert len(elements) == 16
        else:
            made.delete(key(made, 3))
            assert made.lookup(key(made, 3)) is None
            assert len(list(made.keys())) == 9


@pytest.mark.parametrize("type", KEYED)
def test_batches_do_what_single_operations_do(type):
    with make(type, max_entries=1000) as made:
        keys = [key(made, n) for n in range(1000)]
        values = [value(made, n) for n in range(1000)]
        made.update_batch(keys[:600], values[:600])
        made.update_batch(keys[:600], values[:600])
        found = dict(made.items())
        assert all(found[k] == v for k, v in zip(keys[:600], values[:600], strict=True))
        if "array" in type:
            return
        made.delete_batch(keys[100:600])
        assert sorted(made.keys()) == sorted(keys[:100])
        with pytest.raises(KernelError, match="the key is not there") as failed:
            made.delete_batch([keys[0], keys[500], keys[1]])
        assert failed.value.errno == 2
        assert keys[500].hex() in str(failed.value)
        assert made.lookup(keys[0]) is None
        assert made.lookup(keys[1]) == values[1]


def test_a_batch_lookup_grows_until_a_bucket_fits():
    with make("hash", max_entries=5000) as made:
        made.update_batch([key(made, n) for n in range(5000)], [bytes(8)] * 5000)
        seen, token = [], None
        while True:
            keys, _, token = made.lookup_batch(token, count=1)
            seen += keys
            if token is None:
                break
        assert len(seen) == len(set(seen)) == 5000


def test_without_batches_the_result_is_the_same():
    """As on kernels before 5.6, or for types that have none."""
    with make("hash", max_entries=100) as made, make("hash", max_entries=100) as single:
        single._unbatched = {"lookup", "update", "delete"}
        for target in (made, single):
            target.update_batch([key(made, n) for n in range(50)], [value(made, 1)] * 50)
            target.delete_batch([key(made, n) for n in range(10)])
            with pytest.raises(KernelError, match="the key is not there"):
                target.delete_batch([key(made, 20), key(made, 5), key(made, 21)])
        assert dict(made.items()) == dict(single.items())
    with LinuxMap.create("devmap", 4, 4, 4, name="d") as made:
        assert list(made.items()) == []
        assert made._unbatched


def test_large_values_are_walked_in_small_batches():
    with make("hash", value_size=1 << 20, max_entries=12) as made:
        for number in range(12):
            made.update(key(made, number), bytes([number]) * (1 << 20))
        assert len(made.lookup_batch()[0]) < 12
        assert sorted(v[0] for _, v in made.items()) == list(range(12))


def test_a_batch_lookup_can_remove_what_it_gives():
    with make("hash", max_entries=100) as made:
        made.update_batch([key(made, n) for n in range(50)], [bytes(8)] * 50)
        keys, _values, token = made.lookup_batch(delete=True)
        assert len(keys) == 50
        assert token is None
        assert made.next_key(None) is None


@pytest.mark.parametrize("type", ["prog_array", "lru_hash", "hash"])
def test_iteration_survives_deletion_by_the_caller(type):
    with make(type, value_size=4) as made, drop() as program:
        fd = struct.pack("=I", program.fd.fileno())
        for number in range(16):
            made.update(key(made, number), fd)
        seen = []
        for found in made.keys():  # noqa: SIM118
            made.delete(found)
            seen.append(found)
        assert sorted(seen) == sorted(key(made, n) for n in range(16))


def drop():
    return LinuxProgram.load(assemble("r0 = 1; exit"), "xdp", name="drop")


def test_a_prog_array_takes_descriptors_and_gives_ids():
    with make("prog_array", value_size=4) as made, drop() as program:
        made.update(key(made, 3), struct.pack("=I", program.fd.fileno()))
        assert made.lookup(key(made, 3)) == struct.pack("=I", program.id)
        assert made.lookup(key(made, 4)) is None
        assert dict(made.items()) == {key(made, 3): struct.pack("=I", program.id)}
        with pytest.raises(KernelError, match="no descriptor of what the map holds"):
            made.update(key(made, 4), struct.pack("=I", 999999))


def test_a_map_of_maps_takes_descriptors_and_gives_ids():
    with make("hash", max_entries=4) as inner:
        for type in ("array_of_maps", "hash_of_maps"):
            with make(type, value_size=4, inner=inner) as outer:
                outer.update(key(outer, 1), struct.pack("=I", inner.fd.fileno()))
                assert outer.lookup(key(outer, 1)) == struct.pack("=I", inner.id)
                outer.delete(key(outer, 1))
                assert outer.lookup(key(outer, 1)) is None


@pytest.mark.parametrize(("type", "order"), [("queue", [1, 2, 3]), ("stack", [3, 2, 1])])
def test_queues_and_stacks_have_empty_keys(type, order):
    with make(type, key_size=0, max_entries=3) as made:
        for number in (1, 2, 3):
            made.update(b"", struct.pack("=Q", number))
        with pytest.raises(KernelError, match="full"):
            made.update(b"", bytes(8))
        assert made.lookup(b"") == struct.pack("=Q", order[0])
        assert [made.lookup_and_delete(b"") for _ in range(3)] == [
            struct.pack("=Q", n) for n in order
        ]
        assert made.lookup_and_delete(b"") is None
        assert made.lookup(b"") is None


def test_lookup_and_delete_is_one_step():
    with make("hash") as made:
        made.update(key(made, 1), value(made, 1))
        assert made.lookup_and_delete(key(made, 1)) == value(made, 1)
        assert made.lookup_and_delete(key(made, 1)) is None


def test_a_trie_finds_the_longest_prefix():
    with make("lpm_trie") as made:
        made.update(struct.pack("=I", 8) + bytes([10, 0, 0, 0]), struct.pack("=Q", 8))
        made.update(struct.pack("=I", 16) + bytes([10, 1, 0, 0]), struct.pack("=Q", 16))
        host = struct.pack("=I", 32)
        assert made.lookup(host + bytes([10, 1, 2, 3])) == struct.pack("=Q", 16)
        assert made.lookup(host + bytes([10, 2, 2, 3])) == struct.pack("=Q", 8)
        assert made.lookup(host + bytes([11, 2, 2, 3])) is None


def test_per_cpu_values_have_a_slot_for_each_possible_cpu():
    with make("percpu_array", value_size=5) as made:
        assert made.value_bytes == 8 * possible_cpus()


def test_next_key_begins_again_when_its_key_is_gone():
    with make("hash") as made:
        assert made.next_key(None) is None
        made.update(key(made, 1), value(made, 1))
        assert made.next_key(None) == key(made, 1)
        assert made.next_key(key(made, 1)) is None
        assert made.next_key(key(made, 2)) == key(made, 1)


@pytest.mark.parametrize(
    ("type", "what", "text", "code"),
    [
        ("hash", lambda m: m.update(key(m, 1), value(m, 1), uapi.BPF_EXIST), "not there", 2),
        ("array", lambda m: m.update(key(m, 16), value(m, 1)), "not below max_entries", 7),
        ("array", lambda m: m.delete(key(m, 1)), "cannot be deleted", 22),
        ("array", lambda m: m.update(key(m, 1), value(m, 1), uapi.BPF_NOEXIST), "already", 17),
        ("hash", lambda m: m.delete(key(m, 1)), "not there", 2),
        ("hash", lambda m: m.update(key(m, 1), value(m, 1), 99), "not valid", 22),
        ("hash", lambda m: m.update(b"abc", value(m, 1)), "a key has 4 bytes, this one 3", 22),
        ("hash", lambda m: m.update(b"abcd", b"1"), "a value has 8 bytes, this one 1", 22),
        ("hash", lambda m: m.lookup(b""), "a key has 4 bytes, this one 0", 22),
        ("array", lambda m: m.lookup_and_delete(key(m, 1)), "array map has no such", 524),
    ],
)
def test_failures_say_what_and_why(type, what, text, code):
    with make(type) as made, pytest.raises(KernelError, match=text) as failed:
        what(made)
    assert failed.value.errno == code
    assert "map t:" in str(failed.value)


def test_a_full_map_says_so():
    with make("hash", max_entries=2) as made:
        made.update_batch([key(made, 1), key(made, 2)], [bytes(8)] * 2)
        with pytest.raises(KernelError, match=r"full \(max_entries is 2\) \[E2BIG\]"):
            made.update(key(made, 3), bytes(8))
        with pytest.raises(KernelError, match="already"):
            made.update(key(made, 1), bytes(8), uapi.BPF_NOEXIST)
        with pytest.raises(KernelError, match="full") as failed:
            made.update_batch([key(made, n) for n in (1, 2, 3)], [bytes(8)] * 3)
        assert key(made, 3).hex() in str(failed.value)


@pytest.mark.parametrize("kind", ["ringbuf", "user_ringbuf"])
def test_a_map_without_elements_says_so(kind):
    if kind == "user_ringbuf" and older_than("6.1"):
        pytest.skip("needs Linux 6.1")
    with LinuxMap.create(kind, 0, 0, 4096, name="r") as made:
        for ask in (made.items, made.keys):
            with pytest.raises(KernelError, match=f"a {kind} map has no such operation"):
                list(ask())


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("hash", 0, 4, 1), "sizes or flags do not fit"),
        (("array", 8, 4, 1), "sizes or flags do not fit"),
        (("ringbuf", 0, 0, 1000), "sizes or flags do not fit"),
        (("array", 4, 1 << 30, 1 << 30), "too large|not enough memory"),
        (("mystery", 4, 4, 4), "no map type"),
        (("type_250", 4, 4, 4), "sizes or flags|requires"),
    ],
)
def test_a_map_that_cannot_be_made_says_why(arguments, text):
    with pytest.raises(KernelError, match=text):
        LinuxMap.create(*arguments, name="t")


def test_a_frozen_map_cannot_be_changed_from_here():
    with make("array") as made:
        made.freeze()
        with pytest.raises(KernelError, match="frozen"):
            made.update(key(made, 1), value(made, 1))
        with pytest.raises(KernelError, match="cannot update: the map is frozen"):
            made.update_batch([key(made, 1)], [value(made, 1)])
        with pytest.raises(KernelError, match="frozen already"):
            made.freeze()


def test_a_walk_that_fails_says_so_in_words():
    with make("queue", 0) as made, pytest.raises(KernelError, match="cannot read the first key: "):
        made.next_key(None)
    with make("queue", 0) as made, pytest.raises(KernelError, match="cannot look up a batch of "):
        made.lookup_batch()


def test_an_array_can_be_mapped_into_memory():
    with make("array", flags=uapi.BPF_F_MMAPABLE, max_entries=1000) as made, made.mmap() as memory:
        made.update(key(made, 2), struct.pack("=Q", 77))
        assert struct.unpack_from("=Q", memory, 16) == (77,)
        struct.pack_into("=Q", memory, 8 * 999, 99)
        assert made.lookup(key(made, 999)) == struct.pack("=Q", 99)
    with make("array") as made, pytest.raises(KernelError, match="BPF_F_MMAPABLE"):
        made.mmap()


def test_pinned_maps_are_found_again(bpffs):
    path = str(bpffs / "kept")
    with make("hash") as made:
        made.update(key(made, 1), value(made, 1))
        made.pin(path)
        number = made.id
        with pytest.raises(KernelError, match="something is pinned there already"):
            made.pin(path)
        with pytest.raises(KernelError, match="the folder does not exist"):
            made.pin(str(bpffs / "no" / "where"))
        with pytest.raises(KernelError, match="BPF file system"):
            made.pin("/tmp/ebee-never")
    with LinuxMap.get(path) as again:
        assert again.id == number
        assert again.lookup(key(again, 1)) == value(again, 1)
    with LinuxMap.get(path, uapi.BPF_F_RDONLY) as readonly:
        assert readonly.lookup(key(readonly, 1)) == value(readonly, 1)
        with pytest.raises(KernelError, match="read-only"):
            readonly.delete(key(readonly, 1))
    with pytest.raises(KernelError, match="nothing is pinned there"):
        LinuxMap.get(str(bpffs / "other"))
    with pytest.raises(KernelError, match="is no pinned program"):
        LinuxProgram.get(path)


def test_info_says_what_the_map_is():
    with make("hash") as made:
        info = made.info()
        assert (info.key_size, info.value_size, info.max_entries, info.name) == (4, 8, 16, "t")
        assert info.id == made.id
        assert made.id in list(ids("map"))
        with LinuxMap.from_id(made.id) as same:
            assert (same.type, same.name) == ("hash", "t")
        with pytest.raises(KernelError, match="does not report 'colour'"):
            _ = info.colour
    with pytest.raises(KernelError, match="there is none"):
        LinuxMap.from_id(2**31 - 2)


def test_a_closed_map_says_so():
    made = make("hash")
    made.close()
    made.close()
    with pytest.raises(KernelError, match="closed"):
        made.lookup(bytes(4))


def test_names_are_made_fit():
    with LinuxMap.create("array", 4, 4, 1, name="a name-with.dots/too long") as made:
        assert made.name == "a_name_with.dot"


def test_threads_do_not_mix_up_each_others_elements(in_thread):
    made = make("hash", max_entries=64)
    wrong = []

    def worker(first):
        for _ in range(2000):
            for number in range(first, first + 4):
                made.update(key(made, number), value(made, number))
                if made.lookup(key(made, number)) != value(made, number):
                    wrong.append(number)

    workers = [in_thread(lambda first=n: worker(first)) for n in (0, 4, 8, 12)]
    for thread in workers:
        thread.join(60)
    assert not wrong
    made.close()
