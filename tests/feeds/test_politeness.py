"""A part of the scripted world of ``make bench-politeness``, so that a regression is seen in the tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench" / "politeness.py"
HOSTS = "both,no-validators,max-age-bare-304,retry-seconds,moved-308,gone-later,lost-and-back,page-forbidden,etag-moves"


@pytest.mark.slow
def test_thirty_virtual_days_with_a_kill_and_an_outage_are_spent_politely() -> None:
    run = subprocess.run(
        [sys.executable, BENCH, "--only", HOSTS], capture_output=True, text=True, timeout=300, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "100.0 %" in run.stdout
