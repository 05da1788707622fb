"""Help in the person's language: of commands as they are put together, and what the library itself says there."""

from typing import Any

from starter.cli import language
from starter.text.marking import N_
from starter.text.paragraphs import is_example, paragraphs

OF_THE_LIBRARY = (
    "DEFAULT_STRING", "ENVVAR_STRING", "REQUIRED_LONG_STRING", "ARGUMENTS_PANEL_TITLE", "OPTIONS_PANEL_TITLE",
    "COMMANDS_PANEL_TITLE",
)  # fmt: skip
_english: dict[str, str] = {}
USAGE = N_("Usage: ")
EXAMPLE = N_("Example: ")


def speak(command: Any) -> None:
    """A command (or group, with all below it) says what it is for in the language that is spoken."""
    if language.is_chinese():
        _of(command)
    elif _english:
        _library()


def _of(command: Any) -> None:
    for one in (command, *command.params):
        for name in ("help", "short_help"):
            if text := getattr(one, name, None):
                setattr(one, name, "\n\n".join(map(_translated, paragraphs(text))))
    usage, help_option = command.get_usage, command.get_help_option
    command.get_usage = lambda ctx: usage(ctx).replace(USAGE, language.word(USAGE), 1)
    command.get_help_option = lambda ctx: _help_option(help_option(ctx))
    command.format_help = _with_library(command.format_help)
    for below in getattr(command, "commands", {}).values():
        _of(below)


def _translated(part: str) -> str:
    if part.startswith(EXAMPLE):
        return part.replace(EXAMPLE, language.word(EXAMPLE), 1)
    return part if is_example(part) else language.say(part)


def _help_option(option: Any) -> Any:
    if option is not None:
        option.help = language.say(option.help)
    return option


def _with_library(format_help: Any) -> Any:
    def formatted(ctx: Any, formatter: Any) -> None:
        _library()
        format_help(ctx, formatter)

    return formatted


def _library() -> None:
    """Words that the library keeps in a module. They stay between two commands of one process."""
    from typer import rich_utils

    for name in OF_THE_LIBRARY:
        english = _english.setdefault(name, getattr(rich_utils, name))
        setattr(rich_utils, name, language.word(english.replace("{}", "{0}")).replace("{0}", "{}"))
    if not hasattr(rich_utils._make_rich_text, "folds"):
        rich_utils._make_rich_text = _folding(rich_utils._make_rich_text)


def _folding(make: Any) -> Any:
    """Chinese has no spaces to break a line at; a cell would be cut off."""

    def made(**asked: Any) -> Any:
        text = make(**asked)
        text.overflow = "fold"
        return text

    made.folds = True  # type: ignore[attr-defined]
    return made
