"""How the real client finds, trusts and gives up on a server, shown on one that misbehaves."""
