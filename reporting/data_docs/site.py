"""The site: the site builder of Great Expectations with our frame around it. Importing this module takes seconds."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

os.environ["GX_ANALYTICS_ENABLED"] = "false"

import great_expectations as gx
from great_expectations.core.expectation_validation_result import expectationSuiteValidationResultSchema
from great_expectations.data_context.types.resource_identifiers import (
    ExpectationSuiteIdentifier,
    ValidationResultIdentifier,
)
from great_expectations.render.renderer.site_builder import SiteBuilder

import expectations.ledger_rows  # noqa: F401 - makes our expectation known to Great Expectations
from reporting.data_docs.stored import Document, Page

SITE_NAME = "基金账务质量检查 / Quality checks of the fund's books"
_OURS = "reporting.data_docs"


def build(folder: Path, listed: Sequence[Page], documents: Mapping[Page, Document]) -> None:
    """Make the pages of `documents` and an index of all `listed` pages below `folder`.

    Raises RuntimeError when a page is not there afterwards: the site builder logs what goes wrong and goes on.
    """
    context = gx.get_context(mode="ephemeral")
    keys = [_store(context, page, document) for page, document in documents.items()]
    builder = _builder(context, folder, listed)
    builder.site_section_builders["validations"].build(resource_identifiers=keys)
    _write_index(builder, listed)
    wanted = [*(page.path for page in documents), "index.html"]
    if lacking := [name for name in wanted if not _is_page(folder / name)]:
        raise RuntimeError(f"Data Docs 未能生成 / could not be made: {', '.join(lacking)}")


def _store(context: Any, page: Page, document: Document) -> ValidationResultIdentifier:  # noqa: ANN401
    """Read the document back as what it was, and put it where the site builder looks for it."""
    key = ValidationResultIdentifier(
        expectation_suite_identifier=ExpectationSuiteIdentifier(page.suite_name),
        run_id=gx.RunIdentifier(page.run_name, page.run_at),
        batch_identifier=page.batch,
    )
    context.validation_results_store.set(key, expectationSuiteValidationResultSchema.load(document))
    return key


def _builder(context: Any, folder: Path, listed: Sequence[Page]) -> SiteBuilder:  # noqa: ANN401
    view = {"module_name": f"{_OURS}.views", "class_name": "LedgerPageView"}
    by_name = {(page.suite_name, page.run_id): page for page in listed}
    return SiteBuilder(
        context,
        store_backend={"class_name": "TupleFilesystemStoreBackend", "base_directory": str(folder)},
        site_name=SITE_NAME,
        show_how_to_buttons=False,
        runtime_environment={"root_directory": str(folder)},
        site_index_builder={
            "class_name": "DefaultSiteIndexBuilder",
            "renderer": {"module_name": f"{_OURS}.index", "class_name": "IndexRenderer", "pages": list(listed)},
            "view": view,
        },
        site_section_builders={
            "expectations": "None",
            "profiling": "None",
            "validations": {
                "class_name": "DefaultSiteSectionBuilder",
                "renderer": {"module_name": f"{_OURS}.results", "class_name": "ResultsRenderer", "pages": by_name},
                "view": view,
            },
        },
    )


def _write_index(builder: SiteBuilder, listed: Sequence[Page]) -> None:
    """The index builder's own way reads every document again to learn what `listed` knows."""
    index, links = builder.site_index_builder, {"site_name": SITE_NAME}
    for page in listed:
        index.add_resource_info_to_index_links_dict(
            links,
            page.suite_name,
            "validations",
            batch_identifier=page.batch,
            run_id=gx.RunIdentifier(page.run_name, page.run_at),
            validation_success=not page.failed + page.warned,
            run_time=page.run_at,
            run_name=page.run_id,
            asset_name=page.suite_name,
        )
    site: Any = builder.target_store
    site.write_index_page(index.view_class.render(index.renderer_class.render(links)))


def _is_page(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0
