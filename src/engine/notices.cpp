#include "engine/notices.h"

extern "C" {
#include "mb/pg_wchar.h"
#include "utils/guc.h"
}

namespace etl {

namespace {

struct Kept {
  bool active = false;
  int server_threshold = WARNING;  // log_min_messages as it was before
  size_t dropped = 0;
  std::vector<std::string> texts;
};

Kept& kept() {
  static auto* instance = new Kept;  // never destroyed: the library is not unloaded
  return *instance;
}

emit_log_hook_type next_hook = nullptr;

const char* level_name(int level) {
  return level == WARNING ? "WARNING" : level == NOTICE ? "NOTICE" : "INFO";
}

// The server's own rule (is_log_level_output).
bool belongs_into_server_log(int level, int threshold) {
  return threshold != LOG && level >= threshold;
}

void keep(const ErrorData* data) noexcept try {
  Kept& notices = kept();
  if (notices.texts.size() >= kMostNotices) {
    ++notices.dropped;
    return;
  }
  std::string text = data->message == nullptr ? "" : data->message;
  if (text.size() > kLongestNotice)
    text.resize(static_cast<size_t>(
        pg_mbcliplen(text.data(), static_cast<int>(text.size()), static_cast<int>(kLongestNotice))));
  notices.texts.push_back(std::string(level_name(data->elevel)) + ":  " + text);
} catch (...) {
  // Without memory a notice is lost, not the job.
}

// Runs inside the server's error reporting: must not raise.
void look(ErrorData* data) {
  Kept& notices = kept();
  const bool is_notice = data->elevel == INFO || data->elevel == NOTICE || data->elevel == WARNING;
  if (notices.active && is_notice) {
    if (data->elevel == INFO || data->elevel >= client_min_messages) keep(data);
    if (!belongs_into_server_log(data->elevel, notices.server_threshold)) data->output_to_server = false;
  }
  if (next_hook != nullptr) next_hook(data);
}

}  // namespace

void install_notice_keeper() {
  next_hook = emit_log_hook;
  emit_log_hook = look;
}

// The hook sees only what goes to the server's log, so the threshold of that log is lowered meanwhile.
NoticeKeeper::NoticeKeeper() {
  Kept& notices = kept();
  notices.texts.clear();
  notices.dropped = 0;
  notices.server_threshold = log_min_messages;
  notices.active = true;
  if (!belongs_into_server_log(INFO, log_min_messages)) log_min_messages = INFO;
}

NoticeKeeper::~NoticeKeeper() {
  Kept& notices = kept();
  if (log_min_messages == INFO) log_min_messages = notices.server_threshold;
  notices.active = false;
}

std::vector<std::string> NoticeKeeper::take() {
  Kept& notices = kept();
  if (notices.dropped > 0) notices.texts.push_back(pg::format("and %zu more", notices.dropped));
  notices.dropped = 0;
  return std::exchange(notices.texts, {});
}

}  // namespace etl
