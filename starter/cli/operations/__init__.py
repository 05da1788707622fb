"""What operations look at: events, replay, reports, settings, audit, subscriptions."""
