"""Helpers: the grammar of their signatures, their C prototypes, and that the bodies fit."""

import inspect
import re
from importlib import import_module
from pathlib import Path

import pytest

from ebee import helpers, maps
from ebee.helpers import KINDS, Param, by_id, by_name, parse
from ebee.helpers.nofault import byte_at
from ebee.lang.unit import compile_native

pytestmark = pytest.mark.unit

ALL = helpers.all_helpers()


def test_numbers_are_dense_and_names_are_unique():
    assert [h.id for h in ALL] == list(range(1, 212))
    assert len({h.name for h in ALL}) == 211


def test_a_helper_is_found_by_number_and_by_either_name():
    assert by_id(1) is by_name("map_lookup_elem") is by_name("bpf_map_lookup_elem")
    assert by_id(0) is by_id(212) is by_name("bpf_nothing") is None


def test_a_signature_names_kinds_lengths_and_what_may_be_null():
    params, result = parse("a: own btf[sock]? as void, b: mem[c] as be32, c: size0[ulong] -> int?")
    assert params == (
        Param("a", "btf", "sock", nullable=True, owned=True, type="void"),
        Param("b", "mem", "c", type="be32"),
        Param("c", "size0", "ulong"),
    )
    assert result == Param("", "int", nullable=True)
    assert [p.c_type for p in params] == ["void *", "const __be32 *", "unsigned long"]


@pytest.mark.parametrize("text", ["a: nothing -> long", "a: u32", "a u32 -> long", "a: mem[ -> u8"])
def test_other_text_is_no_signature(text):
    with pytest.raises(ValueError, match="helper signature"):
        parse(text)


def test_lengths_name_a_size_among_the_parameters():
    for helper in ALL:
        for text in (helper.signature, *helper.variants.values()):
            params, result = parse(text)
            kinds = {p.name: p.kind for p in params}
            for p in (*params, result):
                if p.kind in ("mem", "mem_out", "mem_rw", "dynptr_mem"):
                    assert p.of is not None, helper.name
                    assert p.of.isdigit() or kinds[p.of] in ("size", "size0", "alloc_size")
            assert len(params) <= helpers.REGISTERS
            assert result.kind in KINDS


def test_variadic_arguments_take_the_registers_that_are_left():
    assert [p.kind for p in by_name("trace_printk").params] == ["mem", "size"] + ["variadic"] * 3


def test_prototypes():
    expected = {
        "map_lookup_elem": "void *(* const {})(void *map, const void *key)",
        "ktime_get_ns": "__u64 (* const {})(void)",
        "trace_printk": "long (* const {})(const char *fmt, __u32 fmt_size, ...)",
        "xdp_adjust_head": "long (* const {})(struct xdp_md *xdp_md, int delta)",
        "sk_fullsock": "struct bpf_sock *(* const {})(struct bpf_sock *sk)",
    }
    for name, text in expected.items():
        helper = by_name(name)
        full = f"static {text.format(f'bpf_{name}')} = (void *) {helper.id};"
        assert helper.prototype() == full


HEADER = Path("/usr/include/bpf/bpf_helper_defs.h")
LOOSER = {"spin_lock", "spin_unlock"}  # there: long; the verifier says that they return nothing


@pytest.mark.skipif(not HEADER.exists(), reason="needs libbpf's headers")
def test_prototypes_are_those_of_libbpf():
    """Same types, names and numbers; where ours has const in addition, more programs compile."""
    theirs = dict(re.findall(r"^(static .*\*bpf_(\w+)\)\(.*;)$", HEADER.read_text(), re.M))
    theirs = {name: text for text, name in theirs.items()}
    assert len(theirs) > 200
    for name, text in theirs.items():
        ours = by_name(name).prototype().replace("(* const ", "(*")
        if name not in LOOSER:
            assert ours.replace("const ", "") == text.replace("const ", "")
            assert ours.count("const ") >= text.count("const ")
            assert ours.split("(")[0] == text.split("(")[0]


def body_of(helper):
    module, _, name = (helper.body or "").partition(":")
    return getattr(import_module(module), name) if module.startswith("ebee.") else None


@pytest.mark.parametrize("helper", [h for h in ALL if body_of(h)], ids=lambda h: h.name)
def test_a_body_is_native_and_takes_the_cpu_and_every_argument(helper):
    body = body_of(helper)
    assert body.__native__
    names = list(inspect.signature(body).parameters)
    assert names[0] == "cpu"
    assert len(names) == 1 + len(helper.params)


@pytest.mark.parametrize("helper", [h for h in ALL if body_of(h)], ids=lambda h: h.name)
def test_a_body_is_within_the_compiled_language(helper):
    compile_native([body_of(helper)], external={byte_at: "byte_at"})


def test_maps_and_helpers_agree_on_who_takes_whom():
    """A helper's map[...] names the types that a map's own list of helpers leads to."""
    for m in maps.all_types():
        named = set()
        open_to_all = set()
        for helper in ALL:
            for p in helper.params:
                if p.kind == "map" and p.of is None:
                    open_to_all.add(helper.name)
                elif p.kind == "map" and m.name in p.of.split("|"):
                    named.add(helper.name)
        takes_maps = {h.name for h in ALL if any(p.kind == "map" for p in h.params)}
        assert named == (set(m.program.split()) & takes_maps) - open_to_all, m.name


def test_what_the_machine_lacks_has_a_reason():
    for helper in ALL:
        assert (helper.body is None) == ("machine" in helper.missing), helper.name


def test_operations_of_maps_begin_with_a_map():
    for helper in ALL:
        if helper.body and helper.body.startswith("map:"):
            assert helper.params[0].kind == "map"


def test_since_is_a_release_and_text_is_a_sentence():
    for helper in ALL:
        assert re.fullmatch(r"[34567]\.\d+", helper.since), helper.name
        assert helper.doc[0].isupper(), helper.name
        assert helper.doc.endswith("."), helper.name
