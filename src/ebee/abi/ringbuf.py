"""The ring buffer's memory, the same in the kernel and on the machine (kernel/bpf/ringbuf.c).

Positions count bytes from the beginning of time; a record stands at `position % size`. Before its
payload is a header of 8 bytes: u32 length with two flags, u32 for the kernel's own use. Records
begin at multiples of 8. The data area appears twice in a row, so that a record is never broken.
A producer never fills the last byte: a full buffer holds at most size - 1 bytes of records.
"""

from collections.abc import Iterator

BUSY = 1 << 31
DISCARD = 1 << 30
HEADER = 8
LENGTH = DISCARD - 1

# User space maps three parts in a row: one page that begins with the consumer's position (u64),
# one page with the producer's, and the data twice.
CONSUMER_PAGE, PRODUCER_PAGE, DATA_PAGE = 0, 1, 2

# Flags of bpf_ringbuf_output, _submit, _discard; and what bpf_ringbuf_query can be asked for.
BPF_RB_NO_WAKEUP, BPF_RB_FORCE_WAKEUP = 1, 2
BPF_RB_AVAIL_DATA, BPF_RB_RING_SIZE, BPF_RB_CONS_POS, BPF_RB_PROD_POS = range(4)


def record_size(length: int) -> int:
    """The bytes that a record with `length` bytes of payload takes."""
    return (length + HEADER + 7) & ~7


def records(
    data: memoryview, words: memoryview, consumer: int, producer: int
) -> Iterator[tuple[int, memoryview | None]]:
    """The complete records between two positions: (position after it, payload).

    The payload is None for a discarded record. It ends at the first record that is still being
    written. `data` is the data area, twice, as bytes; `words` the same memory as u32.
    """
    mask = len(data) // 2 - 1
    while consumer < producer:
        at = consumer & mask
        header = words[at >> 2]
        if header & BUSY:
            return
        length = header & LENGTH
        consumer += (length + 15) & ~7
        at += HEADER
        yield consumer, None if header & DISCARD else data[at : at + length]
