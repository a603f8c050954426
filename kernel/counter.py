"""A Prometheus counter for hot calls: plain numbers of one thread, told when they are asked for.

The library's counter takes a lock and 0.6 µs for each step, a tenth of what a hot call may cost.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.metrics_core import CounterMetricFamily
from prometheus_client.registry import Collector


class PlainCounter(Collector):
    """`counts[label, label, …] += 1`, labels as in `labels`; with one label a tuple of one."""

    def __init__(
        self, name: str, told: str, labels: Sequence[str], registry: CollectorRegistry = REGISTRY
    ) -> None:
        self.counts: defaultdict[tuple[str, ...], int] = defaultdict(int)
        self._name, self._told, self._labels = name, told, labels
        registry.register(self)

    def collect(self) -> Iterator[CounterMetricFamily]:
        family = CounterMetricFamily(self._name, self._told, labels=self._labels)
        for labels, count in list(self.counts.items()):
            family.add_metric(labels, count)
        yield family
