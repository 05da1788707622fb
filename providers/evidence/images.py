"""One picture, made safe: what it is is read from its bytes, and its pixels are written into a new file (R42).

Name, declared type, metadata (where it was taken), comments, appended archives and scripts do not survive: only pixels
do. Decoding is bounded before it starts: by bytes, by the sizes in the header, by the one format that was recognised.
"""

import io
import struct
import warnings
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError

MAX_BYTES = 5 * 1024 * 1024
MAX_PIXELS = 40_000_000
"""Well below the 89 million at which Pillow only warns; a telephone's largest pictures fit."""
MAX_SIDE = 16_000
LARGEST_KEPT = 4_096
"""Longer sides are scaled down to this: enough to judge a scratch by."""
QUALITY = 88

_JPEG, _PNG, _WEBP = "JPEG", "PNG", "WEBP"
_TYPES = {_JPEG: "image/jpeg", _PNG: "image/png", _WEBP: "image/webp"}
_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"avif")


class NotAPicture(Exception):
    """`code`: EMPTY, TOO_LARGE, NOT_AN_IMAGE, TOO_MANY_PIXELS, TRUNCATED. The text tells what to send instead."""

    def __init__(self, code: str, why: str) -> None:
        self.code = code
        super().__init__(why)


@dataclass(frozen=True)
class CleanImage:
    content: bytes
    content_type: str
    width: int
    height: int


def clean(content: bytes) -> CleanImage:
    """The picture in `content`, written anew in its own format. Raises `NotAPicture`. Heavy: call it in a thread."""
    if not content:
        raise NotAPicture("EMPTY", "the file is empty; send a picture")
    if len(content) > MAX_BYTES:
        raise NotAPicture("TOO_LARGE", f"the file has {len(content)} bytes; at most {MAX_BYTES} are taken (5 MB)")
    kind = _recognise(content)
    # Pillow's own warning about large pictures comes before our limit is looked at; ours is lower and an error.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        return _write(_decode(content, kind), kind)


def _recognise(content: bytes) -> str:
    if content.startswith(b"\xff\xd8\xff"):
        return _JPEG
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return _PNG
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return _WEBP
    hint = " (HEIC: set the camera to JPEG)" if content[4:8] == b"ftyp" and content[8:12] in _HEIC_BRANDS else ""
    raise NotAPicture("NOT_AN_IMAGE", f"the file is no JPEG, PNG or WebP picture, whatever its name says{hint}")


def _decode(content: bytes, kind: str) -> Image.Image:
    try:
        # Only the decoder of the recognised format may look at the bytes.
        picture = Image.open(io.BytesIO(content), formats=[kind])
        width, height = picture.size
        if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
            raise NotAPicture(
                "TOO_MANY_PIXELS", f"the picture is {width} × {height}; at most {MAX_PIXELS // 1_000_000} megapixels"
            )
        if kind == _JPEG:
            # The decoder scales down by itself, at a fraction of the memory.
            picture.draft("RGB", (LARGEST_KEPT, LARGEST_KEPT))
        picture.load()
        return ImageOps.exif_transpose(picture)
    except Image.DecompressionBombError:
        raise NotAPicture("TOO_MANY_PIXELS", "the picture has far too many pixels; send a smaller one") from None
    except UnidentifiedImageError:
        raise NotAPicture("NOT_AN_IMAGE", "the file begins like a picture but is none") from None
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, struct.error) as error:
        raise NotAPicture(
            "TRUNCATED", f"the picture is damaged or cut off ({type(error).__name__}); send it again"
        ) from None


def _write(picture: Image.Image, kind: str) -> CleanImage:
    see_through = kind != _JPEG and ("A" in picture.getbands() or "transparency" in picture.info)
    pixels = picture.convert("RGBA" if see_through else "RGB")
    pixels.thumbnail((LARGEST_KEPT, LARGEST_KEPT))
    # A new image carries pixels and nothing else: no EXIF, no comment, no profile, no text chunks.
    fresh = Image.new(pixels.mode, pixels.size)
    fresh.paste(pixels)
    out = io.BytesIO()
    if kind == _PNG:
        fresh.save(out, _PNG)
    else:
        fresh.save(out, kind, quality=QUALITY)
    written = out.getvalue()
    if len(written) > MAX_BYTES:
        # Noise in a lossless format: as JPEG it is a tenth.
        kind, out = _JPEG, io.BytesIO()
        fresh.convert("RGB").save(out, kind, quality=QUALITY)
        written = out.getvalue()
    return CleanImage(content=written, content_type=_TYPES[kind], width=fresh.width, height=fresh.height)
