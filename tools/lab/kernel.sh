# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Kernel images and headers: taken from Debian's packages, unpacked under the
# build folder, never installed.

# One row per kernel that the lab knows: name for --kernel, suite for apt ("-"
# is what the machine is set up for), beginning of its versions, of which the
# newest is taken, and the chroot for what is built against it ("-": none).
# The debug kernels are built, see debug.sh.
lab_kernel_rows()
{
	cat <<-'ROWS'
	6.1|-|6.1.|-
	6.12|bookworm-backports|6.12.|-
	7.x|trixie-backports|7.|trixie
	debug|-|-|-
	debug-kcsan|-|-|-
	ROWS
}

# Set kernel_suite, kernel_version and kernel_chroot from the row of $LAB_KERNEL.
lab_kernel_row()
{
	local name known=

	while IFS='|' read -r name kernel_suite kernel_version \
			      kernel_chroot; do
		[[ $name == "$LAB_KERNEL" ]] && return 0
		known+=" $name"
	done < <(lab_kernel_rows)
	lab_die "no kernel '$LAB_KERNEL'; known:$known"
}

lab_kernel_dir()
{
	printf '%s\n' "$LAB_CACHE/kernel/$LAB_KERNEL"
}

# The release string of the unpacked kernel.
lab_kernel_release()
{
	cat "$(lab_kernel_dir)/release"
}

lab_kdir()
{
	printf '%s/usr/src/linux-headers-%s\n' "$(lab_kernel_dir)" \
		"$(lab_kernel_release)"
}

lab_vmlinuz()
{
	printf '%s/boot/vmlinuz-%s\n' "$(lab_kernel_dir)" \
		"$(lab_kernel_release)"
}

# Path of a module of the unpacked kernel, by file name.
lab_kernel_module()
{
	find "$(lab_kernel_dir)" -path '*/lib/modules/*' -name "$1.ko" \
		-print -quit
}

# lab_kernel_make ARG...: the kernel's build system, for modules. The headers
# bring BTF of the kernel; the modules do without, as it takes pahole.
lab_kernel_make()
{
	local -a chroot_command=()

	[[ $kernel_chroot == - ]] || lab_chroot_command "$kernel_chroot"
	"${chroot_command[@]}" make -C "$(lab_kdir)" \
		CONFIG_DEBUG_INFO_BTF_MODULES= "$@"
}

# Install what lab_kernel_make() takes where it runs.
lab_kernel_tools()
{
	local compiler

	[[ $kernel_chroot != - ]] || return 0
	compiler=$(grep -o 'gcc-[0-9]*' "$(lab_kdir)/.kernelvariables")
	lab_chroot_need "$kernel_chroot" make libelf1t64 "$compiler" "$@"
}

# Fetch the packages of the image and of the headers. Both may be split, into
# packages with this release in their names.
lab_kernel_download()
{
	local release package
	local -a packages

	release=$(lab_apt_names "$kernel_suite" "linux-image-$kernel_version" |
		sed -n 's/^linux-image-\(.*-cloud-amd64\)$/\1/p' |
		sort -V | tail -n 1)
	[[ -n $release ]] || return 1
	packages=("linux-image-$release" "linux-headers-$release")
	for package in "${packages[@]}"; do
		mapfile -t -O "${#packages[@]}" packages < <(
			lab_apt_depends "$kernel_suite" "$package" | grep -E \
			"^linux-(binary|modules|kbuild|headers-.*-common)")
	done
	printf '%s\n' "$release" >release
	lab_apt_download "$kernel_suite" "${packages[@]}"
}

# Debian's header packages name each other by absolute path: make the copy
# under the cache refer to itself.
lab_kernel_relocate()
{
	local dir=usr/src/linux-headers-$1 common

	common=$(sed -n 's|^include /usr/src/\([^/]*\)/Makefile$|\1|p' \
		"$dir/Makefile")
	[[ -n $common ]] || lab_die "unexpected contents of $dir/Makefile"
	# shellcheck disable=SC2016
	{
		printf 'here := $(dir $(abspath $(lastword $(MAKEFILE_LIST))))\n'
		sed -e "s|^include .*|include \$(here)../$common/Makefile|" \
			-e 's|^\(KBUILD_OUTPUT=\).*|\1$(here:/=)|' "$dir/Makefile"
	} >"$dir/Makefile.new"
	mv "$dir/Makefile.new" "$dir/Makefile"
}

# The emulated host's tools load no compressed modules.
lab_kernel_decompress()
{
	local module

	while read -r module; do
		lab_packages_need xz-utils
		xz -d "$module" || lab_die "cannot decompress $module"
	done < <(find . -path '*/lib/modules/*' -regex \
		'.*/\(irqbypass\|kvm\|kvm-amd\)\.ko\.xz')
}

# Fetch and unpack image and headers of $LAB_KERNEL unless that was done.
lab_kernel_fetch()
{
	lab_kernel_row
	if lab_kernel_is_debug; then
		lab_debug_need
		return
	fi
	[[ -e $(lab_kernel_dir)/release ]] || lab_cached lab_kernel_unpack || exit 1
}

lab_kernel_unpack()
{
	local dir tmp release deb

	dir=$(lab_kernel_dir)
	[[ ! -e $dir/release ]] || return 0
	lab_say "fetching Debian's kernel $LAB_KERNEL and its headers"
	tmp=$dir.tmp
	rm -rf "$tmp" "$dir"
	mkdir -p "$tmp"
	(
		cd "$tmp" || exit 1
		lab_kernel_download || {
			rm -f ./*.deb
			lab_apt_refresh "$kernel_suite"
			lab_kernel_download
		} || lab_die "apt-get download failed for kernel $LAB_KERNEL"
		for deb in *.deb; do
			dpkg-deb -x "$deb" . || lab_die "cannot unpack $deb"
		done
		rm -f ./*.deb
		release=$(<release)
		# Newer packages have the image among the modules.
		[[ -e boot/vmlinuz-$release ]] || {
			mkdir -p boot
			mv "usr/lib/modules/$release/vmlinuz" \
				"boot/vmlinuz-$release"
		} || lab_die "image and headers differ: no vmlinuz-$release"
		lab_kernel_relocate "$release"
		lab_kernel_decompress
	) || exit 1
	mv "$tmp" "$dir"
}

# Print the path of checkpatch.pl, after taking it from Debian's linux-source
# package if that was not done.
lab_checkpatch()
{
	local dir=$LAB_CACHE/checkpatch source=linux-source-6.1 file

	if [[ ! -x $dir/scripts/checkpatch.pl ]]; then
		lab_say "fetching $source for its checkpatch.pl"
		rm -rf "$dir" "$dir.tmp"
		mkdir -p "$dir.tmp"
		(
			cd "$dir.tmp" || exit 1
			lab_apt_download - "$source" || exit 1
			file=$(echo "$source"_*.deb)
			dpkg-deb --fsys-tarfile "$file" |
				tar -x -O -f - "./usr/src/$source.tar.xz" |
				tar -x -J -f - --strip-components=1 \
					"$source/scripts/checkpatch.pl" \
					"$source/scripts/spelling.txt" \
					"$source/scripts/const_structs.checkpatch"
			rm -f "$file"
			[[ -e scripts/checkpatch.pl ]]
		) || lab_die "no checkpatch.pl from $source"
		mv "$dir.tmp" "$dir"
	fi
	printf '%s\n' "$dir/scripts/checkpatch.pl"
}
