"""`weir schema`: editors accept every configuration that weir accepts, and find the usual errors."""
import json
import re

import jsonschema
import pytest
import yaml

from harness.weir import REPOSITORY, command

GOLDEN = REPOSITORY / "Tests" / "SettingsTests" / "Golden"
# What a schema can know. It has no ranges of durations and sizes, no rules of several keys, and no contents of variables.
FOUND = re.compile(r"unknown key|is missing|allowed: (a mapping of|a whole number from|`true` or `false`|a list of one route|"
                   r"a rate such as|`strict` or|`json` or)")


class Loader(yaml.SafeLoader):
    """YAML 1.2's core schema, as editors have it: `off` is text, and `1:30` as well."""
    yaml_implicit_resolvers = {}


for tag, pattern, first in [
    ("null", "~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", "true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", "[-+]?(0|[1-9][0-9]*)", list("-+0123456789")),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", list("-+.0123456789")),
]:
    Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"^(?:{pattern})$"), first)


@pytest.fixture(scope="module")
def schema():
    done = command("schema")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    jsonschema.Draft7Validator.check_schema(found)
    return jsonschema.Draft7Validator(found)


def goldens():
    """Each golden file: its name, its input, and the errors or the values that come of it."""
    for path in sorted(GOLDEN.glob("*.conftest")):
        written, _, outcome = path.read_text().partition("\n----------\n")
        yield path.name, written, outcome


VALID = {name: written for name, written, outcome in goldens() if not outcome.startswith("proxy.conf:")}
WRONG = {name: written for name, written, outcome in goldens()
         if outcome.startswith("proxy.conf:") and FOUND.search(outcome) and "${" not in written}


def errors(schema, text):
    return [f"{'.'.join(map(str, error.absolute_path))}: {error.message[:300]}"
            for error in schema.iter_errors(yaml.load(text, Loader))]


def test_there_are_enough_files():
    assert len(VALID) > 20 and len(WRONG) > 12


@pytest.mark.parametrize("name", VALID)
def test_what_weir_accepts_is_valid(schema, name):
    assert errors(schema, VALID[name]) == []


@pytest.mark.parametrize("path", [
    "proxy.conf.example", *(str(path.relative_to(REPOSITORY)) for path in sorted(REPOSITORY.glob("**/proxy.conf"))
                            if ".build" not in path.parts)])
def test_the_examples_are_valid(schema, path):
    assert errors(schema, (REPOSITORY / path).read_text()) == []


def blocks(page):
    """The configurations of weir on a page, without those of other programs."""
    found = re.findall(r"```yaml\n(.*?)```", (REPOSITORY / "docs" / page).read_text(), re.DOTALL)
    return [block for block in found if not block.startswith(("services:", "env:"))]


@pytest.mark.parametrize("page", ["CONFIGURATION.md", "LLM.md", "OTLP.md", "REPLICAS.md", "SHARING.md", "TLS.md"])
def test_the_configurations_of_the_documents_are_valid(schema, page):
    assert blocks(page)
    for block in blocks(page):
        rest = [] if "routes:" in block else ["'routes' is a required property"]
        assert [error.partition(": ")[2] for error in errors(schema, block)] == rest


@pytest.mark.parametrize("page", ["CONFIGURATION.md", "LLM.md", "REPLICAS.md", "SHARING.md"])
def test_the_complete_configurations_of_the_documents_are_accepted(page, tmp_path):
    complete = [block for block in blocks(page) if "routes:" in block]
    assert complete
    for block in complete:
        (tmp_path / "proxy.conf").write_text(re.sub(r"\$\{\w+\}", "a-value", block))
        done = command("check", cwd=tmp_path)
        assert done.returncode == 0, block + done.stderr


@pytest.mark.parametrize("name", WRONG)
def test_an_error_of_the_usual_kinds_is_found(schema, name):
    try:
        assert errors(schema, WRONG[name])
    except yaml.YAMLError:
        pass  # an editor reports this without a schema


def test_an_editor_learns_the_words_of_a_key_and_what_is_allowed(schema):
    top = schema.schema["properties"]
    assert top["log_level"]["anyOf"][0]["enum"] == ["trace", "debug", "info", "notice", "warning", "error", "critical"]
    assert top["workers"]["description"] == "Allowed: a whole number from 1 to 1024, or `auto`"
    assert schema.schema["additionalProperties"] is False and schema.schema["required"] == ["routes"]


def test_the_effective_configuration_is_valid_too(schema):
    printed = command("check", "--print", "proxy.conf.example", cwd=REPOSITORY)
    assert printed.returncode == 0 and errors(schema, printed.stdout) == []
