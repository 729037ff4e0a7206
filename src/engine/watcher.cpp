// The watcher: one process for each database with watched locations, which notices files that arrive.
//
// The kernel tells it that something has changed in a location (locations/notifier.h). It waits until nothing more
// comes for a moment, looks through the location, and has runs started for what is new (arrivals.h). It looks, too,
// when it starts, when a file has been left alone for long enough, at each rescan_interval, and when locations or jobs
// have changed. It sleeps on its latch and the kernel's descriptor otherwise.

#include "engine/arrival_store.h"
#include "engine/arrivals.h"
#include "engine/own_locks.h"
#include "engine/watch_posts.h"
#include "locations/notifier.h"
#include "pg/boundary.h"
#include "pg/guard.h"
#include "pg/transaction.h"
#include "pg/wait.h"

extern "C" {
#include "commands/extension.h"
}

namespace etl {

namespace {

constexpr int64_t kShortestQuietMs = 500;  // nothing more has come for so long, or for stable_for if that is longer
constexpr int64_t kLongestQuietMs = 10'000;
constexpr int64_t kMostQuietTimes = 5;  // but a location in which something always changes is looked at, too
constexpr int64_t kRetryMs = 60'000;

void check_for_interrupts() {
  pg::check_interrupts();
}

// A location, and when to look through it next.
class Watched {
 public:
  explicit Watched(Location location) : location_(std::move(location)) {}

  const Location& location() const { return location_; }
  // As pg::monotonic_ms().
  int64_t due() const {
    if (first_change_ == 0) return due_;
    return std::min(last_change_ + quiet_ms(), first_change_ + quiet_ms() * kMostQuietTimes);
  }

  void changed() {
    last_change_ = pg::monotonic_ms();
    if (first_change_ == 0) first_change_ = last_change_;
  }

  void look(int place, locations::Notifier* notifier) {
    first_change_ = 0;
    due_ = location_.rescan_interval_ms > 0 ? pg::monotonic_ms() + location_.rescan_interval_ms : INT64_MAX;
    std::string problem;
    try {
      if (notifier != nullptr) watch(place, notifier);
      const Looked looked = start_for_arrivals(location_, is_first_);
      is_first_ = false;
      problem = looked.problem;
      if (looked.due_ns != 0)  // what may be read soon after goes into the same run
        due_ = std::min(due_, pg::monotonic_ms() + (looked.due_ns - locations::now_ns()) / 1'000'000 + quiet_ms());
    } catch (const pg::Failure& failure) {
      problem = failure.what();
    } catch (const pg::Error& error) {
      pg::abort_everything();
      problem = error.what();
    }
    if (!problem.empty()) due_ = std::min(due_, pg::monotonic_ms() + kRetryMs);
    if (!problem.empty() && problem != last_problem_)
      log_line(WARNING, pg::format("location \"%s\": %s", location_.name.c_str(), problem.c_str()),
               "The files that arrived there wait; it is tried again every minute.");
    last_problem_ = problem;
  }

 private:
  int64_t quiet_ms() const {
    return std::clamp(location_.rules.stable_for_ns / 1'000'000, kShortestQuietMs, kLongestQuietMs);
  }

  void watch(int place, locations::Notifier* notifier) const {
    try {
      notifier->watch(
          place, open_directory(location_),
          [&](const std::string& path) { return locations::refusal_of_directory(location_.rules, path); },
          check_for_interrupts);
    } catch (const locations::FileError& error) {
      throw failure_of(location_, "", error);
    }
  }

  Location location_;
  int64_t due_ = 0;           // also where nothing changes
  int64_t first_change_ = 0;  // since the last look; 0: none
  int64_t last_change_ = 0;
  bool is_first_ = true;
  std::string last_problem_;
};

class Watcher {
 public:
  // Returns when nothing is left to watch, or when somebody needs the database.
  void run() {
    for (;;) {
      QueryCancelPending = false;  // nothing here is anybody's to cancel
      pg::check_interrupts();
      if (watch_posts::was_asked_to_leave()) return watch_posts::give_way();
      if (watch_posts::take_news() && !read_locations()) {
        if (watch_posts::leave_for_good()) return;
        continue;
      }
      look_at_due();
      sleep();
    }
  }

 private:
  // False if there is nothing to watch.
  bool read_locations() {
    std::vector<Location> locations;
    pg::Transaction transaction;
    if (pg::guard([] { return OidIsValid(get_extension_oid("etl_orchestrator", true)); })) {
      std::vector<std::string> names;
      {
        const pg::Spi spi;
        names = arrival_store::watched_locations();
      }
      for (const std::string& name : names) locations.push_back(find_location(name));
    }
    transaction.commit();
    watched_.clear();
    for (Location& location : locations) watched_.emplace_back(std::move(location));
    renew_notifier();
    return !watched_.empty();
  }

  // Watches of locations that were dropped go with the old one.
  void renew_notifier() {
    notifier_.reset();
    try {
      if (!watched_.empty()) notifier_ = std::make_unique<locations::Notifier>();
    } catch (const locations::FileError& error) {
      log_line(WARNING, pg::format("changes of locations cannot be heard of: they %s", error.what()),
               "Locations with a rescan_interval are still looked through.");
    }
  }

  void look_at_due() {
    if (notifier_)
      for (const int place : notifier_->changes()) watched_[static_cast<size_t>(place)].changed();
    for (size_t place = 0; place < watched_.size(); ++place) {
      if (watched_[place].due() <= pg::monotonic_ms()) watched_[place].look(static_cast<int>(place), notifier_.get());
      if (watch_posts::has_news()) return;
    }
  }

  void sleep() const {
    if (watch_posts::has_news()) return;
    int64_t due = INT64_MAX;
    for (const Watched& each : watched_) due = std::min(due, each.due());
    const long delay =
        due == INT64_MAX ? pg::kForever : static_cast<long>(std::max<int64_t>(due - pg::monotonic_ms(), 0));
    if (notifier_) {
      pg::sleep_on_latch_or_socket(notifier_->descriptor(), "EtlWatcherMain", delay);
    } else {
      pg::sleep_on_latch(delay, "EtlWatcherMain");
    }
  }

  std::vector<Watched> watched_;
  std::unique_ptr<locations::Notifier> notifier_;
};

}  // namespace

}  // namespace etl

extern "C" PGDLLEXPORT void etl_watcher_main(Datum) {
  etl::pg::boundary([] {
    using namespace etl;
    pg::handle_background_signals();
    const StartOrder order = start_order();
    connect_engine_process(order.database);
    take_own_lock(OwnLock::kWatcher);  // one for each database, also while the one of before is still leaving
    if (watch_posts::take(order)) Watcher().run();
  });
}
