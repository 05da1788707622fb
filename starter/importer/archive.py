"""An .xlsx file is a zip of XML: what is looked at before anything is unpacked or believed."""

import stat
from pathlib import Path
from typing import Never
from xml.parsers import expat
from zipfile import ZipFile, ZipInfo

from starter.importer.table import UnableToImport

MAX_FILE_BYTES = 20_000_000
MAX_ENTRIES = 500
MAX_UNPACKED_BYTES = 150_000_000
"""All entries together. 20,000 SKUs take about 12 MB."""
_CHUNK = 1 << 16


class _Doctype(Exception):
    pass


def inspect(path: Path) -> None:
    """Raises `UnableToImport` for a file that is no plain workbook: too large once unpacked, entries that lead out of
    the archive or are links, XML that declares entities, macros."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            _refuse(path, f"has more than {MAX_FILE_BYTES // 1_000_000} MB", "split it into several files")
        with ZipFile(path) as archive:
            _entries(path, archive.infolist())
            for entry in archive.infolist():
                if entry.filename.lower().endswith((".xml", ".rels", ".vml")):
                    _no_entities(path, archive, entry)
    except UnableToImport:
        raise
    except OSError as error:
        raise UnableToImport(f"{path} cannot be read: {error.strerror or error}.") from None
    except Exception as error:  # anybody may have made it: whatever the parsers stumble over is a refusal of the file
        reason = " ".join(str(error).split())[:100]
        _refuse(path, f"is no .xlsx workbook ({reason})", "save it as .xlsx or .csv and import again")


def _entries(path: Path, entries: list[ZipInfo]) -> None:
    unpacked = sum(entry.file_size for entry in entries)
    if len(entries) > MAX_ENTRIES or unpacked > MAX_UNPACKED_BYTES:
        what = f"unpacks to {len(entries)} entries and {unpacked // 1_000_000} MB"
        _refuse(path, what, f"at most {MAX_ENTRIES} and {MAX_UNPACKED_BYTES // 1_000_000} MB are read; split it")
    seen: set[str] = set()
    for entry in entries:
        name = entry.filename
        parts = name.replace("\\", "/").split("/")
        outside = name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0] or "\\" in name or "\x00" in name
        if outside or stat.S_ISLNK(entry.external_attr >> 16):
            _refuse(path, f"holds the entry {name[:60]!r} that leads out of it", "do not open it; ask who made it")
        if name.lower() in seen or entry.flag_bits & 1:
            _refuse(path, f"holds the entry {name[:60]!r} twice or encrypted", "save it anew, without a password")
        if name.lower().endswith(("vbaproject.bin", ".exe", ".dll")):
            _refuse(path, "holds macros", "save it as .xlsx without macros")
        seen.add(name.lower())


def _no_entities(path: Path, archive: ZipFile, entry: ZipInfo) -> None:
    """No document type, so no entities: neither outside files nor a billion laughs. Reads no more than was declared."""
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _seen
    try:
        with archive.open(entry) as file:
            while chunk := file.read(_CHUNK):
                parser.Parse(chunk, False)
            parser.Parse(b"", True)
    except _Doctype:
        _refuse(path, f"declares a document type in {entry.filename[:60]!r}", "do not open it; ask who made it")
    except expat.ExpatError as error:
        _refuse(path, f"is broken in {entry.filename[:60]!r} ({error})", "save it anew and import again")


def _seen(*_: object) -> Never:
    raise _Doctype


def _refuse(path: Path, what: str, advice: str) -> Never:
    raise UnableToImport(f"{path.name} {what}; nothing was imported: {advice}.")
