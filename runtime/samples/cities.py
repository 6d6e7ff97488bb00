"""What distinguishes the two sample cities. All names of organisations and persons are invented."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from runtime.samples import policy
from runtime.samples.values import Fen, yuan


@dataclass(frozen=True)
class City:
    """One pooling area of the samples; money in fen; fees and the share of all persons in per cent."""

    source_system: str
    region_code: str
    prefix: str
    short_name: str
    population_share: int
    wage_low: int
    wage_high: int
    fee_percent: int
    inpatient_method: str
    flexible_deposit: str
    grouped_amounts: bool
    line_end: str
    opening_special_demand: Fen
    opening_special_time: Fen
    opening_personal: Fen

    @property
    def merger(self) -> date:
        """First day of the merged fund."""
        return policy.merger_date(self.region_code)

    @property
    def tax_authority(self) -> str:
        """Code of the city's tax authority."""
        return f"1{self.region_code}0000"

    @property
    def platform(self) -> policy.Platform | None:
        """The settlement platform from before the merger that the city still keeps."""
        return policy.settlement_platform(self.region_code)

    @property
    def platform_institution(self) -> str:
        """The maternity hospital that settles through that platform, and through nothing else."""
        return self.institution(6)

    def institution(self, number: int) -> str:
        """Code of hospital ``number`` (0 to 6)."""
        return f"H{self.region_code}{number + 101:05d}"

    def pharmacy(self, number: int) -> str:
        """Code of retail pharmacy ``number`` (0 to 3)."""
        return f"P{self.region_code}{number + 501:05d}"

    def fund_of(self, insurance_type: str, day: date) -> str:
        """Fund that a contribution or claim of ``insurance_type`` dated ``day`` belongs to."""
        return "MAT" if insurance_type == "510" and day < self.merger else "EMI"

    def maternity_insurance(self, day: date) -> str:
        """Insurance type under which an employee's maternity claim of ``day`` is settled."""
        return "510" if day < self.merger else "310"


NANJING = City(
    source_system="nanjing",
    region_code="320100",
    prefix="NJ",
    short_name="南京",
    population_share=58,
    wage_low=5_100,
    wage_high=12_900,
    fee_percent=155,
    inpatient_method="drg",
    flexible_deposit="treasury",
    grouped_amounts=False,
    line_end="\n",
    opening_special_demand=yuan(4_200_000),
    opening_special_time=yuan(3_000_000),
    opening_personal=yuan(4_900_000),
)
HUAINAN = City(
    source_system="huainan",
    region_code="340400",
    prefix="HN",
    short_name="淮南",
    population_share=42,
    wage_low=3_600,
    wage_high=7_800,
    fee_percent=100,
    inpatient_method="dip",
    flexible_deposit="income",
    grouped_amounts=True,
    line_end="\r\n",
    opening_special_demand=yuan(2_000_000),
    opening_special_time=yuan(700_000),
    opening_personal=yuan(400_000),
)
CITIES = (NANJING, HUAINAN)
