// SPDX-License-Identifier: GPL-2.0-only
/* The guest's own page walk, as its processor would do it. */
#include <asm/cpufeature.h>

#include "guest.h"
#include "internal.h"
#include "walk_mode.h"

/* How often a walk starts again because another vCPU changed an entry. */
#define RESTARTS_MAX	64

/**
 * struct walker - a walk under way
 * @vcpu: the vCPU
 * @mode: its paging mode
 * @rules: what else the walk depends on
 * @gva: linear address
 * @entry: what was read at each level
 * @address: where
 * @level: of the leaf, when it was found
 * @rights: see walk_denied()
 * @accessed: GPTE_ACCESSED if all entries have it
 */
struct walker {
	struct ksvm_vcpu *vcpu;
	const struct walk_mode *mode;
	struct walk_rules rules;
	gva_t gva;
	u64 entry[WALK_LEVELS_MAX + 1];
	gpa_t address[WALK_LEVELS_MAX + 1];
	int level;
	u64 rights;
	u64 accessed;
};

/* What became of a step, and of the walk: negative errno, or one of these. */
enum {
	STEP_DONE,
	STEP_NOT_PRESENT,
	STEP_RESERVED,
	STEP_CHANGED,
};

static const struct walk_mode *guest_walk_mode(const struct ksvm_vcpu *vcpu)
{
	if (!guest_pae(vcpu))
		return &walk_modes[WALK_MODE_32BIT];
	if (!guest_long_mode(vcpu))
		return &walk_modes[WALK_MODE_PAE];
	if (vcpu->x86.cr4 & X86_CR4_LA57)
		return &walk_modes[WALK_MODE_5LEVEL];
	return &walk_modes[WALK_MODE_4LEVEL];
}

/*
 * The processor walks the same tables under nested paging and has 1 GiB pages
 * if the host has them, whatever the guest is told.
 */
static void set_rules(struct walker *walker, u32 access)
{
	const struct ksvm_x86_vcpu *x86 = &walker->vcpu->x86;
	bool ac = !(access & WALK_SYSTEM) && x86->rflags & X86_EFLAGS_AC;

	walker->rules = (struct walk_rules) {
		.wp = x86->cr0 & X86_CR0_WP,
		.pse = x86->cr4 & X86_CR4_PSE,
		.smep = x86->cr4 & X86_CR4_SMEP,
		.smap = x86->cr4 & X86_CR4_SMAP && !ac,
		.nx = x86->efer & EFER_NX,
		.gib_pages = static_cpu_has(X86_FEATURE_GBPAGES),
		.maxphyaddr = x86->maxphyaddr,
		.pkru = x86->cr4 & X86_CR4_PKE ? x86->fpu.pkru : 0,
	};
	walker->rules.reserved = walk_reserved_bits(walker->mode, &walker->rules);
}

/* An entry is aligned, so that it is within a page. Inside user_begin(). */
static __always_inline int read_entry(struct walker *walker, gpa_t gpa, u64 *entry)
{
	struct ksvm_memslot *slot = find_slot(walker->vcpu, gpa >> PAGE_SHIFT);
	unsigned long hva;
	u32 narrow;
	int r;

	if (!slot)
		return -ENXIO;
	hva = slot_hva_of_gpa(slot, gpa);
	if (walker->mode->entry_bytes == 8) {
		r = __get_user(*entry, (const u64 __user *)hva);
	} else {
		r = __get_user(narrow, (const u32 __user *)hva);
		*entry = narrow;
	}
	return r ? user_miss(walker->vcpu) : 0;
}

/* Find the leaf. STEP_DONE, STEP_NOT_PRESENT, STEP_RESERVED, or an errno. */
static int find_leaf(struct walker *walker)
{
	const struct walk_mode *mode = walker->mode;
	gpa_t table = walker->vcpu->x86.cr3 & mode->root;
	int level;

	walker->rights = GPTE_WRITABLE | GPTE_USER;
	walker->accessed = GPTE_ACCESSED;
	for (level = mode->levels; ; level--) {
		gpa_t address = walk_entry_address(mode, level, table, walker->gva);
		u64 entry = 0;
		bool leaf;
		int r;

		r = read_entry(walker, address, &entry);
		/* A table where no memory is: nothing is mapped by it. */
		if (r == -ENXIO)
			return STEP_NOT_PRESENT;
		if (r)
			return r;
		if (!(entry & GPTE_PRESENT))
			return STEP_NOT_PRESENT;
		leaf = walk_is_leaf(mode, level, entry, &walker->rules);
		if (walk_is_reserved(mode, level, entry, leaf, &walker->rules))
			return STEP_RESERVED;
		walker->address[level] = address;
		walker->entry[level] = entry;
		if (!mode->step[level].plain) {
			walker->accessed &= entry;
			/* A narrow entry has no bit 63. */
			walker->rights = (walker->rights & (entry | GPTE_NX)) | (entry & GPTE_NX);
		}
		if (leaf) {
			walker->level = level;
			return STEP_DONE;
		}
		table = walk_table_address(entry);
	}
}

/*
 * Set the A bits on the way, and D in the leaf for a write. Where the tables
 * cannot be written (a read-only slot) the processor could not either.
 */
static int set_accessed(struct walker *walker, bool write)
{
	int level;

	if (walker->accessed && (!write || walker->entry[walker->level] & GPTE_DIRTY))
		return STEP_DONE;
	for (level = walker->mode->levels; level >= walker->level; level--) {
		u64 old = walker->entry[level];
		u64 new = old | GPTE_ACCESSED;
		u64 found = old;
		int r;

		if (walker->mode->step[level].plain)
			continue;
		if (write && level == walker->level)
			new |= GPTE_DIRTY;
		if (new == old)
			continue;
		/* Little endian: the first four bytes are a narrow entry. */
		r = ksvm_cmpxchg_gpa(walker->vcpu, walker->address[level], &found, &new,
				     walker->mode->entry_bytes);
		if (r == -ENXIO)
			continue;
		if (r)
			return r;
		if (found != old)
			return STEP_CHANGED;
	}
	return STEP_DONE;
}

/* One attempt at the whole walk; fills @walk unless STEP_CHANGED or an errno. */
static int walk_once(struct walker *walker, u32 access, struct ksvm_walk *walk)
{
	bool write = access & WALK_WRITE;
	bool user = access & WALK_USER;
	bool fetch = access & WALK_FETCH;
	int step = find_leaf(walker);
	u64 leaf;

	if (step < 0)
		return step;
	walk->error_code = walk_error_base(walker->mode, &walker->rules, write, user, fetch);
	if (step == STEP_RESERVED)
		walk->error_code |= PFERR_PRESENT | PFERR_RESERVED;
	if (step != STEP_DONE)
		return -EPERM;

	leaf = walker->entry[walker->level];
	step = walk_denied(walker->mode, &walker->rules, walker->rights, leaf,
			   write, user, fetch);
	if (step) {
		walk->error_code |= step;
		return -EPERM;
	}
	step = set_accessed(walker, write);
	if (step != STEP_DONE)
		return step;
	walk->level = walker->level;
	walk->gpa = walk_page_address(walker->mode, walker->level, leaf, walker->gva);
	return 0;
}

int ksvm_walk(struct ksvm_vcpu *vcpu, gva_t gva, u32 access, struct ksvm_walk *walk)
{
	struct walker walker;
	int restarts, r;

	walk->error_code = 0;
	if (!guest_paging(vcpu)) {
		walk->gpa = gva;
		walk->level = 1;
		return 0;
	}

	walker.vcpu = vcpu;
	walker.gva = gva;
	walker.mode = guest_walk_mode(vcpu);
	set_rules(&walker, access);
	user_begin(vcpu);
	for (restarts = 0; restarts < RESTARTS_MAX; restarts++) {
		r = walk_once(&walker, access, walk);
		if (r != STEP_CHANGED)
			break;
	}
	user_end(vcpu);
	/*
	 * Where other vCPUs keep rewriting the entry: a fault for nothing is what
	 * every guest copes with. It looks, and runs the instruction again.
	 */
	return r == STEP_CHANGED ? -EPERM : r;
}
