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
 * @slot: where the last entry was read
 * @offset: of user addresses from guest-physical ones in @slot
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
	const struct ksvm_memslot *slot;
	unsigned long offset;
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
static unsigned char large_levels(const struct walk_mode *mode, unsigned long cr4)
{
	if (mode->levels == 2)
		return cr4 & X86_CR4_PSE ? WALK_LEVEL_4M : 0;
	if (!cpu_feature_enabled(X86_FEATURE_GBPAGES))
		return mode->large & ~WALK_LEVEL_1G;
	return mode->large;
}

static __always_inline void set_rules(struct walker *walker, u32 access)
{
	const struct ksvm_x86_vcpu *x86 = &walker->vcpu->x86;
	const struct walk_mode *mode = walker->mode;
	struct walk_rules *rules = &walker->rules;
	unsigned long cr4 = x86->cr4;

	rules->wp = x86->cr0 & X86_CR0_WP;
	rules->smep = cr4 & X86_CR4_SMEP;
	rules->smap = cr4 & X86_CR4_SMAP &&
		      (access & WALK_SYSTEM || !(x86->rflags & X86_EFLAGS_AC));
	rules->nx = x86->efer & EFER_NX;
	rules->maxphyaddr = x86->maxphyaddr;
	rules->large = large_levels(mode, cr4);
	rules->pkru = cr4 & X86_CR4_PKE ? x86->fpu.pkru : 0;
	rules->reserved = walk_reserved_bits(mode, rules->nx, rules->maxphyaddr);
}

static int set_slot(struct walker *walker, gfn_t gfn)
{
	const struct ksvm_memslot *slot = find_slot(walker->vcpu, gfn);

	walker->slot = slot;
	if (!slot)
		return -ENXIO;
	walker->offset = slot->userspace_addr - (slot->base_gfn << PAGE_SHIFT);
	return 0;
}

/* An entry is aligned, so that it is within a page. Inside user_begin(). */
static __always_inline int read_entry(struct walker *walker, gpa_t gpa, u64 *entry)
{
	unsigned long hva;
	u32 narrow;

	if (!walker->slot || !slot_contains(walker->slot, gpa >> PAGE_SHIFT)) {
		int r = set_slot(walker, gpa >> PAGE_SHIFT);

		if (r)
			return r;
	}
	hva = walker->offset + gpa;
	__uaccess_begin_nospec();
	if (walker->mode->entry_shift == 3) {
		unsafe_get_user(*entry, (const u64 __user *)hva, miss);
	} else {
		unsafe_get_user(narrow, (const u32 __user *)hva, miss);
		*entry = narrow;
	}
	__uaccess_end();
	return 0;

miss:
	__uaccess_end();
	return user_miss(walker->vcpu);
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
		const struct walk_step *step = &mode->step[level];
		gpa_t address = walk_entry_address(mode, step, table, walker->gva);
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
		leaf = walk_is_leaf(level, entry, &walker->rules);
		if (walk_is_reserved(mode, step, entry, leaf, &walker->rules))
			return STEP_RESERVED;
		walker->address[level] = address;
		walker->entry[level] = entry;
		if (step->rights) {
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

		if (!walker->mode->step[level].rights)
			continue;
		if (write && level == walker->level)
			new |= GPTE_DIRTY;
		if (new == old)
			continue;
		/* Little endian: the first four bytes are a narrow entry. */
		r = ksvm_cmpxchg_gpa(walker->vcpu, walker->address[level], &found, &new,
				     1U << walker->mode->entry_shift);
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

/**
 * struct reach - what can be read without another search: a slot, or nothing at first
 * @first: its first guest-physical address
 * @bytes: its length
 * @offset: of user addresses from guest-physical ones
 */
struct reach {
	gpa_t first;
	u64 bytes;
	unsigned long offset;
};

static __always_inline bool reach_for(struct ksvm_vcpu *vcpu, struct reach *reach, gpa_t gpa)
{
	const struct ksvm_memslot *slot = find_slot(vcpu, gpa >> PAGE_SHIFT);

	if (!slot)
		return false;
	reach->first = slot->base_gfn << PAGE_SHIFT;
	reach->bytes = (u64)slot->npages << PAGE_SHIFT;
	reach->offset = slot->userspace_addr - reach->first;
	return true;
}

/* Eight bytes inside a page, for the shortcuts; false for a miss of any kind. */
static __always_inline bool peek(struct ksvm_vcpu *vcpu, struct reach *reach, gpa_t gpa,
				 u64 *value)
{
	if (unlikely(gpa - reach->first >= reach->bytes) && !reach_for(vcpu, reach, gpa))
		return false;
	__uaccess_begin_nospec();
	unsafe_get_user(*value, (const u64 __user *)(reach->offset + gpa), miss);
	__uaccess_end();
	return true;

miss:
	__uaccess_end();
	return false;
}

/* May a supervisor's access go to a page that user code can access? */
static bool supervisor_allowed(const struct ksvm_x86_vcpu *x86, u32 access)
{
	if (access & WALK_FETCH)
		return !(x86->cr4 & X86_CR4_SMEP);
	return !(x86->cr4 & X86_CR4_SMAP) ||
	       (!(access & WALK_SYSTEM) && x86->rflags & X86_EFLAGS_AC);
}

/* Is the guest in a mode that walk_shortcut() knows? */
static __always_inline bool shortcut_knows(const struct ksvm_vcpu *vcpu)
{
	return guest_long_mode(vcpu) && !(vcpu->x86.cr4 & X86_CR4_PKE);
}

/*
 * The common case, which instruction fetches depend on: long mode, all entries
 * present, accessed and without a doubtful bit, rights as needed. Nothing to set
 * and nothing to report. False leaves all else to the complete walk.
 */
static __always_inline bool walk_shortcut(struct ksvm_vcpu *vcpu, gva_t gva, u32 access,
					  struct reach *reach, struct ksvm_walk *walk)
{
	const struct ksvm_x86_vcpu *x86 = &vcpu->x86;
	u64 required = GPTE_PRESENT | GPTE_ACCESSED;
	u64 watched = x86->maxphyaddr < 52 ? WALK_BITS(51, x86->maxphyaddr) : 0;
	u64 entry = x86->cr3, rights = ~0ULL, offset;
	int level = x86->cr4 & X86_CR4_LA57 ? 5 : 4;
	/* Turned by nine bits for each level, it has the level's index times 8 in its low bits. */
	u64 path = ror64(gva, level * 9 + 9);

	if (access & WALK_USER)
		required |= GPTE_USER;
	if (access & WALK_WRITE && (access & WALK_USER || x86->cr0 & X86_CR0_WP))
		required |= GPTE_WRITABLE;
	if (access & WALK_FETCH || !(x86->efer & EFER_NX))
		watched |= GPTE_NX;
	watched |= required;

	for (; ; level--) {
		path = rol64(path, 9);
		if (!peek(vcpu, reach, (entry & WALK_FRAME) | (path & 0xff8), &entry))
			return false;
		if ((entry & watched) != required)
			return false;
		rights &= entry;
		if (level == 1)
			break;
		if (unlikely(entry & WALK_BITS(8, 7))) {
			if (level != 2 || entry & WALK_BITS(20, 13))
				return false;
			if (entry & GPTE_LARGE)
				break;
		}
	}
	if (access & WALK_WRITE && !(entry & GPTE_DIRTY))
		return false;
	if (!(access & WALK_USER) && rights & GPTE_USER && !supervisor_allowed(x86, access))
		return false;
	walk->level = level;
	offset = level == 1 ? WALK_BITS(11, 0) : WALK_BITS(20, 0);
	walk->gpa = (entry & WALK_FRAME & ~offset) | (gva & offset);
	return true;
}

static int walk_complete(struct ksvm_vcpu *vcpu, gva_t gva, u32 access, struct ksvm_walk *walk)
{
	struct walker walker __uninitialized;
	int restarts, r;

	walker.vcpu = vcpu;
	walker.gva = gva;
	walker.slot = NULL;
	walker.mode = guest_walk_mode(vcpu);
	set_rules(&walker, access);
	for (restarts = 0; restarts < RESTARTS_MAX; restarts++) {
		r = walk_once(&walker, access, walk);
		if (r != STEP_CHANGED)
			return r;
	}
	/*
	 * Other vCPUs keep rewriting the entry. A fault for nothing is what every
	 * guest copes with: it looks, and runs the instruction again.
	 */
	return -EPERM;
}

int ksvm_walk(struct ksvm_vcpu *vcpu, gva_t gva, u32 access, struct ksvm_walk *walk)
{
	struct reach reach = {};
	int r = 0;

	walk->error_code = 0;
	if (!guest_paging(vcpu)) {
		walk->gpa = gva;
		walk->level = 1;
		return 0;
	}

	user_begin(vcpu);
	if (!shortcut_knows(vcpu) || !walk_shortcut(vcpu, gva, access, &reach, walk))
		r = walk_complete(vcpu, gva, access, walk);
	user_end(vcpu);
	return r;
}

/* Two loads where the walk has just been; false leaves it to ksvm_walk(). */
static __always_inline bool fetch_shortcut(struct ksvm_vcpu *vcpu, gva_t gva, u32 access, u64 *data)
{
	struct reach reach = {};
	struct ksvm_walk walk;
	bool done;

	user_begin(vcpu);
	done = walk_shortcut(vcpu, gva, access, &reach, &walk) &&
	       peek(vcpu, &reach, walk.gpa, &data[0]) &&
	       peek(vcpu, &reach, walk.gpa + sizeof(*data), &data[1]);
	user_end(vcpu);
	return done;
}

/**
 * ksvm_fetch() - read instruction bytes
 * @vcpu: the vCPU, by its own thread
 * @gva: linear address
 * @access: 0, or WALK_USER for CPL 3
 * @data: what was read; undefined on failure
 * @bytes: how much, within one page; 16 are read with two loads
 * @error_code: of the #PF to inject, on -EPERM
 *
 * Context: ring 2, or read side of mmu.srcu (then it may sleep).
 * Return: as ksvm_walk() and ksvm_read_gpa().
 */
int ksvm_fetch(struct ksvm_vcpu *vcpu, gva_t gva, u32 access, void *data, unsigned int bytes,
	       u32 *error_code)
{
	struct ksvm_walk walk;
	int r;

	access = (access & WALK_USER) | WALK_FETCH;
	if (bytes == 2 * sizeof(u64) && shortcut_knows(vcpu) &&
	    fetch_shortcut(vcpu, gva, access, data))
		return 0;
	r = ksvm_walk(vcpu, gva, access, &walk);
	*error_code = walk.error_code;
	return r ? r : ksvm_read_gpa(vcpu, walk.gpa, data, bytes);
}
