"""What the declarations say of creating maps is what the kernel says."""

import errno

import pytest

from ebee import maps
from ebee.errors import KernelError
from ebee.linux import uapi
from ebee.linux.maps import LinuxMap

pytestmark = [pytest.mark.differential, pytest.mark.kernel]

KEYS = {"u32": 4, "any": 8, "none": 0, "lpm": 8, "cgroup": 8}
VALUES = {"any": 8, "none": 0, "u32": 4, "u32|u64": 8, "trace": 128}
ENTRIES = {"any": 4, "none": 0, "one": 1, "pages": 4096}


def attributes(kind: maps.MapType) -> dict[str, int]:
    return {
        "key_size": KEYS[kind.key],
        "value_size": VALUES[kind.value],
        "max_entries": ENTRIES[kind.entries],
    }


def inner() -> LinuxMap:
    return LinuxMap.create("array", 4, 4, 1)


def create(kind: maps.MapType, flags: int, **changed: int) -> int:
    """The errno with which the kernel answers; 0 when it makes the map."""
    more = {"inner": inner()} if kind.handle == "map" else {}
    sizes = attributes(kind) | changed
    try:
        LinuxMap.create(kind.name, **sizes, flags=flags, **more).fd.close()
    except KernelError as e:
        return e.errno
    return 0


PLAIN = [kind for kind in maps.all_types() if kind.btf != "required"]


def test_every_type_of_the_kernel_is_declared():
    declared = {m.name: m.id for m in maps.all_types()}
    known = {n: i for n, i in uapi.MAP_TYPES.items() if i and not n.endswith("_deprecated")}
    assert declared == known


@pytest.mark.parametrize("kind", PLAIN, ids=lambda k: k.name)
def test_the_kernel_takes_the_declared_shape(kind):
    assert create(kind, kind.required) == 0


@pytest.mark.parametrize("kind", PLAIN, ids=lambda k: k.name)
def test_flags_are_those_that_the_kernel_takes(kind):
    for name, flag in maps.FLAGS.items():
        if name == "stack_build_id":
            continue  # changes the rule of value_size
        code = create(kind, kind.required | flag)
        assert (code == 0) == bool(kind.flags & flag), (name, code)
    if kind.required:
        assert create(kind, 0) == errno.EINVAL


@pytest.mark.parametrize("kind", PLAIN, ids=lambda k: k.name)
def test_sizes_that_break_the_rules_are_refused(kind):
    wrong = {
        "key_size": {
            "u32": (0, 3, 8), "any": (0,), "none": (4,), "lpm": (4, 0, 261), "cgroup": (4,),
        },
        "value_size": {
            "any": (0,), "none": (8,), "u32": (0, 8), "u32|u64": (0, 3, 16), "trace": (0, 9, 12),
        },
        "max_entries": {"any": (0,), "none": (1,), "one": (0, 2), "pages": (0, 4095, 12288)},
    }  # fmt: skip
    for name, rule in (
        ("key_size", kind.key),
        ("value_size", kind.value),
        ("max_entries", kind.entries),
    ):
        for size in wrong[name][rule]:
            assert create(kind, kind.required, **{name: size}) == errno.EINVAL, (name, size)
