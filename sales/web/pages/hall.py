"""How a zone is cut into blocks that a person can look at: one stand of a stadium at a time.

A zone may have 30 000 seats; nobody chooses from a grid of that size, and no phone draws it.
Small zones are one block. Pure: it knows rows and states, not where they come from.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate

import msgspec

from sales.geometry import Zone

# A block is at most this tall and this wide: it fits a screen, and loads at once on a phone.
BLOCK_ROWS_MAX = 20
BLOCK_SEATS_ACROSS_MAX = 25
# Rows of up to this many seats stay whole: the halls of cinemas and theatres.
ROW_WHOLE_MAX = 40

FREE, HELD, SOLD = 0, 1, 2


class Seat(msgspec.Struct, frozen=True):
    """`seat` is its index in the event; `number` counts from 1 along its row."""

    seat: int
    number: int
    state: int


class Row(msgspec.Struct, frozen=True):
    row: int
    seats: list[Seat]


class Block(msgspec.Struct, frozen=True):
    """Rows `rows` (offsets in the zone) by seat numbers `across` (offsets in a row)."""

    number: int
    rows: range
    across: range
    first_row: int
    last_row: int
    total: int
    free: int

    @property
    def heat(self) -> int:
        """0 where nothing is free, then 1 (little) … 5 (all)."""
        return 0 if not self.free else 1 + min(4, self.free * 5 // self.total)


class Cut(msgspec.Struct, frozen=True):
    """The zone's blocks row band by row band, `across` of them in each band."""

    blocks: list[Block]
    across: int


def cut(zone: Zone, states: bytes) -> Cut:
    """The blocks of the zone, numbered from 1, with what is free in each.

    `states`: one byte a seat of the zone (FREE, HELD, SOLD), in seat order.
    """
    assert len(states) == zone.seat_count
    starts = row_starts(zone)
    widest = max(zone.row_sizes)
    whole = widest <= ROW_WHOLE_MAX
    columns = [range(widest)] if whole else list(_bands(widest, BLOCK_SEATS_ACROSS_MAX))
    blocks: list[Block] = []
    for rows in _bands(len(zone.row_sizes), BLOCK_ROWS_MAX):
        for across in columns:
            spans = [_span(zone.row_sizes[row], starts[row], across) for row in rows]
            free = sum(states.count(FREE, span.start, span.stop) for span in spans)
            total = sum(len(span) for span in spans)
            first, last = zone.first_row + rows.start, zone.first_row + rows.stop - 1
            blocks.append(Block(len(blocks) + 1, rows, across, first, last, total, free))
    return Cut(blocks, len(columns))


def rows_of(zone: Zone, block: Block, states: bytes) -> list[Row]:
    """The block's rows and seats, front row first."""
    starts = row_starts(zone)
    rows = []
    for offset in block.rows:
        span = _span(zone.row_sizes[offset], starts[offset], block.across)
        seats = [Seat(zone.first_seat + at, at - starts[offset] + 1, states[at]) for at in span]
        rows.append(Row(zone.first_row + offset, seats))
    return rows


def row_starts(zone: Zone) -> list[int]:
    """Where each row begins, counted from the zone's first seat."""
    return list(accumulate(zone.row_sizes[:-1], initial=0))


def best_block(blocks: Sequence[Block]) -> Block:
    """What to show who has not chosen: the frontmost block with room for a party."""
    roomy = (block for block in blocks if block.free * 10 >= block.total)
    some = (block for block in blocks if block.free)
    return next(roomy, None) or next(some, None) or blocks[0]


def block_with(zone: Zone, blocks: Sequence[Block], seat: int) -> Block | None:
    """The block where a seat of the event stands; None for a seat of another zone."""
    if seat not in zone.seats:
        return None
    at = seat - zone.first_seat
    for block in blocks:
        for offset, start in zip(block.rows, row_starts(zone)[block.rows.start :], strict=False):
            if at in _span(zone.row_sizes[offset], start, block.across):
                return block
    return None


def _span(row_size: int, row_start: int, across: range) -> range:
    """The seats of one row that a column band covers, counted from the zone's first seat."""
    return range(row_start + min(across.start, row_size), row_start + min(across.stop, row_size))


def _bands(length: int, size_max: int) -> Iterator[range]:
    """As few bands as the limit allows, as equal as possible."""
    count = -(-length // size_max)
    for number in range(count):
        yield range(number * length // count, (number + 1) * length // count)
