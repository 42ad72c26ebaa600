"""The instructions of the documents work."""
import json
import re
import subprocess

import pytest

from harness.weir import REPOSITORY, command, route

DOCUMENTS = [REPOSITORY / "README.md", REPOSITORY / "CHANGELOG.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
LINKING = [*DOCUMENTS, *(REPOSITORY / folder / "README.md" for folder in ("examples", "Benchmarks", "Tests/Wire"))]
# Where the way of a record lies: every file there has its place in the page on the architecture.
DATA_PATH = ("HTTPText", "Flow", "Upstream", "Downstream", "Proxy", "Admin")


def files_named_in(text):
    """The files and folders of the repository that a page names: in links, and in code by a path of at least two parts."""
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        yield target
    for path in re.findall(r"`([\w.+-]+(?:/[\w.+-]+)+)`", text):
        if path.split("/")[0] in {"Sources", "Tests", "docs", "scripts"} or path.endswith((".swift", ".c", ".h")):
            yield path


def test_the_configuration_in_the_readme_is_a_good_one(tmp_path):
    shown = re.search(r"```yaml\n(.*?)```", (REPOSITORY / "README.md").read_text(), re.DOTALL).group(1)
    (tmp_path / "proxy.conf").write_text(shown)
    done = command("check", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_the_example_configuration_is_a_good_one():
    done = command("check", "-c", str(REPOSITORY / "proxy.conf.example"))
    assert done.returncode == 0, done.stderr


def code_after(heading):
    """The indented code of a section of the page on replicas."""
    page = (REPOSITORY / "docs" / "REPLICAS.md").read_text()
    section = re.sub(r"```.*?```", "", page.partition(f"\n## {heading}\n")[2].partition("\n## ")[0], flags=re.DOTALL)
    return [line[4:] for line in section.splitlines() if line.startswith("    ")]


def test_haproxy_accepts_its_configurations(tmp_path):
    alone = code_after("With HAProxy")
    with_compose = [line for line in alone if "server weir" not in line] + code_after("With Compose")
    for lines in (alone, with_compose):
        assert any(re.search(r"server.* check port 9090", line) for line in lines)
        (tmp_path / "haproxy.cfg").write_text("\n".join(lines) + "\n")
        done = subprocess.run(["haproxy", "-c", "-f", "haproxy.cfg"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_image_asks_for_health_by_weir_itself(weir, fastapi_app):
    instruction = re.search(r"^HEALTHCHECK .*CMD (\[.*\])$", (REPOSITORY / "Dockerfile").read_text(), re.MULTILINE)
    program, *arguments = json.loads(instruction.group(1))
    assert program == "weir"
    # It asks where the default configuration listens; this weir listens elsewhere.
    proxy = weir(route(fastapi_app.url))
    assert command(*arguments, "--admin", proxy.admin).returncode == 0
    proxy.stop()
    assert command(*arguments, "--admin", proxy.admin).returncode == 1


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_every_file_that_a_document_names_is_there(document):
    places = (document.parent, REPOSITORY, REPOSITORY / "Sources")
    missing = [name for name in files_named_in(document.read_text())
               if not any((place / name).exists() for place in places)]
    assert not missing


def anchors(page):
    """The anchors of a page's headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ +(.+?) *$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", LINKING, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_every_heading_that_a_page_links_to_is_there(page):
    links = re.findall(r"\]\((?!https?:)([^)#\s]*)#([^)\s]+)\)", page.read_text())
    missing = [f"{file}#{anchor}" for file, anchor in links
               if anchor not in anchors((page.parent / file).resolve() if file else page)]
    assert not missing


def test_the_page_on_the_architecture_names_every_file_of_the_data_path():
    named = set(files_named_in((REPOSITORY / "docs" / "ARCHITECTURE.md").read_text()))
    sources = REPOSITORY / "Sources"
    there = {str(file.relative_to(sources)) for module in DATA_PATH for file in (sources / module).rglob("*.swift")}
    assert len(there) > 40
    assert there <= named, f"not in docs/ARCHITECTURE.md: {sorted(there - named)}"


def test_the_modules_import_each_other_as_the_architecture_says():
    """The page says that Upstream and Downstream do not know each other, and that Flow uses nothing but HTTPText."""
    imports = {module: set(re.findall(r"^(?:package |@\w+ )?import (\w+)", text, re.MULTILINE))
               for module in DATA_PATH
               for text in ["\n".join(file.read_text() for file in (REPOSITORY / "Sources" / module).rglob("*.swift"))]}
    assert imports["Flow"] <= {"Glibc", "Musl", "Darwin", "HTTPText"}
    assert "Downstream" not in imports["Upstream"] and "Upstream" not in imports["Downstream"]
    assert "Admin" not in imports["Proxy"]
    assert not {"Settings", "Observability", "Proxy", "Admin"} & (imports["Upstream"] | imports["Downstream"])


def rows_of_the_limits():
    page = (REPOSITORY / "docs" / "LIMITS.md").read_text()
    rows = [row for row in page.splitlines() if row.startswith("|") and not row.startswith(("|---", "| resource"))]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def test_each_limit_has_a_test_that_exhausts_it():
    rows = rows_of_the_limits()
    assert len(rows) > 50 and {len(row) for row in rows} == {5} and all(all(row) for row in rows)
    sources = {file.name: file.read_text() for kind in ("test_*.py", "*Tests.swift") for file in (REPOSITORY / "Tests").rglob(kind)}
    for resource, *_, tests in rows:
        named = re.findall(r"`(\w+\.(?:py|swift))::(\w+)`", tests)
        assert named, f"no test for {resource}"
        for file, test in named:
            assert re.search(rf"\b(?:def|func) {test}\b", sources.get(file, "")), f"there is no {file}::{test}, named for {resource}"
