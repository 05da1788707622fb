"""No message takes a task long: one of 2 s is taken for stuck, given up, and begun again."""

import time
from collections.abc import Callable

import pytest
from pydantic import ValidationError
from temporalio.api.failure.v1 import Failure
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from domain.order import StartOrder
from domain.strict import MOST_FAULTS, UnableToRead, parse
from tests.fuzz.shapes import EVERY, LARGEST, VALUES, Arguments, almost, batches
from wire.converter import data_converter
from workflows.durable.signals import read_facts

MOST_CPU_S = 1.0
BYTES_OF_A_REFUSAL = 200_000
CONVERTER = data_converter(None, None)
SAID = {**EVERY, **dict(batches()), "the largest": LARGEST}


def cpu_s(act: Callable[[], object]) -> float:
    began = time.process_time()
    act()
    return time.process_time() - began


def arguments(shape: Arguments) -> list[RawValue]:
    return [RawValue(one) for one in CONVERTER.payload_converter.to_payloads(list(shape))]


@pytest.mark.parametrize("what", SAID)
def test_a_signal_is_read_quickly(what: str) -> None:
    told = arguments(SAID[what])
    assert cpu_s(lambda: read_facts(told)) < MOST_CPU_S


@pytest.mark.parametrize("what", ["[", '{"a":', '"', "\\", '"\\', '"a",', "[]", "0,", '{"a":"b"},'])
def test_any_2_mb_are_read_or_refused_quickly(what: str) -> None:
    text = "[" + what * (1_900_000 // len(what)) + "0]"

    def read() -> None:
        with pytest.raises(UnableToRead):
            parse(StartOrder, text)

    assert cpu_s(read) < MOST_CPU_S


def refusal(error: BaseException) -> Failure:
    failure = Failure()
    CONVERTER.failure_converter.to_failure(error, CONVERTER.payload_converter, failure)
    return failure


@pytest.mark.parametrize("count", [1_000, 40_000, 600_000])
def test_of_a_message_with_very_many_faults_a_few_are_told_and_quickly(count: int) -> None:
    text = '{"lines": [' + ",".join(["{}"] * count) + "]}"
    began = time.process_time()
    with pytest.raises(UnableToRead) as refused:
        parse(StartOrder, text)
    assert time.process_time() - began < MOST_CPU_S
    lines = str(refused.value).splitlines()
    assert len(lines) <= MOST_FAULTS + 1 and len(str(refused.value)) < BYTES_OF_A_REFUSAL
    error = ApplicationError(str(refused.value), *lines, type="InvalidOrder")
    assert refusal(error).ByteSize() < BYTES_OF_A_REFUSAL


def test_a_name_of_the_senders_own_is_told_in_part() -> None:
    with pytest.raises(UnableToRead) as refused:
        parse(StartOrder, f'{{"{"x" * 1_000_000}": 1}}')
    assert len(str(refused.value)) < BYTES_OF_A_REFUSAL


@pytest.mark.parametrize("what", VALUES)
def test_what_the_converter_refuses_is_refused_in_few_words(what: str) -> None:
    """The SDK hands the words of its own reader on: an update is refused with them."""
    (message,) = arguments(dict(almost(StartOrder))[f"{what} everywhere"])
    try:
        CONVERTER.payload_converter.from_payloads([message.payload], [StartOrder])
    except (ValidationError, ValueError) as error:
        outer = RuntimeError("Failed decoding arguments")
        outer.__cause__ = error
        assert refusal(outer).ByteSize() < BYTES_OF_A_REFUSAL
    else:
        pytest.fail("no order is made of that")
