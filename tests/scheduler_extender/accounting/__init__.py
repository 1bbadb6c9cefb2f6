"""Who is believed about what a node has given out."""
