#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Run selftest programs and print one KTAP document, each program a test of its
# own with its cases below it. Usage: run_tests.sh [program...]
# Status: 0 passed, 1 failed, 4 nothing could be run.

limit=$((${SELFTEST_TIMEOUT:-120} * ${LAB_SLOWNESS:-1}))
here=$(dirname "$0")
if [ $# -eq 0 ]; then
	for f in "$here"/*_test; do
		[ -x "$f" ] && [ -f "$f" ] && set -- "$@" "$f"
	done
fi
if [ $# -eq 0 ]; then
	echo "1..0 # SKIP no programs in $here"
	exit 4
fi

exec 4>&1
number=0 passed=0 failed=0 skipped=0
echo "TAP version 13"
echo "1..$#"
for program; do
	number=$((number + 1))
	name=$(basename "$program")
	echo "# $name"
	# The status travels beside the pipe: a plain sh has no pipefail.
	status=$({ { timeout "$limit" "$program" 2>&1; echo $? >&3; } |
		sed 's/^/    /' >&4; } 3>&1)
	case $status in
	0)
		passed=$((passed + 1))
		echo "ok $number $name"
		;;
	4)
		skipped=$((skipped + 1))
		echo "ok $number $name # SKIP"
		;;
	*)
		failed=$((failed + 1))
		echo "not ok $number $name # exit=$status"
		;;
	esac
done
echo "# passed $passed, failed $failed, skipped $skipped"
[ "$failed" -eq 0 ] || exit 1
[ "$passed" -gt 0 ] || exit 4
