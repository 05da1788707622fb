"""`python -m bench.load.console [--orders N]`: how long each page of the console takes over full books.

Fills a database of its own with N orders (default 1,000,000), three parcels each, a return for one in five, and what
belongs to them; then asks the real console for each of its pages, in process, as the person that it is for, with the
rights of the console's own role. Exit 0 only when every page's median is within `--most-ms`. With `--write` the table
goes into docs/performance.md. `--url`: a database that was filled before, instead.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from bench.load.console.fill import fill, postgres_on_disk
from bench.load.console.measuring import PageTime, measure
from deploy.local.postgres import DATABASE
from store.migrate import migrate

PAGE = Path(__file__).resolve().parents[3] / "docs/performance.md"
BEGINS, ENDS = "<!-- pages of the console: begin -->\n", "<!-- pages of the console: end -->\n"


def table(times: Sequence[PageTime], orders: int) -> str:
    head = (
        f"{orders:,} orders, {3 * orders:,} parcels, {orders // 5:,} returns. Milliseconds, median and worst of five."
    )
    lines = [head, "", "| Page | as | median | worst |", "|---|---|---|---|"]
    lines += [f"| `{one.path}` | {one.person} | {one.median_ms:.0f} | {one.worst_ms:.0f} |" for one in times]
    return "\n".join(lines) + "\n"


def write(text: str) -> None:
    page = PAGE.read_text()
    before, _, rest = page.partition(BEGINS)
    _, _, after = rest.partition(ENDS)
    PAGE.write_text(before + BEGINS + text + ENDS + after)


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.load.console", description=__doc__)
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--most-ms", type=float, default=200.0, help="what a page may take (default 200)")
    parser.add_argument("--url", default="", help="of a superuser, of a database that was filled before")
    parser.add_argument("--keep", action="store_true", help="wait for Enter before the database goes")
    parser.add_argument("--write", action="store_true", help="write the table into docs/performance.md")
    options = parser.parse_args(words)
    with ExitStack() as stack:
        url = options.url
        if not url:
            url = stack.enter_context(postgres_on_disk()).url(DATABASE)
            migrate(url)
            asyncio.run(fill(url, options.orders))
        times = asyncio.run(measure(url, options.orders))
        if options.keep:
            input(f"filled and measured: {url}\n")
    told = table(times, options.orders)
    print(told)
    if options.write:
        write(told)
    slow = [one for one in times if one.median_ms > options.most_ms]
    print(f"{len(times)} pages, {len(slow)} slower than {options.most_ms:.0f} ms")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
