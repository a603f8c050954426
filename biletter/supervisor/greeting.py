"""What is said when everything answers."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from biletter.settings import Settings

# Duty → what a person finds there.
PAGES = {
    "sales": "tickets",
    "waitingroom": "waiting room",
    "admin": "staff console",
    "toleubar": "ToleuBar stand-in",
    "provider": "partner stand-in",
}


def greeting(settings: Settings, addresses: Mapping[str, str], seed: str, took_s: float) -> str:
    """seed: the demo seed's own words; shown as they are, they name the accounts."""
    lines = ["", f"Biletter is ready after {took_s:.1f} s.", ""]
    for duty, address in addresses.items():
        shown = address
        if urlsplit(address).hostname == "127.0.0.1":
            shown = f"http://localhost:{urlsplit(address).port}"
        lines.append(f"  {PAGES.get(duty, duty):<18} {shown}/")
    lines += [f"  {'data and logs':<18} {settings.data}", ""]
    if seed:
        lines += [*(f"  {line}" for line in seed.splitlines()), ""]
    return "\n".join(lines)
