"""Bundles of functions that need lakemesh: all of what they import, nothing compiled, and not too large."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from lakemesh.deploy.bundles import BundleError, files_of
from lakemesh.deploy.reviewing import FROM_A_LAYER

HANDLERS = {"lakemesh.handlers.review": (), "lakemesh.handlers.scan": FROM_A_LAYER}
MOST_UNPACKED, MOST_PACKED = 8_000_000, 2_000_000
"""Lambda takes 250 MB unpacked with all layers, and 50 MB in a request (Lambda developer guide, "Lambda quotas")."""
COMPILED = {".so", ".pyd", ".dylib", ".dll", ".pyc"}


@pytest.mark.parametrize("handler", sorted(HANDLERS))
def test_a_bundle_is_small_and_holds_nothing_compiled(handler: str, tmp_path: Path) -> None:
    files = files_of(handler, HANDLERS[handler])
    assert not {name for name in files if Path(name).suffix in COMPILED}
    assert not {name for name in files if name.startswith(("pydantic", "yaml", "pulumi", "boto"))}
    assert sum(Path(path).stat().st_size for path in files.values()) < MOST_UNPACKED
    packed = tmp_path / "bundle.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in files.items():
            archive.write(path, name)
    assert packed.stat().st_size < MOST_PACKED


def test_the_review_runs_from_its_bundle_alone(tmp_path: Path) -> None:
    """Without anything else that is installed: what the runtime and the layer bring stands in as empty modules."""
    for name, path in files_of("lakemesh.handlers.review").items():
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(Path(path).read_bytes())
    text = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from lakemesh.classification import Column, classify_table\n"
        "print(classify_table('contact', [Column('email', samples=['a@b.com'] * 3)])[0].kind, 'pydantic' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", text], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout.split() == ["email", "False"], done.stderr


def test_a_module_that_needs_more_than_a_bundle_carries_is_named() -> None:
    with pytest.raises(BundleError, match=r"lakemesh\.declarations\.models imports pydantic"):
        files_of("lakemesh.declarations.models")


def test_the_same_handler_gives_the_same_files_in_the_same_order() -> None:
    files_of.cache_clear()
    first = list(files_of("lakemesh.handlers.review").items())
    files_of.cache_clear()
    assert list(files_of("lakemesh.handlers.review").items()) == first
