"""What the documents tell a reader to do works."""
import json
import re
import subprocess

from harness.weir import REPOSITORY, command, route


def test_the_configuration_in_the_readme_is_a_good_one(tmp_path):
    shown = re.search(r"```yaml\n(.*?)```", (REPOSITORY / "README.md").read_text(), re.DOTALL).group(1)
    (tmp_path / "proxy.conf").write_text(shown)
    done = command("check", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_the_example_configuration_is_a_good_one():
    done = command("check", "-c", str(REPOSITORY / "proxy.conf.example"))
    assert done.returncode == 0, done.stderr


def test_the_image_asks_for_health_in_a_way_that_bash_understands(weir, fastapi_app, tmp_path):
    instruction = re.search(r"HEALTHCHECK.*?CMD (\[.*?\]\])\"\]", (REPOSITORY / "Dockerfile").read_text(), re.DOTALL)
    shell = json.loads(re.sub(r"\\\n\s*", "", instruction.group(1) + '"]'))
    proxy = weir(route(fastapi_app.url))
    port = proxy.admin.rpartition(":")[2]
    asked = [part.replace("/9090", f"/{port}") for part in shell]
    assert subprocess.run(asked, timeout=10).returncode == 0
    missing = [part.replace("/livez", "/nothing") for part in asked]
    assert subprocess.run(missing, timeout=10).returncode != 0
    proxy.stop()
    assert subprocess.run(asked, timeout=10, stderr=subprocess.DEVNULL).returncode != 0
