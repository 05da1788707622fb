"""How code says that a text is for people."""


class OurText(str):
    """A text of ours among data: in a table it is said in the person's language, where data stays as it is."""

    __slots__ = ()


def N_(text: str) -> OurText:  # noqa: N802 - gettext's own name
    """Marks a text that is translated where it is shown. An f-string too: its holes are `{0}`, `{1}` … there."""
    return OurText(text)
