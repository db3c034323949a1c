# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# lab matrix: lab check on every host and kernel, and one table of how it went. QEMU's
# rows and Bochs' run side by side.

# Host, kernel, further options of lab check.
lab_matrix_rows()
{
	cat <<-'ROWS'
	tcg|6.1|
	tcg|6.1|--contract
	tcg|6.12|
	tcg|7.x|
	bochs|6.1|
	bochs|6.1|--contract
	tcg|debug|
	tcg|debug-kcsan|
	ROWS
}

lab_matrix_dir()
{
	printf '%s/matrix\n' "$LAB_BUILD"
}

# One row: prints its line of the table. What is fetched and built once is
# shared with the rest of the lab, the row's module and results are its own.
lab_matrix_row()
{
	local host=$1 kernel=$2 options=$3 dir start=$SECONDS status=0 counts

	dir=$(lab_matrix_dir)/$host-$kernel${options:+-${options#--}}
	mkdir -p "$dir"
	lab_say "checking: $host, kernel $kernel${options:+, $options}"
	# shellcheck disable=SC2086
	LAB_CACHE=$LAB_CACHE LAB_BUILD=$dir "$LAB_DIR/lab" check \
		--host "$host" --kernel "$kernel" $options "${ARGS[@]}" \
		>"$dir.log" 2>&1 || status=$?
	counts=$(sed -nE 's/^([0-9]+) passed, ([0-9]+) failed(, ([0-9]+) skipped)?$/\1 \2 \4/p' \
		"$dir.log" | tail -n 1)
	# shellcheck disable=SC2086
	set -- ${counts:--} - - 0
	((status == 0)) || lab_say "FAILED, see $dir.log"
	printf '%-6s %-12s %-12s %7s %7s %8s %6d:%02d\n' "$host" "$kernel" \
		"${options:--}" "$1" "$2" "$3" \
		$(((SECONDS - start) / 60)) $(((SECONDS - start) % 60))
	return "$status"
}

# The rows of one emulator, one after the other; each leaves its line in a file.
lab_matrix_lane()
{
	local wanted=$1 host kernel options failed=0

	while IFS='|' read -r host kernel options <&3; do
		[[ $host == "$wanted" ]] || continue
		lab_matrix_row "$host" "$kernel" "$options" \
			>"$(lab_matrix_dir)/$host-$kernel$options.line" ||
			failed=$((failed + 1))
	done 3< <(lab_matrix_rows)
	return "$failed"
}

# Bochs uses one processor: it has a lane of its own.
lab_cmd_matrix()
{
	local host kernel options start=$SECONDS failed=0 bochs

	mkdir -p "$(lab_matrix_dir)"
	rm -f "$(lab_matrix_dir)"/*.line
	# In a process group of its own, to end with all that it has started.
	set -m
	lab_matrix_lane bochs </dev/null &
	bochs=$!
	set +m
	# shellcheck disable=SC2064
	trap "kill -- -$bochs 2>/dev/null" EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	lab_matrix_lane tcg || failed=$?
	wait "$bochs" || failed=$((failed + $?))
	trap - EXIT INT TERM HUP
	printf '%-6s %-12s %-12s %7s %7s %8s %9s\n' host kernel options \
		passed failed skipped min:s
	while IFS='|' read -r host kernel options; do
		cat "$(lab_matrix_dir)/$host-$kernel$options.line"
	done < <(lab_matrix_rows)
	printf 'in all: %d:%02d\n' $(((SECONDS - start) / 60)) \
		$(((SECONDS - start) % 60))
	((failed == 0)) || lab_die "$failed of the rows failed"
}
