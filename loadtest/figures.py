"""How long each step took: kept whole, for the counts here are small, and told as percentiles."""

from collections import defaultdict


class Figures:
    def __init__(self) -> None:
        self._seconds: dict[str, list[float]] = defaultdict(list)

    def note(self, step: str, seconds: float) -> None:
        self._seconds[step].append(seconds)

    def percentile(self, step: str, share: float) -> float:
        """Seconds; `share` between 0 and 1. A step that never happened has none: ValueError."""
        values = sorted(self._seconds[step])
        if not values:
            raise ValueError(step)
        return values[min(len(values) - 1, int(share * len(values)))]

    def count(self, step: str) -> int:
        return len(self._seconds[step])

    def steps(self) -> list[str]:
        return list(self._seconds)

    def total(self, step: str) -> float:
        """Seconds spent in it altogether."""
        return sum(self._seconds[step])

    def table(self, whole: str | None = None) -> str:
        """`whole`: the figure of which the others are parts; beside each, what part of its time."""
        lines = [f"{'step':<18}{'count':>8}{'p50 ms':>10}{'p95 ms':>10}{'p99 ms':>10}"]
        lines[0] += f"{'of the time':>13}" if whole else ""
        for step in self.steps():
            cells = "".join(f"{self.percentile(step, p) * 1e3:>10.1f}" for p in (0.5, 0.95, 0.99))
            cells += f"{self.total(step) / self.total(whole):>13.1%}" if whole else ""
            lines.append(f"{step:<18}{self.count(step):>8}{cells}")
        return "\n".join(lines)
