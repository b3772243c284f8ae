"""Classic BPF: its texts, checks, interpreter, and what cannot be translated."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebee.errors import AsmError
from ebee.isa import SourceError, cbpf
from ebee.isa.cbpf import Skb, SockFilter

pytestmark = pytest.mark.unit

# tcpdump -d 'ip and tcp port 80', in all the forms of tcpdump
PORT_80 = """\
(000) ldh      [12]
(001) jeq      #0x800           jt 2\tjf 12
(002) ldb      [23]
(003) jeq      #0x6             jt 4\tjf 12
(004) ldh      [20]
(005) jset     #0x1fff          jt 12\tjf 6
(006) ldxb     4*([14]&0xf)
(007) ldh      [x + 14]
(008) jeq      #0x50            jt 11\tjf 9
(009) ldh      [x + 16]
(010) jeq      #0x50            jt 11\tjf 12
(011) ret      #262144
(012) ret      #0
"""
DECIMAL = (
    "13\n40 0 0 12\n21 0 10 2048\n48 0 0 23\n21 0 8 6\n40 0 0 20\n69 6 0 8191\n177 0 0 14\n"
    "72 0 0 14\n21 2 0 80\n72 0 0 16\n21 0 1 80\n6 0 0 262144\n6 0 0 0\n"
)


def one(text: str) -> SockFilter:
    return cbpf.parse(text)[0]


class TestText:
    def test_the_forms_of_tcpdump_are_the_same_filter(self) -> None:
        program = cbpf.parse(PORT_80)
        assert cbpf.parse(DECIMAL) == program
        assert cbpf.parse(DECIMAL.replace("\n", ",").rstrip(",")) == program  # iptables' form
        assert cbpf.dump(program) == PORT_80
        assert cbpf.dump_decimal(program) == DECIMAL
        assert cbpf.dump_c(program).splitlines()[1] == "{ 0x15, 0, 10, 0x00000800 },"
        assert cbpf.parse(cbpf.dump_c(program)) == program
        assert cbpf.parse(cbpf.dump_asm(program)) == program

    @pytest.mark.parametrize(
        ("text", "insn"),
        [
            ("ld [4]", (0x20, 0, 0, 4)),
            ("ldb [x+4]", (0x50, 0, 0, 4)),
            ("LDH [%x + 0x10]", (0x48, 0, 0, 16)),
            ("ld #-1", (0x00, 0, 0, 0xFFFFFFFF)),
            ("ldi #7", (0x00, 0, 0, 7)),
            ("ldxi #7", (0x01, 0, 0, 7)),
            ("ld M[3]", (0x60, 0, 0, 3)),
            ("stx M[15]", (0x03, 0, 0, 15)),
            ("ld #len", (0x80, 0, 0, 0)),
            ("ldx len", (0x81, 0, 0, 0)),
            ("ldxb 4 * ( [ 14 ] & 0xf )", (0xB1, 0, 0, 14)),
            ("ld #proto", (0x20, 0, 0, 0xFFFFF000)),
            ("ld vlan_avail", (0x20, 0, 0, 0xFFFFF030)),
            ("ldb [vlanp]", (0x30, 0, 0, 0xFFFFF030)),
            ("ld [-4056]", (0x20, 0, 0, 0xFFFFF028)),
            ("add x", (0x0C, 0, 0, 0)),
            ("and #0xff", (0x54, 0, 0, 255)),
            ("neg", (0x84, 0, 0, 0)),
            ("tax", (0x07, 0, 0, 0)),
            ("txa", (0x87, 0, 0, 0)),
            ("ret a", (0x16, 0, 0, 0)),
            ("ret %a", (0x16, 0, 0, 0)),
            ("ret #5", (0x06, 0, 0, 5)),
            ("jmp out\nret #0\nout: ret #1", (0x05, 0, 0, 1)),
            ("jeq #1, yes, no\nno: ret #0\nyes: ret #1", (0x15, 1, 0, 1)),
            ("jne #1, out\nret #0\nout: ret #1", (0x15, 0, 1, 1)),
            ("jlt x, out\nret #0\nout: ret #1", (0x3D, 0, 1, 0)),
            ("jle #5, out\nret #0\nout: ret #1", (0x25, 0, 1, 5)),
        ],
    )
    def test_spellings(self, text: str, insn: tuple[int, int, int, int]) -> None:
        assert one(text) == insn

    @settings(deadline=None)
    @given(st.lists(st.sampled_from(sorted(cbpf.FORMS)), max_size=20), st.integers(0, 0xFFFFFFFF))
    def test_text_gives_the_same_filter(self, codes: list[int], k: int) -> None:
        program = [SockFilter(code, k=k) for code in codes if cbpf.FORMS[code].kind != "jump"]
        silent = ("x", "none", "len")
        program = [
            insn._replace(k=0) if cbpf.FORMS[insn.code].operand in silent else insn
            for insn in [*program, SockFilter(6)]
        ]
        assert cbpf.parse(cbpf.dump(program)) == program
        assert cbpf.parse(cbpf.dump_asm(program)) == program
        assert cbpf.parse(cbpf.dump_decimal(program)) == program
        assert cbpf.decode(cbpf.encode(program)) == program
        assert cbpf.decode(cbpf.encode(program, "big"), "big") == program

    @pytest.mark.parametrize(
        ("text", "line", "column", "message"),
        [
            ("ret #0\nfoo #1", 2, 1, "no instruction 'foo'"),
            ("ld #5x", 1, 4, "ld takes"),
            ("ret #" + "9" * 5000, 1, 5, "ret takes"),
            ("1\n6 0 0 " + "9" * 5000, 1, 1, "an instruction is expected"),
            ("ret x", 1, 5, "ret takes #1, nothing"),
            ("ld #nothing", 1, 4, "ld takes"),
            ("ld #0x100000000", 1, 4, "does not fit 32 bits"),
            ("jeq #1", 1, 1, "needs a target"),
            ("ret #1, out", 1, 1, "has no target"),
            ("ja 1, 2", 1, 1, "has one target"),
            ("ja nowhere", 1, 1, "no label 'nowhere'"),
            ("a: ret #0\njeq #1, a, a", 2, 1, "must lead forward"),
            ("a: ret #0\na: ret #0", 2, 1, "already in use"),
            ("(001) ret #0", 1, 2, "instruction 0 is expected"),
            ("jeq #1, far, far\n" + "ld #0\n" * 300 + "far: ret #0", 1, 1, "255 instructions"),
            ("2\n6 0 0 0\n", 1, 1, "2 instructions announced, 1 given"),
            ("1\n6 256 0 0\n", 2, 1, "256 is more than 255"),
        ],
    )
    def test_errors_show_the_place(self, text: str, line: int, column: int, message: str) -> None:
        with pytest.raises(SourceError) as caught:
            cbpf.parse(text)
        assert message in caught.value.summary
        assert (caught.value.line, caught.value.column) == (line, column)

    @settings(deadline=None)
    @given(st.text(max_size=40) | st.text("ldhbxja #[]{}+0123456789,:();\n\tMret", max_size=30))
    def test_no_text_raises_anything_else(self, text: str) -> None:
        try:
            cbpf.parse(text)
        except SourceError as error:
            assert error.line  # noqa: PT017

    def test_an_unknown_code_is_shown(self) -> None:
        assert cbpf.dump([SockFilter(0xFF)]) == "(000) unimp    0xff\n"
        with pytest.raises(AsmError, match="unknown code"):
            cbpf.dump_asm([SockFilter(0xFF)])

    def test_bytes_that_are_no_filter(self) -> None:
        with pytest.raises(AsmError, match="9 bytes"):
            cbpf.decode(bytes(9))
        with pytest.raises(AsmError, match="does not fit"):
            cbpf.encode([SockFilter(6, k=1 << 32)])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "1 to 4096"),
        ("ld #0", "must be ret"),
        ("1\n255 0 0 0", "unknown code"),
        ("div #0\nret a", "division by zero"),
        ("lsh #32\nret a", "not less than 32"),
        ("st M[16]\nret a", r"no M\[16\]"),
        ("1\n5 0 0 0", "past the end"),
        ("2\n21 0 1 0\n6 0 0 0", "past the end"),
        ("ld [-4000]\nret a", "no ancillary value at -4000"),
        ("ld M[1]\nret a", "not stored before"),
        ("jeq #1, skip, store\nstore: st M[1]\nskip: ld M[1]\nret a", "not stored before"),
        ("jeq #1, skip, store\nstore: st M[1]\nret a\nskip: ret a", None),
        ("ld #0\n" * 4096 + "ret a", "1 to 4096"),
    ],
)
def test_checks(text: str, reason: str | None) -> None:
    program = cbpf.parse(text) if text else []
    if reason is None:
        assert cbpf.check(program) is None
    else:
        for use in (cbpf.run, lambda program, _: cbpf.to_ebpf(program)):
            with pytest.raises(AsmError, match=reason):
                use(program, b"")  # type: ignore[operator]


PACKET = bytes.fromhex("45000014 00010203 ff060000 0a000001 0a000002")


class TestRun:
    @pytest.mark.parametrize(
        ("text", "verdict"),
        [
            ("ld [12]\nret a", 0x0A000001),
            ("ldx #10\nldh [x + -2]\nret a", 0xFF06),
            ("ldxb 4*([0]&0xf)\ntxa\nret a", 20),
            ("ldb [20]\nret #1", 0),
            ("ld [17]\nret #1", 0),
            ("ld #7\ndiv x\nret #1", 0),
            ("ld #7\nldx #2\nmod x\nret a", 1),
            ("ld #1\nldx #33\nlsh x\nret a", 2),
            ("ld #1\nneg\nret a", 0xFFFFFFFF),
            ("ld #len\nret a", 20),
            ("ld #5\nst M[3]\nld #0\nldx M[3]\ntxa\nret a", 5),
            ("ld #0xffffffff\njgt #0x7fffffff, yes, no\nyes: ret #1\nno: ret #2", 1),
            ("ld [-1048576]\nret #1", 0),
        ],
    )
    def test_verdicts(self, text: str, verdict: int) -> None:
        assert cbpf.run(cbpf.parse(text), PACKET) == verdict

    def test_what_comes_with_an_skb(self) -> None:
        skb = Skb(
            length=99, link=-14, network=0, headroom=bytes(range(14)), protocol=0x800, pkttype=4,
            ifindex=3, hatype=1, mark=5, queue=6, rxhash=7, cpu=1, vlan_tci=9, vlan_present=True,
            vlan_tpid=0x8100, payload_offset=40, random=lambda: 11,
        )  # fmt: skip
        wanted = {
            "#len": 99, "#proto": 0x800, "#type": 4, "#ifidx": 3, "#hatype": 1, "#mark": 5,
            "#queue": 6, "#rxhash": 7, "#cpu": 1, "#vlan_tci": 9, "#vlan_pr": 1,
            "#vlan_tpid": 0x8100, "#poff": 40, "#rand": 11,
            "[-2097152]": 0x00010203, "[-1048576]": 0x45000014,
        }  # fmt: skip
        for operand, value in wanted.items():
            assert cbpf.run(cbpf.parse(f"ld {operand}\nret a"), PACKET, skb) == value
        no_device = skb._replace(ifindex=None, hatype=None)
        assert cbpf.run(cbpf.parse("ld #6\nld #ifidx\nret #1"), PACKET, no_device) == 6

    def test_xor_with_x(self) -> None:
        assert cbpf.run(cbpf.parse("ld #6\nldx #3\nld #xor_x\nret a"), b"") == 5

    @pytest.mark.parametrize(
        ("start", "kind", "load", "found"),
        [
            (0, 2, "nla", 8), (0, 3, "nla", 0), (0, 4, "nla", 16), (8, 5, "nla", 0),
            (16, 5, "nlan", 20), (16, 6, "nlan", 0), (28, 1, "nla", 0), (0, 1, "nlan", 0),
        ],
    )  # fmt: skip
    def test_netlink_attributes(self, start: int, kind: int, load: str, found: int) -> None:
        # three attributes of types 1, 2 and 4; the last, flagged as nested, holds one of type 5
        packet = bytes.fromhex(
            "0600 0100 aaaa 0000  0800 0200 bbbbbbbb  0c00 0480 0800 0500 cccccccc"
        )
        program = cbpf.parse(f"ld #{start}\nldx #{kind}\nld #{load}\nret a")
        assert cbpf.run(program, packet) == found


@pytest.mark.parametrize(
    ("load", "target", "reason"),
    [
        ("#nla", "skb", "cannot get at"),
        ("#hatype", "skb", "cannot get at"),
        ("#poff", "skb", "cannot get at"),
        ("#mark", "buffer", "plain buffer has none"),
    ],
)
def test_what_has_no_counterpart_in_ebpf_is_refused(
    load: str, target: cbpf.Target, reason: str
) -> None:
    with pytest.raises(AsmError, match=reason):
        cbpf.to_ebpf(cbpf.parse(f"ld {load}\nret a"), target)
