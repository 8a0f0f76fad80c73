# shellcheck shell=bash
# The bundled model server, for scripts that source this: on free ports of 127.0.0.1, and gone when it is stopped.
#
# model_server_start FOLDER PROGRAM [ARG…]: sets model_server_pid, grpc_port and http_port; its log is FOLDER/model_server.log.
# Returns 1, the log on stderr, if it does not start.
# model_server_stop: ends it; no-op when none runs.
model_server_pid=
grpc_port=
http_port=

model_server_start() {
	local log=$1/model_server.log program=$2
	shift 2
	"$program" -grpc-port 0 -http-port 0 "$@" </dev/null >"$log" 2>&1 &
	model_server_pid=$!
	for _ in {1..400}; do
		grpc_port=$(sed -n 's/^listening on grpc .*:\([0-9]*\)$/\1/p' "$log")
		http_port=$(sed -n 's/^listening on http .*:\([0-9]*\)$/\1/p' "$log")
		if [ -n "$grpc_port" ] && [ -n "$http_port" ]; then return 0; fi
		kill -0 "$model_server_pid" 2>/dev/null || break
		sleep 0.05
	done
	model_server_stop
	cat "$log" >&2
	return 1
}

model_server_stop() {
	[ -n "$model_server_pid" ] || return 0
	kill "$model_server_pid" 2>/dev/null || true
	wait "$model_server_pid" 2>/dev/null || true # its status is of no interest
	model_server_pid=
}
