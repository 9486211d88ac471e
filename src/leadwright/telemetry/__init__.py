"""What the process tells its operator: logs and metrics, without secrets or personal data."""
