# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The emulated host's initramfs. It is archives in a row: those of the guest,
# which are large and cached (guest.sh), and what differs from run to run.

LAB_BUSYBOX=/bin/busybox

# Pack a folder as an archive that the kernel can unpack.
lab_cpio()
{
	(cd "$1" && find . -mindepth 1 | sort |
		"$LAB_BUSYBOX" cpio -o -H newc -R 0:0 2>/dev/null)
}

# What both images begin with. Ending the shell is what makes their init switch
# off in good order.
lab_image_busybox()
{
	mkdir -p "$1"/{bin,etc}
	cp "$LAB_BUSYBOX" "$1/bin/busybox"
	ln -s busybox "$1/bin/sh"
	echo 'alias poweroff=exit halt=exit reboot=exit shutdown=exit' \
		>"$1/etc/shrc"
}

# Copy FILE[:DEST] of --add into the image; the default place is /lab.
lab_image_add()
{
	local root=$1 source=${2%%:*} dest=

	[[ $2 == *:* ]] && dest=${2#*:}
	[[ -e $source ]] || lab_die "--add: no such file: $source"
	[[ -n $dest ]] || dest=/lab/$(basename "$source")
	mkdir -p "$root/$(dirname "$dest")"
	if [[ -d $source ]]; then
		mkdir -p "$root/$dest"
		cp -rL "$source/." "$root/$dest/"
	else
		cp -L "$source" "$root/$dest"
	fi
}

# The variables that /init reads.
lab_image_env()
{
	local window=

	[[ -n $OPT_INTERACTIVE ]] && window=$(stty size | grep -v "^0 ")
	cat <<-VARS
	LAB_TOKEN=$1
	LAB_MODULE=$OPT_MODULE
	LAB_MODULE_ARGS='$OPT_MODULE_ARGS'
	LAB_LINK_KVM=$OPT_LINK_KVM
	LAB_INTERACTIVE=$OPT_INTERACTIVE
	export LAB_SLOWNESS=$(lab_host_slowness)
	LAB_COVERAGE=$OPT_COVERAGE
	LAB_LEAKS=$OPT_LEAKS
	LAB_WINDOW='${window:+rows ${window% *} cols ${window#* }}'
	VARS
}

# lab_image RUNDIR TOKEN COMMAND: write RUNDIR/initrd.
lab_image()
{
	local run=$1 token=$2 root=$1/root tool module

	mkdir -p "$root"/lab/{modules,results}
	lab_image_busybox "$root"
	cp "$LAB_DIR/init" "$root/init"
	for tool in load-kvm-amd unload-kvm-amd lab-stage lab-suite lab-leaks \
		    lab-coverage; do
		cp "$LAB_DIR/$tool" "$root/bin/"
	done
	for module in irqbypass kvm kvm-amd; do
		cp "$(lab_kernel_module "$module")" "$root/lab/modules/" ||
			lab_die "the kernel package has no $module.ko"
	done
	if [[ -n $OPT_SHIP_MODULE ]]; then
		lab_module_copy "$root/lab" || lab_die "no module to ship"
	fi
	for tool in "${OPT_ADD[@]}"; do
		lab_image_add "$root" "$tool"
	done
	lab_image_env "$token" >"$root/lab/env"
	printf '%s\n' "$3" >"$root/lab/command"

	{
		[[ -z $OPT_GUEST ]] || lab_guest_archives | xargs -d '\n' cat
		lab_cpio "$root"
	} >"$run/initrd"
	rm -rf "$root"
}
