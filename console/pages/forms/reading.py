"""A rule of the after-sales forms as fields of a page, and back."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from console.text.refusals import RefusedAct
from domain.returns.forms import FormField, FormRule, SlipNumbers, Words
from domain.strict import faults, of

NAMES = ("logistics", "suppliers", "skus", "sku_begins")


def rule_of(said: Mapping[str, str], chosen: Mapping[str, list[str]]) -> FormRule | RefusedAct:
    """`chosen`: types, reasons and pictures_for, which have several values."""
    try:
        return of(FormRule, _rule(said, chosen))
    except ValidationError as error:
        return RefusedAct("InvalidWork", faults(error))
    except ValueError as error:
        return RefusedAct("InvalidWork", str(error))


def slips_of(said: Mapping[str, str]) -> SlipNumbers | RefusedAct | None:
    if said.get("slips") != "1":
        return None
    digits = said.get("digits", "")
    plain = {"prefix": said.get("prefix", ""), "monthly": said.get("monthly") == "1", "digits": _whole(digits, 6)}
    try:
        return of(SlipNumbers, plain)
    except ValidationError as error:
        return RefusedAct("InvalidWork", faults(error))


def _rule(said: Mapping[str, str], chosen: Mapping[str, list[str]]) -> dict[str, Any]:
    text = {"zh": said.get("text_zh", ""), "en": said.get("text_en", "")}
    return {
        "id": said.get("id", ""), "name": {"zh": said.get("name_zh", ""), "en": said.get("name_en", "")},
        "goods": {name: _parts(said.get(name, "")) for name in NAMES}, "types": chosen.get("types", []),
        "reasons": chosen.get("reasons") or None, "without_reason": said.get("without_reason") == "1",
        "pictures": _whole(said.get("pictures", ""), 0), "pictures_for": chosen.get("pictures_for", []),
        "fields": [_field(line) for line in said.get("fields", "").splitlines() if line.strip()],
        "text": text if any(text.values()) else None,
    }  # fmt: skip


def _field(line: str) -> dict[str, Any]:
    """`batch_no | text | required | 批号 | Batch number`; of a choice with `红=red; 蓝=blue` behind it."""
    parts = [part.strip() for part in line.replace("｜", "|").split("|")]
    if len(parts) not in (5, 6) or parts[2] not in ("required", "optional"):
        how = "id | text, number or choice | required or optional | 中文 | English"
        raise ValueError(f"{line.strip()[:60]}: write {how}")
    choices = [one.partition("=") for one in parts[5].replace("；", ";").split(";") if one.strip()] if parts[5:] else []
    return {
        "id": parts[0], "kind": parts[1], "required": parts[2] == "required",
        "label": {"zh": parts[3], "en": parts[4]},
        "choices": [{"zh": zh.strip(), "en": en.strip() or zh.strip()} for zh, _, en in choices],
    }  # fmt: skip


def said_by(rule: FormRule) -> dict[str, str]:
    return {
        "id": rule.id, "name_zh": rule.name.zh, "name_en": rule.name.en,
        **{name: ", ".join(getattr(rule.goods, name)) for name in NAMES},
        "without_reason": "1" if rule.without_reason else "", "pictures": str(rule.pictures),
        "fields": "\n".join(map(_line, rule.fields)), "text_zh": rule.text.zh if rule.text else "",
        "text_en": rule.text.en if rule.text else "",
    }  # fmt: skip


def _line(one: FormField) -> str:
    need = "required" if one.required else "optional"
    return " | ".join([one.id, one.kind, need, one.label.zh, one.label.en, *_choices(one.choices)])


def _choices(choices: Iterable[Words]) -> list[str]:
    text = "; ".join(f"{one.zh}={one.en}" for one in choices)
    return [text] if text else []


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.replace("，", ",").replace("、", ",").split(",") if part.strip()]


def _whole(text: str, otherwise: int) -> int:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else otherwise
