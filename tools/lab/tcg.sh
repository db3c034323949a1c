# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The emulated AMD host in QEMU's translator (TCG).

# QEMU 7.2 leaves an operand of the instructions before it in RFLAGS when it
# executes CMPXCHG16B, which kernels of 6.12 trip over in their allocator within
# seconds: let the host's kernel do without (bit 13 of the fifth capability word).
# On a busy machine the timer's interrupts come too late for the kernel's test of
# them, which ends in a panic.
lab_tcg_append()
{
	printf 'no_timer_check clearcpuid=%d' $((4 * 32 + 13))
}

# Fill the array emulator_command.
lab_tcg_command()
{
	local run=$1 user=null

	[[ -n $OPT_INTERACTIVE ]] && user=stdio,signal=off
	emulator_command=("${LAB_TCG_QEMU:-qemu-system-x86_64}" -machine q35 -cpu "$OPT_CPU"
		-m "$OPT_MEM" -nodefaults -no-user-config -display none
		-no-reboot -kernel "$(lab_vmlinuz)" -initrd "$run/initrd"
		-append "$(lab_host_append) $(lab_tcg_append)"
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
		emulator_command+=(-smp "$OPT_SMP"
			-accel "tcg,thread=$OPT_THREAD")
	fi
}

# QEMU names each feature of the model that it does not emulate.
lab_tcg_log()
{
	sed -i "/doesn't support requested feature/d" "$1"
}
