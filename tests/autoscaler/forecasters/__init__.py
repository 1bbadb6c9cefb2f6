"""How each forecaster behaves: what it learns, what it refuses, how wide its bounds are."""
