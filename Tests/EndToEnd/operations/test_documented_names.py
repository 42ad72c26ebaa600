"""The names in the documents exist, and what exists is documented: keys, options, targets, problems, metrics, attributes."""
import json
import re

import pytest

from harness.weir import REPOSITORY, command

SOURCES = REPOSITORY / "Sources"
DOCS = REPOSITORY / "docs"
PAGES = [REPOSITORY / "README.md", REPOSITORY / "examples" / "README.md", *sorted(DOCS.glob("*.md"))]
EVERY_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))


def source(*path):
    return SOURCES.joinpath(*path).read_text()


def rows(page, pattern, until=None):
    return re.findall(pattern, (DOCS / page).read_text().partition(until or "\0")[0], re.MULTILINE)


def cases(*path):
    """The cases of an enumeration by their raw values."""
    return {raw or name: name for name, raw in re.findall(r'case (\w+)(?: = "([\w-]+)")?$', source(*path), re.MULTILINE)}


@pytest.fixture(scope="module")
def keys():
    """The paths of all keys of the configuration."""
    def walk(node, path):
        for name, value in node.get("properties", {}).items():
            yield (*path, name)
            yield from walk(value, (*path, name))
        for part in [*node.get("anyOf", []), *([node["items"]] if "items" in node else [])]:
            yield from walk(part, path)
    return set(walk(json.loads(command("schema").stdout), ()))


@EVERY_PAGE
def test_a_key_that_is_named_with_its_parent_exists(page, keys):
    """Parents are the keys that have keys of their own; `routes` is omitted in most places."""
    parents = {path[-2] for path in keys if len(path) > 1}
    ends = {path[start:] for path in keys for start in range(len(path))}
    named = [tuple(name.split(".")) for name in re.findall(r"`([a-z_]+(?:\.[a-z_]+)+)(?: [^`]*)?`", page.read_text())]
    assert not [name for name in named if name[0] in parents and name not in ends]


def test_the_page_on_the_configuration_has_a_parent_to_check(keys):
    assert ("routes", "streams", "per_client") in keys and len(keys) > 200


@pytest.fixture(scope="module")
def options():
    """The options of each command; those that are not in its help, too."""
    described = json.loads(command("--experimental-dump-help").stdout)["command"]["subcommands"]
    return {each["commandName"]: {("--" if name["kind"] == "long" else "-") + name["name"]
                                  for argument in each["arguments"] for name in argument.get("names", [])}
            for each in described}


@EVERY_PAGE
def test_an_option_in_a_command_exists(page, options):
    lines = re.findall(rf"\bweir ({'|'.join(options)})\b([^`\n#|>]*)", page.read_text())
    unknown = [f"weir {name} {option}" for name, rest in lines
               for option in re.findall(r"(?<![\w-])--?[a-z][\w-]*", rest) if option not in options[name]]
    assert not unknown


def test_a_target_of_make_exists():
    targets = set(re.findall(r"^([a-z][\w-]*):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    pages = [*PAGES, REPOSITORY / "Benchmarks" / "README.md", REPOSITORY / "Tests" / "Wire" / "README.md"]
    named = {name for page in pages for name in re.findall(r"(?:`|^    )make ([a-z][\w-]*)", page.read_text(), re.MULTILINE)}
    assert len(named) > 15 and named <= targets


def test_the_page_on_planning_has_every_option(options):
    page = (DOCS / "PLANNING.md").read_text()
    assert not [option for option in options["plan"] - {"-c", "--config", "-h", "--help", "--version"}
                if f"`{option}`" not in page]


def test_the_page_on_the_behaviour_has_every_problem_with_its_status():
    kinds = {name: raw for raw, name in cases("Flow", "Problem", "Problem.swift").items()}
    made = {(status, kinds[kind]) for part in ("Flow", "Proxy", "Admin") for file in (SOURCES / part).rglob("Problem+*.swift")
            for kind, status in re.findall(r"\.(\w+), status: (\d{3})", file.read_text())}
    # This one is sent in a notice only.
    made.remove(("200", "records-dropped"))
    assert len(made) > 15
    assert set(rows("BEHAVIOUR.md", r"^\| (\d{3}) \| `([\w-]+)` \|")) == made


def test_the_page_on_troubleshooting_has_every_problem_and_every_reason():
    first = [re.findall(r"`([\w-]+)`", row) for row in rows("TROUBLESHOOTING.md", r"^\| ([^|]*`[^|]*)\|", until="## By symptom")]
    documented = {name for names in first for name in names}
    problems, reasons = cases("Flow", "Problem", "Problem.swift"), cases("Flow", "Values", "Outcome.swift")
    assert len(problems) > 10 and len(reasons) > 5
    assert documented == (set(problems) - {"records-dropped"}) | set(reasons)


def test_the_page_on_the_behaviour_has_every_reason():
    ends = (DOCS / "BEHAVIOUR.md").read_text().partition("## How a stream ends")[2].partition("\n- ")[0]
    assert set(re.findall(r"^\|.*\| `(\w+)`[^|]*\|$", ends, re.MULTILINE)) - {"reason"} == set(cases("Flow", "Values", "Outcome.swift"))


def test_the_page_on_logs_names_every_member_of_a_line():
    page = (REPOSITORY / "docs" / "LOGS.md").read_text().partition("## `weir logs`")[0]
    documented = {name for row in re.findall(r"^\| (`.*?) \|", page, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    source = (REPOSITORY / "Sources" / "Observability" / "AccessLogEntry.swift").read_text()
    assert documented == set(re.findall(r'\badd\("(\w+)"', source))


@EVERY_PAGE
def test_a_metric_has_its_row_and_its_labels(page):
    labels = {name: set(re.findall(r"`(\w+)`", cell)) for name, cell in rows("METRICS.md", r"^\| `(\w+)` \| \w+ \| (.*?) ?\| \S")}
    assert len(labels) > 50
    for name, selected in re.findall(r"\b((?:weir|process)_[a-z_]+[a-z])\b(?!\*|_)(?:\{([^}]*)\})?", page.read_text()):
        bare = re.sub("_(bucket|sum|count)$", "", name)
        if name.startswith("weir_shared") and bare not in labels:
            continue  # a prefix of several
        assert bare in labels, name
        assert set(re.findall(r"(\w+)(?:[=!,]|$)", re.sub(r'"[^"]*"', "", selected))) <= labels[bare], name


def test_the_page_on_otlp_has_every_attribute():
    code = "".join(file.read_text() for file in (SOURCES / "OTLP").rglob("*.swift"))
    made = set(re.findall(r'Attribute\("([\w.]+)"', code)) - {"service.name", "service.instance.id", "service.version"}
    named = re.findall(r"`((?:http|url|server|client|network|error|weir)\.[a-z_.]+)`", (DOCS / "OTLP.md").read_text())
    assert len(made) > 10 and set(named) >= made
    assert set(named) <= set(re.findall(r'"([\w.]+)"', code))
