// Bytes as UTF-8, and percent signs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace etl::locations {

// The length of the UTF-8 sequence that a text begins with; 1 where it begins with none, 0 where it is empty.
size_t character_length(std::string_view text);

bool is_valid_utf8(std::string_view text);

// At most so many bytes of a text, without half a character at the end; what is not UTF-8, or NUL, as \xe9.
std::string printable(std::string_view text, size_t most = std::string_view::npos);

// "%41" is "A". A '%' that two hexadecimal digits do not follow is itself.
std::string percent_decoded(std::string_view text);

// Looks at a text that comes in pieces, which may end anywhere, for what PostgreSQL cannot hold.
class Utf8Check {
 public:
  void read(std::string_view piece);
  void end();

  // Offsets of the first invalid sequence and of the first NUL; none if there is none.
  std::optional<int64_t> first_invalid() const { return first_invalid_; }
  std::optional<int64_t> first_nul() const { return first_nul_; }

 private:
  void look_at(std::string_view text);

  std::string open_;  // a sequence that the last piece did not finish
  int64_t seen_ = 0;
  int64_t valid_ = 0;
  std::optional<int64_t> first_invalid_;
  std::optional<int64_t> first_nul_;
};

}  // namespace etl::locations
