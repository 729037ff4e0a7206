// Patterns for relative paths.
//
//   *        any characters but '/'            [abc] [a-z]   one of these characters
//   ?        one character but '/'             [!abc]        one character but these and '/'
//   **       as a whole component: any number of directories, also none; at the end: everything beneath
//   \x       the character x itself
//
// A character is a UTF-8 sequence; a byte that belongs to none counts as one. Case matters. A '[' that is not closed is
// itself. No pattern takes exponential time.
#pragma once

#include <string_view>

namespace etl::locations {

// Does the entire path match?
bool matches(std::string_view pattern, std::string_view path);

// Can a path beneath the directory ("" is the topmost) match? False only where none can.
bool may_match_beneath(std::string_view pattern, std::string_view directory);

// Does the text mean anything but itself as a pattern?
bool is_pattern(std::string_view text);

}  // namespace etl::locations
