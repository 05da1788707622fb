"""Public SDKs, as their registries have them, against our sandboxes: `make oracles`."""
