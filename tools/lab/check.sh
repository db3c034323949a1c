# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# lab check: everything that can be tested, and the count of how it went.
#
# Each test leaves two files in the results folder: NAME.tap, what it printed,
# and NAME.status, its exit status. prove plays them in the end.

# Time limit of one program in the emulated host, seconds.
LAB_TEST_LIMIT=120

lab_results_dir()
{
	printf '%s/results\n' "$LAB_BUILD"
}

# Is this test wanted? By name, if any were given.
lab_check_wants()
{
	((${#ARGS[@]} == 0)) || [[ " ${ARGS[*]} " == *" $1 "* ]]
}

# lab_result NAME STATUS <OUTPUT: record a result. Output that is no TAP is made
# the comment of one test that passes with status 0 and is skipped with 4; a
# status that the output doesn't explain becomes a test that failed.
lab_result()
{
	local name=$1 status=$2 base verdict='ok 1 - '

	base=$(lab_results_dir)/$name
	tr -d '\r\000' >"$base.tap"
	if ! grep -qE '^1\.\.[0-9]+' "$base.tap"; then
		((status == 0 || status == 4)) || verdict='not ok 1 - '
		sed -i 's/^/# /' "$base.tap"
		if ((status == 4)); then
			name+=" # SKIP $(sed -n '$s/^# //p' "$base.tap")"
		fi
		printf '%s%s\n1..1\n' "$verdict" "$name" >>"$base.tap"
	fi
	printf '%s\n' "$status" >"$base.status"
	case "$status" in
	0) lab_say "$1: passed" ;;
	4) lab_say "$1: skipped" ;;
	*) lab_say "$1: FAILED, status $status" ;;
	esac
}

# lab_check_local NAME COMMAND...: a check that needs no emulated host.
lab_check_local()
{
	local name=$1 output status=0

	shift
	lab_check_wants "$name" || return 0
	output=$("$@" 2>&1) || status=$?
	lab_result "$name" "$status" <<<"$output"
	((status == 0)) || printf '%s\n' "$output" | tail -n 30 >&2
}

# Build the selftests into a folder that becomes /tests in the host.
lab_selftests_build()
{
	local log=$LAB_BUILD/selftests.log

	mkdir -p "$LAB_BUILD/selftests"
	make -C "$LAB_ROOT/tools/selftests" O="$LAB_BUILD/selftests" \
		EXTRA_CFLAGS=-Werror -j "$(nproc)" >"$log" 2>&1 || {
		tail -n 30 "$log" >&2
		lab_die "the selftests do not build (whole log: $log)"
	}
	find "$LAB_ROOT/tools/selftests" -maxdepth 1 -name '*.sh' \
		-exec cp {} "$LAB_BUILD/selftests/" \;
}

# The selftest programs: each source has to be one, whatever the Makefile says.
lab_selftests()
{
	local program

	for program in "$LAB_ROOT"/tools/selftests/*_test.c; do
		basename "$program" .c
	done
}

# The unit tests and short fuzz runs of the pure files, on this machine.
lab_check_host()
{
	local tap name='' failed status=0 out=$LAB_BUILD/host

	lab_check_wants host || return 0
	mkdir -p "$out"
	rm -f "$out"/*.tap
	make -C "$LAB_ROOT/tools/selftests/host" O="$out" -j "$(nproc)" \
		check >"$out.log" 2>&1 || status=$?
	for tap in "$out"/*.tap; do
		[[ -e $tap ]] || continue
		name=$(basename "$tap" .tap)
		# make's status is the verdict; a failed file shows in it.
		failed=$(grep -cE '^not ok' "$tap")
		lab_result "host-$name" "$((failed > 0))" <"$tap"
	done
	[[ -n $name ]] || status=1
	lab_result host "$status" < <(tail -n 30 "$out.log")
	((status == 0)) || tail -n 30 "$out.log" >&2
}

# lab_suite_split OUTPUT TOKEN [DIR]: take the output of lab-suite apart into
# results. Prints the names of the programs that were begun; the last one failed
# if it has no end.
lab_suite_split()
{
	local output=$1 token=$2 dir

	dir=${3:-$(lab_results_dir)/suite}
	rm -rf "$dir"
	mkdir -p "$dir"
	# The line break before each mark is not the program's: an empty line
	# is written when the next one shows that it was not the last.
	tr -d '\r\000' <"$output" | awk -v dir="$dir" -v token="$token" '
	$1 == token && $2 == "test" {
		name = $3; held = 0
		print name
		printf "" >(dir "/" name ".out")
		next
	}
	$1 == token && $2 == "done" {
		print $3 >(dir "/" name ".status")
		name = ""
		next
	}
	name != "" {
		if (held) print "" >(dir "/" name ".out")
		held = ($0 == "")
		if (!held) print >(dir "/" name ".out")
	}'
}

# Run programs in one emulated host. When the host dies the program that ran
# has failed, and another host is booted for the rest.
lab_check_suite()
{
	local -a left=("$@") begun
	local dir output name status

	output=$LAB_BUILD/suite.out
	dir=$(lab_results_dir)/suite
	while ((${#left[@]})); do
		lab_say "running in the emulated host: ${left[*]}"
		LAB_TOKEN_FILE=$LAB_BUILD/suite.token
		lab_host_run "lab-suite $((LAB_TEST_LIMIT *
			$(lab_host_slowness))) ${left[*]}" >"$output"
		mapfile -t begun < <(lab_suite_split "$output" \
			"$(<"$LAB_TOKEN_FILE")")
		if ((${#begun[@]} == 0)); then
			name=${left[0]} status=125
			lab_result "$name" "${host_status/#0/125}" <"$output"
			begun=("$name")
		else
			for name in "${begun[@]}"; do
				status=$(cat "$dir/$name.status" 2>/dev/null) ||
					status=125
				lab_result "$name" "$status" <"$dir/$name.out"
			done
		fi
		# Trouble that shows only in the log: charge the last program.
		if ((host_status)) && [[ ${status-0} == [04] ]]; then
			lab_result "${name}-host" "$host_status" <<-TEXT
			the host's kernel reported trouble in this run
			TEXT
		fi
		left=("${left[@]:${#begun[@]}}")
	done
	rm -rf "$dir" "$output" "$LAB_TOKEN_FILE"
	unset LAB_TOKEN_FILE
}

# Can this host do what the options of a case ask for? One that names its host
# is for no other; a processor, a guest or a kernel of its own is for QEMU.
lab_case_is_here()
{
	# A module that counts does not check itself.
	[[ -z $OPT_COVERAGE || " $1 " != *' --contract '* ]] || return
	case " $1 " in
	*' --host '*) [[ " $1 " == *" --host $OPT_HOST "* ]] ;;
	*' --kernel '*) [[ $OPT_HOST == tcg && $LAB_KERNEL == 6.1 ]] ;;
	*' --cpu '* | *' --guest '* | *' --guest-all '* | *' --icount '*) [[ $OPT_HOST == tcg ]] ;;
	# There the module is built like this anyway.
	*' --contract '*) ! lab_kernel_is_debug ;;
	esac
}

# One line of lab-cases: a host of its own for one command.
lab_check_case()
{
	local name=$1 options=$2 command=$3 status=0 output

	output=$LAB_BUILD/case-$name.out
	(
		OPT_MEM=''
		eval "lab_options $options"
		OPT_SHIP_MODULE=1
		OPT_ADD+=("$LAB_BUILD/selftests:/tests")
		lab_prepare
		lab_host_run "cd /tests && { $command
}"
		exit "$host_status"
	) >"$output" || status=$?
	lab_result "$name" "$status" <"$output"
	((status == 0 || status == 4)) || tail -n 30 "$output" >&2
	rm -f "$output"
}

# lab_check_chosen FILE: the lines of it that are to be run.
lab_check_chosen()
{
	local line name

	while IFS= read -r line; do
		read -r name _ <<<"$line"
		[[ -n $name && $name != \#* ]] || continue
		if [[ $name == +* ]]; then
			((${#ARGS[@]})) || continue
			line=${line#+} name=${name#+}
		fi
		! lab_check_wants "$name" || printf '%s\n' "$line"
	done <"$1"
}

# Run one case after the other until none is left; several workers share the list.
lab_check_worker()
{
	local name options command

	while {
		flock 7
		IFS='|' read -r name options command <&6
	}; do
		flock -u 7
		read -r name <<<"$name"
		[[ -n $command ]] || lab_die "lab-cases: no command for $name"
		if lab_case_is_here "$options"; then
			lab_check_case "$name" "$options" "$command"
		elif ((${#ARGS[@]})); then
			lab_result "$name" 4 <<<"not for this host"
		fi
	done
}

# Two at a time; most hosts keep one processor of this machine busy.
lab_check_cases()
{
	local lock=$LAB_BUILD/cases.lock file=$LAB_ROOT/tools/selftests/lab-cases

	[[ -e $file ]] || lab_die "no $file"
	{
		lab_check_worker 7>"$lock" &
		lab_check_worker 7>"$lock"
		wait
	} 6< <(lab_check_chosen "$file")
	rm -f "$lock"
}

# Fetch what cases will want while the processors are busy with other tests. A case that
# comes first waits for the cache, and what cannot be had is for the case to tell.
lab_check_prefetch()
{
	local kernel

	renice -n 5 "$BASHPID" >/dev/null
	(lab_guest_packages_need)
	while read -r kernel; do
		(
			LAB_KERNEL=$kernel
			lab_kernel_fetch
			lab_kernel_tools
		)
	done < <(grep -o -- '^[a-z].*--kernel [^ ]*' \
		"$LAB_ROOT/tools/selftests/lab-cases" | sed 's/.* //')
}

# Count test points over all results; a program whose TAP breaks off, or whose
# status is an error that no test point explains, is one failed test more.
lab_check_count()
{
	local tap status

	for tap in "$(lab_results_dir)"/*.tap; do
		status=$(<"${tap%.tap}.status")
		awk -v status="$status" '
		/^1\.\.[0-9]+/ { plan = substr($1, 4) + 0; planned = 1 }
		/^(ok|not ok)/ {
			points++
			if (/^not/) failed++
			else if (/# *[Ss][Kk][Ii][Pp]/) skipped++
			else passed++
		}
		/^Bail out!/ { bail = 1 }
		END {
			if (planned && plan == 0 && !points) {
				if (status == 4) skipped = 1
				else failed++
			}
			if (!planned || plan != points || bail ||
			    (status != 0 && status != 4 && !failed))
				failed++
			print passed + 0, failed + 0, skipped + 0
		}' "$tap"
	done | awk '
	{ passed += $1; failed += $2; skipped += $3 }
	END {
		printf "%d passed, %d failed", passed, failed
		if (skipped) printf ", %d skipped", skipped
		print ""
		exit failed != 0 || passed == 0
	}'
}

# All of it, or with --contract what has guests to check it with: the programs.
lab_cmd_check()
{
	local program prove_status=0 whole='' prefetch=''
	local -a programs=()

	[[ -n $OPT_CONTRACT ]] || whole=1

	mkdir -p "$LAB_BUILD"
	exec 8>"$LAB_BUILD/check.lock"
	flock -n 8 || lab_die "another check is running in $LAB_BUILD"
	lab_say "building the module and the tests"
	OPT_SHIP_MODULE=1
	OPT_MODULE=1
	lab_prepare
	if [[ $whole && $OPT_HOST == tcg && $LAB_KERNEL == 6.1 ]] && ((!${#ARGS[@]})); then
		lab_check_prefetch >"$LAB_BUILD/prefetch.log" 2>&1 8>&- &
		prefetch=$!
	fi
	lab_selftests_build
	rm -rf "$(lab_results_dir)"
	mkdir -p "$(lab_results_dir)"

	lab_check_local layering "$LAB_ROOT/tools/check/layering" \
		"$(lab_module_dir)"
	# What neither host nor kernel can change: only with the plain ones.
	if [[ $whole && $OPT_HOST == tcg && $LAB_KERNEL == 6.1 ]] ||
	   ((${#ARGS[@]})); then
		lab_check_local exits "$LAB_ROOT/tools/check/exits"
		lab_check_host
	fi
	if [[ $whole && $LAB_KERNEL == 6.1 ]] || ((${#ARGS[@]})); then
		lab_check_local lab "$LAB_DIR/selftest" --host "$OPT_HOST"
	fi
	while read -r program; do
		lab_check_wants "$program" && programs+=("$program")
	done < <(lab_selftests)
	if ((${#programs[@]})); then
		OPT_ADD+=("$LAB_BUILD/selftests:/tests")
		OPT_TIMEOUT=$((60 + LAB_TEST_LIMIT * ${#programs[@]}))
		OPT_LEAKS=1
		lab_check_suite "${programs[@]}"
	fi
	OPT_ADD=() OPT_MODULE='' OPT_TIMEOUT=300 OPT_LEAKS=''
	if [[ $whole ]] || ((${#ARGS[@]})); then
		lab_check_cases
	fi
	[[ -z $prefetch ]] || wait "$prefetch"
	for program in "${ARGS[@]}"; do
		[[ -e $(lab_results_dir)/$program.tap ]] ||
			lab_result "$program" 1 <<<"there is no such test"
	done

	(
		cd "$(lab_results_dir)" || exit 1
		prove --merge --exec "$LAB_DIR/play-result" ./*.tap
	) || prove_status=$?
	lab_check_count || exit 1
	exit "$prove_status"
}
