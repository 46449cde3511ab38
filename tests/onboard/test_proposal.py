"""Writing: everything or nothing, and never over what somebody wrote meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from lakemesh.onboard.errors import OnboardError
from lakemesh.onboard.proposal import Change, write
from tests.onboard.conftest import text


def test_every_file_is_written_with_its_folder(tmp_path: Path) -> None:
    write(tmp_path, [Change("a.yaml", None, "a: 1\n"), Change("deep/b.yaml", None, "b: 1\n")])
    assert text(tmp_path) == {"a.yaml": "a: 1\n", "deep/b.yaml": "b: 1\n"}


def test_a_file_that_changed_meanwhile_stops_everything(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text("b: mine\n")
    with pytest.raises(OnboardError, match="has changed while"):
        write(tmp_path, [Change("a.yaml", None, "a: 1\n"), Change("b.yaml", "b: old\n", "b: new\n")])
    assert text(tmp_path) == {"b.yaml": "b: mine\n"}


def test_a_write_that_fails_half_way_puts_everything_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.yaml").write_text("a: old\n")
    changes = [Change("a.yaml", "a: old\n", "a: new\n"), Change("b.yaml", None, "b\n"), Change("c.yaml", None, "c\n")]
    replace = Path.replace

    def failing(self: Path, target: Path) -> Path:
        if target.name == "c.yaml":
            raise OSError("the disk is full")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(OSError, match="disk is full"):
        write(tmp_path, changes)
    assert text(tmp_path) == {"a.yaml": "a: old\n"}


def test_a_link_to_a_file_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.yaml").write_text("a: 1\n")
    (tmp_path / "a.yaml").symlink_to("real.yaml")
    write(tmp_path, [Change("a.yaml", "a: 1\n", "a: 2\n")])
    assert (tmp_path / "a.yaml").is_symlink()
    assert (tmp_path / "real.yaml").read_text() == "a: 2\n"


def test_a_diff_steers_no_terminal() -> None:
    assert "\x1b" not in Change("a.yaml", None, "a: \x1b[2J\n").diff("mesh")
