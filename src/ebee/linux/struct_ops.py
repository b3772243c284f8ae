"""Struct_ops maps in the running kernel: its struct of functions may differ from the object's.

A value is built for the kernel's `struct bpf_struct_ops_NAME`, member by member and by name, as
libbpf does (bpf_map__init_kern_struct_ops); it holds descriptors of programs. Since Linux 5.6.
"""

from __future__ import annotations

import errno
import sys
from collections.abc import Mapping
from typing import Any

from ebee.btf import Btf, FuncProto, Member, Ptr, Struct
from ebee.btf.match import essential
from ebee.errors import KernelError, ObjectError
from ebee.linux import uapi
from ebee.linux.errors import older_than, refused
from ebee.linux.kernel_btf import KernelBtf
from ebee.linux.links import HasFd, Link
from ebee.linux.maps import LinuxMap
from ebee.linux.sys import Fd, open_fd
from ebee.obj import handles
from ebee.obj.spec import MapSpec, ObjectSpec

PREFIX = "bpf_struct_ops_"


class StructOps:
    """One struct_ops map of an object, in terms of the kernel's BTF.

    `type_id`: the kernel's struct; `value`: the struct around it that the map holds; `places`:
    program -> index of its member in the kernel's struct, which is its attach type.
    """

    def __init__(self, spec: ObjectSpec, made: MapSpec, types: KernelBtf):
        self.name, self.contents = made.name, made.contents
        struct = spec.btf.resolve(made.value_btf_id) if spec.btf else None
        if spec.btf is None or not isinstance(struct, Struct):
            raise ObjectError(f"map {made.name}: the object's BTF does not describe its struct")
        label = essential(struct.name)
        self._place = types.find(PREFIX + label, Struct)
        own = self._place.btf.get(label, Struct) if self._place else None
        if self._place is None or own is None:
            text = f"neither this kernel nor its modules have a struct {label} that programs may"
            raise KernelError(f"map {made.name}: {text} fill", errno.ENOENT)
        kernel = self._place.btf
        value = kernel.type(self._place.id)
        assert isinstance(value, Struct)
        inside = next((m for m in value.members if kernel.resolve(m.type).id == own.id), None)
        if inside is None:
            raise KernelError(f"map {made.name}: struct {value.name} does not hold struct {label}")
        self.value, self.type_id = value, own.id
        self.places: dict[str, int] = {}
        self._slots: dict[str, list[int]] = {}
        self._data = bytearray(value.size)
        source = (made.data or b"").ljust(struct.size, b"\0")
        members = {m.name: (i, m) for i, m in enumerate(own.members)}
        for index, member in enumerate(struct.members):
            self._member(spec.btf, kernel, index, member, members, source, inside.offset // 8)

    def _member(
        self,
        btf: Btf,
        kernel: Btf,
        index: int,
        mine: Member,
        members: Mapping[str, tuple[int, Member]],
        source: bytes,
        start: int,
    ) -> None:
        """Carry over one member: its bytes, or the program that it points to."""
        size, at = btf.sizeof(mine.type), mine.offset // 8
        data, program = source[at : at + size], self.contents.get(index)
        found = members.get(mine.name)
        if found is None:
            if program or data.strip(b"\0"):
                raise self._refused(f"this kernel's struct has no member {mine.name!r}")
            return
        number, theirs = found
        if mine.bits or theirs.bits:
            raise self._refused(f"member {mine.name!r} is a bitfield")
        one, other = btf.resolve(mine.type), kernel.resolve(theirs.type)
        if type(one) is not type(other):
            raise self._refused(f"member {mine.name!r} is of another kind of type in this kernel")
        place = start + theirs.offset // 8
        if isinstance(other, Ptr):
            if program is None:
                return
            if not isinstance(kernel.resolve(other.type), FuncProto):
                raise self._refused(f"member {mine.name!r} is no function in this kernel")
            if self.places.setdefault(program, number) != number:
                raise self._refused(f"program {program} is for two members with different types")
            self._slots.setdefault(program, []).append(place)
        elif kernel.sizeof(theirs.type) != size:
            text = f"member {mine.name!r} has {size} bytes, {kernel.sizeof(theirs.type)} in this"
            raise self._refused(f"{text} kernel")
        else:
            self._data[place : place + size] = data

    def _refused(self, why: str) -> KernelError:
        return KernelError(f"map {self.name}: {why}", errno.EOPNOTSUPP)

    def attributes(self) -> dict[str, Any]:
        """The load attributes that name the struct for its programs."""
        assert self._place is not None
        module = {"attach_btf_obj_fd": self._place.fd} if self._place.module else {}
        return {"attach_btf_id": self.type_id, **module}

    def create(self, made: MapSpec, btf: Fd) -> LinuxMap:
        """The map, empty: that registers nothing yet. The kernel wants the object's BTF, too."""
        if made.flags & uapi.BPF_F_LINK and older_than("6.4"):
            text = 'SEC(".struct_ops.link") requires Linux >= 6.4; SEC(".struct_ops") does not'
            raise KernelError(f"map {made.name}: {text}", errno.EOPNOTSUPP)
        assert self._place is not None
        module: dict[str, Any] = {}
        if self._place.module:
            module["value_type_btf_obj_fd"] = self._place.fd
        return LinuxMap.create(
            "struct_ops",
            4,
            self.value.size,
            1,
            name=made.name,
            flags=made.flags | (uapi.BPF_F_VTYPE_BTF_OBJ_FD if module else 0),
            btf_fd=btf,
            **module,
            btf_vmlinux_value_type_id=self.value.id,
        )

    def content(self, programs: Mapping[str, Fd]) -> bytes:
        """The value to set, with the programs that are loaded; ObjectError if any is missing."""
        value = bytearray(self._data)
        for name, places in self._slots.items():
            if name not in programs:
                raise ObjectError(f"map {self.name} needs program {name}, which is not loaded")
            for place in places:
                value[place : place + 8] = programs[name].fileno().to_bytes(8, sys.byteorder)
        return bytes(value)


class StructOpsMap(handles.Map):
    """A struct_ops map: `attach` registers what it holds with the kernel."""

    def __init__(self, raw: LinuxMap, ops: StructOps, programs: Mapping[str, Fd]):
        super().__init__(raw)
        self.name = ops.name
        self._ops, self._programs, self._filled = ops, programs, False

    def attach(self) -> Link:
        """Register the functions; closing the link takes them back.

        A map in SEC(".struct_ops.link") gets a link of the kernel's (Linux 6.4), which can be
        pinned and updated; any other is registered by its value alone, and taken back by deleting
        that. KernelError, with the subsystem's errno, when it refuses.
        """
        raw = self.raw
        assert isinstance(raw, LinuxMap)
        try:
            self.fill()
            if not raw.flags & uapi.BPF_F_LINK:
                return _Registered(raw)
            kind = uapi.ATTACH_TYPES["struct_ops"]
            return StructOpsLink(open_fd("LINK_CREATE", map_fd=raw.fd, attach_type=kind), self.name)
        except (KernelError, OSError) as error:
            why = {
                errno.EEXIST: "there is another one of its name",
                errno.EBUSY: "it is registered already",
                errno.EINVAL: f"{self._ops.value.name.removeprefix(PREFIX)} is not complete",
            }.get(error.errno or 0, "")
            plain = OSError(error.errno, str(error))
            needs = ("CAP_BPF", "CAP_NET_ADMIN")
            raise refused(plain, f"register {self.name}", why, needs=needs, since="5.6") from None

    def fill(self) -> None:
        """Write the struct into the map: with BPF_F_LINK that is possible once, and enough."""
        if not self._filled:
            self.raw.update(bytes(4), self._ops.content(self._programs))
            assert isinstance(self.raw, LinuxMap)
            self._filled = bool(self.raw.flags & uapi.BPF_F_LINK)

    @property
    def fd(self) -> Fd:
        """The map's descriptor."""
        assert isinstance(self.raw, LinuxMap)
        return self.raw.fd


class StructOpsLink(Link):
    """A registered struct of functions."""

    def update(self, program: HasFd, replace: HasFd | None = None) -> None:
        """Put another map of the same kind and name in its place, without a gap. Since Linux 6.4.

        `program` and `replace` are StructOpsMaps here.
        """
        if isinstance(program, StructOpsMap):
            raw = program.raw
            assert isinstance(raw, LinuxMap)
            if not raw.flags & uapi.BPF_F_LINK:  # filling it would register it, for good
                doing = f"cannot put {program.name} in the place of {self.target}"
                raise KernelError(f"{doing}: its map has no BPF_F_LINK [EINVAL]", errno.EINVAL)
            program.fill()
        super().update(program, replace)


class _Registered(Link):
    """What a map without BPF_F_LINK registers lasts until its element is deleted."""

    def __init__(self, raw: LinuxMap):
        self._map = LinuxMap.from_fd(raw.fd.dup())  # the object may be closed before the link is
        super().__init__(self._map.fd, raw.name)

    def detach(self) -> None:
        """Take the functions back, unless somebody else has."""
        if self.closed:
            return
        try:
            self._map.delete(bytes(4))
        except KernelError as error:
            if error.errno not in (errno.ENOENT, errno.EINPROGRESS):
                raise
        self._map.close()

    def pin(self, path: object) -> None:
        """Not possible: pin the map, or declare it in SEC(".struct_ops.link")."""
        raise KernelError(f'cannot pin {self.target}: it is not in SEC(".struct_ops.link")')

    def close(self) -> None:
        """Take the functions back; the map stays the object's, if that is not closed."""
        self.detach()
