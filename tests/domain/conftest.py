"""Properties are about rules, not about how busy the machine is: no deadline per example."""

from hypothesis import settings

settings.register_profile("rules", deadline=None)
settings.load_profile("rules")
