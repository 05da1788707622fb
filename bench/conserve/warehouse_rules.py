"""What warehouses and couriers may do with the parcels of a run."""

from random import Random

from bench.conserve.life import NEXT, Life
from domain.facts import Kind
from domain.states import ChildStatus


async def warehouse_moves(life: Life, random: Random) -> bool:
    """One parcel goes a step further; mostly we hear of it at once."""
    parcels = life.parcels("there", "picking", "packed", "left")
    if not parcels:
        return False
    child_no, parcel = random.choice(parcels)
    kind, state = random.choice(NEXT[parcel.state])
    if kind in (Kind.WMS_REJECTED, Kind.SHORT_PICKED) and random.random() < 0.5:
        kind, state = Kind.PICKING, "picking"
    life.happens(child_no, parcel, kind, state, random)
    if random.random() < 0.7:
        await life.hears([life.mail.pop()])
    return True


async def parcels_leave(life: Life, random: Random) -> bool:
    """All that may be picked, packed and handed out, at once."""
    parcels = life.parcels()
    if not parcels:
        return False
    for child_no, parcel in parcels:
        life.happens(child_no, parcel, Kind.WAYBILL_RETURNED, "left", random)
        await life.hears([life.mail.pop()])
    return True


async def all_is_signed_for(life: Life, random: Random) -> bool:
    left = life.parcels("left")
    if not left:
        return False
    await life.hears([life.fact(number, Kind.SIGNED, life.house.now()) for number, _ in left])
    return True


async def stop_is_answered(life: Life, random: Random) -> bool:
    """The warehouse says late whether it has stopped a parcel."""
    asked = [(n, p) for n, p in life.parcels() if p.asked]
    if not asked:
        return False
    child_no, parcel = random.choice(asked)
    parcel.asked = False
    stopped = random.random() < 0.5
    parcel.state, parcel.unstoppable = ("cancelled", False) if stopped else (parcel.state, True)
    kind = Kind.INTERCEPTED if stopped else Kind.INTERCEPT_REFUSED
    await life.hears([life.fact(child_no, kind, life.house.now())])
    return True


async def warehouse_cancels(life: Life, random: Random) -> bool:
    """By itself, whoever is asking it to stop the parcel, and whatever it has answered."""
    parcels = life.parcels()
    if not parcels:
        return False
    child_no, parcel = random.choice(parcels)
    parcel.asked, parcel.state, parcel.unstoppable = False, "cancelled", False
    told = [life.fact(child_no, Kind.INTERCEPTED, life.house.now())]
    if random.random() < 0.3:
        told.insert(0, life.fact(child_no, Kind.INTERCEPT_REFUSED, life.house.now()))
    await life.hears(told)
    return True


async def goods_arrive(life: Life, random: Random) -> bool:
    if life.ended:
        return False
    waiting = [c for c in (await life.view()).children if c.status is ChildStatus.BACKORDER]
    if not waiting:
        return False
    child = random.choice(waiting)
    n = random.randint(0, 10**9)
    rows = {line["line_id"]: line for line in (await life.order.detail()).lines}
    for line_id, row in rows.items():
        for place in ("WH-BJ", "WH-SH"):
            await life.house.receive(row["sku"], place, 4, f"{n}-{line_id}")
    await life.hears([life.fact(child.child_no, Kind.STOCK_ARRIVED, life.house.now())])
    return True
