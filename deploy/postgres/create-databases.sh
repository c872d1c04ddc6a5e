#!/bin/sh
# Gives Airflow and MLflow a database and a role each on the one PostgreSQL server, so that neither can
# read the other's tables. The postgres image runs this once, when its volume is empty.
set -eu
secrets="${SECRETS:-/run/secrets}"

create() { # name, password
    psql --username "$POSTGRES_USER" --dbname postgres --set ON_ERROR_STOP=1 --set name="$1" --set password="$2" <<'SQL'
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name";
REVOKE CONNECT ON DATABASE :"name" FROM PUBLIC;
SQL
}

create airflow "$(cat "$secrets/airflow_database_password")"
create mlflow "$(cat "$secrets/mlflow_database_password")"
