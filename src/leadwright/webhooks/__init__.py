"""Telling the world: endpoints, and the deliveries of events to them."""
