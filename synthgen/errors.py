"""The errors a user can meet: one line of cause, one line of remedy, one exit code.

Anything that is not a :class:`SynthgenError` is a bug of ours and leaves with exit code 1.
"""

from __future__ import annotations

import errno

DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
"""What the operating system says of a disk that is full."""
_ACCESS = {errno.EACCES, errno.EPERM, errno.EROFS}


class SynthgenError(Exception):
    """An expected failure. ``cause`` names the column or file, ``remedy`` what to do about it."""

    exit_code = 1

    def __init__(self, cause: str, remedy: str) -> None:
        super().__init__(cause, remedy)
        self.cause = cause
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.cause}\n{self.remedy}"


class ConfigError(SynthgenError):
    """A wrong option or configuration value."""

    exit_code = 2


class DataError(SynthgenError):
    """The data cannot be used as they are."""

    exit_code = 3


class MachineError(SynthgenError):
    """The environment: disk, device, permissions, a missing package, a lock held by another."""

    exit_code = 4


def of_system(error: OSError, how_to_go_on: str) -> MachineError | None:
    """What the operating system's refusal means to the user; None where it is a bug of ours."""
    if error.errno in DISK:
        place = f" ({error.filename})" if error.filename else ""
        return MachineError(f"the disk is full{place}", f"free some space; {how_to_go_on}")
    if error.errno in _ACCESS:
        return MachineError(
            f"no permission: {error.filename or error}", "change the permissions or the folder"
        )
    if isinstance(error, NotADirectoryError | FileExistsError):
        return MachineError(
            f"{error.filename} cannot be made: there is a file in its way",
            "choose another folder with --out",
        )
    return None


class TrainingError(SynthgenError):
    """A generator failed to train, for example because its losses stayed NaN after roll-backs."""

    exit_code = 5


class GateError(SynthgenError):
    """A configured quality or privacy gate failed; the run directory is complete all the same."""

    exit_code = 6


class ShortfallWarning(UserWarning):
    """Fewer rows came back than were asked for, because too few draws met the conditions."""
