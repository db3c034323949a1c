# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The Debian packages the lab needs, and how they are installed.

# One row per package: what proves that it is there, and why it is needed.
# A proof that starts with / is a file, anything else a command on the PATH.
# Rows with a + are wanted by single commands, which ask for them by name.
lab_package_rows()
{
	cat <<-'ROWS'
	busybox-static|/bin/busybox|user space of the emulated host and its guest; packs them
	qemu-system-x86|qemu-system-x86_64|emulates the AMD host, and uses the module inside it
	gcc-12|gcc-12|the compiler that Debian's kernel headers ask for
	gcc|gcc|compiles the tests
	libc6-dev|/usr/include/stdio.h|headers and static C library for the tests
	make|make|drives the kernel's build system
	libelf1|/usr/lib/x86_64-linux-gnu/libelf.so.1|objtool of the kernel headers needs it
	perl|prove|plays the collected test results
	+debian-archive-keyring|/usr/share/keyrings/debian-archive-keyring.gpg|verifies other suites
	+debootstrap|debootstrap|makes chroots of newer Debian releases
	+flex|flex|configures the debug kernels
	+bison|bison|configures the debug kernels
	+bc|bc|computes constants of the debug kernels
	+libelf-dev|/usr/include/libelf.h|builds objtool of the debug kernels
	+sparse|sparse|checks the module's address spaces and locks
	+rsync|rsync|the kernel's make headers_install copies with it
	+xz-utils|xz|unpacks checkpatch.pl from Debian's linux-source
	ROWS
}

lab_package_present()
{
	case "$1" in
	/*) [[ -e $1 ]] ;;
	*) PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null ;;
	esac
}

# Run a command as root, saying so when that takes sudo.
lab_as_root()
{
	if ((EUID == 0)); then
		"$@"
	elif command -v sudo >/dev/null; then
		lab_say "asking sudo for: $*"
		sudo "$@"
	else
		lab_die "not root, and no sudo, for: $*"
	fi
}

lab_apt_update()
{
	lab_say "refreshing apt's package lists"
	lab_as_root apt-get update -qq >&2 ||
		lab_die "apt-get update failed"
}

# Packages that are missing, in the order of the table; the optional argument
# limits the search to the names given.
lab_packages_missing()
{
	local name proof reason

	while IFS='|' read -r name proof reason; do
		if (($#)); then
			name=${name#+}
			[[ " $* " == *" $name "* ]] || continue
		elif [[ $name == +* ]]; then
			continue
		fi
		lab_package_present "$proof" || printf '%s|%s\n' "$name" "$reason"
	done < <(lab_package_rows)
}

# lab_packages_need [NAME...]: install what is missing from the table (or from
# the part of it that is named).
lab_packages_need()
{
	local missing name reason
	local -a names=()

	missing=$(lab_packages_missing "$@")
	[[ -n $missing ]] || return 0

	lab_say "these Debian packages are missing and will be installed:"
	while IFS='|' read -r name reason; do
		printf '      %-16s %s\n' "$name" "$reason" >&2
		names+=("$name")
	done <<<"$missing"

	apt-cache show "${names[@]}" >/dev/null 2>&1 || lab_apt_update
	lab_apt_install "${names[@]}" && return 0
	# Old lists name files that the archive no longer has.
	lab_apt_update
	lab_apt_install "${names[@]}" ||
		lab_die "could not install: ${names[*]}"
}

lab_apt_install()
{
	lab_as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get install -y -qq --no-install-recommends \
		-o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@" >"$LAB_BUILD/apt.log" 2>&1 || {
		tail -n 5 "$LAB_BUILD/apt.log" >&2
		return 1
	}
}
