"""What the worker looks after by itself, beside its activities."""
