"""The switches: what goes wrong on purpose. Everything is off by default; every switch acts.

Shares are probabilities 0…1, times are seconds.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Share = Annotated[float, Meta(ge=0, le=1)]
Seconds = Annotated[float, Meta(ge=0, le=600)]
Verb = Literal[
    "start", "order", "submit", "confirm", "cancel", "list", "place", "select", "release", "create"
]
VERBS: tuple[Verb, ...] = Verb.__args__  # type: ignore[attr-defined]  # typing has no word for it
SEED_MAX = 2**53 - 1
# A prefix's number: see sandbox.provider.web.calls.
HALL_MAX = 999_999_999
HALLS_MAX = 100
RATE_MAX = 100_000


class Faults(Struct, frozen=True, forbid_unknown_fields=True):
    # See sandbox.strikes. None: by chance.
    seed: Annotated[int, Meta(ge=0, le=SEED_MAX)] | None = None
    # What the shares below strike; none named: every call.
    verbs: tuple[Verb, ...] = ()
    # Whom all switches but the seed concern; none named: every hall.
    halls: Annotated[
        tuple[Annotated[int, Meta(ge=0, le=HALL_MAX)], ...], Meta(max_length=HALLS_MAX)
    ] = ()

    # Every call is cut off before anything is done.
    down: bool = False
    # The connection is cut, or held for stall_s, before anything is done: what was held is then
    # carried out, however long ago its sender gave up.
    abort_before: Share = 0.0
    stall_before: Share = 0.0
    # The call is carried out, then its answer is cut or held.
    abort: Share = 0.0
    stall: Share = 0.0
    stall_s: Seconds = 60.0
    slow: Share = 0.0
    slow_s: Seconds = 1.0
    # Answered 500: nothing done, or all done.
    error: Share = 0.0
    error_after: Share = 0.0

    # What is written travels so long to the next who must know: from the place to the read model
    # and into its order is one such way, from the order to the read model another.
    lag_min_s: Seconds = 0.02
    lag_max_s: Seconds = 0.05
    # Place messages a second, and as many order messages; 0: no ceiling. Under a ceiling the
    # lowest revisions go first, as in the real backlog.
    event_rate: Annotated[float, Meta(ge=0, le=RATE_MAX)] = 0.0
    # Between reading and writing of one call: whoever writes meanwhile makes it lose with a 500.
    race_s: Seconds = 0.001
    # Unknown places and orders are 404, as the guide has it, and not 500.
    unknown_404: bool = False
    # A place that joins an order which is no longer STARTED stops the hall's consumer of place
    # messages for good; without it the place is merely lost.
    poison_armed: bool = False
    # The consumer of place messages stands still.
    poisoned: bool = False

    def concern(self, hall: int) -> bool:
        return not self.halls or hall in self.halls
