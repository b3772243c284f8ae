"""The assembler: eBPF in the kernel's own syntax, or LLVM's, to instructions.

    loop:                                    a label, alone or before an instruction
        r1 = *(u64 *)(r10 -8)                what verifier logs, bpftool and llvm-objdump print
        if w1 s> 0x7 goto +2                 a distance in slots (also: pc+2), or a label
        r2 = map[flows]                      a map, by symbol; map[.data][0]+16 is inside its value
        r2 = btf[jiffies]                    a kernel variable
        r2 = subprog[callback]               the address of a function of this program
        call bpf_map_lookup_elem#1           a helper: name, number or both
        call parse                           a function of this program; call pc+3
        call kfunc[bpf_task_acquire]         a kernel function; call kfunc#123 is by BTF id
        .insn 0xff, 1, 2, 3, 4               any slot: op, dst, src, off, imm

Comments are // ..., # ... and /* ... */; a semicolon separates instructions. Dumps can be pasted:
a leading index, opcode or bytes are compared with what the text gives, a line that begins with a
semicolon is a comment, and so is the rest of a dump's line after a semicolon.
"""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple, NoReturn

from ebee.isa.grammar import RAW, Match, Mismatch, Token, match, tokens
from ebee.isa.insn import REGISTERS, U32, U64, Insn, decode, lddw, signed
from ebee.isa.legal import check
from ebee.isa.source import Source, SourceError
from ebee.isa.table import Form, form_of, make

HelperId = Callable[[str], int | None]

_COMMENT = re.compile(r"//.*|(?:^|(?<=\s))#.*|^\s*;.*|(?<=\s)<[\w.$+-]+>\s*$")
_DUMP = re.compile(
    r"\s*(?P<index>\d{1,9}):\s+"
    r"(?:\((?P<op>[0-9a-f]{2})\)\s|(?P<raw>(?:[0-9a-f]{2}\s){16}|(?:[0-9a-f]{2}\s){8}))?\s*"
)
_DUMP_TITLE = re.compile(r"\s*Disassembly of section .*:\s*$|.*:\s+file format elf64-\w+\s*$")
_LABEL = re.compile(r"\s*(?:[0-9a-f]{16}\s+<(?P<dumped>[\w.$]+)>|(?P<name>[A-Za-z_.$][\w.$]*)):")
_FIELDS = ("op", "dst", "src", "off", "imm", "high")
_S16, _S32 = (-(1 << 15), (1 << 15) - 1), (-(1 << 31), (1 << 31) - 1)
_RANGES = {
    "op": ("op", 0, 255),
    "dst": ("dst", 0, 15),
    "src": ("src", 0, 15),
    "off": ("off", *_S16),
    "module": ("off", *_S16),
    "high": ("high", 0, U32),
}
_PLACES = ("jump", "callee", "func")
_SYMBOL_OF = {"map_fd": "map", "map_value": "data", "btf_id": "ksym", "kfunc": "kfunc"}
_SYMBOLS = {"map", "ksym", "kfunc"}
_REGISTER = re.compile(r"[rw]\d+$")


class Reference(NamedTuple):
    """A symbol that an instruction needs and the assembler was given no value for.

    kind: map, data (`addend` bytes inside a map's value), ksym, func (address), call, kfunc.
    """

    slot: int
    kind: str
    symbol: str
    addend: int = 0


class Assembly(NamedTuple):
    """Assembled text; `lines` maps the slot of each instruction to its source line (from 1)."""

    insns: list[Insn]
    references: list[Reference]
    labels: dict[str, int]
    lines: dict[int, int]


def assemble(
    text: str,
    symbols: Mapping[str, int] | None = None,
    helper_id: HelperId | None = None,
    name: str = "<asm>",
) -> list[Insn]:
    """The instructions of a text that needs nothing but the given `symbols`; see `parse`.

    >>> assemble("r0 = 2; exit")
    [Insn(op=183, dst=0, src=0, off=0, imm=2), Insn(op=149, dst=0, src=0, off=0, imm=0)]
    """
    done = parse(text, symbols, helper_id, name)
    if done.references:
        slot, kind, symbol, _ = done.references[0]
        line, what = done.lines[slot], _REFERENCED[kind]
        raise SourceError(f"{name}:{line}: there is no {what} named {symbol!r}", line, 1)
    return done.insns


_REFERENCED = {
    "call": "function or helper",
    "func": "function",
    "data": "map",
    "map": "map",
    "ksym": "kernel variable",
    "kfunc": "kernel function",
}


def parse(
    text: str,
    symbols: Mapping[str, int] | None = None,
    helper_id: HelperId | None = None,
    name: str = "<asm>",
) -> Assembly:
    """Assemble `text`, leaving symbols without a value as references.

    symbols    numbers of constants, maps (file descriptors), kernel variables and functions (BTF
               ids)
    helper_id  the number of a helper by its name
    name       the file named in errors

    Raises SourceError with line, column and a caret under the place.
    """
    return _Assembler(text, symbols or {}, helper_id, name).run()


class _Assembler:
    """One run over a text: every statement into slots, then the jumps to labels."""

    def __init__(
        self, text: str, symbols: Mapping[str, int], helper_id: HelperId | None, name: str
    ):
        self.source = Source(text, name)
        self.symbols, self.helper_id = symbols, helper_id
        self.done = Assembly([], [], {}, {})
        self.base: int | None = None  # the index in a pasted dump, less the slot
        self.pending: list[tuple[int, int, Form, Token]] = []  # slot, line, form, label

    def fail(self, message: str, column: int) -> NoReturn:
        raise self.source.error(message, column)

    def run(self) -> Assembly:
        for number, line in enumerate(self.source.lines, 1):
            self.source.line = number
            if not _DUMP_TITLE.match(line):
                self.one_line(_COMMENT.sub("", line))
        for slot, number, form, token in self.pending:
            self.source.line = number
            self.resolve(slot, form, token)
        self.done.references.sort()
        return self.done

    # ---- lines

    def one_line(self, line: str) -> None:
        if dump := _DUMP.match(line):
            self.dumped(line.split(";")[0], dump)
            return
        for part in re.finditer(r"[^;]+", line):
            start = part.start()
            while label := _LABEL.match(line, start, part.end()):
                self.label(label)
                start = label.end()
            if line[start : part.end()].strip():
                self.emit(self.spelled(line[: part.end()], start)[0])

    def label(self, found: re.Match[str]) -> None:
        group = "dumped" if found["dumped"] else "name"
        if _REGISTER.match(found[group]):
            self.fail("a register cannot be a label", found.start(group))
        if found[group] in self.done.labels:
            self.fail(f"the label {found[group]!r} is already in use", found.start(group))
        self.done.labels[found[group]] = len(self.done.insns)
        self.base = None

    def dumped(self, line: str, dump: re.Match[str]) -> None:
        """A line of a dump: the index and bytes it shows must be those of the text."""
        slot, index = len(self.done.insns), int(dump["index"])
        if self.base is None:
            self.base = index - slot
        if index != slot + self.base:
            message = f"the dump goes on with {index} where {slot + self.base} must follow"
            self.fail(message, dump.start("index"))
        shown = decode(bytes.fromhex(dump["raw"])) if dump["raw"] else []
        if shown and not line[dump.end() :].strip():  # llvm-objdump left out what it does not know
            self.done.lines[slot] = self.source.line
            self.done.insns.extend(shown)
            return
        found = self.spelled(line, dump.end())
        if shown:
            found = [each for each in found if each.form is form_of(shown[0])]
        elif dump["op"]:
            found = [each for each in found if each.form.op == int(dump["op"], 16)]
        if found:
            self.emit(found[0], in_dump=True)
        if not found or (shown and shown != self.done.insns[slot:]):
            self.fail("the dump shows other bytes than this text means", dump.end())

    def spelled(self, line: str, start: int) -> list[Match]:
        """The forms that the statement in line[start:] may be."""
        try:
            return match(list(tokens(line, start)))
        except Mismatch as wrong:
            token, expected = wrong.token, wrong.expected
        message = f"unexpected {token.text!r}" if token.kind else "the instruction ends too early"
        if token.kind == "register" and {"r0-r10", "w0-w10"} & set(expected):
            message += "; r (64-bit) and w (32-bit) registers cannot be mixed here"
        elif len(expected) <= 12:
            message += f"; here can stand {', '.join(expected)}"
        elif token.kind == "word":
            message = f"there is no instruction that begins with {token.text!r}"
        return self.fail(message, token.column)

    # ---- one instruction

    def emit(self, found: Match, in_dump: bool = False) -> None:
        """Append the slots of an instruction. Only dumps of the kernel's own code use r11."""
        form, operands = found
        fields = {
            name: fixed if isinstance(fixed := getattr(form, name), int) else 0 for name in _FIELDS
        }
        for name, token in operands.items():
            if token.kind == "register":
                fields[name] = self.register(token, REGISTERS + in_dump)
            else:
                self.operand(form, fields, name, token)
        for name in _SYMBOLS & operands.keys():
            self.symbol(form, fields, operands[name])
        if "helper" in operands:
            self.named(operands["helper"], fields["imm"])
        high = Insn(0, imm=signed(fields.pop("high"), 32))
        slots = [Insn(**fields), high] if form.wide else [Insn(**fields)]
        self.done.lines[len(self.done.insns)] = self.source.line
        self.done.insns.extend(slots)
        if form is not RAW and (reason := check(*slots, internal=True)):
            self.fail(reason, next(iter(operands.values())).column)

    def operand(self, form: Form, fields: dict[str, int], name: str, token: Token) -> None:
        """Put the value of one operand into its field. Labels are left for `resolve`."""
        if name in _RANGES:
            field, low, high = _RANGES[name]
            fields[field] = self.number(token, low, high)
        elif name in ("imm", "id", "hex", "plus"):
            narrow = form.width == 32 or form.kind not in ("alu", "store") or 0 < form.size < 8
            fields["imm"] = signed(self.number(token, _S32[0], U32 if narrow else _S32[1]), 32)
        elif name == "imm64":
            low_slot, high_slot = lddw(0, self.number(token, -(1 << 63), U64))
            fields["imm"], fields["high"] = low_slot.imm, high_slot.imm
        elif name in ("to_space", "from_space"):
            space = self.number(token, 0, 0xFFFF)
            fields["imm"] |= signed(space << 16, 32) if name == "to_space" else space
        elif name in _PLACES:
            if token.kind == "word":
                self.pending.append((len(self.done.insns), self.source.line, form, token))
            else:
                field, limits = ("off", _S16) if form.off == "jump" else ("imm", _S32)
                fields[field] = self.number(token, *limits)

    def register(self, token: Token, count: int) -> int:
        number = int(token.text[1:])
        if number >= count:
            self.fail(f"there is no register {token.text}", token.column)
        return number

    def number(self, token: Token, low: int, high: int) -> int:
        """The value of a number, of `pc+2` (2) or of a symbol, within low and high."""
        text = re.sub(r"\s", "", token.text.removeprefix("pc"))
        if token.kind == "word":
            if text not in self.symbols:
                self.fail(f"{text!r} has no value here", token.column)
            value = self.symbols[text]
        else:
            digits = text.lstrip("+-")
            value = int(digits, 16 if digits[:2] in ("0x", "0X") else 10)
            value = -value if text.count("-") % 2 else value
        if not low <= value <= high:
            message = f"{token.text} does not fit here ({low} to {high})"
            if (low, high) == _S32 and abs(value) <= U64:
                message += "; load it into a register first: rN = VALUE ll"
            self.fail(message, token.column)
        return value

    def named(self, token: Token, number: int) -> None:
        """A helper given by name and number: they must be the same helper's."""
        known = self.helper_id(token.text) if self.helper_id else number
        if known != number and token.text != "unknown":
            wanted = "is no helper" if known is None else f"is helper {known}, not {number}"
            hint = "; a kernel function is written call kfunc#ID" if known is None else ""
            self.fail(f"{token.text} {wanted}{hint}", token.column)

    def symbol(self, form: Form, fields: dict[str, int], token: Token) -> None:
        """A map, kernel variable or kernel function by name: its number, or a reference."""
        if token.text in self.symbols:
            fields["imm"] = self.number(token, *_S32)
        else:
            kind, addend = _SYMBOL_OF[form.operation], fields["high"] & U32
            slot = len(self.done.insns)
            self.done.references.append(Reference(slot, kind, token.text, addend))

    # ---- labels

    def resolve(self, slot: int, form: Form, token: Token) -> None:
        """Point the jump, call or address in `slot` to the label that `token` names."""
        insn, name = self.done.insns[slot], token.text
        if name in self.done.labels:
            distance = self.done.labels[name] - slot - 1
            if form.imm == "jump":
                self.done.insns[slot] = insn._replace(imm=distance)
                return
            if not _S16[0] <= distance <= _S16[1]:
                hint = "; gotol goes further" if form.name == "ja" else ""
                self.fail(
                    f"{name!r} is {distance} slots away, too far for 16 bits{hint}", token.column
                )
            self.done.insns[slot] = insn._replace(off=distance)
        elif form.kind == "jump":
            self.fail(f"there is no label {name!r}", token.column)
        elif form.kind == "call" and self.helper_id and (helper := self.helper_id(name)):
            self.done.insns[slot] = make("call_helper", imm=helper)
        else:
            kind = "call" if form.kind == "call" else "func"
            self.done.references.append(Reference(slot, kind, name))
