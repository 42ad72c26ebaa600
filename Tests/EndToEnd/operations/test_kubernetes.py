"""The manifests and the Helm chart: valid for Kubernetes, and with a configuration that weir accepts."""
import os

import helm_python
import kubernetes_validate
import pytest
import yaml

from harness.weir import REPOSITORY, command

PACKAGING = REPOSITORY / "packaging"
CHART = PACKAGING / "helm/weir"
NEWEST = kubernetes_validate.latest_version()
EVERYTHING = {
    "replicas": 3, "image": {"repository": "registry.example/weir", "tag": "1.2.3", "pullPolicy": "Always"},
    "adminToken": {"secret": "operators", "key": "token"}, "shutdownGrace": 60, "preStop": 10,
    "environment": [{"name": "API_KEY", "valueFrom": {"secretKeyRef": {"name": "api", "key": "key"}}}],
    "service": {"type": "LoadBalancer", "port": 8080}, "podMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "nodeSelector": {"kubernetes.io/arch": "amd64"}, "tolerations": [{"key": "dedicated", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
}


def rendered(values=None, name="weir"):
    """The chart's documents by kind."""
    with helm_python.Chart.load(CHART) as chart:
        texts = chart.render(values, name=name, namespace="default").values()
    documents = [document for text in texts for document in yaml.safe_load_all(text) if document]
    kinds = {document["kind"]: document for document in documents}
    assert len(kinds) == len(documents)
    return kinds


def manifest(name):
    return {each["kind"]: each for each in yaml.safe_load_all((PACKAGING / "kubernetes" / name).read_text())}


SOURCES = {
    "manifest": lambda: {**manifest("weir.yaml"), **manifest("podmonitor.yaml")},
    "chart": rendered,
    "chart-with-all-values": lambda: rendered(EVERYTHING),
    "chart-with-one-replica": lambda: rendered({"replicas": 1}, name="x" * 53),
}


@pytest.mark.parametrize("source", SOURCES)
def test_each_document_is_valid(source):
    documents = SOURCES[source]()
    for kind, document in documents.items():
        if kind != "PodMonitor":  # of the Prometheus operator
            kubernetes_validate.validate(document, NEWEST, strict=True)
    pod = documents["Deployment"]["spec"]["template"]
    assert documents["Deployment"]["spec"]["selector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
    assert documents["Service"]["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
    assert ("PodDisruptionBudget" in documents) == (documents["Deployment"]["spec"]["replicas"] > 1)


@pytest.mark.parametrize("values", [None, EVERYTHING], ids=["default", "all-values"])
def test_the_charts_configuration_is_accepted(tmp_path, values):
    text = rendered(values)["ConfigMap"]["data"]["proxy.conf"]
    (tmp_path / "proxy.conf").write_text(text)
    done = command("check", cwd=tmp_path, env={**os.environ, "WEIR_ADMIN_TOKEN": "x" * 32})
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("values", [None, EVERYTHING], ids=["default", "all-values"])
def test_a_pod_has_time_to_drain(values):
    documents = rendered(values)
    pod = documents["Deployment"]["spec"]["template"]["spec"]
    wait = int(pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][1])
    grace = int(yaml.safe_load(documents["ConfigMap"]["data"]["proxy.conf"])["shutdown_grace"].removesuffix("s"))
    assert pod["terminationGracePeriodSeconds"] >= wait + grace + 8


@pytest.mark.parametrize("source", ["manifest", "chart-with-all-values"])
def test_the_pod_monitor_reads_the_metrics_with_the_token(source):
    documents = SOURCES[source]()
    monitor, pod = documents["PodMonitor"]["spec"], documents["Deployment"]["spec"]["template"]
    assert documents["PodMonitor"]["apiVersion"] == "monitoring.coreos.com/v1"
    assert monitor["selector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
    (endpoint,) = monitor["podMetricsEndpoints"]
    (container,) = pod["spec"]["containers"]
    assert endpoint["port"] in {port["name"] for port in container["ports"]} and endpoint["path"] == "/metrics"
    assert endpoint["authorization"]["credentials"] == container["env"][0]["valueFrom"]["secretKeyRef"]


def test_the_chart_passes_helms_linter():
    report = helm_python.lint(CHART, strict=True)
    assert not report["errors"] and all(message["severity"] < 2 for message in report["messages"]), report


@pytest.mark.parametrize("values", [
    {"replicas": 0}, {"replica": 2}, {"shutdownGrace": "20s"}, {"configuration": {"routes": []}},
    {"configuration": {"routes": [{"match": "/", "upstream": "http://a"}], "listen": "127.0.0.1:8080"}}])
def test_the_charts_schema_rejects_a_wrong_value(values):
    with helm_python.Chart.load(CHART) as chart, pytest.raises(helm_python.HelmError):
        chart.validate_schema(chart.merge_values(values))
