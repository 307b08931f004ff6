"""Dropout: layers whose units are removed at random, as functions of the mask that was drawn."""
