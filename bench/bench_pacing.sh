# The section "pacing" of bench_self.sh, which sources it: does the generator keep its schedule, and as punctually as a
# bare loop that does nothing but wait?
# Variables: PACING_SECONDS (30) of each run for its rate, PACING_TURN (3) seconds of each of RUNS turns for its lateness,
# PACING_RATES (101 997 12345), beside which half of each driver's maximum is taken.
# shellcheck shell=bash disable=SC2154 # bench_self.sh has set bin, runs, requests, work, redis_port, client_core

pacing_loop=${BUILD:-build/release}/bench/bench_pacing
pacing_seconds=${PACING_SECONDS:-30}
pacing_turn=${PACING_TURN:-3}

json_number() { sed -n "s/^ *\"$1\": \([0-9.e+-]*\),*$/\1/p" "$work/pacing.json" | head -1; }

paced() { # PROGRAM SECONDS OPTION…: an open-loop run, its result in $work/pacing.json
	local program=$1 seconds=$2 server=()
	shift 2
	[ "$program" = null ] || server=(-host 127.0.0.1 -port "$redis_port")
	timed "$bin/aibench_run_inference_$program" "${server[@]}" -file "$work/fraud.dat" -repeat -workers 64 -threads 1 \
		-seed 1 -duration "${seconds}s" -network-baseline=false -json-out-file "$work/pacing.json" \
		-output-file-stats-hdr-response-latency-hist '' "$@"
}

lag_q99() { # of $work/pacing.json: the send lag's, nanoseconds
	sed -n '/"SendLag": {/,/}/s/^ *"q99": \([0-9]*\),*$/\1/p' "$work/pacing.json"
}

# How far the answered inferences a second are from those of the schedule, in percent.
pacing_error() { # PROGRAM PROCESS RATE
	local expected seconds
	paced "$1" "$pacing_seconds" -arrival "$2" -rate "$3"
	expected=$("$pacing_loop" count "$2" "$3" "$pacing_seconds" 1)
	seconds=$(json_number MeasuredSeconds)
	awk -v n="$(json_number MeasuredInferences)" -v t="$seconds" -v e="$expected" -v s="$pacing_seconds" \
		'BEGIN {printf "%+.4f", 100 * (n / t / (e / s) - 1)}'
}

pacing_lateness() { # PROGRAM RATE sleep|spin: both q99 in microseconds and their ratio
	local i a b spin=()
	[ "$3" = sleep ] || spin=(-spin)
	rm -f "$work"/{a,b}_lag
	for ((i = 0; i < runs; i++)); do
		timed "$pacing_loop" "$3" constant "$2" "$pacing_turn" 1
		cut -d' ' -f3 "$work/out" >>"$work/b_lag"
		paced "$1" "$pacing_turn" -arrival constant -rate "$2" "${spin[@]}"
		lag_q99 >>"$work/a_lag"
	done
	a=$(median <"$work/a_lag") b=$(median <"$work/b_lag")
	awk -v a="$a" -v b="$b" 'BEGIN {printf "%.1f to %.1f us, ratio %.2f", a / 1e3, b / 1e3, a / b}'
}

pacing_maximum() { # PROGRAM: inferences/s of a closed loop, halved
	paced "$1" "$pacing_turn"
	awk -v r="$(json_number AchievedRate)" 'BEGIN {printf "%d", r / 2}'
}

if wanted pacing; then
	echo "== Pacing: rate over ${pacing_seconds} s against the schedule's (target 0.05 %), q99 of the send lag against a bare loop's (target 1.2)"
	start_server
	for program in null redis_set; do
		for rate in ${PACING_RATES:-101 997 12345} "$(pacing_maximum "$program")"; do
			printf '%s, %s/s: constant off by %s %%, poisson by %s %%; ' "$program" "$rate" \
				"$(pacing_error "$program" constant "$rate")" "$(pacing_error "$program" poisson "$rate")"
			printf 'lag sleeping %s; spinning %s\n' "$(pacing_lateness "$program" "$rate" sleep)" \
				"$(pacing_lateness "$program" "$rate" spin)"
		done
	done
	redis_server_stop
fi
