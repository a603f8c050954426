"""Staff sign in here, with the same accounts as everywhere and a session of this place only."""

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency

from accounts.accounts import Accounts
from accounts.identity import Caller, Identity
from accounts.sessions import Sessions
from accounts.web import AnyRequest, again, begin, read_form, see_other, where_next
from admin.audit import STAFF, Audit
from admin.staff import STAFF_ROLES, StaffOnly
from kernel.errors import Refusal
from kernel.web.pages import Pages

TEMPLATE = "admin/sign_in.html"


@get("/sign-in", include_in_schema=False)
async def sign_in_form(
    request: AnyRequest, pages: NamedDependency[Pages], caller: NamedDependency[Caller]
) -> Response[Any]:
    back = where_next(request, request.query_params.get("next"))
    if caller.role in STAFF_ROLES:
        return see_other(back)
    return pages.show(request, TEMPLATE, values={}, errors={}, next=back)


@post("/sign-in", include_in_schema=False)
async def sign_in(
    request: AnyRequest,
    *,
    pages: NamedDependency[Pages],
    accounts: NamedDependency[Accounts],
    sessions: NamedDependency[Sessions],
    identity: NamedDependency[Identity],
    audit: NamedDependency[Audit],
) -> Response[Any]:
    form = await read_form(request)
    back = where_next(request, form.get("next"))
    try:
        email = form.get("email", "")
        asker = identity.asker(request, email)
        person = await accounts.sign_in(email, form.get("password", ""), asker=asker)
        if person.role not in STAFF_ROLES:
            raise StaffOnly
    except Refusal as refusal:
        return again(request, pages, TEMPLATE, refusal, form, next=back)
    caller = Caller(person.id, person.email, person.name, person.role, device="")
    await audit.note(caller, "staff.sign-in", STAFF)
    await begin(request, identity, sessions, await sessions.start(person))
    return see_other(back)
