"""Is there a Chromium, and if not, can it be had? `python -m tests.browser.chromium`: exit code 0 when there is one.

Debian's packages, installed by its own client when this is root; otherwise the last line says how to get them.
"""

import os
import shutil
import subprocess
import sys

PACKAGES = ("chromium", "chromium-driver", "fonts-noto-cjk")
BROWSERS, DRIVERS = ("chromium", "chromium-browser", "google-chrome"), ("chromedriver",)
LONGEST_S = 900


def browser() -> str | None:
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def driver() -> str | None:
    return next((found for name in DRIVERS if (found := shutil.which(name))), None)


def is_there() -> bool:
    return browser() is not None and driver() is not None


def install() -> bool:
    """False: it could not be done here."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return False
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        for words in (["update"], ["install", "--yes", "--no-install-recommends", *PACKAGES]):
            command = ["apt-get", *words]
            subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True, timeout=LONGEST_S)
    except (subprocess.SubprocessError, OSError):
        return False
    return is_there()


def main() -> int:
    if is_there() or install():
        return 0
    sys.stdout.write(
        "NOT RUN: the tests of the pages in a browser (tests/browser): there is no Chromium here, and it cannot be "
        f"installed from here.\nTo run them: install {', '.join(PACKAGES[:2])} (as root: apt-get install "
        f"{' '.join(PACKAGES)}), then `make browser`.\n"
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
