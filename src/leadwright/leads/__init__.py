"""Leads: people in a campaign, how they are added, read and taken out."""
