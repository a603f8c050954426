"""What is said when everything answers."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from biletter.seed.accounts import PEOPLE
from biletter.settings import Settings

# Duty → what a person finds there. The others have ports for their health alone.
PAGES = {
    "sales": "tickets",
    "waitingroom": "waiting room",
    "admin": "staff console",
    "toleubar": "ToleuBar stand-in",
    "provider": "partner stand-in",
}


def greeting(settings: Settings, addresses: Mapping[str, str], took_s: float, *, demo: bool) -> str:
    """Addresses as a person opens them; with the demo's accounts, which are no secret."""
    lines = ["", f"Biletter is ready after {took_s:.1f} s.", ""]
    for duty, address in addresses.items():
        shown = address
        if urlsplit(address).hostname == "127.0.0.1":
            shown = f"http://localhost:{urlsplit(address).port}"
        if duty in PAGES:
            lines.append(f"  {PAGES[duty]:<20} {shown}/")
    lines += [f"  {'data and logs':<20} {settings.data}", ""]
    if demo:
        lines += ["Demo accounts:", ""]
        lines += [f"  {one.role:<20} {one.email:<22} {one.password}" for one in PEOPLE]
        lines.append("")
    return "\n".join(lines)
