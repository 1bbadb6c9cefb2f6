"""Settings come from defaults, a file and the environment; every mistake is told at once."""
