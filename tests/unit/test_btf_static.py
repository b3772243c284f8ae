"""Static types of Python become the BTF that C's would be."""

import pytest

from ebee.btf import BtfBuilder, Fwd, Struct, Union
from ebee.btf.codec import Codec
from ebee.btf.printer import c
from ebee.btf.static import StaticTypes
from ebee.btf.validate import validate
from ebee.errors import BtfError
from ebee.types import array, be16, i64, ptr, struct, u8, u32, union

pytestmark = pytest.mark.unit


@union
class address:
    v4: u32
    v6: array[u8, 16]


@struct
class flow:
    proto: u8
    port: be16
    to: address
    next: ptr["flow"]
    delta: i64


def test_structs_lie_as_they_do_in_python():
    builder = BtfBuilder()
    id = StaticTypes(builder).add(flow)
    btf = builder.build()
    validate(btf)
    found = btf.find("flow", Struct)
    assert (found.id, found.size) == (id, flow.__size__)
    assert [m.offset // 8 for m in found.members] == [f.offset for f in flow.__fields__.values()]
    assert isinstance(btf.resolve(found.members[2].type), Union)
    assert btf.type(btf.type(found.members[3].type).type).id == id
    assert c(btf, [id]).count("struct flow {") == 1
    value = flow(proto=6, delta=-1)
    assert Codec(btf, id).decode(bytes(value)).delta == -1


def test_types_are_added_once():
    builder = BtfBuilder()
    types = StaticTypes(builder)
    assert types.add(array[u32, 4]) == types.add(array[u32, 4])
    assert types.add(None) == 0
    count = len(builder)
    types.add(u32)
    assert len(builder) == count


def test_pointers_by_name_are_declarations_and_others_are_refused():
    builder = BtfBuilder()
    types = StaticTypes(builder)
    types.add(ptr["task_struct"])
    assert isinstance(builder.build().find("task_struct"), Fwd)
    with pytest.raises(BtfError, match="no BTF type for <class 'float'>"):
        types.add(float)
