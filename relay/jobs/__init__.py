"""What the relay does by the clock: retention, escalation, rates, anchors, notices."""
