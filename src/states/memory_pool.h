// Memory of one interpreter: bounded, and given back at once.
//
// Small blocks come from slabs, by size, and return to a list for their size; large ones from the system. Whatever is
// still in use when the pool ends is freed with it, in whatever state its user was left.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace etl::states {

class MemoryPool {
 public:
  explicit MemoryPool(size_t limit) : limit_(limit) {}
  ~MemoryPool();
  MemoryPool(const MemoryPool&) = delete;
  MemoryPool& operator=(const MemoryPool&) = delete;

  // Null where the limit, or the system's memory, does not allow it. Aligned for any plain type.
  void* allocate(size_t size);
  void* reallocate(void* block, size_t size);  // null: the block is as it was
  void release(void* block);                   // null: nothing

  size_t used() const { return used_; }

 private:
  struct Large;
  struct Free;
  static constexpr size_t kStep = 16;
  static constexpr size_t kLargestSmall = 1024;  // bytes of a block with its head
  static constexpr size_t kSlab = 64 << 10;

  void* allocate_small(size_t gross);
  void* allocate_large(size_t size);
  void refill(size_t index);

  const size_t limit_;
  size_t used_ = 0;
  Free* free_[kLargestSmall / kStep + 1] = {};
  std::vector<std::unique_ptr<std::byte[]>> slabs_;
  Large* large_ = nullptr;
};

}  // namespace etl::states
