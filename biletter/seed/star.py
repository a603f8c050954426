"""Event 1, the concert that everybody wants: 100 000 places in five zones."""

from biletter.seed.plan import TIYN, PlannedEvent, PlannedZone

STAR_ID = 1
ROW_SEATS = 100
# name, first row, last row, price in tenge; the golden circle is the cheapest, as its owner wants.
ZONES = (
    ("Золотой круг", 1, 100, 40_000),
    ("Фан-зона", 101, 250, 80_000),
    ("Нижний ярус", 251, 450, 120_000),
    ("Средний ярус", 451, 700, 160_000),
    ("Верхний ярус", 701, 1000, 200_000),
)
DAY, MINUTE = 45, 20 * 60
THEME = 2
TITLE = "Селеста Морейра. Большой концерт"
DESCRIPTION = """\
Голос Лусарии впервые в Казахстане. Селеста Морейра (Celeste Moreira) везёт на Центральный стадион \
мировой тур «Полнолуние»: оркестр из шестидесяти музыкантов, сцена-кольцо в середине поля \
и единственный вечер в Центральной Азии.

Билетов сто тысяч, желающих больше. Поэтому перед продажей стоит электронная очередь: место \
в ней сохраняется за вами, даже если закрыть вкладку, а обновлять страницу не нужно.

Двери открываются в 17:00. Дети до шести лет — бесплатно, на руках у взрослых.

Селеста Морейра алғаш рет Қазақстанда! Орталық стадионда бір ғана кеш."""


def star_concert(person_limit: int | None) -> PlannedEvent:
    """`person_limit`: places one person may hold and own; None: no limit."""
    return PlannedEvent(
        id=STAR_ID,
        title=TITLE,
        description=DESCRIPTION,
        kind="concert",
        hall="Центральный стадион",
        city="Алматы",
        day=DAY,
        minute=MINUTE,
        zones=tuple(_zones()),
        look={"theme": THEME, "hot": True},
        guarded=True,
        person_limit=person_limit,
    )


def _zones() -> list[PlannedZone]:
    return [
        PlannedZone(
            number,
            name,
            price * TIYN,
            first,
            (ROW_SEATS,) * (last - first + 1),
            (first - 1) * ROW_SEATS,
        )
        for number, (name, first, last, price) in enumerate(ZONES, start=1)
    ]
