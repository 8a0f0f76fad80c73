# How the tests of scripts print TAP; sourced, not run, with $work a folder of the test's own.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # failed is read, work is set by the test

failed=0
# check NAME COMMAND…: one test; what it printed is shown when it fails, and the file $also_shown, where that is set.
check() {
	local name=$1
	shift
	if "$@" >"$work/output" 2>&1; then
		echo "ok - $name"
	else
		echo "not ok - $name"
		sed 's/^/# /' "$work/output" ${also_shown:+"$also_shown"}
		failed=1
	fi
}
