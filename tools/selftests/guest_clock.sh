#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# guest_clock.sh SECONDS: does a guest's clock go as fast as the host's? One guest whose
# clock is the TSC, and one that counts the interrupts of the PIT, each of which it has to
# get. Not one in a thousand may be amiss. Prints TAP. For a host with --guest-all; the
# node is KSVM_DEV.
seconds=$1
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/selftests/guest_lib.sh
. "$here/guest_lib.sh"

# clock_guest OPTION...: a guest that answers on its second serial port.
clock_guest()
{
	export LAB_GUEST_QEMU=10.0 LAB_GUEST_MACHINE=pc,hpet=off LAB_GUEST_IRQCHIP=on
	export LAB_GUEST_APPEND="quiet lab.test=clock $*"
	rm -f "$work/port"
	boot_guest $((120 + 3 * seconds)) -serial "unix:$work/port,server=on,wait=on" &
	tries=0
	while [ ! -S "$work/port" ]; do
		tries=$((tries + 1))
		[ $tries -lt 100 ] || return
		sleep 0.1
	done
}

# clock NUMBER NAME OPTION...: a guest with this clock.
clock()
{
	number=$1 name=$2
	shift 2
	failed=0
	clock_guest "$@"
	"$here/clock_drift" "$work/port" "$seconds" 1000 || fail "$name differs by more than 0.1 %"
	wait $! || fail "QEMU ended with status $?"
	said "clocksource: $name"
	said 'check clock: ok'
	show_failure
	[ $failed -eq 0 ] || printf 'not '
	echo "ok $number the guest's clock $name"
}

make_initrd
{
	echo "TAP version 13"
	echo "1..2"
	clock 1 tsc clocksource=tsc tsc=reliable
	clock 2 refined-jiffies no-kvmclock clocksource=refined-jiffies nolapic highres=off nohz=off
} >"$work/tap"
sed -E '/^(TAP|1\.\.|ok|not ok)/!s/^/# /' "$work/tap"
! grep -q '^not ok' "$work/tap"
