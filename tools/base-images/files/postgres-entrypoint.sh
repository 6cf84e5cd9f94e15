#!/bin/bash
# Stands in for the entrypoint of the official postgres image: the same variables, folders and signals.
set -Eeuo pipefail

[ $# -gt 0 ] || set -- postgres
[ "${1:0:1}" != - ] || set -- postgres "$@"

# A secret may come as NAME or, from a file, as NAME_FILE.
from_file() {
  local file_variable=${1}_FILE
  local file=${!file_variable:-}
  if [ -n "$file" ]; then export "$1=$(<"$file")"; fi
}

initialise() {
  local user=${POSTGRES_USER:-postgres} method=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}
  local database=${POSTGRES_DB:-$user} password=${POSTGRES_PASSWORD:-}
  if [ -z "$password" ] && [ "$method" != trust ]; then
    echo "Error: database is uninitialized and POSTGRES_PASSWORD is not set (or set POSTGRES_HOST_AUTH_METHOD=trust)." >&2
    exit 1
  fi
  # Fails here when the folder cannot be read, rather than skip its scripts.
  ls /docker-entrypoint-initdb.d/ >/dev/null
  # shellcheck disable=SC2086 # several arguments in one variable, as in the official image
  initdb --username="$user" --pwfile=<(printf '%s\n' "$password") ${POSTGRES_INITDB_ARGS:-}
  printf '\nhost all all all %s\n' "$method" >>"$PGDATA/pg_hba.conf"
  echo "listen_addresses = '*'" >>"$PGDATA/postgresql.conf"
  # Nobody can reach it by network before it is ready for them.
  pg_ctl -o "-c listen_addresses=''" -w start
  export PGUSER=$user PGPASSWORD=$password PGDATABASE=$database
  [ "$database" = postgres ] || psql -v ON_ERROR_STOP=1 -v name="$database" -d postgres <<<'CREATE DATABASE :"name";'
  run_scripts
  pg_ctl -m fast -w stop
  unset PGUSER PGPASSWORD PGDATABASE
  echo 'PostgreSQL init process complete; ready for start up.'
}

run_scripts() {
  local file
  for file in /docker-entrypoint-initdb.d/*; do
    case $file in
      *.sh) if [ -x "$file" ]; then "$file"; else . "$file"; fi ;;
      *.sql) psql -v ON_ERROR_STOP=1 --no-psqlrc -f "$file" ;;
      *.sql.gz) gunzip -c "$file" | psql -v ON_ERROR_STOP=1 --no-psqlrc ;;
    esac
  done
}

if [ "$1" = postgres ]; then
  if [ "$(id -u)" = 0 ]; then
    mkdir -p "$PGDATA" /var/run/postgresql
    chown postgres:postgres "$PGDATA" /var/run/postgresql
    chmod 700 "$PGDATA"
    exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
  fi
  for name in POSTGRES_PASSWORD POSTGRES_USER POSTGRES_DB; do from_file "$name"; done
  [ -s "$PGDATA/PG_VERSION" ] || initialise
fi

exec "$@"
