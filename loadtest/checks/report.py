"""The table at the end: what was promised, what was found, whether that is as it should be."""


class Report:
    def __init__(self) -> None:
        self.rows: list[tuple[str, str, bool]] = []

    def add(self, promise: str, found: object, *, kept: bool) -> None:
        self.rows.append((promise, str(found), kept))

    def none_of(self, promise: str, count: int) -> None:
        self.add(promise, count, kept=count == 0)

    @property
    def broken(self) -> list[str]:
        return [promise for promise, _, kept in self.rows if not kept]

    def show(self) -> int:
        """Print it; 0 when every promise was kept, else 1."""
        wide = max((len(found) for _, found, _ in self.rows), default=0)
        for promise, found, kept in self.rows:
            print(f"{'ok    ' if kept else 'BROKEN'}  {promise:<64}{found:>{max(12, wide)}}")
        return 1 if self.broken else 0
