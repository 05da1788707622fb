"""The `oms` command: its groups, and the last line of defence against a stack trace."""

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import typer
from typer._click.exceptions import NoArgsIsHelpError, UsageError

from starter.cli.approvals import api_token, approve, login, people, token
from starter.cli.errors import BAD_INPUT, COULD_NOT, CommandFailed, say
from starter.cli.operations import audit, doctor, event, health, replay, report, settings, stats, subscription
from starter.cli.orders import (
    change,
    chargeback,
    customs,
    explain,
    forget,
    hold,
    import_file,
    label,
    listing,
    money,
    replan,
    show,
    start,
)
from starter.cli.returns import return_desk, return_evidence, return_link, return_show, returns
from starter.cli.rules import policy, rule_publishing, rules
from starter.cli.stock import catalogue, stock
from starter.cli.tickets import ticket, ticket_assignment


def _group(text: str) -> typer.Typer:
    return typer.Typer(help=text, no_args_is_help=True)


app = typer.Typer(
    name="oms",
    help="Orders, tickets, events, stock, catalogue and policy of the order orchestrator. "
    "Times are Asia/Shanghai. Exit codes: 0 done, 1 could not be done, 2 bad input, "
    "3 not allowed to this person, 4 decided or changed meanwhile.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

app.command("doctor")(doctor.doctor)
app.command("login")(login.login)
app.command("logout")(login.logout)
app.command("whoami")(login.whoami)

orders = _group("Start, look at and change orders.")
orders.command("start")(start.start)
orders.command("import")(import_file.import_file)
orders.command("show")(show.show)
orders.command("explain")(explain.explain)
orders.command("list")(listing.list_orders)
orders.command("cancel")(change.cancel)
orders.command("confirm")(change.confirm)
orders.command("forget")(forget.forget)
orders.command("refresh")(change.refresh)
orders.command("address")(replan.address)
orders.command("merge")(replan.merge)
orders.command("resplit")(replan.resplit)
orders.command("label")(label.label)
orders.command("hold")(hold.hold)
orders.command("release")(hold.release)
orders.command("chargeback")(chargeback.opened)
orders.command("chargeback-decided")(chargeback.decided)
orders.command("chargeback-accounted")(chargeback.accounted)
app.add_typer(orders, name="order")

outside = _group("Money that moved without us: refunds made by hand, payments of nobody, chargebacks. 账外资金")
outside.command("list")(money.list_money)
outside.command("show")(money.show)
outside.command("ask")(money.ask)
outside.command("book")(money.book)
app.add_typer(outside, name="money")

cases = _group("After-sales: returns, refunds, exchanges, cancellations before shipping. 售后")
cases.command("apply")(returns.apply)
cases.command("show")(return_show.show)
cases.command("list")(returns.list_returns)
cases.command("cancel")(returns.cancel)
cases.command("waybill")(returns.waybill)
cases.command("lower")(returns.lower)
cases.command("dispute")(returns.dispute)
cases.command("slip")(return_desk.slip)
cases.command("link")(return_link.link)
cases.command("receive")(return_desk.receive)
cases.command("scan")(return_desk.scan)
cases.command("inspect")(return_desk.inspect)
cases.command("outbound-check")(return_desk.outbound_check)
cases.command("label")(return_desk.label)
pictures = _group("Pictures of a case.")
pictures.command("add")(return_evidence.add)
pictures.command("list")(return_evidence.list_evidence)
pictures.command("get")(return_evidence.get)
cases.add_typer(pictures, name="evidence")
app.add_typer(cases, name="return")

tickets = _group("Questions for a person, as a queue: look, take, answer.")
tickets.command("list")(ticket.list_tickets)
tickets.command("show")(ticket.show)
tickets.command("take")(ticket_assignment.take)
tickets.command("assign")(ticket_assignment.assign)
tickets.command("release")(ticket_assignment.release)
tickets.command("resolve")(ticket.resolve)
app.add_typer(tickets, name="ticket")

events = _group("Messages of outside systems: look, and replay what could not be delivered.")
events.command("list")(event.list_events)
events.command("show")(event.show)
events.command("replay")(replay.replay)
events.command("stats")(stats.stats)
app.add_typer(events, name="event")

subscriptions = _group("Other systems that hear of our orders.")
subscriptions.command("add")(subscription.add)
subscriptions.command("list")(subscription.list_subscriptions)
subscriptions.command("show")(subscription.show)
subscriptions.command("enable")(subscription.enable)
subscriptions.command("disable")(subscription.disable)
subscriptions.command("remove")(subscription.remove)
subscriptions.command("deliveries")(subscription.deliveries)
subscriptions.command("redeliver")(subscription.redeliver)
app.add_typer(subscriptions, name="subscription")

stocks = _group("Stock by SKU and warehouse.")
stocks.command("receive")(stock.receive)
stocks.command("adjust")(stock.adjust)
stocks.command("take")(stock.take)
stocks.command("show")(stock.show)
app.add_typer(stocks, name="stock")

catalogues = _group("What is known of SKUs, for order lines that bring no tags, for parcels and for customs.")
catalogues.command("import")(catalogue.import_file)
catalogues.command("template")(catalogue.template)
catalogues.command("export")(catalogue.export)
catalogues.command("show")(catalogue.show)
catalogues.command("put")(catalogue.put)
catalogues.command("list")(catalogue.list_skus)
app.add_typer(catalogues, name="catalog")

audits = _group("Who did what: a log that can only grow, and the proof that nothing is missing.")
audits.command("list")(audit.list_entries)
audits.command("verify")(audit.verify)
audits.command("export")(audit.export)
app.add_typer(audits, name="audit")

rule_sets = _group("Decision tables that splitting asks: drafted by one person, published by another.")
rule_sets.command("list")(rules.list_rules)
rule_sets.command("show")(rules.show)
rule_sets.command("diff")(rules.diff)
rule_sets.command("export")(rules.export)
rule_sets.command("draft")(rules.draft_file)
rule_sets.command("validate")(rules.validate)
rule_sets.command("simulate")(rule_publishing.simulate)
rule_sets.command("publish")(rule_publishing.publish)
rule_sets.command("rollback")(rule_publishing.rollback)
app.add_typer(rule_sets, name="rules")

reports = _group("How well the books keep up with the world.")
reports.command("reconcile")(report.reconcile)
reports.command("health")(health.health)
reports.command("weekly")(health.weekly)
reports.command("dispatch")(report.dispatch)
app.add_typer(reports, name="report")

config = _group("Settings of this machine, and of the business.")
config.command("check")(settings.check)
policies = _group("Durations, retries and split order; an order keeps the version it started with.")
policies.command("show")(policy.show)
policies.command("set")(policy.publish)
policies.command("history")(policy.history)
policies.command("diff")(policy.diff)
config.add_typer(policies, name="policy")
app.add_typer(config, name="config")


approvals = _group("Decisions that wait for a person: look, approve, reject.")
approvals.command("list")(approve.list_approvals)
approvals.command("show")(approve.show)
approvals.command("approve")(approve.approve)
approvals.command("reject")(approve.reject)
app.add_typer(approvals, name="approve")

staff = _group("People who may decide: roles, who is away, who stands in.")
staff.command("bootstrap")(people.bootstrap)
staff.command("add")(people.add)
staff.command("list")(people.list_people)
staff.command("role")(people.role)
staff.command("scope")(people.scope)
staff.command("deactivate")(people.deactivate)
staff.command("activate")(people.activate)
staff.command("delegate")(people.delegate)
app.add_typer(staff, name="people")

programs = _group("Tokens with which programs of others use the open API: asked for here, decided by another.")
programs.command("add")(api_token.add)
programs.command("text")(api_token.text)
programs.command("list")(api_token.list_tokens)
programs.command("revoke")(api_token.revoke)
app.add_typer(programs, name="api-token")

border = _group("Parcels that cross the border: declarations, and the legal values of each day.")
border.command("list")(customs.list_declarations)
border.command("parameters")(customs.parameters)
border.command("publish")(customs.publish)
app.add_typer(border, name="customs")

tokens = _group("The local issuer of approvers' tokens.")
tokens.command("issue")(token.issue)
tokens.command("read")(token.read)
tokens.command("keygen")(token.keygen)
tokens.command("jwks")(token.jwks)
app.add_typer(tokens, name="token")


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run `oms`; whatever happens, the user sees one line and an exit code, never a stack trace."""
    sys.exit(_code(arguments))


def process() -> NoReturn:
    """`oms` as a process of its own. Temporal's SDK may abort at interpreter exit, so leave without that."""
    code = _code(None)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _code(arguments: Sequence[str] | None) -> int:
    try:
        return app(args=arguments, prog_name="oms", standalone_mode=False) or 0
    except UsageError as e:
        return _usage(e)
    except CommandFailed as e:
        say(f"Error: {e}")
        return e.code
    except typer.Abort:
        say("Error: stopped.")
    except Exception as e:
        detail = f"{type(e).__name__}: {str(e)[:300]}"
        say(f"Error: the command failed unexpectedly ({detail}). This is a defect; report it.")
    return COULD_NOT


def _usage(error: UsageError) -> int:
    if isinstance(error, NoArgsIsHelpError):
        error.show()
    else:
        asked = error.ctx.command_path if error.ctx else "oms"
        say(f"Error: {error.format_message().rstrip('.')}. See `{asked} --help`.")
    return BAD_INPUT
