"""Give FAB's roles the permission to see the Exports pages.

Called as `python -m bulk_export_airflow.permissions [--role NAME ...]`.

FAB knows only permissions that somebody has made, and refuses the rest to everybody, Admin included. An init job runs
this after `airflow db migrate`, with the environment Airflow has; running it again changes nothing. With any other auth
manager it changes nothing and says who gets in.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pkgutil import resolve_name

from airflow.configuration import conf

# `access.PERMISSION`; not imported, because that would load the pages. A test holds both together.
PERMISSION = "Bulk Contact Export"
# Whoever has this role beside their own may read the pages; changing them takes the right to edit DAGs as well.
ROLE = "Bulk Contact Export"
# The roles that run an installation.
ROLES = ("Admin", "Op")

# Only where FAB is the auth manager is its provider sure to be installed.
APPLICATION_BUILDER = "airflow.providers.fab.auth_manager.cli_commands.utils:get_application_builder"

SIMPLE = "SimpleAuthManager asks for nothing: every role may read the Exports pages; user, op and admin may change."
OTHER = (
    f"{{manager}} keeps permissions in its own way. Reading asks it for GET on the custom view '{PERMISSION}', "
    "changing for PUT on DAGs as well."
)


def main(arguments: Sequence[str]) -> int:
    """Create and give the permission; exit code 2 for an unknown role."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--role", action="append", default=[], help="another role that may see the pages; repeatable")
    wanted = parser.parse_args(arguments).role

    manager = str(conf.get("core", "auth_manager"))
    if not manager.endswith(".FabAuthManager"):
        print(SIMPLE if manager.endswith(".SimpleAuthManager") else OTHER.format(manager=manager))
        return 0
    missing = grant([*ROLES, *wanted])
    for name in missing:
        print(f"There is no role {name}: `airflow roles list` shows those there are.", file=sys.stderr)
    return 2 if missing else 0


def grant(roles: Sequence[str]) -> list[str]:
    """Create permission and role, give it; return names without a role."""
    missing = []
    with resolve_name(APPLICATION_BUILDER)() as builder:
        manager = builder.sm
        permission = manager.create_permission("can_read", PERMISSION)
        own = manager.add_role(ROLE)
        # Without it FAB leaves what plugins add out of the navigation.
        manager.add_permission_to_role(own, manager.create_permission("can_read", "Plugins"))
        for name in (ROLE, *roles):
            role = manager.find_role(name)
            if role is None:
                missing.append(name)
                continue
            manager.add_permission_to_role(role, permission)
            print(f"{name}: can read on {PERMISSION}")
    return missing


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
