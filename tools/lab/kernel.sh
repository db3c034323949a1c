# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Kernel images and headers: taken from Debian's packages, unpacked under the
# build folder, never installed.

# One row per kernel that the lab knows: name for --kernel, suite for apt ("-"
# is what the machine is set up for), image, headers and kbuild package. The
# first two are meta packages; the concrete ones are found through them.
lab_kernel_rows()
{
	cat <<-'ROWS'
	6.1|-|linux-image-cloud-amd64|linux-headers-cloud-amd64|linux-kbuild-6.1
	ROWS
}

# Set kernel_suite, kernel_image, kernel_headers and kernel_kbuild from the
# row of $LAB_KERNEL.
lab_kernel_row()
{
	local name known=

	while IFS='|' read -r name kernel_suite kernel_image \
			      kernel_headers kernel_kbuild; do
		[[ $name == "$LAB_KERNEL" ]] && return 0
		known+=" $name"
	done < <(lab_kernel_rows)
	lab_die "no kernel '$LAB_KERNEL'; known:$known"
}

lab_kernel_dir()
{
	printf '%s\n' "$LAB_BUILD/kernel/$LAB_KERNEL"
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
	find "$(lab_kernel_dir)/lib/modules" -name "$1.ko" -print -quit
}

# The one dependency of a meta package that matches a pattern.
lab_apt_dependency()
{
	local -a suite=()

	[[ $kernel_suite == - ]] || suite=(-t "$kernel_suite")
	apt-cache "${suite[@]}" depends "$1" 2>/dev/null |
		sed -n 's/^ *Depends: //p' | grep -m 1 -E "$2"
}

lab_kernel_download()
{
	local image headers common
	local -a opts=(-qq)

	((EUID == 0)) && opts+=(-o APT::Sandbox::User=root)
	[[ $kernel_suite == - ]] || opts+=(-t "$kernel_suite")

	image=$(lab_apt_dependency "$kernel_image" '^linux-image-[0-9]') ||
		return 1
	headers=linux-headers-${image#linux-image-}
	headers=${headers%-unsigned}
	common=$(lab_apt_dependency "$headers" '^linux-headers-.*-common$') ||
		return 1
	printf '%s\n' "${headers#linux-headers-}" >release
	apt-get "${opts[@]}" download "$image" "$headers" "$common" \
		"$kernel_kbuild" >&2
}

# Debian's header packages name each other by absolute path: make the copy
# under the build folder refer to itself.
lab_kernel_relocate()
{
	local release=$1 makefile common

	makefile=usr/src/linux-headers-$release/Makefile
	common=$(sed -n 's|^include /usr/src/\([^/]*\)/Makefile$|\1|p' \
		"$makefile")
	[[ -n $common ]] || lab_die "unexpected contents of $makefile"
	# shellcheck disable=SC2016
	printf 'include $(dir $(lastword $(MAKEFILE_LIST)))../%s/Makefile\n' \
		"$common" >"$makefile"
	rm -f "lib/modules/$release/build" "lib/modules/$release/source"
	ln -s "../../../usr/src/linux-headers-$release" \
		"lib/modules/$release/build"
}

# Fetch and unpack image and headers of $LAB_KERNEL unless that was done.
lab_kernel_fetch()
{
	local dir tmp release deb

	dir=$(lab_kernel_dir)
	[[ -e $dir/release ]] && return 0

	lab_kernel_row
	lab_say "fetching Debian's kernel $LAB_KERNEL and its headers"
	tmp=$dir.tmp
	rm -rf "$tmp" "$dir"
	mkdir -p "$tmp"
	(
		cd "$tmp" || exit 1
		apt-cache show "$kernel_image" >/dev/null 2>&1 || lab_apt_update
		lab_kernel_download || {
			rm -f ./*.deb
			lab_apt_update
			lab_kernel_download
		} || lab_die "apt-get download failed for kernel $LAB_KERNEL"
		for deb in *.deb; do
			dpkg-deb -x "$deb" . || lab_die "cannot unpack $deb"
		done
		rm -f ./*.deb
		release=$(<release)
		[[ -e boot/vmlinuz-$release ]] ||
			lab_die "image and headers differ: no vmlinuz-$release"
		lab_kernel_relocate "$release"
	) || exit 1
	mv "$tmp" "$dir"
}

# Print the path of checkpatch.pl, after taking it from Debian's linux-source
# package if that was not done.
lab_checkpatch()
{
	local dir=$LAB_BUILD/checkpatch source=linux-source-6.1 file
	local -a opts=(-qq)

	if [[ ! -x $dir/scripts/checkpatch.pl ]]; then
		lab_say "fetching $source for its checkpatch.pl"
		((EUID == 0)) && opts+=(-o APT::Sandbox::User=root)
		rm -rf "$dir"
		mkdir -p "$dir.tmp"
		(
			cd "$dir.tmp" || exit 1
			apt-get "${opts[@]}" download "$source" >&2 || exit 1
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
