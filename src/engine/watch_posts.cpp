#include "engine/watch_posts.h"

#include "pg/guard.h"
#include "pg/wait.h"

namespace etl::watch_posts {

namespace {

constexpr int kGiveWayMs = 10 * 1000;  // longer than the server waits for a database to become unused

int own_place = -1;  // of the post that this process has
bool starts_at_commit = false;
bool tells_at_commit = false;

Post* find(const Locked& locked, Oid database) {
  return find_place(locked->posts(), locked->seat_count, database);
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

}  // namespace

void call(const Locked& locked, Oid database, Call call) {
  Post* post = find(locked, database);
  if (post == nullptr && call == Call::kStart) post = claim_place(locked->posts(), locked->seat_count, database);
  if (post == nullptr) return;  // or as many databases are watched as the server can have workers at all
  post->has_news = true;
  if (post->state == PlaceState::kRunning) {
    locked.wake(post->process);
  } else {
    locked.wake_launcher();
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
  if (post->state == PlaceState::kWanted) {
    post->not_before = std::max(post->not_before, pg::monotonic_ms() + kGiveWayMs);
    return;
  }
  post->asked_to_leave = true;  // one that is starting hears of it when it has taken its post
  if (post->state == PlaceState::kRunning) locked.wake(post->process);
}

Place& post_at(const Locked& locked, int place) {
  return locked->posts()[place];
}

bool take(const StartOrder& order) {
  own_place = order.place;
  return take_place(post_at, order);
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
  own(locked).state = PlaceState::kVacant;
  return true;
}

void give_way() {
  const Locked locked;
  give_place_away(locked, &own(locked), kGiveWayMs);
}

}  // namespace etl::watch_posts
