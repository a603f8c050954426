"""What the console says about states and settings."""

from accounts.web import AnyRequest
from kernel.web.pages import Pages
from waitingroom.settings import (
    CEILING_MAX,
    MESSAGE_MAX,
    PLACES_MAX,
    RATE_MAX,
    REQUESTS_MAX,
    BadSetting,
)


def _(message: str) -> str:
    """Marks a message for the catalogues; it is translated where it is said."""
    return message


STATES = {
    "off": (_("выключена"), ""),
    "ready": (_("наготове"), "sky"),
    "prequeue": (_("ждёт открытия"), "sky"),
    "open": (_("впускает"), "good"),
    "paused": (_("пауза"), "sun"),
    "held": (_("вход остановлен"), "bad"),
    "drained": (_("дослуживает"), "sky"),
    "closed": (_("закрыта"), "bad"),
}
# What each kind of notice was to do.
NOTICE_KINDS = {
    "payment.settle": _("узнать исход платежа"),
    "payment.void": _("отменить платёж после сброса"),
    "order.expire": _("закончить неоплаченный заказ"),
    "order.paid": _("показать места проданными"),
    "order.released": _("показать места свободными"),
    "refund.settle": _("вернуть деньги"),
    "tickets.returned": _("показать возвращённые места свободными"),
    "event.cancelled": _("вернуть деньги за отменённое мероприятие"),
    "event.moved": _("открыть возврат билетов перенесённого мероприятия"),
    "admission.opened": _("сообщить очереди, что человек внутри"),
    "admission.ended": _("освободить место внутри"),
}
# Why money goes back.
REFUND_REASONS = {
    "buyer": _("покупатель вернул билеты"),
    "event-cancelled": _("мероприятие отменено"),
    "money-late": _("деньги пришли, когда заказ уже закончился"),
}
NUMBER_PROBLEM = _("Нужно целое число от 1 до %(most)s.")
DISARM_PROBLEM = _("Нужно целое число от 1, не больше порога включения.")
BITS_PROBLEM = _("Нужно целое число от 0 до 20.")
SECONDS_PROBLEM = _("Нужно целое число секунд от 10 до 86 400.")
MESSAGE_PROBLEM = _("Нужна одна строка не длиннее %(most)s знаков.")


def state_word(request: AnyRequest, pages: Pages, state: str) -> tuple[str, str]:
    """The state in words, and the tone of its badge."""
    word, tone = STATES[state]
    return pages.text(request, word), tone


def setting_problem(request: AnyRequest, pages: Pages, refusal: BadSetting) -> str:
    """What is wrong with a setting, said beside its field."""
    most = {"rate_per_minute": RATE_MAX, "ceiling": CEILING_MAX, "places_max": PLACES_MAX}
    most |= {"arm_requests": REQUESTS_MAX, "lane_share": 100}
    name = str(refusal.extra.get("setting", ""))
    if name in most:
        return pages.text(request, NUMBER_PROBLEM) % {
            "most": f"{most[name]:,}".replace(",", "\u00a0")
        }
    said = {"disarm_requests": DISARM_PROBLEM, "disarm_seconds": SECONDS_PROBLEM}
    said["proof_bits"] = BITS_PROBLEM
    if name in said:
        return pages.text(request, said[name])
    if name == "message":
        return pages.text(request, MESSAGE_PROBLEM) % {"most": MESSAGE_MAX}
    return pages.text(request, refusal.detail)
