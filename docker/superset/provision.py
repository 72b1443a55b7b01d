"""Makes an empty or older Superset ready: database schema, roles, the admin user, the bundle, the visitors' right to look.

Run with SUPERSET_CONFIG_PATH set: `provision.py BUNDLE_FOLDER`. The admin's password comes from
SUPERSET_ADMIN_PASSWORD; an existing admin gets it too, and keeps the old one where the variable is empty. One process
instead of Superset's five commands, each of which spends its first six seconds on imports. It may run again at
any time: what the bundle holds is overwritten, what was added by hand stays.
"""

import json
import os
import sys
from pathlib import Path

import yaml
from superset.app import create_app

# Superset accepts this one type for a bundle that overwrites all it holds.
METADATA = "version: 1.0.0\ntype: assets\ntimestamp: '2026-01-01T00:00:00+00:00'\n"


# Where a value is read by people. `name` is one only in a filter, which has a `filterType` beside it.
READ = {
    "dashboard_title", "slice_name", "sliceName", "text", "code", "description", "subtitle", "verbose_name",
    "x_axis_title", "y_axis_title",
}  # fmt: skip


def translated(part: object, words: dict[str, str]) -> object:
    """The same with what people read in another language; what has no translation stays as it is."""
    if isinstance(part, list):
        return [translated(each, words) for each in part]
    if not isinstance(part, dict):
        return part
    read = READ | ({"name"} if "filterType" in part else set())
    made = {key: words.get(value, value) if key in read else translated(value, words) for key, value in part.items()}
    if isinstance(made.get("css"), str):
        for name, word in words.items():
            made["css"] = made["css"].replace(f'chart-name="{name}"', f'chart-name="{word}"')
    return made


def step(number: int, words: str) -> None:
    """What `docker/native/stack` shows while it waits."""
    print(f"step {number} of 5: {words}", flush=True)


def main(bundle: Path) -> None:
    app = create_app()
    with app.app_context():
        from flask import g
        from flask_migrate import upgrade
        from superset import appbuilder, db, security_manager
        from superset.commands.importers.v1.assets import ImportAssetsCommand
        from superset.models.dashboard import Dashboard

        step(2, "the tables of its database")
        upgrade()
        step(3, "roles and what they may do")
        appbuilder.add_permissions(update_perms=True)
        security_manager.sync_role_definitions()

        step(4, "the admin")
        password = os.environ.get("SUPERSET_ADMIN_PASSWORD", "")
        admin = security_manager.find_user(username="admin")
        if admin is None:
            if not password:
                sys.exit("SUPERSET_ADMIN_PASSWORD is empty and there is no admin yet")
            role = security_manager.find_role("Admin")
            admin = security_manager.add_user("admin", "Admin", "", "admin@localhost", role, password)
        elif password:
            security_manager.reset_password(admin.id, password)

        step(5, "the dashboards")
        g.user = admin
        contents = {str(path.relative_to(bundle)): path.read_text() for path in bundle.rglob("*.yaml")}
        language = os.environ.get("SUPERSET_LANGUAGE") or "en"
        if language != "en":
            words = json.loads(Path(__file__).with_name(f"{language}.json").read_text())
            contents = {path: yaml.safe_dump(translated(yaml.safe_load(text), words)) for path, text in contents.items()}
        ImportAssetsCommand({"metadata.yaml": METADATA, **contents}).run()

        # A bundle has no key for roles. Without the second line visitors get Superset's own words in English only.
        visitors = security_manager.find_role("Public")
        security_manager.add_permission_role(visitors, security_manager.add_permission_view_menu("can_language_pack", "Superset"))
        for dashboard in db.session.query(Dashboard).all():
            if visitors not in dashboard.roles:
                dashboard.roles.append(visitors)
            print(f"dashboard {dashboard.slug}: {len(dashboard.slices)} charts")
        db.session.commit()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
