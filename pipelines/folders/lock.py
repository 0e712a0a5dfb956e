"""One run a folder: a file that says who works there, on any storage, for any death of its owner.

No flock: it means nothing on object stores, and little on some network file systems. The file is
created only where there is none, it is rewritten every BEAT_S seconds, and it is taken over from
an owner that is surely dead: a process of this machine that is gone, or one elsewhere that gave no
sign of life while we watched.
"""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from manifests import atomic
from manifests.storage import exists, locate, make_folder, read_bytes
from pipelines.folders.owner import BEAT_S, STALE_S, Owner

log = logging.getLogger(__name__)

LOCK = ".run/lock.json"
_HELD: set[str] = set()  # tokens of the locks that this process holds
_SETTLE_S = 0.2  # after which a rival's write to the same name would be seen


class Locked(RuntimeError):
    """Another run holds the folder."""


class RunLock:
    """Holds a set's folder for the length of a ``with`` block.

    Args:
        out: the folder; it is made.
        beat_s, stale_s: seconds between signs of life, and without one until it is given up.
    """

    def __init__(self, out: Path, beat_s: float = BEAT_S, stale_s: float = STALE_S):
        self._out, self._beat_s, self._stale_s = locate(out), beat_s, stale_s
        self._path = self._out / LOCK
        self._me = Owner.here()
        self._over = threading.Event()
        self._lost: Owner | None = None
        self._thread = threading.Thread(target=self._beat, name="run lock", daemon=True)

    def __enter__(self) -> "RunLock":
        make_folder(self._path.parent)
        _HELD.add(self._me.token)
        try:
            self._acquire()
        except BaseException:
            _HELD.discard(self._me.token)
            raise
        self._thread.start()
        return self

    def _acquire(self) -> None:
        while not self._create():
            holder = read_owner(self._out)
            if holder is None:
                continue  # given back in between
            self._refuse_if_alive(holder)
            self._take_over(holder)
            if self._mine():
                break

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()
        _HELD.discard(self._me.token)
        try:
            if self._mine():
                atomic.remove(self._path)
        except OSError as trouble:  # the next run finds a dead owner, and takes over
            log.warning("run lock: could not be given back: %s", trouble)

    def check(self) -> None:
        """Stop a run whose lock was taken over, as after the sleep of a laptop.

        Raises:
            Locked: another run holds the folder by now.
        """
        if self._lost is not None:
            raise Locked(
                f"--out {self._out}: taken over from this run, which gave no sign of life for "
                f"{self._stale_s:.0f} s, by {self._lost}; this one stops, nothing is lost"
            )

    def _create(self) -> bool:
        """Write the file if there is none. False where there is one."""
        try:
            with self._path.open("xb") as file:
                file.write(self._me.to_bytes())
        except FileExistsError:
            return False
        except (NotImplementedError, ValueError):
            return self._claim()
        return True

    def _claim(self) -> bool:
        """As _create, on a store that cannot create exclusively: of those who write at once, the
        last one stays."""
        if read_owner(self._out) is None:
            atomic.write_file(self._path, self._me.to_bytes())
            time.sleep(10 * _SETTLE_S)
        return self._mine()

    def _refuse_if_alive(self, holder: Owner) -> None:
        alive = holder.alive()
        if alive is None:
            alive = self._gives_signs(holder)
        if alive and not _given_up(holder):
            raise Locked(
                f"--out {self._out}: another run works there: {holder}; wait for it, stop it, or "
                "give another --out ('synth status' shows how far it is)"
            )

    def _gives_signs(self, holder: Owner) -> bool:
        """Whether an owner on another machine lives. Its clock may be wrong: where its last sign
        is not of just now, only one that we see appear counts."""
        if 0 <= time.time() - holder.beat < 2 * self._beat_s:
            return True
        log.info("waiting up to %.0f s for a sign of life of %s", self._stale_s, holder)
        deadline = time.monotonic() + self._stale_s
        while time.monotonic() < deadline:
            time.sleep(min(1.0, self._beat_s / 2))
            if read_owner(self._out) != holder:
                return True
        return False

    def _take_over(self, holder: Owner) -> None:
        """Put ourselves in a dead owner's place, unless another does.

        Only one can create the file named for this owner's end, and it looks once more whether
        the lock is still that owner's: who comes later finds another there.
        """
        end = self._path.with_name(f"lock-end-{holder.token}")
        try:
            with end.open("xb") as file:
                file.write(self._me.to_bytes())
        except FileExistsError:
            rival = Owner.from_bytes(read_bytes(end)) if exists(end) else None
            if rival is not None and rival.alive() is False:
                atomic.remove(end)  # it died at this very step
            time.sleep(_SETTLE_S)
            return
        try:
            if read_owner(self._out) == holder:
                log.warning("taking over from a run that died: %s", holder)
                atomic.write_file(self._path, self._me.to_bytes())
                time.sleep(_SETTLE_S)
        finally:
            atomic.remove(end)

    def _mine(self) -> bool:
        holder = read_owner(self._out)
        return holder is not None and holder.token == self._me.token

    def _beat(self) -> None:
        """Give signs of life until the run is over or another holds the lock."""
        while not self._over.wait(self._beat_s):
            try:
                if not self._mine():
                    self._lost = read_owner(self._out) or self._me
                    return
                self._me = self._me.beating()
                atomic.write_file(self._path, self._me.to_bytes())
            except OSError as error:  # a full disk, a network gone for a moment: the run will say
                log.warning("run lock: %s", error)


def read_owner(out: Path) -> Owner | None:
    """Who works in a set's folder, alive or not; None where nobody does."""
    try:
        data = read_bytes(locate(out) / LOCK)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return Owner.from_bytes(data) or _unreadable()


def working(out: Path) -> str:
    """A line on the run that works in a set's folder; "" where none does."""
    owner = read_owner(out)
    if owner is None:
        return ""
    alive = owner.alive()
    if alive is False:
        return f"the last run was killed: {owner}; run the same command to go on"
    return f"a run is at work: {owner}"


def _given_up(holder: Owner) -> bool:
    """Whether an earlier run of this very process is over, which could not remove its file."""
    me = Owner.here()
    same = (holder.machine, holder.pid) == (me.machine, me.pid)
    return same and holder.token not in _HELD


def checked(on_event: Callable, lock: RunLock) -> Callable:
    """``on_event`` that first looks whether the lock is still ours."""

    def forward(event) -> None:
        lock.check()
        on_event(event)

    return forward


def _unreadable() -> Owner:
    """An owner's file cut off as the machine went down: nobody's, for as long as it stays so."""
    return Owner(
        "an unknown machine", "", 0, 0.0, "unknown", "", token="unreadable", since=0, beat=0
    )
