"""The audit, newest first."""

from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery

from accounts.identity import Caller
from accounts.web import AnyRequest
from admin.audit import LINES_MAX, Audit
from admin.staff import need_staff
from kernel.values import INT64_MAX
from kernel.web.numbers import digits_in
from kernel.web.pages import Pages


@get("/audit", include_in_schema=False, before_request=digits_in("below"))
async def audit_page(
    request: AnyRequest,
    *,
    pages: NamedDependency[Pages],
    audit: NamedDependency[Audit],
    caller: NamedDependency[Caller],
    of: FromQuery[str] = "staff",
    below: FromQuery[int] = INT64_MAX,
) -> Response[Any]:
    """`of=staff`: what people here did; `of=all`: every line. `below`: the page after this id."""
    need_staff(caller)
    below = min(max(below, 1), INT64_MAX)
    lines = await (audit.everything if of == "all" else audit.of_staff)(below=below)
    more = lines[-1].id if len(lines) == LINES_MAX else None
    return pages.show(request, "admin/audit.html", lines=lines, of=of, more=more)
