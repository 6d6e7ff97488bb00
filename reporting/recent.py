"""The newest months of a mart, cut by the database: a page shows a year or two of books that grow for ever."""

from __future__ import annotations


def newest_months(mart: str, month: str, months: int) -> str:
    """A relation, for `FROM`: rows of a mart of each region's newest `months` months, by its column `month`.

    The newest month is told beside the rows, in one pass: a query of its own for it would compute the view once more,
    and one that goes by the row as often as there are rows.
    """
    return (
        "(select newest.* from ("
        f"select every.*, max(every.{month}) over (partition by every.region_code) as newest_month"
        f" from marts.{mart} as every) as newest"
        f" where newest.{month} > newest.newest_month - interval '{months:d} months') as recent"
    )
