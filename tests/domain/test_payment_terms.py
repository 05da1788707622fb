"""Which way of paying goes with which channel."""

import pytest
from pydantic import ValidationError

from domain.order import PaymentTerms


def test_a_code_can_be_shown_by_both_channels() -> None:
    assert PaymentTerms().channel == "wechat"
    assert PaymentTerms(channel="alipay").method == "native"


def test_jsapi_is_for_wechat_alone() -> None:
    assert PaymentTerms(method="jsapi", openid="o-1").channel == "wechat"
    with pytest.raises(ValidationError, match="jsapi is a method of wechat"):
        PaymentTerms(channel="alipay", method="jsapi", openid="o-1")
