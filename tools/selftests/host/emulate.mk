# SPDX-License-Identifier: GPL-2.0-only
# The instruction emulator's tests. emulate_native has no address sanitizer: its
# wild addresses must not meet the sanitizer's shadow.

EMULATE_SRCS := $(wildcard $(TOP)/x86/emulate/*.c)
EMULATE_DEPS := $(EMULATE_SRCS) $(wildcard $(TOP)/x86/emulate/*.h emulate_*.h) \
		$(TOP)/include/emulate.h
EMULATE_FLAGS := -O2 -g -std=gnu11 -Wall -Wextra -D_GNU_SOURCE $(EXTRA_CFLAGS) \
		 -fno-sanitize-recover=all

EMULATE_TESTS := $(addprefix $(O)/,emulate_decode emulate_execute emulate_fuzz)
HOST_TESTS += $(EMULATE_TESTS) $(O)/emulate_native

# The emulator once per kind of sanitizer.
EMULATE_OBJS = $(patsubst $(TOP)/x86/emulate/%.c,$(O)/emulate.$(1)/%.o,$(EMULATE_SRCS))

$(O)/emulate.address/%.o: $(TOP)/x86/emulate/%.c $(EMULATE_DEPS)
	@mkdir -p $(@D)
	$(CC) $(EMULATE_FLAGS) -fsanitize=address,undefined -c -o $@ $<

$(O)/emulate.plain/%.o: $(TOP)/x86/emulate/%.c $(EMULATE_DEPS)
	@mkdir -p $(@D)
	$(CC) $(EMULATE_FLAGS) -fsanitize=undefined -c -o $@ $<

$(EMULATE_TESTS): $(O)/%: %.c $(EMULATE_DEPS) $(call EMULATE_OBJS,address)
	$(CC) $(EMULATE_FLAGS) -fsanitize=address,undefined -o $@ $< \
		$(filter %.o,$^)

$(O)/emulate_native: emulate_native.c emulate_cases.c $(EMULATE_DEPS) \
		     $(call EMULATE_OBJS,plain)
	$(CC) $(EMULATE_FLAGS) -fsanitize=undefined -o $@ \
		emulate_native.c emulate_cases.c $(filter %.o,$^)

# With clang: fuzz for as long as FUZZ_ARGS says, e.g. -max_total_time=60.
$(O)/emulate_libfuzzer: emulate_fuzz.c $(EMULATE_DEPS)
	@mkdir -p $(@D)
	clang -O2 -g -std=gnu11 -D_GNU_SOURCE -DLIBFUZZER \
		-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
		-o $@ emulate_fuzz.c $(EMULATE_SRCS)

emulate-fuzz: $(O)/emulate_libfuzzer
	$< $(FUZZ_ARGS)

emulate-clean:
	rm -rf $(O)/emulate.address $(O)/emulate.plain $(O)/emulate_libfuzzer

clean: emulate-clean

.PHONY: emulate-fuzz emulate-clean
