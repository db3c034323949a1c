#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# boot_guest.sh COUNT: boot Linux in Debian's QEMU COUNT times in a row, from
# SeaBIOS to user space and to its power-off. For a host with --guest --module
# --link-kvm.
count=${1:-1}
failed=0
export LAB_GUEST_APPEND='quiet lab.greet'

# What the guest says when it is up, and that it came to its end by itself.
said()
{
	grep -q "$1" /tmp/guest.log && return
	echo "# the guest did not say: $1"
	return 1
}

echo "TAP version 13"
echo "1..$count"
for i in $(seq "$count"); do
	lab-guest </dev/null >/tmp/guest.log 2>/tmp/qemu.log
	if said '^Linux guest ' && said '^hypervisor signature: KVMKVMKVM' &&
	   said '^guest: powering off'; then
		echo "ok $i boot"
	else
		sed 's/^/# /' /tmp/guest.log /tmp/qemu.log
		echo "not ok $i boot"
		failed=1
	fi
done
exit "$failed"
