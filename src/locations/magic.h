// What the first bytes of a file say that it is.
#pragma once

#include <string_view>

namespace etl::locations {

struct Magic {
  std::string_view bytes;
  const char* what;  // "is a Parquet file"
  const char* hint;  // what to do if it is called otherwise
};

inline constexpr std::string_view kParquetMagic = "PAR1";  // begins and ends it
inline constexpr std::string_view kGzipMagic = "\x1f\x8b";
inline constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";  // of UTF-8

// Null for what may be a text in UTF-8.
const Magic* magic_of(std::string_view beginning);

}  // namespace etl::locations
