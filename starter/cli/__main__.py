"""`python -m starter.cli` is `oms`: what the launcher in `.venv/bin` runs."""

from starter.cli.main import process

if __name__ == "__main__":
    process()
