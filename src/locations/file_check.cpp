#include "locations/fence.h"

#include "locations/file_check.h"

#include <algorithm>

#include "locations/content.h"
#include "locations/text.h"

namespace etl::locations {
namespace {

bool is_plain_text(FileType type) {
  return type.compression == Compression::kNone && type.format != Format::kParquet;
}

class Checker {
 public:
  explicit Checker(const FileCheck& check) : check_(check) {}

  FileReport run(const Directory& directory, const Rules& rules, const std::string& path) {
    try {
      const File file = directory.open_file(path);
      report_.exists = true;
      report_.is_readable = true;
      report_.facts = file.facts();
      const bool is_among_those_read = judge(rules, file);
      if (report_.type && is_among_those_read) look_into(file, *report_.type);
      if (file.facts_now() != file.facts()) find("was modified while it was read");
    } catch (const FileError& error) {
      report_.exists =
          report_.exists || (error.kind() != FileError::Kind::kMissing && error.kind() != FileError::Kind::kOutside);
      report_.is_readable = false;
      find(error.what());
    }
    return std::move(report_);
  }

 private:
  void find(const std::string& problem) { report_.findings.push_back(problem); }

  // False for a path that the rules keep out: whoever may use the location may not see what is in it.
  bool judge(const Rules& rules, const File& file) {
    report_.type = file_type_of(file.path());
    const auto by_path = refusal_of_path(rules, file.path());
    const auto by_facts = refusal_of_facts(rules, file.facts(), check_.now_ns);
    if (by_path) find(*by_path);
    if (by_facts) find(*by_facts);
    report_.is_accepted = !by_path && !by_facts;
    return !by_path;
  }

  void look_into(const File& file, FileType type) {
    if (file.facts().size == 0) return find("is empty");
    const auto contradicted = contradiction(type, file);
    if (contradicted) find(*contradicted);
    if (is_plain_text(type)) check_text(file);
    if (!contradicted) check_header(file, type);
  }

  void check_text(const File& file) {
    Utf8Check text;
    file.read_all([&](std::string_view piece) {
      if (check_.tick) check_.tick();
      text.read(piece);
      return !text.first_invalid() || !text.first_nul();
    });
    text.end();
    report_.is_utf8 = !text.first_invalid() && !text.first_nul();
    if (text.first_invalid()) find("is not UTF-8 from byte " + std::to_string(*text.first_invalid() + 1) + " on");
    if (text.first_nul()) find("holds a NUL at byte " + std::to_string(*text.first_nul() + 1));
  }

  void check_header(const File& file, FileType type) {
    std::optional<std::vector<std::string>> columns;
    if (type == FileType{Format::kCsv, Compression::kNone}) {
      CsvHeader header = csv_header(file);
      if (!header.problem.empty()) return find(header.problem);
      columns = std::move(header.columns);
      if (columns->empty()) find("has an empty first line instead of a header");
    } else if (check_.read_columns) {
      columns = check_.read_columns(file, type);
    }
    if (!columns || !std::all_of(columns->begin(), columns->end(), is_text)) return;
    for (const std::string& problem : header_problems(*columns, check_.expected_columns)) find(problem);
    if (check_.expected_columns) report_.header_matches = matches_expected(*columns);
    report_.columns = std::move(columns);
  }

  static bool is_text(const std::string& name) { return name.find('\0') == std::string::npos && is_valid_utf8(name); }

  bool matches_expected(const std::vector<std::string>& columns) const {
    return columns.size() == check_.expected_columns->size() &&
           header_problems(columns, check_.expected_columns).empty();
  }

  const FileCheck& check_;
  FileReport report_;
};

}  // namespace

FileReport check_file(const Directory& directory, const Rules& rules, const std::string& path, const FileCheck& check) {
  return Checker(check).run(directory, rules, path);
}

}  // namespace etl::locations
