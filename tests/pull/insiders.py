"""Hands that only the stack's own processes have: for tests that play one of them."""

import base64
import json
import os
from pathlib import Path
from typing import Any

import asyncpg
from temporalio.client import Client

from config.settings import Settings
from domain.trust.seals import KeyRing
from wire.converter import data_converter

ROOT = Path(__file__).resolve().parents[2]


def _kept(*path: str) -> Any:
    return json.loads((ROOT / os.environ["OMS_STATE_DIR"]).joinpath(*path).read_text())


async def as_worker() -> Client:
    """A client that seals and encrypts as the stack's worker does."""
    key_id, _, key = _kept("secrets.json")["worker_seal_key"].partition(":")
    ring = KeyRing({key_id: base64.b64decode(key)}, own=key_id)
    settings = Settings()
    converter = data_converter(ring, settings.payload_keys)
    return await Client.connect(**settings.temporal.connect_arguments(), data_converter=converter)


async def as_owner(statement: str, *arguments: Any) -> None:
    """On the stack's database, with the rights of nobody's process."""
    connection = await asyncpg.connect(_kept("postgres", "logins.json")["owner"])
    try:
        await connection.execute(statement, *arguments)
    finally:
        await connection.close()
