"""The dashboard and the alerts in `ops` ask for metrics, labels and values that weir has, and the tools take them."""
import json
import re
import subprocess

import pytest

from harness.certificates import Authority, yaml
from harness.metrics import samples, scrape
from harness.weir import REPOSITORY, Weir, route

PROMETHEUS = REPOSITORY / "ops" / "prometheus"
RULES = (PROMETHEUS / "weir.rules.yml").read_text()
DASHBOARD = json.loads((REPOSITORY / "ops" / "grafana" / "weir.json").read_text())
PANELS = DASHBOARD["panels"]
VARIABLES = {each["name"]: each for each in DASHBOARD["templating"]["list"]}
# What Prometheus itself adds.
TARGET = {"job", "instance"}
OTHERS = {"up": TARGET}
SELECTOR = re.compile(r"(?<![\w:$.])((?:weir|process|up)(?:_\w+)?)\b(?!:)(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)\s*(=~|!=|!~|=)\s*"([^"]*)"')


def promtool(*arguments):
    done = subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def rules():
    """The expression of each rule by its name."""
    found = re.findall(r"^ +- (?:alert|record): (\S+)\n(?: +#.*\n)* +expr: (?:\|\n((?: {10}.*\n)+)|(.+)\n)", RULES,
                       re.MULTILINE)
    return {name: block or line for name, block, line in found}


def dashboard():
    """What panels, annotations and variables ask, as Prometheus gets it, and the text that the answer's labels go into."""
    asked = {f"{panel['id']} {panel['title']} {target['refId']}": (target["expr"], target["legendFormat"])
             for panel in PANELS for target in panel.get("targets", [])}
    asked |= {each["name"]: (each["expr"], each["textFormat"]) for each in DASHBOARD["annotations"]["list"]
              if "expr" in each}
    for name, variable in VARIABLES.items():
        if variable["type"] == "query":
            metric, label = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"]).groups()
            asked[f"${name}"] = (f"count by ({label}) ({metric})", "")

    def filled(expression):
        return re.sub(r"\$(job|instance|route)\b", ".+", expression).replace("$__rate_interval", "5m")
    return {name: (filled(expression), text) for name, (expression, text) in asked.items()}


PANEL_EXPRESSIONS = dashboard()
EXPRESSIONS = {**{name: expression for name, (expression, _) in PANEL_EXPRESSIONS.items()}, **rules()}


@pytest.fixture(scope="module")
def scraped(tmp_path_factory):
    """Of a real scrape each metric's labels with their values."""
    folder = tmp_path_factory.mktemp("weir")
    proxy = Weir(folder, [route("http://127.0.0.1:1")], {"tls": yaml(**Authority(folder).serve())})
    try:
        found = {}
        for name, has, _ in samples(scrape(proxy)[0]):
            labels = found.setdefault(name, {})
            for label, value in has.items():
                labels.setdefault(label, set()).add(value)
    finally:
        proxy.stop()
    return found


def documented():
    """The metrics of docs/METRICS.md and their labels."""
    page = (REPOSITORY / "docs" / "METRICS.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| \w+ \| (.*?) ?\| \S", page, re.MULTILINE)
    return {name: set(re.findall(r"`(\w+)`", has)) for name, has in rows}


def named_labels(keywords, expression):
    """The labels in `by (…)` and the like."""
    lists = re.findall(rf"\b(?:{keywords}) \(([^)]*)\)", expression)
    return {label.strip() for labels in lists for label in labels.split(",")}


def selectors(expression):
    """Each metric that an expression names, and its matchers."""
    return [(name, MATCHER.findall(matchers or "")) for name, matchers in SELECTOR.findall(expression)]


def test_every_rule_and_panel_was_found():
    assert len(rules()) == len(re.findall("expr:", RULES)) >= 15
    assert len(PANEL_EXPRESSIONS) == json.dumps(DASHBOARD).count('"expr":') + 3 >= 30
    assert all(selectors(expression) for expression in EXPRESSIONS.values())


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_metrics_labels_and_values_exist(name, scraped):
    expression, pages = EXPRESSIONS[name], documented()
    known = set(TARGET)
    for metric, matchers in selectors(expression):
        bare = re.sub("_(bucket|sum|count)$", "", metric)
        assert metric in OTHERS or (bare in pages and metric in scraped), f"no {metric}"
        labels = OTHERS.get(metric) or pages[bare] | set(scraped[metric]) | TARGET
        known |= labels
        for label, operator, value in matchers:
            assert label in labels, f"{metric} has no {label}"
            if label not in TARGET | {"route"}:
                values = scraped[metric][label]
                wanted = set(value.split("|")) if "~" in operator else {value}
                assert wanted <= values, f"{metric} has no {label}={wanted - values}"
    if "job_route:" in expression:
        known |= {"route"}
    grouped = named_labels("by|on|group_left", expression)
    assert grouped <= known
    _, text = PANEL_EXPRESSIONS.get(name, ("", ""))
    assert set(re.findall(r"\{\{(\w+)\}\}", text)) <= grouped | TARGET


def test_an_alert_refers_only_to_labels_that_it_has():
    for name, expression in rules().items():
        part = RULES.partition(f"- alert: {name}\n")[2].partition("- alert:")[0]
        grouped = named_labels("by", expression) | ({"job", "route"} if "job_route:" in expression else set())
        for label in re.findall(r"\$labels\.(\w+)", part):
            assert label in (grouped or TARGET | {"route"}), f"{name} has no {label}"


def test_promtool_takes_the_rules_their_tests_and_the_configuration():
    promtool("check", "rules", PROMETHEUS / "weir.rules.yml")
    promtool("test", "rules", PROMETHEUS / "weir.rules.test.yml")
    promtool("check", "config", PROMETHEUS / "prometheus.yml")


def test_promtool_takes_what_the_dashboard_asks(tmp_path):
    recorded = [{"record": f"panel:{number}", "expr": expression}
                for number, (expression, _) in enumerate(PANEL_EXPRESSIONS.values())]
    path = tmp_path / "panels.yml"  # JSON is YAML
    path.write_text(json.dumps({"groups": [{"name": "panels", "rules": recorded}]}))
    promtool("check", "rules", "--lint=none", path)


def test_every_alert_is_explained_tested_and_says_where():
    alerts = re.findall(r"- alert: (\w+)", RULES)
    page = (REPOSITORY / "docs" / "ALERTS.md").read_text()
    assert re.findall(r"^## (\w+)$", page, re.MULTILINE) == alerts
    assert re.findall(r"docs/ALERTS\.md#(\w+)", RULES) == [alert.lower() for alert in alerts]
    tests = (PROMETHEUS / "weir.rules.test.yml").read_text()
    assert set(re.findall(r'alertname="(\w+)"', tests)) | {"WeirDown"} == set(alerts)
    for alert, section in zip(alerts, re.split(r"^## \w+$", page, flags=re.MULTILINE)[1:]):
        severity = re.search(r"\*(critical|warning)[,*.]", section)[1]
        assert f"severity: {severity}" in RULES.partition(f"- alert: {alert}\n")[2].partition("annotations")[0], alert
        assert "- Look at:" in section and "- Do:" in section


def test_panels_have_ids_of_their_own_and_do_not_overlap():
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    taken = set()
    for panel in PANELS:
        at = panel["gridPos"]
        assert at["x"] >= 0 and at["x"] + at["w"] <= 24, panel["title"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells
    height = max(y for _, y in taken) + 1
    assert len(taken) == 24 * height  # no holes either


def test_everything_asks_the_data_source_that_is_chosen():
    assert VARIABLES["datasource"]["type"] == "datasource" and VARIABLES["datasource"]["query"] == "prometheus"
    chosen = {"type": "prometheus", "uid": "${datasource}"}
    asking = [panel for panel in PANELS if panel["type"] != "row"]
    for part in [*asking, *(VARIABLES[name] for name in ("job", "instance", "route"))]:
        assert part["datasource"] == chosen
        assert all(target["datasource"] == chosen for target in part.get("targets", []))
    assert DASHBOARD.get("id") is None  # importable
    for panel in PANELS:
        for target in panel.get("targets", []):
            for _, matchers in SELECTOR.findall(target["expr"]):
                assert 'job=~"$job", instance=~"$instance"' in matchers, panel["title"]
