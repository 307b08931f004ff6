"""Simpler inputs than a given one, for the search for a counterexample that a person can check by hand."""
