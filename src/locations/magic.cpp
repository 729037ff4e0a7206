#include "locations/fence.h"

#include "locations/magic.h"

#include <algorithm>
#include <array>

namespace etl::locations {
namespace {

constexpr const char* kUtf16 = "If it is encoded in UTF-16, say so: reader_options => '{\"encoding\": \"utf-16\"}'.";

constexpr std::array<Magic, 6> kAll = {
    {{kParquetMagic, "is a Parquet file", "Rename it to .parquet."},
     {kGzipMagic, "is compressed with gzip", "Rename it to end with .gz."},
     {"PK\x03\x04", "is a ZIP archive", "Unpack it, or compress its files with gzip."},
     {"\x28\xb5\x2f\xfd", "is compressed with zstd", "Compress it with gzip."},
     {"\xff\xfe", "is encoded in UTF-16", kUtf16},
     {"\xfe\xff", "is encoded in UTF-16", kUtf16}}};

}  // namespace

const Magic* magic_of(std::string_view beginning) {
  const auto found = std::ranges::find_if(kAll, [&](const Magic& magic) { return beginning.starts_with(magic.bytes); });
  return found == kAll.end() ? nullptr : &*found;
}

}  // namespace etl::locations
