"""Whose account PostgreSQL runs under, because it refuses to run as root.

As root we lend it another account through `setpriv`. Where that account cannot walk into the
data folder (it lies under /root, say) we lend it the one capability that lets it, and never
change the mode of a folder that is not ours.
"""

import os
import pwd
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from biletter.trouble import Trouble

PROBE_TIMEOUT_S = 10
# Docker's default set has dac_override only; the other is the smaller right, so it comes first.
CAPABILITIES = {"dac_read_search": 2, "dac_override": 1}


@dataclass(frozen=True)
class Account:
    """A user and group to switch to, with at most one capability on top."""

    user: str
    uid: int
    gid: int
    capability: str | None = None

    def flags(self) -> list[str]:
        """What `setpriv` is told."""
        caps = "-all" + (f",+{self.capability}" if self.capability else "")
        # Without this bit access(2), which PostgreSQL asks, would not count the capability.
        bits = ["--securebits=+no_setuid_fixup"] if self.capability else []
        return [
            *bits,
            f"--reuid={self.uid}",
            f"--regid={self.gid}",
            "--clear-groups",
            f"--inh-caps={caps}",
            f"--ambient-caps={caps}",
        ]


def choose_account(
    folders: Sequence[Path], program: Path, owner_uid: int | None = None
) -> Account | None:
    """The account that may run `program` and walk into each folder; None: our own will do.

    owner_uid: whom the data belongs to already, it has to be theirs then.

    Raises Trouble where no account on this machine can.
    """
    if os.geteuid() != 0:
        return None
    plain = _account_of(owner_uid) if owner_uid else _plain_account()
    for capability in (None, *_capabilities_we_have()):
        account = Account(plain.user, plain.uid, plain.gid, capability)
        if _can_use(account, folders, program):
            return account
    raise Trouble(
        f"PostgreSQL cannot run as root, and the account {plain.user!r} cannot reach {folders[0]}:"
        " set BILETTER_DATA to a folder that other users may walk into, such as /var/lib/biletter."
    )


def _plain_account() -> Account:
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise Trouble("PostgreSQL cannot run as root, and this machine has no account 'nobody'.")


def _account_of(uid: int) -> Account:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:  # an account of another machine: the number is enough
        return Account(str(uid), uid, uid)
    return Account(entry.pw_name, uid, entry.pw_gid)


def _capabilities_we_have() -> list[str]:
    status = Path("/proc/self/status").read_text()
    found = re.search(r"^CapPrm:\s*([0-9a-f]+)$", status, re.MULTILINE)
    mask = int(found[1], 16) if found else 0
    return [name for name, bit in CAPABILITIES.items() if mask >> bit & 1]


def _can_use(account: Account, folders: Sequence[Path], program: Path) -> bool:
    """Asks as that account: may it walk into the folders, and run the program?"""
    questions = [*(["test", "-x", str(folder)] for folder in folders), [str(program), "--version"]]
    as_account = ["setpriv", *account.flags(), "--"]
    return all(
        subprocess.run(  # noqa: S603 - our own words, no shell
            as_account + question,
            capture_output=True,
            timeout=PROBE_TIMEOUT_S,
            check=False,
            cwd="/",
        ).returncode
        == 0
        for question in questions
    )
