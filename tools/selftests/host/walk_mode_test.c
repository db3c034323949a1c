// SPDX-License-Identifier: GPL-2.0-only
/* One step of a guest page walk, in each paging mode, against the manual. */
#include "../../../mmu/walk_mode.h"
#include "tap.h"

#define BIT(n)	(1ull << (n))

static const struct walk_mode *mode_32bit = &walk_modes[WALK_MODE_32BIT];
static const struct walk_mode *pae = &walk_modes[WALK_MODE_PAE];
static const struct walk_mode *long4 = &walk_modes[WALK_MODE_4LEVEL];
static const struct walk_mode *long5 = &walk_modes[WALK_MODE_5LEVEL];

static void entry_addresses(void)
{
	static const struct {
		const char *name;
		const struct walk_mode *mode;
		int level;
		u64 table, gva, address;
	} rows[] = {
		{ "32-bit directory", &walk_modes[WALK_MODE_32BIT], 2, 0x5000,
		  0xffc01234, 0x5000 + 1023 * 4 },
		{ "32-bit table", &walk_modes[WALK_MODE_32BIT], 1, 0x6000,
		  0x00401234, 0x6000 + 1 * 4 },
		{ "PAE pointer table", &walk_modes[WALK_MODE_PAE], 3, 0x7020,
		  0xc0000000, 0x7020 + 3 * 8 },
		{ "PAE directory", &walk_modes[WALK_MODE_PAE], 2, 0x8000,
		  0x3fe00000, 0x8000 + 511 * 8 },
		{ "4-level root", &walk_modes[WALK_MODE_4LEVEL], 4, 0x9000,
		  0xffff888000000000, 0x9000 + 273 * 8 },
		{ "4-level table", &walk_modes[WALK_MODE_4LEVEL], 1, 0xa000,
		  0xffffffffffffffff, 0xa000 + 511 * 8 },
		{ "5-level root", &walk_modes[WALK_MODE_5LEVEL], 5, 0xb000,
		  0x00ff000000000000, 0xb000 + 255 * 8 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct walk_step *step = &rows[i].mode->step[rows[i].level];

		EXPECT_EQ(walk_entry_address(rows[i].mode, step, rows[i].table,
					     rows[i].gva), rows[i].address);
		tap_row(rows[i].name);
	}
}

static void page_addresses(void)
{
	EXPECT_EQ(walk_page_address(mode_32bit, 1, 0x12345067, 0x00401abc),
		  0x12345abc);
	tap_row("32-bit page");
	/* Bits 20 to 13 of the entry are bits 39 to 32 of the address. */
	EXPECT_EQ(walk_page_address(mode_32bit, 2, 0x12400000 | 9 << 13 | 0xe7,
				    0x00745678), 0x0912745678);
	tap_row("32-bit 4 MiB page with high bits");
	EXPECT_EQ(walk_page_address(pae, 2, 0x40200000 | 0xe7, 0x003fffff),
		  0x403fffff);
	tap_row("PAE 2 MiB page");
	EXPECT_EQ(walk_page_address(long4, 3, BIT(63) | 0x8c0000000 | 0xe7,
				    0x12345678), 0x8d2345678);
	tap_row("1 GiB page, NX is no address");
	EXPECT_EQ(walk_page_address(long4, 2, 0x40200000 | BIT(12) | 0xe7, 0),
		  0x40200000);
	tap_row("2 MiB page, PAT is no address");
	EXPECT_EQ(walk_table_address(BIT(63) | BIT(59) | 0xfff0000abc067),
		  0xfff0000abc000);
	tap_row("table");
}

static bool reserved(const struct walk_mode *mode, int level, u64 entry,
		     bool leaf, bool nx, unsigned int width)
{
	struct walk_rules rules = {
		.nx = nx, .maxphyaddr = width,
		.reserved = walk_reserved_bits(mode, nx, width),
	};

	return walk_is_reserved(mode, &mode->step[level], entry, leaf, &rules);
}

static void reserved_bits(void)
{
	EXPECT(!reserved(long4, 1, 0x000fffffff000067, true, true, 52));
	EXPECT(reserved(long4, 1, BIT(40) | 1, true, true, 40));
	EXPECT(!reserved(long4, 1, BIT(39) | 1, true, true, 40));
	EXPECT(reserved(long4, 4, BIT(45) | 1, false, true, 40));
	tap_row("address width");
	EXPECT(reserved(long4, 1, BIT(63) | 1, true, false, 40));
	EXPECT(!reserved(long4, 1, BIT(63) | 1, true, true, 40));
	EXPECT(reserved(pae, 2, BIT(63) | 1, false, false, 40));
	tap_row("NX while it is off");
	EXPECT(!reserved(long4, 1, 0x7ff0000000000001, true, true, 40));
	EXPECT(reserved(pae, 1, BIT(52) | 1, true, true, 40));
	tap_row("available bits of long mode, reserved ones of PAE");
	EXPECT(reserved(long4, 2, BIT(13) | BIT(7) | 1, true, true, 40));
	EXPECT(!reserved(long4, 2, BIT(12) | BIT(7) | 1, true, true, 40));
	EXPECT(reserved(long4, 3, BIT(29) | BIT(7) | 1, true, true, 40));
	EXPECT(!reserved(long4, 2, BIT(13) | 1, false, true, 40));
	tap_row("low bits of a large page");
	EXPECT(reserved(long4, 4, BIT(7) | 1, false, true, 40));
	EXPECT(reserved(long5, 5, BIT(7) | 1, false, true, 40));
	EXPECT(!reserved(long5, 4, 0x12345063, false, true, 40));
	tap_row("no large pages at the top");
	EXPECT(reserved(pae, 3, BIT(1) | 1, false, true, 40));
	EXPECT(reserved(pae, 3, BIT(63) | 1, false, true, 40));
	EXPECT(!reserved(pae, 3, 0x12345019, false, true, 40));
	tap_row("PAE pointer entries");
	EXPECT(!reserved(mode_32bit, 2, 0xe7 | BIT(13) | BIT(20), true, true, 40));
	EXPECT(reserved(mode_32bit, 2, 0xe7 | BIT(20), true, true, 36));
	EXPECT(!reserved(mode_32bit, 2, 0xe7 | BIT(16), true, true, 36));
	EXPECT(reserved(mode_32bit, 2, 0xe7 | BIT(21), true, true, 40));
	EXPECT(!reserved(mode_32bit, 1, 0xffffffff, true, false, 40));
	tap_row("32-bit 4 MiB pages");
}

static void leaves(void)
{
	struct walk_rules rules = { .large = WALK_LEVEL_2M };

	EXPECT(walk_is_leaf(1, 0x1, &rules));
	EXPECT(walk_is_leaf(2, 0x81, &rules));
	EXPECT(!walk_is_leaf(2, 0x01, &rules));
	EXPECT(!walk_is_leaf(3, 0x81, &rules));
	EXPECT(!walk_is_leaf(4, 0x81, &rules));
	rules.large = WALK_LEVEL_2M | WALK_LEVEL_1G;
	EXPECT(walk_is_leaf(3, 0x81, &rules));
	/* Without CR4.PSE bit 7 means nothing. */
	rules.large = 0;
	EXPECT(!walk_is_leaf(2, 0x81, &rules));
	tap_row("what is a leaf");
}

struct access {
	bool write, user, fetch;
};

/* The manual's page-protection rules, told another way round. */
static bool allowed(const struct walk_rules *r, u64 rights, struct access a)
{
	bool page_user = rights & GPTE_USER, page_w = rights & GPTE_WRITABLE;

	if (a.fetch && r->nx && (rights & GPTE_NX))
		return false;
	if (a.user)
		return page_user && (page_w || !a.write);
	if (page_user && a.fetch && r->smep)
		return false;
	if (page_user && !a.fetch && r->smap)
		return false;
	return page_w || !a.write || !r->wp;
}

static void protection(void)
{
	unsigned int i;

	for (i = 0; i < 1 << 9; i++) {
		struct walk_rules r = {
			.wp = i & 1, .smep = i & 2, .smap = i & 4, .nx = i & 8,
		};
		struct access a = {
			.user = i & 16, .write = (i >> 5 & 3) == 1,
			.fetch = (i >> 5 & 3) == 2,
		};
		u64 right = (i & 128 ? GPTE_USER : 0) |
			    (i & 256 ? GPTE_WRITABLE : 0), nx;

		for (nx = 0; nx < 2; nx++) {
			u64 rights = right | (nx ? GPTE_NX : 0);
			u32 error = walk_denied(long4, &r, rights, 0, a.write,
						a.user, a.fetch);

			EXPECT_EQ(error, allowed(&r, rights, a) ? 0 :
					 PFERR_PRESENT);
		}
	}
	tap_row("all rights, accesses and switches");
}

static void key_rights(void)
{
	const u64 rights = GPTE_USER | GPTE_WRITABLE;
	const u64 leaf = 3ull << GPTE_KEY_SHIFT;
	struct walk_rules r = { .wp = true, .pkru = 1u << 6 };
	const u32 denied = PFERR_PRESENT | PFERR_KEY;

	EXPECT_EQ(walk_denied(long4, &r, rights, leaf, false, true, false), denied);
	EXPECT_EQ(walk_denied(long4, &r, rights, leaf, false, true, true), 0);
	EXPECT_EQ(walk_denied(long4, &r, rights, 0, false, true, false), 0);
	EXPECT_EQ(walk_denied(long4, &r, rights & ~GPTE_USER, leaf, false, false,
			      false), 0);
	EXPECT_EQ(walk_denied(mode_32bit, &r, rights, leaf, false, true, false), 0);
	r.pkru = 2u << 6;
	EXPECT_EQ(walk_denied(long4, &r, rights, leaf, false, true, false), 0);
	EXPECT_EQ(walk_denied(long4, &r, rights, leaf, true, true, false), denied);
	EXPECT_EQ(walk_denied(long4, &r, rights, leaf, true, false, false), denied);
	r.wp = false;
	EXPECT_EQ(walk_denied(long4, &r, rights, leaf, true, false, false), 0);
	tap_row("protection keys");
}

static void error_codes(void)
{
	struct walk_rules r = {};

	EXPECT_EQ(walk_error_base(long4, &r, true, true, false),
		  PFERR_WRITE | PFERR_USER);
	EXPECT_EQ(walk_error_base(long4, &r, false, false, true), 0);
	r.nx = true;
	EXPECT_EQ(walk_error_base(long4, &r, false, true, true),
		  PFERR_USER | PFERR_FETCH);
	EXPECT_EQ(walk_error_base(mode_32bit, &r, false, false, true), 0);
	r.smep = true;
	EXPECT_EQ(walk_error_base(mode_32bit, &r, false, false, true),
		  PFERR_FETCH);
	tap_row("error codes");
}

int main(void)
{
	entry_addresses();
	page_addresses();
	reserved_bits();
	leaves();
	protection();
	key_rights();
	error_codes();
	return tap_end();
}
