"""Parts start in order, end in reverse order, and the exit code says why."""
