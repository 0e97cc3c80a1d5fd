"""What can stand in the way of sharing, each with what would be right. No message holds a value of a student's row."""

from __future__ import annotations


class SharingError(RuntimeError):
    """Something about an audience cannot be done; what was published before still stands. exit_code is that of the command."""

    exit_code = 2


class UnknownAudience(SharingError):
    """No workgroup, contract or document names this audience."""


class SecretMissing(SharingError):
    """An audience's secret is not there, or is not fit to make keys with."""


class SharingDeclarationWrong(SharingError):
    """A mart's YAML declares a sharing that cannot be."""

    exit_code = 1


class NotPrepared(SharingError):
    """There is nothing to release, or what there is is not of the last run."""

    exit_code = 3


class NotAllowed(SharingError):
    """The person, or the agreement with the recipient, does not allow it."""

    exit_code = 3


class CannotWrite(SharingError):
    """A destination cannot be written to."""

    exit_code = 1


class DisclosureDamaged(SharingError):
    """The disclosure log was changed after it was written."""

    exit_code = 3
