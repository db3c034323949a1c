# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The emulated AMD host in QEMU's translator (TCG).

# The TSC that QEMU gives a host is this machine's, unless it counts instructions. On a
# busy machine the host's kernel measures it wrongly, and its clocks then go several times
# as fast as they should: tell the kernel.
lab_tcg_tsc()
{
	local program=$LAB_BUILD/tsc-khz

	[[ -z $OPT_ICOUNT ]] || return 0
	[[ $program -nt $LAB_DIR/tsc-khz.c ]] ||
		gcc -O2 -Wall -Werror -o "$program" "$LAB_DIR/tsc-khz.c" ||
		lab_die "cannot compile tsc-khz.c"
	printf 'tsc_early_khz=%s' "$("$program")"
}

# QEMU 7.2 leaves an operand of the instructions before it in RFLAGS when it
# executes CMPXCHG16B, which kernels of 6.12 trip over in their allocator within
# seconds: let the host's kernel do without (bit 13 of the fifth capability word).
# On a busy machine the timer's interrupts come too late for the kernel's test of
# them, which ends in a panic. At each VMRUN and #VMEXIT QEMU rewrites the word that says
# that an interrupt has arrived, without a lock: one that arrives meanwhile waits for the
# next one. Of a timer that is programmed for one interrupt at a time there is none, and
# the host stands still: have timers that are periodic.
lab_tcg_append()
{
	printf 'no_timer_check clearcpuid=%d ' $((4 * 32 + 13))
	! lab_tcg_spare_cpu || printf 'isolcpus=0 '
	[[ -n $OPT_ICOUNT ]] || printf 'nohz=off highres=off '
}

# Whenever a processor loads its FPU state (cpu_set_fpus), QEMU rewrites a word of the
# first processor, without a lock: the one that says whether a guest runs there, with
# nested paging, and whether interrupts are let in. What that processor changes in it
# meanwhile, by VMRUN or #VMEXIT, is lost. Where there are several, the first one is an
# additional one that no program runs on.
lab_tcg_spare_cpu()
{
	[[ -z $OPT_ICOUNT ]] && ((OPT_SMP > 1))
}

# Fill the array emulator_command.
lab_tcg_command()
{
	local run=$1 user=null cpus=$OPT_SMP

	! lab_tcg_spare_cpu || cpus=$((cpus + 1))
	[[ -n $OPT_INTERACTIVE ]] && user=stdio,signal=off
	emulator_command=(qemu-system-x86_64 -machine q35 -cpu "$OPT_CPU"
		-m "$OPT_MEM" -nodefaults -no-user-config -display none
		-no-reboot -kernel "$(lab_vmlinuz)" -initrd "$run/initrd"
		-append "$(lab_host_append) $(lab_tcg_append)$(lab_tcg_tsc)"
		-chardev "file,id=console,path=$run/console.log"
		-chardev "file,id=channel,path=$run/channel"
		-chardev "$user,id=user"
		-chardev "file,id=results,path=$run/results.tar"
		-serial chardev:console -serial chardev:channel
		-serial chardev:user -serial chardev:results)
	if [[ -n $OPT_ICOUNT ]]; then
		emulator_command+=(-smp 1 -accel tcg,thread=single
			-icount shift=0,sleep=off)
	else
		emulator_command+=(-smp "$cpus"
			-accel "tcg,thread=$OPT_THREAD")
	fi
}

# QEMU names each feature of the model that it does not emulate.
lab_tcg_log()
{
	sed -i "/doesn't support requested feature/d" "$1"
}
