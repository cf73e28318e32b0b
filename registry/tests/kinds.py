"""Every kind of file that is damaged by a seed; to add one, add the function that gives its ``Kind``."""

from typing import Final

from registry.tests.damaged_records import backup, bundle, checkpoint, feature, manifest
from registry.tests.damaged_tables import csv_file, json_file, listing, mapping, parquet, workbook

KINDS: Final = {
    "workbook": workbook,
    "csv": csv_file,
    "json": json_file,
    "parquet": parquet,
    "list": listing,
    "mapping": mapping,
    "feature": feature,
    "bundle": bundle,
    "checkpoint": checkpoint,
    "backup": backup,
    "manifest": manifest,
}
