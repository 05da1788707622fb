"""A file that a form has brought: on disk as long as it is looked at, and no longer."""

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path, PurePosixPath

from starlette.datastructures import UploadFile
from starlette.requests import Request

from console.security.forms import read_form

LONGEST_NAME = 80
UNUSABLE = re.compile(r"[^\w .()（）-]")


@asynccontextmanager
async def uploaded(request: Request, field: str = "file") -> AsyncIterator[Path | None]:
    """The file under a name like its own, for messages about it; None: none was chosen. Raises `HTTPException`."""
    given = (await read_form(request)).get(field)
    if not isinstance(given, UploadFile) or not given.filename:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="oms-upload-") as folder:
        path = Path(folder) / plain_name(given.filename)
        await asyncio.to_thread(path.write_bytes, await given.read())
        yield path


def plain_name(said: str) -> str:
    """Of a name that a browser says: no folder, no control characters, not long; its ending is kept."""
    name = PurePosixPath(UNUSABLE.sub("_", said.replace("\\", "/").rpartition("/")[2]))
    return f"{name.stem[:LONGEST_NAME]}{name.suffix[:10]}".lstrip(".") or "file"
