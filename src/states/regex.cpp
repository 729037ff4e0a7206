#include "states/fence.h"

#include "states/regex.h"

#include <algorithm>
#include <limits>

#include "states/utf8.h"

namespace etl::states {
namespace {

constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();  // before the first, after the last character

bool is_word(uint32_t c) {
  return c < 128 && ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_');
}

bool is_line_end(uint32_t c) {
  return c == '\n' || c == '\r' || c == 0x85 || c == 0x2028 || c == 0x2029;
}

uint32_t lower(uint32_t c) {
  return c >= 'A' && c <= 'Z' ? c + 32 : c;
}
uint32_t upper(uint32_t c) {
  return c >= 'a' && c <= 'z' ? c - 32 : c;
}

}  // namespace

bool Regex::CharacterSet::contains(uint32_t character) const {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const Range& range) { return range.low <= character && character <= range.high; });
}

// All ways through the program at once: after each character, the set of instructions that one could be at.
class Regex::Run {
 public:
  Run(const Regex& regex, std::string_view text) : regex_(regex), rest_(text), seen_(regex.program_.size(), 0) {}

  bool matches() {
    current_ = kNone;
    next_ = rest_.empty() ? kNone : take_character(&rest_);
    begin_generation();
    add(0);
    while (next_ != kNone) {
      std::swap(here_, there_);
      there_.clear();
      if (here_.empty()) return false;
      current_ = next_;
      next_ = rest_.empty() ? kNone : take_character(&rest_);
      begin_generation();
      for (const uint32_t at : here_) {
        if (takes(regex_.program_[at])) add(at + 1);
      }
    }
    return std::any_of(there_.begin(), there_.end(),
                       [&](uint32_t at) { return regex_.program_[at].operation == Operation::kMatch; });
  }

 private:
  void begin_generation() { ++generation_; }

  bool takes(const Instruction& instruction) const {
    if (instruction.operation == Operation::kCharacter) {
      return current_ == instruction.first || (regex_.ignore_case_ && lower(current_) == lower(instruction.first));
    }
    if (instruction.operation != Operation::kSet) return false;
    const CharacterSet& set = regex_.sets_[instruction.first];
    bool found = set.contains(current_);
    if (regex_.ignore_case_) found = found || set.contains(lower(current_)) || set.contains(upper(current_));
    return found != set.negated;
  }

  // Follows what takes no character, from `start`.
  void add(uint32_t start) {
    pending_.assign(1, start);
    while (!pending_.empty()) {
      const uint32_t at = pending_.back();
      pending_.pop_back();
      if (seen_[at] == generation_) continue;
      seen_[at] = generation_;
      const Instruction& instruction = regex_.program_[at];
      switch (instruction.operation) {
        case Operation::kSplit:
          pending_.push_back(instruction.second);
          pending_.push_back(instruction.first);
          break;
        case Operation::kJump:
          pending_.push_back(instruction.first);
          break;
        case Operation::kCharacter:
        case Operation::kSet:
        case Operation::kMatch:
          there_.push_back(at);
          break;
        default:
          if (holds(instruction.operation)) pending_.push_back(at + 1);
      }
    }
  }

  bool holds(Operation assertion) const {
    switch (assertion) {
      case Operation::kTextBegin:
        return current_ == kNone;
      case Operation::kTextEnd:
        return next_ == kNone || (is_line_end(next_) && rest_.empty());
      case Operation::kLineBegin:
        return current_ == kNone || is_line_end(current_);
      case Operation::kLineEnd:
        return next_ == kNone || is_line_end(next_);
      default:
        return (is_word(current_) != is_word(next_)) == (assertion == Operation::kWordEdge);
    }
  }

  const Regex& regex_;
  std::string_view rest_;
  uint32_t current_ = kNone;  // the character before the present place, and the one after it
  uint32_t next_ = kNone;
  std::vector<uint32_t> here_;
  std::vector<uint32_t> there_;
  std::vector<uint32_t> pending_;
  std::vector<uint64_t> seen_;  // in which generation an instruction was last added
  uint64_t generation_ = 0;
};

bool Regex::matches(std::string_view text) const {
  return Run(*this, text).matches();
}

}  // namespace etl::states
