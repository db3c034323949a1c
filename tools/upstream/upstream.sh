# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# lab upstream: the kernel's own KVM selftests on kvm_amd and on ksvm, side by
# side.
#
# Each test leaves two files per side in the results folder, as lab check's do:
# its output and its exit status.

UPSTREAM_DIR=$LAB_ROOT/tools/upstream

# shellcheck source=tools/upstream/sources.sh
. "$UPSTREAM_DIR/sources.sh"

# Time limit of one test, seconds; emulated hosts at a time.
LAB_UPSTREAM_LIMIT=${LAB_UPSTREAM_LIMIT:-120}
LAB_UPSTREAM_JOBS=${LAB_UPSTREAM_JOBS:-2}

lab_upstream_results()
{
	printf '%s/upstream/%s\n' "$LAB_BUILD" "$LAB_KERNEL"
}

# lab_upstream_file SIDE:TEST: the results' path without its ending.
lab_upstream_file()
{
	printf '%s/%s/%s\n' "$(lab_upstream_results)" "${1%%:*}" \
		"$(tr / . <<<"${1#*:}")"
}

# Print why a test doesn't apply, or nothing.
lab_upstream_excuse()
{
	local pattern reason

	while IFS='|' read -r pattern reason; do
		read -r pattern <<<"$pattern"
		[[ -n $pattern && $pattern != \#* ]] || continue
		# shellcheck disable=SC2053
		if [[ $1 == $pattern ]]; then
			printf '%s\n' "${reason# }"
			return
		fi
	done <"$UPSTREAM_DIR/not-applicable"
}

# Is this test wanted? By its name with or without the folder, if any were given.
lab_upstream_wants()
{
	lab_check_wants "$1" || lab_check_wants "${1##*/}"
}

# Sort the wanted tests into the arrays upstream_tests, upstream_unbuilt and
# upstream_excused.
lab_upstream_sort()
{
	local test

	upstream_tests=() upstream_unbuilt=() upstream_excused=()
	while read -r test; do
		lab_upstream_wants "$test" || continue
		if [[ -n $(lab_upstream_excuse "$test") ]]; then
			upstream_excused+=("$test")
		elif [[ -x $upstream_dir/tests/$test ]]; then
			upstream_tests+=("$test")
		else
			upstream_unbuilt+=("$test")
		fi
	done <"$upstream_dir/LIST"
	((${#upstream_tests[@]} + ${#upstream_unbuilt[@]} +
	  ${#upstream_excused[@]})) || lab_die "no such test: ${ARGS[*]}"
}

# The verdict of one test on one side, from what it left.
lab_upstream_verdict()
{
	local file status

	file=$(lab_upstream_file "$1")
	status=$(cat "$file.status" 2>/dev/null)
	case "$status" in
	0) echo pass ;;
	4) echo skip ;;
	124) echo 'no answer' ;;
	died) echo died ;;
	*) echo fail ;;
	esac
}

# lab_upstream_host JOB SIDE:TEST...: one emulated host for these tests; the array
# begun is what it
# got to. A test that has no end took the host with it, and so did one after which
# the module could not be unloaded.
lab_upstream_host()
{
	local dir=$LAB_BUILD/upstream.$1 item file='' output

	shift
	output=$dir.out
	LAB_TOKEN_FILE=$dir.token
	OPT_ADD=("$UPSTREAM_DIR/in-host:/bin/upstream")
	while read -r item; do
		OPT_ADD+=("$upstream_dir/tests/$item:/tests/$item")
	done < <(printf '%s\n' "${@#*:}" | sort -u)
	OPT_TIMEOUT=$((120 + (LAB_UPSTREAM_LIMIT + 10) * $#))
	lab_host_run "export TROUBLE='$LAB_TROUBLE'
		upstream $LAB_UPSTREAM_LIMIT $*" >"$output"
	mapfile -t begun < <(lab_suite_split "$output" \
		"$(<"$LAB_TOKEN_FILE")" "$dir")
	for item in "${begun[@]}"; do
		file=$(lab_upstream_file "$item")
		mv "$dir/$item.out" "$file.log"
		mv "$dir/$item.status" "$file.status" 2>/dev/null ||
			echo died >"$file.status"
		# All of its cases were skipped, which it calls passed.
		! grep -qE '^# Totals: pass:0 fail:0 .*skip:[1-9]' "$file.log" ||
			echo 4 >"$file.status"
	done
	grep -q "^$(<"$LAB_TOKEN_FILE") left" "$output" || [[ -z $file ]] ||
		echo died >"$file.status"
	((${#begun[@]})) || tail -n 30 "$output" >&2
	rm -rf "$dir" "$output" "$LAB_TOKEN_FILE"
	unset LAB_TOKEN_FILE
}

# lab_upstream_job JOB TEST...: run tests on both sides, in as many hosts, one
# after the other, as it takes.
lab_upstream_job()
{
	local job=$1
	local -a left begun

	shift
	left=("${@/#/kvm_amd:}" "${@/#/ksvm:}")
	while ((${#left[@]})); do
		lab_say "kernel $LAB_KERNEL, host $job: ${#left[@]} runs to do, from ${left[0]} on"
		lab_upstream_host "$job" "${left[@]}"
		((${#begun[@]})) || lab_die "the emulated host runs no test"
		left=("${left[@]:${#begun[@]}}")
	done
}

# Deal the tests out to jobs. Each host gets along with one thread: under load,
# processors that wait for each other would get nowhere in threads of their own.
lab_upstream_run()
{
	local -i job index status=0
	local -a share pids=()

	OPT_THREAD=single
	for ((job = 0; job < LAB_UPSTREAM_JOBS; job++)); do
		share=()
		for ((index = job; index < ${#upstream_tests[@]};
		      index += LAB_UPSTREAM_JOBS)); do
			share+=("${upstream_tests[index]}")
		done
		((${#share[@]})) || continue
		lab_upstream_job "$job" "${share[@]}" &
		pids+=("$!")
	done
	# shellcheck disable=SC2064
	trap "kill ${pids[*]} 2>/dev/null" EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	for job in "${pids[@]}"; do
		wait "$job" || status=1
	done
	trap - EXIT INT TERM HUP
	((status == 0)) || lab_die "the tests could not be run"
}

# One line per test, then how many did what.
lab_upstream_table()
{
	local format='%-42s %-10s %s\n' test stock ours
	local -i pass_stock=0 pass_ours=0 both=0 only=0

	# shellcheck disable=SC2059
	printf "$format" "test of linux $LAB_KERNEL" kvm_amd ksvm
	for test in "${upstream_tests[@]}"; do
		stock=$(lab_upstream_verdict "kvm_amd:$test")
		ours=$(lab_upstream_verdict "ksvm:$test")
		# shellcheck disable=SC2059
		printf "$format" "$test" "$stock" "$ours"
		if [[ $stock == pass ]]; then
			pass_stock+=1
			[[ $ours != pass ]] || both+=1
		elif [[ $ours == pass ]]; then
			only+=1
		fi
		[[ $ours != pass ]] || pass_ours+=1
	done
	for test in "${upstream_unbuilt[@]}"; do
		# shellcheck disable=SC2059
		printf "$format" "$test" 'no build' 'no build'
	done
	printf 'linux %s: %d run; passed by kvm_amd %d, by ksvm %d, by both %d, ' \
		"$LAB_KERNEL" "${#upstream_tests[@]}" "$pass_stock" \
		"$pass_ours" "$both"
	printf 'by ksvm only %d; %d do not apply, %d do not build\n' "$only" \
		"${#upstream_excused[@]}" "${#upstream_unbuilt[@]}"
}

# Hold what ksvm passes against the list of what it passed before, or write that
# list anew.
lab_upstream_expect()
{
	local file=$UPSTREAM_DIR/expected test lost='' passed=''

	for test in "${upstream_tests[@]}"; do
		if [[ $(lab_upstream_verdict "ksvm:$test") == pass ]]; then
			passed+="$LAB_KERNEL $test"$'\n'
		elif grep -qxF "$LAB_KERNEL $test" "$file"; then
			lost+=" $test"
		fi
	done
	for test in "${upstream_unbuilt[@]}"; do
		! grep -qxF "$LAB_KERNEL $test" "$file" || lost+=" $test"
	done
	if [[ -n $OPT_UPDATE ]]; then
		# Tests that have not run keep their line.
		{
			printf '%s\n' "${upstream_tests[@]/#/$LAB_KERNEL }" |
				grep -vxFf - "$file"
			printf '%s' "$passed"
		} | LC_ALL=C sort -u >"$file.new"
		mv "$file.new" "$file"
	elif [[ -n $lost ]]; then
		lab_say "linux $LAB_KERNEL: ksvm passed before, and does not now:$lost"
		return 1
	fi
}

# Build, run and judge the tests of one kernel. Logs of what passed are not kept.
lab_upstream_kernel()
{
	local upstream_dir table test
	local -a upstream_tests upstream_unbuilt upstream_excused

	lab_prepare rsync xz-utils
	lab_upstream_build
	lab_upstream_sort
	rm -rf "$(lab_upstream_results)"
	mkdir -p "$(lab_upstream_results)"/{kvm_amd,ksvm}
	lab_upstream_run
	table=$(lab_upstream_results)/table
	lab_upstream_table | tee "$table"
	for test in "${upstream_tests[@]/#/kvm_amd:}" \
		    "${upstream_tests[@]/#/ksvm:}"; do
		[[ $(lab_upstream_verdict "$test") != pass ]] ||
			rm -f "$(lab_upstream_file "$test").log"
	done
	lab_say "the others' output: $(lab_upstream_results)/*/*.log"
	lab_upstream_expect
}

lab_cmd_upstream()
{
	local kernel status=0

	[[ $OPT_HOST == tcg ]] || lab_die "upstream runs on the host tcg"
	OPT_SHIP_MODULE=1
	OPT_MEM=${OPT_MEM:-3072}
	# A test may keep a processor busy until its time is up.
	OPT_APPEND+=" watchdog_thresh=60 rcupdate.rcu_cpu_stall_timeout=120"
	mkdir -p "$LAB_BUILD"
	exec 8>"$LAB_BUILD/check.lock"
	flock -n 8 || lab_die "another check is running in $LAB_BUILD"
	rm -rf "$LAB_BUILD"/upstream.*
	for kernel in ${OPT_KERNEL:-6.1 6.12}; do
		[[ $kernel == 6.1 || $kernel == 6.12 ]] ||
			lab_die "no selftests for kernel '$kernel'; known: 6.1 6.12"
		LAB_KERNEL=$kernel
		lab_upstream_kernel || status=1
	done
	return "$status"
}
