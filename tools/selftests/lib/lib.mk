# SPDX-License-Identifier: GPL-2.0-only
# How a program is built on this library. Set SELFTESTS, the folder above, and
# O, where objects go, before the include.

CC ?= gcc
LIB_OBJS := harness.o cpus.o debugfs.o vm.o vcpu.o run.o fault.o guest.o guest_entry.o \
	    apic.o apic_guest.o apic_entry.o irq_guest.o
LIB_OBJS := $(addprefix $(O)/lib/,$(LIB_OBJS))
LIB_HEADERS := $(wildcard $(SELFTESTS)/lib/*.h)

# Guest functions live in the same files as host code: no red zone below the
# guest's stack, nothing that needs AVX, no calls that the compiler invents,
# and a link address that the guest can map one to one.
CFLAGS := -O2 -g -Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers \
	  -Wmissing-prototypes -Wstrict-prototypes -Wno-array-bounds \
	  -std=gnu11 -D_GNU_SOURCE -fno-pie -mno-red-zone -fno-stack-protector \
	  -fcf-protection=none -fno-tree-vectorize \
	  -fno-tree-loop-distribute-patterns -fno-strict-aliasing \
	  -ffile-prefix-map=$(SELFTESTS)/= -I$(SELFTESTS)/lib $(EXTRA_CFLAGS)
LDFLAGS := -static -no-pie -pthread

$(O)/lib/guest.o $(O)/lib/apic_guest.o $(O)/lib/irq_guest.o: CFLAGS += -mgeneral-regs-only

$(O)/lib/%.o: $(SELFTESTS)/lib/%.c $(LIB_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -c -o $@ $<

$(O)/lib/%.o: $(SELFTESTS)/lib/%.S
	@mkdir -p $(@D)
	$(CC) -c -o $@ $<
