# shellcheck shell=bash disable=SC2154,SC2034 # bench_self.sh sources this: bin, work, runs, requests, the cores, timed, median, ratio; rate
# The sections "http", "grpc", "server", "server-vision" and "large" of bench_self.sh, which sources it: HTTP and gRPC, client
# and model server, to their peers. What needs a peer's package (nginx-light, wrk, nghttp2-client) is left out without it.

benches=${BUILD:-build/release}/bench

# up LOG COMMAND…: waits until the COMMAND succeeds, ten seconds at the most, while the last server that was started lives.
up() {
	local log=$1
	shift
	for _ in {1..200}; do
		sleep 0.05
		kill -0 "${serving_pids[-1]}" 2>/dev/null || break
		! "$@" || return 0
	done
	cat "$log" >&2
	echo "bench-self: a server did not start (its log is above)" >&2
	exit 1
}

# Servers on server_core; each sets its address.
nginx_start() { # a constant for every request
	nginx_address=127.0.0.1:$((21000 + RANDOM % 9000))
	cat >"$work/nginx.conf" <<-CONF
		daemon off; pid $work/nginx.pid; error_log $work/nginx.log; worker_processes 1;
		events { worker_connections 1024; }
		http {
			access_log off; keepalive_requests 1000000000; client_body_temp_path $work/body; proxy_temp_path $work/proxy;
			fastcgi_temp_path $work/fastcgi; uwsgi_temp_path $work/uwsgi; scgi_temp_path $work/scgi;
			server { listen $nginx_address; location / { default_type application/json; return 200 '{"outputs":[[0.5,0.5]]}'; } }
		}
	CONF
	taskset -c "$server_core" nginx -c "$work/nginx.conf" -p "$work" 2>/dev/null &
	serving_pids+=($!)
	up "$work/nginx.log" curl -s -o "$work/out" "http://$nginx_address/"
}
echo_start() {
	rm -f "$work/echo.port"
	taskset -c "$server_core" "$benches/bench_grpc_echo" >"$work/echo.port" &
	serving_pids+=($!)
	up "$work/echo.port" test -s "$work/echo.port"
	echo_address=127.0.0.1:$(cat "$work/echo.port")
}
ours_start() { # MODEL…: bin/aibench_model_server; sets grpc_address and http_address
	local log=$work/model_server.log
	rm -f "$log" && touch "$log"
	taskset -c "$server_core" "$bin/aibench_model_server" -grpc-port 0 -http-port 0 -threads 1 -io-threads 1 \
		-model "$(IFS=, && echo "$*")" >"$log" 2>&1 &
	serving_pids+=($!)
	up "$log" grep -q 'listening on http' "$log"
	grpc_address=$(sed -n 's/^listening on grpc //p' "$log")
	http_address=$(sed -n 's/^listening on http //p' "$log")
}

# Clients on client_core: each sets rate and cpu, microseconds a request.
call() { # PROTOCOL TRANSPORT ADDRESS PATH BYTES SLOTS STREAMS CALLS
	read -r rate cpu < <(taskset -c "$client_core" "$benches/bench_call" "$@")
}
wrk_post() { # ADDRESS PATH BYTES CONNECTIONS
	printf 'wrk.method = "POST"\nwrk.body = string.rep("x", %d)\n' "$3" >"$work/post.lua"
	timed wrk -t1 -c "$4" -d2s -s "$work/post.lua" "http://$1$2"
	rate=$(sed -n 's/^Requests\/sec: *//p' "$work/out")
	cpu=$(awk -v c="$cpu" -v n="$(sed -n 's/^ *\([0-9]*\) requests in .*/\1/p' "$work/out")" 'BEGIN {print c * 1e6 / n}')
}
h2load_grpc() { # ADDRESS PATH BYTES CONNECTIONS STREAMS CALLS: the message with its prefix of five bytes
	python3 -c 'import sys; n = int(sys.argv[1]); sys.stdout.buffer.write(b"\0" + n.to_bytes(4, "big") + bytes(n))' "$3" >"$work/message"
	timed h2load -t1 -c "$4" -m "$5" -n "$6" -d "$work/message" -H 'content-type: application/grpc' -H 'te: trailers' "http://$1$2"
	cpu=$(awk -v c="$cpu" -v n="$6" 'BEGIN {print c * 1e6 / n}')
}
runner() { # PROGRAM OPTION…: one of ours
	local program=$1
	shift
	timed "$bin/$program" "$@" -threads 1 -reporting-period 0s -network-baseline=false -output-file-stats-hdr-response-latency-hist ''
	rate=$(sed -n 's/.*Overall inference rate \([0-9.]*\) .*/\1/p' "$work/out")
}

# compare FIELD A B: FIELD (rate or cpu) of two commands, turn about; prints both medians and that of the turns' ratios.
compare() {
	local field=$1 i
	rm -f "$work"/{a,b}_value
	for ((i = 0; i < runs; i++)); do
		eval "$2" && echo "${!field}" >>"$work/a_value"
		eval "$3" && echo "${!field}" >>"$work/b_value"
	done
	printf '%10.1f to %10.1f, ratio %.2f\n' "$(median <"$work/a_value")" "$(median <"$work/b_value")" \
		"$(paste "$work"/{a,b}_value | awk '{print $1 / $2}' | median)"
}
have() { # COMMAND: where it is not there, the comparison is left out, and said
	command -v "$1" >/dev/null && return 0
	echo "not compared: no $1 here"
	return 1
}

if wanted http && have nginx && have wrk; then
	echo "== Client over HTTP: CPU of a POST of 1.4 KB, us, to wrk's at the same nginx (target at most 1.25)"
	nginx_start
	for w in 16 64; do
		printf '%2d connections: ' "$w"
		compare cpu "call http lean $nginx_address / 1400 $w 1 $requests" "wrk_post $nginx_address / 1400 $w"
	done
	serving_stop
fi

if wanted grpc; then
	echo "== Client over gRPC: CPU of a call of 150 bytes, us, at the same echo server on the C core"
	echo_start
	for w in 16 64; do
		printf '%2d connections, to our grpc-core transport (target at most 0.5): ' "$w"
		compare cpu "call grpc lean $echo_address /bench/Echo 150 $w 1 $((requests / 4))" \
			"call grpc grpc-core $echo_address /bench/Echo 150 $w 1 $((requests / 4))"
		have h2load || continue
		printf '%2d connections, to h2load (target at most 1.5): ' "$w"
		compare cpu "call grpc lean $echo_address /bench/Echo 150 $w 1 $((requests / 4))" \
			"h2load_grpc $echo_address /bench/Echo 150 $w 1 $((requests / 4))"
		printf '%2d streams of one connection, to h2load: ' "$w"
		compare cpu "call grpc lean $echo_address /bench/Echo 150 $w $w $((requests / 4))" \
			"h2load_grpc $echo_address /bench/Echo 150 1 $w $((requests / 4))"
	done
	serving_stop
fi

if wanted server; then
	echo "== Model server, one core of it: fraud over gRPC to the echo server on the C core (target at least 0.7), inferences/s"
	"$bin/aibench_generate_model" -model fraud-noreference -seed 1 -output-file "$work/noreference.pb"
	ours_start "financialNet_NoReference=$work/noreference.pb"
	echo_start
	compare rate "runner aibench_run_inference_triton -host $grpc_address -file $work/fraud.dat -workers 64 -max-queries $((requests / 2)) -model financialNet_NoReference" \
		"call grpc lean $echo_address /bench/Echo 190 64 1 $((requests / 2))"
	if have nginx; then
		echo "== Model server: fraud over HTTP (binary tensors, then multipart, then JSON) to nginx returning a constant (target at least 0.6)"
		nginx_start
		for options in "triton -host $http_address -protocol http -model financialNet_NoReference" "flask_tensorflow -restapi-host $http_address" \
			"torchserve -torchserve-host $http_address -torchserve-request-uri /predictions/financialNet_NoReference"; do
			compare rate "runner aibench_run_inference_$options -file $work/fraud.dat -workers 64 -max-queries $requests" \
				"call http lean $nginx_address / 400 64 1 $requests"
		done
	fi
	serving_stop
fi

if wanted server-vision; then
	echo "== Model server: MobileNet V1, 4 workers, over gRPC and HTTP to the engine alone on the server's core (target at least 0.93), images/s"
	"$bin/aibench_generate_model" -model mobilenet-v1 -seed 1 -output-file "$work/mobilenet.pb"
	"$bin/aibench_generate_data_vision" -input-val-dir synthetic -limit 160 -output-file "$work/vision.dat" >/dev/null
	ours_start "mobilenet=$work/mobilenet.pb"
	engine() {
		rate=$(taskset -c "$server_core" "$benches/bench_mobilenet" "$work/mobilenet.pb" | awk '/^batch  1:/ {print 1000 / $3}')
	}
	for options in "-host $grpc_address" "-host $http_address -protocol http"; do
		compare rate "runner aibench_run_inference_triton_vision $options -model mobilenet -file $work/vision.dat -workers 4 -burn-in 16" engine
	done
	serving_stop
fi

if wanted large; then
	echo "== Client: image tensors of 602 KB, CPU an image, us, to one writev of the same bytes (target at most 1.4)"
	# A net as narrow as can be, so that the server takes the images about as fast as the writev's reader does.
	"$bin/aibench_generate_model" -model mobilenet-v1 -width 0.02 -seed 1 -output-file "$work/narrow.pb"
	"$bin/aibench_generate_data_vision" -input-val-dir synthetic -limit 200 -output-file "$work/vision.dat" >/dev/null
	ours_start "narrow=$work/narrow.pb"
	image() {
		runner "aibench_run_inference_$1_vision" "${@:2}" -file "$work/vision.dat" -workers 1 -repeat -max-queries 1000
		cpu=$(sed -n 's/^Client: \([0-9.]*\) us of CPU.*/\1/p' "$work/out")
	}
	writev() {
		cpu=$("$benches/bench_large_tensor" | sed -n 's/^TCP:.*one writev *\([0-9.]*\) us.*/\1/p')
	}
	printf 'Triton, gRPC:             '
	compare cpu "image triton -host $grpc_address -model narrow" writev
	printf 'Triton, HTTP:             '
	compare cpu "image triton -host $http_address -protocol http -model narrow" writev
	printf 'TensorFlow Serving, gRPC: '
	compare cpu "image tensorflow_serving -tensorflow-serving-host $grpc_address -metrics-host $http_address -model narrow" writev
	serving_stop
fi
