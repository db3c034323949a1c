# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Folders with another Debian release, for programs that need its libraries.

lab_chroot_dir()
{
	printf '%s/chroot/%s\n' "$LAB_CACHE" "$1"
}

# lab_chroot_need SUITE PACKAGE...: have a Debian SUITE with these packages; its
# backports count as well, where a package is only there.
lab_chroot_need()
{
	local suite=$1
	local -a missing

	shift
	mapfile -t missing < <(lab_chroot_missing "$suite" "$@")
	((${#missing[@]})) || return 0
	lab_cached lab_chroot_install "$suite" "$@" || exit 1
}

# The folders that are seen inside at their own paths.
lab_chroot_places()
{
	readlink -m "$LAB_ROOT" "$LAB_BUILD" "$LAB_CACHE"
}

# Print what of the packages is not there; a folder where to show one of ours,
# or the chroot itself, is a path.
lab_chroot_missing()
{
	local dir package place

	dir=$(lab_chroot_dir "$1")
	shift
	[[ -e $dir/ready ]] || echo /
	while read -r place; do
		[[ -d $dir$place ]] || printf '%s\n' "$place"
	done < <(lab_chroot_places)
	for package; do
		# Not those that an interrupted run has only unpacked.
		# shellcheck disable=SC2016
		[[ $(dpkg-query --admindir="$dir/var/lib/dpkg" -W \
			-f '${db:Status-Status}' "$package" 2>/dev/null) == \
			installed ]] || printf '%s\n' "$package"
	done
}

# With the cache's lock held: make the chroot, install what is missing.
lab_chroot_install()
{
	local suite=$1 dir log
	local -a missing

	shift
	dir=$(lab_chroot_dir "$suite")
	log=$LAB_CACHE/chroot-$suite.log
	[[ -e $dir/ready ]] || lab_chroot_create "$suite" "$dir" "$log"
	mapfile -t missing < <(lab_chroot_places)
	lab_as_root mkdir -p "${missing[@]/#/$dir}"
	mapfile -t missing < <(lab_chroot_missing "$suite" "$@")
	((${#missing[@]})) || return 0
	lab_say "installing in the $suite chroot: ${missing[*]}"
	lab_as_root cp -L /etc/resolv.conf "$dir/etc/resolv.conf"
	lab_as_root unshare -m bash -c "$LAB_CHROOT_ENTER" lab "$dir" / '' \
		sh -e -c 'dpkg --configure -a
		apt-get -qq update
		apt-get install -y -qq --no-install-recommends \
			-o Dpkg::Use-Pty=0 "$@"
		apt-get clean' apt "${missing[@]}" >"$log" 2>&1 </dev/null || {
		tail -n 5 "$log" >&2
		lab_die "cannot install in the $suite chroot (log: $log)"
	}
}

lab_chroot_create()
{
	local suite=$1 dir=$2 log=$3 uri

	lab_packages_need debootstrap debian-archive-keyring
	uri=$(lab_archive) || exit 1
	lab_say "making a chroot of Debian $suite"
	lab_as_root rm -rf "$dir" "$dir.tmp"
	mkdir -p "$(dirname "$dir")"
	# In a mount namespace: an interrupted run leaves nothing mounted.
	lab_as_root unshare -m env PATH="$PATH:/usr/sbin:/sbin" debootstrap \
		--variant=minbase --keyring="$LAB_KEYRING" \
		"$suite" "$dir.tmp" "$uri" >"$log" 2>&1 || {
		tail -n 5 "$log" >&2
		lab_die "debootstrap failed for $suite (log: $log)"
	}
	lab_chroot_configure "$suite" "$uri" |
		lab_as_root tee -a "$dir.tmp/etc/apt/sources.list" >/dev/null
	# What the machine's apt needs to reach the archive, this one needs too.
	{
		apt-config dump Acquire | grep -iE 'proxy|check-' || true
	} | lab_as_root tee "$dir.tmp/etc/apt/apt.conf.d/90machine" >/dev/null
	lab_as_root touch "$dir.tmp/ready"
	lab_as_root mv "$dir.tmp" "$dir"
}

lab_chroot_configure()
{
	printf 'deb %s %s-backports main\n' "$2" "$1"
}

# What enters a chroot, with the rights of root in a mount namespace of its own
# so that no mount is left behind: folder, working folder, who to be (UID:GID or
# nothing), command; the folders to show inside at their own paths are in the
# variable BINDS, one per line.
# shellcheck disable=SC2016
LAB_CHROOT_ENTER='
root=$1 cwd=$2 user=$3
shift 3
PATH=$PATH:/usr/sbin:/sbin
mount --rbind /proc "$root/proc" && mount --rbind /dev "$root/dev" || exit 125
while IFS= read -r dir; do
	[[ -n $dir ]] || continue
	mount --rbind "$dir" "$root$dir" || exit 125
done <<<"${BINDS-}"
unset BINDS
exec chroot ${user:+--userspec="$user"} "$root" /usr/bin/env -i \
	PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
	LC_ALL=C.UTF-8 HOME=/root TERM="${TERM-dumb}" DEBIAN_FRONTEND=noninteractive \
	/bin/sh -c '\''cd "$0" && exec "$@"'\'' "$cwd" "$@"'

# lab_chroot_command SUITE: fill the array chroot_command with what, followed by
# a command and its arguments, runs it in the chroot, in the current folder: one
# of the lab's, or one that is there as well. The process started becomes the
# command's own: a signal to it is a signal to the command. It ends with its
# parent.
lab_chroot_command()
{
	local dir user='' binds

	dir=$(lab_chroot_dir "$1")
	binds=$(lab_chroot_places)
	mkdir -p "$LAB_BUILD" "$LAB_CACHE"
	chroot_command=(setpriv --pdeathsig TERM)
	if ((EUID == 0)); then
		chroot_command+=(unshare -m)
	elif unshare -r -m true 2>/dev/null; then
		chroot_command+=(unshare -r -m)
	else
		user=$(id -u):$(id -g)
		chroot_command=(sudo unshare -m)
	fi
	chroot_command+=(env BINDS="$binds" bash -c "$LAB_CHROOT_ENTER" lab "$dir"
		"$(readlink -m "$PWD")" "$user")
}

# lab_chroot_exec SUITE COMMAND ARG...: run a command in the chroot, as the user
# of the lab, with the status of the command.
lab_chroot_exec()
{
	local -a chroot_command

	lab_chroot_command "$1"
	shift
	"${chroot_command[@]}" "$@"
}
