#include "locations/fence.h"

#include "locations/glob.h"

#include <cstddef>
#include <optional>
#include <vector>

#include "locations/text.h"

namespace etl::locations {
namespace {

using Components = std::vector<std::string_view>;

Components components_of(std::string_view path) {
  Components result;
  for (size_t begin = 0;;) {
    const size_t end = path.find('/', begin);
    result.push_back(path.substr(begin, end - begin));
    if (end == std::string_view::npos) return result;
    begin = end + 1;
  }
}

// Takes the next character off the text; a backslash before it, too.
std::string_view take_character(std::string_view& text, bool may_be_escaped) {
  if (may_be_escaped && text.size() > 1 && text[0] == '\\') text.remove_prefix(1);
  const std::string_view character = text.substr(0, character_length(text));
  text.remove_prefix(character.size());
  return character;
}

// Reads the class that `rest` begins with, "[a-z]": is `character` in it? None where no ']' closes it; otherwise `rest`
// goes on behind it. UTF-8 sorts like its code points, so characters compare as texts.
std::optional<bool> in_class(std::string_view& rest, std::string_view character) {
  std::string_view set = rest.substr(1);
  const bool negated = !set.empty() && (set[0] == '!' || set[0] == '^');
  if (negated) set.remove_prefix(1);
  bool found = false;
  for (bool first = true; !set.empty(); first = false) {
    if (set[0] == ']' && !first) {
      rest = set.substr(1);
      return found != negated;
    }
    const std::string_view low = take_character(set, true);
    std::string_view high = low;
    if (set.size() > 1 && set[0] == '-' && set[1] != ']') {
      set.remove_prefix(1);
      high = take_character(set, true);
    }
    found = found || (low <= character && character <= high);
  }
  return std::nullopt;
}

// Does the first element of `pattern`, which is no '*', match the first character of `text`? If so, takes both off.
bool take_one(std::string_view& pattern, std::string_view& text) {
  std::string_view rest_of_text = text;
  const std::string_view character = take_character(rest_of_text, false);
  std::string_view rest = pattern;
  bool fits = false;
  if (pattern[0] == '?') {
    rest.remove_prefix(1);
    fits = true;
  } else if (const auto found = pattern[0] == '[' ? in_class(rest, character) : std::nullopt) {
    fits = *found;
  } else {
    fits = take_character(rest, true) == character;
  }
  if (!fits) return false;
  pattern = rest;
  text = rest_of_text;
  return true;
}

// One component. When what follows a '*' does not fit, the last '*' takes one character more; none before it must.
bool component_matches(std::string_view pattern, std::string_view text) {
  std::optional<std::string_view> behind_star;
  std::string_view left_to_star;
  while (true) {
    if (!pattern.empty() && pattern[0] == '*') {
      pattern.remove_prefix(1);
      behind_star = pattern;
      left_to_star = text;
    } else if (text.empty() || pattern.empty() || !take_one(pattern, text)) {
      if (text.empty() && pattern.empty()) return true;
      if (!behind_star || left_to_star.empty()) return false;
      take_character(left_to_star, false);
      text = left_to_star;
      pattern = *behind_star;
    }
  }
}

// The same for "**" among components.
bool components_match(const Components& pattern, const Components& path) {
  size_t p = 0, t = 0;
  std::optional<size_t> behind_stars;
  size_t left_to_stars = 0;
  while (true) {
    if (p < pattern.size() && pattern[p] == "**") {
      if (p + 1 == pattern.size()) return t < path.size();
      behind_stars = ++p;
      left_to_stars = t;
    } else if (t < path.size() && p < pattern.size() && component_matches(pattern[p], path[t])) {
      ++p, ++t;
    } else {
      if (t == path.size() && p == pattern.size()) return true;
      if (!behind_stars || left_to_stars >= path.size()) return false;
      t = ++left_to_stars;
      p = *behind_stars;
    }
  }
}

}  // namespace

bool matches(std::string_view pattern, std::string_view path) {
  return components_match(components_of(pattern), components_of(path));
}

bool may_match_beneath(std::string_view pattern, std::string_view directory) {
  if (directory.empty()) return true;
  const Components wanted = components_of(pattern);
  const Components path = components_of(directory);
  for (size_t i = 0; i < path.size(); ++i) {
    if (i + 1 >= wanted.size()) return i < wanted.size() && wanted[i] == "**";
    if (wanted[i] == "**") return true;
    if (!component_matches(wanted[i], path[i])) return false;
  }
  return true;
}

bool is_pattern(std::string_view text) {
  return text.find_first_of("*?[\\") != std::string_view::npos;
}

}  // namespace etl::locations
