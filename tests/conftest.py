"""What all tests share."""

from __future__ import annotations

from hypothesis import settings

# A busy machine is slow at times: tests are about behaviour, never about the clock.
settings.register_profile("antithesis", deadline=None, max_examples=50)
settings.load_profile("antithesis")
