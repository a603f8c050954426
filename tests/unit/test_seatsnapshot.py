"""What can be read off the states of a hall."""

from hypothesis import given
from hypothesis import strategies as st

from sales.geometry import Hall
from sales.seatsnapshot import FREE, HELD, SOLD, Snapshot, pack
from tests.halls import SMALL

HALL = Hall(7, SMALL)
FIRST, SECOND = HALL.zones


def unpack(packed: bytes, count: int) -> bytes:
    """As the page's script reads it."""
    return bytes((packed[i >> 2] >> ((i & 3) << 1)) & 3 for i in range(count))


@given(st.lists(st.sampled_from([FREE, HELD, SOLD]), max_size=200).map(bytes))
def test_two_bits_a_seat_say_the_same(states):
    packed = pack(states)
    assert len(packed) == -(-len(states) // 4)
    assert unpack(packed, len(states)) == states


def test_a_zone_is_read_apart():
    snapshot = Snapshot(HALL, 5, b"FHSFFFF" + b"SSHF")
    assert snapshot.states(SECOND.seats) == bytes([SOLD, SOLD, HELD, FREE])
    assert unpack(snapshot.packed(FIRST), 7) == bytes([0, 1, 2, 0, 0, 0, 0])
    assert snapshot.counts(FIRST) == (7, 5, 1, 1)
    assert snapshot.counts(SECOND) == (4, 1, 1, 2)


def test_a_zone_keeps_its_version_while_another_changes():
    before = Snapshot(HALL, 5, b"F" * 11)
    after = Snapshot(HALL, 9, b"F" * 10 + b"H", before)
    assert (after.zone_version(FIRST), after.zone_version(SECOND)) == (5, 9)
    again = Snapshot(HALL, 12, b"F" * 11, after)
    assert (again.zone_version(FIRST), again.zone_version(SECOND)) == (5, 12)


@given(
    st.text("FHS", min_size=11, max_size=11),
    st.sampled_from([FREE, HELD, SOLD]),
    st.integers(0, 10),
    st.integers(1, 6),
)
def test_pages_go_round_the_hall_once(letters, state, start, size):
    snapshot = Snapshot(HALL, 1, letters.encode())
    seats = range(11)
    pages = [snapshot.page(state, seats, start, offset, size) for offset in range(0, 12, size)]
    listed = [seat for page in pages for seat in page]
    wanted = [seat for seat in seats if "FHS".index(letters[seat]) == state]
    assert sorted(listed) == wanted
    assert listed == sorted(wanted, key=lambda seat: (seat < start, seat))
    assert snapshot.count(state, seats) == len(wanted)
    assert all(len(page) <= size for page in pages)


def test_a_row_is_listed_apart():
    snapshot = Snapshot(HALL, 1, b"FHSFFFFSSHF")
    row = HALL.seats_of_row(2)
    assert snapshot.page(FREE, row, 5, 0, 3) == [5, 6, 3]
    assert snapshot.page(HELD, row, 3, 0, 3) == []
    assert snapshot.page(FREE, range(0), 0, 0, 3) == []
