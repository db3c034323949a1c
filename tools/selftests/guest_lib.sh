# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# What the scripts share that boot Linux guests to test something: a folder for the
# guest's files in work, and verdicts. Sourced with here set to the tests' folder.

slowness=${LAB_SLOWNESS:-1}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

fail()
{
	echo "failed: $*"
	failed=1
}

# The guest's initramfs, with the tests in it.
make_initrd()
{
	mkdir "$work/root"
	# shellcheck disable=SC2154
	cp -r "$here/guest" "$work/root/test"
	{
		cat /guest/initrd
		(cd "$work/root" && find . | cpio -o -H newc 2>/dev/null)
	} >"$work/initrd"
}

# guest_cpu MODEL IRQCHIP: what to ask QEMU for. With stock KVM a guest whose local APIC
# is in user space does not start with interrupt-driven asynchronous page faults.
guest_cpu()
{
	printf '%s' "$1"
	if [ "${KSVM_DEV-}" = /dev/kvm ] && [ "$2" = off ] && [ "$1" != EPYC ]; then
		printf ',kvm-asyncpf-int=off'
	fi
}

# What a guest is told of the TSC, which is the host's, so that it is its clock. There is no
# paravirtual clock, and a guest with several processors falls back to the HPET, which is
# user space's: with one processor of the host's, who reads it is held up by those who wait
# to, and they do not keep up with their own ticks.
guest_tsc()
{
	printf ' tsc=reliable %s' "$(grep -o 'tsc_early_khz=[0-9]*' /proc/cmdline)"
}

# boot_guest SECONDS OPTION...: boot what LAB_GUEST_* say, with QEMU's options. Its status;
# QEMU is killed when it takes too long.
boot_guest()
{
	limit=$(($1 * slowness))
	shift
	export LAB_GUEST_INITRD="$work/initrd" LAB_GUEST_LOG="$work/guest.log"
	export LAB_GUEST_NODE="${KSVM_DEV:-/dev/ksvm}"
	timeout -k 5 "$limit" lab-guest "$@" </dev/null >/dev/null 2>"$work/qemu.log"
}

# said PATTERN: in the guest's log, where the kernel may have written on the same line.
said()
{
	grep -aq "$1" "$work/guest.log" || fail "the guest did not say: $1"
}

# Show what there is to see of a boot that failed.
show_failure()
{
	[ $failed -ne 0 ] || return
	grep -av 'support requested feature' "$work/qemu.log"
	tail -n 40 "$work/guest.log"
}
