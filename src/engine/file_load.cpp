#include "engine/file_load.h"

#include <sys/stat.h>
#include <unistd.h>

#include "engine/executor.h"
#include "engine/files_module.h"
#include "engine/loaded_table.h"
#include "locations/csv_record.h"
#include "locations/magic.h"
#include "pg/copy_rows.h"
#include "pg/guard.h"
#include "pg/settings.h"

extern "C" {
#include "catalog/namespace.h"
#include "nodes/makefuncs.h"
}

namespace etl {

namespace {

constexpr const char* kStage = "pg_temp.etl_upsert";
constexpr const char* kFileColumn = "_source_file";
constexpr const char* kRowColumn = "_source_row";
constexpr const char* kLoadedAtColumn = "_loaded_at";
constexpr size_t kLongestHeader = 1 << 20;

std::string shown(const std::string& table, const std::string& file) {
  return "COPY " + table + " FROM " + pg::quote_text(file);
}

pg::Failure unreadable(const FileInput& file) {
  return pg::Failure(ERRCODE_IO_ERROR,
                     pg::format("file \"%s\" could not be read: %s", file.name.c_str(), strerror(errno)));
}

bool is_readable_by_copy(const FileInput& file, const LoadOptions& options, const JobReader& reader) {
  const files::ReaderOptions& r = reader.options;
  return file.format == files::Format::kCsv && !file.compressed && !options.puts_rows_aside &&
         options.rescue_column.empty() && !options.provenance && file.partitions.empty() && reader.columns.empty() &&
         !r.delimiter && !r.quote && !r.escape && r.header.value_or(true) && r.skip == 0 && !r.null_string &&
         !r.encoding && !r.decimal_separator && !r.date_format && !r.timestamp_format;
}

// The names in the header, as COPY reads it.
std::vector<std::string> header_for_copy(const FileInput& file) {
  std::string text(kLongestHeader, '\0');
  const ssize_t size = pread(file.descriptor, text.data(), text.size(), 0);
  if (size < 0) throw unreadable(file);
  text.resize(static_cast<size_t>(size));
  if (text.starts_with(locations::kByteOrderMark)) text.erase(0, locations::kByteOrderMark.size());
  const locations::CsvMarks marks{.quotes_anywhere = true};
  return locations::split_record(locations::first_record(text, true, marks).value_or(text), marks);
}

std::string purpose_of(const FileInput& file) {
  if (file.format == files::Format::kParquet) return "reading Parquet files";
  if (file.format == files::Format::kJson) return "reading JSON files";
  return file.compressed ? "reading compressed files" : "reading files with options of their own";
}

int64_t size_of(const FileInput& file) {
  struct stat status {};
  return fstat(file.descriptor, &status) == 0 ? status.st_size : 0;
}

files::Source source_of(const FileInput& file) {
  return {file.descriptor, file.name, file.format, file.compressed};
}

int require_attribute(const std::string& name, const std::vector<pg::Column>& columns, const std::string& table,
                      const std::string& type) {
  const int attribute = attribute_of(name, columns);
  if (attribute != 0) return attribute;
  throw pg::Failure(
      ERRCODE_UNDEFINED_COLUMN, pg::format("column \"%s\" of table %s does not exist", name.c_str(), table.c_str()), "",
      pg::format("ALTER TABLE %s ADD COLUMN %s %s;", table.c_str(), pg::quote_name(name).c_str(), type.c_str()));
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

void add_note(std::string* notes, const std::string& more) {
  if (more.empty() || notes->find(more) != std::string::npos) return;
  *notes += (notes->empty() ? "" : "; ") + more;
}

files::Session& FileReader::session(const std::string& purpose) {
  if (!session_) session_ = files_module(purpose).open(file_limits());
  return *session_;
}

FileLoad::FileLoad(const LoadOptions& options, FileReader* reader)
    : files_(reader),
      options_(options),
      reader_(parse_reader_options(options.reader_options)),
      table_(take_table(options.table, options.must_be_owned)),
      target_(table_),
      rejects_(options.table) {
  choose_way();
  columns_ = pg::loadable_columns(target_);
}

void FileLoad::note(const std::string& text) {
  add_note(&total_.note, text);
}

void FileLoad::choose_way() {
  if (options_.mode != LoadMode::kReplace) take_rows(table_);
  if (options_.mode == LoadMode::kAppend) return;
  if (options_.mode == LoadMode::kUpsert) return make_stage();
  const std::string obstacle = pg::why_not_replaceable(table_);
  if (!obstacle.empty()) {
    delete_rows(table_, options_.table);
    return note("rows were deleted and inserted, not swapped: " + obstacle);
  }
  run_calls_in_block("LOCK TABLE " + options_.table + " IN EXCLUSIVE MODE", [&] {
    replacement_ = std::make_unique<pg::Replacement>(table_);
    return 0;
  });
}

// The rows of an upsert, as they come.
void FileLoad::make_stage() {
  std::string names;
  for (const pg::Column& column : pg::loadable_columns(table_))
    names += (names.empty() ? "" : ", ") + pg::quote_name(column.name);
  run_in_block(pg::format("CREATE TEMPORARY TABLE etl_upsert ON COMMIT DROP AS SELECT %s FROM %s WITH NO DATA",
                          names.c_str(), options_.table.c_str()));
  target_ = pg::guard(
      [] { return RangeVarGetRelid(makeRangeVar(pstrdup("pg_temp"), pstrdup("etl_upsert"), -1), NoLock, false); });
}

// Columns that no file has keep what they hold, or get their defaults. Of rows with one key the last counts (they lie
// in the order in which they came: RowWriter); a row whose key is not complete is like no other.
int64_t FileLoad::merge_stage() const {
  std::string names, updates, keys, lacks;
  for (const std::string& column : filled_) {
    const std::string name = pg::quote_name(column);
    names += (names.empty() ? "" : ", ") + name;
    if (!contains(options_.key_columns, column))
      updates += (updates.empty() ? "" : ", ") + name + " = EXCLUDED." + name;
  }
  for (const std::string& key : options_.key_columns) {
    const std::string name = pg::quote_name(key);
    if (!contains(filled_, key))
      throw pg::Failure(ERRCODE_UNDEFINED_COLUMN,
                        pg::format("there is nothing for key column \"%s\" of table %s in the file", key.c_str(),
                                   options_.table.c_str()));
    keys += (keys.empty() ? "" : ", ") + name;
    lacks += (lacks.empty() ? "" : " OR ") + name + " IS NULL";
  }
  const std::string order = keys + ", CASE WHEN " + lacks + " THEN ctid END";
  const std::optional<int64_t> before = pg::rows_written_counter(table_);
  int64_t rows = run_in_block(
      pg::format("INSERT INTO %s (%s) SELECT DISTINCT ON (%s) %s FROM %s ORDER BY %s, ctid DESC "
                 "ON CONFLICT (%s) DO %s",
                 options_.table.c_str(), names.c_str(), order.c_str(), names.c_str(), kStage, order.c_str(),
                 keys.c_str(), updates.empty() ? "NOTHING" : ("UPDATE SET " + updates).c_str()));
  // Not those that triggers have written to other tables.
  if (const std::optional<int64_t> after = pg::rows_written_counter(table_); before && after) rows = *after - *before;
  run_in_block(std::string("DROP TABLE ") + kStage);
  return rows;
}

Loaded FileLoad::add(const FileInput& file) {
  const Loaded loaded = load(file);
  // Matched by position, and no row fits: no empty table, but something else.
  if (loaded.rows == 0 && !loaded.note.empty())
    throw pg::Failure(ERRCODE_BAD_COPY_FILE_FORMAT,
                      pg::format("file \"%s\" has neither a name nor a row that fits table %s", file.name.c_str(),
                                 options_.table.c_str()),
                      "", "Is it of the type that its name says? See the job's reader_options: delimiter, encoding.");
  total_.rows += loaded.rows;
  total_.rejected += loaded.rejected;
  note(loaded.note);
  return loaded;
}

Loaded FileLoad::load(const FileInput& file) {
  if (has_files_module() || !is_readable_by_copy(file, options_, reader_))
    return load_by_module(file, &files_->session(purpose_of(file)));
  return load_by_copy(file);
}

Loaded FileLoad::load_by_module(const FileInput& file, files::Session* session) {
  Loaded loaded;
  files::LoadResult result;
  rejected_ = 0;
  run_calls_in_block(shown(options_.table, file.name), [&] {
    files::LoadRequest request = request_for(file, session, &loaded.note);
    if (options_.puts_rows_aside)
      request.put_aside = [&](const std::vector<files::Reject>& rejects) { put_aside(file, rejects); };
    std::set<int> filled{request.rescue_attribute, request.provenance.file, request.provenance.row,
                         request.provenance.loaded_at};
    for (const files::Match& each : request.columns) filled.insert(each.attribute);
    for (const files::Constant& each : request.constants) filled.insert(each.attribute);
    take_columns(filled);
    result = session->load(request);
    return result.rows;
  });
  loaded.rows = result.rows;
  loaded.rejected = result.rejected;
  require_share(file, result);
  return loaded;
}

// Columns of the table that get what is not in the file: where its rows come from, and what is left over of them.
std::vector<std::string> FileLoad::filled_else(const FileInput& file) const {
  std::vector<std::string> names;
  if (!options_.rescue_column.empty()) names.push_back(options_.rescue_column);
  if (options_.provenance) names.insert(names.end(), {kFileColumn, kRowColumn, kLoadedAtColumn});
  for (const auto& [name, value] : file.partitions) names.push_back(name);
  return names;
}

files::LoadRequest FileLoad::request_for(const FileInput& file, files::Session* session, std::string* note) const {
  files::LoadRequest request;
  request.source = source_of(file);
  request.options = reader_.options;
  request.table = target_;
  request.heap = replacement_ ? replacement_->heap() : target_;
  request.file_columns = session->column_names(request.source, request.options);

  const Rest rest = !options_.rescue_column.empty() ? Rest::kKept
                    : reader_.ignores_new_columns   ? Rest::kIgnored
                                                    : Rest::kNotAllowed;
  ColumnMatch match = match_columns({options_.table, file.name, file.format, request.file_columns, filled_else(file),
                                     reader_.options.delimiter.value_or(",")},
                                    columns_, reader_, rest);
  *note = match.note;
  request.columns = std::move(match.matches);
  if (!options_.rescue_column.empty())
    request.rescue_attribute = require_attribute(options_.rescue_column, columns_, options_.table, "jsonb");
  if (options_.provenance)
    request.provenance = {require_attribute(kFileColumn, columns_, options_.table, "text"),
                          require_attribute(kRowColumn, columns_, options_.table, "bigint"),
                          require_attribute(kLoadedAtColumn, columns_, options_.table, "timestamptz")};
  request.loaded_at = pg::timestamp_text(stamp_);
  add_constants(file, &request);
  return request;
}

std::vector<std::string> FileLoad::take_columns(const std::set<int>& attributes) {
  std::vector<std::string> names;
  for (const pg::Column& column : columns_)
    if (attributes.contains(column.number)) names.push_back(column.name);
  pg::require_insert(target_, names);
  for (const std::string& name : names)
    if (!contains(filled_, name)) filled_.push_back(name);
  return names;
}

// Partitions of the file's path, where the file itself has no such column.
void FileLoad::add_constants(const FileInput& file, files::LoadRequest* request) const {
  for (const auto& [name, value] : file.partitions) {
    const int attribute = attribute_of(name, columns_);
    const bool taken = std::any_of(request->columns.begin(), request->columns.end(),
                                   [&](const files::Match& match) { return match.attribute == attribute; });
    if (attribute != 0 && !taken) request->constants.push_back({attribute, value});
  }
}

// In the middle of the load, so that no number of them fills the memory.
void FileLoad::put_aside(const FileInput& file, const std::vector<files::Reject>& rejects) {
  const files::Reject& first = rejects.front();
  const std::string line = first.line > 0 ? pg::format("line %lld: ", static_cast<long long>(first.line)) : "";
  if (rejected_ == 0) first_reject_ = "The first is " + line + first.error + ".";
  rejected_ += static_cast<int64_t>(rejects.size());
  if (options_.reject_limit && rejected_ > *options_.reject_limit)
    throw pg::Failure(ERRCODE_DATA_EXCEPTION,
                      pg::format("more than %lld rows of file \"%s\" do not fit",
                                 static_cast<long long>(*options_.reject_limit), file.name.c_str()),
                      first_reject_, "Mend the file, or raise the job's reject_limit.");
  rejects_.write(file.name, rejects);
}

// Only at the end of a file it is known how many rows it has.
void FileLoad::require_share(const FileInput& file, const files::LoadResult& result) const {
  const auto count = static_cast<double>(result.rejected);
  const double rows = static_cast<double>(result.rows) + count;
  if (!options_.reject_share || count <= *options_.reject_share * rows) return;
  throw pg::Failure(ERRCODE_DATA_EXCEPTION,
                    pg::format("%.0f of %.0f rows of file \"%s\" do not fit, more than the job allows", count, rows,
                               file.name.c_str()),
                    first_reject_, "Mend the file, or raise the job's reject_share.");
}

Loaded FileLoad::load_by_copy(const FileInput& file) {
  Loaded loaded;
  const std::vector<std::string> header = header_for_copy(file);
  const ColumnMatch match =
      match_columns({options_.table, file.name, file.format, header, {}, ","}, columns_, reader_, Rest::kNotAllowed);
  loaded.note = match.note;
  std::set<int> filled;
  for (const files::Match& each : match.matches) filled.insert(each.attribute);
  pg::CopyDialect dialect;
  dialect.header = true;
  off_t offset = 0;
  const auto read = [&](char* buffer, size_t most) {
    const ssize_t count = pread(file.descriptor, buffer, most, offset);
    if (count < 0) throw unreadable(file);
    offset += count;
    return static_cast<size_t>(count);
  };
  loaded.rows = run_calls_in_block(shown(options_.table, file.name), [&] {
    const std::vector<std::string> names = take_columns(filled);
    return pg::copy_rows(target_, replacement_ ? replacement_->heap() : target_, names, dialect, size_of(file), read);
  });
  return loaded;
}

Loaded FileLoad::finish(const std::function<void(int64_t rows)>& filled) {
  if (options_.mode == LoadMode::kUpsert) total_.rows = merge_stage();
  if (!replacement_) {
    filled(total_.rows);
  } else {
    run_calls_in_block("ALTER TABLE " + options_.table, [&] {
      replacement_->swap_in(settings::swap_timeout_ms(), [&] { filled(total_.rows); });
      return 0;
    });
  }
  if (total_.rejected > 0)
    note(pg::format("%s rejected: %s", pg::count_of(total_.rejected, "row was", "rows were").c_str(),
                    reject_store::table_for(pg::parse_table_name(options_.table, "")).quoted().c_str()));
  return total_;
}

}  // namespace etl
