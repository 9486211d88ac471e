"""What /metrics shows: few labels, each of a fixed set, and never a person."""

from prometheus_client import generate_latest

from leadwright.telemetry import metrics

LABELS = {"method", "route", "status", "outcome", "le"}


def test_every_metric_is_ours_and_described() -> None:
    for family in metrics.REGISTRY.collect():
        assert family.name.startswith("leadwright_")
        assert family.documentation


def test_labels_are_of_fixed_sets() -> None:
    """A label with free values, such as a path with an id, would grow without end and show who was asked for."""
    metrics.REQUESTS.labels("GET", "/v1/leads/{lead_id}", "200").inc()
    metrics.REQUEST_SECONDS.labels("GET", "/v1/leads/{lead_id}").observe(0.003)
    metrics.LEADS["added"].inc(2)
    for family in metrics.REGISTRY.collect():
        for sample in family.samples:
            assert set(sample.labels) <= LABELS, sample.name


def test_a_request_lands_in_the_bucket_of_its_time() -> None:
    route = "/a/route/of/this/test"
    for seconds in (0.0004, 0.004, 31.0):
        metrics.REQUEST_SECONDS.labels("POST", route).observe(seconds)
    text = generate_latest(metrics.REGISTRY).decode()
    for bound, count in (("0.001", 1), ("0.005", 2), ("30.0", 2), ("+Inf", 3)):
        line = f'leadwright_http_request_seconds_bucket{{le="{bound}",method="POST",route="{route}"}} {count}.0'
        assert line in text
