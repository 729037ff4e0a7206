// A JavaScript interpreter that can be stopped at any moment: Duktape, with bounds.
//
// All that runs in it runs through run(). When time, memory or the caller's patience ends, our hooks in Duktape
// (duktape_options.h) throw ScriptStopped through its functions, which leaves the heap in no known state: run() marks
// it broken, and it may only be destroyed, which frees its memory without asking Duktape. An error inside Duktape is
// something else: it is caught where it was raised, or by run(), and the heap goes on.
#pragma once

#include <chrono>
#include <functional>
#include <stdexcept>

#include "states/memory_pool.h"

struct duk_hthread;

namespace etl::states {

// An evaluation was ended by a bound; what() says by which.
class ScriptStopped : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// An error that a script raised and did not catch; what() is its message.
class ScriptFailed : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class ScriptHeap {
 public:
  // May use `memory` bytes. `interrupt` is asked several times a millisecond, and ends a run by true; it may be null.
  // std::bad_alloc.
  ScriptHeap(size_t memory, std::function<bool()> interrupt);
  ScriptHeap(const ScriptHeap&) = delete;
  ScriptHeap& operator=(const ScriptHeap&) = delete;

  // Calls `work` with the stack of values as it was, and takes off it what `work` leaves there. `work` and what it
  // calls hold nothing that needs a destructor while they call Duktape, which leaves by longjmp. ScriptStopped,
  // ScriptFailed, and whatever `work` throws, after which (but for ScriptFailed) the heap is broken.
  void run(std::chrono::milliseconds time, const std::function<void(duk_hthread*)>& work);

  bool is_broken() const { return broken_; }
  size_t memory_used() const { return pool_.used(); }
  void collect_garbage();

  std::function<uint64_t()> random;  // 64 random bits, for Math.random()

  // For the hooks only.
  void check_time();
  bool stack_is_full() const;
  double draw();
  void count_mark();
  void count_compared(size_t bytes);

 private:
  static void* allocate(void* self, size_t size);
  static void* reallocate(void* self, void* block, size_t size);
  static void release(void* self, void* block);
  void* granted(void* block, size_t size);
  void count(unsigned& counter, unsigned every);
  void extend_deadline();

  MemoryPool pool_;
  const std::function<bool()> interrupt_;
  duk_hthread* context_ = nullptr;
  std::chrono::milliseconds time_{0};
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point deadline_;
  std::chrono::nanoseconds processor_start_{0};
  const char* stack_start_ = nullptr;
  bool running_ = false;
  bool broken_ = false;
  bool denied_ = false;  // the last request for memory
  unsigned allocations_ = 0;
  unsigned marks_ = 0;
  size_t compared_ = 0;
};

}  // namespace etl::states
