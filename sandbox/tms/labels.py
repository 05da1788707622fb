"""Labels: a real one-page PDF with barcode, or ZPL for a label printer. One shipment always gives the same bytes."""

from datetime import datetime

from fpdf import FPDF

from sandbox.tms.state import Shipment

_TEXT = {"PDF": "application/pdf", "ZPL": "text/plain; charset=utf-8"}


def media_type(format: str) -> str:
    return _TEXT[format]


def label(shipment: Shipment, format: str) -> bytes:
    return _pdf(shipment) if format == "PDF" else _zpl(shipment).encode()


def _lines(shipment: Shipment) -> list[str]:
    to = shipment.request["receiver"]
    weight = f"{shipment.request['weight_g']} g, {shipment.request['items']} pcs"
    where = " ".join(str(to.get(part) or "") for part in ("province", "city", "district", "street"))
    return [f"{to['recipient']} {to['phone'][:3]}****{to['phone'][-4:]}", where, weight, shipment.shipment_id]


def _pdf(shipment: Shipment) -> bytes:
    pdf = FPDF(unit="mm", format=(100, 150))
    pdf.set_creation_date(datetime.fromisoformat(shipment.booked_at))
    pdf.set_margin(6)
    pdf.add_page()
    pdf.set_font("helvetica", "B", 24)
    pdf.cell(text=shipment.carrier, new_x="LMARGIN", new_y="NEXT")
    pdf.code39(f"*{shipment.waybill_no}*", x=6, y=24, w=0.7, h=18)
    pdf.set_y(44)
    pdf.set_font("helvetica", "", 12)
    for line in [shipment.waybill_no, *_lines(shipment)]:
        # The built-in fonts know no Chinese and a sandbox ships no font: such lines are left to the ZPL label.
        if line.isascii():
            pdf.cell(text=line, new_x="LMARGIN", new_y="NEXT")
    return bytes(pdf.output())


def _zpl(shipment: Shipment) -> str:
    fields = [f"^FO30,30^A0N,60,60^FD{shipment.carrier}^FS", f"^FO30,120^BY2^BCN,140,Y,N,N^FD{shipment.waybill_no}^FS"]
    for n, line in enumerate(_lines(shipment)):
        # ^ and ~ begin ZPL commands
        fields.append(f"^FO30,{320 + 45 * n}^A0N,32,32^FD{line.replace('^', ' ').replace('~', ' ')}^FS")
    return "\n".join(["^XA", "^CI28", *fields, "^XZ", ""])
