"""How every outside system signs what it sends: any content, at any moment, with any installation's secrets.

For measurements, whole-system tests and refusals alike. Built on the sandboxes' own cryptography, which is written to
disagree with our clients and receivers, and never on ours.
"""

from bench.signing.signers import SignedRequest, Signers

__all__ = ["SignedRequest", "Signers"]
