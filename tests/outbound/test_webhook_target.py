"""Addresses that a person may type in: what is read, and where it must not lead (faults 78 to 82)."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.outbound.webhook_target import (
    Reach,
    TargetRefused,
    WebhookTarget,
    admit,
    private_network,
    read_new_target,
    read_target,
)

STRICT = Reach()
LOCAL = Reach(loopback=True)
OWN = Reach(ports=frozenset({443, 8443}), networks=(private_network("10.20.0.0/16"), private_network("fd00:1::/32")))
PLAIN = WebhookTarget(tls=True, host="hooks.example", port=443, path="/")


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://hooks.example", WebhookTarget(True, "hooks.example", 443, "/")),
        ("https://Hooks.Example:443/a/b?c=d", WebhookTarget(True, "hooks.example", 443, "/a/b?c=d")),
        ("https://93.184.216.34/x", WebhookTarget(True, "93.184.216.34", 443, "/x")),
        ("https://[2606:4700::1111]/x", WebhookTarget(True, "2606:4700::1111", 443, "/x")),
        ("https://xn--fiqs8s.example/", WebhookTarget(True, "xn--fiqs8s.example", 443, "/")),
        ("https://erp/", WebhookTarget(True, "erp", 443, "/")),
    ],
)
def test_usual_addresses_are_read(url: str, target: WebhookTarget) -> None:
    assert read_target(url, STRICT) == target


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/", "file:///etc/passwd", "gopher://hooks.example/", "ftp://hooks.example/",
        "//hooks.example", "https://", "https:///x", "", "hooks.example",
        "https://user@hooks.example/", "https://user:pass@hooks.example/", "https://good.example@127.0.0.1/",
        "https://hooks.example:8443/", "https://hooks.example:22/", "https://hooks.example:0/", "https://hooks.example:99999/",
        "https://hooks.example:port/",
        "https://127.1/", "https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/", "https://0x7f.1/",
        "https://1.2.3.4.5/", "https://hooks.0x7f/", "https://hooks.example.1/", "https://0/",
        "https://１２７.0.0.1/", "https://127。0。0。1/", "https://ⓛocalhost/",
        "https://hooks.example\\@127.0.0.1/", "https://hooks.exa\tmple/", "https://hooks.example/\n",
        "https://hooks .example/",
        "https://hooks%2eexample/", "https://[::1%25eth0]/", "https://[fe80::1%eth0]/", "https://[::1/", "https://[v1.x]/",
        "https://hooks.example./", "https://-hooks.example/", "https://hooks..example/", "https://hooks_1.example/",
        "https://hooks.example/#frag", "https://hooks.example#@127.0.0.1/",
        "https://" + "a" * 600 + ".example/", "https://" + "a" * 64 + ".example/",
    ],
)  # fmt: skip
def test_whatever_can_be_read_in_two_ways_is_not_read_at_all(url: str) -> None:
    for reach in (STRICT, OWN):
        if not (reach is OWN and ":8443" in url):
            with pytest.raises(TargetRefused):
                read_target(url, reach)


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f000001", "0177.0.0.1", "017700000001", "127.0.0.1."])
def test_odd_forms_of_loopback_are_refused_where_loopback_itself_is_allowed(host: str) -> None:
    with pytest.raises(TargetRefused):
        read_target(f"http://{host}:8000/", LOCAL)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.9.9.9", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
        "169.254.169.254", "100.64.0.1", "100.127.255.254", "224.0.0.1", "239.255.255.250", "240.0.0.1",
        "255.255.255.255", "192.0.0.1", "192.0.0.9", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1",
        "192.88.99.1",
        "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:93.184.216.34",
        "64:ff9b::7f00:1", "64:ff9b::5db8:d822", "64:ff9b:1::1", "fe80::1", "fe80::1%eth0", "fec0::1",
        "fc00::1", "fd00::1",
        "ff02::1", "ff0e::1", "2002:7f00:1::", "2001::1", "2001:db8::1", "3fff::1", "100::1", "5f00::1", "4000::1",
        "not an address", "",
    ],
)  # fmt: skip
def test_no_event_goes_to_what_is_not_a_public_address(address: str) -> None:
    with pytest.raises(TargetRefused):
        admit(PLAIN, address, STRICT)


@pytest.mark.parametrize("address", ["93.184.216.34", "8.8.8.8", "2606:4700::1111", "2400:3200::1"])
def test_public_addresses_are_admitted(address: str) -> None:
    assert admit(PLAIN, address, STRICT) == ip_address(address)


def test_own_networks_open_nothing_else() -> None:
    assert str(admit(PLAIN, "10.20.3.4", OWN)) == "10.20.3.4"
    assert str(admit(PLAIN, "fd00:1::5", OWN)) == "fd00:1::5"
    for address in ("10.21.0.1", "fd00:2::1", "127.0.0.1", "169.254.169.254", "::ffff:10.20.3.4", "::1"):
        with pytest.raises(TargetRefused):
            admit(PLAIN, address, OWN)


@pytest.mark.parametrize(
    "network", ["127.0.0.0/8", "169.254.0.0/16", "0.0.0.0/0", "8.8.8.0/24", "fe80::/10", "::/0", "x"]
)
def test_an_operator_cannot_open_more_than_private_networks(network: str) -> None:
    with pytest.raises(ValueError):
        private_network(network)


def test_http_and_odd_ports_are_for_this_machine_only() -> None:
    target = read_target("http://hooks.example:8000/", LOCAL)
    assert str(admit(target, "127.0.0.1", LOCAL)) == "127.0.0.1"
    for reach, url in ((LOCAL, "http://hooks.example/"), (LOCAL, "https://hooks.example:22/")):
        with pytest.raises(TargetRefused):
            admit(read_target(url, reach), "93.184.216.34", reach)


@given(st.integers(0, 2**128 - 1), st.sampled_from(["v4", "v6"]))
def test_nothing_that_carries_a_loopback_address_is_admitted(n: int, kind: str) -> None:
    address = ip_address(n % 2**32 if kind == "v4" else n)
    try:
        admitted = admit(PLAIN, str(address), STRICT)
    except TargetRefused:
        return
    assert admitted.is_global
    assert not (admitted.is_loopback or admitted.is_private or admitted.is_link_local or admitted.is_multicast)
    assert getattr(admitted, "ipv4_mapped", None) is None
    assert getattr(admitted, "sixtofour", None) is None
    assert getattr(admitted, "teredo", None) is None


@given(st.text(max_size=80))
def test_no_text_breaks_the_reader(text: str) -> None:
    for url in (text, f"https://{text}", f"https://hooks.example{text}"):
        try:
            target = read_target(url, STRICT)
        except TargetRefused:
            continue
        assert target.port == 443
        assert target.path.startswith("/")


@pytest.mark.parametrize("url", ["https://10.0.0.7/hook", "https://127.0.0.1/", "https://localhost/", "https://[::1]/",
                                 "https://169.254.169.254/latest", "https://192.168.1.2/"])  # fmt: skip
def test_a_subscription_to_a_private_address_is_refused_when_it_is_added(url: str) -> None:
    with pytest.raises(TargetRefused, match="which is not a public address"):
        read_new_target(url, STRICT)


def test_a_public_address_an_open_network_and_a_name_may_be_added() -> None:
    for url, reach in (
        ("https://93.184.216.34/", STRICT), ("https://erp.example/oms", STRICT), ("http://127.0.0.1:8000/", LOCAL),
        ("https://10.1.2.3/", Reach(networks=(private_network("10.0.0.0/8"),))),
    ):  # fmt: skip
        assert read_new_target(url, reach) == read_target(url, reach)
