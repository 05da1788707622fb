"""Templates to answers: what every page knows (who looks, in which language, which menu), and its files."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from console.navigation import menu_of
from console.session.user import User
from console.text.language import LANGUAGES, PageLanguage, language_of
from console.wiring import wiring_of
from starter.text.words.states import COLOURS

ROOM = Path(__file__).resolve().parents[1]
STATIC = ROOM / "static"
ICONS: Mapping[str, str] = json.loads((STATIC / "vendor" / "icons.json").read_text())


def render(
    request: Request, template: str, user: User | None = None, *, status: int = 200, **values: Any
) -> HTMLResponse:
    """`user` None: somebody who is not signed in sees it. Templates whose names begin with `_` are parts of pages."""
    language = language_of(request)
    known = {
        "request": request,
        "user": user,
        "menu": menu_of(user) if user else [],
        "language": language,
        "now": wiring_of(request).now(),
        "asked": dict(request.query_params),
        "status": status,
    }
    text = _environment(language.code).get_template(template).render(known | values)
    return HTMLResponse(text, status)


@cache
def _environment(code: str) -> Environment:
    language = LANGUAGES[code]
    made = Environment(
        loader=FileSystemLoader(ROOM / "views"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_gettext_translations(language.translations, newstyle=True)  # type: ignore[attr-defined]
    made.policies["ext.i18n.trimmed"] = True
    made.globals |= {"icon": icon, "file": file_address, "colour": colour, "with_query": with_query}
    made.filters |= filters_of(language)
    return made


def filters_of(language: PageLanguage) -> dict[str, Any]:
    return {
        "money": language.money, "number": language.number, "time": language.time, "word": _word(language),
        "waits": language.waits, "state": language.any_state, "say": language.say, "age": age_filter(language),
        "reason": language.reason,
        "meaning": language.meaning, "of_file": language.of_file, "happened": language.happened,
    }  # fmt: skip


def _word(language: PageLanguage) -> Any:
    def word(value: object, kind: str) -> str:
        return language.word(kind, value)

    return word


def age_filter(language: PageLanguage) -> Any:
    @pass_context
    def of(context: Context, at: datetime) -> str:
        return language.age(context["now"] - at)

    return of


def icon(name: str, size: str = "") -> Markup:
    """A picture beside a word; it says nothing by itself."""
    shape = (
        '<svg class="icon {}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2"'
        ' stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">'
    )
    # The paths are our own vendored file.
    return Markup(shape).format(size) + Markup(ICONS[name]) + Markup("</svg>")  # noqa: S704


@cache
def file_address(name: str) -> str:
    """Of a file under static/, with its hash, so that browsers may keep it for ever."""
    mark = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={mark}"


def colour(value: object, kind: str) -> str:
    return COLOURS.get(kind, {}).get(str(value), "secondary")


def with_query(path: str, asked: Mapping[str, str], **changes: object) -> str:
    """The address of the same list with other filters, from its first page; None or '' takes one away."""
    kept = {**asked, "after": None, **changes}
    query = urlencode({name: value for name, value in kept.items() if value not in (None, "")})
    return f"{path}?{query}" if query else path
