# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Debian packages of suites that this machine's apt is not set up for: lists and
# sources of their own under the cache. The machine's own are never changed.

LAB_KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

# lab_cached COMMAND...: run it while nobody else changes the cache.
lab_cached()
{
	if [[ -n ${lab_cache_held-} ]]; then
		"$@"
		return
	fi
	mkdir -p "$LAB_CACHE"
	(
		flock 7
		lab_cache_held=1
		"$@"
	) 7>"$LAB_CACHE/cache.lock"
}

# The archive that this machine's own release comes from.
lab_archive()
{
	local codename uri try

	codename=$(. /etc/os-release && echo "${VERSION_CODENAME-}")
	for try in 1 2; do
		# shellcheck disable=SC2016
		uri=$(apt-get indextargets --format \
			'$(ORIGIN)|$(RELEASE)|$(METAKEY)|$(REPO_URI)' |
			sed -n "s,^Debian|$codename|main/binary-amd64/Packages|,,p" |
			head -n 1)
		[[ -z $uri ]] || break
		((try == 2)) || lab_apt_update
	done
	[[ -n $uri ]] || lab_die "apt knows no Debian archive"
	printf '%s\n' "$uri"
}

# Fill the array apt_options: what makes apt use SUITE alone. "-" is what the
# machine is set up for.
lab_apt_options()
{
	local dir=$LAB_CACHE/apt/$1

	apt_options=(-qq)
	((EUID)) || apt_options+=(-o APT::Sandbox::User=root)
	[[ $1 != - ]] || return 0
	mkdir -p "$dir"/{lists,cache/archives}/partial
	: >>"$dir/status"
	apt_options+=(-o Dir::Etc::SourceList="$dir/sources.list"
		-o Dir::Etc::SourceParts=/dev/null
		-o Dir::Etc::Preferences=/dev/null
		-o Dir::Etc::PreferencesParts=/dev/null
		-o Dir::State::Lists="$dir/lists"
		-o Dir::State::Status="$dir/status"
		-o Dir::Cache="$dir/cache")
}

# Fetch the package lists of SUITE.
lab_apt_refresh()
{
	local dir=$LAB_CACHE/apt/$1 uri
	local -a apt_options

	if [[ $1 == - ]]; then
		lab_apt_update
		return
	fi
	lab_packages_need debian-archive-keyring
	uri=$(lab_archive) || exit 1
	lab_apt_options "$1"
	printf 'deb [signed-by=%s] %s %s main\n' "$LAB_KEYRING" "$uri" "$1" \
		>"$dir/sources.list"
	lab_say "fetching the package lists of $1"
	apt-get "${apt_options[@]}" update >&2 ||
		lab_die "cannot fetch the package lists of $1"
}

# Packages of SUITE whose names begin with a text.
lab_apt_names()
{
	local -a apt_options

	lab_apt_options "$1"
	apt-cache "${apt_options[@]}" pkgnames "$2" 2>/dev/null
}

# What a package of SUITE depends on.
lab_apt_depends()
{
	local -a apt_options

	lab_apt_options "$1"
	apt-cache "${apt_options[@]}" depends "$2" 2>/dev/null |
		sed -n 's/^ *Depends: //p'
}

# lab_apt_download SUITE PACKAGE...: fetch packages into the current folder.
lab_apt_download()
{
	local -a apt_options

	lab_apt_options "$1"
	shift
	apt-get "${apt_options[@]}" download "$@" >&2
}
