"""How written switches become a switchboard: checked by the switchboard's own type, named when
they are wrong.
"""

from typing import Any, TypeVar

import msgspec

Board = TypeVar("Board", bound=msgspec.Struct)


def check_switches(
    whole: dict[str, Any], board: type[Board], ranges: tuple[tuple[str, str], ...]
) -> Board:
    """`ranges` are pairs of switches of which the first is never above the second. Raises
    msgspec.ValidationError, which names the switch.
    """
    unknown = sorted(whole.keys() - set(board.__struct_fields__))
    if unknown:
        raise msgspec.ValidationError(f"There is no such switch - at `$.{unknown[0]}`")
    faults = msgspec.convert(whole, board)
    for low, high in ranges:
        if getattr(faults, low) > getattr(faults, high):
            raise msgspec.ValidationError(f"{low} is above {high} - at `$.{low}`")
    return faults


def preset_named(
    written: dict[str, Any], presets: dict[str, dict[str, Any]]
) -> dict[str, Any] | None:
    """The values of the preset that is asked for; None: none is. Raises msgspec.ValidationError."""
    if "preset" not in written:
        return None
    name = written["preset"]
    if not isinstance(name, str) or name not in presets:
        raise msgspec.ValidationError(f"Expected one of {', '.join(presets)} - at `$.preset`")
    return presets[name]


def place_and_reason(error: msgspec.ValidationError) -> tuple[str, str]:
    """The field's name ("$" for the whole) and what is wrong with it."""
    why, _, place = str(error).partition(" - at `$.")
    return place.rstrip("`") or "$", why
