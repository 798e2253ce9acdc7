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


class SchemaTooNew(StorageError):
    """A later release has changed the database so far that this one cannot work on it."""

    code = "schema_too_new"

    def __init__(self, version: int, known: int) -> None:
        super().__init__(
            f"the database has schema version {version}, and this release knows {known}; install the release that"
            " changed it, or have that one lead it back (understudy migrate --to)"
        )
        self.version, self.known = version, known


class SchemaInUse(StorageError):
    """Living workers need the database as it is."""

    code = "schema_in_use"

    def __init__(self, before: int, to: int, needed: int) -> None:
        super().__init__(
            f"the database cannot go from schema version {before} to {to} while a worker of a release for version"
            f" {needed} is at work; stop it first"
        )
        self.before, self.to, self.needed = before, to, needed
