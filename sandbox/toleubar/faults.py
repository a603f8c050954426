"""The switches: what goes wrong on purpose. Everything is off by default; every switch acts.

Shares are probabilities 0…1, times are seconds.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Share = Annotated[float, Meta(ge=0, le=1)]
Seconds = Annotated[float, Meta(ge=0, le=600)]
SEED_MAX = 2**53 - 1
BURST_MAX = 10_000

# What may be held or cut: the merchant's four calls, and the payer's card form.
VERBS = ("init", "check", "confirm", "cancel", "form")
FORGERIES = ("webhook_forged_signature", "webhook_forged_payment", "webhook_forged_sum")


class Faults(Struct, frozen=True, forbid_unknown_fields=True):
    profile: Literal["documented", "faithful"] = "documented"
    # Each fault draws from a stream of its own made from this number, so that a run with the same
    # calls meets the same faults, and switching one on doesn't shift the others. None: by chance.
    seed: Annotated[int, Meta(ge=0, le=SEED_MAX)] | None = None

    # The connection is cut, or held for stall_s, before anything is done: what was held is then
    # carried out, however long ago its sender gave up.
    init_abort_before: Share = 0.0
    init_stall_before: Share = 0.0
    check_abort_before: Share = 0.0
    check_stall_before: Share = 0.0
    confirm_abort_before: Share = 0.0
    confirm_stall_before: Share = 0.0
    cancel_abort_before: Share = 0.0
    cancel_stall_before: Share = 0.0
    form_abort_before: Share = 0.0
    form_stall_before: Share = 0.0
    # The request is carried out, then its answer is cut or held.
    init_abort: Share = 0.0
    init_stall: Share = 0.0
    check_abort: Share = 0.0
    check_stall: Share = 0.0
    confirm_abort: Share = 0.0
    confirm_stall: Share = 0.0
    cancel_abort: Share = 0.0
    cancel_stall: Share = 0.0
    form_abort: Share = 0.0
    form_stall: Share = 0.0
    stall_s: Seconds = 60.0
    # Any of the five comes later than it could.
    slow: Share = 0.0
    slow_s: Seconds = 1.0

    # An API call is answered 500 / 9999 and nothing is done, and so are the next ones of a burst.
    breakdown: Share = 0.0
    breakdown_burst: Annotated[int, Meta(ge=1, le=BURST_MAX)] = 1
    # An API call is answered 408; half of them were carried out all the same.
    timeout: Share = 0.0
    # A new payment's id is taken: 500 / 9999, and no payment.
    id_collision: Share = 0.0
    # Check answers may be this old, for payments still open and for finished ones; of those that
    # may, this share is.
    check_stale: Share = 1.0
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
    # Beside an honest letter goes one that says "completed": under a wrong signature, about a
    # payment that never was, or over another sum.
    webhook_forged_signature: Share = 0.0
    webhook_forged_payment: Share = 0.0
    webhook_forged_sum: Share = 0.0
    # The payer's browser waits until the merchant has taken the event.
    webhook_wait: bool = False
    # Events not yet delivered survive a restart.
    webhook_keep: bool = False
