"""The counters and histograms that /metrics shows."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry(auto_describe=True)

REQUESTS = Counter("leadwright_http_requests", "Requests answered", ("method", "route", "status"), registry=REGISTRY)
REQUEST_SECONDS = Histogram(
    "leadwright_http_request_seconds",
    "Time from the first byte of a request to the last of its answer",
    ("method", "route"),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=REGISTRY,
)
_LEADS = Counter("leadwright_leads", "Rows of add-leads requests by outcome", ("outcome",), registry=REGISTRY)
LEADS = {outcome: _LEADS.labels(outcome) for outcome in ("added", "updated", "duplicate", "invalid")}
EVENTS_PUBLISHED = Counter("leadwright_events_published", "Events given their place in the feed", registry=REGISTRY)
_DELIVERIES = Counter("leadwright_webhook_deliveries", "Webhook deliveries by outcome", ("outcome",), registry=REGISTRY)
DELIVERIES = {outcome: _DELIVERIES.labels(outcome) for outcome in ("delivered", "retried", "failed")}
WEBHOOKS_PAUSED = Counter("leadwright_webhooks_paused", "Times an endpoint was paused", registry=REGISTRY)
_DEEDS = Counter("leadwright_deeds", "Deeds of leads by outcome", ("outcome",), registry=REGISTRY)
DEEDS = {outcome: _DEEDS.labels(outcome) for outcome in ("done", "awaited", "failed", "postponed", "uncertain")}
DEEDS_UNDER_WAY = Gauge("leadwright_deeds_under_way", "Deeds that this process has in hand", registry=REGISTRY)
DEEDS_UNCERTAIN = Gauge(
    "leadwright_deeds_uncertain", "Deeds of which nobody knows whether they happened", registry=REGISTRY
)
