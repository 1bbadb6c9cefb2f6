"""Settings are read from defaults, file and environment, and every mistake in them is told at once."""
