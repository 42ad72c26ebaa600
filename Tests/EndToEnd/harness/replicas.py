"""Instances that share limits, as the metrics report it."""
from .metrics import Metrics
from .waiting import eventually

KEY = "X-Api-Key: {}"


def shares(proxy, count=None):
    """Waits until an instance shares its limits, with `count` instances in all."""
    def does():
        metrics = Metrics(proxy)
        return metrics.total("weir_redis_up") == 1 and count in (None, metrics.total("weir_replicas"))
    eventually(does, f"an instance that shares with {count}", within=60)


def shares_not(proxy):
    """Waits until an instance has noticed that the store cannot be used."""
    eventually(lambda: Metrics(proxy).total("weir_redis_up") == 0, "an instance that does not share", within=60)
