"""Makes an empty or older Superset ready: database schema, roles, the admin user, the bundle, the visitors' right to look.

Run with SUPERSET_CONFIG_PATH set: `provision.py BUNDLE_FOLDER`. The admin's password comes from
SUPERSET_ADMIN_PASSWORD; an existing admin gets it too, and keeps the old one where the variable is empty. One process
instead of Superset's five commands, each of which spends its first six seconds on imports. It may run again at
any time: what the bundle holds is overwritten, what was added by hand stays.
"""

import os
import sys
from pathlib import Path

from superset.app import create_app

# Superset accepts this one type for a bundle that overwrites all it holds.
METADATA = "version: 1.0.0\ntype: assets\ntimestamp: '2026-01-01T00:00:00+00:00'\n"


def main(bundle: Path) -> None:
    app = create_app()
    with app.app_context():
        from flask import g
        from flask_migrate import upgrade
        from superset import appbuilder, db, security_manager
        from superset.commands.importers.v1.assets import ImportAssetsCommand
        from superset.models.dashboard import Dashboard

        upgrade()
        appbuilder.add_permissions(update_perms=True)
        security_manager.sync_role_definitions()

        password = os.environ.get("SUPERSET_ADMIN_PASSWORD", "")
        admin = security_manager.find_user(username="admin")
        if admin is None:
            if not password:
                sys.exit("SUPERSET_ADMIN_PASSWORD is empty and there is no admin yet")
            role = security_manager.find_role("Admin")
            admin = security_manager.add_user("admin", "Admin", "", "admin@localhost", role, password)
        elif password:
            security_manager.reset_password(admin.id, password)

        g.user = admin
        contents = {str(path.relative_to(bundle)): path.read_text() for path in bundle.rglob("*.yaml")}
        ImportAssetsCommand({"metadata.yaml": METADATA, **contents}).run()

        # A bundle has no key for roles.
        visitors = security_manager.find_role("Public")
        for dashboard in db.session.query(Dashboard).all():
            if visitors not in dashboard.roles:
                dashboard.roles.append(visitors)
            print(f"dashboard {dashboard.slug}: {len(dashboard.slices)} charts")
        db.session.commit()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
