# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Kernels with the sanitizers and checkers on, built from Debian's linux-source
# with a configuration of the lab's own: kernel-config/base and checks, and the
# file that has the kernel's name.

LAB_DEBUG_SOURCE=linux-source-6.1
LAB_DEBUG_CONFIG=$LAB_DIR/kernel-config

lab_kernel_is_debug()
{
	[[ $LAB_KERNEL == debug* ]]
}

# What the checkers take of the host's memory, MiB.
lab_debug_memory()
{
	lab_kernel_is_debug && echo 512 || echo 0
}

# KCSAN waits for 40 us before one in so many accesses. With that of the configuration, a
# timer interrupt of a Linux guest whose PIT and APIC are in user space takes longer than
# a tick, and the guest hardly gets on.
lab_debug_append()
{
	if [[ $LAB_KERNEL == *kcsan && $OPT_GUEST ]]; then
		printf 'kcsan.skip_watch=4000'
	fi
}

# The unpacked source; the modules are built against it as well.
lab_debug_source()
{
	printf '%s/kernel/%s\n' "$LAB_CACHE" "$LAB_DEBUG_SOURCE"
}

lab_debug_fragments()
{
	printf '%s\n' "$LAB_DEBUG_CONFIG"/{base,checks,"$LAB_KERNEL"}
}

# What the kernel is made of. A built kernel is good as long as this stays.
lab_debug_key()
{
	local -a fragments

	mapfile -t fragments < <(lab_debug_fragments)
	{
		cat "$(lab_debug_source)/debian-version"
		gcc-12 -dumpfullversion
		lab_debug_kernel_flags
		cat "${fragments[@]}"
	} | sha256sum | cut -d ' ' -f 1
}

# Make variables for the kernel: a data race that is reported shall be one of
# the module's, so the kernel itself is not instrumented.
lab_debug_kernel_flags()
{
	[[ $LAB_KERNEL != *kcsan ]] || echo KCSAN_SANITIZE=n
}

# Make variables for the module: it is instrumented where the kernel is not.
lab_debug_module_flags()
{
	lab_kernel_is_debug || return 0
	echo CC=gcc-12
	if [[ -n $OPT_COVERAGE ]]; then
		lab_coverage_module_flags
	else
		echo UBSAN_SANITIZE=y KCOV_INSTRUMENT=y
	fi
}

lab_debug_source_fetch()
{
	local dir tmp deb

	dir=$(lab_debug_source)
	[[ ! -e $dir/debian-version ]] || return 0
	lab_say "fetching $LAB_DEBUG_SOURCE"
	tmp=$dir.tmp
	rm -rf "$tmp" "$dir"
	mkdir -p "$tmp"
	(
		cd "$tmp" || exit 1
		lab_apt_download - "$LAB_DEBUG_SOURCE" || {
			lab_apt_refresh -
			lab_apt_download - "$LAB_DEBUG_SOURCE"
		} || lab_die "apt-get download failed for $LAB_DEBUG_SOURCE"
		deb=$(echo "$LAB_DEBUG_SOURCE"_*.deb)
		dpkg-deb --fsys-tarfile "$deb" |
			tar -x -O -f - "./usr/src/$LAB_DEBUG_SOURCE.tar.xz" |
			tar -x -J -f - --strip-components=1 ||
			lab_die "cannot unpack $deb"
		dpkg-deb -f "$deb" Version >debian-version
		rm -f ./*.deb
	) || exit 1
	mv "$tmp" "$dir"
}

# lab_debug_make BUILD TARGET...: make in the kernel's build folder.
lab_debug_make()
{
	local build=$1

	shift
	# shellcheck disable=SC2046
	nice make -C "$(lab_debug_source)" O="$build" CC=gcc-12 HOSTCC=gcc-12 \
		KBUILD_BUILD_USER=lab KBUILD_BUILD_HOST=lab \
		$(lab_debug_kernel_flags) -j "$(nproc)" "$@"
}

# Configure: what a fragment asks for and doesn't get is an error, not a kernel
# that checks less.
lab_debug_configure()
{
	local build=$1 line symbol
	local -a fragments

	mapfile -t fragments < <(lab_debug_fragments)
	lab_debug_make "$build" tinyconfig || return 1
	(cd "$build" && "$(lab_debug_source)/scripts/kconfig/merge_config.sh" \
		-m .config "${fragments[@]}") || return 1
	lab_debug_make "$build" olddefconfig || return 1
	while read -r line; do
		symbol=$(grep -oE 'CONFIG_[A-Z0-9_]+' <<<"$line")
		case "$line" in
		CONFIG_*) grep -qxF "$line" "$build/.config" ;;
		*) ! grep -q "^$symbol=" "$build/.config" ;;
		esac || {
			lab_say "the configuration refuses: $line"
			return 1
		}
	done < <(grep -hE '^(CONFIG_|# CONFIG_.* is not set$)' "${fragments[@]}")
}

# Give the build folder the looks of an unpacked package.
lab_debug_arrange()
{
	local dir=$1 build=$1/build release module

	release=$(<"$build/include/config/kernel.release") || return 1
	rm -rf "${dir:?}"/{boot,usr,lib}
	mkdir -p "$dir"/{boot,usr/src} "$dir/lib/modules/$release" || return 1
	ln -s ../build/arch/x86/boot/bzImage "$dir/boot/vmlinuz-$release"
	ln -s ../../build "$dir/usr/src/linux-headers-$release"
	find "$build" -path "$build/source" -prune -o -name '*.ko' -print |
		while read -r module; do
			ln -s "$module" "$dir/lib/modules/$release/"
		done
	printf '%s\n' "$release" >"$dir/release"
}

lab_debug_build()
{
	local dir log start=$SECONDS

	dir=$(lab_kernel_dir)
	log=$dir/build.log
	lab_debug_source_fetch
	lab_debug_fresh && return 0
	lab_say "building the kernel '$LAB_KERNEL', once: about 10 minutes"
	rm -f "$dir/key"
	mkdir -p "$dir/build"
	{
		lab_debug_configure "$dir/build" &&
			lab_debug_make "$dir/build" bzImage modules &&
			lab_debug_arrange "$dir"
	} >"$log" 2>&1 || {
		grep -E 'refuses|error|Error' "$log" | tail -n 20 >&2
		lab_die "the kernel '$LAB_KERNEL' does not build (whole log: $log)"
	}
	lab_debug_key >"$dir/key"
	lab_say "the kernel took $((SECONDS - start)) s"
}

# Is the kernel there, and is it the one that would be built now?
lab_debug_fresh()
{
	local key

	key=$(lab_kernel_dir)/key
	[[ -e $key && -e $(lab_debug_source)/debian-version &&
	   $(<"$key") == "$(lab_debug_key)" ]]
}

# Build the kernel unless that was done.
lab_debug_need()
{
	# Their module always checks itself; one that counts is as it ships.
	OPT_CONTRACT=1
	[[ -z $OPT_COVERAGE ]] || OPT_CONTRACT=''
	lab_debug_fresh && return 0
	lab_packages_need flex bison bc libelf-dev xz-utils
	lab_cached lab_debug_source_fetch || exit 1
	# Apart from the lock of what is fetched: it takes its time.
	(
		flock 6
		lab_debug_build
	) 6>"$LAB_CACHE/debug.lock" || exit 1
}
