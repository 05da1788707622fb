"""What Temporal is told of a failure, cut to a size that it takes.

A message of 20 kB with 10,000 mistakes is refused in 3 MB of words, and more than 2 MB the server does not take: the
refusal would fail the workflow's task again and again, and one call would stop an order for ever.
"""

from temporalio.api.failure.v1 import Failure
from temporalio.converter import DefaultFailureConverter, PayloadConverter

MOST_WORDS = 20_000
"""Characters of a message, and of a stack trace: a chain of causes stays far below what the server takes."""
CUT = " … cut"


class BoundedFailureConverter(DefaultFailureConverter):
    def to_failure(self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure) -> None:
        """Causes come through here, each by itself."""
        super().to_failure(exception, payload_converter, failure)
        failure.message = _cut(failure.message)
        failure.stack_trace = _cut(failure.stack_trace)


def _cut(words: str) -> str:
    return words if len(words) <= MOST_WORDS else words[: MOST_WORDS - len(CUT)] + CUT
