"""Pictures from strangers: only what is one comes through, and only its pixels do (cases 69, 70, 71, 75, 76)."""

import io
import struct
import zlib

import pytest
from PIL import Image

from providers.evidence import NotAPicture, clean
from providers.evidence.images import LARGEST_KEPT, MAX_BYTES

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


def a_picture(kind: str = "JPEG", size: tuple[int, int] = (64, 48), mode: str = "RGB", **saving: object) -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert(mode).save(out, kind, **saving)
    return out.getvalue()


def a_png_that_claims(width: int, height: int) -> bytes:
    """A few bytes that would become gigabytes."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 999)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("kind", "mode", "content_type"),
    [
        ("JPEG", "RGB", "image/jpeg"),
        ("JPEG", "CMYK", "image/jpeg"),
        ("JPEG", "L", "image/jpeg"),
        ("PNG", "RGB", "image/png"),
        ("PNG", "RGBA", "image/png"),
        ("PNG", "P", "image/png"),
        ("PNG", "1", "image/png"),
        ("WEBP", "RGB", "image/webp"),
        ("WEBP", "RGBA", "image/webp"),
    ],
)
def test_real_pictures_come_through_in_their_own_format(kind: str, mode: str, content_type: str) -> None:
    got = clean(a_picture(kind, mode=mode))
    assert (got.content_type, got.width, got.height) == (content_type, 64, 48)
    assert Image.open(io.BytesIO(got.content)).format == kind


@pytest.mark.parametrize(
    "content",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"<!doctype html><script>alert(1)</script>",
        b"%PDF-1.7",
        b"GIF89a" + bytes(20),
        b"PK\x03\x04" + bytes(40),
        b"MZ" + bytes(60),
        EICAR,
        b"\x00\x00\x00\x18ftypheic" + bytes(40),
        b"hello" * 100,
        b" " + a_picture(),
    ],
    ids=["svg", "html", "pdf", "gif", "zip", "program", "eicar", "heic", "text", "jpeg after a blank"],
)
def test_what_is_no_picture_is_refused_whatever_it_is_called(content: bytes) -> None:
    with pytest.raises(NotAPicture) as refusal:
        clean(content)
    assert refusal.value.code == "NOT_AN_IMAGE"


@pytest.mark.parametrize(
    "tail", [b"<script>alert(1)</script>", b"PK\x03\x04 a zip", EICAR], ids=["html", "zip", "eicar"]
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_what_hangs_on_a_real_picture_is_gone(kind: str, tail: bytes) -> None:
    assert tail not in clean(a_picture(kind) + tail).content


def test_a_script_in_a_comment_is_gone() -> None:
    assert b"script" not in clean(a_picture(comment=b"<script>alert(1)</script>")).content


def test_where_it_was_taken_is_gone_and_which_way_is_up_stays() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    exif[0x010F] = "Telephone of Wang Fang"
    exif.get_ifd(0x8825).update({1: "N", 2: (30.0, 16.0, 48.0), 3: "E", 4: (120.0, 9.0, 0.0)})
    content = a_picture(size=(64, 32), exif=exif)
    assert b"Wang Fang" in content
    got = clean(content)
    assert (got.width, got.height) == (32, 64)
    assert b"Wang Fang" not in got.content
    assert b"Exif" not in got.content
    assert not Image.open(io.BytesIO(got.content)).getexif()


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_metadata_of_other_formats_is_gone_too(kind: str) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Telephone of Wang Fang"
    assert b"Wang Fang" not in clean(a_picture(kind, exif=exif)).content


@pytest.mark.parametrize(("width", "height"), [(30_000, 30_000), (10_000, 10_000), (40_001, 1_000), (20_000, 1)])
def test_too_many_pixels_are_refused_before_they_are_decoded(width: int, height: int) -> None:
    with pytest.raises(NotAPicture) as refusal:
        clean(a_png_that_claims(width, height))
    assert refusal.value.code == "TOO_MANY_PIXELS"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("kept", [12, 100, 400])
def test_a_cut_off_upload_is_refused(kind: str, kept: int) -> None:
    whole = a_picture(kind, size=(300, 300))
    with pytest.raises(NotAPicture) as refusal:
        clean(whole[:kept])
    assert refusal.value.code in ("TRUNCATED", "NOT_AN_IMAGE")


def test_a_large_picture_is_kept_smaller() -> None:
    got = clean(a_picture(size=(6_000, 3_000)))
    assert got.width <= LARGEST_KEPT
    assert abs(got.width / got.height - 2) < 0.01


def test_noise_does_not_grow_beyond_what_may_be_uploaded() -> None:
    out = io.BytesIO()
    Image.effect_noise((2_600, 1_900), 90).save(out, "PNG", compress_level=9)
    content = out.getvalue()
    assert len(content) <= MAX_BYTES, "the test wants a large picture that may still be uploaded"
    assert len(clean(content).content) <= MAX_BYTES


@pytest.mark.parametrize(("content", "code"), [(b"", "EMPTY"), (b"\xff\xd8\xff" + bytes(MAX_BYTES), "TOO_LARGE")])
def test_nothing_and_too_much_are_refused_unread(content: bytes, code: str) -> None:
    with pytest.raises(NotAPicture) as refusal:
        clean(content)
    assert refusal.value.code == code
