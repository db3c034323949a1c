# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# lab coverage: what of the module the tests reach. The checks are run with a
# module that counts (gcov), on the debug kernel, which is the one that keeps
# the counts; each host leaves them with its result files.

lab_coverage_dir()
{
	printf '%s/coverage\n' "$LAB_BUILD"
}

# Make variables for a module that counts. exit_row() has to be a function for
# lab-coverage to see which row it was.
lab_coverage_module_flags()
{
	echo GCOV_PROFILE=y CFLAGS_svm/exit.o=-fno-inline
}

# lab_coverage_collect RUNDIR: keep the counts of one host.
lab_coverage_collect()
{
	local dir

	[[ -s $1/results.tar ]] || return 0
	dir=$(lab_coverage_dir)/hosts/$(basename "$1")
	mkdir -p "$dir"
	tar -x -f "$1/results.tar" -C "$dir" ./coverage 2>/dev/null ||
		lab_say "a host left no counts"
}

# Add up the counts of all hosts, beside copies of the notes of the compiler.
# Hosts that are not alike count different functions, which is fine.
lab_coverage_merge()
{
	local dir sum next host

	dir=$(lab_coverage_dir)
	sum='' next=0
	for host in "$dir"/hosts/*/coverage/gcov"$(lab_module_dir)"; do
		[[ -d $host ]] || continue
		if [[ -n $sum ]]; then
			next=$((next + 1))
			gcov-tool-12 merge -o "$dir/sum.$next" "$sum" "$host" \
				>"$dir/merge.log" 2>&1 ||
				lab_die "gcov-tool failed, see $dir/merge.log"
			sum=$dir/sum.$next
		else
			sum=$host
		fi
	done
	[[ -n $sum ]] || lab_die "no host left any counts"
	mkdir -p "$dir/all"
	cp -r "$sum/." "$dir/all/"
	(cd "$(lab_module_dir)" && find . -name '*.gcno' \
		-exec cp --parents -t "$dir/all" {} +)
}

lab_cmd_coverage()
{
	local dir status=0

	dir=$(lab_coverage_dir)
	# shellcheck disable=SC2034
	LAB_KERNEL=debug
	# shellcheck disable=SC2034
	OPT_COVERAGE=1
	rm -rf "$dir"
	mkdir -p "$dir"
	(lab_cmd_check) >"$dir/check.log" || {
		status=$?
		lab_say "tests failed, see $dir/check.log"
	}
	tail -n 1 "$dir/check.log"
	lab_kernel_row
	lab_coverage_merge
	perl "$LAB_DIR/coverage.pl" "$LAB_ROOT" "$(lab_module_dir)" "$dir" ||
		status=1
	exit "$status"
}
