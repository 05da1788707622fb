"""`python -m starter` is `oms`."""

from starter.cli.main import main

if __name__ == "__main__":
    main()
