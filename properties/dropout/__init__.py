"""Claims about dropout."""
