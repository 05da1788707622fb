"""A play is at rest only when every signal between its workflows has arrived: until then both ends look idle."""

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from bench.scenarios.environment.time_skipping import on_their_way

SENT = EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED
ARRIVED = EventType.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED
NOBODY = EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED


def sent(number: int) -> HistoryEvent:
    return HistoryEvent(event_id=number, event_type=SENT)


def test_a_signal_is_on_its_way_until_the_server_says_that_it_arrived_or_that_nobody_is_there() -> None:
    arrived = HistoryEvent(event_id=8, event_type=ARRIVED)
    arrived.external_workflow_execution_signaled_event_attributes.initiated_event_id = 5
    nobody = HistoryEvent(event_id=9, event_type=NOBODY)
    nobody.signal_external_workflow_execution_failed_event_attributes.initiated_event_id = 6
    assert on_their_way([sent(5), sent(6), sent(7)]) == {5, 6, 7}
    assert on_their_way([nobody, arrived, sent(7), sent(6), sent(5)]) == {7}
    assert on_their_way([arrived, sent(5)]) == set()
