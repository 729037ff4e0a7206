// A text that is read from left to right.
#pragma once

#include <string_view>

namespace etl::states {

struct Cursor {
  std::string_view text;
  size_t at = 0;

  bool at_end() const { return at >= text.size(); }
  char peek(size_t ahead = 0) const { return at + ahead < text.size() ? text[at + ahead] : '\0'; }
  char take() { return text[at++]; }
  std::string_view rest() const { return text.substr(at < text.size() ? at : text.size()); }
  std::string_view since(size_t begin) const { return text.substr(begin, at - begin); }

  bool accept(std::string_view what) {
    if (!rest().starts_with(what)) return false;
    at += what.size();
    return true;
  }

  void skip_blanks() {
    while (!at_end() && is_blank(text[at])) ++at;
  }

  static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
};

}  // namespace etl::states
