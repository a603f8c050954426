"""The books: every payment and its history in one SQLite file (see sandbox.sqlite_file)."""

import sqlite3
from contextlib import AbstractContextManager
from decimal import Decimal
from pathlib import Path

from kernel.sql import load_queries
from sandbox.sqlite_file import open_file, together
from sandbox.toleubar.payment import Change, Payment
from sandbox.toleubar.states import MOVES, Status

BOOKS_VERSION = 1
PAGE_MAX = 1000
DUE_MAX = 200
LETTERS_MAX = 10_000

_Q = load_queries(Path(__file__).parent / "sql")


class Books:
    def __init__(self, path: Path) -> None:
        """Raises FileBrokenError."""
        self._db = open_file(path, BOOKS_VERSION, _Q["make_tables"], "ToleuBar's books")

    def close(self) -> None:
        self._db.close()

    def together(self) -> AbstractContextManager[None]:
        return together(self._db)

    # -- payments

    def add(self, payment: Payment) -> bool:
        """False when the payment id or the order id is taken."""
        row = {name: getattr(payment, name) for name in payment.__struct_fields__}
        with self.together():
            added = self._db.execute(
                _Q["add_payment"], row | {"amount": format(payment.amount, "f")}
            )
            if added.rowcount != 1:
                return False
            self._note(payment.payment_id, payment.created_ms, payment.status, payment.reason)
        return True

    def find(self, payment_id: str) -> Payment | None:
        row = self._db.execute(_Q["find_payment"], {"payment_id": payment_id}).fetchone()
        return _payment(row) if row else None

    def find_order(self, team_slug: str, order_id: str) -> Payment | None:
        keys = {"team_slug": team_slug, "order_id": order_id}
        row = self._db.execute(_Q["find_order"], keys).fetchone()
        return _payment(row) if row else None

    def move(self, payment: Payment, status: Status, at_ms: int, cause: str) -> Payment | None:
        """The payment in its new status; None when somebody else moved it first."""
        assert status in MOVES[payment.status], f"{payment.status} never becomes {status}"
        change = {
            "payment_id": payment.payment_id,
            "expected": payment.status,
            "status": status,
            "at_ms": at_ms,
            "cause": cause,
        }
        with self.together():
            row = self._db.execute(_Q["move_payment"], change).fetchone()
            if row is None:
                return None
            self._note(payment.payment_id, at_ms, status, cause)
        return _payment(row)

    def note(self, payment: Payment, at_ms: int, cause: str) -> None:
        """A line in the history without a change of status."""
        self._note(payment.payment_id, at_ms, payment.status, cause)

    def _note(self, payment_id: str, at_ms: int, status: Status, cause: str) -> None:
        line = {"payment_id": payment_id, "at_ms": at_ms, "status": status, "cause": cause}
        self._db.execute(_Q["add_change"], line)

    def due(self, now_ms: int) -> list[Payment]:
        """At most DUE_MAX payments whose time is over."""
        rows = self._db.execute(_Q["list_due"], {"now_ms": now_ms, "limit": DUE_MAX})
        return [_payment(row) for row in rows]

    def page(self, after: int, limit: int, status: str | None = None) -> list[Payment]:
        keys = {"after": after, "limit": min(limit, PAGE_MAX), "status": status}
        return [_payment(row) for row in self._db.execute(_Q["list_page"], keys)]

    def recent(self, limit: int) -> list[Payment]:
        return [_payment(row) for row in self._db.execute(_Q["list_recent"], {"limit": limit})]

    def history(self, page: list[Payment]) -> dict[str, list[Change]]:
        """Each payment's changes in their order; `page` is one answer of page()."""
        lines: dict[str, list[Change]] = {payment.payment_id: [] for payment in page}
        if page:
            span = {"first": page[0].seq, "last": page[-1].seq}
            for payment_id, at_ms, status, cause in self._db.execute(_Q["list_history"], span):
                if payment_id in lines:
                    lines[payment_id].append(Change(at_ms, status, cause))
        return lines

    def totals(self) -> dict[str, tuple[int, Decimal]]:
        """Status → number of payments, tiyn together."""
        rows = self._db.execute(_Q["sum_by_status"])
        return {status: (count, Decimal(str(amount))) for status, count, amount in rows}

    def since(self, since_ms: int) -> tuple[int, Decimal]:
        count, amount = self._db.execute(_Q["sum_since"], {"since_ms": since_ms}).fetchone()
        return count, Decimal(str(amount))

    def open_count(self) -> int:
        count: int = self._db.execute(_Q["count_open"]).fetchone()[0]
        return count

    def clear(self) -> int:
        """Forget all payments; returns how many there were."""
        return self._db.execute(_Q["clear_payments"]).rowcount

    # -- answers under an idempotency key

    def reply(self, verb: str, key: str, since_ms: int) -> bytes | None:
        keys = {"verb": verb, "key": key, "since_ms": since_ms}
        row = self._db.execute(_Q["find_reply"], keys).fetchone()
        return row[0] if row else None

    def keep_reply(self, verb: str, key: str, payment_id: str, at_ms: int, body: bytes) -> None:
        row = {"verb": verb, "key": key, "payment_id": payment_id, "at_ms": at_ms, "body": body}
        self._db.execute(_Q["keep_reply"], row)

    # -- webhooks that must survive a restart

    def keep_letter(self, payment_id: str, url: str, body: bytes) -> int:
        row = {"payment_id": payment_id, "url": url, "body": body}
        letter_id: int = self._db.execute(_Q["keep_letter"], row).fetchone()[0]
        return letter_id

    def drop_letter(self, letter_id: int) -> None:
        self._db.execute(_Q["drop_letter"], {"letter_id": letter_id})

    def letters(self) -> list[tuple[int, str, str, bytes]]:
        """Letter id, payment id, address, body: at most LETTERS_MAX, oldest first."""
        rows = self._db.execute(_Q["list_letters"], {"limit": LETTERS_MAX})
        return [(row[0], row[1], row[2], row[3]) for row in rows]

    # -- settings changed while running

    def setting(self, name: str) -> bytes | None:
        row = self._db.execute(_Q["find_setting"], {"name": name}).fetchone()
        return row[0] if row else None

    def keep_setting(self, name: str, value: bytes) -> None:
        self._db.execute(_Q["keep_setting"], {"name": name, "value": value})


def _payment(row: sqlite3.Row) -> Payment:
    fields = dict(row)
    amount, status = Decimal(fields.pop("amount")), Status(fields.pop("status"))
    return Payment(amount=amount, status=status, **fields)
