# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Building the module for the lab's kernel, outside the source tree.

lab_module_dir()
{
	printf '%s/module/%s\n' "$LAB_BUILD" "$LAB_KERNEL"
}

lab_module_path()
{
	printf '%s/ksvm.ko\n' "$(lab_module_dir)"
}

# The folders and files that make up the module.
LAB_MODULE_SOURCES=(Kbuild core svm pmu irq x86 mmu compat include)

# A tree of links to the sources, so that objects land beside the links and an
# edit is seen by make through its time stamp. Objects of a build in place are
# left out.
lab_module_mirror()
{
	local dir=$1 file

	mkdir -p "$dir"
	# Links to files that are gone.
	find "$dir" -xtype l -delete
	while read -r file; do
		[[ ! -L $dir/$file ]] || continue
		mkdir -p "$dir/$(dirname "$file")"
		ln -s "$LAB_ROOT/$file" "$dir/$file"
	done < <(cd "$LAB_ROOT" && find "${LAB_MODULE_SOURCES[@]}" \
		\( -name '*.[chS]' -o -name Kbuild \) 2>/dev/null)
}

# Build ksvm.ko for the lab's kernel, once in a run of the lab; warnings are
# errors. Output is shown only when it fails.
lab_module_build()
{
	local dir log

	[[ ${lab_module_built-} != "$LAB_KERNEL" ]] || return 0
	[[ -e $LAB_ROOT/Kbuild ]] || lab_die "no Kbuild in $LAB_ROOT"
	dir=$(lab_module_dir)
	log=$dir.log
	lab_module_mirror "$dir"
	if ! make -C "$(lab_kdir)" M="$dir" W=1 KCFLAGS=-Werror \
		-j "$(nproc)" modules >"$log" 2>&1; then
		grep -E 'error|warning|Error|ERROR|undefined' "$log" |
			head -n 40 >&2
		lab_die "the module does not build (whole log: $log)"
	fi
	lab_module_built=$LAB_KERNEL
}

# Compile the module once more, in a folder of its own, with sparse looking at
# every file.
lab_module_sparse()
{
	local dir=$LAB_BUILD/sparse/$LAB_KERNEL

	lab_module_mirror "$dir"
	if ! make -C "$(lab_kdir)" M="$dir" C=2 CHECK=sparse \
		CF=-Wsparse-error W=1 KCFLAGS=-Werror -j "$(nproc)" \
		modules >"$dir.log" 2>&1 ||
		grep -qE 'warning:|error:' "$dir.log"; then
		grep -E 'warning:|error:' "$dir.log" >&2
		lab_die "sparse is not content (whole log: $dir.log)"
	fi
}
