"""A folder of published files: written aside, put in place by renaming, tidied up after.

Knows nothing of feeds and pages. What it wrote is listed in ``.vestnik/manifest.json``; files that are
not listed there belong to somebody else and are neither overwritten nor removed.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import TextIO

from vestnik.errors import Failed
from vestnik.web.representation import compress

#: Our own corner of the folder; web servers must not show names that begin with a dot.
OWN = ".vestnik"
_MANIFEST = "manifest.json"
_VERSION = 1
#: Coding -> what a precompressed twin's name ends with, as nginx and others look for it.
TWINS = {"gzip": ".gz", "br": ".br"}


class Outcome(StrEnum):
    """What an export did with one file."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"


@dataclass(slots=True)
class Manifest:
    """What the last export left behind."""

    #: File name, ``/`` between folders -> sizes of the file and its twins in bytes.
    files: dict[str, list[int]] = field(default_factory=dict)
    #: The bot's name that the pages carry, for when Telegram can't be asked.
    bot_username: str | None = None

    @classmethod
    def read(cls, path: Path) -> Manifest:
        """From a file; an absent one is empty. Raises :class:`Failed` when it is not ours to understand."""
        try:
            told = json.loads(path.read_text("utf-8"))
            files = {_checked(name): [int(each) for each in sizes] for name, sizes in told["files"].items()}
            if told["version"] != _VERSION:
                raise ValueError(f"version {told['version']} is not known")
            return cls(files=files, bot_username=told["bot_username"])
        except FileNotFoundError:
            return cls()
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Failed(
                f"{path} is damaged ({error}), so it can't be told which files are ours. "
                "Export into an empty folder, or remove this one's content first."
            ) from error

    def write(self, path: Path) -> None:
        """Replace the file in one step, on the disk before it counts."""
        told = {"version": _VERSION, "bot_username": self.bot_username, "files": self.files}
        draft = path.with_suffix(".new")
        with draft.open("w", encoding="utf-8") as file:
            json.dump(told, file, ensure_ascii=False, indent=0, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)


class ExportFolder:
    """One export at work: ``stage`` each file, then ``commit``. Until then nothing published changes."""

    def __init__(self, root: Path, manifest: Manifest) -> None:
        self.root = root
        self.manifest = manifest
        self._stage = root / OWN / "stage"
        self._staged: dict[str, Outcome] = {}
        self._sizes: dict[str, list[int]] = {}

    def stage(self, name: str, body: bytes, *, modified: datetime | None, now: datetime) -> Outcome:
        """Write a file and its twins aside unless the published ones are the same, byte for byte."""
        before = self.root / _checked(name)
        if self._is_same(name, body):
            self._sizes[name] = self.manifest.files[name]
            return Outcome.SAME
        bodies = {"": body} | {TWINS[coding]: made for coding, made in compress(body).items()}
        taken = [name + ending for ending in bodies if self._is_foreign(name, ending)]
        if taken:
            raise Failed(
                f"{self.root}: {', '.join(taken)} stands where the export would write, and no export wrote "
                "it. Nothing was changed. Move it away, or choose another folder."
            )
        stamp = _stamp(before, modified, now)
        for ending, content in bodies.items():
            draft = self._stage / (name + ending)
            draft.parent.mkdir(parents=True, exist_ok=True)
            draft.write_bytes(content)
            os.utime(draft, (stamp, stamp))
        self._sizes[name] = [len(bodies[ending]) for ending in ("", *TWINS.values())]
        self._staged[name] = Outcome.CHANGED if before.exists() else Outcome.NEW
        return self._staged[name]

    def commit(self, rank: Callable[[str], int]) -> list[str]:
        """Put the staged files in place, lowest ``rank`` first, and return the names that were removed.

        A page is put in place after what it links to, and what nothing links to any more goes last.
        """
        gone = sorted(set(self.manifest.files) - set(self._sizes))
        # Known as ours before they appear: a crash in between must not make them somebody else's.
        both = Manifest(files=self.manifest.files | self._sizes, bot_username=self.manifest.bot_username)
        both.write(self.root / OWN / _MANIFEST)
        for name in sorted(self._staged, key=lambda each: (rank(each), each)):
            self._put(name)
        for name in gone:
            self._remove(name)
        self.manifest.files = self._sizes
        self.manifest.write(self.root / OWN / _MANIFEST)
        return gone

    def _is_same(self, name: str, body: bytes) -> bool:
        """Whether file and twins are published as they should be; equal times tie the twins to the file."""
        known, path = self.manifest.files.get(name), self.root / name
        if known is None or known[0] != len(body):
            return False
        try:
            stats = [path.with_name(path.name + ending).stat() for ending in ("", *TWINS.values())]
            whole = [each.st_size for each in stats] == known and len({each.st_mtime for each in stats}) == 1
            return whole and path.read_bytes() == body
        except FileNotFoundError:
            return False

    def _is_foreign(self, name: str, ending: str) -> bool:
        return name not in self.manifest.files and os.path.lexists(self.root / (name + ending))

    def _put(self, name: str) -> None:
        target = self.root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        # The file itself last: as long as it is the old one, the next export sees work left to do.
        for ending in (*TWINS.values(), ""):
            (self._stage / (name + ending)).replace(target.with_name(target.name + ending))

    def _remove(self, name: str) -> None:
        path = self.root / name
        for ending in ("", *TWINS.values()):
            path.with_name(path.name + ending).unlink(missing_ok=True)
        for folder in path.parents:
            if folder == self.root or not folder.is_dir() or any(folder.iterdir()):
                return
            folder.rmdir()


@contextmanager
def open_folder(root: Path) -> Iterator[ExportFolder]:
    """The folder, made if need be and locked against a second export.

    Raises :class:`Failed` in words for whoever runs the export when the folder can't be written.
    """
    try:
        (root / OWN).mkdir(parents=True, exist_ok=True)
        with (root / OWN / "lock").open("w", encoding="utf-8") as lock:
            _lock(lock, root)
            folder = ExportFolder(root, Manifest.read(root / OWN / _MANIFEST))
            shutil.rmtree(root / OWN / "stage", ignore_errors=True)  # of an export that was killed
            try:
                yield folder
            finally:
                shutil.rmtree(root / OWN / "stage", ignore_errors=True)
    except OSError as error:
        raise Failed(
            f"{error.filename or root}: {error.strerror or error}. Every published file is whole, the old "
            "one or the new one. Mend this and run the export again; it goes on with what is missing."
        ) from error


def _lock(lock: TextIO, root: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise Failed(f"{root}: another export is writing there. Wait for it to end.") from error


def _stamp(before: Path, modified: datetime | None, now: datetime) -> int:
    """Modification time of changed content, in whole seconds.

    It never stays what it was, and never goes back: web servers make validators of it.
    """
    present = int(now.timestamp())
    wanted = min(int(modified.timestamp()), present) if modified else present
    try:
        old = int(before.stat().st_mtime)
    except FileNotFoundError:
        return wanted
    return wanted if wanted > old else max(present, old + 1)


def _checked(name: str) -> str:
    """``name`` if it stays inside the folder and out of our corner of it."""
    parts = PurePosixPath(name).parts
    if not parts or parts[0] in {"/", OWN} or ".." in parts:
        raise ValueError(f"{name!r} is no name for a published file")
    return name
