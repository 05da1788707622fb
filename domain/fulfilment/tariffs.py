"""What carriers cost: the rows of a rule set's tariff table, and what a parcel costs by them."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field, StringConstraints

from domain.order import Minor
from domain.strict import Strict

ANY = "*"
"""A cell that is left empty: the row serves every value."""

Grams = Annotated[int, Field(ge=0, le=10**9)]
CarrierCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$")]
Served = Annotated[str, StringConstraints(min_length=1, max_length=60)]


class Tariff(Strict):
    """One carrier's price for one region and kind of goods: a first step of weight, then steps of `extra_g` rounded up.

    `region`: a province or a city as the address spells it. `logistics`, `warehouse`: tags. `*` serves every value.
    """

    carrier: CarrierCode
    region: Served = ANY
    logistics: Served = ANY
    warehouse: Served = ANY
    """Where the parcel leaves."""
    first_g: Annotated[int, Field(ge=1, le=10**9)]
    first_fee_minor: Minor
    extra_g: Annotated[int, Field(ge=1, le=10**9)]
    extra_fee_minor: Minor
    rule_id: str = ""
    """The row of the table."""

    def fee(self, weight_g: int) -> int:
        """Minor units for a parcel of `weight_g`."""
        over = max(0, weight_g - self.first_g)
        return self.first_fee_minor + -(-over // self.extra_g) * self.extra_fee_minor


class ParcelWeight(Strict):
    """What a price depends on."""

    warehouse: str
    logistics: str
    province: str
    city: str
    weight_g: Grams


class FreightQuote(Strict):
    carrier: CarrierCode
    fee_minor: Minor
    rule_id: str = ""


def quotes(tariffs: Iterable[Tariff], parcel: ParcelWeight) -> tuple[FreightQuote, ...]:
    """What each carrier that serves the parcel asks for it, cheapest first, ties by carrier code.

    Of several rows of one carrier the most specific counts: a city before a province before everywhere, then the kind
    of goods, then the warehouse; of equally specific ones the first.
    """
    found = [
        FreightQuote(carrier=t.carrier, fee_minor=t.fee(parcel.weight_g), rule_id=t.rule_id)
        for t in serving(tariffs, parcel)
    ]
    return tuple(sorted(found, key=lambda quote: (quote.fee_minor, quote.carrier)))


def serving(tariffs: Iterable[Tariff], parcel: ParcelWeight) -> tuple[Tariff, ...]:
    """The row of each carrier that counts for the parcel, whatever its weight."""
    best: dict[str, tuple[tuple[int, bool, bool], Tariff]] = {}
    for tariff in tariffs:
        rank = _rank(tariff, parcel)
        if rank is not None and (tariff.carrier not in best or rank > best[tariff.carrier][0]):
            best[tariff.carrier] = (rank, tariff)
    return tuple(tariff for _, tariff in best.values())


def serves_region(tariff: Tariff, province: str, city: str) -> bool:
    return tariff.region in (ANY, province, city)


def _rank(tariff: Tariff, parcel: ParcelWeight) -> tuple[int, bool, bool] | None:
    """How specific the row is for the parcel; None when it does not serve it."""
    fits = (
        serves_region(tariff, parcel.province, parcel.city)
        and tariff.logistics in (ANY, parcel.logistics)
        and tariff.warehouse in (ANY, parcel.warehouse)
    )
    if not fits:
        return None
    region = 0 if tariff.region == ANY else 2 if tariff.region == parcel.city else 1
    return region, tariff.logistics != ANY, tariff.warehouse != ANY
