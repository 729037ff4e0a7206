#include "states/memory_pool.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

namespace etl::states {

namespace {

// Stands before each block that is in use.
struct alignas(16) Head {
  size_t gross;  // bytes with all heads
  size_t room;   // bytes that the user may write
};

Head* head_of(void* block) {
  return static_cast<Head*>(block) - 1;
}

}  // namespace

struct MemoryPool::Free {
  Free* next;
};

// Before the head of a large block.
struct alignas(16) MemoryPool::Large {
  Large* next;
  Large* previous;
};

MemoryPool::~MemoryPool() {
  while (large_) {
    Large* next = large_->next;
    std::free(large_);
    large_ = next;
  }
}

void* MemoryPool::allocate(size_t size) {
  if (size > limit_) return nullptr;
  const size_t gross = (size + sizeof(Head) + kStep - 1) / kStep * kStep;
  return gross <= kLargestSmall ? allocate_small(gross) : allocate_large(size);
}

void* MemoryPool::allocate_small(size_t gross) {
  if (used_ + gross > limit_) return nullptr;
  Free*& list = free_[gross / kStep];
  if (!list) refill(gross / kStep);
  if (!list) return nullptr;
  Free* taken = list;
  list = taken->next;
  used_ += gross;
  Head* head = reinterpret_cast<Head*>(taken);
  *head = {gross, gross - sizeof(Head)};
  return head + 1;
}

// Cuts another slab into blocks of the size that `index` stands for.
void MemoryPool::refill(size_t index) {
  const size_t gross = index * kStep;
  std::unique_ptr<std::byte[]> slab(new (std::nothrow) std::byte[kSlab]);
  if (!slab) return;
  slabs_.push_back(std::move(slab));
  std::byte* start = slabs_.back().get();
  for (size_t at = kSlab / gross * gross; at >= gross; at -= gross) {
    Free* block = reinterpret_cast<Free*>(start + at - gross);
    block->next = free_[index];
    free_[index] = block;
  }
}

void* MemoryPool::allocate_large(size_t size) {
  const size_t gross = size + sizeof(Head) + sizeof(Large);
  if (used_ + gross > limit_) return nullptr;
  void* memory = std::malloc(gross);
  if (!memory) return nullptr;
  Large* large = new (memory) Large{large_, nullptr};
  if (large_) large_->previous = large;
  large_ = large;
  used_ += gross;
  Head* head = new (large + 1) Head{gross, size};
  return head + 1;
}

void* MemoryPool::reallocate(void* block, size_t size) {
  if (!block) return allocate(size);
  Head* head = head_of(block);
  if (size <= head->room && size >= head->room / 2) return block;
  void* moved = allocate(size);
  if (!moved) return nullptr;
  std::memcpy(moved, block, size < head->room ? size : head->room);
  release(block);
  return moved;
}

void MemoryPool::release(void* block) {
  if (!block) return;
  Head* head = head_of(block);
  used_ -= head->gross;
  if (head->gross <= kLargestSmall) {
    const size_t index = head->gross / kStep;
    Free* freed = reinterpret_cast<Free*>(head);
    freed->next = free_[index];
    free_[index] = freed;
    return;
  }
  Large* large = reinterpret_cast<Large*>(head) - 1;
  if (large->previous) large->previous->next = large->next;
  if (large->next) large->next->previous = large->previous;
  if (large_ == large) large_ = large->next;
  std::free(large);
}

}  // namespace etl::states
