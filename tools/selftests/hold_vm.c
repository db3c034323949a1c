// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keep a VM with a running vCPU until killed; for tests of the module's own
 * life. Status 0 never; a refused VM gives its errno as the status.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "vm.h"

static void guest_spin(void)
{
	sti();	/* in Bochs the host's interrupts end no other guest */
	for (;;)
		asm volatile("pause");
}

int main(void)
{
	int fd = open(node_path(), O_RDWR), vm_fd;
	struct vcpu *vcpu;

	if (fd < 0)
		return errno;
	vm_fd = ioctl(fd, KVM_CREATE_VM, 0);
	if (vm_fd < 0)
		return errno;
	vcpu = vm_with_vcpu(guest_spin);
	puts("running");
	fflush(stdout);
	for (;;)
		vcpu_run(vcpu);
}
