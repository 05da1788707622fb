"""Numbers of parcels that nobody finds odd (domain/returns/waybills.py)."""

from hashlib import sha256


def waybill(child_no: str) -> str:
    """Of YTO's shape, always the same for the same child."""
    return f"YT{int.from_bytes(sha256(child_no.encode()).digest()[:8]) % 10**13:013d}"
