#!/usr/bin/env bash
# Installs what is missing of the packages that building, running or testing needs, by apt, through sudo if not root.
# usage: install_packages.sh build|bench|test|check
#   build: compile and run the benchmark    bench: build + what `make bench-self` compares with
#   test: build + what `make test` needs    check: test + clang's tools for CI
set -euo pipefail

build_packages=(gcc libc6-dev make git redis-server redis-tools libhiredis-dev libhttp-parser-dev libnghttp2-dev
	libcurl4-openssl-dev libgrpc-dev libmicrohttpd-dev libdnnl-dev libprotobuf-c-dev protobuf-c-compiler libjansson-dev
	libssl-dev zlib1g-dev libjpeg62-turbo-dev libpng-dev python3 procps util-linux)
bench_packages=(nginx-light wrk nghttp2-client curl)
test_packages=(libcmocka-dev openssl)
check_packages=(clang clang-format clang-tidy libclang-rt-14-dev llvm shellcheck)

case "${1:-}" in
build) wanted=("${build_packages[@]}") ;;
bench) wanted=("${build_packages[@]}" "${bench_packages[@]}") ;;
test) wanted=("${build_packages[@]}" "${test_packages[@]}") ;;
check) wanted=("${build_packages[@]}" "${test_packages[@]}" "${check_packages[@]}") ;;
*)
	echo "usage: install_packages.sh build|bench|test|check" >&2
	exit 2
	;;
esac

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
	# Nothing to ask on another system: go on if the compiler finds everything, else name the libraries.
	headers=(stdio.h stdint.h stddef.h stdarg.h setjmp.h hiredis/hiredis.h dnnl.h google/protobuf-c/protobuf-c.h microhttpd.h
		jansson.h openssl/ssl.h zlib.h png.h jpeglib.h http_parser.h nghttp2/nghttp2.h curl/curl.h grpc/grpc.h)
	[ "$1" = build ] || headers+=(cmocka.h)
	if printf '#include <%s>\n' "${headers[@]}" | "${CC:-gcc}" -E -x c - >/dev/null 2>&1 &&
		command -v redis-server protoc-c >/dev/null; then
		exit 0
	fi
	echo "aibench: no apt here; please install gcc, make, redis-server, protoc-c and the development files of" \
		"hiredis, http-parser, nghttp2, libcurl, the gRPC C core, libmicrohttpd, oneDNN 2.x, protobuf-c, jansson, OpenSSL 3," \
		"zlib, libjpeg-turbo, libpng (and cmocka for make test)" >&2
	exit 1
fi

missing=()
for package in "${wanted[@]}"; do
	state=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true)
	[ "$state" = "install ok installed" ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
	if ! command -v sudo >/dev/null; then
		echo "aibench: not root and no sudo; as root, please run: apt-get install ${missing[*]}" >&2
		exit 1
	fi
	as_root=(sudo)
fi
echo "Installing from Debian's packages: ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install() {
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"
}
# The package lists of a fresh machine may be missing or old: one update, then again. Debian starts a redis-server on
# port 6379 after installing it; we use our own on a free port, so that one is kept from starting.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
	printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
	"${as_root[@]}" chmod 755 "$policy"
	trap 'rm -f "$log"; "${as_root[@]}" rm -f "$policy"' EXIT
fi
if ! install >"$log" 2>&1; then
	"${as_root[@]}" apt-get update >>"$log" 2>&1 || true
	if ! install >>"$log" 2>&1; then
		tail -20 "$log" >&2
		echo "aibench: apt could not install: ${missing[*]}" >&2
		exit 1
	fi
fi
