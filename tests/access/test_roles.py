"""Roles: each includes those before it."""

import pytest

from service.access.roles import Role, needs


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("needed", Role)
def test_role_may_what_lesser_roles_may(role: Role, needed: Role) -> None:
    order = ["viewer", "submitter", "admin"]
    assert role.may(needed) is (order.index(role) >= order.index(needed))


def test_needs_declares_roles_at_the_function() -> None:
    @needs(Role.SUBMITTER, dry_run=Role.VIEWER)
    def submit() -> None: ...

    assert vars(submit) == {"role": Role.SUBMITTER, "dry_run_role": Role.VIEWER}
