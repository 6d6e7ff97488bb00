#!/bin/sh
# redis.sh start CONFIG URL_FILE: becomes the server; redis.sh ping URL_FILE: exit 0 when it answers.
# The password comes out of the broker's URL and never stands among the arguments of a process.
set -eu

part() {
    sed -nE "s#^redis://:([A-Za-z0-9._~-]+)@[^:/]+:([0-9]+)/[0-9]+\$#\\$1#p" "$2" | grep . || {
        echo "$2 is not a URL of the form redis://:password@host:port/number" >&2
        return 1
    }
}

case $1 in
    start)
        password=$(part 1 "$3")
        exec redis-server - <<CONFIG
$(cat "$2")
requirepass $password
CONFIG
        ;;
    ping)
        REDISCLI_AUTH=$(part 1 "$2")
        port=$(part 2 "$2")
        export REDISCLI_AUTH
        redis-cli -h 127.0.0.1 -p "$port" ping | grep -qx PONG
        ;;
    *)
        echo "start or ping, not $1" >&2
        exit 2
        ;;
esac
