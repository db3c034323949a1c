#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# guest_clock.sh SECONDS: does a guest's clock go as fast as the host's? One guest whose
# clock is the TSC, and one whose clock is the ACPI timer, which turns over every few
# seconds and goes on only as long as the periodic interrupt of the local APIC comes. Not
# one in a thousand may be amiss. Both run at once. Prints TAP. For a host with --guest-all;
# the node is KSVM_DEV.
seconds=$1
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/selftests/guest_lib.sh
. "$here/guest_lib.sh"

# clock_guest OPTION...: a guest that answers on its second serial port.
clock_guest()
{
	export LAB_GUEST_QEMU=10.0 LAB_GUEST_MACHINE=pc LAB_GUEST_IRQCHIP=on
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
shared=$work
{
	echo "TAP version 13"
	echo "1..2"
	for work in "$shared/tsc" "$shared/acpi_pm"; do
		mkdir "$work"
		ln -s "$shared/initrd" "$work/initrd"
	done
	work=$shared/tsc
	# shellcheck disable=SC2046
	clock 2 tsc clocksource=tsc $(guest_tsc) >"$work/tap" &
	work=$shared/acpi_pm
	clock 1 acpi_pm no-kvmclock clocksource=acpi_pm lapic=notscdeadline highres=off nohz=off
	work=$shared
	wait
	cat "$shared/tsc/tap"
} >"$work/tap"
sed -E '/^(TAP|1\.\.|ok|not ok)/!s/^/# /' "$work/tap"
! grep -q '^not ok' "$work/tap"
