// Waiting without polling: every process of ours sleeps on its latch.
#pragma once

#include "pg/error.h"

namespace etl::pg {

inline constexpr long kForever = -1;

// The shorter of two delays, where kForever is the longest.
inline long sooner(long a, long b) {
  if (a == kForever || b == kForever) return a == kForever ? b : a;
  return std::min(a, b);
}

// Sleeps until this process's latch is set or `milliseconds` have passed (kForever: no limit), and resets the
// latch. Ends the process when the postmaster is gone. Handles no interrupt: see check_interrupts().
// True if the latch was set.
bool sleep_on_latch(long milliseconds, const char* wait_event_name);

// Sleeps until this process's latch is set, which it resets, or a descriptor can be read, or the time is over.
void sleep_on_latch_or_socket(int descriptor, const char* wait_event_name, long milliseconds = kForever);

// Handles what signals asked for: termination, cancellation, barriers, a reload of the configuration.
void check_interrupts();

// While it lives, a cancel of what this process does is noticed (QueryCancelPending), but not raised.
class CancelHeld {
 public:
  CancelHeld();
  ~CancelHeld() { release(); }
  CancelHeld(const CancelHeld&) = delete;
  CancelHeld& operator=(const CancelHeld&) = delete;

  void release();

 private:
  bool held_ = true;
};

// Signal handlers of a background process of ours.
void handle_background_signals();

// Ends this process if the postmaster is gone, or if the server is being shut down, where it waits a moment for the
// signal that says so: what has failed just then did not fail by itself. A smart shutdown, which lets everybody finish,
// sends none.
void leave_if_server_stops();

}  // namespace etl::pg
