"""Superset's settings for one machine: SQLite, no Redis, no Celery; anyone who reaches the port may look."""

import os

HOME = os.environ["SUPERSET_HOME"]
SECRET_KEY = os.environ["SUPERSET_SECRET_KEY"]
SQLALCHEMY_DATABASE_URI = f"sqlite:///{HOME}/superset.db?check_same_thread=false"

# The built-in minimal role for visitors without a login, and dashboards that name the roles that see them.
PUBLIC_ROLE_LIKE = "Public"
FEATURE_FLAGS = {"DASHBOARD_RBAC": True}

# No data cache (the default): each refresh asks Druid.
