# shellcheck shell=bash
# A redis-server of one's own, for scripts that source this: on a free port of 127.0.0.1, working in a given folder, and
# gone when it is stopped.
#
# redis_server_start FOLDER [PREFIX… --] [ARG…]: sets redis_pid and redis_port. PREFIX is a command to run it under
# (taskset -c 0 --). Returns 1, the server's log on stderr, if it does not start.
# redis_server_stop: ends it; no-op when none runs.
redis_pid=
redis_port=

redis_server_start() {
	local folder=$1 log=$1/redis.log prefix=() arguments=() try
	shift
	for argument in "$@"; do
		if [ "$argument" = -- ]; then
			prefix=("${arguments[@]}")
			arguments=()
		else
			arguments+=("$argument")
		fi
	done
	for try in {1..20}; do
		redis_port=$((20000 + RANDOM % 10000))
		rm -f "$log"
		"${prefix[@]}" redis-server --port "$redis_port" --bind 127.0.0.1 --dir "$folder" --save '' --appendonly no \
			--logfile "$log" "${arguments[@]}" </dev/null >/dev/null 2>&1 &
		redis_pid=$!
		for _ in {1..200}; do
			# Another server may have the port: it has to be this one that answers.
			if redis-cli -p "$redis_port" INFO server 2>/dev/null | tr -d '\r' | grep -qx "process_id:$redis_pid"; then
				return 0
			fi
			kill -0 "$redis_pid" 2>/dev/null || break
			sleep 0.05
		done
		redis_server_stop
		if [ "$try" -eq 20 ] || ! grep -q 'Address already in use' "$log" 2>/dev/null; then break; fi
	done
	cat "$log" >&2
	return 1
}

redis_server_stop() {
	[ -n "$redis_pid" ] || return 0
	kill "$redis_pid" 2>/dev/null || true
	wait "$redis_pid" 2>/dev/null || true # its status is of no interest
	redis_pid=
}
