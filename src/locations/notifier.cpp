#include "locations/fence.h"

#include "locations/notifier.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace etl::locations {
namespace {

// Writing, too: as long as somebody writes, it is not quiet.
constexpr uint32_t kEvents = IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF |
                             IN_MOVE_SELF | IN_ONLYDIR | IN_EXCL_UNLINK;

[[noreturn]] void fail(const char* what) {
  std::string reason = std::string(what) + ": " + strerror(errno);
  if (errno == ENOSPC) reason += " (the kernel's limit fs.inotify.max_user_watches is reached)";
  if (errno == EMFILE) reason += " (the kernel's limit fs.inotify.max_user_instances may be reached)";
  throw FileError(FileError::Kind::kBroken, reason);
}

}  // namespace

Notifier::Notifier() : inotify_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
  if (!inotify_.is_open()) fail("cannot be watched");
}

void Notifier::add(int place, const Directory& directory) {
  const std::string path = "/proc/self/fd/" + std::to_string(directory.descriptor());
  const int watch = inotify_add_watch(inotify_.get(), path.c_str(), kEvents);
  if (watch < 0) fail("cannot be watched");
  places_[watch].insert(place);
}

void Notifier::watch(int place, const Directory& root,
                     const std::function<std::optional<std::string>(const std::string& path)>& leave_out,
                     const std::function<void()>& tick) {
  add(place, root);
  Listing listing;
  listing.tick = tick;
  // Each directory is watched before it is listed: what comes into it later is told.
  listing.leave_out = [&](const std::string& path) -> std::optional<std::string> {
    if (leave_out(path)) return "";
    try {
      add(place, root.open_directory(path));
    } catch (const FileError& error) {
      if (error.kind() != FileError::Kind::kMissing && error.kind() != FileError::Kind::kUnreadable) throw;
      return "";
    }
    return std::nullopt;
  };
  root.list(listing);
}

std::set<int> Notifier::changes() {
  std::set<int> changed;
  alignas(inotify_event) char buffer[16 * 1024];
  ssize_t size;
  while ((size = read(inotify_.get(), buffer, sizeof buffer)) > 0) {
    for (const char* at = buffer; at < buffer + size;) {
      const auto* event = reinterpret_cast<const inotify_event*>(at);
      at += sizeof *event + event->len;
      if ((event->mask & IN_Q_OVERFLOW) != 0) {  // anything may have changed
        for (const auto& [watch, places] : places_) changed.insert(places.begin(), places.end());
        continue;
      }
      const auto found = places_.find(event->wd);
      if (found == places_.end()) continue;
      changed.insert(found->second.begin(), found->second.end());
      if ((event->mask & IN_IGNORED) != 0) places_.erase(found);  // the directory is gone
    }
  }
  return changed;
}

}  // namespace etl::locations
