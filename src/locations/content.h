// What the beginning of a file's content tells without reading it as its format does.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "locations/directory.h"
#include "locations/file_type.h"

namespace etl::locations {

// Why the content cannot be of the type that the name says, or nothing: "is no Parquet file". Looks at its first and
// last bytes only.
std::optional<std::string> contradiction(FileType type, const File& file);

struct CsvHeader {
  std::vector<std::string> columns;
  std::string problem;  // of the file, such as "has a first line without end"; empty: none
};

// The fields of the first record of a CSV text, without byte order mark. The delimiter is that of , ; tab | which gives
// most fields. `is_whole`: the text may end with the record.
CsvHeader csv_header(std::string_view text, bool is_whole);

// That of a file that is not compressed, from its first MB.
CsvHeader csv_header(const File& file);

// What is wrong with a header: names that are missing, not expected, empty, or there twice. Order, the case of ASCII
// letters and spaces around a name do not matter. Without expected names only the last two.
std::vector<std::string> header_problems(const std::vector<std::string>& header,
                                         const std::optional<std::vector<std::string>>& expected);

}  // namespace etl::locations
