"""Claims about learning-rate schedules."""
