"""How a zone is cut into blocks that fit a screen."""

from hypothesis import given
from hypothesis import strategies as st

from sales.geometry import Zone
from sales.web.pages.hall import (
    BLOCK_ROWS_MAX,
    BLOCK_SEATS_ACROSS_MAX,
    FREE,
    ROW_WHOLE_MAX,
    best_block,
    block_with,
    cut,
    rows_of,
)

halls = st.lists(st.integers(1, 130), min_size=1, max_size=70)


def zone_of(sizes: list[int], first_seat: int = 0, first_row: int = 1) -> Zone:
    return Zone(1, "Партер", 100, first_row, sizes, first_seat, sum(sizes))


@given(halls, st.randoms(use_true_random=False))
def test_every_seat_is_in_exactly_one_block_and_counted_there(sizes, chance):
    zone = zone_of(sizes, first_seat=500, first_row=7)
    states = bytes(chance.choice((0, 0, 1, 2)) for _ in range(zone.seat_count))
    whole = cut(zone, states)
    seen = []
    for block in whole.blocks:
        rows = rows_of(zone, block, states)
        here = [seat for row in rows for seat in row.seats]
        assert len(rows) <= BLOCK_ROWS_MAX
        assert all(len(row.seats) <= ROW_WHOLE_MAX for row in rows)
        assert block.total == len(here)
        assert block.free == sum(seat.state == FREE for seat in here)
        assert (block.heat == 0) == (block.free == 0)
        seen += [seat.seat for seat in here]
    assert sorted(seen) == list(zone.seats)
    assert len(whole.blocks) % whole.across == 0


@given(halls, st.data())
def test_a_seat_is_found_in_the_block_that_shows_it(sizes, data):
    zone = zone_of(sizes, first_seat=11)
    states = bytes(zone.seat_count)
    seat = data.draw(st.sampled_from(zone.seats))
    blocks = cut(zone, states).blocks
    block = block_with(zone, blocks, seat)
    assert block is not None
    assert seat in {one.seat for row in rows_of(zone, block, states) for one in row.seats}
    assert block_with(zone, blocks, 5) is None


def test_the_star_concert_is_cut_into_stands_of_five_hundred():
    whole = cut(zone_of([100] * 300), bytes(30_000))
    assert (len(whole.blocks), whole.across) == (60, 4)
    assert {block.total for block in whole.blocks} == {500}
    assert {len(block.across) for block in whole.blocks} == {BLOCK_SEATS_ACROSS_MAX}


def test_a_cinema_hall_stays_whole():
    whole = cut(zone_of([20, 22, 22, 22]), bytes(86))
    assert len(whole.blocks) == 1


def test_seats_are_named_as_on_the_ticket():
    zone = zone_of([3, 4], first_seat=10, first_row=5)
    block = cut(zone, bytes(7)).blocks[0]
    rows = rows_of(zone, block, bytes(7))
    assert [(row.row, [(s.seat, s.number) for s in row.seats]) for row in rows] == [
        (5, [(10, 1), (11, 2), (12, 3)]),
        (6, [(13, 1), (14, 2), (15, 3), (16, 4)]),
    ]


def test_who_has_not_chosen_is_shown_room_near_the_front():
    zone = zone_of([100] * 40)
    states = bytes([1]) * 2_000 + bytes(2_000)
    assert best_block(cut(zone, states).blocks).first_row == 21
    assert best_block(cut(zone, bytes([2]) * 4_000).blocks).number == 1
