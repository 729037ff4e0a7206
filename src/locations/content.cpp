#include "locations/fence.h"

#include "locations/content.h"

#include <algorithm>
#include <set>

#include "locations/csv_record.h"
#include "locations/magic.h"

namespace etl::locations {
namespace {

constexpr size_t kLongestHeader = 1024 * 1024;

std::string bytes_at(const File& file, int64_t offset, size_t size) {
  std::string bytes(size, '\0');
  bytes.resize(file.read(std::max<int64_t>(offset, 0), bytes.data(), size));
  return bytes;
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
  if (type.compression == Compression::kGzip) {
    if (head.starts_with(kGzipMagic)) return std::nullopt;
    return "is not compressed with gzip";
  }
  if (type.format != Format::kParquet) {
    const Magic* magic = magic_of(head);
    if (magic == nullptr) return std::nullopt;
    return std::string(magic->what) + ", though its name does not say so";
  }
  if (head != kParquetMagic) return "is no Parquet file";
  if (file.facts().size < 12 || bytes_at(file, file.facts().size - 4, 4) != kParquetMagic)
    return "is an incomplete Parquet file: its end is missing";
  return std::nullopt;
}

CsvHeader csv_header(std::string_view text, bool is_whole) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  CsvHeader best;
  for (const char delimiter : {',', ';', '\t', '|'}) {
    CsvHeader header;
    const CsvMarks marks{.delimiter = delimiter};
    const auto record = first_record(text, is_whole, marks);
    if (!record) {
      header.problem = "has a first line without end: a quote is left open";
    } else if (shape_of(*record, marks).has_text_behind) {
      header.problem = "has text behind a quoted name in its first line";
    } else if (!record->empty()) {
      header.columns = split_record(*record, marks);
    }
    if (delimiter == ',' || header.columns.size() > best.columns.size()) best = std::move(header);
  }
  return best;
}

CsvHeader csv_header(const File& file) {
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
