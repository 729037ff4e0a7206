#include "engine/publications.h"

#include <list>

#include "pg/boundary.h"

namespace etl {

namespace {

struct Pending {
  Location location;
  locations::Publication publication;
  SubTransactionId level;  // in which it was made, or which took it over
  bool is_complete = false;
  bool may_replace = false;
};

std::list<Pending>& pending() {
  static auto* list = new std::list<Pending>;  // never destroyed: a process that exits has rolled back before
  return *list;
}

void publish_all() {
  for (Pending& it : pending()) {
    if (!it.is_complete) continue;
    try {
      it.publication.publish(it.may_replace);
    } catch (const locations::FileError& error) {
      if (error.kind() == locations::FileError::Kind::kExists) throw already_there(it.location, it.publication.path());
      throw failure_of(it.location, it.publication.path(), error);
    }
  }
}

void at_transaction_end(XactEvent event, void*) {
  if (pending().empty()) return;
  if (event == XACT_EVENT_PRE_PREPARE)
    ereport(ERROR,
            (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("cannot PREPARE a transaction that has exported a table")));
  if (event == XACT_EVENT_PRE_COMMIT) pg::boundary([] { publish_all(); });
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

void publish_at_commit(const locations::Publication& publication, bool may_replace) {
  for (Pending& it : pending()) {
    if (&it.publication != &publication) continue;
    it.is_complete = true;
    it.may_replace = may_replace;
  }
}

pg::Failure already_there(const Location& location, const std::string& path) {
  return pg::Failure(ERRCODE_DUPLICATE_FILE,
                     pg::format("\"%s\" of location \"%s\" exists already, and no export wrote it", path.c_str(),
                                location.name.c_str()),
                     "", "Give another path, or replace => true.");
}

}  // namespace etl
