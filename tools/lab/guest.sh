# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What boots inside the emulated host: QEMU, its firmware, a Linux guest. Archives
# for the host's initramfs, which are made once.

# The guest's kernel, whatever the host's is.
LAB_GUEST_KERNEL=6.1

# Drivers of the guest, in the order in which they are loaded.
LAB_GUEST_DRIVERS=(virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev
	virtio_pci virtio_mmio failover net_failover virtio_net virtio_blk)

# What QEMU of this machine is joined by: name of the folder, suite for apt ("-" is
# what the machine is set up for), packages.
lab_guest_package_rows()
{
	cat <<-'ROWS'
	qemu-10.0|bookworm-backports|qemu-system-x86 qemu-system-data seabios
	ovmf|-|ovmf
	ROWS
}

lab_guest_package_dir()
{
	printf '%s/guest/%s\n' "$LAB_CACHE" "$1"
}

# Fetch and unpack the packages of all rows unless that was done.
lab_guest_packages_need()
{
	local name suite packages

	while IFS='|' read -r name suite packages <&3; do
		[[ -e $(lab_guest_package_dir "$name")/ready ]] ||
			lab_cached lab_guest_unpack "$name" "$suite" \
				"$packages" || exit 1
	done 3< <(lab_guest_package_rows)
}

lab_guest_unpack()
{
	local name=$1 suite=$2 packages=$3 dir tmp deb

	dir=$(lab_guest_package_dir "$name")
	[[ ! -e $dir/ready ]] || return 0
	lab_say "fetching $name for the guests"
	tmp=$dir.tmp
	rm -rf "$tmp" "$dir"
	mkdir -p "$tmp"
	(
		cd "$tmp" || exit 1
		# shellcheck disable=SC2086
		lab_apt_download "$suite" $packages || {
			rm -f ./*.deb
			lab_apt_refresh "$suite"
			lab_apt_download "$suite" $packages
		} || lab_die "apt-get download failed for $packages"
		for deb in *.deb; do
			dpkg-deb -x "$deb" . || lab_die "cannot unpack $deb"
		done
		rm -f ./*.deb
		touch ready
	) || exit 1
	mv "$tmp" "$dir"
}

# The Linux guest's own initramfs.
lab_guest_initrd()
{
	local root=$1.root driver

	rm -rf "$root"
	lab_image_busybox "$root"
	cp "$LAB_DIR/guest-init" "$root/init"
	gcc -O2 -Wall -Werror -static -o "$root/bin/cpuid-signature" \
		"$LAB_DIR/cpuid-signature.c" ||
		lab_die "cannot compile cpuid-signature.c"
	mkdir -p "$root/drivers"
	for driver in "${!LAB_GUEST_DRIVERS[@]}"; do
		cp "$(lab_kernel_module "${LAB_GUEST_DRIVERS[driver]}")" \
			"$root/drivers/$driver-${LAB_GUEST_DRIVERS[driver]}.ko" ||
			lab_die "the guest's kernel has no ${LAB_GUEST_DRIVERS[driver]}.ko"
	done
	# As it is: what a test adds has to begin at a multiple of four.
	lab_cpio "$root" >"$1"
	rm -rf "$root"
}

# Copy a QEMU with the dynamic loader and the libraries, these at the paths they are
# asked for: SOURCE, folder of the image, DEST in there.
lab_guest_copy_qemu()
{
	local qemu=$1 root=$2 dest=$3 libraries

	libraries=$(ldd "$qemu") || lab_die "cannot run $qemu"
	! grep 'not found' <<<"$libraries" >&2 ||
		lab_die "libraries of $qemu are missing"
	mkdir -p "$root/$dest"
	cp "$qemu" "$root/$dest/"
	grep -o '/[^ ]*' <<<"$libraries" | sort -u |
		xargs cp -L --parents -t "$root" ||
		lab_die "cannot copy the libraries of $qemu"
}

# lab_guest_archive OUT FUNCTION INPUT...: have an archive of what FUNCTION puts into
# the folder that it is given, newer than all that goes into it.
lab_guest_archive()
{
	local out=$1 fill=$2 root=$1.root input fresh=1

	shift 2
	for input; do
		[[ $out -nt $input ]] || fresh=
	done
	[[ -z $fresh ]] || return 0
	rm -rf "$root" "$out"
	mkdir -p "$root"
	"$fill" "$root"
	lab_cpio "$root" >"$out.tmp" && mv "$out.tmp" "$out"
	rm -rf "$root"
}

# QEMU of this machine, and a guest for it.
lab_guest_fill()
{
	local root=$1 file

	lab_guest_copy_qemu "$(command -v qemu-system-x86_64)" "$root" usr/bin
	for file in /usr/share/seabios/bios-256k.bin \
		    /usr/share/seabios/bios.bin \
		    /usr/share/qemu/bios-microvm.bin \
		    /usr/share/qemu/qboot.rom \
		    /usr/share/qemu/kvmvapic.bin \
		    /usr/share/qemu/linuxboot.bin \
		    /usr/share/qemu/linuxboot_dma.bin; do
		cp -L --parents -t "$root" "$file" ||
			lab_die "QEMU's package lacks $file"
	done
	mkdir -p "$root/bin" "$root/guest"
	cp "$LAB_DIR/lab-guest" "$root/bin/"
	(
		# shellcheck disable=SC2034
		LAB_KERNEL=$LAB_GUEST_KERNEL
		lab_kernel_fetch
		cp "$(lab_vmlinuz)" "$root/guest/vmlinuz" ||
			lab_die "no kernel for the guest"
		lab_guest_initrd "$root/guest/initrd"
	) || exit 1
}

# The other QEMU, beside which it finds its own files, and firmware.
lab_guest_fill_more()
{
	local root=$1 dir file

	dir=$(lab_guest_package_dir qemu-10.0)
	lab_guest_copy_qemu "$dir/usr/bin/qemu-system-x86_64" "$root" \
		qemu-10.0/usr/bin
	for file in seabios/bios-256k.bin seabios/bios.bin \
		    seabios/bios-microvm.bin qemu/qboot.rom qemu/kvmvapic.bin \
		    qemu/linuxboot.bin qemu/linuxboot_dma.bin; do
		(cd "$dir" && cp -L --parents -t "$root/qemu-10.0" \
			"usr/share/$file") ||
			lab_die "the packages of QEMU 10.0 lack $file"
	done
	mkdir -p "$root/guest"
	cp -L "$(lab_guest_package_dir ovmf)"/usr/share/OVMF/OVMF_{CODE,VARS}.fd \
		"$root/guest/" || lab_die "the package ovmf lacks its firmware"
}

# Fetch and build what --guest and --guest-all ask for.
lab_guest_prepare()
{
	lab_guest_archive "$LAB_BUILD/guest-$LAB_GUEST_KERNEL.cpio" \
		lab_guest_fill "$(command -v qemu-system-x86_64)" \
		"$LAB_DIR"/{guest.sh,guest-init,cpuid-signature.c,lab-guest}
	[[ -n $OPT_GUEST_ALL ]] || return 0
	lab_guest_packages_need
	lab_guest_archive "$LAB_BUILD/guest-more.cpio" lab_guest_fill_more \
		"$LAB_DIR/guest.sh" "$(lab_guest_package_dir qemu-10.0)/ready" \
		"$(lab_guest_package_dir ovmf)/ready"
}

# The archives of this run.
lab_guest_archives()
{
	printf '%s\n' "$LAB_BUILD/guest-$LAB_GUEST_KERNEL.cpio"
	[[ -z $OPT_GUEST_ALL ]] || printf '%s\n' "$LAB_BUILD/guest-more.cpio"
}
