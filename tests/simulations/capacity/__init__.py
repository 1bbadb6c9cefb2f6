"""What the planner's two questions promise: how much more fits, and what to buy."""
