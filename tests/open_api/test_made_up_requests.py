"""Requests made up from the document itself (schemathesis): no answer is a fault of ours, none is undocumented."""

import asyncio
import sys
from pathlib import Path

import pytest
import uvicorn

from tests.open_api.programs import Door

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,missing_required_header"
)
"""Not methods that the document does not name: `GET /returns/quote` looks for a return of that number."""


@pytest.mark.timeout(600)
async def test_no_made_up_request_has_an_answer_that_the_document_does_not_know(
    door: Door, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    long = bool(pytestconfig.getoption("--long"))
    program = await door.program()
    config = uvicorn.Config(door.app, host="127.0.0.1", port=0, log_config=None, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "schemathesis.cli", "run", f"http://127.0.0.1:{port}/api/v1/openapi.json"),
            *("--header", f"authorization:{program.http.headers['authorization']}", "--checks", CHECKS),
            *("--max-examples", "100" if long else "6", "--phases", "examples,coverage,fuzzing", "--seed", "1"),
            *("--max-time", "300" if long else "50", "--request-timeout", "30", "--suppress-health-check", "all"),
            *("--no-color", "--continue-on-failure", "--warnings", "off"),
            cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await process.communicate()
    finally:
        server.should_exit = True
        await serving
    assert process.returncode == 0, said.decode(errors="replace")[-20_000:]
