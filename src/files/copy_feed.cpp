#include "files/copy_feed.h"

#include "pg/boundary.h"
#include "pg/guard.h"

extern "C" {
#include "access/table.h"
#include "commands/copy.h"
#include "parser/parse_node.h"
#include "parser/parse_relation.h"
#include "utils/rel.h"
}

namespace etl::files {

namespace {

// What COPY reads from. Its callback takes no argument: there is one load at a time.
struct Feed {
  TextRows rows;
  std::string buffer;
  size_t used = 0;
};
Feed* current_feed = nullptr;

class FeedInUse {
 public:
  explicit FeedInUse(Feed* feed) { current_feed = feed; }
  ~FeedInUse() { current_feed = nullptr; }
  FeedInUse(const FeedInUse&) = delete;
  FeedInUse& operator=(const FeedInUse&) = delete;
};

int read_feed(void* target, int, int most) {
  return pg::boundary([&] {
    Feed& feed = *current_feed;
    while (feed.used == feed.buffer.size()) {
      feed.buffer.clear();
      feed.used = 0;
      if (!feed.rows(&feed.buffer)) return 0;
    }
    const size_t count = std::min(feed.buffer.size() - feed.used, static_cast<size_t>(most));
    memcpy(target, feed.buffer.data() + feed.used, count);
    feed.used += count;
    return static_cast<int>(count);
  });
}

}  // namespace

void append_text(std::string* line, std::string_view value) {
  for (const char c : value) {
    switch (c) {
      case '\\':
        *line += "\\\\";
        break;
      case '\n':
        *line += "\\n";
        break;
      case '\r':
        *line += "\\r";
        break;
      case '\t':
        *line += "\\t";
        break;
      default:
        *line += c;
    }
  }
}

void append_null(std::string* line) {
  *line += "\\N";
}

int64_t copy_rows(Oid table, const std::vector<int>& attributes, TextRows rows) {
  Feed feed{std::move(rows), {}, 0};
  const FeedInUse in_use(&feed);
  return pg::guard([&] {
    Relation relation = table_open(table, RowExclusiveLock);
    ParseState* parse = make_parsestate(nullptr);
    addRangeTableEntryForRelation(parse, relation, RowExclusiveLock, nullptr, false, false);
    List* names = NIL;
    for (const int attribute : attributes)
      names = lappend(names,
                      makeString(pstrdup(NameStr(TupleDescAttr(RelationGetDescr(relation), attribute - 1)->attname))));
    CopyFromState copy = BeginCopyFrom(parse, relation, nullptr, nullptr, false, read_feed, names, NIL);
    const uint64 count = CopyFrom(copy);
    EndCopyFrom(copy);
    free_parsestate(parse);
    table_close(relation, NoLock);
    return static_cast<int64_t>(count);
  });
}

}  // namespace etl::files
