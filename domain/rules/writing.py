"""A decision table into a JDM document, as rule editors read it."""

from domain.rules.sets import Document
from domain.rules.tables import RuleTable


def document_of(table: RuleTable) -> Document:
    """Read back by `domain.rules.reading`, it is the same table."""
    content = {
        "hitPolicy": table.shape.hit,
        "inputs": [
            {"id": c.id, "name": c.name, "type": "expression", **({"field": c.field} if c.field else {})}
            for c in table.inputs
        ],
        "outputs": [{"id": c.id, "name": c.name, "type": "expression", "field": c.field} for c in table.outputs],
        "rules": [{"_id": row.rule_id, "_description": row.note, **row.cells} for row in table.rows],
        "passThrough": False,
        "inputField": None,
        "outputPath": None,
        "executionMode": "single",
    }
    nodes: tuple[Document, ...] = (
        {"id": "request", "type": "inputNode", "name": "Request"},
        {"id": "table", "type": "decisionTableNode", "name": table.shape.title, "content": content},
        {"id": "response", "type": "outputNode", "name": "Response"},
    )
    return {
        "contentType": "application/vnd.gorules.decision",
        "nodes": [{**node, "position": {"x": 80 + 360 * n, "y": 160}} for n, node in enumerate(nodes)],
        "edges": [
            {"id": "e1", "type": "edge", "sourceId": "request", "targetId": "table"},
            {"id": "e2", "type": "edge", "sourceId": "table", "targetId": "response"},
        ],
    }
