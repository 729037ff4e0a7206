#include "engine/export.h"

#include "engine/export_store.h"
#include "engine/files_module.h"
#include "engine/publications.h"
#include "locations/partitions.h"
#include "pg/guard.h"
#include "pg/relations.h"
#include "pg/roles.h"

extern "C" {
#include "access/relation.h"
#include "catalog/namespace.h"
#include "nodes/makefuncs.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
}

namespace etl {

namespace {

using locations::Publication;

struct Table {
  pg::TableName name;
  std::vector<std::string> columns;
};

bool can_be_exported(char kind) {
  return kind == RELKIND_RELATION || kind == RELKIND_PARTITIONED_TABLE || kind == RELKIND_VIEW ||
         kind == RELKIND_MATVIEW || kind == RELKIND_FOREIGN_TABLE;
}

// The table that the caller's search_path finds. Its rights are checked by the query that reads it.
Table find_table(const std::string& text) {
  const pg::TableName given = pg::parse_table_name(text, "");
  struct Found {
    const char* schema;
    const char* table;
    char kind;
    int count;
    const char** columns;
  };
  const Found found = pg::guard([&] {
    char* schema = given.schema.empty() ? nullptr : pstrdup(given.schema.c_str());
    RangeVar* name = makeRangeVar(schema, pstrdup(given.table.c_str()), -1);
    Relation relation = relation_open(RangeVarGetRelid(name, AccessShareLock, false), NoLock);
    const TupleDesc row = RelationGetDescr(relation);
    Found read{get_namespace_name(RelationGetNamespace(relation)), pstrdup(RelationGetRelationName(relation)),
               relation->rd_rel->relkind, 0,
               static_cast<const char**>(palloc(sizeof(char*) * (static_cast<size_t>(row->natts) + 1)))};
    for (int i = 0; i < row->natts; ++i) {
      const Form_pg_attribute attribute = TupleDescAttr(row, i);
      if (!attribute->attisdropped) read.columns[read.count++] = pstrdup(NameStr(attribute->attname));
    }
    relation_close(relation, NoLock);
    return read;
  });
  if (!can_be_exported(found.kind))
    throw pg::Failure(ERRCODE_WRONG_OBJECT_TYPE, pg::format("\"%s\" is not a table or view", text.c_str()));
  return {{found.schema, found.table}, {found.columns, found.columns + found.count}};
}

// "csv.gz" and so on. JSON is written as one object a line.
locations::FileType format_called(const std::string& name) {
  auto type = locations::file_type_called(name);
  if (!type)
    throw pg::Failure(ERRCODE_INVALID_PARAMETER_VALUE, pg::format("format \"%s\" is not known", name.c_str()), "",
                      "Formats are parquet, csv, csv.gz, json and json.gz.");
  if (type->format == locations::Format::kJson) type->format = locations::Format::kNdjson;
  return *type;
}

pg::Failure wrong_path(const std::string& path, const std::string& reason) {
  return pg::Failure(ERRCODE_INVALID_PARAMETER_VALUE, pg::format("path \"%s\" %s", path.c_str(), reason.c_str()), "",
                     "It is relative to the location, and names a file, or a folder where partition_by is given.");
}

// The ending of a file says what it is to whoever reads it.
void require_ending(const std::string& path, locations::FileType type) {
  auto ending = locations::file_type_of(path);
  if (ending && ending->format == locations::Format::kJson) ending->format = locations::Format::kNdjson;
  if (ending == type) return;
  throw wrong_path(path, "does not end as a file of format " + locations::name_of(type) + " does");
}

// Hidden names are for what is not complete.
void require_visible(const std::string& path) {
  if (path.empty()) throw wrong_path(path, "is empty");
  if (path.starts_with('.') || path.find("/.") != std::string::npos) throw wrong_path(path, "is hidden");
}

std::string default_path(const pg::TableName& table) {
  for (const std::string& name : {table.schema, table.table})
    if (name.find('/') != std::string::npos)
      throw wrong_path(table.schema + "/" + table.table, "cannot be made of the table's name");
  return table.schema + "/" + table.table;
}

std::string path_of(const ExportOrder& order, const Table& table, locations::FileType type) {
  const bool is_folder = !order.partition_by.empty();
  const std::string wanted =
      order.path ? *order.path : default_path(table.name) + (is_folder ? "" : "." + locations::name_of(type));
  std::string path;
  try {
    path = locations::normalized(wanted);
  } catch (const locations::FileError& error) {
    throw wrong_path(wanted, error.what());
  }
  require_visible(path);
  if (!is_folder) require_ending(path, type);
  return path;
}

std::vector<std::string> columns_of_files(const Table& table, const std::vector<std::string>& parted_by) {
  std::vector<std::string> left = table.columns;
  for (const std::string& name : parted_by) {
    const auto found = std::find(left.begin(), left.end(), name);
    if (found == left.end())
      throw pg::Failure(ERRCODE_UNDEFINED_COLUMN,
                        pg::format("partition_by names column \"%s\", which %s does not have, or names it twice",
                                   name.c_str(), table.name.quoted().c_str()));
    left.erase(found);
  }
  if (left.empty())
    throw pg::Failure(ERRCODE_INVALID_PARAMETER_VALUE,
                      pg::format("no column of %s is left for the files", table.name.quoted().c_str()));
  return left;
}

// Readers of Parquet files do not tell case.
void require_distinct(const std::vector<std::string>& columns) {
  std::map<std::string, std::string> seen;
  for (const std::string& name : columns) {
    std::string folded = name;
    for (char& c : folded)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    const auto [other, is_new] = seen.emplace(folded, name);
    if (!is_new)
      throw pg::Failure(
          ERRCODE_DUPLICATE_COLUMN,
          pg::format("columns \"%s\" and \"%s\" differ by case only", other->second.c_str(), name.c_str()),
          "Readers of Parquet files do not tell them apart.", "Export a view that renames one.");
  }
}

// Where the module writes to.
class Target : public files::ExportTarget {
 public:
  Target(Publication* publication, std::vector<std::string> parted_by, std::string ending)
      : publication_(*publication), parted_by_(std::move(parted_by)), ending_(std::move(ending)) {}

  int open(const std::vector<std::optional<std::string>>& partition) override {
    if (parted_by_.empty()) return publication_.descriptor();
    std::string folder;
    for (size_t i = 0; i < parted_by_.size(); ++i)
      folder += locations::partition_directory(parted_by_[i], partition[i]) + "/";
    path_ = folder + "data_" + std::to_string(count_[folder]++) + "." + ending_;
    file_ = publication_.new_file(path_);
    return file_.get();
  }

  void close(int64_t rows) override {
    const bool in_folder = !parted_by_.empty();
    const locations::FileFacts facts = in_folder ? Publication::seal(file_) : publication_.seal();
    const std::string path = in_folder ? publication_.path() + "/" + path_ : publication_.path();
    files_.push_back({path, rows, facts.size, facts.modified_ns});
    file_ = locations::Descriptor();
  }

  std::vector<ExportedFile>& files() { return files_; }

 private:
  Publication& publication_;
  std::vector<std::string> parted_by_;
  std::string ending_;
  std::unordered_map<std::string, int> count_;  // files in each folder
  std::string path_;
  locations::Descriptor file_;
  std::vector<ExportedFile> files_;
};

// What a role has exported is its own: others who may write to the location do not replace it. Nobody's is what a role
// has left that is gone.
void require_exporter(const Location& location, const std::string& path, const export_store::Earlier& earlier) {
  if (!pg::role_exists(earlier.owner) || pg::is_member(GetUserId(), earlier.owner)) return;
  export_store::fail_not_exporter(location.name, path, earlier.exported_by);
}

std::vector<ExportedFile> write(const ExportOrder& order, const Table& table, locations::FileType type,
                                Publication* publication) {
  Target target(publication, order.partition_by, locations::name_of(type));
  files::ExportRequest request;
  request.table = table.name.quoted();
  request.columns = columns_of_files(table, order.partition_by);
  request.parted_by = order.partition_by;
  request.format = module_format(type.format);
  request.compressed = type.compression == locations::Compression::kGzip;
  request.name = publication->path();
  request.limits = file_limits();
  files_module("exporting tables").export_table(request, &target);
  if (!order.partition_by.empty()) publication->seal();
  return std::move(target.files());
}

}  // namespace

std::vector<ExportedFile> export_table(const ExportOrder& order) {
  const Location location = find_location(order.location);
  require_writing(location, GetUserId());
  const locations::FileType type = format_called(order.format);
  const Table table = find_table(order.table);
  const std::string path = path_of(order, table, type);
  const std::vector<std::string> columns = columns_of_files(table, order.partition_by);
  if (type.format == locations::Format::kParquet) require_distinct(columns);
  try {
    const std::optional<export_store::Earlier> earlier = export_store::find(location.name, path);
    const bool may_replace_any = order.replace && pg::is_member(GetUserId(), location.owner_oid);
    if (earlier && !may_replace_any) require_exporter(location, path, *earlier);
    if (!order.replace) require_replaceable(location, path, earlier ? std::optional(earlier->written) : std::nullopt);
    const auto kind = order.partition_by.empty() ? Publication::Kind::kFile : Publication::Kind::kFolder;
    Publication& publication = keep_publication(location, Publication(open_directory(location), path, kind));
    std::vector<ExportedFile> files = write(order, table, type, &publication);
    auto replaced = export_store::record({location.name, path, table.name.quoted(), locations::name_of(type),
                                          order.partition_by, files, may_replace_any});
    publish_at_commit(publication, std::move(replaced), order.replace);
    return files;
  } catch (const locations::FileError& error) {
    throw failure_of(location, path, error);
  }
}

}  // namespace etl
