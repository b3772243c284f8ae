"""Classic BPF as text: that of tcpdump (-d, -dd, -ddd) and that of bpf_asm, in and out."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, NoReturn

from ebee.isa.cbpf.table import ANCILLARY, ANCILLARY_BASE, FORMS, Form, SockFilter, ancillary
from ebee.isa.insn import U32, signed
from ebee.isa.source import Source, SourceError

_NUMBER = r"([+-]?\s*(?:0x[0-9a-f]+|\d{1,20}))"


class Operand(NamedTuple):
    """How an operand is written: printed from `k`, and read by a pattern whose group is k."""

    shown: Callable[[int], str]
    pattern: str


OPERANDS = {
    "abs": Operand(lambda k: f"[{signed(k, 32)}]", rf"\[\s*{_NUMBER}\s*\]"),
    "ind": Operand(lambda k: f"[x + {signed(k, 32)}]", rf"\[\s*%?x\s*\+\s*{_NUMBER}\s*\]"),
    "msh": Operand(
        lambda k: f"4*([{signed(k, 32)}]&0xf)",
        rf"4\s*\*\s*\(\s*\[\s*{_NUMBER}\s*\]\s*&\s*0xf\s*\)",
    ),
    "mem": Operand(lambda k: f"M[{k}]", rf"m\s*\[\s*{_NUMBER}\s*\]"),
    "hex": Operand(lambda k: f"#{k:#x}", rf"#\s*{_NUMBER}"),
    "number": Operand(lambda k: f"#{k}", rf"#\s*{_NUMBER}"),
    "len": Operand(lambda k: "#pktlen", r"#?(?:pkt)?len"),
    "x": Operand(lambda k: "x", r"%?x"),
    "none": Operand(lambda k: "", r"(?:%?a)?"),
    "to": Operand(lambda k: "", r""),
}
_ANCILLARY = r"(?i)\[\s*([a-z_]+)\s*\]|#?\s*([a-z_]+)"
_ANCILLARY_AT = {name: ANCILLARY_BASE + at for at, name in ANCILLARY.items()}
_ANCILLARY_AT |= {"vlan_avail": _ANCILLARY_AT["vlanp"], "vlan_pr": _ANCILLARY_AT["vlanp"]}

# Mnemonics that only the assembler knows: the real one, and whether the branches change places
_ALIASES = {"jmp": "ja", "ldi": "ld", "ldxi": "ldx", "jne": "jeq", "jneq": "jeq", "jlt": "jge",
            "jle": "jgt"}  # fmt: skip
_SWAPPED = frozenset(("jne", "jneq", "jlt", "jle"))

_LINE = (
    r"(?i)\s*(?:\((?P<index>\d{1,9})\))?\s*(?:(?P<label>[a-z_]\w*)\s*:)?\s*"
    r"(?P<name>[a-z]+)?\s*(?P<operand>.*?)\s*"
    r"(?:\bjt\s+(?P<jt>\w+)\s+jf\s+(?P<jf>\w+)|,\s*(?P<yes>\w+)\s*(?:,\s*(?P<no>\w+)\s*)?)?"
)


def dump(program: Sequence[SockFilter]) -> str:
    """The text of `tcpdump -d`."""
    lines = []
    for at, insn in enumerate(program):
        form = FORMS.get(insn.code)
        if form is None:
            lines.append(f"({at:03}) unimp    {insn.code:#x}")
        elif form.operation == "ja":
            lines.append(f"({at:03}) {form.name:<8} {at + 1 + insn.k}")
        else:
            operand = _operand(insn, form, "[{}]")
            if form.kind == "jump":
                operand = f"{operand:<16} jt {at + 1 + insn.jt}\tjf {at + 1 + insn.jf}"
            lines.append(f"({at:03}) {form.name:<8} {operand}")
    return "".join(f"{line}\n" for line in lines)


def dump_asm(program: Sequence[SockFilter]) -> str:
    """The text that bpf_asm takes, each instruction with a label: `l0: ldh [12]`."""
    lines = []
    for at, insn in enumerate(program):
        form = FORMS.get(insn.code)
        if form is None:
            raise SourceError(f"instruction {at} has the unknown code {insn.code:#x}", at + 1, 1)
        text = f"l{at}:\t{form.name} {_operand(insn, form, '#{}')}".rstrip()
        if form.operation == "ja":
            text += f" l{at + 1 + insn.k}"
        elif form.kind == "jump":
            text += f", l{at + 1 + insn.jt}, l{at + 1 + insn.jf}"
        lines.append(text.replace("#pktlen", "#len"))
    return "".join(f"{line}\n" for line in lines)


def dump_decimal(program: Sequence[SockFilter]) -> str:
    """The text of `tcpdump -ddd`: the number of instructions, then four numbers each."""
    return "".join([f"{len(program)}\n", *("{} {} {} {}\n".format(*insn) for insn in program)])


def dump_c(program: Sequence[SockFilter]) -> str:
    """The text of `tcpdump -dd`: a C array's elements."""
    return "".join(f"{{ {c:#x}, {t}, {f}, {k:#010x} }},\n" for c, t, f, k in program)


def _operand(insn: SockFilter, form: Form, named: str) -> str:
    name = ancillary(insn)
    return named.format(name) if name else OPERANDS[form.operand].shown(insn.k)


def parse(text: str, name: str = "<cbpf>") -> list[SockFilter]:
    """A filter in any of the forms above; iptables' `4,48 0 0 9,...` is the decimal one.

    A jump's target is a label or the number of an instruction. Comments are `; ...` and /* ... */.
    Raises SourceError with line and column.
    """
    source = Source(text, name)
    text = "\n".join(source.lines)
    number = r"\s*(0x[0-9a-f]+|\d{1,20})\s*"
    row = r"[,\n]\s*" + r"[ \t]+".join([r"\d{1,10}"] * 4)
    if re.fullmatch(rf"\s*\d{{1,10}}[ \t]*(?:{row}[ \t]*)+[,\s]*", text):
        return list(_rows([int(each) for each in re.findall(r"\d+", text)], name))
    element = re.compile(rf"\{{{','.join([number] * 4)}\}}\s*,?\s*", re.IGNORECASE)
    if text.strip() and not element.sub("", text).strip():
        fields = [_number(field) for row in element.findall(text) for field in row]
        return list(_rows([len(fields) // 4, *fields], name))
    return _Parser(source).run()


def _number(text: str) -> int:
    digits = re.sub(r"\s", "", text)
    return int(digits, 16 if "x" in digits.lower() else 10)


def _rows(numbers: list[int], name: str) -> Iterator[SockFilter]:
    count, rows = numbers[0], [numbers[at : at + 4] for at in range(1, len(numbers), 4)]
    if count != len(rows):
        raise SourceError(f"{name}: {count} instructions announced, {len(rows)} given", 1, 1)
    for line, row in enumerate(rows, 2):
        for value, most in zip(row, (0xFFFF, 0xFF, 0xFF, U32), strict=True):
            if value > most:
                raise SourceError(f"{name}:{line}: {value} is more than {most}", line, 1)
        yield SockFilter(*row)


class _Parser:
    """Lines to instructions; targets are resolved at the end."""

    def __init__(self, source: Source):
        self.source = source
        self.out: list[tuple[int, Form, int, list[str | None]]] = []  # line, form, k, targets
        self.labels: dict[str, int] = {}

    def fail(self, message: str, column: int = 0) -> NoReturn:
        raise self.source.error(message, column)

    def run(self) -> list[SockFilter]:
        for number, line in enumerate(self.source.lines, 1):
            self.source.line = number
            self.one(line.split(";")[0])
        return [self.resolve(at, *entry) for at, entry in enumerate(self.out)]

    def one(self, line: str) -> None:
        found = re.fullmatch(_LINE, line)
        if not found:
            self.fail("this is no instruction of classic BPF")
        if found["index"] and int(found["index"]) != len(self.out):
            self.fail(f"instruction {len(self.out)} is expected here", found.start("index"))
        if label := found["label"]:
            if label in self.labels:
                self.fail(f"the label {label!r} is already in use", found.start("label"))
            self.labels[label] = len(self.out)
        if not found["name"]:
            if found["operand"] or found["index"]:
                self.fail("an instruction is expected here", found.start("operand"))
            return
        mnemonic = found["name"].lower()
        targets = [found["jt"] or found["yes"], found["jf"] or found["no"]]
        if _ALIASES.get(mnemonic, mnemonic) == "ja":
            if targets[0] is not None:
                self.fail(f"{mnemonic} has one target")
            self.out.append((self.source.line, FORMS[0x05], 0, [found["operand"], None]))
            return
        form, k = self.form(_ALIASES.get(mnemonic, mnemonic), found)
        if (form.kind == "jump") != (targets[0] is not None):
            self.fail(f"{mnemonic} {'needs a' if targets[0] is None else 'has no'} target")
        if mnemonic in _SWAPPED:
            targets.reverse()
        self.out.append((self.source.line, form, k, targets))

    def form(self, name: str, found: re.Match[str]) -> tuple[Form, int]:
        """The form that mnemonic and operand name, and the operand's value."""
        forms, operand = [form for form in FORMS.values() if form.name == name], found["operand"]
        if not forms:
            self.fail(f"there is no instruction {name!r}", found.start("name"))
        for form in forms:
            if match := re.fullmatch(OPERANDS[form.operand].pattern, operand, re.IGNORECASE):
                return form, self.number(match[1], found) if match.re.groups else 0
            match = re.fullmatch(_ANCILLARY, operand)
            word = match and (match[1] or match[2]).lower()
            if form.operation == "abs" and word in _ANCILLARY_AT:
                return form, _ANCILLARY_AT[word]
        shown = ", ".join(OPERANDS[form.operand].shown(1) or "nothing" for form in forms)
        return self.fail(f"{name} takes {shown}, not {operand!r}", found.start("operand"))

    def number(self, text: str, found: re.Match[str]) -> int:
        value = _number(text)
        if not -(1 << 31) <= value <= U32:
            self.fail(f"{text} does not fit 32 bits", found.start("operand"))
        return value & U32

    def resolve(
        self, at: int, line: int, form: Form, k: int, targets: list[str | None]
    ) -> SockFilter:
        if form.kind != "jump":
            return SockFilter(form.code, 0, 0, k)
        self.source.line = line
        yes, no = (self.distance(at, target) for target in targets)
        if form.operation == "ja":
            return SockFilter(form.code, 0, 0, yes)
        if max(yes, no) > 255:
            self.fail("a conditional jump reaches 255 instructions; use ja for the rest")
        return SockFilter(form.code, yes, no, k)

    def distance(self, at: int, target: str | None) -> int:
        if target is None:
            return 0
        to = int(target) if target.isdecimal() and len(target) < 10 else self.labels.get(target)
        if to is None:
            self.fail(f"there is no label {target!r}")
        if not at < to < len(self.out):
            self.fail(f"the jump to {target} must lead forward to an instruction of the filter")
        return to - at - 1
