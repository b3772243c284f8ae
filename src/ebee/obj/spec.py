"""What a program is: plain data that every front end produces and every consumer takes.

An `ObjectSpec` holds functions whose code is position-free: jumps inside a function are resolved,
and everything that points elsewhere (maps, global data, other functions, the kernel's symbols,
CO-RE) is a `Ref`. Nothing here depends on a kernel; specs may be changed before they are loaded.
"""

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from ebee.btf.relo import CoreRelo
from ebee.errors import BtfError, ObjectError
from ebee.obj.named import Named

if TYPE_CHECKING:
    from dataclasses import dataclass, field
    from typing import TypeVar

    from ebee.btf import Btf
    from ebee.isa import Insn

    F = TypeVar("F", bound="FunctionSpec")
else:
    from ebee.late import dataclass, field

RefKind = Literal["map", "data", "call", "func", "kfunc", "ksym", "kconfig", "core"]
Linkage = Literal["static", "global"]
ExternKind = Literal["kfunc", "ksym", "kconfig", "func", "map", "var"]


class Ref(NamedTuple):
    """One place in code that names something outside the function.

    | kind    | instruction | symbol                        | addend               |
    |---------|-------------|-------------------------------|----------------------|
    | map     | lddw        | map                           | 0                    |
    | data    | lddw        | map of the data section       | offset in its value  |
    | call    | call        | function or program           | 0                    |
    | func    | lddw        | function, for callbacks       | 0                    |
    | kfunc   | call        | extern function               | 0                    |
    | ksym    | lddw        | extern kernel variable        | 0                    |
    | kconfig | lddw        | extern .kconfig variable      | offset in its value  |
    | core    | any         | type, for messages            | BTF type id          |

    Until it is resolved the instruction's own immediate is zero (-1 for a `call`), with the pseudo
    source register set where the kind alone decides it. A `core` ref leaves the compiler's own
    guess in the instruction; `core` is its record (with offset 0: `slot` says where). One slot may
    have a `core` ref beside another one.
    """

    slot: int
    kind: RefKind
    symbol: str
    addend: int = 0
    core: CoreRelo | None = None


class Line(NamedTuple):
    """The source position from which the code at `slot` on was made; `text` is the line itself."""

    slot: int
    file: str
    line: int
    column: int
    text: str


class FuncInfo(NamedTuple):
    """One function in linked code: its first slot and its BTF type (0: unknown)."""

    name: str
    start: int
    btf_id: int


@dataclass
class FunctionSpec:
    """One function's own code.

    `linkage` is what the verifier sees: a "global" function is verified once on its own, a
    "static" one in each of its callers. `hidden` ones are static to the verifier, but other
    objects may call them when they are linked; `weak` marks a definition that another object's
    may replace then.
    """

    name: str
    section: str
    insns: "list[Insn]"
    refs: list[Ref] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    btf_id: int = 0
    linkage: Linkage = "global"
    weak: bool = False
    hidden: bool = False


@dataclass
class ProgramSpec(FunctionSpec):
    """A function that the kernel can start: an entry point with its hook.

    `section` is the SEC() text as written; `hook` the name of the hook's declaration ("" for a
    section of no hook: such a program can be looked at, not run), `attach_to` what follows it (an
    interface, `module:function`, ...; empty when nothing does). `flags` are BPF_F_* load flags
    (sleepable, XDP frags); `attach_type` the expected attach type's number.
    `exception_callback` is the function that runs when the program throws (__exception_cb(NAME)).
    """

    hook: str = ""
    attach_to: str = ""
    flags: int = 0
    attach_type: int = 0
    autoload: bool = True
    exception_callback: str = ""

    def _repr_html_(self) -> str:
        from ebee.obj.display import program_html

        return program_html(self)


@dataclass
class MapSpec:
    """One map. Sizes in bytes; types by bpftool's names ("hash", "lpm_trie", ...).

    `contents` are initial elements given by name: index -> program (prog_array) or map
    (array_of_maps, hash_of_maps), member of the struct -> program (struct_ops). `data` is the
    single value of a global-data map (.rodata, .data, .bss and their like), which `readonly` maps
    freeze before a program is loaded; of a struct_ops map the struct without its functions; of an
    arena what its memory begins with. `pinning`: 0 none, 1 by name. `autocreate`: whether to
    create it by default (only struct_ops maps may say no); `weak` as for functions.
    """

    name: str
    type: str
    key_size: int = 0
    value_size: int = 0
    max_entries: int = 0
    flags: int = 0
    key_btf_id: int = 0
    value_btf_id: int = 0
    pinning: int = 0
    map_extra: int = 0
    numa_node: int | None = None
    inner: "MapSpec | None" = None
    contents: dict[int, str] = field(default_factory=dict)
    data: bytes | None = field(default=None, repr=False)
    readonly: bool = False
    autocreate: bool = True
    weak: bool = False

    def _repr_html_(self) -> str:
        from ebee.obj.display import map_spec_html

        return map_spec_html(self)


@dataclass
class ExternSpec:
    """Something that is declared but not defined here.

    The kernel supplies a kfunc, a ksym (variable) and a kconfig value; another object, when they
    are linked, a func, a map and a var (a `data` ref then names the variable, not a map). A `weak`
    one may be missing: its address, or its value, is then zero. `btf_id` is the type of its
    declaration (a Func or a Var); kernel variables without a type are declared `void`.
    """

    name: str
    kind: ExternKind
    btf_id: int = 0
    weak: bool = False


@dataclass
class VariableSpec:
    """A global variable: `size` bytes at `offset` in the value of the data map called `map`.

    `.value` reads and writes the initial value, typed by BTF (bytes, or a plain integer of 1, 2, 4
    or 8 bytes, where the type is not known).
    """

    name: str
    map: str
    offset: int
    size: int
    btf_id: int = 0
    linkage: Linkage = "global"
    weak: bool = False
    spec: "ObjectSpec | None" = field(default=None, repr=False, compare=False)

    @property
    def _home(self) -> "tuple[ObjectSpec, MapSpec]":
        if self.spec is None or self.map not in self.spec.maps:
            raise ObjectError(f"variable {self.name}: its map {self.map} is not in the object")
        where = self.spec.maps[self.map]
        size = where.value_size if where.data is None else len(where.data)
        if self.offset + self.size > size:
            raise ObjectError(
                f"variable {self.name}: ends at byte {self.offset + self.size},"
                f" but {self.map} has {size}"
            )
        return self.spec, where

    @property
    def value(self) -> Any:
        """The initial value; ObjectError when it cannot be read."""
        spec, where = self._home
        data, at = where.data, self.offset
        raw = bytes(self.size) if data is None else data[at : at + self.size]  # .bss may be large
        return value_codec(spec.btf, self.btf_id, self.size, spec.endian).decode(raw)

    @value.setter
    def value(self, value: Any) -> None:
        spec, where = self._home
        try:
            raw = value_codec(spec.btf, self.btf_id, self.size, spec.endian).encode(value)
        except BtfError as error:
            raise BtfError(f"variable {self.name}: {error}") from None
        data = bytes(where.value_size) if where.data is None else where.data
        where.data = data[: self.offset] + raw + data[self.offset + self.size :]


def value_codec(btf: "Btf | None", btf_id: int, size: int, endian: str) -> Any:
    """The codec of a key, a value or a variable: by BTF where its type is known, else by size."""
    from ebee.btf.codec import Codec

    return Codec(btf, btf_id) if btf is not None and btf_id else Codec.from_size(size, endian)


class Variables(Named[VariableSpec]):
    """Variables by name; assigning a plain value sets the variable's initial value.

    `spec.variables["threshold"] = 100` is `spec.variables["threshold"].value = 100`.
    """

    def __setitem__(self, name: str, value: Any) -> None:
        if isinstance(value, VariableSpec):
            super().__setitem__(name, value)
        else:
            self[name].value = value


_BY_NAME: dict[str, tuple[type[Named[Any]], str]] = {
    "maps": (Named, "map"), "programs": (Named, "program"), "functions": (Named, "function"),
    "variables": (Variables, "variable"), "externs": (Named, "extern"),
}  # fmt: skip
"""What an ObjectSpec's dicts become: their class, and the word for what is in them."""


@dataclass
class ObjectSpec:
    """A whole object: what a compiler made, or what a file holds.

    `functions` are the subprograms, `programs` the entry points; the two never share a name.
    A name that one of its dicts does not have is an UnknownNameError, with those that come near.
    `version` is the kernel version of a "version" section (0: none). `endian` is the byte order of
    the target, and of `data` in maps. `warnings` says what was met and left out.
    """

    name: str
    maps: dict[str, MapSpec] = field(default_factory=dict)
    programs: dict[str, ProgramSpec] = field(default_factory=dict)
    functions: dict[str, FunctionSpec] = field(default_factory=dict)
    variables: dict[str, VariableSpec] = field(default_factory=dict)
    externs: dict[str, ExternSpec] = field(default_factory=dict)
    btf: "Btf | None" = field(default_factory=lambda: None, repr=False, compare=False)
    license: str = ""
    version: int = 0
    endian: Literal["little", "big"] = "little"
    warnings: list[str] = field(default_factory=list, compare=False)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _BY_NAME and type(value) is dict:
            made, kind = _BY_NAME[name]
            value = made(value, kind, f"object {self.name}")
        super().__setattr__(name, value)

    def parse_later(self, types: bytes, name: str) -> None:
        """Have `btf` parsed from bytes when it is first asked for."""
        self.__dict__["_later"] = types, name
        self.__dict__.pop("btf", None)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            later = self.__dict__.get("_later")
            if name != "btf" or later is None:
                raise AttributeError(f"an object spec has no {name!r}", name=name, obj=self)
            from ebee.btf import Btf

            self.btf = Btf.parse(later[0], name=later[1])
            return self.btf

    def function(self, name: str) -> FunctionSpec:
        """The function or program of that name; ObjectError when there is none."""
        every = {**self.functions, **self.programs}
        return Named(every, "function", f"object {self.name}")[name]

    def program(self, name: str | None = None) -> ProgramSpec:
        """The program of that name, or the only one; ObjectError when there is none."""
        if name is None:
            if len(self.programs) != 1:
                names = ", ".join(self.programs) or "none"
                raise ObjectError(f"object {self.name}: name one of its programs: {names}")
            return next(iter(self.programs.values()))
        return self.programs[name]

    def map(self, name: str) -> MapSpec:
        """The map of that name; ObjectError when there is none."""
        return self.maps[name]

    def copy(self) -> "ObjectSpec":
        """An independent copy; only the BTF, which never changes, is shared."""
        from copy import copy, deepcopy

        made = copy(self)
        made.maps = deepcopy(self.maps)
        made.programs = {name: _copy_code(p) for name, p in self.programs.items()}
        made.functions = {name: _copy_code(f) for name, f in self.functions.items()}
        made.externs = {name: copy(e) for name, e in self.externs.items()}
        made.variables = {}
        for name, variable in self.variables.items():
            made.variables[name] = copy(variable)
            made.variables[name].spec = made
        made.warnings = list(self.warnings)
        return made

    def _repr_html_(self) -> str:
        from ebee.obj.display import spec_html

        return spec_html(self)


def _copy_code(function: "F") -> "F":
    from copy import copy

    made = copy(function)
    made.insns, made.refs = list(function.insns), list(function.refs)
    made.lines = list(function.lines)
    return made


@dataclass
class Linked:
    """One program as a single run of code, for a backend to patch and run.

    Calls between its functions and addresses of functions are final; `refs` are the map, data,
    kfunc, ksym, kconfig and core ones that remain, by slot. `funcs` begins with the program itself.
    """

    name: str
    insns: "list[Insn]"
    refs: list[Ref]
    funcs: list[FuncInfo]
    lines: list[Line]
