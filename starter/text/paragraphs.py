"""A help text in its paragraphs."""

import inspect

EXAMPLES = (" ", "oms ", "Example: ", "cat ")
"""How a paragraph begins that nobody translates."""


def paragraphs(text: str) -> list[str]:
    return [part for part in inspect.cleandoc(text).split("\n\n") if part]


def is_example(paragraph: str) -> bool:
    return paragraph.startswith(EXAMPLES)
