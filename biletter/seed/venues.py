"""Halls of the demonstration, invented but plausible: every city has some of its own."""

from biletter.seed.plan import Part, Venue


def _cinema(city: str, hall: str, rows: int, width: int, sofas: int) -> Venue:
    """A cinema hall: cheap front rows, good ones, and sofas for two at the back."""
    front = max(rows // 4, 1)
    return Venue(
        city,
        hall,
        (
            Part("Первые ряды", 80, (width - 2,) * front),
            Part("Центр", 100, (width,) * (rows - front)),
            Part("Диваны", 160, (sofas,)),
        ),
    )


def _stage(city: str, hall: str, width: int, stalls: int, balcony: int) -> Venue:
    """A theatre: stalls that widen away from the stage, an amphitheatre and a balcony."""
    return Venue(
        city,
        hall,
        (
            Part("Партер", 140, tuple(width + row // 3 for row in range(stalls))),
            Part("Амфитеатр", 100, (width + 4,) * 5),
            Part("Балкон", 60, (width,) * balcony),
        ),
    )


def _club(city: str, hall: str, tables: int, rows: int) -> Venue:
    """A stand-up club: tables for four at the stage, then chairs."""
    return Venue(
        city,
        hall,
        (Part("Столики у сцены", 150, (4,) * tables), Part("Зал", 100, (14,) * rows)),
    )


def _toi(city: str, hall: str, near: int, far: int) -> Venue:
    """A toi hall: a row is a table for ten, and the table's number is the row's."""
    return Venue(
        city,
        hall,
        (
            Part("Столы у сцены", 130, (10,) * near),
            Part("Столы в зале", 100, (10,) * far),
            Part("Балкон, столы на шестерых", 80, (6,) * 4),
        ),
    )


def _arena(city: str, hall: str, width: int, rows: tuple[int, int, int]) -> Venue:
    """An arena: `rows` on the floor, in the lower and in the upper tier."""
    floor, lower, upper = rows
    return Venue(
        city,
        hall,
        (
            Part("Партер", 180, (width // 2,) * floor),
            Part("Нижний ярус", 100, (width,) * lower),
            Part("Верхний ярус", 60, (width + 20,) * upper),
        ),
    )


CINEMAS = (
    _cinema("Алматы", "Кинотеатр «Тянь-Шань», зал 1", 13, 22, 10),
    _cinema("Алматы", "Кинотеатр «Тянь-Шань», зал 3", 8, 12, 8),
    _cinema("Алматы", "Кинопарк «Медеу», зал 2", 11, 18, 10),
    _cinema("Астана", "Кинопарк «Есиль», зал 1", 13, 20, 12),
    _cinema("Астана", "Кинопарк «Есиль», зал 4", 9, 14, 8),
    _cinema("Астана", "Кинотеатр «Сарыарка», большой зал", 12, 24, 12),
    _cinema("Шымкент", "Кинотеатр «Кызыл-Кум», зал 2", 10, 16, 8),
    _cinema("Караганда", "Кинотеатр «Горняк», зал 1", 11, 16, 10),
    _cinema("Актау", "Кинозал «Каспий»", 8, 11, 6),
    _cinema("Актобе", "Кинотеатр «Илек», зал 1", 10, 15, 8),
)
CLUBS = (
    _club("Алматы", "Клуб «Микрофон на Абая»", 10, 6),
    _club("Астана", "Стендап-бар «Левый берег»", 8, 7),
    _club("Шымкент", "Клуб «Сайрам»", 6, 5),
)
THEATRES = (
    _stage("Алматы", "Театр «Алатау», большая сцена", 24, 15, 6),
    _stage("Астана", "Дворец искусств «Акжелкен»", 30, 18, 8),
    _stage("Караганда", "Дом культуры горняков", 22, 14, 5),
    _stage("Павлодар", "Областной театр «Иртыш»", 18, 12, 4),
    _stage("Усть-Каменогорск", "Театр «Рудный Алтай»", 18, 12, 4),
)
TOI_HALLS = (
    _toi("Шымкент", "Тойхана «Ак орда»", 8, 22),
    _toi("Алматы", "Банкетный зал «Шанырак»", 6, 18),
    _toi("Тараз", "Тойхана «Айша биби»", 6, 24),
    _toi("Кызылорда", "Тойхана «Сыр сулуы»", 8, 26),
)
ARENAS = (
    _arena("Астана", "Ледовая арена «Снежный барс»", 90, (20, 40, 40)),
    _arena("Алматы", "Арена «Халык»", 80, (20, 36, 40)),
    _arena("Атырау", "Стадион «Жайык»", 60, (12, 24, 20)),
)
# Halls of those who own their seats.
PARTNER_CINEMA = _cinema("Алматы", "Кинотеатр «Жетысу», зал 1", 12, 20, 12)
# The whole field, as its owner has it; what of it was given to us is said beside it (seed.owned).
FESTIVAL_FIELD = Venue(
    "Алматы",
    "Поле у подножия Алатау",
    (
        Part("Фан-зона", 100, (50,) * 80),
        Part("Трибуна", 140, (40,) * 20),
        Part("Ложи", 300, (12,) * 10),
    ),
)
