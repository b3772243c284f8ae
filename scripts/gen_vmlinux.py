"""Writes what editors and type checkers know of the kernel: src/ebee/vmlinux.pyi and kfuncs.pyi, of
the types that come with ebee.

python scripts/gen_vmlinux.py [--check]
"""

import sys
from pathlib import Path

from ebee.btf import Btf
from ebee.btf.stubs import Stubs, functions

ROOT = Path(__file__).resolve().parents[1] / "src" / "ebee"


def main() -> int:
    btf = Btf.bundled()
    texts = {"vmlinux.pyi": Stubs(btf).text(), "kfuncs.pyi": functions(btf)}
    stale = [name for name, text in texts.items()
             if not (ROOT / name).exists() or (ROOT / name).read_text() != text]  # fmt: skip
    if "--check" in sys.argv[1:]:
        print(f"{', '.join(stale) or 'none'}: stale")
        return bool(stale)
    for name in stale:
        (ROOT / name).write_text(texts[name])
    return 0


if __name__ == "__main__":
    sys.exit(main())
