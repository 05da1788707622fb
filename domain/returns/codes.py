"""Return codes: unguessable, easy to read aloud, with a check character against slips of the pen (R50).

`RC-XXXXX-XXXXX-XXXXX-XXXXX-C`: 20 characters of 5 bits are 100 bits of chance, and no letter looks like a digit.
"""

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O, U."""
LENGTH = 20
PREFIX = "RC"
_MEANT = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})


def code_of(chance: bytes) -> str:
    """The code made of at least 13 random bytes (who calls has the randomness)."""
    number = int.from_bytes(chance[:13], "big") >> 4
    if len(chance) < 13:
        raise ValueError("a return code wants 13 random bytes")
    body = "".join(ALPHABET[number >> 5 * (LENGTH - 1 - i) & 31] for i in range(LENGTH))
    groups = [body[i : i + 5] for i in range(0, LENGTH, 5)]
    return "-".join([PREFIX, *groups, _check(body)])


def read_code(typed: str) -> str | None:
    """The code that somebody typed or scanned, in its one spelling; None when it cannot be one.

    Lower case, missing dashes, blanks and the letters O, I, L for 0 and 1 are forgiven; nothing else is.
    """
    text = typed.strip().upper()
    if len(text) > 60:
        return None
    bare = text.removeprefix(PREFIX).translate(_MEANT)
    if len(bare) != LENGTH + 1 or any(c not in ALPHABET for c in bare[:-1]) or bare[-1] != _check(bare[:-1]):
        return None
    groups = [bare[i : i + 5] for i in range(0, LENGTH, 5)]
    return "-".join([PREFIX, *groups, bare[-1]])


def _check(body: str) -> str:
    """The character that makes the whole a multiple of x - 2 over the field of 32 elements: any one wrong character,
    and any two neighbours swapped, show."""
    rest = 0
    for c in body:
        rest = _doubled(rest) ^ ALPHABET.index(c)
    return ALPHABET[_doubled(rest)]


def _doubled(element: int) -> int:
    return element << 1 ^ (0b100101 if element & 16 else 0)
