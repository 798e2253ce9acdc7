import pickle

import pytest

from domain.errors import InvalidGoal, InvalidTeamFile, PlanError, UnderstudyError, UserError


def every(kind: type[UnderstudyError]) -> list[type[UnderstudyError]]:
    return [kind, *(leaf for child in kind.__subclasses__() for leaf in every(child))]


@pytest.mark.parametrize("error", [InvalidGoal("x"), InvalidTeamFile("t.toml", ["line 1: no"]), PlanError(["cycle"])])
def test_errors_survive_pickling(error: UnderstudyError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), copy.__dict__) == (type(error), str(error), error.__dict__)


def test_codes_are_unique_and_user_errors_are_known_as_such() -> None:
    kinds = [kind for kind in every(UnderstudyError) if kind.__module__ == "domain.errors"]
    codes = [kind.code for kind in kinds]
    assert len(set(codes)) == len(codes)
    assert issubclass(InvalidTeamFile, UserError)
