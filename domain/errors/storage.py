"""What the operator acts on."""

from domain.errors.base import UnderstudyError


class StorageError(UnderstudyError):
    """The data folder cannot be used; an operator acts."""

    code = "storage_failed"


class StorageAway(StorageError):
    """A server that keeps the memory cannot be reached; the same call may succeed later."""

    code = "storage_away"


class EncoderAway(StorageAway):
    """The encoder cannot be reached, refuses the key, or gives no vectors of its kind; nothing is recalled now."""

    code = "encoder_away"


class StorageRefused(StorageError):
    """The server refuses one write for a reason that stays, such as a value of another type under its key."""

    code = "storage_refused"


class StorageBusy(StorageError):
    """Another process owns the data folder."""

    code = "storage_busy"


class StorageCorrupt(StorageError):
    """A file in the data folder is damaged."""

    code = "storage_corrupt"


class StorageFull(StorageError):
    """No space is left on the device."""

    code = "storage_full"
