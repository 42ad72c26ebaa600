"""A scrape of the admin listener, taken apart."""
import re
import urllib.request

SAMPLE = re.compile(r'^([a-z_]+)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
OPEN_METRICS = "application/openmetrics-text; version=1.0.0"


def scrape(proxy, accept="*/*"):
    """The page as text, and its Content-Type."""
    request = urllib.request.Request(proxy.admin + "/metrics", headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read().decode(), answer.headers["Content-Type"]


def samples(text):
    """Every sample: (name, labels, value)."""
    found = [SAMPLE.match(line) for line in text.splitlines() if not line.startswith("#")]
    assert all(found), text
    return [(name, dict(LABEL.findall(labels or "")), float(value)) for name, labels, value in
            (match.groups() for match in found)]


class Metrics:
    """One scrape; total("weir_records_total", route="/") adds the samples that have these labels."""

    def __init__(self, proxy):
        self.samples = samples(scrape(proxy)[0])

    def total(self, metric, **labels):
        values = [value for name, has, value in self.samples if name == metric and labels.items() <= has.items()]
        assert values, f"no {metric} with {labels}"
        return sum(values)
