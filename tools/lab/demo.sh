# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# lab run: Linux on ksvm on an emulated AMD host, in one command.

# lab_demo_follow CHANNEL TOKEN: show the channel as it grows, stages as lines
# of the lab's own.
lab_demo_follow()
{
	local channel=$1 token=$2 size offset=0 last='' cr=''

	# A terminal in QEMU's hands wants the carriage return as well.
	[[ -z $OPT_INTERACTIVE ]] || cr='s/$/\r/'

	while :; do
		[[ -e ${channel%/*}/ended ]] && last=1
		size=$(stat -c %s "$channel")
		if ((size > offset)); then
			tail -c +"$((offset + 1))" "$channel" |
				head -c "$((size - offset))"
			offset=$size
		fi
		[[ -z $last ]] || break
		sleep 0.2
	done | sed -u -e "s/^$token stage /lab: /" -e "/^$token /d" \
		-e 's/\r$//' -e '/^$/d' -e "$cr"
}

# What the host runs first when it is stock KVM that is shown: the guest of
# QEMU 7.2 does not start there with interrupt-driven asynchronous page faults.
lab_demo_stock()
{
	cat <<-'SH'
	load-kvm-amd && lab-stage kvm_amd loaded || exit 1
	export LAB_GUEST_CPU=host,kvm-asyncpf-int=off
	SH
}

# The command in the host: the guest's QEMU, and a check that the guest itself
# has come to its end (QEMU's status is 0 after a panic as well).
lab_demo_command()
{
	[[ -z $OPT_NO_MODULE ]] || lab_demo_stock
	if [[ -n $OPT_INTERACTIVE ]]; then
		printf 'export LAB_GUEST_APPEND="quiet lab.window=%s"\n' \
			"$(stty size | tr ' ' x)"
	else
		echo 'export LAB_GUEST_APPEND="quiet lab.greet"'
	fi
	cat <<-'SH'
	lab-guest 2>/tmp/qemu.log
	grep -q '^guest: powering off' /tmp/guest.log && exit 0
	cat /tmp/qemu.log
	echo 'lab: the guest did not come to its end'
	exit 1
	SH
}

lab_cmd_run()
{
	[[ -n $OPT_NO_MODULE ]] || OPT_MODULE=1 OPT_LINK_KVM=1
	[[ ! -t 0 ]] || OPT_INTERACTIVE=1
	OPT_GUEST=1
	LAB_PROGRESS=1
	lab_prepare
	LAB_FOLLOW=lab_demo_follow
	lab_host_run "$(lab_demo_command)"
	((host_status)) && lab_say "the run failed, status $host_status"
	exit "$host_status"
}
