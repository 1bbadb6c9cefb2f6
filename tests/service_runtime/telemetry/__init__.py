"""What a service tells: events, metrics and traces that are bounded and carry no secret."""
