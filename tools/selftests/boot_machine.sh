#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# boot_machine.sh QEMU MACHINE IRQCHIP CPUS FIRMWARE CPU APIC: boot Linux on one
# machine, have the guest look at its processors, timers, interrupts, disk and network
# (guest/init), and judge. Status 0: all is well; what was seen is printed.
#
#	QEMU		7.2, 10.0
#	MACHINE		pc, q35, microvm
#	IRQCHIP		on, split, off
#	FIRMWARE	seabios, ovmf (pc, q35), qboot (microvm)
#	APIC		what the guest uses: x2apic, xapic, noapic (the 8259s)
#
# For a host with --guest-all; the node is KSVM_DEV, and for QEMU 7.2 also /dev/kvm.
qemu=$1 machine=$2 irqchip=$3 cpus=$4 firmware=$5 cpu=$6 apic=$7

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/selftests/guest_lib.sh
. "$here/guest_lib.sh"
half=$((2 * 1024 * 1024))

# The disk's first half is a pattern that the guest knows, the other half empty.
make_disk()
{
	seq 1000000 | head -c "$half" >"$work/half"
	{
		cat "$work/half"
		head -c "$half" /dev/zero
	} >"$work/disk"
}

# What the guest gets over the network.
make_files()
{
	mkdir "$work/tftp"
	seq 30000 >"$work/tftp/data"
}

# Options of QEMU for the firmware; what a machine has by default needs none. A PIT that
# makes up for lost ticks interrupts OVMF's handler for them: the emulated processor
# then ends with QEMU when the handler writes CR8.
firmware_options()
{
	case $firmware in
	ovmf)
		cp /guest/OVMF_VARS.fd "$work/vars"
		echo "-drive if=pflash,format=raw,readonly=on,file=/guest/OVMF_CODE.fd"
		echo "-drive if=pflash,format=raw,file=$work/vars"
		[ "$irqchip" != on ] || echo "-global kvm-pit.lost_tick_policy=discard"
		;;
	qboot) echo "-bios qboot.rom" ;;
	esac
}

# Disk and network card. A disk in a thread of its own has its interrupts raised through
# an irqfd. On pc they are of the older kind, which are notified through a port.
device_options()
{
	echo "-object iothread,id=disk-thread"
	echo "-drive if=none,id=disk,format=raw,file=$work/disk"
	echo "-netdev user,id=net,tftp=$work/tftp"
	case $machine in
	microvm)
		echo "-device virtio-blk-device,drive=disk"
		echo "-device virtio-net-device,netdev=net"
		;;
	pc | q35)
		[ "$machine" = q35 ] || legacy=,disable-modern=on
		echo "-device virtio-blk-pci,drive=disk,iothread=disk-thread,ioeventfd=on$legacy"
		echo "-device virtio-net-pci,netdev=net,romfile=,ioeventfd=on$legacy"
		;;
	esac
}

trace_options()
{
	for event in kvm_vm_ioctl kvm_set_ioeventfd_pio kvm_set_ioeventfd_mmio \
		     virtio_notify_irqfd virtio_pci_notify_write \
		     virtio_pci_notify_write_pio; do
		echo "-trace $event"
	done
	echo "-D $work/trace"
}

guest_append()
{
	# A microvm has nothing to measure the TSC against.
	if [ "$cpus" -gt 1 ] || [ "$machine" = microvm ]; then
		guest_tsc
	fi
	printf ' quiet lab.test=boot lab.cpus=%s lab.apic=%s lab.limit=%s' \
		"$cpus" "$apic" $((5 * slowness))
	case $apic in
	xapic) printf ' nox2apic' ;;
	noapic) printf ' noapic' ;;
	esac
}

boot()
{
	export LAB_GUEST_QEMU="$qemu" LAB_GUEST_MACHINE="$machine"
	export LAB_GUEST_IRQCHIP="$irqchip" LAB_GUEST_SMP="$cpus"
	LAB_GUEST_CPU=$(guest_cpu "$cpu" "$irqchip") LAB_GUEST_APPEND=$(guest_append)
	export LAB_GUEST_CPU LAB_GUEST_APPEND
	# shellcheck disable=SC2046
	boot_guest "${BOOT_LIMIT:-300}" $(firmware_options) $(device_options) $(trace_options)
}

judge_guest()
{
	said 'hypervisor signature: KVMKVMKVM'
	said 'clocksource: [a-z]'
	for name in cpus apic timers disk net; do
		said "check $name: ok"
	done
	[ "$cpus" -eq 1 ] || said 'check ipis: ok'
	! grep -a 'check [a-z]*: failed' "$work/guest.log" || failed=1
	said 'guest: powering off'
}

# What the guest wrote is the pattern with its digits exchanged.
judge_disk()
{
	tr 0123456789 5678901234 <"$work/half" >"$work/expected"
	tail -c "$half" "$work/disk" | cmp - "$work/expected" ||
		fail "the disk is not as the guest should have left it"
}

traced()
{
	grep -ac "$1" "$work/trace"
}

# Notifications of the guest and interrupts for it go past QEMU's threads of processors,
# where the machine can: queues are not notified through QEMU, irqfds are assigned and
# used.
judge_eventfds()
{
	[ "$(traced 'kvm_set_ioeventfd_.*assign: 1')" -gt 0 ] || fail "no ioeventfd"
	[ "$machine" != microvm ] || return
	[ "$(traced virtio_pci_notify_write)" -eq 0 ] || fail "queues are notified through QEMU"
	[ "$irqchip" != off ] || return
	# KVM_IRQFD
	[ "$(traced 'kvm_vm_ioctl type 0x4020ae76')" -gt 0 ] || fail "no irqfd"
	[ "$(traced virtio_notify_irqfd)" -gt 0 ] || fail "no interrupt through an irqfd"
}

make_disk
make_files
make_initrd
boot || fail "QEMU ended with status $?"
judge_guest
judge_disk
judge_eventfds
grep -aoE '(check|clocksource)[ :].*' "$work/guest.log"
echo "ioeventfds: $(traced 'kvm_set_ioeventfd_'), irqfds: $(traced 0x4020ae76)," \
	"interrupts through them: $(traced virtio_notify_irqfd)"
show_failure
exit $failed
