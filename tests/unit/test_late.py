"""Classes that become dataclasses when they are first needed are dataclasses to everybody."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import threading
from typing import Any

import pytest

from ebee import late

pytestmark = pytest.mark.unit


def declared(dataclass: Any, field: Any) -> tuple[type[Any], type[Any]]:
    """A class and one that extends it, as made by `dataclasses` or late."""

    @dataclass
    class Base:
        """Has what there is."""

        name: str
        parts: list[int] = field(default_factory=list)
        hidden: bytes | None = field(default=None, repr=False)
        owner: Any = field(default=None, compare=False)
        size: int = 3

        @property
        def twice(self) -> int:
            return self.size * 2

    @dataclass
    class More(Base):
        """Has more."""

        flags: int = 0

        def __repr__(self) -> str:
            return f"More({self.name})"

    return Base, More


REAL, LATE = (
    declared(dataclasses.dataclass, dataclasses.field),
    declared(late.dataclass, late.field),
)


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize(
    "said",
    [
        lambda c: repr(c("a")),
        lambda c: repr(c("a", [1], b"x", 5, size=9)),
        lambda c: (c("a") == c("a"), c("a") == c("b"), c("a", owner=1) == c("a", owner=2)),
        lambda c: c("a") == "a",
        lambda c: c("a").parts is c("a").parts,
        lambda c: [(f.name, f.init, f.repr, f.compare) for f in dataclasses.fields(c)],
        lambda c: repr(dataclasses.replace(c("a", [1]), size=7)),
        lambda c: dataclasses.asdict(c("a", [1])),
        lambda c: dataclasses.is_dataclass(c),
        lambda c: c.__match_args__,
        lambda c: hasattr(c, "__replace__"),  # since Python 3.13
        lambda c: (c.size, c.hidden, hasattr(c, "parts"), c("a", size=4).twice, c.__doc__),
        lambda c: repr(copy.deepcopy(c("a", [1]))),
        lambda c: c.__hash__,
    ],
)
def test_it_says_what_a_dataclass_says(which, said):
    fresh = declared(late.dataclass, late.field)[which]  # for which this is the first thing asked
    assert said(fresh) == said(REAL[which]) == said(LATE[which])


@pytest.mark.parametrize("wrong", [(), ("a", [], None, None, 3, 0, 0)])
def test_wrong_arguments_are_refused_in_the_same_words(wrong):
    texts = []
    for kinds in (REAL, declared(late.dataclass, late.field)):
        with pytest.raises(TypeError) as error:
            kinds[1](*wrong)
        texts.append(str(error.value))
    assert texts[0] == texts[1]


def test_an_instance_filled_in_by_hand_compares_with_one_that_was_made():
    base, _ = declared(late.dataclass, late.field)
    filled = base.__new__(base)
    for name, value in {"name": "a", "parts": [], "hidden": None, "owner": 1, "size": 3}.items():
        setattr(filled, name, value)
    assert filled == base("a")


def test_a_dataclass_may_extend_a_late_one():
    base, _ = declared(late.dataclass, late.field)
    extended = dataclasses.make_dataclass("Extended", [("more", int, 1)], bases=(base,))
    assert repr(extended("a")).endswith("Extended(name='a', parts=[], owner=None, size=3, more=1)")


def test_many_threads_may_make_the_first_one():
    for _ in range(20):
        base, more = declared(late.dataclass, late.field)
        start, made = threading.Barrier(4), []

        def make(kind, start=start, made=made):
            start.wait()
            made.append(kind("a", [1]))

        threads = [threading.Thread(target=make, args=(kind,)) for kind in (base, more) * 2]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [each.parts for each in made] == [[1]] * 4


def test_specs_survive_pickling():
    from ebee.obj.spec import MapSpec, ObjectSpec

    spec = ObjectSpec("a", maps={"m": MapSpec("m", "hash", 4, 8, 16)})
    assert pickle.loads(pickle.dumps(spec)) == spec
