"""What holds for the twin holds for the real API server: one suite, run on both."""
