import json
import socket
import subprocess
from pathlib import Path

import pytest
from dotenv import dotenv_values

from config.messenger import load_messenger_with_secret
from deploy.local import variables
from deploy.local.company import UnknownMessenger, colleagues
from deploy.local.generated import Generated, generated
from deploy.local.places import PORTS, WrongPort, choose_ports
from deploy.local.plan import Layout, make_plan
from deploy.local.variables import Outside
from sandbox.__main__ import build


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Generated:
    return generated(tmp_path_factory.mktemp("state") / "secrets.json")


def test_secrets_are_made_once_and_private(tmp_path: Path) -> None:
    made = generated(tmp_path / "secrets.json")
    assert generated(tmp_path / "secrets.json") == made
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert made.apiv3_key not in repr(made)


def test_both_sides_of_every_secret_agree(keys: Generated, tmp_path: Path) -> None:
    ours = variables.our_variables(PORTS, keys, Outside.of({}), "postgres://x")
    theirs = variables.sandbox_variables(PORTS, keys, tmp_path, {})
    assert theirs["SANDBOX_QIMEN_SECRET"] == ours["OMS_QIMEN_SECRET"]
    assert theirs["SANDBOX_TMS_TOKEN"] == ours["OMS_TMS_TOKEN"]
    assert theirs["SANDBOX_WECHAT_PLATFORM_SERIAL"] in json.loads(ours["OMS_WECHAT_PLATFORM_KEYS"])
    assert theirs["SANDBOX_WECHAT_MERCHANT_SERIAL"] == ours["OMS_WECHAT_SERIAL_NO"]
    assert theirs["SANDBOX_ALIPAY_SELLER_ID"] == ours["OMS_ALIPAY_SELLER_ID"]
    assert theirs["SANDBOX_SF_PUSH_KEYS"] == ours["OMS_SF_PUSH_KEYS"]


def test_neither_side_gets_the_private_key_of_the_other(keys: Generated, tmp_path: Path) -> None:
    ours = variables.our_variables(PORTS, keys, Outside.of({}), "postgres://x")
    theirs = variables.sandbox_variables(PORTS, keys, tmp_path, {})
    assert keys.platform_private_key not in ours.values()
    assert keys.merchant_private_key not in theirs.values()
    assert keys.alipay_platform_private_key not in ours.values()
    assert keys.alipay_app_private_key not in theirs.values()


def test_only_who_signs_has_a_key_to_sign_with(tmp_path: Path) -> None:
    plan = make_plan(Layout(tmp_path), {"OMS_PORTS": "free"})
    given = {service.name: service.variables for service in plan.services}
    signs, believes = set(variables.SIGNS), set(variables.BELIEVES)
    assert signs | believes <= set(plan.made), "people's `oms` finds them in the env file"
    found = {name: signs & set(values) for name, values in given.items() if signs & set(values)}
    assert found == {"issuer": signs}, "the one process that can name anybody, and it has no books"
    assert not {"OMS_DATABASE_URL", *variables.READS_HISTORIES} & set(given.pop("issuer"))
    assert believes <= set(given["worker"])
    assert {name for name, values in given.items() if believes & set(values)} == {"worker", "codec", "console"}
    private = [plan.made["OMS_TOKENS_PRIVATE_KEY"], plan.made["OMS_SERVICE_PRIVATE_KEY"]]
    assert not [name for name, values in given.items() if set(private) & set(values.values())]


def test_everybody_who_talks_through_temporal_has_the_same_payload_keys(tmp_path: Path) -> None:
    plan = make_plan(Layout(tmp_path), {"OMS_PORTS": "free"})
    mine = {name: plan.made[name] for name in variables.READS_HISTORIES}
    given = {s.name: {n: s.variables[n] for n in variables.READS_HISTORIES if n in s.variables} for s in plan.services}
    talk = ("relay", "worker", "codec", "console")
    assert {name: found for name, found in given.items() if found} == dict.fromkeys(talk, mine)
    outside = {"OMS_PORTS": "free", "OMS_PAYLOAD_KEYS": "their:own", "OMS_PAYLOAD_OWN": "their"}
    theirs = make_plan(Layout(tmp_path), outside)
    assert not set(variables.READS_HISTORIES) & set(theirs.made)
    worker = next(service for service in theirs.services if service.name == "worker")
    assert worker.variables["OMS_PAYLOAD_KEYS"] == "their:own"


def test_who_has_the_secret_of_the_messenger_and_of_the_phones(keys: Generated, tmp_path: Path) -> None:
    plan = make_plan(Layout(tmp_path), {"OMS_PORTS": "free"})
    given = {service.name: service.variables for service in plan.services if not service.once}
    secret, sms = plan.made["OMS_MESSENGER_SECRET"], plan.made["OMS_SMS_ACCESS_KEY_SECRET"]
    assert {name for name, values in given.items() if secret in values.values()} == {"sandbox", "issuer", "relay"}
    assert {name for name, values in given.items() if sms in values.values()} == {"sandbox", "issuer"}
    assert given["console"]["OMS_MESSENGER_SYSTEM"] == "wecom" and given["console"]["OMS_CONSOLE_GUESTS"] == "true"
    assert tuple(next(s for s in plan.services if s.name == "sandbox").command()[-3:]) == ("wecom", "sms", "mail")


@pytest.mark.parametrize("system", ["wecom", "dingtalk", "feishu"])
def test_a_chosen_messenger_is_whole_and_its_sandbox_knows_our_app(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, system: str
) -> None:
    plan = make_plan(Layout(tmp_path), {"OMS_PORTS": "free", "OMS_STACK_MESSENGER": system})
    monkeypatch.setenv("OMS_ENV_FILE", "")
    for name, value in plan.made.items():
        monkeypatch.setenv(name, value)
    app = load_messenger_with_secret()
    assert app is not None and app.system == system
    theirs = next(service for service in plan.services if service.name == "sandbox").variables
    sandbox = build(system, theirs)
    assert sandbox.routes and app.secret in theirs.values() and app.app_id in theirs.values()
    assert all(person.startswith(f"{system}/") for person in colleagues(plan.made))


def test_a_messenger_that_there_is_not_is_said(tmp_path: Path) -> None:
    with pytest.raises(UnknownMessenger, match="wecom, dingtalk, feishu, none"):
        make_plan(Layout(tmp_path), {"OMS_PORTS": "free", "OMS_STACK_MESSENGER": "slack"})
    none = make_plan(Layout(tmp_path), {"OMS_PORTS": "free", "OMS_STACK_MESSENGER": "none"})
    assert "OMS_MESSENGER_SYSTEM" not in none.made and colleagues(none.made) == {}


def test_secrets_of_before_are_kept_when_another_is_needed(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    made = generated(path)
    before = {name: value for name, value in json.loads(path.read_text()).items() if name != "sms_secret"}
    path.write_text(json.dumps(before))
    after = generated(path)
    assert after.payload_key == made.payload_key and after.sms_secret != made.sms_secret


def test_nothing_is_made_for_what_is_outside(keys: Generated) -> None:
    env = {
        "OMS_DATABASE_URL": "postgres://elsewhere",
        "TEMPORAL_ADDRESS": "far:7233",
        "OMS_TMS_BASE_URL": "https://tms",
    }
    made = variables.our_variables(PORTS, keys, Outside.of(env), "")
    assert not {name for name in made if name.startswith(("OMS_DATABASE", "TEMPORAL_", "OMS_TMS_"))}
    assert "OMS_WECHAT_BASE_URL" in made


def test_a_shell_and_the_configuration_read_the_same_env_file(keys: Generated, tmp_path: Path) -> None:
    made = variables.our_variables(PORTS, keys, Outside.of({}), "postgres://oms:pw@127.0.0.1:1/oms?sslmode=disable")
    file = tmp_path / "stack.env"
    variables.write_env_file(file, made, {})
    assert file.stat().st_mode & 0o777 == 0o600
    read = dotenv_values(file)
    script = f'set -a; . "{file}"; python3 -c "import json, os; print(json.dumps(dict(os.environ)))"'
    shell = subprocess.run(["bash", "-c", script], check=True, capture_output=True, text=True, timeout=20)
    in_shell = json.loads(shell.stdout)
    for name, value in made.items():
        assert read[name] == value
        assert in_shell[name] == value


def test_a_shell_that_read_the_env_file_does_not_count_as_outside(keys: Generated, tmp_path: Path) -> None:
    made = variables.our_variables(PORTS, keys, Outside.of({}), "postgres://own")
    variables.write_env_file(tmp_path / "stack.env", made, {"OMS_LOG_LEVEL": "DEBUG"})
    env = {name: value or "" for name, value in dotenv_values(tmp_path / "stack.env").items()}
    given = variables.given_from_outside(env)
    sandboxes = {"messenger": "wecom", "phones": "sms", "mail": "mail"}
    assert Outside.of(given) == Outside(database=False, temporal=False, providers=frozenset(), **sandboxes)
    assert given == {"OMS_LOG_LEVEL": "DEBUG"}


def test_every_port_can_be_moved(tmp_path: Path) -> None:
    env = {f"OMS_PORT_{name}": str(20000 + n) for n, name in enumerate(PORTS)}
    assert list(choose_ports(env, tmp_path / "ports.json").values()) == [20000 + n for n in range(len(PORTS))]
    with pytest.raises(WrongPort, match="OMS_PORT_RELAY"):
        choose_ports({"OMS_PORT_RELAY": "99999"}, tmp_path / "ports.json")


def test_free_ports_stay_the_same_at_the_next_start(tmp_path: Path) -> None:
    first = choose_ports({"OMS_PORTS": "free"}, tmp_path / "ports.json")
    assert choose_ports({"OMS_PORTS": "free"}, tmp_path / "ports.json") == first
    assert len(set(first.values())) == len(PORTS)


def test_a_free_port_that_somebody_has_taken_since_is_replaced_alone(tmp_path: Path) -> None:
    first = choose_ports({"OMS_PORTS": "free"}, tmp_path / "ports.json")
    with socket.create_server(("127.0.0.1", first["WORKER_METRICS"] + 1)):
        second = choose_ports({"OMS_PORTS": "free"}, tmp_path / "ports.json")
    assert {name for name in PORTS if first[name] != second[name]} == {"WORKER_METRICS"}
