"""biletter keys"""

import argparse
from typing import Any

from biletter.settings import read_settings
from biletter.trouble import Trouble
from kernel.keyring import Keyring

PURPOSES = ("pass", "invite", "ticket")


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "keys",
        help="show or change the signing keys",
        description="The signing keys of this data folder. Running processes see a change within"
        " seconds.",
    )
    deeds = parser.add_subparsers(dest="deed", metavar="DEED", required=True)
    deeds.add_parser("list", help="the ids of the keys that are valid, the signing one last")
    rotate = deeds.add_parser(
        "rotate",
        help="sign with a new key from now on",
        description="Makes a new signing key for passes or invitations; the one before stays valid"
        " until the next change. Keys of tickets are not changed: tickets live for months.",
    )
    rotate.add_argument("purpose", choices=["pass", "invite"], help="what the key signs")


def run(args: argparse.Namespace) -> int:
    settings = read_settings()
    if not settings.keys.is_dir():
        raise Trouble(f"There are no keys in {settings.data}: start Biletter once.")
    keyring = Keyring(settings.keys)
    if args.deed == "rotate":
        print(f"signing with {keyring.rotate(args.purpose)}")
        return 0
    for purpose in PURPOSES:
        kids = [key["kid"] for key in keyring.jwks(purpose)["keys"]]
        print(f"{purpose:<8}{'  '.join(kids)}")
    return 0
