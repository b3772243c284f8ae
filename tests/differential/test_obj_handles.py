"""Live objects are the same things on the machine and in the kernel: maps, variables, results."""

import errno
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from ebee import clang
from ebee.errors import BtfError, KernelError, ObjectError
from ebee.obj import ObjectSpec

pytestmark = [pytest.mark.differential, pytest.mark.kernel]

SOURCES = Path(__file__).parents[1] / "fixtures" / "c"
PACKET = bytes(64)


@cache
def compiled(name: str) -> ObjectSpec:
    return clang.build(SOURCES / f"{name}.c")


def on_machine(spec: ObjectSpec) -> AbstractContextManager[Any]:
    from ebee.machine.machine import Machine

    return Machine().load(spec)


def on_linux(spec: ObjectSpec) -> AbstractContextManager[Any]:
    from ebee.linux.backend import load

    return load(spec)


@pytest.fixture(params=[on_machine, on_linux], ids=["machine", "linux"])
def load(request: pytest.FixtureRequest) -> Callable[[ObjectSpec], AbstractContextManager[Any]]:
    return request.param


@pytest.fixture
def maps(load: Callable[[ObjectSpec], AbstractContextManager[Any]]) -> Iterator[Any]:
    with load(compiled("maps").copy()) as obj:
        yield obj


FLOW = {"proto": 6}  # what the program looks up


def test_typed_keys_and_values_reach_the_program(maps: Any) -> None:
    flows = maps.maps["flows"]
    flows[FLOW] = {"packets": 10, "bytes": 7}
    maps.programs["count"].test_run(PACKET)
    assert flows[FLOW] == {"packets": 11, "bytes": 7}
    (key,) = flows
    assert (key.proto, key.saddr, key["sport"]) == (6, 0, 0)
    assert list(flows.items()) == [(key, (11, 7))]


def test_per_cpu_values_add_up(maps: Any) -> None:
    counters = maps.maps["per_cpu"]
    counters[0] = 5
    for _ in range(3):
        maps.programs["count"].test_run(PACKET)
    assert counters[0].sum() == 5 * len(counters[0]) + 3
    assert counters[1].sum() == 0
    assert len(counters) == 2


def test_networks_decide(maps: Any) -> None:
    assert maps.programs["count"].test_run(PACKET).retval == 1  # `sized` has an element 0: drop
    networks = maps.maps["networks"]
    networks[{"prefixlen": 8, "address": [10]}] = 3
    networks[(16, [10, 1])] = 4
    assert networks[32, [10, 1, 2, 3]] == 4
    assert networks[32, [10, 2, 2, 3]] == 3
    assert (32, [11, 0, 0, 0]) not in networks
    assert sorted(key.prefixlen for key in networks) == [8, 16]


def test_conditions_and_limits_are_linuxs(maps: Any) -> None:
    flows, sized = maps.maps["flows"], maps.maps["sized"]
    flows.update([(FLOW, (1, 1))], noexist=True)
    cases = (
        (lambda: flows.update([(FLOW, (2, 2))], noexist=True), errno.EEXIST),
        (lambda: flows.update({(9,): (2, 2)}, exist=True), errno.ENOENT),
        (lambda: sized.update({4: bytes(24)}), errno.E2BIG),
        (lambda: sized.clear(), errno.EINVAL),
    )
    for action, code in cases:
        with pytest.raises(KernelError) as caught:
            action()
        assert caught.value.errno == code
    with pytest.raises(KeyError):
        flows.pop({"proto": 17})
    with pytest.raises(KeyError):
        del flows[{"proto": 17}]
    with pytest.raises(BtfError, match="map flows: a key: "):
        flows[{"proto": 256}] = (0, 0)


def test_many_elements_come_and_go(maps: Any) -> None:
    flows = maps.maps["flows"]
    flows.update({(n, n): (n, 0) for n in range(1000)})
    assert len(flows) == 1000
    assert sum(value.packets for value in flows.values()) == 499_500
    for key in flows:
        if key.saddr % 2:
            del flows[key]
    assert sorted(key.saddr for key in flows) == list(range(0, 1000, 2))
    assert flows.pop((10, 10)) == (10, 0)
    flows.clear()
    assert list(flows) == []


def test_variables_live(load: Callable[[ObjectSpec], AbstractContextManager[Any]]) -> None:
    spec = compiled("globals").copy()
    spec.variables["setting"] = {"low": 10}
    spec.variables["packets"] = 100
    with load(spec) as obj:
        assert obj.variables["packets"].value == 100
        assert obj.programs["touch"].test_run(PACKET).retval == 2
        assert obj.variables["packets"].value == 101
        assert obj.variables["matrix"].value == [[0, 0], [0, 0], [0, 10]]
        obj.variables["matrix"].value = [[1, 2], [3, 4], [5, 6]]
        obj.variables["packets"].value = 7
        obj.programs["touch"].test_run(PACKET)
        assert obj.variables["packets"].value == 8
        assert obj.variables["matrix"].value == [[1, 2], [3, 4], [5, 16]]
        assert obj.variables["greeting"].value == "hello"
        with pytest.raises(ObjectError, match="threshold is constant once loaded"):
            obj.variables["threshold"].value = 1
    assert spec.variables["packets"].value == 100


@pytest.mark.parametrize("name", ["subprogs", "tailcalls", "loops", "optional", "custom_bss"])
def test_programs_give_the_same_results(name: str) -> None:
    packets = [bytes((7 * n + length) & 255 for n in range(length)) for length in (14, 60, 333)]
    results = []
    for load in (on_machine, on_linux):
        with load(compiled(name).copy()) as obj:
            results.append(
                {
                    program: [obj.programs[program].test_run(p).retval for p in packets]
                    for program in obj.programs
                }
            )
    assert results[0]
    assert results[0] == results[1]
