#include "states/fence.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include "states/cursor.h"
#include "states/regex.h"
#include "states/utf8.h"

namespace etl::states {

// Parses a pattern into a tree, and the tree into a program: a part that is repeated {2,5} times is written five times.
class RegexCompiler {
 public:
  RegexCompiler(Regex* regex, std::string_view pattern) : regex_(*regex), cursor_{pattern} {}

  void set_flag(char flag) {
    switch (flag) {
      case 'i':
        regex_.ignore_case_ = true;
        break;
      case 's':
        dot_is_all_ = true;
        break;
      case 'm':
        multiline_ = true;
        break;
      case 'd':
        unix_lines_ = true;
        break;
      case 'u':
        break;
      default:
        fail(std::string("the flag \"") + flag + "\" of a regular expression is not supported");
    }
  }

  void compile() {
    read_inline_flags();
    const Node tree = parse_alternatives();
    if (!cursor_.at_end()) fail("a \")\" too many");
    emit(tree);
    add({Operation::kMatch});
  }

 private:
  using Operation = Regex::Operation;
  using CharacterSet = Regex::CharacterSet;

  static constexpr size_t kLongestProgram = 2'000;
  static constexpr int kDeepestNesting = 50;
  static constexpr int kMostRepeats = 1'000;
  static constexpr uint32_t kLastCharacter = 0x10FFFF;

  struct Node {
    enum class Kind { kSequence, kAlternatives, kRepeat, kInstruction };
    Kind kind = Kind::kSequence;
    std::vector<Node> parts;
    Regex::Instruction instruction{Operation::kMatch};
    int least = 0;
    int most = 0;  // -1: no limit
  };

  [[noreturn]] static void fail(const std::string& what) { throw RegexSyntaxError(what); }

  static Node leaf(Operation operation, uint32_t first = 0) {
    Node node;
    node.kind = Node::Kind::kInstruction;
    node.instruction = {operation, first};
    return node;
  }

  Node leaf_of(CharacterSet set) {
    regex_.sets_.push_back(std::move(set));
    return leaf(Operation::kSet, static_cast<uint32_t>(regex_.sets_.size() - 1));
  }

  void read_inline_flags() {
    while (cursor_.rest().starts_with("(?") && Cursor::is_letter(cursor_.peek(2))) {
      const size_t end = cursor_.rest().find_first_of(":)");
      if (end == std::string_view::npos || cursor_.peek(end) != ')') return;
      for (size_t i = 2; i < end; ++i) set_flag(cursor_.peek(i));
      cursor_.at += end + 1;
    }
  }

  Node parse_alternatives() {
    if (++depth_ > kDeepestNesting) fail("a regular expression is too deeply nested");
    Node result;
    result.kind = Node::Kind::kAlternatives;
    do {
      result.parts.push_back(parse_sequence());
    } while (cursor_.accept("|"));
    --depth_;
    if (result.parts.size() > 1) return result;
    Node only = std::move(result.parts[0]);
    return only;
  }

  Node parse_sequence() {
    Node result;
    while (!cursor_.at_end() && cursor_.peek() != '|' && cursor_.peek() != ')') {
      result.parts.push_back(parse_repeated());
    }
    return result;
  }

  Node parse_repeated() {
    Node result = parse_atom();
    while (const std::optional<std::pair<int, int>> times = parse_repeat()) {
      Node repeat;
      repeat.kind = Node::Kind::kRepeat;
      repeat.least = times->first;
      repeat.most = times->second;
      repeat.parts.push_back(std::move(result));
      result = std::move(repeat);
      if (cursor_.peek() == '+') fail("possessive repeats of regular expressions are not supported");
      cursor_.accept("?");  // which of several ways matches makes no difference here
      if (++repeats_ > kMostRepeats) fail("a regular expression is too large");
    }
    return result;
  }

  std::optional<std::pair<int, int>> parse_repeat() {
    if (cursor_.accept("*")) return {{0, -1}};
    if (cursor_.accept("+")) return {{1, -1}};
    if (cursor_.accept("?")) return {{0, 1}};
    if (!cursor_.accept("{")) return std::nullopt;
    const int least = parse_number();
    int most = least;
    if (cursor_.accept(",")) most = cursor_.peek() == '}' ? -1 : parse_number();
    if (!cursor_.accept("}") || (most >= 0 && most < least)) fail("a repeat {} of a regular expression is wrong");
    return {{least, most}};
  }

  int parse_number() {
    if (!Cursor::is_digit(cursor_.peek())) fail("a repeat {} of a regular expression needs a number");
    int value = 0;
    while (Cursor::is_digit(cursor_.peek())) {
      value = value * 10 + (cursor_.take() - '0');
      if (value > kMostRepeats) fail("a repeat {} of a regular expression is too large");
    }
    return value;
  }

  Node parse_atom() {
    switch (cursor_.peek()) {
      case '(':
        return parse_group();
      case '[':
        return parse_set();
      case '.':
        cursor_.take();
        return leaf_of(dot());
      case '^':
        cursor_.take();
        return leaf(multiline_ ? Operation::kLineBegin : Operation::kTextBegin);
      case '$':
        cursor_.take();
        return leaf(multiline_ ? Operation::kLineEnd : Operation::kTextEnd);
      case '\\':
        cursor_.take();
        return parse_escape();
      case '*':
      case '+':
      case '?':
      case '{':
        fail("a repeat of a regular expression repeats nothing");
      default:
        return leaf(Operation::kCharacter, take());
    }
  }

  Node parse_group() {
    cursor_.take();
    if (cursor_.accept("?")) {
      if (cursor_.peek() == '<' && Cursor::is_letter(cursor_.peek(1))) {
        while (cursor_.peek() != '>' && !cursor_.at_end()) cursor_.take();
        cursor_.accept(">");
      } else if (!cursor_.accept(":")) {
        fail("look-around, atomic groups and flags within a regular expression are not supported");
      }
    }
    Node result = parse_alternatives();
    if (!cursor_.accept(")")) fail("a group of a regular expression is not closed");
    return result;
  }

  CharacterSet dot() const {
    if (dot_is_all_) return {{}, true};
    if (unix_lines_) return {{{'\n', '\n'}}, true};
    return {{{'\n', '\n'}, {'\r', '\r'}, {0x85, 0x85}, {0x2028, 0x2029}}, true};
  }

  // \d and the like; nullopt where `c` names no set.
  static std::optional<CharacterSet> named_set(char c) {
    switch (c) {
      case 'd':
      case 'D':
        return CharacterSet{{{'0', '9'}}, c == 'D'};
      case 'w':
      case 'W':
        return CharacterSet{{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}, c == 'W'};
      case 's':
      case 'S':
        return CharacterSet{{{'\t', '\r'}, {' ', ' '}}, c == 'S'};
      default:
        return std::nullopt;
    }
  }

  Node parse_escape() {
    const char c = cursor_.peek();
    if (std::optional<CharacterSet> set = named_set(c)) {
      cursor_.take();
      return leaf_of(*std::move(set));
    }
    switch (c) {
      case 'b':
      case 'B':
        cursor_.take();
        return leaf(c == 'b' ? Operation::kWordEdge : Operation::kNoWordEdge);
      case 'A':
        cursor_.take();
        return leaf(Operation::kTextBegin);
      case 'z':
      case 'Z':
        cursor_.take();
        return leaf(Operation::kTextEnd);
      default:
        return leaf(Operation::kCharacter, parse_escaped_character());
    }
  }

  uint32_t parse_escaped_character() {
    if (cursor_.at_end()) fail("nothing follows a backslash of a regular expression");
    const char c = cursor_.peek();
    if (!Cursor::is_letter(c) && !Cursor::is_digit(c)) return take();
    cursor_.take();
    switch (c) {
      case 't':
        return '\t';
      case 'n':
        return '\n';
      case 'r':
        return '\r';
      case 'f':
        return '\f';
      case 'a':
        return '\a';
      case 'e':
        return 0x1B;
      case 'x':
        return parse_hex(2);
      case 'u':
        return parse_hex(4);
      default:
        fail(std::string("\"\\") + c + "\" is not supported in a regular expression");
    }
  }

  uint32_t parse_hex(int digits) {
    uint32_t value = 0;
    for (int i = 0; i < digits; ++i) {
      const char c = cursor_.at_end() ? '\0' : cursor_.take();
      if (Cursor::is_digit(c)) {
        value = value * 16 + static_cast<uint32_t>(c - '0');
      } else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) {
        value = value * 16 + static_cast<uint32_t>((c | 0x20) - 'a' + 10);
      } else {
        fail("a character of a regular expression needs hexadecimal digits");
      }
    }
    return value;
  }

  Node parse_set() {
    cursor_.take();
    CharacterSet set;
    set.negated = cursor_.accept("^");
    for (bool first = true; first || cursor_.peek() != ']'; first = false) {
      if (cursor_.at_end()) fail("a \"[\" of a regular expression is not closed");
      if (cursor_.peek() == '[' || cursor_.rest().starts_with("&&")) {
        fail("sets within sets of regular expressions are not supported");
      }
      add_member(&set);
    }
    cursor_.take();
    return leaf_of(std::move(set));
  }

  void add_member(CharacterSet* set) {
    if (cursor_.peek() == '\\') {
      if (const std::optional<CharacterSet> named = named_set(cursor_.peek(1))) {
        cursor_.at += 2;
        add_named(*named, set);
        return;
      }
    }
    const uint32_t low = parse_set_character();
    uint32_t high = low;
    if (cursor_.peek() == '-' && cursor_.peek(1) != ']' && cursor_.at + 1 < cursor_.text.size()) {
      cursor_.take();
      high = parse_set_character();
      if (high < low) fail("a range of a regular expression is the wrong way round");
    }
    set->ranges.push_back({low, high});
  }

  static void add_named(const CharacterSet& named, CharacterSet* set) {
    if (!named.negated) {
      set->ranges.insert(set->ranges.end(), named.ranges.begin(), named.ranges.end());
      return;
    }
    uint32_t begin = 0;
    for (const Regex::Range& range : named.ranges) {
      if (range.low > begin) set->ranges.push_back({begin, range.low - 1});
      begin = range.high + 1;
    }
    set->ranges.push_back({begin, kLastCharacter});
  }

  uint32_t parse_set_character() { return cursor_.accept("\\") ? parse_escaped_character() : take(); }

  uint32_t take() {
    std::string_view rest = cursor_.rest();
    const uint32_t character = take_character(&rest);
    cursor_.at = cursor_.text.size() - rest.size();
    return character;
  }

  size_t add(Regex::Instruction instruction) {
    if (regex_.program_.size() == kLongestProgram) fail("a regular expression is too large");
    regex_.program_.push_back(instruction);
    return regex_.program_.size() - 1;
  }

  uint32_t end() const { return static_cast<uint32_t>(regex_.program_.size()); }

  void emit(const Node& node) {
    switch (node.kind) {
      case Node::Kind::kInstruction:
        add(node.instruction);
        return;
      case Node::Kind::kSequence:
        for (const Node& part : node.parts) emit(part);
        return;
      case Node::Kind::kAlternatives:
        return emit_alternatives(node);
      case Node::Kind::kRepeat:
        return emit_repeat(node);
    }
  }

  void emit_alternatives(const Node& node) {
    std::vector<size_t> jumps;
    for (size_t i = 0; i + 1 < node.parts.size(); ++i) {
      const size_t split = add({Operation::kSplit, end() + 1});
      emit(node.parts[i]);
      jumps.push_back(add({Operation::kJump}));
      regex_.program_[split].second = end();
    }
    emit(node.parts.back());
    for (const size_t jump : jumps) regex_.program_[jump].first = end();
  }

  void emit_repeat(const Node& node) {
    const uint32_t begin = end();
    for (int i = 0; i < node.least; ++i) {
      emit(node.parts[0]);
      if (end() == begin) return;  // nothing, however often
    }
    if (node.most < 0) {
      const size_t split = add({Operation::kSplit, end() + 1});
      emit(node.parts[0]);
      add({Operation::kJump, static_cast<uint32_t>(split)});
      regex_.program_[split].second = end();
      return;
    }
    std::vector<size_t> splits;
    for (int i = node.least; i < node.most; ++i) {
      splits.push_back(add({Operation::kSplit, end() + 1}));
      emit(node.parts[0]);
    }
    for (const size_t split : splits) regex_.program_[split].second = end();
  }

  Regex& regex_;
  Cursor cursor_;
  int depth_ = 0;
  int repeats_ = 0;
  bool dot_is_all_ = false;
  bool multiline_ = false;
  bool unix_lines_ = false;
};

Regex::Regex(std::string_view pattern, std::string_view flags) {
  RegexCompiler compiler(this, pattern);
  for (const char flag : flags) compiler.set_flag(flag);
  compiler.compile();
}

}  // namespace etl::states
