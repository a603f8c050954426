"""Trouble on the line: before a call is carried out, and after."""

from kernel.errors import Refusal
from sandbox.provider.desk import Desk


class LinkCut(Refusal):
    """The connection is broken."""

    status, code = 503, "link-cut"


async def trouble_before(desk: Desk, hall: int, verb: str) -> None:
    """Raises LinkCut: nothing has been done. What was held goes on afterwards."""
    board = desk.switchboard
    faults = board.of(hall)
    if faults.down:
        board.count("down")
        raise LinkCut
    if board.strikes("abort_before", hall, verb):
        raise LinkCut
    if board.strikes("stall_before", hall, verb):
        await desk.sleep(faults.stall_s)


async def trouble_after(desk: Desk, hall: int, verb: str) -> None:
    """Raises LinkCut: the answer is lost, and what it told of has been done."""
    board = desk.switchboard
    faults = board.of(hall)
    if board.strikes("abort", hall, verb):
        raise LinkCut
    if board.strikes("stall", hall, verb):
        await desk.sleep(faults.stall_s)
    if board.strikes("slow", hall, verb):
        await desk.sleep(faults.slow_s)
