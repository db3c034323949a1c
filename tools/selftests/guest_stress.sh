#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# guest_stress.sh SECONDS: a guest with 4 processors whose tasks wake each other for so
# many seconds, watched for one that is left asleep (guest/stress.c). For a host with
# --guest-all; the node is KSVM_DEV.
seconds=$1
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/selftests/guest_lib.sh
. "$here/guest_lib.sh"

make_initrd
export LAB_GUEST_QEMU=10.0 LAB_GUEST_IRQCHIP=on LAB_GUEST_SMP=4 LAB_GUEST_CPU=host
LAB_GUEST_APPEND="quiet$(guest_tsc) lab.test=stress lab.seconds=$seconds"
export LAB_GUEST_APPEND="$LAB_GUEST_APPEND lab.limit=$((5 * slowness))"
boot_guest $((240 + 2 * seconds)) || fail "QEMU ended with status $?"
said 'check stress: ok'
said 'guest: powering off'
grep -ao 'check stress.*' "$work/guest.log"
show_failure
exit $failed
