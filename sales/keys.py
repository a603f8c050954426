"""Names of the shop's Redis keys, and which of them each seat command is handed.

All keys of an event carry its hash tag, so that one command may touch them together.
"""

from typing import Final

# Events that may have holds → the latest moment (epoch ms) at which one of them can end.
HOLDING: Final = "holding"

# What the others were filled from: see sales.epochs.
EPOCH: Final = "epoch"
# One byte a seat: F free, H held, S sold, X not ours to sell now.
SEATS: Final = "seats"
# Seat → "order:account" of whoever holds or owns it.
HOLDERS: Final = "holders"
# Order → its hold, packed: "account:expires_ms:latest_ms:mode:seat,seat,…"; mode b while the
# buyer is choosing, f while payment has it frozen.
HOLDS: Final = "holds"
# Order → moment its hold ends (epoch ms), of those still choosing and of the frozen ones.
EXPIRING: Final = "expiring"
FROZEN: Final = "frozen"
# Account → places it holds and owns.
TALLY: Final = "tally"
# Raised by each change of a seat's state.
VERSION: Final = "version"
# Of an event whose hall's owner has given us a part of it: what of each zone (sales.allotment).
ALLOTMENTS: Final = "allotments"
# Of a partner's event: "token:ms", as of when its partner's list is in the seats.
AVAILABILITY: Final = "availability"

COMMAND_KEYS: Final[dict[str, tuple[str, ...]]] = {
    "hold": (EPOCH, SEATS, HOLDERS, HOLDS, EXPIRING, TALLY, VERSION),
    "best": (EPOCH, SEATS, HOLDERS, HOLDS, EXPIRING, TALLY, VERSION),
    "release": (EPOCH, SEATS, HOLDERS, HOLDS, EXPIRING, TALLY, VERSION),
    "freeze": (EPOCH, HOLDS, EXPIRING, FROZEN),
    "thaw": (EPOCH, HOLDS, EXPIRING, FROZEN),
    "claim": (EPOCH, SEATS, HOLDERS, HOLDS, EXPIRING, FROZEN, TALLY, VERSION),
    "free": (EPOCH, SEATS, HOLDERS, HOLDS, EXPIRING, FROZEN, TALLY, VERSION),
    "lapse": (SEATS, HOLDERS, HOLDS, EXPIRING, FROZEN, TALLY, VERSION, ALLOTMENTS),
    "fill": (EPOCH, SEATS, HOLDERS, HOLDS, EXPIRING, FROZEN, TALLY, VERSION, ALLOTMENTS),
    "look": (EPOCH, HOLDS),
    "holder": (EPOCH, SEATS, HOLDERS),
    "read": (EPOCH, SEATS, VERSION),
    "outside": (EPOCH, SEATS, VERSION),
    "allot": (EPOCH, SEATS, VERSION, ALLOTMENTS),
}
# Commands that look at what was given to us, as their last key, where not all seats are ours.
ALLOTTED: Final = frozenset({"hold", "best", "release", "claim", "free", "read"})


def key(name: str, event_id: int) -> str:
    return f"{name}:{{{event_id}}}"


def keys_of(command: str, event_id: int, *, is_allotted: bool = False) -> list[str]:
    """The KEYS of a command, in the order its header numbers them. Where all seats are ours no
    command is handed the allotments, so that it need not look for them.
    """
    names = COMMAND_KEYS[command]
    if is_allotted and command in ALLOTTED:
        names = (*names, ALLOTMENTS)
    return [key(name, event_id) for name in names]
