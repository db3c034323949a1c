#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What a module as such has to do: come, go, refuse. Each case has an emulated
# host of its own (see lab-cases), where ksvm.ko is not loaded yet.
# Usage: module_cases.sh CASE

module=${KSVM_MODULE:-/lab/ksvm.ko}
svmdis=$(dirname "$module")/svmdis.ko
vmcr=$(dirname "$module")/vmcr.ko
oddcpu=$(dirname "$module")/oddcpu.ko
here=$(cd "$(dirname "$0")" && pwd)
number=0
failed=0

check() {
	number=$((number + 1))
	description=$1
	shift
	"$@" >/tmp/check.out 2>&1
	status=$?
	# Lines of a program's own plan would be taken for ours.
	sed 's/^/# /' /tmp/check.out
	if [ $status -eq 0 ]; then
		echo "ok $number $description"
	else
		failed=$((failed + 1))
		echo "not ok $number $description"
		log_lines | sed 's/^/# /'
	fi
}

log_lines() {
	dmesg | grep 'ksvm: ' | grep -v 'loading out-of-tree\|taints kernel\|verification failed'
}

loaded() {
	grep -q '^ksvm ' /proc/modules
}

not_loaded() {
	! loaded
}

# A load that has to fail: with this text, and one line in the log that says why.
refused() {
	before=$(log_lines | wc -l)
	text=$("$here/load_module" "$module" 2>&1) && return 1
	echo "$text"
	case $text in
	*"$1"*) ;;
	*) return 1 ;;
	esac
	new=$(($(log_lines | wc -l) - before))
	log_lines | tail -n 1
	[ "$new" -eq 1 ] && log_lines | tail -n 1 | grep -q "$2"
}

hold() {
	KSVM_DEV=$1 "$here/hold_vm" >/tmp/hold.out 2>&1 &
	holder=$!
	tries=0
	while ! grep -q running /tmp/hold.out; do
		tries=$((tries + 1))
		if [ $tries -gt 100 ] || ! kill -0 "$holder" 2>/dev/null; then
			wait "$holder"
			echo "no VM on $1: status $?"
			return 1
		fi
		sleep 0.1
	done
}

let_go() {
	kill -9 "$holder"
	wait "$holder" 2>/dev/null
	return 0
}

# The status of hold_vm is the errno of the refused KVM_CREATE_VM: EBUSY, which newer
# kernels' kvm makes EIO.
busy_on() {
	before=$(log_lines | wc -l)
	KSVM_DEV=$1 "$here/hold_vm" >/tmp/hold.out 2>&1
	status=$?
	echo "status $status"
	[ "$1" != /dev/kvm ] || [ $status -ne 5 ] || return 0
	[ $status -eq 16 ] || return 1
	[ "$1" != /dev/ksvm ] || [ $(($(log_lines | wc -l) - before)) -eq 1 ]
}

# kvm as older kernels have it, where kvm_amd takes SVM for its first VM. They do not
# know the parameter, and ignore it.
kvm_amd_by_vm() {
	insmod /lab/modules/irqbypass.ko && insmod /lab/modules/kvm.ko enable_virt_at_load=0 &&
		load-kvm-amd
}

kvm_amd_fails() {
	! load-kvm-amd && ! grep -q '^kvm_amd ' /proc/modules && kill -0 "$holder"
}

case_cycle() {
	i=0
	while [ $i -lt 50 ]; do
		insmod "$module" && loaded && [ -c /dev/ksvm ] || return 1
		rmmod ksvm && not_loaded && [ ! -e /dev/ksvm ] || return 1
		i=$((i + 1))
	done
}

case_cycle_with_vm() {
	i=0
	while [ $i -lt 10 ]; do
		insmod "$module" && hold /dev/ksvm && let_go && rmmod ksvm || return 1
		i=$((i + 1))
	done
}

rmmod_refused() {
	text=$(rmmod ksvm 2>&1) && return 1
	echo "$text"
	case $text in
	*busy* | *"temporarily unavailable"* | *"in use"*) loaded ;;
	*) return 1 ;;
	esac
}

cpu1() {
	echo "$1" >/sys/devices/system/cpu/cpu1/online || return 1
	[ "$(cat /sys/devices/system/cpu/cpu1/online)" -eq "$1" ]
}

# The processor stays off, with one line in the log, and the VM lives on.
cpu1_refused() {
	before=$(log_lines | wc -l)
	cpu1 1 && return 1
	[ "$(cat /sys/devices/system/cpu/cpu1/online)" -eq 0 ] || return 1
	log_lines | tail -n 1
	[ $(($(log_lines | wc -l) - before)) -eq 1 ] && kill -0 "$holder"
}

# The window with these parameters of the module: see pause_test.c.
pause_case() {
	check "load with $*" insmod "$module" "$@"
	check "the exits that these ask for" "$here/pause_test" pause/one pause/grown
	check "unload" rmmod ksvm
}

pause_skipped() {
	"$here/pause_test"
	[ $? -eq 4 ] && grep -q '^pause_exits 0$' /sys/kernel/debug/ksvm/stats
}

case $1 in
cycle)
	check "load and unload 50 times" case_cycle
	check "with a VM in between 10 times" case_cycle_with_vm
	;;
busy)
	check "load" insmod "$module"
	check "a VM" hold /dev/ksvm
	check "unload is refused while it lives" rmmod_refused
	check "the VM is killed" let_go
	check "unload" rmmod ksvm
	check "and load again" insmod "$module"
	;;
no_svm)
	check "refused, with one line" refused "Operation not supported" "no .* on this processor"
	check "no node" test ! -e /dev/ksvm
	check "not loaded" not_loaded
	;;
firmware_off)
	check "firmware switches SVM off" insmod "$svmdis"
	check "refused, with one line" refused "Operation not supported" \
		"off by firmware (VM_CR.SVMDIS), not locked"
	check "no node" test ! -e /dev/ksvm
	check "not loaded" not_loaded
	check "firmware leaves SVM on" rmmod svmdis
	check "load" insmod "$module"
	check "a VM" hold /dev/ksvm
	check "let go" let_go
	check "unload" rmmod ksvm
	check "firmware switches SVM off and locks it" insmod "$svmdis" locked=1
	check "refused, with one line" refused "Operation not supported" \
		"off by firmware (VM_CR.SVMDIS) and locked"
	check "no node" test ! -e /dev/ksvm
	check "not loaded" not_loaded
	check "refused again" refused "Operation not supported" "VM_CR.SVMDIS"
	check "firmware leaves SVM on" rmmod svmdis
	check "load" insmod "$module"
	check "a VM" hold /dev/ksvm
	check "let go" let_go
	;;
firmware_msr)
	check "firmware switches SVM off" insmod "$vmcr"
	check "refused, with one line" refused "Operation not supported" \
		"off by firmware (VM_CR.SVMDIS), not locked"
	check "no node" test ! -e /dev/ksvm
	check "firmware switches SVM on" rmmod vmcr
	check "load" insmod "$module"
	check "a VM" hold /dev/ksvm
	check "let go" let_go
	check "unload" rmmod ksvm
	check "firmware switches SVM off and locks it" insmod "$vmcr" locked=1
	check "refused, with one line" refused "Operation not supported" \
		"off by firmware (VM_CR.SVMDIS) and locked"
	check "too late to switch it on" rmmod vmcr
	check "refused again" refused "Operation not supported" "VM_CR.SVMDIS"
	;;
odd_cpu)
	check "processor 1 is unlike processor 0" insmod "$oddcpu" cpu=1
	check "refused, with one line" refused "Input/output error" \
		"cannot be used on all processors"
	check "no node" test ! -e /dev/ksvm
	check "not loaded" not_loaded
	check "processor 1 goes" cpu1 0
	check "load without it" insmod "$module"
	check "a VM" hold /dev/ksvm
	check "processor 1 is kept out" cpu1_refused
	check "let go" let_go
	check "unload" rmmod ksvm
	check "processor 1 comes" cpu1 1
	check "it is like processor 0" rmmod oddcpu
	check "load" insmod "$module"
	check "a VM" hold /dev/ksvm
	check "let go" let_go
	;;
kvm_amd_active)
	check "kvm_amd" load-kvm-amd
	check "a VM of kvm_amd" hold /dev/kvm
	check "refused, with one line that names it" refused "busy" "kvm_amd"
	check "the VM of kvm_amd is let go" let_go
	check "kvm_amd is unloaded" unload-kvm-amd
	loaded || check "load" insmod "$module"
	check "a VM now" hold /dev/ksvm
	check "let go" let_go
	;;
kvm_amd_later)
	check "load" insmod "$module"
	check "kvm_amd" kvm_amd_by_vm
	check "a VM of kvm_amd" hold /dev/kvm
	check "a VM beside it is refused, with one line" busy_on /dev/ksvm
	check "processor 1 goes" cpu1 0
	check "processor 1 comes: we have no VM" cpu1 1
	check "the VM of kvm_amd is let go" let_go
	check "a VM now" hold /dev/ksvm
	check "let go" let_go
	;;
kvm_amd_refused)
	check "load" insmod "$module"
	check "a VM" hold /dev/ksvm
	check "kvm_amd" kvm_amd_by_vm
	check "a VM of kvm_amd is refused" busy_on /dev/kvm
	check "our VM is let go" let_go
	check "our next VM works" hold /dev/ksvm
	check "let go" let_go
	check "kvm_amd is unloaded" unload-kvm-amd
	check "our next VM works" hold /dev/ksvm
	check "let go" let_go
	;;
kvm_amd_at_load)
	insmod /lab/modules/irqbypass.ko && insmod /lab/modules/kvm.ko || exit 1
	if [ ! -e /sys/module/kvm/parameters/enable_virt_at_load ]; then
		echo "1..0 # SKIP kvm_amd takes SVM for its first VM here"
		exit 4
	fi
	check "load" insmod "$module"
	check "a VM" hold /dev/ksvm
	check "kvm_amd does not load beside it" kvm_amd_fails
	check "nor a second time" kvm_amd_fails
	check "our VM is let go" let_go
	check "kvm_amd" load-kvm-amd
	check "a VM beside it is refused, with one line" busy_on /dev/ksvm
	check "processor 1 goes" cpu1 0
	check "processor 1 comes: we have no VM" cpu1 1
	check "kvm_amd is unloaded" unload-kvm-amd
	check "a VM now" hold /dev/ksvm
	check "let go" let_go
	check "unload" rmmod ksvm
	;;
node_kvm)
	check "load as /dev/kvm" insmod "$module" node=kvm
	check "a VM there" hold /dev/kvm
	check "let go" let_go
	check "unload" rmmod ksvm
	check "a bad name is refused" sh -c "! insmod $module node=../x 2>/dev/null"
	check "kvm_amd" load-kvm-amd
	check "kvm.ko keeps the name" sh -c "! insmod $module node=kvm 2>/dev/null"
	;;
shutdown)
	# The host is switched off when this ends; its log must stay clean.
	check "load" insmod "$module"
	check "a VM" hold /dev/ksvm
	check "another VM" hold /dev/ksvm
	;;
pause)
	# No test point before it is known that there is something to test.
	insmod "$module" || exit 1
	if ! grep -q '^pause_filter *on' /sys/kernel/debug/ksvm/features; then
		echo "1..0 # SKIP this processor has no pause filter"
		exit 4
	fi
	check "unload" rmmod ksvm
	pause_case pause_filter_count=10
	pause_case pause_filter_count=2 pause_filter_count_grow=0
	pause_case pause_filter_count=10 pause_filter_count_grow=100
	pause_case pause_filter_count=10 pause_filter_count_max=15
	check "load with pause_filter=0" insmod "$module" pause_filter=0
	check "no exits" pause_skipped
	check "unload" rmmod ksvm
	for name in count thresh; do
		check "load with a $name of 0" insmod "$module" "pause_filter_$name=0"
		check "no exits" pause_skipped
		check "and features says why" grep -q "^pause_filter *off *switched off by" \
			/sys/kernel/debug/ksvm/features
		check "unload" rmmod ksvm
	done
	;;
hygon)
	check "load" insmod "$module"
	check "the run loop" "$here/run_test"
	check "the modes" "$here/mode_test"
	check "hypercalls" "$here/exit_test" exit/vm
	check "unload" rmmod ksvm
	;;
*)
	echo "Bail out! no case $1"
	exit 1
	;;
esac
echo "1..$number"
[ $failed -eq 0 ]
