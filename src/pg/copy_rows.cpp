#include "pg/copy_rows.h"

#include "pg/boundary.h"
#include "pg/guard.h"
#include "pg/row_writer.h"

extern "C" {
#include "access/table.h"
#include "commands/copy.h"
#include "commands/copyfrom_internal.h"
#include "commands/progress.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "parser/parse_node.h"
#include "parser/parse_relation.h"
#include "utils/acl.h"
#include "utils/backend_progress.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/rls.h"
}

namespace etl::pg {

namespace {

// COPY's callback takes no argument of ours: there is one COPY at a time.
const CopySource* current_source = nullptr;

class SourceInUse {
 public:
  explicit SourceInUse(const CopySource* source) { current_source = source; }
  ~SourceInUse() { current_source = nullptr; }
  SourceInUse(const SourceInUse&) = delete;
  SourceInUse& operator=(const SourceInUse&) = delete;
};

int read_source(void* buffer, int, int most) {
  return boundary(
      [&] { return static_cast<int>((*current_source)(static_cast<char*>(buffer), static_cast<size_t>(most))); });
}

// In the server's memory: what C++ owns, a jump would leave.
List* server_list(const std::vector<std::string>& texts) {
  return guard([&] {
    List* list = NIL;
    for (const std::string& text : texts) list = lappend(list, makeString(pstrdup(text.c_str())));
    return list;
  });
}

List* options_of(const CopyDialect& dialect) {
  List* options = NIL;
  const auto add = [&](const char* name, const char* text) {
    options = lappend(options, makeDefElem(pstrdup(name), reinterpret_cast<Node*>(makeString(pstrdup(text))), -1));
  };
  const auto add_given = [&](const char* name, const std::optional<std::string>& text) {
    if (text) add(name, text->c_str());
  };
  guard([&] {
    add("format", dialect.csv ? "csv" : "text");
    if (dialect.header) add("header", "true");
    add_given("delimiter", dialect.delimiter);
    add_given("quote", dialect.quote);
    add_given("escape", dialect.escape);
    add_given("null", dialect.null_string);
    add_given("encoding", dialect.encoding);
  });
  return options;
}

// Row by row into the heap of a Replacement.
int64_t copy_aside(CopyFromState copy, Oid table, Oid heap) {
  RowWriter* writer = RowWriter::open(table, heap);
  ErrorContextCallback callback{error_context_stack, CopyFromErrorCallback, copy};
  error_context_stack = &callback;
  for (bool found = true; found;) {
    CHECK_FOR_INTERRUPTS();
    TupleTableSlot* slot = writer->next();
    const MemoryContext caller = MemoryContextSwitchTo(writer->row_context());
    found = NextCopyFrom(copy, GetPerTupleExprContext(writer->estate), slot->tts_values, slot->tts_isnull);
    MemoryContextSwitchTo(caller);
    if (!found) break;
    writer->put();
    pgstat_progress_update_param(PROGRESS_COPY_TUPLES_PROCESSED, writer->rows);
  }
  const int64_t rows = writer->close();
  error_context_stack = callback.previous;
  return rows;
}

// Notes where COPY is, for a CopyPlace: as PostgreSQL's own context of the error does, and where that does.
struct PlaceNotes {
  CopyFromState copy = nullptr;
  uint64 line = 0;
  char column[NAMEDATALEN] = "";
  char value[2048] = "";

  static void take(void* notes) { static_cast<PlaceNotes*>(notes)->take(); }
  void take() {
    const ErrorContextCallback* callback = error_context_stack;
    while (callback != nullptr && callback->callback != CopyFromErrorCallback) callback = callback->previous;
    line = callback == nullptr ? 0 : copy->cur_lineno;
    strlcpy(column, line == 0 || copy->cur_attname == nullptr ? "" : copy->cur_attname, sizeof column);
    strlcpy(value, line == 0 || copy->cur_attval == nullptr ? "" : copy->cur_attval, sizeof value);
  }
};

bool may_insert(Oid table, AttrNumber column) {
  return pg_class_aclcheck(table, GetUserId(), ACL_INSERT) == ACLCHECK_OK ||
         pg_attribute_aclcheck(table, column, GetUserId(), ACL_INSERT) == ACLCHECK_OK;
}

// What SQL asks of an INSERT that names no column.
bool may_insert_defaults(Oid table) {
  return pg_class_aclcheck(table, GetUserId(), ACL_INSERT) == ACLCHECK_OK ||
         pg_attribute_aclcheck_all(table, GetUserId(), ACL_INSERT, ACLMASK_ANY) == ACLCHECK_OK;
}

}  // namespace

int64_t copy_rows(Oid table, Oid heap, const std::vector<std::string>& columns, const CopyDialect& dialect,
                  int64_t size, const CopySource& source, CopyPlace* place) {
  const SourceInUse in_use(&source);
  List* names = server_list(columns);
  List* options = options_of(dialect);
  PlaceNotes notes;
  try {
    return guard([&] {
      PreventCommandIfReadOnly("COPY FROM");
      Relation relation = table_open(table, RowExclusiveLock);
      ParseState* parse = make_parsestate(nullptr);
      addRangeTableEntryForRelation(parse, relation, RowExclusiveLock, nullptr, false, false);
      notes.copy = BeginCopyFrom(parse, relation, nullptr, nullptr, false, read_source, names, options);
      pgstat_progress_update_param(PROGRESS_COPY_BYTES_TOTAL, size);
      ErrorContextCallback callback{error_context_stack, PlaceNotes::take, &notes};
      error_context_stack = &callback;
      const int64_t rows =
          heap == table ? static_cast<int64_t>(CopyFrom(notes.copy)) : copy_aside(notes.copy, table, heap);
      error_context_stack = callback.previous;
      EndCopyFrom(notes.copy);
      free_parsestate(parse);
      table_close(relation, NoLock);
      return rows;
    });
  } catch (...) {
    if (place != nullptr) *place = {static_cast<int64_t>(notes.line), notes.column, notes.value};
    throw;
  }
}

void require_insert(Oid table, const std::vector<std::string>& columns) {
  List* names = server_list(columns);
  guard([&] {
    if (names == NIL && !may_insert_defaults(table))
      aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, get_rel_name(table));
    ListCell* cell;
    foreach (cell, names) {
      const AttrNumber column = get_attnum(table, strVal(lfirst(cell)));
      if (!may_insert(table, column)) aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, get_rel_name(table));
    }
    if (check_enable_rls(table, InvalidOid, false) == RLS_ENABLED)
      ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                      errmsg("table \"%s\" has row-level security", get_rel_name(table)),
                      errdetail("Files can be loaded only where it does not apply to the job's owner, as with COPY."),
                      errhint("Give the job to the table's owner, or load another table and insert from it.")));
  });
}

void append_copy_text(std::string* line, std::string_view value) {
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

void append_copy_null(std::string* line) {
  *line += "\\N";
}

}  // namespace etl::pg
