"""What clang puts in memory is what the codec encodes: random structs with bitfields, unions,
arrays and packing, for both byte orders."""

import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ebee.btf import Btf
from ebee.btf.codec import Codec
from ebee.btf.files import section

CLANG = shutil.which("clang-19") or shutil.which("clang")
pytestmark = [
    pytest.mark.differential,
    pytest.mark.skipif(not CLANG, reason="needs clang with the bpf target"),
]

INTEGERS = {
    "char": (1, True),
    "signed char": (1, True),
    "unsigned char": (1, False),
    "short": (2, True),
    "unsigned short": (2, False),
    "int": (4, True),
    "unsigned int": (4, False),
    "long": (8, True),
    "unsigned long long": (8, False),
    "__int128": (16, True),
}
COUNT = 40


class Maker:
    """Random C structs with values for them: as C's initialiser and as Python's."""

    def __init__(self, seed: int):
        self.rng = random.Random(seed)
        self.names = 0

    def name(self) -> str:
        self.names += 1
        return f"m{self.names}"

    def number(self, bits: int, signed: bool) -> int:
        low = -1 << bits - 1 if signed else 0
        high = low + (1 << bits) - 1
        return self.rng.choice((low, high, 0, self.rng.randint(low, high)))

    def struct(self, depth: int = 0, union: bool = False) -> tuple[str, str, dict[str, Any]]:
        """(members in C, initialiser in C, value)."""
        members, initial, value = "", [], {}
        count = self.rng.randint(1, 7)
        chosen = self.rng.randrange(count)
        for number in range(count):
            name, text, how, what = self.member(depth)
            members += text
            if not union or number == chosen:
                initial.append(f".{name} = {how}" if name else how)
                value |= {name: what} if name else what
        return members, "{" + ", ".join(initial) + "}", value

    def member(self, depth: int) -> tuple[str, str, str, Any]:
        """(name or "", declaration, initialiser, value)."""
        name = self.name()
        kind = self.rng.randrange(8 if depth < 2 else 5)
        word, (size, signed) = self.rng.choice(list(INTEGERS.items()))
        if kind == 0:
            number = self.number(size * 8, signed)
            return name, f"{word} {name};", literal(number), number
        if kind <= 2:
            if size == 16:
                word, size, signed = "unsigned int", 4, False
            bits = self.rng.randint(1, size * 8)
            gap = f"{word} : {self.rng.randint(0, bits)};" if self.rng.random() < 0.2 else ""
            number = self.number(bits, signed)
            return name, f"{gap}{word} {name} : {bits};", literal(number), number
        if kind == 3:
            text = "".join(self.rng.choices("abc", k=self.rng.randint(0, 5)))
            return name, f"char {name}[5];", f'"{text}"', text
        if kind == 4:
            numbers = [self.number(16, True) for _ in range(3)]
            return name, f"short {name}[3];", "{" + ", ".join(map(str, numbers)) + "}", numbers
        union = kind == 7
        members, initial, value = self.struct(depth + 1, union)
        tag = "union" if union else "struct"
        packed = " __attribute__((packed))" if self.rng.random() < 0.2 else ""
        if self.rng.random() < 0.4:
            return "", f"{tag} {{{members}}}{packed};", initial[1:-1], value
        return name, f"{tag} {{{members}}}{packed} {name};", initial, value


def literal(number: int) -> str:
    if -(1 << 63) < number < 1 << 63:
        return f"{number}LL" if number < 0 else f"{number}ULL"
    high, low = number >> 64, number & (1 << 64) - 1
    return f"(__int128)((unsigned __int128){high & (1 << 64) - 1}ULL << 64 | {low}ULL)"


@pytest.mark.parametrize("target", ["bpfel", "bpfeb"])
def test_encoded_values_are_clangs(target, tmp_path: Path):
    maker = Maker(7)
    source, values = "", []
    for number in range(COUNT):
        members, initial, value = maker.struct()
        packed = "__attribute__((packed))" if number % 5 == 4 else ""
        source += f"struct s{number} {{ {members} }} {packed};\n"
        source += (
            f'__attribute__((section(".v{number}"))) struct s{number} v{number} = {initial};\n'
        )
        values.append(value)
    (tmp_path / "test.c").write_text(source)
    command = [CLANG, "-target", target, "-g", "-O2", "-Wno-everything", "-c", "test.c"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:2000]
    data = (tmp_path / "test.o").read_bytes()
    btf = Btf.load(tmp_path / "test.o")
    for number, value in enumerate(values):
        codec = Codec(btf, btf.find(f"s{number}").id)
        expected = section(data, f".v{number}", "test.o")
        assert codec.encode(value) == expected, value
        record = codec.decode(expected)
        check(record, value)
        assert codec.encode(record) == expected


def check(record: Any, value: dict[str, Any]) -> None:
    for name, expected in value.items():
        found = record[name]
        if isinstance(expected, dict):
            check(found, expected)
        else:
            assert found == expected, name
