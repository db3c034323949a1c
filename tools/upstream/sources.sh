# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The kernel's own KVM selftests, built from Debian's linux-source packages and
# cached by package version. Nothing of their source is in this tree.

# What of the source they are made of.
LAB_UPSTREAM_PARTS=(Makefile Kbuild Kconfig scripts include usr arch/x86
	tools/include tools/arch tools/build tools/scripts tools/lib/rbtree.c
	tools/testing/selftests)

# The newest version of a package in a suite.
lab_upstream_version()
{
	local -a apt_options

	lab_apt_options "$1"
	apt-cache "${apt_options[@]}" show --no-all-versions "$2" 2>/dev/null |
		sed -n 's/^Version: //p'
}

# Defines that the stable series forgot when it took tests from newer kernels:
# what is missing there is named here, no file is changed.
lab_upstream_cflags()
{
	case "$LAB_KERNEL" in
	6.1)
		printf '%s ' '-include linux/stddef.h' \
			"'-DTEST_ASSERT_EQ(a,b)=ASSERT_EQ(a,b)'"
		;;
	esac
}

# lab_upstream_make SOURCE OUTPUT ARGUMENT...: make, in the tests' folder.
lab_upstream_make()
{
	local source=$1 output=$2

	shift 2
	LDFLAGS=-static make -C "$source/tools/testing/selftests/kvm" \
		OUTPUT="$output" EXTRA_CFLAGS="$(lab_upstream_cflags)" "$@"
}

# What the tests' Makefile wants to build for this processor, one per line.
lab_upstream_list()
{
	# shellcheck disable=SC2016
	printf 'include Makefile\nlab-list:\n\t@printf "%%s\\n" %s %s\n' \
		'$(patsubst $(OUTPUT)/%,%,$(TEST_GEN_PROGS))' \
		'$(TEST_PROGS)' >"$1/lab-list.mk"
	lab_upstream_make "$1" "$2" -s --no-print-directory \
		-f "$1/lab-list.mk" lab-list | sort -u
}

# Fetch the package and unpack what is needed of the source in it.
lab_upstream_unpack()
{
	local suite=$1 package=$2 source=$3 deb

	mkdir -p "$source"
	(
		cd "$source" || exit 1
		lab_apt_download "$suite" "$package" || {
			lab_apt_refresh "$suite"
			lab_apt_download "$suite" "$package"
		} || exit 1
		deb=$(echo "$package"_*.deb)
		dpkg-deb --fsys-tarfile "$deb" |
			tar -x -O -f - "./usr/src/$package.tar.xz" |
			tar -x -J -f - --strip-components=1 \
				"${LAB_UPSTREAM_PARTS[@]/#/$package/}" || exit 1
		rm -f "$deb"
	) || lab_die "cannot fetch and unpack $package"
}

# Build everything that builds; the result is a folder with the programs,
# LIST (every test there is) and build.log.
lab_upstream_compile()
{
	local source=$1 out=$2 log=$2/build.log test

	make -C "$source" -s ARCH=x86 headers_install >"$log" 2>&1 ||
		lab_die "headers_install failed (log: $log)"
	lab_upstream_list "$source" "$source/out" >"$out/LIST"
	[[ -s $out/LIST ]] || lab_die "the selftests' Makefile names no test"
	# What doesn't build is told later, test by test.
	mkdir -p "$source/out"
	lab_upstream_make "$source" "$source/out" -k -j "$(nproc)" \
		all >>"$log" 2>&1 || true
	while read -r test; do
		[[ -x $source/out/$test ]] || continue
		mkdir -p "$out/tests/$(dirname "$test")"
		strip -s -o "$out/tests/$test" "$source/out/$test" 2>/dev/null ||
			cp "$source/out/$test" "$out/tests/$test"
	done <"$out/LIST"
	[[ -d $out/tests ]] || lab_die "no selftest builds (log: $log)"
}

lab_upstream_fetch()
{
	local suite=$1 package=$2 dir=$3

	[[ ! -e $dir/LIST ]] || return 0
	rm -rf "$dir.tmp" "$dir"
	mkdir -p "$dir.tmp"
	lab_say "fetching $package"
	lab_upstream_unpack "$suite" "$package" "$dir.tmp/source"
	lab_say "building the KVM selftests of $package"
	lab_upstream_compile "$dir.tmp/source" "$dir.tmp"
	rm -rf "$dir.tmp/source"
	mv "$dir.tmp" "$dir"
}

# Set upstream_dir to the folder with the tests of $LAB_KERNEL, after building
# them unless that was done for the newest package that apt knows of, in the suite
# of the lab's kernel.
lab_upstream_build()
{
	local package=linux-source-$LAB_KERNEL version

	# shellcheck disable=SC2154 # by lab_kernel_row()
	version=$(lab_upstream_version "$kernel_suite" "$package")
	if [[ -z $version ]]; then
		lab_apt_refresh "$kernel_suite"
		version=$(lab_upstream_version "$kernel_suite" "$package")
	fi
	[[ -n $version ]] || lab_die "apt knows no $package"
	upstream_dir=$LAB_CACHE/kvm-selftests/${package}_$version
	[[ -e $upstream_dir/LIST ]] || lab_cached lab_upstream_fetch \
		"$kernel_suite" "$package" "$upstream_dir" || exit 1
}
