"""For all tests: properties look at the same examples each time, unless asked to explore."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# A test run must not depend on luck. `HYPOTHESIS_PROFILE=explore make test` looks for new examples;
# what it finds becomes an @example of its test.
settings.register_profile(
    "same", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("explore", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))
