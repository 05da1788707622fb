"""What is told to other systems: subscriptions and deliveries."""
