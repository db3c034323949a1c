# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Building the module for the lab's kernel, outside the source tree.

lab_module_dir()
{
	printf '%s/module/%s%s\n' "$LAB_BUILD" "$LAB_KERNEL" \
		"${OPT_COVERAGE:+-coverage}${OPT_CONTRACT:+-contract}"
}

lab_module_path()
{
	printf '%s/ksvm.ko\n' "$(lab_module_dir)"
}

# The folders and files that make up the module.
LAB_MODULE_SOURCES=(Kbuild core svm pmu irq x86 mmu compat include)

# Modules for tests only, each one source file; their folder and where they are
# built.
LAB_TEST_MODULES=tools/selftests/firmware

lab_test_modules_dir()
{
	printf '%s/module/tests-%s\n' "$LAB_BUILD" "$LAB_KERNEL"
}

# lab_module_mirror DIR TOP SOURCE...: a tree of links to the sources below TOP,
# so that objects land beside the links and an edit is seen by make through its
# time stamp. Objects of a build in place are left out; those of another tree's sources
# go.
lab_module_mirror()
{
	local dir=$1 top=$2 file

	shift 2
	[[ $(readlink "$dir/top") == "$top" ]] || rm -rf "$dir"
	mkdir -p "$dir"
	ln -sfn "$top" "$dir/top"
	# Links to files that are gone.
	find "$dir" -xtype l -delete
	while read -r file; do
		[[ ! -L $dir/$file ]] || continue
		mkdir -p "$dir/$(dirname "$file")"
		ln -s "$top/$file" "$dir/$file"
	done < <(cd "$top" && find "$@" \
		\( -name '*.[chS]' -o -name Kbuild \) ! -name '*.mod.c' 2>/dev/null)
}

# A point release of Debian may bring another compiler than built the kernel.
LAB_MODULE_TOOLS_DIFFER='(pahole version|compiler) differs'

# Warnings are errors, those of objtool and modpost as well; output is shown only
# when it fails.
lab_module_compile()
{
	local dir=$1 log=$1.log

	# shellcheck disable=SC2046
	if ! lab_kernel_make M="$dir" W=1 KCFLAGS=-Werror \
		$(lab_debug_module_flags) \
		${OPT_CONTRACT:+DEBUG_CONTRACT=1} -j "$(nproc)" modules >"$log" 2>&1 ||
		grep -iE 'warning: ' "$log" | grep -qvE "$LAB_MODULE_TOOLS_DIFFER"; then
		grep -E 'error|warning|Error|ERROR|undefined' "$log" |
			grep -vE "$LAB_MODULE_TOOLS_DIFFER" |
			head -n 40 >&2
		lab_die "a module does not build (whole log: $log)"
	fi
}

# Build ksvm.ko and the test modules for the lab's kernel, once in a run of the
# lab.
lab_module_build()
{
	local dir

	[[ ${lab_module_built-} != "$(lab_module_dir)" ]] || return 0
	[[ -e $LAB_ROOT/Kbuild ]] || lab_die "no Kbuild in $LAB_ROOT"
	lab_kernel_tools
	dir=$(lab_module_dir)
	lab_module_mirror "$dir" "$LAB_ROOT" "${LAB_MODULE_SOURCES[@]}"
	lab_module_compile "$dir"
	dir=$(lab_test_modules_dir)
	lab_module_mirror "$dir" "$LAB_ROOT/$LAB_TEST_MODULES" .
	lab_module_compile "$dir"
	lab_module_built=$(lab_module_dir)
}

# Put what lab_module_build() built into a folder.
lab_module_copy()
{
	cp "$(lab_module_path)" "$(lab_test_modules_dir)"/*.ko "$1"
}

# Compile the modules once more, in folders of their own, with sparse looking at
# every file.
lab_module_sparse()
{
	local dir=$LAB_BUILD/sparse/$LAB_KERNEL

	lab_kernel_tools sparse
	lab_module_mirror "$dir" "$LAB_ROOT" "${LAB_MODULE_SOURCES[@]}"
	lab_module_sparse_one "$dir"
	dir=$LAB_BUILD/sparse/$LAB_KERNEL-contract
	lab_module_mirror "$dir" "$LAB_ROOT" "${LAB_MODULE_SOURCES[@]}"
	lab_module_sparse_one "$dir" DEBUG_CONTRACT=1
	dir=$LAB_BUILD/sparse/tests-$LAB_KERNEL
	lab_module_mirror "$dir" "$LAB_ROOT/$LAB_TEST_MODULES" .
	lab_module_sparse_one "$dir"
}

# lab_module_sparse_one DIR [VARIABLE...]
lab_module_sparse_one()
{
	local dir=$1

	shift
	if ! lab_kernel_make M="$dir" C=2 CHECK=sparse \
		CF=-Wsparse-error W=1 KCFLAGS=-Werror "$@" -j "$(nproc)" \
		modules >"$dir.log" 2>&1 ||
		grep -qE 'warning:|error:' "$dir.log"; then
		grep -E 'warning:|error:' "$dir.log" >&2
		lab_die "sparse is not content (whole log: $dir.log)"
	fi
}
