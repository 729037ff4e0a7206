#include "states/fence.h"

#include <algorithm>
#include <array>
#include <utility>

#include "states/path_parser.h"

namespace etl::states {
namespace {

// Longer ones before those that they begin with.
constexpr std::array<std::pair<std::string_view, Comparator>, 9> kSigns = {{{"===", Comparator::kSameTypeEqual},
                                                                            {"!==", Comparator::kNotSameTypeEqual},
                                                                            {"==", Comparator::kEqual},
                                                                            {"!=", Comparator::kNotEqual},
                                                                            {"<=", Comparator::kLessOrEqual},
                                                                            {">=", Comparator::kGreaterOrEqual},
                                                                            {"=~", Comparator::kMatches},
                                                                            {"<", Comparator::kLess},
                                                                            {">", Comparator::kGreater}}};

constexpr std::array<std::pair<std::string_view, Comparator>, 9> kWords = {{{"in", Comparator::kIn},
                                                                            {"nin", Comparator::kNotIn},
                                                                            {"contains", Comparator::kContains},
                                                                            {"all", Comparator::kAll},
                                                                            {"subsetof", Comparator::kSubsetOf},
                                                                            {"anyof", Comparator::kAnyOf},
                                                                            {"noneof", Comparator::kNoneOf},
                                                                            {"size", Comparator::kSize},
                                                                            {"empty", Comparator::kEmpty}}};

bool same_without_case(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
}

}  // namespace

PathStep PathParser::parse_filter() {
  expect('?');
  expect_after_blanks('(');
  enter();
  const std::string_view outer_ends = std::exchange(ends_, kEndsInFilter);
  auto condition = std::make_shared<const Condition>(parse_or());
  expect_after_blanks(')');
  ends_ = outer_ends;
  leave();
  return FilterStep{std::move(condition)};
}

Condition PathParser::parse_or() {
  Condition first = parse_and();
  cursor_.skip_blanks();
  if (!cursor_.rest().starts_with("||")) return first;
  Condition result;
  result.kind = Condition::Kind::kOr;
  result.parts.push_back(std::move(first));
  while (cursor_.accept("||")) {
    result.parts.push_back(parse_and());
    cursor_.skip_blanks();
  }
  return result;
}

Condition PathParser::parse_and() {
  Condition first = parse_not();
  cursor_.skip_blanks();
  if (!cursor_.rest().starts_with("&&")) return first;
  Condition result;
  result.kind = Condition::Kind::kAnd;
  result.parts.push_back(std::move(first));
  while (cursor_.accept("&&")) {
    result.parts.push_back(parse_not());
    cursor_.skip_blanks();
  }
  return result;
}

Condition PathParser::parse_not() {
  enter();
  cursor_.skip_blanks();
  Condition result;
  if (cursor_.accept("!")) {
    result.kind = Condition::Kind::kNot;
    result.parts.push_back(parse_not());
    // Jayway would take !@.a == 1 for @.a == 1, which nobody means.
    if (result.parts[0].kind == Condition::Kind::kComparison && cursor_.text[cursor_.at - 1] != ')') {
      fail("what \"!\" negates needs parentheses");
    }
  } else if (cursor_.accept("(")) {
    result = parse_or();
    expect_after_blanks(')');
  } else {
    result = parse_comparison();
  }
  leave();
  return result;
}

Condition PathParser::parse_comparison() {
  Condition result;
  result.left = parse_operand();
  cursor_.skip_blanks();
  const std::optional<Comparator> comparator = parse_comparator();
  if (!comparator) {
    if (!std::holds_alternative<std::shared_ptr<const PathSyntax>>(result.left)) fail("expected a comparison");
    return result;
  }
  result.kind = Condition::Kind::kComparison;
  result.comparator = *comparator;
  cursor_.skip_blanks();
  result.right = parse_operand();
  return result;
}

std::optional<Comparator> PathParser::parse_comparator() {
  for (const auto& [sign, comparator] : kSigns) {
    if (cursor_.accept(sign)) return comparator;
  }
  const size_t begin = cursor_.at;
  while (Cursor::is_letter(cursor_.peek())) ++cursor_.at;
  const std::string_view word = cursor_.since(begin);
  for (const auto& [name, comparator] : kWords) {
    if (same_without_case(word, name)) return comparator;
  }
  if (!word.empty()) fail("there is no comparison \"" + std::string(word) + "\"");
  return std::nullopt;
}

Operand PathParser::parse_operand() {
  switch (cursor_.peek()) {
    case '$':
    case '@':
      return parse_inner_path();
    case '/':
      return parse_regex();
    default:
      return parse_literal();
  }
}

std::shared_ptr<const PathSyntax> PathParser::parse_inner_path() {
  auto path = std::make_shared<PathSyntax>();
  const size_t begin = cursor_.at;
  path->relative = cursor_.peek() == '@';
  ++cursor_.at;
  parse_steps(path.get());
  path->text = cursor_.since(begin);
  return path;
}

std::shared_ptr<const Regex> PathParser::parse_regex() {
  expect('/');
  std::string pattern;
  for (; cursor_.peek() != '/'; pattern += cursor_.take()) {
    if (cursor_.at_end()) fail("a regular expression is not closed");
    if (cursor_.peek() != '\\' || cursor_.at + 1 >= cursor_.text.size()) continue;
    const char backslash = cursor_.take();
    if (cursor_.peek() != '/') pattern += backslash;
  }
  expect('/');
  const size_t begin = cursor_.at;
  while (Cursor::is_letter(cursor_.peek())) ++cursor_.at;
  try {
    return std::make_shared<const Regex>(pattern, cursor_.since(begin));
  } catch (const RegexSyntaxError& error) {
    fail(error.what());
  }
}

}  // namespace etl::states
