"""What Kubernetes objects mean to the fleet."""
