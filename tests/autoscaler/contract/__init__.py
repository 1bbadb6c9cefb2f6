"""What every forecaster promises, as a suite that a user's own can be run through."""
