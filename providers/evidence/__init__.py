"""Pictures that strangers send: read by content, written anew, nothing of the original kept but what can be seen."""

from providers.evidence.images import CleanImage, NotAPicture, clean

__all__ = ["CleanImage", "NotAPicture", "clean"]
