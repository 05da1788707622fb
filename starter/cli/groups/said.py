"""What each command of `oms` is for, in the order of the help."""

import typer

SAID = {
    "doctor": "Look whether the books and Temporal agree, and whether what goes on gets anywhere.",
    "login": "Sign in on another device.",
    "logout": "Sign out.",
    "whoami": "Tell who is signed in.",
    "order": "Start, look at and change orders.",
    "money": "Money that moved without us: refunds made by hand, payments of nobody, chargebacks. 账外资金",
    "return": "After-sales: returns, refunds, exchanges, cancellations before shipping. 售后",
    "ticket": "Questions for a person, as a queue: look, take, answer.",
    "event": "Messages of outside systems: look, and replay what could not be delivered.",
    "subscription": "Other systems that hear of our orders.",
    "stock": "Stock by SKU and warehouse.",
    "catalog": "What is known of SKUs, for order lines that bring no tags, for parcels and for customs.",
    "audit": "Who did what: a log that can only grow, and the proof that nothing is missing.",
    "rules": "Decision tables that splitting asks: drafted by one person, published by another.",
    "automation": "What is done by itself: tried on past orders, published by two people, stopped by one. 自动化",
    "report": "How well the books keep up with the world.",
    "config": "Settings of this machine, and of the business.",
    "approve": "Decisions that wait for a person: look, approve, reject.",
    "people": "People who may decide: roles, who is away, who stands in.",
    "api-token": "Tokens with which programs of others use the open API: asked for here, decided by another.",
    "customs": "Parcels that cross the border: declarations, and the legal values of each day.",
    "sandbox": "The other side of a local stack: pay, let parcels move, have systems fail.",
    "token": "The local issuer of approvers' tokens.",
}


def group(text: str) -> typer.Typer:
    return typer.Typer(help=text, no_args_is_help=True)
