"""The tables of bpf() and what is made of them without calling the kernel."""

import importlib.util
import os
import re
import warnings
from pathlib import Path

import pytest

from ebee.btf import Btf
from ebee.errors import KernelError
from ebee.linux import errors, flags, sys, uapi
from ebee.linux.errors import object_name
from ebee.linux.host import cpu_list
from ebee.linux.sys import Attributes, CStruct, Fd, packed

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
VMLINUX = Path("/sys/kernel/btf/vmlinux")
HEADERS = [Path("/usr/include/linux/bpf.h"), Path("/usr/include/linux/if_link.h")]


def generator():
    spec = importlib.util.spec_from_file_location("gen_uapi", ROOT / "scripts/gen_uapi.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def flat(table, path=""):
    """Every leaf of nested dictionaries, by its path."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from flat(value, f"{path}{name}.")
        else:
            yield f"{path}{name}", value


@pytest.mark.skipif(not VMLINUX.exists(), reason="this kernel has no BTF")
def test_the_running_kernel_agrees_with_the_tables():
    """A kernel may lack what the tables have, or have more, but nothing may be different."""
    found = generator().collect(Btf.vmlinux())
    running = dict(flat({
        "commands": found.commands, "attributes": found.attributes, "infos": found.infos,
        "flags": found.flags, **found.words,
    }))  # fmt: skip
    ours = dict(flat({
        "commands": uapi.COMMANDS, "attributes": uapi.ATTRIBUTES, "infos": uapi.INFOS,
        "flags": {n: v for n, v in vars(uapi).items() if n.startswith("BPF_")},
        **{name: getattr(uapi, name) for name in found.words},
    }))  # fmt: skip
    ours.pop("HELPERS.__bpf_func_max_id", None)
    changed = {n: (ours[n], v) for n, v in running.items() if n in ours and ours[n] != v}
    assert not changed, f"(ours, this kernel's): {changed}; run scripts/gen_uapi.py"
    new = [name for name in running if name not in ours]
    if new:
        warnings.warn(f"this kernel has more, run scripts/gen_uapi.py: {new}", stacklevel=1)


@pytest.mark.skipif(not HEADERS[0].exists(), reason="no UAPI headers are installed")
def test_the_defined_flags_are_those_of_the_headers():
    text = "".join(path.read_text() for path in HEADERS if path.exists())
    known = dict(re.findall(r"#define\s+(\w+)\s+\(1U << (\d+)\)", text))
    ours = {n: v for n, v in vars(flags).items() if re.match(r"BPF_|XDP_", n)}
    compared = {n: v for n, v in ours.items() if n in known}
    assert compared == {n: 1 << int(known[n]) for n in compared}
    assert len(compared) > 15


def test_only_what_is_given_is_passed():
    attributes = Attributes("MAP_CREATE", {"map_type": 1, "key_size": 4})
    assert attributes.size == 8
    assert Attributes("MAP_CREATE", {"map_type": 1, "map_name": b"x"}).size == 28 + 16
    assert len(attributes.data) == 96


def test_fields_take_numbers_buffers_text_and_descriptors():
    buffer = bytearray(b"hello")
    attributes = Attributes("BTF_LOAD", {"btf": buffer, "btf_size": 5})
    assert attributes["btf"] != 0
    assert Attributes("OBJ_GET", {"pathname": "/x"})["pathname"] != 0
    read, write = os.pipe()
    with Fd(read) as fd, Fd(write):
        assert Attributes("LINK_DETACH", {"link_fd": fd})["link_fd"] == read
    signed = Attributes("LINK_CREATE", {"netfilter_priority": -5})
    assert signed["netfilter_priority"] == -5


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"colour": 1}, "no attribute 'colour'"),
        ({"key_size": 1 << 32}, "key_size cannot be 4294967296"),
        ({"key_size": -1}, "key_size cannot be -1"),
        ({"key_size": b"bytes"}, "cannot point"),
    ],
)
def test_what_does_not_fit_is_refused(fields, text):
    with pytest.raises(KernelError, match=text):
        Attributes("MAP_CREATE", fields)


def test_a_structure_gives_its_fields_up_to_its_size():
    made = CStruct(packed({"a": (0, "I"), "b": (4, "3s"), "c": (8, "Q")}), {"a": 7, "b": b"xy"})
    assert made.items() == {"a": 7, "b": b"xy\0"}


def test_descriptors_are_closed_once():
    read, write = os.pipe()
    first, second = Fd(read), Fd(write)
    copy = first.dup()
    assert copy.fileno() not in (read, write)
    with copy:
        pass
    first.close()
    first.close()
    assert first.closed
    assert repr(first) == "Fd(closed)"
    with pytest.raises(KernelError, match="closed"):
        first.fileno()
    os.close(second.detach())
    assert second.closed


def test_cpu_lists_and_names():
    assert cpu_list("0-3,8,10-11\n") == [0, 1, 2, 3, 8, 10, 11]
    assert cpu_list("") == []
    assert object_name("über-long.name/of a thing") == b"__ber_long.name"


def test_an_old_kernel_is_named_as_the_reason(monkeypatch):
    monkeypatch.setattr(errors, "kernel_version", lambda: (5, 4, 0))
    invalid = OSError(22, "Invalid argument")
    assert str(errors.refused(invalid, "attach", "busy", since="5.9")) == (
        "cannot attach: requires Linux >= 5.9; this is 5.4 [EINVAL]"
    )
    assert "busy" in str(errors.refused(invalid, "attach", "busy", since="5.3"))
    assert "Invalid argument [EINVAL]" in str(errors.refused(invalid, "attach"))


def test_locked_memory_is_raised_only_where_it_counts(monkeypatch):
    import resource

    limits = [(8 << 20, 8 << 20)]
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda _, new: limits.append(new))
    monkeypatch.setattr(sys, "kernel_version", lambda: (5, 11, 0))
    assert not sys.raise_memlock()
    monkeypatch.setattr(sys, "kernel_version", lambda: (5, 10, 99))
    assert sys.raise_memlock()
    assert limits[-1] == (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    assert not sys.raise_memlock()


def test_declarations_carry_the_kernels_numbers():
    from ebee import helpers, maps
    from ebee.hooks import numbers

    assert {m.name: m.id for m in maps.all_types()}.items() <= uapi.MAP_TYPES.items()
    assert {h.name.removeprefix("bpf_"): h.id for h in helpers.all_helpers()}.items() <= (
        uapi.HELPERS.items()
    )
    for name, ours in (("PROG_TYPES", uapi.PROG_TYPES), ("ATTACH_TYPES", uapi.ATTACH_TYPES)):
        declared = vars(numbers)[name]  # it may know more than the newest kernel at hand
        assert {n: v for n, v in declared.items() if n in ours}.items() <= ours.items()
        assert {n: v for n, v in declared.items() if v <= max(ours.values())}.keys() <= ours.keys()
        assert ours.keys() <= declared.keys()


def test_xdp_sections_have_the_attach_types_of_their_names():
    from ebee.hooks import by_name

    for section in by_name("xdp").sections:
        expected = section.name.replace(".frags", "").replace("/", "_")
        assert section.attach_type == uapi.ATTACH_TYPES[expected], section.name
