"""What became of each dropped file, in one folder: its match, or why there is none.

`NAME.antithesis/` or `NAME.refused.txt`, one of them for a file and never both. Each appears whole,
is on the disk before it has its name, and says which file it is of (name, size, time of change): a
file that has its outcome is done with, also after a restart, and one that has changed since is not.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self

from antithesis.errors import ConfigError
from antithesis.files import bring_all_to_disk, bring_to_disk
from antithesis.report import result_stem
from daemon.settling import Drop

MATCHED: Final = ".antithesis"
REFUSED: Final = ".refused.txt"

_ASIDE: Final = ".antithesis-part"
_LONGEST_NAME: Final = 200  # bytes, so that any suffix finds room in a name of 255


class Outcomes:
    """The outcomes in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def make_ready(self) -> Self:
        """Make the folder, and clear away what one that was killed left in it.

        Raises:
            ConfigError: the folder cannot be made or written to.
        """
        folder = self.folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with self._aside() as aside:
                aside.mkdir()
        except OSError as error:
            raise ConfigError(
                f"cannot write results into {folder} ({error.strerror}): set watch.output to"
                " another folder"
            ) from error
        for aside in folder.glob(f".*{_ASIDE}"):
            _remove(aside)
        return self

    def matched_at(self, drop: Drop) -> Path:
        """Where the folder of its match is, or would be."""
        return self.folder / (_short(drop.path.name) + MATCHED)

    def refused_at(self, drop: Drop) -> Path:
        """Where its refusal is, or would be."""
        return self.folder / (_short(drop.path.name) + REFUSED)

    def known(self, drop: Drop) -> bool:
        """Whether the file, as it is, has its outcome."""
        return self.has_match(drop) or self.has_refusal(drop)

    def has_match(self, drop: Drop) -> bool:
        """Whether the file, as it is, was matched."""
        return record(drop) == self._record_of_match(drop)

    def has_refusal(self, drop: Drop) -> bool:
        """Whether the file, as it is, was refused for good."""
        return record(drop) == self._record_of_refusal(drop)

    @contextmanager
    def matched(self, drop: Drop) -> Iterator[Path]:
        """A folder to write the match into, with `record` in its JSON; left, it is the outcome."""
        place = self.matched_at(drop)
        self._make()
        with self._aside() as aside, self._aside() as old:
            aside.mkdir()
            yield aside
            bring_all_to_disk(aside)
            self.refused_at(drop).unlink(missing_ok=True)
            if os.path.lexists(place):
                place.rename(old)
            aside.rename(place)
            bring_to_disk(self.folder)

    def refused(self, drop: Drop, reason: str, *, for_good: bool = True) -> Path:
        """Write why there is no match; not `for_good`, the file as it is may come once more."""
        place = self.refused_at(drop)
        said = [_as_line(record(drop)), ""] if for_good else []
        lines = ("There is no match for this file:", reason, "", *said)
        self._make()
        with self._aside() as aside:
            aside.write_bytes("\n".join(lines).encode("utf-8", "backslashreplace"))
            bring_to_disk(aside)
            _remove(self.matched_at(drop))
            aside.replace(place)
            bring_to_disk(self.folder)
        return place

    def _make(self) -> None:
        """Have the folder once more where it was taken away, but not the disk it was on."""
        self.folder.mkdir(exist_ok=True)

    @contextmanager
    def _aside(self) -> Iterator[Path]:
        """A path beside the outcomes for what is not yet, or no longer, one of them."""
        path = self.folder / f".{secrets.token_hex(8)}{_ASIDE}"
        try:
            yield path
        finally:
            _remove(path)

    def _record_of_match(self, drop: Drop) -> object:
        stem = result_stem(drop.path.name) or "match"
        content = _json(_read(self.matched_at(drop) / f"{stem}.json"))
        return content.get("dropped") if isinstance(content, dict) else None

    def _record_of_refusal(self, drop: Drop) -> object:
        return _json(_read(self.refused_at(drop)).rstrip("\n").rpartition("\n")[2])


def record(drop: Drop) -> Mapping[str, Any]:
    """What tells a dropped file, as it was, from every other."""
    return {"file": drop.path.name, "size": drop.size, "mtime_ns": drop.mtime_ns}


def _short(name: str) -> str:
    encoded = os.fsencode(name)
    if len(encoded) <= _LONGEST_NAME:
        return name
    start = encoded[:_LONGEST_NAME].decode(errors="ignore")
    return f"{start}-{hashlib.sha256(encoded).hexdigest()[:8]}"


def _as_line(content: Mapping[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False)


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8", "replace")
    except OSError:
        return ""


def _json(text: str) -> object:
    try:
        content: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return content


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():  # what a link leads to is not ours
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
