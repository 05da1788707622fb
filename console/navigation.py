"""The menu: a line a page, for whom it is. The page itself asks again."""

from dataclasses import dataclass

from console.security.access import STAFF, Needs
from console.session.user import User
from console.text.catalogue import N_
from domain.access.authority import AUTHORITY, START
from domain.approvals import Role

ORDER_READERS = Needs(Role.CS_AGENT, Role.CS_SUPERVISOR, Role.ORDER_OPS, Role.FINANCE, Role.WAREHOUSE)

TICKET_READERS = Needs(
    Role.CS_AGENT, Role.CS_SUPERVISOR, Role.ORDER_OPS, Role.FINANCE, Role.WAREHOUSE, Role.ADMIN
)  # fmt: skip
RETURN_READERS = ORDER_READERS

STOCK_READERS = Needs(Role.WAREHOUSE, Role.ORDER_OPS, Role.CS_AGENT, Role.CS_SUPERVISOR)
REPORT_READERS = Needs(*AUTHORITY["desk.do: build_report"].roles)
FINANCE_READERS = Needs(Role.FINANCE)
DIFFERENCE_READERS = Needs(Role.FINANCE, Role.ORDER_OPS)
CALLBACK_READERS = Needs(Role.ORDER_OPS, Role.ADMIN)
PEOPLE_KEEPERS = Needs(*AUTHORITY["controls.change: people"].roles)
RULE_EDITORS = Needs(*AUTHORITY["desk.do: draft_rules"].roles)
RULE_READERS = Needs(*AUTHORITY["desk.do: draft_rules"].roles, Role.FINANCE, Role.CS_SUPERVISOR)
POLICY_ASKERS = Needs(*AUTHORITY["controls.change: policy"].roles)
FORM_EDITORS = Needs(*AUTHORITY["controls.change: forms"].roles)
AUTOMATION_EDITORS = Needs(*AUTHORITY["controls.change: automations"].roles)
AUTOMATION_STOPPERS = Needs(*AUTHORITY["desk.do: stop_automations"].roles)
AUTOMATION_READERS = Needs(*dict.fromkeys((*AUTOMATION_EDITORS.roles, *AUTOMATION_STOPPERS.roles)))
SETUP_READERS = Needs(Role.ADMIN, Role.ORDER_OPS)
ORDER_STARTERS = Needs(*AUTHORITY[START].roles)
AUDITORS = Needs(Role.ADMIN, Role.FINANCE, Role.CS_SUPERVISOR)


@dataclass(frozen=True)
class MenuEntry:
    path: str
    text: str
    icon: str
    needs: Needs


MENU = (
    MenuEntry("/", N_("Today"), "home", STAFF),
    MenuEntry("/orders", N_("Orders"), "package", ORDER_READERS),
    MenuEntry("/import/orders", N_("Order import"), "file-text", ORDER_STARTERS),
    MenuEntry("/returns", N_("Returns"), "receipt-refund", RETURN_READERS),
    MenuEntry("/desk", N_("Return desk"), "building-warehouse", Needs(Role.WAREHOUSE)),
    MenuEntry("/approvals", N_("Decisions"), "checkbox", STAFF),
    MenuEntry("/tickets", N_("Tickets"), "ticket", TICKET_READERS),
    MenuEntry("/stock", N_("Stock"), "building-warehouse", STOCK_READERS),
    MenuEntry("/finance", N_("Finance"), "coin", FINANCE_READERS),
    MenuEntry("/reports", N_("Reports"), "report-analytics", REPORT_READERS),
    MenuEntry("/callbacks", N_("Callbacks"), "messages", CALLBACK_READERS),
    MenuEntry("/people", N_("People"), "users", PEOPLE_KEEPERS),
    MenuEntry("/rules", N_("Rules"), "list-details", RULE_READERS),
    MenuEntry("/forms", N_("Forms"), "file-text", FORM_EDITORS),
    MenuEntry("/automations", N_("Automations"), "adjustments", AUTOMATION_READERS),
    MenuEntry("/settings", N_("Settings"), "settings", POLICY_ASKERS),
    MenuEntry("/setup", N_("Setting up"), "circle-check", SETUP_READERS),
    MenuEntry("/audit", N_("Audit"), "shield-lock", AUDITORS),
)


def menu_of(user: User) -> list[MenuEntry]:
    return [entry for entry in MENU if user.holds(*entry.needs.roles)]
