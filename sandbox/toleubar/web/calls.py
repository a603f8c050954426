"""The merchant's four calls."""

from litestar import Response, post
from litestar.di import NamedDependency

from sandbox.toleubar.cancellation import cancel
from sandbox.toleubar.capture import confirm
from sandbox.toleubar.desk import Ask, Desk
from sandbox.toleubar.fields import read_fields
from sandbox.toleubar.initiation import init
from sandbox.toleubar.inquiry import check
from sandbox.toleubar.web.answers import AnyRequest, answer, break_down, lose

OK = 200


@post("/api/v1/paymentinit/init", status_code=OK)
async def init_payment(request: AnyRequest, desk: NamedDependency[Desk]) -> Response[bytes]:
    break_down(desk)
    base = (desk.public_base_url or desk.links.to("toleubar", request, "")).rstrip("/")
    ask = Ask(base=base, query=dict(request.query_params.multi_items()))
    response = answer(init(desk, read_fields(await request.body()), ask))
    faults = desk.switchboard.faults
    return await lose(desk, response, faults.init_stall, faults.init_abort)


@post("/api/v1/paymentcheck/check", status_code=OK)
async def check_payment(request: AnyRequest, desk: NamedDependency[Desk]) -> Response[bytes]:
    break_down(desk)
    response = answer(check(desk, read_fields(await request.body()), _ask(request)))
    faults = desk.switchboard.faults
    return await lose(desk, response, faults.check_stall, faults.check_abort)


@post("/api/v1/paymentconfirm/confirm", status_code=OK)
async def confirm_payment(request: AnyRequest, desk: NamedDependency[Desk]) -> Response[bytes]:
    break_down(desk)
    response = answer(confirm(desk, read_fields(await request.body()), _ask(request)))
    faults = desk.switchboard.faults
    return await lose(desk, response, faults.confirm_stall, faults.confirm_abort)


@post("/api/v1/paymentcancel/cancel", status_code=OK)
async def cancel_payment(request: AnyRequest, desk: NamedDependency[Desk]) -> Response[bytes]:
    break_down(desk)
    response = answer(cancel(desk, read_fields(await request.body()), _ask(request)))
    faults = desk.switchboard.faults
    return await lose(desk, response, faults.cancel_stall, faults.cancel_abort)


def _ask(request: AnyRequest) -> Ask:
    return Ask(base="", query=dict(request.query_params.multi_items()))
