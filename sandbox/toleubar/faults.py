"""The switchboard: what goes wrong on purpose. Everything is off by default; every switch acts.

Shares are probabilities 0…1, times are seconds. A profile brings its own starting values: the
faithful one waits for webhooks, is slow with cards and answers checks from a cache.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

Share = Annotated[float, Meta(ge=0, le=1)]
Seconds = Annotated[float, Meta(ge=0, le=600)]


class Faults(Struct, frozen=True, forbid_unknown_fields=True):
    profile: Literal["documented", "faithful"] = "documented"

    # The request is carried out, then its answer is held for stall_s or the connection is broken.
    init_stall: Share = 0.0
    init_abort: Share = 0.0
    check_stall: Share = 0.0
    check_abort: Share = 0.0
    confirm_stall: Share = 0.0
    confirm_abort: Share = 0.0
    cancel_stall: Share = 0.0
    cancel_abort: Share = 0.0
    form_stall: Share = 0.0
    form_abort: Share = 0.0
    stall_s: Seconds = 60.0

    # An API call is answered 500 / 9999 and nothing is done.
    breakdown: Share = 0.0
    # Check answers may be this old, for payments still open and for finished ones.
    check_stale_open_s: Seconds = 0.0
    check_stale_final_s: Seconds = 0.0

    # The contract approves nine of ten ordinary cards; test cards are not touched by it.
    card_decline: Share = 0.1
    # Any card: network, authorisation, fraud block, not for online payments, no 3-D Secure.
    card_trouble: Share = 0.0
    card_delay_min_s: Seconds = 0.05
    card_delay_max_s: Seconds = 0.2

    webhook_delay_min_s: Seconds = 0.0
    webhook_delay_max_s: Seconds = 0.0
    webhook_loss: Share = 0.0
    webhook_duplicate: Share = 0.0
    # The event is held back for webhook_reorder_s while later ones pass it.
    webhook_reorder: Share = 0.0
    webhook_reorder_s: Seconds = 3.0
    # The payer's browser waits until the merchant has taken the event.
    webhook_wait: bool = False
    # Events not yet delivered survive a restart.
    webhook_keep: bool = False


STARTING = {
    "documented": Faults(),
    "faithful": Faults(
        profile="faithful",
        card_delay_min_s=0.5,
        card_delay_max_s=2.0,
        webhook_wait=True,
        check_stale_open_s=30,
        check_stale_final_s=300,
    ),
}


RANGES = (
    ("card_delay_min_s", "card_delay_max_s"),
    ("webhook_delay_min_s", "webhook_delay_max_s"),
)


def read_faults(written: dict[str, Any]) -> Faults:
    """The profile's starting values, changed by what is written. Raises msgspec.ValidationError,
    which names the field.
    """
    name = written.get("profile", "documented")
    start = STARTING.get(name) if isinstance(name, str) else None
    whole = msgspec.to_builtins(start or Faults()) | written
    faults = msgspec.convert(whole, Faults)
    for low, high in RANGES:
        if getattr(faults, low) > getattr(faults, high):
            raise msgspec.ValidationError(f"{low} is above {high} - at `$.{low}`")
    return faults
