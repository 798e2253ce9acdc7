"""Every error Understudy raises on purpose, in one tree, classed by who must act.

UnderstudyError
├── UserError                the caller corrects the request
│   ├── InvalidGoal          empty, too long, not text
│   ├── UnknownTeam / UnknownAgent / UnknownThread / UnknownTask
│   ├── UnknownRule / InvalidRule
│   ├── UnknownCheckpoint / InvalidCheckpoint
│   ├── UnknownRun / InvalidFeedback
│   ├── UnknownTrial / InvalidTrial
│   ├── InvalidImport        names every line that cannot be read; nothing was taken in
│   ├── InvalidBackup        cannot be restored, or cannot be made here
│   ├── UnknownGoal          no goal that the workspace has set for itself
│   ├── UnknownFolder        the data folder does not exist
│   ├── InvalidWorkspace
│   ├── InvalidState         a value does not fit its place in the working state
│   ├── InvalidTeamFile      carries every mistake with its line
│   ├── InvalidTool          a declared tool cannot be made from what its source offers
│   ├── InvalidPlugin        a plug-in cannot be loaded, does not fit its group, or broke down
│   ├── InvalidSettings
│   │   ├── MissingExtra     a setting wants a library that is not installed; names the extra
│   │   ├── ForeignRecords   the records are not those that the database belongs to
│   │   ├── PublicAddress    a server that must stay private is at a public address
│   │   └── InsecureAddress  a service to which keys and goals would go in clear over a network
│   ├── InvalidProfile
│   ├── InvalidConsent       no scope of a consent
│   ├── InvalidDecision      an answer that does not fit the open question (it stays open)
│   ├── NothingPending       a decision for a question that is not open
│   ├── UnknownQuestion
│   ├── QuestionClosed       it was answered before, or its time is over; says by whom and when
│   ├── NotAnApprover        the question is for others to answer
│   ├── StaleApproval        what is asked now is not what the person was shown
│   ├── InvalidRequest       cannot be read, or asks for what does not fit together
│   │   ├── RequestTooLarge
│   │   ├── RequestTooSlow
│   │   └── KeyReused        an idempotency key that came before with another request
│   ├── UnknownKey
│   ├── InvalidMember        no name of a user, no role, or no way to be a member
│   ├── IdentityMissing      others could reach the service, and nothing says who they are
│   └── NotServed            a service does not offer this; it is done on the machine that it runs on
├── AccessError              whoever asks does not get it
│   ├── Unauthenticated      nobody is known by what was shown
│   ├── IssuerAway           what was shown cannot be checked now, because its issuer cannot be reached
│   ├── Forbidden            known, and may not
│   └── TooManyRequests      says how long to wait
├── PlanError                the planner repairs it: carries coded problems
├── ToolError                the agent is told and chooses another way; nothing was changed
│   ├── ToolRefused          it refuses, and would again: asking it once more does not help
│   ├── InvalidArguments
│   ├── PathNotAllowed
│   ├── QueryNotAllowed
│   ├── ConstraintViolated   a rule of the workspace forbids it
│   ├── PrivateData          it may not be given to whoever would get it
│   ├── ConsentRefused       the person has said no to a scope that it needs
│   ├── ActionRefused        a consent that was refused, or a checkpoint that blocks, forbids it
│   ├── ApprovalNeeded       nobody has allowed it: a person is asked first
│   ├── TransformFailed      a context could not be made ready for the next agent
│   ├── OutputTooLarge       it gave more than anybody can use
│   ├── MalformedOutput      it worked, but what it gave is not what it promises
│   ├── ToolCrashed          it broke down while it worked: whether it changed something is unknown
│   ├── AddressNotAllowed    a host that is not on the list, or an address nobody may call
│   ├── ToolAway             it cannot be reached, or rests because it broke down time after time
│   ├── ToolChanged          it is not what was confirmed; a person looks at it first
│   ├── ResourceBusy         nothing that could do the step has a place free
│   ├── ResourceUnavailable  nothing that could do the step may be given it
│   └── ToolTimeout
├── ModelError               the next model, then the rule-based twin, takes over
│   ├── ModelUnavailable     connection, time-out, 5xx, rate limit after retries, bad key
│   ├── ModelRefused
│   └── MalformedAnswer      the answer did not fit the schema after bounded repair
├── StorageError             the operator acts
│   ├── StorageAway          a server that keeps the memory cannot be reached now; what can wait is queued on disk
│   │   └── EncoderAway      texts cannot be turned into vectors now; nothing is recalled meanwhile
│   ├── StorageRefused       the server refuses this one write, and would again
│   ├── StorageBusy          another process owns the data folder; names it
│   ├── StorageCorrupt
│   ├── SchemaTooNew         a later release has changed the database
│   ├── SchemaInUse          workers need the database as it is
│   └── StorageFull
├── ServiceError             a service failed, or does not answer as it should; has the status
│   └── ServiceAway          it cannot be reached, or will not answer now
├── ConsentNeeded            a person is asked: work came to data or a tool that nobody has agreed to
├── EffectUnknown            a person looks: an external effect began, and nobody knows whether it happened
├── EffectUndone             an external effect was taken back; only a new run can have it again
├── RunFenced                nobody acts: another process goes on with the run, and this one wrote nothing
└── LimitReached             a named bound ended the run; what was done is kept
"""

from domain.errors.access import (
    AccessError,
    Forbidden,
    IdentityMissing,
    InvalidMember,
    InvalidRequest,
    IssuerAway,
    KeyReused,
    RequestTooLarge,
    RequestTooSlow,
    TooManyRequests,
    Unauthenticated,
    UnknownKey,
)
from domain.errors.base import (
    ConsentNeeded,
    EffectUndone,
    EffectUnknown,
    LimitReached,
    PlanError,
    RunFenced,
    UnderstudyError,
)
from domain.errors.models import (
    MalformedAnswer,
    ModelError,
    ModelRefused,
    ModelUnavailable,
)
from domain.errors.service import (
    InsecureAddress,
    NotServed,
    ServiceAway,
    ServiceError,
)
from domain.errors.storage import (
    EncoderAway,
    SchemaInUse,
    SchemaTooNew,
    StorageAway,
    StorageBusy,
    StorageCorrupt,
    StorageError,
    StorageFull,
    StorageRefused,
)
from domain.errors.tools import (
    ActionRefused,
    AddressNotAllowed,
    ApprovalNeeded,
    ConsentRefused,
    ConstraintViolated,
    InvalidArguments,
    MalformedOutput,
    OutputTooLarge,
    PathNotAllowed,
    PrivateData,
    QueryNotAllowed,
    ResourceBusy,
    ResourceUnavailable,
    ToolAway,
    ToolChanged,
    ToolCrashed,
    ToolError,
    ToolRefused,
    ToolTimeout,
    TransformFailed,
)
from domain.errors.user import (
    ForeignRecords,
    InvalidBackup,
    InvalidCheckpoint,
    InvalidConsent,
    InvalidDecision,
    InvalidFeedback,
    InvalidGoal,
    InvalidImport,
    InvalidPlugin,
    InvalidProfile,
    InvalidRule,
    InvalidSettings,
    InvalidState,
    InvalidTeamFile,
    InvalidTool,
    InvalidTrial,
    InvalidWorkspace,
    MissingExtra,
    NotAnApprover,
    NothingPending,
    PublicAddress,
    QuestionClosed,
    StaleApproval,
    UnknownAgent,
    UnknownCheckpoint,
    UnknownFolder,
    UnknownGoal,
    UnknownQuestion,
    UnknownRule,
    UnknownRun,
    UnknownTask,
    UnknownTeam,
    UnknownThread,
    UnknownTrial,
    UserError,
)

__all__ = [
    "AccessError",
    "ActionRefused",
    "AddressNotAllowed",
    "ApprovalNeeded",
    "ConsentNeeded",
    "ConsentRefused",
    "ConstraintViolated",
    "EffectUndone",
    "EffectUnknown",
    "EncoderAway",
    "Forbidden",
    "ForeignRecords",
    "IdentityMissing",
    "InsecureAddress",
    "InvalidArguments",
    "InvalidBackup",
    "InvalidCheckpoint",
    "InvalidConsent",
    "InvalidDecision",
    "InvalidFeedback",
    "InvalidGoal",
    "InvalidImport",
    "InvalidMember",
    "InvalidProfile",
    "InvalidRequest",
    "InvalidRule",
    "InvalidPlugin",
    "InvalidSettings",
    "InvalidState",
    "InvalidTeamFile",
    "InvalidTool",
    "InvalidTrial",
    "InvalidWorkspace",
    "IssuerAway",
    "KeyReused",
    "LimitReached",
    "MalformedAnswer",
    "MalformedOutput",
    "MissingExtra",
    "ModelError",
    "ModelRefused",
    "ModelUnavailable",
    "NotAnApprover",
    "NotServed",
    "NothingPending",
    "OutputTooLarge",
    "PathNotAllowed",
    "PlanError",
    "PrivateData",
    "PublicAddress",
    "QueryNotAllowed",
    "QuestionClosed",
    "RequestTooLarge",
    "RequestTooSlow",
    "ResourceBusy",
    "ResourceUnavailable",
    "RunFenced",
    "ServiceAway",
    "ServiceError",
    "SchemaInUse",
    "SchemaTooNew",
    "StaleApproval",
    "StorageAway",
    "StorageBusy",
    "StorageCorrupt",
    "StorageError",
    "StorageFull",
    "StorageRefused",
    "TooManyRequests",
    "ToolAway",
    "ToolChanged",
    "ToolCrashed",
    "ToolError",
    "ToolRefused",
    "ToolTimeout",
    "TransformFailed",
    "Unauthenticated",
    "UnderstudyError",
    "UnknownAgent",
    "UnknownCheckpoint",
    "UnknownFolder",
    "UnknownGoal",
    "UnknownKey",
    "UnknownQuestion",
    "UnknownRule",
    "UnknownRun",
    "UnknownTask",
    "UnknownTeam",
    "UnknownThread",
    "UnknownTrial",
    "UserError",
]
