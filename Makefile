# SPDX-License-Identifier: GPL-2.0-only
#
# What a user types. The kernel's build system reads Kbuild, next to this file.

KDIR ?= /lib/modules/$(shell uname -r)/build

# kbuild's own clean would look into build/ as well, where the lab's kernels are.
FOLDERS := include core svm pmu irq x86 mmu compat
LAB := tools/lab/lab
LAB_OPTIONS = $(if $(HOST),--host $(HOST)) $(if $(KERNEL),--kernel $(KERNEL))
KBUILD = $(MAKE) -C $(KDIR) M=$(CURDIR)

.PHONY: module
module: ## build ksvm.ko for the running kernel, or for KDIR=
	@test -e "$(KDIR)" || { echo "no kernel headers in $(KDIR)"; exit 1; }
	$(KBUILD) modules

.PHONY: run
run: ## boot Linux on ksvm in an emulated AMD host (any machine)
	$(LAB) run $(ARGS)

.PHONY: check
check: ## build and run every test in emulated AMD hosts; TESTS= HOST= KERNEL= choose
	$(LAB) check $(LAB_OPTIONS) $(ARGS) $(TESTS)

.PHONY: stress
stress: ## a Linux guest under load for 5 minutes, watched for lost wake-ups; KERNEL=
	$(LAB) check $(LAB_OPTIONS) $(ARGS) guest_stress_long

.PHONY: matrix
matrix: ## make check on every host and every kernel, and a table of it
	$(LAB) matrix $(ARGS) $(TESTS)

.PHONY: coverage
coverage: ## lines, exits and ioctls of the module that the tests reach
	$(LAB) coverage $(ARGS) $(TESTS)

.PHONY: check-upstream
check-upstream: ## the kernel's own KVM selftests on kvm_amd and on ksvm; TESTS= KERNEL=
	$(LAB) upstream $(LAB_OPTIONS) $(ARGS) $(TESTS)

.PHONY: bench
bench: ## count instructions of ksvm and kvm_amd side by side; HOST= chooses
	$(LAB) bench $(if $(HOST),--host $(HOST)) $(ARGS)

.PHONY: lab-shell
lab-shell: ## a shell in an emulated AMD host with the module loaded
	$(LAB) shell $(ARGS)

.PHONY: sparse
sparse: ## check the module with sparse, warnings being errors
	tools/check/sparse

.PHONY: style
style: ## check all sources with the kernel's checkpatch --strict
	tools/check/style

.PHONY: install
install: module ## install ksvm.ko for the kernel of KDIR (as root)
	$(KBUILD) INSTALL_MOD_DIR=updates modules_install
	depmod $(if $(INSTALL_MOD_PATH),-b $(INSTALL_MOD_PATH)) $(kernel_release)

.PHONY: uninstall
uninstall: ## remove the installed ksvm.ko (as root)
	@test -n "$(kernel_release)" || { echo "no kernel headers in $(KDIR)"; exit 1; }
	rm -f $(INSTALL_MOD_PATH)/lib/modules/$(kernel_release)/updates/ksvm.ko*
	depmod $(if $(INSTALL_MOD_PATH),-b $(INSTALL_MOD_PATH)) $(kernel_release)

.PHONY: clean
clean: ## remove what was built (but not the lab's fetched kernels)
	rm -f *.ko *.mod *.mod.c *.o .*.o .*.cmd modules.order Module.symvers
	find $(wildcard $(FOLDERS)) \( -name '*.o' -o -name '.*.cmd' \) -delete
	$(LAB) clean

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' $(firstword $(MAKEFILE_LIST)) | \
	while IFS='|' read -r target text; do \
		printf '  make %-14s %s\n' "$$target" "$$text"; \
	done

# Not make kernelrelease, which Debian's headers answer with another name.
kernel_release = $(shell sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' \
		   $(KDIR)/include/generated/utsrelease.h 2>/dev/null)
