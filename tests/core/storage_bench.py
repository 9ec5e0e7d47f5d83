"""Plants with storage, and what may be agreed for it."""

from __future__ import annotations

from dataclasses import replace

from core_bench import SETTINGS, B, still
from hypothesis import settings

from edge.core.settings import DerPlant
from edge.core.storage import storage_start
from edge.model.storage_rules import NO_RULES, StorageRules

C = DerPlant("c", 40.0, 0.2, 40.0, 0.0, 40.0, 1.0, "k", charge_w=30.0, full_pu=0.95)
EXPORT_ONLY = StorageRules(import_w=0.0)
IMPORT_ONLY = StorageRules(export_w=0.0)
NO_EXCHANGE = StorageRules(0.0, 0.0)
MODES = (NO_RULES, EXPORT_ONLY, IMPORT_ONLY, NO_EXCHANGE)
ABILITIES = (StorageRules(export_w=5.0), StorageRules(import_w=5.0), StorageRules(site_import_w=5.0))
FAST = settings(max_examples=300, deadline=None, derandomize=True, database=None)
START = storage_start(replace(SETTINGS, ders=(B, C)), 100.0)
IDLE = still(C, 0.0, 100.9, last_w=0.0)
