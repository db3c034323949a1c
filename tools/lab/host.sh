# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Booting the emulated AMD host and reading its verdict. What the emulators differ
# in is in tcg.sh and bochs.sh.
#
# Four serial ports: the console (ttyS0) goes to a log that is only searched
# for signs of trouble; the command's output and status come on a channel of
# their own (ttyS1); ttyS2 is the user's terminal in interactive runs; result
# files leave through ttyS3 as a tar archive.

# What must never appear on the console of a healthy kernel.
LAB_TROUBLE='^\[[^]]*\]( \[[^]]*\])* WARNING: |BUG: |Oops: |general protection fault|Kernel panic'
LAB_TROUBLE+='|Call Trace:|suspicious RCU usage|possible recursive locking'
LAB_TROUBLE+='|unreferenced object|new suspected memory leaks'
LAB_TROUBLE+='|blocked for more than|soft lockup|hard LOCKUP'
LAB_TROUBLE+='|rcu_.*detected stalls|rcu:.*self-detected stall|UBSAN: '
LAB_TROUBLE+='|invoked oom-killer'
# The module's own checker: a breach that nobody planted.
LAB_TROUBLE+='|ksvm: contract: rule'
LAB_TROUBLE+='|KASAN: |KCSAN: |KFENCE: |ODEBUG: |refcount_t: |kernel BUG at'
LAB_TROUBLE+='|list_(add|del) corruption|usercopy: Kernel memory'
LAB_TROUBLE+='|possible (circular|irq lock|deadlock)|inconsistent lock state'
LAB_TROUBLE+='|Invalid wait context|lock held when returning|still held'
LAB_TROUBLE+='|trying to register non-static key'
# Checkers that gave up.
LAB_TROUBLE+='|turning off the locking correctness|leak detector disabled'

# How many times longer than on its plain kernel everything may take.
lab_host_slowness()
{
	local factor=1

	! lab_kernel_is_debug || factor=5
	[[ $OPT_HOST != bochs ]] || factor=$((factor * 4))
	echo "$factor"
}

lab_host_append()
{
	printf '%s ' console=ttyS0,115200 panic=-1 panic_on_warn=1 oops=panic \
		softlockup_panic=1 sysctl.kernel.hung_task_panic=1 \
		sysctl.kernel.hung_task_timeout_secs=60 \
		sysctl.kernel.panic_on_rcu_stall=1 \
		tsc=reliable printk.devkmsg=on "$(lab_debug_append)" "$OPT_APPEND"
}

# Print what the command wrote to the channel, byte for byte.
lab_channel_output()
{
	local file=$1 token=$2 mark start end

	mark=$(grep -abo -m 1 "^$token begin\$" "$file") || {
		# It was never started: whatever there is tells why.
		sed "/^$token /d" "$file"
		return
	}
	start=$((${mark%%:*} + ${#token} + 8))
	mark=$(grep -abo "^$token exit [0-9]*\$" "$file" | tail -n 1)
	if [[ -n $mark ]]; then
		# The line break before the mark is not the command's.
		end=$((${mark%%:*} - 1))
		tail -c +"$start" "$file" | head -c "$((end - start + 1))"
	else
		tail -c +"$start" "$file"
	fi
}

# The status in the end mark, or nothing.
lab_channel_status()
{
	sed -n "s/^$2 exit \\([0-9]*\\)\$/\\1/p" "$1" | tail -n 1
}

# The part of a console log that tells most: from the first trouble on, or the
# end. Guesses of the unwinder are left out.
lab_console_excerpt()
{
	local log=$1 lines=${LAB_LINES:-40}

	if grep -aqE "$LAB_TROUBLE" "$log"; then
		grep -aE -m 1 -B 3 -A 200 "$LAB_TROUBLE" "$log"
	else
		tail -n "$lines" "$log"
	fi | tr -d '\r' | grep -v '\]  ? ' | head -n "$lines"
}

# Show the console's end and where the rest is.
lab_host_failed()
{
	local run=$1

	shift
	lab_say "FAILED: $*"
	lab_say "from the console ($run/console.log):"
	lab_console_excerpt "$run/console.log" | sed 's/^/      /' >&2
	if [[ -s $run/emulator.log ]]; then
		sed 's/^/      emulator: /' "$run/emulator.log" >&2
	fi
}

# Take a run's outcome apart: sets host_status, says why if it is a failure.
lab_host_verdict()
{
	local run=$1 token=$2 emulator_status=$3

	host_status=$(lab_channel_status "$run/channel" "$token")
	"lab_${OPT_HOST}_log" "$run/emulator.log"
	if grep -aqE "$LAB_TROUBLE" "$run/console.log"; then
		lab_host_failed "$run" "the host's kernel reports trouble"
		host_status=125
	elif ((emulator_status == 124 || emulator_status == 137)); then
		lab_host_failed "$run" \
			"no end within $((OPT_TIMEOUT * $(lab_host_slowness))) s"
		host_status=124
	elif [[ -z $host_status ]]; then
		lab_host_failed "$run" "the host ended without a verdict"
		host_status=125
	fi
}

# Unpack the result files of a run into the folder of --results.
lab_host_results()
{
	[[ -z $OPT_COVERAGE ]] || lab_coverage_collect "$1"
	[[ -n $OPT_RESULTS ]] || return 0
	mkdir -p "$OPT_RESULTS"
	[[ -s $1/results.tar ]] || return 0
	tar -x -f "$1/results.tar" -C "$OPT_RESULTS" ||
		lab_say "the result files are incomplete"
}

# Run the array emulator_command; when the lab is killed, the emulator does not
# survive it.
lab_host_emulator()
{
	local run=$1 status=0 limit

	limit=$((OPT_TIMEOUT * $(lab_host_slowness)))
	if [[ -n $OPT_INTERACTIVE ]]; then
		"${emulator_command[@]}" 2>"$run/emulator.log"
		return
	fi
	timeout --foreground -k 5 "$limit" "${emulator_command[@]}" \
		</dev/null 2>"$run/emulator.log" &
	# shellcheck disable=SC2064
	trap "kill $! 2>/dev/null; rm -f '$run/initrd' '$run/boot.iso'" EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	wait "$!" || status=$?
	trap - EXIT INT TERM HUP
	return "$status"
}

# lab_host_boot RUNDIR TOKEN: run the emulator until it ends; sets emulator_status.
# A kernel that dies before its init, and so before any of ours, is another matter
# than what is tested: QEMU's processors now and then execute code that another
# one has just patched. Then boot anew, but say so.
lab_host_boot()
{
	local run=$1 token=$2 boots

	for boots in 1 2 3; do
		: >"$run/channel"
		: >"$run/console.log"
		emulator_status=0
		lab_host_emulator "$run" || emulator_status=$?
		((emulator_status != 124 && emulator_status != 137)) || return
		grep -aq "^$token stage " "$run/channel" && return
		((boots < 3)) || return
		[[ -z ${LAB_FOLLOW-} && -z $OPT_INTERACTIVE ]] || return
		lab_say "the host's kernel died before its init; booting again"
		lab_console_excerpt "$run/console.log" | sed 's/^/      /' >&2
	done
}

# lab_host_run COMMAND: boot the host, run COMMAND in it, print its output and
# set host_status to its status, 124 after a timeout, 125 when the host failed.
# With a function name in LAB_FOLLOW, that function reads the channel while
# the host runs, instead of the output being printed at the end.
lab_host_run()
{
	local run token emulator_status follower=
	local -a emulator_command

	mkdir -p "$LAB_BUILD/run"
	run=$(mktemp -d "$LAB_BUILD/run/XXXXXX")
	token=lab-$(od -An -N8 -tx8 /dev/urandom | tr -d ' ')
	[[ -z ${LAB_TOKEN_FILE-} ]] || echo "$token" >"$LAB_TOKEN_FILE"
	lab_image "$run" "$token" "$1"
	"lab_${OPT_HOST}_command" "$run"
	: >"$run/channel"
	if [[ -n ${LAB_FOLLOW-} ]]; then
		"$LAB_FOLLOW" "$run/channel" "$token" &
		follower=$!
	fi
	lab_host_boot "$run" "$token"
	[[ -z $follower ]] || {
		touch "$run/ended"
		wait "$follower"
	}
	[[ -n ${LAB_FOLLOW-} || -n $OPT_INTERACTIVE ]] ||
		lab_channel_output "$run/channel" "$token"
	lab_host_results "$run"
	lab_host_verdict "$run" "$token" "$emulator_status"
	[[ -z $OPT_CONSOLE ]] || cp "$run/console.log" "$OPT_CONSOLE"
	rm -f "$run/initrd" "$run/results.tar"
	if ((host_status == 0)) || [[ -n ${LAB_DISCARD-} ]]; then
		rm -rf "$run"
	fi
}
