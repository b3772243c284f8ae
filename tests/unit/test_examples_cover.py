"""Every hook, map class and header of the language is used by an example: what there is, is asked
of the language; what examples use, of their sources."""

import ast
import inspect
import runpy
from pathlib import Path

import pytest

import ebee
from ebee.lang.bpf import chains, decorators, dns, headers, packets, tunnels
from ebee.lang.bpf.maps import AnyMap
from ebee.types import Struct

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
GENERATOR = runpy.run_path(str(ROOT / "scripts" / "gen_examples.py"))
TREES = [ast.parse(path.read_text()) for path in GENERATOR["programs"]()]
USED = {n.id for t in TREES for n in ast.walk(t) if isinstance(n, ast.Name)}
HOOKS = {name for name in decorators.__all__ if callable(getattr(decorators, name))}
MAPS = {n for n in ebee.__all__ if inspect.isclass(c := getattr(ebee, n)) and issubclass(c, AnyMap)}
MAPS -= {"AnyMap"}
HEADERS = {
    name
    for module in (packets, headers, tunnels, dns, chains)
    for name in module.__all__
    if inspect.isclass(c := getattr(module, name)) and issubclass(c, Struct)
} - {"Packet"}


def test_what_there_is_is_found():
    assert {"xdp", "usdt"} <= HOOKS
    assert {"Hash", "Arena"} <= MAPS
    assert {"Ethernet", "ARP", "GRE", "DNS", "VlanTags"} <= HEADERS


@pytest.mark.parametrize("kind", ["HOOKS", "MAPS", "HEADERS"])
def test_an_example_uses_it(kind):
    assert not sorted(globals()[kind] - USED)


def test_the_generator_knows_all_hooks():
    assert HOOKS | {"struct_ops"} == GENERATOR["HOOKS"]
