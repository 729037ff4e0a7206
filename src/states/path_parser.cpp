#include "states/fence.h"

#include "states/path_parser.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "states/utf8.h"

namespace etl::states {
namespace {

constexpr std::array<std::pair<std::string_view, PathFunction>, 14> kFunctions = {
    {{"min", PathFunction::kMin},
     {"max", PathFunction::kMax},
     {"avg", PathFunction::kAvg},
     {"stddev", PathFunction::kStddev},
     {"sum", PathFunction::kSum},
     {"length", PathFunction::kLength},
     {"size", PathFunction::kLength},
     {"keys", PathFunction::kKeys},
     {"concat", PathFunction::kConcat},
     {"append", PathFunction::kAppend},
     {"first", PathFunction::kFirst},
     {"last", PathFunction::kLast},
     {"index", PathFunction::kIndex},
     {"distinct", PathFunction::kDistinct}}};

bool is_of_variable_name(char c) {
  return Cursor::is_letter(c) || Cursor::is_digit(c) || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

bool is_definite_step(const PathStep& step, bool is_last) {
  if (const auto* names = std::get_if<NameStep>(&step)) return names->names.size() == 1 || is_last;
  if (const auto* indexes = std::get_if<IndexStep>(&step)) return indexes->indexes.size() == 1;
  return std::holds_alternative<FunctionStep>(step);
}

struct StepDescription {
  std::string operator()(const NameStep& step) const {
    std::string result;
    for (const std::string& name : step.names) result += (result.empty() ? "['" : ",'") + name + "'";
    return result + "]";
  }
  std::string operator()(const IndexStep& step) const {
    std::string result;
    for (const int64_t index : step.indexes) result += (result.empty() ? "[" : ",") + std::to_string(index);
    return result + "]";
  }
  std::string operator()(const SliceStep& step) const {
    return "[" + (step.from ? std::to_string(*step.from) : "") + ":" + (step.to ? std::to_string(*step.to) : "") + "]";
  }
  std::string operator()(const WildcardStep&) const { return "[*]"; }
  std::string operator()(const ScanStep&) const { return ".."; }
  std::string operator()(const FilterStep&) const { return "[?]"; }
  std::string operator()(const FunctionStep& step) const {
    for (const auto& [name, function] : kFunctions) {
      if (function == step.function) return "." + std::string(name) + "()";
    }
    return "";
  }
};

}  // namespace

bool PathSyntax::is_definite(size_t count) const {
  bool definite = true;
  for (size_t i = 0; i < count; ++i) {
    // A function that takes all matches makes one value of them.
    const auto* function = std::get_if<FunctionStep>(&steps[i]);
    definite = (function != nullptr && function->of_all_matches) ||
               (definite && is_definite_step(steps[i], i + 1 == steps.size()));
  }
  return definite;
}

std::string describe_steps(const PathSyntax& path, size_t first, size_t count) {
  std::string result;
  for (size_t i = first; i < first + count; ++i) result += std::visit(StepDescription{}, path.steps[i]);
  return result;
}

std::shared_ptr<const PathSyntax> parse_path(std::string_view text) {
  return std::make_shared<const PathSyntax>(PathParser(text).parse_whole());
}

void PathParser::fail(const std::string& what) const {
  constexpr size_t kMostShown = 200;
  std::string shown(cursor_.text.substr(0, kMostShown));
  if (cursor_.text.size() > kMostShown) shown += "...";
  throw PathSyntaxError("invalid path \"" + shown + "\" at offset " + std::to_string(cursor_.at) + ": " + what);
}

void PathParser::expect(char c) {
  if (cursor_.peek() != c || cursor_.at_end()) fail(std::string("expected \"") + c + "\"");
  ++cursor_.at;
}

void PathParser::expect_after_blanks(char c) {
  cursor_.skip_blanks();
  expect(c);
}

void PathParser::enter() {
  if (++depth_ > kDeepestNesting) fail("too deeply nested");
}

size_t length_of_path(std::string_view text, std::string_view ends) {
  return PathParser(text, ends).parse_beginning().text.size();
}

PathSyntax PathParser::parse_whole() {
  if (cursor_.text.size() > Path::kLongestText) fail("too long");
  if (!is_utf8(cursor_.text)) throw PathSyntaxError("a path is no UTF-8");
  PathSyntax path = parse_beginning();
  path.text = cursor_.text;
  cursor_.skip_blanks();
  if (!cursor_.at_end()) fail("expected \".\" or \"[\"");
  return path;
}

PathSyntax PathParser::parse_beginning() {
  PathSyntax path;
  parse_root(&path);
  parse_steps(&path);
  path.text = cursor_.since(0);
  return path;
}

void PathParser::parse_root(PathSyntax* path) {
  if (!cursor_.accept("$")) fail("a path begins with \"$\"");
  if (cursor_.accept("$")) {
    path->root = Path::Root::kContext;
    return;
  }
  const size_t begin = cursor_.at;
  while (!cursor_.at_end() && is_of_variable_name(cursor_.peek())) ++cursor_.at;
  path->variable = cursor_.since(begin);
  if (path->variable.empty()) return;
  if (Cursor::is_digit(path->variable[0])) fail("the name of a variable does not begin with a digit");
  path->root = Path::Root::kVariable;
}

// What follows a path in a filter or between arguments.
bool PathParser::ends_path() const {
  if (cursor_.at_end() || Cursor::is_blank(cursor_.peek())) return true;
  return ends_.find(cursor_.peek()) != std::string_view::npos;
}

bool PathParser::ends_name(char c) const {
  if (std::string_view(".[]( \t\n\r").find(c) != std::string_view::npos) return true;
  return ends_.find(c) != std::string_view::npos;
}

void PathParser::parse_steps(PathSyntax* path) {
  while (!ends_path()) {
    parse_step(path);
    if (path->steps.size() > kMostSteps) fail("too many steps");
  }
  check_scans(*path);
}

void PathParser::parse_step(PathSyntax* path) {
  if (cursor_.peek() == '[') return parse_bracket(path);
  if (cursor_.peek() == '.') return parse_dot(path);
  fail("expected \".\" or \"[\"");
}

void PathParser::parse_dot(PathSyntax* path) {
  ++cursor_.at;
  if (cursor_.accept(".")) {
    path->steps.push_back(ScanStep{});
    if (cursor_.peek() == '[') return parse_bracket(path);
  }
  if (cursor_.peek() == '*' && (cursor_.at + 1 == cursor_.text.size() || ends_name(cursor_.peek(1)))) {
    ++cursor_.at;
    path->steps.push_back(WildcardStep{});
    return;
  }
  // Jayway reads $.['a'] as $['a'].
  if (cursor_.peek() == '[') return parse_bracket(path);
  parse_name_or_function(path);
}

void PathParser::parse_name_or_function(PathSyntax* path) {
  const size_t begin = cursor_.at;
  while (!cursor_.at_end() && !ends_name(cursor_.peek())) ++cursor_.at;
  const std::string_view name = cursor_.since(begin);
  if (name.empty()) fail("expected a name");
  if (cursor_.peek() == '(') return parse_function(path, name);
  if (ends_.empty() && cursor_.peek() == ' ' && !cursor_.rest().substr(1).empty()) {
    fail("a name with a blank needs brackets and quotes: ['my name']");
  }
  path->steps.push_back(NameStep{{std::string(name)}});
}

void PathParser::parse_function(PathSyntax* path, std::string_view name) {
  FunctionStep step;
  const auto* found =
      std::find_if(kFunctions.begin(), kFunctions.end(), [&](const auto& f) { return f.first == name; });
  if (found == kFunctions.end()) fail("there is no function \"" + std::string(name) + "\"");
  step.function = found->second;
  enter();
  const std::string_view outer_ends = std::exchange(ends_, kEndsInFilter);
  expect('(');
  cursor_.skip_blanks();
  while (cursor_.peek() != ')') {
    if (cursor_.peek() == '$' || cursor_.peek() == '@') {
      step.arguments.push_back(parse_inner_path());
    } else {
      step.arguments.push_back(parse_literal());
    }
    cursor_.skip_blanks();
    if (cursor_.peek() == ')') break;
    expect(',');
    cursor_.skip_blanks();
  }
  expect(')');
  ends_ = outer_ends;
  leave();
  if (step.function == PathFunction::kIndex && step.arguments.size() != 1) fail("index() takes one argument");
  const bool is_first = std::none_of(path->steps.begin(), path->steps.end(), [](const PathStep& earlier) {
    return std::holds_alternative<FunctionStep>(earlier);
  });
  step.of_all_matches = is_first && !path->steps.empty() && std::holds_alternative<ScanStep>(path->steps.front());
  path->steps.push_back(std::move(step));
}

void PathParser::parse_bracket(PathSyntax* path) {
  expect('[');
  cursor_.skip_blanks();
  switch (cursor_.peek()) {
    case '\'':
    case '"':
      path->steps.push_back(parse_quoted_names());
      break;
    case '*':
      ++cursor_.at;
      path->steps.push_back(WildcardStep{});
      break;
    case '?':
      path->steps.push_back(parse_filter());
      break;
    default:
      path->steps.push_back(parse_indexes_or_slice());
  }
  expect_after_blanks(']');
}

PathStep PathParser::parse_quoted_names() {
  NameStep step;
  do {
    cursor_.skip_blanks();
    if (cursor_.peek() != '\'' && cursor_.peek() != '"') fail("expected a name in quotes");
    step.names.push_back(parse_quoted());
    cursor_.skip_blanks();
  } while (cursor_.accept(","));
  return step;
}

PathStep PathParser::parse_indexes_or_slice() {
  const std::optional<int64_t> first = parse_integer();
  cursor_.skip_blanks();
  if (cursor_.accept(":")) {
    cursor_.skip_blanks();
    SliceStep slice{first, parse_integer()};
    cursor_.skip_blanks();
    if (!slice.from && !slice.to) fail("a slice needs a number before or after \":\"");
    // Jayway reads the step of a slice and does not use it.
    if (cursor_.accept(":")) {
      cursor_.skip_blanks();
      parse_integer();
    }
    return slice;
  }
  if (!first) fail("expected an index, a slice, a name in quotes, \"*\" or \"?\"");
  IndexStep step{{*first}};
  while (cursor_.accept(",")) {
    cursor_.skip_blanks();
    const std::optional<int64_t> next = parse_integer();
    if (!next) fail("expected an index");
    step.indexes.push_back(*next);
    cursor_.skip_blanks();
  }
  return step;
}

std::optional<int64_t> PathParser::parse_integer() {
  const size_t begin = cursor_.at;
  if (cursor_.peek() == '-') ++cursor_.at;
  int64_t value = 0;
  const size_t digits = cursor_.at;
  for (; Cursor::is_digit(cursor_.peek()); ++cursor_.at) {
    value = value * 10 + (cursor_.peek() - '0');
    if (value > std::numeric_limits<int32_t>::max()) fail("too large a number");
  }
  if (cursor_.at == digits) {
    cursor_.at = begin;
    return std::nullopt;
  }
  return cursor_.text[begin] == '-' ? -value : value;
}

// What is scanned for must follow, and it must be something to find.
void PathParser::check_scans(const PathSyntax& path) const {
  for (size_t i = 0; i < path.steps.size(); ++i) {
    if (!std::holds_alternative<ScanStep>(path.steps[i])) continue;
    const bool followed = i + 1 < path.steps.size() && !std::holds_alternative<FunctionStep>(path.steps[i + 1]) &&
                          !std::holds_alternative<ScanStep>(path.steps[i + 1]);
    if (!followed) fail("\"..\" needs a name, \"*\" or brackets after it");
  }
}

}  // namespace etl::states
