"""Whole switchboards under one name, and how a written change becomes a switchboard."""

from typing import Any

import msgspec

from sandbox.provider.faults import Faults
from sandbox.switches import check_switches, preset_named

RANGES = (("lag_min_s", "lag_max_s"),)
_SHARES = ("abort_before", "stall_before", "abort", "stall", "slow", "error", "error_after")
PRESETS: dict[str, dict[str, Any]] = {
    "calm": {},
    # The ceiling that the source has, the order of its backlog, and the pill in it.
    "faithful": {"event_rate": 100.0, "poison_armed": True},
    # Stalls outlast a client's patience by a little, so that a run of thousands ends.
    "ten-percent-everything": {**dict.fromkeys(_SHARES, 0.1), "stall_s": 10.0, "slow_s": 0.5},
    # What is written is seen seconds later.
    "late": {"lag_min_s": 2.0, "lag_max_s": 5.0},
    "down": {"down": True},
}


def read_faults(written: dict[str, Any]) -> Faults:
    """A whole switchboard: the preset's or the starting values, changed by what is written.
    Raises msgspec.ValidationError, which names the switch.
    """
    named = {**(preset_named(written, PRESETS) or {}), **written}
    named.pop("preset", None)
    return check_switches(msgspec.to_builtins(Faults()) | named, Faults, RANGES)


def patch_faults(faults: Faults, written: dict[str, Any]) -> Faults:
    """The switchboard with only the named switches changed; a preset brings all its values.
    Raises as read_faults.
    """
    if "preset" in written:
        return read_faults(written)
    return check_switches(msgspec.to_builtins(faults) | written, Faults, RANGES)
