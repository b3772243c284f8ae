"""Follows the selftest user_ringbuf: records from user space, and a dialogue through two rings."""

import ctypes
import errno
import mmap
import struct as bytes_
import threading
from enum import IntEnum

import pytest

from ebee import (  # isort: skip
    Global, RingBuf, UserRingBuf, func, struct, syscall, u32, u64,
)  # fmt: skip
from ebee.errors import KernelError
from ebee.linux.user_ringbuf import UserRingBuffer

pytestmark = pytest.mark.kernel
SINCE = "6.1"
FOLLOWS = {
    "prog_tests/user_ringbuf.c": 530,
    "progs/user_ringbuf_success.c": 171,
    "progs/test_user_ringbuf.h": 25,
}
SIZE = mmap.PAGESIZE
HEADER = 8
WORD, HALF = 4, 2


class Op(IntEnum):
    ADD = 0
    ADD_HALF = 1
    MULTIPLY = 2
    MULTIPLY_HALF = 3


@struct
class Message:
    op: u32
    half: u32
    word: u64


@struct
class Given:
    unused: u64


from_user = UserRingBuf[Message](size=SIZE)
from_kernel = RingBuf[Message](size=SIZE)
read: Global[u64] = 0
result: Global[u64] = 0
expected: Global[u64] = 0


@func
def changed(value: u64, message: Message) -> u64:
    match message.op:
        case Op.ADD:
            return value + message.word
        case Op.ADD_HALF:
            return value + message.half
        case Op.MULTIPLY:
            return value * message.word
        case Op.MULTIPLY_HALF:
            return value * message.half
        case _:
            return value


@syscall
def count(given: Given) -> int:
    global read
    for _ in from_user.drain():
        read += 1
    return 0


@syscall
def take_one(given: Given) -> int:
    """A function that ends the walk: the others stay."""
    global read
    for _ in from_user.drain():
        read += 1
        break
    return 0


@syscall
def answer(given: Given) -> int:
    """Takes what user space asks for, and asks for the same kinds of things."""
    global result, expected
    for message in from_user.drain():
        result = changed(result, message)
    for i in range(8):
        with from_kernel.reserve() as asked:
            if asked is None:
                return 1
            asked.op, asked.word, asked.half = u32(i % 4), WORD, HALF
            expected = changed(expected, asked)
    return 0


@pytest.fixture
def ring(port):
    """What was loaded, its producer, and a way to run its programs."""
    loaded = port()
    with UserRingBuffer(loaded.maps["from_user"].raw) as producer:

        def run(program):
            assert loaded.programs[program].test_run(ctx=bytes(8)).retval == 0
            return loaded.variables["read"].value

        yield loaded, producer, run


RECORD = bytes_.pack("<IIQ", Op.ADD, 0, 1)


def protected(fd, offset, before, after):
    """The number of the error of changing what is mapped there to `after`, or 0."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype, libc.mmap.argtypes = ctypes.c_void_p, (ctypes.c_void_p, *[ctypes.c_long] * 5)
    address = libc.mmap(None, SIZE, before, mmap.MAP_SHARED, fd, offset)
    assert address != ctypes.c_void_p(-1).value
    failed = libc.mprotect(ctypes.c_void_p(address), SIZE, after)
    code = ctypes.get_errno() if failed else 0
    libc.munmap(ctypes.c_void_p(address), SIZE)
    return code


def test_what_may_be_mapped(port):
    """User space only reads how far the kernel is, and nothing is code."""
    fd = port().maps["from_user"].raw.fd.fileno()
    with pytest.raises(PermissionError):
        mmap.mmap(fd, SIZE, mmap.MAP_SHARED, mmap.PROT_WRITE)
    assert protected(fd, 0, mmap.PROT_READ, mmap.PROT_WRITE) == errno.EACCES
    for page in range(3):
        before = mmap.PROT_READ if page == 0 else mmap.PROT_READ | mmap.PROT_WRITE
        assert protected(fd, page * SIZE, before, before) == 0
        assert protected(fd, page * SIZE, before, mmap.PROT_EXEC) == errno.EACCES


def test_records_are_taken_once(ring):
    _, producer, run = ring
    for _ in range(2):
        producer.send(RECORD)
    assert run("count") == 2
    assert run("count") == 2


def test_what_is_discarded_is_passed_over(ring):
    _, producer, run = ring
    with pytest.raises(ZeroDivisionError), producer.reserve(16):
        raise ZeroDivisionError
    producer.send(RECORD)
    assert run("count") == 1


def test_there_is_an_end(ring):
    _, producer, run = ring
    fits = SIZE // (HEADER + len(RECORD))
    for _ in range(fits):
        producer.send(RECORD, timeout=0)
    with pytest.raises(KernelError) as error:
        producer.send(RECORD, timeout=0)
    assert error.value.errno == errno.EAGAIN
    assert run("count") == fits
    producer.send(RECORD, timeout=0)
    assert run("count") == fits + 1


def test_what_never_fits(ring):
    _, producer, _ = ring
    with pytest.raises(KernelError) as error:
        producer.send(bytes(SIZE + 1), timeout=0)
    assert error.value.errno == errno.E2BIG


def test_more_than_the_ring_holds(ring):
    _, producer, run = ring
    for taken in range(10, 301, 10):
        for _ in range(10):
            producer.send(RECORD, timeout=0)
        assert run("count") == taken


def test_the_program_may_stop(ring):
    _, producer, run = ring
    for _ in range(3):
        producer.send(RECORD)
    assert [run("take_one") for _ in range(3)] == [1, 2, 3]


def test_a_dialogue(ring):
    loaded, producer, run = ring
    mine = theirs = 0
    for i in range(8):
        op = Op(i % 4)
        half, word = (HALF, 0) if op in (Op.ADD_HALF, Op.MULTIPLY_HALF) else (0, WORD)
        producer.send(bytes_.pack("<IIQ", op, half, word))
        mine = mine + (half or word) if op in (Op.ADD, Op.ADD_HALF) else mine * (half or word)
    run("answer")
    for message in loaded.events("from_kernel").read():
        operand = message.half if message.op % 2 else message.word
        theirs = theirs + operand if message.op in (Op.ADD, Op.ADD_HALF) else theirs * operand
    assert loaded.variables["result"].value == mine % 2**64
    assert loaded.variables["expected"].value == theirs % 2**64 > 0


def test_waiting_for_room(ring, in_thread):
    """A producer without room goes on when a program has taken something."""
    _, producer, run = ring
    for _ in range(SIZE // (HEADER + len(RECORD))):
        producer.send(RECORD)
    sent = threading.Event()

    def wait():
        producer.send(RECORD, timeout=30)
        sent.set()

    in_thread(wait)
    assert not sent.wait(0.05)
    run("count")
    assert sent.wait(30)
