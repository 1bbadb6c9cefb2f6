"""The kernel under every experiment: time, chance, statistics, and the theory they answer to."""
