#include "pg/copy_csv.h"

#include "pg/guard.h"
#include "pg/row_writer.h"

extern "C" {
#include "access/table.h"
#include "commands/copy.h"
#include "commands/progress.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "parser/parse_node.h"
#include "utils/backend_progress.h"
#include "utils/rel.h"
}

namespace etl::pg {

namespace {

struct ColumnNames {
  const char** names;
  int count;
};

// In the server's memory: the names of a vector, which a jump would leave.
ColumnNames borrowed(const std::vector<std::string>& columns) {
  return guard([&] {
    ColumnNames names{static_cast<const char**>(palloc(sizeof(char*) * (columns.size() + 1))), 0};
    for (const std::string& column : columns) names.names[names.count++] = pstrdup(column.c_str());
    return names;
  });
}

CopyFromState begin_copy(const char* file, Relation table, const ColumnNames& columns) {
  List* names = NIL;
  for (int i = 0; i < columns.count; ++i) names = lappend(names, makeString(pstrdup(columns.names[i])));
  List* options = list_make2(makeDefElem(pstrdup("format"), reinterpret_cast<Node*>(makeString(pstrdup("csv"))), -1),
                             makeDefElem(pstrdup("header"), reinterpret_cast<Node*>(makeBoolean(true)), -1));
  return BeginCopyFrom(make_parsestate(nullptr), table, nullptr, file, false, nullptr, names, options);
}

}  // namespace

int64_t copy_csv(const std::string& file, Oid table, const std::vector<std::string>& columns, Oid heap) {
  const ColumnNames names = borrowed(columns);
  return guard([&] {
    PreventCommandIfReadOnly("COPY FROM");
    Relation relation = table_open(table, NoLock);
    CopyFromState copy = begin_copy(file.c_str(), relation, names);
    RowWriter* writer = RowWriter::open(table, heap);
    ErrorContextCallback callback{error_context_stack, CopyFromErrorCallback, copy};
    error_context_stack = &callback;
    for (bool found = true; found;) {
      CHECK_FOR_INTERRUPTS();
      TupleTableSlot* slot = writer->next();
      MemoryContext caller = MemoryContextSwitchTo(writer->row_context());
      found = NextCopyFrom(copy, GetPerTupleExprContext(writer->estate), slot->tts_values, slot->tts_isnull);
      MemoryContextSwitchTo(caller);
      if (!found) break;
      writer->put();
      pgstat_progress_update_param(PROGRESS_COPY_TUPLES_PROCESSED, writer->rows);
    }
    const int64_t rows = writer->close();
    error_context_stack = callback.previous;
    EndCopyFrom(copy);
    table_close(relation, NoLock);
    return rows;
  });
}

}  // namespace etl::pg
