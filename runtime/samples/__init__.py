"""Sample source files of Nanjing and Huainan, September 2019 to June 2020, each in its city's own shape."""

from runtime.samples.generate import DEFAULT_PERSONS, DEFAULT_SEED, write_samples
from runtime.samples.source_calendar import DEMO_CALENDAR

__all__ = ["DEFAULT_PERSONS", "DEFAULT_SEED", "DEMO_CALENDAR", "write_samples"]
