# The section "pacing" of bench_self.sh, which sources it: does the generator keep its schedule, and as punctually as a
# bare loop that does nothing but wait?
# Variables: PACING_SECONDS (30) of each run for its rate, PACING_TURN (3) seconds of each of RUNS turns of its lateness,
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

bare_lag() { # sleep|spin RATE WORK: the bare loop's q99 in nanoseconds into bare_q99, its CPU an arrival into bare_cpu
	timed "$pacing_loop" "$1" constant "$2" "$pacing_turn" 1 "$3"
	bare_q99=$(cut -d' ' -f3 "$work/out")
	bare_cpu=$(awk -v c="$cpu" '{printf "%d", c * 1e9 / $1}' "$work/out")
}

# How late ours is at q99, and the median of its turns' ratios to a loop that only waits, and to one that also computes for
# as long as ours works on a request: a loop that was held up, and has work to do, is late for longer.
pacing_lateness() { # PROGRAM RATE
	local i mode lag working=0 options
	local -A name=([sleep]=sleeping [spin]=spinning)
	rm -f "$work"/{sleep,spin}.{lag,bare,working}
	for ((i = 0; i < runs; i++)); do
		for mode in sleep spin; do
			options=()
			[ "$mode" = sleep ] || options=(-spin)
			paced "$1" "$pacing_turn" -arrival constant -rate "$2" "${options[@]}"
			lag=$(lag_q99)
			bare_lag "$mode" "$2" 0
			echo "$lag $bare_q99" >>"$work/$mode.bare"
			# Beside work, a spinning run's CPU is for looking at the clock.
			[ "$mode" = spin ] || working=$(json_number CPUMicrosPerInference |
				awk -v bare="$bare_cpu" '{w = $1 * 1000 - bare; printf "%d", (w > 0 ? w : 0)}')
			bare_lag "$mode" "$2" "$working"
			echo "$lag $bare_q99" >>"$work/$mode.working"
		done
	done
	for mode in sleep spin; do
		printf '; %s: %.1f us, %.2f x bare, %.2f x as busy' "${name[$mode]}" \
			"$(awk '{print $1 / 1e3}' "$work/$mode.bare" | median)" "$(awk '{print $1 / $2}' "$work/$mode.bare" | median)" \
			"$(awk '{print $1 / $2}' "$work/$mode.working" | median)"
	done
}

pacing_maximum() { # PROGRAM: inferences/s of a closed loop, halved
	paced "$1" "$pacing_turn"
	awk -v r="$(json_number AchievedRate)" 'BEGIN {printf "%d", r / 2}'
}

if wanted pacing; then
	echo "== Pacing: rate over ${pacing_seconds} s against the schedule's (target 0.05 %), q99 of the send lag against a bare loop's, and one's that works as much (target 1.2)"
	start_server
	for program in null redis_set; do
		for rate in ${PACING_RATES:-101 997 12345} "$(pacing_maximum "$program")"; do
			printf '%s, %s/s: constant off by %s %%, poisson by %s %%%s\n' "$program" "$rate" \
				"$(pacing_error "$program" constant "$rate")" "$(pacing_error "$program" poisson "$rate")" \
				"$(pacing_lateness "$program" "$rate")"
		done
	done
	redis_server_stop
fi
