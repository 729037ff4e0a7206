#include "engine/column_match.h"

#include "pg/guard.h"

extern "C" {
#include "catalog/pg_collation.h"
#include "utils/formatting.h"
}

namespace etl {

namespace {

std::string trimmed(const std::string& text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string lower_case(const std::string& text) {
  return pg::guard([&] { return str_tolower(text.data(), text.size(), DEFAULT_COLLATION_OID); });
}

std::string list(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "\"" : ", \"") + name + "\"";
  return text.empty() ? "none" : text;
}

std::vector<std::string> names_of(const std::vector<pg::Column>& columns) {
  std::vector<std::string> names;
  for (const pg::Column& column : columns) names.push_back(column.name);
  return names;
}

std::string name_of(int attribute, const std::vector<pg::Column>& columns) {
  for (const pg::Column& column : columns)
    if (column.number == attribute) return column.name;
  return "";
}

// The mark that parts the fields of a header that seems to be one field; empty if there is none.
std::string other_delimiter(const MatchedFile& file) {
  if (file.format != files::Format::kCsv || file.columns.size() != 1) return "";
  std::string best;
  std::ptrdiff_t most = 0;
  for (const char mark : {',', ';', '\t', '|'}) {
    const auto count = std::count(file.columns[0].begin(), file.columns[0].end(), mark);
    if (count <= most || file.delimiter == std::string(1, mark)) continue;
    most = count;
    best = mark;
  }
  return best;
}

std::string hint_for(const MatchedFile& file) {
  const std::string delimiter = other_delimiter(file);
  if (delimiter.empty()) return "Rename the columns of one of them, or add the missing ones to the table.";
  return pg::format(
      "Its fields seem to be parted by another mark: set the job's reader_options to {\"delimiter\": \"%s\"}.",
      delimiter == "\t" ? "\\t" : delimiter.c_str());
}

[[noreturn]] void fail_unmatched(const MatchedFile& file, const std::vector<pg::Column>& columns,
                                 const std::vector<std::string>& unknown) {
  throw pg::Failure(
      ERRCODE_UNDEFINED_COLUMN,
      pg::format("the header of file \"%s\" does not fit table %s", file.name.c_str(), file.table.c_str()),
      pg::format("No column for: %s.\nThe file has: %s.\nThe table has: %s.", list(unknown).c_str(),
                 list(file.columns).c_str(), list(names_of(columns)).c_str()),
      hint_for(file));
}

[[noreturn]] void fail_twice(const MatchedFile& file, const std::string& column) {
  throw pg::Failure(ERRCODE_DUPLICATE_COLUMN, pg::format("the header of file \"%s\" names column \"%s\" twice",
                                                         file.name.c_str(), column.c_str()));
}

[[noreturn]] void fail_other_shape(const MatchedFile& file, const std::vector<std::string>& lacking,
                                   const std::vector<std::string>& unknown) {
  throw pg::Failure(ERRCODE_BAD_COPY_FILE_FORMAT,
                    pg::format("file \"%s\" has another shape than its job knows", file.name.c_str()),
                    pg::format("Missing: %s.\nNew: %s.", list(lacking).c_str(), list(unknown).c_str()),
                    "Crawl the location again, or change \"columns\" in the job's reader_options.");
}

// Those that are there for what the file holds.
std::vector<pg::Column> columns_for(const MatchedFile& file, std::vector<pg::Column> columns) {
  for (const std::string& name : file.filled_else) {
    const int attribute = attribute_of(name, columns);
    std::erase_if(columns, [&](const pg::Column& column) { return column.number == attribute; });
  }
  return columns;
}

// Columns behind those of the file must have a default: else it is a file of something else, or with another delimiter.
bool fits_by_position(const MatchedFile& file, const std::vector<pg::Column>& columns) {
  const size_t count = file.columns.size();
  if (count == columns.size()) return true;
  return count < columns.size() && other_delimiter(file).empty() &&
         std::all_of(columns.begin() + static_cast<std::ptrdiff_t>(count), columns.end(),
                     [](const pg::Column& column) { return column.has_default; });
}

int known_attribute(const MatchedFile& file, const std::vector<pg::Column>& columns, const KnownColumn& known) {
  const int attribute = attribute_of(known.column, columns);
  if (attribute != 0) return attribute;
  throw pg::Failure(ERRCODE_UNDEFINED_COLUMN,
                    pg::format("column \"%s\" of table %s does not exist", known.column.c_str(), file.table.c_str()),
                    "", "Crawl the location again, or change \"columns\" in the job's reader_options.");
}

ColumnMatch match_known_shape(const MatchedFile& file, const std::vector<pg::Column>& columns, const JobReader& reader,
                              Rest rest) {
  ColumnMatch match;
  std::vector<std::string> lacking;
  std::vector<std::string> unknown;
  std::vector<bool> taken(file.columns.size());
  for (const KnownColumn& known : reader.columns) {
    size_t number = 0;  // of columns with the same name, the first belongs to the first
    while (number < taken.size() && (taken[number] || file.columns[number] != known.file)) ++number;
    if (number == taken.size()) {
      if (!known.optional) lacking.push_back(known.file);
      continue;
    }
    taken[number] = true;
    match.matches.push_back({number, known_attribute(file, columns, known)});
  }
  for (size_t i = 0; i < taken.size(); ++i)
    if (!taken[i]) unknown.push_back(file.columns[i]);
  const bool may_lack = file.format == files::Format::kJson;              // a field that no object of the file has
  const bool has_nothing = match.matches.empty() && rest != Rest::kKept;  // of it, each row would be null
  if ((!lacking.empty() && !may_lack) || (!unknown.empty() && rest == Rest::kNotAllowed) || has_nothing)
    fail_other_shape(file, lacking, unknown);
  return match;
}

// Of files without a header: a later one may have fewer columns, where the last are optional.
ColumnMatch match_known_positions(const MatchedFile& file, const std::vector<pg::Column>& columns,
                                  const JobReader& reader) {
  const size_t count = file.columns.size();
  const bool fits = count <= reader.columns.size() &&
                    std::all_of(reader.columns.begin() + static_cast<std::ptrdiff_t>(count), reader.columns.end(),
                                [](const KnownColumn& known) { return known.optional; });
  if (!fits)
    throw pg::Failure(
        ERRCODE_BAD_COPY_FILE_FORMAT,
        pg::format("file \"%s\" has %zu columns, its job knows %zu", file.name.c_str(), count, reader.columns.size()),
        "", "Crawl the location again, or change \"columns\" in the job's reader_options.");
  ColumnMatch match;
  for (size_t i = 0; i < count; ++i) match.matches.push_back({i, known_attribute(file, columns, reader.columns[i])});
  return match;
}

ColumnMatch match_positions(const MatchedFile& file, const std::vector<pg::Column>& columns) {
  if (file.columns.size() > columns.size())
    throw pg::Failure(ERRCODE_BAD_COPY_FILE_FORMAT,
                      pg::format("file \"%s\" has %zu columns, table %s has %zu", file.name.c_str(),
                                 file.columns.size(), file.table.c_str(), columns.size()));
  ColumnMatch match;
  for (size_t i = 0; i < file.columns.size(); ++i) match.matches.push_back({i, columns[i].number});
  return match;
}

ColumnMatch match_names(const MatchedFile& file, const std::vector<pg::Column>& columns, Rest rest) {
  ColumnMatch match;
  std::vector<std::string> unknown;
  std::vector<int> taken;
  for (size_t i = 0; i < file.columns.size(); ++i) {
    const std::string name = trimmed(file.columns[i]);
    const int attribute = attribute_of(name, columns);
    if (attribute == 0) {
      unknown.push_back(name);
      continue;
    }
    if (std::find(taken.begin(), taken.end(), attribute) != taken.end()) fail_twice(file, name_of(attribute, columns));
    taken.push_back(attribute);
    match.matches.push_back({i, attribute});
  }
  if (unknown.empty() || (rest != Rest::kNotAllowed && !match.matches.empty())) return match;
  const std::vector<pg::Column> free = columns_for(file, columns);
  if (!match.matches.empty() || file.format != files::Format::kCsv || !fits_by_position(file, free))
    fail_unmatched(file, columns, unknown);
  match = match_positions(file, free);
  match.note = "no name in the file's header is a column of the table: columns are matched by position";
  return match;
}

}  // namespace

int attribute_of(const std::string& name, const std::vector<pg::Column>& columns) {
  for (const pg::Column& column : columns)
    if (column.name == name) return column.number;
  const std::string wanted = lower_case(name);
  for (const pg::Column& column : columns)
    if (lower_case(column.name) == wanted) return column.number;
  return 0;
}

ColumnMatch match_columns(const MatchedFile& file, const std::vector<pg::Column>& columns, const JobReader& reader,
                          Rest rest) {
  if (file.columns.empty() && file.format != files::Format::kCsv)
    throw pg::Failure(ERRCODE_BAD_COPY_FILE_FORMAT, pg::format("file \"%s\" has no columns", file.name.c_str()),
                      "It holds no object that has any.");
  if (file.columns.empty() || (file.columns.size() == 1 && file.columns[0].empty()))
    throw pg::Failure(ERRCODE_BAD_COPY_FILE_FORMAT, pg::format("file \"%s\" has no header", file.name.c_str()),
                      "It is empty, or its first line is.", "Its first line must name its columns.");
  const bool has_names = file.format != files::Format::kCsv || reader.options.header.value_or(true);
  if (has_names && !reader.columns.empty()) return match_known_shape(file, columns, reader, rest);
  if (!has_names && !reader.columns.empty()) return match_known_positions(file, columns, reader);
  if (!has_names) return match_positions(file, columns_for(file, columns));
  return match_names(file, columns, rest);
}

}  // namespace etl
