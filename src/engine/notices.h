// NOTICEs and WARNINGs of a job, kept for its log row.
#pragma once

#include "pg/error.h"

namespace etl {

inline constexpr size_t kMostNotices = 20;      // of an attempt; of further ones only their number is kept
inline constexpr size_t kLongestNotice = 1000;  // bytes

// Called once per worker.
void install_notice_keeper();

// While it lives, messages of level INFO, NOTICE and WARNING are kept, if the job's client_min_messages lets them pass.
// In the server's log appears what would appear there anyway. One at a time.
class NoticeKeeper {
 public:
  NoticeKeeper();
  ~NoticeKeeper();
  NoticeKeeper(const NoticeKeeper&) = delete;
  NoticeKeeper& operator=(const NoticeKeeper&) = delete;

  // "WARNING:  text", in their order.
  std::vector<std::string> take();
};

}  // namespace etl
