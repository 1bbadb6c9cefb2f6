"""What a report shows, and what it must never do to a number, a name or a file."""
