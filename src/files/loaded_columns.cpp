#include "files/loaded_columns.h"

#include <map>

#include "files/stream.h"
#include "pg/guard.h"

extern "C" {
#include "access/table.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
}

namespace etl::files {

namespace {

bool is_json(Oid type) {
  return type == JSONOID || type == JSONBOID;
}

}  // namespace

LoadedColumns::LoadedColumns(const Database& database, const LoadRequest& request, bool as_text)
    : database_(database), request_(request), as_text_(as_text), memory_("etl_files load") {
  columns_ = pg::guard([&] {
    const MemoryContext before = MemoryContextSwitchTo(memory_.get());
    Relation table = table_open(request.table, RowExclusiveLock);
    TupleDesc columns = CreateTupleDescCopyConstr(RelationGetDescr(table));
    table_close(table, NoLock);
    MemoryContextSwitchTo(before);
    return columns;
  });
  const std::vector<std::string> types = file_types();
  for (const Match& match : request.columns) add(match, types[match.file_column]);
  if (request.rescue_attribute != 0) add_rescue();
  for (const Constant& constant : request.constants) add_fixed(constant.attribute, constant.text);
  if (request.provenance.file != 0) add_fixed(request.provenance.file, request.source.name);
  if (request.provenance.loaded_at != 0) add_fixed(request.provenance.loaded_at, request.loaded_at);
  if (request.provenance.row != 0) fixed_.push_back({request.provenance.row, std::nullopt, true, 0});
}

// How a JSON file's columns are to be read; empty for other files.
std::vector<std::string> LoadedColumns::json_types() const {
  if (request_.source.format != Format::kJson) return {};
  std::vector<std::string> types(request_.file_columns.size(), "VARCHAR");
  for (const Match& match : request_.columns)
    if (is_json(target(match.attribute).atttypid)) types[match.file_column] = "JSON";
  return types;
}

// DuckDB's types of the file's columns.
std::vector<std::string> LoadedColumns::file_types() const {
  if (request_.source.format == Format::kJson) return json_types();
  std::vector<std::string> types(request_.file_columns.size(), "VARCHAR");
  if (request_.source.format != Format::kParquet) return types;
  std::map<std::string, std::string> described;
  for (Described& column : parquet_columns(database_, request_.source)) described[column.name] = column.type;
  for (size_t i = 0; i < types.size(); ++i)
    if (const auto found = described.find(request_.file_columns[i]); found != described.end()) types[i] = found->second;
  return types;
}

FileColumn LoadedColumns::file_column(size_t number, const std::string& type) const {
  return {request_.source.format, type, column_of(request_.source, request_.file_columns, number)};
}

void LoadedColumns::add(const Match& match, const std::string& type) {
  loaded_.push_back({request_.file_columns[match.file_column], match.attribute,
                     Converter(target(match.attribute), file_column(match.file_column, type), request_.options,
                               as_text_, memory_.get())});
}

// What no column of the table takes, as one JSON object.
void LoadedColumns::add_rescue() {
  std::vector<bool> taken(request_.file_columns.size());
  for (const Match& match : request_.columns) taken[match.file_column] = true;
  std::string fields;
  for (size_t i = 0; i < taken.size(); ++i)
    if (!taken[i])
      fields += (fields.empty() ? "" : ", ") + quote_literal(request_.file_columns[i]) + ", " +
                column_of(request_.source, request_.file_columns, i);
  const std::string object = fields.empty() ? "NULL::VARCHAR" : "json_object(" + fields + ")";
  loaded_.push_back({"", request_.rescue_attribute,
                     Converter(target(request_.rescue_attribute), {request_.source.format, "VARCHAR", object}, {},
                               as_text_, memory_.get())});
}

void LoadedColumns::add_fixed(int attribute, const std::optional<std::string>& text) {
  const FormData_pg_attribute& column = target(attribute);
  const Datum datum = pg::guard([&] {
    const MemoryContext before = MemoryContextSwitchTo(memory_.get());
    Oid function, argument;
    getTypeInputInfo(column.atttypid, &function, &argument);
    char* value = text ? const_cast<char*>(text->c_str()) : nullptr;
    const Datum result = OidInputFunctionCall(function, value, argument, column.atttypmod);
    MemoryContextSwitchTo(before);
    return result;
  });
  fixed_.push_back({attribute, text, false, datum});
}

std::string LoadedColumns::query(const Source& source, const ReaderOptions& options, const CsvReading& reading) const {
  std::string text;
  for (const LoadedColumn& column : loaded_) text += (text.empty() ? "" : ", ") + column.converter.expression();
  return "SELECT " + (text.empty() ? "NULL" : text) + " FROM " +
         reader_of(source, options, request_.file_columns, reading, json_types());
}

std::vector<int> LoadedColumns::attributes() const {
  std::vector<int> attributes;
  for (const LoadedColumn& column : loaded_) attributes.push_back(column.attribute);
  for (const FixedColumn& column : fixed_) attributes.push_back(column.attribute);
  return attributes;
}

}  // namespace etl::files
