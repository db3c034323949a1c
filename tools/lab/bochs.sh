# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The emulated AMD host in Bochs: a processor that shares no code with QEMU's. It
# runs from a chroot of the Debian release whose Bochs boots this kernel, and
# boots from a CD.

LAB_BOCHS_SUITE=trixie
# The display that needs no window system, the firmware, what makes the CD.
LAB_BOCHS_PACKAGES=(bochs bochs-term bochsbios vgabios isolinux syslinux-common
	xorriso)

# A restart has to be one that ends the emulator. The self-tests of the kernel's
# ciphers would take a third of the boot.
lab_bochs_append()
{
	printf '%s reboot=triple cryptomgr.notests\n' "$(lab_host_append)"
}

lab_bochs_boot_menu()
{
	cat <<-CFG
	DEFAULT lab
	PROMPT 0
	LABEL lab
	LINUX /vmlinuz
	INITRD /initrd
	APPEND $(lab_bochs_append)
	CFG
}

# lab_bochs_iso RUNDIR: write RUNDIR/boot.iso.
lab_bochs_iso()
{
	local run=$1 loader=/usr/lib/ISOLINUX/isolinux.bin
	local linker=/usr/lib/syslinux/modules/bios/ldlinux.c32

	lab_bochs_boot_menu >"$run/isolinux.cfg"
	cp "$(lab_vmlinuz)" "$run/vmlinuz"
	lab_chroot_exec "$LAB_BOCHS_SUITE" xorriso -as mkisofs -quiet \
		-o "$run/boot.iso" -b isolinux/isolinux.bin \
		-c isolinux/boot.cat -no-emul-boot -boot-load-size 4 \
		-boot-info-table -graft-points \
		"/isolinux/isolinux.bin=$loader" \
		"/isolinux/ldlinux.c32=$linker" \
		"/isolinux/isolinux.cfg=$run/isolinux.cfg" \
		"/vmlinuz=$run/vmlinuz" "/initrd=$run/initrd" \
		>"$run/iso.log" 2>&1 </dev/null || {
		tail -n 5 "$run/iso.log" >&2
		lab_die "cannot make a CD for Bochs"
	}
	rm -f "$run"/{vmlinuz,isolinux.cfg,iso.log}
}

# Without synchronisation to the clock outside the TSC counts instructions, and
# idle time is skipped. A triple fault is the end.
lab_bochs_config()
{
	local run=$1 cpus=$OPT_SMP

	[[ -z $OPT_ICOUNT ]] || cpus=1
	cat <<-RC
	display_library: term
	romimage: file=/usr/share/bochs/BIOS-bochs-latest
	vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
	cpu: model=ryzen, count=$cpus, ips=50000000, reset_on_triple_fault=0
	memory: guest=$OPT_MEM, host=$OPT_MEM
	clock: sync=none, time0=utc
	boot: cdrom
	ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
	ata0-master: type=cdrom, path="$run/boot.iso", status=inserted
	com1: enabled=1, mode=file, dev="$run/console.log"
	com2: enabled=1, mode=file, dev="$run/channel"
	com3: enabled=1, mode=null
	com4: enabled=1, mode=file, dev="$run/results.tar"
	log: "$run/bochs.log"
	logprefix: %t%e%d
	panic: action=fatal
	error: action=report
	info: action=ignore
	debug: action=ignore
	RC
}

# Fill the array emulator_command. The display writes to a file: curses does not
# mind.
lab_bochs_command()
{
	local run=$1
	local -a chroot_command

	[[ $OPT_CPU == EPYC,+svm ]] || lab_die "Bochs has one processor, no --cpu"
	[[ -z $OPT_INTERACTIVE ]] || lab_die "no terminal in Bochs"
	[[ -z $OPT_GUEST ]] || lab_die "a guest in QEMU takes too long in Bochs"
	lab_chroot_need "$LAB_BOCHS_SUITE" "${LAB_BOCHS_PACKAGES[@]}"
	lab_bochs_iso "$run"
	lab_bochs_config "$run" >"$run/bochsrc"
	lab_chroot_command "$LAB_BOCHS_SUITE"
	# shellcheck disable=SC2016,SC2034
	emulator_command=("${chroot_command[@]}" env TERM=linux sh -c
		'exec bochs-bin -q -f "$1" >"$2" 2>&1' bochs
		"$run/bochsrc" "$run/display")
}

# Why Bochs stopped, unless it was switched off in good order; a kernel's panic
# ends in a triple fault. What else it tells, as of MSRs that are not there, is no
# sign of trouble, and stays in bochs.log.
lab_bochs_log()
{
	local run

	run=$(dirname "$1")
	[[ -e $run/bochs.log ]] || tail -n 5 "$run/display" >>"$1"
	grep -a '>>PANIC<<' "$run/bochs.log" 2>/dev/null |
		grep -v 'soft power off' >>"$1"
	rm -f "$run"/{boot.iso,display,bochsrc}
}
