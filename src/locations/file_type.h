// What a file's name says about its content.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace etl::locations {

enum class Format { kCsv, kJson, kNdjson, kParquet };
enum class Compression { kNone, kGzip };

struct FileType {
  Format format = Format::kCsv;
  Compression compression = Compression::kNone;

  bool operator==(const FileType&) const = default;
};

// By the end of the path, without regard to case: .csv, .csv.gz, .json, .json.gz, .ndjson, .jsonl, .ndjson.gz,
// .jsonl.gz and .parquet. None for any other.
std::optional<FileType> file_type_of(std::string_view path);

// As SQL writes it: "csv.gz".
std::string name_of(FileType type);
std::optional<FileType> file_type_called(std::string_view name);  // "jsonl" is "ndjson"

// All that are known, in a fixed order.
const std::vector<FileType>& all_file_types();

// The name without its directory and without the extension of its type: "orders" for "a/orders.csv.gz".
std::string stem_of(std::string_view path);

}  // namespace etl::locations
