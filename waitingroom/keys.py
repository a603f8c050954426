"""Every Redis key of the waiting room. All of a room's keys share the hash tag `{event}`.

What belongs to one line of people carries the generation, so a reset can never mix old and new.
What counts the people inside does not: they are inside whichever line they came from.
"""

from binascii import Error as NotBase64
from binascii import a2b_base64
from zlib import crc32

import msgspec

from kernel.subjects import SUBJECT_BYTES

# The set of all events that have a room.
EVENTS = "room:events"
# Who ticks: the leader's name (with a life), and the fence given to the last leader.
LEADER = "room:{leader}:owner"
LEADER_FENCE = "room:{leader}:fence"

# Subjects live in small hashes, which Redis packs (about 26 bytes a waiter up to 512 entries a
# hash, so up to eight million waiters).
PLACE_BUCKETS = 16_384
# A waiter who was seen in this window or the one before it counts as living.
LIVE_WINDOW_MS = 60_000


class LaneId(msgspec.Struct, frozen=True):
    """The lane of the invited beside the line of this `generation`: a second line of people, with
    keys of its own. `lane` is the generation it began in; the draw of a lottery begins another
    generation of the line and leaves the lane as it is.
    """

    generation: int
    lane: int

    def __str__(self) -> str:
        return f"{self.lane}:lane"


# Which line of people: the one of a generation, or its lane.
LineId = int | LaneId


def generation_of(line: LineId) -> int:
    return line if isinstance(line, int) else line.generation


def settings(event: int) -> str:
    """Hash: the room's settings, see waitingroom.settings."""
    return f"room:{{{event}}}:settings"


def changes(event: int) -> str:
    """List: who changed what, newest first."""
    return f"room:{{{event}}}:changes"


def bucket(event: int) -> str:
    """Hash: the gate's permits and when they were last counted."""
    return f"room:{{{event}}}:bucket"


def leases(event: int) -> str:
    """Sorted set: who is in flight, scored by the end of the lease (ms)."""
    return f"room:{{{event}}}:leases"


def visits(event: int) -> str:
    """Hash: what the pass of each lease says, by subject."""
    return f"room:{{{event}}}:visits"


def freed(event: int) -> str:
    """Set: passes whose visit ended while some of those inside were nameless (lua/recover.lua)."""
    return f"room:{{{event}}}:freed"


def traffic(event: int) -> str:
    """Hash: requests told by second, and who told them when (lua/hear.lua)."""
    return f"room:{{{event}}}:traffic"


def invites(event: int) -> str:
    """Hash: name of an invitation that was used → the subject that did."""
    return f"room:{{{event}}}:invites"


def door(event: int) -> str:
    """Hash: `rule outcome` → how often the doors of all processes did that here."""
    return f"room:{{{event}}}:door"


def draw(event: int) -> str:
    """Hash: the last lottery: generation, cohort, outside, frozen_ms; seed, drawn_ms once drawn."""
    return f"room:{{{event}}}:draw"


def line(event: int, generation: LineId) -> str:
    """Hash: the counters everything else derives from (issued, serving, …)."""
    return f"room:{{{event}}}:{generation}:line"


def places(event: int, generation: LineId, who: bytes) -> str:
    """Hash: subject → queue number, for one bucket of subjects."""
    return places_bucket(event, generation, bucket_of(who))


def places_bucket(event: int, generation: LineId, number: int) -> str:
    return f"{places_begin(event, generation)}{number}"


def places_begin(event: int, generation: LineId) -> str:
    """How the keys of all buckets begin; each goes on with its number."""
    return f"room:{{{event}}}:{generation}:places:"


def bucket_of(who: bytes) -> int:
    return crc32(who) % PLACE_BUCKETS


def done(event: int, generation: LineId) -> str:
    """Bitmap: queue numbers that were used or given up."""
    return f"room:{{{event}}}:{generation}:done"


def knocked(event: int, generation: LineId) -> str:
    """Bitmap: numbers that came in time: to the gate when called, or back after being passed."""
    return f"room:{{{event}}}:{generation}:knocked"


def came(event: int, generation: LineId) -> str:
    """Bitmap: called numbers that came to the gate, whether they found it full or not."""
    return f"room:{{{event}}}:{generation}:came"


def reached(event: int, generation: LineId) -> str:
    """Sorted set: serving:calls:recalls → when that was reached, on the gate's own clock (ms)."""
    return f"room:{{{event}}}:{generation}:reached"


def called(event: int, generation: LineId) -> str:
    """Bitmap: numbers that were called. A smaller number that wasn't was absent, passed over."""
    return f"room:{{{event}}}:{generation}:asked"


def returned(event: int, generation: LineId) -> str:
    """Sorted set: numbers passed over that came back in time, to be called before new ones."""
    return f"room:{{{event}}}:{generation}:returned"


def standing(event: int, generation: LineId) -> str:
    """Sorted set: number of a claimer whom the gate refused → when, on the gate's own clock."""
    return f"room:{{{event}}}:{generation}:standing"


def left(event: int, generation: LineId) -> str:
    """List: numbers given up while waiting, in the order of leaving."""
    return f"room:{{{event}}}:{generation}:left"


def link(event: int, generation: LineId, jti: str) -> str:
    """Text: a handover's link that was used; it expires by itself."""
    return f"room:{{{event}}}:{generation}:link:{jti}"


def owners(event: int, generation: LineId) -> str:
    """Hash: number that changed hands → how often, a colon, whose it is now."""
    return f"room:{{{event}}}:{generation}:owners"


def moves(event: int, generation: LineId) -> str:
    """List: `number:how often:whose` of every change of hands, for the processes' memory."""
    return f"room:{{{event}}}:{generation}:moves"


def live(event: int, generation: LineId, window: int) -> str:
    """Bitmap: queue numbers heard from in this window or the one before it."""
    return f"room:{{{event}}}:{generation}:live:{window}"


def live_pair(event: int, generation: LineId, now_ms: int) -> tuple[str, str]:
    """The bitmap of this moment's window and of the next."""
    window = now_ms // LIVE_WINDOW_MS
    return live(event, generation, window), live(event, generation, window + 1)


def is_subject(text: str) -> bool:
    """Whether this may be a subject of kernel.subjects."""
    return len(member(text)) == SUBJECT_BYTES and len(text) > SUBJECT_BYTES


def member(subject: str) -> bytes:
    """How a subject is written in a key's content: 16 raw bytes instead of 22 characters."""
    try:
        raw = a2b_base64(subject.replace("-", "+").replace("_", "/") + "==")
    except (NotBase64, ValueError):
        return subject.encode()
    return raw if len(raw) == SUBJECT_BYTES else subject.encode()
