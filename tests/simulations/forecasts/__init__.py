"""Plans, figures and their certainty, on small made-up series."""
