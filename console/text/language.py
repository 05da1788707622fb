"""The two languages of a page: how its texts, dates, amounts and ages read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_datetime, format_timedelta
from babel.numbers import format_currency, format_decimal, get_currency_precision
from babel.support import NullTranslations
from starlette.requests import Request

from console.text.catalogue import translations
from domain.returns.enums import REASONS, Reason
from starter.text.sentences import of_files, of_tickets
from starter.text.sentences.of_rules import advice_in_chinese, in_chinese
from starter.text.words.states import STATES, waiting
from starter.text.words.ticket import MEANINGS

Code = Literal["zh", "en"]
COOKIE = "oms-language"
CHINA = ZoneInfo("Asia/Shanghai")
HTML = {"zh": "zh-CN", "en": "en"}


@dataclass(frozen=True)
class PageLanguage:
    code: Code
    translations: NullTranslations
    locale: Locale

    @property
    def other(self) -> Code:
        return "en" if self.code == "zh" else "zh"

    @property
    def html(self) -> str:
        return HTML[self.code]

    def say(self, text: str, **parts: object) -> str:
        said = self.translations.gettext(text)
        return said % parts if parts else said

    def word(self, kind: str, value: object) -> str:
        """A state of an order, a parcel, a case … in words; a value that has none shows as it is."""
        text = STATES.get(kind, {}).get(str(value))
        return str(value) if text is None else self.say(text)

    def any_state(self, value: str) -> str:
        """Of an order or of a parcel: in a story both kinds stand."""
        return self.word("order" if value in STATES["order"] else "child", value)

    def reason(self, value: str) -> str:
        """Why somebody sends something back, in the trade's own words."""
        text = REASONS.get(Reason(value)) if value in set(Reason) else None
        return value if text is None else text.zh if self.code == "zh" else text.en

    def meaning(self, text: str) -> str:
        """What giving a ticket up means; what names a number has no words of ours and stays as it is."""
        return self.say(text) if text in MEANINGS else text

    def finding(self, text: str) -> str:
        """What is wrong with a rule."""
        return in_chinese(text) if self.code == "zh" else text

    def of_file(self, text: str) -> str:
        """What is wrong with a file, or with a row of it."""
        return of_files.in_chinese(text) if self.code == "zh" else text

    def happened(self, text: str) -> str:
        """What a ticket tells."""
        return of_tickets.in_chinese(text) if self.code == "zh" else text

    def advice(self, text: str) -> str:
        """What to do about it."""
        return advice_in_chinese(text) if self.code == "zh" else text

    def waits(self, waiting_for: str) -> str:
        """What an order waits for. Parts that have no words (numbers, names) stay as they are."""
        return waiting(waiting_for, self.say)

    def money(self, minor: int, currency: str = "CNY") -> str:
        amount = Decimal(minor).scaleb(-get_currency_precision(currency))
        return str(format_currency(amount, currency, locale=self.locale))

    def number(self, value: int) -> str:
        return str(format_decimal(value, locale=self.locale))

    def time(self, at: datetime | None) -> str:
        """To the minute, as the clocks in China show it."""
        shape = "yyyy-MM-dd HH:mm"
        return "" if at is None else str(format_datetime(at, shape, tzinfo=CHINA, locale=self.locale))

    def age(self, span: timedelta) -> str:
        return str(format_timedelta(span, threshold=1.2, locale=self.locale))


LANGUAGES: Mapping[str, PageLanguage] = {
    "zh": PageLanguage("zh", translations(), Locale.parse("zh_Hans_CN")),
    "en": PageLanguage("en", NullTranslations(), Locale.parse("en")),
}


def language_of(request: Request) -> PageLanguage:
    """As the visitor has chosen, else Chinese."""
    return LANGUAGES.get(request.cookies.get(COOKIE, ""), LANGUAGES["zh"])
