"""stub"""
from __future__ import annotations
from tests.fuzz.pickles.session import Item
from weighbridge.checks.model_scan.formats import scan_content
from weighbridge.checks.model_scan.report import TooManyNotesError
from weighbridge.checks.model_scan.scan import Scan
from weighbridge.checks.model_scan.source import Memory

def is_clean(item: Item) -> bool:
    scan = Scan.start()
    try:
        scan_content(scan, Memory(item.data), "m", name="m.pt" if item.loader == "torch" else "m.pkl")
    except TooManyNotesError:
        return False
    return not scan.notes.findings and not scan.notes.undecided
