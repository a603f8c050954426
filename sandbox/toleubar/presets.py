"""Whole switchboards under one name, and how a written change becomes a switchboard.

A profile brings its own starting values: the faithful one waits for webhooks, is slow with cards
and answers checks from a cache. A preset is a profile with more switched on.
"""

from typing import Any

import msgspec

from sandbox.switches import check_switches, preset_named
from sandbox.toleubar.faults import FORGERIES, VERBS, Faults

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

_LINKS = tuple(f"{verb}_{what}" for verb in VERBS for what in ("abort", "stall"))
_LINKS_BEFORE = tuple(f"{name}_before" for name in _LINKS)
_OTHERS = ("slow", "breakdown", "timeout", "id_collision", "card_decline", "card_trouble")
_LETTERS = ("webhook_loss", "webhook_duplicate", "webhook_reorder", *FORGERIES)

PRESETS: dict[str, dict[str, Any]] = {
    "calm": {"profile": "documented"},
    # Stalls outlast a client's patience by a little, so that a run of thousands ends.
    "ten-percent-everything": {
        "profile": "documented",
        **dict.fromkeys((*_LINKS, *_LINKS_BEFORE, *_OTHERS, *_LETTERS), 0.1),
        "stall_s": 10.0,
        "slow_s": 1.0,
        "breakdown_burst": 3,
        "check_stale": 0.1,
        "check_stale_open_s": 30.0,
        "check_stale_final_s": 300.0,
        "webhook_delay_max_s": 2.0,
    },
    "faithful": {"profile": "faithful"},
    "down": {
        "profile": "documented",
        **{f"{verb}_abort_before": 1.0 for verb in VERBS},
        "webhook_loss": 1.0,
    },
}
RANGES = (
    ("card_delay_min_s", "card_delay_max_s"),
    ("webhook_delay_min_s", "webhook_delay_max_s"),
)


def read_faults(written: dict[str, Any]) -> Faults:
    """A whole switchboard: the preset's or the profile's starting values, changed by what is
    written. Raises msgspec.ValidationError, which names the field.
    """
    named = {**(preset_named(written, PRESETS) or {}), **written}
    named.pop("preset", None)
    name = named.get("profile", "documented")
    start = STARTING.get(name) if isinstance(name, str) else None
    return check_switches(msgspec.to_builtins(start or Faults()) | named, Faults, RANGES)


def patch_faults(faults: Faults, written: dict[str, Any]) -> Faults:
    """The switchboard with only the named switches changed. A new profile or preset brings its
    starting values. Raises as read_faults.
    """
    if "preset" in written or "profile" in written:
        return read_faults(written)
    return check_switches(msgspec.to_builtins(faults) | written, Faults, RANGES)
