// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's page tables of the VMM's address space, read without its locks.
 *
 * Interrupts off keep the tables from being freed. What they say stays true for
 * as long as the caller holds mmu.lock: whoever takes a page or a right away
 * calls invalidate_range_start() first, which needs the write side. If it has
 * been called already, the range is being invalidated and the caller has
 * refused. So no reference on the page is needed to map it.
 */
#include <linux/mm.h>
#include <linux/pgtable.h>

#include "internal.h"

/*
 * Which pages can be mapped on the word of a page table alone: anonymous memory
 * and shmem. For what has rules of its own (secretmem, DAX, hugetlb's
 * reservations, pages about to be thrown away) get_user_pages() knows them.
 */
static bool plain_memory(struct page *page)
{
	return folio_test_swapbacked(page_folio(page)) && !PageHWPoison(page);
}

static bool take(struct host_page *host, struct page *page, int level, bool writable)
{
	if (!plain_memory(page))
		return false;
	host->page = page;
	host->level = level;
	host->writable = writable;
	return true;
}

/*
 * Go down to what maps @hva: the level of the leaf, or 0. Of level 2 the leaf is
 * in @pmd, of level 1 @pmd points to its table.
 */
static int walk_to_leaf(unsigned long hva, pmd_t *pmd)
{
	pgd_t pgd = READ_ONCE(*pgd_offset(current->mm, hva));
	p4d_t p4d;
	pud_t pud;

	if (pgd_none(pgd))
		return 0;
	p4d = READ_ONCE(*p4d_offset(&pgd, hva));
	if (p4d_none(p4d) || !p4d_present(p4d))
		return 0;
	pud = READ_ONCE(*pud_offset(&p4d, hva));
	if (pud_none(pud) || !pud_present(pud))
		return 0;
	if (pud_leaf(pud))
		return 3;
	*pmd = READ_ONCE(*pmd_offset(&pud, hva));
	if (pmd_none(*pmd) || !pmd_present(*pmd))
		return 0;
	return pmd_leaf(*pmd) ? 2 : 1;
}

/**
 * host_mapping_level() - the level at which the host maps a user address
 * @hva: the address, in the current address space
 *
 * Context: mmu.lock, the range not being invalidated.
 * Return: 1 to 3; 1 also where nothing is mapped.
 */
int host_mapping_level(unsigned long hva)
{
	unsigned long flags;
	pmd_t pmd;
	int level;

	local_irq_save(flags);
	level = walk_to_leaf(hva, &pmd);
	local_irq_restore(flags);
	return max(level, 1);
}

/*
 * The leaf of a device's memory, which need not have a struct page. The bit is as
 * in a pte; kernels before 6.12 make no such leaves and have no name for it.
 */
static bool pmd_is_special(pmd_t pmd)
{
	return pmd_flags(pmd) & _PAGE_SPECIAL;
}

/**
 * host_find_page() - the page that the host has mapped at a user address
 * @hva: the address, in the current address space
 * @write: it has to be mapped writable
 * @host: the result; host->page is the page of @hva itself, not of its leaf
 *
 * Writable is what pte_access_permitted() says: pte_write() is true of shadow
 * stacks as well, which nobody may write to.
 *
 * Context: mmu.lock, the range not being invalidated, interrupts off.
 * Return: false if there is none, or one that get_user_pages() should judge.
 */
bool host_find_page(unsigned long hva, bool write, struct host_page *host)
{
	pmd_t pmd;
	pte_t pte;

	switch (walk_to_leaf(hva, &pmd)) {
	case 2:
		if (!pmd_access_permitted(pmd, write) || pmd_is_special(pmd))
			return false;
		return take(host, pmd_page(pmd) + pte_index(hva), 2,
			    pmd_access_permitted(pmd, true));
	case 1:
		pte = READ_ONCE(*pte_offset_kernel(&pmd, hva));
		if (!pte_access_permitted(pte, write) || pte_special(pte))
			return false;
		return take(host, pte_page(pte), 1, pte_access_permitted(pte, true));
	default:
		return false;
	}
}
