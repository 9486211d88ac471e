"""Reproducible benchmarks: each prints ratios against a floor that is measured in the same run, on loopback only."""
