#include "files/beginning.h"

#include <unistd.h>

#include <string_view>

#include "locations/magic.h"
#include "pg/error.h"

namespace etl::files {

namespace {

constexpr size_t kBeginning = 65536;  // bytes that are looked at before anything else
constexpr const char* kUtf16 = "If it is encoded in UTF-16, say so: reader_options => '{\"encoding\": \"utf-16\"}'.";

pg::Failure refusal(const Source& source, const std::string& what, const std::string& hint = "") {
  return pg::Failure(ERRCODE_BAD_COPY_FILE_FORMAT, pg::format("file \"%s\" %s", source.name.c_str(), what.c_str()), "",
                     hint);
}

void check_text(const Source& source, const ReaderOptions& options, std::string_view start, bool strict) {
  if (options.encoding.value_or("utf-8") != "utf-8") return;
  if (const locations::Magic* magic = locations::magic_of(start)) throw refusal(source, magic->what, magic->hint);
  const size_t nul = start.find('\0');
  if (nul != start.npos && (strict || nul < start.find_first_of("\r\n")))
    throw refusal(source, pg::format("has a NUL byte at offset %zu: it is no text", nul), kUtf16);
}

}  // namespace

void check_beginning(const Source& source, const ReaderOptions& options, bool strict) {
  std::string buffer(kBeginning, '\0');
  const ssize_t size = pread(source.descriptor, buffer.data(), buffer.size(), 0);
  const std::string_view start(buffer.data(), size < 0 ? 0 : static_cast<size_t>(size));
  if (start.empty() && (strict || source.compressed || source.format != Format::kCsv))
    throw refusal(source, "is empty");
  if (source.format == Format::kParquet) {
    if (!start.starts_with(locations::kParquetMagic)) throw refusal(source, "is no Parquet file");
  } else if (source.compressed) {
    if (!start.starts_with(locations::kGzipMagic)) throw refusal(source, "is not compressed with gzip");
  } else {
    check_text(source, options, start, strict);
    if (source.format == Format::kJson && start.starts_with(locations::kByteOrderMark))
      throw refusal(source, "begins with a byte order mark, which JSON does not have", "Remove its first three bytes.");
  }
}

}  // namespace etl::files
