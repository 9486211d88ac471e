"""Leadwright: a self-hosted outreach server that speaks the SendPilot API."""

__version__ = "0.1.0"
