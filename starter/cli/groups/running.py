"""Groups about rules, people and the running of it. What a group needs is imported when it is called."""

import typer

from starter.cli.groups.said import SAID, group


def _doctor(oms: typer.Typer) -> None:
    from starter.cli.operations import doctor

    oms.callback()(_nothing)
    oms.command("doctor")(doctor.doctor)


def _login(oms: typer.Typer) -> None:
    from starter.cli.approvals import login

    oms.callback()(_nothing)
    oms.command("login")(login.login)


def _logout(oms: typer.Typer) -> None:
    from starter.cli.approvals import login

    oms.callback()(_nothing)
    oms.command("logout")(login.logout)


def _whoami(oms: typer.Typer) -> None:
    from starter.cli.approvals import login

    oms.callback()(_nothing)
    oms.command("whoami")(login.whoami)


def _audit(oms: typer.Typer) -> None:
    from starter.cli.operations import audit

    audits = group(SAID["audit"])
    audits.command("list")(audit.list_entries)
    audits.command("verify")(audit.verify)
    audits.command("export")(audit.export)
    oms.add_typer(audits, name="audit")


def _rules(oms: typer.Typer) -> None:
    from starter.cli.rules import rule_publishing, rules

    rule_sets = group(SAID["rules"])
    rule_sets.command("list")(rules.list_rules)
    rule_sets.command("show")(rules.show)
    rule_sets.command("diff")(rules.diff)
    rule_sets.command("export")(rules.export)
    rule_sets.command("draft")(rules.draft_file)
    rule_sets.command("validate")(rules.validate)
    rule_sets.command("simulate")(rule_publishing.simulate)
    rule_sets.command("publish")(rule_publishing.publish)
    rule_sets.command("rollback")(rule_publishing.rollback)
    oms.add_typer(rule_sets, name="rules")


def _automation(oms: typer.Typer) -> None:
    from starter.cli.rules import automation

    automations = group(SAID["automation"])
    automations.command("show")(automation.show)
    automations.command("try")(automation.try_past)
    automations.command("publish")(automation.publish)
    automations.command("rollback")(automation.rollback)
    automations.command("stop")(automation.stop)
    automations.command("runs")(automation.runs)
    oms.add_typer(automations, name="automation")


def _report(oms: typer.Typer) -> None:
    from starter.cli.operations import event_log, health, report

    reports = group(SAID["report"])
    reports.command("reconcile")(report.reconcile)
    reports.command("dispatch")(report.dispatch)
    reports.command("health")(health.health)
    reports.command("weekly")(health.weekly)
    reports.command("ocel")(event_log.ocel)
    oms.add_typer(reports, name="report")


def _config(oms: typer.Typer) -> None:
    from starter.cli.operations import settings, sources
    from starter.cli.rules import forms, policy

    config = group(SAID["config"])
    config.command("check")(settings.check)
    policies = group("Durations, retries and split order; an order keeps the version it started with.")
    policies.command("show")(policy.show)
    policies.command("draft")(policy.draft)
    policies.command("bring-back")(policy.bring_back)
    policies.command("drafts")(policy.drafts)
    policies.command("try")(policy.try_on_the_past)
    policies.command("publish")(policy.publish)
    policies.command("history")(policy.history)
    policies.command("diff")(policy.diff)
    config.add_typer(policies, name="policy")
    after_sales = group("What after-sales applications have to say, by goods and type; numbers on slips.")
    after_sales.command("show")(forms.show)
    after_sales.command("set")(forms.publish)
    after_sales.command("rollback")(forms.rollback)
    config.add_typer(after_sales, name="forms")
    callbacks = group("Sources of callbacks: heard when, let in from where; stopped by one, let in by two.")
    callbacks.command("list")(sources.list_sources)
    callbacks.command("allow")(sources.allow)
    callbacks.command("stop")(sources.stop)
    config.add_typer(callbacks, name="source")
    oms.add_typer(config, name="config")


def _approve(oms: typer.Typer) -> None:
    from starter.cli.approvals import approve, approve_show

    approvals = group(SAID["approve"])
    approvals.command("list")(approve.list_approvals)
    approvals.command("show")(approve_show.show)
    approvals.command("approve")(approve.approve)
    approvals.command("reject")(approve.reject)
    oms.add_typer(approvals, name="approve")


def _people(oms: typer.Typer) -> None:
    from starter.cli.approvals import people

    staff = group(SAID["people"])
    staff.command("bootstrap")(people.bootstrap)
    staff.command("add")(people.add)
    staff.command("list")(people.list_people)
    staff.command("role")(people.role)
    staff.command("scope")(people.scope)
    staff.command("deactivate")(people.deactivate)
    staff.command("activate")(people.activate)
    staff.command("delegate")(people.delegate)
    oms.add_typer(staff, name="people")


def _api_token(oms: typer.Typer) -> None:
    from starter.cli.approvals import api_token

    programs = group(SAID["api-token"])
    programs.command("add")(api_token.add)
    programs.command("text")(api_token.text)
    programs.command("list")(api_token.list_tokens)
    programs.command("revoke")(api_token.revoke)
    oms.add_typer(programs, name="api-token")


def _customs(oms: typer.Typer) -> None:
    from starter.cli.orders import customs

    border = group(SAID["customs"])
    border.command("list")(customs.list_declarations)
    border.command("parameters")(customs.parameters)
    border.command("publish")(customs.publish)
    oms.add_typer(border, name="customs")


def _sandbox(oms: typer.Typer) -> None:
    from starter.cli.operations import sandbox

    sandboxes = group(SAID["sandbox"])
    sandboxes.command("pay")(sandbox.pay)
    sandboxes.command("move")(sandbox.move)
    sandboxes.command("fault")(sandbox.fault)
    oms.add_typer(sandboxes, name="sandbox")


def _token(oms: typer.Typer) -> None:
    from starter.cli.approvals import token

    tokens = group(SAID["token"])
    tokens.command("issue")(token.issue)
    tokens.command("read")(token.read)
    tokens.command("keygen")(token.keygen)
    tokens.command("jwks")(token.jwks)
    oms.add_typer(tokens, name="token")


def _nothing() -> None:
    """A command that stands alone is no group by itself."""


MADE = {
    "doctor": _doctor,
    "login": _login,
    "logout": _logout,
    "whoami": _whoami,
    "audit": _audit,
    "rules": _rules,
    "automation": _automation,
    "report": _report,
    "config": _config,
    "approve": _approve,
    "people": _people,
    "api-token": _api_token,
    "customs": _customs,
    "sandbox": _sandbox,
    "token": _token,
}
