#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-only
#
# coverage.pl ROOT MODULE_DIR DIR: print the lines covered per folder of the
# module, and the rows of its tables that no test reached. DIR/all has the
# counts and notes of gcov, DIR/hosts/*/coverage what lab-coverage saw.
use strict;
use warnings;
use JSON::PP;

my ($root, $module, $dir) = @ARGV;
my (%lines, %functions, %hits);

sub slurp
{
	my ($path) = @_;

	open(my $in, '<', $path) or die "$path: $!\n";
	local $/ = undef;
	return scalar <$in>;
}

# A line has several counts where its function was inlined or its header used
# by several files: it is covered if one of them is not 0.
sub read_gcov
{
	my ($data) = @_;
	my $json = qx(cd '$module' && gcov-12 --json-format --stdout '$data');

	die "gcov-12 has nothing on $data\n" if $? || $json eq '';
	for my $file (@{decode_json($json)->{files}}) {
		my $name = $file->{file};

		next unless $name =~ s{^\Q$module\E/}{};
		for my $line (@{$file->{lines}}) {
			$lines{$name}{$line->{line_number}} += $line->{count};
		}
		for my $function (@{$file->{functions}}) {
			$functions{$function->{name}} +=
				$function->{execution_count};
		}
	}
}

# { code: 64 } hitcount: 2
sub read_hits
{
	for my $event (qw(ksvm_exit ksvm_ioctl)) {
		for my $path (glob("$dir/hosts/*/coverage/$event")) {
			my $text = slurp($path);

			$hits{$event}{$1} += $2 while $text =~
				/code:\s*(\d+)\s*\}\s*hitcount:\s*(\d+)/g;
		}
	}
}

sub print_folders
{
	my (%all, %hit);

	for my $file (keys %lines) {
		my $folder = $file =~ s{/[^/]*$}{}r;

		$folder = 'include' if $folder =~ /^include/;
		for my $count (values %{$lines{$file}}) {
			for my $sum ($folder, 'in all') {
				$all{$sum}++;
				$hit{$sum} += $count > 0;
			}
		}
	}
	printf "%-14s %7s %7s %8s\n", qw(folder lines covered percent);
	for my $folder (sort { ($a eq 'in all') <=> ($b eq 'in all') ||
			       $a cmp $b } keys %all) {
		printf "%-14s %7d %7d %7.1f%%\n", $folder, $all{$folder},
			$hit{$folder}, 100 * $hit{$folder} / $all{$folder};
	}
}

# The numbers behind the names of rows, by the compiler.
sub values_of
{
	my ($defines, @names) = @_;
	my $c = "#include <stdio.h>\n#include <linux/kvm.h>\n" .
		"#include <asm/svm.h>\n$defines\nint main(void)\n{\n";

	$c .= "printf(\"%u\\n\", (unsigned)($_));\n" for @names;
	open(my $out, '>', "$dir/values.c") or die "$dir/values.c: $!\n";
	print $out "$c return 0; }\n";
	close($out);
	system('gcc', '-o', "$dir/values", "$dir/values.c") == 0 or
		die "the names of the rows do not compile\n";
	return split /\n/, qx('$dir/values');
}

# A row is its place, the handler's name, and the codes that lead to it.
sub exit_rows
{
	my $source = slurp("$root/svm/exit.c");
	my $defines = join "\n", $source =~ /^(#define EXIT_\w+\s+0x\w+)$/mg;
	my (@rows, @names);

	while ($source =~ /^\t\[([^\]]+)\] = (?:INNER|OUTER)\((\w+)\)/mg) {
		my ($place, $handler) = ($1, $2);
		my ($first, $last) = split / \.\.\. /, $place;

		push @names, $first, $last // $first;
		push @rows, { place => $place, handler => $handler };
	}
	my @values = values_of($defines, @names);

	for my $row (@rows) {
		my ($first, $last) = splice @values, 0, 2;

		$row->{codes} = [$first .. $last];
	}
	# Those beside the table have no code of their own to be found under.
	push @rows, { place => $1, handler => $2 } while $source =~
		/^static const struct exit_row (\w+) = (?:INNER|OUTER)\((\w+)\)/mg;
	return @rows;
}

sub ioctl_rows
{
	my (@rows, @values);

	for my $path (glob("$root/core/*.c")) {
		my $source = slurp($path);
		my $file = $path =~ s{.*/}{}r;

		while ($source =~ /^\tIOCTL_ROW\((\w+),[^,]*, (\w+)\)/mg) {
			push @rows, { name => $1, handler => $2, file => $file };
		}
	}
	@values = values_of('', map { $_->{name} } @rows);
	for my $row (@rows) {
		$row->{place} = "$row->{name} in $row->{file}";
		$row->{codes} = [shift @values];
	}
	return @rows;
}

sub print_rows
{
	my ($title, $event, @rows) = @_;
	my @missed = grep {
		my $row = $_;

		!$functions{$row->{handler}} || ($row->{codes} &&
			!grep { $hits{$event}{$_} } @{$row->{codes}});
	} @rows;

	die "no $title found\n" unless @rows;
	printf "\n%s: %d of %d rows not reached\n", $title, scalar @missed,
		scalar @rows;
	printf "  %-44s %s\n", $_->{place}, $_->{handler} for @missed;
}

read_gcov($_) for split /\n/, qx(find '$dir/all' -name '*.gcda');
read_hits();
print_folders();
print_rows('exit table', 'ksvm_exit', exit_rows());
print_rows('ioctl tables', 'ksvm_ioctl', ioctl_rows());
