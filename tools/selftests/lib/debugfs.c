// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>

#include "debugfs.h"
#include "harness.h"
#include "vm.h"

#define DEBUGFS		"/sys/kernel/debug/ksvm/"
#define PARAMETERS	"/sys/module/ksvm/parameters/"

/** need_module() - stock KVM has none of these files: skip the case there */
void need_module(void)
{
	if (reference_run())
		test_skip("stock KVM does not tell");
}

/*
 * The line of a file that begins with a name, without the name and the blanks behind it.
 * Files are short; the caller's buffer is for the line.
 */
static char *find_line(const char *path, const char *name, char *line, int size)
{
	size_t length = strlen(name);
	FILE *file = fopen(path, "r");
	char *found = NULL;

	TEST_ASSERT(file, "%s", path);
	while (!found && fgets(line, size, file)) {
		if (!strncmp(line, name, length) && line[length] == ' ')
			found = line + length + strspn(line + length, " ");
	}
	fclose(file);
	TEST_ASSERT(found, "%s has no %s", path, name);
	found[strcspn(found, "\n")] = '\0';
	return found;
}

/**
 * module_stat() - a counter of debugfs ksvm/stats
 * @name: its name
 */
u64 module_stat(const char *name)
{
	char line[256];

	return strtoull(find_line(DEBUGFS "stats", name, line, sizeof(line)), NULL, 10);
}

/**
 * module_parameter() - a number that the module was loaded with, or its default
 * @name: the parameter
 */
u64 module_parameter(const char *name)
{
	char path[128];
	FILE *file;
	u64 value;

	snprintf(path, sizeof(path), PARAMETERS "%s", name);
	file = fopen(path, "r");
	TEST_ASSERT(file && fscanf(file, "%llu", &value) == 1, "%s", path);
	fclose(file);
	return value;
}

static bool feature_on(const char *feature, char *line, int size, const char **why)
{
	char *found = find_line(DEBUGFS "features", feature, line, size);
	char *blank = strchr(found, ' ');

	TEST_ASSERT(blank, "%s", found);
	*why = blank + strspn(blank, " ");
	return !strncmp(found, "on ", 3);
}

/**
 * module_has() - does the module use a feature of the processor
 * @feature: as debugfs ksvm/features names it
 */
bool module_has(const char *feature)
{
	const char *why;
	char line[256];

	return feature_on(feature, line, sizeof(line), &why);
}

/**
 * need_feature() - skip the case where the module does not use a feature
 * @feature: as debugfs ksvm/features names it
 * @what: its name in the reason for skipping
 */
void need_feature(const char *feature, const char *what)
{
	const char *why;
	char line[256];

	need_module();
	if (!feature_on(feature, line, sizeof(line), &why))
		test_skip("no %s: %s", what, why);
}

/** module_asids() - how many address space identifiers guests share on a CPU */
u64 module_asids(void)
{
	const char *why;
	char line[256];

	TEST_TRUE(feature_on("asids", line, sizeof(line), &why));
	return strtoull(why, NULL, 10);
}
