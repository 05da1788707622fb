"""Groups about orders, returns and goods. What a group needs is imported when it is called."""

import typer

from starter.cli.groups.said import SAID, group


def _order(oms: typer.Typer) -> None:
    from starter.cli.orders import (
        change,
        chargeback,
        complaint,
        explain,
        forget,
        hold,
        import_file,
        label,
        listing,
        replan,
        show,
        start,
    )

    orders = group(SAID["order"])
    orders.command("start")(start.start)
    orders.command("import")(import_file.import_file)
    orders.command("show")(show.show)
    orders.command("explain")(explain.explain)
    orders.command("list")(listing.list_orders)
    orders.command("cancel")(change.cancel)
    orders.command("confirm")(change.confirm)
    orders.command("forget")(forget.forget)
    orders.command("hold")(hold.hold)
    orders.command("release")(hold.release)
    orders.command("refresh")(change.refresh)
    orders.command("address")(replan.address)
    orders.command("merge")(replan.merge)
    orders.command("resplit")(replan.resplit)
    orders.command("label")(label.label)
    orders.command("chargeback")(chargeback.opened)
    orders.command("complaint")(complaint.told)
    orders.command("chargeback-decided")(chargeback.decided)
    orders.command("chargeback-accounted")(chargeback.accounted)
    oms.add_typer(orders, name="order")


def _money(oms: typer.Typer) -> None:
    from starter.cli.orders import money

    outside = group(SAID["money"])
    outside.command("list")(money.list_money)
    outside.command("show")(money.show)
    outside.command("tell")(money.tell)
    outside.command("ask")(money.ask)
    outside.command("book")(money.book)
    oms.add_typer(outside, name="money")


def _return(oms: typer.Typer) -> None:
    from starter.cli.returns import return_desk, return_evidence, return_link, return_show, returns

    cases = group(SAID["return"])
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
    pictures = group("Pictures of a case.")
    pictures.command("add")(return_evidence.add)
    pictures.command("list")(return_evidence.list_evidence)
    pictures.command("get")(return_evidence.get)
    cases.add_typer(pictures, name="evidence")
    oms.add_typer(cases, name="return")


def _ticket(oms: typer.Typer) -> None:
    from starter.cli.tickets import ticket, ticket_assignment

    tickets = group(SAID["ticket"])
    tickets.command("list")(ticket.list_tickets)
    tickets.command("show")(ticket.show)
    tickets.command("take")(ticket_assignment.take)
    tickets.command("assign")(ticket_assignment.assign)
    tickets.command("release")(ticket_assignment.release)
    tickets.command("resolve")(ticket.resolve)
    oms.add_typer(tickets, name="ticket")


def _event(oms: typer.Typer) -> None:
    from starter.cli.operations import event, replay, stats

    events = group(SAID["event"])
    events.command("list")(event.list_events)
    events.command("show")(event.show)
    events.command("replay")(replay.replay)
    events.command("stats")(stats.stats)
    oms.add_typer(events, name="event")


def _subscription(oms: typer.Typer) -> None:
    from starter.cli.operations import subscription

    subscriptions = group(SAID["subscription"])
    subscriptions.command("add")(subscription.add)
    subscriptions.command("list")(subscription.list_subscriptions)
    subscriptions.command("show")(subscription.show)
    subscriptions.command("enable")(subscription.enable)
    subscriptions.command("disable")(subscription.disable)
    subscriptions.command("remove")(subscription.remove)
    subscriptions.command("deliveries")(subscription.deliveries)
    subscriptions.command("redeliver")(subscription.redeliver)
    oms.add_typer(subscriptions, name="subscription")


def _stock(oms: typer.Typer) -> None:
    from starter.cli.stock import stock

    stocks = group(SAID["stock"])
    stocks.command("receive")(stock.receive)
    stocks.command("show")(stock.show)
    stocks.command("adjust")(stock.adjust)
    stocks.command("take")(stock.take)
    oms.add_typer(stocks, name="stock")


def _catalog(oms: typer.Typer) -> None:
    from starter.cli.stock import catalogue

    catalogues = group(SAID["catalog"])
    catalogues.command("import")(catalogue.import_file)
    catalogues.command("template")(catalogue.template)
    catalogues.command("export")(catalogue.export)
    catalogues.command("show")(catalogue.show)
    catalogues.command("put")(catalogue.put)
    catalogues.command("list")(catalogue.list_skus)
    oms.add_typer(catalogues, name="catalog")


MADE = {
    "order": _order,
    "money": _money,
    "return": _return,
    "ticket": _ticket,
    "event": _event,
    "subscription": _subscription,
    "stock": _stock,
    "catalog": _catalog,
}
