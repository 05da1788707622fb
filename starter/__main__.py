"""`python -m starter` is `oms`."""

from starter.cli.main import process

if __name__ == "__main__":
    process()
