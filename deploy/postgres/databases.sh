#!/bin/bash
# First start only: the warehouse and Airflow's metadata, each with a role of its own. Neither role is a superuser, and
# readers of the warehouse can't connect to Airflow's database. PostgreSQL 16 or newer: before, a role with CREATEROLE could
# make itself a member of any role but a superuser, such as the one that runs programs on the server.
set -euo pipefail

secrets=${SECRETS_FOLDER:-/run/secrets}

# The password within a database URL; what would need quoting is refused instead of half understood.
password_in() {
    local password
    password=$(sed -nE 's#^[a-z0-9+]+://[a-z_]+:([A-Za-z0-9._~-]+)@.*$#\1#p' "$secrets/$1")
    if [[ -z $password ]]; then
        echo "$secrets/$1 is not a database URL with a password of letters, digits and ._~-" >&2
        return 1
    fi
    printf '%s' "$password"
}

FUND_PASSWORD=$(password_in fund_database_url)
AIRFLOW_PASSWORD=$(password_in airflow_database_url)
export FUND_PASSWORD AIRFLOW_PASSWORD

psql --no-psqlrc --set=ON_ERROR_STOP=1 --username="${POSTGRES_USER:-postgres}" --dbname=postgres <<'SQL'
DO $$ BEGIN
    IF current_setting('server_version_num')::int < 160000 THEN
        RAISE EXCEPTION 'PostgreSQL 16 or newer is needed, the server is %', current_setting('server_version');
    END IF;
END $$;
\getenv fund_password FUND_PASSWORD
\getenv airflow_password AIRFLOW_PASSWORD
SET log_min_error_statement = panic; -- a statement with a password never goes to the log
CREATE ROLE merged_fund LOGIN NOSUPERUSER NOCREATEDB CREATEROLE PASSWORD :'fund_password';
CREATE ROLE airflow LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'airflow_password';
CREATE DATABASE merged_fund;
CREATE DATABASE airflow OWNER airflow;
GRANT CREATE, TEMPORARY ON DATABASE merged_fund TO merged_fund;
REVOKE CONNECT, TEMPORARY ON DATABASE airflow, postgres FROM PUBLIC;
SQL
