// Regular expressions for filters of paths (=~), in linear time: no backtracking, no recursion on the text.
//
// Java's syntax without what needs backtracking (back references, look-around, possessive and atomic groups) and
// without classes of Unicode.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string_view>
#include <vector>

namespace etl::states {

class RegexSyntaxError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class Regex {
 public:
  // Flags as Java writes them: i (for ASCII letters), s (a dot is any character), m, d, u. RegexSyntaxError, also where
  // the pattern is too large.
  Regex(std::string_view pattern, std::string_view flags);

  bool matches(std::string_view text) const;                                                         // the whole text
  size_t cost(std::string_view text) const { return (text.size() + 1) * program_.size() / 16 + 1; }  // of matches()

 private:
  struct Range {
    uint32_t low;
    uint32_t high;
  };
  struct CharacterSet {
    std::vector<Range> ranges;
    bool negated = false;

    bool contains(uint32_t character) const;
  };
  enum class Operation : uint8_t {
    kCharacter,
    kSet,
    kSplit,
    kJump,
    kTextBegin,
    kTextEnd,
    kLineBegin,
    kLineEnd,
    kWordEdge,
    kNoWordEdge,
    kMatch,
  };
  struct Instruction {
    Operation operation;
    uint32_t first = 0;   // the character, the set, or where to go on
    uint32_t second = 0;  // kSplit: where else to go on
  };
  friend class RegexCompiler;
  class Run;

  std::vector<Instruction> program_;
  std::vector<CharacterSet> sets_;
  bool ignore_case_ = false;
};

}  // namespace etl::states
