#include "locations/fence.h"

#include "locations/content.h"

#include <algorithm>
#include <set>

namespace etl::locations {
namespace {

constexpr size_t kLongestHeader = 1024 * 1024;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::string bytes_at(const File& file, int64_t offset, size_t size) {
  std::string bytes(size, '\0');
  bytes.resize(file.read(std::max<int64_t>(offset, 0), bytes.data(), size));
  return bytes;
}

// The length of the first record without its line end; none if that does not come.
std::optional<size_t> record_length(std::string_view text, bool is_whole) {
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') quoted = !quoted;
    if (!quoted && (text[i] == '\n' || text[i] == '\r')) return i;
  }
  if (quoted || !is_whole) return std::nullopt;
  return text.size();
}

std::vector<std::string> split(std::string_view record, char delimiter) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (size_t i = 0; i < record.size(); ++i) {
    if (record[i] == '"' && quoted && i + 1 < record.size() && record[i + 1] == '"')
      fields.back().push_back(record[i++]);
    else if (record[i] == '"')
      quoted = !quoted;
    else if (record[i] == delimiter && !quoted)
      fields.emplace_back();
    else
      fields.back().push_back(record[i]);
  }
  return fields;
}

// A name as it is compared.
std::string folded(const std::string& name) {
  const size_t begin = name.find_first_not_of(" \t");
  if (begin == std::string::npos) return "";
  std::string result = name.substr(begin, name.find_last_not_of(" \t") - begin + 1);
  for (char& c : result) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return result;
}

bool contains(const std::vector<std::string>& names, const std::string& wanted) {
  return std::any_of(names.begin(), names.end(), [&](const std::string& it) { return folded(it) == folded(wanted); });
}

}  // namespace

std::optional<std::string> contradiction(FileType type, const File& file) {
  const std::string head = bytes_at(file, 0, 4);
  const bool is_gzip = head.starts_with("\x1F\x8B");
  if (type.compression == Compression::kGzip)
    return is_gzip ? std::nullopt : std::optional<std::string>("is not gzip-compressed");
  if (is_gzip) return "is gzip-compressed, though its name does not say so";
  const bool is_parquet = head == "PAR1";
  if (type.format != Format::kParquet) {
    if (is_parquet) return "is a Parquet file, though its name does not say so";
    if (head.starts_with("\xFF\xFE") || head.starts_with("\xFE\xFF")) return "is UTF-16 by its byte order mark";
    return std::nullopt;
  }
  if (!is_parquet) return "is not a Parquet file";
  if (file.facts().size < 12 || bytes_at(file, file.facts().size - 4, 4) != "PAR1")
    return "is an incomplete Parquet file: its end is missing";
  return std::nullopt;
}

std::optional<std::vector<std::string>> csv_header(std::string_view text, bool is_whole) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  const auto length = record_length(text, is_whole);
  if (!length) return std::nullopt;
  std::vector<std::string> best;
  if (*length == 0) return best;
  for (const char delimiter : {',', ';', '\t', '|'}) {
    std::vector<std::string> fields = split(text.substr(0, *length), delimiter);
    if (fields.size() > best.size()) best = std::move(fields);
  }
  return best;
}

std::optional<std::vector<std::string>> csv_header(const File& file) {
  const std::string text = bytes_at(file, 0, kLongestHeader);
  return csv_header(text, text.size() < kLongestHeader);
}

std::vector<std::string> header_problems(const std::vector<std::string>& header,
                                         const std::optional<std::vector<std::string>>& expected) {
  std::vector<std::string> problems;
  for (const std::string& name : expected.value_or(std::vector<std::string>()))
    if (!contains(header, name)) problems.push_back("column \"" + name + "\" is missing");
  std::set<std::string> seen;
  for (size_t i = 0; i < header.size(); ++i) {
    const std::string name = folded(header[i]);
    if (name.empty())
      problems.push_back("column " + std::to_string(i + 1) + " has no name");
    else if (!seen.insert(name).second)
      problems.push_back("column \"" + header[i] + "\" comes twice");
    else if (expected && !contains(*expected, name))
      problems.push_back("column \"" + header[i] + "\" is not expected");
  }
  return problems;
}

}  // namespace etl::locations
