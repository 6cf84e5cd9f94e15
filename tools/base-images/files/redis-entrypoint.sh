#!/bin/sh
# Stands in for the entrypoint of the official redis image: the same user and folder, and others may connect.
set -e

[ $# -gt 0 ] || set -- redis-server
[ "${1#-}" = "$1" ] || set -- redis-server "$@"

if [ "$1" = redis-server ]; then
  if [ "$(id -u)" = 0 ]; then
    find . ! -user redis -exec chown redis {} +
    exec setpriv --reuid=redis --regid=redis --clear-groups "$0" "$@"
  fi
  umask 0077
  set -- "$@" --protected-mode no
fi

exec "$@"
