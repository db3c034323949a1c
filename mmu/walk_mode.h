/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's page tables as its processor reads them: one description per
 * paging mode, and the rules about rights. Pure; also built on the host.
 */
#ifndef KSVM_MMU_WALK_MODE_H
#define KSVM_MMU_WALK_MODE_H

#include "pure.h"

/* Bits of a guest's entry, the same in all modes. */
#define GPTE_PRESENT	(1ULL << 0)
#define GPTE_WRITABLE	(1ULL << 1)
#define GPTE_USER	(1ULL << 2)
#define GPTE_ACCESSED	(1ULL << 5)
#define GPTE_DIRTY	(1ULL << 6)
#define GPTE_LARGE	(1ULL << 7)
#define GPTE_NX		(1ULL << 63)
#define GPTE_KEY_SHIFT	59

/* Bits of a page fault's error code. */
#define PFERR_PRESENT	(1U << 0)
#define PFERR_WRITE	(1U << 1)
#define PFERR_USER	(1U << 2)
#define PFERR_RESERVED	(1U << 3)
#define PFERR_FETCH	(1U << 4)
#define PFERR_KEY	(1U << 5)

#define WALK_LEVELS_MAX	5

/**
 * struct walk_step - one level of a paging mode
 * @shift: of the linear address, to get the page's or the table's reach
 * @index: the index's bits, as a mask after that shift
 * @rights: entries have rights and an A bit (PDPTEs of PAE paging have not)
 * @reserved_table: bits that must be zero in an entry that points to a table,
 *	but for those that depend on the processor; bit 7 among them where
 *	it could only mean a leaf
 * @reserved_leaf: the same for a leaf
 */
struct walk_step {
	unsigned char shift;
	unsigned short index;
	bool rights;
	u64 reserved_table;
	u64 reserved_leaf;
};

/**
 * struct walk_mode - a paging mode
 * @levels: how many
 * @entry_shift: size of an entry, as a power of two
 * @has_nx: entries have a bit 63, which is NX or reserved
 * @has_keys: entries have protection keys
 * @large: a bit for each level at which bit 7 makes a leaf
 * @root: the bits of CR3 that are the root's address
 * @reserved_high: bits 62 to 52, where these are reserved
 * @step: the levels, @step[1] is the last one walked
 */
struct walk_mode {
	unsigned char levels;
	unsigned char entry_shift;
	bool has_nx;
	bool has_keys;
	unsigned char large;
	u64 root;
	u64 reserved_high;
	struct walk_step step[WALK_LEVELS_MAX + 1];
};

enum walk_mode_id {
	WALK_MODE_32BIT,
	WALK_MODE_PAE,
	WALK_MODE_4LEVEL,
	WALK_MODE_5LEVEL,
	WALK_MODES,
};

#define WALK_LEVEL_4M		(1U << 2)	/* 32-bit paging: 4 MiB pages */
#define WALK_LEVEL_2M		(1U << 2)
#define WALK_LEVEL_1G		(1U << 3)

/* Bits @high down to @low. */
#define WALK_BITS(high, low)	((~0ULL << (low)) & (~0ULL >> (63 - (high))))

#define WALK_FRAME		WALK_BITS(51, 12)

#define WALK_LONG_STEPS									\
	[1] = { 12, 0x1ff, true },							\
	[2] = { 21, 0x1ff, true, .reserved_leaf = WALK_BITS(20, 13) },			\
	[3] = { 30, 0x1ff, true, .reserved_table = WALK_BITS(7, 7),			\
		.reserved_leaf = WALK_BITS(29, 13) },					\
	[4] = { 39, 0x1ff, true, .reserved_table = WALK_BITS(8, 7) }

static const struct walk_mode walk_modes[WALK_MODES] = {
	[WALK_MODE_32BIT] = {
		.levels = 2,
		.entry_shift = 2,
		.large = WALK_LEVEL_4M,
		.root = WALK_BITS(31, 12),
		.step = {
			[1] = { 12, 0x3ff, true },
			[2] = { 22, 0x3ff, true, .reserved_leaf = WALK_BITS(21, 21) },
		},
	},
	[WALK_MODE_PAE] = {
		.levels = 3,
		.entry_shift = 3,
		.has_nx = true,
		.large = WALK_LEVEL_2M,
		.root = WALK_BITS(31, 5),
		.reserved_high = WALK_BITS(62, 52),
		.step = {
			[1] = { 12, 0x1ff, true },
			[2] = { 21, 0x1ff, true, .reserved_leaf = WALK_BITS(20, 13) },
			/* Not bit 5, though reserved: QEMU's processor sets it as an A bit. */
			[3] = { 30, 3, false,
				.reserved_table = WALK_BITS(63, 63) | WALK_BITS(8, 6) |
						  WALK_BITS(2, 1) },
		},
	},
	[WALK_MODE_4LEVEL] = {
		.levels = 4,
		.entry_shift = 3,
		.has_nx = true,
		.has_keys = true,
		.large = WALK_LEVEL_2M | WALK_LEVEL_1G,
		.root = WALK_FRAME,
		.step = { WALK_LONG_STEPS },
	},
	[WALK_MODE_5LEVEL] = {
		.levels = 5,
		.entry_shift = 3,
		.has_nx = true,
		.has_keys = true,
		.large = WALK_LEVEL_2M | WALK_LEVEL_1G,
		.root = WALK_FRAME,
		.step = {
			WALK_LONG_STEPS,
			[5] = { 48, 0x1ff, true, .reserved_table = WALK_BITS(8, 7) },
		},
	},
};

/**
 * struct walk_rules - the processor state that a walk depends on
 * @wp: CR0.WP
 * @smep: CR4.SMEP
 * @smap: CR4.SMAP, and it applies: RFLAGS.AC is clear or the access implicit
 * @nx: EFER.NXE
 * @maxphyaddr: width of physical addresses
 * @large: a bit for each level at which bit 7 makes a leaf now
 * @pkru: PKRU, or 0 where CR4.PKE is clear
 * @reserved: bits that must be zero in entries of all levels, see
 *	walk_reserved_bits()
 */
struct walk_rules {
	bool wp;
	bool smep;
	bool smap;
	bool nx;
	unsigned char maxphyaddr;
	unsigned char large;
	u32 pkru;
	u64 reserved;
};

static inline u64 walk_entry_address(const struct walk_mode *mode, const struct walk_step *step,
				     u64 table, u64 gva)
{
	return table + (((gva >> step->shift) & step->index) << mode->entry_shift);
}

/* Bit 7 selects the bit of rules->large that is asked. */
static inline bool walk_is_leaf(int level, u64 entry, const struct walk_rules *rules)
{
	return level == 1 || ((entry >> 7) & (rules->large >> level) & 1);
}

/* What the processor's widths and switches reserve, at every level. */
static inline u64 walk_reserved_bits(const struct walk_mode *mode, bool nx,
				     unsigned int maxphyaddr)
{
	u64 reserved = mode->reserved_high;

	if (mode->entry_shift == 3 && maxphyaddr < 52)
		reserved |= WALK_BITS(51, maxphyaddr);
	if (mode->has_nx && !nx)
		reserved |= GPTE_NX;
	return reserved;
}

/* Bits 20 to 13 of a 4 MiB page's entry are address bits 39 to 32. */
static inline u64 walk_reserved_4m(const struct walk_rules *rules)
{
	if (rules->maxphyaddr >= 40)
		return 0;
	if (rules->maxphyaddr <= 32)
		return WALK_BITS(20, 13);
	return WALK_BITS(20, rules->maxphyaddr - 32 + 13);
}

/* Does a present entry have a bit set that must be zero? */
static inline bool walk_is_reserved(const struct walk_mode *mode, const struct walk_step *step,
				    u64 entry, bool leaf, const struct walk_rules *rules)
{
	u64 reserved = rules->reserved;

	reserved |= leaf ? step->reserved_leaf : step->reserved_table;
	if (leaf && step->shift == 22)
		reserved |= walk_reserved_4m(rules);
	return entry & reserved;
}

/* Where the table is that an entry points to. */
static inline u64 walk_table_address(u64 entry)
{
	return entry & WALK_FRAME;
}

/* The physical address that a leaf gives @gva. */
static inline u64 walk_page_address(const struct walk_mode *mode, int level, u64 entry, u64 gva)
{
	u64 offset = (1ULL << mode->step[level].shift) - 1;
	u64 page = entry & WALK_FRAME & ~offset;

	if (mode->step[level].shift == 22)
		page |= (entry & WALK_BITS(20, 13)) << (32 - 13);
	return page | (gva & offset);
}

/* What the error code says whatever the reason of the fault is. */
static inline u32 walk_error_base(const struct walk_mode *mode, const struct walk_rules *rules,
				  bool write, bool user, bool fetch)
{
	u32 error = 0;

	if (write)
		error |= PFERR_WRITE;
	if (user)
		error |= PFERR_USER;
	if (fetch && ((mode->has_nx && rules->nx) || rules->smep))
		error |= PFERR_FETCH;
	return error;
}

/**
 * walk_denied() - may the page be accessed so?
 * @mode: paging mode
 * @rules: processor state
 * @rights: GPTE_WRITABLE and GPTE_USER that all entries had, GPTE_NX that one had
 * @leaf: the leaf, for its protection key
 * @write: the access writes
 * @user: it is made at CPL 3, and not implicitly
 * @fetch: it fetches an instruction
 *
 * Return: 0, or PFERR_PRESENT (with PFERR_KEY where the key forbids it) to be
 * added to walk_error_base().
 */
static inline u32 walk_denied(const struct walk_mode *mode, const struct walk_rules *rules,
			      u64 rights, u64 leaf, bool write, bool user, bool fetch)
{
	bool user_page = rights & GPTE_USER;
	bool enforce_w = user || rules->wp;
	u32 denied = 0;

	if (user && !user_page)
		denied = PFERR_PRESENT;
	if (write && enforce_w && !(rights & GPTE_WRITABLE))
		denied = PFERR_PRESENT;
	if (fetch && rules->nx && (rights & GPTE_NX))
		denied = PFERR_PRESENT;
	if (!user && user_page) {
		if (fetch ? rules->smep : rules->smap)
			denied = PFERR_PRESENT;
	}
	if (mode->has_keys && user_page && !fetch && rules->pkru) {
		u32 key = rules->pkru >> (((leaf >> GPTE_KEY_SHIFT) & 15) * 2);

		if ((key & 1) || ((key & 2) && write && enforce_w))
			denied = PFERR_PRESENT | PFERR_KEY;
	}
	return denied;
}

#endif
