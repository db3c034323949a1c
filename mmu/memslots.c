// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory slots: which guest frames are memory, and where user space has it.
 *
 * Readers take no lock: in ring 1 they are in an SRCU section, in ring 2 they
 * have interrupts off. A change builds what readers are to see, publishes it
 * with one store, waits until nobody can hold what was there before, and only
 * then removes the old mappings: no fault can bring them back any more.
 */
#include <linux/slab.h>

#include "internal.h"
#include "npt_entry.h"

#define FLAGS_KNOWN	(KVM_MEM_LOG_DIRTY_PAGES | KVM_MEM_READONLY)

/* A slot's pages are counted in 31 bits, as in KVM. */
#define SLOT_PAGES_MAX	((1UL << 31) - 1)

#define ARRAY_MIN	16

static struct ksvm_memslots *slots_writer(struct ksvm *vm, unsigned int as_id)
{
	return rcu_dereference_protected(vm->mmu.slots[as_id],
					 lockdep_is_held(&vm->mmu.slots_lock));
}

/* The long way of find_slot(), in the same context. */
struct ksvm_memslot *ksvm_search_slot(struct ksvm_vcpu *vcpu, gfn_t gfn)
{
	struct ksvm_mmu *mmu = &vcpu->vm->mmu;
	const struct ksvm_memslots *slots;
	struct ksvm_memslot *slot;
	unsigned int i;

	slots = rcu_dereference_check(mmu->slots[0],
				      irqs_disabled() || srcu_read_lock_held(&mmu->srcu));
	/* Pairs with publish_last(), as in find_slot(). */
	i = slot_upper_bound(slots->slot, smp_load_acquire(&slots->nr), gfn);
	if (!i--)
		return NULL;
	slot = READ_ONCE(slots->slot[i]);
	if (!slot_contains(slot, gfn))
		return NULL;
	vcpu->mmu.last_slot = i;
	return slot;
}

static struct ksvm_memslots *array_alloc(unsigned int capacity)
{
	struct ksvm_memslots *slots;

	slots = kvmalloc(struct_size(slots, slot, capacity), GFP_KERNEL_ACCOUNT);
	if (slots) {
		slots->nr = 0;
		slots->capacity = capacity;
	}
	return slots;
}

/* After this nobody holds a slot or an array that was unpublished before. */
static void wait_for_readers(struct ksvm *vm)
{
	synchronize_srcu_expedited(&vm->mmu.srcu);
	ksvm_wait_inner(vm);
}

/*
 * Publish a copy of an array without @old and with @new, either may be NULL.
 * -ENOMEM leaves everything as it was.
 */
static int publish_copy(struct ksvm *vm, unsigned int as_id,
			struct ksvm_memslot *old, struct ksvm_memslot *new)
{
	struct ksvm_memslots *was = slots_writer(vm, as_id);
	unsigned int i, room = max(was->nr + was->nr / 2, (unsigned int)ARRAY_MIN);
	struct ksvm_memslots *slots = array_alloc(room);

	if (!slots)
		return -ENOMEM;
	for (i = 0; i < was->nr; i++) {
		struct ksvm_memslot *slot = was->slot[i];

		if (new && new->base_gfn < slot->base_gfn) {
			slots->slot[slots->nr++] = new;
			new = NULL;
		}
		if (slot != old)
			slots->slot[slots->nr++] = slot;
	}
	if (new)
		slots->slot[slots->nr++] = new;

	rcu_assign_pointer(vm->mmu.slots[as_id], slots);
	wait_for_readers(vm);
	kvfree(was);
	return 0;
}

/*
 * A slot above all others needs no copy where there is room: readers that miss
 * it are readers from before. This is how VMMs add thousands of them.
 */
static bool publish_last(struct ksvm *vm, struct ksvm_memslot *new)
{
	struct ksvm_memslots *slots = slots_writer(vm, new->as_id);

	if (slots->nr == slots->capacity)
		return false;
	if (slots->nr && slots->slot[slots->nr - 1]->base_gfn > new->base_gfn)
		return false;
	WRITE_ONCE(slots->slot[slots->nr], new);
	/* Pairs with find_slot(). */
	smp_store_release(&slots->nr, slots->nr + 1);
	return true;
}

/* Publish @new in the place of @old, which has the same frames. */
static void publish_in_place(struct ksvm *vm, struct ksvm_memslot *old,
			     struct ksvm_memslot *new)
{
	struct ksvm_memslots *slots = slots_writer(vm, new->as_id);
	unsigned int i = slot_upper_bound(slots->slot, slots->nr, old->base_gfn) - 1;

	/* The slot's fields, then the pointer; readers depend on the address. */
	smp_store_release(&slots->slot[i], new);
	wait_for_readers(vm);
}

static void hva_tree_insert(struct ksvm *vm, struct ksvm_memslot *slot)
{
	write_lock(&vm->mmu.lock);
	interval_tree_insert(&slot->hva_node, &vm->mmu.hva_tree);
	write_unlock(&vm->mmu.lock);
}

static void hva_tree_remove(struct ksvm *vm, struct ksvm_memslot *slot)
{
	write_lock(&vm->mmu.lock);
	interval_tree_remove(&slot->hva_node, &vm->mmu.hva_tree);
	write_unlock(&vm->mmu.lock);
}

static void slot_free(struct ksvm_memslot *slot)
{
	kvfree(slot->dirty_bitmap);
	kfree(slot);
}

/* A slot as the caller wants it, with a bitmap only if @bitmap. */
static struct ksvm_memslot *slot_alloc(const struct kvm_userspace_memory_region *region,
				       bool bitmap)
{
	unsigned long npages = region->memory_size >> PAGE_SHIFT;
	struct ksvm_memslot *slot = kzalloc(sizeof(*slot), GFP_KERNEL_ACCOUNT);

	if (!slot)
		return NULL;
	slot->base_gfn = region->guest_phys_addr >> PAGE_SHIFT;
	slot->npages = npages;
	slot->userspace_addr = region->userspace_addr;
	slot->flags = region->flags;
	slot->id = (u16)region->slot;
	slot->as_id = region->slot >> 16;
	slot->hva_node.start = slot->userspace_addr;
	slot->hva_node.last = slot->userspace_addr + region->memory_size - 1;
	if (bitmap) {
		slot->dirty_bitmap = kvcalloc(BITS_TO_LONGS(npages), sizeof(long),
					      GFP_KERNEL_ACCOUNT);
		if (!slot->dirty_bitmap) {
			kfree(slot);
			return NULL;
		}
	}
	return slot;
}

static int slot_create(struct ksvm *vm, const struct kvm_userspace_memory_region *region)
{
	struct ksvm_mmu *mmu = &vm->mmu;
	unsigned int as_id = region->slot >> 16;
	struct ksvm_memslots *slots = slots_writer(vm, as_id);
	unsigned long npages = region->memory_size >> PAGE_SHIFT;
	struct ksvm_memslot *new;
	int r;

	if (mmu->nr_pages + npages < mmu->nr_pages)
		return -EINVAL;
	if (slot_overlaps(slots->slot, slots->nr, region->guest_phys_addr >> PAGE_SHIFT,
			  npages, NULL))
		return -EEXIST;
	new = slot_alloc(region, region->flags & KVM_MEM_LOG_DIRTY_PAGES);
	if (!new)
		return -ENOMEM;
	r = xa_err(xa_store(&mmu->by_id[as_id], new->id, new, GFP_KERNEL_ACCOUNT));
	if (r)
		goto free;

	hva_tree_insert(vm, new);
	if (!publish_last(vm, new)) {
		r = publish_copy(vm, as_id, NULL, new);
		if (r)
			goto remove;
	}
	mmu->nr_pages += npages;
	return 0;

remove:
	hva_tree_remove(vm, new);
	xa_erase(&mmu->by_id[as_id], new->id);
free:
	slot_free(new);
	return r;
}

static int slot_delete(struct ksvm *vm, struct ksvm_memslot *old)
{
	struct ksvm_mmu *mmu = &vm->mmu;
	int r = publish_copy(vm, old->as_id, old, NULL);

	if (r)
		return r;
	ksvm_npt_zap(vm, old->base_gfn, old->base_gfn + old->npages);
	hva_tree_remove(vm, old);
	xa_erase(&mmu->by_id[old->as_id], old->id);
	mmu->nr_pages -= old->npages;
	slot_free(old);
	return 0;
}

/*
 * What a published change of a slot means for what is mapped already. After
 * logging ends all goes, so that large pages can come back.
 */
static void slot_remap(struct ksvm *vm, const struct ksvm_memslot *old,
		       const struct ksvm_memslot *new)
{
	u32 toggled = old->flags ^ new->flags;
	gfn_t end = old->base_gfn + old->npages;

	if (old->base_gfn != new->base_gfn)
		ksvm_npt_zap(vm, old->base_gfn, end);
	else if (toggled & new->flags & KVM_MEM_LOG_DIRTY_PAGES)
		ksvm_npt_write_protect(vm, old->base_gfn, end);
	else if (toggled & KVM_MEM_LOG_DIRTY_PAGES)
		ksvm_npt_zap(vm, old->base_gfn, end);
}

/* Move a slot, or change its flags, or both. */
static int slot_modify(struct ksvm *vm, struct ksvm_memslot *old,
		       const struct kvm_userspace_memory_region *region)
{
	gfn_t base = region->guest_phys_addr >> PAGE_SHIFT;
	struct ksvm_memslots *slots = slots_writer(vm, old->as_id);
	bool log = region->flags & KVM_MEM_LOG_DIRTY_PAGES;
	struct ksvm_memslot *new;
	int r = 0;

	if (old->userspace_addr != region->userspace_addr ||
	    old->npages != region->memory_size >> PAGE_SHIFT ||
	    (old->flags ^ region->flags) & KVM_MEM_READONLY)
		return -EINVAL;
	if (base == old->base_gfn && region->flags == old->flags)
		return 0;
	if (base != old->base_gfn &&
	    slot_overlaps(slots->slot, slots->nr, base, old->npages, old))
		return -EEXIST;

	new = slot_alloc(region, log && !old->dirty_bitmap);
	if (!new)
		return -ENOMEM;
	/* What was logged so far stays logged: both slots share the bits. */
	if (log && old->dirty_bitmap)
		new->dirty_bitmap = old->dirty_bitmap;

	hva_tree_insert(vm, new);
	if (base == old->base_gfn)
		publish_in_place(vm, old, new);
	else
		r = publish_copy(vm, old->as_id, old, new);
	if (r) {
		swap(old, new);
	} else {
		/* The entry is there already: this allocates nothing. */
		xa_store(&vm->mmu.by_id[new->as_id], new->id, new, GFP_KERNEL_ACCOUNT);
		slot_remap(vm, old, new);
	}

	/* Whichever is not published goes. */
	hva_tree_remove(vm, old);
	if (old->dirty_bitmap == new->dirty_bitmap)
		old->dirty_bitmap = NULL;
	slot_free(old);
	return r;
}

/* What can be refused without looking at the slots there are. */
static int check_region(const struct ksvm *vm,
			const struct kvm_userspace_memory_region *region)
{
	/* What the nested table can reach; never above the architecture's 52. */
	int gpa_bits = vm->mmu.root_level == 5 ? 52 : 48;

	if (region->flags & ~FLAGS_KNOWN)
		return -EINVAL;
	if (!PAGE_ALIGNED(region->memory_size) || !PAGE_ALIGNED(region->guest_phys_addr))
		return -EINVAL;
	if (!PAGE_ALIGNED(region->userspace_addr) ||
	    region->userspace_addr != untagged_addr(region->userspace_addr) ||
	    !access_ok((void __user *)(unsigned long)region->userspace_addr,
		       region->memory_size))
		return -EINVAL;
	if (region->slot >> 16 >= KSVM_ADDRESS_SPACES ||
	    (u16)region->slot >= KSVM_MEMSLOTS_MAX)
		return -EINVAL;
	if (region->memory_size >> PAGE_SHIFT > SLOT_PAGES_MAX)
		return -EINVAL;
	/* Both terms are far from wrapping: the size is 43 bits at most here. */
	if (region->guest_phys_addr >> gpa_bits ||
	    (region->guest_phys_addr + region->memory_size) > 1ULL << gpa_bits)
		return -EINVAL;
	return 0;
}

/**
 * ksvm_set_memory_region() - create, delete, move or re-flag a slot
 * @vm: the VM
 * @region: what KVM_SET_USER_MEMORY_REGION was given
 *
 * Context: may sleep; not inside the read side of mmu.srcu.
 * Return: 0; -EINVAL for what cannot be; -EEXIST where another slot has one of
 * the frames; -ENOMEM. Nothing has changed unless 0.
 */
int ksvm_set_memory_region(struct ksvm *vm,
			   const struct kvm_userspace_memory_region *region)
{
	struct ksvm_memslot *old;
	int r = check_region(vm, region);

	if (r)
		return r;
	mutex_lock(&vm->mmu.slots_lock);
	old = xa_load(&vm->mmu.by_id[region->slot >> 16], (u16)region->slot);
	if (!region->memory_size)
		r = old ? slot_delete(vm, old) : -EINVAL;
	else if (old)
		r = slot_modify(vm, old, region);
	else
		r = slot_create(vm, region);
	mutex_unlock(&vm->mmu.slots_lock);
	return r;
}

int ksvm_memslots_init(struct ksvm *vm)
{
	struct ksvm_mmu *mmu = &vm->mmu;
	unsigned int i;

	for (i = 0; i < KSVM_ADDRESS_SPACES; i++) {
		struct ksvm_memslots *slots = array_alloc(ARRAY_MIN);

		xa_init(&mmu->by_id[i]);
		RCU_INIT_POINTER(mmu->slots[i], slots);
		if (!slots) {
			ksvm_memslots_destroy(vm);
			return -ENOMEM;
		}
	}
	return 0;
}

/* No vCPU and no notifier is left; undoes a half-done init too. */
void ksvm_memslots_destroy(struct ksvm *vm)
{
	struct ksvm_mmu *mmu = &vm->mmu;
	unsigned int i;

	for (i = 0; i < KSVM_ADDRESS_SPACES; i++) {
		struct ksvm_memslots *slots = rcu_dereference_protected(mmu->slots[i], true);
		unsigned int j;

		for (j = 0; slots && j < slots->nr; j++)
			slot_free(slots->slot[j]);
		kvfree(slots);
		xa_destroy(&mmu->by_id[i]);
	}
}
