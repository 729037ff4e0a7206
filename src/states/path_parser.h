// The parts of the parser of paths: paths contain filters, and filters contain paths.
#pragma once

#include "states/cursor.h"
#include "states/path_syntax.h"

namespace etl::states {

class PathParser {
 public:
  // The path ends before one of `ends`, besides blanks.
  explicit PathParser(std::string_view text, std::string_view ends = "") : cursor_{text}, ends_(ends) {}

  PathSyntax parse_whole();
  PathSyntax parse_beginning();  // of the text

 private:
  static constexpr int kDeepestNesting = 30;  // of parentheses, filters and arguments
  static constexpr std::string_view kEndsInFilter = "<>=~!&|),";
  static constexpr size_t kMostSteps = 1'000;  // of a path

  [[noreturn]] void fail(const std::string& what) const;
  void expect(char c);
  void expect_after_blanks(char c);
  void enter();
  void leave() { --depth_; }

  // path_parser.cpp
  void parse_root(PathSyntax* path);
  void parse_steps(PathSyntax* path);
  void parse_step(PathSyntax* path);
  void parse_dot(PathSyntax* path);
  void parse_bracket(PathSyntax* path);
  void parse_name_or_function(PathSyntax* path);
  void parse_function(PathSyntax* path, std::string_view name);
  PathStep parse_quoted_names();
  PathStep parse_indexes_or_slice();
  std::optional<int64_t> parse_integer();
  bool ends_path() const;
  bool ends_name(char c) const;
  void check_scans(const PathSyntax& path) const;

  // filter_parser.cpp
  PathStep parse_filter();
  Condition parse_or();
  Condition parse_and();
  Condition parse_not();
  Condition parse_comparison();
  Operand parse_operand();
  std::optional<Comparator> parse_comparator();
  std::shared_ptr<const PathSyntax> parse_inner_path();
  std::shared_ptr<const Regex> parse_regex();

  // literal_parser.cpp: JSON in a path, where texts may also be 'quoted'.
  Json parse_literal();
  Json parse_array();
  Json parse_object();
  Json parse_number_or_word();
  std::string parse_quoted();
  void parse_escape(std::string* result);
  uint32_t parse_hex();

  Cursor cursor_;
  int depth_ = 0;
  std::string_view ends_;
};

}  // namespace etl::states
