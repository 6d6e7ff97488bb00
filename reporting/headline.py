"""All regions in one sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from reporting.names import Name
from reporting.verdict import LIGHTS, Light


def headline(regions: Sequence[tuple[Light, Name]], rejected: int = 0) -> Name:
    """All regions in one sentence, worst first; takes light and badge of each, and files that wait for a correction."""
    total = len(regions)
    lights = {light for light, _ in regions}
    if not total:
        said = Name("尚无数据：系统中还没有任何统筹区的账簿", "No data yet: there are no books of any region")
    elif lights == {"green"}:
        said = Name(f"{total} 个统筹区的账簿全部可信，均已发布", f"The books of all {total} regions can be trusted")
    elif lights == {"grey"}:
        said = Name(
            "本次运行未形成结论；可查询的账簿仍为此前发布的结果",
            "This run has come to no verdict; readers still see what was published before",
        )
    else:
        said = _counted(regions)
    if not rejected:
        return Name(f"{said.zh}。", f"{said.en}.")
    files = "file was" if rejected == 1 else "files were"
    return Name(
        f"{said.zh}；另有 {rejected:,} 份文件被拒收，尚待更正。",
        f"{said.en}; {rejected:,} {files} rejected and not made good.",
    )


def _counted(regions: Sequence[tuple[Light, Name]]) -> Name:
    order = list(LIGHTS)
    counts = Counter(badge for _, badge in sorted(regions, key=lambda region: order.index(region[0])))
    return Name(
        f"{len(regions)} 个统筹区中：" + "；".join(f"{count} 个{name.zh}" for name, count in counts.items()),
        f"Of {len(regions)} regions: " + "; ".join(f"{count} {name.en.lower()}" for name, count in counts.items()),
    )
