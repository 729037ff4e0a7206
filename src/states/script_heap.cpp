#include "states/script_heap.h"

#include <cstring>
#include <ctime>
#include <optional>

#include "states/duktape_options.h"

#include <duktape.h>

namespace etl::states {
namespace {

constexpr size_t kStack = 768 << 10;         // bytes of the process's stack that a run may take
constexpr size_t kMarkDepth = 256;           // calls of the garbage collector within each other
constexpr size_t kLargeBlock = 64 << 10;     // an allocation that may have taken long
constexpr size_t kLongComparison = 1 << 20;  // bytes compared until the time is looked at

thread_local ScriptHeap* running_heap = nullptr;

constexpr int kPatience = 10;  // with a machine that has others to serve

std::chrono::nanoseconds processor_time() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

class Running {
 public:
  explicit Running(ScriptHeap* heap) : before_(running_heap) { running_heap = heap; }
  ~Running() { running_heap = before_; }

 private:
  ScriptHeap* const before_;
};

duk_ret_t call(duk_context* context, void* work) {
  (*static_cast<const std::function<void(duk_hthread*)>*>(work))(context);
  return 0;
}

}  // namespace

ScriptHeap::ScriptHeap(size_t memory, std::function<bool()> interrupt)
    : pool_(memory), interrupt_(std::move(interrupt)) {
  context_ = duk_create_heap(allocate, reallocate, release, this, etl_script_fatal);
  if (!context_) throw std::bad_alloc();
}

void ScriptHeap::run(std::chrono::milliseconds time, const std::function<void(duk_hthread*)>& work) {
  if (broken_) throw std::logic_error("a stopped interpreter cannot be used again");
  const Running guard(this);
  time_ = time;
  start_ = std::chrono::steady_clock::now();
  deadline_ = start_ + time_;
  processor_start_ = processor_time();
  stack_start_ = static_cast<const char*>(__builtin_frame_address(0));
  running_ = true;
  denied_ = false;
  std::optional<std::string> error;
  try {
    if (duk_safe_call(context_, call, const_cast<void*>(static_cast<const void*>(&work)), 0, 1) != DUK_EXEC_SUCCESS) {
      error = duk_safe_to_string(context_, -1);
    }
    duk_pop(context_);
  } catch (...) {
    broken_ = true;
    throw;
  }
  running_ = false;
  if (error) throw ScriptFailed(*error);
}

void ScriptHeap::collect_garbage() {
  duk_gc(context_, 0);
}

void ScriptHeap::check_time() {
  if (!running_) return;
  if (std::chrono::steady_clock::now() >= deadline_) extend_deadline();
  if (interrupt_ && interrupt_()) throw ScriptStopped("it was cancelled");
}

// The time that has passed is cheap to ask for, the processor's is what counts: a busy machine ends no evaluation,
// unless it takes many times as long.
void ScriptHeap::extend_deadline() {
  const auto now = std::chrono::steady_clock::now();
  const auto used = processor_time() - processor_start_;
  if (used >= time_ || now - start_ >= kPatience * time_) {
    throw ScriptStopped("it took longer than " + std::to_string(time_.count()) + " ms");
  }
  deadline_ = now + (time_ - used);
}

bool ScriptHeap::stack_is_full() const {
  const char* here = static_cast<const char*>(__builtin_frame_address(0));
  return running_ && static_cast<size_t>(stack_start_ > here ? stack_start_ - here : here - stack_start_) > kStack;
}

double ScriptHeap::draw() {
  return random ? static_cast<double>(random() >> 11) * 0x1p-53 : 0;
}

void ScriptHeap::count(unsigned& counter, unsigned every) {
  if (++counter % every == 0) check_time();
}

void ScriptHeap::count_mark() {
  count(marks_, 1024);
}

void ScriptHeap::count_compared(size_t bytes) {
  compared_ += bytes;
  if (compared_ < kLongComparison) return;
  compared_ = 0;
  check_time();
}

// Duktape collects garbage and asks again when it gets none; the second time it has to end.
void* ScriptHeap::granted(void* block, size_t size) {
  if (!block && size > 0) {
    if (running_ && denied_) throw ScriptStopped("it needed too much memory");
    denied_ = true;
    return nullptr;
  }
  denied_ = false;
  if (size >= kLargeBlock) {
    check_time();
  } else {
    count(allocations_, 256);
  }
  return block;
}

void* ScriptHeap::allocate(void* self, size_t size) {
  ScriptHeap* heap = static_cast<ScriptHeap*>(self);
  return size == 0 ? nullptr : heap->granted(heap->pool_.allocate(size), size);
}

void* ScriptHeap::reallocate(void* self, void* block, size_t size) {
  ScriptHeap* heap = static_cast<ScriptHeap*>(self);
  if (size == 0) {
    heap->pool_.release(block);
    return nullptr;
  }
  return heap->granted(heap->pool_.reallocate(block, size), size);
}

void ScriptHeap::release(void* self, void* block) {
  static_cast<ScriptHeap*>(self)->pool_.release(block);
}

}  // namespace etl::states

using etl::states::ScriptHeap;

extern "C" {

int etl_script_interrupted(void* heap) {
  static_cast<ScriptHeap*>(heap)->check_time();
  return 0;
}

int etl_script_stack_is_full(void* heap) {
  ScriptHeap* script = static_cast<ScriptHeap*>(heap);
  script->count_mark();
  return script->stack_is_full();
}

size_t etl_script_mark_depth(void* heap) {
  static_cast<ScriptHeap*>(heap)->count_mark();
  return etl::states::kMarkDepth;
}

int etl_script_compare(const void* a, const void* b, size_t length) {
  if (length > 256 && etl::states::running_heap) etl::states::running_heap->count_compared(length);
  return std::memcmp(a, b, length);
}

double etl_script_random(void* heap) {
  return static_cast<ScriptHeap*>(heap)->draw();
}

void etl_script_fatal(void*, const char* message) {
  throw etl::states::ScriptStopped(std::string("the interpreter failed: ") + (message ? message : ""));
}

}  // extern "C"
