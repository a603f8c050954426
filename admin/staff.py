"""Who may be here: operators and admins, by a session of their own cookie."""

from accounts.identity import Caller
from kernel.errors import Forbidden

STAFF_ROLES = frozenset({"operator", "admin"})


class StaffOnly(Forbidden):
    """Эта часть только для сотрудников."""

    code = "staff-only"


def need_staff(caller: Caller) -> Caller:
    """SignInNeeded for a stranger, StaffOnly for everybody whose work isn't here."""
    caller.need_account()
    if caller.role not in STAFF_ROLES:
        raise StaffOnly
    return caller
