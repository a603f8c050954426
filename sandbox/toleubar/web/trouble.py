"""Trouble on the line, the same for the merchant's calls and the card form: before the request is
carried out, and after.
"""

from kernel.errors import Refusal
from sandbox.toleubar.desk import Desk


class LinkCut(Refusal):
    """The connection is broken."""

    status, code = 503, "link-cut"


async def trouble_before(desk: Desk, verb: str) -> None:
    """Raises LinkCut: nothing has been done. What was held goes on afterwards."""
    board = desk.switchboard
    if board.strikes(f"{verb}_abort_before"):
        raise LinkCut
    if board.strikes(f"{verb}_stall_before"):
        await desk.sleep(board.faults.stall_s)


async def trouble_after(desk: Desk, verb: str) -> None:
    """Raises LinkCut: the answer is lost, and what it told of has been done."""
    board = desk.switchboard
    if board.strikes(f"{verb}_abort"):
        raise LinkCut
    if board.strikes(f"{verb}_stall"):
        await desk.sleep(board.faults.stall_s)
    if board.strikes("slow"):
        await desk.sleep(board.faults.slow_s)
