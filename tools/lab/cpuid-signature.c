// SPDX-License-Identifier: GPL-2.0-only
/* Print the signature by which the hypervisor presents itself to this guest. */
#include <cpuid.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
	unsigned int eax, ebx, ecx, edx;
	char signature[13] = "";

	__cpuid(1, eax, ebx, ecx, edx);
	if (!(ecx & (1U << 31))) {
		puts("none");
		return 1;
	}
	__cpuid(0x40000000, eax, ebx, ecx, edx);
	memcpy(signature, &ebx, 4);
	memcpy(signature + 4, &ecx, 4);
	memcpy(signature + 8, &edx, 4);
	printf("%s (leaves up to %#x)\n", signature, eax);
	return 0;
}
