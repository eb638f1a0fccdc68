"""What `import antithesis` offers, and what it costs."""

from __future__ import annotations

import subprocess
import sys

import pytest

import antithesis


@pytest.mark.parametrize("name", antithesis.__all__)
def test_every_name_of_the_library_can_be_had(name):
    assert getattr(antithesis, name) is not None
    assert name in dir(antithesis)


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="rendr"):
        antithesis.rendr  # noqa: B018


def test_import_alone_loads_nothing():
    code = "import sys, antithesis; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"numpy", "numba", "click"}.isdisjoint(done.stdout.split())
