"""Exact tests of drawn parameters."""
