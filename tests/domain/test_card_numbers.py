"""A card's number is found however it is written, and our own numbers are not taken for one."""

import pytest

from domain.trust.card_numbers import card_in, masked, masked_bytes

CARDS = (
    "4111111111111111", "5555555555554444", "2223003122003222", "378282246310005", "30569309025904",
    "6212345678901232", "3530111333300000", "4222222222222", "6212345678900000003",
)  # fmt: skip


@pytest.mark.parametrize("number", CARDS)
@pytest.mark.parametrize("sign", ["", " ", "-", "+", "%20"])
def test_a_card_is_masked_but_for_its_last_digits(number: str, sign: str) -> None:
    written = sign.join(number[at : at + 4] for at in range(0, len(number), 4))
    found = masked(f"paid with {written}, thanks")
    assert found == f"paid with {'*' * (len(number) - 4)}{number[-4:]}, thanks"
    assert masked(found) == found


@pytest.mark.parametrize(
    "words",
    [
        "YT4111111111111111", "4111111111111112", "order SO2611300001", "SF1403210000128", "1772400000000",
        "20261130120000", "0000000000000000", "41111111111111111111", "4200002011202603021234567890", "6901234567892",
        "x4111111111111111y",
    ],
)  # fmt: skip
def test_other_numbers_stay(words: str) -> None:
    assert masked(words) == words


def test_what_the_message_names_as_its_own_stays() -> None:
    assert masked("scan of 4111111111111111", {"4111111111111111"}) == "scan of 4111111111111111"


def test_a_code_goes_with_its_name_in_whatever_form() -> None:
    body = b'{"card":"4111 1111 1111 1111","cvv":"123","CVC2":4321,"amount":123}'
    assert masked_bytes(body) == b'{"card":"************1111","cvv":"***","CVC2":***,"amount":123}'
    assert masked_bytes(bytes(range(256))) == bytes(range(256))


def test_words_are_looked_at_and_numbers_of_ours_are_not() -> None:
    card = CARDS[0]
    assert card_in({"by": "anna", "lines": [{"sku": card, "name": f"for {card}"}]}) == "lines.name"
    assert card_in({"result": {"note": f"cvv: 123 {card}"}}) == "result.note"
    assert card_in({"ticket_id": card, "remark": "all well", "transaction_id": card, "amount_minor": 1}) is None
