#include "engine/publications.h"

#include <list>

#include "pg/boundary.h"
#include "pg/wait.h"

namespace etl {

namespace {

struct Pending {
  Location location;
  locations::Publication publication;
  SubTransactionId level;  // in which it was made, or which took it over
  bool is_complete = false;
  std::optional<locations::Written> replaced = std::nullopt;
  bool may_replace = false;
};

std::list<Pending>& pending() {
  static auto* list = new std::list<Pending>;  // never destroyed: a process that exits has rolled back before
  return *list;
}

// Of several to one path the last is published, instead of what the first would have replaced.
void drop_superseded() {
  std::map<std::pair<std::string, std::string>, std::list<Pending>::iterator> last;
  for (auto it = pending().begin(); it != pending().end(); ++it) {
    if (!it->is_complete) continue;
    const auto [place, is_first] = last.emplace(std::pair(it->location.name, it->publication.path()), it);
    if (is_first) continue;
    it->replaced = std::move(place->second->replaced);
    it->may_replace = it->may_replace || place->second->may_replace;
    pending().erase(std::exchange(place->second, it));
  }
}

std::string find_foreign(const Location& location, const std::string& path,
                         const std::optional<locations::Written>& written) {
  const locations::Directory root = open_directory(location);
  try {
    if (written) return locations::first_foreign(root, path, *written, pg::check_interrupts);
    return locations::is_there(root, path) ? path : "";
  } catch (const locations::FileError& error) {
    throw failure_of(location, path, error);
  }
}

void require_no_foreign(const Location& location, const std::string& path,
                        const std::optional<locations::Written>& written) {
  const std::string foreign = find_foreign(location, path, written);
  if (foreign.empty()) return;
  const bool was_exported = written && (written->contains(foreign) || foreign == path);  // perhaps as a folder
  const char* reason = was_exported ? "was changed since it was exported"
                                    : "exists already, and no export that is still listed wrote it";
  throw pg::Failure(
      ERRCODE_DUPLICATE_FILE,
      pg::format("\"%s\" of location \"%s\" %s", foreign.c_str(), location.name.c_str(), reason), "",
      "Give another path, or replace => true, which removes a folder with everything in it. After a restore of the "
      "database that is needed once for each path.");
}

void publish(Pending* it) try {
  it->publication.publish(it->may_replace || it->replaced);
} catch (const locations::FileError& error) {
  if (error.kind() == locations::FileError::Kind::kExists) require_no_foreign(it->location, it->publication.path(), {});
  throw failure_of(it->location, it->publication.path(), error);
}

void publish_all() {
  drop_superseded();
  for (const Pending& it : pending())
    if (it.is_complete && !it.may_replace) require_no_foreign(it.location, it.publication.path(), it.replaced);
  for (Pending& it : pending())
    if (it.is_complete) publish(&it);
}

void keep_all() {
  for (Pending& it : pending())
    if (it.is_complete) it.publication.keep();
}

void at_transaction_end(XactEvent event, void*) {
  if (pending().empty()) return;
  if (event == XACT_EVENT_PRE_PREPARE)
    ereport(ERROR,
            (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("cannot PREPARE a transaction that has exported a table")));
  if (event == XACT_EVENT_PRE_COMMIT) pg::boundary([] { publish_all(); });
  if (event == XACT_EVENT_COMMIT) keep_all();
  if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT) pending().clear();
}

void at_subtransaction_end(SubXactEvent event, SubTransactionId own, SubTransactionId parent, void*) {
  if (event == SUBXACT_EVENT_ABORT_SUB) {
    std::erase_if(pending(), [&](const Pending& it) { return it.level == own; });
  } else if (event == SUBXACT_EVENT_COMMIT_SUB) {
    for (Pending& it : pending())
      if (it.level == own) it.level = parent;
  }
}

}  // namespace

locations::Publication& keep_publication(const Location& location, locations::Publication publication) {
  static bool registered = false;
  if (!registered) {
    RegisterXactCallback(at_transaction_end, nullptr);
    RegisterSubXactCallback(at_subtransaction_end, nullptr);
    registered = true;
  }
  pending().push_back({location, std::move(publication), GetCurrentSubTransactionId()});
  return pending().back().publication;
}

void publish_at_commit(const locations::Publication& publication, std::optional<locations::Written> replaced,
                       bool may_replace) {
  for (Pending& it : pending()) {
    if (&it.publication != &publication) continue;
    it.is_complete = true;
    it.replaced = std::move(replaced);
    it.may_replace = may_replace;
    return;
  }
}

void require_replaceable(const Location& location, const std::string& path,
                         const std::optional<locations::Written>& written) {
  const bool is_own = std::any_of(pending().begin(), pending().end(), [&](const Pending& it) {
    return it.is_complete && it.location.name == location.name && it.publication.path() == path;
  });
  if (!is_own) require_no_foreign(location, path, written);
}

}  // namespace etl
