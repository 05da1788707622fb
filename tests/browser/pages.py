"""A browser's window as a person uses it, and what one looks at in every page."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()
PATIENCE_S = 15
WIDE, NARROW = 1440, 390
SERIOUS = ("serious", "critical")
GONE = (NoSuchElementException, StaleElementReferenceException)
OWN_SCHEMES = ("http", "https", "ws", "wss")


class Window:
    def __init__(self, driver: WebDriver, url: str, shots: Path) -> None:
        self.driver = driver
        self._url = url
        self._shots = shots
        self.size(WIDE)

    def open(self, path: str) -> None:
        self.driver.get(path if path.startswith("http") else self._url + path)

    @property
    def path(self) -> str:
        return urlsplit(self.driver.current_url).path

    def sign_in(self, link: str, language: str = "zh") -> None:
        self.open(link)
        self.press("form button")
        self.until(lambda: "/sign-in" not in self.path)
        self.open(f"/language/{language}?next=/")

    def size(self, width: int) -> None:
        height = 900 if width > 500 else 844
        shape = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width <= 500}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", shape)

    def press(self, selector: str) -> None:
        """`selector`: of CSS, or an XPath."""
        by = By.XPATH if selector.startswith("//") else By.CSS_SELECTOR

        def is_pressed() -> bool:
            found = self.driver.find_element(by, selector)
            # At once and not smoothly: it would not yet be there.
            self.driver.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", found)
            found.click()
            return True

        self.until(is_pressed)

    def fill(self, name: str, text: str) -> None:
        self.until(lambda: self.driver.find_elements(By.NAME, name))
        field = self.driver.find_element(By.NAME, name)
        field.clear()
        field.send_keys(text)

    def until(self, reached: Callable[[], Any], patience_s: float = PATIENCE_S) -> None:
        """Also across a page that is just being replaced by the next one."""
        wait = WebDriverWait(self.driver, patience_s, poll_frequency=0.1, ignored_exceptions=GONE)
        wait.until(lambda _: reached())

    def says(self, text: str) -> bool:
        return text in self.driver.find_element(By.TAG_NAME, "body").text

    def menu(self) -> list[str]:
        links = self.driver.find_elements(By.CSS_SELECTOR, "#sidebar-menu a")
        return [urlsplit(str(link.get_attribute("href"))).path for link in links]

    def overflow(self) -> int:
        """Pixels that a person would have to move the whole page to the side."""
        found: int = self.driver.execute_script(
            "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        return found

    def picture(self, name: str) -> None:
        self._shots.mkdir(parents=True, exist_ok=True)
        self.driver.save_screenshot(str(self._shots / f"{re.sub(r'[^A-Za-z0-9-]+', '_', name)}.png"))

    def complaints(self) -> list[str]:
        """Of the browser about our pages, since the last look: what failed to load, what the policy forbade, errors."""
        return [e["message"] for e in self._log("browser") if e["level"] in ("SEVERE", "WARNING")]

    def elsewhere(self) -> set[str]:
        """Hosts other than this machine that anything was asked of, since the last look."""
        hosts = set()
        for entry in self._log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                parts = urlsplit(message["params"]["request"]["url"])
                if parts.scheme in OWN_SCHEMES and parts.hostname not in ("127.0.0.1", "localhost"):
                    hosts.add(str(parts.hostname))
        return hosts

    def _log(self, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.driver.get_log(kind)  # type: ignore[no-untyped-call]
        return found

    def barriers(self) -> list[str]:
        """What axe finds that keeps people out: rule, and the first places."""
        self.driver.execute_script(AXE)
        found = self.driver.execute_async_script(
            "const done = arguments[arguments.length - 1];"
            "axe.run(document, {resultTypes: ['violations']}).then((r) => done(r.violations), (e) => done(String(e)));"
        )
        assert isinstance(found, list), found
        return [f"{v['id']}: {[n['target'] for n in v['nodes'][:3]]}" for v in found if v["impact"] in SERIOUS]
