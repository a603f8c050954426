"""The kinds of differences: what each is called, and what staff do about it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

PAYMENT_STUCK: Final = "payment-stuck"
PAYMENT_UNWATCHED: Final = "payment-unwatched"
ORDER_STUCK: Final = "order-stuck"
NOTICES_LATE: Final = "notices-late"
SEATS_DIFFER: Final = "seats-differ"
SEATS_REPAIRED: Final = "seats-repaired"
SEATS_SIZE: Final = "seats-size"
TICKETS_DIFFER: Final = "tickets-differ"
HOLD_OVERDUE: Final = "hold-overdue"
GATEWAY_DIFFERS: Final = "gateway-differs"
DAY_DIFFERS: Final = "day-differs"
LEDGER_DIFFERS: Final = "ledger-differs"
PARTNER_SICK: Final = "partner-sick"
PARTNER_SILENT: Final = "partner-silent"
PARTNER_DIFFERS: Final = "partner-differs"
PARTNER_UNOWNED: Final = "partner-unowned"
PARTNER_ORPHAN: Final = "partner-orphan"


class Words(msgspec.Struct, frozen=True):
    """Messages of the catalogues, translated where they are shown."""

    title: str
    todo: str


KINDS: Mapping[str, Words] = MappingProxyType(
    {
        PAYMENT_STUCK: Words(
            "Платёж давно без исхода",
            "Найдите платёж в кабинете ТөлеуБар по номеру. Если деньги не списаны, отмените его"
            " там: заказ закончится сам. Если списаны, а билетов нет, подтвердите или верните"
            " деньги там и проверьте заказ через минуту.",
        ),
        PAYMENT_UNWATCHED: Words(
            "О платеже некому было спросить",
            "Делать ничего не нужно: платёж снова в очереди. Если таких много, проверьте, не"
            " удаляли ли записи из базы вручную.",
        ),
        ORDER_STUCK: Words(
            "Заказ пережил своё время",
            "Время оплаты вышло, а заказ не закончен. Проверьте его платёж в кабинете ТөлеуБар"
            " и среди отложенных уведомлений: пока исход платежа не известен, места не"
            " освобождаются.",
        ),
        NOTICES_LATE: Words(
            "Уведомления ждут дольше пяти минут",
            "Проверьте, работают ли процессы worker и relay (script/biletter status) и отвечает"
            " ли ТөлеуБар. После этого запись закроется сама.",
        ),
        SEATS_DIFFER: Words(
            "Схема зала расходится с базой",
            "Исправить само не вышло. Продаже это не грозит: решает база. Проверьте, отвечает ли"
            " Redis, и запустите script/biletter reconcile --what seats. Если не поможет, передайте"
            " запись разработчикам.",
        ),
        SEATS_REPAIRED: Words(
            "Схема зала исправлена по базе",
            "Делать ничего не нужно. Если такое повторяется, найдите в журнале заказы из этой"
            " записи: кто-то не досказал Redis, что с ними стало.",
        ),
        SEATS_SIZE: Words(
            "В схеме зала не столько мест, сколько в зале",
            "Зоны мероприятия меняли после начала продаж. Верните прежние зоны или закройте"
            " продажу и разберитесь с проданными местами.",
        ),
        TICKETS_DIFFER: Words(
            "Билеты не сходятся с проданными местами",
            "Откройте заказы из этой записи в журнале: у каждого проданного места должен быть"
            " ровно один действующий билет. Верните деньги или выдайте билет вручную.",
        ),
        HOLD_OVERDUE: Words(
            "Места держатся дольше положенного",
            "Проверьте, работает ли процесс ticker. После этого места освободятся, и запись"
            " закроется сама.",
        ),
        GATEWAY_DIFFERS: Words(
            "ТөлеуБар говорит о платеже другое",
            "Сравните платёж в кабинете ТөлеуБар с заказом. Деньги без заказа верните там;"
            " заказ без денег передайте старшему: билеты уже у покупателя.",
        ),
        DAY_DIFFERS: Words(
            "Сумма за день не сходится с ТөлеуБар",
            "Начните с записей о платежах за этот день. Если их нет, сверьте выписку ТөлеуБар"
            " за день с книгой проводок.",
        ),
        LEDGER_DIFFERS: Words(
            "Книга проводок не сходится",
            "Ничего не исправляйте вручную: проводки не меняют. Передайте запись разработчикам"
            " вместе с выводом script/biletter ledger check.",
        ),
        PARTNER_SICK: Words(
            "Владелец зала больше не принимает места в заказы",
            "Мы ничего не берём у него пять минут, потом пробуем снова; резервы денег возвращаются"
            " сами. Сообщите владельцу зала: обычно помогает только он. Закроется само.",
        ),
        PARTNER_SILENT: Words(
            "Владелец зала не ответил на ночную сверку",
            "Позвоните владельцу зала, если он не отвечает и днём. Закроется само следующей ночью"
            " или после script/biletter reconcile --what partners.",
        ),
        PARTNER_DIFFERS: Words(
            "Владелец зала говорит о заказе другое",
            "Сверьте с владельцем зала место и номер его заказа из этой записи. Если у нас билет"
            " продан, место должно остаться за нами.",
        ),
        PARTNER_UNOWNED: Words(
            "Проданы места, которых владелец зала нам не отдал",
            "Договоритесь с владельцем зала об этих местах или верните деньги за заказ.",
        ),
        PARTNER_ORPHAN: Words(
            "Место у владельца зала осталось без присмотра",
            "Делать ничего не нужно: за ним снова следят, ненужное вернётся владельцу. Если таких"
            " много, проверьте, не удаляли ли записи из базы вручную.",
        ),
    }
)
