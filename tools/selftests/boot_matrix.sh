#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# boot_matrix.sh [--all] [PATTERN]: boot Linux on many machines, one after the other;
# prints TAP. Each pair of values that can go together is in one of the rows below; --all
# is every machine that there can be, hundreds. Only rows that match the pattern are
# booted; on slow hosts the first two of them. For what a row means and what is looked at,
# see boot_machine.sh.

here=$(cd "$(dirname "$0")" && pwd)

rows()
{
	cat <<-'ROWS'
	10.0 pc on 4 seabios EPYC noapic
	10.0 microvm split 2 qboot EPYC x2apic
	10.0 microvm split 1 seabios EPYC xapic
	10.0 pc split 1 seabios max x2apic
	10.0 pc split 2 seabios host xapic
	10.0 q35 split 2 seabios host noapic
	7.2 microvm off 1 qboot max xapic
	7.2 microvm split 4 qboot host x2apic
	7.2 q35 off 1 seabios EPYC noapic
	7.2 q35 on 1 seabios host x2apic
	7.2 q35 on 2 seabios max noapic
	10.0 pc split 2 ovmf EPYC x2apic
	10.0 q35 on 4 ovmf max xapic
	7.2 pc off 1 ovmf host noapic
	ROWS
}

product()
{
	for qemu in 7.2 10.0; do
		for machine in pc q35 microvm; do
			for irqchip in on split off; do
				for cpus in 1 2 4; do
					product_of "$qemu $machine $irqchip $cpus"
				done
			done
		done
	done
}

product_of()
{
	for firmware in seabios ovmf qboot; do
		for cpu in host max EPYC; do
			for apic in x2apic xapic noapic; do
				echo "$1 $firmware $cpu $apic"
			done
		done
	done
}

# Leave out what there cannot be. A local APIC in user space has no x2APIC; QEMU 10.0 does
# without one on KVM, and the thread of a second processor of QEMU 7.2 spins with all
# locks held. microvm has no UEFI and, as it is described by ACPI only, no 8259; with
# all controllers in the kernel, its devices' interrupts stop after the first, on stock
# KVM as well.
possible()
{
	awk '
	$3 == "off" && ($1 != "7.2" || $4 != 1 || $7 == "x2apic") { next }
	$2 == "microvm" && ($3 == "on" || $5 == "ovmf" || $7 == "noapic") { next }
	$2 != "microvm" && $5 == "qboot" { next }
	{ print }'
}

# Print the pairs of values that the product has and the rows do not have.
missing_pairs()
{
	{
		rows
		echo
		product | possible
	} | awk '
	NF == 0 { product = 1; next }
	{
		for (i = 1; i < NF; i++)
			for (j = i + 1; j <= NF; j++) {
				pair = i " " $i ", " j " " $j
				if (!product)
					has[pair] = 1
				else if (!(pair in has)) {
					print pair
					has[pair] = 1
				}
			}
	}'
}

# What is possible is in the rows, and they are possible.
check_rows()
{
	missing=$(missing_pairs)
	impossible=$(rows | awk 'NR == FNR { possible[$0] = 1; next } !($0 in possible)' \
		"$out/product" -)
	[ -z "$missing$impossible" ] || {
		printf '%s\n' "$missing" "$impossible" | sed 's/^/# /'
		printf 'not '
	}
	echo "ok 1 every pair of values is in one of the rows"
}

# Each result is told when it is there: of a host that hangs one sees where.
boot_chosen()
{
	number=1
	while read -r row <&3; do
		number=$((number + 1))
		verdict="ok $number $row"
		# shellcheck disable=SC2086
		"$here/boot_machine.sh" $row >"$out/log" 2>&1 </dev/null ||
			verdict="not $verdict"
		sed 's/^/# /' "$out/log"
		echo "$verdict"
	done 3<"$out/chosen"
}

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
product | possible >"$out/product"
if [ "${1-}" = --all ]; then
	shift
	cat "$out/product"
else
	rows
fi | grep -E -e "${1:-.}" >"$out/chosen"
[ "${LAB_SLOWNESS:-1}" -eq 1 ] || sed -i '3,$d' "$out/chosen"

echo "TAP version 13"
echo "1..$(($(wc -l <"$out/chosen") + 1))"
{
	check_rows
	boot_chosen
} | tee "$out/tap"
! grep -q '^not ok' "$out/tap"
