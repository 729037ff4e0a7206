#include "engine/watch_posts.h"

#include "pg/guard.h"
#include "pg/wait.h"

namespace etl::watch_posts {

namespace {

constexpr int64_t kQuickDeathMs = 1000;  // a watcher that dies sooner after its start than this died quickly
constexpr int kFirstDelayMs = 1000;      // after the second quick death in a row, then twice as long each time
constexpr int kMostDoublings = 6;
constexpr long kNotGoneMs = 1000;      // the signal of an end can get lost
constexpr long kNoSlotRetryMs = 1000;  // nobody tells when another extension's worker has ended
constexpr int kGiveWayMs = 10 * 1000;  // longer than the server waits for a database to become unused

int own_place = -1;  // of the post that this process has
uint64 own_generation = 0;
bool starts_at_commit = false;
bool tells_at_commit = false;

Post* find(const Locked& locked, Oid database) {
  Post* posts = locked->posts();
  for (int i = 0; i < locked->seat_count; ++i)
    if (posts[i].state != PostState::kVacant && posts[i].database == database) return &posts[i];
  return nullptr;
}

Post* claim(const Locked& locked, Oid database) {
  Post* posts = locked->posts();
  for (int i = 0; i < locked->seat_count; ++i) {
    if (posts[i].state != PostState::kVacant) continue;
    const uint64 generation = posts[i].generation;
    posts[i] = Post{};
    posts[i].state = PostState::kWanted;
    posts[i].database = database;
    posts[i].generation = generation;
    return &posts[i];
  }
  return nullptr;  // as many databases are watched as the server can have workers at all
}

void wake_launcher(const Locked& locked) {
  if (locked->launcher != nullptr) locked.wake(locked->launcher);
}

void delay_after_death(Post* post) {
  const int64_t now = pg::monotonic_ms();
  const bool quick = now - post->started_at < kQuickDeathMs;
  post->quick_deaths = quick ? post->quick_deaths + 1 : 0;
  if (post->quick_deaths < 2) return;
  post->not_before = now + (int64_t{kFirstDelayMs} << std::min(post->quick_deaths - 2, kMostDoublings));
}

void at_transaction_end(XactEvent event, void*) {
  if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT) return;
  if (event == XACT_EVENT_COMMIT && shared_state() != nullptr && (starts_at_commit || tells_at_commit))
    call(Locked(), MyDatabaseId, starts_at_commit ? Call::kStart : Call::kTell);
  starts_at_commit = tells_at_commit = false;
}

Post& own(const Locked& locked) {
  return locked->posts()[own_place];
}

// If this process ends without having left its post, it died: the launcher starts another.
void leave_at_exit(int, Datum) {
  const Locked locked;
  Post& post = own(locked);
  if (post.state != PostState::kRunning || post.generation != own_generation) return;
  post.state = PostState::kWanted;
  post.watcher = nullptr;
  post.asked_to_leave = false;
  delay_after_death(&post);
  wake_launcher(locked);
}

}  // namespace

void call(const Locked& locked, Oid database, Call call) {
  Post* post = find(locked, database);
  if (post == nullptr && call == Call::kStart) post = claim(locked, database);
  if (post == nullptr) return;
  post->has_news = true;
  if (post->state == PostState::kRunning) {
    locked.wake(post->watcher);
  } else {
    wake_launcher(locked);
  }
}

bool has_post(const Locked& locked, Oid database) {
  return find(locked, database) != nullptr;
}

void call_at_commit(Call call) {
  static bool registered = false;
  if (!registered) {
    RegisterXactCallback(at_transaction_end, nullptr);
    registered = true;
  }
  (call == Call::kStart ? starts_at_commit : tells_at_commit) = true;
}

void ask_to_leave(const Locked& locked, Oid database) {
  Post* post = find(locked, database);
  if (post == nullptr) return;
  if (post->state == PostState::kWanted) {
    post->not_before = std::max(post->not_before, pg::monotonic_ms() + kGiveWayMs);
    return;
  }
  post->asked_to_leave = true;  // one that is starting hears of it when it has taken its post
  if (post->state == PostState::kRunning) locked.wake(post->watcher);
}

// A watcher that ended without giving back its post died before it could attach.
void Starter::notice_deaths() {
  for (auto entry = started_.begin(); entry != started_.end();) {
    pid_t pid;
    if (GetBackgroundWorkerPid(entry->second, &pid) != BGWH_STOPPED) {
      ++entry;
      continue;
    }
    pfree(entry->second);
    const int place = entry->first;
    entry = started_.erase(entry);
    const Locked locked;
    Post& post = locked->posts()[place];
    if (post.state != PostState::kStarting) continue;
    post.state = PostState::kWanted;
    delay_after_death(&post);
  }
}

long Starter::start_wanted(const std::function<bool(Oid)>& database_exists) {
  notice_deaths();
  waits_for_slot_ = false;
  long delay = pg::kForever;
  for (int place = 0; place < shared_state()->seat_count; ++place) {
    Post post;
    {
      const Locked locked;
      Post& it = locked->posts()[place];
      // A launcher of before started it, whose handle is gone: it may still come, then this one leaves.
      if (it.state == PostState::kStarting && !started_.contains(place)) it.state = PostState::kWanted;
      post = it;
    }
    if (post.state != PostState::kWanted) continue;
    if (started_.contains(place)) {  // the one of before is not gone yet
      delay = pg::sooner(delay, kNotGoneMs);
      continue;
    }
    if (const int64_t now = pg::monotonic_ms(); post.not_before > now) {
      delay = pg::sooner(delay, static_cast<long>(post.not_before - now));
      continue;
    }
    const bool exists = database_exists(post.database);
    {
      const Locked locked;
      Post& it = locked->posts()[place];
      if (it.state != PostState::kWanted || it.database != post.database) continue;
      it.state = exists ? PostState::kStarting : PostState::kVacant;
      it.started_at = pg::monotonic_ms();
    }
    if (!exists) continue;
    BackgroundWorkerHandle* handle =
        start_background("etl_watcher_main", pg::format("etl_orchestrator watcher for database %u", post.database),
                         "etl_orchestrator watcher", {post.database, InvalidOid, place, 0, 0});
    if (handle != nullptr) {
      started_[place] = handle;
      continue;
    }
    Locked()->posts()[place].state = PostState::kWanted;
    waits_for_slot_ = true;
    delay = pg::sooner(delay, kNoSlotRetryMs);
  }
  return delay;
}

bool Starter::is_behind() const {
  const Locked locked;
  const Post* posts = locked->posts();
  const int64_t now = pg::monotonic_ms();
  return !waits_for_slot_ && std::any_of(posts, posts + locked->seat_count, [&](const Post& post) {
    return post.state == PostState::kWanted && post.not_before <= now &&
           !started_.contains(static_cast<int>(&post - posts));
  });
}

bool take(const StartOrder& order) {
  {
    const Locked locked;
    Post& post = locked->posts()[order.place];
    const bool expected =
        post.database == order.database && (post.state == PostState::kStarting || post.state == PostState::kWanted);
    if (!expected) return false;
    post.state = PostState::kRunning;
    post.watcher = MyProc;
    post.has_news = true;
    own_place = order.place;
    own_generation = ++post.generation;
  }
  pg::guard([] { before_shmem_exit(leave_at_exit, 0); });
  return true;
}

bool was_asked_to_leave() {
  const Locked locked;
  return own(locked).asked_to_leave;
}

bool take_news() {
  const Locked locked;
  return std::exchange(own(locked).has_news, false);
}

bool has_news() {
  const Locked locked;
  return own(locked).has_news || own(locked).asked_to_leave;
}

bool leave_for_good() {
  const Locked locked;
  if (own(locked).has_news) return false;
  own(locked).state = PostState::kVacant;
  return true;
}

void give_way() {
  const Locked locked;
  Post& post = own(locked);
  post.state = PostState::kWanted;
  post.watcher = nullptr;
  post.asked_to_leave = false;
  post.not_before = pg::monotonic_ms() + kGiveWayMs;
  wake_launcher(locked);
}

}  // namespace etl::watch_posts
