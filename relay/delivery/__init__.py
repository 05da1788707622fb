"""From the inbox to the workflows: claimed, routed, coalesced, signalled, marked."""
